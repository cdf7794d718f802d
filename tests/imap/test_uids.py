"""UIDs as ranges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.exceptions import ProtocolError
from mailframe.imap import uids as uids_module
from mailframe.imap.uids import MAX_OCTETS, chunks, parse_uid_set, to_uid_set

UIDS = st.integers(1, 2**32 - 1)


@settings(derandomize=True, deadline=None)
@given(st.sets(UIDS | st.integers(1, 50), min_size=1))
def test_what_is_written_is_read_back(uids: set[int]) -> None:
    assert set(parse_uid_set(to_uid_set(uids))) == uids


@pytest.mark.parametrize(
    ("uids", "text"),
    [
        ([1], b"1"),
        ([9, 3, 1, 2, 9], b"1:3,9"),
        (range(1, 4001), b"1:4000"),
        (range(4000, 0, -1), b"1:4000"),
        ([2**32 - 1], b"4294967295"),
    ],
)
def test_neighbours_become_ranges(uids: list[int], text: bytes) -> None:
    assert to_uid_set(uids) == text


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        (b"7", [7]),
        (b"1:3,9", [1, 2, 3, 9]),
        (b"9,1:3", [9, 1, 2, 3]),
        (b"3:1", [1, 2, 3]),
        (b"5:5", [5]),
    ],
)
def test_ranges_may_stand_in_any_order_and_backwards(text: bytes, uids: list[int]) -> None:
    assert parse_uid_set(text) == uids


@pytest.mark.parametrize(
    "text",
    [b"", b",", b"1,", b"a", b"1:", b":1", b"1:2:3", b"*", b"1:*", b"1.5", b"\xff", b"9" * 5000],
)
def test_what_is_no_set_is_a_protocol_error(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_uid_set(text)


@pytest.mark.parametrize("text", [b"0", b"-1", b"+1", b"1_0", b" 1", b"0:3", b"4294967296"])
def test_numbers_that_are_no_uid_are_a_protocol_error(text: bytes) -> None:
    # RFC 3501 section 9: uniqueid = nz-number. Asked for later, they would look like the user's
    # mistake: a QueryError.
    with pytest.raises(ProtocolError):
        parse_uid_set(text)


@pytest.mark.parametrize("text", [b"1:4294967295", b"1:60000000"])
def test_a_set_larger_than_any_folder_is_refused_before_it_is_counted_out(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="more UIDs than a folder can have"):
        parse_uid_set(text)


def test_several_ranges_together_are_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uids_module, "MAX_UIDS", 10)
    assert len(parse_uid_set(b"1:5,11:15")) == 10
    with pytest.raises(ProtocolError, match="more UIDs than a folder can have"):
        parse_uid_set(b"1:5,11:17")


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=30) | st.text("0123456789:,*-", max_size=12).map(str.encode))
def test_any_bytes_are_uids_or_a_protocol_error(text: bytes) -> None:
    uids_module.MAX_UIDS = 1000
    try:
        assert all(isinstance(uid, int) for uid in parse_uid_set(text))
    except ProtocolError:
        pass
    finally:
        uids_module.MAX_UIDS = 50_000_000


def test_chunks_keep_the_order_and_lose_nothing() -> None:
    assert list(chunks(range(10, 0, -1), 4)) == [(10, 9, 8, 7), (6, 5, 4, 3), (2, 1)]
    assert list(chunks((), 4)) == []


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(10**8, 10**9), unique=True, max_size=300), st.integers(1, 400))
def test_no_chunk_makes_a_longer_line_than_servers_take(uids: list[int], size: int) -> None:
    limit = 200
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uids_module, "MAX_OCTETS", limit)
        cut = list(chunks(uids, size))
    assert [uid for chunk in cut for uid in chunk] == uids
    assert all(len(chunk) <= size and len(to_uid_set(chunk)) <= limit for chunk in cut)


def test_scattered_uids_stay_below_the_line_limit_of_servers() -> None:
    scattered = range(4_000_000_000, 4_000_000_000 - 20_000, -2)
    cut = list(chunks(scattered, 10_000))
    assert len(cut) > 1
    assert all(len(to_uid_set(chunk)) <= MAX_OCTETS < 8_000 for chunk in cut)
