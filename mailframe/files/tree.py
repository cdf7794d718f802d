"""A path -> the folders of mail below it, found by looking into the files.

::

    a file of messages        INBOX
    a Maildir                 INBOX, and its sub-folders ".Sent.2026" as "Sent/2026"
    a folder of .eml files    INBOX, and folders below it by their path
    a folder of mbox files    each by its name: Thunderbird's "Sent.sbd/2026" is "Sent/2026"

Pipes, devices and sockets are passed over, and links to folders are not followed.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.exceptions import MailFileError
from mailframe.files.handle import (
    answers,
    beginning,
    compression,
    unpacked_beginning,
    unreadable,
)
from mailframe.files.looks import LOOKED, Kind, kind_of, separators, words_for
from mailframe.files.maildir import Maildir, natural
from mailframe.files.mbox import Mbox
from mailframe.files.messages import Messages
from mailframe.imap.names import decode_name
from mailframe.roles import ROLES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailframe.files.stored import Box

__all__ = ["DELIMITER", "find_folders", "role_of"]

log = logging.getLogger(__name__)

DELIMITER = "/"
INBOX = "INBOX"
#: Folders within folders; no mail program makes more.
_DEEPEST = 40
#: Of a file in a folder, so many bytes are looked at to see what it is.
_GLANCE = 8 << 10
#: Of a file that may be a message or a folder, so many to see whether a second one follows.
_LONG_LOOK = 1 << 20
#: So many files of one message each are messages; two may be Inbox and Sent.
_SEVERAL = 3

_MBOX_SUFFIXES = (".mbox", ".mbx")
_PACKED_SUFFIXES = (".gz", ".bz2", ".xz")

_LOOKED_FOR = (
    "What was looked for: an mbox (it begins with a line like 'From ann@example.org Mon Jan  5 "
    "09:30:00 2026'), a message (it begins with fields like 'Subject: …'), a Maildir (a folder "
    "with cur and new), or a folder of these."
)


def find_folders(path: Path) -> dict[str, Callable[[], Box]]:
    """Find the folders of mail at a path.

    Parameters
    ----------
    path
        A file or a folder.

    Returns
    -------
    dict
        By name, INBOX first: what opens it. Nothing has been read but the beginnings of files.

    Raises
    ------
    MailFileError
        If there is no mail.
    """
    try:
        if path.is_dir():
            return _ordered(_of_folder(path))
        return {INBOX: _of_file(path)}
    except MailFileError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error


def role_of(name: str) -> str | None:
    r"""Guess a folder's role (RFC 6154) by its name, as mail programs call it.

    Examples
    --------
    >>> role_of("Local Folders/Sent"), role_of("Recipes")
    ('\\Sent', None)
    """
    return ROLES_BY_NAME.get(name.rpartition(DELIMITER)[2].casefold())


def _of_file(path: Path) -> Callable[[], Box]:
    if not path.exists():
        raise MailFileError(f"There is no file or folder {path}.", suggestion="Check the path.")
    if not path.is_file():
        raise MailFileError(
            f"{path} is neither a file nor a folder.",
            suggestion="Pipes and devices are not read: save what they give as a file first.",
        )
    is_packed = compression(beginning(path, LOOKED)) is not None
    head = unpacked_beginning(path, LOOKED)
    kind = kind_of(head)
    name = _unpacked_name(path.name.lower())
    is_message = kind is Kind.MESSAGE or name.endswith(".eml")
    # A message that is packed is read as an mbox is, which is unpacked once.
    is_box = is_packed or name.endswith(_MBOX_SUFFIXES)
    if kind in {Kind.EMPTY, Kind.MBOX} or (is_message and is_box):
        return partial(Mbox, path)
    if is_message:
        return partial(Messages, path, lambda: [path])
    words = words_for(head)
    raise MailFileError(
        f"{path} is no mail: it is {words}." if words else f"{path} is no mail.",
        suggestion=_LOOKED_FOR,
    )


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    boxes: dict[str, Callable[[], Box]] = field(default_factory=dict)
    others: int = 0

    def add(self, name: str, box: Callable[[], Box]) -> None:
        """Take a folder; one more of the same name gets a number."""
        free, number = name or INBOX, 2
        while free in self.boxes:
            free, number = f"{name or INBOX} ({number})", number + 1
        self.boxes[free] = box


def _of_folder(root: Path) -> dict[str, Callable[[], Box]]:
    found = _Found()
    waiting = [(root, "", 0)]
    while waiting:
        path, name, depth = waiting.pop()
        try:
            entries = _entries(path)
        except OSError as error:
            if path == root:
                raise
            log.warning("%s", unreadable(path, error))
            found.others += 1
            continue
        folders = {
            entry.name
            for entry in entries
            if answers(partial(entry.is_dir, follow_symlinks=False), entry.path)
        }
        if _is_maildir(folders):
            found.add(name, partial(Maildir, path))
            folders -= {"cur", "new", "tmp"}
            inner = ((folder, _maildir_name(folder)) for folder in folders)
        else:
            _take_files(path, name, entries, found)
            hidden = {f for f in folders if f.startswith(".") and not _has_maildir(path / f)}
            inner = ((folder, _folder_name(folder)) for folder in folders - hidden)
        if depth < _DEEPEST:
            waiting += ((path / folder, _below(name, own), depth + 1) for folder, own in inner)
    if not found.boxes and found.others:
        raise MailFileError(f"There is no mail in {root}.", suggestion=_LOOKED_FOR)
    return found.boxes or {INBOX: partial(Messages, root, partial(_messages_in, root))}


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        found = sorted(entries, key=lambda entry: natural(entry.name))
    for entry in found:
        if entry.is_symlink() and answers(entry.is_dir, entry.path):
            log.warning("%s is a link to a folder, and not followed", entry.path)
    return found


def _is_maildir(folders: Iterable[str]) -> bool:
    names = set(folders)
    return "cur" in names and not names.isdisjoint({"new", "tmp"})


def _has_maildir(path: Path) -> bool:
    return answers((path / "cur").is_dir, path)


def _below(name: str, inner: str) -> str:
    return f"{name}{DELIMITER}{inner}" if name and inner else name or inner


def _maildir_name(folder: str) -> str:
    """Name a folder of a Maildir: Maildir++ writes ``.Sent.2026`` beside ``cur``."""
    if not folder.startswith("."):
        return _decoded(folder)
    return DELIMITER.join(_decoded(piece) for piece in folder[1:].split(".") if piece)


def _folder_name(folder: str) -> str:
    """Name a folder: Thunderbird puts what is within ``Sent`` into ``Sent.sbd``."""
    stem, dot, suffix = folder.rpartition(".")
    is_program_s = bool(dot and stem) and suffix.lower() in {"sbd", "mbox"}
    return _decoded(stem if is_program_s else folder)


def _decoded(name: str) -> str:
    return decode_name(os.fsencode(name)).replace("\0", "")


def _mbox_name(file: str) -> str:
    for suffixes in (_PACKED_SUFFIXES, _MBOX_SUFFIXES):
        for suffix in suffixes:
            if file.lower().endswith(suffix) and len(file) > len(suffix):
                file = file[: -len(suffix)]
    return _decoded(file)


def _take_files(path: Path, name: str, entries: list[os.DirEntry[str]], found: _Found) -> None:
    """Take the files of a folder: each mbox is a folder, all messages together are one."""
    messages, boxes, others = _sorted_files(entries)
    if messages:
        found.add(name, partial(Messages, path, partial(_messages_in, path)))
    for box in boxes:
        # Apple Mail's: the folder has the name.
        own = "" if box.name == "mbox" and path.suffix == ".mbox" else _mbox_name(box.name)
        found.add(_below(name, own), partial(Mbox, box))
    found.others += others


def _messages_in(path: Path) -> list[Path]:
    return _sorted_files(_entries(path))[0]


def _sorted_files(entries: list[os.DirEntry[str]]) -> tuple[list[Path], list[Path], int]:
    """Tell messages from files of many, and count those that are neither."""
    names = {entry.name.lower() for entry in entries}
    messages: list[Path] = []
    boxes: list[Path] = []
    doubtful: list[Path] = []
    others = 0
    for entry in entries:
        # Hidden is what programs keep for themselves: the .DS_Store and ._a.eml of a Mac.
        is_message = entry.name.lower().endswith(".eml") and not entry.name.startswith("._")
        if entry.name.startswith(".") and not is_message:
            continue
        if not answers(entry.is_file, entry.path):
            continue
        path = Path(entry.path)
        if is_message:
            messages.append(path)
            continue
        kind = _glance(path)
        if kind is Kind.MESSAGE and not _is_called_box(path.name, names):
            messages.append(path)
        elif kind is Kind.MBOX and not _is_called_box(path.name, names):
            doubtful.append(path)
        elif kind in {Kind.MBOX, Kind.MESSAGE} or (
            kind is Kind.EMPTY and _is_called_box(path.name, names)
        ):
            boxes.append(path)
        else:
            others += 1
            log.info("%s is no mail", path)
    # Programs that save messages one by one often leave the From line above them.
    if len(doubtful) >= _SEVERAL and all(map(_has_one_message, doubtful)):
        messages += doubtful
    else:
        boxes += doubtful
    return messages, boxes, others


def _glance(path: Path) -> Kind:
    try:
        head = beginning(path, _GLANCE)
        if compression(head) is None:
            return kind_of(head)
        if not _is_called_box(path.name, ()):
            return Kind.OTHER
        return kind_of(unpacked_beginning(path, _GLANCE))
    except OSError as error:
        log.warning("%s", unreadable(path, error))
        # It is named as a folder, so that reading it says why it cannot be read.
        return Kind.MBOX if _is_called_box(path.name, ()) else Kind.OTHER


def _is_called_box(name: str, beside: Iterable[str]) -> bool:
    """Say whether a file is a folder by its name, or by what a mail program keeps beside it."""
    name = _unpacked_name(name.lower())
    return (
        name.endswith(_MBOX_SUFFIXES)
        or name in {"inbox", "mbox"}
        or role_of(name) is not None
        or not {f"{name}.msf", f"{name}.sbd"}.isdisjoint(beside)
    )


def _unpacked_name(name: str) -> str:
    """Take the suffix of a packer away, of a name in lower case."""
    for suffix in _PACKED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _has_one_message(path: Path) -> bool:
    try:
        return not any(separators(beginning(path, _LONG_LOOK)))
    except OSError:
        return False


def _ordered(boxes: dict[str, Callable[[], Box]]) -> dict[str, Callable[[], Box]]:
    """Put INBOX first, whatever its case (RFC 3501 section 5.1), and the others by name."""
    renamed: dict[str, Callable[[], Box]] = {}
    for name in sorted(boxes, key=lambda name: (name != INBOX, natural(name.casefold()))):
        is_inbox = name.upper() == INBOX and INBOX not in renamed
        renamed[INBOX if is_inbox else name] = boxes[name]
    return dict(sorted(renamed.items(), key=lambda item: item[0] != INBOX))
