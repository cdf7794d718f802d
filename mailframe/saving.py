"""Files written whole or not at all, under names made safe.

A name in a mail is the sender's choice, and a download can end at any byte. So names pass through
`safe_name`, and content goes to a temporary file beside its place (``.mailframe-….part``) that gets
its name only when it is complete. What a killed process leaves is such a file, to be deleted.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from mailframe.exceptions import SaveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

__all__ = ["Destination", "Unfinished", "make_folder", "safe_name", "write_file"]

#: In UTF-8. File systems take 255: room is left for " (10000)".
_LONGEST_NAME = 200
_LONGEST_EXTENSION = 20
#: In characters, from either end. Normalising takes quadratic time: 80,000 accents, 5 seconds.
_WORTH_READING = 1_000

# Windows drops dots and blanks at the end; a dot at the start hides a file elsewhere.
_EDGES = (
    ". \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
# Not on Windows; there, a colon would also address a file's alternate stream.
_ILLEGAL = frozenset('<>:"/\\|?*')
_UNPRINTABLE = frozenset({"Cc", "Zl", "Zp", "Cs"})
# Devices, in every folder of a Windows machine, whatever the extension.
_RESERVED = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\.|\Z)", re.IGNORECASE
)
_EXTENSION = re.compile(r"(?:\.tar)?\.[^.\s]+\Z", re.IGNORECASE)

#: Opens a file that nobody else has, a link's target included.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NEW |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_RENAME_NEVER_REPLACES = os.name == "nt"

_SUGGESTIONS = {
    errno.ENOSPC: "Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Your share of the disk is used up: delete something, or choose another disk.",
    errno.EFBIG: "Files of that size are not allowed there: choose a folder on another disk.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "That disk can only be read: choose a folder on another one.",
    errno.ENOENT: "There is no such folder: check its name, or make it first.",
    errno.ENOTDIR: "A part of the path is a file: choose another folder.",
    errno.EISDIR: "A folder has that name: name a file inside it, or choose another name.",
    errno.EEXIST: "Choose another name, or replace what is there with overwrite=True.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def safe_name(name: str | None, fallback: str) -> str:
    r"""Make a file name that every file system takes, and that stays in its folder.

    Parameters
    ----------
    name
        As a mail tells it: with paths, control characters or anything else in it.
    fallback
        Taken if nothing is left of the name; made safe as well.

    Returns
    -------
    str
        At most 200 bytes in UTF-8, in Unicode's form NFC, never empty. Separators and what Windows
        forbids are ``_``; format characters are removed (with U+202E, ``exe`` looks like ``pdf``);
        a device's name such as ``CON`` gets a leading ``_``. The extension outlives the cut.

    Examples
    --------
    >>> safe_name("../../etc/passwd", "part-2")
    'etc_passwd'
    >>> safe_name("Angebot: 50 % Rabatt?.pdf", "part-2")
    'Angebot_ 50 % Rabatt_.pdf'
    >>> safe_name("invoice\u202efdp.exe", "part-2")
    'invoicefdp.exe'
    >>> safe_name(" .. ", "part-2")
    'part-2'
    """
    return _clean(name or "") or _clean(fallback) or "attachment"


class Unfinished:
    """A file being written, which has no name yet; made by `Destination.begin`.

    As a context manager it discards itself unless it was finished.

    Parameters
    ----------
    folder
        Where its content is collected.
    tried
        What to say if it fails, as a sentence.
    place
        Moves the complete file, whose path it gets, and returns where to.

    Raises
    ------
    SaveError
        If no file can be made in the folder.
    """

    __slots__ = ("_file", "_place", "_temporary", "_tried")

    def __init__(self, folder: Path, tried: str, place: Callable[[Path], Path]) -> None:
        self._tried = tried
        self._place = place
        self._temporary = folder / f".mailframe-{os.urandom(16).hex()}.part"
        with _reported(tried):
            # Not tempfile: its files are for their owner alone, whatever the umask allows.
            self._file = os.fdopen(os.open(self._temporary, _NEW, 0o666), "wb")

    def write(self, data: bytes) -> None:
        """Append to the content.

        Parameters
        ----------
        data
            Of any length.

        Raises
        ------
        SaveError
            If it cannot be written. The file is discarded then.
        ValueError
            If the file was finished or discarded before.
        """
        with self._whole_or_not_at_all():
            self._file.write(data)

    def finish(self) -> Path:
        """Give the file its name.

        Returns
        -------
        Path
            Where it is now.

        Raises
        ------
        SaveError
            If it cannot be completed or moved. It is discarded then.
        ValueError
            If the file was finished or discarded before.
        """
        with self._whole_or_not_at_all():
            self._file.flush()
            self._file.close()  # some network file systems report a full disk only here
            return self._place(self._temporary)

    def discard(self) -> None:
        """Delete what was written; do nothing if the file was finished or discarded before.

        Raises
        ------
        SaveError
            If it cannot be deleted.
        """
        with _reported(f"Could not delete the unfinished file {str(self._temporary)!r}."):
            self._delete()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()

    @contextmanager
    def _whole_or_not_at_all(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # the first error is the one to report
                self._delete()
            raise _save_error(self._tried, error) from error

    def _delete(self) -> None:
        with suppress(OSError):  # closing writes what is buffered, which nobody wants any more
            self._file.close()
        self._temporary.unlink(missing_ok=True)


class Destination:
    """A folder that the files of one download are saved to.

    A name that is taken becomes ``name (2).pdf``, ``name (3).pdf``, … Names that differ in case or
    Unicode form only count as the same, since on many file systems they are. Not to be shared by
    threads.

    Parameters
    ----------
    folder
        Made if it is missing, with its parents.
    overwrite
        Replace files that are there already, a link itself rather than what it points to. Folders
        are left alone, and files of the same download never replace each other.

    Raises
    ------
    SaveError
        If the folder cannot be made or read, or is a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     destination = Destination(folder)
    ...     for content in (b"one", b"two"):
    ...         with destination.begin("../report.pdf") as file:
    ...             file.write(content)
    ...             print(file.finish().name)
    report.pdf
    report (2).pdf
    """

    __slots__ = ("_next", "_old", "_taken", "folder")

    def __init__(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.folder = make_folder(folder)
        self._taken: set[str] = set()
        #: Spellings of the files to replace. One key has two where the file system knows case.
        self._old: dict[str, set[str]] = {}
        #: The number to try next. Counting from 2 for every file would be quadratic.
        self._next: dict[str, int] = {}
        tried = f"Could not save to the folder {str(self.folder)!r}."
        with _reported(tried), os.scandir(self.folder) as entries:
            for entry in entries:
                key = _key(entry.name)
                self._taken.add(key)
                if overwrite and not entry.is_dir(follow_symlinks=False):
                    self._old.setdefault(key, set()).add(entry.name)

    def begin(self, name: str) -> Unfinished:
        """Begin a file.

        Parameters
        ----------
        name
            What it is to be called when it is finished; `safe_name` is applied.

        Raises
        ------
        SaveError
            If no file can be made in the folder.
        """
        name = safe_name(name, "attachment")
        tried = f"Could not save {name!r} in the folder {str(self.folder)!r}."
        return Unfinished(self.folder, tried, partial(self._place, name))

    def _place(self, name: str, temporary: Path) -> Path:
        """Move a complete file to the first free name."""
        key = _key(name)
        stem, extension = _split(name)
        number = self._next.get(key, 1)
        while True:
            numbered = f"{stem} ({number}){extension}" if number > 1 else name
            final = self._move(temporary, numbered)
            number += 1
            if final is not None:
                self._next[key] = number
                return final

    def _move(self, temporary: Path, name: str) -> Path | None:
        """Move a complete file to a name, unless that is taken."""
        key = _key(name)
        old = self._old.get(key)
        if old is None and key in self._taken:
            return None
        final: Path | None
        try:
            if old is None:
                final = self.folder / name
                _move_to_new(temporary, final)
            else:
                final = temporary.replace(self.folder / (name if name in old else min(old)))
        except (FileExistsError, IsADirectoryError):
            final = None  # made by somebody else since the folder was read
        self._taken.add(key)
        self._old.pop(key, None)
        return final


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, with its parents, unless it is there.

    Parameters
    ----------
    path
        Of the folder.

    Raises
    ------
    SaveError
        If it cannot be made, or is a file.
    """
    folder = Path(path)
    tried = f"Could not save to the folder {str(folder)!r}."
    with _reported(tried):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            suggestion = "A file has that name: choose another folder."
            raise _save_error(tried, error, suggestion) from error
    return folder


