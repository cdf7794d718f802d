"""An IMAP account as a `Source`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mailframe.criteria import NOTHING
from mailframe.exceptions import NotSupportedError
from mailframe.imap.diary import noted
from mailframe.imap.download import read_parts
from mailframe.imap.explain import Rehearsal
from mailframe.imap.folder import list_folders
from mailframe.imap.messages import (
    BATCH,
    READ,
    read_email,
    read_messages,
    read_previews,
)
from mailframe.imap.pool import Pool
from mailframe.imap.search import search
from mailframe.imap.texts import read_texts
from mailframe.imap.watching import watch
from mailframe.source import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from mailframe.criteria import Node
    from mailframe.imap.connection import Connection
    from mailframe.imap.events import Event
    from mailframe.imap.trace import Recorder
    from mailframe.parsing import Email
    from mailframe.records import BodyRecord, Change, Folder, MessageRecord, Step
    from mailframe.source import Piece, What

__all__ = ["ImapSource"]

_Record = TypeVar("_Record")


class ImapSource:
    """Mail on an IMAP server, read under EXAMINE and by ``BODY.PEEK``.

    Parameters
    ----------
    connection
        Logged in. It belongs to the source from now on.
    pool_size
        How many connections there may be at a time.
    """

    def __init__(self, connection: Connection, pool_size: int = 1) -> None:
        self._pool = Pool(connection, pool_size)
        # Not asked of a connection: one that is just being opened again belongs to nobody.
        self._account = connection.account

    def __str__(self) -> str:
        connection = self._pool.first
        how = "TLS" if connection.encrypted else "not encrypted"
        where = f", folder {connection.selected.folder!r}" if connection.selected else ""
        gone = "" if connection.logged_in else ", closed"
        several = f", {len(self._pool)} connections" if len(self._pool) > 1 else ""
        place = f"{connection.host}:{connection.port}"
        return f"{self.account} on {place} ({how}){several}{where}{gone}"

    def __reduce__(self) -> str:
        raise NotSupportedError(
            "A connection cannot be copied or pickled.",
            suggestion="Connect where it is needed: session = mf.connect(...). Frames can be "
            "pickled.",
        )

    @property
    def account(self) -> str:
        """The user name, with the host where it has no ``@``."""
        return self._account

    @property
    def recorder(self) -> Recorder:
        """What keeps the dialogue of all connections."""
        return self._pool.first.recorder

    @contextmanager
    def listening(self, listener: Callable[[Event], object]) -> Iterator[None]:
        """Tell a function, within a ``with`` block, what happens to the connections."""
        self._pool.listeners.append(listener)
        try:
            yield
        finally:
            self._pool.listeners.remove(listener)

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server announced after login, sorted."""
        return tuple(sorted(self._pool.first.capabilities))

    def folders(self, *, status: bool = True) -> list[Folder]:
        """List the folders (LIST, and STATUS for the counts)."""
        with (
            noted(self.recorder, "listed the folders", "folder") as note,
            self._pool.lend() as connection,
        ):
            found = list_folders(connection, status=status)
            note.count = len(found)
        return found

    def search(self, folder: str, criteria: Node, limit: int | None = None) -> Selection:
        """Open the folder and find messages (SEARCH)."""
        return self.search_each([folder], criteria, limit)[0]

    def search_each(
        self, folders: Sequence[str], criteria: Node, limit: int | None = None
    ) -> list[Selection]:
        """Search several folders, side by side over the connections."""

        def find(connection: Connection, folder: str) -> Selection:
            opened = connection.select(folder)
            uids: list[int] = []
            if opened.exists and criteria != NOTHING:
                uids = search(connection, criteria, limit)
            return Selection(opened.folder, opened.uidvalidity, tuple(uids))

        if not folders:
            return []
        # Over several connections the last ones first: then the first ones are open, each on its
        # own, when it comes to reading. Those of a frame's messages are only opened.
        step = 1 if self._pool.is_alone else -1
        deed, thing = ("opened", "") if criteria == NOTHING else ("searched", "message")
        with (
            noted(self.recorder, f"{deed} {_named(folders)}", thing) as note,
            closing(self._pool.spread(folders[::step], find, folder_of=str)) as each,
        ):
            found = list(each)[::step]
            note.count = sum(len(one.uids) for one in found)
        return found

    @property
    def has_labels(self) -> bool:
        """Whether messages have Gmail's labels and threads."""
        return self._pool.first.offers("X-GM-EXT-1")

    def headers(
        self, selection: Selection, what: What = "headers", fields: Sequence[str] = ()
    ) -> Generator[MessageRecord]:
        """Read headers and structures (FETCH)."""
        with closing(self.headers_each([selection], what, fields)) as each:
            for _, records in each:
                yield from records

    def headers_each(
        self, selections: Sequence[Selection], what: What = "headers", fields: Sequence[str] = ()
    ) -> Generator[tuple[int, list[MessageRecord]]]:
        """Read those of several folders, side by side: the selection's place, and some records."""
        gmail = what in {"headers", "brief"} and self.has_labels

        def read(connection: Connection, uids: Sequence[int]) -> Iterator[MessageRecord]:
            return read_messages(connection, uids, gmail=gmail, fields=fields, **READ[what])

        return self._read_each(selections, read, what)

    def parts(
        self, selection: Selection, *, html: bool = False, max_bytes: int | None = None
    ) -> Generator[BodyRecord]:
        """Read the text parts (FETCH)."""
        with closing(self.parts_each([selection], html=html, max_bytes=max_bytes)) as each:
            for _, records in each:
                yield from records

    def parts_each(
        self, selections: Sequence[Selection], *, html: bool = False, max_bytes: int | None = None
    ) -> Generator[tuple[int, list[BodyRecord]]]:
        """Read those of several folders, side by side: the selection's place, and some records."""
        read = partial(read_texts, html=html, max_bytes=max_bytes)
        return self._read_each(selections, read, "texts")

    def previews(self, selection: Selection) -> Generator[tuple[int, str | None]] | None:
        """Read the server's own previews (RFC 8970); None where it makes none."""
        if not self._pool.first.offers("PREVIEW"):
            return None
        found = self._read_each([selection], read_previews, "previews")
        return (preview for _, previews in found for preview in previews)

    def message(self, folder: str, uid: int) -> Email:
        """Read one whole message (FETCH)."""
        with (
            noted(self.recorder, f"read message {uid} of {folder!r}", "message") as note,
            self._pool.lend(folder) as connection,
        ):
            connection.select(folder)
            email = read_email(connection, uid)
            note.count = 1
        return email

    def contents(
        self, folder: str, uidvalidity: int, wanted: Sequence[tuple[int, str]]
    ) -> Generator[Piece]:
        """Read parts, decoded (FETCH in ranges)."""
        with (
            noted(self.recorder, f"downloaded from {folder!r}", "part") as note,
            self._pool.lend(folder) as connection,
        ):
            connection.return_to(folder, uidvalidity)
            with closing(read_parts(connection, wanted)) as pieces:
                for piece in pieces:
                    note.count += piece.last
                    yield piece

    def watch(
        self, folder: str, *, uidvalidity: int | None = None, **options: Any
    ) -> Generator[list[Change]]:
        """Wait for what happens in a folder, on a connection for this alone (IDLE).

        ``options`` are those of `watching.watch`.
        """
        with (
            noted(self.recorder, f"watched {folder!r}", "message") as note,
            self._pool.apart() as connection,
            closing(
                watch(connection, folder, uidvalidity=uidvalidity, gmail=self.has_labels, **options)
            ) as changes,
        ):
            for found in changes:
                note.count += len(found)
                yield found

    def explain(
        self,
        what: str,
        folders: Sequence[str],
        criteria: Node,
        selections: Sequence[Selection] | None,
        limit: int | None,
    ) -> list[Step]:
        """Say what reading would send: of folders and criteria, or of selections."""
        plan = Rehearsal(self._pool.first, what)
        if selections is None:
            plan.read_folders(folders, criteria, limit)
        else:
            plan.read_selections(selections)
        return plan.steps

    def close(self) -> None:
        """Log out."""
        self._pool.close()

    def _read_each(
        self,
        selections: Sequence[Selection],
        read: Callable[[Connection, Sequence[int]], Iterator[_Record]],
        what: str,
    ) -> Generator[tuple[int, list[_Record]]]:
        """Read batch by batch, each finished before its records are handed out.

        So no connection is kept by whoever takes the records, and takes his time.
        """

        def read_batch(connection: Connection, batch: _Batch) -> tuple[int, list[_Record]]:
            connection.return_to(batch.folder, batch.uidvalidity)
            return batch.place, list(read(connection, batch.uids))

        folders = [one.folder for one in selections if one.uids]
        if not folders:
            return
        with noted(self.recorder, f"read {what} of {_named(folders)}", "message") as note:
            batches = self._pool.spread(_batches(selections), read_batch, _folder_of)
            with closing(batches):
                for place, records in batches:
                    note.count += len(records)
                    yield place, records


class _Batch(NamedTuple):
    """Messages that are read together."""

    place: int
    folder: str
    uidvalidity: int
    uids: Sequence[int]


def _batches(selections: Sequence[Selection]) -> Iterator[_Batch]:
    for place, one in enumerate(selections):
        for start in range(0, len(one.uids), BATCH):
            yield _Batch(place, one.folder, one.uidvalidity, one.uids[start : start + BATCH])


def _named(folders: Sequence[str]) -> str:
    first, *more = dict.fromkeys(folders)
    return f"{first!r} and {len(more)} more folders" if more else repr(first)


def _folder_of(batch: _Batch) -> str:
    return batch.folder
