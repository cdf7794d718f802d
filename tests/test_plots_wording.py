"""Pictures of how much people write, and of what: what is drawn, and what is written beside it."""

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
from matplotlib import dates
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mailframe import analysis, schema
from mailframe.exceptions import QueryError
from mailframe.plots import phrases, words
from mailframe.plots.canvas import COLOURS, OTHERS
from tests.analysis.letters import dated, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

KEY = [column.name for column in schema.KEY]


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    """Draw for good, so that every tick has its label and every glyph is looked for."""
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def of_size(width: float, height: float = 3) -> Axes:
    ax: Axes = Figure(figsize=(width, height), layout="constrained").subplots()
    return ax


def bodies(frame: pd.DataFrame, *n_words: int | None) -> pd.DataFrame:
    return frame[KEY].assign(n_words=pd.array(n_words, dtype="Int64"))


def subjects(*values: str | None) -> pd.DataFrame:
    return headers(*[{"subject": value} for value in values])


def heights(ax: Axes) -> list[list[float]]:
    """Return the heights of standing bars, a list a group."""
    return [[bar.get_height() for bar in group] for group in ax.containers]


def lengths(ax: Axes) -> list[float]:
    return [bar.get_width() for bar in ax.containers[0]]


def medians(ax: Axes) -> list[tuple[str, float]]:
    """Return the points of the line: the day and the words."""
    twin = [one for one in ax.figure.axes if one is not ax][0]  # type: ignore[union-attr]  # noqa: RUF015
    days, values = twin.lines[0].get_data()
    return [(f"{dates.num2date(day):%Y-%m-%d}", n) for day, n in zip(days, values, strict=True)]


def names(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_yticklabels()]


def written(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.texts]


def legend(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_legend().get_texts()]


# -- words


def test_a_bar_is_the_words_of_a_period_and_a_point_the_median_of_its_messages() -> None:
    frame = dated("2025-03-01", "2025-03-02", "2025-05-31")
    ax = drawn(words(bodies(frame, 10, 20, 4), frame))
    assert heights(ax) == [[30, 0, 4]]
    assert medians(ax) == [("2025-03-16", 15), ("2025-05-16", 4)]
    assert (ax.get_title(), ax.get_ylabel()) == ("Words per month", "words")
    assert [one.get_ylabel() for one in ax.figure.axes] == [
        "words", "median of a message (line)",
    ]  # fmt: skip


def test_groups_lie_one_upon_the_other_those_with_most_words_below() -> None:
    frame = headers(*[{"folder": folder} for folder in "AAAB"])
    ax = drawn(words(bodies(frame, 1, 1, 1, 9), frame, by="folder"))
    assert heights(ax) == [[9], [3]]
    assert legend(ax) == ["A", "B"]
    assert medians(ax)[0][1] == 1
    assert to_hex(ax.containers[0][0].get_facecolor()) == COLOURS[0].lower()


def test_of_many_groups_those_with_fewer_words_are_one() -> None:
    frame = headers(*[{"folder": f"F{n}"} for n in range(9)])
    ax = drawn(words(bodies(frame, *range(9, 0, -1)), frame, by="folder"))
    assert heights(ax) == [[9], [8], [7], [6], [5], [4], [3 + 2 + 1]]
    assert legend(ax)[0] == "3 others"
    assert to_hex(ax.containers[-1][0].get_facecolor()) == OTHERS


def test_a_group_without_a_name_is_called_so() -> None:
    frame = headers({"list_id": None}, {"list_id": "l.example"})
    assert legend(words(bodies(frame, 1, 2), frame, by="list")) == ["no list", "l.example"]


def test_the_direction_is_told_by_all_headers_not_by_those_with_words() -> None:
    frame = headers(
        {"folder": "Sent", "from_address": "ann@x.example", "account": "box", "uid": 1},
        {"from_address": "ann@x.example", "account": "box", "uid": 2},
    )
    ax = words(bodies(frame, None, 5), frame, by="direction")
    assert ax.get_title() == "Words per month, by direction"
    assert heights(ax) == [[5]]


def test_what_is_not_in_the_picture_is_said_below_it() -> None:
    frame = dated(None, "2025-03-01", "2025-03-01")
    ax = words(bodies(frame, 5, 5, 0), frame, tz="Europe/Berlin", on="date")
    assert ax.get_xlabel() == (
        "date sent (Europe/Berlin)\n1 message without a date not shown\n"
        "1 message without words not shown"
    )


