"""RFC 2046: the bytes of a message -> its tree of Parts.

A splitter of our own, in one pass over the bytes. Lines are looked at only where a boundary may
stand, so an attachment of megabytes is passed over at the speed of ``bytes.find``, and there is an
end to depth and number of parts. The standard library's parser takes every line in hand, and
overflows Python's stack at 2,000 nested parts.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from mailframe.parsing.content import decode_content, meant_encoding
from mailframe.parsing.headers import iter_fields, parse_headers
from mailframe.parsing.parameters import parse_content_type, parse_parameters
from mailframe.parsing.words import decode_words
from mailframe.records import Part

__all__ = ["Split", "split_header", "split_message"]

#: What is nested deeper is not taken apart, and what follows so many parts belongs to the last one.
#: No mail that a person sent has a tenth of either; Dovecot ends at the same numbers.
DEEPEST = 100
MOST_PARTS = 10_000

# RFC 5322 section 2.2, with blanks before the colon (section 4.5) and, as mbox files leave them,
# a "From " line anywhere. What is neither field nor continuation ends the header.
_HEADER = re.compile(
    rb"(?:[!-9;-~]*+[ \t]*+:[^\n]*+(?:\n|\Z) | [ \t][^\n]*+(?:\n|\Z) | From[ ][^\n]*+(?:\n|\Z))*+",
    re.VERBOSE,
)
_BLANK_LINE = re.compile(rb"\r?\n")
# Above a header they say nothing; above anything else they say that there is no header.
_EMPTY_LINES = re.compile(rb"(?:\r?\n)++(?=[!-9;-~]++[ \t]*+:)")
_FROM_LINE = re.compile(rb">*+From [^\r\n]*+\r?\n")
# Lines that are no field, with a known one behind them and no delimiter in between.
_KNOWN_FIELD = (
    rb"(?:Received|From|To|Cc|Subject|Date|Message-ID|MIME-Version|Content-[a-z-]+)[ \t]*+:"
)
_DAMAGED_HEADER = re.compile(
    rb"(?:(?!--|\r?\n|%(known)b)[^\n]*+\n)++ %(known)b (?:(?!--|\r?\n)[^\n]*+(?:\n|\Z))*+"
    % {b"known": _KNOWN_FIELD},
    re.IGNORECASE | re.VERBOSE,
)
_SOMETHING = re.compile(rb"\s*+\S")
_LONE_LF = re.compile(rb"(?<!\r)\n")
_ENCODING = re.compile(r"(?:[\s\"'] | \([^()]*+\) )*+ ([^\s\"';()]+)", re.VERBOSE)

# Behind a delimiter nothing but blanks may follow (RFC 2046 section 5.1.1, "transport-padding").
_REST_OF_LINE = re.compile(rb"(--)?[ \t]*+\r?(?:\n|\Z)")
#: Lines that begin like a delimiter and are none, before an expression looks for the next true one.
_MOST_FALSE = 1_000

_NOWHERE = -1
_MESSAGES = frozenset({"message/rfc822", "message/global"})  # RFC 2046 section 5.2.1, RFC 6532
_SHORT = 200  # characters; what says more has names in it, and does not come again
_LOOKED_AT = 16 << 10  # bytes of a header within the message that are looked at


class _Declared(NamedTuple):
    """What a header says of its body (RFC 2045, RFC 2183)."""

    content_type: str
    boundary: str | None
    charset: str | None
    encoding: str
    disposition: str | None
    filename: str | None
    content_id: str | None
    format: str | None


@dataclass(slots=True)
class _Entity:
    """A message or a part: where its body lies, and the parts found in it.

    Attributes
    ----------
    end
        `_NOWHERE` until it is found.
    delimiter
        The line break, ``--`` and boundary that stand before each of its parts; None for a leaf.
    """

    number: str
    declared: _Declared
    start: int
    end: int = _NOWHERE
    children: list[_Entity] = field(default_factory=list)
    delimiter: bytes | None = None


class _Line(NamedTuple):
    """A line that parts two parts, or ends the last one."""

    place: int  # of the line break before it, which belongs to it
    end: int
    closes: bool


class Split(NamedTuple):
    """A message, taken apart.

    Attributes
    ----------
    fields
        Of its header: names as sent and raw values, unfolded.
    structure
        The root of the tree; every leaf has its encoded content in ``raw``.
    size
        Of the message in bytes, line ends counted as CRLF.
    problems
        What was wrong with the header, in a few words each.
    defects
        What was wrong with the structure.
    """

    fields: list[tuple[str, str]]
    structure: Part
    size: int
    problems: list[str]
    defects: list[str]


def split_message(raw: bytes) -> Split:
    """Take a message apart (RFC 5322 section 2.1, RFC 2046 section 5.1).

    Parameters
    ----------
    raw
        The message, with line ends of any kind.
    """
    return _Splitter(raw).split()


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    r"""Cut a message into its header and its body (RFC 5322 section 2.1).

    Parameters
    ----------
    raw
        The message, or as much of its beginning as holds the header.

    Returns
    -------
    tuple of bytes and bytes
        The header with the line end of its last field, the body without the empty line above it.

    Examples
    --------
    >>> split_header(b"Subject: Hi\r\n\r\nHello")
    (b'Subject: Hi\r\n', b'Hello')
    """
    raw = _with_lf(raw)
    header, body = _header_behind(raw)
    return header, raw[body:]


def _with_lf(raw: bytes) -> bytes:
    """Give lines ends with LF to what has only CR, as Macintoshes wrote before 2001."""
    return raw if b"\n" in raw else raw.replace(b"\r", b"\r\n")


def _header_behind(raw: bytes) -> tuple[bytes, int]:
    """Return the header of a message, behind what may stand above it, and where the body begins."""
    # Editors that save as UTF-8 put a mark before the first field.
    start = len(BOM_UTF8) if raw.startswith(BOM_UTF8) else 0
    if line := _FROM_LINE.match(raw, start):
        start = line.end()  # RFC 4155: mbox writes it above every message
    if empty := _EMPTY_LINES.match(raw, start):
        start = empty.end()
    return _header(raw, start, len(raw))


def _header(raw: bytes, start: int, limit: int) -> tuple[bytes, int]:
    """Return a header, and where the body begins."""
    found = _HEADER.match(raw, start, limit)
    end = found.end() if found else start
    blank = _BLANK_LINE.match(raw, end, limit)
    if blank is None and start < end < limit:
        # A line that is no field. If more fields follow, it is damage within a header, by whoever
        # wrapped its lines; if not, the empty line before the text is missing.
        rest = _DAMAGED_HEADER.match(raw, end, limit)
        last = raw.rfind(b"\n", start, end - 1) + 1  # of two fields at least
        if rest is not None and last > 0 and _SOMETHING.match(raw, last, end):
            end = rest.end()
            blank = _BLANK_LINE.match(raw, end, limit)
    return raw[start:end], blank.end() if blank else end


class _Splitter:
    """One message while it is taken apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw = _with_lf(raw)
        self.lone_lf = raw.count(b"\n") - raw.count(b"\r\n")
        self.open: list[_Entity] = []  # multiparts, each within the one before
        self.upcoming: dict[bytes, _Line | None] = {}  # the next line of each of their delimiters
        self.parts = 0
        self.defects: list[str] = []

    def split(self) -> Split:
        header, body = _header_behind(self.raw)
        fields, problems = iter_fields(header)
        root = _Entity("", _declared(fields, "text/plain"), body)
        self._enter(root)
        self._take_apart()
        structure = self._part(root)
        return Split(fields, structure, len(self.raw) + self.lone_lf, problems, self.defects)

    def _take_apart(self) -> None:
        """Find the parts of what is open, and theirs in turn (RFC 2046 section 5.1)."""
        position = self.open[0].start - 1 if self.open else 0
        while self.open:
            level, line = self._next(position)
            if line is None:
                if not self.raw.endswith(b"\n"):
                    self.defects.append("multipart not closed: it may be cut")
                break
            if self.parts >= MOST_PARTS and not line.closes:
                self.defects.append(f"more than {MOST_PARTS:,} parts")
                break
            # Whatever is open within ends here, closed or not.
            for one in self.open[level:]:
                if one.children and one.children[-1].end == _NOWHERE:
                    self._end(one.children[-1], line.place)
            self._leave(level + (not line.closes))
            position = line.end - 1
            if not line.closes:
                position = self._begin_part(line.end) - 1

    def _end(self, entity: _Entity, place: int) -> None:
        """Let an entity end before the line break that belongs to a delimiter."""
        raw, start = self.raw, entity.start
        end = max(place - (raw[place - 1 : place] == b"\r"), start)
        if (
            entity.declared.content_type in _MESSAGES
            and end > start
            and raw.find(b"\n\n", start, end) < 0
            and raw.find(b"\n\r\n", start, end) < 0
        ):
            # A message that is all header, as in delivery reports, keeps the line break: no field
            # is one without (RFC 5322 section 2.2). Dovecot counts it as well.
            end = place + 1
        entity.end = end

    def _begin_part(self, start: int) -> int:
        """Read the header of a part; return where its body begins."""
        owner = self.open[-1]
        self.parts += 1
        level, following = self._next(start - 1)
        if following and following.place == start - 1 and level == len(self.open) - 1:
            return start  # the delimiter twice, one below the other: there is no part in between
        # A header ends before the next delimiter at the latest.
        limit = following.place + 1 if following else len(self.raw)
        header, body = _header(self.raw, start, limit)
        prefix = f"{owner.number}." if owner.number else ""
        digest = owner.declared.content_type == "multipart/digest"  # RFC 2046 section 5.1.5
        default = "message/rfc822" if digest else "text/plain"
        declared = _declared(iter_fields(header)[0], default)
        entity = _Entity(f"{prefix}{len(owner.children) + 1}", declared, min(body, limit))
        owner.children.append(entity)
        self._enter(entity)
        return entity.start

    def _enter(self, entity: _Entity) -> None:
        """Look for parts in it from now on, if it is a multipart with a boundary."""
        boundary = entity.declared.boundary
        if boundary is None:
            return
        if len(self.open) >= DEEPEST:
            self.defects.append(f"parts nested deeper than {DEEPEST}")
            return
        delimiter = b"\n--" + boundary.encode("utf-8", "replace")
        line = self._find(delimiter, entity.start - 1)
        if line is None and delimiter[-1:].isspace():
            # RFC 2046 section 5.1.1 has no blank at its end; some declare one and write none.
            delimiter = delimiter.rstrip()
            line = self._find(delimiter, entity.start - 1)
        entity.delimiter = delimiter
        self.upcoming[delimiter] = line
        self.open.append(entity)

    def _leave(self, level: int) -> None:
        """Look no more for parts in the multiparts from this level on."""
        if len(self.open) > level:
            del self.open[level:]
            left = (one.delimiter or b"" for one in self.open)
            self.upcoming = {delimiter: self.upcoming[delimiter] for delimiter in left}

    def _next(self, position: int) -> tuple[int, _Line | None]:
        """Return the next delimiter, behind the level of the multipart whose it is."""
        nearest: _Line | None = None
        owner = b""
        for delimiter, upcoming in self.upcoming.items():
            line = upcoming
            if line is not None and line.place < position:
                line = self.upcoming[delimiter] = self._find(delimiter, position)
            if line is not None and (nearest is None or line.place <= nearest.place):
                nearest, owner = line, delimiter
        if nearest is None:
            return _NOWHERE, None
        # Several may have one boundary: then the inner one has it, which declared it last.
        return max(n for n, one in enumerate(self.open) if one.delimiter == owner), nearest

    def _find(self, delimiter: bytes, position: int) -> _Line | None:
        """Find the next line that is a delimiter and nothing else."""
        for _ in range(_MOST_FALSE):
            place = self.raw.find(delimiter, position)
            if place < 0:
                return None
            rest = _REST_OF_LINE.match(self.raw, place + len(delimiter))
            if rest is not None:
                return _Line(place, rest.end(), rest[1] is not None)
            position = place + 1
        line = re.compile(re.escape(delimiter) + _REST_OF_LINE.pattern)
        found = line.search(self.raw, position)
        return found and _Line(found.start(), found.end(), found[1] is not None)

    def _part(self, entity: _Entity) -> Part:
        """Turn what was found into a Part; the depth is bounded by `DEEPEST`."""
        declared, end = entity.declared, entity.end if entity.end >= 0 else len(self.raw)
        kind = declared.content_type
        if entity.delimiter is not None:
            if not entity.children and _SOMETHING.match(self.raw, entity.start, end):
                # Without its boundary all of it is preamble (RFC 2046 section 5.1.1).
                self.defects.append("multipart without parts: its text is not shown")
            return Part(
                entity.number,
                kind,
                tuple(map(self._part, entity.children)),
                boundary=declared.boundary,
            )
        if kind.startswith("multipart/"):
            # RFC 2046 section 5.1.1: a multipart has a boundary. Without, it is what it looks like.
            kind = "text/plain"
        raw = self.raw[entity.start : end]
        lone_lf = raw.count(b"\n") - raw.count(b"\r\n") if self.lone_lf else 0
        # To base64 line ends mean nothing.
        if lone_lf and meant_encoding(declared.encoding) != "base64":
            if lone_lf == raw.count(b"\n"):
                raw = raw.replace(b"\n", b"\r\n")  # a sixth of the time
            else:
                raw = _LONE_LF.sub(b"\r\n", raw)
            lone_lf = 0
        return Part(
            entity.number or "1",
            kind,
            charset=declared.charset,
            encoding=declared.encoding,
            disposition=declared.disposition,
            filename=declared.filename,
            content_id=declared.content_id,
            size=len(raw) + lone_lf,
            raw=raw,
            format=declared.format,
            subject=_own_subject(kind, declared.encoding, raw),
        )


