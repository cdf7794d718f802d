"""Asking whoever is there: in a terminal or a notebook, and nobody where there is nobody."""

from __future__ import annotations

import getpass
import sys
import warnings
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOBODY", "ask", "ask_secret", "asker"]

#: What a question raises where there is nobody: a terminal without input, a notebook that is run by
#: a program (IPython's StdinNotImplementedError), pytest.
NOBODY = (EOFError, NotImplementedError, OSError)
#: Does the asking. `aio` connects in a thread, but Ctrl-C is heard in another, in which it has the
#: questions asked.
asker: ContextVar[Callable[[Callable[[], str]], str]]
asker = ContextVar("asker", default=lambda question: question())


def ask_secret(question: str) -> str:
    """Ask for a secret, which is shown nowhere while it is typed.

    Parameters
    ----------
    question
        What is shown.

    Raises
    ------
    EOFError, NotImplementedError, OSError
        Where nobody can be asked. What comes through a pipe is no answer: it was meant for
        something else.
    """
    return asker.get()(partial(_ask_secret, question))


def _ask_secret(question: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            # Looked up now: a notebook's kernel puts its own in place of it while it starts.
            return getpass.getpass(question)
        except getpass.GetPassWarning as error:
            raise EOFError("there is no terminal to ask on") from error


def ask(question: str) -> str:
    """Ask for a line.

    Parameters
    ----------
    question
        What is shown.

    Raises
    ------
    EOFError, NotImplementedError, OSError
        As for `ask_secret`.
    """
    in_notebook = hasattr(sys.modules.get("builtins"), "__IPYTHON__")
    if not in_notebook and not (sys.stdin and sys.stdin.isatty()):
        raise EOFError("there is no terminal to ask on")
    return asker.get()(partial(input, question))
