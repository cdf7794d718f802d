"""Whatever breaks while mail is changed, and wherever: no message is lost, and none is doubled."""

from __future__ import annotations

import functools
import pickle
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mailframe.exceptions import ConnectionFailedError
from tests.conftest import missing
from tests.faults.reading import Clock
from tests.faults.writing import (
    CAPABILITIES,
    apply,
    contents,
    plain_client,
    sign_in,
    subjects,
    wait_for,
    wait_for_rest,
)
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.plan import Outcome, Plan
    from mailframe.session import Session
    from tests.faults.writing import Seen

ROOT = Path(__file__).parents[2]
COUNT = 500
#: Plain pytest is content with fewer, in as many commands.
COUNT_OF_PLAIN = 60
#: Of what is done message by message, and of what is not said to be done twice, less will do.
FEW = 12
VERBS = ("move", "trash", "delete", "copy", "append")
#: Places in the long version; plain pytest takes every tenth of them.
PLACES = 200
PLACES_OF_FEW = 60
STOCK = "Stock"
TARGET = "Target"


class Place(NamedTuple):
    """Where the line breaks."""

    direction: Any
    at: int


class Account:
    """An account in which the same is done again and again."""

    def __init__(self, dovecot: Dovecot, kind: str, verb: str, count: int) -> None:
        self.dovecot = dovecot
        self.kind = kind
        self.verb = verb
        self.user = dovecot.new_user()
        self.count = count if verb in VERBS[:3] else FEW
        self.letters = [messages.plain(number) for number in range(1, self.count + 1)]
        self.everything = Counter(f"Message {number}" for number in range(1, self.count + 1))
        self.target = {"trash": "Trash", "delete": ""}.get(verb, TARGET)
        dovecot.deliver(self.user, self.letters, STOCK)
        with closing(self.session(dovecot)) as session:
            session.create_folder(TARGET)

    def session(self, server: Any, seconds: float = 0) -> Session:
        clock = Clock(at_sleep=lambda _: self.rest(1))
        return sign_in(server, self.user, self.dovecot.password, clock.retry(seconds))

    def rest(self, connections: int = 0) -> None:
        wait_for_rest(self.dovecot, self.user, connections)

    def planned(self) -> Plan:
        """Put everything where it was at first, and plan."""
        client = plain_client(self.dovecot, self.user)
        for folder in ("INBOX", "Trash", TARGET):
            client.select(folder)
            client.uid("STORE", "1:*", "+FLAGS", "\\Deleted")
            client.expunge()
        if self.verb != "append":
            client.select(STOCK, readonly=True)
            client.copy("1:*", "INBOX")
        client.logout()
        with closing(self.session(self.dovecot)) as session:
            rows = session.search()
            plans: dict[str, Callable[[], Plan]] = {
                "move": lambda: session.move(rows, TARGET),
                "trash": lambda: session.delete(rows),
                "delete": lambda: session.delete(rows, permanently=True),
                "copy": lambda: session.copy(rows, TARGET),
                "append": lambda: session.append(self.letters, TARGET),
            }
            plan = plans[self.verb]()
        assert len(plan) == self.count
        self.rest()
        return plan

    def contents(self) -> dict[str, list[Seen]]:
        found = contents(self.dovecot, self.user)
        assert Counter(one.subject for one in found.pop(STOCK)) == self.everything
        return found

    def assert_done(self) -> None:
        """Everything is where it should be, once."""
        found = self.contents()
        expected = {self.target: self.everything} if self.target else {}
        if self.verb == "copy":
            expected["INBOX"] = self.everything
        assert subjects(found) == expected
        marked = {
            folder for folder, seen in found.items() if len(seen) > len(expected.get(folder, ()))
        }
        stays = self.kind == "neither" and self.verb in VERBS[:3]
        assert marked == ({"INBOX"} if stays else set())
        assert len(found["INBOX"]) == (self.count if stays or self.verb == "copy" else 0)

    def assert_true(self, outcome: Outcome, before: dict[str, list[Seen]]) -> None:
        """What an outcome says of each message is so."""
        found = self.contents()
        live = subjects(found)
        here = live.get("INBOX", Counter())
        there = {one.uid: one.subject for one in found.get(self.target, ())}
        for entry, result in outcome.fates:
            subject = entry.subject or ""
            if result.status == "done" and self.verb in VERBS[:3]:
                assert not here[subject]
            if result.status == "done" and self.target:
                assert subject in ([there[result.new_uid]] if result.new_uid else there.values())
            if result.reason.startswith("not tried"):
                assert self.where(subject, found) == self.where(subject, before)

    def where(self, subject: str, found: dict[str, list[Seen]]) -> list[tuple[str, frozenset[str]]]:
        """Say where a message is, and with which flags."""
        return [
            (folder, one.flags)
            for folder, seen in found.items()
            for one in seen
            if one.subject == subject
        ]


