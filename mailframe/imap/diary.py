"""The diary: one line in the log for each thing that was done, with what it cost."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.imap.trace import Recorder

__all__ = ["Note", "noted"]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Note:
    """What came of it, so far.

    Attributes
    ----------
    count
        How many things; counted up while they come.
    """

    count: int = 0


@contextmanager
def noted(recorder: Recorder, deed: str, thing: str) -> Iterator[Note]:
    """Log what is done in a block when it ends: how many, commands, bytes and seconds.

    Parameters
    ----------
    recorder
        Of the account: the commands and bytes of all its connections count.
    deed
        In the past: ``"searched 'INBOX'"``.
    thing
        What is counted, in the singular: ``"message"``; empty where nothing is.

    Yields
    ------
    Note
        For the count. What ends in an error, or is left early, is logged as broken off.

    Examples
    --------
    ::

        with noted(recorder, "searched 'INBOX'", "message") as note:
            note.count = len(found)
    """
    note = Note()
    commands, octets, begun = recorder.commands, recorder.octets, time.perf_counter()
    ending = ", then broken off"
    try:
        yield note
        ending = ""
    finally:
        counted = f": {_many(note.count, thing)}" if note.count or (thing and not ending) else ""
        log.info(
            "%s%s%s (%s, %s in %.2f s)",
            deed,
            counted,
            ending,
            _many(recorder.commands - commands, "command"),
            _many(recorder.octets - octets, "byte"),
            time.perf_counter() - begun,
        )


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
