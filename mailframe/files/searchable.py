"""A message in a file, as criteria see it: read and parsed no further than they ask."""

from __future__ import annotations

import re
from functools import cached_property
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

from mailframe.parsing import (
    decode_content,
    decode_text,
    decode_words,
    parse_content_type,
    parse_headers,
    parse_structure,
    pick_parts,
    split_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mailframe.records import Part

__all__ = ["Searchable"]

_DELIMITER = re.compile(rb"^--([^\r\n]*+)\r?\n", re.MULTILINE)
_FOLD = re.compile(r"\r?\n[ \t]+")
# Messages within messages: mail bounced and forwarded five times over is searched that deep. Each
# step parses what is left once more, and a hostile message could have thousands.
_DEEPEST = 5


class Searchable:
    """A message's bytes as a `criteria.Candidate`.

    Parameters
    ----------
    uid, number, flags, internal_date, labels
        See `criteria.Candidate`.
    read
        Returns the whole message. Called once, and only for what is behind the header.
    size
        In bytes, with CRLF line ends; or a function that works it out when it is asked for.
    read_header
        Returns the message's beginning, down to the end of its header at least; by default the
        whole message is read.
    """

    def __init__(
        self,
        uid: int,
        number: int,
        read: Callable[[], bytes],
        *,
        flags: frozenset[str],
        size: int | Callable[[], int],
        internal_date: datetime | None,
        labels: Sequence[str] = (),
        read_header: Callable[[], bytes] | None = None,
    ) -> None:
        self.uid = uid
        self.number = number
        self.flags = flags
        self.internal_date = internal_date
        self._read = read
        self._read_header = read_header
        self._size = size
        self._labels = labels

    @cached_property
    def size(self) -> int:
        """In bytes, with CRLF line ends (RFC822.SIZE)."""
        return self._size if isinstance(self._size, int) else self._size()

    @cached_property
    def sent_date(self) -> datetime | None:
        """The Date field, in the zone it was sent in; None when it cannot be read."""
        return parse_headers(self._fields("date")).date

    @cached_property
    def has_attachment(self) -> bool:
        """Whether it has attachments that are not inline."""
        return any(not one.inline for one in pick_parts(self._structure).attachments)

    def labels(self) -> Sequence[str]:
        """Gmail's labels; empty where the source has none."""
        return self._labels

    def field(self, name: str) -> Sequence[str]:
        """Give the values of every header field with that lower-case name, decoded."""
        return [value for _, value in parse_headers(self._fields(name), (name,)).extra]

    def addresses(self, name: str) -> Sequence[str]:
        """Give the addresses of from, to, cc or bcc as ``Name <address>`` or ``<address>``."""
        headers = parse_headers(self._fields(name))
        found = {"from": headers.from_, "to": headers.to, "cc": headers.cc, "bcc": headers.bcc}
        return [f"{one.name or ''} <{one.address or ''}>".lstrip() for one in found[name] or ()]

    def header_text(self) -> str:
        """Give the whole header, decoded, a line a field."""
        return _decoded(self._header)

    def part_headers(self) -> str:
        """Give the headers of its parts, and of messages within it, in the same way."""
        return "\n".join(_part_headers(self._raw, self._structure, _DEEPEST))

    def body_text(self) -> str:
        """Give every text in it, decoded: attached ones and those of messages within it too."""
        return "\n".join(_texts(self._structure, _DEEPEST))

    @cached_property
    def _raw(self) -> bytes:
        return self._read()

    @cached_property
    def _header(self) -> bytes:
        if self._read_header is None or "_raw" in self.__dict__:
            return split_header(self._raw)[0]
        return split_header(self._read_header())[0]

    @cached_property
    def _structure(self) -> Part:
        return parse_structure(self._raw)

    def _fields(self, name: str) -> bytes:
        """Cut out the fields with that name, for a header is long and few of it are asked for."""
        found = list(_fields(self._header, name))
        if name != "content-type" and not all(map(bytes.isascii, found)):
            # Text that is neither ASCII nor UTF-8 is most likely written as the body is.
            found += _fields(self._header, "content-type")
        return b"\n".join(found)


# A field and the lines that continue it, once its name has been found.
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+")


def _fields(header: bytes, name: str) -> Iterator[bytes]:
    """Find fields by name: 25 times as fast as an expression that has to look at every byte."""
    lowered = b"\n" + header.lower()
    start = b"\n" + name.encode()
    position = lowered.find(start)
    while position >= 0:
        found = _FIELD.match(header, position)
        if found and found[0][len(start) - 1 :].lstrip(b" \t").startswith(b":"):
            yield found[0]
        position = lowered.find(start, position + 1)


def _decoded(header: bytes) -> str:
    """Decode a header line by line, those that are no field too: a server searches them as well."""
    text = _FOLD.sub(" ", header.decode("utf-8", "surrogateescape")).replace("\r\n", "\n")
    if text.isascii() and "=?" not in text and "\0" not in text:
        return text
    field = next(_fields(header, "content-type"), b"").decode("ascii", "replace")
    kind = _FOLD.sub(" ", field.partition(":")[2])
    charset = parse_content_type(kind)[1].get("charset")
    return "\n".join(decode_words(line, charset) for line in text.split("\n"))


def _leaves(root: Part) -> Iterator[Part]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting.extend(reversed(part.parts))
        else:
            yield part


def _is_message(part: Part) -> bool:
    return part.content_type in {"message/rfc822", "message/global"}


def _texts(root: Part, depth: int) -> Iterator[str]:
    """Give what is text, whether shown or attached; what is none cannot be searched."""
    for part in _leaves(root):
        raw = part.raw or b""
        if _is_message(part):
            if depth:
                yield from _texts(parse_structure(decode_content(part, raw)[0]), depth - 1)
        elif part.content_type.startswith(("text/", "message/")):
            text = decode_text(part, raw)[0]
            yield text
            # Servers search the markup. A word is looked for as it is read, though: in Outlook's
            # HTML "Grüße" is "Gr&uuml;&szlig;e".
            if part.content_type == "text/html" and (read := unescape(text)) != text:
                yield read


def _part_headers(raw: bytes, root: Part, depth: int) -> Iterator[str]:
    """Give the block behind every boundary, and the headers of messages within the message."""
    starts = list(_delimited(raw, root))
    for start, end in pairwise([*starts, len(raw)]):
        yield _decoded(_part_header(raw[start:end]))
    for part in _leaves(root):
        if _is_message(part) and depth:
            inner = decode_content(part, part.raw or b"")[0]
            yield _decoded(split_header(inner)[0])
            yield from _part_headers(inner, parse_structure(inner), depth - 1)


def _part_header(raw: bytes) -> bytes:
    """Cut a part at the empty line behind its header; it may have none (RFC 2046 section 5.1)."""
    return b"" if raw.startswith((b"\n", b"\r\n")) else split_header(raw)[0]


def _delimited(raw: bytes, root: Part) -> Iterator[int]:
    """Give where parts begin: behind the lines of boundaries (RFC 2046 section 5.1.1)."""
    boundaries = set(_boundaries(root))
    for line in _DELIMITER.finditer(raw) if boundaries else ():
        if line[1].rstrip() in boundaries:
            yield line.end()


def _boundaries(root: Part) -> Iterator[bytes]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        waiting.extend(part.parts)
        if part.boundary:
            yield part.boundary.rstrip().encode()
