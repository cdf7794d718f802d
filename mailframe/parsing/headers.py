"""A header block -> decoded fields, addresses, dates and message ids (RFC 5322 section 3.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing.addresses import LONGEST_LIST, parse_addresses
from mailframe.parsing.charsets import scrub, to_octets, whole_characters
from mailframe.parsing.dates import parse_date
from mailframe.parsing.parameters import parse_content_type
from mailframe.parsing.words import decode_words
from mailframe.records import Headers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mailframe.records import Address

__all__ = [
    "declared_charset",
    "decode_field",
    "iter_fields",
    "parse_headers",
    "parse_ids",
    "parse_list_unsubscribe",
    "read_headers",
    "unfold",
]

_FOLD = re.compile(r"\r?\n[ \t]*")
_BREAK = re.compile(r"[\r\n]+")
# Inside an encoded word a fold is damage, not a blank: RFC 2047 section 2 allows none there.
_WORD = re.compile(r"=\?[^?\s]*\?[bBqQ]\?[^?]*\?=")
# Nobody reads more. Exim takes headers of 1 MB, Postfix of 100 kB.
_LONGEST = 1_000_000
_MOST_FIELDS = 10_000
_ORDINARY = 16 << 10
_MOST_JUNK = 10  # lines that are told one by one
_MOST_EXTRA = 1_000
_LONGEST_VALUE = 200_000  # where each word has another unknown charset, half a second

# A field's name, "" for a line that is no field, and its lines. One match ends where the next one
# begins: with an anchor in its place it takes half as long again.
_FIELD = re.compile(r"(?!\Z)(?:([!-9;-~]++)[ \t]*+:)?+(.*(?:\n[ \t].*)*+)\n?+")
_BLANKS = " \t\r"
_ONE_ID = re.compile(r"<([^<>\s\0]++)>")
_ID = re.compile(r"<\s*+([^<>\s]++(?:\s++[^<>\s]++)*+)\s*+>")

# MH and its kin: Message from Ann <ann@example.org> of "Mon, 1 Jan 2024" <1@example.org>
_PHRASE = re.compile(r"[^A-Za-z<@]*+[A-Za-z][^<@]*+<")
_BRACKETED = re.compile(r"<([^<>]++)>")
_SPACE = re.compile(r"\s+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:[^\s]")
_REPLACED = "\ufffd"
_LONGEST_URIS = 20_000
_MOST_URIS = 20

# What `Headers` has a place for.
_PEOPLE = ("from", "sender", "reply-to", "to", "cc", "bcc")
_SHOWN = frozenset(
    {
        *_PEOPLE,
        "message-id",
        "in-reply-to",
        "references",
        "date",
        "subject",
        "list-id",
        "list-unsubscribe",
        "content-type",
    }
)
# RFC 2047 section 5 allows encoded words in free text, comments and phrases alone. In these fields
# programs read the rest as well: decoded, an envelope sender could say "; dmarc=pass" in its name.
_AS_SENT = frozenset(
    {
        "arc-authentication-results",
        "arc-message-signature",
        "arc-seal",
        "authentication-results",
        "authentication-results-original",
        "dkim-signature",
        "domainkey-signature",
        "received",
        "received-spf",
        "x-google-dkim-signature",
        "x-original-authentication-results",
        "x-received",
    }
)


def unfold(text: str) -> str:
    """Join the lines of a field, without the blanks around it.

    RFC 5322 section 2.2.3 takes out the line break alone. The blanks around it are collapsed as
    well: they are the writer's layout, as every second mailer shows by folding with a tab.
    """
    if "\n" not in text:
        text = text.strip(_BLANKS)
        return text.replace("\r", " ") if "\r" in text else text
    if "=?" in text:
        text = _WORD.sub(lambda word: _FOLD.sub("", word[0]), text)
    return " ".join(filter(None, [line.strip(_BLANKS) for line in text.split("\n")]))


def _text_of(block: bytes) -> tuple[str, list[str]]:
    """Read a block up to the blank line that ends it."""
    block = block.lstrip(b"\r\n")
    defects: list[str] = []
    # Cut before decoding: the block may be a whole message. As a server sends it, it ends here.
    end = block.find(b"\n\r\n", 0, _LONGEST)
    bare = block.find(b"\n\n", 0, end if end >= 0 else _LONGEST)
    if bare >= 0 or end >= 0:
        block = block[: bare if bare >= 0 else end].removesuffix(b"\r")
    elif len(block) > _LONGEST:
        block = whole_characters(block[:_LONGEST])
        defects.append(f"header cut at {_LONGEST:,} bytes")
    return block.decode("utf-8", "surrogateescape").rstrip("\r\n"), defects


def _split(block: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Split a block into fields, whose values are folded still: most are asked for by nobody."""
    if len(block) <= _ORDINARY:
        # Nearly always nothing but a header: where it ends is not looked for, which takes as long
        # as all else. Of an empty line within, the expression makes a field without a name.
        text = block.strip(b"\r\n").decode("utf-8", "surrogateescape")
        fields = _FIELD.findall(text)
        if "" not in dict(fields):  # 1 µs a block; a loop takes 3
            return fields, []
    text, defects = _text_of(block)
    fields = _FIELD.findall(text)
    if len(fields) > _MOST_FIELDS:
        defects.append(f"header cut at {_MOST_FIELDS:,} fields")
        del fields[_MOST_FIELDS:]
    if "" not in dict(fields):
        return fields, defects
    # An mbox writes one such line above every message (RFC 4155).
    if not fields[0][0] and fields[0][1].startswith(("From ", ">From ")):
        del fields[0]
    junk = [line for name, line in fields if not name and line.strip()]
    for line in junk[:_MOST_JUNK]:
        shown = decode_words(unfold(line[:200]))
        defects.append(f"no header field: {shown[:80]}")
    if len(junk) > _MOST_JUNK:
        defects.append(f"no header field: {len(junk) - _MOST_JUNK:,} more lines")
    return [field for field in fields if field[0]], defects


