"""Rows laid out for a terminal."""

from __future__ import annotations

import pandas as pd
import pytest

from mailframe import schema
from mailframe.layout import cut, lay_out, shown_width

FRAME = pd.DataFrame({
    "name": ["INBOX", "Projects/東京", "x" * 200],
    "size": pd.array([1234567, None, 5], dtype="Int64"),
    "date": pd.to_datetime(["2026-01-02 03:04:05", None, "2026-01-03 00:00:00"], utc=True),
    "subject": ["Grüße", "a\nb\x1b[31m\tc", None],
})  # fmt: skip


@pytest.mark.parametrize("width", range(18, 120))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = lay_out(FRAME, width)
    assert len(lines) == 1 + len(FRAME)
    assert max(map(shown_width, lines)) <= width


def test_columns_stand_below_each_other_in_every_script() -> None:
    assert lay_out(FRAME.head(2), 100) == [
        "name                size  date              subject",
        "INBOX          1,234,567  2026-01-02 03:04  Grüße",
        "Projects/東京                               a b [31m c",  # two columns a character
    ]


def test_text_is_cut_before_a_column_is_left_out() -> None:
    assert lay_out(FRAME, 37)[0].split() == ["name", "size", "date"]
    assert lay_out(FRAME, 37)[1] == "INBOX     1,234,567  2026-01-02 03:04"
    assert lay_out(FRAME, 20)[3] == "xxxxxxxx…          5"


def test_a_number_is_never_cut() -> None:
    assert lay_out(pd.DataFrame({"size": [1234567]}), 3) == ["     size", "1,234,567"]


def test_a_uid_is_a_name_and_true_is_no_number() -> None:
    frame = pd.DataFrame({"uid": [12345], "seen": [True]})
    assert lay_out(frame, 80) == ["  uid  seen", "12345  True"]


def test_a_frame_without_rows_has_its_columns() -> None:
    assert lay_out(schema.empty("headers")[["date", "subject"]], 80) == ["date  subject"]


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("東京", 4), ("Gru\u0308ße", 5), ("🍺", 2), ("a\u200bb", 2), ("", 0)],
)
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, width: int) -> None:
    assert shown_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("Grüße", 5, "Grüße"), ("Grüße!", 5, "Grüß…"), ("東京都", 4, "東…"), ("a b c", 3, "a…")],
)
def test_what_is_cut_says_so(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown
    assert shown_width(shown) <= width
