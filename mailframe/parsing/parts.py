"""A tree of Parts -> bodies and attachments, for whoever made the tree.

What is text, what is HTML and what is attached is decided by RFC 8621 section 4.1.4, in one place:
reading a message part by part and reading it whole must agree.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mailframe.parsing.content import decode_content, decoded_size, meant_encoding
from mailframe.parsing.html import html_to_text
from mailframe.parsing.text import decode_text
from mailframe.parsing.uuencode import find_uuencoded
from mailframe.records import Attachment, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = [
    "Bodies",
    "Picked",
    "find_part",
    "pick_parts",
    "read_bodies",
]

_LINE = 78  # 76 characters of base64 and CRLF (RFC 2045 section 6.8)
_MEDIA = ("image/", "audio/", "video/")
# A multipart that lies deeper holds no body: no mail has it, and Python's stack has an end.
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Picked:
    """A message's leaves, by what they are for.

    Attributes
    ----------
    text
        The text/plain parts to be read one after the other.
    html
        The text/html parts to be shown one after the other.
    attachments
        Every other leaf, in order.
    spoken
        Where both kinds follow each other, as when a list puts its footer below a page: the parts
        that a person reads, in order. Empty elsewhere.
    """

    text: tuple[Part, ...]
    html: tuple[Part, ...]
    attachments: tuple[Attachment, ...]
    spoken: tuple[Part, ...] = ()

    def wanted(self, *, html: bool) -> tuple[Part, ...]:
        """Name the parts to read: the HTML only if asked for, or if it is part of the text."""
        text = self.spoken or self.text
        read = {id(part) for part in text}
        more = self.html if html or not text else ()
        return (*text, *(part for part in more if id(part) not in read))


@dataclass(frozen=True, slots=True)
class Bodies:
    """A message's decoded text and HTML.

    Attributes
    ----------
    text
        From the HTML where there is no text/plain part; None where there is neither.
    html
        None where there is none, and where it was not asked for.
    text_source
        ``"plain"``, ``"html"`` or ``"none"``.
    charset
        What the first part was decoded with, in lower case.
    defects
        What was wrong, in a few words each.
    """

    text: str | None
    html: str | None
    text_source: str
    charset: str | None
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lists:
    """The RFC's textBody and htmlBody; None stands for one no longer added to."""

    text: list[Part] | None
    html: list[Part] | None

    def add(self, part: Part) -> None:
        """Append a part shown whichever body is chosen."""
        for chosen in (self.text, self.html):
            if chosen is not None:
                chosen.append(part)

    def add_alternative(self, part: Part) -> None:
        """Append one of several versions to the body that it is a version of."""
        if part.content_type == "text/plain" and self.text is not None:
            self.text.append(part)
        elif part.content_type == "text/html" and self.html is not None:
            self.html.append(part)

    def share(self, text_before: int, html_before: int) -> None:
        """Let a multipart/alternative with versions of one kind stand in for the other kind."""
        if self.text is None or self.html is None:
            return
        new_text, new_html = self.text[text_before:], self.html[html_before:]
        if not new_text:
            self.text.extend(new_html)
        elif not new_html:
            self.html.extend(new_text)


def _choose(
    parts: tuple[Part, ...], kind: str, lists: _Lists, *, in_alternative: bool, depth: int = 0
) -> None:
    """Follow RFC 8621 section 4.1.4's parseStructure; ``kind`` is the multipart's subtype."""
    text_before, html_before = len(lists.text or ()), len(lists.html or ())
    here = lists
    for position, part in enumerate(parts):
        if part.is_multipart:
            inner = part.content_type.partition("/")[2]
            alternative = in_alternative or inner == "alternative"
            if depth < _DEEPEST:
                _choose(part.parts, inner, here, in_alternative=alternative, depth=depth + 1)
        elif not _is_body(part, position, kind):
            continue
        elif kind == "alternative":
            here.add_alternative(part)
        else:
            if in_alternative and part.content_type == "text/plain":
                here = _Lists(here.text, None)
            elif in_alternative and part.content_type == "text/html":
                here = _Lists(None, here.html)
            here.add(part)
    if kind == "alternative":
        here.share(text_before, html_before)


