"""What ``mailframe demo`` shows: a first look at a mailbox, step by step."""

from __future__ import annotations

import io
import json
import logging
import re
import shlex
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd
from matplotlib.figure import Figure

from mailframe import analysis, plots
from mailframe.embedded.launcher import demo, start_server
from mailframe.exceptions import SaveError
from mailframe.imap.commands import explain_command
from mailframe.layout import lay_out
from mailframe.saving import Destination
from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from matplotlib.axes import Axes

    from mailframe.embedded.launcher import DemoSession

__all__ = ["LOGGED", "serve", "show"]

#: Where the dialogue with the server is logged.
LOGGED = "mailframe.imap.trace"
#: Longer lines are hard to read, shorter ones hold nothing.
_WIDEST, _NARROWEST = 100, 30
_INDENT = "   "
_ROWS = 6
#: Folders with these roles hold what was not received.
_OWN = ("\\Sent", "\\Drafts")
_RFC = re.compile("RFC |section ")
# Whose line it is, and which connection's where there are several; not the tag.
_COMMAND = re.compile(r"(?:\S+ )??C: (?:[A-Z]{4}\d+ )?(.*)", re.DOTALL)


def show(
    *, messages: int | None = None, path: Path | None = None, into: Path, progress: bool = False
) -> int:
    """Show what can be done with the sample mailbox, or with mail in files.

    Parameters
    ----------
    messages, path
        As for `mailframe.demo`.
    into
        The folder for the pictures.
    progress
        Whether bars are shown.

    Returns
    -------
    int
        0; 1 if the pictures could not be saved, after all else has been shown.

    Raises
    ------
    MailframeError
        As `mailframe.demo` does.
    """
    with _Listener() as listener:
        with demo(messages=messages, path=path) as session:
            _connect(session, path)
            own = _folders(session)
            headers = _headers(session, progress=progress)
            _attachments(session, headers, progress=progress)
            received = headers[~headers["folder"].astype("str").isin(own)]
            _senders(received, own)
            saved = _pictures(headers, received, into)
        _dialogue(listener.commands)
    _next_steps()
    return 0 if saved else 1


def serve(port: int, *, messages: int | None = None, path: Path | None = None) -> int:
    """Serve the sample mailbox, or mail in files, to any program on this machine until Ctrl-C.

    Parameters
    ----------
    port
        To listen on; 0 for one that is free.
    messages, path
        As for `mailframe.demo`.

    Returns
    -------
    int
        0.

    Raises
    ------
    MailframeError
        As `mailframe.demo` does.
    """
    server, username, password = start_server(messages=messages, path=path, port=port)
    try:
        _say("Any mail program on this machine can now look at the mailbox, by IMAP:")
        _lines([
            f"server      {server.host}",
            f"port        {server.port}",
            f"user        {username}",
            f"password    {password}",
            "encryption  none",
        ])  # fmt: skip
        _say("Or, in another terminal:")
        user = username.replace("@", "%40")
        _lines([
            f"export MAILFRAME_PASSWORD={password}",
            f"{_program()} headers imap://{user}@{server.host}:{server.port} --limit 10",
        ])  # fmt: skip
        _say(
            "Nothing outside this machine can reach it. What is changed there is forgotten at the "
            "end, and the password is a new one each time."
        )
        _say("Press Ctrl-C to stop.")
        while True:
            time.sleep(3600)  # on Windows, Ctrl-C does not end a wait for an Event
    except KeyboardInterrupt:
        _say("Stopped.")
    finally:
        server.stop()
    return 0


# -- the steps


def _connect(session: DemoSession, path: Path | None) -> None:
    given = "" if path is None else f"path={str(path)!r}"
    _step(1, "Connect", "import mailframe as mf", f"session = mf.demo({given})")
    what = "the mail of an invented person" if path is None else f"the mail in {path}"
    server = session.server
    _say(
        f"A mail server has started within this program, with {what}. It is at {server.host}, port "
        f"{server.port}, where only this machine can reach it. mailframe has logged in as "
        f"{session.username}, the way it logs in to any other: by IMAP, the language in which mail "
        "programs talk to mail servers."
    )


def _folders(session: DemoSession) -> list[str]:
    """Show the folders; return those of mail that was not received."""
    _step(2, "List the folders", "session.folders()")
    folders = session.folders()
    _table(folders[["name", "messages", "unseen", "size", "special_use"]])
    return folders.loc[folders["special_use"].isin(_OWN), "name"].astype("str").tolist()


def _headers(session: DemoSession, *, progress: bool) -> pd.DataFrame:
    _step(3, "Fetch the headers of all messages", 'df = session.headers(folder="*")')
    began = time.perf_counter()
    headers = session.headers(folder="*", progress=progress)
    took = time.perf_counter() - began
    columns = f"{len(headers.columns)} columns"
    _say(f"{_number(len(headers), 'message')} in {took:.2f} s, as a DataFrame of {columns}.")
    if len(headers):
        _say("The first rows, and some of the columns:")
        _table(headers.head(_ROWS)[["date", "from_address", "subject", "size", "n_attachments"]])
    return headers


def _attachments(session: DemoSession, headers: pd.DataFrame, *, progress: bool) -> None:
    _step(
        4,
        "Find the largest attachments",
        'rows = session.attachments(df[df["n_attachments"] > 0])',
        'rows.nlargest(6, "size")',
    )
    holding = headers[headers["n_attachments"] > 0]
    rows = session.attachments(holding, progress=progress)
    _say(
        f"{_number(len(rows), 'attachment')} in {_number(len(holding), 'message')}. Names and "
        "sizes come from the outline that the server makes of a message: nothing is downloaded."
    )
    if len(rows):
        _table(rows.nlargest(_ROWS, "size")[["filename", "size", "content_type", "folder"]])


