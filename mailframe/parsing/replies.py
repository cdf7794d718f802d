"""A mail's text -> own words, quoted text, signature.

Quotation marks, and lines that introduce what is quoted, tell it; nothing is decided by what the
text is about. Where it is open, words count as their author's own: to lose them is worse than to
miss a quote.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.parsing.attributions import (
    field_of,
    find_attribution,
    find_header,
    is_end_of_forwarded,
    is_rule,
    is_separator,
)
from mailframe.parsing.quotation_marks import (
    OWN,
    QUOTED,
    mark_broken,
    mark_otherwise,
    mark_quotes,
    unmark_transcripts,
)
from mailframe.parsing.signatures import ARMOR, DELIMITER, find_armor, find_footers, find_signature
from mailframe.records import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["mark_lines", "split_reply"]

_SIGNATURE, _BLANK = "s", "b"

# The first field of a header that nothing announces.
_FIRST_FIELDS = frozenset({"sender", "sent", "subject"})

# Blanks of all kinds, and what is seen by nobody, in dates of Apple Mail above all.
_BLANKS = (("\xa0", " "), ("\u202f", " "), ("\u2007", " "), ("\u2028", " "), ("\u3000", " "))
_SIGNS = (("\uff1a", ":"), ("\uff1e", ">"))
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_LINE_END = re.compile(r"\r\n?|[\u2028\u2029]")


def split_reply(text: str) -> Reply:
    r"""Divide a mail's text into its author's own words, quoted text and the signature.

    Recognised are quotation marks (also of broken lines, and initials), attributions, headers of
    what is answered or forwarded in some twenty languages, signatures with a delimiter (RFC 3676
    section 4.3) or without, and what devices, companies and mailing lists add.

    Parameters
    ----------
    text
        As `decode_text` or `html_to_text` return it; any line ends.

    Returns
    -------
    Reply
        The lines of each, in their order, joined by LF; empty where there is none. Quoted text
        keeps its marks and what introduces it. Where something was cut out, one empty line
        stands.

    Notes
    -----
    Greetings, closing formulas and the bare name below are own words; a name with title, number
    or address is a signature. What is forwarded is quoted. Of a quote without marks everything
    below counts as quoted; who has written into it is lost. A text that somebody sends, and that
    has all a footer or a business card has, is taken for one; so is a short list below two dashes.

    Examples
    --------
    >>> reply = split_reply(
    ...     "Fine.\n\nOn Mon, 5 Jan 2026 at 15:04, Bob <bob@example.org> wrote:\n> When?\n-- \nAnn"
    ... )
    >>> reply.own, reply.signature
    ('Fine.', '-- \nAnn')
    >>> print(reply.quoted)
    On Mon, 5 Jan 2026 at 15:04, Bob <bob@example.org> wrote:
    > When?
    """
    text = _LINE_END.sub("\n", text)
    letters = mark_lines(text)
    lines = text.split("\n")
    return Reply(
        *("\n".join(_cut_out(lines, letters, kind)) if kind in letters else "" for kind in "oqs")
    )


def mark_lines(text: str) -> str:
    r"""Say of each line whose it is.

    Parameters
    ----------
    text
        With LF or CRLF line ends.

    Returns
    -------
    str
        A letter for each line of ``text.split("\n")``: ``o`` own words, ``q`` quoted, ``s``
        signature, ``b`` blank.

    Examples
    --------
    >>> mark_lines("Yes.\n\n> Really?\n-- \nAnn")
    'obqss'
    """
    lines = _plain(text).split("\n")
    bare = [line.strip() for line in lines]
    if DELIMITER in text:
        # Its blank is what tells it from two dashes that part a text.
        bare = [
            DELIMITER if one == "--" and line.startswith(DELIMITER) else one
            for line, one in zip(lines, bare, strict=True)
        ]
    letters = [OWN if line else _BLANK for line in bare]
    if ">" in text or "\uff1e" in text:
        mark_quotes(lines, bare, letters)
    mark_otherwise(bare, letters)
    marked = [letter == QUOTED for letter in letters]
    for first, end in find_armor(bare) if ARMOR in text else ():
        _put(letters, _SIGNATURE, first, end)
    first_footer, footer = find_footers(bare, [letter == OWN for letter in letters])
    _put(letters, _SIGNATURE, first_footer, len(letters))
    is_introduced = _mark_introduced(
        _Text(bare, letters, marked, *_next_places(bare, marked)), footer
    )
    if QUOTED in letters:
        if not is_introduced:
            unmark_transcripts(bare, letters)
        mark_broken(lines, bare, letters)
    _mark_signatures(bare, letters)
    return "".join(letters)


class _Text(NamedTuple):
    """What is known of a text's lines."""

    bare: Sequence[str]
    letters: list[str]
    #: Whether it has a quotation mark.
    marked: Sequence[bool]
    #: The next line that is not empty.
    below: Sequence[int]
    #: Whether marks come later that no other introduction explains: then these tell.
    marks_tell: Sequence[bool]

    def is_marked_below(self, at: int) -> bool:
        """Say whether the next line that is not empty has a mark."""
        below = self.below[at]
        return below < len(self.bare) and self.marked[below]


class _Introduction(NamedTuple):
    """Lines that introduce a quote: the first, and the place behind the last."""

    first: int
    end: int
    #: Everything that follows is quoted without marks.
    is_open: bool


