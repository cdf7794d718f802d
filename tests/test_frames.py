"""Records become frames that conform, keep what is missing apart from what is empty, and last."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
import mailframe.tables
from mailframe import frames, schema
from mailframe.records import (
    Address,
    Attachment,
    BodyRecord,
    Change,
    Folder,
    Headers,
    MessageRecord,
    PreviewRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ME = "me@example.com"
ALICE = Address("Alice Example", "alice@Example.ORG")
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
PDF = Attachment(
    part="2",
    filename="report.pdf",
    content_type="application/pdf",
    disposition="attachment",
    content_id=None,
    encoding="base64",
    encoded_size=60,
    size=43,
    size_exact=False,
    inline=False,
)
DOT = replace(PDF, part="3", filename=None, disposition="inline", content_id="dot", inline=True)

FULL = MessageRecord(
    account=ME,
    folder="INBOX",
    uidvalidity=17,
    uid=3,
    flags=("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "Zeta", "$Junk"),
    internal_date=datetime(2026, 1, 5, 7, 0, tzinfo=UTC),
    size=1234,
    headers=Headers(
        message_id="3@example.org",
        in_reply_to="2@example.org",
        references=("1@example.org", "2@example.org"),
        date=NOON,
        utc_offset=330,
        from_=(ALICE, Address(None, "second@example.org")),
        sender=(Address(None, "sender@example.org"),),
        reply_to=(Address("Desk", "desk@example.org"),),
        to=(Address("Bob", "bob@example.com"), Address(None, "carol@example.com")),
        cc=(Address("Dörte", "doerte@example.de"),),
        bcc=(Address(None, "hidden@example.com"),),
        subject="Grüße",
        list_id="list.example.org",
        list_unsubscribe="<mailto:leave@example.org>",
    ),
    attachments=(PDF, DOT),
)
BARE = MessageRecord(
    account=ME,
    folder="Archive",
    uidvalidity=18,
    uid=2,
    flags=(),
    internal_date=None,
    size=None,
    headers=Headers(),
    attachments=None,
    defects=("gone",),
)
HOLLOW = FULL._replace(
    uid=1,
    flags=("\\seen", "\\Recent", "\\RECENT"),
    headers=Headers(
        references=(), from_=(), to=(), cc=(), bcc=(), reply_to=(), subject="", list_id=""
    ),
    attachments=(),
)
RECORDS = [FULL, BARE, HOLLOW]
TEXT = BodyRecord(
    account=ME,
    folder="INBOX",
    uidvalidity=17,
    uid=3,
    text="Grüße\n",
    html="<p>Grüße",
    text_source="plain",
    charset="utf-8",
    truncated=False,
)
NO_TEXT = TEXT._replace(
    uid=2, text=None, html=None, text_source="none", charset=None, defects=("gone",)
)
EMPTY_TEXT = TEXT._replace(uid=1, text="", html="", charset="us-ascii", truncated=True)
TEXTS = [TEXT, NO_TEXT, EMPTY_TEXT]
PREVIEWS = [
    PreviewRecord(ME, "INBOX", 17, 3, "Grüße"),
    PreviewRecord(ME, "INBOX", 17, 2, ""),
    PreviewRecord.gone(ME, "Archive", 18, 9),
]
CHANGES = [Change("new", FULL), Change("gone", BARE), Change("flags", HOLLOW)]
ROUTE = (
    ("received", "by b.example with LMTP; Mon, 5 Jan 2026 09:30:05 +0000"),
    ("received", "from a.example by b.example with ESMTPS; Mon, 5 Jan 2026 10:30:00 +0100"),
)
TRAVELLED = [FULL._replace(headers=Headers(extra=ROUTE)), FULL, BARE]
FOLDERS = [
    Folder("INBOX", "/", None, ("\\HasNoChildren", "\\Subscribed"), 5, 2, 6, 17, 4321),
    Folder("[Gmail]", None, None, ("\\Noselect",)),
    Folder("Gesendet & mehr", "/", "\\Sent", (), 0, 0, 1, 18, None),
]


def tables(count: int | None = None) -> dict[str, pd.DataFrame]:
    """Return a frame of every kind, of all the records above or of so many."""
    records, texts = RECORDS[:count], TEXTS[:count]
    keys = [("INBOX", 17, [3, 1]), ("Archive", 18, [2])]
    return {
        "keys": frames.keys_frame(keys[:count], ME),
        "headers": frames.headers_frame(records, ME),
        "recipients": frames.recipients_frame(records, ME),
        "bodies": frames.bodies_frame(texts, ME),
        "bodies_html": frames.bodies_frame(texts, ME, html=True),
        "bodies_own_text": frames.bodies_frame(texts, ME, own_text=True),
        "attachments": frames.attachments_frame(records, ME),
        "downloads": schema.conform(
            frames.attachments_frame(records, ME).assign(path="out/report.pdf"), "downloads"
        ),
        "events": frames.events_frame(CHANGES[:count], ME),
        "previews": frames.previews_frame(PREVIEWS[:count], ME),
        "hops": frames.hops_frame(TRAVELLED[:count], ME),
        "folders": frames.folders_frame(FOLDERS[:count], ME),
    }


KINDS = sorted(tables())


def assert_conforms(frame: pd.DataFrame, kind: str) -> None:
    expected = schema.FRAMES[kind]
    assert list(frame.columns) == [c.name for c in expected]
    assert {c.name: str(frame[c.name].dtype) for c in expected} == {
        c.name: c.dtype for c in expected
    }
    for column in expected:
        if column.dtype == "category":
            assert frame[column.name].cat.categories.dtype == "str"
    assert type(frame.index) is pd.RangeIndex
    assert frame.index.equals(pd.RangeIndex(len(frame)))


def test_every_kind_of_frame_is_tried_here() -> None:
    elsewhere = {"explanation", "plan", "outcome", "trace"}  # these have tests of their own
    assert {*KINDS} | elsewhere == set(schema.FRAMES)


@pytest.mark.parametrize("count", [None, 1, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_conforms_an_empty_one_too(kind: str, count: int | None) -> None:
    frame = tables(count)[kind]
    assert_conforms(frame, kind)
    assert frame.attrs == {"accounts": [ME]}
    assert frame.empty is (count == 0)


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_one_batch_makes_the_same_frame(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        FULL._replace(uid=uid, folder=f"Folder {uid % 4}", attachments=(PDF,) * (uid % 3))
        for uid in range(10, 0, -1)
    ]
    texts = [TEXT._replace(uid=uid, charset=f"cp125{uid % 4}") for uid in range(10, 0, -1)]
    folders = [numbered_folder(uid) for uid in range(10)]

    def build() -> dict[str, pd.DataFrame]:
        return {
            "keys": frames.keys_frame([("A", 1, range(9, 4, -1)), ("B", 2, range(5))], ME),
            "headers": frames.headers_frame(records, ME),
            "recipients": frames.recipients_frame(records, ME),
            "bodies": frames.bodies_frame(texts, ME),
            "bodies_html": frames.bodies_frame(texts, ME, html=True),
            "bodies_own_text": frames.bodies_frame(texts, ME, own_text=True),
            "attachments": frames.attachments_frame(records, ME),
            "downloads": schema.conform(
                frames.attachments_frame(records, ME).assign(path="report.pdf"), "downloads"
            ),
            "events": frames.events_frame([Change("new", one) for one in records], ME),
            "previews": frames.previews_frame(
                (PreviewRecord(ME, "A", 1, n, str(n)) for n in range(10)), ME
            ),
            "hops": frames.hops_frame([TRAVELLED[0]._replace(uid=n) for n in range(10)], ME),
            "folders": frames.folders_frame(folders, ME),
        }

    whole = build()[kind]
    monkeypatch.setattr(mailframe.tables, "BATCH", 3)
    pieced = build()[kind]
    assert_conforms(pieced, kind)
    assert_frame_equal(pieced, whole)


def numbered_folder(number: int) -> Folder:
    return Folder(f"Folder {number}", "/", ("\\Sent", "\\Junk", None)[number % 3], (), number)


def test_a_batch_without_a_row_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailframe.tables, "BATCH", 2)
    records = [BARE, BARE, FULL, BARE, BARE]
    frame = frames.attachments_frame(records, ME)
    assert_conforms(frame, "attachments")
    assert list(frame["part"]) == ["2", "3"]
    assert_conforms(frames.attachments_frame([BARE, BARE, BARE], ME), "attachments")


def test_records_are_taken_as_a_stream() -> None:
    frame = frames.headers_frame((record for record in RECORDS), ME)
    assert list(frame["uid"]) == [3, 2, 1]


# -- what a cell says


def row(record: MessageRecord) -> pd.Series:
    return frames.headers_frame([record], ME).iloc[0]


def test_a_message_with_every_field_shows_every_field() -> None:
    shown = row(FULL).drop(["date", "internal_date"]).to_dict()
    assert shown == {
        "account": ME,
        "folder": "INBOX",
        "uidvalidity": 17,
        "uid": 3,
        "message_id": "3@example.org",
        "in_reply_to": "2@example.org",
        "references": "1@example.org 2@example.org",
        "utc_offset": 330,
        "from_name": "Alice Example",
        "from_address": "alice@Example.ORG",
        "from_domain": "example.org",
        "to": "Bob <bob@example.com>, carol@example.com",
        "cc": "Dörte <doerte@example.de>",
        "bcc": "hidden@example.com",
        "reply_to": "Desk <desk@example.org>",
        "subject": "Grüße",
        "list_id": "list.example.org",
        "list_unsubscribe": "<mailto:leave@example.org>",
        "size": 1234,
        "seen": True,
        "answered": True,
        "flagged": True,
        "draft": True,
        "deleted": True,
        "keywords": "$Junk Zeta",
        "n_attachments": 1,
        "attachment_size": 43,
        "defects": "",
    }


def test_times_are_in_utc() -> None:
    shown = row(FULL)
    assert shown["date"] == pd.Timestamp("2026-01-05T06:30Z")
    assert str(shown["date"].tz) == "UTC"
    assert shown["internal_date"] == pd.Timestamp("2026-01-05T07:00Z")


def test_a_field_that_is_not_there_is_missing() -> None:
    shown = row(BARE)
    missing = set(shown.index[shown.isna()])
    assert missing == {
        "message_id", "in_reply_to", "references", "date", "utc_offset", "internal_date",
        "from_name", "from_address", "from_domain", "to", "cc", "bcc", "reply_to", "subject",
        "list_id", "list_unsubscribe", "size", "n_attachments", "attachment_size",
    }  # fmt: skip


def test_what_is_never_missing_says_no_or_nothing() -> None:
    shown = row(BARE._replace(defects=()))
    assert not shown[["seen", "answered", "flagged", "draft", "deleted"]].any()
    assert shown["keywords"] == ""
    assert shown["defects"] == ""


def test_a_field_that_is_there_and_empty_is_empty_text() -> None:
    shown = row(HOLLOW)
    empty = ["references", "to", "cc", "bcc", "reply_to", "subject", "list_id"]
    assert shown[empty].to_dict() == dict.fromkeys(empty, "")


def test_an_empty_from_is_missing_never_empty_text() -> None:
    assert row(HOLLOW)[["from_name", "from_address", "from_domain"]].isna().all()
    nameless = FULL._replace(headers=Headers(from_=(Address("undisclosed", None),)))
    shown = row(nameless)
    assert shown["from_name"] == "undisclosed"
    assert shown[["from_address", "from_domain"]].isna().all()


def test_no_attachments_are_zero_and_unknown_ones_are_missing() -> None:
    shown = frames.headers_frame([HOLLOW, BARE], ME)
    assert shown["n_attachments"].tolist() == [0, pd.NA]
    assert shown["attachment_size"].tolist() == [0, pd.NA]


def test_what_is_shown_inline_is_not_counted_as_attachment() -> None:
    shown = row(FULL._replace(attachments=(DOT, DOT)))
    assert (shown["n_attachments"], shown["attachment_size"]) == (0, 0)


def test_attachments_of_unknown_size_are_counted_but_not_summed() -> None:
    shown = row(FULL._replace(attachments=(PDF, replace(PDF, size=None))))
    assert shown["n_attachments"] == 2
    assert shown["attachment_size"] is pd.NA


@pytest.mark.parametrize(
    ("flags", "keywords"),
    [
        ((), ""),
        (("\\Recent",), ""),
        (("\\recent", "\\SEEN"), ""),
        (("b", "a", "b"), "a b"),
        (("$Forwarded", "\\Seen", "NonJunk"), "$Forwarded NonJunk"),
    ],
)
def test_keywords_are_sorted_without_system_flags_and_recent_never_shows(
    flags: tuple[str, ...], keywords: str
) -> None:
    shown = row(FULL._replace(flags=flags))
    assert shown["keywords"] == keywords
    assert "recent" not in " ".join(map(str, shown)).lower()


def test_flags_are_known_in_any_case() -> None:
    shown = row(FULL._replace(flags=("\\SEEN", "\\flagged")))
    assert [shown["seen"], shown["flagged"], shown["draft"]] == [True, True, False]


def test_each_defect_is_named_once() -> None:
    record = FULL._replace(defects=("a", "b"), headers=Headers(defects=("b", "c")))
    assert row(record)["defects"] == "a; b; c"


def test_recipients_have_roles_and_positions() -> None:
    frame = frames.recipients_frame([FULL], ME)
    rows = [tuple(r) for r in frame[["role", "position", "address"]].itertuples(index=False)]
    assert rows == [
        ("from", 0, "alice@Example.ORG"),
        ("from", 1, "second@example.org"),
        ("sender", 0, "sender@example.org"),
        ("reply_to", 0, "desk@example.org"),
        ("to", 0, "bob@example.com"),
        ("to", 1, "carol@example.com"),
        ("cc", 0, "doerte@example.de"),
        ("bcc", 0, "hidden@example.com"),
    ]
    assert frame["domain"].iloc[0] == "example.org"
    assert frame["name"].isna().tolist() == [False, True, True, False, False, True, False, True]


def test_attachments_show_every_leaf_inline_ones_too() -> None:
    frame = frames.attachments_frame([FULL, BARE], ME)
    assert frame["part"].tolist() == ["2", "3"]
    assert frame["inline"].tolist() == [False, True]
    assert frame["filename"].isna().tolist() == [False, True]
    assert frame["content_id"].isna().tolist() == [True, False]


def test_a_text_that_is_empty_differs_from_one_that_is_not_there() -> None:
    frame = frames.bodies_frame(TEXTS, ME, html=True)
    assert frame["text"].isna().tolist() == [False, True, False]
    assert frame["html"].isna().tolist() == [False, True, False]
    assert frame["text"].iloc[2] == ""
    assert frame["text_source"].tolist() == ["plain", "none", "plain"]
    assert frame["charset"].isna().tolist() == [False, True, False]
    assert frame["defects"].tolist() == ["", "gone", ""]
    assert frame["truncated"].tolist() == [False, False, True]


def test_a_folder_without_counts_is_listed_with_missing_counts() -> None:
    frame = frames.folders_frame(FOLDERS, ME)
    counts = frame.set_index("name").loc["[Gmail]", ["messages", "unseen", "uidnext", "size"]]
    assert counts.isna().all()
    assert frame["flags"].tolist() == ["\\HasNoChildren \\Subscribed", "\\Noselect", ""]
    assert frame["special_use"].isna().tolist() == [True, True, False]


def test_a_text_of_many_megabytes_is_a_cell_like_any_other() -> None:
    long = "ä" * (3 << 20)
    frame = frames.bodies_frame([TEXT._replace(text=long)], ME)
    assert frame["text"].iloc[0] == long


# -- frames in files


@pytest.mark.parametrize("count", [None, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_parquet_keeps_everything(kind: str, count: int | None, tmp_path: Path) -> None:
    frame = tables(count)[kind]
    frame.to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")
    assert back.attrs == {"accounts": [ME]}
    assert_frame_equal(schema.conform(back, kind), frame)


@pytest.mark.parametrize("kind", KINDS)
def test_json_keeps_everything(kind: str, tmp_path: Path) -> None:
    frame = tables()[kind]
    path = tmp_path / "frame.json"
    frame.to_json(path, orient="records", lines=True, date_format="iso")
    back = pd.read_json(path, orient="records", lines=True, dtype=False)
    assert_same(schema.conform(back, kind), frame)


@pytest.mark.parametrize("count", [None, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_csv_keeps_everything_but_what_is_empty(
    kind: str, count: int | None, tmp_path: Path
) -> None:
    frame = tables(count)[kind]
    path = tmp_path / "frame.csv"
    frame.to_csv(path, index=False)
    text = [c.name for c in schema.FRAMES[kind] if c.dtype in {"str", "category"}]
    back = schema.conform(pd.read_csv(path, dtype=dict.fromkeys(text, "str")), kind)
    expected = frame.copy()
    for name in text:  # CSV has no missing values
        if expected[name].dtype == "str":
            expected[name] = expected[name].replace("", pd.NA)
    assert_same(back, expected)


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Compare values and dtypes; the order of categories means nothing."""
    assert_frame_equal(left, right, check_categorical=False)
    assert list(left.dtypes.astype("str")) == list(right.dtypes.astype("str"))


