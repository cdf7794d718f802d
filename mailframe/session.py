"""Session: criteria in, DataFrames out, on any Source."""

from __future__ import annotations

import html as html_module
import operator
from getpass import getpass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mailframe import frames
from mailframe.exceptions import ConnectionFailedError, NotSupportedError, QueryError
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.credentials import find_password
from mailframe.imap.source import ImapSource
from mailframe.progress import bar
from mailframe.records import BodyRecord, Headers, MessageRecord
from mailframe.selection import in_order_of, select

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from mailframe.parsing import Email
    from mailframe.selection import Criteria, FolderNames
    from mailframe.source import Selection, Source, What

__all__ = ["Session", "connect"]

# What the HTML view offers to call.
_METHODS = (
    "folders",
    "search",
    "count",
    "headers",
    "recipients",
    "bodies",
    "attachments",
    "message",
)


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


class Session:
    """A mailbox as DataFrames.

    Every reading method is ``method(criteria="ALL", *, folder="INBOX", limit=None,
    progress=None)``:

    - ``criteria``: an IMAP search string (``"UNSEEN SINCE 1-Jan-2026"``), a `Q`, an imap-tools
      ``AND/OR/NOT``, or a frame that an earlier call returned, filtered and sorted as one likes:
      then exactly its messages come, in its order.
    - ``folder``: a name, a list of names, or a glob (``"*"``).
    - ``limit``: at most so many messages, the newest.
    - ``progress``: True, False, or a bar like tqdm's; by default one is shown when it takes long.

    Rows come newest first, folder by folder.

    Parameters
    ----------
    source
        Where the mail is. It belongs to the session from now on.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"<mailframe.Session {self._source}>"

    def _repr_html_(self) -> str:
        calls = " · ".join(f"<code>.{name}()</code>" for name in _METHODS)
        return (
            f"<div><b>mailframe.Session</b> {html_module.escape(str(self._source))}<br>"
            f"<small>{calls}</small></div>"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def account(self) -> str:
        """Whose mail it is: the ``account`` column of every frame."""
        return self._source.account

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server offers (RFC 3501 section 6.1.1), sorted.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.
        """
        offered: Callable[[], tuple[str, ...]] | None = getattr(self._source, "capabilities", None)
        if offered is None:
            raise NotSupportedError(
                "Only a server has capabilities.", suggestion="This session reads files."
            )
        return offered()

    def folders(self) -> pd.DataFrame:
        """List the folders with their counts.

        Returns
        -------
        DataFrame
            ``schema.FOLDERS``: one row a folder, INBOX first.
        """
        return frames.folders_frame(self._source.folders(), self.account)

    def search(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Find messages.

        Parameters
        ----------
        criteria, folder, limit
            See `Session`.

        Returns
        -------
        DataFrame
            ``schema.KEY``: the keys alone, newest first.

        Raises
        ------
        QueryError
            If the criteria cannot be asked.
        FolderError
            If a folder is not there.
        """
        found = select(self._source, criteria, folder, limit)
        keys = ((one.folder, one.uidvalidity, one.uids) for one in found)
        return in_order_of(criteria, frames.keys_frame(keys, self.account))

    def count(self, criteria: Criteria = "ALL", *, folder: FolderNames = "INBOX") -> int:
        """Count messages, over all the folders.

        Parameters
        ----------
        criteria, folder
            See `Session`.

        Returns
        -------
        int
            How many there are.
        """
        return _total(select(self._source, criteria, folder, None))

    def headers(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read senders, recipients, subjects, dates, flags, sizes and attachment counts.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.

        Returns
        -------
        DataFrame
            ``schema.HEADERS``: one row a message. A message of a frame given as criteria that has
            gone keeps its key, and ``defects`` says ``gone``.
        """
        found = select(self._source, criteria, folder, limit)
        keep_gone = isinstance(criteria, pd.DataFrame)
        with bar(_total(found), progress) as tick:
            records = self._messages(found, "headers", tick, keep_gone=keep_gone)
            frame = frames.headers_frame(records, self.account)
        return in_order_of(criteria, frame)

    def recipients(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read who wrote to whom.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.

        Returns
        -------
        DataFrame
            ``schema.RECIPIENTS``: one row for each address of each message.
        """
        found = select(self._source, criteria, folder, limit)
        with bar(_total(found), progress) as tick:
            records = self._messages(found, "recipients", tick)
            frame = frames.recipients_frame(records, self.account)
        return in_order_of(criteria, frame)

    def attachments(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        progress: Any = None,
    ) -> pd.DataFrame:
        """List attachments with names, types and sizes; none is downloaded.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`; ``limit`` counts messages.

        Returns
        -------
        DataFrame
            ``schema.ATTACHMENTS``: one row an attachment, those shown inline included.
        """
        found = select(self._source, criteria, folder, limit)
        with bar(_total(found), progress) as tick:
            records = self._messages(found, "attachments", tick)
            frame = frames.attachments_frame(records, self.account)
        return in_order_of(criteria, frame)

    def bodies(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        html: bool = False,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read the text of messages; attachments are not downloaded.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.
        html
            Add a column with the HTML as sent: untrusted, not sanitised.

        Returns
        -------
        DataFrame
            ``schema.BODIES`` or ``schema.BODIES_HTML``: one row a message.
        """
        found = select(self._source, criteria, folder, limit)
        keep_gone = isinstance(criteria, pd.DataFrame)
        with bar(_total(found), progress) as tick:
            records = self._texts(found, tick, html=html, keep_gone=keep_gone)
            frame = frames.bodies_frame(records, self.account, html=html)
        return in_order_of(criteria, frame)

    def message(self, uid: int, *, folder: str = "INBOX") -> Email:
        """Read one whole message, attachments included.

        Parameters
        ----------
        uid
            Its UID.
        folder
            The folder it is in.

        Returns
        -------
        Email
            Headers, text, HTML and attachments with their content.

        Raises
        ------
        MessageNotFoundError
            If there is none with this UID.
        """
        try:
            return self._source.message(folder, operator.index(uid))
        except TypeError as error:
            raise QueryError(f"uid={uid!r} is no UID: a whole number from 1.") from error

    def close(self) -> None:
        """Log out; a second call does nothing."""
        self._source.close()

    def _messages(
        self,
        found: list[Selection],
        what: What,
        tick: Callable[[], object],
        *,
        keep_gone: bool = False,
    ) -> Iterator[MessageRecord]:
        for one in found:
            gone = dict.fromkeys(one.uids)
            for record in self._source.headers(one, what) if one.uids else ():
                del gone[record.uid]
                tick()
                yield record
            for uid in gone if keep_gone else ():
                tick()
                yield MessageRecord(
                    self.account, one.folder, one.uidvalidity, uid,
                    flags=(), internal_date=None, size=None, headers=Headers(), attachments=None,
                    defects=("gone",),
                )  # fmt: skip

    def _texts(
        self, found: list[Selection], tick: Callable[[], object], *, html: bool, keep_gone: bool
    ) -> Iterator[BodyRecord]:
        for one in found:
            gone = dict.fromkeys(one.uids)
            for record in self._source.parts(one, html=html) if one.uids else ():
                del gone[record.uid]
                tick()
                yield record
            for uid in gone if keep_gone else ():
                tick()
                yield BodyRecord(
                    self.account, one.folder, one.uidvalidity, uid,
                    text=None, html=None, text_source="none", charset=None, truncated=False,
                    defects=("gone",),
                )  # fmt: skip


def _total(found: Iterable[Selection]) -> int:
    return sum(len(one.uids) for one in found)