def _plain(text: str) -> str:
    """Write blanks, colons and marks in one way, and keep the lines."""
    if text.isascii():
        return text
    for one, other in (*_BLANKS, *_SIGNS):
        text = text.replace(one, other)
    return _UNSEEN.sub("", text)


def _put(letters: list[str], letter: str, first: int, end: int) -> None:
    """Mark the lines from the first on that are not blank."""
    for at in range(first, end):
        if letters[at] != _BLANK:
            letters[at] = letter


def _next_places(bare: Sequence[str], marked: Sequence[bool]) -> tuple[list[int], list[bool]]:
    """Tell for each line which is the next that is not empty, and whether later marks tell."""
    count = len(bare)
    places, tells = [count] * count, [False] * count
    place, tell = count, False
    for at in range(count - 1, -1, -1):
        line = bare[at]
        if line and place < count and marked[place]:
            tell = line[-1] != ":"
        places[at], tells[at] = place, tell
        if line:
            place = at
    return places, tells


def _mark_introduced(text: _Text, end: int) -> bool:
    """Mark what introduces quotes, and what is quoted without marks; say if there is any."""
    floor = at = 0
    is_introduced = False
    while at < end:
        line = text.bare[at]
        found = None
        if text.letters[at] == OWN and (":" in line or line[-1] in "-_=*>"):
            found = _introduced(text, at, floor)
        if found is None:
            at += 1
            continue
        is_introduced = True
        _put(text.letters, QUOTED, found.first, found.end)
        at = floor = found.end
        if found.is_open:
            at = floor = _end_of_open(text, found.end, end)
            _put(text.letters, QUOTED, found.end, at)
    return is_introduced


def _introduced(text: _Text, at: int, floor: int) -> _Introduction | None:
    """Find an introduction that begins, or an attribution that ends, in this line."""
    bare = text.bare
    line = bare[at]
    if is_separator(line):
        below = text.below[at]
        header = find_header(bare, below, is_announced=True) if below < len(bare) else None
        end = at + 1 if header is None else header
        # With marks below, these tell.
        return _Introduction(at, end, is_open=not text.is_marked_below(end - 1))
    if field_of(line) in _FIRST_FIELDS:
        first = _rule_above(bare, at, floor)
        header = find_header(bare, at, is_parted=first < at)
        if header is not None:
            return _Introduction(first, header, is_open=not text.is_marked_below(header - 1))
    if (colon := line.find(":  ")) > 0:
        # Yahoo on phones: the quote begins in the line of the attribution.
        found = find_attribution([line[: colon + 1]], 0, 0, is_marked_below=False)
        is_found = found is not None and found.is_full
        return _Introduction(at, at + 1, is_open=True) if is_found else None
    return _attributed(text, at, floor) if line[-1] in ":-*_" else None


def _attributed(text: _Text, at: int, floor: int) -> _Introduction | None:
    """Find an attribution that ends in this line, and has a quote below it."""
    is_marked_below = text.is_marked_below(at)
    found = find_attribution(text.bare, at, floor, is_marked_below=is_marked_below)
    if found is None or any(letter != OWN for letter in text.letters[found.first : at + 1]):
        return None
    below = text.below[at]
    if not is_marked_below:
        is_sure = found.is_full or (found.is_dated and at + 1 < below < len(text.bare))
        if not is_sure:
            return None
    is_open = not is_marked_below and below < len(text.bare) and not text.marks_tell[at]
    return _Introduction(found.first, at + 1, is_open=is_open)


def _rule_above(bare: Sequence[str], at: int, floor: int) -> int:
    """Take a line that is drawn above a header as part of it, as Outlook on the web draws it."""
    for place in range(at - 1, max(floor, at - 2) - 1, -1):
        if bare[place]:
            # Text right above it and nothing below: it ends somebody's signature.
            is_its_own = place == at - 1 or place == floor or not bare[place - 1]
            return place if is_its_own and is_rule(bare[place]) else at
    return at


def _end_of_open(text: _Text, at: int, end: int) -> int:
    """Tell where a quote without marks ends: with the text, or where a program says so."""
    for place in range(at, end):
        if text.letters[place] == OWN and is_end_of_forwarded(text.bare[place]):
            return place + 1
    return end


def _mark_signatures(bare: Sequence[str], letters: list[str]) -> None:
    """Mark the signatures of stretches of own words."""
    stretches = list(_stretches(letters))
    last_quoted = "".join(letters).rfind(QUOTED)
    for number, (first, end) in enumerate(stretches, 1):
        found = find_signature(
            bare,
            first,
            end,
            is_last=number == len(stretches),
            is_above_quote=end <= last_quoted,
        )
        _put(letters, _SIGNATURE, found, end)


def _stretches(letters: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Give the stretches of own words, with the blank lines within."""
    first, last = None, 0
    for at, letter in enumerate(letters):
        if letter == OWN:
            first = at if first is None else first
            last = at + 1
        elif letter != _BLANK and first is not None:
            yield first, last
            first = None
    if first is not None:
        yield first, last


def _cut_out(lines: Sequence[str], letters: str, kind: str) -> Iterator[str]:
    """Give the lines of one kind, and the blank ones between them."""
    blanks, is_first, is_cut = 0, True, False
    for line, letter in zip(lines, letters, strict=True):
        if letter == kind:
            if not is_first:
                yield from [""] * (min(blanks, 1) if is_cut else blanks)
            yield line
            blanks, is_first, is_cut = 0, False, False
        elif letter == _BLANK:
            blanks += 1
        else:
            is_cut = True
