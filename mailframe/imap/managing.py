"""What of `IMAPClient` changes mail and folders: at once, over one connection."""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mailframe.actions import Action, Result
from mailframe.exceptions import (
    ConnectionFailedError,
    MailframeError,
    QueryError,
    ReadOnlyError,
)
from mailframe.imap.changes import check_flags, expunge, in_pieces
from mailframe.imap.folder_changes import (
    create_folder,
    delete_folder,
    rename_folder,
    subscribe,
)
from mailframe.imap.ledger import place_of
from mailframe.imap.messages import read_messages
from mailframe.imap.names import check_name
from mailframe.imap.work import Work
from mailframe.letters import letter_of
from mailframe.source import check_apart, words_of, yes_or_no

if TYPE_CHECKING:
    from datetime import datetime

    from mailframe.actions import Place, Verb
    from mailframe.imap.connection import Connection, Selected
    from mailframe.letters import Mail

__all__ = ["Managing"]

log = logging.getLogger(__name__)

#: RFC 3501 section 9: a UID is a number of 32 bits.
LAST = 2**32 - 1


class Managing:
    """What of `IMAPClient` changes something: a part of it, not to be made alone."""

    readonly: bool

    @property
    def connection(self) -> Connection:
        """The connection underneath."""
        raise NotImplementedError

    def set_flags(
        self, uids: Iterable[int], add: str | Iterable[str] = (), remove: str | Iterable[str] = ()
    ) -> list[Result]:
        r"""Set flags of messages in the open folder, and take others off (RFC 3501 section 6.4.6).

        Parameters
        ----------
        uids
            The messages.
        add, remove
            One flag, or several: ``"\\Seen"``, ``"project-x"``.

        Returns
        -------
        list of Result
            What has become of each message: ``done``, ``gone``, ``failed`` with the reason, or
            ``unknown`` if the connection was lost.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        QueryError
            If it is no flag, or one is to be set and taken off at once.
        """
        connection = self._writable("change flags")
        added, removed = words_of(add), words_of(remove)
        check_flags((*added, *removed))
        check_apart(added, removed)
        return self._do(connection, uids, "flags", add=added, remove=removed)

    def move(self, uids: Iterable[int], folder: str) -> list[Result]:
        """Move messages of the open folder to another one (RFC 6851).

        Without MOVE they are copied, marked as deleted, and expunged, these alone; without UIDPLUS
        they stay, marked.

        Parameters
        ----------
        uids
            The messages.
        folder
            Its name.

        Returns
        -------
        list of Result
            As of `set_flags`, with the new UIDs.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If there is no such folder.
        """
        connection = self._writable(f"move messages to {folder!r}", folder)
        since = place_of(connection, folder)
        return self._do(connection, uids, "move", target=folder, since=since)

    def copy(self, uids: Iterable[int], folder: str) -> list[Result]:
        """Copy messages of the open folder to another one (RFC 3501 section 6.4.7).

        Parameters
        ----------
        uids, folder
            As for `move`.

        Returns
        -------
        list of Result
            As of `move`.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If there is no such folder.
        """
        connection = self._writable(f"copy messages to {folder!r}", folder)
        since = place_of(connection, folder)
        return self._do(connection, uids, "copy", target=folder, since=since)

    def delete(self, uids: Iterable[int]) -> list[Result]:
        r"""Mark messages of the open folder as ``\Deleted``; `expunge` removes them.

        Parameters
        ----------
        uids
            The messages.

        Returns
        -------
        list of Result
            As of `set_flags`.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        """
        return self.set_flags(uids, add="\\Deleted")

    def expunge(self, uids: Iterable[int]) -> list[int]:
        r"""Remove messages of the open folder that are marked as ``\Deleted``, these alone.

        Parameters
        ----------
        uids
            The messages. What others have marked is never expunged along with them.

        Returns
        -------
        list of int
            Those that are still there: not marked, or refused.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        NotSupportedError
            If the server has no UIDPLUS (RFC 4315): it can only expunge all that is marked.
        """
        connection = self._writable("remove messages")
        connection.require("UIDPLUS", "expunge single messages")
        here = connection.the_selected()
        connection.return_to(here.folder, here.uidvalidity, readonly=False)
        return [
            uid
            for chunk in in_pieces(connection, _checked(uids))
            for uid in sorted(expunge(connection, chunk))
        ]

    def append(
        self,
        mail: Mail,
        folder: str = "INBOX",
        *,
        flags: str | Iterable[str] = (),
        date: datetime | None = None,
    ) -> Result:
        r"""Put a message into a folder (RFC 3501 section 6.3.11).

        Parameters
        ----------
        mail
            The path of an ``.eml`` file, the message as bytes, or an `email.message.EmailMessage`.
        folder
            Its name.
        flags
            That it will have.
        date
            What is taken for the time of its arrival; a naive one is local time. By default now.

        Returns
        -------
        Result
            With its new UID.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If there is no such folder.
        QueryError
            If it is no message.
        """
        connection = self._writable(f"put a message into {folder!r}", folder)
        wanted = words_of(flags)
        check_flags(wanted)
        letter = letter_of(mail, wanted, date)
        since = place_of(connection, folder)
        action = Action("append", folder, since.uidvalidity, since=since, letters=(letter,))
        [result] = self._done(connection, action)
        return result

    def create_folder(self, folder: str) -> None:
        """Make a folder, and subscribe to it (RFC 3501 section 6.3.3).

        Parameters
        ----------
        folder
            Its whole name: ``"Projects/2026"``, with the delimiter that `list_folders` shows.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If the server refuses.
        """
        create_folder(self._writable(f"make the folder {folder!r}", folder), folder)

    def rename_folder(self, folder: str, to: str) -> None:
        """Rename a folder and those below it (RFC 3501 section 6.3.5).

        Parameters
        ----------
        folder, to
            Whole names.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If the server refuses, or it is the INBOX.
        """
        connection = self._writable(f"rename the folder {folder!r}", folder, to)
        rename_folder(connection, folder, to)

    def delete_folder(self, folder: str, *, force: bool = False) -> None:
        """Delete a folder (RFC 3501 section 6.3.4).

        Parameters
        ----------
        folder
            Its whole name.
        force
            Even if there are messages in it: they are lost, not moved to the trash.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If there are messages in it, the server refuses, or it is the INBOX.
        """
        connection = self._writable(f"delete the folder {folder!r}", folder)
        delete_folder(connection, folder, force=yes_or_no("force", force))

    def subscribe(self, folder: str, *, on: bool = True) -> None:
        """Add a folder to those that mail programs show, or take it off (RFC 3501 section 6.3.6).

        Parameters
        ----------
        folder
            Its whole name.
        on
            False to unsubscribe.

        Raises
        ------
        ReadOnlyError
            If the client is read-only; nothing was sent.
        FolderError
            If the server refuses.
        """
        connection = self._writable(f"subscribe to the folder {folder!r}", folder)
        subscribe(connection, folder, on=yes_or_no("on", on))

    def _writable(self, what: str, *folders: str) -> Connection:
        if self.readonly:
            raise ReadOnlyError(f"Did not {what}: this client is read-only.")
        connection = self.connection
        for folder in folders:
            check_name(folder)
        return connection

    def _do(
        self,
        connection: Connection,
        uids: Iterable[int],
        verb: Verb,
        *,
        add: tuple[str, ...] = (),
        remove: tuple[str, ...] = (),
        target: str = "",
        since: Place | None = None,
    ) -> list[Result]:
        here = connection.the_selected()
        asked = _checked(uids)
        # By what they are told again, if the connection is lost.
        messages = read_messages(connection, asked, headers=False, structure=False, brief=True)
        action = Action(
            verb, here.folder, here.uidvalidity, tuple(messages), add, remove, target, since
        )
        done = {one.uid: one for one in self._done(connection, action)}
        return [done.get(uid) or Result(uid, "gone") for uid in asked]

    def _done(self, connection: Connection, action: Action) -> list[Result]:
        """Do it, and leave the folder open that was open before."""
        before = connection.selected
        found: list[Result] = []
        try:
            for results in Work(connection, [action]).do(0):
                found += results
        except MailframeError as error:
            if not found:
                raise
            log.warning("%s", error)
            # What has become of some must not be lost over the others.
            told = {one.uid for one in found}
            left = {one.uid for one in action.messages} or set(range(len(action.letters)))
            reason = f"not tried: {error.tried}"
            found += [Result(uid, "failed", reason) for uid in sorted(left - told)]
        finally:
            _open_again(connection, before)
        return found


def _open_again(connection: Connection, before: Selected | None) -> None:
    if before is None:
        return
    try:
        connection.return_to(before.folder, before.uidvalidity, readonly=False)
    except ConnectionFailedError as error:
        log.warning("%s", error)
        connection.selected = before  # whoever connects again opens it
    except MailframeError as error:
        log.warning("%s", error)
        connection.selected = None


def _checked(uids: Iterable[int]) -> list[int]:
    """Return UIDs, each once, ascending.

    Raises
    ------
    QueryError
        For what is none.
    """
    is_several = isinstance(uids, Iterable) and not isinstance(uids, str | bytes)
    return sorted(set(map(_uid, uids if is_several else [uids])))


def _uid(given: Any) -> int:
    if not isinstance(given, bool):
        with suppress(TypeError):
            uid = operator.index(given)  # numpy's numbers are no int
            if 0 < uid <= LAST:
                return uid
    raise QueryError(
        f"{given!r} is no UID: a whole number from 1 to {LAST}.",
        suggestion="Give UIDs as client.search(…) returns them: [3, 5].",
    )
