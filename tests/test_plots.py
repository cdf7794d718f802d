"""Pictures of frames: what is drawn, and what is written beside it."""

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

from mailframe import plots
from mailframe.exceptions import QueryError
from mailframe.plots import canvas
from tests.analysis.letters import dated, headers, sent_by

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


def shown(axis: Any) -> list[Any]:
    """Return the labels of the ticks within the picture."""
    low, high = sorted(axis.get_view_interval())
    pairs = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [label for place, label in pairs if low <= place <= high and label.get_text()]


def labels(axis: Any) -> list[str]:
    return [label.get_text() for label in shown(axis)]


def heights(ax: Axes) -> list[list[float]]:
    """Return the heights of the bars, a list a group."""
    return [[bar.get_height() for bar in group] for group in ax.containers]


def colours(ax: Axes) -> list[str]:
    return [to_hex(group[0].get_facecolor()) for group in ax.containers]


def many(days: int, messages: int = 300) -> pd.DataFrame:
    """Return messages spread over so many days from the spring of 2014 on, the ends included."""
    moments = pd.date_range("2014-03-01T10:00", periods=messages, freq=f"{days * 24 / messages}h")
    return pd.DataFrame({"date": moments.tz_localize("UTC"), "from_address": "a@x.example"})


# -- volume


def test_a_bar_is_as_high_as_there_are_messages() -> None:
    ax = drawn(plots.volume(dated("2025-03-01", "2025-03-03", "2025-03-03"), "D"))
    assert heights(ax) == [[1, 0, 2]]
    assert ax.get_title() == "Messages per day"
    assert ax.get_xlabel() == "date sent (UTC)"
    assert ax.get_ylabel() == "messages"
    assert labels(ax.xaxis) == ["Mar", "02", "03", "04"]
    assert labels(ax.yaxis) == ["0", "1", "2"]


def test_bars_are_as_wide_as_their_periods_and_stand_where_they_begin() -> None:
    ax = plots.volume(dated("2025-03-29T23:30", "2025-03-30T22:30"), "D", tz="Europe/Berlin")
    first, second = ax.containers[0]
    assert first.get_width() * 24 == pytest.approx(23)
    assert second.get_width() * 24 == pytest.approx(24)
    assert second.get_x() == pytest.approx(first.get_x() + first.get_width())
    assert labels(drawn(ax).xaxis) == ["30", "31", "Apr"]


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"tz": "Europe/Berlin"}, "date sent (Europe/Berlin)"),
        ({"tz": "sender"}, "date sent (the sender's own time)"),
        ({"on": "internal_date"}, "date received (UTC)"),
    ],
)
def test_the_axis_says_whose_time_it_is(options: dict[str, Any], label: str) -> None:
    assert drawn(plots.volume(dated("2025-03-01"), **options)).get_xlabel() == label


def test_messages_without_a_date_are_told() -> None:
    one = plots.volume(dated("2025-03-01", None))
    assert one.get_xlabel().endswith("\n1 message without a date not shown")
    two = plots.volume(dated(None, None))
    assert two.get_xlabel().endswith("\n2 messages without a date not shown")
    assert [text.get_text() for text in two.texts] == ["no messages"]


@pytest.mark.parametrize("days", [1, 3, 9, 31, 70, 200, 400, 730, 1300, 3650, 9000])
@pytest.mark.parametrize("width", [2.2, 4, 8, 14])
def test_dates_are_neither_few_nor_crowded(days: int, width: float) -> None:
    for freq in ("h" if days <= 9 else "Y", "D" if days <= 70 else "W" if days <= 3650 else "M"):
        ax = Figure(figsize=(width, 3), layout="constrained").subplots()
        plots.volume(many(days), freq, ax=ax)
        boxes = [label.get_window_extent() for label in shown(drawn(ax).xaxis)]
        assert len(boxes) >= 2
        assert all(one.x1 <= other.x0 for one, other in pairwise(boxes))


def test_many_periods_are_one_outline_instead_of_thousands_of_bars() -> None:
    frame = dated("2025-01-01", "2025-04-10", "2025-04-10")
    ax = drawn(plots.volume(frame, "D"))
    assert not ax.patches
    (outline,) = ax.collections
    corners = outline.get_paths()[0].vertices
    first, last = date2num([pd.Timestamp("2025-01-01"), pd.Timestamp("2025-04-11")])
    at = [corners[corners[:, 0] == day, 1].max() for day in (first, first + 1, last - 1, last)]
    assert at == [1, 1, 2, 2]
    assert corners[(corners[:, 0] > first + 1) & (corners[:, 0] < last - 1), 1].max() == 0
    assert corners[:, 0].max() == last


