"""What is left to decide once the server has answered, and deciding it message by message.

The server is asked for `bounds.upper`. If the tree is exact, that is the answer. If not, the
`remainder` is decided for each message found: `needs` says which facts to read, `exact_subtrees`
which further searches to send, and `decide` puts both together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailframe.criteria.folding import fold
from mailframe.criteria.tree import (
    ALL,
    NOTHING,
    And,
    Contains,
    Instant,
    Node,
    Not,
    Or,
    Undecided,
    all_of,
    any_of,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

__all__ = ["Facts", "decide", "exact_subtrees", "is_exact", "needs", "remainder"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of a message to decide what no server can.

    Attributes
    ----------
    internal_date, sent_date
        Aware; None where there is none or it cannot be read: neither since nor before anything.
    has_attachment
        None where the structure cannot be read: counts as no.
    words
        By `Contains.place`: the text of that field, or of the message, decoded.
    """

    internal_date: datetime | None = None
    sent_date: datetime | None = None
    has_attachment: bool | None = None
    words: Mapping[str, str] = field(default_factory=dict)


def is_exact(node: Node) -> bool:
    """Say whether the server alone decides a tree."""
    return not any(isinstance(part, Undecided) for part in walk(node))


def remainder(node: Node) -> Node | None:
    """Return what is still to decide for messages that `upper` of a tree has found.

    Parameters
    ----------
    node
        The whole tree.

    Returns
    -------
    Node or None
        Of a conjunction only the children that the server could not decide; None when the server
        decides all.
    """
    if is_exact(node):
        return None
    if isinstance(node, And):
        return all_of(child for child in node.children if not is_exact(child))
    return node


def needs(node: Node) -> frozenset[str]:
    """Name the `Facts` that deciding a tree needs: attribute names of that class.

    Of `Facts.words` its keys are named: ``"words:subject"``.
    """
    return frozenset(_fact(part) for part in walk(node) if isinstance(part, Undecided))


def exact_subtrees(node: Node) -> tuple[Node, ...]:
    """Return the largest parts of a tree that the server decides, each for a search of its own.

    Siblings are asked together: of ``And(a, b, local)`` this is ``And(a, b)``. These are the very
    nodes that `decide` hands to ``holds``.

    Parameters
    ----------
    node
        A `remainder`.

    Returns
    -------
    tuple of Node
        Without repetition, and without `ALL` and `NOTHING`, which need no search.
    """
    return tuple(dict.fromkeys(_exact_parts(node)))


def decide(  # noqa: PLR0911 one for each kind of node
    node: Node, facts: Facts, holds: Callable[[Node], bool]
) -> bool:
    """Decide a tree for one message.

    Parameters
    ----------
    node
        A `remainder`.
    facts
        Those of the message that `needs` names.
    holds
        Says for each of `exact_subtrees` whether the server found this message.

    Returns
    -------
    bool
        True when the message matches.
    """
    if is_exact(node):
        return node == ALL or (node != NOTHING and holds(node))
    match node:
        case And():
            return all(decide(part, facts, holds) for part in _parts(node))
        case Or():
            return any(decide(part, facts, holds) for part in _parts(node))
        case Not(child):
            return not decide(child, facts, holds)
        case Instant(which, op, moment):
            when = facts.internal_date if which == "internal" else facts.sent_date
            return when is not None and (when >= moment) == (op == "since")
        case Contains():
            return fold(node.words) in fold(facts.words.get(node.place, ""))
        case _:
            return bool(facts.has_attachment)


def _parts(group: And | Or) -> tuple[Node, ...]:
    """Split a mixed group: what the server decides in it as one node, then each other child."""
    exact = [child for child in group.children if is_exact(child)]
    mixed = [child for child in group.children if not is_exact(child)]
    join = all_of if isinstance(group, And) else any_of
    return (join(exact), *mixed) if exact else tuple(mixed)


def _exact_parts(node: Node) -> Iterator[Node]:
    if is_exact(node):
        if node not in (ALL, NOTHING):
            yield node
        return
    match node:
        case And() | Or():
            for part in _parts(node):
                yield from _exact_parts(part)
        case Not(child):
            yield from _exact_parts(child)


def _fact(leaf: Undecided) -> str:
    if isinstance(leaf, Contains):
        return f"words:{leaf.place}"
    return f"{leaf.field}_date" if isinstance(leaf, Instant) else "has_attachment"
