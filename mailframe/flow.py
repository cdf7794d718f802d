"""The methods of a session for mail that does not come all at once."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe import kinds
from mailframe.selection import check_folders, field_columns, select
from mailframe.streaming import (
    check_batch,
    cut,
    cut_frame,
    frames_of,
    not_empty,
)
from mailframe.watching import watched_frames

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from mailframe.selection import Criteria, FolderNames
    from mailframe.source import Source
    from mailframe.streaming import Piece

__all__ = ["Flow"]


class Flow:
    """What of `Session` gives frames one after the other: a part of it, not to be made alone."""

    _source: Source

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
        own_text: bool = False,
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
        html, own_text, max_bytes, preview
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
        options = {"html": html, "own_text": own_text, "max_bytes": max_bytes, "preview": preview}
        kind = kinds.kind_of(self._source, what, fields=fields, **options)
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
        own_text: bool = False,
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
        what, fields, html, own_text, max_bytes, preview
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
        from mailframe.datasets import write_dataset  # noqa: PLC0415 pyarrow.parquet takes long

        check_batch(batch)
        options: dict[str, Any]
        options = {"html": html, "own_text": own_text, "max_bytes": max_bytes, "preview": preview}
        kind = kinds.kind_of(self._source, what, fields=fields, **options)
        is_rows = isinstance(criteria, pd.DataFrame | pd.Series | pd.Index)
        return write_dataset(
            path,
            {
                "account": self._source.account,
                "criteria": _named(criteria),
                "what": what,
                "folder": folder if isinstance(folder, str) else list(folder),
                "limit": limit,
                "batch": batch,
                **options,
                "fields": list(field_columns(fields)),
            },
            lambda: self._pieces(criteria, folder, limit, batch),
            lambda pieces: check_folders(self._source, chain.from_iterable(pieces)),
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

    def _pieces(
        self, criteria: Criteria, folder: FolderNames, limit: int | None, size: int
    ) -> list[Piece]:
        found = select(self._source, criteria, folder, limit)
        if isinstance(criteria, pd.DataFrame):
            return cut_frame(criteria, size, self._source.account, limit)
        return cut(found, size)


def _named(criteria: Criteria) -> str:
    if isinstance(criteria, pd.DataFrame | pd.Series | pd.Index):
        return "rows"  # which may change; the messages are compared
    return criteria if isinstance(criteria, str) else repr(criteria)
