"""BODYSTRUCTURE -> a tree of Parts (RFC 3501 section 7.4.2), and whether it can be trusted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mailframe.exceptions import ProtocolError
from mailframe.imap.items import read_number
from mailframe.imap.responses import Unread
from mailframe.parsing import decode_words, join_parameters, parse_content_type
from mailframe.parsing.headers import unfold
from mailframe.records import Part

if TYPE_CHECKING:
    from mailframe.imap.responses import Token
    from mailframe.records import Headers

__all__ = ["doubt_of_content", "doubt_of_header", "parse_bodystructure", "suspicion"]

#: Deeper than any mail; Python's stack would bear about a thousand.
MAX_DEPTH = 100
# Places of the extension data (RFC 3501: body-ext-1part), after the basic fields.
_BASIC_FIELDS = 7
# Dovecot gives a Content-Type that it cannot read as "" "".
_UNTYPED = "application/x-unknown"


def parse_bodystructure(token: Token) -> Part:
    """Read a BODYSTRUCTURE.

    Parameters
    ----------
    token
        As `responses.parse_tokens` reads it.

    Returns
    -------
    Part
        The tree, without content. A message/rfc822 is a leaf.

    Raises
    ------
    ProtocolError
        If it has another form.
    """
    return _part(token.read() if isinstance(token, Unread) else token, "", depth=0)


def suspicion(root: Part, headers: Headers, content_type: str | None) -> str:
    """Say why a structure may not be what the message says, or nothing.

    A server's MIME parser guesses where a message is damaged, and BODYSTRUCTURE hides that it
    guessed. These are the signs, measured on collections of damaged mail; such a message is read
    whole and parsed here.

    Parameters
    ----------
    root
        From BODYSTRUCTURE.
    headers
        Of the same message.
    content_type
        Its Content-Type field; None when it has none.
    """
    return doubt_of_header(root.content_type, headers, content_type) or _doubt_of_parts(root)


def doubt_of_header(described: str, headers: Headers, content_type: str | None) -> str:
    """Say what in the header speaks against a structure: see `suspicion`.

    Parameters
    ----------
    described
        The type that the structure gives the message.
    headers, content_type
        As for `suspicion`.
    """
    if headers.from_ is None or headers.date is None:
        return "no From or Date"
    declared = (content_type or "text/plain").partition(";")[0].strip().lower()
    if declared != described and content_type:
        declared = parse_content_type(content_type)[0]
    return "" if declared == described else f"declared {declared}, described as {described}"


def doubt_of_content(root: Part, part: Part, raw: bytes) -> str:
    """Say why a part's content may not be all that the message has of it, or nothing.

    A page of HTML without its end: what stood behind it on a line with a boundary, as in
    ``--boundary--</BODY></HTML>``, is to some servers the epilogue and to the sender the page.

    Parameters
    ----------
    root
        The message's structure.
    part
        A leaf of it.
    raw
        All of its content, as encoded.
    """
    if part.content_type != "text/html" or part.encoding == "base64" or not root.is_multipart:
        return ""
    page = raw.lower().replace(b"=\r\n", b"")
    begun = b"<html" in page or b"<body" in page
    ended = b"</html" in page or b"</body" in page
    return f"the page in part {part.number} has no end" if begun and not ended else ""


def _doubt_of_parts(root: Part) -> str:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        waiting += part.parts
        doubt = _doubt(part)
        if doubt:
            return doubt
    return ""


def _doubt(part: Part) -> str:
    if part.is_multipart:
        if len(part.parts) < 2:  # noqa: PLR2004 one part alone needs no multipart
            return f"multipart {part.number or 'at the top'} of one part"
        if part.boundary is None:
            return f"multipart {part.number or 'at the top'} without boundary"
    elif part.content_type == _UNTYPED:
        return f"the type of part {part.number} cannot be read"
    elif part.size == 0:
        return f"part {part.number} is empty"
    elif part.filename and ("." not in part.filename or set(part.filename) & set("/\\")):
        # Without quotes, servers end a name at its first blank or slash.
        return f"the name of part {part.number} may be cut"
    return ""


def _part(token: Token, number: str, depth: int) -> Part:
    if not isinstance(token, list) or not token or depth > MAX_DEPTH:
        raise ProtocolError("A BODYSTRUCTURE of the server cannot be read.")
    if isinstance(token[0], list):
        return _multipart(token, number, depth)
    return _leaf(token, number or "1")


def _multipart(token: list[Token], number: str, depth: int) -> Part:
    children = 0
    while children < len(token) and isinstance(token[children], list):
        children += 1
    prefix = f"{number}." if number else ""
    parts = tuple(
        _part(child, f"{prefix}{place}", depth + 1)
        for place, child in enumerate(token[:children], start=1)
    )
    subtype, parameters, disposition = _fields(token, children, 3)
    declared = _parameters(parameters)
    kind, _ = _disposition(disposition)
    return Part(
        number=number,
        content_type=f"multipart/{_text(subtype).lower() or 'mixed'}",
        parts=parts,
        boundary=declared.get("boundary"),
        disposition=kind,
    )


def _leaf(token: list[Token], number: str) -> Part:
    media, subtype, parameters, content_id, _, encoding, octets = _fields(token, 0, _BASIC_FIELDS)
    media_type = _media_type(_text(media), _text(subtype))
    size = read_number(octets)
    if size is None:
        raise ProtocolError("A BODYSTRUCTURE of the server gives a part no size.")
    declared = _parameters(parameters)
    # text/* has a line count behind the size, message/rfc822 envelope, structure and line count.
    extension = _BASIC_FIELDS
    subject = None
    if media_type.startswith("text/"):
        extension += 1
    elif media_type in {"message/rfc822", "message/global"} and len(token) > extension + 2:
        subject = _subject(token[_BASIC_FIELDS])
        extension += 3
    kind, about = _disposition(token[extension + 1] if len(token) > extension + 1 else None)
    return Part(
        number=number,
        content_type=media_type,
        charset=declared["charset"].lower() or None if "charset" in declared else None,
        encoding=_text(encoding).strip().lower() or "7bit",
        disposition=kind,
        filename=about.get("filename") or declared.get("name"),
        content_id=_text(content_id).strip().strip("<>") or None if content_id else None,
        size=size,
        format=_format(declared) if "format" in declared else None,
        subject=subject,
    )


def _subject(envelope: Token) -> str | None:
    """Read the subject of a message within the message (RFC 3501 section 7.4.2, ENVELOPE)."""
    if not isinstance(envelope, list) or len(envelope) < 2 or envelope[1] is None:  # noqa: PLR2004 date, subject
        return None
    return decode_words(unfold(_text(envelope[1])))


@lru_cache(maxsize=512)
def _media_type(media: str, subtype: str) -> str:
    # RFC 2045 section 5.2: what has no readable type is plain text.
    return (
        f"{media.lower() or 'text'}/{subtype.lower() or 'plain'}" if media or subtype else _UNTYPED
    )


def _fields(token: list[Token], start: int, count: int) -> list[Token]:
    """Return so many fields; extension data may end early."""
    found = token[start : start + count]
    return found if len(found) == count else found + [None] * (count - len(found))


def _parameters(token: Token) -> dict[str, str]:
    if not isinstance(token, list):
        return {}
    return _joined(tuple(map(_text, token)))


@lru_cache(maxsize=512)  # most are one charset or another
def _joined(words: tuple[str, ...]) -> dict[str, str]:
    return join_parameters(zip(words[::2], words[1::2], strict=False))


def _disposition(token: Token) -> tuple[str | None, dict[str, str]]:
    if token is None:
        return None, {}
    if isinstance(token, list) and token:
        kind, parameters = _fields(token, 0, 2)
        return _text(kind).strip().lower() or None, _parameters(parameters)
    # Some servers send the word without the list around it.
    return _text(token).strip().lower() or None, {}


def _format(parameters: dict[str, str]) -> str | None:
    if parameters["format"].lower() != "flowed":
        return None
    return "flowed delsp" if parameters.get("delsp", "").lower() == "yes" else "flowed"


def _text(token: Token) -> str:
    if isinstance(token, str):
        return token
    if not isinstance(token, bytes):
        return ""
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return token.decode("latin-1")
