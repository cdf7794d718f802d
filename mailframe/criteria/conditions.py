"""One condition of a ``Q``: what it accepts, and the tree it becomes.

`CONDITIONS` is the one place that knows the names. A condition is turned into a tree twice: when
the ``Q`` is made, so that a mistake shows where it is written, and at the call, because ages count
back from then.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, SupportsIndex, TypeAlias, TypedDict

from mailframe.criteria.dates import read_time
from mailframe.criteria.keys import Atom, UidSet, clip
from mailframe.criteria.tree import HasAttachment, Instant, Key, Node, all_of, any_of, negate
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONDITIONS", "Condition", "Conditions", "unknown_condition"]

Text: TypeAlias = str | Iterable[str]
Day: TypeAlias = str | date | Iterable[str | date]
Time: TypeAlias = str | date | timedelta | Iterable[str | date | timedelta]
Size: TypeAlias = SupportsIndex | str
Field: TypeAlias = bool | str | Iterable[str]


class Conditions(TypedDict, total=False):
    """The keyword arguments of ``Q``, for editors and type checkers."""

    from_: Text
    to: Text
    cc: Text
    bcc: Text
    subject: Text
    body: Text
    text: Text
    header: Mapping[str, Field]
    since: Time
    before: Time
    on: Day
    sent_since: Time
    sent_before: Time
    sent_on: Day
    seen: bool
    answered: bool
    flagged: bool
    draft: bool
    deleted: bool
    keyword: Text
    larger: Size
    smaller: Size
    uid: SupportsIndex | str | Iterable[SupportsIndex | str]
    gmail: Text
    has_attachment: bool


@dataclass(frozen=True, slots=True, repr=False)
class _Fields:
    """The value of ``header``: a dict that is hashable, and reads as one."""

    items: tuple[tuple[str, object], ...]

    def __repr__(self) -> str:
        return repr(dict(self.items))


def _freeze(value: object) -> object:
    """Make a value hashable; numpy's strings and integers become Python's, series a tuple."""
    match value:
        case str():
            return str(value)
        case bool() | bytes() | Mapping():
            return value
        case AbstractSet():
            return tuple(sorted(map(_freeze, value), key=repr))
        case Iterable():
            return tuple(map(_freeze, value))
        case SupportsIndex():
            return operator.index(value)
    return value


def _freeze_fields(value: object) -> object:
    if isinstance(value, Mapping):
        return _Fields(tuple((name, _freeze(wanted)) for name, wanted in value.items()))
    return _freeze(value)


def _freeze_uids(value: object) -> object:
    """Join UIDs and ranges to one set: of thousands of UIDs, a few ranges remain."""
    if isinstance(value, range):
        return str(UidSet.of(value)) if value else ()
    frozen = _freeze(value)
    uids = frozen if isinstance(frozen, tuple) else (frozen,)
    numbers = [uid for uid in uids if isinstance(uid, int) and not isinstance(uid, bool)]
    texts = [uid for uid in uids if isinstance(uid, str)]
    if len(numbers) + len(texts) < len(uids):
        return frozen  # something else is among them: `Condition.tree` says so
    return ",".join([*([str(UidSet.of(numbers))] if numbers else []), *texts]) or ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What one keyword argument of ``Q`` means.

    Attributes
    ----------
    accepts
        What may be given, for errors.
    node
        Turns one value into a tree, given the present time; None for what it does not accept.
    freeze
        Makes what was given immutable and hashable; several values become a tuple.
    """

    accepts: str
    node: Callable[[object, datetime], Node | None]
    freeze: Callable[[object], object] = _freeze

    def tree(self, name: str, value: object, now: datetime) -> Node:
        """Turn a frozen value into a tree; of several, any will do.

        Raises
        ------
        QueryError
            When the value cannot be asked for.
        """
        values = value if isinstance(value, tuple) else (value,)
        nodes = [node for each in values if (node := self.node(each, now)) is not None]
        if not values or len(nodes) < len(values):
            why = "cannot be asked" if values else "names nothing, so no message could match"
            raise QueryError(
                f"Q({name}={clip(repr(value))}) {why}.", suggestion=f"{name} takes {self.accepts}."
            )
        return any_of(nodes)


def _text(key: str) -> Condition:
    return Condition(
        "text that is not empty, or a list of texts (any of them)",
        lambda value, _now: Key(key, (value,)) if isinstance(value, str) and value else None,
    )


def _flag(key: str) -> Condition:
    nodes = {True: Key(key), False: Key(f"UN{key}")}
    return Condition(
        "True or False",
        lambda value, _now: nodes[value] if isinstance(value, bool) else None,
    )


def _time(
    key: str, field: Literal["internal", "sent"], op: Literal["since", "before"]
) -> Condition:
    def node(value: object, now: datetime) -> Node | None:
        match read_time(value, now):
            case datetime() as moment:
                return Instant(field, op, moment)
            case date() as day:
                return Key(key, (day,))
        return None

    return Condition(
        'a day (date, "2026-01-31", "31-Jan-2026"), a moment (datetime, "2026-01-31T10:00+02:00") '
        'or an age ("12h", "30d", "2w", "6m" for months, "1y", a timedelta from zero up)',
        node,
    )