# -- concat


def other(kind: str) -> pd.DataFrame:
    """Return a frame of another account, with other folders."""
    you = "you@example.net"
    record = FULL._replace(account=you, folder="Elsewhere")
    text = TEXT._replace(account=you, folder="Elsewhere", charset="koi8-r")
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "keys": lambda: frames.keys_frame([("Elsewhere", 1, [1])], you),
        "headers": lambda: frames.headers_frame([record], you),
        "recipients": lambda: frames.recipients_frame([record], you),
        "bodies": lambda: frames.bodies_frame([text], you),
        "bodies_html": lambda: frames.bodies_frame([text], you, html=True),
        "bodies_own_text": lambda: frames.bodies_frame([text], you, own_text=True),
        "attachments": lambda: frames.attachments_frame([record], you),
        "downloads": lambda: schema.conform(
            frames.attachments_frame([record], you).assign(path="x.pdf"), "downloads"
        ),
        "events": lambda: frames.events_frame([Change("flags", record)], you),
        "previews": lambda: frames.previews_frame(
            [PreviewRecord(you, "Elsewhere", 1, 1, "Hi")], you
        ),
        "hops": lambda: frames.hops_frame([record._replace(headers=TRAVELLED[0].headers)], you),
        "folders": lambda: frames.folders_frame([Folder("X", ".", "\\Junk", ())], you),
    }
    return makers[kind]()


