"""One connection's life: greeting, login, the selected folder, commands, the end."""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    FolderError,
    InsecureLoginError,
    MailframeError,
    NotSupportedError,
    UidValidityError,
)
from mailframe.imap.failures import refusal, translated
from mailframe.imap.names import encode_name
from mailframe.imap.responses import parse_number, split_code
from mailframe.imap.tls import PORTS, is_local, open_mailbox
from mailframe.imap.wire import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mailframe.imap.responses import Reply

__all__ = ["Connection", "Selected"]

log = logging.getLogger(__name__)

#: SEARCH and COPY may keep a server busy without a byte: they get this many times the timeout.
PATIENCE = 10


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
        self.host = host
        self.port = port or PORTS.get(security, 0)
        self.timeout = timeout
        self.username = ""
        self.selected: Selected | None = None
        self.message_limit = 0
        #: What this server was found not to understand; see `search`.
        self.quirks: set[str] = set()
        self.search_charset = "UTF-8"
        self._farewell = ""
        with self._translated(f"Could not connect to {host}, port {self.port}."):
            self.mailbox = open_mailbox(host, port, security, ssl_context, timeout)
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
        tried = f"Lost the connection to {self.host} after logging in."
        if not capabilities:
            for reply in self.command(b"CAPABILITY", tried=tried):
                capabilities = reply.text if reply.kind == "CAPABILITY" else capabilities
        self._learn(capabilities)
        if self.offers("ID"):
            # 163.com and 126.com refuse every SELECT from a client that has not said who it is.
            with suppress(CommandError):
                self.command(b'ID ("name" "mailframe")', tried=tried)

    def _learn(self, capabilities: bytes) -> None:
        words = capabilities.decode("ascii", "replace").upper().split()
        self.capabilities = frozenset(words)
        self.wire.capabilities = tuple(words)
        # LITERAL- (RFC 7888) allows the same up to 4,096 bytes; longer arguments are not sent.
        self.wire.literal_plus = "LITERAL+" in self.capabilities
        limits = [w.partition("=")[2] for w in words if w.startswith("MESSAGELIMIT=")]  # RFC 9738
        self.message_limit = (parse_number(limits[0].encode()) or 0) if limits else 0

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
            number = parse_number(value)
            if number is not None:
                found[code] = number
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

    def return_to(self, folder: str, uidvalidity: int, *, readonly: bool = True) -> None:
        """Open a folder again unless it is open, and make sure that its UIDs mean the same.

        Parameters
        ----------
        folder, uidvalidity
            As it was when the UIDs were read.
        readonly
            As for `select`.

        Raises
        ------
        UidValidityError
            If it was renumbered meanwhile.
        """
        opened = self.selected
        if opened is None or opened.folder != folder:
            opened = self.select(folder, readonly=readonly)
        if opened.uidvalidity != uidvalidity:
            raise UidValidityError(
                f"The folder {folder!r} was renumbered: its UIDVALIDITY is {opened.uidvalidity}, "
                f"and was {uidvalidity} when these rows were read."
            )

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
        queue = deque([Command(pieces, respond=respond)])
        for command, reply in self.run(queue, tried=tried, patient=patient):
            replies.append(reply)
            if command is not None and reply.kind != "OK":
                raise refusal(reply, tried, error)
        return replies

    def run(
        self, commands: deque[Command], *, tried: str = "", patient: bool = False
    ) -> Iterator[tuple[Command | None, Reply]]:
        """Send commands as `Wire.run` does, with mailframe's errors.

        Parameters
        ----------
        commands
            Taken from the left; more may be added meanwhile.
        tried
            For the error: what was attempted, as a sentence.
        patient
            Wait ten times as long.

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
        timeout = self.timeout * PATIENCE if patient else self.timeout
        with self._translated(tried or f"The connection to {self.host} was lost.", timeout):
            if patient:
                self.wire.sock.settimeout(timeout)
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

    def _translated(self, tried: str, timeout: float | None = None) -> AbstractContextManager[None]:
        return translated(tried, self.host, timeout or self.timeout, lambda: self._farewell)
