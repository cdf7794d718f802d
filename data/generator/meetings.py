"""Meetings: invitations, answers and cancellations, as programs exchange them (RFC 5545, 5546)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from generator import mime
from generator.chance import Dice
from generator.clock import END, ZONES, first_free, later, moment, work_time, working_days
from generator.letters import Letter, message_id, received, sent
from generator.mailbox import Stored
from generator.people import COMPANY, MIRA, VACATIONS, Person, staff_of

if TYPE_CHECKING:
    from generator.mime import Entity

__all__ = ["meetings"]

_TITLES = (
    ("Planning of the next release", 60),
    ("Talk about the alarms", 30),
    ("Review: help pages", 45),
    ("One-to-one", 30),
    ("Retrospective", 60),
    ("Calibration tank: tour for guests", 90),
    ("Roadmap, half a year ahead", 120),
    ("Design of the export", 45),
)


def meetings() -> list[Stored]:
    """Make invitations to the owner and by her, what people answer, and what is called off."""
    dice = Dice("meetings")
    stored: list[Stored] = []
    for number, day in enumerate(working_days(dice, 46)):
        title, minutes = dice.pick(_TITLES)
        people = dice.some(staff_of("Engineering", "Product", "Support", "Sales", day=day), 3)
        zone = ZONES["Sweden"]
        start = first_free(day + timedelta(days=dice.between(2, 12)), zone, VACATIONS)
        if start > END:
            continue
        begin = moment(start, dice.pick((540, 600, 630, 780, 840, 900)), zone)
        meeting = (f"meeting-{number:03}-{dice.token(8)}@{COMPANY}", title, begin, minutes)
        folder = "Archive/2024" if day.year == 2024 and dice.chance(0.4) else "INBOX"
        if number % 4 == 3:
            stored += _by_owner(dice, meeting, people, work_time(dice, day, zone), folder)
        else:
            stored += _by_others(dice, meeting, people, work_time(dice, day, zone), folder)
    return stored


_Meeting = tuple[str, str, datetime, int]


def _by_others(
    dice: Dice, meeting: _Meeting, people: list[Person], when: datetime, folder: str
) -> list[Stored]:
    organizer = people[0]
    when = work_time(dice, when.date(), ZONES[organizer.zone])
    invitation = _letter(dice, "REQUEST", meeting, organizer, (MIRA, *people[1:]), when)
    answer_time = later(dice, when, ZONES["Sweden"], VACATIONS)
    answers = answer_time < meeting[2] and dice.chance(0.8)
    stored = [received(dice, invitation, folder, _marks(folder, when, answers))]
    if answers:
        state = dice.weighted(("ACCEPTED", "TENTATIVE", "DECLINED"), (8, 1, 1))
        reply = _letter(dice, "REPLY", meeting, MIRA, (organizer,), answer_time, state, invitation)
        stored.append(sent(reply))
    if dice.chance(0.15):
        at = min(later(dice, answer_time, ZONES[organizer.zone]), meeting[2] - timedelta(hours=1))
        off = _letter(
            dice,
            "CANCEL",
            meeting,
            organizer,
            (MIRA, *people[1:]),
            max(at, answer_time),
            "",
            invitation,
        )
        stored.append(received(dice, off, folder))
    return stored


def _by_owner(
    dice: Dice, meeting: _Meeting, people: list[Person], when: datetime, folder: str
) -> list[Stored]:
    when = later(dice, when, ZONES["Sweden"], VACATIONS)
    invitation = _letter(dice, "REQUEST", meeting, MIRA, tuple(people), when)
    stored = [sent(invitation)]
    for person in people:
        at = later(dice, when, ZONES[person.zone])
        if at.date() >= END:
            continue
        state = dice.weighted(("ACCEPTED", "TENTATIVE", "DECLINED"), (7, 2, 1))
        reply = _letter(dice, "REPLY", meeting, person, (MIRA,), at, state, invitation)
        stored.append(received(dice, reply, folder))
    return stored


def _marks(folder: str, when: datetime, is_answered: bool) -> Stored:  # noqa: FBT001 a fact
    return Stored(folder, when, "", b"", seen=True, state="A" if is_answered else "")


_WORDS = {
    "REQUEST": "",
    "CANCEL": "Cancelled: ",
    "ACCEPTED": "Accepted: ",
    "TENTATIVE": "Tentative: ",
    "DECLINED": "Declined: ",
}


def _letter(
    dice: Dice,
    method: str,
    meeting: _Meeting,
    author: Person,
    to: tuple[Person, ...],
    when: datetime,
    state: str = "",
    parent: Letter | None = None,
) -> Letter:
    uid, title, begin, minutes = meeting
    organizer = author if method != "REPLY" else to[0]
    guests = to if method != "REPLY" else (author,)
    calendar = _calendar(method, uid, title, begin, minutes, organizer, guests, state, when)
    shown = f"{begin:%Y-%m-%d %H:%M}, {minutes} minutes"
    own = {
        "REQUEST": f"You are invited to: {title}\nWhen: {shown}\nWhere: Fyren, second floor",
        "CANCEL": f"The meeting is off: {title}\nIt would have been on {shown}.",
        "REPLY": f"{author.name} has answered: {state.lower()}.",
    }[method]
    letter = Letter(
        author,
        to,
        _WORDS[state or method] + title,
        when,
        message_id(dice, author),
        own,
        parent,
        files=(calendar,),
        quiet=True,
    )
    # The invitation as a version of the text, which programs show as a meeting (RFC 6047).
    return replace(letter, is_meeting=True)


def _calendar(
    method: str,
    uid: str,
    title: str,
    begin: datetime,
    minutes: int,
    organizer: Person,
    guests: tuple[Person, ...],
    state: str,
    when: datetime,
) -> Entity:
    def utc(time: datetime) -> str:
        return f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Fyrbak//Calendar 3//EN",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"SEQUENCE:{1 if method == 'CANCEL' else 0}",
        f"DTSTAMP:{utc(when)}",
        f"DTSTART:{utc(begin)}",
        f"DTEND:{utc(begin + timedelta(minutes=minutes))}",
        f"SUMMARY:{title.replace(',', chr(92) + ',')}",
        f'ORGANIZER;CN="{organizer.name}":mailto:{organizer.mailbox}',
    ]
    answer = state or "NEEDS-ACTION"
    lines += [f'ATTENDEE;CN="{one.name}";PARTSTAT={answer}:mailto:{one.mailbox}' for one in guests]
    lines += [
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    part = mime.text_part("\n".join(lines), "utf-8", "8bit", subtype="calendar")
    fields = ((part.fields[0][0], f"{part.fields[0][1]}; method={method}"), *part.fields[1:])
    return mime.Entity(fields, part.body)
