"""The server: it listens on this machine, and serves all clients in turn.

It runs in a thread of its own, with one asyncio loop in it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Self

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
        self._tls = tls
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

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

    # -- starting and stopping, from any thread

    def start(self) -> None:
        """Listen from now on.

        Raises
        ------
        OSError
            If the port is taken.
        """
        try:
            self._server = self._loop.run_until_complete(self._listen())
        except BaseException:
            self._loop.close()
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        # A daemon: a server that nobody stops does not keep the interpreter from ending.
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"mailframe server :{self.port}", daemon=True
        )
        self._thread.start()
        log.info("IMAP server listens on %s:%d, on this machine only", self.host, self.port)

    def stop(self) -> None:
        """Send everybody away and let go of everything; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if thread is threading.current_thread():  # by the garbage collector, in the loop itself
            self._thread = thread
            threading.Thread(target=self.stop, daemon=True).start()
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()
        self._loop.close()
        for account in self.accounts.values():
            account.close()
        log.info("IMAP server on port %d has stopped", self.port)

    async def _listen(self) -> asyncio.Server:
        context = self._service.tls if self._tls else None
        return await asyncio.start_server(self._serve, self.host, self.port, ssl=context)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL)

    # -- one client

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._service, reader, writer, is_secure=self._tls)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            if len(self._tasks) > self._service.limits.connections:
                await connection.bye("[LIMIT] Too many connections")
            await greet(connection)
            while connection.state is not State.LOGOUT:
                await answer(connection)
        except (HungUp, ConnectionError, asyncio.CancelledError):
            pass  # gone, or sent away because the server stops
        except Exception:
            # A mistake of ours: it ends this connection, and no other.
            log.exception("a command could not be answered")
        finally:
            await connection.close()
