"""The nearest trees that a server can decide, above and below one that it cannot.

SEARCH compares days as the server writes them, the zone ignored (RFC 3501 section 6.4.4). Zones
lie within 14 hours of UTC, so a server's day is at most one away from the day in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, timedelta

from mailframe.criteria.tree import (
    ALL,
    NOTHING,
    And,
    Contains,
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

__all__ = ["lower", "upper"]

_KEYS = {
    ("internal", "since"): "SINCE",
    ("internal", "before"): "BEFORE",
    ("sent", "since"): "SENTSINCE",
    ("sent", "before"): "SENTBEFORE",
}
# Days from the moment's own day in UTC. With a moment on day d, any time since it lies on a server
# day >= d - 1 and any time before it on one < d + 2; every time on a server day >= d + 2 is since
# it, and every time on one < d - 1 before it.
_WIDER = {"since": -1, "before": 2}
_NARROWER = {"since": 2, "before": -1}


def upper(node: Node) -> Node:
    """Return a tree that the server can decide and that misses no message of this one.

    Parameters
    ----------
    node
        Any tree.

    Returns
    -------
    Node
        Of `Key`, `And`, `Or` and `Not` alone; `NOTHING` when no message can match.

    Examples
    --------
    >>> upper(all_of([Key("SEEN"), HasAttachment()]))
    Key(name='SEEN', args=())
    """
    return _bound(node, wide=True)


def lower(node: Node) -> Node:
    """Return a tree that the server can decide and whose every message is one of this tree.

    Parameters
    ----------
    node
        Any tree.

    Returns
    -------
    Node
        Of `Key`, `And`, `Or` and `Not` alone; `NOTHING` when the server can be sure of no message.
    """
    return _bound(node, wide=False)


def _bound(node: Node, *, wide: bool) -> Node:  # noqa: PLR0911 one for each kind of node
    match node:
        case And(children):
            return all_of(_bound(child, wide=wide) for child in children)
        case Or(children):
            return any_of(_bound(child, wide=wide) for child in children)
        case Not(child):
            return negate(_bound(child, wide=not wide))
        case HasAttachment():
            return ALL if wide else NOTHING
        case Instant():
            return _days(node, wide=wide)
        case Contains():
            return _ascii(node) if wide else NOTHING
        case Key():
            return node


def _ascii(node: Contains) -> Node:
    """Ask for the longest word in ASCII: a whole one, because some servers look only for such."""
    words = [word for word in node.words.split() if word.isascii() and word.isalnum()]
    if not words:
        return ALL
    return Key(node.key.name, (*node.key.args[:-1], max(words, key=len)))


def _days(instant: Instant, *, wide: bool) -> Node:
    if instant.field == "sent" and not wide:
        # No server can be sure. What it makes of a Date that is missing or unreadable is its own
        # affair (1970, the INTERNALDATE, no match), while here such mail is never since or before.
        return NOTHING
    day = _shift(instant, (_WIDER if wide else _NARROWER)[instant.op])
    if day is None:
        return ALL if wide else NOTHING
    return Key(_KEYS[instant.field, instant.op], (day,))


def _shift(instant: Instant, days: int) -> date | None:
    try:
        return instant.moment.astimezone(UTC).date() + timedelta(days=days)
    except OverflowError:  # before the year 1 or after 9999: no such day to ask for
        return None
