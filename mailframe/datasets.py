"""A data set: a folder of Parquet files, written piece by piece, that a later call can go on with.

Which messages belong to which file is fixed at the start, and written into the first one. A file
appears when it is whole. So what is missing can be told by looking, after whatever ended the work.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mailframe.exceptions import SaveError, UidValidityError
from mailframe.saving import make_folder, write_file
from mailframe.source import Selection
from mailframe.tables import to_arrow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import pandas as pd

    from mailframe.streaming import Piece

__all__ = ["write_dataset"]

#: Where in each file's metadata it stands which data set it is of; in the first one's besides,
#: what belongs to which file.
_KEY = b"mailframe"
_PART = re.compile(r"part-\d{5,}\.parquet")
#: What a killed process leaves.
_UNFINISHED = ".mailframe-*.part"


def write_dataset(
    path: str | os.PathLike[str],
    request: dict[str, Any],
    find: Callable[[], list[Piece]],
    check: Callable[[list[Piece]], None],
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
    check
        Looks whether pieces found in an earlier call still mean the same messages.
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
    folder = Path(os.path.expanduser(path))  # noqa: PTH111 Path's raises where there is no home
    request = json.loads(json.dumps(request, default=_plain))
    plan = _plan_so_far(folder, overwrite=overwrite) if folder.exists() else None
    is_new = plan is None
    if plan is None:
        plan = request | {"id": os.urandom(16).hex(), "pieces": _found(find)}
    else:
        _check_same(folder, plan, request)
        if is_fixed and plan["pieces"] != _found(find):
            raise _other(folder, "there is one of other messages")
    make_folder(folder)
    with _reported(folder):
        if is_new:  # not before the messages are found: until then, the old ones are all there is
            _delete(folder)
        missing = _missing(folder, plan)
    if not missing:
        raise SaveError(
            f"The data set {str(folder)!r} is complete.",
            suggestion="pandas.read_parquet reads it. overwrite=True (--overwrite) reads the "
            "messages anew.",
        )
    pieces = [_read(plan["pieces"][number]) for number in missing]
    try:
        if not is_new:
            check(pieces)
        with closing(read(pieces)) as frames:
            for number in missing:
                # In no variable: one frame is forgotten before the next one is read.
                write_file(_part(folder, number), _parquet(next(frames), plan, number))
            for _ in frames:  # there is none, but now it has ended
                pass
    except UidValidityError as error:
        raise UidValidityError(
            error.tried,
            reply=error.reply,
            suggestion="What was written means other messages now: overwrite=True begins anew.",
        ) from error
    return folder


def _parquet(frame: pd.DataFrame, plan: dict[str, Any], number: int) -> bytes:
    """Write a frame as one row group, as all of its kind are written."""
    table = to_arrow(frame)
    known = {"id": plan["id"]} if number else plan
    metadata = {**(table.schema.metadata or {}), _KEY: json.dumps(known)}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, row_group_size=max(len(frame), 1))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _plan_so_far(folder: Path, *, overwrite: bool) -> dict[str, Any] | None:
    """Read what is to be gone on with; refuse what is neither that nor to be replaced."""
    make_folder(folder)  # it may be a file
    with _reported(folder):
        plan = None if overwrite else _plan_in(folder)
        if plan is None:
            _check_free(folder, overwrite=overwrite)
    return plan


def _plan_in(folder: Path) -> dict[str, Any] | None:
    """Read what the data set in a folder is to hold; None where there is none of ours."""
    plan = _said_by(_part(folder, 0))
    return plan if plan is not None and "pieces" in plan else None


def _said_by(part: Path) -> dict[str, Any] | None:
    """Read what a file of ours says of its data set: nothing if it is another's.

    A file that cannot be read is damaged, or there is none: then it is None.
    """
    try:
        metadata = pq.read_schema(part).metadata or {}
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None):  # it is the system that says so
            raise
        return None
    try:
        said = json.loads(metadata.get(_KEY, b"{}"))
    except ValueError:
        said = {}
    return said if isinstance(said, dict) else {}


def _check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder with anything in it but a data set that is to be replaced."""
    there = [one for one in folder.iterdir() if not one.match(_UNFINISHED)]
    parts = [one for one in there if _PART.fullmatch(one.name)]
    # Where there are no hard links, an empty file reserves the name of the one to come.
    if all(one in parts and not one.stat().st_size for one in there):
        return
    said = [_said_by(part) for part in parts]
    if not any(said) or {} in said:
        raise _other(folder, "there is something that mailframe has not made")
    if not overwrite:
        raise _other(folder, "the first file of the one that is there is missing or damaged")


def _check_same(folder: Path, plan: dict[str, Any], request: dict[str, Any]) -> None:
    for name, value in request.items():
        if plan.get(name) != value:
            raise _other(folder, f"there is one with {name}={plan.get(name)!r}, and not {value!r}")


def _missing(folder: Path, plan: dict[str, Any]) -> list[int]:
    """Find the files that are not there yet, and delete what a process left when it was killed."""
    for unfinished in folder.glob(_UNFINISHED):
        unfinished.unlink(missing_ok=True)
    missing = []
    for number in range(len(plan["pieces"])):
        part = _part(folder, number)
        said = _said_by(part)
        if said is None:  # when the power fails, a name may outlive the content
            part.unlink(missing_ok=True)
            missing.append(number)
        elif said.get("id") != plan["id"]:
            raise _other(folder, f"{part.name!r} is of another one")
    return missing


def _other(folder: Path, why: str) -> SaveError:
    return SaveError(
        f"Could not write a data set to {str(folder)!r}: {why}.",
        suggestion="Name another folder. overwrite=True replaces a data set of mailframe's, and "
        "nothing else.",
    )


def _delete(folder: Path) -> None:
    """Delete a data set's files: the first one last, by which it is known."""
    for part in sorted(folder.iterdir(), reverse=True):
        if _PART.fullmatch(part.name):
            part.unlink()


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of a folder into a SaveError."""
    try:
        yield
    except SaveError:  # is an OSError, too
        raise
    except OSError as error:
        tried = f"Could not write a data set to {str(folder)!r}."
        raise SaveError(tried, reply=error.strerror or str(error)) from error


def _plain(value: object) -> object:
    """Give JSON what it takes: of pandas' numbers the number, of anything else its name."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05}.parquet"


def _found(find: Callable[[], list[Piece]]) -> list[list[list[Any]]]:
    """Find messages; where there are none, there is one file without rows."""
    return [_written(piece) for piece in find() or [[]]]


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
