"""Watching a mailbox: frames of what happens in it, each message once, whatever befalls a line."""

from __future__ import annotations

import gc
import imaplib
import logging
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import plots, schema
from mailframe.cancellation import Cancelled, Scope
from mailframe.embedded import Server
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    NotSupportedError,
    QueryError,
    ThrottledError,
    UidValidityError,
)
from mailframe.imap import watching
from mailframe.imap.wire import Wire
from tests.conftest import missing
from tests.faults.reading import STALLED, Clock, Mailbox, sign_in
from tests.faults.test_interrupts import InterruptAt
from tests.faults.test_processes import run
from tests.faults.test_throttling import refuse_beyond
from tests.imap.test_watching import Folder, deliver
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from mailframe.session import Session
    from tests.rigs.proxy import Direction
    from tests.rigs.scripted import Connection as Client
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Frames = Generator[pd.DataFrame]
    SignIn = Callable[..., Session]

mpl.use("agg")

# A connection interrupted while it is made is closed when it is collected, which Python tells.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

#: Seconds in which one side has heard of the other.
SOON = 30
COUNT, GROUP = 200, 20
KINDS = ("cut", "reset", "stall")


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
    gc.collect()


def eventually(condition: Callable[[], object]) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def clock() -> Clock:
    return Clock(most=100_000)


@pytest.fixture
def stack(scripted: Scripted) -> Iterator[ExitStack]:  # noqa: ARG001 sessions end before servers
    with ExitStack() as everything:
        yield everything


@pytest.fixture
def signed_in(clock: Clock, stack: ExitStack) -> SignIn:
    """Return a function that signs in to a server: a new session."""

    def start(server: Any, user: str = "me@example.com", **options: Any) -> Session:
        password = getattr(server, "password", Dovecot.password)
        options.setdefault("retry", clock.retry())
        return stack.enter_context(sign_in(server, user, password, **options))

    return start


@pytest.fixture
def session(dovecot: Dovecot, user: str, signed_in: SignIn) -> Session:
    """Return a session on Dovecot, with three messages in the INBOX."""
    dovecot.deliver(user, messages.many(3))
    return signed_in(dovecot, user)


