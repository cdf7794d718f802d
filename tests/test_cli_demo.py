"""``mailframe demo`` and ``mailframe lab``: what somebody sees who has just installed it."""

from __future__ import annotations

import fcntl
import imaplib
import io
import logging
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pytest

import mailframe as mf
from mailframe import demonstration, lab
from mailframe.cli import LOGGED, main
from mailframe.imap.commands import COMMANDS
from mailframe.layout import shown_width
from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEPS = [
    "1. Connect", "2. List the folders", "3. Fetch the headers of all messages",
    "4. Find the largest attachments", "5. See who writes most", "6. Draw", "7. See what was said",
    "Where to go next",
]  # fmt: skip
PICTURES = ["mailframe-senders.png", "mailframe-volume.png"]
PNG = b"\x89PNG\r\n"
FEW = ["--messages", "60"]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the program in a process of its own, without a display."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **options.pop("env", {})}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "-m", "mailframe", *arguments],
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        **options,
    )


def run(*arguments: str, cwd: Path, columns: int = 100) -> tuple[int, str, str]:
    """Run the program with its output in pipes; return status, output and errors."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    env = {"COLUMNS": str(columns)}
    with start(*arguments, cwd=cwd, env=env, **streams) as process:
        output, errors = process.communicate()
    return process.returncode, output, errors


def code_of(shown: str) -> list[str]:
    return [line.removeprefix("   >>> ") for line in shown.splitlines() if ">>> " in line]


def titles_of(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if line in STEPS]


def rows_below(shown: str, header: str) -> list[list[str]]:
    """Return the cells of the table whose first line begins with this."""
    table = shown.partition(f"\n   {header}")[2].partition("\n\n")[0]
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:]]


@pytest.fixture(scope="module")
def first_look(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, str, Path]:
    """Return what the first command of README gives, and the folder where it was typed."""
    folder = tmp_path_factory.mktemp("somewhere")
    return *run("demo", cwd=folder), folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    dialogue = logging.getLogger(LOGGED)  # -v changes both
    monkeypatch.setattr(dialogue, "handlers", [])
    monkeypatch.setattr(dialogue, "level", logging.NOTSET)
    return tmp_path


# -- the first look


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("-c", "python -m mailframe"),
        (f"{Path(mf.__file__).parent}/__main__.py", "python -m mailframe"),
        (__file__, shlex.quote(__file__)),
    ],
)
def test_it_says_how_it_was_called(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    called: str,
    shown: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    assert main(["demo", *FEW, "--into", str(here)]) == 0
    assert f"\n   {shown} headers imaps://" in capsys.readouterr().out


def test_the_demo_goes_through_its_steps(first_look: tuple[int, str, str, Path]) -> None:
    status, shown, errors, _ = first_look
    assert (status, errors) == (0, "")
    assert shown.startswith("mailframe demo: a sample mailbox")
    assert titles_of(shown) == STEPS


def test_its_pictures_lie_where_it_says(first_look: tuple[int, str, str, Path]) -> None:
    _, shown, _, folder = first_look
    assert sorted(path.name for path in folder.iterdir()) == PICTURES
    for name in PICTURES:
        path = folder.resolve() / name
        assert path.read_bytes().startswith(PNG)
        assert f"   {path}\n" in shown


def test_its_tables_are_those_of_the_mailbox(first_look: tuple[int, str, str, Path]) -> None:
    shown = first_look[1]
    with mf.demo() as session:
        folders = session.folders().dropna(subset="messages")
        inbox = session.count()
        total = int(folders["messages"].sum())
    listed = {row[0]: row[1] for row in rows_below(shown, "name ") if len(row) > 1}
    assert listed == {f["name"]: f"{f['messages']:,}" for _, f in folders.iterrows()}
    assert listed["INBOX"] == f"{inbox:,}"
    assert f"{total:,} messages in " in shown
    assert len(rows_below(shown, "date ")) == len(rows_below(shown, "filename ")) == 6


def test_a_pipe_gets_plain_lines(first_look: tuple[int, str, str, Path]) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", first_look[1])


def test_what_it_says_to_type_can_be_typed(
    first_look: tuple[int, str, str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = code_of(first_look[1])
    assert len(lines) == 10
    names: dict[str, Any] = {}
    for line in lines:
        exec(line, names)
    assert "mira" not in str(names["received"].mail.senders(top=6)["address"].tolist())
    names["session"].close()
    plt.close("all")
    assert capsys.readouterr().out == ""


def test_the_commands_were_sent_and_none_changes_anything(
    first_look: tuple[int, str, str, Path],
) -> None:
    rows = rows_below(first_look[1], "command ")
    sent = {row[0]: int(row[1]) for row in rows}
    assert {"LIST", "EXAMINE", "UID FETCH", "LOGOUT"} <= sent.keys() <= COMMANDS.keys()
    assert not sent.keys() & {"SELECT", "UID STORE", "APPEND", "EXPUNGE", "CREATE", "CLOSE"}
    assert f"mailframe sent {sum(sent.values())} IMAP commands" in first_look[1]
    meanings = [COMMANDS[row[0]].meaning for row in rows]
    assert [row[2] for row in rows] == meanings
    assert "      UID FETCH " in first_look[1]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_tables_and_sentences_fit_the_terminal(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["demo", *FEW]) == 0
    blocks = capsys.readouterr().out.split("\n\n")[1:]
    # What is to be typed is never broken, and paths are as long as they are.
    told = [one for one in blocks if not re.search(f">>> |mailframe |{re.escape(str(here))}", one)]
    tables = [one for one in told if re.match("   (?:name|date|filename|address|command) ", one)]
    assert len(tables) == 5
    assert max(map(shown_width, "\n".join(tables).splitlines())) <= max(columns, 30)
    for line in "\n".join(one for one in told if one not in STEPS).splitlines():
        assert shown_width(line) <= min(max(columns, 30), 100) or len(line.split()) == 1


def in_terminal(arguments: Sequence[str], cwd: Path) -> str:
    """Run the program on a terminal; return all that it writes there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
    with start(*arguments, cwd=cwd, env={"COLUMNS": "90"}, stdout=slave, stderr=slave) as process:
        os.close(slave)
        output = b""
        try:
            while piece := os.read(master, 65536):
                output += piece
        except OSError:  # Linux' way to say that the other end is closed
            pass
        os.close(master)
    assert process.returncode == 0
    return output.decode()


