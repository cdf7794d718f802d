"""UIDs -> records: headers and attachments, text, whole messages.

A message is read by part: its structure (BODYSTRUCTURE) says which part is the text, and only that
is fetched. Where the structure cannot be trusted the message is read whole and parsed here, up to
`WHOLE` bytes, so that both ways give the same answer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailframe.exceptions import MailframeError, MessageNotFoundError, ProtocolError
from mailframe.imap.bodystructure import parse_bodystructure, suspicion
from mailframe.imap.fetch import Request, fetch, fetch_ranges
from mailframe.imap.items import read_flags, read_internal_date, read_number, read_string
from mailframe.parsing import (
    Bodies,
    assemble_email,
    decode_content,
    parse_email,
    parse_headers,
    parse_structure,
    pick_parts,
    read_bodies,
)
from mailframe.records import Attachment, BodyRecord, Email, Headers, MessageRecord, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailframe.imap.connection import Connection, Selected
    from mailframe.imap.responses import Fetched
    from mailframe.parsing import Picked

__all__ = ["read_attachment", "read_email", "read_emails", "read_messages", "read_texts"]

log = logging.getLogger(__name__)

#: Messages read together; each batch is finished before its records are handed out, so that the
#: connection is free for whoever takes them.
BATCH = 2000
BODY_BATCH = 500
EMAIL_BATCH = 50
#: A message up to this size is read whole where its structure cannot be trusted.
WHOLE = 1 << 20
#: A text part up to this size is read in one piece, up to `LONGEST` in ranges, then cut.
PIECE = 4 << 20
LONGEST = 16 << 20

# What the headers frame shows. ENVELOPE has neither References nor List-Id, and servers' ENVELOPEs
# have bugs of their own.
_FIELDS = (
    b"BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO "
    b"REFERENCES LIST-ID LIST-UNSUBSCRIBE CONTENT-TYPE)]"
)
# Enough to tell whether a structure can be trusted.
_FEW_FIELDS = b"BODY.PEEK[HEADER.FIELDS (DATE FROM CONTENT-TYPE)]"
_FIELDS_NAME = "BODY[HEADER.FIELDS]"
_HEADER_NAME = "BODY[HEADER]"
_WHOLE_NAME = "BODY[]"
_BASE = b"FLAGS INTERNALDATE RFC822.SIZE"
_BASE_NAMES = frozenset({"UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE"})


_NO_BODIES = Bodies(None, None, "none", None, ())


@dataclass(slots=True, eq=False)
class _Seen:
    """One message while it is being read."""

    uid: int
    items: Fetched
    headers: Headers
    structure: Part | None
    whole: bytes | None
    defects: tuple[str, ...]

    @property
    def size(self) -> int | None:
        return read_number(self.items.get("RFC822.SIZE"))

    def picked(self) -> Picked | None:
        return None if self.structure is None else pick_parts(self.structure)


def read_messages(
    connection: Connection, uids: Sequence[int], *, headers: bool = True, structure: bool = True
) -> Iterator[MessageRecord]:
    """Read headers, flags and attachments.

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Distinct, in the order wanted.
    headers
        Read the header fields of the headers frame.
    structure
        Read the structure, for the attachments.

    Yields
    ------
    MessageRecord
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    for batch in _batches(connection, selected, uids, BATCH):
        fields = _FIELDS if headers else _FEW_FIELDS if structure else b""
        for seen in _look(connection, batch, fields, structure=structure):
            picked = seen.picked()
            yield MessageRecord(
                selected.account,
                selected.folder,
                selected.uidvalidity,
                seen.uid,
                flags=read_flags(seen.items.get("FLAGS")),
                internal_date=read_internal_date(seen.items.get("INTERNALDATE")),
                size=seen.size,
                headers=seen.headers,
                attachments=None if picked is None else picked.attachments,
                defects=seen.defects,
            )


