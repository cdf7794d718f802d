"""An IMAP account as a `Source`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.criteria import NOTHING
from mailframe.imap.download import read_parts
from mailframe.imap.explain import Rehearsal
from mailframe.imap.folder import list_folders
from mailframe.imap.messages import (
    READ,
    read_email,
    read_messages,
    read_previews,
)
from mailframe.imap.search import search
from mailframe.imap.texts import read_texts
from mailframe.source import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailframe.criteria import Node
    from mailframe.imap.connection import Connection
    from mailframe.parsing import Email
    from mailframe.records import BodyRecord, Folder, MessageRecord, Step
    from mailframe.source import Piece, What

__all__ = ["ImapSource"]


class ImapSource:
    """Mail on an IMAP server, read under EXAMINE and by ``BODY.PEEK``.

    Parameters
    ----------
    connection
        Logged in. It belongs to the source from now on.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __str__(self) -> str:
        connection = self._connection
        how = "TLS" if connection.encrypted else "not encrypted"
        where = f", folder {connection.selected.folder!r}" if connection.selected else ""
        gone = "" if connection.logged_in else ", closed"
        return f"{self.account} on {connection.host}:{connection.port} ({how}){where}{gone}"

    @property
    def account(self) -> str:
        """The user name, with the host where it has no ``@``."""
        return self._connection.account

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server announced after login, sorted."""
        return tuple(sorted(self._connection.capabilities))

    def folders(self, *, status: bool = True) -> list[Folder]:
        """List the folders (LIST, and STATUS for the counts)."""
        return list_folders(self._connection, status=status)

    def search(self, folder: str, criteria: Node, limit: int | None = None) -> Selection:
        """Open the folder and find messages (SEARCH)."""
        opened = self._connection.select(folder)
        uids: list[int] = []
        if opened.exists and criteria != NOTHING:
            uids = search(self._connection, criteria, limit)
        return Selection(opened.folder, opened.uidvalidity, tuple(uids))

    @property
    def has_labels(self) -> bool:
        """Whether messages have Gmail's labels and threads."""
        return self._connection.offers("X-GM-EXT-1")

    def headers(
        self, selection: Selection, what: What = "headers", fields: Sequence[str] = ()
    ) -> Iterator[MessageRecord]:
        """Read headers and structures (FETCH)."""
        self._connection.return_to(selection.folder, selection.uidvalidity)
        return read_messages(
            self._connection,
            selection.uids,
            **READ[what],
            gmail=what == "headers" and self.has_labels,
            fields=fields,
        )

    def parts(
        self, selection: Selection, *, html: bool = False, max_bytes: int | None = None
    ) -> Iterator[BodyRecord]:
        """Read the text parts (FETCH)."""
        self._connection.return_to(selection.folder, selection.uidvalidity)
        return read_texts(self._connection, selection.uids, html=html, max_bytes=max_bytes)

    def previews(self, selection: Selection) -> Iterator[tuple[int, str | None]] | None:
        """Read the server's own previews (RFC 8970); None where it makes none."""
        if not self._connection.offers("PREVIEW"):
            return None
        self._connection.return_to(selection.folder, selection.uidvalidity)
        return read_previews(self._connection, selection.uids)

    def message(self, folder: str, uid: int) -> Email:
        """Read one whole message (FETCH)."""
        self._connection.select(folder)
        return read_email(self._connection, uid)

    def contents(
        self, folder: str, uidvalidity: int, wanted: Sequence[tuple[int, str]]
    ) -> Iterator[Piece]:
        """Read parts, decoded (FETCH in ranges)."""
        self._connection.return_to(folder, uidvalidity)
        return read_parts(self._connection, wanted)

    def explain(
        self,
        what: str,
        folders: Sequence[str],
        criteria: Node,
        selections: Sequence[Selection] | None,
        limit: int | None,
    ) -> list[Step]:
        """Say what reading would send: of folders and criteria, or of selections."""
        plan = Rehearsal(self._connection, what)
        if selections is None:
            plan.read_folders(folders, criteria, limit)
        else:
            plan.read_selections(selections)
        return plan.steps

    def close(self) -> None:
        """Log out."""
        self._connection.close()
