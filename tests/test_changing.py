"""Mail changed from a session: what each method plans, what applying it does, how it is undone."""

from __future__ import annotations

import asyncio
import imaplib
import pickle
import re
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe.exceptions import FolderError, NotSupportedError, QueryError
from mailframe.plan import Outcome, Plan
from tests.conftest import missing
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary, modified_utf7
from tests.test_session import assert_conforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What servers announce; the demo's has MOVE and UIDPLUS.
SERVERS = {
    "everything": "",
    "no MOVE": "IMAP4rev1 UIDPLUS UNSELECT SPECIAL-USE LIST-EXTENDED",
    "neither MOVE nor UIDPLUS": "IMAP4rev1 SPECIAL-USE LIST-EXTENDED",
    "demo": "",
}
#: Each server, and each kind of session on one that can all, and on the demo's.
CALLERS = (
    ("everything", "Session"),
    ("everything", "AsyncSession"),
    ("no MOVE", "Session"),
    ("neither MOVE nor UIDPLUS", "AsyncSession"),
    ("demo", "Session"),
    ("demo", "AsyncSession"),
)
#: Commands that change nothing; a FETCH only if it peeks.
READING = {
    "AUTHENTICATE", "CAPABILITY", "ENABLE", "EXAMINE", "ID", "LIST", "LOGIN", "LOGOUT", "LSUB",
    "MYRIGHTS", "NAMESPACE", "NOOP", "STATUS", "UID FETCH", "UID SEARCH", "UNSELECT",
}  # fmt: skip
NEW = "Neu/Übersicht & Ärger 東京"
#: Flags of the INBOX's messages, from UID 1.
FLAGS = (["\\Seen", "$Todo"], ["\\Flagged"], ["\\Seen"], [], ["\\Seen", "\\Answered"], [])
ELSEWHERE = "Büro/Ablage"
DATE = datetime(2020, 2, 29, 23, 59, 58, tzinfo=UTC)

State = dict[str, list[tuple[str, frozenset[str]]]]


class Mailbox(NamedTuple):
    """An account with mail in it, a session that may change it, and ways to look from outside."""

    session: mf.Session
    address: tuple[str, int, str, str]
    files: Path | None

    def state(self) -> State:
        """Ask by a client that is not ours: of each folder Message-IDs and flags."""
        host, port, username, password = self.address
        state: State = {}
        with imaplib.IMAP4(host, port) as client:
            client.login(username, password)
            for line in client.list()[1]:
                attributes, name = re.fullmatch(rb'\((.*?)\) "/" "?(.*?)"?', line).groups()
                if b"\\No" in attributes:  # \NonExistent, \Noselect
                    continue
                client.select(f'"{name.decode()}"', readonly=True)
                state[name.decode()] = sorted(self._messages(client), key=str)
        return state

    def expunge(self, uid: int) -> None:
        """Delete a message of the INBOX by a client that is not ours."""
        host, port, username, password = self.address
        with imaplib.IMAP4(host, port) as client:
            client.login(username, password)
            client.select("INBOX")
            client.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
            client.expunge()

    def disk(self) -> set[str]:
        """Name the files of Dovecot's Maildir: flags are in the names, and what is new in new/."""
        if self.files is None:
            return set()
        found = [*self.files.rglob("cur/*"), *self.files.rglob("new/*")]
        return {str(path.relative_to(self.files)) for path in found}

    def sent(self) -> list[str]:
        """Return the lines that the session has sent."""
        trace = self.session.trace()
        return trace.loc[trace["direction"] == "C", "line"].tolist()

    @staticmethod
    def _messages(client: imaplib.IMAP4) -> Iterator[tuple[str, frozenset[str]]]:
        wanted = "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
        for item in client.uid("FETCH", "1:*", wanted)[1]:
            if isinstance(item, tuple):
                flags = {flag.decode() for flag in imaplib.ParseFlags(item[0])} - {"\\Recent"}
                yield item[1].partition(b":")[2].strip().decode(), frozenset(flags)


