"""What happens in a folder, as it happens: messages that come, whose flags change, and that go.

What a server says unasked is a bell and no more: message numbers shift under it, and what is said
while the connection is lost is never said again. So it is looked up each time, by UID, what is
otherwise than it was. That misses nothing and repeats nothing, whatever happened in between.
"""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from mailframe.criteria import ALL, to_tree
from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    ProtocolError,
    QueryError,
    ThrottledError,
)
from mailframe.imap.fetch import REFUSALS, Request, fetch
from mailframe.imap.items import read_flags, read_number
from mailframe.imap.messages import read_messages
from mailframe.imap.responses import parse_fetch
from mailframe.imap.retry import Attempts
from mailframe.imap.search import search
from mailframe.records import Change, MessageRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from mailframe.imap.connection import Connection, Selected

__all__ = ["watch"]

log = logging.getLogger(__name__)

#: Seconds after which IDLE is issued again, and the folder opened again. RFC 2177 section 3 says 29
#: minutes at the latest; the routers of many a home forget a connection that was silent for ten.
LONGEST_IDLE = 9 * 60
#: Messages read at a time.
BATCH = 500
#: What a connection's ``quirks`` say of a server that offers IDLE, or CONDSTORE, and has none.
NO_IDLE = "no IDLE"
NO_CHANGEDSINCE = "no CHANGEDSINCE"
#: Bells in a row, each within so many seconds of the last, that rang for nothing: some servers say
#: EXISTS with every answer. From then on one waits a while before one looks again.
FALSE_BELLS = 3
HASTE = 2

_Flags: TypeAlias = dict[int, tuple[str, ...]]
_Known: TypeAlias = frozenset[str]
# Of a message whose flags are asked for: "* 20000 FETCH (UID 20000 FLAGS (\Seen $Forwarded))".
_FLAGS_OCTETS = 60
# A line without "*" ends IDLE, which servers do not do; BYE ends all.
_ARRIVAL = rb"^\* \d+ EXISTS|^\* BYE|^[^*\r\n]"
_ARRIVALS = re.compile(_ARRIVAL, re.IGNORECASE | re.MULTILINE)
_ALL_NEWS = re.compile(
    _ARRIVAL + rb"|^\* \d+ (?:EXPUNGE|FETCH)|^\* VANISHED", re.IGNORECASE | re.MULTILINE
)


def watch(
    connection: Connection,
    folder: str,
    *,
    after: int | None = None,
    uidvalidity: int | None = None,
    changes: bool = False,
    fields: Sequence[str] = (),
    gmail: bool = False,
    duration: float | None = None,
    poll: float = 60,
) -> Generator[list[Change]]:
    """Wait for what happens in a folder: by IDLE, or by asking now and then.

    Parameters
    ----------
    connection
        For this alone.
    folder
        Its name, decoded.
    after
        The UID behind which messages are new; None for those that come from now on.
    uidvalidity
        Of that UID.
    changes
        Tell of flags that change and of messages that go as well.
    fields, gmail
        As for `read_messages`.
    duration
        Seconds after which it ends; None for never.
    poll
        Seconds between two looks where the server has no IDLE.

    Yields
    ------
    list of Change
        At first an empty one: from now on nothing is missed. Then what has happened, oldest first.

    Raises
    ------
    FolderError
        If the folder is not there, or not any more; UidValidityError if it was renumbered.
    ConnectionFailedError
        If the connection is lost, and cannot be had again.
    """
    end = None if duration is None else time.monotonic() + duration
    connection.wants_modseq = changes
    if uidvalidity is None:
        connection.select(folder)
    else:
        connection.return_to(folder, uidvalidity)
    lookout = _Lookout(connection, after, changes=changes)
    yield []
    false_bells = 0
    while True:
        begun, before = time.monotonic(), lookout.told
        found = lookout.look(fields, gmail=gmail)
        if found:
            yield found
            false_bells = 0
        left = LONGEST_IDLE if end is None else end - time.monotonic()
        if left <= 0:
            return
        if found:
            continue
        if lookout.told == before:  # else something came while it was being looked for
            lookout.wait(min(left, LONGEST_IDLE), poll)
        is_bell = lookout.told != before and time.monotonic() - begun < HASTE
        false_bells = false_bells + 1 if is_bell else 0
        if false_bells > FALSE_BELLS:
            connection.pause(min(left, poll, 2 ** (false_bells - FALSE_BELLS)))


