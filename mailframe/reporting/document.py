"""The report as HTML: one file that needs nothing else, on a screen of any width and on paper.

Whatever is said is escaped here, and what comes from mail goes through `shown`: a section says what
is to be seen, never how. The page may load and run nothing: its Content-Security-Policy says so.
"""

from __future__ import annotations

import base64
import io
import re
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import matplotlib as mpl
from matplotlib import style
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

__all__ = [
    "GENERATOR",
    "Cell",
    "Column",
    "Part",
    "Picture",
    "Row",
    "Section",
    "Table",
    "Tile",
    "page",
    "shown",
]

#: By what a file is known to be a report, which another one may replace.
GENERATOR = '<meta name="generator" content="mailframe report">'
#: What is looked at of a text: nobody reads more of a subject, and some have megabytes.
_LONGEST = 120

# Controls, halves of characters, and what turns the direction of writing, by which one name could
# be made to look like another. What joins and parts letters, in Persian as in emoji, stays.
_UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)

# Inches: of a page, and of a telephone, for which pictures have a layout of their own.
_WIDE, _NARROW = 9.0, 3.7
_NARROW_BELOW = 560  # pixels
_STYLE = """
:root { color-scheme: light; --ink: #1c2733; --soft: #5b6673; --line: #d9dee4; --own: #0072b2; }
* { box-sizing: border-box; }
html { background: #fff; }
body { color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 3rem; }
header { border-bottom: 3px solid var(--own); margin-bottom: 1.5rem; padding-bottom: .75rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
header p { color: var(--soft); margin: .3rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; }
section > p { margin: .4rem 0 .8rem; max-width: 46rem; }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
  margin: 0; padding: 0; }
.tiles div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; }
.tiles .value { font-size: 1.6rem; font-weight: 600; line-height: 1.25; }
.tiles .before { color: var(--soft); font-size: .85rem; }
figure { margin: .5rem 0 1rem; }
figure img { display: block; height: auto; width: 100%; }
.table { margin: .5rem 0 1rem; overflow-x: auto; /* a shadow where there is more to the side */
  background: linear-gradient(to right, #fff 1.5rem, #fff0) 0 0 / 3rem 100% no-repeat local,
    linear-gradient(to left, #fff 1.5rem, #fff0) 100% 0 / 3rem 100% no-repeat local,
    linear-gradient(to right, #0003, #0000) 0 0 / .6rem 100% no-repeat scroll,
    linear-gradient(to left, #0003, #0000) 100% 0 / .6rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
caption { color: var(--soft); font-size: .85rem; padding: 0 0 .3rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .9rem .3rem 0; text-align: left;
  vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: inherit; }
tbody small { color: var(--soft); }
tbody .text { min-width: 8rem; overflow-wrap: anywhere; }
.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
.note, footer { color: var(--soft); font-size: .85rem; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: .75rem; }
footer ul { margin: 0; padding-left: 1.1rem; }
@media screen and (max-width: 560px) {
  body { font-size: 15px; padding: 1.25rem .9rem 2rem; }
  table { font-size: .82rem; }
  th, td { padding-right: .6rem; }
  thead th { white-space: normal; }
}
@media print {
  @page { margin: 15mm 14mm; }
  body { font-size: 10.5pt; max-width: none; padding: 0; }
  h2, section > p { break-after: avoid; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles div, figure, .table { break-inside: avoid; }
  .table { background: none; overflow: visible; }
  thead { display: table-header-group; }
}
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Tile(NamedTuple):
    """A number that one looks for first, and what it was before; empty where there is none."""

    name: str
    value: str
    before: str = ""


class Column(NamedTuple):
    """A column of a table: its name, and whether numbers stand in it."""

    name: str
    is_number: bool = False


class Cell(NamedTuple):
    """What stands in a table, and what stands below it in small letters."""

    text: str
    below: str = ""


#: Of a table.
Row: TypeAlias = "list[str | Cell]"


class Table(NamedTuple):
    """Rows of cells; ``caption`` is what one may want to know of them."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""


class Picture(NamedTuple):
    """What draws on Axes, and what is seen there, for those who do not see it.

    ``heights`` are inches, of the picture for a page and of the one for a telephone.
    """

    draw: Callable[[Axes], object]
    words: str
    heights: tuple[float, float] = (2.9, 2.6)


