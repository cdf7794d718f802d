"""Read by part or whole, a message has the same text and the same attachments.

Parsing the whole message is the truth, reading by part is its fast path (DESIGN, section 3). Both
are tried here on other projects' messages, as a real server describes them. Where a structure hides
what is in the message and `suspicion` cannot see it, the file is listed below; the server's words
for it are in ``data/bodystructures.json``.
"""

from __future__ import annotations

import imaplib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.imap import overview
from mailframe.imap.bodystructure import parse_bodystructure, suspicion
from mailframe.imap.responses import parse_tokens
from mailframe.parsing import (
    parse_email,
    parse_headers,
    parse_structure,
    pick_parts,
    split_message,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.parsing import Email
    from mailframe.parsing.mime import Split
    from mailframe.records import Attachment, Part
    from tests.rigs.dovecot import Dovecot

HEADLESS = "it begins with a line that is no field: the server passes over it, we see no header"
UNPARTED = "no empty line behind the header: the server looks for one in the text, we end it here"

#: Files of the mime corpus that are not the same both ways, and why.
EXCEPTIONS = {
    "pymap/INBOX__message-1.txt.eml": HEADLESS,
    "pymap/INBOX__message-2.txt.eml": HEADLESS,
    "pymap/INBOX__message-3.txt.eml": HEADLESS,
    "pymap/INBOX__message-4.txt.eml": HEADLESS,
    "mime4j/core__src__test__resources__testmsgs__basic-plain-with-bad-header-separator.msg.eml": (
        UNPARTED
    ),
    "enmime/mail__epilogue-sample.raw.eml": (
        "the closing boundary is followed by text on its line: the server closes, we read on"
    ),
    "stalwart/eml__rfc__000.eml": "called base64, and is none: there is no size to work out",
}

DATA = Path(__file__).parent / "data"
_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def mailbox(corpora: Path) -> dict[str, bytes]:
    """Return the messages of the mailboxes (mboxrd), by file and number."""
    return {
        f"{path.name}:{number}": _QUOTED_FROM.sub(rb"\1", text.removesuffix(b"\n"))
        for path in sorted(corpora.glob("mailbox/*.mbox"))
        for number, text in enumerate(_FROM_LINE.split(path.read_bytes())[1:])
    }


def mime(corpora: Path) -> dict[str, bytes]:
    """Return the messages of the mime corpus, by name."""
    folder = corpora / "mime"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("*/*.eml"))
    }


@dataclass(frozen=True, slots=True)
class Compared:
    """A corpus read both ways.

    Attributes
    ----------
    differences
        By file: what differs. Files that are the same are not there.
    total
        How many files there are.
    read_whole
        How many of them were not read by part.
    """

    differences: dict[str, list[str]]
    total: int
    read_whole: int

    @property
    def share(self) -> float:
        """How many are the same, in percent."""
        return 100 * (1 - len(self.differences) / self.total)


def compare(dovecot: Dovecot, files: dict[str, bytes]) -> Compared:
    user = dovecot.new_user()
    dovecot.deliver(user, files.values())
    whole = 0

    def counted(raw: bytes) -> Split:
        nonlocal whole
        whole += 1
        return split_message(raw)

    with (
        pytest.MonkeyPatch.context() as patch,
        mf.connect(
            dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
        ) as session,
    ):
        patch.setattr(overview, "split_message", counted)
        bodies = session.bodies(html=True).sort_values("uid")
        read_whole = whole
        attachments = session.attachments()
    truth = [parse_email(raw) for raw in raw_messages(dovecot, user)]
    assert len(bodies) == len(truth) == len(files)
    by_uid = {uid: list(rows(frame)) for uid, frame in attachments.groupby("uid")}
    found = {
        name: differences(body, by_uid.get(body["uid"], []), email)
        for name, body, email in zip(files, rows(bodies), truth, strict=True)
    }
    return Compared({k: v for k, v in found.items() if v}, len(files), read_whole)


def raw_messages(dovecot: Dovecot, user: str) -> list[bytes]:
    """Fetch every message by another client, in the order of UIDs."""
    with imaplib.IMAP4(dovecot.host, dovecot.port) as client:
        client.login(user, dovecot.password)
        client.select(readonly=True)
        _, replies = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    return [reply[1] for reply in replies if isinstance(reply, tuple)]


def rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Return a frame's rows, missing values as None."""
    for row in frame.to_dict("records"):
        yield {str(name): None if pd.isna(value) else value for name, value in row.items()}


