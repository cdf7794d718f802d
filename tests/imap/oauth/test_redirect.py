"""The port that waits for the browser hears nobody else."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from mailframe.imap.oauth import calls
from mailframe.imap.oauth.redirect import Listener, read_answer
from tests.imap.oauth.signing import MARK
from tests.rigs.oauth import (
    OAuthRig,
    get,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[[OAuthRig, dict[str, str]], Any]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("http://127.0.0.1/back", "the-state") as one:
        yield one


def visiting(listener: Listener, *visits: Callable[[], Any]) -> list[Any]:
    """Do these one after the other while the listener waits, then sign in; return the results."""
    results: list[Any] = []

    def visit() -> None:
        results.extend(one() for one in visits)
        results.append(get(f"{listener.redirect_uri}?code=c&state=the-state"))

    thread = threading.Thread(target=visit)
    thread.start()
    answer = listener.wait(20)
    thread.join(10)
    assert answer is not None
    assert answer.code == "c"
    return results


def test_the_listener_answers_one_path_and_one_name(listener: Listener) -> None:
    url = listener.redirect_uri
    root = url.removesuffix("/back")
    port = urlsplit(url).port
    right = f"{url}?code=evil&state=the-state"
    results = visiting(
        listener,
        lambda: get(f"{root}/favicon.ico"),
        lambda: get(f"{root}/?code=evil&state=the-state"),
        lambda: get(f"{url}?code=evil&state=other"),
        lambda: get(f"{url}?code=evil"),
        lambda: get(right, headers={"Host": f"evil.example.com:{port}"}),
        lambda: get(right, headers={"Host": "127.0.0.1"}),
        lambda: get(right, data=b"x=y"),
        lambda: get(f"{url}?code=evil&code=evil2&state=the-state"),
        lambda: get(f"{url}?state=the-state"),
    )
    statuses = [status for status, _, _ in results]
    assert statuses == [404, 404, 400, 400, 421, 421, 405, 400, 400, 200]
    assert not [page for _, _, page in results if "evil" in page or "code=" in page]


def test_silent_slow_and_endless_connections_hold_nobody_up(listener: Listener) -> None:
    address = ("127.0.0.1", urlsplit(listener.redirect_uri).port)
    silent = [socket.create_connection(address) for _ in range(40)]
    endless = socket.create_connection(address)
    endless.sendall(b"GET /" + b"x" * 40_000)
    endless.settimeout(0)
    broken = socket.create_connection(address)
    broken.sendall(b"\0\xff\r\n\r\n")
    try:
        assert visiting(listener)[-1][0] == 200
        assert len(listener._heard) <= 32
    finally:
        for one in (*silent, endless, broken):
            one.close()


def test_a_request_may_come_in_pieces(listener: Listener) -> None:
    parts = urlsplit(listener.redirect_uri)
    with socket.create_connection(("127.0.0.1", parts.port)) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send() -> None:
            request = f"GET /back?code=c&state=the-state HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
            for byte in request.encode():
                one.sendall(bytes([byte]))

        thread = threading.Thread(target=send)
        thread.start()
        answer = listener.wait(20)
        thread.join(10)
        assert answer is not None
        assert b"200" in one.recv(1000)


@pytest.mark.parametrize("query", ["", "&" * 100, "state=", "state=s", "%", "state=s&code="])
def test_what_is_no_answer_is_none(query: str) -> None:
    assert read_answer(query, "s") is None


def test_no_repr_shows_a_code_or_a_token() -> None:
    assert MARK not in repr(read_answer(f"code={MARK}&state=s", "s"))
    assert MARK not in repr(calls.answer_of({"access_token": MARK}))