def _day(key: str) -> Condition:
    def node(value: object, now: datetime) -> Node | None:
        day = read_time(value, now)
        return None if day is None or isinstance(day, datetime) else Key(key, (day,))

    return Condition(
        'a whole day: a date, "2026-01-31" or "31-Jan-2026". '
        "For a moment, an age or a span use since and before (sent_since and sent_before)",
        node,
    )


_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(?:([kmg])(i?))?b?", re.IGNORECASE)


def _bytes(value: object) -> int | None:
    """Read a size: kB, MB and GB are powers of 1000; KiB, MiB and GiB of 1024 (IEC 80000-13)."""
    if isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        number, prefix, binary = found.groups(default="")
        return int(
            Fraction(number) * (1024 if binary else 1000) ** " kmg".index(prefix.lower() or " ")
        )
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _size(key: str) -> Condition:
    def node(value: object, _now: datetime) -> Node | None:
        size = _bytes(value)
        return None if size is None else Key(key, (size,))

    return Condition(
        'bytes as an int, or text: "500 kB" (a kB is 1000 bytes), "1.5MiB" (a MiB is 1024 * 1024)',
        node,
    )


def _field(name: str, wanted: object) -> Node | None:
    """Look at one header field: present, absent, or holding a text."""
    present = Key("HEADER", (name, ""))
    match wanted:
        case True:
            return present
        case False:
            return negate(present)
        case str():
            return Key("HEADER", (name, wanted))
        case (_, *_):
            nodes = [node for each in wanted if (node := _field(name, each)) is not None]
            return any_of(nodes) if len(nodes) == len(wanted) else None
    return None


def _header(value: object, _now: datetime) -> Node | None:
    fields = value.items if isinstance(value, _Fields) else ()
    nodes = [node for name, wanted in fields if (node := _field(name, wanted)) is not None]
    return all_of(nodes) if nodes and len(nodes) == len(fields) else None


def _keyword(value: object, _now: datetime) -> Node | None:
    return Key("KEYWORD", (Atom(value),)) if isinstance(value, str) else None


def _uid(value: object, _now: datetime) -> Node | None:
    return Key("UID", (UidSet(value),)) if isinstance(value, str) else None


def _has_attachment(value: object, _now: datetime) -> Node | None:
    if not isinstance(value, bool):
        return None
    return HasAttachment() if value else negate(HasAttachment())


CONDITIONS: Mapping[str, Condition] = {
    "from_": _text("FROM"),
    "to": _text("TO"),
    "cc": _text("CC"),
    "bcc": _text("BCC"),
    "subject": _text("SUBJECT"),
    "body": _text("BODY"),
    "text": _text("TEXT"),
    "header": Condition(
        'a dict such as {"List-Id": "pandas"}; a text, a list of texts (any of them), True (the '
        "field is there) or False (it is not) for each field, all of which must match",
        _header,
        _freeze_fields,
    ),
    "since": _time("SINCE", "internal", "since"),
    "before": _time("BEFORE", "internal", "before"),
    "on": _day("ON"),
    "sent_since": _time("SENTSINCE", "sent", "since"),
    "sent_before": _time("SENTBEFORE", "sent", "before"),
    "sent_on": _day("SENTON"),
    "seen": _flag("SEEN"),
    "answered": _flag("ANSWERED"),
    "flagged": _flag("FLAGGED"),
    "draft": _flag("DRAFT"),
    "deleted": _flag("DELETED"),
    "keyword": Condition('a keyword such as "$Junk", or a list (any of them)', _keyword),
    "larger": _size("LARGER"),
    "smaller": _size("SMALLER"),
    "uid": Condition(
        'a UID, a range such as "1:500", a Python range, or a list of those', _uid, _freeze_uids
    ),
    "gmail": _text("X-GM-RAW"),
    "has_attachment": Condition("True or False", _has_attachment),
}
"""The keyword arguments of ``Q``, in the order in which they are shown and sent."""

# What people write for a condition that has another name here.
_MEANT = {
    "after": "since",
    "attachment": "has_attachment",
    "attachments": "has_attachment",
    "date": "on",
    "label": "gmail='label:…'",
    "newer": "since",
    "older": "before",
    "read": "seen=True",
    "recipient": "to",
    "sender": "from_",
    "size": "larger or smaller",
    "unanswered": "answered=False",
    "unread": "seen=False",
    "unseen": "seen=False",
    "until": "before",
}


def unknown_condition(name: str) -> QueryError:
    """Say what was probably meant by a name that is no condition."""
    near = get_close_matches(name, (*CONDITIONS, *_MEANT), n=1)
    meant = [_MEANT.get(match, match) for match in near]
    hint = f"Did you mean {meant[0]}? " if meant else ""
    return QueryError(
        f"Q has no condition {clip(ascii(name))}.",
        suggestion=f"{hint}It has {', '.join(CONDITIONS)}.",
    )
