"""One letter: how its author's program quotes, signs and writes it, and where it comes to lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from generator import mime
from generator.clock import stamp
from generator.delivery import deliver
from generator.languages import LANGUAGES
from generator.mailbox import Stored
from generator.people import COMPANY, MIRA

if TYPE_CHECKING:
    from datetime import datetime

    from generator.chance import Dice
    from generator.mime import Entity, Fields
    from generator.people import Person

__all__ = ["Letter", "answer_to", "entity_of", "message_id", "raw_of", "received", "sent", "sign"]

_MOST_QUOTED = 45  # lines


@dataclass(frozen=True, slots=True)
class Letter:
    """What someone sends.

    Attributes
    ----------
    author, to, cc
        People.
    date
        On the author's clock.
    own
        The new text, without signature.
    parent
        What it answers.
    files
        Further parts.
    extra
        Further header fields.
    is_forward
        Whether the parent is handed on instead of answered.
    quiet
        Without quotation, as some answer from the telephone.
    footer
        Of a mailing list.
    is_meeting
        Whether the files are other versions of the text, as invitations are.
    """

    author: Person
    to: tuple[Person, ...]
    subject: str
    date: datetime
    message_id: str
    own: str
    parent: Letter | None = None
    cc: tuple[Person, ...] = ()
    files: tuple[Entity, ...] = ()
    extra: Fields = ()
    is_forward: bool = False
    quiet: bool = False
    footer: str = ""
    is_meeting: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The letters above it, oldest first."""
        if self.parent is None or self.is_forward:
            return ()
        return (*self.parent.references, self.parent.message_id)

    @property
    def people(self) -> tuple[Person, ...]:
        """Everyone on it."""
        return tuple(dict.fromkeys((self.author, *self.to, *self.cc)))

    @property
    def text(self) -> str:
        """All of it: new text, signature, quotation."""
        return "\n".join(_lines(self))


def message_id(dice: Dice, person: Person) -> str:
    """Draw a Message-ID in the manner of a program."""
    program = person.program.name[0]
    if program in "KA":
        return f"{dice.token(8)}{dice.token(8)}-{dice.token(6)}@{person.domain}"
    return f"{dice.token(12)}@{person.domain}"


def answer_to(
    dice: Dice, parent: Letter, author: Person, date: datetime, own: str, *, everyone: bool = True
) -> Letter:
    """Begin an answer: recipients and subject as programs choose them."""
    subject = _answered(parent.subject, author)
    taken = (author.mailbox, parent.author.mailbox)
    others = tuple(one for one in (*parent.to, *parent.cc) if one.mailbox not in taken)
    if parent.author is author:
        to, others = parent.to, parent.cc
    else:
        to = (parent.author,)
    return Letter(
        author,
        to,
        subject,
        date,
        message_id(dice, author),
        own,
        parent,
        cc=others if everyone else (),
    )


_PREFIXES = tuple(dict.fromkeys(one.prefix.lower() for one in LANGUAGES.values()))


def _answered(subject: str, author: Person) -> str:
    """Put a prefix before a subject: most programs know only their own and ``Re:``.

    One knows all, and replaces what stands there.
    """
    prefix = LANGUAGES[author.language].prefix
    if author.program.name.startswith("Albatross"):
        known = next((one for one in _PREFIXES if subject.lower().startswith(one)), "")
        return prefix + subject[len(known) :]
    is_known = subject.lower().startswith(("re: ", prefix.lower()))
    return subject if is_known else prefix + subject


# -- the text


def sign(person: Person) -> list[str]:
    """Write someone's signature."""
    if person.program.name.startswith("Puffin"):
        return ["Sent from my phone"]
    lines = [person.name]
    if person.domain == COMPANY:
        lines.append(f"{person.role}, Fyrbåk Instruments" if person.charset != "us-ascii" else "")
        lines.append(f"{person.phone} | https://www.{COMPANY}/")
    elif person.role:
        lines.append(f"{person.role}, {person.group}")
    return lines


