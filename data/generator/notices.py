"""What machines report: builds, alarms, tickets, time sheets, monthly figures, invoices."""

from __future__ import annotations

from datetime import date, timedelta
from html import escape
from typing import TYPE_CHECKING

from generator import files, mime
from generator.automatic import both, post
from generator.chance import Dice
from generator.clock import (
    END,
    ZONES,
    days,
    first_free,
    in_office,
    moment,
    work_time,
    working_days,
)
from generator.conversations import slots_for
from generator.enclosures import OFFICE
from generator.people import COMPANY, CUSTOMERS, by_name, staff_of

if TYPE_CHECKING:
    from generator.mailbox import Stored
    from generator.mime import Fields

__all__ = ["notices"]

_GENERATED = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"))
_SWEDEN = ZONES["Sweden"]
_MONTHS = "January February March April May June July August September October November December"


def notices() -> list[Stored]:
    """Make everything that comes by itself."""
    return [
        *_builds(),
        *_alarms(),
        *_tickets(),
        *_sheets(),
        *_figures(),
        *_invoices(),
        *_archives(),
        *_parcels(),
    ]


def _months() -> list[date]:
    return [day for day in days() if day.day == 1]


def _folder(dice: Dice, day: date, trash: float) -> str:
    if dice.chance(trash):
        return "Trash"
    return "Archive/2024" if day.year == 2024 and dice.chance(0.4) else "INBOX"


_TESTS = ("test_import_keeps_gaps", "test_alarm_levels", "test_half_hour_zones", "test_login_page")


def _builds() -> list[Stored]:
    dice = Dice("builds")
    stored = []
    bursts = ((date(2026, 4, 20), date(2026, 4, 24), 6.0),)
    for number, day in enumerate(working_days(dice, 105, bursts), 2210):
        slots = slots_for(dice, day)
        failed = dice.chance(0.4)
        author = dice.pick(staff_of("Engineering", day=day))
        commit = f"{dice.below(16**7):07x}"
        state = "failed" if failed else "passed"
        lines = [
            f"Build {number} of tideline ({slots['version']}) has {state}.",
            "",
            f"Commit:   {commit} by {author.name}",
            f"Duration: {dice.between(4, 19)} min {dice.below(60)} s",
        ]
        if failed:
            lines += [f"Failed:   {one}" for one in dice.some(_TESTS, dice.between(1, 2))]
        lines += ["", f"https://build.{COMPANY}/tideline/{number}"]
        stored.append(
            post(
                dice,
                _folder(dice, day, 0.15),
                work_time(dice, day, _SWEDEN),
                ("Build server", f"ci@build.{COMPANY}"),
                f"[tideline] Build {number} {state}",
                mime.text_part("\n".join(lines), "utf-8", "8bit"),
                extra=(*_GENERATED, ("X-Build-State", state)),
                seen=dice.chance(0.9 if failed else 0.7),
                signed=False,
            )
        )
    return stored


def _alarms() -> list[Stored]:
    """Report what is wrong and, mostly soon, that it is right again: at every hour."""
    dice = Dice("alarms")
    stored = []
    for begun in working_days(dice, 38):
        day = begun + timedelta(days=dice.between(0, 4))
        if day >= END:
            continue
        host = dice.pick(("db1", "db2", "worker3", "web1", "mqtt1"))
        what = dice.pick(("disk 91 % full", "load 14.2", "no answer on port 443", "queue 12,400"))
        begin = moment(day, dice.below(1440), ZONES["Central Europe"])
        thread = f"alarm-{dice.token(8)}@monitor.{COMPANY}"
        for word, minutes in (("PROBLEM", 0), ("RECOVERY", dice.between(4, 170))):
            when = begin + timedelta(minutes=minutes)
            text = f"{word}: {host} - {what}\n\nTime: {when:%Y-%m-%d %H:%M:%S %z}\nTeam: operations"
            answer: Fields = ()
            if minutes:
                answer = (("In-Reply-To", f"<{thread}>"), ("References", f"<{thread}>"))
            stored.append(
                post(
                    dice,
                    _folder(dice, day, 0.2),
                    when,
                    ("Monitoring", f"monitor@monitor.{COMPANY}"),
                    f"{word} {host}: {what}",
                    mime.text_part(text, "us-ascii", "7bit"),
                    extra=(*answer, *_GENERATED, ("X-Priority", "2" if not minutes else "3")),
                    message_id="" if minutes else thread,
                    seen=dice.chance(0.8),
                    signed=False,
                )
            )
    return stored


