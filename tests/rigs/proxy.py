"""A TCP proxy on 127.0.0.1 that breaks what passes through it, at the byte it is told to.

::

    faults = [Fault("cut", at=1000), Fault("flip", at=52, bit=3, connection=2)]
    with FaultProxy(dovecot.host, dovecot.port, faults) as proxy:
        client = imaplib.IMAP4(proxy.host, proxy.port)
        ...
    assert proxy.lines[0].passed["S"] == 1000

What it does depends on the bytes alone, never on the time or on how TCP cuts a stream up: a fault
after byte n lets exactly n bytes of its direction through, and only then happens.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

Direction = Literal["C", "S"]

_READ = 1 << 16
# Chunks on their way; a client that does not read is not to fill the memory.
_UNDERWAY = 256
_TO_ACKNOWLEDGE = 1.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, once.

    Attributes
    ----------
    kind
        ``"cut"``: the stream ends in order; ``"reset"``: as a crashed machine would end it;
        ``"stall"``: nothing passes either way any more, and nobody hangs up; ``"flip"``: one bit
        is wrong.
    at
        So many bytes of its direction have passed before; 0 is before the greeting.
    direction
        ``"S"``, what the server says, or ``"C"``, what the client says.
    connection
        Which one, from 1.
    bit
        Of the byte ``at``, for a flip.
    """

    kind: Literal["cut", "reset", "stall", "flip"]
    at: int
    direction: Direction = "S"
    connection: int = 1
    bit: int = 0


@dataclass(slots=True, eq=False)
class Line:
    """One client's connection, and what has passed through it.

    Attributes
    ----------
    number
        1 for the first client.
    passed
        Bytes by direction, ``"C"`` and ``"S"``.
    said
        The bytes themselves, if they are recorded.
    round_trips
        How often something was said that may have been an answer to an answer: a proxy that delays
        counts what depends on what, however many commands are in flight.
    broken
        The kind of the fault that ended it; ``""`` while there was none.
    """

    number: int
    passed: dict[Direction, int] = field(default_factory=lambda: {"C": 0, "S": 0})
    said: dict[Direction, bytearray] = field(
        default_factory=lambda: {"C": bytearray(), "S": bytearray()}
    )
    round_trips: int = 0
    broken: str = ""
    # What the client has heard is the answer to this many round trips.
    _heard: int = 0


