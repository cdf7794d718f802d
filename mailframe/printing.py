"""Frames in a terminal, a pipe or a file."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from mailframe.exceptions import SaveError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["FORMATS", "clean", "show"]

FORMATS = (".csv", ".parquet", ".json")

#: What a terminal shows of each frame; a file gets every column.
SHOWN = {
    "folders": ["name", "special_use", "messages", "unseen", "size"],
    "headers": ["uid", "date", "from_address", "subject", "size", "n_attachments"],
    "recipients": ["uid", "role", "name", "address"],
    "bodies": ["uid", "text_source", "text"],
    "previews": ["uid", "preview"],
    "attachments": ["uid", "part", "filename", "content_type", "size", "inline"],
    "downloads": ["uid", "size", "path"],
    "hops": ["uid", "hop", "time", "delay", "from_host", "by_host", "with"],
}
#: Columns of the sender's making, which may be long and hold anything.
_WIDE = ("from_address", "subject", "filename", "name", "text", "preview", "from_host", "by_host")

# Mail may hold control characters, with which it could rule the terminal, and characters that turn
# the direction of writing.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
        print(_table(frame, SHOWN[kind]))
    else:
        frame.to_csv(sys.stdout, index=False)


def clean(text: str) -> str:
    """Return text of a mail without what could rule a terminal; its lines are kept."""
    return _CONTROL.sub(" ", text)


def _write(frame: pd.DataFrame, path: Path) -> None:
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            frame.to_parquet(path)
        case _:
            frame.to_json(path, orient="records", lines=True, date_format="iso")


def _table(frame: pd.DataFrame, columns: list[str]) -> str:
    if frame.empty:
        return "nothing found"
    shown = frame[[name for name in columns if name in frame.columns]].copy()
    for name in ("date", "time"):
        if name in shown:
            shown[name] = shown[name].dt.strftime("%Y-%m-%d %H:%M")
    wide = [name for name in _WIDE if name in shown]
    widest = max(20, (shutil.get_terminal_size().columns - 40) // max(len(wide), 1))
    for name in wide:
        one_line = shown[name].str.replace(r"[\x00-\x1f\x7f-\x9f\s]+", " ", regex=True)
        shown[name] = one_line.map(clean, na_action="ignore").str.slice(0, widest)
    return shown.astype("object").fillna("").to_string(index=False)