def _new(letter: Letter) -> list[str]:
    lines = []
    for paragraph in letter.own.split("\n"):
        is_table = paragraph.startswith((" ", "|", "-", ">", "$"))
        lines += [paragraph] if is_table else mime.wrap(paragraph)
    return lines


def _signature(letter: Letter) -> list[str]:
    return ["", "-- ", *sign(letter.author)]


def _introduction(letter: Letter, parent: Letter) -> str:
    language = LANGUAGES[letter.author.language]
    return language.wrote.format(
        date=f"{parent.date:%Y-%m-%d}", time=f"{parent.date:%H:%M}", name=parent.author.name
    )


def _block(letter: Letter, parent: Letter) -> list[str]:
    line, author, when, to, about = LANGUAGES[letter.author.language].block
    names = "; ".join(one.name for one in parent.to)
    return [
        line,
        f"{author}: {parent.author.name} <{parent.author.mailbox}>",
        f"{when}: {parent.date:%Y-%m-%d %H:%M}",
        f"{to}: {names}",
        f"{about}: {parent.subject}",
        "",
    ]


def _lines(letter: Letter) -> list[str]:
    """Put new text, signature and quotation in the order of the author's program."""
    parent = None if letter.quiet else letter.parent
    new, end = _new(letter), _signature(letter)
    if parent is None:
        return [*new, *end, *_footer(letter)]
    if letter.is_forward:
        words = "---------- Forwarded message ----------"
        head = [words, *_block(letter, parent)[1:]]
        return [*new, *end, "", *head, *parent.text.split("\n")]
    posting = letter.author.program.posting
    if posting == "bottom":
        old = _trimmed(parent)
        return [_introduction(letter, parent), *map(_quote, old), "", *new, *end, *_footer(letter)]
    old = parent.text.split("\n")[:_MOST_QUOTED]
    if posting == "block":
        return [*new, *end, "", *_block(letter, parent), *old]
    return [*new, *end, "", _introduction(letter, parent), *map(_quote, old)]


def _footer(letter: Letter) -> list[str]:
    return letter.footer.split("\n") if letter.footer else []


def _trimmed(parent: Letter) -> list[str]:
    """Give what a careful writer quotes: the new text, without signature."""
    if parent.parent is None or parent.quiet or parent.author.program.posting != "bottom":
        return _new(parent)
    before = _introduction(parent, parent.parent)
    return [before, *[_quote(line) for line in _new(parent.parent)[:6]], "", *_new(parent)]


def _quote(line: str) -> str:
    return f">{line}" if line.startswith(">") else f"> {line}".rstrip()


# -- the bytes


def _plain(letter: Letter, text: str) -> Entity:
    person = letter.author
    is_flowed = person.program.form == "flowed"
    if is_flowed:
        text = mime.flow(text)
    text, charset = _fitting(letter, text)
    return mime.text_part(text, charset, person.program.encoding, is_flowed=is_flowed)


def _fitting(letter: Letter, text: str) -> tuple[str, str]:
    """Give the text and the charset it goes in.

    What does not fit goes as UTF-8; older programs write a question mark instead, if it stands in
    what they quote.
    """
    charset = letter.author.charset
    if _fits(text, charset):
        return text, charset
    is_old = letter.author.program.name.startswith(("Wagtail", "Albatross", "Tern"))
    if is_old and charset != "us-ascii" and _fits(letter.own, charset):
        return text.encode(charset, "replace").decode(charset), charset
    return text, "utf-8"


