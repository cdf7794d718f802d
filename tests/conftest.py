"""Fixtures of all rings: servers on free ports, corpora where there are any."""

from __future__ import annotations

import importlib
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from mailframe.imap.retry import Retry
from tests.rigs.certificates import Certificates
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

CHECKOUT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="the long versions: every fault, every fuzz case"
    )


def missing(reason: str) -> NoReturn:
    """Skip the test because this machine lacks something; fail where it must not."""
    if os.environ.get("MAILFRAME_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(name: str, package: str) -> ModuleType:
    """Import a module that not every machine has, by the rule of `missing`."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"{name} is missing; install it: pip install {package}")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the long versions are wanted (``pytest --full``)."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(autouse=True)
def time_flies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for the next attempt on a lost connection: the clock is put forward."""
    ahead = 0.0

    def wait(self: Retry, seconds: float, _woken: object = None) -> None:
        nonlocal ahead
        if self.sleep is not None:
            real_wait(self, seconds)
        else:
            ahead += seconds

    real_wait = Retry.wait
    monkeypatch.setattr(Retry, "wait", wait)
    time = SimpleNamespace(monotonic=lambda: monotonic() + ahead)
    monkeypatch.setattr("mailframe.imap.retry.time", time)


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the passwords of whoever runs the tests out of them."""
    monkeypatch.setenv("NETRC", os.devnull)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in [one for one in os.environ if one.startswith("MAILFRAME_")]:
        if not name.startswith(("MAILFRAME_CORPORA", "MAILFRAME_REQUIRE")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Return the folder of messages and replies from other projects."""
    named = os.environ.get("MAILFRAME_CORPORA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "corpora"
    if not folder.is_dir():
        missing(f"no corpora in {folder}; name their folder in MAILFRAME_CORPORA")
    return folder


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    with tempfile.TemporaryDirectory(prefix="mailframe-certificates-") as folder:
        yield Certificates(Path(folder))


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot() as server:
        yield server


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    """Return a name with an empty mailbox on `dovecot`, for this test alone."""
    return dovecot.new_user()


@pytest.fixture
def scripted(certificates: Certificates) -> Iterator[Callable[..., ScriptedServer]]:
    """Return a function that starts a `ScriptedServer`, to be stopped after the test."""
    with ExitStack() as servers:

        def start(*args: Any, **options: Any) -> ScriptedServer:
            options.setdefault("certificate", certificates.good)
            return servers.enter_context(ScriptedServer(*args, **options))

        yield start
