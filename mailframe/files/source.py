"""Mail in files as a `Source`."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mailframe.cancellation import check_cancelled
from mailframe.criteria import ALL, NOTHING, Mailbox, matches, supported
from mailframe.exceptions import (
    FolderError,
    MailFileError,
    MessageNotFoundError,
    UidValidityError,
)
from mailframe.files.reading import body_of, message_of
from mailframe.files.searchable import Searchable
from mailframe.files.stored import Gone
from mailframe.files.tree import DELIMITER, INBOX, find_folders, role_of
from mailframe.parsing import ContentDecoder, find_part, parse_email, parse_structure
from mailframe.records import Folder
from mailframe.source import Piece, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from mailframe.criteria import Node
    from mailframe.files.stored import Box, Stored
    from mailframe.parsing import Email
    from mailframe.records import BodyRecord, MessageRecord, Part
    from mailframe.source import What

__all__ = ["FileSource"]

log = logging.getLogger(__name__)

#: Folders kept open; each mbox holds a file. One that is needed again is read again.
MOST_OPEN = 64
#: Bytes of a part decoded at a time.
PIECE = 512 << 10
_NAMED = 12

_T = TypeVar("_T")


class FileSource:
    """Mail in files: an mbox, a Maildir, messages, or a folder of these.

    What is there is found by looking. Files are opened for reading only, and read when they are
    asked about; a file that changes is read again, under another UIDVALIDITY. A compressed mbox is
    unpacked into a temporary file, which `close` removes.

    Parameters
    ----------
    path
        Of a file or a folder; ``~`` is the home folder.

    Raises
    ------
    MailFileError
        If there is no mail, or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if isinstance(path, str) and not path:  # which would be the folder one happens to be in
            raise MailFileError("The path is empty.", suggestion='Name it: "." is this folder.')
        try:
            self._path = Path(path).expanduser().resolve()
        # None or bytes; no home, links in a loop, a NUL.
        except (TypeError, OSError, RuntimeError, ValueError) as error:
            given = str(path) if isinstance(path, os.PathLike) else path
            raise MailFileError(f"{given!r} is no path: {str(error).rstrip('.')}.") from error
        self._folders = find_folders(self._path)
        self._boxes: dict[str, Box] = {}
        self._labelled: set[str] = set()  # folders seen to have labels
        self._is_closed = False
        self._lock = threading.RLock()  # one thread reads a folder, the others wait for it

    def __str__(self) -> str:
        count = len(self._folders)
        folders = f"{count} folders" if count > 1 else "1 folder"
        return f"{self.account} ({folders}{', closed' if self._is_closed else ''})"

    @property
    def account(self) -> str:
        """The whole path: two files of one name are not one account."""
        return os.fsencode(self._path).decode("utf-8", "replace")

    @property
    def has_labels(self) -> bool:
        """Whether messages have Gmail's labels and threads: those of Takeout have."""
        return bool(self._labelled)

    def folders(self, *, status: bool = True) -> list[Folder]:
        """List the folders; their counts are read from the messages."""
        self._check_open()
        taken: set[str] = set()
        listed = []
        for name in self._folders:
            role = role_of(name)
            if role in taken or name == INBOX:
                role = None
            taken |= {role} if role else set()
            folder = Folder(name, DELIMITER, role, ())
            listed.append(self._counted(folder) if status else folder)
        return listed

    def search(self, folder: str, criteria: Node, limit: int | None = None) -> Selection:
        """Find messages: the last of the file first."""
        name = self._name_of(folder)
        supported(criteria)  # before a large file is read for nothing
        box = self._current(name)
        supported(criteria, has_labels=box.has_labels)
        found: list[int] = []
        if criteria == ALL:
            found = list(range(len(box), 0, -1)[:limit])
        elif criteria != NOTHING:
            mailbox = Mailbox(len(box), len(box), datetime.now(UTC))
            for uid in range(len(box), 0, -1):
                check_cancelled()
                if limit is not None and len(found) >= limit:
                    break
                if _is_match(box, uid, criteria, mailbox):
                    found.append(uid)
        return Selection(name, box.uidvalidity, tuple(found))

    def headers(
        self, selection: Selection, what: What = "headers", fields: Sequence[str] = ()
    ) -> Generator[MessageRecord]:
        """Read headers, and whole messages where they may have attachments."""
        box = self._box_of(selection.folder, selection.uidvalidity)
        where = (self.account, selection.folder, selection.uidvalidity)
        return _each(box, selection.uids, lambda one: message_of(one, where, what, fields))

    def parts(
        self, selection: Selection, *, html: bool = False, max_bytes: int | None = None
    ) -> Generator[BodyRecord]:
        """Read the text parts."""
        box = self._box_of(selection.folder, selection.uidvalidity)
        where = (self.account, selection.folder, selection.uidvalidity)
        return _each(
            box, selection.uids, lambda one: body_of(one, where, html=html, max_bytes=max_bytes)
        )

    def message(self, folder: str, uid: int) -> Email:
        """Read one whole message."""
        name = self._name_of(folder)

        def read(stored: Stored) -> Email:
            email = parse_email(stored.raw, uid=uid, folder=name, flags=stored.flags)
            return replace(email, defects=(*stored.defects, *email.defects))

        for email in _each(self._current(name), (uid,), read):
            return email
        raise MessageNotFoundError(f"No message in {name!r} has the UID {uid}.")

    def contents(
        self, folder: str, uidvalidity: int, wanted: Sequence[tuple[int, str]]
    ) -> Generator[Piece]:
        """Read parts, decoded."""
        box = self._box_of(folder, uidvalidity)
        return _pieces(box, wanted)

    def close(self) -> None:
        """Let go of the files, and remove temporary ones; a second call does nothing."""
        self._is_closed = True
        with self._lock:
            while self._boxes:
                self._boxes.popitem()[1].close()

    def _name_of(self, folder: str) -> str:
        """Return the name of a folder; where none is called INBOX, the one that stands for it."""
        if folder in self._folders:
            return folder
        if folder.upper() == INBOX:
            inboxes = [n for n in self._folders if n.upper().endswith(f"{DELIMITER}{INBOX}")]
            if len(inboxes) == 1:
                return inboxes[0]
            if len(self._folders) == 1:
                return next(iter(self._folders))
        names = [repr(name) for name in self._folders]
        more = ", …" if len(names) > _NAMED else ""
        raise FolderError(
            f"There is no folder {folder!r} in {self.account}.",
            suggestion=f'Name one with folder=, or take all of them with folder="*". '
            f"There are {', '.join(names[:_NAMED])}{more}.",
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise MailFileError(
                f"The session on {self.account} is closed.", suggestion="Open the files again."
            )

    def _current(self, name: str) -> Box:
        """Return the messages of a folder as they are now."""
        with self._lock:
            self._check_open()
            box = self._boxes.pop(name, None)
            box = self._folders[name]() if box is None else box.current()
            self._boxes[name] = box
            if box.has_labels:
                self._labelled.add(name)
            if len(self._boxes) > MOST_OPEN:
                self._boxes.pop(next(iter(self._boxes))).close()
            return box

    def _box_of(self, folder: str, uidvalidity: int) -> Box:
        """Return the messages that were selected."""
        name = self._name_of(folder)
        box = self._current(name)
        if box.uidvalidity != uidvalidity:
            raise UidValidityError(
                f"{name!r} in {self.account} has changed since these messages were found.",
                suggestion="Search again: its messages have other numbers now.",
            )
        return box

    def _counted(self, folder: Folder) -> Folder:
        """Count the messages of a folder."""
        unseen = size = 0
        try:
            box = self._current(folder.name)
            every = range(1, len(box) + 1)
            for flags, length in _each(box, every, lambda one: (one.flags, one.size)):
                unseen += "\\Seen" not in flags
                size += length or 0
        except MailFileError as error:
            log.warning("%s", error)
            return folder
        return replace(
            folder,
            messages=len(box),
            unseen=unseen,
            uidnext=len(box) + 1,
            uidvalidity=box.uidvalidity,
            size=size,
        )


def _each(box: Box, uids: Iterable[int], read: Callable[[Stored], _T]) -> Generator[_T]:
    """Read the messages that are still there; one may go at any moment while it is read."""
    for uid in uids:
        check_cancelled()
        try:
            stored = box[uid]
        except IndexError:
            continue
        try:
            stored.header  # noqa: B018 read first: what has gone shows at once
            found = read(stored)
        except Gone:
            continue
        yield found


def _is_match(box: Box, uid: int, criteria: Node, mailbox: Mailbox) -> bool:
    try:
        stored = box[uid]
        marks = stored.marks if box.has_labels else None
        candidate = Searchable(
            uid,
            uid,
            lambda: stored.raw,
            flags=frozenset(flag.lower() for flag in stored.flags),
            size=lambda: stored.size or 0,
            internal_date=stored.internal_date,
            labels=(marks.labels if marks else None) or (),
            read_header=lambda: stored.header,
        )
        return matches(criteria, candidate, mailbox)
    except Gone:
        return False


def _pieces(box: Box, wanted: Sequence[tuple[int, str]]) -> Generator[Piece]:
    """Decode parts, those of one message one after the other."""
    parsed: tuple[int, Part | None] = (0, None)
    # A message is parsed once, wherever its parts stand.
    for place, (uid, number) in sorted(enumerate(wanted), key=lambda one: one[1][0]):
        if parsed[0] != uid:
            trees = _each(box, (uid,), lambda stored: parse_structure(stored.raw))
            parsed = uid, next(trees, None)
        part = find_part(parsed[1], number) if parsed[1] else None
        if part is None:
            continue
        raw, decoder = part.raw or b"", ContentDecoder(part.encoding)
        for start in range(0, len(raw), PIECE):
            yield Piece(place, decoder.feed(raw[start : start + PIECE]), last=False)
        yield Piece(place, decoder.finish(), last=True)
