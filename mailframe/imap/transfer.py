"""Messages put into folders: moved, copied and appended, each once.

None of these may be done twice. Where the connection is lost before the answer has come, it is
looked up what has been done, until the server is at rest, since it finishes what it has begun; only
then the remainder is done.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailframe.actions import Result, fingerprint
from mailframe.criteria import Key, UidSet, all_of
from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    FolderError,
    MailframeError,
    ProtocolError,
    ThrottledError,
)
from mailframe.imap.changes import LOST, in_pieces, present, remove, unchangeable
from mailframe.imap.contents import digest, digests
from mailframe.imap.items import write_internal_date
from mailframe.imap.ledger import LOOKS, REST, REST_PER_MESSAGE, Sight
from mailframe.imap.names import encode_name
from mailframe.imap.responses import parse_number, split_code
from mailframe.imap.search import search
from mailframe.imap.uids import parse_uid_set, to_uid_set
from mailframe.imap.wire import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence

    from mailframe.actions import Action, Letter
    from mailframe.imap.connection import Connection
    from mailframe.imap.ledger import Ledger
    from mailframe.imap.responses import Reply

__all__ = ["append", "survey", "transfer"]

log = logging.getLogger(__name__)

#: Of UIDs and UIDVALIDITYs (RFC 3501 section 9, nz-number).
_HIGHEST = 2**32 - 1
#: How often one command may cost the connection.
LOSSES = 5


def survey(
    connection: Connection, actions: Mapping[int, Action], ledger: Ledger
) -> dict[int, Sight]:
    """Look which messages have been put into a folder already, by an earlier run.

    Parameters
    ----------
    connection
        Logged in. Its open folder changes.
    actions
        All that put messages into that folder, by number.
    ledger
        That folder's.

    Returns
    -------
    dict
        What is to be seen of each action's messages.

    Raises
    ------
    FolderError
        If that folder is not there any more, and UidValidityError if it was renumbered.
    """
    wanted: dict[Hashable, tuple[object, ...]] = {}
    here: set[Hashable] = set()
    found_there = {}
    for number, action in actions.items():
        prints = _prints(action)
        wanted |= {(number, key): value for key, value in prints.items()}
        if action.messages:
            connection.selected = None
            try:
                connection.return_to(action.folder, action.uidvalidity)
            # It will say so itself. The others can be done; what may be copies of its messages
            # is not taken for theirs.
            except FolderError as error:
                log.info("%s", error)
                continue
            here |= {(number, uid) for uid in present(connection, list(prints))}
        else:
            here |= {(number, place) for place in prints}
        found_there[number] = prints

    def contents(keys: Sequence[Hashable]) -> dict[Hashable, bytes]:
        among = set(keys)
        found: dict[Hashable, bytes] = {}
        for number, prints in found_there.items():
            some = [key for key in prints if (number, key) in among]
            held = _contents(connection, actions[number], some)
            found |= {(number, key): value for key, value in held.items()}
        return found

    leaves = all(_leaves(connection, action) for action in actions.values())
    found = ledger.look(wanted, here, leaves=leaves, contents=contents)
    ledger.take(found.copies.values())
    sights = {}
    for number, prints in found_there.items():
        keys = {key: (number, key) for key in prints}
        sights[number] = Sight(
            frozenset(key for key, pair in keys.items() if pair in found.here),
            {key: found.copies[pair] for key, pair in keys.items() if pair in found.copies},
        )
    return sights


def transfer(
    connection: Connection, action: Action, ledger: Ledger, sight: Sight | None
) -> Iterator[list[Result]]:
    """Move messages (RFC 6851; where that is not offered: copied and removed), or copy them.

    Parameters
    ----------
    connection
        Logged in. Its open folder changes.
    action
        With the verb ``move`` or ``copy``.
    ledger
        Of the target.
    sight
        What has been done of it before, where that is in doubt.

    Yields
    ------
    list of Result
        A command's.

    Raises
    ------
    ConnectionFailedError
        If the connection is lost and cannot be had again, after what is ``unknown`` was given.
    FolderError
        If the folder is not there, and UidValidityError if it was renumbered.
    """
    return _Transfer(connection, action, ledger).run(sight)


class _Transfer:
    """One folder's messages on their way to another folder."""

    def __init__(self, connection: Connection, action: Action, ledger: Ledger) -> None:
        self._connection = connection
        self._action = action
        self._ledger = ledger
        self._prints = _prints(action)
        self._moves = action.verb == "move"

    def run(self, sight: Sight | None) -> Iterator[list[Result]]:
        uids = list(self._prints)
        if sight is not None:
            spared = self._spared(sight) if self._moves else {}
            reason = f"its copy in {self._action.target!r} is marked as deleted, and it is not"
            validity = self._ledger.since.uidvalidity
            yield [Result(uid, "failed", reason, validity, copy) for uid, copy in spared.items()]
            uids = yield from self._sort([uid for uid in uids if uid not in spared], sight)
        for chunk in in_pieces(self._connection, uids, *encode_name(self._action.target)):
            yield from self._put(chunk)

    def _spared(self, sight: Sight) -> dict[int, int]:
        """Name those that may be all there is, with their copies, which somebody wants deleted.

        So it is where a move was taken back on a server without UIDPLUS, and is done again.
        """
        marked = self._ledger.marked
        copies = {
            uid: sight.copies[uid]
            for uid in self._prints
            if uid in sight.here and sight.copies.get(uid) in marked
        }
        if copies:
            self._open()
        found: set[int] = set()
        for chunk in in_pieces(self._connection, copies):
            unmarked = all_of([Key("UID", (UidSet.of(chunk),)), Key("UNDELETED")])
            found.update(search(self._connection, unmarked))
        return {uid: copy for uid, copy in copies.items() if uid in found}

    def _put(self, chunk: Sequence[int]) -> Iterator[list[Result]]:
        self._open()
        connection = self._connection
        is_whole = not self._moves or connection.offers("MOVE")
        needed = () if is_whole else (r"\Deleted",)
        reason = unchangeable(connection, needed) if self._moves else ""
        if reason:
            yield [Result(uid, "failed", reason) for uid in chunk]
            return
        left: Sequence[int] = chunk
        for _ in range(LOSSES):
            reason = f"the server left it in {self._action.folder!r}"
            self._open()  # whoever has looked up what was done has opened the target
            try:
                uidvalidity, copies = self._send(left)
            except ThrottledError as refused:  # it may have done a part of it
                left = yield from self._found_out(left, self._sight)
                yield [Result(uid, "failed", refused.reply) for uid in left]
                raise
            except CommandError as refused:
                reason = refused.reply
                if "[TRYCREATE]" in reason.upper():  # there is no folder to look into
                    break
            except (ConnectionFailedError, ProtocolError) as lost:
                log.warning("%s", lost)
                left = yield from self._found_out(left, self._settled)
                if not left:
                    return
                reason = f"the connection was lost {LOSSES} times over this command"
                continue
            else:
                self._ledger.take(copies.values())
                yield from self._arrived(copies, uidvalidity, is_removed=is_whole)
                left = [uid for uid in left if uid not in copies]
                if not left:
                    return
                # It has not said all it did: that is looked up, and not done again.
                left = yield from self._found_out(left, self._seen)
                break
            left = yield from self._found_out(left, self._sight)
            break
        yield [Result(uid, "failed", reason) for uid in left]

    def _open(self) -> None:
        # Of a folder from which messages are only copied nothing is to change.
        self._connection.return_to(
            self._action.folder, self._action.uidvalidity, readonly=not self._moves
        )

    def _send(self, uids: Sequence[int]) -> tuple[int | None, dict[int, int]]:
        action, connection = self._action, self._connection
        verb = b"UID MOVE " if self._moves and connection.offers("MOVE") else b"UID COPY "
        replies = connection.command(
            verb,
            to_uid_set(uids),
            b" ",
            *encode_name(action.target),
            tried=f"Could not {action.verb} messages from {action.folder!r} to {action.target!r}.",
            patient=True,
            changes=True,
        )
        return _copyuid(replies, uids)

    def _found_out(
        self, uids: Sequence[int], look: Callable[[Sequence[int]], Sight]
    ) -> Generator[list[Result], None, list[int]]:
        """Look what has been done, tell, and return those with which nothing was done."""
        try:
            sight = look(uids)
        except MailframeError as error:
            reason = f"it could not be looked up whether this was done: {_said(error)}"
            if isinstance(error, ConnectionFailedError):
                reason = LOST
            yield [Result(uid, "unknown", reason) for uid in uids]
            raise
        self._ledger.take(sight.copies.values())
        return (yield from self._sort(uids, sight))

    def _settled(self, uids: Sequence[int]) -> Sight:
        """See what has been done, once the server is at rest."""
        return _at_rest(
            self._connection,
            len(uids),
            lambda: self._sight(uids),
            lambda sight: set(uids) <= sight.copies.keys() and not (self._moves and sight.here),
        )

    def _seen(self, uids: Sequence[int]) -> Sight:
        """See what has been done where the server says that it has: nothing is compared."""
        return self._sight(uids, compares=False)

    def _sight(self, uids: Sequence[int], *, compares: bool = True) -> Sight:
        self._open()
        here = present(self._connection, uids)
        wanted: dict[Hashable, tuple[object, ...]] = {uid: self._prints[uid] for uid in uids}
        return self._ledger.look(
            wanted,
            here,
            leaves=_leaves(self._connection, self._action),
            contents=self._contents if compares else None,
        )

    def _contents(self, keys: Sequence[Hashable]) -> Mapping[Hashable, bytes]:
        return _contents(self._connection, self._action, keys)

    def _sort(self, uids: Sequence[int], sight: Sight) -> Generator[list[Result], None, list[int]]:
        """Tell what has become of messages, and return those with which nothing was done."""
        copies = {uid: sight.copies[uid] for uid in uids if uid in sight.copies}
        gone = [uid for uid in uids if uid not in copies and uid not in sight.here]
        yield [Result(uid, "gone") for uid in gone]
        validity = self._ledger.since.uidvalidity
        here = {uid: copy for uid, copy in copies.items() if uid in sight.here}
        away = {uid: copy for uid, copy in copies.items() if uid not in sight.here}
        yield from self._arrived(away, validity, is_removed=True)
        yield from self._arrived(here, validity, is_removed=not self._moves)
        return [uid for uid in uids if uid in sight.here and uid not in copies]

    def _arrived(
        self, copies: Mapping[int, int], uidvalidity: int | None, *, is_removed: bool
    ) -> Iterator[list[Result]]:
        """Tell of what has a copy; what is to go, and has not, is removed now."""
        if is_removed:
            yield [Result(uid, "done", "", uidvalidity, copy) for uid, copy in copies.items()]
            return
        left = dict(copies)
        try:
            if copies:
                self._open()
            for results in remove(self._connection, copies):
                for one in results:
                    del left[one.uid]
                yield [_removed(one, uidvalidity, copies[one.uid]) for one in results]
        except MailframeError as error:
            reason = f"not removed: {_said(error)}"
            yield [
                _removed(Result(uid, "failed", reason), uidvalidity, copy)
                for uid, copy in left.items()
            ]
            raise