def test_a_terminal_shows_a_bar_and_no_escapes(here: Path) -> None:
    shown = in_terminal(["demo", *FEW], here)
    assert "100%|" in shown
    assert "60/60 [" in shown
    assert "\x1b[3" not in shown


@pytest.mark.usefixtures("here")
def test_verbose_shows_the_dialogue_without_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "-v", *FEW]) == 0
    errors = capsys.readouterr().err
    assert "C: " in errors
    assert re.search(r"^C: \w+ AUTHENTICATE [A-Z ]*\*\*\*$", errors, re.MULTILINE)
    assert "* LIST (" in errors


def test_pictures_replace_nothing(here: Path) -> None:
    (here / PICTURES[0]).write_text("mine")
    assert main(["demo", *FEW]) == 0
    assert sorted(path.name for path in here.iterdir()) == [
        "mailframe-senders (2).png", *PICTURES
    ]  # fmt: skip
    assert (here / PICTURES[0]).read_text() == "mine"


def test_pictures_go_into_another_folder(here: Path) -> None:
    assert main(["demo", *FEW, "--into", "new/pictures"]) == 0
    assert sorted(path.name for path in (here / "new/pictures").iterdir()) == PICTURES


def test_pictures_that_cannot_be_saved_are_told_and_the_rest_is_shown(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "file").touch()
    assert main(["demo", *FEW, "--into", "file/pictures"]) == 1
    shown, errors = capsys.readouterr()
    assert titles_of(shown) == STEPS
    assert f"The pictures could not be saved in {Path.cwd() / 'file/pictures'}" in shown.replace(
        "\n   ", " "
    )
    assert errors.startswith("mailframe: Could not save")
    assert "Traceback" not in errors


