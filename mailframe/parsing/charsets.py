"""Bytes in a declared, a wrongly declared or no charset -> text.

One rule for header fields, parameters and bodies: what is declared is tried first, UTF-8 second
(strict, it is hardly ever right by accident), detection last. No lone surrogate and no NUL leaves.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "Decoded",
    "decode_bytes",
    "is_undeclared",
    "scrub",
    "to_octets",
    "whole_characters",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+()-]*")
_LONGEST_NAME = 40
_AROUND = " \t\"';,"  # what is left around a name by careless writers

# us-ascii counts as undeclared: BODYSTRUCTURE says it where the message says nothing
# (RFC 3501 section 7.4.2), and senders write it over anything.
_UNDECLARED = frozenset(
    {
        "",
        "8bit",
        "ansi_x3.4-1968",
        "ascii",
        "binary",
        "default",
        "none",
        "unknown",
        "unknown-8bit",
        "us-ascii",
        "x-user-defined",
    }
)

_ALIASES = {
    "ansi": "cp1252",
    "cswindows31j": "cp932",
    "gb_2312-80": "gb18030",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "koi8": "koi8_r",
    "ks_c_5601-1987": "cp949",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-mac-ce": "mac_latin2",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "x-sjis": "cp932",
}

# Python's tables of the two map a dozen characters otherwise than all mailers (a dash is a bar).
_MEANT = {"gb2312": "gb18030", "gbk": "gb18030"}

# Numbers that are written in many ways: win-1251, x-cp1251, windows1251; iso88591, 8859-1.
_PAGE = re.compile(r"(?:x-)?(?:windows|win|cp|ms|ibm)[-_ ]?(\d{3,4})")
_PART = re.compile(r"(?:x-)?(?:iso)?[-_ ]?8859[-_ ]?(\d{1,2})")

# What senders mean by the smaller name, as browsers read it (WHATWG Encoding section 4.2).
_SUPERSETS = {
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
    "iso8859-1": "cp1252",
    "iso8859-11": "cp874",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}

# No charsets of text, or dangerous to read as such: UTF-7 hides markup from every filter.
_REFUSED = frozenset(
    {
        "base64",
        "bz2",
        "charmap",
        "hex",
        "idna",
        "mbcs",
        "oem",
        "punycode",
        "quopri",
        "raw-unicode-escape",
        "rot13",
        "undefined",
        "unicode-escape",
        "utf-7",
        "uu",
        "zlib",
    }
)

# What mail without a declared charset is written in; detection among all of Python's codecs finds
# EBCDIC in short texts.
_DETECTABLE = [
    "cp1252",
    "cp1250",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
]
# With fewer letters beyond ASCII detection guesses (it reads Portuguese as Romanian), unless the
# text hardly has others; above the sample it only costs time.
_DETECTION_MINIMUM = 16
_FEW = 4
_DETECTION_SAMPLE = 20_000
_ASCII = bytes(range(128))

_C1 = re.compile(rb"[\x80-\x9f]")


class Decoded(NamedTuple):
    """Text, and how it was read.

    Attributes
    ----------
    text
        Without lone surrogates and NULs.
    charset
        The charset used, in lower case, as declared where that was right.
    defect
        What was wrong with the declaration; None if nothing was.
    """

    text: str
    charset: str
    defect: str | None


def scrub(text: str) -> str:
    """Replace NULs and lone surrogates by U+FFFD: no file format and no server takes them."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def to_octets(text: str) -> bytes:
    """Give the bytes that a surrogate-escaped header text was read from."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that escape nothing: only from a hostile caller
        return text.encode("utf-8", "replace")


def _codec(name: str) -> str | None:
    """Python's name of a charset; None if it is unknown or refused."""
    return _lookup(name) if len(name) <= _LONGEST_NAME else None  # nothing long in the cache


@lru_cache(maxsize=256)
def _lookup(name: str) -> str | None:
    if page := _PAGE.fullmatch(name):
        names = [_ALIASES.get(name, f"cp{page[1]}")]
    elif part := _PART.fullmatch(name):
        names = [f"iso8859-{part[1]}"]
    elif _NAME.fullmatch(name):
        names = [_ALIASES.get(name, name), name.removeprefix("x-")]
    else:
        return None
    for one in names:
        try:
            found = codecs.lookup(one).name
        except (LookupError, ValueError):
            continue
        return None if found in _REFUSED else _MEANT.get(found, found)
    return None


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except ValueError:  # UnicodeDecodeError, and what some codecs raise beside it
        return None


