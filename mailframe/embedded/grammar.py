"""A command's bytes -> values: the formal syntax of RFC 3501 section 9.

A command is one line, but for literals: ``{5}`` at the end of a line announces five bytes, which
follow behind the line break, and then the line goes on. `Cursor` is handed the whole command,
literals included, and reads it from left to right.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mailframe.embedded.utf7 import decode_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Bad", "Cursor", "No", "SequenceSet", "quoted", "tag_of"]

_T = TypeVar("_T")

# RFC 3501 section 9: an atom has no ( ) { space control % * " \ ]; an astring may have a ].
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_LIST_MAILBOX = re.compile(rb"[^\x00-\x20\x7f(){\"\\]+")
# A tag is an astring without "+", which begins what the server wants to hear more of.
_TAG = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]{1,100}) ")
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
# Bytes above 127 are against RFC 3501, but clients send them in folder names and passwords.
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*+)"')
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r?\n")
_NUMBER = re.compile(rb"\d{1,20}")
_SEQUENCE_SET = re.compile(
    rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*+"
)
_DATE_TIME = re.compile(
    rb'"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ESCAPED = re.compile(rb"\\(.)")
_SPECIAL = re.compile(rb'["\\]')
_MAX_NUMBER = 2**63 - 1  # RFC 7162 section 7: no mod-sequence is larger
_MAX_UID = 2**32 - 1
_LONGEST_NAME = 2_000  # of a mailbox, or a pattern for some


class Bad(Exception):  # noqa: N818 named like the answer it leads to
    """Raised for a command that cannot be read; answered ``BAD`` (RFC 3501 section 7.1.3)."""


class No(Exception):  # noqa: N818 likewise
    """Raised for a command that cannot be done; answered ``NO`` (RFC 3501 section 7.1.2).

    Parameters
    ----------
    words
        Why, for a person.
    code
        Why, for a program: a response code without its brackets.
    """

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(f"[{code}] {words}" if code else words)


class SequenceSet(NamedTuple):
    """Message numbers or UIDs: ``1:5,9,20:*`` (RFC 3501 section 9, sequence-set).

    Attributes
    ----------
    ranges
        First and last of each; None stands for ``*``, the highest in use.
    """

    ranges: tuple[tuple[int | None, int | None], ...]

    def spans(self, star: int) -> list[tuple[int, int]]:
        """Give the ranges as numbers, ascending and apart.

        Parameters
        ----------
        star
            What ``*`` stands for.

        Examples
        --------
        >>> Cursor(b"9,20:*,1:2,3").sequence_set().spans(star=12)
        [(1, 3), (9, 9), (12, 20)]
        """
        found: list[tuple[int, int]] = []
        for pair in sorted(_ascending(star, *ends) for ends in self.ranges):
            if found and pair[0] <= found[-1][1] + 1:
                found[-1] = found[-1][0], max(found[-1][1], pair[1])
            else:
                found.append(pair)
        return found


class Cursor:
    """Reads one command from left to right.

    Parameters
    ----------
    line
        The command without its last line break, with the literals in it.
    """

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.position = 0

    # -- punctuation

    def at(self, expected: bytes) -> bool:
        """Say whether something comes next, in this spelling."""
        return self.line.startswith(expected, self.position)

    def take(self, expected: bytes) -> bool:
        """Read something if it comes next."""
        found = self.at(expected)
        if found:
            self.position += len(expected)
        return found

    def need(self, expected: bytes) -> None:
        """Read something that must come next."""
        if not self.take(expected):
            raise self.bad(f"expected {expected.decode('ascii')!r}")

    def space(self) -> None:
        """Read the one space that parts two arguments."""
        self.need(b" ")

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.position == len(self.line)

    def end(self) -> None:
        """Insist that everything has been read."""
        if not self.at_end:
            raise self.bad("expected the end of the command")

    def bad(self, why: str) -> Bad:
        """Make the error for what stands here."""
        here = self.line[self.position : self.position + 20].decode("ascii", "backslashreplace")
        where = f"before {here!a}" if here else "at the end"
        return Bad(f"Syntax error: {why} {where}")

    # -- words

    def atom(self) -> str:
        """Read an atom, in upper case: names of commands and items are not case-sensitive."""
        return self._match(_ATOM, "an atom")[0].decode("ascii").upper()

    def next_atom(self) -> str:
        """Give the atom that comes next, without reading it; ``""`` for none."""
        found = _ATOM.match(self.line, self.position)
        return found[0].decode("ascii").upper() if found else ""

    def astring(self) -> bytes:
        """Read an atom or a string."""
        found = _ASTRING.match(self.line, self.position)
        if found is None:
            return self.string()
        self.position = found.end()
        return found[0]

    def string(self) -> bytes:
        """Read a quoted string or a literal (RFC 3501 section 4.3)."""
        found = _QUOTED.match(self.line, self.position)
        if found is not None:
            self.position = found.end()
            return _ESCAPED.sub(rb"\1", found[1])
        return self.literal()

    def literal(self) -> bytes:
        """Read a literal: its length in braces, a line break, and so many bytes."""
        found = self._match(_LITERAL, "a string")
        end = found.end() + int(found[1])
        if end > len(self.line):
            raise self.bad("a literal is cut short")
        self.position = end
        return self.line[found.end() : end]

    def nstring(self) -> bytes | None:
        """Read a string, or NIL for none."""
        if self.next_atom() == "NIL":
            self.atom()
            return None
        return self.string()

    def text(self) -> str:
        """Read an atom or a string that is text; UTF-8 is understood."""
        return decoded(self.astring())

    def mailbox(self) -> str:
        """Read a mailbox's name (section 5.1.3).

        Raises
        ------
        No
            For one that is not modified UTF-7: well written, but no mailbox can have it.
        """
        return self._name(self.astring())

    def list_mailbox(self) -> str:
        """Read a pattern of LIST, in which ``*`` and ``%`` are wildcards."""
        found = _LIST_MAILBOX.match(self.line, self.position)
        if found is None:
            octets = self.string()
        else:
            octets = found[0]
            self.position = found.end()
        try:
            return self._name(octets)
        except No:  # no mailbox fits it, and to ask for none is no mistake
            return decoded(octets)

    def flag(self) -> str:
        r"""Read a flag: ``\Seen``, ``$Junk``."""
        return self._match(_FLAG, "a flag")[0].decode("ascii")

    # -- numbers and dates

    def number(self) -> int:
        """Read a number from 0."""
        value = int(self._match(_NUMBER, "a number")[0])
        if value > _MAX_NUMBER:
            raise self.bad("a number is too large")
        return value

    def sequence_set(self) -> SequenceSet:
        """Read message numbers or UIDs, which begin at 1."""
        text = self._match(_SEQUENCE_SET, "a sequence set")[0].decode("ascii")
        ranges = []
        for part in text.split(","):
            first, colon, last = part.partition(":")
            pair = (_bound(first), _bound(last if colon else first))
            if any(end is not None and not 0 < end <= _MAX_UID for end in pair):
                raise self.bad("message numbers are from 1 to 4294967295")
            ranges.append(pair)
        return SequenceSet(tuple(ranges))

    def date_time(self) -> datetime:
        """Read a moment, as APPEND takes it (RFC 3501 section 9, date-time)."""
        found = self._match(_DATE_TIME, "a date and time")
        day, month, year, hour, minute, second, sign, hours, minutes = (
            part.decode("ascii") for part in found.groups()
        )
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            date = (int(year), _MONTHS.index(month.lower()) + 1, int(day))
            # A leap second has no place in Python's clock.
            clock = (int(hour), int(minute), min(int(second), 59))
            moment = datetime(*date, *clock, tzinfo=timezone(-offset if sign == "-" else offset))
        except ValueError as error:
            raise self.bad("there is no such moment") from error
        return moment

    # -- lists

    def several(self, read: Callable[[], _T]) -> list[_T]:
        """Read a list in parentheses, which may be empty."""
        self.need(b"(")
        found: list[_T] = []
        while not self.take(b")"):
            if found:
                self.space()
            found.append(read())
        return found

    def one_or_several(self, read: Callable[[], _T]) -> Sequence[_T]:
        """Read one thing, or a list of them in parentheses."""
        return self.several(read) if self.at(b"(") else (read(),)

    def _name(self, octets: bytes) -> str:
        if len(octets) > _LONGEST_NAME:
            raise Bad("That name is too long")
        text = decoded(octets)
        try:
            return decode_name(text)
        except ValueError as error:
            raise No(f"No mailbox can be called {text!a}: not modified UTF-7", "CANNOT") from error

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self.line, self.position)
        if found is None:
            raise self.bad(f"expected {what}")
        self.position = found.end()
        return found


def decoded(octets: bytes) -> str:
    """Read bytes as UTF-8, which ASCII is."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Bad("Text must be UTF-8") from error


def tag_of(line: bytes) -> str:
    """Give the tag that a command begins with; ``""`` for none.

    Examples
    --------
    >>> tag_of(b"a1 NOOP"), tag_of(b"+ NOOP")
    ('a1', '')
    """
    found = _TAG.match(line)
    return found[1].decode("ascii") if found else ""


def quoted(text: str) -> bytes:
    r"""Write a string for the wire: quoted, or as a literal what has no quoted form.

    Examples
    --------
    >>> quoted('say "hi"')
    b'"say \\"hi\\""'
    """
    octets = text.encode("utf-8", "replace")
    if text.isascii() and not any(c in text for c in "\r\n\0"):
        return b'"%b"' % _SPECIAL.sub(rb"\\\g<0>", octets)
    return b"{%d}\r\n%b" % (len(octets), octets)


def _bound(text: str) -> int | None:
    return None if text == "*" else int(text)


def _ascending(star: int, first: int | None, last: int | None) -> tuple[int, int]:
    # A range means the same either way round (RFC 3501 section 9, seq-range).
    low = star if first is None else first
    high = star if last is None else last
    return (low, high) if low <= high else (high, low)
