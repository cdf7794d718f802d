"""Hops frames of a few messages, of which only when each hop was is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

START = pd.Timestamp("2025-03-01T10:00:00Z")


def way(
    *seconds: float | str | None,
    uid: int = 1,
    hosts: Sequence[str | None] | None = None,
    by: str | Sequence[str | None] | None = "ESMTPS",
) -> pd.DataFrame:
    """Return the hops of a message: so many seconds after `START`, at a moment, or at none."""
    count = len(seconds)
    protocols = [by] * count if by is None or isinstance(by, str) else by
    rows = {
        "account": "me@example.com", "folder": "INBOX", "uidvalidity": 1, "uid": uid,
        "hop": range(count), "from_host": None,
        "by_host": [f"{letter}.example" for letter in "abcdefghi"[:count]] if hosts is None
        else hosts,
        "with": protocols,
        "time": pd.Series([_moment(one) for one in seconds], dtype=schema.TIME),
        "delay": pd.Timedelta(0),
    }  # fmt: skip
    return schema.conform(pd.DataFrame(rows), "hops")


def ways(*frames: pd.DataFrame) -> pd.DataFrame:
    """Return the hops of several messages, whose UIDs are 1, 2, …"""
    numbered = [frame.assign(uid=n) for n, frame in enumerate(frames, 1)]
    return schema.conform(pd.concat(numbered, ignore_index=True), "hops")


def _moment(when: float | str | None) -> Any:
    if when is None:
        return pd.NaT
    if isinstance(when, str):
        return pd.Timestamp(when, tz="UTC").as_unit("us")
    return START + pd.Timedelta(seconds=when)
