"""UIDs -> records: by part where the structure can be trusted, else whole, with the same result."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    MessageNotFoundError,
)
from mailframe.imap import fetch as fetch_module
from mailframe.imap import messages as messages_module
from mailframe.imap import texts as texts_module
from mailframe.imap.messages import (
    read_attachment,
    read_email,
    read_emails,
    read_messages,
)
from mailframe.imap.texts import read_texts
from mailframe.parsing import parse_email
from tests.imap.replies import DONE, FIELDS, HEADER, MIXED, MIXED_HEADER, PDF, PLAIN, message
from tests.rigs import messages
from tests.rigs import scripted as rig
from tests.rigs.scripted import ScriptedServer, literal, uids_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from mailframe.parsing import Email
    from mailframe.records import Attachment
    from tests.rigs.dovecot import Dovecot

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]

UNREADABLE = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" NIL 1)'
WHOLE = MIXED_HEADER.replace(b"%d", b"9") + (
    b"--b\r\n\r\nHello.\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment\r\n\r\nPDF\r\n--b--\r\n"
)


def one(connection: Connection, uid: int = 1, **options: Any) -> Any:
    [record] = read_messages(connection, [uid], **options)
    return record


def text_of(connection: Connection, uid: int = 1, **options: Any) -> Any:
    [record] = read_texts(connection, [uid], **options)
    return record


def without_content(email: Email) -> list[tuple[Any, ...]]:
    return [(a.part, a.filename, a.content_type, a.disposition) for a in email.attachments]


# -- headers and attachments


def test_one_command_reads_everything_of_the_headers_frame(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(
        messages={1: message(1, flags=b"\\Seen \\Recent $Junk"), 2: message(2)}, uidvalidity=17
    )
    records = list(read_messages(opened(server), [2, 1]))
    assert [(r.uid, r.headers.subject) for r in records] == [(2, "Message 2"), (1, "Message 1")]
    last = records[-1]
    assert (last.account, last.folder, last.uidvalidity) == ("me@example.com", "INBOX", 17)
    assert (last.flags, last.size, last.attachments) == (("\\Seen", "$Junk"), 200, ())
    assert last.internal_date == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert [r.defects for r in records] == [(), ()]
    assert len(server.commands("UID FETCH")) == 1


def test_only_what_is_asked_for_is_read(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message()})
    connection = opened(server)
    one(connection, headers=False, structure=False)
    one(connection, headers=False)
    one(connection, structure=False)
    dates, attachments, headers = server.commands("UID FETCH")
    assert dates == b"1 (UID FLAGS INTERNALDATE RFC822.SIZE)"
    assert attachments.endswith(b"BODY.PEEK[HEADER.FIELDS (DATE FROM CONTENT-TYPE)] BODYSTRUCTURE)")
    assert b"REFERENCES LIST-ID" in headers
    assert b"BODYSTRUCTURE" not in headers


def test_attachments_are_listed_and_none_is_downloaded(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message(structure=MIXED, header=MIXED_HEADER)})
    [attachment] = one(opened(server)).attachments
    assert (attachment.part, attachment.filename, attachment.content) == ("2", "a.pdf", None)
    assert len(server.commands("UID FETCH")) == 1


def test_messages_that_have_gone_are_left_out(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message(1), 3: message(3)})
    connection = opened(server)
    assert [r.uid for r in read_messages(connection, [3, 2, 1])] == [3, 1]
    assert [r.uid for r in read_texts(connection, [3, 2, 1])] == [3, 1]
    assert [e.uid for e in read_emails(connection, [3, 2, 1], body=True)] == [3, 1]


def test_a_message_deleted_between_search_and_fetch_is_left_out(
    mailbox: Callable[..., Connection], dovecot: Dovecot, user: str
) -> None:
    connection = mailbox(*messages.many(3))
    dovecot.expunge(user, 2)
    # At first Dovecot still describes it: dated 1970, of size 0, its header NIL.
    assert [r.uid for r in read_messages(connection, [3, 2, 1])] == [3, 1]
    assert [r.uid for r in read_texts(connection, [3, 2, 1])] == [3, 1]
    with pytest.raises(MessageNotFoundError, match="has the UID 2"):
        read_email(connection, 2)


@pytest.mark.parametrize(
    "said",
    [
        b'INTERNALDATE {26}\r\n05-Jan-2026 11:00:00 +0100 RFC822.SIZE "200" FLAGS (\\Seen) ',
        b'FLAGS (\\Seen) RFC822.SIZE {3}\r\n200 INTERNALDATE " 5-Jan-2026 10:00:00 +0000" ',
    ],
)
@pytest.mark.parametrize("head", [literal(HEADER % 1), b'"Subject: Message 1"'])
def test_strings_and_literals_stand_for_each_other(
    scripted: Scripted, opened: Opened, said: bytes, head: bytes
) -> None:
    items = said + FIELDS + b" " + head
    record = one(opened(scripted(messages={1: items})), structure=False)
    assert (record.flags, record.size, record.headers.subject) == (("\\Seen",), 200, "Message 1")
    assert record.internal_date == datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize("nothing", [b"NIL", b"{0}\r\n", b'""'])
def test_a_header_that_is_empty_leaves_the_row_with_missing_values(
    scripted: Scripted, opened: Opened, nothing: bytes
) -> None:
    items = b"FLAGS () INTERNALDATE NIL RFC822.SIZE NIL " + FIELDS + b" " + nothing
    record = one(opened(scripted(messages={1: items})), structure=False)
    assert (record.uid, record.headers.subject, record.headers.from_) == (1, None, None)
    assert (record.internal_date, record.size) == (None, None)


# -- structures that are not to be trusted


@pytest.mark.parametrize("structure", [UNREADABLE, b"NIL", b'"odd"', b"(NIL)"])
def test_an_unreadable_structure_leaves_the_header_and_the_message_is_read_whole(
    scripted: Scripted, opened: Opened, structure: bytes
) -> None:
    items = message(9, structure=structure, header=MIXED_HEADER, parts={b"": literal(WHOLE)})
    connection = opened(scripted(messages={9: items}))
    record = one(connection, 9)
    assert record.headers.subject == "Message 9"
    assert record.defects == ("the server cannot describe its parts",)
    assert [a.filename for a in record.attachments] == ["a.pdf"]
    assert text_of(connection, 9).text == "Hello."


def test_an_unreadable_structure_of_a_message_too_large_to_read_whole_is_noted(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(messages={1: message(structure=UNREADABLE, size=2 << 20)})
    record = one(opened(server))
    assert record.headers.subject == "Message 1"
    assert record.attachments is None
    assert any("the server cannot describe its parts" in defect for defect in record.defects)
    assert len(server.commands("UID FETCH")) == 1


def test_a_structure_that_the_server_refuses_costs_one_message_a_fallback(
    scripted: Scripted, opened: Opened
) -> None:
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        wanted = uids_in(args.partition(b" ")[0], connection.server.messages)
        if 2 in wanted and b"BODYSTRUCTURE" in args:
            return b"<tag> NO [SERVERBUG] cannot describe message 2\r\n"
        return rig._fetch(tag, args, connection)

    stored = {uid: message(uid) for uid in (1, 3)}
    stored[2] = message(2, structure=b"NIL", parts={b"": literal(WHOLE)})
    records = list(
        read_messages(opened(scripted({"UID FETCH": fetch}, messages=stored)), [3, 2, 1])
    )
    assert [(r.uid, r.headers.subject) for r in records] == [
        (3, "Message 3"),
        (2, "Message 9"),  # as the whole says
        (1, "Message 1"),
    ]
    assert [bool(r.defects) for r in records] == [False, True, False]
    assert [a.filename for a in records[1].attachments or ()] == ["a.pdf"]


def test_a_suspicious_message_is_read_whole_and_the_others_are_not(
    scripted: Scripted, opened: Opened
) -> None:
    stored = {
        1: message(1),
        2: message(2, header=MIXED_HEADER, parts={b"": literal(WHOLE)}),  # PLAIN does not fit
    }
    server = scripted(messages=stored)
    first, second = read_messages(opened(server), [1, 2])
    assert (first.attachments, first.defects) == ((), ())
    assert [a.filename for a in second.attachments or ()] == ["a.pdf"]
    assert server.commands("UID FETCH")[1:] == [b"2 (UID BODY.PEEK[])"]


def test_a_suspicious_message_too_large_to_read_whole_is_marked(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(messages={1: message(1, header=MIXED_HEADER, size=2 << 20)})
    record = one(opened(server))
    assert record.defects == ("not verified: declared multipart/mixed, described as text/plain",)


@pytest.mark.parametrize("nothing", [b"NIL", b"{0}\r\n", b'""'])
@pytest.mark.parametrize("structure", [UNREADABLE, MIXED], ids=["unreadable", "suspicious"])
def test_a_whole_that_comes_empty_does_not_replace_the_header(
    scripted: Scripted, opened: Opened, nothing: bytes, structure: bytes
) -> None:
    items = message(5, structure=structure, parts={b"": nothing, b"1": literal(b"Hello.\r\n")})
    record = one(opened(scripted(messages={5: items})), 5)
    assert record.headers.subject == "Message 5"
    assert record.headers.from_ is not None
    assert record.defects


def test_a_message_that_is_refused_in_every_form_is_not_silently_left_out(
    scripted: Scripted, opened: Opened
) -> None:
    # Left out is what has gone; this message is still there.
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        wanted = uids_in(args.partition(b" ")[0], connection.server.messages)
        if 2 in wanted:
            return b"<tag> NO [SERVERBUG] message 2 is damaged\r\n"
        return rig._fetch(tag, args, connection)

    server = scripted({"UID FETCH": fetch}, messages={uid: message(uid) for uid in (1, 2, 3)})
    records = list(read_messages(opened(server), [3, 2, 1]))
    assert [r.uid for r in records] == [3, 2, 1]
    assert records[1].defects


@pytest.mark.parametrize("read", [read_messages, read_texts])
def test_a_server_that_refuses_every_fetch_of_a_small_folder_is_no_empty_folder(
    scripted: Scripted, opened: Opened, read: Callable[..., Any]
) -> None:
    server = scripted({"UID FETCH": b"<tag> NO [SERVERBUG] internal error\r\n"})
    with pytest.raises(CommandError, match="internal error"):
        list(read(opened(server), [3, 2, 1]))


# -- text


@pytest.mark.parametrize("nothing", [b"NIL", b"{0}\r\n", b'""'])
def test_a_text_that_comes_empty_leaves_the_row(
    scripted: Scripted, opened: Opened, nothing: bytes
) -> None:
    stored = {1: message(1, parts={b"1": nothing}), 2: message(2)}
    records = list(read_texts(opened(scripted(messages=stored)), [2, 1]))
    assert [r.uid for r in records] == [2, 1]
    assert [r.text or None for r in records] == ["Hello.\r\n".replace("\r\n", "\n"), None]


def test_messages_of_one_shape_are_asked_for_together(scripted: Scripted, opened: Opened) -> None:
    html = b'("TEXT" "HTML" ("CHARSET" "us-ascii") NIL NIL "7BIT" 8 1)'
    alternative = b'(%b%b "ALTERNATIVE" ("BOUNDARY" "b"))' % (PLAIN, html)
    header = HEADER.replace(b"text/plain", b"multipart/alternative")
    both = {b"1": literal(b"Hello.\r\n"), b"2": literal(b"<p>Hello")}
    stored = {1: message(1), 3: message(3)}
    stored[2] = message(2, structure=alternative, header=header, parts=both)
    server = scripted(messages=stored)
    list(read_texts(opened(server), [3, 2, 1], html=True))
    assert sorted(server.commands("UID FETCH")[1:]) == [
        b"1,3 (UID BODY.PEEK[1])",
        b"2 (UID BODY.PEEK[1] BODY.PEEK[2])",
    ]


def test_html_is_not_downloaded_where_there_is_text(scripted: Scripted, opened: Opened) -> None:
    html = b'("TEXT" "HTML" ("CHARSET" "us-ascii") NIL NIL "7BIT" 8 1)'
    alternative = b'(%b%b "ALTERNATIVE" ("BOUNDARY" "b"))' % (PLAIN, html)
    header = HEADER.replace(b"text/plain", b"multipart/alternative")
    server = scripted(messages={1: message(1, structure=alternative, header=header)})
    assert text_of(opened(server)).text_source == "plain"
    assert server.commands("UID FETCH")[1:] == [b"1 (UID BODY.PEEK[1])"]


def test_a_long_text_is_read_in_ranges_and_cut_at_the_cap(
    mailbox: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, size in [
        (fetch_module, "RANGE", 64),
        (texts_module, "PIECE", 100),
        (texts_module, "LONGEST", 1000),
    ]:
        monkeypatch.setattr(module, name, size)
    middle, long = "m" * 398 + "\r\n", "l" * 3998 + "\r\n"
    connection = mailbox(messages.plain(1, middle), messages.plain(2, long))
    whole, cut = read_texts(connection, [1, 2])
    assert (whole.text, whole.truncated) == (middle.replace("\r\n", "\n"), False)
    assert (cut.text, cut.truncated) == ("l" * 1000, True)


# -- by part and whole


def test_a_message_read_by_part_is_the_message_read_whole(
    mailbox: Callable[..., Connection],
) -> None:
    raw = [
        *messages.many(12),
        *messages.thread(),
        messages.raw_utf8_headers(20),
        messages.undeclared_latin1(21),
        messages.broken_base64(22),
        messages.plain(23, text=""),
        messages.multipart("mixed", number=24),
        messages.multipart("mixed", messages.quoted_printable("Alone.\r\n"), number=25),
        messages.plain(26, from_="", date=""),
    ]
    connection = mailbox(*raw)
    uids = list(range(1, len(raw) + 1))
    by_part = list(read_emails(connection, uids, body=True))
    texts = list(read_texts(connection, uids, html=True))
    for content, email, text in zip(raw, by_part, texts, strict=True):
        truth = parse_email(content)
        name = truth.subject
        for field in ("subject", "date", "to", "headers", "text", "html", "body", "size"):
            assert getattr(email, field) == getattr(truth, field), (name, field)
        assert without_content(email) == without_content(truth), name
        assert (text.text or "", text.html) == (truth.body, truth.html), name
        assert read_email(connection, email.uid or 0).body == truth.body, name


def test_emails_without_bodies_have_every_header(mailbox: Callable[..., Connection]) -> None:
    connection = mailbox(messages.with_attachment(1, x_spam="no"))
    [email] = read_emails(connection, [1], body=False)
    assert ("X-Spam", "no") in email.headers
    assert (email.text, email.html, email.body) == (None, None, "")
    assert [a.filename for a in email.attachments] == ["report.pdf"]


# -- attachments


def test_an_attachment_is_downloaded_and_decoded(mailbox: Callable[..., Connection]) -> None:
    attachment = read_attachment(mailbox(messages.with_attachment(1)), 1, "2")
    assert (attachment.content, attachment.size) == (messages.PDF, len(messages.PDF))
    assert attachment.size_exact


def test_a_large_attachment_comes_in_pieces(
    mailbox: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "RANGE", 1000)
    content = bytes(range(256)) * 40
    connection = mailbox(messages.with_attachment(1, content=content))
    assert read_attachment(connection, 1, "2").content == content


def test_an_attachment_of_a_suspicious_message_comes_out_of_the_whole(
    scripted: Scripted, opened: Opened
) -> None:
    items = message(9, header=MIXED_HEADER, parts={b"": literal(WHOLE)})
    attachment = read_attachment(opened(scripted(messages={9: items})), 9, "2")
    assert (attachment.filename, attachment.content) == ("a.pdf", b"PDF")


@pytest.mark.parametrize(("uid", "part"), [(9, "1"), (1, "9"), (1, "1"), (1, ""), (1, "2\r\nX")])
def test_a_part_that_is_no_attachment_is_not_found(
    scripted: Scripted, opened: Opened, uid: int, part: str
) -> None:
    server = scripted(messages={1: message(structure=MIXED, header=MIXED_HEADER)})
    with pytest.raises(MessageNotFoundError):
        read_attachment(opened(server), uid, part)
    assert not [line for line in server.received if re.search(rb"\bX$", line)]


def test_an_attachment_that_has_gone_meanwhile_is_not_found(
    scripted: Scripted, opened: Opened
) -> None:
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        return DONE if b"PEEK[2]" in args else rig._fetch(tag, args, connection)

    stored = {1: message(structure=MIXED, header=MIXED_HEADER)}
    connection = opened(scripted({"UID FETCH": fetch}, messages=stored))
    with pytest.raises(MessageNotFoundError):
        read_attachment(connection, 1, "2")


def test_an_attachment_that_the_server_refuses_is_no_empty_file(
    scripted: Scripted, opened: Opened
) -> None:
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        if b"PEEK[2]" in args:
            return b"<tag> NO [SERVERBUG] cannot read the file\r\n"
        return rig._fetch(tag, args, connection)

    stored = {1: message(structure=MIXED, header=MIXED_HEADER)}
    connection = opened(scripted({"UID FETCH": fetch}, messages=stored))
    with pytest.raises(CommandError, match="cannot read the file"):
        read_attachment(connection, 1, "2")


# -- batches


def test_between_batches_the_connection_is_free(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_module, "BATCH", 1)
    connection = opened(scripted(messages={uid: message(uid) for uid in (1, 2, 3)}))
    subjects = []
    for record in read_messages(connection, [3, 2, 1]):
        connection.command(b"NOOP", tried="Could not wait.")
        subjects.append(record.headers.subject)
    assert subjects == ["Message 3", "Message 2", "Message 1"]


def test_a_connection_that_breaks_between_batches_is_an_error(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_module, "BATCH", 1)
    connection = opened(scripted(messages={uid: message(uid) for uid in (1, 2, 3)}))
    reading = read_messages(connection, [3, 2, 1])
    next(reading)
    connection.wire.drop()
    with pytest.raises(ConnectionFailedError, match="was lost"):
        next(reading)


def test_the_structure_of_a_pdf_alone_is_one_attachment(scripted: Scripted, opened: Opened) -> None:
    header = HEADER.replace(b"text/plain; charset=us-ascii", b"application/pdf; name=a.pdf")
    connection = opened(scripted(messages={1: message(structure=PDF, header=header)}))
    attachments: tuple[Attachment, ...] = one(connection).attachments
    assert [a.part for a in attachments] == ["1"]
    assert (text_of(connection).text, text_of(connection).text_source) == (None, "none")
