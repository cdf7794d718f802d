"""A text part's content -> text: charset, line ends and broken lines (RFC 2046 section 4.1)."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from mailframe.parsing.charsets import (
    Decoded,
    decode_bytes,
    is_undeclared,
    whole_characters,
)
from mailframe.parsing.content import (
    Base64Decoder,
    decode_content,
    is_in_the_clear,
    is_no_base64,
    meant_encoding,
)
from mailframe.parsing.flowed import unflow

if TYPE_CHECKING:
    from mailframe.records import Part

__all__ = ["decode_text"]

# HTML standard, "prescan a byte stream to determine its encoding": the first 1,024 bytes.
_META_CHARSET = re.compile(
    rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)"
    rb"|\A\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)",
    re.IGNORECASE,
)
_META_WITHIN = 1_024
_HTML_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)

_UTF_16 = frozenset({"utf-16", "utf16", "utf_16", "unicode"})

# What goes wrong on the way doubles CRs; some files have nothing else.
_LINE_END = re.compile(r"\r{1,3}\n|\r")

#: So much of a text shows what it is.
_SAMPLE = 1_000


def _decode_text_content(part: Part, raw: bytes, *, is_cut: bool) -> tuple[bytes, tuple[str, ...]]:
    """Undo a text's transfer encoding; of one that was cut, without what the cut has broken."""
    encoding = meant_encoding(part.encoding)
    if encoding == "base64":
        if is_no_base64(raw):
            return raw, ("not base64",)
        decoder = Base64Decoder()
        return decoder.feed(raw, last=not is_cut), tuple(decoder.defects)
    if is_cut:
        if encoding == "quoted-printable":
            escape = raw.find(b"=", max(len(raw) - 2, 0))
            raw = raw if escape < 0 else raw[:escape]
        raw = raw.removesuffix(b"\r")
    return decode_content(part, raw)


def _marked(content: bytes, charset: str | None) -> tuple[bytes, str | None]:
    """Read and drop a byte order mark; without one tell UTF-16's order by its NULs.

    Where these say nothing it is little-endian, as browsers read the label (WHATWG Encoding 14.4),
    against RFC 2781 section 4.3.
    """
    if content.startswith(codecs.BOM_UTF8):
        return content[len(codecs.BOM_UTF8) :], "utf-8"
    wide = charset is not None and charset.strip(" \"'").lower() in _UTF_16
    if not wide and b"\0" not in content[:_SAMPLE]:
        return content, charset
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :], name
    if not wide:
        return content, charset
    first, second = content[:_SAMPLE:2].count(0), content[1:_SAMPLE:2].count(0)
    if not first and not second and is_in_the_clear(content):
        return content, None  # a page is called what its editor held it in
    return content, "utf-16-be" if first > second else "utf-16-le"


def _meta_charset(content: bytes) -> str | None:
    """Give the charset that an HTML page says it is in (HTML standard, prescan)."""
    start = _HTML_COMMENT.sub(b"", content[:_META_WITHIN])
    meta = _META_CHARSET.search(start)
    # A page that can be searched as ASCII is not UTF-16, whatever it says (HTML standard).
    if meta is None or (name := (meta[1] or meta[2]).decode("ascii").lower()).startswith("utf-16"):
        return None
    return name


def _decode(part: Part, content: bytes, *, is_cut: bool) -> Decoded:
    """Decode a text by its byte order mark, what is declared, or what the page itself says."""
    content, charset = _marked(content, part.charset)
    itself = _meta_charset(content) if part.content_type == "text/html" else None
    if itself is not None and is_undeclared(charset):
        charset = itself
    if is_cut:
        content = whole_characters(content, charset)
    decoded = decode_bytes(content, charset)
    if decoded.defect is None or itself is None or itself == charset:
        return decoded
    second = decode_bytes(content, itself)
    return decoded if second.defect else second._replace(defect=decoded.defect)


def decode_text(
    part: Part, raw: bytes | memoryview, *, is_cut: bool = False
) -> tuple[str, str | None, tuple[str, ...]]:
    r"""Decode a text part: transfer encoding, charset (RFC 2046 section 4.1.2) and line ends.

    Parameters
    ----------
    part
        Tells encoding, charset, type and format.
    raw
        The encoded content.
    is_cut
        Whether it is only the beginning: then the text ends with its last whole line, or where
        the lines are long with its last whole character.

    Returns
    -------
    tuple of str, str or None and tuple of str
        The text, with LF line ends and without lone surrogates and NULs, its paragraphs joined
        where it is format=flowed (RFC 3676); the charset that it was decoded with, in lower case;
        what was lost or guessed.

    Examples
    --------
    >>> from mailframe.records import Part
    >>> part = Part("1", "text/plain", charset="iso-8859-1", encoding="quoted-printable")
    >>> decode_text(part, b"Gr=FC=DFe\r\n")
    ('Grüße\n', 'iso-8859-1', ())
    """
    content, defects = _decode_text_content(part, bytes(raw), is_cut=is_cut)
    decoded = _decode(part, content, is_cut=is_cut)
    if decoded.defect is not None:
        defects = (*defects, decoded.defect)
    text = decoded.text
    if "\r" in text:
        text = text.replace("\r\n", "\n")  # nearly all there is, in a twentieth of the time
        text = _LINE_END.sub("\n", text) if "\r" in text else text
    if is_cut and (end := text.rfind("\n") + 1) * 2 >= len(text):
        text = text[:end]
    if part.format is not None and part.content_type == "text/plain":
        text = unflow(text, delsp=part.format == "flowed delsp")
    return text, decoded.charset, defects
