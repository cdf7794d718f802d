"""Files of the kinds that colleagues and customers send, with names that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import files, mime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.chance import Dice
    from generator.mime import Entity

__all__ = ["OFFICE", "enclosure"]

OFFICE = "application/vnd.openxmlformats-officedocument"


def enclosure(dice: Dice, kind: str, slots: Mapping[str, str], charset: str = "utf-8") -> Entity:
    """Make a file.

    Parameters
    ----------
    dice
        To draw its content with.
    kind
        The ending of its name: ``"pdf"``, ``"png"``, …
    slots
        What the conversation is about.
    charset
        Of its name, where that is not ASCII.
    """
    name, content = _MAKERS[kind](dice, slots)
    return mime.attachment(name, _TYPES[kind], content, charset=charset)


def _letterhead(slots: Mapping[str, str]) -> bytes:
    lines = [
        "Fyrbåk Instruments",
        "",
        f"{slots['product']} - document {slots['number']}",
        "",
        f"Site: {slots['site']}",
        f"Quantity: {slots['count']}",
        f"Total: EUR {slots['amount']}",
    ]
    return files.pdf([lines])


def _paragraphs(slots: Mapping[str, str]) -> list[str]:
    return [
        f"{slots['product']} {slots['version']}",
        f"This is a draft about {slots['screen']}.",
        f"First tried at {slots['site']}, with {slots['count']} stations.",
    ]


def _sheet(dice: Dice) -> list[list[object]]:
    rows: list[list[object]] = [["Cost centre", "Planned", "Spent"]]
    rows += [
        [f"4{row:02}", dice.between(10, 90) * 100, dice.between(900, 9000)] for row in range(12)
    ]
    return rows


def _log(dice: Dice, slots: Mapping[str, str]) -> bytes:
    states = ("packet stored", "packet stored", "packet repeated", "radio weak", "battery 3.71 V")
    lines = [
        f"{hour:02}:{dice.below(60):02} station {slots['number']}: {dice.pick(states)}"
        for hour in range(24)
    ]
    return ("\n".join(lines) + "\n").encode()


def _journey(slots: Mapping[str, str]) -> bytes:
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Reisen//Beispiel//EN",
        "BEGIN:VEVENT",
        f"UID:journey-{slots['number']}@reisen.example",
        "DTSTAMP:20250101T080000Z",
        "DTSTART:20250210T070000Z",
        f"SUMMARY:To {slots['city']}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines).encode()


_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "docx": f"{OFFICE}.wordprocessingml.document",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "csv": "text/csv; charset=us-ascii",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "sql": "application/sql",
    "gpx": "application/gpx+xml",
    "wav": "audio/x-wav",
    "zip": "application/zip",
    "ics": "text/calendar; charset=utf-8",
}
_MAKERS: dict[str, Callable[[Dice, Mapping[str, str]], tuple[str, bytes]]] = {
    "png": lambda dice, slots: (f"screen-{slots['number']}.png", files.curve(dice)),
    "jpg": lambda dice, _: (f"IMG_{dice.between(1000, 9999)}.jpg", files.photo(dice)),
    "pdf": lambda _, slots: (f"{slots['product']} {slots['number']}.pdf", _letterhead(slots)),
    "docx": lambda _, slots: (f"Draft {slots['product']}.docx", files.docx(_paragraphs(slots))),
    "xlsx": lambda dice, slots: (f"Budget {slots['quarter']}.xlsx", files.xlsx(_sheet(dice))),
    "csv": lambda dice, slots: (
        f"station-{slots['number']}.csv",
        files.readings(dice, int(slots["number"]), dice.between(20, 120)),
    ),
    "txt": lambda dice, slots: (f"log-{slots['number']}.txt", _log(dice, slots)),
    "json": lambda _, slots: ("settings.json", f'{{"station": {slots["number"]}}}\n'.encode()),
    "sql": lambda _, slots: ("plan.sql", f"EXPLAIN readings_of({slots['number']});\n".encode()),
    "gpx": lambda dice, _: ("track.gpx", files.gpx(dice)),
    "wav": lambda _dice, _slots: ("alarm.wav", files.wav()),
    "zip": lambda dice, slots: (
        f"station-{slots['number']}.zip",
        files.zipped(
            [
                ("readings.csv", files.readings(dice, int(slots["number"]), 40)),
                ("README", b"All times are UTC.\r\n"),
            ]
        ),
    ),
    "ics": lambda _, slots: ("journey.ics", _journey(slots)),
}