def _leaves(connection: Connection, action: Action) -> bool:
    """Say whether messages leave their folder by this, and not only by what others do."""
    return action.verb == "move" and (connection.offers("MOVE") or connection.offers("UIDPLUS"))


def _removed(one: Result, uidvalidity: int | None, copy: int) -> Result:
    """Say what has become of a message that was copied and then removed."""
    if one.status in {"done", "gone"}:  # what has gone meanwhile is where it should be
        return Result(one.uid, "done", one.reason, uidvalidity, copy, stays=one.stays)
    return Result(one.uid, one.status, f"copied; then {one.reason}", uidvalidity, copy)


def append(
    connection: Connection, action: Action, ledger: Ledger, sight: Sight | None
) -> Iterator[list[Result]]:
    """Put messages into a folder (RFC 3501 section 6.3.11).

    Parameters
    ----------
    connection
        Logged in. Its open folder may change.
    action
        With letters.
    ledger
        Of the folder.
    sight
        What has been done of it before, where that is in doubt.

    Yields
    ------
    list of Result
        A command's. Its ``uid`` is the letter's place, from 0.

    Raises
    ------
    ConnectionFailedError
        If the connection is lost and cannot be had again, after what is ``unknown`` was given.
    """
    copies = {} if sight is None else sight.copies
    validity = ledger.since.uidvalidity
    for place, letter in enumerate(action.letters):
        if place in copies:
            yield [Result(place, "done", "", validity, copies[place])]
            continue
        yield from _append(connection, action.folder, ledger, letter, place)


