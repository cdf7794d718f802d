"""Keyed pseudonyms for words, numbers and persons: the same of the same, told by nobody else.

A word becomes syllables of three letters joined by hyphens: ``mir-dav``. No word of four letters
or more is in them, of whatever language, so that whoever looks for a name in what was anonymised
finds it only where it was left standing.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["WORD", "Memo", "Pseudonyms", "plain"]

_T = TypeVar("_T")

#: A run of what is neither blank nor punctuation, which stay: signs and marks of scripts count as
#: letters, for they tell what stood there.
WORD = re.compile(
    r"([^\s!-/:-@\[-`{-~\xa1\xa7\xab\xb6\xb7\xbb\xbf\u2010-\u2027\u2030-\u205e\u3001-\u3003"
    r"\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+)"
)

_CONSONANTS = "bdfghjklmnprstvz"
# A syllable ends with none of g, h, j, k, p, t and z: most rude words of three letters do.
_SYLLABLES = [a + b + c for a in _CONSONANTS for b in "aeiou" for c in "bdflmnrsv"]
_ACUTE = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
# Of each byte; ten of them are more than 70 bits, which no two ids share.
_PAIRS = [f"{_CONSONANTS[byte >> 4]}{(byte & 15) % 10}" for byte in range(256)]
_CODE = 10
#: In so many syllables are persons told apart: 720 ** 5 makes 2e14.
_OF_PERSON = 5
_SHORT = 7
_MOST_SYLLABLES = 8
# A number is permuted in pieces of so many digits: Python's own limit is at 4,300.
_DIGITS = 18
# Rounds of a Feistel network: of four nobody learns more than of chance (Luby and Rackoff 1988).
_ROUNDS = 4


class Memo(dict[str, _T], Generic[_T]):
    """What has been made of each text, so that it is made once.

    Parameters
    ----------
    make
        Makes it.
    """

    def __init__(self, make: Callable[[str], _T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, given: str) -> _T:
        made = self[given] = self._make(given)
        return made


class Pseudonyms:
    """What stands for words, numbers and persons, by a key.

    Parameters
    ----------
    key
        For HMAC-SHA256 (RFC 2104). Nothing of it is shown.

    Examples
    --------
    >>> made = Pseudonyms(b"an example, and thus no secret")
    >>> made.word["Boat"], made.word["BOAT"], made.word["boat"], made.word["1729"]
    ('Hid-zam', 'HID-ZAM', 'hid-zam', '6957')
    """

    def __init__(self, key: bytes) -> None:
        self._mac = hmac.new(key, digestmod="sha256")
        # Less than a number has room for makes them quicker to add.
        self._shifts = Memo(lambda asked: self.number("digits", asked) % 10**_DIGITS)
        #: Of each word, in any case; of numbers other ones with as many digits.
        self.word = Memo(self._word)

    def number(self, kind: str, value: str) -> int:
        """Return 256 bits that nobody can tell without the key.

        Parameters
        ----------
        kind
            What it is for: a domain and a word that are written alike have nothing in common.
        value
            Any text.
        """
        return int.from_bytes(self._digest(kind, value))

    def syllables(self, kind: str, value: str, count: int) -> str:
        """Return a name of so many syllables.

        Parameters
        ----------
        kind, value
            As for `number`.
        count
            How many; 256 bits are enough for 26.
        """
        return _spoken(self.number(kind, value), count)

    def code(self, kind: str, value: str) -> str:
        """Return letters and digits, one after the other: no word is among them.

        Parameters
        ----------
        kind, value
            As for `number`.
        """
        return "".join([_PAIRS[byte] for byte in self._digest(kind, value)[:_CODE]])

    def person(self, words: Iterable[str]) -> dict[str, str]:
        """Return what stands for each word of a person's name, whatever their order.

        Parameters
        ----------
        words
            From `plain`. Who has the same ones is the same person; who shares but some of them has
            a name with nothing in common.
        """
        own = sorted(set(words))
        # A digest of the digest, so that a name of thousands of words takes no longer than it is.
        whole = self.number("person", " ".join(own))
        counts = {1: (_OF_PERSON,), 2: (2, _OF_PERSON - 2)}.get(len(own), (2,) * len(own))
        return {
            word: self.syllables("word of a person", f"{place} {whole}", count)
            for place, (word, count) in enumerate(zip(own, counts, strict=True))
        }

    def written(self, pseudonym: str, like: str) -> str:
        """Write a pseudonym as a word is written: ``Ann``, ``ANN``, ``ann``, ``McLee``.

        Parameters
        ----------
        pseudonym
            In lower case.
        like
            The word. Where it has an accent, by which names are told apart, so has the pseudonym.
        """
        if not like.isascii() and plain(like) != _folded(like):
            pseudonym = f"{pseudonym[0]}{pseudonym[1].translate(_ACUTE)}{pseudonym[2:]}"
        return _cased(pseudonym, like)

    def _digest(self, kind: str, value: str) -> bytes:
        mac = self._mac.copy()
        mac.update(f"{kind}\0{value}".encode("utf-8", "surrogatepass"))
        return mac.digest()

    def _word(self, word: str) -> str:
        if word.isascii() and word.isdigit():
            pieces = range(0, len(word), _DIGITS)
            return "".join(self._permuted(word[one : one + _DIGITS]) for one in pieces)
        # Words of up to seven letters are as long as one another: short ones would be too few.
        count = 2 if len(word) <= _SHORT else min(len(word) // 4 + 1, _MOST_SYLLABLES)
        return _cased(self.syllables("word", _folded(word), count), word)

    def _permuted(self, digits: str) -> str:
        """Return another number of as many digits: no two become the same one."""
        count = len(digits)
        if count == 1:
            ordered = sorted("0123456789", key=lambda digit: self.number("digit", digit))
            return ordered[int(digits)]
        left, right = digits[: count // 2], digits[count // 2 :]
        for turn in range(_ROUNDS):
            width = len(left)
            shifted = (int(left) + self._shifts[f"{turn} {count} {right}"]) % 10**width
            left, right = right, str(shifted).zfill(width)
        return left + right


def plain(word: str) -> str:
    """Return a word as names are compared: without accents, whatever its case.

    Parameters
    ----------
    word
        Of any script.

    Examples
    --------
    >>> plain("Kovač"), plain("KOVAC")
    ('kovac', 'kovac')
    """
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFKD", word).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter)) or letters


def _folded(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFC", word).casefold()


def _spoken(number: int, count: int) -> str:
    chosen = []
    for _ in range(count):
        number, place = divmod(number, len(_SYLLABLES))
        chosen.append(_SYLLABLES[place])
    return "-".join(chosen)


def _cased(pseudonym: str, like: str) -> str:
    if like == like.lower():  # and what has no case
        return pseudonym
    if like == like.upper() and len(like) > 1:
        return pseudonym.upper()
    if like == like.capitalize():
        return pseudonym.capitalize()
    return pseudonym.title()
