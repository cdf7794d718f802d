"""What a plan shows is what the call then sends, octet by octet, and a plan sends nothing."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Self

import imap_tools
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import schema, selection
from mailframe.conversation import EXPLAINED
from mailframe.exceptions import MailframeError, NotSupportedError, QueryError
from mailframe.imap.source import ImapSource
from tests.imap.replies import MIXED, MIXED_HEADER, message
from tests.rigs import messages
from tests.rigs.scripted import LITERAL, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from mailframe.explanation import Explanation
    from mailframe.imap.connection import Connection
    from tests.rigs.dovecot import Delivery, Dovecot
    from tests.rigs.scripted import Connection as Client
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Talk = Callable[..., mf.Session]
    Tap = Callable[[mf.Session], "Wiretap"]

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MANY = [f"sender-{number}@example.org" for number in range(600)]
#: Every kind of criteria but frames. Each finds something in the mailbox of `owner`.
CRITERIA: dict[str, Any] = {
    "all": "ALL",
    "string": "UNSEEN NOT SUBJECT nowhere SINCE 1-Jan-2026",
    "string in groups": 'OR (SEEN TO "bob") (NOT (FLAGGED DRAFT))',
    "ascii": mf.Q(from_="alice", seen=False),
    "quotes": ~mf.Q(subject='say "hi" \\ <b>&amp;'),
    "umlauts": mf.Q(text=["grüße", "report", "日本"]),
    "umlauts and more": mf.Q(subject="grüße") | mf.Q(from_="alice", larger=1),
    "long text": ~mf.Q(subject="x" * 1200),
    "attachment": mf.Q(has_attachment=True),
    "no attachment": mf.Q(has_attachment=False, seen=False),
    "attachment or flag": mf.Q(has_attachment=True) | mf.Q(seen=True, flagged=False),
    "day": mf.Q(since="2026-02-03"),
    "moment": mf.Q(since=NOON + 4 * DAY),
    "moments": mf.Q(since=NOON + DAY, before=NOON + 9 * DAY, seen=False),
    "age": mf.Q(since="5w"),
    "sent": mf.Q(sent_since=datetime(2026, 1, 5, 8, tzinfo=UTC)),
    "mixed": (mf.Q(since=NOON) | mf.Q(flagged=True)) & ~mf.Q(has_attachment=True, seen=True),
    "nested": ~(mf.Q(seen=True) & (mf.Q(subject="x") | ~mf.Q(to="bob"))) | mf.Q(deleted=True),
    "list": mf.Q(from_=["alice", "bob", "carol"]),
    "long list": mf.Q(from_=[*MANY, "alice"]),
    "uids": mf.Q(uid=[1, "2:4", 6]),
    "header": mf.Q(header={"Message-ID": True, "X-None": False}),
    "imap-tools": imap_tools.AND(from_="alice", seen=False),
    "nothing": ~mf.Q() & mf.Q(seen=True),
}
WITHOUT_EXTENSIONS = "IMAP4rev1"
EXTENDED = "IMAP4rev1 ESEARCH LITERAL+ LIST-EXTENDED LIST-STATUS SPECIAL-USE NAMESPACE ID"
GMAIL = "IMAP4rev1 ESEARCH X-GM-EXT-1 SPECIAL-USE NAMESPACE"
LIMITED = "IMAP4rev1 ESEARCH LITERAL+ MESSAGELIMIT=2"
SERVERS = {"rev1": WITHOUT_EXTENSIONS, "extended": EXTENDED, "gmail": GMAIL, "limited": LIMITED}
LISTED = (
    b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\Sent) "/" "Gesendete &- andere"\r\n'
    b'* LIST () "/" "B&APw-ro"\r\n<tag> OK done\r\n'
)
ROLES = {"LIST": LISTED}
SOME = {uid: message(uid) for uid in (1, 2, 5, 8, 9)}


class Noon(datetime):
    """Noon, whenever one asks: else an age might mean two days within one test."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 2, 20, 12, tzinfo=tz)


@pytest.fixture(autouse=True)
def it_is_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "datetime", Noon)


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with mail in INBOX, Archive, Büro/Ablage and Sent; Empty has none."""
    user = dovecot.new_user()
    inbox = [*messages.many(9), messages.plain(10, subject="Grüße".encode())]
    flags: list[list[str]] = [["\\Seen"] if number % 4 == 3 else [] for number in range(10)]
    dates = [NOON + number * DAY for number in range(10)]
    dovecot.deliver(user, zip(inbox, flags, dates, strict=True))
    for start, folder in enumerate(("Archive", "Büro/Ablage", "Sent"), start=1):
        late: list[Delivery] = [
            (one, [], NOON + (number + 3 * start) * DAY) for number, one in enumerate(inbox)
        ]
        dovecot.deliver(user, late, folder)
    dovecot.deliver(user, [], "Empty")
    return user


@pytest.fixture
def session(dovecot: Dovecot, owner: str) -> Iterator[mf.Session]:
    with mf.connect(
        dovecot.host, owner, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        yield session


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Return a function that logs in to a scripted server."""
    sessions = []

    def start(server: ScriptedServer) -> mf.Session:
        session = mf.connect(
            server.host,
            "me@example.com",
            password="secret",
            port=server.port,
            security="none",
            timeout=5,
        )
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.close()


