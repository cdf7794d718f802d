"""Conversations: trees of letters, each an answer to one before it, at human delays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from generator import mime
from generator.clock import END, ZONES, first_free, later, moment, work_time
from generator.enclosures import enclosure
from generator.languages import LANGUAGES
from generator.letters import Letter, answer_to, message_id, received, sent
from generator.mailbox import Stored
from generator.people import CUSTOMERS, MIRA, VACATIONS, staff_of
from generator.texts import ANSWERS, MORE, SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from generator.chance import Dice
    from generator.mime import Entity
    from generator.people import Person
    from generator.texts import Topic

__all__ = ["among_colleagues", "file_letters", "fill", "grow", "slots_for", "with_customer"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_SIZES = (1, 2, 3, 4, 5, 6, 8, 11)
_SIZE_WEIGHTS = (22, 24, 20, 13, 9, 6, 4, 2)
_SWEDEN = ZONES["Sweden"]
#: The last minute of the mailbox, with room for the way.
_LAST = moment(END, 23 * 60, ZONES["Sweden"])


def slots_for(dice: Dice, day: date) -> dict[str, str]:
    """Draw what stands in the braces of one conversation."""
    slots = {name: dice.pick(choices) for name, choices in SLOTS.items()}
    months = (day.year - 2024) * 12 + day.month - 7
    number = dice.between(1000, 9899)
    return slots | {
        "version": f"{3 + months // 12}.{months % 12}",
        "number": str(number if dice.chance(0.5) else dice.between(14, 96) * 10),
        "count": str(dice.between(3, 18)),
        "customer": dice.pick([one.group for one in CUSTOMERS if one.group.isascii()]),
        "date": f"{first_free(day + timedelta(days=dice.between(14, 40)), _SWEDEN):%Y-%m-%d}",
        "day": f"{day - timedelta(days=dice.between(1, 3)):%Y-%m-%d}",
        "month": _MONTHS[(day.month - 2) % 12],
        "quarter": f"Q{(day.month - 1) // 3 + 1} {day.year}",
        "amount": f"{dice.between(2, 48)},{dice.between(100, 999)}.{dice.between(0, 99):02}",
    }


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Put the words in."""
    return text.format_map(slots)


# -- the tree


def grow(
    dice: Dice,
    first: Letter,
    size: int,
    say: Sequence[str],
    more: Sequence[str],
    ends: Sequence[str],
    *,
    owner: float = 0.45,
    pace: float = 1,
) -> list[Letter]:
    """Let people answer.

    Parameters
    ----------
    dice
        To draw who answers what, and when.
    first
        The first letter.
    size
        How many letters at most: an answer may come too late for the mailbox.
    say, more, ends
        What answers say, what they say once that is said, and what the last one says.
    owner
        How probably the owner answers what comes to her.
    pace
        A factor on delays.
    """
    letters = [first]
    for number in range(size - 1):
        parent = letters[-1] if dice.chance(0.72) else dice.pick(letters)
        others = [one for one in parent.people if one is not parent.author]
        is_owner = MIRA in others and dice.chance(owner)
        colleagues = [one for one in others if one is not MIRA]
        author = MIRA if is_owner or not colleagues else dice.pick(colleagues)
        if author is parent.author:
            continue
        away = VACATIONS if author is MIRA else ()
        when = later(dice, parent.date, ZONES[author.zone], away, pace=pace)
        if when > _LAST:
            continue
        letter = answer_to(dice, parent, author, when, "", everyone=dice.chance(0.85))
        if size > 5 and number == 3 and dice.chance(0.4):
            subject = letter.subject.partition(": ")[2] or letter.subject
            letter = replace(letter, subject=f"{dice.pick(_TURNS)} (was: {subject})")
        if MIRA not in letter.people:
            letter = replace(letter, cc=(*letter.cc, MIRA))
        letters.append(letter)
    return _spoken(dice, letters, say, more, ends)


def _spoken(
    dice: Dice,
    letters: Sequence[Letter],
    say: Sequence[str],
    more: Sequence[str],
    ends: Sequence[str],
) -> list[Letter]:
    """Give the answers their words, in the order of time: what is said first is answered later."""
    first, *answers = sorted(letters, key=lambda one: one.date)
    chosen = dice.some(range(len(say)), len(answers))
    left = [*dice.some(more, len(more)), *[say[place] for place in sorted(chosen, reverse=True)]]
    new = {id(first): first}
    for number, letter in enumerate(answers):
        is_last = number == len(answers) - 1 and len(answers) > 1
        words = dice.pick(ends) if is_last or not left else left.pop()
        parent = new[id(letter.parent)]
        own = _answer(dice, letter.author, parent.author, words)
        new[id(letter)] = replace(letter, own=own, parent=parent)
    return list(new.values())


