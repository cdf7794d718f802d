"""The methods of `Session`, awaited: the one synchronous core, in worker threads.

Nothing here knows IMAP, and nothing of a session belongs to one event loop: what is awaited is the
work of a thread, and the pool of connections says how much is done at a time. So a session may be
used from several loops, one after the other or at once.
"""

from __future__ import annotations

import asyncio
import functools
import html
import inspect
import os
import threading
import weakref
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, Self, TypeVar

from mailframe.cancellation import Cancelled, Scope
from mailframe.exceptions import ConnectionFailedError, NotSupportedError
from mailframe.imap.asking import asker
from mailframe.notebook import advise_in_notebooks
from mailframe.opening import connect
from mailframe.session import Session
from mailframe.workers import ask_in, done, end_of, in_a_thread, job_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    import pandas as pd

    from mailframe.dialogue import Trace

__all__ = ["AsyncFrames", "AsyncSession", "Opening", "connect_async"]

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., object]")

#: Calls at work at a time. Those behind wait for a thread, as these wait for a connection.
MOST_CALLS = 16

_END: Any = object()


def _awaited(
    method: Callable[Concatenate[Session, P], T],
) -> Callable[Concatenate[AsyncSession, P], Coroutine[Any, Any, T]]:
    """Make the awaited form of a method: the same name, arguments and description."""

    async def awaited(self: AsyncSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        work: Callable[..., T] = getattr(self._session, method.__name__)
        return await self._do(functools.partial(work, *args, **kwargs), Scope())

    return _like(method, awaited)


def _streamed(
    method: Callable[Concatenate[Session, P], Generator[pd.DataFrame]], *, waits: bool = False
) -> Callable[Concatenate[AsyncSession, P], AsyncFrames]:
    """Make the form of a method for ``async for``; it ``waits`` where it may last for hours."""

    def streamed(self: AsyncSession, /, *args: P.args, **kwargs: P.kwargs) -> AsyncFrames:
        begin: Callable[..., Generator[pd.DataFrame]] = getattr(self._session, method.__name__)
        return AsyncFrames(self, functools.partial(begin, *args, **kwargs), waits=waits)

    signature = inspect.signature(method).replace(return_annotation="AsyncFrames")
    streamed.__signature__ = signature  # type: ignore[attr-defined] # inspect reads it
    return _like(method, streamed)


def _like(method: Callable[..., object], made: F) -> F:
    """Give what was made of a method its name and description, here."""
    functools.update_wrapper(made, method)
    made.__module__ = __name__
    made.__qualname__ = f"AsyncSession.{method.__name__}"
    return made


class AsyncSession:
    r"""A `Session` whose methods are awaited: several folders at once, in a loop that goes on.

    The methods, their arguments and what they return are those of `Session`; ``async for`` goes
    through what `Session.stream` and `Session.watch` give. The work is done in threads, over as
    many connections as the pool has. A call that is cancelled ends at once, or within five seconds
    if it is just reaching for a server.

    Parameters
    ----------
    session
        Any: ``mf.AsyncSession(mf.open("mail.mbox"))``. It goes on to work, too, and is closed with
        this one.

    Raises
    ------
    NotSupportedError
        If it is no `Session`.

    Examples
    --------
    ::

        async with mf.connect_async("me@example.com") as session:
            sent, received = await asyncio.gather(
                session.headers(folder="\\Sent"), session.headers(limit=100)
            )
            async for new in session.watch():
                print(new["subject"].to_list())
    """

    def __init__(self, session: Session) -> None:
        if not isinstance(session, Session):
            raise NotSupportedError(
                f"A {type(session).__name__} is no Session.",
                suggestion="session = await mf.connect_async(…), or mf.AsyncSession(mf.open(…)).",
            )
        self._session = session
        self._is_closed = False
        self._start_afresh()
        advise_in_notebooks()

    def _start_afresh(self) -> None:
        # After a fork there are no threads, and what they did is the parent's to end.
        self._workers = ThreadPoolExecutor(MOST_CALLS, "mailframe-async")
        self._at_work: set[Scope] = set()
        self._process = os.getpid()

    def __reduce__(self) -> str | tuple[Any, ...]:
        return self._session.__reduce__()

    def __repr__(self) -> str:
        return repr(self._session).replace("Session", "AsyncSession", 1)

    def _repr_html_(self) -> str:
        name = html.escape(repr(self).strip("<>").removeprefix("mailframe.AsyncSession "))
        return (
            f"<div><b>mailframe.AsyncSession</b> {name}<br><small><code>await session.headers()"
            "</code> · <code>async for frame in session.stream():</code> · <code>async for new in "
            "session.watch():</code></small></div>"
        )

    def __enter__(self) -> NoReturn:
        raise NotSupportedError(
            "This session is an asynchronous one.", suggestion="Write: async with … as session:"
        )

    def __exit__(self, *_: object) -> None:
        """Be what ``with`` looks for, so that it comes to hear of ``async with``."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def account(self) -> str:
        """Whose mail it is: the ``account`` column of every frame."""
        return self._session.account

    capabilities = _awaited(Session.capabilities)
    folders = _awaited(Session.folders)
    search = _awaited(Session.search)
    count = _awaited(Session.count)
    headers = _awaited(Session.headers)
    recipients = _awaited(Session.recipients)
    hops = _awaited(Session.hops)
    attachments = _awaited(Session.attachments)
    bodies = _awaited(Session.bodies)
    stream = _streamed(Session.stream)
    to_parquet = _awaited(Session.to_parquet)
    watch = _streamed(Session.watch, waits=True)
    message = _awaited(Session.message)
    download = _awaited(Session.download)
    explain = _awaited(Session.explain)
    trace = _awaited(Session.trace)
    mark = _awaited(Session.mark)
    flag = _awaited(Session.flag)
    keyword = _awaited(Session.keyword)
    label = _awaited(Session.label)
    move = _awaited(Session.move)
    copy = _awaited(Session.copy)
    delete = _awaited(Session.delete)
    append = _awaited(Session.append)
    apply = _awaited(Session.apply)
    undo = _awaited(Session.undo)
    create_folder = _awaited(Session.create_folder)
    rename_folder = _awaited(Session.rename_folder)
    delete_folder = _awaited(Session.delete_folder)
    subscribe = _awaited(Session.subscribe)

    @asynccontextmanager
    async def tracing(self) -> AsyncIterator[Trace]:
        """See `Session.tracing`; it takes down what all tasks say."""
        with self._session.tracing() as trace:
            yield trace

    async def close(self) -> None:
        """Log out; a second call does nothing. What other tasks wait for ends in an error."""
        if self._process != os.getpid():
            self._start_afresh()
        self._is_closed = True
        for scope in tuple(self._at_work):
            scope.cancel()
        # Not behind the calls that it ends.
        await done(in_a_thread(self._session.close), Scope())
        self._workers.shutdown(wait=False)

    async def _do(self, work: Callable[[], T], scope: Scope, *, waits: bool = False) -> T:
        """Let a thread do something: one of its own if it may wait for hours."""
        if self._process != os.getpid():
            self._start_afresh()
        if self._is_closed:
            raise self._closed()
        job = job_of(work, scope)
        self._at_work.add(scope)
        try:
            future = in_a_thread(job) if waits else self._workers.submit(job)
            return await done(future, scope)
        except (Cancelled, RuntimeError):
            if not self._is_closed:
                raise
            raise self._closed() from None  # meanwhile
        finally:
            self._at_work.discard(scope)

    def _closed(self) -> ConnectionFailedError:
        return ConnectionFailedError(
            f"The session on {self.account} is closed.",
            suggestion="Open it again: mf.connect_async(…), or mf.AsyncSession(mf.open(…)).",
        )


class AsyncFrames(AsyncIterator["pd.DataFrame"]):
    """Frames for ``async for``, each made when it is asked for.

    It begins with the first one, or with ``async with``, which ends it, too. One that is cancelled
    has ended.

    Parameters
    ----------
    session
        Whose threads do it.
    begin
        Returns the frames.
    waits
        Whether a frame may take hours to come.
    """

    def __init__(
        self, session: AsyncSession, begin: Callable[[], Generator[pd.DataFrame]], *, waits: bool
    ) -> None:
        self._session = session
        self._begin = begin
        self._waits = waits
        self._scope = Scope()
        self._frames: Generator[pd.DataFrame] | None = None
        #: Held by the thread that makes one, or closes them.
        self._turn = threading.Lock()
        self._is_over = False
        self._is_busy = False

    def __iter__(self) -> NoReturn:
        raise NotSupportedError(
            "These frames come asynchronously.", suggestion="Write: async for frame in …:"
        )

    async def __aenter__(self) -> Self:
        await self._step(self._started)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> pd.DataFrame:
        frame: pd.DataFrame = (
            _END if self._is_over else await self._step(lambda: next(self._started(), _END))
        )
        if frame is _END:
            self._is_over = True
            raise StopAsyncIteration
        return frame

    async def aclose(self) -> None:
        """End it; a second call does nothing."""
        self._is_over = True
        if self._is_busy:
            self._scope.cancel()
        if self._frames is not None:
            ending = in_a_thread(self._end)
            await end_of(ending)
            if ending.done():
                ending.result()

    def _started(self) -> Generator[pd.DataFrame]:
        if self._frames is None:
            self._frames = self._begin()
            # Where it is left by break. What it is given lives on until then.
            self._letting_go = weakref.finalize(self, _let_go, self._scope, self._frames)
            self._letting_go.atexit = False
        return self._frames

    def _end(self) -> None:
        with self._turn:
            frames, self._frames = self._frames, None
            if frames is not None:
                self._letting_go.detach()
                frames.close()

    async def _step(self, work: Callable[[], Any]) -> Any:
        if self._is_busy:
            raise RuntimeError("another task waits for the next of these frames already")

        def step() -> Any:
            with self._turn:
                return work()

        self._is_busy = True
        try:
            return await self._session._do(step, self._scope, waits=self._waits)  # noqa: SLF001
        except Cancelled:  # by aclose, in another task
            return _END
        except asyncio.CancelledError:
            self._is_over = True
            in_a_thread(self._end)  # it may have had a frame ready
            raise
        except BaseException:
            self._is_over = True
            raise
        finally:
            self._is_busy = False


def _let_go(scope: Scope, frames: Generator[pd.DataFrame]) -> None:
    """Close what nobody can ask for any more: to log out may take a while, not the loop's."""
    scope.cancel()
    with suppress(RuntimeError):  # no more threads to be had
        in_a_thread(frames.close)


class Opening(Coroutine[Any, Any, AsyncSession]):
    """A session that is being opened: to be awaited, or for ``async with``."""

    def __init__(self, open_session: Callable[[], Session]) -> None:
        self._open_session = open_session
        self._opened: AsyncSession | None = None
        self._coroutine: Coroutine[Any, Any, AsyncSession] | None = None
        advise_in_notebooks()

    def __repr__(self) -> str:
        return "<a mailframe session that is not open yet: await it>"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"the session is not open yet, and has no {name}: "
            "write session = await mf.connect_async(…)"
        )

    def __enter__(self) -> NoReturn:
        raise NotSupportedError(
            "This session is an asynchronous one.",
            suggestion="Write: async with mf.connect_async(…) as session:",
        )

    def __exit__(self, *_: object) -> None:
        """Be what ``with`` looks for, so that it comes to hear of ``async with``."""

    def __await__(self) -> Generator[Any, Any, AsyncSession]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncSession:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.close()

    # What asyncio.run and create_task ask of a coroutine.

    def send(self, value: Any) -> Any:
        """See `collections.abc.Coroutine`."""
        if self._coroutine is None:
            self._coroutine = self._open()
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """See `collections.abc.Coroutine`."""
        if self._coroutine is None:
            self._coroutine = self._open()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """See `collections.abc.Coroutine`."""
        if self._coroutine is not None:
            self._coroutine.close()

    async def _open(self) -> AsyncSession:
        scope, loop = Scope(), asyncio.get_running_loop()

        def work() -> Session:
            asker.set(functools.partial(ask_in, loop))
            return self._open_session()

        future = in_a_thread(job_of(work, scope))
        try:
            return AsyncSession(await done(future, scope))
        except asyncio.CancelledError:
            future.add_done_callback(_close_unwanted)
            raise


def _close_unwanted(future: Future[Session]) -> None:
    """Close what was opened when nobody wanted it any more."""
    if not future.cancelled() and future.exception() is None:
        in_a_thread(future.result().close)


def _opened(function: Callable[P, Session]) -> Callable[P, Opening]:
    @functools.wraps(function)
    def opened(*args: P.args, **kwargs: P.kwargs) -> Opening:
        return Opening(functools.partial(function, *args, **kwargs))

    opened.__name__ = opened.__qualname__ = f"{function.__name__}_async"
    opened.__module__ = __name__
    opened.__doc__ = (
        f"{function.__doc__}\n"
        "    This one gives an `AsyncSession`: ``session = await mf.connect_async(…)``, or\n"
        "    ``async with mf.connect_async(…) as session:``.\n"
    )
    signature = inspect.signature(function).replace(return_annotation="Opening")
    opened.__signature__ = signature  # type: ignore[attr-defined] # inspect reads it
    return opened


connect_async = _opened(connect)
