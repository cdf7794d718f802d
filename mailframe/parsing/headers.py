"""A header block -> decoded fields, addresses, dates and message ids (RFC 5322 section 3.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing.addresses import parse_addresses
from mailframe.parsing.dates import parse_date
from mailframe.parsing.parameters import parse_content_type
from mailframe.parsing.words import decode_words
from mailframe.records import Headers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mailframe.records import Address

__all__ = [
    "declared_charset",
    "iter_fields",
    "parse_headers",
    "parse_ids",
    "read_headers",
    "unfold",
]

# RFC 5322 section 2.2.3 takes out the line break alone. The blanks around it are collapsed as well:
# they are the writer's layout, as every second mailer shows by folding with a tab.
_FOLD = re.compile(r"\n[ \t]+")
_FOLDS = re.compile(r"\n+[ \t]+")
_BLANKS_BEFORE = re.compile(r"(?<![ \t])[ \t]++(?=\n)")
# Inside an encoded word a fold is damage, not a blank: RFC 2047 section 2 allows none there.
_FOLDED_WORD = re.compile(r"(=\?[^?\s]*\?[bBqQ]\?[^?\n]*)\n[ \t]+(?=[^?\n]*\?=)")
_RARE_FOLDS = ("\n  ", "\n \t", "\n\t ", "\n\t\t", "\n\n", " \n", "\t\n")
_FIELD = re.compile(r"^([!-9;-~]++)[ \t]*+:(.*)$", re.MULTILINE)
_NAME = re.compile(r"[!-9;-~]+")
_ID = re.compile(r"<\s*+([^<>\s]++(?:\s++[^<>\s]++)*+)\s*+>")


def unfold(text: str) -> str:
    """Join the lines of a field (RFC 5322 section 2.2.3), ended by LF."""
    if "\n " not in text and "\n\t" not in text:
        return text
    if "=?" not in text and not any(rare in text for rare in _RARE_FOLDS):
        # 1 µs a block where the expressions below take 9.
        return text.replace("\n ", " ").replace("\n\t", " ")
    if " \n" in text or "\t\n" in text:
        text = _BLANKS_BEFORE.sub("", text)
    if "=?" in text and _FOLDED_WORD.search(text):  # seldom; a search costs a third of a sub
        text = _FOLDED_WORD.sub(r"\1", text)
    # Without a repeat at its beginning, the engine goes from line break to line break.
    return (_FOLDS if "\n\n" in text else _FOLD).sub(" ", text)


def _unfolded(block: bytes) -> str:
    """Read a block up to the blank line that ends it: a line is a field."""
    block = block.lstrip(b"\r\n")
    # Cut before decoding: the block may be a whole message. As a server sends it, it ends here.
    end = block.find(b"\n\r\n")
    bare = block.find(b"\n\n", 0, end if end >= 0 else None)
    if bare >= 0 or end >= 0:
        block = block[: bare if bare >= 0 else end].removesuffix(b"\r")
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("ascii", "surrogateescape")
    return unfold(text.replace("\r\n", "\n")).rstrip("\n")


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
    text = _unfolded(block)
    found = _FIELD.findall(text)
    if len(found) == text.count("\n") + 1:
        return [(name, value.strip(" \t\r")) for name, value in found], []
    fields: list[tuple[str, str]] = []
    defects: list[str] = []
    for number, line in enumerate(text.split("\n")):
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if colon and (name.isalnum() or _NAME.fullmatch(name)):
            fields.append((name, value.strip(" \t\r")))
        # An mbox writes one such line above every message (RFC 4155).
        elif line and not (number == 0 and line.startswith(("From ", ">From "))):
            defects.append(f"no header field: {decode_words(line)[:80]}")
    return fields, defects


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
    found = _ID.findall(text)
    if not found:
        words = text.replace("<", " ").replace(">", " ").replace(",", " ").split()
        found = words if len(words) == 1 else [word for word in words if "@" in word]
    if text.isascii() and "\0" not in text:
        return tuple(found)
    return tuple(decode_words(one) for one in found)


def _first_id(value: str, field: str, defects: list[str]) -> str | None:
    ids = parse_ids(value)
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


def declared_charset(fields: Iterable[tuple[str, str]]) -> str | None:
    """Give the charset that a message's Content-Type declares; None without one."""
    for name, value in fields:
        if name.lower() == "content-type":
            return parse_content_type(value)[1].get("charset")
    return None


def read_headers(
    fields: Sequence[tuple[str, str]], extra: Collection[str] = (), defects: Iterable[str] = ()
) -> Headers:
    """Decode fields that have been split already.

    Parameters
    ----------
    fields
        As `iter_fields` gives them.
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
    first = {name.lower(): value for name, value in reversed(fields)}
    more = (
        [(key, value) for name, value in fields if (key := name.lower()) in extra] if extra else []
    )

    # What is neither ASCII nor UTF-8 is most likely written as the body is.
    charset = None if all(map(str.isascii, first.values())) else declared_charset(fields)
    problems = list(defects)
    get = first.get

    def people(key: str) -> tuple[Address, ...] | None:
        value = get(key)
        return None if value is None else parse_addresses(value, charset)

    date, offset, sent = None, None, get("date")
    if sent is not None:
        date, offset, defect = parse_date(sent)
        if defect is not None:
            problems.append(decode_words(defect))
    subject, unsubscribe = get("subject"), get("list-unsubscribe")
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
        from_=people("from"),
        sender=people("sender"),
        reply_to=people("reply-to"),
        to=people("to"),
        cc=people("cc"),
        bcc=people("bcc"),
        subject=None if subject is None else decode_words(subject, charset),
        list_id=None if list_id is None else _list_id(list_id),
        list_unsubscribe=None if unsubscribe is None else decode_words(unsubscribe, charset),
        content_type=None if kind is None else decode_words(kind, charset),
        extra=tuple((key, decode_words(value, charset)) for key, value in more),
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
        Lower-case names of further fields to decode into ``Headers.extra``.

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
    fields, defects = iter_fields(block)
    return read_headers(fields, extra, defects)
