"""The same criteria find the same mail, whoever decides: a server, or `criteria.matches`.

Messages of other projects and some of our own lie in a real Dovecot, which is searched. Then the
very bytes, flags and dates that it hands out are matched here. What is not the same is listed
below, by what was asked and which message, with the reason.
"""

from __future__ import annotations

import imaplib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeAlias

import pytest

import mailframe as mf
from mailframe.criteria import Mailbox, matches, supported, to_tree
from mailframe.files.searchable import Searchable
from tests.test_two_ways import mailbox, mime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailframe import Session
    from tests.rigs.dovecot import Delivery, Dovecot

Criteria: TypeAlias = str | mf.Q
NOW = datetime.now(UTC)


# -- the mail


def message(*lines: str, charset: str = "utf-8") -> bytes:
    return "\r\n".join(lines).encode(charset)


OWN = {
    "plain": message(
        'From: "Doe, Jon" <jon@Example.org>',
        "To: Ann Bee <ann@example.net>, bob@example.net",
        "Cc: Team: carl@example.net, dora@example.net;",
        "Subject: Quarterly",
        "\t report  of",
        "  the team",
        "Date: Tue, 1 Sep 2020 23:30:00 -1000",
        "X-Number: 17",
        "X-Number: 18",
        "X-Empty:",
        "",
        "The figures\tare   attached.",
        "Regards",
    ),
    "words": message(
        "From: =?utf-8?B?SsO2cmcgTcO8bGxlcg==?= <joerg@example.org>",
        "To: =?iso-8859-1?Q?Andr=E9?= <andre@example.org>",
        "Subject: =?utf-8?Q?Gr=C3=BC=C3?= =?utf-8?Q?=9Fe_aus_=C3=96sterreich?=",
        "Date: Wed, 2 Sep 2020 23:30:00 +1400",
        "X-Note: =?utf-8?Q?na=C3=AFve?= note",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Sch=C3=B6ne Gr=C3=BC=C3=9Fe, caf=C3=A9 und so=",
        "viel mehr. =E2=82=AC 5",
    ),
    "decomposed": message("Subject: cafe\u0301 creme", "", "Zu\u0308rich"),
    "latin": message(
        "Subject: in latin",
        "Content-Type: text/plain; charset=iso-8859-15",
        "Content-Transfer-Encoding: 8bit",
        "",
        "\u20ac 20 f\xfcr Caf\xe9",
        charset="iso-8859-15",
    ),
    "cyrillic": message(
        "Subject: =?koi8-r?B?8NLJ18XU?=",
        "Content-Type: text/plain; charset=koi8-r",
        "",
        "Привет, Мир",
        charset="koi8-r",
    ),
    "greek": message(
        "Subject: ΟΔΟΣ", "Content-Type: text/plain; charset=utf-8", "", "οδος ΟΔΟΣ οδός"
    ),
    "japanese": message(
        "Subject: =?iso-2022-jp?B?GyRCJDMbKEI=?=",
        "Content-Type: text/plain; charset=iso-2022-jp",
        "",
        "こんにちは",
        charset="iso-2022-jp",
    ),
    "wide": message(
        "Subject: wide",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "\uff26\uff55\uff4c\uff4c 5\xa0km",
    ),
    "base64": message(
        "Subject: encoded",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        b64encode("Der Schlüssel liegt im Kühlschrank.".encode()).decode(),
    ),
    "attached": message(
        "From: sender@example.org",
        "Subject: two files",
        "Date: Thu, 31 Dec 2020 22:00:00 -0500",
        'Content-Type: multipart/mixed; boundary="outer"',
        "",
        "This preamble nobody sees.",
        "--outer",
        "Content-Type: text/plain",
        "",
        "See the minutes.",
        "--outer",
        'Content-Type: text/plain; name="minutes.txt"',
        'Content-Disposition: attachment; filename="minutes.txt"',
        "",
        "Present: everybody.",
        "--outer",
        'Content-Type: application/octet-stream; name="secret.bin"',
        "Content-Disposition: attachment",
        "",
        "Unsearchable octets.",
        "--outer--",
        "And this epilogue neither.",
    ),
    "html": message(
        "Subject: markup",
        "Content-Type: text/html; charset=iso-8859-1",
        "",
        '<p class="lead">Best <b>off</b>ers, caf\xe9 bar</p><!-- remark -->',
        charset="iso-8859-1",
    ),
    "entities": message(
        "Subject: Outlook",
        "Content-Type: text/html",
        "",
        "<p>Gr&uuml;&szlig;e &amp; K&#252;sse</p>",
    ),
    "forwarded": message(
        "Subject: Fwd",
        'Content-Type: multipart/mixed; boundary="f"',
        "",
        "--f",
        "",
        "see below",
        "--f",
        "Content-Type: message/rfc822",
        "",
        "Subject: innermost",
        "From: inside@example.com",
        "",
        "nested words",
        "--f--",
    ),
    "bounced": message(
        "Subject: Undelivered",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"',
        "",
        "--r",
        "",
        "It could not be delivered.",
        "--r",
        "Content-Type: message/delivery-status",
        "",
        "Final-Recipient: rfc822; nobody@example.org",
        "--r--",
    ),
    "undated": message("From: undated@example.org", "Date: some day", "Subject: no date", "", "x"),
    "raw_header": message("Subject: Gr\xfcn", "", "x", charset="iso-8859-1"),
    "lone_lf": b"From: unix@example.org\nSubject: lines\n\n" + 100 * b"12345678\n",
    "comment": message("To: ann@example.net (on leave)", "Subject: escapes", "", "x"),
}
FLAGS: tuple[tuple[str, ...], ...] = (
    (),
    ("\\Seen",),
    ("\\Seen", "\\Answered"),
    ("\\Flagged", "$Junk"),
    ("\\Seen", "\\Deleted"),
    ("\\Draft",),
    ("\\Seen", "\\Flagged", "work"),
)


