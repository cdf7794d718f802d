"""Authentication-Results fields: what a server found out about the sender (RFC 8601).

Only those that one's own server wrote can be believed: the others came with the message.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from mailframe.parsing.addresses import comment_end
from mailframe.parsing.words import decode_words
from mailframe.records import AuthenticationResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["parse_authentication_results"]

# One that is never closed goes to the end: looking for it again would take n² steps.
_QUOTED = r'"(?:[^"\\]|\\.|\\\Z)*+(?:"|\Z)'
_OUTSIDE = re.compile(rf"{_QUOTED}|\(", re.DOTALL)
_CLAUSE = re.compile(rf'(?:[^;"]|{_QUOTED})++', re.DOTALL)
_PAIR = re.compile(rf"(?<![\w./-])([\w./-]++)\s*+=\s*+({_QUOTED}\S*+|\S++)", re.DOTALL)
_METHOD = re.compile(r"([A-Za-z][\w-]*+)(?:/\d++)?")
_INSTANCE = re.compile(r"\s*i\s*=\s*\d+\s*")  # RFC 8617 section 4.1.1
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# Some servers leave out the semicolon between two methods; elsewhere such a pair is a property
# without a type, as Microsoft's action=none.
_METHODS = frozenset(
    {
        "arc",
        "auth",
        "bimi",
        "compauth",
        "dara",
        "dkim",
        "dkim-adsp",
        "dkim-atps",
        "dmarc",
        "dnswl",
        "domainkeys",
        "iprev",
        "rrvs",
        "sender-id",
        "smime",
        "spf",
        "vbr",
    }
)

# Nobody needs more, and anybody can send more.
_MOST_FIELDS = 50
_MOST_RESULTS = 200
_LONGEST = 20_000
_LONGEST_VALUE = 1_000
_UNCLOSED = 3  # each comment that is never closed is looked for to the end


def _without_comments(text: str) -> str:
    """Take out comments; what stands in quotes is none (RFC 5322 section 3.2.2)."""
    kept: list[str] = []
    position = unclosed = 0
    while (found := _OUTSIDE.search(text, position)) is not None:
        if found[0] != "(":
            kept.append(text[position : found.end()])
            position = found.end()
            continue
        kept += (text[position : found.start()], " ")
        position = comment_end(text, found.start())
        if position < 0:
            position = found.end()
            unclosed += 1
            if unclosed == _UNCLOSED:
                break
    kept.append(text[position:])
    return "".join(kept)


def _text(value: str) -> str:
    value = value[:_LONGEST_VALUE]
    if len(value) > 1 and value[0] == '"' == value[-1]:
        value = _ESCAPE.sub(r"\1", value[1:-1])
    return decode_words(value)


def _results(authserv_id: str | None, clause: str) -> Iterator[AuthenticationResult]:
    """Read ``method=result reason=… property=value …``."""
    method = result = reason = None
    properties: list[tuple[str, str]] = []
    for name, raw in _PAIR.findall(clause):
        value, key = _text(raw), name.lower()
        if method is None or key in _METHODS:
            if method is not None and result is not None:
                yield AuthenticationResult(authserv_id, method, result, reason, tuple(properties))
            found = _METHOD.fullmatch(key)
            if found is None:  # a property of nothing
                return
            method, result, reason, properties = found[1], value.lower(), None, []
        elif key == "reason":
            reason = value
        else:
            properties.append((key, value))
    if method is not None and result is not None:
        yield AuthenticationResult(authserv_id, method, result, reason, tuple(properties))


def _field(value: str) -> Iterator[AuthenticationResult]:
    bare = _without_comments(value[:_LONGEST].replace("\r", " ").replace("\n", " "))
    clauses = _CLAUSE.findall(bare)
    if clauses and _INSTANCE.fullmatch(clauses[0]):
        del clauses[0]
    if not clauses:
        return
    head, _, rest = clauses[0].strip().partition(" ")
    authserv_id = None
    if "=" not in head:  # Microsoft writes none
        authserv_id = _text(head) or None
        clauses[0] = rest if "=" in rest else ""
    for clause in clauses:
        yield from _results(authserv_id, clause)


def parse_authentication_results(values: Iterable[str]) -> tuple[AuthenticationResult, ...]:
    """Read a message's Authentication-Results or ARC-Authentication-Results fields.

    Parameters
    ----------
    values
        The fields' values, in order. Any text will do: what cannot be read is passed over.

    Returns
    -------
    tuple of AuthenticationResult
        One for each method of each field, without comments; at most 200, of 50 fields.

    Examples
    --------
    >>> [result] = parse_authentication_results(
    ...     ["mx.example.org; dkim=pass (2048 bits; good) header.d=example.com"]
    ... )
    >>> result.method, result.result, result.properties
    ('dkim', 'pass', (('header.d', 'example.com'),))
    """
    found = (result for value in islice(values, _MOST_FIELDS) for result in _field(value))
    return tuple(islice(found, _MOST_RESULTS))