class Caller:
    """A session's methods, called as they are or awaited."""

    def __init__(self, session: mf.Session, way: str) -> None:
        self._session = session if way == "Session" else mf.AsyncSession(session)
        self._is_async = way == "AsyncSession"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._session, name)

        async def awaited(*args: Any, **options: Any) -> Any:
            return await method(*args, **options)

        def call(*args: Any, **options: Any) -> Any:
            return asyncio.run(awaited(*args, **options))

        return call if self._is_async else method


class Dovecots:
    """Dovecots by what they announce and how they are set up, each started once."""

    def __init__(self, stack: ExitStack) -> None:
        if dovecot_binary() is None:
            missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
        self._stack = stack
        self._running: dict[tuple[str, str], Dovecot] = {}

    def get(self, capability: str = "", extra: str = "") -> Dovecot:
        key = capability, extra
        if key not in self._running:
            server = Dovecot(capability=capability, extra=extra)
            self._running[key] = self._stack.enter_context(server)
        return self._running[key]


def deliver(dovecot: Dovecot) -> str:
    """Give a new user six messages in the INBOX, two in another folder, and three empty ones."""
    user = dovecot.new_user()
    dovecot.deliver(
        user, [(messages.many(6)[n], flags, DATE) for n, flags in enumerate(FLAGS)], "INBOX"
    )
    dovecot.deliver(user, [(messages.plain(n), [], DATE) for n in (11, 12)], ELSEWHERE)
    for folder in ("Target", "Archive", "Trash"):
        dovecot.deliver(user, [], folder)
    return user


@contextmanager
def opened(dovecot: Dovecot, user: str, *, demo: bool = False, **options: Any) -> Iterator[Mailbox]:
    """Open a user's mail for writing; ``demo`` is the same mail on the demo's server."""
    files = dovecot.maildir(user)
    if demo:
        with mf.demo(path=files, readonly=False) as session:
            server = session.server
            yield Mailbox(
                session, (server.host, server.port, session.username, session.password), None
            )
        return
    address = dovecot.host, dovecot.port, user, dovecot.password
    with mf.connect(
        dovecot.host,
        user,
        password=dovecot.password,
        port=dovecot.port,
        security="none",
        **{"readonly": False} | options,
    ) as session:
        yield Mailbox(session, address, files)


@pytest.fixture(scope="module")
def dovecots() -> Iterator[Dovecots]:
    with ExitStack() as stack:
        yield Dovecots(stack)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "caller" in metafunc.fixturenames:
        metafunc.parametrize(("mailbox", "caller"), CALLERS, indirect=True)
    elif "mailbox" in metafunc.fixturenames:
        metafunc.parametrize("mailbox", SERVERS, indirect=True)


@pytest.fixture
def mailbox(request: pytest.FixtureRequest, dovecots: Dovecots) -> Iterator[Mailbox]:
    dovecot = dovecots.get(SERVERS[request.param])
    with opened(dovecot, deliver(dovecot), demo=request.param == "demo") as mailbox:
        yield mailbox


@pytest.fixture
def caller(request: pytest.FixtureRequest, mailbox: Mailbox) -> Caller:
    return Caller(mailbox.session, request.param)


def rows_of(session: mf.Session, *uids: int, folder: str = "INBOX") -> pd.DataFrame:
    """Read headers, in this order."""
    rows = session.headers(folder=folder, progress=False).set_index("uid", drop=False)
    return rows.loc[list(uids)].reset_index(drop=True)


def living(state: State, folder: str) -> list[tuple[str, frozenset[str]]]:
    """Return what of a folder is not marked as deleted: without UIDPLUS more cannot be done."""
    return [one for one in state.get(modified_utf7(folder), []) if "\\Deleted" not in one[1]]


