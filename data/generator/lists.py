"""Mailing lists: [prefix], List-Id, a footer, and people who answer at all hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from generator import mime
from generator.automatic import post
from generator.chance import Dice
from generator.clock import END, ZONES, later, local, moment, working_days
from generator.delivery import deliver
from generator.letters import Letter, answer_to, message_id, raw_of, sent
from generator.mailbox import Stored
from generator.people import FRIENDS, LISTENERS, MIRA, VACATIONS, Person

if TYPE_CHECKING:
    from generator.mime import Fields

__all__ = ["lists"]


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a thread is about: a subject, a question, answers, an end."""

    subject: str
    question: str
    answers: tuple[str, ...]
    end: str = "That was it, thank you all."


_SENSORS = (
    _Topic(
        "Pressure sensors in brackish water",
        "we replace ours every second year because the readings drift. Is that normal in brackish "
        "water, or are we doing something wrong?",
        (
            "Two years is what we see as well. Rinsing with fresh water each spring helps a little.",
            "Check the vent tube first. Ours was full of spiders, and the drift was gone.",
            "Titanium lasts longer than steel, at four times the price.",
            "How do you notice the drift? We compare with a tide pole once a month.",
        ),
    ),
    _Topic(
        "Half-hour offsets in logger files",
        "one of our loggers writes its times with an offset of +05:30, and the import reads them "
        "as UTC. Has anybody seen this?",
        (
            "Yes. There is a setting for it, hidden under \u201cregion\u201d.",
            "I would set all loggers to UTC and never look back.",
            "Newfoundland sends its regards: -03:30 here.",
        ),
    ),
    _Topic(
        "Gulls",
        "is there anything that keeps gulls off a mast for more than a week?",
        (
            "Spikes. They sit next to the spikes, though.",
            "A plastic owl worked for two days. Then they liked the owl.",
            "A line of thin steel wire, ten centimetres above the top. Works for us since 2022.",
            "We gave up, and put the antenna lower.",
        ),
        "Wire it is. I will report.",
    ),
    _Topic(
        "Batteries below -20",
        "what do you use in winter? Ours give up at minus 22, always on Sundays.",
        (
            "Lithium iron phosphate with a heating foil. It costs power, but less than a trip.",
            "Put them below the ice line. The water is never colder than about zero.",
            "Ours run through, but we only send every six hours in January.",
        ),
    ),
    _Topic(
        "Meeting in autumn: who comes?",
        "the yearly meeting would be in the second week of October. Who comes, and who brings "
        "something to show?",
        (
            "I come, and show the cheap wave buoy.",
            "Only by video, I am afraid.",
            "I can show three ways to lose data, all of them our own.",
            "Is there a train?",
        ),
        "Sixteen people, that is a record.",
    ),
)
_TIDEFRAME = (
    _Topic(
        "ANN: tideframe {version}",
        "tideframe {version} is out. Reading is twice as fast, gaps are marked, and harmonic "
        "analysis takes a list of constituents.\n\n    pip install --upgrade tideframe\n\n"
        "Thanks to all who sent reports.",
        (
            "Congratulations! The new reader works well here.",
            "Small thing: the change log still says 'unreleased'.",
            "The wheels for older systems are missing. On purpose?",
        ),
        "Uploaded, please try again.",
    ),
    _Topic(
        "[RFC] Drop support for the old binary format",
        "nobody has touched the reader of the old binary format for six years. I would like to "
        "remove it in the next major version.",
        (
            "+1, with a warning one version before.",
            "-1, we still have a wall of tapes in it. Could it become a package of its own?",
            "+0. If somebody looks after it, keep it.",
            "I can take it into a package of its own.",
        ),
        "Then: a package of its own, and a warning in the next version.",
    ),
    _Topic(
        "Wrong month for constituents with period > 1 year",
        "the nodal correction is applied with the wrong sign for dates before 1970. A test that "
        "fails is below.\n\n    assert nodal('M2', 1960).round(3) == 1.037",
        (
            "Confirmed. The table begins in 1970 and is read backwards.",
            "Fix in branch 'nodal'. Could you try it with your long series?",
            "Works for all three stations here.",
        ),
    ),
    _Topic(
        "Weekly call: notes",
        "notes of today's call: two releases planned, one bug that nobody understands, and a "
        "discussion about names which we moved to the list.",
        (
            "Thanks for the notes. I could not join, the ferry was late.",
            "About the names: I still prefer the short ones.",
        ),
    ),
    _Topic(
        "Type hints for the reader",
        "I have begun to add type hints. Is it all right to require Python 3.11 for it?",
        (
            "Fine with me. Distributions have it by now.",
            "One of our ships has 3.9. It will not be updated before spring.",
            "Could the hints go in first, and the requirement later?",
        ),
    ),
)
_CHOIR = (
    _Topic(
        "Rehearsal on Wednesday",
        "we begin at half past six, with the sopranos first. Please bring the blue book.",
        (
            "I come later, the boat is late these days.",
            "Can somebody lend me a blue book?",
            "I have a cold, and will listen from the back.",
        ),
        "See you on Wednesday!",
    ),
    _Topic(
        "Concert in the old shipyard",
        "the shipyard has said yes! Who can carry chairs on Saturday?",
        ("I can, with the van.", "After two o'clock, yes.", "I bake."),
        "Eleven people and a van. Thank you!",
    ),
    _Topic(
        "Which key?",
        "the tenors ask for half a tone lower. The altos do not. Opinions?",
        ("Lower, please.", "It is beautiful as it is.", "Half a tone lower, and twice as soft."),
    ),
)


