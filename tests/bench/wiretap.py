"""What goes over a connection, counted the same way for everyone: at the socket, inside TLS.

It costs time, so it is only on in the untimed round.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from tests.bench.mailbox import MARKER


@dataclass(slots=True)
class Wiretap:
    """Counts from the moment of `reset`.

    Attributes
    ----------
    received
        Octets, TLS taken off.
    sent
        The commands.
    markers
        Lines of attachments that were received.
    """

    received: int = 0
    markers: int = 0
    sent: bytearray = field(default_factory=bytearray)
    _tail: bytes = b""

    def reset(self) -> None:
        self.received = self.markers = 0
        self.sent.clear()

    def hear(self, data: bytes) -> None:
        self.received += len(data)
        # A marker may be split between two pieces.
        whole = self._tail + data
        self.markers += whole.count(MARKER)
        kept = whole[-(len(MARKER) - 1) :]
        self._tail = kept

    def install(self) -> None:
        """Stand between the sockets made from now on and whoever reads them."""
        self._wrap_reading(ssl.SSLSocket, "read", 2)
        self._wrap_reading(socket.socket, "recv", None)
        self._wrap_reading(socket.socket, "recv_into", 1)
        # SSLSocket.sendall goes through its send.
        for kind, name in ((ssl.SSLSocket, "send"), (socket.socket, "sendall")):
            self._wrap_sending(kind, name)

    def _wrap_reading(self, kind: type, name: str, buffer_at: int | None) -> None:
        original = getattr(kind, name)

        def reading(*args: Any, **options: Any) -> Any:
            result = original(*args, **options)
            buffer = options.get("buffer")
            if buffer_at is not None and len(args) > buffer_at:
                buffer = args[buffer_at]
            self.hear(result if buffer is None else bytes(memoryview(buffer)[:result]))
            return result

        setattr(kind, name, reading)

    def _wrap_sending(self, kind: type, name: str) -> None:
        original = getattr(kind, name)

        def sending(sock: Any, data: Any, *args: Any) -> Any:
            self.sent += data
            return original(sock, data, *args)

        setattr(kind, name, sending)