@pytest.mark.parametrize("kind", KINDS)
def test_concat_unites_categories_and_keeps_the_schema(kind: str) -> None:
    first, second = tables()[kind], other(kind)
    joined = mf.concat([first, second])
    assert_conforms(joined, kind)
    assert len(joined) == len(first) + len(second)
    assert joined.attrs == {"accounts": [ME, "you@example.net"]}
    for name in joined:
        texts = [first[name].astype("object"), second[name].astype("object")]
        assert_same_values(joined[name], pd.concat(texts, ignore_index=True))


def assert_same_values(left: pd.Series, right: pd.Series) -> None:
    assert left.isna().tolist() == right.isna().tolist()
    assert left[left.notna()].tolist() == right[right.notna()].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_concat_with_an_empty_frame_changes_no_dtype(kind: str) -> None:
    empty, full = tables(0)[kind], tables()[kind]
    for joined in (mf.concat([empty, full]), mf.concat([full, empty]), mf.concat([full])):
        assert_conforms(joined, kind)
        assert_same(joined, full)
    assert_conforms(mf.concat([empty, empty]), kind)


def test_concat_takes_what_pandas_has_turned_into_text() -> None:
    first, second = tables()["headers"], other("headers")
    by_pandas = pd.concat([first, second], ignore_index=True)
    assert by_pandas["folder"].dtype == "str"
    joined = mf.concat([by_pandas, second])
    assert_conforms(joined, "headers")
    assert joined["folder"].tolist() == ["INBOX", "Archive", "INBOX", "Elsewhere", "Elsewhere"]


