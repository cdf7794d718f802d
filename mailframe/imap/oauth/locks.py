"""A lock on a file that processes share, which ends with its holder whatever becomes of that."""

from __future__ import annotations

import errno
import logging
import sys
import time

from mailframe.exceptions import AuthenticationError

__all__ = ["acquire"]

log = logging.getLogger(__name__)

#: In seconds; whoever holds it asks an OAuth server meanwhile, which may be slow.
_PATIENCE = 60.0
_INTERVAL = 0.1
#: What says that somebody else holds it; the last is msvcrt's after waiting.
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


def acquire(lock: int, name: str) -> None:
    """Wait for the lock of an open file, but not for ever.

    Parameters
    ----------
    lock
        The file's descriptor; closing it unlocks it.
    name
        Of the file, for the error.

    Raises
    ------
    AuthenticationError
        If somebody else keeps it, with the code ``"token-file-locked"``.
    """
    start = time.monotonic()
    is_told = False
    while True:
        try:
            _try(lock)
        except OSError as error:
            if error.errno not in _HELD:
                # Some network file systems have no locks.
                log.warning("the token file is not locked: %s", error.strerror)
                return
        else:
            return
        if not is_told:
            log.info("another program keeps %s: waiting for it", name)
            is_told = True
        if time.monotonic() - start >= _PATIENCE:
            raise AuthenticationError(
                f"Another program keeps the token file to itself ({name!r}).",
                suggestion="It may wait for an OAuth server: try again in a minute. If no program "
                "runs that reads mail with this file, restart the kernels and notebooks that did.",
                code="token-file-locked",
            )
        time.sleep(_INTERVAL)


def _try(lock: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 not elsewhere

        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 not on Windows

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
