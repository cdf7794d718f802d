"""Received fields: the servers a message passed (RFC 5321 section 4.4, RFC 5322 section 3.6.7).

The field was never written as its grammar says, so nothing here asks for the grammar. Comments are
set aside first, because anything may stand in them; what is left falls into clauses (``from``,
``by``, ``via``, ``with``, ``id``, ``for``) and the date behind the last semicolon.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from mailframe.parsing.dates import parse_date
from mailframe.records import Hop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

__all__ = ["parse_hops", "parse_received"]

# Servers write "; id" as well, so a semicolon ends a clause like a keyword.
_CLAUSES = frozenset({"from", "by", "via", "with", "id", "for", ";"})
_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_OUTSIDE = str.maketrans({"(": " ", ")": " ", ";": " ; "})
# \w and not A-Z: RFC 6531 lets hosts have names in any script.
_NAME = re.compile(r"\w(?:[\w.-]*\w)?")
_LONGEST_NAME = 255  # RFC 1035 section 2.3.4
_LONGEST_ADDRESS = 60
_HELO = frozenset({"helo", "ehlo"})
_UNKNOWN = _HELO | {"unknown"}  # what Postfix and qmail write where there is no reverse name
# RFC 3848 and RFC 6531. What follows the letters of a protocol is a program's (SMTPSVC).
_PROTOCOL = re.compile(r"(?:UTF8)?(?:E?SMTP|LMTP)(?:S?A?(?![A-Z])|)|HTTPS?|IMAP|MAPI|POP3?")
_PROTOCOL_WORD = re.compile(r"[A-Z][A-Z0-9.+_-]{0,39}")
# Where a date begins: 21 Nov 1997 09: or Fri Nov 21 09:55
_DATE = re.compile(
    r"(?:[a-z]{3},? +)?\d{1,2}[ -][a-z]{3}[ -]\d{2,4} +\d|[a-z]{3} +[a-z]{3} +\d{1,2} +\d{1,2}:",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_DATE = 120
_LONGEST = 50_000
_TOUCHING = re.compile(r"(?<=\w)\[")  # (unknown[192.0.2.1])
_DOTS = re.compile(r"[.:]")


def _comments(text: str) -> list[tuple[int, int]]:
    """Find the outermost comments (RFC 5322 section 3.2.2); one that is never closed is none."""
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    for mark in _MARK.finditer(text):
        if mark[0] == "(":
            opened.append(mark.start())
        elif mark[0] == ")" and opened:
            start = opened.pop()
            while spans and spans[-1][0] > start:
                spans.pop()
            spans.append((start, mark.end()))
    return spans


def _tokens(text: str) -> tuple[list[str], str]:
    """Split a field into words and comments (with their brackets), and into text without these."""
    tokens: list[str] = []
    bare: list[str] = []
    position = 0
    for start, end in [*_comments(text), (len(text), len(text))]:
        words = text[position:start].translate(_OUTSIDE).split()
        tokens += words
        bare += words
        if start < end:
            tokens.append(text[start:end])
        position = end
    return tokens, " ".join(bare)


def _clauses(tokens: Iterable[str]) -> dict[str, list[str]]:
    """Sort words and comments under the first keyword of each kind."""
    clauses: dict[str, list[str]] = {}
    clause: list[str] = []
    for token in tokens:
        key = token.lower()
        if key in _CLAUSES:
            clause = []
            clauses.setdefault(key, clause)
        else:
            clause.append(token)
    return clauses


def _name(word: str) -> str | None:
    """Read a host's name in lower case; None for what is none, or is only digits."""
    if len(word) > _LONGEST_NAME:
        return None
    word = word.strip("<>,?'\"").removesuffix(".").lower()
    if word in _UNKNOWN or not _NAME.fullmatch(word) or not any(map(str.isalpha, word)):
        return None
    return word


def _address(word: str) -> str | None:
    """Read an IP address without brackets, the ``IPv6:`` of RFC 5321 section 4.1.3 and a port."""
    if len(word) > _LONGEST_ADDRESS or not word.isascii() or not ("." in word or ":" in word):
        return None
    word = word.strip("[]<>,?").lower().removeprefix("ipv6:")
    head, _, port = word.rpartition(":")
    # 1.2.3.4:25 and [1.2.3.4]:25; an IPv6 address has colons of its own.
    if "." in head and ":" not in head and port.isdigit():
        word = head.rstrip("]")
    try:
        ip_address(word)
    except ValueError:
        return None
    return word


def _named(clause: Sequence[str]) -> str | None:
    """Read the host that a clause begins with.

    A word without a dot counts only alone or before a comment: Hotmail writes ``from mail pickup
    service``.
    """
    if not clause or clause[0].startswith("("):
        clause = [token for token in clause if not token.startswith("(")]
    name = _name(clause[0]) if clause else None
    if name and ("." in name or (clause[1:2] and clause[1].startswith("("))):
        return name
    return name if all(map(_address, clause[1:])) else None


def _reverse_name(note: Sequence[str]) -> str | None:
    """Read what the server found for the address: ``host.example [192.0.2.1]``."""
    # Sendmail puts the user in front, as IDENT told it: IDENT:root@host.example
    name = _name(note[0].rpartition("@")[2]) if note else None
    if name and ("." in name or (note[1:2] and note[1].startswith("["))):
        return name
    return None


