"""``mf.demo``: a server in this process, and a session on it."""

from __future__ import annotations

import secrets
import threading
import weakref
from typing import TYPE_CHECKING

from mailframe.embedded.sample import account_of_files, sample_account
from mailframe.embedded.server import Server
from mailframe.exceptions import ConnectionFailedError
from mailframe.opening import log_in_to
from mailframe.session import Session
from mailframe.source import check_count

if TYPE_CHECKING:
    import os

    from mailframe.source import Source

__all__ = ["OWNER", "DemoSession", "demo", "start_server"]

#: Whose mail the sample mailbox is.
OWNER = "mira.holm@fyrbak.example"


class DemoSession(Session):
    """A session on a server of its own, which ends with it.

    Parameters
    ----------
    source
        Logged in to the server.
    server
        The server.
    username, password
        With which any other program on this machine can log in as well.
    """

    def __init__(self, source: Source, server: Server, username: str, password: str) -> None:
        super().__init__(source)
        self.server = server
        self.username = username
        self.password = password
        # At the latest with the interpreter.
        self._end = weakref.finalize(self, _end, source, server)

    def close(self) -> None:
        """Log out, and stop the server; a second call does nothing."""
        self._end()


def _end(source: Source, server: Server) -> None:
    if server.is_here:  # the garbage collector may call it anywhere
        threading.Thread(target=_end, args=(source, server), daemon=True).start()
        return
    try:
        source.close()
    finally:
        server.stop()


def demo(
    *,
    messages: int | None = None,
    path: str | os.PathLike[str] | None = None,
    port: int = 0,
    readonly: bool = True,
) -> DemoSession:
    """Open the sample mailbox that comes with mailframe: no account is needed, and no network.

    A small IMAP server starts in this process, on 127.0.0.1, where only this machine can reach it,
    and a session logs in to it as to any other. What is changed is forgotten when it stops: with
    the session, or with Python.

    The mail is that of an invented employee of an invented company over two years.

    Parameters
    ----------
    messages
        How many. More than the 2,500 there are: the same two years come again before them. Fewer:
        the latest.
    path
        An mbox, a Maildir or .eml files to serve instead. They are only read.
    port
        To listen on; by default one that is free.
    readonly
        False for a session that can change the mail, as of `mailframe.connect`. The files that
        ``path`` names do not change.

    Returns
    -------
    Session
        With the attributes ``server`` (its ``host`` and ``port``), ``username`` and ``password``,
        with which any mail program on this machine can look at the same mailbox.

    Raises
    ------
    MailFileError
        If there is no mail at ``path``.
    ConnectionFailedError
        If the port is taken.
    QueryError
        If ``messages`` is no number of messages.

    Examples
    --------
    >>> with demo() as session:
    ...     df = session.headers("UNSEEN", limit=10)
    >>> len(df)
    10
    """
    server, username, password = start_server(messages=messages, path=path, port=port)
    try:
        source = log_in_to(
            server.host,
            username,
            password,
            port=server.port,
            security="none",
            readonly=readonly,
        )
    except BaseException:
        server.stop()
        raise
    return DemoSession(source, server, username, password)


def start_server(
    *, messages: int | None = None, path: str | os.PathLike[str] | None = None, port: int = 0
) -> tuple[Server, str, str]:
    """Start the server alone.

    Parameters
    ----------
    messages, path, port
        See `demo`.

    Returns
    -------
    tuple of Server, str and str
        The server, the user's name and the password, which is a new one each time: others may be
        logged in to this machine, too.
    """
    check_count("messages", messages)
    account = sample_account(messages) if path is None else account_of_files(path)
    password = secrets.token_urlsafe(12)
    server = Server({OWNER: password}, accounts={OWNER: account}, port=port)
    try:
        server.start()
    except OSError as error:
        account.close()
        raise ConnectionFailedError(
            f"The demo's server could not listen on port {port} of {server.host}.",
            reply=error.strerror or str(error),
            suggestion="Leave the port out: then one that is free is taken.",
        ) from error
    return server, OWNER, password
