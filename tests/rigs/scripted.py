r"""An IMAP server that says what a test tells it to, for replies that no real server gives.

A test overrides the one reply that it is about; everything else has a sensible default::

    def fetch(tag, args, connection):
        connection.close()

    with ScriptedServer({"UID FETCH": fetch}, messages={1: b"FLAGS ()"}) as server:
        client = imaplib.IMAP4(server.host, server.port)
        ...
    assert server.received[-1].startswith(b"A3 UID FETCH")

A handler is the reply's bytes, with ``<tag>`` where the command's tag goes (nothing is added:
without a tagged line the command stays unanswered, ``b""`` is silence), or a function
``(tag, args, connection)`` that returns such bytes, several of them (each sent by itself), or None.
Commands are matched without regard to case; those behind ``UID`` are named ``"UID FETCH"``.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from tests.rigs.certificates import Certificate

LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")


class Connection:
    """One client's connection, as handlers see it.

    Attributes
    ----------
    number
        1 for the first client of this server.
    is_tls
        Whether what is said now is encrypted.
    is_authenticated
        Whether LOGIN or AUTHENTICATE was answered OK, or the greeting was PREAUTH.
    """

    def __init__(self, server: ScriptedServer, stream: socket.socket, number: int) -> None:
        self.server = server
        self.number = number
        self.is_tls = False
        self.is_authenticated = False
        self._stream = stream
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes, in the pieces that ``split`` of the server asks for."""
        step = self.server.split or len(data) or 1
        for start in range(0, len(data), step):
            self._stream.sendall(data[start : start + step])

    def read_line(self) -> bytes:
        """Read one line (no literals in it) without its CRLF: what follows a ``+``."""
        line = self._read_until_line_end().removesuffix(b"\r\n")
        self.server.received.append(line)
        return line

    def read_command(self) -> bytes:
        """Read one command with its literals, asking for them where it must; no final CRLF.

        A handler may call it too, to answer a pipelined command before its own.
        """
        command = self._read_until_line_end()
        while match := LITERAL.search(command):
            size = int(match[1])
            if not match[2]:
                self.send(b"+ go on\r\n")
            while len(self._buffer) < size:
                self._receive()
            command += self._buffer[:size]
            self._buffer = self._buffer[size:]
            command += self._read_until_line_end()
        command = command.removesuffix(b"\r\n")
        self.server.received.append(command)
        return command

    def start_tls(self) -> None:
        """Do the server's side of a TLS handshake."""
        certificate = self.server.certificate
        assert certificate is not None, "security needs a certificate"
        self._stream = certificate.server_context().wrap_socket(self._stream, server_side=True)
        self.is_tls = True

    def close(self) -> None:
        """Hang up, after what was sent so far."""
        # Not SSLSocket's own shutdown: it forgets the TLS session that another thread may be using.
        with suppress(OSError):  # hung up already
            socket.socket.shutdown(self._stream, socket.SHUT_RDWR)

    def reset(self) -> None:
        """Hang up with a TCP reset, as a crashed machine would."""
        linger_for_no_time = struct.pack("ii", 1, 0)
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
        self._stream.close()

    def _read_until_line_end(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line + b"\r\n"

    def _receive(self) -> None:
        data = self._stream.recv(65536)
        if not data:
            raise ConnectionAbortedError
        if not self.is_tls:
            self.server.clear_text += data
        self._buffer += data


Reply = bytes | Iterable[bytes] | None
Function = Callable[[bytes, bytes, Connection], Reply]
Handler = bytes | Function


class ScriptedServer:
    r"""A server on a free port of 127.0.0.1 that lives as long as the ``with`` block.

    A handler that fails ends its connection, and the error is raised when the block ends.

    Parameters
    ----------
    handlers
        Command name to `Handler`, in place of the defaults.
    greeting
        Bytes, or a function of the `Connection`; after ``* BYE`` it hangs up, ``* PREAUTH`` counts
        as logged in, ``b""`` leaves the client waiting.
    capabilities, capabilities_after_login
        What CAPABILITY says; the second is the same as the first if not given.
    messages
        UID to the items of its FETCH reply, as on the wire, without the UID:
        ``{7: b"FLAGS () BODY[] {3}\r\nabc"}``. They are sent whatever the items asked for, and
        every UID SEARCH finds them all.
    folders
        Names as LIST shows them, encoded and quoted as on the wire.
    uidvalidity, uidnext, exists
        What EXAMINE and SELECT say; the last two follow from ``messages`` if not given.
    security
        ``"none"``, ``"starttls"`` or ``"tls"``; the last two want a ``certificate``.
    after_starttls
        Bytes sent in clear text behind the OK of STARTTLS, in the same segment.
    split
        Send everything in pieces of so many bytes.

    Attributes
    ----------
    received
        Every line and command with its literals, in the order of arrival, without the final CRLF.
    clear_text
        Every byte that came unencrypted, over all connections.
    connections
        All there have been.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        handlers: Mapping[str, Handler] | None = None,
        *,
        greeting: bytes | Callable[[Connection], bytes] = b"* OK ready\r\n",
        capabilities: str = "IMAP4rev1 ESEARCH LITERAL+ SASL-IR ID NAMESPACE",
        capabilities_after_login: str | None = None,
        messages: Mapping[int, bytes] | None = None,
        folders: Iterable[bytes] = (b"INBOX",),
        uidvalidity: int = 1,
        uidnext: int | None = None,
        exists: int | None = None,
        security: Literal["none", "starttls", "tls"] = "none",
        certificate: Certificate | None = None,
        after_starttls: bytes = b"",
        split: int = 0,
    ) -> None:
        self.greeting = greeting
        self.capabilities = capabilities
        self.capabilities_after_login = capabilities_after_login or capabilities
        self.messages = dict(messages or {})
        self.folders = list(folders)
        self.uidvalidity = uidvalidity
        self.uidnext = uidnext
        self.exists = exists
        self.security = security
        self.certificate = certificate
        self.after_starttls = after_starttls
        self.split = split
        self.received: list[bytes] = []
        self.clear_text = b""
        self.connections: list[Connection] = []
        self.handlers: dict[str, Handler] = {
            **DEFAULTS,
            **{name.upper(): handler for name, handler in (handlers or {}).items()},
        }
        self._errors: list[Exception] = []
        self._stopping = False

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, name="scripted-accept")]
        self._threads[0].start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        self._stopping = True
        with socket.create_connection((self.host, self.port)):
            self._threads[0].join()  # it wakes up for this last client
        self._listener.close()
        for connection in self.connections:
            connection.close()
        for thread in self._threads:
            thread.join()
        for failure in self._errors:
            if error is None:
                raise failure
            error.add_note(f"In the scripted server: {failure!r}")

    def commands(self, name: str = "") -> list[bytes]:
        """Return the arguments of every command of that name, ``"UID FETCH"``, in order."""
        parsed = map(parse_command, self.received)
        return [args for _, command, args in parsed if command == name.upper()]

    def _accept(self) -> None:
        while True:
            stream, _ = self._listener.accept()
            if self._stopping:
                stream.close()
                return
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, stream, len(self.connections) + 1)
            self.connections.append(connection)
            thread = threading.Thread(
                target=self._serve, args=(connection,), name=f"scripted-{connection.number}"
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            self._talk(connection)
        except OSError:
            pass  # the client hung up, or the test did
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread, at the end
            self._errors.append(error)
        finally:
            connection.close()
            connection._stream.close()

    def _talk(self, connection: Connection) -> None:
        if self.security == "tls":
            connection.start_tls()
        greeting = self.greeting(connection) if callable(self.greeting) else self.greeting
        connection.is_authenticated = greeting.startswith(b"* PREAUTH")
        connection.send(greeting)
        while not greeting.startswith(b"* BYE"):
            tag, name, args = parse_command(connection.read_command())
            handler = self.handlers.get(name, b"<tag> BAD unknown command\r\n")
            reply = handler(tag, args, connection) if callable(handler) else handler
            pieces = [reply] if isinstance(reply, bytes) else reply or ()
            for piece in pieces:
                data = piece.replace(b"<tag>", tag)
                if name in {"LOGIN", "AUTHENTICATE"} and tag + b" OK" in data:
                    connection.is_authenticated = True
                connection.send(data)
            if name == "LOGOUT":
                return


def literal(data: bytes) -> bytes:
    """Return a literal as a server sends it."""
    return b"{%d}\r\n%b" % (len(data), data)


def in_turn(*handlers: Handler) -> Function:
    """Return a handler that is each of these once, then the last one for good."""
    left = list(handlers)

    def handle(tag: bytes, args: bytes, connection: Connection) -> Reply:
        handler = left.pop(0) if len(left) > 1 else left[0]
        return handler(tag, args, connection) if callable(handler) else handler

    return handle


def parse_command(line: bytes) -> tuple[bytes, str, bytes]:
    """Split a command into tag, name (``"UID FETCH"``) and the rest."""
    tag, _, rest = line.partition(b" ")
    name, _, args = rest.partition(b" ")
    if name.upper() == b"UID":
        second, _, args = args.partition(b" ")
        name += b" " + second
    return tag, name.decode("ascii", "replace").upper(), args


def uids_in(sequence_set: bytes, uids: Iterable[int]) -> list[int]:
    """Return those of the UIDs that are in a set such as ``1:3,7,9:*``, ascending."""
    ordered = sorted(uids)
    last = ordered[-1] if ordered else 0
    ranges = []
    for part in sequence_set.decode().split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        ranges.append((min(ends), max(ends)))
    return [uid for uid in ordered if any(low <= uid <= high for low, high in ranges)]


def _capability(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
    server = connection.server
    words = server.capabilities
    if connection.is_authenticated:
        words = server.capabilities_after_login
    elif server.security == "starttls" and not connection.is_tls:
        words += " STARTTLS"
    return f"* CAPABILITY {words}\r\n<tag> OK done\r\n".encode()


def _starttls(tag: bytes, _args: bytes, connection: Connection) -> bytes | None:
    if connection.server.security != "starttls" or connection.is_tls:
        return b"<tag> BAD no STARTTLS here\r\n"
    connection.send(tag + b" OK begin TLS now\r\n" + connection.server.after_starttls)
    connection.start_tls()
    return None


def _authenticate(_tag: bytes, args: bytes, connection: Connection) -> bytes:
    if b" " not in args:  # no initial response (SASL-IR, RFC 4959)
        connection.send(b"+ \r\n")
        if connection.read_line() == b"*":
            return b"<tag> BAD cancelled\r\n"
    return b"<tag> OK logged in\r\n"


def _idle(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
    connection.send(b"+ idling\r\n")
    connection.read_line()
    return b"<tag> OK done\r\n"


def _list(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
    names = (b'* LIST () "/" %b\r\n' % name for name in connection.server.folders)
    return b"".join(names) + b"<tag> OK done\r\n"


def _examine(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
    return _open(connection, b"READ-ONLY")


def _select(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
    return _open(connection, b"READ-WRITE")


def _open(connection: Connection, mode: bytes) -> bytes:
    server = connection.server
    uidnext = max(server.messages, default=0) + 1 if server.uidnext is None else server.uidnext
    exists = len(server.messages) if server.exists is None else server.exists
    return (
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
        b"* %d EXISTS\r\n* 0 RECENT\r\n"
        b"* OK [UIDVALIDITY %d] fixed\r\n* OK [UIDNEXT %d] next\r\n"
        b"<tag> OK [%b] open\r\n"
    ) % (exists, server.uidvalidity, uidnext, mode)


def _search(tag: bytes, args: bytes, connection: Connection) -> bytes:
    uids = sorted(connection.server.messages)
    if args.upper().startswith(b"RETURN"):  # ESEARCH, RFC 4731
        found = b" ALL " + b",".join(b"%d" % uid for uid in uids) if uids else b""
        return b'* ESEARCH (TAG "%b") UID%b\r\n<tag> OK done\r\n' % (tag, found)
    return b"* SEARCH%b\r\n<tag> OK done\r\n" % b"".join(b" %d" % uid for uid in uids)


def _fetch(_tag: bytes, args: bytes, connection: Connection) -> list[bytes]:
    messages = connection.server.messages
    numbers = {uid: number for number, uid in enumerate(sorted(messages), start=1)}
    replies = [
        b"* %d FETCH (UID %d %b)\r\n" % (numbers[uid], uid, messages[uid])
        for uid in uids_in(args.partition(b" ")[0], messages)
    ]
    return [*replies, b"<tag> OK done\r\n"]


DEFAULTS: dict[str, Handler] = {
    "AUTHENTICATE": _authenticate,
    "CAPABILITY": _capability,
    "CLOSE": b"<tag> OK closed\r\n",
    "ENABLE": b"* ENABLED\r\n<tag> OK enabled\r\n",
    "EXAMINE": _examine,
    "ID": b'* ID ("name" "scripted")\r\n<tag> OK done\r\n',
    "IDLE": _idle,
    "LIST": _list,
    "LOGIN": b"<tag> OK logged in\r\n",
    "LOGOUT": b"* BYE see you\r\n<tag> OK bye\r\n",
    "LSUB": b"<tag> OK done\r\n",
    "NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\n<tag> OK done\r\n',
    "NOOP": b"<tag> OK done\r\n",
    "SELECT": _select,
    "STARTTLS": _starttls,
    "UID FETCH": _fetch,
    "UID SEARCH": _search,
    "UNSELECT": b"<tag> OK closed\r\n",
}