def _append(
    connection: Connection,
    folder: str,
    ledger: Ledger,
    letter: Letter,
    place: int,
) -> Iterator[list[Result]]:
    size = len(letter.content)

    def look() -> Sight:
        held: Mapping[Hashable, bytes] = {place: digest(letter.content)}
        return ledger.look({place: fingerprint(None, size)}, held, contents=lambda _: held)

    def look_for_its_like() -> Sight:  # which is not read for this
        return ledger.look({place: fingerprint(letter.headers, size)}, ())

    flags = b"(%b) " % " ".join(letter.flags).encode("ascii")
    date = b"" if letter.date is None else b'"%b" ' % write_internal_date(letter.date)
    for _ in range(LOSSES):
        try:
            replies = connection.command(
                b"APPEND ",
                *encode_name(folder),
                b" " + flags + date,
                Literal(letter.content),
                tried=f"Could not put a message into {folder!r}.",
                error=CommandError,
                patient=True,
                changes=True,
                in_folder=False,
            )
        except CommandError as refused:
            yield [Result(place, "failed", refused.reply)]
            if isinstance(refused, ThrottledError):
                raise
            return
        except (ConnectionFailedError, ProtocolError) as lost:
            log.warning("%s", lost)
            connection.selected = None
            try:
                sight = _at_rest(connection, 1, look, lambda seen: bool(seen.copies))
            except MailframeError:
                yield [Result(place, "unknown", LOST)]
                raise
            if sight.copies:
                ledger.take(sight.copies.values())
                yield [Result(place, "done", "", ledger.since.uidvalidity, sight.copies[place])]
                return
            continue
        yield from _acknowledged(replies, place, ledger, look_for_its_like)
        return
    yield [Result(place, "failed", f"the connection was lost {LOSSES} times over this command")]