def read_texts(
    connection: Connection, uids: Sequence[int], *, html: bool = False
) -> Iterator[BodyRecord]:
    """Read the text of messages; no attachment is downloaded for it.

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Distinct, in the order wanted.
    html
        Read the HTML as well, where there is text without it.

    Yields
    ------
    BodyRecord
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    for batch in _batches(connection, selected, uids, BODY_BATCH):
        seen = _look(connection, batch, _FEW_FIELDS, structure=True)
        contents = _contents(connection, seen, html=html)
        for one in seen:
            picked = one.picked()
            bodies = _NO_BODIES
            if picked is not None:
                bodies = read_bodies(picked, contents[one.uid], html=html)
            yield BodyRecord(
                selected.account,
                selected.folder,
                selected.uidvalidity,
                one.uid,
                text=bodies.text,
                html=bodies.html,
                text_source=bodies.text_source,
                charset=bodies.charset,
                truncated=picked is not None and _truncated(picked, html=html),
                defects=(*one.defects, *bodies.defects),
            )


def read_emails(connection: Connection, uids: Sequence[int], *, body: bool) -> Iterator[Email]:
    """Read messages as objects, with all their header fields; attachments without content.

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Distinct, in the order wanted.
    body
        Read text and HTML.

    Yields
    ------
    Email
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    for batch in _batches(connection, selected, uids, EMAIL_BATCH):
        seen = _look(connection, batch, b"BODY.PEEK[HEADER]", structure=True)
        contents = _contents(connection, seen, html=True) if body else {}
        for one in seen:
            email = assemble_email(
                one.whole if one.whole is not None else read_string(one.items.get(_HEADER_NAME)),
                one.structure,
                contents.get(one.uid, {}) if body else None,
                uid=one.uid,
                folder=selected.folder,
                flags=read_flags(one.items.get("FLAGS")),
                size=one.size or 0,
                defects=one.defects,
            )
            # One that was read whole is no different from the others.
            yield replace(email, attachments=tuple(map(_without_content, email.attachments)))


def read_email(connection: Connection, uid: int) -> Email:
    """Read one whole message, attachments included.

    Parameters
    ----------
    connection
        With the folder selected.
    uid
        The message.

    Raises
    ------
    MessageNotFoundError
        If there is none.
    """
    selected = connection.the_selected()
    if uid < 1:
        raise _not_found(selected, uid)
    request = Request([uid], b"FLAGS BODY.PEEK[]", frozenset({"UID", "FLAGS", _WHOLE_NAME}), WHOLE)
    [(_, found)] = fetch(connection, [request])
    if isinstance(found, MailframeError):
        raise found
    if found is None or found[_WHOLE_NAME] is None:
        raise _not_found(selected, uid)
    raw = read_string(found[_WHOLE_NAME])
    flags = read_flags(found["FLAGS"])
    return parse_email(raw, uid=uid, folder=selected.folder, flags=flags)


def read_attachment(connection: Connection, uid: int, part: str) -> Attachment:
    """Read one attachment with its content.

    Parameters
    ----------
    connection
        With the folder selected.
    uid
        The message.
    part
        IMAP part number, as the attachments frame gives it.

    Raises
    ------
    MessageNotFoundError
        If the message or the part is not there.
    """
    selected = connection.the_selected()
    seen = _look(connection, [uid], _FEW_FIELDS, structure=True) if uid > 0 else []
    if not seen or seen[0].structure is None:
        raise _not_found(selected, uid)
    root = seen[0].structure
    found = [a for a in pick_parts(root, with_content=True).attachments if a.part == part]
    if not found:
        raise MessageNotFoundError(
            f"Message {uid} in {selected.folder!r} has no attachment {part[:20]!r}.",
            suggestion="session.attachments() shows the part numbers.",
        )
    attachment = found[0]
    if attachment.content is not None:  # it was read whole
        return attachment
    raw = b"".join(fetch_ranges(connection, uid, part))
    content, _ = decode_content(_leaf(root, part), raw)
    return replace(attachment, content=content, size=len(content), size_exact=True)


# How a batch is read -----------------------------------------------------------------------------


def _look(
    connection: Connection, uids: Sequence[int], fields: bytes, *, structure: bool
) -> list[_Seen]:
    """Read what is needed to know each message: one command a chunk, and what needs a second look.

    A message that the server cannot describe, or describes in a way not to be trusted, is read
    again by itself: header alone, or whole.
    """
    name = _HEADER_NAME if fields == b"BODY.PEEK[HEADER]" else _FIELDS_NAME
    expected = _BASE_NAMES | ({name} if fields else set())
    items = b" ".join(filter(None, (_BASE, fields)))
    octets = {b"": 120, _FEW_FIELDS: 400}.get(fields, 1200)
    with_structure = Request(uids, items + b" BODYSTRUCTURE", expected | {"BODYSTRUCTURE"}, octets)
    without = Request(uids, items, expected, octets)
    got = dict(fetch(connection, [with_structure if structure else without]))
    undescribed = [uid for uid in uids if not isinstance(got[uid], dict)]
    if structure and undescribed:
        got |= dict(fetch(connection, [replace(without, uids=undescribed)]))
    refused = [answer for answer in got.values() if isinstance(answer, MailframeError)]
    if refused and len(refused) == len(uids):
        raise refused[0]
    seen = []
    for uid in uids:
        found = got[uid]
        if isinstance(found, MailframeError):
            defects = (f"the server does not show it: {found.reply}",)
            seen.append(_Seen(uid, {}, Headers(), None, None, defects))
        elif found is not None and not _is_void(found, name):
            block = read_string(found.get(name))
            seen.append(_Seen(uid, found, parse_headers(block, ("content-type",)), None, None, ()))
    if structure:
        _verify(connection, seen)
    return seen


