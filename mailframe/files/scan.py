r"""An mbox in one pass -> where its messages are.

The file is read in blocks, and only places are kept: forty bytes a message. A message begins at a
``From`` line with an empty line above it; without one, the line has a date, and a header below it.
Where a ``Content-Length`` says that the message goes on behind such a line (mboxcl2), that is
believed only if a message begins where it ends, and its neighbours have the field too: in other
files it is the sender's, who could hide mail with it.

Lines of a text that begin with ``From`` have been written with ``>`` in front. mboxrd does so with
``>From`` too, mboxo does not, mboxcl2 with none of them: `Index.quoting` says which it seems to be.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from mailframe.cancellation import check_cancelled
from mailframe.files.looks import BOM
from mailframe.files.separators import (
    LONGEST_LINE,
    is_separator,
    looks_like_header,
    separates_alone,
)
from mailframe.files.stored import header_end

if TYPE_CHECKING:
    from mailframe.files.handle import Handle

__all__ = ["Index", "Quoting", "scan"]

#: Bytes read at a time.
BLOCK = 4 << 20
#: What must be there behind a place to judge it: a separator and the next line.
_AHEAD = 2 * LONGEST_LINE
#: What must be there before it: an empty line, or the line above.
_BEHIND = 2048
#: Bytes between two messages at most; they are not counted before it is known whose they are.
_NEAR = 8
#: A header in which Content-Length is looked for.
_HEADER = 64 << 10
#: Bytes in which a From line ends the search: a file may be full of headers without an end.
_SOON = 2 << 10

# Found in one search: what may separate messages, and what is quoted.
_FROM = re.compile(rb"\n(>*+)From ")
_CONTENT_LENGTH = re.compile(
    rb"(?:^|\n)content-length:[ \t]*+(\d{1,15})[ \t]*+\r?\n", re.IGNORECASE
)


class _Claim(NamedTuple):
    """What a Content-Length says that may be believed.

    Attributes
    ----------
    next, end
        Where the next message begins, and where this one ends; -1 for no claim.
    missing
        Bytes that the file would have to go on.
    """

    next: int = -1
    end: int = -1
    missing: int = 0


_NO_CLAIM = _Claim()


class _Ends(NamedTuple):
    """Line ends that have been counted."""

    lf: int = 0
    cr: int = 0
    crlf: int = 0

    @property
    def unequal(self) -> int:
        """Those that are no CRLF."""
        return self.lf - self.crlf if self.lf else self.cr


_NO_ENDS = _Ends()


class Quoting(Enum):
    """How lines of text that begin with ``From`` are written."""

    ALL = re.compile(rb"^>(>*+From )", re.MULTILINE)  # mboxrd
    FIRST = re.compile(rb"^>(From )", re.MULTILINE)  # mboxo
    NONE = None  # mboxcl2


@dataclass(slots=True)
class Index:
    """Where the messages of a file are, in bytes.

    Attributes
    ----------
    lines
        Of each, the beginning of its ``From`` line; where it has none, of the message.
    starts, ends
        Of each, its first byte, and behind its last: the empty line below is not part of it.
    breaks
        Of each, line ends that are LF alone; where it has no LF, those that are CR.
    quoted
        Of each, whether one of its lines begins with ``>From``.
    quoting
        What that means.
    notes
        By number from 0: what is wrong with how it is stored.
    """

    lines: array[int] = field(default_factory=lambda: array("Q"))
    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    breaks: array[int] = field(default_factory=lambda: array("Q"))
    quoted: bytearray = field(default_factory=bytearray)
    quoting: Quoting = Quoting.ALL
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def note(self, number: int, words: str) -> None:
        """Say what is wrong with a message."""
        self.notes[number] = (*self.notes.get(number, ()), words)


def scan(file: Handle) -> Index:
    """Find the messages of an mbox.

    Parameters
    ----------
    file
        Of any size; it is read once, from the beginning to the end.

    Returns
    -------
    Index
        Bytes above the first separator are a message if they look like one.
    """
    scanner = _Scanner(file)
    place, window, base = 0, b"", 0
    while place < file.size and (block := file.read(place, place + BLOCK)):
        check_cancelled()
        window += block
        place += len(block)
        # What is too near to the end to be judged waits for the next block.
        limit = len(window) - _AHEAD
        if limit > _NEAR and place < file.size:
            scanner.look(window, base, limit)
            kept = max(limit - _BEHIND, 0)
            window, base = window[kept:], base + kept
    if window:
        scanner.finish(window, base)
    return scanner.index


class _Scanner:
    """The message that is being read, and those that have been."""

    def __init__(self, file: Handle) -> None:
        self.index = Index()
        self._file = file
        self._searched = -1  # line ends before this place have been looked at
        self._tallied = 0  # and what lies before this one has been counted
        self._ends = _NO_ENDS
        self._is_quoted = False
        self._claim = _NO_CLAIM
        self._was_right = False  # the last message's Content-Length
        self._passed_over = 0  # separators within a message that was measured
        self._votes = {Quoting.ALL: 0, Quoting.FIRST: 0}

    def look(self, window: bytes, base: int, limit: int) -> None:
        """Look at a part of the file.

        Parameters
        ----------
        window
            A part; it begins before what has not been looked at yet.
        base
            Where in the file.
        limit
            How much of it to look at: what is behind is only there to judge it.
        """
        if self._searched < 0:
            self._begin(window)
        for found in _FROM.finditer(window, self._searched - base):
            if found.start() >= limit:
                break
            if found[1]:
                self._weigh(window, found.start(1), len(found[1]))
            else:
                self._judge(window, base, found.start(1))
        self._searched = max(self._searched, base + limit)
        if limit < len(window):
            self._tally(window, base, base + limit - _NEAR)

    def finish(self, window: bytes, base: int) -> None:
        """Close the last message, at the end of the file.

        Parameters
        ----------
        window, base
            The last part of the file.
        """
        self.look(window, base, len(window))
        index, size = self.index, self._file.size
        if not index.starts and (base or window.removeprefix(BOM).strip(b"\r\n")):
            # What lies before the window has been counted, and is not counted again.
            index.lines.append(0)
            index.starts.append(0)
            self._is_quoted = False
            index.note(0, "neither a From line nor a header: the whole file is taken for a message")
        if index.starts:
            start = index.starts[-1]
            tail = window[max(start - base, 0) :]
            end = size - _empty_line_at_end(tail)
            if self._claim.next == size:
                end = self._claim.end
            self._close(window, base, max(end, start))
            last = len(index) - 1
            if tail and not tail.endswith(b"\n"):
                index.note(last, "cut off: the file ends in the middle of a line")
            elif self._claim.missing:
                index.note(last, f"cut off: {self._claim.missing} bytes are missing")
            for words in self._file.damage:
                index.note(last, words)
        if len(index) > 1 and index.lines[0] == index.starts[0]:
            index.note(0, "no From line stands above it")
        if self._passed_over:
            index.quoting = Quoting.NONE
        elif self._votes[Quoting.FIRST] > self._votes[Quoting.ALL]:
            index.quoting = Quoting.FIRST

    def _begin(self, window: bytes) -> None:
        """Look at how the file begins, where no empty line stands above."""
        start = len(BOM) if window.startswith(BOM) else 0
        start += len(window) - start - len(window[start:].lstrip(b"\r\n"))
        self._searched = start
        line, following = _lines(window, start)
        if line.startswith(b"From ") and is_separator(line, following):
            self._open(window, 0, start, start + len(line) + 1)
        elif looks_like_header(window[start : start + LONGEST_LINE]):
            self._open(window, 0, start, start)

    def _judge(self, window: bytes, base: int, place: int) -> None:
        """Take a line that begins with ``From`` for the beginning of a message, or not."""
        here = base + place
        line, following = _lines(window, place)
        end = self._claim.end
        if here != self._claim.next:
            above = _empty_line_at_end(window[max(place - 3, 0) : place])
            if not is_separator(line, following):
                return
            if not above and not self._is_close(here, line, following):
                return
            if here < self._claim.next:
                self._passed_over += 1
                return
            end = here - above
        if self.index.starts:
            self._close(window, base, max(end, self.index.starts[-1]))
        elif here:
            self.index.note(0, f"above the first message stand {here} bytes that are none")
        self._open(window, base, here, here + len(line) + 1)

    def _is_close(self, here: int, line: bytes, following: bytes) -> bool:
        """Say whether a line without an empty line above it begins a message, and tell of it."""
        index, last = self.index, len(self.index) - 1
        if here < self._claim.next or not looks_like_header(following):
            return False
        is_second = last >= 0 and here == index.starts[last]  # two From lines above one message
        if not is_second and separates_alone(line, following):
            if last >= 0:
                index.note(last, "no empty line stands between it and the next one")
            return True
        if last >= 0 and last not in index.notes:
            index.note(last, "a From line stands within it, without an empty line above")
        return False

    def _open(self, window: bytes, base: int, line: int, start: int) -> None:
        start = min(start, self._file.size)
        self.index.lines.append(line)
        self.index.starts.append(start)
        self._tallied, self._ends, self._is_quoted = start, _NO_ENDS, False
        self._was_right = self._claim.end >= 0
        self._claim = self._measure(window, base, start)

    def _close(self, window: bytes, base: int, end: int) -> None:
        self._tally(window, base, end)
        self.index.ends.append(end)
        self.index.breaks.append(self._ends.unequal)
        self.index.quoted.append(self._is_quoted)

    def _tally(self, window: bytes, base: int, end: int) -> None:
        """Count the line ends up to a place."""
        first, last = self._tallied - base, end - base
        if last <= first:
            return
        if window[last - 1 : last + 1] == b"\r\n":  # counted together
            last -= 1
        lf, cr, crlf = self._ends
        lf += window.count(b"\n", first, last)
        if window.find(b"\r", first, last) >= 0:
            crlf += window.count(b"\r\n", first, last)
            cr += 0 if lf else window.count(b"\r", first, last)  # only asked for without LF
        self._ends = _Ends(lf, cr, crlf)
        self._tallied = base + last

    def _weigh(self, window: bytes, start: int, depth: int) -> None:
        """See whether a line that begins with ``>From`` is as deep as the line above it."""
        self._is_quoted = True
        if depth == 1:
            return  # read alike in both
        above = window[window.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start]
        depth_above = len(above) - len(above.lstrip(b">"))
        if depth_above and above.startswith(b"From ", depth_above):
            return  # as much in doubt as this one
        if depth_above == depth:
            self._votes[Quoting.FIRST] += 1
        elif depth_above == depth - 1:
            self._votes[Quoting.ALL] += 1

    def _measure(self, window: bytes, base: int, start: int) -> _Claim:
        """Read a message's Content-Length, and see whether a message begins where it ends."""
        place = start - base
        header = _header_end(window, place)
        if header < 0 and place + _HEADER > len(window):
            window, base, place = self._file.read(start, start + _HEADER), start, 0
            header = _header_end(window, 0)
        length = _content_length(window, place, header)
        if length is None:
            return _NO_CLAIM
        end = base + header + length
        is_first = len(self.index) == 1
        if end > self._file.size:
            return _Claim(missing=end - self._file.size) if self._was_right else _NO_CLAIM
        around = self._file.read(max(end - 1, 0), end + _AHEAD)
        below = around[1:].lstrip(b"\r\n")
        following = end + len(around) - 1 - len(below)
        if following == self._file.size:
            # The sender of a first message could hide all the others.
            return _Claim(following, end) if self._was_right else _NO_CLAIM
        line, rest = _lines(below, 0)
        is_near = following - end <= _NEAR // 2 and b"\n" in around[: following - end + 1]
        if not is_near or not line.startswith(b"From ") or not is_separator(line, rest):
            return _NO_CLAIM
        if not is_first and not self._was_right:
            return _NO_CLAIM
        is_usual = self._has_length(following + len(line) + 1)
        return _Claim(following, end) if is_usual else _NO_CLAIM

    def _has_length(self, start: int) -> bool:
        """Say whether the message that begins there has a Content-Length."""
        for length in (4096, _HEADER):  # the longer one is for a header in a hundred
            head = self._file.read(start, start + length)
            end = header_end(head)
            if end >= 0:
                return _content_length(head, 0, end) is not None
        return False


def _lines(window: bytes, place: int) -> tuple[bytes, bytes]:
    """Give a line, without its LF, and how the next one begins."""
    end = window.find(b"\n", place, place + LONGEST_LINE + 1)
    if end < 0:
        return window[place : place + LONGEST_LINE + 1], b""
    return window[place:end], window[end + 1 : end + 1 + LONGEST_LINE]


def _empty_line_at_end(text: bytes) -> int:
    """Count the bytes of an empty line at the end; 0 where there is none."""
    if text.endswith(b"\n\r\n"):
        return 2
    return 1 if text.endswith(b"\n\n") else 0


def _header_end(window: bytes, place: int) -> int:
    """Find where a header ends, before the next From line; -1 where it has no end."""
    following = window.find(b"\nFrom ", place, place + _SOON)
    return header_end(window, place, following + 1 if following >= 0 else place + _HEADER)


def _content_length(block: bytes, start: int, end: int) -> int | None:
    """Read the field of a header; None where there is none, or no end of the header."""
    if end < 0:
        return None
    if block.find(b"ength:", start, end) < 0 and block.find(b"ENGTH:", start, end) < 0:
        return None  # a hundredth of the search
    match = _CONTENT_LENGTH.search(block, start, end)
    return int(match[1]) if match else None