_TURNS = ("Next week", "One more thing", "Who writes the notes?", "Date of the next meeting")


def _answer(dice: Dice, author: Person, to: Person, words: str) -> str:
    if author.language != "en" or author.program.name.startswith("Puffin"):
        return words
    head = dice.weighted((f"Hi {to.first},\n\n", f"{to.first},\n\n", ""), (4, 1, 4))
    tail = dice.weighted(("", "\n\nBest,\n" + author.first, f"\n\n/{author.first}"), (5, 3, 2))
    return head + words + tail


# -- among colleagues


def among_colleagues(dice: Dice, topic: Topic, day: date) -> list[Letter]:
    """Have one conversation in the company, begun on a day."""
    people = staff_of(*topic.groups, day=day)
    slots = slots_for(dice, day)
    chosen = dice.some(people, dice.weighted((1, 2, 3, 5, 8), (8, 6, 4, 2, 1)))
    author, others = (MIRA, chosen) if dice.chance(0.2) else (chosen[0], [MIRA, *chosen[1:]])
    when = work_time(dice, day, ZONES[author.zone])
    if author is MIRA:
        when = max(when, later(dice, when - timedelta(hours=1), ZONES["Sweden"], VACATIONS))
    story = dice.pick(topic.stories)
    words = [story.opening, *dice.some(story.details, dice.weighted((0, 1, 2), (3, 5, 3)))]
    head = f"Hi {others[0].first}," if len(others) == 1 else dice.pick(("Hi all,", "Hello,", "Hi,"))
    tail = dice.pick(("Best,", "Cheers,", "Regards,"))
    own = f"{head}\n\n" + "\n\n".join(words) + f"\n\n{tail}\n{author.first}"
    kind = _kind(dice, own, topic)
    attached = (enclosure(dice, kind, slots),) if kind else ()
    split = dice.between(1, 2)
    first = Letter(
        author,
        tuple(others[:split]),
        _capital(fill(dice.pick(story.subjects), slots)),
        when,
        message_id(dice, author),
        fill(own, slots),
        cc=tuple(others[split:]),
        files=attached,
    )
    size = dice.weighted(_SIZES, _SIZE_WEIGHTS)
    said = [fill(one, slots) for one in story.answers]
    more = [fill(one, slots) for one in MORE]
    return grow(dice, first, size, said, more, [fill(one, slots) for one in story.ends])


# What a letter says is attached, and what it is then.
_KINDS = (
    ("icture", "jpg"),
    ("creenshot", "png"),
    ("ketches", "png"),
    ("query", "sql"),
    ("sheet", "xlsx"),
    ("raft", "docx"),
    ("easurements", "csv"),
    ("apers", "pdf"),
    ("rawings", "pdf"),
    ("list", "csv"),
)


def _kind(dice: Dice, own: str, topic: Topic) -> str:
    """Say what kind of file goes with a letter; empty for none."""
    if "ttached" in own:
        return next((kind for word, kind in _KINDS if word in own), "pdf")
    return dice.pick(topic.files) if topic.files and dice.chance(0.06) else ""


def _capital(text: str) -> str:
    """Begin with a capital, whatever word stands first."""
    return text[:1].upper() + text[1:]


# -- with customers


def with_customer(dice: Dice, customer: Person, day: date) -> list[Letter]:
    """Have one conversation with a customer: a question, what is answered, thanks."""
    language = LANGUAGES[customer.language]
    slots = slots_for(dice, day)
    place = dice.below(len(language.topics))
    subject, text = language.topics[place]
    kind = ("gap", "quote", "other")[min(place, 2)]
    when = work_time(dice, day, ZONES[customer.zone])
    files: tuple[Entity, ...] = ()
    if dice.chance(0.18):
        kinds = ("csv", "png", "zip", "jpg", "wav", "txt")
        files = (_named(dice, customer, dice.pick(kinds), slots),)
    own = f"{language.greeting}\n\n{text}\n\n{language.closing}\n{customer.name}"
    letter = Letter(
        customer,
        (MIRA,),
        fill(subject, slots),
        when,
        message_id(dice, customer),
        fill(own, slots),
        files=files,
    )
    letters = [letter]
    steps = dice.weighted((0, 1, 2, 3, 4, 5), (15, 20, 30, 8, 19, 8))
    for number in range(steps):
        author = customer if number % 2 else MIRA
        away = VACATIONS if author is MIRA else ()
        when = later(dice, letter.date, ZONES[author.zone], away, pace=1.6)
        if when > _LAST:
            break
        is_end = number > 2 or number == steps - 1
        if author is MIRA:
            step = kind if number == 0 else "end" if is_end and number > 2 else "more"
            letter = _from_owner(dice, letter, when, step, slots)
        else:
            letter = _from_customer(dice, letter, when, f"thanks {kind}" if is_end else kind, slots)
        letters.append(letter)
    return letters


