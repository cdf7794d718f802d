"""The methods of a session about what it and the server say to each other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mailframe.dialogue import Trace, trace_frame
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.explanation import Explanation
from mailframe.selection import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from mailframe.imap.trace import Recorder
    from mailframe.records import Step
    from mailframe.selection import Criteria, FolderNames
    from mailframe.source import Source

__all__ = ["EXPLAINED", "Conversation"]

#: Methods that `Conversation.explain` knows.
EXPLAINED = ("headers", "recipients", "bodies", "attachments", "hops", "search", "count")


class Conversation:
    """What of `Session` is about the server's language: a part of it, not to be made alone."""

    _source: Source

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server offers (RFC 3501 section 6.1.1), sorted.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.
        """
        offered: Callable[[], tuple[str, ...]] | None = getattr(self._source, "capabilities", None)
        if offered is None:
            raise NotSupportedError(
                "Only a server has capabilities.",
                suggestion="This session reads files, which need none.",
            )
        return offered()

    def explain(
        self,
        criteria: Criteria = "ALL",
        what: str = "headers",
        *,
        folder: FolderNames = "INBOX",
        limit: int | None = None,
    ) -> Explanation:
        """Say what a reading call would send to the server; nothing is sent.

        Parameters
        ----------
        criteria, folder, limit
            See `Session`.
        what
            The method: ``"headers"``, ``"recipients"``, ``"bodies"``, ``"attachments"``,
            ``"hops"``, ``"search"`` or ``"count"``.

        Returns
        -------
        Explanation
            The exact commands, each with its RFC section and what it does, and what would be
            decided on this side. Its ``frame`` is ``schema.EXPLANATION``.

        Raises
        ------
        QueryError
            If the criteria cannot be asked, or there is no such method.
        NotSupportedError
            If the mail is not on a server.

        Examples
        --------
        ::

            session.explain(mf.Q(from_="müller", since="30d"))
        """
        if what not in EXPLAINED:
            raise QueryError(
                f"There is nothing to explain about {what!r}.",
                suggestion=f"One of {', '.join(EXPLAINED)}.",
            )
        explain: Callable[..., list[Step]] | None = getattr(self._source, "explain", None)
        if explain is None:
            raise NotSupportedError(
                "Only a server is sent commands.",
                suggestion="This session reads files; mf.connect(…) opens an account on a server.",
            )
        names, tree, selections = described(self._source.account, criteria, folder, limit)
        asked = repr(criteria) if selections is None else "df"
        kept = "" if limit is None else f", limit={limit}"
        call = f"session.{what}({asked}, folder={folder!r}{kept})"
        return Explanation(call, tuple(explain(what, names, tree, selections, limit)))

    def trace(self) -> pd.DataFrame:
        """Return the dialogue with the server so far: every command and reply, without secrets.

        Returns
        -------
        DataFrame
            ``schema.TRACE``: one row a line, literals included, in the order they were sent and
            read. The latest 10,000 lines are kept, and besides the latest 10,000 replies that
            describe messages.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.
        """
        return trace_frame(self._recorder().lines(), self._source.account)

    @contextmanager
    def tracing(self) -> Iterator[Trace]:
        """Record what client and server say to each other within a ``with`` block.

        Yields
        ------
        Trace
            To look at, then or later: in a notebook a table in colours that says what each line
            does, with its RFC section; ``print`` shows it in a terminal; its ``frame`` is
            ``schema.TRACE``.

        Raises
        ------
        NotSupportedError
            If the mail is not on a server.

        Examples
        --------
        ::

            with session.tracing() as t:
                session.headers(limit=10)
            t
        """
        recording = self._recorder().record()
        try:
            yield Trace(self._source.account, recording)
        finally:
            recording.stop()

    def _recorder(self) -> Recorder:
        recorder: Recorder | None = getattr(self._source, "recorder", None)
        if recorder is None:
            raise NotSupportedError(
                "Only with a server there is a dialogue.",
                suggestion="This session reads files; mf.connect(…) opens an account on a server, "
                "and mf.demo() one that needs none.",
            )
        return recorder
