"""The schema: every kind of frame, empty or put in order, has its columns and dtypes."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mailframe import schema

KINDS = sorted(schema.FRAMES)

HEADERS = (
    "message_id in_reply_to references date utc_offset internal_date from_name from_address "
    "from_domain to cc bcc reply_to subject list_id list_unsubscribe size seen answered flagged "
    "draft deleted keywords n_attachments attachment_size defects"
)
#: DESIGN's section 3, written down a second time: a column that comes, goes or moves is noticed.
COLUMNS = {
    "keys": "account folder uidvalidity uid",
    "headers": f"account folder uidvalidity uid {HEADERS}",
    "events": f"account folder uidvalidity uid event {HEADERS}",
    "recipients": "account folder uidvalidity uid role position name address domain",
    "bodies": "account folder uidvalidity uid text text_source charset truncated defects",
    "bodies_html": "account folder uidvalidity uid text html text_source charset truncated defects",
    "bodies_own_text": (
        "account folder uidvalidity uid text text_source charset truncated defects own_text "
        "quoted_text signature n_words"
    ),
    "attachments": (
        "account folder uidvalidity uid part filename content_type disposition content_id "
        "encoding encoded_size size size_exact inline"
    ),
    "downloads": (
        "account folder uidvalidity uid part filename content_type disposition content_id "
        "encoding encoded_size size size_exact inline path"
    ),
    "previews": "account folder uidvalidity uid preview",
    "hops": "account folder uidvalidity uid hop from_host by_host with time delay",
    "explanation": "step side command rfc meaning words",
    "plan": "account folder uidvalidity uid action target state add remove from_address subject "
    "date size flags",
    "outcome": "account folder uidvalidity uid action target status reason new_uidvalidity new_uid "
    "from_address subject",
    "trace": "time connection direction tag command line bytes elapsed",
    "folders": "name delimiter special_use flags messages unseen uidnext uidvalidity size",
}
CATEGORIES = {
    "account",
    "folder",
    "role",
    "content_type",
    "disposition",
    "encoding",
    "charset",
    "text_source",
    "delimiter",
    "special_use",
    "side",
    "direction",
    "event",
    "action",
    "target",
    "state",
    "status",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_columns_of_the_design(kind: str) -> None:
    assert list(schema.empty(kind).columns) == COLUMNS[kind].split()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_frame_has_dtypes_and_a_range_index(kind: str) -> None:
    frame = schema.empty(kind)
    assert len(frame) == 0
    assert type(frame.index) is pd.RangeIndex
    assert {c.name: str(frame[c.name].dtype) for c in schema.FRAMES[kind]} == {
        c.name: c.dtype for c in schema.FRAMES[kind]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_closed_vocabularies_and_nothing_else_are_categories_of_text(kind: str) -> None:
    frame = schema.empty(kind)
    categorical = {name for name in frame if frame[name].dtype == "category"}
    assert categorical == CATEGORIES & set(frame)
    for name in categorical:
        assert frame[name].cat.categories.dtype == "str"


def test_yes_and_no_is_bool_and_what_may_be_unknown_is_nullable() -> None:
    dtypes = schema.empty("headers").dtypes.astype("str")
    flags = ["seen", "answered", "flagged", "draft", "deleted"]
    assert set(dtypes[flags]) == {"bool"}
    assert set(dtypes[["size", "n_attachments", "attachment_size"]]) == {"Int64"}
    assert set(dtypes[["date", "internal_date"]]) == {"datetime64[us, UTC]"}
    assert dtypes["utc_offset"] == "Int16"
    assert not [name for name in dtypes if name.startswith(("float", "object"))]


def keys(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"account": ["me", "me"], "folder": ["INBOX", "A"], "uidvalidity": [1, 1], "uid": [7, 9]}
        | columns
    )


def test_conform_puts_shuffled_columns_in_order() -> None:
    frame = keys()
    shuffled = frame[["uid", "folder", "uidvalidity", "account"]]
    assert_frame_equal(schema.conform(shuffled, "keys"), schema.conform(frame, "keys"))
    assert list(schema.conform(shuffled, "keys").columns) == list(frame.columns)


def test_conform_keeps_further_columns_behind_its_own() -> None:
    frame = keys(mine=[1.5, 2.5])[["mine", "uid", "uidvalidity", "account", "folder"]]
    result = schema.conform(frame, "keys")
    assert list(result.columns) == ["account", "folder", "uidvalidity", "uid", "mine"]
    assert list(result["mine"]) == [1.5, 2.5]


def test_conform_gives_a_range_index_whatever_the_rows_were_called() -> None:
    frame = keys().set_index(pd.Index([5, 5]))
    result = schema.conform(frame, "keys")
    assert type(result.index) is pd.RangeIndex
    assert list(result["uid"]) == [7, 9]


def test_conform_leaves_the_frame_it_was_given_alone() -> None:
    frame = keys(uid=["7", "9"])
    before = frame.copy()
    result = schema.conform(frame, "keys")
    assert_frame_equal(frame, before)
    assert list(result["uid"]) == [7, 9]


def test_conform_keeps_attrs_without_sharing_them() -> None:
    frame = keys()
    frame.attrs = {"accounts": ["me"]}
    result = schema.conform(frame, "keys")
    assert result.attrs == {"accounts": ["me"]}
    result.attrs["more"] = 1
    assert frame.attrs == {"accounts": ["me"]}


def test_conform_brings_back_what_a_category_lost() -> None:
    frame = keys().astype({"folder": "category", "account": "object"})
    frame["folder"] = frame["folder"].cat.set_categories(["INBOX", "A", "unused"])
    result = schema.conform(frame, "keys")
    assert result["account"].cat.categories.dtype == "str"
    assert list(result["folder"]) == ["INBOX", "A"]


def test_conform_names_the_columns_that_are_missing() -> None:
    with pytest.raises(KeyError, match="not a keys frame: folder, uid missing"):
        schema.conform(keys().drop(columns=["folder", "uid"]), "keys")


@pytest.mark.parametrize("kind", KINDS)
def test_conform_changes_nothing_that_conforms(kind: str) -> None:
    assert_frame_equal(schema.conform(schema.empty(kind), kind), schema.empty(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_described_in_words(kind: str) -> None:
    described = schema.describe(kind)
    assert list(described.index) == COLUMNS[kind].split()
    assert list(described.columns) == ["dtype", "meaning"]
    assert described["meaning"].str.len().gt(5).all()
