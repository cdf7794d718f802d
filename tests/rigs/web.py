r"""An HTTPS server on a free port of 127.0.0.1 that answers by host and path as a test tells it to.

::

    with WebServer({"www.example.org/a": b"hello"}, certificates.good) as server:
        ...
    assert server.asked == ["www.example.org/a"]

An answer is a body (200), an `Answer`, or `Raw` bytes that go out as they are, for what is no HTTP.
Whatever has none is a 404. The key is that of the request with its query, or else without.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.rigs.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of HTTP."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes to send.

    Attributes
    ----------
    data
        Sent first.
    again
        Sent over and over behind it, until the client hangs up.
    silent
        Whether the line is then left open, until the client hangs up or the server ends.
    """

    data: bytes = b""
    again: bytes = b""
    silent: bool = False


class WebServer:
    """A server that lives as long as the ``with`` block.

    Parameters
    ----------
    answers
        ``host/path`` to answers.
    certificate
        For every name, or a function that gives the one for the name that a client wants.

    Attributes
    ----------
    asked
        ``host/path?query`` of each request, in the order of arrival.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        answers: Mapping[str, bytes | Answer | Raw],
        certificate: Certificate | Callable[[str], Certificate],
    ) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        self._certificate = certificate
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, name="web-accept")
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        with socket.create_connection((self.host, self.port)):
            self._accepting.join()  # it wakes up for this last client
        self._listener.close()
        for line in self._lines:
            with suppress(OSError):  # hung up already
                socket.socket.shutdown(line, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            line, _ = self._listener.accept()
            if self._stopping:
                line.close()
                return
            self._lines.append(line)
            thread = threading.Thread(target=self._serve, args=(line,), name="web")
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError), raw:  # the client may hang up, and need not trust us
            line = self._context().wrap_socket(raw, server_side=True)
            self._lines.append(line)
            with line:
                self._answer(line)

    def _context(self) -> ssl.SSLContext:
        if not callable(self._certificate):
            return self._certificate.server_context()
        certificate_of = self._certificate

        def choose(line: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            line.context = certificate_of(name or "localhost").server_context()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose  # type: ignore[assignment]  # typeshed has a narrower socket
        return context

    def _answer(self, line: ssl.SSLSocket) -> None:
        reader = line.makefile("rb")
        path = reader.readline().decode("latin-1").split(" ")[1]
        host = ""
        while header := reader.readline().strip().decode("latin-1"):
            if header.lower().startswith("host:"):
                host = header[5:].strip().partition(":")[0]
        asked = host + path
        self.asked.append(asked)
        answer = self.answers.get(asked, self.answers.get(asked.partition("?")[0], Answer(404)))
        if isinstance(answer, Raw):
            line.sendall(answer.data)
            while answer.again:
                line.sendall(answer.again)
            if answer.silent:
                reader.read()
            return
        if isinstance(answer, bytes):
            answer = Answer(body=answer)
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} As the test says"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        line.sendall("\r\n".join([*lines, "", ""]).encode() + answer.body)
