"""Progress of long work: a tqdm bar, or whatever the caller hands in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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
    elif progress is None or progress is True:
        from tqdm.auto import tqdm  # noqa: PLC0415 takes a while to import, and is not always used

        delay = 0.0 if progress else PATIENCE
        with tqdm(total=total, delay=delay, unit=" messages", leave=bool(progress)) as shown:
            yield shown.update
    else:
        progress.total = total
        yield lambda: progress.update(1)