@pytest.fixture
def other(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    """Return a second client of that mailbox, which has nothing selected."""
    with imaplib.IMAP4(dovecot.host, dovecot.port) as client:
        client.login(user, dovecot.password)
        yield client


def taken(frames: Frames, count: int) -> pd.DataFrame:
    """Take frames until there are so many rows, and no more."""
    found: list[pd.DataFrame] = []
    while sum(map(len, found)) < count:
        found.append(next(frames))
        assert len(found[-1])
    whole = pd.concat(found, ignore_index=True)
    assert len(whole) == count
    return whole


def events(frame: pd.DataFrame) -> list[tuple[str, int]]:
    return sorted(zip(frame["event"], frame["uid"], strict=True))


# -- lost and found


class Place(NamedTuple):
    """Where a connection breaks: after so many bytes of one side."""

    direction: Direction
    at: int


@pytest.fixture(scope="module")
def places(dovecot: Dovecot) -> dict[str, Place]:
    return _places(dovecot, changes=False)


@pytest.fixture(scope="module")
def places_among_changes(dovecot: Dovecot) -> dict[str, Place]:
    return _places(dovecot, changes=True)


def _places(dovecot: Dovecot, *, changes: bool) -> dict[str, Place]:
    """Find where in a dialogue it is worth breaking, by one that is not disturbed."""
    user = dovecot.new_user()
    with FaultProxy(dovecot.host, dovecot.port, record=True) as proxy:
        with (
            sign_in(proxy, user, dovecot.password, Clock().retry()) as session,
            closing(session.watch(changes=changes)) as frames,
        ):
            dovecot.deliver(user, messages.many(GROUP))
            taken(frames, GROUP)
        asked, said = (bytes(proxy.lines[1].said[side]) for side in ("C", "S"))
    idling = said.index(b"idling\r\n") + len(b"idling\r\n")
    first = said.index(b" FETCH (", idling)
    return {
        "as IDLE is sent": Place("C", asked.index(b" IDLE\r\n") + 3),
        "before IDLE": Place("C", asked.index(b" IDLE\r\n") - 6),
        "while it waits": Place("S", idling),
        "in the midst of news": Place("S", idling + 20),
        "in the midst of a FETCH": Place("S", first + 3000),
        "behind a FETCH": Place("S", said.index(b"OK Fetch", first) + 10),
    }


def faults_of(places: dict[str, Place], kinds: tuple[Any, ...]) -> list[Fault]:
    """Break the first five connections of a watch, each at another place; the session's is 1."""
    names = list(places)[: len(kinds)]
    return [
        Fault(kind, places[name].at, places[name].direction, number)
        for number, (name, kind) in enumerate(zip(names, kinds, strict=True), start=2)
    ]


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_two_hundred_messages_come_once_each_though_the_line_is_cut_five_times(
    dovecot: Dovecot,
    user: str,
    places: dict[str, Place],
    signed_in: SignIn,
    stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    order: int,
) -> None:
    # A line that has fallen silent in IDLE is found lost when that has to be issued again.
    monkeypatch.setattr(watching, "LONGEST_IDLE", 1)
    kinds = (KINDS * 3)[order : order + 5] if order < 3 else ("cut",) * 5
    turned = dict([*list(places.items())[order:], *list(places.items())[:order]])
    faults = faults_of(turned, kinds)
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port, faults))
    session = signed_in(proxy, user, timeout=STALLED if "stall" in kinds else 20)
    frames = session.watch()
    rows = schema.empty("headers")
    for start in range(0, COUNT, GROUP):
        dovecot.deliver(user, [messages.plain(n) for n in range(start, start + GROUP)])
        rows = pd.concat([rows, taken(frames, GROUP)])
    frames.close()
    assert rows["uid"].tolist() == list(range(1, COUNT + 1))
    assert rows["subject"].tolist() == [f"Message {n}" for n in range(COUNT)]
    # Where a stall stands in IDLE and nothing comes, connections are not used up one by one.
    assert [line.broken for line in proxy.lines[1:6]] == list(kinds)