def write_file(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = False) -> Path:
    """Write a file, whole or not at all, under exactly the path given.

    Parameters
    ----------
    path
        In a folder that exists.
    content
        All of it.
    overwrite
        Replace a file that is there already; a link is replaced itself, not what it points to.

    Returns
    -------
    Path
        The path given.

    Raises
    ------
    SaveError
        If something has that name already, the folder is missing, or writing fails.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(f"{folder}/mail.eml", b"Subject: Hello").read_bytes()
    b'Subject: Hello'
    """
    path = Path(path)
    tried = f"Could not write the file {str(path)!r}."

    def place(temporary: Path) -> Path:
        if overwrite:
            return temporary.replace(path)
        _move_to_new(temporary, path)
        return path

    with _reported(tried):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        with Unfinished(path.parent, tried, place) as file:
            file.write(content)
            return file.finish()


def _clean(name: str) -> str:
    """Apply the rules of `safe_name`; nothing may be left."""
    if len(name) > 2 * _WORTH_READING:
        name = name[:_WORTH_READING] + name[-_WORTH_READING:]
    name = "".join(char for char in name if category(char) != "Cf").strip()
    # Without the way to a file, "../../x" is "x". A "_" of the name itself stays: "__init__.py".
    name = normalize("NFC", name).lstrip(_EDGES + "/\\")
    name = "".join(
        "_" if char in _ILLEGAL or category(char) in _UNPRINTABLE else char for char in name
    )
    name = _cut(name.rstrip(_EDGES), _LONGEST_NAME)
    # Asked last: cutting can lay bare a device's name.
    return "_" + _cut(name, _LONGEST_NAME - 1) if _RESERVED.match(name) else name


