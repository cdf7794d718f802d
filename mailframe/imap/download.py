"""Parts -> their decoded content in pieces, as they come over the wire.

Each part is asked for in ranges (RFC 3501 section 6.4.5), the ranges of several parts in flight at
a time, so that memory holds a few ranges however large the parts are. A part ends at a range that
comes short, never at an announced size: Exchange estimates that.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailframe.exceptions import (
    CommandError,
    MailframeError,
    ProtocolError,
    ThrottledError,
)
from mailframe.imap.failures import refusal
from mailframe.imap.items import read_string
from mailframe.imap.overview import FEW_FIELDS, look, verify
from mailframe.imap.responses import parse_fetch
from mailframe.imap.retry import Attempts
from mailframe.imap.wire import MAX_LITERAL, Command
from mailframe.parsing import ContentDecoder, decode_content, find_part
from mailframe.source import Piece

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.overview import Overview
    from mailframe.imap.responses import Reply
    from mailframe.records import Part

__all__ = ["read_parts"]

log = logging.getLogger(__name__)

#: Bytes of a part asked for in one command.
RANGE = 512 << 10
#: Ranges of one part asked for ahead.
AHEAD = 8
#: Messages whose structure is read together.
BATCH = 500
#: How often a range is asked for that does not come.
TRIES = 2

_SECTION = re.compile(r"BODY\[([\d.]+)\](?:<(\d+)>)?")


@dataclass(slots=True, eq=False)
class _Stream:
    """One part on its way."""

    place: int
    uid: int
    part: Part
    decoder: ContentDecoder
    asked: int = 0
    read: int = 0
    pieces: dict[int, bytes | None] = field(default_factory=dict)
    misses: Counter[int] = field(default_factory=Counter)
    unnamed: bytes | None = None
    ended: bool = False

    def ask(self, offset: int) -> Command:
        """Ask for one range."""
        self.asked = max(self.asked, offset + RANGE)
        section = b"%b]<%d.%d>" % (self.part.number.encode("ascii"), offset, RANGE)
        expect = min(RANGE, max(self.part.size - offset, 0))
        pieces = (b"UID FETCH %d (UID BODY.PEEK[" % self.uid, section, b")")
        return Command(pieces, expect=expect, about=(self, offset))

    @property
    def next_unread(self) -> int:
        """The range that a reply is about whose name leaves out the offset, as some servers' do."""
        offset = self.read
        while offset in self.pieces:
            offset += RANGE
        return offset

    def ask_on(self) -> list[Command]:
        """Ask for the next ranges: so many that the line is busy, as far as the part is said to go.

        The size that a server announces may be too small or too large, or no size at all.
        """
        end = min(max(self.part.size, self.read + 1), self.read + AHEAD * RANGE)
        return [] if self.ended else [self.ask(offset) for offset in range(self.asked, end, RANGE)]


def read_parts(connection: Connection, wanted: Sequence[tuple[int, str]]) -> Generator[Piece]:
    """Read parts of messages, decoded.

    Parameters
    ----------
    connection
        With the folder selected. It must not be used for anything else until the iterator has
        ended.
    wanted
        UID and part number of each; none twice.

    Yields
    ------
    Piece
        Those of one part in order, those of several parts may alternate. A part that is not there
        (any more) has none.

    Raises
    ------
    CommandError
        If the server refuses every part; single ones are logged and left out.
    ConnectionFailedError
        If the connection breaks.
    """
    selected = connection.the_selected()
    refusals = _Refusals()
    numbered = list(enumerate(wanted))
    for start in range(0, len(numbered), BATCH):
        batch = numbered[start : start + BATCH]
        connection.return_to(selected.folder, selected.uidvalidity)
        uids = list(dict.fromkeys(uid for _, (uid, _) in batch))
        overviews = look(connection, uids, FEW_FIELDS, structure=True, verified=False)
        seen = {one.uid: one for one in overviews}
        streams: list[_Stream] = []
        doubtful: deque[tuple[int, Overview, str]] = deque()
        for place, (uid, number) in batch:
            one = seen.get(uid)
            if one is not None and one.doubt:
                doubtful.append((place, one, number))
            elif part := _leaf(one, number):
                streams.append(_Stream(place, uid, part, ContentDecoder(part.encoding)))
        del seen, overviews, one  # what is read whole is let go as soon as it is handed out
        yield from _stream(connection, streams, refusals)
        yield from _read_whole(connection, doubtful, refusals)
    if refusals.errors and not refusals.delivered:
        raise refusals.errors[0]


@dataclass(slots=True)
class _Refusals:
    """Whether all that was asked for was refused."""

    errors: list[MailframeError] = field(default_factory=list)
    delivered: bool = False


