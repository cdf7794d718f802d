"""The commands that read: what each shows, where it goes, and what is said on stderr."""

from __future__ import annotations

import base64
import errno
import io
import logging
import os
import pty
import re
import termios
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.cli import main
from mailframe.imap import way_in
from tests.imap.replies import PDF, message
from tests.rigs import messages
from tests.rigs.scripted import parse_command
from tests.test_cli import arguments_of, columns, read, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs import scripted as rig
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Capsys = pytest.CaptureFixture[str]
    Scripted = Callable[..., ScriptedServer]

#: The commands that give a table, with what a terminal shows of it.
TABLES = {
    "folders": ["name", "special_use", "messages", "unseen", "size"],
    "headers": ["uid", "date", "from_address", "subject", "size", "n_attachments"],
    "recipients": ["uid", "role", "name", "address"],
    "bodies": ["uid", "text_source", "text"],
    "attachments": ["uid", "part", "filename", "content_type", "size", "inline"],
    "hops": ["uid", "hop", "time", "delay", "from_host", "by_host", "with"],
    "download": ["uid", "size", "path"],
}
READING = [command for command in TABLES if command != "folders"]
COMMANDS = [*TABLES, "message", "explain", "count"]
RECEIVED = (
    b"from mx.example.org (mx.example.org [192.0.2.1])\r\n"
    b"\tby mail.example.com with ESMTPS id 2; Mon, 5 Jan 2026 10:32:00 +0000\r\n"
    b"Received: from laptop.example.org (laptop.example.org [192.0.2.9])\r\n"
    b"\tby mx.example.org with ESMTPSA id 1; Mon, 5 Jan 2026 10:31:00 +0000"
)
LONG = "A line of text.\r\n" * 20
MAILS = {
    1: messages.plain(1, received=RECEIVED, delivered_to="box@example.com", cc="c@example.com"),
    2: messages.alternative(2),
    3: messages.with_attachment(3),
    4: messages.with_inline_image(4),
    5: messages.with_attachment(5, "../../evil.pdf"),
    6: messages.plain(6, LONG),
}
FLAGS: dict[int, list[str]] = {1: ["\\Flagged"], 6: ["\\Flagged", "\\Seen"]}
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
#: Sets a title, turns red, rings, turns the direction of writing, and is C1 besides.
HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202eevil\u2066\x9b5m\x7f"
RULING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with `MAILS` in INBOX and a message in each of two more folders; only read."""
    user = dovecot.new_user()
    dovecot.deliver(user, [(mail, FLAGS.get(uid, []), NOON) for uid, mail in MAILS.items()])
    dovecot.deliver(user, [messages.plain(7, subject="To the office")], "Sent")
    dovecot.deliver(user, [messages.plain(8, subject="From the office")], "Büro")
    return user


def address(dovecot: Dovecot, user: str) -> str:
    return f"imap://{user}@127.0.0.1:{dovecot.port}"


@pytest.fixture
def url(dovecot: Dovecot, owner: str) -> str:
    return address(dovecot, owner)


@pytest.fixture(autouse=True)
def machine(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[None]:
    """Trust the server, have its password and work in a folder of one's own; undo ``-v``."""
    monkeypatch.setattr(way_in, "ask_secret", lambda _: pytest.fail("a password was asked for"))
    monkeypatch.setenv("MAILFRAME_PASSWORD", "secret")
    monkeypatch.chdir(tmp_path)
    if "dovecot" in request.fixturenames:
        dovecot: Dovecot = request.getfixturevalue("dovecot")
        monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
        monkeypatch.setenv("SSL_CERT_FILE", str(dovecot._certificate.authority))
    dialogue = logging.getLogger("mailframe.imap.trace")
    before = dialogue.handlers, dialogue.level
    yield
    dialogue.handlers = before[0]
    dialogue.setLevel(before[1])


def one_error(capsys: Capsys, *arguments: str) -> str:
    """Run a command that must fail with one message, and return that."""
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mailframe: ")
    assert printed.err.count("mailframe: ") == 1
    assert "Traceback" not in printed.err
    return printed.err


