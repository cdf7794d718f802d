"""Messages that are there more than once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis import duplicates
from mailframe.analysis.columns import text
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers


def copies(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return headers of one message, as often as there are rows."""
    return headers(*[{"message_id": "a@x", "size": 100} | row for row in rows])


def kept(frame: pd.DataFrame, **options: Any) -> list[int]:
    found = duplicates(frame, **options)
    return found["uid"][~found["surplus"]].tolist()


def test_a_message_in_two_folders_is_there_twice() -> None:
    frame = copies({"folder": "Archive"}, {"folder": "INBOX"}, {"message_id": "b@x"})
    found = duplicates(frame)
    assert found["uid"].tolist() == [1, 2]
    assert found["group"].tolist() == [0, 0]
    assert found["copies"].tolist() == [2, 2]
    assert found["surplus"].tolist() == [False, True]
    assert found.attrs == {
        "surplus_size": 100, "without_id": 0, "undated": 0, "different": 0, "views": 0,
        "of_others": 0, "renumbered": 0,
    }  # fmt: skip
    assert list(found.columns) == [
        "account", "folder", "uidvalidity", "uid", "group", "copies", "surplus", "message_id",
        "subject", "from_address", "date", "size",
    ]  # fmt: skip


def test_what_frees_most_room_comes_first() -> None:
    frame = copies(*[{}] * 3, *[{"message_id": "b@x", "size": 1000}] * 2)
    found = duplicates(frame)
    assert found["message_id"].tolist() == ["b@x"] * 2 + ["a@x"] * 3
    assert found["group"].tolist() == [0, 0, 1, 1, 1]
    assert found["copies"].tolist() == [2, 2, 3, 3, 3]
    assert found.attrs["surplus_size"] == 1200
    assert duplicates(frame.iloc[::-1]).equals(found)


@pytest.mark.parametrize(
    "other",
    [
        {"size": 101},
        {"message_id": "A@x"},
        {"date": "2025-03-02"},
        {"date": None},
        {"subject": "Alarm 2"},
        {"from_address": "bob@example.org"},
        {"from_address": None},
        {"account": "you@example.com"},
    ],
)
def test_what_differs_is_no_copy(other: dict[str, Any]) -> None:
    assert duplicates(copies({}, other)).empty
    assert len(duplicates(copies({}, {}, other))) == 2


@pytest.mark.parametrize(
    "lacking",
    [
        {"size": None},
        *({"message_id": no_id} for no_id in (None, "", "none", "<@>", "@", "a@", "<a>", "<@x>")),
    ],
)
def test_what_has_no_id_or_size_is_nobodys_copy(lacking: dict[str, Any]) -> None:
    found = duplicates(copies(lacking, lacking, {}))
    assert found.empty
    assert found.attrs["without_id"] == 2


def test_what_has_no_date_is_nobodys_copy() -> None:
    found = duplicates(copies({"date": None}, {"date": None}, {"date": None, "size": None}))
    assert found.empty
    assert found.attrs["undated"] == 2
    assert found.attrs["without_id"] == 1
    assert len(duplicates(copies({"date": None}, {"date": None}), by="size")) == 2


def test_of_a_folder_that_was_numbered_anew_nobody_knows_which_rows_hold() -> None:
    frame = copies(
        {"uid": 1, "uidvalidity": 1},
        {"uid": 1, "uidvalidity": 2},
        {"uid": 2, "uidvalidity": 2},
        {"uid": 9, "uidvalidity": 3, "folder": "Archive"},
    )
    found = duplicates(frame)
    assert found.empty
    assert found.attrs["renumbered"] == 3
    elsewhere = frame.assign(account=["you@example.com", *["me@example.com"] * 3])
    assert duplicates(elsewhere)["uid"].tolist() == [1, 2, 9]


def test_the_inbox_is_one_folder_in_any_case() -> None:
    assert duplicates(copies({"uid": 5}, {"uid": 5, "folder": "inbox"})).empty
    assert len(duplicates(copies({"uid": 5, "folder": "a"}, {"uid": 5, "folder": "A"}))) == 2
    renumbered = copies({"uid": 5}, {"uid": 6, "folder": "Inbox", "uidvalidity": 2})
    assert duplicates(renumbered).attrs["renumbered"] == 2


