"""The kinds of frames that a session reads: of what records, and how these are read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mailframe import frames
from mailframe.exceptions import QueryError
from mailframe.reading import messages_of, previews_of, texts_of
from mailframe.selection import field_columns
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    import pandas as pd

    from mailframe.source import Selection, Source, What

__all__ = ["Kind", "attachments", "bodies", "headers", "hops", "kind_of", "recipients"]


class Kind(NamedTuple):
    """One kind of frame.

    Attributes
    ----------
    read
        Reads the records of messages, one each: it is given the messages, what to call with the
        number that have come, and ``keep_gone``, whether those that have gone have records, too.
    tabulate
        Makes a frame of records.
    """

    read: Callable[..., Generator[Any]]
    tabulate: Callable[[Iterable[Any]], pd.DataFrame]


def headers(source: Source, fields: Sequence[str] = ()) -> Kind:
    """See `Session.headers`.

    Raises
    ------
    QueryError
        If a field has a name that no field can have.
    """
    columns = field_columns(fields)

    def tabulate(records: Iterable[Any]) -> pd.DataFrame:
        labels: bool = getattr(source, "has_labels", False)
        return frames.headers_frame(records, source.account, fields=columns, labels=labels)

    return Kind(_messages(source, "headers", tuple(columns)), tabulate)


def recipients(source: Source) -> Kind:
    """See `Session.recipients`."""
    return Kind(
        _messages(source, "recipients"), partial(frames.recipients_frame, account=source.account)
    )


def attachments(source: Source) -> Kind:
    """See `Session.attachments`."""
    return Kind(
        _messages(source, "attachments"), partial(frames.attachments_frame, account=source.account)
    )


def hops(source: Source) -> Kind:
    """See `Session.hops`."""
    return Kind(
        _messages(source, "fields", ("received",)),
        partial(frames.hops_frame, account=source.account),
    )


def bodies(
    source: Source,
    *,
    html: bool = False,
    own_text: bool = False,
    max_bytes: int | None = None,
    preview: bool = False,
) -> Kind:
    """See `Session.bodies`.

    Raises
    ------
    QueryError
        If ``max_bytes`` is no number of bytes, or goes together with ``preview``.
    """
    if preview and (html or own_text or max_bytes is not None):
        raise QueryError(
            "preview=True reads no text, so html, own_text and max_bytes have no meaning."
        )
    check_count("max_bytes", max_bytes, "bytes")
    account = source.account
    if preview:
        return Kind(
            partial(previews_of, source),
            partial(frames.previews_frame, account=account),
        )
    return Kind(
        partial(texts_of, source, html=html, max_bytes=max_bytes),
        partial(frames.bodies_frame, account=account, html=html, own_text=own_text),
    )


def kind_of(
    source: Source,
    what: str,
    *,
    fields: Sequence[str] = (),
    html: bool = False,
    own_text: bool = False,
    max_bytes: int | None = None,
    preview: bool = False,
) -> Kind:
    """Find the kind of frame that goes by the name of a session's method.

    Parameters
    ----------
    source
        Where the mail is.
    what
        ``"headers"``, ``"recipients"``, ``"attachments"``, ``"hops"`` or ``"bodies"``.
    fields
        As of `headers`.
    html, own_text, max_bytes, preview
        As of `bodies`.

    Raises
    ------
    QueryError
        If there is no such method, or it has no such argument.
    """
    of_bodies: dict[str, Any] = {
        "html": html,
        "own_text": own_text,
        "max_bytes": max_bytes,
        "preview": preview,
    }
    makers: dict[str, Callable[[], Kind]] = {
        "headers": lambda: headers(source, fields),
        "recipients": lambda: recipients(source),
        "attachments": lambda: attachments(source),
        "hops": lambda: hops(source),
        "bodies": lambda: bodies(source, **of_bodies),
    }
    if what not in makers:
        raise QueryError(
            f"what={what!r} is nothing to read.", suggestion=f"One of {', '.join(makers)}."
        )
    meaningless = [] if what == "bodies" else [n for n, value in of_bodies.items() if value]
    meaningless += ["fields"] if fields and what != "headers" else []
    if meaningless:
        raise QueryError(
            f"{', '.join(meaningless)}= says nothing about {what}.",
            suggestion="fields= is for headers; html=, own_text=, max_bytes= and preview= are for "
            "bodies.",
        )
    return makers[what]()


def _messages(
    source: Source, what: What, fields: tuple[str, ...] = ()
) -> Callable[..., Generator[Any]]:
    def read(
        found: list[Selection], tick: Callable[[int], object], *, keep_gone: bool
    ) -> Generator[Any]:
        return messages_of(source, found, what, tick, fields=fields, keep_gone=keep_gone)

    return read