def on_terminal(stream: str, *arguments: str, code: str = "") -> tuple[int, str, str]:
    """Run the program with one stream a terminal; return status, what that shows and the other."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    shown = b""
    with Path("other").open("w+b") as other:
        streams: dict[str, Any] = {"stdout": other, "stderr": other} | {stream: slave}
        process = start(*arguments, code=code, **streams)
        os.close(slave)
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # Linux' way to say that the other end is closed
            pass
        os.close(master)
        status = process.wait()
        other.seek(0)
        return status, shown.decode().replace("\r\n", "\n"), other.read().decode()


# -- which messages


@pytest.mark.parametrize(
    ("options", "uids"),
    [
        (["--flagged"], [6, 1]),
        (["--flagged", "--unseen"], [1]),
        (["--has-attachment"], [5, 3]),
        (["--has-attachment", "--limit", "1"], [5]),
        (["--smaller", "550"], [2, 1]),
        (["--smaller", "590", "--larger", "550"], [6, 3]),
        (["--search", "FLAGGED", "--smaller", "550"], [1]),
        (["--since", "2026-02-01", "--before", "2026-02-02", "--flagged"], [6, 1]),
        (["--before", "2026-02-01"], []),
    ],
    ids=str,
)
def test_options_say_which_messages_are_read_and_counted(
    url: str, capsys: Capsys, options: list[str], uids: list[int]
) -> None:
    expected = {uid for uid, mail in MAILS.items() if uid in uids}
    assert read(capsys, "headers", url, *options)["uid"].tolist() == uids
    assert set(read(capsys, "bodies", url, *options)["uid"]) == expected
    if "--limit" not in options:
        assert main(["count", url, *options]) == 0
        assert capsys.readouterr().out == f"{len(uids)}\n"


@pytest.mark.parametrize(
    ("folder", "rows"), [("", 6), ("/*", 8), ("/B%C3%BCro", 1), ("/\\Sent", 1), ("/\\Junk", 0)]
)
def test_a_folder_may_be_named_by_pattern_or_role(
    url: str, capsys: Capsys, folder: str, rows: int
) -> None:
    assert main(["count", url + folder]) == 0
    assert capsys.readouterr().out == f"{rows}\n"
    found = read(capsys, "headers", url + folder)
    assert len(found) == rows
    assert ("\\Sent" not in folder) or set(found["subject"]) == {"To the office"}
    assert len(read(capsys, "bodies", url + folder, "--preview")) == rows


# -- what the commands show


def test_headers_have_a_column_for_each_field_asked_for(url: str, capsys: Capsys) -> None:
    frame = read(
        capsys, "headers", url, "--field", "Delivered-To", "--field", "X-None", "--limit", "6"
    )
    assert list(frame.columns) == [*columns("headers"), "delivered_to", "x_none"]
    assert frame["delivered_to"].dropna().tolist() == ["box@example.com"]
    assert frame["x_none"].isna().all()


def test_a_field_asked_for_is_shown_on_a_terminal_too(url: str) -> None:
    status, shown, _ = on_terminal("stdout", "headers", url, "--field", "Delivered-To")
    assert status == 0
    assert "box@example.com" in shown


def test_a_name_that_no_field_can_have_is_refused(url: str, capsys: Capsys) -> None:
    assert "Bad Name:" in one_error(capsys, "headers", url, "--field", "Bad Name:")


def test_recipients_are_a_row_an_address(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "recipients", url, "--search", "UID 1")
    assert list(frame.columns) == columns("recipients")
    assert frame[["role", "address"]].to_numpy().tolist() == [
        ["from", "alice@example.org"],
        ["to", "bob@example.com"],
        ["cc", "c@example.com"],
    ]


def test_bodies_are_the_texts(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "bodies", url).set_index("uid")
    assert frame["text"][2].strip() == "Grüße"
    assert frame["text_source"].to_dict() == {
        6: "plain", 5: "plain", 4: "html", 3: "plain", 2: "plain", 1: "plain"
    }  # fmt: skip
    assert not frame["truncated"].any()


def test_bodies_bring_the_html_when_asked(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "bodies", url, "--html", "--limit", "5").set_index("uid")
    assert frame["html"][2].strip() == "<p>Grüße</p>"
    assert pd.isna(frame["html"][3])
    assert "html" not in read(capsys, "bodies", url).columns


def test_bodies_are_cut_at_max_bytes(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "bodies", url, "--max-bytes", "40").set_index("uid")
    assert frame["truncated"][6]
    assert frame["text"][6].split("\n")[:2] == ["A line of text."] * 2
    assert len(frame["text"][6]) <= 40
    assert not frame["truncated"][1]


def test_previews_are_how_texts_begin(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "bodies", url, "--preview").set_index("uid")
    assert list(frame.columns) == [name for name in columns("previews") if name != "uid"]
    assert frame["preview"][1] == "Hello."
    assert frame["preview"].str.len().max() <= 200


@pytest.mark.parametrize(
    "options", [["--preview", "--html"], ["--preview", "--max-bytes", "9"], ["--max-bytes", "-1"]]
)
def test_options_of_bodies_that_make_no_sense_are_refused(
    url: str, capsys: Capsys, options: list[str]
) -> None:
    one_error(capsys, "bodies", url, *options)


def test_hops_are_the_servers_a_message_passed(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "hops", url)
    assert list(frame.columns) == columns("hops")
    assert frame[["uid", "hop", "from_host", "by_host", "with"]].to_numpy().tolist() == [
        [1, 0, "laptop.example.org", "mx.example.org", "ESMTPSA"],
        [1, 1, "mx.example.org", "mail.example.com", "ESMTPS"],
    ]
    assert pd.to_timedelta(frame["delay"]).tolist()[1] == pd.Timedelta(minutes=1)


def test_attachments_are_listed_those_within_the_text_included(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "attachments", url)
    assert frame[["uid", "filename", "inline"]].to_numpy().tolist() == [
        [5, "../../evil.pdf", False],
        [4, "dot.png", True],
        [3, "report.pdf", False],
    ]


# -- where tables go


@pytest.mark.parametrize("command", TABLES)
def test_every_table_is_csv_in_a_pipe_whole_in_a_file_and_short_on_a_terminal(
    url: str, capsys: Capsys, command: str
) -> None:
    kind = "downloads" if command == "download" else command
    piped = read(capsys, command, url)
    assert list(piped.columns) == columns(kind)
    assert len(piped) > 0
    readers: dict[str, Callable[[str], pd.DataFrame]] = {
        "mail.csv": pd.read_csv,
        "mail.parquet": pd.read_parquet,
        "mail.json": lambda path: pd.read_json(path, lines=True),
    }
    for name, reader in readers.items():
        assert main([command, url, "--to", name]) == 0
        printed = capsys.readouterr()
        assert (printed.out, printed.err) == ("", f"{len(piped)} rows written to {name}\n")
        frame = reader(name)
        assert list(frame.columns) == columns(kind)
        assert len(frame) == len(piped)
    whole = pd.read_parquet("mail.parquet")
    pd.testing.assert_frame_equal(schema.conform(whole, kind), whole)
    status, shown, said = on_terminal("stdout", command, url)
    head, *rows = shown.splitlines()
    assert (status, said) == (0, "")
    assert head.split() == TABLES[command]
    assert len(rows) == len(piped)
    assert "NaN" not in shown
    assert "<NA>" not in shown


def test_a_terminal_shows_previews_too(url: str) -> None:
    status, shown, _ = on_terminal("stdout", "bodies", url, "--preview")
    assert status == 0
    assert shown.split()[:2] == ["uid", "preview"]
    assert "See the report." in shown


@pytest.mark.parametrize("command", READING)
def test_a_terminal_is_told_when_nothing_was_found(url: str, command: str) -> None:
    status, shown, said = on_terminal("stdout", command, url, "--subject", "nowhere")
    assert (status, shown, said) == (0, "nothing found\n", "")


@pytest.mark.parametrize("command", READING)
def test_a_terminal_shows_a_table_with_a_column_that_is_missing_throughout(
    dovecot: Dovecot, user: str, command: str
) -> None:
    bare = messages.with_attachment(
        1, subject="", from_="a@example.org", to="", received="; Mon, 5 Jan 2026 10:31:00 +0000"
    )
    bare = bare.replace(b'; name="report.pdf"', b"").replace(b'; filename="report.pdf"', b"")
    dovecot.deliver(user, [bare])
    status, shown, said = on_terminal("stdout", command, address(dovecot, user))
    assert (status, said) == (0, "")
    assert shown.splitlines()[1].split()[0] == "1"


@pytest.fixture
def hostile(dovecot: Dovecot, user: str) -> str:
    """Return the URL of a mailbox that wants to rule the terminal of whoever reads it."""
    bad = HOSTILE.encode()
    dovecot.deliver(user, [
        messages.with_attachment(
            1,
            subject=b"subject " + bad,
            from_=b'"name ' + bad + b'" <from' + bad + b"@example.org>",
            to=b'"to ' + bad + b'" <to' + bad + b"@example.com>, word" + bad,
            cc="=?utf-8?B?" + base64.b64encode(bad).decode() + "?= <cc@example.com>",
            received=b"from a.example (h" + bad + b") by b.example (" + bad + b") with E" + bad
            + b" id 1; Mon, 5 Jan 2026 10:31:00 +0000",
        ).replace(b"report.pdf", b"re" + bad + b"port.pdf"),
        messages.plain(2, f"text {HOSTILE}\r\nsecond line\r\n"),
    ])  # fmt: skip
    dovecot.deliver(user, [messages.plain(3)], f"Folder {HOSTILE[:1]}\u202e")
    return address(dovecot, user)


@pytest.mark.parametrize(
    "arguments",
    [
        *([command] for command in TABLES),
        ["bodies", "--preview"],
        ["bodies", "--html"],
        ["message", "1"],
        ["message", "2"],
    ],
    ids=" ".join,
)
def test_no_mail_rules_the_terminal(hostile: str, arguments: list[str]) -> None:
    command, *rest = arguments
    status, shown, said = on_terminal("stdout", command, hostile, *rest)
    assert (status, said) == (0, "")
    assert len(shown.splitlines()) > 1
    assert RULING.findall(shown.replace("\n", "")) == []


@pytest.mark.parametrize("command", ["attachments", "download", "headers", "folders"])
def test_no_server_rules_the_terminal(scripted: Scripted, command: str) -> None:
    structure = PDF.replace(b'"PDF"', b'"P\x1b[31mDF"').replace(b"a.pdf", b"a\x1b[31m.pdf")
    server = scripted(
        folders=[b'"IN\x1b[31mBOX"', b"INBOX"],
        messages={1: message(1, structure=structure, parts={b"1": b'"UERG"'})},
    )
    status, shown, said = on_terminal("stdout", command, f"imap://me@127.0.0.1:{server.port}")
    assert (status, said) == (0, "")
    assert len(shown.splitlines()) > 1
    assert RULING.findall(shown.replace("\n", "")) == []


def test_what_a_server_says_of_a_failure_does_not_rule_the_terminal(
    scripted: Scripted, capsys: Capsys
) -> None:
    server = scripted({"EXAMINE": b"<tag> NO go \x1b]0;owned\x07away \xc2\x9b5m\r\n"})
    said = one_error(capsys, "count", f"imap://me@127.0.0.1:{server.port}")
    assert "away" in said
    assert RULING.findall(said.replace("\n", "")) == []


# -- download


def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("into").iterdir()}


def test_a_download_saves_here_what_is_not_shown_within_the_text(
    url: str, capsys: Capsys, tmp_path: Path
) -> None:
    frame = read(capsys, "download", url)
    assert frame[["uid", "path"]].to_numpy().tolist() == [[5, "evil.pdf"], [3, "report.pdf"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.pdf", "report.pdf"]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {messages.PDF}


def test_a_download_goes_into_a_folder_that_is_made(url: str, capsys: Capsys) -> None:
    frame = read(capsys, "download", url, "--into", "into")
    assert files() == {"evil.pdf": messages.PDF, "report.pdf": messages.PDF}
    assert {Path(path) for path in frame["path"]} == set(Path("into").iterdir())


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--name", "*.PDF"], ["evil.pdf", "report.pdf"]),
        (["--name", "Report*"], ["report.pdf"]),
        (["--name", "report"], []),
        (["--type", "application/*"], ["evil.pdf", "report.pdf"]),
        (["--type", "IMAGE/*"], []),
        (["--type", "image/*", "--inline"], ["dot.png"]),
        (["--inline"], ["dot.png", "evil.pdf", "report.pdf"]),
        (["--name", "report*", "--type", "application/pdf"], ["report.pdf"]),
        (["--name", "report*", "--type", "image/*"], []),
        (["--name", "dot*", "--type", "image/*"], []),
        (["--subject", "Message 3"], ["report.pdf"]),
        (["--subject", "Message 3", "--name", "evil*"], []),
        (["--subject", "Message 1"], []),
        (["--subject", "Message 1", "--name", "*"], []),
        (["--limit", "2"], ["evil.pdf"]),
    ],
    ids=str,
)
def test_options_say_which_files_are_saved(
    url: str, capsys: Capsys, options: list[str], names: list[str]
) -> None:
    frame = read(capsys, "download", url, "--into", "into", *options)
    assert sorted(files()) == names
    assert len(frame) == len(names)
    assert list(frame.columns) == columns("downloads")


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(url: str, capsys: Capsys) -> None:
    Path("into").mkdir()
    Path("into/report.pdf").write_text("mine")
    read(capsys, "download", url, "--into", "into", "--name", "report*")
    assert files() == {"report.pdf": b"mine", "report (2).pdf": messages.PDF}
    read(capsys, "download", url, "--into", "into", "--name", "report*", "--overwrite")
    assert files() == {"report.pdf": messages.PDF, "report (2).pdf": messages.PDF}


def test_an_attachment_that_has_gone_is_missing_and_the_status_and_stderr_say_so(
    dovecot: Dovecot, user: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver(user, [messages.with_attachment(1), messages.with_attachment(2, "b.pdf")])
    listed = mf.Session.attachments

    def list_and_lose_one(self: mf.Session, *args: Any, **options: Any) -> pd.DataFrame:
        found = listed(self, *args, **options)
        dovecot.expunge(user, 1)
        return found

    monkeypatch.setattr(mf.Session, "attachments", list_and_lose_one)
    assert main(["download", address(dovecot, user), "--into", "into"]) == 1
    printed = capsys.readouterr()
    paths = pd.read_csv(io.StringIO(printed.out)).set_index("uid")["path"]
    assert pd.isna(paths[1])
    assert Path(paths[2]).read_bytes() == messages.PDF
    assert files().keys() == {"b.pdf"}
    assert "gone" in printed.err


@pytest.mark.parametrize("into", ["taken", "taken/below"])
def test_a_folder_that_is_a_file_is_an_error(url: str, capsys: Capsys, into: str) -> None:
    Path("taken").write_text("mine")
    assert "taken" in one_error(capsys, "download", url, "--into", into)
    assert Path("taken").read_text() == "mine"


def test_a_full_disk_is_an_error_and_leaves_no_half_file(
    url: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mailframe.saving._move_to_new", full)
    said = one_error(capsys, "download", url, "--into", "into")
    assert "No space left on device" in said
    assert "What to do: Free some space" in said
    assert files() == {}


# -- message


def test_a_message_is_shown_to_be_read(url: str, capsys: Capsys) -> None:
    assert main(["message", url, "3"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out == (
        "From: Alice Example <alice@example.org>\n"
        "To: Bob <bob@example.com>\n"
        "Date: 2026-01-05 12:30+00:00\n"
        "Subject: Message 3\n"
        "\n"
        "See the report.\n"
        "\n"
        "multipart/mixed\n"
        "  1 text/plain, utf-8, quoted-printable, 17 bytes\n"
        '  2 application/pdf, base64, 60 bytes, "report.pdf"\n'
    )


def test_a_message_shows_copies_and_no_empty_fields(url: str, capsys: Capsys) -> None:
    assert main(["message", url, "1"]) == 0
    shown = capsys.readouterr().out.split("\n\n")
    assert [line.partition(":")[0] for line in shown[0].splitlines()] == [
        "From", "To", "Cc", "Date", "Subject"
    ]  # fmt: skip
    assert shown[1] == "Hello."


def test_a_message_is_saved_as_it_was_sent(url: str, capsys: Capsys) -> None:
    assert main(["message", url, "3", "--save", "letter.eml"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "saved as letter.eml\n")
    assert Path("letter.eml").read_bytes() == MAILS[3]


def test_a_message_replaces_no_file_unless_told_to(url: str, capsys: Capsys) -> None:
    Path("letter.eml").write_text("mine")
    assert "letter.eml" in one_error(capsys, "message", url, "3", "--save", "letter.eml")
    assert Path("letter.eml").read_text() == "mine"
    assert main(["message", url, "3", "--save", "letter.eml", "--overwrite"]) == 0
    assert Path("letter.eml").read_bytes() == MAILS[3]


@pytest.mark.parametrize("uid", ["4711", "0", "99999999999999999999"])
def test_a_message_that_is_not_there_is_an_error(url: str, capsys: Capsys, uid: str) -> None:
    assert uid in one_error(capsys, "message", url, uid)


@pytest.mark.parametrize(("folder", "subject"), [("Büro", "From"), ("\\Sent", "To")])
def test_a_message_may_be_in_any_folder(
    url: str, capsys: Capsys, folder: str, subject: str
) -> None:
    assert main(["message", f"{url}/{folder}", "1"]) == 0
    assert f"Subject: {subject} the office" in capsys.readouterr().out


# -- explain


@pytest.mark.parametrize(
    "what", ["headers", "recipients", "bodies", "attachments", "hops", "search", "count"]
)
def test_an_explanation_shows_commands_and_sends_none_of_them(
    scripted: Scripted, capsys: Capsys, what: str
) -> None:
    server = scripted(messages={1: message()})
    where = f"imap://me@127.0.0.1:{server.port}"
    assert main(["explain", where, "--what", what, "--subject", "Grüße", "--limit", "7"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"session.{what}(")
    assert 'send  EXAMINE "INBOX"' in printed.out
    assert "Grüße" in printed.out
    assert "RFC 3501" in printed.out
    assert "the 7 with the highest UIDs" in printed.out
    assert ("UID FETCH" in printed.out) is (what not in {"search", "count"})
    sent = {parse_command(line)[1] for line in server.received}
    assert sent == {"CAPABILITY", "LOGIN", "ID", "LOGOUT"}


def test_the_call_explained_is_written_as_one_could_type_it(url: str, capsys: Capsys) -> None:
    assert main(["explain", url, "--from", "alice", "--unseen"]) == 0
    call = capsys.readouterr().out.partition("\n")[0]
    assert call.startswith("session.headers(")
    assert "alice" in call
    assert "children=" not in call


# -- progress and silence

BAR_AT_ONCE = (
    "import sys, mailframe.progress as progress; progress.PATIENCE = -1.0\n"
    "from mailframe.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize("command", READING)
def test_long_work_shows_a_bar_on_a_terminal(url: str, command: str) -> None:
    status, shown, _ = on_terminal("stderr", command, url, code=BAR_AT_ONCE)
    assert status == 0
    assert "%|" in shown


@pytest.mark.parametrize("command", ["headers", "download"])
def test_no_bar_is_drawn_through_the_dialogue(url: str, command: str) -> None:
    status, shown, _ = on_terminal("stderr", command, url, "-v", code=BAR_AT_ONCE)
    assert status == 0
    assert "%|" not in shown
    assert {line[:3] for line in shown.splitlines()} == {"C: ", "S: "}


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_said_on_stderr_in_a_pipe(
    url: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("mailframe.progress.PATIENCE", -1.0)
    assert main(arguments_of(command, url)) == 0
    assert capsys.readouterr().err == ""


# -- the dialogue


@pytest.mark.parametrize("command", COMMANDS)
def test_the_dialogue_is_shown_on_stderr_when_asked(
    url: str, dovecot: Dovecot, capsys: Capsys, command: str
) -> None:
    assert main(arguments_of(command, url)) == 0
    silent = capsys.readouterr()
    assert main([*arguments_of(command, url), "-v"]) == 0
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    sent = [line.split() for line in lines if line.startswith("C: ")]
    assert {line[:3] for line in lines} == {"C: ", "S: "}
    assert sent[0][2:] == ["CAPABILITY"]
    assert ["AUTHENTICATE", "PLAIN", "***"] in [words[2:] for words in sent]
    if command == "folders":
        assert "LIST" in [words[2] for words in sent if len(words) > 2]
    elif command != "explain":
        assert '"INBOX"' in [words[-1] for words in sent if "EXAMINE" in words]
    assert sent[-1][2:] == ["LOGOUT"]
    assert dovecot.password not in printed.err
    if command not in {"folders", "download"}:  # sizes are known by now; a file is there by now
        assert printed.out == silent.out


# -- errors


def hang_up(connection: rig.Connection) -> bytes:
    connection.close()
    return b""


def cut(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
    connection.close()


@pytest.mark.parametrize(
    "options",
    [
        {"greeting": hang_up},
        {"greeting": b"* BYE closed today\r\n"},
        {"greeting": b"HTTP/1.1 400 Bad Request\r\n"},
        {"handlers": {"LOGIN": cut}},
        {"handlers": {"EXAMINE": cut}},
        {"handlers": {"UID SEARCH": cut}},
    ],
    ids=["hangs up", "BYE", "HTTP", "LOGIN", "EXAMINE", "SEARCH"],
)
def test_a_server_that_breaks_off_is_an_error(
    scripted: Scripted, capsys: Capsys, options: dict[str, Any]
) -> None:
    server = scripted(messages={1: message()}, **options)
    one_error(capsys, "headers", f"imap://me@127.0.0.1:{server.port}")


def test_a_server_that_is_silent_is_an_error(scripted: Scripted, capsys: Capsys) -> None:
    server = scripted(greeting=b"")
    where = f"imap://me@127.0.0.1:{server.port}"
    assert "time" in one_error(capsys, "count", where, "--timeout", "0.1")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "explain"])
def test_a_wrong_password_is_an_error_of_every_command(
    url: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", "hunter2")
    said = one_error(capsys, *arguments_of(command, url))
    assert "User name or password is wrong" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("command", [n for n in COMMANDS if n not in {"folders", "explain"}])
def test_a_folder_that_is_not_there_is_an_error_of_every_command(
    url: str, capsys: Capsys, command: str
) -> None:
    assert "Nowhere" in one_error(capsys, *arguments_of(command, f"{url}/Nowhere"))


@pytest.mark.parametrize("command", [*TABLES, "message"])
@pytest.mark.parametrize("kind", ["a folder", "missing", "full"])
def test_a_file_that_cannot_be_written_is_an_error(
    url: str, capsys: Capsys, command: str, kind: str
) -> None:
    path = Path("missing/mail.csv" if kind == "missing" else "mail.csv")
    if kind == "a folder":
        path.mkdir()
    elif kind == "full":
        path.symlink_to("/dev/full")
    option = "--save" if command == "message" else "--to"
    said = one_error(capsys, *arguments_of(command, url), option, str(path))
    assert str(path) in said
