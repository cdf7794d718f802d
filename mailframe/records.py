"""The values that travel between the floors: they cannot be changed, and do nothing.

A record is what one message, one part or one folder *is*; how it is read is the business of
``parsing`` and ``imap``, how it is tabulated that of ``frames``. What every message has one of is
a named tuple: a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mailframe.idn import unicode_domain

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

__all__ = [
    "GONE",
    "Address",
    "Attachment",
    "AuthenticationResult",
    "BodyRecord",
    "Change",
    "Folder",
    "Headers",
    "Hop",
    "MessageRecord",
    "Part",
    "PreviewRecord",
    "Reply",
    "Step",
]


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address field (RFC 5322 section 3.4).

    Attributes
    ----------
    name
        The display name, decoded; None where there is none.
    address
        ``local@domain`` as sent; None where none can be read (``From: undisclosed recipients``).
    """

    name: str | None
    address: str | None

    @property
    def domain(self) -> str | None:
        """The part behind the last ``@``, in lower case; None without one."""
        _, at, domain = (self.address or "").rpartition("@")
        return domain.lower() if at and domain else None

    @property
    def display(self) -> str | None:
        """The address with an international domain in its own script (RFC 5891), to be shown.

        A label that does not decode, or that could pass for another (of several scripts, or of
        letters that look Latin), stays as sent.
        """
        local, at, domain = (self.address or "").rpartition("@")
        return f"{local}{at}{unicode_domain(domain)}" if at else self.address

    def __str__(self) -> str:
        if self.name and self.address:
            return f"{self.name} <{self.address}>"
        return self.address or self.name or ""


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a message's MIME tree (RFC 2045, RFC 3501 section 7.4.2).

    Made from BODYSTRUCTURE by ``imap.bodystructure`` or from bytes by ``parsing.email_parser``.

    Attributes
    ----------
    number
        IMAP part number (``"1.2"``); ``""`` for a multipart at the top.
    content_type
        ``type/subtype`` in lower case.
    parts
        Children of a multipart; empty for a leaf (a message/rfc822 is a leaf).
    charset
        As declared, in lower case; None when undeclared.
    encoding
        Content-Transfer-Encoding in lower case, ``"7bit"`` when absent.
    disposition
        ``"inline"``, ``"attachment"`` or another word in lower case; None when absent.
    filename
        Decoded, from Content-Disposition's ``filename`` or Content-Type's ``name``.
    content_id
        Without angle brackets.
    size
        Encoded size in bytes, line ends counted as CRLF.
    boundary
        Of a multipart; None when undeclared.
    raw
        The part's encoded content where it was read; None when only its structure is known.
    format
        Content-Type's ``format`` and ``delsp`` parameters of RFC 3676, ``"flowed"`` or
        ``"flowed delsp"``; None otherwise.
    subject
        Of a message/rfc822, its own; None otherwise.
    """

    number: str
    content_type: str
    parts: tuple[Part, ...] = ()
    charset: str | None = None
    encoding: str = "7bit"
    disposition: str | None = None
    filename: str | None = None
    content_id: str | None = None
    size: int = 0
    boundary: str | None = None
    raw: bytes | None = None
    format: str | None = None
    subject: str | None = None

    @property
    def is_multipart(self) -> bool:
        """True for a multipart, with children or without."""
        return self.content_type.startswith("multipart/")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A leaf of the MIME tree that is not a body, in words of ``schema.ATTACHMENTS``.

    Attributes
    ----------
    part
        IMAP part number, to fetch it by.
    size
        Decoded size in bytes; exact if ``size_exact``.
    inline
        Shown within the body rather than offered for saving.
    content
        The decoded bytes; None until fetched.
    subject
        Of a message within the message, its own; None otherwise.
    """

    part: str
    filename: str | None
    content_type: str
    disposition: str | None
    content_id: str | None
    encoding: str
    encoded_size: int
    size: int | None
    size_exact: bool
    inline: bool
    content: bytes | None = None
    subject: str | None = None


class Headers(NamedTuple):
    """The header fields that the frames show, decoded.

    Attributes
    ----------
    date
        The sender's Date, aware, in the zone it was sent in; None when it cannot be read.
    utc_offset
        Minutes east of UTC as sent; None for ``-0000``, a military or no zone (then ``date`` is
        in UTC).
    references
        Message ids without angle brackets, oldest first.
    content_type
        The whole field, with its parameters.
    extra
        Further fields by lower-case name, decoded; a repeated one has several values.
    defects
        What was wrong, in a few words each.
    """

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] | None = None
    date: datetime | None = None
    utc_offset: int | None = None
    from_: tuple[Address, ...] | None = None
    sender: tuple[Address, ...] | None = None
    reply_to: tuple[Address, ...] | None = None
    to: tuple[Address, ...] | None = None
    cc: tuple[Address, ...] | None = None
    bcc: tuple[Address, ...] | None = None
    subject: str | None = None
    list_id: str | None = None
    list_unsubscribe: str | None = None
    content_type: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    defects: tuple[str, ...] = ()


class Hop(NamedTuple):
    """One server that a message passed, from its Received field (RFC 5321 section 4.4).

    Attributes
    ----------
    from_host
        Who handed the message over, as the receiving server saw or was told it.
    by_host
        Who received it.
    protocol
        The word after ``with``, in upper case: ``ESMTPS``, ``LMTP``, … (RFC 3848).
    time
        When, aware; None when it cannot be read.
    """

    from_host: str | None
    by_host: str | None
    protocol: str | None
    time: datetime | None


