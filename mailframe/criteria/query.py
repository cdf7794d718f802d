"""``Q``: criteria as Python, and the one door through which all criteria come in."""

from __future__ import annotations

from collections import UserString
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NoReturn

from mailframe.criteria.conditions import CONDITIONS, unknown_condition
from mailframe.criteria.grammar import parse_search
from mailframe.criteria.keys import clip
from mailframe.criteria.tree import (
    MAX_DEPTH,
    And,
    HasAttachment,
    Instant,
    Key,
    Node,
    Not,
    Or,
    all_of,
    any_of,
    negate,
)
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from typing import Unpack

    from mailframe.criteria.conditions import Conditions

__all__ = ["Q", "to_tree"]

# Values are tried out when a Q is made; any time will do, ages are counted anew at the call.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Q:
    """Which messages are wanted.

    All conditions of one ``Q`` must match, and a list as a value means any of them. ``&``, ``|``
    and ``~`` are and, or, not. ``Q()`` is every message. A ``Q`` is immutable and hashable.

    Parameters
    ----------
    from_, to, cc, bcc, subject, body, text : str or list of str
        What the field, the body, or either contains, in any case (RFC 3501 section 6.4.4).
    header : dict
        By field name: a text that it contains, a list of texts, True (it is there) or False.
    since, before : date, datetime, timedelta or str
        By the server's INTERNALDATE; ``since`` includes the time given. A date (``"2026-01-31"``,
        ``"31-Jan-2026"``) is the server's day, zone ignored. A datetime
        (``"2026-01-31T10:00+02:00"``) is exact, and local time if naive. An age (``"12h"``,
        ``"30d"``, ``"2w"``, ``"6m"`` for months, ``"1y"``, a timedelta) counts back from the call.
    on : date or str
        The server's day of INTERNALDATE.
    sent_since, sent_before, sent_on
        The same by the sender's Date.
    seen, answered, flagged, draft, deleted : bool
        System flags (RFC 3501 section 2.3.2).
    keyword : str or list of str
        Other flags, such as ``"$Junk"``.
    larger, smaller : int or str
        Size in bytes, exclusive; ``"10k"`` and ``"10 kB"`` are 10,000, ``"10 KiB"`` is 10,240.
    uid : int, str, range or list
        ``7``, ``"1:500"``, ``range(1, 500)``, ``[7, 9, "20:*"]``.
    gmail : str or list of str
        As typed into Gmail's search box (``X-GM-RAW``).
    has_attachment : bool
        Attachments that are not inline.

    Attributes
    ----------
    conditions
        Name and value of each, of a ``Q`` that was not combined.
    operator, operands
        How this one was combined (``"&"``, ``"|"``, ``"~"``) and of which; else empty.
    depth
        How deep it is nested.

    Raises
    ------
    QueryError
        For an unknown condition, or a value that it does not take.

    Examples
    --------
    >>> Q(from_=["alice", "bob"], since="30d") & ~Q(seen=True)
    Q(from_=('alice', 'bob'), since='30d') & ~Q(seen=True)
    >>> Q(larger="1MB").tree(datetime.now(UTC))
    Key(name='LARGER', args=(1000000,))
    """

    conditions: tuple[tuple[str, object], ...]
    operator: Literal["", "&", "|", "~"]
    operands: tuple[Q, ...]
    depth: int = field(compare=False)

    def __init__(self, **conditions: Unpack[Conditions]) -> None:
        for name in conditions:
            if name not in CONDITIONS:
                raise unknown_condition(name)
        # In CONDITIONS' order, so that the order of writing makes no difference.
        frozen = tuple(
            (name, condition.freeze(conditions[name]))  # type: ignore[literal-required] # checked above
            for name, condition in CONDITIONS.items()
            if name in conditions
        )
        for name, value in frozen:
            CONDITIONS[name].tree(name, value, _ANY_TIME)
        _fill(self, frozen, "", ())

    @classmethod
    def _combined(cls, operator: Literal["&", "|", "~"], *operands: Q) -> Q:
        """Combine; what the same operator already joins stays flat."""
        flat = tuple(
            part
            for operand in operands
            for part in (operand.operands if operand.operator == operator else (operand,))
        )
        query = cls.__new__(cls)
        _fill(query, (), operator, flat)
        return query

    def __and__(self, other: object) -> Q:
        return Q._combined("&", self, other) if isinstance(other, Q) else NotImplemented

    def __or__(self, other: object) -> Q:
        return Q._combined("|", self, other) if isinstance(other, Q) else NotImplemented

    def __invert__(self) -> Q:
        return self.operands[0] if self.operator == "~" else Q._combined("~", self)

    def __bool__(self) -> NoReturn:
        # `Q(…) and Q(…)` would silently be the second one.
        raise QueryError(
            "A Q is neither true nor false.",
            suggestion="Combine them with & (and), | (or) and ~ (not), not with and, or, not.",
        )

    def __repr__(self) -> str:
        if not self.operator:
            return f"Q({', '.join(f'{name}={value!r}' for name, value in self.conditions)})"
        # ~ binds closer than &, and & closer than |.
        looser = {"~": "&|", "&": "|", "|": ""}[self.operator]
        parts = [
            f"({part!r})" if part.operator and part.operator in looser else repr(part)
            for part in self.operands
        ]
        return f"~{parts[0]}" if self.operator == "~" else f" {self.operator} ".join(parts)

    def tree(self, now: datetime) -> Node:
        """Turn the query into a tree.

        Parameters
        ----------
        now
            What ages count back from; aware.

        Returns
        -------
        Node
            With every age a moment.

        Raises
        ------
        QueryError
            When an age reaches back before the year 1.
        """
        parts = [part.tree(now) for part in self.operands]
        match self.operator:
            case "~":
                return negate(parts[0])
            case "|":
                return any_of(parts)
            case "&":
                return all_of(parts)
        return all_of(CONDITIONS[name].tree(name, value, now) for name, value in self.conditions)