@pytest.mark.usefixtures("here")
def test_no_window_is_opened_whatever_the_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plt, "figure", lambda *_, **__: pytest.fail("a figure of pyplot"))
    before = plt.get_fignums()
    assert main(["demo", *FEW]) == 0
    assert plt.get_fignums() == before


# -- other mail than the sample


def test_the_demo_reads_mail_in_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter = (
        "From a@b.example Thu Jan  1 00:00:00 2026\nFrom: a@b.example\nSubject: Hello\n\nHi\n\n"
    )
    (here / "my mail.mbox").write_text(letter * 3)
    before = (here / "my mail.mbox").stat()
    assert main(["demo", "--path", "my mail.mbox"]) == 0
    shown = capsys.readouterr().out
    assert "3 messages in " in shown
    assert "session = mf.demo(path='my mail.mbox')" in shown
    assert "received = df\n" in shown
    assert rows_below(shown, "address ")[0][:2] == ["a@b.example", "3"]
    after = (here / "my mail.mbox").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("messages", ["0", "1"])
def test_a_mailbox_of_nearly_nothing_is_shown(
    here: Path, capsys: pytest.CaptureFixture[str], messages: str
) -> None:
    assert main(["demo", "--messages", messages]) == 0
    shown = capsys.readouterr().out
    assert titles_of(shown) == STEPS
    assert f"{messages} message{'' if messages == '1' else 's'} in 0." in shown
    assert sorted(path.name for path in here.iterdir()) == PICTURES


def test_mail_cannot_write_to_the_terminal_what_it_likes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = "From: =?utf-8?Q?=1B]0;owned=07?= <a@b.example>\nSubject: =?utf-8?Q?=1B[31mred?=\n\nHi\n"
    (here / "bad\x1b[1m.eml").write_text(bad)
    assert main(["demo", "--path", "bad\x1b[1m.eml"]) == 0
    shown = capsys.readouterr().out
    assert "[31mred" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--messages", "-1"], "messages=-1 is no number of messages"),
        (["--path", "nowhere"], "There is no file or folder "),
        (["--serve", "0", "--path", "nowhere"], "There is no file or folder "),
    ],
)
def test_an_error_is_one_message_on_stderr(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["demo", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"mailframe: {said}")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("port", ["-1", "65536", "x", "9" * 5000])
def test_a_port_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", f"--serve={port}"])
    assert ended.value.code == 2
    assert "is no port: these go from 0 to 65535" in capsys.readouterr().err


# -- its end


def servers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "mailframe server" in thread.name]


def test_ctrl_c_ends_the_demo_and_its_server(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(servers())
    running: list[int] = []

    def interrupt(*_: object, **__: object) -> None:
        running.append(len(servers()))
        raise KeyboardInterrupt

    monkeypatch.setattr(mf.Session, "headers", interrupt)
    assert main(["demo", *FEW]) == 130
    assert running == [before + 1]
    assert len(servers()) == before
    assert list(here.iterdir()) == []


def test_a_reader_that_stops_reading_is_no_error(here: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with start("demo", *FEW, cwd=here, stdout=write_end, stderr=subprocess.PIPE) as process:
        os.close(write_end)
        errors = process.communicate()[1]
    assert (process.returncode, errors) == (0, "")


def test_output_that_finds_no_room_is_an_error(here: Path) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        start("demo", *FEW, cwd=here, stdout=full, stderr=subprocess.PIPE) as process,
    ):
        errors = process.communicate()[1]
    assert process.returncode == 1
    assert "No space left on device" in errors
    assert "Traceback" not in errors


# -- serving


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return what the program has said that serves meanwhile."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options: dict[str, Any] = {"cwd": tmp_path_factory.mktemp("served"), "env": {"COLUMNS": "100"}}
    with start("demo", "--serve", "0", *FEW, **options, **streams) as process:
        assert process.stdout is not None
        words = ""
        while "Ctrl-C" not in words:
            line = process.stdout.readline()
            assert line, words
            words += line
        yield words
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output.strip(), errors) == (0, "Stopped.", "")


