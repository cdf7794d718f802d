"""What README says can be typed, typed."""

from __future__ import annotations

import re
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imap_tools
import pandas as pd
import pytest

import mailframe as mf
from mailframe.arguments import make_parser
from mailframe.cli import ALONE, main
from mailframe.exceptions import NotSupportedError
from mailframe.explanation import Explanation
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
TABLE = README.partition("| you want | you write |\n| --- | --- |\n")[2].partition("\n\n")[0]
ROWS = dict(row.strip("| ").split(" | ", 1) for row in TABLE.splitlines())
CODE = {want: re.findall(r"`([^`]+)`", write) for want, write in ROWS.items()}
#: Rows that are no call to type: another test says what becomes of them.
OTHERS = {
    "to do what was planned, and to take it back",
    "to make, rename and delete folders",
    "a Session on mail that lies elsewhere",
}
CALLS = {
    want: code[0]
    for want, code in CODE.items()
    if code[0].startswith(("session.", "mf.", "next(", "df[")) and want not in OTHERS
}
COMMANDS = {want: code[0] for want, code in CODE.items() if code[0].startswith("mailframe ")}
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("mailframe ")
]


#: What becomes of a row; of every other one a frame.
EXPECTED: dict[str, Callable[[Any], bool]] = {
    "that message as a file": lambda path: path.read_bytes().startswith(b"From: "),
    "attachments as files": lambda rows: all(Path(path).is_file() for path in rows["path"]),
    "all headers in Parquet files, which can be resumed": lambda p: len(pd.read_parquet(p)) == 16,
    "a file of it": lambda _: len(pd.read_parquet("mail.parquet")) == 12,
    "one whole message, to look at": lambda email: "subject" in email._repr_html_().lower(),
    "how many": lambda number: number == 0,
    "the commands behind a call, nothing sent": lambda plan: isinstance(plan, Explanation),
    "a picture of that": lambda axes: "folder" in axes.get_title() and bool(axes.patches),
    "all that matters in one HTML file, for a colleague": lambda path: path.name == "report.html",
    "a picture of it": lambda axes: bool(axes.get_title()),
    "every message a dot: days across, hours up": lambda axes: bool(axes.get_title()),
    "who writes to whom, as a graph": lambda axes: bool(axes.get_title()),
    "all folders at once": lambda rows: set(rows["folder"]) == {"INBOX", "Sent", "Archive"},
    "what was sent, whatever the folder is called": lambda r: r["subject"].tolist() == ["Grüße"],
    "more header fields as columns": lambda rows: {"delivered_to", "x_mailer"} <= set(rows),
    "no more than 20 kB of each text": lambda rows: bool(rows["text"].notna().all()),
    "the folders, with counts and sizes": lambda rows: rows["messages"].sum() == 16,
    "mail in a file: mbox, Maildir, .eml, a profile": lambda rows: len(rows) == 1,
    "to move rows to another folder: a plan, nothing done yet": lambda plan: len(plan) == 12,
    "to mark rows as read, likewise": lambda plan: len(plan) == 12,
    "to set keywords of your own": lambda plan: len(plan) == 12,
    "to delete rows: into the trash, or for good": lambda plan: (
        set(plan.folders) == {"INBOX", "Trash"}
    ),
    "to put a message into a folder": lambda plan: len(plan) == 1,
}


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with mail in three folders; nothing here changes it."""
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(12))
    greeting = b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nFrom: a@example.org\r\n\r\nHi\r\n"
    dovecot.deliver(user, [greeting], "Sent")
    dovecot.deliver(user, messages.many(3), "Archive")
    return user


@pytest.fixture
def names(
    dovecot: Dovecot, owner: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, Any]]:
    """Return the names that README's lines use."""
    monkeypatch.chdir(tmp_path)
    Path("takeout.mbox").write_text(
        f"From a@example.org {time.asctime(time.gmtime())}\nSubject: Hi\n\nHello\n"
    )

    Path("reply.eml").write_text("Subject: Hi\n\nHello\n")

    def connect(*, readonly: bool = True) -> mf.Session:
        return mf.connect(
            "localhost",
            owner,
            password=dovecot.password,
            port=dovecot.tls_port,
            ssl_context=dovecot.ssl_context,
            readonly=readonly,
        )

    with connect(readonly=False) as session, connect() as ours:
        yield {
            "mf": mf,
            "imap_tools": imap_tools,
            "session": session,
            "mine": session,
            "ours": ours,
            "df": session.headers(),
            "times": session.headers(folder="*").mail.response_times(),
            "start": pd.Timestamp("2026-01-01", tz="UTC"),
        }


