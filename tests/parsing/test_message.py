"""A message as an object: on a line, on a page, in a file."""

from __future__ import annotations

import base64
import dataclasses
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from mailframe.exceptions import NotSupportedError, SaveError
from mailframe.parsing import Email, assemble_email, parse_email
from mailframe.records import Address, Attachment, Part

if TYPE_CHECKING:
    from pathlib import Path

RAW = b"""\
Date: Sat, 31 Jan 2026 09:30:00 +0100
From: Ann <ann@example.org>
To: Bob <bob@example.org>, carl@example.org
Cc: Dora <dora@example.org>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

one <two>
 three
--a
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>four <img src=3D"cid:dot"><script>five</script></p>
--a--
--m
Content-Type: image/gif
Content-Disposition: inline; filename="dot.gif"
Content-ID: <dot>
Content-Transfer-Encoding: base64

R0lGODlhAQABAAAAACwAAAAAAQABAAA=
--m
Content-Type: application/pdf
Content-Disposition: attachment; filename="a&b.pdf"
Content-Transfer-Encoding: base64

SGVsbG8=
--m--
""".replace(b"\n", b"\r\n")

EVIL = '<b id="evil" onclick=x>&"\''


@pytest.fixture
def email() -> Email:
    return parse_email(RAW, uid=17, folder="INBOX", flags=("\\Seen", "$Work"))


def plain(**changes: Any) -> Email:
    """Return a message of which nothing is known but what is given."""
    return dataclasses.replace(assemble_email(None, None, None), **changes)


def page(email: Email) -> LexborHTMLParser:
    return LexborHTMLParser(f"<!DOCTYPE html><body>{email._repr_html_()}")


def rows(email: Email) -> list[list[str]]:
    """Return the page's tables, row by row, as they are read."""
    return [[cell.text() for cell in row.css("td")] for row in page(email).css("tr")]


# -- on a line


def test_the_repr_says_which_message_it_is(email: Email) -> None:
    assert repr(email) == (
        "<Email uid=17 'Grüße' from ann@example.org, 2026-01-31 09:30, 2 attachments>"
    )
    assert str(email) == repr(email)


def test_the_repr_leaves_out_what_is_not_known() -> None:
    assert repr(plain()) == "<Email (no subject)>"
    assert repr(plain(uid=3, from_name="Ann")) == "<Email uid=3 (no subject) from Ann>"


def test_the_repr_is_one_short_line_whatever_the_sender_writes() -> None:
    text = repr(plain(subject="a\r\nb\x1b[31m" + "x" * 500, from_address="a\n\u202e" + "y" * 500))
    assert text.isprintable()
    assert len(text) < 200
    assert text.startswith("<Email 'a b\ufffd[31mxx")


def test_the_repr_shows_no_text_and_no_bytes() -> None:
    shown = repr(plain(text="secret", html="secret", raw=b"secret"))
    assert "secret" not in shown


def test_an_email_cannot_be_changed_and_is_equal_to_its_like(email: Email) -> None:
    assert email == parse_email(RAW, uid=17, folder="INBOX", flags=("\\Seen", "$Work"))
    assert email != dataclasses.replace(email, uid=18)
    assert pickle.loads(pickle.dumps(email)) == email
    assert hash(email) == hash(dataclasses.replace(email))
    assert not hasattr(email, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        email.uid = 18  # type: ignore[misc] # the mistake itself


# -- on a page


def test_the_page_shows_who_wrote_to_whom_and_when(email: Email) -> None:
    heading = page(email).css_first("[role=heading]")
    assert heading is not None
    assert heading.text() == "Grüße"
    assert rows(email)[:5] == [
        ["From", "Ann <ann@example.org>"],
        ["To", "Bob <bob@example.org>, carl@example.org"],
        ["Cc", "Dora <dora@example.org>"],
        ["Date", "2026-01-31 09:30 +01:00 (2026-01-31 08:30 UTC)"],
        ["Flags", "\\Seen $Work"],
    ]


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        (datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "2026-01-31 09:30 UTC"),
        (
            datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "2026-01-01 01:00 +05:30 (2025-12-31 19:30 UTC)",
        ),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "0001-01-01 00:00 +02:00"),
        (None, "(no date)"),
    ],
)
def test_a_date_is_shown_in_the_senders_zone_and_in_utc(date: datetime | None, shown: str) -> None:
    assert ["Date", shown] in rows(plain(date=date))


