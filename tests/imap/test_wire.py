"""Bytes in and out: one buffer, several commands in flight, nothing without a limit."""

from __future__ import annotations

import imaplib
import itertools
import socket
from collections import deque
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import ConnectionFailedError, ProtocolError, ServerTimeoutError
from mailframe.imap import wire as wire_module
from mailframe.imap.wire import Command, Literal, PlainWire
from tests.imap.stream import commands, completions, everything, wire_over
from tests.rigs.scripted import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs import scripted as rig
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]


# -- what comes in


def test_a_literal_may_hold_anything_and_stands_between_two_texts() -> None:
    wire = wire_over(b"* 1 FETCH (BODY[] {9}\r\na)\r\n{3}\r\n FLAGS ())\r\n")
    assert wire.read_segments() == [b"* 1 FETCH (BODY[] {9}", b"a)\r\n{3}\r\n", b" FLAGS ())"]


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_replies_may_come_in_pieces_of_any_size(step: int) -> None:
    said = b"* 1 FETCH (X {4}\r\na\r\nb Y {0}\r\n)\r\n* OK [ALERT] x\r\nT0 OK done\r\n"
    wire = wire_over(said, step=step)
    replies = [reply for _, reply in wire.run(commands(b"NOOP"))]
    assert [reply.segments for reply in replies] == [
        (b"(X {4}", b"a\r\nb", b" Y {0}", b"", b")"),
        (b"[ALERT] x",),
        (b"done",),
    ]
    assert wire.received == len(said)


def test_single_bytes_from_a_real_socket_make_the_same_reply(scripted: Scripted) -> None:
    server = scripted({"NOOP": b"* 2 FETCH (BODY[] {3}\r\n\r\nx)\r\n<tag> OK done\r\n"}, split=1)
    wire = PlainWire(server.host, server.port, 5)
    [(_, fetched), (_, done)] = wire.run(commands(b"NOOP"))
    wire.logout()
    assert fetched.segments == (b"(BODY[] {3}", b"\r\nx", b")")
    assert done.kind == "OK"


def test_a_line_may_end_without_cr() -> None:
    wire = wire_over(b"* 3 EXISTS\nT0 OK done\n")
    assert everything(wire, commands(b"NOOP")) == [
        (b"*", "EXISTS", b""),
        (b"T0", "OK", b"done"),
    ]


def test_a_line_that_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "MAX_LINE", 100)
    wire = wire_over(b"* OK " + b"x" * 1000, step=10)
    with pytest.raises(ProtocolError, match="a line of over"):
        list(wire.run(commands(b"NOOP")))
    assert wire.received <= 120
    assert wire.state == "LOGOUT"


def test_a_literal_beyond_any_message_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "MAX_LITERAL", 100)
    wire = wire_over(b"* 1 FETCH (BODY[] {101}\r\n" + b"x" * 101 + b")\r\n", step=30)
    with pytest.raises(ProtocolError, match="a literal of 101 bytes"):
        list(wire.run(commands(b"NOOP")))
    assert wire.received < 101
    assert wire.sock.closed


