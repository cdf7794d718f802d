"""Newsletters: at their hour of their weekday, with List-Unsubscribe and a page full of tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING

from generator import mime
from generator.automatic import both, post
from generator.chance import Dice
from generator.clock import END, ZONES, growth, is_quiet, moment, weekly

if TYPE_CHECKING:
    from generator.mailbox import Stored

__all__ = ["newsletters"]


@dataclass(frozen=True, slots=True)
class _Series:
    """A newsletter.

    Attributes
    ----------
    name, mailbox
        Of the sender.
    host
        Of its web pages.
    subject
        With ``{number}``, ``{week}``, ``{month}``, ``{year}`` and ``{headline}``.
    weekday, minute
        When it comes.
    every
        In weeks.
    first, last
        Days: a subscription begins, and ends.
    stories
        Headline and text.
    read
        How probably it is opened.
    is_short
        Whether it is a text without a page.
    """

    name: str
    mailbox: str
    host: str
    subject: str
    weekday: int
    minute: int
    every: int
    stories: tuple[tuple[str, str], ...]
    first: date = date(2024, 7, 1)
    last: date = END
    read: float = 0.5
    charset: str = "utf-8"
    is_short: bool = False
    hello: str = "Good morning, Mira"
    zone: str = "Central Europe"


_HARBOUR = (
    (
        "A breakwater that listens",
        "Forty hydrophones tell the harbour master which wave comes next.",
    ),
    ("Ferries go electric, tides do not", "Why timetables still need the gauge at the quay."),
    ("The quiet return of the tide pole", "Volunteers read them by eye, and are right."),
    ("Five ways to lose a buoy", "Ice, trawlers, rust, paperwork, and gulls."),
    ("Dredging by data", "A port saves a third of its digging by looking first."),
    ("Storm names for the winter", "The list is out, and nobody likes the letter K."),
    ("What the new datum means", "All heights change by a hand's breadth; the water does not."),
    ("Interview: the lock keeper", "She has opened the same gate forty thousand times."),
    ("Small ports, big sensors", "A cooperative of nine harbours buys together."),
    ("Reading the old log books", "A century of levels comes out of the cellar."),
    ("Salt against steel", "A new coating is tried for three years in the splash zone."),
    ("The cable that nobody had drawn", "Found by an anchor, mapped by a student."),
)
_PYTHON = (
    ("Time zones without tears", "Keep UTC inside, convert at the edge, and name the zone."),
    ("Group by week, honestly", "Weeks begin on Monday, except where they do not."),
    ("Plots that survive printing", "Line styles first, colours second."),
    ("Missing is not zero", "Three ways to mark a gap, and when each of them is right."),
    ("From a mailbox to a table", "Headers are data too: who writes when, and who answers."),
    ("A tiny outlier test", "Ten lines that catch the gull on the sensor."),
    ("Reading CSV from seven countries", "Commas, semicolons, decimal commas and a surprise."),
    ("Categories save memory", "A column of names shrinks to a twentieth."),
    ("Test data by chance, with a seed", "So that the same storm comes every time."),
)
_MENU = (
    ("Måndag", "Ärtsoppa med senap och timjan, pannkaka till efterrätt"),
    ("Tisdag", "Stekt strömming med potatismos och lingon"),
    ("Onsdag", "Köttbullar med gräddsås, pressgurka och rårörda lingon"),
    ("Torsdag", "Fisksoppa med saffran och aioli"),
    ("Fredag", "Kåldolmar, brynt smör och kokt potatis"),
    ("Veckans sallad", "Rödbetor, getost, valnötter"),
    ("Veckans vegetariska", "Rotfruktsgratäng med örtolja"),
)
_RAIL = (
    ("Summer by night train", "Couchettes from EUR 39, bicycles included."),
    ("Two for one in November", "For the days when nobody wants to travel."),
    ("New: the coast line in five hours", "Hourly, with a view on the left."),
    ("Your points in {month}", "You have 1,240 points. They do not expire this year."),
    ("Works on the line", "Replacement buses on two weekends; the timetable knows."),
)
_HOSTING = (
    ("New region in the north", "Cooled by a fjord. Prices stay the same."),
    ("Snapshots every hour", "Switch them on in the console."),
    (
        "Older keys will stop working",
        "Please replace keys of less than 2,048 bits by the end of the quarter.",
    ),
    ("Status page moved", "The old address forwards for a year."),
)
_CHARTS = (
    ("Stop the rainbow", "Seven colour maps that order things."),
    ("The best chart is a table", "Sometimes. We show three."),
    ("Small multiples, big screens", "What changes when the page is a wall."),
    ("Axis of doubt", "When to begin at zero."),
)

_SERIES = (
    _Series(
        "Harbour & Sensor Weekly", "weekly@harbourpress.example", "www.harbourpress.example",
        "Harbour & Sensor Weekly #{number}: {headline}", 1, 6 * 60, 1, _HARBOUR, read=0.7,
    ),
    _Series(
        "Measured Python", "hello@measuredpython.example.org", "measuredpython.example.org",
        "{headline} (Measured Python {number})", 3, 15 * 60 + 5, 2, _PYTHON, read=0.85,
        charset="us-ascii", is_short=True, hello="Hello,", zone="Britain",
    ),
    _Series(
        "Restaurang Kajutan", "lunch@kajutan.example", "www.kajutan.example",
        "Lunchmeny vecka {week}", 0, 7 * 60 + 30, 1, _MENU, read=0.35, charset="iso-8859-1",
        hello="Veckans lunch på Kajutan", zone="Sweden", first=date(2025, 1, 7),
    ),
    _Series(
        "Nordbana", "nyhetsbrev@nordbana.example", "www.nordbana.example",
        "{headline}", 2, 10 * 60, 4, _RAIL, read=0.4, hello="Hej Mira!", zone="Sweden",
    ),
    _Series(
        "Cloudberry Hosting", "news@cloudberry.example.net", "console.cloudberry.example.net",
        "What's new at Cloudberry, {month} {year}", 4, 16 * 60 + 40, 13, _HOSTING, read=0.6,
        zone="Pacific",
    ),
    _Series(
        "Chart of the Week", "chart@plotfolk.example", "plotfolk.example",
        "\u2728 {headline}", 4, 12 * 60 + 15, 2, _CHARTS, first=date(2025, 1, 20),
        last=date(2025, 9, 30), read=0.2, zone="New York",
    ),
)  # fmt: skip

_MONTHS = "January February March April May June July August September October November December"


def newsletters() -> list[Stored]:
    """Make every issue that came."""
    stored = []
    for series in _SERIES:
        dice = Dice(series.mailbox)
        number = 100
        for day in weekly(series.weekday, series.every, series.first):
            if day > series.last:
                break
            closed = series.charset == "iso-8859-1" and (day.month == 7 or is_quiet(day))
            if not closed:
                number += 1
                stored.append(_issue(dice, series, day, number))
    return stored


def _issue(dice: Dice, series: _Series, day: date, number: int) -> Stored:
    month = _MONTHS.split(" ")[day.month - 1]
    facts = {"number": str(number), "week": str(day.isocalendar().week), "month": month}
    facts["year"] = str(day.year)
    is_menu = series.stories is _MENU
    count = len(_MENU) if is_menu else min(len(series.stories), 3 + int(2 * (growth(day) - 1)))
    stories = list(_MENU) if is_menu else dice.some(series.stories, count)
    stories = [(head.format(**facts), text) for head, text in stories]
    subject = series.subject.format(headline=stories[0][0], **facts)
    token = dice.token(24)
    text = _text(series, stories, number, token)
    if series.is_short:
        body = mime.text_part(text, series.charset, "quoted-printable")
    elif is_menu:
        page = _page(series, stories, number, token)
        body = mime.text_part(page, series.charset, "8bit", subtype="html")
    else:
        how = dice.pick(("quoted-printable", "quoted-printable", "base64"))
        body = both(dice, text, _page(series, stories, number, token), series.charset, how)
    domain = series.mailbox.rpartition("@")[2]
    leave = f"https://{series.host}/leave/{token}"
    extra = (
        ("List-Id", f"{series.name.replace('&', 'and')} <news.{domain}>"),
        ("List-Unsubscribe", f"<{leave}>, <mailto:leave-{token[:8]}@{domain}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("X-Campaign", f"{day:%Y%m%d}-{number}"),
    )
    when = moment(day, series.minute + dice.below(9), ZONES[series.zone])
    left = (END - day).days
    return post(
        dice,
        "Newsletters",
        when,
        (series.name, series.mailbox),
        subject,
        body,
        extra=extra,
        envelope=f"bounce+{token[:10]}@{domain}",
        charset=series.charset if series.charset != "us-ascii" else "utf-8",
        zone=series.zone,
        relays=2,
        seen=dice.chance(series.read if left > 10 else series.read / 2),
        state="F" if dice.chance(0.02) else "",
    )


def _text(series: _Series, stories: list[tuple[str, str]], number: int, token: str) -> str:
    lines = [f"{series.name}, number {number}", "", series.hello, ""]
    for place, (head, text) in enumerate(stories, 1):
        lines += [
            f"{place}. {head}",
            *mime.wrap(text),
            f"https://{series.host}/{number}/{place}",
            "",
        ]
    lines += [
        "--",
        "You get this because you asked for it.",
        f"https://{series.host}/leave/{token}",
    ]
    return "\n".join(lines)


def _page(series: _Series, stories: list[tuple[str, str]], number: int, token: str) -> str:
    """Write a page as mail wants it: tables, styles at every element, a line for previews."""
    preview = escape(stories[0][1])
    rows = "\n".join(
        f'<tr><td style="padding:12px 24px"><h2 style="margin:0;font-size:18px">'
        f'<a href="https://{series.host}/{number}/{place}?s={token[:8]}">{escape(head)}</a></h2>\n'
        f'<p style="margin:4px 0;color:#333">{escape(text)}</p></td></tr>'
        for place, (head, text) in enumerate(stories, 1)
    )
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="{series.charset}">'
        f"<title>{escape(series.name)}</title></head>\n"
        '<body style="margin:0;background:#eef2f5">\n'
        f'<div style="display:none;max-height:0;overflow:hidden">{preview}</div>\n'
        '<table role="presentation" width="100%"><tr><td align="center">\n'
        '<table role="presentation" width="600" style="background:#fff;font-family:sans-serif">\n'
        f'<tr><td style="padding:24px"><h1 style="margin:0">{escape(series.name)}</h1>\n'
        f"<p>{escape(series.hello)}</p></td></tr>\n{rows}\n"
        '<tr><td style="padding:24px;font-size:12px;color:#888">'
        f'<a href="https://{series.host}/leave/{token}">Unsubscribe</a> | '
        f'<a href="https://{series.host}/{number}">Read in the browser</a></td></tr>\n'
        f'</table></td></tr></table>\n<img src="https://{series.host}/open/{token}.gif" '
        'width="1" height="1" alt="">\n</body></html>'
    )