class AuthenticationResult(NamedTuple):
    """What a server found out about a message's sender in one way (RFC 8601).

    Attributes
    ----------
    authserv_id
        The server that says so; None where it does not name itself.
    method
        ``"spf"``, ``"dkim"``, ``"dmarc"`` or another word, in lower case.
    result
        ``"pass"``, ``"fail"``, ``"none"`` or another word, in lower case.
    reason
        In the server's words; None without one.
    properties
        What was looked at: names in lower case and values, ``("header.d", "example.org")``.
    """

    authserv_id: str | None
    method: str
    result: str
    reason: str | None = None
    properties: tuple[tuple[str, str], ...] = ()


#: The defects of a message that is not there any more.
GONE = ("gone",)


class MessageRecord(NamedTuple):
    r"""One message as the headers, recipients and attachments frames show it.

    Attributes
    ----------
    internal_date
        When the server received it, aware; None where the source has no such date.
    size
        RFC822.SIZE in bytes; None when unknown.
    flags
        As the server spells them (``\Seen``, ``$Junk``), without ``\Recent``.
    attachments
        None when the structure could not be read.
    labels, gmail_thread
        Gmail's labels and thread; None where there are none such.
    """

    account: str
    folder: str
    uidvalidity: int
    uid: int
    flags: tuple[str, ...]
    internal_date: datetime | None
    size: int | None
    headers: Headers
    attachments: tuple[Attachment, ...] | None
    defects: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    gmail_thread: str | None = None

    @classmethod
    def gone(cls, account: str, folder: str, uidvalidity: int, uid: int) -> Self:
        """Stand for a message that is not there any more."""
        return cls(
            account, folder, uidvalidity, uid,
            flags=(), internal_date=None, size=None, headers=Headers(), attachments=None,
            defects=GONE,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What has happened to one message of a folder.

    Attributes
    ----------
    event
        ``"new"``, ``"flags"`` or ``"gone"``.
    record
        The message as it is now.
    """

    event: str
    record: MessageRecord


class BodyRecord(NamedTuple):
    """One message's text, as the bodies frame shows it.

    Attributes
    ----------
    text
        What a person would read; from the HTML when ``text_source`` is ``"html"``; None when the
        message has no text or it could not be read.
    charset
        The charset the text was decoded with, in lower case.
    truncated
        True when the text was cut at a size limit.
    """

    account: str
    folder: str
    uidvalidity: int
    uid: int
    text: str | None
    html: str | None
    text_source: str
    charset: str | None
    truncated: bool
    defects: tuple[str, ...] = ()

    @classmethod
    def gone(cls, account: str, folder: str, uidvalidity: int, uid: int) -> Self:
        """Stand for the text of a message that is not there any more."""
        return cls(
            account, folder, uidvalidity, uid,
            text=None, html=None, text_source="none", charset=None, truncated=False,
            defects=GONE,
        )  # fmt: skip


class Reply(NamedTuple):
    """A text, divided by who wrote what.

    Attributes
    ----------
    own
        What its author wrote.
    quoted
        What was quoted or forwarded, with what introduces it.
    signature
        The signature, and what was added below the text.
    """

    own: str
    quoted: str
    signature: str


class PreviewRecord(NamedTuple):
    """How one message's text begins, as the previews frame shows it.

    Attributes
    ----------
    preview
        Blanks made one; None where it cannot be had.
    """

    account: str
    folder: str
    uidvalidity: int
    uid: int
    preview: str | None
    defects: tuple[str, ...] = ()

    @classmethod
    def gone(cls, account: str, folder: str, uidvalidity: int, uid: int) -> Self:
        """Stand for that of a message that is not there any more."""
        return cls(account, folder, uidvalidity, uid, preview=None, defects=GONE)


#: Roles of views of messages that lie in other folders: Gmail would count every one twice.
VIEWS = frozenset({"\\All", "\\Flagged", "\\Important"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of what a call would do.

    Attributes
    ----------
    side
        ``"server"`` for a command to be sent, ``"here"`` for what is decided without it.
    command
        As it would be sent, without its tag; a literal stands behind its length and a line break.
        ``""`` here.
    rfc
        Where the command is defined.
    meaning
        What the step does, in a few words.
    words
        The other words of the command: name, RFC section and meaning of each.
    """

    side: str
    command: str
    rfc: str
    meaning: str
    words: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    r"""One folder, from LIST and STATUS (RFC 3501 sections 7.2.2 and 7.2.4).

    Attributes
    ----------
    name
        Decoded (RFC 3501 section 5.1.3).
    special_use
        ``\Sent``, ``\Trash``, … (RFC 6154); None when the folder has no such role.
    flags
        The other attributes of LIST.
    messages, unseen, uidnext, uidvalidity, size
        None when not asked or not offered; ``size`` in bytes.
    """

    name: str
    delimiter: str | None
    special_use: str | None
    flags: tuple[str, ...]
    messages: int | None = None
    unseen: int | None = None
    uidnext: int | None = None
    uidvalidity: int | None = None
    size: int | None = None

    @property
    def is_view(self) -> bool:
        """True for a view of messages that lie in other folders."""
        return self.special_use in VIEWS

    @property
    def selectable(self) -> bool:
        """False for a name that only holds other folders."""
        gone = {"\\noselect", "\\nonexistent"}
        return not any(flag.lower() in gone for flag in self.flags)
