"""Progress of long work: a tqdm bar, or whatever the caller hands in."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from mailframe.cancellation import check_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mailframe.source import Source

__all__ = ["watched"]

#: Seconds of work after which a bar appears by itself.
PATIENCE = 2.0


@contextmanager
def watched(
    source: Source, total: int, progress: Any, *, unit: str = " messages"
) -> Iterator[Callable[[int], object]]:
    """Show how far work has come, and what holds it up.

    Parameters
    ----------
    source
        Where it comes from. One that loses its connection meanwhile, or is told to slow down,
        says so behind the bar.
    total
        Messages or bytes to come.
    progress
        True for a bar at once, False for none, None for one that appears when it takes long, or
        an object with ``total`` and ``update(n)``, which is left open; if it has
        ``set_postfix_str``, that is told what holds the work up.
    unit
        What is counted; ``"B"`` for bytes.

    Yields
    ------
    callable
        To be called with how many have come.
    """
    shown = _Bar(total, progress, unit)
    listening: Callable[[Callable[[object], None]], AbstractContextManager[None]]
    listening = getattr(source, "listening", lambda _: nullcontext())
    try:
        with listening(shown.note):
            yield shown.update
    finally:
        shown.close()


class _Bar:
    """A bar that appears when the work turns out to be long; until then tqdm is not imported."""

    def __init__(self, total: int, progress: Any, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._due = monotonic() + PATIENCE
        self._shown: Any = None
        self._is_wanted = progress is not False and total > 0
        self._is_ours = progress is None or progress is True
        self._lock = Lock()
        if self._is_wanted and progress is True:
            self._appear(leave=True)
        elif self._is_wanted and not self._is_ours:
            self._shown = progress
            progress.total = total

    def update(self, n: int) -> None:
        """Count what has come, for as long as somebody wants it."""
        check_cancelled()
        self._done += n
        if self._shown is not None:
            self._shown.update(n)
        elif self._is_wanted and monotonic() >= self._due:
            self._appear(leave=False)

    def note(self, event: object) -> None:
        """Say what holds the work up; a bar that is not there yet appears for it."""
        if self._is_wanted:
            self._appear(leave=False)
        say: Callable[[str], object] | None = getattr(self._shown, "set_postfix_str", None)
        if say is not None:
            say(str(event))

    def close(self) -> None:
        """Take the bar away, if it is ours."""
        if self._is_ours and self._shown is not None:
            self._shown.close()

    def _appear(self, *, leave: bool) -> None:
        from tqdm.auto import tqdm  # noqa: PLC0415 takes a while to import, and is rarely used

        with self._lock:  # news come from the threads of all connections
            if self._shown is None:
                self._shown = tqdm(
                    total=self._total,
                    initial=self._done,
                    unit=self._unit,
                    unit_scale=self._unit == "B",
                    leave=leave,
                )
