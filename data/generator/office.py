"""The two years put together: how much of what there is, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from generator.chance import Dice
from generator.clock import working_days
from generator.conversations import among_colleagues, file_letters, with_customer
from generator.incident import incident
from generator.junk import junk
from generator.lessons import lessons
from generator.lists import lists
from generator.meetings import meetings
from generator.newsletters import newsletters
from generator.notices import notices
from generator.office_stories import TOPICS
from generator.people import CUSTOMERS, MIRA
from generator.private import private
from generator.returns import owner_away, returns
from generator.special import special
from generator.texts import PROJECT_TOPICS

if TYPE_CHECKING:
    from generator.letters import Letter
    from generator.mailbox import Stored

__all__ = ["everything"]

#: The weeks before releases.
_BURSTS = (
    (date(2024, 10, 14), date(2024, 10, 18), 2.0),
    (date(2025, 5, 12), date(2025, 5, 16), 2.5),
    (date(2026, 4, 20), date(2026, 4, 24), 3.5),
)


def everything() -> list[Stored]:
    """Make all messages of the mailbox."""
    stored = [
        *_colleagues(),
        *_customers(),
        *_projects(),
        *incident(),
        *notices(),
        *meetings(),
        *returns(),
        *private(),
        *lists(),
        *newsletters(),
        *junk(),
        *special(),
        *lessons(),
    ]
    return [_marked_deleted(number, one) for number, one in enumerate(stored)]


def _marked_deleted(number: int, one: Stored) -> Stored:
    """Mark some of what lies in Trash for EXPUNGE, as programs do before they empty it."""
    is_deleted = one.folder == "Trash" and number % 6 == 0
    return replace(one, state="D") if is_deleted else one


def _folder(dice: Dice, day: date) -> str:
    """Say where a conversation lies: the owner files away what is over, now and then."""
    if day.year == 2024:
        return "Archive/2024" if dice.chance(0.55) else "INBOX"
    if day < date(2025, 10, 1):
        return "Archive" if dice.chance(0.33) else "INBOX"
    return "INBOX"


def _colleagues() -> list[Stored]:
    dice = Dice("colleagues")
    stored: list[Stored] = []
    for day in working_days(dice, 198, _BURSTS):
        topic = dice.pick(TOPICS)
        stored += file_letters(dice, among_colleagues(dice, topic, day), _folder(dice, day))
    return stored


def _customers() -> list[Stored]:
    dice = Dice("customers")
    stored: list[Stored] = []
    everything: list[Letter] = []
    for number, day in enumerate(working_days(dice, 130)):
        # Everybody once, then as it falls.
        customer = CUSTOMERS[number] if number < len(CUSTOMERS) else dice.pick(CUSTOMERS)
        letters = with_customer(dice, customer, day)
        everything += letters
        stored += file_letters(dice, letters, _folder(dice, day))
    return [*stored, *owner_away(dice, [one for one in everything if one.author is not MIRA])]


def _projects() -> list[Stored]:
    stored: list[Stored] = []
    for folder, topic in PROJECT_TOPICS.items():
        dice = Dice(folder)
        for day in working_days(dice, 9):
            stored += file_letters(dice, among_colleagues(dice, topic, day), folder)
    return stored
