"""One whole message as an object, and how it looks in a notebook."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from mailframe.exceptions import NotSupportedError
from mailframe.parsing.html import html_to_text
from mailframe.parsing.preview import sandboxed
from mailframe.records import Address
from mailframe.saving import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike
    from pathlib import Path

    from mailframe.records import Attachment, Part

__all__ = ["Email"]


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """One whole message. At the end of a notebook cell it is shown to be read.

    Attributes
    ----------
    headers
        Every header field in order, decoded, as ``(name, value)``.
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
    attachments: tuple[Attachment, ...]
    flags: tuple[str, ...]
    size: int
    structure: Part | None
    defects: tuple[str, ...]
    raw: bytes | None = field(default=None, compare=False)
    _spoken: str | None = None  # where text and HTML follow each other

    def __repr__(self) -> str:
        pieces = ["<Email"]
        if self.uid is not None:
            pieces.append(f" uid={self.uid}")
        subject = _shorten(_on_a_line(self.subject or ""), _LONGEST_NAME)
        pieces.append(f" {subject!r}" if subject else " (no subject)")
        if author := self.from_address or self.from_name:
            pieces.append(f" from {_shorten(_on_a_line(author), _LONGEST_NAME)}")
        if self.date is not None:
            pieces.append(f", {self.date.isoformat(sep=' ')[:16]}")
        if count := len(self.attachments):
            pieces.append(f", {count} attachment{'s' if count > 1 else ''}")
        return f"{''.join(pieces)}>"

    def _repr_html_(self) -> str:
        return _page(self)

    @property
    def sender(self) -> str:
        """``Name <address>``, or the address alone."""
        return str(Address(self.from_name, self.from_address))

    @property
    def body(self) -> str:
        """What a person would read: the text, and what HTML says that is not there as text."""
        if self._spoken is not None:
            return self._spoken
        return html_to_text(self.html or "") if self.text is None else self.text

    def tree(self) -> str:
        r"""Show which parts the message is made of (RFC 2046 section 5).

        Returns
        -------
        str
            A line a part, indented below the part that holds it: number, type, charset, transfer
            encoding, encoded size and file name. Empty where the structure is not known.

        Examples
        --------
        >>> from mailframe.parsing import parse_email
        >>> print(parse_email(b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hi").tree())
        1 text/html, utf-8, 7bit, 5 bytes
        """
        return "" if self.structure is None else "\n".join(_tree_lines(self.structure))

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        r"""Write the message to a file, byte for byte as it was read.

        Parameters
        ----------
        path
            Of the file, in a folder that exists; the custom is to end it in ``.eml``.
        overwrite
            Replace a file that is there already.

        Returns
        -------
        Path
            The path given.

        Raises
        ------
        NotSupportedError
            If only parts of the message were read.
        SaveError
            If something has that name already, the folder is missing, or writing fails.

        Examples
        --------
        >>> import tempfile
        >>> from mailframe.parsing import parse_email
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     parse_email(b"Subject: Hi\r\n\r\nHello").save(f"{folder}/hi.eml").read_bytes()
        b'Subject: Hi\r\n\r\nHello'
        """
        if self.raw is None:
            uid = "uid" if self.uid is None else self.uid
            raise NotSupportedError(
                "Could not save the message: only parts of it were read.",
                suggestion="Read it whole first: "
                f"session.message({uid}, folder={self.folder or 'INBOX'!r}).",
            )
        return write_file(path, self.raw, overwrite=overwrite)


# -- how a value is written

# Controls garble a terminal and lone surrogates stop it; what turns the direction of writing lets
# "gpj.exe" read "exe.jpg".
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BLANKS = re.compile(r"\s+")
_LONGEST_NAME = 60
_KILO = 1_000


def _on_a_line(text: str) -> str:
    """Give it without line breaks, and without characters that act instead of being seen."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _BLANKS.sub(" ", text).strip())


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _in_words(size: int) -> str:
    """Write a number of bytes; a kB is 1,000 of them, as in search criteria."""
    if size < _KILO:
        return f"{size} byte{'' if size == 1 else 's'}"
    kilobytes = round(size / _KILO, 1)
    return f"{kilobytes} kB" if kilobytes < _KILO else f"{size / _KILO**2:.1f} MB"


def _date(date: datetime) -> str:
    """Write it in the sender's zone, and in UTC where that is another."""
    written = date.isoformat(sep=" ", timespec="minutes")
    sent = f"{written[:16]} {written[16:]}"
    if not date.utcoffset():
        return f"{written[:16]} UTC"
    try:
        utc = date.astimezone(UTC)
    except OverflowError:  # the first or the last day of Python's calendar
        return sent
    return f"{sent} ({utc.isoformat(sep=' ')[:16]} UTC)"


def _tree_lines(root: Part) -> Iterator[str]:
    nodes = [(root, 0)]
    while nodes:
        part, depth = nodes.pop()
        nodes.extend((child, depth + 1) for child in reversed(part.parts))
        facts = [f"{part.number} {part.content_type}"]
        if not part.is_multipart:
            facts += [part.charset or "", part.encoding, _in_words(part.size)]
        if part.filename:
            facts.append(f'"{part.filename}"')
        yield "  " * depth + _on_a_line(", ".join(filter(None, facts)))


# -- the page in a notebook