def test_concat_takes_filtered_rows_and_names_an_account_once() -> None:
    frame = tables()["headers"]
    joined = mf.concat([frame[frame.uid == 1], frame[frame.uid != 1]])
    assert_conforms(joined, "headers")
    assert joined["uid"].tolist() == [1, 3, 2]
    assert joined.attrs == {"accounts": [ME]}


def test_concat_refuses_frames_of_different_kinds() -> None:
    found = tables()
    with pytest.raises(ValueError, match="different kinds") as refused:
        mf.concat([found["bodies"], found["bodies_html"]])
    assert "html" in str(refused.value)
    with pytest.raises(ValueError, match="different kinds"):
        mf.concat([found["headers"], found["attachments"]])


def test_concat_refuses_columns_in_another_order() -> None:
    frame = tables()["keys"]
    with pytest.raises(ValueError, match="their order"):
        mf.concat([frame, frame[list(frame.columns)[::-1]]])


def test_concat_of_nothing_says_so() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        mf.concat([])


def test_concat_leaves_the_frames_it_was_given_alone() -> None:
    first, second = tables()["headers"], other("headers")
    mf.concat([first, second])
    assert_frame_equal(first, tables()["headers"])
    assert first.attrs == {"accounts": [ME]}


def test_the_garbage_collector_is_left_as_it_was() -> None:
    def failing() -> Iterator[MessageRecord]:
        yield FULL
        raise RuntimeError

    for state in (True, False):
        (gc.enable if state else gc.disable)()
        try:
            frames.headers_frame([FULL], ME)
            with pytest.raises(RuntimeError):
                frames.headers_frame(failing(), ME)
            assert gc.isenabled() is state
        finally:
            gc.enable()


