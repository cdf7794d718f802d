"""A token that cannot be saved is used for as long as this process lasts."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mailframe.imap.oauth.tokens import FileTokens
from tests.conftest import require
from tests.imap.oauth.signing import ME, Clock, answering
from tests.rigs.oauth import TOKEN, WARNINGS, OAuthRig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailframe.imap.oauth import OAuth2Authenticator

pytestmark = pytest.mark.filterwarnings(WARNINGS)


def fail_to_write(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_new_token_that_cannot_be_saved_is_not_lost(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    oauth.rotates = True
    path = tmp_path / "tokens.json"
    authenticator = made(token_file=path)
    authenticator.token(ME)
    before = path.read_text()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail_to_write)
        first = authenticator.token(ME, fresh=True)
        assert authenticator.token(ME) == first
        second = authenticator.token(ME, fresh=True)  # the one in the file has been used up
    assert path.read_text() == before
    assert oauth.knows(second)
    assert "No space left" in caplog.text
    assert "memory only" in caplog.text
    third = authenticator.token(ME, fresh=True)
    kept = FileTokens(path).load(ME)
    assert kept is not None
    assert kept.access_token == third == authenticator.token(ME)
    assert not [one for one in (first, second, kept.refresh_token) if one in caplog.text]


def test_a_sign_in_that_cannot_be_saved_is_not_lost(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = oauth.browser(ME)
    authenticator = made(token_file=tmp_path / "tokens.json", open_browser=browser)
    monkeypatch.setattr("os.fsync", fail_to_write)
    first = authenticator.token(ME)
    assert authenticator.token(ME) == first
    assert oauth.knows(authenticator.token(ME, fresh=True))
    assert len(browser.opened) == 1
    assert authenticator.revoke(ME)
    assert authenticator._load(ME) is None


def test_a_sign_in_during_which_the_folder_went_is_not_lost(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    browser = oauth.browser(ME)

    def opened(url: str) -> None:
        shutil.rmtree(folder)
        folder.write_text("a file, not a folder")
        browser(url)

    authenticator = made(token_file=folder / "tokens.json", open_browser=opened)
    authenticator.authorize(ME)
    token = authenticator._load(ME)
    assert token is not None
    assert oauth.knows(token.access_token)


def test_a_sign_in_is_not_lost_while_another_program_keeps_the_file(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> None:
    monkeypatch.setattr("mailframe.imap.oauth.locks.time", clock)
    path = tmp_path / "tokens.json"
    browser = oauth.browser(ME)
    with ExitStack() as held:

        def opened(url: str) -> None:
            held.enter_context(FileTokens(path).locked())
            browser(url)

        authenticator = made(token_file=path, open_browser=opened)
        token = authenticator.token(ME)
    assert oauth.knows(token)
    assert not path.exists()
    assert authenticator.token(ME) == token


def test_what_another_process_saved_counts_once_the_unsaved_token_is_refused(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "tokens.json"
    authenticator = made(token_file=path)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail_to_write)
        authenticator.token(ME)
    oauth.withdraw(ME)
    made(token_file=path).token(ME)
    assert oauth.knows(authenticator.token(ME, fresh=True))


def test_a_token_too_long_for_the_keyring_is_kept_in_memory(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    require("keyring", "keyring")

    def take(_service: str, _username: str, _secret: str) -> None:
        raise OSError(1783, "The stub received bad data")

    monkeypatch.setattr("keyring.get_password", lambda *_: None)
    monkeypatch.setattr("keyring.set_password", take)
    oauth.faults[TOKEN] = answering({"access_token": "a", "refresh_token": "r" * 1300})
    browser = oauth.browser(ME)
    authenticator = made(keyring=True, open_browser=browser)
    assert authenticator.token(ME) == authenticator.token(ME) == "a"
    assert len(browser.opened) == 1
    assert "too long for this keyring" in caplog.text
    assert "rrr" not in caplog.text