def test_groups_of_many_periods_stand_one_upon_the_other_too() -> None:
    frame = headers(
        {"date": "2025-01-01", "folder": "A"},
        {"date": "2025-01-01", "folder": "B"},
        {"date": "2025-04-10", "folder": "A"},
    )
    ax = drawn(plots.volume(frame, "D", by="folder"))
    below, above = [one.get_paths()[0].vertices[:, 1].max() for one in ax.collections]
    assert (below, above) == (1, 2)
    assert len(ax.get_legend().get_texts()) == 2


def test_groups_stand_one_upon_the_other_the_largest_below() -> None:
    frame = headers(
        {"date": "2025-03-01", "folder": "Archive"},
        {"date": "2025-03-01", "folder": "INBOX"},
        {"date": "2025-03-02", "folder": "INBOX"},
    )
    ax = drawn(plots.volume(frame, "D", by="folder"))
    assert heights(ax) == [[1, 1], [1, 0]]
    assert [bar.get_y() for bar in ax.containers[1]] == [1, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Archive", "INBOX"]
    assert ax.get_title() == "Messages per day, by folder"
    # Its entries are in the colours of the bars.
    handles = [to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()]
    assert handles == colours(ax)[::-1]


def test_of_many_groups_the_small_ones_are_drawn_together() -> None:
    domains = [f"{letter}.example" for letter in "abcdefgh" for _ in range(ord("i") - ord(letter))]
    frame = headers(*[{"from_domain": domain} for domain in domains])
    ax = plots.volume(frame, "D", by="domain")
    assert heights(ax) == [[8], [7], [6], [5], [4], [3], [3]]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[:2] == ["2 others", "f.example"]
    assert len(set(colours(ax))) == 7


def test_messages_of_no_group_are_one() -> None:
    ax = plots.volume(headers({"list_id": "l.example"}, {}), "D", by="list")
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"l.example", "no list"}


def test_a_name_that_begins_with_an_underscore_is_in_the_legend() -> None:
    ax = drawn(plots.volume(headers({"folder": "_a"}, {"folder": "b"}), "D", by="folder"))
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"_a", "b"}


def test_a_volume_needs_no_other_columns() -> None:
    frame = dated("2025-03-01", "2025-03-02")
    assert heights(plots.volume(frame[["date"]], "D")) == [[1, 1]]
    with pytest.raises(QueryError, match="no columns 'date', 'utc_offset'"):
        plots.volume(frame[["size"]], tz="sender")


# -- senders


def test_the_sender_of_most_messages_is_on_top() -> None:
    ax = drawn(plots.senders(sent_by("b@x.example", "A@x.example", "a@x.example", None)))
    assert labels(ax.yaxis) == ["a@x.example", "b@x.example"]
    assert [bar.get_width() for bar in ax.containers[0]] == [2, 1]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["2 (50%)", "1 (25%)"]
    assert ax.get_title() == "Messages by sender (2)"
    assert ax.get_xlabel() == "messages\n1 message without a sender not shown"


def test_only_so_many_senders_are_drawn() -> None:
    ax = plots.senders(sent_by(*[f"{n:03}@x.example" for n in range(1200)]), top=3)
    assert labels(ax.yaxis) == ["000@x.example", "001@x.example", "002@x.example"]
    assert ax.get_title() == "Messages by sender (3 of 1,200)"


@pytest.mark.parametrize(
    ("by", "label", "left_out"),
    [("domain", "x.example", "without a domain"), ("name", "Ann", "without a name")],
)
def test_senders_may_be_domains_or_names(by: str, label: str, left_out: str) -> None:
    frame = headers(
        {"from_domain": "x.example", "from_name": "Ann"}, {"from_domain": None, "from_name": None}
    )
    ax = plots.senders(frame, by=by)
    assert labels(ax.yaxis) == [label]
    assert left_out in ax.get_xlabel()


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("ann@xn--r8jz45g.example", "ann@xn--r8jz45g.example"),  # its glyphs are not in DejaVu Sans
        ("用户@例え.example", "??@??.example"),
        ("a\u202eb\nc@x.example", "a?b c@x.example"),
        ("$a$b^{@x.example", r"\$a\$b^{@x.example"),
        (
            "bounces+2731-6f2b-ann=example.org@mail.example",
            "bounces+2731-6f2b-an…@mail.example",
        ),
        ("a@" + "long." * 20 + "example", "a@long.long.long…long.long.example"),
        ("x" * 300, "x" * 16 + "…" + "x" * 17),
    ],
)
def test_labels_are_short_and_of_glyphs_that_are_there(address: str, label: str) -> None:
    ax = drawn(plots.senders(sent_by(address)))
    found = labels(ax.yaxis)
    assert [one.casefold() for one in found] == [label]
    assert len(label.replace("\\", "")) <= 34


