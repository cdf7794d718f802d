"""The words of a text, to be counted and compared."""

from __future__ import annotations

import re
from functools import cache
from unicodedata import is_normalized, normalize

__all__ = ["count_words", "tokens"]

# Scripts that leave no blank between words: letters and signs that stand by themselves, without
# digits (which make numbers) and without marks.
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"  # Lao
    # Myanmar
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081"
    "\u1780-\u17b3\u17d7\u17dc"  # Khmer
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f"  # Hiragana, and what repeats a character
    "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # Katakana
    "\u3105-\u312f\u31a0-\u31bf"  # Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Han
)
# What belongs to the letter before it, though `re` takes it for no part of a word: accents and
# points (the whole block where all but letters are marks), and what joins or parts the shapes of
# two letters within a word, as in Persian.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u0816-\u082d\u0859-\u085b"
    "\u08d3-\u08e1\u08e3-\u0963\u0966-\u0df3"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u0f18\u0f19\u0f35\u0f37\u0f39\u0f3e\u0f3f\u0f71-\u0f84\u0f86\u0f87\u0f8d-\u0fbc"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u109d"
    "\u135d-\u135f\u1712-\u1715\u17b4-\u17d3\u17dd\u180b-\u180d\u1a17-\u1a1b\u1ab0-\u1aff"
    "\u1b00-\u1b44\u1dc0-\u1dff\u200c\u200d\u20d0-\u20f0\u302a-\u302f\u3099\u309a\uff9e\uff9f"
    "\ufb1e\ufe20-\ufe2f"
)
_ASCII_WORD = re.compile(r"[a-z0-9]++(?:['-][a-z0-9]++)*+")

# A URL ends where Han or kana begin: there no blank stands behind it.
# A bracket is of it only with the one that closes it.
_URL_END = r"\s<>\"\u3000-\u30ff\u3400-\u9fff\uff00-\uffef()\[\]"
_IN_URL = rf"(?:[^{_URL_END}]++|\([^{_URL_END}]*+\)|\[[^{_URL_END}]*+\])++"
# An address begins where no word goes on: what is long and no address is then read once, and not
# anew from each of its letters.
_NAME = r"a-z0-9\u00c0-\u0dff-"
_ADDRESS = re.compile(
    rf"(?<![a-z])(?:(?:https?|ftps?|imaps?|webcal|file)://|mailto:|www\.){_IN_URL}"
    rf"|(?<![_.+{_NAME}])[_.+{_NAME}]++@[{_NAME}]++(?:\.[{_NAME}]++)*+"
)
_ADDRESS_SIGNS = ("@", "://", "www.")  # no address is without

# For ASCII: what a character is to a word.
_KINDS = (
    bytes(
        ord("a") if chr(code).isalnum() else code if chr(code) in "'-" else ord(" ")
        for code in range(128)
    )
    + b" " * 128
)


@cache
def _word() -> re.Pattern[str]:
    # Made when it is needed: it takes 10 ms, and many a mailbox is English.
    letter = rf"[^\W_{_UNSPACED}]"
    return re.compile(
        rf"{letter}++(?:(?:[{_MARKS}]++|['-](?={letter})){letter}*+)*+|[{_UNSPACED}][{_MARKS}]*+"
    )


def tokens(text: str) -> list[str]:
    """Take a text apart into its words, for counting and comparing.

    Parameters
    ----------
    text
        Any.

    Returns
    -------
    list of str
        In their order, case-folded (Unicode 3.13) and composed (normalization form C). A word is
        a run of letters and digits with the marks on them, and with single apostrophes and
        hyphens between them (``don't``, ``e-mail``; a curved apostrophe becomes a straight one).
        Of scripts that leave no blank between words (Han, Hiragana, Katakana, Bopomofo, Thai,
        Lao, Khmer, Myanmar) each character is one. URLs and mail addresses are left out.

    Notes
    -----
    This is no segmentation by Unicode's annex 29: that keeps ``3.14`` and ``foo_bar`` together,
    and parts ``e-mail``.

    Examples
    --------
    >>> tokens("Don't write to Ann@example.org: the e-mail of STRASSE 5 is at https://example.org/")
    ["don't", 'write', 'to', 'the', 'e-mail', 'of', 'strasse', '5', 'is', 'at']
    >>> tokens("Straße 明日")
    ['strasse', '明', '日']
    """
    plain = _plain(text)
    return (_ASCII_WORD if plain.isascii() else _word()).findall(plain)


def count_words(text: str) -> int:
    """Count the words of a text: as many as `tokens` gives, in less time.

    Parameters
    ----------
    text
        Any.

    Examples
    --------
    >>> count_words("How's the e-mail?")
    3
    """
    plain = _plain(text)
    if not plain.isascii():
        return len(_word().findall(plain))
    # A third of the time: runs of letters, of which each pair with one sign between is one word.
    # Letters are doubled, so that of a-a-a both pairs are found.
    kinds = plain.encode().translate(_KINDS)
    runs = len(kinds.replace(b"-", b" ").replace(b"'", b" ").split())
    if b"-" not in kinds and b"'" not in kinds:
        return runs
    doubled = kinds.replace(b"'", b"-").replace(b"a", b"aa")
    return runs - doubled.count(b"a-a")


def _plain(text: str) -> str:
    """Make one of what is written in several ways, and leave out addresses."""
    plain = text.casefold()
    if not plain.isascii():
        if not is_normalized("NFC", plain):
            plain = normalize("NFC", plain)
        plain = plain.replace("\u2019", "'").replace("\u2010", "-").replace("\u2011", "-")
        plain = plain.replace("\u00ad", "")  # a soft hyphen is seen only where a line ends
    if any(sign in plain for sign in _ADDRESS_SIGNS):
        # Line by line: looking for addresses takes longer than looking for words.
        plain = "\n".join(
            _ADDRESS.sub(" ", line) if any(sign in line for sign in _ADDRESS_SIGNS) else line
            for line in plain.split("\n")
        )
    return plain
