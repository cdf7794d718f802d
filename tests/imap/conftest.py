"""Connections to the rigs, closed before their server stops."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer


@pytest.fixture
def connected(
    scripted: Callable[..., ScriptedServer],  # noqa: ARG001 stopped after the connections
) -> Iterator[Callable[..., Connection]]:
    """Return a function that connects to a server, in clear text unless told otherwise."""
    with ExitStack() as connections:

        def connect(server: Any, **options: Any) -> Connection:
            settings = {"security": "none", "timeout": 5, "port": server.port} | options
            connection = Connection(settings.pop("host", server.host), **settings)
            connections.callback(connection.close)
            return connection

        yield connect


@pytest.fixture
def opened(connected: Callable[..., Connection]) -> Callable[..., Connection]:
    """Return a function that connects, logs in and opens a folder."""

    def start(
        server: Any, folder: str = "INBOX", *, user: str = "me@example.com", **options: Any
    ) -> Connection:
        connection = connected(server, **options)
        log_in(connection, user, getattr(server, "password", "secret"))
        connection.select(folder)
        return connection

    return start


@pytest.fixture
def mailbox(
    dovecot: Dovecot, user: str, opened: Callable[..., Connection]
) -> Callable[..., Connection]:
    """Return a function that delivers messages to a new user on Dovecot and opens the INBOX."""

    def start(*messages: Any) -> Connection:
        dovecot.deliver(user, messages)
        return opened(dovecot, user=user)

    return start
