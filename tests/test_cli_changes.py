"""``mailframe move``, ``mark`` and ``delete``: a plan is shown, and ``--apply`` does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.actions import Result
from mailframe.cli import main
from mailframe.imap.work import Work
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def mailbox(dovecot: Dovecot, user: str) -> str:
    """Return a user with six messages in INBOX, two of them read."""
    flags = [["\\Seen"], [], ["\\Seen"], [], [], []]
    dovecot.deliver(user, [(raw, f, None) for raw, f in zip(messages.many(6), flags, strict=True)])
    return user


@pytest.fixture
def url(dovecot: Dovecot, mailbox: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot._certificate.authority))
    return f"imaps://{mailbox}@localhost:{dovecot.tls_port}"


@pytest.fixture
def session(dovecot: Dovecot, mailbox: str) -> Iterator[mf.Session]:
    with mf.connect(
        dovecot.host,
        mailbox,
        password=dovecot.password,
        port=dovecot.tls_port,
        ssl_context=dovecot.ssl_context,
    ) as opened:
        yield opened


COMMANDS = {
    "move": ["Archive", "--unseen"],
    "mark": ["--add", "seen", "--unseen"],
    "delete": ["--unseen"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_without_apply_a_plan_is_printed_and_nothing_is_changed(
    url: str, dovecot: Dovecot, mailbox: str, capsys: Capsys, command: str
) -> None:
    before = dovecot.flags(mailbox)
    assert main([command, url, *COMMANDS[command]]) == 0
    printed = capsys.readouterr()
    assert "4 messages" in printed.out
    assert printed.out.count("Message ") == 4  # a line each
    assert "Nothing has been done yet: the same command with --apply does it" in printed.out
    assert "plan.apply" not in printed.out
    assert printed.err == ""
    assert dovecot.flags(mailbox) == before


def test_move_with_apply(url: str, session: mf.Session, capsys: Capsys) -> None:
    assert main(["move", url, "Archive", "--unseen", "--apply"]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n4 messages done.\n")
    assert "Nothing has been done yet" not in printed
    assert (session.count(), session.count(folder="Archive")) == (2, 4)


def test_move_to_a_folder_that_is_made(url: str, session: mf.Session, capsys: Capsys) -> None:
    assert main(["move", url, "Büro/2026", "--search", "SEEN", "--create", "--apply"]) == 0
    assert "The folder 'Büro/2026' is made first." in capsys.readouterr().out
    assert (session.count(), session.count(folder="Büro/2026")) == (4, 2)


def test_mark_with_flags_and_keywords(url: str, session: mf.Session) -> None:
    options = ["--add", "flagged", "--add", "project-x", "--remove", "\\Seen", "--search", "ALL"]
    assert main(["mark", url, *options, "--limit", "5", "--apply"]) == 0
    assert session.count("FLAGGED KEYWORD project-x UNSEEN") == 5


def test_delete_moves_to_the_trash_and_for_good_only_when_told_so(
    url: str, session: mf.Session, capsys: Capsys
) -> None:
    assert main(["delete", url, "--search", "SEEN", "--apply"]) == 0
    assert (session.count(), session.count(folder="Trash")) == (4, 2)
    capsys.readouterr()
    trash = [f"{url}/Trash", "--search", "ALL", "--apply"]
    assert main(["delete", *trash]) == 0
    assert "unless it is deleted permanently" in capsys.readouterr().out
    assert session.count(folder="Trash") == 2
    assert main(["delete", *trash, "--permanently"]) == 0
    assert "this cannot be undone" in capsys.readouterr().out
    assert session.count(folder="Trash") == 0


def test_the_journal_has_what_was_changed(url: str, tmp_path: Path) -> None:
    journal = tmp_path / "changes.jsonl"
    assert main(["mark", url, *COMMANDS["mark"], "--journal", str(journal)]) == 0
    assert journal.read_text() == ""
    assert main(["mark", url, *COMMANDS["mark"], "--journal", str(journal), "--apply"]) == 0
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["begin", "result"]


def test_nothing_to_do_is_said(url: str, capsys: Capsys) -> None:
    assert main(["delete", url, "--from", "nobody@nowhere.example", "--apply"]) == 0
    assert capsys.readouterr().out == "A plan that changes nothing.\n  There is nothing to do.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["delete"], "Which messages?"),
        (["mark", "--add", "seen"], "--search ALL for all"),
        (["mark", "--search", "ALL"], "--add seen"),
        (["mark", "--search", "ALL", "--add", "two words"], "no flag"),
        (["mark", "--search", "ALL", "--add", "seen,flagged"], "--add seen --add flagged"),
        (
            ["mark", "--search", "ALL", "--remove", "x,y"],
            "one flag at a time: 'x,y'",
        ),
        (["move", "Nowhere", "--search", "ALL"], "--create makes a new one"),
        (["move", "Nowhere", "--search", "ALL", "--apply"], "There is no folder 'Nowhere'."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    url: str, session: mf.Session, capsys: Capsys, arguments: list[str], said: str
) -> None:
    command, *rest = arguments
    assert main([command, url, *rest]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert session.count("UNSEEN") == 4


def test_a_flag_both_set_and_taken_off_is_refused_in_words_of_the_command_line(
    url: str, session: mf.Session, capsys: Capsys
) -> None:
    options = ["--search", "ALL", "--add", "seen", "--remove", "SEEN", "--apply"]
    assert main(["mark", url, *options]) == 1
    said = capsys.readouterr().err
    assert "to be set and taken off at once" in said
    assert "What to do: Leave it out of one of the two." in said
    assert "add=" not in said
    assert session.count("UNSEEN") == 4


def test_files_are_only_read(capsys: Capsys, tmp_path: Path) -> None:
    letter = tmp_path / "a.eml"
    letter.write_bytes(messages.plain(1))
    assert main(["delete", str(letter), "--search", "ALL", "--apply"]) == 1
    assert "mail in files is only read" in capsys.readouterr().err
    assert letter.read_bytes() == messages.plain(1)


def test_what_fails_is_told_by_the_status(
    url: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "do", lambda *_: iter([[Result(1, "failed", "NO not today")]]))
    assert main(["mark", url, "--add", "flagged", "--search", "UID 1", "--apply"]) == 1
    assert "1 message failed: NO not today" in capsys.readouterr().out
