"""The journal: a change stands in it before it is sent, and then what became of it."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.exceptions import ConnectionFailedError, FolderError, SaveError
from mailframe.journal import Journal
from tests.imap.replies import message
from tests.rigs import messages
from tests.test_changing import ELSEWHERE, READING, commands, deliver, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs import scripted as rig
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]

FULL = Path("/dev/full")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes and files")
NEEDS_FULL = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def opened(dovecot: Dovecot, user: str, journal: Any) -> mf.Session:
    return mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none",
        readonly=False, journal=journal,
    )  # fmt: skip


def talk(server: ScriptedServer, journal: Any, **options: Any) -> mf.Session:
    return mf.connect(
        server.host, "me@example.com", password="secret-word", port=server.port, security="none",
        timeout=5, readonly=False, journal=journal, **options,
    )  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return deliver(dovecot)


@pytest.fixture
def session(dovecot: Dovecot, user: str, path: Path) -> Iterator[mf.Session]:
    with opened(dovecot, user, path) as session:
        yield session


# -- what stands in it


def test_it_is_there_from_the_beginning_and_reading_adds_nothing(
    session: mf.Session, path: Path
) -> None:
    assert path.read_bytes() == b""
    session.move(session.headers(progress=False), "Target")
    session.undo(session.flag(session.headers(limit=0), apply=True))
    assert path.read_bytes() == b""


def test_a_change_is_announced_and_its_results_are_noted(session: mf.Session, path: Path) -> None:
    began = datetime.now(UTC)
    rows = pd.concat([rows_of(session, 2, 5), rows_of(session, 1, folder=ELSEWHERE)])
    validities = dict(zip(rows["folder"].astype("str"), rows["uidvalidity"], strict=True))
    outcome = session.move(rows, "Target", apply=True)
    found = lines(path)
    assert [(one["event"], one["number"], one["folder"]) for one in found] == [
        ("begin", 0, "INBOX"), ("result", 0, "INBOX"),
        ("begin", 1, ELSEWHERE), ("result", 1, ELSEWHERE),
    ]  # fmt: skip
    arrived = dict(zip(outcome.frame["uid"], outcome.frame["new_uid"], strict=False))
    for one in found:
        assert one["account"] == session.account
        assert one["action"] == "move"
        assert one["target"] == "Target"
        assert one["uidvalidity"] == validities[one["folder"]]
        when = datetime.fromisoformat(one["time"])
        assert when.tzinfo is not None
        assert began.replace(microsecond=0) <= when <= datetime.now(UTC)
    assert found[0]["uids"] == [2, 5]
    assert found[1]["messages"] == [[2, "done", "", arrived[2]], [5, "done", "", arrived[5]]]
    assert found[1]["new_uidvalidity"] == outcome.frame["new_uidvalidity"].iloc[0]


def test_every_kind_of_change_is_noted(session: mf.Session, path: Path) -> None:
    session.mark(rows_of(session, 2), seen=True, flagged=False, apply=True)
    session.keyword(rows_of(session, 3), add="work", apply=True)
    session.copy(rows_of(session, 4), "Neu/Ärger", create=True, apply=True)
    session.append(messages.plain(77), "Target", flags="\\Seen", apply=True)
    outcome = session.delete(rows_of(session, 5), apply=True)
    outcome.undo().apply()
    session.delete(rows_of(session, 6), permanently=True, apply=True)
    found = [one for one in lines(path) if one["event"] == "begin"]
    kept = ("action", "folder", "target", "uids", "add", "remove", "letters")
    assert [{name: one[name] for name in kept if name in one} for one in found] == [
        {"action": "flags", "folder": "INBOX", "uids": [2], "add": ["\\Seen"],
         "remove": ["\\Flagged"]},
        {"action": "flags", "folder": "INBOX", "uids": [3], "add": ["work"]},
        {"action": "copy", "folder": "INBOX", "target": "Neu/Ärger", "uids": [4]},
        {"action": "append", "folder": "Target", "letters": ["77@example.org"]},
        {"action": "move", "folder": "INBOX", "target": "Trash", "uids": [5]},
        {"action": "move", "folder": "Trash", "target": "INBOX", "uids": [1]},
        {"action": "delete", "folder": "INBOX", "uids": [6]},
    ]  # fmt: skip
    results = [one for one in lines(path) if one["event"] == "result"]
    assert len(results) == len(found)
    assert all(status == "done" for one in results for _, status, _, _ in one["messages"])


def test_folders_are_noted_by_their_names(session: mf.Session, path: Path) -> None:
    session.create_folder("Neu")
    session.rename_folder("Neu", "Älter")
    session.subscribe("\\Archive", on=False)
    session.subscribe("Archive")
    session.delete_folder("Älter")
    session.move(rows_of(session, 1), "Neuer", create=True, apply=True)
    session.rename_folder("\\Archive", "Old")
    found = [one for one in lines(path) if one["event"] == "folder"]
    assert [(one["action"], one["folder"], one.get("to")) for one in found] == [
        ("create", "Neu", None),
        ("rename", "Neu", "Älter"),
        ("unsubscribe", "Archive", None),
        ("subscribe", "Archive", None),
        ("delete", "Älter", None),
        ("create", "Neuer", None),
        ("rename", "Archive", "Old"),
    ]


def test_a_folder_that_could_not_be_changed_is_not_noted(session: mf.Session, path: Path) -> None:
    with pytest.raises(FolderError):
        session.create_folder("Target")
    with pytest.raises(FolderError):
        session.delete_folder(ELSEWHERE)
    assert lines(path) == []


def test_what_failed_is_noted_with_the_reason(scripted: Scripted, path: Path) -> None:
    refusal = b"<tag> NO [OVERQUOTA] no room\r\n"
    server = scripted({"UID STORE": refusal}, messages={1: message(1), 2: message(2)})
    with talk(server, path) as session, pytest.warns(UserWarning, match="Not all of it"):
        session.flag(session.headers(progress=False), apply=True)
    [_, result] = lines(path)
    assert [one[:2] for one in result["messages"]] == [[1, "failed"], [2, "failed"]]
    assert all("no room" in reason for _, _, reason, _ in result["messages"])


def test_it_is_announced_before_it_is_sent(scripted: Scripted, path: Path) -> None:
    seen: list[list[dict[str, Any]]] = []

    def store(_tag: bytes, _args: bytes, _connection: rig.Connection) -> bytes:
        seen.append(lines(path))
        return b"* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\n<tag> OK done\r\n"

    server = scripted({"UID STORE": store}, messages={1: message(1)})
    with talk(server, path) as session:
        session.flag(session.headers(progress=False), apply=True)
    assert [[one["event"] for one in found] for found in seen] == [["begin"]]
    assert [one["event"] for one in lines(path)] == ["begin", "result"]


def test_what_was_begun_when_the_connection_was_lost_is_known(
    scripted: Scripted, path: Path
) -> None:
    def store(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.close()

    server = scripted({"UID STORE": store}, messages={1: message(1)})
    with talk(server, path, reconnect=0) as session:
        plan = session.flag(session.headers(progress=False))
        with pytest.warns(UserWarning, match="Not all of it"):
            plan.apply()
    [begin, result] = lines(path)
    assert begin["uids"] == [1]
    assert result["messages"][0][:2] == [1, "unknown"]


def test_there_is_no_content_of_messages_in_it_and_no_secret(
    dovecot: Dovecot, session: mf.Session, path: Path
) -> None:
    session.move(session.headers(progress=False), "Target", apply=True)
    session.append(
        messages.plain(78, "Very private.\r\n", subject="Confidential"), "Target", apply=True
    )
    session.delete(session.headers(folder="Target"), permanently=True, apply=True)
    text = path.read_text("utf-8")
    assert "78@example.org" in text  # by which an appended message is known
    for word in (dovecot.password, "private", "Confidential", "alice", "Message 1", "Grüße"):
        assert word not in text


def test_names_of_any_script_stand_there_as_they_are(session: mf.Session, path: Path) -> None:
    name = "東京 & Ärger"
    session.create_folder(name)
    assert name in path.read_text("utf-8")
    assert lines(path)[0]["folder"] == name


# -- the file


@POSIX
def test_a_new_one_is_read_by_its_owner_alone(dovecot: Dovecot, user: str, path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(dovecot, user, path) as session:
            session.flag(rows_of(session, 4), apply=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@POSIX
def test_one_that_is_there_keeps_its_lines_and_its_mode(
    dovecot: Dovecot, user: str, path: Path
) -> None:
    path.write_text('{"event": "before"}\n')
    path.chmod(0o640)
    with opened(dovecot, user, str(path)) as session:
        session.flag(rows_of(session, 4), apply=True)
    assert [one["event"] for one in lines(path)] == ["before", "begin", "result"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_home_folder_may_be_meant(
    dovecot: Dovecot, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    opened(dovecot, user, "~/journal").close()
    assert (tmp_path / "journal").exists()


def test_it_stays_where_it_was_when_the_program_goes_elsewhere(
    dovecot: Dovecot, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with opened(dovecot, user, "journal") as session:
        monkeypatch.chdir(tmp_path / "elsewhere")
        session.flag(rows_of(session, 4), apply=True)
    assert len(lines(tmp_path / "journal")) == 2


def test_two_sessions_share_one(dovecot: Dovecot, path: Path) -> None:
    users = [deliver(dovecot) for _ in range(2)]
    errors: list[BaseException] = []

    def change(user: str) -> None:
        try:
            with opened(dovecot, user, path) as session:
                for _ in range(20):
                    session.keyword(rows_of(session, 1, 4), add="work", apply=True)
                    session.keyword(rows_of(session, 1, 4), remove="work", apply=True)
        except BaseException as error:  # noqa: BLE001 the test's own thread raises it
            errors.append(error)

    threads = [threading.Thread(target=change, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = lines(path)
    for user in users:
        events = [one["event"] for one in found if one["account"].startswith(f"{user}@")]
        assert events == ["begin", "result"] * 40


def test_the_asynchronous_session_has_one_too(dovecot: Dovecot, user: str, path: Path) -> None:
    import asyncio  # noqa: PLC0415 here alone

    async def change() -> None:
        async with mf.connect_async(
            dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none",
            readonly=False, journal=path,
        ) as session:  # fmt: skip
            plan = await session.flag(await session.headers(limit=2))
            await session.apply(plan)

    asyncio.run(change())
    assert [one["event"] for one in lines(path)] == ["begin", "result"]


# -- where it cannot be written


@pytest.mark.parametrize(
    "journal",
    ["folder", "nowhere/journal", 3, "a\0b", pytest.param(FULL, marks=NEEDS_FULL)],
    ids=["a folder", "in no folder", "a number", "a NUL", "a full disk"],
)
def test_one_that_cannot_be_written_is_an_error_at_once(
    dovecot: Dovecot, user: str, tmp_path: Path, journal: Any
) -> None:
    (tmp_path / "folder").mkdir()
    where = tmp_path / journal if isinstance(journal, str) and "\0" not in journal else journal
    with pytest.raises(SaveError, match="journal"):
        opened(dovecot, user, where)


CHANGES: dict[str, Callable[[mf.Session], Any]] = {
    "flag": lambda session: session.flag(rows_of(session, 1, 4)),
    "move": lambda session: session.move(rows_of(session, 1, 4), "Target"),
    "copy": lambda session: session.copy(rows_of(session, 1, 4), "Target"),
    "delete": lambda session: session.delete(rows_of(session, 1, 4), permanently=True),
    "append": lambda session: session.append(messages.plain(7), "Target"),
}


def sent(session: mf.Session) -> list[str]:
    trace = session.trace()
    return trace.loc[trace["direction"] == "C", "line"].tolist()


@NEEDS_FULL
@pytest.mark.parametrize("name", CHANGES)
def test_where_the_disk_is_full_by_then_nothing_is_sent(
    session: mf.Session, path: Path, name: str
) -> None:
    plan = CHANGES[name](session)
    said = len(sent(session))
    session._journal.path = FULL
    with pytest.raises(SaveError, match="Could not write the journal") as full:
        plan.apply()
    assert "No space left" in full.value.reply
    assert commands(sent(session)[said:]) <= READING
    session._journal.path = path  # somebody made room: the same plan can be applied
    assert plan.apply().is_complete
    assert [one["event"] for one in lines(path)] == ["begin", "result"]


@contextmanager
def room_for(path: Path, octets: int) -> Iterator[None]:
    """Let files grow no larger than this one and so many octets: then they are cut."""
    resource = pytest.importorskip("resource", reason="Windows limits no files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_half_a_line_finds_room_nothing_is_sent(session: mf.Session, path: Path) -> None:
    plan = session.flag(rows_of(session, 1, 4))
    said = len(sent(session))
    with room_for(path, 20), pytest.raises(SaveError, match="Could not write the journal"):
        plan.apply()
    assert len(path.read_bytes()) == 20
    assert commands(sent(session)[said:]) <= READING
    assert plan.apply().is_complete  # what follows begins on a line of its own
    cut, *whole = path.read_text().splitlines()
    assert len(cut) == 20
    assert [json.loads(line)["event"] for line in whole] == ["begin", "result"]


def test_a_plan_that_is_broken_off_by_the_journal_is_finished_by_applying_it_again(
    session: mf.Session,
) -> None:
    rows = pd.concat([rows_of(session, 2, 5), rows_of(session, 1, folder=ELSEWHERE)])
    plan = session.move(rows, "Target")
    write, allowed = Journal._append, [2]  # the first folder, and not the second

    def until_full(self: Journal, text: str) -> None:
        if not allowed[0]:
            raise SaveError("Could not write the journal.", reply="No space left on device")
        allowed[0] -= 1
        write(self, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "_append", until_full)
        with pytest.warns(UserWarning, match="Could not write the journal"):
            outcome = plan.apply()
    assert outcome.counts == {"done": 2, "gone": 0, "failed": 1, "unknown": 0}
    assert "journal" in outcome.error
    assert session.count(folder="Target") == 2
    assert plan.apply().is_complete
    assert session.headers(folder="Target")["message_id"].is_unique
    assert session.count(folder="Target") == 3


def test_a_session_that_could_not_be_journalled_leaves_no_connection_open(
    scripted: Scripted, tmp_path: Path
) -> None:
    server = scripted()
    with pytest.raises(SaveError):
        talk(server, tmp_path)
    assert len(server.commands("LOGOUT")) == 1


def test_a_session_that_is_closed_notes_nothing(session: mf.Session, path: Path) -> None:
    plan = session.flag(rows_of(session, 4))
    session.close()
    with pytest.warns(UserWarning, match="Not all of it") as said:
        outcome = plan.apply()
    assert "closed" in str(said[0].message)
    assert outcome.counts["failed"] == 1
    assert lines(path) == []
    with pytest.raises(ConnectionFailedError):
        session.create_folder("x")
    assert not re.search("create", path.read_text())