def _senders(received: pd.DataFrame, own: Sequence[str]) -> None:
    without = f'[~df["folder"].isin({json.dumps(own, ensure_ascii=False)})]' if own else ""
    _step(
        5,
        "See who writes most",
        f"received = df{without}",
        "received.mail.senders(top=6)",
    )
    if len(received):
        senders = analysis.senders(received, top=_ROWS)
        _table(senders[["address", "messages", "name", "last"]])
    else:
        _say("Nobody: no messages were received.")


def _pictures(headers: pd.DataFrame, received: pd.DataFrame, into: Path) -> bool:
    """Save the two plots; return whether that was possible."""
    _step(6, "Draw", 'df.mail.plot.volume("W")', "received.mail.plot.senders()")
    pictures = {
        "mailframe-volume.png": plots.volume(headers, "W", ax=_axes(3.6)),
        "mailframe-senders.png": plots.senders(received, ax=_axes(5.3)),
    }
    try:
        folder = Destination(into)
        saved = [_save(ax, folder, name) for name, ax in pictures.items()]
    except SaveError as error:
        _say(f"The pictures could not be saved in {into.absolute()}: --into names another folder.")
        sys.stdout.flush()
        print(clean(f"mailframe: {error}"), file=sys.stderr)
        return False
    _say("Messages per week, and who sent most, are saved as")
    _lines([str(path) for path in saved])
    return True


def _dialogue(commands: Sequence[str]) -> None:
    _title("7. See what was said")
    words = [explain_command(command) for command in commands]
    counts = pd.Series([word.name for word in words]).value_counts()
    kinds = dict.fromkeys(words)  # in the order of their first use
    _say(f"mailframe sent {len(commands)} IMAP commands, of {len(kinds)} kinds: -v shows each.")
    _table(
        pd.DataFrame({
            "command": [word.name for word in kinds],
            "sent": [int(counts[word.name]) for word in kinds],
            "what it does": [word.meaning for word in kinds],
            "RFC, section": [_RFC.sub("", word.rfc) for word in kinds],
        })
    )  # fmt: skip
    fetches = [command for command in commands if command.startswith("UID FETCH")]
    if fetches:
        _say("One of those that brought the headers, as it was sent:")
        _say(fetches[0], deeper=True)


def _next_steps() -> None:
    program = _program()
    _title("Where to go next")
    for command, meaning in {
        f"{program} lab": (
            "The same as a lesson, in a notebook. It wants JupyterLab: "
            "pip install 'mailframe[notebook]'."
        ),
        f"{program} headers imaps://me@imap.example.com --limit 10": (
            "Your own mailbox: put in your name and your provider's server. The password is asked "
            "for, and nothing is changed there."
        ),
        f"{program} headers takeout.mbox": "Mail in files.",
        f"{program} demo --serve 1143": "This mailbox for any mail program on this machine.",
    }.items():
        _lines([command], apart=False)
        _say(meaning, deeper=True)


# -- what was sent


class _Listener(logging.Handler):
    """Collects the commands of the dialogue, without their tags."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[str] = []
        self._log = logging.getLogger(LOGGED)
        self._level = self._log.level

    def emit(self, record: logging.LogRecord) -> None:
        found = _COMMAND.match(record.getMessage())
        if found is not None:
            self.commands.append(found[1])

    def __enter__(self) -> Self:
        self._log.addHandler(self)
        self._log.setLevel(logging.DEBUG)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._log.removeHandler(self)
        self._log.setLevel(self._level)


# -- pictures


def _axes(height: float) -> Axes:
    # Not pyplot's, which would want the screen where there is one.
    axes: Axes = Figure(figsize=(8, height), dpi=120, layout="constrained").subplots()
    return axes


def _save(ax: Axes, folder: Destination, name: str) -> Path:
    content = io.BytesIO()
    ax.get_figure(root=True).savefig(content, format="png")  # type: ignore[union-attr] # it has one
    with folder.begin(name) as file:
        file.write(content.getvalue())
        return file.finish().resolve()


# -- words and tables


def _title(title: str) -> None:
    print(f"{title}\n")


def _step(number: int, title: str, *code: str) -> None:
    _title(f"{number}. {title}")
    _lines([f">>> {line}" for line in code])


def _say(text: str, *, deeper: bool = False) -> None:
    indent = _INDENT * 2 if deeper else _INDENT
    shown = textwrap.fill(
        clean(text),
        _width(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    print(f"{shown}\n", flush=True)  # before a bar, which goes to stderr


def _lines(lines: Iterable[str], *, apart: bool = True) -> None:
    print(*(f"{_INDENT}{clean(line)}" for line in lines), sep="\n", end="\n\n" if apart else "\n")


def _table(frame: pd.DataFrame) -> None:
    _lines(lay_out(frame, _width() - len(_INDENT)))


def _width() -> int:
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _program() -> str:
    """Return how this program was called, so that the next command is found as well."""
    called = Path(sys.argv[0])
    found = shutil.which("mailframe")
    if found is not None and Path(found).parent.absolute() == called.parent.absolute():
        return "mailframe"
    is_program = called.is_file() and called.name != "__main__.py"
    return shlex.quote(sys.argv[0]) if is_program else "python -m mailframe"
