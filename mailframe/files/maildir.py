"""A folder with a file for each message, its flags in the file's name: Maildir."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from mailframe.exceptions import MailFileError
from mailframe.files.handle import open_regular, unreadable, validity
from mailframe.files.listing import INFO, changed_at, list_files
from mailframe.files.stored import FIRST, Gone, Stored

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mailframe.files.listing import Listing, Place

__all__ = ["FileMessage", "Maildir", "natural"]

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
#: A file may be renamed again between being found and being opened.
_MOST_RENAMES = 5

_T = TypeVar("_T")


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
        MailFileError
            If it cannot be reached.
        """
        try:
            return self.path.stat()
        except FileNotFoundError as error:
            raise Gone from error
        except OSError as error:
            raise unreadable(self.path, error) from error

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
        except MailFileError:
            raise
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
        self._listing = self._list()
        self._names = sorted(self._listing.files, key=natural)
        self.uidvalidity = validity(path, self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, uid: int) -> _MaildirMessage:
        if not 1 <= uid <= len(self):
            raise IndexError(uid)
        return _MaildirMessage(self, uid, self._names[uid - 1])

    def current(self) -> Maildir:
        """Return this, with the flags of now, or what is there instead."""
        self.__dict__.pop("keywords", None)  # a new one does not change the folders
        try:
            is_same = self._listing.times == changed_at(self._path)
        except OSError as error:
            raise unreadable(self._path, error) from error
        if is_same and self._listing.is_quiet:
            return self
        other = Maildir(self._path)
        if other.uidvalidity != self.uidvalidity:
            return other
        self._listing = other._listing  # who reads from this already sees the new names
        return self

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def file(self, name: str) -> Place:
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
        return self._listing.files[name]

    def find_again(self, name: str) -> Place:
        """Look for a message whose file has another name by now: its flags have changed.

        Raises
        ------
        Gone
            If it was deleted.
        """
        files = self._list().files
        # Of two files with one name, one may have gone.
        found = files.get(name) or files.get(name.partition("\0")[0])
        if found is None:
            raise Gone
        self._listing.files[name] = found
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

    def _list(self) -> Listing:
        try:
            return list_files(self._path)
        except OSError as error:
            raise unreadable(self._path, error) from error


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
        """When the file was written; None for a time that no calendar has."""
        try:
            return datetime.fromtimestamp(int(self.status.st_mtime), UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def flags(self) -> tuple[str, ...]:
        """What the letters in the name say; mail in ``new`` has not been seen."""
        folder, file = self._place
        info = INFO.search(file)
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
        return self._found(lambda: super(_MaildirMessage, self).status)

    def _open(self) -> BinaryIO:
        return self._found(super()._open)

    def _found(self, look: Callable[[], _T]) -> _T:
        """Look at the file, and where it has another name by now, find it."""
        for _ in range(_MOST_RENAMES):
            try:
                return look()
            except Gone:
                self._place = self._box.find_again(self._name)
        return look()
