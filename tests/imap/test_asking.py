"""Questions are for people: what comes through a pipe answers none."""

from __future__ import annotations

import io
import sys

import pytest

from mailframe.imap.asking import NOBODY, ask
from mailframe.imap.credentials import find_password
from mailframe.imap.discovery import Found
from mailframe.imap.way_in import confirm


def test_a_yes_through_a_pipe_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\ny\n"))
    with pytest.raises(NOBODY):
        ask("Is it? ")
    guess = Found("imap.example.org", 993, "tls", "me", "guessed", needs_confirmation="a guess")
    assert not confirm(guess)


def test_a_line_break_at_the_end_of_a_variable_is_no_part_of_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", "secret\r\n")
    assert find_password("me@example.org").value == "secret"