class Wiretap:
    """What a session has sent since it was tapped."""

    def __init__(self, session: mf.Session, monkeypatch: pytest.MonkeyPatch) -> None:
        wire = connection_of(session).wire
        send = wire.send
        self.octets = b""

        def keep(data: bytes) -> None:
            self.octets += data
            send(data)

        monkeypatch.setattr(wire, "send", keep)

    def commands(self) -> list[bytes]:
        """Give the commands with their literals, without tags and line ends."""
        found, command = [], b""
        lines = self.octets.split(b"\r\n")
        rest = self.octets
        assert lines[-1] == b"", "a command was left unfinished"
        while rest:
            line, _, rest = rest.partition(b"\r\n")
            command += line + b"\r\n"
            if match := LITERAL.search(command):
                size = int(match[1])
                command, rest = command + rest[:size], rest[size:]
                continue
            found.append(command.removesuffix(b"\r\n").partition(b" ")[2])
            command = b""
        return found


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Tap:
    return lambda session: Wiretap(session, monkeypatch)


def connection_of(session: mf.Session) -> Connection:
    assert isinstance(session._source, ImapSource)
    return session._source._pool.first


#: What stands in a plan for what only the server's answers can tell.
PLACEHOLDERS = {
    b"<uids>": rb"[0-9:,]+",
    b"<uids-in-doubt>": rb"[0-9:,]+",
    b"<part>": rb"[^\0]+",
    b"<folder>": rb"[^\0]+",
}
READ_WHOLE = rb"(?:UID FETCH [0-9:,]+ \(UID BODY\.PEEK\[\]\)\0)*"


def expected(plan: Explanation, charset: str) -> re.Pattern[bytes]:
    """Read a plan as a regular expression for what is sent, with a NUL behind each command.

    There are three kinds of steps. A command without a placeholder is sent once, as it is. FETCH
    of UIDs that are not known yet is sent in as many chunks as it takes, in none if there are no
    such messages. So is the one of messages that are read whole, where a step here announces it.
    """
    steps = []
    for step in plan.steps:
        if step.side == "here":
            steps += [READ_WHOLE] if "UID FETCH <uid> (UID BODY.PEEK[])" in step.meaning else []
            continue
        command = re.escape(step.command.encode(charset))
        for placeholder, anything in PLACEHOLDERS.items():
            command = command.replace(re.escape(placeholder), anything)
        is_fetch = step.command.startswith(("UID FETCH <uids>", "UID FETCH <uids-in-doubt>"))
        steps.append(rb"(?:%b\0)%b" % (command, b"*" if is_fetch else b""))
    return re.compile(b"".join(steps))


def assert_is_sent(
    session: mf.Session, tap: Tap, criteria: Any, what: str, **where: Any
) -> Explanation:
    """Call what was explained, and compare."""
    plan = session.explain(criteria, what, **where)
    tapped = tap(session)
    getattr(session, what)(criteria, **where)
    sent = tapped.commands()
    stream = b"".join(command + b"\0" for command in sent)
    shown = "\n".join(repr(step.command) for step in plan.steps if step.command)
    charset = connection_of(session).search_charset
    assert expected(plan, charset).fullmatch(stream), f"planned:\n{shown}\nsent:\n" + "\n".join(
        map(repr, sent)
    )
    return plan


def commands(plan: Explanation) -> list[str]:
    return [step.command for step in plan.steps if step.side == "server"]


def here(plan: Explanation) -> str:
    return "\n".join(step.meaning for step in plan.steps if step.side == "here")


# -- the plan is what is sent


@pytest.mark.parametrize("name", CRITERIA)
def test_dovecot_is_sent_what_the_plan_shows(session: mf.Session, tap: Tap, name: str) -> None:
    for what in EXPLAINED:
        assert_is_sent(session, tap, CRITERIA[name], what)


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("offered", SERVERS)
def test_any_server_is_sent_what_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, offered: str, name: str
) -> None:
    session = talk(scripted(ROLES, capabilities=SERVERS[offered], messages=SOME))
    for what in EXPLAINED:
        assert_is_sent(session, tap, CRITERIA[name], what)


