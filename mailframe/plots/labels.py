"""Words for pictures: one line, not long, of characters that there are glyphs for."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font

from mailframe.idn import unicode_domain

__all__ = ["can_show", "label", "left_out"]

_LONGEST = 34  # characters


def label(words: str) -> str:
    """Make a label of what a mail says: one line, not long, of characters there are glyphs for."""
    local, at, domain = " ".join(words.split()).rpartition("@")
    shown = f"{local}{at}{unicode_domain(domain)}"
    if not can_show(shown):
        shown = "".join(char if can_show(char) else "?" for char in f"{local}{at}{domain}")
    # matplotlib reads what stands between dollars as a formula.
    return _shortened(shown).replace("$", r"\$")


def can_show(words: str) -> bool:
    """Tell whether the fonts in use have all these characters.

    Parameters
    ----------
    words
        What would be written.
    """
    families = tuple(FontProperties().get_family())
    return all(_has_glyph(char, families) for char in words)


def left_out(messages: int, lacking: str) -> str:
    """Say how many messages are not in the picture; nothing if all are.

    Parameters
    ----------
    messages
        How many.
    lacking
        Why: ``"without a date"``.
    """
    one = messages == 1
    return f"\n{messages:,} message{'' if one else 's'} {lacking} not shown" if messages else ""


def _shortened(words: str) -> str:
    if len(words) <= _LONGEST:
        return words
    local, at, domain = words.rpartition("@")
    if at and len(domain) < _LONGEST - 8:
        return f"{local[: _LONGEST - len(domain) - 2]}…@{domain}"
    half = _LONGEST // 2
    return f"{words[: half - 1]}…{words[-half:]}"


@lru_cache(maxsize=4096)
def _has_glyph(char: str, families: tuple[str, ...]) -> bool:
    if unicodedata.category(char)[0] == "C":  # what turns the direction of writing, for one
        return False
    paths = [findfont(FontProperties(family=[family])) for family in families]
    return any(get_font(path).get_char_index(ord(char)) for path in paths)
