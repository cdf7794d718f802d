"""Pictures of how messages came: what is drawn, and what is written beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mailframe import schema
from mailframe.exceptions import QueryError
from mailframe.plots import delivery
from mailframe.plots.canvas import COLOURS, OTHERS
from tests.analysis.letters import headers
from tests.analysis.stamped import way, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    """Draw for good, so that every tick has its label and every glyph is looked for."""
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def words(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.texts]


def hosts(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_yticklabels()]


def ticks(ax: Axes) -> list[str]:
    low, high = ax.get_xlim()
    pairs = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    return [one.get_text() for place, one in pairs if low <= place <= high]


def bars(ax: Axes) -> list[Any]:
    return [*ax.containers[0]]


def small() -> Axes:
    return Figure(figsize=(3, 2.2), dpi=100, layout="constrained").subplots()


# -- one message


def test_a_bar_goes_from_one_stamp_to_the_next() -> None:
    ax = drawn(delivery(way(0, 30, 90, 3690)))
    assert ax.get_title() == "One message: 4 hops in 1 h 1 min"
    assert ax.get_xlabel() == "time since 2025-03-01 10:00:00 UTC"
    assert hosts(ax) == ["a.example", "b.example", "c.example", "d.example"]
    assert words(ax) == ["", "30 s", "1 min", "1 h"]
    assert [bar.get_x() for bar in bars(ax)] == [0, 0, 30, 90]
    assert bars(ax)[3].get_width() == 3600
    assert {"0 s", "30 min", "1 h"} <= {*ticks(ax)}


def test_a_bar_of_no_width_is_seen() -> None:
    ax = drawn(delivery(way(0, 0, 86400)))
    points = [bar.get_window_extent().width for bar in bars(ax)]
    assert min(points) > 1


def test_a_clock_that_is_wrong_is_hatched_and_says_so() -> None:
    ax = drawn(delivery(way(0, 3, 60, 6, -5, 8, None, "1970-01-01", 9)))
    assert words(ax) == [
        "", "3 s", "clock ahead by ≥ 54 s", "3 s", "clock behind by ≥ 11 s", "2 s", "no time",
        "clock behind by ≥ 55 y 59 d", "1 s",
    ]  # fmt: skip
    wrong = bars(ax)[2]
    assert wrong.get_hatch()
    assert to_hex(wrong.get_edgecolor()).upper() == COLOURS[3]
    # It was between those before and behind.
    assert (wrong.get_x(), wrong.get_width()) == (3, 3)
    assert not bars(ax)[3].get_hatch()
    assert to_hex(bars(ax)[6].get_edgecolor()) == OTHERS


def test_where_no_clock_can_be_believed_nothing_is_measured() -> None:
    ax = drawn(delivery(way(9, 0)))
    assert words(ax) == ["clock unclear", "9 s before one above"]
    assert ax.get_xlabel() == "which clock is right cannot be told"
    assert ticks(ax) == []


def test_when_it_arrived_is_one_clock_more() -> None:
    mail = headers({"internal_date": "2025-03-01T10:00:01"}, {"uid": 8})
    assert words(delivery(way(9, 0), mail)) == ["clock ahead by ≥ 9 s", ""]


def test_a_long_way_is_cut_and_says_so() -> None:
    ax = drawn(delivery(way(*range(60), hosts=["a.example"] * 60)))
    assert len(hosts(ax)) == 40
    assert ax.get_title() == "One message: 60 hops in 59 s (the first 40 shown)"
    assert len(hosts(delivery(way(*range(60), hosts=["a.example"] * 60), ax=small()))) < 15


@pytest.mark.parametrize("ax", [None, "small"])
def test_what_is_written_stays_within_the_axes(ax: str | None) -> None:
    hops = way(
        0, 5, 900_000, -5, 1_000_000, hosts=["x" * 300, "$\\frac{1}$", None, "", "山.example"]
    )
    picture = drawn(delivery(hops, ax=small() if ax else None))
    right = picture.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right + 12 for text in picture.texts)
    assert hosts(picture)[2:4] == ["no name", "no name"]


# -- several


def test_hosts_are_drawn_with_their_delays_most_time_first() -> None:
    names = ["a.example", "b.example", "c.example"]
    hops = ways(*[way(0, n, 20 * n, hosts=names) for n in (1, 2, 3, 4, 5)])
    ax = drawn(delivery(hops))
    assert ax.get_title() == "Delays by host (2)"
    assert hosts(ax) == ["c.example", "b.example"]
    assert [bar.get_x() for bar in bars(ax)] == [38, 2]
    assert [bar.get_width() for bar in bars(ax)] == [38, 2]
    assert ax.get_xscale() == "symlog"
    medians, longest = ax.lines
    assert [*medians.get_xdata()] == [57, 3]
    assert [*longest.get_xdata()] == [95, 5]
    assert {"0", "10 s", "1 min"} <= {*ticks(ax)}
    assert ax.get_xlim()[0] > -1


def test_clocks_that_disagree_are_drawn_apart() -> None:
    hops = ways(way(0, 5), way(0, -100), way(0, -300), way(0, 7))
    ax = drawn(delivery(hops))
    assert ax.get_legend().get_texts()[-1].get_text() == "clocks differ by"
    *_, back = ax.lines
    assert [*back.get_xdata()] == [-200]
    assert "-1 min" in ticks(ax)


def test_only_the_top_hosts_are_drawn() -> None:
    ax = delivery(ways(way(0, 1, 2, 30), way(0, 1, 2)), top=2)
    assert ax.get_title() == "Delays by host (2 of 3)"
    with pytest.raises(QueryError, match="top"):
        delivery(ways(way(0, 1), way(0, 1)), top=-1)


def test_messages_without_delays_are_not_called_no_messages() -> None:
    assert words(delivery(ways(way(0), way(0)))) == ["no delays"]
    assert words(delivery(schema.empty("hops"))) == ["no messages"]
