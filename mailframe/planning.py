"""Rows and what is wanted of them -> a plan: what is there is looked up, nothing is changed."""

from __future__ import annotations

from contextlib import closing
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from mailframe.actions import Action, Entry
from mailframe.exceptions import FolderError, QueryError
from mailframe.plan import Plan
from mailframe.plan_view import many
from mailframe.rights import missing_rights
from mailframe.selection import check_folders, keys_of, selections_of, with_role
from mailframe.source import is_glob, is_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.actions import Letter, Place, Verb
    from mailframe.plan import Writer
    from mailframe.records import Folder, MessageRecord
    from mailframe.source import WritableSource

__all__ = [
    "Want",
    "draft",
    "draft_letters",
    "keys_in",
    "records_of",
    "same_for_all",
    "target_of",
    "trash_of",
]

#: From so many messages on a plan warns of its size.
MANY = 1000


class Want(NamedTuple):
    """What is wanted of one message."""

    folder: str
    uidvalidity: int
    uid: int
    verb: Verb
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    target: str = ""


class _Key(NamedTuple):
    """What messages have in common that are dealt with together."""

    verb: Verb
    folder: str
    uidvalidity: int
    add: tuple[str, ...]
    remove: tuple[str, ...]
    target: str


def keys_in(rows: object, account: str) -> list[tuple[str, int, int]]:
    """Read which messages rows are about: folder, UIDVALIDITY and UID, in the order of the rows.

    Parameters
    ----------
    rows
        A frame that a session returned, filtered as one likes.
    account
        Whose messages they must be.

    Raises
    ------
    QueryError
        If it is no frame, lacks keys, or is about another account.
    """
    if not isinstance(rows, pd.DataFrame):
        raise QueryError(
            f"Which messages? A {type(rows).__name__} does not say.",
            suggestion='Give rows of a frame: session.move(df[df["size"] > 1e6], "Large"), or '
            'session.mark(session.search("UNSEEN"), seen=True).',
        )
    keys = keys_of(rows, account)
    # INBOX has no case (RFC 3501 section 5.1): spelled in two ways it is still one folder.
    folders = ["INBOX" if name.upper() == "INBOX" else name for name in keys["folder"]]
    numbers = (keys[name].tolist() for name in ("uidvalidity", "uid"))
    # Each once: one UID may be there as a number and as text.
    return list(dict.fromkeys(zip(folders, *numbers, strict=True)))


def same_for_all(
    keys: Iterable[tuple[str, int, int]],
    verb: Verb,
    *,
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
    target: str = "",
) -> list[Want]:
    """Want the same of all messages."""
    return [Want(*key, verb, add, remove, target) for key in keys]