def test_every_row_of_the_table_is_tried() -> None:
    assert set(ROWS) == {*CALLS, *COMMANDS, *OTHERS}
    assert len(CALLS) > 20


@pytest.mark.parametrize("want", sorted(CALLS))
def test_a_row_of_the_table_does_what_it_says(want: str, names: dict[str, Any]) -> None:
    if "Gmail" in want:
        with pytest.raises(NotSupportedError, match="X-GM-EXT-1"):
            eval(CALLS[want], names)
        return
    result = eval(CALLS[want], names)
    holds = EXPECTED.get(want, lambda made: isinstance(made, pd.DataFrame))
    assert holds(result)


@pytest.mark.parametrize("line", [*COMMANDS.values(), *SHELL])
def test_a_line_for_the_terminal_is_understood(
    line: str,
    dovecot: Dovecot,
    owner: str,
    names: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    here = f"imaps://{owner}@localhost:{dovecot.tls_port}"
    uid = str(names["df"]["uid"][0])
    words = shlex.split(line.replace("imaps://me@imap.example.com", here).replace("4711", uid))
    if words[1] in ALONE:  # tried where nothing waits for Ctrl-C, in test_cli_demo
        assert make_parser().parse_args(words[1:]).command == words[1]
        return
    if "inspect" in words:
        Path("letter.eml").write_text("Subject: Hi\n\nHello\n")
    trusted = [] if "inspect" in words else ["--cafile", str(dovecot._certificate.authority)]
    ending = ["--duration", "0.1"] if "watch" in words else []
    assert main([*words[1:], *trusted, *ending]) == 0


def test_the_example_of_asking_mail_runs(names: dict[str, Any]) -> None:
    block = next(text for text in BLOCKS if "response_summary" in text)
    exec(block, names)
    assert set(names["times"]) >= {"time", "business_time"}
    assert len(names["mail"]) == 16


def test_the_pictures_shown_are_there() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", README)
    assert len(shown) == 4
    for path in shown:
        assert (Path(__file__).parent.parent / path).read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def writable(dovecot: Dovecot, user: str) -> Iterator[mf.Session]:
    """Open a mailbox of eight messages for writing."""
    dovecot.deliver(user, messages.many(8))
    with mf.connect(
        "localhost",
        user,
        password=dovecot.password,
        port=dovecot.tls_port,
        ssl_context=dovecot.ssl_context,
        readonly=False,
    ) as session:
        yield session


def test_the_row_about_folders_is_true(writable: mf.Session) -> None:
    first, *named = CODE["to make, rename and delete folders"]
    eval(first, {"session": writable})
    writable.rename_folder("Projects", "Projekte & mehr")
    writable.subscribe("Projekte & mehr/2026")
    writable.delete_folder("Projekte & mehr/2026")
    assert all(callable(getattr(writable, name)) for name in named)
    assert named == ["rename_folder", "delete_folder", "subscribe"]


def test_the_row_about_applying_and_undoing_is_true(writable: mf.Session) -> None:
    done, undone = CODE["to do what was planned, and to take it back"]
    names = {"plan": writable.move(writable.headers(), "Archive")}
    exec(done, names)
    assert writable.count(folder="Archive") == 8
    eval(undone, names)
    assert (writable.count(), writable.count(folder="Archive")) == (8, 0)


def test_the_example_of_changing_mail_runs(writable: mf.Session) -> None:
    block = next(text for text in BLOCKS if "readonly=False" in text)
    code = "\n".join(line for line in block.splitlines() if "mf.connect" not in line)
    newsletter = b"From: newsletter@example.org\r\nSubject: News\r\n\r\nRead on\r\n"
    old = datetime.now(UTC) - timedelta(days=500)
    names: dict[str, Any] = {"mf": mf, "session": writable}
    writable.append([newsletter] * 3, date=old, apply=True)
    exec(code, names)
    assert names["outcome"].counts["done"] == 3
    assert (writable.count(), writable.count(folder="Archive/2025")) == (11, 0)
