"""Every picture of the sample mailbox, as it looked when somebody last looked at it.

After a change that is meant, draw them anew and look at each of them:
``python -m pytest tests/test_pictures.py --mpl-generate-path=tests/baseline``.
"""

from __future__ import annotations

import inspect
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl

mpl.use("agg")

import pandas as pd
import pytest
from matplotlib.figure import Figure

import mailframe as mf
from mailframe import plots, schema
from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

BASELINE = Path(__file__).with_name("baseline")
#: Root of the mean squared difference of colours, from 0 to 255.
TOLERANCE = 0.5
#: Another one has another FreeType, and with it letters of another size: everything is elsewhere.
DRAWN_WITH = "3.11"
DOTS = 60  # an inch
FONT = {"font.family": "DejaVu Sans"}
ZONE = "Europe/Stockholm"
BEFORE = pd.Timestamp("2025-01-01", tz="UTC")


class Sample(NamedTuple):
    """What is drawn."""

    headers: pd.DataFrame
    recipients: pd.DataFrame
    attachments: pd.DataFrame
    hops: pd.DataFrame
    bodies: pd.DataFrame


@cache
def sample() -> Sample:
    with mf.demo() as session:
        return Sample(
            session.headers(folder="*", progress=False),
            session.recipients(folder="*", progress=False),
            session.attachments(folder="*", progress=False),
            session.hops(folder="*", progress=False),
            # All of a text: how replies are divided is no matter of pictures.
            session.bodies(folder="*", progress=False).rename(columns={"text": "own_text"}),
        )


def dialogue() -> pd.DataFrame:
    """Return what two connections said within nine seconds, and one more after a pause."""
    commands = [
        (0.0, 0.3, 1, "EXAMINE"), (0.3, 0.9, 1, "UID SEARCH"), (0.9, 4.0, 1, "UID FETCH"),
        (1.4, 5.2, 1, "UID FETCH"), (0.2, 0.6, 2, "EXAMINE"), (0.6, 8.0, 2, "UID FETCH"),
        (5.2, 8.9, 1, "UID FETCH"), (900.0, 900.4, 1, "NOOP"),
    ]  # fmt: skip
    lines = [
        line
        for n, (begin, end, connection, name) in enumerate(commands)
        for line in (
            (begin, connection, "C", f"A{n}", name, 20),
            *((begin + (end - begin) * k / 9, connection, "S", "*", name, 90 * k)
              for k in range(1, 9)),
            (end, connection, "S", f"A{n}", name, 30),
        )
    ]  # fmt: skip
    columns = ["time", "connection", "direction", "tag", "command", "bytes"]
    frame = pd.DataFrame(sorted(lines), columns=columns)
    begin = pd.Timestamp("2026-03-01T08:00:00Z")
    times = begin + pd.to_timedelta(frame["time"], unit="s")
    return schema.conform(frame.assign(time=times, elapsed=pd.Timedelta(0), line="x"), "trace")


def compared(mail: Sample, ax: Axes | None) -> Axes:
    days = pd.Timedelta(days=90)
    dates = mail.headers["date"]
    now = mail.headers[(dates >= BEFORE) & (dates < BEFORE + days)]
    before = mail.headers[(dates < BEFORE) & (dates >= BEFORE - days)]
    return plots.compare(now, before, by="direction", ax=ax)


def phrased(mail: Sample, ax: Axes | None) -> Axes:
    is_late = mail.headers["date"] >= BEFORE
    return plots.phrases(mail.headers[is_late], mail.headers[~is_late], ax=ax)


PICTURES: dict[str, Callable[[Sample, Axes | None], Axes]] = {
    "activity": lambda mail, ax: plots.activity(mail.headers, tz=ZONE, ax=ax),
    "attachments": lambda mail, ax: plots.attachments(
        mail.attachments, headers=mail.headers, by="period", tz=ZONE, ax=ax
    ),
    "calendar": lambda mail, ax: plots.calendar(mail.headers, tz=ZONE, ax=ax),
    "compare": compared,
    "delivery": lambda mail, ax: plots.delivery(mail.hops, mail.headers, ax=ax),
    "diurnal": lambda mail, ax: plots.diurnal(mail.headers, tz=ZONE, ax=ax),
    "domains": lambda mail, ax: plots.domains(mail.headers, ax=ax),
    "network": lambda mail, ax: plots.network(
        mail.recipients, headers=mail.headers, without_me=True, top=8, ax=ax
    ),
    "newsletters": lambda mail, ax: plots.newsletters(mail.headers, ax=ax),
    "phrases": phrased,
    "recipients": lambda mail, ax: plots.recipients(mail.recipients, ax=ax),
    "response_times": lambda mail, ax: plots.response_times(mail.headers, ax=ax),
    "senders": lambda mail, ax: plots.senders(mail.headers, by="name", ax=ax),
    "storage": lambda mail, ax: plots.storage(mail.headers, ax=ax),
    "thread": lambda mail, ax: plots.thread(mail.headers, tz=ZONE, ax=ax),
    "trace": lambda _mail, ax: plots.trace(dialogue(), ax=ax),
    "volume": lambda mail, ax: plots.volume(mail.headers, by="direction", tz=ZONE, ax=ax),
    "words": lambda mail, ax: plots.words(
        mail.bodies, mail.headers, by="direction", tz=ZONE, ax=ax
    ),
}