def _tickets() -> list[Stored]:
    dice = Dice("tickets")
    stored = []
    for number, day in enumerate(working_days(dice, 60), 4100):
        customer = dice.pick(CUSTOMERS)
        slots = slots_for(dice, day)
        title = dice.pick(("No readings", "Password forgotten", "Wrong unit", "Export is empty"))
        subject = f"[Ticket #{number}] {title} ({customer.group})"
        text = (
            f"Ticket #{number} is waiting for Product.\n\nCustomer: {customer.name}, "
            f"{customer.group}\nStation:  {slots['number']}\nVersion:  {slots['version']}\n\n"
            f"https://tickets.{COMPANY}/{number}"
        )
        page = "<html><body>" + "".join(f"<p>{escape(one)}</p>\n" for one in text.split("\n\n"))
        stored.append(
            post(
                dice,
                _folder(dice, day, 0.05),
                work_time(dice, day, _SWEDEN),
                ("Fyrbåk Support", f"support@tickets.{COMPANY}"),
                subject,
                both(dice, text, f"{page}</body></html>"),
                extra=(*_GENERATED, ("X-Ticket", str(number)), ("X-Ticket-Queue", "product")),
                seen=dice.chance(0.93),
            )
        )
    return stored


def _sheets() -> list[Stored]:
    """Remind of the time sheet, every second Friday that people work."""
    dice = Dice("sheets")
    stored = []
    for day in days():
        if day.weekday() != 4 or day.isocalendar().week % 2 or not in_office(day, _SWEDEN):
            continue
        week = day.isocalendar().week
        text = (
            f"Hello Mira,\n\nyour hours of week {week} are not complete.\n\nhttps://time.{COMPANY}/"
        )
        stored.append(
            post(
                dice,
                _folder(dice, day, 0.3),
                moment(day, 14 * 60 + dice.below(3), _SWEDEN),
                ("Time sheets", f"noreply@time.{COMPANY}"),
                f"Your time sheet for week {week}",
                mime.text_part(text, "utf-8", "8bit"),
                extra=_GENERATED,
                seen=dice.chance(0.8),
            )
        )
    return stored


