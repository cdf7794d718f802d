"""Trace: what was said between client and server, to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple

from mailframe import schema
from mailframe.imap.commands import Word, explain_command, explain_reply, words_of
from mailframe.sizes import in_bytes
from mailframe.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from mailframe.imap.trace import Line, Recording

__all__ = ["Trace", "trace_frame"]

#: Rows shown; replies of a kind in a row of which all are shown, and how many of more.
MOST_ROWS = 200
_ALL_ALIKE = 4
_FIRST_ALIKE = 2
#: Characters of a line in a terminal.
_WIDTH = 100

_REPLY = re.compile(r"(\S*+)( \d++(?= ))?(?: ([A-Za-z]++))?(?: (\[[^\]]*+\]?))?")
_COMMAND = re.compile(r"(\S++) ((?:UID )?[A-Za-z0-9-]++)", re.IGNORECASE)
_LITERAL = re.compile(r"\{(\d{1,10})\+?\} ?")
_REFUSED = {"NO", "BAD", "BYE"}
_ANSWER = Word(
    "", "RFC 3501 section 7.5", "what the server asked for; not shown, for a secret may be in it"
)

# Mixed with the colour of the text around, so that they are darker on a light page and lighter on a
# dark one, whatever tells the page to be that.
_COLOURS = {
    "command": "font-weight:600;color:#0072b2;color:color-mix(in srgb,#0080d0 70%,currentColor)",
    "reply": "font-weight:600;color:#007a5a;color:color-mix(in srgb,#009e73 65%,currentColor)",
    "refusal": "font-weight:600;color:#d55e00;color:color-mix(in srgb,#f05000 75%,currentColor)",
    "code": "color:#a06000;color:color-mix(in srgb,#d08000 60%,currentColor)",
    "literal": "color:#a0508a;color:color-mix(in srgb,#d050b0 65%,currentColor)",
    "tag": "opacity:.65",
}
_CELL = "text-align:left;vertical-align:top;padding:2px 8px"
_NUMBER = "text-align:right;vertical-align:top;padding:2px 8px;font-variant-numeric:tabular-nums"
_CODE = "white-space:pre-wrap;overflow-wrap:anywhere;background:none;padding:0;unicode-bidi:isolate"
_SPOKEN = {
    "C": "background:rgba(128,128,128,.13)",
    "S": "background:none",
}


class _More(NamedTuple):
    """Lines that are not shown."""

    after: Line
    number: int
    octets: int
    kind: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Trace:
    """The dialogue with the server while something was done; print it, or look at it.

    Attributes
    ----------
    account
        Whose mailbox.
    recording
        What was said; within its ``with`` block, so far.
    """

    account: str
    recording: Recording

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines, in the order they were sent and read."""
        return self.recording.lines

    @property
    def frame(self) -> pd.DataFrame:
        """The lines as a frame: ``schema.TRACE``."""
        return trace_frame(self.recording.lines, self.account)

    def __repr__(self) -> str:
        lines = self.lines
        several = _are_several(lines)
        texts = [_summary(lines, self.recording.dropped), ""]
        for row in _first(_folded(lines)):
            if isinstance(row, _More):
                texts.append(f"{'':13}{_rest(row)}")
                continue
            number = f"{row.connection} " if several else ""
            text = row.line if len(row.line) <= _WIDTH else f"{row.line[:_WIDTH]}…"
            texts.append(f"{_milliseconds(row, lines):>10}  {number}{row.direction}: {text}")
            if row.direction == "C":
                word = _word(row)
                more = f" ({word.rfc})" if word.rfc else ""
                texts.append(f"{'':{15 + len(number)}}{word.meaning}{more}")
        return "\n".join(texts)

    def _repr_html_(self) -> str:
        lines = self.lines
        several = _are_several(lines)
        titles = [f'<th style="{_NUMBER}">ms</th>', *["<th>connection</th>"] * several, "<th></th>"]
        titles += [f'<th style="{_CELL}">{title}</th>' for title in ("line", "what it means", "")]
        rows = "".join(_row(row, lines, several=several) for row in _first(_folded(lines)))
        return (
            f"<div><p>{escape(_summary(lines, self.recording.dropped))}</p>"
            '<div style="overflow-x:auto">'
            '<table style="border-collapse:collapse;text-align:left">'
            f"<thead><tr>{''.join(titles)}</tr></thead><tbody>{rows}</tbody></table></div></div>"
        )


