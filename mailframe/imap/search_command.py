"""SEARCH itself: a tree -> commands, replies -> UIDs (RFC 3501 sections 6.4.4 and 7.2.5)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mailframe.criteria import SEQUENCE, And, Key, Not, Or, imap_date, walk
from mailframe.exceptions import ProtocolError, QueryError
from mailframe.imap.names import quote
from mailframe.imap.responses import parse_number, parse_tokens
from mailframe.imap.uids import MAX_OCTETS, parse_uid_set
from mailframe.imap.wire import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.criteria import Arg, Node
    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply

__all__ = ["encodes", "results", "search_commands", "texts_of"]


def search_commands(
    connection: Connection, tree: Node, charset: str | None = None
) -> list[tuple[bytes, ...]]:
    """Write a tree as SEARCH; as several, whose results belong together, if it is long.

    Parameters
    ----------
    connection
        Says what may be used.
    tree
        Of nodes that a server can decide.
    charset
        For words beyond ASCII; None for the one that the server was found to take.

    Raises
    ------
    QueryError
        If it is too long and cannot be divided.
    """
    texts = "".join(texts_of(tree))
    if charset is None:
        charset = connection.search_charset
        charset = charset if encodes(texts, charset) else "UTF-8"
    pieces = [b"UID SEARCH "]
    if connection.offers("ESEARCH"):  # RFC 4731: ranges instead of one number a message
        pieces.append(b"RETURN (ALL) ")
    if not texts.isascii():
        # RFC 3501 lets any server refuse any CHARSET, so none is named for ASCII.
        pieces.append(b"CHARSET %b " % charset.encode("ascii"))
    rendered = list(_render(tree, charset, top=True))
    if sum(len(piece) for piece in rendered if not isinstance(piece, Literal)) <= MAX_OCTETS:
        return [(*pieces, *rendered)]
    if isinstance(tree, Or) and len(tree.children) > 1:
        half = len(tree.children) // 2
        halves = (Or(tree.children[:half]), Or(tree.children[half:]))
        return [one for part in halves for one in search_commands(connection, part, charset)]
    raise QueryError(
        "These criteria are too long for one IMAP command (8,000 octets).",
        suggestion="Ask in several calls and join the frames with mf.concat. A frame with the "
        "key columns, given as criteria, may have any number of rows.",
    )


def results(reply: Reply) -> Iterator[int]:
    """Read the UIDs of a SEARCH or ESEARCH reply; of any other none.

    Parameters
    ----------
    reply
        As it came.

    Raises
    ------
    ProtocolError
        If it cannot be read.
    """
    if reply.tag != b"*":
        return
    if reply.kind == "SEARCH":
        for word in reply.text.split():  # "(MODSEQ 17)" may stand at its end (RFC 7162)
            uid = parse_number(word)
            if uid is not None:
                yield uid
    elif reply.kind == "ESEARCH":
        tokens = parse_tokens(reply.segments)
        # (TAG "x") UID ALL 1:5,7: in any order, and no ALL when nothing was found.
        words = [token for token in tokens if isinstance(token, bytes)]
        upper_words = [word.upper() for word in words]
        if b"ALL" in upper_words:
            place = upper_words.index(b"ALL") + 1
            if place == len(words):
                raise ProtocolError("An ESEARCH reply ends before its result.")
            yield from parse_uid_set(words[place])


def _render(node: Node, charset: str, *, top: bool = False) -> Iterator[bytes]:
    match node:
        case Key(name, args):
            if name != SEQUENCE:
                yield name.encode("ascii")
            for place, arg in enumerate(args):
                if place or name != SEQUENCE:
                    yield b" "
                yield from _argument(arg, charset)
        case Not(child):
            yield b"NOT "
            yield from _render(child, charset)
        case And(children):
            yield from () if top else (b"(",)
            for place, child in enumerate(children):
                yield from (b" ",) if place else ()
                yield from _render(child, charset)
            yield from () if top else (b")",)
        case Or((child,)):
            yield from _render(child, charset)
        case Or(children):
            # OR takes two keys; halves keep the nesting shallow. Yahoo wants the parentheses.
            half = len(children) // 2
            yield b"(OR "
            yield from _render(Or(children[:half]), charset)
            yield b" "
            yield from _render(Or(children[half:]), charset)
            yield b")"
        case _:
            raise AssertionError(node)  # upper() and lower() leave nothing else


def _argument(arg: Arg, charset: str) -> tuple[bytes, ...]:
    if isinstance(arg, date):
        return (imap_date(arg).encode("ascii"),)
    if not isinstance(arg, str):
        return (str(arg).encode("ascii"),)
    pieces = quote(arg)
    return pieces if arg.isascii() else (Literal(arg.encode(charset)),)


def texts_of(tree: Node) -> Iterator[str]:
    """Give the texts that are searched for.

    Parameters
    ----------
    tree
        Any.
    """
    for node in walk(tree):
        if isinstance(node, Key):
            yield from (arg for arg in node.args if isinstance(arg, str))


def encodes(text: str, charset: str) -> bool:
    """Whether a text can be written in a charset.

    Parameters
    ----------
    text, charset
        A charset that nobody knows writes nothing.
    """
    try:
        text.encode(charset)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
