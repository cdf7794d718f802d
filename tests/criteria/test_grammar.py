"""SEARCH strings: all of RFC 3501 section 6.4.4, and errors that help."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.criteria import (
    ALL,
    NOTHING,
    SEQUENCE,
    And,
    Atom,
    Key,
    Node,
    Not,
    Or,
    UidSet,
    parse_search,
)
from mailframe.criteria.keys import KEYS, Kind
from mailframe.exceptions import QueryError

WRITTEN = {
    Kind.STRING: ("alice", "alice"),
    Kind.FIELD: ("List-Id", "List-Id"),
    Kind.DATE: ("1-Feb-2026", date(2026, 2, 1)),
    Kind.NUMBER: ("1000", 1000),
    Kind.POSITIVE: ("60", 60),
    Kind.KEYWORD: ("$Junk", Atom("$Junk")),
    Kind.OBJECT_ID: ("M6d99ac3275bb4e", Atom("M6d99ac3275bb4e")),
    Kind.UIDS: ("1:5,9,20:*", UidSet("1:5,9,20:*")),
}


def refusal(text: str) -> str:
    with pytest.raises(QueryError) as caught:
        parse_search(text)
    return str(caught.value)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title])
def test_every_key_is_read_in_any_case(name: str, spell: Callable[[str], str]) -> None:
    kinds = KEYS[name].args
    text = " ".join([spell(name), *(WRITTEN[kind][0] for kind in kinds)]).strip()
    assert parse_search(text) == Key(name, tuple(WRITTEN[kind][1] for kind in kinds))


@pytest.mark.parametrize("name", [name for name in KEYS if KEYS[name].args])
def test_every_key_says_when_its_argument_is_missing(name: str) -> None:
    if name != SEQUENCE:
        assert f"for {name} is expected" in refusal(name)


@pytest.mark.parametrize("name", [name for name in KEYS if Kind.STRING not in KEYS[name].args])
def test_an_argument_of_another_kind_is_refused_where_it_stands(name: str) -> None:
    if KEYS[name].args and name != SEQUENCE:
        assert f"position {len(name) + 2}: '(' follows {name}" in refusal(f"{name} (x)")
        assert f"follows {name}" in refusal(f'{name} "a b"')


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("UNSEEN FLAGGED", And((Key("UNSEEN"), Key("FLAGGED")))),
        ("  UNSEEN\t( FLAGGED ) ", And((Key("UNSEEN"), Key("FLAGGED")))),
        ("((SEEN))", Key("SEEN")),
        ("NOT SEEN", Not(Key("SEEN"))),
        ("NOT NOT SEEN", Key("SEEN")),
        ("NOT (SEEN DRAFT)", Not(And((Key("SEEN"), Key("DRAFT"))))),
        ("OR SEEN DRAFT", Or((Key("SEEN"), Key("DRAFT")))),
        ("OR SEEN DRAFT NEW", And((Or((Key("SEEN"), Key("DRAFT"))), Key("NEW")))),
        ("OR OR SEEN DRAFT NEW", Or((Key("SEEN"), Key("DRAFT"), Key("NEW")))),
        ("OR SEEN OR DRAFT NEW", Or((Key("SEEN"), Key("DRAFT"), Key("NEW")))),
        ("OR (SEEN DRAFT) NEW", Or((And((Key("SEEN"), Key("DRAFT"))), Key("NEW")))),
        ("OR NOT SEEN NEW", Or((Not(Key("SEEN")), Key("NEW")))),
        ("NOT OR SEEN NEW", Not(Or((Key("SEEN"), Key("NEW"))))),
        ("ALL UNSEEN", Key("UNSEEN")),
        ("NOT ALL", NOTHING),
        ("OR ALL SEEN", ALL),
        ("1:10,*", Key(SEQUENCE, (UidSet("1:10,*"),))),
        ("* SEEN", And((Key(SEQUENCE, (UidSet("*"),)), Key("SEEN")))),
        ('SUBJECT "monthly report"', Key("SUBJECT", ("monthly report",))),
        (r'SUBJECT "say \"hi\" \\o/"', Key("SUBJECT", (r'say "hi" \o/',))),
        ('SUBJECT ")"', Key("SUBJECT", (")",))),
        ('SUBJECT ""', Key("SUBJECT", ("",))),
        ("SUBJECT UNSEEN", Key("SUBJECT", ("UNSEEN",))),
        ("SUBJECT müller", Key("SUBJECT", ("müller",))),
        ('SUBJECT "日本 語"', Key("SUBJECT", ("日本 語",))),
        ("FROM a@b.c*%]{}", Key("FROM", ("a@b.c*%]{}",))),
        (r"X-GM-LABELS \Starred", Key("X-GM-LABELS", (r"\Starred",))),
        ('SINCE "1-jan-2026"', Key("SINCE", (date(2026, 1, 1),))),
        ("SINCE 01-JAN-2026", Key("SINCE", (date(2026, 1, 1),))),
        ('HEADER List-Id ""', Key("HEADER", ("List-Id", ""))),
        ('HEADER "List-Id" pandas', Key("HEADER", ("List-Id", "pandas"))),
        ("UID 5:*", Key("UID", (UidSet("5:*"),))),
        ("X-GM-THRID 1266894439832287888", Key("X-GM-THRID", (1266894439832287888,))),
    ],
)
def test_the_shape_of_a_search(text: str, tree: Node) -> None:
    assert parse_search(text) == tree


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends at position 1, where a search key is expected"),
        ("   ", "a search key is expected"),
        ("()", "position 2: ')' stands where a search key is expected"),
        ("(SEEN", "a closing parenthesis is expected"),
        ("SEEN)", "position 5: ')' closes a parenthesis that was never opened"),
        ("NOT", "a search key is expected"),
        ("OR SEEN", "ends at position 8, where a search key is expected"),
        ('"hello"', "'hello' stands where a search key is expected"),
        ('"1:5"', "stands where a search key is expected"),
        ("UNSEEN UNSEN", "Did you mean UNSEEN?"),
        ("FORM alice", "Did you mean FROM?"),
        ("SUBJECT monthly report", 'did you mean SUBJECT "monthly report"?'),
        ("SUBJECT on my way UNSEEN", 'did you mean SUBJECT "on my way"?'),
        ("HEADER Subject two words", 'did you mean HEADER "two words"?'),
        ("SINCE 2026-01-31", "position 7: '2026-01-31' follows SINCE, which expects a day such as"),
        ("SINCE 30d", 'Q(since="30d")'),
        ("SINCE 31-Feb-2026", "which expects a day"),
        ("SINCE 1-Mai-2026", "which expects a day"),
        ("SINCE 1-Jan-0000", "which expects a day"),
        ("LARGER 1MB", "which expects a number"),
        ("LARGER -1", "which expects a number"),
        ("LARGER 1_000", "which expects a number"),
        (f"LARGER {'9' * 5000}", "which expects a number"),
        ("UID 0", "which expects UIDs"),
        ("0:5", "is not a search key"),
        (r"KEYWORD \Seen", "which expects a keyword"),
        (r"KEYWORD \Seen", "System flags have names of their own"),
        ("SEEN OR DRAFT", "OR stands before its two keys"),
        ("HEADER List-Id: x", "without a colon"),
        ('SUBJECT "open', "string from position 9 cannot be read"),
        (r'SUBJECT "a\b"', "string from position 9 cannot be read"),
        ('SEEN "', "string from position 6"),
        ("CHARSET UTF-8 SUBJECT x", "Leave CHARSET out"),
        ("RETURN (ALL) SEEN", "Leave RETURN out"),
        ("SEEN AND DRAFT", "Leave AND out"),
        ("SEARCH SEEN", "only what comes after SEARCH"),
        ("SEQUENCE 1:5", "is not a search key"),
    ],
)
def test_an_error_says_where_and_what(text: str, said: str) -> None:
    assert said in refusal(text)


def test_no_hint_at_quoting_where_words_are_apart() -> None:
    assert "did you mean FROM" not in refusal("FROM alice (foo)")
    assert "did you mean FROM" not in refusal("FROM alice SEEN foo")


def test_an_error_quotes_only_the_beginning_of_a_long_search() -> None:
    assert len(refusal(f"SUBJECT {'word ' * 10_000}")) < 500


def test_too_deep_a_search_is_refused() -> None:
    assert parse_search("(" * 100 + "SEEN" + ")" * 100) == Key("SEEN")
    assert "nested more than 100 deep" in refusal("(" * 101 + "SEEN" + ")" * 101)
    assert "nested more than 100 deep" in refusal("NOT " * 100_000 + "SEEN")


def test_a_chain_of_ors_is_not_depth() -> None:
    keys = [f"FROM a{n}" for n in range(5000)]
    right = " ".join(f"OR {key}" for key in keys[:-1]) + f" {keys[-1]}"
    left = "OR " * 4999 + " ".join(keys)
    tree = parse_search(left)
    assert tree == parse_search(right)
    assert isinstance(tree, Or)
    assert len(tree.children) == 5000


def test_too_long_a_search_is_refused() -> None:
    assert "1,000,000 are allowed" in refusal("SEEN " * 250_000)


WORDS = st.sampled_from(
    [*KEYS, "NOT", "OR", "(", ")", '"', "\\", "alice", "1-Jan-2026", "7", "1:*", "é", '"a b"', "$x"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_search(text)
    except QueryError as error:
        assert error.suggestion  # noqa: PT017  # both outcomes are right, but not a mute error


@given(st.text(), st.sampled_from(["\r", "\n", "\0", "\r\n"]), st.text())
def test_a_line_break_in_any_search_is_refused(before: str, line_break: str, after: str) -> None:
    for text in (
        f"{before}{line_break}{after}",
        f'SUBJECT "{line_break}"',
        f"SEEN{line_break}",
        f"FROM a{line_break}b",
    ):
        with pytest.raises(QueryError):
            parse_search(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")))
def test_any_text_survives_quoting(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_search(f'SUBJECT "{quoted}"') == Key("SUBJECT", (text,))
