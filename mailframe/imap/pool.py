"""Several connections to one account: opened when all are busy, lent to one thread at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from mailframe.cancellation import Cancelled, Scope, current_scope
from mailframe.exceptions import (
    CertificateError,
    ConnectionFailedError,
    MailframeError,
    ThrottledError,
)
from mailframe.imap.events import Throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

    from mailframe.imap.connection import Connection
    from mailframe.imap.events import Event

__all__ = ["Pool"]

log = logging.getLogger(__name__)

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

#: Seconds for an answer from which on several connections are faster than one. Below it they wait
#: for each other in this process, and every login costs the server.
FAR = 0.005
#: Seconds after which another connection is tried again that could not be made.
RESPITE = 60


class Pool:
    """Connections to one account.

    Parameters
    ----------
    first
        Logged in. It belongs to the pool from now on, and the others are made like it.
    size
        How many there may be at a time.
    """

    def __init__(self, first: Connection, size: int) -> None:
        self.first = first
        self.size = size
        self._free: list[Connection] = [first]
        self._all: list[Connection] = [first]
        #: Those that are no part of the pool's number.
        self._apart: list[Connection] = []
        #: Who opens one at the moment, and who was lent which.
        self._opening: set[threading.Thread] = set()
        self._lent: dict[Connection, threading.Thread] = {}
        self._is_closed = False
        self._not_before = 0.0
        #: Told what happens on any of them.
        self.listeners: list[Callable[[Event], object]] = []
        first.on_event = self._hear
        self._start_afresh()

    def _start_afresh(self) -> None:
        # After a fork somebody else may hold the lock for ever.
        self._changed = threading.Condition()
        self._held = threading.local()
        self._process = os.getpid()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_alone(self) -> bool:
        """Whether things are done one after the other, over one connection."""
        # Whoever has one in hand works alone: the others might wait for it, and he for them.
        return self.size <= 1 or self.first.latency < FAR or bool(self._in_hand())

    @contextmanager
    def lend(self, folder: str | None = None) -> Iterator[Connection]:
        """Lend a connection for the length of a block.

        Parameters
        ----------
        folder
            One that has this folder open is preferred.

        Raises
        ------
        ConnectionFailedError
            If the pool has been closed, or there is no connection to be had.
        Cancelled
            If the current `Scope` is cancelled meanwhile.
        """
        scope = current_scope()
        with scope.waking(self._wake):
            connection = self._take(folder, scope)
        held = self._in_hand()
        try:
            held.append(connection)
            with scope.waking(connection.break_off):
                yield connection
        finally:
            if connection in held:
                held.remove(connection)
            self._give_back(connection)

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """Open one more connection for the length of a block, beside those that are lent.

        For whoever waits on it for hours: the others need not wait for him, nor he for them.

        Raises
        ------
        ConnectionFailedError
            If the pool has been closed, or there is no connection to be had.
        ThrottledError
            If the server allows no more.
        Cancelled
            If the current `Scope` is cancelled meanwhile.
        """
        if self._process != os.getpid():
            self._leave_to_the_parent()
        if self._is_closed:
            raise self._closed()
        try:
            connection = self.first.another()
        except ThrottledError as refused:
            raise ThrottledError(
                f"{self.first.host} lets nobody in beside the connections there are.",
                reply=refused.reply,
                suggestion="This needs one for itself: end another program's, or connect with a "
                "smaller pool_size.",
            ) from refused
        try:
            with self._changed:
                if self._is_closed:
                    raise self._closed()
                self._apart.append(connection)
            with current_scope().waking(connection.break_off):
                yield connection
        except ConnectionFailedError as lost:
            if self._is_closed:  # it was not lost
                raise self._closed() from lost
            raise
        finally:
            with self._changed:
                if connection in self._apart:
                    self._apart.remove(connection)
            connection.close()

    def spread(
        self,
        tasks: Iterable[_Task],
        work: Callable[[Connection, _Task], _Result],
        folder_of: Callable[[_Task], str],
    ) -> Generator[_Result]:
        """Do several things side by side.

        Parameters
        ----------
        tasks
            What is to be done.
        work
            Does one of them.
        folder_of
            The folder that it needs open.

        Yields
        ------
        object
            The results, in the order of the tasks; no more than a few are made ahead.
        """

        def do(task: _Task) -> _Result:
            with self.lend(folder_of(task)) as connection:
                return work(connection, task)

        waiting = deque(tasks)
        if len(waiting) <= 1 or self.is_alone:
            while waiting:
                yield do(waiting.popleft())
            return
        running: deque[Future[_Result]] = deque()
        scope = Scope()
        workers = ThreadPoolExecutor(min(self.size, len(waiting)), "mailframe")
        try:
            with current_scope().waking(scope.cancel):
                while waiting or running:
                    while waiting and len(running) <= self.size:
                        running.append(workers.submit(scope.run, do, waiting.popleft()))
                    yield running.popleft().result()
        except BaseException:
            # An error or Ctrl-C: what is still going on is of no use to anybody.
            for future in running:
                future.cancel()
            scope.cancel()
            raise
        finally:
            workers.shutdown(wait=True, cancel_futures=True)

    def shrink(self) -> None:
        """Use one connection less from now on, where the server wants fewer."""
        with self._changed:
            if self.size > 1:
                self.size = max(1, min(self.size, len(self._all)) - 1)
                log.warning("%s: at most %d connections from now on", self.first.host, self.size)
            surplus = [one for one in reversed(self._free) if one is not self.first]
            del surplus[max(len(self._all) - self.size, 0) :]
            for connection in surplus:
                self._free.remove(connection)
                self._all.remove(connection)
        for connection in surplus:
            connection.close()

    def close(self) -> None:
        """Log out everywhere; a second call does nothing.

        What is being read in other threads ends in an error.
        """
        if self._process != os.getpid():
            self._start_afresh()
        with self._changed:
            self._is_closed = True
            idle, busy = self._free, self._lent.keys() - set(self._free)
            self._all, self._free = [], []
            for connection in (*busy, *self._apart):
                connection.sign_in = None  # it is not to be opened again
                connection.break_off()
            self._changed.notify_all()
        for connection in idle:
            connection.close()

    # -- one connection

    def _in_hand(self) -> list[Connection]:
        """Return what this thread works with."""
        held: list[Connection] | None = getattr(self._held, "connections", None)
        if held is None:
            held = self._held.connections = []
        return held

    def _reclaim(self) -> None:
        """Take back what Ctrl-C, which may come between any two lines, kept from coming back."""
        this = threading.current_thread()
        self._opening.discard(this)
        for connection, thread in list(self._lent.items()):
            is_held = thread.is_alive() and (thread is not this or connection in self._in_hand())
            if not is_held:
                connection.mend()
                if connection in self._all and connection not in self._free:
                    self._free.append(connection)
                del self._lent[connection]

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _take(self, folder: str | None, scope: Scope) -> Connection:
        if self._process != os.getpid():
            self._leave_to_the_parent()
        with self._changed:
            self._reclaim()
            while True:
                if self._is_closed:
                    raise self._closed()
                if scope.is_cancelled:
                    raise Cancelled
                # Whoever holds one and wants another must not wait for itself.
                is_needed = bool(self._in_hand())
                if self._free and (len(self._lent) < self.size or is_needed):
                    return self._best(folder)
                is_room = len(self._all) + len(self._opening) < self.size
                if is_needed or (is_room and time.monotonic() >= self._not_before):
                    self._opening.add(threading.current_thread())
                    break
                self._changed.wait()
        return self._opened(is_needed=is_needed) or self._take(folder, scope)

    def _best(self, folder: str | None) -> Connection:
        def is_open(connection: Connection) -> bool:
            return connection.selected is not None and connection.selected.folder == folder

        found = next(filter(is_open, self._free), None) or self._free[0]
        self._lent[found] = threading.current_thread()
        self._free.remove(found)
        return found

    def _opened(self, *, is_needed: bool) -> Connection | None:
        """Open one more; None where the server does not want that, but has given us others."""
        made: Connection | None = None
        try:
            made = self.first.another()
        except CertificateError:
            raise
        except MailframeError as error:  # in whatever words: the others were let in
            with self._changed:
                if is_needed or not self._all:
                    raise
                if isinstance(error, ConnectionFailedError):  # nobody has said that it is too many
                    self._not_before = time.monotonic() + RESPITE
                else:
                    self.size = max(1, len(self._all))
            log.warning("no more than %d connections: %s", len(self._all), _in_one_line(error))
        finally:
            with self._changed:
                if made is not None and not self._is_closed:
                    self._lent[made] = threading.current_thread()
                    self._all.append(made)
                self._opening.discard(threading.current_thread())
                self._changed.notify_all()
        if made is not None and self._is_closed:
            made.close()
            raise self._closed()
        return made

    def _closed(self) -> ConnectionFailedError:
        return ConnectionFailedError(
            f"The connection to {self.first.host} is closed.",
            suggestion="Connect again: session = mf.connect(...).",
        )

    def _give_back(self, connection: Connection) -> None:
        with self._changed:
            is_surplus = len(self._all) > self.size and connection is not self.first
            if is_surplus and connection in self._all:
                self._all.remove(connection)
            is_kept = connection in self._all
            if is_kept:
                connection.mend()
                # The latest first: the others go idle, and may be closed by the server.
                self._free.insert(0, connection)
            self._lent.pop(connection, None)
            self._changed.notify()
        if not is_kept:
            connection.close()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Throttled):
            self.shrink()
        for listener in self.listeners.copy():
            listener(event)

    def _leave_to_the_parent(self) -> None:
        """Start with one connection after a fork; the parent goes on with all there were."""
        self._start_afresh()
        for connection in (*self._all, *self._apart):
            connection.wire.abandon()
        self._all, self._free, self._apart = [self.first], [self.first], []
        self._opening, self._lent = set(), {}


def _in_one_line(error: MailframeError) -> str:
    return error.reply or error.tried
