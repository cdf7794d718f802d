"""Where a password comes from: argument, environment, keyring, ``~/.netrc``, or a prompt.

Never a URL. The first that has one is taken; ``mf.credentials.save("me@example.com")`` asks for one
and puts it in the system's keyring (extra ``keyring``), from where it is taken from then on.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError, NotSupportedError
from mailframe.imap import netrc
from mailframe.imap.asking import NOBODY, ask_secret
from mailframe.imap.sasl import refuse_unsendable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["Secret", "find_password", "forget", "save", "variable"]

log = logging.getLogger(__name__)

VARIABLE = "MAILFRAME_PASSWORD"
#: The name of our entries in a keyring; one that is for a single server has its name behind.
SERVICE = "mailframe"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password, and where it came from. It is in no repr.

    Attributes
    ----------
    value
        The password itself.
    origin
        ``"argument"``, ``"environment"``, ``"keyring"``, ``"netrc"`` or ``"prompt"``.
    where
        The same in words, if it was not given by hand: ``"the keyring"``.
    remedy
        What to do where it is refused.
    """

    value: str = field(repr=False)
    origin: str = "argument"
    where: str = ""
    remedy: str = ""


def find_password(
    username: str,
    password: str | Secret | None = None,
    prompt: Callable[[str], str] | None = None,
    *,
    host: str = "",
    is_general: bool = True,
) -> Secret:
    """Return the password of an account.

    Parameters
    ----------
    username
        The account.
    password
        If it was given; it goes before everything else.
    prompt
        Asks for it, like ``getpass.getpass``; None where nobody can be asked.
    host
        The server, under whose name ``~/.netrc`` has it, and a keyring may.
    is_general
        Whether ``MAILFRAME_PASSWORD``, which names no account, may be meant.

    Returns
    -------
    Secret
        From the argument; else from the environment (``MAILFRAME_PASSWORD_ME_EXAMPLE_COM`` for
        me@example.com, or ``MAILFRAME_PASSWORD``), the keyring, ``~/.netrc``, or the prompt.

    Raises
    ------
    AuthenticationError
        If there is none.
    """
    if isinstance(password, Secret):
        return password
    if password:
        return Secret(password)
    left_aside = []
    for find in (partial(_in_environment, is_general=is_general), _in_keyring, _in_netrc):
        found = find(username, host)
        if isinstance(found, Secret):
            return found
        if found:
            log.warning("%s", found)
            left_aside.append(found)
    try:
        typed = prompt(f"Password for {username}: ") if prompt is not None else ""
    except NOBODY:
        typed = ""
    if typed:
        return Secret(typed, "prompt")
    either = f"{variable(username)} or {VARIABLE}" if is_general else variable(username)
    only = "" if "@" in username else f", host={host or 'imap.example.com'!r}"
    advice = (
        f"Set the environment variable {either}, save it once with "
        f"mf.credentials.save({username!r}{only}), or run where it can be asked for: a terminal or "
        "a notebook."
    )
    raise AuthenticationError(
        f"No password for {username}.", suggestion=" ".join([*left_aside, advice])
    )


def save(
    username: str,
    password: str | None = None,
    *,
    host: str = "",
    prompt: Callable[[str], str] = ask_secret,
) -> None:
    """Put the password of an account into the system's keyring (extra ``keyring``).

    Parameters
    ----------
    username
        The account: ``"me@example.com"``.
    password
        Better left out: then it is asked for.
    host
        The only server that is to get it. A name without ``@`` needs one: it could be anybody's.
    prompt
        Asks for it.

    Raises
    ------
    AuthenticationError
        If there is no password, or one that cannot be sent.
    NotSupportedError
        If there is no keyring, or it does not keep it.

    Examples
    --------
    ::

        mf.credentials.save("me@example.com")
        session = mf.connect("imap.example.com", "me@example.com")
    """
    if not isinstance(username, str) or not isinstance(password, str | None):
        raise AuthenticationError("User name and password are texts.")
    if "@" not in username and not host:
        raise AuthenticationError(
            f"{username!r} alone may be somebody's name on any server.",
            suggestion=f'mf.credentials.save({username!r}, host="imap.example.com")',
        )
    keyring = _the_keyring(username)
    try:
        password = password or prompt(f"Password for {username}: ")
    except NOBODY:
        password = ""
    if not password:
        raise AuthenticationError(
            f"No password for {username}.",
            suggestion="Enter one, in a terminal or a notebook; or give it as the second argument.",
        )
    refuse_unsendable(username, password)
    service = _service(host)
    try:
        keyring.set_password(service, username, password)
        # The null back-end takes everything, and keeps nothing.
        problem = "" if keyring.get_password(service, username) == password else "it is not there"
    except Exception as error:  # noqa: BLE001 a back-end raises what its system does
        problem = type(error).__name__
    if problem:  # raised out here, it has no context: a back-end may repeat what it was given
        raise NotSupportedError(
            f"This machine's keyring did not take the password of {username} ({problem}).",
            suggestion=_instead(username),
        )
    log.info("saved the password of %s in the keyring", username)


