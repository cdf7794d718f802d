"""UIDs as ranges: what a UID FETCH asks for and what an ESEARCH answers (RFC 3501 section 9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.criteria import UidSet
from mailframe.exceptions import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["chunks", "parse_uid_set", "to_uid_set"]

#: Octets of UID set in one command. Dovecot refuses lines of 64 kB, others far shorter ones; RFC
#: 7162 section 4 asks clients to stay below 8,192 in all.
MAX_OCTETS = 7_500
#: More UIDs than any folder has: a reply that names them is damaged or hostile.
MAX_UIDS = 10_000_000

_LAST_UID = 2**32 - 1
_RANGE = re.compile(rb"(\d{1,10})(?::(\d{1,10}))?")


def to_uid_set(uids: Iterable[int]) -> bytes:
    """Write UIDs as a sequence set.

    Parameters
    ----------
    uids
        In any order, repeated or not.

    Examples
    --------
    >>> to_uid_set([3, 1, 2, 9])
    b'1:3,9'
    """
    return str(UidSet.of(uids)).encode("ascii")


def parse_uid_set(text: bytes) -> list[int]:
    """Read a sequence set as UIDs, in the order given.

    Parameters
    ----------
    text
        ``1:3,9`` without ``*``. A range may be written backwards (RFC 3501: "seq-range").

    Raises
    ------
    ProtocolError
        If it is none, or names more UIDs than a folder can have.

    Examples
    --------
    >>> parse_uid_set(b"1:3,9")
    [1, 2, 3, 9]
    """
    found: list[int] = []
    for piece in text.split(b","):
        ends = _RANGE.fullmatch(piece)
        low, high = sorted((int(ends[1]), int(ends[2] or ends[1]))) if ends else (0, 0)
        if low < 1 or high > _LAST_UID:
            raise ProtocolError(
                "A set of UIDs in the server's reply cannot be read.", reply=repr(text[:200])
            )
        if len(found) + high - low > MAX_UIDS:
            raise ProtocolError(
                "The server named more UIDs than a folder can have.", reply=repr(text[:200])
            )
        found.extend(range(low, high + 1))
    return found


def chunks(uids: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    """Cut UIDs into pieces that fit one command each, in the order given.

    Parameters
    ----------
    uids
        Distinct, in the order in which they should come.
    size
        At most this many in a piece.

    Yields
    ------
    tuple of int
        Fewer where ``size`` of them would make too long a line.
    """
    start = 0
    while start < len(uids):
        end = min(start + size, len(uids))
        while end - start > 1 and len(to_uid_set(uids[start:end])) > MAX_OCTETS:
            end = start + (end - start) // 2
        yield tuple(uids[start:end])
        start = end
