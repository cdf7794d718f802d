"""One client's connection: lines in, lines out, and the state it is in (RFC 3501 section 3)."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from mailframe.embedded.fetch import flags_of
from mailframe.embedded.grammar import Bad, No, tag_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from mailframe.embedded.authentication import Users
    from mailframe.embedded.store import Account, Message
    from mailframe.embedded.view import View

__all__ = ["Connection", "HungUp", "Limits", "Service", "State"]

_LITERAL_AT_END = re.compile(rb"\{(\d{1,10})(\+)?\}\r?\n\Z")
_APPEND = re.compile(rb"[^ ]++ APPEND ", re.IGNORECASE)
_BLOCK = 1 << 16
#: Seconds that a client has to take the last replies.
_LINGER = 5


class State(Enum):
    """RFC 3501 section 3: which commands are valid."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


class HungUp(Exception):  # noqa: N818 no error: clients go
    """Raised when the client is gone, or has to go."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything a client may want.

    Attributes
    ----------
    connections
        At once.
    line
        Bytes of a command, without the messages of APPEND.
    before_login
        Bytes of a command while nobody has signed in.
    message
        Bytes of a message that is appended, or of several that come in one command.
    login_seconds, idle_seconds
        Without a byte, before and after signing in (RFC 3501 section 5.4: 30 minutes).
    mistakes
        Commands in a row that cannot be read, or sign-ins that fail.
    """

    connections: int = 100
    line: int = 1 << 16
    before_login: int = 1 << 16
    message: int = 64 << 20
    login_seconds: float = 180
    idle_seconds: float = 1800
    mistakes: int = 20


@dataclass(slots=True)
class Service:
    """What all connections share.

    Attributes
    ----------
    users
        Who may sign in.
    accounts
        Their mail, by user name.
    tls
        For STARTTLS; None where it is not offered.
    limits
        How much of anything.
    """

    users: Users
    accounts: Mapping[str, Account]
    tls: ssl.SSLContext | None = None
    limits: Limits = field(default_factory=Limits)


