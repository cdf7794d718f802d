"""Imports go down the floors of the package, never up, and never in a circle.

Imports inside functions and under ``TYPE_CHECKING`` count.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = Path(__file__).parent.parent / "mailframe"

FLOORS = {
    "actions": 0,
    "cancellation": 0,
    "exceptions": 0,
    "idn": 0,
    "records": 0,
    "roles": 0,
    "schema": 0,
    "sizes": 0,
    "criteria": 1,
    "letters": 1,
    "parsing": 1,
    "saving": 1,
    "source": 2,
    "imap": 2,
    "files": 2,
    "frames": 3,
    "tables": 3,
    "explanation": 3,
    "dialogue": 3,
    "analysis": 3,
    "selection": 4,
    "progress": 4,
    "reading": 4,
    "kinds": 4,
    "streaming": 4,
    "datasets": 4,
    "watching": 4,
    "downloads": 4,
    "flow": 4,
    "conversation": 4,
    "applying": 4,
    "arranging": 4,
    "changing": 4,
    "rights": 4,
    "writable": 4,
    "journal": 4,
    "plan": 3,
    "plan_view": 3,
    "planning": 4,
    "session": 4,
    "opening": 4,
    "aio": 4,
    "notebook": 4,
    "workers": 4,
    "embedded": 4,
    "plots": 5,
    "accessor": 5,
    "reporting": 5,
    "widgets": 5,
    "terminal": 5,
    "layout": 5,
    "arguments": 6,
    "inspection": 6,
    "printing": 6,
    "demonstration": 6,
    "lab": 6,
    "signing_in": 6,
    "signed_in": 6,
    "changes_shown": 6,
    "cli": 6,
    "__main__": 6,
}
HIGHEST = max(FLOORS.values())
# A client and its test server must not share a bug; figures are made from frames alone.
FORBIDDEN = (
    ("parsing", "criteria"),
    ("criteria", "parsing"),
    ("analysis", "session"),
    ("analysis", "imap"),
    ("plots", "session"),
    ("plots", "imap"),
    ("embedded", "imap"),
)
LAUNCHER = "embedded.launcher"  # the one module of embedded that may import session
NO_NETWORK_NO_PANDAS = ("http", "imaplib", "pandas", "socket", "ssl", "urllib.request")
PUBLIC_MODULES = {"analysis", "exceptions", "plots", "schema", "widgets"}
VAGUE_NAMES = {"utils", "helpers", "common", "misc"}

Imports = dict[str, set[str]]


def test_the_package_keeps_to_its_floors() -> None:
    broken = broken_rules(PACKAGE)
    assert not broken, "\n".join(broken)


# -- the rules


def broken_rules(package: Path) -> list[str]:
    """Return every breach in a package as a sentence; inside, its name is left off."""
    imports = read_imports(package)
    return [
        *misplaced(imports),
        *upward(imports),
        *forbidden(imports),
        *circles(imports),
        *badly_named(imports, public_names(package)),
    ]


def misplaced(imports: Imports) -> Iterator[str]:
    for module in sorted(imports):
        if module and top(module) not in FLOORS:
            yield f"{module} has no floor yet: place it in FLOORS (and in the design's tree)"


def upward(imports: Imports) -> Iterator[str]:
    for module, target in own_imports(imports):
        if target == "":
            yield f"{module} imports the facade; import the module where the name is defined"
        elif FLOORS.get(top(target), 0) > FLOORS.get(top(module), HIGHEST):
            yield f"{module} imports {target}, which is on a higher floor"


def forbidden(imports: Imports) -> Iterator[str]:
    for module, target in own_imports(imports):
        if (top(module), top(target)) in FORBIDDEN:
            yield f"{module} imports {target}: {top(module)} must not know {top(target)}"
        if top(module) == "embedded" and top(target) == "session" and module != LAUNCHER:
            yield f"{module} imports {target}: of embedded, {LAUNCHER} alone may"
        if module == "imap.trace" and top(target) == "imap":
            yield f"imap.trace imports {target}: it imports nothing beside it"
    for module, targets in sorted(imports.items()):
        if module and FLOORS.get(top(module)) == 1:
            for target in sorted(targets):
                if any(is_within(target, name) for name in NO_NETWORK_NO_PANDAS):
                    yield f"{module} imports {target}: this floor knows no network and no pandas"


def circles(imports: Imports) -> Iterator[str]:
    # The facade imports everything, and that an importer may not import it is checked above.
    # A package's own __init__ hands out the names of its modules, so it counts like any module.
    graph = {
        module: {name.removeprefix("mailframe.") for name in targets if is_own(name)} - {module}
        for module, targets in imports.items()
        if module
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"imports go in a circle: {' <- '.join(error.args[1])}"


def badly_named(imports: Imports, public: set[str]) -> Iterator[str]:
    for module in sorted(imports):
        name = module.rpartition(".")[2]
        if name in VAGUE_NAMES:
            yield f"{module} is named for nothing in particular"
        if module in public - PUBLIC_MODULES:
            yield f"{module} has the name of something public, and would replace it on import"


# -- reading the source


def read_imports(package: Path) -> Imports:
    """Return what each module imports, in full; the package itself is the module ``""``."""
    paths = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    modules = {full_name(module) for module in paths}
    return {
        module: set(imported_names(path, full_name(module), modules))
        for module, path in paths.items()
    }


def imported_names(path: Path, module: str, modules: set[str]) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, base]).rstrip(".")
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield submodule if submodule in modules else base


def public_names(package: Path) -> set[str]:
    """Return the names in ``__all__``, and ``open``, which is public but not in it."""
    for node in ast.walk(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))):
        names = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(name, ast.Name) and name.id == "__all__" for name in names):
            return {"open", *ast.literal_eval(node.value)}  # type: ignore[attr-defined]
    return {"open"}


def own_imports(imports: Imports) -> list[tuple[str, str]]:
    """Return each import of one of the package's modules by another, without the facade's."""
    return [
        (module, target.removeprefix("mailframe").removeprefix("."))
        for module, targets in sorted(imports.items())
        for target in sorted(targets)
        if module and is_own(target)
    ]


def full_name(module: str) -> str:
    return f"mailframe.{module}".rstrip(".")


def top(module: str) -> str:
    return module.partition(".")[0]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def is_own(name: str) -> bool:
    return is_within(name, "mailframe")


# -- the rules can fail


def tree(folder: Path, files: Mapping[str, str]) -> Path:
    package = folder / "mailframe"
    for name, source in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return package


def test_a_tree_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    package = tree(
        tmp_path,
        {
            "__init__.py": "from mailframe.session import connect\n__all__ = ['connect', 'plots']",
            "records.py": "",
            "parsing/__init__.py": "from mailframe.parsing.html import text",
            "parsing/html.py": "from ..records import Part",
            "imap/__init__.py": "from mailframe.imap import trace",
            "imap/trace.py": "import logging, mailframe.records",
            "session.py": "import pandas\nfrom mailframe import parsing\nfrom .imap import trace",
            "embedded/launcher.py": "def demo():\n    from mailframe import session",
            "plots.py": "",
        },
    )
    assert broken_rules(package) == []


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"novel.py": ""}, "novel has no floor yet"),
        ({"records.py": "import mailframe.frames"}, "records imports frames, which is on a high"),
        ({"files.py": "def f():\n    from .session import Session"}, "files imports session"),
        (
            {
                "frames.py": "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from mailframe import cli",
                "cli.py": "",
            },
            "frames imports cli",
        ),
        ({"imap/client.py": "from .. import frames", "frames.py": ""}, "imap.client imports fram"),
        ({"session.py": "import mailframe as mf"}, "session imports the facade"),
        ({"session.py": "from mailframe import connect"}, "session imports the facade"),
        ({"session.py": "from . import connect"}, "session imports the facade"),
        ({"parsing/html.py": "from mailframe.criteria import Q"}, "parsing must not know criteria"),
        ({"criteria/q.py": "from mailframe.parsing import html"}, "criteria must not know parsing"),
        ({"analysis/volume.py": "import mailframe.imap.fetch"}, "analysis must not know imap"),
        ({"plots.py": "from mailframe.session import Session"}, "plots must not know session"),
        ({"embedded/launcher.py": "import mailframe.imap"}, "embedded must not know imap"),
        ({"embedded/server.py": "import mailframe.session"}, "embedded.launcher alone may"),
        ({"imap/trace.py": "from . import wire", "imap/wire.py": ""}, "nothing beside it"),
        ({"parsing/html.py": "import pandas as pd"}, "no network and no pandas"),
        ({"criteria/q.py": "from urllib.request import urlopen"}, "no network and no pandas"),
        (
            {
                "imap/a.py": "def f():\n    from .b import x",
                "imap/b.py": "from mailframe.imap.a import f",
            },
            "imports go in a circle",
        ),
        (
            {
                "imap/__init__.py": "from .fetch import fetch",
                "imap/fetch.py": "from . import other",
            },
            "imports go in a circle",
        ),
        ({"open.py": ""}, "open has the name of something public"),
        ({"imap/utils.py": ""}, "imap.utils is named for nothing in particular"),
        (
            {"__init__.py": "__all__ = ['report']", "report/__init__.py": ""},
            "report has the name of something public",
        ),
    ],
)
def test_each_rule_catches_what_breaks_it(
    tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    complaints = broken_rules(tree(tmp_path, files))
    assert any(complaint in found for found in complaints), complaints
