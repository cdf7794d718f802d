"""A criteria tree -> SEARCH on the wire (RFC 3501 section 6.4.4), and its answer.

What the server cannot decide (``has_attachment``, exact times) is decided here, over a superset
that it can; only the messages that are in doubt are looked at.

Servers have dialects. A BADCHARSET that names another charset gets that one. Exchange and Outlook
take ASCII alone (``NO [BADCHARSET (US-ASCII)]``), some others (Aliyun) no CHARSET at all (``BAD``):
words beyond ASCII are looked for here then. Exchange refuses nested OR (``BAD Command Argument
Error``), Yahoo OR without parentheses, and some refuse it with them: then every part is asked for
by itself, and the answers are combined here. What was learnt is kept in `Connection.quirks`, since
servers hang up on clients that are refused too often.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mailframe.criteria import (
    ALL,
    NOTHING,
    SEARCHABLE,
    SEQUENCE,
    And,
    Contains,
    Facts,
    Key,
    Not,
    Or,
    all_of,
    any_of,
    capability_needed,
    decide,
    exact_subtrees,
    imap_date,
    lower,
    needs,
    negate,
    remainder,
    upper,
    walk,
)
from mailframe.exceptions import ProtocolError, QueryError
from mailframe.imap.messages import read_messages, read_texts
from mailframe.imap.names import quote
from mailframe.imap.responses import parse_number, parse_tokens, split_code
from mailframe.imap.uids import MAX_OCTETS, parse_uid_set
from mailframe.imap.wire import Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailframe.criteria import Arg, Node
    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply
    from mailframe.records import MessageRecord

__all__ = [
    "SIMPLE_ONLY",
    "HowToKnow",
    "check_capabilities",
    "how_to_know",
    "search",
    "search_commands",
    "simple_subtrees",
    "speakable",
]

log = logging.getLogger(__name__)

#: What a connection's ``quirks`` may say.
ASCII_ONLY = "search in ASCII alone"
SIMPLE_ONLY = "search without OR and parentheses"
#: The fields in which TEXT looks where it is decided here, beside the text.
TEXT_FIELDS = {"from", "to", "cc", "bcc", "subject"}
#: Messages in doubt that are looked at together.
BATCH = 500


def search(connection: Connection, tree: Node, limit: int | None = None) -> list[int]:
    """Find messages in the selected folder.

    Parameters
    ----------
    connection
        With the folder selected.
    tree
        What to look for.
    limit
        At most this many, the highest UIDs; None for all.

    Returns
    -------
    list of int
        UIDs, descending.

    Raises
    ------
    QueryError
        If the server refuses the criteria.
    NotSupportedError
        If a key belongs to an extension that the server does not offer.
    """
    check_capabilities(connection, tree)
    try:
        return _find(connection, speakable(connection, tree), limit)
    except _NoCharsetError:
        return _find(connection, speakable(connection, tree), limit)


def check_capabilities(connection: Connection, tree: Node) -> None:
    """Refuse keys of extensions that the server does not offer.

    Parameters
    ----------
    connection
        Says what is offered.
    tree
        What to look for.

    Raises
    ------
    NotSupportedError
        Before anything is sent.
    """
    for node in walk(tree):
        if isinstance(node, Key) and (needed := capability_needed(node.name)):
            connection.require(needed, f"search by {node.name}")


class _NoCharsetError(Exception):
    """The server takes ASCII alone; noted in the connection's ``quirks``."""


def speakable(connection: Connection, tree: Node) -> Node:
    """Leave nothing to a server that takes ASCII alone but what is ASCII.

    Parameters
    ----------
    connection
        Whose ``quirks`` say whether it is such a server.
    tree
        What to look for.
    """
    if ASCII_ONLY not in connection.quirks:
        return tree
    match tree:
        case And(children):
            return all_of(speakable(connection, child) for child in children)
        case Or(children):
            return any_of(speakable(connection, child) for child in children)
        case Not(child):
            return negate(speakable(connection, child))
        case Key() if not "".join(_texts(tree)).isascii():
            return Contains(tree)
        case _:
            return tree


def _find(connection: Connection, tree: Node, limit: int | None) -> list[int]:
    rest = remainder(tree)
    if rest is None:
        return sorted(_ask(connection, tree), reverse=True)[:limit]
    wide = sorted(_ask(connection, upper(tree)), reverse=True)
    sure = set(_ask(connection, lower(tree)))
    answers = {node: set(_ask(connection, node)) for node in exact_subtrees(rest)}
    found: list[int] = []
    for start in range(0, len(wide), BATCH):
        batch = wide[start : start + BATCH]
        doubtful = [uid for uid in batch if uid not in sure]
        facts = _facts(connection, doubtful, needs(rest))
        found += [
            uid
            for uid in batch
            if uid in sure
            or (uid in facts and decide(rest, facts[uid], partial(_holds, answers, uid)))
        ]
        if limit is not None and len(found) >= limit:
            break
    return found[:limit]


def _holds(answers: dict[Node, set[int]], uid: int, node: Node) -> bool:
    return uid in answers[node]


def _facts(connection: Connection, uids: list[int], wanted: frozenset[str]) -> dict[int, Facts]:
    if not uids:
        return {}
    how = how_to_know(wanted)
    records = read_messages(
        connection, uids, headers=how.headers, structure=how.structure, fields=how.fields
    )
    facts = {record.uid: _facts_of(record) for record in records}
    for body in read_texts(connection, list(facts)) if how.texts else ():
        words = facts[body.uid].words
        header = "\n".join(words.values())
        facts[body.uid] = replace(
            facts[body.uid],
            words={**words, "body": body.text or "", "text": f"{header}\n{body.text or ''}"},
        )
    return facts


