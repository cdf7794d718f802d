"""When people write: time zones, working days, holidays, and how long an answer takes.

The zones' rules are written out, for the two years that are needed: the tables of one machine are
not those of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.chance import Dice

__all__ = [
    "BEGIN",
    "END",
    "ZONES",
    "Zone",
    "days",
    "first_free",
    "growth",
    "in_office",
    "is_quiet",
    "later",
    "local",
    "moment",
    "separator_date",
    "stamp",
    "weekly",
    "work_time",
    "working_days",
]

BEGIN = date(2024, 7, 1)
END = date(2026, 6, 30)

_SUNDAY = 6
_DAY = timedelta(days=1)

# The holidays of the company's country, and the weeks in which nobody works anywhere.
_HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in [
        "2024-11-01",
        "2025-01-01",
        "2025-01-06",
        "2025-04-18",
        "2025-04-21",
        "2025-05-01",
        "2025-05-29",
        "2025-05-30",
        "2025-06-06",
        "2025-06-20",
        "2025-10-31",
        "2026-01-01",
        "2026-01-06",
        "2026-04-03",
        "2026-04-06",
        "2026-05-01",
        "2026-05-14",
        "2026-05-15",
        "2026-06-19",
    ]
)
_QUIET = (
    (date(2024, 12, 23), date(2025, 1, 3)),
    (date(2025, 12, 22), date(2026, 1, 5)),
)

# How much is written in each hour of a working day: a morning, a lunch, an afternoon.
_HOURS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
_HOUR_WEIGHTS = (0.25, 0.8, 1.4, 1.5, 1.1, 0.35, 0.9, 1.35, 1.3, 1.05, 0.6, 0.2, 0.1, 0.1, 0.06)

# Minutes until an answer: a log-normal distribution, of which half is below three quarters of an
# hour. Quantiles at 0, 2 ½, 5, … 100 percent.
_ANSWER = (
    1, 2, 3, 4, 6, 7, 8, 10, 12, 13, 15, 17, 19, 22, 24, 27, 30, 33, 37, 41, 45, 50, 55, 61, 67,
    75, 83, 93, 105, 118, 134, 153, 176, 205, 243, 293, 350, 470, 650, 1100, 4300,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Zone:
    """Where someone's clock is set.

    Attributes
    ----------
    winter
        Minutes east of UTC.
    rule
        When summer time is: ``"eu"``, ``"us"``, ``"south"`` or ``""`` for never.
    weekend
        The days without work, Monday being 0.
    """

    winter: int
    rule: str = ""
    weekend: tuple[int, int] = (5, 6)

    def offset(self, day: date) -> timezone:
        """Give the offset on a day."""
        summer = 60 if _is_summer(self.rule, day) else 0
        return timezone(timedelta(minutes=self.winter + summer))


ZONES = {
    "Sweden": Zone(60, "eu"),
    "Central Europe": Zone(60, "eu"),
    "Eastern Europe": Zone(120, "eu"),
    "Britain": Zone(0, "eu"),
    "Moscow": Zone(180),
    "Turkey": Zone(180),
    "Israel": Zone(120, "eu", (4, 5)),
    "Gulf": Zone(240),
    "India": Zone(330),
    "China": Zone(480),
    "Japan": Zone(540),
    "Korea": Zone(540),
    "Melbourne": Zone(600, "south"),
    "Brazil": Zone(-180),
    "Newfoundland": Zone(-210, "us"),
    "New York": Zone(-300, "us"),
    "Pacific": Zone(-480, "us"),
}


def _sunday(year: int, month: int, number: int) -> date:
    """Give the n-th Sunday of a month, or its last for -1."""
    if number < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - _DAY
        return last - timedelta(days=(last.weekday() - _SUNDAY) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (number - 1))


def _is_summer(rule: str, day: date) -> bool:
    year = day.year
    if rule == "eu":
        return _sunday(year, 3, -1) <= day < _sunday(year, 10, -1)
    if rule == "us":
        return _sunday(year, 3, 2) <= day < _sunday(year, 11, 1)
    if rule == "south":
        return not _sunday(year, 4, 1) <= day < _sunday(year, 10, 1)
    return False


def days() -> list[date]:
    """Give every day of the two years."""
    return [BEGIN + timedelta(days=n) for n in range((END - BEGIN).days + 1)]


def is_quiet(day: date) -> bool:
    """Say whether a day is a holiday or in the weeks around Christmas."""
    return day in _HOLIDAYS or any(first <= day <= last for first, last in _QUIET)


def in_office(day: date, zone: Zone, away: Sequence[tuple[date, date]] = ()) -> bool:
    """Say whether someone works on a day."""
    is_away = any(first <= day <= last for first, last in away)
    return day.weekday() not in zone.weekend and not is_quiet(day) and not is_away


def growth(day: date) -> float:
    """Say how much more is written than at the beginning: 40 percent more after two years."""
    return 1 + 0.4 * (day - BEGIN).days / (END - BEGIN).days


def working_days(
    dice: Dice, count: int, bursts: Sequence[tuple[date, date, float]] = ()
) -> list[date]:
    """Draw the days on which something begins, in order.

    Parameters
    ----------
    dice
        To draw with.
    count
        How many; the same day may come several times.
    bursts
        First and last day of busy times, and how busy they are.
    """
    sweden = ZONES["Sweden"]
    choices = days()
    weights = []
    for day in choices:
        weight = growth(day) * (1.15, 1.25, 1.1, 1.0, 0.7, 0.04, 0.03)[day.weekday()]
        if is_quiet(day):
            weight *= 0.08
        if day.month == 7:  # when this country is empty
            weight *= 0.45
        for first, last, factor in bursts:
            weight *= factor if first <= day <= last and in_office(day, sweden) else 1
        weights.append(weight)
    totals = [0.0]
    for weight in weights:
        totals.append(totals[-1] + weight)
    drawn = []
    place = 0
    for number in range(count):
        # One in each slice of equal weight: the growth shows without the noise.
        target = (number + dice.below(1000) / 1000) * totals[-1] / count
        while totals[place + 1] <= target:
            place += 1
        drawn.append(choices[place])
    return drawn


def weekly(weekday: int, every: int = 1, first: date = BEGIN) -> list[date]:
    """Give a weekday of every week, or of every so many."""
    start = first + timedelta(days=(weekday - first.weekday()) % 7)
    return [day for day in days() if day >= start and (day - start).days % (7 * every) == 0]


def moment(day: date, minute: int, zone: Zone) -> datetime:
    """Give the time so many minutes after midnight on someone's clock."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone.offset(day))
    return midnight + timedelta(minutes=minute)


