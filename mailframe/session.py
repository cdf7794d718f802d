"""Session: criteria in, DataFrames out, on any Source."""

from __future__ import annotations

import html as html_module
import operator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mailframe import frames, kinds
from mailframe.datasets import write_dataset
from mailframe.dialogue import Trace, trace_frame
from mailframe.downloads import save_attachments
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.plan import Plan
from mailframe.progress import watched
from mailframe.selection import described, field_columns, in_order_of, one_folder, select
from mailframe.streaming import (
    check_batch,
    check_folders,
    cut,
    cut_frame,
    frames_of,
    not_empty,
)
from mailframe.watching import watched_frames

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from mailframe.imap.trace import Recorder
    from mailframe.kinds import Kind
    from mailframe.parsing import Email
    from mailframe.records import Step
    from mailframe.selection import Criteria, FolderNames
    from mailframe.source import Selection, Source
    from mailframe.streaming import Piece

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
#: Methods that `Session.explain` knows.
EXPLAINED = ("headers", "recipients", "bodies", "attachments", "hops", "search", "count")


class Session:
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

    Parameters
    ----------
    source
        Where the mail is. It belongs to the session from now on.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def __reduce__(self) -> str:
        raise NotSupportedError(
            "A session cannot be copied or pickled.",
            suggestion="Open it where it is needed. The frames that it gives can be pickled.",
        )

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
                "Only a server has capabilities.",
                suggestion="This session reads files, which need none.",
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
        max_bytes
            Read at most so many bytes of each text, as sent; ``truncated`` says where that cut
            something off.
        preview
            Read only how each text begins: 200 characters at most, made by the server where it
            can (RFC 8970).

        Returns
        -------
        DataFrame
            ``schema.BODIES``, ``schema.BODIES_HTML`` or ``schema.PREVIEWS``: one row a message.

        Raises
        ------
        QueryError
            If ``max_bytes`` is no number of bytes, or goes together with ``preview``.
        """
        kind = kinds.bodies(self._source, html=html, max_bytes=max_bytes, preview=preview)
        return self._read(kind, criteria, folder, limit, progress)

    def stream(
        self,
        criteria: Criteria = "ALL",
        what: str = "headers",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        batch: int = 500,
        fields: Sequence[str] = (),
        html: bool = False,
        max_bytes: int | None = None,
        preview: bool = False,
        progress: Any = None,
    ) -> Generator[pd.DataFrame]:
        """Read messages of any number: frames one after the other, as they come.

        Which messages they are is found out at once, and stays so. Memory holds a batch; where
        the server is far away, a few that have been read ahead. Nothing is held of the connection
        between two frames, so that other calls may come in between, and one may stop at any time.

        Parameters
        ----------
        criteria, folder, limit, progress
            See `Session`.
        what
            The method whose frames they are: ``"headers"``, ``"recipients"``, ``"bodies"``,
            ``"attachments"`` or ``"hops"``.
        batch
            Messages a frame.
        fields
            For ``"headers"``: see there.
        html, max_bytes, preview
            For ``"bodies"``: see there.

        Yields
        ------
        DataFrame
            As of that method; none that is empty.

        Raises
        ------
        QueryError
            If the criteria cannot be asked, or there is no such method.
        FolderError
            If a folder is not there.

        Examples
        --------
        ::

            for frame in session.stream(mf.Q(since="10y"), "bodies", folder="*"):
                words.update(frame["text"].str.split().explode())
        """
        check_batch(batch)
        options: dict[str, Any]
        options = {"fields": fields, "html": html, "max_bytes": max_bytes, "preview": preview}
        kind = kinds.kind_of(self._source, what, **options)
        pieces = self._pieces(criteria, folder, limit, batch)
        return not_empty(frames_of(self._source, kind, pieces, criteria, progress))

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        criteria: Criteria = "ALL",
        what: str = "headers",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
        batch: int = 500,
        fields: Sequence[str] = (),
        html: bool = False,
        max_bytes: int | None = None,
        preview: bool = False,
        overwrite: bool = False,
        progress: Any = None,
    ) -> Path:
        """Write messages of any number to a data set of Parquet files, which can be resumed.

        Broken off by whatever, the same call goes on where it ended, with the messages that were
        found the first time: each is there once. Memory holds a batch, as of `stream`.

        Parameters
        ----------
        path
            Of a folder, which is made; ``~`` is the home folder. In it ``part-00000.parquet`` and
            so on, newest messages first.
        criteria, folder, limit, progress
            See `Session`.
        what, fields, html, max_bytes, preview
            See `stream`.
        batch
            Messages a file, which is one row group.
        overwrite
            Read everything anew, in place of a data set that is there.

        Returns
        -------
        Path
            The folder, for ``pandas.read_parquet``. DuckDB and Polars read
            ``"path/*.parquet"``. The columns have the dtypes of the frame.

        Raises
        ------
        SaveError
            If there is something else at ``path``, a data set of other messages, or one that is
            complete; or if a file cannot be written.
        UidValidityError
            If a folder was renumbered since it was begun.

        Examples
        --------
        ::

            mail = session.to_parquet("mail", mf.Q(since="10y"), folder="*")
            df = pd.read_parquet(mail)
        """
        check_batch(batch)
        options: dict[str, Any]
        options = {"fields": fields, "html": html, "max_bytes": max_bytes, "preview": preview}
        kind = kinds.kind_of(self._source, what, **options)
        is_rows = isinstance(criteria, pd.DataFrame | pd.Series | pd.Index)
        return write_dataset(
            path,
            {
                "account": self.account,
                "criteria": _named(criteria),
                "what": what,
                "folder": folder if isinstance(folder, str) else list(folder),
                "limit": limit,
                "batch": batch,
                **options,
                "fields": list(field_columns(fields)),
            },
            lambda: self._pieces(criteria, folder, limit, batch),
            lambda pieces: check_folders(self._source, pieces),
            lambda pieces: frames_of(self._source, kind, pieces, criteria, progress),
            is_fixed=is_rows,
            overwrite=overwrite,
        )

    def watch(
        self,
        folder: str = "INBOX",
        *,
        changes: bool = False,
        fields: Sequence[str] = (),
        after: pd.DataFrame | None = None,
        duration: float | None = None,
        poll: float = 60,
    ) -> Generator[pd.DataFrame]:
        r"""Wait for mail, and give its headers as it arrives.

        The server tells when something comes (IDLE, RFC 2177); one that cannot is asked now and
        then. A connection is opened for this alone, so that other calls may come in between. When
        it is lost it is opened again, and nothing is missed or given twice.

        Parameters
        ----------
        folder
            Its name, or role (``"\Sent"``).
        changes
            Tell of messages whose flags change, and of those that go, as well. All flags are read
            once for this, and on servers without CONDSTORE (RFC 7162) again each time.
        fields
            Further header fields, as of `headers`.
        after
            Rows of that folder from an earlier call: what came after the newest of them is new,
            too. Without, what comes from now on.
        duration
            Seconds after which it ends; by default it does not.
        poll
            Seconds between two looks where the server has no IDLE.

        Yields
        ------
        DataFrame
            ``schema.HEADERS``, the oldest first: what has come since the last one. With
            ``changes``, ``schema.EVENTS``: its column ``event`` says what has happened to each
            message, and the others how it is now; of one that has gone there is the key alone.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.
        FolderError
            If the folder is not there, or is deleted meanwhile.
        UidValidityError
            If it is renumbered.
        ConnectionFailedError
            If the connection is lost, and cannot be had again.

        Examples
        --------
        ::

            for new in session.watch():
                print(new[["from_name", "subject"]].to_string(header=False, index=False))
        """
        columns = field_columns(fields)
        return watched_frames(
            self._source,
            folder,
            columns,
            changes=changes,
            after=after,
            duration=duration,
            poll=poll,
        )

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

    def explain(
        self,
        criteria: Criteria = "ALL",
        what: str = "headers",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
    ) -> Plan:
        """Say what a reading call would send to the server; nothing is sent.

        Parameters
        ----------
        criteria, folder, limit
            See `Session`.
        what
            The method: ``"headers"``, ``"recipients"``, ``"bodies"``, ``"attachments"``,
            ``"hops"``, ``"search"`` or ``"count"``.

        Returns
        -------
        Plan
            The exact commands, each with its RFC section and what it does, and what would be
            decided on this side. Its ``frame`` is ``schema.PLAN``.

        Raises
        ------
        QueryError
            If the criteria cannot be asked, or there is no such method.
        NotSupportedError
            If the mail is not on a server.

        Examples
        --------
        ::

            session.explain(mf.Q(from_="müller", since="30d"))
        """
        if what not in EXPLAINED:
            raise QueryError(
                f"There is nothing to explain about {what!r}.",
                suggestion=f"One of {', '.join(EXPLAINED)}.",
            )
        explain: Callable[..., list[Step]] | None = getattr(self._source, "explain", None)
        if explain is None:
            raise NotSupportedError(
                "Only a server is sent commands.",
                suggestion="This session reads files; mf.connect(…) opens an account on a server.",
            )
        names, tree, selections = described(self.account, criteria, folder, limit)
        asked = repr(criteria) if selections is None else "df"
        kept = "" if limit is None else f", limit={limit}"
        call = f"session.{what}({asked}, folder={folder!r}{kept})"
        return Plan(call, tuple(explain(what, names, tree, selections, limit)))

    def trace(self) -> pd.DataFrame:
        """Return the dialogue with the server so far: every command and reply, without secrets.

        Returns
        -------
        DataFrame
            ``schema.TRACE``: one row a line, literals included, in the order they were sent and
            read. The latest 10,000 lines are kept, and besides the latest 10,000 replies that
            describe messages.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.
        """
        return trace_frame(self._recorder().lines(), self.account)

    @contextmanager
    def tracing(self) -> Iterator[Trace]:
        """Record what client and server say to each other within a ``with`` block.

        Yields
        ------
        Trace
            To look at, then or later: in a notebook a table in colours that says what each line
            does, with its RFC section; ``print`` shows it in a terminal; its ``frame`` is
            ``schema.TRACE``.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.

        Examples
        --------
        ::

            with session.tracing() as t:
                session.headers(limit=10)
            t
        """
        recording = self._recorder().record()
        try:
            yield Trace(self.account, recording)
        finally:
            recording.stop()

    def _recorder(self) -> Recorder:
        recorder: Recorder | None = getattr(self._source, "recorder", None)
        if recorder is None:
            raise NotSupportedError(
                "Only with a server there is a dialogue.",
                suggestion="This session reads files; mf.connect(…) opens an account on a server, "
                "and mf.demo() one that needs none.",
            )
        return recorder

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

    def _pieces(
        self, criteria: Criteria, folder: FolderNames, limit: int | None, size: int
    ) -> list[Piece]:
        found = select(self._source, criteria, folder, limit)
        if isinstance(criteria, pd.DataFrame):
            return cut_frame(criteria, size, self.account, limit)
        return cut(found, size)


def _named(criteria: Criteria) -> str:
    if isinstance(criteria, pd.DataFrame | pd.Series | pd.Index):
        return "rows"  # which may change; the messages are compared
    return criteria if isinstance(criteria, str) else repr(criteria)


def _total(found: Iterable[Selection]) -> int:
    return sum(len(one.uids) for one in found)
