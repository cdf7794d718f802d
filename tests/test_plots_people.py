"""Pictures of people and of two periods: what is drawn, and what is written beside it."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mailframe import schema
from mailframe.exceptions import QueryError
from mailframe.plots import canvas
from mailframe.plots.comparisons import compare
from mailframe.plots.people import domains, recipients, senders
from mailframe.plots.volumes import volume
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
    return [one for place, one in pairs if low <= place <= high and one.get_text()]


def labels(axis: Any) -> list[str]:
    return [one.get_text() for one in shown(axis)]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def bars(ax: Axes) -> list[list[float]]:
    """Return the lengths of lying bars, a list a frame."""
    return [[bar.get_width() for bar in group] for group in ax.containers]


def written_to(*addresses: str, role: str = "to") -> pd.DataFrame:
    rows = [
        {"account": "me", "folder": "Sent", "uidvalidity": 1, "uid": n, "role": role,
         "position": 0, "name": None, "address": one, "domain": one.rpartition("@")[2]}
        for n, one in enumerate(addresses)
    ]  # fmt: skip
    return schema.conform(pd.DataFrame(rows), "recipients")


# -- people


def test_domains_are_drawn_as_they_were_registered() -> None:
    frame = headers(*[{"from_domain": f"{host}shop.co.uk"} for host in ("a.", "b.", "")],
                    {"from_domain": "x.example"}, {"from_domain": None})  # fmt: skip
    ax = drawn(domains(frame, registrable=True))
    assert labels(ax.yaxis) == ["shop.co.uk", "x.example"]
    assert bars(ax) == [[3, 1]]
    assert [text.get_text() for text in ax.texts] == ["3 (60%)", "1 (20%)"]
    assert ax.get_title() == "Messages by domain (2)"
    assert ax.get_xlabel() == "messages\n1 message without a domain not shown"
    assert labels(domains(frame, top=1).yaxis) == ["a.shop.co.uk"]
    assert domains(frame, top=1).get_title() == "Messages by domain (1 of 4)"


def test_recipients_are_drawn_with_their_share_of_messages() -> None:
    ax = drawn(recipients(written_to("a@x.example", "b@x.example", "A@x.example")))
    assert labels(ax.yaxis) == ["a@x.example", "b@x.example"]
    assert [text.get_text() for text in ax.texts] == ["2 (67%)", "1 (33%)"]
    some = recipients(written_to("a@x.example", "b@y.example"), by="domain", top=1)
    assert some.get_title() == "Messages by recipient (1 of 2)"
    none = recipients(written_to("a@x.example"), roles=["cc"])
    assert [text.get_text() for text in none.texts] == ["no messages"]
    with pytest.raises(QueryError, match="top=-1 is no number of recipients"):
        recipients(written_to("a@x.example"), top=-1)


def test_directions_are_drawn_too() -> None:
    frame = headers({"from_address": "me@example.com"}, {}, {})
    ax = drawn(volume(frame, "D", by="direction"))
    assert legend(ax) == ["sent", "received"]
    assert ax.get_title() == "Messages per day, by direction"
    other = volume(frame, "D", by="direction", me="ann@example.org")
    assert legend(other) == ["received", "sent"]


# -- two periods, by what they have in common


def test_two_bars_a_group_are_beside_each_other() -> None:
    now, before = sent_by("a@x", "a@x", "b@x", None), sent_by("b@x")
    ax = drawn(compare(now, before, by="address", names=("2025", "2024")))
    assert labels(ax.yaxis) == ["a@x", "b@x", "no address"]
    assert bars(ax) == [[2, 1, 1], [0, 1, 0]]
    first, second = (group[0] for group in ax.containers)
    assert first.get_y() + first.get_height() <= second.get_y()
    assert ax.yaxis_inverted()
    assert legend(ax) == ["2025", "2024"]
    assert ax.get_title() == "Messages by address: 2025 and 2024"
    assert [text.get_text() for text in ax.texts] == ["2", "1", "1", "0", "1", "0"]
    assert {to_hex(group[0].get_facecolor()) for group in ax.containers} == {
        one.lower() for one in canvas.COLOURS[:2]
    }


def test_of_many_groups_the_large_ones_are_drawn() -> None:
    frame = sent_by(*[f"{n:02}@x" for n in range(40)])
    assert len(labels(compare(frame, frame, by="address").yaxis)) == 10
    assert len(labels(compare(frame, frame, by="address", top=3).yaxis)) == 3


def test_a_comparison_needs_no_other_columns() -> None:
    frame = dated("2025-03-01")
    assert bars(compare(frame[["from_address"]], frame[["from_address"]], by="address")) == [
        [1],
        [1],
    ]
    compare(frame[["date"]], frame[["date"]])
    with pytest.raises(QueryError, match="no column 'date'"):
        compare(frame[["date"]], frame[["from_address"]])
    with pytest.raises(QueryError, match="no column 'utc_offset'"):
        compare(frame[["date"]], frame[["date"]], tz="sender")
    with pytest.raises(QueryError, match="are not two names"):
        compare(frame, frame, names=("a", "a"))


# -- two periods, one upon the other


def course(line: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)]


def test_days_of_two_months_lie_upon_each_other() -> None:
    now = dated("2025-03-02", "2025-03-04", "2025-03-04")
    before = dated("2025-02-03", "2025-02-04")
    ax = drawn(compare(now, before, names=("March", "February")))
    assert ax.get_xlabel() == "day of the month (UTC)"
    assert ax.get_title() == "Messages per day: March and February"
    assert legend(ax) == ["March", "February"]
    # The 3rd and the 4th; a step is as wide as a day and in its middle its number.
    assert course(ax.lines[0]) == [(2.5, 1), (3.5, 1), (4.5, 1)]
    corners = ax.collections[0].get_paths()[0].vertices
    assert (corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].max()) == (1.5, 4.5, 2)
    assert ax.get_xlim() == (0.5, 4.5)
    assert labels(ax.xaxis) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("now", "before", "freq", "label", "at"),
    [
        ("2025-03-02T05:00", "2025-03-01T07:30", "h", "hour of the day", 7),
        ("2025-03-12", "2025-03-05", "D", "day of the week", 2.5),
        ("2025-03-02T05:00", "2025-03-01T07:30", "D", "day of the week", 5.5),
        ("2025-03-02", "2024-12-05 2024-12-31", "D", "day of the month", 4.5),
        ("2025-03-02", "2024-10-05 2024-12-31", "D", "day of the quarter", 4.5),
        ("2025-03-02", "2024-02-01 2024-12-31", "D", "day of the year", 31.5),
        ("2025-03-02", "2024-12-31", "M", "month of the quarter", 2.5),
    ],
)
def test_they_are_laid_upon_each_other_by_what_each_lies_in(
    now: str, before: str, freq: str, label: str, at: float
) -> None:
    ax = drawn(compare(dated(*now.split()), dated(*before.split()), freq=freq))
    assert ax.get_xlabel() == f"{label} (UTC)"
    assert course(ax.lines[0])[0] == (at, 1)


def test_what_is_longer_than_a_year_begins_with_its_first_message() -> None:
    now, before = dated("2024-05-01", "2025-04-01"), dated("2023-08-01", "2024-02-01")
    ax = drawn(compare(now, before, freq="M"))
    assert ax.get_xlabel() == "month of the period (UTC)"
    assert ax.get_xlim() == (0.5, 12.5)
    assert course(ax.lines[0])[0] == (0.5, 1)


def test_the_day_that_has_23_hours_has_no_hour_too_many() -> None:
    now = dated("2025-03-29T22:59", "2025-03-29T23:00")
    frame = dated("2025-03-30T21:30")
    ax = compare(now.iloc[1:], frame, freq="h", tz="Europe/Berlin")
    assert course(ax.lines[0])[0] == (22, 1)


def test_one_of_them_may_be_empty_or_undated() -> None:
    ax = drawn(compare(dated("2025-03-01"), dated(None, None)))
    assert ax.get_xlabel().endswith("\n2 messages without a date not shown")
    assert not course(ax.lines[0])
    assert drawn(compare(headers(), dated("2025-03-01"))).lines
    nothing = drawn(compare(headers(), headers()))
    assert [text.get_text() for text in nothing.texts] == ["no messages"]


def test_weeks_of_a_month_that_begin_before_it_are_on_it() -> None:
    ax = drawn(compare(dated("2025-03-01", "2025-03-20"), dated("2025-02-01"), freq="W"))
    assert course(ax.lines[0])[0][0] == 0.5
    assert ax.get_xlim()[0] == 0.5


# -- all of them


def by_domain(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return compare(frame, frame, by="domain", ax=ax)


def by_time(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return compare(frame, frame, ax=ax)


def by_recipient(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    table = written_to(*frame["from_address"]) if len(frame) else schema.empty("recipients")
    return recipients(table, ax=ax)


DRAWERS = [senders, domains, by_recipient, by_domain, by_time]
LONG = sent_by(*[f"{'somebody' * 3}{n}@mail.department{n}.example.org" for n in range(20)] * 30)


@pytest.mark.parametrize("draw", DRAWERS)
def test_no_messages_are_said_in_words(draw: Any) -> None:
    ax = drawn(draw(headers()))
    assert [text.get_text() for text in ax.texts] == ["no messages"]
    assert ax.get_title()
    assert ax.get_xlabel()


@pytest.mark.parametrize("draw", DRAWERS)
def test_what_is_given_is_drawn_on_and_nothing_else(draw: Any) -> None:
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    assert draw(sent_by("a@x.example"), ax=own) is own
    drawn(own)
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize("width", [3, 12])
def test_what_is_written_has_room_in_small_and_in_large(draw: Any, width: float) -> None:
    frame = LONG.assign(from_domain=LONG["from_address"].str.partition("@")[2])
    ax = Figure(figsize=(width, 4), layout="constrained").subplots()
    drawn(draw(frame, ax=ax))
    figure = ax.figure.bbox
    names = shown(ax.yaxis)
    for one in [*names, *shown(ax.xaxis), ax.title, *ax.texts]:
        box = one.get_window_extent()
        assert figure.x0 - 1 <= box.x0
        assert box.x1 <= figure.x1 + 1
    assert ax.bbox.width > figure.width / 3
    boxes = sorted((one.get_window_extent() for one in names), key=lambda box: box.y0)
    assert all(one.y1 <= other.y0 + 1 for one, other in pairwise(boxes))


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("draw", DRAWERS)
def test_words_keep_the_colours_of_the_style(style: str, draw: Any) -> None:
    with plt.style.context(style):
        ax = drawn(draw(sent_by("a@x.example")))
        assert ax.title.get_color() == mpl.rcParams["text.color"]
        assert to_hex(ax.get_facecolor()) == to_hex(mpl.rcParams["axes.facecolor"])


@pytest.mark.parametrize("word", ["$a$b^{", "a\nb", "山田"])
def test_what_mail_says_is_no_formula(word: str) -> None:
    frame = headers({"folder": word, "from_domain": word, "from_address": word})
    for ax in (domains(frame), compare(frame, frame, by="folder"), by_recipient(frame)):
        assert "\n" not in "".join(labels(drawn(ax).yaxis))
