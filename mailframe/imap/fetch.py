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
    MailframeError,
    MessageNotFoundError,
    ProtocolError,
    ThrottledError,
)
from mailframe.imap.failures import refusal
from mailframe.imap.items import read_string
from mailframe.imap.responses import parse_fetch, split_code
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
        return _Chunk(self.request, tuple(uids), self.attempt + 1)


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
        If the server asks for fewer requests.
    CommandError
        If it refuses the command as such.
    ConnectionFailedError
        If the connection breaks.
    """
    waiting = deque(
        chunk.command for request in requests for chunk in request.chunks(connection.message_limit)
    )
    owners = {uid: command.about for command in waiting for uid in command.about.uids}
    refused = delivered = 0
    for command, reply in connection.run(waiting):
        if command is None:
            if reply.kind == "FETCH":
                _file(reply, owners)
            continue
        chunk: _Chunk = command.about
        settled, redo, error = _settle(connection, chunk, reply)
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
    missing = [uid for uid in chunk.uids if uid not in chunk.complete]
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
        half = len(missing) // 2
        return (
            done,
            [_Chunk(chunk.request, tuple(m)) for m in (missing[:half], missing[half:])],
            None,
        )
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
