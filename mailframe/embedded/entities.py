r"""RFC 2046: where in a message its header, its body and its parts lie.

IMAP shows a message as a tree of entities. Each has a header and a body; the body of a multipart is
made of parts, that of a message/rfc822 is a message of its own. Nothing is decoded or copied here:
an entity is a few offsets, which `sections` cuts along and `describe` puts into words.

`mailframe.parsing` takes messages apart as well, but for readers: it mends what senders broke, and
looks into no message within a message. A server shows what is there. It is also better for a client
and its test server to have no code in common.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from mailframe.embedded.fields import (
    ContentType,
    Field,
    end_of_header,
    read_content_type,
    split_fields,
)

__all__ = ["Entity", "find_entities"]

#: What is nested deeper is not taken apart, and what follows so many entities belongs to the last.
DEEPEST = 100
MOST_ENTITIES = 10_000

# What declares no type (RFC 2045 section 5.2), and a part of a digest (RFC 2046 section 5.1.5).
_PLAIN = ContentType(b"text", b"plain", ((b"charset", b"us-ascii"),))
_DIGESTED = ContentType(b"message", b"rfc822", ())


@dataclass(frozen=True, slots=True)
class Entity:
    """A message, or a part of one.

    Attributes
    ----------
    start
        Where its header begins.
    body
        Where its body begins, behind the empty line that ends the header.
    end
        Where its body ends; the line break before a delimiter belongs to the delimiter.
    fields
        Of its header, in order.
    content_type
        As declared, or the default.
    children
        The parts of a multipart, or the one message inside a message/rfc822.
    """

    start: int
    body: int
    end: int
    fields: tuple[Field, ...]
    content_type: ContentType
    children: tuple[Entity, ...] = ()

    @property
    def message(self) -> Entity | None:
        """The message inside a message/rfc822."""
        return self.children[0] if self.children and self.content_type.is_message else None


@dataclass(slots=True)
class _Unfinished:
    """An entity whose end has not been found.

    Attributes
    ----------
    delimiter
        What the lines between its parts begin with; empty where there are no parts to come.
    is_cut
        Whether its header ends where the next delimiter stands.
    upcoming
        Where the next of its delimiters stands, once it has been found.
    searched
        Up to where there is none.
    """

    start: int
    body: int
    fields: tuple[Field, ...]
    content_type: ContentType
    delimiter: bytes
    is_cut: bool
    upcoming: int = 0
    searched: int = 0
    children: list[Entity] = field(default_factory=list)


class _Line(NamedTuple):
    """A line that parts two parts, or ends the last one.

    Attributes
    ----------
    start
        Behind the line break that belongs to it.
    end
        Where the next line begins.
    level
        Of the multipart whose line it is, in the path.
    closes
        Whether no part follows.
    """

    start: int
    end: int
    level: int
    closes: bool


def find_entities(raw: bytes) -> Entity:
    r"""Find the entities of a message, those of messages within it too (RFC 2046 section 5).

    Parameters
    ----------
    raw
        The whole message, with CRLF line ends.

    Examples
    --------
    >>> message = find_entities(b"Subject: Hi\r\n\r\nHello\r\n")
    >>> message.start, message.body, message.end
    (0, 15, 22)
    """
    return _Finder(raw).find()


class _Finder:
    """One message while it is taken apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.path: list[_Unfinished] = []  # from the message to where we are
        self.entities = 0

    def find(self) -> Entity:
        last, line = None, self._begin(0, _PLAIN, None)
        while line is not None:
            # Whatever is open within ends here, closed or not. Behind a closing delimiter Dovecot
            # counts the line break to that one, so that it has a line break of its own.
            follows = last is not None and last.closes and last.end == line.start
            place = line.start if follows else self._before_line_break(line.start)
            self._end(line.level + 1, place, line.start)
            last, owner = line, self.path[-1]
            if line.closes:
                owner.delimiter = b""
                line = self._next_line(line.end)
            elif self.entities >= MOST_ENTITIES:
                break
            else:
                is_digest = owner.content_type.subtype.lower() == b"digest"
                default = _DIGESTED if is_digest else _PLAIN
                line = self._begin(line.end, default, self._next_line(line.end))
        self._end(1, len(self.raw), len(self.raw))
        return _finished(self.path[0], len(self.raw))

    def _begin(self, start: int, default: ContentType, following: _Line | None) -> _Line | None:
        """Begin an entity, and the message within it; return the next delimiter."""
        limit = following.start if following else len(self.raw)
        while True:
            entity = self._read_header(start, limit, default)
            self.path.append(entity)
            self.entities += 1
            if entity.delimiter:
                return self._next_line(entity.body)
            is_full = len(self.path) >= DEEPEST or self.entities >= MOST_ENTITIES
            if not entity.content_type.is_message or is_full:
                return following
            start, limit = entity.body, entity.body if entity.is_cut else limit
            default = _PLAIN

    def _read_header(self, start: int, limit: int, default: ContentType) -> _Unfinished:
        """Read a header, which ends before the next delimiter at the latest."""
        body = end_of_header(self.raw, start, limit)
        fields = split_fields(self.raw[start:body])
        content_type = _declared(fields, default)
        delimiter = b""
        if content_type.is_multipart and len(self.path) < DEEPEST - 1:
            delimiter = self._delimiter(content_type.parameter(b"boundary") or b"", body, limit)
        is_cut = start < body == limit < len(self.raw)
        if is_cut and delimiter and self.raw.startswith(delimiter, body):
            is_cut = False  # that one is its own: another's is the beginning of it
        if is_cut:
            # A line break before a delimiter belongs to the delimiter, of a header too.
            body = max(self._before_line_break(body), start)
        return _Unfinished(start, body, fields, content_type, delimiter, is_cut)

    def _delimiter(self, boundary: bytes, body: int, limit: int) -> bytes:
        """Return what the delimiter lines begin with; empty if no line can."""
        delimiter = b"--" + boundary
        if boundary[-1:].isspace() and self.raw.find(delimiter, body, limit + len(delimiter)) < 0:
            # RFC 2046 section 5.1.1 has no blank at its end; some declare one and write none.
            delimiter = delimiter.rstrip()
        return delimiter if delimiter != b"--" else b""

    def _end(self, level: int, place: int, line: int) -> None:
        """End everything from this level on, at the line break before a line."""
        while len(self.path) > level:
            entity = self.path.pop()
            self.path[-1].children.append(_finished(entity, max(place, entity.body)))
            if entity.is_cut:
                # A message that is all header, as in delivery reports, keeps the line break: no
                # field is one without (RFC 5322 section 2.2). Dovecot counts it as well.
                place = line

    def _before_line_break(self, start: int) -> int:
        """Return where the line before ends; its line break belongs to the delimiter."""
        end = start - 1
        return end - 1 if self.raw.startswith(b"\r", end - 1) else end

    def _next_line(self, position: int) -> _Line | None:
        """Find the next delimiter at the beginning of a line, from the one here on."""
        raw = self.raw
        nearest = nowhere = len(raw) + 1
        for one in self.path:
            if not one.delimiter:
                continue
            if one.upcoming < position:
                # Behind the delimiter of another that it is within, it will have ended.
                start, limit = max(position - 1, one.searched), nearest + len(one.delimiter)
                place = raw.find(b"\n" + one.delimiter, start, limit)
                if place < 0:
                    one.searched = nearest
                    continue
                one.upcoming = place + 1
            nearest = min(nearest, one.upcoming)
        return None if nearest == nowhere else self._line(nearest)

    def _line(self, start: int) -> _Line:
        """Say whose delimiter a line is.

        It has to begin with it; what else is there does not count (RFC 2046 section 5.1.1). Of
        several it is the one that fills the line; if none does, the longest, innermost one.
        """
        raw = self.raw
        end = raw.find(b"\n", start) + 1 or len(raw)
        text = raw[start : min(end, start + 1_000)].rstrip()
        best, delimiter = -1, b""
        for level in range(len(self.path) - 1, -1, -1):
            own = self.path[level].delimiter
            if not own or not raw.startswith(own, start):
                continue
            if text in {own, own + b"--"}:
                best, delimiter = level, own
                break
            if len(own) > len(delimiter):
                best, delimiter = level, own
        return _Line(start, end, best, raw.startswith(b"--", start + len(delimiter)))


def _declared(fields: tuple[Field, ...], default: ContentType) -> ContentType:
    """Read what a header says of its body; of a repeated field the first counts."""
    for name, value in fields:
        if name[0] in b"Cc" and name.lower() == b"content-type":
            return read_content_type(value)
    return default


def _finished(entity: _Unfinished, end: int) -> Entity:
    return Entity(
        entity.start,
        entity.body,
        end,
        entity.fields,
        entity.content_type,
        tuple(entity.children),
    )
