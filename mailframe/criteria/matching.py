"""Deciding a whole tree for one message: for mail that no server searches.

What matches is what a server finds (RFC 3501 section 6.4.4), so that the same criteria find the
same mail in a folder and in the file that was made of it. Little is read for it: first what is
known of every message is asked, then its header, and its body only if that leaves the answer open.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from mailframe.criteria.folding import fold, fold_field
from mailframe.criteria.keys import SEQUENCE, UidSet
from mailframe.criteria.tree import And, Contains, HasAttachment, Instant, Key, Not, Or, walk
from mailframe.exceptions import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from mailframe.criteria.tree import Node

__all__ = ["Candidate", "Mailbox", "matches", "supported"]


class Candidate(Protocol):
    """What can be asked of one message. Nothing is read before it is asked for."""

    @property
    def uid(self) -> int:
        """Its UID."""

    @property
    def number(self) -> int:
        """Its sequence number, from 1."""

    @property
    def flags(self) -> frozenset[str]:
        r"""In lower case: ``"\\seen"``, ``"$junk"``."""

    @property
    def size(self) -> int:
        """In bytes, with CRLF line ends (RFC822.SIZE)."""

    @property
    def internal_date(self) -> datetime | None:
        """Aware, in the zone in which its source writes it; None where the source has none."""

    @property
    def sent_date(self) -> datetime | None:
        """The Date field, aware, in the zone it was sent in; None when it cannot be read."""

    @property
    def has_attachment(self) -> bool:
        """Whether it has attachments that are not inline."""

    def labels(self) -> Sequence[str]:
        """Gmail's labels; empty where the source has none."""

    def field(self, name: str) -> Sequence[str]:
        """Give the values of every header field with that lower-case name, decoded."""

    def addresses(self, name: str) -> Sequence[str]:
        """Give the addresses of from, to, cc or bcc as ``Name <address>`` or ``<address>``."""

    def header_text(self) -> str:
        """Give the whole header, decoded, a line a field."""

    def part_headers(self) -> str:
        """Give the headers of its parts, and of messages within it, in the same way."""

    def body_text(self) -> str:
        """Give every text in it, decoded: attached ones and those of messages within it too."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The folder that is searched: what ``*`` and now mean in it.

    Attributes
    ----------
    highest_uid
        Of its messages; 0 without any.
    count
        How many messages it has.
    now
        Aware.
    """

    highest_uid: int
    count: int
    now: datetime


def matches(node: Node, candidate: Candidate, mailbox: Mailbox) -> bool:
    """Say whether a message matches a tree.

    Parameters
    ----------
    node
        Any tree that `supported` lets pass.
    candidate
        The message. Its header is read only if the answer depends on it, and so is its body.
    mailbox
        The folder it is in.

    Returns
    -------
    bool
        As a server would find it (RFC 3501 section 6.4.4). Text is looked for in any case, by
        RFC 5051 and case folding, where an accent is a character of its own behind its letter.
        Where the source has no internal date, the Date field counts.
    """
    asked = _Asked(candidate, mailbox)
    for effort in _Effort:
        verdict = _decide(node, asked, effort)
        if verdict is not None:
            return verdict
    raise AssertionError(node)  # everything is known once the body is


def supported(node: Node, *, has_labels: bool = True) -> None:
    """Refuse a tree with a key that only a server can decide.

    Parameters
    ----------
    node
        Any tree.
    has_labels
        Whether the source knows Gmail's labels.

    Raises
    ------
    NotSupportedError
        Before anything is read.
    """
    for part in walk(node):
        if not isinstance(part, Key):
            continue
        if part.name not in _LEAVES or (part.name == "X-GM-LABELS" and not has_labels):
            raise NotSupportedError(
                f"Only a server can search by {part.name}: what it asks is not in the mail itself.",
                suggestion="Leave the key out, or search the mailbox on its server.",
            )


_needle = lru_cache(maxsize=256)(fold)
_field_needle = lru_cache(maxsize=256)(fold_field)


# -- one message


class _Effort(IntEnum):
    """What may be read to decide, each with all before it."""

    NOTHING = 0
    SIZE = 1  # line ends are counted where they are LF
    HEADER = 2
    BODY = 3


