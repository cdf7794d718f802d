"""Pictures of how long answers take."""

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
from matplotlib.figure import Figure

from mailframe.analysis import replies
from mailframe.analysis.business import BusinessHours
from mailframe.exceptions import QueryError
from mailframe.plots.replies import response_times
from tests.analysis.letters import headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

ME, ANN = "me@example.com", "ann@example.org"


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def letter(name: str, moment: str | None, sender: str, answers: str | None = None) -> Any:
    to = ANN if sender == ME else ME
    return {"message_id": name, "in_reply_to": answers, "date": moment, "from_address": sender,
            "to": to, "internal_date": "2025-04-01"}  # fmt: skip


def two_questions() -> pd.DataFrame:
    """Return two questions to me, one of which I answered after two hours, the last message."""
    return headers(
        letter("1", "2025-03-03T10:00", ANN),
        letter("2", "2025-03-03T10:00", ANN),
        letter("3", "2025-03-03T12:00", ME, "1"),
    )


def waits(*seconds: float, answered: bool = True, direction: str = "mine") -> pd.DataFrame:
    return pd.DataFrame({
        "direction": direction, "answered": answered,
        "waited": pd.to_timedelta(seconds, unit="s"),
    })  # fmt: skip


def test_a_curve_falls_when_answers_come() -> None:
    ax = drawn(response_times(two_questions(), me=ME, at="2025-03-10"))
    mine = ax.lines[0]
    x, y = mine.get_xdata(), mine.get_ydata()
    assert set(np.round(y, 6)) == {1, 0.5}
    assert x[y == 1].max() <= 7200 <= x[y == 0.5].min() * 1.05
    assert ax.get_xscale() == "log"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [
        "my answers (1 of 2; median 2 h)", "answers to me (0 of 1; median not reached)",
    ]  # fmt: skip
    assert ax.get_title() == "How long answers take"
    assert ax.get_xlabel() == "time since it was asked"


def test_what_was_worked_out_before_is_drawn_as_it_is() -> None:
    times = replies.response_times(two_questions(), me=ME, at="2025-03-10")
    ax = drawn(response_times(times[times["direction"] == "mine"]))
    assert len(ax.lines) == 1
    assert ax.lines[0].get_ydata()[-1] == 0.5


def test_business_time_is_drawn_if_hours_are_given() -> None:
    ax = drawn(response_times(two_questions(), me=ME, business=BusinessHours("11:00")))
    assert ax.get_xlabel() == "business time since it was asked"
    assert "median 1 h" in ax.get_legend().get_texts()[0].get_text()
    assert "8 h" in [label.get_text() for label in ax.get_xticklabels()]


def test_answers_of_unknown_times_are_told() -> None:
    frame = headers(
        letter("1", "2025-03-03T10:00", ANN), letter("2", "2025-03-03T09:00", ME, "1"),
        letter("3", "2025-03-03T10:00", ANN),
    )  # fmt: skip
    ax = drawn(response_times(frame, me=ME))
    assert ax.get_xlabel().endswith("\n1 message of unknown times not shown")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (89, "1.5 min"), (3599, "60 min"),
        (3600, "1 h"), (86399, "24 h"), (86400, "1 d"), (9.4 * 86400, "9.4 d"),
        (5000 * 86400, "5,000 d"),
    ],
)  # fmt: skip
def test_a_median_is_said_in_a_fitting_unit(seconds: float, words: str) -> None:
    ax = drawn(response_times(waits(seconds)))
    assert ax.get_legend().get_texts()[0].get_text() == f"my answers (1 of 1; median {words})"


def test_no_messages_are_said_in_words() -> None:
    for frame in (headers(), headers(letter("1", None, ANN)), waits(float("nan"))):
        ax = drawn(response_times(frame, me=ME))
        assert [text.get_text() for text in ax.texts] == ["no messages"]
        assert ax.get_title()
        assert not ax.get_xticks().tolist()


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("spread", [(0,), (5,), (600,), (0, 5, 1e8), (1e3, 1e5, 1e9)])
@pytest.mark.parametrize("width", [3, 8, 12])
def test_labels_are_neither_few_nor_crowded(
    *, width: float, spread: tuple[float, ...], answered: bool
) -> None:
    times = pd.concat([
        waits(*spread, answered=answered), waits(*spread, answered=answered, direction="theirs"),
    ])  # fmt: skip
    figure = Figure(figsize=(width, 0.7 * width), dpi=100, layout="constrained")
    ax = drawn(response_times(times, ax=figure.subplots()))
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert len(boxes) >= 2
    assert all(one.x1 <= other.x0 for one, other in pairwise(boxes))
    assert ax.bbox.width > figure.bbox.width / 2
    legend = ax.get_legend().get_window_extent()
    assert ax.bbox.x0 <= legend.x0
    assert legend.x1 <= ax.bbox.x1
    for line in ax.lines:
        assert ax.get_xlim()[0] <= line.get_xdata().min()


def test_a_wide_legend_leaves_the_curves_their_room() -> None:
    with plt.rc_context({"font.size": 22}):
        figure = Figure(figsize=(6, 4), layout="constrained")
        ax = drawn(response_times(two_questions(), me=ME, ax=figure.subplots()))
    assert ax.bbox.width > figure.bbox.width / 2


def test_what_is_given_is_drawn_on_and_nothing_else() -> None:
    current = plt.figure().subplots()
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    frame = two_questions()
    unchanged = frame.copy()
    assert response_times(frame, me=ME, ax=own) is own
    drawn(own)
    assert len(plt.get_fignums()) == 1
    assert not current.has_data()
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, unchanged)


def test_what_is_no_frame_of_messages_is_refused() -> None:
    with pytest.raises(QueryError, match="not a list"):
        response_times([])  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no column"):
        response_times(headers()[["date"]], me=ME)
