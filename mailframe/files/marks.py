r"""What programs write into a message's header: read, starred, deleted, labels.

A server keeps flags beside the message; an mbox has no such place. Programs of Unix write
``Status`` and ``X-Status``, Thunderbird ``X-Mozilla-Status`` and ``X-Mozilla-Keys``, Dovecot and
UW-IMAP ``X-Keywords``; Gmail's export (Takeout) has the labels of every message.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache

from mailframe.parsing import decode_words

__all__ = ["Marks", "has_gmail_fields", "marks_of"]

_GMAIL = (b"\nx-gmail-labels:", b"\nx-gm-thrid:")
_FIELD = re.compile(
    rb"\n(status|x-status|x-mozilla-status|x-mozilla-keys|x-keywords|x-gmail-labels"
    rb"|x-gm-thrid):[ \t]*+([^\n]*+(?:\n[ \t][^\n]*+)*+)"
)
# What each of these begins like: most messages have none, and this is a tenth of the search.
_HINTS = (b"\nstatus:", b"\nx-status:", b"\nx-mozilla-", b"\nx-keywords:", *_GMAIL)

_STATUS = {"r": "\\Seen"}
_X_STATUS = {"a": "\\Answered", "f": "\\Flagged", "d": "\\Deleted", "t": "\\Draft"}
# Thunderbird's: one that is deleted stays in the file until the folder is compacted.
_MOZILLA = {
    0x0001: "\\Seen",
    0x0002: "\\Answered",
    0x0004: "\\Flagged",
    0x0008: "\\Deleted",
    0x1000: "$Forwarded",
}
# As Takeout names them, which is in the language of the account.
_UNREAD = frozenset({"unread", "ungelesen", "non lus", "no leídos", "da leggere", "não lidas"})
_LABELS = {
    "starred": "\\Flagged",
    "markiert": "\\Flagged",
    "drafts": "\\Draft",
    "draft": "\\Draft",
    "entwürfe": "\\Draft",
    "important": "$Important",  # RFC 8457
    "wichtig": "$Important",
    "spam": "$Junk",
}


@dataclass(frozen=True, slots=True)
class Marks:
    """What a header says of its message's state.

    Attributes
    ----------
    flags
        As IMAP spells them, sorted.
    labels, gmail_thread
        Gmail's; None where there are none such.
    """

    flags: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    gmail_thread: str | None = None


def has_gmail_fields(header: bytes) -> bool:
    """Say whether a message comes from Gmail's export."""
    lowered = b"\n" + header.lower()
    return any(name in lowered for name in _GMAIL)


def marks_of(header: bytes) -> Marks:
    r"""Read the state of a message.

    Parameters
    ----------
    header
        Its header block.

    Examples
    --------
    >>> marks_of(b"Subject: Hi\nStatus: RO\nX-Status: F\n").flags
    ('\\Flagged', '\\Seen')
    """
    lowered = b"\n" + header.lower()
    if not any(hint in lowered for hint in _HINTS):
        return Marks()
    lines = b"\n" + header
    found: dict[str, bytes] = {}
    for match in _FIELD.finditer(lowered):
        # The value as it was written: keywords and labels have capitals.
        found.setdefault(match[1].decode("ascii"), lines[match.start(2) : match.end(2)])
    flags = {
        *_letters(found.get("status"), _STATUS),
        *_letters(found.get("x-status"), _X_STATUS),
        *_bits(found.get("x-mozilla-status", b"")),
        *_words(found.get("x-keywords", b"")),
        *_words(found.get("x-mozilla-keys", b"")),
    }
    labels = None
    if "x-gmail-labels" in found:
        labels = _labels(found["x-gmail-labels"])
        flags |= _label_flags(labels)
    thread = found.get("x-gm-thrid", b"").strip().decode("ascii", "replace")
    return Marks(tuple(sorted(flags)), labels, thread or None)


def _letters(value: bytes | None, meanings: dict[str, str]) -> set[str]:
    letters = (value or b"").decode("ascii", "replace").lower()
    return {flag for letter, flag in meanings.items() if letter in letters}


def _bits(value: bytes) -> set[str]:
    try:
        number = int(value.strip()[:8], 16)
    except ValueError:
        return set()
    return {flag for bit, flag in _MOZILLA.items() if number & bit}


def _words(value: bytes) -> list[str]:
    return decode_words(value.decode("ascii", "surrogateescape")).split()


@lru_cache(maxsize=1024)  # a mailbox has few sets of labels
def _labels(value: bytes) -> tuple[str, ...]:
    folded = re.sub(rb"\r?\n[ \t]", b" ", value).strip()
    try:
        text = decode_words(folded.decode("utf-8"))
    except UnicodeDecodeError:
        text = decode_words(folded.decode("ascii", "surrogateescape"))
    # A label may hold a comma, and is quoted then.
    rows = csv.reader([text.replace("\n", " ").replace("\r", " ")], skipinitialspace=True)
    try:
        labels = [label.strip() for row in rows for label in row]
    except csv.Error:  # longer than any field may be
        labels = [label.strip() for label in text.split(",")]
    return tuple(dict.fromkeys(label for label in labels if label))


@lru_cache(maxsize=1024)
def _label_flags(labels: tuple[str, ...]) -> frozenset[str]:
    names = {label.casefold() for label in labels}
    flags = {flag for name, flag in _LABELS.items() if name in names}
    # What is no longer unread has no label that says so in every export.
    return frozenset(flags if names & _UNREAD else {*flags, "\\Seen"})
