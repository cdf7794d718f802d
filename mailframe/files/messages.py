"""A folder of files that are a message each: ``.eml``, MH, or what a program saved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailframe.files.handle import changed, unreadable, validity
from mailframe.files.maildir import FileMessage, natural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mailframe.files.handle import Signature

__all__ = ["Messages"]


class Messages:
    """Messages that are a file each, in the order of their names.

    Parameters
    ----------
    path
        Of the folder, or of the one file.
    find
        Gives the paths of the messages that are there.

    Raises
    ------
    MailFileError
        If they cannot be listed.
    """

    has_labels = False

    def __init__(self, path: Path, find: Callable[[], Sequence[Path]]) -> None:
        self._path = path
        self._find = find
        try:
            found = [(one, _signature(one)) for one in find()]
        except OSError as error:
            raise unreadable(path, error) from error
        there = ((one, signature) for one, signature in found if signature is not None)
        self._files = sorted(there, key=lambda file: natural(file[0].name))
        facts = ((one.name, *signature) for one, signature in self._files)
        self.uidvalidity = validity(path, facts)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, uid: int) -> FileMessage:
        if not 1 <= uid <= len(self):
            raise IndexError(uid)
        return _Message(uid, *self._files[uid - 1])

    def current(self) -> Messages:
        """Return this as long as no file has changed, come or gone, else what is there now."""
        other = Messages(self._path, self._find)
        return self if other.uidvalidity == self.uidvalidity else other

    def close(self) -> None:
        """Do nothing: no file is kept open."""


class _Message(FileMessage):
    """One message, as long as its file is what it was when it got its number."""

    def __init__(self, uid: int, path: Path, signature: Signature) -> None:
        super().__init__(uid, path)
        self._signature = signature

    def _read(self, length: int) -> bytes:
        status = self.status
        if (status.st_size, status.st_mtime_ns) != self._signature:
            raise changed(self.path)
        return super()._read(length)


def _signature(path: Path) -> Signature | None:
    try:
        status = os.stat(path)  # noqa: PTH116 half the time of Path.stat, of each of thousands
    except FileNotFoundError:  # this moment
        return None
    return status.st_size, status.st_mtime_ns