def work_time(dice: Dice, day: date, zone: Zone) -> datetime:
    """Draw a time in someone's working day."""
    hour = dice.weighted(_HOURS, _HOUR_WEIGHTS)
    return moment(day, hour * 60 + dice.below(60), zone) + timedelta(seconds=dice.below(60))


def local(time: datetime, zone: Zone) -> datetime:
    """Give the same time on someone's clock."""
    guess = time.astimezone(zone.offset(time.date()))
    return time.astimezone(zone.offset(guess.date()))


def first_free(day: date, zone: Zone, away: Sequence[tuple[date, date]] = ()) -> date:
    """Give the day, or the next one on which someone works."""
    while not in_office(day, zone, away):
        day += _DAY
    return day


def later(
    dice: Dice,
    time: datetime,
    zone: Zone,
    away: Sequence[tuple[date, date]] = (),
    *,
    pace: float = 1,
) -> datetime:
    """Draw when someone answers what came at a time: soon, or on the next working morning.

    Parameters
    ----------
    dice
        To draw with.
    time
        When it came.
    zone, away
        Of who answers.
    pace
        A factor on the delay.
    """
    delay = timedelta(seconds=int(60 * pace * dice.quantile(_ANSWER)) + dice.below(60))
    answer = local(time + delay, zone)
    if answer.hour == 12 and dice.chance(0.7):  # after lunch
        answer += timedelta(minutes=dice.between(50, 95))
    minute = answer.hour * 60 + answer.minute
    is_work = in_office(answer.date(), zone, away)
    if is_work and (7 * 60 + 30 <= minute < 18 * 60 + 30 or dice.chance(0.12)):
        return answer
    if not any(first <= answer.date() <= last for first, last in away) and dice.chance(0.04):
        # At the weekend, or late.
        return max(moment(answer.date(), 9 * 60 + dice.below(780), zone), answer)
    day = answer.date() if is_work and minute < 12 * 60 else answer.date() + _DAY
    morning = first_free(day, zone, away)
    start = 8 * 60 + int(dice.quantile((0, 15, 30, 50, 70, 100, 140, 200, 420)))
    return max(moment(morning, start, zone) + timedelta(seconds=dice.below(60)), answer)


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamp(time: datetime, zone_name: str = "") -> str:
    """Write a time as a Date field has it (RFC 5322 section 3.3)."""
    offset = time.strftime("%z")
    comment = f" ({zone_name})" if zone_name else ""
    return (
        f"{_WEEKDAYS[time.weekday()]}, {time.day} {_MONTHS[time.month - 1]} {time.year} "
        f"{time:%H:%M:%S} {offset}{comment}"
    )


def separator_date(time: datetime) -> str:
    """Write a time as an mbox separator has it (RFC 4155 appendix A)."""
    utc = time.astimezone(UTC)
    return (
        f"{_WEEKDAYS[utc.weekday()]} {_MONTHS[utc.month - 1]} {utc.day:2} {utc:%H:%M:%S} {utc.year}"
    )
