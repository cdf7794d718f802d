"""Watching a folder: what servers may do meanwhile, and are known to do."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    FolderError,
    ProtocolError,
    QueryError,
    ThrottledError,
    UidValidityError,
)
from mailframe.imap import watching
from mailframe.imap import wire as wire_module
from mailframe.imap.wire import Wire
from tests.faults.reading import Clock
from tests.imap.replies import message
from tests.rigs.scripted import Connection as Client
from tests.rigs.scripted import in_turn, uids_in

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from mailframe.imap.connection import Connection
    from mailframe.records import Change
    from tests.rigs.certificates import Certificates
    from tests.rigs.scripted import Reply, ScriptedServer

    Opened = Callable[..., Connection]
    Scripted = Callable[..., ScriptedServer]
    Happening = Generator[list[Change]]
    # What happens during one IDLE, and what the server says of it.
    Step = Callable[["Folder"], bytes]
    Watch = Callable[..., Happening]

#: Seconds in which everything here is done.
SOON = 30
#: Seconds that a client waits for a server that says nothing.
SILENCE = 0.2


@pytest.fixture(autouse=True)
def _watchdog() -> Iterator[None]:
    """End a test that waits for news that nobody will give it."""

    def bark(*_: object) -> None:
        pytest.fail(f"nothing for {SOON} seconds")

    before = signal.signal(signal.SIGALRM, bark)
    signal.alarm(SOON)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class Folder:
    """A folder on a scripted server, in which something happens during each IDLE.

    Parameters
    ----------
    steps
        What happens during the first, the second, … IDLE; during all later ones nothing does.
    count
        How many messages there are.
    modseq
        The number of the latest change; None for a server without CONDSTORE.
    """

    def __init__(self, *steps: Step, count: int = 3, modseq: int | None = None) -> None:
        self.flags = dict.fromkeys(range(1, count + 1), b"")
        self.modseq = modseq
        self.modseqs = dict.fromkeys(self.flags, modseq or 0)
        self.uidvalidity = 7
        self.uidnext: int | None = count + 1
        self.steps = list(steps)
        self.handlers: dict[str, Any] = {
            "EXAMINE": self.examine,
            "IDLE": self.idle,
            "UID FETCH": self.fetch,
            "UID SEARCH": self.search,
        }

    # -- what happens, and what is said of it

    def deliver(self, count: int = 1, flags: bytes = b"") -> bytes:
        for _ in range(count):
            uid = max([*self.modseqs, 0]) + 1
            self.flags[uid] = flags
            self._change(uid)
            if self.uidnext is not None:
                self.uidnext = uid + 1
        return b"* %d EXISTS\r\n* 1 RECENT\r\n" % len(self.flags)

    def flag(self, uid: int, flags: bytes) -> bytes:
        self.flags[uid] = flags
        self._change(uid)
        return b"* %d FETCH (FLAGS (%b))\r\n" % (self._number(uid), flags)

    def expunge(self, uid: int) -> bytes:
        line = b"* %d EXPUNGE\r\n" % self._number(uid)
        del self.flags[uid]
        return line

    def _change(self, uid: int) -> None:
        if self.modseq is not None:
            self.modseq += 1
        self.modseqs[uid] = self.modseq or 0

    def _number(self, uid: int) -> int:
        return sorted(self.flags).index(uid) + 1

    # -- commands

    def examine(self, _tag: bytes, _args: bytes, _client: Client) -> bytes:
        lines = [
            b"* %d EXISTS" % len(self.flags),
            b"* OK [UIDVALIDITY %d] fixed" % self.uidvalidity,
        ]
        if self.uidnext is not None:
            lines.append(b"* OK [UIDNEXT %d] next" % self.uidnext)
        if self.modseq is not None:
            lines.append(b"* OK [HIGHESTMODSEQ %d] latest" % self.modseq)
        return b"\r\n".join([*lines, b"<tag> OK open\r\n"])

    def idle(self, _tag: bytes, _args: bytes, client: Client) -> bytes:
        client.send(b"+ idling\r\n")
        said = self.steps.pop(0)(self) if self.steps else b""
        client.send(said)
        if said.startswith(b"* BYE"):
            raise ConnectionAbortedError
        client.read_line()
        return b"<tag> OK done\r\n"

    def search(self, _tag: bytes, args: bytes, _client: Client) -> bytes:
        uids = uids_in(args[len(b"UID ") :], self.flags) if args.startswith(b"UID") else self.flags
        return b"* SEARCH%b\r\n<tag> OK done\r\n" % b"".join(b" %d" % uid for uid in uids)

    def fetch(self, _tag: bytes, args: bytes, _client: Client) -> list[bytes]:
        asked, _, items = args.partition(b" ")
        since = int(items.partition(b"CHANGEDSINCE ")[2].strip(b")") or 0)
        flags = items.startswith((b"(UID FLAGS)", b"(FLAGS)"))
        replies = [
            b"* %d FETCH (UID %d %b%b)\r\n"
            % (
                self._number(uid),
                uid,
                b"FLAGS (%b)" % self.flags[uid] if flags else message(uid, flags=self.flags[uid]),
                b" MODSEQ (%d)" % self.modseqs[uid] if since else b"",
            )
            for uid in uids_in(asked, self.flags)
            if self.modseqs[uid] > since or not since
        ]
        return [*replies, b"<tag> OK done\r\n"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def time_of_the_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "time", SimpleNamespace(monotonic=clock.time))


@pytest.fixture
def stack(scripted: Scripted) -> Iterator[ExitStack]:  # noqa: ARG001 watches end before servers
    with ExitStack() as everything:
        yield everything


@pytest.fixture
def served(scripted: Scripted) -> Callable[..., ScriptedServer]:
    """Return a function that starts a server with a folder."""

    def start(folder: Folder, handlers: dict[str, Any] | None = None, **options: Any) -> Any:
        settings = {"capabilities": "IMAP4rev1 IDLE"} | options
        return scripted(folder.handlers | (handlers or {}), **settings)

    return start


@pytest.fixture
def watched(opened: Opened, clock: Clock, stack: ExitStack) -> Watch:
    """Return a function that begins to watch: a connection of its own, which is reopened."""

    def begin(server: ScriptedServer, **options: Any) -> Happening:
        settings = {
            name: options.pop(name)
            for name in ("timeout", "security", "ssl_context", "host", "retry")
            if name in options
        }
        connection = opened(server, **({"retry": clock.retry()} | settings))
        connection.selected = None
        happening = watching.watch(connection, "INBOX", **options)
        stack.enter_context(closing(happening))
        assert next(happening) == []
        return happening

    return begin


def told(happening: Happening, count: int) -> list[tuple[str, int]]:
    """Take so many changes, and no more of them at a time: what happened to which message."""
    found: list[tuple[str, int]] = []
    while len(found) < count:
        found += [(change.event, change.record.uid) for change in next(happening)]
    assert len(found) == count
    return found


def new(*uids: int) -> list[tuple[str, int]]:
    return [("new", uid) for uid in uids]


def deliver(folder: Folder) -> bytes:
    return folder.deliver()


def lines_of(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [one.getMessage() for one in caplog.records if words in one.getMessage()]


# -- IDLE


def test_what_comes_is_told_of_once_in_order(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    server = served(Folder(deliver, lambda folder: folder.deliver(3), deliver))
    happening = watched(server)
    found = [[c.record.uid for c in next(happening)] for _ in range(3)]
    assert found == [[4], [5, 6, 7], [8]]
    assert len(server.connections) == 1


def test_a_record_is_that_of_the_headers_frame(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    server = served(Folder(lambda folder: folder.deliver(flags=b"\\Seen")))
    [[change]] = [next(watched(server))]
    assert change.record.headers.subject == "Message 4"
    assert change.record.flags == ("\\Seen",)
    assert change.record.attachments == ()


def test_a_line_that_is_lost_every_hour_is_had_again_each_time(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    def lose(_: Folder) -> bytes:
        clock.now += 3600  # longer than a lost line is tried again
        return b"* BYE see you\r\n"

    server = served(Folder(lose, lose, lose, deliver))
    assert told(watched(server), 1) == new(4)
    assert len(server.connections) == 4


@pytest.mark.usefixtures("time_of_the_clock")
def test_it_ends_in_time_though_something_comes_at_every_look(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    folder = Folder()

    def search(tag: bytes, args: bytes, client: Client) -> bytes:
        clock.now += 1
        folder.deliver()
        return folder.search(tag, args, client)

    happening = watched(served(folder, {"UID SEARCH": search}), duration=5)
    assert len([change for found in happening for change in found]) == 5


def test_idle_is_issued_again_before_the_server_loses_patience(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert watching.LONGEST_IDLE < 29 * 60
    monkeypatch.setattr(watching, "LONGEST_IDLE", 0.01)
    server = served(Folder(*[lambda _: b""] * 4, deliver))
    assert told(watched(server), 1) == new(4)
    assert len(server.commands("IDLE")) == server.received.count(b"DONE") == 5
    assert len(server.connections) == 1


def test_the_trace_shows_idle_done_and_its_end(
    served: Callable[..., ScriptedServer], opened: Opened
) -> None:
    connection = opened(served(Folder(deliver)))
    with closing(watching.watch(connection, "INBOX")) as happening:
        next(happening)
        next(happening)
    lines = connection.recorder.lines()
    start = next(place for place, one in enumerate(lines) if one.command == "IDLE")
    said = [(one.direction, one.line.split(" ", 1)[-1]) for one in lines[start : start + 6]]
    assert said == [
        ("C", "IDLE"), ("S", "idling"), ("C", "DONE"),
        ("S", "4 EXISTS"), ("S", "1 RECENT"), ("S", "OK done"),
    ]  # fmt: skip
    assert {one.command for one in lines[start : start + 6]} == {"IDLE"}


def test_a_sign_of_life_is_no_news(served: Callable[..., ScriptedServer], watched: Watch) -> None:
    signs = (
        b"* OK Still here\r\n" * 3 + b"* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [ALERT] 3 EXISTS\r\n"
    )
    server = served(Folder(lambda folder: signs + folder.deliver()))
    assert told(watched(server), 1) == new(4)
    assert len(server.commands("IDLE")) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"* OK Still here", b"* 0 RECENT", b"* OK [ALERT] 3 EXISTS", b"* FLAGS (EXISTS)",
        b"* NO Internal error occurred", b"* BAD what?",
    ],
)  # fmt: skip
def test_nobody_stops_waiting_for_what_is_no_news(line: bytes) -> None:
    heard = bytearray(b"+ idling\r\n" + line + b"\r\n")
    for pattern in (watching._ARRIVALS, watching._ALL_NEWS):
        assert not pattern.search(heard, len(b"+ idling\r\n"))


def test_behind_done_the_server_has_as_long_as_for_any_answer(
    served: Callable[..., ScriptedServer], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = opened(served(Folder(deliver)))
    given: list[float | None] = []
    send = Wire.send

    def noted(wire: Wire, data: bytes) -> None:
        given.append(wire.sock.gettimeout())
        send(wire, data)

    monkeypatch.setattr(Wire, "send", noted)
    assert connection.idle(watching._ARRIVALS, SOON)
    assert connection.idle(watching._ARRIVALS, 0.001)
    assert given == [connection.timeout] * 4  # IDLE, DONE, IDLE, DONE


def test_what_happens_to_other_messages_is_no_news_of_new_ones(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    def happen(folder: Folder) -> bytes:
        return folder.flag(2, b"\\Seen") + folder.expunge(1) + folder.deliver()

    server = served(Folder(happen))
    assert told(watched(server), 1) == new(4)
    assert len(server.commands("IDLE")) == 1


@pytest.mark.parametrize("refusal", [b"NO not now", b"BAD unknown command"])
def test_where_idle_is_refused_it_is_asked_now_and_then(
    served: Callable[..., ScriptedServer],
    opened: Opened,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    refusal: bytes,
) -> None:
    folder = Folder()
    server = served(folder, {"IDLE": b"<tag> " + refusal + b"\r\n"})
    clock.at_sleep = lambda number: folder.deliver() if number % 3 == 0 else None
    connection = opened(server, retry=clock.retry())
    for uid in (4, 5):
        with closing(watching.watch(connection, "INBOX", poll=7)) as happening:
            next(happening)
            assert told(happening, 1) == new(uid)
    assert len(server.commands("IDLE")) == 1
    assert clock.slept == [7] * 6
    assert len(server.commands("NOOP")) == 6
    assert len(lines_of(caplog, "refuses IDLE: looking every 7 s")) == 1
    assert len(server.connections) == 1


def test_a_server_without_idle_is_asked_now_and_then(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    folder = Folder()
    server = served(folder, capabilities="IMAP4rev1")
    clock.at_sleep = folder.deliver
    assert told(watched(server), 3) == new(4, 5, 6)
    assert clock.slept == [60, 60]
    assert not server.commands("IDLE")


def say_nothing(_tag: bytes, _args: bytes, client: Client) -> bytes:
    client.read_line()
    return b""


def hang_up(_tag: bytes, _args: bytes, client: Client) -> bytes:
    client.close()
    return b""


@pytest.mark.parametrize("handler", [say_nothing, hang_up])
def test_a_server_that_announces_idle_and_never_takes_it_up_is_asked_now_and_then(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    clock: Clock,
    handler: Callable[..., Reply],
) -> None:
    folder = Folder()
    server = served(folder, {"IDLE": handler})

    def happen(_: int) -> None:
        if clock.slept.count(60) == 2:
            folder.deliver()

    clock.at_sleep = happen
    assert told(watched(server, timeout=SILENCE), 1) == new(4)
    assert len(server.commands("IDLE")) == 2
    assert len(server.connections) == 3


def test_a_line_lost_in_idle_now_and_then_does_not_end_idle(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    def cut(_: Folder) -> bytes:
        raise ConnectionAbortedError

    server = served(Folder(*[cut] * 4, deliver))
    assert told(watched(server), 1) == new(4)
    assert len(server.commands("IDLE")) == len(server.connections) == 5


def test_news_that_come_before_the_plus_are_not_missed(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder()

    def idle(tag: bytes, args: bytes, client: Client) -> bytes:
        if len(folder.flags) == 3:
            client.send(folder.deliver())
        return folder.idle(tag, args, client)

    server = served(folder, {"IDLE": idle})
    assert told(watched(server), 1) == new(4)
    assert len(server.commands("IDLE")) == 1


@pytest.mark.parametrize("name", ["UID SEARCH", "UID FETCH"])
def test_news_that_come_with_another_answer_are_not_missed(
    served: Callable[..., ScriptedServer], watched: Watch, name: str
) -> None:
    """A server that has told of a message does not tell of it again in IDLE."""
    folder = Folder()
    usual = folder.handlers[name]

    def also(tag: bytes, args: bytes, client: Client) -> bytes:
        answer = usual(tag, args, client)
        said = answer if isinstance(answer, bytes) else b"".join(answer)
        if len(folder.flags) < 6:
            said = said.replace(b"<tag>", folder.deliver() + b"<tag>")
        return said

    server = served(folder, {name: also})
    if name == "UID FETCH":
        folder.steps.append(lambda folder: folder.deliver())
    assert told(watched(server), 3) == new(4, 5, 6)


@pytest.mark.parametrize("modseq", [None, 5])
def test_flags_told_of_with_another_answer_are_not_missed(
    served: Callable[..., ScriptedServer], watched: Watch, modseq: int | None
) -> None:
    folder = Folder(modseq=modseq)

    def fetch(tag: bytes, args: bytes, client: Client) -> list[bytes]:
        answer = folder.fetch(tag, args, client)
        if len(server.commands("UID FETCH")) == 2:  # at the first look
            answer.insert(-1, folder.flag(1, b"\\Seen"))
        return answer

    server = served(folder, {"UID FETCH": fetch})
    assert told(watched(server, changes=True), 1) == [("flags", 1)]
    assert not server.commands("IDLE")


def test_a_server_that_ends_idle_unasked_is_not_told_done(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder()

    def idle(_tag: bytes, _args: bytes, client: Client) -> Reply:
        client.send(b"+ idling\r\n")
        if len(server.commands("IDLE")) == 3:
            folder.deliver()
        return b"<tag> OK long enough\r\n"

    server = served(folder, {"IDLE": idle})
    assert told(watched(server), 1) == new(4)
    assert b"DONE" not in server.received
    assert len(server.connections) == 1


def test_a_second_plus_in_idle_goes_unheeded(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    server = served(Folder(lambda folder: b"+ still idling\r\n" + folder.deliver()))
    assert told(watched(server), 1) == new(4)
    assert server.received.count(b"DONE") == 1


@pytest.mark.parametrize(
    "words",
    [
        b"* BYE idle for too long\r\n",
        b"garbage\r\n",
        b"\xff\xfe garbage\r\n",
        b"A99 OK of nothing\r\n",
        b"* 99999999999999999999 EXISTS\r\n",
        b"* 5 FETCH (FLAGS {99999999999}\r\n* 5 EXISTS\r\n",
    ],
)
def test_a_farewell_and_garbage_in_idle_cost_a_connection_and_no_message(
    served: Callable[..., ScriptedServer], watched: Watch, words: bytes
) -> None:
    def go_wrong(folder: Folder) -> bytes:
        folder.deliver()
        return words

    folder = Folder(deliver, go_wrong, deliver)
    server = served(folder)
    assert told(watched(server), 3) == new(4, 5, 6)
    assert len(server.connections) == 2


def test_a_flood_of_lines_in_idle_takes_little_memory(
    served: Callable[..., ScriptedServer], watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0
    fill = Wire._fill

    def measured(wire: Wire) -> int:
        nonlocal largest
        got = fill(wire)
        largest = max(largest, len(wire._buffer))
        return got

    monkeypatch.setattr(wire_module, "_UNASKED", 1 << 16)
    monkeypatch.setattr(Wire, "_fill", measured)
    flood = (b"* OK %b\r\n" % (b"x" * 1000)) * 3000
    server = served(Folder(lambda folder: flood + folder.deliver()))
    assert told(watched(server), 1) == new(4)
    assert 1 << 16 < largest <= (1 << 16) + wire_module._RECEIVE + 2000
    assert len(server.connections) == 1


def test_a_line_in_idle_that_does_not_end_costs_a_connection(
    served: Callable[..., ScriptedServer], watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def happen(folder: Folder) -> bytes:
        folder.deliver()
        return b"* OK " + b"x" * (1 << 19)

    monkeypatch.setattr(wire_module, "_UNASKED", 1 << 16)
    monkeypatch.setattr(wire_module, "MAX_LINE", 1 << 18)
    server = served(Folder(happen))
    assert told(watched(server), 1) == new(4)
    assert len(server.connections) == 2


@pytest.mark.parametrize("split", [1, 7])
def test_news_may_come_in_pieces(
    served: Callable[..., ScriptedServer], watched: Watch, split: int
) -> None:
    server = served(Folder(lambda f: b"* OK Still here\r\n" + f.deliver(), deliver), split=split)
    assert told(watched(server), 2) == new(4, 5)
    assert len(server.connections) == 1


def test_what_was_looked_at_is_not_looked_at_again(
    served: Callable[..., ScriptedServer], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a flood in small pieces only the last line may yet become news."""
    monkeypatch.setattr(wire_module, "_RECEIVE", 100)

    class Counted:
        def __init__(self) -> None:
            self.octets = 0

        def search(self, text: bytearray, start: int) -> Any:
            self.octets += len(text) - start
            return watching._ARRIVALS.search(text, start)

    flood = b"* OK Still here\r\n" * 1000
    server = served(Folder(lambda folder: flood + folder.deliver()))
    connection, counted = opened(server), Counted()
    assert connection.idle(counted, 60)  # type: ignore[arg-type] # a pattern, but for its type
    assert counted.octets < 3 * len(flood)


