"""The embedded server describes a message, and cuts it into sections, as Dovecot does.

Asked of other projects' messages, one FETCH each, for every item and section that there is. Where
the two are not the same, the message is listed below with the reason; all are messages in which
Dovecot or the standard library sees something wrong.
"""

from __future__ import annotations

import email
import imaplib
import re
from contextlib import closing
from dataclasses import dataclass, field
from email import policy
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import pytest

from mailframe.embedded.content import with_crlf
from mailframe.embedded.describe import bodystructure, envelope
from mailframe.embedded.entities import find_entities
from mailframe.embedded.sample import sample_account
from mailframe.embedded.sections import Section, content_of, header_content, partial
from mailframe.imap.responses import parse_tokens
from tests.test_two_ways import mailbox, mime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailframe.embedded.entities import Entity
    from mailframe.imap.responses import Token
    from tests.rigs.dovecot import Dovecot

LONG_BOUNDARY = (
    "a boundary of more than 70 characters (RFC 2046 section 5.1.1): Dovecot looks at the first 80"
)
OWN_BOUNDARY = "a delimiter of its own or of the same name where its header ends"
NO_FIELDS = (
    "a message inside that is no message but base64 or text without an empty line: Dovecot gives"
    " HEADER.FIELDS without the empty line, or reads on into the next part"
)

#: Messages that are not the same, and why.
EXCEPTIONS = {
    "imap_tools/attachment_2_base64.eml": NO_FIELDS,
    "mime4j/core__src__test__resources__mimetools-testmsgs__double-semicolon.msg.eml": (
        "two semicolons in a row: Dovecot reads no parameter behind them, so it finds no parts"
    ),
    "mime4j/core__src__test__resources__mimetools-testmsgs__multi-2gifs-base64.msg.eml": NO_FIELDS,
    "mime4j/core__src__test__resources__testmsgs__very-long-boundary.msg.eml": LONG_BOUNDARY,
    "mime4j/core__src__test__resources__testmsgs__very-very-long-boundary.msg.eml": LONG_BOUNDARY,
    "php-mime-mail-parser/issue274.eml": NO_FIELDS,
    "stalwart/eml__malformed__001.eml": OWN_BOUNDARY,
    "stalwart/eml__malformed__007.eml": OWN_BOUNDARY,
    "stalwart/eml__malformed__016.eml": LONG_BOUNDARY,
    "stalwart/eml__malformed__022.eml": NO_FIELDS,
    "stalwart/eml__rfc__008.eml": NO_FIELDS,
    "stalwart/eml__thirdparty__015.eml": NO_FIELDS,
}

_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
# These are in lower case if all of the message is plain text: Dovecot then keeps no more than that.
_CASELESS = frozenset({b"text", b"plain", b"charset", b"us-ascii", b"message", b"rfc822", b"7bit"})
# What Dovecot writes in the place of what it cannot read.
_MISSING = frozenset({b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"SYNTAX_ERROR"})
_MOST_SECTIONS = 300  # a command has to stay below 64 kB
_FIELDS = (b"From", b"subject")


def imaptest(corpora: Path) -> dict[str, bytes]:
    """Return the messages of imaptest's mailboxes, by file and number."""
    return {
        f"{path.name}:{number}": raw
        for path in sorted(corpora.glob("imap/imaptest/*.mbox"))
        for number, raw in enumerate(_FROM_LINE.split(path.read_bytes())[1:])
    }


def sample(*, full: bool) -> dict[str, bytes]:
    """Return messages of the sample mailbox: its broken ones and a tenth of the others, or all."""
    with closing(sample_account()) as account:
        return {
            f"sample {mailbox.name}:{one.uid}": one.content.read()
            for mailbox in account
            for one in mailbox.messages
            if full or one.uid % 10 == 0 or "lesson" in one.flags
        }


class Asked(NamedTuple):
    """An item that is asked for, and our answer."""

    name: bytes
    answer: Token


