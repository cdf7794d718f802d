"""A mailbox that looks like real mail and is the same on every run, and what is true of it.

30 % plain text, 50 % multipart/alternative, 20 % multipart/mixed with attachments of 5 to 120 kB.
Written by hand and from pools made once: a builder that shares code with what reads the messages
would hide its mistakes, and one that makes every octet anew would take minutes.
"""

# ruff: noqa: SIM905 - twenty words are read more easily in one string

from __future__ import annotations

import base64
import binascii
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A line of base64 that stands in every attachment, every 16 lines, and nowhere else.
MARKER = base64.b64encode(b"an octet of an attachment, which nobody asked to download")

START = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)
ZONES = [timezone(timedelta(minutes=m)) for m in (0, 60, 120, -300, -480, 330, 540)]
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
SYLLABLES = "ba de ri mo ta lu ne so ki ver an ing ter for el us da pro con re mi sta".split()
UMLAUTS = "ä ö ü ß é è ç ñ å ø".split()
FIRST = "Alice Bob Carla David Erika Frank Grace Hugo Irene Jonas Karin Luis Marta Nils".split()
LAST = "Smith Jones Weber Novak Rossi Garcia Lind Meyer Dubois Kowalski Silva Olsen".split()
FIRST_BEYOND = "Jürgen Zoë André Søren Łukasz Iñigo Åsa François 美咲 Ольга".split()
LAST_BEYOND = "Müller Núñez Lefèvre Ørsted Żak Großmann 田中 Иванова".split()
# Charset, transfer encoding, and how many of 100 texts; base64 is for machines' mail mostly.
ENCODINGS = [
    ("utf-8", "quoted-printable", 38),
    ("us-ascii", "7bit", 25),
    ("utf-8", "8bit", 12),
    ("utf-8", "base64", 10),
    ("iso-8859-1", "quoted-printable", 10),
    ("iso-8859-1", "8bit", 5),
]
TYPES = [("application/pdf", "pdf"), ("image/jpeg", "jpg"), ("application/zip", "zip")]
STYLE = 'style="margin:0;padding:0 12px;font-family:Arial,Helvetica,sans-serif;color:#333333"'


