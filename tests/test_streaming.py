"""A stream: what a method reads, a batch at a time, and nothing held in between."""

from __future__ import annotations

import gc
import random
import re
import shutil
import threading
import tracemalloc
import weakref
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import tqdm.auto
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import progress, schema
from mailframe.embedded import Server
from mailframe.embedded.store import Account
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    QueryError,
    UidValidityError,
)
from mailframe.imap import pool, trace
from mailframe.imap import source as imap_source
from mailframe.selection import in_order_of
from mailframe.streaming import _in_order
from tests.faults.reading import Clock, sign_in, some_messages
from tests.rigs import messages
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

    SignIn = Callable[..., mf.Session]

#: What a stream may be of, with the kind of frame.
KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("headers", {}, "headers"),
    ("headers", {"fields": ["X-Mailer", "Date"]}, "headers"),
    ("recipients", {}, "recipients"),
    ("attachments", {}, "attachments"),
    ("hops", {}, "hops"),
    ("bodies", {}, "bodies"),
    ("bodies", {"html": True}, "bodies_html"),
    ("bodies", {"own_text": True}, "bodies_own_text"),
    ("bodies", {"max_bytes": 10}, "bodies"),
    ("bodies", {"preview": True}, "previews"),
]
COUNTS = {"INBOX": 137, "Archive": 60, "Büro/Ablage": 45, "Sent": 8, "Empty": 0}
#: Places at which a connection is cut, in the long version.
PLACES = 50
#: Messages a frame where memory is measured.
BATCH = 50


