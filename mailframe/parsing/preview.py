"""HTML of a mail made safe to look at: nothing in it runs, and nothing is fetched.

Two walls, each enough by itself for what is known today: `sanitize` leaves only what is on a list,
and `sandboxed` shows that in a frame that may neither run scripts nor load anything. A mail that is
displayed goes through `sandboxed`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mailframe.parsing.charsets import scrub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nh3 import Cleaner

__all__ = ["sandboxed", "sanitize"]

# Formatting elements of the HTML standard (13.2.4.3) but `a` and `nobr`, of which one is open at
# a time.
_FORMATTING = frozenset({
    "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
})  # fmt: skip
_TAGS = _FORMATTING | {
    "a", "abbr", "address", "article", "bdi", "bdo", "blockquote", "br", "caption", "center",
    "cite", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "figcaption", "figure",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "img", "ins", "kbd", "li", "main",
    "mark", "nav", "ol", "p", "pre", "q", "samp", "section", "span", "sub", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "ul", "var", "wbr",
}  # fmt: skip
# What stands within them is not shown either; of all others that are not on the list the text
# stays.
_WITH_CONTENT = frozenset({
    "applet", "audio", "embed", "frameset", "iframe", "math", "noembed", "noframes", "noscript",
    "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
})  # fmt: skip
_CELL = frozenset({"bgcolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"})
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "style", "title"},
    "a": {"href"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "font": {"color", "face", "size"},
    "hr": {"color", "size", "width"},
    "img": {"alt", "border", "height", "src", "width"},
    "li": {"value"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "height", "width"},
    "tbody": {"valign"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"bgcolor", "height", "valign"},
    "ul": {"type"},
}
_STYLES = frozenset({
    "background", "background-color", "border", "border-bottom", "border-bottom-color",
    "border-bottom-style", "border-bottom-width", "border-collapse", "border-color", "border-left",
    "border-left-color", "border-left-style", "border-left-width", "border-radius", "border-right",
    "border-right-color", "border-right-style", "border-right-width", "border-spacing",
    "border-style", "border-top", "border-top-color", "border-top-style", "border-top-width",
    "border-width", "box-sizing", "clear", "color", "direction", "display", "float", "font",
    "font-family", "font-size", "font-style", "font-variant", "font-weight", "height",
    "letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left",
    "margin-right", "margin-top", "max-height", "max-width", "min-height", "min-width", "opacity",
    "overflow", "overflow-wrap", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform",
    "vertical-align", "visibility", "white-space", "width", "word-break", "word-wrap",
})  # fmt: skip
# No function but a colour: url(), image-set(), expression(), var() and what will be invented need
# a bracket, or a backslash to hide it.
_STYLE = re.compile(
    r"(?:\b(?:rgb|hsl)a?\([\w\s.,%/+-]*\)|[\w\s:.,#%'\"!+-]|/(?!\*))*+", re.IGNORECASE
)
# What browsers drop from an address before they read it (URL standard 4.4).
_URL_NOISE = re.compile(r"[\t\n\r]+|^[\x00-\x20]+|[\x00-\x20]+$")
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_PICTURE = re.compile(r"cid:|data:image/(?:bmp|gif|jpe?g|png|webp)[;,]", re.IGNORECASE)

# Of nh3's output, where every value stands in double quotes and holds none.
_CLEAN_TAG = re.compile(r'<(\w+)((?: [a-z]+="[^"]*")*+)>')
_CLEAN_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_NOT_LOADED = "[image not loaded]"
_DOT = re.compile(r"\s*[0-3](?:px)?\s*")

# Bounds against mail made to stop the reader. Ten times what Gmail shows (102 kB) is plenty, and
# html5ever's time grows with the square of the depth: 1 s for 15,000 elements, minutes for 1 MB.
_LONGEST = 1_000_000
_MOST_MARKS = 15_000
_MARK = re.compile("[<&]")
# Writing fixed blanks takes nh3 the square of their number (16 s for 1 MB), so this passes for
# them: a code point that is no character and never will be (Unicode 23.7).
_FIXED_BLANK, _STAND_IN = "\xa0", "\ufdd0"
# Every block repeats the formatting left open before it, so the two multiply: 15 kB became 15 MB.
# Up to three equal ones are kept open (HTML standard 13.2.4.3), so what counts is how many
# different ones there are, and how long; an element takes the time of some 100 characters.
_MOST_REPEATED = 30_000_000
_ELEMENT = 100
_OPENING = re.compile(rf"<(?:{'|'.join(_FORMATTING)})(?=[\s/>])", re.IGNORECASE)
_WELL_FORMED = re.compile(
    r"(?:\s++[\w:-]++(?:\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>=`]++))?+)*+\s*+/?+>"
)
_PLAIN = "<span"
_LONGEST_CLEAN = 8_000_000
_CUT = "<p><small>[cut: this message is longer than what is shown here]</small></p>"
_TOO_MUCH = "<p><small>[this message has too much markup to be shown]</small></p>"

_DOCUMENT = (
    '<!DOCTYPE html><html><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'\">"
    # A notebook is often served without TLS, where Chromium looks up the hosts of links.
    '<meta http-equiv="x-dns-prefetch-control" content="off">'
    '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">'
    "<style>html{background:#fff;color:#000;color-scheme:light}"
    "body{margin:8px;font-family:sans-serif;font-size:14px;overflow-wrap:anywhere}"
    "img{max-width:100%}</style></head><body>"
)
# Without allow-scripts and allow-same-origin; a click may open a tab, which is then an ordinary
# one.
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"


def _harmless_style(style: str) -> str:
    """Drop the declarations that could do more than look; nh3 judges their properties."""
    return ";".join(filter(_STYLE.fullmatch, style.split(";")))


def _keep(_tag: str, name: str, value: str) -> str | None:
    """Say what stays of an attribute on the list; nh3 asks."""
    if name == "style":
        return _harmless_style(value) or None
    if name in {"href", "src"}:
        value = _URL_NOISE.sub("", value)
        wanted = _LINK if name == "href" else _PICTURE
        return value if wanted.match(value) else None
    return value


@lru_cache(maxsize=1)
def _cleaner() -> Cleaner:
    # Imported here: a headers frame never needs it.
    from nh3 import Cleaner  # noqa: PLC0415 only for HTML that is shown

    return Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_keep,
        filter_style_properties=set(_STYLES),
        # Which of them goes where is the business of `_keep`.
        url_schemes={"http", "https", "mailto", "cid", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def _calm(html: str) -> str:
    """Make formatting plain elements, which are not repeated, where it would grow too much."""
    different: set[str] = set()

    def judge(opening: re.Match[str]) -> str:
        rest = _WELL_FORMED.match(html, opening.end())
        if rest is None:  # nobody can say where it ends
            return _PLAIN
        different.add(html[opening.start() : rest.end()])
        return opening[0]

    calm = _OPENING.sub(judge, html)
    weight = 3 * sum(max(len(tag), _ELEMENT) for tag in different)
    if weight * html.count("<") > _MOST_REPEATED:
        return _OPENING.sub(_PLAIN, calm)
    return calm


def _cut(html: str) -> str:
    """Give as much of it as can be parsed in a few seconds."""
    html = html[:_LONGEST]
    beyond = next(islice(_MARK.finditer(html), _MOST_MARKS, None), None)
    return html if beyond is None else html[: beyond.start()]


def _without_picture(attributes: Mapping[str, str]) -> str:
    """Give what stands in an image's place, from its attributes as they stand in the markup."""
    if "alt" in attributes:
        # Written as nh3 writes text.
        alt = attributes["alt"].replace("&quot;", '"')
        return alt.replace("<", "&lt;").replace(">", "&gt;")
    sides = (attributes.get("width", ""), attributes.get("height", ""))
    # A dot counts readers or keeps cells apart: there is nothing to see.
    return "" if any(map(_DOT.fullmatch, sides)) else f"<small>{_NOT_LOADED}</small>"


