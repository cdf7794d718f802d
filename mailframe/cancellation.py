"""Work that another thread may end: what `aio` and the pool of connections stop by.

Threads cannot be stopped from outside. So whatever waits for long (a connection, the pool) says
how it is woken, and whatever works for long looks now and then whether anybody still wants it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import ParamSpec

    P = ParamSpec("P")

__all__ = ["Cancelled", "Scope", "check_cancelled", "current_scope"]

_Result = TypeVar("_Result")


class Cancelled(BaseException):
    """Nobody wants the result any more.

    Not an `Exception`: nothing that goes around errors may go around this.
    """


class Scope:
    """Work that ends together when it is cancelled."""

    def __init__(self) -> None:
        self.is_cancelled = False
        self._wakers: dict[object, Callable[[], object]] = {}
        self._lock = threading.RLock()

    def run(self, work: Callable[P, _Result], *args: P.args, **kwargs: P.kwargs) -> _Result:
        """Do something as part of this work.

        Raises
        ------
        Cancelled
            If it has been cancelled before it began.
        """
        before = _scope.set(self)
        try:
            check_cancelled()
            return work(*args, **kwargs)
        finally:
            _scope.reset(before)

    def cancel(self) -> None:
        """End the work: wake whatever waits in it, from whatever thread."""
        with self._lock:
            self.is_cancelled = True
            for wake in list(self._wakers.values()):
                wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Say, for the length of a block, how what is done in it is woken.

        Parameters
        ----------
        wake
            Called when the work is cancelled within the block, and never after it.

        Raises
        ------
        Cancelled
            If it was cancelled before; and in place of whatever error comes of being woken.
        """
        key = object()
        with self._lock:
            if self.is_cancelled:
                raise Cancelled
            self._wakers[key] = wake
        try:
            yield
        except Exception as error:
            if self.is_cancelled:
                raise Cancelled from error
            raise
        finally:
            with self._lock:
                del self._wakers[key]


class _Unending(Scope):
    """Of what nobody cancels: calls that are not awaited.

    It is everybody's, and keeps nothing: neither what Ctrl-C would leave behind in it, nor a lock
    that another thread may hold for ever after a fork.
    """

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:  # noqa: ARG002 nobody calls it
        """See `Scope.waking`."""
        yield


_UNENDING = _Unending()
_scope: ContextVar[Scope] = ContextVar("scope", default=_UNENDING)


def current_scope() -> Scope:
    """Return the work that this thread does at the moment."""
    return _scope.get()


def check_cancelled() -> None:
    """Look whether anybody still wants what this thread does.

    Raises
    ------
    Cancelled
        If not.
    """
    if _scope.get().is_cancelled:
        raise Cancelled