def _fits(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _html(letter: Letter) -> Entity:
    person = letter.author
    new = "".join(f"<p>{escape(one)}</p>\n" for one in letter.own.split("\n") if one)
    end = "<br>\n".join(map(escape, sign(person)))
    parent = None if letter.quiet else letter.parent
    old = ""
    if parent is not None:
        quoted = "<br>\n".join(escape(one) for one in parent.text.split("\n")[:_MOST_QUOTED])
        if person.program.posting == "block":
            words = "<br>\n".join(map(escape, _block(letter, parent)))
            old = f'<hr>\n<div style="color:#444">{words}{quoted}</div>\n'
        else:
            words = escape(_introduction(letter, parent))
            old = f'<div>{words}</div>\n<blockquote type="cite">{quoted}</blockquote>\n'
    direction = ' dir="rtl"' if person.language in ("ar", "he") else ""
    page = (
        f'<html{direction}><head><meta charset="{person.charset}"></head>\n'
        f'<body style="font-family:sans-serif">\n{new}'
        f'<p style="color:#777">{end}</p>\n{old}</body></html>'
    )
    page, charset = _fitting(letter, page)
    page = page.replace(f'charset="{person.charset}"', f'charset="{charset}"', 1)
    encoding = person.program.encoding
    return mime.text_part(page, charset, encoding, subtype="html")


def entity_of(letter: Letter, boundary: str) -> Entity:
    """Write the body in the form of the author's program."""
    form = letter.author.program.form
    if letter.is_meeting:
        versions = (_plain(letter, letter.text), *letter.files)
        return mime.multipart("alternative", versions, f"{boundary}-c")
    if form == "html" and not letter.is_forward:
        body = _html(letter)
    elif form == "alternative" and not letter.is_forward:
        pair = (_plain(letter, letter.text), _html(letter))
        body = mime.multipart("alternative", pair, f"{boundary}-a")
    else:
        body = _plain(letter, letter.text)
    if letter.files:
        body = mime.multipart("mixed", (body, *letter.files), f"{boundary}-m")
    return body


def _people(people: tuple[Person, ...], author: Person) -> str:
    program = author.program
    return ", ".join(_mailbox(one, author.charset, program.words) for one in people)


def _mailbox(person: Person, charset: str, words: str) -> str:
    charset = charset if _fits(person.name, charset) else "utf-8"
    return mime.address(person.name, person.mailbox, charset, words)


def raw_of(letter: Letter, top: Fields = ()) -> bytes:
    """Write the message, with what servers put on top of it."""
    author = letter.author
    charset = author.charset if _fits(letter.subject, author.charset) else "utf-8"
    boundary = f"=_{letter.message_id.partition('@')[0]}"
    body = entity_of(letter, boundary)
    fields = [
        *top,
        ("Date", stamp(letter.date)),
        ("From", _mailbox(author, author.charset, author.program.words)),
        ("To", _people(letter.to, author) or "undisclosed-recipients:;"),
    ]
    if letter.cc:
        fields.append(("Cc", _people(letter.cc, author)))
    fields += [
        ("Subject", mime.encode_words(letter.subject, charset, author.program.words)),
        ("Message-ID", f"<{letter.message_id}>"),
    ]
    if letter.references:
        fields.append(("In-Reply-To", f"<{letter.references[-1]}>"))
        # RFC 5322 section 3.6.4 lets a program leave out the middle.
        shown = letter.references
        shown = shown if len(shown) <= 10 else (shown[0], *shown[-9:])
        fields.append(("References", " ".join(f"<{one}>" for one in shown)))
    fields += [
        *letter.extra,
        (author.program.field, author.program.name),
        ("MIME-Version", "1.0"),
        *body.fields,
    ]
    return mime.entity_bytes(mime.Entity(tuple(fields), body.body))


# -- where it comes to lie


def received(dice: Dice, letter: Letter, folder: str, stored: Stored | None = None) -> Stored:
    """Deliver a letter to the owner."""
    author = letter.author
    is_inside = author.domain == COMPANY
    way = deliver(
        dice,
        letter.date,
        author.mailbox,
        relays=dice.weighted((1, 2, 3), (6, 3, 1)),
        zone=author.zone,
        signed="" if is_inside or author.program.name.startswith("Tern") else author.domain,
        slow=dice.between(5, 90) if dice.chance(0.03) else 0,
    )
    base = stored or Stored(folder, way.arrival, author.mailbox, b"")
    return replace(
        base,
        folder=folder,
        arrival=way.arrival,
        envelope=author.mailbox,
        raw=raw_of(letter, way.fields),
    )


def sent(letter: Letter, state: str = "", keywords: str = "") -> Stored:
    """Keep the owner's copy."""
    return Stored("Sent", letter.date, MIRA.mailbox, raw_of(letter), state=state, keywords=keywords)
