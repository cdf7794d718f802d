"""Whom the mail is from."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis import senders
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers, sent_by

if TYPE_CHECKING:
    from pathlib import Path


def test_the_senders_of_a_real_mailbox_are_those_that_others_counted(corpora: Path) -> None:
    truth = json.loads((corpora / "mailbox" / "analytics_truth.json").read_text("utf-8"))
    expected = truth["sa-dev.mbox"]
    with mf.open(corpora / "mailbox" / "sa-dev.mbox") as session:
        table = senders(session.headers())
    assert len(table) == expected["distinct_senders"]
    assert table["messages"].sum() == expected["messages"]
    assert table.attrs["without_sender"] == 0
    # Where several have as many messages the truth has its own order, and its own choice of them.
    top = expected["top_senders"]
    assert table["messages"].head(len(top)).tolist() == [n for _, n in top]
    counts = table.set_index("address")["messages"]
    assert [counts[address] for address, _ in top] == [n for _, n in top]


def test_what_is_told_of_a_sender() -> None:
    frame = headers(
        {"date": "2025-03-05", "size": 10, "seen": True, "answered": True},
        {"date": "2025-03-01", "size": 13, "seen": True, "from_address": "Ann@Example.ORG"},
        {"date": None, "size": None},
        {"date": "2025-03-03", "size": 100, "from_name": "A."},
        {"from_address": "bob@example.com", "from_name": None, "size": 7},
    )
    frame.attrs = {"accounts": ["me@example.com"]}
    table = senders(frame)
    ann = table.iloc[0]
    assert ann.to_dict() == {
        "address": "ann@example.org",
        "name": "Ann",
        "messages": 4,
        "share": 0.8,
        "first": pd.Timestamp("2025-03-01", tz="UTC"),
        "last": pd.Timestamp("2025-03-05", tz="UTC"),
        "gap": pd.Timedelta(days=2),
        "size": 123,
        "median_size": 13,
        "read_rate": 0.5,
        "answered_rate": 0.25,
        "internal": False,
        "dormant": False,
        "new": True,
    }
    assert table["address"].tolist() == ["ann@example.org", "bob@example.com"]
    assert table["name"].isna().tolist() == [False, True]
    assert table.attrs == {
        "accounts": ["me@example.com"],
        "on": "date",
        "without_sender": 0,
        "at": "2025-03-01T00:00:00+00:00",
    }


def test_the_columns_have_the_dtypes_of_the_schema_even_without_rows() -> None:
    for by, second in (("address", "name"), ("domain", "addresses"), ("name", "address")):
        some, none = senders(sent_by("a@b.example"), by=by), senders(headers(), by=by)
        assert list(some.columns)[:3] == [by, second, "messages"]
        assert none.dtypes.equals(some.dtypes)
        assert none.empty
        names = ("share", "first", "size", "median_size", "read_rate")
        assert [str(some[name].dtype) for name in names] == [
            "float64", "datetime64[us, UTC]", "Int64", "Int64", "float64",
        ]  # fmt: skip
        assert str(some[by].dtype) == "str"


def test_those_with_most_messages_come_first_then_the_alphabet() -> None:
    frame = sent_by("c@x.example", "b@x.example", "d@x.example", "d@x.example", "a@x.example")
    assert senders(frame)["address"].str[0].tolist() == ["d", "a", "b", "c"]
    assert senders(frame, top=2)["address"].str[0].tolist() == ["d", "a"]
    assert senders(frame.iloc[::-1], top=2).equals(senders(frame, top=2))
    assert senders(frame, top=0).empty
    several = [f"{n:03}@x.example" for n in range(300) for _ in range(n % 3 + 1)]
    expected = [f"{n:03}@x.example" for rest in (2, 1, 0) for n in range(rest, 300, 3)]
    assert senders(sent_by(*several))["address"].tolist() == expected
    assert senders(frame, top=99).equals(senders(frame))


def test_the_share_is_of_all_messages_whatever_is_shown() -> None:
    frame = sent_by("a@x.example", "a@x.example", "b@x.example", None)
    assert senders(frame, top=1)["share"].tolist() == [0.5]
    assert senders(frame, top=1).attrs["without_sender"] == 1


def test_domains_count_their_addresses() -> None:
    frame = headers(
        {"from_address": "a@x.example", "from_domain": "x.example"},
        {"from_address": "A@x.example", "from_domain": "x.example"},
        {"from_address": "b@x.example", "from_domain": "x.example"},
        {"from_address": "a@y.example", "from_domain": "y.example"},
        {"from_address": "nobody", "from_domain": None},
    )
    table = senders(frame, by="domain")
    assert table[["domain", "addresses", "messages"]].to_numpy().tolist() == [
        ["x.example", 2, 3], ["y.example", 1, 1],
    ]  # fmt: skip
    assert table.attrs["without_sender"] == 1


def test_names_have_their_commonest_address() -> None:
    frame = headers(
        {"from_name": "Ann", "from_address": "ann@new.example"},
        {"from_name": "Ann", "from_address": "ann@old.example"},
        {"from_name": "Ann", "from_address": "Ann@old.example"},
        {"from_name": "", "from_address": "list@x.example"},
        {"from_name": None, "from_address": "list@x.example"},
    )
    table = senders(frame, by="name")
    assert table["name"].tolist() == ["Ann"]
    assert table["address"].tolist() == ["ann@old.example"]
    assert table.attrs["without_sender"] == 2


def test_the_name_of_a_sender_is_the_commonest_that_is_one() -> None:
    def name(*names: str | None) -> object:
        return senders(headers(*[{"from_name": one} for one in names]))["name"].tolist()

    assert name("B", "A", "B") == ["B"]
    assert name("B", "A") == ["A"]
    assert name(None, None, "", "", "A") == ["A"]


def test_a_median_is_whole_bytes() -> None:
    frame = headers({"size": 10}, {"size": 13}, {"from_address": "b@x.example", "size": None})
    table = senders(frame)
    assert table["median_size"].tolist()[0] == 12
    assert table[["size", "median_size"]].iloc[1].isna().all()


def test_first_and_last_go_by_the_server_if_asked() -> None:
    frame = headers({"date": None, "internal_date": "2025-04-01"})
    assert senders(frame)["first"].isna().all()
    assert senders(frame, on="internal_date")["last"].tolist() == [
        pd.Timestamp("2025-04-01", tz="UTC")
    ]


@pytest.mark.parametrize("by", ["address", "domain", "name"])
def test_order_index_and_dtype_make_no_difference(by: str) -> None:
    frame = headers(
        {"from_address": "b@x.example", "from_name": "B", "size": 1, "seen": True},
        {"from_address": None, "from_domain": None, "from_name": None},
        {"from_address": "a@x.example", "from_name": "A", "size": 2},
        {"from_address": "b@x.example", "from_name": "B", "size": 4, "date": "2024-01-01"},
    )
    expected = senders(frame, by=by)
    mixed = frame.iloc[[3, 1, 0, 2]].set_axis([4, 4, 4, 4])
    text = ["from_address", "from_domain", "from_name"]
    pd.testing.assert_frame_equal(senders(mixed, by=by), expected)
    pd.testing.assert_frame_equal(
        senders(mixed.astype(dict.fromkeys(text, "category")), by=by), expected
    )


def test_rates_of_joined_frames_leave_out_what_nobody_knows() -> None:
    frame = headers({"seen": True}, {"seen": False}, {})
    frame["seen"] = pd.array([True, False, None], dtype="boolean")
    assert senders(frame)["read_rate"].tolist() == [0.5]


def test_the_frame_is_left_as_it_is() -> None:
    frame = sent_by("A@x.example", None)
    before = frame.copy()
    senders(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_columns_that_are_missing_are_named() -> None:
    frame = sent_by("a@x.example")[["from_address", "date", "seen"]]
    with pytest.raises(QueryError, match="no columns 'from_name', 'size', 'answered'"):
        senders(frame)


def test_columns_of_no_one_frame_are_named_without_a_guess() -> None:
    with pytest.raises(QueryError, match=r"session\.headers\(\) returns them"):
        senders(pd.DataFrame({"date": []}), by="domain")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "list"}, "by='list' is no kind of sender"),
        ({"by": ["name"]}, "is no kind of sender"),
        ({"top": -1}, "top=-1 is no number of senders"),
        ({"top": 1.5}, "top=1.5 is no number"),
        ({"on": "time"}, "on='time' is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        senders(sent_by("a@x.example"), **options)


# -- how often, how lately, answered or not, near or far


def test_a_gap_is_the_median_time_between_messages() -> None:
    frame = headers(
        {"date": "2025-03-09", "message_id": "3"},
        {"date": "2025-03-01", "message_id": "1"},
        {"date": "2025-03-03", "message_id": "2"},
        {"date": "2025-03-03", "message_id": "2", "folder": "Archive"},
        {"date": None, "message_id": "4"},
        {"date": "2025-03-05", "from_address": "bob@example.com"},
        {"date": None, "from_address": "bob@example.com"},
    )
    for one in (frame, frame.iloc[::-1]):
        table = senders(one).set_index("address")
        assert table["gap"].loc["ann@example.org"] == pd.Timedelta(days=4)
        assert pd.isna(table["gap"].loc["bob@example.com"])
    assert str(table["gap"].dtype) == "timedelta64[us]"
    # Without an id nobody knows which are copies.
    nameless = frame.assign(message_id=None)
    assert senders(nameless)["gap"].iloc[0] == pd.Timedelta(days=2)
    assert senders(frame.drop(columns="message_id"))["gap"].iloc[0] == pd.Timedelta(days=2)


def lately(**options: Any) -> dict[str, tuple[bool, bool]]:
    """Return who of three is dormant, and who is new."""
    letters = [("old", "2024-01-01"), ("old", "2024-06-01"), ("both", "2024-01-01"),
               ("both", "2025-01-01"), ("new", "2025-01-01")]  # fmt: skip
    frame = headers(*[
        {"from_address": f"{who}@x.example", "date": when, "internal_date": when}
        for who, when in letters
    ])  # fmt: skip
    table = senders(frame, **options)
    names = table["address"].str.partition("@")[0]
    return dict(zip(names, zip(table["dormant"], table["new"], strict=True), strict=True))


@pytest.mark.parametrize(
    ("options", "dormant", "new"),
    [
        ({}, {"old"}, {"new"}),
        ({"at": "2024-12-15"}, {"old"}, {"new"}),
        ({"at": "2024-11-15"}, set(), {"new"}),
        ({"at": pd.Timestamp("2025-03-01", tz="Europe/Berlin")}, {"old"}, set()),
        ({"at": "2030-01-01"}, {"old", "both", "new"}, set()),
        ({"dormant_after": "1y"}, set(), {"new"}),
        ({"dormant_after": "8m"}, set(), {"new"}),
        ({"dormant_after": timedelta(days=200)}, {"old"}, {"new"}),
        ({"new_within": "2y"}, {"old"}, {"old", "both", "new"}),
    ],
)
def test_the_dormant_and_the_new_are_told(
    options: dict[str, Any], dormant: set[str], new: set[str]
) -> None:
    found = lately(**options)
    assert {who for who, (is_dormant, _) in found.items() if is_dormant} == dormant
    assert {who for who, (_, is_new) in found.items() if is_new} == new


def test_a_message_from_the_future_puts_nobody_to_sleep() -> None:
    frame = headers(
        {"date": "2025-03-01", "internal_date": "2025-03-01"},
        {"date": "2038-01-19", "internal_date": "2025-03-02", "from_address": "spam@x.example"},
    )
    table = senders(frame)
    assert table["dormant"].tolist() == [False, False]
    assert table.attrs["at"] == "2025-03-02T00:00:00+00:00"


def test_without_a_date_nobody_is_dormant_or_new() -> None:
    table = senders(headers({"date": None, "internal_date": None}))
    assert table[["dormant", "new"]].to_numpy().tolist() == [[False, False]]
    assert str(table["dormant"].dtype) == "bool"
    assert table.attrs["at"] is None


def test_a_reply_of_mine_is_an_answer_though_no_flag_says_so() -> None:
    ask = {"message_id": "1@x"}
    frame = headers(
        ask,
        {**ask, "folder": "Archive"},
        {"message_id": "2@x", "answered": True},
        {"message_id": "3@x"},
        {"message_id": None},
        {"message_id": "5@x", "in_reply_to": "Ann of Monday 1@x", "from_address": "me@example.com"},
        {"message_id": "6@x", "in_reply_to": "3@x", "from_address": "bob@example.com"},
        {"message_id": "7@x", "in_reply_to": " ", "from_address": "me@example.com"},
    )
    rates = senders(frame).set_index("address")["answered_rate"]
    assert rates.loc["ann@example.org"] == pytest.approx(3 / 5)
    others = senders(frame, me="bob@example.com").set_index("address")["answered_rate"]
    assert others.loc["ann@example.org"] == pytest.approx(2 / 5)
    flags = senders(frame.drop(columns="in_reply_to")).set_index("address")["answered_rate"]
    assert flags.loc["ann@example.org"] == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("me", "internal"),
    [
        ("ann@firm.co.uk", ["bob@firm.co.uk", "ci@build.firm.co.uk"]),
        ("ann@hr.firm.co.uk", ["bob@firm.co.uk", "ci@build.firm.co.uk"]),
        ("ann@other.co.uk", ["x@other.co.uk"]),
        ("cy+a@gmail.com", ["cy@gmail.com"]),
        (["ann@firm.co.uk", "x@other.co.uk"],
         ["bob@firm.co.uk", "ci@build.firm.co.uk", "x@other.co.uk"]),
    ],
)  # fmt: skip
def test_who_is_of_my_domain_is_internal(me: Any, internal: list[str]) -> None:
    frame = sent_by("bob@firm.co.uk", "ci@build.firm.co.uk", "x@other.co.uk", "x@notfirm.co.uk",
                    "cy@gmail.com", "dee@gmail.com", "nobody")  # fmt: skip
    table = senders(frame, me=me)
    assert table["address"][table["internal"]].tolist() == internal
    assert str(table["internal"].dtype) == "boolean"


def test_without_tldextract_my_own_domain_and_what_is_below_it_are_internal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailframe.analysis.habits.has_list", lambda: False)
    frame = sent_by("bob@hr.firm.co.uk", "ci@b.hr.firm.co.uk", "x@firm.co.uk")
    table = senders(frame, me="ann@hr.firm.co.uk").set_index("address")
    assert table["internal"].to_dict() == {
        "bob@hr.firm.co.uk": True, "ci@b.hr.firm.co.uk": True, "x@firm.co.uk": False,
    }  # fmt: skip


def test_whose_name_comes_from_elsewhere_too_is_not_internal() -> None:
    frame = sent_by("ann@firm.example", "ann@fraud.example")
    assert senders(frame, by="name", me="me@firm.example")["internal"].tolist() == [False]
    assert senders(frame.iloc[:1], by="name", me="me@firm.example")["internal"].tolist() == [True]


def test_near_and_far_are_missing_where_nobody_knows_who_i_am() -> None:
    table = senders(sent_by("ann@example.org", account="user"))
    assert table["internal"].isna().all()
    assert str(table["internal"].dtype) == "boolean"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": "soon"}, "at='soon' is no moment"),
        ({"dormant_after": "long"}, "dormant_after='long' is no moment and no age"),
        ({"new_within": None}, "new_within=None is no moment"),
        ({"me": "Ann"}, "me='Ann' is no address"),
    ],
)
def test_times_and_names_that_are_none_are_refused(options: dict[str, Any], words: str) -> None:
    for frame in (sent_by("a@x.example"), headers()):
        with pytest.raises(QueryError, match=words):
            senders(frame, **options)
