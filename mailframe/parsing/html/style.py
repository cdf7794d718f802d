"""What the attributes of an HTML tag say about how its text is to be read: not at all, for one."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

__all__ = ["ORDINARY", "Look", "attributes_of", "decode", "look_of"]

# HTML standard 13.2.5.32 to 13.2.5.40: name, then the value in either quotes or in none.
_ATTRIBUTE = re.compile(
    r"""([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+))?+)?+"""
)
# Python reads no number of more than 4,300 digits; Unicode needs 7.
_LONG_REFERENCE = re.compile(r"&#[xX]?+[0-9a-fA-F]{9,}+;?+")

_NOTHING = re.compile(r"(?:0+\.?0*|\.0+)(?:px|pt|em|rem|ex|in|cm|mm|%)?(?:\s*!\s*important)?")
# Word writes 0.0001pt where it means none.
_NO_MARGIN = re.compile(r"(?:0+(?:\.0*1?)?|\.0+1?)(?:px|pt|em|rem|ex|in|cm|mm|%)?|auto")
_TINY = re.compile(r"(?:(?:0+\.?0*|\.0+)[a-z%]*|[01]?(?:\.\d+)?(?:px|pt))(?:\s*!\s*important)?")
_OFF_THE_PAGE = re.compile(r"-\d{4,}(?:px|pt)?")
_COLOUR = re.compile(r"#[0-9a-f]{3,8}|white|black|transparent|rgb\([\d\s,]+\)")
_MSO_LEVEL = re.compile(r"level([1-9])")
# Outlook's own bar at the left of what is answered.
_OUTLOOK_QUOTE = re.compile(r"solid (?:blue|#[0-9a-f]{6}) 1\.5pt")
_WORD_CLASS = re.compile(r"\bMso(?:Normal|PlainText|NoSpacing|ListParagraph)", re.IGNORECASE)
_SIDES = ("max-height", "height", "max-width", "width")
_PLACES = ("left", "top", "text-indent")


class Look(NamedTuple):
    """How an element's text is shown; None where that is the business of the element around it."""

    hidden: bool = False
    #: Too small to be seen: what is in it may be larger again.
    tiny: bool | None = None
    #: Of the colour that it stands on.
    blended: bool | None = None
    preformatted: bool | None = None
    #: Without the empty line that a browser leaves around a paragraph.
    tight: bool = False
    quoted: bool | None = None
    #: List items without bullets.
    bare: bool = False
    #: Word's lists are paragraphs (``mso-list``); the level of this one, and whether it is the
    #: bullet.
    level: int = 0
    bullet: bool = False


ORDINARY = Look()


def decode(text: str) -> str:
    """Replace character references as browsers do (HTML standard 13.2.5.72)."""
    if "&" not in text:
        return text
    try:
        return unescape(text)
    except ValueError:  # thousands of digits
        return unescape(_LONG_REFERENCE.sub("\ufffd", text))


def attributes_of(markup: str) -> dict[str, str]:
    """Read what stands behind a tag's name; of repeated attributes the first counts."""
    attributes: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(markup):
        attributes.setdefault(name.lower(), decode(double or single or bare))
    return attributes


def look_of(markup: str) -> Look:
    """Say how the text in a tag with these attributes is shown."""
    # Most tags have no attribute that changes how their text is read.
    folded = markup.lower()
    if "style" not in folded and "hidden" not in folded and "mso" not in folded:
        return ORDINARY
    attributes = attributes_of(markup)
    # The last declaration of a property counts.
    style = {
        name.strip(): value.strip()
        for name, _, value in (
            declaration.partition(":")
            for declaration in attributes.get("style", "").lower().split(";")
        )
    }
    space = style.get("white-space")
    mso_list = style.get("mso-list", "")
    level = _MSO_LEVEL.search(mso_list)
    return Look(
        hidden="hidden" in attributes or _is_hidden(style),
        tiny=_is_tiny(style),
        blended=_is_blended(style),
        preformatted=None if space is None else space.startswith(("pre", "break-spaces")),
        tight=_is_tight(style, attributes.get("class", "")),
        quoted=_is_quoted(style),
        bare="none" in (style.get("list-style-type") or style.get("list-style") or ""),
        level=int(level[1]) if level else 0,
        bullet=mso_list.startswith("ignore"),
    )


def _is_hidden(style: dict[str, str]) -> bool:
    # Not mso-hide: that hides from Outlook alone, which is shown something else in its place.
    return (
        style.get("display", "").startswith("none")
        or style.get("visibility", "").startswith(("hidden", "collapse"))
        or _NOTHING.fullmatch(style.get("opacity") or "1") is not None
        or (
            style.get("overflow", "").startswith("hidden")
            and any(_NOTHING.fullmatch(style.get(side) or "1") for side in _SIDES)
        )
        or any(_OFF_THE_PAGE.match(style.get(place, "")) for place in _PLACES)
    )


def _is_tiny(style: dict[str, str]) -> bool | None:
    size = style.get("font-size")
    return None if not size else _TINY.fullmatch(size) is not None


def _is_blended(style: dict[str, str]) -> bool | None:
    colour = style.get("color", "").split("!")[0].strip()
    ground = (style.get("background-color") or style.get("background") or "").split("!")[0].strip()
    if not colour and not ground:
        return None
    return colour == ground and _COLOUR.fullmatch(colour) is not None


def _is_tight(style: dict[str, str], names: str) -> bool:
    # "margin: above right below left", where what is left out is as on the other side.
    margins = style.get("margin", "").split()
    above = style.get("margin-top") or (margins[0] if margins else "")
    below = style.get("margin-bottom") or (margins[2:3] or margins[:1] or [""])[0]
    unsaid = "0" if _WORD_CLASS.search(names) else "1"
    return all(map(_NO_MARGIN.fullmatch, (above or unsaid, below or unsaid)))


def _is_quoted(style: dict[str, str]) -> bool | None:
    bar = style.get("border-left", "")
    if _OUTLOOK_QUOTE.fullmatch(bar):
        return True
    # Gmail and Apple Mail indent by a blockquote that has no border.
    border = style.get("border", "")
    return False if not bar and ("none" in border or _NOTHING.fullmatch(border or "1")) else None
