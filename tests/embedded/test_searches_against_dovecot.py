"""The embedded server finds what Dovecot finds: the same SEARCH on the same mail in both.

What differs is listed with the reason.
"""

from __future__ import annotations

import imaplib
from typing import TYPE_CHECKING

import pytest

from mailframe.embedded import Server
from mailframe.embedded.content import with_crlf
from mailframe.embedded.sample import sample_account
from tests.test_two_ways import mime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

#: As they stand behind SEARCH; a tuple's last part is sent as a literal in UTF-8.
SEARCHES: list[str | tuple[str, str]] = [
    "ALL", "ANSWERED", "UNANSWERED", "DELETED", "UNDELETED", "DRAFT", "UNDRAFT", "FLAGGED",
    "UNFLAGGED", "SEEN", "UNSEEN", "NEW", "KEYWORD lesson", "KEYWORD LESSON", "KEYWORD nobody",
    "UNKEYWORD lesson", "KEYWORD $Forwarded",
    "1", "1:10", "5,3,9:7", "*", "2990:*", "UID 1:10", "UID 20:10,3000", "UID *",
    "FROM holm", "FROM HOLM", 'FROM "karin.wall@fyrbak.example"', "TO mira", "CC example",
    "BCC example", "FROM xyzzy", "SUBJECT invoice", 'SUBJECT "re: invoice"', "SUBJECT re",
    "HEADER List-Id sensor", 'HEADER List-Unsubscribe ""', 'HEADER X-Nobody ""',
    "HEADER Content-Type multipart/mixed", "HEADER Auto-Submitted auto",
    "BODY budget", "BODY Invoice", "TEXT invoice", "TEXT multipart/alternative", "BODY xyzzy",
    "SINCE 1-Jan-2026", "BEFORE 1-Jan-2025", "ON 11-Feb-2026", "SENTSINCE 1-Jan-2026",
    "SENTBEFORE 1-Sep-2024", "SENTON 11-Feb-2026", "SINCE 1-Jan-2025 BEFORE 1-Feb-2025",
    "LARGER 100000", "SMALLER 1000", "LARGER 2000 SMALLER 2100",
    "NOT SEEN", "NOT (SEEN FLAGGED)", "OR SEEN FLAGGED", "OR (FROM holm SEEN) (TO holm UNSEEN)",
    "OR OR FROM karin FROM goran FROM deepa", "NOT NOT SEEN", "(SEEN) (NOT FLAGGED)",
    "UNSEEN SINCE 1-Jan-2026 LARGER 5000", "NOT FROM fyrbak SUBJECT offer",
    "NOT (OR SUBJECT re SUBJECT sv)", "1:500 UNSEEN", "NOT 1:2900",
    ("SUBJECT", "Besök"), ("TEXT", "Grüße"), ("FROM", "Zieliński"), ("SUBJECT", "請求書"),
    ("BODY", "größe"), ("OR SEEN SUBJECT", "é"), ("BODY", "Спасибо"),
]  # fmt: skip

#: What is not the same: how many messages only the one finds, and only the other.
NO_FIELD = "messages whose first line is no field: Dovecot reads the header behind it"
NO_DATE = "to Dovecot, what has no date that it can read was sent in 1970"
BEFORE_1970 = "Dovecot takes 1969 for a year to come"
CHARSET = "Dovecot knows no iso-8859-8-i"
EXCEPTIONS: dict[str, tuple[int, int, str]] = {
    "2990:*": (0, 1, "a range with * has the last message in it (RFC 3501 section 9)"),
    "SUBJECT invoice": (0, 1, CHARSET),
    "TEXT invoice": (0, 1, CHARSET),
    "SUBJECT re": (4, 0, NO_FIELD),
    "NOT (OR SUBJECT re SUBJECT sv)": (0, 4, NO_FIELD),
    "HEADER Content-Type multipart/mixed": (1, 0, NO_FIELD),
    "TEXT multipart/alternative": (0, 2, "Dovecot does not look into every nested header"),
    "SENTSINCE 1-Jan-2026": (2, 1, f"{BEFORE_1970}; and a Date that is there twice"),
    "SENTBEFORE 1-Sep-2024": (143, 2, f"{NO_DATE}; {BEFORE_1970}"),
    "NOT (SEEN FLAGGED)": (0, 3, "Dovecot leaves out the first messages, all read and not flagged"),
    "('TEXT', 'Grüße')": (0, 1, "Gr&uuml;&szlig;e is looked for as it is read"),
}
EXTENDED = {"RETURN (COUNT) TEXT invoice": CHARSET}

