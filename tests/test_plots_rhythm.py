"""Pictures of the times at which mail comes and goes."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from mailframe.exceptions import QueryError
from mailframe.plots.rhythm import activity, calendar, diurnal
from tests.analysis.letters import dated, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

DRAWERS = [activity, calendar, diurnal]


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    """Draw for good, so that every tick has its label and every glyph is looked for."""
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def shown(axis: Any) -> list[Any]:
    """Return the labels of the ticks within the picture."""
    low, high = sorted(axis.get_view_interval())
    pairs = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [label for place, label in pairs if low <= place <= high and label.get_text()]


def labels(axis: Any) -> list[str]:
    return [label.get_text() for label in shown(axis)]


def many(days: int, messages: int = 300) -> pd.DataFrame:
    """Return messages spread over so many days from the spring of 2014 on."""
    random = np.random.default_rng(1)
    seconds = pd.Timestamp("2014-03-03").timestamp() + random.integers(0, days * 86400, messages)
    return pd.DataFrame({"date": pd.to_datetime(seconds, unit="s", utc=True).as_unit("us")})


def cells(ax: Axes, mesh: int = -1) -> Any:
    """Return the values of a grid, a list a row; missing where nothing is drawn."""
    meshes = [one for one in ax.collections if hasattr(one, "get_coordinates")]
    return np.ma.filled(np.ma.asarray(meshes[mesh].get_array()).astype(float), np.nan)


# -- activity


def test_an_hour_of_the_week_is_a_cell() -> None:
    ax = drawn(activity(dated("2025-03-03T07:59", "2025-03-03T07:00", "2025-03-09T23:00")))
    grid = cells(ax)
    assert grid.shape == (7, 24)
    assert (grid[0, 7], grid[6, 23]) == (2, 1)
    assert np.isnan(grid).sum() == 7 * 24 - 2
    assert labels(ax.yaxis) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert ax.yaxis_inverted()
    assert labels(ax.xaxis)[0] == "00"
    assert labels(ax.xaxis)[-1] == "24"


# -- diurnal


def test_a_message_is_a_dot_on_its_day_at_its_time() -> None:
    frame = dated("2025-03-03T23:30", "2025-07-07T06:10", None)
    ax = drawn(diurnal(frame, tz="Europe/Berlin"))
    (dots,) = ax.lines
    days = date2num(np.array(["2025-03-04", "2025-07-07"], dtype="M8[D]"))
    assert np.floor(dots.get_xdata()).tolist() == days.tolist()
    assert dots.get_ydata() == pytest.approx([0.5, 8 + 1 / 6])
    assert dots.get_rasterized()
    assert ax.get_ylim() == (0, 24)
    assert labels(ax.yaxis)[:2] == ["00:00", "03:00"]


def test_dots_of_a_day_do_not_leave_it_and_do_not_cover_each_other() -> None:
    x = diurnal(many(1, 500)).lines[0].get_xdata()
    day = date2num(np.datetime64("2014-03-03"))
    assert day < x.min()
    assert x.max() < day + 1
    assert len(np.unique(x)) == 500


def test_the_more_dots_the_smaller_and_fainter_they_are() -> None:
    looks = []
    for messages in (300, 3000, 30_000, 300_000):
        (dots,) = diurnal(many(3650, messages)).lines
        assert len(dots.get_xdata()) == messages
        looks.append((dots.get_markersize(), dots.get_alpha()))
    sizes, alphas = zip(*looks, strict=True)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert list(alphas) == sorted(alphas, reverse=True)
    assert sizes[0] >= 4
    assert alphas[0] >= 0.7
    assert alphas[-1] < 0.3


# -- calendar


def test_a_day_is_a_cell_in_the_leaf_of_its_year() -> None:
    frame = dated("2024-12-30", "2025-01-01", "2025-01-01", "2025-01-04")
    ax = drawn(calendar(frame))
    assert labels(ax.yaxis) == ["2024", "2025"]
    before, after = cells(ax, 1), cells(ax, 3)
    assert (before[0, 52], after[2, 0], after[5, 0]) == (1, 2, 1)
    assert np.isfinite(before).sum() + np.isfinite(after).sum() == 3
    # Without mail, but within the time that the frame is of.
    no_mail = cells(ax, 0), cells(ax, 2)
    assert [np.isfinite(one).sum() for one in no_mail] == [1, 2]
    assert labels(ax.xaxis)[0] == "Jan"


def test_years_without_mail_are_left_out() -> None:
    ax = drawn(calendar(dated("1970-01-01", "2024-05-05", "2038-01-19")))
    assert labels(ax.yaxis) == ["1970", "2024", "2038"]


def test_months_are_parted_where_there_is_mail() -> None:
    ax = calendar(dated("2025-01-30", "2025-03-02"))
    (lines,) = [one for one in ax.collections if not hasattr(one, "get_coordinates")]
    first, second = (path.vertices.tolist() for path in lines.get_paths())
    # 1 February was a Saturday, 1 March too.
    assert first == [[5, 0], [5, 5], [4, 5], [4, 7]]
    assert second == [[9, 0], [9, 5], [8, 5], [8, 7]]


def test_sixty_years_have_room() -> None:
    ax = drawn(calendar(many(60 * 365, 3000)))
    assert ax.figure.get_figheight() <= 30
    boxes = [label.get_window_extent() for label in shown(ax.yaxis)]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))


# -- all of them


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"tz": "Europe/Berlin"}, "date sent (Europe/Berlin)"),
        ({"tz": "sender"}, "date sent (the sender's own time)"),
        ({"on": "internal_date"}, "date received (UTC)"),
    ],
)
def test_the_axis_says_whose_time_it_is(draw: Any, options: dict[str, Any], label: str) -> None:
    assert drawn(draw(dated("2025-03-01"), **options)).get_xlabel() == label
    some = draw(dated("2025-03-01", None))
    assert some.get_xlabel().endswith("\n1 message without a date not shown")


@pytest.mark.parametrize("draw", DRAWERS)
def test_no_messages_are_said_in_words(draw: Any) -> None:
    for frame in (headers(), dated(None, None)):
        ax = drawn(draw(frame))
        assert [text.get_text() for text in ax.texts] == ["no messages"]
        assert ax.get_title()
        assert not labels(ax.xaxis)


@pytest.mark.parametrize("days", [1, 30, 365, 3650])
@pytest.mark.parametrize("width", [3, 8, 12])
@pytest.mark.parametrize("draw", DRAWERS)
def test_labels_are_neither_few_nor_crowded(draw: Any, width: float, days: int) -> None:
    figure = Figure(figsize=(width, 0.7 * width), dpi=100, layout="constrained")
    ax = draw(many(days), tz="Europe/Berlin", ax=figure.subplots())
    figure.savefig(io.BytesIO(), format="png")
    across, up = ([one.get_window_extent() for one in shown(axis)] for axis in (ax.xaxis, ax.yaxis))
    assert len(across) >= 2
    assert len(up) >= 1
    assert all(one.x1 + 3 <= other.x0 for one, other in pairwise(across))
    up.sort(key=lambda box: box.y0)
    assert all(one.y1 <= other.y0 for one, other in pairwise(up))
    assert ax.bbox.width > figure.bbox.width / 3
    small = ax.xaxis.get_offset_text().get_window_extent()
    if ax.xaxis.get_offset_text().get_text():
        label = ax.xaxis.label.get_window_extent()
        assert label.x1 <= small.x0 or label.y1 <= small.y0


@pytest.mark.parametrize("draw", DRAWERS)
def test_what_is_given_is_drawn_on_and_nothing_else(draw: Any) -> None:
    current = plt.figure().subplots()
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    frame = dated("2025-03-01")
    unchanged = frame.copy()
    assert draw(frame, ax=own) is own
    drawn(own)
    assert len(plt.get_fignums()) == 1
    assert not current.has_data()
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, unchanged)


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot"])
@pytest.mark.parametrize("draw", DRAWERS)
def test_much_mail_stands_out_from_the_background(style: str, draw: Any) -> None:
    with plt.style.context(style):
        ax = drawn(draw(pd.concat([dated("2025-03-01"), dated(*["2025-03-02"] * 9)])))
        assert to_hex(ax.get_facecolor()) == to_hex(mpl.rcParams["axes.facecolor"])
        ground = np.mean(mpl.colors.to_rgb(ax.get_facecolor()))
        if draw is diurnal:
            assert abs(np.mean(mpl.colors.to_rgb(ax.lines[0].get_color())) - ground) > 0.3
            return
        mesh = [one for one in ax.collections if hasattr(one, "get_coordinates")][-1]
        few, much = (np.mean(mesh.to_rgba(n)[:3]) for n in (1, 9))
        assert abs(much - ground) > abs(few - ground)


@pytest.mark.parametrize("draw", DRAWERS)
def test_no_other_columns_are_needed(draw: Any) -> None:
    assert draw(dated("2025-03-01")[["date"]]).has_data()
    with pytest.raises(QueryError, match="no columns 'date', 'utc_offset'"):
        draw(dated("2025-03-01")[["size"]], tz="sender")
