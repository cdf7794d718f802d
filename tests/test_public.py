"""What the package shows to those who import it."""

from __future__ import annotations

import importlib
import inspect
import logging
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import mailframe as mf
import mailframe.imap

CHECKOUT = Path(__file__).parent.parent
#: What is heavy, and not everybody needs.
HEAVY = ("pandas", "matplotlib", "tqdm", "pyarrow", "numpy", "ipywidgets", "IPython")


@pytest.mark.parametrize("name", mf.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(mf, name) is not None
    assert name in dir(mf)


def test_the_public_names_are_these() -> None:
    assert sorted(mf.__all__) == sorted({
        "Address", "AsyncSession", "Attachment", "Email", "MailframeError", "Q", "Session",
        "analysis", "anonymize", "concat", "connect", "connect_async", "credentials", "demo",
        "exceptions", "plots", "report", "schema",
    })  # fmt: skip
    assert mf.imap.__all__ == sorted(mf.imap.__all__, key=str.lower)


def test_a_star_import_brings_the_public_names_and_hides_no_builtin() -> None:
    names: dict[str, Any] = {}
    exec("from mailframe import *", names)
    names.pop("__builtins__")
    assert set(names) == set(mf.__all__)
    assert "open" not in names


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'mailframe' has no attribute 'nonsense'"):
        mf.nonsense  # noqa: B018 - asking is the test


def imported_by(statement: str) -> set[str]:
    """Return the modules that a fresh process has after one statement."""
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=True,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    ["import mailframe", "import mailframe.imap", "import mailframe as mf; mf.Q(seen=True)"],
)
def test_what_is_heavy_is_imported_on_use(statement: str) -> None:
    assert not imported_by(statement) & set(HEAVY)


def test_a_session_needs_pandas_but_draws_nothing_before_it_is_asked_to() -> None:
    found = imported_by("import mailframe as mf; mf.connect")
    assert "pandas" in found
    assert not found & {"matplotlib", "ipywidgets", "IPython", "tqdm"}


def test_the_client_module_works_by_itself() -> None:
    found = imported_by("from mailframe.imap import IMAPClient; IMAPClient()")
    assert "mailframe.imap.client" in found
    assert not found & set(HEAVY)


def public_objects() -> dict[str, Any]:
    """Return every public module, class, function, method and property, by dotted name."""
    found: dict[str, Any] = {"mailframe": mf, "mailframe.imap": mf.imap}
    for module in ("exceptions", "records", "schema", "session", "source", "frames", "selection",
                   "criteria", "parsing", "imap", "cli"):  # fmt: skip
        home = importlib.import_module(f"mailframe.{module}")
        found[home.__name__] = home
        for name in getattr(home, "__all__", ()):
            value = getattr(home, name)
            if inspect.isclass(value):
                found |= members(f"{home.__name__}.{name}", value)
            if inspect.isclass(value) or inspect.isroutine(value):
                found[f"{home.__name__}.{name}"] = value
    return found


def members(prefix: str, cls: type) -> dict[str, Any]:
    return {
        f"{prefix}.{name}": value
        for base in reversed(cls.__mro__)
        if base.__module__.startswith("mailframe")
        for name, value in vars(base).items()
        if not name.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property | classmethod))
    }


PUBLIC = public_objects()


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_object_has_a_docstring(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name])
    assert text
    # dataclass writes one of its own where there is none: the signature.
    assert not text.startswith(f"{name.rpartition('.')[2]}(")


def test_the_methods_of_a_session_are_found_above() -> None:
    names = ("headers", "account", "stream", "watch", "explain", "trace")
    assert {f"mailframe.session.Session.{name}" for name in names} <= set(PUBLIC)


@pytest.mark.parametrize("name", ["search", "headers", "recipients", "attachments", "bodies"])
def test_reading_methods_have_one_form(name: str) -> None:
    parameters = inspect.signature(getattr(mf.Session, name)).parameters
    assert list(parameters)[:4] == ["self", "criteria", "folder", "limit"]
    assert parameters["criteria"].default == "ALL"
    assert parameters["folder"].default == "INBOX"
    assert parameters["limit"].default is None
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[2:])


def test_type_checkers_are_told_that_there_are_types() -> None:
    assert resources.files("mailframe").joinpath("py.typed").is_file()


def test_nothing_is_logged_unless_somebody_wants_it() -> None:
    handlers = logging.getLogger("mailframe").handlers
    assert [handler for handler in handlers if isinstance(handler, logging.NullHandler)]
    assert logging.getLogger("mailframe").level == logging.NOTSET
