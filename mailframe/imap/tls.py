"""How a connection is opened: TLS with the certificate checked, STARTTLS, or plain.

imap-tools opens it; its mailboxes get our wire, and a context that verifies (its default does not
check certificates at all).
"""

from __future__ import annotations

import ipaddress
import ssl
from typing import TYPE_CHECKING

import imap_tools

from mailframe.exceptions import ConnectionFailedError, NotSupportedError
from mailframe.imap.wire import PlainWire, TlsWire

if TYPE_CHECKING:
    from mailframe.imap.trace import Recorder
    from mailframe.imap.wire import Wire

__all__ = ["PORTS", "is_local", "open_mailbox"]

#: What ``security`` may be, and the port that goes with it.
PORTS = {"tls": 993, "starttls": 143, "starttls-if-offered": 143, "none": 143}


def open_mailbox(
    host: str,
    port: int | None,
    security: str,
    context: ssl.SSLContext | None,
    timeout: float,
    *,
    recorder: Recorder | None = None,
    proxy: str | None = None,
) -> TlsMailBox | PlainMailBox:
    """Connect, and agree on TLS as asked.

    Parameters
    ----------
    host, port
        The server; None is the port that goes with ``security``.
    security
        One of ``PORTS``.
    context
        None for one that trusts the system's authorities and checks the host's name.
    timeout
        Seconds without a byte.
    recorder
        What keeps the dialogue, from the greeting on.
    proxy
        By way of which; None for none.

    Returns
    -------
    TlsMailBox or PlainMailBox
        An imap-tools mailbox, not logged in, with our ``wire``.

    Raises
    ------
    NotSupportedError
        If ``security`` is not known.
    ConnectionFailedError
        If STARTTLS is not offered or tampered with. Other errors are those of sockets, ``ssl``
        and imaplib.
    """
    if security not in PORTS:
        raise NotSupportedError(
            f"security={security!r} is not known.",
            suggestion='Use "tls" (port 993), "starttls" (port 143) or "none" (localhost).',
        )
    context = context or ssl.create_default_context()
    if security == "tls":
        return TlsMailBox(host, port or PORTS[security], context, timeout, recorder, proxy)
    return PlainMailBox(host, port or PORTS[security], context, timeout, recorder, proxy, security)


def is_local(host: str) -> bool:
    """Whether a host is this machine: what is sent there crosses no network."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class TlsMailBox(imap_tools.MailBox):
    """An imap-tools mailbox over TLS from the first byte."""

    wire: Wire

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        timeout: float,
        recorder: Recorder | None,
        proxy: str | None,
    ) -> None:
        self._recorder = recorder
        self._proxy = proxy
        super().__init__(host, port, timeout=timeout, ssl_context=context)

    def _get_mailbox_client(self) -> Wire:
        self.wire = TlsWire(
            self._host,
            self._port,
            ssl_context=self._ssl_context,
            timeout=self._timeout,
            recorder=self._recorder,
            proxy=self._proxy,
        )
        return self.wire


class PlainMailBox(imap_tools.MailBoxUnencrypted):
    """An imap-tools mailbox over a plain socket, turned into TLS by STARTTLS if asked."""

    wire: Wire

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        timeout: float,
        recorder: Recorder | None,
        proxy: str | None,
        security: str,
    ) -> None:
        self._context = context
        self._recorder = recorder
        self._proxy = proxy
        self._security = security
        super().__init__(host, port, timeout=timeout)

    def _get_mailbox_client(self) -> Wire:
        self.wire = PlainWire(
            self._host, self._port, self._timeout, recorder=self._recorder, proxy=self._proxy
        )
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
