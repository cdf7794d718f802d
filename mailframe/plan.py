"""Plan and Outcome: what is going to be done with which messages, and what became of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mailframe import schema
from mailframe.exceptions import QueryError
from mailframe.plan_view import outcome_as_html, outcome_as_text, plan_as_html, plan_as_text
from mailframe.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mailframe.actions import Action, Entry, Fate

__all__ = ["Outcome", "Plan", "Writer"]


class Writer(Protocol):
    """The session that a plan is made by: what does it, and undoes it."""

    def apply(self, plan: Plan, *, progress: Any = None) -> Outcome:
        """Do it."""

    def undo(self, outcome: Outcome) -> Plan:
        """Plan how to take it back."""


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """What is going to be done; nothing has been done yet.

    Print it, or look at it in a notebook; `apply` does it.

    Attributes
    ----------
    account
        Whose mail it is about.
    entries
        One for each message, in the order of the rows.
    actions
        What is to be done, folder by folder.
    create
        Folders that are made first.
    warnings
        What one should know before.
    is_chain
        Whether each action rests on those before it, so that none is begun where one of these has
        not been done in full.
    """

    account: str
    entries: tuple[Entry, ...]
    actions: tuple[Action, ...]
    create: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_chain: bool = False
    session: Writer | None = field(default=None, compare=False)

    def __len__(self) -> int:
        """Return how many messages will change."""
        return sum(entry.state == "change" for entry in self.entries)

    def __bool__(self) -> bool:
        return True  # also one that changes nothing

    def __reduce__(self) -> tuple[Any, ...]:
        # A session cannot be pickled; another one can do it.
        values = (self.account, self.entries, self.actions, self.create, self.warnings)
        return type(self), (*values, self.is_chain)

    @property
    def bytes(self) -> int:
        """The size of the messages that will change."""
        return sum(entry.size or 0 for entry in self.entries if entry.state == "change")

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the messages that will change, and those they are put into."""
        names = [name for one in self.actions for name in (one.folder, one.target) if name]
        return tuple(dict.fromkeys(names))

    @property
    def can_be_undone(self) -> bool:
        """Whether `Outcome.undo` will be possible: not for copies, appended and deleted ones."""
        return all(action.verb in {"flags", "labels", "move"} for action in self.actions)

    @property
    def frame(self) -> pd.DataFrame:
        """Message by message what would change: ``schema.PLAN``."""
        return tabulate(
            schema.PLAN,
            self.entries,
            lambda entries: (
                _columns(self.account, entries)
                | {
                    "state": [entry.state for entry in entries],
                    "add": [_joined(entry.verb, entry.add) for entry in entries],
                    "remove": [_joined(entry.verb, entry.remove) for entry in entries],
                    "date": [entry.date for entry in entries],
                    "size": [entry.size for entry in entries],
                    "flags": [None if e.flags is None else " ".join(e.flags) for e in entries],
                }
            ),
            self.account,
        )

    def apply(self, *, progress: Any = None) -> Outcome:
        """Do it.

        Whatever ends it in between, applying the same plan again finishes it: what has been done
        is looked up, and not done twice. Two sessions that apply one plan at the same time do not
        know of each other: IMAP has no lock.

        Parameters
        ----------
        progress
            See `Session`.

        Returns
        -------
        Outcome
            What has become of each message. Where not all of it could be done there is an
            `IncompleteWarning`, too.

        Raises
        ------
        FolderError
            If a folder that is to be made cannot be; nothing else is done then.
        SaveError
            If the journal cannot be written; no message has been changed then.
        QueryError
            If the plan has lost its session: ``session.apply(plan)`` does it.
        """
        if self.session is None:
            raise QueryError(
                "This plan has been pickled, and does not know its session any more.",
                suggestion="session.apply(plan)",
            )
        return self.session.apply(self, progress=progress)

    def __repr__(self) -> str:
        return plan_as_text(self)

    def _repr_html_(self) -> str:
        return plan_as_html(self)


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What has been done, message by message.

    Attributes
    ----------
    plan
        What was to be done.
    fates
        One for each message, in the order of the rows.
    error
        What ended it before its end, in words; empty if nothing did.
    """

    plan: Plan
    fates: tuple[Fate, ...]
    error: str = ""
    session: Writer | None = field(default=None, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.plan, self.fates, self.error)

    @property
    def counts(self) -> dict[str, int]:
        """How many messages are done, gone, failed and unknown."""
        found = Counter(fate.result.status for fate in self.fates)
        return {status: found[status] for status in ("done", "gone", "failed", "unknown")}

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do: no message has failed, and none is unknown."""
        return all(fate.result.status in {"done", "gone"} for fate in self.fates)

    @property
    def frame(self) -> pd.DataFrame:
        """What has become of each message: ``schema.OUTCOME``."""
        return tabulate(
            schema.OUTCOME,
            self.fates,
            lambda fates: (
                _columns(self.plan.account, [fate.entry for fate in fates])
                | {
                    "status": [fate.result.status for fate in fates],
                    "reason": [fate.result.reason for fate in fates],
                    "new_uidvalidity": [fate.result.new_uidvalidity for fate in fates],
                    "new_uid": [fate.result.new_uid for fate in fates],
                }
            ),
            self.plan.account,
        )

    @property
    def arrived(self) -> pd.DataFrame:
        """The messages in the folders they were put into: ``schema.KEY``, as criteria.

        Those of which the server does not say where they are now are left out.
        """
        found = [
            (
                fate.entry.target or fate.entry.folder,
                fate.result.new_uidvalidity,
                fate.result.new_uid,
            )
            for fate in self.fates
            if fate.result.new_uid is not None and fate.result.new_uidvalidity is not None
        ]
        return tabulate(
            schema.KEY,
            found,
            lambda rows: {
                "account": [self.plan.account] * len(rows),
                "folder": [row[0] for row in rows],
                "uidvalidity": [row[1] for row in rows],
                "uid": [row[2] for row in rows],
            },
            self.plan.account,
        )

    def undo(self) -> Plan:
        """Plan how to take back what was done; nothing is done before that plan is applied.

        Returns
        -------
        Plan
            Moved messages go back, with new UIDs; flags and labels that were changed are as they
            were when it was planned. What has failed was not done, and is no part of it.

        Raises
        ------
        NotSupportedError
            If it cannot be taken back: copies, appended messages and those deleted for good.
        """
        if self.session is None:
            raise QueryError(
                "This outcome has been pickled, and does not know its session any more.",
                suggestion="session.undo(outcome)",
            )
        return self.session.undo(self)

    def __repr__(self) -> str:
        return outcome_as_text(self.fates, self.counts, self.error)

    def _repr_html_(self) -> str:
        return outcome_as_html(self.fates, self.counts, self.error)


def _columns(account: str, entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Make the columns that plans and outcomes have in common."""
    return {
        "account": [account] * len(entries),
        "folder": [entry.folder for entry in entries],
        "uidvalidity": [entry.uidvalidity for entry in entries],
        "uid": [None if entry.verb == "append" else entry.uid for entry in entries],
        "action": [entry.verb for entry in entries],
        "target": [entry.target or None for entry in entries],
        "from_address": [entry.sender for entry in entries],
        "subject": [entry.subject for entry in entries],
    }


def _joined(verb: str, words: Sequence[str]) -> str:
    return ("\n" if verb == "labels" else " ").join(words)  # labels may hold spaces
