"""Every kind of message that people and programs send: what is read, and what is attached."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from mailframe.parsing import parse_email, parse_structure, pick_parts, read_bodies

KINDS = Path(__file__).parent.parent / "data" / "kinds"
PAGE = '<p>Hello.<img src="cid:dot@example.org"></p>'
PDF = ("application/pdf", "report.pdf", False)


class Kind(NamedTuple):
    """What comes out of a message.

    Attributes
    ----------
    text, html
        None where there is none.
    attachments
        Part number, type, file name, and whether it is inline.
    """

    text: str | None
    html: str | None
    attachments: list[tuple[str, str, str | None, bool]]


EXPECTED = {
    # RFC 2387: the picture is part of the page
    "related": Kind("Hello.", PAGE, [("2.2", "image/png", "dot.png", True)]),
    # RFC 1847: what is signed comes first, the signature is a file
    "signed_pgp": Kind(
        "Hello.", None, [("2", "application/pgp-signature", "signature.asc", False)]
    ),
    "signed_smime": Kind(
        "Hello.",
        "<p>Hello.</p>",
        [("2", "application/pkcs7-signature", "smime.p7s", False)],
    ),
    # RFC 3156 and RFC 8551: nothing can be read without the key
    "encrypted_pgp": Kind(
        None,
        None,
        [
            ("1", "application/pgp-encrypted", None, False),
            ("2", "application/octet-stream", "encrypted.asc", False),
        ],
    ),
    "encrypted_smime": Kind(None, None, [("1", "application/pkcs7-mime", "smime.p7m", False)]),
    # RFC 6522, 3464 and 8098: words for people, fields for programs, the message that it is about
    "bounce": Kind(
        "Your message could not be delivered.",
        None,
        [
            ("2", "message/delivery-status", None, False),
            ("3", "message/rfc822", None, False),
        ],
    ),
    "bounce_headers": Kind(
        "Your message could not be delivered.",
        None,
        [
            ("2", "message/delivery-status", None, False),
            ("3", "text/rfc822-headers", None, False),
        ],
    ),
    "read_receipt": Kind(
        "Your message was displayed.",
        None,
        [("2", "message/disposition-notification", None, False)],
    ),
    # MS-OXTNEF: listed, not opened
    "winmail": Kind("Hello.", None, [("2", "application/ms-tnef", "winmail.dat", False)]),
    # RFC 6047: as one more version of the text, and as a file
    "invitation": Kind(
        "Come on Tuesday.",
        "<p>Come on Tuesday.</p>",
        [
            ("1.3", "text/calendar", None, False),
            ("2", "application/ics", "invite.ics", False),
        ],
    ),
    "calendar_attached": Kind("See the file.", None, [("2", "text/calendar", "date.ics", False)]),
    # RFC 2046 section 5.2: messages within messages are leaves, and their texts their own
    "forwarded": Kind("See below.", None, [("2", "message/rfc822", "Lunch.eml", False)]),
    "partial": Kind(None, None, [("1", "message/partial", None, False)]),
    "external_body": Kind(
        "Fetch it yourself.", None, [("2", "message/external-body", None, False)]
    ),
    "digest": Kind(
        "A note of the editor.",
        None,
        [("1", "message/rfc822", None, False), ("2", "message/rfc822", None, False)],
    ),
    # RFC 8621 section 4.1.4
    "mixed_in_alternative": Kind("Hello.", "<p>Hello.</p>", [("2.2", *PDF)]),
    "html_only": Kind(
        None, "<html><body><h1>News</h1><p>All is w&ouml;ll.</p></body></html>\n", []
    ),
    "text_attached": Kind(
        "The body.",
        None,
        [
            ("2", "text/plain", "notes.txt", False),
            ("3", "text/plain", "named.txt", False),
        ],
    ),
    "texts": Kind("The first.\nThe second.\nDer dritte, grün.", None, [("2", *PDF)]),
    "apple_mail": Kind(
        "Look: and: so.",
        "<p>Look:</p>\n<p>and:</p>\n<p>so.</p>",
        [
            ("2.2", "image/png", "one.png", True),
            ("2.4", "image/png", "two.png", True),
        ],
    ),
    "apple_mail_plain": Kind(
        "Look:\nand:\nso.",
        None,
        [("2", "image/png", "one.png", True), ("4", "image/png", "two.png", True)],
    ),
    "empty_multipart": Kind(None, None, []),
    # RFC 2046 sections 5.1.3 and 5.1.7: multiparts of other kinds are mixed
    "unknown_multipart": Kind("Hello.", None, [("2", *PDF)]),
    "parallel": Kind(
        "Hello.",
        None,
        [("2", "audio/basic", "hello.au", True), ("3", "image/png", "dot.png", True)],
    ),
    "apple_double": Kind(
        "Hello.",
        None,
        [
            ("2.1", "application/applefile", "%dot.png", False),
            ("2.2", "image/png", "dot.png", False),
        ],
    ),
    # RFC 3676
    "flowed": Kind(
        "A paragraph that the program has broken into lines.\n\n"
        "> A quote\n> of two lines.\n\n-- \nAnn\n",
        None,
        [],
    ),
    # as most programs read it, and as a server describes it
    "uuencoded": Kind(
        "Here it is:\n\nbegin 644 hello.txt\n,2&5L;&\\@=V]R;&0A\n`\nend\n\nBye, Ann\n", None, []
    ),
}


def raw(name: str) -> bytes:
    return (KINDS / f"{name}.eml").read_bytes()


def test_no_kind_is_forgotten() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in KINDS.glob("*.eml"))


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_kind_is_read(name: str, end: bytes) -> None:
    email = parse_email(raw(name).replace(b"\n", end))
    found = [(one.part, one.content_type, one.filename, one.inline) for one in email.attachments]
    assert Kind(email.text, email.html, found) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_where_the_text_is_from_is_said(name: str) -> None:
    bodies = read_bodies(pick_parts(parse_structure(raw(name))), {}, html=True)
    kind = EXPECTED[name]
    source = "plain" if kind.text is not None else "html" if kind.html is not None else "none"
    assert bodies.text_source == source


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_is_wrong_with_a_kind_because_it_is_rare(name: str) -> None:
    defects = parse_email(raw(name)).defects
    assert defects == () or name == "empty_multipart"


def test_a_page_alone_is_the_text_too() -> None:
    assert parse_email(raw("html_only")).body == "News\n\nAll is wöll."


@pytest.mark.parametrize(
    ("name", "subjects"),
    [
        ("forwarded", ["Lunch"]),
        ("bounce", [None, "Grüße"]),
        ("digest", ["First", "Second"]),
        ("winmail", [None]),
    ],
)
def test_a_message_within_has_a_subject_of_its_own(name: str, subjects: list[str | None]) -> None:
    assert [one.subject for one in parse_email(raw(name)).attachments] == subjects


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("related", [b"\x89PNG\r\n\x1a\n picture"]),
        ("texts", [b"%PDF-1.7"]),
        ("parallel", [b".snd", b"\x89PNG\r\n\x1a\n picture"]),
        ("text_attached", [b"The file.", b"A file that is only named."]),
    ],
)
def test_what_is_attached_is_what_was_put_in(name: str, contents: list[bytes]) -> None:
    attachments = parse_email(raw(name)).attachments
    assert [one.content for one in attachments] == contents
    assert [(one.size, one.size_exact) for one in attachments] == [(len(c), True) for c in contents]


def test_a_picture_is_found_by_the_page_that_shows_it() -> None:
    email = parse_email(raw("related"))
    (picture,) = email.attachments
    assert f"cid:{picture.content_id}" in (email.html or "")
