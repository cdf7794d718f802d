"""The read-only promise, on every public call: nothing is sent that could change anything.

What is sent is heard by a proxy between, and what is there is looked at in Dovecot's own files: new
mail lies in ``new/`` until somebody opens its folder by SELECT.
"""

from __future__ import annotations

import asyncio
import imaplib
import inspect
import re
import shutil
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.aio import AsyncFrames
from mailframe.exceptions import (
    MailframeError,
    NotSupportedError,
    QueryError,
    ReadOnlyError,
)
from mailframe.imap import IMAPClient
from tests.rigs import messages
from tests.rigs.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

FOLDERS = ("INBOX", "Archive", "Trash", "Büro/Ablage")
#: All that a session may send that reads; there is no SELECT, no STORE, no CLOSE among them.
READING = {
    "AUTHENTICATE", "CAPABILITY", "DONE", "ENABLE", "EXAMINE", "ID", "IDLE", "LIST", "LOGIN",
    "LOGOUT", "LSUB", "MYRIGHTS", "NAMESPACE", "NOOP", "STATUS", "UID FETCH", "UID SEARCH",
    "UNSELECT",
}  # fmt: skip
#: What marks a message as read when it is fetched (RFC 3501 section 6.4.5, RFC 3516 section 4.2).
MARKING = re.compile(rb"(?:BODY|BINARY)\[|RFC822(?!\.SIZE)", re.IGNORECASE)
#: What is sent as a literal, and what no server can decide.
ODD = mf.Q(text="Grüße") | mf.Q(has_attachment=True)
#: Of a session's methods, how each is called; a method that is in neither table fails a test.
READS: dict[str, list[Callable[[pd.DataFrame, Path], tuple[tuple[Any, ...], dict[str, Any]]]]] = {
    "account": [],
    "capabilities": [lambda *_: ((), {})],
    "folders": [lambda *_: ((), {})],
    "search": [
        lambda *_: (("UNSEEN",), {"folder": "*"}),
        lambda *_: ((ODD,), {"folder": ["INBOX", "Archive"]}),
        lambda rows, _: ((rows,), {}),
    ],
    "count": [lambda *_: ((mf.Q(seen=False),), {"folder": "*"})],
    "headers": [
        lambda *_: ((), {"folder": "*"}),
        lambda *_: (("ALL",), {"limit": 3, "fields": ["X-Mailer"], "folder": "*"}),
        lambda rows, _: ((rows,), {}),
    ],
    "recipients": [lambda *_: ((), {"folder": "*"})],
    "hops": [lambda *_: ((), {"folder": "*"})],
    "attachments": [lambda *_: ((), {"folder": "*"})],
    "bodies": [
        lambda *_: ((), {"folder": "*", "html": True}),
        lambda *_: ((), {"folder": "*", "max_bytes": 10}),
        lambda *_: ((), {"folder": "*", "own_text": True}),
        lambda *_: ((), {"folder": "*", "preview": True}),
        lambda rows, _: ((rows,), {}),
    ],
    "message": [
        lambda *_: ((1,), {}),
        lambda *_: ((2,), {"folder": "\\Archive"}),
    ],
    "download": [lambda _, path: ((path / "files",), {"overwrite": True})],
    "stream": [
        lambda *_: (("ALL", "bodies"), {"folder": "*", "batch": 2}),
        lambda rows, _: ((rows,), {}),
    ],
    "to_parquet": [lambda _, path: ((path / "mail",), {"folder": "*", "overwrite": True})],
    "watch": [
        lambda rows, _: ((), {"after": rows[rows["folder"] == "INBOX"].tail(1), "changes": True}),
        lambda rows, _: ((), {"after": rows[rows["folder"] == "INBOX"].tail(1)}),
    ],
    "explain": [lambda *_: (("UNSEEN", "bodies"), {"folder": "*"})],
    "trace": [lambda *_: ((), {})],
    "tracing": [lambda *_: ((), {})],
    "close": [lambda *_: ((), {})],
}
WRITES: dict[str, Callable[[pd.DataFrame], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "mark": lambda rows: ((rows,), {"seen": True}),
    "flag": lambda rows: ((rows,), {}),
    "keyword": lambda rows: ((rows,), {"add": "work"}),
    "label": lambda rows: ((rows,), {"add": "work"}),
    "move": lambda rows: ((rows, "Archive"), {}),
    "copy": lambda rows: ((rows, "New"), {"create": True}),
    "delete": lambda rows: ((rows,), {"permanently": True}),
    "append": lambda _: ((messages.plain(1),), {}),
    "apply": lambda rows: ((rows.attrs["plan"],), {}),
    "undo": lambda rows: ((rows.attrs["outcome"],), {}),
    "create_folder": lambda _: (("New",), {}),
    "rename_folder": lambda _: (("Archive", "New"), {}),
    "delete_folder": lambda _: (("Archive",), {"force": True}),
    "subscribe": lambda _: (("Archive",), {"on": False}),
}
#: What files have not.
SERVERS_ALONE = {"capabilities", "explain", "trace", "tracing", "watch"}


class Awaited:
    """An asynchronous session whose methods are called like those of the other."""

    def __init__(self, session: mf.Session) -> None:
        self._session = mf.AsyncSession(session)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if not callable(found):
            return found

        async def finished(*args: Any, **options: Any) -> Any:
            made = found(*args, **options)
            if isinstance(made, AsyncFrames):
                async with made:
                    return [await anext(made)] if name == "watch" else [one async for one in made]
            if name == "tracing":
                async with made as trace:
                    await self._session.headers(folder="*")
                    return trace
            return await made

        return lambda *args, **options: asyncio.run(finished(*args, **options))


def call(session: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a method, and take what it gives; of a watch the first frame."""
    made = getattr(session, name)(*args, **options)
    if inspect.isgenerator(made):
        with closing(made):
            return [next(made)] if name == "watch" else list(made)
    if name == "tracing" and not isinstance(session, Awaited):
        with made as trace:
            session.headers(folder="*")
            return trace
    return made


def read(session: Any, name: str, rows: pd.DataFrame, path: Path) -> None:
    """Call a reading method in each of the ways of the table."""
    if name == "account":
        assert session.account
    for arguments in READS[name]:
        args, options = arguments(rows, path)
        if name == "download":
            args = (session.attachments(rows), *args)
        call(session, name, args, options)


def spoken(said: bytes) -> Iterator[bytes]:
    """Cut what a client has said into commands, with their literals."""
    while said:
        command, _, said = said.partition(b"\r\n")
        while literal := re.search(rb"\{(\d+)\+?\}$", command):
            end = int(literal[1])
            more, _, rest = said[end:].partition(b"\r\n")
            command, said = command + b"\r\n" + said[:end] + more, rest
        yield command


def heard(proxy: FaultProxy) -> list[bytes]:
    """Return the commands of all connections."""
    return [one for line in proxy.lines for one in spoken(bytes(line.said["C"]))]


def name_of(command: bytes) -> str:
    if command.upper() == b"DONE":
        return "DONE"
    words = command.split(b" ", 3)
    return b" ".join(words[1:3] if words[1].upper() == b"UID" else words[1:2]).decode().upper()


def assert_only_read(commands: list[bytes]) -> None:
    assert {name_of(one) for one in commands} <= READING
    assert not [one for one in commands if name_of(one) == "UID FETCH" and MARKING.search(one)]


def state(dovecot: Dovecot, user: str) -> dict[str, Any]:
    """Return the flags of all messages as the files say; ``\\Recent`` is what lies in new/."""
    return {folder: dovecot.flags(user, folder) for folder in FOLDERS}


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    r"""Return a user with mail in several folders: seen, unseen, and just come (``\Recent``)."""
    user = dovecot.new_user()
    # The last two are suspicious, and read whole.
    odd = [messages.multipart("mixed", number=7), messages.plain(8, from_="")]
    for folder in FOLDERS:
        seen = [(messages.plain(20), ["\\Seen", "$Todo"], None)]
        dovecot.deliver(user, [*seen, *messages.many(6)], folder)
        dovecot.deliver(user, odd, folder, recent=True)
    return user


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[FaultProxy]:
    with FaultProxy(dovecot.host, dovecot.port, record=True) as proxy:
        yield proxy


@contextmanager
def opened(proxy: FaultProxy, user: str, password: str, *, readonly: bool) -> Iterator[mf.Session]:
    with mf.connect(
        proxy.host, user, password=password, port=proxy.port, security="none", readonly=readonly
    ) as session:
        yield session


@pytest.fixture(params=["read-only", "writable", "asynchronous"])
def session(
    request: pytest.FixtureRequest, dovecot: Dovecot, user: str, proxy: FaultProxy
) -> Iterator[Any]:
    kind = request.param
    with opened(proxy, user, dovecot.password, readonly=kind != "writable") as session:
        yield Awaited(session) if kind == "asynchronous" else session


# -- every method is in one of the tables


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_every_method_of_a_session_is_known_to_read_or_to_write() -> None:
    assert public(mf.Session) == {*READS, *WRITES}
    assert public(mf.AsyncSession) == {*READS, *WRITES}
    assert not set(READS) & set(WRITES)


# -- reading


@pytest.mark.parametrize("name", READS)
def test_a_reading_call_changes_nothing_and_sends_nothing_that_could(
    dovecot: Dovecot, user: str, proxy: FaultProxy, session: Any, tmp_path: Path, name: str
) -> None:
    before = state(dovecot, user)
    assert all(frozenset({"\\Recent"}) in before[folder].values() for folder in FOLDERS)
    rows = session.headers(folder="*")
    assert len(rows) == len(FOLDERS) * 9
    read(session, name, rows, tmp_path)
    assert len(heard(proxy)) > 5
    assert_only_read(heard(proxy))
    assert state(dovecot, user) == before


def test_looking_at_a_session_sends_nothing(proxy: FaultProxy, session: Any) -> None:
    said = len(heard(proxy))
    real = session._session if isinstance(session, Awaited) else session
    assert repr(real)
    assert real._repr_html_()
    assert dir(real)
    assert len(heard(proxy)) == said


# -- writing


@pytest.fixture
def planned(dovecot: Dovecot, user: str, proxy: FaultProxy) -> pd.DataFrame:
    """Return rows, and in their attrs a plan and an outcome of a session that may write."""
    with opened(proxy, user, dovecot.password, readonly=False) as session:
        rows = session.headers()
        rows.attrs["plan"] = session.move(rows, "Archive")
        rows.attrs["outcome"] = session.mark(rows.tail(1), flagged=True, apply=True)
    return rows


@pytest.mark.parametrize("name", WRITES)
def test_a_writing_call_is_refused_and_sends_nothing(
    dovecot: Dovecot, user: str, proxy: FaultProxy, planned: pd.DataFrame, name: str
) -> None:
    args, options = WRITES[name](planned)
    ways = [options]
    if "apply" in inspect.signature(getattr(mf.Session, name)).parameters:
        ways.append(options | {"apply": True})
    before = state(dovecot, user)
    with opened(proxy, user, dovecot.password, readonly=True) as session:
        said = len(heard(proxy))
        for kind in (session, Awaited(session)):
            for way in ways:
                with pytest.raises(ReadOnlyError, match="this session is read-only") as refused:
                    call(kind, name, args, way)
                assert "mf.connect(…, readonly=False)" in str(refused.value)
                assert isinstance(refused.value, PermissionError)
        assert len(heard(proxy)) == said
        assert session.count() == 9  # and it goes on to read
    assert state(dovecot, user) == before


def test_a_session_that_reads_has_no_code_to_write_with(
    dovecot: Dovecot, user: str, proxy: FaultProxy
) -> None:
    with opened(proxy, user, dovecot.password, readonly=True) as session:
        changing = ("perform", "create_folder", "rename_folder", "delete_folder", "subscribe")
        assert not [name for name in changing if hasattr(session._source, name)]


# -- the plain client

CLIENT_READS: dict[str, Callable[[IMAPClient], Any]] = {
    "connection": lambda client: client.connection,
    "capabilities": lambda client: client.capabilities,
    "list_folders": lambda client: client.list_folders(),
    "folder_status": lambda client: [client.folder_status(folder) for folder in FOLDERS],
    "select_folder": lambda client: [client.select_folder(folder) for folder in FOLDERS],
    "search": lambda client: client.search("UNSEEN"),
    "fetch_emails": lambda client: client.fetch_emails(fetch_body=True),
    "iter_emails": lambda client: list(client.iter_emails("UNSEEN", fetch_body=True)),
    "fetch_attachment": lambda client: [
        client.fetch_attachment(email, attachment)
        for email in client.fetch_emails()
        for attachment in email.attachments
    ],
    "disconnect": lambda client: client.disconnect(),
}
CLIENT_WRITES: dict[str, Callable[[IMAPClient], Any]] = {
    "set_flags": lambda client: client.set_flags([1], add="\\Seen"),
    "move": lambda client: client.move([1], "Archive"),
    "copy": lambda client: client.copy([1], "Archive"),
    "delete": lambda client: client.delete([1]),
    "expunge": lambda client: client.expunge([1]),
    "append": lambda client: client.append(messages.plain(1)),
    "create_folder": lambda client: client.create_folder("New"),
    "rename_folder": lambda client: client.rename_folder("Archive", "New"),
    "delete_folder": lambda client: client.delete_folder("Archive", force=True),
    "subscribe": lambda client: client.subscribe("Archive", on=False),
}
#: Signing in, which every test here does.
CLIENT_ENTERS = {"connect", "authenticate", "authenticate_oauth2"}


@pytest.fixture
def client(dovecot: Dovecot, user: str, proxy: FaultProxy) -> Iterator[IMAPClient]:
    with IMAPClient(readonly=True) as client:
        client.connect(proxy.host, proxy.port, use_ssl=False, ssl_context=dovecot.ssl_context)
        client.authenticate(user, dovecot.password)
        client.select_folder()
        yield client


def test_every_method_of_the_client_is_known_to_read_or_to_write() -> None:
    assert public(IMAPClient) == {*CLIENT_READS, *CLIENT_WRITES, *CLIENT_ENTERS}


@pytest.mark.parametrize("name", CLIENT_READS)
def test_a_reading_call_of_the_client_changes_nothing(
    dovecot: Dovecot, user: str, client: IMAPClient, name: str
) -> None:
    before, recorder = state(dovecot, user), client.connection.recorder
    assert CLIENT_READS[name](client) is not False
    sent = [line.line.encode() for line in recorder.lines() if line.direction == "C"]
    assert_only_read([one for one in sent if b"STARTTLS" not in one])
    assert state(dovecot, user) == before


@pytest.mark.parametrize("name", CLIENT_WRITES)
def test_a_writing_call_of_the_client_is_refused_and_sends_nothing(
    dovecot: Dovecot, user: str, proxy: FaultProxy, client: IMAPClient, name: str
) -> None:
    before, passed = state(dovecot, user), proxy.total("C")
    with pytest.raises(ReadOnlyError, match="this client is read-only") as refused:
        CLIENT_WRITES[name](client)
    assert "IMAPClient(readonly=False)" in str(refused.value)
    assert proxy.total("C") == passed
    assert state(dovecot, user) == before


# -- files, and the demo


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in found
    }


@pytest.fixture
def maildir(dovecot: Dovecot, user: str, tmp_path: Path) -> Path:
    copied = tmp_path / "Maildir"
    shutil.copytree(dovecot.maildir(user), copied)
    return copied


@pytest.fixture(params=["maildir", "mbox"])
def stored(request: pytest.FixtureRequest, maildir: Path, tmp_path: Path) -> Path:
    if request.param == "maildir":
        return maildir
    folder = tmp_path / "mbox"
    folder.mkdir()
    line = b"From alice@example.org Mon Jan  5 09:30:00 2026\r\n"
    letters = [line + one.replace(b"\r\nFrom ", b"\r\n>From ") for one in messages.many(6)]
    for name in ("INBOX", "Archive"):
        (folder / name).write_bytes(b"\r\n".join(letters) + b"\r\n")
    return folder


@pytest.mark.parametrize("name", READS)
def test_reading_files_changes_none(stored: Path, tmp_path: Path, name: str) -> None:
    before = files(stored)
    assert before
    with mf.open(stored) as session:
        rows = session.headers(folder="*")
        if name in SERVERS_ALONE:
            with pytest.raises(NotSupportedError):
                read(session, name, rows, tmp_path / "out")
        elif name == "message":
            assert session.message(1, folder=str(rows["folder"].iloc[0])).subject
        else:
            read(session, name, rows, tmp_path / "out")
    assert files(stored) == before


@pytest.mark.parametrize("name", WRITES)
def test_files_cannot_be_written(stored: Path, planned: pd.DataFrame, name: str) -> None:
    before = files(stored)
    with mf.open(stored) as session:
        rows = session.headers(folder="*")
        rows.attrs |= planned.attrs
        args, options = WRITES[name](rows)
        for kind in (session, Awaited(session)):
            with pytest.raises(NotSupportedError, match="mail in files is only read") as refused:
                call(kind, name, args, options)
            assert "readonly=False" in refused.value.suggestion
    assert files(stored) == before


def flags_at(session: Any) -> dict[bytes, list[bytes]]:
    """Ask the demo's server, by a client that is not ours, for all flags."""
    found = {}
    with imaplib.IMAP4(session.server.host, session.server.port) as client:
        client.login(session.username, session.password)
        for line in client.list()[1]:
            name = line.rpartition(b' "/" ')[2]
            if client.select(name.decode(), readonly=True)[0] == "OK":
                found[name] = client.uid("FETCH", "1:*", "(FLAGS)")[1]
    return found


@pytest.mark.parametrize("readonly", [True, False])
@pytest.mark.parametrize("name", READS)
def test_reading_the_demo_changes_nothing(
    maildir: Path, tmp_path: Path, name: str, *, readonly: bool
) -> None:
    before = files(maildir)
    with mf.demo(path=maildir, readonly=readonly) as session:
        flags = flags_at(session)
        assert any(b"Seen" in str(one).encode() for one in flags.values())
        rows = session.headers(folder="*")
        recorder = session._source.recorder
        if name != "close":
            read(session, name, rows, tmp_path)
            assert flags_at(session) == flags
        sent = [line.line.encode() for line in recorder.lines() if line.direction == "C"]
        assert_only_read(sent)
    assert files(maildir) == before


@pytest.mark.parametrize("name", WRITES)
def test_the_demo_is_read_only_unless_it_is_asked_for_otherwise(
    maildir: Path, planned: pd.DataFrame, name: str
) -> None:
    with mf.demo(path=maildir) as session:
        flags = flags_at(session)
        args, options = WRITES[name](planned)
        with pytest.raises(ReadOnlyError) as refused:
            call(session, name, args, options)
        assert "mf.demo(readonly=False)" in str(refused.value)
        assert flags_at(session) == flags


def test_what_is_changed_in_the_demo_changes_no_file(maildir: Path) -> None:
    before = files(maildir)
    with mf.demo(path=maildir, readonly=False) as session:
        rows = session.headers(folder="*")
        session.move(rows[rows["folder"] == "INBOX"], "Archive", apply=True)
        session.delete(session.headers(), permanently=True, apply=True)
        session.delete_folder("Trash", force=True)
        assert session.count() == 0
    assert files(maildir) == before


# -- what is no clear wish to write is none


@pytest.mark.parametrize("readonly", [0, 1, None, "no", "False", "", [], pd.NA], ids=repr)
def test_readonly_is_true_or_false(readonly: Any) -> None:
    def enter(connect: Callable[..., Any]) -> None:
        options = {"password": "x", "port": 1, "security": "none", "readonly": readonly}
        asyncio.run(connect("127.0.0.1", "me", **options))

    for connect in (mf.connect, mf.connect_async):
        with pytest.raises(QueryError, match="is neither True nor False"):
            enter(connect)


@pytest.mark.parametrize("readonly", [0, 1, None, "no"], ids=repr)
def test_readonly_is_true_or_false_for_the_demo(readonly: Any) -> None:
    with pytest.raises(QueryError, match="is neither True nor False"):
        mf.demo(readonly=readonly).close()


def test_a_journal_without_a_wish_to_write_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="A journal takes down what is changed"):
        mf.connect("127.0.0.1", "me", password="x", port=1, journal=tmp_path / "journal")
    assert not list(tmp_path.iterdir())


# -- what would make the tests above prove nothing


def test_commands_that_change_something_would_be_heard(
    dovecot: Dovecot, user: str, proxy: FaultProxy
) -> None:
    before = state(dovecot, user)
    with opened(proxy, user, dovecot.password, readonly=False) as session:
        session.mark(session.headers(limit=1), seen=True, apply=True)
    names = {name_of(one) for one in heard(proxy)}
    assert names - READING == {"SELECT", "UID STORE"}
    assert state(dovecot, user) != before
    with pytest.raises(AssertionError):
        assert_only_read(heard(proxy))


def test_a_fetch_that_marks_would_be_noticed() -> None:
    for item in (b"BODY[]", b"RFC822", b"BINARY[1]", b"BODY[1]<0.10>", b"RFC822.TEXT"):
        with pytest.raises(AssertionError):
            assert_only_read([b"A1 UID FETCH 1 (" + item + b")"])
    assert_only_read([b"A1 UID FETCH 1 (RFC822.SIZE BODY.PEEK[] BODYSTRUCTURE)"])
    with pytest.raises(AssertionError):
        assert_only_read([b"A1 EXPUNGE"])


def test_literals_are_no_commands() -> None:
    said = b"A1 UID SEARCH TEXT {8+}\r\nX\r\nSTORE UNSEEN\r\nA2 APPEND x {3}\r\nabc\r\nDONE\r\n"
    assert [name_of(one) for one in spoken(said)] == ["UID SEARCH", "APPEND", "DONE"]


def test_the_client_that_cannot_sign_in_by_a_token_has_changed_nothing(
    dovecot: Dovecot, user: str, proxy: FaultProxy
) -> None:
    before = state(dovecot, user)
    with IMAPClient() as client:
        client.connect(proxy.host, proxy.port, use_ssl=False, ssl_context=dovecot.ssl_context)
        with pytest.raises(MailframeError):
            client.authenticate_oauth2(user, "user=x\1auth=Bearer x\1\1")
    assert state(dovecot, user) == before
