"""Folders made, renamed, deleted and subscribed to (RFC 3501 sections 6.3.3 to 6.3.7)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailframe.exceptions import FolderError
from mailframe.imap.folder import folder_status, listed
from mailframe.imap.names import encode_name

if TYPE_CHECKING:
    from mailframe.imap.connection import Connection

__all__ = ["create_folder", "delete_folder", "rename_folder", "subscribe"]

log = logging.getLogger(__name__)


def create_folder(connection: Connection, folder: str) -> None:
    """Make a folder, and subscribe to it (RFC 3501 sections 6.3.3 and 6.3.6).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name, with the names of those above it.

    Raises
    ------
    FolderError
        If it is there already, or the server refuses.
    """
    tried = f"Could not make the folder {folder!r}."
    _change(connection, b"CREATE ", *encode_name(folder), tried=tried)
    log.info("made the folder %r", folder)
    _show(connection, folder)


def rename_folder(connection: Connection, folder: str, to: str) -> None:
    """Rename a folder and those below it (RFC 3501 section 6.3.5).

    Parameters
    ----------
    connection
        Logged in.
    folder, to
        Whole names.

    Raises
    ------
    FolderError
        If the server refuses, or it is the INBOX, whose messages would all be moved instead.
    """
    tried = f"Could not rename the folder {folder!r} to {to!r}."
    _spare_the_inbox(folder, tried)
    names = (*encode_name(folder), b" ", *encode_name(to))
    # Those below move along; subscriptions do not (RFC 3501 section 6.3.9).
    subscribed = _this_and_below(connection, b"LSUB", folder)
    _leave(connection, _this_and_below(connection, b"LIST", folder))
    _change(connection, b"RENAME ", *names, tried=tried)
    log.info("renamed the folder %r to %r", folder, to)
    for name in subscribed:
        _show(connection, to + name.removeprefix(folder))
        _forget(connection, name)


def delete_folder(connection: Connection, folder: str, *, force: bool = False) -> None:
    """Delete a folder (RFC 3501 section 6.3.4).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name.
    force
        Even if there are messages in it: they are lost, not moved to the trash.

    Raises
    ------
    FolderError
        If there are messages in it, the server refuses, or it is the INBOX.
    """
    tried = f"Could not delete the folder {folder!r}."
    _spare_the_inbox(folder, tried)
    if not force:
        messages = folder_status(connection, folder, tried=tried).messages
        if messages != 0:
            count = "messages" if messages is None else f"messages: {messages}"
            raise FolderError(
                f"Did not delete the folder {folder!r}: it has {count}.",
                suggestion="Move them first, or lose them: force=True.",
            )
    _leave(connection, {folder})
    _change(connection, b"DELETE ", *encode_name(folder), tried=tried)
    log.info("deleted the folder %r", folder)
    _forget(connection, folder)


def subscribe(connection: Connection, folder: str, *, on: bool = True) -> None:
    """Add a folder to those that mail programs show, or take it off (RFC 3501 section 6.3.6).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name.
    on
        False to unsubscribe.

    Raises
    ------
    FolderError
        If the server refuses.
    """
    verb = b"SUBSCRIBE " if on else b"UNSUBSCRIBE "
    tried = f"Could not {'subscribe to' if on else 'unsubscribe from'} the folder {folder!r}."
    connection.command(verb, *encode_name(folder), tried=tried, error=FolderError, in_folder=False)


def _change(connection: Connection, *pieces: bytes, tried: str) -> None:
    connection.command(*pieces, tried=tried, error=FolderError, changes=True, in_folder=False)


def _this_and_below(connection: Connection, verb: bytes, folder: str) -> set[str]:
    """Name a folder and those below it, of all (LIST) or of those subscribed to (LSUB)."""
    found = set()
    pattern = encode_name(f"{folder}*")
    pieces = (verb, b' "" ', *pattern)
    for reply in connection.command(*pieces, tried="Could not list the folders.", in_folder=False):
        one = listed(reply, verb.decode("ascii"))
        below = f"{folder}{one.delimiter}" if one and one.delimiter else folder
        if one and (one.name == folder or (one.delimiter and one.name.startswith(below))):
            found.add(one.name)
    return found


def _leave(connection: Connection, folders: set[str]) -> None:
    """Close the open folder before it is renamed or deleted: servers hang up otherwise."""
    if any(map(connection.has_open, folders)) and not connection.unselect():
        connection.select("INBOX")
        connection.selected = None


def _show(connection: Connection, folder: str) -> None:
    """Subscribe to a folder that is there now; without that, too, it is what was wanted."""
    try:
        subscribe(connection, folder)
    except FolderError as error:
        log.warning("%s", error)


def _forget(connection: Connection, folder: str) -> None:
    try:
        subscribe(connection, folder, on=False)
    except FolderError as error:  # it was not subscribed to: what is wanted is done
        log.info("%s", error)


def _spare_the_inbox(folder: str, tried: str) -> None:
    if folder.upper() == "INBOX":
        raise FolderError(tried, suggestion="The INBOX stays where it is (RFC 3501 section 5.1).")
