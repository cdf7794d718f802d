r"""Run the scripts of Dovecot's imaptest against an IMAP server, over plain sockets.

A script is a header, an empty line, and steps. A step is a command with the status that it must
get, before it or after it, and the untagged replies that must (``*``) or must not (``!``) come::

    capabilities: ESEARCH
    connections: 2

    1 ok store 1:2 +flags (\seen)
    * 1 fetch (flags (\seen))
    2 copy 1 nowhere
    2 no [trycreate]

Replies may come in any order, one may meet several expectations, and what nobody expected is
ignored. Words are compared without regard to case. ``$name`` is a variable: the first reply that it
is compared with gives it its value. ``$1`` is the message that was number 1 when the command was
sent, whatever was expunged since; a bare ``$`` is anything; ``{{{`` to ``}}}`` is a literal. An
APPEND without one takes the next message of the mbox file beside the script.
"""

from __future__ import annotations

import itertools
import re
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.embedded.matching import Bindings, Octets, Word, head, match_reply, read_values, show
from tests.embedded.scripts import STATES, Command, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.embedded.matching import Pieces
    from tests.embedded.scripts import Expectation, Script

MAILBOX = "imaptest"
TIMEOUT = 10  # seconds without a byte

EXPUNGE = re.compile(r"(\d+) EXPUNGE", re.IGNORECASE)
LITERAL_SIZE = re.compile(rb"~?\{(\d+)\}\r\n\Z")


class StepError(AssertionError):
    """The server did not do what the script says; the message has the step and what came."""


class Connection:
    """A connection to the server, which reads whole replies, literals included."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=TIMEOUT)
        self._stream = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def new_tag(self) -> str:
        return f"A{next(self._numbers)}"

    def exchange(self, commands: Mapping[str, Pieces], replies: list[tuple[str, Pieces]]) -> None:
        """Send commands by their tags, and append replies to a list until all are answered."""
        waiting = set(commands)

        def read() -> str:
            mark, reply = self.read()
            replies.append((mark, reply))
            waiting.discard(mark)
            return mark

        for tag, pieces in commands.items():
            ready = f"{tag} "
            for piece in pieces:
                if isinstance(piece, str):
                    ready += piece
                    continue
                self._send(ready + "~" * piece.binary + f"{{{len(piece.text)}}}\r\n")
                while (mark := read()) not in {"+", tag}:
                    pass
                if mark == tag:  # the server does not want the literal
                    break
                ready = piece.text
            else:
                self._send(ready + "\r\n")
        while waiting:
            read()

    def read(self) -> tuple[str, Pieces]:
        """Read one reply; return its tag, ``*`` or ``+``, and the rest."""
        line = self._line()
        mark, _, rest = line.partition(b" ")
        pieces: Pieces = []
        while size := LITERAL_SIZE.search(rest):
            pieces.append(rest[: size.start()].decode("latin-1"))
            pieces.append(Octets(self._stream.read(int(size[1])).decode("latin-1")))
            rest = self._line()
        return mark.strip().decode("latin-1"), [*pieces, rest.rstrip(b"\r\n").decode("latin-1")]

    def _line(self) -> bytes:
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionAbortedError(f"the server closed the connection after {line!r}")
        return line

    def _send(self, text: str) -> None:
        self._socket.sendall(text.encode("latin-1"))


def run_script(script: Script, address: tuple[str, int], user: str, password: str) -> set[str]:
    """Run a script as a user whose mailbox is empty.

    Returns the capabilities that the script needs and the server does not announce: if there are
    any, nothing was run. Raises `StepError` with the first step that does not hold.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(address)) for _ in range(script.connections)]
        run = _Run(script, connections, user, password)
        if script.state >= STATES.index("auth"):
            for number in range(1, script.connections + 1):
                run.must(f'login "{user}" "{password}"', number)
        if missing := script.capabilities - run.capabilities():
            return missing
        run.fill_mailbox()
        for step in script.steps:
            run.check(step)
        return set()


