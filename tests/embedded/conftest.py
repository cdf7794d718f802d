"""The embedded server with a little mail of Ann's, and clients of it."""

from __future__ import annotations

import gc
import logging
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailframe.embedded import Server
from mailframe.embedded.connection import Limits
from mailframe.embedded.store import Account
from tests.embedded.wire import Client, opened, signed_in

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from tests.rigs.certificates import Certificates

PLAIN = (
    b"From: Ann <ann@example.org>\r\nTo: Ben <ben@example.org>\r\nSubject: One\r\n"
    b"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"
)
MIXED = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: Ann <ann@example.org>\r\n"
    b"Subject: =?utf-8?q?M=C3=BCller?=\r\nDate: Sat, 7 Feb 2026 10:00:00 +0100\r\n"
    b"Message-ID: <2@example.org>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Text with \xc3\xbc\r\n--b\r\nContent-Type: image/png; name=a.png\r\n"
    b"Content-Disposition: attachment; filename=a.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
)
OLD = (
    b"From: Ben <ben@example.org>\r\nTo: Ann <ann@example.org>\r\nSubject: Three\r\n"
    b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <3@example.org>\r\n\r\nOld news\r\n"
)


def mail() -> Account:
    r"""Make an account: three messages, the second ``\Seen``; four more mailboxes."""
    account = Account(first_validity=1000)
    inbox = account.mailbox("INBOX")
    days = [datetime(2026, 2, day, 10, tzinfo=UTC) for day in (1, 7, 9)]
    for raw, day, flags in zip((PLAIN, MIXED, OLD), days, ([], ["\\Seen"], ["work"]), strict=True):
        account.append(inbox, raw, day, flags)
    inbox.first_recent = inbox.next_uid
    account.create("Archive", "\\Archive")
    account.create("Archive/2026")
    account.create("Sent", "\\Sent")
    account.create("Entwürfe", "\\Drafts")
    account.subscribed |= {"INBOX", "Archive/2026"}
    return account


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a server, at which Ann has mail and Ben none."""
    tokens = {"ann": "t0ken"}
    passwords = {"ann": "secret", "ben": "secret"}
    with Server(passwords, tokens=tokens, accounts={"ann": mail()}) as server:
        yield server


@pytest.fixture
def ann(server: Server) -> Iterator[Callable[..., Client]]:
    """Return a function that gives another client, which has a mailbox selected."""
    with ExitStack() as clients:
        yield lambda mailbox="INBOX": clients.enter_context(opened(server, mailbox))


@pytest.fixture
def client(ann: Callable[..., Client]) -> Client:
    """Give a client of Ann's that has INBOX selected."""
    return ann()


@pytest.fixture
def other(ann: Callable[..., Client]) -> Client:
    """Give a second client of Ann's that has INBOX selected."""
    return ann()


# -- a server that must leave nothing behind


def running() -> tuple[set[threading.Thread], Counter[str]]:
    """Give the threads there are, and what is open; sockets are told apart by Linux alone."""
    folder = Path("/proc/self/fd")
    links: Counter[str] = Counter()
    for one in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # the one by which the folder is read
            links[str(one.readlink())] += 1
    return set(threading.enumerate()), links


def _left(threads: set[threading.Thread], links: Counter[str]) -> list[object]:
    """Give what there is now, and was not then."""
    now = running()
    return [*(now[0] - threads), *(now[1] - links)]


def _trouble(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.fixture
def serve(
    certificates: Certificates,  # noqa: ARG001 its files are made before what is left is counted
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; in the end all must be as it was.

    Before that the server is asked for something once more, unless ``is_asked`` is False.
    """
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    threads, links = running()
    with ExitStack() as stack:
        servers: list[Server] = []

        def start(
            *,
            context: ssl.SSLContext | None = None,
            tls: bool = False,
            is_asked: bool = True,
            **limits: float,
        ) -> Server:
            given = Limits(**limits)
            server = Server(
                {"ann": "secret", "ben": "secret"},
                accounts={"ann": mail()},
                ssl_context=context,
                tls=tls,
                limits=given,
            )
            stack.enter_context(server)
            if is_asked:
                servers.append(server)
            return server

        yield start
        for server in servers:
            if server.is_running and not server._tls:
                _serves(server)
    if _left(threads, links):
        gc.collect()  # what is only in a cycle is closed by it, with a warning that fails the test
    assert not _left(threads, links)
    assert not list(spool.iterdir())
    assert not _trouble(caplog)


def _serves(server: Server) -> None:
    with signed_in(server, "ben") as client:
        assert client.run("NOOP").status == "OK"
