r"""Server replies: bytes -> values (RFC 3501 sections 7 and 9).

A reply is framed by ``wire`` as *segments*: text, literal, text, literal, …, text. Here it becomes
nested lists of tokens. Atoms, quoted strings and literals are ``bytes``, NIL is ``None``, and a
parenthesised list is a ``list``; within a BODYSTRUCTURE read the fast way strings are ``str`` and
numbers ``int``.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mailframe.exceptions import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "Fetched",
    "Reply",
    "Token",
    "Unread",
    "parse_fetch",
    "parse_number",
    "parse_reply",
    "parse_tokens",
    "split_code",
]

Token: TypeAlias = "bytes | str | int | list[Token] | None"  # noqa: S105 a word of the protocol
Fetched: TypeAlias = "dict[str, Token]"

# In order of frequency within a BODYSTRUCTURE. A section (BODY[HEADER.FIELDS (FROM TO)]) is one
# token, spaces and parentheses included. A quoted string may hold 8-bit bytes: servers send them.
_TOKEN = re.compile(
    rb'"((?:[^"\\]|\\.)*)"'  # 1 quoted string
    rb"|(\()|(\))"  # 2 and 3 parentheses
    rb"|((?i:BODY|BINARY)(?:\.[A-Za-z]+)?\[[^\]]*\](?:<\d+>)?)"  # 4 section
    rb"|~?\{\d+\+?\}\Z"  # a literal follows as the next segment
    rb'|([^\s()"]+)',  # 5 atom, number, flag, NIL
    re.DOTALL,
)
# One item of a FETCH reply and its value, where that is a number, a word, a list of words, a string
# or a literal. What is left of the text is a structure, or unusual.
_ITEM = re.compile(
    rb" ?(?!(?i:NIL) )([A-Za-z][\w.-]*(?:\[[^\]]*\](?:<\d+>)?)?) "
    rb'(?:"([^"\\]*)"|\(([^()"]*)\)|(?!(?i:NIL)[ )])([^\s()"{~\[\]]+)|~?\{\d+\+?\}\Z)',
)
# The items that are asked for first, in that order: what a server answers that keeps to it.
_HEAD = re.compile(
    rb"\(UID (\d+) FLAGS \(((?![^)]*(?i:NIL))[^()\"]*)\) INTERNALDATE "
    rb'"([^"\\]*)" RFC822\.SIZE (\d+)(?=[ )])'
)
_ITEM_STRING, _ITEM_WORDS, _ITEM_WORD = 2, 3, 4  # groups of that pattern
# As the last item. In what is no string, only NIL may stand between lists: another word would be
# the next item.
_STRUCTURE = re.compile(
    rb" ?BODYSTRUCTURE (\((?!.*\) (?:NIL )*(?!NIL[ )])[A-Za-z]).*\))", re.DOTALL
)
_OUTSIDE = re.compile(r"[() 0-9NIL\0]*")
_TO_JSON = str.maketrans("() ", "[],")
_JSON = json.JSONDecoder(strict=False)
_STRING, _OPEN, _CLOSE = 1, 2, 3  # groups of that pattern
_FETCH_WORDS = 4  # "*", number, FETCH, and what it says
_DIGITS = 19  # those of 2**63; Python refuses to read thousands
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(r"(BODY|BINARY)(?:\.PEEK)?\[([^\]\s(]*)[^\]]*\](<\d+>)?")

# RFC 5530 and RFC 3501 section 7.1: "[" code SP arguments "]" SP text
_CODE = re.compile(rb"\[([^\s\]]+)(?: ([^\]]*))?\] ?(.*)", re.DOTALL)


class Reply(NamedTuple):  # made once a message: a third of a dataclass' time
    """One reply of the server.

    Attributes
    ----------
    tag
        The command it completes; ``b"*"`` for untagged data, ``b"+"`` for a continuation.
    kind
        The first word in upper case: ``OK``, ``FETCH``, ``SEARCH``, … ``""`` for a continuation.
    number
        The message number or count in front of it (``* 12 EXISTS``); None without.
    segments
        What follows: text, literal, text, …
    """

    tag: bytes
    kind: str
    number: int | None
    segments: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """What follows the kind, for replies without literals."""
        return self.segments[0]

    @property
    def tokens(self) -> list[Token]:
        """What follows the kind, as nested lists."""
        return parse_tokens(self.segments)


def parse_reply(segments: Sequence[bytes]) -> Reply:
    """Read the head of a reply; what follows is read when it is needed.

    Parameters
    ----------
    segments
        Text, literal, text, … without the final CRLF.

    Raises
    ------
    ProtocolError
        If it is neither tagged, untagged nor a continuation.
    """
    head = segments[0]
    if head.startswith(b"* "):  # nearly always a message, in two thirds of the time
        words = head.split(b" ", _FETCH_WORDS - 1)
        if len(words) == _FETCH_WORDS and words[2] == b"FETCH":
            number = parse_number(words[1])
            if number is not None:
                return Reply(b"*", "FETCH", number, (words[3], *segments[1:]))
    if head[:1] == b"+":
        return Reply(b"+", "", None, (head[2:], *segments[1:]))
    tag, _, rest = head.partition(b" ")
    word, _, text = rest.partition(b" ")
    number = None
    if tag == b"*" and word.isdigit():
        number = parse_number(word)
        if number is None:
            raise ProtocolError("The server sent an absurd number.", reply=repr(head[:200]))
        word, _, text = text.partition(b" ")
    if not tag or not word.strip():
        raise ProtocolError("The server sent a line that is not IMAP.", reply=repr(head[:200]))
    return Reply(tag, word.decode("ascii", "replace").upper(), number, (text, *segments[1:]))


def parse_number(raw: bytes) -> int | None:
    """Read a number (RFC 3501 section 9, RFC 9051 "number64"); None for anything else.

    Examples
    --------
    >>> parse_number(b"4286"), parse_number(b"4k")
    (4286, None)
    """
    return int(raw) if len(raw) <= _DIGITS and raw.isdigit() else None


def parse_tokens(segments: Sequence[bytes]) -> list[Token]:
    """Read text and literals as nested lists.

    Parameters
    ----------
    segments
        Text, literal, text, …; every text but the last ends with its literal's ``{length}``.

    Returns
    -------
    list
        ``bytes`` for atoms, strings and literals, None for NIL, lists for lists.

    Raises
    ------
    ProtocolError
        If parentheses do not match, a string does not end, or a literal is missing.
    """
    top: list[Token] = []
    here = top
    stack: list[list[Token]] = []
    for token, kind in _lex(segments):
        if kind == _OPEN:
            stack.append(here)
            inner: list[Token] = []
            here.append(inner)
            here = inner
        elif kind == _CLOSE:
            if not stack:
                raise _unreadable(segments, "one parenthesis too many")
            here = stack.pop()
        else:
            here.append(token)
    if stack:
        raise _unreadable(segments, "a parenthesis is not closed")
    return top


def _lex(segments: Sequence[bytes]) -> Iterator[tuple[bytes | None, int]]:
    for place, segment in enumerate(segments):
        if place % 2:
            yield segment, _STRING
            continue
        position = 0
        for match in _TOKEN.finditer(segment):
            # Only white space may be skipped: anything else is a string that does not end.
            if match.start() != position and segment[position : match.start()].strip():
                raise _unreadable(segments, "a string does not end")
            position = match.end()
            kind = match.lastindex
            if kind == _STRING:
                value = match[1]
                yield _QUOTED_PAIR.sub(rb"\1", value) if b"\\" in value else value, kind
            elif kind is None:
                if place == len(segments) - 1:
                    raise _unreadable(segments, "a literal is missing")
            else:
                atom = match[kind]
                yield (None if atom.upper() == b"NIL" else atom), kind
        if segment[position:].strip():
            raise _unreadable(segments, "a string does not end")


def parse_fetch(reply: Reply) -> Fetched:
    """Read the items of a FETCH reply (RFC 3501 section 7.4.2).

    Parameters
    ----------
    reply
        ``* n FETCH (...)``.

    Returns
    -------
    dict
        Item name in upper case -> value. Section names are brought to one form, because servers
        quote, reorder and change the case of the field names they were sent:
        ``BODY[HEADER.FIELDS]``, ``BODY[1.2]``, ``BODY[]<0>``.

    Raises
    ------
    ProtocolError
        If it is not a list of names and values.
    """
    return _ordinary_items(reply.segments) or _unusual_items(reply.segments)


def _ordinary_items(segments: Sequence[bytes]) -> Fetched | None:  # noqa: C901, PLR0912 one way a value
    """Read the items of nearly every reply, three times as fast; None for an unusual one."""
    if segments[0][:1] != b"(" or segments[-1][-1:] != b")":
        return None
    items: Fetched = {}
    for place in range(0, len(segments), 2):
        text = segments[place]
        is_last = place == len(segments) - 1
        position, end = 0 if place else 1, len(text) - is_last
        if not place and (head := _HEAD.match(text)) is not None:
            uid, flags, date, size = head.groups()
            items["UID"], items["FLAGS"] = uid, list(flags.split())
            items["INTERNALDATE"], items["RFC822.SIZE"] = date, size
            position = head.end()
        while position < end:
            item = _ITEM.match(text, position)
            if item is None:
                break
            position = item.end()
            kind = item.lastindex
            value: Token
            if kind in {_ITEM_STRING, _ITEM_WORD}:
                value = item[kind]
            elif kind == _ITEM_WORDS:
                value = list(item[kind].split())
                if b"NIL" in value or b"nil" in value:
                    return None
            elif is_last:
                return None
            else:
                value = segments[place + 1]
            items[_item_name(item[1])] = value
        if is_last and position < end and (match := _STRUCTURE.fullmatch(text, position, end)):
            if match[1].count(b"(") != match[1].count(b")"):
                return None
            position = end
            items["BODYSTRUCTURE"] = Unread(match[1])
        if position != end:  # behind it when the list's own parenthesis was taken for a value's
            return None
    return items


class Unread(bytes):
    """A structure that nobody has read yet: many need not be, because another looks the same."""

    __slots__ = ()

    def read(self) -> Token:
        """Read it.

        Raises
        ------
        ProtocolError
            If parentheses do not match or a string does not end.
        """
        tree = _quick_structure(self)
        if tree is not None:
            return tree
        tokens = parse_tokens([self])
        if len(tokens) != 1:
            raise _unreadable([self], "a structure is one list")
        return tokens[0]


def _quick_structure(text: bytes) -> list[Token] | None:
    """Read a structure by way of JSON, whose parser is C; None where it has another grammar.

    Lists become arrays, NIL null, blanks commas; what stands in quotes stays as it is.
    """
    if b"\\" in text or b"\0" in text or not text.isascii():
        return None
    pieces = text.decode("ascii").split('"')
    outside = "\0".join(pieces[::2])
    if not _OUTSIDE.fullmatch(outside):
        return None
    outside = outside.translate(_TO_JSON).replace("][", "],[").replace("NIL", "null")
    pieces[::2] = outside.split("\0")
    try:
        tree = _JSON.decode('"'.join(pieces))
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, list) else None


def _unusual_items(segments: Sequence[bytes]) -> Fetched:
    tokens = parse_tokens(segments)
    if len(tokens) != 1 or not isinstance(tokens[0], list):
        raise _unreadable(segments, "FETCH needs one list of items")
    flat = tokens[0]
    if len(flat) % 2:
        raise _unreadable(segments, "an item without a value")
    items: Fetched = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        if not isinstance(name, bytes):
            raise _unreadable(segments, "an item without a name")
        items[_item_name(name)] = value
    return items


def split_code(text: bytes) -> tuple[str, bytes, str]:
    """Split the text of a status reply into code, its arguments and the words for a person.

    Parameters
    ----------
    text
        ``[UIDVALIDITY 17] UIDs valid``, or words alone.

    Returns
    -------
    tuple
        ``("UIDVALIDITY", b"17", "UIDs valid")``; the code is ``""`` where there is none.
    """
    match = _CODE.match(text)
    if match is None:
        return "", b"", text.decode("utf-8", "replace").strip()
    words = match[3].decode("utf-8", "replace").strip()
    return match[1].decode("ascii", "replace").upper(), match[2] or b"", words


@lru_cache(maxsize=256)
def _item_name(raw: bytes) -> str:
    name = raw.decode("ascii", "replace").upper()
    match = _SECTION.fullmatch(name)
    return f"{match[1]}[{match[2]}]{match[3] or ''}" if match else name


def _unreadable(segments: Sequence[bytes], why: str) -> ProtocolError:
    message = f"A reply of the server cannot be read: {why}."
    return ProtocolError(message, reply=repr(b" ".join(segments[::2])[:200]))
