"""A picture of a conversation: who answered whom, and when."""

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
from mailframe.plots.canvas import COLOURS
from mailframe.plots.conversations import thread
from tests.analysis.letters import headers

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


def mail(*rows: tuple[str, str | None, str | None], **others: Any) -> pd.DataFrame:
    """Return messages by number, what they answer, and date."""
    return headers(
        *[
            {
                "message_id": f"{own}@x",
                "in_reply_to": f"{above}@x" if above else None,
                "date": date,
                "from_name": f"Writer {own}",
                "from_address": f"{own}@w.example",
                "subject": f"Subject {own}",
            }
            | others
            for own, above, date in rows
        ]
    )


TREE = [
    ("a", None, "2025-03-01"),
    ("b", "a", "2025-03-02"),
    ("c", "a", "2025-03-03"),
    ("d", "b", "2025-03-04"),
]


def long_thread(count: int, days: float) -> pd.DataFrame:
    random = np.random.default_rng(2)
    above = np.maximum(np.arange(count) - random.integers(1, 6, count), 0)
    moments = pd.Timestamp("2015-03-01", tz="UTC") + pd.to_timedelta(
        np.sort(random.random(count)) * days, unit="D"
    )
    return pd.DataFrame(
        {
            "message_id": [f"{n}@x" for n in range(count)],
            "in_reply_to": [f"{n}@x" if at else None for at, n in enumerate(above)],
            "references": None,
            "subject": "Boat",
            "from_address": [f"w{n}@x.example" for n in random.integers(0, 9, count)],
            "from_name": None,
            "date": moments,
        }
    )


def dots(ax: Axes) -> dict[int, float]:
    """Return where the dots are: time by row."""
    offsets = np.concatenate([one.get_offsets() for one in ax.collections[1:]])
    return {int(row): float(time) for time, row in offsets}


def test_answers_stand_below_what_they_answer() -> None:
    ax = drawn(thread(mail(*TREE)))
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Writer a", "Writer b", "Writer d", "Writer c"]
    days = [1, 2, 4, 3]
    expected = [date2num(pd.Timestamp(f"2025-03-{day:02}")) for day in days]
    assert [dots(ax)[row] for row in range(4)] == pytest.approx(expected)
    assert ax.yaxis_inverted()
    assert ax.get_title() == "Subject a (4 messages)"
    assert ax.get_xlabel() == "date sent (UTC)"


def test_lines_go_down_from_a_message_to_the_answer() -> None:
    ax = thread(mail(*TREE))
    first, second, fourth, third = (date2num(pd.Timestamp(f"2025-03-0{n}")) for n in (1, 2, 4, 3))
    lines = [path.vertices.tolist() for path in ax.collections[0].get_paths()]
    assert lines == [
        [[first, 0], [first, 1], [second, 1]],
        [[second, 1], [second, 2], [fourth, 2]],
        [[first, 0], [first, 3], [third, 3]],
    ]


def test_a_thread_is_chosen_by_its_name_or_else_the_one_with_most_messages() -> None:
    frame = pd.concat([mail(("z", None, "2025-04-01")), mail(*TREE)])
    assert thread(frame).get_title() == "Subject a (4 messages)"
    assert thread(frame, "z@x").get_title() == "Subject z (1 message)"
    for name in ("q@x", "b@x"):
        with pytest.raises(QueryError, match=f"no thread '{name}'"):
            thread(frame, name)
    with pytest.raises(QueryError, match="no thread 'a@x'"):
        thread(headers(), "a@x")


def test_messages_without_a_date_are_told() -> None:
    frame = mail(*TREE[:1], ("b", "a", None), ("c", "b", "2025-03-03"))
    ax = drawn(thread(frame))
    assert ax.get_xlabel() == "date sent (UTC)\n1 message without a date not shown"
    assert len(ax.get_yticklabels()) == 2
    assert not ax.collections[0].get_paths()
    none = thread(frame.assign(date=pd.NaT))
    assert [text.get_text() for text in none.texts] == ["no messages"]


def test_writers_have_colours_and_the_same_one_the_same() -> None:
    frame = pd.concat([mail(*TREE), mail(("e", "d", "2025-03-05"), from_address="b@w.example")])
    ax = thread(frame)
    by_row = {
        int(row): to_hex(one.get_facecolor()[0], keep_alpha=False).upper()
        for one in ax.collections[1:]
        for _, row in one.get_offsets()
    }
    assert by_row[1] == by_row[3] == COLOURS[0]  # who wrote most
    assert len(set(by_row.values())) == 4


@pytest.mark.parametrize("days", [0.00001, 1, 365, 3650])
@pytest.mark.parametrize("size", [(3, 2.5), (8, 5), (12, 8)])
@pytest.mark.parametrize("count", [2, 30, 400])
def test_labels_do_not_overlap(count: int, size: tuple[float, float], days: float) -> None:
    ax = Figure(figsize=size, layout="constrained").subplots()
    drawn(thread(long_thread(count, days), ax=ax))
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    across = [label.get_window_extent() for at, label in ticks if low <= at <= high]
    assert len(across) >= 2
    assert all(one.x1 <= other.x0 for one, other in pairwise(across))
    down = [label.get_window_extent() for label in ax.get_yticklabels() if label.get_text()]
    assert all(one.y0 >= other.y1 - 1 for one, other in pairwise(down))
    legend = ax.get_legend()
    assert (legend is None) == bool(down)
    if legend is not None:
        assert not legend.get_window_extent().overlaps(ax.bbox)
    assert ax.title.get_window_extent().x0 >= ax.figure.bbox.x0  # type: ignore[union-attr]


def test_no_messages_are_said_in_words() -> None:
    ax = drawn(thread(headers()))
    assert [text.get_text() for text in ax.texts] == ["no messages"]
    assert ax.get_title() == "No thread"


def test_what_mail_says_is_made_fit_to_draw() -> None:
    frame = mail(("a", None, "2025-03-01"), subject="$x$ 東京", from_name="山田", from_address=None)
    ax = drawn(thread(frame))
    assert ax.get_title() == r"\$x\$ ?? (1 message)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["?"]
    assert thread(frame.assign(subject=None)).get_title() == "No subject (1 message)"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(QueryError, match="one clock"):
        thread(mail(*TREE), tz="sender")
    with pytest.raises(QueryError, match="no columns 'from_name', 'subject'"):
        thread(mail(*TREE).drop(columns=["from_name", "subject"]))


def test_what_is_given_is_drawn_on_and_nothing_else() -> None:
    figure = plt.figure()
    before = dict(mpl.rcParams)
    own = Figure().subplots()
    frame = mail(*TREE)
    copy = frame.copy()
    assert thread(frame, ax=own, tz="Europe/Berlin") is own
    assert own.get_xlabel() == "date sent (Europe/Berlin)"
    assert plt.get_fignums() == [figure.number]  # type: ignore[attr-defined]
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, copy)
