"""A part's encoded content -> bytes and text (RFC 2045 section 6), damage tolerated."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from mailframe.parsing.charsets import decode_bytes

if TYPE_CHECKING:
    from mailframe.records import Part

__all__ = ["decode_content", "decode_text"]

_IDENTITY = frozenset({"7bit", "8bit", "binary", ""})
_UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})

_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/=]+")
# RFC 2045 section 6.7 rule 3: blanks at a line's end were added on the way.
_QP_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_QP_DAMAGE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")
_UU_BEGIN = re.compile(rb"^begin[^\r\n]*\r?\n", re.MULTILINE)

# HTML standard, "prescan a byte stream to determine its encoding": the first 1,024 bytes.
_META_CHARSET = re.compile(
    rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE
)
_META_WITHIN = 1_024


def _base64(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    data = _BASE64_JUNK.sub(b"", raw)
    defects: list[str] = []
    content, rest = b"", data
    head, padding, tail = rest.partition(b"=")
    tail = tail.lstrip(b"=")
    if tail:
        # Padding ends the content (RFC 2045 section 6.8); what mailing lists append is not of it.
        defects.append("text behind the end of base64")
    if len(head) % 4 == 1:
        head = head[:-1]
        defects.append("cut base64")
    elif not padding and len(head) % 4:
        defects.append("base64 without padding")
    content = binascii.a2b_base64(head + b"=" * (-len(head) % 4))
    return content, tuple(defects)


def _quoted_printable(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    if b" \r\n" in raw or b"\t\r\n" in raw or raw.endswith((b" ", b"\t")):
        raw = _QP_TRAILING.sub(b"", raw)
    damaged = _QP_DAMAGE.search(raw) is not None
    return binascii.a2b_qp(raw), ("damaged quoted-printable",) if damaged else ()


def _uuencoded(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    begin = _UU_BEGIN.search(raw)
    if begin is None:
        return raw, ("uuencode without begin",)
    content: list[bytes] = []
    defects: tuple[str, ...] = ()
    for line in raw[begin.end() :].splitlines():
        if line.strip() in {b"end", b"`"}:
            break
        try:
            content.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some writers put characters behind the last group: the length says how many count.
            expected = ((line[0] - 32 & 63) * 4 + 5) // 3 if line else 0
            try:
                content.append(binascii.a2b_uu(line[:expected]))
            except binascii.Error:
                defects = ("damaged uuencode",)
    return b"".join(content), defects


def decode_content(part: Part, raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Undo a part's Content-Transfer-Encoding (RFC 2045 section 6).

    Parameters
    ----------
    part
        Tells the encoding.
    raw
        The encoded content.

    Returns
    -------
    tuple of bytes and tuple of str
        What can be decoded, and what was wrong.

    Examples
    --------
    >>> from mailframe.records import Part
    >>> decode_content(Part("1", "text/plain", encoding="base64"), b"SGVsbG8")
    (b'Hello', ('base64 without padding',))
    """
    encoding = part.encoding
    if encoding == "base64":
        return _base64(raw)
    if encoding == "quoted-printable":
        return _quoted_printable(raw)
    if encoding in _UUENCODE:
        return _uuencoded(raw)
    if encoding in _IDENTITY:
        return raw, ()
    return raw, (f"unknown encoding {encoding[:40]}",)


def decode_text(part: Part, raw: bytes) -> tuple[str, str | None, tuple[str, ...]]:
    r"""Decode a text part: transfer encoding, charset (RFC 2046 section 4.1.2) and line ends.

    Parameters
    ----------
    part
        Tells encoding, charset and type.
    raw
        The encoded content.

    Returns
    -------
    tuple of str, str or None and tuple of str
        The text, with LF line ends and without lone surrogates and NULs; the charset that it was
        decoded with, in lower case; what was wrong.

    Examples
    --------
    >>> from mailframe.records import Part
    >>> part = Part("1", "text/plain", charset="iso-8859-1", encoding="quoted-printable")
    >>> decode_text(part, b"Gr=FC=DFe\r\n")
    ('Grüße\n', 'iso-8859-1', ())
    """
    content, defects = decode_content(part, raw)
    charset = part.charset
    if part.content_type == "text/html" and charset in {None, "", "us-ascii"}:
        meta = _META_CHARSET.search(content, 0, _META_WITHIN)
        # A page that can be searched as ASCII is not UTF-16, whatever it says (HTML standard).
        if meta is not None and not meta[1].lower().startswith(b"utf-16"):
            charset = meta[1].decode("ascii")
    decoded = decode_bytes(content, charset)
    if decoded.defect is not None:
        defects = (*defects, decoded.defect)
    return decoded.text.replace("\r\n", "\n"), decoded.charset, defects
