"""What is said to sign in, and which mechanism is chosen to say it by."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.exceptions import AuthenticationError
from mailframe.imap.sasl import (
    COMMAND,
    for_password,
    for_token,
    in_words,
    mechanisms,
    refuse_unsendable,
    sasl_oauthbearer,
    sasl_plain,
    sasl_string,
    sasl_xoauth2,
    solve_cram_md5,
)

USER = "me@example.com"

# -- the choice


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("", COMMAND),
        ("AUTH=PLAIN", "PLAIN"),
        ("AUTH=PLAIN LOGINDISABLED", "PLAIN"),
        ("AUTH=LOGIN AUTH=CRAM-MD5 AUTH=PLAIN", "PLAIN"),
        ("AUTH=LOGIN", COMMAND),
        ("AUTH=LOGIN AUTH=CRAM-MD5", COMMAND),
        ("AUTH=LOGIN AUTH=CRAM-MD5 LOGINDISABLED", "CRAM-MD5"),
        ("AUTH=CRAM-MD5 LOGINDISABLED", "CRAM-MD5"),
        # As some Dovecots said it, and then refused the command.
        ("AUTH=CRAM-MD5", "CRAM-MD5"),
        ("AUTH=LOGIN LOGINDISABLED", "LOGIN"),
        ("AUTH=XOAUTH2 AUTH=OAUTHBEARER", COMMAND),
        ("AUTH=XOAUTH2 LOGINDISABLED", ""),
        ("AUTH=GSSAPI AUTH=SCRAM-SHA-256 LOGINDISABLED", ""),
        ("LOGINDISABLED", ""),
    ],
)
def test_a_password_goes_by_the_best_that_is_offered(offered: str, chosen: str) -> None:
    assert for_password(frozenset(f"IMAP4REV1 {offered}".split())) == chosen


@pytest.mark.parametrize(
    ("offered", "wanted", "chosen"),
    [
        ("AUTH=PLAIN AUTH=CRAM-MD5", "CRAM-MD5", "CRAM-MD5"),
        ("AUTH=PLAIN", "CRAM-MD5", ""),
        ("AUTH=LOGIN", "PLAIN", ""),
        ("AUTH=PLAIN", "LOGIN", COMMAND),
        ("AUTH=PLAIN AUTH=LOGIN", "LOGIN", COMMAND),
        ("AUTH=CRAM-MD5", "LOGIN", COMMAND),
        ("AUTH=PLAIN AUTH=LOGIN LOGINDISABLED", "LOGIN", "LOGIN"),
        ("AUTH=PLAIN LOGINDISABLED", "LOGIN", ""),
    ],
)
def test_a_mechanism_that_is_wanted_is_taken_or_none(
    offered: str, wanted: str, chosen: str
) -> None:
    assert for_password(frozenset(offered.split()), wanted) == chosen


@pytest.mark.parametrize(("offered", "chosen"), [("AUTH=PLAIN", "PLAIN"), ("AUTH=LOGIN", "")])
def test_anothers_mailbox_can_be_asked_for_by_plain_alone(offered: str, chosen: str) -> None:
    assert for_password(frozenset([offered]), for_another=True) == chosen


@pytest.mark.parametrize(
    ("offered", "wanted", "chosen"),
    [
        ("AUTH=PLAIN AUTH=XOAUTH2", "", "XOAUTH2"),
        ("AUTH=OAUTHBEARER AUTH=XOAUTH2", "", "XOAUTH2"),
        ("AUTH=OAUTHBEARER AUTH=PLAIN", "", "OAUTHBEARER"),
        ("AUTH=OAUTHBEARER AUTH=XOAUTH2", "OAUTHBEARER", "OAUTHBEARER"),
        ("AUTH=XOAUTH2", "OAUTHBEARER", ""),
        ("AUTH=PLAIN", "", ""),
    ],
)
def test_a_token_goes_by_what_is_offered(offered: str, wanted: str, chosen: str) -> None:
    assert for_token(frozenset(offered.split()), wanted) == chosen


def test_mechanisms_are_told_from_other_capabilities() -> None:
    assert mechanisms(["AUTH=PLAIN", "SASL-IR", "XAUTH=NO", "AUTH="]) == {"PLAIN", ""}


# -- the strings


def test_plain_says_who_signs_in_and_whose_mailbox_is_meant() -> None:
    assert sasl_plain("tim", "tanstaaf\xa0ü") == "\0tim\0tanstaaf\xa0ü"
    # RFC 4616 section 4
    assert sasl_plain("Kurt", "xipj3plmq", "Ursel") == "Ursel\0Kurt\0xipj3plmq"


def test_cram_md5_answers_the_challenge_of_its_rfc() -> None:
    # RFC 2195 section 2
    solved = solve_cram_md5(
        "tim", "tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>"
    )
    assert solved == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_cram_md5_takes_letters_that_are_not_ascii() -> None:
    assert solve_cram_md5("müller", "ü", b"").startswith("müller ".encode())


def test_the_string_of_oauthbearer_is_that_of_its_rfc() -> None:
    # RFC 7628 section 4.1
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    assert sasl_oauthbearer("user@example.com", token, "server.example.com", 143) == (
        f"n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer {token}\1\1"
    )
    assert sasl_oauthbearer("me", "x") == "n,a=me,\1auth=Bearer x\1\1"


def test_a_comma_in_a_name_does_not_end_it() -> None:
    assert sasl_oauthbearer("a=b,c", "x").startswith("n,a=a=3Db=2Cc,\1")


@pytest.mark.parametrize("make", [sasl_xoauth2, sasl_oauthbearer])
def test_a_sasl_string_is_read_as_it_is_and_in_base64(make: object) -> None:
    assert callable(make)
    text = make(USER, "ya29.x")
    in_base64 = base64.b64encode(text.encode()).decode()
    assert sasl_string(text) == sasl_string(in_base64) == text.encode()


# -- what cannot be sent

UNSENDABLE = ["\r", "\n", "\0", "\1", "\ud800", "\udce9", "\udfff"]


@pytest.mark.parametrize("character", UNSENDABLE, ids=ascii)
def test_what_cannot_be_sent_is_refused_wherever_it_stands(character: str) -> None:
    bad = f"Zk9xQ7w{character}x"
    calls = [
        lambda: refuse_unsendable("fine", bad),
        lambda: sasl_plain(bad, "x"),
        lambda: sasl_plain("x", bad),
        lambda: sasl_plain("x", "x", bad),
        lambda: sasl_xoauth2(bad, "x"),
        lambda: sasl_xoauth2("x", bad),
        lambda: sasl_oauthbearer(bad, "x"),
        lambda: sasl_oauthbearer("x", bad),
        lambda: sasl_oauthbearer("x", "x", bad),
    ]
    for call in calls:
        with pytest.raises(AuthenticationError, match="control character") as caught:
            call()
        assert "Zk9xQ7w" not in str(caught.value)


@given(st.text())
def test_whatever_is_not_refused_arrives_in_its_field(text: str) -> None:
    try:
        plain = sasl_plain(text, "secret", text)
        bearer = sasl_oauthbearer(text, "token", "host", 1)
    except AuthenticationError:
        assert set(text) & set("".join(UNSENDABLE)) or not text.isascii()
        return
    assert plain.split("\0") == [text, text, "secret"]
    name, *fields = bearer.split("\1")
    assert fields == ["host=host", "port=1", "auth=Bearer token", "", ""]
    _, read, end = name.split(",")
    assert (read[2:].replace("=2C", ",").replace("=3D", "="), end) == (text, "")


# -- the error report


def encoded(report: object) -> bytes:
    return base64.b64encode(json.dumps(report).encode())


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (encoded({"status": "401", "schemes": "bearer"}), "(status: 401, schemes: bearer)"),
        (encoded({"status": 400, "scope": None}), "(status: 400, scope: None)"),
        (encoded({"status": "a\r\nb\x1b[2J\0\ud800"}), "(status: a??b?[2J??)"),
        (encoded({"x": "y" * 2000}), f"(x: {'y' * 497})"),
        (encoded([1, 2]), ""),
        (encoded("text"), ""),
        (b"not base64!", ""),
        (b"", ""),
        (base64.b64encode(b"\xff\xfe"), ""),
        (base64.b64encode(b"[" * 100_000), ""),
    ],
)
def test_an_error_report_is_shown_in_words_that_can_be_shown(challenge: bytes, words: str) -> None:
    assert in_words(challenge) == words
    words.encode()


@given(st.binary())
def test_any_challenge_is_read(challenge: bytes) -> None:
    assert isinstance(in_words(challenge), str)
    assert isinstance(in_words(base64.b64encode(challenge)), str)
