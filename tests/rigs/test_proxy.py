"""The proxy breaks what it is told to, at the byte it is told to."""

from __future__ import annotations

import imaplib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot

SAID = bytes(range(256)) * 40
TIMEOUT = 0.1
#: A reset that comes before the client knows that it is connected would take what was said along.
CONNECTED = threading.Event()


@pytest.fixture
def speaker() -> Iterator[int]:
    """Yield the port of a server that says `SAID`, and then what it is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    CONNECTED.clear()

    def serve(stream: socket.socket) -> None:
        with stream:
            CONNECTED.wait(TIMEOUT)
            try:
                stream.sendall(SAID)
                while data := stream.recv(65536):
                    stream.sendall(data)
            except OSError:
                pass  # hung up in the middle

    def listen() -> None:
        while True:
            stream, address = listener.accept()
            if address == last_words:
                stream.close()
                return
            threads.append(threading.Thread(target=serve, args=(stream,)))
            threads[-1].start()

    last_words: tuple[str, int] = ("", 0)
    threads = [threading.Thread(target=listen)]
    threads[0].start()
    yield listener.getsockname()[1]
    with socket.socket() as waker:
        waker.bind(("127.0.0.1", 0))
        last_words = waker.getsockname()
        waker.connect(listener.getsockname())
        threads[0].join()
    listener.close()
    for thread in threads:
        thread.join()


@pytest.fixture
def proxy(speaker: int) -> Iterator[Callable[..., FaultProxy]]:
    running: list[FaultProxy] = []

    def start(*faults: Fault, **options: float) -> FaultProxy:
        running.append(FaultProxy("127.0.0.1", speaker, faults, **options).__enter__())
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


def talk(proxy: FaultProxy, *words: bytes) -> tuple[bytes, str]:
    """Say each of the words once the one before has come back; how it ended, and what came."""
    heard = bytearray()
    expected = len(SAID)
    try:
        with socket.create_connection((proxy.host, proxy.port), timeout=TIMEOUT) as client:
            CONNECTED.set()
            for word in (b"", *words):
                if word:
                    client.sendall(word)
                expected += len(word)
                while len(heard) < expected:
                    data = client.recv(1000)
                    if not data:
                        return bytes(heard), "closed"
                    heard += data
    except (TimeoutError, ConnectionResetError, BrokenPipeError) as error:
        return bytes(heard), type(error).__name__
    return bytes(heard), "still there"


def test_without_a_fault_everything_passes(proxy: Callable[..., FaultProxy]) -> None:
    one = proxy(record=True)
    assert talk(one, b"hello", b"again") == (SAID + b"helloagain", "still there")
    assert one.lines[0].passed == {"C": 10, "S": len(SAID) + 10}
    assert one.lines[0].said == {"C": b"helloagain", "S": SAID + b"helloagain"}
    assert one.total("S") == len(SAID) + 10


@pytest.mark.parametrize(
    ("kind", "felt"),
    [("cut", "closed"), ("reset", "ConnectionResetError"), ("stall", "TimeoutError")],
)
@pytest.mark.parametrize("at", [0, 1, 1000, 4095, len(SAID)])
def test_exactly_so_many_bytes_pass_before_a_fault(
    proxy: Callable[..., FaultProxy], kind: str, felt: str, at: int
) -> None:
    one = proxy(Fault(kind, at))
    assert talk(one, b"x") == (SAID[:at], felt)
    assert one.lines[0].passed["S"] == at
    assert one.lines[0].broken == kind


def test_a_fault_may_hit_what_the_client_says(proxy: Callable[..., FaultProxy]) -> None:
    one = proxy(Fault("cut", 7, direction="C"), record=True)
    heard, felt = talk(one, b"hello", b"again")
    assert (heard[: len(SAID)], felt) == (SAID, "closed")
    assert one.lines[0].said["C"] == b"helloag"


def test_one_bit_of_one_byte_is_flipped(proxy: Callable[..., FaultProxy]) -> None:
    heard, felt = talk(proxy(Fault("flip", 300, bit=6), Fault("flip", 302, bit=0)))
    assert felt == "still there"
    different = {n: a ^ b for n, (a, b) in enumerate(zip(heard, SAID, strict=True)) if a != b}
    assert different == {300: 64, 302: 1}


def test_a_fault_hits_the_connection_it_is_meant_for(proxy: Callable[..., FaultProxy]) -> None:
    one = proxy(Fault("cut", 10, connection=2))
    assert [talk(one)[1] for _ in range(3)] == ["still there", "closed", "still there"]
    assert [line.passed["S"] for line in one.lines] == [len(SAID), 10, len(SAID)]


def test_output_may_come_in_small_pieces_and_slowly(proxy: Callable[..., FaultProxy]) -> None:
    one = proxy(Fault("cut", 1001), pieces=100, rate=1e6)
    assert talk(one) == (SAID[:1001], "closed")


def test_round_trips_are_counted_however_many_things_are_said_at_once(
    proxy: Callable[..., FaultProxy],
) -> None:
    one = proxy(delay=0.02)
    assert talk(one, b"one", b"two and three at once")[1] == "still there"
    assert one.lines[0].round_trips == 2


def test_a_server_that_has_gone_refuses_and_may_come_back(
    proxy: Callable[..., FaultProxy],
) -> None:
    one = proxy()
    with socket.create_connection((one.host, one.port), timeout=TIMEOUT) as client:
        CONNECTED.set()
        client.recv(1)
        assert one.open == 1
        one.go_away()
        assert one.open == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((one.host, one.port), timeout=TIMEOUT)
    one.come_back()
    assert talk(one) == (SAID, "still there")


def test_stopping_leaves_no_thread(speaker: int) -> None:
    with FaultProxy("127.0.0.1", speaker) as one:
        assert talk(one) == (SAID, "still there")
    assert not [thread for thread in threading.enumerate() if thread.name == "fault-proxy"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [("cut", imaplib.IMAP4.abort), ("reset", ConnectionResetError), ("stall", TimeoutError)],
)
@pytest.mark.parametrize("back", [0, 10], ids=["between replies", "within a reply"])
def test_imap_feels_the_faults(
    dovecot: Dovecot, user: str, kind: str, error: type[Exception], back: int
) -> None:
    with FaultProxy(dovecot.host, dovecot.port) as undisturbed:
        client = imaplib.IMAP4(undisturbed.host, undisturbed.port)
        client.login(user, dovecot.password)
        at = undisturbed.total("S") - back
        client.shutdown()
    with FaultProxy(dovecot.host, dovecot.port, [Fault(kind, at)]) as one:
        client = imaplib.IMAP4(one.host, one.port, timeout=TIMEOUT)
        with pytest.raises(error):
            [client.login(user, dovecot.password), client.noop()]
        client.shutdown()
