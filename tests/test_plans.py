"""Plans: what they show, the rows they take, bad input, and what happens before they are done."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe.exceptions import (
    FolderError,
    MailFileError,
    MailframeError,
    NotSupportedError,
    QueryError,
    UidValidityError,
)
from tests.rigs import messages
from tests.test_changing import (
    ELSEWHERE,
    READING,
    SERVERS,
    Dovecots,
    Mailbox,
    alive,
    commands,
    deliver,
    living,
    opened,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

ODD = messages.headers(
    1, subject="=?utf-8?Q?<script>alert(1)</script>=1B[31m=07=E2=80=AEevil?=", from_='"<b>" <x@y>'
)
QUOTA = """
mail_plugins = zlib quota
protocol imap {
  mail_plugins = zlib imap_zlib quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100k
}
"""
ACL = """
mail_plugins = zlib acl
protocol imap {{
  mail_plugins = zlib imap_zlib acl imap_acl
}}
plugin {{
  acl = vfile:{path}
}}
"""


@pytest.fixture(scope="module")
def dovecots() -> Iterator[Dovecots]:
    with ExitStack() as stack:
        yield Dovecots(stack)


@pytest.fixture
def dovecot(dovecots: Dovecots) -> Dovecot:
    return dovecots.get()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return deliver(dovecot)


@pytest.fixture
def mailbox(dovecot: Dovecot, user: str) -> Iterator[Mailbox]:
    with opened(dovecot, user) as mailbox:
        yield mailbox


@pytest.fixture
def rows(mailbox: Mailbox) -> pd.DataFrame:
    return rows_of(mailbox.session, 2, 5, 1)


def incomplete(plan: Any) -> Any:
    """Apply a plan of which not all can be done."""
    with pytest.warns(UserWarning, match="Not all of it could be done"):
        return plan.apply()


# -- what is seen of a plan


def test_a_plan_and_its_outcome_show_no_mail_as_html_or_to_the_terminal(
    mailbox: Mailbox, dovecot: Dovecot, user: str
) -> None:
    dovecot.deliver(user, [ODD + b"\r\n"], "Odd")
    session = mailbox.session
    rows = session.headers(folder="Odd", progress=False)
    assert "<script>" in rows["subject"].item()
    assert "\x1b" in rows["subject"].item()
    name = "<i>\u202eneu\x1b</i>"
    plan = session.move(rows, name, create=True)
    assert plan.frame["subject"].item() == rows["subject"].item()
    text, html = repr(plan), plan._repr_html_()
    for shown in (text, html):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)
    assert "&lt;script&gt;" in html
    assert not re.search("<(script|b>x|i>)", html)
    assert "<script>" in text

    session.create_folder("Gone")
    gone = session.move(rows, "Gone")
    session.delete_folder("Gone")
    outcome = incomplete(gone)
    assert "Gone" in repr(outcome)
    assert "<script" not in outcome._repr_html_()


def test_the_words_of_a_server_are_no_html(scripted: Callable[..., ScriptedServer]) -> None:
    refusal = b"<tag> NO <script>alert(1)</script>\x1b[31m\r\n"
    server = scripted({"UID STORE": refusal}, messages={1: one_message()}, folders=[b'"INBOX"'])
    with mf.connect(
        server.host, "me@example.com", password="x", port=server.port, security="none",
        readonly=False, timeout=5,
    ) as session:  # fmt: skip
        outcome = incomplete(session.flag(session.headers(progress=False)))
    assert outcome.frame["status"].tolist() == ["failed"]
    assert "<script>alert(1)" in outcome.frame["reason"].item()
    assert "&lt;script&gt;" in outcome._repr_html_()
    assert "<script" not in outcome._repr_html_()
    assert "\x1b" not in repr(outcome) + outcome._repr_html_()


def one_message() -> dict[bytes, bytes]:
    from tests.imap.replies import message  # noqa: PLC0415 it is only needed here

    return message(1)


def test_a_long_plan_is_cut_and_says_so(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, [messages.plain(n) for n in range(1, 16)])
    for number in range(12):
        dovecot.deliver(user, [messages.plain(1)], f"F{number:02}")
    with opened(dovecot, user) as mailbox:
        session = mailbox.session
        plan = session.flag(session.headers(progress=False))
        assert "and 5 more" in repr(plan)
        assert "and 5 more" in plan._repr_html_()
        assert repr(plan).count("alice@example.org") == 10
        plan = session.flag(session.headers(folder="F*", progress=False))
        assert "2 more folders" in repr(plan)


def test_many_rows_are_said_loudly(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, [messages.plain(n) for n in range(1, 1501)])
    dovecot.deliver(user, [], "Trash")
    with opened(dovecot, user) as mailbox:
        session = mailbox.session
        rows = session.search()
        assert "1,500 MESSAGES" in repr(session.delete(rows)).splitlines()[1]
        assert "1,500 MESSAGES" in session.move(rows, "Trash")._repr_html_()
        assert "MESSAGES" not in repr(session.delete(rows.head(999)))
        plan = session.mark(rows, seen=True)
        assert plan.apply(progress=False).counts["done"] == 1500
        assert "MESSAGES" not in repr(session.mark(rows, seen=True))  # nothing is left to do
        stored = [line for line in mailbox.sent() if "UID STORE 1:1500 " in line]
        assert len(stored) == 1


# -- rows


def test_rows_of_any_frame_will_do_and_a_message_counts_once(mailbox: Mailbox) -> None:
    session = mailbox.session
    headers = session.headers(folder="*", progress=False)
    for frame in (
        headers,
        session.search(folder="*"),
        session.bodies(folder="*", progress=False),
        session.recipients(folder="*", progress=False),
        session.attachments(folder="*", progress=False),
        pd.concat([headers, headers]),
        headers.sample(frac=1, random_state=3),
        headers[["uid", "folder", "account", "uidvalidity"]].assign(more=object()),
    ):
        plan = session.flag(frame)
        each = frame[["folder", "uid"]].astype({"folder": "str"}).drop_duplicates()
        assert len(plan.entries) == len(each)
        assert list(plan.frame["uid"]) == list(each["uid"])
        assert list(plan.frame["folder"].astype("str")) == list(each["folder"])
    assert len(session.recipients(folder="*", progress=False)) > len(headers)


def test_several_folders_are_dealt_with_at_once(mailbox: Mailbox) -> None:
    session = mailbox.session
    rows = session.headers(folder=["INBOX", ELSEWHERE], progress=False)
    outcome = session.move(rows.sample(frac=1, random_state=5), "Target", apply=True)
    assert outcome.counts["done"] == 8
    state = alive(mailbox.state())
    assert {name: len(those) for name, those in state.items()} == {"Target": 8}
    moves = [line for line in mailbox.sent() if "UID MOVE" in line]
    assert len(moves) == 2


def test_what_the_rows_say_beyond_the_keys_does_not_count(
    mailbox: Mailbox, rows: pd.DataFrame
) -> None:
    session = mailbox.session
    edited = rows.assign(seen=~rows["seen"], subject="x", flagged=True, size=0)
    plan = session.mark(edited, seen=True)
    assert plan.frame["state"].tolist() == ["change", "as it is", "as it is"]
    assert plan.frame["subject"].tolist() == rows["subject"].tolist()
    assert plan.bytes == rows["size"].iloc[0]


@pytest.mark.parametrize("change", [str, float, "category", "Int64", object])
def test_uids_of_any_kind_that_are_whole_numbers_will_do(
    mailbox: Mailbox, rows: pd.DataFrame, change: Any
) -> None:
    plan = mailbox.session.flag(rows.assign(uid=rows["uid"].astype(change)))
    assert plan.frame["uid"].tolist() == [2, 5, 1]


def test_one_message_spelled_in_several_ways_is_copied_once(mailbox: Mailbox) -> None:
    session = mailbox.session
    one = rows_of(session, 2)
    twice = pd.concat(
        [one, one.assign(uid=["2"]), one.assign(uid=[2.0]), one.assign(folder="inbox")]
    )
    outcome = session.copy(twice, "Target", apply=True)
    assert outcome.counts["done"] == 1
    assert len(mailbox.state()["Target"]) == 1


# -- bad input: a clear error, and nothing is changed

SUGGESTED = r"(?s).*What to do: .*"
ROWS: dict[str, tuple[Callable[[pd.DataFrame], Any], type[MailframeError], str]] = {
    "an empty frame without columns": (
        lambda _: pd.DataFrame(), QueryError, "does not say which messages it is about: no account",
    ),
    "no account column": (lambda rows: rows.drop(columns="account"), QueryError, "no account"),
    "no folder column": (lambda rows: rows.drop(columns="folder"), QueryError, "no folder"),
    "no uidvalidity column": (
        lambda rows: rows.drop(columns="uidvalidity"), QueryError, "no uidvalidity",
    ),
    "no uid column": (lambda rows: rows.drop(columns="uid"), QueryError, "no uid"),
    "a list": (lambda rows: rows["uid"].tolist(), QueryError, "A list does not say"),
    "a Series": (lambda rows: rows["uid"], QueryError, "A Series does not say"),
    "an Index": (lambda rows: rows.index, QueryError, "A RangeIndex does not say"),
    "criteria": (lambda _: "ALL", QueryError, "A str does not say"),
    "a Q": (lambda _: mf.Q(seen=True), QueryError, "A Q does not say"),
    "nothing": (lambda _: None, QueryError, "A NoneType does not say"),
    "another account": (
        lambda rows: rows.assign(account="other@example.org"), QueryError,
        "These rows are from other@example.org",
    ),
    "some of another account": (
        lambda rows: rows.assign(account=[*rows["account"][:2], "x@example.org"]), QueryError,
        "These rows are from x@example.org",
    ),
    "an older UIDVALIDITY": (
        lambda rows: rows.assign(uidvalidity=rows["uidvalidity"] - 1), UidValidityError,
        "was renumbered",
    ),
    "some of an older UIDVALIDITY": (
        lambda rows: rows.assign(uidvalidity=rows["uidvalidity"] - [0, 0, 1]), UidValidityError,
        "was renumbered",
    ),
    "another folder": (
        lambda rows: rows.assign(folder=ELSEWHERE), UidValidityError, "was renumbered",
    ),
    "a folder that is not there": (
        lambda rows: rows.assign(folder="Inbox 2"), FolderError, "'Inbox 2'",
    ),
    "a folder that is a number": (lambda rows: rows.assign(folder=3), FolderError, "'3'"),
    "a folder with a line break": (
        lambda rows: rows.assign(folder="a\r\nX LOGOUT"), FolderError, "No folder can be called",
    ),
    "a missing folder": (lambda rows: rows.assign(folder=None), QueryError, "a value is missing"),
    **{
        f"uid={value!r}": (
            lambda rows, value=value: rows.assign(uid=[1, 2, value]), QueryError,
            "holds something that is no UID: a whole number from 1 to 4294967295",
        )
        for value in ("x", 1.5, -1, 0, float("inf"), 2**32, 2**64, "1\r\nX LOGOUT", "1:*")
    },
    "a missing uid": (
        lambda rows: rows.assign(uid=[1, 2, float("nan")]), QueryError, "a value is missing",
    ),
    **{
        f"uid={name}": (
            lambda rows, values=values: rows.assign(uid=values), QueryError,
            "holds something that is no UID: a whole number from 1 to 4294967295",
        )
        for name, values in {
            "lists": [[1], [2], [3]],
            "dicts": [{}, {}, {}],
            "yes among numbers": pd.Series([True, 2, 3], dtype="object"),
            "times": pd.to_datetime([1, 2, 3]),
            "spans": pd.to_timedelta([1, 2, 3]),
            "complex": [1 + 0j, 2, 3],
        }.items()
    },
    "lists for a folder": (
        lambda rows: rows.assign(folder=[["INBOX"]] * 3), QueryError, "holds a list, and no text",
    ),
    "half a character for a folder": (
        lambda rows: rows.assign(folder=pd.Series(["\ud800"] * 3, dtype="object")), QueryError,
        "'folder' of these rows holds half a character",
    ),
    "dicts for an account": (
        lambda rows: rows.assign(account=[{}, {}, {}]), QueryError, "holds a dict, and no text",
    ),
    "all columns twice": (
        lambda rows: pd.concat([rows, rows], axis=1), QueryError, "more than one column 'account'",
    ),
    "a column twice": (
        lambda rows: pd.concat([rows, rows[["uid"]]], axis=1), QueryError,
        "more than one column 'uid'",
    ),
    "a mask for a uid": (lambda rows: rows.assign(uid=True), QueryError, "no UID: a whole number"),
    **{
        f"uidvalidity={value!r}": (
            lambda rows, value=value: rows.assign(uidvalidity=value), QueryError,
            "holds something that is no UIDVALIDITY",
        )
        for value in ("x", 1.5, -1, 2**64)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_do_not_say_which_messages_are_refused(
    mailbox: Mailbox, rows: pd.DataFrame, name: str
) -> None:
    change, kind, words = ROWS[name]
    session, given = mailbox.session, change(rows)
    before, files, said = mailbox.state(), mailbox.disk(), len(mailbox.sent())
    for call in (
        lambda: session.mark(given, seen=True, apply=True),
        lambda: session.flag(given, apply=True),
        lambda: session.keyword(given, add="work", apply=True),
        lambda: session.move(given, "Target", apply=True),
        lambda: session.copy(given, "New", create=True, apply=True),
        lambda: session.delete(given, apply=True),
        lambda: session.delete(given, permanently=True, apply=True),
    ):
        with pytest.raises(kind, match=words) as refused:
            call()
        assert re.match(SUGGESTED, str(refused.value))
        assert refused.value.suggestion != QueryError.suggestion  # nothing was searched for
    assert commands(mailbox.sent()[said:]) <= READING
    assert (mailbox.state(), mailbox.disk()) == (before, files)


TARGETS: dict[str, tuple[Any, str, str]] = {
    "a near name": ("Targt", "There is no folder 'Targt'", "Did you mean 'Target'"),
    "another case": ("target", "There is no folder 'target'", "Did you mean 'Target'"),
    "none like it": ("Xyzzy", "There is no folder 'Xyzzy'", "create=True makes it first"),
    "a pattern": ("Tar*", "There is no folder", "A pattern names no target"),
    "a role nobody has": ("\\Flagged", "No folder has the role", "\\Archive"),
    "no messages in it": ("Büro", "'Büro' holds only other folders", f"'{ELSEWHERE}'"),
    "nothing": ("", "is no name of a folder", "session.folders()"),
    "None": (None, "is no name of a folder", "session.folders()"),
    "a number": (7, "is no name of a folder", "session.folders()"),
    "a list": (["Target"], "is no name of a folder", "session.folders()"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_that_is_not_there_is_an_error_that_helps(
    mailbox: Mailbox, rows: pd.DataFrame, name: str
) -> None:
    target, words, help_ = TARGETS[name]
    session, before, said = mailbox.session, mailbox.state(), len(mailbox.sent())
    for call in (
        lambda: session.move(rows, target, apply=True),
        lambda: session.copy(rows, target, apply=True),
        lambda: session.append(messages.plain(1), target, apply=True),
    ):
        with pytest.raises(FolderError, match=re.escape(words)) as refused:
            call()
        assert help_ in refused.value.suggestion
    assert commands(mailbox.sent()[said:]) <= READING
    assert mailbox.state() == before


@pytest.mark.parametrize("name", ["INBOX", "inbox", "\\Inbox"])
def test_moved_to_where_they_are_messages_stay(
    mailbox: Mailbox, rows: pd.DataFrame, name: str
) -> None:
    before = mailbox.state()
    plan = mailbox.session.move(rows, name)
    assert plan.frame["state"].tolist() == ["as it is"] * 3
    outcome = plan.apply()
    assert outcome.frame["reason"].tolist() == ["nothing needed to be done"] * 3
    assert mailbox.state() == before
    assert not commands(mailbox.sent()) - READING


def test_copied_to_where_they_are_messages_are_there_twice(
    mailbox: Mailbox, rows: pd.DataFrame
) -> None:
    plan = mailbox.session.copy(rows, "INBOX")
    plan.apply()
    plan.apply()
    assert len(mailbox.state()["INBOX"]) == 6 + 3


FLAGLESS = ["", " ", "ü", "a b", "\\Recent", "\\Nonsense", "\\*", "(", '"', "a\r\nX LOGOUT", "a\0",
            "%", "]", None, 3, b"x"]  # fmt: skip


@pytest.mark.parametrize("flag", FLAGLESS, ids=ascii)
def test_what_is_no_flag_is_refused_before_anything_is_sent(
    mailbox: Mailbox, rows: pd.DataFrame, flag: Any
) -> None:
    session, said = mailbox.session, len(mailbox.sent())
    for call in (
        lambda: session.keyword(rows, add=[flag], apply=True),
        lambda: session.keyword(rows, remove=[flag], apply=True),
        lambda: session.append(messages.plain(1), flags=[flag], apply=True),
    ):
        with pytest.raises(QueryError, match="is no flag that can be set") as refused:
            call()
        assert "one word of ASCII" in refused.value.suggestion
    assert mailbox.sent()[said:] == []


CALLS: dict[str, tuple[Callable[[mf.Session, pd.DataFrame], Any], type[MailframeError], str]] = {
    "mark nothing": (lambda s, rows: s.mark(rows), QueryError, "What is to be changed"),
    "keyword nothing": (lambda s, rows: s.keyword(rows), QueryError, "What is to be changed"),
    "both": (
        lambda s, rows: s.keyword(rows, add="Work", remove="work"), QueryError,
        "work: to be set and taken off at once",
    ),
    "None for words": (
        lambda s, rows: s.keyword(rows, add=None), QueryError, "neither a word nor several",
    ),
    "a number for words": (
        lambda s, rows: s.keyword(rows, remove=3), QueryError, "neither a word nor several",
    ),
    "lists in words": (
        lambda s, rows: s.keyword(rows, add=[["x"]]), QueryError, "neither a word nor several",
    ),
    "labels": (lambda s, rows: s.label(rows, add="x"), NotSupportedError, "Only Gmail"),
    "apply rows": (lambda s, rows: s.apply(rows), QueryError, "A DataFrame is no plan"),
    "apply nothing": (lambda s, _: s.apply(None), QueryError, "A NoneType is no plan"),
    "undo a plan": (lambda s, rows: s.undo(s.flag(rows)), QueryError, "A Plan is no outcome"),
    "no message": (lambda s, _: s.append(b"hello"), QueryError, "This is no message"),
    "an empty one": (lambda s, _: s.append(b""), QueryError, "This is no message"),
    "an mbox": (
        lambda s, _: s.append(b"From a Mon Jan  5 09:30:00 2026\nSubject: x\n\n"), QueryError,
        "mbox",
    ),
    "a NUL": (lambda s, _: s.append(messages.plain(1) + b"\0"), QueryError, "NUL"),
    "a number": (lambda s, _: s.append(3), QueryError, "A int is no message"),
    "no file": (lambda s, _: s.append("/nowhere/x.eml"), MailFileError, "Could not read"),
    "one of several": (
        lambda s, _: s.append([messages.plain(1), b"hello"], apply=True), QueryError, "no message",
    ),
    "a date that is none": (
        lambda s, _: s.append(messages.plain(1), date="today"), QueryError, "date='today'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls_that_make_no_sense_are_refused(
    mailbox: Mailbox, rows: pd.DataFrame, name: str
) -> None:
    call, kind, words = CALLS[name]
    before, said = mailbox.state(), len(mailbox.sent())
    with pytest.raises(kind, match=words) as refused:
        call(mailbox.session, rows)
    assert re.match(SUGGESTED, str(refused.value))
    assert commands(mailbox.sent()[said:]) <= READING
    assert mailbox.state() == before


#: Each takes what is to be True or False, by the name of the argument.
DECISIONS: dict[str, tuple[str, Callable[[mf.Session, pd.DataFrame, Any], Any]]] = {
    "seen": ("seen", lambda s, rows, on: s.mark(rows, seen=on)),
    "deleted": ("deleted", lambda s, rows, on: s.mark(rows, seen=True, deleted=on)),
    "a star": ("on", lambda s, rows, on: s.flag(rows, on=on)),
    "for good": ("permanently", lambda s, rows, on: s.delete(rows, permanently=on)),
    "move": ("create", lambda s, rows, on: s.move(rows, "New", create=on)),
    "copy": ("create", lambda s, rows, on: s.copy(rows, "New", create=on)),
    "append": ("create", lambda s, _, on: s.append(messages.plain(1), "New", create=on)),
    "marked at once": ("apply", lambda s, rows, on: s.mark(rows, seen=True, apply=on)),
    "labelled at once": ("apply", lambda s, rows, on: s.keyword(rows, add="x", apply=on)),
    "moved at once": ("apply", lambda s, rows, on: s.move(rows, "Target", apply=on)),
    "deleted at once": ("apply", lambda s, rows, on: s.delete(rows, apply=on)),
    "appended at once": ("apply", lambda s, _, on: s.append(messages.plain(1), apply=on)),
    "a folder": ("force", lambda s, _, on: s.delete_folder("Target", force=on)),
    "subscription": ("on", lambda s, _, on: s.subscribe("Target", on=on)),
}
UNDECIDED = ["no", "yes", "", 0, 1, float("nan"), pd.NA, [], pd.Series([True, False])]


@pytest.mark.parametrize("name", DECISIONS)
def test_a_yes_or_no_is_taken_for_nothing_else(
    mailbox: Mailbox, rows: pd.DataFrame, name: str
) -> None:
    argument, call = DECISIONS[name]
    before, files, said = mailbox.state(), mailbox.disk(), len(mailbox.sent())
    for value in UNDECIDED:
        with pytest.raises(QueryError, match=f"{argument}=.* is neither True nor False") as refused:
            call(mailbox.session, rows, value)
        assert refused.value.suggestion == f"{argument}=True or {argument}=False."
    assert commands(mailbox.sent()[said:]) <= READING
    assert (mailbox.state(), mailbox.disk()) == (before, files)


def test_numpys_yes_and_no_will_do(mailbox: Mailbox, rows: pd.DataFrame) -> None:
    session = mailbox.session
    [marked] = session.mark(rows, seen=np.True_, flagged=np.False_).actions
    assert (marked.add, marked.remove) == (("\\Seen",), ("\\Flagged",))
    [starred] = session.flag(rows, on=np.True_).actions
    assert starred.add == ("\\Flagged",)
    assert session.delete(rows, permanently=np.False_).actions[0].verb == "move"
    assert session.copy(rows, "New", create=np.True_).create == ("New",)
    assert session.copy(rows, "Target", apply=np.True_).counts["done"] == 3


@pytest.mark.parametrize(
    ("act", "sent"),
    [
        (lambda s, role: s.rename_folder(role, "Old"), 'RENAME "Archive" "Old"'),
        (lambda s, role: s.delete_folder(role), 'DELETE "Archive"'),
        (lambda s, role: s.subscribe(role), 'SUBSCRIBE "Archive"'),
    ],
    ids=["rename", "delete", "subscribe"],
)
def test_a_folder_that_is_changed_may_be_given_by_its_role(
    mailbox: Mailbox, act: Callable[[mf.Session, str], None], sent: str
) -> None:
    act(mailbox.session, "\\archive")
    assert any(line.endswith(sent) for line in mailbox.sent())
    said = len(mailbox.sent())
    with pytest.raises(FolderError, match="No folder has the role"):
        act(mailbox.session, "\\Nonsense")
    assert commands(mailbox.sent()[said:]) <= READING


def test_a_plan_about_another_account_is_refused(mailbox: Mailbox, dovecot: Dovecot) -> None:
    other = deliver(dovecot)
    with opened(dovecot, other) as second:
        plan = second.session.flag(rows_of(second.session, 2, 4))
        outcome = second.session.flag(rows_of(second.session, 6), apply=True)
    before = mailbox.state()
    said = len(mailbox.sent())
    with pytest.raises(QueryError, match=f"This plan is about {other}@"):
        mailbox.session.apply(plan)
    assert mailbox.sent()[said:] == []
    with pytest.raises(QueryError, match=f"This outcome is about {other}@"):
        mailbox.session.undo(outcome)
    assert mailbox.sent()[said:] == []
    assert mailbox.state() == before


def test_an_account_without_a_trash_says_what_to_do_instead(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted(messages={1: one_message()}, folders=[b'"INBOX"'])
    with mf.connect(
        server.host, "me@example.com", password="x", port=server.port, security="none",
        readonly=False, timeout=5,
    ) as session, pytest.raises(FolderError, match="known to be its trash") as refused:  # fmt: skip
        session.delete(session.headers(progress=False))
    assert "permanently=True" in refused.value.suggestion
    assert "session.move(df" in refused.value.suggestion


# -- rows that are gone


def test_rows_that_are_gone_are_said_to_be(
    mailbox: Mailbox, dovecot: Dovecot, user: str, rows: pd.DataFrame
) -> None:
    dovecot.expunge(user, 5)
    plan = mailbox.session.move(rows, "Target")
    assert plan.frame["state"].tolist() == ["change", "gone", "change"]
    assert plan.frame["subject"].isna().tolist() == [False, True, False]
    assert "1 message not there any more" in repr(plan)
    outcome = plan.apply()
    assert outcome.frame["status"].tolist() == ["done", "gone", "done"]
    assert outcome.is_complete
    assert len(mailbox.state()["Target"]) == 2


def test_where_all_rows_are_gone_there_is_nothing_to_do(
    mailbox: Mailbox, dovecot: Dovecot, user: str, rows: pd.DataFrame
) -> None:
    for uid in (1, 2, 5):
        dovecot.expunge(user, uid)
    plan = mailbox.session.delete(rows, permanently=True)
    assert plan.actions == ()
    assert plan.frame["state"].tolist() == ["gone"] * 3
    assert "3 messages not there any more" in repr(plan)
    assert plan.apply().counts == {"done": 0, "gone": 3, "failed": 0, "unknown": 0}
    moving = mailbox.session.move(rows, "Later", create=True)
    assert moving.create == ()
    assert moving.apply().is_complete
    assert not commands(mailbox.sent()) - READING  # and no folder was made


# -- what happens between plan and apply


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "demo"])
@pytest.mark.parametrize("verb", ["flag", "move", "copy", "delete for good"])
def test_what_another_client_deletes_meanwhile_is_gone(
    dovecots: Dovecots, server: str, verb: str
) -> None:
    dovecot = dovecots.get(SERVERS[server])
    user = deliver(dovecot)
    with opened(dovecot, user) as mailbox:
        plan = planned(mailbox.session, verb, rows_of(mailbox.session, 4, 2, 6))
        mailbox.expunge(2)
        outcome = plan.apply()
        assert outcome.frame["status"].tolist() == ["done", "gone", "done"]
        state = alive(mailbox.state())
        assert len(state["INBOX"]) == (5 if verb in {"flag", "copy"} else 3)
        assert len(state.get("Target", [])) == (2 if verb in {"move", "copy"} else 0)


def planned(session: mf.Session, verb: str, rows: pd.DataFrame) -> Any:
    return {
        "flag": lambda: session.mark(rows, answered=True),
        "move": lambda: session.move(rows, "Target"),
        "copy": lambda: session.copy(rows, "Target"),
        "delete for good": lambda: session.delete(rows, permanently=True),
    }[verb]()


@pytest.mark.parametrize("verb", ["flag", "move", "copy", "delete for good"])
@pytest.mark.parametrize("event", ["deleted", "renumbered"])
def test_a_folder_that_is_another_by_then_is_left_alone(
    mailbox: Mailbox, dovecot: Dovecot, user: str, event: str, verb: str
) -> None:
    session = mailbox.session
    dovecot.deliver(user, [messages.plain(n) for n in (31, 32)], "Work")
    both = pd.concat([rows_of(session, 2), rows_of(session, 1, 2, folder="Work")])
    if verb == "flag":
        both = both.iloc[::-1]
    plan = planned(session, verb, both)
    with opened(dovecot, user) as other:
        other.session.delete_folder("Work", force=True)
        if event == "renumbered":
            other.session.create_folder("Work")
            other.session.append([messages.plain(41), messages.plain(42)], "Work", apply=True)
    outcome = incomplete(plan)
    status = outcome.frame.set_index("folder")["status"].astype("str")
    assert status["INBOX"] == "done"
    assert status["Work"].tolist() == ["failed"] * 2
    reasons = outcome.frame.loc[outcome.frame["folder"] == "Work", "reason"].tolist()
    assert all(
        ("renumbered" if event == "renumbered" else "Could not open the folder") in reason
        for reason in reasons
    )
    state = mailbox.state()
    if event == "renumbered":
        assert state["Work"] == [
            ("<41@example.org>", frozenset()),
            ("<42@example.org>", frozenset()),
        ]
    assert len(state["Target"]) == (1 if verb in {"move", "copy"} else 0)


@pytest.mark.parametrize("event", ["deleted", "renumbered"])
@pytest.mark.parametrize("verb", ["move", "copy", "append"])
def test_a_target_that_is_another_by_then_gets_nothing(
    mailbox: Mailbox, dovecot: Dovecot, user: str, rows: pd.DataFrame, verb: str, event: str
) -> None:
    session = mailbox.session
    if verb == "append":
        plan = session.append(messages.plain(7), "Target")
    else:
        plan = planned(session, verb, rows)
    with opened(dovecot, user) as other:
        other.session.delete_folder("Target", force=True)
        if event == "renumbered":
            other.session.create_folder("Target")
    before = mailbox.state()
    outcome = incomplete(plan)
    assert set(outcome.frame["status"]) == {"failed"}
    assert outcome.counts["done"] == 0
    assert all("Target" in reason for reason in outcome.frame["reason"])
    assert outcome.arrived.empty
    assert mailbox.state() == before


def test_a_folder_that_was_to_be_made_and_is_there_by_then_is_taken(
    mailbox: Mailbox, dovecot: Dovecot, user: str, rows: pd.DataFrame
) -> None:
    plan = mailbox.session.move(rows, "Later", create=True)
    assert "'Later' is made first" in repr(plan)
    with opened(dovecot, user) as other:
        other.session.append(messages.plain(50), "Later", create=True, apply=True)
    assert plan.apply().counts["done"] == 3
    assert len(mailbox.state()["Later"]) == 4


def test_where_a_folder_cannot_be_made_nothing_is_done(
    mailbox: Mailbox, rows: pd.DataFrame
) -> None:
    before = mailbox.state()
    plan = mailbox.session.move(rows, "a//b", create=True)
    with pytest.raises(FolderError, match="Could not make the folder"):
        plan.apply()
    assert mailbox.state() == before


# -- what the server does not allow


def test_over_quota_nothing_is_lost_and_the_reason_is_the_servers(dovecots: Dovecots) -> None:
    dovecot = dovecots.get(extra=QUOTA)
    user = dovecot.new_user()
    dovecot.deliver(user, [messages.plain(n, "x" * 20_000 + "\r\n") for n in range(1, 5)])
    dovecot.deliver(user, [], "Target")
    with opened(dovecot, user) as mailbox:
        session = mailbox.session
        before = mailbox.state()
        rows = rows_of(session, 4, 2, 1)
        copied = incomplete(session.copy(rows, "Target"))
        assert copied.counts == {"done": 0, "gone": 0, "failed": 3, "unknown": 0}
        assert all("OVERQUOTA" in reason for reason in copied.frame["reason"])
        assert "Quota exceeded" in repr(copied)
        assert copied.arrived.empty
        large = messages.plain(9, "x" * 60_000 + "\r\n")
        appended = incomplete(session.append([large, messages.plain(10)], "Target"))
        assert appended.frame["status"].tolist() == ["failed", "done"]
        assert "OVERQUOTA" in appended.frame["reason"].iloc[0]
        state = mailbox.state()
        assert state["INBOX"] == before["INBOX"]
        assert [name for name, _ in state["Target"]] == ["<10@example.org>"]
        # What is moved takes no more room.
        assert session.move(rows, "Target", apply=True).is_complete


@pytest.fixture(scope="module")
def access() -> Iterator[str]:
    """Make settings by which one folder is only read, and into another nothing is put."""
    # Not among the folders of pytest, which are shut to the user that Dovecot runs as.
    with tempfile.TemporaryDirectory(prefix="mailframe-acl-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "acl"
        path.write_text("Locked owner lrs\nFull owner lr\n")
        path.chmod(0o644)
        yield ACL.format(path=path)


@pytest.fixture
def locked(dovecots: Dovecots, access: str, request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """Open a mailbox with such folders."""
    server = dovecots.get(request.param, access)
    user = deliver(server)
    server.deliver(user, [messages.plain(n) for n in (31, 32)], "Locked")
    server.deliver(user, [], "Full")
    with opened(server, user) as mailbox:
        yield mailbox


LOCKED = pytest.mark.parametrize(
    "locked",
    ["", "IMAP4rev1 UIDPLUS UNSELECT ACL RIGHTS=texk", "IMAP4rev1 ACL RIGHTS=texk"],
    indirect=True,
    ids=["everything", "no MOVE", "neither"],
)


@LOCKED
@pytest.mark.parametrize("verb", ["flag", "move", "delete for good", "append", "into", "copy into"])
def test_a_folder_that_is_only_read_is_said_to_be_before_and_keeps_all(
    locked: Mailbox, verb: str
) -> None:
    mailbox, session = locked, locked.session
    before, files = mailbox.state(), mailbox.disk()
    into = {"append", "into", "copy into"}
    if verb == "append":
        plan = session.append([messages.plain(7), messages.plain(8)], "Full")
    elif verb == "into":
        plan = session.move(rows_of(session, 2, 4), "Full")
    elif verb == "copy into":
        plan = session.copy(rows_of(session, 2, 4), "Full")
    else:
        plan = planned(session, verb, rows_of(session, 2, 1, folder="Locked"))
    folder = "Full" if verb in into else "Locked"
    assert any(f"In {folder!r} you may not" in text for text in plan.warnings)
    assert f"In {folder!r} you may not" in repr(plan)
    outcome = incomplete(plan)
    assert outcome.counts == {"done": 0, "gone": 0, "failed": 2, "unknown": 0}
    assert all(outcome.frame["reason"])
    assert (mailbox.state(), mailbox.disk()) == (before, files)


@LOCKED
def test_what_a_folder_allows_is_not_warned_of(locked: Mailbox) -> None:
    mailbox, session = locked, locked.session
    rows = rows_of(session, 2, 1, folder="Locked")
    for plan in (session.mark(rows, seen=True), session.copy(rows, "Target")):
        assert plan.warnings == ()
        assert plan.apply().is_complete
    assert len(living(mailbox.state(), "Target")) == 2
    assert dict(mailbox.state()["Locked"])["<31@example.org>"] == {"\\Seen"}


@LOCKED
def test_where_one_flag_is_not_kept_none_is_set(locked: Mailbox) -> None:
    mailbox, session = locked, locked.session
    before = mailbox.state()
    plan = session.mark(rows_of(session, 1, 2, folder="Locked"), seen=True, flagged=True)
    outcome = incomplete(plan)
    assert set(outcome.frame["reason"]) == {"the server does not keep \\Flagged in 'Locked'"}
    assert mailbox.state() == before


def test_a_keyword_that_the_server_refuses_is_told_in_its_words(mailbox: Mailbox) -> None:
    session = mailbox.session
    before = mailbox.state()
    outcome = incomplete(session.keyword(rows_of(session, 1, 2), add="x" * 100))
    assert outcome.counts["failed"] == 2
    assert all("too long" in reason for reason in outcome.frame["reason"])
    assert mailbox.state() == before
