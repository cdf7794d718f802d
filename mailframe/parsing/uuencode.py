"""Files written into a text by uuencode, as mail had them before MIME (POSIX uuencode)."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

__all__ = ["Uuencoded", "decode_lines", "find_uuencoded"]

_BEGIN = re.compile(r"^begin [0-7]{3,4} ++([^\s].*)$", re.MULTILINE)
_LINE = re.compile(r"[!-M][ -`]*+")
_LAST = frozenset({"", " ", "`"})
#: So many whole lines are no accident, even where nothing says that the file ends.
_ENOUGH = 3


class Uuencoded(NamedTuple):
    """A file found in a text.

    Attributes
    ----------
    name
        As written, no path is taken out of it.
    start, end
        Where it stands in the text: from ``begin`` to behind the line of ``end``.
    content
        The file itself.
    """

    name: str
    start: int
    end: int
    content: bytes


def _length(line: str) -> int:
    """Characters that a line of uuencode announces, itself counted."""
    return 1 + ((ord(line[0]) - 32 & 63) + 2) // 3 * 4


def _decode(line: str | bytes) -> bytes | None:
    """Decode a line; None if it is none."""
    octets = line.encode("ascii", "replace") if isinstance(line, str) else line
    try:
        return binascii.a2b_uu(octets)
    except binascii.Error:
        # Some writers put characters behind the last group: the length says how many count.
        expected = ((octets[0] - 32 & 63) * 4 + 5) // 3 if octets else 0
        try:
            return binascii.a2b_uu(octets[:expected])
        except binascii.Error:
            return None


def decode_lines(raw: bytes) -> tuple[bytes, bool]:
    """Decode what stands between ``begin`` and ``end``; say whether all of it could be."""
    content: list[bytes] = []
    whole = True
    for line in raw.splitlines():
        if line.strip() in {b"end", b"`"}:
            break
        decoded = _decode(line)
        whole = whole and decoded is not None
        content.append(decoded or b"")
    return b"".join(content), whole


def _block(text: str, at: int) -> tuple[list[bytes], int, bool]:
    """Read lines of data: what they say, where they end, and whether ``end`` is there.

    Without ``end`` only the lines before the first shorter than announced count: behind those
    that lost the blanks at their end may come prose in capitals.
    """
    content: list[bytes] = []
    sure, behind_sure, short = 0, at, False
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line, at = text[at:stop].removesuffix("\r"), min(stop + 1, len(text))
        if content and line.rstrip() == "end":
            return content, at, True
        if line in _LAST:
            continue
        extra = len(line) - _length(line)  # one more is a checksum
        short = short or extra < 0
        if not _LINE.fullmatch(line) or extra > 1 or (short and not content):
            break
        content.append(_decode(line) or b"")
        if not short:
            sure, behind_sure = len(content), at
    return content[:sure], behind_sure, False


def find_uuencoded(text: str) -> list[Uuencoded]:
    r"""Find the files that were written into a text by uuencode.

    Parameters
    ----------
    text
        A text/plain body.

    Returns
    -------
    list of Uuencoded
        Only what cannot be mistaken: ``begin`` with a mode and a name at the beginning of a line,
        lines of data with the length that they announce, ``end`` (or three such lines, where the
        rest was cut). What is quoted by ``>`` is none.

    Examples
    --------
    >>> text = "Look:\nbegin 644 a.txt\n#86)C\n`\nend\nBye\n"
    >>> find_uuencoded(text)
    [Uuencoded(name='a.txt', start=6, end=34, content=b'abc')]
    """
    found: list[Uuencoded] = []
    if "begin " not in text:
        return found
    for begin in _BEGIN.finditer(text):
        lines, end, ended = _block(text, begin.end() + 1)
        if lines and (ended or len(lines) >= _ENOUGH):
            name = begin[1].strip()
            found.append(Uuencoded(name, begin.start(), end, b"".join(lines)))
    return found
