"""Refusals in the servers' own words become a code and the next step at that provider."""

from __future__ import annotations

import pickle
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe import exceptions
from mailframe.exceptions import (
    AuthenticationError,
    CertificateError,
    CommandError,
    ConnectionFailedError,
    FolderError,
    InsecureLoginError,
    MailframeError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap.advice import explained
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.failures import UNREACHED
from mailframe.imap.providers import provider_of, provider_of_host, providers
from mailframe.imap.refusals import NO_PASSWORD_OF_THE_ACCOUNT, RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rigs.certificates import Certificates
    from tests.rigs.scripted import ScriptedServer

GMAIL, OUTLOOK, YAHOO = "imap.gmail.com", "outlook.office365.com", "imap.mail.yahoo.com"
BAD_TOKEN = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
CLASSES = [
    kind
    for kind in (getattr(exceptions, name) for name in exceptions.__all__)
    if issubclass(kind, exceptions.MailframeError)
]

# As they stand in reports of issues (`Rule.seen` says where), but for addresses and session ids.
PASSWORDS = [
    (GMAIL, ("NO [ALERT] Application-specific password required: https://support.google.com/"
     "accounts/answer/185833 (Failure)"), "app-password-needed"),
    (GMAIL, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "wrong-password"),
    (GMAIL, ("NO [ALERT] Please log in via your web browser: https://support.google.com/mail/"
     "accounts/answer/78754 (Failure)"), "web-login-required"),
    (GMAIL, "NO [WEBALERT https://accounts.google.com/signin/continue?x] Web login required.",
     "web-login-required"),
    (GMAIL, ("NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail "
     "settings page and enable your account for IMAP access. (Failure)"), "imap-off"),
    (GMAIL, ("NO [ALERT] IMAP access is disabled for your domain. Please contact your domain "
     "administrator for questions about this feature. (Failure)"), "imap-off"),
    (GMAIL, "NO [ALERT] Too many simultaneous connections. (Failure)", "too-many-connections"),
    (OUTLOOK, "NO Basic authentication is disabled.", "basic-auth-retired"),
    (OUTLOOK, "NO LOGIN failed.", "basic-auth-retired"),
    (OUTLOOK, "NO AUTHENTICATE failed.", "basic-auth-retired"),
    ("imap-mail.outlook.com", "NO LOGIN failed.", "basic-auth-retired"),
    ("exchange.example.com", "NO Basic authentication is disabled.", "basic-auth-retired"),
    (YAHOO, "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "app-password-needed"),
    (YAHOO, "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials", "app-password-needed"),
    (YAHOO, "NO [AUTHENTICATIONFAILED] (#MBR1212) Incorrect username or password.",
     "app-password-needed"),
    ("imap.mail.me.com", "NO [AUTHENTICATIONFAILED] Authentication Failed", "app-password-needed"),
    ("imap.fastmail.com", "NO Incorrect username, password or access token.",
     "app-password-needed"),
    ("imap.mail.ru", ("NO NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/"
     "protection/external / Aplication password is REQUIRED"), "app-password-needed"),
    ("imap.yandex.com", ("NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled "
     "sc=cYXlpv732Cg1_010534_2-1e59ad28a72c"), "imap-off"),
    ("imap.qq.com", ("NO Login fail. Account is abnormal, service is not open, password is "
     "incorrect, login frequency limited, or system is busy."), "app-password-needed"),
    ("imap.qq.com", ("NO Please using authorized code to login. More information at http://service"
     ".mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"), "app-password-needed"),
    ("imap.163.com", "NO LOGIN Login error or password error", "app-password-needed"),
    ("imap.gmx.net", "NO authentication failed", "wrong-password"),
    ("imap.web.de", "NO authentication failed", "wrong-password"),
    ("imap.zoho.com", "NO [AUTHENTICATIONFAILED] Invalid credentials(Failure)", "wrong-password"),
    ("posteo.de", "NO [AUTHENTICATIONFAILED] Authentication failed.", "wrong-password"),
    ("imap.example.com", "NO [AUTHENTICATIONFAILED] Authentication failed.", "wrong-password"),
]  # fmt: skip
TOKENS = [
    (GMAIL, f"{BAD_TOKEN} (status: 400, schemes: Bearer, scope: https://mail.google.com/)",
     "token-without-scope"),
    (GMAIL, f"{BAD_TOKEN} (status: 401, schemes: bearer mac, scope: https://mail.google.com/)",
     "token-expired"),
    (GMAIL, "invalid_grant: Token has been expired or revoked.", "test-mode-token"),
    (GMAIL, ("invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
     "reasonable timeframe. Check your iat and exp values in the JWT claim."), "clock-skew"),
    (OUTLOOK, "NO AUTHENTICATE failed.", "token-refused"),
    (OUTLOOK, ("NO LOGIN failed. Account is blocked. Login to your account via a web browser to "
     "verify your identity."), "web-login-required"),
    (OUTLOOK, "invalid_grant: AADSTS700082: The refresh token has expired due to inactivity.",
     "token-expired"),
    ("imap.example.com", ("NO [AUTHENTICATIONFAILED] Authentication failed. (status: "
     "invalid_token, schemes: bearer, scope: mail)"), "token-expired"),
    ("imap.example.com", "NO SASL authentication failed (status: insufficient_scope, scope: mail)",
     "token-without-scope"),
    ("imap.fastmail.com", "NO Incorrect username, password or access token.", "token-refused"),
]  # fmt: skip
CONNECTIONS = [
    (CertificateError, "self-signed certificate", "self-signed"),
    (CertificateError, "self signed certificate in certificate chain", "self-signed"),
    (CertificateError, "certificate has expired", "certificate-expired"),
    (CertificateError, "certificate is not yet valid", "clock-skew"),
    (CertificateError, "Hostname mismatch, certificate is not valid for 'imap.example.com'.",
     "certificate-name"),
    (CertificateError, "IP address mismatch, certificate is not valid for '192.0.2.1'.",
     "certificate-name"),
    (CertificateError, "unable to get local issuer certificate", "certificate-unknown"),
    (CertificateError, "CA cert does not include key usage extension", "certificate-strict"),
    (CertificateError, "Missing Authority Key Identifier", "certificate-strict"),
    (ServerTimeoutError, "nothing for 30 seconds", "silent-server"),
    (ConnectionFailedError, "No route to host", "port-blocked"),
    (ConnectionFailedError, "connection refused", "connection-refused"),
    (ConnectionFailedError, "Name or service not known", "unknown-host"),
    (ConnectionFailedError, "nodename nor servname provided, or not known", "unknown-host"),
]  # fmt: skip


def login_error(reply: str, kind: type[MailframeError] = AuthenticationError) -> MailframeError:
    return kind("Could not log in to the server as me.", reply=reply)


def connection_error(reply: str, kind: type[MailframeError]) -> MailframeError:
    return kind("Could not connect to imap.example.com, port 993.", reply=reply)


# words and codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "reply", "code"), PASSWORDS)
def test_a_refused_password_is_understood(host: str, reply: str, code: str) -> None:
    assert explained(login_error(reply), host=host).code == code


@pytest.mark.parametrize(("host", "reply", "code"), TOKENS)
def test_a_refused_token_is_understood(host: str, reply: str, code: str) -> None:
    error = explained(login_error(reply), host=host, username="me@example.com", method="oauth")
    assert error.code == code


@pytest.mark.parametrize(("kind", "reply", "code"), CONNECTIONS)
def test_a_connection_that_does_not_come_about_is_understood(
    kind: type[MailframeError], reply: str, code: str
) -> None:
    assert explained(connection_error(reply, kind), host="imap.example.com").code == code


@pytest.mark.parametrize(
    ("kind", "host", "reply", "method", "code"),
    [
        (ThrottledError, "imap.example.com", ("NO [UNAVAILABLE] Maximum number of connections from "
         "user+IP exceeded (mail_max_userip_connections=10)"), "password", "too-many-connections"),
        (FolderError, "imap.163.com", ("NO SELECT Unsafe Login. Please contact kefu@188.com for "
         "help"), "password", "client-unknown"),
        (FolderError, OUTLOOK, "BAD User is authenticated but not connected.", "oauth",
         "wrong-account"),
        (FolderError, OUTLOOK, "BAD User is authenticated but not connected.", "password",
         "basic-auth-retired"),
        (CommandError, "exchange.example.com", "BAD User is authenticated but not connected.",
         "password", "wrong-password"),
    ],
)  # fmt: skip
def test_what_is_refused_only_after_the_login_is_understood(
    kind: type[MailframeError], host: str, reply: str, method: Any, code: str
) -> None:
    assert explained(login_error(reply, kind), host=host, method=method).code == code


def test_every_rule_has_a_text_that_it_is_for() -> None:
    seen = {code for *_, code in (*PASSWORDS, *TOKENS, *CONNECTIONS)}
    elsewhere = {"wrong-account", "client-unknown", "starttls-stripped"}
    assert {rule.code for rule in RULES} == seen | elsewhere


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_names_providers_that_there_are(rule: Any) -> None:
    known = {one.key for one in providers()} | {one.oauth for one in providers()}
    assert rule.whose <= known | {NO_PASSWORD_OF_THE_ACCOUNT}
    assert rule.method in {"", "password", "oauth"}


# what to do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "reply", "code"), PASSWORDS)
def test_the_advice_names_the_providers_own_page(host: str, reply: str, code: str) -> None:
    provider = provider_of_host(host)
    suggestion = explained(login_error(reply), host=host).suggestion
    assert suggestion.endswith((".", ")"))
    assert "{" not in suggestion
    assert "  " not in suggestion
    if provider is not None and code != "too-many-connections":
        pages = {provider.app_password_url, provider.enable_imap_url, provider.help_url}
        assert any(page and page in suggestion for page in pages)


def test_an_app_password_is_made_on_a_page_that_the_advice_names() -> None:
    error = explained(login_error(PASSWORDS[0][1]), host=GMAIL)
    assert "https://myaccount.google.com/apppasswords" in error.suggestion


def test_where_imap_is_switched_on_is_said_beside_a_wrong_password() -> None:
    error = explained(login_error("NO authentication failed"), host="imap.gmx.net")
    assert "switched on" in error.suggestion
    assert "https://hilfe.gmx.net/pop-imap/einschalten.html" in error.suggestion
    assert "https://hilfe.gmx.net/sicherheit/2fa/" in error.suggestion


def test_microsoft_is_signed_in_to_with_oauth() -> None:
    error = explained(login_error("NO LOGIN failed."), host=OUTLOOK, username="me@example.com")
    assert 'oauth="microsoft"' in error.suggestion
    assert "Microsoft 365" in error.suggestion


def test_tokens_are_asked_for_with_the_providers_scope() -> None:
    error = explained(
        login_error(TOKENS[0][1]), host=GMAIL, username="me@gmail.com", method="oauth"
    )
    assert "https://mail.google.com/" in error.suggestion
    assert "mailframe login me@gmail.com" in error.suggestion
    microsoft = explained(login_error("NO AUTHENTICATE failed."), host=OUTLOOK, method="oauth")
    assert "https://outlook.office.com/IMAP.AccessAsUser.All," in microsoft.suggestion


def test_a_token_of_test_mode_is_said_to_die_after_seven_days() -> None:
    error = explained(login_error("invalid_grant: Bad Request"), host=GMAIL, method="oauth")
    assert "7 days" in error.suggestion
    assert "In production" in error.suggestion


def test_a_user_name_without_the_domain_is_asked_for_where_it_has_to_be() -> None:
    free = explained(login_error("NO Login failed"), host="imap.free.fr").suggestion
    gmx = explained(login_error("NO authentication failed"), host="imap.gmx.net").suggestion
    assert "what stands before the @" in free
    assert "the whole address" in gmx


def test_a_page_is_named_once() -> None:
    for host, reply in (("imap.qq.com", "NO Login fail."), (OUTLOOK, "NO LOGIN failed.")):
        suggestion = explained(login_error(reply), host=host, username="me").suggestion
        pages = re.findall(r"https://[^ ]+", suggestion)
        assert len(pages) == len(set(pages)) >= 1
        assert "switched on" in suggestion


def test_the_name_that_a_certificate_is_for_is_said_where_the_address_shows_it() -> None:
    reply = "Hostname mismatch, certificate is not valid for 'mail.gmail.com'."
    error = connection_error(reply, CertificateError)
    suggestion = explained(error, host="mail.gmail.com", username="me@gmail.com").suggestion
    assert "(imap.gmail.com)" in suggestion


def test_the_limit_is_said_with_too_many_connections() -> None:
    reply = "NO [ALERT] Too many simultaneous connections. (Failure)"
    error = explained(login_error(reply, ThrottledError), host=GMAIL)
    assert "pool_size=1" in error.suggestion
    assert "15 connections" in error.suggestion


def test_bridges_own_password_is_meant_on_this_machine() -> None:
    error = explained(login_error("NO no such user"), host="127.0.0.1", username="me@proton.me")
    assert error.code == "wrong-password"
    assert "Bridge shows" in error.suggestion


def test_a_provider_may_be_given() -> None:
    provider = provider_of("me@icloud.com")
    error = explained(login_error("NO no"), host="127.0.0.1", provider=provider)
    assert error.code == "app-password-needed"
    assert "https://appleid.apple.com" in error.suggestion


# what stays --------------------------------------------------------------------------------------


def test_what_is_said_behind_the_general_advice_stays() -> None:
    error = login_error("NO LOGIN failed.")
    error.suggestion = f"{AuthenticationError.suggestion} The password came from the keyring."
    suggestion = explained(error, host="imap.gmx.net").suggestion
    assert suggestion.endswith(" The password came from the keyring.")
    assert AuthenticationError.suggestion not in suggestion


def test_an_error_with_a_code_is_left_as_it_is() -> None:
    error = AuthenticationError(
        "No.", reply="NO LOGIN failed.", suggestion="Do this.", code="mechanism-not-offered"
    )
    assert explained(error, host=GMAIL) is error
    assert (error.code, error.suggestion) == ("mechanism-not-offered", "Do this.")


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("No password for me@example.com."),
        InsecureLoginError("The password would have crossed the network in clear text."),
        login_error("BAD Error in IMAP command LOGIN: syntax"),
        CommandError("Could not search.", reply="NO [SERVERBUG] Try again"),
        FolderError("Could not open the folder 'x'.", reply="NO [NONEXISTENT] Unknown mailbox"),
        ServerTimeoutError("Could not search.", reply="nothing for 30 seconds"),
        CertificateError("Could not connect to self-signed.example.com.", reply="unhandled"),
    ],
)
@pytest.mark.parametrize("host", ["imap.example.com", YAHOO])
def test_what_no_rule_knows_is_left_as_it_is(error: MailframeError, host: str) -> None:
    before = (error.code, error.suggestion)
    explained(error, host=host, username="me@example.com")
    assert (error.code, error.suggestion) == before


