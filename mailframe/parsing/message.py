"""One whole message as an object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailframe.records import Address

if TYPE_CHECKING:
    from datetime import datetime

    from mailframe.records import Attachment, Part

__all__ = ["Email"]


@dataclass(frozen=True, slots=True)
class Email:
    """One whole message.

    Attributes
    ----------
    headers
        Every header field in order, decoded, as ``(name, value)``.
    body
        The text, or what the HTML says where there is no text.
    date
        The sender's Date, aware; None when it cannot be read.
    size
        In bytes.
    structure
        The MIME tree it was read from.
    defects
        What was wrong with the message, in a few words each.
    raw
        The message itself; None where only parts of it were read.
    """

    uid: int | None
    folder: str | None
    subject: str | None
    from_name: str | None
    from_address: str | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    date: datetime | None
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    body: str
    attachments: tuple[Attachment, ...]
    flags: tuple[str, ...]
    size: int
    structure: Part | None
    defects: tuple[str, ...]
    raw: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def sender(self) -> str:
        """``Name <address>``, or the address alone."""
        return str(Address(self.from_name, self.from_address))
