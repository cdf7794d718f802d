"""The line to a server: opened, found awake or not, and what is said over it, once.

What is lost here is lost: `connection` stands on it, and is who connects again.
"""

from __future__ import annotations

import imaplib
import logging
import math
import os
import ssl
import threading
import time
from collections import deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from mailframe.exceptions import ConnectionFailedError, MailframeError, NotSupportedError
from mailframe.imap.failures import LOST, translated
from mailframe.imap.responses import parse_number
from mailframe.imap.retry import check_seconds
from mailframe.imap.tls import PORTS, open_mailbox
from mailframe.imap.trace import Recorder
from mailframe.imap.wire import Command

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from mailframe.imap.responses import Reply

__all__ = ["Line"]

log = logging.getLogger(__name__)

#: A line idle for so many seconds is tried with NOOP before it is relied on, and so many are
#: waited for the answer.
IDLE = 60
HEARTBEAT = 10
#: Seconds that a timeout may have: what a socket takes.
LEAST, MOST = 1e-3, 1e6
#: So many seconds are waited for the answer to LOGOUT, which nobody needs.
PARTING = 2
#: SEARCH and COPY may keep a server busy without a byte: they get this many times the timeout.
PATIENCE = 10
#: So many times in a row the line may be lost between IDLE and its "+": some servers announce it,
#: and say nothing, or hang up.
UNHEEDED = 2


