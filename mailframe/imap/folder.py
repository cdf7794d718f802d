"""Folders: LIST and STATUS, with what the extensions add (RFC 3501 sections 6.3.8 and 6.3.10)."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from mailframe.exceptions import CommandError, FolderError, ThrottledError
from mailframe.imap.failures import refusal
from mailframe.imap.items import read_number
from mailframe.imap.names import decode_name, encode_name
from mailframe.imap.responses import parse_tokens
from mailframe.imap.retry import Attempts
from mailframe.imap.wire import Command
from mailframe.records import VIEWS, Folder
from mailframe.roles import ROLES_BY_NAME

if TYPE_CHECKING:
    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply, Token

__all__ = [
    "folder_status",
    "list_command",
    "list_folders",
    "listed",
]

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
    pieces = list_command(connection, status=status)
    tried = f"Could not list the folders of {connection.host}."
    replies = connection.command(*pieces, tried=tried, in_folder=False)
    folders = {f.name: f for f in map(listed, replies) if f is not None}
    for prefix in _other_prefixes(connection):
        if not any(name.startswith(prefix) for name in folders):
            pattern = encode_name(f"{prefix}*")
            pieces = list_command(connection, status=status, pattern=pattern)
            more = _if_it_may_be(connection, *pieces)
            folders |= {f.name: f for f in map(listed, more) if f is not None}
            replies += more
    if not connection.offers("SPECIAL-USE") and not any(f.special_use for f in folders.values()):
        folders = _with_guessed_roles(folders)
    if status and not in_one:
        replies = _ask_status(connection, [f.name for f in folders.values() if f.selectable])
    for reply in replies if status else ():
        name, counts = _counted(reply)
        if name in folders:
            folders[name] = _with_counts(folders[name], counts)
    return sorted(folders.values(), key=lambda folder: folder.name.upper() != "INBOX")


def list_command(
    connection: Connection, *, status: bool, pattern: tuple[bytes, ...] = (b'"*"',)
) -> tuple[bytes, ...]:
    """Write LIST, with STATUS where that goes in one command.

    Parameters
    ----------
    connection
        Says what the server offers.
    status
        Whether the messages are to be counted.
    pattern
        Which folders, as written on the wire.
    """
    if status and connection.offers("LIST-STATUS"):
        returns = b" RETURN (%bSTATUS (%b))" % (_special_use(connection), _items(connection))
    elif connection.offers("SPECIAL-USE") and connection.offers("LIST-EXTENDED"):
        # RFC 6154 section 2: some servers show the roles only when asked.
        returns = b" RETURN (SPECIAL-USE)"
    else:
        returns = b""
    return (b'LIST "" ', *pattern, returns)


def folder_status(connection: Connection, folder: str, *, tried: str = "") -> Folder:
    """Count one folder's messages without opening it.

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its name, decoded.
    tried
        For the error: what was attempted, as a sentence.

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
        tried=tried or f"Could not count the messages of {folder!r}.",
        error=FolderError,
        in_folder=False,
    )
    counts: dict[str, int] = {}
    for reply in replies:
        counts |= _counted(reply)[1]
    return _with_counts(Folder(folder, None, None, ()), counts)


def _other_prefixes(connection: Connection) -> list[str]:
    """Name where other people's and shared folders lie (RFC 2342).

    Most servers list them with all the others; some only when asked for by their prefix.
    """
    if not connection.offers("NAMESPACE"):
        return []
    prefixes = []
    for reply in _if_it_may_be(connection, b"NAMESPACE"):
        if reply.tag == b"*" and reply.kind == "NAMESPACE":
            # Personal, other people's, shared; each NIL or a list of (prefix delimiter).
            for space in reply.tokens[1:3]:
                for entry in space if isinstance(space, list) else ():
                    prefix = entry[0] if isinstance(entry, list) and entry else None
                    if isinstance(prefix, bytes) and prefix:
                        prefixes.append(decode_name(prefix))
    return prefixes


def _if_it_may_be(connection: Connection, *pieces: bytes) -> list[Reply]:
    """Ask for what can be done without, if the server refuses."""
    try:
        return connection.command(
            *pieces, tried="Could not list other people's folders.", in_folder=False
        )
    except CommandError as error:
        log.info("%s", error)
        return []


def _with_guessed_roles(folders: dict[str, Folder]) -> dict[str, Folder]:
    """Give roles by name on a server that announces none (Outlook)."""
    guessed = {}
    taken = set()
    for name, folder in folders.items():
        leaf = name.rpartition(folder.delimiter)[2] if folder.delimiter else name
        role = ROLES_BY_NAME.get(leaf.casefold())
        if role and role not in taken and folder.selectable and name.upper() != "INBOX":
            taken.add(role)
            guessed[name] = replace(folder, special_use=role)
        else:
            guessed[name] = folder
    return guessed


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
    attempts = Attempts(connection.retry)
    for command, reply in connection.run(commands, again=list, in_folder=False):
        replies.append(reply)
        if command is None or reply.kind == "OK":
            continue
        error = refusal(reply, f"Could not count the messages of {command.about!r}.")
        if isinstance(error, ThrottledError):
            connection.relieve(error, attempts, command)
            commands.appendleft(replace(command))  # another one: its plea is not the last one
        else:
            # A folder without the right to read it, or deleted this moment: listed, not counted.
            log.info("no counts for %r: %s", command.about, error.reply)
    return replies


def listed(reply: Reply, kind: str = "LIST") -> Folder | None:
    """Read a LIST or LSUB reply; of any other reply nothing.

    Parameters
    ----------
    reply
        As it came.
    kind
        Which of the two was sent.
    """
    if reply.tag != b"*" or reply.kind != kind:
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