texts = st.one_of(
    st.text(), st.sampled_from([reply for _, reply, _ in (*PASSWORDS, *TOKENS, *CONNECTIONS)])
)


@given(
    kind=st.sampled_from(CLASSES),
    tried=st.one_of(texts, st.just("Could not connect to x, port 99999999999999999999.")),
    reply=st.tuples(texts, texts).map("".join),
    host=st.one_of(st.text(), st.sampled_from([GMAIL, OUTLOOK, "{host}", "127.0.0.1"])),
    username=st.one_of(st.text(), st.sampled_from(["me@proton.me", "{}", "a@b", ""])),
    method=st.sampled_from(["password", "oauth"]),
    provider=st.sampled_from([None, *providers()]),
)
def test_explaining_never_fails_and_keeps_class_and_words(
    kind: type[MailframeError],
    tried: str,
    reply: str,
    host: str,
    username: str,
    method: Any,
    provider: Any,
) -> None:
    error = kind(tried, reply=reply)
    found = explained(error, host=host, username=username, method=method, provider=provider)
    assert type(found) is kind
    assert (found.tried, found.reply) == (tried, reply)
    assert found.suggestion or not kind.suggestion
    again = pickle.loads(pickle.dumps(found))
    assert (again.code, again.suggestion) == (found.code, found.suggestion)


