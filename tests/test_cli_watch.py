"""``mailframe watch``, and tables written as they come."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from mailframe.cli import main
from mailframe.frames import events_frame
from mailframe.printing import show_more
from mailframe.records import Address, Change, Headers, MessageRecord
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot


@pytest.fixture
def arguments(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    authority = str(dovecot._certificate.authority)
    return [f"imaps://{user}@localhost:{dovecot.tls_port}", "--cafile", authority]


@pytest.fixture
def watching(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start ``mailframe watch`` with its output in a pipe, and wait until it watches."""
    with subprocess.Popen(
        [sys.executable, "-m", "mailframe", "watch", *arguments, "--changes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said == "watching 'INBOX'; Ctrl-C ends it\n", said + process.stderr.read()
        yield process
        process.kill()


def test_watch_gives_each_message_as_it_comes_until_ctrl_c(
    watching: subprocess.Popen[str], dovecot: Dovecot, user: str
) -> None:
    assert watching.stdout is not None
    dovecot.deliver(user, [messages.plain(1, subject="Hello")])
    names = watching.stdout.readline().rstrip("\n").split(",")
    first = dict(zip(names, watching.stdout.readline().split(","), strict=False))
    dovecot.deliver(user, [messages.plain(2, subject="Again")])
    second = dict(zip(names, watching.stdout.readline().split(","), strict=False))
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 130
    assert (first["event"], first["uid"], second["uid"]) == ("new", "1", "2")
    assert "Traceback" not in watching.stderr.read()  # type: ignore[union-attr] # is a pipe


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_line_for_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    record = MessageRecord(
        "me@example.com", "INBOX", 1, 7, (), pd.Timestamp("2026-01-05 09:30Z"), 12,
        Headers(from_=(Address("Bad \x1b[2J\nName", "a@example.org"),), subject="Hi\tthere"), (),
    )  # fmt: skip
    gone = MessageRecord.gone("me@example.com", "INBOX", 1, 3)
    flagged = record._replace(uid=8, flags=("\\Seen", "project-x"))
    changes = [Change("new", record), Change("gone", gone), Change("flags", flagged)]
    show_more(events_frame(changes, "me@example.com"), is_first=True)
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("2026-01-05 09:30  new         7  Bad ")
    assert "\x1b" not in lines[0]
    assert lines[1].split() == ["gone", "3"]
    assert lines[2].startswith("2026-01-05 09:30  flags       8  [seen project-x]  Bad ")
    assert max(map(len, lines)) < 80


def test_a_table_goes_to_one_place(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_set, file = str(tmp_path / "mail"), str(tmp_path / "mail.csv")
    assert main(["headers", *arguments, "--dataset", data_set, "--to", file]) == 1
    assert main(["headers", *arguments, "--to", file, "--overwrite"]) == 1
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr().err
    assert "--to or --dataset" in said
    assert "--overwrite is for --dataset" in said


@pytest.mark.parametrize("command", ["headers", "bodies", "attachments"])
def test_a_data_set_is_written_once(
    command: str,
    arguments: list[str],
    dovecot: Dovecot,
    user: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dovecot.deliver(user, [messages.with_attachment(n) for n in range(1, 4)])
    call: list[Any] = [command, *arguments, "--dataset", str(tmp_path / "mail")]
    assert main(call) == 0
    assert len(pd.read_parquet(tmp_path / "mail")) == 3
    assert main(call) == 1
    assert "--overwrite" in capsys.readouterr().err
    dovecot.deliver(user, [messages.with_attachment(4)])
    assert main([*call, "--overwrite"]) == 0
    assert len(pd.read_parquet(tmp_path / "mail")) == 4