def forget(username: str, *, host: str = "") -> bool:
    """Remove the password of an account from the system's keyring.

    Parameters
    ----------
    username, host
        As they were saved.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    NotSupportedError
        If there is no keyring, or it cannot be changed.
    """
    keyring = _the_keyring(username)
    service = _service(host)
    try:
        if keyring.get_password(service, username) is None:
            return False
        keyring.delete_password(service, username)
    except Exception as error:  # noqa: BLE001 a back-end raises what its system does
        problem = type(error).__name__
    else:
        log.info("removed the password of %s from the keyring", username)
        return True
    raise NotSupportedError(
        f"This machine's keyring did not remove the password of {username} ({problem}).",
        suggestion="Remove it with your system's own program for passwords.",
    )


def variable(username: str) -> str:
    """Name the environment variable of an account.

    Parameters
    ----------
    username
        The account.

    Examples
    --------
    >>> variable("me@example.com")
    'MAILFRAME_PASSWORD_ME_EXAMPLE_COM'
    """
    return f"{VARIABLE}_{re.sub('[^A-Z0-9]', '_', username.upper())}"


# -- the places: each returns what it has, else why it could not be asked, else nothing


def _in_environment(username: str, _host: str, *, is_general: bool) -> Secret | str:
    for name in (variable(username), *[VARIABLE] * is_general):
        # What is read from a file into the environment often has the file's last line break.
        value = os.environ.get(name, "").rstrip("\r\n")
        if value:
            return Secret(
                value,
                "environment",
                f"the environment variable {name}",
                f"The password came from the environment variable {name}: set it anew, or unset "
                "it to be asked.",
            )
    return ""


def _in_keyring(username: str, host: str) -> Secret | str:
    try:
        import keyring  # noqa: PLC0415 an extra
        from keyring.errors import NoKeyringError  # noqa: PLC0415
    except Exception:  # noqa: BLE001 a broken one is as good as none
        return ""
    for service in dict.fromkeys((_service(host), SERVICE)):
        try:
            value = keyring.get_password(service, username)
        except NoKeyringError:  # a machine without a desktop
            return ""
        except Exception as error:  # noqa: BLE001 a back-end raises what its system does
            return f"The keyring was left aside: it cannot be read ({type(error).__name__})."
        if value:
            only = f", host={host!r}" if service != SERVICE else ""
            return Secret(
                value,
                "keyring",
                "the keyring",
                "The password came from the keyring: "
                f"mf.credentials.save({username!r}{only}) puts another in its place.",
            )
    return ""


def _in_netrc(username: str, host: str) -> Secret | str:
    path = netrc.where()
    try:
        password = netrc.look_up(path, host, username) if host else ""
    except netrc.LeftAsideError as error:
        return f"{path} was left aside: {error}."
    remedy = f"The password came from {path}: correct it there."
    return Secret(password, "netrc", str(path), remedy) if password else ""


# -- the keyring


def _service(host: str) -> str:
    return f"{SERVICE}:{host.lower()}" if host else SERVICE


def _the_keyring(username: str) -> ModuleType:
    try:
        import keyring  # noqa: PLC0415 an extra
    except ImportError as error:
        raise NotSupportedError(
            "Keeping passwords needs a library that is not installed.",
            suggestion=f"pip install 'mailframe[keyring]'. {_instead(username)}",
        ) from error
    return keyring


def _instead(username: str) -> str:
    return (
        f"Without one, the environment variable {variable(username)} can hold it, or ~/.netrc "
        "(chmod 600)."
    )
