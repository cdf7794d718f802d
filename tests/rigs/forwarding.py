"""A SOCKS5 and HTTP proxy on a free port of 127.0.0.1, as strict as the RFCs and no larger."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class ForwardingProxy:
    """A proxy that lives as long as the ``with`` block.

    Parameters
    ----------
    credentials
        ``user:password`` that it wants to know; None for anybody.

    Attributes
    ----------
    asked_for
        Hosts and ports that clients wanted to go to.
    """

    host = "127.0.0.1"

    def __init__(self, credentials: str | None = None) -> None:
        self.credentials = credentials
        self.asked_for: list[tuple[str, int]] = []
        proxy = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    (proxy.socks if self.rfile.peek(1)[:1] == b"\5" else proxy.http)(self)

        class Listener(ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._listener = Listener((self.host, 0), Handler)
        self.port: int = self._listener.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def socks(self, client: StreamRequestHandler) -> None:
        """Speak SOCKS5 (RFC 1928, RFC 1929)."""
        _, count = client.rfile.read(2)
        offered = client.rfile.read(count)
        method = 2 if self.credentials else 0
        client.wfile.write(bytes([5, method if method in offered else 255]))
        if method not in offered:
            return
        if self.credentials:
            _, length = client.rfile.read(2)
            user = client.rfile.read(length)
            password = client.rfile.read(client.rfile.read(1)[0])
            is_right = user + b":" + password == self.credentials.encode()
            client.wfile.write(bytes([1, 0 if is_right else 1]))
            if not is_right:
                return
        *_, kind = client.rfile.read(4)
        if kind == 1:
            host = socket.inet_ntoa(client.rfile.read(4))
        else:
            host = client.rfile.read(client.rfile.read(1)[0]).decode()
        port = int.from_bytes(client.rfile.read(2), "big")
        self.forward(client, host, port, b"\5\0\0\1" + bytes(6), b"\5\5\0\1" + bytes(6))

    def http(self, client: StreamRequestHandler) -> None:
        """Speak HTTP's CONNECT (RFC 9110 section 9.3.6)."""
        method, target, _ = client.rfile.readline().decode().split()
        fields = {}
        while line := client.rfile.readline().strip().decode():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        wanted = base64.b64encode((self.credentials or "").encode()).decode()
        if self.credentials and fields.get("proxy-authorization") != f"Basic {wanted}":
            client.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        assert method == "CONNECT"
        refused = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
        self.forward(client, host, int(port), b"HTTP/1.1 200 OK\r\n\r\n", refused)

    def forward(
        self, client: StreamRequestHandler, host: str, port: int, yes: bytes, no: bytes
    ) -> None:
        """Connect, and carry bytes both ways until one side ends."""
        self.asked_for.append((host, port))
        try:
            server = socket.create_connection((host, port), timeout=5)
        except OSError:
            client.wfile.write(no)
            return
        client.wfile.write(yes)
        with server:
            server.settimeout(None)
            back = threading.Thread(target=_carry, args=(server, client.connection), daemon=True)
            back.start()
            _carry(client.connection, server)
            back.join()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while block := one.recv(1 << 16):
            other.sendall(block)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
