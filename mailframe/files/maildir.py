"""A folder with a file for each message, its flags in the file's name: Maildir."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from mailframe.files.handle import open_regular, unreadable, validity
from mailframe.files.stored import FIRST, Gone, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["FileMessage", "Maildir", "natural"]

# The specification's colon is forbidden on Windows: programs there write one of the others.
_INFO = re.compile(r"[:;!]2,([^,]*)$")
_FLAGS = {
    "D": "\\Draft",
    "F": "\\Flagged",
    "P": "$Forwarded",
    "R": "\\Answered",
    "S": "\\Seen",
    "T": "\\Deleted",
}
_DIGITS = re.compile(r"(\d+)")
# What Dovecot and Courier put into the name: bytes as stored, and with CRLF.
_SIZES = re.compile(r",S=(\d+),W=(\d+)(?=[,:;!]|$)")
#: A folder that has changed this recently may change again without a new time, in nanoseconds.
_RECENT = 2_000_000_000


def natural(name: str) -> list[tuple[int, str]]:
    """Order names as people do: 2 before 10.

    Examples
    --------
    >>> sorted(["10.eml", "9.eml"], key=natural)
    ['9.eml', '10.eml']
    """
    pieces = _DIGITS.split(name)
    # Longer than any number that orders something; int() would refuse thousands of digits.
    return [(int(p), "") if p.isdecimal() and len(p) < 40 else (0, p) for p in pieces]  # noqa: PLR2004


class FileMessage(Stored):
    """A message that is a file of its own."""

    def __init__(self, uid: int, path: Path) -> None:
        super().__init__(uid)
        self._path = path
        self._failure: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file is now."""
        return self._path

    @cached_property
    def status(self) -> os.stat_result:
        """Size and time of the file.

        Raises
        ------
        Gone
            If there is none any more.
        """
        try:
            return self.path.stat()
        except OSError as error:
            raise Gone from error

    @property
    def defects(self) -> tuple[str, ...]:
        """What was wrong with the file when it was read, too."""
        empty = () if self._length else ("the file is empty",)
        return (*super().defects, *self._failure, *empty)

    @property
    def size(self) -> int | None:
        """RFC822.SIZE; None where the file cannot be read."""
        size = super().size
        return None if self._failure else size

    @property
    def _length(self) -> int:
        return self.status.st_size

    def _read(self, length: int) -> bytes:
        try:
            with self._open() as file:
                return file.read(length)
        except OSError as error:
            self._failure = (f"cannot be read: {error.strerror or error}",)
            return b""

    def _open(self) -> BinaryIO:
        try:
            return open_regular(self.path)
        except FileNotFoundError as error:
            raise Gone from error


class Maildir:
    """The messages of a Maildir, ordered by when they were delivered, as their names say.

    Parameters
    ----------
    path
        The folder with ``cur`` and ``new``; ``tmp`` holds what is not delivered yet.

    Raises
    ------
    MailFileError
        If it cannot be listed.
    """

    has_labels = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = 0
        self._times: tuple[int, ...] = ()
        self._names: list[str] = []
        self._files: dict[str, tuple[str, str]] = {}
        self.uidvalidity = 0
        self._list()

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, uid: int) -> _MaildirMessage:
        if not 1 <= uid <= len(self):
            raise IndexError(uid)
        return _MaildirMessage(self, uid, self._names[uid - 1])

    def current(self) -> Maildir:
        """Return this, with the flags of now, or what is there instead."""
        try:
            is_same = self._times == self._changed_at()
        except OSError as error:
            raise unreadable(self._path, error) from error
        if is_same and self._read_at - max(self._times, default=0) > _RECENT:
            return self
        other = Maildir(self._path)
        if other.uidvalidity != self.uidvalidity:
            return other
        # Who reads from this already sees the files under their new names.
        self._files, self._times, self._read_at = other._files, other._times, other._read_at
        return self

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def file(self, name: str) -> tuple[str, str]:
        """Say where a message is now.

        Parameters
        ----------
        name
            Of its file, without the flags.

        Returns
        -------
        tuple
            ``"cur"`` or ``"new"``, and the name of the file.
        """
        return self._files[name]

    def find_again(self, name: str) -> tuple[str, str]:
        """Look for a message whose file has another name by now: its flags have changed.

        Raises
        ------
        Gone
            If it was deleted.
        """
        self._files.update(self._listed())
        found = self._files[name]
        if not (self._path / found[0] / found[1]).exists():
            raise Gone
        return found

    @cached_property
    def keywords(self) -> Mapping[str, str]:
        """What the letters from a to z mean, as Dovecot notes it beside the mail."""
        try:
            with open_regular(self._path / "dovecot-keywords") as file:
                lines = file.read(1 << 16).decode("utf-8", "replace").splitlines()
        except OSError:
            return {}
        pairs = (line.partition(" ") for line in lines)
        return {
            chr(ord("a") + int(number)): word
            for number, _, word in pairs
            if number.isdecimal() and len(number) < 3 and int(number) < 26 and word.strip()  # noqa: PLR2004 letters
        }

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    def _list(self) -> None:
        try:
            self._times = self._changed_at()
            self._read_at = time.time_ns()
            self._files = dict(self._listed())
        except OSError as error:
            raise unreadable(self._path, error) from error
        self._names = sorted(self._files, key=natural)
        self.uidvalidity = validity(self._path, self._names)

    def _listed(self) -> Iterator[tuple[str, tuple[str, str]]]:
        # In this order: a message moves from new to cur, and must not be missed.
        for folder in ("new", "cur"):
            try:
                with os.scandir(self._path / folder) as entries:
                    for entry in entries:
                        if not entry.name.startswith(".") and entry.is_file():
                            yield _INFO.sub("", entry.name), (folder, entry.name)
            except FileNotFoundError:
                continue

    def _changed_at(self) -> tuple[int, ...]:
        folders = [self._path / name for name in ("new", "cur")]
        there = [folder for folder in folders if folder.exists()] or folders
        return tuple(folder.stat().st_mtime_ns for folder in there)


class _MaildirMessage(FileMessage):
    """One message of a Maildir."""

    def __init__(self, box: Maildir, uid: int, name: str) -> None:
        folder, file = box.file(name)
        super().__init__(uid, box.path / folder / file)
        self._box = box
        self._name = name
        self._place = folder, file

    @property
    def path(self) -> Path:
        """Where the file is now."""
        folder, file = self._place
        return self._box.path / folder / file

    @property
    def internal_date(self) -> datetime | None:
        """When the file was written."""
        return datetime.fromtimestamp(int(self.status.st_mtime), UTC)

    @property
    def flags(self) -> tuple[str, ...]:
        """What the letters in the name say; mail in ``new`` has not been seen."""
        folder, file = self._place
        info = _INFO.search(file)
        letters = info[1] if info and folder == "cur" else ""
        known = {**_FLAGS, **self._box.keywords}
        return tuple(sorted({known[letter] for letter in letters if letter in known}))

    @property
    def size(self) -> int | None:
        """RFC822.SIZE, from the name where the name has the file's own size right."""
        sizes = _SIZES.search(self._place[1])
        if sizes and int(sizes[1]) == self._length and self._length > FIRST:
            return int(sizes[2])
        return super().size

    @cached_property
    def status(self) -> os.stat_result:
        """Size and time of the file."""
        try:
            return self.path.stat()
        except FileNotFoundError:
            self._place = self._box.find_again(self._name)
            return super().status

    def _open(self) -> BinaryIO:
        try:
            return super()._open()
        except Gone:
            self._place = self._box.find_again(self._name)
            return super()._open()
