"""Tags and text, one after the other, and what they mean for the text around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.parsing.html.elements import (
    CHANGING,
    ENDS_ITEM,
    ENDS_PARAGRAPH,
    INLINE,
    ITEMS,
    KINDS,
    TABLE_KINDS,
)
from mailframe.parsing.html.links import Links
from mailframe.parsing.html.page import Page
from mailframe.parsing.html.style import ORDINARY, attributes_of, decode, look_of

if TYPE_CHECKING:
    from mailframe.parsing.html.page import Mark
    from mailframe.parsing.html.style import Look

__all__ = ["Reader"]

# A quote that is never closed does not count as one, so that a damaged tag costs itself alone.
_ATTRIBUTES = r"""(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+|["'])*+"""
# Text, then what follows it: an element that holds no markup, a tag, a comment or what browsers
# take for one (Microsoft's conditions are of both kinds), or a bracket that begins nothing. What
# is not closed reaches to the end.
_TOKEN = re.compile(
    r"([^<]*+)(?:<(?:"
    r"(?i:(script|style|title|iframe|noembed)(?=[\s/>])" + _ATTRIBUTES + r">?+"
    r"(?:[^<]++|<(?!/\2[\s/>]))*+)"
    r"|(/?+)([a-zA-Z][^\s/>]*+)(" + _ATTRIBUTES + r")>?+"
    r"|!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>)?+)"
    r"|(?:[!?]|/(?=.))[^>]*+>?+"
    r"|()))?+",
    re.DOTALL,
)
# Behind so many there is only text, and these go (see `html_to_text`).
_MOST_TAGS = 300_000
_MARKUP = re.compile(
    r"<(?:(?i:(script|style|title|iframe|noembed)(?=[\s/>])(?:[^<]++|<(?!/\1[\s/>]))*+<?+)"
    r"|!--(?:[^-]++|-(?!->))*+-?+-?+)?+[^>]*+>?+"
)

_NUMBER = re.compile(r"\s*(-?\d{1,9})")
_RULE = "---"
# Characters of the alternative text of an image that is a smiley.
_SIGN = 2
# Word's bullets are letters of fonts that hold signs.
_WORD_BULLETS = frozenset("o\xa7\xb7\xd8\xfcqv\u2022\uf0a7\uf0b7")
_BOXES = {"checkbox": "[{}]", "radio": "({})"}
_UNSHOWN_INPUTS = frozenset({"color", "file", "hidden", "image", "password", "range"})


class _State(NamedTuple):
    """How text is shown where the reader is."""

    hidden: bool = False
    tiny: bool = False
    blended: bool = False
    preformatted: bool = False
    bullet: bool = False
    #: None of these.
    is_ordinary: bool = True

    def within(self, kind: str, look: Look) -> _State:
        """Give the state in an element that stands here."""
        # Without a document type tables have a size of their own, and most mail has none.
        is_tiny = self.tiny and kind != "table"
        is_preformatted = self.preformatted or kind == "pre"
        flags = (
            self.hidden or look.hidden or kind == "unseen",
            is_tiny if look.tiny is None else look.tiny,
            self.blended if look.blended is None else look.blended,
            is_preformatted if look.preformatted is None else look.preformatted,
            self.bullet or look.bullet,
        )
        return _State(*flags, not any(flags))


class _Element(NamedTuple):
    """An element that is open."""

    name: str
    kind: str
    #: What was so before it.
    outside: _State
    #: Open items of the list that this list is in.
    items: tuple[int, ...]
    #: Line breaks behind it.
    gap: int
    is_indented: bool
    mark: Mark | None


class Reader:
    """The elements that are open, and the page that they write to."""

    def __init__(self) -> None:
        self._page = Page()
        self._links = Links(self._page)
        self._open: list[_Element] = []
        # How many of each name are open, by table and cell: no end tag reaches out of these.
        self._counts: list[dict[str, int]] = [{}]
        self._state = _State()
        self._looks: dict[str, Look] = {}
        # Of each open list what the next item begins with: a number, a bullet, or nothing.
        self._bullets: list[int | str] = []
        self._is_after_pre = False

    def read(self, html: str) -> str:
        """Give the text of this markup."""
        for count, token in enumerate(_TOKEN.finditer(html)):
            text, slash, name, attributes, bracket = token.group(1, 3, 4, 5, 6)
            if text:
                self._text(text)
            if name:
                name = name.lower()
                if not slash:
                    self._start(name, attributes)
                # Most end tags end nothing that a reader has to know.
                elif self._counts[-1].get(name) or name in KINDS:
                    self._end(name)
            elif bracket is not None:
                self._text("<")
            if count >= _MOST_TAGS:
                self._text(_MARKUP.sub(" ", html[token.end() :]))
                break
        while self._open:
            self._close()
        return str(self._page)

    def _text(self, text: str) -> None:
        state = self._state
        if state.is_ordinary and text.isspace() and text.isascii():  # between tags, mostly
            self._page.blank()
            return
        if state.hidden or state.tiny or state.blended:
            return
        text = decode(text)
        if state.preformatted:
            # The line break right behind <pre> is none (HTML standard 13.2.6.4.7).
            self._page.verbatim(text[1:] if self._is_after_pre and text[:1] == "\n" else text)
        elif state.bullet:
            sign = text.strip()
            if sign:
                self._page.text("- " if sign in _WORD_BULLETS else f"{sign} ")
        else:
            self._page.text(text)
        self._is_after_pre = False
        if not text.isspace():
            self._links.has_words = True

    def _look(self, attributes: str) -> Look:
        # Mail repeats its styles over and over.
        look = self._looks.get(attributes)
        if look is None:
            look = look_of(attributes)
            self._looks[attributes] = look = ORDINARY if look == ORDINARY else look
        return look

    def _start(self, name: str, attributes: str) -> None:
        kind = KINDS.get(name, "")
        if kind == "nothing":
            return
        look = self._look(attributes) if attributes else ORDINARY
        # Most tags in mail change nothing for a reader, and need no end.
        if not kind and look is ORDINARY and not self._counts[-1].get(name):
            return
        if kind == "mark":
            if not (self._state.hidden or look.hidden):
                self._write(name, attributes)
            return
        if kind in TABLE_KINDS:
            if not self._make_room(kind):
                self._page.block() if kind != "cell" else self._page.text(" ")
                return
        elif kind in ENDS_PARAGRAPH:
            self._end_items(name)
        self._open_element(name, kind, look, attributes)

    def _make_room(self, kind: str) -> bool:
        """Close and open what a part of a table implies; say no where there is no table."""
        if kind == "table":
            self._close_any("table")  # beside the cells of another
            return True
        self._close_any("td", "th")
        counts = self._counts[-1]
        if "table" not in counts:
            return False
        if kind != "cell":
            self._close_any("tr")
            if kind == "rows":
                self._close_any("tbody", "tfoot", "thead")
        elif not counts.get("tr"):
            self._open_element("tr", "row", ORDINARY, "")
        return True

    def _close_any(self, *names: str) -> None:
        for name in names:
            if self._counts[-1].get(name):
                self._close(name)

    def _end_items(self, name: str) -> None:
        """Close the items and the paragraph that this block ends."""
        self._close_any(*ENDS_ITEM.get(name, ()))
        # A link would be taken up again behind its end (13.2.4.3), so the paragraph stays.
        if not self._counts[-1].get("a"):
            self._close_any("p")

    def _open_element(self, name: str, kind: str, look: Look, attributes: str) -> None:
        outside = self._state
        if look is not ORDINARY or kind in CHANGING:
            self._state = outside.within(kind, look)
        gap, is_indented, mark = 1, False, None
        if not self._state.hidden:
            gap, is_indented, mark = self._enter(name, kind, look, attributes)
        counts = self._counts[-1]
        items: tuple[int, ...] = ()
        if name in ITEMS:
            items = tuple(counts.pop(item, 0) for item in ITEMS[name])
        self._open.append(_Element(name, kind, outside, items, gap, is_indented, mark))
        if kind in {"table", "cell"}:
            self._counts.append({name: 1})
        else:
            counts[name] = counts.get(name, 0) + 1

    def _end(self, name: str) -> None:
        if self._counts[-1].get(name):
            self._close(name)
        elif KINDS.get(name) in TABLE_KINDS:
            if len(self._counts) > 1 and self._counts[-2].get(name):
                self._close(name)
        elif name == "br" and not self._state.hidden:
            self._page.line_break()
        elif name == "p" and not self._state.hidden:
            self._page.block(2)

    def _close(self, name: str | None = None) -> None:
        """Close the innermost element, or all up to one of this name."""
        while True:
            element = self._open.pop()
            if not self._state.hidden:
                self._leave(element)
            if element.kind in {"table", "cell"}:
                self._counts.pop()
            else:
                self._counts[-1][element.name] -= 1
            if element.items:
                self._counts[-1].update(zip(ITEMS[element.name], element.items, strict=True))
            self._state = element.outside
            if name is None or element.name == name:
                return

    def _enter(
        self, name: str, kind: str, look: Look, attributes: str
    ) -> tuple[int, bool, Mark | None]:
        """Begin an element on the page; give what `_leave` must know."""
        if kind in INLINE:
            return 1, False, self._enter_line(kind, attributes)
        page = self._page
        if kind in TABLE_KINDS:
            if kind == "table":
                page.begin_table()
            elif kind == "row":
                page.begin_row()
            elif kind == "cell":
                page.begin_cell(is_header=name == "th")
            return 1, False, None
        gap = self._gap(kind, look)
        page.block(1 if kind == "quote" else gap)
        if kind == "list":
            self._bullets.append(_first_bullet(name, look, attributes))
        marker = self._marker(kind, look, attributes)
        if marker:
            page.indent(marker, marker if marker[0] == ">" else " " * len(marker))
        self._is_after_pre = kind == "pre"
        return gap, bool(marker), None

    def _enter_line(self, kind: str, attributes: str) -> Mark | None:
        if kind == "link":
            self._links.begin(attributes_of(attributes).get("href", ""))
        elif kind == "phrase":
            self._text('"')
        elif kind == "raised":
            return self._page.mark()
        return None

    def _gap(self, kind: str, look: Look) -> int:
        """Say how many line breaks stand before and behind a block."""
        if kind == "paragraph":
            return 1 if look.tight else 2
        if kind == "list":
            return 1 if self._bullets else 2
        return 2 if kind in {"pre", "quote"} else 1

    def _marker(self, kind: str, look: Look, attributes: str) -> str:
        """Say what stands before the first line of a block."""
        if look.quoted or (kind == "quote" and look.quoted is None):
            return "> "
        if kind == "item":
            return "" if look.bare else self._bullet(attributes)
        if kind == "definition":
            return "  "
        return "  " * (look.level - 1)

    def _bullet(self, attributes: str) -> str:
        bullet = self._bullets[-1] if self._bullets else "- "
        if isinstance(bullet, str):
            return bullet
        if "value" in attributes.lower():
            bullet = _number(attributes_of(attributes).get("value", ""), bullet)
        self._bullets[-1] = bullet + 1
        return f"{bullet}. "

    def _leave(self, element: _Element) -> None:
        """End an element on the page."""
        page, kind = self._page, element.kind
        if kind in INLINE:
            if kind == "link":
                self._links.end()
            elif kind == "phrase":
                self._text('"')
            elif element.mark is not None:
                page.superscript(element.mark)
        elif kind == "table":
            page.end_table()
        elif kind == "row":
            page.end_row()
        elif kind == "cell":
            page.end_cell()
        else:
            page.block(element.gap)
            if kind == "list":
                self._bullets.pop()
            if element.is_indented:
                page.dedent()

    def _write(self, name: str, attributes: str) -> None:
        """Write what an element without content stands for."""
        page = self._page
        if name == "br":
            page.line_break()
        elif name == "hr":
            page.block(2)
            page.text(_RULE)
            page.block(2)
        elif name == "option":
            page.text(" / ")
        elif name == "base":
            self._links.base(attributes_of(attributes).get("href", ""))
        elif name == "input":
            page.text(_shown_input(attributes_of(attributes)))
        elif "alt" in attributes.lower():
            alt = attributes_of(attributes).get("alt", "").strip()
            # A smiley stands in its sentence; words in an image are words of their own.
            page.text(alt if len(alt) <= _SIGN else f" {alt} ")


def _first_bullet(name: str, look: Look, attributes: str) -> int | str:
    if look.bare:
        return ""
    return _number(attributes_of(attributes).get("start", ""), 1) if name == "ol" else "- "


def _number(value: str, default: int) -> int:
    number = _NUMBER.match(value)
    return int(number[1]) if number else default


def _shown_input(attributes: dict[str, str]) -> str:
    kind, value = attributes.get("type", "text").lower(), attributes.get("value", "")
    if kind in _UNSHOWN_INPUTS:
        return ""
    if kind in _BOXES:
        return _BOXES[kind].format("x" if "checked" in attributes else " ")
    return f" [{value}] " if value else ""
