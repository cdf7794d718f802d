"""UIDs -> records: headers and attachments, text, whole messages.

A message is read by part: its structure (BODYSTRUCTURE) says which part is the text, and only that
is fetched. Where the structure cannot be trusted the message is read whole and parsed here, up to
`WHOLE` bytes, so that both ways give the same answer.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from mailframe.exceptions import MailframeError, MessageNotFoundError
from mailframe.imap.fetch import Request, fetch, fetch_ranges
from mailframe.imap.items import read_flags, read_string
from mailframe.imap.overview import (
    ALL_FIELDS,
    FEW_FIELDS,
    HEADER,
    NO_FIELDS,
    WHOLE,
    WHOLE_NAME,
    look,
)
from mailframe.parsing import (
    Bodies,
    assemble_email,
    decode_content,
    parse_email,
    pick_parts,
    read_bodies,
)
from mailframe.records import Attachment, BodyRecord, MessageRecord, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mailframe.imap.connection import Connection, Selected
    from mailframe.imap.overview import Fields, Overview
    from mailframe.parsing import Email, Picked

__all__ = [
    "READ",
    "fields_for",
    "read_attachment",
    "read_email",
    "read_emails",
    "read_messages",
    "read_previews",
    "read_texts",
]

log = logging.getLogger(__name__)

#: Messages read together; each batch is finished before its records are handed out, so that the
#: connection is free for whoever takes them.
BATCH = 2000
BODY_BATCH = 2000
EMAIL_BATCH = 50
#: A text part up to this size is read in one piece, up to `LONGEST` in ranges, then cut.
PIECE = 4 << 20
LONGEST = 16 << 20


#: What `read_messages` reads for each `What`.
READ: Mapping[str, dict[str, bool]] = {
    "headers": {"headers": True, "structure": True},
    "recipients": {"headers": True, "structure": False},
    "attachments": {"headers": False, "structure": True},
    "dates": {"headers": False, "structure": False},
    "fields": {"headers": False, "structure": False},
}
# RFC 8970 section 3.1: 200 characters at most, which may take three octets each.
_PREVIEW_OCTETS = 300
#: Part numbers, and whether only the beginning of that part is read.
_Shape: TypeAlias = tuple[tuple[str, bool], ...]

_NO_BODIES = Bodies(None, None, "none", None, ())


def read_messages(
    connection: Connection,
    uids: Sequence[int],
    *,
    headers: bool = True,
    structure: bool = True,
    gmail: bool = False,
    fields: Sequence[str] = (),
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
    gmail
        Read Gmail's labels and threads.
    fields
        Lower-case names of further header fields.

    Yields
    ------
    MessageRecord
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    for batch in _batches(connection, selected, uids, BATCH):
        asked = fields_for(headers=headers, structure=structure, also=fields)
        for seen in look(connection, batch, asked, structure=structure, gmail=gmail):
            yield MessageRecord(
                selected.account,
                selected.folder,
                selected.uidvalidity,
                seen.uid,
                flags=seen.flags,
                internal_date=seen.internal_date,
                size=seen.size,
                headers=seen.headers,
                attachments=seen.attachments,
                defects=seen.defects,
                labels=seen.labels,
                gmail_thread=seen.gmail_thread,
            )


def fields_for(*, headers: bool, structure: bool, also: Sequence[str] = ()) -> Fields:
    """Say which header fields `read_messages` reads.

    Parameters
    ----------
    headers, structure
        As for `read_messages`.
    also
        Its ``fields``.
    """
    asked = ALL_FIELDS if headers else FEW_FIELDS if structure else NO_FIELDS
    return asked.and_also(also)


def read_texts(
    connection: Connection,
    uids: Sequence[int],
    *,
    html: bool = False,
    max_bytes: int | None = None,
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
    max_bytes
        Read at most so many of each part, as encoded; `LONGEST` is never exceeded.

    Yields
    ------
    BodyRecord
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    limit = LONGEST if max_bytes is None else min(max_bytes, LONGEST)
    for batch in _batches(connection, selected, uids, BODY_BATCH):
        seen = look(connection, batch, FEW_FIELDS, structure=True)
        contents = _contents(connection, seen, html=html, limit=limit)
        for one in seen:
            picked = one.picked
            bodies = _NO_BODIES
            cut: list[str] = []
            if picked is not None:
                had = contents[one.uid]
                cut = [
                    part.number
                    for part in _wanted(picked, html=html)
                    if part.size > limit and len(had.get(part.number, b"")) == limit
                ]
                bodies = read_bodies(picked, had, html=html, cut=cut)
            yield BodyRecord(
                selected.account,
                selected.folder,
                selected.uidvalidity,
                one.uid,
                text=bodies.text,
                html=bodies.html,
                text_source=bodies.text_source,
                charset=bodies.charset,
                truncated=bool(cut),
                defects=(*one.defects, *bodies.defects),
            )


def read_previews(connection: Connection, uids: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """Read the server's previews: the beginning of the text, made by the server (RFC 8970).

    Parameters
    ----------
    connection
        With the folder selected, on a server that offers PREVIEW.
    uids
        Distinct, in the order wanted.

    Yields
    ------
    tuple
        UID and preview; ``""`` where there is no text, None where the server has none to give.
        Messages that have gone are left out.

    Raises
    ------
    CommandError
        If the server refuses every message.
    """
    selected = connection.the_selected()
    for batch in _batches(connection, selected, uids, BATCH):
        request = Request(batch, b"PREVIEW", frozenset({"UID", "PREVIEW"}), _PREVIEW_OCTETS)
        found = dict(fetch(connection, [request]))
        refused = [answer for answer in found.values() if isinstance(answer, MailframeError)]
        if len(refused) == len(batch):
            raise refused[0]
        for uid in batch:
            items = found.get(uid)
            if isinstance(items, dict):
                value = items["PREVIEW"]
                yield uid, None if value is None else read_string(value).decode("utf-8", "replace")
            elif isinstance(items, MailframeError):
                yield uid, None


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
        seen = look(connection, batch, HEADER, structure=True)
        contents = _contents(connection, seen, html=True, limit=LONGEST) if body else {}
        for one in seen:
            email = assemble_email(
                one.header,
                one.structure,
                contents.get(one.uid, {}) if body else None,
                uid=one.uid,
                folder=selected.folder,
                flags=one.flags,
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
    request = Request([uid], b"FLAGS BODY.PEEK[]", frozenset({"UID", "FLAGS", WHOLE_NAME}), WHOLE)
    [(_, found)] = fetch(connection, [request])
    if isinstance(found, MailframeError):
        raise found
    if found is None or found[WHOLE_NAME] is None:
        raise _not_found(selected, uid)
    raw = read_string(found[WHOLE_NAME])
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
    seen = look(connection, [uid], FEW_FIELDS, structure=True) if uid > 0 else []
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


def _contents(
    connection: Connection, seen: Iterable[Overview], *, html: bool, limit: int
) -> dict[int, dict[str, bytes]]:
    """Fetch the text parts of messages, those of one shape in one command.

    Of each part ``limit`` bytes are read at most.
    """
    contents: dict[int, dict[str, bytes]] = {one.uid: {} for one in seen}
    shapes: dict[_Shape, list[tuple[int, int]]] = {}
    for one in seen:
        picked = one.picked
        if picked is None:
            continue
        wanted = _wanted(picked, html=html)
        if one.is_whole or not limit:  # RFC 3501 section 9: no range is empty
            here = {part.number: (part.raw or b"")[:limit] for part in wanted}
            contents[one.uid] = here
        elif any(min(part.size, limit) > PIECE for part in wanted):
            for part in wanted:
                contents[one.uid][part.number] = _capped(connection, one.uid, part.number, limit)
        elif wanted:
            shape = tuple((part.number, part.size > limit) for part in wanted)
            size = sum(min(part.size, limit) for part in wanted)
            shapes.setdefault(shape, []).append((one.uid, size))
    requests = [_parts_request(shape, found, limit) for shape, found in shapes.items()]
    for uid, found in fetch(connection, requests):
        for name, value in found.items() if isinstance(found, dict) else ():
            if name.startswith("BODY[") and isinstance(value, bytes):
                contents[uid][name[5:].partition("]")[0]] = value[:limit]
    return contents


def _parts_request(shape: _Shape, messages: list[tuple[int, int]], limit: int) -> Request:
    items, expected, aliases = [], {"UID"}, {}
    for number, is_cut in shape:
        item, name = b"BODY.PEEK[%b]" % number.encode("ascii"), f"BODY[{number}]"
        if is_cut:
            item += b"<0.%d>" % limit
            aliases[name] = f"{name}<0>"  # some servers leave the offset out of the name
        items.append(item)
        expected.add(aliases.get(name, name))
    octets = sum(size for _, size in messages) // len(messages)
    uids = [uid for uid, _ in messages]
    return Request(uids, b" ".join(items), frozenset(expected), octets, aliases)


def _wanted(picked: Picked, *, html: bool) -> tuple[Part, ...]:
    """Name the parts to fetch: a text/html part may stand in both lists."""
    if not picked.text:
        return picked.html
    return (*picked.text, *picked.html) if html else picked.text


def _capped(connection: Connection, uid: int, section: str, limit: int) -> bytes:
    return b"".join(fetch_ranges(connection, uid, section, limit))[:limit]


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
