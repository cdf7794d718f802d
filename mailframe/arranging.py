"""The methods of a session that change folders: at once, without a plan."""

from __future__ import annotations

from typing import Any

from mailframe.exceptions import FolderError
from mailframe.selection import one_folder
from mailframe.source import yes_or_no
from mailframe.writable import Writable

__all__ = ["Arranging"]


class Arranging(Writable):
    """What of `Session` changes folders: a part of it, not to be made alone."""

    def create_folder(self, folder: str) -> None:
        """Make a folder, and subscribe to it; at once (RFC 3501 sections 6.3.3 and 6.3.6).

        Parameters
        ----------
        folder
            Its whole name: ``"Projects/2026"``, with the delimiter that `folders` shows.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        FolderError
            If it is there already, or the server refuses.
        """
        self._writable(f"make the folder {folder!r}").create_folder(_name(folder))
        self._note_folder("create", folder)

    def rename_folder(self, folder: str, to: str) -> None:
        r"""Rename a folder and those below it; at once (RFC 3501 section 6.3.5).

        Parameters
        ----------
        folder
            Its whole name, or its role (``"\\Archive"``).
        to
            A whole name.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        FolderError
            If the server refuses, or it is the INBOX.
        """
        source = self._writable(f"rename the folder {folder!r}")
        name = one_folder(source, _name(folder))
        source.rename_folder(name, _name(to))
        self._note_folder("rename", name, to=to)

    def delete_folder(self, folder: str, *, force: bool = False) -> None:
        r"""Delete a folder; at once (RFC 3501 section 6.3.4).

        Parameters
        ----------
        folder
            Its whole name, or its role (``"\\Junk"``).
        force
            Even if there are messages in it: they are lost, not moved to the trash.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        FolderError
            If there are messages in it, the server refuses, or it is the INBOX.
        """
        source = self._writable(f"delete the folder {folder!r}")
        is_forced = yes_or_no("force", force)
        name = one_folder(source, _name(folder))
        source.delete_folder(name, force=is_forced)
        self._note_folder("delete", name)

    def subscribe(self, folder: str, *, on: bool = True) -> None:
        r"""Add a folder to those that mail programs show, or take it off; at once (RFC 3501 6.3.6).

        Parameters
        ----------
        folder
            Its whole name, or its role (``"\\Archive"``).
        on
            False to unsubscribe.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        FolderError
            If the server refuses.
        """
        source = self._writable(f"subscribe to the folder {folder!r}")
        is_on = yes_or_no("on", on)
        name = one_folder(source, _name(folder))
        source.subscribe(name, on=is_on)
        self._note_folder("subscribe" if is_on else "unsubscribe", name)

    def _note_folder(self, action: str, folder: str, **more: Any) -> None:
        if self._journal is not None:
            self._journal.folder(action, folder, **more)


def _name(folder: object) -> str:
    if not isinstance(folder, str) or not folder:
        raise FolderError(f"{folder!r} is no name of a folder.")
    return folder
