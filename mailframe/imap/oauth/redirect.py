"""The browser comes back: a listener on this machine for one redirect (RFC 8252 section 7.3)."""

from __future__ import annotations

import errno
import hmac
import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from mailframe.exceptions import AuthenticationError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Answer", "Listener", "is_loopback", "read_answer"]

#: In bytes; Microsoft's codes alone take up to 2,000.
_LONGEST_REQUEST = 32_768
#: Browsers open a few connections in advance, and leave them silent.
_MOST_CONNECTIONS = 32
_MOST_PARAMETERS = 50
#: Seconds; select() on Windows does not hear Ctrl-C.
_LONGEST_NAP = 0.5

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mailframe</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}}
</style>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
_WORDS = {
    HTTPStatus.OK: ("Answer received", "You can close this page and go back to mailframe."),
    HTTPStatus.BAD_REQUEST: (
        "Not the sign-in that is waited for",
        "This belongs to another sign-in, perhaps an earlier one. Use the page opened last.",
    ),
    HTTPStatus.NOT_FOUND: ("Nothing here", "mailframe waits for a sign-in on this port."),
}
_HEADERS = (
    "Content-Type: text/html; charset=utf-8",
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy: no-referrer",  # the address holds the code
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the OAuth server sent back by way of the browser (RFC 6749 section 4.1.2).

    Attributes
    ----------
    code
        To be changed for a token; empty if the server refused.
    error, description
        Why it refused.
    """

    code: str = field(default="", repr=False)
    error: str = ""
    description: str = ""


def read_answer(query: str, state: str) -> Answer | None:
    """Read the query of the address that the browser was sent to.

    Parameters
    ----------
    query
        What stands behind the question mark.
    state
        What was sent along; an answer that does not repeat it is to something else.

    Examples
    --------
    >>> read_answer("error=access_denied&state=x", "x")
    Answer(error='access_denied', description='')
    >>> read_answer("error=access_denied&state=y", "x") is None
    True
    """
    try:
        fields = parse_qs(query, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    # Named twice, a parameter is invalid (RFC 6749 section 3.1).
    texts = {name: values[0] for name, values in fields.items() if len(values) == 1}
    if not hmac.compare_digest(texts.get("state", "").encode(), state.encode()):
        return None
    answer = Answer(
        texts.get("code", ""), texts.get("error", ""), texts.get("error_description", "")
    )
    return answer if answer.code or answer.error else None


def is_loopback(redirect_uri: str) -> bool:
    """Tell whether a `Listener` can receive what is sent to this address."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}


class Listener:
    """A port of 127.0.0.1 that waits for the browser, without a thread; to be closed.

    It answers one path under the names of this machine alone: a site that has its own name
    resolved to 127.0.0.1 (DNS rebinding) is told nothing.

    Parameters
    ----------
    redirect_uri
        ``"http://127.0.0.1"`` for any free port, or with the port that the server wants.
    state
        As in the request that the browser was sent with.

    Attributes
    ----------
    redirect_uri
        With the port.
    heard_others
        Whether there was an answer with another state.

    Raises
    ------
    AuthenticationError
        If the port is taken.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        self._state = state
        self._path = parts.path or "/"
        self._selector = selectors.DefaultSelector()
        self._heard: dict[socket.socket, bytes] = {}
        self.heard_others = False
        try:
            self._socket = socket.create_server(("127.0.0.1", parts.port or 0))
        except OSError as error:
            self._selector.close()
            raise _no_port(parts.port or 0, error) from error
        port = self._socket.getsockname()[1]
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if port == 80:  # noqa: PLR2004 which nobody spells out
            self._hosts |= {"127.0.0.1", "localhost"}
        self.redirect_uri = f"http://{parts.hostname}:{port}{parts.path}"
        self._socket.setblocking(False)  # noqa: FBT003 the socket's own signature
        self._selector.register(self._socket, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the port."""
        for connection in list(self._heard):
            self._drop(connection)
        self._socket.close()
        self._selector.close()

    def wait(self, timeout: float) -> Answer | None:
        """Wait for the answer that has the right state; Ctrl-C ends it as well.

        Parameters
        ----------
        timeout
            Seconds in all.

        Returns
        -------
        Answer or None
            None if none came in time.
        """
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(min(left, _LONGEST_NAP)):
                if key.fileobj is self._socket:
                    self._accept()
                elif (answer := self._hear(key.fileobj)) is not None:  # type: ignore[arg-type]
                    return answer
        return None

    def _accept(self) -> None:
        with suppress(OSError):  # it has gone again
            connection, _ = self._socket.accept()
            self._heard[connection] = b""
            connection.setblocking(False)  # noqa: FBT003
            if len(self._heard) > _MOST_CONNECTIONS:
                self._drop(next(iter(self._heard)))
            self._selector.register(connection, selectors.EVENT_READ)

    def _hear(self, connection: socket.socket) -> Answer | None:
        if connection not in self._heard:  # dropped in the same round
            return None
        try:
            data = connection.recv(_LONGEST_REQUEST)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        self._heard[connection] += data
        head, end, _ = self._heard[connection].partition(b"\r\n\r\n")
        if data and not end and len(head) < _LONGEST_REQUEST:
            return None
        answer = None
        if end:
            status, answer = self._judge(head.decode("latin-1"))
            _send(connection, status)
        self._drop(connection)
        return answer

    def _judge(self, head: str) -> tuple[HTTPStatus, Answer | None]:
        """Decide about a request by its lines, without the empty one."""
        request, *fields = head.split("\r\n")
        method, _, rest = request.partition(" ")
        path, _, query = rest.partition(" ")[0].partition("?")
        split = (field.partition(":") for field in fields)
        hosts = [value.strip().lower() for name, _, value in split if name.lower() == "host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, None
        if path != self._path:  # such as /favicon.ico
            return HTTPStatus.NOT_FOUND, None
        if method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, None
        answer = read_answer(query, self._state)
        if answer is None:
            self.heard_others = True
            return HTTPStatus.BAD_REQUEST, None
        return HTTPStatus.OK, answer

    def _drop(self, connection: socket.socket) -> None:
        # Forgotten last: after Ctrl-C in here `close` comes by once more.
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection)
        connection.close()
        self._heard.pop(connection, None)


def _send(connection: socket.socket, status: HTTPStatus) -> None:
    """Send the page for a status: always the same, nothing of the request is in it."""
    title, text = _WORDS.get(status, _WORDS[HTTPStatus.NOT_FOUND])
    page = _PAGE.format(title=title, text=text).encode()
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *_HEADERS, f"Content-Length: {len(page)}"]
    with suppress(OSError):  # a page fits into the buffer; whoever has gone needs none
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + page)
        connection.shutdown(socket.SHUT_WR)


def _no_port(port: int, error: OSError) -> AuthenticationError:
    taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
    return AuthenticationError(
        f"Port {port} of this computer, where the browser is to come back, is taken."
        if taken and port
        else "No port of this computer could be opened for the browser to come back to.",
        reply=error.strerror or "",
        suggestion="End the program that has it, or name another port that is registered with "
        'the server: redirect_uri="http://127.0.0.1:8765". flow="paste" needs no port.',
        code="redirect-port-taken",
    )
