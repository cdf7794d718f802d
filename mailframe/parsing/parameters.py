"""Parameters of Content-Type and Content-Disposition: RFC 2045 section 5.1, RFC 2231."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from mailframe.parsing.charsets import decode_bytes, to_octets
from mailframe.parsing.words import decode_words

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["join_parameters", "parse_content_type", "parse_parameters"]

_TYPE = re.compile(r"\s*([^\s/;()]+)\s*/\s*([^\s/;(),]+)")
# An unquoted value goes to the semicolon, blanks included: senders forget the quotes.
_PARAMETER = re.compile(
    r"""(?: (?<=[;\s]) | \A) ([^\s=;"]++) \s*+ = \s*+
        (?: "((?:[^"\\]|\\.)*+)"? [^;]* | ([^;]*) )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([\\\"])")
_COMMENT = re.compile(r"(?<!\s)\s*+\([^()]*+\)\s*+\Z")
# RFC 2231 sections 3 and 4: name, name*, name*0, name*0*
_NUMBERED = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*)?")


def _value_of(charset_text: str, segments: list[tuple[bool, str]]) -> str:
    """Join a value's segments; those marked are percent-encoded octets."""
    octets = b"".join(
        unquote_to_bytes(to_octets(text)) if extended else to_octets(text)
        for extended, text in segments
    )
    return decode_bytes(octets, charset_text).text


def _is_ordinary(name: str, value: str) -> bool:
    """Tell what is a name and a value, with nothing to join or decode."""
    return "*" not in name and value.isascii() and "=?" not in value and "\0" not in value


def join_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Put parameters together as their sender meant them.

    Continuations (``name*0``, ``name*1*``) are joined, ``charset'language'`` values decoded
    (RFC 2231 sections 3 and 4), and encoded words too, which RFC 2047 section 5 forbids here and
    every second mailer writes. Of a name given twice the first counts; an extended value goes
    before a plain one (as RFC 6266 section 4.3 has it).

    Parameters
    ----------
    pairs
        Names and raw values, in order, from a header field or from BODYSTRUCTURE.

    Returns
    -------
    dict of str to str
        By lower-case name.

    Examples
    --------
    >>> join_parameters([("filename*0*", "utf-8''Gr%C3%BC"), ("filename*1", "n.txt")])
    {'filename': 'Grün.txt'}
    """
    pairs = list(pairs)
    if all(_is_ordinary(name, value) for name, value in pairs):
        ordinary: dict[str, str] = {}
        for name, value in pairs:
            ordinary.setdefault(name.strip().lower(), value)
        return ordinary
    plain: dict[str, str] = {}
    numbered: dict[str, dict[int, tuple[bool, str]]] = {}
    for key, value in pairs:
        name = key.strip().lower()
        found = _NUMBERED.fullmatch(name)
        if found is None or "*" not in name:
            plain.setdefault(name, value)
            continue
        base, number, star = found.groups()
        numbered.setdefault(base, {}).setdefault(int(number or 0), (star is not None, value))

    joined = {name: decode_words(value) for name, value in plain.items()}
    for name, by_number in numbered.items():
        # A number missing ends the value: what follows it belongs nowhere.
        segments = [by_number[n] for n in range(len(by_number)) if n in by_number]
        if 0 not in by_number:
            joined.setdefault(name, decode_words("".join(text for _, text in segments)))
            continue
        extended, first = segments[0]
        if extended and first.count("'") > 1:
            charset, _, rest = first.split("'", 2)
            joined[name] = _value_of(charset, [(True, rest), *segments[1:]])
        elif any(marked for marked, _ in segments):
            joined[name] = _value_of("", segments)
        else:
            joined[name] = decode_words("".join(text for _, text in segments))
    return joined


def parse_parameters(text: str) -> dict[str, str]:
    r"""Read ``; name=value; …`` (RFC 2045 section 5.1), tolerantly.

    Parameters
    ----------
    text
        What follows a Content-Type's type or a Content-Disposition's word, unfolded.

    Returns
    -------
    dict of str to str
        See `join_parameters`.

    Examples
    --------
    >>> parse_parameters('; filename="a \\"b\\".txt"; size=12')
    {'filename': 'a "b".txt', 'size': '12'}
    """
    pairs: list[tuple[str, str]] = []
    for name, quoted, bare in _PARAMETER.findall(text):
        value = _ESCAPE.sub(r"\1", quoted) if quoted else _COMMENT.sub("", bare).strip()
        pairs.append((name, value))
    return join_parameters(pairs)


def parse_content_type(value: str, default: str = "text/plain") -> tuple[str, dict[str, str]]:
    """Read a Content-Type field (RFC 2045 section 5.1).

    Parameters
    ----------
    value
        The field's value, unfolded.
    default
        The type of what has none, or none that can be read (RFC 2045 section 5.2).

    Returns
    -------
    tuple of str and dict
        ``type/subtype`` in lower case, and the parameters by lower-case name.

    Examples
    --------
    >>> parse_content_type('Text/HTML; charset="UTF-8"')
    ('text/html', {'charset': 'UTF-8'})
    """
    found = _TYPE.match(value)
    if found is None:
        kind, rest = default, value.partition(";")[2]
    else:
        kind, rest = decode_words(f"{found[1]}/{found[2]}".lower()), value[found.end() :]
        # A comment may follow the type; what stands before the first semicolon is no parameter.
        if "=" not in rest.partition(";")[0]:
            rest = rest.partition(";")[2]
    return kind, parse_parameters(rest)