@pytest.mark.parametrize(
    "folder",
    [
        "Büro/Ablage",
        ["INBOX", "Archive"],
        ["Archive", "Büro/Ablage", "Sent"],
        "B*e",
        "\\Sent",
        "\\sENT",
        "\\Inbox",
        ["\\Sent", "Archive", "B*e"],
        ["INBOX", "Archive", "INBOX"],
        "inbox",
        ["inbox", "INBOX"],
    ],
    ids=str,
)
def test_folders_are_opened_as_the_plan_shows(session: mf.Session, tap: Tap, folder: Any) -> None:
    for what in EXPLAINED:
        assert_is_sent(session, tap, mf.Q(from_="alice"), what, folder=folder)


@pytest.mark.parametrize("offered", SERVERS)
@pytest.mark.parametrize("folder", ["\\Sent", "B*", "Büro", ["INBOX", "Büro"]], ids=str)
def test_any_server_is_asked_for_its_folders_as_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, offered: str, folder: Any
) -> None:
    server = scripted(ROLES, capabilities=SERVERS[offered], messages=SOME)
    assert_is_sent(talk(server), tap, "SEEN", "headers", folder=folder)


def without_answers(command: bytes) -> str:
    """Put the placeholders back."""
    command = re.sub(rb"^EXAMINE .+", b"EXAMINE <folder>", command, flags=re.DOTALL)
    return re.sub(rb"^UID FETCH [0-9:,]+", b"UID FETCH <uids>", command).decode()


@pytest.mark.parametrize("limit", [None, 4])
def test_of_a_pattern_each_step_is_sent_for_each_of_its_folders(
    session: mf.Session, tap: Tap, limit: int | None
) -> None:
    plan = session.explain("UNSEEN", "recipients", folder="*", limit=limit)
    tapped = tap(session)
    session.recipients("UNSEEN", folder="*", limit=limit)
    sent = tapped.commands()
    assert sum(command.startswith(b"EXAMINE") for command in sent) > 4
    assert list(dict.fromkeys(map(without_answers, sent))) == list(dict.fromkeys(commands(plan)))


@pytest.mark.parametrize("what", sorted(set(EXPLAINED) - {"count"}))
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_is_kept_as_the_plan_shows(
    session: mf.Session, tap: Tap, what: str, limit: int
) -> None:
    plan = assert_is_sent(session, tap, "ALL", what, limit=limit)
    assert f"the {limit} with the highest UIDs are kept" in here(plan)


@pytest.mark.parametrize("what", sorted(set(EXPLAINED) - {"count"}))
def test_a_limit_over_several_folders_is_kept_as_the_plan_shows(
    session: mf.Session, tap: Tap, what: str
) -> None:
    # Each has some of the 12 that came last.
    folders = ["Archive", "Büro/Ablage", "Sent"]
    plan = assert_is_sent(session, tap, "ALL", what, folder=folders, limit=12)
    assert "the 12 that were received last are kept" in here(plan)


def test_a_folder_that_is_open_already_is_opened_for_the_search_all_the_same(
    session: mf.Session, tap: Tap
) -> None:
    session.count(folder="Archive")
    for folder in ("Archive", "INBOX", ["INBOX", "Archive"]):
        assert_is_sent(session, tap, "ALL", "headers", folder=folder)


def test_gmails_own_search_and_items_are_in_the_plan(
    scripted: Scripted, talk: Talk, tap: Tap
) -> None:
    session = talk(scripted(capabilities=GMAIL, messages=SOME))
    plan = assert_is_sent(session, tap, mf.Q(gmail="has:attachment grüße"), "headers")
    [_, search, fetch] = commands(plan)
    assert "X-GM-RAW {" in search
    assert "X-GM-THRID X-GM-LABELS" in fetch
    assert "X-GM" not in commands(session.explain("ALL", "recipients"))[-1]


def test_without_extensions_a_literal_waits_and_numbers_come_one_by_one(
    scripted: Scripted, talk: Talk
) -> None:
    def asked(offered: str) -> str:
        session = talk(scripted(capabilities=offered, messages=SOME))
        return commands(session.explain(mf.Q(from_="müller"), "search"))[-1]

    assert asked(WITHOUT_EXTENSIONS) == "UID SEARCH CHARSET UTF-8 FROM {7}\r\nmüller"
    assert asked(EXTENDED) == "UID SEARCH RETURN (ALL) CHARSET UTF-8 FROM {7+}\r\nmüller"


def test_a_long_list_is_asked_for_in_several_commands(session: mf.Session) -> None:
    searches = commands(session.explain(CRITERIA["long list"], "search"))[1:]
    assert len(searches) > 2
    assert all(len(command) < 8_000 for command in searches)
    together = "".join(searches)
    assert all(f'"{sender}"' in together for sender in MANY)