@pytest.fixture(scope="module")
def account(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], Account]]:
    """Return a function that gives an account on a server that can do some things."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    count = COUNT if request.config.getoption("--full") else COUNT_OF_PLAIN
    with ExitStack() as stack:

        @functools.cache
        def start(kind: str) -> Dovecot:
            return stack.enter_context(Dovecot(capability=CAPABILITIES[kind]))

        @functools.cache
        def make(kind: str, verb: str) -> Account:
            return Account(start(kind), kind, verb, count)

        yield make


@pytest.fixture(autouse=True)
def silent_server(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Hear no COPYUID or APPENDUID where there is no UIDPLUS: Dovecot says them all the same."""
    if request.getfixturevalue("kind") == "neither":
        monkeypatch.setattr("mailframe.imap.transfer._codes", lambda *_: iter(()))


def places(one: Account, count: int) -> list[Place]:
    """Choose where to break, in what is said while a plan is applied on a quiet day."""
    plan = one.planned()
    with (
        FaultProxy(one.dovecot.host, one.dovecot.port, record=True) as proxy,
        closing(one.session(proxy)) as session,
    ):
        before = dict(proxy.lines[0].passed)
        assert apply(session, plan).counts["done"] == one.count
        said = {side: bytes(said) for side, said in proxy.lines[0].said.items()}
    one.rest()
    one.assert_done()
    chance = random.Random(f"{one.kind} {one.verb}")
    # Of what the server says most is of single messages: what stands between is as interesting.
    edges = [
        at + step
        for at in range(before["S"] + 1, len(said["S"]))
        if said["S"][at - 1 : at] == b"\n" and b" EXPUNGE\r" not in said["S"][at : at + 20]
        for step in (-1, 0, 1)
    ]
    ranges = {
        "C": [range(before["C"] + 1, len(said["C"]))],
        "S": [range(before["S"], len(said["S"])), edges],
    }
    chosen = [
        Place(side, chance.choice(among))
        for side, several in ranges.items()
        for among in several
        for _ in range(count)
    ]
    chance.shuffle(chosen)
    return chosen[:count]


@pytest.mark.parametrize("reconnect", [60, 0])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", CAPABILITIES)
def test_a_line_that_breaks_anywhere_loses_and_doubles_nothing(
    account: Callable[[str, str], Account],
    kind: str,
    verb: str,
    reconnect: int,
    full: bool,  # noqa: FBT001 a fixture
) -> None:
    one = account(kind, verb)
    chosen = places(one, PLACES if one.count > FEW else PLACES_OF_FEW)
    # Plain pytest takes other places with each way of going on.
    step = 1 if full else 20
    broken = 0
    for number in range(0 if full or reconnect else 10, len(chosen), step):
        faults = [
            Fault(
                "cut" if number // step % 2 else "reset",
                chosen[number].at,
                chosen[number].direction,
            )
        ]
        if number % 3 == 0:  # and the next connection breaks as well
            again = chosen[number - 1]
            faults.append(Fault("cut", again.at, again.direction, connection=2))
        try:
            broken += break_off(one, faults, reconnect)
        except BaseException as error:
            error.add_note(f"{number}: {faults}")
            raise
    assert broken >= len(range(0, len(chosen), step)) * 0.9 - 1


