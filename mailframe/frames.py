"""Records -> DataFrames that conform to the schema: which attribute goes into which column."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe import schema
from mailframe.parsing import parse_hops
from mailframe.schema import Column
from mailframe.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from mailframe.records import (
        Address,
        Attachment,
        BodyRecord,
        Change,
        Folder,
        Headers,
        Hop,
        MessageRecord,
        PreviewRecord,
    )

__all__ = [
    "attachments_frame",
    "bodies_frame",
    "events_frame",
    "folders_frame",
    "headers_frame",
    "hops_frame",
    "keys_frame",
    "previews_frame",
    "recipients_frame",
]

ROLES = ("from", "sender", "reply_to", "to", "cc", "bcc")

_SYSTEM_FLAGS = frozenset({"\\seen", "\\answered", "\\flagged", "\\draft", "\\deleted", "\\recent"})


def headers_frame(
    records: Iterable[MessageRecord],
    account: str,
    *,
    fields: Mapping[str, str] = MappingProxyType({}),
    labels: bool = False,
) -> pd.DataFrame:
    """Tabulate messages: one row each, in the order given.

    Parameters
    ----------
    records
        Messages with their headers, flags and attachments.
    account
        Kept in ``attrs``, where the frame came from.
    fields
        Further header fields, in lower case -> the name of the column of each.
    labels
        Whether the messages have Gmail's labels and threads.

    Returns
    -------
    DataFrame
        ``schema.HEADERS``, ``schema.GMAIL`` if there are labels, and a ``str`` column a field.
    """
    further = tuple(Column(name, "str", f"the field {field}") for field, name in fields.items())
    columns = (*schema.HEADERS, *(schema.GMAIL if labels else ()), *further)

    def values(records: list[MessageRecord]) -> dict[str, list[Any]]:
        found = _headers_columns(records)
        if labels:
            found["gmail_thread"] = [record.gmail_thread for record in records]
            found["labels"] = [_lines(record.labels) for record in records]
        for field, name in fields.items():
            found[name] = [_lines(_values(record.headers, field)) for record in records]
        return found

    return tabulate(columns, records, values, account)


def recipients_frame(records: Iterable[MessageRecord], account: str) -> pd.DataFrame:
    """Tabulate the addresses of messages: one row for each role and position.

    Parameters
    ----------
    records
        Messages with their headers.
    account
        Kept in ``attrs``.

    Returns
    -------
    DataFrame
        ``schema.RECIPIENTS``.
    """
    return tabulate(schema.RECIPIENTS, records, _recipients_columns, account)


def attachments_frame(records: Iterable[MessageRecord], account: str) -> pd.DataFrame:
    """Tabulate the attachments of messages: one row each, inline ones included.

    Parameters
    ----------
    records
        Messages with their attachments.
    account
        Kept in ``attrs``.

    Returns
    -------
    DataFrame
        ``schema.ATTACHMENTS``.
    """
    return tabulate(schema.ATTACHMENTS, records, _attachments_columns, account)


def bodies_frame(
    records: Iterable[BodyRecord], account: str, *, html: bool = False, own_text: bool = False
) -> pd.DataFrame:
    """Tabulate the text of messages: one row each, in the order given.

    Parameters
    ----------
    records
        Texts.
    account
        Kept in ``attrs``.
    html
        Whether the frame has a column for the HTML as sent.
    own_text
        Whether it has columns for what was written by whom.

    Returns
    -------
    DataFrame
        ``schema.BODIES``, or ``schema.BODIES_HTML``; behind them ``schema.OWN_TEXT``.
    """
    columns = schema.BODIES_HTML if html else schema.BODIES
    if not own_text:
        return tabulate(columns, records, _bodies_columns, account)

    def values(records: list[BodyRecord]) -> dict[str, list[Any]]:
        return _bodies_columns(records) | _own_text_columns(records)

    return tabulate((*columns, *schema.OWN_TEXT), records, values, account)


def keys_frame(keys: Iterable[tuple[str, int, Sequence[int]]], account: str) -> pd.DataFrame:
    """Tabulate keys: one row a message.

    Parameters
    ----------
    keys
        ``(folder, uidvalidity, uids)`` in the order wanted.
    account
        Whose mailbox.

    Returns
    -------
    DataFrame
        ``schema.KEY``.
    """
    flat = [(folder, validity, uid) for folder, validity, uids in keys for uid in uids]

    def values(rows: list[tuple[str, int, int]]) -> dict[str, list[Any]]:
        return {
            "account": [account] * len(rows),
            "folder": [row[0] for row in rows],
            "uidvalidity": [row[1] for row in rows],
            "uid": [row[2] for row in rows],
        }

    return tabulate(schema.KEY, flat, values, account)


def previews_frame(records: Iterable[PreviewRecord], account: str) -> pd.DataFrame:
    """Tabulate the beginnings of texts: one row a message.

    Parameters
    ----------
    records
        Previews.
    account
        Kept in ``attrs``.

    Returns
    -------
    DataFrame
        ``schema.PREVIEWS``.
    """
    return tabulate(
        schema.PREVIEWS,
        records,
        lambda rows: {**_key_columns(rows), "preview": [row.preview for row in rows]},
        account,
    )


def hops_frame(records: Iterable[MessageRecord], account: str) -> pd.DataFrame:
    """Tabulate the servers that messages passed: one row a Received field.

    Parameters
    ----------
    records
        Messages whose ``headers.extra`` has their Received fields.
    account
        Kept in ``attrs``.

    Returns
    -------
    DataFrame
        ``schema.HOPS``; of each message the first server first.
    """

    def values(records: list[MessageRecord]) -> dict[str, list[Any]]:
        rows = [
            (record, number, hop, delay)
            for record in records
            for number, (hop, delay) in enumerate(_timed(record.headers))
        ]
        return {
            **_key_columns([row[0] for row in rows]),
            "hop": [row[1] for row in rows],
            "from_host": [row[2].from_host for row in rows],
            "by_host": [row[2].by_host for row in rows],
            "with": [row[2].protocol for row in rows],
            "time": [row[2].time for row in rows],
            "delay": [row[3] for row in rows],
        }

    return tabulate(schema.HOPS, records, values, account)


def folders_frame(folders: Iterable[Folder], account: str) -> pd.DataFrame:
    """Tabulate folders: one row each, as the server lists them.

    Parameters
    ----------
    folders
        From LIST and STATUS.
    account
        Kept in ``attrs``.

    Returns
    -------
    DataFrame
        ``schema.FOLDERS``.
    """

    def columns(rows: list[Folder]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {
            c.name: [getattr(row, c.name) for row in rows] for c in schema.FOLDERS
        }
        found["flags"] = [" ".join(row.flags) for row in rows]
        return found

    return tabulate(schema.FOLDERS, folders, columns, account)


def events_frame(
    changes: Sequence[Change],
    account: str,
    *,
    fields: Mapping[str, str] = MappingProxyType({}),
    labels: bool = False,
) -> pd.DataFrame:
    """Tabulate what happened in a folder: one row a message, in the order given.

    Parameters
    ----------
    changes
        What happened.
    account, fields, labels
        As for `headers_frame`.

    Returns
    -------
    DataFrame
        ``schema.EVENTS``, and what else `headers_frame` has.
    """
    frame = headers_frame(
        [change.record for change in changes], account, fields=fields, labels=labels
    )
    events = pd.Series([change.event for change in changes], dtype="str").astype("category")
    frame.insert(len(schema.KEY), "event", events)
    return frame


def _headers_columns(records: list[MessageRecord]) -> dict[str, list[Any]]:
    headers = [record.headers for record in records]
    flags = [_lower(record.flags) for record in records]
    senders = [_first(h.from_) for h in headers]
    saved = [_saved(record.attachments) for record in records]
    return {
        **_key_columns(records),
        "message_id": [h.message_id for h in headers],
        "in_reply_to": [h.in_reply_to for h in headers],
        "references": [None if h.references is None else " ".join(h.references) for h in headers],
        "date": [h.date for h in headers],
        "utc_offset": [h.utc_offset for h in headers],
        "internal_date": [record.internal_date for record in records],
        "from_name": [sender and sender.name for sender in senders],
        "from_address": [sender and sender.address for sender in senders],
        "from_domain": [sender and sender.domain for sender in senders],
        "to": [_readable(h.to) for h in headers],
        "cc": [_readable(h.cc) for h in headers],
        "bcc": [_readable(h.bcc) for h in headers],
        "reply_to": [_readable(h.reply_to) for h in headers],
        "subject": [h.subject for h in headers],
        "list_id": [h.list_id for h in headers],
        "list_unsubscribe": [h.list_unsubscribe for h in headers],
        "size": [record.size for record in records],
        "seen": ["\\seen" in f for f in flags],
        "answered": ["\\answered" in f for f in flags],
        "flagged": ["\\flagged" in f for f in flags],
        "draft": ["\\draft" in f for f in flags],
        "deleted": ["\\deleted" in f for f in flags],
        "keywords": [_keywords(record.flags) for record in records],
        "n_attachments": [None if s is None else len(s) for s in saved],
        "attachment_size": [_total(s) for s in saved],
        "defects": [
            "; ".join(dict.fromkeys(record.defects + record.headers.defects)) for record in records
        ],
    }


def _recipients_columns(records: list[MessageRecord]) -> dict[str, list[Any]]:
    rows = [
        (record, role, position, address)
        for record in records
        for role in ROLES
        for position, address in enumerate(_field(record.headers, role) or ())
    ]
    return {
        **_key_columns([row[0] for row in rows]),
        "role": [row[1] for row in rows],
        "position": [row[2] for row in rows],
        "name": [row[3].name for row in rows],
        "address": [row[3].address for row in rows],
        "domain": [row[3].domain for row in rows],
    }


def _attachments_columns(records: list[MessageRecord]) -> dict[str, list[Any]]:
    rows = [(record, part) for record in records for part in record.attachments or ()]
    own = schema.ATTACHMENTS[len(schema.KEY) :]
    return {
        **_key_columns([record for record, _ in rows]),
        **{c.name: [getattr(part, c.name) for _, part in rows] for c in own},
    }


def _bodies_columns(records: list[BodyRecord]) -> dict[str, list[Any]]:
    return {
        **_key_columns(records),
        "text": [record.text for record in records],
        "html": [record.html for record in records],
        "text_source": [record.text_source for record in records],
        "charset": [record.charset for record in records],
        "truncated": [record.truncated for record in records],
        "defects": ["; ".join(dict.fromkeys(record.defects)) for record in records],
    }


def _own_text_columns(records: list[BodyRecord]) -> dict[str, list[Any]]:
    from mailframe.parsing.replies import split_reply  # noqa: PLC0415 many patterns
    from mailframe.parsing.tokenizer import count_words  # noqa: PLC0415 likewise

    replies = [None if record.text is None else split_reply(record.text) for record in records]
    return {
        "own_text": [reply and reply.own for reply in replies],
        "quoted_text": [reply and reply.quoted for reply in replies],
        "signature": [reply and reply.signature for reply in replies],
        "n_words": [None if reply is None else count_words(reply.own) for reply in replies],
    }


def _timed(headers: Headers) -> Iterator[tuple[Hop, timedelta | None]]:
    """Give the hops of a message, each with the time since the last one whose time is known."""
    before = None
    for hop in parse_hops(_values(headers, "received") or ()):
        delay = hop.time - before if hop.time is not None and before is not None else None
        before = hop.time or before
        yield hop, delay


def _values(headers: Headers, field: str) -> list[str] | None:
    return [value for name, value in headers.extra if name == field] or None


def _lines(values: Iterable[str] | None) -> str | None:
    return None if values is None else "\n".join(values)


def _key_columns(
    records: Sequence[MessageRecord] | Sequence[BodyRecord] | Sequence[PreviewRecord],
) -> dict[str, list[Any]]:
    return {c.name: [getattr(record, c.name) for record in records] for c in schema.KEY}


def _field(headers: Headers, role: str) -> tuple[Address, ...] | None:
    found: tuple[Address, ...] | None = getattr(headers, "from_" if role == "from" else role)
    return found


def _first(addresses: tuple[Address, ...] | None) -> Address | None:
    return addresses[0] if addresses else None


def _readable(addresses: tuple[Address, ...] | None) -> str | None:
    return None if addresses is None else ", ".join(map(str, addresses))


@lru_cache(maxsize=1024)
def _lower(flags: tuple[str, ...]) -> frozenset[str]:
    return frozenset(flag.lower() for flag in flags)


@lru_cache(maxsize=1024)  # a folder has few sets of flags
def _keywords(flags: tuple[str, ...]) -> str:
    return " ".join(sorted({flag for flag in flags if flag.lower() not in _SYSTEM_FLAGS}))


def _saved(attachments: tuple[Attachment, ...] | None) -> list[Attachment] | None:
    return None if attachments is None else [part for part in attachments if not part.inline]


def _total(attachments: list[Attachment] | None) -> int | None:
    if attachments is None or any(part.size is None for part in attachments):
        return None
    return sum(part.size or 0 for part in attachments)
