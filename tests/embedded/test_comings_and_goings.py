"""Clients come and go, and so do servers: others are served, and nothing is left behind.

After each test there must be no thread, socket, file or line of trouble in the log that was not
there before: the fixture `serve` looks.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.embedded import Server
from mailframe.exceptions import ConnectionFailedError
from tests.embedded.wire import Client, ends_with_bye, opened, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rigs.certificates import Certificates

    Serve = Callable[..., Server]

CHECKOUT = Path(__file__).parents[2]
LARGE = 1 << 20


# -- connections


def test_one_too_many_is_told_so(serve: Serve) -> None:
    server = serve(connections=3, is_asked=False)
    with ExitStack() as clients:
        first = [clients.enter_context(signed_in(server)) for _ in range(3)]
        with Client(server) as refused:
            assert ends_with_bye(list(refused.replies()), b"[LIMIT]")
        assert first[0].run("LOGOUT").status == "OK"
        assert first[0].rest() == []


def test_fifty_clients_are_served(serve: Serve) -> None:
    server = serve()
    with ExitStack() as clients:
        all_ = [clients.enter_context(opened(server)) for _ in range(50)]
        for client in all_:
            client.send(b"x FETCH 1:* BODY.PEEK[]\r\n")
        for client in all_:
            assert client.outcome(b"x").status == "OK"


def _vanish(client: Client) -> None:
    """Go without a word, so that what the server sends is refused."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("go", [Client.close, _vanish])
@pytest.mark.parametrize(
    "begun",
    [
        b"", b"x", b"x NOOP\r\n", b"x APPEND INBOX {1000}\r\nabc", b"x APPEND INBOX {1000+}\r\nabc",
        b"x IDLE\r\n", b"x FETCH 1:* BODY[]\r\n" * 50, b"x LOGOUT\r\n", b"x AUTHENTICATE PLAIN\r\n",
        b"x SEARCH TEXT a\r\n", b"x IDLE\r\nDO",
    ],
)  # fmt: skip
def test_a_client_may_vanish_at_any_time(
    serve: Serve, begun: bytes, go: Callable[[Client], None]
) -> None:
    server = serve()
    for start in (Client, signed_in, opened):
        client = start(server)
        client.send(begun)
        go(client)


def test_who_does_not_read_holds_up_nobody(serve: Serve) -> None:
    server = serve()
    account = server.accounts["ann"]
    for _ in range(50):
        account.append(account.mailbox("Archive"), b"x" * LARGE, datetime(2026, 2, 1, tzinfo=UTC))
    with opened(server, "Archive") as silent, opened(server, "Archive") as other:
        silent.send(b"x FETCH 1:* BODY.PEEK[]\r\n")
        assert silent.reply()
        assert len(other.run("FETCH 1 BODY.PEEK[]").untagged[0]) > LARGE
        assert other.run("STORE 1:* +FLAGS (\\Seen)").status == "OK"
        server.stop()


def test_who_says_nothing_is_sent_away(serve: Serve) -> None:
    server = serve(login_seconds=0.1, is_asked=False)
    with Client(server) as silent, Client(server) as slow:
        slow.reply()
        slow.send(b"x NOOP")
        assert ends_with_bye(list(silent.replies()), b"too long")
        assert ends_with_bye(list(slow.replies()), b"too long")


@pytest.mark.parametrize("begun", [b"", b"x NO", b"x IDLE\r\n", b"x APPEND INBOX {9}\r\nabc"])
def test_who_says_nothing_more_is_sent_away(serve: Serve, begun: bytes) -> None:
    with Client(serve(idle_seconds=0.1, is_asked=False)) as client:
        client.send(b"a LOGIN ann secret\r\nb SELECT INBOX\r\n" + begun)
        assert ends_with_bye(list(client.replies()), b"too long")


# -- TLS


def test_commands_behind_starttls_are_refused(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.good.server_context())
    with Client(server) as client:
        client.reply()
        client.send(b"a STARTTLS\r\nb LOGIN ann secret\r\n")
        replies = client.rest()
        assert ends_with_bye(replies)
        assert len(replies) == 1


@pytest.mark.parametrize("after", [b"", b"\x16\x03\x01", b"a NOOP\r\n", b"\0" * 9_000])
def test_a_handshake_may_fail(serve: Serve, certificates: Certificates, after: bytes) -> None:
    server = serve(context=certificates.good.server_context())
    with Client(server) as client:
        client.reply()
        assert client.run("STARTTLS").status == "OK"
        client.send(after)
        client.rest()


