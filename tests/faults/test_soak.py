"""Hours of use by many threads on a bad line: every answer right, and nothing left behind."""

from __future__ import annotations

import gc
import itertools
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from mailframe.imap.connection import Connection
from mailframe.imap.wire import Wire
from tests.faults.reading import STALLED, Mailbox, some_messages
from tests.rigs.proxy import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.session import Session
    from tests.faults.reading import Clock
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.proxy import FaultProxy

CALLS = 5000
THREADS = 8
CONNECTIONS = 4
FOLDERS = {"INBOX": 200, "Archive": 80, "Lists": 40}
#: Bytes from one fault to the next: what a few calls bring, and more than any message has; one
#: that a connection ends with again and again is given up.
BETWEEN = (20_000, 80_000)
#: Bytes by which the process may grow in the second half: the first fills caches, and the trace.
GROWTH = 40 << 20


@pytest.fixture
def several(dovecot: Dovecot) -> Mailbox:
    user = dovecot.new_user()
    for folder, count in FOLDERS.items():
        dovecot.deliver(user, some_messages(count), folder)
    return Mailbox(dovecot.host, dovecot.port, user, dovecot.password)


def calls(chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give calls without end, and their arguments."""
    while True:
        folder = chance.choice(list(FOLDERS))
        limit = chance.choice([1, 10, 50])
        method = chance.choice(["count", "search", "headers", "bodies", "attachments", "message"])
        options: dict[str, Any] = {"folder": folder}
        if method == "message":
            options["uid"] = chance.randrange(1, FOLDERS[folder] + 1)
        elif method != "count":
            options["limit"] = limit
        if method in {"headers", "bodies", "attachments"}:
            options["progress"] = False
        yield method, options


def faults(chance: random.Random) -> Iterator[Fault]:
    """Give every connection there will ever be its fault."""
    for connection in itertools.count(1):
        kind = chance.choices(("cut", "reset", "stall"), (10, 10, 1))[0]
        yield Fault(kind, chance.randrange(*BETWEEN), connection=connection)


@pytest.mark.usefixtures("far")
def test_a_long_time_on_a_bad_line(
    several: Mailbox,
    session: Callable[..., Session],
    through: Callable[..., FaultProxy],
    clock: Clock,
    full: bool,  # noqa: FBT001 a fixture
) -> None:
    chance = random.Random(6)
    count = CALLS if full else CALLS // 10
    work = list(itertools.islice(calls(chance), count))
    undisturbed = session(several, several.user, pool_size=1)
    expected: dict[str, Any] = {}
    for method, options in work:
        key = repr((method, options))
        if key not in expected:
            expected[key] = getattr(undisturbed, method)(**options)

    proxy = through(*itertools.islice(faults(chance), count))
    clock.most = 100 * count
    # One thread's pauses would use up the time of all the others, who look at the same clock.
    retry = clock.retry(10**9)
    one = session(proxy, several.user, pool_size=CONNECTIONS, retry=retry, timeout=STALLED)

    def call(job: tuple[str, dict[str, Any]]) -> None:
        method, options = job
        found, right = getattr(one, method)(**options), expected[repr(job)]
        if isinstance(right, pd.DataFrame):
            pd.testing.assert_frame_equal(found, right)
        else:
            assert found == right

    def do(jobs: list[tuple[str, dict[str, Any]]]) -> None:
        with ThreadPoolExecutor(THREADS, "soak") as threads:
            for _ in threads.map(call, jobs):
                pass

    before_any = threading.active_count()
    do(work[: count // 2])
    before = descriptors(), resident()
    do(work[count // 2 :])
    assert len(proxy.lines) > count // 20, "too few faults to mean anything"
    assert descriptors() <= before[0] + 2 * CONNECTIONS
    assert resident() <= before[1] + GROWTH
    assert threading.active_count() == before_any
    assert alive(Connection) <= CONNECTIONS + 1
    assert alive(Wire) <= CONNECTIONS + 1
    one.close()
    proxy.settle()
    assert proxy.open == 0


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def resident() -> int:
    gc.collect()
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())
