"""``mailframe report``: made for cron, which reads exit codes and sends letters about output."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from mailframe.cli import main
from tests.rigs import messages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def url(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return the mailbox of somebody who is just about to read a report."""
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot._certificate.authority))
    monkeypatch.chdir(tmp_path)
    return f"imaps://{user}@localhost:{dovecot.tls_port}"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def letter(number: int, when: datetime, **fields: str) -> bytes:
    return messages.plain(number, date=f"{when:%a, %d %b %Y %H:%M:%S +0000}", **fields)


def cron(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[bytes]:
    """Run the command as cron does: without a terminal, and with nobody to ask."""
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-m", "mailframe", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={name: value for name, value in variables.items() if value is not None},
        start_new_session=True,
        timeout=60,
        check=False,
    )


def test_a_report_of_the_last_month_is_written_and_nothing_said(
    url: str, dovecot: Dovecot, user: str, now: datetime, tmp_path: Path
) -> None:
    month = now.replace(day=1) - timedelta(days=10)
    dovecot.deliver(user, [letter(1, month, subject="Of the month that has ended")])
    done = cron("report", url, "--out", "report.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    html = (tmp_path / "report.html").read_text("utf-8")
    assert f"<h1>Mail: {pd.Timestamp(month):%B %Y}</h1>" in html
    assert "Of the month that has ended" in html


def test_no_mail_is_no_error(url: str, tmp_path: Path) -> None:
    done = cron("report", url)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "There is no mail of" in (tmp_path / "report.html").read_text("utf-8")


def test_next_month_the_report_is_replaced(url: str, tmp_path: Path) -> None:
    assert main(["report", url]) == 0
    assert main(["report", url, "--period", "all"]) == 0
    assert "Mail: all of it" in (tmp_path / "report.html").read_text("utf-8")


def test_a_file_that_is_no_report_stays_unless_it_is_said(
    url: str, tmp_path: Path, capsys: Capsys
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["report", url, "--out", "notes.txt"]) == 1
    assert "notes.txt" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert main(["report", url, "--out", "notes.txt", "--overwrite"]) == 0
    assert (tmp_path / "notes.txt").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_without_a_password_nobody_is_asked_and_it_is_an_error(url: str, tmp_path: Path) -> None:
    done = cron("report", url, MAILFRAME_PASSWORD=None, HOME=str(tmp_path))
    assert done.returncode == 1
    assert b"MAILFRAME_PASSWORD" in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_wrong_password_is_an_error(url: str, tmp_path: Path) -> None:
    done = cron("report", url, MAILFRAME_PASSWORD="not this one")
    assert done.returncode == 1
    assert b"not this one" not in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_period_that_nobody_knows_is_an_error(url: str, tmp_path: Path, capsys: Capsys) -> None:
    assert main(["report", url, "--period", "sometime"]) == 1
    assert "last-month" in capsys.readouterr().err
    assert list(tmp_path.glob("*.html")) == []


def test_one_folder_is_no_mailbox(url: str, capsys: Capsys) -> None:
    assert main(["report", f"{url}/Archive"]) == 1
    assert "of all folders" in capsys.readouterr().err


def test_an_address_of_mine_tells_what_i_sent(
    url: str, dovecot: Dovecot, user: str, now: datetime, tmp_path: Path
) -> None:
    dovecot.deliver(user, [letter(n, now - timedelta(hours=n)) for n in (1, 2)])
    dovecot.deliver(user, [letter(3, now - timedelta(hours=3), from_="Me <me@example.com>")])
    assert main(["report", url, "--period", "2d", "--me", "me@example.com"]) == 0
    html = (tmp_path / "report.html").read_text("utf-8")
    assert '<dt>Received</dt><dd class="value">2</dd>' in html
    assert '<dt>Sent</dt><dd class="value">1</dd>' in html


def test_mail_in_files_has_a_report_as_well(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1.eml").write_bytes(letter(1, now - timedelta(hours=1)))
    out = tmp_path / "report.html"
    assert main(["report", str(tmp_path / "mail"), "--out", str(out), "--period", "all"]) == 0
    assert "How much" in out.read_text("utf-8")
