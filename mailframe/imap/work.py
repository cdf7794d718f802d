"""Actions done over one connection, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mailframe.actions import Result
from mailframe.exceptions import FolderError, MailframeError, NotSupportedError
from mailframe.imap.changes import remove, store_flags, store_labels
from mailframe.imap.ledger import Ledger
from mailframe.imap.transfer import append, survey, transfer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailframe.actions import Action
    from mailframe.imap.connection import Connection
    from mailframe.imap.ledger import Sight

__all__ = ["Claims", "Work"]

#: Folder, UIDVALIDITY and UID of what has been put somewhere -> the action it was put there by.
Claims: TypeAlias = dict[tuple[str, int, int], int]

_PUTTING = ("move", "copy", "append")


class Work:
    """Actions that are done over one connection.

    Parameters
    ----------
    connection
        Logged in.
    actions
        Of one plan.
    claims
        What earlier plans are known to have put where: no other plan takes it for its own.
    """

    def __init__(
        self, connection: Connection, actions: Sequence[Action], claims: Claims | None = None
    ) -> None:
        self._connection = connection
        self._actions = actions
        self._claims = {} if claims is None else claims
        self._owners = [_owner(action) for action in actions]
        self._ledgers: dict[str, Ledger] = {}
        self._sights: dict[int, Sight] = {}

    def do(self, number: int) -> Iterator[list[Result]]:
        """Do one; where its folder, or what it needs, is not to be had, all of it has failed."""
        action = self._actions[number]
        left = {message.uid for message in action.messages} or set(range(len(action.letters)))
        try:
            for results in self._steps(number, action):
                left.difference_update(one.uid for one in results)
                self._claim(number, results)
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
            place = (target, ledger.since.uidvalidity)
            ledger.take(
                uid
                for (*where, uid), owner in self._claims.items()
                if tuple(where) == place and owner not in self._owners
            )
            if ledger.is_stale:
                these = {
                    number: one
                    for number, one in enumerate(self._actions)
                    if one.verb in _PUTTING and _target(one) == target
                }
                self._sights |= survey(self._connection, these, ledger)
            self._ledgers[target] = ledger
        return self._ledgers[target]

    def _claim(self, number: int, results: Iterable[Result]) -> None:
        target = _target(self._actions[number])
        for one in results:
            if one.new_uid is not None and one.new_uidvalidity is not None:
                place = (target, one.new_uidvalidity, one.new_uid)
                self._claims[place] = self._owners[number]


def _owner(action: Action) -> int:
    """Say in a number what is done with which messages: done again, it is the same."""
    messages = tuple(one.uid for one in action.messages)
    letters = tuple((one.content, one.flags, one.date) for one in action.letters)
    where = (action.folder, action.uidvalidity, action.target, action.since)
    return hash((action.verb, where, messages, letters))


def _target(action: Action) -> str:
    return action.folder if action.verb == "append" else action.target


def _said(error: MailframeError) -> str:
    return f"{error.tried} {error.reply}".strip()
