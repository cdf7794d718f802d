"""The event loop of a notebook: it turns while a cell waits, and says what to write instead."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["advise_in_notebooks", "turning"]

#: Seconds after which a notebook's loop turns, whatever it waits for.
TURN = 0.3

# What loop.run_until_complete says where asyncio.run says more.
_RUNNING = "This event loop is already running"


@contextmanager
def turning() -> Iterator[None]:
    """Let a notebook's loop turn now and then: what ipykernel does on Ctrl-C waits for that."""
    if _notebook() is None:
        yield
        return
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def turn() -> None:
        timers[:] = [loop.call_later(TURN, turn)]

    turn()
    try:
        yield
    finally:
        timers[0].cancel()


def _notebook() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def advise_in_notebooks() -> None:
    """Have a notebook say what to write instead of ``asyncio.run``."""
    shell = _notebook()
    if shell is not None:
        shell.events.register("post_run_cell", _advise)  # a second time it does nothing


def _advise(result: Any) -> None:
    said = str(result.error_in_exec) if isinstance(result.error_in_exec, RuntimeError) else ""
    if "cannot be called from a running event loop" in said or said == _RUNNING:
        sys.stderr.write(
            "A notebook has an event loop of its own, in which cells may wait: leave asyncio.run "
            "out, and write for example  df = await session.headers()\n"
        )
