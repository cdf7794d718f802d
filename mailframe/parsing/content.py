"""A part's encoded content -> bytes and text (RFC 2045 section 6), damage tolerated."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from mailframe.parsing.charsets import decode_bytes, whole_characters

if TYPE_CHECKING:
    from mailframe.records import Part

__all__ = ["ContentDecoder", "decode_content", "decode_text"]

_IDENTITY = frozenset({"7bit", "8bit", "binary", ""})
_UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64)
# RFC 2045 section 6.7 rule 3: blanks at a line's end were added on the way.
_QP_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_BLANK_ENDS = (b" \r\n", b"\t\r\n", b" \n", b"\t\n")
_QP_DAMAGE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")
_UU_BEGIN = re.compile(rb"^begin[^\r\n]*\r?\n", re.MULTILINE)

# HTML standard, "prescan a byte stream to determine its encoding": the first 1,024 bytes.
_META_CHARSET = re.compile(
    rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE
)
_META_WITHIN = 1_024

#: RFC 2045 section 6.7 rule 5 allows 76; what holds no line end in so many is not waited for.
_LONGEST_LINE = 64 << 10


def _base64(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    data = raw.translate(None, _NOT_BASE64)
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
    if any(end in raw for end in _BLANK_ENDS) or raw.endswith((b" ", b"\t")):
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


class ContentDecoder:
    """Undo a Content-Transfer-Encoding piece by piece: together what `decode_content` returns.

    Parameters
    ----------
    encoding
        In lower case.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._rest = b""
        self._ended = False

    def feed(self, raw: bytes) -> bytes:
        """Decode one more piece, as far as it can be decoded without the next one."""
        if self._encoding == "base64":
            return self._base64(raw)
        if self._encoding == "quoted-printable":
            raw = self._rest + raw
            end = raw.rfind(b"\n") + 1  # blanks and soft breaks are told at a line's end
            if not end and len(raw) > _LONGEST_LINE:
                end = len(raw.rstrip(b" \t\r")) or len(raw)
                escape = raw.find(b"=", max(end - 2, 0), end)
                end = end if escape < 0 else len(raw[:escape].rstrip(b" \t\r"))
            self._rest = raw[end:]
            return _quoted_printable(raw[:end])[0]
        if self._encoding in _UUENCODE:  # rare, and small: from before MIME
            self._rest += raw
            return b""
        return raw

    def finish(self) -> bytes:
        """Decode what is left."""
        rest, self._rest = self._rest, b""
        if self._encoding == "base64":
            return _base64(rest)[0]
        if self._encoding == "quoted-printable":
            return _quoted_printable(rest)[0]
        return _uuencoded(rest)[0] if self._encoding in _UUENCODE else b""

    def _base64(self, raw: bytes) -> bytes:
        if self._ended:
            return b""
        head, padding, _ = raw.translate(None, _NOT_BASE64).partition(b"=")
        data = self._rest + head
        self._ended = bool(padding)
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        return binascii.a2b_base64(data[:whole])


def _without_broken_end(part: Part, raw: bytes) -> bytes:
    """Return encoded content that was cut somewhere without what the cut has broken."""
    if part.encoding == "base64":
        data = raw.translate(None, _NOT_BASE64)
        return data[: len(data) - len(data) % 4] if b"=" not in data else data
    if part.encoding == "quoted-printable":
        escape = raw.find(b"=", max(len(raw) - 2, 0))
        raw = raw if escape < 0 else raw[:escape]
    return raw.removesuffix(b"\r")


def decode_text(
    part: Part, raw: bytes, *, is_cut: bool = False
) -> tuple[str, str | None, tuple[str, ...]]:
    r"""Decode a text part: transfer encoding, charset (RFC 2046 section 4.1.2) and line ends.

    Parameters
    ----------
    part
        Tells encoding, charset and type.
    raw
        The encoded content.
    is_cut
        Whether it is only the beginning: then the text ends with its last whole line, or where
        the lines are long with its last whole character.

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
    content, defects = decode_content(part, _without_broken_end(part, raw) if is_cut else raw)
    charset = part.charset
    if part.content_type == "text/html" and charset in {None, "", "us-ascii"}:
        meta = _META_CHARSET.search(content, 0, _META_WITHIN)
        # A page that can be searched as ASCII is not UTF-16, whatever it says (HTML standard).
        if meta is not None and not meta[1].lower().startswith(b"utf-16"):
            charset = meta[1].decode("ascii")
    if is_cut:
        content = whole_characters(content, charset)
    decoded = decode_bytes(content, charset)
    if decoded.defect is not None:
        defects = (*defects, decoded.defect)
    text = decoded.text.replace("\r\n", "\n")
    if is_cut and (end := text.rfind("\n") + 1) * 2 >= len(text):
        text = text[:end]
    return text, decoded.charset, defects
