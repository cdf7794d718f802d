"""Messages that look the same, and are not; and messages that are the same, and are several."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import missing
from tests.faults.reading import Clock
from tests.faults.writing import CAPABILITIES, apply, plain_client, sign_in
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.session import Session

# From machines: no Message-ID, as long as each other, sent in the same second.
ONE, TWO = (
    b"From: cron@host.example\r\nSubject: report\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n"
    b"backup of disk %b failed\r\n" % disk
    for disk in (b"A", b"B")
)
#: What a server and we may read otherwise.
ODD = [
    b"Subject: odd\r\n>From bob Thu Jan  1 00:00:00 2026\r\nFrom: a@b.example\r\n\r\none\r\n",
    b"Subject: odd\r\nno colon here\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\ntwo\r\n",
]
TARGET = "Target"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Dovecot]]:
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(Dovecot(capability=capability))
            for kind, capability in CAPABILITIES.items()
        }


class Box:
    """A user's mail on a server, and sessions on it."""

    def __init__(self, dovecot: Dovecot, stack: ExitStack) -> None:
        self.dovecot = dovecot
        self.user = dovecot.new_user()
        self._stack = stack
        dovecot.deliver(self.user, [], TARGET)

    def session(self, server: Any = None, seconds: float = 0) -> Session:
        retry = Clock().retry(seconds)
        found = sign_in(server or self.dovecot, self.user, self.dovecot.password, retry)
        return self._stack.enter_context(closing(found))

    def holds(self, folder: str) -> list[bytes]:
        """Read what is in a folder, but for what is marked as deleted."""
        client = plain_client(self.dovecot, self.user)
        client.select(folder, readonly=True)
        uids = client.uid("SEARCH", "UNDELETED")[1][0].split()
        parts = [client.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0] for uid in uids]
        client.logout()
        return sorted(part[1] for part in parts)

    def put(self, content: bytes, folder: str = TARGET) -> None:
        client = plain_client(self.dovecot, self.user)
        client.append(folder, "", "", content)
        client.logout()


@pytest.fixture(params=CAPABILITIES)
def box(
    servers: dict[str, Dovecot], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Box]:
    if request.param == "neither":  # Dovecot says COPYUID all the same
        monkeypatch.setattr("mailframe.imap.transfer._codes", lambda *_: iter(()))
    with ExitStack() as stack:
        yield Box(servers[request.param], stack)


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("contents", [[ONE, TWO], [ONE, ONE]], ids=["alike", "the same"])
def test_of_two_plans_each_does_its_own(box: Box, verb: str, contents: list[bytes]) -> None:
    box.dovecot.deliver(box.user, contents)
    session = box.session()
    rows = session.headers()
    plans = [getattr(session, verb)(rows[rows["uid"] == uid], TARGET) for uid in (1, 2)]
    for plan in plans:
        assert apply(session, plan).counts["done"] == 1
    assert box.holds(TARGET) == sorted(contents)
    assert len(box.holds("INBOX")) == (2 if verb == "copy" else 0)
    for plan in plans:  # each again: nothing is left to do
        assert apply(session, plan).counts["done"] == 1
    assert box.holds(TARGET) == sorted(contents)


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_what_others_put_there_meanwhile_is_not_taken_for_the_copy(box: Box, verb: str) -> None:
    box.dovecot.deliver(box.user, [ONE])
    session = box.session()
    plan = getattr(session, verb)(session.headers(), TARGET)
    box.put(TWO)
    assert apply(session, plan).counts["done"] == 1
    assert box.holds(TARGET) == [ONE, TWO]


def test_letters_that_look_alike_are_all_put_there(box: Box) -> None:
    session = box.session()
    letters = []
    for run in range(3):
        letter = EmailMessage()
        letter["From"], letter["Subject"] = "a@b.example", "result"
        letter.set_content(f"run {run}\n")
        letters.append(letter)
    plans = [session.append(letter, TARGET) for letter in letters]
    for plan in (*plans, *plans):
        assert apply(session, plan).counts["done"] == 1
    assert len(box.holds(TARGET)) == 3


@pytest.mark.parametrize("content", ODD)
def test_a_letter_that_servers_read_otherwise_is_put_there_once(box: Box, content: bytes) -> None:
    with FaultProxy(box.dovecot.host, box.dovecot.port) as quiet:
        session = box.session(quiet)
        plan = session.append(content, TARGET)
        before = quiet.lines[0].passed["C"]
        assert apply(session, plan).is_complete
        said = quiet.lines[0].passed["C"] - before
    assert len(box.holds(TARGET)) == 1
    plan = box.session().append(content, TARGET)  # another one
    with FaultProxy(box.dovecot.host, box.dovecot.port) as proxy:
        session = box.session(proxy, 60)
        # All of it has been said, and the answer is lost.
        at = proxy.lines[0].passed["C"] + said
        proxy.faults = (*proxy.faults, Fault("cut", at, "C"))
        outcome = apply(session, plan)
    assert outcome.counts["done"] == 1
    assert apply(box.session(), plan).counts["done"] == 1
    assert len(box.holds(TARGET)) == 2


def test_one_session_does_one_plan_at_a_time(box: Box) -> None:
    contents = [b"Subject: %d\r\n\r\n%d\r\n" % (number, number) for number in range(60)]
    box.dovecot.deliver(box.user, contents)
    session = box.session()
    plan = session.copy(session.headers(), TARGET)
    found: list[int] = []

    def run() -> None:
        found.append(apply(session, plan).counts["done"])

    threads = [threading.Thread(target=run) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [60, 60, 60]
    assert box.holds(TARGET) == sorted(contents)
