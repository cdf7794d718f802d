"""Text of ours on the wire: quoted, or as a literal; folder names in modified UTF-7.

Nothing of the user's reaches a command but through here: CR, LF and NUL are refused.
"""

from __future__ import annotations

import re
from contextlib import suppress

from imap_tools.imap_utf7 import utf7_decode, utf7_encode

from mailframe.exceptions import FolderError, QueryError
from mailframe.imap.wire import Literal

__all__ = ["check_name", "decode_name", "encode_name", "quote"]

# RFC 3501 section 9: quoted strings hold any 7-bit character but CR, LF and NUL.
_FORBIDDEN = re.compile("[\r\n\0]")
#: Longer arguments go as literals: some servers limit the length of a quoted string.
_LONG = 1000


def quote(text: str) -> tuple[bytes, ...]:
    r"""Write text as an IMAP string (RFC 3501 section 4.3).

    Parameters
    ----------
    text
        Anything without CR, LF and NUL.

    Returns
    -------
    tuple of bytes
        Pieces of a command: a quoted string, or a `Literal` in UTF-8 for what has no quoted form.

    Raises
    ------
    QueryError
        For CR, LF or NUL, which would end the command and begin another.

    Examples
    --------
    >>> quote('say "hi"')
    (b'"say \\"hi\\""',)
    """
    if _FORBIDDEN.search(text):
        raise QueryError(
            f"A line break or NUL cannot be part of an IMAP command: {text[:60]!r}.",
            suggestion="Remove it; to look for several lines, ask for them one by one.",
        )
    try:
        octets = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise QueryError(
            f"Half a character (a lone surrogate) stands in {text[:60]!a}.",
            suggestion="Decode the text again with the right encoding.",
        ) from error
    if text.isascii() and len(text) <= _LONG:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return (b'"%b"' % escaped.encode("ascii"),)
    return (Literal(octets),)


def check_name(folder: object) -> None:
    """Refuse what is no text for a folder's name.

    Parameters
    ----------
    folder
        Its name, decoded.

    Raises
    ------
    QueryError
        For anything else, bytes among them.
    """
    if not isinstance(folder, str):
        raise QueryError(
            f"{folder!r} is no name of a folder.",
            suggestion='A name is a text: "Archive". folders() of a session and list_folders() of '
            "a client show those there are.",
        )


def encode_name(folder: str) -> tuple[bytes, ...]:
    """Write a folder's name (RFC 3501 section 5.1.3).

    Parameters
    ----------
    folder
        Its name, decoded.

    Raises
    ------
    FolderError
        If no folder can have that name, and QueryError if it is no text.

    Examples
    --------
    >>> encode_name("Entwürfe")
    (b'"Entw&APw-rfe"',)
    """
    check_name(folder)
    if folder and not _FORBIDDEN.search(folder):
        with suppress(UnicodeEncodeError):  # half a character
            return quote(utf7_encode(folder).decode("ascii"))
    raise FolderError(f"No folder can be called {folder[:60]!a}.")


def decode_name(raw: bytes) -> str:
    """Read a folder's name; one that is not modified UTF-7 is read as UTF-8 (RFC 9051).

    Parameters
    ----------
    raw
        As the server sent it.

    Examples
    --------
    >>> decode_name(b"Entw&APw-rfe")
    'Entwürfe'
    """
    # imap-tools decodes anything to something; what it would not write back so is no UTF-7.
    if raw.isascii():
        with suppress(UnicodeDecodeError, ValueError):
            name: str = utf7_decode(raw)
            if utf7_encode(name) == raw:
                return name
    return raw.decode("utf-8", "replace")
