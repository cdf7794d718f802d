"""Paragraphs that the sender's program broke into lines are paragraphs again (RFC 3676)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.parsing import parse_structure
from mailframe.parsing.flowed import unflow
from mailframe.parsing.parts import find_part, pick_parts
from mailframe.parsing.text import decode_text

if TYPE_CHECKING:
    from pathlib import Path

LINES = st.lists(
    st.sampled_from(["word", " ", ">", "> ", "-- ", "\n", " \n", "語", "  ", "\n\n", "From "]),
    max_size=30,
).map("".join)
thoroughly = settings(derandomize=True, deadline=None, max_examples=300)


def bare(text: str) -> str:
    """Give it without white space."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("", ""),
        ("one", "one"),
        ("one\ntwo\n", "one\ntwo\n"),
        ("one \ntwo \nthree\nfour\n", "one two three\nfour\n"),
        ("one \n\ntwo\n", "one\n\ntwo\n"),  # meant to be seen
        ("one \n \ntwo\n", "one\n\ntwo\n"),
        (" From here\n  indented\n >no quote\n", "From here\n indented\n>no quote\n"),
        ("one \n From here\n", "one From here\n"),
        ("one \n-- \nAnn \nExample\n", "one\n-- \nAnn Example\n"),
        ("one \n -- \nAnn\n", "one\n-- \nAnn\n"),  # stuffed all the same
        ("> a \n> quote\n>> inner \none\n", "> a\n> quote\n>> inner\none\n"),
        ("one \n> quote\ntwo\n", "one\n> quote\ntwo\n"),
        (">\n> \n>> x\n", ">\n>\n>> x\n"),
        ("one ", "one"),
    ],
)
def test_paragraphs_are_joined(text: str, joined: str) -> None:
    assert unflow(text, delsp=False) == joined


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("日本 \n語\n", "日本語\n"),
        ("two  \nwords\n", "two words\n"),
        ("> a \n> b\n", "> a\n> b\n"),
        ("one \n-- \nAnn\n", "one\n-- \nAnn\n"),
    ],
)
def test_a_blank_that_only_marks_the_break_goes(text: str, joined: str) -> None:
    assert unflow(text, delsp=True) == joined


@thoroughly
@given(text=LINES, delsp=st.booleans())
def test_nothing_but_white_space_changes(text: str, *, delsp: bool) -> None:
    assert bare(unflow(text, delsp=delsp)) == bare(text)


@thoroughly
@given(text=LINES, delsp=st.booleans())
def test_every_quoted_line_stays_one(text: str, *, delsp: bool) -> None:
    quoted = [line.rstrip(" ") for line in text.split("\n") if line.startswith(">")]
    joined = iter(unflow(text, delsp=delsp).split("\n"))
    assert all(line in joined for line in quoted)  # in this order


def test_a_paragraph_of_very_many_lines_is_joined_at_once() -> None:
    assert unflow("word \n" * 200_000 + "end", delsp=False) == "word " * 200_000 + "end"


def test_other_projects_messages_lose_no_letter(corpora: Path) -> None:
    flowed = 0
    for path in sorted(corpora.glob("mime/*/*.eml")):
        root = parse_structure(path.read_bytes())
        for part in pick_parts(root).text:
            found = find_part(root, part.number)
            if part.format is None or found is None or found.raw is None:
                continue
            flowed += 1
            fixed = replace(found, format=None)
            for raw, is_cut in ((found.raw, False), (found.raw[: len(found.raw) // 2], True)):
                text, _, _ = decode_text(found, raw, is_cut=is_cut)
                assert bare(text) == bare(decode_text(fixed, raw, is_cut=is_cut)[0])
    assert flowed >= 40