def with_fields(**fields: str) -> pd.DataFrame:
    """Return a headers frame of one row with Gmail's labels and these fields."""
    record = FULL._replace(
        headers=Headers(extra=tuple(fields.items())), labels=("Work", "\\Inbox"), gmail_thread="17"
    )
    return frames.headers_frame([record], ME, fields={name: name for name in fields}, labels=True)


def test_labels_and_fields_are_columns_of_text_behind_the_others() -> None:
    frame = with_fields(x_a="a", x_b="b")
    usual = [column.name for column in schema.HEADERS]
    assert list(frame.columns) == [*usual, "gmail_thread", "labels", "x_a", "x_b"]
    assert frame.iloc[0, -4:].tolist() == ["17", "Work\n\\Inbox", "a", "b"]
    assert {str(dtype) for dtype in frame.dtypes.iloc[-4:]} == {"str"}


def test_labels_that_were_not_read_are_missing_and_none_are_empty() -> None:
    records = [FULL, FULL._replace(labels=())]
    frame = frames.headers_frame(records, ME, fields={"x-a": "x_a"}, labels=True)
    assert frame["labels"].isna().tolist() == [True, False]
    assert frame["labels"][1] == ""
    assert frame[["x_a", "gmail_thread"]].isna().all(axis=None)
    empty = frames.headers_frame([], ME, fields={"x-a": "x_a"}, labels=True)
    assert_frame_equal(empty, frame.head(0), check_categorical=False)


