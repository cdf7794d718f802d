"""What is to be appended: paths, bytes and Python's own messages become what a server is sent."""

from __future__ import annotations

import email
import email.policy
import errno
import os
import time
from datetime import UTC, date, datetime, timedelta, timezone
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailframe.exceptions import MailFileError, QueryError
from mailframe.letters import letter_of
from mailframe.parsing import parse_email
from tests.rigs import messages

EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 local time
PLAIN = b"Subject: a\r\nFrom: b@example.org\r\n\r\nText.\r\n"
POLICIES = {
    "compat32": email.policy.compat32,
    "default": email.policy.default,
    "SMTP": email.policy.SMTP,
    "SMTPUTF8": email.policy.SMTPUTF8,
}


def content_of(mail: Any) -> bytes:
    return letter_of(mail, (), None).content


# -- where it comes from


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_taken_as_they_are(kind: Any) -> None:
    for raw in (PLAIN, messages.undeclared_latin1(), messages.with_attachment(), b"A: b"):
        assert content_of(kind(raw)) == raw


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_path_is_read(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "Grüße & so.eml"
    path.write_bytes(messages.undeclared_latin1())
    assert content_of(kind(path)) == messages.undeclared_latin1()


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.eml").write_bytes(PLAIN)
    assert content_of("~/a.eml") == PLAIN


@pytest.mark.parametrize(
    "path", ["nothing.eml", "~nobody-of-this-name/a.eml", "a\0b", "\ud800", "x" * 5000, "", "."]
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MailFileError, match="Could not read") as error:
        letter_of(path, (), None)
    assert error.value.reply
    assert len(error.value.tried) < 300
    assert "bytes" in error.value.suggestion


def test_a_message_given_as_text_is_no_path() -> None:
    with pytest.raises(MailFileError) as error:
        letter_of(PLAIN.decode(), (), None)
    assert "a message itself is given as bytes" in error.value.suggestion


def test_a_file_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(MailFileError, match="Permission denied"):
        letter_of("a.eml", (), None)


@pytest.mark.parametrize("mail", [None, 5, ["a"], object(), PLAIN.split(), {"Subject": "a"}])
def test_what_is_no_message_at_all_is_refused(mail: Any) -> None:
    with pytest.raises(QueryError, match="is no message") as error:
        letter_of(mail, (), None)
    assert ".eml" in error.value.suggestion


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"\n\nText",
        b"no field\r\n\r\nText",
        b" Subject: a\r\n\r\n",
        b": a\r\n\r\n",
        b"\xef\xbb\xbfSubject: a\r\n\r\n",
        "Grüße: a\r\n\r\n".encode(),
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"\0",
    ],
)
def test_bytes_that_do_not_begin_with_a_field_are_no_message(raw: bytes) -> None:
    with pytest.raises(QueryError, match="This is no message: it begins with b"):
        letter_of(raw, (), None)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_mbox_is_not_one_message(end: bytes) -> None:
    raw = b"From a@example.org Mon Jan  5 09:30:00 2026" + end + PLAIN
    with pytest.raises(QueryError, match="mbox") as error:
        letter_of(raw, (), None)
    assert "mf.open" in error.value.suggestion


@pytest.mark.parametrize("raw", [b"From: a@example.org\r\n\r\nText", b"From : a\r\n\r\n", b"F:"])
def test_a_message_that_begins_with_its_sender_is_no_mbox(raw: bytes) -> None:
    assert content_of(raw) == raw


@pytest.mark.parametrize("raw", [PLAIN + b"\0", b"Subject: \0a\r\n\r\n"])
def test_a_nul_cannot_be_sent(raw: bytes) -> None:
    with pytest.raises(QueryError, match="NUL"):
        letter_of(raw, (), None)


# -- what becomes of it


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (b"A: b\n\nc\n", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\rc\r", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\nc\rd\ne\r\r\nf", b"A: b\r\n\r\nc\r\nd\r\ne\r\n\r\nf"),
        (b"A: b\n\n\n\n", b"A: b\r\n\r\n\r\n\r\n"),
        (b"A: b\n\r\n", b"A: b\r\n\r\n"),
        (b"A: b\r", b"A: b\r\n"),
    ],
)
def test_lines_end_with_crlf(tmp_path: Path, raw: bytes, sent: bytes) -> None:
    assert content_of(raw) == sent
    (tmp_path / "a.eml").write_bytes(raw)
    assert content_of(tmp_path / "a.eml") == sent
    assert content_of(sent) == sent


