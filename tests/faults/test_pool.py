"""Several connections: as many as are worth it, none twice at a time, and few round trips."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import ConnectionFailedError, FolderError
from mailframe.imap.retry import Retry
from tests.faults.reading import COUNT, Mailbox, assert_same, read_all, some_messages
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.faults.reading import Clock
    from tests.rigs.dovecot import Dovecot

    Through = Callable[..., FaultProxy]
    SignIn = Callable[..., Session]

FOLDERS = [f"Folder{number}" for number in range(8)]
EACH = 60
#: Seconds each way. Far more than anything takes here, so that round trips are counted truly.
DELAY = 0.03


@pytest.fixture(scope="session")
def folders(dovecot: Dovecot) -> Mailbox:
    user = dovecot.new_user()
    for folder in FOLDERS:
        dovecot.deliver(user, some_messages(EACH), folder)
    return Mailbox(dovecot.host, dovecot.port, user, dovecot.password)


@pytest.fixture
def to_folders(folders: Mailbox, stack: ExitStack) -> Through:
    def start(*faults: Fault, **options: Any) -> FaultProxy:
        return stack.enter_context(FaultProxy(folders.host, folders.port, faults, **options))

    return start


# -- round trips


def test_round_trips_do_not_grow_with_the_number_of_messages(
    through: Through, session: SignIn
) -> None:
    proxy = through(delay=DELAY, record=True)
    one = session(proxy)
    line = proxy.lines[0]

    def trips_and_commands(limit: int) -> tuple[int, int]:
        before = line.round_trips, line.said["C"].count(b"UID FETCH")
        assert len(one.attachments(limit=limit, progress=False)) >= limit // 6
        return line.round_trips - before[0], line.said["C"].count(b"UID FETCH") - before[1]

    few, _ = trips_and_commands(50)
    many, commands = trips_and_commands(COUNT)
    assert commands > 3
    assert many <= few + 1


def test_connections_share_the_round_trips(
    to_folders: Through, session: SignIn, folders: Mailbox
) -> None:
    longest = {}
    frames = {}
    for size in (1, 4):
        proxy = to_folders(delay=DELAY)
        one = session(proxy, folders.user, pool_size=size)
        one.headers(folder=FOLDERS, progress=False)  # opens the connections
        before = {line.number: line.round_trips for line in proxy.lines}
        frames[size] = one.headers(folder=FOLDERS, progress=False)
        longest[size] = max(line.round_trips - before[line.number] for line in proxy.lines)
        assert len(proxy.lines) == size
    assert longest[1] >= 3 * longest[4]
    assert_same([frames[4]], [frames[1]])
    assert list(frames[4]["folder"].unique()) == FOLDERS


def test_a_server_nearby_is_read_over_one_connection(
    to_folders: Through, session: SignIn, folders: Mailbox
) -> None:
    proxy = to_folders()
    one = session(proxy, folders.user, pool_size=4)
    one.headers(folder=FOLDERS, progress=False)
    assert len(proxy.lines) == 1


# -- what goes wrong on one of them


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_broken_connection_among_several_loses_no_row(
    to_folders: Through, session: SignIn, folders: Mailbox, kind: Any
) -> None:
    proxy = to_folders()
    undisturbed = session(proxy, folders.user, pool_size=4)
    expected = [
        undisturbed.headers(folder=FOLDERS, progress=False),
        undisturbed.bodies(folder=FOLDERS, progress=False),
    ]
    faults = [Fault(kind, 5000 * number, connection=number) for number in range(1, 9)]
    one = session(to_folders(*faults), folders.user, pool_size=4)
    frames = [
        one.headers(folder=FOLDERS, progress=False),
        one.bodies(folder=FOLDERS, progress=False),
    ]
    assert_same(frames, expected)


@pytest.mark.usefixtures("far")
def test_an_error_in_one_folder_ends_the_work_in_all(
    to_folders: Through, session: SignIn, folders: Mailbox
) -> None:
    proxy = to_folders()
    one = session(proxy, folders.user, pool_size=4)
    expected = one.headers(folder=FOLDERS, progress=False)
    with pytest.raises(FolderError, match="No such"):
        one.headers(folder=[*FOLDERS[:4], "No such", *FOLDERS[4:]], progress=False)
    assert no_workers()
    assert_same([one.headers(folder=FOLDERS, progress=False)], [expected])
    assert len(proxy.lines) <= 8


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("patience", [1, 100, 300])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_breaking_off_ends_all_workers_and_leaves_a_session_that_works(
    to_folders: Through,
    session: SignIn,
    folders: Mailbox,
    patience: int,
    error: type[BaseException],
) -> None:
    class Bar:
        total = left = patience

        def update(self, n: int) -> None:
            self.left -= n
            if self.left <= 0:
                raise error

    proxy = to_folders(delay=0.01)
    one = session(proxy, folders.user, pool_size=4)
    expected = one.headers(folder=FOLDERS, progress=False)
    with pytest.raises(error):
        one.headers(folder=FOLDERS, progress=Bar())
    assert no_workers()
    assert_same([one.headers(folder=FOLDERS, progress=False)], [expected])
    assert proxy.open <= 4


def no_workers() -> bool:
    return not [one for one in threading.enumerate() if one.name.startswith("mailframe")]


# -- threads


def test_threads_share_a_session_and_its_connections(
    through: Through, session: SignIn, reference: Reference
) -> None:
    proxy = through()
    one = session(proxy, pool_size=3)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: read_all(one), range(8)))
    for result in results:
        assert_same(result, reference.frames)
    assert len(proxy.lines) <= 3


@pytest.mark.parametrize("size", [1, 4])
def test_a_callback_may_use_the_session_that_calls_it(
    through: Through, session: SignIn, reference: Reference, size: int
) -> None:
    one = session(through(), pool_size=size)
    found = Counter[int]()

    class Bar:
        total = 0

        def update(self, n: int) -> None:
            if not found:
                found[one.count()] += n

    assert_same([one.headers(progress=Bar())], reference.frames[:1])
    assert found == {COUNT: 1}


def test_work_broken_off_is_not_tried_again(
    through: Through, session: SignIn, reference: Reference, clock: Clock
) -> None:
    proxy = through()
    one = session(proxy)
    connection = one._source._pool.first
    proxy.go_away()
    clock.at_sleep = lambda _: connection.break_off()
    with pytest.raises(ConnectionFailedError):
        one.count()
    assert len(clock.slept) == 1
    clock.at_sleep = lambda _: None
    proxy.come_back()
    assert_same(read_all(one), reference.frames)


def test_a_connection_broken_off_does_nothing_more(through: Through, session: SignIn) -> None:
    connection = session(through())._source._pool.first
    connection.break_off()
    with pytest.raises(ConnectionFailedError, match="has ended"):
        connection.select("INBOX")
    connection.mend()
    assert connection.select("INBOX").exists == COUNT


def test_whoever_breaks_off_wakes_one_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real wait
    woken = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(Retry().wait, 3600, woken)
        woken.set()
        waiting.result(timeout=60)
