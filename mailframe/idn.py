"""International domain names as people write them (RFC 5890, RFC 5891)."""

from __future__ import annotations

import unicodedata

__all__ = ["unicode_domain"]

_PREFIX = "xn--"  # RFC 5890 section 2.3.2.1
_LONGEST_LABEL = 63  # RFC 1035 section 2.3.4
# Scripts that are written together, by the first words of their characters' names.
_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"CJK", "HANGUL"},
    {"CJK", "BOPOMOFO"},
)
# Letters of other scripts that pass for Latin ones: a label of these alone is a disguise.
_LATIN_LOOKS = frozenset("асԁеһіїјӏорԛѕԝхуүѵαικνορυ")


def _unicode_label(label: str) -> str:
    """Decode one label of a domain (RFC 5891), unless what comes out could deceive."""
    if not label.lower().startswith(_PREFIX) or len(label) > _LONGEST_LABEL:
        return label
    try:
        text = label[len(_PREFIX) :].lower().encode("ascii").decode("punycode")
        exact = text.encode("punycode").decode("ascii") == label[len(_PREFIX) :].lower()
    except (UnicodeError, OverflowError):  # also what Python's decoder raises beside
        return label
    letters = [one for one in text if unicodedata.category(one)[0] in "LM"]
    others = [one for one in text if one not in letters]
    honest = (
        exact
        and not text.isascii()
        and text == unicodedata.normalize("NFC", text.lower())
        and all(one in "-0123456789" for one in others)
        and not _LATIN_LOOKS.issuperset(letters)
    )
    scripts = {unicodedata.name(one, "?").partition(" ")[0] for one in letters} - {"COMBINING"}
    one_script = len(scripts) == 1 or any(scripts <= together for together in _TOGETHER)
    return text if honest and one_script else label


def unicode_domain(domain: str) -> str:
    """Give a domain in its own script, to be shown.

    Parameters
    ----------
    domain
        As sent.

    Returns
    -------
    str
        Label by label: one that does not decode, or that could pass for another (of several
        scripts, or of letters that look Latin), stays as sent.

    Examples
    --------
    >>> unicode_domain("xn--bcher-kva.example")
    'bücher.example'
    """
    if _PREFIX not in domain.lower():
        return domain
    return ".".join(map(_unicode_label, domain.split(".")))