#: What a section is made of; a ``str`` is a paragraph.
Part: TypeAlias = "str | Table | Picture | tuple[Tile, ...]"


class Section(NamedTuple):
    """A heading, and what stands below it."""

    title: str
    parts: Sequence[Part]


def page(
    title: str, lines: Sequence[str], sections: Sequence[Section], notes: Sequence[str]
) -> str:
    """Write the page.

    Parameters
    ----------
    title, lines
        What it is about.
    sections
        What is to be seen.
    notes
        What stands at its end.

    Returns
    -------
    str
        A whole HTML document.
    """
    head = "".join(f"<p>{escape(line)}</p>" for line in lines)
    body = "".join(map(_section, sections))
    end = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{GENERATOR}\n<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>{head}</header>\n<main>\n{body}</main>\n"
        f"<footer><ul>{end}</ul></footer>\n</body>\n</html>\n"
    )


def shown(text: object, longest: int = _LONGEST) -> str:
    r"""Return a text of the sender's making as it may be shown: in one line, cut where it is long.

    Parameters
    ----------
    text
        Anything; a missing value is empty.
    longest
        In characters.

    Examples
    --------
    >>> shown("Hello,\nworld" + chr(0x202E))
    'Hello, world·'
    """
    if not isinstance(text, str):
        return ""
    words = " ".join(text[: 8 * longest].split())
    clean = _UNSHOWN.sub("·", words)
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def _section(section: Section) -> str:
    inside = "\n".join(map(_part, section.parts))
    title = f"<h2>{escape(section.title)}</h2>\n" if section.title else ""
    return f"<section>\n{title}{inside}\n</section>\n"


def _part(part: Part) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        return _figure(part)
    return f'<dl class="tiles">{"".join(map(_tile, part))}</dl>'


def _tile(tile: Tile) -> str:
    before = f'<dd class="before">{escape(tile.before)}</dd>' if tile.before else ""
    return (
        f'<div><dt>{escape(tile.name)}</dt><dd class="value">{escape(tile.value)}</dd>'
        f"{before}</div>"
    )


def _table(table: Table) -> str:
    kinds = ["number" if column.is_number else "text" for column in table.columns]
    names = "".join(
        f'<th scope="col" class="{kind}">{escape(column.name)}</th>'
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(f"<tr>{_cells(row, kinds)}</tr>\n" for row in table.rows)
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    named = escape(table.caption or ", ".join(column.name for column in table.columns))
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{named}"><table>{caption}'
        f"<thead><tr>{names}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(row: Row, kinds: Sequence[str]) -> str:
    first, *others = (
        f'class="{kind}">{_cell(cell)}' for cell, kind in zip(row, kinds, strict=True)
    )
    return f'<th scope="row" {first}</th>' + "".join(f"<td {cell}</td>" for cell in others)


def _cell(cell: str | Cell) -> str:
    text, below = (cell, "") if isinstance(cell, str) else cell
    # Names may be written from the right: what stands beside them is not to be turned.
    small = f"<br><small><bdi>{escape(below)}</bdi></small>" if below else ""
    return f"<bdi>{escape(text)}</bdi>{small}"


def _figure(picture: Picture) -> str:
    wide, narrow = (
        _image(picture, width, height)
        for width, height in zip((_WIDE, _NARROW), picture.heights, strict=True)
    )
    return (
        f'<figure><picture><source media="screen and (max-width: {_NARROW_BELOW}px)" '
        f'srcset="{narrow}"><img src="{wide}" alt="{escape(picture.words)}"></picture></figure>'
    )


def _image(picture: Picture, width: float, height: float) -> str:
    """Draw, without pyplot, which would keep the figure, in the style of paper.

    Within an image nothing is run or loaded either, whatever a label says.
    """
    made = io.BytesIO()
    # What makes the same mail the same file.
    with style.context("default"), mpl.rc_context({"svg.hashsalt": "mailframe", "font.size": 9.5}):
        figure = Figure(figsize=(width, height), layout="constrained")
        picture.draw(figure.subplots())
        # (Figure.savefig draws it twice.)
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(made, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(made.getvalue()).decode()}"
