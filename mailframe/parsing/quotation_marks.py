"""Quotation marks at the beginning of lines, and what only looks like one."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from mailframe.parsing.attributions import find_attribution
from mailframe.parsing.vocabulary import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "OWN",
    "QUOTED",
    "mark_broken",
    "mark_otherwise",
    "mark_quotes",
    "unmark_transcripts",
]

#: What a line is, as `mailframe.parsing.mark_lines` says it.
OWN, QUOTED = "o", "q"

# Up to three blanks stand before a mark: what is further in is a program's output.
_MARK = re.compile(r" {0,3}>|\t>")
_INITIALS = re.compile(r" {0,8}([A-Z][A-Za-z]{0,11})>+(?=[\s>]|$)(?! ?[\d.,]++$)")
_PROMPTS = frozenset({"SQL", "PS", "C", "D", "IN", "OUT"})
# Other programs' marks, known only by an attribution above them: "| ", ": ", "--]".
_OTHER_MARK = re.compile(r"[^\w\s\"'(\[<>.,*+-]{1,3}(?=\s|$)|[^\w\s\"'(\[<>.,*+]{1,3}[|:}\])#%]")
# An mbox file's mark on a line of somebody's own (RFC 4155), "more than five", and faces.
_NO_MARK = re.compile(r">+From |>\d[\d.,]*+%? ?[^\W\d_]|>>> .*\d >>>$|>[_.]<|>[:;=]-?[(|/]|>{7} ")
_PYTHON = re.compile(r">>> \S|>>>$")

_MOST_INITIALS = 4
_FURTHEST = 24  # characters at a line's beginning where a mark may stand

# Where a mailer has broken quoted lines: at 72 to 80 characters, so what was over is short.
_BROKEN_FROM = 65
_BROKEN_AT = 68
_BROKEN_REST = 40
# What may be an answer of one word below a quoted line.
_ANSWERS = phrases(
    "yes, yep, yeah, no, nope, ok, okay, sure, maybe, done, agreed, right, ja, nein, doch, oui, "
    "non, si, sí, sim, não, nee, tak, nie, да, нет"
)


def mark_quotes(lines: Sequence[str], bare: Sequence[str], letters: list[str]) -> None:
    """Mark lines that have a quotation mark.

    Parameters
    ----------
    lines, bare
        Of the text; without blanks at their ends.
    letters
        One a line, changed here.
    """
    initials: list[tuple[int, str]] = []
    for at, line in enumerate(lines):
        if ">" not in line[:_FURTHEST]:
            continue
        if _MARK.match(line):
            if not _NO_MARK.match(bare[at]) or _is_among_quotes(bare, at):
                letters[at] = QUOTED
        elif (found := _INITIALS.match(line)) and found[1].upper() not in _PROMPTS:
            initials.append((at, found[1]))
    counted = Counter(name for _, name in initials)
    for at, name in initials:
        # One alone may be a sum, a key or a prompt; below another quote it is none.
        is_below = len(name) <= _MOST_INITIALS and at > 0 and letters[at - 1] == QUOTED
        if counted[name] > 1 or is_below:
            letters[at] = QUOTED


def _is_among_quotes(bare: Sequence[str], at: int) -> bool:
    return any(
        0 <= near < len(bare) and bare[near].startswith(">") and not _NO_MARK.match(bare[near])
        for near in (at - 1, at + 1)
    )


def mark_otherwise(bare: Sequence[str], letters: list[str]) -> None:
    """Mark lines with a program's own mark, which an attribution above them explains.

    Parameters
    ----------
    bare
        Lines of the text, without blanks at their ends.
    letters
        One a line, changed here.
    """
    found: set[str] = set()
    for at in range(len(bare) - 2):
        if letters[at] != OWN or bare[at][-1] != ":":
            continue
        below = at + 1 if bare[at + 1] else at + 2
        mark = _OTHER_MARK.match(bare[below]) if below < len(bare) - 1 else None
        if mark is None or mark[0] in found or not bare[below + 1].startswith(mark[0]):
            continue
        if find_attribution(bare, at, 0, is_marked_below=True) is not None:
            found.add(mark[0])
    if found:
        lengths = {len(mark) for mark in found}
        for at, line in enumerate(bare):
            if letters[at] == OWN and any(line[:length] in found for length in lengths):
                letters[at] = QUOTED


def unmark_transcripts(bare: Sequence[str], letters: list[str]) -> None:
    """Give back what only looks quoted where nothing introduces a quote: what a shell shows.

    Parameters
    ----------
    bare
        Lines of the text, without blanks at their ends.
    letters
        One a line, changed here.
    """
    for first, end in _paragraphs(bare):
        quoted = [at for at in range(first, end) if letters[at] == QUOTED]
        if not quoted or quoted[0] != first:
            continue
        # An answer below a quoted line is nobody's announcement.
        is_announced = len(quoted) < end - first and _ends_in_colon_above(bare, first)
        if is_announced or _PYTHON.match(bare[first]):
            for at in quoted:
                letters[at] = OWN


def _ends_in_colon_above(bare: Sequence[str], at: int) -> bool:
    for place in range(at - 1, max(at - 3, -1), -1):
        if bare[place]:
            return bare[place][-1] == ":"
    return False


def _paragraphs(bare: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = None
    for at, line in enumerate(bare):
        if line and first is None:
            first = at
        elif not line and first is not None:
            yield first, at
            first = None
    if first is not None:
        yield first, len(bare)


def mark_broken(lines: Sequence[str], bare: Sequence[str], letters: list[str]) -> None:
    """Mark the rests of quoted lines that a mailer has broken: they lack the mark.

    Parameters
    ----------
    lines, bare
        Of the text; without blanks at their ends.
    letters
        One a line, changed here.
    """
    for at in range(1, len(lines)):
        if letters[at] == OWN and letters[at - 1] == QUOTED and _is_rest(lines, bare, at):
            letters[at] = QUOTED


def _is_rest(lines: Sequence[str], bare: Sequence[str], at: int) -> bool:
    above, rest = bare[at - 1], bare[at]
    if not _MARK.match(lines[at - 1]) or len(above) < _BROKEN_FROM or len(rest) > _BROKEN_REST:
        return False
    if len(above) + 1 + len(rest.split(None, 1)[0]) < _BROKEN_AT:
        return False
    # An answer may stand below a long line too: the quote goes on only where it ends no sentence.
    if at + 1 == len(lines) or not _MARK.match(lines[at + 1]) or above[-1] in ".?!:":
        return False
    if " " not in rest:
        return rest.casefold().strip(".!,") not in _ANSWERS
    return rest[-1] in ".?!:," or bare[at + 1].lstrip("> ")[:1].islower()