_HELLO = {"sv": ("Hej,", "Vänliga hälsningar"), "de": ("Guten Tag,", "Viele Grüße")}


def _from_owner(
    dice: Dice, letter: Letter, when: datetime, step: str, slots: Mapping[str, str]
) -> Letter:
    """Answer a customer, in the customer's language where it is one that the owner writes."""
    language = letter.author.language if letter.author.language in ANSWERS else "en"
    words = fill(dice.pick(ANSWERS[language][step]), slots)
    first = letter.author.first if letter.author.language == "en" else "colleague"
    hello, bye = _HELLO.get(language, (f"Dear {first},", "Kind regards,"))
    own = f"{hello}\n\n{words}\n\n{bye}\n{MIRA.name}"
    writer = replace(MIRA, language=language)
    return replace(answer_to(dice, letter, writer, when, own), author=MIRA)


def _from_customer(
    dice: Dice, letter: Letter, when: datetime, step: str, slots: Mapping[str, str]
) -> Letter:
    """Answer the owner: send what is missing, ask for more, or say thanks."""
    customer = letter.to[0]
    language = LANGUAGES[customer.language]
    said: dict[str, tuple[str, ...]] = {
        "gap": language.more[0::2],
        "quote": language.more[1::2],
        "other": language.more[1:2],
        "thanks gap": language.thanks,
        "thanks quote": language.thanks[1:2],
        "thanks other": language.thanks[1:2],
    }
    words = dice.pick(said[step])
    own = f"{language.greeting}\n\n{words}\n\n{language.closing}\n{customer.name}"
    answer = answer_to(dice, letter, customer, when, own)
    if words != language.more[0]:
        return answer
    return replace(answer, files=(_named(dice, customer, dice.pick(("csv", "txt", "zip")), slots),))


_FILE_WORDS = {
    "ja": "観測データ",
    "zh": "观测数据",
    "zh-tw": "觀測資料",
    "ko": "관측자료",
    "ru": "данные",
    "el": "μετρήσεις",
    "ar": "بيانات",
    "he": "נתונים",
    "de": "Messwerte Süd",
    "fr": "relevé d'été",
    "es": "medición",
    "pt": "medição",
    "pl": "pomiar wody łącznie",
    "cs": "měření",
    "tr": "ölçüm",
    "sv": "mätvärden",
}


def _named(dice: Dice, customer: Person, kind: str, slots: Mapping[str, str]) -> mime.Entity:
    """Make a file with a name in the customer's language (RFC 2231)."""
    made = enclosure(dice, kind, slots)
    word = _FILE_WORDS.get(customer.language)
    if word is None:
        return made
    name = f"{word} {slots['number']}.{kind}"
    values = dict(made.fields)
    content_type = values["Content-Type"].partition("; name")[0]
    try:
        name.encode(customer.charset)
        charset = customer.charset
    except UnicodeEncodeError:
        charset = "utf-8"
    fields = (
        ("Content-Type", content_type),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"attachment; {mime.parameter('filename', name, charset)}"),
    )
    return mime.Entity(fields, made.body)


# -- where they come to lie


def file_letters(
    dice: Dice, letters: Sequence[Letter], folder: str, *, read: float = 0.985
) -> list[Stored]:
    """Put a conversation where it belongs: the owner's letters into Sent, the others elsewhere.

    Parameters
    ----------
    dice
        To draw flags with.
    letters
        The conversation.
    folder
        For what came.
    read
        How probably a message is read, unless it came in the last days.
    """
    answered = {id(one.parent) for one in letters if one.author is MIRA and not one.is_forward}
    forwarded = {id(one.parent) for one in letters if one.author is MIRA and one.is_forward}
    is_starred = dice.chance(0.05)
    word = dice.weighted(("", "work", "todo", "travel", "customer"), (80, 8, 5, 2, 5))
    stored = []
    for letter in letters:
        if letter.author is MIRA:
            if letter.to or letter.cc:
                stored.append(sent(letter))
            continue
        left = (END - letter.date.date()).days
        chance = read if left > 12 else 0.55 + 0.03 * left
        is_answered = id(letter) in answered
        words = [word] if word else []
        if id(letter) in forwarded:
            words.append("$Forwarded")
        state = ("A" if is_answered else "") + ("F" if is_starred and dice.chance(0.6) else "")
        marks = Stored(
            folder,
            letter.date,
            "",
            b"",
            seen=is_answered or id(letter) in forwarded or dice.chance(chance),
            state=state,
            keywords=" ".join(words),
        )
        stored.append(received(dice, letter, folder, marks))
    return stored
