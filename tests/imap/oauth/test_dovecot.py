"""From a sign-in in a browser to an open folder: a real OAuth server, a real Dovecot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import AuthenticationError
from mailframe.imap import IMAPClient
from mailframe.imap.auth import log_in_with_tokens
from mailframe.imap.connection import Connection
from mailframe.imap.oauth import OAuth2Authenticator
from tests.conftest import missing
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.oauth import TOKEN, WARNINGS
from tests.rigs.proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.oauth import OAuthRig

pytestmark = pytest.mark.filterwarnings(WARNINGS)


@pytest.fixture(scope="module")
def mail(running: OAuthRig) -> Iterator[Dovecot]:
    """Return a Dovecot that takes the tokens of `oauth`."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(oauth_server=running.url) as server:
        yield server


@pytest.fixture
def account(mail: Dovecot) -> str:
    name = f"{mail.new_user()}@example.com"
    mail.deliver(name, [b"Subject: Hello\r\n\r\nYou\r\n"])
    return name


@pytest.fixture
def client(mail: Dovecot) -> Iterator[IMAPClient]:
    with IMAPClient(readonly=True) as client:
        client.connect(
            host=mail.host, port=mail.tls_port, use_ssl=True, ssl_context=mail.ssl_context
        )
        yield client


def authenticator(oauth: OAuthRig, user: str, **options: Any) -> OAuth2Authenticator:
    settings: dict[str, Any] = {
        "flow": "browser",
        "open_browser": oauth.browser(user),
        "tell": lambda _: None,
        "timeout": 20,
    } | options
    return OAuth2Authenticator(
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        discovery_url=oauth.url,
        **settings,
    )


def test_from_the_browser_to_an_open_folder(
    oauth: OAuthRig, account: str, client: IMAPClient, tmp_path: Path
) -> None:
    signed_in = authenticator(oauth, account, token_file=tmp_path / "tokens.json")
    auth_string = signed_in.get_auth_string(username=account)
    client.authenticate_oauth2(username=account, auth_string=auth_string)
    client.select_folder("INBOX")
    assert [email.subject for email in client.fetch_emails(criteria="ALL", limit=10)] == ["Hello"]


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_ended_at_the_server_is_refreshed_when_it_refuses(
    oauth: OAuthRig, mail: Dovecot, account: str, mechanism: str
) -> None:
    signed_in = authenticator(oauth, account)
    before = signed_in.token(account)
    oauth.end(before)
    oauth.requests.clear()
    connection = Connection(mail.host, port=mail.port, security="none", timeout=20)
    try:
        log_in_with_tokens(connection, account, signed_in, mechanism=mechanism)
        connection.select("INBOX")
    finally:
        connection.close()
    assert signed_in.token(account) != before
    assert len(oauth.asked(TOKEN, grant_type="refresh_token")) == 1


def test_a_token_that_ends_in_mid_fetch_is_refreshed_for_the_next_connection(
    oauth: OAuthRig, mail: Dovecot, account: str
) -> None:
    mail.deliver(account, [b"Subject: %d\r\n\r\nYou\r\n" % number for number in range(200)])
    signed_in = authenticator(oauth, account)
    with (
        FaultProxy(mail.host, mail.port, [Fault("cut", at=30_000)]) as proxy,
        IMAPClient() as client,
    ):
        client.connect(proxy.host, proxy.port, use_ssl=False, ssl_context=mail.ssl_context)
        log_in_with_tokens(client.connection, account, signed_in)
        client.select_folder("INBOX")
        oauth.end_all()
        oauth.requests.clear()
        emails = client.fetch_emails()
        assert len(proxy.lines) == 2
    assert {email.subject for email in emails} == {"Hello", *map(str, range(200))}
    assert len(oauth.asked(TOKEN, grant_type="refresh_token")) == 1


def test_the_token_of_another_account_opens_nothing(
    oauth: OAuthRig, mail: Dovecot, account: str, client: IMAPClient
) -> None:
    other = f"{mail.new_user()}@example.com"
    signed_in = authenticator(oauth, other, check_account=False)
    with pytest.raises(AuthenticationError):
        client.authenticate_oauth2(account, signed_in.get_auth_string(account))


def test_a_code_from_another_device_opens_a_folder(
    oauth: OAuthRig, account: str, client: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def consent(_seconds: float) -> None:
        [device] = [one for one in oauth.devices.values() if one.user is None]
        oauth.approve(device.user_code, account)

    monkeypatch.setattr("mailframe.imap.oauth.flows.time.sleep", consent)
    signed_in = authenticator(oauth, "", flow="device")
    client.authenticate_oauth2(account, signed_in.get_auth_string(account))
    client.select_folder("INBOX")


def test_a_pasted_address_opens_a_folder(oauth: OAuthRig, account: str, client: IMAPClient) -> None:
    told: list[str] = []
    browser = oauth.browser(account)

    def ask(_question: str) -> str:
        [url] = [line for line in told[-1].splitlines() if line.startswith("http")]
        return browser.consent(url)

    signed_in = authenticator(oauth, "", flow="paste", ask=ask, tell=told.append)
    client.authenticate_oauth2(account, signed_in.get_auth_string(account))
    client.select_folder("INBOX")
