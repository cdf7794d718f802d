"""Text laid out in lines, as the elements of an HTML body ask for them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Mark", "Page"]

# Blanks are one blank wherever a browser makes them one (CSS Text section 4), the fixed ones too,
# which mail uses for want of margins, and the wide ones where newsletters pad their preview.
_BLANKS = re.compile(r"[ \t\n\f\xa0\u2000-\u200a\u202f]{2,}|[\t\n\f\xa0]")
# What has no width: as filler, also for previews, or to say where a word may break. The joiners
# mean something between letters of Persian or parts of an emoji, nowhere else.
_INVISIBLE = re.compile(
    "[\xad\u034f\u200b\ufeff]"
    "|(?:(?<![^\\s\xad\u034f\u200b-\u200d\ufeff])|\\A)[\u200c\u200d\u2060]++"
    "|[\u200c\u200d\u2060]++(?![^\\s\xad\u034f\u200b-\u200d\ufeff])"
)
_LINE_ENDS = re.compile(r"(?<![ \t])[ \t]++(?=\n)")
# Deeper quotes and lists are not shown deeper: nobody sees it, and every line repeats it.
_DEEPEST = 10
# Cells that name or number what stands beside them.
_LABEL = re.compile(r".*[:\uff1a]|[\u2022\u00b7*\u2013-]|[0-9a-zA-Z]{1,2}[.)]")
_FIGURES = re.compile(r" ?[+-]?\d{1,3}")
_RAISED = str.maketrans(
    "0123456789+-",
    "\u2070\xb9\xb2\xb3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b",
)
_QUOTE = re.compile(r"[> ]*+")
# Longer cells than this are prose set in columns, longer rows no line.
_LONG_CELL = 60
_LONG_ROW = 100


class _Line(NamedTuple):
    #: Line breaks before it.
    gap: int
    prefix: str
    #: A row of cells until its table is read to its end.
    text: str | tuple[str, ...]


class Mark(NamedTuple):
    """A place in the text."""

    line: int
    word: int


class _Table:
    """What is known of a table that is being read."""

    __slots__ = ("cell", "cells", "has_header", "others", "row", "rows", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.row = start
        self.cell: int | None = None
        #: First and last line of each cell of this row.
        self.cells: list[tuple[int, int]] = []
        #: Where the rows are that stand on a line, and how many others there are.
        self.rows: list[int] = []
        self.others = 0
        self.has_header = False


class Page:
    """The text so far.

    Inline text is gathered into a line, which ends where a block begins or ends. Lists and quotes
    put a prefix before the lines that are in them.
    """

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._words: list[str] = []
        self._gap = 0
        self._blank = False
        self._hollow = False
        # Of each list item or quote around: what the next line begins with, and what later ones do.
        self._prefixes: list[tuple[str, str]] = []
        self._prefix = ""
        self._has_marker = False
        self._tables: list[_Table] = []

    def text(self, text: str) -> None:
        """Add text whose blanks and line breaks are only blanks."""
        if text.isascii():
            words = " ".join(text.split())
            begins, ends = text[:1].isspace(), text[-1:].isspace()
        else:
            text = _INVISIBLE.sub("", text)
            if not self._words and "\xa0" in text and text.isspace():
                self._hollow = True
            text = _BLANKS.sub(" ", text)
            begins, ends = text[:1] == " ", text[-1:] == " "
            words = text[begins : len(text) - ends]
        if begins:
            self._blank = True
        if words:
            if self._blank and self._words:
                self._words.append(" ")
            self._words.append(words)
            self._blank = ends

    def blank(self) -> None:
        """Add a blank."""
        self._blank = True

    def verbatim(self, text: str) -> None:
        """Add text whose blanks and line breaks stay."""
        first, newline, rest = text.replace("\xa0", " ").partition("\n")
        if first:
            if self._blank and self._words:
                self._words.append(" ")
            self._words.append(first)
        self._blank = False
        if newline:
            self.line_break()
            middle, newline, last = rest.rpartition("\n")
            if newline:
                self._verbatim_lines(middle)
            if last:
                self._words.append(last)

    def _verbatim_lines(self, text: str) -> None:
        """Add whole lines as one, that millions of them need no more room than their text."""
        inner = text.strip("\n")
        if not inner.strip():
            self._gap += text.count("\n") + 1
            return
        before = text.index(inner)
        self._gap += before
        self._words.append(_LINE_ENDS.sub("", inner.replace("\n", f"\n{self._prefix}")))
        self._end_line()
        self._gap += len(text) - len(inner) - before

    def line_break(self) -> None:
        """End the line, or leave one empty."""
        if not self._end_line() and self._gap < 2:  # noqa: PLR2004 one empty line
            self._gap += 1

    def block(self, gap: int = 1) -> None:
        """Begin or end a block, with this many line breaks before what follows."""
        # A block of nothing but a fixed blank is how Outlook and others write an empty line.
        if not self._end_line() and self._hollow:
            gap = 2
        self._hollow = False
        self._gap = max(self._gap, gap)

    def indent(self, marker: str, rest: str) -> None:
        """Begin every line with `rest`, but the first one with `marker`."""
        if len(self._prefixes) >= _DEEPEST:
            marker = rest = ""
        self._prefixes.append((marker, rest))
        self._prefix += rest
        self._has_marker = self._has_marker or marker != rest

    def dedent(self) -> None:
        """End the innermost indentation."""
        _, rest = self._prefixes.pop()
        self._prefix = self._prefix[: len(self._prefix) - len(rest)]

    def mark(self) -> Mark:
        """Remember this place."""
        return Mark(len(self._lines), len(self._words))

    def since(self, mark: Mark) -> str:
        """Give the text since then."""
        words = self._words if len(self._lines) > mark.line else self._words[mark.word :]
        lines = (line.text for line in self._lines[mark.line :])
        return " ".join([*(text for text in lines if isinstance(text, str)), "".join(words)])

    def append(self, text: str, mark: Mark) -> None:
        """Add words to what has been written since then, though its line may have ended."""
        if not self._words and len(self._lines) > mark.line:
            line = self._lines[-1]
            if isinstance(line.text, str):
                self._lines[-1] = line._replace(text=f"{line.text} {text}")
                return
        blank, self._blank = self._blank, True
        self.text(text)
        self._blank = blank

    def superscript(self, mark: Mark) -> None:
        """Raise the figures written since then: 10 to the power of 3 is not 103."""
        # A footnote or a power is one word, perhaps with a blank before it.
        if len(self._lines) == mark.line and len(self._words) - mark.word in {1, 2}:
            raised = "".join(self._words[mark.word :])
            if _FIGURES.fullmatch(raised):
                self._words[mark.word :] = [raised.translate(_RAISED)]

    def _end_line(self) -> bool:
        self._blank = False
        if not self._words:
            return False
        text = "".join(self._words).rstrip()
        self._words.clear()
        if not text:
            return False
        prefix = self._prefix
        if self._has_marker:
            prefix = "".join(marker for marker, _ in self._prefixes)
            self._prefixes = [(rest, rest) for _, rest in self._prefixes]
            self._has_marker = False
        self._lines.append(_Line(self._gap, prefix, text))
        self._gap = 1
        self._hollow = False
        return True

    def begin_table(self) -> None:
        """Begin a table."""
        self.block()
        self._tables.append(_Table(len(self._lines)))

    def begin_row(self) -> None:
        """Begin a row of the innermost table."""
        self.block()
        table = self._tables[-1]
        table.row, table.cell = len(self._lines), None
        table.cells = []

    def begin_cell(self, *, is_header: bool) -> None:
        """Begin a cell of the innermost table's row."""
        self._end_line()
        self._hollow = False
        table = self._tables[-1]
        table.cell = len(self._lines)
        table.has_header = table.has_header or is_header

    def end_cell(self) -> None:
        """End the cell."""
        self._end_line()
        self._hollow = False
        table = self._tables[-1]
        if table.cell is not None:
            table.cells.append((table.cell, len(self._lines)))
            table.cell = None

    def end_row(self) -> None:
        """End the row: it becomes a line if each of its cells is one."""
        self.block()
        table = self._tables[-1]
        start, count = table.row, len(self._lines) - table.row
        if not count:
            return
        # Counted before anything is copied: rows hold tables hold rows.
        filled = sum(end > begin for begin, end in table.cells)
        if filled < 2 or count != filled or not self._is_level(start):  # noqa: PLR2004 of a row
            table.others += 1
            if count > 1 or len(self._lines[start].text) > _LONG_CELL:
                # Blocks of a newsletter, which have their distance from images and empty rows.
                self._lines[start] = self._lines[start]._replace(gap=max(self._lines[start].gap, 2))
                self._gap = 2
            return
        texts = [str(self._lines[begin].text) if end > begin else "" for begin, end in table.cells]
        while not texts[-1]:
            texts.pop()
        self._lines[start:] = [self._lines[start]._replace(text=tuple(texts))]
        table.rows.append(start)
        self._gap = 1

    def _is_level(self, start: int) -> bool:
        """Say whether the lines from there on stand side by side, with no list or quote in one."""
        first, *others = self._lines[start:]
        return (
            len(first.prefix) == len(self._prefix)
            and all(
                line.prefix == self._prefix and isinstance(line.text, str) and "\n" not in line.text
                for line in others
            )
            and isinstance(first.text, str)
            and "\n" not in first.text
        )

    def end_table(self) -> None:
        """End the table, now that it is known whether it holds data or only lays out."""
        self.block()
        table = self._tables.pop()
        is_grid = len(table.rows) > max(table.others, 1)
        is_data = bool(table.rows) and (table.has_header or is_grid)
        rows = [self._lines[at].text for at in table.rows]
        # Columns of spacers are none.
        used = {column for row in rows for column, cell in enumerate(row) if cell}
        for at, row in zip(table.rows, rows, strict=True):
            cells = tuple(cell for column, cell in enumerate(row) if column in used)
            self._lines[at] = self._lines[at]._replace(
                text=_row(cells, is_data=is_data, has_header=table.has_header, rest=self._prefix)
            )
        if is_data:
            first = self._lines[table.start]
            self._lines[table.start] = first._replace(gap=max(first.gap, 2))
            self._gap = 2

    def __str__(self) -> str:
        self._end_line()
        if not self._lines:
            return ""
        written = [self._lines[0].prefix, str(self._lines[0].text)]
        for before, line in pairwise(self._lines):
            written.append("\n")
            if line.gap > 1:
                empty = min(_quote(before), _quote(line), key=len)
                written.append(f"{empty}\n" * (line.gap - 1))
            written.append(line.prefix)
            written.append(str(line.text))
        return "".join(written)


def _quote(line: _Line) -> str:
    quote = _QUOTE.match(line.prefix)
    return quote[0].rstrip() if quote else ""


def _row(cells: tuple[str, ...], *, is_data: bool, has_header: bool, rest: str) -> str:
    is_prose = not has_header and sum(len(cell) > _LONG_CELL for cell in cells) > 1
    if not is_data or is_prose:
        cells = tuple(filter(None, cells))
        if is_prose or sum(map(len, cells)) > _LONG_ROW:
            return f"\n{rest}".join(cells)
    text = cells[0]
    for before, cell in pairwise(cells):
        if _LABEL.fullmatch(before):
            text += f" {cell}"
        else:
            text += f" | {cell}" if is_data else f"  {cell}"
    return text
