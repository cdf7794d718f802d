"""One connection's life: TLS, greeting, login, the selected folder, the end.

Errors of sockets, ``ssl`` and imaplib become mailframe's own here, and nowhere else.
"""

from __future__ import annotations

import imaplib
import ipaddress
import logging
import socket
import ssl
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imap_tools

from mailframe.exceptions import (
    CertificateError,
    CommandError,
    ConnectionFailedError,
    FolderError,
    InsecureLoginError,
    MailframeError,
    NotSupportedError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap.names import encode_name
from mailframe.imap.responses import split_code
from mailframe.imap.wire import Command, PlainWire, TlsWire, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.responses import Reply

__all__ = ["Connection", "Selected", "is_local"]

log = logging.getLogger(__name__)

PORTS = {"tls": 993, "starttls": 143, "starttls-if-offered": 143, "none": 143}

#: SEARCH and COPY may keep a server busy without a byte: they get this many times the timeout.
PATIENCE = 10

# RFC 5530 and what Gmail, Yahoo and Outlook send instead.
_THROTTLING = frozenset({"THROTTLED", "OVERQUOTA", "LIMIT", "UNAVAILABLE", "INUSE"})
_THROTTLING_WORDS = ("too many simultaneous connections", "try again later", "rate limit")


@dataclass(frozen=True, slots=True)
class Selected:
    """The selected folder, as the server described it.

    Attributes
    ----------
    account
        Whose folder it is: the user name, with the host where it has no ``@``.
    folder
        Its name, decoded.
    uidvalidity
        UIDs of another value are other messages (RFC 3501 section 2.3.1.1).
    uidnext
        The UID that the next message will get; None when the server does not say.
    exists
        Number of messages.
    """

    account: str
    folder: str
    uidvalidity: int
    uidnext: int | None
    exists: int


class Connection:
    """A connection to one account on one server.

    Parameters
    ----------
    host, port
        The server; ``port=None`` is 993 for TLS and 143 otherwise.
    security
        ``"tls"`` from the first byte, ``"starttls"``, ``"starttls-if-offered"``, or ``"none"``.
    ssl_context
        For certificates of one's own; by default the system's authorities and the host's name are
        checked.
    timeout
        Seconds without a byte; ten times that for SEARCH.

    Raises
    ------
    CertificateError
        If the certificate is not trusted; nothing was sent.
    ConnectionFailedError
        If there is no server, or it is not an IMAP server.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        security: str = "tls",
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 30,
    ) -> None:
        if security not in PORTS:
            raise NotSupportedError(
                f"security={security!r} is not known.",
                suggestion='Use "tls" (port 993), "starttls" (port 143) or "none" (localhost).',
            )
        self.host = host
        self.port = port or PORTS[security]
        self.security = security
        self.timeout = timeout
        self.username = ""
        self.selected: Selected | None = None
        self.message_limit = 0
        self._farewell = ""
        context = ssl_context or ssl.create_default_context()
        with self._translated(f"Could not connect to {host}, port {self.port}."):
            self.mailbox = (_TlsMailBox if security == "tls" else _PlainMailBox)(self, context)
        self.wire = self.mailbox.wire
        self.capabilities: frozenset[str] = frozenset(self.wire.capabilities)
        log.info("connected to %s:%s (%s)", host, self.port, security)

    def __repr__(self) -> str:
        where = f", folder {self.selected.folder!r}" if self.selected else ""
        return f"<{type(self).__name__} {self.host}:{self.port}{where}>"

    @property
    def account(self) -> str:
        """Whose mailbox this is, as the frames name it."""
        return self.username if "@" in self.username else f"{self.username}@{self.host}"

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return isinstance(self.wire.sock, ssl.SSLSocket)

    @property
    def logged_in(self) -> bool:
        """Whether commands on folders are possible."""
        return self.wire.state in {"AUTH", "SELECTED"}

    def offers(self, capability: str) -> bool:
        """Whether the server announced a capability, in any case."""
        return capability.upper() in self.capabilities

    def require(self, capability: str, purpose: str) -> None:
        """Refuse what the server has no means for.

        Raises
        ------
        NotSupportedError
            If the capability is not offered.
        """
        if not self.offers(capability):
            raise NotSupportedError(f"{self.host} cannot {purpose}: it offers no {capability}.")

    # the way in --------------------------------------------------------------------------------

    def guard_secret(self) -> None:
        """Refuse to send a secret in clear text to another machine.

        Raises
        ------
        InsecureLoginError
            Before anything is sent.
        """
        if not self.encrypted and not is_local(self.host):
            raise InsecureLoginError(
                f"Did not log in to {self.host}: the connection is not encrypted, "
                "and everyone on the way could read the secret."
            )

    def logged_in_as(self, username: str, capabilities: bytes) -> None:
        """Note that login succeeded, and ask again what is offered (RFC 3501 section 6.1.1).

        Parameters
        ----------
        username
            The account.
        capabilities
            As the completion of the login gave them; empty if it gave none.
        """
        self.wire.state = "AUTH"
        self.username = username
        questions = [] if capabilities else [b"CAPABILITY"]
        # 163.com and 126.com refuse every SELECT from a client that has not said who it is.
        if self.offers("ID") or b" ID " in b" %b " % capabilities.upper():
            questions.append(b'ID ("name" "mailframe")')
        with self._translated(f"Lost the connection to {self.host} after logging in."):
            for command, reply in self.wire.run(deque(Command((q,)) for q in questions)):
                if command is None and reply.kind == "CAPABILITY":
                    capabilities = reply.text
        self._learn(capabilities)

    def _learn(self, capabilities: bytes) -> None:
        words = capabilities.decode("ascii", "replace").upper().split()
        self.capabilities = frozenset(words)
        self.wire.capabilities = tuple(words)
        # LITERAL- (RFC 7888) allows the same up to 4,096 bytes; longer arguments are not sent.
        self.wire.literal_plus = "LITERAL+" in self.capabilities
        limits = [word for word in words if word.startswith("MESSAGELIMIT=")]  # RFC 9738
        self.message_limit = int(limits[0].partition("=")[2]) if limits else 0

    # folders -----------------------------------------------------------------------------------

    def select(self, folder: str, *, readonly: bool = True) -> Selected:
        """Open a folder, by EXAMINE unless it is to be written to (RFC 3501 section 6.3.2).

        Parameters
        ----------
        folder
            Its name, decoded.
        readonly
            EXAMINE, under which no server may change a flag.

        Raises
        ------
        FolderError
            If it is not there or cannot be opened.
        """
        self.selected = None
        verb = b"EXAMINE " if readonly else b"SELECT "
        found: dict[str, int] = {}
        tried = f"Could not open the folder {folder!r}."
        for reply in self.command(verb, *encode_name(folder), tried=tried, error=FolderError):
            if reply.kind == "EXISTS" and reply.number is not None:
                found["EXISTS"] = reply.number
            code, value, _ = split_code(reply.text) if reply.kind == "OK" else ("", b"", "")
            if value.isdigit():
                found[code] = int(value)
        self.wire.state = "SELECTED"
        if "UIDVALIDITY" not in found:
            raise NotSupportedError(
                f"{self.host} gives the messages of {folder!r} no lasting UIDs."
            )
        self.selected = Selected(
            account=self.account,
            folder=folder,
            uidvalidity=found["UIDVALIDITY"],
            uidnext=found.get("UIDNEXT"),
            exists=found.get("EXISTS", 0),
        )
        log.info("opened %r: %d messages", folder, self.selected.exists)
        return self.selected

    def the_selected(self) -> Selected:
        """Return the selected folder.

        Raises
        ------
        FolderError
            If none is.
        """
        if self.selected is None:
            raise FolderError("No folder is open.", suggestion="Call select_folder(name) first.")
        return self.selected

    # commands ----------------------------------------------------------------------------------

    def command(
        self,
        *pieces: bytes,
        tried: str,
        error: type[MailframeError] = CommandError,
        patient: bool = False,
        respond: Callable[[bytes], bytes] | None = None,
    ) -> list[Reply]:
        """Send one command and collect its replies.

        Parameters
        ----------
        pieces
            Joined without spaces; a `wire.Literal` is sent as one.
        tried
            For the error: what was attempted, as a sentence.
        error
            What a NO or BAD becomes, unless the server asks for fewer requests.
        patient
            Wait ten times as long.
        respond
            Answers continuation requests.

        Returns
        -------
        list of Reply
            The untagged ones, the completion last.
        """
        replies = []
        for command, reply in self.run(deque([Command(pieces, respond=respond)]), patient=patient):
            replies.append(reply)
            if command is not None and reply.kind != "OK":
                raise refusal(reply, tried, error)
        return replies

    def run(
        self, commands: deque[Command], *, patient: bool = False
    ) -> Iterator[tuple[Command | None, Reply]]:
        """Send commands as `Wire.run` does, with mailframe's errors.

        Raises
        ------
        ServerTimeoutError
            If the server falls silent.
        ConnectionFailedError
            If the connection breaks.
        """
        if self.wire.state == "LOGOUT":
            raise ConnectionFailedError(
                f"The connection to {self.host} is closed.",
                suggestion="Connect again: session = mf.connect(...).",
            )
        with self._translated(f"The connection to {self.host} was lost."):
            if patient:
                self.wire.sock.settimeout(self.timeout * PATIENCE)
            try:
                for command, reply in self.wire.run(commands):
                    if reply.kind == "BYE":
                        self._farewell = reply.text.decode("utf-8", "replace")
                    yield command, reply
            finally:
                if patient:
                    with suppress(OSError):
                        self.wire.sock.settimeout(self.timeout)

    def close(self) -> None:
        """Say LOGOUT if the connection still stands, and close it."""
        if self.wire.state == "LOGOUT":
            return
        self.selected = None
        with suppress(OSError, imaplib.IMAP4.error, MailframeError):
            self.wire.logout()
        self.wire.drop()
        log.info("disconnected from %s", self.host)

    @contextmanager
    def _translated(self, tried: str) -> Iterator[None]:
        try:
            yield
        except MailframeError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise CertificateError(tried, reply=error.verify_message) from error
        except TimeoutError as error:
            raise ServerTimeoutError(
                tried, reply=f"nothing for {self.timeout:g} seconds"
            ) from error
        except socket.gaierror as error:
            raise ConnectionFailedError(
                tried,
                reply=error.strerror or "",
                suggestion=f"No machine is known as {self.host!r}: check the spelling of the host, "
                "and that you are online.",
            ) from error
        except ConnectionRefusedError as error:
            raise ConnectionFailedError(
                tried,
                reply="connection refused",
                suggestion="Nothing listens on that port. IMAP is on 993 (security='tls') or 143 "
                "(security='starttls').",
            ) from error
        except ssl.SSLError as error:
            raise ConnectionFailedError(
                tried,
                reply=error.reason or str(error),
                suggestion="TLS could not be agreed on. Port 993 wants security='tls', port 143 "
                "security='starttls'.",
            ) from error
        except (OSError, imaplib.IMAP4.error) as error:
            said = self._farewell or str(error.args[-1] if error.args else error)
            raise ConnectionFailedError(
                tried, reply=said, suggestion="Connect again: session = mf.connect(...)."
            ) from error


def refusal(reply: Reply, tried: str, error: type[MailframeError] = CommandError) -> MailframeError:
    """Make an error of a completion that is not OK (RFC 3501 section 7.1).

    Parameters
    ----------
    reply
        The tagged NO or BAD.
    tried
        What was attempted, as a sentence.
    error
        The class to use, unless the server asks for fewer requests.
    """
    code, _, words = split_code(reply.text)
    said = f"{reply.kind} {reply.text.decode('utf-8', 'replace')}".strip()
    if code in _THROTTLING or any(word in words.lower() for word in _THROTTLING_WORDS):
        return ThrottledError(tried, reply=said)
    return error(tried, reply=said)


def is_local(host: str) -> bool:
    """Whether a host is this machine: what is sent there crosses no network."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


# imap-tools connects; its mailboxes get our wire, and a context that verifies (its default does
# not check certificates at all).


class _TlsMailBox(imap_tools.MailBox):
    wire: Wire

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        super().__init__(
            connection.host, connection.port, timeout=connection.timeout, ssl_context=context
        )

    def _get_mailbox_client(self) -> Wire:
        self.wire = TlsWire(
            self._host, self._port, ssl_context=self._ssl_context, timeout=self._timeout
        )
        return self.wire


class _PlainMailBox(imap_tools.MailBoxUnencrypted):
    wire: Wire

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        self._security = connection.security
        self._context = context
        super().__init__(connection.host, connection.port, timeout=connection.timeout)

    def _get_mailbox_client(self) -> Wire:
        self.wire = PlainWire(self._host, self._port, self._timeout)
        try:
            self._secure()
        except BaseException:
            self.wire.drop()
            raise
        return self.wire

    def _secure(self) -> None:
        offered = "STARTTLS" in self.wire.capabilities
        if self._security == "starttls" and not offered:
            raise ConnectionFailedError(
                f"{self._host} offers no STARTTLS on port {self._port}, so nothing was sent.",
                suggestion="Use security='tls' (port 993). If it was offered before, somebody may "
                "be stripping it on the way.",
            )
        if self._security != "none" and offered:
            self.wire.starttls(self._context)