def test_only_the_beginning_of_a_huge_reply_is_looked_at() -> None:
    for piece in ("a", "no ", "imap ", "too many ", "certificate ", "\n", "app "):
        error = login_error(f"NO {piece * 300_000} Application-specific password required")
        assert explained(error, host="imap.example.com").code == "wrong-password"


def test_the_name_of_a_host_is_not_taken_for_a_servers_words() -> None:
    tried = "Could not connect to self-signed.example.com, port 993."
    error = CertificateError(tried, reply="certificate has expired")
    assert explained(error, host="self-signed.example.com").code == "certificate-expired"


def test_the_cause_stays_behind_the_error() -> None:
    cause = ValueError("as imaplib had it")
    error = login_error("NO LOGIN failed.")
    error.__cause__ = cause
    assert explained(error, host=GMAIL).__cause__ is cause


# with real connections ---------------------------------------------------------------------------


def refused(server: ScriptedServer, **options: Any) -> MailframeError:
    with pytest.raises(MailframeError) as caught:
        Connection(server.host, server.port, timeout=5, **options)
    return explained(caught.value, host=server.host)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("self_signed", "self-signed"),
        ("expired", "certificate-expired"),
        ("wrong_name", "certificate-name"),
        ("good", "certificate-unknown"),  # its authority is known to nobody
    ],
)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_openssls_own_words_are_understood(
    scripted: Callable[..., ScriptedServer],
    certificates: Certificates,
    security: str,
    kind: str,
    code: str,
) -> None:
    server = scripted(security=security, certificate=getattr(certificates, kind))
    context = None if kind == "good" else certificates.good.client_context()
    error = refused(server, security=security, ssl_context=context)
    assert type(error) is CertificateError
    assert error.code == code


