"""Session: criteria in, DataFrames out, on any Source."""

from __future__ import annotations

import html as html_module
import operator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mailframe import frames
from mailframe.dialogue import Trace, trace_frame
from mailframe.downloads import save_attachments
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.plan import Plan
from mailframe.progress import watched
from mailframe.reading import messages_of, previews_of, texts_of
from mailframe.selection import described, field_columns, in_order_of, one_folder, select
from mailframe.source import check_count

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from mailframe.imap.trace import Recorder
    from mailframe.parsing import Email
    from mailframe.records import Step
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
        columns = field_columns(fields)
        found = select(self._source, criteria, folder, limit)
        keep_gone = isinstance(criteria, pd.DataFrame)
        labels: bool = getattr(self._source, "has_labels", False)
        with (
            watched(self._source, _total(found), progress) as tick,
            closing(
                messages_of(
                    self._source, found, "headers", tick, fields=tuple(columns), keep_gone=keep_gone
                )
            ) as records,
        ):
            frame = frames.headers_frame(records, self.account, fields=columns, labels=labels)
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
        with (
            watched(self._source, _total(found), progress) as tick,
            closing(messages_of(self._source, found, "recipients", tick)) as records,
        ):
            frame = frames.recipients_frame(records, self.account)
        return in_order_of(criteria, frame)

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
        found = select(self._source, criteria, folder, limit)
        with (
            watched(self._source, _total(found), progress) as tick,
            closing(
                messages_of(self._source, found, "fields", tick, fields=("received",))
            ) as records,
        ):
            frame = frames.hops_frame(records, self.account)
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
        with (
            watched(self._source, _total(found), progress) as tick,
            closing(messages_of(self._source, found, "attachments", tick)) as records,
        ):
            frame = frames.attachments_frame(records, self.account)
        return in_order_of(criteria, frame)

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
        if preview and (html or max_bytes is not None):
            raise QueryError("preview=True reads no text, so html and max_bytes have no meaning.")
        check_count("max_bytes", max_bytes, "bytes")
        found = select(self._source, criteria, folder, limit)
        keep_gone = isinstance(criteria, pd.DataFrame)
        with watched(self._source, _total(found), progress) as tick:
            if preview:
                made = previews_of(self._source, found, tick, keep_gone=keep_gone)
                with closing(made) as previews:
                    frame = frames.previews_frame(previews, self.account)
            else:
                read = texts_of(
                    self._source, found, tick, html=html, max_bytes=max_bytes, keep_gone=keep_gone
                )
                with closing(read) as texts:
                    frame = frames.bodies_frame(texts, self.account, html=html)
        return in_order_of(criteria, frame)

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


def _total(found: Iterable[Selection]) -> int:
    return sum(len(one.uids) for one in found)
