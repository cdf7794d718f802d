"""Where a password comes from."""

from __future__ import annotations

from typing import NoReturn

import pytest

from mailframe.exceptions import AuthenticationError
from mailframe.imap.credentials import VARIABLE, find_password


def answer(_question: str) -> str:
    return "from-prompt"


def never(_question: str) -> NoReturn:
    pytest.fail("it was asked for without need")


def nobody_there(_question: str) -> NoReturn:
    raise EOFError


def test_what_is_given_goes_before_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from-environment")
    assert find_password("me", "given", never) == "given"


def test_the_environment_goes_before_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from-environment")
    assert find_password("me", None, never) == "from-environment"


@pytest.mark.parametrize("empty", [None, ""])
def test_it_is_asked_for_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, empty: str | None
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert find_password("me", empty, answer) == "from-prompt"


def test_the_question_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "secret"

    find_password("me@example.com", None, ask)
    assert questions == ["Password for me@example.com: "]


@pytest.mark.parametrize("prompt", [None, nobody_there, lambda _question: ""])
def test_without_any_the_error_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, prompt: object
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(AuthenticationError, match=VARIABLE) as caught:
        find_password("me@example.com", None, prompt)  # type: ignore[arg-type] # the mistake itself
    assert "me@example.com" in str(caught.value)
