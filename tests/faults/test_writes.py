"""What changes something is sent once: whether it was done, nobody knows who lost the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import ConnectionFailedError
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.folder_changes import create_folder, delete_folder, rename_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.reading import Clock
    from tests.rigs import scripted as rig

WRITES: dict[str, Callable[[Connection], None]] = {
    "CREATE": lambda connection: create_folder(connection, "New"),
    "RENAME": lambda connection: rename_folder(connection, "Old", "New"),
    "DELETE": lambda connection: delete_folder(connection, "Old"),
}


def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
    connection.close()


@pytest.mark.parametrize("write", WRITES)
def test_a_change_whose_answer_is_lost_is_not_made_twice(
    scripted: Callable[..., rig.ScriptedServer], clock: Clock, write: str
) -> None:
    done = b"<tag> OK done\r\n"
    handlers: dict[str, Any] = dict.fromkeys((*WRITES, "SUBSCRIBE", "UNSUBSCRIBE"), done)
    handlers["STATUS"] = b'* STATUS "Old" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)\r\n' + done
    server = scripted({**handlers, write: hang_up}, folders=[b"INBOX", b"Old"])
    connection = Connection(server.host, server.port, security="none", retry=clock.retry())
    log_in(connection, "me", "secret")
    with pytest.raises(ConnectionFailedError, match="not known whether it was done"):
        WRITES[write](connection)
    assert len(server.commands(write)) == 1
    connection.command(b"NOOP", tried="Could not go on.")
    connection.close()


def test_a_change_that_was_not_sent_is_made_once_there_is_a_connection(
    scripted: Callable[..., rig.ScriptedServer], clock: Clock
) -> None:
    handlers = dict.fromkeys(("CREATE", "SUBSCRIBE"), b"<tag> OK done\r\n")
    server = scripted(handlers)
    connection = Connection(server.host, server.port, security="none", retry=clock.retry())
    log_in(connection, "me", "secret")
    server.connections[0].close()
    create_folder(connection, "New")
    assert len(server.commands("CREATE")) == 1
    connection.close()
