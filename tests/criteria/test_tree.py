"""Nodes check themselves, and fold what is constant."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from mailframe.criteria import (
    ALL,
    NOTHING,
    SEQUENCE,
    And,
    Atom,
    HasAttachment,
    Instant,
    Key,
    Not,
    Or,
    UidSet,
    all_of,
    any_of,
    capability_needed,
    negate,
    walk,
)
from mailframe.exceptions import QueryError

SEEN, DRAFT, NEW = Key("SEEN"), Key("DRAFT"), Key("NEW")


def test_and_and_or_are_flat_and_without_repetition() -> None:
    assert all_of([SEEN, And((DRAFT, SEEN)), NEW]) == And((SEEN, DRAFT, NEW))
    assert any_of([SEEN, Or((DRAFT, SEEN)), NEW]) == Or((SEEN, DRAFT, NEW))


def test_constants_are_folded() -> None:
    assert all_of([ALL, SEEN]) == any_of([NOTHING, SEEN]) == SEEN
    assert all_of([SEEN, NOTHING]) == any_of([]) == NOTHING
    assert any_of([SEEN, ALL]) == all_of([]) == ALL


def test_not_not_is_nothing_at_all() -> None:
    assert negate(negate(SEEN)) == SEEN
    assert negate(ALL) == NOTHING
    assert negate(NOTHING) == ALL


def test_equal_trees_hash_alike() -> None:
    first = all_of([Key("FROM", ("a",)), HasAttachment()])
    second = all_of([Key("FROM", ("a",)), HasAttachment()])
    assert len({first, second}) == 1


def test_a_word_and_an_atom_are_not_the_same() -> None:
    assert Atom("x") != "x"
    assert UidSet("1") != Atom("1")


def test_walk_finds_every_node() -> None:
    tree = And((SEEN, Not(Or((DRAFT, NEW)))))
    assert list(walk(tree)) == [tree, SEEN, Not(Or((DRAFT, NEW))), Or((DRAFT, NEW)), DRAFT, NEW]


@pytest.mark.parametrize("group", [And, Or])
def test_an_empty_group_is_refused(group: type[And] | type[Or]) -> None:
    with pytest.raises(QueryError, match="empty"):
        group(())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("FOO", ()),
        ("seen", ()),
        ("SEEN", ("x",)),
        ("FROM", ()),
        ("FROM", (1,)),
        ("SINCE", ("1-Jan-2026",)),
        ("SINCE", (datetime(2026, 1, 1, tzinfo=UTC),)),
        ("LARGER", (-1,)),
        ("LARGER", (True,)),
        ("LARGER", (1.5,)),
        ("LARGER", (2**64,)),
        ("YOUNGER", (0,)),
        ("KEYWORD", ("x",)),
        ("UID", ("1:5",)),
        ("HEADER", ("List-Id:", "x")),
        ("HEADER", ("", "x")),
        ("HEADER", ("Prénom", "x")),
        ("EMAILID", (Atom("a.b"),)),
    ],
)
def test_a_key_takes_only_what_belongs_to_it(name: str, args: tuple) -> None:
    with pytest.raises(QueryError):
        Key(name, args)


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\0b", "\r\n", "a\r\nA1 DELETE x", "\udc80"])
@pytest.mark.parametrize("make", [lambda text: Key("FROM", (text,)), Atom, UidSet])
def test_no_node_holds_a_line_break_or_half_a_character(
    make: Callable[[str], object], text: str
) -> None:
    with pytest.raises(QueryError):
        make(text)


@pytest.mark.parametrize(
    "text", ["", "a b", "(a", "a)", "a{1}", "a%", "a*", 'a"', r"\Seen", "a]", "é"]
)
def test_what_is_no_atom_is_no_keyword(text: str) -> None:
    with pytest.raises(QueryError, match="keyword"):
        Atom(text)


@pytest.mark.parametrize("text", ["$Junk", "NonJunk", "a-b_c.d", "[x", "|}~+"])
def test_every_atom_is_a_keyword(text: str) -> None:
    assert str(Atom(text)) == text


@pytest.mark.parametrize("text", ["1", "*", "1:5", "5:1", "1:5,9,20:*", "*:4", "4294967295"])
def test_a_sequence_set_is_kept_as_written(text: str) -> None:
    assert str(UidSet(text)) == text


@pytest.mark.parametrize(
    "text", ["", "0", "1,", ",1", "1:", "1:2:3", "a", "1 2", "4294967296", "-1", "\u0661"]
)
def test_what_is_no_sequence_set_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="UID"):
        UidSet(text)


def test_uids_are_written_as_the_shortest_set() -> None:
    assert str(UidSet.of([9, 3, 1, 2, 9])) == "1:3,9"
    assert str(UidSet.of(range(1, 4_000_000_000))) == "1:3999999999"
    assert str(UidSet.of(range(5, 0, -1))) == "1:5"
    assert str(UidSet.of(range(1, 8, 3))) == "1,4,7"


@pytest.mark.parametrize("uids", [[], range(0), [0], [-3]])
def test_uids_that_cannot_be_are_refused(uids: range | list[int]) -> None:
    with pytest.raises(QueryError):
        UidSet.of(uids)


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(QueryError, match="time zone"):
        Instant("internal", "since", datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake itself


def test_extensions_name_their_capability() -> None:
    assert capability_needed("YOUNGER") == "WITHIN"
    assert capability_needed("MODSEQ") == "CONDSTORE"
    assert capability_needed("X-GM-RAW") == "X-GM-EXT-1"
    assert capability_needed("EMAILID") == "OBJECTID"
    assert capability_needed("SAVEDSINCE") == "SAVEDATE"
    assert capability_needed("FROM") is capability_needed(SEQUENCE) is None


def test_a_day_is_a_day_not_a_moment() -> None:
    assert Key("SINCE", (date(2026, 1, 1),)).args == (date(2026, 1, 1),)