def trace_frame(lines: Sequence[Line], account: str) -> pd.DataFrame:
    """Tabulate a dialogue.

    Parameters
    ----------
    lines
        Of a `Recorder`.
    account
        Whose mailbox.

    Returns
    -------
    DataFrame
        ``schema.TRACE``: one row a line.
    """
    return tabulate(
        schema.TRACE,
        lines,
        lambda batch: {
            "time": [round(line.time * 1e6) for line in batch],
            "connection": [line.connection for line in batch],
            "direction": [line.direction for line in batch],
            "tag": [line.tag or None for line in batch],
            "command": [line.command or None for line in batch],
            "line": [line.line for line in batch],
            "bytes": [line.bytes for line in batch],
            "elapsed": [
                None if line.elapsed is None else round(line.elapsed * 1e6) for line in batch
            ],
        },
        account,
    )


# -- what is shown


def _folded(lines: Iterable[Line]) -> Iterator[Line | _More]:
    """Leave out most of what the server says many times in a row."""
    for (_, kind), group in groupby(lines, _alike):
        run = list(group)
        shown = len(run) if not kind or len(run) <= _ALL_ALIKE else _FIRST_ALIKE
        yield from run[:shown]
        if rest := run[shown:]:
            yield _more(rest, kind)


def _alike(line: Line) -> tuple[int, str]:
    if line.direction != "S" or line.tag != "*":
        return line.connection, ""
    found = _REPLY.match(line.line)
    kind = (found[3] or "").upper() if found else ""
    return line.connection, kind if kind not in {"OK", *_REFUSED} else ""


def _first(rows: Iterable[Line | _More]) -> Iterator[Line | _More]:
    rows = iter(rows)
    yield from islice(rows, MOST_ROWS)
    rest = list(rows)
    if rest:
        lines = [row.after if isinstance(row, _More) else row for row in rest]
        more = _more(lines, "")
        hidden = [row for row in rest if isinstance(row, _More)]
        yield more._replace(
            number=more.number + sum(row.number - 1 for row in hidden),
            octets=more.octets + sum(row.octets - (row.after.bytes or 0) for row in hidden),
        )


def _more(lines: Sequence[Line], kind: str) -> _More:
    return _More(lines[-1], len(lines), sum(line.bytes or 0 for line in lines), kind)


def _are_several(lines: Iterable[Line]) -> bool:
    return len({line.connection for line in lines}) > 1


# -- what is said about it


def _summary(lines: Sequence[Line], dropped: int) -> str:
    if not lines:
        return "Nothing was said."
    sent = sum(line.direction == "C" and bool(line.tag) for line in lines)
    heard = sum(line.direction == "S" for line in lines)
    number = len({line.connection for line in lines})
    over = f" over {number} connections" if number > 1 else ""
    size = in_bytes(sum(line.bytes or 0 for line in lines))
    seconds = max(lines[-1].time - lines[0].time, 0)
    missing = f"; {dropped:,} more lines were not kept" if dropped else ""
    return (
        f"{_count(sent, 'command')} and {_count(heard, 'reply', 'replies')}{over}: {size} "
        f"in {_duration(seconds)}{missing}."
    )


def _rest(more: _More) -> str:
    what = f"{more.kind} replies like these" if more.kind else "lines; all are in .frame"
    return f"… {more.number:,} more {what}, {in_bytes(more.octets)}"


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"