def test_a_literal_that_comes_byte_by_byte_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count(0, 10)  # ten seconds for every look at it: never silent for thirty
    monkeypatch.setattr(wire_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    wire = wire_over(b"* 1 FETCH (BODY[] {1000}\r\n" + b"x" * 1000 + b")\r\n", step=1)
    with pytest.raises(ServerTimeoutError, match=r"4 of 1,000 bytes in 40 seconds") as caught:
        list(wire.run(commands(b"NOOP")))
    assert "timeout=" in caught.value.suggestion
    assert wire.state == "LOGOUT"


def test_a_large_literal_over_a_slow_line_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count(0, 10)
    monkeypatch.setattr(wire_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    said = b"* 1 FETCH (BODY[] {100000}\r\n" + b"x" * 100_000 + b")\r\nT0 OK done\r\n"
    assert len(everything(wire_over(said, step=3000), commands(b"NOOP"))) == 2


def test_a_literal_at_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "MAX_LITERAL", 5)
    assert wire_over(b"* X {5}\r\nabcde\r\n").read_segments() == [b"* X {5}", b"abcde", b""]


def test_an_absurd_literal_size_is_a_protocol_error() -> None:
    # Python refuses to read a number of more than 4,300 digits, by a plain ValueError.
    wire = wire_over(b"* 1 FETCH (BODY[] {" + b"9" * 5000 + b"}\r\n")
    with pytest.raises(ProtocolError):
        list(wire.run(commands(b"NOOP")))


@pytest.mark.parametrize(
    "said", [b"", b"* 1 EXI", b"* 1 FETCH (X {5}\r\nabc", b"* 1 FETCH (X {5}\r\nabcde)"]
)
def test_the_end_of_the_stream_is_an_error_wherever_it_comes(said: bytes) -> None:
    wire = wire_over(said)
    with pytest.raises(imaplib.IMAP4.abort, match="EOF"):
        list(wire.run(commands(b"NOOP")))
    assert wire.sock.closed


@pytest.mark.parametrize("said", [b"\r\n", b"HTTP/1.1\r\n", b"*\r\n", b"* \r\n"])
def test_what_is_not_imap_drops_the_connection(said: bytes) -> None:
    wire = wire_over(said)
    with pytest.raises(ProtocolError, match="not IMAP"):
        list(wire.run(commands(b"NOOP")))
    assert wire.state == "LOGOUT"


def test_a_completion_of_a_command_never_sent_drops_the_connection() -> None:
    wire = wire_over(b"T7 OK done\r\n")
    with pytest.raises(ProtocolError, match="never sent") as caught:
        list(wire.run(commands(b"NOOP")))
    assert "T7" in caught.value.reply
    assert wire.state == "LOGOUT"


def test_a_command_is_completed_once() -> None:
    wire = wire_over(b"T0 OK done\r\nT0 OK done\r\nT1 OK done\r\n")
    with pytest.raises(ProtocolError, match="never sent"):
        list(wire.run(commands(b"NOOP", b"NOOP")))


# -- what goes out


def test_commands_go_out_together_up_to_the_window() -> None:
    wire = wire_over(b"".join(b"T%d OK\r\n" % n for n in range(5)))
    wire.window = 3
    running = wire.run(commands(b"A", b"B", b"C", b"D", b"E"))
    next(running)
    assert wire.sock.sent == [b"T0 A\r\nT1 B\r\nT2 C\r\n"]
    next(running)
    assert wire.sock.sent[1:] == [b"T3 D\r\n"]
    assert len(list(running)) == 3
    assert wire.commands == 5


def test_no_more_replies_are_asked_for_than_the_window_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "WINDOW_BYTES", 1000)
    wire = wire_over(b"T0 OK\r\nT1 OK\r\nT2 OK\r\nT3 OK\r\n")
    running = wire.run(commands(b"A", b"B", b"C", b"D", expect=600))
    next(running)
    assert wire.sock.sent == [b"T0 A\r\nT1 B\r\n"]
    assert len(list(running)) == 3


def test_commands_that_no_socket_buffer_holds_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "WINDOW_SENT", 10)
    wire = wire_over(b"T0 OK\r\nT1 OK\r\nT2 OK\r\n")
    running = wire.run(commands(b"A" * 8, b"B" * 8, b"C" * 8))
    next(running)
    assert wire.sock.sent == [b"T0 AAAAAAAA\r\nT1 BBBBBBBB\r\n"]
    assert len(list(running)) == 2


def test_a_command_larger_than_the_window_still_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "WINDOW_BYTES", 10)
    wire = wire_over(b"T0 OK\r\n")
    assert everything(wire, commands(b"A", expect=1000)) == [(b"T0", "OK", b"")]


def test_completions_held_back_belong_to_their_commands() -> None:
    wire = wire_over(b"* 1 EXISTS\r\nT2 OK\r\nT0 NO\r\n* 2 EXISTS\r\nT1 OK\r\n")
    waiting = deque(Command((b"X",), about=name) for name in "abc")
    assert completions(wire.run(waiting)) == ["c", "a", "b"]


