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
_MIME = frozenset({b"mime-version", b"content-type"})
_MOST_FIELDS = 100  # of one name
_MOST_PEOPLE = 100_000  # octets of all address fields: 3,000 people
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
    people, room = dict.fromkeys(_PEOPLE, b"NIL"), _MOST_PEOPLE
    for key in _PEOPLE:
        found = [value[:room] for value in values.get(key, ())][:_MOST_FIELDS]
        people[key] = address_list(found)
        room = max(room - sum(map(len, found)), 0)
    for key in (b"sender", b"reply-to"):
        # Section 7.4.2: without them, or with empty ones, they are as From.
        if people[key] == b"NIL":
            people[key] = people[b"from"]
    last = {key: sent[-1] for key, sent in values.items()}
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
    return _Structure(raw, extended=extended).of_message(entity)


class _Structure:
    """Writes the structure of one message, from the outside in."""

    def __init__(self, raw: bytes, *, extended: bool) -> None:
        self.raw = raw
        self.extended = extended

    def of_message(self, message: Entity) -> bytes:
        """Write a message, the outermost or one within."""
        # RFC 2045 section 4: in what is not MIME, fields named Content- mean nothing.
        is_mime = any(name.lower() in _MIME for name, _ in message.fields)
        return self._of_entity(message, _content_fields(message.fields) if is_mime else {})

    def _of_entity(self, entity: Entity, content: dict[bytes, bytes]) -> bytes:
        is_multipart = entity.content_type.is_multipart
        words = self._multipart(entity) if is_multipart else self._leaf(entity, content)
        if self.extended:
            words += _extension(content)
        return b"(%b)" % b" ".join(words)

    def _multipart(self, entity: Entity) -> list[bytes]:
        parts = [self._of_entity(part, _content_fields(part.fields)) for part in entity.children]
        parts = parts or [_NOTHING % (_NO_EXTENSION if self.extended else b"")]
        kind = entity.content_type
        words = [b"".join(parts), string(kind.subtype)]
        return [*words, _parameters(kind.parameters)] if self.extended else words

    def _leaf(self, entity: Entity, content: dict[bytes, bytes]) -> list[bytes]:
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
            words += [_envelope(message.fields), self.of_message(message)]
        if message is not None or kind.is_text:
            words.append(b"%d" % self.raw.count(b"\n", entity.body, entity.end))
        return [*words, _text(content, b"md5")] if self.extended else words


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