def _is_body(part: Part, position: int, kind: str) -> bool:
    """Tell what is shown from what is offered for saving (RFC 8621's isInline)."""
    media = part.content_type.startswith(_MEDIA)
    return (
        part.disposition != "attachment"
        and (media or part.content_type in {"text/plain", "text/html"})
        and (position == 0 or (kind != "related" and (media or not part.filename)))
    )


def _leaves(root: Part) -> Iterator[tuple[Part, bool]]:
    """Give every leaf in order, and whether it lies within a multipart/related."""
    waiting = [(root, False)]
    while waiting:
        part, related = waiting.pop()
        if part.is_multipart:
            related = related or part.content_type == "multipart/related"
            waiting.extend((child, related) for child in reversed(part.parts))
        else:
            yield part, related


def _size(part: Part) -> tuple[int, bool]:
    """Size in bytes once decoded, and whether it is exact."""
    if part.raw is not None:
        return decoded_size(part, part.raw), True
    encoding = meant_encoding(part.encoding)
    if encoding == "base64":
        lines = -(-part.size // _LINE)
        return max(part.size - 2 * lines, 0) * 3 // 4, False
    return part.size, encoding == "binary"


def _attachment(part: Part, *, inline: bool, with_content: bool) -> Attachment:
    content = None
    if with_content and part.raw is not None:
        content = decode_content(part, part.raw)[0]
    size, exact = _size(part) if content is None else (len(content), True)
    return Attachment(
        part=part.number,
        filename=part.filename,
        content_type=part.content_type,
        disposition=part.disposition,
        content_id=part.content_id,
        encoding=part.encoding,
        encoded_size=part.size,
        size=size,
        size_exact=exact,
        inline=inline,
        content=content,
        subject=part.subject,
    )


@lru_cache(maxsize=1)
def _types() -> mimetypes.MimeTypes:
    """Python's own table: what a machine adds would make one message read differently on two."""
    return mimetypes.MimeTypes()


def _within_text(part: Part, *, with_content: bool) -> Iterator[Attachment]:
    """Give the files that are written into a text part."""
    if part.raw is None or part.content_type != "text/plain":
        return
    text = decode_text(part, part.raw)[0]
    for found in find_uuencoded(text):
        yield Attachment(
            part=part.number,
            filename=found.name,
            content_type=_types().guess_type(found.name)[0] or "application/octet-stream",
            disposition=None,
            content_id=None,
            encoding="x-uuencode",
            encoded_size=len(text[found.start : found.end].encode()),
            size=len(found.content),
            size_exact=True,
            inline=False,
            content=found.content if with_content else None,
        )


def pick_parts(root: Part, *, with_content: bool = False, uuencoded: bool = False) -> Picked:
    """Choose bodies and attachments (RFC 8621 section 4.1.4).

    Parameters
    ----------
    root
        The message's structure.
    with_content
        Whether attachments of parts whose ``raw`` is there carry their decoded bytes.
    uuencoded
        Whether files that uuencode has written into a text whose ``raw`` is there are attachments
        too, with the number of the text's part. A structure alone does not show them.

    Returns
    -------
    Picked
        Every leaf is either a body or an attachment.

    Examples
    --------
    >>> picked = pick_parts(Part("1", "text/plain"))
    >>> [part.number for part in picked.text], picked.attachments
    (['1'], ())
    """
    text_body: list[Part] = []
    html_body: list[Part] = []
    _choose((root,), "mixed", _Lists(text_body, html_body), in_alternative=False)
    text = tuple(part for part in text_body if part.content_type == "text/plain")
    html = tuple(part for part in html_body if part.content_type == "text/html")
    # By identity: two parts may be equal in everything but their place.
    read = {id(part) for part in (*text, *html)}
    shown = {id(part) for part in (*text_body, *html_body)}
    attachments: list[Attachment] = []
    for part, related in _leaves(root):
        if id(part) not in read:
            media = part.content_type.startswith(_MEDIA) and id(part) in shown
            inline = media or (related and part.content_id is not None)
            attachments.append(_attachment(part, inline=inline, with_content=with_content))
        elif uuencoded:
            attachments.extend(_within_text(part, with_content=with_content))
    spoken = tuple(part for part in text_body if id(part) in read)
    is_mixed = 0 < len(text) < len(spoken)
    return Picked(text, html, tuple(attachments), spoken if is_mixed else ())


def find_part(root: Part, number: str) -> Part | None:
    """Return the leaf with a part number, or None.

    Parameters
    ----------
    root
        The message's structure.
    number
        IMAP's (RFC 3501 section 6.4.5): ``"1.2"``.
    """
    return next((part for part, _ in _leaves(root) if part.number == number), None)


def _without_files(text: str) -> str:
    """Take out what `find_uuencoded` finds."""
    kept, at = [], 0
    for found in find_uuencoded(text):
        kept.append(text[at : found.start])
        at = found.end
    return "".join((*kept, text[at:]))


def _join(
    parts: tuple[Part, ...],
    contents: Mapping[str, bytes],
    cut: Collection[str],
    defects: list[str],
    *,
    uuencoded: bool = False,
    said: bool = False,
) -> tuple[str | None, str | None]:
    """Decode and join parts, of HTML what it says if ``said``; the charset is the first's."""
    texts: list[str] = []
    charset: str | None = None
    for part in parts:
        raw = contents.get(part.number, part.raw)
        if raw is None:
            defects.append(f"part {part.number} was not read")
            continue
        text, used, problems = decode_text(part, raw, is_cut=part.number in cut)
        if not texts:
            charset = used
        if uuencoded:
            text = _without_files(text)
        if said and part.content_type == "text/html":
            text = html_to_text(text)
        texts.append(text)
        defects.extend(problems)
    return "\n".join(texts) if texts else None, charset


def read_bodies(
    picked: Picked,
    contents: Mapping[str, bytes],
    *,
    html: bool,
    cut: Collection[str] = (),
    said: bool = True,
    uuencoded: bool = False,
) -> Bodies:
    """Decode the bodies that were picked.

    Parameters
    ----------
    picked
        From `pick_parts`.
    contents
        Encoded content by part number; a part that is missing here is read from its ``raw``. Where
        there is a text/plain part, the HTML need not be here unless it is asked for.
    html
        Whether the HTML itself is wanted.
    cut
        Numbers of parts whose content is only their beginning.
    said
        Whether the text is wanted that HTML says, where the text/plain parts are not all of it.
    uuencoded
        Whether files that uuencode has written into a text/plain part are left out of the text.

    Returns
    -------
    Bodies
        Several parts are joined by a line break.

    Examples
    --------
    >>> picked = pick_parts(Part("1", "text/html"))
    >>> read_bodies(picked, {"1": b"<p>Hi"}, html=False)
    Bodies(text='Hi', html=None, text_source='html', charset='us-ascii', defects=())
    """
    defects: list[str] = []
    markup: str | None = None
    text: str | None = None
    source, charset = "none", None
    if picked.html and (html or not picked.text):
        markup, charset = _join(picked.html, contents, cut, defects)
    if not picked.text and markup is not None:
        text, source = html_to_text(markup) if said else None, "html"
    if picked.text and not (picked.spoken and said):
        text, charset = _join(picked.text, contents, cut, defects, uuencoded=uuencoded)
        source = "plain"
    elif picked.spoken:
        defects.clear()  # the HTML is among these
        text, charset = _join(picked.spoken, contents, cut, defects, uuencoded=uuencoded, said=True)
        source = "html"
    return Bodies(text, markup if html else None, source, charset, tuple(defects))
