"""The order of discovery: what is known, what the domain says, what others say, and last a guess.

The table of providers is asked first, and nobody else then. The domain itself is asked over HTTPS;
while it is, DNS is asked too, and the hosts that one would guess, since they take their time. The
public autoconfig service learns the domain, never the address, and only of those domains that say
nothing themselves.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from mailframe.exceptions import ConnectionFailedError
from mailframe.imap.discovery.answers import (
    SILENCE,
    Found,
    Miss,
    Unreachable,
    account_of,
    is_within,
)
from mailframe.imap.discovery.autoconfig import Offer, read_autoconfig
from mailframe.imap.discovery.network import Network, fetch, greeting
from mailframe.imap.discovery.records import mail_exchangers, services
from mailframe.imap.providers import provider_of, provider_of_host, provider_of_mx
from mailframe.imap.proxy import connect_through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailframe.imap.discovery.answers import Account
    from mailframe.imap.providers import Provider

__all__ = ["find_server"]

log = logging.getLogger(__name__)

_AUTOCONFIG = "https://autoconfig.{}/mail/config-v1.1.xml"
_WELL_KNOWN = "https://{}/.well-known/autoconfig/mail/config-v1.1.xml"
_PUBLIC = "https://autoconfig.thunderbird.net/v1.1/{}"
_GUESSES = ("imap", "mail")
_PORT = 993
# Of the time there is, what the domain itself may take: the public service is asked after it.
_OWN_SHARE = 0.6


def find_server(
    address: str,
    *,
    timeout: float = 5,
    proxy: str | None = None,
    network: Network | None = None,
) -> Found:
    """Find the IMAP server of a mail address.

    Parameters
    ----------
    address
        ``"me@example.com"``.
    timeout
        Seconds for all of it.
    proxy
        By way of which, as for `mailframe.connect`; DNS is then not asked for records, which it
        would be behind the proxy's back.
    network
        Another way out, for tests.

    Returns
    -------
    Found
        No password may go there while ``needs_confirmation`` says something and the user has not
        said yes.

    Raises
    ------
    ConnectionFailedError
        If none is found; its ``code`` is ``"not-an-address"``, ``"no-imap"`` (a provider that has
        none), ``"plain-text-only"``, ``"nobody-answers"`` or ``"no-server-found"``.
    """
    account = account_of(address)
    if provider := provider_of(account.name):
        return _from_table(provider, account)
    if network is None:
        network = Network() if proxy is None else _through(proxy)
    search = _Search(account, network, timeout)
    found = search.find()
    if found is None:
        raise search.failure()
    log.info("found %s, port %d, for %s: %s", found.host, found.port, account.name, found.how)
    return found


def _from_table(provider: Provider, account: Account) -> Found:
    if not provider.host:
        none = f"{provider.name} has no IMAP"
        raise ConnectionFailedError(
            provider.quirks
            if provider.quirks.startswith(none)
            else f"{none}. {provider.quirks}".strip(),
            suggestion=f"See {provider.help_url}." if provider.help_url else "",
            code="no-imap",
        )
    how = f"as it is known of {provider.name}"
    return _at_provider(provider, account, how)


def _at_provider(provider: Provider, account: Account, how: str) -> Found:
    is_local_part = provider.username == "local part"
    username = account.local_part if is_local_part else account.address
    return Found(provider.host, provider.port, provider.security, username, how, provider=provider)


def _through(proxy: str) -> Network:
    def resolve(_name: str, _kind: str, _seconds: float) -> list[list[str]]:
        raise Unreachable("not asked: it would go around the proxy")

    return Network(dial=partial(connect_through, proxy), resolve=resolve)


class _Way(NamedTuple):
    """One way of finding a server, under way in a thread of its own."""

    name: str
    result: Future[Found]
    deadline: float


class _Search:
    def __init__(self, account: Account, network: Network, timeout: float) -> None:
        self._account = account
        self._network = network
        self._own_deadline = monotonic() + timeout * _OWN_SHARE
        self._deadline = monotonic() + timeout
        self._misses: dict[str, Miss] = {}

    def find(self) -> Found | None:
        """Return the first answer, in the order of how much it counts."""
        domain = self._account.name
        own = [
            self._begin(url, partial(ask, url), self._own_deadline)
            for url, ask in (
                (_AUTOCONFIG.format(domain), self._by_autoconfig),
                (_WELL_KNOWN.format(domain), self._by_well_known),
            )
        ]
        others = [
            self._begin(f"the SRV records of {domain}", self._by_srv),
            self._begin(f"the MX records of {domain}", self._by_mx),
            *(
                self._begin(f"{prefix}.{domain}, port {_PORT}", partial(self._by_guess, prefix))
                for prefix in _GUESSES
            ),
        ]
        if found := self._first(own):
            return found
        public = _PUBLIC.format(domain)
        return self._first([self._begin(public, partial(self._by_public, public)), *others])

    def failure(self) -> ConnectionFailedError:
        """Return an error that says what was tried."""
        domain, address = self._account.name, self._account.address
        lines = (f"  {name}: {miss.result}" for name, miss in self._misses.items())
        code, advice = "no-server-found", "Give the host"
        if any(miss.plain_only for miss in self._misses.values()):
            code = "plain-text-only"
            advice = f"What {domain} names takes passwords in clear text only. Ask for a server "
            advice += "with TLS, and give it"
        elif all(isinstance(miss, Unreachable) for miss in self._misses.values()):
            code = "nobody-answers"
            advice = "Check that you are online, or give the host"
        return ConnectionFailedError(
            "\n".join((f"No IMAP server was found for {domain}:", *lines)),
            suggestion=f"{advice}: mf.connect('imap.…', {address!r}). The provider's help pages "
            "name it.",
            code=code,
        )

    def _begin(self, name: str, work: Callable[[], Found], deadline: float | None = None) -> _Way:
        # Threads that nobody waits for: looking up a name cannot be given a timeout or broken off.
        result: Future[Found] = Future()
        Thread(target=_run, args=(work, result), name=f"find {name}", daemon=True).start()
        return _Way(name, result, deadline or self._deadline)

    def _first(self, ways: Iterable[_Way]) -> Found | None:
        for way in ways:
            try:
                return way.result.result(max(0, way.deadline - monotonic()))
            except TimeoutError:
                self._misses[way.name] = Unreachable(SILENCE)
            except Miss as miss:
                self._misses[way.name] = miss
            log.debug("%s: %s", way.name, self._misses[way.name].result)
        return None

    # the ways, each in a thread ---------------------------------------------------------------

    def _by_autoconfig(self, url: str) -> Found:
        account = self._account
        try:
            return self._by_well_known(url)
        except Miss as miss:
            if isinstance(miss, Unreachable) or miss.plain_only:
                raise
            # This host is there for autoconfig, and some make the file for each address. Who has
            # the mailbox may know it; but it is not told without need.
            query = urlencode({"emailaddress": account.address})
            data = fetch(self._network, f"{url}?{query}", self._own_deadline)
            return self._said_by_domain(read_autoconfig(data, account, told=True), url)

    def _by_well_known(self, url: str) -> Found:
        data = fetch(self._network, url, self._own_deadline)
        return self._said_by_domain(read_autoconfig(data, self._account, told=False), url)

    def _said_by_domain(self, offer: Offer, url: str) -> Found:
        # Who runs the domain's web server need not be who may read its mail.
        reason = "" if provider_of_host(offer.host) else "although the domain itself names it"
        return self._found(offer, f"as {url} says", reason)

    def _by_public(self, url: str) -> Found:
        data = fetch(self._network, url, self._deadline)
        offer = read_autoconfig(data, self._account, told=False)
        return self._found(offer, f"as {url} says", "and a public list names it, not the domain")

    def _by_srv(self) -> Found:
        host, port, security = services(self._ask, self._account.name)
        # RFC 6186 section 6: such a record may be forged, so that the user is to be asked.
        return self._found(
            Offer(host, port, security, self._account.address, ()),
            f"as the SRV records of {self._account.name} say",
            "and DNS names it, where others can put in what they like on the way",
        )

    def _by_mx(self) -> Found:
        hosts = mail_exchangers(self._ask, self._account.name)
        provider = provider_of_mx(hosts)
        if provider is None:
            raise Miss("they point to no provider that is known")
        if not provider.host:
            raise Miss(f"they point to {provider.name}, which has no IMAP")
        how = f"guessed: mail for {self._account.name} goes to {provider.name}"
        found = _at_provider(provider, self._account, how)
        reason = "it is where the domain's mail goes to, which need not be where it is kept"
        return replace(found, is_guess=True, needs_confirmation=reason)

    def _by_guess(self, prefix: str) -> Found:
        host = f"{prefix}.{self._account.name}"
        greeting(self._network, host, _PORT, self._deadline)
        return Found(
            host,
            _PORT,
            "tls",
            self._account.address,
            f"guessed: it answers on port {_PORT}",
            is_guess=True,
            needs_confirmation="nobody says so: the name is a guess",
        )

    def _ask(self, name: str, kind: str) -> list[list[str]]:
        return self._network.resolve(name, kind, max(0.001, self._deadline - monotonic()))

    def _found(self, offer: Offer, how: str, reason_outside: str) -> Found:
        """Make an answer of an offer, to be asked about if it leads out of the mail domain."""
        domain = self._account.name
        needs_asking = reason_outside and not is_within(offer.host, domain)
        return Found(
            offer.host,
            offer.port,
            offer.security,
            offer.username,
            how,
            provider=provider_of_host(offer.host),
            needs_confirmation=f"it is outside {domain}, {reason_outside}" if needs_asking else "",
            methods=offer.methods,
        )


def _run(work: Callable[[], Found], result: Future[Found]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001 whoever waits for the result raises it
        result.set_exception(error)
