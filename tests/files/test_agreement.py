"""Wherever a header ends, it ends there for every method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import mailframe as mf

if TYPE_CHECKING:
    from pathlib import Path

HEADER = b"Subject: Hi\nFrom: a@example.org\nTo: b@example.org\n"
SENDER = "a@example.org"


@pytest.mark.parametrize(
    ("raw", "subject", "text"),
    [
        (HEADER + b"\nbody\n", "Hi", "body\n"),
        (b"\n\r\n" + HEADER + b"\nbody\n", "Hi", "body\n"),
        (b"\xef\xbb\xbf" + HEADER + b"\nbody\n", "Hi", "body\n"),
        (HEADER.replace(b"\n", b"\r") + b"\rbody\r", "Hi", "body\n"),
        (HEADER + b"nonsense\nCc: c@example.org\n\nbody\n", "Hi", "body\n"),
        (HEADER + b"Hello there\n\nbody\n", "Hi", "Hello there\n\nbody\n"),
        (HEADER + b" \nHello there\nTo: you\n\nbody\n", "Hi", "Hello there\nTo: you\n\nbody\n"),
        (b"nonsense\n" + HEADER + b"\nbody\n", None, f"nonsense\n{HEADER.decode()}\nbody\n"),
    ],
    ids=["plain", "empty lines", "mark", "cr", "junk", "no empty line", "blanks", "headless"],
)
def test_frames_messages_and_criteria_agree(
    tmp_path: Path, raw: bytes, subject: str | None, text: str
) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(raw)
    with mf.open(path) as session:
        [row] = session.headers().to_dict("records")
        email = session.message(1)
        assert email.subject == (None if pd.isna(row["subject"]) else row["subject"]) == subject
        sender = None if pd.isna(row["from_address"]) else row["from_address"]
        assert sender == email.from_address == (None if subject is None else SENDER)
        assert session.bodies()["text"].tolist() == [email.text] == [text]
        assert session.count("SUBJECT Hi") == session.count(f"FROM {SENDER}") == bool(subject)
        assert session.count("BODY body") == 1
