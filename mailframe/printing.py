"""Frames in a terminal, a pipe or a file."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe import schema
from mailframe.exceptions import SaveError
from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

__all__ = ["FORMATS", "show", "show_more"]

FORMATS = (".csv", ".parquet", ".json")

#: What a terminal shows of each frame; a file gets every column.
SHOWN = {
    "folders": ["name", "special_use", "messages", "unseen", "size"],
    "headers": ["uid", "date", "from_address", "subject", "size", "n_attachments"],
    "recipients": ["uid", "role", "name", "address"],
    "bodies": ["uid", "text_source", "text"],
    "bodies_own_text": ["uid", "n_words", "own_text"],
    "previews": ["uid", "preview"],
    "attachments": ["uid", "part", "filename", "content_type", "size", "inline"],
    "downloads": ["uid", "size", "path"],
    "hops": ["uid", "hop", "time", "delay", "from_host", "by_host", "with"],
}
_FLAGS = ("seen", "answered", "flagged", "draft", "deleted")
#: Columns of the sender's making, which may be long and hold anything.
_WIDE = (
    "from_address",
    "subject",
    "filename",
    "name",
    "text",
    "own_text",
    "preview",
    "from_host",
    "by_host",
)


def show(frame: pd.DataFrame, kind: str, to: Path | None) -> None:
    """Print a frame: a table on a terminal, CSV in a pipe; or write it to a file.

    Parameters
    ----------
    frame
        Any of ``schema.FRAMES``.
    kind
        Which.
    to
        The file; its suffix, one of ``FORMATS``, says how.

    Raises
    ------
    SaveError
        If the file cannot be written.
    """
    if to is not None:
        try:
            _write(frame, to)
        except OSError as error:
            raise SaveError(f"Could not write {to}.", reply=error.strerror or str(error)) from error
        print(f"{len(frame)} rows written to {to}", file=sys.stderr)
    elif sys.stdout.isatty():
        print(_table(frame, kind))
    else:
        frame.to_csv(sys.stdout, index=False)


def show_more(frame: pd.DataFrame, *, is_first: bool) -> None:
    """Print messages that have come: a line each on a terminal, CSV in a pipe.

    Parameters
    ----------
    frame
        From `Session.watch`.
    is_first
        Whether nothing was printed before.
    """
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        for row in frame.to_dict("records"):
            print(clean(_line_of(row))[: max(width - 1, 40)])
    else:
        frame.to_csv(sys.stdout, index=False, header=is_first)
    sys.stdout.flush()


def _line_of(row: dict[Hashable, Any]) -> str:
    """Write what is to be seen of a message in one line: when, what, who, about what."""
    when = row["internal_date"]
    words = [" " * 16 if pd.isna(when) else when.strftime("%Y-%m-%d %H:%M")]
    if "event" in row:
        words.append(f"{row['event']:5}")
    words.append(f"{row['uid']:>6}")
    if row.get("event") == "flags":
        marks = [flag for flag in _FLAGS if row[flag]] + row["keywords"].split()
        words.append(f"[{' '.join(marks)}]")
    known = [row["from_name"], row["from_address"], row["subject"]]
    words += [" ".join(one.split()) for one in known if not pd.isna(one)]
    return "  ".join(words).rstrip()


def _write(frame: pd.DataFrame, path: Path) -> None:
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            frame.to_parquet(path)
        case _:
            frame.to_json(path, orient="records", lines=True, date_format="iso")


def _table(frame: pd.DataFrame, kind: str) -> str:
    if frame.empty:
        return "nothing found"
    known = {column.name for column in schema.FRAMES[kind]}
    further = [name for name in frame.columns if name not in known]  # header fields asked for
    columns = [name for name in (*SHOWN[kind], *further) if name in frame.columns]
    wide = [name for name in columns if name in _WIDE or name in further]
    widest = max(20, (shutil.get_terminal_size().columns - 40) // max(len(wide), 1))
    shown = {}
    for name in columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            column = column.dt.strftime("%Y-%m-%d %H:%M")
        cells = column.astype("object").where(column.notna(), "")
        limit = widest if name in wide else None
        shown[name] = [
            clean(" ".join(cell.split()))[:limit] if isinstance(cell, str) else cell
            for cell in cells
        ]
    return pd.DataFrame(shown).to_string(index=False)
