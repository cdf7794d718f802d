"""Messages that were found -> records as they are read, with those that have gone meanwhile."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from mailframe.records import BodyRecord, MessageRecord, PreviewRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from mailframe.source import Selection, Source, What

__all__ = ["messages_of", "previews_of", "texts_of"]

_Record = TypeVar("_Record", MessageRecord, BodyRecord)
#: Places of selections, ascending, each with some of its records; a place may come several times.
#: Whoever takes from them closes them, so that what is still going on ends with an error or Ctrl-C
#: and not when its traceback is forgotten, which a notebook keeps.
_Streams: TypeAlias = "Generator[tuple[int, Iterable[_Record]]]"

#: Characters of a preview (RFC 8970 section 3.1), and bytes of text that are enough for it: HTML
#: often begins with its style sheet.
PREVIEW = 200
PREVIEWED_BYTES = 32 << 10


def messages_of(
    source: Source,
    found: list[Selection],
    what: What,
    tick: Callable[[int], object],
    *,
    fields: tuple[str, ...] = (),
    keep_gone: bool = False,
) -> Generator[MessageRecord]:
    """Read headers, flags and attachments.

    Parameters
    ----------
    source
        Where they are.
    found
        The messages.
    what
        How much of them.
    tick
        Called with the number of messages that have come.
    fields
        Lower-case names of further header fields.
    keep_gone
        Yield a record for each that has gone as well, behind those of its folder.
    """
    each: Callable[..., _Streams[MessageRecord]] | None = getattr(source, "headers_each", None)
    streams = (
        ((place, source.headers(one, what, fields)) for place, one in enumerate(found) if one.uids)
        if each is None
        else each(found, what, fields)
    )
    with closing(streams):
        for one, record, uid in _with_gone(found, streams, tick, keep_gone=keep_gone):
            yield record or MessageRecord.gone(source.account, one.folder, one.uidvalidity, uid)


def previews_of(
    source: Source, found: list[Selection], tick: Callable[[int], object], *, keep_gone: bool
) -> Generator[PreviewRecord]:
    """Read how texts begin: as the server says, or as the text says where it does not.

    Parameters
    ----------
    source
        Where they are.
    found
        The messages.
    tick
        Called with the number of messages that have come.
    keep_gone
        As for `messages_of`.
    """
    read: Callable[[Selection], Generator[tuple[int, str | None]] | None]
    read = getattr(source, "previews", lambda _: None)
    for one in found:
        gone = dict.fromkeys(one.uids)
        if not one.uids:
            continue
        made = read(one)
        if made is None:  # then by us, of as much text as that takes
            texts = source.parts(one, max_bytes=PREVIEWED_BYTES)
            made = ((text.uid, _shown(text)) for text in texts)
        with closing(made):
            for uid, text in made:
                del gone[uid]
                tick(1)
                yield PreviewRecord(
                    source.account, one.folder, one.uidvalidity, uid, _beginning(text)
                )
        for uid in gone if keep_gone else ():
            tick(1)
            yield PreviewRecord.gone(source.account, one.folder, one.uidvalidity, uid)


def texts_of(
    source: Source,
    found: list[Selection],
    tick: Callable[[int], object],
    *,
    html: bool,
    max_bytes: int | None,
    keep_gone: bool,
) -> Generator[BodyRecord]:
    """Read texts.

    Parameters
    ----------
    source
        Where they are.
    found
        The messages.
    tick
        Called with the number of messages that have come.
    html
        Keep the HTML as sent, too.
    max_bytes
        Read at most so many of each part.
    keep_gone
        As for `messages_of`.
    """
    options: dict[str, Any] = {"html": html, "max_bytes": max_bytes}
    each: Callable[..., _Streams[BodyRecord]] | None = getattr(source, "parts_each", None)
    streams = (
        ((place, source.parts(one, **options)) for place, one in enumerate(found) if one.uids)
        if each is None
        else each(found, **options)
    )
    with closing(streams):
        for one, record, uid in _with_gone(found, streams, tick, keep_gone=keep_gone):
            yield record or BodyRecord.gone(source.account, one.folder, one.uidvalidity, uid)


def _with_gone(
    found: list[Selection],
    streams: _Streams[_Record],
    tick: Callable[[int], object],
    *,
    keep_gone: bool,
) -> Iterator[tuple[Selection, _Record | None, int]]:
    """Yield the records of each folder, and behind them UIDs of which there is none any more."""
    by_place = groupby(streams, key=lambda stream: stream[0])
    coming = next(by_place, None)
    for place, one in enumerate(found):
        gone = dict.fromkeys(one.uids)
        if coming is not None and coming[0] == place:
            for _, records in coming[1]:
                for record in records:
                    del gone[record.uid]
                    tick(1)
                    yield one, record, record.uid
            coming = next(by_place, None)
        for uid in gone if keep_gone else ():
            tick(1)
            yield one, None, uid


def _shown(body: BodyRecord) -> str | None:
    # As RFC 8970 has it: a message without text has an empty preview, not none.
    is_empty = body.text is None and body.text_source == "none" and not body.defects
    return "" if is_empty else body.text


def _beginning(text: str | None) -> str | None:
    return None if text is None else " ".join(text[:PREVIEWED_BYTES].split())[:PREVIEW]
