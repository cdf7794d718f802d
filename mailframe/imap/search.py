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
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mailframe.criteria import (
    ALL,
    NOTHING,
    SEARCHABLE,
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
    lower,
    needs,
    negate,
    remainder,
    upper,
    walk,
)
from mailframe.exceptions import QueryError
from mailframe.imap.messages import read_messages
from mailframe.imap.responses import split_code
from mailframe.imap.search_command import encodes, results, search_commands, texts_of
from mailframe.imap.texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailframe.criteria import Node
    from mailframe.imap.connection import Connection
    from mailframe.records import MessageRecord

__all__ = [
    "SIMPLE_ONLY",
    "HowToKnow",
    "check_capabilities",
    "how_to_know",
    "search",
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
        case Key() if not "".join(texts_of(tree)).isascii():
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
    texts = "".join(texts_of(tree))
    for charset in _offered_charsets(error.reply):
        if encodes(texts, charset):
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
        found |= dict.fromkeys(uid for reply in replies for uid in results(reply))
    return list(found)


def _beyond_ascii(tree: Node) -> Iterator[Key]:
    for node in walk(tree):
        if isinstance(node, Key) and not "".join(texts_of(node)).isascii():
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
