"""Parameters of Content-Type and Content-Disposition: RFC 2045 section 5.1, RFC 2231."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from mailframe.parsing.charsets import decode_bytes, scrub, to_octets
from mailframe.parsing.words import decode_words

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["join_parameters", "parse_content_type", "parse_parameters"]

_TYPE = re.compile(r"\s*([^\s/;()=\"]+)\s*/\s*([^\s/;(),]+)")
# An unquoted value goes to the semicolon, blanks included: senders forget the quotes. Where they
# forgot the semicolon, it goes to the blank before the next name; an encoded word has "=" within.
_REST = r"""(?: [^;\s]++ | \s++ (?! [A-Za-z][\w-]*+ (?:\*\d*+\*?+)?+ = (?![=?]|\Z) ) )*+"""
_PARAMETER = re.compile(
    rf"""(?: (?<=[;\s]) | \A) ([^\s=;"]++) \s*+ = \s*+
        (?: "((?:[^"\\]|\\.)*+)" {_REST}
          | "([^;"]*+)  # never closed: up to the semicolon
          | (=\?[^;]*+ | {_REST}) )""",
    re.VERBOSE | re.DOTALL,
)
# A backslash before anything else is one: senders write paths of Windows.
_ESCAPE = re.compile(r"\\([\\\"'])")
_COMMENT = re.compile(r"(?<!\s)\s*+\([^()]*+\)\s*+\Z")
# Behind a name's first asterisk (RFC 2231 sections 3 and 4): *, 0, 0*
_NUMBERED = re.compile(r"(\d{1,4})?(\*)?")

# A hostile field of megabytes has a value for nobody.
_LONGEST = 100_000


def _octets_of(charset: str, language: str, text: str) -> bytes:
    """Undo percent-encoding; some senders say the charset in every segment."""
    head, quote, rest = text.partition("'")
    if quote and charset and head.lower() == charset.lower():
        text = rest.removeprefix(language).removeprefix("'") if "'" in rest else rest
    return unquote_to_bytes(to_octets(text))


def _value_of(segments: list[tuple[bool, str]]) -> str:
    """Join a value's segments; those marked are percent-encoded octets."""
    if not any(extended for extended, _ in segments):
        return decode_words("".join(text for _, text in segments))
    extended, first = segments[0]
    charset = language = ""
    if extended and first.count("'") > 1:
        charset, language, first = first.split("'", 2)
    octets = b"".join(
        _octets_of(charset, language, text) if extended else to_octets(text)
        for extended, text in ((extended, first), *segments[1:])
    )
    # Senders that do not trust either encoding use both.
    return decode_words(decode_bytes(octets, charset).text)


def _is_ordinary(name: str, value: str) -> bool:
    """Tell what is a name and a value, with nothing to join or decode."""
    plain = value.isascii() and name.isascii() and "\0" not in value and "\0" not in name
    return plain and "*" not in name and "=?" not in value


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
        name = scrub(key.strip().lower())
        base, star, behind = name.partition("*")
        if not star:
            plain.setdefault(name, value)
        elif base and (found := _NUMBERED.match(behind)):
            extended = found[2] is not None or not behind  # name*0* or name*
            numbered.setdefault(base, {}).setdefault(int(found[1] or 0), (extended, value))

    joined = {name: decode_words(value) for name, value in plain.items()}
    for name, by_number in numbered.items():
        # Some count from 1; where a number is missing, the end of a file's name is worth having.
        segments = [by_number[number] for number in sorted(by_number)]
        if 0 in by_number or name not in joined:
            joined[name] = _value_of(segments)
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
    for found in _PARAMETER.finditer(text[:_LONGEST]):
        name, quoted, unclosed, bare = found.groups()
        if bare is None:
            value = unclosed if quoted is None else quoted
            pairs.append((name, _ESCAPE.sub(r"\1", value) if "\\" in value else value))
        elif value := _COMMENT.sub("", bare).strip():  # "name=" says as little as no name
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
        parameters = parse_parameters(value.partition(";")[2])
        # With the name of a file it is one: "application-x-gzip; name=a.gz".
        is_file = "." in parameters.get("name", "")
        return "application/octet-stream" if is_file else default, parameters
    kind, rest = decode_words(f"{found[1]}/{found[2]}".lower()), value[found.end() :]
    # A comment may follow the type; what stands before the first semicolon is no parameter.
    if "=" not in rest.partition(";")[0]:
        rest = rest.partition(";")[2]
    return kind, parse_parameters(rest)
