"""What a message is, in the words of IMAP: ENVELOPE, BODY and BODYSTRUCTURE.

RFC 3501 section 7.4.2. What it leaves open is done as Dovecot does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.embedded.addresses import address_list
from mailframe.embedded.fields import read_word, read_worded, read_words, split_fields, unfold
from mailframe.embedded.strings import nstring, readable, string

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.embedded.entities import Entity
    from mailframe.embedded.fields import Field, Parameters

__all__ = ["bodystructure", "envelope"]

_PEOPLE = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_IN_ENVELOPE = frozenset({b"date", b"subject", *_PEOPLE, b"in-reply-to", b"message-id"})
_CONTENT = len(b"content-")
# A multipart with no parts is not allowed: in place of them stands an empty text.
_NOTHING = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0%b)'
_NO_EXTENSION = b" NIL NIL NIL NIL"
_UNKNOWN = b'"application" "octet-stream"'


def envelope(header: bytes) -> bytes:
    r"""Write the ENVELOPE of a message.

    Parameters
    ----------
    header
        Of the message; what follows the empty line would be read as well.

    Returns
    -------
    bytes
        With its parentheses. Encoded words are as sent; of a repeated field the last counts, of
        addresses all.

    Examples
    --------
    >>> envelope(b"Subject: Hi\r\nFrom: ann@example.org\r\n\r\n")[:53]
    b'(NIL "Hi" ((NIL NIL "ann" "example.org")) ((NIL NIL "'
    """
    return _envelope(split_fields(header))


def _envelope(fields: Iterable[Field]) -> bytes:
    values: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        key = name.lower()
        if key in _IN_ENVELOPE:
            values.setdefault(key, []).append(unfold(value))
    people = {key: address_list(values[key]) if key in values else b"NIL" for key in _PEOPLE}
    for key in (b"sender", b"reply-to"):
        # Section 7.4.2: without them, or with empty ones, they are as From.
        if people[key] == b"NIL":
            people[key] = people[b"from"]
    last = {key: found[-1] for key, found in values.items()}
    subject = last.get(b"subject")
    words = (
        nstring(last.get(b"date")),
        nstring(None if subject is None else readable(subject)),
        *people.values(),
        nstring(last.get(b"in-reply-to")),
        nstring(last.get(b"message-id")),
    )
    return b"(%b)" % b" ".join(words)


def bodystructure(raw: bytes, entity: Entity, *, extended: bool) -> bytes:
    """Write BODYSTRUCTURE, or BODY, which is the same without extension data.

    Parameters
    ----------
    raw
        The message.
    entity
        Its entities, by `find_entities`.
    extended
        Whether it is BODYSTRUCTURE.
    """
    content = _content_fields(entity.fields)
    if entity.content_type.is_multipart:
        return b"(%b)" % _multipart(raw, entity, content, extended=extended)
    words = _leaf(raw, entity, content, extended=extended)
    if extended:
        words += [_text(content, b"md5"), *_extension(content)]
    return b"(%b)" % b" ".join(words)


def _content_fields(fields: tuple[Field, ...]) -> dict[bytes, bytes]:
    """Return the fields about the body, by what follows ``Content-``.

    The first of each counts, and of dispositions the last, in which Dovecot is followed.
    """
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if name[0] in b"Cc" and (key := name.lower()).startswith(b"content-"):
            if key == b"content-disposition":
                found.pop(b"disposition", None)
            found.setdefault(key[_CONTENT:], value)
    return found


def _multipart(raw: bytes, entity: Entity, content: dict[bytes, bytes], *, extended: bool) -> bytes:
    parts = [bodystructure(raw, part, extended=extended) for part in entity.children]
    parts = parts or [_NOTHING % (_NO_EXTENSION if extended else b"")]
    words = [b"".join(parts), string(entity.content_type.subtype)]
    if extended:
        words.append(_parameters(entity.content_type.parameters))
        words += _extension(content)
    return b" ".join(words)


def _leaf(
    raw: bytes, entity: Entity, content: dict[bytes, bytes], *, extended: bool
) -> list[bytes]:
    kind = entity.content_type
    parameters = kind.parameters
    message = entity.message
    if kind.is_text and kind.parameter(b"charset") is None:
        parameters += ((b"charset", b"us-ascii"),)  # RFC 2046 section 4.1.2
    words = [string(kind.kind), string(kind.subtype), _parameters(parameters)]
    if kind.is_message and message is None:
        words[:2] = [_UNKNOWN]  # nested too deep to be taken apart
    words += [_text(content, b"id"), _text(content, b"description")]
    encoding = read_word(content.get(b"transfer-encoding", b"")) or b"7bit"
    words += [string(encoding), b"%d" % (entity.end - entity.body)]
    if message is not None:
        words += [
            _envelope(message.fields),
            bodystructure(raw, message, extended=extended),
        ]
    if message is not None or kind.is_text:
        words.append(b"%d" % raw.count(b"\n", entity.body, entity.end))
    return words


def _extension(content: dict[bytes, bytes]) -> list[bytes]:
    """Write what multiparts and others share: disposition, language, location."""
    disposition = b"NIL"
    if b"disposition" in content:
        word, parameters = read_worded(content[b"disposition"])
        disposition = b"(%b %b)" % (string(word), _parameters(parameters))
    languages = [string(word) for word in read_words(content.get(b"language", b""))]
    return [
        disposition,
        b"(%b)" % b" ".join(languages) if languages else b"NIL",
        _text(content, b"location"),
    ]


def _text(content: dict[bytes, bytes], key: bytes) -> bytes:
    return string(unfold(content[key])) if key in content else b"NIL"


def _parameters(pairs: Parameters) -> bytes:
    words = [string(word) for pair in pairs for word in pair]
    return b"(%b)" % b" ".join(words) if words else b"NIL"