def break_off(one: Account, faults: list[Fault], reconnect: int) -> bool:
    plan = one.planned()
    with FaultProxy(one.dovecot.host, one.dovecot.port, faults) as proxy:
        for _ in range(3):
            before = one.contents()
            with closing(one.session(proxy, reconnect)) as session:
                outcome = apply(session, plan)
            one.rest()
            one.assert_true(outcome, before)
            if outcome.is_complete:
                break
            assert outcome.error
            assert not reconnect
        assert outcome.is_complete
        if one.target:
            assert outcome.counts["done"] == one.count
        one.assert_done()
        return bool(proxy.lines[0].broken)


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("kind", CAPABILITIES)
def test_what_is_sent_again_is_about_the_same_folder(
    account: Callable[[str, str], Account], kind: str, verb: str
) -> None:
    one = account(kind, verb)
    user = one.dovecot.new_user()
    # The same UIDs in both: what is told in the wrong folder is done to the wrong messages.
    one.dovecot.deliver(user, [messages.plain(number) for number in range(1, 4)])
    one.dovecot.deliver(user, [messages.plain(number) for number in range(4, 7)], TARGET)
    password, retry = one.dovecot.password, Clock().retry(60)
    with closing(sign_in(one.dovecot, user, password, retry)) as session:
        plan = getattr(session, verb)(session.search(), TARGET)
    with (
        FaultProxy(one.dovecot.host, one.dovecot.port) as proxy,
        closing(sign_in(proxy, user, password, retry)) as session,
    ):
        connection = session._source._pool.first  # type: ignore[attr-defined]
        command = connection.command
        lost = iter([True])

        def lose(*pieces: bytes, **options: Any) -> Any:
            if options.get("changes") and next(lost, False):
                proxy.go_away()
                proxy.come_back()
                raise ConnectionFailedError("The answer was lost.")
            return command(*pieces, **options)

        connection.command = lose
        assert apply(session, plan).counts["done"] == 3
    found = subjects(contents(one.dovecot, user))
    expected = {f"Message {number}" for number in range(1, 7)}
    assert found[TARGET] == dict.fromkeys(expected, 1)
    assert len(found.get("INBOX", ())) == (3 if verb == "copy" else 0)


APPLY = """
import pickle, sys
from pathlib import Path
from types import SimpleNamespace
from mailframe.imap.retry import NEVER
from tests.faults.writing import apply, sign_in
host, port, user, password, path = sys.argv[1:]
session = sign_in(SimpleNamespace(host=host, port=int(port)), user, password, NEVER)
print(apply(session, pickle.loads(Path(path).read_bytes())).counts["done"])
session.close()
"""


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("kind", ["all", "UIDPLUS"])
def test_what_a_killed_program_has_begun_another_one_finishes(
    account: Callable[[str, str], Account], kind: str, which: int, tmp_path: Path
) -> None:
    one = account(kind, "move")
    at = places(one, PLACES)[which]
    path = tmp_path / "plan"
    path.write_bytes(pickle.dumps(one.planned()))

    def start(server: Any) -> subprocess.Popen[str]:
        words = (server.host, str(server.port), one.user, one.dovecot.password, str(path))
        command = (sys.executable, "-c", APPLY, *words)
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    with FaultProxy(
        one.dovecot.host, one.dovecot.port, [Fault("stall", at.at, at.direction)]
    ) as proxy:
        with start(proxy) as program:
            wait_for(lambda: bool(proxy.lines and proxy.lines[0].broken))
            program.kill()
        assert program.returncode == -signal.SIGKILL
        assert proxy.lines[0].passed[at.direction] == at.at
    one.rest()
    with start(one.dovecot) as program:
        assert program.communicate()[0] == f"{one.count}\n"
    assert program.returncode == 0
    one.assert_done()


class Impatient:
    """A progress bar whose user presses Ctrl-C."""

    def __init__(self, patience: int) -> None:
        self.total = 0
        self._patience = patience

    def update(self, _: int) -> None:
        self._patience -= 1
        if not self._patience:
            raise KeyboardInterrupt


@pytest.mark.parametrize("patience", range(1, 7))  # two times for each of three folders
@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("kind", CAPABILITIES)
def test_what_ctrl_c_has_broken_off_is_finished_by_the_same_session(
    account: Callable[[str, str], Account], kind: str, verb: str, patience: int
) -> None:
    dovecot = account(kind, verb).dovecot
    user = dovecot.new_user()
    folders = ["INBOX", "Archive", "Junk"]
    for number, folder in enumerate(folders):
        letters = [messages.plain(3 * number + one) for one in range(3)]
        dovecot.deliver(user, letters, folder)
    with closing(sign_in(dovecot, user, dovecot.password, Clock().retry())) as session:
        session.create_folder(TARGET)
        rows = session.search(folder=folders)
        plan = getattr(session, verb)(rows, TARGET)
        with pytest.raises(KeyboardInterrupt):
            apply(session, plan, progress=Impatient(patience))
        marked = contents(dovecot, user)
        some = session.headers(folder="*", progress=False)  # as much as is there
        assert len(some) == sum(map(len, marked.values()))
        assert apply(session, plan).counts["done"] == 9
    everything = Counter(f"Message {number}" for number in range(9))
    found = subjects(contents(dovecot, user))
    assert found.pop(TARGET) == everything
    assert sum(found.values(), Counter()) == (everything if verb == "copy" else Counter())
