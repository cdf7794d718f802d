"""A file of many messages: mbox (RFC 4155 and its older kin), compressed or not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailframe.files.handle import Handle, validity
from mailframe.files.marks import has_gmail_fields
from mailframe.files.scan import scan
from mailframe.files.separators import LONGEST_LINE, line_date
from mailframe.files.stored import Stored, header_end, size_with_crlf

if TYPE_CHECKING:
    import re
    from datetime import datetime
    from pathlib import Path

    from mailframe.files.scan import Index

__all__ = ["Mbox"]

log = logging.getLogger(__name__)

#: Messages whose headers are looked at to learn whether the file comes from Gmail's export.
_SAMPLE = 5


class Mbox:
    """The messages of an mbox file. It is read once to find them; each is read when asked for.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    MailFileError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = Handle(path)
        self._index: Index = scan(self._file)
        self.uidvalidity = validity(path, self._file.signature)
        sample = range(1, min(len(self), _SAMPLE) + 1)
        self.has_labels = any(has_gmail_fields(self[uid].header) for uid in sample)
        _tell(path, self._index)
        log.info("%s: %d messages in %d bytes", path, len(self), self._file.size)

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, uid: int) -> _MboxMessage:
        if not 1 <= uid <= len(self):
            raise IndexError(uid)
        return _MboxMessage(self._file, self._index, uid)

    def current(self) -> Mbox:
        """Return this as long as the file stays what it was, else read it again."""
        if self._file.is_current():
            return self
        self.close()
        return Mbox(self._file.path)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _tell(path: Path, index: Index) -> None:
    """Log what is wrong, each defect once: a program that does it so does it in every message."""
    numbers: dict[str, list[int]] = {}
    for number, notes in index.notes.items():
        for words in notes:
            numbers.setdefault(words, []).append(number + 1)
    for words, (first, *others) in numbers.items():
        more = f" and {len(others)} more" if others else ""
        log.warning("%s, message %d%s: %s", path, first, more, words)


class _MboxMessage(Stored):
    """One message of an mbox."""

    def __init__(self, file: Handle, index: Index, uid: int) -> None:
        super().__init__(uid, index.notes.get(uid - 1, ()))
        self._file = file
        self._index = index

    @property
    def internal_date(self) -> datetime | None:
        """What the ``From`` line says, read as UTC unless it names a zone.

        Programs that do not know it write the first second of 1970: that is none.
        """
        line, start = self._index.lines[self.uid - 1], self._index.starts[self.uid - 1]
        if start == line:
            return None
        said = self._file.read(line, min(start, line + LONGEST_LINE)).rstrip(b"\r\n")
        moment = line_date(said)
        return moment if moment and moment.timestamp() else None

    @property
    def size(self) -> int | None:
        """RFC822.SIZE, counted when the file was read."""
        if self._index.quoted[self.uid - 1]:
            return size_with_crlf(self.raw)
        return self._length + self._index.breaks[self.uid - 1]

    @property
    def _length(self) -> int:
        return self._index.ends[self.uid - 1] - self._index.starts[self.uid - 1]

    def _read(self, length: int) -> bytes:
        start = self._index.starts[self.uid - 1]
        return self._file.read(start, min(start + length, self._index.ends[self.uid - 1]))

    def _decoded(self, whole: bytes) -> bytes:
        quoted: re.Pattern[bytes] | None = self._index.quoting.value
        if quoted is None or not self._index.quoted[self.uid - 1]:
            return whole
        end = max(header_end(whole), 0)
        return whole[:end] + quoted.sub(rb"\1", whole[end:])
