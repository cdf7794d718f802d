"""The tree that all criteria become: ``And``, ``Or`` and ``Not`` over what can be asked.

``Key`` is decided by the server. ``HasAttachment`` and ``Instant`` are known to no server, and
``Contains`` not to the one that is asked: they are decided here, over the messages that
`bounds.upper` finds. Nodes are immutable, hashable, and
checked when they are made, so a tree never holds anything that must not reach a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from mailframe.criteria.keys import KEYS, check_argument, clip
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mailframe.criteria.keys import Arg

__all__ = [
    "ALL",
    "MAX_DEPTH",
    "NOTHING",
    "SEARCHABLE",
    "And",
    "Contains",
    "HasAttachment",
    "Instant",
    "Key",
    "Node",
    "Not",
    "Or",
    "Undecided",
    "all_of",
    "any_of",
    "negate",
    "walk",
]

MAX_DEPTH = 100
"""How deep criteria may be nested: far above any real search, far below Python's own limit."""


def _check_children(children: tuple[Node, ...]) -> None:
    # "()" is no search key: all_of and any_of write an empty group as ALL or NOTHING.
    if not children:
        message = "A group of criteria must not be empty."
        raise QueryError(message)


@dataclass(frozen=True, slots=True)
class And:
    """Messages that every child matches."""

    children: tuple[Node, ...]

    def __post_init__(self) -> None:
        _check_children(self.children)


@dataclass(frozen=True, slots=True)
class Or:
    """Messages that any child matches."""

    children: tuple[Node, ...]

    def __post_init__(self) -> None:
        _check_children(self.children)


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that the child does not match."""

    child: Node


@dataclass(frozen=True, slots=True)
class Key:
    """One search key, as the server decides it (RFC 3501 section 6.4.4).

    Attributes
    ----------
    name
        In upper case, one of `keys.KEYS`; `keys.SEQUENCE`, which is empty, for a sequence set.
    args
        What follows it; the type of each says how it is written on the wire.

    Raises
    ------
    QueryError
        For an unknown key, or arguments that do not belong to it.
    """

    name: str
    args: tuple[Arg, ...] = ()

    def __post_init__(self) -> None:
        spec = KEYS.get(self.name)
        if spec is None:
            message = f"{clip(ascii(self.name))} is not a search key."
            raise QueryError(message)
        if len(self.args) != len(spec.args):
            message = f"{self.name} takes {len(spec.args)} arguments, not {len(self.args)}."
            raise QueryError(message)
        for kind, arg in zip(spec.args, self.args, strict=True):
            check_argument(self.name, kind, arg)


@dataclass(frozen=True, slots=True)
class HasAttachment:
    """Messages with an attachment that is not inline: seen in BODYSTRUCTURE, not by SEARCH."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Messages from a moment on, or from before it: SEARCH knows only days.

    Attributes
    ----------
    field
        ``"internal"`` for the server's INTERNALDATE, ``"sent"`` for the sender's Date.
    op
        ``"since"`` includes the moment, ``"before"`` does not.
    moment
        Aware.
    """

    field: Literal["internal", "sent"]
    op: Literal["since", "before"]
    moment: datetime

    def __post_init__(self) -> None:
        if self.moment.utcoffset() is None:
            raise QueryError(
                f"The moment {self.moment.isoformat()} has no time zone.",
                suggestion="Use an aware datetime, such as datetime.now(timezone.utc).",
            )


@dataclass(frozen=True, slots=True)
class Contains:
    """Messages with these words, on a server that takes no words but ASCII.

    Attributes
    ----------
    key
        What the server would be asked if it could: one of ``SEARCHABLE``.

    Raises
    ------
    QueryError
        For a key that is decided by the server alone.
    """

    key: Key

    def __post_init__(self) -> None:
        if self.key.name not in SEARCHABLE:
            raise QueryError(f"{self.key.name} cannot be decided but by the server.")

    @property
    def words(self) -> str:
        """What is looked for."""
        return str(self.key.args[-1])

    @property
    def place(self) -> str:
        """Where: ``"text"``, ``"body"``, or the name of a header field in lower case."""
        return str(self.key.args[0] if self.key.name == "HEADER" else self.key.name).lower()


#: Keys that look for words, and can be decided by looking at the message.
SEARCHABLE = frozenset({"FROM", "TO", "CC", "BCC", "SUBJECT", "HEADER", "BODY", "TEXT"})

Node: TypeAlias = And | Or | Not | Key | HasAttachment | Instant | Contains
Undecided: TypeAlias = HasAttachment | Instant | Contains

ALL = Key("ALL")
"""Every message."""

NOTHING = Not(ALL)
"""No message: there is no need to ask."""


def all_of(nodes: Iterable[Node]) -> Node:
    """Join nodes by AND: flat, without repetition, constants folded.

    Examples
    --------
    >>> all_of([ALL, Key("SEEN"), And((Key("SEEN"), Key("DRAFT")))])
    And(children=(Key(name='SEEN', args=()), Key(name='DRAFT', args=())))
    >>> all_of([Key("SEEN"), NOTHING]) == NOTHING
    True
    """
    flat = [c for node in nodes for c in (node.children if isinstance(node, And) else (node,))]
    children = tuple(dict.fromkeys(child for child in flat if child != ALL))
    if NOTHING in children:
        return NOTHING
    if len(children) > 1:
        return And(children)
    return children[0] if children else ALL


def any_of(nodes: Iterable[Node]) -> Node:
    """Join nodes by OR: flat, without repetition, constants folded."""
    flat = [c for node in nodes for c in (node.children if isinstance(node, Or) else (node,))]
    children = tuple(dict.fromkeys(child for child in flat if child != NOTHING))
    if ALL in children:
        return ALL
    if len(children) > 1:
        return Or(children)
    return children[0] if children else NOTHING


def negate(node: Node) -> Node:
    """Negate a node; twice is not at all."""
    return node.child if isinstance(node, Not) else Not(node)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    match node:
        case And(children) | Or(children):
            for child in children:
                yield from walk(child)
        case Not(child):
            yield from walk(child)