class FaultProxy:
    """A proxy in a thread, on a free port, that lives as long as the ``with`` block.

    Parameters
    ----------
    host, port
        The server.
    faults
        What goes wrong; connections without any pass undisturbed.
    delay
        Seconds that everything takes, each way.
    rate
        Bytes per second, each way; None for no limit.
    pieces
        Pass on so many bytes at a time; None for whatever comes.
    record
        Keep what is said, in ``Line.said``.

    Attributes
    ----------
    server
        Host and port that new connections go to; it may be changed.
    lines
        All connections there have been.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        host: str,
        port: int,
        faults: Iterable[Fault] = (),
        *,
        delay: float = 0.0,
        rate: float | None = None,
        pieces: int | None = None,
        record: bool = False,
    ) -> None:
        self.port = 0
        self.faults = list(faults)
        self.delay = delay
        self.rate = rate
        self.pieces = pieces
        self.record = record
        self.lines: list[Line] = []
        self.server = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._errors: list[Exception] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for error in self._errors:
            raise error

    @property
    def open(self) -> int:
        """How many connections stand at the moment."""
        return len(self._tasks)

    def total(self, direction: Direction) -> int:
        """Return how many bytes have passed in a direction, over all connections."""
        return sum(line.passed[direction] for line in self.lines)

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until nobody is connected any more: a client's end takes a moment to arrive."""
        asyncio.run_coroutine_threadsafe(self._settle(seconds), self._loop).result()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def go_away(self) -> None:
        """End every connection and refuse new ones, as a machine that is down."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()

    def stall(self) -> None:
        """Let nothing pass any more on the connections there are; nobody hangs up."""
        for line in self.lines:
            line.broken = line.broken or "stall"

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0)  # transports close in the loop's next turn

    async def _settle(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        line = Line(len(self.lines) + 1)
        self.lines.append(line)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._connect(line, reader, writer)
        except Exception as error:  # noqa: BLE001 raised in the test's own thread, at the end
            self._errors.append(error)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _connect(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_connection(*self.server)
        both = [
            _Way(self, line, "C", reader, to_server),
            _Way(self, line, "S", from_server, writer),
        ]
        tasks = [asyncio.ensure_future(step) for way in both for step in (way.take(), way.give())]
        fault = ""
        try:
            fault = await _first_fault(tasks)
        finally:
            to_server.transport.abort()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if fault:
            line.broken = fault
            await _break(fault, reader, writer)


class _FaultError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class _Way:
    """One direction of one connection."""

    def __init__(
        self,
        proxy: FaultProxy,
        line: Line,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._line = line
        self._direction = direction
        self._reader = reader
        self._writer = writer
        self._underway: asyncio.Queue[tuple[float, int, bytes]] = asyncio.Queue(_UNDERWAY)
        self._faults = sorted(
            (f for f in proxy.faults if (f.connection, f.direction) == (line.number, direction)),
            key=lambda fault: fault.at,
        )
        # `drain` then waits for the kernel to take all of it, so that what was counted has gone.
        writer.transport.set_write_buffer_limits(0)

    async def take(self) -> None:
        """Read what one side says, to its end."""
        loop = asyncio.get_running_loop()
        data = b"."
        while data:
            data = await self._reader.read(_READ)
            line = self._line
            trip = line._heard + 1 if self._direction == "C" else line.round_trips
            await self._underway.put((loop.time() + self._proxy.delay, trip, data))

    async def give(self) -> None:
        """Say it to the other side, when it is due."""
        loop = asyncio.get_running_loop()
        await self._pass_on(b"")  # for a fault at byte 0
        while True:
            due, trip, data = await self._underway.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not data:
                self._writer.write_eof()
                raise EOFError
            if self._direction == "C":
                self._line.round_trips = max(self._line.round_trips, trip)
            await self._pass_on(data)
            if self._direction == "S":
                self._line._heard = max(self._line._heard, trip)

    async def _pass_on(self, data: bytes) -> None:
        passed = self._line.passed[self._direction]
        while self._faults:
            fault = self._faults[0]
            offset = fault.at - passed
            if fault.kind == "flip":
                if offset >= len(data):
                    break
                data = data[:offset] + bytes([data[offset] ^ 1 << fault.bit]) + data[offset + 1 :]
                self._faults.pop(0)
            elif offset > len(data):
                break
            else:
                await self._write(data[:offset])
                raise _FaultError(fault)
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        proxy, line = self._proxy, self._line
        step = proxy.pieces or max(len(data), 1)
        for start in range(0, len(data), step):
            if line.broken:
                return
            piece = data[start : start + step]
            # Counted before: whoever hears it may look at once.
            line.passed[self._direction] += len(piece)
            if proxy.record:
                line.said[self._direction] += piece
            self._writer.write(piece)
            await self._writer.drain()
            if proxy.rate is not None:
                await asyncio.sleep(len(piece) / proxy.rate)
            elif proxy.pieces:
                await asyncio.sleep(0)


async def _first_fault(tasks: list[asyncio.Task[None]]) -> str:
    """Wait for a fault, and name its kind; ``""`` once one side has hung up."""
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        failure = task.exception() if task.done() else None
        if isinstance(failure, _FaultError):
            return failure.fault.kind
        if failure is not None and not isinstance(failure, EOFError | OSError):
            raise failure
    return ""


async def _break(
    kind: str, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
) -> None:
    """Let the client feel it, after everything that was let through."""
    sock = to_client.get_extra_info("socket")
    if kind == "reset":
        await _acknowledged(sock.fileno())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    if kind == "cut":
        to_client.write_eof()
    # Closing a socket with unread data in it would be a reset; a stalled one stays open.
    while await from_client.read(_READ):
        pass


async def _acknowledged(descriptor: int) -> None:
    """Wait until the client's kernel has all of it: a reset throws away what was not yet sent."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _TO_ACKNOWLEDGE
    while loop.time() < deadline:
        unsent = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4))[0]
        if not unsent:
            return
        await asyncio.sleep(0.001)
