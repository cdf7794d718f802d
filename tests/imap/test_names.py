"""Text and folder names on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.exceptions import FolderError, MailframeError, QueryError
from mailframe.imap.names import decode_name, encode_name, quote
from mailframe.imap.responses import parse_tokens
from mailframe.imap.wire import Literal
from tests.rigs.dovecot import modified_utf7

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", (b'""',)),
        ("plain", (b'"plain"',)),
        ('say "hi"', (b'"say \\"hi\\""',)),
        ("back\\slash", (b'"back\\\\slash"',)),
        ("(a) {3} * %", (b'"(a) {3} * %"',)),
        ("Grüße", (Literal("Grüße".encode()),)),
    ],
)
def test_text_is_quoted_or_a_literal(text: str, pieces: tuple[bytes, ...]) -> None:
    quoted = quote(text)
    assert quoted == pieces
    assert [type(piece) for piece in quoted] == [type(piece) for piece in pieces]


def test_long_text_is_a_literal() -> None:
    assert not isinstance(quote("x" * 1000)[0], Literal)
    assert isinstance(quote("x" * 1001)[0], Literal)


@settings(derandomize=True, deadline=None)
@given(TEXT)
def test_quoted_text_is_one_token_that_says_the_same(text: str) -> None:
    [piece] = quote(text)
    if isinstance(piece, Literal):
        assert piece.decode() == text
    else:
        assert parse_tokens([piece]) == [text.encode()]


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("form", ["{}", "a{}", "{}b", "a{}b", "ü{}", "x" * 2000 + "{}"])
def test_line_breaks_and_nul_are_refused_wherever_they_stand(character: str, form: str) -> None:
    text = form.format(character)
    with pytest.raises(QueryError, match="line break or NUL"):
        quote(text)
    with pytest.raises(FolderError, match="No folder can be called"):
        encode_name(text)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", b'"INBOX"'),
        ("Entwürfe", b'"Entw&APw-rfe"'),
        ("A & B", b'"A &- B"'),
        ("Büro/日本", b'"B&APw-ro/&ZeVnLA-"'),
        ('with "quotes" \\', b'"with \\"quotes\\" \\\\"'),
        ("\N{GRINNING FACE}", b'"&2D3eAA-"'),
        ("Umlaut ~peter/mail/台北/日本語", b'"Umlaut ~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
    ],
)
def test_folder_names_are_modified_utf7(name: str, encoded: bytes) -> None:
    assert encode_name(name) == (encoded,)


@settings(derandomize=True, deadline=None)
@given(TEXT.filter(bool))
def test_folder_names_survive_the_way_there_and_back(name: str) -> None:
    [piece] = encode_name(name)
    [raw] = [piece] if isinstance(piece, Literal) else parse_tokens([piece])
    assert raw == modified_utf7(name).encode()
    assert decode_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Entw&APw-rfe", "Entwürfe"),
        ("Entwürfe".encode(), "Entwürfe"),
        (b"Entw\xfcrfe", "Entw\N{REPLACEMENT CHARACTER}rfe"),
        (b"A & B", "A & B"),
        (b"R&D", "R&D"),
        (b"&", "&"),
        (b"&AP-", "&AP-"),
        (b"&2D0-", "&2D0-"),
        (b"", ""),
    ],
)
def test_a_name_that_is_no_utf7_is_shown_as_it_is(raw: bytes, name: str) -> None:
    assert decode_name(raw) == name


@settings(derandomize=True, deadline=None)
@given(st.binary() | st.text("&-,/AaZz9+= ").map(str.encode))
def test_any_bytes_are_a_name(raw: bytes) -> None:
    assert isinstance(decode_name(raw), str)


def test_an_empty_name_is_no_folder() -> None:
    with pytest.raises(FolderError):
        encode_name("")


def test_half_a_character_is_refused_in_our_words() -> None:
    # A file name or an environment variable that is not UTF-8 comes as lone surrogates.
    with pytest.raises(MailframeError):
        quote("caf\udce9")
    with pytest.raises(FolderError):
        encode_name("caf\udce9")
