"""One wrong bit harms one message at most, and never ends in anything but an error of ours."""

from __future__ import annotations

import random
from bisect import bisect_right
from typing import TYPE_CHECKING

import pandas as pd

from mailframe.exceptions import MailframeError
from tests.faults.reading import STALLED, read_all
from tests.faults.streams import described, replies
from tests.rigs.proxy import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.faults.streams import Reply
    from tests.rigs.proxy import FaultProxy

#: Columns that say the same thing: what is read of one item, or of one header field.
TOGETHER = (
    {"from_name", "from_address", "from_domain"},
    {"date", "utc_offset"},
    {"seen", "answered", "flagged", "draft", "deleted", "keywords"},
    {"n_attachments", "attachment_size"},
    {"text", "html", "text_source", "charset"},
)
# A line end that is hit joins two fields, and harms both.
NEIGHBOURS = 2


def test_a_flipped_bit_harms_one_message_at_most(
    through: Callable[..., FaultProxy],
    session: Callable[..., Session],
    reference: Reference,
    number: int,
) -> None:
    place = reference.places[number]
    bit = random.Random(number).randrange(8)
    proxy = through(Fault("flip", place, bit=bit))
    of_a_message = reply_at(reference.said, place).is_fetch
    try:
        frames = read_all(session(proxy, timeout=STALLED))
    except MailframeError:
        assert not of_a_message, described(reference.said, place)
        return
    finally:
        assert len(proxy.lines) <= 2
    if not of_a_message:
        return  # what logging in and searching found, nobody can check
    for frame, expected in zip(frames, reference.frames, strict=True):
        harmed = differences(frame, expected)
        assert len(harmed) <= 1, described(reference.said, place)
        for columns in harmed.values():
            assert len(facts(columns)) <= NEIGHBOURS, described(reference.said, place)


def differences(frame: pd.DataFrame, expected: pd.DataFrame) -> dict[int, list[str]]:
    """Return the columns that differ, by UID; all of them where a row is missing or too many."""
    one, other = (f.set_index("uid", drop=False).astype("object") for f in (frame, expected))
    assert one.index.is_unique
    every = one.index.union(other.index)
    one, other = one.reindex(every), other.reindex(every)
    differ = (one != other) & ~(one.isna() & other.isna())
    return {
        int(uid): [*differ.columns[row]]
        for uid, row in zip(differ.index, differ.to_numpy(dtype=bool), strict=True)
        if row.any()
    }


def facts(columns: list[str]) -> set[frozenset[str]]:
    """Return what was harmed, beside the note of it."""
    return {
        next((frozenset(one) for one in TOGETHER if column in one), frozenset({column}))
        for column in columns
        if column != "defects"
    }


def reply_at(said: bytes, place: int) -> Reply:
    every = list(replies(said))
    return every[bisect_right([reply.start for reply in every], place) - 1]


def test_differences_are_found() -> None:
    expected = pd.DataFrame({"uid": [1, 2, 3], "text": ["a", None, "c"], "size": [1, 2, 3]})
    frame = pd.DataFrame({"uid": [1, 2], "text": ["b", None], "size": [1, 2]})
    assert differences(frame, expected) == {1: ["text"], 3: ["uid", "text", "size"]}
    assert facts(["seen", "flagged", "size", "defects"]) == {
        frozenset(TOGETHER[2]),
        frozenset({"size"}),
    }
