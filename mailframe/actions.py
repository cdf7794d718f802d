"""What is to be done with messages on a server, and what has become of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from mailframe.records import Headers, MessageRecord

__all__ = [
    "Action",
    "Entry",
    "Fate",
    "Letter",
    "Place",
    "Result",
    "Status",
    "Verb",
    "fingerprint",
]

#: ``flags`` and ``labels`` are set and taken off; ``delete`` is for good.
Verb: TypeAlias = Literal["flags", "labels", "move", "copy", "delete", "append"]
Status: TypeAlias = Literal["done", "gone", "failed", "unknown"]


class Place(NamedTuple):
    """How far a folder was numbered at some time: what came later has this UID or a higher one."""

    uidvalidity: int
    uidnext: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is to be put into a folder.

    Attributes
    ----------
    content
        As it will be stored, with CRLF.
    flags
        That it will have.
    date
        What the server is to take for the time of its arrival, aware; None for now.
    headers
        Of it, decoded.
    """

    content: bytes
    flags: tuple[str, ...]
    date: datetime | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is to be done with messages of one folder.

    Attributes
    ----------
    verb
        What.
    folder, uidvalidity
        Where they are; for ``append`` where they are put.
    messages
        As they were when it was planned, distinct, UIDs ascending.
    add, remove
        Flags or labels.
    target
        Where to, for ``move`` and ``copy``.
    since
        How far the folder they are put into was numbered by then: who looks behind it sees what
        has been done. None if it was not there yet.
    letters
        For ``append``.
    """

    verb: Verb
    folder: str
    uidvalidity: int
    messages: tuple[MessageRecord, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    target: str = ""
    since: Place | None = None
    letters: tuple[Letter, ...] = ()


class Result(NamedTuple):
    """What has become of one message.

    Attributes
    ----------
    uid
        As it was; of a letter its place, from 0.
    status
        ``done``; ``gone``, it was not there any more; ``failed``, and is as it was, but for what
        the reason says; ``unknown``, it cannot be said whether it was done.
    reason
        Why, or what is worth knowing, in words.
    new_uidvalidity, new_uid
        Of the copy in the folder it was put into, if that is known.
    stays
        Whether it is done, and the message still there, marked as deleted.
    """

    uid: int
    status: Status
    reason: str = ""
    new_uidvalidity: int | None = None
    new_uid: int | None = None
    stays: bool = False


class Entry(NamedTuple):
    """One message of a plan.

    Attributes
    ----------
    folder, uidvalidity, uid
        Where it is; of one that is appended, where to, and its place from 0.
    verb, target, add, remove
        What is wanted.
    state
        ``change``; ``as it is``, since nothing needs to be done; ``gone``.
    action
        The number of the action that it is part of, -1 for none.
    sender, subject, date, size, flags
        What it is, read when this was planned.
    """

    folder: str
    uidvalidity: int
    uid: int
    verb: str
    target: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    state: str
    action: int = -1
    sender: str | None = None
    subject: str | None = None
    date: datetime | None = None
    size: int | None = None
    flags: tuple[str, ...] | None = None


class Fate(NamedTuple):
    """A message of a plan, and what has become of it."""

    entry: Entry
    result: Result


def fingerprint(headers: Headers | None, size: int | None) -> tuple[object, ...]:
    """Say what a message is told by, wherever it lies: a copy has the same.

    Parameters
    ----------
    headers, size
        Of the message; the size in bytes.
    """
    if headers is None:
        return (size,)
    return (size, headers.message_id, headers.date, headers.from_, headers.subject)
