"""Files that come with mail: small, valid, and the same bytes on every machine.

Nothing is deflated: one version of zlib packs otherwise than the next, and what is not packed here
packs all the better in the mailbox.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.chance import Dice

__all__ = ["csv", "docx", "gpx", "jpeg", "pdf", "png", "readings", "vcard", "wav", "xlsx", "zipped"]

_BLOCK = 0xFFFF


def _stored(data: bytes) -> bytes:
    """Write zlib's format without packing (RFC 1950, RFC 1951 section 3.2.4)."""
    out = b"\x78\x01"
    for at in range(0, max(len(data), 1), _BLOCK):
        piece = data[at : at + _BLOCK]
        is_last = at + _BLOCK >= len(data)
        out += struct.pack("<BHH", is_last, len(piece), len(piece) ^ _BLOCK) + piece
    return out + struct.pack(">I", zlib.adler32(data))


def png(rows: Sequence[Sequence[int]], palette: Sequence[tuple[int, int, int]]) -> bytes:
    """Draw a picture of up to 16 colours, four bits each.

    Parameters
    ----------
    rows
        Numbers of colours, an even count in each row.
    palette
        Red, green and blue of each colour.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    lines = b"".join(
        b"\0" + bytes(row[at] << 4 | row[at + 1] for at in range(0, len(row), 2)) for row in rows
    )
    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 4, 3, 0, 0, 0)
    colours = b"".join(map(bytes, palette))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"PLTE", colours)
        + chunk(b"IDAT", _stored(lines))
        + chunk(b"IEND", b"")
    )


def curve(dice: Dice, width: int = 160, height: int = 64) -> bytes:
    """Draw a line that goes up and down like a tide, on a grid."""
    level, slope = height // 2, 0
    tops = []
    for _ in range(width):
        slope += (height // 2 > level) - (height // 2 < level) + dice.between(-1, 1)
        slope = max(-3, min(3, slope))
        level = max(2, min(height - 3, level + slope))
        tops.append(level)
    rows = [
        [
            2 if abs(y - tops[x]) <= 1 else 1 if x % 20 == 0 or y % 16 == 0 else 0
            for x in range(width)
        ]
        for y in range(height)
    ]
    return png(rows, ((255, 255, 255), (220, 226, 232), (20, 90, 160)))


def logo() -> bytes:
    """Draw the company's sign: a light over waves."""
    rows = []
    for y in range(24):
        row = []
        for x in range(48):
            is_light = (x - 24) ** 2 + (y - 7) ** 2 < 20
            is_wave = y > 15 and (y + (x // 4 % 2)) % 3 == 0
            row.append(2 if is_light else 1 if is_wave else 0)
        rows.append(row)
    return png(rows, ((255, 255, 255), (20, 90, 160), (240, 170, 30)))


# -- JPEG: squares of one grey each, which need only the first number of every block

_MOST_BITS = 11
# How many codes of each length (ITU T.81 annex C): twelve of four bits, for the count of bits.
_DC_CODES = bytes((0, 0, 0, 12)) + bytes(12)
_AC_CODES = bytes((1,)) + bytes(15)


def jpeg(greys: Sequence[Sequence[int]]) -> bytes:
    """Write squares of eight by eight dots in shades of grey (baseline JPEG, ITU T.81).

    Parameters
    ----------
    greys
        Rows of shades from 0 to 255.
    """

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    bits: list[str] = []
    before = 0
    for row in greys:
        for grey in row:
            value = grey - 128
            change = value - before
            before = value
            length = abs(change).bit_length()
            bits.append(f"{length:04b}")
            if length:
                coded = change if change > 0 else change + (1 << length) - 1
                bits.append(f"{coded:0{length}b}")
            bits.append("0")  # end of block
    line = "".join(bits)
    line += "1" * (-len(line) % 8)
    scan = bytes(int(line[at : at + 8], 2) for at in range(0, len(line), 8))
    frame = struct.pack(">BHHB", 8, 8 * len(greys), 8 * len(greys[0]), 1) + b"\x01\x11\x00"
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + segment(0xDB, b"\0" + bytes((8,)) + bytes((1,)) * 63)
        + segment(0xC0, frame)
        + segment(0xC4, b"\x00" + _DC_CODES + bytes(range(12)))
        + segment(0xC4, b"\x10" + _AC_CODES + b"\0")
        + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
        + scan.replace(b"\xff", b"\xff\0")
        + b"\xff\xd9"
    )


def photo(dice: Dice, width: int = 40, height: int = 30) -> bytes:
    """Take a picture of the sea, as coarse as the telephone of a colleague."""
    rows = []
    for y in range(height):
        base = 205 - 2 * y if y < height // 2 else 90 - y
        rows.append([max(0, min(255, base + dice.between(-9, 9))) for _ in range(width)])
    return jpeg(rows)


# -- documents


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """Write pages of text lines (PDF 1.4, not packed)."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, lines in enumerate(pages):
        shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 60 780 Td\n{shown}ET\n".encode("windows-1252", "replace")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%bendstream" % (len(stream), stream))
    out = b"%PDF-1.4\n"
    places = []
    for number, written in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Write a zip archive without packing, everything dated the first of 2025."""
    day, out, directory = (2025 - 1980) << 9 | 1 << 5 | 1, b"", b""
    for name, data in files:
        facts = struct.pack(
            "<HHHHHIII", 20, 0x800, 0, 0, day, zlib.crc32(data), len(data), len(data)
        )
        title = name.encode()
        directory += (
            struct.pack("<4sH", b"PK\1\2", 20)
            + facts
            + struct.pack("<HHHHHII", len(title), 0, 0, 0, 0, 0, len(out))
            + title
        )
        out += b"PK\3\4" + facts + struct.pack("<HH", len(title), 0) + title + data
    count = len(files)
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(out), 0)
    return out + directory + tail


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "application/vnd.openxmlformats-officedocument"
_SCHEMAS = "http://schemas.openxmlformats.org"


