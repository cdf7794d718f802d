"""The notebooks: they run, show what they say they show, and can be published as they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailframe import analysis, plots
from tests.conftest import CHECKOUT, require

nbformat = require("nbformat", "nbformat")
NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
GALLERY = CHECKOUT / "notebooks" / "90_gallery.ipynb"
MARK = "# NBVAL_CHECK_OUTPUT"
LONGEST_CELL = 25
# Where files lie on somebody's machine.
PLACE = re.compile(r"(?<![\w.:/<])/(?:home|Users|root|tmp|var|opt|work|mnt)/|\b[A-Z]:\\\\?\w")
SHOWN = {"text/plain", "text/html", "image/png"}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def cells(path: Path, kind: str = "code") -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == kind]


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook in a folder of its own, and compare what is marked with what is committed.

    Workers of xdist would share the cells of one notebook out among them: this process has none.
    """
    require("nbval", "nbval")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST")
    }
    folder = str(path.parent)
    own = {"PYTHONPATH": str(CHECKOUT), "IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "--nbval-lax", "--nbval-current-env",
         path.name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**environment, **own},
        check=False,
    )  # fmt: skip


def test_there_is_a_first_notebook() -> None:
    assert NOTEBOOKS[0].name == "00_quickstart.ipynb"


@every_notebook
def test_a_notebook_runs_and_shows_what_is_committed(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path))
    done = validate(copy)
    assert done.returncode == 0, done.stdout
    assert f"{len(cells(path))} passed" in done.stdout


def test_a_notebook_that_fails_or_shows_something_else_is_found(tmp_path: Path) -> None:
    notebook = read(NOTEBOOKS[0])
    checked = next(at for at, cell in enumerate(notebook.cells) if MARK in cell.source)
    notebook.cells = notebook.cells[: checked + 1]
    notebook.cells[checked].outputs[0].data["text/plain"] = "something else"
    notebook.cells.append(nbformat.v4.new_code_cell("session.close()"))
    notebook.cells.append(nbformat.v4.new_code_cell("session.folders()"))
    copy = tmp_path / "broken.ipynb"
    nbformat.write(notebook, copy)
    done = validate(copy)
    assert done.returncode == 1
    assert "2 failed, 2 passed" in done.stdout


@every_notebook
def test_the_output_is_that_of_one_run_without_errors(path: Path) -> None:
    ran = cells(path)
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    for output in (output for cell in ran for output in cell.outputs):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        assert set(output.get("data", {})) <= SHOWN


@every_notebook
def test_the_lesson_is_in_checked_outputs_and_in_pictures(path: Path) -> None:
    checked = [cell for cell in cells(path) if cell.source.startswith(MARK)]
    assert checked
    assert all(cell.outputs for cell in checked)
    assert [
        cell
        for cell in cells(path)
        if any("image/png" in out.get("data", {}) for out in cell.outputs)
    ]


@every_notebook
def test_nothing_in_it_is_of_one_machine_or_secret(path: Path) -> None:
    for cell in read(path).cells:
        shown = [cell.source, *(str(output) for output in cell.get("outputs", ()))]
        assert not [text for text in shown if PLACE.search(text)]
    assert not [cell for cell in cells(path) if re.search("password|token|secret", cell.source)]


def test_a_place_on_a_machine_is_seen() -> None:
    assert all(map(PLACE.search, ["in '/home/me/mail.csv'", r"C:\\Users\\me", "/tmp/x"]))
    assert not any(
        map(PLACE.search, ["https://a.example/home/x", "text/html", "mail.csv", "</tmp/"])
    )


@every_notebook
def test_it_is_written_to_be_read(path: Path) -> None:
    notebook = read(path)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.cells[1].source.startswith("## ")
    assert len(cells(path, "markdown")) >= len(cells(path))
    assert all(len(cell.source.splitlines()) <= LONGEST_CELL for cell in notebook.cells)


@every_notebook
def test_it_says_goodbye(path: Path) -> None:
    assert "session.close()" in cells(path)[-1].source


@every_notebook
def test_no_bar_is_left_in_the_output(path: Path) -> None:
    reading = re.compile(r"session\.(?:headers|recipients|bodies|attachments|download|hops)\(.*\)")
    calls = [call for cell in cells(path) for call in reading.findall(cell.source)]
    assert calls
    assert not [call for call in calls if "progress=False" not in call]


def test_the_gallery_has_every_analysis() -> None:
    source = "\n".join(cell.source for cell in cells(GALLERY))
    shown = set(re.findall(r"\.(?:analysis|mail)\.(\w+)\(", source))
    assert shown == set(analysis.__all__)


def test_the_gallery_has_a_picture_of_every_plot() -> None:
    drawing = re.compile(r"\.plots?\.(\w+)\(")
    drawn = [
        (name, [output for output in cell.outputs if "image/png" in output.get("data", {})])
        for cell in cells(GALLERY)
        for name in drawing.findall(cell.source)
    ]
    assert {name for name, _ in drawn} == set(plots.__all__)
    assert all(len(pictures) == 1 for _, pictures in drawn)


def test_the_gallery_tells_of_all_that_it_has() -> None:
    prose = "\n".join(cell.source for cell in cells(GALLERY, "markdown"))
    assert set(re.findall(r"\*\*(\w+)\*\*", prose)) == {*analysis.__all__, "trace"}