def _helo(note: Sequence[str]) -> str | None:
    """Read the name that the client gave itself: ``HELO host`` (qmail), ``helo=host`` (Exim)."""
    for place, word in enumerate(note):
        lower = word.lower()
        if lower.startswith(("helo=", "ehlo=")):
            return _name(word[5:])
        if lower in _HELO:
            return _name(note[place + 1]) if place + 1 < len(note) else None
    return None


def _seen_addresses(note: Sequence[str]) -> Iterator[str | None]:
    """Read the addresses in a comment, but not one that the client gave for its name."""
    for before, word in pairwise(["", *note]):
        yield None if before.lower() in _HELO else _address(word.rpartition("@")[2])


def _sender(clause: Sequence[str]) -> str | None:
    words = [token for token in clause if not token.startswith("(")]
    notes = [_TOUCHING.sub(" [", token[1:-1]).split() for token in clause if token.startswith("(")]
    candidates = (
        found
        for group in (
            (_named(clause),),
            map(_reverse_name, notes),
            map(_helo, notes),
            chain.from_iterable(map(_seen_addresses, notes)),
            map(_address, words),
        )
        for found in group
    )
    return next(filter(None, candidates), None)


def _receiver(clause: Sequence[str]) -> str | None:
    words = [token for token in clause if not token.startswith("(")]
    return _named(clause) or (_address(words[0]) if words else None)


def _protocol(clause: Sequence[str]) -> str | None:
    words = [token.upper() for token in clause if not token.startswith("(")]
    if len(words) == 1 and not _PROTOCOL.match(words[0]):
        return words[0] if _PROTOCOL_WORD.fullmatch(words[0]) else None
    # Several words name a program: Microsoft SMTP Server, Internet Mail Service.
    found = next(filter(None, map(_PROTOCOL.match, words)), None)
    if found is None:
        return None
    # CommuniGate's word for it, from before RFC 3848.
    return "ESMTPS" if found.string == "ESMTP-TLS" else found[0]


def _time(bare: str) -> datetime | None:
    _, semicolon, behind = bare.rpartition(";")
    moment = parse_date(behind[:_LONGEST_DATE].strip())[0] if semicolon else None
    if moment is None:
        # Some servers leave the semicolon out, or write a word behind the date.
        tail = bare[-_LONGEST_DATE:]
        for found in _DATE.finditer(tail):
            moment = parse_date(tail[found.start() :].partition(";")[0])[0] or moment
    return moment


def parse_received(value: str) -> Hop:
    """Read one Received field.

    Parameters
    ----------
    value
        The field's value, folded or not. Any text will do: what cannot be read is None.

    Returns
    -------
    Hop
        Hosts in lower case, addresses without brackets.

        ``from_host`` is the first of these that is there:

        1. the word behind ``from``, if it can be a host's name: ``unknown``, an address, a mail
           address and the first of several plain words cannot
        2. the reverse name in a comment, ``(host.example [192.0.2.1])``
        3. the name in a ``HELO`` comment, ``(HELO host.example)`` or ``(helo=host.example)``
        4. the address in a comment, then that behind ``from``

        Behind ``with local`` a plain word is a user, not a host. ``by_host`` is the word behind
        ``by``, a name or an address. ``protocol`` is the word behind ``with``; in the name of a
        program the protocol is looked for (``Microsoft SMTP Server`` is ``SMTP``). ``time`` is the
        date behind the last semicolon outside comments, or at the end without one.

    Examples
    --------
    >>> hop = parse_received(
    ...     "from mail.example.org (unknown [192.0.2.1]) by mx.example.com (Postfix)"
    ...     " with ESMTPS id 4Abc; Mon, 1 Jan 2024 10:00:00 +0100"
    ... )
    >>> hop.from_host, hop.by_host, hop.protocol, hop.time.isoformat()
    ('mail.example.org', 'mx.example.com', 'ESMTPS', '2024-01-01T10:00:00+01:00')
    """
    tokens, bare = _tokens(value if len(value) <= _LONGEST else value[:_LONGEST])
    clauses = _clauses(tokens)
    source: Sequence[str] = clauses.get("from", ())
    if not source and tokens and tokens[0].lower().startswith("(from "):
        source = tokens[0][1:-1].split()[1:]  # virus scanners: (from host [192.0.2.1]) by …
    sender = _sender(source)
    protocol = _protocol(clauses.get("with", ()))
    if protocol == "LOCAL" and sender and sender != "localhost" and not _DOTS.search(sender):
        sender = None
    return Hop(sender, _receiver(clauses.get("by", ())), protocol, _time(bare))


def parse_hops(values: Iterable[str]) -> tuple[Hop, ...]:
    """Read a message's Received fields, the oldest hop first.

    Parameters
    ----------
    values
        As they stand in the header, where every server puts its own on top.

    Returns
    -------
    tuple of Hop
        One for each field, also for one that tells nothing.

    Examples
    --------
    >>> [hop.by_host for hop in parse_hops(["by b.example; x", "by a.example; x"])]
    ['a.example', 'b.example']
    """
    return tuple(parse_received(value) for value in reversed(tuple(values)))