def test_what_is_missing_is_said() -> None:
    shown = page(plain()).text()
    assert "(no subject)" in shown
    assert "(no text)" in shown
    assert rows(plain()) == [["From", "(no sender)"], ["Date", "(no date)"]]
    assert page(plain()).css("details") == []


def test_html_is_shown_in_its_frame_with_the_images_that_came_along(email: Email) -> None:
    frame = page(email).css_first("iframe")
    assert frame is not None
    body = LexborHTMLParser(frame.attributes["srcdoc"] or "").body
    assert body is not None
    assert body.inner_html == (
        '<p>four <img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="></p>'
    )


def attached(content_id: str, content_type: str, content: bytes | None, **more: Any) -> Attachment:
    known: dict[str, Any] = {
        "part": "2",
        "filename": None,
        "disposition": "inline",
        "encoding": "base64",
        "encoded_size": 8,
        "size": None,
        "size_exact": False,
        "inline": True,
    }
    return Attachment(
        content_id=content_id, content_type=content_type, content=content, **(known | more)
    )


def test_an_image_too_large_for_a_notebook_or_no_image_is_left_out() -> None:
    html = "".join(f'<img src="cid:{name}" alt="{name}">' for name in "abcd")
    email = plain(
        html=html,
        attachments=(
            attached("a", "image/png", b"x" * 2_000_001),
            attached("b", "image/svg+xml", b"<svg/>"),
            attached("c", "image/png", None),
            attached("d", "image/png", b"png"),
        ),
    )
    srcdoc = page(email).css_first("iframe").attributes["srcdoc"] or ""
    encoded = base64.b64encode(b"png").decode()
    assert f'<body>abc<img alt="d" src="data:image/png;base64,{encoded}"></body>' in srcdoc


def test_plain_text_keeps_its_lines_and_its_brackets() -> None:
    block = page(plain(text="one <two>\n three & four")).css_first("pre")
    assert block is not None
    assert block.text() == "one <two>\n three & four"
    assert "white-space:pre-wrap" in (block.attributes["style"] or "")


def test_attachments_are_listed_with_their_size(email: Email) -> None:
    assert rows(email)[5:7] == [
        ["Inline", "dot.gif", "image/gif", "23 bytes"],
        ["Attachment", "a&b.pdf", "application/pdf", "5 bytes"],
    ]
    unread = plain(attachments=(attached("a", "image/png", None),))
    assert ["Inline", "(no name)", "image/png", "about 8 bytes"] in rows(unread)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (999_960, "1.0 MB"),
        (12_345_678, "12.3 MB"),
    ],
)
def test_a_size_is_written_in_thousands(size: int, shown: str) -> None:
    assert (
        plain(structure=Part("1", "image/png", size=size)).tree() == f"1 image/png, 7bit, {shown}"
    )


def test_all_header_fields_and_parts_can_be_unfolded(email: Email) -> None:
    fields, parts = page(email).css("details")
    assert fields.css_first("summary").text() == "All header fields"
    assert [[cell.text() for cell in row.css("td")] for row in fields.css("tr")][4] == [
        "Subject",
        "Grüße",
    ]
    assert len(fields.css("tr")) == 6
    assert parts.css_first("pre").text() == email.tree()


def test_defects_are_seen(email: Email) -> None:
    assert "Not as it should be" not in email._repr_html_()
    broken = dataclasses.replace(email, defects=("cut base64", f"odd {EVIL}"))
    assert f"Not as it should be: cut base64; odd {EVIL}" in page(broken).text()


def test_nothing_from_the_mail_is_markup_on_the_page() -> None:
    address = (Address(EVIL, EVIL),)
    email = plain(
        subject=EVIL, from_name=EVIL, from_address=EVIL, to=address, cc=address, bcc=address,
        headers=((EVIL, EVIL),), text=EVIL, flags=(EVIL,), defects=(EVIL,),
        attachments=(attached(EVIL, EVIL, None, filename=EVIL),),
        structure=Part("1", EVIL, charset=EVIL, encoding=EVIL, filename=EVIL),
    )  # fmt: skip
    for shown in (email, dataclasses.replace(email, html=EVIL)):
        tree = page(shown)
        assert tree.css("b, [id], [onclick]") == []
        assert tree.text().count(EVIL) >= 16
        assert {node.tag for node in tree.body.traverse()} <= {
            "body", "div", "table", "tbody", "tr", "td", "pre", "details", "summary", "iframe",
        }  # fmt: skip


