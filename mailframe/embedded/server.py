"""The server: it listens on this machine, and serves all clients in turn.

It runs in a thread of its own, with one asyncio loop in it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from mailframe.embedded.authentication import Users
from mailframe.embedded.connection import Connection, HungUp, Limits, Service, State
from mailframe.embedded.dispatch import answer, greet
from mailframe.embedded.store import Account

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["Server"]

log = logging.getLogger(__name__)

#: Seconds that clients have to go when the server stops.
_FAREWELL = 2


class _Running(NamedTuple):
    """What runs while the server does."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    server: asyncio.Server
    process: int


class Server:
    """An IMAP server on 127.0.0.1, which nobody but this machine can reach.

    Parameters
    ----------
    users
        Passwords by user name.
    tokens
        Access tokens by user name, for XOAUTH2 and OAUTHBEARER.
    accounts
        Mail by user name; a user without any has an empty INBOX. They belong to the server.
    port
        To listen on; by default one that is free.
    ssl_context
        A certificate: then STARTTLS is offered, or TLS spoken from the first byte if ``tls``.
    tls
        Whether TLS is spoken from the first byte.
    limits
        How much of anything a client may want.

    Attributes
    ----------
    host, port
        Where it listens.

    Examples
    --------
    >>> import imaplib
    >>> with Server({"ann": "secret"}) as server:
    ...     client = imaplib.IMAP4(server.host, server.port)
    ...     _ = client.login("ann", "secret")
    ...     client.select("INBOX")
    ...     _ = client.logout()
    ('OK', [b'0'])
    """

    host = "127.0.0.1"

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        tokens: Mapping[str, str] | None = None,
        accounts: Mapping[str, Account] | None = None,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        tls: bool = False,
        limits: Limits | None = None,
    ) -> None:
        known = Users(users, tokens or {})
        given = dict(accounts or {})
        self.accounts = {name: given.get(name) or Account() for name in known.names()}
        self._service = Service(known, self.accounts, ssl_context, limits or Limits())
        self._tls = ssl_context if tls else None
        self.port = port
        self._running: _Running | None = None
        self._clients: dict[asyncio.Task[None], Connection] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._running is not None

    @property
    def is_here(self) -> bool:
        """Whether this is the server's own thread, which cannot wait for the server."""
        return self._running is not None and self._running.thread is threading.current_thread()

    # -- starting and stopping, from any thread

    def start(self) -> None:
        """Listen from now on.

        Raises
        ------
        OSError
            If the port is taken.
        """
        if self._running is not None:
            raise RuntimeError("The server has been started already.")
        loop = asyncio.new_event_loop()
        # A daemon: a server that nobody stops does not keep the interpreter from ending.
        thread = threading.Thread(target=loop.run_forever, name="mailframe server", daemon=True)
        thread.start()
        try:
            server = asyncio.run_coroutine_threadsafe(self._listen(), loop).result()
        except BaseException:
            _end(loop, thread)
            raise
        self._running = _Running(loop, thread, server, os.getpid())
        self.port = server.sockets[0].getsockname()[1]
        log.info("IMAP server listens on %s:%d, on this machine only", self.host, self.port)

    def stop(self) -> None:
        """Send everybody away and let go of everything; a second call does nothing.

        It waits for the server's thread, and is not to be called from there.
        """
        running, self._running = self._running, None
        if running is None or running.process != os.getpid():  # after a fork it is the parent's
            return
        asyncio.run_coroutine_threadsafe(self._close(running.server), running.loop).result()
        _end(running.loop, running.thread)
        for account in self.accounts.values():
            account.close()
        log.info("IMAP server on port %d has stopped", self.port)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, self.host, self.port)

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        connections = list(self._clients.values())
        for connection in connections:
            connection.send_away()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_FAREWELL)
        for connection in connections:
            connection.abort()

    # -- one client

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._tls and isinstance(writer.transport, asyncio.ReadTransport):
            writer.transport.pause_reading()  # what comes is for TLS
        connection = Connection(self._service, reader, writer)
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._clients[task] = connection
        task.add_done_callback(self._clients.pop)

    async def _serve(self, connection: Connection) -> None:
        try:
            if self._tls:
                await connection.begin_tls(self._tls)
            if len(self._clients) > self._service.limits.connections:
                await connection.bye("[LIMIT] Too many connections")
            await greet(connection)
            while connection.state is not State.LOGOUT:
                await answer(connection)
        except HungUp:
            pass
        except Exception:
            # A mistake of ours: it ends this connection, and no other.
            log.exception("a command could not be answered")
        await connection.close()


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
