"""An IMAP account that may be changed: what `ImapSource` has no code for."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mailframe.actions import Result
from mailframe.exceptions import CommandError, FolderError, MailframeError, NotSupportedError
from mailframe.imap import folder_changes
from mailframe.imap.changes import remove, store_flags, store_labels
from mailframe.imap.diary import noted
from mailframe.imap.ledger import Ledger, place_of
from mailframe.imap.names import encode_name
from mailframe.imap.source import ImapSource
from mailframe.imap.transfer import append, survey, transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from mailframe.actions import Action, Place, Verb
    from mailframe.imap.connection import Connection
    from mailframe.imap.ledger import Sight

__all__ = ["WritableImapSource"]

_DONE: dict[Verb, str] = {
    "flags": "changed flags",
    "labels": "changed labels",
    "move": "moved",
    "copy": "copied",
    "delete": "deleted",
    "append": "appended",
}
_PUTTING = ("move", "copy", "append")


class WritableImapSource(ImapSource):
    """Mail on an IMAP server that may be changed; it is read as by `ImapSource`.

    A folder is opened by SELECT while messages in it are changed, and only then.
    """

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
        with noted(self.recorder, verbs, "message") as note, self._to_write() as connection:
            work = _Work(connection, actions)
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

    def delete_folder(self, folder: str, *, with_messages: bool) -> None:
        """Delete a folder (DELETE)."""
        self._change(
            lambda connection: folder_changes.delete_folder(
                connection, folder, with_messages=with_messages
            )
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
                connection.selected = None
                if connection.wire.state == "SELECTED" and connection.offers("UNSELECT"):
                    with suppress(MailframeError):
                        connection.command(b"UNSELECT", tried="Could not close the folder.")


class _Work:
    """Actions that are done over one connection."""

    def __init__(self, connection: Connection, actions: Sequence[Action]) -> None:
        self._connection = connection
        self._actions = actions
        self._ledgers: dict[str, Ledger] = {}
        self._sights: dict[int, Sight] = {}

    def do(self, number: int) -> Iterator[list[Result]]:
        """Do one; where its folder, or what it needs, is not to be had, all of it has failed."""
        action = self._actions[number]
        left = {message.uid for message in action.messages} or set(range(len(action.letters)))
        try:
            for results in self._steps(number, action):
                left.difference_update(one.uid for one in results)
                yield results
        except (FolderError, NotSupportedError) as error:
            yield [Result(uid, "failed", _said(error)) for uid in sorted(left)]

    def _steps(self, number: int, action: Action) -> Iterator[list[Result]]:
        connection = self._connection
        if action.verb in _PUTTING:
            ledger = self._ledger(action)
            put = append if action.verb == "append" else transfer
            return put(connection, action, ledger, self._sights.get(number))
        connection.return_to(action.folder, action.uidvalidity, readonly=False)
        uids = [message.uid for message in action.messages]
        if action.verb == "delete":
            return remove(connection, uids)
        store = store_labels if action.verb == "labels" else store_flags
        return store(connection, uids, action.add, action.remove)

    def _ledger(self, action: Action) -> Ledger:
        """Look once at each folder that messages are put into."""
        target = _target(action)
        if target not in self._ledgers:
            ledger = Ledger(self._connection, target, action.since)
            if ledger.is_stale:
                these = {
                    number: one
                    for number, one in enumerate(self._actions)
                    if one.verb in _PUTTING and _target(one) == target
                }
                self._sights |= survey(self._connection, these, ledger)
            self._ledgers[target] = ledger
        return self._ledgers[target]


def _target(action: Action) -> str:
    return action.folder if action.verb == "append" else action.target


def _said(error: MailframeError) -> str:
    return f"{error.tried} {error.reply}".strip()
