"""How text is compared: in any case, whichever way its accents are written (RFC 5051)."""

from __future__ import annotations

import re
from unicodedata import normalize

__all__ = ["fold", "fold_field"]


class _Folding(dict[int, str]):
    """Each character's folded form, worked out when it is first met."""

    _MOST = 20_000  # a mail of every character there is must not stay in memory

    def __missing__(self, code: int) -> str:
        # RFC 5051 decomposes each character by itself. A whole text would be put into canonical
        # order as well, which takes hours for a long run of accents. Upper case comes first for
        # the letters that share one (dotless i, long s), case folding last (sharp s is "ss").
        folded = normalize("NFKD", chr(code)).upper().casefold()
        if len(self) < self._MOST:
            self[code] = folded
        return folded


_FOLDING = _Folding()
_BLANKS = re.compile(r"[ \t]+")


def fold(text: str) -> str:
    """Give text as it is compared: i;unicode-casemap (RFC 5051), and sharp s as ss.

    Parameters
    ----------
    text
        What is looked for, or looked through.

    Returns
    -------
    str
        In one case, without compatibility forms, accents behind their letters.

    Examples
    --------
    >>> fold("GRÜSSE") == fold("gru\u0308ße")
    True
    """
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def fold_field(text: str) -> str:
    """Give a header field as it is compared.

    How many blanks stand between words is the writer's layout: runs of them count as one. What is
    looked for must be folded in the same way.

    Parameters
    ----------
    text
        What is looked for, or looked through.

    Examples
    --------
    >>> fold_field("Two   blanks")
    'two blanks'
    """
    return _BLANKS.sub(" ", fold(text))
