"""The picture of a dialogue: what was asked when, and how long the answers took."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from mailframe import schema
from mailframe.analysis.columns import check_columns
from mailframe.plots.canvas import COLOURS, NARROW, OTHERS, add_legend, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.dialogue import Trace

__all__ = ["trace"]

_DARK = {"#0072B2", "#009E73", "#D55E00"}  # on which white is read better than black

_BAR = 0.8
#: Height of the strip of replies, and of its shortest tick; a command's row is 1 high.
_STRIP = 0.9
_SHORTEST = 0.2
#: Ticks of replies across the picture: what comes between two is one.
_TICKS = 400
_INCHES = 0.065  # a character of a label
# Pauses that would take more of the picture than so much of the rest are shortened, if they are no
# more than so many, to so much of the rest.
_LONG = 0.25
_MOST_PAUSES = 12
_PAUSE = 0.06
_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))


class _Lane(NamedTuple):
    """A connection's place in the picture."""

    connection: int
    top: float
    rows: int

    @property
    def bottom(self) -> float:
        return self.top + self.rows + _STRIP


class _Scale(NamedTuple):
    """Seconds in the picture, in a unit of its axis, in an inch; and where pauses begin."""

    span: float
    unit: float
    inch: float
    pauses: tuple[float, ...]


def trace(t: pd.DataFrame | Trace, *, ax: Axes | None = None) -> Axes:
    """Draw a dialogue with the server as a timeline.

    Parameters
    ----------
    t
        Of ``session.tracing()``, or what ``session.trace()`` returned, or rows of it.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A lane a connection. Each command is a bar from when it was sent to when it was completed,
        one below the other where several were in flight; a pale one was not completed. The ticks
        below are replies, the higher the more bytes came. Pauses in which nothing was asked are
        shortened, and say how long they were.

    Raises
    ------
    QueryError
        If a column is missing.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     folders = session.folders()
    ...     dialogue = session.trace()
    >>> trace(dialogue).get_title()
    'Dialogue with the server: 5 commands'
    """
    frame = t if isinstance(t, pd.DataFrame) else t.frame
    check_columns(frame, [column.name for column in schema.TRACE if column.name != "line"])
    frame = frame[frame["time"].notna()]
    commands, pauses = _on_a_clock(frame)
    lanes = _lanes(frame, commands)
    height = lanes[-1].bottom if lanes else 1
    if ax is None:
        ax = plt.subplots(figsize=(8, 1.3 + 0.24 * max(height, 4)), layout="constrained")[1]
    number = len(commands)
    ax.set_title(
        f"Dialogue with the server: {number:,} command{'' if number == 1 else 's'}", wrap=True
    )
    if frame.empty:
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, "nothing was said", transform=ax.transAxes, ha="center", va="center")
        return ax
    replies = frame[frame["direction"] == "S"]
    times = _clock(replies["time"], frame["time"].min(), pauses)
    span = max(commands["end"].max() if number else 0.0, times.max() if len(times) else 0.0, 1e-6)
    unit, name = (0.001, "ms") if span < 1 else (1.0, "s")
    inch = span / (ax.get_window_extent().width / ax.figure.dpi)
    where = pauses["after"] - pauses["out"].cumsum().shift(fill_value=0)
    ax.set_xlim(-0.01 * span / unit, 1.01 * span / unit)
    ax.set_ylim(height + 0.1, -0.2)
    _label(ax, frame["time"].min(), lanes, name)
    _draw_commands(ax, commands, lanes, _Scale(span, unit, inch, tuple(where)))
    for lane in lanes:
        is_its = (replies["connection"] == lane.connection).to_numpy()
        _draw_replies(ax, times[is_its] / unit, replies["bytes"][is_its], lane, span / unit)
    _draw_pauses(ax, pauses, unit)
    return ax


# -- when