def _detect(data: bytes) -> tuple[str, str]:
    """Read bytes that are not UTF-8 and whose charset nobody says."""
    if b"\x1b$" in data or b"\x1b(" in data:
        text = _strict(data, "iso2022_jp_ext")
        if text is not None:
            return text, "iso-2022-jp"
    beyond = len(data.translate(None, _ASCII))
    if beyond >= _DETECTION_MINIMUM or (beyond >= _FEW and beyond * 2 > len(data)):
        # Imported here: it takes 60 ms, and hardly any message needs it.
        from charset_normalizer import from_bytes  # noqa: PLC0415 see above

        best = from_bytes(
            data[:_DETECTION_SAMPLE], cp_isolation=_DETECTABLE, preemptive_behaviour=False
        ).best()
        if best is not None:
            text = _strict(data, best.encoding)
            if text is not None:
                return text, best.encoding
    text = _strict(data, "cp1252")
    return (text, "windows-1252") if text is not None else (data.decode("latin-1"), "iso-8859-1")


def is_undeclared(charset: str | None) -> bool:
    """Say whether a charset that was declared says nothing: none, or ``us-ascii``."""
    return (charset or "").strip(_AROUND).lower() in _UNDECLARED


def decode_bytes(data: bytes, charset: str | None = None) -> Decoded:
    """Decode text in the charset declared, or in the one it is really in.

    Parameters
    ----------
    data
        The text's bytes, transfer encoding undone.
    charset
        As declared; None, and ``us-ascii``, mean undeclared.

    Returns
    -------
    Decoded
        The text, the charset it was read with, and a defect if the declared one did not do and
        that costs something: characters replaced, or bytes beyond ASCII in an unknown charset.

    Examples
    --------
    >>> decode_bytes("Grüße".encode("latin-1"), "ISO-8859-1").text
    'Grüße'
    >>> decode_bytes("Grüße".encode(), "x-unknown")
    Decoded(text='Grüße', charset='utf-8', defect='unknown charset x-unknown')
    """
    declared = (charset or "").strip(_AROUND).lower().removeprefix("charset=")
    defect = None
    if declared not in _UNDECLARED:
        codec = _codec(declared)
        if codec is not None:
            wider = _SUPERSETS.get(codec)
            if codec == "iso8859-1" and _C1.search(data):
                text = _strict(data, "cp1252")
            else:
                text = _strict(data, codec)
            if text is None and wider is not None:
                text = _strict(data, wider)
            if text is not None:
                return Decoded(scrub(text), declared, None)
            text = _strict(data, "utf-8")
            if text is not None:  # hardly ever by accident: nothing is lost
                return Decoded(scrub(text), "utf-8", None)
            # Mostly right and damaged somewhere: the rest can still be read.
            text = scrub(data.decode(codec, "replace"))
            return Decoded(text, declared, f"not {declared}")
        defect = f"unknown charset {declared[:40]}"
    if data.isascii() and b"\x1b" not in data:
        # Whatever the charset was, it did not matter, unless it writes all others in ASCII.
        if not ("utf-7" in declared and b"+" in data):
            defect = None
        return Decoded(scrub(data.decode("ascii")), "us-ascii", defect)
    text, used = _strict(data, "utf-8"), "utf-8"
    if text is None or b"\x1b$" in data:
        text, used = _detect(data)
    return Decoded(scrub(text), used, scrub(defect) if defect else None)


def whole_characters(data: bytes, charset: str | None = None) -> bytes:
    """Return text that was cut somewhere without a broken character at its end.

    Parameters
    ----------
    data
        The beginning of a text, transfer encoding undone.
    charset
        As declared; without a known one UTF-8 is supposed.

    Examples
    --------
    >>> whole_characters("Grü".encode()[:-1])
    b'Gr'
    """
    declared = (charset or "").strip(_AROUND).lower()
    codec = None if declared in _UNDECLARED else _codec(declared)
    decoder = codecs.getincrementaldecoder(codec or "utf-8")()
    try:
        text = decoder.decode(data)
    except ValueError:  # in another charset after all: nobody knows where its characters end
        return data
    pending, _ = decoder.getstate()
    data = data[: len(data) - len(pending)]
    return data[: -len("\r".encode(codec or "utf-8"))] if text.endswith("\r") else data
