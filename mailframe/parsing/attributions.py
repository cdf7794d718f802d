"""What stands above a quote: "On Monday Ann wrote:", the header of what is answered, dashes.

Nothing here looks at what is below; whether there is a quote at all is the business of
``replies``. All lines are given without blanks at their ends, and with plain colons and blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.parsing.vocabulary import LANGUAGES, phrases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Attribution",
    "field_of",
    "find_attribution",
    "find_header",
    "is_end_of_forwarded",
    "is_rule",
    "is_separator",
]

# Mailers break an attribution at some 72 characters; nobody's is longer than that.
_MOST_LINES = 4
_LONGEST = 400
_LONGEST_ABOVE = 120
_SHORT = 30
# A header of what is answered: To and Cc may go on over several lines.
_MOST_HEADER_LINES = 40
_MOST_CONTINUED = 4
_LONGEST_FIELD_NAME = 24
_LONGEST_SEPARATOR = 200

_TABLE = tuple(LANGUAGES.values())
_FIELDS: Mapping[str, str] = {
    name: role
    for role in ("copy", "subject", "to", "sent", "sender")
    for name in phrases(*(getattr(language, role) for language in _TABLE))
}
_ORIGINAL = phrases(*(language.original for language in _TABLE))
_FORWARDED = phrases(*(language.forwarded for language in _TABLE))
_WROTE = phrases(*(language.wrote for language in _TABLE))


def _words(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(word for phrase in phrases(*entries) for word in _WORD.findall(phrase))


def _cut_short(words: frozenset[str]) -> frozenset[str]:
    """Give each word and how it may be cut short: from its third letter on."""
    return words | {word[:end] for word in words for end in range(3, len(word))}


_WORD = re.compile(r"[^\W\d_]+")
_MONTHS = _cut_short(_words(language.months for language in _TABLE))
_DAYS = _cut_short(_words(language.days for language in _TABLE))
_BETWEEN = _words(language.between for language in _TABLE)
_VERBS = _words(language.wrote for language in _TABLE)
#: What an attribution begins with, if not with a number or a name.
_LEADING = _BETWEEN | _DAYS
_KNOWN = _MONTHS | _DAYS | _BETWEEN | _VERBS

# A search for a hundred words at once is slow where they are looked up one by one.
_VERB_WORDS = frozenset(
    phrase for phrase in _WROTE if _WORD.fullmatch(phrase) and phrase < "\u1100"
)
_VERB_PHRASES = tuple(_WROTE - _VERB_WORDS)
_ADDRESS = re.compile(
    r"[^\s@<>()\[\],;:\"]++@[^\s@<>()\[\],;:\"]++|<[^<>\s]++ at [^<>\s]++>|<[^<>\s]*@[^<>\s]*>"
)
_BRACKETED = re.compile(r"<[^<>]*>|\[mailto:[^\]]*\]")
_NUMBERS = re.compile(
    r"(?<!\d)(?:\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?(?:\d{4}|\d\d)|\d{4}[./-]\s?\d{1,2}[./-]\s?\d{1,2})"
    r"(?!\d)|\d\s?[年년]"
)
_YEAR = re.compile(r"(?<![\d:.])(?:19|20)\d\d(?![\d:])")
_DIGIT = re.compile(r"\d")
_TIME = re.compile(
    r"(?<![\d./-])\d{1,2}(?:[:.h]\d\d|\s?h\s?\d\d)(?!\d|[./-]\d)|\d\s?[ap]m\b|[点時시]"
)
# "As Ann wrote:" is a sentence; so is what begins with a pronoun, but "You wrote:".
_NO_NAMES = phrases(
    "as, what, when, where, like, i, he, she, it, they, we, this, that, here, below",
    "wie, was, ich, er, sie, es, wir, comme, ce, il, elle, je, nous, como, lo, yo, come, quello",
    "così, zoals, jak, как, что, я",
)
# "Il" and "lo" are articles in Italian.
_SENTENCE_BEGINS = _NO_NAMES - {"il", "lo"}
_SENTENCE_ENDS = frozenset("!?;:。")

_RULE = re.compile(r"(?:[-_=*~#\u2014\u2013\u2500\u2501\u2550]\s?+){3,}+")
_EDGE = "-_=*~\u2014\u2013\u2500\u2501 \t"
# GroupWise: >>> Ann <ann@example.org> 05.01.2026 15:04 >>>
_GROUPWISE = re.compile(r">>> [^>]*(?:>[^>]*)?\d[^>]* >>>")
# Also Lotus Notes: -----"Ann" <ann@example.org> wrote: -----
_DASHED = re.compile(r"[-_=*\u2014\u2500]{2,}")


class Attribution(NamedTuple):
    """Where an attribution begins, and how sure it is one."""

    first: int
    #: It names who and when so fully that what is below is a quote without any mark.
    is_full: bool
    #: Likewise, but only if an empty line follows: a sentence goes on without one.
    is_dated: bool


class _Evidence(NamedTuple):
    verb: bool
    address: bool
    date: bool
    year: bool
    time: bool
    strange: int  # words in lower case that attributions do not have


def is_rule(line: str) -> bool:
    """Say whether a line is drawn of dashes or the like, three or more.

    Parameters
    ----------
    line
        Not empty.
    """
    return line[0] in "-_=*~#\u2014\u2013\u2500\u2501\u2550" and _RULE.fullmatch(line) is not None


def is_separator(line: str) -> bool:
    """Say whether a line announces a message: "-----Original Message-----".

    Parameters
    ----------
    line
        Not empty.
    """
    dashed = line[-1] in _EDGE and _DASHED.match(line) is not None
    if len(line) > _LONGEST_SEPARATOR or not (dashed or line[-1] in ":>"):
        return False
    core = line.strip(_EDGE + ":").casefold()
    if core in _FORWARDED or _GROUPWISE.fullmatch(line):
        return True
    return dashed and (
        core in _ORIGINAL
        or core.startswith("forwarded message from ")
        or ("@" in core and _has_verb(core, _WORD.findall(core)))
    )


def is_end_of_forwarded(line: str) -> bool:
    """Say whether a forwarded message ends here, as mutt and Gnus write it.

    Parameters
    ----------
    line
        Not empty.
    """
    core = line.strip(_EDGE).casefold()
    return line[0] == "-" and core in {"end forwarded message", "end of forwarded message"}


def field_of(line: str) -> str | None:
    """Tell which field of a message's header a line is, by its name in any language.

    Parameters
    ----------
    line
        ``From: Ann``, with or without asterisks for bold.

    Returns
    -------
    str or None
        ``"sender"``, ``"sent"``, ``"to"``, ``"copy"``, ``"subject"``, or None for another line.
    """
    name, colon, _ = line[: _LONGEST_FIELD_NAME + 1].partition(":")
    if not colon:
        return None
    return _FIELDS.get(name.strip(" \t*_|").casefold())


def find_header(
    lines: Sequence[str], at: int, *, is_announced: bool = False, is_parted: bool = False
) -> int | None:
    """Find the end of a message's header that is shown within the text.

    Parameters
    ----------
    lines
        Of the text.
    at
        Where it would begin.
    is_announced
        Whether a line above it says that a message begins, so that less of it is enough.
    is_parted
        Whether a line is drawn above it: then a date needs no year.

    Returns
    -------
    int or None
        The place behind its last field; None if there is no header.

    Notes
    -----
    A timetable has From, To and Date as well: it takes three fields with a sender, and an address,
    or a full date and a subject. So has what somebody wants to be typed: there is no date.
    """
    found: set[str] = set()
    end, others = at, 0
    is_addressed = is_dated = is_timed = False
    for place in range(at, min(at + _MOST_HEADER_LINES, len(lines))):
        line = lines[place]
        role = field_of(line) if line else None
        if role is None:
            # Text made of HTML may have an empty line between two fields, and nothing else.
            others += 1 if line else _MOST_CONTINUED
            if others > _MOST_CONTINUED:
                break
            continue
        if role in found and role in {"sender", "sent", "subject"}:
            break
        found.add(role)
        end, others = place + 1, 0
        if role in {"sender", "to", "copy"}:
            is_addressed = is_addressed or "@" in line
        elif role == "sent":
            is_dated = is_dated or _has_year(line[:_LONGEST])
            is_timed = is_timed or _is_moment(line[:_LONGEST])
    if "sender" not in found or len(found) < (1 if is_announced else 3):
        return None
    if is_announced:
        return end
    if "sent" not in found or not (is_dated or is_parted):
        return None
    return end if is_addressed or (is_timed and "subject" in found) else None


def find_attribution(
    lines: Sequence[str], at: int, floor: int, *, is_marked_below: bool
) -> Attribution | None:
    """Find the attribution that ends in this line.

    Parameters
    ----------
    lines
        Of the text.
    at
        A line that ends in a colon or in dashes.
    floor
        No line before this one belongs to it.
    is_marked_below
        Whether the next line that is not empty has a quotation mark: then less is enough.

    Returns
    -------
    Attribution or None
        None if it is none: needed are a verb like "wrote" or both halves of a date, a name or an
        address, and no other words.
    """
    joined = ""
    for first in range(at, max(floor, at - _MOST_LINES + 1) - 1, -1):
        if not lines[first] or (first < at and lines[first][-1] in _SENTENCE_ENDS):
            break
        if _begins_a_sentence(lines[first]):
            break
        joined = f"{lines[first]} {joined}".rstrip()
        if len(joined) > _LONGEST:
            break
        core = _core(joined)
        if core is None:
            if joined[-1] == "-":  # dashes stand at both ends
                continue
            break
        evidence = _evidence(core)
        if _is_attribution(core, evidence, is_marked_below=is_marked_below):
            return _extended(lines, first, floor, core, evidence)
    return None


def _core(text: str) -> str | None:
    """Take off what is around an attribution; None for a line that does not end like one."""
    core = text.strip(_EDGE)
    if core.endswith(":"):
        return core[:-1].rstrip(_EDGE)
    # Zoho: ---- On Mon, … Ann <ann@example.org> wrote ----
    if text.endswith("--") and text.startswith("--"):
        return core
    return None


def _evidence(core: str) -> _Evidence:
    folded = core.casefold()
    plain = _BRACKETED.sub(" ", core)
    if "@" in plain or " at " in plain:
        plain = _ADDRESS.sub(" ", plain)
    words = _WORD.findall(plain)
    folded_words = [word.casefold() for word in words]
    has_numbers = _NUMBERS.search(plain) is not None
    has_month = _DIGIT.search(plain) is not None and not _MONTHS.isdisjoint(folded_words)
    return _Evidence(
        verb=_has_verb(folded, folded_words),
        address="@" in core or _ADDRESS.search(core) is not None,
        date=has_month or has_numbers or not _DAYS.isdisjoint(folded_words[:3]),
        year=has_numbers or _YEAR.search(plain) is not None,
        time=_TIME.search(folded) is not None,
        strange=sum(
            word[0].islower() and other not in _KNOWN
            for word, other in zip(words, folded_words, strict=True)
        ),
    )


def _has_verb(folded: str, words: Sequence[str]) -> bool:
    return not _VERB_WORDS.isdisjoint(words) or any(map(folded.__contains__, _VERB_PHRASES))


def _is_attribution(core: str, found: _Evidence, *, is_marked_below: bool) -> bool:
    if found.strange > (2 if is_marked_below else 1):
        return False
    when = found.date and found.time
    if found.verb and (found.date or found.address):
        return is_marked_below or found.address or (when and found.year)
    if found.date and found.address and (found.time or found.year):
        return True
    if not is_marked_below:
        return False
    if when or (found.strange == 0 and (found.address or (found.year and len(core) < 2 * _SHORT))):
        return True
    return found.verb and _is_who_wrote(core)


def _is_who_wrote(core: str) -> bool:
    """Say whether it is a name and a verb alone: "Ann Lee writes"."""
    words = [word for word in _WORD.findall(core) if word.casefold() not in _VERBS]
    if not words or len(words) > 6 or words[0].casefold() in _NO_NAMES:  # noqa: PLR2004
        return False
    strange = [w for w in words if w[0].islower() and w.casefold() not in _KNOWN]
    return len(strange) <= 1


def _extended(
    lines: Sequence[str], first: int, floor: int, core: str, found: _Evidence
) -> Attribution:
    """Take lines above that are of the attribution too: "On Monday, 5 May 2025" by itself."""
    place, lowest = first - 1, max(floor, first - _MOST_LINES + 1)
    while place >= lowest and lines[place]:
        if found.date and (found.verb or found.address) and _begins(core):
            break
        above = lines[place].strip(_EDGE)
        more = _evidence(above)
        if not above or more.strange or above[-1:] in _SENTENCE_ENDS or len(above) > _LONGEST_ABOVE:
            break
        # A line of names alone is taken only with one above it that leads up to them.
        has_more = (
            more.address
            or more.verb
            or (more.date and (more.time or (above[0].isdigit() or _begins(above))))
        )
        if has_more or _is_known(above):
            core = " ".join([*(line.strip(_EDGE) for line in lines[place:first]), core])
            found, first = _evidence(core), place
        place -= 1
    # Without a verb it may be somebody's appointment, unless it begins with the date.
    is_full = found.address and (
        found.verb or (found.date and found.time and found.strange == 0 and _begins_with_date(core))
    )
    is_dated = found.verb and found.date and found.time and found.year
    return Attribution(first, is_full=is_full and found.strange <= 1, is_dated=is_dated)


def _begins_a_sentence(text: str) -> bool:
    """Say whether a text begins as no attribution does: "As Ann wrote", "What we read"."""
    word = _WORD.match(text)
    if word is None or word[0].casefold() not in _SENTENCE_BEGINS:
        return False
    return not text[word.end() :].lstrip()[:1].isdigit()  # "As 15:04", in Portuguese


def _is_known(text: str) -> bool:
    """Say whether all words are of attributions: "Am Montag, den"."""
    words = _WORD.findall(text)
    return bool(words) and all(word.casefold() in _KNOWN for word in words)


def _begins(text: str) -> bool:
    """Say whether a text begins as attributions do: "On", a weekday."""
    word = _WORD.match(text)
    return word is not None and word[0].casefold() in _LEADING


def _begins_with_date(text: str) -> bool:
    """Say whether a text begins with a weekday or a number, and ends with an address."""
    word = _WORD.match(text)
    is_day = text[0].isdigit() or (word is not None and word[0].casefold() in _DAYS)
    return is_day and text.endswith((">", ")"))


def _is_moment(text: str) -> bool:
    """Say whether a text has a date with a year, and a time."""
    return _has_year(text) and _TIME.search(text.casefold()) is not None


def _has_year(text: str) -> bool:
    return _YEAR.search(text) is not None or _NUMBERS.search(text) is not None
