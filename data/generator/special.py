"""Single mails to point at: drafts, signed ones, forwards as attachments, many recipients, tests."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from generator import files, mime
from generator.automatic import post
from generator.chance import Dice
from generator.clock import ZONES, first_free, local, moment, stamp
from generator.letters import Letter, message_id, raw_of, received, sent
from generator.mailbox import Stored
from generator.people import COMPANY, CUSTOMERS, MIRA, STAFF, VACATIONS, by_name, staff_of

if TYPE_CHECKING:
    from generator.mime import Entity, Fields

__all__ = ["special"]

_SWEDEN = ZONES["Sweden"]


def special() -> list[Stored]:
    """Make them."""
    return [*_drafts(), *_signed(), *_forwards(), *_pictures(), *_texts()]


def _drafts() -> list[Stored]:
    """Write three letters that were never sent: without recipients, without an end."""
    dice = Dice("drafts")
    rows = (
        (date(2025, 9, 4), (), "Ideas for the off-site", "Some ideas so far:\n\n- a morning on the water\n- no slides\n- "),
        (date(2026, 5, 29), (by_name("Astrid"),), "A day less per week?", "Hi Astrid,\n\nI have thought about this for a while, and would like to"),
        (date(2026, 6, 26), (by_name("Uwe"),), "Re: Kalibrierschein", "Guten Tag Herr Krüger,\n\nanbei"),
    )  # fmt: skip
    stored = []
    for day, to, subject, own in rows:
        when = moment(day, dice.between(9 * 60, 17 * 60), _SWEDEN)
        letter = Letter(MIRA, to, subject, when, message_id(dice, MIRA), own)
        raw = raw_of(letter)
        if not to:
            raw = raw.replace(b"To: undisclosed-recipients:;\n", b"")
        stored.append(Stored("Drafts", when, MIRA.mailbox, raw, state="T"))
    return stored


# -- signed: in shape only, the signatures are chance


def _armour(dice: Dice) -> bytes:
    coded = base64.b64encode(dice.octets(180)).decode()
    lines = [coded[at : at + 64] for at in range(0, len(coded), 64)]
    text = "\n".join(
        ("-----BEGIN PGP SIGNATURE-----", "", *lines, "-----END PGP SIGNATURE-----", "")
    )
    return text.encode()


def _with_pgp(dice: Dice, text: str) -> Entity:
    """Write the shape of RFC 3156."""
    signature = mime.Entity(
        (
            ("Content-Type", 'application/pgp-signature; name="signature.asc"'),
            ("Content-Description", "OpenPGP digital signature"),
            ("Content-Disposition", 'attachment; filename="signature.asc"'),
        ),
        _armour(dice),
    )
    parts = (mime.text_part(text, "utf-8", "quoted-printable"), signature)
    extra = 'micalg=pgp-sha256; protocol="application/pgp-signature"; '
    return mime.multipart("signed", parts, f"=_{dice.token(20)}", extra=extra)


def _with_smime(dice: Dice, text: str) -> Entity:
    """Write the shape of RFC 8551 section 3.5.3."""
    parts = (
        mime.text_part(text, "utf-8", "quoted-printable"),
        mime.attachment("smime.p7s", "application/pkcs7-signature", dice.octets(900)),
    )
    extra = 'protocol="application/pkcs7-signature"; micalg=sha-256; '
    return mime.multipart(
        "signed", parts, f"=_{dice.token(20)}", extra=extra, preamble="This is a signed message."
    )


def _signed() -> list[Stored]:
    dice = Dice("signed")
    stored = []
    for number in range(12):
        day = date(2024, 8, 20) + timedelta(days=57 * number)
        by_pgp = number % 2 == 0
        author = by_name("Chidi") if by_pgp else by_name("Sabine")
        text = (
            f"Hello Mira,\n\nthe fingerprint of release 2.{number} is below, as agreed.\n\n"
            f"{dice.octets(16).hex()}\n\n{author.first}"
            if by_pgp
            else f"Sehr geehrte Frau Holm,\n\nder Bericht Nr. {number} ist freigegeben.\n\n{author.name}"
        )
        subject = f"Release 2.{number}, fingerprint" if by_pgp else f"Freigabe Bericht {number}"
        body = _with_pgp(dice, text) if by_pgp else _with_smime(dice, text)
        stored.append(
            post(
                dice,
                "Archive/2024" if day.year == 2024 else "INBOX",
                moment(day, dice.between(8 * 60, 17 * 60), ZONES[author.zone]),
                (author.name, author.mailbox),
                subject,
                body,
                extra=((author.program.field, author.program.name),),
                charset=author.charset if author.charset != "us-ascii" else "utf-8",
            )
        )
    return stored


# -- forwards


def _forwards() -> list[Stored]:
    """Hand customers' letters on: within the text, and as attachments with all their header."""
    dice = Dice("forwards")
    stored = []
    for number in range(26):
        day = date(2024, 8, 27) + timedelta(days=25 * number + dice.below(3))
        day = first_free(day, _SWEDEN, VACATIONS)
        customer = CUSTOMERS[(7 * number + 2) % len(CUSTOMERS)]
        subject, text = _QUESTIONS[number % len(_QUESTIONS)]
        at = moment(day, dice.between(8 * 60, 11 * 60), ZONES[customer.zone])
        question = Letter(
            customer,
            (MIRA,),
            subject,
            at,
            message_id(dice, customer),
            f"Hello Mira,\n\n{text}\n\n{customer.name}",
        )
        folder = "Archive/2024" if day.year == 2024 else "Archive" if day.year == 2025 else "INBOX"
        marks = Stored(folder, at, "", b"", keywords="$Forwarded")
        stored.append(received(dice, question, folder, marks))
        expert = dice.pick(staff_of("Engineering", "Hardware", "Support", day=day))
        when = local(at + timedelta(minutes=dice.between(10, 200)), _SWEDEN)
        whole = number % 3 == 0
        note = f"Hi {expert.first},\n\ncan you answer this, or tell me what to answer?\n\nMira"
        files_ = (_enclosed(question),) if whole else ()
        forward = Letter(
            MIRA, (expert,), f"Fwd: {subject}", when, message_id(dice, MIRA), note,
            None if whole else question, files=files_, is_forward=True,
        )  # fmt: skip
        stored.append(sent(forward))
        if dice.chance(0.7):
            back = local(when + timedelta(minutes=dice.between(15, 400)), ZONES[expert.zone])
            answer = Letter(
                expert, (MIRA,), f"Re: Fwd: {subject}", back, message_id(dice, expert),
                dice.pick(_EXPERT), replace(forward, parent=None),
            )  # fmt: skip
            stored.append(received(dice, answer, folder))
    return stored


