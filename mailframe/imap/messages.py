"""UIDs -> records: headers and attachments, previews, whole messages.

A message is read by part: its structure (BODYSTRUCTURE) says which part is the text, and only that
is fetched. Where the structure cannot be trusted the message is read whole and parsed here, up to
`WHOLE` bytes, so that both ways give the same answer.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from mailframe.exceptions import MailframeError, MessageNotFoundError
from mailframe.imap.fetch import Request, batches, fetch, fetch_ranges
from mailframe.imap.items import read_flags, read_string
from mailframe.imap.overview import (
    ALL_FIELDS,
    BRIEF_FIELDS,
    FEW_FIELDS,
    HEADER,
    NO_FIELDS,
    WHOLE,
    WHOLE_NAME,
    look,
)
from mailframe.imap.texts import fetch_texts
from mailframe.parsing import (
    assemble_email,
    decode_content,
    parse_email,
    pick_parts,
)
from mailframe.records import Attachment, MessageRecord, Part
from mailframe.source import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailframe.imap.connection import Connection, Selected
    from mailframe.imap.overview import Fields
    from mailframe.parsing import Email

__all__ = [
    "READ",
    "fields_for",
    "read_attachment",
    "read_email",
    "read_emails",
    "read_messages",
    "read_previews",
]

log = logging.getLogger(__name__)

#: Messages read together; each batch is finished before its records are handed out, so that the
#: connection is free for whoever takes them.
BATCH = 2000
EMAIL_BATCH = 50
#: What `read_messages` reads for each `What`.
READ: Mapping[str, dict[str, bool]] = {
    "headers": {"headers": True, "structure": True},
    "recipients": {"headers": True, "structure": False},
    "attachments": {"headers": False, "structure": True},
    "dates": {"headers": False, "structure": False},
    "fields": {"headers": False, "structure": False},
    "brief": {"headers": False, "structure": False, "brief": True},
}
# RFC 8970 section 3.1: 200 characters at most, which may take three octets each.
_PREVIEW_OCTETS = 300


def read_messages(
    connection: Connection,
    uids: Sequence[int],
    *,
    headers: bool = True,
    structure: bool = True,
    brief: bool = False,
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
    brief
        Of the header fields only those by which one knows a message again.
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
    for batch in batches(connection, selected, uids, BATCH):
        asked = fields_for(headers=headers, structure=structure, brief=brief, also=fields)
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


def fields_for(
    *, headers: bool, structure: bool, brief: bool = False, also: Sequence[str] = ()
) -> Fields:
    """Say which header fields `read_messages` reads.

    Parameters
    ----------
    headers, structure, brief
        As for `read_messages`.
    also
        Its ``fields``.
    """
    asked = ALL_FIELDS if headers else FEW_FIELDS if structure else NO_FIELDS
    asked = BRIEF_FIELDS if brief else asked
    return asked.and_also(also)


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
    for batch in batches(connection, selected, uids, BATCH):
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
    for batch in batches(connection, selected, uids, EMAIL_BATCH):
        seen = look(connection, batch, HEADER, structure=True)
        contents = fetch_texts(connection, seen, html=True, limit=LONGEST) if body else {}
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


def _without_content(attachment: Attachment) -> Attachment:
    return replace(attachment, content=None)


def _leaf(root: Part, number: str) -> Part:
    part = root
    while part.number != number:
        part = next(p for p in part.parts if f"{number}.".startswith(f"{p.number}."))
    return part


def _not_found(selected: Selected, uid: int) -> MessageNotFoundError:
    return MessageNotFoundError(f"No message in {selected.folder!r} has the UID {uid}.")
