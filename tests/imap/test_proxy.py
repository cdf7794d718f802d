from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.exceptions import ConnectionFailedError, NotSupportedError
from tests.rigs import messages
from tests.rigs.forwarding import ForwardingProxy

if TYPE_CHECKING:
    from tests.rigs.dovecot import Dovecot

SECRET = "canary-of-the-proxy"
WRONG = "wrong-canary"


def connect(dovecot: Dovecot, user: str, proxy: str, **options: Any) -> mf.Session:
    settings: dict[str, Any] = {
        "port": dovecot.tls_port,
        "ssl_context": dovecot.ssl_context,
        "timeout": 5,
        **options,
    }
    return mf.connect("localhost", user, password=dovecot.password, proxy=proxy, **settings)


@pytest.mark.parametrize("credentials", [None, f"ann:{SECRET}"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
def test_mail_is_read_by_way_of_a_proxy(
    dovecot: Dovecot, user: str, scheme: str, credentials: str | None
) -> None:
    dovecot.deliver(user, messages.many(3))
    with ForwardingProxy(credentials) as proxy:
        who = f"{credentials}@" if credentials else ""
        with connect(dovecot, user, f"{scheme}://{who}{proxy.host}:{proxy.port}") as session:
            assert len(session.headers(progress=False)) == 3
    host = "127.0.0.1" if scheme == "socks5" else "localhost"
    assert proxy.asked_for == [(host, dovecot.tls_port)]


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_proxy_serves_every_kind_of_security(dovecot: Dovecot, user: str, security: str) -> None:
    with ForwardingProxy() as proxy:
        address = f"socks5://{proxy.host}:{proxy.port}"
        with connect(dovecot, user, address, port=dovecot.port, security=security) as session:
            assert session.count() == 0
    assert len(proxy.asked_for) == 1


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_a_proxy_that_refuses_is_named_without_its_password(
    dovecot: Dovecot, user: str, scheme: str
) -> None:
    with ForwardingProxy(f"ann:{SECRET}") as proxy:
        address = f"{scheme}://ann:{WRONG}@{proxy.host}:{proxy.port}"
        with pytest.raises(
            ConnectionFailedError, match=f"through the proxy {scheme}://127"
        ) as told:
            connect(dovecot, user, address)
    error: BaseException | None = told.value
    while error is not None:
        assert WRONG not in f"{error!r}{error}{error.__context__!r}"
        error = error.__cause__


def test_a_server_behind_a_proxy_that_is_not_there_is_an_error(user: str, dovecot: Dovecot) -> None:
    with (
        ForwardingProxy() as proxy,
        pytest.raises(ConnectionFailedError, match="through the proxy"),
    ):
        connect(dovecot, user, f"http://{proxy.host}:{proxy.port}", port=1)


def test_a_proxy_that_is_not_there_is_an_error(user: str, dovecot: Dovecot) -> None:
    with pytest.raises(ConnectionFailedError, match=r"the proxy socks5://127\.0\.0\.1:1"):
        connect(dovecot, user, "socks5://127.0.0.1:1")


@pytest.mark.parametrize(
    "address", ["localhost:1080", "ftp://localhost", "socks5://", "socks5://a:b"]
)
def test_what_is_no_address_of_a_proxy_is_refused(
    dovecot: Dovecot, user: str, address: str
) -> None:
    with pytest.raises(NotSupportedError, match="no proxy's address"):
        connect(dovecot, user, address)


def test_without_its_library_the_error_says_what_to_install(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(NotSupportedError, match=r"mailframe\[proxy\]"):
        connect(dovecot, user, "socks5://localhost:1080")
