"""RFC 2047 encoded words, as met, and raw 8-bit text in header fields."""

from __future__ import annotations

import binascii
import re

from mailframe.parsing.charsets import decode_bytes, scrub, to_octets

__all__ = ["decode_words"]

# RFC 2047 section 2, except that the text may hold blanks and question marks: senders put them.
_WORD = re.compile(r"=\?([^?\s]*)\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/]+")
_SEPARATOR = re.compile(r"[ \t\r\n]*\Z")


def _base64(text: bytes) -> bytes:
    """Decode a word's base64, whose padding is missing or doubled as often as not."""
    text = _BASE64_JUNK.sub(b"", text)
    if len(text) % 4 == 1:
        text = text[:-1]
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _plain(text: str, charset: str | None) -> str:
    """Decode what stands outside encoded words: ASCII, UTF-8 (RFC 6532), or anything."""
    if text.isascii():
        return scrub(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        octets = to_octets(text)
        try:
            return scrub(octets.decode())
        except UnicodeDecodeError:
            return decode_bytes(octets, charset).text
    return scrub(text)


def decode_words(raw: bytes | str, charset: str | None = None) -> str:
    """Decode an unfolded header text (RFC 2047, RFC 6532).

    Encoded words that follow each other in one charset are joined before they are decoded, because
    senders split characters of several bytes over two words (against RFC 2047 section 5).

    Parameters
    ----------
    raw
        The field's value: bytes, or text in which ``surrogateescape`` holds what is not UTF-8.
    charset
        Of the message, tried for raw 8-bit text that is not UTF-8.

    Returns
    -------
    str
        Never with lone surrogates or NULs.

    Examples
    --------
    >>> decode_words(b"=?utf-8?Q?Gr=C3=BC=C3?= =?utf-8?Q?=9Fe?= an alle")
    'Grüße an alle'
    """
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if "=?" not in text:
        return text if text.isascii() and "\0" not in text else _plain(text, charset)
    # No word starts behind the last end: looked for there, many beginnings would cost n² steps.
    limit = text.rfind("?=") + 2

    done: list[str] = []
    run: list[bytes] = []  # octets of adjacent words in one charset
    run_charset = ""
    position = 0
    for word in _WORD.finditer(text, 0, limit):
        between = text[position : word.start()]
        name = word[1].partition("*")[0].lower()  # RFC 2231 section 5: a language may follow
        adjacent = bool(run) and _SEPARATOR.match(between) is not None
        if run and not (adjacent and name == run_charset):
            done.append(decode_bytes(b"".join(run), run_charset).text)
            run.clear()
        if not adjacent:
            done.append(_plain(between, charset))
        octets = to_octets(word[3])
        if word[2] in "bB":
            run.append(_base64(octets))
        else:
            run.append(binascii.a2b_qp(octets, header=True))
        run_charset = name
        position = word.end()
    if run:
        done.append(decode_bytes(b"".join(run), run_charset).text)
    done.append(_plain(text[position:], charset))
    return "".join(done)
