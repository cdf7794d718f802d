"""Messages in folders -> one mbox, with what a server keeps beside each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.clock import separator_date

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["FOLDERS", "Stored", "mbox"]

#: In the order of the file.
FOLDERS = (
    "INBOX",
    "Sent",
    "Drafts",
    "Archive",
    "Archive/2024",
    "Newsletters",
    "Junk",
    "Trash",
    "Lists/harbour-choir",
    "Lists/sensor-users",
    "Lists/tideframe-dev",
    "Projects/Blåvinge",
    "Projects/R&D",
    "Projects/東京",
)

# What mboxrd quotes: a line that could be taken for a separator, quoted or not.
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stored:
    """One message where it lies.

    Attributes
    ----------
    folder
        One of `FOLDERS`.
    arrival
        When the server received it: INTERNALDATE (RFC 3501 section 2.3.3).
    envelope
        The sender that the servers told each other; empty for notices of non-delivery.
    raw
        The message, with LF line ends.
    seen
        Whether it was read.
    state
        Letters of X-Status: A answered, F flagged, T draft, D deleted.
    keywords
        Other flags, by blanks.
    """

    folder: str
    arrival: datetime
    envelope: str
    raw: bytes
    seen: bool = True
    state: str = ""
    keywords: str = ""


def mbox(messages: Iterable[Stored]) -> bytes:
    """Write all messages, by folder and then by arrival."""
    ordered = sorted(messages, key=lambda one: (FOLDERS.index(one.folder), one.arrival))
    return b"".join(map(_entry, ordered))


def _entry(message: Stored) -> bytes:
    head = (
        f"From {message.envelope or 'MAILER-DAEMON'} {separator_date(message.arrival)}\n"
        f"X-Folder: {message.folder}\n"
        f"Status: {'RO' if message.seen else 'O'}\n"
        f"X-Status: {message.state}\n"
        f"X-Keywords: {message.keywords}\n"
    )
    end = b"\n" if message.raw.endswith(b"\n") else b"\n\n"
    return head.encode() + _FROM.sub(rb">\1", message.raw) + end