def _office(kind: str, path: str, files: Sequence[tuple[str, str]]) -> bytes:
    types = (
        f'{_XML}<Types xmlns="{_SCHEMAS}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{_OFFICE}.{kind}.main+xml"/>'
    )
    if kind.startswith("spreadsheet"):
        types += (
            '<Override PartName="/xl/worksheets/sheet1.xml" '
            f'ContentType="{_OFFICE}.spreadsheetml.worksheet+xml"/>'
        )
    relations = (
        f'{_XML}<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_SCHEMAS}/officeDocument/2006/relationships/'
        f'officeDocument" Target="{path}"/></Relationships>'
    )
    everything = (("[Content_Types].xml", f"{types}</Types>"), ("_rels/.rels", relations), *files)
    return zipped([(name, text.encode()) for name, text in everything])


def docx(paragraphs: Sequence[str]) -> bytes:
    """Write a word processor's document (ECMA-376)."""
    body = "".join(f"<w:p><w:r><w:t>{_xml(one)}</w:t></w:r></w:p>" for one in paragraphs)
    document = (
        f'{_XML}<w:document xmlns:w="{_SCHEMAS}/wordprocessingml/2006/main"><w:body>{body}'
        "</w:body></w:document>"
    )
    path = "word/document.xml"
    return _office("wordprocessingml.document", path, [(path, document)])


def xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    """Write a spreadsheet of one sheet (ECMA-376)."""
    cells = ""
    for row in rows:
        cells += "<row>"
        for value in row:
            if isinstance(value, int):
                cells += f"<c><v>{value}</v></c>"
            else:
                cells += f'<c t="inlineStr"><is><t>{_xml(str(value))}</t></is></c>'
        cells += "</row>"
    main = f"{_SCHEMAS}/spreadsheetml/2006/main"
    relations = f"{_SCHEMAS}/officeDocument/2006/relationships"
    return _office(
        "spreadsheetml.sheet",
        "xl/workbook.xml",
        [
            (
                "xl/workbook.xml",
                f'{_XML}<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
                '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
            ),
            (
                "xl/_rels/workbook.xml.rels",
                f'{_XML}<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">'
                f'<Relationship Id="rId1" Type="{relations}/worksheet" '
                'Target="worksheets/sheet1.xml"/></Relationships>',
            ),
            (
                "xl/worksheets/sheet1.xml",
                f'{_XML}<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
            ),
        ],
    )


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# -- what programs exchange


def csv(rows: Sequence[Sequence[object]]) -> bytes:
    """Write comma-separated values (RFC 4180)."""
    return "".join(",".join(map(str, row)) + "\r\n" for row in rows).encode()


def readings(dice: Dice, station: int, count: int, day: str = "2025-03-01") -> bytes:
    """Write a gauge's log: one line of 48 bytes every ten minutes.

    The lines are of one length that base64 takes without a rest, which packs well.
    """
    lines = [f"{'station,date,time,level_mm,temperature_c,volts':46}\r\n"]
    level = 1000
    for number in range(count):
        level += dice.between(-2, 2) + (1 if number % 75 < 37 else -1)
        minute = number % 144 * 10
        clock = f"{minute // 60:02}:{minute % 60:02}:00"
        line = f"{station:06},{day},{clock},{level:+05},+08.4,3.71"
        lines.append(f"{line:46}\r\n")
    return "".join(lines).encode()


def wav(seconds: int = 1) -> bytes:
    """Write a tone of 250 Hz, 8 bits, 8 kHz."""
    wave = bytes(128 + (40 if at < 16 else -40) for at in range(32))
    data = wave * (250 * seconds)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def vcard(name: str, mailbox: str, organisation: str) -> bytes:
    """Write a card (RFC 6350)."""
    lines = (
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"FN:{name}",
        f"ORG:{organisation}",
        f"EMAIL:{mailbox}",
        "END:VCARD",
        "",
    )
    return "\r\n".join(lines).encode()


def gpx(dice: Dice) -> bytes:
    """Write a track over the water."""
    points = []
    north, east = 57_900, 11_550
    for _ in range(60):
        north += dice.between(-3, 6)
        east += dice.between(-5, 5)
        points.append(f'<trkpt lat="{north / 1000:.3f}" lon="{east / 1000:.3f}"/>')
    track = "\n".join(points)
    return (
        '<?xml version="1.0"?>\n<gpx version="1.1" creator="Skerry">\n<trk><trkseg>\n'
        f"{track}\n</trkseg></trk>\n</gpx>\n"
    ).encode()
