"""What the methods of a session that change something have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.exceptions import NotSupportedError, ReadOnlyError

if TYPE_CHECKING:
    from mailframe.journal import Journal
    from mailframe.source import Source, WritableSource

__all__ = ["Writable"]


class Writable:
    """What of `Session` may be changed, if it was opened for that."""

    _source: Source
    _journal: Journal | None

    def _writable(self, what: str) -> WritableSource:
        """Return what can be changed.

        Raises
        ------
        ReadOnlyError
            If it was opened for reading; nothing was sent.
        """
        if hasattr(self._source, "perform"):
            source: WritableSource = self._source  # type: ignore[assignment] # it has what it takes
            return source
        if not hasattr(self._source, "capabilities"):
            raise NotSupportedError(
                f"Did not {what}: mail in files is only read.",
                suggestion="mf.connect(…, readonly=False) opens an account on a server for "
                "writing.",
            )
        raise ReadOnlyError(
            f"Did not {what}: this session is read-only.",
            suggestion="Open one for writing: mf.connect(…, readonly=False), or "
            "mf.demo(readonly=False). A plan is shown first; nothing changes before plan.apply().",
        )
