"""The registered client, and what gets tokens by it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import NotSupportedError
from mailframe.imap.oauth import clients
from mailframe.imap.oauth.clients import Client, authenticator_for, find_client, save_client
from mailframe.imap.oauth.tokens import FileTokens, MemoryTokens
from tests.conftest import require
from tests.imap.oauth.signing import MARK

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a client of Google's, and nowhere to keep tokens."""
    for name in filter(lambda one: one.startswith("MAILFRAME_"), list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "client")
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_SECRET", f"secret-{MARK}")
    monkeypatch.setattr(clients, "has_keyring", lambda: False)
    monkeypatch.setattr(clients, "_MADE", {})


def test_without_a_place_for_tokens_they_last_as_long_as_the_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = authenticator_for("google")
    assert authenticator_for("google") is one
    assert isinstance(one._tokens, MemoryTokens)
    authenticator_for("google", proxy="http://proxy.example.com:3128")
    [record] = caplog.records
    assert "MAILFRAME_TOKEN_FILE" in record.getMessage()


def test_another_client_place_or_proxy_has_another_authenticator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = [authenticator_for("google")]
    made.append(authenticator_for("google", proxy=f"http://me:{MARK}@proxy.example.com:3128"))
    for name, value in (
        ("MAILFRAME_GOOGLE_CLIENT_ID", "another"),
        ("MAILFRAME_GOOGLE_CLIENT_SECRET", "another"),
        ("MAILFRAME_TOKEN_FILE", str(tmp_path / "tokens.json")),
    ):
        monkeypatch.setenv(name, value)
        made.append(authenticator_for("google"))
    assert len(set(map(id, made))) == len(made)
    assert isinstance(made[-1]._tokens, FileTokens)
    assert made[1]._proxy.value
    assert MARK not in repr(clients._MADE) + repr(list(map(vars, made)))


@pytest.mark.parametrize("kept_in", ["", "file"])
def test_a_token_file_without_a_name_is_none(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kept_in: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MAILFRAME_TOKEN_FILE", kept_in and str(tmp_path / "tokens.json"))
    kind = FileTokens if kept_in else MemoryTokens
    assert isinstance(authenticator_for("google")._tokens, kind)
    assert bool(caplog.records) != bool(kept_in)


@pytest.mark.parametrize("key", ["google", "Google", " GOOGLE", "gmail", "Gmail"])
def test_a_key_is_taken_in_any_case_and_a_providers_own_too(key: str) -> None:
    assert authenticator_for(key) is authenticator_for("google")
    assert find_client(key) == Client("client", f"secret-{MARK}")


def test_a_client_saved_under_a_providers_own_key_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require("keyring", "keyring")
    held: dict[tuple[str, str], str] = {}
    monkeypatch.setattr("keyring.get_password", lambda *key: held.get(key))
    monkeypatch.setattr("keyring.set_password", lambda *key: held.update({key[:2]: key[2]}))
    save_client("Outlook", Client("mine", ""))
    assert find_client("microsoft") == Client("mine", "")


def test_an_unknown_provider_is_told_of() -> None:
    with pytest.raises(NotSupportedError, match="acme"):
        authenticator_for("acme")
