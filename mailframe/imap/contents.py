"""What messages hold, as digests: whether a message is a copy of another one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mailframe.exceptions import MailframeError
from mailframe.imap.fetch import Request, fetch
from mailframe.imap.items import read_string
from mailframe.imap.overview import WHOLE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailframe.imap.connection import Connection

__all__ = ["digest", "digests"]

#: Larger messages are not fetched together with smaller ones, of which many make one command.
_LARGE = 64 << 10


def digest(content: bytes) -> bytes:
    """Say what a message holds: different messages have different ones.

    Parameters
    ----------
    content
        Its bytes.
    """
    return hashlib.sha256(content).digest()


def digests(connection: Connection, sizes: Mapping[int, int]) -> dict[int, bytes]:
    """Read messages of the open folder, and say what they hold (BODY.PEEK[]).

    Parameters
    ----------
    connection
        With the folder selected.
    sizes
        Of the messages, in bytes, by UID.

    Returns
    -------
    dict
        By UID; without those that have gone.

    Raises
    ------
    MailframeError
        If the server does not give one that is there.
    """
    small = sorted(uid for uid, size in sizes.items() if size <= _LARGE)
    large = sorted(uid for uid, size in sizes.items() if size > _LARGE)
    requests = [
        Request(
            uids, b"BODY.PEEK[]", frozenset({"UID", WHOLE_NAME}), max(sizes[uid] for uid in uids)
        )
        for uids in (small, large)
        if uids
    ]
    found = {}
    for uid, answer in fetch(connection, requests):
        if isinstance(answer, MailframeError):
            raise answer
        if answer is not None:
            found[uid] = digest(read_string(answer[WHOLE_NAME]))
    return found
