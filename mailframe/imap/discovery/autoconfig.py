"""The file in which a domain describes its mail servers (draft-ietf-mailmaint-autoconfig).

It comes from a stranger: whatever it holds, there is an offer that passed every check, or a `Miss`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from xml.etree import ElementTree as ET

from mailframe.imap.discovery.answers import Miss, checked_host, checked_port

if TYPE_CHECKING:
    from mailframe.imap.discovery.answers import Account

__all__ = ["Offer", "read_autoconfig"]

_PLACEHOLDER = re.compile("%EMAIL(ADDRESS|LOCALPART|DOMAIN)%")
_SECURITY = {"ssl": "tls", "starttls": "starttls"}
_OLDER_NAMES = {"plain": "password-cleartext", "secure": "password-encrypted"}
_LONGEST_USERNAME = 500
_MOST_SERVERS = 50
# Fed by so much, a file is given up at its DOCTYPE, before expat has seen what follows.
_STEP = 64


class Offer(NamedTuple):
    """One incoming server that an autoconfig file lists."""

    host: str
    port: int
    security: str
    username: str
    methods: tuple[str, ...]


class _NoDoctype(ET.TreeBuilder):
    def doctype(self, _name: str, _public: str | None, _system: str | None) -> NoReturn:
        raise Miss("a DOCTYPE, which autoconfig has none of")


def read_autoconfig(data: bytes, account: Account, *, told: bool) -> Offer:
    """Choose a server from an autoconfig file: the first with TLS from the start, or STARTTLS.

    Parameters
    ----------
    data
        The file.
    account
        Who is put in for ``%EMAILADDRESS%``, ``%EMAILLOCALPART%`` and ``%EMAILDOMAIN%``.
    told
        Whether whoever wrote it knew the address. If not, a user name without placeholders cannot
        be this user's.

    Raises
    ------
    Miss
        If it is no such file, or names no IMAP server that can be used.
    """
    offers: list[Offer] = []
    reasons: list[str] = []
    servers = _imap_servers(_parse(data))
    for server in servers[:_MOST_SERVERS]:
        try:
            offers.append(_read_server(server, account, told=told))
        except ValueError as error:
            reasons.append(str(error))
    if offers:
        # RFC 8314 section 3: TLS from the start goes before STARTTLS. min() keeps their order.
        return min(offers, key=lambda offer: offer.security != "tls")
    if not servers:
        raise Miss("it names no IMAP server")
    plain_only = all(reason == _PLAIN for reason in reasons)
    raise Miss("; ".join(dict.fromkeys(reasons[:3])), plain_only=plain_only)


_PLAIN = "its server is for clear text only"


def _parse(data: bytes) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314 as above
    try:
        for start in range(0, len(data), _STEP):
            parser.feed(data[start : start + _STEP])
        root = parser.close()
    except (ET.ParseError, ValueError, LookupError):  # the last two for encodings
        raise Miss("an answer that is no autoconfig file") from None
    if not isinstance(root, ET.Element) or _tag(root) != "clientConfig":
        raise Miss("an answer that is no autoconfig file")
    return root


def _imap_servers(root: ET.Element) -> list[ET.Element]:
    return [
        server
        for provider in root
        if _tag(provider) == "emailProvider"
        for server in provider
        if _tag(server) == "incomingServer" and server.get("type", "").lower() == "imap"
    ]


def _read_server(server: ET.Element, account: Account, *, told: bool) -> Offer:
    security = _text(server, "socketType").lower()
    if security not in _SECURITY:
        raise ValueError(_PLAIN if security == "plain" else "a kind of security that is unknown")
    username = _text(server, "username") or "%EMAILADDRESS%"
    if len(username) > _LONGEST_USERNAME:
        raise ValueError("a user name that is too long")
    filled = _filled(username, account)
    if not told and not _PLACEHOLDER.search(username):
        raise ValueError("a user name that cannot be this user's")
    if not filled.isprintable():
        raise ValueError("a user name with control characters")
    methods = (_words(one) for one in server if _tag(one) == "authentication")
    return Offer(
        checked_host(_filled(_text(server, "hostname"), account)),
        checked_port(_text(server, "port")),
        _SECURITY[security],
        filled,
        tuple(_OLDER_NAMES.get(one, one) for one in methods if one.isprintable() and one),
    )


def _filled(text: str, account: Account) -> str:
    # In one go: what was put in is not looked at again.
    values = {
        "ADDRESS": account.address,
        "LOCALPART": account.local_part,
        "DOMAIN": account.domain,
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _text(parent: ET.Element, name: str) -> str:
    return next((_words(one) for one in parent if _tag(one) == name), "")


def _words(element: ET.Element) -> str:
    return (element.text or "").strip()


def _tag(element: ET.Element) -> str:
    # Some files have a namespace, which the format has not.
    return str(element.tag).rpartition("}")[2]
