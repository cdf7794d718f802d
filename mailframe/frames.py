"""Records -> DataFrames that conform to the schema.

Records come as a stream and are turned into Arrow columns a batch at a time, so that memory holds
the frame and one batch, not a Python object for every cell of the mailbox.
"""

from __future__ import annotations

import gc
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pandas.api.types import union_categoricals

from mailframe import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mailframe.records import Address, Attachment, BodyRecord, Folder, Headers, MessageRecord

__all__ = [
    "attachments_frame",
    "bodies_frame",
    "concat",
    "folders_frame",
    "headers_frame",
    "keys_frame",
    "recipients_frame",
]

#: Records turned into columns at a time.
BATCH = 1000

ROLES = ("from", "sender", "reply_to", "to", "cc", "bcc")

_SYSTEM_FLAGS = frozenset({"\\seen", "\\answered", "\\flagged", "\\draft", "\\deleted", "\\recent"})

_ARROW: Mapping[str, pa.DataType] = {
    "str": pa.large_string(),
    "category": pa.dictionary(pa.int32(), pa.large_string()),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "Int16": pa.int16(),
    "bool": pa.bool_(),
    schema.TIME: pa.timestamp("us", "UTC"),
}


def headers_frame(records: Iterable[MessageRecord], account: str) -> pd.DataFrame:
    """Tabulate messages: one row each, in the order given.

    Parameters
    ----------
    records
        Messages with their headers, flags and attachments.
    account
        Kept in ``attrs``, where the frame came from.

    Returns
    -------
    DataFrame
        ``schema.HEADERS``.
    """
    return _tabulate("headers", records, _headers_columns, account)


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
    return _tabulate("recipients", records, _recipients_columns, account)


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
    return _tabulate("attachments", records, _attachments_columns, account)


def bodies_frame(
    records: Iterable[BodyRecord], account: str, *, html: bool = False
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

    Returns
    -------
    DataFrame
        ``schema.BODIES``, or ``schema.BODIES_HTML``.
    """
    return _tabulate("bodies_html" if html else "bodies", records, _bodies_columns, account)


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
    return _tabulate(
        "keys",
        flat,
        lambda rows: {
            "account": [account] * len(rows),
            "folder": [row[0] for row in rows],
            "uidvalidity": [row[1] for row in rows],
            "uid": [row[2] for row in rows],
        },
        account,
    )


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

    return _tabulate("folders", folders, columns, account)


def concat(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join frames of the same kind, from one session or several.

    ``pandas.concat`` turns categories that differ into ``str``; this unites them, so that the
    result still conforms to its schema.

    Parameters
    ----------
    frames
        At least one, all with the same columns.

    Returns
    -------
    DataFrame
        The rows of all, in order, with a plain RangeIndex. ``attrs["accounts"]`` names every
        account.

    Raises
    ------
    ValueError
        If there is nothing to join, or the columns differ.

    Examples
    --------
    >>> from mailframe import schema
    >>> concat([schema.empty("folders"), schema.empty("folders")]).shape
    (0, 9)
    """
    parts = list(frames)
    if not parts:
        msg = "nothing to join: concat needs at least one frame"
        raise ValueError(msg)
    first = list(parts[0].columns)
    for part in parts[1:]:
        if list(part.columns) != first:
            different = sorted(set(first) ^ set(part.columns)) or ["their order"]
            msg = f"frames of different kinds cannot be joined: {', '.join(different)} differ"
            raise ValueError(msg)
    joined = {name: _join([part[name] for part in parts]) for name in first}
    result = pd.DataFrame(joined)
    accounts = [a for part in parts for a in part.attrs.get("accounts", ())]
    result.attrs = {"accounts": list(dict.fromkeys(accounts))}
    return result


def _join(columns: Sequence[pd.Series]) -> pd.Series:
    if all(column.dtype == "category" for column in columns):
        return pd.Series(union_categoricals([column.array for column in columns]))
    if any(column.dtype == "category" for column in columns):
        columns = [column.astype("str") for column in columns]
        return pd.concat(columns, ignore_index=True).astype("category")
    return pd.concat(columns, ignore_index=True)


def _tabulate(
    kind: str,
    records: Iterable[Any],
    columns_of: Callable[[list[Any]], dict[str, list[Any]]],
    account: str,
) -> pd.DataFrame:
    arrow = pa.schema([(c.name, _ARROW[c.dtype]) for c in schema.FRAMES[kind]])
    batches = [
        pa.table({field.name: _array(columns[field.name], field.type) for field in arrow})
        for columns in map(columns_of, _batches(records))
    ]
    if batches:
        table = pa.concat_tables(batches)
        frame = pd.DataFrame(
            {c.name: _series(table.column(c.name), c.dtype) for c in schema.FRAMES[kind]}
        )
    else:
        frame = schema.empty(kind)
    frame.attrs = {"accounts": [account]}
    return frame


def _batches(records: Iterable[Any]) -> Iterator[list[Any]]:
    stream = iter(records)
    while batch := _next_batch(stream):
        yield batch


def _next_batch(stream: Iterator[Any]) -> list[Any]:
    """Take the next records, with the cyclic garbage collector at rest meanwhile.

    Records hold no cycles, and there are tens of thousands of them: looking for cycles in them
    again and again takes an eighth of all the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return list(islice(stream, BATCH))
    finally:
        if collecting:
            gc.enable()


def _array(values: list[Any], dtype: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(dtype):
        return pa.array(values, type=dtype.value_type).dictionary_encode()
    return pa.array(values, type=dtype)


def _series(column: pa.ChunkedArray, dtype: str) -> pd.Series:
    if dtype == "str":
        return pd.Series(pd.array(column.combine_chunks(), dtype="str"))
    if dtype == "category":
        whole = column.combine_chunks()
        categories = pd.Index(whole.dictionary.to_pylist(), dtype="str")
        codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return pd.Series(pd.Categorical.from_codes(codes, categories=categories))
    nullable = {"Int64": pd.Int64Dtype(), "Int16": pd.Int16Dtype()}
    series: pd.Series = column.to_pandas(types_mapper=lambda _: nullable.get(dtype))
    return series


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


def _key_columns(records: Sequence[MessageRecord] | Sequence[BodyRecord]) -> dict[str, list[Any]]:
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