_QUESTIONS = (
    ("Cable length", "what is the longest cable between sensor and box? We need forty metres."),
    ("Paint on the float", "may we paint the float? The harbour wants it in yellow."),
    ("Readings every second", "can the gauge store a reading every second for one night?"),
    ("Ice", "will the bracket survive drifting ice, or should we take it in for the winter?"),
    ("Spare parts", "which parts should we keep on board for a year at sea?"),
    ("Unit of the air pressure", "is the air pressure in the export reduced to sea level?"),
    ("Lightning", "the gauge at the end of the pier was hit by lightning, and still works. Should we worry?"),
)  # fmt: skip
_EXPERT = (
    "Yes, it works, but the battery will not like it.",
    "I have answered directly, with you in copy.",
    "The manual says no. The truth is: yes, with care.",
    "Forty metres is fine, sixty is not.",
    "Good question. I try it in the tank tomorrow.",
)


def _enclosed(letter: Letter) -> Entity:
    """Put a message into a message (RFC 2046 section 5.2.1)."""
    raw = raw_of(letter, (("Received", _hop(letter)),))
    name = mime.parameter("filename", f"{letter.subject}.eml")
    fields: Fields = (
        ("Content-Type", "message/rfc822"),
        ("Content-Disposition", f"attachment; {name}"),
    )
    if not raw.isascii():
        fields = (*fields, ("Content-Transfer-Encoding", "8bit"))
    return mime.Entity(fields, raw)


def _hop(letter: Letter) -> str:
    when = stamp(letter.date + timedelta(seconds=2))
    return f"from smtp1.{letter.author.domain} by mx1.{COMPANY} with ESMTPS id f0rw4rd; {when}"


