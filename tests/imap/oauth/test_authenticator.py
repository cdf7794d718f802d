"""Staying signed in, and signing out."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import NotSupportedError
from mailframe.imap.oauth import OAuth2Authenticator, tokens
from mailframe.imap.oauth.tokens import FileTokens
from tests.conftest import CHECKOUT, require
from tests.imap.oauth.signing import ME, YOU, Clock, answering, refused
from tests.rigs.oauth import (
    REVOKE,
    TOKEN,
    WARNINGS,
    OAuthRig,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

pytestmark = pytest.mark.filterwarnings(WARNINGS)


def test_a_token_is_used_until_a_minute_before_it_ends(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], clock: Clock
) -> None:
    authenticator = made()
    first = authenticator.token(ME)
    clock.now += 3600 - 61
    assert authenticator.token(ME) == first
    assert not oauth.asked(TOKEN, grant_type="refresh_token")
    clock.now += 1
    second = authenticator.token(ME)
    assert second != first
    assert oauth.knows(second)
    clock.now += 3600 - 61
    assert authenticator.token(ME) == second


def test_a_token_of_unknown_life_is_used_until_it_is_refused(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], clock: Clock
) -> None:
    oauth.faults[TOKEN] = answering({"access_token": "x", "refresh_token": "r"})
    authenticator = made()
    authenticator.token(ME)
    clock.now += 10**8
    assert authenticator.token(ME) == "x"
    oauth.faults[TOKEN] = answering({"access_token": "y"})
    assert authenticator.token(ME, fresh=True) == "y"


def test_a_refused_token_is_refreshed_at_once(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    authenticator = made()
    first = authenticator.token(ME)
    second = authenticator.token(ME, fresh=True)
    third = authenticator.token(ME, fresh=True)
    assert len({first, second, third}) == 3
    assert oauth.knows(third)


@pytest.mark.parametrize("rotates", [False, True])
def test_the_refresh_token_that_counts_is_kept(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    rotates: bool,  # noqa: FBT001 a case
) -> None:
    oauth.rotates = rotates
    path = tmp_path / "tokens.json"
    authenticator = made(token_file=path)
    kept = []
    for _ in range(3):
        authenticator.token(ME, fresh=True)
        token = FileTokens(path).load(ME)
        assert token is not None
        kept.append(token.refresh_token)
    assert len(set(kept)) == (3 if rotates else 1)
    assert oauth.knows(kept[-1])


def test_a_token_file_lets_the_next_program_in_without_a_sign_in(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "tokens.json"
    first = made(token_file=path).token(ME)
    oauth.requests.clear()
    nobody = made(token_file=path, open_browser=lambda _: pytest.fail("opened"))
    assert nobody.token(ME) == first
    assert oauth.requests == []
    clock.now += 3600
    assert oauth.knows(nobody.token(ME))


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"discovery_url": "https://[::1]"}])
def test_tokens_of_another_client_or_server_are_not_shown_to_this_one(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    change: dict[str, str],
) -> None:
    path = tmp_path / "tokens.json"
    made(token_file=path).token(ME)
    oauth.requests.clear()
    opened: list[str] = []
    stranger = made(token_file=path, open_browser=opened.append, timeout=0, **change)
    refused(lambda: stranger.token(ME))
    assert not oauth.asked(TOKEN)


def test_a_withdrawn_refresh_token_needs_a_new_sign_in_which_is_not_begun_unasked(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    browser = oauth.browser(ME)
    authenticator = made(token_file=path, open_browser=browser)
    authenticator.token(ME)
    oauth.withdraw(ME)
    before = path.read_text()
    error = refused(lambda: authenticator.token(ME, fresh=True))
    assert error.code in {"invalid-grant", "clock-skew"}
    assert "authorize(" in error.suggestion
    assert path.read_text() == before
    assert len(browser.opened) == 1
    authenticator.authorize(ME)
    assert oauth.knows(authenticator.token(ME))


def test_without_a_refresh_token_a_new_sign_in_is_not_begun_unasked(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[TOKEN] = answering({"access_token": "x"})
    browser = oauth.browser(ME)
    authenticator = made(open_browser=browser)
    authenticator.token(ME)
    assert refused(lambda: authenticator.token(ME, fresh=True)).code == "no-refresh-token"
    assert len(browser.opened) == 1


def test_a_refresh_that_fails_for_a_while_loses_nothing(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    authenticator = made()
    authenticator.token(ME)
    oauth.faults[TOKEN] = answering("down", 503)
    assert refused(lambda: authenticator.token(ME, fresh=True)).code == "token-endpoint-down"
    del oauth.faults[TOKEN]
    assert oauth.knows(authenticator.token(ME, fresh=True))


@pytest.mark.parametrize(("off", "code"), [(0, "invalid-grant"), (-900, "clock-skew")])
def test_a_clock_that_is_wrong_is_told_of_with_the_refusal(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    off: float,
    code: str,
) -> None:
    authenticator = made()
    authenticator.token(ME)
    oauth.withdraw(ME)
    oauth.clock_ahead = off
    error = refused(lambda: authenticator.token(ME, fresh=True))
    assert error.code == code
    assert ("15 minutes ahead" in error.suggestion) == bool(off)


def test_several_accounts_have_a_token_each(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    mine = made(token_file=path).token(ME)
    theirs = made(token_file=path, open_browser=oauth.browser(YOU)).token(YOU)
    nobody = made(token_file=path, open_browser=lambda _: pytest.fail("opened"))
    assert (nobody.token(ME), nobody.token(YOU)) == (mine, theirs)


def test_threads_whose_tokens_were_refused_at_once_refresh_once(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    authenticator = made()
    first = authenticator.token(ME)
    oauth.requests.clear()
    both = threading.Barrier(4)
    got: list[str] = []

    def work() -> None:
        authenticator.token(ME)
        both.wait(10)
        got.append(authenticator.token(ME, fresh=True))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(got)) == 1
    assert len(got) == 4
    assert got[0] != first
    assert len(oauth.asked(TOKEN)) == 1


def test_of_two_that_refresh_at_once_one_does_and_both_go_on(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    oauth.rotates = True
    path = tmp_path / "tokens.json"
    one, two = made(token_file=path), made(token_file=path)
    one.token(ME)
    clock.now += 3600
    arrived = threading.Event()
    acquire = tokens.acquire
    got: dict[str, str] = {}

    def seen(lock: int, name: str) -> None:
        if threading.current_thread() is other:
            arrived.set()
        acquire(lock, name)

    def slowly(rig: OAuthRig, _form: dict[str, str]) -> None:
        rig.faults.clear()  # the second one would be answered at once
        other.start()
        arrived.wait(10)

    monkeypatch.setattr(tokens, "acquire", seen)
    other = threading.Thread(target=lambda: got.update(two=two.token(ME)))
    oauth.requests.clear()
    oauth.faults[TOKEN] = slowly
    got["one"] = one.token(ME)
    other.join(10)
    assert got["one"] == got["two"]
    assert len(oauth.asked(TOKEN)) == 1


PROGRAM = """
import sys
from mailframe.imap.oauth import OAuth2Authenticator
url, path, user = sys.argv[1:]
def never(_): raise SystemExit("asked to sign in")
one = OAuth2Authenticator("mailframe-tests", token_file=path, discovery_url=url, flow="browser",
                          open_browser=never, tell=never)
