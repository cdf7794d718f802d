"""Folders: LIST and STATUS, with what the extensions add (RFC 3501 sections 6.3.8 and 6.3.10)."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from mailframe.exceptions import FolderError
from mailframe.imap.items import read_number
from mailframe.imap.names import decode_name, encode_name
from mailframe.imap.responses import parse_tokens
from mailframe.imap.wire import Command
from mailframe.records import VIEWS, Folder

if TYPE_CHECKING:
    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply, Token

__all__ = ["folder_status", "list_folders"]

log = logging.getLogger(__name__)

#: RFC 6154, and RFC 8457 for \Important.
SPECIAL_USE = {
    use.lower(): use
    for use in (
        "\\All",
        "\\Archive",
        "\\Drafts",
        "\\Flagged",
        "\\Junk",
        "\\Sent",
        "\\Trash",
        "\\Important",
    )
}
# What STATUS is asked for, and the attribute of a Folder it becomes.
_STATUS = {
    "MESSAGES": "messages",
    "UNSEEN": "unseen",
    "UIDNEXT": "uidnext",
    "UIDVALIDITY": "uidvalidity",
    "SIZE": "size",
}


def list_folders(connection: Connection, *, status: bool = True) -> list[Folder]:
    """List every folder of the account.

    Parameters
    ----------
    connection
        Logged in.
    status
        Count the messages as well: in the same command where LIST-STATUS is offered (RFC 5819),
        else by one STATUS a folder, several in flight.

    Returns
    -------
    list of Folder
        In the server's order; INBOX comes first.
    """
    in_one = status and connection.offers("LIST-STATUS")
    pieces = [b'LIST "" "*"']
    if in_one:
        pieces.append(b" RETURN (%bSTATUS (%b))" % (_special_use(connection), _items(connection)))
    elif connection.offers("SPECIAL-USE") and connection.offers("LIST-EXTENDED"):
        # RFC 6154 section 2: some servers show the roles only when asked.
        pieces.append(b" RETURN (SPECIAL-USE)")
    replies = connection.command(*pieces, tried=f"Could not list the folders of {connection.host}.")
    folders = {f.name: f for f in map(_listed, replies) if f is not None}
    if status and not in_one:
        replies = _ask_status(connection, [f.name for f in folders.values() if f.selectable])
    for reply in replies if status else ():
        name, counts = _counted(reply)
        if name in folders:
            folders[name] = _with_counts(folders[name], counts)
    return sorted(folders.values(), key=lambda folder: folder.name.upper() != "INBOX")


def folder_status(connection: Connection, folder: str) -> Folder:
    """Count one folder's messages without opening it.

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its name, decoded.

    Raises
    ------
    FolderError
        If it is not there.
    """
    replies = connection.command(
        b"STATUS ",
        *encode_name(folder),
        b" (",
        _items(connection),
        b")",
        tried=f"Could not count the messages of {folder!r}.",
        error=FolderError,
    )
    counts: dict[str, int] = {}
    for reply in replies:
        counts |= _counted(reply)[1]
    return _with_counts(Folder(folder, None, None, ()), counts)


def _special_use(connection: Connection) -> bytes:
    return b"SPECIAL-USE " if connection.offers("SPECIAL-USE") else b""


def _items(connection: Connection) -> bytes:
    # RFC 8438. Without the extension SIZE is a syntax error.
    size = [] if connection.offers("STATUS=SIZE") else ["SIZE"]
    return " ".join(item for item in _STATUS if item not in size).encode("ascii")


def _ask_status(connection: Connection, names: list[str]) -> list[Reply]:
    commands = deque(
        Command((b"STATUS ", *encode_name(name), b" (", _items(connection), b")"), about=name)
        for name in names
    )
    replies = []
    for command, reply in connection.run(commands):
        replies.append(reply)
        if command is not None and reply.kind != "OK":
            # A folder without the right to read it, or deleted this moment: listed, not counted.
            log.info("no counts for %r: %s", command.about, reply.text.decode("utf-8", "replace"))
    return replies


def _listed(reply: Reply) -> Folder | None:
    if reply.tag != b"*" or reply.kind != "LIST":
        return None
    tokens = parse_tokens(reply.segments)
    if len(tokens) < 3 or not isinstance(tokens[0], list):  # noqa: PLR2004 flags, delimiter, name
        return None
    attributes = [_word(token) for token in tokens[0]]
    roles = [SPECIAL_USE[a.lower()] for a in attributes if a.lower() in SPECIAL_USE]
    # Of several, the one that says that its messages lie elsewhere too.
    roles.sort(key=lambda role: role not in VIEWS)
    return Folder(
        name=_name(tokens[2]),
        delimiter=_word(tokens[1]) or None,
        special_use=roles[0] if roles else None,
        flags=tuple(a for a in attributes if a.lower() not in SPECIAL_USE),
    )


def _counted(reply: Reply) -> tuple[str, dict[str, int]]:
    if reply.tag != b"*" or reply.kind != "STATUS":
        return "", {}
    tokens = parse_tokens(reply.segments)
    if len(tokens) < 2 or not isinstance(tokens[1], list):  # noqa: PLR2004 name, list of counts
        return "", {}
    names = (_word(token).upper() for token in tokens[1][::2])
    pairs = zip(names, map(read_number, tokens[1][1::2]), strict=False)
    counts = {_STATUS[k]: v for k, v in pairs if k in _STATUS and v is not None}
    return _name(tokens[0]), counts


def _with_counts(folder: Folder, counts: dict[str, int]) -> Folder:
    return Folder(folder.name, folder.delimiter, folder.special_use, folder.flags, **counts)


def _name(token: Token) -> str:
    # A folder called NIL comes as an atom.
    name = decode_name(token) if isinstance(token, bytes) else "NIL"
    return "INBOX" if name.upper() == "INBOX" else name


def _word(token: Token) -> str:
    return token.decode("ascii", "replace") if isinstance(token, bytes) else ""