ESEARCHES = [
    "RETURN (MIN MAX COUNT) UNSEEN",
    "RETURN () FLAGGED",
    "RETURN (ALL) FROM holm",
    "RETURN (MIN) FROM xyzzy",
    "RETURN (COUNT) TEXT invoice",
]


def test_there_are_enough_searches_and_most_find_some_but_not_all(
    both: tuple[imaplib.IMAP4, imaplib.IMAP4],
) -> None:
    assert len(SEARCHES) >= 60
    found = [len(search(both[1], asked)) for asked in SEARCHES]
    assert sum(0 < count < max(found) for count in found) > 50


@pytest.fixture(scope="module")
def both(dovecot: Dovecot, corpora: Path) -> Iterator[tuple[imaplib.IMAP4, imaplib.IMAP4]]:
    """Return Dovecot and the embedded server, with the same INBOX open in both."""
    user = dovecot.new_user()
    account = sample_account()
    inbox = account.mailbox("INBOX")
    others = [one for name in ("Sent", "Newsletters", "Junk", "Lists/sensor-users")
              for one in account.mailbox(name).messages]  # fmt: skip
    for one in others:
        inbox.add(one.content, one.internal_date, one.flags)
    date = inbox.messages[0].internal_date
    for raw in mime(corpora).values():
        account.append(inbox, with_crlf(raw), date, ())
    inbox.first_recent = 1  # new to the first client that comes, as in Dovecot
    dovecot.deliver(
        user, [(one.content.read(), one.flags, one.internal_date) for one in inbox.messages]
    )
    with Server({user: "pw"}, accounts={user: account}) as server:
        theirs = imaplib.IMAP4(dovecot.host, dovecot.port)
        ours = imaplib.IMAP4(server.host, server.port)
        theirs.login(user, dovecot.password)
        ours.login(user, "pw")
        for client in (theirs, ours):
            client.select(readonly=True)
        assert ours.fetch("1:*", "(UID RFC822.SIZE)") == theirs.fetch("1:*", "(UID RFC822.SIZE)")
        yield theirs, ours
        for client in (theirs, ours):
            client.logout()


def search(client: imaplib.IMAP4, asked: str | tuple[str, str]) -> set[int]:
    if isinstance(asked, tuple):
        client.literal = asked[1].encode()  # type: ignore[attr-defined] # imaplib's way
        _, [found] = client.search("UTF-8", asked[0])
    else:
        _, [found] = client.search(None, asked)
    return set(map(int, found.split()))


@pytest.mark.parametrize("asked", SEARCHES, ids=str)
def test_a_search_finds_the_same_in_both(
    both: tuple[imaplib.IMAP4, imaplib.IMAP4], asked: str | tuple[str, str]
) -> None:
    theirs, ours = (search(client, asked) for client in both)
    only_theirs, only_ours, _ = EXCEPTIONS.get(str(asked), (0, 0, ""))
    assert (len(theirs - ours), len(ours - theirs)) == (only_theirs, only_ours)


@pytest.mark.parametrize("asked", ESEARCHES)
def test_an_extended_search_is_answered_alike(
    both: tuple[imaplib.IMAP4, imaplib.IMAP4], asked: str
) -> None:
    answers = []
    for client in both:
        tag = client._new_tag().decode()  # type: ignore[attr-defined] # not in typeshed
        del client.tagged_commands[tag.encode()]  # type: ignore[attr-defined]
        client.send(f"{tag} UID SEARCH {asked}\r\n".encode())
        lines = [client.readline().decode()]
        while not lines[-1].startswith(tag):
            lines.append(client.readline().decode())
        answers.append([line.replace(tag, "TAG").upper() for line in lines[:-1]])
    assert (answers[0] == answers[1]) == (asked not in EXTENDED)
