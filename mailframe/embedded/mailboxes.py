"""Commands about mailboxes: LIST, STATUS, CREATE and the like (RFC 3501 section 6.3)."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailframe.embedded.grammar import Bad, No, quoted
from mailframe.embedded.store import DELIMITER, INBOX, canonical, parents
from mailframe.embedded.utf7 import encode_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from mailframe.embedded.connection import Connection
    from mailframe.embedded.grammar import Cursor
    from mailframe.embedded.store import Account

__all__ = [
    "create",
    "delete",
    "list_mailboxes",
    "lsub",
    "rename",
    "status",
    "subscribe",
    "unsubscribe",
]

_STATUS_ITEMS = frozenset(
    ["MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "HIGHESTMODSEQ", "DELETED"]
)
_SELECTIONS = frozenset(["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"])
_LONGEST_PATTERNS = 1_000  # together
_WILDCARDS = re.compile(r"[*%]+")
_MOST_SUBSCRIPTIONS = 2_000


class _Wanted(NamedTuple):
    """What LIST asks for (RFC 5258)."""

    patterns: tuple[str, ...]
    selections: frozenset[str]
    returns: frozenset[str]
    status: tuple[str, ...]


async def list_mailboxes(connection: Connection, cursor: Cursor) -> str:
    """LIST (section 6.3.8), with the options of RFC 5258, RFC 5819 and RFC 6154."""
    wanted = _wanted(cursor)
    account = connection.mail
    if wanted.patterns == ("",):
        # Nothing is asked for but the delimiter.
        await connection.send(b'LIST (\\Noselect) "%b" ""' % DELIMITER.encode())
        return "LIST completed"
    if "HIGHESTMODSEQ" in wanted.status:
        await connection.enable_condstore()
    above = _above_subscribed(account, wanted)
    async for name in _listed(account, wanted, above):
        words = " ".join(_attributes(account, name, wanted))
        more = b' ("CHILDINFO" ("SUBSCRIBED"))' if name in above else b""
        await connection.send(_line(b"LIST", words, name) + more)
        if wanted.status and name in account:
            await connection.send(_status_line(account, name, wanted.status))
    return "LIST completed"


async def lsub(connection: Connection, cursor: Cursor) -> str:
    """LSUB (section 6.3.9): what is subscribed to, whether it is there or not."""
    cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    pattern = reference + cursor.list_mailbox()
    cursor.end()
    subscribed = connection.mail.subscribed
    for name in sorted(subscribed):
        if _any_fits([pattern], name):
            await connection.send(_line(b"LSUB", "", name))
    # "%" finds the level above one that is subscribed to, which is not itself.
    above = {level for name in subscribed for level in parents(name)} - subscribed
    for name in sorted(above) if pattern.endswith("%") else ():
        if _any_fits([pattern], name):
            await connection.send(_line(b"LSUB", "\\Noselect", name))
    return "LSUB completed"


async def status(connection: Connection, cursor: Cursor) -> str:
    """STATUS (section 6.3.10): counts of a mailbox that need not be open."""
    cursor.space()
    name = cursor.mailbox()
    cursor.space()
    items = _status_items(cursor)
    cursor.end()
    if "HIGHESTMODSEQ" in items:
        await connection.enable_condstore()
    await connection.send(_status_line(connection.mail, name, items))
    return "STATUS completed"


async def create(connection: Connection, cursor: Cursor) -> str:
    """CREATE (section 6.3.3)."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    connection.mail.create(name)
    return "CREATE completed"


async def delete(connection: Connection, cursor: Cursor) -> str:
    """DELETE (section 6.3.4)."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    mailbox = connection.mail.mailbox(name)
    connection.mail.delete(name)
    if connection.view and connection.view.mailbox is mailbox:
        connection.select(None)
    return "DELETE completed"


async def rename(connection: Connection, cursor: Cursor) -> str:
    """RENAME (section 6.3.5)."""
    cursor.space()
    old = cursor.mailbox()
    cursor.space()
    new = cursor.mailbox()
    cursor.end()
    connection.mail.rename(old, new)
    return "RENAME completed"


async def subscribe(connection: Connection, cursor: Cursor) -> str:
    """SUBSCRIBE (section 6.3.6)."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    name = connection.mail.mailbox(name).name
    if len(connection.mail.subscribed) >= _MOST_SUBSCRIPTIONS:
        raise No("Too many subscriptions", "LIMIT")
    connection.mail.subscribed.add(name)
    return "SUBSCRIBE completed"


