"""What programs write into a header becomes flags and labels."""

from __future__ import annotations

import pytest

from mailframe.files.marks import marks_of


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        (b"Status: RO\n", {"\\Seen"}),
        (b"Status: O\n", set()),
        (
            b"STATUS:R\r\nX-Status: AFDT\r\n",
            {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"},
        ),
        (b"X-Mozilla-Status: 0001\n", {"\\Seen"}),
        (
            b"X-Mozilla-Status: 100F\n",
            {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "$Forwarded"},
        ),
        (b"X-Mozilla-Status: nonsense\n", set()),
        (b"X-Mozilla-Keys: $label1 Work      \n", {"$label1", "Work"}),
        (b"X-Keywords: NonJunk $Forwarded  \n\tInvoice\n", {"NonJunk", "$Forwarded", "Invoice"}),
        (b"Delivery-Status: R\nX-Status-Of: A\n", set()),
        (b"Subject: Status: R\n", set()),
    ],
)
def test_a_status_becomes_flags(fields: bytes, flags: set[str]) -> None:
    assert set(marks_of(b"From: ann@example.org\n" + fields + b"\n").flags) == flags


@pytest.mark.parametrize(
    ("value", "labels", "flags"),
    [
        (b"Inbox,Unread", ("Inbox", "Unread"), set()),
        (b"Inbox,Opened,Important", ("Inbox", "Opened", "Important"), {"\\Seen", "$Important"}),
        (b"Archived, Starred,Sent", ("Archived", "Starred", "Sent"), {"\\Seen", "\\Flagged"}),
        (b"Drafts", ("Drafts",), {"\\Seen", "\\Draft"}),
        (b"Spam,Unread", ("Spam", "Unread"), {"$Junk"}),
        (b"Trash,Unread", ("Trash", "Unread"), set()),
        (b'"Bills, paid",\r\n Inbox,Unread', ("Bills, paid", "Inbox", "Unread"), set()),
        (
            b"=?UTF-8?Q?Entw=C3=BCrfe,Ungelesen,M=C3=BCll?=",
            ("Entwürfe", "Ungelesen", "Müll"),
            {"\\Draft"},
        ),
        ("Größe,Unread".encode(), ("Größe", "Unread"), set()),
        (b"", (), {"\\Seen"}),
        (b'"', (), {"\\Seen"}),
        (b"a" * 200_000 + b",b", ("a" * 200_000, "b"), {"\\Seen"}),
    ],
)
def test_takeout_s_labels_are_labels_and_flags(
    value: bytes, labels: tuple[str, ...], flags: set[str]
) -> None:
    marks = marks_of(b"X-GM-THRID: 1796343902929020283\nX-Gmail-Labels: " + value + b"\n\n")
    assert marks.labels == labels
    assert set(marks.flags) == flags
    assert marks.gmail_thread == "1796343902929020283"


def test_a_header_without_any_says_nothing() -> None:
    marks = marks_of(b"Subject: Hi\n\n")
    assert (marks.flags, marks.labels, marks.gmail_thread) == ((), None, None)