def alive(state: State) -> State:
    """Return what is not marked as deleted; of empty folders nothing."""
    found = {name: [one for one in state[name] if "\\Deleted" not in one[1]] for name in state}
    return {name: those for name, those in found.items() if those}


def commands(lines: list[str]) -> set[str]:
    found = (re.match(r"\S+ ((?:UID )?[A-Z]+)", line) for line in lines)
    return {match[1] for match in found if match}


PLANS: dict[str, Callable[[Any, pd.DataFrame], Any]] = {
    "mark": lambda session, rows: session.mark(rows, seen=True, answered=True, flagged=False),
    "flag": lambda session, rows: session.flag(rows),
    "flag off": lambda session, rows: session.flag(rows, on=False),
    "keyword": lambda session, rows: session.keyword(rows, add=["work", "$Done"], remove="$Todo"),
    "move": lambda session, rows: session.move(rows, "Target"),
    "move by role": lambda session, rows: session.move(rows, "\\Archive"),
    "move, create": lambda session, rows: session.move(rows, NEW, create=True),
    "copy": lambda session, rows: session.copy(rows, "Target"),
    "copy, create": lambda session, rows: session.copy(rows, NEW, create=True),
    "delete": lambda session, rows: session.delete(rows),
    "delete for good": lambda session, rows: session.delete(rows, permanently=True),
    "append": lambda session, _: session.append([messages.plain(7), messages.plain(8)], "Target"),
}


# -- planning, and what the frames hold


@pytest.mark.parametrize("name", PLANS)
def test_nothing_changes_before_the_plan_is_applied(
    mailbox: Mailbox, caller: Caller, name: str
) -> None:
    rows = rows_of(mailbox.session, 2, 5, 1)
    before, files, said = mailbox.state(), mailbox.disk(), len(mailbox.sent())
    plan = PLANS[name](caller, rows)
    assert isinstance(plan, Plan)
    repr(plan), plan._repr_html_(), plan.frame, pickle.dumps(plan)
    assert mailbox.state() == before
    assert mailbox.disk() == files
    lines = mailbox.sent()[said:]
    assert lines
    assert commands(lines) <= READING
    assert all("BODY.PEEK[" in line for line in lines if "UID FETCH" in line)

    outcome = caller.apply(plan)
    assert isinstance(outcome, Outcome)
    assert mailbox.state() != before
    assert commands(mailbox.sent()[said:]) - READING <= {
        "SELECT", "UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE", "APPEND", "CREATE",
        "SUBSCRIBE",
    }  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_frames_conform_and_are_in_the_order_of_the_rows(
    mailbox: Mailbox, tmp_path: Path, name: str
) -> None:
    session = mailbox.session
    rows = rows_of(session, 2, 5, 1)
    plan = PLANS[name](session, rows)
    outcome = plan.apply(progress=False)
    for kind, frame in (("plan", plan.frame), ("outcome", outcome.frame)):
        assert_conforms(frame, kind)
        assert frame.attrs == {"accounts": [session.account]}
        assert set(frame["account"]) == {session.account}
        frame.to_parquet(tmp_path / kind)
        back = pd.read_parquet(tmp_path / kind)
        assert_frame_equal(back.astype({"account": "category"})[["uid"]], frame[["uid"]])
        if name == "append":
            assert frame["uid"].isna().all()
            assert frame["subject"].tolist() == ["Message 7", "Message 8"]
        else:
            assert frame["uid"].tolist() == [2, 5, 1]
            assert set(frame["folder"]) == {"INBOX"}
            assert frame["uidvalidity"].tolist() == rows["uidvalidity"].tolist()
            assert frame["subject"].tolist() == rows["subject"].tolist()
            assert frame["from_address"].tolist() == rows["from_address"].tolist()
    assert set(outcome.frame["status"]) == {"done"}
    assert outcome.counts == {"done": len(outcome.fates), "gone": 0, "failed": 0, "unknown": 0}
    assert outcome.is_complete
    assert_conforms(outcome.arrived, "keys")