@dataclass(frozen=True, slots=True)
class _List:
    """A mailing list."""

    folder: str
    name: str
    prefix: str
    host: str
    members: tuple[Person, ...]
    topics: tuple[_Topic, ...]
    threads: int
    sizes: tuple[int, ...]

    @property
    def person(self) -> Person:
        """The list as a recipient."""
        return Person(self.name, f"{self.prefix}@{self.host}", "list")

    @property
    def fields(self) -> Fields:
        """What the list adds (RFC 2369, RFC 2919)."""
        here = f"{self.prefix}@{self.host}"
        return (
            ("Precedence", "list"),
            ("List-Id", f"{self.name} <{self.prefix}.{self.host}>"),
            ("List-Post", f"<mailto:{here}>"),
            ("List-Help", f"<mailto:{self.prefix}-request@{self.host}?subject=help>"),
            ("List-Archive", f"<https://{self.host}/archives/{self.prefix}/>"),
            (
                "List-Unsubscribe",
                f"<https://{self.host}/options/{self.prefix}>, "
                f"<mailto:{self.prefix}-leave@{self.host}>",
            ),
            ("Errors-To", f"{self.prefix}-bounces@{self.host}"),
        )

    @property
    def footer(self) -> str:
        """What stands below every letter."""
        return "\n".join(
            (
                "",
                "_" * 47,
                f"{self.prefix} mailing list -- {self.prefix}@{self.host}",
                f"https://{self.host}/options/{self.prefix}",
            )
        )


_LISTS = (
    _List(
        "Lists/sensor-users", "Users of coastal sensors", "sensor-users", "lists.buoydata.example.org",
        LISTENERS, _SENSORS, 25, (1, 2, 3, 3, 4, 5, 6),
    ),
    _List(
        "Lists/tideframe-dev", "Development of tideframe", "tideframe-dev", "lists.tideframe.example.org",
        LISTENERS[:8], _TIDEFRAME, 28, (1, 2, 2, 3, 4, 5),
    ),
    _List(
        "Lists/harbour-choir", "The harbour choir", "harbour-choir", "lists.example.net",
        FRIENDS[2:], _CHOIR, 20, (1, 1, 2, 3),
    ),
)  # fmt: skip


_LAST = END - timedelta(days=1)


def lists() -> list[Stored]:
    """Make what came over the lists, and what the owner wrote to them."""
    stored = []
    for one in _LISTS:
        dice = Dice(one.folder)
        for number, begun in enumerate(working_days(dice, one.threads)):
            # Lists do not keep office hours.
            day = min(begun + timedelta(days=dice.weighted((0, 1, 2), (6, 2, 1))), _LAST)
            stored += [
                sent(letter) if letter.author is MIRA else _received(dice, one, letter)
                for letter in _thread(dice, one, day, number)
            ]
    tideframe = _LISTS[1]
    dice = Dice("digest")
    stored += [_digest(dice, tideframe, date(2024, 9, day)) for day in (6, 13, 20)]
    return stored


