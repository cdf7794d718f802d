"""Attachments frames of a few files, of which only what matters is said."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mailframe import schema

DEFAULTS: dict[str, Any] = {
    "account": "me@example.com",
    "folder": "INBOX",
    "uidvalidity": 1,
    "uid": 1,
    "filename": "report.pdf",
    "content_type": "application/pdf",
    "disposition": "attachment",
    "content_id": None,
    "encoding": "base64",
    "encoded_size": 1400,
    "size": 1000,
    "size_exact": False,
    "inline": False,
}


def files(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return an attachments frame with a file a row."""
    if not rows:
        return schema.empty("attachments")
    full = [DEFAULTS | {"part": str(n)} | row for n, row in enumerate(rows, 2)]
    return schema.conform(pd.DataFrame(full), "attachments")