def _duration(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _milliseconds(line: Line, lines: Sequence[Line]) -> str:
    return f"{(line.time - lines[0].time) * 1000:,.1f}"


def _word(line: Line) -> Word:
    if line.direction == "S":
        return explain_reply(line.line)
    return explain_command(_without_tag(line)) if line.tag else _ANSWER


def _without_tag(line: Line) -> str:
    return line.line.partition(" ")[2]


def _meaning(line: Line) -> str:
    """Say what a line does, as HTML."""
    word = _word(line)
    text = escape(word.meaning)
    if line.direction == "S" and line.tag not in {"*", "+"} and line.elapsed is not None:
        if word.name in {"OK", "NO"}:  # what they are without a tag is not the question
            text = text.partition(";")[0]
        text += f" · {escape(line.command)} took {_duration(line.elapsed)}"
    if line.direction == "S" or not line.tag:
        return text
    # As a literal is written where it is explained: its length and a line break; one that was left
    # out is an argument all the same.
    command = re.sub(r"\{\d{1,10}\+?\} <\d{1,10} bytes>", '""', _without_tag(line))
    words = "".join(
        f"<li><code>{escape(one.name)}</code> {escape(one.meaning)} "
        f"<small>({escape(one.rfc)})</small></li>"
        for one in words_of(_LITERAL.sub(lambda found: f"{{{found[1]}}}\r\n", command))
    )
    more = f"<details><summary>its words</summary><ul>{words}</ul></details>" if words else ""
    return text + more


# -- HTML


def _row(row: Line | _More, lines: Sequence[Line], *, several: bool) -> str:
    line = row.after if isinstance(row, _More) else row
    where = f'<td style="{_NUMBER}">{line.connection}</td>' if several else ""
    begin = f'<td style="{_NUMBER}">{_milliseconds(line, lines)}</td>{where}'
    if isinstance(row, _More):
        return (
            f'<tr style="{_SPOKEN["S"]}">{begin}<td></td>'
            f'<td colspan="3" style="{_CELL};opacity:.75">{escape(_rest(row))}</td></tr>'
        )
    return (
        f'<tr style="{_SPOKEN[row.direction]}">{begin}<td style="{_CELL}">{row.direction}</td>'
        f'<td style="{_CELL}"><code dir="ltr" style="{_CODE}">{"".join(_coloured(row))}</code></td>'
        f'<td style="{_CELL};min-width:14em">{_meaning(row)}</td>'
        f'<td style="{_CELL};white-space:nowrap"><small>{escape(_word(row).rfc)}</small></td></tr>'
    )


def _coloured(line: Line) -> Iterator[str]:
    rest = line.line
    if line.direction == "C" and (command := _COMMAND.match(rest)):
        yield _span("tag", command[1])
        yield " " + _span("command", command[2])
        rest = rest[command.end() :]
    elif line.direction == "S" and (reply := _REPLY.match(rest)):
        tag, number, kind, code = (part or "" for part in reply.groups())
        yield _span("tag", tag) + escape(number)
        yield kind and " " + _span("refusal" if kind.upper() in _REFUSED else "reply", kind)
        yield code and " " + _span("code", code)
        rest = rest[reply.end() :]
    while found := _LITERAL.search(rest):
        yield escape(rest[: found.start()])
        content = _content(rest[found.end() :], int(found[1]))
        yield _span("literal", found[0] + content)
        rest = rest[found.end() + len(content) :]
    yield escape(rest)


def _content(text: str, octets: int) -> str:
    """Return the content of a literal that begins here, or what stands in its place."""
    instead = f"<{octets} bytes>"
    if text.startswith(instead):
        return instead
    return text.encode("utf-8", "replace")[:octets].decode("utf-8", "ignore")


def _span(kind: str, text: str) -> str:
    return f'<span style="{_COLOURS[kind]}">{escape(text)}</span>' if text else ""
