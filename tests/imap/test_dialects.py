"""SEARCH on servers that take less than RFC 3501 has, each refusing as it was reported to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.criteria import Q, to_tree
from mailframe.exceptions import QueryError
from mailframe.imap.search import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]
    Handler = Callable[[bytes, bytes, object], bytes]

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
SUBJECTS = {1: "Grüße aus Berlin", 2: "Gruß", 3: "GRÜSSE AUS BERLIN", 4: "Berlin", 5: "grüße"}
SENDERS = {1: "Müller", 2: "Meier", 3: "MÜLLER", 4: "Schmidt", 5: "Meier"}
BODIES = {1: "Öl", 2: "Wasser", 3: "oel", 4: "kaltes ÖL", 5: ""}


def find(connection: Connection, criteria: object) -> list[int]:
    return search(connection, to_tree(criteria, NOW))


def rev1(scripted: Scripted, handlers: dict[str, Any], **options: Any) -> ScriptedServer:
    """Start a server of RFC 3501 and nothing else, as these are."""
    return scripted(handlers, capabilities="IMAP4rev1", **options)


def describe(_: bytes, args: bytes, __: object) -> bytes:
    """Answer FETCH for the messages above: their fields, structure and text."""
    replies = b""
    for uid, subject in SUBJECTS.items():
        header = (
            f"From: {SENDERS[uid]} <{uid}@example.org>\r\nSubject: {subject}\r\n"
            "Date: Mon, 5 Jan 2026 09:30:00 +0000\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        ).encode()
        body = BODIES[uid].encode() or b"\r\n"
        items = b'FLAGS () INTERNALDATE "05-Jan-2026 09:30:00 +0000" RFC822.SIZE 400'
        if b"HEADER.FIELDS" in args:
            items += b" BODY[HEADER.FIELDS (X)] {%d}\r\n%b" % (len(header), header)
        if b"BODY.PEEK[1]" in args:
            items += b" BODY[1] {%d}\r\n%b" % (len(body), body)
        if b"BODYSTRUCTURE" in args:
            items += (
                b' BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "8bit" %d 1)'
                % len(body)
            )
        replies += b"* %d FETCH (UID %d %b)\r\n" % (uid, uid, items)
    return replies + b"<tag> OK\r\n"


def ascii_only(refusal: bytes, found: dict[bytes, bytes] | None = None) -> Handler:
    """Refuse every CHARSET, as Exchange and Outlook do; else find all, or what a test says."""

    def answer(_: bytes, args: bytes, __: object) -> bytes:
        if b"CHARSET" in args.upper():
            return b"<tag> " + refusal + b"\r\n"
        assert args.isascii()
        return b"* SEARCH " + (found or {}).get(args, b"1 2 3 4 5") + b"\r\n<tag> OK\r\n"

    return answer


# mailkit #808, angus-mail #145: Outlook, Office 365 and Exchange; go-imap #496: Aliyun
REFUSALS = [
    b"NO [BADCHARSET (US-ASCII)] The specified charset is not supported.",
    b"NO [BADCHARSET] no",
    b"NO [BADCHARSET (hex rot13)] no",
    b"BAD invalid command or parameters",
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize(
    ("criteria", "uids"),
    [
        (Q(subject="grüße"), [5, 3, 1]),
        (Q(subject="Grüße aus Berlin"), [3, 1]),
        (Q(from_="müller"), [3, 1]),
        (Q(from_="müller") & Q(subject="grüße"), [3, 1]),
        (Q(from_="müller") | Q(subject="gruß"), [3, 2, 1]),
        (~Q(from_="müller"), [5, 4, 2]),
        (Q(body="öl"), [4, 1]),
        (Q(text="Öl"), [4, 1]),
        (Q(text="müller"), [3, 1]),
        (Q(header={"Subject": "grüße"}), [5, 3, 1]),
        (Q(subject="日本"), []),
    ],
    ids=str,
)
def test_words_beyond_ascii_are_found_on_a_server_that_takes_none(
    scripted: Scripted, opened: Opened, criteria: Q, uids: list[int], refusal: bytes
) -> None:
    server = rev1(scripted, {"UID SEARCH": ascii_only(refusal), "UID FETCH": describe})
    assert find(opened(server), criteria) == uids


def test_such_a_server_is_refused_by_only_once(scripted: Scripted, opened: Opened) -> None:
    server = rev1(scripted, {"UID SEARCH": ascii_only(REFUSALS[0]), "UID FETCH": describe})
    connection = opened(server)
    for _ in range(3):
        assert find(connection, Q(subject="grüße")) == [5, 3, 1]
    assert sum(b"CHARSET" in one for one in server.commands("UID SEARCH")) == 1


def test_such_a_server_is_asked_for_the_longest_ascii_word(
    scripted: Scripted, opened: Opened
) -> None:
    narrowed = {b'SUBJECT "Berlin" UNSEEN': b"1 3"}
    server = rev1(
        scripted, {"UID SEARCH": ascii_only(REFUSALS[0], narrowed), "UID FETCH": describe}
    )
    assert find(opened(server), Q(subject="Grüße aus Berlin", seen=False)) == [3, 1]
    [asked] = {c for c in server.commands("UID FETCH") if b"HEADER.FIELDS" in c}
    assert asked.startswith(b"1,3 ")


def test_what_only_gmail_can_decide_stays_refused(scripted: Scripted, opened: Opened) -> None:
    server = scripted({"UID SEARCH": ascii_only(REFUSALS[0])}, capabilities="IMAP4rev1 X-GM-EXT-1")
    with pytest.raises(QueryError, match="BADCHARSET"):
        find(opened(server), Q(gmail="grüße"))


#: What each of the keys below finds.
FOUND = {
    b'FROM "a"': {1, 2},
    b'FROM "b"': {3},
    b'FROM "c"': {4, 5},
    b'TO "d"': {2, 3, 4},
    b"SEEN": {1, 3, 5},
    b"UNSEEN": {2, 4},
    b'NOT FROM "a"': {3, 4, 5},
    b"ALL": {1, 2, 3, 4, 5},
}


def plain(args: bytes) -> bytes:
    """Find what a conjunction of the keys above finds."""
    keys = re.findall(rb'NOT FROM "a"|FROM "."|TO "."|UNSEEN|SEEN|ALL', args)
    found = set.intersection(*(FOUND[key] for key in keys))
    return b"* SEARCH %b\r\n<tag> OK\r\n" % b" ".join(b"%d" % uid for uid in sorted(found))


def exchange(_: bytes, args: bytes, __: object) -> bytes:
    """Refuse nested OR and parentheses (node-imap #830, outlook.office365.com)."""
    if args.count(b"OR ") > 1 or b"(" in args:
        return b"<tag> BAD Command Argument Error. 11\r\n"
    return plain(args) if b"OR " not in args else b"<tag> BAD not tried here\r\n"


def yahoo(_: bytes, args: bytes, __: object) -> bytes:
    """Fail at OR without parentheses (node-imap #737), as its servers report every trouble."""
    if re.search(rb"(?<!\()OR ", args):
        return b"<tag> NO [SERVERBUG] UID SEARCH Server error - Please try again later\r\n"
    match = re.fullmatch(rb'\(OR (FROM ".") (TO ".")\)', args)
    if match is None:
        return plain(args)
    found = FOUND[match[1]] | FOUND[match[2]]
    return b"* SEARCH %b\r\n<tag> OK\r\n" % b" ".join(b"%d" % uid for uid in sorted(found))


@pytest.mark.parametrize(
    ("criteria", "uids"),
    [
        (Q(from_=["a", "b", "c"]), [5, 4, 3, 2, 1]),
        (Q(from_="a") | Q(to="d"), [4, 3, 2, 1]),
        (Q(seen=True) & (Q(from_="a") | Q(to="d")), [3, 1]),
        (Q(seen=True) & (Q(from_="a") | (Q(from_="c") & Q(to="d"))), [1]),
        (~(Q(from_="a") | Q(from_="b")), [5, 4]),
        (~(Q(from_="a") & Q(seen=True)), [5, 4, 3, 2]),
        ((Q(from_="a") | Q(from_="b")) & (Q(to="d") | Q(seen=True)), [3, 2, 1]),
        (~Q(from_="a") & ~(Q(from_="b") | Q(seen=False)), [5]),
    ],
    ids=str,
)
def test_or_is_combined_here_where_the_server_refuses_it(
    scripted: Scripted, opened: Opened, criteria: Q, uids: list[int]
) -> None:
    server = rev1(
        scripted, {"UID SEARCH": exchange}, messages=dict.fromkeys(range(1, 6), b"FLAGS ()")
    )
    connection = opened(server)
    assert find(connection, criteria) == uids
    refused = len([c for c in server.commands("UID SEARCH") if b"(" in c])
    assert find(connection, criteria) == uids
    again = [c for c in server.commands("UID SEARCH") if b"(" in c]
    assert len(again) == refused == 1  # not tried a second time


def test_or_is_written_with_the_parentheses_that_yahoo_wants(
    scripted: Scripted, opened: Opened
) -> None:
    server = rev1(scripted, {"UID SEARCH": yahoo}, messages={1: b"FLAGS ()"})
    assert find(opened(server), Q(from_="a") | Q(to="d")) == [4, 3, 2, 1]
    assert server.commands("UID SEARCH") == [b'(OR FROM "a" TO "d")']


def test_what_is_refused_in_its_parts_too_is_an_error(scripted: Scripted, opened: Opened) -> None:
    server = rev1(scripted, {"UID SEARCH": b"<tag> BAD no search today\r\n"})
    connection = opened(server)
    with pytest.raises(QueryError, match="no search today"):
        find(connection, Q(from_=["a", "b"]))
    assert not connection.quirks


def test_words_beyond_ascii_within_or_are_found_where_neither_is_taken(
    scripted: Scripted, opened: Opened
) -> None:
    def answer(tag: bytes, args: bytes, connection: object) -> bytes:
        if b"CHARSET" in args:
            return b"<tag> BAD Command Argument Error. 11\r\n"
        return exchange(tag, args, connection)

    server = rev1(scripted, {"UID SEARCH": answer, "UID FETCH": describe})
    criteria = (Q(from_="müller") | Q(from_="b")) & Q(seen=True)
    assert find(opened(server), criteria) == [3, 1]
