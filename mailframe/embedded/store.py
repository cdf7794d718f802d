"""An account: its mailboxes, their messages, and what a client that has one open must be told.

Everything here happens in the server's one thread, so there are no locks.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

from mailframe.embedded.content import Spool, Spooled, with_crlf
from mailframe.embedded.grammar import No

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mailframe.embedded.content import Content

__all__ = [
    "DELIMITER",
    "INBOX",
    "SYSTEM_FLAGS",
    "Account",
    "Mailbox",
    "Message",
    "canonical",
    "parents",
]

INBOX = "INBOX"
DELIMITER = "/"
SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")

_LONGEST_NAME = 200
_DEEPEST_NAME = 16
_MOST_MAILBOXES = 1_000
#: Keywords one mailbox may have: each is remembered for good.
_MOST_KEYWORDS = 200
_LONG = 200  # for a keyword
_MOST_SETS = 10_000  # of flags, of which it is remembered how they are written
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Closeable(Protocol):
    """What is to be let go of in the end."""

    def close(self) -> None:
        """Let go."""


class Watcher(Protocol):
    """Whoever is told what happens to a mailbox: see `view.View`."""

    def note_new(self, message: Message) -> None:
        """Hear of a message that has come in."""

    def note_change(self, message: Message) -> None:
        """Hear of a message that has other flags."""

    def note_gone(self, uids: set[int]) -> None:
        """Hear of messages that have been expunged."""

    def note_mailbox_gone(self) -> None:
        """Hear that the mailbox has been deleted."""


class Message:
    r"""One message in one mailbox.

    Attributes
    ----------
    uid
        Unique in its mailbox, never used again (RFC 3501 section 2.3.1.1).
    flags
        Without ``\Recent``, which a client has, not a message.
    modseq
        Higher with each change (RFC 7162 section 3.1).
    """

    __slots__ = ("content", "flags", "internal_date", "modseq", "uid")

    def __init__(
        self,
        uid: int,
        content: Content,
        internal_date: datetime,
        flags: frozenset[str],
        modseq: int,
    ) -> None:
        self.uid = uid
        self.content = content
        self.internal_date = internal_date
        self.flags = flags
        self.modseq = modseq


class Mailbox:
    r"""One mailbox.

    Parameters
    ----------
    name
        Decoded, with `DELIMITER` between the levels.
    uidvalidity
        UIDs mean these messages as long as it stays (RFC 3501 section 2.3.1.1).
    special_use
        ``\Sent`` and the like (RFC 6154); None without a role.
    """

    def __init__(self, name: str, uidvalidity: int, special_use: str | None = None) -> None:
        self.name = name
        self.uidvalidity = uidvalidity
        self.special_use = special_use
        self.messages: list[Message] = []  # UIDs ascending
        self.next_uid = 1
        self.modseq = 1
        self.first_recent = 1  # the UID from which on no client has been told of a message
        self.keywords: dict[str, str] = {}  # by their lower-case names
        self.views: list[Watcher] = []
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def add(self, content: Content, internal_date: datetime, flags: Iterable[str] = ()) -> Message:
        """Take in a message."""
        self.modseq += 1
        message = Message(self.next_uid, content, internal_date, self.spelled(flags), self.modseq)
        self.next_uid += 1
        self.messages.append(message)
        for view in self.views:
            view.note_new(message)
        return message

    def set_flags(self, message: Message, flags: Iterable[str], by: Watcher | None = None) -> bool:
        """Give a message these flags; say whether that changed anything.

        Parameters
        ----------
        message
            In this mailbox.
        flags
            All that it has from now on.
        by
            Whose client does it: it is told in its own way.
        """
        spelled = self.spelled(flags)
        if spelled == message.flags:
            return False
        self.modseq += 1
        message.flags, message.modseq = spelled, self.modseq
        for view in self.views:
            if view is not by:
                view.note_change(message)
        return True

    def remove(self, messages: Sequence[Message]) -> None:
        """Expunge messages: they are gone for good."""
        gone = {message.uid for message in messages}
        if not gone:
            return
        self.modseq += 1
        self.messages = [one for one in self.messages if one.uid not in gone]
        for view in self.views:
            view.note_gone(gone)

    def spelled(self, flags: Iterable[str]) -> frozenset[str]:
        """Write flags as they were first written here: they are not case-sensitive.

        Raises
        ------
        No
            For more keywords than a mailbox may have; then it remembers none of them.
        """
        given = frozenset(flags)
        known = self._sets.get(given)
        if known is not None:  # few sets are in use; thousands of messages share them
            return known
        spelled = {flag.lower(): _SYSTEM.get(flag.lower(), flag) for flag in sorted(given)}
        new = {key: flag for key, flag in spelled.items() if key not in {*_SYSTEM, *self.keywords}}
        if len(self.keywords) + len(new) > _MOST_KEYWORDS or max(map(len, new), default=0) > _LONG:
            raise No("Too many keywords in this mailbox, or too long ones", "LIMIT")
        self.keywords |= new
        found = frozenset(self.keywords.get(key, flag) for key, flag in spelled.items())
        if len(self._sets) > _MOST_SETS:
            self._sets.clear()
        self._sets[given] = self._sets.setdefault(found, found)
        return self._sets[given]

    def with_uid(self, uid: int) -> Message | None:
        """Find a message; None where it has gone."""
        place = bisect_left(self.messages, uid, key=lambda one: one.uid)
        there = place < len(self.messages) and self.messages[place].uid == uid
        return self.messages[place] if there else None

    def counts(self) -> dict[str, int]:
        """Give what STATUS tells (RFC 3501 section 6.3.10, RFC 8438, RFC 7162)."""
        return {
            "MESSAGES": len(self.messages),
            "RECENT": sum(one.uid >= self.first_recent for one in self.messages),
            "UIDNEXT": self.next_uid,
            "UIDVALIDITY": self.uidvalidity,
            "UNSEEN": sum("\\Seen" not in one.flags for one in self.messages),
            "HIGHESTMODSEQ": self.modseq,
            "DELETED": sum("\\Deleted" in one.flags for one in self.messages),
        }

    @property
    def size(self) -> int:
        """Of all messages together, in bytes (RFC 8438)."""
        return sum(one.content.size for one in self.messages)


class Account:
    """The mail of one user.

    Parameters
    ----------
    first_validity
        UIDVALIDITY of the first mailbox; each mailbox made later gets a higher one.
    """

    def __init__(self, first_validity: int = 1) -> None:
        self._validities = itertools.count(first_validity)
        self._mailboxes: dict[str, Mailbox] = {}
        self._spool: Spool | None = None
        self._held: list[Closeable] = []
        self.subscribed: set[str] = set()
        self.create(INBOX)

    # -- finding

    def mailbox(self, name: str) -> Mailbox:
        """Find a mailbox.

        Raises
        ------
        No
            If there is none.
        """
        found = self._mailboxes.get(canonical(name))
        if found is None:
            raise No(f"There is no mailbox {name!a}", "NONEXISTENT")
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and canonical(name) in self._mailboxes

    def __iter__(self) -> Iterator[Mailbox]:
        return iter(sorted(self._mailboxes.values(), key=lambda one: (one.name != INBOX, one.name)))

    def names(self) -> list[str]:
        """List every name: of mailboxes, and of levels that only hold others."""
        found = set(self._mailboxes)
        for name in self._mailboxes:
            found |= set(parents(name))
        return sorted(found, key=lambda name: (name != INBOX, name))

    def children(self, name: str) -> list[str]:
        """List the mailboxes below a name."""
        return [other for other in self._mailboxes if other.startswith(name + DELIMITER)]

    # -- changing

    def create(self, name: str, special_use: str | None = None) -> Mailbox:
        """Make a mailbox (RFC 3501 section 6.3.3).

        Raises
        ------
        No
            If it cannot be made.
        """
        # A delimiter at the end says that others will follow below it.
        name = canonical(name.removesuffix(DELIMITER))
        levels = name.split(DELIMITER)
        if "" in levels or _CONTROL.search(name):
            raise No(f"No mailbox can be called {name!a}", "CANNOT")
        if len(name) > _LONGEST_NAME or len(levels) > _DEEPEST_NAME:
            raise No("That name is too long", "LIMIT")
        if name in self._mailboxes:
            raise No(f"There is a mailbox {name!a} already", "ALREADYEXISTS")
        if len(self._mailboxes) >= _MOST_MAILBOXES:
            raise No("Too many mailboxes", "LIMIT")
        made = Mailbox(name, next(self._validities), special_use)
        self._mailboxes[name] = made
        return made

    def delete(self, name: str) -> None:
        """Remove a mailbox and its messages, not what is below it (RFC 3501 section 6.3.4)."""
        gone = self.mailbox(name)
        if gone.name == INBOX:
            raise No("INBOX cannot be deleted", "CANNOT")
        del self._mailboxes[gone.name]
        for view in list(gone.views):
            view.note_mailbox_gone()

    def rename(self, old: str, new: str) -> None:
        """Rename a mailbox and all below it; from INBOX the messages are moved (section 6.3.5)."""
        new = canonical(new.removesuffix(DELIMITER))
        if canonical(old) == INBOX:
            source, target = self.mailbox(INBOX), self.create(new)
            moved = list(source.messages)
            for message in moved:
                target.add(message.content, message.internal_date, message.flags)
            source.remove(moved)
            return
        affected = [name for name in (old, *self.children(old)) if name in self._mailboxes]
        if not affected:
            raise No(f"There is no mailbox {old!a}", "NONEXISTENT")
        if new.startswith(old + DELIMITER):
            raise No("A mailbox cannot be moved below itself", "CANNOT")
        names = {name: new + name[len(old) :] for name in affected}
        for taken in names.values():
            if taken in self._mailboxes:
                raise No(f"There is a mailbox {taken!a} already", "ALREADYEXISTS")
        # Made and thrown away, so that a new name obeys the rules of any other.
        for name in names.values():
            self.create(name)
        for before, after in names.items():
            mailbox = self._mailboxes.pop(before)
            mailbox.name = after
            self._mailboxes[after] = mailbox

    def append(
        self, mailbox: Mailbox, raw: bytes, internal_date: datetime, flags: Iterable[str] = ()
    ) -> Message:
        """Store a message."""
        if self._spool is None:
            self._spool = Spool()
            self.hold(self._spool)
        return mailbox.add(Spooled(self._spool, with_crlf(raw)), internal_date, flags)

    def hold(self, resource: Closeable) -> None:
        """Keep something open as long as the account is: its messages are in it."""
        self._held.append(resource)

    def close(self) -> None:
        """Let go of what the messages are in."""
        while self._held:
            self._held.pop().close()


def canonical(name: str) -> str:
    """Write INBOX in capitals: it alone is not case-sensitive (RFC 3501 section 5.1)."""
    first, delimiter, rest = name.partition(DELIMITER)
    is_inbox = first.isascii() and first.upper() == INBOX
    return f"{INBOX}{delimiter}{rest}" if is_inbox else name


def parents(name: str) -> Iterator[str]:
    """Give the levels above a name, from the top."""
    for place, letter in enumerate(name):
        if letter == DELIMITER:
            yield name[:place]


_SYSTEM = {flag.lower(): flag for flag in SYSTEM_FLAGS}