def _finish(html: str, images: Mapping[str, str] | None) -> str:
    """Put nh3's attributes in order, and what is to be seen in the place of each image."""

    def finish(tag: re.Match[str]) -> str:
        attributes = dict(_CLEAN_ATTRIBUTE.findall(tag[2]))
        if tag[1] == "img":
            source = attributes.get("src", "")
            if images is not None and source[:4].lower() == "cid:":
                # RFC 2392: the address is the Content-ID, percent-encoded.
                source = images.get(unquote(unescape(source[4:])), "")
                source = escape(source) if _PICTURE.match(source) else ""
            if not source:
                return _without_picture(attributes)
            attributes["src"] = source
        values = (f' {name}="{value}"' for name, value in sorted(attributes.items()) if value)
        return f"<{tag[1]}{''.join(values)}>"

    return _CLEAN_TAG.sub(finish, html)


def sanitize(html: str, *, images: Mapping[str, str] | None = None) -> str:
    """Leave of a mail's HTML what is only to be read.

    Text, tables, lists, headings and their looks stay. Scripts, style sheets, forms, frames,
    drawings, comments and event handlers go. An image stays if it comes with the message; of one
    that would be fetched its ``alt`` text stays, so that no sender learns who reads. A link stays
    if it leads to http, https or mailto, and opens a new tab.

    Parameters
    ----------
    html
        A document or a fragment, however damaged. At most 1,000,000 characters and 15,000 tags
        of it are read; if there is more, a note at the top says so.
    images
        ``data:`` addresses by Content-ID. With it, ``cid:`` images are replaced by these or by
        their ``alt`` text; without it they stay as they are.

    Returns
    -------
    str
        A fragment. To be displayed in `sandboxed`, not by itself: a style may still cover what
        lies beside it.

    Examples
    --------
    >>> sanitize('<p onclick="steal()">Hello <b>you</b><script>steal()</script></p>')
    '<p>Hello <b>you</b></p>'
    >>> sanitize('<img src="https://example.com/seen?by=you" alt="Logo">')
    'Logo'
    """
    readable = _cut(html)
    clean = _cleaner().clean(_calm(scrub(readable)).replace(_FIXED_BLANK, _STAND_IN))
    clean = clean.replace(_STAND_IN, "&nbsp;")
    if len(clean) > _LONGEST_CLEAN:
        return _TOO_MUCH
    return (_CUT if len(readable) < len(html) else "") + _finish(clean, images)


def sandboxed(html: str, *, height: int = 480, images: Mapping[str, str] | None = None) -> str:
    """Show a mail's HTML in a frame that runs nothing and loads nothing.

    It goes through `sanitize` here, so that nobody can forget it.

    Parameters
    ----------
    html
        A document or a fragment, however damaged.
    height
        Of the frame, in CSS pixels.
    images
        ``data:`` addresses by Content-ID, for ``cid:`` images.

    Returns
    -------
    str
        An ``<iframe>``.

    Examples
    --------
    >>> sandboxed("<p>Hello", height=200)[:50]
    '<iframe sandbox="allow-popups allow-popups-to-esca'
    """
    document = f"{_DOCUMENT}{sanitize(html, images=images or {})}</body></html>"
    return (
        f'<iframe sandbox="{_SANDBOX}" referrerpolicy="no-referrer" title="HTML of the message" '
        f'style="display:block;box-sizing:border-box;width:100%;height:{int(height)}px;'
        'border:1px solid rgba(128,128,128,.4);background:#fff;color-scheme:light" '
        f'srcdoc="{escape(document)}"></iframe>'
    )