@dataclass
class Compared:
    """Both servers' answers.

    Attributes
    ----------
    differences
        By message: the items that are not the same.
    clean
        The messages in which nobody sees anything wrong.
    items
        How many items were compared, by name without numbers.
    """

    differences: dict[str, list[str]] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    items: dict[str, int] = field(default_factory=dict)
    messages: int = 0


@pytest.fixture(scope="module")
def compared(dovecot: Dovecot, corpora: Path, full: bool) -> Compared:  # noqa: FBT001 a fixture
    files = {**mime(corpora), **mailbox(corpora), **imaptest(corpora), **sample(full=full)}
    user = dovecot.new_user()
    dovecot.deliver(user, files.values())
    result = Compared(messages=len(files))
    with imaplib.IMAP4(dovecot.host, dovecot.port) as client:
        client.login(user, dovecot.password)
        client.select(readonly=True)
        for number, (name, sent) in enumerate(files.items(), 1):
            # No literal has a NUL (RFC 3501 section 4.3.1): Dovecot gives 0x80 in its place.
            raw = with_crlf(sent).replace(b"\0", b"\x80")
            asked = list(everything(raw))
            given = fetch(client, number, [one.name for one in asked])
            compare(result, name, asked, given)
            if not has_defects(raw) and not is_at_a_loss(
                given[b"ENVELOPE"], given[b"BODYSTRUCTURE"]
            ):
                result.clean.add(name)
    return result


def fetch(client: imaplib.IMAP4, number: int, names: list[bytes]) -> dict[bytes, Token]:
    """Fetch items of a message; of the answers' names the case is that of the server."""
    items = b" ".join(name.replace(b"BODY[", b"BODY.PEEK[") for name in names)
    _, replies = client.fetch(str(number), f"({items.decode()})")
    segments: list[bytes] = []
    for reply in replies:
        segments += reply if isinstance(reply, tuple) else [reply]
    tokens = parse_tokens(segments)[1]
    assert isinstance(tokens, list)
    keys = [key for key in tokens[::2] if isinstance(key, bytes)]
    return dict(zip(keys, tokens[1::2], strict=True))


def compare(result: Compared, name: str, asked: list[Asked], given: dict[bytes, Token]) -> None:
    for item, answer in asked:
        kind = re.sub(rb"[\d.]+(?=[\]>\w])|(?<=<)[\d.]+", b"", item).decode()
        result.items[kind] = result.items.get(kind, 0) + 1
        label = re.sub(rb"(<\d+)\.\d+>", rb"\1>", item)
        if canonical(answer) != canonical(given[label]):
            result.differences.setdefault(name, []).append(item.decode())


def everything(raw: bytes) -> Iterator[Asked]:
    """Give everything there is to ask of a message, and our answers."""
    root = find_entities(raw)
    header = raw[: root.body]
    yield Asked(b"RFC822.SIZE", b"%d" % len(raw))
    yield Asked(b"ENVELOPE", tokens(envelope(header)))
    yield Asked(b"BODY", tokens(bodystructure(raw, root, extended=False)))
    yield Asked(b"BODYSTRUCTURE", tokens(bodystructure(raw, root, extended=True)))
    for text in ("HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT"):
        section = Section((), text, _FIELDS if "FIELDS" in text else ())
        yield Asked(section.label(), header_content(header, section))
    first = Section((1,))
    sections = [Section(), Section((), "TEXT"), *part_sections(root)]
    for section in sections[:_MOST_SECTIONS]:
        yield Asked(section.label(), content_of(raw, root, section) or b"")
    spans = (0, 10), (5, 7), (max(len(raw) - 5, 0), 5_000), (len(raw) + 1, 5)
    for offset, length in spans:
        for section in (Section(), first):
            answer = partial(content_of(raw, root, section) or b"", offset, length)
            yield Asked(section.label() + b"<%d.%d>" % (offset, length), answer)


