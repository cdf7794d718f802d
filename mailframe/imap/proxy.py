"""A way out through a SOCKS or HTTP proxy, for networks that have no other (extra ``proxy``)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailframe.exceptions import ConnectionFailedError, NotSupportedError

if TYPE_CHECKING:
    import socket

__all__ = ["connect_through"]

_SCHEMES = ("socks5", "socks5h", "socks4", "http")


def connect_through(proxy: str, host: str, port: int, timeout: float | None) -> socket.socket:
    """Open a connection to a server by way of a proxy.

    Parameters
    ----------
    proxy
        ``socks5://host:port`` (RFC 1928), ``socks4://…`` or ``http://…`` (CONNECT, RFC 9110 section
        9.3.6), with ``user:password@`` in front of the host where it wants to know who asks.
        With ``socks5h`` the proxy looks the server's name up, not this machine.
    host, port
        The server.
    timeout
        Seconds.

    Raises
    ------
    NotSupportedError
        If the library for it is not installed, or the address is none.
    ConnectionFailedError
        If the proxy cannot be reached, or does not go on to the server.
    """
    try:
        from python_socks import (  # noqa: PLC0415 an extra
            ProxyConnectionError,
            ProxyError,
            ProxyTimeoutError,
        )
        from python_socks.sync import Proxy  # noqa: PLC0415
    except ImportError as error:
        raise NotSupportedError(
            "Proxies need a library that is not installed.",
            suggestion="pip install 'mailframe[proxy]'",
        ) from error
    shown = _without_secret(proxy) if isinstance(proxy, str) else ""
    if not shown:
        proxy = ""
    scheme, _, rest = proxy.partition("://")
    if scheme not in _SCHEMES or not shown:
        raise NotSupportedError(
            f"proxy={shown or '…'!r} is no proxy's address.",
            suggestion='Such as "socks5://localhost:1080" or "http://proxy.example.com:3128".',
        )
    tried = f"Could not connect to {host}, port {port}, through the proxy {shown}."
    looks_up = scheme != "socks5"
    try:
        way = Proxy.from_url(f"{scheme.removesuffix('h')}://{rest}", rdns=looks_up)
        return way.connect(dest_host=host, dest_port=port, timeout=timeout)
    except ProxyTimeoutError as error:
        raise TimeoutError(str(error)) from error
    except (ProxyConnectionError, ProxyError, OSError, ValueError) as error:
        # Out here it has neither cause nor context, which could hold the proxy's password.
        said = str(error).replace(proxy, shown)
    raise ConnectionFailedError(
        tried, reply=said, suggestion="Check the proxy's address, and what it lets through."
    )


def _without_secret(proxy: str) -> str:
    try:
        parts = urlsplit(proxy)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""