def test_a_self_signed_certificate_is_trusted_by_the_lines_that_the_advice_gives(
    scripted: Callable[..., ScriptedServer],
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = scripted(security="tls", certificate=certificates.self_signed)
    error = refused(server, ssl_context=certificates.good.client_context())
    monkeypatch.chdir(tmp_path)
    *fetch, connect = re.findall(r"^    (.+)$", error.suggestion, re.MULTILINE)
    assert connect.startswith("mf.connect(")
    exec("\n".join(fetch))
    context = eval(connect.partition("ssl_context=")[2].removesuffix(")"), {"ssl": ssl})
    connection = Connection(server.host, server.port, ssl_context=context, timeout=5)
    assert connection.encrypted
    connection.close()


def test_on_the_port_of_starttls_openssl_fetches_the_certificate() -> None:
    error = CertificateError(
        "Could not connect to imap.example.com, port 143.", reply="self-signed certificate"
    )
    suggestion = explained(error, host="imap.example.com").suggestion
    assert "openssl s_client -starttls imap -connect imap.example.com:143" in suggestion


def test_a_server_without_starttls_may_have_been_stripped_of_it(
    scripted: Callable[..., ScriptedServer],
) -> None:
    error = refused(scripted(), security="starttls")
    assert error.code == "starttls-stripped"
    assert "security='tls'" in error.suggestion


def test_a_port_where_nothing_listens_keeps_its_own_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionFailedError) as caught:
        Connection("127.0.0.1", port, timeout=5)
    error = explained(caught.value, host="127.0.0.1")
    assert error.code == "connection-refused"
    assert "993" in error.suggestion


def test_silence_on_connecting_means_a_blocked_port(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted(greeting=b"")
    with pytest.raises(ServerTimeoutError) as caught:
        Connection(server.host, server.port, security="none", timeout=0.05)
    error = explained(caught.value, host=server.host)
    assert error.code == "silent-server"
    assert f"port {server.port}" in error.suggestion
    # Where nobody took the connection at all:
    blocked = ServerTimeoutError(error.tried, reply=error.reply, code=UNREACHED)
    assert "Nothing came back" in explained(blocked, host=server.host).suggestion
    assert blocked.code == "port-blocked"


def test_a_refused_login_is_explained_without_the_password(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted(
        {"LOGIN": b"<tag> NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials: canary-7\r\n"}
    )
    connection = Connection(server.host, server.port, security="none", timeout=5)
    with pytest.raises(AuthenticationError) as caught:
        log_in(connection, "me@yahoo.com", "canary-7")
    error = explained(caught.value, host=YAHOO, username="me@yahoo.com")
    assert error.code == "app-password-needed"
    assert "canary-7" not in f"{error} {error!r} {vars(error)}"
    connection.close()
