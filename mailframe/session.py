"""Session: criteria in, DataFrames out, on any Source."""

from __future__ import annotations

import html as html_module
import operator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mailframe import frames, kinds
from mailframe.arranging import Arranging
from mailframe.changing import Changing
from mailframe.conversation import Conversation
from mailframe.downloads import save_attachments
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.flow import Flow
from mailframe.progress import watched
from mailframe.selection import in_order_of, one_folder, select

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from mailframe.journal import Journal
    from mailframe.kinds import Kind
    from mailframe.parsing import Email
    from mailframe.selection import Criteria, FolderNames
    from mailframe.source import Selection, Source

__all__ = ["Session"]

# What the HTML view offers to call.
_METHODS = (
    "folders",
    "search",
    "count",
    "headers",
    "recipients",
    "bodies",
    "hops",
    "attachments",
    "stream",
    "to_parquet",
    "watch",
    "download",
    "message",
    "explain",
    "trace",
    "tracing",
)
_CHANGES = ("mark", "flag", "keyword", "move", "copy", "delete", "append", "create_folder")


class Session(Flow, Conversation, Changing, Arranging):
    r"""A mailbox as DataFrames.

    Every reading method is ``method(criteria="ALL", *, folder="INBOX", limit=None,
    progress=None)``:

    - ``criteria``: an IMAP search string (``"UNSEEN SINCE 1-Jan-2026"``), a `Q`, an imap-tools
      ``AND/OR/NOT``, or a frame that an earlier call returned, filtered and sorted as one likes:
      then exactly its messages come, in its order.
    - ``folder``: a name, a list of names, a glob (``"*"``), or a role (``"\Sent"``), which works
      whatever language the folders are named in.
    - ``limit``: at most so many messages, the newest.
    - ``progress``: True, False, or a bar like tqdm's; by default one is shown when it takes long.

    Rows come newest first, folder by folder.

    A session that was opened with ``readonly=False`` can change mail as well, in two steps: `move`,
    `mark`, `delete` and their kin give a `Plan`, and nothing is done before ``plan.apply()``.

    Parameters
    ----------
    source
        Where the mail is. It belongs to the session from now on.
    journal
        Takes down what is changed.
    """

    def __init__(self, source: Source, *, journal: Journal | None = None) -> None:
        self._source = source
        self._journal = journal

    def __reduce__(self) -> str:
        raise NotSupportedError(
            "A session cannot be copied or pickled.",
            suggestion="Open it where it is needed. The frames that it gives can be pickled.",
        )

    def __repr__(self) -> str:
        return f"<mailframe.Session {self._source}>"

    def _repr_html_(self) -> str:
        is_writable = hasattr(self._source, "perform")
        names = (*_METHODS, *_CHANGES) if is_writable else _METHODS
        calls = " · ".join(f"<code>.{name}()</code>" for name in names)
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
        fields: Sequence[str] = (),
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read senders, recipients, subjects, dates, flags, sizes and attachment counts.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.
        fields
            Further header fields, each for a column of text: ``["Delivered-To"]`` brings
            ``delivered_to``. A repeated field is joined by line breaks, a missing one missing.

        Returns
        -------
        DataFrame
            ``schema.HEADERS``: one row a message; ``schema.GMAIL`` besides where the server is
            Gmail. A message of a frame given as criteria that has gone keeps its key, and
            ``defects`` says ``gone``.

        Raises
        ------
        QueryError
            If a field has a name that no field can have.
        """
        kind = kinds.headers(self._source, fields)
        return self._read(kind, criteria, folder, limit, progress)

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
        return self._read(kinds.recipients(self._source), criteria, folder, limit, progress)

    def hops(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read which servers messages passed on their way, and how long each took.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.

        Returns
        -------
        DataFrame
            ``schema.HOPS``: one row for each Received field (RFC 5321 section 4.4), of each
            message the first server first. What a server says of those before it may be forged.
        """
        return self._read(kinds.hops(self._source), criteria, folder, limit, progress)

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
        return self._read(kinds.attachments(self._source), criteria, folder, limit, progress)

    def bodies(
        self,
        criteria: Criteria = "ALL",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        html: bool = False,
        own_text: bool = False,
        max_bytes: int | None = None,
        preview: bool = False,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Read the text of messages; attachments are not downloaded.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.
        html
            Add a column with the HTML as sent: untrusted, not sanitised.
        own_text
            Add columns that tell what the author wrote from what was quoted or forwarded and from
            the signature, and count the author's words: see `mailframe.parsing.split_reply`.
        max_bytes
            Read at most so many bytes of each text, as sent; ``truncated`` says where that cut
            something off.
        preview
            Read only how each text begins: 200 characters at most, made by the server where it
            can (RFC 8970).

        Returns
        -------
        DataFrame
            ``schema.BODIES``, ``schema.BODIES_HTML`` or ``schema.PREVIEWS``: one row a message;
            with ``own_text``, ``schema.OWN_TEXT`` behind those columns.

        Raises
        ------
        QueryError
            If ``max_bytes`` is no number of bytes, or goes together with ``preview``.
        """
        kind = kinds.bodies(
            self._source, html=html, own_text=own_text, max_bytes=max_bytes, preview=preview
        )
        return self._read(kind, criteria, folder, limit, progress)

    def message(self, uid: int, *, folder: str = "INBOX") -> Email:
        """Read one whole message, attachments included.

        Parameters
        ----------
        uid
            Its UID.
        folder
            The folder it is in, by name or role.

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
            number = operator.index(uid)
        except TypeError as error:
            raise QueryError(f"uid={uid!r} is no UID: a whole number from 1.") from error
        return self._source.message(one_folder(self._source, folder), number)

    def download(
        self,
        rows: pd.DataFrame,
        folder: str | os.PathLike[str] = ".",
        *,
        overwrite: bool = False,
        progress: Any = None,
    ) -> pd.DataFrame:
        """Save attachments as files.

        They are streamed: memory holds a few ranges, however large they are. A file appears under
        its name once it is whole.

        Parameters
        ----------
        rows
            Of `attachments`, filtered as one likes; a changed ``filename`` is what the file will
            be called.
        folder
            Where to; it is made if it is not there. No name leads out of it.
        overwrite
            Replace files of the same name; otherwise a new one becomes ``name (2).ext``.
        progress
            See `Session`; it counts bytes.

        Returns
        -------
        DataFrame
            ``schema.DOWNLOADS``: the rows, with the file of each in ``path``; missing where the
            attachment has gone.

        Raises
        ------
        SaveError
            If a file cannot be written.
        QueryError
            If the rows are not of attachments.

        Examples
        --------
        ::

            rows = session.attachments(mf.Q(since="30d"))
            session.download(rows[rows["content_type"] == "application/pdf"], "invoices")
        """
        return save_attachments(self._source, rows, folder, overwrite=overwrite, progress=progress)

    def close(self) -> None:
        """Log out; a second call does nothing."""
        self._source.close()

    def _read(
        self,
        kind: Kind,
        criteria: Criteria,
        folder: FolderNames,
        limit: int | None,
        progress: Any,
    ) -> pd.DataFrame:
        found = select(self._source, criteria, folder, limit)
        keep_gone = isinstance(criteria, pd.DataFrame)
        with (
            watched(self._source, _total(found), progress) as tick,
            closing(kind.read(found, tick, keep_gone=keep_gone)) as records,
        ):
            frame = kind.tabulate(records)
        return in_order_of(criteria, frame)


def _total(found: Iterable[Selection]) -> int:
    return sum(len(one.uids) for one in found)
