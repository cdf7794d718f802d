"""Strings for the wire: RFC 3501 section 4.3."""

from __future__ import annotations

import re

__all__ = ["nstring", "readable", "string"]

# A quoted string holds neither line breaks nor NUL nor 8-bit octets (section 9, QUOTED-CHAR).
_NOT_QUOTABLE = re.compile(rb"[\r\n\x80-\xff]")
_SPECIAL = re.compile(rb'["\\]')
_SPACE = re.compile(rb"[ \t\r\n]+")
# No string holds a NUL (section 4.3.1). In its place Dovecot puts U+FFFD.
_NO_NUL = "\ufffd".encode()


def string(value: bytes) -> bytes:
    r"""Write a string: quoted, or as a literal what has no quoted form.

    Examples
    --------
    >>> string(b'a "b"'), string(b"gr\xfcn")
    (b'"a \\"b\\""', b'{4}\r\ngr\xfcn')
    """
    if b"\0" in value:
        value = value.replace(b"\0", _NO_NUL)
    if _NOT_QUOTABLE.search(value):
        return b"{%d}\r\n%b" % (len(value), value)
    if b'"' in value or b"\\" in value:
        value = _SPECIAL.sub(rb"\\\g<0>", value)
    return b'"%b"' % value


def nstring(value: bytes | None) -> bytes:
    """Write a string, or NIL where there is none."""
    return b"NIL" if value is None else string(value)


def readable(text: bytes) -> bytes:
    r"""Leave one blank where folding made several, as Dovecot does with names and subjects.

    Examples
    --------
    >>> readable(b" a\t b ")
    b'a b'
    """
    return _SPACE.sub(b" ", text).strip(b" ")
