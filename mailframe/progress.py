"""Progress of long work: a tqdm bar, or whatever the caller hands in."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["bar"]

#: Seconds of work after which a bar appears by itself.
PATIENCE = 2.0


@contextmanager
def bar(total: int, progress: Any) -> Iterator[Callable[[], object]]:
    """Show how far work has come.

    Parameters
    ----------
    total
        Messages to come.
    progress
        True for a bar at once, False for none, None for one that appears when it takes long, or
        an object with ``total`` and ``update(n)``, which is left open.

    Yields
    ------
    callable
        To be called once for each message.
    """
    if progress is False or not total:
        yield lambda: None
    elif progress is None:
        with _Late(total) as late:
            yield late.update
    elif progress is True:
        with _tqdm(total=total) as shown:
            yield shown.update
    else:
        progress.total = total
        yield lambda: progress.update(1)


class _Late:
    """A bar that appears when the work turns out to be long; until then tqdm is not imported."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._due = monotonic() + PATIENCE
        self._shown: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown is not None:
            self._shown.close()

    def update(self) -> None:
        """Count one message."""
        self._done += 1
        if self._shown is not None:
            self._shown.update()
        elif monotonic() >= self._due:
            self._shown = _tqdm(total=self._total, initial=self._done, leave=False)


def _tqdm(**options: Any) -> Any:
    from tqdm.auto import tqdm  # noqa: PLC0415 takes a while to import, and is rarely used

    return tqdm(unit=" messages", **options)
