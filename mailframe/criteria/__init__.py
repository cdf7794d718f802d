"""Which messages are wanted: ``Q``, SEARCH strings and imap-tools objects become one tree.

::

    keys.py        the search keys, what follows each and which capability it needs
    tree.py        the nodes: And, Or, Not, Key, HasAttachment, Instant, Contains
    dates.py       days, moments and ages
    grammar.py     a SEARCH string (RFC 3501 section 6.4.4) -> a tree
    conditions.py  one condition of a Q -> a tree
    query.py       Q; whatever a user hands in -> a tree
    bounds.py      a tree -> the wider or narrower one that a server can decide
    local.py       what is then left to decide, message by message
    folding.py     how text is compared
    matching.py    deciding a whole tree for a message that no server searches

Nothing here talks to a server, and nothing that can be built here breaks a command: every node
checks itself when it is made.
"""

from mailframe.criteria.bounds import lower, upper
from mailframe.criteria.dates import imap_date
from mailframe.criteria.grammar import parse_search
from mailframe.criteria.keys import SEQUENCE, Arg, Atom, UidSet, capability_needed
from mailframe.criteria.local import (
    Facts,
    decide,
    exact_subtrees,
    is_exact,
    needs,
    remainder,
)
from mailframe.criteria.matching import Candidate, Mailbox, matches, supported
from mailframe.criteria.query import Q, to_tree
from mailframe.criteria.tree import (
    ALL,
    NOTHING,
    SEARCHABLE,
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
    walk,
)

__all__ = [
    "ALL",
    "NOTHING",
    "SEARCHABLE",
    "SEQUENCE",
    "And",
    "Arg",
    "Atom",
    "Candidate",
    "Contains",
    "Facts",
    "HasAttachment",
    "Instant",
    "Key",
    "Mailbox",
    "Node",
    "Not",
    "Or",
    "Q",
    "UidSet",
    "all_of",
    "any_of",
    "capability_needed",
    "decide",
    "exact_subtrees",
    "imap_date",
    "is_exact",
    "lower",
    "matches",
    "needs",
    "negate",
    "parse_search",
    "remainder",
    "supported",
    "to_tree",
    "upper",
    "walk",
]