@pytest.mark.parametrize("name", [name for name in PLANS if name != "append"])
def test_of_no_rows_there_is_a_plan_that_does_nothing(mailbox: Mailbox, name: str) -> None:
    session = mailbox.session
    before, rows = mailbox.state(), session.headers(limit=0, progress=False)
    plan = PLANS[name](session, rows)
    assert (len(plan), plan.bytes, plan.actions) == (0, 0, ())
    assert plan
    assert_conforms(plan.frame, "plan")
    said = len(mailbox.sent())
    outcome = plan.apply()
    assert_conforms(outcome.frame, "outcome")
    assert_conforms(outcome.arrived, "keys")
    assert outcome.is_complete
    assert repr(outcome) == "Nothing was to be done."
    if "create" in name:  # the folder was asked for
        return
    assert mailbox.sent()[said:] == []
    assert mailbox.state() == before


def test_a_plan_says_how_many_messages_how_large_and_where(mailbox: Mailbox) -> None:
    session = mailbox.session
    rows = pd.concat([rows_of(session, 1, 4), rows_of(session, 2, folder=ELSEWHERE)])
    plan = session.move(rows, "Target")
    assert len(plan) == 3
    assert plan.bytes == rows["size"].sum() == plan.frame["size"].sum()
    assert plan.folders == ("INBOX", "Target", ELSEWHERE)
    assert plan.frame["state"].tolist() == ["change"] * 3
    assert plan.frame["date"].tolist() == rows["date"].tolist()
    assert plan.frame["flags"].fillna("").map(str.split).map(set).tolist()[:1] == [set(FLAGS[0])]
    assert plan.frame["target"].tolist() == ["Target"] * 3


# -- what each does


@pytest.mark.parametrize("apply", [True, False])
def test_flags_are_set_and_taken_off_and_others_stay(
    mailbox: Mailbox, caller: Caller, *, apply: bool
) -> None:
    before = dict(mailbox.state()["INBOX"])
    rows = rows_of(mailbox.session, 6, 2, 1)
    planned = caller.mark(rows, seen=True, flagged=False, apply=apply)
    outcome = planned if apply else caller.apply(planned)
    expected = before | {
        "<1@example.org>": frozenset({"\\Seen", "$Todo"}),
        "<2@example.org>": frozenset({"\\Seen"}),
        "<6@example.org>": frozenset({"\\Seen"}),
    }
    assert dict(mailbox.state()["INBOX"]) == expected
    assert outcome.frame["reason"].tolist() == ["", "", "nothing needed to be done"]


def test_every_flag_can_be_set_and_taken_off(mailbox: Mailbox) -> None:
    session, rows = mailbox.session, rows_of(mailbox.session, 4)
    names = ("seen", "answered", "flagged", "draft", "deleted")
    session.mark(rows, **dict.fromkeys(names, True), apply=True)
    assert session.headers(rows)[list(names)].iloc[0].tolist() == [True] * 5
    session.mark(rows, **dict.fromkeys(names, False), apply=True)
    assert session.headers(rows)[list(names)].iloc[0].tolist() == [False] * 5


def test_keywords_are_set_and_taken_off(mailbox: Mailbox, caller: Caller) -> None:
    rows = rows_of(mailbox.session, 1, 4)
    caller.keyword(rows, add=["work", "$Done"], remove="$todo", apply=True)
    state = dict(mailbox.state()["INBOX"])
    assert state["<1@example.org>"] == {"\\Seen", "work", "$Done"}
    assert state["<4@example.org>"] == {"work", "$Done"}