class _Asked:
    """A message and its folder; remembers the texts that are costly to fold."""

    __slots__ = ("_body", "_header", "mailbox", "message")

    def __init__(self, message: Candidate, mailbox: Mailbox) -> None:
        self.message = message
        self.mailbox = mailbox
        self._header: str | None = None
        self._body: str | None = None

    @property
    def header(self) -> str:
        if self._header is None:
            self._header = fold_field(self.message.header_text())
        return self._header

    @property
    def body(self) -> str:
        if self._body is None:
            self._body = fold(self.message.body_text())
        return self._body


def _decide(  # noqa: PLR0911 one for each kind of node
    node: Node, asked: _Asked, effort: _Effort
) -> bool | None:
    """Decide a tree with no more than an effort; None where that leaves it open."""
    match node:
        case And(children):
            return _join(children, asked, effort, decisive=False)
        case Or(children):
            return _join(children, asked, effort, decisive=True)
        case Not(child):
            verdict = _decide(child, asked, effort)
            return None if verdict is None else not verdict
        case Key(name, args):
            return _LEAVES[name](asked, effort, args)
        case Contains(Key(name, args)):
            return _LEAVES[name](asked, effort, args)
        case Instant(field, op, moment):
            return _dated(asked, effort, field, lambda when: (when >= moment) == (op == "since"))
        case HasAttachment():
            return asked.message.has_attachment if effort >= _Effort.BODY else None


def _join(
    nodes: tuple[Node, ...], asked: _Asked, effort: _Effort, *, decisive: bool
) -> bool | None:
    """Decide a group, in which one child with the decisive verdict is enough."""
    joint: bool | None = not decisive
    for node in nodes:
        verdict = _decide(node, asked, effort)
        if verdict is decisive:
            return decisive
        if verdict is None:
            joint = None
    return joint


# -- the keys

_Args: TypeAlias = "tuple[object, ...]"
_Leaf: TypeAlias = "Callable[[_Asked, _Effort, _Args], bool | None]"


def _flag(flag: str) -> _Leaf:
    return lambda asked, _effort, _args: flag in asked.message.flags


