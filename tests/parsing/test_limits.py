"""Bad input costs no more than good input of its size.

What is hostile to a parser is repetition: of what opens something, of what may be part of two
things, of what is looked for from every place again. Here every field and every kind of body is
filled with each such piece. The cases are small, and in their thousands take seconds; an expression
that tries everything twice would take hours over one of them.
"""

from __future__ import annotations

import pytest

from mailframe.parsing import (
    html_to_text,
    parse_authentication_results,
    parse_email,
    parse_hops,
    parse_list_unsubscribe,
)

SIZE = 60_000
PIECES = [
    b"a", b" ", b"\t", b"(", b")", b'"', b"\\", b"<", b">", b"@", b",", b";", b":", b"=", b"?",
    b"'", b"=?", b"?=", b"=?utf-8?q?", b"=?utf-8?q?a?= ", b"=?utf-8?b?QQ==?= ", b"''", b"*0=",
    b";a=", b"; a*1=b", b"a@b,", b"<a@b>", b'"a" <a@b>, ', b"(a) ", b"a:", b"a;", b"\r\n ", b"\n\t",
    b"%41", b"\xff", b"\xc3", b"\x1b$B", b"\x1b(B", b"Mon, ", b"1 ", b"1997 ", b"-", b".", b"+",
    b" at ", b"from ", b"by ", b"; id ", b"a.", b"xn--a.", b"=\n", b"<a> ", b"--b\n",
    b"begin 644 a\n", b"M\n", b"> ", b"-- \n", b"<b>", b"<!--", b"&", b"<td>", b"</x>", b"a=pass ",
    b"\0",
]  # fmt: skip
FIELDS = [
    b"From", b"To", b"Subject", b"Date", b"Message-ID", b"References", b"In-Reply-To", b"List-Id",
    b"List-Unsubscribe", b"Received", b"Authentication-Results", b"Content-Type: text/plain",
    b"Content-Type: multipart/mixed; boundary=", b"Content-Type", b"Content-Disposition",
    b"Content-Disposition: attachment; filename=", b"Content-Transfer-Encoding", b"Content-ID",
]  # fmt: skip
KINDS = [
    b"Subject: a", b"Content-Type: text/html",
    b"Content-Type: text/plain; format=flowed; delsp=yes", b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: x-uuencode",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822",
    b"Content-Type: text/plain; charset=iso-2022-jp",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS, ids=bytes.decode)
def test_no_field_is_looked_at_again_and_again(field: bytes) -> None:
    for piece in PIECES:
        raw = b"%b: %b\r\n\r\nx" % (field, piece * (SIZE // len(piece)))
        email = parse_email(raw)
        assert email.size == len(raw) + raw.count(b"\n") - raw.count(b"\r\n")
        values = [value for name, value in email.headers if name.encode() == field]
        assert len(parse_hops(values)) == len(values)
        assert len(parse_authentication_results(values)) <= 200
        assert all(len(parse_list_unsubscribe(value)) <= 20 for value in values)


@pytest.mark.parametrize("kind", KINDS, ids=bytes.decode)
def test_no_body_is_looked_at_again_and_again(kind: bytes) -> None:
    for piece in PIECES:
        raw = b"%b\r\n\r\n%b" % (kind, piece * (SIZE // len(piece)))
        email = parse_email(raw, uuencoded=True)
        assert email.size == len(raw) + raw.count(b"\n") - raw.count(b"\r\n")
        assert isinstance(email.body, str)
        assert email.tree()


def test_what_a_header_claims_is_not_believed() -> None:
    raw = (
        b"Content-Length: 1073741824\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Disposition: attachment; filename=a; size=1073741824\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nQUJD"
    )
    [attachment] = parse_email(raw).attachments
    assert (attachment.size, attachment.content, attachment.encoded_size) == (3, b"ABC", 4)


def test_ten_megabytes_of_header_are_a_message() -> None:
    lines = b"X-Note: %b\r\n" % (b"x" * 60) * 140_000
    email = parse_email(b"Subject: Hi\r\n" + lines + b"\r\nHello")
    assert (email.subject, email.text) == ("Hi", "Hello")
    assert any("header cut" in defect for defect in email.defects)


def test_ten_megabytes_of_html_are_text() -> None:
    page = "<div><p>word <b>" * 600_000
    assert html_to_text(page).count("word") > 100
