"""The server of an address, found in an internet that lies on loopback: web, DNS and IMAP."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import ExitStack
from functools import cache, partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.exceptions import ConnectionFailedError, NotSupportedError
from mailframe.imap.discovery import Network, find_server
from mailframe.imap.discovery.answers import (
    Miss,
    Unreachable,
    account_of,
    checked_host,
    checked_port,
)
from mailframe.imap.discovery.autoconfig import read_autoconfig
from mailframe.imap.discovery.network import fetch, greeting
from mailframe.imap.discovery.records import ask_dns
from mailframe.imap.providers import Provider
from tests.rigs.forwarding import ForwardingProxy
from tests.rigs.names import NameServer
from tests.rigs.scripted import ScriptedServer
from tests.rigs.web import Answer, Raw, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socketserver import StreamRequestHandler

    from mailframe.imap.discovery import Found
    from tests.rigs.certificates import Certificate, Certificates

ME = "me@example.org"
AUTOCONFIG = "autoconfig.example.org/mail/config-v1.1.xml"
WELL_KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"
PUBLIC = "autoconfig.thunderbird.net/v1.1/example.org"


def server(
    host: str = "imap.example.org",
    port: object = 993,
    security: str = "SSL",
    username: str = "%EMAILADDRESS%",
    *methods: str,
    kind: str = "imap",
) -> str:
    listed = "".join(f"<authentication>{one}</authentication>" for one in methods)
    return (
        f'<incomingServer type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{security}</socketType><username>{username}</username>{listed}"
        "</incomingServer>"
    )


def config(*servers: str) -> bytes:
    inner = "".join(servers or (server(),))
    return (
        '<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.org">'
        f"<domain>example.org</domain>{inner}</emailProvider></clientConfig>"
    ).encode()


class World:
    """Whatever a test puts into it is there, under its own name; nothing else is."""

    def __init__(self, certificates: Certificates, running: ExitStack) -> None:
        self.pages: dict[str, bytes | Answer | Raw] = {}
        self.records: dict[tuple[str, str], list[str] | str] = {}
        self.certificates = certificates
        self.issue = cache(lambda name: certificates._issue(name, host=name))
        self.bad_certificate: Certificate | None = None
        self.dialled: list[str] = []
        self.never = threading.Event()
        self._running = running
        self._places: dict[tuple[str, int], tuple[str, int]] = {}
        self.web = running.enter_context(WebServer({}, self.shown))
        self.names = running.enter_context(NameServer({}))
        self.hanging: set[str] = set()
        self.offline = False

    def shown(self, name: str) -> Certificate:
        return self.bad_certificate or self.issue(name)

    def imap(
        self, name: str, certificate: Certificate | None = None, **options: Any
    ) -> ScriptedServer:
        """Put an IMAP server there."""
        there = ScriptedServer(
            security="tls", certificate=certificate or self.issue(name), **options
        )
        self._running.enter_context(there)
        self._places[name, 993] = there.host, there.port
        return there

    def dial(self, host: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append(host)
        if host in self.hanging:
            self.never.wait()
        if self.offline:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        place = self._places.get((host, port))
        if port == 443 and any(page.partition("/")[0] == host for page in self.pages):
            place = self.web.host, self.web.port
        if place is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return socket.create_connection(place, timeout=seconds)

    def network(self) -> Network:
        self.web.answers = self.pages
        self.names.records = self.records
        resolve = partial(ask_dns, server=(self.names.host, self.names.port))
        return Network(self.dial, resolve, self.certificates.good.client_context())

    def find(self, address: str = ME, timeout: float = 20) -> Found:
        return find_server(address, timeout=timeout, network=self.network())

    def miss(self, address: str = ME, timeout: float = 20) -> ConnectionFailedError:
        """Return the error, where there is nothing to be found."""
        with pytest.raises(ConnectionFailedError) as caught:
            self.find(address, timeout)
        return caught.value


@pytest.fixture
def world(certificates: Certificates) -> Iterator[World]:
    with ExitStack() as running:
        world = World(certificates, running)
        running.callback(world.never.set)
        yield world


# -- what is known


def test_a_known_provider_is_asked_nothing_and_nobody_else_is(world: World) -> None:
    found = world.find("Me@GMail.com")
    assert (found.host, found.port, found.security) == ("imap.gmail.com", 993, "tls")
    assert found.username == "Me@GMail.com"
    assert found.provider is not None
    assert found.provider.key == "gmail"
    assert not found.is_guess
    assert not found.needs_confirmation
    assert world.dialled == world.names.asked == []


def test_a_provider_may_want_the_local_part_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_like(username="local part")
    monkeypatch.setattr("mailframe.imap.discovery.finding.provider_of", lambda _: provider)
    assert world.find().username == "me"


def test_a_provider_without_imap_is_said_to_have_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_like(host="", quirks="It encrypts.", help_url="https://example.net/help")
    monkeypatch.setattr("mailframe.imap.discovery.finding.provider_of", lambda _: provider)
    error = world.miss()
    assert error.code == "no-imap"
    assert str(error) == (
        "Example Mail has no IMAP. It encrypts.\nWhat to do: See https://example.net/help."
    )


def provider_like(**fields: str) -> Any:

    return Provider(
        **{"key": "example", "name": "Example Mail", "host": "imap.example.net"} | fields
    )


# -- what the domain says


def test_the_domain_says_where_its_server_is(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("imap.example.org", 993, "SSL"))
    found = world.find()
    assert (found.host, found.port, found.security) == ("imap.example.org", 993, "tls")
    assert found.username == ME
    assert found.how == f"as https://{AUTOCONFIG} says"
    assert found.provider is None
    assert not found.is_guess
    assert not found.needs_confirmation


def test_ways_to_log_in_are_told_by_their_names_of_today(world: World) -> None:
    listed = ("OAuth2", "password-cleartext", "plain", "secure")
    world.pages[AUTOCONFIG] = config(
        server("imap.example.org", 993, "SSL", "%EMAILADDRESS%", *listed)
    )
    assert world.find().methods == (
        "OAuth2", "password-cleartext", "password-cleartext", "password-encrypted",
    )  # fmt: skip


def test_answers_count_in_their_order_and_not_by_who_is_first(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("one.example.org"))
    world.pages[WELL_KNOWN] = config(server("two.example.org"))
    world.pages[PUBLIC] = config(server("three.example.org"))
    world.records["_imaps._tcp.example.org", "SRV"] = ["0 1 993 four.example.org."]
    world.records["example.org", "MX"] = ["0 aspmx.l.google.com."]
    world.imap("imap.example.org")
    world.imap("mail.example.org")
    found = [world.find().host]
    for key in (AUTOCONFIG, WELL_KNOWN, PUBLIC):
        del world.pages[key]
        found.append(world.find().host)
    for name in ("_imaps._tcp.example.org", "example.org"):
        world.records = {key: value for key, value in world.records.items() if key[0] != name}
        found.append(world.find().host)
    del world._places["imap.example.org", 993]
    found.append(world.find().host)
    assert found == [
        "one.example.org",
        "two.example.org",
        "three.example.org",
        "four.example.org",
        "imap.gmail.com",
        "imap.example.org",
        "mail.example.org",
    ]


def test_the_public_service_does_not_learn_of_a_domain_that_speaks_for_itself(
    world: World,
) -> None:
    world.pages[WELL_KNOWN] = config()
    world.find()
    assert "autoconfig.thunderbird.net" not in world.dialled


def test_the_address_is_told_to_the_domains_own_host_alone_and_only_after_all_else(
    world: World,
) -> None:
    world.pages |= {AUTOCONFIG: Answer(404), WELL_KNOWN: Answer(404), PUBLIC: config()}
    assert world.find().how == f"as https://{PUBLIC} says"
    asked = [page for page in world.web.asked if page.startswith("autoconfig.example.org")]
    assert asked == [AUTOCONFIG, f"{AUTOCONFIG}?emailaddress=me%40example.org"]
    assert sum("%40" in page or "@" in page for page in world.web.asked) == 1


def test_the_address_is_not_told_where_there_is_an_answer_without(world: World) -> None:
    world.pages[AUTOCONFIG] = config()
    world.find()
    assert AUTOCONFIG in world.web.asked
    assert not [page for page in world.web.asked if "?" in page]


def test_a_user_name_made_by_a_server_that_does_not_know_the_address_is_not_taken(
    world: World,
) -> None:
    world.pages[AUTOCONFIG] = config(server(username="@example.org"))
    told = f"{AUTOCONFIG}?emailaddress=me%2Bnews%40example.org"
    world.pages[told] = config(server(username="account-7"))
    assert world.find("me+news@example.org").username == "account-7"


def test_a_public_list_knows_no_user_names(world: World) -> None:
    world.pages[PUBLIC] = config(server(username="me"))
    assert f"https://{PUBLIC}: a user name that cannot be this user's" in world.miss().tried


@pytest.mark.parametrize(
    ("template", "username"),
    [
        ("%EMAILADDRESS%", "%EMAILDOMAIN%@example.org"),
        ("%EMAILLOCALPART%", "%EMAILDOMAIN%"),
        ("%EMAILDOMAIN%\\%EMAILLOCALPART%", "example.org\\%EMAILDOMAIN%"),
        ("", "%EMAILDOMAIN%@example.org"),
    ],
)
def test_placeholders_are_filled_once(world: World, template: str, username: str) -> None:
    world.pages[AUTOCONFIG] = config(server("mail.%EMAILDOMAIN%", username=template))
    found = world.find("%EMAILDOMAIN%@example.org")
    assert (found.host, found.username) == ("mail.example.org", username)


def test_tls_from_the_start_goes_before_starttls_and_both_before_clear_text(world: World) -> None:
    servers = [
        server("pop.example.org", 995, kind="pop3"),
        server("a.example.org", 143, "plain"),
        server("b.example.org", 143, "STARTTLS"),
        server("c.example.org", 993, "SSL"),
        server("d.example.org", 993, "SSL"),
    ]
    world.pages[AUTOCONFIG] = config(*servers)
    assert world.find().host == "c.example.org"
    world.pages[AUTOCONFIG] = config(*servers[:3])
    found = world.find()
    assert (found.host, found.port, found.security) == ("b.example.org", 143, "starttls")


def test_what_is_for_clear_text_alone_is_refused(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("imap.example.org", 143, "plain"))
    error = world.miss()
    assert error.code == "plain-text-only"
    assert f"https://{AUTOCONFIG}: its server is for clear text only" in error.tried
    assert "clear text" in error.suggestion
    assert not [page for page in world.web.asked if "?" in page]


def test_where_the_domain_has_clear_text_alone_others_are_heard(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("imap.example.org", 143, "plain"))
    world.pages[PUBLIC] = config()
    assert world.find().security == "tls"


def test_a_file_with_a_namespace_is_read(world: World) -> None:
    world.pages[AUTOCONFIG] = config().replace(b"<clientConfig", b'<clientConfig xmlns="urn:x"')
    assert world.find().host == "imap.example.org"


# -- what leads elsewhere


@pytest.mark.parametrize(
    ("page", "reason"),
    [(AUTOCONFIG, "although the domain itself names it"), (PUBLIC, "a public list names it")],
)
def test_a_server_outside_the_domain_is_to_be_confirmed(
    world: World, page: str, reason: str
) -> None:
    world.pages[page] = config(server("imap.evil-example.org"))
    found = world.find()
    assert found.host == "imap.evil-example.org"
    assert found.needs_confirmation.startswith("it is outside example.org, ")
    assert reason in found.needs_confirmation
    assert not found.is_guess


def test_a_domain_may_be_hosted_by_a_provider_that_is_known(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("imap.gmail.com"))
    found = world.find()
    assert found.provider is not None
    assert found.provider.key == "gmail"
    assert found.needs_confirmation == ""


def test_a_public_list_is_not_believed_that_a_provider_hosts_the_domain(world: World) -> None:
    world.pages[PUBLIC] = config(server("imap.gmail.com"))
    found = world.find()
    assert found.provider is not None
    assert found.needs_confirmation


# -- bad files


HUGE = b"<clientConfig>" + b" " * 300_000 + config()[21:]
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE clientConfig [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]>"
    + config(server("&m;.example.org"))[21:]
)


@pytest.mark.parametrize(
    ("page", "result"),
    [
        (b"<!doctype html><html><body>Welcome</body></html>", "no autoconfig file"),
        (b"<html><body><p>Welcome<br></body></html>", "no autoconfig file"),
        (b"<html><body>Welcome</body></html>", "no autoconfig file"),
        (b"", "no autoconfig file"),
        (b'{"imap": true}', "no autoconfig file"),
        (b'<?xml version="1.0" encoding="klingon"?><clientConfig/>', "no autoconfig file"),
        (b"<a>" * 30_000, "no autoconfig file"),
        (b"<clientConfig>&nbsp;</clientConfig>", "no autoconfig file"),
        (b"<clientConfig/>", "it names no IMAP server"),
        (config(server(kind="pop3")), "it names no IMAP server"),
        (config("<incomingServer type='imap'/>"), "a kind of security that is unknown"),
        (BOMB, "a DOCTYPE"),
        (BOMB.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"), "a DOCTYPE"),
        (HUGE, "an answer far too long"),
        (Answer(body=HUGE, headers={"Content-Length": "99999999999999"}), "far too long"),
        (Answer(500, b"oops"), "HTTP 500"),
        (Answer(204), "HTTP 204"),
        (config(server(port=0)), "'0' is no port"),
        (config(server(port=65536)), "'65536' is no port"),
        (config(server(port="9" * 5000)), "is no port"),
        (config(server(port="٩٩٣")), "'٩٩٣' is no port"),
        (config(server(port="-993")), "'-993' is no port"),
        (config(server("")), "'' is no full name of a host"),
        (config(server("localhost")), "'localhost' is no full name"),
        (config(server("imap.localhost")), "'imap.localhost' is no full name"),
        (config(server("127.0.0.1")), "'127.0.0.1' is no full name"),
        (config(server("0x7f.0x1")), "'0x7f.0x1' is no full name"),
        (config(server("[::1]")), "is no full name"),
        (config(server("imap example.org")), "is no full name"),
        (config(server("example.org/imap")), "is no full name"),
        (config(server("imap.example.org@evil.example")), "is no full name"),
        (config(server("a\r\nb.example.org")), "is no full name"),
        (config(server("x" * 64 + ".example.org")), "is no full name"),
        (config(server("a." * 200 + "org")), "too long"),
        (config(server(username="%EMAILADDRESS%&#10;A1 LOGOUT")), "control characters"),
        (config(server(username="%EMAILADDRESS%" * 100)), "too long"),
    ],
)
def test_a_bad_file_is_passed_over_with_its_reason(
    world: World, page: bytes | Answer, result: str
) -> None:
    world.pages[AUTOCONFIG] = page
    world.imap("imap.example.org")
    assert world.find().is_guess
    world._places.clear()
    error = world.miss()
    line = next(line for line in error.tried.splitlines() if AUTOCONFIG in line)
    assert result in line
    assert error.code == "no-server-found"


def test_one_bad_server_of_a_file_does_not_cost_the_good_one(world: World) -> None:
    world.pages[AUTOCONFIG] = config(server("localhost"), server(port="x"), server("b.example.org"))
    assert world.find().host == "b.example.org"


pieces = st.sampled_from(
    b"<clientConfig> <emailProvider> </emailProvider> </clientConfig> <a &#1; ]> <!-- -->".split()
    + list(map(str.encode, (server(), server("x y"), "<!DOCTYPE x [")))
)


@given(st.one_of(st.binary(), st.lists(st.one_of(pieces, st.binary(max_size=5))).map(b"".join)))
def test_any_bytes_give_a_server_that_passed_the_checks_or_none(data: bytes) -> None:
    try:
        offer = read_autoconfig(data, account_of(ME), told=True)
    except Miss as miss:
        assert miss.result  # noqa: PT017 either way is right
    else:
        assert checked_host(offer.host) == offer.host
        assert checked_port(str(offer.port)) == offer.port
        assert offer.security in {"tls", "starttls"}
        assert offer.username.isprintable()


# -- redirects and certificates


def test_a_redirect_to_another_page_over_https_is_followed(world: World) -> None:
    world.pages[AUTOCONFIG] = Answer(302, headers={"Location": "https://hoster.example/a?b=c"})
    world.pages["hoster.example/a?b=c"] = Answer(301, headers={"Location": "/d"})
    world.pages["hoster.example/d"] = config()
    assert world.find().host == "imap.example.org"


@pytest.mark.parametrize(
    ("location", "result"),
    [
        ("http://example.org/config.xml", "a page without TLS"),
        ("ftp://example.org/config.xml", "a page without TLS"),
        ("file:///etc/passwd", "an address that is none"),
        ("https://127.0.0.1/config.xml", "an address that is none"),
        ("https://localhost/config.xml", "an address that is none"),
        ("https://[::1/", "an address that is none"),
        ("https://example.org:99999/", "an address that is none"),
        ("https://example.org/a b", "an address that is none"),
        ("https://example.org/ü", "an address that is none"),
        ("", "redirects without end"),
        (f"https://{AUTOCONFIG}", "redirects without end"),
    ],
)
def test_a_redirect_that_leads_nowhere_good_is_not_followed(
    world: World, location: str, result: str
) -> None:
    world.pages[AUTOCONFIG] = Answer(301, headers={"Location": location} if location else {})
    error = world.miss()
    assert f"https://{AUTOCONFIG}: it redirects" in error.tried
    assert result in error.tried
    assert len(world.web.asked) <= 12


@pytest.mark.parametrize("kind", ["expired", "self_signed", "wrong_name"])
def test_who_cannot_prove_to_be_the_domain_is_not_heard(world: World, kind: str) -> None:
    world.bad_certificate = getattr(world.certificates, kind)
    world.pages |= {AUTOCONFIG: config(), WELL_KNOWN: config(), PUBLIC: config()}
    error = world.miss()
    assert error.tried.count("its certificate is not trusted") == 3
    assert world.web.asked == []


def test_an_answer_that_is_not_http_is_passed_over(world: World) -> None:
    world.pages[AUTOCONFIG] = Raw(b"* OK IMAP4 ready\r\n")
    world.pages[WELL_KNOWN] = Raw()
    world.pages[PUBLIC] = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<clientConfig>")
    error = world.miss()
    assert f"https://{AUTOCONFIG}: an answer that is not HTTP" in error.tried
    assert f"https://{WELL_KNOWN}: it hung up" in error.tried
    assert f"https://{PUBLIC}: an answer that is no autoconfig file" in error.tried
    assert not [page for page in world.web.asked if "?" in page]  # who hung up is told no address


# -- slow networks


@pytest.mark.parametrize(
    "slow",
    [
        Raw(silent=True),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<clientConfig>", silent=True),
        Raw(again=b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_server_that_is_slow_is_left_alone_and_others_are_asked(world: World, slow: Raw) -> None:
    world.pages[AUTOCONFIG] = slow
    world.pages[PUBLIC] = config()
    found = world.find(timeout=2)
    assert found.how == f"as https://{PUBLIC} says"


def test_a_server_that_never_ends_is_left_by_its_thread_too(world: World) -> None:
    world.pages[AUTOCONFIG] = Raw(again=b"HTTP/1.1 100 Continue\r\n\r\n")
    results: list[str] = []

    def read() -> None:
        with pytest.raises(Unreachable) as caught:
            fetch(world.network(), f"https://{AUTOCONFIG}", monotonic() + 0.3)
        results.append(caught.value.result)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(20)
    assert results == ["no answer in time"]


def test_names_that_nobody_looks_up_cost_no_more_than_the_time_there_is(world: World) -> None:
    hosts = ("autoconfig.example.org", "example.org", "autoconfig.thunderbird.net")
    world.hanging = {*hosts, "imap.example.org", "mail.example.org"}
    for name in ("_imaps._tcp.example.org", "_imap._tcp.example.org"):
        world.records[name, "SRV"] = "silence"
    world.records["example.org", "MX"] = "silence"
    error = world.miss(timeout=0.4)
    assert error.code == "nobody-answers"
    assert error.tried.count("no answer in time") == 7
    waiting = [one for one in threading.enumerate() if one.name.startswith("find ")]
    assert all(one.daemon for one in waiting)  # they keep no program from ending


def test_offline_the_error_says_what_was_tried_and_what_to_do(world: World) -> None:
    world.offline = True
    for name in ("_imaps._tcp.example.org", "example.org"):
        world.records[name, "SRV" if name[0] == "_" else "MX"] = "failure"
    error = world.miss(timeout=3)
    assert error.code == "nobody-answers"
    assert error.tried.splitlines() == [
        "No IMAP server was found for example.org:",
        f"  https://{AUTOCONFIG}: its name could not be looked up",
        f"  https://{WELL_KNOWN}: its name could not be looked up",
        f"  https://{PUBLIC}: its name could not be looked up",
        "  the SRV records of example.org: DNS gave no proper answer",
        "  the MX records of example.org: DNS gave no proper answer",
        "  imap.example.org, port 993: its name could not be looked up",
        "  mail.example.org, port 993: its name could not be looked up",
    ]
    assert error.suggestion.startswith("Check that you are online")
    assert "mf.connect('imap.…', 'me@example.org')" in error.suggestion


def test_where_no_name_is_known_to_anybody_the_network_is_closed(world: World) -> None:
    error = world.miss()
    assert error.code == "nobody-answers"
    assert "the SRV records of example.org: no SRV records" in error.tried
    assert "the MX records of example.org: no MX records" in error.tried


def test_a_domain_that_is_not_there_is_no_broken_network(world: World) -> None:
    world.pages[PUBLIC] = Answer(404)
    error = world.miss()
    assert error.code == "no-server-found"
    assert f"  https://{PUBLIC}: HTTP 404" in error.tried.splitlines()
    assert error.suggestion == (
        "Give the host: mf.connect('imap.…', 'me@example.org'). The provider's help pages name it."
    )


# -- DNS


def test_of_srv_records_tls_from_the_start_counts_first_then_priority_then_weight(
    world: World,
) -> None:
    world.records["_imap._tcp.example.org", "SRV"] = ["0 1 143 starttls.example.org."]
    world.records["_imaps._tcp.example.org", "SRV"] = [
        "20 100 993 spare.example.org.",
        "10 5 993 light.example.org.",
        "10 60 1993 heavy.example.org.",
    ]
    found = world.find()
    assert (found.host, found.port, found.security) == ("heavy.example.org", 1993, "tls")
    assert found.username == ME
    assert found.how == "as the SRV records of example.org say"
    assert not found.needs_confirmation
    world.records["_imaps._tcp.example.org", "SRV"] = ["0 0 0 ."]
    found = world.find()
    assert (found.host, found.port, found.security) == ("starttls.example.org", 143, "starttls")


def test_a_dot_says_that_there_is_no_imap(world: World) -> None:
    for kind in ("imap", "imaps"):
        world.records[f"_{kind}._tcp.example.org", "SRV"] = ["0 0 0 ."]
    assert "SRV records of example.org: its SRV records say that there is no" in world.miss().tried


def test_an_srv_record_that_leads_out_of_the_domain_may_be_forged(world: World) -> None:
    world.records["_imaps._tcp.example.org", "SRV"] = ["0 1 993 imap.gmail.com."]
    found = world.find()
    assert found.provider is not None
    assert found.needs_confirmation.startswith("it is outside example.org, and DNS names it")


@pytest.mark.parametrize(
    "record",
    [
        "0 1 0 imap.example.org.",
        "0 1 993 localhost.",
        "0 1 993 127.0.0.1.",
        r"0 1 993 a\032b.example.org.",
    ],
)
def test_an_srv_record_with_junk_is_passed_over(world: World, record: str) -> None:
    world.records["_imaps._tcp.example.org", "SRV"] = [record, "5 1 993 imap.example.org."]
    assert world.find().host == "imap.example.org"
    world.records["_imaps._tcp.example.org", "SRV"] = [record]
    assert "an SRV record that names '" in world.miss().tried


@pytest.mark.parametrize("trouble", ["silence", "failure", "garbage"])
def test_dns_in_trouble_leaves_the_guess(world: World, trouble: str) -> None:
    for name in ("_imaps._tcp.example.org", "_imap._tcp.example.org"):
        world.records[name, "SRV"] = trouble
    world.records["example.org", "MX"] = trouble
    world.imap("imap.example.org")
    assert world.find(timeout=1).is_guess


def test_mx_records_suggest_who_hosts_the_domain(world: World) -> None:
    world.records["example.org", "MX"] = ["20 mx.example.org.", "5 ASPMX.L.GOOGLE.com."]
    found = world.find()
    assert found.host == "imap.gmail.com"
    assert found.is_guess
    assert found.how.startswith("guessed: mail for example.org goes to G")
    assert "need not be where it is kept" in found.needs_confirmation


@pytest.mark.parametrize(
    ("records", "result"),
    [
        (["0 ."], "it takes no mail"),
        (["0 mx.example.org."], "they point to no provider that is known"),
    ],
)
def test_mx_records_of_nobody_known_suggest_nobody(
    world: World, records: list[str], result: str
) -> None:
    world.records["example.org", "MX"] = records
    assert f"the MX records of example.org: {result}" in world.miss().tried


def test_a_host_of_the_domain_that_has_no_imap_is_said_to_have_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.records["example.org", "MX"] = ["0 mx.example.net."]
    provider = provider_like(host="")
    monkeypatch.setattr("mailframe.imap.discovery.finding.provider_of_mx", lambda _: provider)
    assert "they point to Example Mail, which has no IMAP" in world.miss().tried


def test_without_the_library_for_dns_the_error_says_what_to_install(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    monkeypatch.setitem(sys.modules, "dns", None)
    tried = world.miss().tried
    assert tried.count("not asked: that takes pip install 'mailframe[dns]'") == 2
    world.imap("imap.example.org")
    assert world.find().is_guess


# -- guesses


def test_a_guess_is_one_and_needs_a_yes(world: World) -> None:
    world.imap("mail.example.org")
    found = world.find()
    assert (found.host, found.port, found.security) == ("mail.example.org", 993, "tls")
    assert found.username == ME
    assert found.how == "guessed: it answers on port 993"
    assert found.is_guess
    assert found.needs_confirmation == "nobody says so: the name is a guess"


@pytest.mark.parametrize(
    "greeting", [b"* BYE not today\r\n", b"+OK POP3 ready\r\n", b"* OK", b"* OK" + b"x" * 9000]
)
def test_what_does_not_greet_as_imap_does_is_no_guess(world: World, greeting: bytes) -> None:
    def say(connection: Any) -> bytes:
        connection.send(greeting)
        connection.close()
        return b"* BYE"

    world.imap("imap.example.org", greeting=say)
    assert "imap.example.org, port 993: what answers there is no IMAP" in world.miss().tried


@pytest.mark.parametrize("kind", ["expired", "self_signed", "wrong_name"])
def test_a_guess_with_a_bad_certificate_is_none(world: World, kind: str) -> None:
    world.imap("imap.example.org", getattr(world.certificates, kind))
    assert "imap.example.org, port 993: its certificate is not trusted" in world.miss().tried


def test_a_guess_is_told_nothing_before_the_user_says_yes(world: World) -> None:
    there = world.imap("imap.example.org")
    assert world.find().is_guess
    assert there.received == []


def test_by_default_sockets_are_real_and_certificates_are_checked(
    certificates: Certificates,
) -> None:
    with ScriptedServer(security="tls", certificate=certificates.good) as there:
        with pytest.raises(Unreachable, match="its certificate is not trusted"):
            greeting(Network(), "localhost", there.port, monotonic() + 20)
        own = Network(context=certificates.good.client_context())
        greeting(own, "localhost", there.port, monotonic() + 20)
    assert there.received == []


# -- addresses


@pytest.mark.parametrize(
    "address",
    [
        "",
        "me",
        "@example.org",
        "me@",
        "me@localhost",
        "me@127.0.0.1",
        "me@[127.0.0.1]",
        "me@[IPv6:::1]",
        "me@example.org/x",
        "me@example.org\r\nA1 LOGOUT",
        "me\r\n@example.org",
        "me@example.org\0",
        "me@exa mple.org",
        "me@-example.org",
        "me@example..org",
        "me@example.org:993",
        "Me <me@example.org>",
        "Me me@example.org",
        "you,me@example.org",
        "me@ex\u202eample.org",
        "me@℀.example.org",
        "me@\udcff.org",
        "m" * 400 + "@example.org",
        "me@" + "x." * 130 + "org",
        "me@" + "ü" * 70 + ".org",
    ],
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(world: World, address: str) -> None:
    error = world.miss(address)
    assert error.code == "not-an-address"
    assert "\r" not in str(error)
    assert 'mf.connect("me@example.com")' in error.suggestion
    assert world.dialled == world.names.asked == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("\uff45\uff58ample\uff0eorg", "example.org"),  # full width
        ("EXAMPLE.org.", "example.org"),
    ],
)
def test_a_domain_in_any_script_is_looked_up_by_its_name_in_dns(
    world: World, typed: str, name: str
) -> None:
    world.pages[f"autoconfig.{name}/mail/config-v1.1.xml"] = config(server("imap.%EMAILDOMAIN%"))
    found = world.find(f"me@{typed}")
    assert found.host == f"imap.{name}"
    assert found.username == f"me@{typed}"
    assert not found.needs_confirmation


@given(st.text(max_size=80))
def test_a_host_that_was_checked_holds_what_dns_and_tls_take(text: str) -> None:
    try:
        host = checked_host(text)
    except ValueError:
        return
    assert checked_host(host) == host
    assert host.isascii()
    assert not set(host) - set("abcdefghijklmnopqrstuvwxyz0123456789.-")


# -- by way of a proxy


class ClosedProxy(ForwardingProxy):
    def forward(
        self, client: StreamRequestHandler, host: str, port: int, yes: bytes, no: bytes
    ) -> None:
        del yes
        self.asked_for.append((host, port))
        client.wfile.write(no)


def test_through_a_proxy_nothing_goes_around_it() -> None:
    with ClosedProxy() as proxy, pytest.raises(ConnectionFailedError) as caught:
        find_server(ME, timeout=20, proxy=f"socks5h://{proxy.host}:{proxy.port}")
    assert set(proxy.asked_for) == {
        ("autoconfig.example.org", 443),
        ("example.org", 443),
        ("autoconfig.thunderbird.net", 443),
        ("imap.example.org", 993),
        ("mail.example.org", 993),
    }
    assert caught.value.tried.count("not asked: it would go around the proxy") == 2


def test_what_is_no_address_of_a_proxy_is_said() -> None:
    with pytest.raises(NotSupportedError, match="no proxy's address"):
        find_server(ME, timeout=20, proxy="ftp://localhost")
