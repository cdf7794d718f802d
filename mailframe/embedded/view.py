"""A mailbox as one client sees it: what it has been told, and what it is yet to be told.

Message numbers are the client's, and stay as they are until the server has said EXPUNGE. It may
not say so while a command that uses numbers is being answered (RFC 3501 section 7.4.1): changes
wait here until they may be told.
"""

from __future__ import annotations

from asyncio import Event
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from mailframe.embedded.grammar import Bad
from mailframe.embedded.store import SYSTEM_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.embedded.grammar import SequenceSet
    from mailframe.embedded.store import Mailbox, Message

__all__ = ["View"]


class View:
    r"""A mailbox that is open on one connection.

    Parameters
    ----------
    mailbox
        The mailbox.
    readonly
        Opened by EXAMINE: nothing may be changed.

    Attributes
    ----------
    messages
        Those the client knows of; the first has the number 1.
    recent
        UIDs that this client is the first to be told of (``\Recent``).
    changed
        Set when there is something to tell: what IDLE waits for.
    is_gone
        Whether the mailbox has been deleted meanwhile.
    """

    def __init__(self, mailbox: Mailbox, *, readonly: bool) -> None:
        self.mailbox = mailbox
        self.readonly = readonly
        self.messages = list(mailbox.messages)
        self.recent = {one.uid for one in self.messages if one.uid >= mailbox.first_recent}
        self.changed = Event()
        self.is_gone = False
        self._uids = [one.uid for one in self.messages]
        self._new: list[Message] = []
        self._touched: dict[int, Message] = {}
        self._gone: set[int] = set()
        self._told_keywords = len(mailbox.keywords)
        if not readonly:
            mailbox.first_recent = mailbox.next_uid
        mailbox.views.append(self)

    def close(self) -> None:
        """Want to be told no more."""
        if self in self.mailbox.views:
            self.mailbox.views.remove(self)

    # -- what happens to the mailbox

    def note_new(self, message: Message) -> None:
        """Hear of a message that has come in."""
        self._new.append(message)
        # The first that may write takes it for itself; a reader leaves it to others.
        if not self.readonly and message.uid >= self.mailbox.first_recent:
            self.mailbox.first_recent = message.uid + 1
            self.recent.add(message.uid)
        self.changed.set()

    def note_change(self, message: Message) -> None:
        """Hear of a message that has other flags."""
        self._touched[message.uid] = message
        self.changed.set()

    def note_gone(self, uids: set[int]) -> None:
        """Hear of messages that have been expunged."""
        self._gone |= uids
        self.changed.set()

    def note_mailbox_gone(self) -> None:
        """Hear that the mailbox has been deleted."""
        self.is_gone = True
        self.changed.set()

    # -- finding messages

    def number_of(self, uid: int) -> int | None:
        """Give a message's number; None where there is none with this UID."""
        place = bisect_left(self._uids, uid)
        return place + 1 if place < len(self._uids) and self._uids[place] == uid else None

    def chosen(self, wanted: SequenceSet, *, uid: bool) -> list[tuple[int, Message]]:
        """Find messages, with their numbers.

        Parameters
        ----------
        wanted
            Message numbers, or UIDs if ``uid``.

        Raises
        ------
        Bad
            For a number that no message has. A UID may be any: the message may just have gone
            (RFC 3501 section 6.4.8).
        """
        count = len(self.messages)
        found: list[tuple[int, Message]] = []
        if uid:
            for low, high in wanted.spans(self._uids[-1] if self._uids else 0):
                first, end = bisect_left(self._uids, low), bisect_right(self._uids, high)
                found += enumerate(self.messages[first:end], first + 1)
            return found
        for low, high in wanted.spans(count):
            if high > count or low == 0:
                raise Bad(f"There are {count} messages; {high or '*'} is none of them")
            found += enumerate(self.messages[low - 1 : high], low)
        return found

    # -- telling

    def news(self, *, expunge: bool = True) -> Iterator[bytes | Message]:
        """Give what the client is to be told: lines, and messages whose flags have changed.

        Parameters
        ----------
        expunge
            Whether it may be told now that messages have gone.
        """
        self.changed.clear()
        if expunge and self._gone:
            yield from self._expunged()
        if self._new:
            self.messages += self._new
            self._uids += [one.uid for one in self._new]
            self._new = []
            yield b"%d EXISTS" % len(self.messages)
            yield b"%d RECENT" % len(self.recent)
        if len(self.mailbox.keywords) != self._told_keywords:
            yield from self.flag_lines()
        touched, self._touched = self._touched, {}
        for one in touched.values():
            if one.uid not in self._gone:
                yield one
        if self._gone:
            self.changed.set()  # still to be told

    def flag_lines(self) -> Iterator[bytes]:
        """Give the flags that messages here may have (RFC 3501 sections 7.1 and 7.2.6)."""
        self._told_keywords = len(self.mailbox.keywords)
        words = " ".join([*SYSTEM_FLAGS, *self.mailbox.keywords.values()]).encode("ascii")
        yield b"FLAGS (%b)" % words
        if self.readonly:
            yield b"OK [PERMANENTFLAGS ()] Nothing can be changed"
        else:
            yield b"OK [PERMANENTFLAGS (%b \\*)] What can be changed; \\* is any keyword" % words

    def _expunged(self) -> Iterator[bytes]:
        gone, self._gone = self._gone, set()
        # One that came in and went before the client was told of it is not mentioned at all.
        self._new = [one for one in self._new if one.uid not in gone]
        # From the end on, so that each number is still what the client takes it for.
        places = [bisect_left(self._uids, uid) for uid in gone]
        known = sorted(
            place for place in places if place < len(self._uids) and self._uids[place] in gone
        )
        for place in reversed(dict.fromkeys(known)):
            self.recent.discard(self._uids[place])
            yield b"%d EXPUNGE" % (place + 1)
        self.messages = [one for one in self.messages if one.uid not in gone]
        self._uids = [one.uid for one in self.messages]
