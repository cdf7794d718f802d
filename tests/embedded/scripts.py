"""Read imaptest's scripts: their header, their steps, their mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.embedded.matching import Octets, Value, head, read_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.embedded.matching import Pieces

STATES = ("nonauth", "auth", "created", "appended", "selected")
LINE = re.compile(
    r"(?:(?P<connection>\d+) +)?(?:(?P<label>tag\d+) +)?"
    r'(?:(?P<status>ok|no|bad|"")(?: +|\Z))?(?P<rest>.*)',
    re.IGNORECASE | re.DOTALL,
)
SEPARATOR = re.compile(
    r"^From .* \w{3} (?P<month>\w{3}) +(?P<day>\d+) (?P<time>[\d:]+) (?P<year>\d{4})(?P<zone>.*)\n",
    re.MULTILINE,
)


@dataclass(slots=True)
class Command:
    """One command of a step; it has the script's own tag as a label where several are sent."""

    label: str | None
    pieces: Pieces
    status: str = ""
    code: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """An untagged reply that must (``*``), must not (``!``) or may (``?``) come."""

    kind: str
    pieces: Pieces
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Commands that are sent together, and what is expected back."""

    line: int
    connection: int
    commands: list[Command] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return not all(command.status for command in self.commands)


@dataclass(frozen=True, slots=True)
class Script:
    """A script as read from its file, and the messages of its mbox file.

    Attributes
    ----------
    messages
        Each with its internal date as IMAP writes it.
    """

    name: str
    header: Mapping[str, str]
    steps: Sequence[Step]
    messages: Sequence[tuple[str, str]]

    @property
    def capabilities(self) -> set[str]:
        return set(self.header.get("capabilities", "").upper().split())

    @property
    def connections(self) -> int:
        return int(self.header.get("connections", 1))

    @property
    def state(self) -> int:
        return STATES.index(self.header.get("state", "selected"))

    @property
    def first_messages(self) -> int:
        """How many messages the mailbox has when the steps begin."""
        count = self.header.get("messages", "all")
        return len(self.messages) if count == "all" else int(count)


def read_script(path: Path) -> Script:
    """Read a script; its mbox file is the one of the same name, or ``default.mbox``."""
    top, _, body = path.read_bytes().decode("latin-1").partition("\n\n")
    fields = (line.partition(":") for line in top.split("\n") if not line.startswith("#"))
    header = {name.strip(): value.strip() for name, _, value in fields}
    first_line = top.count("\n") + 3
    mbox = path.with_name(f"{path.name}.mbox")
    messages = _read_mbox(mbox if mbox.exists() else path.with_name("default.mbox"))
    return Script(path.name, header, [*_read_steps(body, first_line)], messages)


def _read_mbox(path: Path) -> list[tuple[str, str]]:
    text = path.read_bytes().decode("latin-1")
    separators = [*SEPARATOR.finditer(text)]
    ends = [one.start() for one in separators[1:]] + [len(text)]
    return [
        (
            re.sub(r"\r?\n", "\r\n", text[one.end() : end]),
            "{day:>2}-{month}-{year} {time} ".format(**one.groupdict())
            + (one["zone"].strip() or "+0000"),
        )
        for one, end in zip(separators, ends, strict=True)
    ]


def _read_steps(body: str, first_line: int) -> Iterator[Step]:
    step = None
    for number, pieces in _logical_lines(body, first_line):
        text = head(pieces)
        if step and text[:2] in {"* ", "! ", "? "}:
            pieces[0] = text[2:]
            step.expectations.append(Expectation(text[0], pieces, read_values(pieces)))
            continue
        line = LINE.fullmatch(text)
        assert line, "every line is a command, if a bad one"
        status = (line["status"] or "").lower()
        if step and step.is_open and status:
            command = next(one for one in step.commands if one.label == line["label"])
            command.status = status
            command.code = read_values([f"{status} {line['rest']}"])[1:]
            continue
        if step and not step.is_open:
            yield step
            step = None
        step = step or Step(number, int(line["connection"] or 1))
        step.commands.append(Command(line["label"], [line["rest"], *pieces[1:]], status))
    if step:
        yield step


def _logical_lines(body: str, first_line: int) -> Iterator[tuple[int, Pieces]]:
    """Yield what belongs together, literals included, without comments and empty lines."""
    lines = enumerate(body.split("\n"), first_line)
    for number, line in lines:
        if not line or line.startswith("#"):
            continue
        pieces: Pieces = []
        rest = line.rstrip()
        while rest.endswith("{{{"):
            before = rest.removesuffix("{{{")
            # A ~ says that the line ends are meant as they are written.
            binary = before.endswith("~")
            content, rest = _literal(lines)
            octets = Octets(("\n" if binary else "\r\n").join(content), binary)
            pieces += [before.removesuffix("~"), octets]
        yield number, [*pieces, rest]


def _literal(lines: Iterator[tuple[int, str]]) -> tuple[list[str], str]:
    """Take a literal's lines, and what stands behind its end."""
    content: list[str] = []
    for _, line in lines:
        if line.startswith("}}}"):
            return content, line.removeprefix("}}}").rstrip()
        content.append(line)
    raise ValueError("a literal has no end")