def _no(leaf: _Leaf) -> _Leaf:
    def negated(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
        return not leaf(asked, effort, args)

    return negated


def _keyword(asked: _Asked, _effort: _Effort, args: _Args) -> bool:
    return str(args[0]).lower() in asked.message.flags


def _new(asked: _Asked, _effort: _Effort, _args: _Args) -> bool:
    return "\\recent" in asked.message.flags and "\\seen" not in asked.message.flags


def _dated(
    asked: _Asked, effort: _Effort, field: str, holds: Callable[[datetime], bool]
) -> bool | None:
    when = asked.message.internal_date if field == "internal" else None
    if when is None:
        if effort < _Effort.HEADER:
            return None
        when = asked.message.sent_date
    # Mail without a date is neither since nor before anything.
    return when is not None and holds(when)


def _day(field: str, holds: Callable[[date, date], bool]) -> _Leaf:
    """Compare days as they are written, the zone ignored."""

    def leaf(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
        day = cast("date", args[0])
        return _dated(asked, effort, field, lambda when: holds(when.date(), day))

    return leaf


def _within(holds: Callable[[datetime, datetime], bool]) -> _Leaf:
    """Compare with so many seconds before now (RFC 5032)."""

    def leaf(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
        try:
            moment = asked.mailbox.now - timedelta(seconds=cast("int", args[0]))
        except OverflowError:  # before the year 1: everything is younger
            moment = datetime.min.replace(tzinfo=asked.mailbox.now.tzinfo)
        return _dated(asked, effort, "internal", lambda when: holds(when, moment))

    return leaf


def _size(holds: Callable[[int, int], bool]) -> _Leaf:
    def leaf(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
        if effort < _Effort.SIZE:
            return None
        return holds(asked.message.size, cast("int", args[0]))

    return leaf


def _uid(asked: _Asked, _effort: _Effort, args: _Args) -> bool:
    return _is_in(asked.message.uid, cast("UidSet", args[0]), asked.mailbox.highest_uid)


def _number(asked: _Asked, _effort: _Effort, args: _Args) -> bool:
    return _is_in(asked.message.number, cast("UidSet", args[0]), asked.mailbox.count)


def _is_in(number: int, numbers: UidSet, star: int) -> bool:
    starts, ends = _spans(numbers, star)
    position = bisect_right(starts, number)
    return position > 0 and number <= ends[position - 1]


@lru_cache(maxsize=64)
def _spans(numbers: UidSet, star: int) -> tuple[list[int], list[int]]:
    """Give where the ranges of a set begin and end, ascending and apart."""
    starts: list[int] = []
    ends: list[int] = []
    for low, high in sorted(_span(part, star) for part in str(numbers).split(",")):
        if ends and low <= ends[-1]:
            ends[-1] = max(ends[-1], high)
        else:
            starts.append(low)
            ends.append(high)
    return starts, ends


def _span(part: str, star: int) -> tuple[int, int]:
    # A range means the same either way round (RFC 3501 section 9), so 20:* always has the last.
    ends = [star if end == "*" else int(end) for end in part.split(":")]
    return min(ends), max(ends)


def _in_field(asked: _Asked, effort: _Effort, name: str, words: object) -> bool | None:
    if effort < _Effort.HEADER:
        return None
    needle = _field_needle(str(words))
    return any(needle in fold_field(value) for value in asked.message.field(name))


def _header(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
    return _in_field(asked, effort, str(args[0]).lower(), args[1])


def _subject(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
    return _in_field(asked, effort, "subject", args[0])


def _people(name: str) -> _Leaf:
    def leaf(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
        found = _in_field(asked, effort, name, args[0])
        needle = _field_needle(str(args[0]))
        if found is False and ("<" in needle or ">" in needle or _has_comment(asked, name)):
            # "<ann@example.org>" asks for the whole address, which may be written without these,
            # and with comments anywhere: ann@(at work) example.org.
            return needle in fold_field(", ".join(asked.message.addresses(name)))
        return found

    return leaf


def _has_comment(asked: _Asked, name: str) -> bool:
    return any("(" in value for value in asked.message.field(name))


def _body(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
    needle = _needle(str(args[0]))
    if not needle:
        return True
    return needle in asked.body if effort >= _Effort.BODY else None


def _text(asked: _Asked, effort: _Effort, args: _Args) -> bool | None:
    needle = _field_needle(str(args[0]))
    if not needle or (effort >= _Effort.HEADER and needle in asked.header):
        return True
    if effort < _Effort.BODY:
        return None
    return bool(_body(asked, effort, args)) or needle in fold_field(asked.message.part_headers())


def _label(asked: _Asked, _effort: _Effort, args: _Args) -> bool:
    # In IMAP Gmail's own labels have a backslash (\Inbox), in the files of Takeout they have none.
    wanted = fold(str(args[0]).removeprefix("\\"))
    return any(fold(label.removeprefix("\\")) == wanted for label in asked.message.labels())


_SYSTEM_FLAGS = {
    name: _flag(f"\\{name.lower()}")
    for name in ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "RECENT", "SEEN")
}

#: Every key that can be decided, and how.
_LEAVES: dict[str, _Leaf] = {
    "ALL": lambda _asked, _effort, _args: True,
    **_SYSTEM_FLAGS,
    **{f"UN{name}": _no(leaf) for name, leaf in _SYSTEM_FLAGS.items() if name != "RECENT"},
    "OLD": _no(_SYSTEM_FLAGS["RECENT"]),
    "NEW": _new,
    "KEYWORD": _keyword,
    "UNKEYWORD": _no(_keyword),
    "SINCE": _day("internal", lambda when, day: when >= day),
    "BEFORE": _day("internal", lambda when, day: when < day),
    "ON": _day("internal", lambda when, day: when == day),
    "SENTSINCE": _day("sent", lambda when, day: when >= day),
    "SENTBEFORE": _day("sent", lambda when, day: when < day),
    "SENTON": _day("sent", lambda when, day: when == day),
    "YOUNGER": _within(lambda when, moment: when >= moment),
    "OLDER": _within(lambda when, moment: when <= moment),
    "LARGER": _size(lambda size, limit: size > limit),
    "SMALLER": _size(lambda size, limit: size < limit),
    "UID": _uid,
    SEQUENCE: _number,
    "FROM": _people("from"),
    "TO": _people("to"),
    "CC": _people("cc"),
    "BCC": _people("bcc"),
    "SUBJECT": _subject,
    "HEADER": _header,
    "BODY": _body,
    "TEXT": _text,
    "X-GM-LABELS": _label,
}