@pytest.mark.parametrize("target", ["Target", "\\Archive", NEW])
@pytest.mark.parametrize("verb", ["move", "copy"])
def test_messages_arrive_with_their_flags_and_are_told_by_new_uids(
    mailbox: Mailbox, caller: Caller, verb: str, target: str
) -> None:
    session = mailbox.session
    rows = pd.concat([rows_of(session, 2, 5), rows_of(session, 1, folder=ELSEWHERE)])
    before = alive(mailbox.state())
    plan = getattr(caller, verb)(rows, target, create=target == NEW)
    outcome = caller.apply(plan)
    name = target.removeprefix("\\")
    after = alive(mailbox.state())
    inbox = dict(before["INBOX"])
    came = [(f"<{n}@example.org>", inbox[f"<{n}@example.org>"]) for n in (2, 5)]
    came.append(("<11@example.org>", frozenset()))
    assert sorted(after[modified_utf7(name)], key=str) == sorted(came, key=str)
    left = {key: value for key, value in inbox.items() if (key, value) not in came}
    assert dict(after["INBOX"]) == (inbox if verb == "copy" else left)
    arrived = session.headers(outcome.arrived, progress=False)
    assert set(arrived["folder"]) == {name}
    assert arrived["subject"].tolist() == rows["subject"].tolist()
    assert arrived["message_id"].tolist() == rows["message_id"].tolist()
    assert arrived["uid"].tolist() == outcome.frame["new_uid"].tolist()


def test_what_is_deleted_goes_to_the_trash(mailbox: Mailbox, caller: Caller) -> None:
    outcome = caller.delete(rows_of(mailbox.session, 3, 4), apply=True)
    after = mailbox.state()
    assert {name for name, _ in living(after, "Trash")} == {"<3@example.org>", "<4@example.org>"}
    assert len(living(after, "INBOX")) == 4
    assert set(outcome.arrived["folder"]) == {"Trash"}


def test_what_is_in_the_trash_stays_there_unless_it_is_to_go_for_good(mailbox: Mailbox) -> None:
    session = mailbox.session
    session.delete(rows_of(session, 3), apply=True)
    rows = session.headers(folder="Trash", progress=False)
    plan = session.delete(rows)
    assert plan.frame["state"].tolist() == ["as it is"]
    assert "stays there, unless" in plan.warnings[0]
    session.delete(rows, permanently=True, apply=True)
    assert living(mailbox.state(), "Trash") == []


def test_only_the_rows_go_for_good_and_not_what_others_have_marked(
    mailbox: Mailbox, caller: Caller
) -> None:
    session = mailbox.session
    session.mark(rows_of(session, 1), deleted=True, apply=True)
    plan = caller.delete(rows_of(session, 2, 6), permanently=True)
    assert any("cannot be undone" in text for text in plan.warnings)
    outcome = caller.apply(plan)
    inbox = dict(mailbox.state()["INBOX"])
    assert inbox["<1@example.org>"] == {"\\Seen", "$Todo", "\\Deleted"}
    assert set(living(mailbox.state(), "INBOX")) == {
        (f"<{n}@example.org>", frozenset(FLAGS[n - 1])) for n in (3, 4, 5)
    }
    offered = session.capabilities()
    assert ("<2@example.org>" in inbox) == ("UIDPLUS" not in offered)
    said = outcome.frame["reason"].tolist()
    assert said == [""] * 2 if "UIDPLUS" in offered else "marked as deleted" in said[0]
    assert any("no UIDPLUS" in text for text in plan.warnings) == ("UIDPLUS" not in offered)


def test_messages_are_appended_as_they_are(
    mailbox: Mailbox, caller: Caller, tmp_path: Path
) -> None:
    session = mailbox.session
    (tmp_path / "one.eml").write_bytes(messages.with_attachment(21))
    made = EmailMessage()
    made["From"], made["Subject"] = "Ünal <u@example.org>", "Grüße"
    made.set_content("Schön.\n")
    plan = caller.append(
        [tmp_path / "one.eml", messages.plain(22), made],
        NEW,
        flags=["\\Seen", "$Done"],
        date=DATE,
        create=True,
    )
    assert plan.frame["subject"].tolist() == ["Message 21", "Message 22", "Grüße"]
    assert plan.frame["add"].tolist() == ["\\Seen $Done"] * 3
    outcome = caller.apply(plan)
    rows = session.headers(outcome.arrived, progress=False)
    assert rows["subject"].tolist() == ["Message 21", "Message 22", "Grüße"]
    assert rows["internal_date"].tolist() == [pd.Timestamp(DATE)] * 3
    assert rows["seen"].tolist() == [True] * 3
    assert rows["keywords"].tolist() == ["$Done"] * 3
    assert rows["size"].tolist() == plan.frame["size"].tolist()
    assert session.bodies(rows, progress=False)["text"].tolist()[2].strip() == "Schön."
    assert rows["n_attachments"].tolist() == [1, 0, 0]