def test_an_exact_time_is_searched_by_days_and_decided_here(session: mf.Session) -> None:
    plan = session.explain(mf.Q(since=NOON), "search")
    assert commands(plan) == [
        'EXAMINE "INBOX"',
        "UID SEARCH RETURN (ALL) SINCE 31-Jan-2026",
        "UID SEARCH RETURN (ALL) SINCE 3-Feb-2026",
        "UID FETCH <uids-in-doubt> (UID FLAGS INTERNALDATE RFC822.SIZE)",
    ]
    assert "the exact time of arrival, by INTERNALDATE" in here(plan)


def test_what_cannot_match_is_not_asked(session: mf.Session) -> None:
    plan = session.explain(CRITERIA["nothing"], "headers")
    assert not any("SEARCH" in command for command in commands(plan))
    assert "nothing is asked" in here(plan)


@pytest.fixture
def suspicious(scripted: Scripted) -> ScriptedServer:
    """Start a server that calls a message plain text whose own header says otherwise."""
    raw = MIXED_HEADER % 2 + b"--b\r\n\r\nHello.\r\n--b--\r\n"
    return scripted(
        messages={
            1: message(1, header=MIXED_HEADER, structure=MIXED),
            2: message(2, header=MIXED_HEADER, parts={b"": literal(raw)}),
        }
    )


@pytest.mark.parametrize("what", ["headers", "attachments", "bodies", "hops", "recipients"])
def test_what_is_read_whole_is_announced(
    suspicious: ScriptedServer, talk: Talk, tap: Tap, what: str
) -> None:
    session = talk(suspicious)
    plan = assert_is_sent(session, tap, "ALL", what)
    is_read = any(b"BODY.PEEK[])" in args for args in suspicious.commands("UID FETCH"))
    assert ("read whole" in here(plan)) == is_read == (what in {"headers", "attachments", "bodies"})


@pytest.mark.parametrize("what", ["search", "headers"])
def test_what_a_search_for_attachments_reads_whole_is_announced(
    suspicious: ScriptedServer, talk: Talk, tap: Tap, what: str
) -> None:
    assert_is_sent(talk(suspicious), tap, mf.Q(has_attachment=True), what)


# -- a frame as criteria


@pytest.mark.parametrize("what", EXPLAINED)
def test_the_rows_of_a_frame_are_asked_for_by_exact_ranges(
    session: mf.Session, tap: Tap, what: str
) -> None:
    rows = session.search(folder=["INBOX", "Archive"])
    plan = assert_is_sent(session, tap, rows[rows["uid"].isin([2, 3, 4, 7])], what)
    ranges = {"search": 0, "count": 0}.get(what, 2)
    assert sum(command.startswith("UID FETCH 2:4,7 (") for command in commands(plan)) == ranges
    assert "UIDVALIDITY" in here(plan)


def test_the_rows_of_a_frame_are_asked_for_in_their_order(session: mf.Session, tap: Tap) -> None:
    rows = session.headers(folder=["Archive", "INBOX", "Sent"])
    plan = assert_is_sent(session, tap, rows.sort_values(["subject", "folder"]), "headers")
    assert plan.call.startswith("session.headers(df, ")
    assert "put into the order of the frame" in here(plan)


def test_of_a_frame_a_limit_takes_the_first_rows(session: mf.Session, tap: Tap) -> None:
    rows = session.search(folder=["Archive", "INBOX"])
    plan = assert_is_sent(session, tap, rows, "headers", limit=4)
    assert commands(plan)[-1].startswith("UID FETCH 7:10 (")


@pytest.mark.parametrize("what", ["headers", "bodies", "hops", "count"])
def test_a_column_of_uids_is_asked_for_by_exact_ranges(
    session: mf.Session, tap: Tap, what: str
) -> None:
    uids = session.search(folder="Archive")["uid"].tail(3)
    assert_is_sent(session, tap, uids, what, folder="Archive")
    assert_is_sent(session, tap, pd.Index(uids), what, folder=["Archive"])


def test_of_a_column_a_limit_takes_the_first_uids(session: mf.Session, tap: Tap) -> None:
    uids = session.search(folder="Archive")["uid"]
    plan = assert_is_sent(session, tap, uids, "headers", folder="Archive", limit=2)
    assert commands(plan)[-1].startswith("UID FETCH 9:10 (")


@pytest.mark.parametrize("what", EXPLAINED)
@pytest.mark.parametrize("offered", SERVERS)
def test_any_server_is_asked_for_rows_as_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, offered: str, what: str
) -> None:
    session = talk(scripted(capabilities=SERVERS[offered], messages=SOME))
    assert_is_sent(session, tap, session.search(), what)


