"""UIDs and items -> what the server says about each message (RFC 3501 section 6.4.8).

Chunks of UIDs go out as ranges, several in flight. Servers hold completions back, send data nobody
asked for, leave messages out and repeat others. So a reply is matched to its message by the UID in
it, item by item, and a chunk counts when its completion has come and every UID is accounted for.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    MailframeError,
    MessageNotFoundError,
    ProtocolError,
    ThrottledError,
)
from mailframe.imap.failures import refusal
from mailframe.imap.items import read_string
from mailframe.imap.responses import parse_fetch, split_code
from mailframe.imap.retry import Attempts
from mailframe.imap.uids import chunks, to_uid_set
from mailframe.imap.wire import MAX_LITERAL, Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailframe.imap.connection import Connection, Selected
    from mailframe.imap.responses import Fetched, Reply

__all__ = ["Answer", "Request", "batches", "fetch", "fetch_ranges"]

#: What came for one message.
Answer: TypeAlias = "Fetched | MailframeError | None"

log = logging.getLogger(__name__)

#: Messages and expected bytes in one command, at most.
CHUNK = 500
CHUNK_BYTES = 512 << 10
#: Bytes of a part asked for at a time, where it is read in ranges.
RANGE = 1 << 20
#: How often a chunk is asked for, when UIDs are doubled, foreign or missing.
ATTEMPTS = 2
#: How often a chunk may be what the connection ended with, before it is halved.
KILLS = 2
#: So many messages refused one by one, and none delivered: it is the command that is refused.
REFUSALS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask about which messages.

    Attributes
    ----------
    uids
        Distinct, in the order in which they should come.
    items
        As sent, without parentheses and without UID: ``FLAGS BODY.PEEK[1]``.
    expected
        The names in the reply that make it complete, as `parse_fetch` writes them: ``BODY[1]``.
    octets
        Size of one message's reply to expect, in bytes.
    aliases
        Other names under which servers send an item -> its name in ``expected``.
    """

    uids: Sequence[int]
    items: bytes
    expected: frozenset[str]
    octets: int
    aliases: Mapping[str, str] = field(default_factory=dict)

    def command(self, uids: bytes) -> tuple[bytes, ...]:
        """Write it as a command for a set of UIDs."""
        return (b"UID FETCH ", uids, b" (UID ", self.items, b")")

    def chunks(self, limit: int) -> Iterator[_Chunk]:
        """Cut it into commands of so many messages at most; 0 for the size that is best here."""
        size = max(1, min(CHUNK, CHUNK_BYTES // max(self.octets, 1), limit or CHUNK))
        for uids in chunks(self.uids, size):
            yield _Chunk(self, uids)


@dataclass(slots=True, eq=False)
class _Chunk:
    """One command's worth of a request, and what has come for it."""

    request: Request
    uids: tuple[int, ...]
    attempt: int = 1
    got: dict[int, Fetched] = field(default_factory=dict)
    complete: set[int] = field(default_factory=set)
    doubled: bool = False
    kills: int = 0

    @property
    def missing(self) -> list[int]:
        """What has not come yet, in order."""
        return [uid for uid in self.uids if uid not in self.complete]

    @property
    def command(self) -> Command:
        pieces = self.request.command(to_uid_set(self.uids))
        return Command(pieces, expect=self.request.octets * len(self.uids), about=self)

    def take(self, uid: int, items: Fetched) -> None:
        """Keep items of a message. Servers may split them over several replies."""
        aliases = self.request.aliases
        if aliases:
            items = {aliases.get(name, name): value for name, value in items.items()}
        expected = self.request.expected
        if uid in self.got:
            self.doubled |= uid in self.complete and expected <= items.keys()
            # The latest FLAGS win.
            items = self.got[uid] | items
        self.got[uid] = items
        if expected <= items.keys():
            self.complete.add(uid)

    def again(self, uids: Sequence[int]) -> _Chunk:
        return _Chunk(self.request, tuple(uids), self.attempt + 1, kills=self.kills)

    def halves(self) -> list[_Chunk]:
        """Cut what is missing in two, to find the message at fault."""
        missing = self.missing
        half = len(missing) // 2
        return [_Chunk(self.request, tuple(part)) for part in (missing[:half], missing[half:])]


def fetch(connection: Connection, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
    """Ask for items of many messages.

    Parameters
    ----------
    connection
        With the folder selected. It must not be used for anything else until the iterator has
        ended.
    requests
        Their UIDs must be distinct. All of them share one window of commands in flight.

    Yields
    ------
    tuple
        UID and items, each UID once, as its chunk is completed. Instead of items None for a
        message that has gone, and the error for one that the server refuses to describe.

    Raises
    ------
    ThrottledError
        If the server asks for fewer requests than can be waited for.
    CommandError
        If it refuses the command as such.
    ConnectionFailedError
        If the connection breaks, and cannot be had again.
    """
    waiting = deque(
        chunk.command for request in requests for chunk in request.chunks(connection.message_limit)
    )
    owners = {uid: command.about for command in waiting for uid in command.about.uids}
    survivors = _Survivors(connection, owners)
    attempts = Attempts(connection.retry)
    refused = delivered = 0
    for command, reply in connection.run(waiting, again=survivors.take_over):
        yield from survivors.hand_out()
        if command is None:
            if reply.kind == "FETCH":
                _file(reply, owners)
            continue
        chunk: _Chunk = command.about
        try:
            settled, redo, error = _settle(connection, chunk, reply)
        except ThrottledError as plea:
            connection.relieve(plea, attempts, command)
            settled, redo, error = [u for u in chunk.uids if u in chunk.complete], [], None
            redo = [_Chunk(chunk.request, tuple(chunk.missing))] if chunk.missing else []
        else:
            attempts.renew()
        for new in redo:
            owners.update(dict.fromkeys(new.uids, new))
        waiting.extendleft(new.command for new in reversed(redo))
        for uid in settled:
            del owners[uid]
            complete = uid in chunk.complete
            delivered += complete
            refused += not complete and error is not None
            yield uid, chunk.got[uid] if complete else error
        if error is not None and refused >= REFUSALS and not delivered:
            raise error
    yield from survivors.hand_out()


class _Survivors:
    """What is left of the chunks that were in flight when the connection was lost."""

    def __init__(self, connection: Connection, owners: dict[int, _Chunk]) -> None:
        self._connection = connection
        self._owners = owners
        self._ready: list[tuple[int, Answer]] = []

    def take_over(self, unfinished: list[Command]) -> Iterator[Command]:
        """Give the commands for what has not come; what has come is handed out."""
        # The server answers in order: the first chunk that is not complete is where it ended.
        suspect = next((c.about for c in unfinished if c.about.missing), None)
        for command in unfinished:
            chunk: _Chunk = command.about
            missing = chunk.missing
            for uid in chunk.uids:
                if uid in chunk.complete:
                    del self._owners[uid]
                    self._ready.append((uid, chunk.got[uid]))
            for new in self._rest(chunk, missing, is_suspect=chunk is suspect):
                self._owners.update(dict.fromkeys(new.uids, new))
                yield new.command

    def _rest(self, chunk: _Chunk, missing: list[int], *, is_suspect: bool) -> list[_Chunk]:
        if not missing:
            return []
        # One that delivered something before the end is not what ended it.
        kills = chunk.kills + 1 if is_suspect and not chunk.complete else 0
        if kills < KILLS:
            return [_Chunk(chunk.request, tuple(missing), chunk.attempt, kills=kills)]
        log.warning("these messages end the connection: %s", to_uid_set(missing).decode("ascii"))
        self._connection.wire.window = 1
        if len(missing) > 1:
            return chunk.halves()
        error = ConnectionFailedError(
            f"Could not read message {missing[0]} from {self._connection.host}.",
            reply=f"the connection ended each of the {kills} times it was asked for",
        )
        del self._owners[missing[0]]
        self._ready.append((missing[0], error))
        return []

    def hand_out(self) -> Iterator[tuple[int, Answer]]:
        """Yield what came before the connection was lost."""
        ready, self._ready = self._ready, []
        yield from ready


def _file(reply: Reply, owners: dict[int, _Chunk]) -> None:
    """Put the items of a FETCH reply where they belong."""
    try:
        items = parse_fetch(reply)
        uid = int(read_string(items["UID"]))
    except (KeyError, ValueError) as error:
        # Without UID it is news about flags, by message number: of no use. ProtocolError is a
        # ValueError: the message counts as missing, and is asked for again.
        if isinstance(error, ProtocolError):
            log.warning("%s", error)
        return
    chunk = owners.get(uid)
    if chunk is None:
        if len(items) > 2:  # noqa: PLR2004 news about flags of others is normal: UID and FLAGS
            log.warning("the server described message %d, which was not asked for", uid)
        return
    chunk.take(uid, items)


def _settle(
    connection: Connection, chunk: _Chunk, reply: Reply
) -> tuple[Sequence[int], list[_Chunk], MailframeError | None]:
    """Decide at a chunk's completion what is done, what to ask again, and what failed."""
    missing = chunk.missing
    done = [uid for uid in chunk.uids if uid in chunk.complete]
    if reply.kind != "OK":
        error = refusal(reply, f"Could not read messages from {connection.host}.", CommandError)
        if isinstance(error, ThrottledError):
            raise error
        log.warning("%s", error)
        connection.wire.window = 1
        if len(missing) <= 1:
            return chunk.uids, [], error
        # Halved until the message at fault stands alone.
        return done, chunk.halves(), None
    if chunk.doubled and chunk.attempt < ATTEMPTS:
        log.warning("the server described a message twice: asking again, one chunk at a time")
        connection.wire.window = 1
        return (), [chunk.again(chunk.uids)], None
    cut = split_code(reply.text)[0] == "MESSAGELIMIT" and bool(done)
    if missing and (cut or chunk.attempt < ATTEMPTS):
        return done, [chunk.again(missing)], None
    if missing:
        log.info("%d messages have gone meanwhile", len(missing))
    return chunk.uids, [], None


def fetch_ranges(
    connection: Connection, uid: int, section: str, limit: int | None = None
) -> Iterator[bytes]:
    """Read one section of one message piece by piece (RFC 3501 section 6.4.5).

    Parameters
    ----------
    connection
        With the folder selected.
    uid
        The message.
    section
        ``"1.2"``, or ``""`` for the whole message.
    limit
        Ask for so many bytes at most; None for all.

    Yields
    ------
    bytes
        Encoded as in the message. It ends at a piece shorter than asked for, never at an announced
        size: Exchange estimates that.

    Raises
    ------
    MessageNotFoundError
        If the message has gone, at the start or meanwhile.
    CommandError
        If the server refuses a piece.
    ProtocolError
        If it grows longer than any message.
    """
    offset = 0
    end = MAX_LITERAL if limit is None else limit
    while offset < end:
        length = min(RANGE, end - offset)
        items = b"BODY.PEEK[%b]<%d.%d>" % (section.encode("ascii"), offset, length)
        name = f"BODY[{section.upper()}]<{offset}>"
        # Some servers leave the offset out of the name.
        aliases = {f"BODY[{section.upper()}]": name}
        request = Request((uid,), items, frozenset({name}), length, aliases)
        [(_, found)] = fetch(connection, [request])
        if isinstance(found, MailframeError):
            raise found
        if found is None:
            raise MessageNotFoundError(f"Message {uid} has gone while it was read.")
        piece = read_string(found[name])
        if piece:
            yield piece
        if len(piece) != length:
            return
        offset += length
    if limit is None:
        raise ProtocolError(f"Part {section} of message {uid} does not end.")


def batches(
    connection: Connection, selected: Selected, uids: Sequence[int], size: int
) -> Iterator[Sequence[int]]:
    """Yield so many UIDs at a time, with the folder open they were found in."""
    for start in range(0, len(uids), size):
        # Whoever took the last batch's records may have opened another folder since.
        connection.return_to(selected.folder, selected.uidvalidity)
        yield uids[start : start + size]
