"""The command line: one command, one table, in a file, a pipe or a terminal."""

from __future__ import annotations

import io
import os
import pty
import queue
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
import pytest

import mailframe as mf
from mailframe import arguments, cli, schema
from mailframe.cli import main
from mailframe.exceptions import ConnectionFailedError
from mailframe.imap import way_in
from tests.conftest import missing
from tests.imap.replies import message
from tests.rigs import messages

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from tests.rigs import scripted as rig
    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

EVERYWHERE = {"--help", "--cafile", "--proxy", "--timeout", "--verbose"}
CRITERIA = {
    "--since", "--before", "--from", "--subject", "--text", "--larger", "--smaller", "--unseen",
    "--flagged", "--has-attachment", "--search",
}  # fmt: skip
MESSAGES = {*CRITERIA, "--limit", "--folder"}
TABLE = {"--to", "--dataset", "--overwrite", *MESSAGES}
#: What each command knows besides.
OPTIONS = {
    "folders": {"--to"},
    "headers": {"--field", *TABLE},
    "recipients": TABLE,
    "bodies": {"--html", "--own-text", "--max-bytes", "--preview", *TABLE},
    "attachments": TABLE,
    "hops": TABLE,
    "watch": {"--changes", "--duration", "--folder"},
    "download": {"--to", "--into", "--name", "--type", "--inline", "--overwrite", *MESSAGES},
    "message": {"--save", "--overwrite", "--folder"},
    "inspect": {"--all", "--folder"},
    "explain": {"--what", *MESSAGES},
    "count": {*CRITERIA, "--folder"},
    "report": {"--out", "--period", "--tz", "--me", "--overwrite"},
    "move": {"--create", "--apply", "--journal", *MESSAGES},
    "mark": {"--add", "--remove", "--apply", "--journal", *MESSAGES},
    "delete": {"--permanently", "--apply", "--journal", *MESSAGES},
}
#: What commands cannot do without.
NEEDED = {
    "message": ["1"],
    "inspect": ["1"],
    "move": ["Archive", "--search", "ALL"],
    "mark": ["--add", "seen", "--search", "ALL"],
    "delete": ["--search", "ALL"],
}
CHECKOUT = Path(__file__).parent.parent
FOLDER = "Büro & mehr/Ablage 1"
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with six messages in INBOX, one a day, and one in `FOLDER`; only read."""
    user = dovecot.new_user()
    days = [NOON + number * timedelta(days=1) for number in range(1, 7)]
    flags = [["\\Seen"], [], ["\\Seen"], [], [], []]
    dovecot.deliver(user, zip(messages.many(6), flags, days, strict=True))
    dovecot.deliver(user, [messages.plain(7, subject="In the office")], FOLDER)
    return user


@pytest.fixture
def url(dovecot: Dovecot, owner: str) -> str:
    return f"imaps://{owner}@localhost:{dovecot.tls_port}"


@pytest.fixture
def plain_url(dovecot: Dovecot, owner: str, monkeypatch: pytest.MonkeyPatch, cafile: str) -> str:
    """Return the URL of a server that begins in clear text, on a machine that trusts it."""
    monkeypatch.setenv("SSL_CERT_FILE", cafile)
    return f"imap://{owner}@127.0.0.1:{dovecot.port}"


@pytest.fixture
def cafile(dovecot: Dovecot) -> str:
    return str(dovecot._certificate.authority)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Put the password into the environment, and let nobody be asked for one."""
    monkeypatch.setattr(way_in, "ask_secret", lambda _: pytest.fail("a password was asked for"))
    if "owner" in request.fixturenames:
        dovecot: Dovecot = request.getfixturevalue("dovecot")
        monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    else:
        monkeypatch.delenv("MAILFRAME_PASSWORD", raising=False)


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> pd.DataFrame:
    """Run a command that must go well, and read the CSV that it prints."""
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return pd.read_csv(io.StringIO(printed.out))


