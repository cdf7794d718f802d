"""Where a password comes from: the argument, the environment, or a prompt. Never a URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["find_password"]

VARIABLE = "MAILFRAME_PASSWORD"


def find_password(
    username: str, password: str | None = None, prompt: Callable[[str], str] | None = None
) -> str:
    """Return the password of an account.

    Parameters
    ----------
    username
        The account, for the prompt.
    password
        If it was given; it goes before everything else.
    prompt
        Asks for it, like ``getpass.getpass``; None where nobody can be asked.

    Raises
    ------
    AuthenticationError
        If there is none.
    """
    found = password or os.environ.get(VARIABLE)
    if not found and prompt is not None:
        try:
            found = prompt(f"Password for {username}: ")
        except EOFError:  # no terminal to ask on
            found = None
    if not found:
        raise AuthenticationError(
            f"No password for {username}.",
            suggestion=f"Set the environment variable {VARIABLE}, or run where it can be asked "
            "for: a terminal or a notebook.",
        )
    return found
