"""What is a separator of an mbox, and what only begins with From."""

from __future__ import annotations

import pytest

from mailframe.files.separators import is_separator, line_date

HEADER = b"Subject: Hi\n"


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("From ann@example.org Mon Jan  5 09:30:00 2026", "2026-01-05T09:30:00+00:00"),
        ("From ann@example.org  Mon Jan 05 09:30 2026\r", "2026-01-05T09:30:00+00:00"),
        ("From - Mon Jan  5 09:30:00 2026", "2026-01-05T09:30:00+00:00"),
        ("From MAILER-DAEMON Mon Jan  5 09:30:00 2026", "2026-01-05T09:30:00+00:00"),
        ("From 1796@xxx Tue Apr 16 08:41:38 +0200 2024", "2024-04-16T08:41:38+02:00"),
        ("From a@b.c Mon Jan  5 09:30:00 EST 2026", "2026-01-05T09:30:00+00:00"),
        ("From a@b.c Mon Jan  5 09:30:00 2026 -0330", "2026-01-05T09:30:00-03:30"),
        ("From a@b.c Mon, 5 Jan 2026 09:30:00 +0100", "2026-01-05T09:30:00+01:00"),
        ("From a@b.c Mon, 5 Jan 2026 09:30:00 +0100 (CET)", "2026-01-05T09:30:00+01:00"),
        ("From a@b.c Mon Jan  5 09:30:00 1998 remote from uunet", "1998-01-05T09:30:00+00:00"),
        ("From Ann Sunny Example Mon Jan  5 09:30:60 2026", "2026-01-05T09:30:59+00:00"),
        ("From a@b.c 2026-01-05 09:30:00", "2026-01-05T09:30:00+00:00"),
        ("From a@b.c 2026-01-05T09:30:00+01:00", "2026-01-05T09:30:00+01:00"),
        ("From ???@??? Mon Jan 05 09:30:00 1998", "1998-01-05T09:30:00+00:00"),
        ("From a@b.c Mon Jan  5 09:30:00 98", "1998-01-05T09:30:00+00:00"),
    ],
)
def test_every_program_writes_its_own_date(line: str, moment: str) -> None:
    found = line_date(line.encode())
    assert found is not None
    assert found.isoformat() == moment
    assert is_separator(line.encode(), b"anything")


@pytest.mark.parametrize(
    "line",
    [
        "From that day on I stayed in bed.",
        "From ann@example.org",
        "From Monday to Friday, 09:30 to 17:00, we are open.",
        "From here on it is Mon Jan 5 09:30:00 2026 and no later",
        "From a@b.c Mon Feb 31 09:30:00 2026",
        "From a@b.c Mon Jan 5 29:30:00 2026",
        "From a@b.c 2026-13-05 09:30:00",
        "From " + "Mon " * 300,
        "From " + "x" * 5000 + " Mon Jan  5 09:30:00 2026",
    ],
)
def test_a_sentence_is_no_separator(line: str) -> None:
    assert line_date(line.encode()) is None
    assert not is_separator(line.encode(), HEADER)


@pytest.mark.parametrize("line", [b"From ", b"From \r", b"From - "])
def test_thunderbird_s_bare_line_counts_where_a_header_follows(line: bytes) -> None:
    assert is_separator(line, HEADER)
    assert not is_separator(line, b"and so on\n")
