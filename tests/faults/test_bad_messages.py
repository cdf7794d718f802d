"""One message that a server cannot deliver costs that message, and no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.faults.reading import sign_in
from tests.rigs.scripted import _fetch, literal, uids_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.reading import Clock
    from tests.rigs.scripted import Connection, Reply, ScriptedServer

HEAD = literal(b"From: a@example.org\r\nDate: Mon, 5 Jan 2026 09:30:00 +0000\r\n\r\n")
MESSAGE = (
    b'FLAGS () INTERNALDATE "05-Jan-2026 09:30:00 +0000" RFC822.SIZE 100 '
    b'BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1) '
    b"BODY[HEADER.FIELDS (FROM)] " + HEAD + b" BODY[1] {5}\r\nhello"
)
COUNT = 900
#: How often a single bad message may end the connection before everything else is there.
PATIENCE = 60


def hang_up(_tag: bytes, connection: Connection) -> bytes:
    connection.close()
    return b""


def refuse(tag: bytes, _connection: Connection) -> bytes:
    return tag + b" NO Server error while fetching messages\r\n"


@pytest.mark.parametrize("misdeed", [hang_up, refuse])
@pytest.mark.parametrize("bad", [{1}, {450}, {COUNT}, {7, 8}, {3, 300, 301, 899}])
@pytest.mark.parametrize("method", ["headers", "bodies"])
def test_messages_at_fault_are_found_and_the_others_read(
    scripted: Callable[..., ScriptedServer],
    clock: Clock,
    misdeed: Callable[[bytes, Connection], bytes],
    bad: set[int],
    method: str,
) -> None:
    def fetch(tag: bytes, args: bytes, connection: Connection) -> Reply:
        asked = set(uids_in(args.partition(b" ")[0], connection.server.messages))
        return misdeed(tag, connection) if asked & bad else _fetch(tag, args, connection)

    server = scripted({"UID FETCH": fetch}, messages=dict.fromkeys(range(1, COUNT + 1), MESSAGE))
    with sign_in(server, "me", "secret", clock.retry()) as session:
        frame = getattr(session, method)(progress=False)
    good = frame[~frame["uid"].isin(bad)]
    assert list(good["uid"]) == sorted(set(range(1, COUNT + 1)) - bad, reverse=True)
    assert (good["defects"] == "").all()
    if method == "bodies":
        assert (good["text"] == "hello").all()
    harmed = frame[frame["uid"].isin(bad)]
    assert (harmed["defects"] != "").all()
    assert len(server.connections) <= len(bad) * PATIENCE
    # Nobody knows which message it was before it was asked for alone.
    alone = {int(args.split()[0]) for args in server.commands("UID FETCH") if single(args)}
    assert bad <= alone


def single(args: bytes) -> bool:
    return re.match(rb"\d+ ", args) is not None