def test_of_many_periods_the_medians_are_those_of_longer_ones() -> None:
    frame = dated("2025-01-01", "2025-01-02", "2025-03-31")
    ax = words(bodies(frame, 10, 20, 4), frame, "D")
    assert medians(ax) == [("2025-01-02", 15), ("2025-04-01", 4)]
    label = "median of a message a week (line)"
    assert ax.figure.axes[1].get_ylabel() == label  # type: ignore[union-attr]


def test_where_there_is_little_room_there_is_no_line() -> None:
    frame = dated("2025-03-01")
    ax = drawn(words(bodies(frame, 3), frame, ax=of_size(3)))
    assert ax.figure.axes == [ax]
    assert heights(ax) == [[3]]


def test_the_highest_bar_does_not_touch_the_top() -> None:
    # The second group has no words in the highest period.
    frame = headers({"folder": "A", "date": "2025-03-01"}, {"folder": "B", "date": "2025-04-01"})
    ax = words(bodies(frame, 100, 1), frame, by="folder")
    assert ax.get_ylim()[1] >= 105


def test_the_legend_does_not_lie_on_the_axis_of_medians() -> None:
    frame = headers({"folder": "A"}, {"folder": "B"})
    ax = drawn(words(bodies(frame, 3, 4), frame, by="folder"))
    twin = ax.figure.axes[1]  # type: ignore[union-attr]
    assert (
        not ax.get_legend()
        .get_window_extent()
        .overlaps(
            twin.yaxis.get_tightbbox(ax.figure.canvas.get_renderer())  # type: ignore[union-attr]
        )
    )


# -- phrases


def test_a_bar_is_the_messages_that_have_a_phrase() -> None:
    ax = drawn(phrases(subjects("Boat", "boat", "Re: boat", "old rope", "old rope", "x9")))
    assert names(ax) == ["boat", "old rope"]
    assert lengths(ax) == [3, 2]
    assert written(ax) == ["3 (50%)", "2 (33%)"]
    assert ax.get_title() == "Commonest phrases in subjects"


def test_so_many_bars_as_are_asked_for() -> None:
    frame = subjects(*[f"word{chr(97 + n)}" for n in range(20) for _ in range(2)])
    assert len(names(phrases(frame))) == 15
    assert len(names(phrases(frame, top=3))) == 3
    assert len(names(phrases(frame, subjects("x", "x", "x")))) == 11


def test_what_is_typical_of_now_goes_to_the_right_of_before_to_the_left() -> None:
    now, then = subjects(*["boat"] * 4, "rope"), subjects(*["rope"] * 4, "boat")
    ax = drawn(phrases(now, then))
    assert names(ax) == ["boat", "rope"]
    right, left = lengths(ax)
    assert right == pytest.approx(-left)
    assert right > 0
    assert written(ax) == ["4 / 1", "1 / 4"]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.containers[0]]
    assert colours == [colour.lower() for colour in COLOURS[:2]]


def test_where_there_is_little_room_of_both_periods_the_most_typical_are_left() -> None:
    now = subjects(*[f"now{chr(97 + n)}" for n in range(9) for _ in range(2 + n)])
    then = subjects(*[f"then{chr(97 + n)}" for n in range(9) for _ in range(2 + n)])
    ax = drawn(phrases(now, then, ax=of_size(3, 1.6)))
    shown = names(ax)
    assert shown[0] == "nowi"
    assert shown[-1] == "theni"
    assert {one[:3] for one in shown[: len(shown) // 2]} == {"now"}
    assert len(shown) < 18
    assert written(ax)[-1] == "0 / 10"


def test_texts_of_any_column_are_named_in_the_title() -> None:
    frame = pd.DataFrame({"own_text": ["boat"] * 2, "Über $x$": ["rope"] * 2})
    assert phrases(frame, of="own_text").get_title() == "Commonest phrases in own words"
    assert phrases(frame, of="Über $x$").get_title() == r"Commonest phrases in Über \$x\$"


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ([], None, "no messages"),
        ([], [], "no messages"),
        ([None, "Re:"], None, "no messages"),
        (["boat", "rope"], None, "no phrases that come back"),
        (["boat", "boat"], [], "nothing to compare with"),
        ([], ["boat", "boat"], "nothing to compare with"),
        (["boat", "boat"], ["boat"], "no phrases that come back"),
    ],
)
def test_that_there_is_nothing_to_draw_is_said(now: Any, then: Any, said: str) -> None:
    ax = drawn(phrases(subjects(*now), None if then is None else subjects(*then)))
    assert written(ax) == [said]
    assert ax.get_title()


