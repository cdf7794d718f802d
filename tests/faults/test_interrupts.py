"""Whoever breaks off a call finds a session that works: in step, or connected anew."""

from __future__ import annotations

import gc
import itertools
import linecache
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

import mailframe
from mailframe.imap.wire import Wire
from tests.faults.reading import Mailbox, assert_same, read_all, some_messages
from tests.rigs.proxy import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.proxy import FaultProxy

    Through = Callable[..., FaultProxy]
    SignIn = Callable[..., Session]

# A connection interrupted while it is made is closed when it is collected, which Python tells.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let Python tell it here, and not in the midst of another test."""
    yield
    gc.collect()


PACKAGE = str(Path(mailframe.__file__).parent / "imap")
FEW = 30
#: Places in a program at which it is interrupted, in the long version.
INTERRUPTS = 600
INTERRUPTS_OF_EACH = 50
#: Seconds for the call after an interrupt; it takes a tenth of one.
WATCHED = 30


class Impatient:
    """A progress bar whose user has had enough."""

    def __init__(self, patience: int, error: type[BaseException]) -> None:
        self.total = 0
        self._patience = patience
        self._error = error

    def update(self, n: int) -> None:
        self._patience -= n
        if self._patience <= 0:
            raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("patience", [1, 777])
@pytest.mark.parametrize("method", ["headers", "bodies"])
def test_a_callback_that_raises_leaves_a_session_that_works(
    through: Through,
    session: SignIn,
    reference: Reference,
    error: type[BaseException],
    patience: int,
    method: str,
) -> None:
    one = session(through())
    with pytest.raises(error):
        getattr(one, method)(progress=Impatient(patience, error))
    assert_same(read_all(one), reference.frames)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_download_broken_off_leaves_the_connection_in_step(
    through: Through,
    session: SignIn,
    reference: Reference,
    tmp_path: Path,
    error: type[BaseException],
) -> None:
    proxy = through()
    one = session(proxy)
    rows = one.attachments(progress=False)
    with pytest.raises(error):
        one.download(rows, tmp_path, progress=Impatient(1, error))
    assert_same(read_all(one), reference.frames)
    # What was still in flight was read, to nobody: there was no need for another connection.
    assert len(proxy.lines) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_event_handler_that_raises_leaves_a_session_that_works(
    through: Through, session: SignIn, reference: Reference, error: type[BaseException]
) -> None:
    upset = iter([error])

    def complain(_: object) -> None:
        for one in upset:
            raise one

    proxy = through(Fault("cut", len(reference.said) // 2))
    one = session(proxy)
    with one._source.listening(complain), pytest.raises(error):
        read_all(one)
    assert_same(read_all(one), reference.frames)


@pytest.mark.parametrize("received", [1, 2, 3, 5, 8, 13])
def test_ctrl_c_while_waiting_for_the_server_leaves_a_session_that_works(
    through: Through,
    session: SignIn,
    reference: Reference,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    received: int,
) -> None:
    one = session(through())
    fill, count = Wire._fill, itertools.count(1)

    def interrupted(wire: Wire) -> int:
        if next(count) == received:
            signal.raise_signal(signal.SIGINT)
        return fill(wire)

    monkeypatch.setattr(Wire, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_all(one)
    assert_same(read_all(one), reference.frames)
    # The connection was dropped at once, not when answers came to what nobody had asked.
    lost = [one.getMessage() for one in caplog.records if "trying again" in one.getMessage()]
    assert all("was lost)" in line for line in lost)


class InterruptAt:
    """Raises KeyboardInterrupt at the n-th line that is run of some files, as Ctrl-C may."""

    def __init__(self, number: int = 0, files: str = PACKAGE) -> None:
        self.lines = 0
        self._number = number
        self._files = files
        self.hit = ""

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, _event: str, _arg: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(self._files) else None

    def _line(self, frame: FrameType, event: str, _arg: object) -> Any:
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
        # The end of a with block shows as its first line; there Python lets no signal in, else no
        # lock would be safe.
        if event == "line" and not line.startswith("with "):
            self.lines += 1
            if self.lines == self._number:
                self.hit = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self._line


@pytest.fixture
def watchdog() -> Iterator[None]:
    """End a test that hangs: it waits for what nobody will give it."""

    def bark(*_: object) -> None:
        message = f"nothing for {WATCHED} seconds"
        raise AssertionError(message)

    before = signal.signal(signal.SIGALRM, bark)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def small(dovecot: Dovecot) -> Mailbox:
    user = dovecot.new_user()
    dovecot.deliver(user, some_messages(FEW))
    return Mailbox(dovecot.host, dovecot.port, user, dovecot.password)


def test_an_interrupt_at_any_line_leaves_a_session_that_works(
    session: SignIn,
    small: Mailbox,
    full: bool,  # noqa: FBT001 a fixture
    watchdog: None,  # noqa: ARG001 against a connection that is never given back
) -> None:
    one = session(small, small.user)
    read_all(one)
    with InterruptAt() as undisturbed:
        expected = read_all(one)
    count = INTERRUPTS if full else INTERRUPTS // 10
    for number in range(1, undisturbed.lines, undisturbed.lines // count):
        interrupted(one, InterruptAt(number), expected)


@pytest.mark.parametrize("module", ["pool.py", "source.py", "connection.py"])
def test_an_interrupt_at_any_line_of_what_lends_connections(
    session: SignIn,
    small: Mailbox,
    module: str,
    full: bool,  # noqa: FBT001 as above
    watchdog: None,  # noqa: ARG001 as above
) -> None:
    one = session(small, small.user)
    read_all(one)
    files = f"{PACKAGE}/{module}"
    with InterruptAt(files=files) as undisturbed:
        expected = read_all(one)
    step = 1 if full else max(undisturbed.lines // INTERRUPTS_OF_EACH, 1)
    for number in range(1, undisturbed.lines + 1, step):
        interrupted(one, InterruptAt(number, files), expected)


def interrupted(session: Session, interrupt: InterruptAt, expected: list[Any]) -> None:
    signal.alarm(WATCHED)
    with interrupt, pytest.raises(KeyboardInterrupt):
        read_all(session)
    try:
        assert_same(read_all(session), expected)
    except BaseException as error:
        error.add_note(f"interrupted at {interrupt.hit}")
        raise
