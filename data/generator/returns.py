"""What comes back by itself: non-delivery, delay, read receipts, automatic replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from generator import mime
from generator.automatic import post
from generator.chance import Dice
from generator.clock import ZONES, local, moment, stamp
from generator.languages import LANGUAGES
from generator.letters import Letter, message_id, raw_of, received, sent
from generator.people import COMPANY, CUSTOMERS, MIRA, STAFF, VACATIONS, Person, by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.mailbox import Stored
    from generator.mime import Entity

__all__ = ["owner_away", "returns"]

_DAEMON = ("Mail Delivery System", f"MAILER-DAEMON@{COMPANY}")

# When, to whom, what was wrong: status (RFC 3463) and words.
_BOUNCES = (
    ("2024-09-12T10:14", "h.lindgren@hamnverket.example", "5.1.1", "550 5.1.1 User unknown"),
    ("2024-11-27T15:40", "offers@pegelwerk.example", "5.2.2", "552 5.2.2 Mailbox full"),
    ("2025-02-06T09:02", "info@no-such-domain.example", "5.1.2", "Host or domain name not found"),
    ("2025-04-29T11:27", "maria.nunes@puertodelsur.example", "5.1.1", "550 5.1.1 No such mailbox"),
    ("2025-09-17T16:55", "team@littoral.example", "5.7.1", "554 5.7.1 Refused by policy"),
    ("2025-10-22T08:31", "archive@coastwatch.example.org", "5.3.4", "552 5.3.4 Message too big"),
    ("2026-01-21T13:12", "a.sokolowa@polyarnik.example", "5.1.1", "550 5.1.1 Unknown recipient"),
    ("2026-04-16T10:48", "jorg@seezeichen.example", "4.4.1", "connect: Connection timed out"),
    ("2026-04-18T10:48", "jorg@seezeichen.example", "5.4.7", "delivery time expired"),
)


def returns() -> list[Stored]:
    """Make what came back, with the letters that it is about."""
    return [*_bounces(), *_receipts(), *_customers_away()]


def _bounces() -> list[Stored]:
    dice = Dice("bounces")
    stored = []
    before: Letter | None = None
    for written, mailbox, status, words in _BOUNCES:
        when = local(datetime.fromisoformat(written).replace(tzinfo=UTC), ZONES["Sweden"])
        is_final = status.startswith("5")
        if before is None:
            before = Letter(
                MIRA,
                (Person("", mailbox, ""),),
                dice.pick(("Our call last week", "New certificate", "Documents as promised")),
                when,
                message_id(dice, MIRA),
                "Hello,\n\nas promised, here is the short version. Call me if you have questions.\n\nMira",
            )
            stored.append(sent(before))
        body = _report(dice, before, mailbox, status, words, when)
        stored.append(
            post(
                dice,
                "INBOX" if when.year > 2024 else "Archive/2024",
                when + timedelta(seconds=dice.between(2, 40)),
                _DAEMON,
                "Undelivered Mail Returned to Sender"
                if is_final
                else "Delayed Mail (still being retried)",
                body,
                extra=(
                    ("Auto-Submitted", "auto-replied"),
                    ("In-Reply-To", f"<{before.message_id}>"),
                    ("References", f"<{before.message_id}>"),
                ),
                envelope="",
                signed=False,
            )
        )
        before = None if is_final else before
    return stored


def _report(
    dice: Dice, letter: Letter, mailbox: str, status: str, words: str, when: datetime
) -> Entity:
    """Write a delivery status notification (RFC 3464)."""
    is_final = status.startswith("5")
    domain = mailbox.rpartition("@")[2]
    fate = (
        "could not be delivered" if is_final else "has not been delivered yet; no need to resend it"
    )
    text = f"This is the mail system at {COMPANY}.\n\nYour message {fate}.\n\n<{mailbox}>: {words}"
    facts = (
        f"Reporting-MTA: dns; submit.{COMPANY}\n"
        f"Arrival-Date: {stamp(letter.date)}\n\n"
        f"Final-Recipient: rfc822; {mailbox}\n"
        f"Action: {'failed' if is_final else 'delayed'}\n"
        f"Status: {status}\n"
        f"Remote-MTA: dns; mx.{domain}\n"
        f"Diagnostic-Code: smtp; {words}\n"
        f"Last-Attempt-Date: {stamp(when)}\n"
    )
    raw = raw_of(letter)
    whole = dice.chance(0.5)
    rest = (
        mime.Entity(
            (("Content-Type", "message/rfc822"), ("Content-Transfer-Encoding", "8bit")), raw
        )
        if whole
        else mime.Entity(
            (("Content-Type", "text/rfc822-headers"),), raw.partition(b"\n\n")[0] + b"\n"
        )
    )
    parts = (
        mime.text_part(text, "us-ascii", "7bit"),
        mime.Entity((("Content-Type", "message/delivery-status"),), facts.encode()),
        rest,
    )
    return mime.multipart(
        "report", parts, f"=_{dice.token(20)}", extra="report-type=delivery-status; "
    )


def _receipts() -> list[Stored]:
    """Make read receipts (RFC 8098) for letters that asked for one."""
    dice = Dice("receipts")
    stored = []
    asked = (
        ("2024-10-02T08:20", "Sabine"), ("2025-01-30T12:05", "Paweł"), ("2025-05-21T09:44", "Grace"),
        ("2025-11-19T14:10", "Étienne"), ("2026-03-25T07:58", "Åsa"), ("2026-06-10T11:31", "Uwe"),
    )  # fmt: skip
    for written, name in asked:
        person = by_name(name)
        when = local(datetime.fromisoformat(written).replace(tzinfo=UTC), ZONES["Sweden"])
        letter = Letter(
            MIRA,
            (person,),
            "Contract, signed copy",
            when,
            message_id(dice, MIRA),
            f"Dear {person.first},\n\nthe signed copy is in the post. Please confirm when it arrives.\n\nMira",
            extra=(("Disposition-Notification-To", f"<{MIRA.mailbox}>"),),
        )
        stored.append(sent(letter))
        read = local(when + timedelta(minutes=dice.between(12, 900)), ZONES[person.zone])
        text = f"Your message \u201c{letter.subject}\u201d was displayed on {read:%Y-%m-%d %H:%M}."
        facts = (
            f"Reporting-UA: {person.program.name}\n"
            f"Final-Recipient: rfc822; {person.mailbox}\n"
            f"Original-Message-ID: <{letter.message_id}>\n"
            "Disposition: manual-action/MDN-sent-manually; displayed\n"
        )
        parts = (
            mime.text_part(text, "utf-8", "quoted-printable"),
            mime.Entity((("Content-Type", "message/disposition-notification"),), facts.encode()),
        )
        stored.append(
            post(
                dice,
                "INBOX" if when.year > 2024 else "Archive/2024",
                read,
                (person.name, person.mailbox),
                f"Read: {letter.subject}",
                mime.multipart(
                    "report",
                    parts,
                    f"=_{dice.token(20)}",
                    extra="report-type=disposition-notification; ",
                ),
                extra=(
                    ("In-Reply-To", f"<{letter.message_id}>"),
                    ("References", f"<{letter.message_id}>"),
                ),
                charset=person.charset,
                zone=person.zone,
            )
        )
    return stored


def _automatic(
    dice: Dice, author: Person, to: Person, about: str, parent: str, when: datetime, back: str
) -> Letter:
    subject, text = LANGUAGES[author.language].away
    if not subject:
        subject, text = LANGUAGES["en"].away
    return Letter(
        author,
        (to,),
        subject.format(subject=about),
        when,
        message_id(dice, author),
        text.format(day=back),
        extra=(
            ("In-Reply-To", f"<{parent}>"),
            ("References", f"<{parent}>"),
            ("Auto-Submitted", "auto-replied"),
            ("X-Auto-Response-Suppress", "All"),
            ("Precedence", "junk"),
        ),
    )


def _customers_away() -> list[Stored]:
    """Answer what the owner sends around in the summer: half of the customers are away."""
    dice = Dice("away")
    stored = []
    occasions = ((2024, 8, 14), (2025, 4, 16), (2025, 8, 6), (2025, 12, 19))
    for year, month, day in occasions:
        when = moment(
            datetime(year, month, day, tzinfo=UTC).date(), 10 * 60 + dice.below(60), ZONES["Sweden"]
        )
        people = dice.some(CUSTOMERS, 5)
        for person in people:
            letter = Letter(
                MIRA,
                (person,),
                "Maintenance of Tideline next week",
                when,
                message_id(dice, MIRA),
                f"Dear {person.first},\n\nTideline will be down for half an hour next Tuesday at 6:00 UTC. "
                "Your gauges keep their readings, nothing is lost.\n\nKind regards,\nMira Holm",
            )
            stored.append(sent(letter))
            at = local(when + timedelta(seconds=dice.between(4, 90)), ZONES[person.zone])
            back = f"{when + timedelta(days=dice.between(5, 16)):%Y-%m-%d}"
            reply = _automatic(dice, person, MIRA, letter.subject, letter.message_id, at, back)
            folder = "INBOX" if year > 2024 else "Archive/2024"
            stored.append(received(dice, reply, folder))
            when += timedelta(minutes=1)
    return stored


def owner_away(dice: Dice, letters: Sequence[Letter]) -> list[Stored]:
    """Let the owner's server answer, once per sender and absence, what comes while she is away."""
    stored = []
    told: set[tuple[str, int]] = set()
    for letter in sorted(letters, key=lambda one: one.date):
        for number, (first, last) in enumerate(VACATIONS):
            key = (letter.author.mailbox, number)
            is_there = not first <= letter.date.date() <= last
            if is_there or key in told or letter.author in STAFF or MIRA not in letter.to:
                continue
            told.add(key)
            at = local(letter.date + timedelta(seconds=dice.between(5, 60)), ZONES["Sweden"])
            back = f"{last:%Y-%m-%d}"
            stored.append(
                sent(
                    _automatic(
                        dice, MIRA, letter.author, letter.subject, letter.message_id, at, back
                    )
                )
            )
    return stored
