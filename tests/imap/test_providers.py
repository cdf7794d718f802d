"""The table of providers: every entry is complete and is found by address, host and MX."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.exceptions import NotSupportedError
from mailframe.imap.providers import (
    OAuthSettings,
    Provider,
    oauth_settings,
    provider_of,
    provider_of_host,
    provider_of_mx,
    providers,
)
from mailframe.imap.tls import PORTS, is_local

each_provider = pytest.mark.parametrize("provider", providers(), ids=lambda one: one.key)
OAUTH = ["google", "microsoft", "yahoo", "aol", "fastmail", "mail.ru", "yandex"]
NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9-]+\.)+[a-z]+")


def is_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and "." in parts.netloc and not re.search(r"\s", url)


# the table --------------------------------------------------------------------------------------


def test_the_providers_that_the_issue_names_are_there() -> None:
    assert {one.key for one in providers()} >= {
        "gmail", "google-workspace", "outlook", "microsoft365", "yahoo", "aol", "icloud",
        "fastmail", "gmx", "web.de", "mail.ru", "yandex", "qq", "163", "126", "zoho", "proton",
        "posteo", "mailbox.org", "t-online", "orange", "free", "ovh", "ionos", "gandi", "migadu",
    }  # fmt: skip


def test_every_key_and_domain_is_there_once() -> None:
    keys = [one.key for one in providers()]
    domains = [domain for one in providers() for domain in one.domains]
    mx = [name for one in providers() for name in one.mx]
    for names in (keys, domains, mx):
        assert len(names) == len(set(names))


@each_provider
def test_an_entry_is_complete(provider: Provider) -> None:
    assert provider.name
    assert provider.domains or provider.mx
    assert all(NAME.fullmatch(name) for name in (*provider.domains, *provider.mx))
    assert provider.security in PORTS
    assert provider.port in {993, 143, 1143}
    assert provider.username in {"address", "local part"}
    assert set(provider.accepts) <= {"password", "app-password", "oauth"}
    assert bool(provider.host) == bool(provider.accepts)
    assert is_page(provider.help_url)


@each_provider
def test_an_entry_names_its_sources_with_dates(provider: Provider) -> None:
    assert provider.sources
    for url, when in provider.sources:
        assert is_page(url)
        assert re.fullmatch(r"20[0-2]\d-(?:0[1-9]|1[0-2])", when)


@each_provider
def test_what_is_accepted_has_its_page(provider: Provider) -> None:
    only_app_passwords = provider.accepts[:1] == ("app-password",)
    assert is_page(provider.app_password_url) or not only_app_passwords
    assert ("oauth" in provider.accepts) == bool(provider.oauth)
    if provider.oauth:
        assert oauth_settings(provider.oauth).scopes
    if provider.enable_imap_url:
        assert is_page(provider.enable_imap_url)


@each_provider
def test_nothing_goes_out_in_clear_text(provider: Provider) -> None:
    assert provider.security == "tls" or is_local(provider.host)


def test_the_table_is_read_on_use_only() -> None:
    code = "import sys, mailframe.imap.providers as p; assert not p._table.cache_info().currsize"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# finding one --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("me@gmail.com", "gmail"),
        ("Me@GoogleMail.COM", "gmail"),
        ("gmx.de.", "gmx"),
        ('"a@b"@web.de', "web.de"),
        ("me@contoso.onmicrosoft.com", "microsoft365"),
        ("me@proton.me", "proton"),
        ("me@tutanota.com", "tuta"),
        (" yahoo.co.uk ", "yahoo"),
    ],
)
def test_an_address_shows_its_provider(address: str, key: str) -> None:
    found = provider_of(address)
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize(
    "address",
    [
        "", "@", "me", "me@example.com", "me@notgmail.com", "me@gmail.com.example.org",
        "me@mail.gmail.com", "me@onmicrosoft.com.example.org", "me@bücher.example",
        "me@" + "ü" * 70 + ".de", "me@" + "ü" * 100_000, "me@\ud800.de",
    ],
)  # fmt: skip
def test_an_unknown_address_shows_none(address: str) -> None:
    assert provider_of(address) is None


def test_a_domain_of_another_script_is_compared_as_dns_has_it() -> None:
    # The fullwidth letters that an input method leaves behind are the same name (RFC 3490).
    found = provider_of("me@\uff47\uff4d\uff41\uff49\uff4c.com")
    assert found is not None
    assert found.key == "gmail"


def test_who_has_no_imap_is_known_to_have_none() -> None:
    tuta = provider_of("me@tuta.com")
    assert tuta is not None
    assert (tuta.host, tuta.accepts) == ("", ())
    assert "no IMAP" in tuta.quirks
    assert provider_of_host("") is None


@pytest.mark.parametrize(
    ("host", "username", "key"),
    [
        ("imap.gmail.com", "", "gmail"),
        ("IMAP.GMAIL.com.", "me@gmail.com", "gmail"),
        ("imap.gmail.com", "me@example.com", "google-workspace"),
        ("outlook.office365.com", "me@hotmail.com", "outlook"),
        ("outlook.office365.com", "me@example.com", "microsoft365"),
        ("imap-mail.outlook.com", "me@example.com", "outlook"),
        ("imap.mail.yahoo.com", "me", "yahoo"),
        ("imap.fastmail.com", "me@gmail.com", "fastmail"),
    ],
)
def test_a_host_shows_its_provider(host: str, username: str, key: str) -> None:
    found = provider_of_host(host, username)
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize("host", ["imap.example.com", "gmail.com", "imap.gmail.com.example.org"])
def test_an_unknown_host_shows_none(host: str) -> None:
    assert provider_of_host(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_on_this_machine_is_protons_for_its_addresses_only(host: str) -> None:
    found = provider_of_host(host, "me@proton.me")
    assert found is not None
    assert found.key == "proton"
    assert provider_of_host(host) is None
    assert provider_of_host(host, "me@gmail.com") is None


@pytest.mark.parametrize(
    ("hosts", "key"),
    [
        (["aspmx.l.google.com", "alt1.aspmx.l.google.com"], "google-workspace"),
        (["SMTP.google.com."], "google-workspace"),
        (["example-com.mail.protection.outlook.com"], "microsoft365"),
        (["example.olc.protection.outlook.com"], "outlook"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["mx-aol.mail.gm0.yahoodns.net"], "aol"),
        (["in1-smtp.messagingengine.com"], "fastmail"),
        (["mx01.mail.icloud.com"], "icloud"),
        (["mx.zoho.eu"], "zoho-eu"),
        (["mx.example.com", "emx.mail.ru"], "mail.ru"),
        (["mx1.mail.ovh.net"], "ovh"),
        (["spool.mail.gandi.net"], "gandi"),
        (["mxbiz1.qq.com"], "exmail"),
        (["mta-gw.infomaniak.ch"], "infomaniak"),
        (["mxext1.mailbox.org"], "mailbox.org"),
    ],
)
def test_the_mx_hosts_show_who_receives_the_mail(hosts: list[str], key: str) -> None:
    found = provider_of_mx(hosts)
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize("hosts", [[], [""], ["mx.example.com"], ["mx.evilgoogle.com"], ["."]])
def test_other_mx_hosts_show_none(hosts: list[str]) -> None:
    assert provider_of_mx(hosts) is None


@given(st.text(), st.text())
def test_any_text_is_looked_up_without_an_error(one: str, other: str) -> None:
    for text in (one, f"{one}@{other}"):
        assert provider_of(text) in {None, *providers()}
        assert provider_of_host(text, other) in {None, *providers()}
        assert provider_of_mx([text, other]) in {None, *providers()}


# tokens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", OAUTH)
def test_oauth_settings_are_complete_and_encrypted(key: str) -> None:
    settings = oauth_settings(key)
    assert settings.key == key
    assert settings.name
    assert settings.scopes
    assert settings.sources
    for url in (
        settings.authorization_endpoint,
        settings.token_endpoint,
        settings.device_endpoint,
        settings.revocation_endpoint,
    ):
        assert url is None or (is_page(url) and url.startswith("https://"))
    assert hash(settings)
    assert dict(settings.parameters) is not None


def test_google_gives_refresh_tokens_only_where_asked_and_none_by_device_code() -> None:
    google = oauth_settings("google")
    assert google.scopes == ("https://mail.google.com/",)
    assert dict(google.parameters) == {"access_type": "offline", "prompt": "consent"}
    assert google.device_endpoint is None
    assert google.needs_secret


def test_microsoft_is_asked_for_no_scope_of_graph() -> None:
    microsoft = oauth_settings("microsoft")
    assert microsoft.scopes == (
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "offline_access",
    )
    assert microsoft.device_endpoint is not None
    assert not microsoft.needs_secret


def test_no_client_of_ours_or_of_others_is_in_the_table() -> None:
    assert not {"client_id", "client_secret"} & {field.name for field in fields(OAuthSettings)}


def test_unknown_settings_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(NotSupportedError) as caught:
        oauth_settings("example")
    assert "'example'" in str(caught.value)
    assert "google" in caught.value.suggestion
    assert "discovery document" in caught.value.suggestion
