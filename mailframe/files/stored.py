"""One message in a file, read no further than it is asked for."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from mailframe.files.marks import Marks, marks_of
from mailframe.parsing import split_header

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["LARGEST", "Box", "Gone", "Stored", "header_end", "size_with_crlf"]

#: Read at first: the header of nearly every message, and nearly all of most.
FIRST = 16 << 10
#: No header is longer: what is, is a file of another kind.
LONGEST_HEADER = 4 << 20
#: Of a larger message only so much is read; an mbox without its separators may be one of any size.
LARGEST = 256 << 20

_ABOVE = re.compile(rb"[\r\n]*+")
_EMPTY_LINE = re.compile(rb"\n\r?\n")


class Gone(Exception):  # noqa: N818 no error: mail may be deleted while others read
    """Raised for a message that was there, and has been deleted."""


class Stored:
    """One message where it is stored.

    Subclasses say where it is, in `_read` and `_length`.

    Attributes
    ----------
    uid
        Its place, from 1.
    """

    def __init__(self, uid: int, notes: tuple[str, ...] = ()) -> None:
        self.uid = uid
        self._notes = notes

    @property
    def _length(self) -> int:
        """Bytes of the message as it is stored."""
        raise NotImplementedError

    def _read(self, length: int) -> bytes:
        """Read the first bytes of the message as it is stored."""
        raise NotImplementedError

    @property
    def internal_date(self) -> datetime | None:
        """When it came in, aware; None where nothing says so."""
        return None

    @property
    def flags(self) -> tuple[str, ...]:
        """As IMAP spells them."""
        return self.marks.flags

    @cached_property
    def marks(self) -> Marks:
        """What its header says of its state."""
        return marks_of(self.header)

    @cached_property
    def header(self) -> bytes:
        """The header block."""
        head, length = self._head, FIRST
        while (end := header_end(head)) < 0 and length < min(self._length, LONGEST_HEADER):
            length *= 8
            head = self._read(length)
        return split_header(head if end < 0 else head[:end])[0]

    @cached_property
    def raw(self) -> bytes:
        """The whole message, with line ends as they are stored."""
        whole = self._head if self._length <= FIRST else self._read(min(self._length, LARGEST))
        return self._decoded(whole)

    def _decoded(self, whole: bytes) -> bytes:
        """Undo what was done to the message to store it."""
        return whole

    @property
    def size(self) -> int | None:
        """RFC822.SIZE: with every line ended by CRLF."""
        return size_with_crlf(self.raw)

    @property
    def defects(self) -> tuple[str, ...]:
        """What is wrong with how it is stored, in a few words each."""
        if self._length > LARGEST:
            return (*self._notes, f"only its first {LARGEST >> 20} MB were read")
        return self._notes

    @cached_property
    def _head(self) -> bytes:
        return self._read(FIRST)


class Box(Protocol):
    """The messages of one folder, numbered from 1."""

    @property
    def uidvalidity(self) -> int:
        """Changes when the numbers mean other messages."""

    @property
    def has_labels(self) -> bool:
        """Whether messages have Gmail's labels and threads."""

    def __len__(self) -> int: ...

    def __getitem__(self, uid: int) -> Stored:
        """Return a message; IndexError where there is no such number."""

    def current(self) -> Box:
        """Return this, or what is there now instead."""

    def close(self) -> None:
        """Let go of the file."""


def header_end(block: bytes, start: int = 0, stop: int | None = None) -> int:
    r"""Find where a header ends: behind its empty line; -1 where there is none.

    Parameters
    ----------
    block
        Bytes with a header somewhere.
    start, stop
        Where the header begins, and how far to look.

    Examples
    --------
    >>> header_end(b"Subject: Hi\r\n\r\nHello")
    15
    """
    # Empty lines above a header are passed over when it is parsed.
    first = _ABOVE.match(block, start)
    found = _EMPTY_LINE.search(block, first.end() if first else start, stop or len(block))
    return found.end() if found else -1


def size_with_crlf(raw: bytes) -> int:
    """Count bytes as if every line ended in CRLF; without any LF, a CR ends a line."""
    ends = raw.count(b"\n")
    return len(raw) + (ends - raw.count(b"\r\n") if ends else raw.count(b"\r"))