def test_a_message_limit_cuts_the_rows_of_a_frame(scripted: Scripted, talk: Talk) -> None:
    session = talk(scripted(capabilities=LIMITED, messages=SOME))
    plan = session.explain(session.search(), "recipients")
    ranges = [command.split()[2] for command in commands(plan) if "FETCH" in command]
    assert ranges == ["8:9", "2,5", "1"]


@pytest.mark.parametrize("what", ["headers", "hops", "attachments"])
def test_thousands_of_rows_are_cut_as_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, what: str
) -> None:
    short = message(1)
    session = talk(scripted(messages=dict.fromkeys(range(1, 2_601), short)))
    assert_is_sent(session, tap, session.search(), what)


@pytest.mark.parametrize("what", EXPLAINED)
def test_no_rows_are_no_commands(session: mf.Session, tap: Tap, what: str) -> None:
    rows = session.search(folder=["INBOX", "Archive"])
    for nothing in (rows.head(0), session.search(folder="Empty")):
        plan = assert_is_sent(session, tap, nothing, what)
        assert commands(plan) == []
        assert "df" in plan.call


def test_a_limit_of_none_of_the_rows_is_no_commands(session: mf.Session, tap: Tap) -> None:
    plan = assert_is_sent(session, tap, session.search(), "headers", limit=0)
    assert commands(plan) == []


# -- dialects


def without_charset(_: bytes, args: bytes, __: Client) -> bytes:
    """Take ASCII alone, as Exchange does."""
    if b"CHARSET" in args:
        return b"<tag> NO [BADCHARSET (US-ASCII)] The specified charset is not supported.\r\n"
    return b"* SEARCH 1 2 5 8 9\r\n<tag> OK done\r\n"


def without_groups(_: bytes, args: bytes, __: Client) -> bytes:
    """Take no OR and no parentheses, as Exchange does."""
    if b"(" in args:
        return b"<tag> BAD Command Argument Error. 11\r\n"
    return b"* SEARCH 1 2 5 8 9\r\n<tag> OK done\r\n"


def latin(_: bytes, args: bytes, __: Client) -> bytes:
    """Take ISO 8859-1 alone."""
    if b"CHARSET UTF-8" in args:
        return b"<tag> NO [BADCHARSET (ISO-8859-1)] no UTF-8\r\n"
    return b"* SEARCH 1 2 5 8 9\r\n<tag> OK done\r\n"


@pytest.mark.parametrize(
    "criteria",
    [
        mf.Q(subject="Grüße aus Berlin"),
        mf.Q(subject="grüße", seen=True),
        mf.Q(from_="müller") & mf.Q(subject="grüße"),
        mf.Q(from_="müller") | mf.Q(subject="gruß"),
        ~mf.Q(from_="müller"),
        mf.Q(header={"X-Note": "grüße"}),
        mf.Q(subject="grüße", has_attachment=True),
        mf.Q(subject="grüße", since=NOON - 40 * DAY),
        mf.Q(body="öl"),
        mf.Q(text="Öl"),
        mf.Q(text="Öl") | mf.Q(subject="grüße"),
    ],
    ids=str,
)
@pytest.mark.parametrize("what", ["search", "headers", "bodies"])
def test_a_server_known_to_take_ascii_alone_is_sent_what_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, criteria: mf.Q, what: str
) -> None:
    server = scripted(
        {"UID SEARCH": without_charset}, capabilities=WITHOUT_EXTENSIONS, messages=SOME
    )
    session = talk(server)
    session.count(mf.Q(subject="grüße"))
    plan = assert_is_sent(session, tap, criteria, what)
    assert "CHARSET" not in "".join(commands(plan))
    assert "holds the words" in here(plan)


def test_before_the_refusal_the_plan_shows_what_is_tried(scripted: Scripted, talk: Talk) -> None:
    server = scripted(
        {"UID SEARCH": without_charset}, capabilities=WITHOUT_EXTENSIONS, messages=SOME
    )
    session = talk(server)
    before = session.explain(mf.Q(subject="Grüße aus Berlin"), "search")
    session.count(mf.Q(subject="grüße"))
    after = session.explain(mf.Q(subject="Grüße aus Berlin"), "search")
    assert "CHARSET UTF-8" in commands(before)[1]
    assert commands(after)[1] == 'UID SEARCH SUBJECT "Berlin"'
    assert "whether subject holds the words" in here(after)


