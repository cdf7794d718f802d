"""The dialogue with the server: every command and reply, redacted and cut.

A `Recorder` keeps the latest of it in memory, for all connections of an account; a `Tap` is what
each connection tells it through. ``logging.getLogger("mailframe.imap.trace")`` at DEBUG shows the
same as log lines. No secret gets in: of a command that logs in only its name is kept, and until the
login has succeeded only the kind of each reply. Nothing is imported beside it.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import deque
from heapq import merge
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Line", "Recorder", "Recording", "Tap"]

log = logging.getLogger(__name__)

#: Bytes of a line that are logged; that are kept; that are kept of what describes a message.
LONGEST = 2000
KEPT = 1000
KEPT_OF_MESSAGE = 300
#: Bytes of a literal that are shown: a search word is, a message is not.
SHOWN = 100
#: Lines kept; and of those that describe messages, which would push out all others.
MOST = 10_000
MOST_MESSAGES = 10_000

_WORDS = {b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"}
_KINDS = _WORDS | {b"CAPABILITY"}
# A mechanism is shown if it is one: a word in its place might be a token.
_MECHANISM = (
    rb"PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|EXTERNAL|ANONYMOUS|GSSAPI|NTLM|CRAM-MD5|DIGEST-MD5"
    rb"|SCRAM-SHA-[0-9]{1,3}(?:-PLUS)?"
)
_SECRET = re.compile(
    rb"(?:[^ ]*[0-9] )?(?:LOGIN|AUTHENTICATE(?: (?:%b)(?= |\Z))?)(?= |\Z)" % _MECHANISM,
    re.IGNORECASE,
)
_LONGEST_LOGIN = 60
_NAME = re.compile(rb"(?:UID )?[A-Z0-9-]{1,30}", re.IGNORECASE)
# How far a message's number may reach into "* 1234567890 FETCH (".
_HEAD = 20
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


class Line(NamedTuple):
    """One line of the dialogue, with its literals.

    Attributes
    ----------
    time
        When it was sent or read, in seconds since 1970.
    connection
        Over which connection of the account, from 1 in the order they were made.
    direction
        ``"C"`` from the client, ``"S"`` from the server.
    tag
        As it stands in the line, ``"*"`` and ``"+"`` too; ``""`` for the client's answer to ``+``.
    command
        ``"UID FETCH"``; of a reply the command it answers, or the oldest in flight when it came;
        ``""`` when none was.
    line
        Without secrets, cut, and without characters that rule a terminal.
    bytes
        With literals and line ends, as sent; None where it would tell the length of a secret.
    elapsed
        Of a reply: seconds since that command was sent; None when there is none.
    """

    time: float
    connection: int
    direction: Literal["C", "S"]
    tag: str
    command: str
    line: str
    bytes: int | None
    elapsed: float | None


# A Line before it is decoded, behind its place in the dialogue; a plain tuple, which the garbage
# collector need not look at again: it is made for every message of a mailbox.
_Entry = tuple[int, float, int, Literal["C", "S"], bytes, str, bytes, "int | None", "float | None"]


class Recorder:
    """The latest lines of all connections of an account; safe in threads.

    Replies that describe messages are counted by themselves: reading a large mailbox does not push
    out how it began.

    Attributes
    ----------
    commands
        How many commands were sent so far.
    octets
        How many bytes were sent and read so far, but for those of logins.
    """

    def __init__(self) -> None:
        self._start_afresh()
        self._connections = count(1)
        self._count = 0
        self.commands = 0
        self.octets = 0
        self._others: deque[_Entry] = deque(maxlen=MOST)
        self._messages: deque[_Entry] = deque(maxlen=MOST_MESSAGES)

    def _start_afresh(self) -> None:
        # After a fork a thread that is not there any more may hold the lock for ever.
        # Taken again by the garbage collector, which logs out what was dropped.
        self._lock = threading.RLock()
        self._process = os.getpid()

    def tap(self) -> Tap:
        """Return what a new connection tells its lines to."""
        if self._process != os.getpid():
            self._start_afresh()
        with self._lock:
            return Tap(self, next(self._connections))

    @property
    def count(self) -> int:
        """How many lines there were so far, also those no longer kept."""
        return self._count

    def lines(self, after: int = 0) -> tuple[Line, ...]:
        """Return the lines kept, in the order they were sent and read.

        Parameters
        ----------
        after
            A former `count`: only what came since.
        """
        if self._process != os.getpid():
            self._start_afresh()
        with self._lock:
            kept = list(self._others), list(self._messages)
        return tuple(_decoded(entry) for entry in merge(*kept) if entry[0] > after)

    def record(self) -> Recording:
        """Begin to set apart what is said from now on."""
        return Recording(self)

    def keep(
        self,
        connection: int,
        direction: Literal["C", "S"],
        tag: bytes,
        command: str,
        line: bytes,
        size: int | None,
        elapsed: float | None = None,
        *,
        is_message: bool = False,
    ) -> None:
        """Keep a line: see `Line`. For a `Tap`, which sees to it that no secret is in it."""
        kept = self._messages if is_message else self._others
        # Within the lock: what is in order is in the order of time as well.
        with self._lock:
            self._count = number = self._count + 1
            self.octets += size or 0
            self.commands += direction == "C" and tag != b""
            kept.append(
                (number, time.time(), connection, direction, tag, command, line, size, elapsed)
            )


class Recording:
    """What was said between two moments.

    Parameters
    ----------
    recorder
        It begins now.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._start = recorder.count
        self._stopped: tuple[tuple[Line, ...], int] | None = None

    def __getstate__(self) -> dict[str, object]:
        # A copy, or what is read from a pickle, is stopped: nothing more is said in there.
        return {"_stopped": self._stopped or self._so_far()}

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._stopped is None:
            self._stopped = self._so_far()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines; until it is stopped, those so far."""
        return (self._stopped or self._so_far())[0]

    @property
    def dropped(self) -> int:
        """How many further lines there were than a `Recorder` keeps."""
        return (self._stopped or self._so_far())[1]

    def _so_far(self) -> tuple[tuple[Line, ...], int]:
        end = self._recorder.count  # first, so that nothing counts as dropped that comes now
        lines = self._recorder.lines(self._start)
        return lines, max(end - self._start - len(lines), 0)


class Tap:
    """One connection's side of a `Recorder`.

    Parameters
    ----------
    recorder
        What keeps the lines.
    number
        The connection's.
    """

    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number
        self._position = 0
        self._flying: dict[bytes, tuple[float, str]] = {}
        self._login: bytes | None = None
        self._is_fresh = False
        self._log = f"[{number}] " if number > 1 else ""

    def sent(self, tag: bytes, pieces: Sequence[bytes], announced: Sequence[bytes] = ()) -> None:
        """Take down a command; of one that logs in, nothing but its name.

        Parameters
        ----------
        tag
            The command's.
        pieces
            What is sent, as it was given to the wire.
        announced
            For each piece how it is announced, if it is a literal: ``b"{3}"``; else ``b""``.
        """
        announced = announced or [b""] * len(pieces)
        beginning = _beginning(pieces, announced)
        found = _NAME.match(beginning)
        name = found[0].decode("ascii").upper() if found else ""
        self._flying[tag] = (time.perf_counter(), name)
        secret = _SECRET.match(beginning)
        if secret:
            self._login = tag
            self._tell(tag, name, [tag, b" ", secret[0], b" ***"], None)
            return
        texts = [tag, b" "]
        for piece, literal in zip(pieces, announced, strict=True):
            texts += (literal, b" ", _content(piece)) if literal else (piece,)
        # A literal is announced on a line of its own.
        size = len(tag) + 3 + sum(map(len, pieces)) + sum(len(one) + 2 for one in announced if one)
        self._tell(tag, name, texts, size)

    def answered(self, answer: bytes) -> None:
        """Take down that a challenge was answered, but of a login (AUTHENTICATE) not how.

        Parameters
        ----------
        answer
            Without its line end.
        """
        _, name = next(reversed(self._flying.values()), (0.0, ""))
        is_secret = name != "IDLE"  # that ends with DONE
        self._tell(b"", name, [b"***" if is_secret else answer], None)

    def heard(self, segments: Sequence[bytes], position: int) -> None:
        """Take down a reply; until a login has succeeded only its kind.

        Servers repeat what they were told: in the reply, in a challenge, in the farewell after it.

        Parameters
        ----------
        segments
            Text, literal, text, …
        position
            How many bytes were read of this connection so far.
        """
        size, self._position = position - self._position, position
        head = segments[0]
        if head[:2] == b"* ":
            tag = b"*"
            is_message = head.find(b" FETCH (", 2, _HEAD) > 0
            asked = next(iter(self._flying.values()), None)
        else:
            is_message = False
            tag = head.partition(b" ")[0]
            if head[:1] == b"+":
                tag = b"+"
                asked = next(reversed(self._flying.values()), None)
            else:
                asked = self._flying.pop(tag, None)
        sent, name = asked or (None, "")
        elapsed = None if sent is None else time.perf_counter() - sent
        if self._is_secret(head, is_completion=tag not in {b"*", b"+"}):
            tag, text = self._hushed(tag, head, is_known=tag in {b"*", b"+"} or asked is not None)
            self._recorder.keep(self._number, "S", tag, name, text, None, elapsed)
            if log.isEnabledFor(logging.DEBUG):
                log.debug("%sS: %s", self._log, _legible(text))
            return
        text = _reply(segments, KEPT_OF_MESSAGE if is_message else KEPT)
        self._recorder.keep(
            self._number, "S", tag[:SHOWN], name, text, size, elapsed, is_message=is_message
        )
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%sS: %s", self._log, _legible(_reply(segments, LONGEST)))

    def _is_secret(self, head: bytes, *, is_completion: bool) -> bool:
        """Whether a reply may repeat what was said to log in, or what followed has not come."""
        if self._login is not None:
            return True
        # What stands behind the OK is read with the answer to the next command.
        if is_completion:
            self._is_fresh = False
        return self._is_fresh and _kind(head) in _WORDS

    def _hushed(self, tag: bytes, head: bytes, *, is_known: bool) -> tuple[bytes, bytes]:
        """Return the tag of a reply and its kind, if these are none of the server's invention."""
        kind = _kind(head)
        if tag == self._login and kind == b"OK":
            self._login = None
            self._is_fresh = True
        tag = tag if is_known else b"***"
        return tag, b" ".join([tag, *({kind} & _KINDS), b"***"])

    def _tell(self, tag: bytes, name: str, texts: Sequence[bytes], size: int | None) -> None:
        self._recorder.keep(self._number, "C", tag, name, _joined(texts, KEPT), size)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%sC: %s", self._log, _legible(_joined(texts, LONGEST)))