@pytest.mark.parametrize("order", [0, 2])
def test_changes_come_once_each_though_the_line_is_cut_five_times(
    dovecot: Dovecot,
    user: str,
    places_among_changes: dict[str, Place],
    signed_in: SignIn,
    other: imaplib.IMAP4,
    stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    order: int,
) -> None:
    monkeypatch.setattr(watching, "LONGEST_IDLE", 1)
    kinds = (KINDS * 3)[order : order + 5]
    known = list(places_among_changes.items())
    turned = dict([*known[order:], *known[:order]])
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port, faults_of(turned, kinds)))
    session = signed_in(proxy, user, timeout=STALLED)
    frames = session.watch(changes=True)
    told: list[tuple[str, int]] = []
    expected: list[tuple[str, int]] = []
    for start in range(0, COUNT // 2, GROUP):
        dovecot.deliver(user, [messages.plain(n) for n in range(start, start + GROUP)])
        told += events(taken(frames, GROUP))
        uids = range(start + 1, start + GROUP + 1)
        other.select("INBOX")
        other.uid("STORE", f"{uids[0]}:{uids[4]}", "+FLAGS", "(\\Flagged $Work)")
        told += events(taken(frames, 5))
        other.uid("STORE", f"{uids[8]}:{uids[9]}", "+FLAGS.SILENT", "(\\Deleted)")
        told += events(taken(frames, 2))
        other.expunge()
        told += events(taken(frames, 2))
        expected += [("new", uid) for uid in uids]
        expected += [("flags", uid) for uid in (*uids[:5], *uids[8:10])]
        expected += [("gone", uid) for uid in uids[8:10]]
    dovecot.deliver(user, [messages.plain(1)])
    told += events(taken(frames, 1))  # and nothing else
    assert sorted(told) == sorted([*expected, ("new", COUNT // 2 + 1)])
    assert [line.broken for line in proxy.lines[1:6]] == list(kinds)


@pytest.fixture(scope="module")
def without_idle() -> Iterator[Dovecot]:
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(capability="IMAP4rev1 ESEARCH UIDPLUS LITERAL+") as server:
        yield server


@pytest.mark.parametrize("changes", [False, True])
def test_polling_misses_and_repeats_nothing_either(
    without_idle: Dovecot, signed_in: SignIn, stack: ExitStack, clock: Clock, *, changes: bool
) -> None:
    user = without_idle.new_user()
    # Where exactly that is depends on how often it is asked.
    faults = [
        Fault(kind, at, "S", number)
        for number, (kind, at) in enumerate(
            [("cut", 3000), ("reset", 9000), ("cut", 5000), ("reset", 1500), ("cut", 7777)], 2
        )
    ]
    proxy = stack.enter_context(FaultProxy(without_idle.host, without_idle.port, faults))
    frames = signed_in(proxy, user).watch(changes=changes)
    uids: list[int] = []
    for start in range(0, COUNT, GROUP):
        without_idle.deliver(user, [messages.plain(n) for n in range(start, start + GROUP)])
        uids += taken(frames, GROUP)["uid"].tolist()
    assert uids == list(range(1, COUNT + 1))
    assert [line.broken for line in proxy.lines[1:6]] == ["cut", "reset", "cut", "reset", "cut"]
    assert set(clock.slept) - {60} <= {0, 0.5, 1, 2, 4, 8, 16, 30, 32}


# -- frames


def test_frames_are_those_of_headers(dovecot: Dovecot, user: str, session: Session) -> None:
    frames = session.watch(fields=["X-Mailer", "Date"])
    dovecot.deliver(user, [messages.with_attachment(7, x_mailer="Pigeon")])
    frame = next(frames)
    frames.close()
    assert_frame_equal(frame, session.headers(limit=1, fields=["X-Mailer", "Date"]))
    assert_frame_equal(schema.conform(frame, "headers"), frame)
    assert frame.loc[0, "x_mailer"] == "Pigeon"


def test_frames_of_changes_conform(
    dovecot: Dovecot, user: str, session: Session, other: imaplib.IMAP4
) -> None:
    frames = session.watch(changes=True, fields="X-Mailer")
    dovecot.deliver(user, [messages.plain(4)])
    found = [next(frames)]
    other.select("INBOX")
    other.uid("STORE", "2", "+FLAGS", "(\\Seen Work)")
    found.append(next(frames))
    other.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
    found.append(next(frames))
    other.expunge()
    found.append(next(frames))
    for frame in found:
        assert_frame_equal(schema.conform(frame, "events"), frame)
        assert list(frame.columns)[4] == "event"
        assert set(frame["event"].cat.categories) <= {"new", "flags", "gone"}
        assert "x_mailer" in frame
    whole = pd.concat(found, ignore_index=True)
    assert list(zip(whole["event"], whole["uid"], strict=True)) == [
        ("new", 4), ("flags", 2), ("flags", 1), ("gone", 1),
    ]  # fmt: skip
    assert whole["seen"].tolist()[:2] == [False, True]
    assert whole["keywords"].tolist()[1] == "Work"
    assert pd.isna(whole["subject"].iloc[3])
    assert len(whole["uidvalidity"].unique()) == 1


def test_events_are_described() -> None:
    described = mf.schema.describe("events")
    assert "gone" in described.loc["event", "meaning"]
    assert list(described.index) == list(schema.empty("events").columns)


# -- what it is asked for


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folder": "*"}, "not one folder"),
        ({"folder": ["INBOX"]}, "not one folder"),
        ({"folder": None}, "not one folder"),
        ({"duration": 0}, "duration=0"),
        ({"duration": -1}, "duration=-1"),
        ({"duration": "60"}, "duration='60'"),
        ({"duration": True}, "duration=True"),
        ({"duration": float("nan")}, "duration=nan"),
        ({"duration": float("inf")}, "duration=inf"),
        ({"poll": None}, "poll=None"),
        ({"poll": 0}, "poll=0"),
        ({"poll": [1]}, r"poll=\[1\]"),
        ({"fields": ["a b"]}, "no name of a header field"),
        ({"after": 5}, "after= takes rows"),
        ({"after": [5]}, "after= takes rows"),
        ({"after": pd.Series([5], name="uid")}, "after= takes rows"),
        ({"after": pd.DataFrame({"uid": [5]})}, "does not say which messages"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_opened(
    scripted: Scripted, signed_in: SignIn, options: dict[str, Any], words: str
) -> None:
    server = scripted(Folder().handlers, capabilities="IMAP4rev1 IDLE")
    with pytest.raises(QueryError, match=words):
        signed_in(server).watch(**options)
    assert len(server.connections) == 1


def test_a_folder_that_is_not_there_is_an_error_at_the_call(
    dovecot: Dovecot, user: str, signed_in: SignIn, stack: ExitStack
) -> None:
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port))
    session = signed_in(proxy, user)
    with pytest.raises(FolderError, match="'Nowhere'"):
        session.watch("Nowhere")
    eventually(lambda: proxy.open == 1)


def test_a_role_stands_for_a_folder(dovecot: Dovecot, user: str, session: Session) -> None:
    frames = session.watch("\\Archive")
    dovecot.deliver(user, [messages.plain(5)], folder="Archive")
    assert next(frames)["folder"].tolist() == ["Archive"]
    with pytest.raises(FolderError, match="role"):
        session.watch("\\Nobody")


@pytest.mark.parametrize("name", ["inbox", "Inbox"])
def test_the_inbox_in_any_case_is_the_inbox(
    dovecot: Dovecot, user: str, session: Session, name: str
) -> None:
    frames = session.watch(name, after=session.headers(limit=1))
    dovecot.deliver(user, [messages.plain(4)])
    assert next(frames)["folder"].tolist() == ["INBOX"]


def test_files_have_no_news(tmp_path: Any) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(messages.plain(1))
    with mf.open(path) as session, pytest.raises(NotSupportedError, match="Only a server"):
        session.watch()


def test_nothing_between_rows_and_the_watch_is_missed(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    rows = session.headers("ALL")
    dovecot.deliver(user, messages.many(2))
    # In whatever order, and however many of them.
    for after in (rows, rows.head(1), rows.sort_values("uid")):
        with closing(session.watch(after=after)) as frames:
            assert taken(frames, 2)["uid"].tolist() == [4, 5]
    with closing(session.watch(after=rows.tail(1), changes=True)) as frames:
        assert events(taken(frames, 4)) == [("new", uid) for uid in (2, 3, 4, 5)]


def test_a_watch_goes_on_where_another_has_ended(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    with closing(session.watch(changes=True)) as frames:
        dovecot.deliver(user, messages.many(1))
        last = next(frames)
    dovecot.deliver(user, messages.many(1))
    with closing(session.watch(after=last)) as frames:
        assert next(frames)["uid"].tolist() == [5]


def test_after_no_rows_everything_is_new_from_now_on(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    with closing(session.watch(after=session.headers("FLAGGED"))) as frames:
        dovecot.deliver(user, messages.many(1))
        assert next(frames)["uid"].tolist() == [4]


def test_rows_of_something_else_are_refused(
    dovecot: Dovecot, user: str, session: Session, signed_in: SignIn
) -> None:
    rows = session.headers()
    with pytest.raises(QueryError, match="rows of 'INBOX', and 'Sent' is to be watched"):
        session.watch("Sent", after=rows)
    dovecot.deliver(user, messages.many(1), folder="Sent")
    both = session.headers(folder=["INBOX", "Sent"])
    with pytest.raises(QueryError, match="rows of 'INBOX', 'Sent'"):
        session.watch(after=both)
    with pytest.raises(QueryError, match="this session reads"):
        signed_in(dovecot, dovecot.new_user()).watch(after=rows)
    older = rows.assign(uidvalidity=rows["uidvalidity"] - 1)
    with pytest.raises(UidValidityError, match="was renumbered"):
        session.watch(after=older)
    with pytest.raises(QueryError, match="before and after 'INBOX' was renumbered"):
        session.watch(after=pd.concat([older, rows]))


def test_it_ends_after_its_duration(session: Session) -> None:
    assert list(session.watch(duration=0.01)) == []


# -- beside other calls


def test_other_calls_come_in_between(dovecot: Dovecot, user: str, session: Session) -> None:
    seen = []
    for frame in session.watch(after=session.headers().tail(1)):
        seen.append(session.message(int(frame["uid"].iloc[-1])).subject)
        seen.append(len(session.bodies(frame, progress=False)))
        with closing(session.stream()) as batches:
            seen.append(len(next(batches)))
        if len(seen) == 9:
            break
        dovecot.deliver(user, [messages.plain(3 + len(seen))])
    assert seen == [
        session.headers()["subject"].iloc[2],
        2,
        3,
        "Message 6",
        1,
        4,
        "Message 9",
        1,
        5,
    ]


def test_a_consumer_slower_than_the_server_gets_all_of_it_once(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    frames = session.watch()
    dovecot.deliver(user, messages.many(1))
    assert len(next(frames)) == 1
    dovecot.deliver(user, messages.many(2000))
    sizes, uids = [], []
    while len(uids) < 2000:
        frame = next(frames)
        sizes.append(len(frame))
        uids += frame["uid"].tolist()
    assert max(sizes) <= 500
    assert uids == list(range(5, 2005))


def test_two_watches_of_one_session(dovecot: Dovecot, user: str, session: Session) -> None:
    with closing(session.watch()) as one, closing(session.watch("Sent")) as two:
        dovecot.deliver(user, [messages.plain(1)], folder="Sent")
        dovecot.deliver(user, [messages.plain(1)])
        assert next(one)["folder"].tolist() == ["INBOX"]
        assert next(two)["folder"].tolist() == ["Sent"]


def test_a_server_that_lets_nobody_else_in_is_an_error_in_words(
    scripted: Scripted, signed_in: SignIn
) -> None:
    login = refuse_beyond(1, b"NO [LIMIT] Maximum number of connections exceeded")
    server = scripted({**Folder().handlers, "LOGIN": login, "AUTHENTICATE": login})
    session = signed_in(server)
    with pytest.raises(ThrottledError, match="Maximum number of connections") as caught:
        session.watch()
    assert "lets nobody in beside" in caught.value.tried
    assert "pool_size" in caught.value.suggestion
    assert session.count() == 3
    assert sum(one.is_authenticated for one in server.connections) == 1


# -- how it ends


@pytest.fixture
def proxied(
    dovecot: Dovecot, user: str, signed_in: SignIn, stack: ExitStack
) -> tuple[FaultProxy, Session]:
    """Return a session on Dovecot, and the proxy in front of it, which counts connections."""
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port))
    dovecot.deliver(user, messages.many(3))
    return proxy, signed_in(proxy, user)


def test_the_connection_is_closed_when_the_time_is_up(
    proxied: tuple[FaultProxy, Session],
) -> None:
    proxy, session = proxied
    assert list(session.watch(duration=0.01)) == []
    eventually(lambda: proxy.open == 1)
    assert session.count() == 3
    assert not session._source._pool._apart


def test_the_connection_is_closed_when_the_loop_is_left(
    proxied: tuple[FaultProxy, Session],
) -> None:
    proxy, session = proxied
    for frame in session.watch(after=session.headers().tail(1)):
        assert len(frame) == 2
        assert proxy.open == 2
        break
    eventually(lambda: proxy.open == 1)
    assert "LOGOUT" in session.trace()["command"].tolist()


@pytest.mark.parametrize("begun", [False, True])
def test_the_connection_is_closed_when_it_is_collected(
    proxied: tuple[FaultProxy, Session], *, begun: bool
) -> None:
    proxy, session = proxied
    circle: list[Any] = [session.watch(after=session.headers().tail(1))]
    circle.append(circle)
    if begun:
        next(circle[0])
    assert proxy.open == 2
    del circle
    gc.collect()
    eventually(lambda: proxy.open == 1)
    assert session.count() == 3


def test_the_connection_is_closed_after_an_error(
    proxied: tuple[FaultProxy, Session], other: imaplib.IMAP4
) -> None:
    proxy, session = proxied
    other.create("Work")
    frames = session.watch("Work")
    other.delete("Work")
    with pytest.raises(FolderError, match="'Work'"):
        next(frames)
    eventually(lambda: proxy.open == 1)
    assert list(frames) == []


class Watched(NamedTuple):
    """A session whose server tells when somebody waits."""

    session: Session
    idling: threading.Event
    server: ScriptedServer

    def end(self) -> None:
        """Hang up on whoever still waits, so that a test that fails comes to its end."""
        for client in self.server.connections:
            client.close()


@pytest.fixture(params=["IDLE", "polling"])
def waiting(
    request: pytest.FixtureRequest,
    scripted: Scripted,
    signed_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> Watched:
    idling = threading.Event()
    folder = Folder()

    def idle(tag: bytes, args: bytes, client: Client) -> bytes:
        idling.set()
        return folder.idle(tag, args, client)

    capabilities = "IMAP4rev1 IDLE" if request.param == "IDLE" else "IMAP4rev1"
    server = scripted({**folder.handlers, "IDLE": idle}, capabilities=capabilities)
    monkeypatch.undo()  # time does not fly here: it is waited, until somebody is woken
    retry = mf.imap.retry.Retry(seconds=60)
    if request.param == "polling":
        wait = type(retry).wait

        def waited(self: Any, seconds: float, woken: Any = None) -> None:
            idling.set()
            wait(self, seconds, woken)

        monkeypatch.setattr(type(retry), "wait", waited)
    return Watched(signed_in(server, retry=retry), idling, server)


def test_closing_the_session_wakes_whoever_waits(waiting: Watched) -> None:
    frames = waiting.session.watch(poll=10 * SOON)
    with ThreadPoolExecutor(1) as other, ExitStack() as ending:
        ending.callback(waiting.end)
        future = other.submit(next, frames)
        assert waiting.idling.wait(SOON)
        waiting.session.close()
        with pytest.raises(ConnectionFailedError, match="is closed"):
            future.result(SOON / 2)
    assert len(waiting.server.connections) == 2
    with pytest.raises(ConnectionFailedError, match="is closed"):
        waiting.session.watch()
    waiting.session.close()


def test_whoever_is_cancelled_wakes(waiting: Watched) -> None:
    scope = Scope()
    frames = scope.run(lambda: waiting.session.watch(poll=10 * SOON))
    with ThreadPoolExecutor(1) as other, ExitStack() as ending:
        future = other.submit(scope.run, next, frames)
        assert waiting.idling.wait(SOON)
        scope.cancel()
        ending.callback(waiting.session.close)
        with pytest.raises(Cancelled):
            future.result(SOON / 2)
        ending.pop_all()
    assert waiting.session.count() == 3
    assert len(waiting.server.connections) == 2


def test_closing_the_session_between_two_frames(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    frames = session.watch()
    dovecot.deliver(user, messages.many(1))
    next(frames)
    session.close()
    with pytest.raises(ConnectionFailedError, match="is closed"):
        next(frames)
    assert list(frames) == []


# -- Ctrl-C, fork


@pytest.mark.parametrize("received", [1, 4, 9, 10, 11, 12])
def test_ctrl_c_ends_the_watch_alone(
    proxied: tuple[FaultProxy, Session],
    monkeypatch: pytest.MonkeyPatch,
    received: int,
) -> None:
    proxy, session = proxied
    rows = session.headers()
    fill = Wire._fill
    left = received

    def interrupted(wire: Wire) -> int:
        nonlocal left
        left -= 1
        # Whoever waits in IDLE for longer than that waits for nothing.
        if not left or (wire._tap._flying and next(iter(wire._tap._flying.values()))[1] == "IDLE"):
            signal.raise_signal(signal.SIGINT)
        return fill(wire)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "_fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(session.watch(after=rows))
    gc.collect()
    eventually(lambda: proxy.open == 1)
    assert session.count() == 3
    assert len(proxy.lines) == 2
    assert not session._source._pool._apart


def test_an_interrupt_at_any_line_leaves_a_session_that_works(
    proxied: tuple[FaultProxy, Session],
    full: bool,  # noqa: FBT001 a fixture
) -> None:
    proxy, session = proxied
    rows = session.headers().tail(1)

    def work() -> list[int]:
        with closing(session.watch(after=rows, changes=True)) as frames:
            return next(frames)["uid"].tolist()

    with InterruptAt() as undisturbed:
        assert work() == [2, 3]
    for number in range(1, undisturbed.lines, undisturbed.lines // (600 if full else 25)):
        interrupt = InterruptAt(number)
        with interrupt, pytest.raises(KeyboardInterrupt):
            work()
        gc.collect()
        try:
            assert session.count() == 3
            assert work() == [2, 3]
            eventually(lambda: proxy.open <= 1)
        except BaseException as error:
            error.add_note(f"interrupted at {interrupt.hit}")
            raise


FORK = """
import imaplib
frames = session.watch()
child = os.fork()
done = os.waitpid(child, 0)[1] if child else ""
with imaplib.IMAP4(host, int(port)) as client:
    client.login(user, password)
    client.append("INBOX", None, None, b"Subject: Hello\\r\\n\\r\\nYou\\r\\n")
frame = next(frames)
print(frame["uid"].tolist(), done, flush=True)
frames.close()
session.close()
"""


def test_parent_and_child_go_on_watching_with_a_connection_each(
    dovecot: Dovecot, user: str, stack: ExitStack
) -> None:
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port))
    mailbox = Mailbox(dovecot.host, dovecot.port, user, dovecot.password)
    said = run(FORK, proxy, mailbox).split("\n")
    # The child's message is there when the parent has sent another.
    assert said == ["[1] ", "[1, 2] 0", ""]
    assert len(proxy.lines) == 2 + 1 + 2  # the session's and the watch's, the child's, appended by


@pytest.mark.parametrize("end", ["", "session.close()", "del frames", "next(frames)"])
def test_a_program_ends_without_a_word_about_a_watch(
    dovecot: Dovecot, user: str, stack: ExitStack, end: str
) -> None:
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port))
    dovecot.deliver(user, messages.many(2))
    mailbox = Mailbox(dovecot.host, dovecot.port, user, dovecot.password)
    begin = "frames = session.watch(after=session.headers().tail(1))\n"
    assert run(begin + end, proxy, mailbox) == ""
    proxy.settle()
    assert proxy.open == 0


# -- folders that go


@pytest.fixture(params=["Dovecot", "embedded"])
def two(
    request: pytest.FixtureRequest, dovecot: Dovecot, signed_in: SignIn, stack: ExitStack
) -> tuple[Session, imaplib.IMAP4]:
    """Return a session and a second client of a mailbox with a folder Work in it."""
    if request.param == "Dovecot":
        server: Any = dovecot
        user, password = dovecot.new_user(), dovecot.password
    else:
        user, password = "me", Dovecot.password
        server = stack.enter_context(Server({user: password}))
    client = stack.enter_context(imaplib.IMAP4(server.host, server.port))
    client.login(user, password)
    client.create("Work")
    client.append("Work", "", "", messages.plain(1))
    client.append("Work", "", "", messages.plain(2))
    return signed_in(server, user), client


@pytest.mark.parametrize("changes", [False, True])
def test_what_happens_in_a_folder(two: tuple[Session, imaplib.IMAP4], *, changes: bool) -> None:
    session, client = two
    frames = session.watch("Work", changes=changes)
    client.append("Work", "\\Seen", "", messages.plain(3))
    frame = taken(frames, 1)
    assert frame["uid"].tolist() == [3]
    assert frame["seen"].tolist() == [True]
    client.select("Work")
    client.uid("STORE", "1", "+FLAGS", "(\\Flagged)")
    if changes:
        assert events(taken(frames, 1)) == [("flags", 1)]
    client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
    if changes:
        assert events(taken(frames, 1)) == [("flags", 1)]
    client.expunge()
    if changes:
        assert events(taken(frames, 1)) == [("gone", 1)]
    client.append("Work", "", "", messages.plain(4))
    assert taken(frames, 1)["uid"].tolist() == [4]
    said = session.trace()
    is_fetch = said["line"].str.contains("CHANGEDSINCE")
    assert is_fetch.any() == changes


@pytest.mark.parametrize("changes", [False, True])
def test_a_folder_deleted_while_it_is_watched(
    two: tuple[Session, imaplib.IMAP4], *, changes: bool
) -> None:
    session, client = two
    frames = session.watch("Work", changes=changes)
    client.delete("Work")
    with pytest.raises(FolderError, match="'Work'") as caught:
        next(frames)
    assert not isinstance(caught.value, UidValidityError)
    assert "session.folders()" in str(caught.value)
    assert session.count() == 0


def test_a_folder_deleted_and_created_again(
    two: tuple[Session, imaplib.IMAP4], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dovecot does not tell of it.
    monkeypatch.setattr(watching, "LONGEST_IDLE", 0.5)
    session, client = two
    frames = session.watch("Work")
    client.delete("Work")
    client.create("Work")
    client.append("Work", "", "", messages.plain(1))
    with pytest.raises(UidValidityError, match="'Work' was renumbered"):
        next(frames)


def test_a_folder_renamed_while_it_is_watched(
    two: tuple[Session, imaplib.IMAP4], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST_IDLE", 0.1)
    session, client = two
    frames = session.watch("Work")
    client.rename("Work", "Other")
    with pytest.raises(FolderError, match="'Work'"):
        next(frames)


# -- the dialogue, the diary


def test_the_trace_shows_idle_and_done_in_clear_and_can_be_drawn(
    dovecot: Dovecot, user: str, session: Session
) -> None:
    with session.tracing() as dialogue, closing(session.watch()) as frames:
        dovecot.deliver(user, messages.many(1))
        next(frames)
    for trace in (session.trace(), dialogue.frame):
        said = trace[trace["command"] == "IDLE"]
        assert said["line"].str.endswith(" IDLE").iloc[0]
        assert "DONE" in said["line"].tolist()
        assert said["line"].str.contains("1 EXISTS|4 EXISTS").any()
        assert said["line"].str.contains("OK Idle completed").any()
        plots.trace(trace).figure.clear()
    assert "DONE" in repr(dialogue)
    mpl.pyplot.close("all")


def test_the_diary_has_a_line_when_it_ends(
    dovecot: Dovecot, user: str, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="mailframe.imap.diary")
    with closing(session.watch()) as frames:
        dovecot.deliver(user, messages.many(2))
        taken(frames, 2)
    list(session.watch(duration=0.01))
    first, second = [one.getMessage() for one in caplog.records if "watched" in one.getMessage()]
    assert first.startswith("watched 'INBOX': 2 messages, then broken off (")
    assert second.startswith("watched 'INBOX': 0 messages (")


def test_a_scripted_step_is_a_frame(scripted: Scripted, signed_in: SignIn) -> None:
    server = scripted(Folder(deliver).handlers, capabilities="IMAP4rev1 IDLE")
    assert next(signed_in(server).watch())["uid"].tolist() == [4]
