"""The reader under imap-tools' connection: one buffer, pipelined commands, capped replies.

``Wire`` is mixed over imaplib's two classes and handed to imap-tools. imaplib reads the greeting
and the capabilities through it; everything else goes through `Wire.run`, which keeps several
commands in flight, sends literals, and never stores a reply in imaplib's ``untagged_responses``.
"""

from __future__ import annotations

import contextlib
import imaplib
import math
import os
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailframe.cancellation import check_cancelled, current_scope
from mailframe.exceptions import ConnectionFailedError, ProtocolError, ServerTimeoutError
from mailframe.imap import trace
from mailframe.imap.failures import UNREACHED
from mailframe.imap.proxy import connect_through
from mailframe.imap.responses import Reply, parse_number, parse_reply

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Generator, Iterator

__all__ = ["Command", "Literal", "PlainWire", "TlsWire", "Wire"]

#: Commands in flight at a time. 19 chunks at 100 ms take 2.0 s one by one and 0.5 s four at a time.
WINDOW = 8
#: Bytes of replies expected in flight, for commands that say what they expect.
WINDOW_BYTES = 4 << 20
#: Bytes of commands sent ahead. A server that stops reading while we stop reading would deadlock;
#: this fits in any socket buffer.
WINDOW_SENT = 32 << 10
#: A line this long is no reply: 2 million search results fit in 16 MiB.
MAX_LINE = 32 << 20
#: A literal this long is no message.
MAX_LITERAL = 1 << 30
#: Bytes a second that a literal must bring, beside the time that silence gets: a server that sends
#: a byte now and then is never silent, and never done.
SLOWEST = 256

# Larger than a TLS record, smaller than what malloc maps anew from the system each time.
_RECEIVE = 1 << 16
_SMALL = 1 << 14
#: Bytes read ahead of a command, for news that came meanwhile.
_UNASKED = 1 << 20
_FAREWELL = re.compile(rb"^\* BYE\b ?([^\r\n]*)\r?\n", re.IGNORECASE | re.MULTILINE)
_LITERAL_AT_END = re.compile(rb"\{(\d+)\+?\}\Z")


