"""A dozen and more broken mails, each broken in one way that is met in real mailboxes.

They carry the keyword ``lesson``; ``data/README.md`` lists them. They are written byte for byte:
what repairs mail on the way out cannot write them.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from generator import mime
from generator.chance import Dice
from generator.clock import stamp
from generator.delivery import deliver
from generator.mailbox import Stored
from generator.people import MIRA

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["lessons"]

_TO = f"{MIRA.name} <{MIRA.mailbox}>"


class _Lesson(NamedTuple):
    """A broken mail.

    Attributes
    ----------
    folder
        Where it lies.
    when
        When it came, UTC.
    sender
        The envelope's.
    message
        Makes it, of the written date.
    """

    folder: str
    when: str
    sender: str
    message: Callable[[str], str | bytes]


def _plain(subject: str, sender: str, name: str, text: str, date: str, more: str = "") -> str:
    identity = ".".join(re.findall("[a-z0-9]+", subject.lower()))
    return (
        f"Date: {date}\nFrom: {name} <{sender}>\nTo: {_TO}\nSubject: {subject}\n"
        f"Message-ID: <{identity}@{sender.rpartition('@')[2]}>\n{more}\n{text}\n"
    )


_UTF8 = (
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
)

_LATIN = _UTF8.replace("utf-8", "iso-8859-1")


def _without(name: str, message: str) -> str:
    return "".join(
        line for line in message.splitlines(keepends=True) if not line.startswith(f"{name}:")
    )


def _no_date(date: str) -> str:
    text = "Level at noon: 214 cm.\n\nThis message was sent by the gauge itself."
    return _without(
        "Date", _plain("Lesson: no Date", "gauge-12@skerry.example", "Gauge 12", text, date, _UTF8)
    )


def _impossible_date(_date: str) -> str:
    text = "The clock of this gauge has lost its battery."
    return _plain(
        "Lesson: impossible date",
        "gauge-31@skerry.example",
        "Gauge 31",
        text,
        "Fri, 31 Feb 2025 25:61:00 +0100",
        _UTF8,
    )


def _short_year(_date: str) -> str:
    text = "Fax received, 2 pages. Printed and put on your desk."
    return _plain(
        "Lesson: two-digit year",
        "fax@officebox.example",
        "Fax",
        text,
        "Tue, 18 Mar 25 09:41:07 +0100",
        _UTF8,
    )


def _undeclared(date: str) -> bytes:
    text = "Hej Mira,\n\nbåten går klockan åtta från Käringön. Ta med stövlar, det är högvatten på söndag."
    return _plain(
        "Lesson: 8-bit text, no charset", "sven@karingo.example", "Sven", text, date
    ).encode("iso-8859-1")


def _wrong_label(date: str) -> bytes:
    more = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    text = "Grüße aus Büsum! Die Fähre fährt heute später, wir können erst übermorgen prüfen."
    return _plain(
        "Lesson: says UTF-8, is windows-1252", "hafen@buesum.example", "Hafen", text, date, more
    ).encode("windows-1252")


def _broken_base64(date: str) -> str:
    text = (
        "The readings of the last week are fine. Only Tuesday is missing; the harbour had no power."
    )
    coded = base64.b64encode(text.encode()).decode()
    # A character that is none of base64's in the middle, and the end cut off.
    damaged = f"{coded[:40]}!{coded[40:76]}\n{coded[76:-3]}"
    more = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n"
    return _plain("Lesson: broken base64", "robot@levels.example", "Levels", damaged, date, more)


def _unclosed(date: str) -> str:
    more = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_cut"\n'
    text = (
        "--=_cut\nContent-Type: text/plain; charset=us-ascii\n\nThe file is attached.\n\n"
        "--=_cut\nContent-Type: text/csv; charset=us-ascii\n"
        'Content-Disposition: attachment; filename="levels.csv"\n\n'
        "time,level\n2025-05-14T06:00,212\n2025-05-14T06:10,21"
    )
    return _plain(
        "Lesson: multipart cut off before its end",
        "export@levels.example",
        "Levels",
        text,
        date,
        more,
    )


def _no_boundary(date: str) -> str:
    more = "MIME-Version: 1.0\nContent-Type: multipart/alternative\n"
    text = (
        "--part-1\nContent-Type: text/plain\n\nMeeting at ten.\n"
        "--part-1\nContent-Type: text/html\n\n<p>Meeting at ten.</p>\n--part-1--"
    )
    return _plain(
        "Lesson: multipart without a boundary", "app@rooms.example", "Rooms", text, date, more
    )


def _no_content_type(date: str) -> str:
    text = "<html><body><p>The page is <b>HTML</b>, but nobody says so.</p></body></html>"
    return _plain("Lesson: no Content-Type", "web@form.example", "Web form", text, date)


def _raw_header(date: str) -> bytes:
    message = _plain(
        "Lesson: raw header, förtöjning",
        "ake@brygga.example",
        "Åke Sjögren",
        "Vi ses på bryggan.",
        date,
        _LATIN,
    )
    return message.encode("iso-8859-1")


def _no_message_id(date: str) -> str:
    text = "Scanned by the copier on the second floor."
    return _without(
        "Message-ID",
        _plain("Lesson: no Message-ID", "copier@officebox.example", "Copier", text, date, _UTF8),
    )


def _same_message_id(date: str) -> str:
    text = "Alarm: level above 250 cm.\n\nEvery alarm of this gauge has the same Message-ID."
    return _plain(
        "Lesson: the same Message-ID", "gauge-07@skerry.example", "Gauge 07", text, date, _UTF8
    )


def _mixed_up(date: str) -> str:
    more = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n"
    text = (
        "The price is =E2=82=AC 40, or 100 % =3D all of it =ZZ if paid early.\n"
        "A link: https://www.levels.example/?a=1&b=2\nThe last line ends with an equals sign ="
    )
    return _plain(
        "Lesson: mixed-up quoted-printable", "sales@levels.example", "Levels", text, date, more
    )


def _empty_fold(date: str) -> str:
    more = f"X-Notes: this field goes on\n \t \n after a line of blanks\n{_UTF8}"
    text = "A line with nothing but blanks stands in the middle of a field of this header."
    return _plain(
        "Lesson: a blank line that is none",
        "relay@oldgate.example",
        "Old gateway",
        text,
        date,
        more,
    )


def _no_address(date: str) -> str:
    text = "Please find the minutes on the share."
    message = _plain(
        "Lesson: From without an address", "scanner@officebox.example", "Scanner", text, date, _UTF8
    )
    return message.replace(
        "From: Scanner <scanner@officebox.example>", "From: The big scanner on the third floor"
    )


def _unknown_charset(date: str) -> str:
    more = "MIME-Version: 1.0\nContent-Type: text/plain; charset=x-skerry-8\nContent-Transfer-Encoding: quoted-printable\n"
    return _plain(
        "Lesson: a charset that nobody knows",
        "gauge-55@skerry.example",
        "Gauge 55",
        "Niveau: 1,84 m. D=E9rive nulle.",
        date,
        more,
    )


_LESSONS = (
    _Lesson("Archive/2024", "2024-10-08T11:02:19", "gauge-12@skerry.example", _no_date),
    _Lesson("Archive/2024", "2024-11-19T09:30:41", "web@form.example", _no_content_type),
    _Lesson("Archive", "2025-02-28T13:45:10", "gauge-31@skerry.example", _impossible_date),
    _Lesson("INBOX", "2025-03-18T08:41:30", "fax@officebox.example", _short_year),
    _Lesson("INBOX", "2025-04-24T16:20:05", "sven@karingo.example", _undeclared),
    _Lesson("INBOX", "2025-05-14T06:12:55", "export@levels.example", _unclosed),
    _Lesson("INBOX", "2025-06-03T10:08:44", "hafen@buesum.example", _wrong_label),
    _Lesson("INBOX", "2025-08-26T12:33:12", "robot@levels.example", _broken_base64),
    _Lesson("INBOX", "2025-09-09T07:55:31", "app@rooms.example", _no_boundary),
    _Lesson("INBOX", "2025-10-14T14:14:14", "ake@brygga.example", _raw_header),
    _Lesson("INBOX", "2025-11-11T11:11:48", "copier@officebox.example", _no_message_id),
    _Lesson("INBOX", "2026-01-13T03:20:00", "gauge-07@skerry.example", _same_message_id),
    _Lesson("INBOX", "2026-01-13T15:50:00", "gauge-07@skerry.example", _same_message_id),
    _Lesson("INBOX", "2026-02-24T09:26:37", "sales@levels.example", _mixed_up),
    _Lesson("INBOX", "2026-03-17T13:03:21", "relay@oldgate.example", _empty_fold),
    _Lesson("INBOX", "2026-04-28T15:37:02", "scanner@officebox.example", _no_address),
    _Lesson("INBOX", "2026-05-26T05:48:26", "gauge-55@skerry.example", _unknown_charset),
)


def lessons() -> list[Stored]:
    """Make the broken mails."""
    dice = Dice("lessons")
    stored = []
    for lesson in _LESSONS:
        sent = datetime.fromisoformat(lesson.when).replace(tzinfo=UTC) - timedelta(seconds=4)
        way = deliver(dice, sent, lesson.sender, verdict="none")
        made = lesson.message(stamp(sent))
        body = made.encode() if isinstance(made, str) else made
        top = b"".join(mime.field(name, value) for name, value in way.fields)
        stored.append(
            Stored(lesson.folder, way.arrival, lesson.sender, top + body, keywords="lesson")
        )
    return stored