def _is_void(found: Fetched, header: str) -> bool:
    """Whether the server describes a message that is not there any more.

    Dovecot does so until it notices that the file has gone: size 0, and no header at all.
    """
    return header in found and found[header] is None and read_number(found["RFC822.SIZE"]) == 0


def _verify(connection: Connection, seen: list[_Seen]) -> None:
    """Read each structure, and the message whole where that is not to be trusted."""
    doubts: dict[int, str] = {}
    for one in seen:
        if not one.items:
            continue
        doubt = ""
        try:
            one.structure = parse_bodystructure(one.items.get("BODYSTRUCTURE"))
            content_type = dict(one.headers.extra).get("content-type")
            doubt = suspicion(one.structure, one.headers, content_type)
        except ProtocolError as error:
            log.warning("%s", error)
            one.defects = ("the server cannot describe its parts",)
            doubt = one.defects[0]
        if doubt and (one.size or 0) <= WHOLE:
            doubts[one.uid] = doubt
        elif doubt:
            one.defects = (f"not verified: {doubt}",)
    if not doubts:
        return
    log.debug("reading %d messages whole: %s", len(doubts), doubts)
    sizes = [one.size or 0 for one in seen if one.uid in doubts]
    request = Request(
        list(doubts), b"BODY.PEEK[]", frozenset({"UID", _WHOLE_NAME}), sum(sizes) // len(sizes)
    )
    whole = dict(fetch(connection, [request]))
    for one in seen:
        found = whole.get(one.uid)
        raw = read_string(found[_WHOLE_NAME]) if isinstance(found, dict) else b""
        if one.uid in doubts and not raw:
            one.defects = (f"not verified: {doubts[one.uid]}",)
        elif raw:
            one.whole = raw
            one.structure = parse_structure(one.whole)
            one.headers = parse_headers(one.whole)


def _contents(
    connection: Connection, seen: Iterable[_Seen], *, html: bool
) -> dict[int, dict[str, bytes]]:
    """Fetch the text parts of messages, those of one shape in one command."""
    contents: dict[int, dict[str, bytes]] = {one.uid: {} for one in seen}
    shapes: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for one in seen:
        picked = one.picked()
        if picked is None or one.whole is not None:
            continue
        wanted = _wanted(picked, html=html)
        if any(part.size > PIECE for part in wanted):
            for part in wanted:
                contents[one.uid][part.number] = _capped(connection, one.uid, part.number)
        elif wanted:
            shape = tuple(part.number for part in wanted)
            size = sum(part.size for part in wanted)
            shapes.setdefault(shape, []).append((one.uid, size))
    requests = [_parts_request(shape, messages) for shape, messages in shapes.items()]
    for uid, found in fetch(connection, requests):
        for name, value in found.items() if isinstance(found, dict) else ():
            if name.startswith("BODY[") and isinstance(value, bytes):
                contents[uid][name[5:-1]] = value
    return contents


def _parts_request(shape: tuple[str, ...], messages: list[tuple[int, int]]) -> Request:
    items = b" ".join(b"BODY.PEEK[%b]" % number.encode("ascii") for number in shape)
    expected = frozenset({"UID", *(f"BODY[{number}]" for number in shape)})
    octets = sum(size for _, size in messages) // len(messages)
    return Request([uid for uid, _ in messages], items, expected, octets)


def _wanted(picked: Picked, *, html: bool) -> tuple[Part, ...]:
    """Name the parts to fetch: a text/html part may stand in both lists."""
    if not picked.text:
        return picked.html
    return (*picked.text, *picked.html) if html else picked.text


def _truncated(picked: Picked, *, html: bool) -> bool:
    return any(part.size > LONGEST and part.raw is None for part in _wanted(picked, html=html))


def _capped(connection: Connection, uid: int, section: str) -> bytes:
    content = bytearray()
    pieces = fetch_ranges(connection, uid, section)
    while len(content) < LONGEST and (piece := next(pieces, None)) is not None:
        content += piece
    return bytes(content[:LONGEST])


def _without_content(attachment: Attachment) -> Attachment:
    return replace(attachment, content=None)


def _leaf(root: Part, number: str) -> Part:
    part = root
    while part.number != number:
        part = next(p for p in part.parts if f"{number}.".startswith(f"{p.number}."))
    return part


def _not_found(selected: Selected, uid: int) -> MessageNotFoundError:
    return MessageNotFoundError(f"No message in {selected.folder!r} has the UID {uid}.")


def _batches(
    connection: Connection, selected: Selected, uids: Sequence[int], size: int
) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), size):
        # Whoever took the last batch's records may have opened another folder since.
        connection.return_to(selected.folder, selected.uidvalidity)
        yield uids[start : start + size]
