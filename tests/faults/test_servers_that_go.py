"""A server that restarts is waited for; one that stays away is an error, when the time is up."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mailframe.embedded import Server
from mailframe.embedded.store import Account
from mailframe.exceptions import ConnectionFailedError, FolderError, UidValidityError
from mailframe.imap.line import IDLE
from tests.conftest import missing
from tests.faults.reading import STALLED, Mailbox, assert_same, read_all, sign_in, some_messages
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.faults.reading import Clock
    from tests.rigs.scripted import Connection, ScriptedServer

    Through = Callable[..., FaultProxy]
    SignIn = Callable[..., Session]

SEVERAL = 300
#: How often no command is asked again.
MANY = 20


@pytest.mark.parametrize("pauses", [1, 2, 5])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_server_that_is_gone_for_a_while_is_waited_for(
    through: Through,
    session: SignIn,
    reference: Reference,
    clock: Clock,
    pauses: int,
    share: float,
) -> None:
    proxy = through(Fault("reset", int(len(reference.said) * share)))

    def at_sleep(number: int) -> None:
        if number == 1:
            proxy.go_away()
        if number == pauses:
            proxy.come_back()

    clock.at_sleep = at_sleep
    if pauses == 1:
        clock.at_sleep = lambda _: (proxy.go_away(), proxy.come_back())
    assert_same(read_all(session(proxy)), reference.frames)
    assert len(clock.slept) == pauses
    # The first attempt comes at once, the others ever later.
    assert clock.slept == sorted(set(clock.slept))
    assert clock.slept[0] == 0


@pytest.mark.parametrize("limit", [0, 1, 60, 600])
def test_a_server_that_stays_away_is_an_error_when_the_time_is_up(
    through: Through, session: SignIn, reference: Reference, clock: Clock, limit: float
) -> None:
    proxy = through(Fault("cut", len(reference.said) // 2))
    one = session(proxy, retry=clock.retry(limit))
    clock.at_sleep = lambda number: proxy.go_away() if number == 1 else None
    before = clock.now
    with pytest.raises(ConnectionFailedError, match=r"mf\.connect"):
        read_all(one)
    assert clock.now - before == pytest.approx(limit)
    assert bool(clock.slept) == bool(limit)
    if limit:
        proxy.come_back()
        clock.at_sleep = lambda _: None
        assert_same(read_all(one), reference.frames)


def test_a_server_that_went_between_two_calls_is_connected_to_again(
    through: Through, session: SignIn, reference: Reference
) -> None:
    proxy = through()
    one = session(proxy)
    first = [one.headers(progress=False)]
    proxy.go_away()
    proxy.come_back()
    assert_same([*first, one.bodies(html=True, progress=False)], reference.frames)
    assert len(proxy.lines) == 2


def test_a_line_that_died_overnight_is_noticed_before_it_is_relied_on(
    through: Through, session: SignIn, reference: Reference, clock: Clock
) -> None:
    proxy = through()
    one = session(proxy, timeout=STALLED)
    one.count()
    proxy.stall()  # nobody hangs up: only silence tells
    clock.now += 8 * 3600
    assert_same(read_all(one), reference.frames)
    assert len(proxy.lines) == 2


def test_a_connection_is_tried_when_it_was_idle_for_long_and_only_then(
    scripted: Callable[..., ScriptedServer], clock: Clock
) -> None:
    server = scripted({}, messages={1: b"FLAGS ()"})
    with sign_in(server, "me", "secret", clock.retry()) as one:
        one.count()
        clock.now += IDLE - 1
        one.count()
        assert not server.commands("NOOP")
        clock.now += IDLE + 1
        one.count()
        assert len(server.commands("NOOP")) == 1


def test_a_command_that_ends_every_connection_is_an_error(
    scripted: Callable[..., ScriptedServer], clock: Clock
) -> None:
    asked = []

    def search(_tag: bytes, args: bytes, connection: Connection) -> bytes:
        asked.append(args)
        if len(asked) < MANY:
            connection.close()
        return b"* SEARCH\r\n<tag> OK done\r\n"

    server = scripted({"UID SEARCH": search}, messages={1: b"FLAGS ()"})
    with (
        sign_in(server, "me", "secret", clock.retry()) as one,
        pytest.raises(ConnectionFailedError),
    ):
        one.search()
    assert len(asked) < MANY


# -- a restart


@pytest.fixture
def restarting(stack: ExitStack) -> tuple[Dovecot, Mailbox]:
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    server = stack.enter_context(Dovecot())
    user = server.new_user()
    server.deliver(user, some_messages(SEVERAL))
    return server, Mailbox(server.host, server.port, user, server.password)


def restart(server: Dovecot) -> None:
    """Stop it and start it on the same ports, as a machine does at night."""
    server._stop()
    server._process = subprocess.Popen(
        [str(dovecot_binary()), "-F", "-c", server._config],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert server._is_up()


def test_a_restarted_server_goes_on_where_it_was(
    restarting: tuple[Dovecot, Mailbox], clock: Clock, stack: ExitStack
) -> None:
    server, where = restarting
    with sign_in(server, where.user, where.password, clock.retry()) as undisturbed:
        expected = read_all(undisturbed)
    with FaultProxy(where.host, where.port, record=True) as counting:
        with sign_in(counting, where.user, where.password, clock.retry()) as one:
            read_all(one)
        half = counting.total("S") // 2
    proxy = stack.enter_context(FaultProxy(where.host, where.port, [Fault("cut", half)]))
    one = stack.enter_context(sign_in(proxy, where.user, where.password, clock.retry()))
    clock.at_sleep = lambda _: restart(server)
    assert_same(read_all(one), expected)
    assert len(proxy.lines) == 2


# -- another server under the same name


def serve(stack: ExitStack, first_validity: int, folder: str) -> Server:
    account = Account(first_validity)
    mailbox = account.create(folder)
    for number in range(first_validity, first_validity + SEVERAL):
        account.append(mailbox, messages.plain(number), datetime(2026, 1, 5, tzinfo=UTC))
    return stack.enter_context(Server({"me": "secret"}, accounts={"me": account}))


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ((500, "Archive"), UidValidityError),
        ((1, "Elsewhere"), FolderError),
    ],
    ids=["renumbered", "gone"],
)
@pytest.mark.parametrize("method", ["headers", "bodies", "attachments", "hops", "recipients"])
def test_rows_of_two_folders_are_never_mixed(
    stack: ExitStack, clock: Clock, other: tuple[int, str], error: type[Exception], method: str
) -> None:
    servers = [serve(stack, 1, "Archive"), serve(stack, *other)]
    proxy = stack.enter_context(FaultProxy(servers[0].host, servers[0].port, record=True))
    with sign_in(proxy, "me", "secret", clock.retry()) as one:
        keys = one.search(folder="Archive")
        getattr(one, method)(folder="Archive", progress=False)
    said = bytes(proxy.lines[0].said["S"])
    middle = (said.index(b" FETCH (") + len(said)) // 2
    proxy.faults.append(Fault("cut", middle, connection=2))
    clock.at_sleep = lambda _: setattr(proxy, "server", (servers[1].host, servers[1].port))
    with sign_in(proxy, "me", "secret", clock.retry()) as one:
        with pytest.raises(error, match="Archive"):
            getattr(one, method)(folder="Archive", progress=False)
        with pytest.raises(error, match="Archive"):
            getattr(one, method)(keys, progress=False)
