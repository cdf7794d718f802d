"""A file that is read by place; a compressed one by way of a temporary file."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import logging
import lzma
import os
import stat
import tempfile
import threading
import weakref
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO, TypeAlias

from mailframe.exceptions import MailFileError, UidValidityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = [
    "Handle",
    "Signature",
    "answers",
    "beginning",
    "compression",
    "open_regular",
    "unpacked_beginning",
    "validity",
]

log = logging.getLogger(__name__)

_Unpacked: TypeAlias = "gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile"

#: Size and time: a file with another one is another file.
Signature = tuple[int, int]

#: Bytes copied at a time.
BLOCK = 4 << 20

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


def open_regular(path: Path | str) -> BinaryIO:
    """Open a file, and nothing else: a pipe would wait for a writer, a device have no end.

    Parameters
    ----------
    path
        Of the file; a link to one will do.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 a descriptor


def answers(question: Callable[[], bool], path: Path | str) -> bool:
    """Ask what an entry of a folder is: no link in a loop, nor what may not be seen, is anything.

    Parameters
    ----------
    question
        Such as ``entry.is_file``.
    path
        Of the entry, for the log.
    """
    try:
        return question()
    except OSError as error:
        log.warning("%s", unreadable(path, error))
        return False


def compression(head: bytes) -> str | None:
    """Name the compression of a file by its first bytes; None for none."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def beginning(path: Path | str, length: int) -> bytes:
    """Read the beginning of a file, as it is.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open_regular(path) as file:
        return _read_all(file, length)


def unpacked_beginning(path: Path | str, length: int) -> bytes:
    """Read the beginning of a compressed file, unpacked, down to where it is damaged.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open_regular(path) as file:
        packing = compression(_read_all(file, 8))
        file.seek(0)
        if packing is None:
            return _read_all(file, length)
        found = b""
        with _unpacker(file, packing) as unpacked:
            while len(found) < length and (block := _next_block(unpacked, length - len(found))[0]):
                found += block
        return found


def validity(path: Path | str, facts: Iterable[object]) -> int:
    """Make a UIDVALIDITY: a number that changes with any of the facts (RFC 3501 2.3.1.1).

    Parameters
    ----------
    path
        Of what is numbered.
    facts
        Whatever would give messages other numbers.
    """
    digest = hashlib.blake2b(os.fsencode(path), digest_size=4)
    for fact in facts:
        digest.update(b"\0" + str(fact).encode("utf-8", "surrogateescape"))
    return int.from_bytes(digest.digest(), "big") & 0x7FFFFFFF or 1


class Handle:
    """A file that is read by place.

    A compressed file has no places: it is unpacked into a temporary file that nobody else can
    read, and that goes with the handle. Where the disk is small, ``TMPDIR`` says where it lies.

    Parameters
    ----------
    path
        Of the file.

    Attributes
    ----------
    size
        In bytes, unpacked.
    signature
        Of the file itself, when it was opened.
    damage
        What is wrong with a compressed file, in a few words; it has what came before.

    Raises
    ------
    MailFileError
        If it cannot be opened, or there is no space to unpack it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: tuple[str, ...] = ()
        self._lock = threading.Lock()
        try:
            file = open_regular(path)
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            self.signature = _signature(os.fstat(file.fileno()))
            packing = compression(_read_all(file, 8))
        except OSError as error:
            file.close()
            raise unreadable(path, error) from error
        if packing is not None:
            with file:
                file = self._unpacked(file, packing)
        self._file = file
        self._is_spool = packing is not None
        self.size = os.fstat(file.fileno()).st_size
        weakref.finalize(self, file.close)

    def read(self, start: int, end: int) -> bytes:
        """Read from one place up to another.

        Parameters
        ----------
        start, end
            In bytes.

        Raises
        ------
        UidValidityError
            If the file is not what it was any more.
        MailFileError
            If it was closed.
        """
        with self._lock:
            if self._file.closed:
                raise self._closed()
            if not self._is_spool and _signature(os.fstat(self._file.fileno())) != self.signature:
                raise changed(self.path)
            self._file.seek(start)
            return _read_all(self._file, min(end, self.size) - start)

    def is_current(self) -> bool:
        """Say whether the file that has this name now is the one that was opened.

        Raises
        ------
        MailFileError
            If there is none any more.
        """
        try:
            return _signature(self.path.stat()) == self.signature
        except OSError as error:
            raise unreadable(self.path, error) from error

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        with self._lock:
            self._file.close()

    def _closed(self) -> MailFileError | UidValidityError:
        """Say why the file was closed: it is closed with the session, or when it has changed."""
        if not self.is_current():
            return changed(self.path)
        return MailFileError(
            f"{self.path} was closed while it was being read.", suggestion="Open it again."
        )

    def _unpacked(self, file: BinaryIO, packing: str) -> BinaryIO:
        try:
            # Without a name where the system can do that, else one that its owner alone can read.
            spool = tempfile.TemporaryFile(prefix="mailframe-", buffering=0)  # noqa: SIM115 kept
            try:
                file.seek(0)
                with _unpacker(file, packing) as unpacked:
                    block, problem = _next_block(unpacked, BLOCK)
                    while block:
                        _write_all(spool, block)
                        block, problem = _next_block(unpacked, BLOCK)
            except BaseException:
                spool.close()
                raise
        except OSError as error:
            raise MailFileError(
                f"Could not unpack {self.path} into a temporary file.",
                reply=error.strerror or str(error),
                suggestion="Set TMPDIR to a folder with more space, or unpack the file yourself.",
            ) from error
        if problem:
            self.damage = (f"cut off: the {packing} file {problem}",)
            log.warning("%s: the %s file %s", self.path, packing, problem)
        return spool


def _next_block(unpacked: _Unpacked, length: int) -> tuple[bytes, str]:
    """Give the next bytes, and what is wrong; none at the end, and at the damage."""
    try:
        # A longer read would lose what it has when the damage comes.
        return unpacked.read1(length), ""
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, ValueError) as error:
        return b"", "ends early" if isinstance(error, EOFError) else f"is damaged: {error}"
    except OSError as error:
        if error.errno is not None:  # of the system; bz2 has none for damage
            raise
        return b"", f"is damaged: {error}"


def changed(path: Path) -> UidValidityError:
    """Say that a file is not what it was any more."""
    return UidValidityError(f"{path} has changed while it was being read.")


def unreadable(path: Path | str, error: OSError) -> MailFileError:
    """Say in words that a file cannot be read."""
    return MailFileError(f"Could not read {path}.", reply=error.strerror or str(error))


def _unpacker(file: BinaryIO, packing: str) -> _Unpacked:
    if packing == "gzip":
        return gzip.GzipFile(fileobj=file)
    return bz2.BZ2File(file) if packing == "bzip2" else lzma.LZMAFile(file)


def _signature(status: os.stat_result) -> Signature:
    return status.st_size, status.st_mtime_ns


def _read_all(file: BinaryIO, length: int) -> bytes:
    """Read so many bytes; fewer only at the end."""
    if length <= 0:
        return b""
    found = file.read(length)
    while len(found) < length and (more := file.read(length - len(found))):
        found += more  # a system call reads 2 GB at most
    return found


def _write_all(file: IO[bytes], block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]
