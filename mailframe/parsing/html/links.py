"""What stands behind the text of a link, where that says something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from mailframe.parsing.html.page import Mark, Page

__all__ = ["Links"]

# Browsers drop line breaks and tabs from an address (URL standard 4.4).
_NOISE = re.compile(r"[\t\n]+")
# So that an address ends where it ends, RFC 3986 appendix C.
_ESCAPES = str.maketrans({" ": "%20", "<": "%3C", ">": "%3E"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_WEB = frozenset({"ftp", "http", "https"})
# People leave these out.
_UNSAID = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)
_NO_DIGITS = re.compile(r"\D+")


def _said(address: str) -> str:
    """Give an address as it would be read aloud."""
    return _UNSAID.sub("", address, count=1).rstrip("/").casefold()


class Links:
    """The link that is open, if any; of two within each other the inner one ends the outer one."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._target = ""
        self._mark: Mark | None = None
        self._base = ""
        #: Whether there was text since the link began; an image is none.
        self.has_words = False

    def base(self, address: str) -> None:
        """Note what relative addresses are relative to (``<base>``)."""
        self._base = self._base or address.strip()

    def begin(self, address: str) -> None:
        """Begin a link."""
        self.end()
        self._target = _NOISE.sub("", address.strip())
        self._mark = self._page.mark()
        self.has_words = False

    def end(self) -> None:
        """End it, and write where it leads if its text does not say so."""
        mark, self._mark = self._mark, None
        if mark is None or not self._target or not self.has_words:
            return
        shown = self._page.since(mark)
        target = self._told(shown)
        if target:
            self._page.append(f"<{target.translate(_ESCAPES)}>", mark)

    def _told(self, shown: str) -> str:
        """Give the target, or nothing if what is shown says it."""
        target = self._target
        scheme = _SCHEME.match(target)
        if scheme is None and self._base and not target.startswith("#"):
            try:
                target = urljoin(self._base, target)
            except ValueError:  # a base that is no address
                return ""
            scheme = _SCHEME.match(target)
        if target.startswith("//"):
            kind = "https"
        elif scheme is None:
            return ""
        else:
            kind = scheme[1].lower()
        if kind in _WEB:
            return "" if _said(target) in _UNSAID.sub("", shown).casefold() else target
        if kind == "mailto":
            address = target[scheme.end() :].partition("?")[0] if scheme else ""
            return "" if address.casefold() in shown.casefold() else address
        if kind in {"tel", "sms"}:
            digits = _NO_DIGITS.sub("", target)
            return "" if digits in _NO_DIGITS.sub("", shown) else target
        return ""