def test_nothing_is_appended_where_there_is_nothing(mailbox: Mailbox) -> None:
    outcome = mailbox.session.append([], apply=True)
    assert_conforms(outcome.plan.frame, "plan")
    assert_conforms(outcome.frame, "outcome")


def test_labels_are_gmails_alone(mailbox: Mailbox, caller: Caller) -> None:
    before, said = mailbox.state(), len(mailbox.sent())
    with pytest.raises(NotSupportedError, match="Only Gmail has labels") as refused:
        caller.label(mailbox.session.search(limit=1), add="x")
    assert "session.keyword" in refused.value.suggestion
    assert commands(mailbox.sent()[said:]) <= READING
    assert mailbox.state() == before


def test_folders_are_made_renamed_subscribed_to_and_deleted(
    mailbox: Mailbox, caller: Caller
) -> None:
    session = mailbox.session
    caller.create_folder(NEW)
    caller.rename_folder(NEW, "Älter/東京")
    caller.subscribe("Älter/東京", on=False)
    caller.subscribe("Älter/東京")
    caller.copy(rows_of(session, 1, 2), "Älter/東京", apply=True)
    state = mailbox.state()
    assert len(state[modified_utf7("Älter/東京")]) == 2
    assert modified_utf7(NEW) not in state
    with pytest.raises(FolderError, match="it has messages: 2") as refused:
        caller.delete_folder("Älter/東京")
    assert "force=True" in refused.value.suggestion
    assert mailbox.state() == state
    caller.delete_folder("Älter/東京", force=True)
    assert modified_utf7("Älter/東京") not in mailbox.state()


@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.create_folder("Target"),
        lambda session: session.create_folder("INBOX"),
        lambda session: session.create_folder(""),
        lambda session: session.create_folder("a\r\nX LOGOUT"),
        lambda session: session.create_folder(None),
        lambda session: session.rename_folder("Nowhere", "Somewhere"),
        lambda session: session.rename_folder("INBOX", "Outbox"),
        lambda session: session.rename_folder("Target", "Archive"),
        lambda session: session.rename_folder("Target", ""),
        lambda session: session.rename_folder("\\Nothing", "x"),
        lambda session: session.delete_folder("Nowhere"),
        lambda session: session.delete_folder("Nowhere", force=True),
        lambda session: session.delete_folder("INBOX", force=True),
        lambda session: session.delete_folder(ELSEWHERE),
        lambda session: session.delete_folder(3),
        lambda session: session.subscribe("\\Nothing"),
    ],
)
def test_a_folder_that_cannot_be_changed_is_an_error_and_nothing_changes(
    mailbox: Mailbox, call: Callable[[mf.Session], Any]
) -> None:
    before = mailbox.state()
    with pytest.raises(FolderError) as refused:
        call(mailbox.session)
    assert refused.value.suggestion
    assert mailbox.state() == before


# -- done again, and taken back


@pytest.mark.parametrize("name", PLANS)
def test_applied_again_nothing_is_done_twice(mailbox: Mailbox, caller: Caller, name: str) -> None:
    plan = PLANS[name](caller, rows_of(mailbox.session, 2, 5, 1))
    first = caller.apply(plan)
    after = mailbox.state()
    again = caller.apply(plan)
    assert mailbox.state() == after
    assert again.is_complete
    if name == "delete for good" and "UIDPLUS" in mailbox.session.capabilities():
        assert again.counts["gone"] == 3
    else:
        assert_frame_equal(again.frame, first.frame)