class HowToKnow(NamedTuple):
    """What to read of messages in doubt: arguments of `read_messages`, and whether the texts."""

    headers: bool
    structure: bool
    fields: tuple[str, ...]
    texts: bool


def how_to_know(wanted: frozenset[str]) -> HowToKnow:
    """Say what must be read to learn facts.

    Parameters
    ----------
    wanted
        Names of `Facts`, from `criteria.needs`.
    """
    structure = "has_attachment" in wanted
    places = {name.partition(":")[2] for name in wanted if name.startswith("words:")}
    in_text = places & {"text", "body"}
    fields = sorted(places - in_text | (TEXT_FIELDS if "text" in places else set()))
    return HowToKnow(
        headers=structure or "sent_date" in wanted,
        structure=structure,
        fields=tuple(fields),
        texts=bool(in_text),
    )


def _facts_of(record: MessageRecord) -> Facts:
    saved = record.attachments
    words: dict[str, str] = {}
    for name, value in record.headers.extra:
        words[name] = f"{words[name]}\n{value}" if name in words else value
    return Facts(
        internal_date=record.internal_date,
        sent_date=record.headers.date,
        has_attachment=None if saved is None else any(not part.inline for part in saved),
        words=words,
    )


def _ask(connection: Connection, tree: Node) -> list[int]:
    """Ask the server for one tree that it can decide."""
    if tree == NOTHING:
        return []
    if SIMPLE_ONLY in connection.quirks and not _is_simple(tree):
        return list(_combined(connection, tree))
    try:
        return _send(connection, tree)
    except QueryError as error:
        return _ask_otherwise(connection, tree, error)


def _ask_otherwise(connection: Connection, tree: Node, error: QueryError) -> list[int]:
    """Find the words that a server understands which has refused ours."""
    if not error.reply:  # it was not asked: too long
        raise error
    texts = "".join(_texts(tree))
    for charset in _offered_charsets(error.reply):
        if _encodes(texts, charset):
            log.warning("the server searches no UTF-8: asking in %s", charset)
            found = _send(connection, tree, charset)
            connection.search_charset = charset
            return found
    if not texts.isascii() and ("BADCHARSET" in error.reply.upper() or _is_simple(tree)):
        if not all(key.name in SEARCHABLE for key in _beyond_ascii(tree)):
            raise error
        log.warning("the server searches ASCII alone: looking for other words in the messages")
        connection.quirks.add(ASCII_ONLY)
        raise _NoCharsetError
    if _is_simple(tree):
        raise error
    log.warning("the server refused this search: asking for its parts, one by one")
    combined = list(_combined(connection, tree))
    connection.quirks.add(SIMPLE_ONLY)
    return combined


def _is_simple(tree: Node) -> bool:
    """Whether a search has neither OR nor parentheses."""
    children = tree.children if isinstance(tree, And) else (tree,)
    return all(
        isinstance(child, Key) or (isinstance(child, Not) and isinstance(child.child, Key))
        for child in children
    )


def _combined(connection: Connection, tree: Node) -> set[int]:
    """Ask for the simple parts of a tree, and combine what was found here."""
    if _is_simple(tree):
        return set(_ask(connection, tree))
    match tree:
        case And(children):
            simple = [child for child in children if _is_simple(child)]
            groups = [child for child in children if not _is_simple(child)]
            found = [_combined(connection, group) for group in groups]
            if simple:
                found.append(set(_ask(connection, all_of(simple))))
            return set.intersection(*found)
        case Or(children):
            return set().union(*(_combined(connection, child) for child in children))
        case Not(child):
            return set(_ask(connection, ALL)) - _combined(connection, child)
        case _:
            raise AssertionError(tree)  # upper() and lower() leave nothing else


def _send(connection: Connection, tree: Node, charset: str | None = None) -> list[int]:
    tried = "The server refused this search."
    found: dict[int, None] = {}
    for pieces in search_commands(connection, tree, charset):
        replies = connection.command(*pieces, tried=tried, error=QueryError, patient=True)
        # Some servers give a long result in several replies.
        found |= dict.fromkeys(uid for reply in replies for uid in _results(reply))
    return list(found)


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
    texts = "".join(_texts(tree))
    if charset is None:
        charset = connection.search_charset
        charset = charset if _encodes(texts, charset) else "UTF-8"
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


def _results(reply: Reply) -> Iterator[int]:
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


def _texts(tree: Node) -> Iterator[str]:
    for node in walk(tree):
        if isinstance(node, Key):
            yield from (arg for arg in node.args if isinstance(arg, str))


def _beyond_ascii(tree: Node) -> Iterator[Key]:
    for node in walk(tree):
        if isinstance(node, Key) and not "".join(_texts(node)).isascii():
            yield node


def simple_subtrees(tree: Node) -> Iterator[Node]:
    """Give the parts that are asked for one by one where a server takes neither OR nor groups.

    Parameters
    ----------
    tree
        Of nodes that a server can decide.
    """
    if _is_simple(tree):
        yield tree
        return
    match tree:
        case And(children):
            for child in children:
                if not _is_simple(child):
                    yield from simple_subtrees(child)
            if simple := [child for child in children if _is_simple(child)]:
                yield all_of(simple)
        case Or(children):
            for child in children:
                yield from simple_subtrees(child)
        case Not(child):
            yield ALL
            yield from simple_subtrees(child)


def _offered_charsets(reply: str) -> Iterable[str]:
    """Read ``[BADCHARSET (US-ASCII ISO-8859-1)]`` (RFC 3501 section 7.1)."""
    code, arguments, _ = split_code(reply.partition(" ")[2].encode())
    if code != "BADCHARSET":
        return ()
    return [name.strip('"') for name in arguments.decode("ascii", "replace").strip("() ").split()]


def _encodes(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
