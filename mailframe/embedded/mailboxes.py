"""Commands about mailboxes: LIST, STATUS, CREATE and the like (RFC 3501 section 6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailframe.embedded.grammar import Bad, No, quoted
from mailframe.embedded.store import DELIMITER, INBOX
from mailframe.embedded.utf7 import encode_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_LONGEST_PATTERN = 1_000
_MOST_PATTERNS = 50
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
    for name in _listed(account, wanted):
        words = " ".join(_attributes(account, name, wanted))
        more = b""
        if "RECURSIVEMATCH" in wanted.selections and _subscribed_below(account, name, wanted):
            more = b' ("CHILDINFO" ("SUBSCRIBED"))'
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
        if fits(pattern, name):
            await connection.send(_line(b"LSUB", "", name))
    # "%" finds the level above one that is subscribed to, which is not itself.
    above = {level for name in subscribed for level in _levels(name)} - subscribed
    for name in sorted(above) if pattern.endswith("%") else ():
        if fits(pattern, name):
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
    if connection.view and connection.view.mailbox is connection.mail.mailbox(name):
        connection.select(None)
    connection.mail.delete(name)
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
    connection.mail.subscribed.discard(name)
    return "UNSUBSCRIBE completed"


# -- LIST


def fits(pattern: str, name: str) -> bool:
    """Say whether a name fits a pattern: ``*`` is anything, ``%`` anything within one level.

    Examples
    --------
    >>> fits("Lists/%", "Lists/pandas"), fits("%", "Lists/pandas"), fits("*", "Lists/pandas")
    (True, False, True)
    """
    # All places in the pattern at once, so that no pattern takes long.
    places = _beyond_wildcards(pattern, {0})
    for letter in name:
        further = set()
        for place in places:
            if place == len(pattern):
                continue
            wild = pattern[place]
            if wild == "*" or (wild == "%" and letter != DELIMITER):
                further.add(place)
            elif wild == letter:
                further.add(place + 1)
        places = _beyond_wildcards(pattern, further)
    return len(pattern) in places


def _beyond_wildcards(pattern: str, places: set[int]) -> set[int]:
    reached = set(places)
    for place in places:
        end = place
        while end < len(pattern) and pattern[end] in "*%":
            end += 1
            reached.add(end)
    return reached


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
    if len(patterns) > _MOST_PATTERNS or any(len(one) > _LONGEST_PATTERN for one in patterns):
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


def _listed(account: Account, wanted: _Wanted) -> Iterator[str]:
    names = account.names()
    if "SUBSCRIBED" in wanted.selections:
        names = sorted({*names, *account.subscribed}, key=lambda name: (name != INBOX, name))
    for name in names:
        # INBOX alone is not case-sensitive.
        spelled = (name, name.lower()) if name == INBOX else (name,)
        if not any(fits(_cased(pattern, name), s) for pattern in wanted.patterns for s in spelled):
            continue
        if _is_selected(account, name, wanted) or (
            "RECURSIVEMATCH" in wanted.selections and _subscribed_below(account, name, wanted)
        ):
            yield name


def _cased(pattern: str, name: str) -> str:
    return pattern.lower() if name == INBOX else pattern


def _is_selected(account: Account, name: str, wanted: _Wanted) -> bool:
    if "SUBSCRIBED" in wanted.selections and name not in account.subscribed:
        return False
    if "SPECIAL-USE" in wanted.selections:
        return name in account and account.mailbox(name).special_use is not None
    return True


def _subscribed_below(account: Account, name: str, wanted: _Wanted) -> bool:
    """Say whether a mailbox below is subscribed to that the patterns do not find themselves."""
    below = (one for one in account.subscribed if one.startswith(name + DELIMITER))
    return any(not any(fits(pattern, one) for pattern in wanted.patterns) for one in below)


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


def _levels(name: str) -> Iterator[str]:
    parts = name.split(DELIMITER)
    for end in range(1, len(parts)):
        yield DELIMITER.join(parts[:end])


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