def deliveries(messages: list[bytes]) -> Iterator[Delivery]:
    """Give every message flags, and a date: every other one before 2020, the rest of late."""
    for number, raw in enumerate(messages):
        if number % 2:
            # Half a day beside the whole ages that are asked for.
            when = NOW - timedelta(days=number * 7 % 1500, hours=12)
        else:
            when = datetime(2001, 1, 1, 23, 30, tzinfo=UTC) + timedelta(days=number * 11 % 6900)
        yield raw, FLAGS[number % len(FLAGS)], when


@dataclass(frozen=True, slots=True)
class Both:
    """One folder on a server, and what the server hands out of it."""

    session: Session
    candidates: list[Searchable]
    names: dict[int, str]

    def asked(self, criteria: Criteria) -> set[str]:
        """Say what the server finds."""
        return {self.names[uid] for uid in self.session.search(criteria)["uid"]}

    def decided(self, criteria: Criteria) -> set[str]:
        """Say what matches here."""
        now = datetime.now(UTC)
        tree = to_tree(criteria, now)
        supported(tree)
        folder = Mailbox(max(self.names), len(self.names), now)
        return {self.names[one.uid] for one in self.candidates if matches(tree, one, folder)}


@pytest.fixture(scope="module")
def both(dovecot: Dovecot, corpora: Path) -> Iterator[Both]:
    user = dovecot.new_user()
    files = OWN | mailbox(corpora) | mime(corpora)
    dated = list(deliveries(list(files.values())))
    # A SELECT takes \Recent from what is there (RFC 3501 section 2.3.2); the rest comes later.
    dovecot.deliver(user, dated[:-100])
    with imaplib.IMAP4(dovecot.host, dovecot.port) as client:
        client.login(user, dovecot.password)
        client.select()
        dovecot.deliver(user, dated[-100:])
        client.select(readonly=True)
        _, replies = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    with mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        candidates = list(map(candidate, (reply for reply in replies if isinstance(reply, tuple))))
        assert len(candidates) == len(files)
        yield Both(session, candidates, dict(enumerate(files, 1)))


_ITEMS = re.compile(
    r"(?P<number>\d+) \(UID (?P<uid>\d+) FLAGS \((?P<flags>[^)]*)\) "
    r'INTERNALDATE "(?P<date>[^"]*)" RFC822\.SIZE (?P<size>\d+) '
)


def candidate(reply: tuple[bytes, bytes]) -> Searchable:
    found = _ITEMS.match(reply[0].decode())
    assert found is not None, reply[0]
    return Searchable(
        int(found["uid"]),
        int(found["number"]),
        lambda: reply[1],
        flags=frozenset(found["flags"].lower().split()),
        size=int(found["size"]),
        internal_date=datetime.strptime(found["date"].strip(), "%d-%b-%Y %H:%M:%S %z"),
    )