def _cut(name: str, limit: int) -> str:
    """Shorten a name to a number of bytes, from the end of its stem."""
    if len(name.encode()) <= limit:
        return name
    stem, extension = _split(name)
    room = limit - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(_EDGES) + extension


def _split(name: str) -> tuple[str, str]:
    """Split a safe name into stem and extension; what is long or has blanks is no extension."""
    found = _EXTENSION.search(name)
    if found is None or len(found[0].encode()) > _LONGEST_EXTENSION:
        return name, ""
    return name[: found.start()], found[0]


def _key(name: str) -> str:
    """Return what two names share if a file system may take them for one (Unicode D145)."""
    return normalize("NFD", normalize("NFD", name).casefold())


def _move_to_new(temporary: Path, final: Path) -> None:
    """Move a file to a name that nobody has; FileExistsError if somebody does, even since now."""
    if _RENAME_NEVER_REPLACES:
        temporary.rename(final)
        return
    try:
        os.link(temporary, final)
    except (AttributeError, OSError):
        # FAT, some network file systems and phones have no hard links, and no two agree on how to
        # say so. An empty file reserves the name there. If something else is wrong, or the name is
        # taken, making it fails as well, and says why.
        os.close(os.open(final, _NEW, 0o600))
        try:
            temporary.replace(final)
        except BaseException:
            final.unlink()
            raise
    else:
        temporary.unlink()


@contextmanager
def _reported(tried: str) -> Iterator[None]:
    """Turn what the operating system says into a SaveError."""
    try:
        yield
    except SaveError:  # is an OSError, too
        raise
    except (OSError, ValueError) as error:  # ValueError: NUL or half a character in a path
        raise _save_error(tried, error) from error


def _save_error(tried: str, error: OSError | ValueError, suggestion: str = "") -> SaveError:
    words = getattr(error, "strerror", None) or str(error)
    suggestion = suggestion or _SUGGESTIONS.get(getattr(error, "errno", None) or 0, "")
    return SaveError(tried, reply=words, suggestion=suggestion)
