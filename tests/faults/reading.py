"""Sessions on a server that is not to be trusted, what they read, and a clock of our own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.retry import Retry, persistently
from mailframe.imap.source import ImapSource
from mailframe.session import Session
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Messages in the mailbox.
COUNT = 2000
#: Seconds without a byte: those of tests in which something stalls are spent, others are not.
TIMEOUT = 20.0
STALLED = 0.3


@dataclass
class Clock:
    """Time that passes only while somebody sleeps.

    Attributes
    ----------
    slept
        Every pause, in seconds.
    at_sleep
        Called at every pause, with its number, from 1.
    most
        So many pauses are an error: something is tried again for ever.
    """

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    at_sleep: Callable[[int], object] = lambda _: None
    most: int = 300

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        assert len(self.slept) < self.most, "this is tried again for ever"
        self.at_sleep(len(self.slept))

    def retry(self, seconds: float = 60, **options: Any) -> Retry:
        return Retry(
            seconds=seconds, sleep=self.sleep, clock=self.time, random=lambda: 1.0, **options
        )


class Mailbox(NamedTuple):
    """Where messages are."""

    host: str
    port: int
    user: str
    password: str


def some_messages(count: int) -> list[Any]:
    """Return small messages of all kinds, every seventh with a text of up to 8 kB, with flags."""
    chance = random.Random(count)
    start = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    made = messages.many(count)
    for place in range(0, count, 7):
        lines = "One line of a text that is long enough.\r\n" * chance.randrange(1, 200)
        made[place] = messages.plain(place + 1, lines)
    flags = [(), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged", "$Forwarded")]
    return [
        (one, chance.choice(flags), start + timedelta(minutes=place))
        for place, one in enumerate(made)
    ]


def sign_in(
    server: Any, user: str, password: str, retry: Retry, *, pool_size: int = 1, **options: Any
) -> Session:
    """Sign in to a server, in clear text, or to a proxy in front of it."""
    settings: dict[str, Any] = {"security": "none", "timeout": TIMEOUT, **options}

    def connect() -> Connection:
        connection = Connection(server.host, server.port, retry=retry, **settings)
        try:
            log_in(connection, user, password)
        except BaseException:
            connection.close()
            raise
        return connection

    return Session(ImapSource(persistently(connect, retry), pool_size))


def read_all(session: Session) -> list[pd.DataFrame]:
    """Read headers and bodies of the INBOX."""
    return [session.headers(progress=False), session.bodies(html=True, progress=False)]


def assert_same(frames: Iterable[pd.DataFrame], expected: Iterable[pd.DataFrame]) -> None:
    for one, other in zip(frames, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)