class Connection:
    """One client.

    Attributes
    ----------
    state
        Which commands are valid.
    account
        Whose mail it sees; None before it has signed in.
    view
        The mailbox that is selected.
    is_secure
        Whether it speaks TLS.
    condstore
        Whether it wants to be told mod-sequences (RFC 7162 section 3.1).
    tag
        Of the command that is being answered; ``""`` where it has none.
    mistakes
        In a row.
    """

    def __init__(
        self,
        service: Service,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.service = service
        self.state = State.NOT_AUTHENTICATED
        self.account: Account | None = None
        self.view: View | None = None
        self.is_secure = False
        self.condstore = False
        self.tag = ""
        self.mistakes = 0
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._waits = False  # for the client, with no reply half-sent

    # -- what handlers ask of it

    @property
    def mail(self) -> Account:
        """The account; for commands that are valid only once somebody has signed in."""
        if self.account is None:
            raise Bad("Sign in first")
        return self.account

    @property
    def selected(self) -> View:
        """The mailbox that is selected; for commands that are valid only then."""
        if self.view is None:
            raise Bad("Select a mailbox first")
        return self.view

    def changed(self) -> asyncio.Event:
        """Return what is set when there is something to tell; without a mailbox it never is."""
        return self.view.changed if self.view else asyncio.Event()

    def writable(self) -> View:
        """Return the mailbox that is selected, to be changed."""
        if self.selected.readonly:
            raise No("The mailbox is open for reading only (EXAMINE)")
        return self.selected

    def select(self, view: View | None) -> None:
        """Put another mailbox in place of the one that is selected."""
        if self.view is not None:
            self.view.close()
        self.view = view
        self.state = State.SELECTED if view else State.AUTHENTICATED

    async def enable_condstore(self) -> None:
        """Tell mod-sequences from now on; of the mailbox that is open at once (RFC 7162 3.1)."""
        if not self.condstore and self.view is not None:
            await self.send(b"OK [HIGHESTMODSEQ %d] The latest change" % self.view.mailbox.modseq)
        self.condstore = True

    # -- reading

    async def read_command(self) -> bytes:
        """Read one command with its literals, without the last line break.

        Raises
        ------
        Bad
            For a line that is too long; the rest of it is thrown away.
        No
            For a literal that is too long, and has not been sent yet.
        HungUp
            When the client has gone, or sends what is too large to be thrown away.
        """
        self.tag = ""
        room, messages = self._room()
        line = await self.read_line(room)
        self.tag = tag_of(line)
        # A message does not count to what a command may have; other literals do.
        is_append = _APPEND.match(line) is not None
        pieces = [line]
        while found := _LITERAL_AT_END.search(line):
            room -= len(line)
            length = int(found[1])
            if length > (messages if is_append else room):
                await self._refuse_literal(at_once=found[2] is not None)
            if is_append:
                messages -= length
            else:
                room -= length
            if found[2] is None:
                await self.send_raw(b"+ Go on\r\n")
            pieces.append(await self._exactly(length))
            # Only what is behind the literal can announce another one.
            line = await self.read_line(room)
            pieces.append(line)
        return b"".join([*pieces[:-1], line.removesuffix(b"\n").removesuffix(b"\r")])

    async def read_line(self, limit: int | None = None) -> bytes:
        """Read up to a line break, which is part of what is returned."""
        limit = self._room()[0] if limit is None else limit
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and len(self._buffer) <= limit:
            searched = len(self._buffer)
            await self._more()
        if 0 <= end < limit:
            return self._cut(end + 1)
        # Whoever sent it waits for an answer to it.
        self.tag = self.tag or tag_of(bytes(self._buffer[:200]))
        await self._skip_line()
        raise Bad("That line is too long")

    async def _skip_line(self) -> None:
        """Throw a line away that is too long: the next one may be a command again."""
        skipped = 0
        while b"\n" not in self._buffer:
            skipped += len(self._buffer)
            if skipped > self.service.limits.message:
                await self.bye("That line has no end")
            self._buffer.clear()
            await self._more()
        self._cut(self._buffer.find(b"\n") + 1)

    async def _refuse_literal(self, *, at_once: bool) -> NoReturn:
        """Say that a literal is too long (RFC 7888 section 4)."""
        if at_once:  # it is on its way already, and cannot be told from what comes after it
            await self.bye("[TOOBIG] That literal is too long")
        raise No("That literal is too long", "TOOBIG")

    async def _exactly(self, length: int) -> bytes:
        pieces = [self._cut(min(length, len(self._buffer)))]
        missing = length - len(pieces[0])
        while missing:  # without a copy of all that has come for each block that comes
            await self._more()
            pieces.append(self._cut(min(missing, len(self._buffer))))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    async def _more(self) -> None:
        limits = self.service.limits
        seconds = limits.idle_seconds if self.account else limits.login_seconds
        self._waits = True
        try:
            async with asyncio.timeout(seconds):
                block = await self._reader.read(_BLOCK)
        except TimeoutError:
            await self.bye("Nothing came for too long")
        except OSError as error:  # cut off, or no TLS at all (ssl.SSLError)
            raise HungUp from error
        self._waits = False
        if not block:
            raise HungUp
        self._buffer += block

    def _cut(self, length: int) -> bytes:
        cut = bytes(self._buffer[:length])
        del self._buffer[:length]
        return cut

    def _room(self) -> tuple[int, int]:
        """Give the bytes that a line and a message may have."""
        limits = self.service.limits
        return (limits.line, limits.message) if self.account else (limits.before_login, 0)

    # -- writing

    async def send(self, *lines: bytes) -> None:
        """Send untagged replies."""
        await self.send_raw(b"".join(b"* %b\r\n" % line for line in lines))

    async def send_raw(self, octets: bytes) -> None:
        """Send bytes; wait while the client does not take them."""
        self._writer.write(octets)
        try:
            async with asyncio.timeout(self.service.limits.idle_seconds):
                await self._writer.drain()
        except OSError as error:  # TimeoutError is one
            raise HungUp from error

    async def send_news(self, *, expunge: bool = True, uid: bool = False) -> None:
        """Tell what has happened in the mailbox that is selected (RFC 3501 section 5.2)."""
        view = self.view
        if view is None:
            return
        if view.is_gone:
            self.select(None)
            await self.bye("The mailbox has been deleted")
        lines = []
        for one in view.news(expunge=expunge):
            if isinstance(one, bytes):
                lines.append(one)
            elif (number := view.number_of(one.uid)) is not None:
                lines.append(self.change_line(number, one, uid=uid))
        if lines:
            await self.send(*lines)

    def change_line(self, number: int, message: Message, *, uid: bool, flags: bool = True) -> bytes:
        """Write the FETCH reply that tells of a change."""
        words = [b"UID %d" % message.uid] if uid or self.condstore else []
        if flags:
            words.append(flags_of(message, self.selected.recent))
        if self.condstore:
            words.append(b"MODSEQ (%d)" % message.modseq)
        return b"%d FETCH (%b)" % (number, b" ".join(words))

    async def bye(self, words: str) -> NoReturn:
        """Send the client away (RFC 3501 section 7.1.5)."""
        await self.send(b"BYE " + words.encode("ascii", "replace"))
        raise HungUp

    async def begin_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from the first byte (RFC 8314)."""
        try:
            async with asyncio.timeout(self.service.limits.login_seconds):
                await self._writer.start_tls(context)
        except OSError as error:  # ssl.SSLError and TimeoutError are such
            raise HungUp from error
        self.is_secure = True

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on under TLS (RFC 3501 section 6.2.1)."""
        # What came behind STARTTLS in plain text may be anybody's, and must not be taken for the
        # client's once the line is safe.
        transport = self._writer.transport
        if isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                self._buffer += await self._reader.read(_BLOCK)
        if self._buffer:
            await self.bye("Commands came behind STARTTLS in plain text")
        await self.send_raw(b"%b OK Begin TLS negotiation now\r\n" % self.tag.encode("ascii"))
        await self.begin_tls(context)

    async def close(self) -> None:
        """End the connection, once the client has taken what it was sent."""
        self._leave()
        try:
            async with asyncio.timeout(_LINGER):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                    # With bytes unread the connection would be reset, and the client might never
                    # see why.
                    while await self._reader.read(_BLOCK):
                        pass
                self._writer.close()
                await self._writer.wait_closed()
        except OSError:
            pass  # gone, or it does not take it (TimeoutError)
        finally:
            self.abort()

    def send_away(self) -> None:
        """Say that the server stops; what that leads to is not waited for."""
        if self._waits and self.state is not State.LOGOUT:
            self._writer.write(b"* BYE The server stops\r\n")
        self._leave()
        self._writer.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    def _leave(self) -> None:
        self.state = State.LOGOUT
        if self.view is not None:
            self.view.close()
            self.view = None
