"""What colleagues write about: openings, details, answers and ends that go together, by topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["ANSWERS", "MORE", "PROJECT_TOPICS", "SLOTS", "Story", "Topic"]

#: What stands in the braces; drawn once for a conversation.
SLOTS = {
    "product": (
        "Skerry 2",
        "Buoy Kit",
        "Harbour Display",
        "Tideline",
        "Tideline API",
        "Skerry Mini",
    ),
    "part": (
        "pressure sensor",
        "radio module",
        "mast bracket",
        "solar panel",
        "float",
        "enclosure",
    ),
    "site": ("Marstrand", "Skagen", "Galway", "Porto", "Gdynia", "Piraeus", "Busan", "St. John's"),
    "city": ("Lisbon", "Hamburg", "Kobe", "Tallinn", "Boston", "Lyon", "Gdańsk", "Bergen"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "screen": (
        "the station page",
        "the map",
        "the alarm settings",
        "the export dialog",
        "the login",
    ),
    "dish": ("fish soup", "pancakes", "lentil stew", "pizza", "noodles", "pea soup"),
    "job": (
        "data engineer",
        "firmware developer",
        "support engineer",
        "designer",
        "service technician",
    ),
    "hour": ("9:00", "10:00", "10:30", "13:00", "14:00", "15:30"),
    "field": ("water level", "wave height", "air pressure", "water temperature", "battery voltage"),
}


class Story(NamedTuple):
    """One thing that happens.

    Attributes
    ----------
    subjects
        To draw one from.
    opening
        The first letter.
    details
        That may go with it.
    answers
        What others say to it.
    ends
        What the last one says; something polite where there is none.
    """

    subjects: tuple[str, ...]
    opening: str
    details: tuple[str, ...]
    answers: tuple[str, ...]
    ends: tuple[str, ...] = ("Thanks!", "Great, thank you.", "Perfect. Done from my side.")


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about.

    Attributes
    ----------
    groups
        Departments that talk about it.
    stories
        To draw one from.
    files
        Kinds of files that come with it.
    """

    groups: tuple[str, ...]
    stories: tuple[Story, ...]
    files: tuple[str, ...] = ()


#: What fits into every long conversation.
MORE = (
    "Any news on this?",
    "I will look at it this afternoon.",
    "Can we talk about it for five minutes tomorrow? It is quicker than writing.",
    "Sorry for the silence, I was at a customer's. It looks fine to me.",
    "I have put it on the list for {weekday}.",
    "Just to be sure: nobody is waiting for me, right?",
    "+1",
    "I am not the right person for this, but I know who is. Will ask.",
    "Let us decide on {weekday} and leave it open until then.",
    "Agreed.",
)

_PROJECT = (
    (
        "minutes of {weekday}",
        "Short minutes: we decided to go on with two sensors, to drop the second display, and to "
        "meet again on {weekday} at {hour}.",
        ("I talk to the harbour.", "Who orders the sensors?", "Ordered. Delivery in {count} days."),
    ),
    (
        "measurements of the {field}",
        "The prototype has run for {count} weeks now. The {field} is good, the {part} is not. The "
        "measurements are attached.",
        (
            "Could we measure the {field} at a second place? {site} would be near.",
            "Firmware {version} fixes the drift, please install it before you go on.",
            "The {part} was tightened too much. I show you how.",
        ),
    ),
    (
        "plan until {month}",
        "I have put the plan until {month} together. The part in the middle depends on the {part}.",
        (
            "The plan is tight, but I see no better one.",
            "The biggest risk is the delivery of the {part}.",
            "I would move the test to the quiet weeks.",
        ),
    ),
    (
        "open questions",
        "Three things are open: the permit, the power on the pier, and the name.",
        (
            "The permit is in the post.",
            "Power: the harbour lends us a cable. A long one.",
            "I like the name. Let us keep it.",
        ),
    ),
)
_NAMES = {
    "Projects/Blåvinge": ("Blåvinge: ", "[Blåvinge] "),
    "Projects/R&D": ("R&D, ", "R&D: "),
    "Projects/東京": ("Tokyo pilot: ", "東京: "),
}

#: A topic for each folder of a project.
PROJECT_TOPICS = {
    folder: Topic(
        ("Engineering", "Product", "Hardware"),
        tuple(
            Story(
                tuple(name + subject for name in names),
                opening,
                (),
                answers,
                ("Good, that is settled.", "Thanks. I have updated the plan."),
            )
            for subject, opening, answers in _PROJECT
        ),
        ("csv",),
    )
    for folder, names in _NAMES.items()
}

#: What the owner answers to customers, by what they ask for: in English, and where she can, in theirs.
ANSWERS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "gap": (
            "thank you for telling us. The readings did arrive; the import of that night had "
            "stopped at a packet that it could not read. They are being added now and should be "
            "there within the hour.",
            "I have asked our data team to look at station {number} and will write again by "
            "tomorrow. Nothing is lost: the gauge keeps {count} days by itself.",
        ),
        "quote": (
            "thank you for your interest. Our sales colleagues will send you the quote for {count} "
            "units this week; the delivery time is eight weeks at the moment.",
            "with pleasure. The quote for {count} units is on its way. Would you like the longer "
            "cables as well?",
        ),
        "other": (
            "thank you for your message. I have checked with my colleagues, and the short answer is "
            "yes. They will write to you about the details.",
            "good question. I will find out and come back to you tomorrow.",
        ),
        "more": (
            "thank you, that helps. I have passed it on and come back to you tomorrow.",
            "noted, thank you. My colleagues will write to you directly.",
        ),
        "end": ("You are welcome. Write any time.", "Glad to hear it!"),
    },
    "sv": {
        "gap": (
            "tack för att ni hör av er. Mätvärdena har kommit fram, men importen stannade den "
            "natten. De läggs till nu och borde synas inom en timme.",
        ),
        "quote": ("tack för ert intresse! Offerten på {count} mätare kommer den här veckan.",),
        "other": ("det går utmärkt. Välkomna, vi möter er i receptionen.",),
        "more": ("tack, det hjälper. Jag återkommer i morgon.",),
        "end": ("Tack själva!", "Vad bra, hör av er om det är något mer."),
    },
    "de": {
        "gap": (
            "vielen Dank für den Hinweis. Die Werte sind bei uns angekommen, nur der Import war "
            "stehen geblieben. Sie werden gerade nachgetragen.",
        ),
        "quote": (
            "vielen Dank für Ihre Anfrage. Das Angebot über {count} Geräte folgt diese Woche.",
        ),
        "other": ("gern, ich kümmere mich darum und melde mich morgen wieder.",),
        "more": ("danke, das hilft uns weiter. Ich melde mich morgen.",),
        "end": ("Sehr gern. Melden Sie sich jederzeit.",),
    },
}
