"""A message's bytes, wherever they lie, and what IMAP says of them.

A server is asked for the same facts of a message again and again. They are worked out when they
are first asked for and kept, as the index of a real server does; the bytes themselves stay on disk.
"""

from __future__ import annotations

import os
import tempfile
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from mailframe.embedded.describe import bodystructure, envelope
from mailframe.embedded.entities import find_entities
from mailframe.embedded.fields import end_of_header
from mailframe.files.searchable import Searchable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


__all__ = ["Content", "Fields", "Spool", "Spooled", "with_crlf"]

#: Header fields that SEARCH asks for again and again: they are kept, decoded.
_KEPT = frozenset({"from", "to", "cc", "bcc", "subject"})


class Content:
    """What does not change of a message (RFC 3501 section 2.3.1.1). Copies of it share this.

    Subclasses say how to `read` it.
    """

    def read(self) -> bytes:
        """Read the whole message, with CRLF line ends."""
        raise NotImplementedError

    def read_header(self) -> bytes:
        """Read the header, with the empty line behind it."""
        return header_of(self.read())

    @cached_property
    def size(self) -> int:
        """RFC822.SIZE, in bytes."""
        return len(self.read())

    @cached_property
    def envelope(self) -> bytes:
        """ENVELOPE, as it is sent."""
        return envelope(self.read_header())

    @cached_property
    def structures(self) -> tuple[bytes, bytes]:
        """BODY and BODYSTRUCTURE, as they are sent."""
        raw = self.read()
        root = find_entities(raw)
        return bodystructure(raw, root, extended=False), bodystructure(raw, root, extended=True)

    @cached_property
    def fields(self) -> Fields:
        """What SEARCH asks of its header."""
        return Fields(self)


class Fields:
    """Decoded header fields of one message; those that are often asked for are kept.

    Parameters
    ----------
    content
        The message.
    same_as
        Of another message, in which those that are kept are the same.
    """

    def __init__(self, content: Content, same_as: Fields | None = None) -> None:
        self._content = content
        self._same_as = same_as
        self._values: dict[str, Sequence[str]] = {}
        self._sent: tuple[datetime | None] | None = None

    def values(self, name: str) -> Sequence[str]:
        """Give the values of every field with that lower-case name."""
        if self._same_as is not None and name in _KEPT:
            return self._same_as.values(name)
        kept = self._values.get(name)
        if kept is None:
            searchable = self._searchable()
            # One reading of the header serves all.
            for each in _KEPT if name in _KEPT else {name}:
                self._values[each] = tuple(searchable.field(each))
            kept = self._values[name] if name in _KEPT else self._values.pop(name)
        return kept

    @property
    def sent_date(self) -> datetime | None:
        """The Date field, aware; None when it cannot be read."""
        if self._sent is None:
            self._sent = (self._searchable().sent_date,)
        return self._sent[0]

    def _searchable(self) -> Searchable:
        read = self._content.read_header
        return Searchable(
            1, 1, read, flags=frozenset(), size=0, internal_date=None, read_header=read
        )


_pread: Callable[[int, int, int], bytes] | None = getattr(os, "pread", None)  # not on Windows


class Spool:
    """A temporary file for messages that come by APPEND: nobody else can read it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mailframe-")  # noqa: SIM115 closed by close
        self._lock = Lock()  # a message is written by the server, and may be read in a thread

    def write(self, raw: bytes) -> tuple[int, int]:
        """Add bytes; return where they begin and how many there are."""
        with self._lock:
            start = self._file.seek(0, 2)
            self._file.write(raw)
            self._file.flush()
        return start, len(raw)

    def read(self, start: int, length: int) -> bytes:
        """Read bytes that were written."""
        if _pread is not None:  # neither seeks nor waits for another
            return _pread(self._file.fileno(), length, start)
        with self._lock:
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        """Let the file go, and with it all that was written."""
        self._file.close()


class Spooled(Content):
    """A message in a `Spool`."""

    def __init__(self, spool: Spool, raw: bytes) -> None:
        self._spool = spool
        self._place = spool.write(raw)
        self.size = len(raw)

    def read(self) -> bytes:
        """Read the whole message."""
        return self._spool.read(*self._place)


def header_of(raw: bytes) -> bytes:
    """Cut out a message's header, with the empty line behind it."""
    return raw[: end_of_header(raw)]


def with_crlf(raw: bytes) -> bytes:
    r"""Give every line CRLF, as IMAP has it (RFC 3501 section 2.2), and no NUL.

    No string may hold one (section 9, CHAR8); in its place stands what Dovecot puts there.

    Examples
    --------
    >>> with_crlf(b"a\nb\r\n")
    b'a\r\nb\r\n'
    """
    if b"\0" in raw:
        raw = raw.replace(b"\0", b"\x80")
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
