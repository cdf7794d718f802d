"""Messages that were found -> records as they are read, with those that have gone meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.records import BodyRecord, Headers, MessageRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.source import Selection, Source, What

__all__ = ["messages_of", "previews_of", "texts_of"]

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
) -> Iterator[MessageRecord]:
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
    for one in found:
        gone = dict.fromkeys(one.uids)
        for record in source.headers(one, what, fields) if one.uids else ():
            del gone[record.uid]
            tick(1)
            yield record
        for uid in gone if keep_gone else ():
            tick(1)
            yield MessageRecord(
                source.account, one.folder, one.uidvalidity, uid,
                flags=(), internal_date=None, size=None, headers=Headers(), attachments=None,
                defects=("gone",),
            )  # fmt: skip


def previews_of(
    source: Source, found: list[Selection], tick: Callable[[int], object], *, keep_gone: bool
) -> Iterator[tuple[str, int, int, str | None]]:
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

    Yields
    ------
    tuple
        Folder, UIDVALIDITY, UID and preview.
    """
    read: Callable[[Selection], Iterator[tuple[int, str | None]] | None]
    read = getattr(source, "previews", lambda _: None)
    for one in found:
        gone = dict.fromkeys(one.uids)
        made = read(one) if one.uids else iter(())
        if made is None:  # then by us, of as much text as that takes
            texts = source.parts(one, max_bytes=PREVIEWED_BYTES)
            made = ((text.uid, _shown(text)) for text in texts)
        for uid, text in made:
            del gone[uid]
            tick(1)
            yield one.folder, one.uidvalidity, uid, _beginning(text)
        for uid in gone if keep_gone else ():
            tick(1)
            yield one.folder, one.uidvalidity, uid, None


def texts_of(
    source: Source,
    found: list[Selection],
    tick: Callable[[int], object],
    *,
    html: bool,
    max_bytes: int | None,
    keep_gone: bool,
) -> Iterator[BodyRecord]:
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
    for one in found:
        gone = dict.fromkeys(one.uids)
        for record in source.parts(one, html=html, max_bytes=max_bytes) if one.uids else ():
            del gone[record.uid]
            tick(1)
            yield record
        for uid in gone if keep_gone else ():
            tick(1)
            yield BodyRecord(
                source.account, one.folder, one.uidvalidity, uid,
                text=None, html=None, text_source="none", charset=None, truncated=False,
                defects=("gone",),
            )  # fmt: skip


def _shown(body: BodyRecord) -> str | None:
    # As RFC 8970 has it: a message without text has an empty preview, not none.
    is_empty = body.text is None and body.text_source == "none" and not body.defects
    return "" if is_empty else body.text


def _beginning(text: str | None) -> str | None:
    return None if text is None else " ".join(text[:PREVIEWED_BYTES].split())[:PREVIEW]
