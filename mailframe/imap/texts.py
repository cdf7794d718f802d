"""The text of messages, fetched by part: no attachment is downloaded for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mailframe.imap.bodystructure import doubt_of_content
from mailframe.imap.fetch import Request, batches, fetch, fetch_ranges
from mailframe.imap.overview import FEW_FIELDS, look, verify
from mailframe.parsing import Bodies, read_bodies
from mailframe.records import BodyRecord
from mailframe.source import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.overview import Overview

__all__ = ["fetch_texts", "read_texts"]

#: Messages read together.
BATCH = 2000
#: A text part up to this size is read in one piece, up to `LONGEST` in ranges, then cut.
PIECE = 4 << 20

#: Part numbers, and whether only the beginning of that part is read.
_Shape: TypeAlias = tuple[tuple[str, bool], ...]

_NO_BODIES = Bodies(None, None, "none", None, ())


def read_texts(
    connection: Connection,
    uids: Sequence[int],
    *,
    html: bool = False,
    max_bytes: int | None = None,
) -> Iterator[BodyRecord]:
    """Read the text of messages; no attachment is downloaded for it.

    Parameters
    ----------
    connection
        With the folder selected.
    uids
        Distinct, in the order wanted.
    html
        Read the HTML as well, where there is text without it.
    max_bytes
        Read at most so many of each part, as encoded; `LONGEST` is never exceeded.

    Yields
    ------
    BodyRecord
        In the order of ``uids``; those that have gone are left out.
    """
    selected = connection.the_selected()
    limit = LONGEST if max_bytes is None else min(max_bytes, LONGEST)
    for batch in batches(connection, selected, uids, BATCH):
        seen = look(connection, batch, FEW_FIELDS, structure=True)
        contents = fetch_texts(connection, seen, html=html, limit=limit)
        for one in seen:
            picked = one.picked
            bodies = _NO_BODIES
            cut: list[str] = []
            if picked is not None:
                had = contents[one.uid]
                cut = [
                    part.number
                    for part in picked.wanted(html=html)
                    if part.size > limit and len(had.get(part.number, b"")) == limit
                ]
                bodies = read_bodies(picked, had, html=html, cut=cut)
            yield BodyRecord(
                selected.account,
                selected.folder,
                selected.uidvalidity,
                one.uid,
                text=bodies.text,
                html=bodies.html,
                text_source=bodies.text_source,
                charset=bodies.charset,
                truncated=bool(cut),
                defects=(*one.defects, *bodies.defects),
            )


def fetch_texts(
    connection: Connection, seen: Sequence[Overview], *, html: bool, limit: int
) -> dict[int, dict[str, bytes]]:
    """Fetch the text parts of messages, those of one shape in one command.

    Parameters
    ----------
    connection
        With the folder selected.
    seen
        The messages. One whose text speaks against its structure is read whole, and changed.
    html
        Fetch the HTML as well, where there is text without it.
    limit
        Of each part so many bytes are read at most.

    Returns
    -------
    dict
        Encoded content by UID and part number. What is missing is in the structure's ``raw``.
    """
    contents: dict[int, dict[str, bytes]] = {one.uid: {} for one in seen}
    shapes: dict[_Shape, list[tuple[int, int]]] = {}
    for one in seen:
        wanted = () if one.picked is None else one.picked.wanted(html=html)
        if one.is_whole or not limit:  # RFC 3501 section 9: no range is empty
            contents[one.uid] = {part.number: (part.raw or b"")[:limit] for part in wanted}
        elif any(min(part.size, limit) > PIECE for part in wanted):
            for part in wanted:
                contents[one.uid][part.number] = _capped(connection, one.uid, part.number, limit)
        elif wanted:
            shape = tuple((part.number, part.size > limit) for part in wanted)
            size = sum(min(part.size, limit) for part in wanted)
            shapes.setdefault(shape, []).append((one.uid, size))
    _fetch_shapes(connection, shapes, limit, contents)
    doubtful = [one for one in seen if _is_doubtful(one, contents[one.uid])]
    if doubtful:
        verify(connection, doubtful)
        contents |= {one.uid: {} for one in doubtful if one.is_whole}
    return contents


def _fetch_shapes(
    connection: Connection,
    shapes: Mapping[_Shape, list[tuple[int, int]]],
    limit: int,
    contents: dict[int, dict[str, bytes]],
) -> None:
    """Add what the server sends to ``contents``."""
    requests = [_parts_request(shape, found, limit) for shape, found in shapes.items()]
    for uid, found in fetch(connection, requests):
        for name, value in found.items() if isinstance(found, dict) else ():
            if name.startswith("BODY[") and isinstance(value, bytes):
                contents[uid][name[5:].partition("]")[0]] = value[:limit]


def _is_doubtful(one: Overview, contents: Mapping[str, bytes]) -> bool:
    if one.is_whole or one.picked is None:
        return False
    for part in one.picked.html:
        raw = contents.get(part.number, b"")
        # The structure is read last: most are known by their shape alone.
        if part.size and len(raw) >= part.size and one.structure is not None:
            doubt = doubt_of_content(one.structure, part, raw)
            if doubt:
                one.doubt = doubt
                return True
    return False


def _parts_request(shape: _Shape, messages: list[tuple[int, int]], limit: int) -> Request:
    items, expected, aliases = [], {"UID"}, {}
    for number, is_cut in shape:
        item, name = b"BODY.PEEK[%b]" % number.encode("ascii"), f"BODY[{number}]"
        if is_cut:
            item += b"<0.%d>" % limit
            aliases[name] = f"{name}<0>"  # some servers leave the offset out of the name
        items.append(item)
        expected.add(aliases.get(name, name))
    octets = sum(size for _, size in messages) // len(messages)
    uids = [uid for uid, _ in messages]
    return Request(uids, b" ".join(items), frozenset(expected), octets, aliases)


def _capped(connection: Connection, uid: int, section: str, limit: int) -> bytes:
    return b"".join(fetch_ranges(connection, uid, section, limit))[:limit]