@dataclass(slots=True)
class Mailbox:
    """Messages for `Dovecot.deliver`, and `truth`, which grows as they are made.

    Parameters
    ----------
    count
        Number of messages.
    seed
        The same seed gives the same mailbox.
    """

    count: int
    seed: int = 1
    octets: int = 0
    header_octets: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def truth(self) -> pd.DataFrame:
        """One row a message, UIDs from 1."""
        return pd.DataFrame(self.rows).set_index("uid", drop=False)

    def __iter__(self) -> Iterator[tuple[bytes, tuple[str, ...], datetime]]:
        writer = _Writer(random.Random(self.seed))
        for uid in range(1, self.count + 1):
            head, body, row = writer.message(uid)
            raw = head + b"\r\n" + body
            self.octets += len(raw)
            self.header_octets += len(head)
            flags = writer.flags()
            self.rows.append({"uid": uid, "size": len(raw), "seen": "\\Seen" in flags, **row})
            yield raw, flags, row["date"] + timedelta(seconds=uid % 50)


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(3000)]
        self.paragraphs = [self._paragraph(beyond=False) for _ in range(1500)]
        self.beyond = [self._paragraph(beyond=True) for _ in range(1500)]
        self.noise = base64.b64encode(rng.randbytes(60_000))
        self.attachment = self._attachment_pool()
        self.people = [self._person(number) for number in range(600)]
        # Zipf: the n-th sender writes 1/n as often as the first.
        self.zipf = list(accumulate(1 / n for n in range(1, len(self.people) + 1)))
        self.ids = ["start@mail.example.org"]

    def message(self, uid: int) -> tuple[bytes, bytes, dict[str, Any]]:
        rng = self.rng
        kind = rng.choices(("plain", "alternative", "mixed"), (30, 50, 20))[0]
        attachments = 0
        text = self._text()
        if kind == "plain":
            content_type, body, text = self._plain(text)
        elif kind == "alternative":
            content_type, body, text = self._alternative(text, uid)
        else:
            nested = rng.random() < 0.4
            content_type, body, text = self._alternative(text, uid) if nested else self._plain(text)
            attachments = rng.choices((1, 2), (80, 20))[0]
            parts = [content_type + b"\r\n" + body]
            parts += [self._attachment(uid, n) for n in range(attachments)]
            content_type, body = _multipart(b"mixed", parts, uid)
        head, row = self._head(uid)
        row |= {"n_attachments": attachments, "text": text}
        return head + b"MIME-Version: 1.0\r\n" + content_type, body, row

    def flags(self) -> tuple[str, ...]:
        chances = {"\\Seen": 0.7, "\\Answered": 0.2, "\\Flagged": 0.05, "$Forwarded": 0.04}
        return tuple(flag for flag, chance in chances.items() if self.rng.random() < chance)

    # pools -----------------------------------------------------------------------------------

    def _paragraph(self, *, beyond: bool) -> str:
        lines = []
        for _ in range(self.rng.randint(1, 7)):
            line = " ".join(self.rng.choices(self.words, k=self.rng.randint(7, 10)))[:72]
            if beyond:
                line += " " + self.rng.choice(UMLAUTS) + self.rng.choice(self.words)[:5]
            lines.append(line)
        return "\n".join(lines) + ".\n"

    def _attachment_pool(self) -> bytes:
        encoded = base64.b64encode(self.rng.randbytes(600_000))
        lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
        blocks = [MARKER + b"\r\n" + b"\r\n".join(lines[n : n + 15]) for n in range(0, 10_500, 15)]
        return b"\r\n".join(blocks) + b"\r\n"

    def _person(self, number: int) -> tuple[bytes, str]:
        """Return a mailbox as it stands in From, and its address."""
        rng = self.rng
        first, last = rng.choice(FIRST), rng.choice(LAST)
        address = f"{first}.{last}.{number}@mail{number % 90}.example.org".lower()
        form = rng.choices(("plain", "comma", "words", "none"), (55, 10, 25, 10))[0]
        if form == "words":
            name = _words(f"{rng.choice(FIRST_BEYOND)} {rng.choice(LAST_BEYOND)}", rng)
        elif form == "comma":
            name = f'"{last}, {first}"'.encode()
        elif form == "plain":
            name = f"{first} {last}".encode()
        else:
            return address.encode(), address
        return name + b" <" + address.encode() + b">", address

    def _noise(self, octets: int) -> bytes:
        start = self.rng.randrange(len(self.noise) - octets)
        return self.noise[start : start + octets].replace(b"=", b"A")

    # header fields ---------------------------------------------------------------------------

    def _head(self, uid: int) -> tuple[bytes, dict[str, Any]]:
        rng = self.rng
        sender, address = rng.choices(self.people, cum_weights=self.zipf)[0]
        date = (START + SPAN * (uid / 1_000_003 * 50 % 1)).replace(microsecond=0)
        date = date.astimezone(rng.choice(ZONES))
        message_id = f"{self._noise(22).decode().replace('/', '-')}.{uid}@{address.split('@')[1]}"
        reply = rng.random() < 0.4
        subject = " ".join(rng.choices(self.words, k=rng.randint(2, 11)))
        beyond = rng.random() < 0.2
        if beyond:
            subject += f" {rng.choice(FIRST_BEYOND)} {rng.choice(LAST_BEYOND)}"
        subject = ("Re: " if reply else "") + subject
        fields = [
            *self._transport(address.encode(), _date(date)),
            b"From: " + sender,
            b"To: " + self._people(rng.choices((1, 2, 5), (80, 14, 6))[0]),
            b"Subject: " + (_words(subject, rng) if beyond else _fold(subject)),
            b"Date: " + _date(date),
            b"Message-ID: <" + message_id.encode() + b">",
        ]
        if rng.random() < 0.2:
            fields.append(b"Cc: " + self._people(rng.randint(1, 4)))
        if reply:
            ids = [f"<{one}>".encode() for one in rng.choices(self.ids[-500:], k=rng.randint(1, 8))]
            fields += [b"In-Reply-To: " + ids[-1], b"References: " + b"\r\n ".join(ids)]
        if rng.random() < 0.15:
            name = f"list{rng.randrange(30)}".encode()
            fields += [
                b"List-Id: The list <" + name + b".lists.example.org>",
                b"List-Unsubscribe: <https://lists.example.org/" + name + b"?u="
                + self._noise(60) + b">,\r\n <mailto:leave@lists.example.org>",
            ]  # fmt: skip
        self.ids.append(message_id)
        row = {
            "subject": subject,
            "from_address": address,
            "date": date.astimezone(UTC),
            "message_id": message_id,
        }
        return b"\r\n".join(fields) + b"\r\n", row

    def _people(self, count: int) -> bytes:
        chosen = self.rng.choices(self.people, cum_weights=self.zipf, k=count)
        return b",\r\n ".join(person for person, _ in chosen)

    def _transport(self, address: bytes, date: bytes) -> Iterator[bytes]:
        """Give what machines put on top: about 27 lines, 2 kB."""
        noise = self._noise
        host = address.partition(b"@")[2]
        yield b"Return-Path: <" + address + b">"
        yield b"Delivered-To: me@example.com"
        for hop in range(self.rng.randint(2, 4)):
            yield (
                b"Received: from mx%d.%b (mx%d.%b [203.0.113.%d])\r\n\tby relay%d.example.com"
                b" (Postfix) with ESMTPS id %b\r\n\tfor <me@example.com>; %b"
            ) % (hop, host, hop, host, 7 * hop, hop, noise(12), date)
        yield (
            b"Authentication-Results: mx.example.com;\r\n\tdkim=pass header.i=@%b header.s=s1;\r\n"
            b"\tspf=pass smtp.mailfrom=%b;\r\n\tdmarc=pass (p=NONE) header.from=%b"
        ) % (host, address, host)
        yield (
            b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b; s=s1;\r\n"
            b"\th=from:to:subject:date:message-id:mime-version; bh=%b=;\r\n\tb=%b"
        ) % (host, noise(43), b"\r\n\t ".join(noise(70) for _ in range(5)))
        yield b"X-Google-Smtp-Source: " + noise(60)
        yield b"X-Gm-Message-State: " + b"\r\n\t".join(noise(74) for _ in range(3))
        yield b"X-Spam-Status: No, score=-2.1 required=5.0 tests=BAYES_00,\r\n\tSPF_PASS"
        yield b"X-Mailer: Mailer 16.0"

    # parts -----------------------------------------------------------------------------------

    def _text(self) -> list[int]:
        """Choose paragraphs: mostly a few, sometimes many."""
        count = max(1, min(60, round(self.rng.lognormvariate(1.2, 0.9))))
        return self.rng.choices(range(len(self.paragraphs)), k=count)

    def _encoded(self, kind: bytes, charset: str, encoding: str, text: str) -> tuple[bytes, bytes]:
        head = (
            b"Content-Type: text/%b; charset=%b\r\nContent-Transfer-Encoding: %b\r\n"
        ) % (kind, charset.encode(), encoding.encode())  # fmt: skip
        raw = text.encode(charset)
        if encoding == "quoted-printable":
            raw = binascii.b2a_qp(raw)
        if encoding == "base64":
            raw = base64.encodebytes(raw.replace(b"\n", b"\r\n"))
        return head, raw.replace(b"\n", b"\r\n")

    def _words_of(self, chosen: Sequence[int], charset: str) -> str:
        pool = self.paragraphs if charset == "us-ascii" else self.beyond
        text = "\n".join(pool[number] for number in chosen)
        if len(chosen) > 3:
            text += "\n> " + pool[chosen[0]].replace("\n", "\n> ") + "\n-- \nThe sender\n"
        return text

    def _how(self) -> tuple[str, str]:
        charset, encoding, _ = self.rng.choices(ENCODINGS, [weight for *_, weight in ENCODINGS])[0]
        return charset, encoding

    def _plain(self, chosen: Sequence[int]) -> tuple[bytes, bytes, str]:
        charset, encoding = self._how()
        text = self._words_of(chosen, charset)
        return *self._encoded(b"plain", charset, encoding, text), text

    def _alternative(self, chosen: Sequence[int], uid: int) -> tuple[bytes, bytes, str]:
        charset, encoding = self._how()
        text = self._words_of(chosen, charset)
        rows = "".join(
            f"<tr><td {STYLE}><p {STYLE}>{paragraph}</p></td></tr>\n"
            for paragraph in text.split("\n\n")
        )
        html = f"<html><body {STYLE}>\n<table {STYLE}>\n{rows}</table></body></html>\n"
        pairs = [
            self._encoded(b"plain", charset, encoding, text),
            self._encoded(b"html", charset, encoding, html),
        ]
        parts = [head + b"\r\n" + body for head, body in pairs]
        return *_multipart(b"alternative", parts, uid), text

    def _attachment(self, uid: int, number: int) -> bytes:
        media, ending = self.rng.choice(TYPES)
        octets = round(self.rng.triangular(5_000, 120_000, 15_000)) * 4 // 3
        name = f"document {uid}-{number}.{ending}"
        # 16 lines of 78 octets: begin at a marker.
        start = self.rng.randrange(500) * 16 * 78
        return (
            f'Content-Type: {media}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
        ).encode() + self.attachment[start : start + octets // 78 * 78]


def _multipart(subtype: bytes, parts: list[bytes], uid: int) -> tuple[bytes, bytes]:
    boundary = b"=_%b_%d_000000000000" % (subtype, uid)
    head = b'Content-Type: multipart/%b; boundary="%b"\r\n' % (subtype, boundary)
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return head, body + b"--" + boundary + b"--\r\n"


def _date(date: datetime) -> bytes:
    return (
        f"{DAYS[date.weekday()]}, {date.day} {MONTHS[date.month - 1]} {date:%Y %H:%M:%S %z}"
    ).encode()


def _fold(text: str) -> bytes:
    """Break a long line before a word (RFC 5322 section 2.2.3)."""
    if len(text) < 68:
        return text.encode()
    at = text.rindex(" ", 0, 68)
    return text[:at].encode() + b"\r\n" + text[at:].encode()


def _words(text: str, rng: random.Random) -> bytes:
    """Write text as encoded words (RFC 2047), 12 characters each."""
    pieces = [text[at : at + 12] for at in range(0, len(text), 12)]
    charset = "utf-8"
    if rng.random() < 0.25 and text.encode("latin-1", "ignore").decode("latin-1") == text:
        charset = "iso-8859-1"
    if rng.random() < 0.5:
        coded = [base64.b64encode(piece.encode(charset)).decode() for piece in pieces]
        letter = "B"
    else:
        coded = ["".join(f"={octet:02X}" for octet in piece.encode(charset)) for piece in pieces]
        letter = "Q"
    return "\r\n ".join(f"=?{charset}?{letter}?{one}?=" for one in coded).encode()
