"""What a subject is without "Re:" and its like (RFC 5256 section 2.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Topics", "base_subject", "topics"]

# What mail programs write before the subject of an answer or of what they pass on. The RFC knows
# the first three; the others are those of Outlook, Notes, GroupWise and webmail in other languages.
_WORDS = (
    "re", "fw", "fwd",
    "aw", "antw", "antwort", "wg",  # German, Dutch
    "betr", "doorst",  # Dutch
    "sv", "vs", "vb", "vl",  # Danish, Norwegian, Swedish, Finnish, Icelandic
    "rép", "réf", "tr",  # French
    "rif",  # Italian; R and I stand below
    "rv", "res", "enc",  # Spanish, Portuguese
    "odp", "pd", "odg",  # Polish, Czech, Croatian, Slovenian
    "vá", "továbbítás",  # Hungarian
    "ynt", "ilt", "İlt",  # Turkish
    "atb", "yml",  # Welsh, Latvian
    "bls", "trs",  # Indonesian
    "απ", "σχετ", "πρθ",  # Greek
    "отв", "ответ", "відп",  # Russian, Ukrainian
    "השב", "הועבר",  # Hebrew
    "رد", "إعادة توجيه",  # Arabic
    "回复", "回覆", "答复", "答覆", "转发", "轉寄", "轉發",  # Chinese
    "返信", "転送",  # Japanese
    "답장", "회신", "전달",  # Korean
)  # fmt: skip
# One letter is a prefix only as Outlook writes it in Italian; "r:" is a drive.
_LETTERS = "(?-i:[RI](?=: ))"
_COLON = "[:\uff1a]"  # the second is as wide as the characters around it, as in Chinese
_BLOBS = re.compile(r"(?:\[[^\[\]]*+\] ?+)++")
# Those that count write Re[2], Re(2), Re^2 or Re2.
_PREFIX = re.compile(
    rf"(?:(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\.?+|{_LETTERS})"
    rf" ?+(?:[\^*]?\d{{1,3}}+|\(\d{{1,3}}+\))?+ ?+(?:\[[^\[\]]*+\] ?+)?+{_COLON} ?+",
    re.IGNORECASE,
)
_TRAILER = "(fwd)"
_PASSED_ON = re.compile(rf"\[fwd{_COLON} ?+", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


class Topics(NamedTuple):
    """What messages are about, of each message."""

    #: A number of each subject without prefixes, whatever their case; -1 where nothing is left.
    codes: NDArray[np.int64]
    #: Whether the subject says that it answers, or passes on, another message.
    answers: NDArray[np.bool_]


class _Base(NamedTuple):
    subject: str
    answers: bool


def base_subject(subject: str) -> str:
    """Take the marks of answering and passing on off a subject.

    Parameters
    ----------
    subject
        Decoded.

    Returns
    -------
    str
        As RFC 5256 section 2.1 has it: without ``Re:``, ``Fwd:`` and their like at the beginning,
        names of lists in brackets before and between them, and ``(fwd)`` at the end; blanks are
        made one. May be empty. Here the prefixes of some twenty other languages count as well
        (``AW:``, ``SV:``, ``Odp:``; East Asian ones with their wide colon), and those that count
        (``Re[2]:``, ``Re^2:``).

    Examples
    --------
    >>> base_subject("AW: [crew] Re: Fwd: Who comes  along? (fwd)")
    'Who comes along?'
    >>> base_subject("[Fwd: Re: minutes]")
    'minutes'
    """
    return _base(subject).subject


def topics(headers: pd.DataFrame) -> Topics:
    """Tell which messages have the same subject, but for prefixes.

    Parameters
    ----------
    headers
        Messages, with the column ``subject``.

    Returns
    -------
    Topics
        With a number, and whether it is an answer, for each message.

    Raises
    ------
    QueryError
        If the column is missing.

    Examples
    --------
    >>> found = topics(pd.DataFrame({"subject": ["Boat", "RE: boat", None, "Re:"]}))
    >>> found.codes, found.answers
    (array([ 0,  0, -1, -1]), array([False,  True, False,  True]))
    """
    check_columns(headers, ["subject"])
    codes, subjects = pd.factorize(text(headers, "subject"))
    bases = [_base(subject) for subject in subjects]
    keys: Any = np.array([base.subject.casefold() or None for base in bases] + [None], dtype=object)
    answers = np.array([base.answers for base in bases] + [False])
    # The last one is for messages without a subject, whose code is -1.
    found: NDArray[np.int64] = pd.factorize(keys)[0]
    return Topics(found[codes], answers[codes])


def _base(subject: str) -> _Base:
    """Go through the steps of the RFC with a beginning and an end: copies would take long."""
    words = _BLANKS.sub(" ", subject)
    if not words.isascii():
        words = unicodedata.normalize("NFC", words)
    start, end, answers = 0, len(words), False
    while True:
        while start < end and (words[end - 1] == " " or _ends(words, start, end, _TRAILER)):
            answers = answers or words[end - 1] != " "
            end -= 1 if words[end - 1] == " " else len(_TRAILER)
        start, prefixed = _led(words, start, end)
        answers = answers or prefixed
        start = _named(words, start, end)
        passed_on = _PASSED_ON.match(words, start, end)
        if passed_on is None or words[end - 1] != "]":
            return _Base(words[start:end], answers)
        start, end, answers = passed_on.end(), end - 1, True


def _led(words: str, start: int, end: int) -> tuple[int, bool]:
    """Return where a subject begins after the last prefix (step 3), and whether there is one."""
    prefixed = False
    while True:
        start += words.startswith(" ", start, end)
        blobs = _BLOBS.match(words, start, end)
        prefix = _PREFIX.match(words, start if blobs is None else blobs.end(), end)
        if prefix is None:
            return start, prefixed
        start, prefixed = prefix.end(), True


def _named(words: str, start: int, end: int) -> int:
    """Return where a subject begins after names in brackets; one stays if it is all (step 4)."""
    blobs = _BLOBS.match(words, start, end)
    if blobs is None:
        return start
    return blobs.end() if blobs.end() < end else words.rindex("[", start, end)


def _ends(words: str, start: int, end: int, trailer: str) -> bool:
    return words[max(start, end - len(trailer)) : end].lower() == trailer
