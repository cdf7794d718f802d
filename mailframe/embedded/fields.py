"""Header fields as bytes: RFC 5322 section 2.2, and what RFC 2045 puts into their values.

Nothing is decoded: IMAP hands encoded words and 8-bit octets on as they were sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias

__all__ = [
    "ContentType",
    "Field",
    "Parameters",
    "end_of_header",
    "read_content_type",
    "read_word",
    "read_worded",
    "read_words",
    "split_fields",
    "unfold",
]

Field: TypeAlias = tuple[bytes, bytes]  # the name as sent, the value with its folds
Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]

_EMPTY_LINE = re.compile(rb"\n\r?\n")
# A field ends where the next line does not begin with a blank. What is no field is passed over.
_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:[ \t]*+(.*+(?:\n[ \t].*+)*+)", re.MULTILINE)
_LONGEST_HEADER = 1_000_000  # octets; Exim takes no more
_LONGEST_VALUE = 100_000
_SHORT = 200  # what is longer does not come again
_LINE_BREAK = re.compile(rb"\r?\n")

# RFC 2045 section 5.1. Blanks and comments may stand between any two of its words.
# A comment that is never closed must not be looked through again from every semicolon within.
_BLANKS = rb"(?:[\s\0]++|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.){0,200}+\)){0,200}+\))*+"
_TOKEN = rb"[^\s\0()<>@,;:\\\"/\[\]?=]++"
# An encoded word has no place in a parameter (RFC 2047 section 5), and is seen there every day.
_BARE = rb"(?:=[^;\s]*+|%b)" % _TOKEN
_QUOTED = rb'"((?:[^"\\]|\\.)*+)"'
_CONTENT_TYPE = re.compile(
    rb"%(blanks)b(%(token)b)%(blanks)b/%(blanks)b(%(token)b)%(blanks)b(?=;|\Z)"
    % {b"blanks": _BLANKS, b"token": _TOKEN},
    re.DOTALL,
)
_WORD = re.compile(rb"%b(%b)" % (_BLANKS, _TOKEN), re.DOTALL)
_ONE_WORD = re.compile(rb"%b(%b)%b" % (_BLANKS, _TOKEN, _BLANKS), re.DOTALL)
_PARAMETER = re.compile(
    rb";%(blanks)b(%(token)b)%(blanks)b=%(blanks)b(?:%(quoted)b|(?!\")(%(bare)b)?+)"
    % {b"blanks": _BLANKS, b"token": _TOKEN, b"quoted": _QUOTED, b"bare": _BARE},
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(rb"([^*]++)\*(?:(0|[1-9]\d{0,3})(\*)?)?")  # RFC 2231 sections 3 and 4


class ContentType(NamedTuple):
    """A Content-Type field (RFC 2045 section 5.1).

    Attributes
    ----------
    kind
        The type as sent: ``TEXT``, ``multipart``, …
    subtype
        The subtype as sent.
    parameters
        Names and values as sent, in order; what RFC 2231 lets senders cut into pieces is joined.
    """

    kind: bytes
    subtype: bytes
    parameters: Parameters

    @property
    def is_multipart(self) -> bool:
        """Whether the body is made of parts (RFC 2046 section 5.1)."""
        return self.kind.lower() == b"multipart"

    @property
    def is_text(self) -> bool:
        """Whether its lines are counted (RFC 3501 section 7.4.2)."""
        return self.kind.lower() == b"text"

    @property
    def is_message(self) -> bool:
        """Whether the body is a message (RFC 2046 section 5.2.1)."""
        return self.kind.lower() == b"message" and self.subtype.lower() == b"rfc822"

    def parameter(self, name: bytes) -> bytes | None:
        """Give the first parameter with a lower-case name."""
        return next((value for key, value in self.parameters if key.lower() == name), None)


def end_of_header(raw: bytes, start: int = 0, limit: int | None = None) -> int:
    r"""Find where a header ends: behind the first empty line (RFC 5322 section 2.1).

    Examples
    --------
    >>> end_of_header(b"Subject: Hi\r\n\r\nHello\r\n")
    15
    """
    end = len(raw) if limit is None else limit
    if raw.startswith(b"\r\n", start, end):
        return start + 2
    if raw.startswith(b"\n", start, end):
        return start + 1
    found = _EMPTY_LINE.search(raw, start, end)
    return found.end() if found else end


def split_fields(header: bytes) -> tuple[Field, ...]:
    r"""Split a header into its fields; lines that are none are passed over.

    Examples
    --------
    >>> split_fields(b"Subject: a\r\n b\r\nnonsense\r\n\r\n")
    ((b'Subject', b'a\r\n b\r'),)
    """
    return tuple(_FIELD.findall(header, 0, _LONGEST_HEADER))


def unfold(value: bytes) -> bytes:
    r"""Take the line breaks out of a value; the blanks stay (RFC 5322 section 2.2.3).

    Examples
    --------
    >>> unfold(b"a\r\n  b\r")
    b'a  b'
    """
    if b"\n" in value:
        value = _LINE_BREAK.sub(b"", value)
    return value.removesuffix(b"\r")


def read_content_type(value: bytes) -> ContentType:
    """Read a Content-Type; of one that breaks the rules neither word is known, as in Dovecot.

    RFC 2045 section 5.2 suggests text/plain then, which would show an attachment of many lines to
    whoever believes it. That is left to the client.

    Examples
    --------
    >>> read_content_type(b'TEXT/Plain (plain); charset="UTF-8"')
    ContentType(kind=b'TEXT', subtype=b'Plain', parameters=((b'charset', b'UTF-8'),))
    >>> read_content_type(b"application/pdf name=a.pdf")  # no semicolon
    ContentType(kind=b'', subtype=b'', parameters=())
    """
    read = _read_again if len(value) < _SHORT else _read
    return read(value)


def _read(value: bytes) -> ContentType:
    value = unfold(value)
    found = _CONTENT_TYPE.match(value)
    if found is None:
        return ContentType(read_word(value), b"", ())
    return ContentType(found[1], found[2], _parameters(value, found.end()))


#: Most parts say one of few things.
_read_again = lru_cache(maxsize=1_024)(_read)


def read_worded(value: bytes) -> tuple[bytes, Parameters]:
    """Read a word and its parameters: Content-Disposition (RFC 2183 section 2).

    Examples
    --------
    >>> read_worded(b"attachment; filename=a.txt")
    (b'attachment', ((b'filename', b'a.txt'),))
    """
    value = unfold(value)
    found = _WORD.match(value)
    return (found[1], _parameters(value, found.end())) if found else (b"", ())


def read_word(value: bytes) -> bytes:
    """Read a value that is one word: Content-Transfer-Encoding (RFC 2045 section 6.1).

    Examples
    --------
    >>> read_word(b"7bit (plain)"), read_word(b"7 bit")
    (b'7bit', b'')
    """
    found = _ONE_WORD.fullmatch(unfold(value))
    return found[1] if found else b""


def read_words(value: bytes) -> list[bytes]:
    """Read words apart from their comments and commas: Content-Language (RFC 3282 section 2).

    Examples
    --------
    >>> read_words(b"en, de (German)")
    [b'en', b'de']
    """
    words, position, value = [], 0, unfold(value)
    while (found := _WORD.match(value, position)) is not None:
        words.append(found[1])
        position = value.find(b",", found.end()) + 1
        if not position:
            break
    return words


def _parameters(text: bytes, position: int) -> Parameters:
    found = []
    for name, quoted, bare in _PARAMETER.findall(text, position, _LONGEST_VALUE):
        value = _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        found.append((name, value or bare))
    if any(b"*" in name for name, _ in found):
        return _join(found)
    return tuple(found)


def _join(pairs: list[tuple[bytes, bytes]]) -> Parameters:
    """Join what was cut into pieces, as RFC 2231 section 6 wants it of an IMAP server.

    A value of octets or with a charset keeps the asterisk behind its name, and is not decoded.
    """
    whole: list[tuple[bytes, bytes]] = []
    pieces: dict[bytes, dict[int, tuple[bytes, bool, bytes]]] = {}
    for name, value in pairs:
        section = _SECTION.fullmatch(name)
        if section is None:
            whole.append((name, value))
            continue
        is_octets = section[3] is not None or section[2] is None  # name*0* or name*
        of_name = pieces.setdefault(section[1].lower(), {})
        of_name.setdefault(int(section[2] or 0), (section[1], is_octets, value))
    for _, numbered in sorted(pieces.items()):  # in Dovecot's order
        ordered = [numbered[number] for number in sorted(numbered)]
        star = b"*" if any(is_octets for _, is_octets, _ in ordered) else b""
        whole.append((ordered[0][0] + star, b"".join(value for _, _, value in ordered)))
    return tuple(whole)
