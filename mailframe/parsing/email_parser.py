"""RFC 5322 and MIME bytes -> Email.

The standard library's compat32 parser finds the parts; every value is decoded by this package, so
that a message read whole and one read by part agree.
"""

from __future__ import annotations

import re
from email import message
from email.feedparser import BytesFeedParser
from email.policy import compat32
from functools import cached_property
from typing import TYPE_CHECKING, cast

from mailframe.parsing.charsets import to_octets
from mailframe.parsing.headers import declared_charset, iter_fields, read_headers, unfold
from mailframe.parsing.message import Email
from mailframe.parsing.parameters import parse_content_type, parse_parameters
from mailframe.parsing.parts import Bodies, Picked, pick_parts, read_bodies
from mailframe.parsing.words import decode_words
from mailframe.records import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["assemble_email", "parse_email", "parse_structure"]

_LONE_LF = re.compile(rb"(?<!\r)\n")
_FROM_LINE = re.compile(rb">?From [^\r\n]*\r?\n")
# The standard library recurses a part; Python's stack ends at some 2,000 of them. No mail that a
# person sent has a tenth of this.
_DEEPEST = 100


_ENCODING = re.compile(r"[\s\"']*([^\s\"';()]+)")

# What the standard library noticed, in words.
_DEFECTS = {
    "CloseBoundaryNotFoundDefect": "multipart not closed",
    "FirstHeaderLineIsContinuationDefect": "header begins with a continuation",
    "MisplacedEnvelopeHeaderDefect": "envelope line within the header",
    "MissingHeaderBodySeparatorDefect": "no empty line behind the header",
    "NoBoundaryInMultipartDefect": "multipart without boundary",
    "StartBoundaryNotFoundDefect": "multipart without parts",
}


