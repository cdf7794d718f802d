"""What takes bytes from strangers, and what must hold of everything that it gives."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailframe.embedded.content import Content
from mailframe.embedded.fetch import parse_items
from mailframe.embedded.grammar import Bad, Cursor, No
from mailframe.embedded.search import parse_search
from mailframe.embedded.store import Account
from mailframe.embedded.view import View
from mailframe.files.marks import marks_of
from mailframe.files.searchable import Searchable
from mailframe.files.separators import line_date
from mailframe.parsing import (
    decode_words,
    html_to_text,
    parse_addresses,
    parse_authentication_results,
    parse_content_type,
    parse_date,
    parse_email,
    parse_headers,
    parse_hops,
    parse_list_unsubscribe,
    parse_structure,
    pick_parts,
    read_bodies,
)
from mailframe.parsing.preview import sandboxed, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _text(raw: bytes) -> str:
    """Give what a header field would hold: surrogates escape what is not UTF-8."""
    return raw.decode("utf-8", "surrogateescape")


def _page(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")


def _shown(raw: bytes) -> list[str]:
    email = parse_email(raw)
    return [email._repr_html_(), email.tree(), repr(email), email.sender]


def _searched(raw: bytes) -> Any:
    one = Searchable(1, 1, lambda: raw, flags=frozenset(), size=0, internal_date=None)
    return [
        one.sent_date,
        one.field("subject"),
        one.header_text(),
        one.part_headers(),
        one.body_text(),
    ]


def _by_part(raw: bytes) -> Any:
    picked = pick_parts(parse_structure(raw))
    return picked.attachments, read_bodies(picked, {}, html=True)


class _Given(Content):
    """A message as the embedded server describes it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def read(self) -> bytes:
        return self._raw


def _described(raw: bytes) -> Any:
    content = _Given(raw)
    described = content.envelope, *content.structures
    return [one.decode("latin-1") for one in described]


def _commanded(raw: bytes) -> list[Any]:
    """Read bytes as what stands behind FETCH, SEARCH and the like in a command."""
    view = View(Account().mailbox("INBOX"), readonly=True)
    found: list[Any] = []
    for read in (
        parse_items,
        lambda cursor: parse_search(cursor, view),
        Cursor.sequence_set,
        Cursor.mailbox,
        Cursor.list_mailbox,
        Cursor.date_time,
    ):
        with suppress(Bad, No):
            found.append(read(Cursor(raw)))
    return [repr(found)]


#: By name: what reads bytes, and gives values.
ENTRIES: dict[str, Callable[[bytes], Any]] = {
    "email": lambda raw: [email := parse_email(raw), email.body],
    "shown": _shown,
    "by_part": _by_part,
    "headers": lambda raw: parse_headers(raw, ("received", "x-note")),
    "words": decode_words,
    "addresses": parse_addresses,
    "date": lambda raw: parse_date(_text(raw))[:2],
    "content_type": lambda raw: parse_content_type(_text(raw)),
    "hops": lambda raw: parse_hops([decode_words(raw)]),
    "authentication": lambda raw: parse_authentication_results([decode_words(raw)]),
    "unsubscribe": lambda raw: parse_list_unsubscribe(decode_words(raw)),
    "uuencoded": lambda raw: parse_email(raw, uuencoded=True).attachments,
    "searched": _searched,
    "described": _described,
    "commanded": _commanded,
    "mbox_line": lambda raw: [line_date(raw), marks_of(raw)],
    "html_to_text": lambda raw: html_to_text(_page(raw)),
    "sanitize": lambda raw: [sanitize(_page(raw)), sandboxed(_page(raw))],
}


def check(name: str, raw: bytes) -> None:
    """Let an entry read bytes; what comes must be fit for any file and any screen.

    Raises
    ------
    AssertionError
        If a text holds a NUL or half a character, or a moment has no zone.
    """
    for value in _values(ENTRIES[name](raw)):
        if isinstance(value, str):
            assert "\0" not in value, (name, raw)
            assert value.encode(errors="replace").decode() == value, (name, raw)
        elif isinstance(value, datetime):
            assert value.utcoffset() is not None, (name, raw)


def _values(result: Any) -> Iterator[Any]:
    waiting = [result]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, tuple | list):
            waiting += value
        elif is_dataclass(value):
            waiting += [getattr(value, field.name) for field in fields(value)]
        else:
            yield value
