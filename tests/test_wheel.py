"""What is installed: the sample mailbox and the notebooks travel with the package."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, require


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package as it is installed, built without a network."""
    require("hatchling", "hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        capture_output=True,
        cwd=CHECKOUT,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


def run(installed: Path, folder: Path, script: str) -> str:
    """Run Python on the installed package, with the checkout out of sight."""
    hide = f"import sys; sys.path = [p for p in sys.path if p != {str(CHECKOUT)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", hide + script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_wheel_has_data_and_notebooks_and_nothing_else_of_the_checkout(
    installed: Path,
) -> None:
    package = installed / "mailframe"
    names = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    code = {name for name in names if name.endswith(".py")}
    wanted = {
        "py.typed",
        "imap/providers.toml",
        *(f"data/{path.name}" for path in (CHECKOUT / "data").glob("*.gz")),
        *(f"notebooks/{path.name}" for path in (CHECKOUT / "notebooks").glob("*.ipynb")),
    }
    assert {"data/sample.mbox.gz", "notebooks/00_quickstart.ipynb"} < wanted
    assert names - code == wanted
    assert not [name for name in code if name.startswith(("data/", "notebooks/", "tests/"))]
    assert {path.name for path in installed.iterdir()} == {
        "mailframe",
        next(installed.glob("*.dist-info")).name,
    }


def test_the_demo_is_found_in_an_installation(installed: Path, tmp_path: Path) -> None:
    script = """
import mailframe as mf
from mailframe.embedded.sample import SAMPLE
with mf.demo(messages=7) as session:
    print(len(session.headers(folder="*")), mf.__file__, SAMPLE, sep="\\n")
"""
    count, package, sample = run(installed, tmp_path, script).splitlines()
    assert count == "7"
    assert Path(package).is_relative_to(installed)
    assert Path(sample) == installed / "mailframe" / "data" / "sample.mbox.gz"


def test_the_notebooks_of_an_installation_are_copied_and_never_over_a_file(
    installed: Path, tmp_path: Path
) -> None:
    script = "from mailframe.lab import notebooks; print(notebooks())"
    folder = Path(run(installed, tmp_path, script))
    assert folder == tmp_path.resolve() / "mailframe-notebooks"
    first = folder / "00_quickstart.ipynb"
    assert first.read_bytes() == (CHECKOUT / "notebooks" / first.name).read_bytes()
    first.write_text("mine")
    assert Path(run(installed, tmp_path, script)) == folder
    assert first.read_text() == "mine"
