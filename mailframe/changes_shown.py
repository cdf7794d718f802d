"""What ``mailframe move``, ``mark`` and ``delete`` do: a plan is shown, and applied if wanted."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from mailframe.exceptions import FolderError, QueryError
from mailframe.plan_view import plan_as_text
from mailframe.terminal import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from mailframe.plan import Plan
    from mailframe.session import Session

__all__ = ["show_changes"]

#: Flags as they are typed.
_FLAGS = {name: f"\\{name.title()}" for name in ("seen", "answered", "flagged", "draft", "deleted")}


def show_changes(
    session: Session, rows: pd.DataFrame, options: argparse.Namespace, *, progress: Any
) -> int:
    """Print what would be done with messages; with ``--apply`` do it, and print what became of it.

    Parameters
    ----------
    session
        Opened for writing.
    rows
        The messages.
    options
        Of the command.
    progress
        Whether bars are shown.

    Returns
    -------
    int
        0; 1 if not all of it could be done.
    """
    plan = _PLANS[options.command](session, rows, options)
    print(clean(plan_as_text(plan, "" if options.apply else "the same command with --apply", "")))
    if not options.apply or not plan.actions:
        return 0
    with warnings.catch_warnings():  # they say what is printed here
        warnings.simplefilter("ignore", UserWarning)
        outcome = plan.apply(progress=progress)
    print(clean(f"\n{outcome!r}"))
    return 0 if outcome.is_complete else 1


def _move(session: Session, rows: pd.DataFrame, options: argparse.Namespace) -> Plan:
    try:
        plan: Plan = session.move(rows, options.target, create=options.create)
    except FolderError as error:
        known = "'mailframe folders' shows those there are; --create makes a new one."
        raise FolderError(error.tried, reply=error.reply, suggestion=known) from error
    return plan


def _mark(session: Session, rows: pd.DataFrame, options: argparse.Namespace) -> Plan:
    if not options.add and not options.remove:
        raise QueryError("What is to be changed?", suggestion="--add seen, --remove flagged, …")
    _check_alone("add", options.add)
    _check_alone("remove", options.remove)
    plan: Plan = session.keyword(rows, add=_named(options.add), remove=_named(options.remove))
    return plan


def _delete(session: Session, rows: pd.DataFrame, options: argparse.Namespace) -> Plan:
    plan: Plan = session.delete(rows, permanently=options.permanently)
    return plan


def _named(words: Iterable[str]) -> list[str]:
    return [_FLAGS.get(word.lower().removeprefix("\\"), word) for word in words]


def _check_alone(option: str, words: Iterable[str]) -> None:
    """Refuse commas: a keyword may hold one (RFC 3501 section 9), but nobody means that here."""
    for word in words:
        if "," in word:
            raise QueryError(
                f"--{option} takes one flag at a time: {word!r} is none.",
                suggestion=f"Repeat it: --{option} seen --{option} flagged.",
            )


_PLANS: Mapping[str, Callable[[Session, pd.DataFrame, argparse.Namespace], Plan]] = {
    "move": _move,
    "mark": _mark,
    "delete": _delete,
}
