"""Text, files and names -> the bytes of a message (RFC 5322, 2045 to 2047, 2231, 3676).

Written out in plain code: the standard library's generator folds and encodes differently from one
version of Python to the next, and would repair what is meant to be broken.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Entity",
    "address",
    "attachment",
    "base64_lines",
    "encode_words",
    "entity_bytes",
    "field",
    "flow",
    "multipart",
    "parameter",
    "quoted_printable",
    "text_part",
    "wrap",
]

Fields = tuple[tuple[str, str], ...]

_LINE = 76
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_Q_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")


class Entity(NamedTuple):
    """A header and a body, of a message or of a part.

    Attributes
    ----------
    fields
        Names and values, to be folded.
    body
        Encoded, with LF line ends.
    """

    fields: Fields
    body: bytes


def field(name: str, value: str) -> bytes:
    """Write one header field, folded at blanks where it is long (RFC 5322 section 2.2.3)."""
    lines = []
    line = f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    return ("\n".join(lines) + "\n").encode("utf-8")


def entity_bytes(entity: Entity) -> bytes:
    """Write header, empty line and body."""
    head = b"".join(field(name, value) for name, value in entity.fields)
    return head + b"\n" + entity.body


# -- names and words


def encode_words(text: str, charset: str = "utf-8", how: str = "B") -> str:
    """Write text as encoded words where it is not ASCII (RFC 2047).

    Parameters
    ----------
    text
        To be written.
    charset
        Of the words, as the sender's program names it.
    how
        ``"B"`` for base64, ``"Q"`` for the one that leaves letters readable.
    """
    if text.isascii():
        return text
    room = _LINE - len(f"=?{charset}?{how}??=") - 12
    words = []
    piece = ""
    for letter in text:
        if piece and len(_coded(piece + letter, charset, how)) > room:
            words.append(piece)
            piece = ""
        piece += letter
    words.append(piece)
    return " ".join(f"=?{charset}?{how}?{_coded(word, charset, how)}?=" for word in words)


def _coded(text: str, charset: str, how: str) -> str:
    data = text.encode(charset)
    if how == "B":
        return base64.b64encode(data).decode("ascii")
    return "".join(
        "_" if byte == 32 else chr(byte) if byte in _Q_PLAIN else f"={byte:02X}" for byte in data
    )


def address(name: str, mailbox: str, charset: str = "utf-8", how: str = "B") -> str:
    """Write a mailbox with its display name (RFC 5322 section 3.4)."""
    if not name:
        return mailbox
    if not name.isascii():
        return f"{encode_words(name, charset, how)} <{mailbox}>"
    if _ATOMS.fullmatch(name):
        return f"{name} <{mailbox}>"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{mailbox}>'


def parameter(name: str, value: str, charset: str = "utf-8") -> str:
    """Write a parameter of a header field, with a charset where it needs one (RFC 2231)."""
    if value.isascii():
        return f"{name}={value}" if _TOKEN.fullmatch(value) else f'{name}="{value}"'
    coded = "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b".-_" else f"%{byte:02X}"
        for byte in value.encode(charset)
    )
    start = f"{charset}''{coded}"
    if len(start) <= _LINE - len(name) - 4:
        return f"{name}*={start}"
    # Never within an escape of three characters.
    pieces = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,18}", start)
    return "; ".join(f"{name}*{number}*={piece}" for number, piece in enumerate(pieces))


# -- bodies


def wrap(text: str, width: int = 72, first: str = "", rest: str = "") -> list[str]:
    """Break a paragraph into lines at blanks."""
    lines = []
    line, begins = first, True
    for word in text.split(" "):
        if not begins and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, begins = rest, True
        line += word if begins else f" {word}"
        begins = False
    lines.append(line)
    return lines


def flow(text: str, width: int = 72) -> str:
    """Write paragraphs as format=flowed (RFC 3676): a blank at the end means that it goes on."""
    lines = []
    for paragraph in text.split("\n"):
        if paragraph.startswith(">") or paragraph == "-- ":
            lines.append(paragraph)
            continue
        pieces = wrap(paragraph.rstrip(" "), width)
        soft = [f"{piece} " for piece in pieces[:-1]] + pieces[-1:]
        # Section 4.4: what begins with a blank, ">" or "From " gets a blank in front.
        lines += [f" {one}" if one.startswith((" ", ">", "From ")) else one for one in soft]
    return "\n".join(lines)


def base64_lines(data: bytes) -> bytes:
    """Write base64 in lines of 76 (RFC 2045 section 6.8)."""
    coded = base64.b64encode(data)
    return b"".join(coded[at : at + _LINE] + b"\n" for at in range(0, len(coded), _LINE))


def quoted_printable(data: bytes) -> bytes:
    """Write quoted-printable (RFC 2045 section 6.7); line ends are kept."""
    lines = []
    for row in data.split(b"\n"):
        line = b""
        for at, byte in enumerate(row):
            is_last = at == len(row) - 1
            is_plain = (33 <= byte <= 126 and byte != 61) or (byte in b" \t" and not is_last)
            piece = bytes((byte,)) if is_plain else b"=%02X" % byte
            if len(line) + len(piece) > _LINE - (not is_last):
                lines.append(line + b"=")
                line = b""
            line += piece
        lines.append(line)
    return b"\n".join(lines)


def text_part(
    text: str,
    charset: str,
    encoding: str,
    *,
    subtype: str = "plain",
    is_flowed: bool = False,
    extra: Fields = (),
) -> Entity:
    """Make a part of text.

    Parameters
    ----------
    text
        Without a line break at its end.
    charset
        What the program writes in; text that is ASCII goes as such.
    encoding
        For what is not ASCII: ``"quoted-printable"``, ``"base64"`` or ``"8bit"``.
    subtype
        ``"plain"``, ``"html"``, …
    is_flowed
        Say that lines ending in a blank go on.
    extra
        Further fields.
    """
    data = (text + "\n").encode(charset)
    if data.isascii() and (encoding != "base64" or charset == "iso-2022-jp"):
        # ISO-2022-JP is seven bits, but no ASCII where it leaves that by an escape.
        charset = charset if b"\x1b" in data or charset == "utf-8" else "us-ascii"
        longest = max(len(line) for line in data.split(b"\n"))
        encoding = "7bit" if longest <= 200 else "quoted-printable"
    body = {"base64": base64_lines, "quoted-printable": quoted_printable}.get(encoding, bytes)(data)
    flowed = "; format=flowed" if is_flowed else ""
    fields = (
        ("Content-Type", f"text/{subtype}; charset={charset}{flowed}"),
        ("Content-Transfer-Encoding", encoding),
        *extra,
    )
    return Entity(fields, body)


def multipart(
    subtype: str, parts: Sequence[Entity], boundary: str, *, extra: str = "", preamble: str = ""
) -> Entity:
    """Make a multipart of parts (RFC 2046 section 5.1).

    Parameters
    ----------
    subtype
        ``"mixed"``, ``"alternative"``, …
    parts
        In order.
    boundary
        What stands between them.
    extra
        Further parameters of the Content-Type, as they are written.
    preamble
        For programs from before MIME.
    """
    body = f"{preamble}\n".encode() if preamble else b""
    for part in parts:
        body += b"--%b\n%b" % (boundary.encode(), entity_bytes(part))
        body += b"" if body.endswith(b"\n") else b"\n"
    body += b"--%b--\n" % boundary.encode()
    declared = f'multipart/{subtype}; {extra}boundary="{boundary}"'
    return Entity((("Content-Type", declared),), body)


def attachment(
    name: str,
    content_type: str,
    content: bytes,
    *,
    charset: str = "utf-8",
    disposition: str = "attachment",
    content_id: str = "",
    both: bool = True,
) -> Entity:
    """Make a part of a file.

    Parameters
    ----------
    name, content_type, content
        Of the file.
    charset
        Of its name (RFC 2231).
    disposition
        ``"attachment"`` or ``"inline"`` (RFC 2183).
    content_id
        Without angle brackets; empty for none.
    both
        Say the name in Content-Type too, as most programs do.
    """
    named = f"; {parameter('name', name, charset)}" if both and name else ""
    filed = f"; {parameter('filename', name, charset)}" if name else ""
    fields: list[tuple[str, str]] = [
        ("Content-Type", f"{content_type}{named}"),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"{disposition}{filed}"),
    ]
    if content_id:
        fields.append(("Content-ID", f"<{content_id}>"))
    return Entity(tuple(fields), base64_lines(content))