@pytest.mark.parametrize(
    "name",
    ["list", "nested", "string in groups", "mixed", "attachment or flag", "ascii", "moments"],
)
@pytest.mark.parametrize("what", ["search", "headers"])
def test_a_server_known_to_take_no_groups_is_sent_what_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap, name: str, what: str
) -> None:
    server = scripted(
        {"UID SEARCH": without_groups}, capabilities=WITHOUT_EXTENSIONS, messages=SOME
    )
    session = talk(server)
    session.count(mf.Q(from_=["a", "b"]))
    plan = assert_is_sent(session, tap, CRITERIA[name], what)
    assert not [c for c in commands(plan) if "SEARCH" in c and ("(" in c or "OR " in c)]


def test_a_server_known_to_take_another_charset_is_sent_what_the_plan_shows(
    scripted: Scripted, talk: Talk, tap: Tap
) -> None:
    server = scripted({"UID SEARCH": latin}, capabilities=WITHOUT_EXTENSIONS, messages=SOME)
    session = talk(server)
    session.count(mf.Q(subject="grüße"))
    assert_is_sent(session, tap, mf.Q(subject="grüße"), "search")


# -- nothing is sent


def assert_silent(session: mf.Session, server: ScriptedServer, *args: Any, **where: Any) -> None:
    wire = connection_of(session).wire
    before = (wire.sent, wire.commands, list(server.received))
    session.explain(*args, **where)
    assert (wire.sent, wire.commands, server.received) == before


@pytest.mark.parametrize("name", CRITERIA)
def test_explaining_sends_nothing(scripted: Scripted, talk: Talk, name: str) -> None:
    server = scripted(ROLES, capabilities=EXTENDED, messages=SOME)
    session = talk(server)
    for what in EXPLAINED:
        assert_silent(session, server, CRITERIA[name], what)


@pytest.mark.parametrize(
    "folder",
    ["Nowhere", "*", "\\Sent", "\\Nowhere", ["INBOX", "Büro"], ["*", "\\Sent", "x?"]],
    ids=str,
)
def test_explaining_folders_sends_nothing(scripted: Scripted, talk: Talk, folder: Any) -> None:
    server = scripted(ROLES, capabilities=EXTENDED, messages=SOME)
    for limit in (None, 3):
        assert_silent(talk(server), server, "ALL", "headers", folder=folder, limit=limit)


def test_explaining_rows_sends_nothing(scripted: Scripted, talk: Talk) -> None:
    server = scripted(capabilities=EXTENDED, messages=SOME)
    session = talk(server)
    rows = session.search()
    for criteria in (rows, rows.head(0), rows["uid"], rows.assign(uidvalidity=99)):
        for what in EXPLAINED:
            assert_silent(session, server, criteria, what)


def test_explaining_leaves_the_connection_as_it_was(session: mf.Session) -> None:
    session.count(folder="Archive")
    before = (connection_of(session).selected, set(connection_of(session).quirks))
    session.explain(mf.Q(from_="müller"), folder=["INBOX", "*"])
    assert (connection_of(session).selected, connection_of(session).quirks) == before


@pytest.mark.parametrize("folder", ["INBOX", "*", "\\Sent"])
def test_a_closed_session_explains_all_the_same(session: mf.Session, folder: str) -> None:
    criteria = mf.Q(from_="müller", has_attachment=True)
    before = session.explain(criteria, folder=folder, limit=3)
    session.close()
    assert session.explain(criteria, folder=folder, limit=3) == before


# -- what it looks like


@pytest.fixture(params=["criteria", "folders", "rows", "nothing"])
def plans(request: pytest.FixtureRequest, session: mf.Session) -> list[Explanation]:
    rows = session.search(folder=["INBOX", "Archive"])
    match request.param:
        case "criteria":
            return [
                session.explain(c, what) for c in CRITERIA.values() for what in ("bodies", "hops")
            ]
        case "folders":
            folders: list[Any] = ["*", "\\Sent", ["Büro/Ablage", "INBOX"]]
            return [session.explain(folder=f, limit=n) for f in folders for n in (None, 0, 3)]
        case "rows":
            return [session.explain(rows, what) for what in EXPLAINED]
        case _:
            return [session.explain(rows.head(0), what) for what in EXPLAINED]


def test_every_command_has_its_section_and_its_meaning(plans: list[Explanation]) -> None:
    for step in (step for plan in plans for step in plan.steps):
        assert step.meaning
        assert "not known here" not in step.meaning
        if step.side == "server":
            assert re.match(r"RFC \d{4}", step.rfc)
            assert step.command
        else:
            assert (step.side, step.command, step.rfc, step.words) == ("here", "", "", ())


@pytest.mark.parametrize("offered", SERVERS)
def test_every_word_has_its_section_and_its_meaning(
    scripted: Scripted, talk: Talk, offered: str
) -> None:
    session = talk(scripted(capabilities=SERVERS[offered]))
    gmail = [mf.Q(gmail="is:starred")] if offered == "gmail" else []
    for criteria in (*CRITERIA.values(), *gmail):
        for what in EXPLAINED:
            for step in session.explain(criteria, what, folder="\\Sent").steps:
                for name, rfc, meaning in step.words:
                    assert name
                    assert rfc
                    assert meaning
                    assert meaning != "not known here"


