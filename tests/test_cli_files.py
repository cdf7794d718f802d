"""Every reading command takes a path where it takes a URL."""

from __future__ import annotations

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
    "name", ["me@imap.example.com", "nowhere.mbox", "http://example.com", "file:///tmp", "a\0b", ""]
)
def test_what_looks_like_a_url_is_told_how_one_is_written(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        main(["headers", name])
    said = " ".join(capsys.readouterr().err.split())
    assert "imaps://user@host/folder, and no file is called so" in said


def test_explaining_a_file_is_told_in_words(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(mail)]) == 1
    assert "Only a server is sent commands" in capsys.readouterr().err