def test_tls(
    served: Callable[..., ScriptedServer], watched: Watch, certificates: Certificates
) -> None:
    def happen(folder: Folder) -> bytes:
        return b"* OK Still here\r\n" * 2000 + folder.deliver()

    server = served(Folder(happen, deliver), security="tls")
    context = certificates.good.client_context()
    happening = watched(server, security="tls", ssl_context=context, host="localhost")
    assert told(happening, 2) == new(4, 5)


def test_tls_goes_on_after_a_wait_that_has_ended(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "LONGEST_IDLE", 0.01)
    server = served(Folder(*[lambda _: b""] * 3, deliver), security="tls")
    context = certificates.good.client_context()
    happening = watched(server, security="tls", ssl_context=context, host="localhost")
    assert told(happening, 1) == new(4)
    assert len(server.connections) == 1


# -- what is new


def test_the_last_message_is_not_new_because_it_is_the_last(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    # RFC 3501 section 9, seq-range: "*" is the last one, and 4:* is *:4.
    folder = Folder(lambda folder: folder.expunge(2) + b"* 2 EXISTS\r\n", deliver)
    server = served(folder)
    assert told(watched(server), 1) == new(4)
    assert folder.search(b"", b"UID 9:*", None) == b"* SEARCH 4\r\n<tag> OK done\r\n"  # type: ignore[arg-type]
    assert server.commands("UID SEARCH")[0] == b"UID 4:*"


def test_without_uidnext_the_highest_uid_is_the_newest(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(deliver)
    folder.uidnext = None
    assert told(watched(served(folder)), 1) == new(4)


def test_an_empty_folder_without_uidnext(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(deliver, count=0)
    folder.uidnext = None
    assert told(watched(served(folder)), 1) == new(1)


def test_what_came_after_a_uid_is_new(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    server = served(Folder(deliver, count=5))
    assert told(watched(server, after=3, uidvalidity=7), 3) == new(4, 5, 6)


def test_a_uid_of_another_numbering_is_refused(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    with pytest.raises(UidValidityError):
        watched(served(Folder()), after=3, uidvalidity=6)


def test_more_than_are_read_at_a_time_come_all_and_once(
    served: Callable[..., ScriptedServer], watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BATCH", 5)
    happening = watched(served(Folder(lambda folder: folder.deliver(12))))
    assert [[c.record.uid for c in next(happening)] for _ in range(3)] == [
        [4, 5, 6, 7, 8], [9, 10, 11, 12, 13], [14, 15],
    ]  # fmt: skip


def test_messages_that_go_before_they_are_read_do_not_hide_those_behind_them(
    served: Callable[..., ScriptedServer], watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BATCH", 2)
    folder = Folder(lambda folder: folder.deliver(4))

    def search(tag: bytes, args: bytes, client: Client) -> bytes:
        said = folder.search(tag, args, client)
        for uid in (4, 5):
            folder.flags.pop(uid, None)  # nobody is told, and nothing rings
        return said

    assert told(watched(served(folder, {"UID SEARCH": search})), 2) == new(6, 7)


@pytest.mark.parametrize("answer", [b"NO [SERVERBUG] cannot read it", b"BAD what?"])
@pytest.mark.parametrize("changes", [False, True])
def test_a_message_that_the_server_does_not_show_is_a_row_and_ends_nothing(
    served: Callable[..., ScriptedServer], watched: Watch, answer: bytes, *, changes: bool
) -> None:
    change = lambda folder: folder.flag(4, b"\\Seen") + (b"" if changes else b"* 4 EXISTS\r\n")  # noqa: E731
    folder = Folder(deliver, change, deliver)

    def fetch(tag: bytes, args: bytes, client: Client) -> Reply:
        if args.startswith(b"4 ") and b"BODY" in args:
            return b"<tag> " + answer + b"\r\n"
        return folder.fetch(tag, args, client)

    server = served(folder, {"UID FETCH": fetch})
    happening = watched(server, changes=changes)
    [change] = next(happening)
    assert (change.event, change.record.uid) == ("new", 4)
    assert change.record.defects == (f"the server does not show it: {answer.decode()}",)
    if changes:
        [change] = next(happening)
        assert (change.event, change.record.flags) == ("flags", ("\\Seen",))
    assert told(happening, 1) == new(5)


def test_a_message_that_ends_the_connection_is_a_row_and_ends_nothing(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(deliver, deliver)

    def fetch(tag: bytes, args: bytes, client: Client) -> Reply:
        return (
            hang_up(tag, args, client)
            if args.startswith(b"4 ")
            else folder.fetch(tag, args, client)
        )

    happening = watched(served(folder, {"UID FETCH": fetch}))
    [change] = next(happening)
    assert change.record.uid == 4
    assert "the connection ended" in change.record.defects[0]
    assert told(happening, 1) == new(5)


def test_where_nothing_is_shown_it_is_the_server_that_refuses(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    server = served(
        Folder(lambda folder: folder.deliver(20)), {"UID FETCH": b"<tag> NO [SERVERBUG] no\r\n"}
    )
    with pytest.raises(CommandError, match="SERVERBUG"):
        next(watched(server))


def test_a_server_that_wants_to_be_left_alone_is_no_message_that_is_not_shown(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    server = served(Folder(deliver), {"UID FETCH": b"<tag> NO [UNAVAILABLE] later\r\n"})
    with pytest.raises(ThrottledError):
        next(watched(server))
    assert sum(clock.slept) > 60


def test_a_connection_lost_for_good_is_no_message_that_is_not_shown(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    def fetch(_tag: bytes, _args: bytes, client: Client) -> bytes:
        server.handlers["LOGIN"] = hang_up
        client.close()
        return b""

    server = served(Folder(deliver), {"UID FETCH": fetch})
    with pytest.raises(ConnectionFailedError, match="could not be had again for 60 seconds"):
        next(watched(server))
    assert sum(clock.slept) <= 61


# -- what changes and goes


def happen(folder: Folder) -> bytes:
    return folder.flag(2, b"\\Seen") + folder.expunge(1) + folder.deliver()


@pytest.mark.parametrize("modseq", [None, 5])
def test_changes_are_told_each_once(
    served: Callable[..., ScriptedServer], watched: Watch, modseq: int | None
) -> None:
    folder = Folder(
        happen,
        lambda folder: folder.flag(4, b"\\Flagged $Junk"),
        lambda folder: folder.expunge(4) + folder.flag(3, b"work"),
        modseq=modseq,
    )
    server = served(folder)
    happening = watched(server, changes=True)
    assert told(happening, 3) == [("new", 4), ("flags", 2), ("gone", 1)]
    [change] = next(happening)
    assert (change.event, change.record.uid) == ("flags", 4)
    assert change.record.flags == ("\\Flagged", "$Junk")
    found = next(happening)
    assert [(c.event, c.record.uid) for c in found] == [("flags", 3), ("gone", 4)]
    assert found[1].record.defects == ("gone",)
    since = [args for args in server.commands("UID FETCH") if b"CHANGEDSINCE" in args]
    assert bool(since) == (modseq is not None)
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    "line",
    [b"* VANISHED 1\r\n", b"* 1 EXPUNGE\r\n", b"* 2 FETCH (FLAGS (\\Seen))\r\n"],
)
def test_each_kind_of_news_rings(
    served: Callable[..., ScriptedServer], watched: Watch, line: bytes
) -> None:
    def happen(folder: Folder) -> bytes:
        folder.flag(2, b"\\Seen")
        folder.expunge(1)
        return line

    assert len(told(watched(served(Folder(happen)), changes=True), 2)) == 2


@pytest.mark.parametrize("modseq", [None, 5])
def test_recent_and_case_and_order_are_no_change_and_keywords_are(
    served: Callable[..., ScriptedServer], watched: Watch, modseq: int | None
) -> None:
    folder = Folder(
        lambda folder: folder.flag(1, b"\\Recent \\SEEN $Forwarded"),
        lambda folder: folder.flag(1, b"$forwarded \\Seen"),
        lambda folder: folder.flag(1, b"\\Seen"),
        modseq=modseq,
    )
    folder.flags[1] = b"\\Seen $Forwarded"
    happening = watched(served(folder), changes=True)
    [change] = next(happening)
    assert (change.event, change.record.flags) == ("flags", ("\\Seen",))


def test_flags_that_change_while_a_message_is_new_are_told(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(deliver)

    def fetch(tag: bytes, args: bytes, client: Client) -> list[bytes]:
        said = folder.fetch(tag, args, client)
        if b"BODY" in args and not folder.flags[4]:
            folder.flag(4, b"\\Seen")
        return said

    happening = watched(served(folder, {"UID FETCH": fetch}), changes=True)
    assert told(happening, 2) == [("new", 4), ("flags", 4)]


def test_only_what_has_changed_since_is_asked_for(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(*[lambda folder: folder.flag(2, b"\\Seen")] * 1, deliver, modseq=5)
    server = served(folder)
    told(watched(server, changes=True), 2)
    asked = [args for args in server.commands("UID FETCH") if b"CHANGEDSINCE" in args]
    # The number goes up with what was told, and covers the message that is new.
    assert asked[0] == b"1:3 (FLAGS) (CHANGEDSINCE 5)"
    assert asked[1] == b"1:3 (FLAGS) (CHANGEDSINCE 5)"
    assert asked[-1] == b"1:4 (FLAGS) (CHANGEDSINCE 6)"
    whole = [args for args in server.commands("UID FETCH") if args.endswith(b"(UID FLAGS)")]
    assert len(whole) == 1


def test_a_change_that_is_told_by_number_alone_is_not_taken_for_known(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    """Its number counts only with what it is the number of (RFC 7162 section 3.2)."""
    folder = Folder(lambda folder: folder.flag(3, b"\\Seen"), modseq=5)
    asked: list[bytes] = []

    def fetch(tag: bytes, args: bytes, client: Client) -> list[bytes]:
        said = folder.fetch(tag, args, client)
        asked.append(args)
        if b"CHANGEDSINCE" in args and len(asked) == 3:
            line = folder.flag(1, b"\\Flagged").replace(b"))", b") MODSEQ (%d))" % folder.modseq)
            return [*said[:-1], line, said[-1]]
        return said

    happening = watched(served(folder, {"UID FETCH": fetch}), changes=True)
    assert sorted(told(happening, 2)) == [("flags", 1), ("flags", 3)]


def test_where_changes_are_not_numbered_all_flags_are_read(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(lambda folder: folder.flag(2, b"\\Seen"))

    def examine(tag: bytes, args: bytes, client: Client) -> bytes:
        return b"* OK [NOMODSEQ] not here\r\n" + folder.examine(tag, args, client)

    server = served(folder, {"EXAMINE": examine}, capabilities="IMAP4rev1 IDLE CONDSTORE")
    assert told(watched(server, changes=True), 1) == [("flags", 2)]
    assert not [args for args in server.commands("UID FETCH") if b"CHANGEDSINCE" in args]


def test_a_server_that_refuses_changedsince_is_asked_for_all_flags(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = Folder(
        lambda folder: folder.flag(2, b"\\Seen"), lambda folder: folder.flag(2, b""), modseq=5
    )

    def fetch(tag: bytes, args: bytes, client: Client) -> Reply:
        return b"<tag> BAD what?\r\n" if b"CHANGED" in args else folder.fetch(tag, args, client)

    server = served(folder, {"UID FETCH": fetch})
    assert told(watched(server, changes=True), 2) == [("flags", 2)] * 2
    assert len([args for args in server.commands("UID FETCH") if b"CHANGED" in args]) == 1
    assert len(lines_of(caplog, "all flags each time")) == 1


@pytest.mark.parametrize("back_to", [None, 2])
def test_a_server_set_back_is_asked_for_all_flags(
    served: Callable[..., ScriptedServer], watched: Watch, back_to: int | None
) -> None:
    """From a backup: what has changed since then has lower numbers than what was told before."""

    def restore(folder: Folder) -> bytes:
        folder.modseq = back_to
        folder.modseqs = dict.fromkeys(folder.flags, back_to or 0)
        folder.flags[2] = b"\\Seen"
        return b"* BYE back in a moment\r\n"

    folder = Folder(
        lambda folder: folder.flag(1, b"\\Flagged"),
        restore,
        lambda folder: folder.flag(3, b"work"),
        modseq=50,
    )
    server = served(folder)
    happening = watched(server, changes=True)
    assert told(happening, 3) == [("flags", 1), ("flags", 2), ("flags", 3)]
    assert len(server.connections) == 2
    assert (b"1:3 (FLAGS) (CHANGEDSINCE 2)" in server.commands("UID FETCH")) == bool(back_to)


def test_an_empty_folder_has_no_flags_to_ask_for(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    folder = Folder(deliver, lambda folder: folder.flag(1, b"\\Seen"), count=0, modseq=1)
    server = served(folder)
    assert told(watched(server, changes=True), 2) == [("new", 1), ("flags", 1)]


# -- answers that cannot be read, and the folder that is not there


@pytest.mark.parametrize(
    ("name", "garbled"),
    [
        ("UID SEARCH", b"* ESEARCH UID ALL (1\r\n"),
        ("UID SEARCH", b"* ESEARCH UID ALL 1:x\r\n"),
        ("UID FETCH", b"* 2 FETCH (UID 2 FLAGS (\\Seen\r\n"),
        ("UID FETCH", b"* 2 FETCH (UID x FLAGS (\\Seen))\r\n"),
        ("UID FETCH", b"* 2 FETCH FLAGS\r\n"),
        ("UID FETCH", b"* 2 FETCH (UID 2 FLAGS NIL MODSEQ 7)\r\n"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_cannot_be_read_is_asked_again_and_nothing_is_lost_by_it(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    name: str,
    garbled: bytes,
    times: int,
) -> None:
    folder = Folder(happen, lambda folder: folder.flag(3, b"work"), modseq=5)
    left = [garbled + b"<tag> OK done\r\n"] * times

    def handle(tag: bytes, args: bytes, client: Client) -> Reply:
        is_due = server.commands("IDLE") and (name == "UID SEARCH" or b"CHANGEDSINCE" in args)
        return left.pop() if is_due and left else folder.handlers[name](tag, args, client)

    server = served(folder, {name: handle})
    happening = watched(server, changes=True)
    assert sorted(told(happening, 4)) == [("flags", 2), ("flags", 3), ("gone", 1), ("new", 4)]
    assert not left


def test_what_can_never_be_read_is_an_error(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    server = served(Folder(), {"UID SEARCH": b"* ESEARCH UID ALL x\r\n<tag> OK done\r\n"})
    with pytest.raises(ProtocolError):
        next(watched(server))
    assert len(server.connections) < 30
    assert sum(clock.slept) <= 120


def test_a_search_that_is_refused_is_an_error(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    with pytest.raises(QueryError, match="no searching here"):
        next(watched(served(Folder(), {"UID SEARCH": b"<tag> NO no searching here\r\n"})))


NOT_THERE = b"<tag> NO [NONEXISTENT] No such mailbox\r\n"


@pytest.mark.parametrize("farewell", [b"", b"* BYE The mailbox has been deleted\r\n"])
def test_a_folder_that_is_deleted_is_an_error_in_words(
    served: Callable[..., ScriptedServer], watched: Watch, farewell: bytes
) -> None:
    def delete(_: Folder) -> bytes:
        server.handlers |= {"EXAMINE": NOT_THERE, "UID SEARCH": NOT_THERE}
        return farewell or b"* 0 EXISTS\r\n"

    server = served(Folder(delete))
    with pytest.raises(FolderError, match=r"folder 'INBOX'.*\n.*No such mailbox"):
        next(watched(server))


@pytest.mark.parametrize("farewell", [b"", b"* BYE The mailbox has been deleted\r\n"])
def test_a_folder_that_is_renumbered_is_an_error_in_words(
    served: Callable[..., ScriptedServer], watched: Watch, farewell: bytes
) -> None:
    def delete(folder: Folder) -> bytes:
        folder.uidvalidity = 8
        server.handlers |= {"UID SEARCH": NOT_THERE}
        return farewell or b"* 0 EXISTS\r\n"

    server = served(Folder(delete))
    with pytest.raises(UidValidityError, match="'INBOX' was renumbered"):
        next(watched(server))


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 IDLE", "IMAP4rev1"])
@pytest.mark.parametrize("error", [FolderError, UidValidityError])
@pytest.mark.usefixtures("time_of_the_clock")
def test_a_folder_that_a_server_goes_on_to_show_is_looked_for_now_and_then(
    served: Callable[..., ScriptedServer],
    watched: Watch,
    clock: Clock,
    capabilities: str,
    error: type[FolderError],
) -> None:
    folder = Folder()

    def go(_: object) -> bytes:
        clock.now += watching.LONGEST_IDLE
        folder.uidvalidity = 8
        if error is FolderError:
            server.handlers["EXAMINE"] = NOT_THERE
        return b"* NO Internal error occurred\r\n* 3 EXISTS\r\n"

    folder.steps.append(go)
    clock.at_sleep = lambda number: go(folder) if number == 3 else None
    server = served(folder, capabilities=capabilities)
    with pytest.raises(error, match="'INBOX'"):
        next(watched(server))
    assert len(server.commands("EXAMINE")) == 3
    assert len(server.connections) == 1


def test_a_folder_that_is_not_there_is_an_error_at_once(
    served: Callable[..., ScriptedServer], opened: Opened
) -> None:
    server = served(Folder(), {"EXAMINE": in_turn(Folder().examine, NOT_THERE)})
    with pytest.raises(FolderError, match="'Nowhere'"):
        next(watching.watch(opened(server), "Nowhere"))


# -- how it ends


def always(exists: bytes, folder: Folder, name: str) -> Callable[..., Iterable[bytes]]:
    """Say EXISTS with every answer, whether or not anything has come."""

    def handle(tag: bytes, args: bytes, client: Client) -> Iterable[bytes]:
        yield exists
        said = folder.handlers[name](tag, args, client)
        yield from [said] if isinstance(said, bytes) else said

    return handle


@pytest.mark.usefixtures("time_of_the_clock")
@pytest.mark.parametrize("name", ["UID SEARCH", "IDLE"])
def test_a_server_that_always_says_exists_is_not_run_against(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock, name: str
) -> None:
    folder = Folder()
    server = served(folder, {name: always(b"* 3 EXISTS\r\n", folder, name)})
    assert list(watched(server, duration=1000, poll=60)) == []
    assert clock.slept[:6] == [2, 4, 8, 16, 32, 60]
    assert sum(clock.slept) == 1000
    assert len(server.commands("UID SEARCH")) < len(clock.slept) + 6


@pytest.mark.usefixtures("time_of_the_clock")
def test_a_false_bell_now_and_then_keeps_nobody_waiting(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    def ring(_: Folder) -> bytes:
        clock.now += 60
        return b"* 3 EXISTS\r\n"

    assert told(watched(served(Folder(*[ring] * 20, deliver))), 1) == new(4)
    assert not clock.slept


def test_it_ends_when_its_time_is_up(served: Callable[..., ScriptedServer], watched: Watch) -> None:
    server = served(Folder())
    assert list(watched(server, duration=0.01)) == []
    assert len(server.commands("IDLE")) == 1


def test_before_it_ends_it_looks_once_more(
    served: Callable[..., ScriptedServer], watched: Watch
) -> None:
    def unheard(folder: Folder) -> bytes:
        folder.deliver()
        return b""

    [[change]] = list(watched(served(Folder(unheard)), duration=0.1))
    assert change.record.uid == 4


@pytest.mark.usefixtures("time_of_the_clock")
def test_polling_ends_when_its_time_is_up(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    server = served(Folder(), capabilities="IMAP4rev1")
    assert list(watched(server, duration=100, poll=30)) == []
    assert clock.slept == [30, 30, 30, 10]


def test_a_connection_that_cannot_be_had_again_is_an_error(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    def vanish(_: Folder) -> bytes:
        server.handlers["LOGIN"] = hang_up
        raise ConnectionAbortedError

    server = served(Folder(vanish))
    with pytest.raises(ConnectionFailedError, match="lost while waiting for mail"):
        next(watched(server))
    assert 59 <= sum(clock.slept) <= 60


def test_the_time_to_connect_again_begins_anew_with_each_loss(
    served: Callable[..., ScriptedServer], watched: Watch, clock: Clock
) -> None:
    def cut(_: Folder) -> bytes:
        clock.now += 3600
        raise ConnectionAbortedError

    def ring(_: Folder) -> bytes:
        return b"* 3 EXISTS\r\n"

    server = served(Folder(*[cut, ring] * 4, deliver))
    assert told(watched(server), 1) == new(4)
    assert len(server.connections) == 5


def test_the_diary_of_what_is_survived_is_short(
    served: Callable[..., ScriptedServer], watched: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    def cut(_: Folder) -> bytes:
        raise ConnectionAbortedError

    caplog.set_level(logging.INFO)
    told(watched(served(Folder(cut, deliver))), 1)
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage().partition("(")[0] for one in warnings] == [
        "connection to 127.0.0.1 lost ", "connected to 127.0.0.1 again",
    ]  # fmt: skip
