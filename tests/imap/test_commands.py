"""Each word of IMAP is explained, and an argument is not taken for a word."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailframe.imap
from mailframe.criteria.keys import KEYS, SEQUENCE
from mailframe.imap import commands
from mailframe.imap.commands import (
    CAPABILITIES,
    CODES,
    COMMANDS,
    FETCH_ITEMS,
    LIST_OPTIONS,
    REPLIES,
    SEARCH_KEYS,
    SEARCH_WORDS,
    STATUS_ITEMS,
    Word,
    explain_command,
    explain_reply,
    words_of,
)

TABLES = {
    "CAPABILITIES": CAPABILITIES,
    "CODES": CODES,
    "COMMANDS": COMMANDS,
    "FETCH_ITEMS": FETCH_ITEMS,
    "LIST_OPTIONS": LIST_OPTIONS,
    "REPLIES": REPLIES,
    "SEARCH_KEYS": SEARCH_KEYS,
    "SEARCH_WORDS": SEARCH_WORDS,
    "STATUS_ITEMS": STATUS_ITEMS,
}
VOCABULARY = set().union(*TABLES.values())
# RFC 3501 section 6, from 6.1.1 to 6.4.8
BASE = (
    "CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN SELECT EXAMINE CREATE DELETE RENAME "
    "SUBSCRIBE UNSUBSCRIBE LIST LSUB STATUS APPEND CHECK CLOSE EXPUNGE SEARCH FETCH STORE COPY UID"
)
# Bytes in the package that begin with none of IMAP's words: nothing, and names of header fields.
NO_WORDS = {"NIL", "DATE", "LIST-UNSUBSCRIBE"}
_SENT = re.compile(r"[ (]*(UID [A-Z]+|[A-Z][A-Z0-9.-]+)(?:[ \[(].*)?", re.DOTALL)


def names(words: tuple[Word, ...]) -> list[str]:
    return [word.name for word in words]


# -- the tables


@pytest.mark.parametrize("table", TABLES)
def test_a_word_stands_under_its_own_name(table: str) -> None:
    words = TABLES[table]
    assert {name: word.name for name, word in words.items()} == {name: name for name in words}
    assert all(name == name.upper() for name in words)


@pytest.mark.parametrize("table", TABLES)
def test_every_word_has_a_source_and_a_short_meaning(table: str) -> None:
    source = re.compile(r"RFC \d{4}( section \d+(\.\d+)*)?|Gmail IMAP extensions|no RFC")
    for word in TABLES[table].values():
        assert source.fullmatch(word.rfc), word
        assert 3 <= len(word.meaning) <= 65, word
        assert not word.meaning.endswith("."), word


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        COMMANDS["NOOP"] = Word("NOOP", "", "")  # type: ignore[index] # the mistake itself


def test_no_rfc_is_cited_twice_in_one_table() -> None:
    # The later of two rows of one RFC would hide the earlier.
    tree = ast.parse(Path(str(commands.__file__)).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [ast.unparse(key) for key in node.keys if key is not None]
            assert len(keys) == len(set(keys)), keys


def test_every_command_of_rfc_3501_is_explained_by_its_own_section() -> None:
    known = {name: COMMANDS[name].rfc for name in BASE.split()}
    assert all(rfc.startswith("RFC 3501 section 6.") for rfc in known.values())
    assert len(set(known.values())) == len(known)


def test_the_search_keys_are_those_of_the_criteria() -> None:
    assert SEARCH_KEYS.keys() == KEYS.keys() - {SEQUENCE}


def test_the_keys_of_rfc_3501_need_no_capability_and_the_others_one() -> None:
    for name, word in SEARCH_KEYS.items():
        assert word.rfc.startswith("RFC 3501") == (KEYS[name].capability is None), word
        assert (KEYS[name].capability or "IMAP4REV1") in CAPABILITIES


def test_a_search_key_takes_as_many_arguments_as_in_the_criteria() -> None:
    for name in SEARCH_KEYS:
        line = f"SEARCH {name}{' SEEN' * len(KEYS[name].args)} DRAFT"
        assert names(words_of(line)) == list(dict.fromkeys([name, "DRAFT"]))


def test_every_word_that_the_package_sends_is_known() -> None:
    sent = set()
    for path in Path(str(mailframe.imap.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                found = _SENT.fullmatch(node.value.decode("latin-1"))
                if found:
                    sent.add(found[1])
    assert {"EXAMINE", "ID", "LIST", "SELECT", "STATUS", "UID FETCH", "UID SEARCH"} <= sent
    assert sent - VOCABULARY - NO_WORDS == set()


# -- commands


@pytest.mark.parametrize(
    ("line", "name", "rfc"),
    [
        ("EXAMINE INBOX", "EXAMINE", "RFC 3501 section 6.3.2"),
        ("UID FETCH 1:500 (UID FLAGS)", "UID FETCH", "RFC 3501 section 6.4.8"),
        ("FETCH 1 FLAGS", "FETCH", "RFC 3501 section 6.4.5"),
        ("uid expunge 3:4", "UID EXPUNGE", "RFC 4315 section 2.1"),
        ("UID", "UID", "RFC 3501 section 6.4.8"),
        ("UID WHATEVER 3", "UID", "RFC 3501 section 6.4.8"),
        ('LIST "" "*" RETURN (STATUS (MESSAGES))', "LIST", "RFC 3501 section 6.3.8"),
        ('ID ("name" "mailframe")', "ID", "RFC 2971 section 3.1"),
        ("IDLE", "IDLE", "RFC 2177 section 3"),
        (" logout\r\n", "LOGOUT", "RFC 3501 section 6.1.3"),
    ],
)
def test_a_command_is_explained(line: str, name: str, rfc: str) -> None:
    word = explain_command(line)
    assert (word.name, word.rfc) == (name, rfc)


@pytest.mark.parametrize(("line", "name"), [("", ""), ("xfoo 1", "XFOO"), ("FETCHING", "FETCHING")])
def test_an_unknown_command_says_so(line: str, name: str) -> None:
    assert explain_command(line) == Word(name, "", "not known here")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "UID FETCH 1:500 (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)])",
            ["UID", "FLAGS", "BODY.PEEK", "BODY[HEADER.FIELDS]"],
        ),
        (
            "uid fetch 7 (uid flags internaldate rfc822.size bodystructure)",
            ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE"],
        ),
        ("UID FETCH 7 BODY.PEEK[]<0.1000>", ["BODY.PEEK", "BODY[]", "<…>"]),
        ("UID FETCH 7 (BODY.PEEK[1.2] BODY.PEEK[2])", ["BODY.PEEK", "BODY[N]"]),
        ("FETCH 7 (BODY[1.MIME] BODY[TEXT])", ["BODY[N]", "BODY[MIME]", "BODY[TEXT]"]),
        ("FETCH 7 (BODY BODY[HEADER])", ["BODY", "BODY[HEADER]"]),
        ('FETCH 7 BODY[HEADER.FIELDS ("UID" FLAGS)]', ["BODY[HEADER.FIELDS]"]),
        ("FETCH 7 BODY[HEADER.FIELDS.NOT (TO)]", ["BODY[HEADER.FIELDS.NOT]"]),
        ("FETCH 7 (BINARY.PEEK[1] BINARY.SIZE[1])", ["BINARY.PEEK", "BINARY[]", "BINARY.SIZE[]"]),
        ("FETCH 1:* (FLAGS) (CHANGEDSINCE 17)", ["FLAGS", "CHANGEDSINCE"]),
        ("FETCH 1 (PREVIEW (LAZY) X-GM-LABELS)", ["PREVIEW", "LAZY", "X-GM-LABELS"]),
        ("FETCH 1 (UNHEARD.OF BODY[NEW])", []),
        ("FETCH 1 BODY[HEADER", ["BODY[HEADER]"]),
        ("FETCH", []),
    ],
)
def test_the_items_of_a_fetch_are_explained(line: str, expected: list[str]) -> None:
    assert names(words_of(line)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "UID SEARCH RETURN (ALL) CHARSET UTF-8 UNSEEN (OR FROM ann NOT TO bob)",
            ["RETURN", "CHARSET", "UNSEEN", "OR", "FROM", "NOT", "TO"],
        ),
        ('SEARCH SUBJECT "FROM me" SEEN', ["SUBJECT", "SEEN"]),
        (r'SEARCH SUBJECT "a \" FROM" SEEN', ["SUBJECT", "SEEN"]),
        ("UID SEARCH SUBJECT {7+}\r\nmüller SEEN", ["SUBJECT", "SEEN"]),
        ("UID SEARCH SUBJECT {8}\r\nFROM you SEEN", ["SUBJECT", "SEEN"]),
        ("UID SEARCH TEXT {4}", ["TEXT"]),
        ("SEARCH HEADER FROM TO SEEN", ["HEADER", "SEEN"]),
        ("SEARCH KEYWORD SEEN UID 1:5 3:9", ["KEYWORD", "UID"]),
        ("search since 1-Jan-2026 unseen", ["SINCE", "UNSEEN"]),
        ("SEARCH SEEN SEEN NOT NOT DRAFT", ["SEEN", "NOT", "DRAFT"]),
        ("SEARCH MODSEQ 17 ALL", ["MODSEQ", "ALL"]),
        ('SEARCH MODSEQ "/flags/seen" all 17 DRAFT', ["MODSEQ", "DRAFT"]),
        ('SEARCH X-GM-RAW "has:attachment"', ["X-GM-RAW"]),
        ('SEARCH SUBJECT "it never ends SEEN', ["SUBJECT"]),
        ("SEARCH (FROM) SEEN", ["FROM", "SEEN"]),
        ("SEARCH RETURN (ALL", ["RETURN"]),
    ],
)
def test_the_keys_of_a_search_are_explained(line: str, expected: list[str]) -> None:
    assert names(words_of(line)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('STATUS "Entw&APw-rfe" (MESSAGES UNSEEN)', ["MESSAGES", "UNSEEN"]),
        ("STATUS MESSAGES (UIDNEXT SIZE)", ["UIDNEXT", "SIZE"]),
        ('LIST "" "*"', []),
        (
            'LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))',
            ["RETURN", "SPECIAL-USE", "STATUS", "MESSAGES", "UNSEEN"],
        ),
        (
            'LIST (SUBSCRIBED RECURSIVEMATCH) "" "*" RETURN (CHILDREN)',
            ["SUBSCRIBED", "RECURSIVEMATCH", "RETURN", "CHILDREN"],
        ),
        ('LIST "" (STATUS "x") RETURN (STATUS (SIZE))', ["RETURN", "STATUS", "SIZE"]),
        ('LIST "" RETURN', []),
    ],
)
def test_what_a_folder_is_asked_is_explained(line: str, expected: list[str]) -> None:
    assert names(words_of(line)) == expected


@pytest.mark.parametrize("line", ["", "NOOP", 'LOGIN "FLAGS" "SEEN"', "SELECT FLAGS", "XFOO UID"])
def test_other_commands_have_no_vocabulary(line: str) -> None:
    assert words_of(line) == ()


# -- replies


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("* 3 EXISTS", REPLIES["EXISTS"]),
        ("* 12 FETCH (FLAGS (\\Seen))", REPLIES["FETCH"]),
        ("* OK [UIDVALIDITY 17] x", CODES["UIDVALIDITY"]),
        ("* OK IMAP4rev1 ready", REPLIES["OK"]),
        ("* OK [XFOO 3] x", REPLIES["OK"]),
        ("A1 NO [AUTHENTICATIONFAILED] x", CODES["AUTHENTICATIONFAILED"]),
        ("A1 no [overquota]", CODES["OVERQUOTA"]),
        ("A1 OK done", REPLIES["OK"]),
        ("A1 BAD", REPLIES["BAD"]),
        ("* BYE see you", REPLIES["BYE"]),
        ("* search 2 3 6", REPLIES["SEARCH"]),
        ('* ESEARCH (TAG "A1") UID ALL 1:5', REPLIES["ESEARCH"]),
        ("* VANISHED (EARLIER) 41", REPLIES["VANISHED"]),
        ("+ idling", REPLIES["+"]),
        ("+", REPLIES["+"]),
    ],
)
def test_a_reply_is_explained(line: str, word: Word) -> None:
    assert explain_reply(line) == word


@pytest.mark.parametrize(
    ("line", "name"),
    [("", ""), ("*", ""), ("* 7", "7"), ("* XFOO 3", "XFOO"), ("A1 EXISTS", "EXISTS")],
)
def test_an_unknown_reply_says_so(line: str, name: str) -> None:
    assert explain_reply(line) == Word(name, "", "not known here")


# -- any text

PIECES = st.lists(
    st.sampled_from(
        ["UID FETCH ", "SEARCH ", "LIST ", "STATUS ", "MODSEQ ", "RETURN ", "HEADER ", "BODY[", "]"]
    )
    | st.sampled_from(
        ["BINARY.SIZE[", "1.2.", "<0.9>", "(", ")", '"', "\\", "{3}\r\n", "{9999999999}\n", " "]
    )
    | st.sampled_from(["* ", "OK ", "[", "ü", "\udc80", "\0"])
).map("".join)


@given(st.text(st.characters()) | PIECES)
def test_no_text_makes_them_raise(line: str) -> None:
    explain_command(line)
    explain_reply(line)
    assert set(words_of(line)) <= {word for table in TABLES.values() for word in table.values()}


@pytest.mark.parametrize("piece", ["(", '"', "\\", "BODY[", "{1}\r\n", "{", "FROM ", '"a" '])
def test_a_long_line_is_read_in_one_go(piece: str) -> None:
    # Were any step quadratic, this would take minutes.
    line = "UID SEARCH " + piece * (200_000 // len(piece))
    assert len(words_of(line)) <= 1
    assert len(words_of(line.replace("SEARCH", "FETCH"))) <= 2
