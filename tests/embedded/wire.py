"""A client that sends any bytes and reads replies as they come: what a test needs of IMAP."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from mailframe.embedded import Server

TIMEOUT = 10  # seconds without a byte: then the server hangs, and the test fails

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


class Outcome(NamedTuple):
    """What came of one command.

    Attributes
    ----------
    status, text
        Of the tagged reply: ``OK``, ``NO`` or ``BAD``, and what stands behind it.
    untagged
        The replies before it, without ``* `` and the line break.
    """

    status: str
    text: bytes
    untagged: list[bytes]

    def lines(self, word: bytes) -> list[bytes]:
        """Give the untagged replies that have a word in them."""
        return [line for line in self.untagged if word in line]


class Client:
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection((server.host, server.port), timeout=TIMEOUT)
        self._stream = self.socket.makefile("rb")
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on under TLS."""
        self._stream.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._stream = self.socket.makefile("rb")

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> bytes:
        """Read one reply with its literals; empty at the end of the connection."""
        try:
            reply = self._stream.readline()
            while found := _LITERAL.search(reply):
                reply += self._stream.read(int(found[1])) + self._stream.readline()
        except ConnectionResetError:  # ended while something of ours was on its way
            return b""
        return reply

    def replies(self) -> Iterator[bytes]:
        """Read until the server ends the connection."""
        while reply := self.reply():
            yield reply

    def rest(self) -> list[bytes]:
        """Send nothing more; read until the server ends the connection."""
        with suppress(OSError):  # the server was quicker
            self.socket.shutdown(socket.SHUT_WR)
        return list(self.replies())

    def run(self, command: str | bytes) -> Outcome:
        """Send a command; read up to its tagged reply. Literals are not waited for."""
        self._count += 1
        tag = b"t%d" % self._count
        octets = command if isinstance(command, bytes) else command.encode()
        self.send(b"%b %b\r\n" % (tag, octets))
        return self.outcome(tag)

    def outcome(self, tag: bytes) -> Outcome:
        """Read up to a tagged reply."""
        untagged = []
        for reply in self.replies():
            mark, _, rest = reply.partition(b" ")
            if mark == tag:
                status, _, text = rest.rstrip(b"\r\n").partition(b" ")
                return Outcome(status.decode(), text, untagged)
            untagged.append(rest.removesuffix(b"\r\n"))
        raise EOFError(untagged)


def signed_in(server: Server, user: str = "ann", password: str = "secret") -> Client:
    """Connect, read the greeting, sign in."""
    client = Client(server)
    client.reply()
    assert client.run(f"LOGIN {user} {password}").status == "OK"
    return client


def opened(server: Server, mailbox: str = "INBOX", *, user: str = "ann") -> Client:
    """Connect, sign in, select a mailbox."""
    client = signed_in(server, user)
    assert client.run(f"SELECT {mailbox}").status == "OK"
    return client


def ends_with_bye(replies: list[bytes], words: bytes = b"") -> bool:
    """Say whether the last reply sends the client away, in these words."""
    return bool(replies) and replies[-1].startswith(b"* BYE ") and words in replies[-1]