# -- the criteria

FLAGS_AND_NUMBERS: tuple[Criteria, ...] = (
    "SEEN", "UNSEEN", "ANSWERED", "UNANSWERED", "FLAGGED", "UNFLAGGED", "DELETED", "UNDELETED",
    "DRAFT", "UNDRAFT", "RECENT", "OLD", "NEW", "KEYWORD $Junk", "KEYWORD $junk", "UNKEYWORD work",
    "KEYWORD work SEEN", "1:100", "7,9,11:13", "900:*", "*", "5:2", "UID 10:20", "UID 940:*",
    "UID 100000:*", "UID *:900", "NOT 1:500", "UID 1,3,5,7:9 NOT UID 8",
    mf.Q(seen=False, flagged=True), mf.Q(keyword=["$Junk", "work"]), mf.Q(uid=[5, 7, "900:*"]),
    ~mf.Q(uid=range(10, 900)), mf.Q(draft=True) | mf.Q(deleted=True),
)  # fmt: skip
SIZES: tuple[Criteria, ...] = (
    "LARGER 10000", "SMALLER 500", "LARGER 1000 SMALLER 2000", "NOT LARGER 4000",
    mf.Q(larger="20 kB"), mf.Q(smaller="1KiB"), ~mf.Q(larger="2k") & ~mf.Q(smaller="1k"),
)  # fmt: skip
DATES: tuple[Criteria, ...] = (
    "SINCE 1-Jan-2010", "BEFORE 1-Jan-2005", "ON 1-Jan-2001", "SINCE 1-Jan-2005 BEFORE 1-Jan-2006",
    "NOT SINCE 1-Mar-2003", "SENTSINCE 1-Sep-2002", "SENTSINCE 1-Aug-2002 SENTBEFORE 1-Sep-2002",
    "SENTON 1-Sep-2020", "SENTON 2-Sep-2020", "SENTON 31-Dec-2020", "SENTON 22-Aug-2002",
    "SENTSINCE 1-Jan-2015", "YOUNGER 8640000", "OLDER 86400000", "OLDER 8640000 YOUNGER 86400000",
    mf.Q(since="30d"), mf.Q(since="6m"), mf.Q(before="1y"), mf.Q(since="8w", before="2w"),
    mf.Q(since=date(2012, 2, 29)), mf.Q(on="2001-01-01"), mf.Q(since=timedelta(days=100)),
    mf.Q(since=datetime(2009, 5, 1, 12, tzinfo=timezone(timedelta(hours=-7)))),
    mf.Q(sent_since=datetime(2002, 8, 22, 12, tzinfo=UTC), sent_before="2002-08-23"),
    mf.Q(sent_on="2002-08-22"), mf.Q(sent_since="2002-09-01T00:00+09:00"),
    ~mf.Q(sent_since=datetime(2002, 8, 1, tzinfo=UTC)),
)  # fmt: skip
HEADERS: tuple[Criteria, ...] = (
    "FROM alice", "FROM test@example.com", "FROM <test@example.com>", "FROM JOERG", 'FROM "Jon"',
    'FROM "doe, jon"', 'FROM ""', "NOT FROM .com", "TO undisclosed", 'TO "Ann Bee"', "TO ilug",
    "TO example.com", "CC example", "CC carl@example.net", 'CC ""', 'BCC ""', "BCC example",
    "SUBJECT re:", "SUBJECT ilug", 'SUBJECT "report of the team"', 'SUBJECT "[ILUG] "',
    'SUBJECT ""', 'NOT SUBJECT ""', "SUBJECT grüße", "SUBJECT GRÜSSE", "SUBJECT grü",
    "SUBJECT österreich", "SUBJECT привет", "SUBJECT оценка", "SUBJECT café", "SUBJECT cafe",
    "SUBJECT οδος", "SUBJECT テスト", "SUBJECT 한국말로", "SUBJECT fouché", "FROM müller",
    "FROM höhn", "TO andré", "FROM Владимир",
    'HEADER List-Id ""', "HEADER List-Id linux", 'HEADER X-Mailer "outlook express"',
    "HEADER Message-Id example", 'NOT HEADER Message-Id ""', 'HEADER X-Number "18"',
    'HEADER X-Number "17 18"', 'HEADER X-Empty ""', "HEADER X-Note naïve", 'HEADER In-Reply-To ""',
    "HEADER Received localhost", "HEADER Content-Type multipart", "HEADER Date +0200",
    'HEADER Mime-Version ""', "HEADER Subject test", "HEADER From .org", "HEADER References <",
    mf.Q(header={"List-Id": True, "X-Mailer": False}),
    mf.Q(header={"Precedence": ["bulk", "list"]}),
    mf.Q(from_=["alice", "barry"]), mf.Q(subject="test") & ~mf.Q(subject="testing"),
    mf.Q(to="example", cc="example"), mf.Q(from_="müller") | mf.Q(subject=["grüße", "café"]),
)  # fmt: skip
BODIES: tuple[Criteria, ...] = (
    "BODY linux", 'BODY "click here"', 'BODY "the list"', 'BODY "not found in any mail"',
    "BODY schöne", "BODY GRÜSSE", "BODY grüße", "BODY café", "BODY cafe", "BODY caf", "BODY €",
    "BODY für", "BODY über", "BODY mir", "BODY мир", "BODY οδος", "BODY こんにちは", "BODY zürich",
    "BODY full", 'BODY "5 km"', "BODY soviel", "BODY kühlschrank", "BODY S0dP", "BODY everybody",
    "BODY unsearchable", "BODY preamble", "BODY epilogue", "BODY minutes.txt", "BODY lead",
    "BODY remark", "BODY offers", 'BODY "Best <b>"', "BODY uuml", "BODY küsse", "BODY innermost",
    'BODY "nested words"', "BODY nobody@example.org", "BODY 이름은", "BODY ersäufen", "BODY naïve",
    'BODY "are   attached"', 'BODY "are attached"', 'BODY "attached. regards"', 'BODY "--"',
    "BODY href", "BODY base64", "BODY mailman", "BODY filename",
    "TEXT linux", "TEXT minutes.txt", "TEXT innermost", "TEXT inside@example.com",
    "TEXT österreich",
    'TEXT "Subject: re"', 'TEXT "X-Mailer: "', "TEXT quoted-printable", "TEXT boundary",
    "TEXT attachment", "TEXT report-type", 'TEXT "report of the team"', "TEXT müller", "TEXT grün",
    "TEXT =?iso", "TEXT received", "TEXT image/png", 'TEXT ""', 'BODY ""', "NOT TEXT example",
    mf.Q(body=["linux", "java"]), mf.Q(text="example") & ~mf.Q(body="example"),
    mf.Q(body="free", subject="free"), ~mf.Q(body="the"),
)  # fmt: skip
ATTACHMENTS: tuple[Criteria, ...] = (
    mf.Q(has_attachment=True), mf.Q(has_attachment=False), mf.Q(has_attachment=True, seen=True),
    mf.Q(has_attachment=True) | mf.Q(larger="20kB"),
    ~(mf.Q(has_attachment=True) & mf.Q(seen=False)),
    mf.Q(has_attachment=True, body="test"), mf.Q(has_attachment=False, since="1y", from_="example"),
)  # fmt: skip
COMBINED: tuple[Criteria, ...] = (
    "OR FROM alice SUBJECT test", "OR OR SEEN FLAGGED DRAFT", "NOT (SEEN FROM example)",
    "UNSEEN SINCE 1-Jan-2010 SUBJECT test", "OR (FLAGGED SUBJECT re) (SEEN BODY linux)",
    "NOT (OR SEEN (NOT FROM example))", "(OR FROM .org TO .org) NOT SUBJECT ilug LARGER 2000",
    "OR (OR BODY café BODY für) SUBJECT café", "NOT NOT SEEN",
    (mf.Q(from_="example") | mf.Q(to="example")) & ~mf.Q(has_attachment=True),
    ~(mf.Q(body="linux") | mf.Q(body="java")) & mf.Q(since="2y"),
    ~(~mf.Q(seen=True) & ~mf.Q(subject="test")),
    (mf.Q(seen=True) & mf.Q(body="grüße")) | (mf.Q(seen=False) & mf.Q(subject="re")),
    mf.Q(since="1y", from_="example", seen=False) | mf.Q(text="innermost", larger=10),
    ~mf.Q(since="1y") & mf.Q(sent_before="2002-09-01") & mf.Q(subject="re", header={"Cc": True}),
)  # fmt: skip
ALL_KINDS = (
    *FLAGS_AND_NUMBERS, *SIZES, *DATES, *HEADERS, *BODIES, *ATTACHMENTS, *COMBINED
)  # fmt: skip