# -- pages with pictures, and texts that are tests


def _pictures() -> list[Stored]:
    """Send pages with a picture within (RFC 2387), and cards."""
    dice = Dice("pictures")
    stored = []
    logo = files.logo()
    for number in range(16):
        day = date(2024, 9, 2) + timedelta(days=42 * number)
        author = (by_name("Clara"), by_name("Nora"), by_name("Daniel"))[number % 3]
        identity = f"logo.{number}@{COMPANY}"
        page = (
            "<html><body><p>Dear all,</p>\n<p>this is what customers asked last month:</p>\n<ul>"
            f"<li>{dice.between(3, 30)} about prices</li><li>{dice.between(3, 30)} about alarms</li>"
            f"<li>{dice.between(1, 9)} about gulls</li></ul>\n<p>{author.name}<br>\n"
            f'<img src="cid:{identity}" alt="Fyrbåk" width="48" height="24"></p></body></html>'
        )
        picture = mime.attachment(
            "logo.png", "image/png", logo, disposition="inline", content_id=identity
        )
        html = mime.text_part(page, "utf-8", "quoted-printable", subtype="html")
        body = mime.multipart(
            "related", (html, picture), f"=_{dice.token(18)}", extra='type="text/html"; '
        )
        if number % 4 == 3:
            card = files.vcard(author.name, author.mailbox, "Fyrbåk Instruments")
            attached = mime.attachment(f"{author.first}.vcf", "text/vcard; charset=utf-8", card)
            body = mime.multipart("mixed", (body, attached), f"=_{dice.token(18)}")
        stored.append(
            post(
                dice,
                "Archive/2024" if day.year == 2024 else "INBOX",
                moment(day, dice.between(9 * 60, 16 * 60), ZONES[author.zone]),
                (author.name, author.mailbox),
                "What customers ask",
                body,
                to=f"Product <product@{COMPANY}>, Support <support@{COMPANY}>",
                extra=((author.program.field, author.program.name),),
                signed=False,
            )
        )
    return stored


def _texts() -> list[Stored]:
    """Write what mailbox files must quote, and recipients in groups and in great number."""
    dice = Dice("texts")
    jonas, emil = by_name("Jonas"), by_name("Emil")
    poem = (
        "Hi Mira,\n\nthe sentence for the wall, as you wanted it:\n\nFrom the pier one sees the light.\n"
        ">From the light one sees the pier.\n>>From here one sees nothing, it is foggy.\n\nJonas"
    )
    first = post(
        dice,
        "INBOX",
        moment(date(2025, 10, 2), 11 * 60 + 4, _SWEDEN),
        (jonas.name, jonas.mailbox),
        "From the pier",
        mime.text_part(poem, "utf-8", "8bit"),
        extra=((jonas.program.field, jonas.program.name),),
        signed=False,
    )
    everyone = ", ".join(mime.address(one.name, one.mailbox) for one in STAFF if one is not emil)
    second = post(
        dice,
        "INBOX",
        moment(date(2025, 12, 1), 9 * 60 + 30, _SWEDEN),
        (emil.name, emil.mailbox),
        "Christmas dinner on the 12th",
        mime.text_part(
            "Dear all,\n\ndinner is on the 12th at seven, on the old ferry. Say no if you cannot.\n\nEmil",
            "utf-8",
            "8bit",
        ),
        to=everyone,
        extra=((emil.program.field, emil.program.name),),
        signed=False,
        state="F",
    )
    third = post(
        dice,
        "INBOX",
        moment(date(2026, 3, 20), 8 * 60 + 12, _SWEDEN),
        ("Göran, Sjöström", "goran.sjostrom@hamnverket.example"),
        "Inbjudan: användarträff 🌊 i Göteborg",
        mime.text_part(
            "Hej!\n\nVälkomna till användarträffen den 8 maj. 🌊\n\nGöran", "utf-8", "base64"
        ),
        to=f"Users: mira.holm@{COMPANY}, leila.haddad@{COMPANY};, undisclosed-recipients:;",
        extra=(("Importance", "high"), ("Comments", "written by hand")),
        zone="Sweden",
    )
    return [first, second, third]