def _on_a_clock(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the commands with begin and end in seconds, and the pauses that are shortened."""
    names = frame["command"].astype("object").where(frame["command"].notna(), "")
    last = frame.groupby("connection")["time"].transform("max")
    frame = frame.assign(command=names, last=last)
    is_tagged = frame["tag"].notna() & ~frame["tag"].isin(["*", "+"])
    is_sent = (frame["direction"] == "C") & is_tagged
    key = ["connection", "tag"]
    commands = frame.loc[is_sent, [*key, "command", "time", "last"]]
    done = frame.loc[~is_sent & is_tagged & (frame["direction"] == "S"), [*key, "time"]]
    done = done.drop_duplicates(key).rename(columns={"time": "completed"})
    commands = commands.merge(done, on=key, how="left")
    is_done = commands["completed"].notna()
    ends = commands["completed"].where(is_done, commands["last"])
    first = frame["time"].min()
    lines = _seconds(frame["time"], first)
    begin = np.concatenate([_seconds(commands["time"], first), lines])
    end = np.concatenate([_seconds(ends, first), lines])
    pauses = _pauses(begin, end)
    commands = commands.assign(
        begin=_clock(commands["time"], first, pauses),
        end=_clock(ends, first, pauses),
        is_done=is_done,
    )
    return commands.sort_values("begin", kind="stable", ignore_index=True), pauses


def _seconds(times: pd.Series, first: pd.Timestamp) -> NDArray[np.float64]:
    return np.asarray((times - first).dt.total_seconds(), dtype=np.float64)


def _pauses(begin: NDArray[np.float64], end: NDArray[np.float64]) -> pd.DataFrame:
    """Find where nothing is in flight for long: where, how long, and how much is taken out."""
    order = np.argsort(begin, kind="stable")
    begin = begin[order]
    end = np.asarray(np.maximum.accumulate(end[order]), dtype="float64")
    length = np.maximum(begin[1:] - end[:-1], 0)
    longest = np.sort(length)[::-1][:_MOST_PAUSES]
    rest = (end[-1] if len(end) else 0) - np.cumsum(longest)
    # The last of the longest that would still take so much of what is left without them.
    taking = np.flatnonzero(longest > _LONG * rest)
    if not len(taking):
        return pd.DataFrame({"after": [], "length": [], "out": []}, dtype="float64")
    is_long = length >= longest[taking[-1]]
    kept = max(_PAUSE * rest[taking[-1]], 1e-3)
    pauses = pd.DataFrame({"after": end[:-1][is_long], "length": length[is_long]})
    return pauses.assign(out=np.maximum(pauses["length"] - kept, 0))


def _clock(times: pd.Series, first: pd.Timestamp, pauses: pd.DataFrame) -> NDArray[np.float64]:
    """Return seconds since the first line, less what of the pauses is taken out."""
    seconds = _seconds(times, first)
    before = np.searchsorted(pauses["after"].to_numpy(), seconds, side="left")
    out = np.r_[0.0, pauses["out"].cumsum().to_numpy()]
    return np.asarray(seconds - out[before], dtype="float64")


# -- where


def _lanes(frame: pd.DataFrame, commands: pd.DataFrame) -> list[_Lane]:
    """Give each connection a lane, and each command in it a row: column ``row``."""
    commands["row"] = 0
    lanes: list[_Lane] = []
    for connection in sorted(frame["connection"].unique()):
        its = commands[commands["connection"] == connection]
        free: list[float] = []  # when the last command of each row ends
        rows = []
        for begin, end in zip(its["begin"], its["end"], strict=True):
            row = next((n for n, until in enumerate(free) if until <= begin), len(free))
            free[row : row + 1] = [end]
            rows.append(row)
        commands.loc[its.index, "row"] = rows
        top = lanes[-1].bottom + 0.4 if lanes else 0.0
        lanes.append(_Lane(int(connection), top, max(len(free), 1)))
    return lanes


# -- what


def _draw_commands(ax: Axes, commands: pd.DataFrame, lanes: list[_Lane], scale: _Scale) -> None:
    # What took longest gets the colours.
    weight = (commands["end"] - commands["begin"]).groupby(commands["command"]).sum()
    names = list(weight.sort_values(ascending=False).index)
    colours = {name: COLOURS[n] if n < len(COLOURS) else OTHERS for n, name in enumerate(names)}
    # A bar of no width would not be seen.
    commands["width"] = np.maximum(commands["end"] - commands["begin"], scale.span / 1000)
    for lane in lanes:
        its = commands[commands["connection"] == lane.connection]
        bars = ax.bar(
            its["begin"] / scale.unit, _BAR, its["width"] / scale.unit, lane.top + its["row"],
            align="edge", color=[colours[name] for name in its["command"]], linewidth=0,
        )  # fmt: skip
        for bar, is_done in zip(bars, its["is_done"], strict=True):
            bar.set_alpha(1 if is_done else 0.35)
        _write_names(ax, its, lane, colours, scale)
    handles = [Patch(color=colours[name], label=name) for name in names[: len(COLOURS)]]
    if len(names) > len(COLOURS):
        handles.append(Patch(color=OTHERS, label="others"))
    if handles:
        add_legend(ax, handles, [str(one.get_label()) for one in handles])


def _write_names(
    ax: Axes, commands: pd.DataFrame, lane: _Lane, colours: dict[str, str], scale: _Scale
) -> None:
    """Write names in the bars that have room for them, or behind, before the next one."""
    following = commands.groupby("row")["begin"].shift(-1).fillna(scale.span * 1.01)
    for name, begin, width, row, limit in zip(
        commands["command"], commands["begin"], commands["width"], commands["row"], following,
        strict=True,
    ):  # fmt: skip
        end = begin + width
        paused = [pause for pause in scale.pauses if pause >= end - scale.span / 1000]
        needed = (len(name) + 1) * _INCHES * scale.inch
        y = lane.top + row + _BAR / 2
        if width >= needed:
            colour = "white" if colours[name] in _DARK else "black"
            x = (begin + width / 2) / scale.unit
            ax.text(x, y, name, color=colour, va="center", ha="center", fontsize=7)
        elif min([limit, *paused]) - end >= needed:
            x = (end + 0.4 * _INCHES * scale.inch) / scale.unit
            ax.text(x, y, name, va="center", ha="left", fontsize=7)


def _draw_replies(
    ax: Axes, times: NDArray[np.float64], sizes: pd.Series, lane: _Lane, span: float
) -> None:
    place = np.clip((times / span * _TICKS).astype("int64"), 0, _TICKS)
    octets = np.bincount(place, sizes.fillna(0).to_numpy(dtype="float64"), _TICKS + 1)
    shown = np.flatnonzero(np.bincount(place, minlength=_TICKS + 1))
    if not len(shown):
        return
    height = np.sqrt(octets[shown] / max(octets.max(), 1))  # few bytes are to be seen as well
    height = (_SHORTEST + (1 - _SHORTEST) * height) * _STRIP * 0.9
    bottom = lane.top + lane.rows + _STRIP * 0.9
    ax.vlines((shown + 0.5) / _TICKS * span, bottom - height, bottom, color=OTHERS, linewidth=1)


def _draw_pauses(ax: Axes, pauses: pd.DataFrame, unit: float) -> None:
    out = pauses["out"].cumsum().shift(fill_value=0)
    middles = (pauses["after"] - out + (pauses["length"] - pauses["out"]) / 2) / unit
    for middle, length in zip(middles, pauses["length"], strict=True):
        ax.axvline(middle, color=OTHERS, linewidth=0.8, linestyle=(0, (2, 3)))
        ax.text(
            middle, 0.5, _duration(length), rotation=90, fontsize=7, ha="center", va="center",
            transform=ax.get_xaxis_transform(),
            bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _label(ax: Axes, first: pd.Timestamp, lanes: list[_Lane], unit: str) -> None:
    is_narrow = width_of(ax) < NARROW
    ax.set_xlabel(f"{unit} since {first.tz_convert('UTC'):%H:%M:%S} UTC", loc="left")
    ax.set_yticks(
        [(lane.top + lane.bottom) / 2 for lane in lanes],
        [str(lane.connection) if is_narrow else f"connection {lane.connection}" for lane in lanes],
    )
    if is_narrow:
        ax.set_ylabel("connection")
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis="x", alpha=0.35, linewidth=0.6)


def _duration(seconds: float) -> str:
    size, name = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{seconds / size:,.3g} {name}"