class Literal(bytes):
    """An argument sent as a literal: ``{length}``, CRLF and the bytes (RFC 3501 section 4.3)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """A command on its way to the server.

    Attributes
    ----------
    pieces
        Joined without spaces; a `Literal` is announced by its length.
    expect
        Bytes of reply expected, for the window; 0 when small.
    respond
        Answers a continuation request (AUTHENTICATE, IDLE): challenge in, line out; None where the
        command has ended by then.
    about
        Whatever the caller wants to find again at the completion.
    """

    pieces: tuple[bytes, ...]
    expect: int = 0
    respond: Callable[[bytes], bytes | None] | None = None
    about: Any = None

    @property
    def size(self) -> int:
        """Length in bytes, literals included."""
        return sum(map(len, self.pieces))


class Wire(imaplib.IMAP4):
    """One buffered connection, for imaplib and for us."""

    #: Bytes received and sent so far, commands sent, for benchmarks and diaries.
    received: int
    sent: int
    commands: int
    #: Whether long arguments may go out without waiting (LITERAL+, RFC 7888).
    literal_plus: bool
    #: Commands in flight at a time; 1 for a server that mixes them up.
    window: int
    #: Commands that have been sent and not completed, by tag, in the order they were sent.
    flying: dict[bytes, Command]

    def __init__(
        self,
        *args: Any,
        recorder: trace.Recorder | None = None,
        proxy: str | None = None,
        **options: Any,
    ) -> None:
        # First: imaplib connects and reads the greeting while it is made.
        self._tap = (recorder or trace.Recorder()).tap()
        self._proxy = proxy
        with current_scope().waking(self.hang_up):
            super().__init__(*args, **options)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket (imaplib's hook) and start with an empty buffer."""
        self._buffer = bytearray()
        self._start = 0
        self.received = self.sent = self.commands = 0
        self.literal_plus = False
        self.window = WINDOW
        self.flying = {}
        super().open(*args, **kwargs)
        try:
            check_cancelled()  # before, there was nothing to hang up
        except BaseException:
            self.shutdown()
            raise
        # Without this a small command waits for the acknowledgement of the last one (Nagle).
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        if self._proxy is not None:
            return connect_through(self._proxy, self.host, self.port, timeout)
        try:
            # Not IMAP4_SSL's: TLS is for `_secure`.
            create: Callable[..., socket.socket] = vars(imaplib.IMAP4)["_create_socket"]
            plain = create(self, timeout)
        except TimeoutError as error:
            # Told apart from a server that falls silent, which may speak the next time.
            raise ServerTimeoutError(
                f"Could not connect to {self.host}, port {self.port}.",
                reply=f"nothing for {timeout or 0:g} seconds",
                code=UNREACHED,
            ) from error
        return plain

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Turn the connection into a TLS one (RFC 3501 section 6.2.1).

        Raises
        ------
        ConnectionFailedError
            If bytes stand behind the server's OK: they were put there by somebody who wants them
            taken for the first words inside TLS (CVE-2011-0411 and its kin).
        """
        if ssl_context is None:  # imaplib would make one that verifies nothing
            ssl_context = ssl.create_default_context()
        with current_scope().waking(self.hang_up):
            return self._turned_into_tls(ssl_context)

    def _turned_into_tls(self, ssl_context: ssl.SSLContext) -> Any:
        status, data = self._simple_command("STARTTLS")
        if status != "OK":
            raise self.error(data[-1])
        if self._start != len(self._buffer):
            raise ConnectionFailedError(
                "STARTTLS was broken off: bytes that do not belong there followed the answer.",
                suggestion="Somebody may be tampering with the connection. "
                'Use security="tls" (port 993), from a network you trust.',
            )
        self._secure(self.sock, ssl_context)
        self._tls_established = True
        # What was announced in clear text may have been forged.
        self._get_capabilities()
        return status, data

    def _secure(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        """Put TLS on a socket; `hang_up` ends the handshake with whoever falls silent in it."""
        made = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = made
        try:
            check_cancelled()  # it may have been the other socket that was hung up
            made.do_handshake()
        except BaseException:
            made.close()
            raise

    # imaplib's hooks ---------------------------------------------------------------------------

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes; fewer only at the end of the stream.

        Raises
        ------
        ServerTimeoutError
            If they come too slowly to be waited for.
        """
        begun = time.monotonic()
        while len(self._buffer) - self._start < size and self._fill():
            spent = time.monotonic() - begun
            if spent > (self.sock.gettimeout() or math.inf) + size / SLOWEST:
                raise ServerTimeoutError(
                    f"The server sent {len(self._buffer) - self._start:,} of {size:,} bytes in "
                    f"{spent:.0f} seconds: the rest was not waited for."
                )
        return self._take(min(size, len(self._buffer) - self._start))

    def readline(self) -> bytes:
        """Return a line with its end; an unfinished one only at the end of the stream."""
        searched = self._start
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched - self._start > MAX_LINE:
                raise ProtocolError(f"The server sent a line of over {MAX_LINE >> 20} MiB.")
            if not self._fill():
                return self._take(len(self._buffer) - self._start)
            searched -= self._moved
        return self._take(end + 1 - self._start)

    def send(self, data: Any) -> None:
        """Send all of it."""
        self.sent += len(data)
        self.sock.sendall(data)

    def _simple_command(self, name: str, *args: str) -> Any:
        # CAPABILITY, STARTTLS and LOGOUT: imaplib's own, with the tag that it is about to make.
        tag = b"%b%d" % (self.tagpre, self.tagnum)  # type: ignore[str-format] # bytes, in truth
        self._tap.sent(tag, [name.encode("ascii")])
        return super()._simple_command(name, *args)  # type: ignore[misc] # typeshed has it not

    def _get_line(self) -> bytes:
        line: bytes = super()._get_line()  # type: ignore[misc] # as above
        self._tap.heard([line], self._read_so_far)  # the greeting, and answers to these
        return line

    def _log(self, line: str) -> None:
        """Keep nothing: imaplib would remember the last commands, the password included."""

    # ours --------------------------------------------------------------------------------------

    def run(self, commands: deque[Command]) -> Generator[tuple[Command | None, Reply]]:
        """Send commands, several in flight, and yield the replies as they come.

        Parameters
        ----------
        commands
            Taken from the left, as the window has room; more may be added meanwhile.

        Yields
        ------
        tuple
            ``(None, reply)`` for untagged data; ``(command, reply)`` for the tagged completion of
            a command. Servers may hold completions back and mix the data of commands in flight:
            data belongs to what it says about itself, not to a tag.

        Raises
        ------
        ProtocolError
            For a reply that is not IMAP, or a tag that was never sent.
        imaplib.IMAP4.abort
            At the end of the stream.
        OSError
            For a broken or silent connection.

        Notes
        -----
        Left early (``close()``, a ``break``), it reads what is still in flight to its end, so that
        the next command finds the connection in step. After any error the connection is dropped.
        """
        flying = self.flying = {}
        try:
            while True:
                yield from self._launch(commands, flying)
                if not flying:
                    return
                yield self._receive(flying)
        except GeneratorExit:
            try:
                while flying:
                    self._receive(flying)
            except (OSError, imaplib.IMAP4.error, ProtocolError):
                self.drop()
            except BaseException:  # Ctrl-C once more: what is unread must not be taken for replies
                self.drop()
                raise
            raise
        except BaseException:
            self.drop()
            raise

    def has_ended(self) -> str | None:
        """Look whether the server has ended the connection while nothing was asked of it.

        A half-open connection, behind which there is nobody any more, does not show: only an
        answer to a command tells.

        Returns
        -------
        str or None
            Its reason, where it gave one (BYE, RFC 3501 section 7.1.5); None if it has not ended.
        """
        timeout = self.sock.gettimeout()
        is_over = False
        try:
            self.sock.settimeout(0)
            while not is_over and len(self._buffer) < _UNASKED:
                is_over = not self._fill()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            is_over = True
        except BaseException:
            self.drop()
            raise
        finally:
            with contextlib.suppress(OSError):
                self.sock.settimeout(timeout)
        farewell = _FAREWELL.search(self._buffer, self._start)
        if farewell:
            self._tap.heard([bytes(farewell[0].rstrip())], self._read_so_far)
            return farewell[1].decode("utf-8", "replace")
        return "" if is_over else None

    def listen(self, pattern: re.Pattern[bytes], seconds: float) -> bytes:
        """Read ahead until a line matches, so many seconds have passed, or the stream has ended.

        Parameters
        ----------
        pattern
            Searched for in what has come. It may match in a literal, too: then one hears something
            where there is nothing.
        seconds
            At most.

        Returns
        -------
        bytes
            What has matched; empty without.
        """
        timeout = self.sock.gettimeout()
        end = time.monotonic() + seconds
        searched = self._start
        try:
            while (found := pattern.search(self._buffer, searched)) is None:
                # Of what was looked at only the last line may match yet: it has no end.
                searched = max(searched, self._buffer.rfind(b"\n", searched) + 1)
                left = end - time.monotonic()
                if left <= 0 or len(self._buffer) - self._start > _UNASKED:
                    return b""
                self.sock.settimeout(left)
                if not self._fill():
                    return b""
                searched -= self._moved
            return found[0]
        except TimeoutError:
            return b""
        finally:
            with contextlib.suppress(OSError):
                self.sock.settimeout(timeout)

    def hang_up(self) -> None:
        """Shut the socket down, from whatever thread: nothing is sent or read any more."""
        # Not by SSLSocket.shutdown, which takes TLS off first: what another thread is sending at
        # that moment would go out in clear text.
        with contextlib.suppress(OSError, AttributeError):  # it may not be there yet
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def drop(self) -> None:
        """Close the socket without a word: after an error nobody knows what is in flight."""
        self.state = "LOGOUT"
        self.hang_up()
        with contextlib.suppress(OSError):
            self.shutdown()

    def abandon(self) -> None:
        """Let go of the socket, and leave the connection as it is: another process has it too."""
        self.state = "LOGOUT"
        with contextlib.suppress(OSError):
            os.close(self.sock.detach())

    def _launch(
        self, waiting: deque[Command], flying: dict[bytes, Command]
    ) -> Iterator[tuple[Command | None, Reply]]:
        outgoing = bytearray()
        while waiting and len(flying) < self.window:
            ahead = sum(command.size for command in flying.values())
            expected = sum(command.expect for command in flying.values())
            if flying and (ahead > WINDOW_SENT or expected > WINDOW_BYTES):
                break
            command = waiting.popleft()
            tag = self._new_tag()
            del self.tagged_commands[tag]  # imaplib's own book-keeping; replies come to us
            flying[tag] = command
            self.commands += 1
            announced = [self._announcement(piece) for piece in command.pieces]
            self._tap.sent(tag, command.pieces, announced)
            outgoing += tag + b" "
            for piece, announcement in zip(command.pieces, announced, strict=True):
                if announcement:
                    outgoing += announcement + b"\r\n"
                    if not self.literal_plus:
                        self.send(bytes(outgoing))
                        outgoing.clear()
                        try:
                            yield from self._await_continuation(tag, flying)
                        except GeneratorExit:
                            self.drop()  # the server waits for a literal that will not come
                            raise
                        if tag not in flying:  # refused: NO or BAD instead of "+"
                            break
                outgoing += piece
            else:
                outgoing += b"\r\n"
        if outgoing:
            self.send(bytes(outgoing))

    def _announcement(self, piece: bytes) -> bytes:
        if not isinstance(piece, Literal):
            return b""
        return b"{%d%s}" % (len(piece), b"+" if self.literal_plus else b"")

    def _await_continuation(
        self, tag: bytes, flying: dict[bytes, Command]
    ) -> Iterator[tuple[Command | None, Reply]]:
        while tag in flying:
            command, reply = self._receive(flying)
            if reply.tag == b"+":
                return
            yield command, reply

    def _receive(self, flying: dict[bytes, Command]) -> tuple[Command | None, Reply]:
        segments = self.read_segments()
        self._tap.heard(segments, self._read_so_far)
        reply = parse_reply(segments)
        if reply.tag == b"*":
            return None, reply
        if reply.tag == b"+":
            answering = next((c for c in flying.values() if c.respond is not None), None)
            if answering is not None and answering.respond is not None:
                answer = answering.respond(reply.text)
                if answer is not None:
                    self._tap.answered(answer)
                    self.send(answer + b"\r\n")
            return None, reply
        command = flying.pop(reply.tag, None)
        if command is None:
            raise ProtocolError(
                "The server completed a command that was never sent.", reply=repr(reply.tag)
            )
        return command, reply

    def read_segments(self) -> list[bytes]:
        """Read one reply: text, literal, text, …, without the final line end.

        Raises
        ------
        ProtocolError
            If a literal is announced that no message could have.
        imaplib.IMAP4.abort
            At the end of the stream.
        """
        segments: list[bytes] = []
        while True:
            line = self.readline()
            if line[-1:] != b"\n":
                raise self.abort("socket error: EOF")
            text = line.rstrip(b"\r\n")
            match = None
            if text[-1:] == b"}":  # looked for from its brace: the line may be long
                match = _LITERAL_AT_END.match(text, text.rfind(b"{"))
            if match is None:
                segments.append(text)
                return segments
            size = parse_number(match[1])
            if size is None or size > MAX_LITERAL:
                raise ProtocolError(
                    f"The server announced a literal of {match[1][:40].decode()} bytes."
                )
            literal = self.read(size)
            if len(literal) < size:
                raise self.abort("socket error: EOF in a literal")
            segments += (text, literal)

    @property
    def _read_so_far(self) -> int:
        return self.received - (len(self._buffer) - self._start)

    def _fill(self) -> int:
        # Bytes already taken are given up only here, so that a chunk is moved once at most.
        self._moved = self._start
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        data = self.sock.recv(_RECEIVE)
        self._buffer += data
        self.received += len(data)
        return len(data)

    def _take(self, size: int) -> bytes:
        end = self._start + size
        if size < _SMALL:
            taken = bytes(self._buffer[self._start : end])
        else:  # a slice of the bytearray would be a second copy
            with memoryview(self._buffer) as view:
                taken = bytes(view[self._start : end])
        self._start = end
        return taken


class PlainWire(Wire):
    """Over a plain socket, which STARTTLS may turn into TLS."""


class TlsWire(Wire, imaplib.IMAP4_SSL):
    """Over TLS from the first byte."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        self._secure(super()._create_socket(timeout), self.ssl_context)
        return self.sock
