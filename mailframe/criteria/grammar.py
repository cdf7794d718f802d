"""SEARCH strings -> a tree: the grammar of RFC 3501 section 6.4.4.

Two liberties, because people write these strings: a word needs no quotes (``FROM alice``), and
text may hold any letters (the charset is chosen when it is sent).
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from mailframe.criteria.dates import parse_imap_date
from mailframe.criteria.keys import (
    KEYS,
    SEQUENCE,
    Atom,
    Kind,
    UidSet,
    check_argument,
    check_text,
    clip,
)
from mailframe.criteria.tree import MAX_DEPTH, Key, Node, all_of, any_of, negate
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.criteria.keys import Arg

__all__ = ["parse_search"]

_MAX_LENGTH = 1_000_000  # some 100,000 UIDs one by one
_TOKEN = re.compile(
    r"""\s* (?: (?P<paren>[()]) | "(?P<quoted>(?:[^"\\]|\\["\\])*)" | (?P<word>[^\s()"]+) )""",
    re.VERBOSE,
)
_EXAMPLE = (
    'Examples: ALL, UNSEEN SINCE 1-Jan-2026, OR FROM alice SUBJECT "monthly report" '
    "(OR stands before its two keys)."
)
# What people write where a key belongs, and what to do instead.
_NO_KEYS = {
    "AND": "Leave AND out: keys that stand side by side must all match.",
    "CHARSET": "Leave CHARSET out: mailframe sends it where the text and the server need it.",
    "RETURN": "Leave RETURN out: mailframe asks for the UIDs, and as ranges where it can.",
    "SEARCH": "Give only what comes after SEARCH.",
}
_HINTS = {
    Kind.DATE: 'Q also takes other dates and ages: Q(since="2026-01-31"), Q(since="30d").',
    Kind.STRING: _EXAMPLE,
}


class _Token(NamedTuple):
    kind: str  # "(", ")", "quoted" or "word"
    text: str
    position: int  # in characters from 1

    @property
    def word(self) -> str:
        """In upper case, as keys are spelled; empty for what is no bare word."""
        return self.text.upper() if self.kind == "word" else ""


def parse_search(text: str) -> Node:
    r"""Read a SEARCH string as a tree.

    Parameters
    ----------
    text
        What follows ``SEARCH``: keys of RFC 3501 section 6.4.4 and of the extensions in
        `keys.KEYS`, in any case. Keys side by side must all match; ``OR`` stands before two keys,
        ``NOT`` before one; parentheses make one key of several. In double quotes ``\"`` and
        ``\\`` stand for the character itself.

    Returns
    -------
    Node
        Only of what the server decides.

    Raises
    ------
    QueryError
        For anything else, with the position and what was expected there.

    Examples
    --------
    >>> parse_search("unseen FROM alice")
    And(children=(Key(name='UNSEEN', args=()), Key(name='FROM', args=('alice',))))
    """
    check_text(text)
    if len(text) > _MAX_LENGTH:
        raise QueryError(
            f"The search is {len(text):,} characters long; {_MAX_LENGTH:,} are allowed.",
            suggestion="Write UIDs as ranges (UID 1:4000), or ask in several steps.",
        )
    return _Parser(text).search()


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:  # only a quotation mark can begin what is no token
            start = text.index('"', position) + 1
            raise QueryError(
                f"In the search {clip(text)!r} the string from position {start} cannot be read.",
                suggestion=r'End it with "; inside it write \" for a quote, \\ for a backslash.',
            )
        group = str(found.lastgroup)
        kind = found[group] if group == "paren" else group
        value = re.sub(r"\\(.)", r"\1", found[group]) if group == "quoted" else found[group]
        # A string begins at its quotation mark.
        yield _Token(kind, value, found.start(group) + (group != "quoted"))
        position = found.end()


def _number(text: str) -> int:
    if text.isascii() and text.isdigit():  # int() also takes "+5" and "1_000"
        return int(text)
    raise ValueError(text)


_READ: dict[Kind, Callable[[str], Arg]] = {
    Kind.STRING: str,
    Kind.FIELD: str,
    Kind.DATE: parse_imap_date,
    Kind.NUMBER: _number,
    Kind.POSITIVE: _number,
    Kind.KEYWORD: Atom,
    Kind.OBJECT_ID: Atom,
    Kind.UIDS: UidSet,
}


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.index = 0
        # The last argument's key and place if it was a bare word: perhaps the first of several.
        self.bare: tuple[str, int] | None = None

    def search(self) -> Node:
        node = self.conjunction(depth=0)
        if token := self.peek():
            raise self.error(token, "closes a parenthesis that was never opened")
        return node

    def conjunction(self, depth: int) -> Node:
        children = [self.key(depth)]
        while (token := self.peek()) and token.kind != ")":
            children.append(self.key(depth))
        return all_of(children)

    def key(self, depth: int) -> Node:
        token = self.take("a search key", _EXAMPLE)
        if depth > MAX_DEPTH:
            raise self.error(token, f"is nested more than {MAX_DEPTH} deep")
        if token.kind == "(":
            node = self.conjunction(depth + 1)
            self.take("a closing parenthesis")
            return node
        if token.kind != "word":
            raise self.error(token, "stands where a search key is expected", _EXAMPLE)
        if token.word == "NOT":
            return negate(self.key(depth + 1))
        if token.word == "OR":
            return self.alternatives(depth + 1)
        return self.plain_key(token)

    def alternatives(self, depth: int) -> Node:
        # A chain of n ORs has n + 1 keys wherever the ORs stand, so that it needs no recursion:
        # imap-tools writes a list of 1,000 addresses as 999 ORs and then the addresses.
        children: list[Node] = []
        wanted = 2
        while len(children) < wanted:
            if (token := self.peek()) and token.word == "OR":
                self.index += 1
                wanted += 1
            else:
                children.append(self.key(depth))
        return any_of(children)

    def plain_key(self, token: _Token) -> Node:
        if token.word in KEYS:
            self.bare = None
            name = token.word
            return Key(name, tuple(self.argument(name, kind) for kind in KEYS[name].args))
        try:
            return Key(SEQUENCE, (UidSet(token.text),))
        except QueryError:
            raise self.unknown(token) from None

    def argument(self, name: str, kind: Kind) -> Arg:
        token = self.take(f"{kind.value} for {name}")
        complaint = f"follows {name}, which expects {kind.value}"
        hint = _HINTS.get(kind, "")
        if token.kind in "()":
            raise self.error(token, complaint, hint)
        try:
            value = _READ[kind](token.text)
            check_argument(name, kind, value)
        except QueryError as refused:  # by Atom, UidSet or check_argument, which cannot say where
            raise self.error(token, complaint, hint or refused.suggestion) from None
        except ValueError:
            raise self.error(token, complaint, hint) from None
        is_bare = kind is Kind.STRING and token.kind == "word"
        self.bare = (name, self.index - 1) if is_bare else None
        return value

    def peek(self) -> _Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def take(self, expected: str, suggestion: str = "") -> _Token:
        token = self.peek()
        if token is None:
            raise QueryError(
                f"The search {clip(self.text)!r} ends at position {len(self.text) + 1}, where "
                f"{expected} is expected.",
                suggestion=suggestion,
            )
        self.index += 1
        return token

    def error(self, token: _Token, complaint: str, suggestion: str = "") -> QueryError:
        return QueryError(
            f"The search {clip(self.text)!r} cannot be read at position {token.position}: "
            f"{clip(token.text)!r} {complaint}.",
            suggestion=suggestion,
        )

    def unknown(self, token: _Token) -> QueryError:
        hints = [_NO_KEYS[token.word]] if token.word in _NO_KEYS else []
        if near := get_close_matches(token.word, (*KEYS, "NOT", "OR"), n=1, cutoff=0.7):
            hints.append(f"Did you mean {near[0]}?")
        if self.bare and self.bare[1] == self.index - 2:
            hints.append(f"Text of several words goes in quotes: did you mean {self.quoted()}?")
        return self.error(token, "is not a search key", " ".join(hints) or _EXAMPLE)

    def quoted(self) -> str:
        """Write the bare word, what follows it and all up to the next key as one string."""
        name, first = self.bare or ("", 0)
        words = [token.text for token in self.tokens[first : self.index]]
        for token in self.tokens[self.index :]:
            if token.kind != "word" or token.word in {*KEYS, "NOT", "OR"}:
                break
            words.append(token.text)
        return f'{name} "{clip(" ".join(words))}"'
