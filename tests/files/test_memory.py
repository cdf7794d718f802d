"""However large an mbox is, memory holds a block of it, forty bytes a message, and the frame."""

from __future__ import annotations

import gc
import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from tests.files.writers import LINE
from tests.rigs import messages as written

if TYPE_CHECKING:
    from pathlib import Path

MB = 1 << 20
#: The frames of the few rows below, what is imported late, and the places of the messages.
SLACK = 6 * MB


def make(path: Path, megabytes: int, *, packed: bool = False) -> Path:
    """Write an mbox of messages of 20 kB, the fiftieth of them from Bob."""
    opener = gzip.open if packed else open
    with opener(path, "wb") as file:  # type: ignore[operator] # two functions of one signature
        for number in range(megabytes * 50):
            sender = "Bob <bob@example.com>" if number % 50 == 49 else "Ann <ann@example.org>"
            text = "Some words of a letter that is not short.\r\n" * 470
            message = written.plain(number, text, from_=sender)
            file.write(LINE + message.replace(b"\r\n", b"\n") + b"\n")
    return path


def peak_of(path: Path, megabytes: int) -> int:
    """Return the most memory that Python held while a session found its way about."""
    gc.collect()
    tracemalloc.start()
    try:
        with mf.open(path) as session:
            assert session.count(mf.Q(from_="bob")) == megabytes
            assert len(session.headers(limit=10)) == 10
            assert len(session.search(mf.Q(subject="message"), limit=5)) == 5
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_mbox_takes_no_more_memory_than_a_small_one(
    tmp_path: Path, *, full: bool, packed: bool
) -> None:
    small, large = (50, 500) if full else (5, 50)
    peak_of(make(tmp_path / "first", 1), 1)  # what is imported late is imported now
    peaks = [
        peak_of(make(tmp_path / f"{size}", size, packed=packed), size) for size in (small, large)
    ]
    assert peaks[1] < peaks[0] + SLACK
    assert max(peaks) < 20 * MB  # a block, its successor, and what is unpacked


def test_messages_stream_into_the_frame(tmp_path: Path) -> None:
    path = make(tmp_path / "a", 20)
    gc.collect()
    with mf.open(path) as session:
        session.headers(limit=1)
        tracemalloc.start()
        try:
            frame = session.headers()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(frame) == 1000
    assert peak < 10 * MB  # the frame and a thousand records, not twenty megabytes of text
