"""Private mail: family and friends, in the evening and at the weekend."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from generator.chance import Dice
from generator.clock import END, ZONES, days, later, moment
from generator.conversations import file_letters, slots_for
from generator.enclosures import enclosure
from generator.letters import Letter, answer_to, message_id
from generator.people import FRIENDS, MIRA

if TYPE_CHECKING:
    from generator.mailbox import Stored
    from generator.mime import Entity

__all__ = ["private"]

_SV = (
    ("Middag på söndag?", "Hej gumman!\n\nKommer ni på middag på söndag? Pappa gör fiskgratäng.", ("Gärna! Vi tar med efterrätt.", "Vi kommer, men först vid fem."), "Vad roligt, då ses vi!"),
    ("Bilder från sommarstugan", "Hej!\n\nHär kommer en bild från stugan. Vattnet står högt i år.", ("Så fint! Är bryggan hel?", "Åh, jag längtar dit."), "Bryggan håller, men båten behöver målas."),
    ("Farmors åttioårsdag", "Hej på er,\n\nfarmor fyller åttio den tolfte. Vi tänkte ha kalas i trädgården. Kan du baka något?", ("Ja, jag tar med två tårtor.", "Klart! Hur många blir vi?"), "Vi blir arton. Tack!"),
    ("Var är stegen?", "Har du lånat vår stege? Den är inte i boden.", ("Nej, men jag tror att grannen har den.",), "Hittade den. Den låg bakom boden hela tiden."),
    ("Båten", "Hej Mira,\n\nbåten ska upp på lördag klockan nio. Kan du vara med och dra?", ("Ja, jag kommer. Ska jag ta med kaffe?", "Jag kan först efter elva, räcker det?"), "Bra, ta med handskar."),
)  # fmt: skip
_EN = (
    ("Notes for Wednesday", "Hi Mira,\n\ncould you bring the notes for the second alto? Mine have gone swimming.", ("I have them here, and a plastic bag too.", "Yes. What happened?"), "You are a treasure."),
    ("Sailing on Saturday?", "Wind from the south-west, five metres a second, sun. Are you in?", ("In! I bring sandwiches.", "I would love to, but we have guests."), "See you at the pier."),
    ("That book", "Here is the book that I told you about: \u201cThe Tide Table Murders\u201d. You will know who it was on page nine.", ("Page eleven! Thank you, it was great.", "I have just ordered it."), "Told you."),
    ("Moving day", "The van is booked for the 14th. I have nine boxes of books and one piano. Please come anyway.", ("We come, but not for the piano.",), "The piano stays. Thank you!"),
)  # fmt: skip


def private() -> list[Stored]:
    """Make what family and friends write."""
    dice = Dice("private")
    calendar = days()[:-2]
    weights = [2.2 if day.weekday() in (5, 6) else 0.8 for day in calendar]
    stored: list[Stored] = []
    for day in sorted(dice.weighted(calendar, weights) for _ in range(42)):
        friend = dice.pick(FRIENDS)
        subject, text, answers, end = dice.pick(_SV if friend.language == "sv" else _EN)
        evening = (
            dice.between(9 * 60, 22 * 60) if day.weekday() > 4 else dice.between(17 * 60, 22 * 60)
        )
        when = moment(day, evening, ZONES[friend.zone])
        files: tuple[Entity, ...] = ()
        if "bild" in text or dice.chance(0.08):
            files = (enclosure(dice, "jpg", slots_for(dice, day)),)
        own = f"{text}\n\n{friend.first}"
        letters = [
            Letter(friend, (MIRA,), subject, when, message_id(dice, friend), own, files=files)
        ]
        people = (MIRA, friend)
        for number, words in enumerate((dice.pick(answers), end)):
            author = people[number]
            if dice.chance(0.3):
                break
            # At home, in the evening: soon, whatever the day.
            delay = later(dice, when, ZONES["Gulf"]) - when
            when = letters[-1].date + min(delay, timedelta(hours=dice.between(1, 30)))
            if when.date() >= END:
                break
            when = when.astimezone(ZONES[author.zone].offset(when.date()))
            letters.append(answer_to(dice, letters[-1], author, when, words))
        folder = "Archive/2024" if day.year == 2024 and dice.chance(0.5) else "INBOX"
        stored += file_letters(dice, letters, folder)
    return stored