def test_a_name_that_no_font_can_show_is_replaced_by_the_address() -> None:
    frame = headers({"from_name": "山田太郎", "from_address": "yamada@x.example"}, {}, {})
    assert labels(drawn(plots.senders(frame, by="name")).yaxis) == ["Ann", "yamada@x.example"]
    alone = drawn(plots.senders(frame[["from_name"]], by="name"))
    assert labels(alone.yaxis) == ["Ann", "????"]


def test_senders_need_no_other_columns() -> None:
    assert len(plots.senders(sent_by("a@x.example")[["from_address"]]).containers[0]) == 1
    with pytest.raises(QueryError, match="no column 'from_domain'"):
        plots.senders(sent_by("a@x.example")[["from_address"]], by="domain")
    with pytest.raises(QueryError, match="top=-1"):
        plots.senders(sent_by("a@x.example"), top=-1)


# -- both


DRAWERS = [plots.volume, plots.senders]


@pytest.mark.parametrize("draw", DRAWERS)
def test_no_messages_are_said_in_words(draw: Any) -> None:
    ax = drawn(draw(headers()))
    assert [text.get_text() for text in ax.texts] == ["no messages"]
    assert ax.get_title()
    assert ax.get_xlabel()
    assert not labels(ax.xaxis)


@pytest.mark.parametrize("draw", DRAWERS)
def test_one_message_is_enough(draw: Any) -> None:
    ax = drawn(draw(dated("2025-03-01")))
    bar = ax.patches[0]
    assert bar.get_height() * bar.get_width() > 0
    low, high = sorted(ax.get_ylim() if draw is plots.senders else ax.get_xlim())
    side = bar.get_height() if draw is plots.senders else bar.get_width()
    assert side < (high - low) / 3  # a bar, not a wall


@pytest.mark.parametrize("draw", DRAWERS)
def test_counts_are_whole_numbers(draw: Any) -> None:
    frame = sent_by(*["a@x.example"] * 3)
    for times in (1, 700):
        ax = drawn(draw(pd.concat([frame] * times)))
        axis = ax.xaxis if draw is plots.senders else ax.yaxis
        assert all(text.replace(",", "").isdigit() for text in labels(axis))
    assert "2,000" in labels(axis)


@pytest.mark.parametrize("draw", DRAWERS)
def test_what_is_given_is_drawn_on_and_nothing_else(draw: Any) -> None:
    figure = plt.figure()
    current = figure.subplots()
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    assert draw(dated("2025-03-01"), ax=own) is own
    drawn(own)
    assert plt.get_fignums() == [figure.number]  # type: ignore[attr-defined]
    assert plt.gca() is current
    assert not current.has_data()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", DRAWERS)
def test_a_new_figure_has_room_for_what_is_written(draw: Any) -> None:
    frame = headers(*[{"from_address": f"{'a' * 18}{n}@mail.example.org"} for n in range(20)] * 40)
    ax = drawn(draw(frame))
    figure = ax.figure.bbox
    for one in [*shown(ax.yaxis), *shown(ax.xaxis), ax.title, *ax.texts]:
        box = one.get_window_extent()
        assert figure.x0 <= box.x0
        assert box.x1 <= figure.x1 + 1
    assert all(one.get_window_extent().x1 <= ax.bbox.x1 + 1 for one in ax.texts)


@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale", "ggplot"])
@pytest.mark.parametrize("draw", DRAWERS)
def test_words_and_lines_keep_the_colours_of_the_style(style: str, draw: Any) -> None:
    with plt.style.context(style):
        ax = drawn(draw(dated("2025-03-01", folder="A")))
        assert ax.title.get_color() == mpl.rcParams["text.color"]
        assert ax.xaxis.label.get_color() == mpl.rcParams["axes.labelcolor"]
        assert to_hex(ax.get_facecolor()) == to_hex(mpl.rcParams["axes.facecolor"])


def test_the_colours_can_be_told_from_black_and_from_white() -> None:
    def luminance(colour: str) -> float:
        channels = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    # WCAG 2.1 section 1.4.11 asks 3:1 of graphics; the two lightest of Okabe and Ito's are near it.
    for colour in (*canvas.COLOURS, canvas.OTHERS):
        assert 1.05 / (luminance(colour) + 0.05) > 2, colour
        assert (luminance(colour) + 0.05) / 0.05 > 3, colour
