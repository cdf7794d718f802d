"""Columns -> DataFrames of the dtypes that the schema says.

Records come as a stream and are turned into Arrow columns a batch at a time, so that memory holds
the frame and one batch, not a Python object for every cell of the mailbox.
"""

from __future__ import annotations

import gc
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pandas.api.types import union_categoricals

from mailframe import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mailframe.schema import Column

__all__ = ["concat", "tabulate", "to_arrow"]

#: Records turned into columns at a time.
BATCH = 1000

_ARROW: Mapping[str, pa.DataType] = {
    "str": pa.large_string(),
    "category": pa.dictionary(pa.int32(), pa.large_string()),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "Int16": pa.int16(),
    "bool": pa.bool_(),
    schema.TIME: pa.timestamp("us", "UTC"),
    schema.SPAN: pa.duration("us"),
}


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
        different = sorted(set(first) ^ set(part.columns)) or ["their order"]
        kind = _kind(part)
        is_same = (
            bool(set(first) ^ set(part.columns))
            and kind not in {None, "keys"}
            and kind == _kind(parts[0])
        )
        if list(part.columns) != first and not is_same:
            msg = f"frames of different kinds cannot be joined: {', '.join(different)} differ"
            raise ValueError(msg)
    # Columns beyond the schema's (labels, header fields asked for) need not be in all.
    names = dict.fromkeys(name for part in parts for name in part.columns)
    joined = {name: _join([_column(part, name, parts) for part in parts]) for name in names}
    result = pd.DataFrame(joined)
    accounts = [a for part in parts for a in part.attrs.get("accounts", ())]
    result.attrs = {"accounts": list(dict.fromkeys(accounts))}
    return result


def _kind(frame: pd.DataFrame) -> str | None:
    """Name the kind of frame with the most columns of which none is missing."""
    found = [
        (len(columns), kind)
        for kind, columns in schema.FRAMES.items()
        if all(column.name in frame.columns for column in columns)
    ]
    return max(found)[1] if found else None


def _column(frame: pd.DataFrame, name: str, parts: Sequence[pd.DataFrame]) -> pd.Series:
    if name in frame.columns:
        return frame[name]
    dtype = next(part[name].dtype for part in parts if name in part.columns)
    # Whole numbers and yes/no have no missing value; their nullable kin do.
    lacking = {"int64": "Int64", "bool": "boolean", "category": "str"}
    return pd.Series(index=frame.index, dtype=lacking.get(str(dtype), dtype))


def _join(columns: Sequence[pd.Series]) -> pd.Series:
    if all(column.dtype == "category" for column in columns):
        return pd.Series(union_categoricals([column.array for column in columns]))
    if any(column.dtype == "category" for column in columns):
        columns = [column.astype("str") for column in columns]
        return pd.concat(columns, ignore_index=True).astype("category")
    return pd.concat(columns, ignore_index=True)


def tabulate(
    columns: Sequence[Column],
    records: Iterable[Any],
    values_of: Callable[[list[Any]], dict[str, list[Any]]],
    account: str,
) -> pd.DataFrame:
    """Make a frame of records.

    Parameters
    ----------
    columns
        Names and dtypes.
    records
        Taken a batch at a time.
    values_of
        Makes lists of values, by column, of a batch of records.
    account
        Kept in ``attrs``, where the frame came from.

    Returns
    -------
    DataFrame
        With exactly these columns and a plain RangeIndex.
    """
    arrow = pa.schema([(c.name, _ARROW[c.dtype]) for c in columns])
    batches = [
        pa.table({field.name: _array(values[field.name], field.type) for field in arrow})
        for values in map(values_of, _batches(records))
    ]
    if batches:
        table = pa.concat_tables(batches)
        frame = pd.DataFrame({c.name: _series(table.column(c.name), c.dtype) for c in columns})
    else:
        frame = schema.empty(columns)
    frame.attrs = {"accounts": [account]}
    return frame


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Make an Arrow table of a frame: of the same types whatever values there are.

    Arrow would number few categories with one byte and many with two, which makes files of one
    data set differ.

    Parameters
    ----------
    frame
        That a session returned.
    """
    types = pa.schema([(name, _ARROW[str(frame[name].dtype)]) for name in frame.columns])
    return pa.Table.from_pandas(frame, schema=types, preserve_index=False)


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