def _fill(
    query: Q,
    conditions: tuple[tuple[str, object], ...],
    operator: Literal["", "&", "|", "~"],
    operands: tuple[Q, ...],
) -> None:
    """Set the attributes once, by the way around ``frozen`` that dataclasses use themselves."""
    depth = 1 + max((operand.depth for operand in operands), default=0)
    if depth > MAX_DEPTH:
        raise QueryError(
            f"The Q is nested more than {MAX_DEPTH} deep.",
            suggestion="Give a list as a value for any of many: Q(from_=[…]).",
        )
    object.__setattr__(query, "conditions", conditions)
    object.__setattr__(query, "operator", operator)
    object.__setattr__(query, "operands", operands)
    object.__setattr__(query, "depth", depth)


def to_tree(criteria: object, now: datetime) -> Node:
    """Turn whatever a user hands in as criteria into a tree.

    Parameters
    ----------
    criteria
        A SEARCH string, a `Q`, imap-tools' ``AND``, ``OR``, ``NOT``, or a tree made of these.
    now
        What ages count back from; aware.

    Returns
    -------
    Node
        Checked: nothing in it can break a command.

    Raises
    ------
    QueryError
        For criteria that cannot be asked, and for any other type.
    """
    match criteria:
        case Q():
            return criteria.tree(now)
        case And() | Or() | Not() | Key() | HasAttachment() | Instant():
            return criteria
        # imap-tools' operators are UserStrings that hold the SEARCH string they render to.
        case str() | UserString():
            return parse_search(str(criteria))
    raise QueryError(
        f"{clip(repr(criteria))} ({type(criteria).__name__}) cannot be used as criteria.",
        suggestion=(
            'Use a search string ("UNSEEN SINCE 1-Jan-2026"), a Q (Q(from_="alice")), or an AND, '
            "OR or NOT of imap-tools."
        ),
    )