def target_of(source: WritableSource, folder: object, *, create: bool) -> tuple[str, bool]:
    r"""Find the folder that messages are to be put into.

    Parameters
    ----------
    source
        Where it is.
    folder
        Its name, or role: ``"\\Archive"``.
    create
        Whether it may be made.

    Returns
    -------
    tuple of str and bool
        Its name, and whether it is still to be made.

    Raises
    ------
    FolderError
        If it is not there, or can hold no messages.
    """
    if not isinstance(folder, str) or not folder:
        raise FolderError(f"{folder!r} is no name of a folder.")
    listed = source.folders(status=False)
    if is_role(folder):
        return with_role(listed, folder), False
    name = "INBOX" if folder.upper() == "INBOX" else folder
    there = {one.name: one for one in listed}
    if name in there and there[name].selectable:
        return name, False
    if name in there:
        raise FolderError(
            f"{name!r} holds only other folders, no messages.",
            suggestion=f"One below it: {_below(there[name], listed)}.",
        )
    if create:
        return name, True
    near = get_close_matches(name, there, n=1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    what = "A pattern names no target. " if is_glob(name) else ""
    raise FolderError(
        f"There is no folder {name!r}.",
        suggestion=f"{what}{meant}create=True makes it first; session.folders() shows those there "
        "are.",
    )


def trash_of(source: WritableSource) -> str:
    """Find the folder for what is deleted (RFC 6154)."""
    try:
        return with_role(source.folders(status=False), "\\Trash")
    except FolderError as error:
        raise FolderError(
            "This account has no folder that is known to be its trash.",
            suggestion='Say which: session.move(df, "Trash", create=True); or delete for good: '
            "session.delete(df, permanently=True).",
        ) from error


def draft(
    source: WritableSource,
    wants: Sequence[Want],
    session: Writer,
    *,
    create: tuple[str, ...] = (),
    warnings: Sequence[str] = (),
    is_chain: bool = False,
) -> Plan:
    """Make a plan: see how the messages are now, and leave out what needs no change.

    Parameters
    ----------
    source
        Where they are.
    wants
        Of distinct messages for each verb.
    session
        Does it, later.
    create
        Folders that are to be made first.
    warnings
        What is known to be said.
    is_chain
        See `Plan`.

    Raises
    ------
    UidValidityError
        If a folder was renumbered since the rows were read, and FolderError if it has gone.
    """
    records = records_of(source, wants)
    since = _places(source, wants, create)
    groups: dict[_Key, tuple[int, list[MessageRecord]]] = {}
    entries: list[Entry] = []
    for want in wants:
        record = records.get((want.folder, want.uidvalidity, want.uid))
        state = "gone" if record is None else _state(want, record)
        number = -1
        if record is not None and state == "change":
            key = _Key(want.verb, want.folder, want.uidvalidity, want.add, want.remove, want.target)
            number, messages = groups.setdefault(key, (len(groups), []))
            messages.append(record)
        entries.append(_entry(want, record, state, number))
    actions = tuple(
        Action(
            key.verb,
            key.folder,
            key.uidvalidity,
            tuple(sorted(messages, key=lambda one: one.uid)),
            key.add,
            key.remove,
            key.target,
            since.get(key.target),
        )
        for key, (_, messages) in groups.items()
    )
    create = create if actions else ()  # for nothing no folder is made
    said = [*_loud(entries), *warnings, *_marked(actions), *missing_rights(source, actions, create)]
    return Plan(source.account, tuple(entries), actions, create, tuple(said), is_chain, session)


def draft_letters(
    source: WritableSource,
    letters: Sequence[Letter],
    folder: str,
    session: Writer,
    *,
    create: tuple[str, ...] = (),
) -> Plan:
    """Plan to put messages into a folder.

    Parameters
    ----------
    source
        Where it is.
    letters
        The messages.
    folder
        Its name.
    session
        Does it, later.
    create
        The folder, if it is still to be made.

    Raises
    ------
    QueryError
        If one is larger than the server takes.
    """
    _check_sizes(source, letters)
    since = None if folder in create else source.place(folder)
    validity = 0 if since is None else since.uidvalidity
    action = Action("append", folder, validity, since=since, letters=tuple(letters))
    entries = (
        Entry(
            folder, validity, place, "append", folder, letter.flags, (), "change", 0,
            sender=letter.headers.from_[0].address if letter.headers.from_ else None,
            subject=letter.headers.subject,
            date=letter.headers.date,
            size=len(letter.content),
            flags=(),
        )
        for place, letter in enumerate(letters)
    )  # fmt: skip
    warnings = [] if create else missing_rights(source, [action])
    actions = (action,) if letters else ()
    return Plan(source.account, tuple(entries), actions, create, tuple(warnings), session=session)


def records_of(
    source: WritableSource, wants: Iterable[Want]
) -> dict[tuple[str, int, int], MessageRecord]:
    """Read how messages are now, by folder, UIDVALIDITY and UID; those that have gone are left out.

    Parameters
    ----------
    source
        Where they are.
    wants
        Which.
    """
    keys = pd.DataFrame(
        list(dict.fromkeys((w.folder, w.uidvalidity, w.uid) for w in wants)),
        columns=["folder", "uidvalidity", "uid"],
    )
    found = selections_of(keys)
    check_folders(source, found)
    records: dict[tuple[str, int, int], MessageRecord] = {}
    for one in found:
        with closing(source.headers(one, "brief")) as read:
            records |= {(one.folder, one.uidvalidity, record.uid): record for record in read}
    return records


def _places(
    source: WritableSource, wants: Iterable[Want], create: Sequence[str]
) -> dict[str, Place]:
    targets = dict.fromkeys(want.target for want in wants if want.target)
    return {name: source.place(name) for name in targets if name not in create}


def _state(want: Want, record: MessageRecord) -> str:
    if want.verb == "move" and want.target == want.folder:
        return "as it is"
    if want.verb not in {"flags", "labels"}:
        return "change"
    words = record.flags if want.verb == "flags" else (record.labels or ())
    now = {word.lower() for word in words}
    is_so = now.issuperset(map(str.lower, want.add)) and now.isdisjoint(map(str.lower, want.remove))
    return "as it is" if is_so else "change"


def _entry(want: Want, record: MessageRecord | None, state: str, number: int) -> Entry:
    entry = Entry(
        want.folder, want.uidvalidity, want.uid, want.verb, want.target, want.add, want.remove,
        state, number,
    )  # fmt: skip
    if record is None:
        return entry
    words = record.flags if want.verb != "labels" else (record.labels or ())
    headers = record.headers
    return entry._replace(
        sender=headers.from_[0].address if headers.from_ else None,
        subject=headers.subject,
        date=headers.date,
        size=record.size,
        flags=tuple(words),
    )


def _loud(entries: Iterable[Entry]) -> list[str]:
    number = sum(entry.state == "change" for entry in entries)
    if number < MANY:
        return []
    return [f"THESE ARE {many(number).upper()}. Make sure that so many are meant."]


def _marked(actions: Iterable[Action]) -> list[str]:
    """Warn of what may have been moved before, by a server that could not take it away."""
    marked = sum(
        "\\deleted" in map(str.lower, message.flags)
        for action in actions
        if action.verb in {"move", "copy"}
        for message in action.messages
    )
    return [f"{many(marked)} marked as deleted already: moved before?"] if marked else []


def _below(folder: Folder, listed: Iterable[Folder]) -> str:
    prefix = f"{folder.name}{folder.delimiter or ''}"
    names = [repr(one.name) for one in listed if one.name.startswith(prefix) and one.selectable]
    return ", ".join(names[:3]) or f"{prefix}…"


def _check_sizes(source: WritableSource, letters: Iterable[Letter]) -> None:
    limits = [word for word in source.capabilities() if word.startswith("APPENDLIMIT=")]
    most = int(limits[0].partition("=")[2]) if limits and limits[0][12:].isdigit() else None
    for letter in letters:
        if most is not None and len(letter.content) > most:
            raise QueryError(
                f"The message has {len(letter.content):,} bytes; the server takes {most:,} at most "
                "(APPENDLIMIT, RFC 7889).",
                suggestion="Leave attachments out, or ask the provider for more.",
            )
