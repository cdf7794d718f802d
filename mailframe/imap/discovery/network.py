"""How discovery reaches the world: pages over HTTPS, and whether a host greets as IMAP does."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from mailframe.exceptions import ConnectionFailedError
from mailframe.imap.discovery.answers import SILENCE, Miss, Unreachable, checked_host
from mailframe.imap.discovery.records import ask_dns

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

__all__ = ["Network", "fetch", "greeting"]

#: A file of some kilobytes is expected; nothing larger than so many bytes is read.
LARGEST = 256 * 1024
_HTTPS = 443
_REDIRECTS = 5
_REDIRECTING = {301, 302, 303, 307, 308}
_LONGEST_GREETING = 4096
_HEADERS = {"Accept": "text/xml, application/xml", "User-Agent": "mailframe"}


def _dial(host: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((host, port), timeout=seconds)


@dataclass(frozen=True, slots=True)
class Network:
    """The world outside, to be replaced in tests and by a proxy.

    Attributes
    ----------
    dial
        Opens a socket to a host and port, within so many seconds.
    resolve
        Asks DNS for the records of a name and kind, within so many seconds; each is a list of the
        words that it is written with.
    context
        Whose certificates are trusted.
    """

    dial: Callable[[str, int, float], socket.socket] = _dial
    resolve: Callable[[str, str, float], list[list[str]]] = ask_dns
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def open(self, host: str, port: int, deadline: float) -> ssl.SSLSocket:
        """Open a connection with TLS to a host whose certificate is good."""
        raw = self.dial(host, port, _left(deadline))
        try:
            raw.settimeout(_left(deadline))
            return self.context.wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise


class _Reader(io.RawIOBase):
    """What comes from a socket, with one deadline for all of it.

    The timeout of a socket starts anew with each byte, so a server could keep us with a byte a
    second.
    """

    def __init__(self, line: ssl.SSLSocket, deadline: float) -> None:
        self._line = line
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._line.settimeout(_left(self._deadline))
        return self._line.recv_into(buffer)


class _Line:
    """A socket as http.client uses one, closed by who opened it."""

    def __init__(self, line: ssl.SSLSocket, deadline: float) -> None:
        self.sendall = line.sendall
        self._reader = _Reader(line, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)

    def close(self) -> None:
        pass


def fetch(network: Network, url: str, deadline: float) -> bytes:
    """Read a page over HTTPS, and over nothing else.

    Parameters
    ----------
    network
        The way out.
    url
        Begins with ``https://``.
    deadline
        By when, on the clock of `time.monotonic`.

    Raises
    ------
    Unreachable
        If nobody answers over HTTPS.
    Miss
        If there is no such page.
    """
    for _ in range(_REDIRECTS + 1):
        try:
            answer = _get(network, url, deadline)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise Unreachable(_in_words(error)) from error
        if isinstance(answer, bytes):
            return answer
        url = _redirected(url, answer)
    raise Miss("it redirects without end")


def _get(network: Network, url: str, deadline: float) -> bytes | str:
    """Return the page, or where it has gone."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
    host, port = parts.hostname or "", parts.port or _HTTPS
    with network.open(host, port, deadline) as line:
        connection = http.client.HTTPSConnection(host, port, context=network.context)
        connection.sock = _Line(line, deadline)
        connection.request("GET", target, headers=_HEADERS)
        with connection.getresponse() as response:
            if response.status in _REDIRECTING:
                return response.headers.get("Location", "")
            if response.status != http.client.OK:
                raise Miss(f"HTTP {response.status}")
            data = response.read(LARGEST + 1)
    if len(data) <= LARGEST:
        return data
    raise Miss("an answer far too long for autoconfig")


def _redirected(url: str, location: str) -> str:
    try:
        parts = urlsplit(urljoin(url, location))
        host, port = checked_host(parts.hostname or ""), parts.port or _HTTPS
    except ValueError:
        raise Miss("it redirects to an address that is none") from None
    if parts.scheme != "https":
        raise Miss("it redirects to a page without TLS")
    target = f"https://{host}:{port}{parts.path or '/'}"
    target += f"?{parts.query}" if parts.query else ""
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise Miss("it redirects to an address that is none")
    return target


def greeting(network: Network, host: str, port: int, deadline: float) -> None:
    """See whether an IMAP server with a good certificate is there, and is ready.

    Raises
    ------
    Miss
        If not.
    """
    try:
        with network.open(host, port, deadline) as line:
            said = b""
            while b"\n" not in said and len(said) < _LONGEST_GREETING:
                line.settimeout(_left(deadline))
                block = line.recv(_LONGEST_GREETING)
                if not block:
                    break
                said += block
    except (OSError, UnicodeError) as error:
        raise Unreachable(_in_words(error)) from error
    # RFC 3501 section 7.1: the greeting. PREAUTH would be somebody else's mailbox.
    if not said.upper().startswith(b"* OK") or b"\n" not in said:
        raise Miss("what answers there is no IMAP server, or turns away")


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (http.client.RemoteDisconnected, "it hung up"),
    (http.client.HTTPException, "an answer that is not HTTP"),
    (socket.gaierror, "there is no machine of that name"),
    (UnicodeError, "there is no machine of that name"),
    (TimeoutError, SILENCE),
    (ssl.SSLError, "TLS could not be agreed on"),
    (ConnectionRefusedError, "connection refused"),
)


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return "its name could not be looked up"
    if isinstance(error, ConnectionFailedError):  # of the proxy
        return error.reply or error.tried
    known = (words for kind, words in _WORDS if isinstance(error, kind))
    return next(known, getattr(error, "strerror", None) or "the connection broke")


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
