"""Which accounts were signed in to: kept, found again, forgotten; never a password."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from mailframe.imap import accounts, discovery
from mailframe.imap.accounts import Account, find_account, forget, has_keyring, known, remember
from mailframe.imap.way_in import find_way
from tests.conftest import require

if TYPE_CHECKING:
    from tests.rigs.keyrings import MemoryKeyring

ME = Account("me@corp.example", "mail.corp.example", 1143, "starttls", "password")
OTHER = Account("Other@free.example", "imap.free.example", 993, "tls", "oauth", "google", "other")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Return a keyring in memory, put in place of the system's."""
    memory: MemoryKeyring = require("tests.rigs.keyrings", "keyring").MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", memory)
    return memory


def broken(*_: object) -> NoReturn:
    raise RuntimeError("locked")


@pytest.mark.usefixtures("backend")
def test_accounts_are_remembered_and_forgotten() -> None:
    assert has_keyring()
    assert known() == []
    assert remember(ME)
    assert remember(OTHER)
    assert known() == [ME, OTHER]
    assert find_account("ME@Corp.Example") == ME
    assert find_account("nobody@corp.example") is None
    assert forget("me@CORP.example")
    assert not forget("me@corp.example")
    assert known() == [OTHER]


@pytest.mark.usefixtures("backend")
def test_signing_in_again_replaces_what_was_known() -> None:
    remember(ME)
    remember(OTHER)
    moved = ME._replace(host="imap.corp.example", username="Me@corp.example")
    assert remember(moved)
    assert known() == [OTHER, moved]


def test_all_accounts_are_one_entry(backend: MemoryKeyring) -> None:
    remember(ME)
    remember(OTHER)
    [(service, _)] = backend.kept
    assert service == accounts.SERVICE == "mailframe-accounts"


def test_without_a_keyring_nothing_is_known_and_nothing_remembered() -> None:
    assert not has_keyring()
    assert not remember(ME)
    assert known() == []
    assert find_account(ME.username) is None
    assert not forget(ME.username)


def test_a_keyring_that_cannot_be_read_is_not_written_to(
    backend: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(ME)
    before = dict(backend.kept)
    monkeypatch.setattr(type(backend), "get_password", broken)
    assert not remember(OTHER)
    assert known() == []
    assert not forget(ME.username)
    assert backend.kept == before


@pytest.mark.parametrize("fails", [broken, lambda *_: None])
def test_a_keyring_that_takes_nothing_is_told_as_such(
    backend: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, fails: Any
) -> None:
    monkeypatch.setattr(type(backend), "set_password", fails)
    assert not remember(ME)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "5", "null", '["x", 5, null, {}]', "[" * 100_000]
)
def test_what_the_keyring_holds_may_be_rubbish(backend: MemoryKeyring, text: str) -> None:
    backend.kept[accounts.SERVICE, "accounts"] = text
    assert known() == []
    assert remember(ME)
    assert known() == [ME]


@pytest.mark.parametrize(
    "change",
    [
        {"username": ""}, {"username": None}, {"host": ""}, {"host": 5}, {"host": "a\r\nb"},
        {"port": "993"}, {"port": True}, {"port": 0}, {"port": 65_536}, {"port": None},
        {"security": "ssl"}, {"security": ""}, {"method": "telepathy"}, {"oauth": 5},
        {"login": "me\n"},
    ],
)  # fmt: skip
def test_an_entry_that_says_no_server_is_left_aside(
    backend: MemoryKeyring, change: dict[str, object]
) -> None:
    entries = [ME._asdict() | change, OTHER._asdict() | {"new": 1}]
    backend.kept[accounts.SERVICE, "accounts"] = json.dumps(entries)
    assert known() == [OTHER]


# -- mf.connect knows them


@pytest.mark.usefixtures("backend")
def test_a_remembered_account_is_neither_looked_for_nor_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "find_server", lambda *_, **__: pytest.fail("looked for"))
    remember(ME)
    remember(OTHER)
    way = find_way("me@corp.example", None, is_confirmed=lambda _: pytest.fail("asked"))
    assert (way.host, way.port, way.security) == (ME.host, ME.port, ME.security)
    assert way.username == "me@corp.example"
    other = find_way(None, "other@free.example", port=1993, is_confirmed=lambda _: False)
    assert (other.host, other.port, other.username) == (OTHER.host, 1993, "other")


@pytest.mark.usefixtures("backend")
def test_a_server_that_is_named_goes_before_the_remembered_one() -> None:
    remember(ME)
    way = find_way("imap.example.org", ME.username, is_confirmed=lambda _: False)
    assert (way.host, way.port, way.security) == ("imap.example.org", None, "tls")
