"""Where OAuth tokens are kept: for nobody else to read, and never half written."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import AuthenticationError, NotSupportedError, SaveError
from mailframe.imap.oauth.tokens import FileTokens, KeyringTokens, MemoryTokens, Token
from tests.conftest import require
from tests.imap.oauth.signing import Clock
from tests.test_safety import kept_behind, shown

if TYPE_CHECKING:
    from pathlib import Path

MARK = "Zk9xQ7w"
ME, YOU = "me@example.com", "you@example.org"
TOKEN = Token(f"access-{MARK}", f"refresh-{MARK}", 1_700_000_000.5, "mail", "client", "google")
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")

DAMAGED = {
    "no JSON": f'{{"access_token": "{MARK}"',
    "a list": f'["{MARK}"]',
    "of another program": json.dumps({"token": MARK, "refresh_token": MARK}),
    "of another version": json.dumps({"mailframe_tokens": 2, "accounts": {}}),
    "without accounts": json.dumps({"mailframe_tokens": 1}),
    "accounts in a list": json.dumps({"mailframe_tokens": 1, "accounts": [MARK]}),
    "an account without tokens": json.dumps({"mailframe_tokens": 1, "accounts": {ME: {}}}),
    "a token that is no text": json.dumps(
        {"mailframe_tokens": 1, "accounts": {ME: {"access_token": [MARK]}}}
    ),
    "nested deeply": "[" * 100_000,
    "no text": "\0\x7f",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


# -- files


def test_a_file_keeps_the_tokens_of_several_accounts(path: Path) -> None:
    other = Token("a", expires_at=None)
    tokens = FileTokens(path)
    tokens.save(ME, TOKEN)
    tokens.save(YOU, other)
    again = FileTokens(path)
    assert again.load(ME) == TOKEN
    assert again.load("You@Example.ORG") == other
    again.forget(ME)
    assert tokens.load(ME) is None
    assert tokens.load(YOU) == other


def test_where_there_is_no_file_there_are_no_tokens_and_none_is_made(path: Path) -> None:
    tokens = FileTokens(path)
    assert tokens.load(ME) is None
    tokens.forget(ME)
    assert not path.exists()


def test_an_empty_file_is_written_to(path: Path) -> None:
    write(path, "")
    FileTokens(path).save(ME, TOKEN)
    assert FileTokens(path).load(ME) == TOKEN


@POSIX
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_the_file_is_for_its_owner_alone_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        tokens = FileTokens(path.parent / "new" / "tokens.json")
        with tokens.locked():
            tokens.save(ME, TOKEN)
    finally:
        os.umask(before)
    modes = {one.name: one.stat().st_mode & 0o777 for one in tokens.path.parent.iterdir()}
    assert modes == {"tokens.json": 0o600, "tokens.json.lock": 0o600}
    assert tokens.path.parent.stat().st_mode & 0o777 == 0o700


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_open_is_refused(path: Path, mode: int) -> None:
    tokens = FileTokens(path)
    tokens.save(ME, TOKEN)
    path.chmod(mode)
    for work in (lambda: tokens.load(ME), lambda: tokens.save(YOU, TOKEN)):
        with pytest.raises(AuthenticationError, match="chmod 600") as caught:
            work()
        assert caught.value.code == "token-file-readable"
    assert YOU not in path.read_text()


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_and_left_as_it_is(path: Path, text: str) -> None:
    write(path, text)
    tokens = FileTokens(path)
    for work in (
        lambda: tokens.load(ME),
        lambda: tokens.save(ME, TOKEN),
        lambda: tokens.forget(ME),
    ):
        with pytest.raises(AuthenticationError, match=r"tokens\.json") as caught:
            work()
        assert caught.value.code == "token-file-corrupt"
        assert MARK not in shown(caught.value) + kept_behind(caught.value)
    assert path.read_text() == text


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    tokens = FileTokens(path)
    tokens.save(ME, TOKEN)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = "os.fsync" if step == "fsync" else "pathlib.Path.replace"
    with monkeypatch.context() as patch:
        patch.setattr(target, fail)
        with pytest.raises(SaveError, match="No space left") as caught:
            tokens.save(YOU, TOKEN)
    assert caught.value.code == "token-file-unwritable"
    assert MARK not in shown(caught.value) + kept_behind(caught.value)
    assert tokens.load(ME) == TOKEN
    assert tokens.load(YOU) is None
    assert [one.name for one in path.parent.iterdir()] == ["tokens.json"]


def test_a_folder_that_cannot_be_written_to_is_known_before_anything_is_lost(path: Path) -> None:
    write(path, "a file, not a folder")
    tokens = FileTokens(path / "tokens.json")
    with pytest.raises(SaveError) as caught, tokens.locked():
        pytest.fail("was locked")
    assert caught.value.code == "token-file-unwritable"


def test_what_is_not_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError) as caught:
        FileTokens(tmp_path).load(ME)
    assert caught.value.code in {"token-file-unreadable", "token-file-readable"}


@POSIX
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path, 0o600)
    tokens = FileTokens(path)
    for work in (lambda: tokens.load(ME), lambda: tokens.save(ME, TOKEN)):
        with pytest.raises(AuthenticationError, match="pipe") as caught:
            work()
        assert caught.value.code == "token-file-unreadable"


@POSIX
def test_a_link_stays_a_link(path: Path) -> None:
    real = path.parent / "real.json"
    path.symlink_to(real)
    FileTokens(path).save(ME, TOKEN)
    assert path.is_symlink()
    assert FileTokens(real).load(ME) == TOKEN


@POSIX
def test_whoever_wants_the_lock_waits_for_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailframe.imap.oauth import tokens as module  # noqa: PLC0415 to see who waits

    acquire = module.acquire
    waiting, order = threading.Event(), []

    def seen(lock: int, name: str) -> None:
        if threading.current_thread() is other:
            waiting.set()
        acquire(lock, name)

    def take() -> None:
        with FileTokens(path).locked():
            order.append("other")

    monkeypatch.setattr(module, "acquire", seen)
    other = threading.Thread(target=take)
    with FileTokens(path).locked():
        other.start()
        assert waiting.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "other"]


def test_a_lock_that_is_kept_is_not_waited_for_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("mailframe.imap.oauth.locks.time", clock)
    with FileTokens(path).locked():
        with (
            pytest.raises(AuthenticationError, match=r"tokens\.json\.lock") as caught,
            FileTokens(path).locked(),
        ):
            pytest.fail("was locked twice")
        assert caught.value.code == "token-file-locked"
        assert 59 < sum(clock.slept) < 62
    with FileTokens(path).locked():
        pass


@POSIX
def test_where_files_have_no_locks_it_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with FileTokens(path).locked():
        assert "No locks available" in caplog.text


# -- reprs


def test_no_repr_shows_a_token(path: Path) -> None:
    memory, file = MemoryTokens(), FileTokens(path)
    memory.save(ME, TOKEN)
    file.save(ME, TOKEN)
    reprs = [repr(one) for one in (TOKEN, memory, file, vars(memory), vars(file))]
    assert MARK not in "".join(reprs)


# -- keyrings


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a keyring in memory, put in place of the system's."""
    require("keyring", "keyring")
    from keyring.backend import KeyringBackend  # noqa: PLC0415 an extra
    from keyring.errors import PasswordDeleteError  # noqa: PLC0415

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def __init__(self) -> None:
            self.held: dict[tuple[str, str], str] = {}
            self.failure: Exception | None = None

        def _entry(self) -> dict[tuple[str, str], str]:
            if self.failure:
                raise self.failure
            return self.held

        def get_password(self, service: str, username: str) -> str | None:
            return self._entry().get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self._entry()[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            if (service, username) not in self._entry():
                raise PasswordDeleteError
            del self.held[service, username]

    backend = InMemory()
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(f"keyring.{name}", getattr(backend, name))
    return backend


def test_the_keyring_keeps_the_refresh_token_only(keyring: Any) -> None:
    tokens = KeyringTokens()
    tokens.save(ME, TOKEN)
    assert tokens.load(ME) == TOKEN
    [text] = keyring.held.values()
    assert TOKEN.refresh_token in text
    assert TOKEN.access_token not in text
    later = KeyringTokens().load(ME)
    assert later == Token("", TOKEN.refresh_token, None, "mail", "client", "google")
    tokens.forget(ME)
    assert tokens.load(ME) is None
    tokens.forget(ME)
    assert keyring.held == {}


@pytest.mark.usefixtures("keyring")
def test_what_another_process_put_into_the_keyring_counts() -> None:
    mine = KeyringTokens()
    mine.save(ME, TOKEN)
    KeyringTokens().save(ME, Token("x", "newer"))
    found = mine.load(ME)
    assert found is not None
    assert found.refresh_token == "newer"
    assert found.access_token == ""


@pytest.mark.parametrize("failure", [RuntimeError(MARK), OSError(MARK), ValueError(MARK)])
def test_a_keyring_that_fails_is_told_of_without_what_it_holds(
    keyring: Any, failure: Exception
) -> None:
    tokens = KeyringTokens()
    keyring.failure = failure
    for work in (
        lambda: tokens.load(ME),
        lambda: tokens.save(ME, TOKEN),
        lambda: tokens.forget(ME),
    ):
        with pytest.raises(AuthenticationError) as caught:
            work()
        assert caught.value.code == "keyring-failed"
        assert MARK not in shown(caught.value) + kept_behind(caught.value)


def test_a_token_too_long_for_the_keyring_of_windows_is_told_as_such(keyring: Any) -> None:
    keyring.failure = OSError(1783, "The stub received bad data")
    tokens = KeyringTokens()
    for length, is_long in ((1000, False), (1280, True)):
        with pytest.raises(AuthenticationError) as caught:
            tokens.save(ME, Token("", "r" * length))
        error = caught.value
        assert error.code == "keyring-failed"
        assert ("too long" in str(error)) == is_long
        assert ("MAILFRAME_TOKEN_FILE" in error.suggestion) == is_long


def test_something_else_in_the_keyring_is_no_token(keyring: Any) -> None:
    tokens = KeyringTokens()
    tokens.save(ME, TOKEN)
    keyring.held = dict.fromkeys(keyring.held, MARK)
    with pytest.raises(AuthenticationError) as caught:
        tokens.load(ME)
    assert caught.value.code == "token-file-corrupt"
    assert MARK not in shown(caught.value) + kept_behind(caught.value)


def test_without_the_library_the_keyring_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NotSupportedError, match=r"mailframe\[keyring\]"):
        KeyringTokens()
