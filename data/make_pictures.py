"""Make the pictures of README: ``python data/make_pictures.py`` draws ``data/pictures/*.png`` anew.

The same mailbox gives the same bytes each time; another matplotlib may draw a line a pixel further
left, and another browser a letter. The background is white, so that they can be read on a dark page
as well. The report is photographed by Playwright, in a Chromium that is installed.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
from PIL import Image
from playwright.sync_api import sync_playwright

import mailframe as mf

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TARGET = Path(__file__).with_name("pictures")
ZONE = "Europe/Stockholm"
WIDTH, DOTS = 9, 100  # inches, and dots an inch: 900 pixels
MONTH, TALL = "2026-05", 1000
COLOURS = 256  # what a byte a pixel has room for: a third of the size


def pictures(mail: pd.DataFrame, recipients: pd.DataFrame) -> Iterator[tuple[str, Axes]]:
    """Draw one after the other, with the name of its file."""
    sent = mail[~mail["draft"]]
    yield "volume", mf.plots.volume(sent, "M", by="direction", tz=ZONE, ax=axes(3.6))
    yield "diurnal", mf.plots.diurnal(mail, tz=ZONE, ax=axes(4.2))
    # All members of the choir write to one address: without Mira that is a disc by itself.
    others = mail[mail["folder"] != "Lists/harbour-choir"]
    yield "network", mf.plots.network(recipients, headers=others, without_me=True, ax=axes(5.6))


def axes(height: float) -> Axes:
    """Make axes on a figure of their own, as wide as all others."""
    figure, ax = plt.subplots(figsize=(WIDTH, height), dpi=DOTS, layout="constrained")
    figure.set_facecolor("white")
    return ax


def png(figure: Figure) -> bytes:
    """Render a figure, without the version of matplotlib, which would be another one elsewhere."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return smaller(drawn)


def smaller(drawn: io.BytesIO) -> bytes:
    """Pack a picture."""
    packed = io.BytesIO()
    # Maximum coverage keeps the colours of small discs, which a median cut gives away.
    few = (
        Image.open(drawn)
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    few.save(packed, format="png", optimize=True)
    return packed.getvalue()


def photograph(session: mf.Session) -> bytes:
    """Write a report, and return how its beginning looks."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = mf.report(session, f"{folder}/report.html", period=MONTH, tz=ZONE, progress=False)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH * DOTS, "height": TALL})
        page.goto(path.as_uri())
        shown = page.screenshot()
        browser.close()
    return smaller(io.BytesIO(shown))


def draw() -> None:
    """Draw all on the sample mailbox, in no style of anybody's own."""
    with mf.demo() as session:
        mail = session.headers(folder="*", progress=False)
        recipients = session.recipients(folder="*", progress=False)
        (TARGET / "report.png").write_bytes(photograph(session))
    for name, ax in pictures(mail, recipients):
        data = png(ax.figure)
        (TARGET / f"{name}.png").write_bytes(data)
        print(f"{name}.png: {len(data):,} bytes")


if __name__ == "__main__":
    mpl.use("agg")
    mpl.rcdefaults()
    TARGET.mkdir(exist_ok=True)
    draw()
