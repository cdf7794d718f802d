"""Flags and labels changed, and messages removed: what may be done twice without harm.

Commands go for ranges of UIDs. Only messages that are named are removed (UID EXPUNGE, RFC 4315
section 2.1): a bare EXPUNGE would take along what other programs have marked.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.actions import Result
from mailframe.criteria import Key, UidSet
from mailframe.exceptions import CommandError, ConnectionFailedError, QueryError, ThrottledError
from mailframe.imap.fetch import Request, fetch
from mailframe.imap.items import read_flags, read_number, read_string
from mailframe.imap.names import decode_name, encode_name
from mailframe.imap.responses import parse_fetch
from mailframe.imap.search import search
from mailframe.imap.uids import chunks, to_uid_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Token

__all__ = [
    "LOST",
    "MARKED",
    "check_flags",
    "expunge",
    "in_pieces",
    "present",
    "remove",
    "store_flags",
    "store_labels",
    "unchangeable",
]

log = logging.getLogger(__name__)

#: Messages in one command, at most: few commands, and yet something to see of how far it has come.
CHUNK = 2000
#: Said of messages of which nobody knows.
LOST = "the connection was lost, and it could not be found out whether this was done"
#: Said of messages that are removed where the server can remove no single ones.
MARKED = "it stays, marked as deleted, until the folder is expunged: this server has no UIDPLUS"

_DELETED = r"\Deleted"
# RFC 3501 section 9: a keyword is an atom; with a backslash there are five that can be set.
_FLAG = re.compile(
    r"\\(?:answered|flagged|deleted|seen|draft)|[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~]+",
    re.IGNORECASE,
)


def check_flags(flags: Iterable[object]) -> None:
    r"""Refuse what is no flag (RFC 3501 section 9), before anything is sent.

    Parameters
    ----------
    flags
        ``"\\Seen"``, ``"project-x"``.

    Raises
    ------
    QueryError
        For anything but one word of ASCII, or one of the five flags with a backslash.
    """
    for flag in flags:
        if not isinstance(flag, str) or not _FLAG.fullmatch(flag):
            raise QueryError(
                f"{flag!r} is no flag that can be set.",
                suggestion="A keyword is one word of ASCII letters, digits and signs, such as "
                "project-x; the others are \\Seen, \\Answered, \\Flagged, \\Draft and \\Deleted.",
            )


def unchangeable(connection: Connection, flags: Iterable[str]) -> str:
    """Say why flags of the open folder cannot be changed for good; empty where they can.

    Parameters
    ----------
    connection
        With the folder selected for writing.
    flags
        To be set or taken off.
    """
    selected = connection.the_selected()
    kept = selected.permanent_flags
    if selected.is_readonly:
        return f"the server opens {selected.folder!r} for reading only"
    if kept is None:  # RFC 3501 section 7.1: then all are
        return ""
    lost = [
        flag
        for flag in flags
        if flag.lower() not in kept and (flag.startswith("\\") or r"\*" not in kept)
    ]
    return f"the server does not keep {' '.join(lost)} in {selected.folder!r}" if lost else ""


def present(connection: Connection, uids: Sequence[int]) -> set[int]:
    """Say which messages of the open folder are still there (UID SEARCH).

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Whose.
    """
    found: set[int] = set()
    for chunk in chunks(sorted(uids), CHUNK):
        found.update(search(connection, Key("UID", (UidSet.of(chunk),))))
    return found & set(uids)


def in_pieces(connection: Connection, uids: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """Cut UIDs into pieces of one command each, ascending, so that they make few ranges."""
    return chunks(sorted(uids), min(CHUNK, connection.message_limit or CHUNK))


def store_flags(
    connection: Connection, uids: Iterable[int], add: Sequence[str], remove: Sequence[str]
) -> Iterator[list[Result]]:
    """Set flags, and take others off (RFC 3501 section 6.4.6).

    Parameters
    ----------
    connection
        With the folder selected for writing.
    uids
        Distinct.
    add, remove
        Flags.

    Yields
    ------
    list of Result
        A command's. ``failed`` where the server does not keep a flag: then none is changed.
    """
    check_flags((*add, *remove))
    return _store(connection, uids, add, remove, _FLAGS)


def store_labels(
    connection: Connection, uids: Iterable[int], add: Sequence[str], remove: Sequence[str]
) -> Iterator[list[Result]]:
    """Set labels, and take others off (Gmail's X-GM-LABELS).

    Parameters
    ----------
    connection
        With the folder selected for writing.
    uids
        Distinct.
    add, remove
        Labels as Gmail shows them, or its own, which have a backslash in front.

    Yields
    ------
    list of Result
        A command's.
    """
    connection.require("X-GM-EXT-1", "labels")
    return _store(connection, uids, add, remove, _LABELS)


class _Item(NamedTuple):
    """What is stored: its name, how it is written, and how it is read."""

    name: str
    write: Callable[[Sequence[str]], list[bytes]]
    read: Callable[[Token], Iterable[str]]


def _written_labels(labels: Sequence[str]) -> list[bytes]:
    pieces: list[bytes] = []
    for label in labels:
        system = label.startswith("\\") and label[1:].isalpha() and label.isascii()
        pieces += [b" " if pieces else b"", *([label.encode()] if system else encode_name(label))]
    return pieces


def _read_labels(token: Token) -> list[str]:
    return [decode_name(read_string(one)) for one in token] if isinstance(token, list) else []


_FLAGS = _Item("FLAGS", lambda flags: [" ".join(flags).encode("ascii")], read_flags)
_LABELS = _Item("X-GM-LABELS", _written_labels, _read_labels)


def _store(
    connection: Connection,
    uids: Iterable[int],
    add: Sequence[str],
    remove: Sequence[str],
    item: _Item,
) -> Iterator[list[Result]]:
    for chunk in in_pieces(connection, uids):
        reason = unchangeable(connection, (*add, *remove) if item is _FLAGS else ())
        if reason:
            yield [Result(uid, "failed", reason) for uid in chunk]
            continue
        try:
            found = _stored(connection, chunk, add, remove, item)
        except ThrottledError:
            raise
        except CommandError as refused:
            yield [Result(uid, "failed", refused.reply) for uid in chunk]
        except ConnectionFailedError:
            yield [Result(uid, "unknown", LOST) for uid in chunk]
            raise
        else:
            yield [_outcome(uid, found.get(uid), add, remove) for uid in chunk]


def _stored(
    connection: Connection,
    uids: Sequence[int],
    add: Sequence[str],
    remove: Sequence[str],
    item: _Item,
) -> dict[int, frozenset[str]]:
    """Store what there is to store; return, in lower case, what each message has now."""
    found: dict[int, frozenset[str]] = {}
    for sign, words in (("+", add), ("-", remove)):
        if not words:
            continue
        pieces = (b" %b%b (" % (sign.encode(), item.name.encode()), *item.write(words), b")")
        # Done twice it is the same: on the next connection it is sent again.
        for reply in connection.command(
            b"UID STORE ",
            to_uid_set(uids),
            *pieces,
            tried=f"Could not change {item.name} in {connection.the_selected().folder!r}.",
            patient=True,
        ):
            items = parse_fetch(reply) if reply.kind == "FETCH" else {}
            uid = read_number(items.get("UID"))
            if uid is not None and item.name in items:
                found[uid] = frozenset(map(str.lower, item.read(items[item.name])))
    # A server may be silent about messages for which nothing has changed.
    silent = [uid for uid in uids if uid not in found]
    if silent:
        wanted = Request(silent, item.name.encode(), frozenset({"UID", item.name}), 60)
        for uid, answer in fetch(connection, [wanted]):
            if isinstance(answer, dict):
                found[uid] = frozenset(map(str.lower, item.read(answer[item.name])))
    return found


def _outcome(
    uid: int, now: frozenset[str] | None, add: Sequence[str], remove: Sequence[str]
) -> Result:
    if now is None:
        return Result(uid, "gone")
    lacking = [word for word in add if word.lower() not in now]
    kept = [word for word in remove if word.lower() in now]
    if lacking:
        return Result(uid, "failed", f"the server did not set {' '.join(lacking)}")
    if kept:
        return Result(uid, "failed", f"the server did not take off {' '.join(kept)}")
    return Result(uid, "done")


def remove(connection: Connection, uids: Iterable[int]) -> Iterator[list[Result]]:
    r"""Remove messages for good: mark them as ``\Deleted``, and expunge these alone.

    Parameters
    ----------
    connection
        With the folder selected for writing.
    uids
        Distinct.

    Yields
    ------
    list of Result
        A command's. Without UIDPLUS messages are only marked, and the reason says so.
    """
    for marked in store_flags(connection, uids, (_DELETED,), ()):
        done = [one.uid for one in marked if one.status == "done"]
        if not done:
            yield marked
            continue
        if not connection.offers("UIDPLUS"):
            yield [
                one._replace(reason=MARKED, stays=True) if one.status == "done" else one
                for one in marked
            ]
            continue
        try:
            reasons = expunge(connection, done)
        except ConnectionFailedError:
            yield [
                one if one.status == "gone" else one._replace(status="unknown", reason=LOST)
                for one in marked
            ]
            raise
        yield [
            one._replace(status="failed", reason=reasons[one.uid]) if one.uid in reasons else one
            for one in marked
        ]


def expunge(connection: Connection, uids: Sequence[int]) -> dict[int, str]:
    """Expunge messages that are marked as deleted, these alone (RFC 4315 section 2.1).

    Parameters
    ----------
    connection
        With the folder selected for writing, on a server with UIDPLUS.
    uids
        Of one command.

    Returns
    -------
    dict
        Why, for those that are still there.
    """
    folder = connection.the_selected().folder
    reason = "marked as deleted, but the server did not remove it"
    try:
        replies = connection.command(
            b"UID EXPUNGE ",
            to_uid_set(uids),
            tried=f"Could not remove messages from {folder!r}.",
            patient=True,
        )
    except ThrottledError:
        raise
    except CommandError as refused:
        reason = f"marked as deleted, but not removed: {refused.reply}"
        replies = []
    if sum(reply.kind == "EXPUNGE" for reply in replies) >= len(uids):
        return {}
    return dict.fromkeys(present(connection, uids), reason)