def test_a_file_name_does_not_read_backwards() -> None:
    email = plain(attachments=(attached("a", "x/y", None, filename="\u202egpj.exe"),))
    assert "\u202e" not in email._repr_html_()
    assert "\ufffdgpj.exe" in email._repr_html_()


def test_a_huge_message_makes_no_huge_page() -> None:
    many = tuple(Address(None, f"{n}@example.org") for n in range(10_000))
    email = plain(
        to=many,
        headers=tuple((f"X-{n}", "v" * 10_000) for n in range(2_000)),
        text="x" * 5_000_000,
        structure=Part("", "multipart/mixed", tuple(Part(str(n), "a/b") for n in range(5_000))),
    )
    shown = page(email).text()
    assert len(shown) < 2_500_000
    assert "19@example.org … and 9,980 more" in shown
    assert "… and 1,500 more" in shown
    assert "… and 4,501 more" in shown
    assert "[cut: 4,800,000 more characters]" in shown


def test_the_page_has_no_colour_of_its_own_outside_the_frame(email: Email) -> None:
    text = dataclasses.replace(email, html=None)._repr_html_()
    assert re.search(r"[;\"]color:|background(?!:none)", text) is None


# -- its parts


def test_the_tree_shows_every_part(email: Email) -> None:
    assert email.tree().splitlines() == [
        "multipart/mixed",
        "  1 multipart/alternative",
        "    1.1 text/plain, utf-8, 7bit, 17 bytes",
        "    1.2 text/html, utf-8, quoted-printable, 54 bytes",
        '  2 image/gif, base64, 32 bytes, "dot.gif"',
        '  3 application/pdf, base64, 8 bytes, "a&b.pdf"',
    ]


def test_the_tree_is_empty_where_the_structure_is_unknown() -> None:
    assert plain().tree() == ""


def test_the_tree_sends_no_command_to_a_terminal() -> None:
    part = Part("1", "text/plain", filename="\x1b]0;title\x07\nfile")
    assert plain(structure=part).tree().isprintable()


# -- in a file


def test_a_saved_message_is_the_same_bytes(email: Email, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    assert email.save(path) == path
    assert path.read_bytes() == RAW
    assert email.save(str(tmp_path / "again.eml")).read_bytes() == RAW


def test_a_file_is_replaced_only_when_asked(email: Email, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(b"mine")
    with pytest.raises(SaveError):
        email.save(path)
    assert path.read_bytes() == b"mine"
    email.save(path, overwrite=True)
    assert path.read_bytes() == RAW


def test_a_folder_is_not_a_file(email: Email, tmp_path: Path) -> None:
    with pytest.raises(SaveError):
        email.save(tmp_path)


def test_a_message_read_by_part_cannot_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    with pytest.raises(NotSupportedError, match="only parts of it were read") as caught:
        plain(uid=17, folder="Archiv").save(path)
    assert "session.message(17, folder='Archiv')" in str(caught.value)
    assert not path.exists()


def test_an_international_domain_is_shown_in_its_own_script() -> None:
    email = parse_email(b"From: Ann <ann@xn--bcher-kva.example>\nTo: b@xn--bcher-kva.example\n\n")
    assert (email.from_address, email.to[0].display) == (
        "ann@xn--bcher-kva.example",
        "b@bücher.example",
    )
    shown = email._repr_html_()
    assert "Ann &lt;ann@bücher.example&gt;" in shown
    assert "b@bücher.example" in shown


def test_a_text_that_follows_a_page_is_shown_below_it() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Page\n"
        b"--b\n\nList footer\n--b--\n"
    )
    shown = parse_email(raw)._repr_html_()
    assert shown.index("iframe") < shown.index("List footer")
    versions = parse_email(raw.replace(b"mixed", b"alternative"))._repr_html_()
    assert "List footer" not in versions


@pytest.mark.parametrize(
    ("page", "is_low"),
    [("<p>One line", True), ("<p>line" * 40, False), ("<p>One<img src=cid:a>", False)],
)
def test_a_short_page_stands_in_a_low_frame(page: str, *, is_low: bool) -> None:
    shown = parse_email(f"Content-Type: text/html\n\n{page}".encode())._repr_html_()
    height = re.search(r"height:(\d+)px", shown)
    assert height is not None
    assert (int(height[1]) < 200) == is_low
