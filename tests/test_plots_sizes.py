"""Pictures of what fills a mailbox: what is drawn, and what is written beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mailframe import schema
from mailframe.exceptions import QueryError
from mailframe.plots import canvas
from mailframe.plots.sizes import attachments, storage
from tests.analysis.files import files
from tests.analysis.letters import dated, headers

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


def names(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_yticklabels()]


def written(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.texts]


def lengths(ax: Axes) -> list[float]:
    return [bar.get_width() for bar in ax.containers[0]]


def ticks(axis: Any) -> list[str]:
    low, high = axis.get_view_interval()
    pairs = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [one.get_text() for place, one in pairs if low <= place <= high]


def test_a_bar_a_sender_with_its_size_and_its_share() -> None:
    frame = headers(
        {"size": 1_500_000}, {"size": 499_000, "from_address": "bob@example.com"},
        {"size": 1_000, "from_address": None}, {"size": None},
    )  # fmt: skip
    ax = drawn(storage(frame))
    assert ax.get_title() == "Size of messages by address (3)"
    assert names(ax) == ["ann@example.org", "bob@example.com", "no address"]
    assert lengths(ax) == [1_500_000, 499_000, 1_000]
    assert written(ax) == ["1.5 MB (75%)", "499.0 kB (25%)", "1.0 kB (0%)"]
    assert ax.get_xlabel() == "size\n1 of unknown size not counted"
    assert ax.yaxis_inverted()
    assert "1 MB" in ticks(ax.xaxis)
    assert to_hex(ax.containers[0][0].get_facecolor()) == canvas.COLOURS[0].lower()


def test_the_share_is_of_all_whatever_is_shown() -> None:
    frame = headers({"size": 60}, {"size": 40, "from_address": "bob@example.com"})
    ax = drawn(storage(frame, top=1))
    assert ax.get_title() == "Size of messages by address (1 of 2)"
    assert written(ax) == ["60 bytes (60%)"]
    with pytest.raises(QueryError, match="top=-1 is no number of groups"):
        storage(frame, top=-1)


def test_periods_are_drawn_in_their_order() -> None:
    frame = dated("2025-03-01", "2024-12-31", "2025-03-02", None, size=10)
    assert names(storage(frame, "year")) == ["2024", "2025", "no date"]
    assert names(storage(frame, "month")) == ["2024-12", "2025-03", "no date"]
    assert names(storage(frame, "quarter", top=2)) == ["2024 Q4", "2025 Q1"]


def test_attachments_are_drawn_by_what_they_are() -> None:
    frame = files({"encoded_size": 3000}, {"content_type": "image/png", "encoded_size": 1000})
    ax = drawn(storage(frame, "family"))
    assert ax.get_title() == "Size of attachments by family (2)"
    assert names(ax) == ["PDF", "pictures"]
    assert written(ax) == ["3.0 kB (75%)", "1.0 kB (25%)"]
    ax = drawn(attachments(frame))
    assert names(ax) == ["application/pdf", "image/png"]
    assert written(ax) == ["1.0 kB (50%)", "1.0 kB (50%)"]


def test_what_is_of_unknown_size_has_no_bar() -> None:
    frame = files({"size": None}, {"content_type": "image/png", "size": None})
    ax = drawn(attachments(frame))
    assert written(ax) == ["unknown", "unknown"]
    assert lengths(ax) == [0, 0]
    assert ticks(ax.xaxis) == ["0 B", "1 B"]
    assert ax.get_xlabel() == "size\n2 of unknown size not counted"


def over_time(*, ax: Axes | None = None, **options: Any) -> Axes:
    frame = files(
        {"uid": 1, "size": 900}, {"uid": 2, "size": 50, "content_type": "image/png"},
        {"uid": 2, "size": 30}, {"uid": 3, "size": 7}, {"uid": 9}, {"uid": 1, "inline": True},
    )  # fmt: skip
    heads = dated("2025-01-10", "2025-02-28T23:30", None)
    return drawn(attachments(frame, headers=heads, by="period", ax=ax, **options))


def test_over_time_families_lie_one_upon_the_other() -> None:
    ax = over_time()
    assert ax.get_title() == "Attachments per month"
    assert ax.get_xlabel() == "date sent (UTC)\n2 attachments without a date not shown"
    lower, upper = ([bar.get_height() for bar in group] for group in ax.containers)
    assert (lower, upper) == ([900, 30], [0, 50])
    assert [bar.get_y() for bar in ax.containers[1]] == [900, 30]
    assert [one.get_text() for one in ax.get_legend().get_texts()] == ["pictures", "PDF"]
    assert "200 B" in ticks(ax.yaxis)


def test_over_time_the_clock_and_the_inline_ones_are_as_asked_for() -> None:
    ax = over_time(tz="Europe/Berlin", inline=True)
    heights = [bar.get_height() for group in ax.containers for bar in group]
    assert heights == [1900, 0, 30, 0, 0, 50]  # January, February without any, March
    assert "Europe/Berlin" in ax.get_xlabel()
    assert len(over_time(freq="Y").containers[0]) == 1


def test_of_many_families_the_small_ones_are_drawn_together() -> None:
    types = ["image/png", "application/pdf", "text/csv", "video/mp4", "application/zip",
             "text/calendar", "message/rfc822", "application/x-strange"]  # fmt: skip
    frame = files(*[
        {"content_type": one, "size": 100 - n} for n, one in enumerate(types)
    ])  # fmt: skip
    ax = drawn(attachments(frame, headers=dated("2025-03-01"), by="period"))
    shown = [one.get_text() for one in ax.get_legend().get_texts()]
    assert shown == ["2 others", "calendar", "archives", "audio and video", "text", "PDF",
                     "pictures"]  # fmt: skip
    assert sum(group[0].get_height() for group in ax.containers) == sum(range(93, 101))


def test_where_there_is_nothing_it_says_so() -> None:
    for ax in (
        storage(headers()),
        attachments(files()),
        attachments(files(), headers=headers(), by="period"),
        attachments(files({"uid": 9}), headers=dated("2025-03-01"), by="period"),
        attachments(files({"inline": True})),
    ):
        assert written(drawn(ax)) == ["no messages"]


def test_what_is_hostile_is_written_harmlessly() -> None:
    texts = ["$\\frac{1}{0}$", "a\u202eb\u0000\n\tc", "x" * 3000, "\U0001f469\u200d\U0001f680", ""]
    ax = drawn(storage(headers(*[{"subject": one} for one in texts]), "subject"))
    assert all(len(one) < 50 and "\n" not in one for one in names(ax))
    assert r"\$\frac{1}{0}\$" in names(ax)
    drawn(storage(headers({}).assign(**{"$x^$": "1"}), "$x^$"))


def test_on_little_room_there_are_fewer_rows_in_small_writing() -> None:
    frame = headers(*[{"from_address": f"somebody{n}@a-long-name.example"} for n in range(40)])
    ax = Figure(figsize=(3, 2.2), dpi=100, layout="constrained").subplots()
    drawn(storage(frame, top=30, ax=ax))
    assert 4 <= len(names(ax)) < 15
    assert all(len(one) <= 25 for one in names(ax))
    ax.figure.draw_without_rendering()
    right = max(one.get_window_extent().x1 for one in ax.texts)
    assert right <= ax.figure.bbox.x1


def test_a_hundred_thousand_messages_are_drawn() -> None:
    count = 100_000
    frame = pd.DataFrame(
        {"from_address": [f"p{n % 900}@x.example" for n in range(count)], "size": np.arange(count)}
    )
    assert len(names(drawn(storage(frame)))) == 15


def test_what_is_missing_is_named() -> None:
    with pytest.raises(QueryError, match="no column 'size'"):
        storage(headers({}).drop(columns="size"))
    with pytest.raises(QueryError, match="told by headers"):
        attachments(files({}), by="period")
    with pytest.raises(QueryError, match="no column 'content_type'"):
        attachments(files({}).drop(columns="content_type"), headers=headers({}), by="period")
    with pytest.raises(QueryError, match="no column 'date'"):
        attachments(files({}), headers=headers({}).drop(columns="date"), by="period")
    assert storage(schema.empty("attachments"), "type").get_title() == "Size of attachments by type"