class Line:
    """A line to one server, over which commands go.

    Parameters
    ----------
    host, port, security, ssl_context, timeout, recorder, proxy
        As for `connection.Connection`.
    clock
        Seconds that pass, for idleness.

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
        recorder: Recorder | None = None,
        proxy: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _check(host, port, timeout)
        self.host = host
        self.port = port or PORTS.get(security, 0)
        self.timeout = timeout
        self.recorder = recorder or Recorder()
        #: Seconds for the fastest answer so far: how far away the server is.
        self.latency = math.inf
        self.message_limit = 0
        #: How often it was said that messages have come, changed or gone.
        self.news = 0
        self._unheeded = 0
        self.is_closed = False
        self._security = security
        self._ssl_context = ssl_context
        self._proxy = proxy
        self._clock = clock
        #: Set while nobody wants an answer any more; wakes whoever pauses.
        self._broken_off = threading.Event()
        self.open()

    def __reduce__(self) -> str:
        raise NotSupportedError(
            "A connection cannot be copied or pickled.",
            suggestion="Connect where it is needed.",
        )

    def open(self) -> None:
        """Connect, also once more after the line was lost."""
        self._farewell = ""
        #: Whether we have hung up: then it was not lost.
        self._was_broken_off = False
        #: What stands behind a login's OK is read with the next answer, and may hold the secret.
        self._is_fresh = False
        with self._translated(f"Could not connect to {self.host}, port {self.port}."):
            self.mailbox = open_mailbox(
                self.host,
                self.port,
                self._security,
                self._ssl_context,
                self.timeout,
                recorder=self.recorder,
                proxy=self._proxy,
            )
        self.wire = self.mailbox.wire
        self.capabilities: frozenset[str] = frozenset(self.wire.capabilities)
        self._used = self._now()
        self._process = os.getpid()
        how = "TLS" if self.encrypted else "not encrypted"
        log.info("connected to %s:%s (%s)", self.host, self.port, how)

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return isinstance(self.wire.sock, ssl.SSLSocket)

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

    def learn(self, capabilities: bytes) -> None:
        """Take over what the server announces."""
        words = capabilities.decode("ascii", "replace").upper().split()
        self.capabilities = frozenset(words)
        self.wire.capabilities = tuple(words)
        # LITERAL- (RFC 7888) allows the same up to 4,096 bytes; longer arguments are not sent.
        self.wire.literal_plus = "LITERAL+" in self.capabilities
        limits = [w.partition("=")[2] for w in words if w.startswith("MESSAGELIMIT=")]  # RFC 9738
        self.message_limit = (parse_number(limits[0].encode()) or 0) if limits else 0

    def rouse(self) -> None:
        """Notice before a command is sent that there is nobody to send it to.

        Raises
        ------
        ConnectionFailedError
            If the line has ended, or nobody answers after it was idle for long.
        """
        if self._process != os.getpid():
            # It is the parent's, which goes on with it: here it is let go without a word.
            self.wire.abandon()
            raise ConnectionFailedError(
                f"The connection to {self.host} belongs to the process that this one was forked "
                "from."
            )
        if self._broken_off.is_set():
            self.wire.drop()
            raise ConnectionFailedError(f"The work over the connection to {self.host} has ended.")
        if self.wire.state == "LOGOUT":
            reason = "is closed" if self.is_closed else "was lost"
            raise ConnectionFailedError(
                f"The connection to {self.host} {reason}.",
                suggestion="Connect again: session = mf.connect(...).",
            )
        farewell = self.wire.has_ended()
        if farewell is not None:
            self.wire.drop()
            said = "" if self._is_fresh else farewell
            raise ConnectionFailedError(
                f"{self.host} has ended the connection.", reply=said, code=LOST
            )
        if max(now - then for now, then in zip(self._now(), self._used, strict=True)) > IDLE:
            # Behind a laptop's sleep or a router's time-out there may be nobody any more, which
            # only an answer tells; waiting for one takes less patience than a command does.
            self._used = self._now()
            for _ in self.exchange(
                deque([Command((b"NOOP",))]), timeout=min(self.timeout, HEARTBEAT)
            ):
                pass

    def exchange(
        self, commands: deque[Command], *, tried: str = "", timeout: float | None = None
    ) -> Generator[tuple[Command | None, Reply]]:
        """Send commands as `Wire.run` does, with mailframe's errors.

        Parameters
        ----------
        commands
            Taken from the left; more may be added meanwhile.
        tried
            For the error: what was attempted, as a sentence.
        timeout
            Another one than the line's, for as long as this takes.

        Raises
        ------
        ServerTimeoutError
            If the server falls silent.
        ConnectionFailedError
            If the line breaks.
        """
        silence = self.timeout if timeout is None else timeout
        with self._translated(tried or f"The connection to {self.host} was lost.", silence):
            self.wire.sock.settimeout(silence)
            try:
                # Closed here and now, not by the garbage collector: Ctrl-C meanwhile is heard.
                with closing(self.wire.run(commands)) as replies:
                    for command, reply in replies:
                        if command is not None:
                            self._is_fresh = False
                        if _is_news(reply):
                            self.news += 1
                        if reply.kind == "BYE" and not self._is_fresh:
                            self._farewell = reply.text.decode("utf-8", "replace")
                        yield command, reply
            finally:
                self._used = self._now()
                with suppress(OSError):
                    self.wire.sock.settimeout(self.timeout)

    def idle(self, news: re.Pattern[bytes], seconds: float) -> bool:
        """Wait until the server says something (RFC 2177).

        Parameters
        ----------
        news
            What is worth hearing: see `Wire.listen`. What begins with neither ``*`` nor ``+`` must
            be, too: it is the end.
        seconds
            At most. Servers end a connection after 30 minutes.

        Returns
        -------
        bool
            False if the server refuses to, or has not taken it up twice in a row.

        Raises
        ------
        ConnectionFailedError
            If the line breaks.
        """

        def listen(_: bytes) -> bytes | None:
            self._unheeded = 0
            # What was said before the "+" will not be said again.
            heard = b"" if self.news != before else self.wire.listen(news, seconds)
            return b"DONE" if heard[:1] in b"*" else None  # DONE would be a command by then

        if self._unheeded >= UNHEEDED:
            return False
        before = self.news
        self.rouse()
        self._unheeded += 1
        waiting = deque([Command((b"IDLE",), respond=listen)])
        tried = f"The connection to {self.host} was lost while waiting for mail."
        answers = [reply for command, reply in self.exchange(waiting, tried=tried) if command]
        return answers[-1].kind == "OK"

    def _now(self) -> tuple[float, float]:
        # While a laptop sleeps only the second one goes on; and that one may be put back.
        return self._clock(), time.time()

    def break_off(self) -> None:
        """Wake whoever waits for this line in another thread: it is of no use any more.

        What was in flight is lost, and nothing is tried again before `mend`.
        """
        self._was_broken_off = True
        self._broken_off.set()
        self.wire.hang_up()

    def mend(self) -> None:
        """Let a line that was broken off be opened again by whoever uses it next."""
        self._broken_off.clear()

    def let_go(self) -> None:
        """Close the socket without a word; leave it to the parent process where it is its."""
        (self.wire.drop if self._process == os.getpid() else self.wire.abandon)()

    def close(self) -> None:
        """Say LOGOUT if the line still stands, and close it; a second call does nothing."""
        if self.is_closed:
            return
        self.is_closed = True
        if self._process == os.getpid() and self.wire.state != "LOGOUT":
            with suppress(OSError, imaplib.IMAP4.error, MailframeError):
                self.wire.sock.settimeout(min(self.timeout, PARTING))
                self.wire.logout()
        self.let_go()
        log.info("disconnected from %s", self.host)

    def _translated(self, tried: str, timeout: float | None = None) -> AbstractContextManager[None]:
        return translated(tried, self.host, timeout or self.timeout, lambda: self._farewell)


def _is_news(reply: Reply) -> bool:
    """Whether a reply tells of what happens in the folder."""
    if reply.kind == "FETCH":  # one that was asked for has the UID
        return b"UID" not in reply.text
    return reply.kind in {"EXISTS", "EXPUNGE", "VANISHED"}


def _check(host: object, port: object, timeout: object) -> None:
    """Refuse what sockets have no good words for."""
    is_name = isinstance(host, str) and bool(host) and host.isprintable()
    if not is_name or set(str(host)) & set(" /@") or str(host).count(":") == 1:
        raise ConnectionFailedError(
            f"{host!r} is no name of a server.",
            suggestion='The name alone: "imap.example.com"; its port is port=993.',
        )
    is_number = isinstance(port, int) and not isinstance(port, bool)
    if port is not None and not (is_number and 0 < port < 1 << 16):  # type: ignore[operator] # is one
        raise ConnectionFailedError(
            f"port={port!r} is no port.", suggestion="993 for TLS, 143 for STARTTLS, or None."
        )
    check_seconds("timeout", timeout, LEAST, MOST)
