"""Messages -> the bytes of an mbox, as each family of programs writes it.

Written by hand, so that what reads them shares no mistake with them.
"""

from __future__ import annotations

import re

LINE = b"From ann@example.org Mon Jan  5 09:30:00 2026\n"


def mboxrd(messages: list[bytes]) -> bytes:
    """Quote every line that begins with From, however often it was quoted."""
    return b"".join(LINE + _quoted(m, rb"^(>*From )") + b"\n" for m in messages)


def mboxo(messages: list[bytes]) -> bytes:
    """Quote lines that begin with From, and no others."""
    return b"".join(LINE + _quoted(m, rb"^(From )") + b"\n" for m in messages)


def mboxcl(messages: list[bytes]) -> bytes:
    """Quote as mboxrd does, and say how long the text is."""
    return b"".join(LINE + measured(_quoted(m, rb"^(>*From )")) + b"\n" for m in messages)


def mboxcl2(messages: list[bytes]) -> bytes:
    """Quote nothing: the length says where a message ends."""
    return b"".join(LINE + measured(m) + b"\n" for m in messages)


def measured(message: bytes) -> bytes:
    """Add a Content-Length."""
    header, body = _halves(message)
    return header[:-1] + b"Content-Length: %d\n\n" % len(body) + body


def without_length(message: bytes) -> bytes:
    """Take the Content-Length out again."""
    return re.sub(rb"Content-Length: \d+\n", b"", message, count=1)


def _quoted(message: bytes, pattern: bytes) -> bytes:
    header, body = _halves(message)
    return header + re.sub(pattern, rb">\1", body, flags=re.MULTILINE)


def _halves(message: bytes) -> tuple[bytes, bytes]:
    end = message.index(b"\n\n") + 2
    return message[:end], message[end:]