# -- what is not the same

CASE = "full case folding makes ß and ss one; the server maps letter by letter (RFC 5051)"
SPLIT = "a character lies over two encoded words: the server decodes each by itself"
ENTITIES = "written Gr&uuml;&szlig;e, as Outlook does; the server does not read entities"
RAW = "a header in ISO-8859-1, without encoded words: the server reads UTF-8 alone"
BLANKS = "in TEXT every blank between words counts for the server (in SUBJECT they do not)"
UNDATED = "to the server, mail without a Date is sent before any day"

#: What was asked, of which messages the answers differ, and why.
ANSWERS: dict[str, dict[str, str]] = {
    "SUBJECT grüße": {
        "words": SPLIT,
    },
    "SUBJECT GRÜSSE": {
        "words": SPLIT,
    },
    "SUBJECT grü": {
        "raw_header": RAW,
    },
    "BODY GRÜSSE": {
        "entities": ENTITIES,
        "mime4j/core__src__test__resources__mimetools-testmsgs__german-qp.msg.eml": CASE,
        "nodemailer/test__fixtures__spam.eml": ENTITIES,
        "stalwart/eml__thirdparty__015.eml": CASE,
        "words": CASE,
    },
    "BODY grüße": {
        "entities": ENTITIES,
        "nodemailer/test__fixtures__spam.eml": ENTITIES,
    },
    "BODY für": {
        "nodemailer/test__fixtures__spam.eml": ENTITIES,
    },
    "BODY küsse": {
        "entities": ENTITIES,
    },
    'TEXT "report of the team"': {
        "plain": BLANKS,
    },
    "TEXT grün": {
        "raw_header": RAW,
    },
    "OR (OR BODY café BODY für) SUBJECT café": {
        "nodemailer/test__fixtures__spam.eml": ENTITIES,
    },
    "Q(seen=True) & Q(body='grüße') | Q(seen=False) & Q(subject='re')": {
        "entities": ENTITIES,
        "nodemailer/test__fixtures__spam.eml": ENTITIES,
    },
    "~Q(since='1y') & Q(sent_before='2002-09-01') & Q(subject='re', header={'Cc': True})": {
        "mime4j/core__src__test__resources__mimetools-testmsgs__intl.msg.eml": UNDATED,
    },
}