@pytest.mark.parametrize("subject", ["$a$b^{", "x\x00y\u202ez", "山田", "שלום עולם", "x" * 3000])
def test_what_mail_says_is_no_formula(subject: str) -> None:
    frame = subjects(subject, subject)
    ax = drawn(phrases(frame, subjects("boat", "boat")))
    assert all(0 < len(one) < 50 for one in names(ax))
    assert not any("\n" in one for one in names(drawn(phrases(frame, ax=of_size(3)))))


# -- both


def draw_words(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return words(bodies(frame, *range(1, len(frame) + 1)), frame, by="address", ax=ax)


def draw_phrases(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return phrases(frame, ax=ax)


def draw_both(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return phrases(frame, frame.iloc[: len(frame) // 2], ax=ax)


DRAWERS = [draw_words, draw_phrases, draw_both]


def many() -> pd.DataFrame:
    rows = [
        {"subject": f"something rather long about number{chr(97 + n % 20)}",
         "date": str(pd.Timestamp("2024-01-01") + pd.Timedelta(days=9 * n)),
         "from_address": f"{'somebody' * 3}{n % 9}@department.example.org"}
        for n in range(60)
    ]  # fmt: skip
    return headers(*rows)


@pytest.mark.parametrize("draw", DRAWERS)
def test_no_messages_are_said_in_words(draw: Any) -> None:
    ax = drawn(draw(headers()))
    assert written(ax) == ["no messages"]
    assert ax.get_title()


@pytest.mark.parametrize("draw", DRAWERS)
def test_what_is_given_is_drawn_on_and_nothing_else(draw: Any) -> None:
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    assert draw(many(), ax=own) is own
    drawn(own)
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize("width", [3, 12])
def test_what_is_written_has_room_in_small_and_in_large(draw: Any, width: float) -> None:
    ax = drawn(draw(many(), ax=of_size(width, 4)))
    figure = ax.figure.bbox
    low, high = ax.get_ylim()[::-1] if ax.yaxis_inverted() else ax.get_ylim()
    rows = [
        one
        for place, one in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        if low <= place <= high
    ]
    for one in [*rows, ax.title, ax.xaxis.label, *ax.texts]:
        box = one.get_window_extent()
        assert figure.x0 - 1 <= box.x0
        assert box.x1 <= figure.x1 + 1
    boxes = sorted((one.get_window_extent() for one in rows), key=lambda box: box.y0)
    assert all(one.y1 <= other.y0 + 1 for one, other in pairwise(boxes))
    assert ax.bbox.width > figure.width / 3


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_the_line_has_the_colour_of_the_words_of_the_style(style: str) -> None:
    frame = dated("2025-03-01")
    with plt.style.context(style):
        ax = drawn(words(bodies(frame, 3), frame))
        line = ax.figure.axes[1].lines[0]  # type: ignore[union-attr]
        assert to_hex(line.get_color()) == to_hex(mpl.rcParams["text.color"])


def test_columns_that_are_missing_are_named() -> None:
    frame = dated("2025-03-01")
    with pytest.raises(QueryError, match="'uid'"):
        words(bodies(frame, 3), frame.drop(columns="uid"))
    with pytest.raises(QueryError, match="none of the columns 'n_words'"):
        words(frame[KEY], frame)
    with pytest.raises(QueryError, match="no column 'text'"):
        phrases(frame, of="text")


def test_the_picture_has_the_numbers_of_the_table() -> None:
    frame = many()
    texts = bodies(frame, *np.arange(60) * 7 % 31 + 1)
    table = analysis.words(texts, frame, "Q")
    ax = words(texts, frame, "Q")
    assert heights(ax) == [table["words"].tolist()]
    assert [n for _, n in medians(ax)] == table["median_words"].tolist()
