"""What discovery is asked and what it answers; names and ports from outside are checked here."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mailframe.exceptions import ConnectionFailedError

if TYPE_CHECKING:
    from mailframe.imap.providers import Provider

__all__ = [
    "SILENCE",
    "Account",
    "Found",
    "Miss",
    "Unreachable",
    "account_of",
    "checked_host",
    "checked_port",
    "is_within",
]

#: The result of one who says nothing.
SILENCE = "no answer in time"

_HIGHEST_PORT = 65535
_LONGEST_NAME = 253  # RFC 1035 section 2.3.4, without the final dot
_LONGEST_ADDRESS = 320  # RFC 5321 section 4.5.3.1: 64 octets, "@", 255 octets
# Letters, digits, hyphens (RFC 952, RFC 1123 section 2.1). Two labels at least, and the last of
# them no number: what a stranger says may name neither this machine nor an IP address.
_LABEL = r"(?!-)[a-z0-9-]{1,63}+(?<!-)"
_NAME = re.compile(rf"(?:{_LABEL}\.)++(?!\d++\Z|0x|localhost\Z){_LABEL}")


@dataclass(frozen=True, slots=True)
class Found:
    """A server, and how sure one may be of it.

    Attributes
    ----------
    host, port
        The IMAP server.
    security
        ``"tls"`` or ``"starttls"``.
    username
        What to log in as.
    how
        Where that comes from, as the end of a sentence.
    is_guess
        Whether nobody said so.
    provider
        Whose server it is, if that is known.
    needs_confirmation
        Why the user is to be asked before a password goes there; ``""`` where it may.
    methods
        How one may log in, as autoconfig has it: ``"password-cleartext"``, ``"OAuth2"``, …
    """

    host: str
    port: int
    security: str
    username: str
    how: str
    is_guess: bool = False
    provider: Provider | None = field(default=None, repr=False)
    needs_confirmation: str = ""
    methods: tuple[str, ...] = ()


class Account(NamedTuple):
    """An address, taken apart; ``name`` is its domain as DNS has it."""

    address: str
    local_part: str
    domain: str
    name: str


class Miss(Exception):  # noqa: N818 an answer as good as any other, not an error
    """Raised by one way of finding a server that finds none: its result in a few words.

    Parameters
    ----------
    result
        Such as ``"HTTP 404"``.
    plain_only
        Whether there is a server, but for logging in in clear text.
    """

    def __init__(self, result: str, *, plain_only: bool = False) -> None:
        super().__init__(result)
        self.result = result
        self.plain_only = plain_only


class Unreachable(Miss):
    """Raised where nobody answered, or nobody who could prove to be the right one."""


def account_of(address: str) -> Account:
    """Take an address apart.

    Raises
    ------
    ConnectionFailedError
        If it is none, or its domain is none that could be looked up.
    """
    local_part, at, domain = address.rpartition("@")
    try:
        if not (at and local_part) or len(address) > _LONGEST_ADDRESS:
            raise ValueError("no name and domain with an @ between them")  # noqa: TRY301
        if not address.isprintable() or set(" <>,;") & set(address):
            raise ValueError("characters that are in no address")  # noqa: TRY301
        return Account(address, local_part, domain, checked_host(domain))
    except ValueError as error:
        raise ConnectionFailedError(
            f"{_cut(address)!r} is not a mail address whose server could be looked up: {error}.",
            suggestion='Give the address, mf.connect("me@example.com"), or the server as well: '
            'mf.connect("imap.example.com", "me@example.com").',
            code="not-an-address",
        ) from None


def checked_host(text: str) -> str:
    """Return the name of a host as DNS and TLS have it.

    Parameters
    ----------
    text
        Maybe with letters beyond ASCII, in upper case, or with a final dot.

    Raises
    ------
    ValueError
        If it is no full name: with spaces or slashes, an IP address, this machine, empty.

    Examples
    --------
    >>> checked_host("IMAP.Bücher.example.")
    'imap.xn--bcher-kva.example'
    """
    if len(text) > _LONGEST_NAME + 1:
        raise ValueError("a name that is too long")
    # Not Python's codec "idna", which makes another domain of straße.example (RFC 5891 does not).
    labels = unicodedata.normalize("NFKC", text).lower().removesuffix(".").split(".")
    name = ".".join(map(_ascii_label, labels))
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"{_cut(text)!r} is no full name of a host")
    return name


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    if any(unicodedata.category(one)[0] not in "LMN" and one != "-" for one in label):
        raise ValueError(f"{_cut(label)!r} has characters that are in no domain")
    return "xn--" + label.encode("punycode").decode("ascii")


def checked_port(text: str) -> int:
    """Return the number of a port.

    Raises
    ------
    ValueError
        If it is none from 1 to 65535.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(_HIGHEST_PORT))
    if not is_number or not 0 < int(text) <= _HIGHEST_PORT:
        raise ValueError(f"{_cut(text)!r} is no port")
    return int(text)


def is_within(host: str, domain: str) -> bool:
    """Whether a host belongs to a domain by its name."""
    return host == domain or host.endswith(f".{domain}")


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 it is to fit on a line
