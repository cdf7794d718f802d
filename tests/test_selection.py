"""What a user asks for becomes messages of folders, before anything is fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import imap_tools
import numpy as np
import pandas as pd
import pytest

from mailframe import frames
from mailframe.criteria import NOTHING, Key, Q, parse_search
from mailframe.exceptions import FolderError, QueryError, UidValidityError
from mailframe.records import Folder, Headers, MessageRecord
from mailframe.selection import field_columns, select
from mailframe.source import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.criteria import Node

ME = "me@example.com"
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def folder(name: str, *flags: str, role: str | None = None) -> Folder:
    return Folder(name, "/", role, flags)


@dataclass
class Shelf:
    """A Source that finds every message, and notes what it is asked.

    ``dates`` says how many days after `START` a message came, by folder and UID.
    """

    dates: dict[str, dict[int, int | None]]
    listed: list[Folder] = field(default_factory=list)
    uidvalidity: int = 17
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    account: str = ME

    def folders(self, *, status: bool = True) -> list[Folder]:
        self.asked.append(("folders", status))
        return self.listed or [folder(name) for name in self.dates]

    def search(self, folder: str, criteria: Node, limit: int | None = None) -> Selection:
        self.asked.append(("search", folder, criteria, limit))
        if folder not in self.dates:
            raise FolderError(f"no {folder}")
        uids = () if criteria == NOTHING else sorted(self.dates[folder], reverse=True)[:limit]
        return Selection(folder, self.uidvalidity, tuple(uids))

    def headers(self, selection: Selection, what: str = "headers") -> Iterator[MessageRecord]:
        self.asked.append(("headers", selection.folder, what, selection.uids))
        for uid in selection.uids:
            days = self.dates[selection.folder][uid]
            date = None if days is None else START + days * DAY
            yield MessageRecord(
                ME, selection.folder, selection.uidvalidity, uid, (), date, None, Headers(), None
            )

    def searched(self) -> list[str]:
        return [call[1] for call in self.asked if call[0] == "search"]

    def fetched(self) -> list[tuple[Any, ...]]:
        return [call for call in self.asked if call[0] == "headers"]


def keys(*rows: tuple[str, int, int]) -> pd.DataFrame:
    """Return a frame of keys: folder, UIDVALIDITY, UID."""
    return frames.keys_frame([(name, validity, [uid]) for name, validity, uid in rows], ME)


# -- criteria and limit


@pytest.mark.parametrize(
    "criteria",
    ["SEEN", "seen", Q(seen=True), imap_tools.AND(seen=True), Key("SEEN")],
    ids=["string", "lower case", "Q", "imap-tools", "tree"],
)
def test_whatever_asks_for_the_same_is_the_same_search(criteria: Any) -> None:
    shelf = Shelf({"INBOX": {1: 0}})
    assert select(shelf, criteria, "INBOX", 5) == [Selection("INBOX", 17, (1,))]
    assert shelf.asked == [("search", "INBOX", Key("SEEN"), 5)]


def test_all_is_every_message_newest_first() -> None:
    shelf = Shelf({"INBOX": {3: 0, 9: 0, 5: 0}})
    assert select(shelf, "ALL", "INBOX", None) == [Selection("INBOX", 17, (9, 5, 3))]
    assert shelf.asked == [("search", "INBOX", parse_search("ALL"), None)]


@pytest.mark.parametrize("limit", [-1, True, False])
def test_a_limit_that_is_no_number_of_messages_is_refused(limit: int) -> None:
    shelf = Shelf({"INBOX": {1: 0}})
    with pytest.raises(QueryError, match=f"limit={limit} is no number"):
        select(shelf, "ALL", "INBOX", limit)
    assert shelf.asked == []


@pytest.mark.parametrize("criteria", [None, 5, [1, 2], {"seen": True}])
def test_what_is_no_criteria_is_refused_before_the_server_is_asked(criteria: Any) -> None:
    shelf = Shelf({"INBOX": {1: 0}})
    with pytest.raises(QueryError, match="cannot be used as criteria"):
        select(shelf, criteria, "INBOX", None)
    assert shelf.asked == []


# -- folders


def test_folders_come_in_the_order_asked_each_once() -> None:
    shelf = Shelf({"A": {1: 0}, "B": {2: 0}})
    found = select(shelf, "ALL", ["B", "A", "B"], None)
    assert [one.folder for one in found] == ["B", "A"]
    assert ("folders", False) not in shelf.asked


GMAIL = [
    folder("INBOX"),
    folder("[Gmail]", "\\HasChildren", "\\Noselect"),
    folder("[Gmail]/All Mail", role="\\All"),
    folder("[Gmail]/Starred", role="\\Flagged"),
    folder("[Gmail]/Important", role="\\Important"),
    folder("[Gmail]/Sent Mail", role="\\Sent"),
    folder("Old", "\\NonExistent"),
    folder("Work"),
    folder("work/2025"),
]


def gmail() -> Shelf:
    return Shelf({one.name: {1: 0} for one in GMAIL}, GMAIL)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("*", ["INBOX", "[Gmail]/Sent Mail", "Work", "work/2025"]),
        ("[[]Gmail]/*", ["[Gmail]/Sent Mail"]),
        ("W*", ["Work"]),
        ("?ork", ["Work"]),
        (["work*", "W*"], ["work/2025", "Work"]),
        (["Work", "*"], ["Work", "INBOX", "[Gmail]/Sent Mail", "work/2025"]),
        ("[Gmail]/All Mail", ["[Gmail]/All Mail"]),
        (["W*", "[Gmail]/Starred"], ["Work", "[Gmail]/Starred"]),
    ],
)
def test_a_glob_means_what_can_be_read_but_no_views_of_it(
    asked: str | list[str], names: list[str]
) -> None:
    shelf = gmail()
    assert [one.folder for one in select(shelf, "ALL", asked, None)] == names
    assert shelf.asked[0] == ("folders", False)


def test_a_folder_whose_name_looks_like_a_glob_can_be_named() -> None:
    shelf = Shelf({"a*": {1: 0}, "ab": {2: 0}})
    assert [one.folder for one in select(shelf, "ALL", "a*", None)] == ["a*"]


def test_a_glob_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(FolderError, match=r"No folder is called like 'X\*'"):
        select(gmail(), "ALL", "X*", None)


def test_a_glob_that_matches_views_alone_is_an_error() -> None:
    with pytest.raises(FolderError):
        select(gmail(), "ALL", "*/All*", None)


def test_no_folder_at_all_is_an_error() -> None:
    with pytest.raises(FolderError, match="No folder was named"):
        select(gmail(), "ALL", [], None)


# -- a limit over several folders


def test_a_limit_over_several_folders_keeps_what_came_last() -> None:
    shelf = Shelf({"A": {1: 0, 2: 5, 3: 9}, "B": {1: 7, 2: 8}})
    assert select(shelf, "ALL", ["A", "B"], 3) == [
        Selection("A", 17, (3,)),
        Selection("B", 17, (2, 1)),
    ]


def test_a_limit_that_all_are_within_needs_no_dates() -> None:
    shelf = Shelf({"A": {1: 0}, "B": {1: 7, 2: 8}})
    found = select(shelf, "ALL", ["A", "B"], 3)
    assert [one.uids for one in found] == [(1,), (2, 1)]
    assert shelf.fetched() == []


def test_for_a_limit_over_several_folders_only_dates_of_candidates_are_read() -> None:
    shelf = Shelf({"A": {1: 0, 2: 1, 3: 2}, "B": {}, "C": {1: 7}})
    select(shelf, "ALL", ["A", "B", "C"], 2)
    assert shelf.fetched() == [("headers", "A", "dates", (3, 2)), ("headers", "C", "dates", (1,))]


def test_a_message_without_date_is_the_first_to_be_left_out() -> None:
    shelf = Shelf({"A": {1: None, 2: 1}, "B": {1: 0}})
    found = select(shelf, "ALL", ["A", "B"], 2)
    assert [one.uids for one in found] == [(2,), (1,)]


def test_of_messages_of_one_moment_the_limit_keeps_as_many_as_it_says() -> None:
    shelf = Shelf({"A": {1: 3, 2: 3, 3: 3}, "B": {1: 3, 2: 3, 3: 3}})
    found = select(shelf, "ALL", ["A", "B"], 3)
    assert sum(len(one.uids) for one in found) == 3
    assert all(list(one.uids) == sorted(one.uids, reverse=True) for one in found)


def test_a_limit_of_zero_is_no_message() -> None:
    shelf = Shelf({"A": {1: 0}, "B": {1: 0}})
    assert [one.uids for one in select(shelf, "ALL", ["A", "B"], 0)] == [(), ()]


# -- a frame as criteria


def test_a_frame_means_its_messages_in_its_order() -> None:
    shelf = Shelf({"A": {1: 0, 5: 0, 9: 0}, "B": {2: 0}})
    frame = keys(("A", 17, 5), ("B", 17, 2), ("A", 17, 9), ("A", 17, 1))
    assert select(shelf, frame, "ignored", None) == [
        Selection("A", 17, (5, 9, 1)),
        Selection("B", 17, (2,)),
    ]


def test_a_row_that_comes_twice_is_one_message() -> None:
    shelf = Shelf({"A": {1: 0, 2: 0}})
    frame = keys(("A", 17, 2), ("A", 17, 2), ("A", 17, 1), ("A", 17, 2))
    assert select(shelf, frame, "INBOX", None) == [Selection("A", 17, (2, 1))]


def test_a_limit_takes_the_frames_first_messages() -> None:
    shelf = Shelf({"A": {1: 0, 2: 0, 3: 0}})
    frame = keys(("A", 17, 1), ("A", 17, 1), ("A", 17, 3), ("A", 17, 2))
    assert select(shelf, frame, "INBOX", 2) == [Selection("A", 17, (1, 3))]


def test_a_frame_without_rows_means_no_message() -> None:
    shelf = Shelf({"A": {1: 0}})
    assert select(shelf, keys().head(0), "INBOX", None) == []
    assert shelf.asked == []


@pytest.mark.parametrize("dtype", ["int32", "uint64", "float64", "Int64", "object"])
def test_uids_may_have_lost_their_dtype_on_the_way(dtype: str) -> None:
    shelf = Shelf({"A": {1: 0}})
    frame = keys(("A", 17, 1)).astype({"uid": dtype, "folder": "object", "account": "str"})
    [found] = select(shelf, frame, "INBOX", None)
    assert found == Selection("A", 17, (1,))
    assert [type(uid) for uid in found.uids] == [int]


@pytest.mark.parametrize("column", ["account", "folder", "uidvalidity", "uid"])
def test_a_frame_that_lacks_a_key_column_is_refused_by_name(column: str) -> None:
    shelf = Shelf({"A": {1: 0}})
    with pytest.raises(QueryError, match=f"no {column}") as refused:
        select(shelf, keys(("A", 17, 1)).drop(columns=column), "INBOX", None)
    assert "account, folder, uidvalidity, uid" in refused.value.suggestion
    assert shelf.asked == []


def test_a_row_without_a_key_is_refused() -> None:
    shelf = Shelf({"A": {1: 0}})
    frame = keys(("A", 17, 1), ("A", 17, 2)).astype({"uid": "Int64"})
    frame.loc[1, "uid"] = pd.NA
    with pytest.raises(QueryError, match="a value is missing") as refused:
        select(shelf, frame, "INBOX", None)
    assert "df.dropna(subset=['account', 'folder', " in refused.value.suggestion
    assert shelf.asked == []


NO_NUMBERS = {
    "lists": [[1], [2]],
    "dicts": [{}, {}],
    "sets": [{1}, {2}],
    "yes": [True, True],
    "yes and a number": [True, 2],
    "numpy's yes and a number": [np.True_, 2],
    "times": pd.to_datetime([1, 2]),
    "spans": pd.to_timedelta([1, 2]),
    "a time and a number": [pd.Timestamp(1), 2],
    "complex": [1 + 0j, 2 + 0j],
    "a complex one": [1 + 0j, 2],
    "bytes": [b"1", b"2"],
    "categories": pd.Categorical(pd.to_datetime([1, 2])),
    "words": ["x", "2"],
    "halves": [1.5, 2.0],
    "zero": [0, 1],
    "more than 32 bits": [2**32, 1],
    "more than 64 bits": [10**30, 1],
    "without end": [float("inf"), 1.0],
}


@pytest.mark.parametrize("column", ["uid", "uidvalidity"])
@pytest.mark.parametrize("name", NO_NUMBERS)
def test_what_is_no_number_of_a_message_is_refused_by_its_column(name: str, column: str) -> None:
    shelf = Shelf({"A": {1: 0, 2: 0}})
    frame = keys(("A", 17, 1), ("A", 17, 2))
    frame[column] = pd.Series(NO_NUMBERS[name], dtype=None if name in DTYPES else "object")
    with pytest.raises(QueryError, match=f"'{column}' .* no {column.upper()}: a whole") as refused:
        select(shelf, frame, "INBOX", None)
    assert "as a session returned them" in refused.value.suggestion
    assert shelf.asked == []


#: Of these pandas has columns, and not only of objects.
DTYPES = {"yes", "times", "spans", "complex", "categories", "halves", "without end"}


@pytest.mark.parametrize("column", ["account", "folder"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (["A"], "a list, and no text"),
        ({"A": 1}, "a dict, and no text"),
        (b"A", "a bytes, and no text"),
        (1.5, "a float, and no text"),
        ("\ud800", "half a character"),
    ],
    ids=ascii,
)
def test_what_is_no_name_is_refused_by_its_column(column: str, value: object, said: str) -> None:
    shelf = Shelf({"A": {1: 0, 2: 0}})
    frame = keys(("A", 17, 1), ("A", 17, 2))
    frame[column] = pd.Series([frame[column][0], value], dtype="object")
    with pytest.raises(QueryError, match=f"The column '{column}' of these rows holds {said}"):
        select(shelf, frame, "INBOX", None)
    assert shelf.asked == []


def test_a_folder_called_by_a_number_may_come_as_one() -> None:
    shelf = Shelf({"2026": {1: 0}})
    frame = keys(("2026", 17, 1)).assign(folder=2026)
    assert select(shelf, frame, "INBOX", None) == [Selection("2026", 17, (1,))]


@pytest.mark.parametrize("column", ["account", "folder", "uidvalidity", "uid"])
def test_a_key_column_that_is_there_twice_is_named(column: str) -> None:
    shelf = Shelf({"A": {1: 0}})
    frame = keys(("A", 17, 1))
    twice = pd.concat([frame, frame[[column]]], axis=1)
    with pytest.raises(QueryError, match=f"more than one column '{column}'") as refused:
        select(shelf, twice, "INBOX", None)
    assert "~df.columns.duplicated()" in refused.value.suggestion
    assert shelf.asked == []
    once = twice.loc[:, ~twice.columns.duplicated()]
    assert select(shelf, once, "INBOX", None) == [Selection("A", 17, (1,))]


def test_rows_of_another_account_are_refused_before_the_server_is_asked() -> None:
    shelf = Shelf({"A": {1: 0}}, account="you@example.net")
    with pytest.raises(QueryError, match=r"are from me@example\.com") as refused:
        select(shelf, keys(("A", 17, 1)), "INBOX", None)
    assert "you@example.net" in str(refused.value)
    assert shelf.asked == []


def test_one_row_of_a_renumbered_folder_refuses_all_before_any_fetch() -> None:
    shelf = Shelf({"A": {1: 0}, "B": {1: 0}})
    with pytest.raises(UidValidityError, match="'B' was renumbered: its UIDVALIDITY is 17, and"):
        select(shelf, keys(("A", 17, 1), ("B", 16, 1)), "INBOX", None)
    assert shelf.fetched() == []


def test_rows_of_two_uidvalidities_are_never_taken_for_one_folder() -> None:
    shelf = Shelf({"A": {1: 0}})
    with pytest.raises(UidValidityError):
        select(shelf, keys(("A", 17, 1), ("A", 16, 1)), "INBOX", None)


def test_a_folder_of_the_frame_that_is_gone_is_an_error() -> None:
    with pytest.raises(FolderError):
        select(Shelf({"A": {1: 0}}), keys(("Gone", 17, 1)), "INBOX", None)


# -- a Series or an Index


@pytest.mark.parametrize("kind", [pd.Series, pd.Index])
def test_a_column_named_uid_means_messages_of_one_folder(kind: type) -> None:
    shelf = Shelf({"A": {1: 0, 2: 0, 3: 0}})
    uids = kind([2, 3, 2, 1], name="uid")
    assert select(shelf, uids, "A", None) == [Selection("A", 17, (2, 3, 1))]
    assert select(shelf, uids, ["A"], 2) == [Selection("A", 17, (2, 3))]
    assert shelf.fetched() == []


def test_row_numbers_are_not_taken_for_uids() -> None:
    shelf = Shelf({"A": {1: 0}})
    frame = keys(("A", 17, 7), ("A", 17, 8))
    with pytest.raises(QueryError, match="named 'uid'") as refused:
        select(shelf, frame[frame.uid == 8].index, "A", None)
    assert "row numbers, not UIDs" in refused.value.suggestion
    assert shelf.asked == []


@pytest.mark.parametrize("folders", [["A", "B"], "*", "A*", []])
def test_uids_alone_need_one_folder(folders: str | list[str]) -> None:
    shelf = Shelf({"A": {1: 0}, "B": {1: 0}})
    with pytest.raises(QueryError, match="folder is one name"):
        select(shelf, pd.Series([1], name="uid"), folders, None)


def test_a_mask_is_not_taken_for_uids() -> None:
    shelf = Shelf({"A": {1: 0}})
    with pytest.raises(QueryError):
        select(shelf, pd.Series([True, False], name="seen"), "A", None)


@pytest.mark.parametrize("value", ["x", [1], True, 1.5, 0, 2**32, pd.NaT, None], ids=ascii)
def test_a_column_named_uid_without_numbers_is_refused(value: object) -> None:
    uids = pd.Series([value], name="uid", dtype="object")
    with pytest.raises(QueryError, match="no UID: a whole number from 1") as refused:
        select(Shelf({"A": {1: 0}}), uids, "A", None)
    assert "as a session returned them" in refused.value.suggestion


# -- columns of header fields


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ([], {}),
        ((), {}),
        (["X-Mailer"], {"x-mailer": "x_mailer"}),
        ("X-Mailer", {"x-mailer": "x_mailer"}),
        (["DELIVERED-to", "received"], {"delivered-to": "delivered_to", "received": "received"}),
        (["b", "a"], {"b": "b", "a": "a"}),
        (["X-A", "x-a", "X-A"], {"x-a": "x_a"}),
        (["Date", "date", "DATE"], {"date": "header_date"}),
        (["Message-ID", "From"], {"message-id": "header_message_id", "from": "from"}),
        (["UID", "Account"], {"uid": "header_uid", "account": "header_account"}),
        (["X-A", "X_A"], {"x-a": "x_a", "x_a": "header_x_a"}),
        (
            ["Header-Date", "Date", "header_date"],
            {
                "header-date": "header_date",
                "date": "header_header_date",
                "header_date": "header_header_header_date",
            },
        ),
        (
            ["Labels", "Gmail-Thread"],
            {"labels": "header_labels", "gmail-thread": "header_gmail_thread"},
        ),
        (["X.Y", "A/B", "Z'"], {"x.y": "x.y", "a/b": "a/b", "z'": "z'"}),
    ],
)
def test_a_field_becomes_a_column_of_its_own(fields: Any, columns: dict[str, str]) -> None:
    found = field_columns(fields)
    assert found == columns
    assert list(found) == list(columns)


@pytest.mark.parametrize(
    "field",
    ["", " ", "X A", "X:", "X\r\nY", "X\n", "X(", "X)", "X[", "X]", "X{", 'X"', "X\\", "X%", "X*",
     "Ä", "\u017f", "\u0660", "X\x7f", "X\0", None, 1, b"X", ("X",)],
)  # fmt: skip
def test_what_no_field_can_be_called_is_refused(field: Any) -> None:
    with pytest.raises(QueryError, match="no name of a header field"):
        field_columns(["X-Good", field])
