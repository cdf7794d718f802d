"""What stands below a letter: signatures, with a delimiter or without, and what servers add."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailframe.parsing.attributions import is_rule
from mailframe.parsing.boilerplate import (
    find_footer_line,
    is_disclaimer,
    is_sent_from,
    may_be_footer,
)
from mailframe.parsing.contact_lines import (
    MOST_LINES,
    is_contact_block,
    is_contact_line,
    is_mail_address,
    is_postscript,
    is_sentence,
    may_be_name,
)
from mailframe.parsing.vocabulary import LANGUAGES, phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ARMOR", "DELIMITER", "find_armor", "find_footers", "find_signature", "is_closing"]

#: Two dashes and a blank (RFC 3676 section 4.3).
DELIMITER = "-- "
_ESCAPED = "- --"  # by OpenPGP, which sets a dash before lines that begin with one
_DELIMITERS = frozenset({DELIMITER, _ESCAPED, "--", "\u2014", "__"})

# What is longer is somebody's words.
_MOST_DELIMITED = 40
_MOST_LOOSE = 10
_MOST_FOOTER = 30
_MOST_BARE_FOOTER = 10
_MOST_IN_ALL = 2 * MOST_LINES
_MOST_GREETING = 4  # words
_FEWEST_WORDS = 3  # of a sentence: fewer are a name

_AROUND = " ,.!;:~*_-\u3002\uff01\u3001\uff0c"


def _begin(text: str) -> str:
    return text.split(None, 1)[0].strip(_AROUND)


_CLOSING = phrases(*(language.closing for language in LANGUAGES.values()))
_CLOSING_BEGINS = frozenset(map(_begin, _CLOSING))
_LONGEST_CLOSING = 60
_MOST_CLOSING_WORDS = 6

#: How OpenPGP's lines begin.
ARMOR = "-----BEGIN PGP "
_SIGNED_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
_ARMOR_END = "-----END PGP "


def find_armor(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find what OpenPGP puts around a signed text (RFC 9580 sections 6 and 7).

    Parameters
    ----------
    lines
        Of the text, without blanks at their ends.

    Yields
    ------
    tuple of int and int
        Where a piece begins, and the place behind it: the line above with its ``Hash:``, and the
        signature or key below. An encrypted text is none: it is all that the message has.
    """
    end = 0
    for at, line in enumerate(lines):
        if at < end or not line.startswith(ARMOR):
            continue
        end = at + 1
        if line.startswith(_SIGNED_BEGIN):
            while end < len(lines) and lines[end]:  # an empty line ends its headers
                end += 1
        elif "MESSAGE" in line:
            continue
        else:
            while end < len(lines) and not lines[end - 1].startswith(_ARMOR_END):
                end += 1
        yield at, end


def find_footers(lines: Sequence[str], is_open: Sequence[bool]) -> tuple[int, int]:
    """Find what mailing lists or the like have added at the end.

    Parameters
    ----------
    lines
        Of the text.
    is_open
        Of each line whether it is not empty and has no quotation mark.

    Returns
    -------
    tuple of int and int
        Where the first of them begins, and where the last one, the only one that does not belong
        to a message quoted above; behind the last line if there is none.
    """
    start = end = last = len(lines)
    top = next((at for at, line in enumerate(lines) if line), end)
    while True:
        while end and not lines[end - 1]:
            end -= 1
        first = end
        while first and is_open[first - 1] and end - first < _MOST_FOOTER:
            first -= 1
        found = _footer_within(lines, top, first, end)
        if found is None:
            return start, last
        if last == len(lines) or not _is_edge(lines[start]):
            last = found
        start = end = found


def _is_edge(line: str) -> bool:
    return line in _DELIMITERS or is_rule(line)