class _Entity(message.Message):
    """One part while the standard library parses.

    It differs from its base in what it tells the parser to descend into: a message/rfc822 is a
    leaf, and so is what lies too deep.
    """

    depth = 0
    _payload: object  # the base class' own; its get_payload would replace what is not ASCII

    def attach(self, payload: message.Message) -> None:  # type: ignore[override] # typeshed has a TypeVar
        """Note how deep a child lies before its header is read."""
        if isinstance(payload, _Entity):
            payload.depth = self.depth + 1
        super().attach(payload)

    def field(self, name: str) -> str | None:
        """Give the first field of that name, raw and unfolded."""
        return next((value for key, value in self.fields if key.lower() == name), None)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Every field in order, raw and unfolded."""
        return [
            (key.rstrip(" \t"), unfold(str(value).replace("\r\n", "\n")).strip())
            for key, value in self.raw_items()
        ]

    @cached_property
    def declared(self) -> tuple[str, dict[str, str]]:
        """Content-Type and its parameters (RFC 2045 section 5)."""
        default = self.get_default_type()
        value = self.field("content-type")
        return (default, {}) if value is None else parse_content_type(value, default)

    def get_content_type(self) -> str:
        """Hide from the parser what it would take apart in ways of its own."""
        kind = self.declared[0]
        if kind.startswith("message/") or (kind.startswith("multipart/") and self.too_deep):
            return "application/octet-stream"
        return kind

    def get_content_maintype(self) -> str:
        """Answer for the type that the parser may see."""
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: object = None) -> object:  # type: ignore[override] # has overloads
        """Read the boundary as every other parameter is read."""
        return self.declared[1].get("boundary", "").rstrip() or failobj

    @property
    def too_deep(self) -> bool:
        """True for what is not taken apart any more."""
        return self.depth >= _DEEPEST

    def octets(self) -> bytes:
        """Give the content as it stands in the message."""
        payload = self._payload
        return to_octets(payload) if isinstance(payload, str) else b""


def _entity(raw: bytes) -> _Entity:
    raw = _FROM_LINE.sub(b"", raw, count=1) if raw.startswith((b"From ", b">From ")) else raw
    if raw.count(b"\n") != raw.count(b"\r\n"):
        raw = _LONE_LF.sub(b"\r\n", raw)
    parser = BytesFeedParser(_Entity, policy=compat32)
    parser.feed(raw)
    return cast("_Entity", parser.close())


def _part(entity: _Entity, number: str, defects: list[str]) -> Part:
    """Turn what the standard library found into a Part; the depth is bounded by `_DEEPEST`."""
    kind, parameters = entity.declared
    noticed = (type(one).__name__ for one in entity.defects)
    defects.extend(_DEFECTS[name] for name in noticed if name in _DEFECTS)
    # Asked for the text of a leaf, the standard library decodes it, and raises on odd charsets.
    payload = entity.get_payload() if entity.is_multipart() else None
    unfound = kind.startswith("multipart/") and parameters.get("boundary") and not entity.too_deep
    if isinstance(payload, list) or unfound:
        # A boundary that never comes: all of it is preamble (RFC 2046 section 5.1.1), no part.
        children = payload if isinstance(payload, list) else []
        prefix = f"{number}." if number else ""
        return Part(
            number,
            kind,
            tuple(
                _part(child, f"{prefix}{position}", defects)
                for position, child in enumerate(children, 1)
            ),
            boundary=parameters.get("boundary"),
        )
    if kind.startswith("multipart/"):
        if entity.too_deep:
            defects.append(f"parts nested deeper than {_DEEPEST}")
        # RFC 2046 section 5.1 knows no multipart without a boundary: read as what it looks like.
        kind = "text/plain"
    word = (entity.field("content-disposition") or "").strip()
    disposition, _, rest = word.partition(";")
    named = parse_parameters(rest)
    encoding = _ENCODING.match(entity.field("content-transfer-encoding") or "")
    content_id = entity.field("content-id")
    octets = entity.octets()
    flowed = parameters.get("format", "").lower() == "flowed"
    delsp = parameters.get("delsp", "").lower() == "yes"
    return Part(
        number or "1",
        kind,
        charset=parameters.get("charset", "").lower() or None,
        encoding=decode_words(encoding[1].lower()) if encoding else "7bit",
        disposition=decode_words(disposition.strip().lower()) or None,
        filename=named.get("filename") or parameters.get("name") or None,
        content_id=decode_words(content_id).strip("<> \t") or None if content_id else None,
        size=len(octets),
        raw=octets,
        format=("flowed delsp" if delsp else "flowed") if flowed else None,
    )


def parse_structure(raw: bytes) -> Part:
    r"""Read a message's MIME tree (RFC 2046 section 5, numbered by RFC 3501 section 6.4.5).

    Parameters
    ----------
    raw
        The message. Lone LF is read as CRLF.

    Returns
    -------
    Part
        The root. Every leaf has its encoded content in ``raw``; a message/rfc822 is a leaf.

    Examples
    --------
    >>> parse_structure(b"Subject: Hi\r\n\r\nHello").raw
    b'Hello'
    """
    return _part(_entity(raw), "", [])


def parse_email(
    raw: bytes, *, uid: int | None = None, folder: str | None = None, flags: tuple[str, ...] = ()
) -> Email:
    r"""Read a whole message. No bytes make it raise.

    Parameters
    ----------
    raw
        The message as it is stored (RFC 5322), with line ends of any kind.
    uid, folder, flags
        Where it was found, handed through.

    Returns
    -------
    Email
        ``text`` is None without a text/plain part; ``body`` is what the HTML says then.
        Attachments have their content. What was wrong stands in ``defects``.

    Examples
    --------
    >>> email = parse_email(b"From: Ann <ann@example.org>\r\nSubject: Hi\r\n\r\nHello")
    >>> email.sender, email.subject, email.body
    ('Ann <ann@example.org>', 'Hi', 'Hello')
    """
    entity = _entity(raw)
    found: list[str] = []
    root = _part(entity, "", found)
    return _assemble(
        entity.fields,
        root,
        {},
        uid=uid,
        folder=folder,
        flags=flags,
        size=len(raw) + raw.count(b"\n") - raw.count(b"\r\n"),
        defects=tuple(found),
        raw=raw,
    )


def assemble_email(
    header: bytes | None,
    structure: Part | None,
    contents: Mapping[str, bytes] | None,
    *,
    uid: int | None = None,
    folder: str | None = None,
    flags: tuple[str, ...] = (),
    size: int = 0,
    defects: tuple[str, ...] = (),
) -> Email:
    """Make an Email of what was read part by part; the counterpart of `parse_email`.

    Parameters
    ----------
    header
        The message's header block, or the message; None where there is none.
    structure
        Its tree; None where it could not be read.
    contents
        Encoded bodies by part number; None when bodies were not asked for.
    uid, folder, flags, size
        Where it was found, handed through; the size is in bytes.
    defects
        What was wrong so far.

    Returns
    -------
    Email
        An attachment has its content where the structure holds it.

    Examples
    --------
    >>> assemble_email(b"Subject: Hi", Part("1", "text/plain"), {"1": b"Hello"}).body
    'Hello'
    """
    fields, problems = iter_fields(header or b"")
    return _assemble(
        fields,
        structure,
        contents,
        uid=uid,
        folder=folder,
        flags=flags,
        size=size,
        defects=(*defects, *problems),
    )


def _assemble(
    fields: list[tuple[str, str]],
    structure: Part | None,
    contents: Mapping[str, bytes] | None,
    *,
    uid: int | None,
    folder: str | None,
    flags: tuple[str, ...],
    size: int,
    defects: tuple[str, ...],
    raw: bytes | None = None,
) -> Email:
    headers = read_headers(fields, defects=defects)
    picked = Picked((), (), ()) if structure is None else pick_parts(structure, with_content=True)
    bodies = Bodies(None, None, "none", None, ())
    if contents is not None:
        bodies = read_bodies(picked, contents, html=True)
    author = headers.from_[0] if headers.from_ else None
    charset = declared_charset(fields)
    return Email(
        uid=uid,
        folder=folder,
        subject=headers.subject,
        from_name=author.name if author else None,
        from_address=author.address if author else None,
        to=headers.to or (),
        cc=headers.cc or (),
        bcc=headers.bcc or (),
        reply_to=headers.reply_to or (),
        date=headers.date,
        message_id=headers.message_id,
        in_reply_to=headers.in_reply_to,
        references=headers.references or (),
        headers=tuple((decode_words(name), decode_words(value, charset)) for name, value in fields),
        text=bodies.text if bodies.text_source == "plain" else None,
        html=bodies.html,
        body=bodies.text or "",
        attachments=picked.attachments,
        flags=flags,
        size=size,
        structure=structure,
        defects=tuple(dict.fromkeys((*headers.defects, *bodies.defects))),
        raw=raw,
    )
