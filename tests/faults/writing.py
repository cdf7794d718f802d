"""Accounts that are changed while the line breaks, and what is in them, read by other means."""

from __future__ import annotations

import imaplib
import re
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.retry import persistently
from mailframe.imap.writing import WritableImapSource
from mailframe.session import Session
from tests.faults.reading import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.retry import Retry
    from mailframe.plan import Outcome, Plan
    from tests.rigs.dovecot import Dovecot

_COMMON = (
    "IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE ID NAMESPACE CHILDREN ESEARCH LIST-EXTENDED "
    "LIST-STATUS SPECIAL-USE"
)
#: Servers, by what they can: everything; no MOVE; and neither MOVE nor UIDPLUS nor UNSELECT.
CAPABILITIES = {"all": "", "UIDPLUS": f"{_COMMON} UNSELECT UIDPLUS", "neither": _COMMON}
#: The most that a server takes to end what it was doing, in seconds; else the test fails.
_PATIENCE = 30
_FETCHED = re.compile(rb"UID (\d+) FLAGS \(([^)]*)\)")


class Seen(NamedTuple):
    """A message in a folder."""

    uid: int
    subject: str
    flags: frozenset[str]


def sign_in(server: Any, user: str, password: str, retry: Retry) -> Session:
    """Sign in, in clear text, for reading and writing."""

    def connect() -> Connection:
        connection = Connection(
            server.host, server.port, security="none", timeout=TIMEOUT, retry=retry
        )
        try:
            log_in(connection, user, password)
        except BaseException:
            connection.close()
            raise
        return connection

    return Session(WritableImapSource(persistently(connect, retry), 1))


def apply(session: Session, plan: Plan, **options: Any) -> Outcome:
    """Apply a plan of which not all may be done."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Not all of it")
        return session.apply(plan, **{"progress": False, **options})


def plain_client(dovecot: Dovecot, user: str) -> imaplib.IMAP4:
    """Sign in by Python's own library: what it sees is not seen through the code under test."""
    client = imaplib.IMAP4(dovecot.host, dovecot.port)
    client.login(user, dovecot.password)
    return client


def contents(dovecot: Dovecot, user: str) -> dict[str, list[Seen]]:
    """Read what is in every folder."""
    client = plain_client(dovecot, user)
    try:
        lines = client.list()[1]
        names = [line.rpartition(b' "/" ')[2].decode().strip('"') for line in lines]
        return {name: list(_seen(client, name)) for name in names}
    finally:
        client.logout()


def _seen(client: imaplib.IMAP4, folder: str) -> Iterator[Seen]:
    assert client.select(f'"{folder}"', readonly=True)[0] == "OK"
    found = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    for part in found:
        if isinstance(part, tuple):
            head, field = part
            match = _FETCHED.search(head)
            assert match
            flags = frozenset(match[2].decode().split()) - {"\\Recent"}
            subject = field.decode().strip().removeprefix("Subject: ")
            yield Seen(int(match[1]), subject, flags)


def subjects(found: dict[str, list[Seen]]) -> dict[str, Counter[str]]:
    """Count what is in every folder that is not empty, but for what is marked as deleted."""
    counts = {
        folder: Counter(one.subject for one in seen if "\\Deleted" not in one.flags)
        for folder, seen in found.items()
    }
    return {folder: count for folder, count in counts.items() if count}


def wait_for_rest(dovecot: Dovecot, user: str, connections: int) -> None:
    """Wait until the server has finished what was asked over connections that are lost.

    That takes real time, which a clock of our own does not give; its log tells when.

    Parameters
    ----------
    dovecot, user
        The server, and whose connections.
    connections
        That are still open.
    """
    wait_for(lambda: _working(dovecot, user) <= connections)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for what others do, in real time."""
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "the others do not come to an end"
        time.sleep(0.002)


def _working(dovecot: Dovecot, user: str) -> int:
    log = dovecot.log()
    begun = log.count(f"Info: Login: user=<{user}>")
    ended = len(re.findall(rf"imap\({user}\)<\d+><[^>]*>: Info: (?:Disconnected|Logged out)", log))
    return begun - ended