def entry(said: str, name: str) -> str:
    found = re.search(rf"^   {name} +(.+)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1]


def test_any_mail_program_can_log_in_to_the_served_mailbox(said: str) -> None:
    assert entry(said, "encryption") == "none"
    client = imaplib.IMAP4(entry(said, "server"), int(entry(said, "port")))
    client.login(entry(said, "user"), entry(said, "password"))
    status, count = client.select("INBOX")
    assert (status, int(count[0] or 0) > 0) == ("OK", True)
    client.logout()


def test_the_line_for_another_terminal_can_be_typed_there(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", entry(said, "export").partition("=")[2])
    line = next(line for line in said.splitlines() if " headers imap://" in line)
    words = shlex.split(line)
    assert main(words[words.index("headers") :]) == 0
    assert len(io.StringIO(capsys.readouterr().out).readlines()) == 11


def test_a_port_that_is_taken_is_told(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = entry(said, "port")
    assert main(["demo", "--serve", port, *FEW]) == 1
    assert f"could not listen on port {port}" in capsys.readouterr().err


def test_ctrl_c_stops_the_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = servers()

    def interrupt(_: float) -> None:
        assert len(servers()) == len(before) + 1
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstration.time, "sleep", interrupt)
    assert main(["demo", "--serve", "0", *FEW]) == 0
    assert capsys.readouterr().out.endswith("Stopped.\n\n")
    assert servers() == before


# -- the notebooks


@pytest.fixture
def jupyter(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a JupyterLab that says how it was called."""
    package = tmp_path / "site" / "jupyterlab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import sys, time\n"
        "try:\n"
        "    print(*sys.argv[1:], sep='\\n', flush=True)\n"
        "    if '--no-browser' not in sys.argv: sys.exit(3)\n"
        # Not signal.pause(): a signal that comes just before it would be waited for in vain.
        "    for _ in range(600): time.sleep(0.1)\n"
        "except KeyboardInterrupt:\n"
        "    print('asked whether to stop', flush=True)\n"
    )
    return {"PYTHONPATH": f"{package.parent}{os.pathsep}{CHECKOUT}"}


def test_lab_opens_the_notebooks_of_a_checkout_where_they_are(
    here: Path, jupyter: dict[str, str]
) -> None:
    arguments = ["lab", "--", "--port", "9999"]
    with start(*arguments, cwd=here, env=jupyter, stdout=subprocess.PIPE) as process:
        said = process.communicate()[0].splitlines()
    assert process.returncode == 3  # JupyterLab's own
    assert said[1:] == [
        f"--ServerApp.root_dir={CHECKOUT / 'notebooks'}",
        "--LabApp.default_url=/lab/tree/00_quickstart.ipynb",
        "--port",
        "9999",
    ]
    assert (CHECKOUT / "notebooks" / lab.FIRST).is_file()


def test_lab_leaves_ctrl_c_to_jupyter(here: Path, jupyter: dict[str, str]) -> None:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(
        "lab", "--no-browser", cwd=here, env=jupyter, start_new_session=True, **streams
    ) as process:
        assert process.stdout is not None
        while "--no-browser" not in process.stdout.readline():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert "asked whether to stop" in output


def test_lab_copies_the_notebooks_where_they_are_wanted(here: Path) -> None:
    folder = lab.notebooks(Path("mine"))
    assert folder == here.resolve() / "mine"
    assert (folder / lab.FIRST).read_bytes() == (CHECKOUT / "notebooks" / lab.FIRST).read_bytes()
    (folder / lab.FIRST).write_text("changed")
    lab.notebooks(Path("mine"))
    assert (folder / lab.FIRST).read_text() == "changed"


def test_lab_without_jupyterlab_says_what_to_install(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda _: None)
    assert main(["lab", "--into", "mine"]) == 1
    assert "pip install 'mailframe[notebook]'" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_lab_that_cannot_copy_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda _: True)
    (here / "file").touch()
    assert main(["lab", "--into", "file"]) == 1
    assert "A file has that name" in capsys.readouterr().err


def test_lab_without_notebooks_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(lab, "_PACKAGE", here / "mailframe")
    assert main(["lab"]) == 1
    assert "Install mailframe again" in capsys.readouterr().err