@pytest.mark.parametrize(
    "folder", ["Other Users/bob/INBOX", "user.bob", "Shared/Team", "#shared/Team", "Shared"]
)
def test_what_is_other_peoples_is_neither_surplus_nor_relied_on(folder: str) -> None:
    found = duplicates(copies({"uid": 5}, {"uid": 3, "folder": folder}))
    assert found.empty
    assert found.attrs["of_others"] == 1
    assert kept(copies({"uid": 5}, {"uid": 6}, {"uid": 3, "folder": folder})) == [5]


def test_a_device_that_gives_everything_one_id_sends_no_copies() -> None:
    frame = copies(*[{"date": f"2025-03-0{day}"} for day in range(1, 5)], {"date": "2025-03-01"})
    found = duplicates(frame)
    assert found["uid"].tolist() == [1, 5]
    assert found.attrs["different"] == 3
    assert len(duplicates(frame.drop(columns="date"))) == 5


def test_a_row_that_is_in_the_frame_twice_is_one_message() -> None:
    frame = copies({})
    assert duplicates(mf.concat([frame, frame])).empty
    twice = copies({}, {})
    assert len(duplicates(mf.concat([twice, twice]))) == 2


def test_the_oldest_stays_and_then_that_of_the_lowest_uid() -> None:
    assert kept(copies({"internal_date": "2025-03-09"}, {"internal_date": "2025-03-08"})) == [2]
    assert kept(copies({"internal_date": None}, {"internal_date": "2025-03-08"})) == [2]
    assert kept(copies({"uid": 9}, {"uid": 7}, {"uid": 8})) == [7]
    same = copies({"uid": 7, "folder": "b"}, {"uid": 7, "folder": "a"})
    assert duplicates(same)["folder"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "unwanted",
    [
        {"folder": "Trash"},
        {"folder": "INBOX.Papierkorb"},
        {"folder": "Junk/2024"},
        {"folder": "Drafts"},
        {"folder": "Kosz"},
        {"folder": "INBOX.Søppelpost"},
        {"folder": "Any", "draft": True},
        {"deleted": True},
    ],
)
def test_what_stays_is_none_that_is_to_go_anyway(unwanted: dict[str, Any]) -> None:
    older = {"internal_date": "2020-01-01"} | unwanted
    assert kept(copies(older, {})) == [2]
    assert kept(copies(older, older)) == [1]


def test_of_those_that_are_to_go_the_one_that_goes_last_stays() -> None:
    draft, junk, trash = ({"folder": one} for one in ("Drafts", "Junk", "Trash"))
    marked = {"deleted": True}
    assert kept(copies(trash, junk, draft, marked)) == [3]
    assert kept(copies(trash, marked, {"draft": True}, junk)) == [3]
    assert kept(copies(trash, marked, junk)) == [3]
    assert kept(copies(draft | marked, junk)) == [2]
    assert kept(copies({"folder": "Trash/Drafts"}, junk)) == [2]
    assert kept(copies(marked, trash)) == [1]


def test_folders_tell_what_they_are_for() -> None:
    frame = copies({"folder": "Rubbish", "internal_date": "2020-01-01"}, {}, {"folder": "Seen all"})
    folders = pd.DataFrame({"name": ["Rubbish", "Seen all"], "special_use": ["\\Trash", "\\All"]})
    assert kept(frame) == [1]
    found = duplicates(frame, folders=folders)
    assert found["uid"].tolist() == [2, 1]
    assert found.attrs["views"] == 1