@pytest.mark.parametrize("name", PLANS)
def test_a_pickled_plan_is_applied_by_another_session(
    mailbox: Mailbox, caller: Caller, name: str
) -> None:
    plan = PLANS[name](caller, rows_of(mailbox.session, 2, 5, 1))
    copied = pickle.loads(pickle.dumps(plan))
    assert copied == plan
    assert_frame_equal(copied.frame, plan.frame)
    assert repr(copied) == repr(plan)
    with pytest.raises(QueryError, match="pickled") as lost:
        copied.apply()
    assert lost.value.suggestion == "session.apply(plan)"
    host, port, username, password = mailbox.address
    with mf.connect(
        host, username, password=password, port=port, security="none", readonly=False
    ) as another:
        outcome = another.apply(copied)
        kept = pickle.loads(pickle.dumps(outcome))
        assert_frame_equal(kept.frame, outcome.frame)
        with pytest.raises(QueryError, match="pickled"):
            kept.undo()
        after = mailbox.state()
        assert caller.apply(plan).is_complete  # by the one it was made by: done already
        assert mailbox.state() == after
        if plan.can_be_undone:
            another.undo(kept).apply()


UNDONE = ("mark", "flag", "flag off", "keyword", "move", "move, create", "delete")


@pytest.mark.parametrize("name", UNDONE)
def test_what_is_undone_is_as_it_was(mailbox: Mailbox, caller: Caller, name: str) -> None:
    session = mailbox.session
    before = alive(mailbox.state())
    rows = pd.concat([rows_of(session, 2, 5, 1, 4), rows_of(session, 2, folder=ELSEWHERE)])
    plan = PLANS[name](caller, rows)
    assert plan.can_be_undone
    assert "it can be undone" in repr(plan)
    outcome = caller.apply(plan)
    after = alive(mailbox.state())
    assert after != before
    said = len(mailbox.sent())
    back = caller.undo(outcome)
    assert commands(mailbox.sent()[said:]) <= READING
    assert alive(mailbox.state()) == after
    assert_conforms(back.frame, "plan")
    assert caller.apply(back).is_complete
    assert alive(mailbox.state()) == before


def test_what_was_so_before_stays_so_when_it_is_undone(mailbox: Mailbox) -> None:
    session = mailbox.session
    outcome = session.mark(rows_of(session, 4, 3), seen=True, flagged=True, apply=True)
    session.undo(outcome).apply()
    inbox = dict(mailbox.state()["INBOX"])
    assert inbox["<3@example.org>"] == {"\\Seen"}
    assert inbox["<4@example.org>"] == frozenset()


@pytest.mark.parametrize("name", ["copy", "delete for good", "append"])
def test_what_cannot_be_undone_says_so_before_and_after(
    mailbox: Mailbox, caller: Caller, name: str
) -> None:
    plan = PLANS[name](caller, rows_of(mailbox.session, 2))
    assert not plan.can_be_undone
    assert "it cannot be undone" in repr(plan)
    assert "it cannot be undone" in plan._repr_html_()
    outcome = caller.apply(plan)
    after = mailbox.state()
    with pytest.raises(NotSupportedError, match="cannot be taken back") as refused:
        caller.undo(outcome)
    assert "session.delete(outcome.arrived)" in refused.value.suggestion
    assert mailbox.state() == after


def test_undone_twice_nothing_is_done_twice(mailbox: Mailbox) -> None:
    session, before = mailbox.session, alive(mailbox.state())
    outcome = session.move(rows_of(session, 2, 5), "Target", apply=True)
    back = outcome.undo()
    back.apply()
    assert back.apply().is_complete
    assert alive(mailbox.state()) == before


