"""Text of a mail, or of a server, made safe for a terminal."""

from __future__ import annotations

import re

__all__ = ["clean"]

# Control characters can rule a terminal, others turn the direction of writing.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return text without what could rule a terminal; its lines are kept.

    Parameters
    ----------
    text
        Anything.
    """
    return _CONTROL.sub(" ", text)
