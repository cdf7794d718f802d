"""One bad day: the import stands still, and forty letters are written before it runs again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from generator.chance import Dice
from generator.clock import ZONES, local, moment
from generator.letters import Letter, answer_to, message_id, received, sent
from generator.mailbox import Stored
from generator.people import MIRA, by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DAY", "SUBJECT", "incident"]

DAY = date(2026, 2, 11)
SUBJECT = "Tideline: no new readings since 05:40"

# Hour and minute, who, which letter it answers (0 is the first), and what it says.
_STORY = (
    (6, 12, "Ivo", -1, "The import has stood still since 05:40. The gauges deliver, the queue grows, nothing reaches the database. I am looking."),
    (6, 31, "Ivo", 0, "worker3 is up but does nothing. Restarted it, same picture. Queue: 41,000."),
    (6, 58, "Kerstin", 1, "Network is fine on our side. No change was made tonight."),
    (7, 9, "Mira", 0, "I am awake and on the train. What do customers see?"),
    (7, 15, "Linnéa", 3, "The station pages show the last level with its old time, without any warning. Two calls so far."),
    (7, 22, "Mira", 4, "Please put a note on the status page: readings are delayed, none are lost. I check the text if you send it."),
    (7, 31, "Linnéa", 5, "\u201cSince 05:40 UTC+1 new readings are shown late. No readings are lost. Next note at 9:00.\u201d Is that right?"),
    (7, 34, "Mira", 6, "Perfect, go."),
    (7, 48, "Tomasz", 1, "Reading the log now. It takes the same packet over and over: number 81900, from station 4711."),
    (7, 55, "Ana", 8, "That is the station with the new firmware, isn't it?"),
    (8, 2, "Oskar", 9, "Yes, 4711 has had it since yesterday evening. But only as a test!"),
    (8, 10, "Tomasz", 10, "It sends a voltage of NaN. The worker cannot store it, puts it back, takes it again."),
    (8, 14, "Oskar", 11, "Oh no. The battery sensor says NaN when it is colder than -20."),
    (8, 21, "Priya", 11, "Plan: (1) take the packet out by hand, (2) let the worker put such packets aside, (3) fix the firmware. Tomasz 1 and 2, Oskar 3."),
    (8, 40, "Tomasz", 13, "(1) done. The import runs. Queue: 118,000 and falling."),
    (8, 44, "Ivo", 14, "Confirmed. About 900 a minute, so two hours."),
    (8, 47, "Clara", 0, "The Küstenamt has called me directly. What may I say?"),
    (8, 52, "Mira", 16, "That it was us, that nothing is lost, and that everything will be there by eleven."),
    (9, 1, "Linnéa", 5, "Second note is on the status page. 14 tickets now, all answered."),
    (9, 20, "Ivo", 15, "It stands again. Same thing, another packet."),
    (9, 23, "Tomasz", 19, "Station 4713. How many have the new firmware?!"),
    (9, 29, "Oskar", 20, "Four. 4711, 4713, 4718, 4720. I take them off the air now."),
    (9, 41, "Anders", 21, "4718 is on a rock without mobile coverage until the afternoon. It sends by satellite, but does not listen."),
    (9, 50, "Priya", 22, "Then (2) must come first. Tomasz?"),
    (10, 15, "Tomasz", 23, "Fix is in review. Packets with a value that is no number go to a table of their own."),
    (10, 22, "Sofia", 24, "Reading it. Can I have the packet of 4711 for a test?"),
    (10, 26, "Tomasz", 25, "Attached to the ticket."),
    (10, 48, "Sofia", 24, "Test fails without the fix and passes with it. Approved."),
    (11, 5, "Ivo", 27, "Deployed. Queue: 97,000 and falling, 1,400 a minute."),
    (11, 12, "Astrid", 0, "I have a board meeting at one. In two sentences, please?"),
    (11, 18, "Mira", 29, "A test of new firmware on four stations sent a value that our import could not store, and it stood still for five hours. Nothing is lost, all readings will be there by half past twelve, and the fix is in place."),
    (11, 20, "Astrid", 30, "Thank you. That was two sentences."),
    (12, 34, "Ivo", 28, "Queue: 0. All stations are up to date."),
    (12, 41, "Mira", 32, "Wonderful. Linnéa, the last note, please, and thank you all."),
    (12, 55, "Linnéa", 33, "Done. 31 tickets, 31 answered. I need a coffee."),
    (13, 10, "Emil", 34, "Cake is on the way to the second floor."),
    (14, 2, "Henrik", 30, "Does the contract with the Küstenamt have a penalty for this?"),
    (14, 25, "Mira", 36, "From eight hours on. It was not quite seven."),
    (15, 30, "Priya", 13, "Let us meet tomorrow at ten: what happened, why a test could do this, what we change. No blame."),
    (16, 8, "Oskar", 38, "Firmware 5.1.1 says 0 and sets a flag instead of NaN. It stays in the lab until then. I am sorry, everybody."),
    (16, 15, "Mira", 39, "Oskar, four stations and a cold night found what our tests did not. Sleep well."),
    (20, 47, "Nora", 32, "Just for the record: none of my customers noticed, they were all asleep."),
)  # fmt: skip


def incident() -> list[Stored]:
    """Make the day's letters."""
    dice = Dice("incident")
    letters: list[Letter] = []
    everyone = [by_name(name) for name in dict.fromkeys(row[2] for row in _STORY)]
    for hour, minute, name, number, text in _STORY:
        author = by_name(name)
        when = moment(DAY, 60 * hour + minute, ZONES["Sweden"]) + timedelta(seconds=dice.below(60))
        when = local(when, ZONES[author.zone])
        if number < 0:
            others = tuple(one for one in everyone if one not in (author, MIRA))
            letters.append(
                Letter(
                    author, (MIRA,), SUBJECT, when, message_id(dice, author), text, cc=others[:8]
                )
            )
            continue
        letter = answer_to(dice, letters[number], author, when, text)
        letters.append(letter)
    return list(_stored(dice, letters))


def _stored(dice: Dice, letters: list[Letter]) -> Iterable[Stored]:
    answered = {id(one.parent) for one in letters if one.author is MIRA}
    for letter in letters:
        if letter.author is MIRA:
            yield sent(letter, keywords="incident")
            continue
        state = "AF" if id(letter) in answered else "F" if letter is letters[0] else ""
        marks = Stored("INBOX", letter.date, "", b"", state=state, keywords="incident")
        yield received(dice, letter, "INBOX", marks)
