"""Flags and labels changed, and messages removed: what may be done twice without harm.

Commands go for ranges of UIDs. Only messages that are named are removed (UID EXPUNGE, RFC 4315
section 2.1): a bare EXPUNGE would take along what other programs have marked.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mailframe.actions import Result
from mailframe.criteria import Key, UidSet
from mailframe.exceptions import (
    CommandError,
    MailframeError,
    ProtocolError,
    QueryError,
    ThrottledError,
)
from mailframe.imap.fetch import Request, fetch
from mailframe.imap.items import read_flags, read_number, read_string
from mailframe.imap.names import decode_name, encode_name
from mailframe.imap.responses import parse_fetch
from mailframe.imap.search import search
from mailframe.imap.uids import chunks, to_uid_set
from mailframe.imap.wire import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Fetched, Token

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
#: Octets of a command without its tag and verb, and of the UIDs in it, at most: RFC 7162 section 4
#: has 8,192 in all, and `search` keeps below 7,500 with its keys.
LINE = 7_900
SET = 7_490
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
    for chunk in in_pieces(connection, uids):  # SEARCH, too, is limited by RFC 9738
        found.update(search(connection, Key("UID", (UidSet.of(chunk),))))
    return found & set(uids)


def in_pieces(
    connection: Connection, uids: Iterable[int], *others: bytes
) -> Iterator[tuple[int, ...]]:
    """Cut UIDs into pieces of one command each, ascending, so that they make few ranges.

    Parameters
    ----------
    connection
        Says how many messages one command may be about.
    uids
        Distinct.
    others
        What else stands in the command, if that may be long.
    """
    beside = sum(len(one) for one in others if not isinstance(one, Literal))
    room = max(min(LINE - beside, SET), 1)
    for piece in chunks(sorted(uids), min(CHUNK, connection.message_limit or CHUNK)):
        yield from _short_enough(piece, room)


def _short_enough(uids: tuple[int, ...], room: int) -> Iterator[tuple[int, ...]]:
    if len(uids) == 1 or len(to_uid_set(uids)) <= room:
        yield uids
        return
    half = len(uids) // 2
    yield from _short_enough(uids[:half], room)
    yield from _short_enough(uids[half:], room)


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
    longest = max(item.write(add), item.write(remove), key=lambda pieces: sum(map(len, pieces)))
    for chunk in in_pieces(connection, uids, *longest):
        reason = unchangeable(connection, (*add, *remove) if item is _FLAGS else ())
        if reason:
            yield [Result(uid, "failed", reason) for uid in chunk]
            continue
        storing = _Storing(connection, chunk, item)
        try:
            storing.store("+", add)
            storing.store("-", remove)
            storing.look()
        except CommandError as refused:
            reason = "; then ".join([*storing.deeds, refused.reply])
            yield [Result(uid, "failed", reason) for uid in chunk]
            if isinstance(refused, ThrottledError):
                raise
        except MailframeError:
            yield [Result(uid, "unknown", LOST) for uid in chunk]
            raise
        else:
            yield [storing.result(uid, add, remove) for uid in chunk]


class _Storing:
    """One command's worth of messages, what was done to them, and what they have now."""

    def __init__(self, connection: Connection, uids: Sequence[int], item: _Item) -> None:
        self._connection = connection
        self._uids = uids
        self._item = item
        self._found: dict[int, frozenset[str]] = {}
        self._unseen: dict[int, str] = {}
        #: In words.
        self.deeds: list[str] = []

    def store(self, sign: str, words: Sequence[str]) -> None:
        """Store, if there is something to store."""
        if not words:
            return
        connection, name = self._connection, self._item.name
        # Done twice it is the same: on the next connection it is sent again.
        for reply in connection.command(
            b"UID STORE ",
            to_uid_set(self._uids),
            b" %b%b (" % (sign.encode(), name.encode()),
            *self._item.write(words),
            b")",
            tried=f"Could not change {name} in {connection.the_selected().folder!r}.",
            patient=True,
            limits_stay=True,
        ):
            items: Fetched = {}
            if reply.kind == "FETCH":
                with suppress(ProtocolError):  # then it is looked at
                    items = parse_fetch(reply)
            uid = read_number(items.get("UID"))
            if uid is not None and name in items:
                self._take(uid, items)
        self.deeds.append(f"{'set' if sign == '+' else 'took off'} {' '.join(words)}")

    def look(self) -> None:
        """Look at messages about which the server was silent: it may be, if nothing changed."""
        silent = [uid for uid in self._uids if uid not in self._found]
        name = self._item.name
        request = Request(silent, name.encode(), frozenset({"UID", name}), 60)
        try:
            for uid, answer in fetch(self._connection, [request] if silent else []):
                if isinstance(answer, dict):
                    self._take(uid, answer)
                elif answer is not None:
                    self._unseen[uid] = answer.reply
        except CommandError as refused:  # what was stored, was stored
            left = (uid for uid in silent if uid not in self._found)
            self._unseen.update(dict.fromkeys(left, refused.reply))

    def _take(self, uid: int, items: Fetched) -> None:
        self._found[uid] = frozenset(map(str.lower, self._item.read(items[self._item.name])))

    def result(self, uid: int, add: Sequence[str], remove: Sequence[str]) -> Result:
        """Say what has become of a message."""
        if uid in self._unseen:
            return Result(uid, "unknown", f"it could not be looked at: {self._unseen[uid]}")
        shown = [word for word in add if not self._is_the_folder(word)]
        return _outcome(uid, self._found.get(uid), shown, remove)

    def _is_the_folder(self, word: str) -> bool:
        """Whether it is the label of the open folder, which Gmail does not list with the others."""
        if self._item is not _LABELS:
            return False
        return word.lower().removeprefix("\\") == self._connection.the_selected().folder.lower()


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
        except MailframeError as ended:
            so_far = Result(0, "unknown", LOST)
            if isinstance(ended, ThrottledError):
                so_far = Result(0, "failed", _left(ended))
            yield [so_far._replace(uid=one.uid) if one.status == "done" else one for one in marked]
            raise
        yield [
            one._replace(status="failed", reason=reasons[one.uid]) if one.uid in reasons else one
            for one in marked
        ]


def _left(refused: CommandError) -> str:
    return f"marked as deleted, but not removed: {refused.reply}"


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
        connection.command(
            b"UID EXPUNGE ",
            to_uid_set(uids),
            tried=f"Could not remove messages from {folder!r}.",
            patient=True,
            limits_stay=True,
        )
    except ThrottledError:
        raise
    except CommandError as refused:
        reason = _left(refused)
    # EXPUNGE replies are counted in vain: some may be about what others remove at the same time.
    return dict.fromkeys(present(connection, uids), reason)
