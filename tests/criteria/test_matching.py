"""Does a message match a tree: what is found, and how little is read to know it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.criteria import (
    ALL,
    NOTHING,
    And,
    Contains,
    HasAttachment,
    Instant,
    Key,
    Mailbox,
    Node,
    Not,
    Or,
    Q,
    UidSet,
    matches,
    supported,
    to_tree,
)
from mailframe.criteria.folding import fold
from mailframe.exceptions import NotSupportedError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOLDER = Mailbox(highest_uid=900, count=50, now=NOW)
EAST = timezone(timedelta(hours=14))


@dataclass
class Message:
    """A candidate made of plain values, which notes what is asked of it."""

    uid: int = 500
    number: int = 20
    flags: frozenset[str] = frozenset({"\\seen", "$junk"})
    bytes: int = 2_000
    # The evening before in UTC: 2026-02-01 where it was written.
    internal_date: datetime | None = datetime(2026, 2, 1, 8, tzinfo=EAST)
    sent: datetime | None = datetime(2026, 1, 30, 23, tzinfo=timezone(-timedelta(hours=9)))
    attached: bool = True
    fields: dict[str, list[str]] = field(
        default_factory=lambda: {
            "from": ['"Doe, Jon" <jon@example.org>'],
            "to": ["Ann  Bee <ann@example.net>, bob@example.net"],
            "subject": ["Grüße   aus Köln"],
            "received": ["by one", "by two"],
            "x-empty": [""],
        }
    )
    body: str = "Two  blanks\nand a CAFÉ"
    parts: str = "Content-Disposition: attachment; filename=figures.csv"
    read: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        self.read.append("size")
        return self.bytes

    @property
    def sent_date(self) -> datetime | None:
        self.read.append("header")
        return self.sent

    @property
    def has_attachment(self) -> bool:
        self.read.append("body")
        return self.attached

    def labels(self) -> list[str]:
        return ["Inbox", "Tax 2025", "\\Important"]

    def field(self, name: str) -> list[str]:
        self.read.append("header")
        return self.fields.get(name, [])

    def addresses(self, name: str) -> list[str]:
        self.read.append("header")
        return {"to": ["Ann Bee <ann@example.net>", "<bob@example.net>"]}.get(name, [])

    def header_text(self) -> str:
        self.read.append("header")
        return "\n".join(f"{name}: {one}" for name, many in self.fields.items() for one in many)

    def part_headers(self) -> str:
        self.read.append("body")
        return self.parts

    def body_text(self) -> str:
        self.read.append("body")
        return self.body


def is_found(criteria: object, message: Message | None = None) -> bool:
    return matches(to_tree(criteria, NOW), message or Message(), FOLDER)


FOUND = (
    "ALL", "SEEN", "UNFLAGGED", "OLD", "KEYWORD $JUNK", "UNKEYWORD work", "NOT DRAFT",
    "20", "18:25", "*:20", "UID 500", "UID 499:501", "UID 1,500,7", "UID *:1", "LARGER 1999",
    "SMALLER 2001", "SINCE 1-Feb-2026", "ON 1-Feb-2026", "BEFORE 2-Feb-2026", "SENTON 30-Jan-2026",
    "SENTSINCE 30-Jan-2026", "SENTBEFORE 31-Jan-2026", "YOUNGER 2700000", "OLDER 60",
    "FROM jon", "FROM EXAMPLE.ORG", 'FROM "doe, jon"', 'FROM ""', "TO <bob@example.net>",
    'TO "bee <ann"', 'TO "Ann Bee"', 'SUBJECT "grüße aus"', "SUBJECT GRÜSSE", 'SUBJECT "   "',
    "SUBJECT gru", "HEADER Received two", 'HEADER RECEIVED ""', 'HEADER X-Empty ""',
    "BODY café", "BODY cafe", 'BODY "two  blanks"', 'BODY ""', "TEXT jon", "TEXT café",
    'TEXT ""', 'TEXT "received: by"', "TEXT figures.csv", 'X-GM-LABELS "tax 2025"',
    r'X-GM-LABELS "\\Inbox"', "X-GM-LABELS important", Q(has_attachment=True),
    Q(since="29d"), Q(sent_before="2026-02-01"),
)  # fmt: skip
NOT_FOUND = (
    "UNSEEN", "FLAGGED", "RECENT", "NEW", "KEYWORD work", "UNKEYWORD $junk", "21", "51:*", "*",
    "UID 501:899", "UID 901:*", "LARGER 2000", "SMALLER 2000", "SINCE 2-Feb-2026",
    "ON 31-Jan-2026", "BEFORE 1-Feb-2026", "SENTON 31-Jan-2026", "YOUNGER 60", "OLDER 2700000",
    "FROM ann", 'CC ""', 'TO "<ob@"', "SUBJECT grun", "SUBJECT subject",
    'HEADER Received "one by"', 'HEADER Receive ""', 'HEADER X-Empty "x"', 'BODY "two blanks"',
    'BODY "blanks and"', "BODY figures.csv", "BODY jon", "X-GM-LABELS tax",
    Q(has_attachment=False), Q(since="28d"), ~Q(seen=True),
)  # fmt: skip


@pytest.mark.parametrize("criteria", FOUND, ids=str)
def test_what_matches_is_found(criteria: object) -> None:
    assert is_found(criteria)


@pytest.mark.parametrize("criteria", NOT_FOUND, ids=str)
def test_what_does_not_match_is_not(criteria: object) -> None:
    assert not is_found(criteria)


def test_new_is_recent_and_unseen() -> None:
    for flags, new in (({"\\recent"}, True), ({"\\recent", "\\seen"}, False), (set(), False)):
        assert is_found("NEW", Message(flags=frozenset(flags))) == new


def test_star_is_the_last_message_wherever_a_range_begins() -> None:
    last = Message(uid=900, number=50)
    assert all(is_found(one, last) for one in ("*", "1000:*", "UID *", "UID 1000:*", "UID *:1000"))


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=8),
    st.integers(1, 30),
)
def test_a_set_holds_what_its_ranges_hold(ranges: list[tuple[int, int]], uid: int) -> None:
    text = ",".join(f"{a}:{b}" for a, b in ranges)
    held = any(min(pair) <= uid <= max(pair) for pair in ranges)
    assert matches(Key("UID", (UidSet(text),)), Message(uid=uid), FOLDER) == held


# -- dates


def test_a_moment_is_exact_where_a_day_is_not() -> None:
    moment = datetime(2026, 1, 31, 18, tzinfo=UTC)  # that of the message
    for which, op, at, found in (
        ("internal", "since", moment, True),
        ("internal", "since", moment + timedelta(seconds=1), False),
        ("internal", "before", moment, False),
        ("sent", "before", moment, True),
        ("sent", "since", moment, False),
    ):
        assert matches(Instant(which, op, at), Message(), FOLDER) == found  # type: ignore[arg-type] # literals


@pytest.mark.parametrize("criteria", ["ON 30-Jan-2026", "OLDER 60", Q(since="31d")])
def test_without_an_internal_date_the_date_field_counts(criteria: object) -> None:
    message = Message(internal_date=None)
    assert is_found(criteria, message)
    assert set(message.read) == {"header"}


@pytest.mark.parametrize("key", ["SINCE", "BEFORE", "ON", "SENTSINCE", "SENTBEFORE", "SENTON"])
def test_mail_without_any_date_is_neither_since_nor_before(key: str) -> None:
    for day in (date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31)):
        assert not matches(Key(key, (day,)), Message(internal_date=None, sent=None), FOLDER)


def test_an_interval_may_be_longer_than_the_calendar() -> None:
    assert is_found(f"YOUNGER {2**60}")
    assert not is_found(f"OLDER {2**60}")


# -- text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GRÜSSE", "gru\u0308ße"),
        ("ΟΔΟΣ", "οδος"),
        ("ﬁne", "FINE"),
        ("\uff26ull", "full"),
        ("5\xa0km", "5 KM"),
        ("\u0131Iİ", "iii\u0307"),
        ("STRA\u1e9eE", "strasse"),
    ],
)
def test_text_is_compared_without_case_and_form(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_long_run_of_accents_is_folded_at_once() -> None:
    # Put into canonical order by unicodedata.normalize, it would take hours.
    marks = "\u0323\u0301" * 500_000
    assert fold(f"A{marks}") == f"a{marks}"


def test_folding_does_not_fill_the_memory() -> None:
    for plane in range(4):
        fold("".join(map(chr, range(plane << 16 | 0xE000, (plane + 1) << 16))))
    assert len(fold.__globals__["_FOLDING"]) <= 20_000


def test_words_that_a_server_does_not_take_are_looked_for_all_the_same() -> None:
    assert matches(Contains(Key("SUBJECT", ("köln",))), Message(), FOLDER)


# -- what is read


@pytest.mark.parametrize(
    ("criteria", "read"),
    [
        ("SEEN 20 UID 500 SINCE 1-Jan-2020", set()),
        ("BODY x FROM y UNSEEN", set()),
        ("OR BODY x SEEN", set()),
        ('BODY "" TEXT ""', set()),
        ("FROM jon LARGER 9999 BODY x", {"size"}),
        ("BODY x FROM nobody", {"header"}),
        ("OR (BODY x) (FROM jon)", {"header"}),
        ("NOT (BODY x FROM nobody)", {"header"}),
        # Each half needs the body for itself; the flag behind the second says that neither does.
        ("(OR UNSEEN BODY x) (BODY y UNSEEN)", set()),
        ("TEXT jon", {"header"}),
        ("TEXT café", {"header", "body"}),
        (Q(has_attachment=True, from_="nobody"), {"header"}),
        (Q(has_attachment=True, from_="jon"), {"header", "body"}),
        (Q(has_attachment=True) | Q(seen=True), set()),
    ],
)
def test_no_more_is_read_than_the_answer_needs(criteria: object, read: set[str]) -> None:
    message = Message()
    is_found(criteria, message)
    assert set(message.read) == read


def test_a_body_is_read_once_for_many_words() -> None:
    message = Message()
    assert not is_found("OR BODY a1 OR BODY a2 OR BODY a3 BODY a4", message)
    assert message.read == ["body"]


# -- and, or, not

LEAVES = (
    ALL,
    NOTHING,
    Key("SEEN"),
    Key("LARGER", (1_000,)),
    Key("FROM", ("jon",)),
    Key("SUBJECT", ("köln",)),
    Key("BODY", ("café",)),
    Key("TEXT", ("ann",)),
    HasAttachment(),
    Instant("internal", "since", NOW),
    Instant("sent", "before", NOW),
)


def groups(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=1, max_size=4).map(tuple)
    return several.map(And) | several.map(Or) | nodes.map(Not)


trees = st.recursive(st.sampled_from(LEAVES), groups, max_leaves=20)
mail = st.builds(
    Message,
    flags=st.sampled_from([frozenset(), frozenset({"\\seen"})]),
    bytes=st.sampled_from([10, 5_000]),
    internal_date=st.sampled_from([None, NOW - timedelta(days=1), NOW]),
    sent=st.sampled_from([None, NOW - timedelta(days=1), NOW]),
    attached=st.booleans(),
    fields=st.sampled_from([{}, {"from": ["Jon"]}, {"subject": ["Köln"], "to": ["ann"]}]),
    body=st.sampled_from(["", "a cafe\u0301 with Ann", "Jon"]),
)


def plainly(node: Node, message: Message) -> bool:
    """Decide a tree with nothing but Python's own and, or, not."""
    match node:
        case And(children):
            return all(plainly(child, message) for child in children)
        case Or(children):
            return any(plainly(child, message) for child in children)
        case Not(child):
            return not plainly(child, message)
    return matches(node, message, FOLDER)


