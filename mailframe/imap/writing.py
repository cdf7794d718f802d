"""An IMAP account that may be changed: what `ImapSource` has no code for."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mailframe.exceptions import CommandError, MailframeError
from mailframe.imap import folder_changes
from mailframe.imap.diary import noted
from mailframe.imap.ledger import place_of
from mailframe.imap.names import encode_name
from mailframe.imap.source import ImapSource
from mailframe.imap.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from mailframe.actions import Action, Place, Result, Verb
    from mailframe.imap.connection import Connection
    from mailframe.imap.work import Claims

__all__ = ["WritableImapSource"]

_DONE: dict[Verb, str] = {
    "flags": "changed flags",
    "labels": "changed labels",
    "move": "moved",
    "copy": "copied",
    "delete": "deleted",
    "append": "appended",
}


class WritableImapSource(ImapSource):
    """Mail on an IMAP server that may be changed; it is read as by `ImapSource`.

    A folder is opened by SELECT while messages in it are changed, and only then.
    """

    def __init__(self, connection: Connection, pool_size: int = 1) -> None:
        super().__init__(connection, pool_size)
        self._claims: Claims = {}
        self._writing = threading.Lock()

    def place(self, folder: str) -> Place:
        """Say how far a folder is numbered (STATUS)."""
        with self._pool.lend() as connection:
            return place_of(connection, folder)

    def rights(self, folder: str) -> frozenset[str] | None:
        """Say what may be done in a folder (MYRIGHTS, RFC 4314); None where that is not said."""
        with self._pool.lend() as connection:
            if not connection.offers("ACL"):
                return None
            name = encode_name(folder)
            with suppress(CommandError):
                for reply in connection.command(
                    b"MYRIGHTS ", *name, tried="Could not ask for rights.", in_folder=False
                ):
                    if reply.kind == "MYRIGHTS" and len(reply.tokens) > 1:
                        word = reply.tokens[-1]
                        return frozenset(
                            word.decode("ascii", "replace") if isinstance(word, bytes) else ""
                        )
        return None

    def perform(self, actions: Sequence[Action]) -> Generator[tuple[int, list[Result]]]:
        """Do what is to be done, one action after the other.

        Yields
        ------
        tuple of int and list of Result
            The action's number, and what has become of some of its messages: of none before it is
            begun, and of each once, but for what was left when an error ended it.

        Raises
        ------
        ConnectionFailedError
            If the connection is lost and cannot be had again.
        ThrottledError
            If the server wants to be left alone for longer than one can wait.
        """
        verbs = " and ".join(dict.fromkeys(_DONE[action.verb] for action in actions))
        # Plans that are applied at once would take each other's copies for their own.
        with (
            self._writing,
            noted(self.recorder, verbs, "message") as note,
            self._to_write() as connection,
        ):
            work = Work(connection, actions, self._claims)
            for number in range(len(actions)):
                yield number, []
                for results in work.do(number):
                    if not results:
                        continue
                    note.count += sum(one.status == "done" for one in results)
                    yield number, results

    def create_folder(self, folder: str) -> None:
        """Make a folder, and subscribe to it (CREATE)."""
        self._change(lambda connection: folder_changes.create_folder(connection, folder))

    def rename_folder(self, folder: str, to: str) -> None:
        """Rename a folder and those below it (RENAME)."""
        self._change(lambda connection: folder_changes.rename_folder(connection, folder, to))

    def delete_folder(self, folder: str, *, force: bool) -> None:
        """Delete a folder (DELETE)."""
        self._change(
            lambda connection: folder_changes.delete_folder(connection, folder, force=force)
        )

    def subscribe(self, folder: str, *, on: bool) -> None:
        """Subscribe to a folder, or unsubscribe from it (SUBSCRIBE)."""
        self._change(lambda connection: folder_changes.subscribe(connection, folder, on=on))

    def _change(self, change: Callable[[Connection], None]) -> None:
        with self._pool.lend() as connection:
            change(connection)

    @contextmanager
    def _to_write(self) -> Iterator[Connection]:
        """Lend a connection that is left as one that reads."""
        with self._pool.lend() as connection:
            connection.selected = None
            try:
                yield connection
            finally:
                # Whoever reads next opens the folder by EXAMINE; CLOSE would expunge.
                with suppress(MailframeError):
                    connection.unselect()
