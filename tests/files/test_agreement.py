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


def test_frames_say_what_is_wrong_with_a_message_as_the_message_does(tmp_path: Path) -> None:
    cut = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\n\ncut he"
    (tmp_path / "a.eml").write_bytes(HEADER + cut)
    with mf.open(tmp_path / "a.eml") as session:
        [expected] = session.message(1).defects
        assert "cut" in expected
        for frame in (session.headers(), session.bodies()):
            assert frame["defects"].tolist() == [expected]


def test_a_from_line_of_the_first_second_of_1970_is_no_date(tmp_path: Path) -> None:
    path = tmp_path / "converted.mbox"
    date = b"Date: Fri, 21 Nov 1997 09:55:06 +0000\n"
    path.write_bytes(b"From a@example.org Thu Jan  1 00:00:00 1970\n" + date + HEADER + b"\nHi\n")
    with mf.open(path) as session:
        assert session.headers()["internal_date"].isna().all()
        assert session.count(mf.Q(since="1997-11-01")) == 1  # by the sender's Date
        assert session.count(mf.Q(since="1998-11-01")) == 0


def test_an_empty_path_is_not_the_folder_one_is_in() -> None:
    with pytest.raises(mf.MailframeError, match="empty"):
        mf.open("")
