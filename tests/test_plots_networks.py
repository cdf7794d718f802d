"""Pictures of who writes to whom: what is drawn, and that it can be read."""

from __future__ import annotations

import io
from itertools import combinations
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
from mailframe.analysis.networks import network as edges_between
from mailframe.exceptions import QueryError
from mailframe.plots.canvas import COLOURS, OTHERS
from mailframe.plots.layouts import Box, apart, distances, laid_out
from mailframe.plots.networks import network
from tests.analysis.odd_mail import ME, mail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(ax: Axes) -> Axes:
    ax.figure.savefig(io.BytesIO(), format="png", dpi=100)  # type: ignore[union-attr]
    return ax


def edges_of(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "target", "messages", "weight"])


def office(people: int = 30) -> pd.DataFrame:
    """Return edges of so many people in a few domains, each tied to some."""
    random = np.random.default_rng(2)
    names = [f"person.number{n}@domain{n % 4}.example" for n in range(people)]
    pairs = random.integers(0, people, (4 * people, 2))
    rows = {(names[a], names[b]) for a, b in pairs if a != b}
    return edges_of(*[(a, b, 1 + len(a + b) % 7, 1.5) for a, b in sorted(rows)])


def lines(ax: Axes) -> Any:
    return ax.collections[0]


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_disc_a_person_and_a_line_between_two_who_write() -> None:
    edges = edges_of(
        ("ann@x.example", "bob@x.example", 8, 4.0),
        ("bob@x.example", "ann@x.example", 8, 4.0),
        ("ann@x.example", "cy@y.example", 2, 2.0),
    )
    ax = drawn(network(edges))
    assert words(ax) == ["ann@x.example", "bob@x.example", "cy@y.example"]
    areas = ax.collections[1].get_sizes()
    assert areas / areas[0] == pytest.approx([1, 16 / 18, 2 / 18])
    widths = lines(ax).get_linewidths()
    assert len(widths) == 2
    assert widths[1] / widths[0] == pytest.approx((2 / 8) ** 0.5)
    colours = [to_hex(one) for one in ax.collections[1].get_facecolors()]
    assert colours == [to_hex(COLOURS[0]), to_hex(COLOURS[0]), to_hex(COLOURS[1])]
    assert [one.get_text() for one in ax.get_legend().get_texts()] == ["@x.example", "@y.example"]
    assert ax.get_title() == "Who writes to whom (3 people)"
    assert ax.get_xlabel() == "disc: messages, line: weight"


def test_lines_end_where_the_discs_of_their_people_are() -> None:
    edges = edges_of(("a@x.example", "b@x.example", 2, 1.0), ("c@x.example", "d@x.example", 1, 1.0))
    ax = drawn(network(edges))
    places = ax.collections[1].get_offsets()
    for line, ends in zip(lines(ax).get_segments(), ((0, 1), (2, 3)), strict=True):
        assert line == pytest.approx(np.asarray(places[list(ends)]))


def test_only_so_many_people_are_drawn_and_the_others_domains_are_one() -> None:
    edges = edges_of(*[(f"p{n:02}@d{n}.example", "hub@x.example", 20 - n, 1.0) for n in range(15)])
    ax = drawn(network(edges, top=12))
    assert ax.get_title() == "Who writes to whom (12 of 16 people)"
    assert "p14@d14.example" not in words(ax)
    texts = [one.get_text() for one in ax.get_legend().get_texts()]
    assert len(texts) == len(COLOURS)
    assert texts[-1] == "7 others"
    colours = [to_hex(one) for one in ax.collections[1].get_facecolors()]
    assert colours.count(to_hex(OTHERS)) == 7


@pytest.mark.parametrize("top", [-1, 1.5, None, 201])
def test_a_number_of_people_that_makes_no_sense_is_refused(top: Any) -> None:
    with pytest.raises(QueryError, match="top="):
        network(office(), top=top)


@pytest.mark.parametrize("width", [3, 5, 8, 12])
def test_no_name_hides_a_disc_or_another_name(width: float) -> None:
    ax = Figure(figsize=(width, 0.75 * width), layout="constrained").subplots()
    drawn(network(office(), ax=ax))
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = ax.collections[1]
    places = ax.transData.transform(points.get_offsets())
    radii = np.sqrt(points.get_sizes()) / 2 * ax.figure.dpi / 72
    for box in boxes:
        near = np.clip(places, box.min, box.max)
        assert (np.linalg.norm(near - places, axis=1) > radii - 1).all()
        assert ax.figure.bbox.x0 <= box.x0
        assert box.x1 <= ax.figure.bbox.x1
    if width >= 8:
        assert len(boxes) == 30
        between = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(30) * 1e3
        assert (between > radii[:, None] + radii[None] - 1).all()
    legend = ax.get_legend().get_window_extent()
    assert not any(legend.overlaps(one) for one in boxes)
    assert legend.x1 <= ax.figure.bbox.x1 + 1


