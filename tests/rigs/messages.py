"""Small test messages as bytes with CRLF line ends, the same on every run.

They are written by hand: a builder that shares code with what reads them would hide its mistakes.
"""

from __future__ import annotations

import base64
import quopri
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\nnot much of a document\n%%EOF\n"
CRLF = b"\r\n"
LINE = 76  # octets of base64 in a line (RFC 2045 section 6.8)


def headers(number: int = 1, *, content_type: str = "", **fields: str | bytes) -> bytes:
    """Return a header block without its empty line; ``in_reply_to="<a@b>"`` adds In-Reply-To.

    ``from_`` is From. Values go out as they are: give bytes for what is not ASCII. An empty value
    leaves a field out.
    """
    values: dict[str, str | bytes] = {
        "From": "Alice Example <alice@example.org>",
        "To": "Bob <bob@example.com>",
        "Subject": f"Message {number}",
        "Date": format_datetime(START + timedelta(hours=number)),
        "Message-ID": f"<{number}@example.org>",
    }
    for name, value in fields.items():
        field = "-".join(word.capitalize() for word in name.rstrip("_").split("_"))
        values[{"Message-Id": "Message-ID"}.get(field, field)] = value
    if content_type:
        values |= {"MIME-Version": "1.0", "Content-Type": content_type}
    return b"".join(
        name.encode() + b": " + (value.encode("ascii") if isinstance(value, str) else value) + CRLF
        for name, value in values.items()
        if value
    )


def plain(number: int = 1, text: str = "Hello.\r\n", **fields: str | bytes) -> bytes:
    """Return a text/plain message, in UTF-8 where the text wants it."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    encoding: dict[str, str | bytes] = (
        {} if text.isascii() else {"content_transfer_encoding": "8bit"}
    )
    head = headers(number, content_type=f"text/plain; charset={charset}", **encoding, **fields)
    return head + CRLF + text.encode()


def alternative(
    number: int = 1,
    text: str = "Grüße\r\n",
    html: str = "<p>Grüße</p>\r\n",
    **fields: str | bytes,
) -> bytes:
    """Return a multipart/alternative: text in quoted-printable, HTML in base64."""
    return multipart(
        "alternative",
        quoted_printable(text),
        base64_part("text/html; charset=utf-8", html.encode()),
        number=number,
        **fields,
    )


def with_attachment(
    number: int = 1,
    filename: str = "report.pdf",
    content: bytes = PDF,
    **fields: str | bytes,
) -> bytes:
    """Return a text with one attachment in base64."""
    attachment = base64_part(
        f'application/pdf; name="{filename}"',
        content,
        disposition=f'attachment; filename="{filename}"',
    )
    return multipart(
        "mixed", quoted_printable("See the report.\r\n"), attachment, number=number, **fields
    )


def with_inline_image(number: int = 1, **fields: str | bytes) -> bytes:
    """Return a multipart/related: HTML that shows an image sent along with it."""
    image = base64_part(
        "image/png", PNG, disposition='inline; filename="dot.png"', content_id="<dot@example.org>"
    )
    html = base64_part("text/html; charset=utf-8", b'<p>A dot: <img src="cid:dot@example.org"></p>')
    return multipart("related", html, image, number=number, **fields)


def with_forwarded(number: int = 1, inner: bytes | None = None, **fields: str | bytes) -> bytes:
    """Return a text with a whole message (message/rfc822) attached."""
    forwarded = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + (
        plain(900 + number, "The inner text.\r\n") if inner is None else inner
    )
    return multipart(
        "mixed", quoted_printable("Look at this.\r\n"), forwarded, number=number, **fields
    )


def encoded_words(number: int = 1) -> bytes:
    """Return a message with a non-ASCII subject and sender, as RFC 2047 wants them."""
    return plain(
        number,
        subject="=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_?=\r\n =?utf-8?B?TcO8bmNoZW4g8J+Nug==?=",
        from_="=?iso-8859-1?Q?J=FCrgen_M=FCller?= <juergen@example.org>",
    )


def raw_utf8_headers(number: int = 1) -> bytes:
    """Return a message with undeclared UTF-8 in its header (RFC 6532 without being asked)."""
    return plain(
        number,
        subject="Grüße aus München".encode(),
        from_="Jürgen Müller <juergen@example.org>".encode(),
    )


def undeclared_latin1(number: int = 1, text: str = "Schöne Grüße aus Köln.\r\n") -> bytes:
    """Return a message in latin-1 that declares no charset, nor MIME at all."""
    return headers(number) + CRLF + text.encode("latin-1")


def broken_base64(number: int = 1) -> bytes:
    """Return a message whose one attachment is not base64 throughout."""
    part = base64_part("application/pdf", PDF, disposition="attachment; filename=broken.pdf")
    return multipart(
        "mixed",
        quoted_printable("Broken.\r\n"),
        part.replace(b"JVBE", b"!J\xffVBE="),
        number=number,
    )


def thread(length: int = 3, start: int = 1) -> list[bytes]:
    """Return a thread in which each message answers the one before."""
    ids = [f"<{number}@example.org>" for number in range(start, start + length)]
    replies = [
        plain(
            start + index,
            subject="Re: A thread",
            in_reply_to=ids[index - 1],
            references="\r\n ".join(ids[:index]),
        )
        for index in range(1, length)
    ]
    return [plain(start, subject="A thread"), *replies]


def many(count: int) -> list[bytes]:
    """Return messages of all these kinds in turn, numbered from 1."""
    kinds = (plain, alternative, with_attachment, encoded_words, with_inline_image, with_forwarded)
    return [kinds[number % len(kinds)](number) for number in range(1, count + 1)]


def multipart(subtype: str, *parts: bytes, number: int = 1, **fields: str | bytes) -> bytes:
    """Return a multipart message of parts that have headers of their own."""
    boundary = f"=_{subtype}_{number}"
    head = headers(number, content_type=f'multipart/{subtype}; boundary="{boundary}"', **fields)
    delimiter = b"--" + boundary.encode()
    return (
        head
        + CRLF
        + b"".join(delimiter + CRLF + part + CRLF for part in parts)
        + delimiter
        + b"--"
        + CRLF
    )


def quoted_printable(text: str, content_type: str = "text/plain; charset=utf-8") -> bytes:
    """Return a text part in quoted-printable."""
    body = quopri.encodestring(text.replace("\r\n", "\n").encode()).replace(b"\n", CRLF)
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode() + body


def base64_part(
    content_type: str, content: bytes, *, disposition: str = "", content_id: str = ""
) -> bytes:
    """Return a part in base64, in lines of 76 octets."""
    fields = {
        "Content-Type": content_type,
        "Content-Transfer-Encoding": "base64",
        "Content-Disposition": disposition,
        "Content-ID": content_id,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    encoded = base64.b64encode(content)
    lines = [encoded[at : at + LINE] for at in range(0, len(encoded), LINE)]
    return head.encode() + CRLF + CRLF.join(lines)
