"""How long, and how often, something is tried again."""

from __future__ import annotations

import imaplib
import random
import re
import threading
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from mailframe.exceptions import ConnectionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NEVER", "Retry", "persistently", "suggested_pause"]

_Made = TypeVar("_Made")

#: How often a first connection is tried that breaks before anybody is logged in.
_FIRST_TRIES = 3
# A broken line may be whole the next time; a closed port, an unknown host and another protocol
# will be the same.
_BROKEN = (imaplib.IMAP4.abort, ConnectionResetError, BrokenPipeError, TimeoutError)

# Exchange says "Suggested Backoff Time: 299923 milliseconds", others "try again in 30 seconds".
_PAUSE = re.compile(
    r"(?:back-?off(?:\s+time)?\s*:?|again\s+in|retry\s+(?:after|in)|wait(?:\s+for)?|\[THROTTLED)\s*"
    r"(\d{1,9})\s*(ms|milliseconds?|s|sec|seconds?|m|min|minutes?)?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with jitter, bounded in time.

    Attributes
    ----------
    seconds
        How long a lost connection is tried again; 0 for never.
    throttled
        How long a server that wants fewer requests is given.
    first, factor, most
        Seconds before the second attempt, how that grows, and to what at most. The first attempt
        comes at once.
    sleep, clock, random
        What waiting, time and chance are. A connection waits by itself, and can be woken, unless
        it is told how.
    """

    seconds: float = 60
    throttled: float = 300
    first: float = 0.5
    factor: float = 2
    most: float = 30
    sleep: Callable[[float], None] | None = None
    clock: Callable[[], float] = lambda: time.monotonic()  # noqa: PLW0108 tests have another time
    random: Callable[[], float] = random.random

    def pauses(self) -> Iterator[float]:
        """Give the seconds to wait before each attempt, until the time is up."""
        if self.seconds <= 0:
            return
        end = self.clock() + self.seconds
        pause = 0.0
        while True:
            yield pause
            # Half of it is chance, so that clients that lost one server do not return as one.
            grown = min(max(pause * self.factor, self.first), self.most)
            pause = grown * (0.5 + self.random() / 2)
            left = end - self.clock()
            if left <= 0:
                return
            pause = min(pause, left)

    def wait(self, seconds: float, woken: threading.Event | None = None) -> None:
        """Wait, and no longer than until somebody sets the event."""
        if self.sleep is not None:
            self.sleep(seconds)
        else:
            (woken or threading.Event()).wait(seconds)

    def relief(self, reply: str, times: int) -> float | None:
        """Say how long to leave a server alone that wants fewer requests; None for too long.

        Parameters
        ----------
        reply
            What it said.
        times
            How often it has said so in a row, from 1.
        """
        asked = suggested_pause(reply)
        pause = min(5 * self.factor ** (times - 1), self.throttled) if asked is None else asked
        spent = sum(min(5 * self.factor**n, self.throttled) for n in range(times - 1))
        is_too_long = self.seconds <= 0 or pause > self.throttled or spent >= self.throttled
        return None if is_too_long else pause


#: For whoever wants to hear of a lost connection at once.
NEVER = Retry(seconds=0)


def persistently(connect: Callable[[], _Made], retry: Retry) -> _Made:
    """Make a first connection, again where it breaks on the way.

    Parameters
    ----------
    connect
        Connects and logs in.
    retry
        How long.

    Raises
    ------
    MailframeError
        As ``connect`` does: at once, unless the line has broken.
    """
    pauses = islice(retry.pauses(), 1, _FIRST_TRIES)
    while True:
        try:
            return connect()
        except ConnectionFailedError as error:
            is_broken = error.__cause__ is None or isinstance(error.__cause__, _BROKEN)
            pause = next(pauses, None) if is_broken else None
            if pause is None:
                raise
        retry.wait(pause)


def suggested_pause(reply: str) -> float | None:
    """Read how long a server wants to be left alone, in seconds; None where it does not say.

    Examples
    --------
    >>> suggested_pause("NO Request is throttled. Suggested Backoff Time: 1500 milliseconds")
    1.5
    >>> suggested_pause("NO [THROTTLED] try again in 2 minutes")
    120.0
    """
    found = _PAUSE.search(reply)
    if found is None:
        return None
    unit = (found[2] or "s").lower()
    scale = 0.001 if unit.startswith(("ms", "milli")) else 60 if unit.startswith("m") else 1
    return int(found[1]) * float(scale)