def test_the_words_are_those_of_the_command(session: mf.Session) -> None:
    def names(step: int, *args: Any, **where: Any) -> list[str]:
        plan = session.explain(*args, **where)
        steps = [one for one in plan.steps if one.side == "server"]
        return [name for name, _, _ in steps[step].words]

    criteria = mf.Q(from_="BODY müller", seen=False) | mf.Q(larger=9)
    assert names(1, criteria, "search") == [
        "RETURN", "CHARSET", "OR", "FROM", "UNSEEN", "LARGER",
    ]  # fmt: skip
    assert names(2) == [
        "UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK", "BODY[HEADER.FIELDS]",
        "BODYSTRUCTURE",
    ]  # fmt: skip
    assert names(3, "ALL", "bodies") == ["UID", "BODY.PEEK", "BODY[N]"]
    assert names(0, folder="\\Sent") == ["RETURN", "SPECIAL-USE"]


def test_the_frame_conforms(plans: list[Explanation], tmp_path: Path) -> None:
    for plan in plans:
        frame = plan.frame
        assert_frame_equal(schema.conform(frame, "explanation"), frame)
        assert list(frame.columns) == [column.name for column in schema.EXPLANATION]
        assert type(frame.index) is pd.RangeIndex
        assert frame.dtypes.astype("str").to_dict() == {c.name: c.dtype for c in schema.EXPLANATION}
        assert frame["step"].tolist() == list(range(1, len(plan.steps) + 1))
        assert frame["side"].tolist() == [step.side for step in plan.steps]
        assert frame["command"].dropna().tolist() == commands(plan)
        assert (frame["command"].isna() == (frame["side"] == "here")).all()
        assert (frame["rfc"].isna() == (frame["side"] == "here")).all()
        assert frame.attrs == {"call": plan.call}
    frame.to_parquet(tmp_path / "plan.parquet")
    back = pd.read_parquet(tmp_path / "plan.parquet")
    assert_frame_equal(schema.conform(back, "explanation"), frame)
    assert back.attrs == frame.attrs


def test_the_frame_has_a_line_for_each_word(session: mf.Session) -> None:
    plan = session.explain("UNSEEN")
    assert plan.frame["words"].str.count("\n").iloc[2] == len(plan.steps[2].words) - 1
    assert plan.frame["words"].iloc[0] == ""
    assert "FLAGS: " in plan.frame["words"].iloc[2]


@pytest.mark.parametrize(
    ("criteria", "where", "call"),
    [
        ("UNSEEN", {}, "session.headers('UNSEEN', folder='INBOX')"),
        (mf.Q(from_="é"), {"limit": 3}, "session.headers(Q(from_='é'), folder='INBOX', limit=3)"),
        ("ALL", {"folder": ["a", "\\Sent"]}, "session.headers('ALL', folder=['a', '\\\\Sent'])"),
        ("ALL", {"limit": 0}, "session.headers('ALL', folder='INBOX', limit=0)"),
    ],
)
def test_the_call_is_named(
    session: mf.Session, criteria: Any, where: dict[str, Any], call: str
) -> None:
    plan = session.explain(criteria, **where)
    assert plan.call == call
    assert repr(plan).startswith(f"{call} would\n")
    assert f"<code>{html.escape(call)}</code>" in plan._repr_html_()


def test_the_text_shows_each_step_and_a_literal_on_a_line_of_its_own(session: mf.Session) -> None:
    lines = repr(session.explain(mf.Q(from_="müller", has_attachment=True))).splitlines()
    assert lines[2] == '  1. send  EXAMINE "INBOX"'
    assert lines[3] == "           open a folder for reading only (RFC 3501 section 6.3.2)"
    assert lines[4] == "  2. send  UID SEARCH RETURN (ALL) CHARSET UTF-8 FROM {7+}"
    assert lines[5] == "           müller"
    assert re.match(r"             CHARSET: \w", lines[8])
    assert [line[:17] for line in lines if ". here" in line] == [
        "  4. here  Messag",
        "  5. here  Decide",
        "  7. here  Messag",
    ]