@pytest.mark.parametrize(
    "sign", [{"labels": "\\Inbox\nWork"}, {"gmail_thread": "17"}, {"folder": "[Gmail]/All Mail"}]
)
def test_at_gmail_what_has_several_labels_is_one_message(sign: dict[str, str]) -> None:
    frame = copies({"folder": "INBOX"}, {"folder": "Work"}, {"folder": "Everything"})
    assert len(duplicates(frame)) == 3
    for name, value in sign.items():
        others = text(frame, name).tolist()[1:] if name in frame.columns else [None] * 2
        frame[name] = pd.Series([value, *others], dtype="str")
    found = duplicates(frame)
    assert found.empty
    assert found.attrs["views"] == 2


@pytest.mark.parametrize(
    "account", ["me@gmail.com", "Me@GoogleMail.com", "me@imap.gmail.com", "me@notgmail.com"]
)
def test_gmail_is_known_by_the_account(account: str) -> None:
    found = duplicates(copies(*[{"account": account, "folder": one} for one in ("INBOX", "Work")]))
    assert len(found) == (2 if "not" in account else 0)


def test_at_gmail_two_in_one_folder_or_one_in_the_trash_are_copies() -> None:
    folders = ["[Gmail]/All", "[Gmail]/All", "INBOX", "Work", "[Gmail]/Trash", "[Gmail]/Spam"]
    found = duplicates(copies(*[{"folder": folder} for folder in folders]))
    assert found["folder"].tolist() == [folders[n] for n in (0, 1, 5, 4)]
    assert found["surplus"].tolist() == [False, True, True, True]
    assert found.attrs["views"] == 2


def test_another_account_is_not_at_gmail_because_one_is() -> None:
    frame = copies(
        {"account": "a@x", "folder": "INBOX"},
        {"account": "b@y", "folder": "INBOX"},
        {"account": "a@x", "folder": "[Gmail]/All"},
        {"account": "b@y", "folder": "Work"},
    )
    assert duplicates(frame)["account"].astype("str").tolist() == ["b@y", "b@y"]


def test_copies_can_be_equal_in_other_columns() -> None:
    frame = copies({}, {"size": 101}, {"folder": "Archive"}, {"message_id": "b@x"})
    assert duplicates(frame, by="message_id")["uid"].tolist() == [1, 2, 3]
    assert duplicates(frame, by=["message_id", "folder"])["uid"].tolist() == [1, 2]
    by_subject = duplicates(frame.assign(subject="Hi", keywords="x"), by=("subject", "keywords"))
    assert by_subject["uid"].tolist() == [1, 2, 3, 4]
    assert by_subject.columns[-1] == "keywords"
    assert duplicates(frame, by="message_id").attrs["surplus_size"] == 201


@pytest.mark.parametrize("by", [[], "", None, [7], 7])
def test_what_names_no_columns_is_refused(by: Any) -> None:
    with pytest.raises(QueryError):
        duplicates(copies({}), by=by)


def test_columns_that_are_missing_are_named() -> None:
    frame = copies({}, {})
    needed = ["account", "folder", "uidvalidity", "uid", "message_id", "size", "internal_date"]
    assert len(duplicates(frame[needed])) == 2
    for name in needed:
        with pytest.raises(QueryError, match=f"no column '{name}'"):
            duplicates(frame.drop(columns=name))
    with pytest.raises(QueryError, match="no column 'special_use'"):
        duplicates(frame, folders=pd.DataFrame({"name": ["INBOX"]}))
    with pytest.raises(QueryError, match="name of a column of the result"):
        duplicates(frame.assign(group=1), by="group")


def test_what_is_surplus_goes_to_the_trash_and_one_of_each_stays() -> None:
    with mf.demo(readonly=False) as session:
        mail = session.headers(limit=5, progress=False)
        session.copy(mail, "Archive", apply=True, progress=False)
        before = duplicates(session.headers(folder="*", progress=False))
        session.delete(before[before["surplus"]], apply=True, progress=False)
        after = session.headers(folder="*", progress=False)
        found = duplicates(after)
    ids = mail["message_id"].tolist()
    assert sorted(before["message_id"]) == sorted([*ids, *ids])
    # They are in the trash now: what stays is what stayed before.
    assert found["folder"][found["surplus"]].tolist() == ["Trash"] * 5
    assert found["surplus"].sum() == 5
