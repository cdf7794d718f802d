"""What servers add on the way: Received, Return-Path, DKIM-Signature, Authentication-Results.

The signatures are chance, and verify nothing. Addresses are of the ranges kept for documentation
(RFC 5737, RFC 3849).
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from generator.clock import ZONES, local, stamp
from generator.people import COMPANY, MIRA

if TYPE_CHECKING:
    from datetime import datetime

    from generator.chance import Dice
    from generator.mime import Fields

__all__ = ["Delivered", "deliver", "signature"]

_MX = f"mx1.{COMPANY}"
_STORE = f"imap.{COMPANY}"


class Delivered(NamedTuple):
    """How a message arrived.

    Attributes
    ----------
    arrival
        When it was put into the mailbox.
    fields
        That stand above the sender's, the last server's first.
    """

    arrival: datetime
    fields: Fields


def _host_address(host: str) -> str:
    """Give a host the same address every time."""
    number = sum(ord(letter) * (place + 1) for place, letter in enumerate(host))
    if number % 7 == 0:
        return f"IPv6:2001:db8:{number % 0x2000:x}::{number % 0xF0:x}"
    return f"{('192.0.2', '198.51.100', '203.0.113')[number % 3]}.{1 + number % 253}"


def signature(dice: Dice, domain: str, selector: str, names: str) -> str:
    """Write a DKIM-Signature (RFC 6376) with the short key of RFC 8463."""
    body = base64.b64encode(dice.octets(32)).decode()
    sign = base64.b64encode(dice.octets(64)).decode()
    return (
        f"v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s={selector}; h={names}; "
        f"bh={body}; b={sign[:44]} {sign[44:]}"
    )


def deliver(
    dice: Dice,
    sent: datetime,
    envelope: str,
    *,
    helo: str = "",
    relays: int = 1,
    verdict: str = "pass",
    to: str = MIRA.mailbox,
    zone: str = "Sweden",
    signed: str = "",
    slow: int = 0,
    spam: float | None = None,
    author: str = "",
) -> Delivered:
    """Let a message travel.

    Parameters
    ----------
    dice
        To draw delays and names with.
    sent
        When the sender's program handed it over.
    envelope
        The sender's address; empty for notices of non-delivery.
    helo
        The sending network's domain; that of the envelope by default.
    relays
        Servers outside of the company.
    verdict
        What the company's server found out: ``"pass"``, ``"softfail"``, ``"fail"`` or ``"none"``.
    to
        Whom it was delivered to.
    zone
        That the sender's servers are in.
    signed
        The domain of a DKIM-Signature; empty for none.
    slow
        Minutes it waited at the last server but ours.
    spam
        The score of a filter; None where none looked.
    author
        The domain of the From field, where a list or a service sends for somebody else.
    """
    domain = helo or envelope.rpartition("@")[2] or COMPANY
    is_inside = domain == COMPANY
    fields: list[tuple[str, str]] = []
    at = sent + timedelta(seconds=dice.below(3))
    before = f"[{_host_address('client.' + domain)}]"
    for number in range(0 if is_inside else relays):
        host = f"{('smtp', 'out', 'relay', 'gw')[number]}{dice.between(1, 3)}.{domain}"
        kind = "ESMTPSA" if number == 0 else "ESMTPS"
        fields.append(("Received", _hop(dice, before, host, kind, at, zone)))
        before = f"{host} ({host} [{_host_address(host)}])"
        at += timedelta(seconds=1 + dice.below(4) + (60 * slow if number == relays - 1 else 0))
    if is_inside:
        hop = _hop(dice, before, f"submit.{COMPANY}", "ESMTPSA", at, "Sweden")
        fields.append(("Received", hop))
        before = f"submit.{COMPANY} ({_host_address('submit')})"
    else:
        fields.append(("Received", _hop(dice, before, _MX, "ESMTPS", at, "Sweden", to)))
        before = f"{_MX} ({_host_address(_MX)})"
    at += timedelta(seconds=1 + dice.below(3))
    fields.append(("Received", _hop(dice, before, _STORE, "LMTP", at, "Sweden", to)))
    fields.reverse()
    top = [("Return-Path", f"<{envelope}>"), ("Delivered-To", to)]
    if signed:
        names = "from:to:subject:date:message-id"
        fields.append(("DKIM-Signature", signature(dice, signed, f"k{sent.year}", names)))
    if not is_inside:
        checked = _results(verdict, domain, envelope, signed, author or domain)
        fields.insert(2, ("Authentication-Results", checked))
        if spam is not None:
            word = "Yes" if spam >= 5 else "No"
            fields.append(("X-Spam-Status", f"{word}, score={spam:.1f} required=5.0"))
    return Delivered(at, (*top, *fields))


def _hop(dice: Dice, before: str, by: str, kind: str, at: datetime, zone: str, to: str = "") -> str:
    whom = f" for <{to}>" if to else ""
    return (
        f"from {before} by {by} with {kind} id {dice.token(10)}{whom}; "
        f"{stamp(local(at, ZONES[zone]))}"
    )


def _results(verdict: str, domain: str, envelope: str, signed: str, author: str) -> str:
    """Write what RFC 8601 has a server say."""
    spf = {"pass": "pass", "softfail": "softfail", "fail": "fail"}.get(verdict, "none")
    dkim = "none"
    if signed:
        dkim = "fail (body hash did not verify)" if verdict == "fail" else "pass"
        dkim += f" header.d={signed}"
    # RFC 7489: a check that passed for another domain than the author's does not count.
    aligned = author == domain
    dmarc = {"pass": "pass" if aligned else "fail", "fail": "fail", "softfail": "fail"}
    mailfrom = envelope or f"postmaster@{domain}"
    return (
        f"{_MX}; spf={spf} smtp.mailfrom={mailfrom}; dkim={dkim}; "
        f"dmarc={dmarc.get(verdict, 'none')} header.from={author}"
    )
