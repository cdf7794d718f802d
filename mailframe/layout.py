"""Rows of a frame laid out for a terminal of any width."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cut", "lay_out", "shown_width"]

_GAP = "  "
#: A column cut to less says nothing any more.
_LEAST = 8


def lay_out(frame: pd.DataFrame, width: int) -> list[str]:
    r"""Lay a frame out as lines, so that none is wider than the terminal.

    Parameters
    ----------
    frame
        Its columns in the order of their importance: where there is no room for all of them, the
        last ones are left out. Text is cut, a number never.
    width
        Of the terminal, in columns.

    Returns
    -------
    list of str
        The names of the columns, and a line a row.

    Examples
    --------
    >>> frame = pd.DataFrame({"subject": ["観測所のデータ", "Hello, everybody"], "size": [1234, 5]})
    >>> print(*lay_out(frame, 16), sep="\n")
    subject     size
    観測所の…  1,234
    Hello, e…      5
    """
    columns = [[str(name), *_cells(frame[name])] for name in frame.columns]
    kinds = [frame[name].dtype for name in frame.columns]
    is_number = [pd.api.types.is_numeric_dtype(kind) for kind in kinds]
    is_text = [
        not number and not isinstance(kind, pd.DatetimeTZDtype)
        for number, kind in zip(is_number, kinds, strict=True)
    ]
    widths = [max(map(shown_width, column)) for column in columns]
    least = [min(w, _LEAST) if t else w for w, t in zip(widths, is_text, strict=True)]
    # A mail's text may be as wide as a book is long.
    widths = [min(w, max(m, width)) for w, m in zip(widths, least, strict=True)]
    kept = len(columns)
    while kept > 1 and _total(least[:kept]) > width:
        kept -= 1
    shrunk = _shrink(widths[:kept], least[:kept], width)
    return [
        _GAP.join(
            _padded(cut(cell, room), room, to_the_right=number)
            for cell, room, number in zip(row, shrunk, is_number, strict=False)
        ).rstrip()
        for row in zip(*columns[:kept], strict=True)
    ]


def shown_width(text: str) -> int:
    """Return how many columns of a terminal a text takes (Unicode Standard Annex 11).

    Parameters
    ----------
    text
        Without control characters.
    """
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def cut(text: str, width: int) -> str:
    """Cut a text that is too wide, and say so by ``…``.

    Parameters
    ----------
    text
        Without control characters.
    width
        In columns of a terminal, at least 1.
    """
    if shown_width(text) <= width:
        return text
    taken = 0
    for place, char in enumerate(text):
        taken += _char_width(char)
        if taken > width - 1:
            return f"{text[:place].rstrip()}…"
    return text


def _char_width(char: str) -> int:
    # Accents stand above another character; what is for East Asia is twice as wide.
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _padded(text: str, width: int, *, to_the_right: bool) -> str:
    blanks = " " * (width - shown_width(text))
    return blanks + text if to_the_right else text + blanks


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _shrink(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take from the widest columns until all fit, as far as they may be cut."""
    shrunk = list(widths)
    while _total(shrunk) > room:
        can_be_cut = [place for place, least_ in enumerate(least) if shrunk[place] > least_]
        if not can_be_cut:
            break
        shrunk[max(can_be_cut, key=shrunk.__getitem__)] -= 1
    return shrunk


def _cells(column: pd.Series) -> list[str]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.strftime("%Y-%m-%d %H:%M")
    cells = column.astype("object").where(column.notna(), "")
    # A UID is a name that happens to be a number, and True is 1 for Python.
    grouped = column.name != "uid" and not pd.api.types.is_bool_dtype(column)
    return [
        f"{cell:,}" if grouped and isinstance(cell, int) else " ".join(clean(str(cell)).split())
        for cell in cells
    ]
