"""The picture of a dialogue: bars where commands were in flight, ticks where replies came."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mailframe import plots, schema
from mailframe.dialogue import Trace
from mailframe.exceptions import QueryError
from mailframe.imap.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

BEGIN = pd.Timestamp("2026-11-23T08:00:00Z")
#: Seconds, connection, direction, tag, command, bytes.
Said = tuple[float, int, str, str, str, int | None]


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def dialogue(*said: Said) -> pd.DataFrame:
    seconds, *columns = zip(*said, strict=True)
    frame = pd.DataFrame(
        dict(zip(("connection", "direction", "tag", "command", "bytes"), columns, strict=True))
    )
    frame["time"] = BEGIN + pd.to_timedelta(seconds, unit="s")
    frame["elapsed"] = pd.Timedelta(0)
    frame["line"] = "x"
    return schema.conform(frame, "trace")


def command(tag: str, begin: float, end: float, name: str = "NOOP", connection: int = 1) -> Any:
    return [
        (begin, connection, "C", tag, name, 10),
        (end, connection, "S", tag, name, 20),
    ]


def in_order(*commands: Any) -> pd.DataFrame:
    return dialogue(*sorted(line for one in commands for line in one))


def drawn(ax: Axes) -> Axes:
    ax.figure.savefig(io.BytesIO(), format="png", dpi=50)  # type: ignore[union-attr]
    return ax


def bars(ax: Axes) -> list[Rectangle]:
    return [bar for bar in ax.patches if isinstance(bar, Rectangle)]


def spans(ax: Axes) -> list[tuple[float, float]]:
    return [(round(b.get_x(), 6), round(b.get_x() + b.get_width(), 6)) for b in bars(ax)]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def test_a_command_is_a_bar_from_sending_to_completion() -> None:
    ax = drawn(plots.trace(in_order(command("A1", 0, 2, "SELECT"), command("A2", 2, 5, "FETCH"))))
    assert spans(ax) == [(0, 2), (2, 5)]
    assert {bar.get_y() for bar in bars(ax)} == {0}
    assert texts(ax) == ["SELECT", "FETCH"]
    assert legend(ax) == ["FETCH", "SELECT"]
    assert ax.get_title() == "Dialogue with the server: 2 commands"
    assert ax.get_xlabel() == "s since 08:00:00 UTC"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["connection 1"]


def test_a_short_dialogue_is_in_milliseconds() -> None:
    ax = drawn(plots.trace(in_order(command("A1", 0, 0.2), command("A2", 0.2, 0.5))))
    assert spans(ax) == [(0, 200), (200, 500)]
    assert ax.get_xlabel() == "ms since 08:00:00 UTC"


def test_commands_in_flight_together_lie_one_below_the_other() -> None:
    ax = drawn(
        plots.trace(in_order(command("A1", 0, 3), command("A2", 1, 4), command("A3", 3.5, 5)))
    )
    assert [bar.get_y() for bar in bars(ax)] == [0, 1, 0]


def test_each_connection_has_a_lane_of_its_own_below_the_last_one() -> None:
    ax = drawn(plots.trace(in_order(command("A1", 0, 3), command("B1", 1, 4, connection=2))))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["connection 1", "connection 2"]
    first, second = bars(ax)
    assert second.get_y() > first.get_y() + 1
    low, high = ax.get_ylim()
    assert low > high  # the first is on top


def test_a_command_without_an_answer_is_pale_and_lasts_as_long_as_the_connection() -> None:
    ax = drawn(
        plots.trace(
            dialogue(
                *command("A1", 0, 1),
                (1.5, 1, "C", "A2", "LOGOUT", 10),
                (2.5, 1, "S", "*", "LOGOUT", 10),
            )
        )
    )
    assert spans(ax) == [(0, 1), (1.5, 2.5)]
    done, left = bars(ax)
    assert (left.get_alpha() or 1) < (done.get_alpha() or 1) == 1


def test_what_took_longest_has_the_colours_and_the_rest_is_grey() -> None:
    commands = [command(f"A{n}", n * 10, n * 10 + 1 + n * 0.5, f"X{n}") for n in range(9)]
    ax = drawn(plots.trace(in_order(*commands)))
    assert legend(ax) == ["X8", "X7", "X6", "X5", "X4", "X3", "others"]
    assert len({to_hex(bar.get_facecolor()) for bar in bars(ax)}) == 7


def test_a_long_pause_is_shortened_and_says_how_long_it_was() -> None:
    night = 8 * 3600
    ax = drawn(plots.trace(in_order(command("A1", 0, 2), command("A2", night, night + 2))))
    first, second = spans(ax)
    assert first == (0, 2)
    assert second == pytest.approx((2.24, 4.24))
    assert "8 h" in texts(ax)


def test_many_pauses_as_between_cells_are_shortened_all_of_them_and_what_is_steady_is_not() -> None:
    cells = [command(f"A{n}", n * 60, n * 60 + 1) for n in range(6)]
    ax = drawn(plots.trace(in_order(*cells)))
    assert texts(ax).count("59 s") == 5
    assert spans(ax)[-1][1] == pytest.approx(6 + 5 * 0.36)
    steady = [command(f"A{n}", n * 60, n * 60 + 1) for n in range(60)]
    assert spans(drawn(plots.trace(in_order(*steady))))[-1] == (59 * 60, 59 * 60 + 3.541)


def test_what_a_server_says_unasked_ends_a_pause() -> None:
    hour = 3600.0
    said = [(3 * hour, 1, "S", "*", "", 30)]
    ax = drawn(
        plots.trace(in_order(command("A1", 0, 2), said, command("A2", 8 * hour, 8 * hour + 2)))
    )
    assert [text for text in texts(ax) if text.endswith(" h")] == ["3 h", "5 h"]


def test_a_command_that_takes_long_is_no_pause() -> None:
    ax = drawn(plots.trace(in_order(command("A1", 0, 1), command("A2", 1, 500, "SEARCH"))))
    assert spans(ax) == [(0, 1), (1, 500)]
    assert texts(ax) == ["SEARCH"]


def test_a_pause_of_one_connection_is_none_while_another_is_busy() -> None:
    frame = in_order(command("A1", 0, 1), command("A2", 90, 91), command("B1", 0, 91, connection=2))
    assert spans(drawn(plots.trace(frame)))[:2] == [(0, 1), (90, 91)]


def test_replies_are_ticks_as_high_as_they_are_large() -> None:
    said = [(n, 1, "S", "*", "FETCH", size) for n, size in ((1, 100), (5, 10_000), (8, None))]
    ax = drawn(plots.trace(dialogue((0, 1, "C", "A1", "FETCH", 9), *said)))
    [ticks] = ax.collections
    segments = ticks.get_segments()  # type: ignore[attr-defined] # of lines
    heights = [abs(end[1] - begin[1]) for begin, end in segments]
    assert heights[1] > heights[0] > heights[2] > 0
    assert [round(float(begin[0])) for begin, _ in segments] == [1, 5, 8]


def test_many_replies_are_drawn_as_few_lines() -> None:
    said = [(n / 1000, 1, "S", "*", "FETCH", 100) for n in range(20_000)]
    ax = drawn(plots.trace(dialogue((0, 1, "C", "A1", "FETCH", 9), *said)))
    assert len(ax.collections[0].get_segments()) <= 401  # type: ignore[attr-defined] # as above


def test_five_hundred_commands_have_bars_that_are_seen_and_names_in_the_legend() -> None:
    commands = [
        command(f"A{n}", n * 0.01, n * 0.01 + 0.000001, "STORE" if n % 2 else "COPY")
        for n in range(500)
    ]
    ax = drawn(plots.trace(in_order(*commands)))
    assert len(bars(ax)) == 500
    assert min(bar.get_width() for bar in bars(ax)) >= 0.004
    assert texts(ax) == []
    assert set(legend(ax)) == {"COPY", "STORE"}


def test_names_that_have_no_room_are_left_out_rather_than_written_over_others() -> None:
    ax = drawn(
        plots.trace(in_order(command("A1", 0, 0.1, "EXAMINE"), command("A2", 0.1, 9, "UID FETCH")))
    )
    assert texts(ax) == ["UID FETCH"]


def test_a_trace_is_drawn_like_its_frame() -> None:
    recorder = Recorder()
    t = Trace("me@example.com", recorder.record())
    tap = recorder.tap()
    tap.heard([b"* OK ready"], 12)
    tap.sent(b"A1", [b"NOOP"])
    tap.heard([b"A1 OK"], 20)
    assert spans(drawn(plots.trace(t))) == spans(drawn(plots.trace(t.frame)))
    assert len(bars(plots.trace(t))) == 1


def test_rows_of_a_dialogue_are_drawn_as_well() -> None:
    frame = in_order(command("A1", 0, 1), command("A2", 1, 2))
    assert bars(drawn(plots.trace(frame[frame["direction"] == "S"]))) == []
    assert spans(drawn(plots.trace(frame[frame["direction"] == "C"]))) == [(0, 1), (1, 1.001)]
    assert spans(drawn(plots.trace(frame.drop(columns="line")))) == [(0, 1), (1, 2)]


def test_nothing_said_is_said() -> None:
    ax = drawn(plots.trace(schema.empty("trace")))
    assert texts(ax) == ["nothing was said"]


def test_one_draws_on_the_axes_given() -> None:
    figure = Figure()
    ax = figure.subplots()
    frame = in_order(command("A1", 0, 2, "SELECT"))
    assert plots.trace(frame, ax=ax) is ax
    assert plt.get_fignums() == []
    assert legend(ax) == ["SELECT"]


def test_a_frame_of_something_else_is_refused() -> None:
    with pytest.raises(QueryError, match="direction"):
        plots.trace(schema.empty("headers"))
