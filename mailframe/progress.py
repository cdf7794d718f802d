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
def bar(total: int, progress: Any, *, unit: str = " messages") -> Iterator[Callable[[int], object]]:
    """Show how far work has come.

    Parameters
    ----------
    total
        Messages or bytes to come.
    progress
        True for a bar at once, False for none, None for one that appears when it takes long, or
        an object with ``total`` and ``update(n)``, which is left open.
    unit
        What is counted; ``"B"`` for bytes.

    Yields
    ------
    callable
        To be called with how many have come.
    """
    if progress is False or not total:
        yield lambda _: None
    elif progress is None:
        with _Late(total, unit) as late:
            yield late.update
    elif progress is True:
        with _tqdm(unit, total=total) as shown:
            yield shown.update
    else:
        progress.total = total
        yield progress.update


class _Late:
    """A bar that appears when the work turns out to be long; until then tqdm is not imported."""

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._due = monotonic() + PATIENCE
        self._shown: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown is not None:
            self._shown.close()

    def update(self, n: int) -> None:
        """Count what has come."""
        self._done += n
        if self._shown is not None:
            self._shown.update(n)
        elif monotonic() >= self._due:
            self._shown = _tqdm(self._unit, total=self._total, initial=self._done, leave=False)


def _tqdm(unit: str, **options: Any) -> Any:
    from tqdm.auto import tqdm  # noqa: PLC0415 takes a while to import, and is rarely used

    return tqdm(unit=unit, unit_scale=unit == "B", **options)
