"""A part's encoded content -> bytes (RFC 2045 section 6), damage tolerated."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailframe.parsing.uuencode import decode_lines

if TYPE_CHECKING:
    from mailframe.records import Part

__all__ = [
    "Base64Decoder",
    "ContentDecoder",
    "decode_content",
    "decoded_size",
    "is_in_the_clear",
    "is_no_base64",
    "meant_encoding",
]

# RFC 2045 section 6.2 has 7bit, 8bit and binary; the others are what senders write for them.
_IDENTITY = re.compile(r"|[78]|\dbits?|binary|none|plain|text|textplain|texthtml|u?s?ascii|utf8")
_UUENCODE = frozenset({"xuuencode", "uuencode", "xuue", "uue"})
_NO_LETTERS = re.compile(r"\([^()]*+\)?|[^a-z0-9(]++")

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64)
# Some senders encode piece by piece, each with padding of its own. What follows is such a piece
# if it begins like one: a footer's first word is shorter, and not padded.
_PIECE = re.compile(
    rb"[A-Za-z0-9+/]{16}"
    rb"|(?:[A-Za-z0-9+/]{4}){0,3}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)"
)
_PIECE_KNOWN_WITHIN = 20
_LETTER = re.compile(rb"[A-Za-z0-9+/]")
_BETWEEN_PIECES = re.compile(rb"[=\s]*+")
_MOST_PIECES = 100_000  # a line each of 7 MB; more is no mail, and takes its time
# One content in three needs no padding: what a list has put behind it is told by its first line.
_FOOTERS = (b"\n--", b"\n__")
_PIECE_END = re.compile(rb"=[ \t]*+(?:\r?\n|\Z)|\n--|\n__")
_MAYBE_FOOTER = re.compile(rb"\n[-_]?\Z")

# RFC 2045 section 6.7 rule 3: blanks at a line's end were added on the way.
_QP_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_BLANK_ENDS = (b" \r\n", b"\t\r\n", b" \n", b"\t\n")
# The standard library would pass over everything up to the next line feed.
_QP_LONE_CR = re.compile(rb"=\r(?!\n)(?:\r?\n)?")
_UU_BEGIN = re.compile(rb"^begin[^\r\n]*\r?\n", re.MULTILINE)

#: So much of a content shows what it is.
_SAMPLE = 1_000
#: Base64 that was quoted or folded has one octet in 30 that is none, written words one in 6.
_MOST_STRANGE = 8
_FEW = 16

#: RFC 2045 section 6.7 rule 5 allows 76; what holds no line end in so many is not waited for.
_LONGEST_LINE = 64 << 10
#: What is decoded at once where only its size is wanted.
_BLOCK = 1 << 20


@lru_cache(maxsize=256)
def meant_encoding(name: str) -> str:
    """Tell which Content-Transfer-Encoding is meant by a name (RFC 2045 section 6.1).

    Parameters
    ----------
    name
        As declared, or as much of it as a server tells.

    Returns
    -------
    str
        ``"base64"``, ``"quoted-printable"``, ``"x-uuencode"``, ``"binary"`` for whatever leaves the
        content as it is, or ``""`` where nobody knows.

    Examples
    --------
    >>> [meant_encoding(name) for name in ("BASE64", "quoted printable", "8 bit", "x-none")]
    ['base64', 'quoted-printable', 'binary', '']
    """
    letters = _NO_LETTERS.sub("", name.lower())
    if letters.startswith("base64"):
        return "base64"
    if letters.startswith("quoted"):
        return "quoted-printable"
    if letters in _UUENCODE:
        return "x-uuencode"
    return "binary" if _IDENTITY.fullmatch(letters) else ""


class Base64Decoder:
    """Decode base64 piece by piece, what is no base64 passed over (RFC 2045 section 6.8)."""

    def __init__(self) -> None:
        self.defects: dict[str, None] = {}
        self._held = b""  # what cannot be judged without what follows
        self._group = b""  # letters that are no whole group yet
        self._pieces = 0
        self._begun = False
        self._padded = False
        self._ended = False

    def feed(self, raw: bytes, *, last: bool = False) -> bytes:
        """Decode as far as it can be decoded without what follows."""
        raw = self._held + raw
        self._held = b""
        content: list[bytes] = []
        at = 0
        while not self._ended:
            at = self._next_piece(raw, at, last=last)
            if self._padded:
                break
            padding = raw.find(b"=", at)
            stop = len(raw) if padding < 0 else padding
            footer = self._footer(raw, at, stop)
            if footer is None and padding < 0 and not last:
                maybe = _MAYBE_FOOTER.search(raw, max(at, len(raw) - 2))
                stop = maybe.start() if maybe else stop
                self._held = raw[stop:]
            content.append(self._letters(raw[at : stop if footer is None else footer]))
            if footer is None and padding < 0:
                if last:
                    content.append(self._close())
                return b"".join(content)
            content.append(self._close())
            self._padded, self._ended = footer is None, footer is not None
            at = stop if footer is None else footer
        if self._ended and raw[at:].translate(None, _NOT_BASE64).strip(b"="):
            # What mailing lists append is not of it.
            self.defects["text behind the end of base64"] = None
        return b"".join(content)

    def _next_piece(self, raw: bytes, at: int, *, last: bool) -> int:
        """Go on behind padding if another piece begins there, else tell the end."""
        if not self._padded:
            return at
        between = _BETWEEN_PIECES.match(raw, at)
        at = between.end() if between else at
        if _PIECE.match(raw, at) and self._pieces < _MOST_PIECES:
            self._padded = False
        elif last or len(raw) - at >= _PIECE_KNOWN_WITHIN:
            self._ended = at < len(raw)
        else:
            self._held = raw[at:]
        return at

    def _footer(self, raw: bytes, at: int, stop: int) -> int | None:
        """Find the line behind the content that is no base64 and was not meant to be."""
        if not self._begun:
            begin = _LETTER.search(raw, at, stop)
            at = begin.start() if begin else stop
        places = [place for mark in _FOOTERS if (place := raw.find(mark, at, stop)) >= 0]
        return min(places, default=None)

    def _letters(self, raw: bytes) -> bytes:
        letters = self._group + raw.translate(None, _NOT_BASE64)
        self._begun = self._begun or bool(letters)
        whole = len(letters) - len(letters) % 4
        self._group = letters[whole:]
        return binascii.a2b_base64(letters[:whole])

    def _close(self) -> bytes:
        """Decode the last group of a piece: without padding it says the same."""
        self._pieces += 1
        group, self._group = self._group, b""
        if len(group) == 1:
            self.defects["cut base64"] = None
            return b""
        return binascii.a2b_base64(group + b"=" * (-len(group) % 4))


def _base64(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    decoder = Base64Decoder()
    content = decoder.feed(raw, last=True)
    return content, tuple(decoder.defects)


def _quoted_printable(raw: bytes) -> bytes:
    """Undo what is quoted; what cannot be is text, and not told: a lone ``=`` is one."""
    if any(end in raw for end in _BLANK_ENDS) or raw.endswith((b" ", b"\t")):
        raw = _QP_TRAILING.sub(b"", raw)
    if b"=\r" in raw:
        raw = _QP_LONE_CR.sub(b"=\n", raw)
    return binascii.a2b_qp(raw)


def _uuencoded(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    begin = _UU_BEGIN.search(raw)
    if begin is None:
        return raw, ("uuencode without begin",)
    content, whole = decode_lines(raw[begin.end() :])
    return content, () if whole else ("damaged uuencode",)


def is_in_the_clear(raw: bytes) -> bool:
    """Tell text from text in an encoding that nobody knows: only the former has words."""
    return raw.isascii() and b" " in raw.strip()


def is_no_base64(raw: bytes) -> bool:
    """Tell text that is called base64 and is not: every few letters there is a blank."""
    sample = _PIECE_END.split(raw[:_SAMPLE], 1)[0].translate(None, b"\r\n")
    strange = len(sample) - len(sample.translate(None, _NOT_BASE64))
    return len(sample) >= _FEW and strange * _MOST_STRANGE > len(sample)


def decode_content(part: Part, raw: bytes | memoryview) -> tuple[bytes, tuple[str, ...]]:
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
        What can be decoded, and what was lost or guessed.

    Examples
    --------
    >>> from mailframe.records import Part
    >>> decode_content(Part("1", "text/plain", encoding="base64"), b"SGVsb")
    (b'Hel', ('cut base64',))
    """
    raw = bytes(raw)
    encoding = meant_encoding(part.encoding)
    if encoding == "base64":
        return _base64(raw)
    if encoding == "quoted-printable":
        return _quoted_printable(raw), ()
    if encoding == "x-uuencode":
        return _uuencoded(raw)
    if encoding or (part.content_type.startswith("text/") and is_in_the_clear(raw)):
        return raw, ()
    return raw, (f"unknown encoding {part.encoding[:40]}",)