class _Run:
    """One run of a script: its connections, its variables, the next message to append."""

    def __init__(
        self, script: Script, connections: Sequence[Connection], user: str, password: str
    ) -> None:
        self._script = script
        self._connections = connections
        self._messages = itertools.cycle(script.messages)
        self._names = {
            "user": user,
            "username": user,
            "domain": "localhost",
            "password": password,
            "mailbox": MAILBOX,
            "mailbox_url": MAILBOX,
        }

    def must(self, text: str, connection: int = 1) -> list[tuple[str, Pieces]]:
        """Send a command that is not in the script and has to succeed."""
        return self.check(Step(0, connection, [Command(None, [text], "ok")]))

    def capabilities(self) -> set[str]:
        replies = (show(pieces, limit=10_000).upper() for _, pieces in self.must("capability"))
        return {word for line in replies if line.startswith("CAPABILITY") for word in line.split()}

    def fill_mailbox(self) -> None:
        """Bring the mailbox and the connections into the state that the script starts from."""
        if self._script.state >= STATES.index("created"):
            self.must(f"create {MAILBOX}")
        if self._script.state >= STATES.index("appended"):
            for _ in range(self._script.first_messages):
                self.must("append")
        if self._script.state >= STATES.index("selected"):
            for number in range(1, self._script.connections + 1):
                self.must(f"select {MAILBOX}", number)

    def check(self, step: Step) -> list[tuple[str, Pieces]]:
        """Send a step's commands and compare what comes back; return that."""
        connection = self._connections[step.connection - 1]
        commands = {connection.new_tag(): command for command in step.commands}
        bindings = Bindings({**self._names, "tag": next(iter(commands))})
        sent: dict[str, Pieces] = {}
        replies: list[tuple[str, Pieces]] = []
        try:
            for tag, command in commands.items():
                sent[tag] = self._command(command.pieces, bindings)
            connection.exchange(sent, replies)
            self._compare(step, commands, replies, bindings)
        except (OSError, StepError) as error:
            lines = [f"C: {tag} {show(pieces)}" for tag, pieces in sent.items()]
            lines += [f"S: {mark} {show(pieces)}" for mark, pieces in replies]
            place = f"{self._script.name}, line {step.line}" if step.line else "before the script"
            raise StepError("\n".join([f"{place}: {error}", *lines])) from error
        self._names = bindings.names
        return replies

    def _command(self, pieces: Pieces, bindings: Bindings) -> Pieces:
        try:
            sent = [bindings.substitute(p) if isinstance(p, str) else p for p in pieces]
        except KeyError as error:
            raise StepError(f"no reply gave ${error.args[0]} a value") from error
        words = head(sent).split()
        if words[0].lower() != "append" or len(sent) > 1 or "catenate" in words:
            return sent
        message, date = next(self._messages)
        text = " ".join([*words, MAILBOX] if len(words) == 1 else words)
        return [f'{text} "{date}" ', Octets(message), ""]

    def _compare(
        self,
        step: Step,
        commands: Mapping[str, Command],
        replies: Sequence[tuple[str, Pieces]],
        bindings: Bindings,
    ) -> None:
        unmet = [one for one in step.expectations if one.kind == "*"]
        for mark, pieces in replies:
            if command := commands.get(mark):
                _compare_status(command, pieces, bindings)
                continue
            values = read_values(pieces)
            for expectation in step.expectations:
                learnt = match_reply(expectation.values, values, bindings)
                if learnt and expectation.kind == "!":
                    raise StepError(f"must not come: {_told(expectation, bindings)}")
                if learnt and expectation in unmet:
                    unmet.remove(expectation)
                    bindings.adopt(learnt)
            if expunge := EXPUNGE.fullmatch(head(pieces)):
                bindings.note_expunge(int(expunge[1]))
        if unmet:
            raise StepError("; ".join(f"did not come: {_told(one, bindings)}" for one in unmet))


def _compare_status(command: Command, pieces: Pieces, bindings: Bindings) -> None:
    status = head(pieces).partition(" ")[0].lower()
    if command.status not in {'""', status}:
        raise StepError(f"answered {status}, not {command.status}")
    learnt = match_reply((Word(status), *command.code), read_values(pieces), bindings)
    if not learnt:
        raise StepError("answered with another response code")
    bindings.adopt(learnt)


def _told(expectation: Expectation, bindings: Bindings) -> str:
    """Return an expectation with what its variables stand for."""
    line = show(expectation.pieces)
    values = {name: bindings.value(name) for name in re.findall(r"\$\{?(\w+)", line)}
    known = ", ".join(f"${name} is {value!r}" for name, value in values.items() if value)
    return f"{line} ({known})" if known else line
