"""What is done with messages, and what other clients are told of it: RFCs' statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embedded.conftest import PLAIN
from tests.embedded.wire import Client, opened, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.embedded import Server


# -- APPEND (section 6.3.11)


def test_append_keeps_flags_date_and_bytes(client: Client) -> None:
    answer = client.run(
        b'APPEND Sent (\\Seen Work) " 7-Feb-2026 10:00:00 +0130" {%d}\r\n%b' % (len(PLAIN), PLAIN)
    )
    assert answer.text.startswith(b"[APPENDUID 1003 1]")
    client.run("SELECT Sent")
    assert client.run("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])").untagged == [
        b'1 FETCH (FLAGS (\\Recent Work \\Seen) INTERNALDATE " 7-Feb-2026 10:00:00 +0130" '
        b"BODY[] {%d}\r\n%b)" % (len(PLAIN), PLAIN)
    ]


def test_append_of_several_is_all_or_nothing(client: Client) -> None:
    one = "{3+}\r\nabc"
    assert client.run(f"APPEND Sent (\\Seen) {one} {one}").text.startswith(b"[APPENDUID 1003 1:2]")
    assert client.run(f"APPEND Sent {one} (\\Nonsense) {one}").status == "BAD"
    assert client.run(f'APPEND Sent {one} "31-Feb-2026 10:00:00 +0000" {one}').status == "BAD"
    assert client.run("STATUS Sent (MESSAGES)").untagged == [b'STATUS "Sent" (MESSAGES 2)']
    assert client.run(f"APPEND nowhere {one}").text.startswith(b"[TRYCREATE]")


def test_a_literal_is_asked_for_unless_it_comes_at_once(client: Client) -> None:
    client.send(b"x APPEND Sent {3}\r\n")
    assert client.reply().startswith(b"+ ")
    client.send(b"abc\r\ny APPEND Sent {3+}\r\nabc\r\n")
    assert client.reply().startswith(b"x OK")
    assert client.reply().startswith(b"y OK")


def test_a_literal_may_look_like_another(client: Client) -> None:
    assert client.run("APPEND Sent {4+}\r\n{9}\n").status == "OK"
    assert client.run("APPEND Sent {5+}\r\n{9}\r\n").status == "OK"
    assert client.run("SEARCH FROM {3+}\r\n{9}").untagged == [b"SEARCH"]


# -- FETCH (section 6.4.5)


def test_reading_a_message_marks_it_and_tells_so(client: Client) -> None:
    assert client.run("FETCH 1 BODY.PEEK[TEXT]").untagged == [
        b"1 FETCH (BODY[TEXT] {7}\r\nHello\r\n)"
    ]
    assert client.run("FETCH 1 RFC822.HEADER").lines(b"FLAGS") == []
    assert client.run("FETCH 1 BODY[TEXT]").untagged == [
        b"1 FETCH (BODY[TEXT] {7}\r\nHello\r\n FLAGS (\\Seen))"
    ]
    assert client.run("FETCH 1 RFC822.TEXT").untagged == [b"1 FETCH (RFC822.TEXT {7}\r\nHello\r\n)"]


def test_a_uid_fetch_always_has_the_uid(client: Client) -> None:
    assert client.run("UID FETCH 2 FLAGS").untagged == [b"2 FETCH (FLAGS (\\Seen) UID 2)"]
    assert client.run("UID FETCH 99,2 (UID)").untagged == [b"2 FETCH (UID 2)"]
    assert client.run("UID FETCH 99:* UID").untagged == [b"3 FETCH (UID 3)"], "* is the last one"
    assert client.run("FETCH 99 UID").status == "BAD"


def test_macros_stand_alone(client: Client) -> None:
    assert client.run("FETCH 1 FAST").untagged == [
        b'1 FETCH (FLAGS () INTERNALDATE " 1-Feb-2026 10:00:00 +0000" RFC822.SIZE %d)' % len(PLAIN)
    ]
    assert b"ENVELOPE (" in client.run("FETCH 1 ALL").untagged[0]
    assert b"BODY (" in client.run("FETCH 1 FULL").untagged[0]
    assert client.run("FETCH 1 (FAST)").status == "BAD"


def test_a_part_of_a_section_says_where_it_begins(client: Client) -> None:
    assert client.run("FETCH 1 BODY.PEEK[TEXT]<1.3>").untagged == [
        b"1 FETCH (BODY[TEXT]<1> {3}\r\nell)"
    ]
    assert client.run("FETCH 1 BODY.PEEK[TEXT]<99.3>").untagged == [
        b"1 FETCH (BODY[TEXT]<99> {0}\r\n)"
    ]


# -- SEARCH (section 6.4.4)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("SEARCH ALL", b"SEARCH 1 2 3"),
        ("SEARCH SEEN DELETED", b"SEARCH"),
        ("UID SEARCH 2:*", b"SEARCH 2 3"),
        ("SEARCH RETURN () UNSEEN", b'ESEARCH (TAG "t3") ALL 1,3'),
        ("UID SEARCH RETURN (ALL) ALL", b'ESEARCH (TAG "t3") UID ALL 1:3'),
        ("SEARCH RETURN (COUNT MAX MIN) ALL", b'ESEARCH (TAG "t3") MIN 1 MAX 3 COUNT 3'),
        ("SEARCH RETURN (MIN ALL) DELETED", b'ESEARCH (TAG "t3")'),
        ("SEARCH RETURN (COUNT) DELETED", b'ESEARCH (TAG "t3") COUNT 0'),
        ("SEARCH MODSEQ 4", b"SEARCH 3 (MODSEQ 4)"),
        ("SEARCH RETURN (MIN) MODSEQ 1", b'ESEARCH (TAG "t3") MIN 1 MODSEQ 2'),
        ("SEARCH RETURN (ALL) MODSEQ 1", b'ESEARCH (TAG "t3") ALL 1:3 MODSEQ 4'),
        ("SEARCH CHARSET utf-8 SUBJECT {7+}\r\nmüller", b"SEARCH 2"),
        ("SEARCH CHARSET US-ASCII SUBJECT one", b"SEARCH 1"),
        ("SEARCH OR (FROM ann) KEYWORD Work", b"SEARCH 1 3"),
        ("SEARCH NOT 2 UNKEYWORD work", b"SEARCH 1"),
        ("SEARCH SENTBEFORE 1-Jan-2025 SINCE 1-Feb-2026", b"SEARCH 1 3"),
        ("SEARCH LARGER 300", b"SEARCH 2"),
        ('SEARCH HEADER Message-ID "3@"', b"SEARCH 3"),
        ("SEARCH BODY hello", b"SEARCH 1"),
        ("SEARCH OLDER 1", b"SEARCH 1 2 3"),
    ],
)
def test_what_search_finds(client: Client, command: str, reply: bytes) -> None:
    answer = client.run(command)
    assert answer.status == "OK"
    assert answer.untagged[-1] == reply


def test_a_charset_that_is_not_known_is_refused(client: Client) -> None:
    answer = client.run("SEARCH CHARSET KOI8-R SUBJECT x")
    assert (answer.status, answer.text[:30]) == ("NO", b"[BADCHARSET (US-ASCII UTF-8)] ")


# -- STORE, CONDSTORE (section 6.4.6, RFC 7162)


def test_store_sets_adds_and_removes(client: Client) -> None:
    assert client.run("STORE 1 FLAGS (\\flagged New)").untagged[0] == (
        b"1 FETCH (FLAGS (New \\Flagged))"
    )
    assert client.run("STORE 1 +FLAGS (NEW \\Draft)").untagged == [
        b"1 FETCH (FLAGS (New \\Draft \\Flagged))"
    ], "as it was first written"
    assert client.run("UID STORE 1 -FLAGS new").untagged == [
        b"1 FETCH (UID 1 FLAGS (\\Draft \\Flagged))"
    ]
    assert client.run("STORE 1:2 +FLAGS.SILENT (\\Seen)").untagged == []
    assert client.run("STORE 1 +FLAGS (\\Nonsense)").status == "BAD"


def test_a_new_keyword_is_announced(client: Client, other: Client) -> None:
    untagged = client.run("STORE 1 +FLAGS (fresh)").untagged
    assert untagged[0] == b"1 FETCH (FLAGS (fresh))"
    assert [b"fresh" in line for line in untagged] == [True] * 3, "FLAGS and PERMANENTFLAGS"
    assert len(other.run("NOOP").lines(b"fresh")) == 3


def test_modseq_grows_with_each_change(client: Client) -> None:
    answer = client.run("FETCH 1:3 MODSEQ")
    assert answer.untagged[0].startswith(b"OK [HIGHESTMODSEQ 4]"), "condstore is on from here"
    assert [line.split(b"(MODSEQ ")[1] for line in answer.untagged[1:]] == [
        b"(2))",
        b"(3))",
        b"(4))",
    ]
    assert client.run("STORE 1 +FLAGS (\\Seen)").untagged == [
        b"1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (5))"
    ]
    assert client.run("STORE 1 +FLAGS.SILENT (\\Draft)").untagged == [b"1 FETCH (UID 1 MODSEQ (6))"]
    assert client.run("FETCH 1:* (FLAGS) (CHANGEDSINCE 4)").untagged == [
        b"1 FETCH (FLAGS (\\Draft \\Seen) MODSEQ (6))"
    ]
    assert client.run("STATUS INBOX (HIGHESTMODSEQ)").untagged == [
        b'STATUS "INBOX" (HIGHESTMODSEQ 6)'
    ]


def test_what_has_changed_since_is_not_stored_to(client: Client) -> None:
    client.run("STORE 2 +FLAGS.SILENT (\\Draft)")
    answer = client.run("STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Flagged)")
    assert (answer.status, answer.text[:12]) == ("OK", b"[MODIFIED 2]")
    assert client.run("SEARCH FLAGGED").untagged == [b"SEARCH 1 3"]
    answer = client.run("UID STORE 1:3 (UNCHANGEDSINCE 0) FLAGS (x)")
    assert answer.text.startswith(b"[MODIFIED 1:3]")


def test_condstore_is_enabled_by_any_of_its_words(server: Server) -> None:
    for command in ("ENABLE CONDSTORE", "SELECT INBOX (CONDSTORE)", "STATUS INBOX (HIGHESTMODSEQ)"):
        with signed_in(server) as client:
            client.run(command)
            client.run("SELECT INBOX")
            assert b"MODSEQ" in client.run("STORE 1 FLAGS (x)").lines(b"FETCH")[0]
    with opened(server) as client:
        assert client.run("ENABLE X-NONE").untagged == [b"ENABLED"]


# -- COPY, MOVE, EXPUNGE (sections 6.4.7 and 6.4.3, RFC 4315, RFC 6851)


def test_copy_tells_the_new_uids(client: Client) -> None:
    client.run("APPEND Sent {3+}\r\nabc")
    assert client.run("COPY 1,3 Sent").text.startswith(b"[COPYUID 1003 1,3 2:3] ")
    assert client.run("UID COPY 99 Sent").text == b"COPY completed", "of nothing there is no code"
    assert client.run("COPY 1 nowhere").text.startswith(b"[TRYCREATE]")
    client.run("SELECT Sent")
    assert client.run("FETCH 3 (FLAGS INTERNALDATE)").untagged == [
        b'3 FETCH (FLAGS (\\Recent work) INTERNALDATE " 9-Feb-2026 10:00:00 +0000")'
    ]


def test_move_tells_the_new_uids_before_what_has_gone(client: Client) -> None:
    assert client.run("UID MOVE 1:2 Sent").untagged == [
        b"OK [COPYUID 1003 1:2 1:2] Moved",
        b"2 EXPUNGE",
        b"1 EXPUNGE",
    ]
    assert client.run("UID SEARCH ALL").untagged == [b"SEARCH 3"]
    assert client.run("MOVE 1 nowhere").text.startswith(b"[TRYCREATE]")
    assert client.run("MOVE 1 INBOX").lines(b"EXISTS") == [b"1 EXISTS"], "onto itself: a new UID"
    assert client.run("UID SEARCH ALL").untagged == [b"SEARCH 4"]


def test_expunge_takes_what_is_deleted_and_uid_expunge_only_of_these(client: Client) -> None:
    client.run("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
    assert client.run("UID EXPUNGE 2,99").untagged == [b"2 EXPUNGE"]
    assert client.run("STORE 1 -FLAGS.SILENT (\\Deleted)").status == "OK"
    assert client.run("EXPUNGE").untagged == [b"2 EXPUNGE"]
    assert client.run("UID SEARCH ALL").untagged == [b"SEARCH 1"]


# -- several clients (section 5.2)


def test_changes_of_others_are_told(client: Client, other: Client) -> None:
    other.run("STORE 2 +FLAGS (\\Flagged)")
    other.run("APPEND INBOX {3+}\r\nnew")
    assert client.run("NOOP").untagged == [
        b"4 EXISTS",
        b"1 RECENT",
        b"2 FETCH (FLAGS (\\Flagged \\Seen))",
    ]
    other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.run("EXPUNGE")
    assert client.run("CHECK").untagged == [b"1 EXPUNGE"]
    assert client.run("NOOP").untagged == []


def test_one_s_own_changes_are_not_told_again(client: Client) -> None:
    client.run("STORE 1:3 +FLAGS.SILENT (\\Flagged)")
    assert client.run("NOOP").untagged == []


def test_numbers_stay_while_they_are_used(client: Client, other: Client) -> None:
    other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.run("EXPUNGE")
    for command in ("FETCH 1:3 UID", "STORE 2 +FLAGS.SILENT (x)", "SEARCH ALL"):
        answer = client.run(command)
        assert answer.status == "OK"
        assert answer.lines(b"EXPUNGE") == []
    assert client.run("FETCH 3 UID").untagged == [b"3 FETCH (UID 3)"]
    assert client.run("FETCH 1 BODY.PEEK[TEXT]").untagged == [
        b"1 FETCH (BODY[TEXT] {7}\r\nHello\r\n)"
    ], "what has gone can still be read"
    assert client.run("UID SEARCH ALL").lines(b"EXPUNGE") == [b"1 EXPUNGE"], "it uses no numbers"
    assert client.run("FETCH 1 UID").untagged == [b"1 FETCH (UID 2)"]


def test_idle_tells_at_once(client: Client, other: Client) -> None:
    client.send(b"x IDLE\r\n")
    assert client.reply().startswith(b"+ ")
    other.run("APPEND INBOX {3+}\r\nnew")
    assert [client.reply(), client.reply()] == [b"* 4 EXISTS\r\n", b"* 1 RECENT\r\n"]
    other.run("STORE 4 FLAGS (\\Deleted)")
    assert client.reply() == b"* 4 FETCH (FLAGS (\\Recent \\Deleted))\r\n"
    other.run("EXPUNGE")
    assert client.reply() == b"* 4 EXPUNGE\r\n"
    client.send(b"DONE\r\n")
    assert client.reply().startswith(b"x OK")


def test_idle_ends_when_the_mailbox_is_deleted(ann: Callable[..., Client], other: Client) -> None:
    client = ann("Sent")
    client.send(b"x IDLE\r\n")
    client.reply()
    other.run("DELETE Sent")
    assert client.reply().startswith(b"* BYE")


def test_a_mailbox_keeps_its_messages_when_it_is_renamed(
    ann: Callable[..., Client], other: Client
) -> None:
    client = ann("Sent")
    other.run("RENAME Sent Gone")
    other.run("APPEND Gone {3+}\r\nnew")
    assert client.run("NOOP").lines(b"EXISTS") == [b"1 EXISTS"]
    assert client.run('LIST "" Sent').untagged == []
