"""The dialogue with the server as log lines: every command and reply, redacted and cut.

``logging.getLogger("mailframe.imap.trace")`` at DEBUG shows it. Nothing is imported beside it.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["is_shown", "show_client", "show_server"]

log = logging.getLogger(__name__)

#: Characters of a line that are shown.
LONGEST = 2000
#: Bytes of a literal that are shown: a search word is, a message is not.
SHOWN = 100

_KINDS = {b"OK", b"NO", b"BAD", b"BYE", b"CAPABILITY"}
_SECRET = re.compile(rb"(?:[^ ]+ )?(?:LOGIN|AUTHENTICATE(?: [A-Z0-9-]+)?)(?= |\Z)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def is_shown() -> bool:
    """Whether anybody listens."""
    return log.isEnabledFor(logging.DEBUG)


def show_client(tag: bytes, pieces: Sequence[bytes], literals: Sequence[bool]) -> None:
    """Log a command; of one that logs in, nothing but its name.

    Parameters
    ----------
    tag
        The command's tag; ``b""`` for what has none.
    pieces
        What is sent, as it was given to the wire.
    literals
        Which of the pieces are literals.
    """
    secret = _SECRET.match(pieces[0]) if pieces else None
    text = b"".join(
        _literal(piece) if is_literal else piece
        for piece, is_literal in zip(pieces, literals, strict=True)
    )
    # AUTHENTICATE comes in pieces: its name, the mechanism, the secret.
    shown = secret[0] + b" ***" if secret else text
    log.debug("C: %s", _line((tag + b" " if tag else b"") + shown))


def show_server(segments: Sequence[bytes], logins: Collection[bytes] = ()) -> None:
    """Log a reply; while somebody logs in only its kind, for a server may repeat what it was told.

    Parameters
    ----------
    segments
        Text, literal, text, …
    logins
        Tags of commands in flight that log in.
    """
    if logins:
        tag, _, rest = segments[0].partition(b" ")
        kind = rest.partition(b" ")[0].upper()
        words = [tag if tag in {b"*", b"+", *logins} else b"***"]
        log.debug("S: %s", _line(b" ".join([*words, *({kind} & _KINDS), b"***"])))
        return
    text = b"".join(
        _content(segment) if place % 2 else segment for place, segment in enumerate(segments)
    )
    log.debug("S: %s", _line(text))


def _literal(content: bytes) -> bytes:
    return b"{%d} %b" % (len(content), _content(content))


def _content(content: bytes) -> bytes:
    # The length stands in front of it.
    return content if len(content) <= SHOWN else b"<%d bytes>" % len(content)


def _line(text: bytes) -> str:
    shown = text[:LONGEST].decode("utf-8", "backslashreplace")
    clean = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)
    return clean if len(text) <= LONGEST else f"{clean}… ({len(text)} bytes)"
