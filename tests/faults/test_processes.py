"""Forks, pickles and the end of a program: a fresh connection, or an error in words."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import NotSupportedError
from tests.faults.reading import COUNT, read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.faults.reading import Mailbox
    from tests.rigs.proxy import FaultProxy

    Through = Callable[..., FaultProxy]
    SignIn = Callable[..., Session]

ROOT = Path(__file__).parents[2]
CONNECT = """
import os, sys, threading
import mailframe as mf
host, port, user, password = sys.argv[1:]
session = mf.connect(host, user, password=password, port=int(port), security="none", pool_size=2)
"""
FORK = """
session.headers(progress=False)
child = os.fork()
rows = [len(session.headers(progress=False)), len(session.bodies(progress=False))]
print(*rows, flush=True)
if child:
    done = os.waitpid(child, 0)[1]
    rows = [len(session.headers(progress=False)), len(session.bodies(progress=False))]
    print(*rows, done)
session.close()
"""
FORK_BUSY = """
from mailframe.imap import pool
pool.FAR = 0
reading = threading.Thread(target=session.headers, kwargs={"progress": False, "folder": "*"})
reading.start()
child = os.fork()
print(len(session.headers(progress=False)), flush=True)
if child:
    print(os.waitpid(child, 0)[1])
reading.join() if child else None
session.close()
os._exit(0) if not child else None
"""
IN_THE_MIDDLE = """
from mailframe.selection import select
[found] = select(session._source, "ALL", "INBOX", None)
records = session._source.headers(found)
next(records)
"""


FORK_CLIENT = """
import ssl
from mailframe.imap import IMAPClient
session.close()
anything = ssl._create_unverified_context()
client = IMAPClient().connect(host, port=int(port), use_ssl=False, ssl_context=anything)
client.authenticate(username=user, password=password)
client.select_folder("INBOX")
child = os.fork()
counts = [len(client.fetch_emails(limit=20)) for _ in range(3)]
print(*counts, os.waitpid(child, 0)[1] if child else "", flush=True)
client.disconnect()
"""


def run(script: str, proxy: FaultProxy, mailbox: Mailbox) -> str:
    """Run a program against the mailbox; what it printed."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", CONNECT + script),
            *(proxy.host, str(proxy.port), mailbox.user, mailbox.password),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_parent_and_child_go_on_with_a_connection_each(through: Through, mailbox: Mailbox) -> None:
    proxy = through()
    said = run(FORK, proxy, mailbox).split("\n")
    assert sorted(said) == ["", f"{COUNT} {COUNT}", f"{COUNT} {COUNT}", f"{COUNT} {COUNT} 0"]
    assert len(proxy.lines) == 2


def test_a_client_and_its_copy_in_a_child_go_on_with_a_connection_each(
    through: Through, mailbox: Mailbox
) -> None:
    proxy = through()
    said = run(FORK_CLIENT, proxy, mailbox).split("\n")
    assert sorted(said) == ["", "20 20 20 ", "20 20 20 0"]
    assert len(proxy.lines) == 3  # the session's, the client's and the child's


def test_a_child_forked_while_others_read_is_not_stuck(through: Through, mailbox: Mailbox) -> None:
    said = run(FORK_BUSY, through(), mailbox).split()
    assert said == [str(COUNT), str(COUNT), "0"]


@pytest.mark.parametrize(
    "end",
    [
        "",
        "session.headers(limit=10, progress=False)",
        "import gc; session = None; gc.collect()",
        "from mailframe.imap import pool; pool.FAR = 0; session.headers(folder='*')",
        IN_THE_MIDDLE,
        "session.close()",
    ],
    ids=["at once", "after a call", "collected", "after several", "in the middle", "closed"],
)
def test_a_program_ends_without_a_word_about_its_connections(
    through: Through, mailbox: Mailbox, end: str
) -> None:
    proxy = through()
    assert run(end, proxy, mailbox) == ""
    proxy.settle()
    assert proxy.open == 0


@pytest.mark.parametrize("make", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_cannot_be_copied_and_says_why(
    through: Through, session: SignIn, reference: Reference, make: Callable[[object], object]
) -> None:
    one = session(through())
    with pytest.raises(NotSupportedError, match="copied or pickled"):
        make(one)
    frames = read_all(one)
    assert len(pickle.loads(pickle.dumps(frames))[0]) == len(reference.frames[0])


@pytest.mark.usefixtures("far")
def test_closing_leaves_no_thread_and_no_socket(through: Through, session: SignIn) -> None:
    proxy = through()
    before = set(threading.enumerate())
    one = session(proxy, pool_size=4)
    one.headers(folder="*", progress=False)
    one.close()
    proxy.settle()
    assert set(threading.enumerate()) == before
    assert proxy.open == 0
