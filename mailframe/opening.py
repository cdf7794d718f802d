"""The ways to a Session."""

from __future__ import annotations

from getpass import getpass
from typing import TYPE_CHECKING

from mailframe.exceptions import ConnectionFailedError
from mailframe.files import FileSource
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.credentials import Secret, find_password
from mailframe.imap.retry import Retry, persistently
from mailframe.imap.source import ImapSource
from mailframe.session import Session
from mailframe.source import check_count

if TYPE_CHECKING:
    import os
    import ssl

__all__ = ["connect", "log_in_to", "open"]


def connect(
    host: str,
    username: str | None = None,
    *,
    password: str | None = None,
    port: int | None = None,
    security: str = "tls",
    ssl_context: ssl.SSLContext | None = None,
    timeout: float = 30,
    pool_size: int = 4,
    reconnect: float = 60,
    proxy: str | None = None,
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
    pool_size
        Connections at a time, at most. More than one are opened where several folders or many
        messages are read from a server that is far away, or by several threads.
    reconnect
        Seconds for which a connection that was lost is tried again; 0 for never. What was being
        read goes on where it ended.
    proxy
        ``"socks5://localhost:1080"`` or ``"http://proxy.example.com:3128"``, in networks that have
        no other way out. Needs ``pip install 'mailframe[proxy]'``.

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
    return Session(
        log_in_to(
            host,
            username,
            password,
            port=port,
            security=security,
            ssl_context=ssl_context,
            timeout=timeout,
            pool_size=pool_size,
            reconnect=reconnect,
            proxy=proxy,
        )
    )


def log_in_to(
    host: str,
    username: str,
    password: str | None = None,
    *,
    port: int | None = None,
    security: str = "tls",
    ssl_context: ssl.SSLContext | None = None,
    timeout: float = 30,
    pool_size: int = 4,
    reconnect: float = 60,
    proxy: str | None = None,
) -> ImapSource:
    """Log in to an IMAP account, for a session to stand on: see `connect`."""
    check_count("pool_size", pool_size, "connections")
    retry = Retry(seconds=reconnect)
    found: str | Secret | None = password

    def log_in_once() -> Connection:
        nonlocal found
        connection = Connection(
            host,
            port,
            security=security,
            ssl_context=ssl_context,
            timeout=timeout,
            retry=retry,
            proxy=proxy,
        )
        try:
            # Asked for once there is a server to log in to: nobody types a password for nothing.
            found = find_password(username, found, prompt=getpass, host=host)
            log_in(connection, username, found)
        except BaseException:
            connection.close()
            raise
        return connection

    return ImapSource(persistently(log_in_once, retry), max(pool_size, 1))


def open(path: str | os.PathLike[str]) -> Session:  # noqa: A001 as users know it from elsewhere
    """Open mail in files: an mbox, a Maildir, a folder of .eml files, or one of these.

    What is there is found by looking: extensions do not count. An mbox is read once from end to
    end to find its messages, and each is read when it is asked for, so that it may be of any size;
    a compressed one (gzip, bzip2, xz) is unpacked into a temporary file, gone with the session.
    Nothing is written to the files, and no flag changes.

    Parameters
    ----------
    path
        Of a file or a folder: an mbox, as Takeout exports it, too; a Maildir with its sub-folders;
        .eml files; a Thunderbird profile, or any other folder of mbox files.

    Returns
    -------
    Session
        The same frames and criteria as of a server. ``uid`` is the place in the file, ``folder``
        INBOX for what has no folders, ``internal_date`` that of the From line or of a Maildir's
        file; of an .eml file it is missing, and SINCE and BEFORE go by its Date.

    Raises
    ------
    MailFileError
        If there is no mail, or it cannot be read.

    Examples
    --------
    ::

        session = mf.open("takeout.mbox")
        session.headers(mf.Q(from_="alice", since="1y"))
    """
    return Session(FileSource(path))