def _declared(fields: list[tuple[str, str]], default: str) -> _Declared:
    """Read what a header says of its body; of a repeated field the first counts."""
    said: dict[str, str] = {}
    for name, value in fields:
        if name[0] in "Cc" and name[:8].lower() == "content-":
            said.setdefault(name[8:].lower(), value)
    get = said.get
    words = (get("type"), get("disposition"), get("transfer-encoding"), get("id"))
    declare = _declare_again if sum(len(word or "") for word in words) < _SHORT else _declare
    return declare(default, *words)


def _declare(
    default: str,
    content_type: str | None,
    disposition: str | None,
    encoding: str | None,
    content_id: str | None,
) -> _Declared:
    kind, parameters = (
        (default, {}) if content_type is None else parse_content_type(content_type, default)
    )
    word, _, rest = (disposition or "").strip().partition(";")
    found = _ENCODING.match(encoding or "")
    is_multipart = kind.startswith("multipart/")
    return _Declared(
        kind,
        boundary=parameters.get("boundary") or None if is_multipart else None,
        charset=parameters.get("charset", "").lower() or None,
        encoding=decode_words(found[1].lower()) if found else "7bit",
        disposition=decode_words(word.strip().lower()) or None,
        filename=parse_parameters(rest).get("filename") or parameters.get("name") or None,
        content_id=decode_words(content_id).strip("<> \t") or None if content_id else None,
        format=_format(parameters) if "format" in parameters else None,
    )


#: Most parts say one of few things.
_declare_again = lru_cache(maxsize=1_024)(_declare)


def _format(parameters: dict[str, str]) -> str | None:
    """Read the parameters of RFC 3676."""
    if parameters["format"].lower() != "flowed":
        return None
    return "flowed delsp" if parameters.get("delsp", "").lower() == "yes" else "flowed"


def _own_subject(kind: str, encoding: str, raw: bytes) -> str | None:
    """Read the subject of a message within a message (RFC 2046 section 5.2.1)."""
    if kind not in _MESSAGES:
        return None
    beginning = Part("", kind, encoding=encoding)
    return parse_headers(decode_content(beginning, raw[:_LOOKED_AT])[0]).subject