def test_flags_and_headers_come_with_it() -> None:
    letter = letter_of(messages.encoded_words(), ["\\Seen", "$Junk"], None)
    assert letter.flags == ("\\Seen", "$Junk")
    assert letter.date is None
    assert letter.headers.subject == "Grüße aus München 🍺"
    assert letter.headers.message_id == parse_email(messages.encoded_words()).message_id


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_message_of_python_keeps_its_content(policy: Any) -> None:
    mail = EmailMessage(policy=policy) if policy is not email.policy.compat32 else EmailMessage()
    mail["Subject"] = "Grüße aus Köln, und noch vieles mehr, das in keine Zeile passt" * 3
    mail["From"] = "Jürgen Müller <juergen@example.org>"
    mail.set_content("Grüße.\nEine Zeile.\n", cte="8bit")
    mail.add_attachment(b"\x00\r\n\xff", "application", "octet-stream", filename="ü.bin")
    content = content_of(mail)
    header, _, body = content.partition(b"\r\n\r\n")
    assert header.isascii()  # else the server would have to be asked for UTF-8 first (RFC 6855)
    assert "Grüße.\r\nEine Zeile.\r\n".encode() in body
    assert b"\n" not in content.replace(b"\r\n", b"")
    read = parse_email(content)
    assert read.subject == str(mail["Subject"])
    assert read.from_name == "Jürgen Müller"
    assert read.text == "Grüße.\nEine Zeile.\n"
    assert [(one.filename, one.content) for one in read.attachments] == [("ü.bin", b"\x00\r\n\xff")]


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(
    "raw",
    [
        messages.plain(),
        messages.encoded_words(),
        messages.raw_utf8_headers(),
        messages.undeclared_latin1(),
        messages.with_forwarded(),
        b"Subject: a\r\nX-Long: "
        + b"word " * 40
        + b"\r\nDKIM-Signature: v=1; a=rsa-sha256;\r\n\tb="
        + b"x" * 150
        + b";\r\n d=example.org\r\n\r\nText\r\n",
    ],
    ids=["plain", "words", "utf-8", "latin-1", "forwarded", "signed"],
)
def test_a_message_that_was_read_by_python_says_what_it_said(policy: Any, raw: bytes) -> None:
    # A signature is over the header as it was.
    content = content_of(email.message_from_bytes(raw, policy=policy))
    if policy is not email.policy.compat32:  # which folds anew
        assert content == raw
    before, after = parse_email(raw), parse_email(content)
    assert after.headers == before.headers
    assert (after.text, after.attachments) == (before.text, before.attachments)


def test_messages_of_the_older_kind_are_taken() -> None:
    mail = MIMEMultipart()
    mail["Subject"] = Header("Grüße", "utf-8")  # type: ignore[assignment]
    mail["To"] = "b@example.org"
    mail.attach(MIMEText("Grüße", "plain", "utf-8"))
    mail.attach(MIMEText("x", "html"))
    read = parse_email(content_of(mail))
    assert (read.subject, read.text, read.html) == ("Grüße", "Grüße", "x")


def test_text_in_a_header_of_the_older_kind_is_encoded() -> None:
    mail = Message()
    mail["Subject"] = "Grüße"
    mail.set_payload("x")
    assert parse_email(content_of(mail)).subject == "Grüße"


def test_the_line_that_mbox_puts_in_front_is_left_out() -> None:
    mail = email.message_from_bytes(b"From a Mon Jan  5 09:30:00 2026\n" + PLAIN)
    assert content_of(mail) == PLAIN


def test_a_message_that_is_only_half_made_is_refused() -> None:
    text = Message()
    text["Subject"] = "a"
    text.set_payload("Grüße")  # in no charset
    parts = MIMEMultipart()
    parts["Subject"] = "a"
    parts.set_payload(["no part"])  # type: ignore[list-item]
    for mail in (text, parts):
        with pytest.raises(QueryError, match="cannot be written") as error:
            letter_of(mail, (), None)
        assert "set_content" in error.value.suggestion
    with pytest.raises(QueryError, match="is no message"):
        letter_of(EmailMessage(), (), None)


def test_nothing_is_changed_in_the_message_that_was_given() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Grüße"
    mail.set_content("x")
    before = (mail.policy, mail.as_bytes())
    content_of(mail)
    assert (mail.policy, mail.as_bytes()) == before


# -- its date


def test_an_aware_date_stays_as_it_is() -> None:
    when = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=-3)))
    for one in (when, pd.Timestamp(when), datetime.min.replace(tzinfo=UTC)):
        assert letter_of(PLAIN, (), one).date is one


@pytest.mark.parametrize("kind", [lambda when: when, pd.Timestamp])
def test_a_naive_date_is_local_time(kind: Any) -> None:
    when = datetime(2026, 7, 5, 9, 30, 1)  # noqa: DTZ001 it is meant to be
    made = letter_of(PLAIN, (), kind(when)).date
    assert made is not None
    assert made.tzinfo is not None
    assert made == when.astimezone()
    assert made.replace(tzinfo=None) == when


@pytest.mark.parametrize(
    "when", [pd.NaT, date(2026, 1, 5), "2026-01-05", 1_700_000_000, True, EPOCH], ids=repr
)
def test_what_is_no_time_is_refused(when: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")  # where the year 1 begins in the year 0 of UTC
    time.tzset()
    try:
        with pytest.raises(QueryError, match="is no time of arrival") as error:
            letter_of(PLAIN, (), when)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "datetime(2026" in error.value.suggestion
