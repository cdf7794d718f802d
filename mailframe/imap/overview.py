"""What the server says of each message, and whether that can be trusted.

One command a chunk brings flags, dates, header fields and the structure. A message that the server
cannot describe, or describes in a way not to be trusted, is asked for once more: by its header
alone, or whole, up to `WHOLE` bytes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mailframe.exceptions import MailframeError, ProtocolError
from mailframe.imap.bodystructure import doubt_of_header, parse_bodystructure, suspicion
from mailframe.imap.fetch import Request, fetch
from mailframe.imap.items import read_flags, read_internal_date, read_number, read_string
from mailframe.imap.names import decode_name
from mailframe.imap.responses import Unread
from mailframe.imap.shapes import known, learn, shape
from mailframe.parsing import parse_headers, pick_parts, split_header, split_message
from mailframe.records import Headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailframe.imap.connection import Connection
    from mailframe.imap.fetch import Answer
    from mailframe.imap.responses import Fetched, Token
    from mailframe.imap.shapes import Plain
    from mailframe.parsing import Picked
    from mailframe.records import Attachment, Part

__all__ = [
    "ALL_FIELDS",
    "BRIEF_FIELDS",
    "FEW_FIELDS",
    "HEADER",
    "NO_FIELDS",
    "WHOLE",
    "WHOLE_NAME",
    "Fields",
    "Overview",
    "look",
    "request_for",
    "verify",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields to ask for.

    Attributes
    ----------
    names
        In upper case, with blanks between; None for the whole header.
    octets
        Size of the reply to expect for one message, in bytes.
    extra
        Lower-case names of those that go into `Headers.extra`.
    """

    names: bytes | None
    octets: int
    extra: tuple[str, ...] = ()

    def and_also(self, extra: Sequence[str]) -> Fields:
        """Add fields for `Headers.extra`."""
        if not extra:
            return self
        if self.names is None:
            return Fields(None, self.octets, tuple(extra))
        names = dict.fromkeys([*self.names.split(), *(n.upper().encode("ascii") for n in extra)])
        octets = self.octets + _OCTETS_OF_A_FIELD * len(extra)
        return Fields(b" ".join(names), octets, tuple(extra))

    @property
    def item(self) -> bytes:
        """What is asked for; nothing for no fields."""
        if self.names is None:
            return b"BODY.PEEK[HEADER]"
        return b"BODY.PEEK[HEADER.FIELDS (%b)]" % self.names if self.names else b""

    @property
    def reply(self) -> str:
        """The name under which it comes."""
        if self.names is None:
            return "BODY[HEADER]"
        return "BODY[HEADER.FIELDS]" if self.names else ""


#: One field of a header, Received at that: it comes several times.
_OCTETS_OF_A_FIELD = 300
#: A message up to this size is read whole where its structure cannot be trusted.
WHOLE = 1 << 20

#: The fields of the headers frame. ENVELOPE has neither References nor List-Id, and servers'
#: ENVELOPEs have bugs of their own.
ALL_FIELDS = Fields(
    b"DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID "
    b"LIST-UNSUBSCRIBE CONTENT-TYPE",
    octets=1200,
)
#: Enough to tell whether a structure can be trusted.
FEW_FIELDS = Fields(b"DATE FROM CONTENT-TYPE", octets=400)
#: Enough to know a message again, and for a person to see which it is.
BRIEF_FIELDS = Fields(b"DATE FROM SUBJECT MESSAGE-ID", octets=500)
#: Every field.
HEADER = Fields(None, octets=3000)
NO_FIELDS = Fields(b"", octets=120)

#: What Gmail adds (X-GM-EXT-1).
GMAIL = b"X-GM-THRID X-GM-LABELS"

_BASE = b"FLAGS INTERNALDATE RFC822.SIZE"
_BASE_NAMES = frozenset({"UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE"})
WHOLE_NAME = "BODY[]"


@dataclass(eq=False)
class Overview:
    """One message, as far as it is known before its text is read.

    Attributes
    ----------
    header
        The header as it was asked for, or the message where it was read whole.
    described
        Its BODYSTRUCTURE; None where it was not asked for.
    is_whole
        Whether the message was read whole; the structure holds its parts' content then.
    defects
        What was wrong, in a few words each.
    doubt
        Why the structure may not be what the message says; empty when it is trusted.
    plain
        What is known of structures of its shape; it spares reading this one.
    fields
        What of the header was asked for.
    labels, gmail_thread
        Gmail's; None where they were not asked for.
    """

    uid: int
    flags: tuple[str, ...] = ()
    internal_date: datetime | None = None
    size: int | None = None
    header: bytes = b""
    headers: Headers = Headers()  # noqa: RUF009 frozen
    described: Token = None
    is_whole: bool = False
    defects: tuple[str, ...] = ()
    doubt: str = ""
    plain: Plain | None = None
    fields: Fields = NO_FIELDS
    labels: tuple[str, ...] | None = None
    gmail_thread: str | None = None

    @cached_property
    def structure(self) -> Part | None:
        """The parts; None where they were not asked for, or cannot be had."""
        try:
            return None if self.described is None else parse_bodystructure(self.described)
        except ProtocolError as error:
            log.warning("%s", error)
            return None

    @cached_property
    def picked(self) -> Picked | None:
        """Bodies and attachments; None without a structure."""
        if self.plain is not None and isinstance(self.described, Unread):
            return self.plain.picked(self.described)
        return None if self.structure is None else pick_parts(self.structure)

    @cached_property
    def attachments(self) -> tuple[Attachment, ...] | None:
        """The attachments; None without a structure."""
        return None if self.picked is None else self.picked.attachments


