"""Every picture of the sample mailbox, as it looked when somebody last looked at it.

After a change that is meant, draw them anew and look at each of them:
``python -m pytest tests/test_pictures.py --mpl-generate-path=tests/baseline``.
"""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl

mpl.use("agg")

import pandas as pd
import pytest
from matplotlib.figure import Figure

import mailframe as mf
from mailframe import plots, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

BASELINE = Path(__file__).with_name("baseline")
#: Root of the mean squared difference of colours, from 0 to 255. Another version of matplotlib
#: shifts a line here and there by a pixel and renders letters otherwise; a bar, a label or a colour
#: that is missing is more.
TOLERANCE = 4
DOTS = 60  # an inch
FONT = {"font.family": "DejaVu Sans"}
ZONE = "Europe/Stockholm"
BEFORE = pd.Timestamp("2025-01-01", tz="UTC")


class Sample(NamedTuple):
    """What is drawn."""

    headers: pd.DataFrame
    recipients: pd.DataFrame


@cache
def sample() -> Sample:
    with mf.demo() as session:
        return Sample(
            session.headers(folder="*", progress=False),
            session.recipients(folder="*", progress=False),
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


PICTURES: dict[str, Callable[[Sample, Axes | None], Axes]] = {
    "activity": lambda mail, ax: plots.activity(mail.headers, tz=ZONE, ax=ax),
    "calendar": lambda mail, ax: plots.calendar(mail.headers, tz=ZONE, ax=ax),
    "compare": compared,
    "diurnal": lambda mail, ax: plots.diurnal(mail.headers, tz=ZONE, ax=ax),
    "domains": lambda mail, ax: plots.domains(mail.headers, ax=ax),
    "network": lambda mail, ax: plots.network(
        mail.recipients, headers=mail.headers, without_me=True, top=8, ax=ax
    ),
    "recipients": lambda mail, ax: plots.recipients(mail.recipients, ax=ax),
    "response_times": lambda mail, ax: plots.response_times(mail.headers, ax=ax),
    "senders": lambda mail, ax: plots.senders(mail.headers, by="name", ax=ax),
    "thread": lambda mail, ax: plots.thread(mail.headers, tz=ZONE, ax=ax),
    "trace": lambda _mail, ax: plots.trace(dialogue(), ax=ax),
    "volume": lambda mail, ax: plots.volume(mail.headers, by="direction", tz=ZONE, ax=ax),
}


def like_before(style: str) -> Any:
    return pytest.mark.mpl_image_compare(
        baseline_dir=BASELINE.name, tolerance=TOLERANCE, style=[style, FONT],
        savefig_kwargs={"dpi": DOTS}, deterministic=True,
    )  # fmt: skip


@like_before("default")
@pytest.mark.parametrize("name", PICTURES)
def test_light(name: str) -> Any:
    return PICTURES[name](sample(), None).figure


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
