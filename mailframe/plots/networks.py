"""Pictures of who writes to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from mailframe.analysis import networks
from mailframe.analysis.columns import text
from mailframe.analysis.graphs import check_edges
from mailframe.analysis.senders import commonest, rank
from mailframe.exceptions import QueryError
from mailframe.plots.canvas import COLOURS, OTHERS, new_axes, width_of, without_messages
from mailframe.plots.labels import can_show, label
from mailframe.plots.layouts import Box, apart, boxes_beside, distances, laid_out
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["network"]

_MOST_PEOPLE = 200  # whose places take a second to find
#: Below so many inches there is no room for a legend beside the picture, and not for so many words.
_NARROW = 5.0
_FEW = 3
# In points.
_FONT = 8
_RADII = (2.5, 12.0)
_WIDTHS = (0.4, 4.0)
_GAP = 2.0


class _Drawn(NamedTuple):
    """The people in a picture, those with most messages first, and the ties between them."""

    addresses: list[str]
    names: list[str]
    messages: NDArray[np.int64]
    #: Of all people, drawn or not.
    total: int
    #: The weight of each two, both directions together.
    weights: NDArray[np.float64]


def network(
    recipients: pd.DataFrame,
    *,
    headers: pd.DataFrame | None = None,
    roles: str | Sequence[str] = ("to", "cc"),
    top: int = 30,
    without_me: bool = False,
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw who writes to whom.

    Parameters
    ----------
    recipients
        Of messages, as for `mailframe.analysis.network`; or edges that it returned, such as those
        of a period: then the other arguments on messages have no meaning.
    headers, roles, without_me, me
        As for `mailframe.analysis.network`.
    top
        Only so many people, those with the most messages; at most 200.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A disc a person, its area by the messages on their edges; a line between two, both
        directions together, its width by the square root of the weight. Those who write to each
        other much stand near. In the colours of the commonest domains. Names stand where they
        hide nothing, those with most messages first: in a small picture not all do.

    Raises
    ------
    QueryError
        As `mailframe.analysis.network` does, and for ``top``.

    Notes
    -----
    Laid out after E. R. Gansner, Y. Koren and S. North, "Graph drawing by stress majorization"
    (2004), the same way each time.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     sent = session.recipients(folder="Sent")
    >>> network(sent, top=20).get_title()
    'Who writes to whom (20 of 89 people)'

    Edges are drawn as they are:

    >>> edges = pd.DataFrame({
    ...     "source": ["ann@x.example", "bob@x.example"],
    ...     "target": ["bob@x.example", "cy@y.example"],
    ...     "messages": [3, 1], "weight": [3.0, 0.5],
    ... })
    >>> network(edges).get_title()
    'Who writes to whom (3 people)'
    """
    check_count("top", top, "people")
    if top is None or top > _MOST_PEOPLE:
        raise QueryError(
            f"top={top!r}: at most {_MOST_PEOPLE} people can be drawn.",
            suggestion="All edges are in mailframe.analysis.network(…); to_graphml writes them "
            "for programs that draw large graphs.",
        )
    drawn = _drawn(recipients, headers, roles, top, me, without_me=without_me)
    ax = new_axes(8, 6) if ax is None else ax
    shown = len(drawn.addresses)
    of_all = f" of {drawn.total:,}" if shown < drawn.total else ""
    beside = "\n" if width_of(ax) < _NARROW else " "
    ax.set_title(
        f"Who writes to whom{beside}({shown:,}{of_all} people)" if shown else "Who writes to whom"
    )
    ax.set_xlabel("disc: messages, line: weight", fontsize=_FONT)
    if not shown:
        return without_messages(ax)
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    ax.spines[:].set_visible(False)
    colours = _colour(ax, drawn.addresses)
    # The sizes of discs and names are known in points: so must be that of the axes.
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    _draw(ax, drawn, colours)
    return ax


def _drawn(
    recipients: pd.DataFrame,
    headers: pd.DataFrame | None,
    roles: str | Sequence[str],
    top: int,
    me: Me,
    *,
    without_me: bool,
) -> _Drawn:
    is_edges = isinstance(recipients, pd.DataFrame) and "source" in recipients.columns
    if is_edges:
        check_edges(recipients, ["messages", "weight"])
        edges = recipients
    else:
        edges = networks.network(
            recipients, headers=headers, roles=roles, without_me=without_me, me=me
        )
    ends = [text(edges, end).reset_index(drop=True) for end in ("source", "target")]
    known = (ends[0].notna() & ends[1].notna() & (ends[0] != ends[1])).to_numpy()
    messages = edges["messages"].astype("Int64").fillna(0).to_numpy("int64")[known]
    weight = edges["weight"].astype("Float64").fillna(0).to_numpy("float64")[known]
    codes, people = pd.factorize(pd.concat([end[known] for end in ends]), sort=True)
    source, target = codes.reshape(2, -1)
    sums = np.zeros(len(people), dtype="int64")
    np.add.at(sums, source, messages)
    np.add.at(sums, target, messages)
    order = np.argsort(-sums, kind="stable")[:top]
    place = np.full(len(people), -1)
    place[order] = np.arange(len(order))
    both = (place[source] >= 0) & (place[target] >= 0)
    weights = np.zeros((len(order), len(order)))
    np.add.at(weights, (place[source][both], place[target][both]), weight[both])
    addresses = [str(people[n]) for n in order]
    names = addresses if is_edges else _names(recipients, addresses)
    return _Drawn(addresses, names, sums[order], len(people), weights + weights.T)


