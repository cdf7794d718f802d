"""FETCH: the items that are asked for, and what each is of a message (RFC 3501 section 7.4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.embedded.content import header_of
from mailframe.embedded.entities import find_entities
from mailframe.embedded.grammar import No
from mailframe.embedded.sections import Section, content_of, header_content, partial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mailframe.embedded.content import Content
    from mailframe.embedded.entities import Entity
    from mailframe.embedded.grammar import Cursor
    from mailframe.embedded.store import Message

__all__ = ["Item", "Reader", "flags_of", "parse_items"]

_MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
# What these stood for before there was BODY[…] (RFC 3501 section 6.4.5).
_OLD = {
    "RFC822": ("", False),
    "RFC822.HEADER": ("HEADER", True),
    "RFC822.TEXT": ("TEXT", False),
}
_TEXTS = frozenset({"HEADER", "TEXT", "MIME", "HEADER.FIELDS", "HEADER.FIELDS.NOT"})
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MOST_ITEMS = 500
_LONGEST_REPLY = 1 << 28  # of which there is room for four of the largest messages
_FIELD = re.compile(rb"[ -~]*")


class Item(NamedTuple):
    """One data item.

    Attributes
    ----------
    name
        In upper case; ``BODY[]`` with any section.
    section
        Which bytes of the message; None for what is not made of bytes.
    sets_seen
        Whether reading it marks the message as read.
    span
        Of ``<offset.length>``; None for all of it.
    label
        How the reply names it.
    """

    name: str
    section: Section | None = None
    sets_seen: bool = False
    span: tuple[int, int] | None = None
    label: bytes = b""


def parse_items(cursor: Cursor) -> list[Item]:
    """Read what FETCH asks for: a macro, one item, or a list of items."""
    name = cursor.next_atom()
    if name in _MACROS:
        cursor.atom()
        return [Item(each) for each in _MACROS[name]]
    items = list(cursor.one_or_several(lambda: _item(cursor)))
    if not 0 < len(items) <= _MOST_ITEMS:
        raise cursor.bad("no items, or too many, are asked for")
    return list(dict.fromkeys(items))


def _item(cursor: Cursor) -> Item:
    # BODY[ is not an atom's end but the beginning of a section.
    if cursor.at(b"(") or cursor.at(b")"):
        raise cursor.bad("expected an item")
    name = _name(cursor)
    if name in {"BODY", "BODY.PEEK"} and cursor.take(b"["):
        section = _section(cursor)
        cursor.need(b"]")
        span = _span(cursor)
        label = section.label() + (b"<%d>" % span[0] if span else b"")
        return Item("BODY[]", section, name == "BODY", span, label)
    if name in _OLD:
        text, peeks = _OLD[name]
        return Item("BODY[]", Section((), text, ()), not peeks, None, name.encode("ascii"))
    if name != "FLAGS" and name not in _FACTS:
        raise cursor.bad(f"{name} is no item")
    return Item(name)


def _name(cursor: Cursor) -> str:
    # "[" is an atom's character, so BODY[TEXT reads as one word: it is cut here.
    word = cursor.next_atom()
    name = word.partition("[")[0]
    if not name:
        raise cursor.bad("expected an item")
    cursor.position += len(name)
    return name


def _section(cursor: Cursor) -> Section:
    path: list[int] = []
    while cursor.line[cursor.position : cursor.position + 1].isdigit():
        number = cursor.number()
        if number == 0:
            raise cursor.bad("parts are numbered from 1")
        path.append(number)
        if not cursor.take(b"."):
            return Section(tuple(path), "", ())
    if cursor.at(b"]") and not path:
        return Section((), "", ())
    text = cursor.atom()
    if text not in _TEXTS or (text == "MIME" and not path):
        raise cursor.bad(f"{text} is no section")
    names: tuple[bytes, ...] = ()
    if text.startswith("HEADER.FIELDS"):
        cursor.space()
        names = tuple(cursor.several(cursor.astring))
        # They stand in the reply as well, where nothing but printable ASCII has a place.
        if not names or not all(map(_FIELD.fullmatch, names)):
            raise cursor.bad("no header field is named, or one that cannot be")
    return Section(tuple(path), text, names)


def _span(cursor: Cursor) -> tuple[int, int] | None:
    if not cursor.take(b"<"):
        return None
    start = cursor.number()
    cursor.need(b".")
    length = cursor.number()
    cursor.need(b">")
    if length == 0:
        raise cursor.bad("a partial fetch of nothing")
    return start, length


class Reader:
    """Reads items of messages. The last message read is kept: its parts come one after another."""

    def __init__(self) -> None:
        self._content: Content | None = None
        self._raw = b""
        self._root: Entity | None = None

    def items(self, items: Iterable[Item], message: Message, recent: set[int]) -> bytes:
        """Give items with their names, as they stand in the reply.

        Parameters
        ----------
        items
            What is asked for.
        message
            Of which message.
        recent
            UIDs of the messages that are new to the client.

        Raises
        ------
        No
            If that is too much for one reply, or the message is not there any more.
        """
        words: list[bytes] = []
        room = _LONGEST_REPLY
        for item in items:
            words.append(self._item(item, message, recent))
            room -= len(words[-1])
            if room < 0:
                raise No("That is too much of one message at once", "LIMIT")
        return b" ".join(words)

    def _item(self, item: Item, message: Message, recent: set[int]) -> bytes:
        if item.section is not None:
            return self._bytes(item, item.section, message.content)
        if item.name == "FLAGS":
            return flags_of(message, recent)
        return _FACTS[item.name](message)

    def _bytes(self, item: Item, section: Section, content: Content) -> bytes:
        found = self._section(section, content)
        if found is None:  # no such part: Dovecot says so too
            found = b""
        if item.span:
            found = partial(found, *item.span)
        return b"%b {%d}\r\n%b" % (item.label, len(found), found)

    def _section(self, section: Section, content: Content) -> bytes | None:
        if not section.path and section.text.startswith("HEADER"):
            is_here = content is self._content
            header = header_of(self._raw) if is_here else content.read_header()
            return header_content(header, section)
        if content is not self._content:
            self._content, self._raw, self._root = content, content.read(), None
        if not section.path and not section.text:
            return self._raw
        if self._root is None:
            self._root = find_entities(self._raw)
        return content_of(self._raw, self._root, section)


def flags_of(message: Message, recent: set[int]) -> bytes:
    """Give the FLAGS item of a message."""
    flags: Sequence[str] = sorted(message.flags)
    if message.uid in recent:
        flags = ["\\Recent", *flags]
    return b"FLAGS (%b)" % " ".join(flags).encode("ascii")


def _date_time(moment: datetime) -> bytes:
    # The day has a space where it has one digit; months are English everywhere.
    offset = moment.strftime("%z")[:5] or "+0000"
    clock = moment.strftime("%H:%M:%S")
    day = f"{moment.day:2}-{_MONTHS[moment.month - 1]}-{moment.year:04}"
    return f"{day} {clock} {offset}".encode("ascii")


_FACTS: dict[str, Callable[[Message], bytes]] = {
    "UID": lambda one: b"UID %d" % one.uid,
    "MODSEQ": lambda one: b"MODSEQ (%d)" % one.modseq,
    "RFC822.SIZE": lambda one: b"RFC822.SIZE %d" % one.content.size,
    "INTERNALDATE": lambda one: b'INTERNALDATE "%b"' % _date_time(one.internal_date),
    "ENVELOPE": lambda one: b"ENVELOPE %b" % one.content.envelope,
    "BODY": lambda one: b"BODY %b" % one.content.structures[0],
    "BODYSTRUCTURE": lambda one: b"BODYSTRUCTURE %b" % one.content.structures[1],
}
