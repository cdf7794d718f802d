"""Chance that falls the same way on every Python: only ``random()`` is promised never to change."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dice"]

T = TypeVar("T")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class Dice:
    """A source of chance with a name: what one part of the mailbox draws shifts no other part.

    Parameters
    ----------
    name
        The seed. Strings are hashed by SHA-512, which does not depend on the process.
    """

    def __init__(self, name: str) -> None:
        self._next = random.Random(name).random

    def chance(self, probability: float) -> bool:
        """Say yes with a probability."""
        return self._next() < probability

    def below(self, end: int) -> int:
        """Draw a whole number from 0 up to, but not including, the end."""
        return int(self._next() * end)

    def between(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return low + self.below(high - low + 1)

    def pick(self, things: Sequence[T]) -> T:
        """Draw one thing."""
        return things[self.below(len(things))]

    def weighted(self, things: Sequence[T], weights: Sequence[float]) -> T:
        """Draw one thing, heavier ones more often."""
        place = self._next() * sum(weights)
        for thing, weight in zip(things, weights, strict=True):
            place -= weight
            if place < 0:
                return thing
        return things[-1]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """Draw several different things, or all of them in some order."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def quantile(self, table: Sequence[float]) -> float:
        """Draw from a distribution that is given by quantiles at equal distances.

        No logarithm is asked for: those differ in the last bit between machines.
        """
        place = self._next() * (len(table) - 1)
        low = int(place)
        return table[low] + (place - low) * (table[low + 1] - table[low])

    def octets(self, count: int) -> bytes:
        """Draw bytes."""
        return bytes(self.below(256) for _ in range(count))

    def token(self, length: int) -> str:
        """Draw lower-case letters and digits."""
        return "".join(_BASE36[self.below(36)] for _ in range(length))
