"""Where nodes and their names go: near to those they are tied to, and never one on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Box", "apart", "boxes_beside", "distances", "laid_out"]

#: Of a disc, across and up: where its name is looked for first.
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_ROUNDS = 200
_PUSHES = 200


class Box(NamedTuple):
    """A rectangle, by its corners."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Whether they share a point."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def meets_any(self, others: Iterable[Box]) -> bool:
        """Whether it shares a point with one of them."""
        return any(self.meets(other) for other in others)

    def holds(self, other: Box) -> bool:
        """Whether the other one lies in this one."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )


def distances(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths of the shortest paths (Floyd 1962).

    Parameters
    ----------
    lengths
        Of the tie between each two, the same both ways; infinite where there is none.

    Returns
    -------
    ndarray
        Where no path leads, that of the longest one: what is not tied together stands apart.
    """
    paths = lengths.copy()
    np.fill_diagonal(paths, 0)
    for by in range(len(paths)):
        paths = np.minimum(paths, paths[:, by, None] + paths[by])
    longest = paths[np.isfinite(paths)].max(initial=1)
    return np.where(np.isfinite(paths), paths, longest)


def laid_out(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place nodes so that they are as far from each other as they should be.

    Stress majorisation with weights 1 / distance² (Gansner, Koren and North, "Graph drawing by
    stress majorization", 2004), from the same start each time.

    Parameters
    ----------
    wanted
        The distance of each two: greater than 0.

    Returns
    -------
    ndarray
        Two coordinates a node, from 0 to 1; across is where they differ most.
    """
    count = len(wanted)
    if count < 2:  # noqa: PLR2004 one alone stands in the middle
        return np.full((count, 2), 0.5)
    full = wanted + np.eye(count)
    weights = full**-2.0
    np.fill_diagonal(weights, 0)
    inverse = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    places = _classical(wanted)
    for _ in range(_ROUNDS):
        lengths = np.linalg.norm(places[:, None] - places[None], axis=2)
        pulls = -weights * wanted / np.where(lengths > 0, lengths, 1)
        np.fill_diagonal(pulls, 0)
        np.fill_diagonal(pulls, -pulls.sum(axis=1))
        places = inverse @ (pulls @ places)
    places -= places.mean(axis=0)
    # The longest axis lies flat, and the sign of an axis is not left to chance.
    axes = np.linalg.svd(places, full_matrices=False)[2]
    places @= axes.T
    places *= np.where(places[np.abs(places).argmax(axis=0), [0, 1]] < 0, -1, 1)
    span = np.ptp(places, axis=0)
    flat = span <= 0
    laid: NDArray[np.float64] = (places - places.min(axis=0)) / np.where(flat, 1, span) + flat / 2
    return laid


def _classical(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale classically (Torgerson 1952), a little shaken: of those at one place none is stuck."""
    centred = wanted**2 - (wanted**2).mean(axis=0)
    centred -= centred.mean(axis=1)[:, None]
    values, vectors = np.linalg.eigh(-centred / 2)
    shaken = np.random.default_rng(1).normal(size=(len(wanted), 2)) * wanted.mean() * 1e-3
    places: NDArray[np.float64] = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0)) + shaken
    return places


def apart(
    places: NDArray[np.float64], radii: NDArray[np.float64], room: Box, gap: float
) -> NDArray[np.float64]:
    """Push discs from each other until none lies on another, or there is no room for that.

    Parameters
    ----------
    places, radii
        Of the discs.
    room
        Which they do not leave.
    gap
        Between two.
    """
    places = places.copy()
    least = radii[:, None] + radii[None] + gap
    low = np.array([room.left, room.bottom]) + radii[:, None]
    high = np.maximum(np.array([room.right, room.top]) - radii[:, None], low)
    # Those at the same place are pushed somewhere: each two somewhere else.
    aside = np.random.default_rng(2).normal(size=(len(places), len(places), 2)) * 1e-3
    aside -= aside.transpose(1, 0, 2)
    for _ in range(_PUSHES):
        between = places[:, None] - places[None] + aside
        lengths = np.linalg.norm(between, axis=2)
        np.fill_diagonal(lengths, np.inf)
        lacking = np.maximum(least - lengths, 0)
        if not lacking.any():
            break
        pushes = between / lengths[:, :, None] * (lacking / 2)[:, :, None]
        places = np.clip(places + pushes.sum(axis=1), low, high)
    return places


def boxes_beside(
    place: Sequence[float], radius: float, size: tuple[float, float], gap: float
) -> Iterator[tuple[Box, dict[str, Any]]]:
    """Yield where a node's name may stand, the best place first, and how text is aligned there.

    Parameters
    ----------
    place, radius
        Of the node.
    size
        Of the name: width and height.
    gap
        Between the two.
    """
    x, y = place
    width, height = size
    for (across, up), more in ((side, more) for more in (0.0, 2.5 * gap) for side in _SIDES):
        step = (0.7 if across and up else 1) * radius + gap + more
        left = x + across * step - width * (1 - across) / 2
        bottom = y + up * step - height * (1 - up) / 2
        yield (
            Box(left, bottom, left + width, bottom + height),
            {
                "xytext": (across * step, up * step),
                "ha": {1: "left", 0: "center", -1: "right"}[across],
                "va": {1: "bottom", 0: "center", -1: "top"}[up],
            },
        )
