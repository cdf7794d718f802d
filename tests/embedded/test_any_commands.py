"""Commands that hypothesis makes up, right, nearly right and not at all: each gets its answer.

``pytest --full`` makes 20,000 sessions of it, a plain run a seeded part.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailframe.embedded.store import Account
from tests.embedded.sessions import MESSAGES, NOISE, SESSIONS
from tests.embedded.wire import Client, opened, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from mailframe.embedded import Server

    Serve = Callable[..., Server]

LIMITS = {"mistakes": 1_000, "line": 8_192, "before_login": 2_048, "message": 100_000}
LITERAL = re.compile(rb"\{(\d+)\}\r\n")
# What stands outside literals is printable ASCII (RFC 3501 section 9).
REPLY = re.compile(rb"(?:\*|\+|[!#$&',-\[\]-z|}~^_`/.:;<=>?@0-9A-Za-z]+) [ -~]*\r\n")


def account() -> Account:
    """Make an account with something of everything."""
    made = Account()
    for number, raw in enumerate(MESSAGES):
        day = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(days=number)
        flags = (["\\Seen"], ["work"], [])[number % 3]
        made.append(made.mailbox("INBOX"), raw, day, flags)
    for name in ("Archive", "Archive/2026"):
        made.create(name)
    made.create("Sent", "\\Sent")
    made.subscribed.add("Archive/2026")
    return made


def outside_literals(reply: bytes) -> bytes:
    """Cut the literals out of a reply."""
    pieces, place = [], 0
    while found := LITERAL.search(reply, place):
        pieces.append(reply[place : found.start()])
        place = found.end() + int(found[1])
    return b"".join([*pieces, reply[place:]])


def exchange(server: Server, start: Callable[[Server], Client], octets: bytes) -> list[bytes]:
    """Send bytes to a server that is as new; read all it says, and see that it still serves."""
    server.accounts["ann"].close()
    server.accounts["ann"] = account()
    with start(server) as client:
        client.send(octets)
        replies = client.rest()
    for reply in replies:
        assert REPLY.fullmatch(outside_literals(reply)), reply
    with signed_in(server, "ben") as client:
        assert client.run("NOOP").status == "OK"
    return replies


def many(full: bool) -> settings:  # noqa: FBT001 a fixture's value
    return settings(
        max_examples=10_000 if full else 250,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def test_each_command_is_answered_once_and_in_order(
    serve: Serve,
    full: bool,  # noqa: FBT001 a fixture
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = serve(**LIMITS)

    @many(full)
    @given(SESSIONS)
    def run(commands: list[bytes]) -> None:
        octets = b"".join(b"x%d %b\r\n" % numbered for numbered in enumerate(commands))
        replies = exchange(server, opened, octets)
        assert not caplog.records, commands
        tags = [int(reply[1 : reply.index(b" ")]) for reply in replies if reply[:1] == b"x"]
        assert tags == list(range(len(tags))), (commands, replies)
        is_ended = any(reply.startswith(b"* BYE ") for reply in replies)
        assert is_ended or len(tags) == len(commands), (commands, replies)

    run()


def test_any_bytes_are_survived(
    serve: Serve,
    full: bool,  # noqa: FBT001 a fixture
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = serve(**LIMITS)

    @many(full)
    @given(NOISE, st.sampled_from([Client, opened]))
    def run(octets: bytes, start: Callable[[Server], Client]) -> None:
        exchange(server, start, octets)
        assert not caplog.records, octets

    run()
