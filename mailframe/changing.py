"""The methods of a session that change mail: each gives a plan, and nothing is done before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailframe.applying import apply, undone
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.imap.changes import check_flags
from mailframe.letters import letter_of
from mailframe.planning import draft, draft_letters, keys_in, same_for_all, target_of, trash_of
from mailframe.source import check_apart, words_of, yes_or_no
from mailframe.writable import Writable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import pandas as pd

    from mailframe.actions import Verb
    from mailframe.letters import Mail
    from mailframe.plan import Outcome, Plan
    from mailframe.planning import Want
    from mailframe.source import WritableSource

__all__ = ["Changing"]

# Methods with ``apply=`` are of type ``Plan | Any``: the outcome, if that is True.


class Changing(Writable):
    """What of `Session` changes mail: a part of it, not to be made alone."""

    def mark(
        self,
        rows: pd.DataFrame,
        *,
        seen: bool | None = None,
        answered: bool | None = None,
        flagged: bool | None = None,
        draft: bool | None = None,
        deleted: bool | None = None,
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        r"""Plan to mark messages as read, answered, … or not (RFC 3501 section 2.3.2).

        Parameters
        ----------
        rows
            Of any frame that a session returned, filtered as one likes.
        seen, answered, flagged, draft, deleted
            True to set the flag, False to take it off, None to leave it. What is marked as
            ``\Deleted`` is still there until the folder is expunged.
        apply
            Do it at once.
        progress
            See `Session`.

        Returns
        -------
        Plan
            Nothing is done before ``plan.apply()``; with ``apply=True`` its `Outcome`.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        QueryError
            If the rows do not say which messages, or no flag is named.
        UidValidityError
            If a folder was renumbered since the rows were read.

        Examples
        --------
        ::

            df = session.headers(mf.Q(from_="newsletter", seen=False))
            session.mark(df, seen=True).apply()
        """
        given = {
            "seen": seen,
            "answered": answered,
            "flagged": flagged,
            "draft": draft,
            "deleted": deleted,
        }
        wanted = {
            f"\\{name.title()}": yes_or_no(name, on) for name, on in given.items() if on is not None
        }
        return self._change_flags(
            rows,
            tuple(flag for flag, on in wanted.items() if on),
            tuple(flag for flag, on in wanted.items() if not on),
            "seen=True",
            apply=apply,
            progress=progress,
        )

    def flag(
        self, rows: pd.DataFrame, *, on: bool = True, apply: bool = False, progress: Any = None
    ) -> Plan | Any:
        r"""Plan to give messages a star (``\Flagged``), or to take it off.

        Parameters
        ----------
        rows, apply, progress
            See `mark`.
        on
            False to take it off.

        Returns
        -------
        Plan
            As of `mark`.

        Raises
        ------
        ReadOnlyError, QueryError, UidValidityError
            As `mark` does.
        """
        return self.mark(rows, flagged=yes_or_no("on", on), apply=apply, progress=progress)

    def keyword(
        self,
        rows: pd.DataFrame,
        *,
        add: str | Iterable[str] = (),
        remove: str | Iterable[str] = (),
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        """Plan to set keywords of one's own, and to take others off (RFC 3501 section 2.3.2).

        Parameters
        ----------
        rows, apply, progress
            See `mark`.
        add, remove
            One keyword, or several: each a word of ASCII.

        Returns
        -------
        Plan
            As of `mark`.

        Raises
        ------
        ReadOnlyError, QueryError, UidValidityError
            As `mark` does.

        Examples
        --------
        ::

            session.keyword(df, add=["project-x", "$Forwarded"]).apply()
        """
        return self._change_flags(
            rows, words_of(add), words_of(remove), 'add="project-x"', apply=apply, progress=progress
        )

    def label(
        self,
        rows: pd.DataFrame,
        *,
        add: str | Iterable[str] = (),
        remove: str | Iterable[str] = (),
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        r"""Plan to set Gmail's labels, and to take others off (X-GM-LABELS).

        Parameters
        ----------
        rows, apply, progress
            See `mark`.
        add, remove
            One label, or several, as Gmail shows them; its own have a backslash in front:
            ``"\\Starred"``.

        Returns
        -------
        Plan
            As of `mark`.

        Raises
        ------
        NotSupportedError
            If the server is not Gmail: others have keywords.
        ReadOnlyError, QueryError, UidValidityError
            As `mark` does.
        """
        source = self._writable("change labels")
        if "X-GM-EXT-1" not in source.capabilities():
            raise NotSupportedError(
                "Only Gmail has labels.", suggestion="Other servers have session.keyword(df, …)."
            )
        added, removed = words_of(add), words_of(remove)
        _check_words(added, removed, 'add="Project X"')
        wants = same_for_all(keys_in(rows, source.account), "labels", add=added, remove=removed)
        return self._planned(draft(source, wants, self), apply=apply, progress=progress)

    def move(
        self,
        rows: pd.DataFrame,
        folder: str,
        *,
        create: bool = False,
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        r"""Plan to move messages to another folder (RFC 6851).

        Parameters
        ----------
        rows, apply, progress
            See `mark`.
        folder
            Where to: a name, or a role (``"\\Archive"``).
        create
            Make the folder first if it is not there.

        Returns
        -------
        Plan
            As of `mark`.

        Raises
        ------
        FolderError
            If there is no such folder.
        ReadOnlyError, QueryError, UidValidityError
            As `mark` does.

        Notes
        -----
        Where a server has no MOVE, messages are copied, marked as deleted and, if it has UIDPLUS
        (RFC 4315), expunged, these alone. Without UIDPLUS they stay where they were, marked as
        deleted: what others have marked is not expunged along with them.

        Examples
        --------
        ::

            old = session.headers(mf.Q(before="1y"))
            plan = session.move(old, "Archive/2025", create=True)
            plan
            outcome = plan.apply()
            outcome.undo().apply()
        """
        return self._transfer("move", rows, folder, create, apply=apply, progress=progress)

    def copy(
        self,
        rows: pd.DataFrame,
        folder: str,
        *,
        create: bool = False,
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        """Plan to copy messages to another folder (RFC 3501 section 6.4.7).

        Parameters
        ----------
        rows, folder, create, apply, progress
            See `move`.

        Returns
        -------
        Plan
            As of `mark`. Applying the same plan twice copies once.

        Raises
        ------
        FolderError, ReadOnlyError, QueryError, UidValidityError
            As `move` does.
        """
        return self._transfer("copy", rows, folder, create, apply=apply, progress=progress)

    def delete(
        self,
        rows: pd.DataFrame,
        *,
        permanently: bool = False,
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        r"""Plan to move messages to the trash, or to delete them for good.

        Parameters
        ----------
        rows, apply, progress
            See `mark`.
        permanently
            For good, which cannot be undone; else they are moved to the folder with the role
            ``\Trash`` (RFC 6154).

        Returns
        -------
        Plan
            As of `mark`.

        Raises
        ------
        FolderError
            If the account has no trash.
        ReadOnlyError, QueryError, UidValidityError
            As `mark` does.
        """
        source = self._writable("delete messages")
        keys = keys_in(rows, source.account)
        if yes_or_no("permanently", permanently):
            wants, said = same_for_all(keys, "delete"), _warnings_of_deleting(source)
        else:
            trash = trash_of(source)
            wants = same_for_all(keys, "move", target=trash)
            there = any(key[0] == trash for key in keys)
            said = (
                [f"What is in {trash!r} stays there, unless it is deleted permanently."]
                if there
                else []
            )
        plan = draft(source, wants, self, warnings=said)
        return self._planned(plan, apply=apply, progress=progress)

    def append(
        self,
        mail: Mail | Sequence[Mail],
        folder: str = "INBOX",
        *,
        flags: str | Iterable[str] = (),
        date: datetime | None = None,
        create: bool = False,
        apply: bool = False,
        progress: Any = None,
    ) -> Plan | Any:
        r"""Plan to put messages into a folder; nobody is sent anything (RFC 3501 section 6.3.11).

        Parameters
        ----------
        mail
            The path of an ``.eml`` file, a message as bytes, an `email.message.EmailMessage`, an
            `Email` of `Session.message` (of another account, or of files), or several of these.
        folder, create, apply, progress
            See `move`.
        flags
            That it will have: ``"\\Seen"``, keywords.
        date
            What is taken for the time of its arrival; a naive one is local time. By default now.

        Returns
        -------
        Plan
            As of `mark`. Applying the same plan twice appends once.

        Raises
        ------
        QueryError
            If it is no message, or too large a one.
        MailFileError
            If a file cannot be read.
        FolderError, ReadOnlyError
            As `move` does.
        """
        source = self._writable("append messages")
        wanted = words_of(flags)
        check_flags(wanted)
        several = isinstance(mail, list | tuple)
        mails: Sequence[Any] = mail if several else [mail]  # type: ignore[assignment] # one of them
        letters = [letter_of(one, wanted, date) for one in mails]
        name, is_new = target_of(source, folder, create=yes_or_no("create", create))
        plan = draft_letters(source, letters, name, self, create=(name,) if is_new else ())
        return self._planned(plan, apply=apply, progress=progress)

    def apply(self, plan: Plan, *, progress: Any = None) -> Outcome:
        """Do what was planned: see `Plan.apply`.

        Parameters
        ----------
        plan
            Of this session, or of another one on the same account.
        progress
            See `Session`.

        Returns
        -------
        Outcome
            What has become of each message.

        Raises
        ------
        ReadOnlyError
            If the session was not opened for writing.
        QueryError
            If the plan is about another account.
        """
        return apply(self._writable("apply a plan"), plan, self, self._journal, progress)

    def undo(self, outcome: Outcome) -> Plan:
        """Plan how to take back what was done: see `Outcome.undo`.

        Parameters
        ----------
        outcome
            Of this session, or of another one on the same account.

        Returns
        -------
        Plan
            Nothing is done before it is applied.

        Raises
        ------
        NotSupportedError
            If it cannot be taken back.
        ReadOnlyError
            If the session was not opened for writing.
        """
        return undone(self._writable("undo anything"), outcome, self)

    def _change_flags(
        self,
        rows: pd.DataFrame,
        add: tuple[str, ...],
        remove: tuple[str, ...],
        example: str,
        *,
        apply: bool,
        progress: Any,
    ) -> Plan | Any:
        source = self._writable("change flags")
        check_flags((*add, *remove))
        _check_words(add, remove, example)
        wants = same_for_all(keys_in(rows, source.account), "flags", add=add, remove=remove)
        return self._planned(draft(source, wants, self), apply=apply, progress=progress)

    def _transfer(
        self,
        verb: Verb,
        rows: pd.DataFrame,
        folder: str,
        create: bool,  # noqa: FBT001 the caller's own
        *,
        apply: bool,
        progress: Any,
    ) -> Plan | Any:
        source = self._writable(f"{verb} messages")
        keys = keys_in(rows, source.account)
        target, is_new = target_of(source, folder, create=yes_or_no("create", create))
        wants = same_for_all(keys, verb, target=target)
        said = _warnings_of_moving(source, wants) if verb == "move" else []
        plan = draft(source, wants, self, create=(target,) if is_new else (), warnings=said)
        return self._planned(plan, apply=apply, progress=progress)

    def _planned(self, plan: Plan, *, apply: bool, progress: Any) -> Plan | Any:
        return self.apply(plan, progress=progress) if yes_or_no("apply", apply) else plan


def _check_words(add: Sequence[str], remove: Sequence[str], example: str) -> None:
    if not add and not remove:
        raise QueryError("What is to be changed?", suggestion=f"For example {example}.")
    for word in (*add, *remove):
        if not isinstance(word, str) or not word:
            raise QueryError(f"{word!r} is no label.", suggestion=f"For example {example}.")
    check_apart(add, remove)


def _warnings_of_moving(source: WritableSource, wants: Sequence[Want]) -> list[str]:
    offered = source.capabilities()
    if not wants or "MOVE" in offered or "UIDPLUS" in offered:
        return []
    said = (
        "This server has neither MOVE nor UIDPLUS: messages are copied, and stay where they were, "
        "marked as deleted, until a mail program expunges the folder."
    )
    return [said]


def _warnings_of_deleting(source: WritableSource) -> list[str]:
    said = ["Deleted for good: this cannot be undone."]
    offered = source.capabilities()
    if "UIDPLUS" not in offered:
        said.append(
            "This server has no UIDPLUS: messages are only marked as deleted, until a mail program "
            "expunges the folder."
        )
    if "X-GM-EXT-1" in offered:
        said.append(
            "Gmail only takes the folder's label off, unless it is set otherwise, and keeps the "
            "message in All Mail; session.delete(df) moves it to the trash."
        )
    return said