HEADER_END = (
    "a line that is no field, or none that is empty: the header ends elsewhere for the server"
)
STRUCTURE = (
    "a multipart whose boundary the server does not find (none, cut, too long, badly written)"
)
ENCODED_MESSAGE = "a message/rfc822 in base64 (RFC 2046 section 5.2.1 forbids it): the server stops"
ENCODING = "an encoding that nobody knows: the server does not look, we take the text as it stands"
CHARSET = "text in an undeclared charset, which the server does not guess"
DATE = "a Date that the server cannot read: to it, it is sent before any day"
YEAR = "a year written 0102, which is 2002 to us; the server takes it as it stands"
BEFORE_1970 = "to the server, what was sent before 1970 was sent after every day"
NO_ADDRESS = "an address field without an address, in which the server finds no words"

MIME4J = "mime4j/core__src__test__resources__testmsgs__"
MIMETOOLS = "mime4j/core__src__test__resources__mimetools-testmsgs__"

#: Messages that the server reads in another way, whatever is asked.
MESSAGES: dict[str, str] = {
    "sa-dev.mbox:427": YEAR,
    "sa-dev.mbox:442": YEAR,
    "sa-dev.mbox:445": YEAR,
    "ruby-mail/rfc2822__example04.eml": BEFORE_1970,
    "ruby-mail/rfc2822__example10.eml": BEFORE_1970,
    "enmime/mail__non-mime-missing-charset.raw.eml": CHARSET,
    "mime4j/dom__src__test__resources__mime4j-219-new-date-time-format.msg.eml": DATE,
    "stalwart/eml__malformed__019.eml": DATE,
    "imap_tools/attachment_2_base64.eml": ENCODED_MESSAGE,
    f"{MIMETOOLS}multi-2gifs-base64.msg.eml": ENCODED_MESSAGE,
    f"{MIME4J}bad-newlines-multiple-parts-base64.msg.eml": ENCODED_MESSAGE,
    "stalwart/eml__rfc__008.eml": ENCODED_MESSAGE,
    "ruby-mail/error_emails__content_transfer_encoding_7-bit.eml": ENCODING,
    "ruby-mail/error_emails__content_transfer_encoding_empty.eml": ENCODING,
    "ruby-mail/error_emails__content_transfer_encoding_plain.eml": ENCODING,
    "ruby-mail/error_emails__content_transfer_encoding_spam.eml": ENCODING,
    "ruby-mail/error_emails__content_transfer_encoding_text-html.eml": ENCODING,
    "ruby-mail/error_emails__content_transfer_encoding_with_8bits.eml": ENCODING,
    "cpython/msg_35.txt.eml": HEADER_END,
    f"{MIMETOOLS}hdr-fakeout.msg.eml": HEADER_END,
    f"{MIME4J}basic-plain-with-bad-header-separator.msg.eml": HEADER_END,
    f"{MIME4J}malformedHeader-nocrlfcrlf.msg.eml": HEADER_END,
    f"{MIME4J}malformedHeader-noheader.msg.eml": HEADER_END,
    "pymap/INBOX__message-1.txt.eml": HEADER_END,
    "pymap/INBOX__message-2.txt.eml": HEADER_END,
    "pymap/INBOX__message-3.txt.eml": HEADER_END,
    "pymap/INBOX__message-4.txt.eml": HEADER_END,
    "pymap/Sent__message-1.txt.eml": HEADER_END,
    "pymap/Sent__message-2.txt.eml": HEADER_END,
    "pymap/Trash__message-1.txt.eml": HEADER_END,
    "ruby-mail/rfc2822__example13.eml": HEADER_END,
    "ruby-mail/plain_emails__mix_caps_content_type.eml": NO_ADDRESS,
    "cpython/msg_25.txt.eml": STRUCTURE,
    "cpython/msg_33.txt.eml": STRUCTURE,
    "enmime/mail__multipart-wo-boundary.raw.eml": STRUCTURE,
    f"{MIMETOOLS}double-semicolon.msg.eml": STRUCTURE,
    f"{MIME4J}very-long-boundary.msg.eml": STRUCTURE,
    f"{MIME4J}very-very-long-boundary.msg.eml": STRUCTURE,
    "php-mime-mail-parser/issue126.eml": STRUCTURE,
    "stalwart/eml__malformed__016.eml": STRUCTURE,
    "stalwart/eml__malformed__017.eml": STRUCTURE,
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found both ways, by criteria."""

    asked: dict[str, set[str]]
    decided: dict[str, set[str]]
    total: int


@pytest.fixture(scope="module")
def answers(both: Both) -> Answers:
    return Answers(
        {str(one): both.asked(one) for one in ALL_KINDS},
        {str(one): both.decided(one) for one in ALL_KINDS},
        len(both.names),
    )


def test_the_same_mail_is_found_but_for_the_exceptions(answers: Answers) -> None:
    unlisted: dict[str, set[str]] = {}
    seen: set[str] = set()
    for criteria, asked in answers.asked.items():
        different = asked ^ answers.decided[criteria]
        expected = ANSWERS.get(criteria, {}).keys()
        seen |= different & MESSAGES.keys()
        if wrong := (different - MESSAGES.keys()) ^ expected:
            unlisted[criteria] = wrong
    assert unlisted == {}
    assert seen == MESSAGES.keys()


def test_the_criteria_tell_messages_apart(answers: Answers) -> None:
    # 210 of 223: what finds nothing or everything would be found by a matcher that does nothing.
    telling = [one for one, found in answers.decided.items() if 0 < len(found) < answers.total]
    assert len(answers.asked) == len(ALL_KINDS) >= 200
    assert len(telling) >= 200


def test_every_exception_is_about_criteria_that_are_asked() -> None:
    assert ANSWERS.keys() <= set(map(str, ALL_KINDS))


# -- how little is read


def test_a_message_is_read_no_further_than_it_is_asked() -> None:
    read: list[str] = []

    def header() -> bytes:
        read.append("header")
        return b"From: ann@example.org\nSubject: Hi\n\nbegin"

    def whole() -> bytes:
        read.append("whole")
        return b"From: ann@example.org\nSubject: Hi\n\nbeginning"

    message = Searchable(
        1, 1, whole, flags=frozenset(), size=40, internal_date=NOW, read_header=header
    )
    assert message.size == 40
    assert read == []
    assert (message.field("subject"), message.field("from")) == (["Hi"], ["ann@example.org"])
    assert message.header_text() == "From: ann@example.org\nSubject: Hi\n"
    assert read == ["header"]
    assert message.body_text() == "beginning"
    assert not message.has_attachment
    assert read == ["header", "whole"]


def test_a_size_is_worked_out_when_it_is_asked_for() -> None:
    sizes = iter([7])
    message = Searchable(
        1, 1, lambda: b"", flags=frozenset(), size=lambda: next(sizes), internal_date=None
    )
    assert (message.size, message.size) == (7, 7)


NESTED = message(
    "Subject: outer\u0000",
    "From : Jos\xe9 <jose@example.org>",
    "FROM: second@example.org",
    "Fromage: brie",
    'Content-Type: multipart/mixed; boundary="b"; charset=iso-8859-1',
    "",
    "--bee",
    "X-Fake: no part",
    "--b  ",
    "Content-Type: message/rfc822",
    "Content-Transfer-Encoding: base64",
    "",
    b64encode(OWN["attached"]).decode(),
    "--b",
    "X-Last: one",
    "",
    "",
    "--b--",
    charset="iso-8859-1",
)


def whole(raw: bytes) -> Searchable:
    return Searchable(1, 1, lambda: raw, flags=frozenset(), size=0, internal_date=None)


def test_fields_are_found_by_their_whole_name() -> None:
    mail = whole(NESTED)
    assert mail.field("from") == ["José <jose@example.org>", "second@example.org"]
    assert mail.addresses("from") == ["José <jose@example.org>"]
    assert mail.field("fromage") == ["brie"]
    assert mail.field("roma") == []
    assert mail.header_text().startswith("Subject: outer\ufffd\nFrom : José <jose@example.org>\n")


def test_a_line_that_is_no_field_is_part_of_the_header_for_text() -> None:
    assert "\nno field\n" in whole(b"Subject: x\nCc: z\nno field\nTo: y\n\n").header_text()


def test_a_raw_header_is_read_in_the_charset_of_its_message() -> None:
    raw = message("Subject: Привет", "Content-Type: text/plain; charset=koi8-r", charset="koi8-r")
    assert whole(raw).field("subject") == ["Привет"]
    assert "Subject: Привет" in whole(raw).header_text()


def test_empty_lines_above_a_header_are_passed_over() -> None:
    assert whole(b"\r\nTo: x\r\n\r\n").field("to") == ["x"]
    assert whole(b"\r\nTo you all\r\n\r\n").field("to") == []


def test_html_is_searched_as_it_stands_and_as_it_reads() -> None:
    text = whole(OWN["entities"]).body_text()
    assert "Gr&uuml;&szlig;e" in text
    assert "Grüße & Küsse" in text


def test_messages_within_messages_are_searched() -> None:
    mail = whole(NESTED)
    assert "Present: everybody." in mail.body_text()
    assert "Unsearchable" not in mail.body_text()
    assert mail.has_attachment
    assert not whole(OWN["html"]).has_attachment
    headers = mail.part_headers()
    assert 'filename="minutes.txt"' in headers
    assert "Subject: two files" in headers
    assert "Content-Transfer-Encoding: base64" in headers
    assert "X-Last: one" in headers
    assert "X-Fake" not in headers
    assert "Subject: outer" not in headers


def test_a_message_within_a_message_without_end_is_given_up() -> None:
    raw = b"the innermost"
    for _ in range(50):
        raw = b"Content-Type: message/rfc822\r\n\r\n" + raw
    mail = whole(raw)
    assert mail.body_text() == ""
    assert mail.part_headers().count("message/rfc822") < 10


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\r\n\r\nx", b"x", b":", b"From:", b"A: \0", b"\xff\0"]
)
def test_no_bytes_raise(raw: bytes) -> None:
    mail = whole(raw)
    texts = [*mail.field("from"), mail.header_text(), mail.part_headers(), mail.body_text()]
    "".join(texts).encode()
    assert not any("\0" in text for text in texts)
    assert (mail.sent_date, mail.has_attachment, mail.addresses("to")) == (None, False, [])