def some_mail(count: int) -> list[Any]:
    """Return messages of all kinds, every third of which has passed two servers."""
    received = (
        "from a.example.org by b.example.org with ESMTPS; Mon, 5 Jan 2026 09:30:05 +0000\r\n"
        "Received: from localhost by a.example.org with LMTP; Mon, 5 Jan 2026 09:30:01 +0000"
    )
    made = some_messages(count)
    for place in range(1, count, 3):
        made[place] = (messages.plain(place, received=received, x_mailer="Pine"), *made[place][1:])
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        is_full = metafunc.config.getoption("--full")
        metafunc.parametrize("number", range(0, PLACES, 1 if is_full else 10))


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with mail in several folders, which is only read."""
    user = dovecot.new_user()
    for folder, count in COUNTS.items():
        dovecot.deliver(user, some_mail(count), folder)
    return user


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as everything:
        yield everything


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every server count as far away, so that several connections are worth while."""
    monkeypatch.setattr(pool, "FAR", 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(dovecot: Dovecot, owner: str, clock: Clock, stack: ExitStack) -> SignIn:
    def start(server: Any = dovecot, user: str = owner, **options: Any) -> mf.Session:
        settings = {"retry": clock.retry(), **options}
        return stack.enter_context(sign_in(server, user, dovecot.password, **settings))

    return start


@pytest.fixture(params=["near", "far", "files"])
def reading(
    request: pytest.FixtureRequest,
    dovecot: Dovecot,
    owner: str,
    session: SignIn,
    stack: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> mf.Session:
    """Return a session on that mail, on a server or in files."""
    if request.param == "files":
        shutil.copytree(dovecot.maildir(owner), tmp_path / "Maildir")
        return stack.enter_context(mf.open(tmp_path / "Maildir"))
    if request.param == "far":
        monkeypatch.setattr(pool, "FAR", 0)
        return session(pool_size=4)
    return session()


def assert_streamed(
    frames: Iterable[pd.DataFrame], expected: pd.DataFrame, kind: str
) -> list[pd.DataFrame]:
    """Check that frames conform, and are together what a method gave; return them."""
    frames = list(frames)
    for frame in frames:
        assert len(frame)
        assert_frame_equal(schema.conform(frame, kind), frame)
        assert type(frame.index) is pd.RangeIndex
        assert list(frame.columns) == list(expected.columns)
        assert frame.attrs == expected.attrs
    assert_same(frames, expected)
    return frames


def assert_same(frames: list[pd.DataFrame], expected: pd.DataFrame) -> None:
    joined = mf.concat(frames)
    # A frame's categories are those of its own rows.
    assert_frame_equal(joined, expected, check_categorical=False)


def lent(one: mf.Session) -> int:
    """Count connections that are not in the pool."""
    connections = one._source._pool
    return len(connections) - len(connections._free)


def assert_free(one: mf.Session) -> None:
    """Check that nothing is held, and nobody is at work."""
    assert lent(one) == 0
    assert one._source._pool.listeners == []
    assert not [t.name for t in threading.enumerate() if t.name.startswith("mailframe")]


class Bar:
    """As much of tqdm as a session uses; it raises when so many have come."""

    total = 0

    def __init__(self, patience: int = 0, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.n = 0
        self._patience = patience
        self._error = error

    def update(self, n: int) -> None:
        self.n += n
        if self._patience and self.n >= self._patience:
            raise self._error


# -- what the method reads


@pytest.mark.parametrize(("what", "options", "kind"), KINDS, ids=str)
def test_frames_together_are_what_the_method_reads(
    reading: mf.Session, what: str, options: dict[str, Any], kind: str
) -> None:
    expected = getattr(reading, what)(progress=False, **options)
    assert len(expected) >= 20
    frames = assert_streamed(reading.stream("ALL", what, batch=25, **options), expected, kind)
    assert len(frames) == 6  # 137 messages


@pytest.mark.parametrize(("what", "options", "kind"), KINDS, ids=str)
def test_rows_of_several_folders_come_in_their_order(
    reading: mf.Session, what: str, options: dict[str, Any], kind: str
) -> None:
    rows = reading.headers(folder="*").sample(frac=0.5, random_state=8)
    assert rows["folder"].nunique() == 4
    expected = getattr(reading, what)(rows, **options)
    frames = list(assert_streamed(reading.stream(rows, what, batch=20, **options), expected, kind))
    if what in {"headers", "bodies"}:
        assert [len(frame) for frame in frames[:-1]] == [20] * (len(frames) - 1)


@pytest.mark.parametrize(
    ("criteria", "options"),
    [
        ("ALL", {"folder": "*"}),
        ("SEEN", {"folder": ["Archive", "INBOX"]}),
        (mf.Q(seen=True) & ~mf.Q(has_attachment=True), {"folder": "*"}),
        ("ALL", {"limit": 40}),
        ("ALL", {"folder": "*", "limit": 40}),
        ("ALL", {"folder": "\\Sent"}),
        ("ALL", {"folder": ["Empty", "Büro/Ablage", "Empty"]}),
    ],
    ids=str,
)
def test_criteria_folders_limits_and_roles_mean_the_same(
    session: SignIn, criteria: Any, options: dict[str, Any]
) -> None:
    one = session()
    expected = one.headers(criteria, **options)
    assert len(expected)
    assert_streamed(one.stream(criteria, batch=11, **options), expected, "headers")


@pytest.mark.parametrize("limit", [None, 7])
def test_uids_come_in_their_order(session: SignIn, limit: int | None) -> None:
    one = session()
    uids = one.headers()["uid"].sample(30, random_state=1)
    for some in (uids, pd.Index(uids)):
        expected = one.bodies(some, limit=limit)
        assert_streamed(one.stream(some, "bodies", batch=4, limit=limit), expected, "bodies")


def test_previews_are_made_here_where_the_server_makes_none(session: SignIn) -> None:
    one = session()
    connection: Any = one._source
    connection._pool.first.capabilities -= {"PREVIEW"}
    expected = one.bodies(preview=True, folder="*")
    frames = one.stream(what="bodies", preview=True, folder="*", batch=30)
    assert_streamed(frames, expected, "previews")


@pytest.mark.parametrize("batch", [1, 60, 136, 137, 138, 250, 10_000])
def test_a_frame_has_as_many_messages_as_asked(session: SignIn, batch: int) -> None:
    one = session()
    total = sum(COUNTS.values())
    sizes = [len(frame) for frame in one.stream(folder="*", batch=batch)]
    assert sizes == [batch] * (total // batch) + [total % batch] * (total % batch > 0)


def test_nothing_found_is_no_frame(session: SignIn) -> None:
    one = session()
    assert list(one.stream(folder="Empty")) == []
    assert list(one.stream("SUBJECT nothing-is-called-so")) == []
    assert list(one.stream(one.headers(limit=0), "bodies")) == []
    assert list(one.stream(limit=0)) == []
    assert_free(one)


def test_a_frame_without_rows_is_left_out(session: SignIn) -> None:
    one = session()
    expected = one.hops()
    frames = assert_streamed(one.stream(what="hops", batch=1), expected, "hops")
    assert len(frames) == expected["uid"].nunique() < COUNTS["INBOX"]


def test_the_rows_of_a_large_frame_are_looked_at_once(session: SignIn) -> None:
    one = session()
    rows = one.headers(folder="*").sample(frac=1, random_state=2)
    some = rows.iloc[20:40].sample(frac=1, random_state=3).reset_index(drop=True)
    assert_frame_equal(_in_order(rows, some), in_order_of(rows, some))


# -- what happens meanwhile


def test_which_messages_they_are_is_found_out_at_once(dovecot: Dovecot, session: SignIn) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(20))
    one = session(user=user)
    frames = one.stream(batch=10)
    dovecot.deliver(user, messages.many(5))
    first = next(frames)
    dovecot.deliver(user, messages.many(5))
    assert [*first["uid"], *next(frames)["uid"]] == list(range(20, 0, -1))
    assert list(frames) == []
    assert one.count() == 30


#: Of 60 messages, in pieces of ten: at both ends of pieces, and one piece as a whole.
GONE = frozenset({49, 41, 40, *range(30, 20, -1), 11, 10, 1})


@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_messages_that_go_meanwhile_leave_every_frame_its_own(
    dovecot: Dovecot, session: SignIn, what: str
) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(60))
    one = session(user=user)
    by_rows = one.stream(one.search(), what, batch=10)
    by_criteria = one.stream(what=what, batch=10)
    before = [next(by_rows), next(by_criteria)]
    assert [list(frame["uid"]) for frame in before] == [list(range(60, 50, -1))] * 2
    for uid in GONE:
        dovecot.expunge(user, uid)
    own = [range(start, start - 10, -1) for start in range(50, 0, -10)]
    kept = [[uid for uid in uids if uid not in GONE] for uids in own]
    assert [list(frame["uid"]) for frame in by_criteria] == [uids for uids in kept if uids]
    for frame, uids in zip(by_rows, own, strict=True):
        assert list(frame["uid"]) == list(uids)
        assert set(frame["uid"][frame["defects"] == "gone"]) == GONE & set(uids)
    assert_free(one)


@pytest.mark.usefixtures("far")
def test_messages_that_go_while_others_are_read_ahead_double_nothing(
    dovecot: Dovecot, session: SignIn
) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(60))
    one = session(user=user, pool_size=4)
    frames = one.stream(one.search(), batch=10)
    seen = [next(frames)]
    for uid in GONE:
        dovecot.expunge(user, uid)
    seen += frames
    assert [list(frame["uid"]) for frame in seen] == [
        list(range(start, start - 10, -1)) for start in range(60, 0, -10)
    ]
    for frame in seen:  # which of them were read before they went is a matter of chance
        assert set(frame["uid"][frame["defects"] == "gone"]) <= GONE
    assert_free(one)


@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_a_folder_that_is_renumbered_meanwhile_is_an_error(stack: ExitStack, what: str) -> None:
    servers = []
    for validity in (1, 500):
        account = Account(validity)
        mailbox = account.create("Archive")
        for number in range(validity, validity + 30):
            account.append(mailbox, messages.plain(number), datetime(2026, 1, 5, tzinfo=UTC))
        servers.append(stack.enter_context(Server({"me": "secret"}, accounts={"me": account})))
    proxy = stack.enter_context(FaultProxy(servers[0].host, servers[0].port))
    clock = Clock()
    one = stack.enter_context(sign_in(proxy, "me", "secret", clock.retry()))
    frames = one.stream(what=what, folder="Archive", batch=10)
    assert len(next(frames)) == 10
    proxy.server = (servers[1].host, servers[1].port)
    proxy.go_away()
    proxy.come_back()
    with pytest.raises(UidValidityError, match="Archive"):
        next(frames)
    assert list(frames) == []
    assert one.count(folder="Archive") == 30
    assert lent(one) == 0


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    mail = b"".join(
        b"From a@example.org Mon Jan  5 09:30:00 2026\n" + messages.plain(n).replace(b"\r", b"")
        for n in range(1, 31)
    )
    path.write_bytes(mail)
    with mf.open(path) as one:
        frames = one.stream(batch=10)
        assert len(next(frames)) == 10
        path.write_bytes(mail + mail)
        with pytest.raises(UidValidityError, match="has changed"):
            next(frames)
        assert one.count() == 60


# -- nothing is held in between


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_other_calls_may_come_in_between(session: SignIn, size: int, what: str) -> None:
    one = session(pool_size=size)
    expected, other = getattr(one, what)(), one.headers(folder="Archive")
    seen = []
    for frame in one.stream(what=what, batch=20):
        assert lent(one) == 0
        assert_frame_equal(one.headers(folder="Archive"), other)
        assert_frame_equal(getattr(one, what)(frame), frame, check_categorical=False)
        seen.append(frame)
    assert_same(seen, expected)
    assert len(one._source._pool) == 1


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("size", [1, 2, 4])
def test_other_calls_may_come_in_between_far_away(session: SignIn, size: int) -> None:
    one = session(pool_size=size)
    expected, other = one.headers(folder="*"), one.headers(folder="Archive")
    seen = []
    for frame in one.stream(folder="*", batch=20):
        assert_frame_equal(one.headers(folder="Archive"), other)
        seen.append(frame)
    assert_same(seen, expected)
    assert len(one._source._pool) <= size
    assert_free(one)


@pytest.mark.parametrize("is_far", [False, True])
def test_streams_of_one_session_go_side_by_side(
    session: SignIn, monkeypatch: pytest.MonkeyPatch, *, is_far: bool
) -> None:
    if is_far:
        monkeypatch.setattr(pool, "FAR", 0)
    one = session(pool_size=2 if is_far else 1)
    expected = [one.headers(folder="*"), one.bodies(), one.headers("SEEN", folder="Archive")]
    streams = [
        one.stream(folder="*", batch=7),
        one.stream(what="bodies", batch=5),
        one.stream("SEEN", folder="Archive", batch=3),
    ]
    seen: list[list[pd.DataFrame]] = [[] for _ in streams]
    order = random.Random(8)
    going = list(range(len(streams)))
    while going:
        which = order.choice(going)
        frame = next(streams[which], None)
        if frame is None:
            going.remove(which)
        else:
            seen[which].append(frame)
    for frames, whole in zip(seen, expected, strict=True):
        assert_same(frames, whole)
    assert_free(one)


def test_threads_stream_side_by_side(session: SignIn) -> None:
    one = session(pool_size=2)
    expected = one.headers(folder="*")
    seen: list[list[pd.DataFrame]] = []
    readers = [
        threading.Thread(target=lambda: seen.append(list(one.stream(folder="*", batch=13))))
        for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(timeout=60)
    assert len(seen) == 4
    for frames in seen:
        assert_same(frames, expected)
    assert_free(one)


def leave_by_close(frames: Generator[pd.DataFrame]) -> None:
    next(frames)
    frames.close()


def leave_at_once(frames: Generator[pd.DataFrame]) -> None:
    frames.close()


def leave_by_break(frames: Generator[pd.DataFrame]) -> None:
    for _ in frames:
        break


def leave_by_error(frames: Generator[pd.DataFrame]) -> None:
    def consume() -> None:
        with closing(frames):
            for _ in frames:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()


def leave_by_ctrl_c(frames: Generator[pd.DataFrame]) -> None:
    next(frames)
    with pytest.raises(KeyboardInterrupt):
        frames.throw(KeyboardInterrupt)


LEAVING = [leave_by_close, leave_at_once, leave_by_break, leave_by_error, leave_by_ctrl_c]


@pytest.mark.parametrize("leave", LEAVING, ids=lambda leave: leave.__name__)
@pytest.mark.parametrize(("what", "options"), [("headers", {}), ("bodies", {"preview": True})])
@pytest.mark.parametrize("size", [1, 4])
def test_stopping_early_holds_nothing(
    session: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[[Generator[pd.DataFrame]], None],
    what: str,
    options: dict[str, Any],
    size: int,
) -> None:
    if size > 1:
        monkeypatch.setattr(pool, "FAR", 0)
    one = session(pool_size=size)
    expected = one.headers(folder="*")
    leave(one.stream(what=what, folder="*", batch=10, progress=Bar(), **options))
    assert_free(one)
    assert_frame_equal(one.headers(folder="*"), expected)
    assert len(one._source._pool) <= size


def test_closing_a_stream_closes_what_reads_for_it_though_a_traceback_knows_it(
    session: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []
    real = progress._Bar.close
    monkeypatch.setattr(progress._Bar, "close", lambda bar: ended.append(bar) or real(bar))
    one = session()
    frames = one.stream(batch=10)
    inner = frames.gi_frame.f_locals["frames"]  # as a debugger or a notebook may keep it
    next(frames)
    assert ended == []
    frames.close()
    assert len(ended) == 1
    assert list(inner) == []


# -- memory


def test_no_more_frames_live_than_the_consumer_keeps(session: SignIn) -> None:
    alive: list[weakref.ref[pd.DataFrame]] = []
    for what, options, _ in KINDS:
        for frame in session().stream(what=what, batch=20, **options):
            alive = [one for one in alive if one() is not None]
            assert len(alive) <= 1
            alive.append(weakref.ref(frame))


@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_memory_does_not_grow_with_the_number_of_messages(
    dovecot: Dovecot, session: SignIn, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    # The dialogue is kept besides, up to a length that so few messages do not fill.
    monkeypatch.setattr(trace, "MOST", 50)
    monkeypatch.setattr(trace, "MOST_MESSAGES", 50)
    user = dovecot.new_user()
    # Alike: the structures of messages, once read, are kept for those that look the same.
    text = "One line of a text that is long enough.\r\n" * 100
    dovecot.deliver(user, [messages.plain(1, text, subject="Again")] * (20 * BATCH))
    one = session(user=user)

    def peak(limit: int) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            for _ in one.stream(what=what, batch=BATCH, limit=limit, progress=False):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(BATCH)  # what is made once
    few, many = peak(3 * BATCH), peak(20 * BATCH)
    assert many < 1.5 * few


@pytest.mark.usefixtures("far")
def test_far_away_no_more_than_a_few_batches_are_read_ahead(
    session: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = session(pool_size=4)
    one.headers(folder="*")
    begun: list[int] = []
    real = imap_source.read_messages

    def read_messages(*args: Any, **options: Any) -> Any:
        begun.append(1)
        return real(*args, **options)

    monkeypatch.setattr(imap_source, "read_messages", read_messages)
    for given, _ in enumerate(one.stream(batch=5), 1):
        assert len(begun) <= given + 2 * 4
    assert len(begun) == -(-COUNTS["INBOX"] // 5)


# -- a server that is not to be trusted


@pytest.fixture(scope="module")
def said(dovecot: Dovecot, owner: str) -> bytes:
    """Return what the server says in an undisturbed stream of headers and one of bodies."""
    with (
        FaultProxy(dovecot.host, dovecot.port, record=True) as proxy,
        sign_in(proxy, owner, dovecot.password, Clock().retry()) as one,
    ):
        read_streams(one)
        return bytes(proxy.lines[0].said["S"])


def read_streams(one: mf.Session) -> list[list[pd.DataFrame]]:
    return [
        list(one.stream(folder="*", batch=20, progress=False)),
        list(one.stream(what="bodies", batch=20, progress=False)),
    ]


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_lost_connection_loses_and_doubles_nothing(
    dovecot: Dovecot, session: SignIn, stack: ExitStack, said: bytes, kind: Any, number: int
) -> None:
    first = said.index(b" FETCH (")
    at = random.Random(number).randrange(first, len(said))
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port, [Fault(kind, at)]))
    one = session(proxy)
    headers, bodies = read_streams(one)
    assert proxy.lines[0].broken == kind
    assert_same(headers, session().headers(folder="*"))
    assert_same(bodies, session().bodies())
    assert [len(frame) for frame in bodies] == [20] * 6 + [17]


@pytest.mark.usefixtures("far")
def test_lost_connections_far_away_lose_and_double_nothing(
    dovecot: Dovecot, session: SignIn, stack: ExitStack
) -> None:
    faults = [Fault("cut", 5000 * number, connection=number) for number in range(1, 7)]
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port, faults))
    headers, bodies = read_streams(session(proxy, pool_size=4))
    assert any(line.broken for line in proxy.lines)
    assert_same(headers, session().headers(folder="*"))
    assert_same(bodies, session().bodies())


def test_a_connection_lost_for_good_ends_the_stream_and_not_the_session(
    dovecot: Dovecot, session: SignIn, stack: ExitStack
) -> None:
    proxy = stack.enter_context(FaultProxy(dovecot.host, dovecot.port))
    one = session(proxy)
    frames = one.stream(batch=20)
    seen = [next(frames), next(frames)]
    proxy.go_away()
    with pytest.raises(ConnectionFailedError):
        next(frames)
    assert list(frames) == []
    assert lent(one) == 0
    proxy.come_back()
    assert_same(seen, one.headers(limit=40))
    assert_same(list(one.stream(batch=20)), session().headers())


def test_a_closed_session_ends_the_stream(session: SignIn) -> None:
    one = session()
    frames = one.stream(batch=20)
    next(frames)
    one.close()
    with pytest.raises(ConnectionFailedError, match="closed"):
        next(frames)
    with pytest.raises(ConnectionFailedError, match="closed"):
        one.stream()


# -- progress and interruption


@pytest.mark.parametrize("size", [1, 4])
def test_a_bar_counts_the_messages_of_the_whole_stream(
    session: SignIn, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    if size > 1:
        monkeypatch.setattr(pool, "FAR", 0)
    one = session(pool_size=size)
    bar, total = Bar(), sum(COUNTS.values())
    counts = [bar.n for _ in one.stream(folder="*", batch=40, progress=bar)]
    assert bar.total == bar.n == total
    assert all(count >= 40 * place for place, count in enumerate(counts[:-1], 1))
    assert all(more > less for less, more in pairwise(counts))


def test_one_bar_is_shown_and_taken_away(session: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Tqdm(Bar):
        is_open = True

        def __init__(self, **options: Any) -> None:
            super().__init__()
            self.total = options["total"]
            made.append(self)

        def close(self) -> None:
            self.is_open = False

    monkeypatch.setattr(tqdm.auto, "tqdm", Tqdm)
    one = session()
    for _ in one.stream(batch=20, progress=True):
        assert made[0].is_open
    assert [(bar.n, bar.is_open) for bar in made] == [(COUNTS["INBOX"], False)]
    frames = one.stream(batch=20, progress=True)
    next(frames)
    frames.close()
    assert not made[1].is_open
    list(one.stream(batch=20, progress=False))
    assert len(made) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("patience", [1, 20, 33, 137])
@pytest.mark.parametrize("size", [1, 4])
def test_ctrl_c_ends_the_stream_and_not_the_session(
    session: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    patience: int,
    size: int,
) -> None:
    if size > 1:
        monkeypatch.setattr(pool, "FAR", 0)
    one = session(pool_size=size)
    expected = one.headers(folder="*")
    seen: list[int] = []
    frames = one.stream(batch=20, progress=Bar(patience, error))
    with pytest.raises(error):
        seen.extend(len(frame) for frame in frames)
    assert seen == [20] * ((patience - 1) // 20)
    assert list(frames) == []
    assert_free(one)
    assert_same(list(one.stream(folder="*", batch=20)), expected)


# -- wrong arguments


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "search"}, r"what='search' is nothing to read\.\s.*headers, recipients"),
        ({"what": "Headers"}, "what='Headers' is nothing to read"),
        ({"what": None}, "what=None is nothing to read"),
        ({"batch": 0}, r"batch=0 is no number of messages\.\s.*from 1"),
        ({"batch": -1}, "batch=-1 is no number"),
        ({"batch": True}, "batch=True is no number"),
        ({"batch": 1.5}, "batch=1.5 is no number"),
        ({"batch": "100"}, "batch='100' is no number"),
        ({"batch": None}, "batch=None is no number"),
        ({"limit": -1}, "limit=-1 is no number"),
        ({"html": True}, r"html= says nothing about headers\.\s.*for bodies"),
        ({"preview": True, "max_bytes": 5}, "max_bytes, preview= says nothing about headers"),
        ({"what": "hops", "fields": ["X-A"]}, "fields= says nothing about hops"),
        ({"what": "bodies", "fields": ["X-A"]}, "fields= says nothing about bodies"),
        ({"what": "bodies", "max_bytes": -1}, "max_bytes=-1 is no number of bytes"),
        (
            {"what": "bodies", "preview": True, "html": True},
            "html, own_text and max_bytes have no meaning",
        ),
        ({"fields": ["X Y"]}, "'X Y' is no name of a header field"),
        ({"criteria": "UNSEN"}, "UNSEN"),
        ({"criteria": pd.DataFrame({"uid": [1]})}, "no account, folder, uidvalidity"),
        ({"criteria": pd.Series([1, 2])}, "named 'uid'"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_told_at_the_call_itself(
    session: SignIn, options: dict[str, Any], words: str
) -> None:
    one = session()
    with pytest.raises(QueryError) as caught:
        one.stream(**options)
    assert re.search(words, str(caught.value))
    assert_free(one)


def test_a_folder_that_is_not_there_is_told_at_the_call_itself(session: SignIn) -> None:
    one = session()
    with pytest.raises(FolderError, match="No such"):
        one.stream(folder=["INBOX", "No such"])
    with pytest.raises(FolderError, match="Nothing"):
        one.stream(folder="Nothing*")
    rows = one.headers(limit=3).assign(uidvalidity=1)
    with pytest.raises(UidValidityError, match="renumbered"):
        one.stream(rows)
