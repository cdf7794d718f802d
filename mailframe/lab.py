"""What ``mailframe lab`` does: JupyterLab on the notebooks that come with mailframe."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.exceptions import MailframeError
from mailframe.saving import Destination, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FIRST", "notebooks", "open_lab"]

#: The notebook that is shown.
FIRST = "00_quickstart.ipynb"
_PACKAGE = Path(__file__).parent


def open_lab(into: Path | None = None, options: Sequence[str] = ()) -> int:
    """Open JupyterLab on the notebooks, and wait for its end.

    Parameters
    ----------
    into
        As for `notebooks`.
    options
        Of JupyterLab: ``["--no-browser", "--port=9999"]``.

    Returns
    -------
    int
        JupyterLab's exit status.

    Raises
    ------
    MailframeError
        If JupyterLab is not installed, or there are no notebooks.
    SaveError
        If the notebooks could not be copied.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MailframeError(
            "JupyterLab is not installed beside mailframe.",
            suggestion=f"{sys.executable} -m pip install 'mailframe[notebook]'",
        )
    folder = notebooks(into)
    print(f"Opening the notebooks in {folder}; Ctrl-C twice ends JupyterLab.", flush=True)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        *options,
    ]
    with subprocess.Popen(command) as process:  # noqa: S603 nothing in it is a stranger's
        while True:
            try:
                status = process.wait()
                return status if status >= 0 else 128 - status  # as a shell says it
            except KeyboardInterrupt:  # JupyterLab heard it as well, and asks whether to stop
                continue


def notebooks(into: Path | None = None) -> Path:
    """Return a folder of the notebooks that can be written to.

    Parameters
    ----------
    into
        Where to copy them, never over a file that is there. By default those of a checkout are
        used where they are, and those of an installation are copied to ``mailframe-notebooks``.

    Raises
    ------
    MailframeError
        If there are no notebooks.
    SaveError
        If they could not be copied.
    """
    installed, checkout = _PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"
    source = next((folder for folder in (installed, checkout) if (folder / FIRST).is_file()), None)
    if source is None:
        raise MailframeError(
            "The notebooks of mailframe are not there.",
            suggestion="Install mailframe again: they are part of it.",
        )
    if into is None and source == checkout:
        return checkout
    folder = Destination(into or Path("mailframe-notebooks")).folder.resolve()
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():  # what somebody wrote into his copy stays
            write_file(folder / notebook.name, notebook.read_bytes())
    return folder
