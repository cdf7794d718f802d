"""The files of a Maildir, listed while programs rename them: a flag that changes is a rename.

A listing may miss a file that is renamed meanwhile. Where anything has changed while one was made,
or a moment before, more are made, until nothing new turns up.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mailframe.files.handle import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["INFO", "Listing", "Place", "changed_at", "list_files"]

log = logging.getLogger(__name__)

#: ``"cur"`` or ``"new"``, and the name of a file.
Place: TypeAlias = tuple[str, str]
# Its name without flags, and its inode, which a rename does not change.
_File: TypeAlias = tuple[str, int]

# The specification's colon is forbidden on Windows: programs there write one of the others.
INFO = re.compile(r"[:;!]2,([^,]*)$")
#: A folder that has changed this recently may change again without a new time, in nanoseconds.
_RECENT = 2_000_000_000
#: Listings made at most.
_MOST = 8
#: Listings in a row that must miss a file before it counts as deleted.
_SURE = 3


class Listing(NamedTuple):
    """What is in a Maildir.

    Attributes
    ----------
    files
        Where each message is, by the name of its file without the flags. Where two files have one
        name, which should not be, each has its inode behind the name.
    times
        When the folders were changed.
    begun
        When they were listed, in nanoseconds.
    """

    files: dict[str, Place]
    times: tuple[int, ...]
    begun: int

    @property
    def is_quiet(self) -> bool:
        """Whether a change since would show in the folders' times."""
        return self.begun - max(self.times, default=0) > _RECENT


def changed_at(path: Path) -> tuple[int, ...]:
    """Say when the folders of a Maildir were changed, in nanoseconds.

    Raises
    ------
    OSError
        If there are none.
    """
    folders = [path / name for name in ("new", "cur")]
    there = [folder for folder in folders if folder.exists()] or folders
    return tuple(folder.stat().st_mtime_ns for folder in there)


def list_files(path: Path) -> Listing:
    """List the messages of a Maildir, none of them missed and none of them twice.

    Raises
    ------
    OSError
        If they cannot be listed.
    """
    found: dict[_File, Place] = {}
    missed: Counter[_File] = Counter()
    for number in range(_MOST):
        listing = Listing({}, changed_at(path), time.time_ns())
        listed = dict(_entries(path))
        is_new = number == 0 or not listed.keys() <= found.keys()
        found |= listed
        if listing.is_quiet and listing.times == changed_at(path):
            found = listed
            missed.clear()
            break
        absent = [file for file in found.keys() - listed.keys() if not _is_there(path, found[file])]
        missed = Counter({file: missed[file] + 1 for file in absent})
        if not is_new and all(times >= _SURE for times in missed.values()):
            break
    there = {file: place for file, place in found.items() if missed[file] < _SURE}
    return listing._replace(files=dict(_named(path, there)))


def _entries(path: Path) -> Iterator[tuple[_File, Place]]:
    # In this order: a message moves from new to cur, and must not be missed.
    for folder in ("new", "cur"):
        try:
            with os.scandir(path / folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and answers(entry.is_file, entry.path):
                        yield (INFO.sub("", entry.name), entry.inode()), (folder, entry.name)
        except FileNotFoundError:
            continue


def _is_there(path: Path, place: Place) -> bool:
    try:
        path.joinpath(*place).lstat()
    except FileNotFoundError:
        return False
    except OSError:  # it may not be entered: reading says so
        return True
    return True


def _named(path: Path, found: dict[_File, Place]) -> Iterator[tuple[str, Place]]:
    """Give every file a name of its own."""
    together: dict[str, list[_File]] = {}
    for file in found:
        together.setdefault(file[0], []).append(file)
    for name, files in together.items():
        several = _distinct(path, found, files) if len(files) > 1 else files
        if len(several) > 1:
            log.warning("%s: %d files have the unique name %s", path, len(several), name)
        for file in several:
            yield (name if len(several) == 1 else f"{name}\0{file[1]}"), found[file]


def _distinct(path: Path, found: dict[_File, Place], files: Iterable[_File]) -> list[_File]:
    """Leave out files that were replaced by one of the same name while they were listed."""
    latest = {found[file]: file for file in files}
    there = [file for place, file in latest.items() if _is_there(path, place)]
    return there or list(latest.values())[-1:]