print(one.token(user))
"""


def test_two_processes_share_a_token_file(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path, clock: Clock
) -> None:
    oauth.rotates = True
    path = tmp_path / "tokens.json"
    clock.now = time.time() - 7200
    made(token_file=path).token(ME)
    oauth.requests.clear()
    command = [sys.executable, "-c", PROGRAM, oauth.url, str(path), ME]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) for _ in range(2)
    ]
    first, second = (process.communicate(timeout=60)[0] for process in running)
    assert first == second
    assert oauth.knows(first.strip())
    assert len(oauth.asked(TOKEN)) == 1


def test_a_keyring_has_no_lock_and_whoever_loses_reads_again(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    require("keyring", "keyring")
    held: dict[tuple[str, str], str] = {}
    monkeypatch.setattr("keyring.get_password", lambda *key: held.get(key))
    monkeypatch.setattr("keyring.set_password", lambda *key: held.update({key[:2]: key[2]}))
    oauth.rotates = True
    one, two = made(keyring=True), made(keyring=True)
    one.token(ME)

    def meanwhile(rig: OAuthRig, _form: dict[str, str]) -> None:
        rig.faults.clear()
        got.append(two.token(ME, fresh=True))

    got: list[str] = []
    oauth.faults[TOKEN] = meanwhile
    got.append(one.token(ME, fresh=True))
    assert all(map(oauth.knows, got[1:]))
    assert oauth.knows(two.token(ME, fresh=True))


# -- signing out


def test_revoking_ends_the_tokens_there_and_here(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    authenticator = made(token_file=path)
    token = authenticator.token(ME)
    kept = FileTokens(path).load(ME)
    assert authenticator.revoke(ME)
    assert kept is not None
    assert not oauth.knows(token)
    assert not oauth.knows(kept.refresh_token)
    assert FileTokens(path).load(ME) is None
    assert not authenticator.revoke(ME)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answering({"error": "unsupported_token_type"}, 400), "revocation-failed"),
        (answering("down", 503), "token-endpoint-down"),
        (answering("", 302, Location="https://hotel.example.com"), "token-endpoint-html"),
    ],
)
def test_a_revocation_that_fails_can_be_tried_again(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], answer: Answer, code: str
) -> None:
    authenticator = made()
    authenticator.token(ME)
    oauth.faults[REVOKE] = answer
    assert refused(lambda: authenticator.revoke(ME)).code == code
    del oauth.faults[REVOKE]
    assert authenticator.revoke(ME)


def test_a_token_that_has_gone_already_is_forgotten(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    authenticator = made()
    authenticator.token(ME)
    oauth.faults[REVOKE] = answering({"error": "invalid_token"}, 400)
    assert authenticator.revoke(ME)


def test_where_nothing_can_be_revoked_tokens_are_forgotten_here(
    made: Callable[..., OAuth2Authenticator], google: dict[str, Any]
) -> None:
    authenticator = made(**google)
    authenticator.token(ME)
    assert not authenticator.revoke(ME)
    assert authenticator._tokens.load(ME) is None


# -- arguments


@pytest.mark.parametrize("username", ["me\r\n@example.com", "me\0", "me\1auth=Bearer x\1\1"])
def test_a_user_name_with_control_characters_is_refused_before_anything_happens(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], username: str
) -> None:
    authenticator = made()
    for work in (authenticator.token, authenticator.authorize, authenticator.get_auth_string):
        refused(lambda work=work: work(username))  # type: ignore[misc]
    assert oauth.requests == []


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authlib.integrations.requests_client", None)
    authenticator = OAuth2Authenticator(
        "client", provider="microsoft", flow="browser", tell=lambda _: None
    )
    with pytest.raises(NotSupportedError, match=r"mailframe\[oauth\]"):
        authenticator.token(ME)


def test_a_file_that_cannot_be_used_is_known_before_somebody_signs_in(
    made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("{")
    path.chmod(0o600)
    authenticator = made(token_file=path, open_browser=lambda _: pytest.fail("opened"))
    assert refused(lambda: authenticator.authorize(ME)).code == "token-file-corrupt"