def like_before(style: str) -> Any:
    return pytest.mark.mpl_image_compare(
        baseline_dir=BASELINE.name, tolerance=TOLERANCE, style=[style, FONT],
        savefig_kwargs={"dpi": DOTS}, deterministic=True,
    )  # fmt: skip


@pytest.fixture
def same_letters() -> None:
    if mpl.__version__.rpartition(".")[0] != DRAWN_WITH:
        missing(f"pictures are those of matplotlib {DRAWN_WITH}, not of {mpl.__version__}")


@pytest.mark.usefixtures("same_letters")
@like_before("default")
@pytest.mark.parametrize("name", PICTURES)
def test_light(name: str) -> Any:
    return PICTURES[name](sample(), None).figure


@pytest.mark.usefixtures("same_letters")
@like_before("dark_background")
@pytest.mark.parametrize("name", PICTURES)
def test_dark_and_small(name: str) -> Any:
    figure = Figure(figsize=(4, 3), layout="constrained")
    PICTURES[name](sample(), figure.subplots())
    return figure


def test_every_picture_is_compared(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption("--mpl"), "without it no picture is looked at"
    public = {name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))}
    assert set(PICTURES) == public
    tests = (test_light, test_dark_and_small)
    expected = {f"{test.__name__}_{name}.png" for test in tests for name in public}
    assert {path.name for path in BASELINE.iterdir()} == expected


def test_baselines_are_small() -> None:
    assert max(path.stat().st_size for path in BASELINE.iterdir()) <= 60_000


def small(name: str, *, days: int = 3650) -> Axes:
    """Draw the mail of so many last days on 300 by 220 pixels."""
    mail = sample()
    dates = mail.headers["date"]
    headers = mail.headers[dates > BEFORE + pd.Timedelta(days=365 - days)]
    ax = Figure(figsize=(3, 2.2), dpi=100, layout="constrained").subplots()
    PICTURES[name](mail._replace(headers=headers), ax)
    ax.figure.draw_without_rendering()
    return ax


@pytest.mark.parametrize(
    "name", ["attachments", "compare", "delivery", "thread", "trace", "volume", "words"]
)
def test_where_there_is_little_room_the_legend_lies_below(name: str) -> None:
    ax = small(name)
    box = ax.get_legend().get_window_extent()
    assert not box.overlaps(ax.bbox)
    assert not box.overlaps(ax.xaxis.label.get_window_extent())
    assert ax.figure.bbox.x0 <= box.x0
    assert box.x1 <= ax.figure.bbox.x1


@pytest.mark.parametrize("name", ["delivery", "domains", "recipients", "senders", "storage"])
def test_where_there_is_little_room_there_are_fewer_rows_and_none_on_another(name: str) -> None:
    ax = small(name)
    boxes = [one.get_window_extent() for one in ax.get_yticklabels()]
    assert 4 <= len(boxes) < 15
    assert f"({len(boxes)} of " in ax.get_title().replace("\n", " ")
    centres = sorted(box.y0 for box in boxes)
    least = min(b - a for a, b in pairwise(centres))
    assert least > 0.09 * 100


@pytest.mark.parametrize("name", ["attachments", "diurnal", "thread", "volume"])
@pytest.mark.parametrize("days", [20, 3650])
def test_the_month_does_not_stand_on_the_label(name: str, days: int) -> None:
    ax = small(name, days=days)
    label, month = ax.xaxis.label, ax.xaxis.get_offset_text()
    if month.get_text():
        assert not label.get_window_extent().overlaps(month.get_window_extent())
    else:
        assert ax.xaxis.labelpad == mpl.rcParams["axes.labelpad"]
