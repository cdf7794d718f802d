"""What has arrived in a folder since a plan was made: how a lost answer is found out.

A copy cannot be told from its original by UID, but by what it is: size, Message-ID, Date, sender
and subject, and, where the original is still there to be compared, all that it holds. Whoever noted
the folder's UIDNEXT before (RFC 3501 section 2.3.1.1) needs to look at no more than what came
behind it.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mailframe.actions import Place, fingerprint
from mailframe.criteria import ALL, Key, UidSet
from mailframe.exceptions import UidValidityError
from mailframe.imap.contents import digests
from mailframe.imap.folder import folder_status
from mailframe.imap.messages import read_messages
from mailframe.imap.search import search

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from mailframe.imap.connection import Connection

__all__ = ["Contents", "Ledger", "Sight", "place_of"]

#: Returns what messages hold, as digests.
Contents: TypeAlias = "Callable[[Sequence[Hashable]], Mapping[Hashable, bytes]]"
_Arrivals: TypeAlias = "dict[tuple[object, ...], list[int]]"

log = logging.getLogger(__name__)

#: Seconds between two looks. A server goes on with a command whose connection was lost, and
#: nothing is done again before it has been seen to rest; the more there was to do the longer.
REST = 1.0
REST_PER_MESSAGE = 0.001
#: Looks at a folder that does not come to rest.
LOOKS = 30


class Sight(NamedTuple):
    """Which messages are where they were, and which of them have a copy.

    Attributes
    ----------
    here
        Keys of those that are still in their folder.
    copies
        UID of the copy in the other folder, by key.
    """

    here: frozenset[Hashable]
    copies: Mapping[Hashable, int]


def place_of(connection: Connection, folder: str) -> Place:
    """Say how far a folder is numbered (STATUS).

    Parameters
    ----------
    connection
        Logged in.
    folder
        Its name.

    Raises
    ------
    FolderError
        If it is not there.
    """
    # RFC 3501 section 6.3.10 wants no STATUS of the open folder: Dovecot tells how it was when it
    # was opened, and says NO where messages have gone since then.
    if not connection.has_open(folder):
        status = folder_status(connection, folder)
        if status.uidvalidity is not None and status.uidnext is not None:
            return Place(status.uidvalidity, status.uidnext)
    with connection.aside():
        opened = connection.select(folder)
        if opened.uidnext is not None:
            return Place(opened.uidvalidity, opened.uidnext)
        highest = search(connection, ALL, 1)
        return Place(opened.uidvalidity, highest[0] + 1 if highest else 1)


class Ledger:
    """The arrivals in one folder.

    Parameters
    ----------
    connection
        Logged in. Its open folder changes.
    folder
        Into which messages are put.
    since
        How far it was numbered when that was planned; None if it was not there yet.

    Raises
    ------
    FolderError
        If it is not there, and UidValidityError if it was renumbered: then nobody can tell what
        has been done.
    """

    def __init__(self, connection: Connection, folder: str, since: Place | None) -> None:
        now = place_of(connection, folder)
        self.folder = folder
        self.since = since or Place(now.uidvalidity, 1)
        #: Whether something has come since then, which may be what was to be put there.
        self.is_stale = now != self.since
        self._check(now.uidvalidity)
        self._connection = connection
        self._taken: set[int] = set()
        #: Which copies somebody has marked as deleted.
        self.marked: set[int] = set()

    def _check(self, uidvalidity: int) -> None:
        if uidvalidity != self.since.uidvalidity:
            raise UidValidityError(
                f"The folder {self.folder!r} was renumbered since this was planned: its "
                f"UIDVALIDITY is {uidvalidity}, and was {self.since.uidvalidity}.",
                suggestion="Plan it again.",
            )

    def take(self, uids: Iterable[int]) -> None:
        """Note copies of which it is known whose they are."""
        self._taken.update(uids)

    def look(
        self,
        wanted: Mapping[Hashable, tuple[object, ...]],
        here: Iterable[Hashable],
        *,
        leaves: bool = False,
        contents: Contents | None = None,
    ) -> Sight:
        """Find copies.

        Parameters
        ----------
        wanted
            Fingerprints of messages, by key; of what has none, its size alone.
        here
            Keys of those that are where they were.
        leaves
            Whether they leave when they are put here. Then those that have left have the first
            right to a copy where several messages are the same, and otherwise those that have not:
            others have taken the rest away.
        contents
            Returns the digests of messages that are where they were, by key. Of those only what
            holds the same is a copy: mail of a machine or a scanner may have no Message-ID, and be
            as long as any other.
        """
        is_here = frozenset(here)
        arrivals = self._arrivals()
        doubtful = [key for key in wanted if key in is_here and arrivals.get(wanted[key])]
        originals: Mapping[Hashable, bytes] = {}
        holding: dict[int, bytes] = {}
        if contents is not None and doubtful:
            originals = contents(doubtful)
            holding = self._contents(arrivals, {wanted[key] for key in doubtful})
        free = _Free(arrivals, holding, frozenset(originals.values()))
        copies: dict[Hashable, int] = {}
        for key in sorted(wanted, key=lambda key: (key in is_here) is leaves):
            if contents is None or key not in is_here:
                found = free.like(wanted[key])
            else:
                found = free.holding(originals[key]) if key in originals else None
            if found is not None:
                copies[key] = found
        return Sight(is_here, copies)

    def _contents(
        self, arrivals: _Arrivals, prints: Iterable[tuple[object, ...]]
    ) -> dict[int, bytes]:
        sizes = {uid: int(str(one[0])) for one in prints for uid in arrivals[one]}
        self._check(self._connection.select(self.folder).uidvalidity)
        found = digests(self._connection, sizes)
        self._connection.selected = None
        return found

    def _arrivals(self) -> _Arrivals:
        """Say what has come, but for what is taken: UIDs ascending, by fingerprint and by size."""
        connection = self._connection
        self._check(connection.select(self.folder).uidvalidity)
        first = self.since.uidnext
        # The asterisk stands for the last message, also where that is before the first wanted.
        found = search(connection, Key("UID", (UidSet(f"{first}:*"),)))
        new = sorted(uid for uid in found if uid >= first and uid not in self._taken)
        arrivals: _Arrivals = defaultdict(list)
        for record in read_messages(connection, new, headers=False, structure=False, brief=True):
            for one in {fingerprint(record.headers, record.size), fingerprint(None, record.size)}:
                arrivals[one].append(record.uid)
            if "\\deleted" in map(str.lower, record.flags):
                self.marked.add(record.uid)
        connection.selected = None
        return arrivals


class _Free:
    """Arrivals of which nobody has said yet whose copies they are."""

    def __init__(
        self, arrivals: _Arrivals, holding: Mapping[int, bytes], originals: frozenset[bytes]
    ) -> None:
        # What holds the same as a message that is where it was is the last that is taken for the
        # copy of one that has gone, and may have held something else.
        self._alike = {
            one: deque(sorted(uids, key=lambda uid: holding.get(uid) in originals))
            for one, uids in arrivals.items()
        }
        self._holding: dict[bytes, deque[int]] = defaultdict(deque)
        for uid in sorted(holding):
            self._holding[holding[uid]].append(uid)
        self._used: set[int] = set()

    def like(self, one: tuple[object, ...]) -> int | None:
        return self._first(self._alike.get(one))

    def holding(self, content: bytes) -> int | None:
        return self._first(self._holding.get(content))

    def _first(self, uids: deque[int] | None) -> int | None:
        while uids:
            uid = uids.popleft()
            if uid not in self._used:
                self._used.add(uid)
                return uid
        return None
