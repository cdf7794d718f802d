"""Criteria -> SEARCH on the wire; what no server can decide is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mailframe.criteria import Q, to_tree
from mailframe.exceptions import (
    CommandError,
    NotSupportedError,
    ProtocolError,
    QueryError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap import search as search_module
from mailframe.imap.search import search
from tests.imap.replies import DONE, MIXED, MIXED_HEADER, message
from tests.rigs import messages
from tests.rigs import scripted as rig
from tests.rigs.scripted import ScriptedServer, in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
REV1 = "IMAP4rev1"  # and nothing else


def find(connection: Connection, criteria: object, limit: int | None = None) -> list[int]:
    return search(connection, to_tree(criteria, NOW), limit)


def sent(server: ScriptedServer) -> list[bytes]:
    return server.commands("UID SEARCH")


# -- what is asked


@pytest.mark.parametrize(
    ("criteria", "asked"),
    [
        ("ALL", b"ALL"),
        ("UNSEEN SINCE 1-Jan-2026", b"UNSEEN SINCE 1-Jan-2026"),
        ("OR SEEN FLAGGED", b"(OR SEEN FLAGGED)"),
        ("NOT (SEEN FLAGGED)", b"NOT (SEEN FLAGGED)"),
        ("1:3,9:*", b"1:3,9:*"),
        ("UID 7:9", b"UID 7:9"),
        ("HEADER List-Id pandas", b'HEADER "List-Id" "pandas"'),
        ('SUBJECT "say \\"hi\\""', b'SUBJECT "say \\"hi\\""'),
        (Q(from_="alice", seen=False), b'FROM "alice" UNSEEN'),
        (~Q(from_="alice"), b'NOT FROM "alice"'),
        (Q(from_=["a", "b", "c"]), b'(OR FROM "a" (OR FROM "b" FROM "c"))'),
        (Q(seen=True) & (Q(from_="a") | Q(to="b")), b'SEEN (OR FROM "a" TO "b")'),
        (Q(larger=1000, keyword="$Junk"), b"KEYWORD $Junk LARGER 1000"),
    ],
    ids=str,
)
def test_criteria_are_written_as_rfc_3501_has_them(
    scripted: Scripted, opened: Opened, criteria: object, asked: bytes
) -> None:
    server = scripted(capabilities=REV1, messages={7: b"FLAGS ()"})
    assert find(opened(server), criteria) == [7]
    assert sent(server) == [asked]


def test_uids_come_descending_and_the_limit_keeps_the_highest(
    scripted: Scripted, opened: Opened
) -> None:
    connection = opened(scripted({"UID SEARCH": b"* SEARCH 5 9 1 30\r\n" + DONE}))
    assert find(connection, "ALL") == [30, 9, 5, 1]
    assert find(connection, "ALL", 2) == [30, 9]
    assert find(connection, "ALL", 0) == []


def test_text_that_is_not_ascii_goes_as_a_literal_in_utf8(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(messages={7: b"FLAGS ()"})
    assert find(opened(server), Q(subject="Grüße", from_="a")) == [7]
    assert sent(server) == [
        b'RETURN (ALL) CHARSET UTF-8 FROM "a" SUBJECT {7+}\r\n' + "Grüße".encode()
    ]


def test_without_literal_plus_the_literal_waits_for_the_server(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(capabilities=REV1, messages={7: b"FLAGS ()"})
    assert find(opened(server), Q(subject="Grüße", body="Öl")) == [7]
    assert sent(server) == [
        b"CHARSET UTF-8 SUBJECT {7}\r\n" + "Grüße".encode() + b" BODY {3}\r\n" + "Öl".encode()
    ]


def test_no_charset_is_named_for_ascii(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    find(opened(server), Q(subject="Gruesse"))
    assert b"CHARSET" not in sent(server)[0]


# -- what is answered


@pytest.mark.parametrize(
    ("said", "uids"),
    [
        (b"* SEARCH\r\n", []),
        (b"* SEARCH 2 84 882\r\n", [882, 84, 2]),
        (b"* SEARCH 2 84 882 \r\n", [882, 84, 2]),
        (b"* SEARCH 2 3 (MODSEQ 917162500)\r\n", [3, 2]),
        (b"* SEARCH 1 2\r\n* 4 EXISTS\r\n* SEARCH 3\r\n", [3, 2, 1]),
        (b"* SEARCH 1 2\r\n* SEARCH 2 3\r\n", [3, 2, 1]),
        (b"", []),
        (b'* ESEARCH (TAG "x") UID ALL 2,10:11\r\n', [11, 10, 2]),
        (b'* ESEARCH (TAG "x") UID ALL 10:8,2\r\n', [10, 9, 8, 2]),
        (b'* ESEARCH (TAG "x") UID COUNT 2 ALL 4:5 MAX 5\r\n', [5, 4]),
        (b'* esearch (tag "x") uid all 4\r\n', [4]),
        (b'* ESEARCH (TAG {1}\r\nx) UID ALL "4:5"\r\n', [5, 4]),
        (b'* ESEARCH (TAG "x") UID\r\n', []),
        (b'* ESEARCH (TAG "x")\r\n', []),
        (b"* ESEARCH UID ALL 7\r\n", [7]),
        (b'* ESEARCH (TAG "x") UID ALL 7\r\n* 2 FETCH (FLAGS ())\r\n* 3 EXPUNGE\r\n', [7]),
    ],
    ids=str,
)
def test_every_form_of_the_answer_is_read(
    scripted: Scripted, opened: Opened, said: bytes, uids: list[int]
) -> None:
    assert find(opened(scripted({"UID SEARCH": said + DONE})), "ALL") == uids


@pytest.mark.parametrize(
    "said",
    [
        b'* ESEARCH (TAG "x") UID ALL\r\n',
        b'* ESEARCH (TAG "x") UID ALL x\r\n',
        b'* ESEARCH (TAG "x" UID ALL 1\r\n',
        b'* ESEARCH (TAG "x") UID ALL 1:4294967295\r\n',
        b'* ESEARCH (TAG "x") UID ALL 1:*\r\n',
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_read_is_a_protocol_error(
    scripted: Scripted, opened: Opened, said: bytes
) -> None:
    with pytest.raises(ProtocolError):
        find(opened(scripted({"UID SEARCH": said + DONE})), "ALL")


def test_a_server_with_imap4rev1_alone_is_asked_for_nothing_else(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(capabilities=REV1, messages={1: message(1), 2: message(2)})
    connection = opened(server)
    assert find(connection, Q(has_attachment=False)) == [2, 1]
    words = b" ".join(server.received)
    assert not [w for w in (b"RETURN", b"+}", b"ID (", b"ENABLE", b"NAMESPACE") if w in words]


def test_an_empty_folder_has_nothing_to_find(mailbox: Callable[..., Connection]) -> None:
    connection = mailbox()
    assert find(connection, "ALL") == []
    assert find(connection, Q(has_attachment=True) | Q(seen=True)) == []


# -- what is refused


@pytest.mark.parametrize("said", [b"NO I know no such key", b"BAD Syntax error"])
def test_a_refusal_is_told_in_the_servers_words(
    scripted: Scripted, opened: Opened, said: bytes
) -> None:
    connection = opened(scripted({"UID SEARCH": b"<tag> " + said + b"\r\n"}))
    with pytest.raises(QueryError, match="refused this search") as caught:
        find(connection, "SEEN")
    assert caught.value.reply == said.decode()
    assert connection.command(b"NOOP", tried="")[-1].kind == "OK"


def test_a_throttled_search_is_no_mistake_of_the_user(scripted: Scripted, opened: Opened) -> None:
    connection = opened(scripted({"UID SEARCH": b"<tag> NO [THROTTLED] later\r\n"}))
    with pytest.raises(ThrottledError) as caught:
        find(connection, "SEEN")
    assert isinstance(caught.value, CommandError)


@pytest.mark.parametrize(
    ("criteria", "capability"),
    [
        (Q(gmail="has:attachment"), "X-GM-EXT-1"),
        ("X-GM-RAW foo", "X-GM-EXT-1"),
        ("OR SEEN NOT EMAILID M1", "OBJECTID"),
    ],
    ids=str,
)
def test_a_key_of_an_extension_is_not_sent_to_a_server_without_it(
    mailbox: Callable[..., Connection], criteria: object, capability: str
) -> None:
    connection = mailbox(messages.plain())
    before = connection.wire.commands
    with pytest.raises(NotSupportedError, match=capability):
        find(connection, criteria)
    assert connection.wire.commands == before


def test_a_key_of_an_extension_is_sent_to_a_server_that_has_it(
    mailbox: Callable[..., Connection],
) -> None:
    assert find(mailbox(messages.plain()), "YOUNGER 100000000") == [1]


@pytest.mark.parametrize(
    ("offered", "charset"),
    [(b"US-ASCII ISO-8859-1", "iso-8859-1"), (b'"x-unknown" "UTF-7" "KOI8-R"', "utf-7")],
)
def test_a_server_that_knows_no_utf8_is_asked_in_what_it_knows(
    scripted: Scripted, opened: Opened, offered: bytes, charset: str
) -> None:
    refused = b"<tag> NO [BADCHARSET (%b)] no\r\n" % offered
    server = scripted({"UID SEARCH": in_turn(refused, b"* SEARCH 7\r\n" + DONE)})
    assert find(opened(server), Q(subject="Grüße")) == [7]
    assert sent(server)[1].endswith("Grüße".encode(charset))
    assert b"CHARSET " + charset.upper().encode() in sent(server)[1].upper()


def test_silence_at_a_search_is_borne_ten_times_as_long_and_said_so(
    scripted: Scripted, opened: Opened
) -> None:
    connection = opened(scripted({"UID SEARCH": b""}), timeout=0.02)
    with pytest.raises(ServerTimeoutError, match=r"nothing for 0\.2 seconds"):
        find(connection, "ALL")


# -- long criteria


def test_a_long_alternative_is_asked_in_several_searches(
    scripted: Scripted, opened: Opened
) -> None:
    answers = iter(range(100, 200))

    def answer(_tag: bytes, _args: bytes, _connection: rig.Connection) -> bytes:
        return b"* SEARCH 7 %d\r\n" % next(answers) + DONE

    names = [f"somebody-with-a-long-name-{number}@example.org" for number in range(400)]
    server = scripted({"UID SEARCH": answer})
    found = find(opened(server), Q(from_=names))
    searches = sent(server)
    assert len(searches) > 1
    assert all(len(search) < 8000 for search in searches)
    assert all(sum(name.encode() in one for one in searches) == 1 for name in names)
    assert found == [*range(99 + len(searches), 99, -1), 7]


def test_other_long_criteria_are_refused_before_they_are_sent(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted()
    with pytest.raises(QueryError, match="too long"):
        find(opened(server), " ".join(f'SUBJECT "word{number}"' for number in range(1000)))
    assert sent(server) == []


# -- decided here


@dataclass(frozen=True)
class Mail:
    """What is known of a delivered message, for answers that are worked out independently."""

    number: int
    seen: bool
    flagged: bool
    attachment: bool
    received: datetime
    sent: datetime
    subject: str


KINDS = [
    (messages.plain, False),
    (messages.alternative, False),
    (messages.with_attachment, True),
    (messages.with_inline_image, False),
    (messages.with_forwarded, True),
]
MAILS = [
    Mail(
        number,
        seen=number % 2 == 0,
        flagged=number % 3 == 0,
        attachment=KINDS[number % 5][1],
        # Around midnight and across days, so that a server's day is not enough.
        received=datetime(2026, 1, 10, tzinfo=UTC) + timedelta(hours=7 * (number % 13)),
        sent=messages.START + timedelta(hours=number),
        subject=f"Message {number}",
    )
    for number in range(1, 31)
]


def raw(mail: Mail) -> tuple[bytes, list[str], datetime]:
    flags = [flag for flag, on in (("\\Seen", mail.seen), ("\\Flagged", mail.flagged)) if on]
    return KINDS[mail.number % 5][0](mail.number), flags, mail.received


MOMENT = datetime(2026, 1, 11, 11, 30, tzinfo=UTC)
EXACT = datetime(2026, 1, 11, 11, tzinfo=UTC)  # five times seven hours: a message's own moment
SENT = messages.START + timedelta(hours=12)
ATTACHED = Q(has_attachment=True)

TREES: list[tuple[Q, Callable[[Mail], bool]]] = [
    (ATTACHED, lambda m: m.attachment),
    (Q(has_attachment=False), lambda m: not m.attachment),
    (~ATTACHED, lambda m: not m.attachment),
    (ATTACHED & Q(seen=False), lambda m: m.attachment and not m.seen),
    (ATTACHED | Q(seen=True), lambda m: m.attachment or m.seen),
    (~(ATTACHED | Q(flagged=True)), lambda m: not (m.attachment or m.flagged)),
    (~(ATTACHED & Q(flagged=True)), lambda m: not (m.attachment and m.flagged)),
    (~(~ATTACHED & ~Q(subject="Message 1")), lambda m: m.attachment or "Message 1" in m.subject),
    (Q(since=MOMENT), lambda m: m.received >= MOMENT),
    (Q(before=MOMENT), lambda m: m.received < MOMENT),
    (Q(since=EXACT), lambda m: m.received >= EXACT),
    (Q(before=EXACT), lambda m: m.received < EXACT),
    (~Q(since=EXACT), lambda m: m.received < EXACT),
    (Q(since="9d"), lambda m: m.received >= NOW - timedelta(days=9)),
    (Q(since=MOMENT, before=MOMENT + timedelta(hours=30)) & ATTACHED,
     lambda m: m.attachment and MOMENT <= m.received < MOMENT + timedelta(hours=30)),
    (~Q(since=MOMENT) | Q(has_attachment=False, flagged=True),
     lambda m: m.received < MOMENT or (not m.attachment and m.flagged)),
    (Q(sent_since=SENT), lambda m: m.sent >= SENT),
    (~Q(sent_before=SENT) & Q(seen=True), lambda m: m.sent >= SENT and m.seen),
    ((Q(sent_before=SENT) | ATTACHED) & (Q(flagged=True) | Q(since=MOMENT)),
     lambda m: (m.sent < SENT or m.attachment) and (m.flagged or m.received >= MOMENT)),
    (Q(seen=True, flagged=True) | (Q(since=MOMENT) & ~ATTACHED),
     lambda m: (m.seen and m.flagged) or (m.received >= MOMENT and not m.attachment)),
    (Q(seen=True) | Q(seen=False, has_attachment=True), lambda m: m.seen or m.attachment),
]  # fmt: skip


@pytest.mark.parametrize("batch", [500, 4])
def test_what_no_server_can_decide_is_what_python_works_out(
    mailbox: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(search_module, "BATCH", batch)
    connection = mailbox(*map(raw, MAILS))
    for query, matches in TREES:
        expected = [mail.number for mail in reversed(MAILS) if matches(mail)]
        assert 0 < len(expected) < len(MAILS), f"{query} proves nothing"
        assert find(connection, query) == expected, query
        assert find(connection, query, 3) == expected[:3], query


def test_a_limit_is_counted_after_the_decision_and_reads_no_further(
    mailbox: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "BATCH", 5)
    connection = mailbox(*map(raw, MAILS))
    before = connection.wire.commands
    assert find(connection, ATTACHED, 2) == [29, 27]
    fetches = connection.wire.commands - before - 1
    assert fetches == 1  # of the six batches, one is enough


def test_only_the_messages_in_doubt_are_looked_at(scripted: Scripted, opened: Opened) -> None:
    def answer(_tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        # In the last days for sure, or perhaps.
        return (b"* SEARCH 3" if b"22-Jan" in args else b"* SEARCH 2 3") + b"\r\n" + DONE

    stored = {uid: message(uid) for uid in (1, 2, 3)}
    server = scripted({"UID SEARCH": answer}, messages=stored, capabilities=REV1)
    find(opened(server), Q(since=NOW))
    assert sent(server) == [b"SINCE 19-Jan-2026", b"SINCE 22-Jan-2026"]
    assert server.commands("UID FETCH") == [b"2 (UID FLAGS INTERNALDATE RFC822.SIZE)"]


def test_attachments_are_seen_in_the_structure_and_not_downloaded(
    scripted: Scripted, opened: Opened
) -> None:
    stored = {1: message(1), 2: message(2, structure=MIXED, header=MIXED_HEADER)}
    server = scripted(messages=stored)
    assert find(opened(server), ATTACHED) == [2]
    assert all(b"BODY.PEEK[2]" not in args for args in server.commands("UID FETCH"))


def test_non_ascii_text_is_found_on_a_real_server(mailbox: Callable[..., Connection]) -> None:
    connection = mailbox(messages.plain(1), messages.encoded_words(2))
    assert find(connection, Q(subject="grüße")) == [2]
    assert find(connection, Q(from_=["müller", "nobody"])) == [2]