@pytest.mark.parametrize("sent", [b"", b"a NOOP\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 9_000])
def test_plain_text_where_tls_is_spoken(
    serve: Serve, certificates: Certificates, sent: bytes
) -> None:
    server = serve(context=certificates.good.server_context(), tls=True)
    with Client(server) as client:
        client.send(sent)
        client.rest()
    with Client(server) as client:
        client.start_tls(certificates.good.client_context())
        assert client.reply().startswith(b"* OK")
        assert client.run("LOGIN ann secret").status == "OK"
        client.socket.sendall(b"x NO")
        raw = socket.socket(fileno=client.socket.detach())  # and now something that is no TLS
        raw.sendall(b"plain text\r\n" * 50)
        raw.close()


def test_a_handshake_that_is_not_begun_comes_to_an_end(
    serve: Serve, certificates: Certificates
) -> None:
    server = serve(context=certificates.good.server_context(), tls=True, login_seconds=0.1)
    with Client(server) as client:
        assert list(client.replies()) == []


# -- the end


@pytest.mark.parametrize(
    "begun",
    [b"", b"x NO", b"x IDLE\r\n", b"x APPEND INBOX {1000}\r\nabc", b"x AUTHENTICATE PLAIN\r\n"],
)
def test_clients_are_told_that_the_server_stops(serve: Serve, begun: bytes) -> None:
    server = serve()
    with opened(server) as client, Client(server) as newcomer:
        client.send(begun)
        newcomer.reply()
        if b"\r\n" in begun:
            client.reply()
        server.stop()
        assert ends_with_bye(list(client.replies()), b"stops")
        assert ends_with_bye(list(newcomer.replies()), b"stops")


def test_a_server_stops_while_tls_is_spoken(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.good.server_context(), tls=True)
    with Client(server) as ready, Client(server) as silent:
        ready.start_tls(certificates.good.client_context())
        ready.reply()
        server.stop()
        assert ends_with_bye(list(ready.replies()), b"stops")
        assert silent.rest() == []


def test_a_server_stops_once(serve: Serve) -> None:
    server = serve()
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        Client(server)
    Server({"ann": "secret"}).stop()  # which never started


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_leaves_the_server_to_its_parent(serve: Serve) -> None:
    server = serve()
    with signed_in(server) as client:
        child = os.fork()
        if not child:
            signal.alarm(10)  # rather than wait for a thread that there is only in the parent
            server.stop()
            os._exit(int(server.is_running))
        assert os.waitpid(child, 0)[1] == 0
        assert client.run("NOOP").status == "OK"


def test_a_server_starts_once(serve: Serve) -> None:
    server = serve()
    with pytest.raises(RuntimeError, match="already"):
        server.start()


def test_a_port_that_is_taken_is_an_error(serve: Serve) -> None:
    server = serve()
    with pytest.raises(OSError, match="in use"):
        Server({"ann": "secret"}, port=server.port).start()
    with pytest.raises(ConnectionFailedError, match=str(server.port)):
        mf.demo(messages=1, port=server.port)


def test_a_server_starts_where_a_loop_runs_already(serve: Serve) -> None:
    async def cell() -> int:
        with mf.demo(messages=3) as session:
            return len(session.headers(folder="*"))

    serve()
    assert asyncio.run(cell()) == 3, "as in a notebook"


# -- the demo


def test_a_demo_that_nobody_closes_is_let_go_of(serve: Serve) -> None:
    serve()
    session = mf.demo(messages=3)
    server = session.server
    session.headers()
    del session
    gc.collect()
    assert not server.is_running


@pytest.mark.parametrize(
    "script",
    [
        "import mailframe as mf; session = mf.demo(messages=20); print(len(session.headers()))",
        "import mailframe as mf; mf.demo(messages=20).headers()",
        "import mailframe as mf; session = mf.demo(messages=20); session.headers(); 1 / 0",
        "from mailframe.embedded import Server; server = Server({'a': 'b'}); server.start()",
        "from mailframe.embedded import Server; Server({'a': 'b'})",
    ],
)
def test_a_script_need_not_close_anything(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        text=True,
    )
    errors = done.stderr.splitlines()
    if "1 / 0" in script:
        assert errors[-1].startswith("ZeroDivisionError")
        assert len(errors) <= 4
    else:
        assert (done.returncode, errors) == (0, [])
