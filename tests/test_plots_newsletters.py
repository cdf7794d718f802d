"""The picture of newsletters: what is drawn, and what is written beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mailframe import analysis
from mailframe.exceptions import QueryError
from mailframe.plots.newsletters import newsletters
from tests.analysis.letters import headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    """Draw for good, so that every tick has its label and every glyph is looked for."""
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def of(*letters: tuple[str, str | None, int, int], **others: Any) -> pd.DataFrame:
    """Return mail of newsletters: the list, its name, how many messages, how many unread."""
    return headers(*[
        {"list_id": one, "from_name": name, "from_address": f"news@{one}", "seen": n >= unread}
        | others
        for one, name, messages, unread in letters
        for n in range(messages)
    ])  # fmt: skip


def names(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_yticklabels()]


def written(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_what_is_unread_and_what_is_read_are_one_bar() -> None:
    ax = drawn(newsletters(of(("a.x", "A", 4, 1), ("b.x", "B", 3, 3), ("c.x", "C", 2, 0))))
    assert names(ax) == ["B", "A", "C"]
    assert written(ax) == ["3 (0% read)", "4 (75% read)", "2 (100% read)"]
    unread, read = ax.containers
    assert [bar.get_width() for bar in unread] == [3, 1, 0]
    assert [(bar.get_x(), bar.get_width()) for bar in read] == [(3, 0), (1, 3), (0, 2)]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["unread", "read"]
    assert ax.get_title() == "Newsletters and lists (3)"
    assert ax.get_xlabel() == "messages"


def test_the_two_are_told_apart_without_colours() -> None:
    unread, read = newsletters(of(("a.x", "A", 4, 1))).containers
    assert not unread[0].get_hatch()
    assert read[0].get_hatch()

    def lightness(bar: Any) -> float:
        red, green, blue, _ = bar.get_facecolor()
        return float(0.299 * red + 0.587 * green + 0.114 * blue)

    assert lightness(read[0]) - lightness(unread[0]) > 0.2


def test_of_many_those_are_drawn_of_which_most_is_unread() -> None:
    many = of(*[(f"{n:02}.x", f"N{n:02}", n, n) for n in range(1, 21)])
    ax = newsletters(many)
    assert names(ax) == [f"N{n:02}" for n in range(20, 5, -1)]
    assert ax.get_title() == "Newsletters and lists (15 of 20)"
    assert names(newsletters(many, top=2)) == ["N20", "N19"]
    assert len(names(newsletters(many, top=None))) == 20
    with pytest.raises(QueryError, match=r"top=1\.5 is no number of newsletters"):
        newsletters(many, top=1.5)  # type: ignore[arg-type]


def test_a_name_that_tells_nothing_gives_way_to_the_address() -> None:
    ax = newsletters(
        of(("a.x", "Same", 4, 4), ("b.x", "Same", 3, 3), ("c.x", None, 2, 2), ("d.x", "山田", 1, 1))
    )
    assert names(ax) == ["news@a.x", "news@b.x", "news@c.x", "news@d.x"]


def test_a_list_is_named_by_its_identifier() -> None:
    frame = of(("dev.x", "Ann", 2, 2), in_reply_to="1@x")
    voices = frame.assign(from_address=["ann@x.example", "bob@x.example"])
    assert names(newsletters(voices)) == ["dev.x"]
    nobody = frame.assign(from_address=None, from_name=None)
    assert names(newsletters(nobody)) == ["dev.x"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"list_unsubscribe": "<mailto:dev-leave@x.example?subject=off>"}, "dev-leave@x.example"),
        ({"list_unsubscribe": "<https://x.example/dev/>"}, "x.example/dev/"),
        ({"list_unsubscribe": "<ftp://x.example/dev/>"}, "ann@x.example"),
    ],
)
def test_an_old_list_is_named_by_how_to_leave_it(fields: dict[str, str], name: str) -> None:
    frame = of(("a.x", "Ann", 3, 2), list_id=None, in_reply_to="1@x", **fields)
    voices = ["ann@x.example", "bob@x.example", "ann@x.example"]
    assert names(newsletters(frame.assign(from_address=voices))) == [name]
    post = frame.assign(from_address=voices, list_post="<mailto:dev@x.example>")
    assert names(newsletters(post)) == ["dev@x.example"]


def test_a_table_is_drawn_as_it_is() -> None:
    mail = of(("a.x", "A", 4, 1), ("b.x", "B", 3, 3))
    table = analysis.newsletters(mail)
    assert written(newsletters(table)) == written(newsletters(mail))
    assert names(newsletters(table[table["name"] == "A"])) == ["A"]


def test_what_is_mine_is_in_no_bar() -> None:
    frame = of(("a.x", "A", 2, 1))
    ax = newsletters(frame, me="news@a.x", on="internal_date")
    assert written(ax) == ["no messages"]
    assert ax.get_title() == "Newsletters and lists"


def test_where_nobody_knows_what_is_read_no_share_is_written() -> None:
    frame = of(("a.x", "A", 2, 1)).astype({"seen": "boolean"})
    assert written(newsletters(frame.assign(seen=frame["seen"].mask(frame["seen"] < 2)))) == ["2"]


@pytest.mark.parametrize("word", ["$a$b^{", "a\nb", "x" * 3000, "\x00\u202e"])
def test_what_mail_says_is_no_formula(word: str) -> None:
    ax = drawn(newsletters(of((word, word, 1, 1))))
    (name,) = names(ax)
    assert "\n" not in name
    assert len(name) < 50


@pytest.mark.parametrize("width", [3, 6, 12])
@pytest.mark.parametrize("unread", [0, 200])
def test_what_is_written_has_room_in_small_and_in_large(width: float, unread: int) -> None:
    frame = of(*[(f"{n}.x", f"{'The Long Weekly ' * 3}{n}", 200, unread) for n in range(6)])
    ax = Figure(figsize=(width, 4), layout="constrained").subplots()
    drawn(newsletters(frame, ax=ax))
    figure, legend = ax.figure.bbox, ax.get_legend().get_window_extent()
    for one in [*ax.get_yticklabels(), *ax.texts, ax.title]:
        box = one.get_window_extent()
        assert figure.x0 - 1 <= box.x0
        assert box.x1 <= figure.x1 + 1
        assert not box.overlaps(legend)


def test_the_number_of_one_alone_does_not_stand_on_the_legend() -> None:
    ax = Figure(figsize=(6, 4), dpi=80, layout="constrained").subplots()
    newsletters(of(("a.x", "A", 1, 0)), ax=ax)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert not any(text.get_window_extent().overlaps(legend) for text in ax.texts)


def test_what_is_given_is_drawn_on_and_nothing_else() -> None:
    before = dict(mpl.rcParams)
    own = Figure().subplots(1, 2)[0]
    assert newsletters(of(("a.x", "A", 2, 1)), ax=own) is own
    drawn(own)
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_words_keep_the_colours_of_the_style(style: str) -> None:
    with plt.style.context(style):
        ax = drawn(newsletters(of(("a.x", "A", 2, 1))))
        assert ax.title.get_color() == mpl.rcParams["text.color"]
        assert to_hex(ax.containers[1][0].get_edgecolor()) == to_hex(ax.get_facecolor())