def _footer_within(lines: Sequence[str], top: int, first: int, end: int) -> int | None:
    """Find a footer that goes on to the end of a paragraph; the text begins at ``top``."""
    edge = next((at for at in range(first, end) if _is_edge(lines[at])), None)
    if edge is not None and may_be_footer(lines[edge:end]):
        return edge
    # What a message begins with, and what greets, is of its author.
    if first <= top or first == end or _is_greeting(lines[first]):
        return None
    place = find_footer_line(lines[first:end])
    if place is None:
        return None
    at = first + place
    # In the middle of a sentence it belongs to what is above.
    begins = first if lines[at][0].islower() and "://" not in lines[at] else at
    return begins if end - begins <= _MOST_BARE_FOOTER else None


def _is_greeting(line: str) -> bool:
    """Say whether a line may be "Dear Ann Lee,"."""
    return line[-1] in ",!\uff0c\uff01" and len(line.split(None, _MOST_GREETING)) <= _MOST_GREETING


class _Stretch(NamedTuple):
    start: int
    #: Where "Best regards" stands.
    closing: int | None
    is_above_quote: bool


def find_signature(
    lines: Sequence[str], start: int, end: int, *, is_last: bool, is_above_quote: bool
) -> int:
    """Find where the signature of a stretch of own text begins.

    Parameters
    ----------
    lines
        Of the text, without blanks at their ends.
    start, end
        The stretch: up to a quote or the end.
    is_last
        Whether no own words follow. Signatures without a delimiter are looked for only there.
    is_above_quote
        Whether a quote follows.

    Returns
    -------
    int
        ``end`` where there is none.
    """
    found = _delimited(lines, start, end)
    if not is_last:
        return found
    stretch = _Stretch(start, _last_closing(lines, start, found), is_above_quote)
    return _undelimited(lines, stretch, found, end)


def _delimited(lines: Sequence[str], start: int, end: int) -> int:
    """Find two dashes by themselves, also without the blank behind them."""
    found, loose = end, []
    below = 0
    for at in range(end - 1, start - 1, -1):
        if lines[at] == DELIMITER:
            found = at
        elif lines[at] in _DELIMITERS:
            loose.append((at, below))
        below += bool(lines[at])
        if below > _MOST_DELIMITED:
            break
    if found < end or not loose:
        return found
    # Without the blank they may just part the text: that is done more than once.
    at, below = loose[0]
    if not 0 < below <= _MOST_LOOSE:
        return end
    signed = [line for line in lines[at + 1 : end] if line]
    if any(is_contact_line(line) or is_sent_from(line) for line in signed):
        is_signed = may_be_name(signed[0]) or signed[0][-1] not in ".?!,:;"
    else:
        # A name, and perhaps a motto: more are sentences that the dashes part from others.
        is_name = may_be_name(signed[0]) and sum(map(is_sentence, signed)) < 2  # noqa: PLR2004
        is_signed = len(loose) == 1 and (is_name or lines[at] == _ESCAPED)
    return at if is_signed else end


def _undelimited(lines: Sequence[str], stretch: _Stretch, end: int, last: int) -> int:
    """Find a signature by what it holds, paragraph by paragraph from the end."""
    found, seen = end, 0
    for first, stop in _paragraphs_back(lines, stretch.start, end):
        within = _within(lines, first, stop, stretch, is_below=found < last)
        seen += stop - first
        if within is None:
            break
        if seen > _MOST_IN_ALL:
            return end  # a list of addresses
        found = within
        if within > first:
            break
    closing = stretch.closing
    if closing is not None and closing < found < last:
        found = _below_closing(lines, closing, found)
    return found