def test_a_server_may_hold_its_answers_until_several_commands_are_in(scripted: Scripted) -> None:
    def noop(tag: bytes, _args: bytes, connection: rig.Connection) -> bytes:
        later = [connection.read_command().partition(b" ")[0] for _ in range(3)]
        return b"".join(one + b" OK done\r\n" for one in (*reversed(later), tag))

    server = scripted({"NOOP": noop})
    wire = PlainWire(server.host, server.port, 5)
    waiting = deque(Command((b"NOOP",), about=name) for name in "abcd")
    assert completions(wire.run(waiting)) == ["d", "c", "b", "a"]
    wire.logout()


def test_commands_may_be_added_while_others_are_in_flight() -> None:
    wire = wire_over(b"T0 OK\r\nT1 OK\r\n")
    waiting = commands(b"A")
    running = wire.run(waiting)
    next(running)
    waiting.extend(commands(b"B"))
    assert [reply.tag for _, reply in running] == [b"T1"]


def test_without_literal_plus_a_literal_waits_for_the_server() -> None:
    wire = wire_over(b"+ go on\r\n+ go on\r\nT0 OK done\r\n")
    login = Command((b"LOGIN ", Literal(b"me"), b" ", Literal(b'"\\')))
    assert everything(wire, [login]) == [(b"T0", "OK", b"done")]
    assert wire.sock.sent == [b"T0 LOGIN {2}\r\n", b"me {2}\r\n", b'"\\\r\n']


def test_with_literal_plus_a_literal_goes_out_at_once() -> None:
    wire = wire_over(b"T0 OK done\r\n", literal_plus=True)
    assert everything(wire, [Command((b"LOGIN ", Literal(b"me"), b" x"))]) == [
        (b"T0", "OK", b"done")
    ]
    assert wire.sock.sent == [b"T0 LOGIN {2+}\r\nme x\r\n"]
    assert wire.sent == len(wire.sock.sent[0])


def test_what_the_server_says_before_it_asks_for_a_literal_is_handed_on() -> None:
    wire = wire_over(b"* 5 EXISTS\r\n+ go on\r\nT0 OK done\r\n")
    assert everything(wire, [Command((b"X ", Literal(b"y")))]) == [
        (b"*", "EXISTS", b""),
        (b"T0", "OK", b"done"),
    ]


@pytest.mark.parametrize("word", [b"NO", b"BAD"])
def test_a_refused_literal_is_not_sent_and_the_next_command_goes_on(word: bytes) -> None:
    wire = wire_over(b"T0 %b too long\r\nT1 OK done\r\n" % word)
    refused = Command((b"X ", Literal(b"very long"), b" Y"))
    assert everything(wire, [refused, *commands(b"NOOP")]) == [
        (b"T0", word.decode(), b"too long"),
        (b"T1", "OK", b"done"),
    ]
    assert wire.sock.sent == [b"T0 X {9}\r\n", b"T1 NOOP\r\n"]


def test_a_literal_between_other_commands_keeps_their_order() -> None:
    wire = wire_over(b"T0 OK\r\n+ go on\r\nT1 OK\r\nT2 OK\r\n")
    waiting = [*commands(b"A"), Command((b"B ", Literal(b"b"))), *commands(b"C")]
    assert [tag for tag, _, _ in everything(wire, waiting)] == [b"T0", b"T1", b"T2"]
    assert b"".join(wire.sock.sent) == b"T0 A\r\nT1 B {1}\r\nb\r\nT2 C\r\n"


def test_a_challenge_is_answered_by_the_command_it_is_for() -> None:
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return b"answer"

    wire = wire_over(b"+ \r\n+ Zm9v\r\nT0 OK done\r\n")
    list(wire.run(commands(b"AUTHENTICATE X", respond=respond)))
    assert challenges == [b"", b"Zm9v"]
    assert wire.sock.sent == [b"T0 AUTHENTICATE X\r\n", b"answer\r\n", b"answer\r\n"]


def test_a_continuation_that_nobody_waits_for_does_no_harm() -> None:
    wire = wire_over(b"+ idling\r\nT0 OK done\r\n")
    assert everything(wire, commands(b"NOOP"))[-1] == (b"T0", "OK", b"done")
    assert wire.sock.sent == [b"T0 NOOP\r\n"]


# -- leaving early