def _figures() -> list[Stored]:
    """Send the monthly report, from the second working day on: one who makes tables sends them."""
    dice = Dice("figures")
    stored = []
    leila = by_name("Leila")
    active = 412
    for first in _months()[1:]:
        day = first_free(first + timedelta(days=1), _SWEDEN)
        month = _MONTHS.split(" ")[first.month - 2]
        year = (first - timedelta(days=1)).year
        active += dice.between(3, 13)
        rows: list[list[object]] = [["Station", "Readings", "Gaps"]]
        rows += [
            [1000 + 7 * row, 4464 - dice.below(60), dice.below(9)]
            for row in range(40 + active // 8)
        ]
        text = (
            f"Hi Mira,\n\nhere are the figures for {month}.\n\n"
            f"Active stations: {active}\nReadings stored: {active * 4464 // 1000 / 1000:.3f} million\n"
            f"Alarms sent:     {dice.between(220, 380)}\n\nBest,\nLeila"
        )
        sheet = mime.attachment(
            f"figures-{year}-{(first.month - 2) % 12 + 1:02}.xlsx",
            f"{OFFICE}.spreadsheetml.sheet",
            files.xlsx(rows),
        )
        picture = mime.attachment(
            "curve.png",
            "image/png",
            files.curve(dice),
            disposition="inline",
            content_id=f"c{year}@{COMPANY}",
        )
        page = (
            "<html><body>"
            + "".join(f"<p>{escape(one)}</p>\n" for one in text.split("\n") if one)
            + f'<p><img src="cid:c{year}@{COMPANY}" alt="Stations"></p></body></html>'
        )
        html = mime.text_part(page, "utf-8", "quoted-printable", subtype="html")
        mark = dice.token(12)
        related = mime.multipart(
            "related", (html, picture), f"=_r{mark}", extra='type="text/html"; '
        )
        plain = mime.text_part(text, "utf-8", "quoted-printable")
        pair = mime.multipart("alternative", (plain, related), f"=_a{mark}")
        stored.append(
            post(
                dice,
                "Archive/2024" if first.year == 2024 else "INBOX",
                moment(day, 9 * 60 + dice.below(90), _SWEDEN),
                (leila.name, leila.mailbox),
                f"Monthly figures, {month} {year}",
                mime.multipart("mixed", (pair, sheet), f"=_m{mark}"),
                extra=((leila.program.field, leila.program.name),),
                signed=False,
                keywords="report",
            )
        )
    return stored


def _invoices() -> list[Stored]:
    dice = Dice("invoices")
    stored = []
    for number, first in enumerate(_months(), 31):
        amount = f"{410 + 9 * (number - 31)}.{dice.between(0, 99):02}"
        lines = [
            "Cloudberry Hosting",
            "",
            f"Invoice CB-{first.year}-{number:05}",
            f"Period: {first:%Y-%m}",
            f"Amount: EUR {amount}",
        ]
        document = mime.attachment(
            f"CB-{first.year}-{number:05}.pdf", "application/pdf", files.pdf([lines])
        )
        text = (
            f"Dear customer,\n\nyour invoice for {first:%Y-%m} is attached.\nAmount: EUR {amount}"
        )
        mark = dice.token(20)
        plain = mime.text_part(text, "utf-8", "quoted-printable")
        stored.append(
            post(
                dice,
                "Archive/2024" if first.year == 2024 else "INBOX",
                moment(first, 4 * 60 + dice.below(20), ZONES["Pacific"]),
                ("Cloudberry Billing", "billing@cloudberry.example.net"),
                f"Invoice CB-{first.year}-{number:05}",
                mime.multipart("mixed", (plain, document), f"=_{mark}"),
                extra=_GENERATED,
                zone="Pacific",
                keywords="receipts",
                seen=(END - first).days > 3,
            )
        )
    return stored


def _archives() -> list[Stored]:
    """Bring the few large files: half a year of readings, a manual, a plan."""
    dice = Dice("archives")
    large = (
        (date(2024, 9, 18), "Readings of station 4711, raw", "station-4711.csv", "csv", 5_000),
        (date(2025, 3, 12), "Manual, second edition", "manual-2.pdf", "pdf", 60),
        (
            date(2025, 6, 11),
            "Readings of the spring, all stations",
            "spring-2025.csv",
            "csv",
            21_000,
        ),
        (date(2025, 11, 5), "Manual, third edition", "manual-3.pdf", "pdf", 84),
        (date(2026, 2, 12), "Log of the outage", "worker3.log", "log", 4_000),
        (date(2026, 5, 20), "Readings for the auditor", "audit-2026.csv", "csv", 3_200),
    )
    stored = []
    for day, subject, name, kind, count in large:
        author = by_name("Freja" if kind == "pdf" else "Leila")
        if kind == "csv":
            content, content_type = files.readings(dice, 4711, count, f"{day}"), "text/csv"
        elif kind == "pdf":
            content, content_type = (
                files.pdf([_chapter(page) for page in range(count)]),
                "application/pdf",
            )
        else:
            content, content_type = _log(dice, count), "text/plain; charset=us-ascii"
        text = f"Hi Mira,\n\nthe file is attached. It is large, sorry.\n\n{author.first}"
        body = mime.multipart(
            "mixed",
            (
                mime.text_part(text, "utf-8", "quoted-printable"),
                mime.attachment(name, content_type, content),
            ),
            f"=_{dice.token(20)}",
        )
        stored.append(
            post(
                dice,
                "Archive/2024" if day.year == 2024 else "INBOX",
                work_time(dice, day, _SWEDEN),
                (author.name, author.mailbox),
                subject,
                body,
                extra=((author.program.field, author.program.name),),
                signed=False,
            )
        )
    return stored


def _chapter(page: int) -> list[str]:
    work = ("Open the case.", "Loosen the four screws.", "Check the seal.", "Close the case.")
    steps = [
        f"{page + 1}.{step + 1} {work[(page + step) % 4]} Torque: {2 + (page * step) % 7} Nm."
        for step in range(40)
    ]
    return [f"Skerry 2, manual, page {page + 1}", "", *steps]


def _log(dice: Dice, count: int) -> bytes:
    lines = [
        f"2026-02-11 {5 + row // 600:02}:{row // 10 % 60:02}:{row % 10 * 6:02} worker3 import: "
        f"packet {81_000 + row} {'stored' if row < 900 or dice.chance(0.3) else 'waits'}\n"
        for row in range(count)
    ]
    return "".join(lines).encode()


def _parcels() -> list[Stored]:
    """Send what shops and libraries write to a private person, now and then."""
    dice = Dice("parcels")
    stored = []
    # fmt: off
    senders = (
        ("Paketbåten", "avisering@paketbaten.example", "Ditt paket är på väg", "Hej!\n\nDitt paket {n} kommer i morgon."),
        ("Stadsbiblioteket", "no-reply@bibliotek.example", "Påminnelse: återlämna senast fredag", "Hej Mira,\n\nboken har lånats i fyra veckor. Den går att låna om på nätet."),
        ("Segelklubben Vågen", "kansli@sk-vagen.example", "Arbetsdag på bryggan", "Hej medlem,\n\npå lördag klockan nio river vi den gamla bryggan. Ta med handskar."),
        ("Tandläkarna vid torget", "bokning@tandvard.example", "Din tid är bokad", "Välkommen!\n\nDin tid är bokad. Avboka senast dagen innan."),
    )
    # fmt: on
    for day in working_days(dice, 24):
        name, mailbox, subject, text = dice.pick(senders)
        charset, how = dice.pick((("iso-8859-1", "quoted-printable"), ("utf-8", "base64")))
        stored.append(
            post(
                dice,
                _folder(dice, day, 0.25),
                moment(day, dice.between(6 * 60, 20 * 60), _SWEDEN),
                (name, mailbox),
                subject,
                mime.text_part(text.format(n=dice.between(10**6, 10**7)), charset, how),
                charset=charset,
                zone="Sweden",
                keywords="private",
                seen=dice.chance(0.95),
            )
        )
    return stored