def look(
    connection: Connection,
    uids: Sequence[int],
    fields: Fields,
    *,
    structure: bool,
    verified: bool = True,
    gmail: bool = False,
) -> list[Overview]:
    """Learn what is needed to know of each message.

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Distinct, in the order wanted.
    fields
        `ALL_FIELDS`, `FEW_FIELDS`, `HEADER`, `NO_FIELDS`.
    structure
        Whether the structure is wanted; that needs at least `FEW_FIELDS`.
    verified
        Read messages whole whose structure cannot be trusted; else that is left to `verify`.
    gmail
        Read Gmail's labels and thread; the server must offer X-GM-EXT-1.

    Returns
    -------
    list of Overview
        In the order of ``uids``; those that have gone are left out.

    Raises
    ------
    CommandError
        If the server refuses every message.
    """
    bare = request_for(uids, fields, structure=False, gmail=gmail)
    described = request_for(uids, fields, structure=True, gmail=gmail)
    found: dict[int, Overview] = {}
    refusals: dict[int, MailframeError] = {}

    def take(request: Request) -> list[int]:
        """Read the answers as they come, and return the UIDs that got none."""
        left = []
        for uid, answer in fetch(connection, [request]):
            if isinstance(answer, dict):
                found[uid] = _overview(uid, answer, fields, structure=structure)
            else:
                left.append(uid)
            if isinstance(answer, MailframeError):
                refusals[uid] = answer
        return left

    undescribed = take(described if structure else bare)
    if structure and undescribed:
        refusals.clear()
        take(replace(bare, uids=undescribed))
    if refusals and len(refusals) == len(uids):
        raise next(iter(refusals.values()))
    for uid, error in refusals.items():
        found[uid] = Overview(uid, defects=(f"the server does not show it: {error.reply}",))
    seen = [found[uid] for uid in uids if uid in found and not _is_void(found[uid], fields)]
    if verified:
        verify(connection, [one for one in seen if one.doubt])
    return seen


def request_for(uids: Sequence[int], fields: Fields, *, structure: bool, gmail: bool) -> Request:
    """Say what `look` asks for first.

    Parameters
    ----------
    uids, fields, structure, gmail
        As for `look`.
    """
    expected = _BASE_NAMES | ({fields.reply} if fields.reply else set())
    items = [_BASE, fields.item, GMAIL if gmail else b""]
    if structure:
        items.append(b"BODYSTRUCTURE")
        expected |= {"BODYSTRUCTURE"}
    return Request(uids, b" ".join(filter(None, items)), expected, fields.octets)


def _overview(uid: int, items: Fetched, fields: Fields, *, structure: bool) -> Overview:
    header = read_string(items.get(fields.reply))
    one = Overview(
        uid,
        flags=read_flags(items["FLAGS"]),
        internal_date=read_internal_date(items["INTERNALDATE"]),
        size=read_number(items["RFC822.SIZE"]),
        header=header,
        headers=parse_headers(header, fields.extra) if header else Headers(),
        fields=fields,
    )
    if "X-GM-THRID" in items:
        one.gmail_thread = read_string(items["X-GM-THRID"]).decode("ascii", "replace") or None
        one.labels = _labels(items.get("X-GM-LABELS"))
    if structure:
        one.described = items.get("BODYSTRUCTURE", [])
        one.doubt = _doubt(one)
    return one


def _labels(token: Token) -> tuple[str, ...]:
    words = token if isinstance(token, list) else []
    return tuple(decode_name(word) for word in words if isinstance(word, bytes))


def _doubt(one: Overview) -> str:
    """Say why a structure cannot be trusted, without reading it if one of its shape was read."""
    content_type = one.headers.content_type
    described = one.described
    form = shape(described) if isinstance(described, Unread) else b""
    one.plain = known(form)
    if one.plain is not None:
        one.attachments = ()
        return doubt_of_header(one.plain.content_type, one.headers, content_type)
    root = one.structure
    if root is None:
        one.defects = ("the server cannot describe its parts",)
        return one.defects[0]
    doubt = suspicion(root, one.headers, content_type)
    is_plain = not one.attachments and one.picked is not None and not one.picked.spoken
    if isinstance(described, Unread) and not doubt and is_plain:
        learn(form, described)
    return doubt


def _is_void(one: Overview, fields: Fields) -> bool:
    """Whether the server describes a message that is not there any more.

    Dovecot does so until it notices that the file has gone: size 0, and no header at all.
    """
    return fields is not NO_FIELDS and one.size == 0 and not one.header


def verify(connection: Connection, doubtful: Sequence[Overview]) -> None:
    """Read messages whole that are not too large for it; the others keep a note in ``defects``.

    Parameters
    ----------
    connection
        With the folder selected.
    doubtful
        Those with a ``doubt``. They are changed: their structure holds the content then.
    """
    small = {one.uid: one.size or 0 for one in doubtful if (one.size or 0) <= WHOLE}
    whole: dict[int, Answer] = {}
    if small:
        log.debug("reading %d messages whole", len(small))
        octets = sum(small.values()) // len(small)
        request = Request(list(small), b"BODY.PEEK[]", frozenset({"UID", WHOLE_NAME}), octets)
        whole = dict(fetch(connection, [request]))
    for one in doubtful:
        answer = whole.get(one.uid)
        raw = read_string(answer[WHOLE_NAME]) if isinstance(answer, dict) else b""
        if raw:
            one.header, one.is_whole = raw, True
            split = split_message(raw)
            one.structure = split.structure
            one.picked = pick_parts(one.structure)
            one.attachments = one.picked.attachments
            one.headers = parse_headers(split_header(raw)[0], one.fields.extra)
            one.defects = (*one.defects, *split.defects)
        else:
            one.defects = (f"not verified: {one.doubt}",)
