"""What a file is, by its first bytes: names say little, and extensions lie."""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING

from mailframe.files.separators import LONGEST_LINE, is_separator, separates_alone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BOM", "LOOKED", "Kind", "kind_of", "separators", "words_for"]

#: Bytes that are looked at.
LOOKED = 64 << 10
BOM = b"\xef\xbb\xbf"

# A file of another kind may begin with "name: value" too; these are what mail is known by.
_KNOWN = frozenset(
    b"from to date subject message-id received return-path delivered-to mime-version "
    b"content-type reply-to sender cc bcc x-mozilla-status x-gm-thrid x-uidl dkim-signature "
    b"arc-seal authentication-results".split()
)
_FIELD = re.compile(rb"([!-9;-~]{1,100}+)[ \t]*+:")
_LINES = 200

_OTHERS = (
    (b"PK\x03\x04", "a zip archive: unpack it, and open what is inside"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it, and open what is inside"),
    (b"!BDN", "an Outlook data file (.pst): convert it, for example with readpst"),
    (b"\xd0\xcf\x11\xe0", "an Outlook message (.msg): save it as .eml"),
    (b"// <!-- <mdb:mork", "an index of Thunderbird's: the mail is in the file without .msf"),
    (b"SQLite format 3", "a database: export the mail as mbox"),
    (b"%PDF", "a PDF document"),
)


class Kind(Enum):
    """What a file may be."""

    EMPTY = auto()
    MBOX = auto()
    MESSAGE = auto()
    OTHER = auto()


def kind_of(head: bytes) -> Kind:
    r"""Say what a file is.

    Parameters
    ----------
    head
        Its first bytes, up to `LOOKED`, unpacked.

    Examples
    --------
    >>> kind_of(b"Subject: Hi\n\nHello"), kind_of(b"Dear all,\n")
    (<Kind.MESSAGE: 3>, <Kind.OTHER: 4>)
    """
    head = head.removeprefix(BOM).lstrip(b"\r\n")
    if not head:
        return Kind.EMPTY
    line, _, following = head[: 2 * LONGEST_LINE].partition(b"\n")
    if line.startswith(b"From ") and is_separator(line, following):
        return Kind.MBOX
    if _is_header(head):
        return Kind.MESSAGE
    # An archive of mail has the mail's bytes within it.
    return Kind.MBOX if not words_for(head) and any(separators(head)) else Kind.OTHER


def separators(block: bytes) -> Iterator[int]:
    """Find where messages of an mbox begin in a block, but for one at its very beginning."""
    place = block.find(b"\nFrom ")
    while place >= 0:
        end = block.find(b"\n", place + 1, place + LONGEST_LINE)
        has_space = block[max(place - 2, 0) : place].endswith((b"\n", b"\n\r"))
        separates = is_separator if has_space else separates_alone
        if end >= 0 and separates(block[place + 1 : end], block[end + 1 : end + 201]):
            yield place + 1
        place = block.find(b"\nFrom ", place + 1)


def words_for(head: bytes) -> str:
    """Say what a file is that is no mail, and what to do; empty where that is not known."""
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it, and open what is inside"
    return next((words for magic, words in _OTHERS if head.startswith(magic)), "")


def _is_header(head: bytes) -> bool:
    """Say whether bytes begin with header fields, one of them known from mail."""
    for number, line in enumerate(islice(head.split(b"\n", _LINES), _LINES)):
        field = _FIELD.match(line)
        if field and field[1].lower() in _KNOWN:
            return True
        is_envelope = number == 0 and line.startswith(b">From ")
        if not field and not line.startswith((b" ", b"\t")) and not is_envelope:
            return False
    return False
