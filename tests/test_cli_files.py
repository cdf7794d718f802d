"""Every reading command takes a path where it takes a URL."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import TYPE_CHECKING

import pytest

from mailframe.cli import main
from tests.files.writers import mboxrd
from tests.rigs import messages as written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """Return a folder with two mbox files."""
    several = [written.with_attachment(1), written.plain(2, from_="Bob <bob@example.com>")]
    content = mboxrd([message.replace(b"\r\n", b"\n") for message in several])
    (tmp_path / "Inbox").write_bytes(content)
    (tmp_path / "Sent").write_bytes(content)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, str]]:
    assert main([str(argument) for argument in arguments]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize(
    ("command", "rows"),
    [("headers", 2), ("bodies", 2), ("attachments", 1), ("recipients", 4), ("hops", 0)],
)
def test_a_path_gives_tables(
    mail: Path, capsys: pytest.CaptureFixture[str], command: str, rows: int
) -> None:
    assert len(run(capsys, command, mail / "Inbox")) == rows


def test_a_path_need_not_look_like_one(
    mail: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mail)
    assert len(run(capsys, "headers", "Inbox", "--from", "bob")) == 1
    (mail / "Inbox").rename(mail / "me@example.com")
    assert len(run(capsys, "headers", "me@example.com")) == 2


def test_the_folder_is_named_by_an_option(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["folder"] for row in run(capsys, "headers", mail)} == {"INBOX"}
    assert {row["folder"] for row in run(capsys, "headers", mail, "--folder", "Sent")} == {"Sent"}
    assert len(run(capsys, "headers", mail, "--folder", "*", "--has-attachment")) == 2
    assert [row["name"] for row in run(capsys, "folders", mail)] == ["INBOX", "Sent"]


def test_a_message_and_its_attachments_are_saved(
    mail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["message", str(mail), "2"])
    assert "Bob <bob@example.com>" in capsys.readouterr().out
    main(["message", str(mail), "1", "--save", str(mail / "a.eml")])
    assert b"report.pdf" in (mail / "a.eml").read_bytes()
    run(capsys, "download", mail, "--into", mail / "out")
    assert (mail / "out" / "report.pdf").read_bytes() == written.PDF


def test_messages_are_counted(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", str(mail), "--from", "alice"]) == 0
    assert capsys.readouterr().out == "1\n"


@pytest.mark.parametrize("name", ["./nowhere.mbox", "~/nowhere", "/no/where"])
def test_a_path_that_is_not_there_is_told(
    mail: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(mail)
    assert main(["headers", name]) == 1
    assert "There is no file or folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    ["nowhere.mbox", "http://example.com", "file:///m", "a\0b", ""],
)
def test_what_looks_like_a_url_is_told_how_one_is_written(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        main(["headers", name])
    said = " ".join(capsys.readouterr().err.split())
    assert "no file or folder is called so, and it is neither an address nor a URL" in said


def test_explaining_a_file_is_told_in_words(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(mail)]) == 1
    assert "Only a server is sent commands" in capsys.readouterr().err


# -- inspect


LETTER = (
    b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
    b"Date: Fri, 21 Nov 1997 09:55:06 -0600\nReceived: from a.example by b.example with ESMTPS;"
    b" Fri, 21 Nov 1997 09:55:07 -0600\nReceived: from local by a.example with SMTP;"
    b" Fri, 21 Nov 1997 09:55:06 -0600\nAuthentication-Results: b.example; spf=pass"
    b" smtp.mailfrom=example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\n"
    b"Content-Type: message/rfc822\n\nSubject: Inner\n\nx\n--b\nContent-Type: application/pdf;"
    b" name=a.pdf\nContent-Transfer-Encoding: base64\n\nQUJD\n--b--\n"
)


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["inspect", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_message_is_laid_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.eml").write_bytes(LETTER)
    shown = inspected(capsys, tmp_path / "letter.eml")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for line in (
        "subject Grüße",
        "from_address ann@example.org",
        "date 1997-11-21 09:55:06-06:00",
        "n_attachments 2",
        "multipart/mixed",
        "1 text/plain, 7bit, 5 bytes <- text",
        "2 message/rfc822, 7bit, 19 bytes <- attachment, a message: Inner",
        '3 application/pdf, base64, 4 bytes, "a.pdf" <- attachment',
        "Hello",
        "local -> a.example SMTP 1997-11-21 09:55:06-06:00",
        "a.example -> b.example ESMTPS 1997-11-21 09:55:07-06:00 after 0:00:01",
        "spf=pass smtp.mailfrom=example.org says b.example",
        "Subject Grüße",
    ):
        assert line in lines, line
    assert lines[lines.index("DEFECTS") + 1] == "none"


def test_what_is_wrong_with_a_message_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.eml").write_bytes(
        b"Date: Whenever\n\n\x1b[2J" + b"word " * 50 + b"\n" * 40 + b"x"
    )
    shown = inspected(capsys, tmp_path / "bad.eml")
    assert "unreadable date: Whenever" in shown
    assert "\x1b" not in shown
    assert "more lines" in shown
    whole = inspected(capsys, tmp_path / "bad.eml", "--all")
    assert len(whole) > len(shown)
    assert "more lines" not in whole


def test_a_message_is_read_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LETTER)))
    assert "Grüße" in inspected(capsys, "-")


def test_of_many_messages_one_is_named(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "bob@example.com" in inspected(capsys, mail / "Inbox", "2")
    assert main(["inspect", str(mail / "Inbox")]) == 1
    assert "There are 2 in 'INBOX'" in capsys.readouterr().err
    (mail / "One").write_bytes(mboxrd([b"Subject: Alone\n\nx\n"]))
    assert "Alone" in inspected(capsys, mail / "One")


@pytest.mark.parametrize("name", ["gone.eml", "."])
def test_what_is_no_message_is_an_error_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with contextlib.suppress(SystemExit):
        assert main(["inspect", name]) == 1
    assert "mailframe" in capsys.readouterr().err