def _kind(head: bytes) -> bytes:
    return head.partition(b" ")[2].partition(b" ")[0].upper()


def _beginning(pieces: Iterable[bytes], announced: Iterable[bytes]) -> bytes:
    """Return a command's first words, however they were cut."""
    text = b""
    for piece, literal in zip(pieces, announced, strict=True):
        if literal or len(text) > _LONGEST_LOGIN:
            break
        text += piece[:_LONGEST_LOGIN]
    return text


def _reply(segments: Sequence[bytes], longest: int) -> bytes:
    """Put a reply together as far as it is shown; of a message there is much more."""
    text = segments[0]
    for place in range(1, len(segments), 2):
        if len(text) > longest:
            break
        # The length of a literal stands in front of it.
        text += _content(segments[place]) + segments[place + 1][: longest + 1]
    return text if len(text) <= longest else _cut(text, longest, sum(map(len, segments)))


def _joined(texts: Sequence[bytes], longest: int) -> bytes:
    whole = sum(map(len, texts))
    if whole <= longest:
        return b"".join(texts)
    return _cut(b"".join(text[: longest + 1] for text in texts), longest, whole)


def _cut(text: bytes, longest: int, whole: int) -> bytes:
    return b"%b\xe2\x80\xa6 (%d bytes)" % (text[:longest], whole)


def _content(literal: bytes) -> bytes:
    return literal if len(literal) <= SHOWN else b"<%d bytes>" % len(literal)


def _decoded(entry: _Entry) -> Line:
    _, moment, connection, direction, tag, command, text, size, elapsed = entry
    return Line(
        moment, connection, direction, _legible(tag), command, _legible(text), size, elapsed
    )


def _legible(text: bytes) -> str:
    shown = text.decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)
