"""Commands about messages: FETCH, SEARCH, STORE, COPY and the like (RFC 3501 section 6.4)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mailframe.criteria import UidSet
from mailframe.embedded.fetch import Item, Reader, parse_items
from mailframe.embedded.grammar import Bad, No
from mailframe.embedded.search import find, parse_search, reply
from mailframe.embedded.store import SYSTEM_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.embedded.connection import Connection
    from mailframe.embedded.grammar import Cursor
    from mailframe.embedded.store import Mailbox, Message

__all__ = ["append", "copy", "expunge", "fetch", "move", "search", "store", "uid_expunge"]

#: Bytes of replies gathered before they are sent.
_BLOCK = 1 << 16
_FLAGS = {flag.lower() for flag in SYSTEM_FLAGS}


# -- FETCH (section 6.4.5)


async def fetch(connection: Connection, cursor: Cursor, *, uid: bool = False) -> str:
    """FETCH and UID FETCH, with CHANGEDSINCE (RFC 7162 section 3.1.4.1)."""
    view = connection.selected
    cursor.space()
    wanted = cursor.sequence_set()
    cursor.space()
    items = parse_items(cursor)
    since = _changed_since(cursor)
    cursor.end()
    if since is not None or any(item.name == "MODSEQ" for item in items):
        await connection.enable_condstore()
    if since is not None:
        items = _with(items, "MODSEQ")
    if uid:
        items = _with(items, "UID")
    reading, reader, waiting = any(item.sets_seen for item in items), Reader(), bytearray()
    failure = None
    for number, message in view.chosen(wanted, uid=uid):
        if since is not None and message.modseq <= since:
            continue
        asked = items
        if reading and not view.readonly and "\\Seen" not in message.flags:
            view.mailbox.set_flags(message, {*message.flags, "\\Seen"}, by=view)
            asked = _with(items, "FLAGS")
            asked = _with(asked, "MODSEQ") if connection.condstore else asked
        try:
            words = reader.items(asked, message, view.recent)
        except No as error:
            # The others are to be had nonetheless (RFC 2180 section 4.1.2).
            failure = error
            continue
        waiting += b"* %d FETCH (%b)\r\n" % (number, words)
        if len(waiting) > _BLOCK:
            await connection.send_raw(bytes(waiting))
            waiting.clear()
            await asyncio.sleep(0)  # others get their turn
    await connection.send_raw(bytes(waiting))
    if failure:
        raise failure
    return "FETCH completed"


def _changed_since(cursor: Cursor) -> int | None:
    if not cursor.take(b" "):
        return None
    cursor.need(b"(")
    if cursor.atom() != "CHANGEDSINCE":
        raise cursor.bad("expected CHANGEDSINCE")
    cursor.space()
    since = cursor.number()
    cursor.need(b")")
    return since


def _with(items: list[Item], name: str) -> list[Item]:
    return items if any(item.name == name for item in items) else [*items, Item(name)]


# -- SEARCH (section 6.4.4)


async def search(connection: Connection, cursor: Cursor, *, uid: bool = False) -> str:
    """SEARCH and UID SEARCH, with RETURN (RFC 4731)."""
    view = connection.selected
    wanted = parse_search(cursor, view)
    if wanted.by_modseq:
        await connection.enable_condstore()
    found = await find(wanted.tree, view, datetime.now(UTC))
    await connection.send(reply(wanted, found, connection.tag, uid=uid))
    return "SEARCH completed"


# -- STORE (section 6.4.6)


class _Change(NamedTuple):
    """What STORE is to do."""

    sign: str
    flags: frozenset[str]
    silent: bool
    unchanged_since: int | None

    def applied(self, message: Message, mailbox: Mailbox) -> frozenset[str]:
        given = mailbox.spelled(self.flags)
        if self.sign == "+":
            return message.flags | given
        return message.flags - given if self.sign == "-" else given


async def store(connection: Connection, cursor: Cursor, *, uid: bool = False) -> str:
    """STORE and UID STORE, with UNCHANGEDSINCE (RFC 7162 section 3.1.3)."""
    view = connection.writable()
    cursor.space()
    wanted = cursor.sequence_set()
    cursor.space()
    change = _change(cursor)
    if change.unchanged_since is not None:
        await connection.enable_condstore()
    lines, modified = [], []
    for number, message in view.chosen(wanted, uid=uid):
        if change.unchanged_since is not None and message.modseq > change.unchanged_since:
            modified.append(message.uid if uid else number)
            continue
        if view.mailbox.with_uid(message.uid) is None:
            continue  # it has gone, and the client is about to hear of it
        is_new = view.mailbox.set_flags(message, change.applied(message, view.mailbox), by=view)
        if not change.silent or (is_new and connection.condstore):
            lines.append(connection.change_line(number, message, uid=uid, flags=not change.silent))
    await connection.send(*lines)
    code = f"[MODIFIED {UidSet.of(modified)}] " if modified else ""
    return f"{code}STORE completed"


def _change(cursor: Cursor) -> _Change:
    since = None
    if cursor.take(b"("):
        if cursor.atom() != "UNCHANGEDSINCE":
            raise cursor.bad("expected UNCHANGEDSINCE")
        cursor.space()
        since = cursor.number()
        cursor.need(b")")
        cursor.space()
    name = cursor.atom()
    sign = name[0] if name[0] in "+-" else ""
    if name.removeprefix(sign) not in {"FLAGS", "FLAGS.SILENT"}:
        raise cursor.bad("expected FLAGS")
    cursor.space()
    if cursor.at(b"("):
        flags = cursor.several(cursor.flag)
    else:
        flags = [cursor.flag()]
        while cursor.take(b" "):
            flags.append(cursor.flag())
    cursor.end()
    return _Change(sign, _checked(flags), name.endswith(".SILENT"), since)


def _checked(flags: Iterable[str]) -> frozenset[str]:
    # \Recent is the server's own (section 2.3.2).
    given = frozenset(flag for flag in flags if flag.lower() != "\\recent")
    for flag in given:
        if flag.startswith("\\") and flag.lower() not in _FLAGS:
            raise Bad(f"There is no flag {flag}")
    return given


# -- COPY, MOVE, EXPUNGE (sections 6.4.7 and 6.4.3, RFC 6851)


async def copy(connection: Connection, cursor: Cursor, *, uid: bool = False) -> str:
    """COPY and UID COPY."""
    chosen, target = _chosen_and_target(connection, cursor, uid=uid)
    code = _copied([message for _, message in chosen], target)
    return f"{code}COPY completed"


async def move(connection: Connection, cursor: Cursor, *, uid: bool = False) -> str:
    """MOVE and UID MOVE (RFC 6851): COPY and EXPUNGE in one."""
    view = connection.writable()
    chosen, target = _chosen_and_target(connection, cursor, uid=uid)
    there = [message for _, message in chosen if view.mailbox.with_uid(message.uid) is message]
    code = _copied(there, target)
    if code:
        # Before the EXPUNGEs, so that the client still knows which numbers are meant.
        await connection.send(b"OK %bMoved" % code.encode("ascii"))
    view.mailbox.remove(there)
    await connection.send_news()
    return "MOVE completed"


async def expunge(connection: Connection, cursor: Cursor) -> str:
    r"""EXPUNGE: what is \Deleted goes for good."""
    cursor.end()
    view = connection.writable()
    view.mailbox.remove([one for one in view.messages if "\\Deleted" in one.flags])
    await connection.send_news()
    return "EXPUNGE completed"


async def uid_expunge(connection: Connection, cursor: Cursor) -> str:
    """UID EXPUNGE (RFC 4315 section 2.1): only of these."""
    view = connection.writable()
    cursor.space()
    wanted = cursor.sequence_set()
    cursor.end()
    chosen = view.chosen(wanted, uid=True)
    view.mailbox.remove([one for _, one in chosen if "\\Deleted" in one.flags])
    await connection.send_news()
    return "EXPUNGE completed"


def _chosen_and_target(
    connection: Connection, cursor: Cursor, *, uid: bool
) -> tuple[list[tuple[int, Message]], Mailbox]:
    cursor.space()
    wanted = cursor.sequence_set()
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    chosen = connection.selected.chosen(wanted, uid=uid)
    return chosen, _target(connection, name)


def _target(connection: Connection, name: str) -> Mailbox:
    if name not in connection.mail:
        raise No(f"There is no mailbox {name!a}; CREATE it first", "TRYCREATE")
    return connection.mail.mailbox(name)


def _copied(messages: Sequence[Message], target: Mailbox) -> str:
    """Copy messages; return the code that says which UIDs they got (RFC 4315 section 3)."""
    if not messages:
        return ""
    for one in messages:
        target.spelled(one.flags)  # refused before any is copied
    copies = [target.add(one.content, one.internal_date, one.flags) for one in messages]
    before = UidSet.of([one.uid for one in messages])
    after = UidSet.of([one.uid for one in copies])
    return f"[COPYUID {target.uidvalidity} {before} {after}] "


# -- APPEND (section 6.3.11)


class _Arrival(NamedTuple):
    flags: frozenset[str]
    internal_date: datetime
    raw: bytes


async def append(connection: Connection, cursor: Cursor) -> str:
    """APPEND, of several messages at once too (RFC 3502): all of them or none."""
    cursor.space()
    name = cursor.mailbox()
    arrivals = []
    while cursor.take(b" "):
        cursor.take(b" ")  # IMAPClient has two between one message and the next
        arrivals.append(_arrival(cursor))
    cursor.end()
    if not arrivals:
        raise cursor.bad("expected a message")
    mailbox = _target(connection, name)
    for one in arrivals:
        mailbox.spelled(one.flags)  # refused before any is stored
    stored = [
        connection.mail.append(mailbox, one.raw, one.internal_date, one.flags) for one in arrivals
    ]
    uids = UidSet.of([message.uid for message in stored])
    return f"[APPENDUID {mailbox.uidvalidity} {uids}] APPEND completed"


def _arrival(cursor: Cursor) -> _Arrival:
    flags: frozenset[str] = frozenset()
    if cursor.at(b"("):
        flags = _checked(cursor.several(cursor.flag))
        cursor.space()
    moment = datetime.now(UTC).replace(microsecond=0)
    if cursor.at(b'"'):
        moment = cursor.date_time()
        cursor.space()
    raw = cursor.literal()
    if not raw:
        raise No(
            "An empty message is none"
        )  # it is how a client gives up (RFC 3502 section 6.3.11)
    return _Arrival(flags, moment, raw)