def test_leaving_early_leaves_the_connection_in_step() -> None:
    wire = wire_over(b"* 1 EXISTS\r\nT0 OK\r\n* 2 EXISTS\r\nT1 OK\r\n* 3 EXISTS\r\nT2 OK mine\r\n")
    for _ in wire.run(commands(b"A", b"B")):
        break
    assert everything(wire, commands(b"C")) == [(b"*", "EXISTS", b""), (b"T2", "OK", b"mine")]


def test_leaving_early_sends_no_further_command() -> None:
    wire = wire_over(b"T0 OK\r\nT1 OK\r\nT2 OK\r\n")
    wire.window = 1
    running = wire.run(commands(b"A", b"B"))
    next(running)
    running.close()
    assert wire.sock.sent == [b"T0 A\r\n"]


def test_an_interrupt_in_the_loop_body_leaves_no_reply_behind() -> None:
    wire = wire_over(b"* 1 EXISTS\r\nT0 OK\r\nT1 OK\r\nT2 OK mine\r\n")

    def interrupted() -> None:
        for _ in wire.run(commands(b"A", b"B")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert everything(wire, commands(b"C")) == [(b"T2", "OK", b"mine")]


def test_leaving_while_the_stream_breaks_drops_the_connection() -> None:
    wire = wire_over(b"* 1 EXISTS\r\nT0 OK\r\n* half a li")
    running = wire.run(commands(b"A", b"B"))
    next(running)
    running.close()
    assert wire.state == "LOGOUT"
    assert wire.sock.closed


def test_leaving_while_the_server_waits_for_a_literal_drops_the_connection() -> None:
    wire = wire_over(b"* 1 EXISTS\r\n+ go on\r\n")
    running = wire.run(deque([Command((b"X ", Literal(b"y")))]))
    next(running)
    running.close()
    assert wire.state == "LOGOUT"
    assert wire.sock.sent == [b"T0 X {1}\r\n"]


def test_an_exception_thrown_in_drops_the_connection() -> None:
    wire = wire_over(b"* 1 EXISTS\r\nT0 OK\r\n")
    running = wire.run(commands(b"A"))
    next(running)
    with pytest.raises(KeyboardInterrupt):
        running.throw(KeyboardInterrupt)
    assert wire.state == "LOGOUT"
    assert wire.sock.closed


def test_after_an_interrupt_amid_a_reply_every_call_says_that_the_connection_was_lost(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = opened(scripted())
    monkeypatch.setattr(connection.wire, "read_segments", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.command(b"NOOP", tried="Could not wait.")
    for _ in range(2):
        with pytest.raises(ConnectionFailedError, match="was lost"):
            connection.command(b"NOOP", tried="Could not wait.")


def _interrupt() -> int:
    raise KeyboardInterrupt


# -- imaplib's part


def test_imaplib_keeps_no_command_and_nothing_waits_for_an_acknowledgement(
    scripted: Scripted,
) -> None:
    server = scripted()
    wire = PlainWire(server.host, server.port, 5)
    wire.login("me", "canary-secret")
    assert "canary-secret" not in repr(vars(wire))
    assert wire.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    wire.logout()


def test_imaplib_and_we_read_from_one_buffer(scripted: Scripted) -> None:
    # All of it comes in one segment, so imaplib's reading fills the buffer that ours empties.
    said = b"* 1 EXISTS\r\n<tag> OK done\r\n* 2 EXISTS\r\n"
    server = scripted({"NOOP": said, "CHECK": b"<tag> OK checked\r\n"})
    wire = PlainWire(server.host, server.port, 5)
    assert wire.noop() == ("OK", [b"done"])
    assert [reply.number for _, reply in wire.run(commands(b"CHECK"))] == [2, None]
    wire.logout()


def test_a_literal_reaches_imaplib_whole(scripted: Scripted) -> None:
    server = scripted({"LIST": b'* LIST () "/" ' + literal(b"A\r\nB") + b"\r\n<tag> OK done\r\n"})
    wire = PlainWire(server.host, server.port, 5)
    wire.state = "AUTH"
    assert wire.list() == ("OK", [(b'() "/" {4}', b"A\r\nB"), b""])
    wire.logout()