def test_what_was_not_done_is_no_part_of_what_is_undone(dovecots: Dovecots) -> None:
    dovecot = dovecots.get()
    user = deliver(dovecot)
    with opened(dovecot, user) as mailbox:
        session = mailbox.session
        plan = session.move(rows_of(session, 4, 2, 5), "Target")
        mailbox.expunge(5)
        outcome = plan.apply()
        assert outcome.frame["status"].tolist() == ["done", "done", "gone"]
        back = outcome.undo()
        assert back.frame["subject"].tolist() == outcome.frame["subject"].tolist()[:2]
        assert set(back.frame["folder"]) == {"Target"}


def test_the_original_that_was_expunged_meanwhile_costs_no_copy(dovecots: Dovecots) -> None:
    dovecot = dovecots.get(SERVERS["neither MOVE nor UIDPLUS"])
    user = deliver(dovecot)
    with opened(dovecot, user) as mailbox:
        before = alive(mailbox.state())
        session = mailbox.session
        outcome = session.move(rows_of(session, 2, 5), "Target", apply=True)
        mailbox.expunge(2)  # as a mail program does that tidies the folder up
        assert outcome.undo().apply().is_complete
        assert alive(mailbox.state()) == before


def test_no_copy_goes_whose_original_is_lost_before_the_undoing(dovecots: Dovecots) -> None:
    dovecot = dovecots.get(SERVERS["neither MOVE nor UIDPLUS"])
    user = deliver(dovecot)
    with opened(dovecot, user) as mailbox:
        session = mailbox.session
        outcome = session.move(rows_of(session, 2, 5), "Target", apply=True)
        back = outcome.undo()
        dovecot.expunge(user, 2)
        with pytest.warns(UserWarning, match="rests on what could not be done"):
            broken = back.apply()
        assert broken.counts == {"done": 1, "gone": 1, "failed": 2, "unknown": 0}
        assert {name for name, _ in living(mailbox.state(), "Target")} == {
            "<2@example.org>", "<5@example.org>",
        }  # fmt: skip
        with pytest.warns(UserWarning, match="Not all of it"):
            session.apply(pickle.loads(pickle.dumps(back)))
        assert len(living(mailbox.state(), "Target")) == 2


# -- progress


class Bar:
    """What tqdm has, as far as it is needed."""

    total = 0
    n = 0

    def update(self, n: int) -> None:
        self.n += n


@pytest.mark.parametrize("name", PLANS)
def test_a_bar_counts_to_the_end(mailbox: Mailbox, name: str) -> None:
    plan = PLANS[name](mailbox.session, rows_of(mailbox.session, 2, 5, 1))
    bar = Bar()
    outcome = plan.apply(progress=bar)
    assert bar.total == bar.n == len(plan) > 0
    assert len(outcome.fates) >= len(plan)


@pytest.mark.parametrize("read", ["headers", "message", "bodies", "search"])
def test_after_a_plan_the_folder_is_read_as_before(mailbox: Mailbox, read: str) -> None:
    session = mailbox.session
    rows = rows_of(session, 6)
    session.mark(rows_of(session, 4), answered=True, apply=True)
    before, said = mailbox.state(), len(mailbox.sent())
    if read == "message":
        session.message(6)
    else:
        getattr(session, read)(rows)
    lines = mailbox.sent()[said:]
    assert "EXAMINE" in commands(lines) <= READING
    assert mailbox.state() == before


def test_after_a_plan_no_folder_is_left_open_for_writing(mailbox: Mailbox) -> None:
    session = mailbox.session
    for planned in PLANS.values():
        said = len(mailbox.sent())
        planned(session, session.headers(limit=1, progress=False)).apply()
        names = [one.split(" ")[1] for one in mailbox.sent()[said:]]
        assert "CLOSE" not in names
        assert "EXPUNGE" not in names
        if "SELECT" in names and "UNSELECT" in session.capabilities():
            assert names[-1] == "UNSELECT"