def arguments_of(command: str, url: str) -> list[str]:
    """Return a command with what it cannot do without."""
    return [command, url, *NEEDED.get(command, [])]


def start(*arguments: str, code: str = "", **options: Any) -> subprocess.Popen[bytes]:
    """Start the program in a process of its own, its output buffered as it is for users."""
    what = ["-c", code] if code else ["-m", "mailframe"]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(CHECKOUT)}
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.Popen(
        [sys.executable, *what, *arguments],
        stdin=subprocess.DEVNULL,
        env=environment,
        **options,
    )


def columns(kind: str) -> list[str]:
    return [column.name for column in schema.FRAMES[kind]]


# -- what is read


@pytest.mark.parametrize(("command", "rows"), [("headers", 6), ("attachments", 3)])
def test_a_command_prints_csv_with_all_columns_when_piped(
    url: str, cafile: str, capsys: pytest.CaptureFixture[str], command: str, rows: int
) -> None:
    frame = read(capsys, command, url, "--cafile", cafile)
    assert list(frame.columns) == columns(command)
    assert len(frame) == rows


def test_folders_are_listed_with_counts(
    url: str, cafile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = read(capsys, "folders", url, "--cafile", cafile).set_index("name")
    assert list(frame.columns) == columns("folders")[1:]
    assert frame["messages"]["INBOX"] == 6
    assert frame["unseen"]["INBOX"] == 4
    assert frame.loc[FOLDER, "messages"] == 1


def test_a_certificate_of_ones_own_must_be_trusted_in_words(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["folders", url]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "certificate" in printed.err
    assert "What to do:" in printed.err


def test_a_server_that_offers_tls_is_read_with_it(
    plain_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(read(capsys, "headers", plain_url)) == 6
    monkeypatch.delenv("SSL_CERT_FILE")
    assert main(["headers", plain_url]) == 1
    assert "certificate" in capsys.readouterr().err


def test_this_machine_may_be_read_without_tls(
    scripted: Callable[..., ScriptedServer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = scripted()
    monkeypatch.setenv("MAILFRAME_PASSWORD", "secret")
    assert len(read(capsys, "folders", f"imap://me@127.0.0.1:{server.port}")) == 1


@pytest.mark.parametrize(
    ("options", "uids"),
    [
        ([], [6, 5, 4, 3, 2, 1]),
        (["--limit", "2"], [6, 5]),
        (["--limit", "0"], []),
        (["--since", "2026-02-06"], [6, 5]),
        (["--before", "2026-02-03"], [1]),
        (["--since", "2026-02-03", "--before", "2026-02-05"], [3, 2]),
        (["--subject", "Grüße"], [3]),
        (["--subject", "message 1"], [1]),
        (["--from", "alice"], [6, 5, 4, 2, 1]),
        (["--text", "The inner text"], [5]),
        (["--unseen"], [6, 5, 4, 2]),
        (["--search", "SEEN"], [3, 1]),
        (["--search", "OR UID 2 SUBJECT Grüße", "--unseen"], [2]),
        (["--search", "NOT SEEN", "--limit", "1"], [6]),
        (["--search", "SEEN", "--subject", "Message"], [1]),
        (["--larger", "10MB"], []),
    ],
)
def test_options_say_which_messages(
    plain_url: str, capsys: pytest.CaptureFixture[str], options: list[str], uids: list[int]
) -> None:
    assert read(capsys, "headers", plain_url, *options)["uid"].tolist() == uids


def test_attachments_take_the_same_options(
    plain_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = read(capsys, "attachments", plain_url, "--subject", "Message 2")
    assert frame[["uid", "filename"]].to_numpy().tolist() == [[2, "report.pdf"]]


@pytest.mark.parametrize(
    "folder", [quote(FOLDER, safe=""), quote(FOLDER), FOLDER, f"{quote(FOLDER)}/"]
)
def test_a_folder_may_have_any_name(
    plain_url: str, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    frame = read(capsys, "headers", f"{plain_url}/{folder}")
    assert frame["subject"].tolist() == ["In the office"]
    assert frame["folder"].tolist() == [FOLDER]


def test_a_glob_is_many_folders(plain_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(read(capsys, "headers", f"{plain_url}/*")["folder"]) == {"INBOX", FOLDER}


@pytest.mark.usefixtures("plain_url")
def test_a_user_may_be_an_address_encoded_or_not(
    dovecot: Dovecot, capsys: pytest.CaptureFixture[str]
) -> None:
    for user in ("me@example.com", "me%40example.com"):
        frame = read(capsys, "folders", f"imap://{user}@127.0.0.1:{dovecot.port}")
        assert "INBOX" in frame["name"].tolist()


# -- where it goes


@pytest.mark.parametrize("command", ["folders", "headers", "recipients", "bodies", "attachments"])
def test_a_file_has_all_rows_and_columns(
    plain_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    printed = read(capsys, command, plain_url)
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "json": lambda path: pd.read_json(path, lines=True),
    }
    for suffix, reader in readers.items():
        path = tmp_path / f"mail.{suffix}"
        assert main([command, plain_url, "--to", str(path)]) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert f"{len(printed)} rows written to {path}" in said.err
        frame = reader(path)
        assert list(frame.columns) == columns(command)
        assert len(frame) == len(printed)
    assert_conforms(pd.read_parquet(tmp_path / "mail.parquet"), command)


def assert_conforms(frame: pd.DataFrame, kind: str) -> None:
    pd.testing.assert_frame_equal(schema.conform(frame, kind), frame)


def test_nothing_found_is_a_table_with_columns_alone(
    plain_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    frame = read(capsys, "headers", plain_url, "--subject", "nowhere to be found")
    assert list(frame.columns) == columns("headers")
    path = tmp_path / "nothing.parquet"
    assert main(["headers", plain_url, "--subject", "nowhere", "--to", str(path)]) == 0
    assert list(pd.read_parquet(path).columns) == columns("headers")


def run_in_terminal(arguments: Sequence[str]) -> tuple[int, str]:
    """Run the command with a terminal of 100 columns as its standard output."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mailframe", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "100"},
        cwd=CHECKOUT,
    )
    os.close(slave)
    output = b""
    try:
        while piece := os.read(master, 65536):
            output += piece
    except OSError:  # Linux' way to say that the other end is closed
        pass
    os.close(master)
    return process.wait(), output.decode()


def test_a_terminal_shows_a_table_to_read(plain_url: str) -> None:
    status, shown = run_in_terminal(["headers", plain_url])
    lines = shown.splitlines()
    assert status == 0
    assert lines[0].split() == ["uid", "date", "from_address", "subject", "size", "n_attachments"]
    assert len(lines) == 7
    assert lines[1].split()[:4] == ["6", "2026-01-05", "15:30", "alice@example.org"]
    assert "Grüße aus München 🍺" in shown


@pytest.mark.parametrize(("command", "first"), [("folders", "name"), ("attachments", "uid")])
def test_a_terminal_shows_every_kind_of_table(plain_url: str, command: str, first: str) -> None:
    status, shown = run_in_terminal([command, plain_url])
    assert status == 0
    assert shown.split()[0] == first
    assert "NaN" not in shown
    assert "<NA>" not in shown


def test_a_terminal_is_told_when_nothing_was_found(plain_url: str) -> None:
    status, shown = run_in_terminal(["headers", plain_url, "--subject", "nowhere"])
    assert (status, shown.strip()) == (0, "nothing found")


@pytest.mark.usefixtures("plain_url")
def test_mail_cannot_write_to_the_terminal_what_it_likes(dovecot: Dovecot, user: str) -> None:
    # ESC ] 0 ; … BEL sets the window's title; there are worse ones.
    bad = "=?utf-8?Q?=1B]0;owned=07=1B[31mred?="
    dovecot.deliver(user, [messages.plain(1, subject=bad)])
    address = f"imap://{user}@127.0.0.1:{dovecot.port}"
    status, shown = run_in_terminal(["headers", address])
    assert status == 0
    assert "red" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


# -- passwords


def test_the_password_is_asked_for_when_there_is_none(
    dovecot: Dovecot,
    owner: str,
    plain_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompts = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return dovecot.password

    monkeypatch.delenv("MAILFRAME_PASSWORD")
    monkeypatch.setattr(way_in, "ask_secret", ask)
    assert len(read(capsys, "headers", plain_url)) == 6
    assert len(prompts) == 1
    assert owner in prompts[0]


def test_without_a_terminal_to_ask_on_it_says_what_to_set(
    plain_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal(_: str) -> str:
        raise EOFError

    monkeypatch.delenv("MAILFRAME_PASSWORD")
    monkeypatch.setattr(way_in, "ask_secret", no_terminal)
    assert main(["headers", plain_url]) == 1
    assert "MAILFRAME_PASSWORD" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "folder"), [("me@example.org", "INBOX"), ("me@example.org/Lists/a%20b", "Lists/a b")]
)
def test_an_address_alone_has_its_server_found(
    monkeypatch: pytest.MonkeyPatch, typed: str, folder: str
) -> None:
    asked: list[Any] = []

    def connect(*arguments: Any, **options: Any) -> None:
        asked.append((arguments, options["security"], options["proxy"]))
        raise ConnectionFailedError("Nobody is there.")

    monkeypatch.setattr("mailframe.opening.connect", connect)
    assert arguments._url(typed)["folder"] == folder
    assert main(["count", typed, "--proxy", "socks5://localhost"]) == 1
    assert asked == [((None, "me@example.org"), "tls", "socks5://localhost")]


def test_a_wrong_password_is_an_error_with_a_suggestion_and_without_the_password(
    plain_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", "hunter2")
    assert main(["headers", plain_url]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mailframe: ")
    assert "What to do: User name or password is wrong" in printed.err
    assert "Traceback" not in printed.err
    assert "hunter2" not in printed.err


@pytest.mark.parametrize(
    "bad",
    [
        "imaps://me:hunter2@imap.example.com",
        "imaps://me:hunter2@imap.example.com:port",
        "imaps://me:hunter2@",
        "imaps://:hunter2@imap.example.com",
        "http://me:hunter2@imap.example.com",
        "me:hunter2@imap.example.com",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(
    bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["headers", bad])
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert "hunter2" not in printed.out + printed.err


def test_a_password_in_the_url_is_refused_with_the_other_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["headers", "imaps://me:hunter2@imap.example.com"])
    assert "set MAILFRAME_PASSWORD instead" in capsys.readouterr().err


# -- errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["headers", "{url}/Nowhere"], "Could not open the folder 'Nowhere'"),
        (["headers", "{url}", "--search", "NONSENSE"], "NONSENSE"),
        (["headers", "{url}", "--since", "yesteryear"], "yesteryear"),
        (["headers", "{url}", "--larger", "huge"], "huge"),
        (["headers", "{url}", "--limit", "-1"], "limit=-1"),
        (["headers", "{url}", "--to", "/nonexistent/folder/mail.csv"], "Could not write"),
        (["folders", "imap://me@127.0.0.1:{closed}"], "Could not connect to 127.0.0.1"),
    ],
)
def test_an_error_is_one_message_on_stderr_and_status_1(
    plain_url: str,
    capsys: pytest.CaptureFixture[str],
    unused_port: int,
    arguments: list[str],
    words: str,
) -> None:
    filled = [one.replace("{url}", plain_url) for one in arguments]
    assert main([one.replace("{closed}", str(unused_port)) for one in filled]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mailframe: ")
    assert words in printed.err
    assert "Traceback" not in printed.err


@pytest.fixture
def unused_port() -> int:
    """Return a port that nobody has listened on since it was freed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("content", [None, "no certificate at all\n"])
def test_a_cafile_that_cannot_be_read_is_named(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    assert main(["headers", url, "--cafile", str(path)]) == 1
    said = capsys.readouterr().err
    assert str(path) in said
    assert "Could not write" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["headers"],
        ["headers", "imap.example.com"],
        ["headers", "imaps://imap.example.com"],
        ["headers", "imaps://me@imap.example.com:port"],
        ["headers", "imaps://me@imap.example.com", "--limit", "many"],
        ["headers", "imaps://me@imap.example.com", "--to", "mail.xlsx"],
        ["headers", "imaps://me@imap.example.com", "--timeout", "soon"],
        ["headers", "imaps://me@imap.example.com", "--field"],
        ["headers", "imaps://me@imap.example.com", "--html"],
        ["bodies", "imaps://me@imap.example.com", "--max-bytes", "many"],
        ["download", "imaps://me@imap.example.com", "--to", "mail.xlsx"],
        ["message", "imaps://me@imap.example.com"],
        ["message", "imaps://me@imap.example.com", "seven"],
        ["explain", "imaps://me@imap.example.com", "--what", "download"],
        ["count", "imaps://me@imap.example.com", "--limit", "1"],
        ["folders", "imaps://me@imap.example.com", "--unseen"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_status_2_before_anything_is_done(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert printed.out == ""
    assert "usage: mailframe" in printed.err
    assert "_url" not in printed.err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_timeout_that_no_clock_can_keep_is_refused_in_words(
    plain_url: str, capsys: pytest.CaptureFixture[str], seconds: str
) -> None:
    try:
        status = main(["count", plain_url, f"--timeout={seconds}"])
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status in {1, 2}
    assert "timeout" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["Lists#python", "Lists?python"])
def test_a_folders_name_is_never_cut_short_without_a_word(folder: str) -> None:
    try:
        taken = arguments.make_parser().parse_args(
            ["count", f"imaps://me@imap.example.com/{folder}"]
        )
    except SystemExit:
        return
    assert taken.url["folder"] == folder


# -- who stops reading


@pytest.mark.parametrize("command", ["headers", "download", "message", "count"])
def test_output_that_finds_no_room_is_an_error(
    plain_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        Path("/dev/full").open("wb") as full,
        start(*arguments_of(command, plain_url), stdout=full, stderr=subprocess.PIPE) as process,
    ):
        said = process.communicate()[1].decode()
    assert process.returncode == 1
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


@pytest.mark.parametrize("command", [one for one in OPTIONS if one != "watch"])  # has no end
def test_a_reader_that_stops_reading_is_no_error(
    plain_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with start(
        *arguments_of(command, plain_url), stdout=write_end, stderr=subprocess.PIPE
    ) as process:
        os.close(write_end)
        said = process.communicate()[1]
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("command", OPTIONS)
def test_ctrl_c_ends_every_command_with_its_status(
    plain_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    method = {"inspect": "message", "mark": "keyword", "report": "headers"}.get(command, command)
    monkeypatch.setattr(mf.Session, method, interrupt)
    monkeypatch.setattr(mf.Session, "attachments", interrupt)
    assert main(arguments_of(command, plain_url)) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_ctrl_c_while_the_server_is_silent_ends_the_program(
    scripted: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", "secret")
    processes: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()

    def interrupt(_tag: bytes, _args: bytes, _connection: rig.Connection) -> None:
        processes.get().send_signal(signal.SIGINT)

    server = scripted({"UID SEARCH": interrupt}, messages={1: message()})
    with start(
        "headers",
        f"imap://me@127.0.0.1:{server.port}",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        processes.put(process)
        output, said = process.communicate()
    assert len(server.commands("UID SEARCH")) == 1
    assert (process.returncode, output, said) == (130, b"", b"")


# -- help


def parser_of(command: str) -> argparse.ArgumentParser:
    subparsers = next(
        action for action in arguments.make_parser()._actions if action.dest == "command"
    )
    assert isinstance(subparsers.choices, dict)
    found: argparse.ArgumentParser = subparsers.choices[command]
    return found


def examples() -> list[list[str]]:
    """Return the examples of the help as a shell takes them, without the program's name."""
    lines = [line.strip() for line in arguments.EPILOG.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("mailframe ")]


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_command_is_known_here_and_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    subparsers = next(
        action for action in arguments.make_parser()._actions if action.dest == "command"
    )
    assert isinstance(subparsers.choices, dict)
    known = {*OPTIONS, *cli.ALONE}
    assert subparsers.choices.keys() == known
    shown = help_of(capsys)
    begin = {line.split()[0] for line in shown.splitlines() if line.startswith("    ")}
    assert known <= begin


@pytest.mark.parametrize(
    ("command", "options"),
    [
        *((command, EVERYWHERE | options) for command, options in OPTIONS.items()),
        ("demo", {"--help", "--messages", "--path", "--into", "--serve", "--verbose"}),
        ("lab", {"--help", "--into", "--no-browser"}),
    ],
)
def test_help_names_every_option(
    command: str, options: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line.strip() for line in help_of(capsys, command).splitlines()]
    named = {
        word.strip(",")
        for line in lines
        if line.startswith("-")
        for word in line.split()
        if word.startswith("--")
    }
    assert named == options


@pytest.mark.parametrize("command", [*OPTIONS, *cli.ALONE])
def test_help_says_something_about_every_option(command: str) -> None:
    silent = [action.dest for action in parser_of(command)._actions if not action.help]
    assert silent == []


@pytest.mark.parametrize("command", [*OPTIONS, *cli.ALONE])
def test_help_says_what_the_command_is_for(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = (parser_of(command).description or "").removesuffix(".")
    listed = " ".join(help_of(capsys).split())
    assert said
    # As the list of commands has it, abbreviations such as IMAP spelled as such.
    assert said[1:] in listed


def test_help_says_where_the_password_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert "MAILFRAME_PASSWORD" in help_of(capsys)


@pytest.fixture
def with_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file be there that the examples name."""
    monkeypatch.chdir(tmp_path)
    Path("letter.eml").touch()


@pytest.mark.usefixtures("with_letter")
@pytest.mark.parametrize("example", examples(), ids=" ".join)
def test_every_example_of_the_help_can_be_run(example: list[str]) -> None:
    options = arguments.make_parser().parse_args(example)
    assert options.command in {**cli.COMMANDS, **cli.ALONE}


@pytest.mark.usefixtures("with_letter")
def test_an_example_shows_a_role_that_a_shell_leaves_one() -> None:
    shown = [line for line in arguments.EPILOG.splitlines() if "\\" in line]
    parsed = [arguments.make_parser().parse_args(example) for example in examples()]
    folders = [options.url["folder"] for options in parsed if "url" in options]
    assert len([folder for folder in folders if folder.startswith("\\")]) == len(shown) > 0


# -- the installed program


@pytest.fixture
def program() -> str:
    found = shutil.which("mailframe", path=str(Path(sys.executable).parent))
    if found is None:
        missing("the program mailframe is missing; install it: pip install -e .")
    return found


def test_the_installed_program_reads_a_mailbox(
    program: str, url: str, cafile: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [program, "headers", url, "--cafile", cafile, "--limit", "2"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert pd.read_csv(io.StringIO(done.stdout))["uid"].tolist() == [6, 5]


@pytest.mark.parametrize(
    ("url_of", "status"), [("{plain}/Nowhere", 1), ("imaps://me:hunter2@localhost", 2)]
)
def test_the_installed_programs_status_says_how_it_went(
    program: str, plain_url: str, url_of: str, status: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [program, "headers", url_of.replace("{plain}", plain_url)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_an_unknown_authority_is_refused_by_python_dash_m_too(
    url: str, certificates: Certificates
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailframe", "folders", url, "--cafile", certificates.authority],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "Traceback" not in done.stderr
