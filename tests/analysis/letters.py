"""Headers frames of a few messages, of which only what matters is said."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mailframe import schema

DEFAULTS: dict[str, Any] = {
    "account": "me@example.com",
    "folder": "INBOX",
    "uidvalidity": 1,
    "date": "2025-03-01",
    "internal_date": "2025-03-01",
    "from_address": "ann@example.org",
    "from_name": "Ann",
    "from_domain": "example.org",
    "size": 1000,
    "seen": False,
    "answered": False,
    "flagged": False,
    "draft": False,
    "deleted": False,
    "keywords": "",
    "defects": "",
}
TIMES = ("date", "internal_date")


def headers(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return a headers frame with a message a row; a date is written as in ISO 8601."""
    names = [column.name for column in schema.HEADERS]
    full = [dict.fromkeys(names) | {"uid": n} | DEFAULTS | row for n, row in enumerate(rows, 1)]
    if not full:
        return schema.empty("headers")
    frame = pd.DataFrame(full)
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return schema.conform(frame, "headers")


def dated(*dates: str | None, **others: Any) -> pd.DataFrame:
    """Return a headers frame of messages that differ in their dates."""
    return headers(*[{"date": date, **others} for date in dates])


def sent_by(*addresses: str | None, **others: Any) -> pd.DataFrame:
    """Return a headers frame of messages that differ in their senders."""
    return headers(*[{"from_address": address, **others} for address in addresses])
