"""A stored message -> records, with the same values as from a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing import parse_headers, pick_parts, read_bodies, split_message
from mailframe.records import BodyRecord, Headers, MessageRecord
from mailframe.source import LONGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailframe.files.stored import Stored
    from mailframe.records import Attachment
    from mailframe.source import What

__all__ = ["body_of", "message_of"]

_LONE_LF = re.compile(rb"(?<!\r)\n")
_TEXT = frozenset({"text/plain", "text/html"})


def message_of(
    stored: Stored, where: tuple[str, str, int], what: What, fields: Sequence[str]
) -> MessageRecord:
    """Read a message's headers and attachments, or what of them is asked for.

    Parameters
    ----------
    stored
        The message.
    where
        Account, folder and UIDVALIDITY.
    what, fields
        As for `Source.headers`.
    """
    headers = Headers() if what == "dates" else parse_headers(stored.header, tuple(fields))
    attachments: tuple[Attachment, ...] | None = None
    noticed: tuple[str, ...] = ()
    if what in {"headers", "attachments"}:
        attachments, noticed = _attachments(stored, headers)
    marks = stored.marks if what == "headers" else None
    return MessageRecord(
        *where,
        stored.uid,
        flags=stored.flags if what == "headers" else (),
        internal_date=stored.internal_date if what in {"headers", "dates"} else None,
        size=stored.size if what == "headers" else None,
        headers=headers,
        attachments=attachments,
        defects=(*stored.defects, *noticed),
        labels=marks.labels if marks else None,
        gmail_thread=marks.gmail_thread if marks else None,
    )


def body_of(
    stored: Stored, where: tuple[str, str, int], *, html: bool, max_bytes: int | None
) -> BodyRecord:
    """Read a message's text.

    Parameters
    ----------
    stored
        The message.
    where
        Account, folder and UIDVALIDITY.
    html, max_bytes
        As for `Source.parts`.
    """
    limit = LONGEST if max_bytes is None else min(max_bytes, LONGEST)
    split = split_message(stored.raw)
    picked = pick_parts(split.structure)
    wanted = picked.wanted(html=html)
    cut = [part.number for part in wanted if part.size > limit]
    contents = {part.number: _beginning(part.raw or b"", limit) for part in wanted if cut}
    bodies = read_bodies(picked, contents, html=html, cut=cut)
    return BodyRecord(
        *where,
        stored.uid,
        text=bodies.text,
        html=bodies.html,
        text_source=bodies.text_source,
        charset=bodies.charset,
        truncated=bool(cut),
        defects=(*stored.defects, *split.defects, *bodies.defects),
    )


def _beginning(raw: bytes, limit: int) -> bytes:
    """Cut where a server cuts, which counts line ends as CRLF."""
    return _LONE_LF.sub(b"\r\n", raw[:limit])[:limit]


def _attachments(
    stored: Stored, headers: Headers
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """List the attachments, and what is wrong; the header shows of most that there are none."""
    kind = (headers.content_type or "text/plain").partition(";")[0].strip().lower()
    if kind in _TEXT and b"disposition" not in stored.header.lower():
        return (), ()
    split = split_message(stored.raw)
    return pick_parts(split.structure).attachments, tuple(split.defects)
