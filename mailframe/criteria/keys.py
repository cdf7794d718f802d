"""The search keys: what follows each of them, and the capability it needs.

RFC 3501 section 6.4.4 has the standard ones; the others name their RFC beside them. ``NOT``, ``OR``
and parentheses are no keys but the shape of the tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "KEYS",
    "SEQUENCE",
    "Arg",
    "Atom",
    "Kind",
    "UidSet",
    "capability_needed",
    "check_argument",
    "check_text",
    "clip",
]

SEQUENCE = ""
"""Name of the key that has none: a bare sequence set, ``1:10,*`` (RFC 3501 section 9)."""

# RFC 3501 section 9: ATOM-CHAR is any printable ASCII but ( ) { % * " \ ].
_ATOM = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_RANGE = re.compile(r"([0-9]{1,10}|\*)(?::([0-9]{1,10}|\*))?")
_FIELD_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 section 3.6.8: printable ASCII but the colon
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")  # RFC 8474 section 7
_LAST_UID = 2**32 - 1  # RFC 3501 section 9: nz-number
_LAST_NUMBER = 2**64 - 1  # X-GM-MSGID has 64 bits, everything else fewer


def clip(text: str, width: int = 60) -> str:
    """Shorten what an error quotes, so that the error stays readable."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def check_text(text: str) -> None:
    r"""Refuse what could end a command early or cannot be sent.

    Raises
    ------
    QueryError
        For CR, LF or NUL, which no string of IMAP but a literal may hold (RFC 3501 section 9), and
        for half a surrogate pair, which has no UTF-8. imap-tools 1.16 lets the line break of
        ``AND(subject="a\r\nX")`` through, so this is checked whoever made the criteria.
    """
    if any(character in text for character in "\r\n\0"):
        raise QueryError(
            f"The criteria {clip(ascii(text))} hold a line break or a NUL.",
            suggestion="Leave it out: no search looks for text across lines.",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError(
            f"The criteria {clip(ascii(text))} hold half a character (a lone surrogate).",
            suggestion="Decode the text again with the right encoding.",
        ) from error


@dataclass(frozen=True, slots=True)
class Atom:
    """A word that goes out as it is: a keyword such as ``$Junk``, an object id.

    Raises
    ------
    QueryError
        For anything but an atom of RFC 3501 section 9.
    """

    text: str

    def __post_init__(self) -> None:
        if not _ATOM.fullmatch(self.text):
            raise QueryError(
                f"{clip(ascii(self.text))} is not a keyword.",
                suggestion=(
                    'A keyword is one ASCII word without ( ) { ] % * " or a backslash, such as '
                    r"$Junk. System flags have names of their own: \Seen is seen=True or SEEN."
                ),
            )

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class UidSet:
    """UIDs, or sequence numbers, as a sequence set: ``1:5,9,20:*`` (RFC 3501 section 9).

    ``*`` is the highest in use, so ``20:*`` always holds the last message, whatever its UID.

    Raises
    ------
    QueryError
        For anything but a sequence set.
    """

    text: str

    def __post_init__(self) -> None:
        for part in self.text.split(","):
            ends = _RANGE.fullmatch(part)
            if not ends or not all(
                end in (None, "*") or 0 < int(end) <= _LAST_UID for end in ends.groups()
            ):
                raise QueryError(
                    f"{clip(ascii(part))} is neither a UID nor a range of UIDs.",
                    suggestion='UIDs are numbers from 1, ranges and *: "7", "1:500", "1:5,9,20:*".',
                )

    @classmethod
    def of(cls, uids: Iterable[int]) -> UidSet:
        """Write numbers as the shortest set.

        Examples
        --------
        >>> str(UidSet.of([9, 3, 1, 2, 9]))
        '1:3,9'
        """
        spans: list[list[int]] = []
        if isinstance(uids, range) and uids and abs(uids.step) == 1:
            # Not counted out: range(1, 2**32) is a fair way to write "all".
            spans.append(sorted((uids[0], uids[-1])))
        else:
            for uid in sorted(set(uids)):
                if spans and uid == spans[-1][1] + 1:
                    spans[-1][1] = uid
                else:
                    spans.append([uid, uid])
        return cls(",".join(f"{a}:{b}" if a != b else f"{a}" for a, b in spans))

    def __str__(self) -> str:
        return self.text


Arg: TypeAlias = str | date | int | Atom | UidSet
"""An argument; its type says how it is written: string, date, number, atom, sequence set."""


class Kind(Enum):
    """What may follow a key, in the words of an error."""

    STRING = "text (several words go in double quotes)"
    FIELD = "the name of a header field, such as List-Id, without a colon"
    DATE = "a day such as 31-Jan-2026, with the month in English"
    NUMBER = "a number"
    POSITIVE = "a number above 0"
    KEYWORD = "a keyword such as $Junk"
    OBJECT_ID = "an object id (letters, digits, _ and -)"
    UIDS = "UIDs such as 1:5,9,20:*"


def _is_number(arg: object) -> bool:
    return isinstance(arg, int) and not isinstance(arg, bool) and 0 <= arg <= _LAST_NUMBER


_ACCEPTS: dict[Kind, Callable[[object], bool]] = {
    Kind.STRING: lambda arg: isinstance(arg, str),
    Kind.FIELD: lambda arg: isinstance(arg, str) and bool(_FIELD_NAME.fullmatch(arg)),
    # A datetime is a date to Python, but its time would be lost on the wire.
    Kind.DATE: lambda arg: isinstance(arg, date) and not isinstance(arg, datetime),
    Kind.NUMBER: _is_number,
    Kind.POSITIVE: lambda arg: _is_number(arg) and arg != 0,
    Kind.KEYWORD: lambda arg: isinstance(arg, Atom),
    Kind.OBJECT_ID: lambda arg: isinstance(arg, Atom) and bool(_OBJECT_ID.fullmatch(arg.text)),
    Kind.UIDS: lambda arg: isinstance(arg, UidSet),
}


def check_argument(name: str, kind: Kind, arg: object) -> None:
    """Refuse an argument that does not belong behind a key.

    Raises
    ------
    QueryError
        When it is of another kind, or a string that `check_text` refuses.
    """
    if isinstance(arg, str):
        check_text(arg)
    if not _ACCEPTS[kind](arg):
        raise QueryError(f"{name} expects {kind.value}, not {clip(repr(arg))}.")


@dataclass(frozen=True, slots=True)
class _Spec:
    args: tuple[Kind, ...] = ()
    capability: str | None = None


def _specs(names: str, *args: Kind, capability: str | None = None) -> dict[str, _Spec]:
    return dict.fromkeys(names.split(), _Spec(args, capability))


KEYS: Mapping[str, _Spec] = MappingProxyType(
    {SEQUENCE: _Spec((Kind.UIDS,))}
    | _specs("ALL ANSWERED DELETED DRAFT FLAGGED NEW OLD RECENT SEEN")
    | _specs("UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN")
    | _specs("BCC BODY CC FROM SUBJECT TEXT TO", Kind.STRING)
    | _specs("BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE", Kind.DATE)
    | _specs("LARGER SMALLER", Kind.NUMBER)
    | _specs("KEYWORD UNKEYWORD", Kind.KEYWORD)
    | _specs("HEADER", Kind.FIELD, Kind.STRING)
    | _specs("UID", Kind.UIDS)
    # RFC 5032: seconds before now.
    | _specs("OLDER YOUNGER", Kind.POSITIVE, capability="WITHIN")
    # RFC 7162 section 3.1.5, without the optional entry name.
    | _specs("MODSEQ", Kind.NUMBER, capability="CONDSTORE")
    # RFC 8474 section 6.
    | _specs("EMAILID THREADID", Kind.OBJECT_ID, capability="OBJECTID")
    # RFC 8514 section 4.3.
    | _specs("SAVEDBEFORE SAVEDON SAVEDSINCE", Kind.DATE, capability="SAVEDATE")
    | _specs("SAVEDATESUPPORTED", capability="SAVEDATE")
    # developers.google.com/workspace/gmail/imap/imap-extensions
    | _specs("X-GM-LABELS X-GM-RAW", Kind.STRING, capability="X-GM-EXT-1")
    | _specs("X-GM-MSGID X-GM-THRID", Kind.NUMBER, capability="X-GM-EXT-1")
)
"""Every search key, with the arguments that follow it and the capability it needs."""


def capability_needed(name: str) -> str | None:
    """Return the capability a server must offer to understand a key.

    Parameters
    ----------
    name
        The key's name in upper case, such as ``"X-GM-RAW"``.

    Returns
    -------
    str or None
        None for the keys of RFC 3501, which every server knows.

    Examples
    --------
    >>> capability_needed("YOUNGER")
    'WITHIN'
    """
    return KEYS[name].capability