def iter_fields(block: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    r"""Split a header block into its fields (RFC 5322 section 2.2).

    Parameters
    ----------
    block
        Lines ended by CRLF or LF, up to a blank line or the end.

    Returns
    -------
    tuple of list of (str, str) and list of str
        Names as sent and raw values, unfolded, in which ``surrogateescape`` holds what is not
        UTF-8; and what was wrong: lines that are no field are passed over.

    Examples
    --------
    >>> iter_fields(b"Subject: a\r\n b\r\nnonsense\r\n\r\n")
    ([('Subject', 'a b')], ['no header field: nonsense'])
    """
    fields, defects = _split(block)
    # Most are one line, and a call for each of them would take longer than what it does.
    return [
        (name, unfold(raw) if "\n" in (value := raw.strip(_BLANKS)) or "\r" in value else value)
        for name, raw in fields
    ], defects


def parse_ids(text: str) -> tuple[str, ...]:
    """Read message ids (RFC 5322 section 3.6.4), without their angle brackets.

    Parameters
    ----------
    text
        A Message-ID, In-Reply-To or References field, unfolded.

    Returns
    -------
    tuple of str
        In order. Where brackets are missing, the words that hold an ``@``, or the only word.

    Examples
    --------
    >>> parse_ids("<a@example.org> <b@example.org>")
    ('a@example.org', 'b@example.org')
    """
    one = _ONE_ID.fullmatch(text)
    if one is not None and text.isascii():
        return (one[1],)
    found = _ID.findall(text[:_LONGEST])
    if not found:
        words = text.replace("<", " ").replace(">", " ").replace(",", " ").split()
        found = words if len(words) == 1 else [word for word in words if "@" in word]
    if text.isascii() and "\0" not in text:
        return tuple(found)
    return tuple(decode_words(word) for word in found)


def _first_id(value: str, field: str, defects: list[str]) -> str | None:
    ids = parse_ids(value)
    if len(ids) > 1 and _PHRASE.match(value):
        return ids[-1]
    if ids:
        return ids[0]
    if value.strip("<> \t"):
        defects.append(f"unreadable {field}: {decode_words(value)[:80]}")
        return None
    return ""


def _list_id(value: str) -> str:
    """Read the identifier of a List-Id (RFC 2919 section 3), or the whole text without one."""
    ids = _ID.findall(value)
    return decode_words(ids[-1] if ids else value).strip()


def parse_list_unsubscribe(value: str) -> tuple[str, ...]:
    """Read the addresses to unsubscribe at (RFC 2369 section 3.2).

    Parameters
    ----------
    value
        The List-Unsubscribe field, unfolded.

    Returns
    -------
    tuple of str
        URIs as sent, the preferred one first, without repeats; at most 20. Where brackets are
        missing, the words that begin like a URI.

    Examples
    --------
    >>> parse_list_unsubscribe("<mailto:off@example.org> (by mail), <https://example.org/off>")
    ('mailto:off@example.org', 'https://example.org/off')
    """
    text = decode_words(value[:_LONGEST_URIS])
    found = [_SPACE.sub("", uri) for uri in _BRACKETED.findall(text)]  # blanks come from folding
    if not found:
        found = [word.strip(",<>") for word in text.split()]
    uris = dict.fromkeys(uri for uri in found if _URI.match(uri))
    return tuple(uris)[:_MOST_URIS]


def declared_charset(fields: Iterable[tuple[str, str]]) -> str | None:
    """Give the charset that a message's Content-Type declares; None without one."""
    for name, value in fields:
        if name.lower() == "content-type":
            return parse_content_type(unfold(value))[1].get("charset")
    return None


def decode_field(name: str, value: str, charset: str | None = None) -> str:
    r"""Decode the value of any field, as far as it may hold encoded words.

    Parameters
    ----------
    name
        Of the field. Those that servers write for programs to read, as Authentication-Results,
        Received and DKIM-Signature, stay as sent: RFC 2047 section 5 allows no encoded words
        there, and who put some in would have a say in what is read.
    value
        As `iter_fields` gives it.
    charset
        Of the message, tried for raw 8-bit text that is not UTF-8.

    Returns
    -------
    str
        On one line: what an encoded word holds ends no field.

    Examples
    --------
    >>> decode_field("Comments", "=?us-ascii?q?a=0Ab?=")
    'a b'
    >>> decode_field("Received-SPF", "fail envelope-from==?us-ascii?q?a?=@example.org")
    'fail envelope-from==?us-ascii?q?a?=@example.org'
    """
    if name.lower() not in _AS_SENT:
        text = decode_words(value, charset)
    elif value.isascii():
        text = scrub(value)
    else:
        # Not in the charset of the message, which whoever wrote it has chosen.
        text = scrub(to_octets(value).decode("utf-8", "replace"))
    return _BREAK.sub(" ", text) if "\n" in text or "\r" in text else text


def _cut(values: dict[str, str]) -> list[str]:
    """Cut what is too long to be read by anybody, and tell it."""
    long = [key for key, value in values.items() if len(value) > _LONGEST_VALUE]
    values.update({key: values[key][:_LONGEST_VALUE] for key in long})
    return [f"{key} cut at {_LONGEST_VALUE:,} characters" for key in long]


def _people(
    values: dict[str, str], charset: str | None, problems: list[str]
) -> dict[str, tuple[Address, ...]]:
    """Read the address fields, as many characters as are bearable of all together."""
    found: dict[str, tuple[Address, ...]] = {}
    room = LONGEST_LIST  # a hostile one is slow to read
    for key in _PEOPLE:
        value = values.get(key)
        if value is None:
            continue
        if len(value) > room:
            problems.append(f"{key} cut at {room:,} characters")
            value = value[:room]
        room -= len(value)
        found[key] = parse_addresses(value, charset)
    return found


def read_headers(
    fields: Sequence[tuple[str, str]], extra: Collection[str] = (), defects: Iterable[str] = ()
) -> Headers:
    """Decode fields that have been split already.

    Parameters
    ----------
    fields
        As `iter_fields` gives them, or with their values folded.
    extra
        Lower-case names of further fields to decode.
    defects
        What was wrong so far.

    Returns
    -------
    Headers
        See `parse_headers`.
    """
    # Of a repeated field the first counts.
    values = {key: unfold(raw) for name, raw in reversed(fields) if (key := name.lower()) in _SHOWN}
    more: list[tuple[str, str]] = []
    if extra:
        more = [(key, unfold(raw)) for name, raw in fields if (key := name.lower()) in extra]
    problems = list(defects)
    if len(more) > _MOST_EXTRA:
        problems.append(f"further fields cut at {_MOST_EXTRA:,}")
        del more[_MOST_EXTRA:]
    if sum(map(len, values.values())) > _LONGEST_VALUE:
        problems += _cut(values)

    # What is neither ASCII nor UTF-8 is most likely written as the body is.
    plain = all(map(str.isascii, values.values())) and all(raw.isascii() for _, raw in more)
    charset = None if plain else declared_charset(fields)
    get = values.get
    people = _people(values, charset, problems)
    date, offset, sent = None, None, get("date")
    if sent is not None:
        date, offset, defect = parse_date(sent)
        if defect is not None:
            problems.append(decode_words(defect))
    raw_subject, unsubscribe = get("subject"), get("list-unsubscribe")
    subject = None if raw_subject is None else decode_words(raw_subject, charset)
    if subject and _REPLACED in subject and _REPLACED not in (raw_subject or ""):
        problems.append("unreadable characters in Subject")
    references, list_id = get("references"), get("list-id")
    message_id, in_reply_to = get("message-id"), get("in-reply-to")
    kind = get("content-type")
    return Headers(
        message_id=None if message_id is None else _first_id(message_id, "Message-ID", problems),
        # Several are rare and old: threads take the last id of all, readers the first of these.
        in_reply_to=(
            None if in_reply_to is None else _first_id(in_reply_to, "In-Reply-To", problems)
        ),
        references=None if references is None else parse_ids(references),
        date=date,
        utc_offset=offset,
        from_=people.get("from"),
        sender=people.get("sender"),
        reply_to=people.get("reply-to"),
        to=people.get("to"),
        cc=people.get("cc"),
        bcc=people.get("bcc"),
        subject=subject,
        list_id=None if list_id is None else _list_id(list_id),
        list_unsubscribe=None if unsubscribe is None else decode_words(unsubscribe, charset),
        content_type=None if kind is None else decode_words(kind, charset),
        extra=tuple((key, decode_field(key, value, charset)) for key, value in more),
        defects=tuple(problems),
    )


def parse_headers(block: bytes, extra: Collection[str] = ()) -> Headers:
    r"""Decode a header block (RFC 5322 section 3.6).

    Parameters
    ----------
    block
        As ``BODY[HEADER.FIELDS (…)]`` gives it: lines ended by CRLF (or LF), up to an optional
        blank line.
    extra
        Lower-case names of further fields to decode into ``Headers.extra``, by `decode_field`.

    Returns
    -------
    Headers
        Of a repeated field the first counts. A field that is missing is None, an empty one ``""``
        (addresses: an empty tuple), an unreadable one None with an entry in ``defects``.
        ``in_reply_to`` is the first id of its field.

    Examples
    --------
    >>> parse_headers(b"From: Ann <ann@example.org>\r\nSubject: Hi\r\n\r\n").subject
    'Hi'
    """
    fields, defects = _split(block)
    return read_headers(fields, extra, defects)