class _Lookout:
    """What is known of a folder, and what is otherwise by now."""

    def __init__(self, connection: Connection, after: int | None, *, changes: bool) -> None:
        self._connection = connection
        self._attempts = Attempts(connection.retry)
        self._opened = time.monotonic()
        opened = connection.the_selected()
        if after is None and opened.uidnext:
            after = opened.uidnext - 1
        elif after is None:
            after = max(search(connection, ALL), default=0)
        self._newest = after
        self._known: dict[int, _Known] | None = None
        self._seen: Selected | None = opened
        self._modseq = opened.highestmodseq
        if changes:
            old = [uid for uid in search(connection, ALL) if uid <= after]
            self._known = {uid: _comparable(flags) for uid, flags in self._flags_of(old).items()}

    @property
    def told(self) -> tuple[int, int]:
        """What changes when there is more to be looked for."""
        return self._connection.news, self._newest

    def look(self, fields: Sequence[str], *, gmail: bool) -> list[Change]:
        """Find out what has happened since the last look."""
        found: list[Change] = []
        opened = self._connection.the_selected()
        try:
            for change in self._changes(fields, gmail=gmail):
                found.append(change)  # noqa: PERF402 kept if the rest of them cannot be read
        except ProtocolError as garbled:
            self._connection.recover(garbled, self._attempts)  # whose EXISTS is news: once more
        except ThrottledError:
            raise
        except (CommandError, QueryError):
            # Not all servers hang up when somebody deletes a folder (RFC 2180 section 3).
            self._reopen(opened)
            raise
        else:
            self._attempts.renew()  # a line that is lost every few minutes is had again each time
        return found

    def wait(self, seconds: float, poll: float) -> None:
        """Wait until there may be news, and have the connection again if it is lost meanwhile."""
        connection = self._connection
        try:
            if connection.offers("IDLE") and NO_IDLE not in connection.quirks:
                if not connection.idle(_ARRIVALS if self._known is None else _ALL_NEWS, seconds):
                    log.warning("%s refuses IDLE: looking every %g s", connection.host, poll)
                    connection.quirks.add(NO_IDLE)
            else:
                connection.pause(min(seconds, poll))
                # What has come may not be found before it has been told of.
                connection.command(b"NOOP", tried=f"Could not ask {connection.host} for news.")
        except (ConnectionFailedError, ProtocolError) as lost:
            connection.recover(lost, self._attempts)
        else:
            self._attempts.renew()
        if time.monotonic() - self._opened >= LONGEST_IDLE:
            # Dovecot goes on to show a folder that was deleted and created again, as it was, with
            # "* NO Internal error occurred" each time; others an empty one (RFC 2180 section 3).
            self._opened = time.monotonic()
            self._reopen(connection.the_selected())

    def _changes(self, fields: Sequence[str], *, gmail: bool) -> Iterator[Change]:
        connection, known = self._connection, self._known
        tree = to_tree(f"UID {self._newest + 1}:*", datetime.now(UTC)) if known is None else ALL
        uids = search(connection, tree)
        # "*" is the last message, even if its UID is lower.
        new = sorted(uid for uid in uids if uid > self._newest)[:BATCH]
        for record in self._read(new, {}, fields, gmail=gmail):
            yield Change("new", record)
            if known is not None:
                known[record.uid] = _comparable(record.flags)
        self._newest = max([self._newest, *new])
        if known is None:
            return
        flags = self._flags_now()
        changed = sorted(u for u in flags if u in known and known[u] != _comparable(flags[u]))
        for record in self._read(changed, flags, fields, gmail=gmail):
            yield Change("flags", record)
            known[record.uid] = _comparable(record.flags)
        for uid in sorted(known.keys() - uids):
            yield Change("gone", self._bare(uid))
            del known[uid]

    def _read(
        self, uids: Sequence[int], flags: _Flags, fields: Sequence[str], *, gmail: bool
    ) -> Sequence[MessageRecord]:
        """Read messages. Of one that the server does not show there is a record all the same."""
        connection, opened = self._connection, self._connection.the_selected()
        try:
            return list(read_messages(connection, uids, gmail=gmail, fields=fields))
        except ThrottledError:
            raise
        except (CommandError, ConnectionFailedError) as refused:
            # It is not shown the next time either, unless it is the connection or the folder.
            if len(uids) >= REFUSALS or not connection.logged_in:
                raise
            self._reopen(opened)
            defects = (f"the server does not show it: {refused.reply}",)
            return [self._bare(u)._replace(flags=flags.get(u, ()), defects=defects) for u in uids]

    def _reopen(self, opened: Selected) -> None:
        """Make sure that the folder is still there, and the same."""
        self._connection.selected = None
        self._connection.return_to(opened.folder, opened.uidvalidity)

    def _flags_now(self) -> _Flags:
        """Return the flags of the messages known, or of those among which all changes are."""
        connection, opened = self._connection, self._connection.the_selected()
        if opened is not self._seen:  # by now it may be another server, or one set back
            self._seen = opened
            if (opened.highestmodseq or 0) < (self._modseq or 0):
                self._modseq = None
        if not self._known:
            return {}
        if self._modseq is not None and NO_CHANGEDSINCE not in connection.quirks:
            try:
                return self._flags_since(self._modseq)
            except CommandError as refused:
                log.warning("%s Reading all flags each time", refused.tried)
                connection.quirks.add(NO_CHANGEDSINCE)
        found = self._flags_of(list(self._known))
        self._modseq = opened.highestmodseq
        return found

    def _flags_since(self, modseq: int) -> _Flags:
        """Return the flags of those that have changed since (RFC 7162 section 3.1.4.1)."""
        connection = self._connection
        flags: _Flags = {}
        for reply in connection.command(
            b"UID FETCH 1:%d (FLAGS) (CHANGEDSINCE %d)" % (self._newest, modseq),
            tried=f"Could not ask {connection.host} which flags have changed.",
        ):
            items = parse_fetch(reply) if reply.kind == "FETCH" else {}
            uid = read_number(items.get("UID"))
            if uid is None or "FLAGS" not in items:
                continue  # what is told unasked, by number, is found at the next look
            flags[uid] = read_flags(items["FLAGS"])
            match items.get("MODSEQ"):
                case [number]:
                    modseq = max(modseq, read_number(number) or 0)
        self._modseq = modseq
        return flags

    def _flags_of(self, uids: Sequence[int]) -> _Flags:
        wanted = Request(uids, b"FLAGS", frozenset({"UID", "FLAGS"}), _FLAGS_OCTETS)
        answers = fetch(self._connection, [wanted]) if uids else ()
        return {uid: read_flags(got["FLAGS"]) for uid, got in answers if isinstance(got, dict)}

    def _bare(self, uid: int) -> MessageRecord:
        opened = self._connection.the_selected()
        return MessageRecord.gone(opened.account, opened.folder, opened.uidvalidity, uid)


@lru_cache(maxsize=1024)  # a folder has few sets of flags
def _comparable(flags: tuple[str, ...]) -> _Known:
    return frozenset(flag.lower() for flag in flags)
