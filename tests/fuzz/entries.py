"""What takes bytes from strangers, and what must hold of everything that it gives."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

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


#: By name: functions of the parsing package, made to take bytes.
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
