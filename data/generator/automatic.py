"""Mail that no person wrote: how it is put together, delivered and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from generator import mime
from generator.clock import stamp
from generator.delivery import deliver
from generator.mailbox import Stored
from generator.people import MIRA

if TYPE_CHECKING:
    from datetime import datetime

    from generator.chance import Dice
    from generator.mime import Entity, Fields

__all__ = ["Options", "both", "post"]


class Options(TypedDict, total=False):
    """How a message is delivered and stored.

    Attributes
    ----------
    verdict, relays, zone, slow, spam
        See `delivery.deliver`.
    signed
        Whether the sender's domain signs; it does by default.
    seen, state, keywords
        See `mailbox.Stored`.
    """

    verdict: str
    relays: int
    zone: str
    slow: int
    spam: float | None
    signed: bool
    seen: bool
    state: str
    keywords: str


def post(
    dice: Dice,
    folder: str,
    when: datetime,
    author: tuple[str, str],
    subject: str,
    body: Entity,
    *,
    extra: Fields = (),
    envelope: str | None = None,
    to: str = "",
    charset: str = "utf-8",
    words: str = "Q",
    message_id: str = "",
    **options: Unpack[Options],
) -> Stored:
    """Send and deliver a message.

    Parameters
    ----------
    dice
        To draw delays and names with.
    folder
        Where it comes to lie.
    when
        On the sender's clock.
    author
        Name and address.
    subject
        As it is read.
    body
        With its Content fields.
    extra
        Further fields.
    envelope
        The sender that the servers told each other; that of the author by default.
    to
        The To field; the owner by default.
    charset, words
        Of subject and name.
    message_id
        Drawn by default; ``"-"`` for none.
    **options
        How it is delivered and stored.
    """
    name, mailbox = author
    domain = mailbox.rpartition("@")[2]
    sender = mailbox if envelope is None else envelope
    way = deliver(
        dice,
        when,
        sender,
        helo=domain,
        relays=options.get("relays", 1),
        verdict=options.get("verdict", "pass"),
        zone=options.get("zone", "Central Europe"),
        signed=domain if options.get("signed", True) else "",
        slow=options.get("slow", 0),
        spam=options.get("spam"),
    )
    identity = message_id or f"{dice.token(16)}@{domain}"
    fields = [
        *way.fields,
        ("Date", stamp(when)),
        ("From", mime.address(name, mailbox, charset, words)),
        ("To", to or mime.address(MIRA.name, MIRA.mailbox)),
        ("Subject", mime.encode_words(subject, charset, words)),
    ]
    if identity != "-":
        fields.append(("Message-ID", f"<{identity}>"))
    fields += [*extra, ("MIME-Version", "1.0"), *body.fields]
    raw = mime.entity_bytes(mime.Entity(tuple(fields), body.body))
    return Stored(
        folder,
        way.arrival,
        sender,
        raw,
        options.get("seen", True),
        options.get("state", ""),
        options.get("keywords", ""),
    )


def both(dice: Dice, text: str, page: str, charset: str = "utf-8", encoding: str = "") -> Entity:
    """Make a body of a text and the same as HTML."""
    how = encoding or "quoted-printable"
    pair = (
        mime.text_part(text, charset, how),
        mime.text_part(page, charset, how, subtype="html"),
    )
    return mime.multipart("alternative", pair, f"=_{dice.token(20)}")