def test_names_are_written_where_the_frame_has_them() -> None:
    frames = mail({"from_address": "ann@example.org", "to": [ME, "cy@example.com"]})
    assert sorted(words(network(frames.recipients))) == ["Ann Ash", "Cy Cedar", "Mira Ek"]
    bare = network(frames.recipients.drop(columns="name"))
    assert sorted(words(bare)) == ["ann@example.org", "cy@example.com", ME]
    for name in ("山田太郎", "No Reply"):  # without glyphs; of several people
        same = frames.recipients.assign(name=name)
        assert sorted(words(network(same))) == ["ann@example.org", "cy@example.com", ME]
    without = network(frames.recipients, without_me=True)
    assert sorted(words(without)) == ["Ann Ash", "Cy Cedar"]


def test_edges_are_drawn_as_the_recipients_they_were_made_of() -> None:
    frames = mail({"to": ["bob@example.org", "cy@example.com"]}, {"to": ["cy@example.com"]})
    one = drawn(network(frames.recipients.drop(columns="name"), headers=frames.headers))
    other = drawn(network(edges_between(frames.recipients, headers=frames.headers)))
    assert np.array_equal(one.collections[1].get_offsets(), other.collections[1].get_offsets())
    assert words(one) == words(other)
    with pytest.raises(QueryError, match="'weight' is missing"):
        network(edges_of(("a", "b", 1, 1.0)).drop(columns="weight"))
    with pytest.raises(QueryError, match="no columns 'role', 'address'"):
        network(frames.recipients.drop(columns=["role", "address"]))


def test_the_same_edges_are_drawn_alike_whatever_their_order() -> None:
    edges = office()
    one, other = (drawn(network(frame)) for frame in (edges, edges.iloc[::-1]))
    assert np.array_equal(one.collections[1].get_offsets(), other.collections[1].get_offsets())
    assert words(one) == words(other)


def test_nobody_is_said_in_words() -> None:
    for frame in (schema.empty("recipients"), edges_of(), office()):
        ax = drawn(network(frame, top=0 if len(frame) else 30))
        assert words(ax) == ["no messages"]
        assert ax.get_title() == "Who writes to whom"


def test_what_is_given_is_drawn_on_and_nothing_else() -> None:
    figure = plt.figure()
    own = Figure().subplots(1, 2)[0]
    before = dict(mpl.rcParams)
    assert network(office(5), ax=own) is own
    drawn(own)
    assert plt.get_fignums() == [figure.number]  # type: ignore[attr-defined]
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot"])
def test_words_keep_the_colours_of_the_style(style: str) -> None:
    with plt.style.context(style):
        ax = drawn(network(office(6)))
        assert {text.get_color() for text in ax.texts} == {mpl.rcParams["text.color"]}
        assert to_hex(ax.collections[1].get_edgecolors()[0]) == to_hex(ax.get_facecolor())


# -- places


def test_nodes_stand_as_far_from_each_other_as_they_should() -> None:
    corners = np.array([[0, 0], [2, 0], [2, 1], [0, 1]], dtype="float64")
    wanted = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    found = laid_out(wanted) * [2, 1]  # what is laid out fills a square
    assert np.linalg.norm(found[:, None] - found[None], axis=2) == pytest.approx(wanted, abs=1e-3)
    assert laid_out(np.zeros((1, 1))).tolist() == [[0.5, 0.5]]
    assert np.isfinite(laid_out(np.array([[0.0, 1], [1, 0]]))).all()


def test_the_shortest_path_may_lead_by_others() -> None:
    inf = np.inf
    lengths = np.array([[inf, 1, 5, inf], [1, inf, 1, inf], [5, 1, inf, inf], [inf, inf, inf, inf]])
    assert distances(lengths).tolist() == [[0, 1, 2, 2], [1, 0, 1, 2], [2, 1, 0, 2], [2, 2, 2, 0]]


def test_discs_are_pushed_from_each_other_and_stay_in_the_room() -> None:
    places = np.zeros((9, 2)) + 50
    found = apart(places, np.full(9, 5.0), Box(0, 0, 100, 100), 2)
    between = np.linalg.norm(found[:, None] - found[None], axis=2) + np.eye(9) * 1e3
    assert between.min() > 11.9
    assert found.min() >= 5
    assert found.max() <= 95
    assert np.isfinite(apart(places, np.full(9, 90.0), Box(0, 0, 100, 100), 2)).all()
