"""RFC 5322 and MIME bytes -> Email, and the same from what was read part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.parsing.headers import (
    declared_charset,
    decode_field,
    iter_fields,
    read_headers,
)
from mailframe.parsing.message import Email
from mailframe.parsing.mime import split_message
from mailframe.parsing.parts import Bodies, Picked, pick_parts, read_bodies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailframe.records import Part

__all__ = ["assemble_email", "parse_email", "parse_structure"]


def parse_structure(raw: bytes) -> Part:
    r"""Read a message's MIME tree (RFC 2046 section 5, numbered by RFC 3501 section 6.4.5).

    Parameters
    ----------
    raw
        The message, with line ends of any kind.

    Returns
    -------
    Part
        The root. Every leaf has its encoded content in ``raw``; a message/rfc822 is a leaf.

    Examples
    --------
    >>> parse_structure(b"Subject: Hi\r\n\r\nHello").raw
    b'Hello'
    """
    return split_message(raw).structure


def parse_email(
    raw: bytes,
    *,
    uid: int | None = None,
    folder: str | None = None,
    flags: tuple[str, ...] = (),
    uuencoded: bool = False,
) -> Email:
    r"""Read a whole message. No bytes make it raise.

    Parameters
    ----------
    raw
        The message as it is stored (RFC 5322), with line ends of any kind.
    uid, folder, flags
        Where it was found, handed through.
    uuencoded
        Take files that were written into the text in the manner from before MIME (``begin 644
        photo.gif``) out of it, as attachments. By default they stay: read by part a message has
        them there too, and every other reader shows them there.

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
    split = split_message(raw)
    return _assemble(
        split.fields,
        split.structure,
        {},
        uid=uid,
        folder=folder,
        flags=flags,
        size=split.size,
        defects=(*split.problems, *split.defects),
        raw=raw,
        uuencoded=uuencoded,
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
    >>> from mailframe.records import Part
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
    uuencoded: bool = False,
) -> Email:
    headers = read_headers(fields, defects=defects)
    picked, bodies = Picked((), (), ()), Bodies(None, None, "none", None, ())
    if structure is not None:
        picked = pick_parts(structure, with_content=True, uuencoded=uuencoded)
    if contents is not None:
        bodies = read_bodies(picked, contents, html=True, said=False, uuencoded=uuencoded)
    spoken = None
    if picked.spoken and contents is not None:
        spoken = read_bodies(picked, contents, html=False, uuencoded=uuencoded).text
    author = headers.from_[0] if headers.from_ else None
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
        headers=_decoded(fields),
        text=bodies.text,
        html=bodies.html,
        attachments=picked.attachments,
        flags=flags,
        size=size,
        structure=structure,
        defects=tuple(dict.fromkeys((*headers.defects, *bodies.defects))),
        raw=raw,
        _spoken=spoken,
    )


def _decoded(fields: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Decode all fields; names are ASCII (RFC 5322 section 2.2)."""
    # Most messages need no decoding: asking once saves a call for each field.
    values = "".join([value for _, value in fields])
    if values.isascii() and "=?" not in values and "\0" not in values:
        return tuple(fields)
    charset = None if values.isascii() else declared_charset(fields)
    return tuple([(name, decode_field(name, value, charset)) for name, value in fields])
