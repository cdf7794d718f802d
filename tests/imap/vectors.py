"""The server replies that other projects test with (``corpora/imap/vectors.json``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Kinds that are read in full here; the others are status lines and lists.
FETCHED = ("FETCH", "BODYSTRUCTURE", "ENVELOPE")


def load_vectors(corpora: Path, *, complete: bool) -> dict[str, bytes]:
    """Return raw replies by id, each brought to the form in which a server sends it."""
    vectors = json.loads((corpora / "imap" / "vectors.json").read_text(encoding="utf-8"))
    return {
        vector["id"]: _as_sent(vector["raw"].encode("latin-1"), vector["kind"])
        for vector in vectors
        if vector["complete"] is complete
    }


def load_kind(corpora: Path, kind: str) -> set[str]:
    """Return the ids of one kind."""
    vectors = json.loads((corpora / "imap" / "vectors.json").read_text(encoding="utf-8"))
    return {vector["id"] for vector in vectors if vector["kind"] == kind}


def _as_sent(raw: bytes, kind: str) -> bytes:
    if b"S: " in raw:  # a dialogue: what the server says in it
        lines = [line[3:] for line in raw.splitlines() if line.startswith(b"S: ")]
        return b"".join(line + b"\r\n" for line in lines)
    if raw[:1] in b"*+" or kind not in (*FETCHED, "other"):
        return raw
    body = raw.removesuffix(b"\r\n")
    if raw.startswith(b"(UID "):
        body = b"* 1 FETCH " + body
    elif body[:1].isdigit():  # "1 (ENVELOPE …": as imaplib hands it on
        body = b"* " + body.replace(b" ", b" FETCH ", 1)
    elif body.startswith(b"("):  # a value alone
        body = b"* 1 FETCH (%b %b)" % (kind.encode(), body)
    elif body.endswith(b"]"):  # the name of an item alone
        body = b"* 1 FETCH (%b NIL)" % body
    else:  # an item alone
        body = b"* 1 FETCH (%b)" % body
    return body + b"\r\n"
