"""A mailbox of 2,000 messages on Dovecot, what is in it, and sessions to it through a proxy."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mailframe.imap import pool
from tests.faults.reading import COUNT, Clock, Mailbox, read_all, sign_in, some_messages
from tests.faults.streams import positions
from tests.rigs.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from mailframe.session import Session
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.proxy import Fault

KINDS = ("cut", "reset", "stall")
#: Positions in the stream, in the long version; plain pytest takes every tenth.
POSITIONS = 300


class Reference(NamedTuple):
    """An undisturbed run.

    Attributes
    ----------
    frames
        What was read.
    said, asked
        What the server and the client said, to the last byte before LOGOUT.
    places
        Where in ``said`` it is worth breaking.
    """

    frames: list[pd.DataFrame]
    said: bytes
    asked: bytes
    places: list[int]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_full = metafunc.config.getoption("--full")
    numbers = range(0, POSITIONS, 1 if is_full else 10)
    if {"kind", "number"} <= set(metafunc.fixturenames):
        # Positions are of three families in turn: each kind of fault meets each of them.
        pairs = (
            [(kind, n) for n in numbers for kind in KINDS]
            if is_full
            else [(KINDS[n // 30 % 3], n) for n in numbers]
        )
        metafunc.parametrize(("kind", "number"), pairs)
    elif "number" in metafunc.fixturenames:
        metafunc.parametrize("number", numbers)


@pytest.fixture(scope="session")
def mailbox(dovecot: Dovecot) -> Mailbox:
    user = dovecot.new_user()
    dovecot.deliver(user, some_messages(COUNT))
    return Mailbox(dovecot.host, dovecot.port, user, dovecot.password)


@pytest.fixture(scope="session")
def reference(mailbox: Mailbox) -> Reference:
    def run(proxy: FaultProxy) -> list[pd.DataFrame]:
        stack.enter_context(proxy)
        retry = Clock().retry()
        return read_all(stack.enter_context(sign_in(proxy, mailbox.user, mailbox.password, retry)))

    with ExitStack() as stack:
        run(FaultProxy(mailbox.host, mailbox.port))  # Dovecot makes its index
        proxy = FaultProxy(mailbox.host, mailbox.port, record=True)
        frames = run(proxy)
        said, asked = (bytes(proxy.lines[0].said[side]) for side in ("S", "C"))
    assert all(len(frame) == COUNT for frame in frames)
    return Reference(frames, said, asked, positions(said, POSITIONS))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every server count as far away, so that several connections are worth while."""
    monkeypatch.setattr(pool, "FAR", 0)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as everything:
        yield everything


@pytest.fixture
def through(mailbox: Mailbox, stack: ExitStack) -> Callable[..., FaultProxy]:
    """Return a function that puts a proxy in front of the mailbox."""

    def start(*faults: Fault, **options: Any) -> FaultProxy:
        return stack.enter_context(FaultProxy(mailbox.host, mailbox.port, faults, **options))

    return start


@pytest.fixture
def session(mailbox: Mailbox, clock: Clock, stack: ExitStack) -> Callable[..., Session]:
    """Return a function that signs in to the mailbox, most often through a proxy."""

    def start(server: Any, user: str = mailbox.user, **options: Any) -> Session:
        settings = {"retry": clock.retry(), **options}
        return stack.enter_context(sign_in(server, user, mailbox.password, **settings))

    return start
