"""SEARCH: its arguments -> a tree, decided message by message (RFC 3501 section 6.4.4).

The tree and what decides it are mailframe's own criteria, the same that search mail in files.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailframe.criteria import (
    NOTHING,
    SEQUENCE,
    Atom,
    Key,
    Mailbox,
    UidSet,
    all_of,
    any_of,
    matches,
    negate,
    supported,
)
from mailframe.criteria.dates import parse_imap_date
from mailframe.criteria.keys import KEYS, Kind
from mailframe.embedded.grammar import Bad, No, decoded
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.files.searchable import Searchable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailframe.criteria import Arg, Node
    from mailframe.embedded.grammar import Cursor
    from mailframe.embedded.store import Message
    from mailframe.embedded.view import View

__all__ = ["Search", "find", "parse_search", "reply"]

_RETURNS = ("MIN", "MAX", "ALL", "COUNT")  # RFC 4731 section 3.1
_CHARSETS = ("US-ASCII", "UTF-8")
_MAX_DEPTH = 100
_MOST_KEYS = 2_000
#: Seconds after which others get a turn while a long search goes on.
_TURN = 0.02


class Search(NamedTuple):
    """A search, read.

    Attributes
    ----------
    tree
        What is wanted.
    returns
        RETURN's options (RFC 4731); None for a plain SEARCH.
    by_modseq
        Whether MODSEQ was asked for: then the reply has one too (RFC 7162 section 3.1.5).
    """

    tree: Node
    returns: frozenset[str] | None
    by_modseq: bool


def parse_search(cursor: Cursor, view: View) -> Search:
    """Read what follows SEARCH.

    Parameters
    ----------
    cursor
        Before the space behind the command's name.
    view
        The mailbox that is searched.

    Raises
    ------
    Bad
        If it cannot be read.
    No
        For a charset that is not known.
    """
    cursor.space()
    returns = None
    if cursor.next_atom() == "RETURN":
        cursor.atom()
        cursor.space()
        returns = frozenset(cursor.several(cursor.atom)) or frozenset({"ALL"})
        if unknown := returns - set(_RETURNS):
            raise Bad(f"Unknown RETURN option {min(unknown)}")
        cursor.space()
    if cursor.next_atom() == "CHARSET":
        cursor.atom()
        cursor.space()
        if decoded(cursor.astring()).upper() not in _CHARSETS:
            raise No("Only these charsets are known", f"BADCHARSET ({' '.join(_CHARSETS)})")
        cursor.space()
    parser = _Parser(cursor, view)
    tree = parser.conjunction(0)
    cursor.end()
    try:
        supported(tree, has_labels=False)
    except NotSupportedError as error:
        raise Bad(error.tried) from error
    return Search(tree, returns, parser.by_modseq)


async def find(tree: Node, view: View, now: datetime) -> list[tuple[int, Message]]:
    """Find messages, with their numbers, ascending; others get their turn meanwhile."""
    mailbox = Mailbox(view.messages[-1].uid if view.messages else 0, len(view.messages), now)
    found = []
    begun = time.monotonic()
    for number, message in enumerate(list(view.messages), 1):
        if matches(tree, Candidate(number, message, view), mailbox):
            found.append((number, message))
        if time.monotonic() - begun > _TURN:
            await asyncio.sleep(0)
            begun = time.monotonic()
    return found


def reply(search: Search, found: Sequence[tuple[int, Message]], tag: str, *, uid: bool) -> bytes:
    """Write the untagged reply.

    Parameters
    ----------
    search
        What was asked.
    found
        Numbers and messages.
    tag
        Of the command: ESEARCH names it (RFC 4466 section 2.6.2).
    uid
        Whether UIDs were asked for.
    """
    numbers = [message.uid if uid else number for number, message in found]
    modseq = b""
    if search.by_modseq and found:
        shown = {"MIN", "MAX"} if search.returns is None else search.returns
        # Of what is told, the highest (RFC 7162 section 3.1.10).
        ends = [found[0][1]] * ("MIN" in shown) + [found[-1][1]] * ("MAX" in shown)
        every = search.returns is None or shown & {"ALL", "COUNT"}
        told = [message for _, message in found] if every else ends
        modseq = b"MODSEQ %d" % max(message.modseq for message in told)
    if search.returns is None:
        words = [b"SEARCH", *(b"%d" % number for number in numbers)]
        return b" ".join([*words, b"(%b)" % modseq] if modseq else words)
    words = [b'ESEARCH (TAG "%b")' % tag.encode("ascii")] + [b"UID"] * uid
    if numbers:
        results = {
            "MIN": b"%d" % numbers[0],
            "MAX": b"%d" % numbers[-1],
            "ALL": str(UidSet.of(numbers)).encode("ascii"),
        }
        words += [
            b"%b %b" % (name.encode(), results[name]) for name in results if name in search.returns
        ]
    if "COUNT" in search.returns:
        words.append(b"COUNT %d" % len(numbers))
    return b" ".join([*words, modseq] if modseq else words)


class _Parser:
    """Reads search keys; the tree checks what it is made of."""

    def __init__(self, cursor: Cursor, view: View) -> None:
        self.cursor = cursor
        self.view = view
        self.by_modseq = False
        self.keys = 0

    def conjunction(self, depth: int) -> Node:
        children = [self.key(depth)]
        while self.cursor.take(b" "):
            children.append(self.key(depth))
        return all_of(children)

    def key(self, depth: int) -> Node:  # noqa: PLR0911 one for each form
        cursor = self.cursor
        self.keys += 1
        if depth > _MAX_DEPTH or self.keys > _MOST_KEYS:
            raise cursor.bad(f"more than {_MOST_KEYS} keys, or {_MAX_DEPTH} in one another")
        if cursor.take(b"("):
            node = self.conjunction(depth + 1)
            cursor.need(b")")
            return node
        name = cursor.next_atom()
        if not name or name[0] in "0123456789":
            return Key(SEQUENCE, (self.numbers(),))
        cursor.atom()
        if name == "NOT":
            cursor.space()
            return negate(self.key(depth + 1))
        if name == "OR":
            return self.alternatives(depth + 1)
        if name == "MODSEQ":
            return self.changed_since()
        if name not in KEYS:
            raise cursor.bad(f"{name} is no search key")
        args = []
        for kind in KEYS[name].args:
            cursor.space()
            args.append(self.argument(kind))
        try:
            return Key(name, tuple(args))
        except QueryError:  # such as words with a line break: nothing has them in one line
            return NOTHING

    def alternatives(self, depth: int) -> Node:
        # n ORs have n + 1 keys wherever they stand: a chain of a thousand needs no recursion.
        children: list[Node] = []
        wanted = 2
        while len(children) < wanted:
            self.cursor.space()
            if self.cursor.next_atom() == "OR":
                self.cursor.atom()
                wanted += 1
            else:
                children.append(self.key(depth))
        return any_of(children)

    def changed_since(self) -> Node:
        """Read MODSEQ, with an optional metadata entry that changes nothing here (RFC 7162)."""
        cursor = self.cursor
        self.by_modseq = True
        cursor.space()
        if cursor.at(b'"'):
            cursor.string()
            cursor.space()
            cursor.atom()  # all, priv or shared
            cursor.space()
        least = cursor.number()
        uids = [one.uid for one in self.view.messages if one.modseq >= least]
        return Key("UID", (UidSet.of(uids),)) if uids else NOTHING

    def argument(self, kind: Kind) -> Arg:
        cursor = self.cursor
        if kind in {Kind.STRING, Kind.FIELD}:
            return cursor.text()
        if kind in {Kind.NUMBER, Kind.POSITIVE}:
            return cursor.number()
        if kind is Kind.UIDS:
            return self.numbers()
        if kind is Kind.DATE:
            text = cursor.text()
            try:
                return parse_imap_date(text)
            except ValueError as error:
                raise cursor.bad(f"{text!a} is no date such as 1-Feb-2026") from error
        keyword = cursor.flag()
        if keyword.startswith("\\"):
            raise cursor.bad(f"{keyword} is no keyword")
        return Atom(keyword)

    def numbers(self) -> UidSet:
        wanted = self.cursor.sequence_set()
        return UidSet(
            ",".join(
                f"{'*' if low is None else low}:{'*' if high is None else high}"
                for low, high in wanted.ranges
            )
        )


class Candidate:
    """A message as criteria see it (`mailframe.criteria.Candidate`)."""

    __slots__ = ("_message", "_searchable", "_view", "number", "uid")

    def __init__(self, number: int, message: Message, view: View) -> None:
        self.number = number
        self.uid = message.uid
        self._message = message
        self._view = view
        self._searchable: Searchable | None = None

    @property
    def flags(self) -> frozenset[str]:
        flags = _lowered(self._message.flags)
        return flags | {"\\recent"} if self.uid in self._view.recent else flags

    @property
    def size(self) -> int:
        return self._message.content.size

    @property
    def internal_date(self) -> datetime:
        return self._message.internal_date

    @property
    def sent_date(self) -> datetime | None:
        return self._message.content.fields.sent_date

    @property
    def has_attachment(self) -> bool:
        return self._whole().has_attachment

    def labels(self) -> Sequence[str]:
        return ()

    def field(self, name: str) -> Sequence[str]:
        return self._message.content.fields.values(name)

    def addresses(self, name: str) -> Sequence[str]:
        return self._whole().addresses(name)

    def header_text(self) -> str:
        return self._whole().header_text()

    def part_headers(self) -> str:
        return self._whole().part_headers()

    def body_text(self) -> str:
        return self._whole().body_text()

    def _whole(self) -> Searchable:
        if self._searchable is None:
            content = self._message.content
            self._searchable = Searchable(
                self.uid,
                self.number,
                content.read,
                flags=self.flags,
                size=0,
                internal_date=self.internal_date,
                read_header=content.read_header,
            )
        return self._searchable


_lowered = lru_cache(maxsize=1024)(lambda flags: frozenset(flag.lower() for flag in flags))