def _leaf(one: Overview | None, number: str) -> Part | None:
    return find_part(one.structure, number) if one is not None and one.structure else None


def _read_whole(
    connection: Connection, doubtful: deque[tuple[int, Overview, str]], refusals: _Refusals
) -> Iterator[Piece]:
    """Read messages whole whose structure cannot be trusted, one at a time."""
    while doubtful:
        place, one, number = doubtful.popleft()
        if not one.is_whole:
            verify(connection, [one])
        part = _leaf(one, number)
        if part is not None and part.raw is not None:
            refusals.delivered = True
            yield Piece(place, decode_content(part, part.raw)[0], last=True)
        elif part is not None:  # too large for that: as the server describes it
            stream = _Stream(place, one.uid, part, ContentDecoder(part.encoding))
            yield from _stream(connection, [stream], refusals)


def _stream(connection: Connection, streams: list[_Stream], refusals: _Refusals) -> Iterator[Piece]:
    flying = {(one.uid, one.part.number): one for one in streams}
    waiting = deque(command for one in streams for command in one.ask_on())
    attempts = Attempts(connection.retry)
    for command, reply in connection.run(waiting, again=_asked_again):
        if command is None:
            if reply.kind == "FETCH":
                _file(reply, flying)
            continue
        one, offset = command.about
        try:
            has_come = one.ended or _has_come(one, offset, reply, refusals)
        except ThrottledError as plea:
            connection.relieve(plea, attempts, command)
            has_come = False
        else:
            attempts.renew()
        if not has_come:
            waiting.appendleft(one.ask(offset))
        for piece in _in_order(one):
            refusals.delivered = True
            yield piece
        waiting.extendleft(reversed(one.ask_on()))
        if one.ended and one.asked > one.read:
            for needless in [command for command in waiting if command.about[0] is one]:
                waiting.remove(needless)


def _asked_again(unfinished: list[Command]) -> Iterator[Command]:
    """Choose, of the commands in flight when the connection was lost, those still needed."""
    for command in unfinished:
        one, offset = command.about
        if not one.ended and offset >= one.read:
            # What came of it is forgotten: a server that names no offsets counts on the order.
            one.pieces.pop(offset, None)
            yield command


def _has_come(one: _Stream, offset: int, reply: Reply, refusals: _Refusals) -> bool:
    """Say at a range's completion whether it is there, or will not come; else ask again."""
    if reply.kind != "OK":
        tried = f"Could not read part {one.part.number} of message {one.uid}."
        error = refusal(reply, tried, CommandError)
        if isinstance(error, ThrottledError):
            raise error
        if offset and offset >= one.part.size:  # a server may refuse what lies behind the end
            one.pieces[offset] = b""
            return True
        log.warning("%s", error)
        refusals.errors.append(error)
        one.ended = True
    elif offset >= one.read and offset not in one.pieces:
        one.misses[offset] += 1
        one.ended = one.misses[offset] == TRIES
    # Servers hold completions back: the range may have been handed out before.
    return one.ended or offset < one.read or offset in one.pieces


def _file(reply: Reply, flying: dict[tuple[int, str], _Stream]) -> None:
    """Put the ranges of a FETCH reply where they belong."""
    try:
        items = parse_fetch(reply)
    except ProtocolError as error:  # counts as missing, and is asked for again
        log.warning("%s", error)
        return
    uid = read_string(items.get("UID"))
    for name, value in items.items():
        match = _SECTION.fullmatch(name)
        one = flying.get((int(uid), match[1])) if match and uid.isdigit() else None
        if match is None or one is None or one.ended:
            continue
        offset = int(match[2]) if match[2] else one.next_unread
        piece = None if value is None else read_string(value)
        if not match[2] and not offset:
            one.unnamed = piece
        elif not match[2] and offset >= one.part.size and piece == one.unnamed:
            piece = b""  # a server that knows no ranges has sent the whole part once more
        if piece is not None and len(piece) > RANGE and (match[2] or offset):
            raise ProtocolError(f"The server sent more of part {match[1]} than was asked for.")
        one.pieces.setdefault(offset, piece)


def _in_order(one: _Stream) -> Iterator[Piece]:
    while not one.ended and one.read in one.pieces:
        raw = one.pieces.pop(one.read)
        if raw is None and not one.read:  # NIL: there is no such part
            one.ended = True
            return
        raw = raw or b""
        one.read += RANGE
        if one.read > MAX_LITERAL:
            raise ProtocolError(f"Part {one.part.number} of message {one.uid} does not end.")
        # Longer than a range is the whole part, from a server that knows no ranges.
        one.ended = len(raw) != RANGE
        content = one.decoder.feed(raw)
        if one.ended:
            content += one.decoder.finish()
        yield Piece(one.place, content, last=one.ended)
