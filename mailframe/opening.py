"""The ways to a Session."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from mailframe.exceptions import QueryError
from mailframe.files import FileSource
from mailframe.imap.connection import Connection
from mailframe.imap.retry import Retry, persistently
from mailframe.imap.source import ImapSource
from mailframe.imap.way_in import WayIn, confirm, find_way, tokens_for
from mailframe.imap.writing import WritableImapSource
from mailframe.journal import Journal
from mailframe.session import Session
from mailframe.source import check_count

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from mailframe.imap.oauth import OAuth2Authenticator

__all__ = ["connect", "log_in_to", "open"]


def connect(  # noqa: PLR0913 one for each way that servers and networks differ
    host: str | None = None,
    username: str | None = None,
    *,
    password: str | None = None,
    port: int | None = None,
    security: str = "tls",
    ssl_context: ssl.SSLContext | None = None,
    oauth: str | OAuth2Authenticator | None = None,
    token_provider: Callable[..., str] | None = None,
    authorize_as: str | None = None,
    mechanism: str | None = None,
    timeout: float = 30,
    pool_size: int = 4,
    reconnect: float = 60,
    proxy: str | None = None,
    readonly: bool = True,
    journal: str | os.PathLike[str] | None = None,
) -> Session:
    """Log in to an IMAP account.

    Parameters
    ----------
    host
        The server: ``"imap.example.com"``. Or the address alone, ``"me@example.com"``: then the
        server is found, and where only a guess is to be had you are asked before anything secret
        goes there.
    username
        Most often the address.
    password
        Better left out: then it is taken from the environment (``MAILFRAME_PASSWORD``), the
        system's keyring (`mailframe.credentials.save`) or ``~/.netrc``, or asked for. A password
        in a cell ends up wherever the notebook goes.
    port
        993 for TLS and 143 otherwise, by default.
    security
        ``"tls"``; ``"starttls"``; or ``"none"``, with which only this machine can be logged in to.
    ssl_context
        For a server with a certificate of its own; by default the system's authorities and the
        host's name are checked.
    oauth
        A provider's name, ``"google"`` or ``"microsoft"``, or an `imap.OAuth2Authenticator`, to
        sign in by OAuth 2.0. By default a provider that takes nothing else gets that.
    token_provider
        For tokens of one's own making: given the user name, returns an access token. It is asked
        for each connection, and once more where a token is refused.
    authorize_as
        Whose mailbox to open, where the account may open others' (Dovecot's master users).
    mechanism
        ``"PLAIN"``, ``"LOGIN"``, ``"CRAM-MD5"``, ``"XOAUTH2"`` or ``"OAUTHBEARER"``, in place of
        the best that the server offers.
    timeout
        Seconds to wait for the next byte.
    pool_size
        Connections at a time, at most. More than one are opened where several folders or many
        messages are read from a server that is far away, or by several threads.
    reconnect
        Seconds for which a connection that was lost is tried again, from the loss until something
        was read again; 0 for never. What was being read goes on where it ended.
    proxy
        ``"socks5://localhost:1080"`` or ``"http://proxy.example.com:3128"``, in networks that have
        no other way out. Needs ``pip install 'mailframe[proxy]'``.
    readonly
        False for a session that can change mail as well: `Session.move` and its kin, which show a
        plan first. Otherwise nothing on the server changes, whatever is called.
    journal
        The path of a file that takes down, as JSON lines, what such a session changes.

    Returns
    -------
    Session
        Reading only, unless it is asked for otherwise.

    Raises
    ------
    ConnectionFailedError
        If there is no server, and CertificateError if its certificate is not trusted.
    AuthenticationError
        If user name, password or token are refused: its ``code`` says why, its ``suggestion`` what
        to do at that provider.

    Examples
    --------
    ::

        session = mf.connect("me@example.com")
        session = mf.connect("imap.example.com", "me@example.com")
        session = mf.connect("me@gmail.com", oauth="google")
        session.headers("UNSEEN", limit=10)
    """
    texts = {
        "password": password,
        "security": security,
        "authorize_as": authorize_as,
        "mechanism": mechanism,
        "proxy": proxy,
    }
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise QueryError(
                f"{name}= is a {type(value).__name__}, and no text.",
                suggestion=f'Give a text: {name}="…".',
            )
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        raise QueryError(
            f"ssl_context= is a {type(ssl_context).__name__}, and no SSLContext.",
            suggestion='ssl_context=ssl.create_default_context(cafile="home.pem")',
        )
    _check_readonly(readonly)
    if readonly and journal is not None:
        raise QueryError(
            "A journal takes down what is changed, and this session changes nothing.",
            suggestion="mf.connect(…, readonly=False, journal=…)",
        )
    way = find_way(
        host,
        username,
        port=port,
        security=security,
        proxy=proxy,
        oauth=oauth,
        is_confirmed=confirm,
    )
    way.password, way.authorize_as, way.mechanism = password, authorize_as, mechanism
    way.tokens = tokens_for(way, oauth, token_provider, proxy=proxy)
    source = _log_in(
        way,
        ssl_context=ssl_context,
        timeout=timeout,
        pool_size=pool_size,
        reconnect=reconnect,
        proxy=proxy,
        readonly=readonly,
    )
    try:
        kept = None if journal is None else Journal(journal, source.account)
    except BaseException:
        source.close()
        raise
    return Session(source, journal=kept)


def log_in_to(
    host: str,
    username: str,
    password: str,
    *,
    port: int,
    security: str = "tls",
    readonly: bool = True,
) -> ImapSource:
    """Log in to a server that is known, with a password, for a session to stand on."""
    _check_readonly(readonly)
    return _log_in(WayIn(host, username, port, security, password=password), readonly=readonly)


def _check_readonly(readonly: object) -> None:
    if readonly is not True and readonly is not False:  # a 0 from somewhere is no wish to write
        raise QueryError(
            f"readonly={readonly!r} is neither True nor False.",
            suggestion="readonly=True to read, readonly=False to change mail as well.",
        )


def _log_in(
    way: WayIn,
    *,
    ssl_context: ssl.SSLContext | None = None,
    timeout: float = 30,
    pool_size: int = 4,
    reconnect: float = 60,
    proxy: str | None = None,
    readonly: bool = True,
) -> ImapSource:
    check_count("pool_size", pool_size, "connections")
    if not pool_size:
        raise QueryError(
            f"pool_size={pool_size!r} is no number of connections.",
            suggestion="A whole number from 1; 1 for no more than one at a time.",
        )
    retry = Retry(seconds=reconnect)

    def connect() -> Connection:
        return Connection(
            way.host,
            way.port,
            security=way.security,
            ssl_context=ssl_context,
            timeout=timeout,
            retry=retry,
            proxy=proxy,
        )

    kind = ImapSource if readonly else WritableImapSource
    return kind(persistently(lambda: way.log_in(connect), retry), pool_size)


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