def _names(recipients: pd.DataFrame, addresses: list[str]) -> list[str]:
    """Return the commonest name of each, or the address where that says more."""
    if "name" not in recipients.columns:
        return addresses
    written = text(recipients, "address").str.strip().str.lower()
    of_shown = written.isin(addresses).to_numpy()
    rows = recipients[of_shown]
    ranking = rank(written[of_shown])
    found = commonest(ranking, text(rows, "name")).fillna("")
    known = dict(zip(ranking.senders, found, strict=True))
    names = [known.get(address, "") for address in addresses]
    return [
        name if name and names.count(name) == 1 and can_show(name) else address
        for name, address in zip(names, addresses, strict=True)
    ]


def _colour(ax: Axes, addresses: Sequence[str]) -> list[str]:
    """Choose each one's colour by the domain, and say which is which."""
    ranking = rank(pd.Series([one.rpartition("@")[2] for one in addresses], dtype="str"))
    is_narrow = width_of(ax) < _NARROW
    most = _FEW if is_narrow else len(COLOURS)
    main = most if len(ranking.senders) <= most else most - 1
    colours = [COLOURS[place] if place < main else OTHERS for place in ranking.places]
    labels = [label(f"@{domain}") for domain in ranking.senders[:main]]
    shown = list(COLOURS[: len(labels)])
    if main < len(ranking.senders):
        labels.append(f"{len(ranking.senders) - main:,} others")
        shown.append(OTHERS)
    handles = [Line2D([], [], linestyle="", marker="o", color=colour) for colour in shown]
    if ax.figure.get_layout_engine() is None:
        place: dict[str, Any] = {"loc": "best"}
    elif is_narrow:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 1.8}
    else:
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    ax.legend(handles, labels, frameon=False, fontsize=_FONT - is_narrow, handletextpad=0.2,
              labelspacing=0.25, **place)  # fmt: skip
    return colours


def _draw(ax: Axes, drawn: _Drawn, colours: Sequence[str]) -> None:
    room = _room(ax)
    size = np.array([room.right, room.top])
    largest = max(int(drawn.messages.max()), 1)
    scale = min(1.0, room.right * room.top / 60_000)
    radii = np.maximum(_RADII[1] * scale**0.5 * np.sqrt(drawn.messages / largest), _RADII[0])
    places = _places(drawn.weights, radii, room)
    low, high = np.triu(drawn.weights).nonzero()
    heavy = np.sqrt(drawn.weights[low, high] / max(drawn.weights.max(), 1e-9))
    ax.add_collection(
        LineCollection(
            [places[[one, other]] / size for one, other in zip(low, high, strict=True)],
            linewidths=np.maximum(_WIDTHS[1] * heavy, _WIDTHS[0]),
            colors=OTHERS,
            alpha=0.5,
            zorder=1,
        ),
        autolim=False,
    )
    ax.scatter(
        places[:, 0] / room.right,
        places[:, 1] / room.top,
        s=(2 * radii) ** 2,
        c=list(colours),
        edgecolors=ax.get_facecolor(),
        linewidths=0.7,
        zorder=2,
        clip_on=False,
    )
    _write_names(ax, drawn.names, places, radii, room)


def _places(
    weights: NDArray[np.float64], radii: NDArray[np.float64], room: Box
) -> NDArray[np.float64]:
    """Find places, in points: the stronger a tie, the shorter it is."""
    with np.errstate(divide="ignore"):
        lengths = (weights / max(weights.max(), 1e-9)) ** -0.15
    places = laid_out(distances(lengths))
    # Room for names, which stand beside the discs.
    margin = np.array([min(0.12 * room.right, 40), 12.0])
    size = np.array([room.right, room.top])
    return apart(margin + places * (size - 2 * margin), radii, room, 0.9 * _FONT)


def _write_names(
    ax: Axes,
    names: Sequence[str],
    places: NDArray[np.float64],
    radii: NDArray[np.float64],
    room: Box,
) -> None:
    """Write each name where it hides neither a disc nor another name, or not at all."""
    dots = _dots(ax)
    taken = [
        Box(x - radius, y - radius, x + radius, y + radius)
        for (x, y), radius in zip(places.tolist(), radii.tolist(), strict=True)
    ]
    # Lines run behind names.
    behind = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": 0.7, "pad": 0.4}
    for n, name in enumerate(names):
        # The colour tells the domain, too.
        for words in dict.fromkeys((name, name.partition("@")[0] or name)):
            written = ax.annotate(
                label(words),
                (places[n, 0] / room.right, places[n, 1] / room.top),
                (0, 0),
                textcoords="offset points",
                fontsize=_FONT,
                zorder=3,
                annotation_clip=False,
                in_layout=False,
                bbox=behind,
            )
            extent = written.get_window_extent()
            size = (float(extent.width) / dots, float(extent.height) / dots)
            others = [*taken[:n], *taken[n + 1 :]]
            beside = boxes_beside(places[n].tolist(), float(radii[n]), size, _GAP)
            free = (one for one in beside if room.holds(one[0]) and not one[0].meets_any(others))
            box, place = next(free, (None, {}))
            if box is not None:
                written.set(position=place.pop("xytext"), **place)
                taken.append(box)
                break
            written.remove()


def _room(ax: Axes) -> Box:
    """Return where the axes are, in points from their corner."""
    extent, dots = ax.get_window_extent(), _dots(ax)
    return Box(0, 0, float(extent.width) / dots, float(extent.height) / dots)


def _dots(ax: Axes) -> float:
    dots: float = ax.figure.dpi / 72
    return dots
