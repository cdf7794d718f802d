"""How long, and how often, something is tried again."""

from __future__ import annotations

import logging
import math
import random
import re
import threading
import time
from dataclasses import dataclass
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, TypeVar

from mailframe.exceptions import ConnectionFailedError, ServerTimeoutError
from mailframe.imap.failures import LOST, UNREACHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NEVER", "Attempts", "Retry", "check_seconds", "persistently", "suggested_pause"]

log = logging.getLogger(__name__)

_Made = TypeVar("_Made")

#: How often a first connection is tried that breaks before anybody is logged in.
_FIRST_TRIES = 3
# Exchange says "Suggested Backoff Time: 299923 milliseconds", others "try again in 30 seconds".
_PAUSE = re.compile(
    r"(?:back-?off(?:\s+time)?|again\s+in|retry[\s-]+(?:after|in)|wait(?:\s+for)?|\[THROTTLED)"
    r"\s*:?\s*(\d{1,3}(?:,\d{3})+|\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)",
    re.IGNORECASE,
)
_UNITS = {
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0,
    "ms": 0.001, "msec": 0.001, "millisecond": 0.001,
    "m": 60.0, "min": 60.0, "minute": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
}  # fmt: skip


def check_seconds(name: str, value: object, least: float, most: float) -> None:
    """Refuse what is no number of seconds.

    Parameters
    ----------
    name, value
        Of the argument.
    least, most
        What it may be.

    Raises
    ------
    ConnectionFailedError
        For anything else.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # type: ignore[operator] # it is one
        raise ConnectionFailedError(
            f"{name}={value!r} is no number of seconds.",
            suggestion=f"Leave it out, or give a number: {name}=30.",
        )


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with jitter, bounded in time.

    Attributes
    ----------
    seconds
        How long a lost connection is tried again, from the first loss until something was done;
        0 for never.
    throttled
        How long a server that wants fewer requests is left alone in all.
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

    def __post_init__(self) -> None:
        check_seconds("reconnect", self.seconds, 0, math.inf)

    def wait(self, seconds: float, woken: threading.Event | None = None) -> None:
        """Wait, and no longer than until somebody sets the event."""
        if self.sleep is not None:
            self.sleep(seconds)
        else:
            (woken or threading.Event()).wait(seconds)


#: For whoever wants to hear of a lost connection at once.
NEVER = Retry(seconds=0)


class Attempts:
    """The time in which one piece of work is tried again, as it is used up.

    Parameters
    ----------
    retry
        How long that is.
    """

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._end: float | None = None
        self._losses = 0
        self._pleas = 0
        self._relief = 0.0

    def renew(self) -> None:
        """Begin anew: something has been done."""
        self._end, self._losses = None, 0
        self._pleas, self._relief = 0, 0.0

    def pauses(self) -> Iterator[float]:
        """Give the seconds to wait before each attempt after one loss, until the time is up.

        The first attempt comes at once; after further losses over the same work it comes later, but
        soon enough for the message at fault to be found by halving.
        """
        retry = self._retry
        if retry.seconds <= 0:
            return
        if self._end is None:
            self._end = retry.clock() + retry.seconds
            yield 0.0
        pause = min(self._losses / 2, 1) * retry.first
        self._losses += 1
        while True:
            # Half of it is chance, so that clients that lost one server do not return as one.
            grown = min(max(pause * retry.factor, retry.first), retry.most)
            pause = grown * (0.5 + retry.random() / 2)
            left = self._end - retry.clock()
            if left <= 0:
                return
            pause = min(pause, left)
            yield pause

    def relief(self, reply: str) -> float | None:
        """Say how long to leave a server alone that refuses until then; None for too long."""
        before = self._relief
        pause = self.respite(reply)
        is_too_long = self._retry.seconds <= 0 or before + pause > self._retry.throttled
        return None if is_too_long else pause

    def respite(self, reply: str) -> float:
        """Say how long to leave a server alone that does what it was asked, and wants less to do.

        As it says itself, and otherwise the longer the more often it has said so in a row.
        """
        retry = self._retry
        asked = suggested_pause(reply)
        pause = 5 * retry.factor**self._pleas if asked is None else asked
        self._pleas = min(self._pleas + 1, 20)
        self._relief += pause
        return pause


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
    pauses = islice(Attempts(retry).pauses(), 1, _FIRST_TRIES)
    while True:
        try:
            return connect()
        except ConnectionFailedError as error:
            # A closed port, an unknown host and another protocol will be the same the next time.
            is_silent = isinstance(error, ServerTimeoutError) and error.code != UNREACHED
            pause = next(pauses, None) if is_silent or error.code == LOST else None
            if pause is None:
                raise
            log.warning("%s Trying again in %.1f s", error.tried, pause)
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
    unit = found[2].lower()
    # "seconds" as "second", but not "s" as nothing.
    scale = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
    return None if scale is None else float(found[1].replace(",", "")) * scale
