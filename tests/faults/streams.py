"""What a server said, as replies, and the places in it where it is worth breaking."""

from __future__ import annotations

import random
import re
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
# Dovecot's words: the completion of a FETCH is not known by itself.
FETCHED = re.compile(rb"\* \d+ FETCH |\w+ OK Fetch completed")


class Reply(NamedTuple):
    """One reply.

    Attributes
    ----------
    start, end
        Its place in the stream.
    literals
        Where its literals start and end.
    is_fetch
        Whether it describes a message, or says that all are described.
    """

    start: int
    end: int
    literals: tuple[tuple[int, int], ...]
    is_fetch: bool


def replies(said: bytes) -> Iterator[Reply]:
    """Cut a stream into replies, by what RFC 3501 says of lines and literals alone."""
    start = 0
    while start < len(said):
        literals = []
        end = said.index(b"\r\n", start) + 2
        while found := LITERAL.search(said, max(start, end - 20), end):
            literals.append((end, end + int(found[1])))
            end = said.index(b"\r\n", literals[-1][1]) + 2
        yield Reply(start, end, tuple(literals), FETCHED.match(said, start) is not None)
        start = end


def positions(said: bytes, count: int) -> list[int]:
    """Choose places in a stream: in turn before any message, at an edge, and anywhere at all."""
    chance = random.Random(count)
    found = list(replies(said))
    opening = next(reply.start for reply in found if reply.is_fetch)
    literals = [place for reply in found for one in reply.literals for place in one]
    edges = [reply.end for reply in found[:-1]] + literals
    near = {place + step for place in edges for step in (-2, -1, 0, 1)}
    families = (
        chance.sample(range(opening), count),
        chance.sample(sorted(near), count),
        chance.sample(range(len(said)), count),
    )
    mixed = (place for three in zip_longest(*families) for place in three)
    return list(islice(mixed, count))


def described(said: bytes, place: int) -> str:
    """Show what is said around a place, for whoever looks for what went wrong there."""
    return f"byte {place}: {said[max(place - 200, 0) : place]!r} | {said[place : place + 100]!r}"