@given(trees, mail)
def test_what_is_cheap_first_changes_no_answer(tree: Node, message: Message) -> None:
    assert matches(tree, message, FOLDER) == plainly(tree, message)


@given(st.lists(trees, min_size=2, max_size=3), mail)
def test_the_order_of_conditions_changes_no_answer(nodes: list[Node], message: Message) -> None:
    for group in (And, Or):
        answers = {matches(group(order), message, FOLDER) for order in permutations(nodes)}
        assert len(answers) == 1


@given(st.lists(trees, min_size=1, max_size=4).map(tuple), mail)
def test_not_of_a_group_is_the_other_group_of_nots(
    nodes: tuple[Node, ...], message: Message
) -> None:
    opposite = tuple(map(Not, nodes))
    assert matches(Not(And(nodes)), message, FOLDER) == matches(Or(opposite), message, FOLDER)
    assert matches(Not(Or(nodes)), message, FOLDER) == matches(And(opposite), message, FOLDER)


@given(trees, mail)
def test_the_opposite_reads_no_more(tree: Node, message: Message) -> None:
    other = replace(message, read=[])
    assert matches(tree, message, FOLDER) != matches(Not(tree), other, FOLDER)
    assert message.read == other.read


# -- what only a server knows


@pytest.mark.parametrize(
    "criteria",
    ["X-GM-RAW is:important", "MODSEQ 7", "EMAILID M1", "SAVEDON 1-Jan-2026", "X-GM-THRID 3"],
)
def test_what_only_a_server_knows_is_refused_by_name(criteria: str) -> None:
    tree = to_tree(f"SEEN OR (FROM a) (NOT {criteria})", NOW)
    with pytest.raises(NotSupportedError, match=criteria.partition(" ")[0]):
        supported(tree)


def test_labels_are_refused_where_the_source_has_none() -> None:
    tree = to_tree("X-GM-LABELS work", NOW)
    supported(tree)
    with pytest.raises(NotSupportedError, match="X-GM-LABELS"):
        supported(tree, has_labels=False)


@pytest.mark.parametrize("criteria", [*FOUND, *NOT_FOUND], ids=str)
def test_everything_else_is_supported(criteria: object) -> None:
    supported(to_tree(criteria, NOW))
