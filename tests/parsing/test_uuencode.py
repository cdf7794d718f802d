"""Files in the text are found where they are unmistakable, and nowhere else."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.parsing import parse_structure, pick_parts, read_bodies
from mailframe.parsing.uuencode import find_uuencoded

if TYPE_CHECKING:
    from pathlib import Path


def lines_of(content: bytes, *, backtick: bool = True) -> str:
    pieces = (content[start : start + 45] for start in range(0, len(content), 45))
    return "".join(binascii.b2a_uu(one, backtick=backtick).decode() for one in pieces)


def block(content: bytes, name: str = "a.bin", last: str = "`\nend\n") -> str:
    return f"begin 644 {name}\n{lines_of(content)}{last}"


LASTS = st.sampled_from(["`\nend\n", "end\n", " \nend", "\nend\n"])
LINES = ["begin 644 a\n", "#86)C\n", "`\n", "end\n", "end", "\r", "é\n", "M\n", "\n"]
thoroughly = settings(derandomize=True, deadline=None, max_examples=200)


@thoroughly
@given(
    st.binary(min_size=1, max_size=200), st.sampled_from(["`\nend\n", "end\n", " \nend", "\nend\n"])
)
def test_a_file_comes_out_as_it_went_in(content: bytes, last: str) -> None:
    text = f"Hello,\n\n{block(content, last=last)}"
    (found,) = find_uuencoded(text)
    assert (found.name, found.content) == ("a.bin", content)
    assert (text[: found.start], text[found.end :]) == ("Hello,\n\n", "")


def test_every_file_is_found_and_what_stands_between_is_not() -> None:
    text = f"One\n{block(b'abc', 'a b.txt')}Two\n{block(b'defgh' * 30, 'c')}Three\n"
    first, second = find_uuencoded(text)
    assert (first.name, first.content) == ("a b.txt", b"abc")
    assert (second.name, second.content) == ("c", b"defgh" * 30)
    rest = text[: first.start] + text[first.end : second.start] + text[second.end :]
    assert rest == "One\nTwo\nThree\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_line_end_will_do(end: str) -> None:
    (found,) = find_uuencoded(block(b"abc" * 40).replace("\n", end))
    assert found.content == b"abc" * 40


def test_blanks_that_were_lost_at_the_end_of_lines_are_zeros() -> None:
    content = b"x" * 45 + b"abc" * 4 + bytes(33) + b"y" * 45
    lines = lines_of(content, backtick=False).replace(" " * 8 + "\n", "\n")
    (found,) = find_uuencoded(f"begin 644 a\n{lines}end\n")
    assert found.content == content


def test_a_checksum_behind_each_line_is_passed_over() -> None:
    lines = lines_of(b"abc" * 40).replace("\n", "!\n")
    (found,) = find_uuencoded(f"begin 644 a\n{lines}`\nend\n")
    assert found.content == b"abc" * 40


def test_a_file_that_was_cut_is_one_if_there_is_enough_of_it() -> None:
    (found,) = find_uuencoded(block(b"abc" * 60, last="") + "HELLO THERE\nBye\n")
    assert found.content == b"abc" * 60
    assert find_uuencoded(block(b"abc" * 20, last="") + "Bye\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "begin 644 a.txt",
        "begin 644 a.txt\nend\n",
        "begin 644 a.txt\n`\nend\n",
        "begin 644 a.txt\nLet us see, said the walrus.\nend\n",
        "begin 644 a.txt\nHELLO\nend\n",
        "begin reading chapter 2\n#86)C\n`\nend\n",
        "begin 644\n#86)C\n`\nend\n",
        "begin 644 \n#86)C\n`\nend\n",
        "begin 999 a.txt\n#86)C\n`\nend\n",
        " begin 644 a.txt\n#86)C\n`\nend\n",
        "> begin 644 a.txt\n> #86)C\n> `\n> end\n",
        "begin 644 a.txt\n#86)C\nend of story\n",
    ],
)
def test_prose_is_no_file(text: str) -> None:
    assert find_uuencoded(text) == []


@thoroughly
@given(st.lists(st.sampled_from(LINES), max_size=20).map("".join))
def test_what_is_found_lies_in_the_text_in_order(text: str) -> None:
    at = 0
    for found in find_uuencoded(text):
        assert at <= found.start < found.end <= len(text)
        assert text.startswith("begin ", found.start)
        at = found.end


@pytest.mark.parametrize("line", ["begin 644 a\n", "begin 644 " + " " * 50, "M\n", "#86)C\n"])
def test_much_of_it_takes_no_time(line: str) -> None:
    assert find_uuencoded(f"begin 644 a\n{line * 100_000}") is not None


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("sig-uu", [(".signature", 276)]),  # the other has no name
        ("uu-zeegee", [("up.gif", 110), ("zeegee.gif", 4_834)]),
        ("uu-junk", [("up.gif", 110), ("zeegee.gif", 4_834)]),
    ],
)
def test_other_projects_files_are_found(
    corpora: Path, name: str, files: list[tuple[str, int]]
) -> None:
    (path,) = corpora.glob(f"mime/mime4j/*__{name}.msg.eml")
    picked = pick_parts(parse_structure(path.read_bytes()), uuencoded=True)
    assert [(one.filename, one.size) for one in picked.attachments] == files
    text = read_bodies(picked, {}, html=False, uuencoded=True).text or ""
    assert text
    assert not [line for line in text.splitlines() if line.startswith("M") and len(line) == 61][9:]
