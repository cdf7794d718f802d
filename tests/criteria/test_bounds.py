"""What the server is asked, and what is decided here: together exactly what was wanted."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.criteria import (
    ALL,
    NOTHING,
    And,
    Facts,
    HasAttachment,
    Instant,
    Key,
    Node,
    Not,
    Or,
    decide,
    exact_subtrees,
    is_exact,
    lower,
    needs,
    remainder,
    upper,
)

MOMENT = datetime(2026, 1, 31, 10, tzinfo=UTC)
SEEN, DRAFT, NEW = Key("SEEN"), Key("DRAFT"), Key("NEW")
LOCAL = HasAttachment()
SINCE = Instant("internal", "since", MOMENT)
BEFORE = Instant("internal", "before", MOMENT)


@dataclass(frozen=True)
class Message:
    """What is true of a message, and what the server takes its days to be."""

    flags: frozenset[str]
    facts: Facts
    internal_day: date
    sent_day: date | None  # of a message without a Date: whatever this server thinks


def matches(node: Node, message: Message) -> bool:  # noqa: PLR0911  # one line a kind of node
    """Decide by the meaning of the words alone."""
    days = {"SINCE": message.internal_day, "BEFORE": message.internal_day}
    days |= {"SENTSINCE": message.sent_day, "SENTBEFORE": message.sent_day}
    match node:
        case And(children):
            return all(matches(child, message) for child in children)
        case Or(children):
            return any(matches(child, message) for child in children)
        case Not(child):
            return not matches(child, message)
        case HasAttachment():
            return message.facts.has_attachment is True
        case Instant(field, op, moment):
            when = getattr(message.facts, f"{field}_date")
            return when is not None and (when >= moment if op == "since" else when < moment)
        case Key("ALL"):
            return True
        case Key(name, (day,)):
            held = days[name]
            return held is not None and (held >= day if name.endswith("SINCE") else held < day)
    return node.name in message.flags


# A few days around the end of the calendar and of a month, so that moments and messages meet.
ZONES = st.integers(-14 * 4, 14 * 4).map(
    lambda quarters: timezone(timedelta(minutes=15 * quarters))
)
TIMES = st.builds(
    lambda moment, zone: moment.replace(tzinfo=UTC).astimezone(zone),
    st.one_of(
        st.datetimes(datetime(2026, 1, 29), datetime(2026, 2, 3)),  # noqa: DTZ001  # as it must be
        st.datetimes(datetime(1, 1, 2), datetime(1, 1, 5)),  # noqa: DTZ001
        st.datetimes(datetime(9999, 12, 27), datetime(9999, 12, 30)),  # noqa: DTZ001
    ),
    ZONES,
)
EDGES = st.sampled_from(
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
    ]
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    internal, sent = draw(TIMES), draw(st.none() | TIMES)
    guess = draw(st.none() | st.dates(date(1970, 1, 1), date(2026, 2, 3)))
    return Message(
        draw(st.frozensets(st.sampled_from(["SEEN", "DRAFT", "NEW"]))),
        Facts(internal, sent, draw(st.sampled_from([True, False, None]))),
        internal.date(),
        sent.date() if sent else guess,
    )


DAYS = st.dates(date(2026, 1, 28), date(2026, 2, 4))
LEAVES = st.one_of(
    st.sampled_from([ALL, NOTHING, SEEN, DRAFT, NEW, LOCAL]),
    st.builds(
        Instant,
        st.sampled_from(["internal", "sent"]),
        st.sampled_from(["since", "before"]),
        TIMES | EDGES,
    ),
    st.builds(
        lambda name, day: Key(name, (day,)),
        st.sampled_from(["SINCE", "BEFORE", "SENTSINCE", "SENTBEFORE"]),
        DAYS,
    ),
)
# Built by hand, not by all_of and any_of: nothing may rest on a tree being folded.
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=4).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, min_size=1, max_size=4).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=12,
)


@given(TREES, messages())
def test_upper_misses_nothing_and_lower_is_certain(node: Node, message: Message) -> None:
    assert is_exact(upper(node))
    assert is_exact(lower(node))
    if matches(node, message):
        assert matches(upper(node), message)
    if matches(lower(node), message):
        assert matches(node, message)


@given(TREES, messages())
def test_asking_wider_and_deciding_the_rest_is_exact(node: Node, message: Message) -> None:
    rest = remainder(node)
    answers = (
        {} if rest is None else {part: matches(part, message) for part in exact_subtrees(rest)}
    )
    found = matches(upper(node), message)
    kept = found and (rest is None or decide(rest, message.facts, answers.__getitem__))
    assert kept == matches(node, message)


@given(TREES, messages())
def test_only_the_facts_that_are_needed_decide(node: Node, message: Message) -> None:
    known = Facts(**{name: getattr(message.facts, name) for name in needs(node)})
    assert decide(node, known, lambda part: matches(part, message)) == matches(node, message)


def key(name: str, day: int, month: int = 1) -> Key:
    return Key(name, (date(2026, month, day),))


@pytest.mark.parametrize(
    ("node", "wide", "narrow"),
    [
        (SEEN, SEEN, SEEN),
        (LOCAL, ALL, NOTHING),
        (Not(LOCAL), ALL, NOTHING),
        (SINCE, key("SINCE", 30), key("SINCE", 2, 2)),
        (BEFORE, key("BEFORE", 2, 2), key("BEFORE", 30)),
        (Not(SINCE), Not(key("SINCE", 2, 2)), Not(key("SINCE", 30))),
        (Instant("sent", "since", MOMENT), key("SENTSINCE", 30), NOTHING),
        (Instant("sent", "before", MOMENT), key("SENTBEFORE", 2, 2), NOTHING),
        (And((SEEN, LOCAL)), SEEN, NOTHING),
        (Or((SEEN, LOCAL)), ALL, SEEN),
        (Not(Or((SEEN, LOCAL))), Not(SEEN), NOTHING),
        (And((SEEN, NOTHING, LOCAL)), NOTHING, NOTHING),
    ],
)
def test_the_bounds_are_as_near_as_days_allow(node: Node, wide: Node, narrow: Node) -> None:
    assert upper(node) == wide
    assert lower(node) == narrow


def test_a_moment_in_another_zone_counts_by_its_day_in_utc() -> None:
    late = datetime(2026, 1, 31, 23, tzinfo=timezone(-timedelta(hours=5)))
    assert upper(Instant("internal", "since", late)) == key("SINCE", 31)


def test_a_moment_at_the_end_of_time_asks_for_no_impossible_day() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    begin = datetime.min.replace(tzinfo=UTC)
    assert upper(Instant("internal", "before", end)) == ALL
    assert lower(Instant("internal", "since", end)) == NOTHING
    assert upper(Instant("internal", "since", begin)) == ALL
    assert lower(Instant("internal", "before", begin)) == NOTHING


def test_the_remainder_leaves_out_what_the_server_has_decided() -> None:
    assert remainder(And((SEEN, DRAFT))) is None
    assert remainder(And((SEEN, LOCAL))) == LOCAL
    assert remainder(And((SEEN, LOCAL, SINCE))) == And((LOCAL, SINCE))
    assert remainder(Or((SEEN, LOCAL))) == Or((SEEN, LOCAL))


def test_siblings_that_the_server_decides_are_asked_together() -> None:
    assert exact_subtrees(LOCAL) == ()
    assert exact_subtrees(Or((SEEN, DRAFT, LOCAL))) == (Or((SEEN, DRAFT)),)
    assert exact_subtrees(And((SEEN, DRAFT, LOCAL))) == (And((SEEN, DRAFT)),)
    assert exact_subtrees(Or((SEEN, And((DRAFT, LOCAL)), And((DRAFT, SINCE))))) == (SEEN, DRAFT)
    assert exact_subtrees(Or((LOCAL, And((ALL, SINCE)), And((NOTHING, SINCE))))) == ()


def test_needs_names_the_facts() -> None:
    assert needs(SEEN) == frozenset()
    tree = Or((LOCAL, And((SEEN, Not(SINCE), Instant("sent", "before", MOMENT)))))
    assert needs(tree) == {"has_attachment", "internal_date", "sent_date"}


@pytest.mark.parametrize("leaf", [LOCAL, SINCE, BEFORE, Instant("sent", "since", MOMENT)])
def test_what_is_unknown_matches_nothing(leaf: Node) -> None:
    assert not decide(leaf, Facts(), lambda _: True)
    assert decide(Not(leaf), Facts(), lambda _: True)
