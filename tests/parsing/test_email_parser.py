"""A whole message becomes an Email."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import assemble_email, parse_email, parse_structure
from mailframe.records import Address

MESSAGE = b"""\
From: Ann <ann@example.org>
To: b@example.org
Subject: Hi
X-Note: =?utf-8?Q?Gr=C3=BCn?=
Content-Type: multipart/mixed; boundary=outer

preamble
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1; format=flowed
Content-Transfer-Encoding: 8bit

Gr\xfcn

--inner
Content-Type: text/html

<p>Green</p>
--inner--
--outer
Content-Type: message/rfc822
Content-Disposition: attachment; filename*=utf-8''Gr%C3%BCn.eml

Subject:   nested \t
Content-Type: multipart/mixed; boundary=deep

--deep

x
--deep--

--outer
Content-Type: image/png; name=a.png
Content-Transfer-Encoding: base64
Content-ID: <a@b>

SGVsbG8=
--outer--
"""


@pytest.mark.parametrize("raw", [MESSAGE, MESSAGE.replace(b"\n", b"\r\n")], ids=["lf", "crlf"])
def test_a_message_is_read(raw: bytes) -> None:
    email = parse_email(raw, uid=7, folder="INBOX", flags=("\\Seen",))
    assert (email.uid, email.folder, email.flags) == (7, "INBOX", ("\\Seen",))
    assert (email.sender, email.to) == ("Ann <ann@example.org>", (Address(None, "b@example.org"),))
    assert (email.subject, email.text, email.html) == ("Hi", "Grün\n", "<p>Green</p>")
    assert email.body == email.text
    assert ("X-Note", "Grün") in email.headers
    assert email.size == len(MESSAGE) + MESSAGE.count(b"\n")
    nested, image = email.attachments
    assert (nested.part, nested.filename, nested.size_exact) == ("2", "Grün.eml", True)
    assert (image.part, image.content, image.content_id) == ("3", b"Hello", "a@b")
    assert email.defects == ()


def test_read_by_part_it_is_the_same_message() -> None:
    whole = parse_email(MESSAGE)
    header = MESSAGE.partition(b"\n\n")[0]
    structure = parse_structure(MESSAGE)
    contents = {"1.1": b"Gr\xfcn\r\n", "1.2": b"<p>Green</p>"}
    assert assemble_email(header, structure, contents, size=whole.size) == whole
    assert assemble_email(MESSAGE, structure, contents, size=whole.size) == whole
    bare = assemble_email(header, structure, None)
    assert (bare.subject, bare.text, bare.body, len(bare.attachments)) == ("Hi", None, "", 2)


def test_an_email_can_be_made_of_nothing() -> None:
    email = assemble_email(None, None, None, defects=("gone",))
    assert (email.subject, email.attachments, email.defects) == (None, (), ("gone",))


def test_leaves_keep_their_octets_and_get_the_numbers_of_imap() -> None:
    root = parse_structure(MESSAGE)
    assert (root.number, root.boundary) == ("", "outer")
    alternative, nested, image = root.parts
    assert [part.number for part in (*root.parts, *alternative.parts)] == [
        "1",
        "2",
        "3",
        "1.1",
        "1.2",
    ]
    plain = alternative.parts[0]
    assert (plain.raw, plain.size, plain.format) == (b"Gr\xfcn\r\n", 6, "flowed")
    assert nested.parts == ()
    start = MESSAGE.index(b"Subject:   nested")
    end = MESSAGE.index(b"\n--outer\nContent-Type: image")
    assert nested.raw == MESSAGE[start:end].replace(b"\n", b"\r\n")
    assert image.raw == b"SGVsbG8="


def test_a_message_that_is_one_part_is_part_1() -> None:
    assert parse_structure(b"\r\nx").number == "1"


def test_the_body_is_what_the_html_says_where_there_is_no_text() -> None:
    email = parse_email(b"Content-Type: text/html\r\n\r\n<p>Hi")
    assert (email.text, email.html, email.body) == (None, "<p>Hi", "Hi")


def test_a_multipart_without_a_boundary_is_text() -> None:
    email = parse_email(b"Content-Type: multipart/mixed\r\n\r\nHello")
    assert (email.text, email.defects) == ("Hello", ())


def test_a_digest_holds_messages() -> None:
    raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--\n"
    (attachment,) = parse_email(raw).attachments
    assert (attachment.content_type, attachment.content) == (
        "message/rfc822",
        b"Subject: x\r\n\r\ny",
    )


def test_deep_nesting_is_bounded_and_noted() -> None:
    raw = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5_000)
    )
    assert "parts nested deeper than 100" in parse_email(raw).defects


@pytest.mark.parametrize("raw", [b"", b"\n", b"\0", b"no header", b"From x\n", b"Content-Type:\n"])
def test_scraps_are_messages_too(raw: bytes) -> None:
    assert parse_email(raw).attachments == ()


SCRAPS = st.sampled_from(
    [
        b"From: a <b@c>\n",
        b"Subject: =?utf-8?b?4oI?=\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: multipart/alternative\n",
        b"Content-Type: text/html; charset=utf-16\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/plain; charset*0*=x''y\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Content-Disposition: ; filename*0*=x'y'%ff\n",
        b"Date: 1 Jan 0 0:0\n",
        b"--b\n",
        b"--b--\n",
        b"\n",
        b"\r",
        b"\xff\x00=",
    ]
)


@given(st.binary() | st.lists(SCRAPS).map(b"".join))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    email = parse_email(raw)
    texts = [email.subject, email.from_name, email.from_address, email.text, email.html, email.body]
    texts += [text for field in email.headers for text in field]
    texts += [text for one in email.attachments for text in (one.filename, one.content_type)]
    for text in (*texts, *email.defects):
        assert "\0" not in (text or "")
        (text or "").encode()


def test_files_in_the_text_are_attachments_where_that_is_asked_for() -> None:
    raw = b"Subject: Logo\n\nHere it is:\nbegin 644 logo.gif\n#0V%T\n`\nend\nBye\n"
    as_sent, taken_out = parse_email(raw), parse_email(raw, uuencoded=True)
    assert ("begin 644" in (as_sent.text or ""), as_sent.attachments) == (True, ())
    assert taken_out.text == "Here it is:\nBye\n"
    [logo] = taken_out.attachments
    assert (logo.filename, logo.content_type, logo.content) == ("logo.gif", "image/gif", b"Cat")


def test_what_servers_found_out_is_as_sent_and_not_decoded() -> None:
    forged = "mx.example.org; dmarc=fail smtp.mailfrom==?us-ascii?q?a=3B_dmarc=3Dpass_?=@x.example"
    raw = f"Authentication-Results: {forged}\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n".encode()
    assert dict(parse_email(raw).headers) == {
        "Authentication-Results": forged, "Subject": "Grüße"}  # fmt: skip
