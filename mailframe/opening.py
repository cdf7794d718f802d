"""The ways to a Session."""

from __future__ import annotations

from getpass import getpass
from typing import TYPE_CHECKING

from mailframe.exceptions import ConnectionFailedError
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.credentials import find_password
from mailframe.imap.source import ImapSource
from mailframe.session import Session

if TYPE_CHECKING:
    import ssl

__all__ = ["connect"]


def connect(
    host: str,
    username: str | None = None,
    *,
    password: str | None = None,
    port: int | None = None,
    security: str = "tls",
    ssl_context: ssl.SSLContext | None = None,
    timeout: float = 30,
) -> Session:
    """Log in to an IMAP account.

    Parameters
    ----------
    host
        The server: ``"imap.example.com"``.
    username
        Most often the address.
    password
        Better left out: then the environment variable ``MAILFRAME_PASSWORD`` is used, or it is
        asked for. A password in a cell ends up wherever the notebook goes.
    port
        993 for TLS and 143 otherwise, by default.
    security
        ``"tls"``; ``"starttls"``; or ``"none"``, with which only this machine can be logged in to.
    ssl_context
        For a server with a certificate of its own; by default the system's authorities and the
        host's name are checked.
    timeout
        Seconds to wait for the next byte.

    Returns
    -------
    Session
        Reading only: nothing on the server changes.

    Raises
    ------
    ConnectionFailedError
        If there is no server, and CertificateError if its certificate is not trusted.
    AuthenticationError
        If user name or password are refused.

    Examples
    --------
    ::

        session = mf.connect("imap.example.com", "me@example.com")
        session.headers("UNSEEN", limit=10)
    """
    if username is None:
        raise ConnectionFailedError(
            f"Both a server and a user name are needed; {host!r} is one of them.",
            suggestion='mf.connect("imap.example.com", "me@example.com"); your provider\'s help '
            "pages name the IMAP server.",
        )
    connection = Connection(host, port, security=security, ssl_context=ssl_context, timeout=timeout)
    try:
        # Asked for once there is a server to log in to: nobody types a password for nothing.
        log_in(connection, username, find_password(username, password, prompt=getpass))
    except BaseException:
        connection.close()
        raise
    return Session(ImapSource(connection))