def part_sections(root: Entity) -> Iterator[Section]:
    for path in numbers(root, ()):
        yield Section(path)
        for text in ("MIME", "HEADER", "TEXT"):
            yield Section(path, text)
        for text in ("HEADER.FIELDS", "HEADER.FIELDS.NOT"):
            yield Section(path, text, _FIELDS)


def numbers(message: Entity, above: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Number the parts of a message or multipart, and one that is not there."""
    if not message.content_type.is_multipart:
        yield (*above, 1)
        if message.message:
            yield from numbers(message.message, (*above, 1))
    for number, part in enumerate(message.children, 1):
        if message.content_type.is_multipart:
            yield (*above, number)
            inside = part if part.content_type.is_multipart else part.message
            if inside:
                yield from numbers(inside, (*above, number))
    yield (*above, len(message.children) + 2)


def tokens(wire: bytes) -> Token:
    """Read what goes over the wire."""
    segments, position = [], 0
    while literal := _LITERAL.search(wire, position):
        end = literal.end() + int(literal[1])
        segments += [wire[position : literal.end() - 2], wire[literal.end() : end]]
        position = end
    [token] = parse_tokens([*segments, wire[position:]])
    return token


def canonical(token: Token) -> Token:
    if isinstance(token, list):
        return [canonical(one) for one in token]
    return token.lower() if isinstance(token, bytes) and token.lower() in _CASELESS else token


def has_defects(raw: bytes) -> bool:
    """Say whether the standard library sees anything wrong."""
    message = email.message_from_bytes(raw, policy=policy.default)
    return any(part.defects for part in message.walk())


def is_at_a_loss(envelope: Token, structure: Token) -> bool:
    """Say whether Dovecot could not read something."""
    return not _MISSING.isdisjoint(words(envelope)) or is_unread(structure)


def words(token: Token) -> Iterator[bytes]:
    if isinstance(token, list):
        for one in token:
            yield from words(one)
    elif isinstance(token, bytes):
        yield token


def is_unread(structure: Token) -> bool:
    """Say whether a BODYSTRUCTURE has an empty type, or a multipart without a boundary."""
    assert isinstance(structure, list)
    parts = list(takewhile(lambda one: isinstance(one, list), structure))
    if parts:
        names = [word.lower() for word in words(structure[len(parts) + 1])]
        return b"boundary" not in names or any(map(is_unread, parts))
    if structure[1] == b"rfc822":
        return is_unread(structure[8])
    return b"" in structure[:2]


def test_every_message_is_described_and_cut_alike_but_for_the_exceptions(
    compared: Compared,
) -> None:
    differences = compared.differences
    unlisted = {name: items for name, items in differences.items() if name not in EXCEPTIONS}
    no_longer = [name for name in EXCEPTIONS if name not in differences]
    assert (unlisted, no_longer) == ({}, [])


def test_no_message_is_an_exception_in_which_nothing_is_wrong(compared: Compared) -> None:
    assert compared.clean & EXCEPTIONS.keys() == set()


def test_nine_tenths_of_the_damaged_messages_are_the_same_too(compared: Compared) -> None:
    damaged = compared.messages - len(compared.clean)
    assert len(EXCEPTIONS) <= 0.1 * damaged


def test_enough_is_compared(compared: Compared) -> None:
    total, different = sum(compared.items.values()), sum(map(len, compared.differences.values()))
    figures = (
        f"{compared.messages} messages, {len(compared.clean)} of them clean;"
        f" {len(compared.differences)} listed; {different} of {total} items differ"
    )
    print(figures)  # noqa: T201 shown by pytest -s
    assert compared.messages >= 1_100, figures
    assert len(compared.clean) >= 0.8 * compared.messages, figures
    for item in ("ENVELOPE", "BODYSTRUCTURE", "BODY[MIME]", "BODY[TEXT]", "BODY[]<>"):
        assert compared.items[item] >= 1_100, figures