def _thread(dice: Dice, one: _List, day: date, number: int) -> list[Letter]:
    topic = one.topics[number % len(one.topics)]
    author = dice.pick(one.members)
    version = f"2.{number // 5}"
    subject = topic.subject.format(version=version)
    text = topic.question.format(version=version)
    when = moment(day, dice.between(7 * 60, 23 * 60), ZONES[author.zone])
    letters = [
        Letter(
            author,
            (one.person,),
            f"[{one.prefix}] {subject}",
            when,
            message_id(dice, author),
            f"Hello all,\n\n{text}\n\n{author.first}",
            footer=one.footer,
        )
    ]
    left = dice.some(topic.answers, len(topic.answers))
    for _ in range(dice.pick(one.sizes) - 1):
        parent = letters[-1] if dice.chance(0.45) else dice.pick(letters)
        others = [person for person in (*one.members, MIRA) if person is not parent.author]
        writer = dice.pick(others)
        back = not left and author is not parent.author
        if not left and not back:
            break
        writer = author if back else writer
        words = topic.end if back else left.pop()
        away = VACATIONS if writer is MIRA else ()
        when = later(dice, parent.date, ZONES[writer.zone], away, pace=4)
        if when.date() > _LAST:
            break
        answer = answer_to(dice, parent, writer, local(when, ZONES[writer.zone]), words)
        copies = (parent.author,) if dice.chance(0.4) and parent.author is not MIRA else ()
        letters.append(
            replace(
                answer,
                to=(one.person,),
                cc=copies,
                footer="" if writer is MIRA else one.footer,
            )
        )
        if back:
            break
    return letters


def _received(dice: Dice, one: _List, letter: Letter) -> Stored:
    envelope = f"{one.prefix}-bounces@{one.host}"
    listed = replace(letter, extra=one.fields)
    way = deliver(
        dice,
        letter.date,
        envelope,
        relays=2,
        zone="New York",
        signed=one.host,
        slow=dice.between(1, 12),
        author=letter.author.domain,
    )
    left = (END - letter.date.date()).days
    seen = dice.chance(0.75 if left > 14 else 0.3)
    return Stored(one.folder, way.arrival, envelope, raw_of(listed, way.fields), seen)


def _digest(dice: Dice, one: _List, day: date) -> Stored:
    """Make one mail of several, as the owner had it at first (RFC 2046 section 5.1.5)."""
    entries = []
    topics = dice.some(one.topics, 3)
    for topic in topics:
        author = dice.pick(one.members)
        text = topic.question.format(version="2.0")
        head = (
            ("Date", f"Fri, {day.day} Sep 2024 09:{dice.between(10, 59)}:00 +0000"),
            ("From", mime.address(author.name, author.mailbox)),
            ("Subject", topic.subject.format(version="2.0")),
            ("Message-ID", f"<{message_id(dice, author)}>"),
        )
        inner = mime.entity_bytes(mime.Entity(head, f"{text}\n".encode()))
        entries.append(mime.Entity((("Content-Type", "message/rfc822"),), inner))
    titles = "\n".join(f"   {n}. {topic.subject}" for n, topic in enumerate(topics, 1))
    contents = mime.text_part(
        f"Today's topics:\n\n{titles.format(version='2.0')}", "us-ascii", "7bit"
    )
    body = mime.multipart(
        "mixed",
        (contents, mime.multipart("digest", entries, f"=_d{dice.token(16)}")),
        f"=_m{dice.token(16)}",
    )
    return post(
        dice,
        one.folder,
        moment(day, 12 * 60, ZONES["New York"]),
        (one.name, f"{one.prefix}-request@{one.host}"),
        f"{one.prefix} Digest, Vol 3, Issue {day.day // 7 + 1}",
        body,
        extra=one.fields,
        envelope=f"{one.prefix}-bounces@{one.host}",
        to=f"{one.prefix}@{one.host}",
        zone="New York",
    )
