"""What each element of HTML is to somebody who reads the text."""

from __future__ import annotations

__all__ = [
    "CHANGING", "ENDS_ITEM", "ENDS_PARAGRAPH", "INLINE", "ITEMS", "KINDS", "TABLE_KINDS",
]  # fmt: skip

# What an element is to a reader; one that is not here is part of a line.
KINDS = {
    **dict.fromkeys((
        "address", "article", "aside", "caption", "center", "details", "dialog", "div", "fieldset",
        "figcaption", "figure", "footer", "form", "header", "hgroup", "legend", "main", "nav",
        "noframes", "optgroup", "section", "summary",
    ), "block"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "p"), "paragraph"),
    **dict.fromkeys(("listing", "plaintext", "pre", "textarea", "xmp"), "pre"),
    **dict.fromkeys(("dir", "menu", "ol", "ul"), "list"),
    **dict.fromkeys(("tbody", "tfoot", "thead"), "rows"),
    **dict.fromkeys(("td", "th"), "cell"),
    # Shown by a plug-in, by a script or not at all.
    **dict.fromkeys((
        "applet", "audio", "canvas", "noscript", "object", "svg", "template", "video", "xml",
    ), "unseen"),
    # Without an end tag.
    **dict.fromkeys(("base", "br", "hr", "image", "img", "input", "option"), "mark"),
    # Likewise, or around everything.
    **dict.fromkeys((
        "area", "basefont", "bgsound", "body", "col", "colgroup", "embed", "frame", "frameset",
        "head", "html", "keygen", "link", "meta", "param", "source", "track", "wbr",
    ), "nothing"),
    "a": "link", "blockquote": "quote", "dd": "definition", "dl": "block", "dt": "block",
    "li": "item", "q": "phrase", "sup": "raised", "table": "table", "tr": "row",
}  # fmt: skip
# They end a paragraph that is still open (HTML standard 13.2.6.4.7).
ENDS_PARAGRAPH = frozenset({
    "block", "definition", "item", "list", "paragraph", "pre", "quote",
})  # fmt: skip
# An item ends the one before it, but not the one that holds its list.
ITEMS = {
    **dict.fromkeys(("dir", "menu", "ol", "ul"), ("li",)),
    "dl": ("dd", "dt"),
}
ENDS_ITEM = {"li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt")}
INLINE = frozenset({"", "link", "phrase", "raised", "unseen"})
CHANGING = frozenset({"pre", "table", "unseen"})
TABLE_KINDS = frozenset({"cell", "row", "rows", "table"})
