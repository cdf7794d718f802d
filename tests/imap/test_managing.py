"""The client for scripts changes mail at once: on Dovecot with more and less, and on our own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from mailframe.actions import Result
from mailframe.embedded.server import Server
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    MailFileError,
    NotSupportedError,
    QueryError,
    ReadOnlyError,
)
from mailframe.imap import IMAPClient
from mailframe.imap.ledger import place_of
from tests.conftest import missing
from tests.imap.changing import EVERYTHING, NO_MOVE, NOTHING, Box, changing, hang_up, sent
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.scripted import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.scripted import Connection as Line
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Signed = Callable[..., IMAPClient]

SEEN, DELETED, FLAGGED = "\\Seen", "\\Deleted", "\\Flagged"
SERVERS = {
    "everything": "",
    "no MOVE": "IMAP4rev1 UIDPLUS UNSELECT LITERAL+",
    "neither": "IMAP4rev1",
    "embedded": "",
}


class Rig:
    """A server with a mailbox, and two clients of it: the one that is tested, and a witness."""

    def __init__(self, name: str, client: IMAPClient, witness: IMAPClient) -> None:
        self.name = name
        self.client = client
        self.witness = witness

    @property
    def has_uidplus(self) -> bool:
        return self.name != "neither"

    def flags(self, folder: str = "INBOX") -> dict[str | None, set[str]]:
        """Say what another program sees: flags by subject."""
        self.witness.select_folder(folder)
        return {one.subject: set(one.flags) for one in self.witness.fetch_emails()}

    def subjects(self, folder: str = "INBOX") -> list[str | None]:
        self.witness.select_folder(folder)
        return [one.subject for one in reversed(self.witness.fetch_emails())]


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], tuple[Any, str, str]]]:
    """Return a function: a server of a name of `SERVERS`, a new user, and the password."""
    started: dict[str, Dovecot] = {}
    users = [f"user{number}" for number in range(200)]
    with ExitStack() as stack:
        own = stack.enter_context(Server(dict.fromkeys(users, "secret")))

        def start(name: str) -> tuple[Any, str, str]:
            if name == "embedded":
                return own, users.pop(), "secret"
            if dovecot_binary() is None:
                missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
            if name not in started:
                started[name] = stack.enter_context(Dovecot(capability=SERVERS[name]))
            server = started[name]
            return server, server.new_user(), server.password

        yield start


@pytest.fixture(params=SERVERS)
def rig(
    request: pytest.FixtureRequest, servers: Callable[[str], tuple[Any, str, str]]
) -> Iterator[Rig]:
    """Return a mailbox of five messages, and the folder Archive."""
    server, user, password = servers(request.param)
    with IMAPClient(readonly=False) as client, IMAPClient() as witness:
        for one in (client, witness):
            one.connect(server.host, server.port, use_ssl=False, timeout=5, **_trust(server))
            one.authenticate(user, password)
        for number in range(1, 6):
            client.append(messages.plain(number), "INBOX")
        if "Archive" not in {folder.name for folder in client.list_folders()}:
            client.create_folder("Archive")
        client.select_folder("INBOX")
        yield Rig(request.param, client, witness)


def _trust(server: Any) -> dict[str, Any]:
    return {"ssl_context": server.ssl_context} if isinstance(server, Dovecot) else {}


@pytest.fixture
def client_of() -> Iterator[Signed]:
    """Return a function that signs in to a scripted server, to write unless told otherwise."""
    clients = []

    def start(server: ScriptedServer, *, readonly: bool = False) -> IMAPClient:
        client = IMAPClient(readonly=readonly)
        clients.append(client)
        client.connect(server.host, server.port, use_ssl=False, timeout=5)
        client.authenticate("me@example.com", "secret")
        client.select_folder("INBOX")
        return client

    yield start
    for client in clients:
        client.disconnect()


def said(results: list[Result]) -> dict[int, str]:
    return {one.uid: one.status for one in results}


# -- the open folder, which others change


def test_how_far_the_open_folder_is_numbered_is_as_it_is_now(rig: Rig) -> None:
    rig.witness.readonly = False
    rig.witness.append(messages.plain(6), "INBOX")
    rig.witness.select_folder("INBOX")
    rig.witness.delete([2])
    if rig.has_uidplus:
        rig.witness.expunge([2])
    for name in ("INBOX", "inbox"):
        assert place_of(rig.client.connection, name).uidnext == 7
    assert said(rig.client.set_flags([6], SEEN)) == {6: "done"}  # it is open for writing still
    [again] = [rig.client.append(messages.plain(6), "INBOX")]
    assert again.new_uid == 7


def test_where_mail_is_put_into_the_open_folder_others_mail_is_not_taken_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.imap.transfer._codes", lambda *_: iter(()))  # no APPENDUID
    rig.witness.readonly = False
    rig.witness.append(messages.plain(6), "INBOX")
    assert rig.client.append(messages.plain(6), "INBOX").new_uid == 7
    assert rig.subjects().count("Message 6") == 2


# -- flags


def test_flags_are_set_and_taken_off(rig: Rig) -> None:
    client = rig.client
    assert said(client.set_flags([1, 2, 3], add=[SEEN, "$project"])) == dict.fromkeys(
        [1, 2, 3], "done"
    )
    assert said(client.set_flags([2], FLAGGED, SEEN)) == {2: "done"}
    assert said(client.set_flags((uid for uid in (3, 3)), remove="$project")) == {3: "done"}
    assert rig.flags() == {
        "Message 1": {SEEN, "$project"},
        "Message 2": {FLAGGED, "$project"},
        "Message 3": {SEEN},
        "Message 4": set(),
        "Message 5": set(),
    }


def test_flags_that_are_set_already_stay_set(rig: Rig) -> None:
    for _ in range(2):
        assert said(rig.client.set_flags([1, 2], SEEN)) == {1: "done", 2: "done"}
    assert said(rig.client.set_flags([1, 2], remove=FLAGGED)) == {1: "done", 2: "done"}
    assert rig.flags()["Message 1"] == {SEEN}


def test_results_come_in_order_with_those_that_are_not_there(rig: Rig) -> None:
    for results in (
        rig.client.set_flags([99, 2, 77, 1, 2], SEEN),
        rig.client.copy([99, 2, 77, 1, 2], "Archive"),
        rig.client.move([99, 2, 77, 1, 2], "Archive"),
    ):
        assert [(one.uid, one.status) for one in results] == [
            (1, "done"),
            (2, "done"),
            (77, "gone"),
            (99, "gone"),
        ]
    assert rig.client.set_flags([77], SEEN) == [Result(77, "gone")]


def test_nothing_is_done_with_no_messages(rig: Rig) -> None:
    client = rig.client
    assert client.set_flags([], SEEN) == []
    assert client.move([], "Archive") == client.copy([], "Archive") == client.delete([]) == []
    if rig.has_uidplus:
        assert client.expunge([]) == []
    assert rig.flags() == {f"Message {n}": set() for n in range(1, 6)}


# -- moved and copied


def test_messages_are_moved(rig: Rig) -> None:
    results = rig.client.move([1, 3, 4], "Archive")
    assert said(results) == dict.fromkeys([1, 3, 4], "done")
    assert rig.subjects("Archive") == ["Message 1", "Message 3", "Message 4"]
    rig.client.select_folder("Archive")
    assert [one.new_uid for one in results] == rig.client.search()[::-1]
    if rig.has_uidplus:
        assert rig.subjects() == ["Message 2", "Message 5"]
    else:
        assert {name for name, flags in rig.flags().items() if DELETED in flags} == {
            "Message 1",
            "Message 3",
            "Message 4",
        }
        assert all(one.stays for one in results)


def test_messages_are_copied(rig: Rig) -> None:
    rig.client.set_flags([1], [SEEN, "$x"])
    results = rig.client.copy([1, 5], "Archive")
    assert said(results) == {1: "done", 5: "done"}
    assert rig.flags("Archive") == {"Message 1": {SEEN, "$x"}, "Message 5": set()}
    assert len(rig.subjects()) == 5
    rig.client.select_folder("Archive")
    assert [one.new_uid for one in results] == rig.client.search()[::-1]
    assert {one.new_uidvalidity for one in results} == {
        rig.client.folder_status("Archive").uidvalidity
    }


def test_messages_are_copied_within_their_folder(rig: Rig) -> None:
    results = rig.client.copy([2, 3], "INBOX")
    assert said(results) == {2: "done", 3: "done"}
    assert rig.subjects() == [f"Message {n}" for n in (1, 2, 3, 4, 5, 2, 3)]
    assert [one.new_uid for one in results] == [6, 7]


def test_the_folder_that_was_open_stays_open_to_write(rig: Rig) -> None:
    client = rig.client
    steps: list[Callable[[], object]] = [
        lambda: client.copy([1], "Archive"),
        lambda: client.append(messages.plain(9), "Archive"),
        lambda: client.move([2], "Archive"),
        lambda: client.set_flags([3], SEEN),
    ]
    for step in steps:
        step()
        assert client.connection.the_selected().folder == "INBOX"
        assert said(client.set_flags([4], FLAGGED)) == {4: "done"}
        assert client.search("FLAGGED") == [4]


def test_what_was_made_elsewhere_is_changed_too(rig: Rig) -> None:
    other = rig.client.append(messages.plain(9), "INBOX")
    assert other.new_uid == 6
    assert said(rig.client.move([6], "Archive")) == {6: "done"}
    assert rig.subjects("Archive") == ["Message 9"]


@pytest.mark.parametrize("name", ["Büro", 'say "hi"', "R&D", "with  blanks ", "日本"])
def test_folders_of_every_name_are_moved_into(rig: Rig, name: str) -> None:
    existing = {folder.name for folder in rig.client.list_folders()}
    if name not in existing:
        rig.client.create_folder(name)
    [result] = rig.client.move([1], name)
    assert result.status == "done"
    assert rig.subjects(name) == ["Message 1"]
    rig.client.delete_folder(name, force=True)
    assert name not in {folder.name for folder in rig.client.list_folders()}


@pytest.mark.parametrize("verb", ["move", "copy", "append"])
def test_a_folder_that_is_missing_is_an_error_and_nothing_is_changed(rig: Rig, verb: str) -> None:
    client = rig.client
    with pytest.raises(FolderError, match="Nowhere"):
        getattr(client, verb)(messages.plain(9) if verb == "append" else [1, 2], "Nowhere")
    assert rig.flags() == {f"Message {n}": set() for n in range(1, 6)}
    assert client.connection.the_selected().folder == "INBOX"


# -- deleted


def test_deleted_messages_are_marked_and_then_expunged(rig: Rig) -> None:
    client = rig.client
    client.set_flags([5], DELETED)  # another's
    assert said(client.delete([1, 2])) == {1: "done", 2: "done"}
    assert len(rig.subjects()) == 5
    if rig.has_uidplus:
        # What is not marked stays, and what others have marked.
        assert client.expunge([1, 2, 3, 77]) == [3]
        assert rig.subjects() == ["Message 3", "Message 4", "Message 5"]
        assert rig.flags()["Message 5"] == {DELETED}
    else:
        with pytest.raises(NotSupportedError, match="UIDPLUS"):
            client.expunge([1, 2])
        assert len(rig.subjects()) == 5


# -- appended

DATE = datetime(2026, 1, 5, 9, 30, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))


@pytest.mark.parametrize("content", [messages.plain(9), messages.undeclared_latin1(9)])
def test_a_message_is_appended(rig: Rig, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(content.replace(b"\r\n", b"\n"))
    for mail in (content, path, str(path)):
        result = rig.client.append(mail, "Archive", flags=[SEEN, "$x"], date=DATE)
        assert result.status == "done"
        rig.witness.select_folder("Archive")
        [uid] = rig.witness.search(limit=1)
        assert result.new_uid == uid
        [email] = rig.witness.fetch_emails(limit=1)
        assert set(email.flags) == {SEEN, "$x"}
        assert email.size == len(content)
        found = rig.witness.search("SINCE 5-Jan-2026 BEFORE 6-Jan-2026")
        assert uid in found


def test_a_message_of_python_is_appended(rig: Rig) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Grüße"
    mail["From"] = "Jürgen <j@example.org>"
    mail.set_content("Grüße.\n", cte="8bit")
    result = rig.client.append(mail, flags=SEEN)
    assert (result.uid, result.status, result.new_uid) == (0, "done", 6)
    rig.witness.select_folder("INBOX")
    [email] = rig.witness.fetch_emails(limit=1, fetch_body=True)
    assert (email.subject, email.text, email.flags) == ("Grüße", "Grüße.\n", (SEEN,))


def test_messages_are_appended_without_a_folder_open(rig: Rig) -> None:
    client = rig.client
    client.connection.selected = None
    assert client.append(messages.plain(9), "Archive").status == "done"
    assert client.connection.selected is None


def test_a_big_message_is_appended_whole(rig: Rig) -> None:
    content = messages.with_attachment(9, content=bytes(range(256)) * 4000)
    rig.client.append(content, "Archive")
    rig.witness.select_folder("Archive")
    [email] = rig.witness.fetch_emails()
    [attachment] = email.attachments
    found = rig.witness.fetch_attachment(email, attachment)
    assert found.content == bytes(range(256)) * 4000


# -- folders


def test_folders_are_made_renamed_and_deleted(rig: Rig) -> None:
    client = rig.client
    before = {folder.name for folder in client.list_folders()}
    client.create_folder("Projects")
    client.append(messages.plain(1), "Projects")
    client.rename_folder("Projects", "Done")
    assert {folder.name for folder in client.list_folders()} == {*before, "Done"}
    with pytest.raises(FolderError, match="it has messages: 1"):
        client.delete_folder("Done")
    client.subscribe("Done", on=False)
    client.subscribe("Done")
    client.delete_folder("Done", force=True)
    assert {folder.name for folder in client.list_folders()} == before
    assert client.search() == [5, 4, 3, 2, 1]


# -- bad input


@pytest.mark.parametrize(
    "uids",
    [
        [0], [-1], [1, True], ["1"], "1", "1:3", [1.0], [None], [2**32], None, [[1]], 0, {"a": 1},
        b"\x01", np.array([True]), np.array([1.0]), [np.int64(0)],
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["set_flags", "move", "copy", "delete", "expunge"])
def test_what_is_no_uid_is_refused_before_anything_is_changed(
    scripted: Scripted, client_of: Signed, verb: str, uids: Any
) -> None:
    server, client = _scripted(scripted, client_of)
    arguments = {"set_flags": (SEEN,), "move": ("Archive",), "copy": ("Archive",)}
    with pytest.raises(QueryError, match="no UID") as refused:
        getattr(client, verb)(uids, *arguments.get(verb, ()))
    assert "client.search(" in refused.value.suggestion
    assert changing(server.received) == []


@pytest.mark.parametrize(
    "uids",
    [np.array([2, 1]), [np.int64(1), np.uint32(2), 2], pd.Series([1, 2]), pd.Index([2, 1])],
    ids=["an array", "numbers", "a Series", "an Index"],
)
def test_uids_may_be_numpys(scripted: Scripted, client_of: Signed, uids: Any) -> None:
    server, client = _scripted(scripted, client_of)
    results = client.set_flags(uids, SEEN)
    assert said(results) == {1: "done", 2: "done"}
    assert {type(one.uid) for one in results} == {int}
    assert server.commands("UID STORE") == [b"1:2 +FLAGS (\\Seen)"]


def test_one_uid_stands_for_itself(scripted: Scripted, client_of: Signed) -> None:
    server, client = _scripted(scripted, client_of)
    assert said(client.set_flags(2, SEEN)) == {2: "done"}  # type: ignore[arg-type]
    assert server.commands("UID STORE") == [b"2 +FLAGS (\\Seen)"]


@pytest.mark.parametrize("flag", ["two words", "ü", "\\Recent", "a\r\nb", ""])
def test_what_is_no_flag_is_refused_before_anything_is_sent(
    scripted: Scripted, client_of: Signed, flag: str
) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    acts: list[Callable[[], object]] = [
        lambda: client.set_flags([1], add=flag),
        lambda: client.set_flags([1], remove=[SEEN, flag]),
        lambda: client.append(messages.plain(), flags=flag),
    ]
    for act in acts:
        with pytest.raises(QueryError, match="is no flag"):
            act()
    assert len(server.received) == before


@pytest.mark.parametrize("words", [None, 3, b"x", [["x"]]], ids=repr)
def test_what_is_neither_a_flag_nor_several_is_refused_before_anything_is_sent(
    scripted: Scripted, client_of: Signed, words: Any
) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    acts: list[Callable[[], object]] = [
        lambda: client.set_flags([1], add=words),
        lambda: client.set_flags([1], remove=words),
        lambda: client.append(messages.plain(), flags=words),
    ]
    for act in acts:
        with pytest.raises(QueryError, match="is neither a word nor several"):
            act()
    assert len(server.received) == before


def test_a_flag_is_not_set_and_taken_off_at_once(scripted: Scripted, client_of: Signed) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    with pytest.raises(QueryError, match="x: to be set and taken off at once"):
        client.set_flags([1], add=["x", SEEN], remove="X")
    assert len(server.received) == before


NAMED: dict[str, Callable[[IMAPClient, Any], object]] = {
    "move": lambda client, name: client.move([1], name),
    "copy": lambda client, name: client.copy([1], name),
    "append": lambda client, name: client.append(messages.plain(), name),
    "create": lambda client, name: client.create_folder(name),
    "rename": lambda client, name: client.rename_folder(name, "New"),
    "rename to": lambda client, name: client.rename_folder("Archive", name),
    "delete": lambda client, name: client.delete_folder(name),
    "delete with messages": lambda client, name: client.delete_folder(name, force=True),
    "subscribe": lambda client, name: client.subscribe(name),
    "open": lambda client, name: client.select_folder(name),
}


@pytest.mark.parametrize("name", [None, 5, b"Archive", ["Archive"]], ids=repr)
@pytest.mark.parametrize("act", NAMED)
def test_what_is_no_name_is_refused_before_anything_is_sent(
    scripted: Scripted, client_of: Signed, act: str, name: Any
) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    with pytest.raises(QueryError, match="is no name of a folder") as refused:
        NAMED[act](client, name)
    assert "list_folders()" in refused.value.suggestion
    assert len(server.received) == before


@pytest.mark.parametrize("value", ["no", None, 1, 0], ids=repr)
def test_a_yes_or_no_is_taken_for_nothing_else(
    scripted: Scripted, client_of: Signed, value: Any
) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    with pytest.raises(QueryError, match=r"force=.* is neither True nor False"):
        client.delete_folder("Archive", force=value)
    with pytest.raises(QueryError, match=r"on=.* is neither True nor False"):
        client.subscribe("Archive", on=value)
    assert len(server.received) == before


@pytest.mark.parametrize(
    ("mail", "options", "error"),
    [
        (b"no message", {}, QueryError),
        (b"Subject: a\r\n\r\n\0", {}, QueryError),
        ("nothing.eml", {}, MailFileError),
        (5, {}, QueryError),
        (messages.plain(), {"date": "2026-01-05"}, QueryError),
    ],
)
def test_what_cannot_be_appended_is_refused_before_anything_is_sent(
    scripted: Scripted,
    client_of: Signed,
    mail: Any,
    options: dict[str, Any],
    error: type[Exception],
) -> None:
    server, client = _scripted(scripted, client_of)
    before = len(server.received)
    with pytest.raises(error):
        client.append(mail, **options)
    assert len(server.received) == before


@pytest.mark.parametrize("verb", ["set_flags", "move", "copy", "delete", "expunge"])
def test_a_folder_must_be_open(scripted: Scripted, client_of: Signed, verb: str) -> None:
    server, client = _scripted(scripted, client_of)
    client.connection.selected = None
    arguments = {"set_flags": (SEEN,), "move": ("Archive",), "copy": ("Archive",)}
    with pytest.raises(FolderError, match="No folder is open"):
        getattr(client, verb)([1], *arguments.get(verb, ()))
    assert changing(server.received) == []


def _scripted(
    scripted: Scripted, client_of: Signed, capabilities: str = EVERYTHING, **handlers: Any
) -> tuple[ScriptedServer, IMAPClient]:
    box = Box({"INBOX": [1, 2, 3], "Archive": []}, capabilities)
    named = {name.replace("_", " "): handler for name, handler in handlers.items()}
    server = scripted(box.handlers() | named, capabilities=capabilities)
    return server, client_of(server)


# -- refusals, and lines that break


@pytest.mark.parametrize("verb", ["move", "copy", "set_flags", "append"])
def test_a_refusal_is_a_result(scripted: Scripted, client_of: Signed, verb: str) -> None:
    no = b"<tag> NO [NOPERM] not yours\r\n"
    _, client = _scripted(scripted, client_of, UID_MOVE=no, UID_COPY=no, UID_STORE=no, APPEND=no)
    if verb == "append":
        assert client.append(messages.plain(), "Archive") == Result(
            0, "failed", "NO [NOPERM] not yours"
        )
        return
    results = getattr(client, verb)([1, 2], SEEN if verb == "set_flags" else "Archive")
    assert said(results) == {1: "failed", 2: "failed"}
    assert {one.reason for one in results} == {"NO [NOPERM] not yours"}


@pytest.mark.parametrize("verb", ["move", "copy", "set_flags", "append"])
def test_what_is_not_known_is_said_where_the_line_is_lost(
    scripted: Scripted, client_of: Signed, verb: str
) -> None:
    lost = hang_up(lambda *_: None)
    server, client = _scripted(
        scripted,
        client_of,
        f"{EVERYTHING} MESSAGELIMIT=2",
        UID_MOVE=lost,
        UID_COPY=lost,
        UID_STORE=lost,
        APPEND=lost,
    )
    # No line is to be had any more.
    _shut(server, client)
    if verb == "append":
        assert client.append(messages.plain(), "Archive").status == "unknown"
    else:
        results = getattr(client, verb)([1, 2, 3], SEEN if verb == "set_flags" else "Archive")
        assert said(results) == {1: "unknown", 2: "unknown", 3: "failed"}
        assert results[2].reason.startswith("not tried: ")
    with pytest.raises(ConnectionFailedError):
        client.search()
    # The folder is open again, to be written to, as soon as there is a line.
    server.handlers.update({name: DEFAULTS[name] for name in ("LOGIN", "UID SEARCH")})
    client.connection.retry = replace(client.connection.retry, seconds=60)
    before = len(server.received)
    assert client.search() == []
    assert said(client.set_flags([1], SEEN)).keys() == {1}
    opened = [one for one in sent(server.received, since=before) if b'"INBOX"' in one]
    assert opened[-1].startswith(b"SELECT")


def _shut(server: ScriptedServer, client: IMAPClient) -> None:
    """Let nobody sign in again."""
    client.connection.retry = replace(client.connection.retry, seconds=0)
    server.handlers["LOGIN"] = hang_up(lambda *_: None)


def test_a_line_that_is_lost_is_had_again(scripted: Scripted, client_of: Signed) -> None:
    box = Box({"INBOX": [1, 2, 3], "Archive": []})
    handlers = box.handlers()

    def half(args: bytes, connection: Line) -> None:
        box.move(args, connection, only={1})
        server.handlers["UID MOVE"] = handlers["UID MOVE"]

    server = scripted(handlers | {"UID MOVE": hang_up(half)}, capabilities=EVERYTHING)
    client = client_of(server)
    assert said(client.move([1, 2], "Archive")) == {1: "done", 2: "done"}
    assert box.numbers("Archive") == [1, 2]
    assert client.connection.the_selected().folder == "INBOX"
    assert said(client.set_flags([3], SEEN)) == {3: "done"}


# -- what is sent


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE, NOTHING])
def test_what_others_have_marked_is_never_expunged(
    scripted: Scripted, client_of: Signed, capabilities: str
) -> None:
    server, client = _scripted(scripted, client_of, capabilities)
    client.delete([1])
    client.move([2], "Archive")
    client.copy([3], "Archive")
    if capabilities != NOTHING:
        client.expunge([1])
    client.select_folder("Archive")
    client.disconnect()
    names = {one.partition(b" ")[0] for one in sent(server.received)}
    assert not names & {b"EXPUNGE", b"CLOSE", b"STORE", b"COPY", b"MOVE"}


#: What changes something, by name.
ACTS: dict[str, Callable[[IMAPClient], object]] = {
    "set_flags": lambda client: client.set_flags([1], SEEN),
    "move": lambda client: client.move([1], "Archive"),
    "copy": lambda client: client.copy([1], "Archive"),
    "delete": lambda client: client.delete([1]),
    "expunge": lambda client: client.expunge([1]),
    "append": lambda client: client.append(messages.plain(9)),
    "create_folder": lambda client: client.create_folder("New"),
    "rename_folder": lambda client: client.rename_folder("Archive", "New"),
    "delete_folder": lambda client: client.delete_folder("Archive", force=True),
    "subscribe": lambda client: client.subscribe("Archive"),
}
#: What changes nothing.
READING = {
    "authenticate", "authenticate_oauth2", "capabilities", "connect", "connection", "disconnect",
    "fetch_attachment", "fetch_emails", "folder_status", "iter_emails", "list_folders", "readonly",
    "search", "select_folder",
}  # fmt: skip


def test_every_method_is_known_to_change_something_or_nothing() -> None:
    public = {name for name in dir(IMAPClient) if not name.startswith("_")}
    assert public | {"readonly"} == ACTS.keys() | READING


@pytest.mark.parametrize("capabilities", [EVERYTHING, NOTHING])
@pytest.mark.parametrize("name", ACTS)
def test_a_client_that_only_reads_sends_nothing(
    scripted: Scripted, client_of: Signed, name: str, capabilities: str
) -> None:
    box = Box({"INBOX": [1], "Archive": []}, capabilities)
    server = scripted(box.handlers(), capabilities=capabilities)
    client = client_of(server, readonly=True)
    before = list(server.received)
    wire = (client.connection.wire.sent, client.connection.wire.commands)
    with pytest.raises(ReadOnlyError, match=r"Did not .* read-only") as error:
        ACTS[name](client)
    assert "readonly=False" in error.value.suggestion
    assert (client.connection.wire.sent, client.connection.wire.commands) == wire
    assert server.received == before
    assert server.commands("SELECT") == []


@pytest.mark.parametrize("name", ACTS)
def test_a_client_that_only_reads_refuses_also_what_makes_no_sense(name: str) -> None:
    # Not even connected, and the reason is still the right one.
    with pytest.raises(ReadOnlyError):
        ACTS[name](IMAPClient())


@pytest.mark.parametrize("name", ACTS)
def test_a_client_must_be_connected(name: str) -> None:
    with pytest.raises(ConnectionFailedError):
        ACTS[name](IMAPClient(readonly=False))


def test_a_client_that_only_reads_leaves_everything_as_it_was(rig: Rig) -> None:
    for act in ACTS.values():
        with pytest.raises(ReadOnlyError):
            act(rig.witness)
    assert rig.flags() == {f"Message {n}": set() for n in range(1, 6)}


@pytest.mark.parametrize("readonly", [0, None, "no", 1])
def test_a_client_is_opened_for_writing_in_so_many_words(readonly: Any) -> None:
    with pytest.raises(QueryError, match="neither True nor False"):
        IMAPClient(readonly=readonly)
