"""``~/.netrc``: passwords by server and login, as ftp clients and curl have them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LeftAsideError", "look_up", "where"]

# A word, which may be quoted.
_WORD = re.compile(r'\s*+(?:"((?:[^"\\]|\\.)*+)"?|((?:[^\s\\]|\\.)++))', re.DOTALL)
_FIELDS = {
    "machine": "machine",
    "login": "login",
    "user": "login",
    "account": "account",
    "password": "password",
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class LeftAsideError(Exception):
    """Raised with the reason for which the file is not used; it repeats no word of it."""


def look_up(path: Path, host: str, username: str) -> str:
    """Return the password of an account; empty if the file has none, or there is no file.

    Parameters
    ----------
    path
        As `where` says.
    host
        The server, which is an entry's ``machine``. The entry ``default`` is for none: it would
        give a password to any server.
    username
        An entry's ``login``, if it has one.

    Raises
    ------
    LeftAsideError
        If others can read the file, or it cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # such as /dev/null
            return ""
        if _is_open_to_others(status):
            raise LeftAsideError(f"others can read it (chmod 600 {path})")
        entries = list(_entries(path.read_text("utf-8-sig")))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise LeftAsideError(type(error).__name__) from None
    for machine, login, password in entries:
        if machine.lower() == host.lower() and login in {"", username} and password:
            return password
    return ""


def where() -> Path:
    """Return where the file is: ``NETRC`` says so, or it is in the home folder."""
    named = os.environ.get("NETRC")
    if named:
        return Path(named)
    # Path.home() raises where there is none.
    home = Path(os.path.expanduser("~"))  # noqa: PTH111
    windows = home / "_netrc"
    return windows if os.name == "nt" and windows.exists() else home / ".netrc"


def _is_open_to_others(status: os.stat_result) -> bool:
    """Judge as ftp clients do; in containers a file may belong to root and be ours to read."""
    if os.name != "posix":
        return False
    shared = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return bool(shared) or status.st_uid not in {0, os.getuid()}


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield machine, login and password of each entry.

    Python's own reader keeps one account for each server, and fails on a comment behind an empty
    line.
    """
    entry: dict[str, str] = {}
    position = 0
    while word := _WORD.match(text, position):
        name, position = word[2] or "", word.end()
        if name.startswith("#"):
            position = text.find("\n", word.start(2)) % (len(text) + 1)  # -1 is the end
        elif name == "macdef":
            position = text.find("\n\n", position) % (len(text) + 1)
        elif name in {"machine", "default"}:
            yield entry.get("machine", ""), entry.get("login", ""), entry.get("password", "")
            entry = {}
        elif name not in _FIELDS:
            line = text.count("\n", 0, position) + 1
            raise LeftAsideError(f"line {line} cannot be read; quote words with spaces")
        value = _WORD.match(text, position) if name in _FIELDS else None
        if value is not None:
            given = value[2] if value[1] is None else value[1]
            entry[_FIELDS[name]] = _ESCAPED.sub(r"\1", given)
            position = value.end()
    yield entry.get("machine", ""), entry.get("login", ""), entry.get("password", "")