def _acknowledged(
    replies: Sequence[Reply], place: int, ledger: Ledger, look: Callable[[], Sight]
) -> Iterator[list[Result]]:
    """Tell of a letter that is in its folder; which UID it got is looked up without UIDPLUS."""
    ended: MailframeError | None = None
    uidvalidity, uid = _appenduid(replies)
    if uid is None:
        try:
            uid = look().copies.get(place)
        except MailframeError as error:  # there it is all the same
            ended = error
    if uid is not None:
        ledger.take([uid])
    yield [Result(place, "done", "", uidvalidity or ledger.since.uidvalidity, uid)]
    if ended is not None:
        raise ended


def _said(error: MailframeError) -> str:
    return error.reply or error.tried


def _prints(action: Action) -> dict[int, tuple[object, ...]]:
    """Say what each message is told by; the server may read a letter's header otherwise than we."""
    if action.verb == "append":
        letters = enumerate(action.letters)
        return {place: fingerprint(None, len(one.content)) for place, one in letters}
    return {one.uid: fingerprint(one.headers, one.size) for one in action.messages}


def _contents(
    connection: Connection, action: Action, keys: Sequence[Hashable]
) -> dict[Hashable, bytes]:
    """Say what messages of an action hold that are where they were."""
    among = set(keys)
    if action.verb == "append":
        letters = enumerate(action.letters)
        return {place: digest(one.content) for place, one in letters if place in among}
    sizes = {one.uid: one.size or 0 for one in action.messages if one.uid in among}
    if sizes:
        connection.return_to(action.folder, action.uidvalidity)
    return dict(digests(connection, sizes).items())


def _at_rest(
    connection: Connection,
    messages: int,
    look: Callable[[], Sight],
    is_done: Callable[[Sight], bool],
) -> Sight:
    """Look until all is done, or twice the same is seen."""
    before = None
    for _ in range(LOOKS):
        sight = look()
        if is_done(sight) or sight == before:
            break
        before = sight
        connection.pause(REST + REST_PER_MESSAGE * messages)
    return sight


def _copyuid(replies: Sequence[Reply], uids: Sequence[int]) -> tuple[int | None, dict[int, int]]:
    """Read which copies messages got (RFC 4315 section 3); nothing where that is not said."""
    uidvalidity: int | None = None
    copies: dict[int, int] = {}
    for arguments in _codes(replies, "COPYUID"):
        if len(arguments) != 3:  # noqa: PLR2004 as the section has it
            continue
        try:
            originals, made = map(parse_uid_set, arguments[1:])
        except ProtocolError as error:  # then it is looked up
            log.warning("%s", error)
            continue
        if len(originals) == len(made) == len(set(originals)) == len(set(made)):
            uidvalidity = parse_number(arguments[0])
            copies |= dict(zip(originals, made, strict=True))
    asked = set(uids)
    return uidvalidity, {uid: copy for uid, copy in copies.items() if uid in asked}


def _appenduid(replies: Sequence[Reply]) -> tuple[int | None, int | None]:
    for arguments in _codes(replies, "APPENDUID"):
        if len(arguments) == 2:  # noqa: PLR2004 as above
            uidvalidity, uid = map(parse_number, arguments)
            if uidvalidity and uid and max(uidvalidity, uid) <= _HIGHEST:
                return uidvalidity, uid
    return None, None


def _codes(replies: Sequence[Reply], name: str) -> Iterator[list[bytes]]:
    for reply in replies:
        code, value, _ = split_code(reply.text) if reply.kind == "OK" else ("", b"", "")
        if code == name:
            yield value.split()
