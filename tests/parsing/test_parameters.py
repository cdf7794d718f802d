"""Parameters of Content-Type and Content-Disposition are put together as they were meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import join_parameters, parse_content_type
from mailframe.parsing.parameters import parse_parameters


@pytest.mark.parametrize(
    ("pairs", "joined"),
    [
        ([("NAME", "a.txt")], {"name": "a.txt"}),
        ([("name*0", "a"), ("name*1", "b.txt")], {"name": "ab.txt"}),
        ([("name*1", "b.txt"), ("name*0", "a")], {"name": "ab.txt"}),
        ([("name*", "utf-8'de'Gr%C3%BCn")], {"name": "Grün"}),
        ([("name*0*", "utf-8''%E2%82"), ("name*1*", "%AC"), ("name*2", "%20")], {"name": "€%20"}),
        ([("name", "plain"), ("name*", "utf-8''better")], {"name": "better"}),
        ([("name", "=?utf-8?Q?Gr=C3=BCn?=")], {"name": "Grün"}),
        ([("name", "first"), ("name", "second")], {"name": "first"}),
        ([("name*", "Gr%C3%BCn")], {"name": "Grün"}),
        ([("name*0*", "utf-8''a"), ("name*2", "c")], {"name": "ac"}),
        ([("name*1", "a"), ("name*2", "b.txt")], {"name": "ab.txt"}),
        ([("name", "plain"), ("name*1", "part")], {"name": "plain"}),
        ([("name*0*", "utf-8'de'a"), ("name*1*", "utf-8'de'%C3%BC")], {"name": "aü"}),
        ([("name*0*", "x-none''Gr%C3%BCn")], {"name": "Grün"}),
        ([("name*0", "=?utf-8?Q?Gr=C3"), ("name*1", "=BCn?=")], {"name": "Grün"}),
        ([("name*", "utf-8''=?utf-8?Q?Gr=C3=BCn?=")], {"name": "Grün"}),
        ([("*", "x"), ("*0*", "y")], {}),
    ],
)
def test_parameters_are_joined(pairs: list[tuple[str, str]], joined: dict[str, str]) -> None:
    assert join_parameters(pairs) == joined


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("TEXT / HTML; charset = us-ascii (Plain)", "text/html", {"charset": "us-ascii"}),
        ('a/b; name="x;y\\"z"; q=1', "a/b", {"name": 'x;y"z', "q": "1"}),
        ("a/b; name=my file.pdf; q=1", "a/b", {"name": "my file.pdf", "q": "1"}),
        ('multipart/mixed boundary="b"', "multipart/mixed", {"boundary": "b"}),
        ("inline; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("", "text/plain", {}),
        ('a/b; name="open', "a/b", {"name": "open"}),
        ('a/b; name="open; q=1', "a/b", {"name": "open", "q": "1"}),
        ('a/b; name="C:\\dir\\a.txt"; q=1', "a/b", {"name": "C:\\dir\\a.txt", "q": "1"}),
        ("a/b; name=x.pdf\n q=1", "a/b", {"name": "x.pdf", "q": "1"}),
        ('a/b; name="x y.pdf" q=1; z=2', "a/b", {"name": "x y.pdf", "q": "1", "z": "2"}),
        ("a/b; name==?utf-8?Q?a_b=20c?=; q=1", "a/b", {"name": "a b c", "q": "1"}),
        ("a/b; name=; q=1", "a/b", {"q": "1"}),
        ("a/b/c; q=1", "a/b", {"q": "1"}),
        ("charset=utf-8/x", "text/plain", {}),
    ],
)
def test_a_content_type_is_read(value: str, kind: str, parameters: dict[str, str]) -> None:
    assert parse_content_type(value) == (kind, parameters)


@given(st.lists(st.tuples(st.text(alphabet="ab*01"), st.text(alphabet="a'%=?u8Q\udcff"))))
def test_no_parameters_make_it_raise(pairs: list[tuple[str, str]]) -> None:
    repr(join_parameters(pairs)).encode()


@pytest.mark.parametrize(
    "scrap", ['a="', 'a="\\', "a=b;", "a b=c ", "a=\\", " ", ";", "a*0=b;", "a*='"]
)
def test_a_long_field_is_read_in_one_go(scrap: str) -> None:
    # Were any step quadratic, this would take hours.
    parameters = parse_parameters(";q=1;" + scrap * 1_000_000)
    assert parameters["q"] == "1"
