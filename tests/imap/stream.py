"""A `Wire` whose server has said everything beforehand: no network, no thread, no time."""

from __future__ import annotations

import imaplib
import io
from collections import deque
from typing import TYPE_CHECKING, Any

from mailframe.exceptions import ProtocolError
from mailframe.imap.trace import Recorder
from mailframe.imap.wire import Command, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.imap.responses import Reply


class Stream:
    """A socket that hands out these bytes, ``step`` at a time, and keeps what is sent."""

    def __init__(self, said: bytes, step: int) -> None:
        self._said = io.BytesIO(said)
        self._step = step
        self.sent: list[bytes] = []
        self.closed = False

    def recv(self, size: int) -> bytes:
        return self._said.read(min(size, self._step))

    def gettimeout(self) -> float:
        return 30

    def sendall(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True


def wire_over(said: bytes, *, step: int = 1 << 20, literal_plus: bool = False) -> Wire:
    """Return a wire that hears these bytes; its tags are T0, T1, …"""
    wire = Wire.__new__(Wire)  # imaplib would ask for a greeting and capabilities first
    wire._buffer = bytearray()
    wire._start = 0
    wire._encoding = "ascii"
    wire._tap = Recorder().tap()
    wire.received = wire.sent = wire.commands = 0
    wire.literal_plus = literal_plus
    wire.window = 8
    wire.state = "AUTH"
    wire.tagged_commands = {}
    wire.tagpre, wire.tagnum = b"T", 0
    wire.sock = Stream(said, step)
    wire.shutdown = wire.sock.close
    wire.hang_up = lambda: None
    return wire


def commands(*texts: bytes, **options: Any) -> deque[Command]:
    """Return commands of one piece each."""
    return deque(Command((text,), **options) for text in texts)


def everything(wire: Wire, waiting: Iterable[Command]) -> list[tuple[bytes, str, bytes]]:
    """Run commands to the end; what came, as tag, kind and text."""
    return [(reply.tag, reply.kind, reply.text) for _, reply in wire.run(deque(waiting))]


def framed(said: bytes) -> tuple[list[list[bytes]], Exception | None]:
    """Cut bytes into replies, until the error that ends them; None where they end at a line."""
    wire = wire_over(said)
    found: list[list[bytes]] = []
    try:
        while wire._start < len(wire._buffer) or wire._fill():
            found.append(wire.read_segments())
    except (imaplib.IMAP4.abort, ProtocolError) as error:
        return found, error
    return found, None


def completions(replies: Iterable[tuple[Command | None, Reply]]) -> list[Any]:
    """Return what the completed commands were about, in order of completion."""
    return [command.about for command, _ in replies if command is not None]
