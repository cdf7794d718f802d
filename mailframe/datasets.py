"""A data set: a folder of Parquet files, written piece by piece, that a later call can go on with.

Which messages belong to which file is fixed at the start, and written into the first one. A file
appears when it is whole. So what is missing can be told by looking, after whatever ended the work.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from mailframe.exceptions import SaveError, UidValidityError
from mailframe.saving import make_folder, write_file
from mailframe.source import Selection
from mailframe.tables import to_arrow

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    import pandas as pd

    from mailframe.streaming import Piece

__all__ = ["write_dataset"]

#: Where in the first file's metadata it stands what belongs to which file.
_KEY = b"mailframe"
_PART = re.compile(r"part-\d{5,}\.parquet")
#: What a killed process leaves.
_UNFINISHED = ".mailframe-*.part"


def write_dataset(
    path: str | os.PathLike[str],
    request: dict[str, Any],
    find: Callable[[], list[Piece]],
    read: Callable[[list[Piece]], Generator[pd.DataFrame]],
    *,
    is_fixed: bool,
    overwrite: bool,
) -> Path:
    """Write what of a data set is not there yet.

    Parameters
    ----------
    path
        Of its folder.
    request
        What was asked for, as JSON has it: another request is another data set.
    find
        Finds the messages, a piece for each file.
    read
        Reads pieces, and gives a frame of each.
    is_fixed
        Whether the request names the messages themselves: then they must be the same each time.
    overwrite
        Begin anew.

    Returns
    -------
    Path
        Of the folder.

    Raises
    ------
    SaveError
        If there is something else, or all of it is there already, or a file cannot be written.
    """
    folder = make_folder(path)
    request = json.loads(json.dumps(request, default=str))
    plan = _plan_in(folder)
    if overwrite and plan is not None:
        _delete(folder)
        plan = None
    if plan is None:
        _check_empty(folder)
        plan = request | {"pieces": [_written(piece) for piece in find() or [[]]]}
    else:
        _check_same(folder, plan, request)
        if is_fixed and plan["pieces"] != [_written(piece) for piece in find() or [[]]]:
            raise _other(folder, "of other messages")
    for unfinished in folder.glob(_UNFINISHED):
        unfinished.unlink(missing_ok=True)
    missing = [n for n in range(len(plan["pieces"])) if not _part(folder, n).exists()]
    if not missing:
        raise SaveError(
            f"The data set {str(folder)!r} is complete.",
            suggestion="pandas.read_parquet reads it. overwrite=True reads the messages anew.",
        )
    pieces = [_read(plan["pieces"][number]) for number in missing]
    try:
        with closing(read(pieces)) as frames:
            for number, frame in zip(missing, frames, strict=True):
                write_file(_part(folder, number), _parquet(frame, None if number else plan))
    except UidValidityError as error:
        raise UidValidityError(
            error.tried,
            reply=error.reply,
            suggestion="What was written means other messages now: overwrite=True begins anew.",
        ) from error
    return folder


def _parquet(frame: pd.DataFrame, plan: dict[str, Any] | None) -> bytes:
    """Write a frame as one row group, as all of its kind are written."""
    table = to_arrow(frame)
    if plan is not None:
        metadata = {**(table.schema.metadata or {}), _KEY: json.dumps(plan)}
        table = table.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=max(len(frame), 1))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _plan_in(folder: Path) -> dict[str, Any] | None:
    """Read what the data set in a folder is to hold; None where there is none of ours."""
    try:
        metadata = pq.read_schema(_part(folder, 0)).metadata or {}
        plan: dict[str, Any] = json.loads(metadata[_KEY])
    except (OSError, KeyError, ValueError, pa.ArrowException):
        return None
    return plan


def _check_empty(folder: Path) -> None:
    if any(not one.match(_UNFINISHED) for one in folder.iterdir()):
        raise _other(folder, "that mailframe has not made")


def _check_same(folder: Path, plan: dict[str, Any], request: dict[str, Any]) -> None:
    for name, value in request.items():
        if plan.get(name) != value:
            raise _other(folder, f"with {name}={plan.get(name)!r}, and not {value!r}")


def _other(folder: Path, why: str) -> SaveError:
    return SaveError(
        f"Could not write a data set to {str(folder)!r}: there is one {why}."
        if why.startswith(("with", "of"))
        else f"Could not write a data set to {str(folder)!r}: there is something {why}.",
        suggestion="Name another folder. overwrite=True replaces a data set of mailframe's, and "
        "nothing else.",
    )


def _delete(folder: Path) -> None:
    """Delete a data set's files: the first one last, by which it is known."""
    for part in sorted(folder.iterdir(), reverse=True):
        if _PART.fullmatch(part.name):
            part.unlink()


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05}.parquet"


def _written(piece: Piece) -> list[list[Any]]:
    return [[one.folder, one.uidvalidity, _runs(one.uids)] for one in piece]


def _read(piece: list[list[Any]]) -> Piece:
    return [Selection(folder, validity, _uids(runs)) for folder, validity, runs in piece]


def _runs(uids: Sequence[int]) -> str:
    """Write UIDs in their order: ``"9:7,3"``; those of a search mostly fall by one.

    Examples
    --------
    >>> _runs([9, 8, 7, 3])
    '9:7,3'
    """
    runs = []
    for _, group in groupby(enumerate(uids), lambda one: one[0] + one[1]):
        run = [uid for _, uid in group]
        runs.append(f"{run[0]}:{run[-1]}" if len(run) > 1 else str(run[0]))
    return ",".join(runs)


def _uids(runs: str) -> tuple[int, ...]:
    """Read what `_runs` writes.

    Examples
    --------
    >>> _uids("9:7,3")
    (9, 8, 7, 3)
    """
    ends = (run.partition(":") for run in runs.split(",") if run)
    return tuple(
        uid for first, _, last in ends for uid in range(int(first), int(last or first) - 1, -1)
    )
