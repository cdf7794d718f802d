"""Rows of the attachments frame -> files in a folder."""

from __future__ import annotations

import logging
import mimetypes
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe import schema
from mailframe.exceptions import QueryError
from mailframe.progress import watched
from mailframe.saving import Destination, safe_name
from mailframe.selection import select

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from mailframe.saving import Unfinished
    from mailframe.source import Selection, Source

__all__ = ["save_attachments"]

log = logging.getLogger(__name__)

_MESSAGE = ["folder", "uidvalidity", "uid"]
_PART = [*_MESSAGE, "part"]
#: What mimetypes does not know, or knows by a rare name.
_EXTENSIONS = {"message/rfc822": ".eml", "application/octet-stream": ".bin", "text/plain": ".txt"}


def save_attachments(
    source: Source,
    rows: pd.DataFrame,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool,
    progress: Any,
) -> pd.DataFrame:
    """Save attachments as files.

    Parameters
    ----------
    source
        Where the messages are.
    rows
        With the key columns and ``part``; ``filename`` says what the files are called, made safe.
    folder
        Where to; it is made if it is not there.
    overwrite
        Replace files that are there already, instead of numbering the new ones.
    progress
        As for `progress.watched`; it counts bytes.

    Returns
    -------
    DataFrame
        The rows, with the file of each in ``path``: missing where the part has gone.

    Raises
    ------
    QueryError
        If the rows do not say which parts they are about.
    SaveError
        If a file cannot be written.
    """
    if "part" not in rows.columns:
        raise QueryError(
            "These rows name no parts: they are not from session.attachments().",
            suggestion="session.download(session.attachments(df), folder)",
        )
    selections = select(source, rows, "", None)
    destination = Destination(folder, overwrite=overwrite)
    rows = rows.reset_index(drop=True)
    files = rows[_PART].astype({"folder": "str", "part": "str"})
    files = files.assign(name=_names(rows)).drop_duplicates(_PART)
    total = int(rows.loc[files.index, "size"].fillna(0).sum()) if "size" in rows.columns else 0
    paths: dict[tuple[Any, ...], str] = {}
    with watched(source, total, progress, unit="B") as tick:
        for one in selections:
            is_here = (files["folder"] == one.folder) & (files["uidvalidity"] == one.uidvalidity)
            here = files[is_here]
            saved = _save(source, one, here, destination, tick)
            paths |= {key: saved[place] for place, key in enumerate(_keys(here)) if place in saved}
    if len(paths) < len(files):
        log.warning("%d of %d attachments have gone", len(files) - len(paths), len(files))
    found = [paths.get(key) for key in _keys(rows)]
    result = rows.assign(path=pd.array(found, dtype="str"))
    is_whole = {c.name for c in schema.ATTACHMENTS} <= set(result.columns)
    return schema.conform(result, "downloads") if is_whole else result


def _save(
    source: Source,
    selection: Selection,
    files: pd.DataFrame,
    destination: Destination,
    tick: Callable[[int], object],
) -> dict[int, str]:
    """Save parts of messages of one folder: place among the files -> path."""
    wanted = [(int(uid), part) for uid, part in zip(files["uid"], files["part"], strict=True)]
    names = files["name"].tolist()
    begun: dict[int, Unfinished] = {}
    saved: dict[int, str] = {}
    try:
        with closing(source.contents(selection.folder, selection.uidvalidity, wanted)) as pieces:
            for piece in pieces:
                if piece.place not in begun:
                    begun[piece.place] = destination.begin(names[piece.place])
                begun[piece.place].write(piece.content)
                tick(len(piece.content))
                if piece.last:
                    saved[piece.place] = str(begun.pop(piece.place).finish())
    finally:
        for file in begun.values():
            file.discard()
    return saved


def _keys(rows: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    columns = rows[_PART].astype({"folder": "str", "part": "str"})
    return columns.itertuples(index=False, name=None)


def _names(rows: pd.DataFrame) -> list[str]:
    """Name the files: as sent where there is a name, else after message and part."""
    names: pd.Series[Any] = rows.get("filename", pd.Series(pd.NA, rows.index)).astype("object")
    types: pd.Series[Any] = rows.get("content_type", pd.Series(pd.NA, rows.index)).astype("object")
    return [
        safe_name(
            None if pd.isna(name) else str(name),
            f"message {uid} part {part}{_extension(None if pd.isna(kind) else str(kind))}",
        )
        for name, kind, uid, part in zip(names, types, rows["uid"], rows["part"], strict=True)
    ]


def _extension(content_type: str | None) -> str:
    if content_type is None:
        return ""
    return _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type) or ""