async def unsubscribe(connection: Connection, cursor: Cursor) -> str:
    """UNSUBSCRIBE (section 6.3.7)."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    connection.mail.subscribed.discard(canonical(name))
    return "UNSUBSCRIBE completed"


# -- LIST


def fits(pattern: str, name: str) -> bool:
    """Say whether a name fits a pattern: ``*`` is anything, ``%`` anything within one level.

    Examples
    --------
    >>> fits("Lists/%", "Lists/pandas"), fits("%", "Lists/pandas"), fits("*", "Lists/pandas")
    (True, False, True)
    """
    # Several wildcards in a row are one.
    pattern = _WILDCARDS.sub(lambda run: "*" if "*" in run[0] else "%", pattern)
    places = _places(pattern)
    stars, percents = places.get("*", 0), places.get("%", 0)
    # All the places in the pattern that may be next, a bit for each: no pattern takes long.
    here = 1
    for letter in name:
        here |= (here & (stars | percents)) << 1  # a wildcard may stand for nothing
        stays = here & (stars if letter == DELIMITER else stars | percents)
        here = stays | (here & places.get(letter, 0)) << 1
    here |= (here & (stars | percents)) << 1
    return bool(here >> len(pattern) & 1)


@lru_cache(maxsize=256)  # a client asks one pattern of all names
def _places(pattern: str) -> Mapping[str, int]:
    """Say where each character stands in a pattern, a bit for each place."""
    places: dict[str, int] = {}
    for place, letter in enumerate(pattern):
        places[letter] = places.get(letter, 0) | 1 << place
    return places


def _any_fits(patterns: Iterable[str], name: str) -> bool:
    # INBOX alone is not case-sensitive.
    if name == INBOX:
        return any(fits(pattern.upper(), name) for pattern in patterns)
    return any(fits(pattern, name) for pattern in patterns)


def _wanted(cursor: Cursor) -> _Wanted:
    cursor.space()
    selections: frozenset[str] = frozenset()
    if cursor.at(b"("):
        selections = frozenset(cursor.several(cursor.atom))
        cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    found = cursor.one_or_several(cursor.list_mailbox)
    # With a name alone, the reference says nothing; before a pattern it stands as it is.
    patterns = tuple(reference + pattern if pattern else "" for pattern in found)
    if sum(map(len, patterns)) > _LONGEST_PATTERNS:
        raise Bad("The patterns are too long, or too many")
    returns: frozenset[str] = frozenset()
    items: tuple[str, ...] = ()
    if cursor.take(b" "):
        if cursor.atom() != "RETURN":
            raise cursor.bad("expected RETURN")
        cursor.space()

        def option() -> str:
            nonlocal items
            name = cursor.atom()
            if name == "STATUS":
                cursor.space()
                items = _status_items(cursor)
            return name

        returns = frozenset(cursor.several(option))
    cursor.end()
    if unknown := selections - _SELECTIONS:
        raise Bad(f"Unknown selection option {min(unknown)}")
    if unknown := returns - {"SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS"}:
        raise Bad(f"Unknown RETURN option {min(unknown)}")
    if "RECURSIVEMATCH" in selections and not selections & {"SUBSCRIBED", "SPECIAL-USE"}:
        raise Bad("RECURSIVEMATCH needs something to match (RFC 5258 section 3.1)")
    return _Wanted(patterns, selections, returns, items)


async def _listed(account: Account, wanted: _Wanted, above: set[str]) -> AsyncIterator[str]:
    names = account.names()
    if "SUBSCRIBED" in wanted.selections:
        names = sorted({*names, *account.subscribed}, key=lambda name: (name != INBOX, name))
    for name in names:
        await asyncio.sleep(0)  # others get their turn
        is_wanted = name in above or _is_selected(account, name, wanted)
        if is_wanted and _any_fits(wanted.patterns, name):
            yield name


def _is_selected(account: Account, name: str, wanted: _Wanted) -> bool:
    if "SUBSCRIBED" in wanted.selections and name not in account.subscribed:
        return False
    if "SPECIAL-USE" in wanted.selections:
        return name in account and account.mailbox(name).special_use is not None
    return True


def _above_subscribed(account: Account, wanted: _Wanted) -> set[str]:
    """Give the levels above mailboxes that are subscribed to, and not found themselves."""
    if "RECURSIVEMATCH" not in wanted.selections:
        return set()
    unfound = (one for one in account.subscribed if not _any_fits(wanted.patterns, one))
    return {level for name in unfound for level in parents(name)}


def _attributes(account: Account, name: str, wanted: _Wanted) -> Iterator[str]:
    extended = wanted.selections or wanted.returns
    if name not in account:
        # A level that only holds others, or what is only subscribed to (RFC 5258 section 3).
        yield "\\NonExistent" if extended else "\\Noselect"
    elif use := account.mailbox(name).special_use:
        yield use
    yield "\\HasChildren" if account.children(name) else "\\HasNoChildren"
    asked = wanted.selections | wanted.returns
    if "SUBSCRIBED" in asked and name in account.subscribed:
        yield "\\Subscribed"


def _line(what: bytes, words: str, name: str) -> bytes:
    return b'%b (%b) "%b" %b' % (
        what,
        words.encode("ascii"),
        DELIMITER.encode(),
        quoted(encode_name(name)),
    )


# -- STATUS


def _status_items(cursor: Cursor) -> tuple[str, ...]:
    items = tuple(dict.fromkeys(cursor.several(cursor.atom)))
    if not items or (unknown := set(items) - _STATUS_ITEMS):
        raise cursor.bad(f"{min(unknown) if items else 'nothing'} is no item of STATUS")
    return items


def _status_line(account: Account, name: str, items: Sequence[str]) -> bytes:
    mailbox = account.mailbox(name)
    counts = mailbox.counts()
    if "SIZE" in items:
        counts["SIZE"] = mailbox.size  # every message has to be looked at for it
    words = " ".join(f"{item} {counts[item]}" for item in items).encode("ascii")
    return b"STATUS %b (%b)" % (quoted(encode_name(mailbox.name)), words)
