"""Logging in: each way, each refusal, and what is asked afterwards."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    InsecureLoginError,
    MailframeError,
    ThrottledError,
)
from mailframe.imap.auth import log_in, log_in_oauth2, sasl_xoauth2
from mailframe.imap.credentials import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs import scripted as rig
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]

USER = "me@example.com"
TOKEN = "ya29.canary-token"
XOAUTH2 = f"user={USER}\1auth=Bearer {TOKEN}\1\1"
OAUTHBEARER = f"n,a={USER},\1host=imap.example.com\1port=993\1auth=Bearer {TOKEN}\1\1"
REFUSED = b"<tag> NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


def challenging(challenge: bytes) -> rig.Function:
    """Return an AUTHENTICATE that reports an error by a challenge, then says NO."""

    def authenticate(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        if b" " not in args:
            connection.send(b"+ \r\n")
            connection.read_line()
        connection.send(b"+ " + challenge + b"\r\n")
        connection.read_line()
        return REFUSED

    return authenticate


# -- passwords


def test_login_is_used_where_nothing_better_is_offered(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1")
    connection = connected(server)
    log_in(connection, USER, 'pa"ss\\word')
    assert server.commands("LOGIN") == [b'"me@example.com" "pa\\"ss\\\\word"']
    assert (connection.logged_in, connection.account) == (True, USER)


def test_plain_is_sent_at_once_where_the_server_takes_it(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR")
    log_in(connected(server), USER, "secret")
    assert server.commands("AUTHENTICATE") == [b"PLAIN " + encoded(f"\0{USER}\0secret")]
    assert server.commands("LOGIN") == []


def test_plain_waits_to_be_asked_where_it_must(scripted: Scripted, connected: Connected) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN")
    log_in(connected(server), USER, "secret")
    assert server.commands("AUTHENTICATE") == [b"PLAIN"]
    assert encoded(f"\0{USER}\0secret") in server.received


@pytest.mark.parametrize(
    ("capabilities", "sent"),
    [
        ("IMAP4rev1 AUTH=PLAIN SASL-IR", b"PLAIN " + encoded("\0müller\0pässwörd€")),
        ("IMAP4rev1 LITERAL+", None),
    ],
)
def test_a_password_that_is_not_ascii_is_sent_in_utf8(
    scripted: Scripted, connected: Connected, capabilities: str, sent: bytes | None
) -> None:
    server = scripted(capabilities=capabilities)
    log_in(connected(server), "müller", "pässwörd€")
    if sent is not None:
        assert server.commands("AUTHENTICATE") == [sent]
    else:
        [login] = server.commands("LOGIN")
        assert login == "{7}\r\nmüller {13}\r\npässwörd€".encode()


def test_a_server_that_takes_no_password_is_not_given_one(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1 LOGINDISABLED")
    with pytest.raises(AuthenticationError, match="accepts no password"):
        log_in(connected(server), USER, "canary")
    assert b"canary" not in server.clear_text


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN SASL-IR"])
def test_a_wrong_password_is_refused_in_the_servers_words(
    scripted: Scripted, connected: Connected, capabilities: str
) -> None:
    server = scripted({"LOGIN": REFUSED, "AUTHENTICATE": REFUSED}, capabilities=capabilities)
    connection = connected(server)
    with pytest.raises(AuthenticationError, match="app password") as caught:
        log_in(connection, USER, "wrong")
    assert caught.value.reply == "NO [AUTHENTICATIONFAILED] Invalid credentials"
    assert isinstance(caught.value, PermissionError)
    assert not connection.logged_in


def test_dovecot_refuses_a_wrong_password_and_takes_the_right_one_then(
    dovecot: Dovecot, user: str, connected: Connected
) -> None:
    connection = connected(dovecot)
    with pytest.raises(AuthenticationError, match="AUTHENTICATIONFAILED"):
        log_in(connection, user, "wrong")
    log_in(connection, user, dovecot.password)
    assert connection.select("INBOX").exists == 0


def test_a_login_that_is_throttled_says_so(scripted: Scripted, connected: Connected) -> None:
    server = scripted({"LOGIN": b"<tag> NO [UNAVAILABLE] Too busy\r\n"})
    with pytest.raises(ThrottledError, match="Too busy"):
        log_in(connected(server), USER, "secret")


def test_half_a_character_in_a_password_is_refused_in_our_words(
    scripted: Scripted, connected: Connected
) -> None:
    # os.environ decodes what is not UTF-8 in this way.
    for capabilities in ("IMAP4rev1", "IMAP4rev1 AUTH=PLAIN SASL-IR"):
        server = scripted(capabilities=capabilities)
        with pytest.raises(MailframeError) as caught:
            log_in(connected(server), USER, "canary-\udce9")
        assert "canary" not in str(caught.value)


def test_a_second_login_on_one_connection_is_refused(
    scripted: Scripted, connected: Connected
) -> None:
    # The server still shows the first one's mail, which must not be labelled as the second's.
    connection = connected(scripted())
    log_in(connection, "alice@example.com", "secret")
    with pytest.raises(AuthenticationError):
        log_in(connection, "bob@example.com", "wrong")
    assert connection.account == "alice@example.com"


# -- where the password came from


def test_a_refused_password_is_named_by_where_it_came_from(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"LOGIN": REFUSED}, capabilities="IMAP4rev1")
    secret = Secret("wrong", "keyring", "the keyring", "mf.credentials.save(...) puts another.")
    with pytest.raises(AuthenticationError) as caught:
        log_in(connected(server), USER, secret)
    assert caught.value.tried.endswith(f"as {USER} with the password from the keyring.")
    assert caught.value.suggestion.endswith("mf.credentials.save(...) puts another.")
    assert "app password" in caught.value.suggestion


def test_a_refused_app_password_that_was_copied_with_its_blanks_is_told_so(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"LOGIN": REFUSED}, capabilities="IMAP4rev1")
    with pytest.raises(AuthenticationError, match="no-break") as caught:
        log_in(connected(server), USER, "abcd\xa0efgh\xa0ijkl\xa0mnop")
    assert "efgh" not in str(caught.value)


def test_what_signs_in_again_does_not_show_the_password(
    scripted: Scripted, connected: Connected
) -> None:
    connection = connected(scripted())
    log_in(connection, USER, "canary")
    assert "canary" not in repr(connection.sign_in)


# -- tokens


@pytest.mark.parametrize(
    ("mechanism", "text"), [(b"XOAUTH2", XOAUTH2), (b"OAUTHBEARER", OAUTHBEARER)]
)
@pytest.mark.parametrize("in_base64", [False, True])
def test_a_sasl_string_is_sent_by_the_mechanism_it_is_written_for(
    scripted: Scripted,
    connected: Connected,
    mechanism: bytes,
    text: str,
    in_base64: bool,  # noqa: FBT001 a parameter
) -> None:
    server = scripted(capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER")
    connection = connected(server)
    log_in_oauth2(connection, USER, encoded(text).decode() if in_base64 else text)
    assert server.commands("AUTHENTICATE") == [mechanism + b" " + encoded(text)]
    assert connection.account == USER


def test_without_initial_response_the_token_waits_to_be_asked_for(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=XOAUTH2")
    log_in_oauth2(connected(server), USER, XOAUTH2)
    assert server.commands("AUTHENTICATE") == [b"XOAUTH2"]
    assert encoded(XOAUTH2) in server.received


@pytest.mark.parametrize(
    ("text", "acknowledgement"), [(XOAUTH2, b""), (OAUTHBEARER, b"AQ==")], ids=["x", "bearer"]
)
@pytest.mark.parametrize("initial_response", ["SASL-IR", ""])
def test_an_error_report_is_acknowledged_and_shown_in_words(
    scripted: Scripted,
    connected: Connected,
    text: str,
    acknowledgement: bytes,
    initial_response: str,
) -> None:
    report = {"status": "401", "schemes": "bearer", "scope": "https://mail.google.com/"}
    server = scripted(
        {"AUTHENTICATE": challenging(encoded(json.dumps(report)))},
        capabilities=f"IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER {initial_response}",
    )
    with pytest.raises(AuthenticationError) as caught:
        log_in_oauth2(connected(server), USER, text)
    assert "Invalid credentials (status: 401, schemes: bearer" in caught.value.reply
    assert acknowledgement in server.received


@pytest.mark.parametrize(
    "challenge",
    [b"", b"not base64!", *map(encoded, ["", "no json", "[1, 2]", '"text"', "42", "null", "{}"])],
    ids=str,
)
def test_an_error_report_of_any_form_ends_in_the_servers_no(
    scripted: Scripted, connected: Connected, challenge: bytes
) -> None:
    server = scripted(
        {"AUTHENTICATE": challenging(challenge)}, capabilities="IMAP4rev1 AUTH=XOAUTH2 SASL-IR"
    )
    with pytest.raises(AuthenticationError, match="Invalid credentials"):
        log_in_oauth2(connected(server), USER, XOAUTH2)


def test_a_challenge_to_plain_is_given_up(scripted: Scripted, connected: Connected) -> None:
    server = scripted(
        {"AUTHENTICATE": challenging(b"Zm9v")}, capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR"
    )
    with pytest.raises(AuthenticationError, match="Invalid credentials"):
        log_in(connected(server), USER, "secret")
    assert b"*" in server.received


@pytest.mark.parametrize(
    "token",
    [TOKEN, "", "Bearer x", "user=me", encoded(TOKEN).decode(), "user=me\1auth=Basic x\1\1", "é"],
)
def test_what_is_no_sasl_string_is_refused_with_the_reason(
    scripted: Scripted, connected: Connected, token: str
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=XOAUTH2")
    with pytest.raises(AuthenticationError, match="sasl_xoauth2") as caught:
        log_in_oauth2(connected(server), USER, token)
    assert not token or token not in str(caught.value)
    assert server.commands("AUTHENTICATE") == []


def test_a_server_without_the_mechanism_is_not_given_the_token(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER")
    with pytest.raises(AuthenticationError, match="by XOAUTH2") as caught:
        log_in_oauth2(connected(server), USER, XOAUTH2)
    assert caught.value.reply == "AUTH=OAUTHBEARER AUTH=PLAIN"
    assert server.commands("AUTHENTICATE") == []


def test_the_sasl_string_is_googles_and_microsofts() -> None:
    assert sasl_xoauth2(USER, TOKEN) == XOAUTH2


@pytest.mark.parametrize(("username", "token"), [("a\1b", "x"), ("a", "x\1y"), ("a", "x\r\ny")])
def test_no_field_can_be_slipped_into_a_sasl_string(username: str, token: str) -> None:
    with pytest.raises(AuthenticationError, match="control character"):
        sasl_xoauth2(username, token)


# -- afterwards


def test_what_is_offered_is_asked_again_after_login(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(
        capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR",
        capabilities_after_login="IMAP4rev1 ESEARCH LITERAL+",
    )
    connection = connected(server)
    log_in(connection, USER, "secret")
    assert connection.capabilities == {"IMAP4REV1", "ESEARCH", "LITERAL+"}
    assert connection.wire.literal_plus


def test_what_is_offered_may_come_with_the_login_itself(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(
        {"LOGIN": b"<tag> OK [CAPABILITY IMAP4rev1 ESEARCH] in\r\n"}, capabilities="IMAP4rev1"
    )
    connection = connected(server)
    before = len(server.commands("CAPABILITY"))
    log_in(connection, USER, "secret")
    assert connection.capabilities == {"IMAP4REV1", "ESEARCH"}
    assert len(server.commands("CAPABILITY")) == before


@pytest.mark.parametrize(
    "options",
    [
        {"capabilities": "IMAP4rev1 ID"},
        {
            "capabilities": "IMAP4rev1",
            "handlers": {"LOGIN": b"<tag> OK [CAPABILITY IMAP4rev1 ID] in\r\n"},
        },
    ],
)
def test_the_client_says_who_it_is_where_that_is_asked(
    scripted: Scripted, connected: Connected, options: dict[str, object]
) -> None:
    server = scripted(**options)
    log_in(connected(server), USER, "secret")
    assert server.commands("ID") == [b'("name" "mailframe")']


def test_the_client_says_who_it_is_to_a_server_that_offers_it_only_after_login(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1", capabilities_after_login="IMAP4rev1 ID")
    log_in(connected(server), USER, "secret")
    assert len(server.commands("ID")) == 1


def test_the_client_does_not_say_who_it_is_where_nobody_asks(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1")
    log_in(connected(server), USER, "secret")
    assert server.commands("ID") == []


def test_a_refused_id_is_no_refused_login(scripted: Scripted, connected: Connected) -> None:
    connection = connected(scripted({"ID": b"<tag> BAD what\r\n"}))
    log_in(connection, USER, "secret")
    assert connection.select("INBOX").exists == 0


def test_a_server_that_hangs_up_after_the_login_is_an_error(
    scripted: Scripted, connected: Connected
) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.send(b"* BYE user is connected but not authenticated\r\n")
        connection.close()

    # Outlook's way of refusing: OK to the login, the end at the next command.
    with pytest.raises(ConnectionFailedError, match="after logging in") as caught:
        log_in(connected(scripted({"ID": hang_up})), USER, "secret")
    assert caught.value.reply == "user is connected but not authenticated"


def test_a_greeting_that_says_logged_in_already_needs_no_password(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(greeting=b"* PREAUTH welcome\r\n")
    for login, secret in ((log_in, "canary"), (log_in_oauth2, XOAUTH2)):
        connection = connected(server)
        login(connection, USER, secret)
        assert connection.select("INBOX").account == USER
    assert server.commands("LOGIN") == server.commands("AUTHENTICATE") == []
    assert b"canary" not in server.clear_text


def test_an_account_without_at_is_named_with_its_host(
    scripted: Scripted, connected: Connected
) -> None:
    connection = connected(scripted())
    log_in(connection, "me", "secret")
    assert connection.account == "me@127.0.0.1"


def test_a_login_in_clear_text_to_another_machine_is_refused_in_words(
    scripted: Scripted, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.imap.connection.is_local", lambda _host: False)
    with pytest.raises(InsecureLoginError, match="not encrypted"):
        log_in(connected(scripted()), USER, "secret")
