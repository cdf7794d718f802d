"""Sizes as people write them."""

from __future__ import annotations

import pytest

from mailframe.sizes import in_bytes


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (999.6, "1.0 kB"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (5_000_000_000, "5.0 GB"),
        (999_999_999_999, "1.0 TB"),
        (1_234_567_000_000_000, "1,234.6 TB"),
    ],
)
def test_a_size_is_written_in_the_unit_that_keeps_it_short(size: float, written: str) -> None:
    assert in_bytes(size) == written