def decoded_size(part: Part, raw: bytes | memoryview) -> int:
    """Count the bytes of a part once decoded, without holding them.

    Parameters
    ----------
    part
        Tells the encoding.
    raw
        The encoded content.
    """
    if meant_encoding(part.encoding) in {"binary", ""}:
        return len(raw)
    if len(raw) <= _BLOCK:
        return len(decode_content(part, raw)[0])
    decoder = ContentDecoder(part.encoding)
    view = memoryview(raw)
    pieces = (view[start : start + _BLOCK] for start in range(0, len(raw), _BLOCK))
    return sum(len(decoder.feed(piece)) for piece in pieces) + len(decoder.finish())


class ContentDecoder:
    """Undo a Content-Transfer-Encoding piece by piece: together what `decode_content` returns.

    Parameters
    ----------
    encoding
        As declared.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = meant_encoding(encoding)
        self._rest = b""
        self._base64 = Base64Decoder()

    def feed(self, raw: bytes | memoryview) -> bytes:
        """Decode one more piece, as far as it can be decoded without the next one."""
        raw = bytes(raw)
        if self._encoding == "base64":
            return self._base64.feed(raw)
        if self._encoding == "quoted-printable":
            raw = self._rest + raw
            end = raw.rfind(b"\n") + 1  # blanks and soft breaks are told at a line's end
            if not end and len(raw) > _LONGEST_LINE:
                end = len(raw.rstrip(b" \t\r")) or len(raw)
                escape = raw.find(b"=", max(end - 2, 0), end)
                end = end if escape < 0 else len(raw[:escape].rstrip(b" \t\r"))
            self._rest = raw[end:]
            return _quoted_printable(raw[:end])
        if self._encoding == "x-uuencode":  # rare, and small: from before MIME
            self._rest += raw
            return b""
        return raw

    def finish(self) -> bytes:
        """Decode what is left."""
        rest, self._rest = self._rest, b""
        if self._encoding == "base64":
            return self._base64.feed(b"", last=True)
        if self._encoding == "quoted-printable":
            return _quoted_printable(rest)
        return _uuencoded(rest)[0] if self._encoding == "x-uuencode" else b""
