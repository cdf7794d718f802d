"""One message laid open for a terminal: what was read, of which parts, and what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mailframe.parsing import parse_authentication_results, parse_hops, pick_parts
from mailframe.records import Address
from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mailframe.parsing import Email
    from mailframe.records import Part

__all__ = ["lay_open"]

_LINES = 20  # of the text that are shown
_WIDTH = 100
_LONGEST_NAME = 30


def lay_open(email: Email, *, whole: bool = False) -> str:
    r"""Describe a message: its fields, its parts, its way, its text and its defects.

    Parameters
    ----------
    email
        From `parse_email`.
    whole
        Show all of the text and of every line; only their beginnings otherwise.

    Returns
    -------
    str
        Lines, without what could rule a terminal.

    Examples
    --------
    >>> from mailframe.parsing import parse_email
    >>> print(lay_open(parse_email(b"Subject: Hi\r\n\r\nHello")))
    READ AS
      subject        Hi
      n_attachments  0
      size           20 bytes
    <BLANKLINE>
    DEFECTS
      none
    <BLANKLINE>
    PARTS (RFC 2046)
      1 text/plain, 7bit, 5 bytes  <- text
    <BLANKLINE>
    TEXT
      Hello
    <BLANKLINE>
    HEADER, decoded (RFC 5322, RFC 2047)
      Subject  Hi
    """
    sections = [
        ("READ AS", _table(_read(email))),
        ("DEFECTS", list(email.defects or ("none",))),
        ("PARTS (RFC 2046)", _parts(email)),
        (f"TEXT{', from the HTML' if email.text is None else ''}", _text(email, whole=whole)),
        ("WAY, the first server first (Received, RFC 5321 section 4.4)", _hops(email)),
        ("CHECKED ON THE WAY (Authentication-Results, RFC 8601)", _checks(email)),
        ("HEADER, decoded (RFC 5322, RFC 2047)", _table(email.headers)),
    ]
    blocks = []
    for title, lines in sections:
        shown = [f"  {line if whole else _cut(line)}".rstrip() for line in lines]
        if shown:
            blocks.append("\n".join([title, *shown]))
    return clean("\n\n".join(blocks))


def _table(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = min(max((len(name) for name, _ in rows), default=0), _LONGEST_NAME)
    return [f"{name:<{width}}  {_on_a_line(value)}" for name, value in rows]


def _read(email: Email) -> Iterator[tuple[str, str]]:
    """Give what the frames say of it, under the names of their columns."""
    values = {
        "message_id": email.message_id,
        "in_reply_to": email.in_reply_to,
        "references": " ".join(email.references),
        "date": _moment(email.date),
        "from_name": email.from_name,
        "from_address": _with_display(email.from_address),
        "to": ", ".join(map(str, email.to)),
        "cc": ", ".join(map(str, email.cc)),
        "bcc": ", ".join(map(str, email.bcc)),
        "reply_to": ", ".join(map(str, email.reply_to)),
        "subject": email.subject,
        "n_attachments": str(sum(not one.inline for one in email.attachments)),
        "size": f"{email.size:,} bytes",
    }
    return ((name, value) for name, value in values.items() if value)


def _with_display(address: str | None) -> str | None:
    """Show an international domain in its own script as well."""
    display = Address(None, address).display
    return address if display == address else f"{address} ({display})"


def _parts(email: Email) -> Iterator[str]:
    if email.structure is None:
        return
    roles = _roles(email.structure, email)
    for line in email.tree().split("\n"):
        role = roles.get(line.split(maxsplit=1)[0])
        yield f"{line}  <- {role}" if role else line


def _roles(root: Part, email: Email) -> dict[str, str]:
    """Say by part number what a part is for (RFC 8621 section 4.1.4)."""
    picked = pick_parts(root)
    roles = {one.part: "inline" if one.inline else "attachment" for one in email.attachments}
    for one in email.attachments:
        if one.subject:
            roles[one.part] += f", a message: {_on_a_line(one.subject)}"
    for role, parts in (("HTML", picked.html), ("text", picked.text)):
        roles |= {part.number: role for part in parts}
    return roles


def _hops(email: Email) -> Iterator[str]:
    before: datetime | None = None
    for hop in parse_hops(_values(email, "received")):
        delay = _delay(hop.time - before) if hop.time and before else ""
        before = hop.time or before
        way = f"{hop.from_host or '?'} -> {hop.by_host or '?'}"
        yield "  ".join(filter(None, [way, hop.protocol, _moment(hop.time), delay]))


def _delay(delay: timedelta) -> str:
    # Clocks differ: the later server's may be behind.
    return f"after {delay}" if delay >= timedelta() else f"{-delay} before the one above"


def _checks(email: Email) -> Iterator[str]:
    for one in parse_authentication_results(_values(email, "authentication-results")):
        about = " ".join(f"{name}={value}" for name, value in one.properties)
        reason = f"({one.reason})" if one.reason else ""
        said = f"{one.method}={one.result}"
        yield "  ".join(filter(None, [said, about, reason, f"says {one.authserv_id or '?'}"]))


def _text(email: Email, *, whole: bool) -> Iterator[str]:
    body = email.body.rstrip()
    lines = body.split("\n") if body else []
    shown = lines if whole else lines[:_LINES]
    yield from shown
    if rest := len(lines) - len(shown):
        yield f"… and {rest:,} more lines"


def _values(email: Email, field: str) -> list[str]:
    return [value for name, value in email.headers if name.lower() == field]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(" ", "seconds")


def _on_a_line(text: str) -> str:
    return " ".join(text.split())


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
