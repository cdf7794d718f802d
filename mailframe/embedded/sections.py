"""Which bytes of a message ``BODY[…]`` means: RFC 3501 section 6.4.5."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailframe.embedded.entities import Entity

__all__ = ["Section", "content_of", "header_content", "partial"]

_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]++")
_SPECIAL = re.compile(rb'["\\]')


@dataclass(frozen=True, slots=True)
class Section:
    r"""What stands between the brackets of ``BODY[1.2.HEADER.FIELDS (From To)]``.

    Attributes
    ----------
    path
        Part numbers from the message on; empty for the message itself.
    text
        ``HEADER``, ``TEXT``, ``MIME``, ``HEADER.FIELDS`` or ``HEADER.FIELDS.NOT``; empty for the
        body of a part, or all of the message.
    names
        Of header fields, in any case.
    """

    path: tuple[int, ...] = ()
    text: str = ""
    names: tuple[bytes, ...] = ()

    def label(self) -> bytes:
        """Give the name it has in a reply; field names are in upper case, as Dovecot has them.

        Examples
        --------
        >>> Section((1, 2), "HEADER.FIELDS", (b"From", b"To")).label()
        b'BODY[1.2.HEADER.FIELDS (FROM TO)]'
        """
        words = [*map(str, self.path), self.text] if self.text else map(str, self.path)
        what = ".".join(words).encode("ascii")
        names = b" ".join(map(_astring, self.names))
        return b"BODY[%b (%b)]" % (what, names) if names else b"BODY[%b]" % what


def content_of(raw: bytes, root: Entity, section: Section) -> bytes | None:
    """Cut a section out of a message.

    Parameters
    ----------
    raw
        The message.
    root
        Its entities, by `find_entities`.
    section
        Which bytes.

    Returns
    -------
    bytes or None
        None if there is no such part. RFC 3501 has no word for it: Dovecot then answers with an
        empty string (``BODY[9] {0}``), others with NIL.
    """
    part = _find(root, section.path)
    if part is None:
        return None
    if section.text == "MIME":
        # Of a message's only part, ``BODY[1.MIME]`` is the header of the message.
        return raw[part.start : part.body]
    if not section.text:
        return raw[part.body if section.path else part.start : part.end]
    # The others are of messages: this one, or the one inside the part.
    message = part.message if section.path else part
    return None if message is None else _of_message(raw, message, section)


def _of_message(raw: bytes, message: Entity, section: Section) -> bytes:
    if section.text == "TEXT":
        return raw[message.body : message.end]
    header = raw[message.start : message.body]
    is_ended = header.endswith((b"\n\r\n", b"\n\n")) or header in {b"\r\n", b"\n"}
    if section.names and not is_ended and message.body < len(raw):
        # A delimiter has cut off the empty line, and the line break before it.
        header += b"\r\n" if header.endswith(b"\n") or not header else b"\r\n\r\n"
    return header_content(header, section)


def header_content(header: bytes, section: Section) -> bytes:
    r"""Pick fields out of a header.

    Parameters
    ----------
    header
        With the empty line that ends it, or up to the end of the message.
    section
        ``HEADER``, ``HEADER.FIELDS`` or ``HEADER.FIELDS.NOT``; the path does not count.

    Returns
    -------
    bytes
        The fields as they are, in their order, and an empty line.

    Examples
    --------
    >>> header = b"From: Ann\r\nTo: Ben\r\nSubject: Hi\r\n\r\n"
    >>> header_content(header, Section((), "HEADER.FIELDS", (b"to", b"from")))
    b'From: Ann\r\nTo: Ben\r\n\r\n'
    """
    if section.text == "HEADER":
        return header
    chosen = _chosen(section.names)
    if section.text == "HEADER.FIELDS":
        return b"".join([*(field[0] for field in chosen.finditer(header)), b"\r\n"])
    return chosen.sub(b"", header)


def partial(content: bytes, offset: int, length: int) -> bytes:
    """Cut out ``<offset.length>``; beyond the end there is nothing.

    Examples
    --------
    >>> partial(b"Hello", 3, 10), partial(b"Hello", 10, 10)
    (b'lo', b'')
    """
    return content[offset : offset + length]


def _find(root: Entity, path: tuple[int, ...]) -> Entity | None:
    """Follow part numbers; those of a message inside a part go on behind the part's own."""
    here: Entity | None = root
    parts_of: Entity | None = root
    for number in path:
        if parts_of is None:
            return None
        if parts_of.content_type.is_multipart:
            parts = parts_of.children
            here = parts[number - 1] if 0 < number <= len(parts) else None
        else:
            # A message that is no multipart has one part, which is its body.
            here = parts_of if number == 1 else None
        if here is None:
            return None
        # What further numbers count: the parts of this part, or of the message inside it.
        parts_of = here if here.content_type.is_multipart else here.message
    return here


@lru_cache(maxsize=256)  # a client asks for the same fields of every message
def _chosen(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Make the expression that finds fields with their folded lines."""
    either = b"|".join(map(re.escape, dict.fromkeys(name.lower() for name in names)))
    return re.compile(
        rb"^(?:%b)[ \t]*+:.*+(?:\n[ \t].*+)*+\n?" % either, re.IGNORECASE | re.MULTILINE
    )


def _astring(name: bytes) -> bytes:
    name = name.upper()
    return name if _ATOM.fullmatch(name) else b'"%b"' % _SPECIAL.sub(rb"\\\g<0>", name)
