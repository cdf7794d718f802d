"""Every error says what was tried, what came back and what to do next."""

from __future__ import annotations

import inspect
import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from mailframe import exceptions
from mailframe.exceptions import MailframeError

if TYPE_CHECKING:
    from collections.abc import Iterator


def descendants(kind: type[MailframeError]) -> Iterator[type[MailframeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


CLASSES = sorted(set(descendants(MailframeError)), key=lambda kind: kind.__name__)
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def drawn_classes() -> dict[str, tuple[str, set[str]]]:
    """Read the tree in the docstring: class name to its parent and the builtins beside it."""
    parents: list[str] = []
    drawn = {}
    pattern = re.compile(r"^    ([│ ]*(?:[├└]── )?)(\w+Error)\b(?: +\((\w+)\))?", re.MULTILINE)
    for branch, name, builtin in pattern.findall(exceptions.__doc__ or ""):
        depth = len(branch) // 4
        parents[depth:] = [name]
        parent = parents[depth - 1] if depth else "Exception"
        drawn[name] = (parent, {builtin} - {""})
    return drawn


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    real = {
        kind.__name__: (kind.__bases__[0].__name__, {base.__name__ for base in kind.__bases__[1:]})
        for kind in CLASSES
    }
    assert drawn_classes() == real


def test_every_class_is_exported() -> None:
    defined = [kind.__name__ for kind in CLASSES if kind.__module__ == exceptions.__name__]
    assert sorted(exceptions.__all__) == sorted([*defined, exceptions.IncompleteWarning.__name__])


@each_class
def test_is_also_the_builtin_it_resembles(kind: type[MailframeError]) -> None:
    if kind is MailframeError:
        return
    builtins = [base for base in kind.__mro__ if base.__module__ == "builtins"]
    assert builtins[0] is not Exception


@each_class
def test_has_a_suggestion_of_its_own_class(kind: type[MailframeError]) -> None:
    assert isinstance(kind.suggestion, str)
    assert kind is MailframeError or "suggestion" in vars(kind)
    assert kind is MailframeError or kind.suggestion.endswith((".", ")."))


@each_class
def test_is_documented(kind: type[MailframeError]) -> None:
    assert (inspect.getdoc(kind) or "").startswith(("Raised ", "Root of "))


@each_class
def test_says_what_was_tried_what_came_back_and_what_to_do(kind: type[MailframeError]) -> None:
    error = kind("Could not do it.", reply="NO [CANNOT] really not", suggestion="Do less.")
    assert str(error) == (
        f"Could not do it.\n{kind.speaker} said: NO [CANNOT] really not\nWhat to do: Do less."
    )
    assert (error.tried, error.reply, error.suggestion) == (
        "Could not do it.",
        "NO [CANNOT] really not",
        "Do less.",
    )


@each_class
def test_leaves_out_what_it_does_not_know(kind: type[MailframeError]) -> None:
    error = kind("Could not do it.")
    expected = "Could not do it."
    if kind.suggestion:
        expected += f"\nWhat to do: {kind.suggestion}"
    assert str(error) == expected


@each_class
def test_pickles_with_everything(kind: type[MailframeError]) -> None:
    error = kind("Could not do it.", reply="NO", suggestion="Do less.")
    error.add_note("in the second folder")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert copy.args == error.args


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a real IPython that writes nothing into the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setattr(HistoryManager, "enabled", False)
        yield InteractiveShell.instance(colors="nocolor")
        InteractiveShell.clear_instance()


def run(shell: Any, capsys: pytest.CaptureFixture[str], cell: str) -> str:
    """Run a cell and return everything that it shows."""
    shell.run_cell(cell)
    captured = capsys.readouterr()
    return captured.out + captured.err


@each_class
def test_a_notebook_shows_the_message_and_how_to_see_the_traceback(
    shell: Any, capsys: pytest.CaptureFixture[str], kind: type[MailframeError]
) -> None:
    shown = run(
        shell,
        capsys,
        f"from {kind.__module__} import {kind.__name__}\n"
        f"raise {kind.__name__}('Could not do it.', reply='NO')",
    )
    lines = shown.strip().splitlines()
    assert lines[0] == f"{kind.__name__}: Could not do it."
    assert lines[1] == f"{kind.speaker} said: NO"
    assert "Traceback" not in shown
    assert "traceback.print_exception(sys.last_value)" in lines[-1]


def test_the_way_to_the_full_traceback_that_is_shown_works(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(
        shell, capsys, "from mailframe.exceptions import QueryError; raise QueryError('No.')"
    )
    [command] = re.findall(r"(import .*)\)$", shown, re.MULTILINE)
    shown = run(shell, capsys, command)
    assert "Traceback (most recent call last)" in shown
    assert "QueryError: No." in shown
