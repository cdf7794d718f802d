"""Folders: LIST and STATUS, with what the extensions add (RFC 3501 sections 6.3.8 and 6.3.10)."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from mailframe.exceptions import CommandError, FolderError
from mailframe.imap.items import read_number
from mailframe.imap.names import decode_name, encode_name
from mailframe.imap.responses import parse_tokens
from mailframe.imap.wire import Command
from mailframe.records import VIEWS, Folder

if TYPE_CHECKING:
    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply, Token

__all__ = [
    "create_folder",
    "delete_folder",
    "folder_status",
    "list_command",
    "list_folders",
    "rename_folder",
    "subscribe",
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
# As Outlook and other servers without SPECIAL-USE name them in some languages.
_ROLES_BY_NAME = {
    name.casefold(): role
    for role, names in {
        "\\Sent": (
            "Sent", "Sent Items", "Sent Mail", "Sent Messages", "Gesendet", "Gesendete Elemente",
            "Gesendete Objekte", "Éléments envoyés", "Elementos enviados", "Posta inviata",
            "Verzonden items", "Itens Enviados", "Отправленные", "已发送", "送信済みアイテム",
        ),
        "\\Drafts": (
            "Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten",
            "Rascunhos", "Черновики", "草稿箱", "下書き",
        ),
        "\\Trash": (
            "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Papierkorb",
            "Gelöschte Elemente", "Éléments supprimés", "Corbeille", "Elementos eliminados",
            "Posta eliminata", "Verwijderde items", "Itens Excluídos", "Удаленные", "已删除",
            "削除済みアイテム",
        ),
        "\\Junk": (
            "Junk", "Junk Email", "Junk E-mail", "Spam", "Bulk Mail", "Courrier indésirable",
            "Correo no deseado", "Posta indesiderata", "Ongewenste e-mail", "Lixo Eletrônico",
            "Нежелательная почта", "垃圾邮件", "迷惑メール",
        ),
        "\\Archive": ("Archive", "Archiv", "Archives", "Archivo", "Archivio", "Архив"),
    }.items()
    for name in names
}  # fmt: skip

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
    replies = connection.command(*pieces, tried=tried)
    folders = {f.name: f for f in map(_listed, replies) if f is not None}
    for prefix in _other_prefixes(connection):
        if not any(name.startswith(prefix) for name in folders):
            pattern = encode_name(f"{prefix}*")
            pieces = list_command(connection, status=status, pattern=pattern)
            more = _if_it_may_be(connection, *pieces)
            folders |= {f.name: f for f in map(_listed, more) if f is not None}
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
    )
    counts: dict[str, int] = {}
    for reply in replies:
        counts |= _counted(reply)[1]
    return _with_counts(Folder(folder, None, None, ()), counts)


def create_folder(connection: Connection, folder: str) -> None:
    """Make a folder, and subscribe to it (RFC 3501 sections 6.3.3 and 6.3.6).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name, with the names of those above it.

    Raises
    ------
    FolderError
        If it is there already, or the server refuses.
    """
    tried = f"Could not make the folder {folder!r}."
    connection.command(b"CREATE ", *encode_name(folder), tried=tried, error=FolderError)
    subscribe(connection, folder)


def rename_folder(connection: Connection, folder: str, to: str) -> None:
    """Rename a folder and those below it (RFC 3501 section 6.3.5).

    Parameters
    ----------
    connection
        Logged in.
    folder, to
        Whole names.

    Raises
    ------
    FolderError
        If the server refuses, or it is the INBOX, whose messages would all be moved instead.
    """
    tried = f"Could not rename the folder {folder!r} to {to!r}."
    _spare_the_inbox(folder, tried)
    names = (*encode_name(folder), b" ", *encode_name(to))
    # Those below move along; subscriptions do not (RFC 3501 section 6.3.9).
    subscribed = _this_and_below(connection, b"LSUB", folder)
    _leave(connection, _this_and_below(connection, b"LIST", folder))
    connection.command(b"RENAME ", *names, tried=tried, error=FolderError)
    for name in subscribed:
        subscribe(connection, to + name.removeprefix(folder))
        _forget(connection, name)


def delete_folder(connection: Connection, folder: str, *, with_messages: bool = False) -> None:
    """Delete a folder (RFC 3501 section 6.3.4).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name.
    with_messages
        Even if there are messages in it: they are lost, not moved to the trash.

    Raises
    ------
    FolderError
        If there are messages in it, the server refuses, or it is the INBOX.
    """
    tried = f"Could not delete the folder {folder!r}."
    _spare_the_inbox(folder, tried)
    if not with_messages:
        messages = folder_status(connection, folder, tried=tried).messages
        if messages != 0:
            count = "messages" if messages is None else f"messages: {messages}"
            raise FolderError(
                f"Did not delete the folder {folder!r}: it has {count}.",
                suggestion="Move them first, or lose them: with_messages=True.",
            )
    _leave(connection, {folder})
    connection.command(b"DELETE ", *encode_name(folder), tried=tried, error=FolderError)
    _forget(connection, folder)


def subscribe(connection: Connection, folder: str, *, on: bool = True) -> None:
    """Add a folder to those that mail programs show, or take it off (RFC 3501 section 6.3.6).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its whole name.
    on
        False to unsubscribe.

    Raises
    ------
    FolderError
        If the server refuses.
    """
    verb = b"SUBSCRIBE " if on else b"UNSUBSCRIBE "
    tried = f"Could not {'subscribe to' if on else 'unsubscribe from'} the folder {folder!r}."
    connection.command(verb, *encode_name(folder), tried=tried, error=FolderError)


def _this_and_below(connection: Connection, verb: bytes, folder: str) -> set[str]:
    """Name a folder and those below it, of all (LIST) or of those subscribed to (LSUB)."""
    found = set()
    pattern = encode_name(f"{folder}*")
    for reply in connection.command(verb, b' "" ', *pattern, tried="Could not list the folders."):
        one = _listed(reply, verb.decode("ascii"))
        below = f"{folder}{one.delimiter}" if one and one.delimiter else folder
        if one and (one.name == folder or (one.delimiter and one.name.startswith(below))):
            found.add(one.name)
    return found


def _leave(connection: Connection, folders: set[str]) -> None:
    """Close the open folder before it is renamed or deleted: servers hang up otherwise."""
    if connection.selected and connection.selected.folder in folders:
        verb = b"UNSELECT" if connection.offers("UNSELECT") else b"CLOSE"
        connection.command(verb, tried="Could not close the folder.")
        connection.selected = None


def _forget(connection: Connection, folder: str) -> None:
    try:
        subscribe(connection, folder, on=False)
    except FolderError as error:  # it was not subscribed to: what is wanted is done
        log.info("%s", error)


def _spare_the_inbox(folder: str, tried: str) -> None:
    if folder.upper() == "INBOX":
        raise FolderError(tried, suggestion="The INBOX stays where it is (RFC 3501 section 5.1).")


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
        return connection.command(*pieces, tried="Could not list other people's folders.")
    except CommandError as error:
        log.info("%s", error)
        return []


def _with_guessed_roles(folders: dict[str, Folder]) -> dict[str, Folder]:
    """Give roles by name on a server that announces none (Outlook)."""
    guessed = {}
    taken = set()
    for name, folder in folders.items():
        leaf = name.rpartition(folder.delimiter)[2] if folder.delimiter else name
        role = _ROLES_BY_NAME.get(leaf.casefold())
        if role and role not in taken and folder.selectable and name.upper() != "INBOX":
            taken.add(role)
            folder = replace(folder, special_use=role)  # noqa: PLW2901
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
    for command, reply in connection.run(commands):
        replies.append(reply)
        if command is not None and reply.kind != "OK":
            # A folder without the right to read it, or deleted this moment: listed, not counted.
            log.info("no counts for %r: %s", command.about, reply.text.decode("utf-8", "replace"))
    return replies


def _listed(reply: Reply, kind: str = "LIST") -> Folder | None:
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