def differences(body: dict[str, Any], attachments: list[dict[str, Any]], email: Email) -> list[str]:
    source = "plain" if email.body == email.text else "none" if email.html is None else "html"
    text = None if source == "none" else email.body
    found = [
        name
        for name, value in (("text", text), ("text_source", source), ("html", email.html))
        if body[name] != value
    ]
    if len(attachments) != len(email.attachments):
        return [*found, "number of attachments"]
    for one, other in zip(attachments, email.attachments, strict=True):
        found += different_fields(one, other)
    return found


def different_fields(one: dict[str, Any], other: Attachment) -> list[str]:
    exact = (
        "part", "content_type", "filename", "disposition", "content_id", "encoding",
        "encoded_size", "inline",
    )  # fmt: skip
    found = [name for name in exact if one[name] != getattr(other, name)]
    if one["size_exact"] and one["size"] != other.size:
        found.append("size")
    if not one["size_exact"] and not is_near(one["size"], other.size or 0, one["encoding"]):
        found.append("estimated size")
    return found


def is_near(estimate: int, size: int, encoding: str) -> bool:
    """Say whether an estimate is one: of base64 the length of its lines and of padding is open."""
    if encoding == "base64":
        return abs(estimate - size) <= 2 + 3 * size / 100
    return size <= estimate <= 4 * size + 3


@pytest.fixture(scope="module")
def mailbox_compared(dovecot: Dovecot, corpora: Path) -> Compared:
    return compare(dovecot, mailbox(corpora))


@pytest.fixture(scope="module")
def mime_compared(dovecot: Dovecot, corpora: Path) -> Compared:
    return compare(dovecot, mime(corpora))


def test_every_message_of_the_mailbox_is_the_same_both_ways(mailbox_compared: Compared) -> None:
    assert mailbox_compared.total == 480
    assert mailbox_compared.differences == {}


def test_the_mime_corpus_is_the_same_both_ways_but_for_the_exceptions(
    mime_compared: Compared,
) -> None:
    differences = mime_compared.differences
    unlisted = {name: fields for name, fields in differences.items() if name not in EXCEPTIONS}
    no_longer = [name for name in EXCEPTIONS if name not in differences]
    assert (unlisted, no_longer) == ({}, [])
    assert mime_compared.share >= 98


def test_mail_as_people_send_it_is_read_by_part(
    mailbox_compared: Compared, mime_compared: Compared
) -> None:
    # Were everything suspicious, both ways would be one, and this file would show nothing.
    assert mailbox_compared.read_whole <= 0.02 * mailbox_compared.total
    assert mime_compared.read_whole <= 0.5 * mime_compared.total


def test_without_suspicion_many_more_would_differ(
    dovecot: Dovecot,
    corpora: Path,
    mime_compared: Compared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overview, "_doubt", lambda _: "")
    trusting = compare(dovecot, mime(corpora))
    assert trusting.differences.keys() > mime_compared.differences.keys()
    assert trusting.share < mime_compared.share - 10


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_in_what_the_server_says(corpora: Path, name: str) -> None:
    line = json.loads((DATA / "bodystructures.json").read_text("utf-8"))[name]
    raw = (corpora / "mime" / name).read_bytes()
    headers = parse_headers(server_header(raw), ("content-type",))
    described = parse_bodystructure(parse_tokens([line.encode("latin-1")])[0])
    found = suspicion(described, headers, dict(headers.extra).get("content-type"))
    assert found == ""
    assert not same_shape(described, parse_structure(raw))


def test_no_exception_is_recorded_that_is_not_listed() -> None:
    recorded = json.loads((DATA / "bodystructures.json").read_text("utf-8"))
    assert recorded.keys() == EXCEPTIONS.keys()


def server_header(raw: bytes) -> bytes:
    """Return the header as the server sees it: without the lines that are no fields."""
    header = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    return b"".join(
        line for line in header.splitlines(keepends=True) if re.match(rb"[\w-]+:|[ \t]+\S", line)
    )


def same_shape(one: Part, other: Part) -> bool:
    left, right = pick_parts(one), pick_parts(other)
    bodies = [
        [(p.number, p.content_type, p.charset or "us-ascii", p.encoding, p.size) for p in parts]
        for parts in ((*left.text, *left.html), (*right.text, *right.html))
    ]
    if bodies[0] != bodies[1] or len(left.attachments) != len(right.attachments):
        return False
    fields = (
        "part", "filename", "content_type", "disposition", "content_id", "encoding",
        "encoded_size", "size", "size_exact", "inline",
    )  # fmt: skip
    return not any(
        different_fields({name: getattr(a, name) for name in fields}, b)
        for a, b in zip(left.attachments, right.attachments, strict=True)
    )