def _paragraphs_back(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    first = end
    while True:
        stop = first
        while stop > start and not lines[stop - 1]:
            stop -= 1
        first = stop
        while first > start and lines[first - 1]:
            first -= 1
        if first == stop:
            return
        yield first, stop


def _last_closing(lines: Sequence[str], start: int, end: int) -> int | None:
    """Find "Best regards" above the end."""
    seen = 0
    for at in range(end - 1, start - 1, -1):
        if lines[at]:
            seen += 1
            if seen > _MOST_IN_ALL:
                break
            if is_closing(lines[at]):
                return at
    return None


def is_closing(line: str) -> bool:
    """Say whether a line ends a letter: "Best regards," and the like, in any language.

    Parameters
    ----------
    line
        Not empty.
    """
    # Most lines begin with no word of these.
    if len(line) > _LONGEST_CLOSING or _begin(line.casefold()) not in _CLOSING_BEGINS:
        return False
    core = line.casefold().strip(_AROUND).replace("\u2019", "'")
    if core in _CLOSING:
        return True
    words = core.split(None, _MOST_CLOSING_WORDS)
    if len(words) > _MOST_CLOSING_WORDS or line[-1] in ".?:":
        return False
    # "Best regards from Ulm"
    return any(" ".join(words[:count]) in _CLOSING for count in range(2, len(words)))


def _within(
    lines: Sequence[str], first: int, stop: int, stretch: _Stretch, *, is_below: bool
) -> int | None:
    """Say where in a paragraph the signature begins; None if nothing of it is one."""
    block = lines[first:stop]
    if is_disclaimer(block):
        return first
    # "Sent from my iPhone" stands below the name, often without an empty line between them.
    tail = stop
    while tail > first and is_sent_from(lines[tail - 1]):
        tail -= 1
    if tail < stop and not (tail > first and _goes_on(lines[tail - 1], lines[tail])):
        return tail
    if all(map(is_rule, block)):
        return first if is_below else None
    return _card_within(lines, first, stop, stretch, is_below=is_below)


def _goes_on(line: str, below: str) -> bool:
    """Say whether a sentence goes on in the line below: "the photo was", "sent from my phone"."""
    words = line.split(None, _FEWEST_WORDS)
    return below[0].islower() and len(words) >= _FEWEST_WORDS and line[-1] not in ".!?"


def _card_within(
    lines: Sequence[str], first: int, stop: int, stretch: _Stretch, *, is_below: bool
) -> int | None:
    """Say where in a paragraph a block of name, title and number begins."""
    closing = stretch.closing
    if closing is not None and closing >= first:
        return _card(lines, closing + 1, stop, least=1)
    if stretch.is_above_quote and stop == first + 1 and is_mail_address(lines[first]):
        return first  # as Foxmail signs
    above = first - 1
    while above >= stretch.start and not lines[above]:
        above -= 1
    is_all = above < stretch.start
    if is_all and not is_below and not stretch.is_above_quote:
        return None  # somebody sends an address
    if not is_all and lines[above][-1] == ":":
        return None  # "You find us here:"
    if is_below or (closing is not None and first - closing <= MOST_LINES):
        return _card(lines, first, stop, least=1)
    # Pages and addresses alone are what somebody sends.
    return _card(lines, first, stop, least=2) if may_be_name(lines[first]) else None


def _card(lines: Sequence[str], first: int, stop: int, *, least: int) -> int | None:
    """Say where the card begins that these lines are; None if they are none."""
    if not is_contact_block([line for line in lines[first:stop] if not is_rule(line)], least):
        return None
    # A bare name above a line that is drawn is not of what that line frames.
    is_parted = first + 1 < stop and is_rule(lines[first + 1]) and not is_rule(lines[first])
    return first + 1 if is_parted else first


def _below_closing(lines: Sequence[str], closing: int, found: int) -> int:
    """Take what stands between the bare name and the signature found as part of it."""
    below = [place for place in range(closing + 1, found) if lines[place]]
    if not below or len(below) > MOST_LINES:
        return found
    if any(is_sentence(lines[place]) or is_postscript(lines[place]) for place in below):
        return found
    # The name by itself, of one line or two (as couples sign), stays.
    name = [place for number, place in enumerate(below) if place == below[0] + number]
    if len(name) > 1 and is_contact_block([lines[place] for place in name], least=1):
        return name[0]
    rest = below[len(name) :]
    return rest[0] if rest else found
