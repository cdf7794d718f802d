"""The diary: what was done, how much of it, and what it cost, in a line."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from mailframe.imap.diary import noted
from mailframe.imap.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@pytest.fixture
def diary(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return a function that gives the diary's lines, with a 0 for each digit of a second."""
    caplog.set_level(logging.INFO, logger="mailframe.imap.diary")

    def lines() -> list[str]:
        assert {record.levelno for record in caplog.records} == {logging.INFO}
        return [re.sub(r"\d+\.\d\d s", "0.00 s", one.getMessage()) for one in caplog.records]

    return lines


def test_what_was_done_is_a_line_with_what_it_cost(diary: Callable[[], list[str]]) -> None:
    recorder = Recorder()
    first, second = recorder.tap(), recorder.tap()
    first.heard([b"* OK before"], 1000)
    with noted(recorder, "searched 'INBOX'", "message") as note:
        first.sent(b"A1", [b"NOOP"])
        second.sent(b"B1", [b"NOOP"])
        second.heard([b"* 1 FETCH (UID 1)"], 2000)
        note.count = 1234
    assert diary() == ["searched 'INBOX': 1,234 messages (2 commands, 2,018 bytes in 0.00 s)"]


def test_one_is_one(diary: Callable[[], list[str]]) -> None:
    recorder = Recorder()
    with noted(recorder, "read", "message") as note:
        recorder.tap().sent(b"A1", [b"NOOP"])
        note.count += 1
    assert diary() == ["read: 1 message (1 command, 9 bytes in 0.00 s)"]


def test_what_ends_in_an_error_or_is_left_early_was_broken_off(
    diary: Callable[[], list[str]],
) -> None:
    def read() -> Generator[object, None, None]:
        with noted(Recorder(), "read", "message") as note:
            note.count += 1
            yield note

    with pytest.raises(ValueError, match="x"), noted(Recorder(), "searched", "message"):
        raise ValueError("x")
    stream = read()
    next(stream)
    stream.close()
    cost = "(0 commands, 0 bytes in 0.00 s)"
    assert diary() == [
        f"searched, then broken off {cost}",
        f"read: 1 message, then broken off {cost}",
    ]


def test_a_login_does_not_tell_how_long_the_secret_is() -> None:
    recorder = Recorder()
    tap = recorder.tap()
    tap.sent(b"A1", [b"LOGIN me ", b"secret"])
    tap.heard([b"A1 NO secret"], 14)
    assert (recorder.commands, recorder.octets) == (1, 0)
