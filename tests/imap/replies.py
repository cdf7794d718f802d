"""What a server says of a message: items of FETCH, as on the wire."""

from __future__ import annotations

from tests.rigs.scripted import literal

HEADER = (
    b"Date: Mon, 05 Jan 2026 10:30:00 +0000\r\n"
    b"From: Alice Example <alice@example.org>\r\n"
    b"Subject: Message %d\r\n"
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
)
PLAIN = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 8 1 NIL NIL NIL NIL)'
PDF = (
    b'("APPLICATION" "PDF" ("NAME" "a.pdf") NIL NIL "BASE64" 8 NIL '
    b'("ATTACHMENT" ("FILENAME" "a.pdf")) NIL NIL)'
)
MIXED = b'(%b%b "MIXED" ("BOUNDARY" "b") NIL NIL NIL)' % (PLAIN, PDF)
MIXED_HEADER = HEADER.replace(b"text/plain; charset=us-ascii", b"multipart/mixed; boundary=b")
FIELDS = b"BODY[HEADER.FIELDS (DATE FROM)]"


def message(
    number: int = 1,
    *,
    flags: bytes = b"",
    structure: bytes = PLAIN,
    header: bytes = HEADER,
    parts: dict[bytes, bytes] | None = None,
    size: int = 200,
) -> bytes:
    """Return every item that is ever asked for, so that any request is answered by it.

    ``parts`` are the sections beside the header, each with its value as on the wire.
    """
    head = header % number if b"%d" in header else header
    sections = {b"1": literal(b"Hello.\r\n")} if parts is None else parts
    return b" ".join(
        [
            b'FLAGS (%b) INTERNALDATE "05-Jan-2026 11:00:00 +0100" RFC822.SIZE %d' % (flags, size),
            b"BODYSTRUCTURE " + structure,
            FIELDS + b" " + literal(head),
            b"BODY[HEADER] " + literal(head),
            *(b"BODY[%b] %b" % pair for pair in sections.items()),
        ]
    )


def fetched(number: int, items: bytes) -> bytes:
    """Return one FETCH reply; the UID is among the items."""
    return b"* %d FETCH (%b)\r\n" % (number, items)


DONE = b"<tag> OK done\r\n"
