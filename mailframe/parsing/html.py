"""HTML -> the text that a person would read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing.charsets import scrub

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["html_to_text"]

_SILENT = frozenset(
    {"head", "script", "style", "template", "title", "noscript", "object", "svg", "-comment"}
)
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    }
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})

# Senders hide preview text and tracking this way.
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_LINE_ENDS = re.compile(r"(?<![ \t])[ \t]++(?=\n)")
_EMPTY_LINES = re.compile(r"\n{3,}")
# Zero-width filler that newsletters pad their preview with.
_FILLER = re.compile("[\u200b\u200c\u034f\u00ad\ufeff]+")
_WEB = ("http://", "https://")

# Nobody reads more, and a message must not take minutes.
_LONGEST = 20_000_000
# lexbor's time grows with the square of the depth: 25 s for 100,000 elements, 10 ms for 2,000.
_DEEPEST = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
# They have no end tag, or may leave it out: not counted as nesting (HTML standard, 13.1.2).
_UNNESTED = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "dd",
        "dt",
        "embed",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "option",
        "p",
        "param",
        "source",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "track",
        "wbr",
    }
)


class _Writer:
    """The text so far, with blanks collapsed as a browser would (CSS Text section 4)."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.preformatted = 0
        self._breaks = 2  # line breaks at the end; the text begins on a fresh page
        self._blank = False

    def text(self, text: str) -> None:
        if self.preformatted:
            self.done.append(text.replace("\xa0", " "))
            self._breaks, self._blank = 0, False
            return
        text = _BLANKS.sub(" ", text)
        if text.startswith(" "):
            self._blank = True
            text = text[1:]
        if not text:
            return
        if self._blank and not self._breaks:
            self.done.append(" ")
        self._blank = text.endswith(" ")
        self.done.append(text[:-1] if self._blank else text)
        self._breaks = 0

    def lines(self, wanted: int) -> None:
        """End the line, and leave one empty if two breaks are wanted."""
        if wanted > self._breaks:
            self.done.append("\n" * (wanted - self._breaks))
            self._breaks = wanted
        self._blank = False

    def line_break(self) -> None:
        self.done.append("\n")
        self._breaks += 1
        self._blank = False

    def __str__(self) -> str:
        text = _LINE_ENDS.sub("", "".join(self.done))
        return _EMPTY_LINES.sub("\n\n", text).strip()


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None)


def _open(node: LexborNode, tag: str, writer: _Writer) -> None:
    if tag == "br":
        writer.line_break()
    elif tag in {"td", "th"}:
        writer.text(" ")
    elif tag in _PARAGRAPHS:
        writer.lines(2)
    elif tag in _BLOCKS:
        writer.lines(1)
        if tag == "li":
            writer.text("- ")
        elif tag == "pre":
            writer.preformatted += 1
    elif tag == "img":
        writer.text(node.attributes.get("alt") or "")


def _close(node: LexborNode, tag: str, writer: _Writer) -> None:
    if tag in {"td", "th"}:
        writer.text(" ")
    elif tag in _PARAGRAPHS:
        writer.lines(2)
    elif tag in _BLOCKS:
        if tag == "pre":
            writer.preformatted -= 1
        writer.lines(1)
    elif tag == "a":
        target = (node.attributes.get("href") or "").strip()
        shown = node.text().strip()
        if shown and target.startswith(_WEB) and target.partition("//")[2].strip("/") not in shown:
            writer.text(f" <{target}>")


def _is_too_deep(html: str) -> bool:
    """Tell markup that no person wrote, before it is parsed."""
    if html.count("<") < _DEEPEST:
        return False
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _UNNESTED:
            depth = max(depth - 1, 0) if closing else depth + 1
            if depth > _DEEPEST:
                return True
    return False


def html_to_text(html: str) -> str:
    r"""Give the text of an HTML body.

    Block elements, paragraphs and table rows stand on lines of their own; links keep their text,
    followed by the target where that says something else; what is not shown (styles, scripts,
    hidden previews) is left out.

    Parameters
    ----------
    html
        A document or a fragment, however damaged.

    Returns
    -------
    str
        With LF line ends and at most one empty line in a row.

    Examples
    --------
    >>> html_to_text("<p>Hello&nbsp;<b>you</b></p><ul><li>one<li>two</ul>")
    'Hello you\n\n- one\n- two'
    """
    # Imported here: a headers frame never needs it.
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 only for mail without plain text

    html = scrub(html[:_LONGEST])
    if _is_too_deep(html):
        return _BLANKS.sub(" ", _TAG.sub(" ", html)).strip()
    root = LexborHTMLParser(html).root
    writer = _Writer()
    if root is None:
        return ""
    # Walked by hand: a mail may nest deeper than Python's stack.
    node: LexborNode | None = root
    depth = 0
    while node is not None:
        tag = node.tag or ""
        descend = None
        if tag == "-text":
            writer.text(_FILLER.sub("", node.text_content or ""))
        elif tag not in _SILENT and not _is_hidden(node):
            _open(node, tag, writer)
            descend = node.child
            if descend is None:
                _close(node, tag, writer)
        if descend is not None:
            node, depth = descend, depth + 1
            continue
        while node is not None and node.next is None and depth:
            node, depth = node.parent, depth - 1
            if node is not None:
                _close(node, node.tag or "", writer)
        node = node.next if node is not None and depth else None
    return scrub(str(writer))
