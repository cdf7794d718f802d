"""The diary: what was done, how much of it, and what it cost, in a line."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.exceptions import MessageNotFoundError
from mailframe.imap.diary import noted
from mailframe.imap.trace import Recorder
from tests.imap.replies import MIXED, MIXED_HEADER, message
from tests.rigs.scripted import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from tests.rigs.scripted import ScriptedServer


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


# -- of a session


@pytest.fixture
def session(scripted: Callable[..., ScriptedServer]) -> Iterator[mf.Session]:
    """Return a session on a server with one message, which has an attachment."""
    whole = MIXED_HEADER % 1 + (
        b"--b\r\n\r\nHello.\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment\r\n\r\nPDF\r\n--b--\r\n"
    )
    parts = {b"2]<0>": literal(b"aGVsbG8="), b"": literal(whole)}
    items = message(structure=MIXED, header=MIXED_HEADER, parts=parts, size=len(whole))
    server = scripted(
        messages={1: items.replace(b"<0>]", b"<0>")}, folders=[b"INBOX", b"A"],
        capabilities="IMAP4rev1",
    )  # fmt: skip
    server.handlers["STATUS"] = b"<tag> NO\r\n"
    with mf.connect(
        server.host, "me", password="canary", port=server.port, security="none"
    ) as session:
        yield session


def deeds(lines: list[str]) -> list[str]:
    """Return what was done and how much of it, without what it cost."""
    return [re.sub(r" \([^()]*\)$", "", line) for line in lines]


def test_each_thing_that_a_session_does_is_a_line(
    session: mf.Session, diary: Callable[[], list[str]], tmp_path: Path
) -> None:
    session.folders()
    session.count()
    rows = session.attachments(progress=False)
    session.message(1)
    session.download(rows, tmp_path, progress=False)
    done = deeds(diary())
    assert done[:5] == [
        "listed the folders: 2 folders",
        "searched 'INBOX': 1 message",
        "searched 'INBOX': 1 message",
        "read attachments of 'INBOX': 1 message",
        "read message 1 of 'INBOX': 1 message",
    ]
    assert done[-1] == "downloaded from 'INBOX': 1 part"
    assert all(re.search(r"\([\d,]+ commands?, [\d,]+ bytes in 0\.00 s\)$", o) for o in diary())


def test_what_a_session_could_not_do_was_broken_off(
    session: mf.Session, diary: Callable[[], list[str]]
) -> None:
    with pytest.raises(MessageNotFoundError):
        session.message(99)
    assert deeds(diary()) == ["read message 99 of 'INBOX', then broken off"]
