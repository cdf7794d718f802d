"""The IMAP client for scripts and lessons: connect, authenticate, select, fetch, disconnect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from mailframe.criteria import to_tree
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    NotSupportedError,
    QueryError,
)
from mailframe.imap.advice import explaining
from mailframe.imap.auth import log_in, log_in_oauth2
from mailframe.imap.connection import Connection
from mailframe.imap.diary import noted
from mailframe.imap.folder import folder_status, list_folders
from mailframe.imap.managing import Managing
from mailframe.imap.messages import read_attachment, read_emails
from mailframe.imap.retry import Retry
from mailframe.imap.search import search
from mailframe.source import check_count

if TYPE_CHECKING:
    import ssl
    from collections import UserString
    from collections.abc import Iterator
    from types import TracebackType

    from mailframe.criteria import Q
    from mailframe.imap.connection import Selected
    from mailframe.parsing import Email
    from mailframe.records import Attachment, Folder

__all__ = ["IMAPClient"]

#: Messages that `IMAPClient.iter_emails` reads at a time.
BATCH = 50


class IMAPClient(Managing):
    """A connection to an IMAP server, and the messages behind it as `Email` objects.

    Parameters
    ----------
    readonly
        Open folders by EXAMINE, under which no server changes a flag (RFC 3501 section 6.3.2).
        Messages are read by ``BODY.PEEK`` in any case. Folders and messages are changed only with
        ``readonly=False``.

    Examples
    --------
    ::

        client = IMAPClient(readonly=True)
        client.connect(host="imap.example.com", port=993, use_ssl=True)
        client.authenticate(username="me@example.com", password=getpass())
        client.select_folder("INBOX")
        for email in client.fetch_emails(criteria="UNSEEN", limit=10):
            print(email.subject)
        client.disconnect()
    """

    def __init__(self, *, readonly: bool = True) -> None:
        if readonly is not True and readonly is not False:  # a 0 from somewhere is no wish to write
            raise QueryError(
                f"readonly={readonly!r} is neither True nor False.",
                suggestion="readonly=True to read, readonly=False to change mail as well.",
            )
        self.readonly = readonly
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        what = repr(self._connection) if self._connection else "not connected"
        return f"<{type(self).__name__} {what.strip('<>')}>"

    def __reduce__(self) -> str:
        raise NotSupportedError(
            "A client cannot be copied or pickled.", suggestion="Connect where it is needed."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()

    @property
    def connection(self) -> Connection:
        """The connection underneath.

        Raises
        ------
        ConnectionFailedError
            Before `connect` and after `disconnect`.
        """
        if self._connection is None:
            raise ConnectionFailedError(
                "Not connected.", suggestion='Call connect(host="imap.example.com") first.'
            )
        return self._connection

    def connect(
        self,
        host: str,
        port: int | None = None,
        *,
        use_ssl: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 30,
        reconnect: float = 60,
        proxy: str | None = None,
    ) -> Self:
        """Connect to a server. The certificate is checked.

        Parameters
        ----------
        host, port
            The server; the port is 993 with ``use_ssl`` and 143 without.
        use_ssl
            TLS from the first byte. Without it STARTTLS is used where the server offers it;
            where it does not, logging in is refused except on this machine.
        ssl_context
            For a certificate of one's own.
        timeout
            Seconds without a byte.
        reconnect
            Seconds for which a connection that was lost is tried again, 0 for never; what was
            being read goes on where it ended.
        proxy
            ``"socks5://localhost:1080"``, in networks that have no other way out.

        Returns
        -------
        IMAPClient
            This client.

        Raises
        ------
        CertificateError
            If the certificate is not trusted; nothing was sent.
        ConnectionFailedError
            If there is no server, or it is not an IMAP server.
        """
        self.disconnect()
        security = "tls" if use_ssl else "starttls-if-offered"
        with explaining(host):
            self._connection = Connection(
                host,
                port,
                security=security,
                ssl_context=ssl_context,
                timeout=timeout,
                retry=Retry(seconds=reconnect),
                proxy=proxy,
            )
        return self

    def authenticate(
        self,
        username: str,
        password: str,
        *,
        authorize_as: str | None = None,
        mechanism: str | None = None,
    ) -> Self:
        """Log in with a password or an app password.

        Parameters
        ----------
        username, password
            Any characters but line breaks.
        authorize_as
            Whose mailbox to open, where the account may open others' (RFC 4616).
        mechanism
            ``"PLAIN"``, ``"LOGIN"`` or ``"CRAM-MD5"``, in place of the best that is offered.

        Returns
        -------
        IMAPClient
            This client.

        Raises
        ------
        AuthenticationError
            If the server refuses.
        InsecureLoginError
            If the password would cross the network in clear text; nothing was sent.
        """
        with explaining(self.connection.host, username):
            log_in(
                self.connection,
                username,
                password,
                authorize_as=authorize_as,
                mechanism=mechanism,
            )
        return self

    def authenticate_oauth2(self, username: str, auth_string: str) -> Self:
        """Log in with an OAuth 2.0 access token.

        Parameters
        ----------
        username
            The account.
        auth_string
            The SASL string of XOAUTH2 or OAUTHBEARER (RFC 7628), as it is or in base64;
            `sasl_xoauth2` makes one of a token.

        Returns
        -------
        IMAPClient
            This client.

        Raises
        ------
        AuthenticationError
            If it is a bare token, or the server refuses.
        """
        with explaining(self.connection.host, username, "oauth"):
            log_in_oauth2(self.connection, username, auth_string)
        return self

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server offers, sorted (RFC 3501 section 6.1.1)."""
        return tuple(sorted(self.connection.capabilities))

    def list_folders(self) -> list[Folder]:
        """List the folders with their counts (RFC 3501 sections 6.3.8 and 6.3.10)."""
        return list_folders(self.connection)

    def folder_status(self, folder: str) -> Folder:
        """Count one folder's messages without opening it (RFC 3501 section 6.3.10).

        Raises
        ------
        FolderError
            If it is not there.
        """
        return folder_status(self.connection, folder)

    def select_folder(self, folder: str = "INBOX") -> Selected:
        """Open a folder.

        Parameters
        ----------
        folder
            Its name, decoded.

        Returns
        -------
        Selected
            Its UIDVALIDITY, UIDNEXT and number of messages.

        Raises
        ------
        FolderError
            If it is not there.
        """
        return self.connection.select(folder, readonly=self.readonly)

    def search(self, criteria: str | Q | UserString = "ALL", limit: int | None = None) -> list[int]:
        """Find messages in the open folder.

        Parameters
        ----------
        criteria
            An IMAP search string (RFC 3501 section 6.4.4), a `Q`, or imap-tools' AND, OR, NOT.
        limit
            At most this many, the newest.

        Returns
        -------
        list of int
            UIDs, newest first.

        Raises
        ------
        QueryError
            If the criteria cannot be asked.
        """
        self.connection.the_selected()
        check_count("limit", limit)
        return search(self.connection, to_tree(criteria, datetime.now(UTC)), limit)

    def fetch_emails(
        self,
        criteria: str | Q | UserString = "ALL",
        limit: int | None = None,
        *,
        fetch_body: bool = False,
    ) -> list[Email]:
        """Read messages of the open folder.

        Parameters
        ----------
        criteria
            As for `search`.
        limit
            At most this many, the newest.
        fetch_body
            Read text and HTML too. Attachments are listed, not downloaded: `fetch_attachment`.

        Returns
        -------
        list of Email
            Newest first.
        """
        return list(self.iter_emails(criteria, limit, fetch_body=fetch_body))

    def iter_emails(
        self,
        criteria: str | Q | UserString = "ALL",
        limit: int | None = None,
        *,
        fetch_body: bool = False,
    ) -> Iterator[Email]:
        """Read messages of the open folder one after the other.

        Memory holds one batch. Between messages the client is free: another folder may even be
        opened, the iterator finds back to its own.

        Parameters
        ----------
        criteria, limit, fetch_body
            As for `fetch_emails`.

        Yields
        ------
        Email
            Newest first.
        """
        selected = self.connection.the_selected()
        uids = self.search(criteria, limit)
        deed = f"read messages of {selected.folder!r}"
        with noted(self.connection.recorder, deed, "message") as note:
            for start in range(0, len(uids), BATCH):
                self.connection.return_to(
                    selected.folder, selected.uidvalidity, readonly=self.readonly
                )
                batch = uids[start : start + BATCH]
                # In full before the first is handed out: nothing may be in flight then.
                emails = list(read_emails(self.connection, batch, body=fetch_body))
                note.count += len(emails)
                yield from emails

    def fetch_attachment(self, email: Email | int, attachment: Attachment | str) -> Attachment:
        """Download one attachment of a message in the open folder.

        Parameters
        ----------
        email
            The message, or its UID.
        attachment
            One of its ``attachments``, or the part number of one.

        Returns
        -------
        Attachment
            With its decoded ``content``.

        Raises
        ------
        MessageNotFoundError
            If the message or the part is not there.
        FolderError
            If the message is in another folder than the open one.
        """
        here = self.connection.the_selected().folder
        uid = email if isinstance(email, int) else email.uid
        if not isinstance(email, int) and email.folder not in {None, here}:
            raise FolderError(
                f"The message is in {email.folder!r}, and {here!r} is open.",
                suggestion=f"Call select_folder({email.folder!r}) first.",
            )
        part = attachment if isinstance(attachment, str) else attachment.part
        return read_attachment(self.connection, uid or 0, part)

    def disconnect(self) -> None:
        """Log out and close the connection; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
