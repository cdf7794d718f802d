"""What DNS says about a domain's mail: SRV (RFC 6186, RFC 8314) and MX records.

Nothing of it is signed as far as we can tell, so somebody on the way may have made it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailframe.imap.discovery.answers import SILENCE, Miss, Unreachable, checked_host, checked_port

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Service", "ask_dns", "mail_exchangers", "services"]

# RFC 8314 section 5.1: TLS from the start goes before STARTTLS, whatever the priorities.
_SERVICES = (("_imaps._tcp", "tls"), ("_imap._tcp", "starttls"))


class Service(NamedTuple):
    """A server that an SRV record names."""

    host: str
    port: int
    security: str


def ask_dns(
    name: str, kind: str, seconds: float, *, server: tuple[str, int] | None = None
) -> list[list[str]]:
    """Ask DNS for records (extra ``dns``).

    Parameters
    ----------
    name, kind
        Of the records: ``"_imaps._tcp.example.com"``, ``"SRV"``.
    seconds
        To wait at most.
    server
        Address and port of who is asked; None for the system's.

    Returns
    -------
    list of lists
        The words that each record is written with; none if there is no such name or record.

    Raises
    ------
    Unreachable
        If nobody answers, or the library is not installed.
    """
    try:
        import dns.exception  # noqa: PLC0415 an extra
        import dns.resolver  # noqa: PLC0415
    except ImportError:
        result = "not asked: that takes pip install 'mailframe[dns]'"
        raise Unreachable(result) from None
    try:
        resolver = dns.resolver.Resolver(configure=server is None)
        if server:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        answer = resolver.resolve(f"{name}.", kind, lifetime=seconds, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.Timeout as error:
        raise Unreachable(SILENCE) from error
    except (dns.exception.DNSException, OSError) as error:
        raise Unreachable("DNS gave no proper answer") from error
    return [record.to_text().split() for record in answer]


def services(ask: Callable[[str, str], list[list[str]]], domain: str) -> Service:
    """Choose the server that a domain's SRV records put first.

    Of one priority it is the heaviest, always: RFC 2782 would have it drawn by lot, to spread the
    load, but the settings of a person are better the same each time.

    Raises
    ------
    Unreachable
        If there are no records; which proves nothing, as closed networks say so of every name.
    Miss
        If none can be used.
    """
    found, result = False, "no SRV records"
    for prefix, security in _SERVICES:
        for *_, port, target in sorted(ask(f"{prefix}.{domain}", "SRV"), key=_rank):
            found = True
            if target == ".":
                # RFC 6186 section 3.4: a dot says that there is decidedly no such service.
                result = "its SRV records say that there is no IMAP"
                continue
            try:
                return Service(checked_host(target), checked_port(port), security)
            except ValueError as error:
                result = f"an SRV record that names {error}"
    raise Miss(result) if found else Unreachable(result)


def _rank(words: list[str]) -> tuple[int, int]:
    return int(words[0]), -int(words[1])


def mail_exchangers(ask: Callable[[str, str], list[list[str]]], domain: str) -> list[str]:
    """Return the hosts that take a domain's mail, the first first.

    Raises
    ------
    Unreachable
        If there are no records.
    Miss
        If they say that the domain takes no mail (RFC 7505).
    """
    records = sorted(ask(domain, "MX"), key=lambda words: int(words[0]))
    hosts = [host for _, host in records if host != "."]
    if not hosts:
        raise Miss("it takes no mail") if records else Unreachable("no MX records")
    return hosts