# Only inline styles, and no colour but the one of the frame lines: themes are light or dark.
_LINE = "1px solid rgba(128,128,128,.4)"
_CELL = "text-align:left;vertical-align:top;padding:1px 16px 1px 0;overflow-wrap"
_BLOCK = (
    f"margin:4px 0;padding:8px;border:{_LINE};max-height:480px;overflow:auto;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)

# A notebook keeps what it shows, so there is an end to everything.
_LONGEST_TEXT = 200_000
_LONGEST_VALUE = 4_000
_MOST_ADDRESSES = 20
_HIGHEST, _MARGIN, _LINE_HEIGHT = 480, 64, 26  # of a page, in pixels
_LINE_LETTERS = 80
_MOST_ROWS = 500
_MOST_IMAGE_BYTES = 2_000_000
_IMAGE_TYPES = frozenset(
    {"image/bmp", "image/gif", "image/jpeg", "image/jpg", "image/png", "image/webp"}
)


def _page(email: Email) -> str:
    subject = _value(email.subject) or "(no subject)"
    tree = () if email.structure is None else map(escape, _tree_lines(email.structure))
    return (
        '<div style="max-width:64em">'
        '<div role="heading" aria-level="3" dir="auto" '
        f'style="font-size:1.25em;font-weight:600;overflow-wrap:anywhere">{subject}</div>'
        + _table(_summary(email))
        + _defects(email.defects)
        + _content(email)
        + _table(map(_attachment, email.attachments))
        + _details("All header fields", _table((_value(n), _value(v)) for n, v in email.headers))
        + _details("Parts", _block("\n".join(_first(tree))))
        + "</div>"
    )


def _value(text: str | None) -> str:
    return escape(_shorten(_on_a_line(text or ""), _LONGEST_VALUE))


def _shown(address: Address) -> str:
    return _value(str(Address(address.name, address.display)))


def _first(rows: Iterable[str], note: str = "{}") -> Iterator[str]:
    rows = iter(rows)
    yield from islice(rows, _MOST_ROWS)
    if rest := sum(1 for _ in rows):
        yield note.format(f"… and {rest:,} more")


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Make a table of cells that are HTML already; the first of a row says what it is about."""
    lines = (
        f'<tr style="background:none"><td style="{_CELL}:break-word;opacity:.7">{title}</td>'
        + "".join(f'<td dir="auto" style="{_CELL}:anywhere">{cell}</td>' for cell in cells)
        + "</tr>"
        for title, *cells in rows
    )
    body = "".join(_first(lines, "<tr><td>{}</td></tr>"))
    return body and f'<table style="margin:4px 0;border-collapse:collapse">{body}</table>'


def _block(content: str) -> str:
    return content and f'<pre style="{_BLOCK}">{content}</pre>'


def _details(title: str, content: str) -> str:
    return content and f"<details><summary>{title}</summary>{content}</details>"


def _summary(email: Email) -> Iterator[tuple[str, str]]:
    yield "From", _shown(Address(email.from_name, email.from_address)) or "(no sender)"
    for title, addresses in (("To", email.to), ("Cc", email.cc), ("Bcc", email.bcc)):
        if addresses:
            shown = [_shown(address) for address in addresses[:_MOST_ADDRESSES]]
            more = len(addresses) - len(shown)
            yield title, ", ".join(shown) + (f" … and {more:,} more" if more else "")
    yield "Date", "(no date)" if email.date is None else _date(email.date)
    if email.flags:
        yield "Flags", _value(" ".join(email.flags))


def _defects(defects: tuple[str, ...]) -> str:
    if not defects:
        return ""
    return (
        '<div style="margin:4px 0;padding:2px 8px;border-left:4px solid orange">'
        f"Not as it should be: {_value('; '.join(defects))}</div>"
    )


def _content(email: Email) -> str:
    if email.html:
        page = sandboxed(email.html, height=_height(email.html), images=_images(email.attachments))
        # What is read is more than the text where both follow each other: no version of the page.
        is_version = email.text is None or email.body == email.text
        return page if is_version else page + _text_block(email.text or "")
    return _text_block(email.body)


def _height(html: str) -> int:
    """Guess the pixels that a page takes, so that a few lines do not stand in an empty box."""
    if "<img" in html.lower():
        return _HIGHEST
    lines = sum(1 + len(line) // _LINE_LETTERS for line in html_to_text(html).splitlines())
    return min(_HIGHEST, _MARGIN + lines * _LINE_HEIGHT)


def _text_block(text: str) -> str:
    if not text.strip():
        return "<p>(no text)</p>"
    rest = len(text) - _LONGEST_TEXT
    note = f"\n[cut: {rest:,} more characters]" if rest > 0 else ""
    return _block(escape(text[:_LONGEST_TEXT]) + note)


def _images(attachments: tuple[Attachment, ...]) -> dict[str, str]:
    """Give what the HTML may show of what came with it, as data: addresses by Content-ID."""
    images: dict[str, str] = {}
    room = _MOST_IMAGE_BYTES
    for attachment in attachments:
        content, kind = attachment.content, attachment.content_type
        if attachment.content_id and content and kind in _IMAGE_TYPES and len(content) <= room:
            room -= len(content)
            encoded = base64.b64encode(content).decode("ascii")
            images[attachment.content_id] = f"data:{kind};base64,{encoded}"
    return images


def _attachment(attachment: Attachment) -> tuple[str, ...]:
    size = attachment.encoded_size if attachment.size is None else attachment.size
    return (
        "Inline" if attachment.inline else "Attachment",
        _value(attachment.filename or attachment.subject) or "(no name)",
        _value(attachment.content_type),
        f"{'' if attachment.size_exact else 'about '}{_in_words(size)}",
    )