class Page(HTMLParser):
    """What a browser makes of a piece of HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.text += "\n" if tag == "br" else ""
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


NASTY = "<b>\"&amp;'</code><script>alert(1)</script>"


@pytest.mark.parametrize("text", [NASTY, f"{NASTY} ü"])
@pytest.mark.parametrize("what", EXPLAINED)
def test_everything_is_escaped_in_html(session: mf.Session, text: str, what: str) -> None:
    plan = session.explain(mf.Q(subject=text, has_attachment=True), what, folder=[text, f"{text}*"])
    page = Page(plan._repr_html_())
    assert page.open == []
    assert page.tags == {
        "div", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "br", "details", "summary",
        "ul", "li", "small",
    }  # fmt: skip
    assert page.attributes == {"style"}
    assert plan.call in page.text
    for step in plan.steps:
        assert step.command.replace("\r\n", "\n") in page.text
        assert step.meaning in page.text


def test_words_are_escaped_in_html_too(scripted: Scripted, talk: Talk) -> None:
    session = talk(scripted(capabilities=EXTENDED, messages=SOME))
    page = Page(session.explain("ALL", "bodies")._repr_html_())
    assert "UID FETCH <uids> (UID BODY.PEEK[<part>])" in page.text
    assert "UID FETCH <uid> (UID BODY.PEEK[])" in page.text


@pytest.mark.parametrize(
    "text",
    ["\x1b[31mred", "a\x07b", "tab\there", "back\x08space", "\x7f", "\x9b31m\x85 next", "ü\x1b"],
)
def test_no_control_character_is_shown(session: mf.Session, text: str) -> None:
    # A terminal obeys them.
    plan = session.explain(mf.Q(subject=text), folder=text)
    for shown in (repr(plan), plan._repr_html_()):
        assert {c for c in shown if unicodedata.category(c) == "Cc"} <= {"\n"}


# -- what cannot be explained


@pytest.mark.parametrize("what", ["folders", "download", "", "Headers", None, 7, ["headers"]])
def test_an_unknown_method_is_refused_with_the_known_ones(session: mf.Session, what: Any) -> None:
    with pytest.raises(QueryError, match=re.escape(repr(what))) as refused:
        session.explain("ALL", what)
    assert all(name in refused.value.suggestion for name in EXPLAINED)


def raised(call: Callable[[], object]) -> tuple[type[MailframeError], str]:
    with pytest.raises(MailframeError) as error:
        call()
    return type(error.value), str(error.value)


BAD: dict[str, tuple[Any, dict[str, Any]]] = {
    "no key": ("NO SUCH KEY", {}),
    "unfinished": ('SUBJECT "', {}),
    "empty": ("", {}),
    "number": (7, {}),
    "none": (None, {}),
    "line break": ('SUBJECT "a\r\nA1 LOGOUT"', {}),
    "half a character": ('SUBJECT "\ud800"', {}),
    "too long": (mf.Q(from_=MANY, seen=True), {}),
    "frame": (pd.DataFrame({"uid": [1]}), {}),
    "series": (pd.Series([1, 2]), {}),
    "limit": ("ALL", {"limit": -1}),
    "limit of true": ("ALL", {"limit": True}),
    "limit of half": ("ALL", {"limit": 0.5}),
    "folder": ("ALL", {"folder": "a\r\nb"}),
    "folder without a name": ("ALL", {"folder": ""}),
    "no folder": ("ALL", {"folder": []}),
    "gmail": (mf.Q(gmail="is:starred"), {}),
    "gmail here": (mf.Q(gmail="is:starred") | mf.Q(has_attachment=True), {}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_call_would_refuse_is_refused_in_the_same_words(
    session: mf.Session, name: str
) -> None:
    criteria, where = BAD[name]
    refused = raised(lambda: session.headers(criteria, **where))
    assert raised(lambda: session.explain(criteria, "headers", **where)) == refused


def test_rows_that_the_call_would_refuse_are_refused_in_the_same_words(
    session: mf.Session,
) -> None:
    rows = session.search()
    for bad in (
        rows.assign(account="another@example.org"),
        rows.drop(columns="uidvalidity"),
        rows.assign(uid=0),
        rows.assign(uid=None),
        rows.assign(uid=1.5),
        rows["uid"].rename("number"),
    ):
        refused = raised(lambda bad=bad: session.headers(bad))  # type: ignore[misc]
        assert raised(lambda bad=bad: session.explain(bad)) == refused  # type: ignore[misc]
    for folder in ("*", ["INBOX", "Archive"]):
        refused = raised(lambda f=folder: session.headers(rows["uid"], folder=f))  # type: ignore[misc]
        again = raised(lambda f=folder: session.explain(rows["uid"], folder=f))  # type: ignore[misc]
        assert again == refused


class Mute:
    """A source that is no server."""

    account = "me@example.com"

    def close(self) -> None:
        """Nothing is open."""


def test_without_a_server_there_is_nothing_to_explain() -> None:
    source: Any = Mute()
    with mf.Session(source) as session, pytest.raises(NotSupportedError, match="Only a server"):
        session.explain()