def test_concat_unites_labels_and_fields_and_leaves_missing_what_was_not_read() -> None:
    some, others, usual = with_fields(x_a="a", x_b="b"), with_fields(x_c="c"), tables()["headers"]
    joined = mf.concat([some, usual, others])
    names = ["gmail_thread", "labels", "x_a", "x_b", "x_c"]
    assert list(joined.columns) == [*usual.columns, *names]
    assert joined["uid"].tolist() == [3, 3, 2, 1, 3]
    assert joined["x_a"].dropna().to_dict() == {0: "a"}
    assert joined["x_c"].dropna().to_dict() == {4: "c"}
    assert joined["labels"].notna().tolist() == [True, False, False, False, True]
    assert {str(joined[name].dtype) for name in names} == {"str"}
    assert_conforms(joined[list(usual.columns)], "headers")
    assert joined.attrs == {"accounts": [ME]}


def test_concat_unites_the_columns_of_empty_frames_too() -> None:
    empty = frames.headers_frame([], ME, fields={"x-a": "x_a"})
    for parts in ([empty, tables()["headers"]], [tables()["headers"], empty], [empty, empty]):
        joined = mf.concat(parts)
        assert joined.columns[-1] == "x_a"
        assert str(joined["x_a"].dtype) == "str"
        assert joined["x_a"].isna().all()
        assert_conforms(joined.drop(columns="x_a"), "headers")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.5, 2.5, 3.5], "float64"),
        (pd.array([1, None, 3], dtype="Int64"), "Int64"),
        (pd.to_datetime(["2026-01-05"] * 3, utc=True).as_unit("us"), "datetime64[us, UTC]"),
        (pd.Categorical(["a", "b", "a"]), "category"),
        (["a", None, "c"], "str"),
    ],
    ids=["float", "Int64", "time", "category", "str"],
)
def test_concat_keeps_the_dtype_of_a_column_that_only_one_frame_has(
    values: Any, dtype: str
) -> None:
    usual = tables()["headers"]
    more = usual.assign(mine=values)
    for joined, own in (
        (mf.concat([more, usual]), slice(3)),
        (mf.concat([usual, more]), slice(3, 6)),
    ):
        assert str(joined["mine"].dtype) == dtype
        assert_same_values(joined["mine"][own].reset_index(drop=True), more["mine"])
        assert joined["mine"].isna().sum() == 3 + more["mine"].isna().sum()


def test_concat_refuses_other_kinds_with_columns_of_ones_own_as_well() -> None:
    found = tables()
    for first, second in (
        (with_fields(x_a="a"), found["recipients"]),
        (found["headers"].assign(text="x"), found["bodies"]),
        (found["keys"], found["headers"]),
        (found["attachments"], found["downloads"]),
        (found["previews"], found["hops"]),
        (found["bodies"].assign(mine=1), found["bodies_html"]),
    ):
        with pytest.raises(ValueError, match="different kinds"):
            mf.concat([first, second])
        with pytest.raises(ValueError, match="different kinds"):
            mf.concat([second, first])


def test_concat_refuses_frames_of_no_kind_that_differ() -> None:
    found = tables()
    with pytest.raises(ValueError, match="different kinds"):
        mf.concat([pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})])
    with pytest.raises(ValueError, match="different kinds"):
        mf.concat([found["headers"][["uid", "subject"]], found["bodies"][["uid", "text"]]])


def test_concat_refuses_pieces_of_different_kinds_that_have_the_keys_in_common() -> None:
    found = tables()
    with pytest.raises(ValueError, match="different kinds"):
        mf.concat([found["headers"].drop(columns="cc"), found["attachments"].drop(columns="part")])
