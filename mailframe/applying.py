"""A plan -> an outcome: it is done, and told message by message."""

from __future__ import annotations

import logging
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mailframe.actions import Fate, Result
from mailframe.exceptions import (
    CommandError,
    FolderError,
    IncompleteWarning,
    MailframeError,
    NotSupportedError,
    QueryError,
    SaveError,
)
from mailframe.plan import Outcome, Plan
from mailframe.plan_view import many
from mailframe.planning import Want, draft, records_of
from mailframe.progress import watched

if TYPE_CHECKING:
    from mailframe.actions import Entry, Verb
    from mailframe.journal import Journal
    from mailframe.plan import Writer
    from mailframe.source import WritableSource

__all__ = ["apply", "undone"]

log = logging.getLogger(__name__)

_AS_IT_WAS = "nothing needed to be done"


def apply(
    source: WritableSource, plan: Plan, session: Writer, journal: Journal | None, progress: Any
) -> Outcome:
    """Do what was planned.

    Parameters
    ----------
    source
        Where.
    plan
        What.
    session
        Undoes it, later.
    journal
        Takes it down.
    progress
        See `Session`.

    Raises
    ------
    QueryError
        If the plan is about another account.
    FolderError
        If a folder that is to be made cannot be; nothing else is done then.
    SaveError
        If the journal cannot be written; no message has been changed then.
    """
    if not isinstance(plan, Plan):
        raise QueryError(
            f"A {type(plan).__name__} is no plan.",
            suggestion="plan = session.move(df, …), and then session.apply(plan).",
        )
    _check_account("plan", plan, source)
    _make_folders(source, plan, journal)
    results: dict[tuple[int, int], Result] = {}
    error = ""
    total = sum(entry.action >= 0 for entry in plan.entries)
    try:
        if plan.actions:
            _perform(source, plan, journal, progress, total, results)
    except MailframeError as ended:
        if isinstance(ended, SaveError) and not results:
            raise  # nothing has been done
        log.warning("%s", ended)
        error = str(ended)
    fates = tuple(Fate(entry, _result(entry, results, error)) for entry in plan.entries)
    outcome = Outcome(plan, fates, error, session)
    if not outcome.is_complete:
        # The last line of whoever looks at no result is not "done".
        warnings.warn(IncompleteWarning(outcome), stacklevel=4)
    return outcome


def _check_account(what: str, plan: Plan, source: WritableSource) -> None:
    if plan.account != source.account:
        raise QueryError(
            f"This {what} is about {plan.account}; this session is {source.account}'s.",
            suggestion="The session that made it can do it, or another one on the same account.",
        )


def _make_folders(source: WritableSource, plan: Plan, journal: Journal | None) -> None:
    if not plan.create:
        return
    there = {one.name for one in source.folders(status=False) if one.selectable}
    for folder in plan.create:
        if folder in there:
            continue
        try:
            source.create_folder(folder)
        except FolderError as error:
            # Somebody was faster, or the server spells it otherwise (RFC 5530 section 3).
            if "[ALREADYEXISTS]" not in error.reply.upper():
                raise
        else:
            if journal is not None:
                journal.folder("create", folder)


def _perform(
    source: WritableSource,
    plan: Plan,
    journal: Journal | None,
    progress: Any,
    total: int,
    results: dict[tuple[int, int], Result],
) -> None:
    with (
        watched(source, total, progress) as tick,
        closing(source.perform(plan.actions)) as performed,
    ):
        for number, found in performed:
            if (
                plan.is_chain
                and not found
                and any(one.status != "done" for one in results.values())
            ):
                raise CommandError(
                    "What was left rests on what could not be done.", suggestion="Plan it again."
                )
            results.update({(number, one.uid): one for one in found})
            if journal is not None:
                note = journal.note if found else journal.begin
                note(plan.actions[number], number, found)
            tick(len(found))


def _result(entry: Entry, results: dict[tuple[int, int], Result], error: str) -> Result:
    if entry.state == "gone":
        return Result(entry.uid, "gone")
    if entry.action < 0:
        return Result(entry.uid, "done", _AS_IT_WAS)
    found = results.get((entry.action, entry.uid))
    if found is not None:
        return found
    return Result(
        entry.uid, "failed", f"not tried: {error.splitlines()[0]}" if error else "not tried"
    )


def undone(source: WritableSource, outcome: Outcome, session: Writer) -> Plan:
    """Plan how to take back what was done.

    Parameters
    ----------
    source
        Where.
    outcome
        Of what was done.
    session
        Does it, later.

    Raises
    ------
    NotSupportedError
        If it cannot be taken back.
    QueryError
        If it is about another account.
    """
    if not isinstance(outcome, Outcome):
        raise QueryError(
            f"A {type(outcome).__name__} is no outcome.",
            suggestion="outcome = plan.apply(), and then session.undo(outcome).",
        )
    _check_account("outcome", outcome.plan, source)
    if not outcome.plan.can_be_undone:
        raise NotSupportedError(
            "Copies, appended messages and messages deleted for good cannot be taken back.",
            suggestion="Copies and appended messages can be deleted: "
            "session.delete(outcome.arrived).",
        )
    done = [
        fate for fate in outcome.fates if fate.result.status == "done" and fate.entry.action >= 0
    ]
    wants = [_changed_back(fate) for fate in done if fate.entry.verb != "move"]
    moved = [fate for fate in done if fate.entry.verb == "move"]
    known = [fate for fate in moved if fate.result.new_uid and fate.result.new_uidvalidity]
    # Of what stayed, marked as deleted, the mark is taken off, and the copy goes; unless somebody
    # has expunged it, and the copy is all there is.
    marked = {fate: _unmarked(fate.entry) for fate in known if fate.result.stays}
    here = records_of(source, marked.values())
    stayed = {fate: want for fate, want in marked.items() if want[:3] in here}
    wants += [*stayed.values()]
    wants += [
        Want(*_copy(fate), "delete")
        if fate in stayed
        else Want(*_copy(fate), "move", target=fate.entry.folder)
        for fate in known
    ]
    lost = len(moved) - len(known)
    said = [f"Of {many(lost)} it is not known where they are now: they stay there."] if lost else []
    # No copy goes where its original could not be had back.
    return draft(source, wants, session, warnings=said, is_chain=bool(stayed))


def _changed_back(fate: Fate) -> Want:
    entry = fate.entry
    before = {word.lower() for word in entry.flags or ()}
    added = tuple(word for word in entry.add if word.lower() not in before)
    removed = tuple(word for word in entry.remove if word.lower() in before)
    verb: Verb = "labels" if entry.verb == "labels" else "flags"
    return Want(entry.folder, entry.uidvalidity, entry.uid, verb, removed, added)


def _unmarked(entry: Entry) -> Want:
    return Want(entry.folder, entry.uidvalidity, entry.uid, "flags", remove=("\\Deleted",))


def _copy(fate: Fate) -> tuple[str, int, int]:
    found = fate.result
    return fate.entry.target, found.new_uidvalidity or 0, found.new_uid or 0
