"""Mail in folders, in memory, and what plans do to it: by the rules that users are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

DELETED = frozenset({"\\Deleted"})
NONE: frozenset[str] = frozenset()


class Message(NamedTuple):
    """A message: those of one name are the same, byte by byte."""

    name: str
    flags: frozenset[str]

    @property
    def is_marked(self) -> bool:
        """Whether it is marked as deleted."""
        return self.flags >= DELETED


@dataclass(eq=False)
class Folder:
    """A folder, that stays the same one when it is renamed."""

    uidnext: int = 1
    messages: dict[int, Message] = field(default_factory=dict)

    def put(self, message: Message) -> int:
        """Put a message in; its UID."""
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = message
        return uid


class Want(NamedTuple):
    """What is wanted of one message; of one that is appended the UID is its place."""

    folder: str
    box: Folder
    uid: int
    verb: str
    add: frozenset[str] = NONE
    remove: frozenset[str] = NONE
    target: str = ""
    letter: Message | None = None


@dataclass(eq=False)
class Deed:
    """What is wanted of several messages of a folder at once."""

    want: Want
    since: tuple[Folder, int] | None
    names: dict[int, str] = field(default_factory=dict)

    @property
    def owner(self) -> Hashable:
        """Say what is done with which messages: done again, it is the same."""
        want = self.want
        flags = want.add if want.verb == "append" else NONE
        where = (want.folder, want.box, want.target, self.since)
        return want.verb, where, flags, tuple(sorted(self.names.items()))


class Entry(NamedTuple):
    """What is wanted of a message, how it is, and which deed it is part of."""

    want: Want
    state: str
    deed: int
    flags: frozenset[str] = NONE


class Intent(NamedTuple):
    """A plan."""

    entries: list[Entry]
    deeds: list[Deed]
    create: str = ""
    is_chain: bool = False


class Result(NamedTuple):
    """What has become of a message, and which is its copy."""

    status: str
    new_uid: int | None = None
    box: Folder | None = None
    stays: bool = False


FAILED = Result("failed")
GONE = Result("gone")


class Model:
    """An account on a server of one kind: see `writing.CAPABILITIES`."""

    def __init__(self, kind: str, folders: Iterable[str]) -> None:
        self.kind = kind
        self.folders = {name: Folder() for name in folders}
        #: By what each session knows to have put where.
        self._claims: dict[int, dict[tuple[Folder, int], Hashable]] = defaultdict(dict)

    def live(self) -> Counter[str]:
        """Count what is not marked as deleted."""
        boxes = self.folders.values()
        every = (one for box in boxes for one in box.messages.values())
        return Counter(one.name for one in every if not one.is_marked)

    def draft(self, wants: Sequence[Want], create: str = "", *, is_chain: bool = False) -> Intent:
        """Plan; a LookupError where a folder has gone."""
        for want in wants:
            if self.folders.get(want.folder) is not want.box:
                raise LookupError(want.folder)
            if want.target and want.target not in {create, *self.folders}:
                raise LookupError(want.target)
        entries, deeds = [], list[Deed]()
        groups: dict[Want, int] = {}
        for want in wants:
            message = want.letter or want.box.messages.get(want.uid)
            state = "gone" if message is None else self._state(want, message)
            number = -1
            if message is not None and state == "change":
                number = groups.setdefault(want._replace(uid=0, letter=None), len(deeds))
                if number == len(deeds):
                    deeds.append(Deed(want, self._since(want)))
                deeds[number].names[want.uid] = message.name
            entries.append(Entry(want, state, number, message.flags if message else NONE))
        return Intent(entries, deeds, create if deeds else "", is_chain)

    def _since(self, want: Want) -> tuple[Folder, int] | None:
        box = self.folders.get(want.target)
        return None if box is None else (box, box.uidnext)

    def _state(self, want: Want, message: Message) -> str:
        if want.verb == "move" and want.target == want.folder:
            return "as it is"
        if want.verb == "flags" and message.flags >= want.add and not message.flags & want.remove:
            return "as it is"
        return "change"

    def apply(self, intent: Intent, who: int = -1) -> list[Result]:
        """Do what was planned; a session remembers what it has put where."""
        claims = self._claims[who] if who >= 0 else {}
        if intent.create:
            self.folders.setdefault(intent.create, Folder())
        found: dict[tuple[int, int], Result] = {}
        known: dict[str, dict[tuple[int, int], int]] = {}
        for number, deed in enumerate(intent.deeds):
            if intent.is_chain and any(one.status != "done" for one in found.values()):
                break
            done = self._do(number, intent.deeds, known, claims)
            for one in done.values():
                if one.new_uid is not None and one.box is not None:
                    claims[one.box, one.new_uid] = deed.owner
            found |= {(number, uid): done.get(uid, FAILED) for uid in deed.names}
        results = []
        for entry in intent.entries:
            alone = {"gone": GONE, "as it is": Result("done")}.get(entry.state)
            results.append(alone or found.get((entry.deed, entry.want.uid), FAILED))
        return results

    def _do(
        self,
        number: int,
        deeds: list[Deed],
        known: dict[str, dict[tuple[int, int], int]],
        claims: dict[tuple[Folder, int], Hashable],
    ) -> dict[int, Result]:
        """Do a part of it; what is not told of has failed."""
        deed = deeds[number]
        want = deed.want
        if want.target:
            target = self.folders.get(want.target)
            if target is None or (deed.since and deed.since[0] is not target):
                return {}
            if want.target not in known:
                known[want.target] = self._copies(deeds, want.target, target, claims)
            copies = {uid: copy for (n, uid), copy in known[want.target].items() if n == number}
            if want.verb == "append":
                return {
                    place: Result(
                        "done", copies.get(place) or target.put(Message(name, want.add)), target
                    )
                    for place, name in sorted(deed.names.items())
                }
        if not self._is_there(want):
            return {}
        if want.target:
            return {
                uid: self._put(want, uid, target, copies.get(uid)) for uid in sorted(deed.names)
            }
        change = self._remove if want.verb == "delete" else self._flag
        return {uid: change(want, uid) for uid in deed.names}

    def _is_there(self, want: Want) -> bool:
        return self.folders.get(want.folder) is want.box

    def _copies(
        self,
        deeds: list[Deed],
        name: str,
        target: Folder,
        claims: dict[tuple[Folder, int], Hashable],
    ) -> dict[tuple[int, int], int]:
        """Say what has been done before: what came since the plan was made, and is the same."""
        these = {n: deed for n, deed in enumerate(deeds) if deed.want.target == name}
        [*sinces] = [deed.since for deed in these.values()]
        first = sinces[0][1] if sinces[0] else 1
        owners = {deed.owner for deed in deeds}
        free = [
            uid
            for uid in sorted(target.messages)
            if uid >= first and claims.get((target, uid)) in {None, *owners}
        ]
        wanted = [
            (n, uid)
            for n, deed in these.items()
            if deed.want.verb == "append" or self._is_there(deed.want)
            for uid in sorted(deed.names)
        ]
        verbs = {deed.want.verb for deed in these.values()}
        here = {pair for pair in wanted if pair[1] in these[pair[0]].want.box.messages}
        leaves = self.kind != "neither" and verbs == {"move"}
        copies = {}
        if "append" not in verbs:
            wanted.sort(key=lambda pair: (pair in here) is leaves)
        for pair in wanted:
            wanted_name = these[pair[0]].names[pair[1]]
            same = [uid for uid in free if target.messages[uid].name == wanted_name]
            if same:
                copies[pair] = same[0]
                free.remove(same[0])
        return copies

    def _put(self, want: Want, uid: int, target: Folder, copy: int | None) -> Result:
        message = want.box.messages.get(uid)
        if message is None:
            return GONE if copy is None else Result("done", copy, target)
        if copy is None:
            copy = target.put(message)
        elif want.verb == "move" and target.messages[copy].is_marked and not message.is_marked:
            return Result("failed", copy, target)  # it is all there is
        if want.verb == "move":
            removed = self._remove(want, uid)
            return removed._replace(new_uid=copy, box=target)
        return Result("done", copy, target)

    def _remove(self, want: Want, uid: int) -> Result:
        if uid not in want.box.messages:
            return GONE
        if self.kind == "neither":
            message = want.box.messages[uid]
            want.box.messages[uid] = message._replace(flags=message.flags | DELETED)
            return Result("done", stays=True)
        del want.box.messages[uid]
        return Result("done")

    def _flag(self, want: Want, uid: int) -> Result:
        message = want.box.messages.get(uid)
        if message is None:
            return GONE
        flags = (message.flags | want.add) - want.remove
        want.box.messages[uid] = message._replace(flags=flags)
        return Result("done")

    def undo(self, intent: Intent, results: Sequence[Result]) -> Intent:
        """Plan how to take it back."""
        done = [
            (entry, result)
            for entry, result in zip(intent.entries, results, strict=True)
            if result.status == "done" and entry.deed >= 0
        ]
        wants = [
            entry.want._replace(
                add=entry.want.remove & entry.flags, remove=entry.want.add - entry.flags
            )
            for entry, _ in done
            if entry.want.verb == "flags"
        ]
        moved = [pair for pair in done if pair[0].want.verb == "move"]
        marked = [
            Want(*entry.want[:3], "flags", remove=DELETED) for entry, one in moved if one.stays
        ]
        for want in marked:
            if not self._is_there(want):
                raise LookupError(want.folder)
        stayed = [want for want in marked if want.uid in want.box.messages]
        keys = {want[:3] for want in stayed}
        wants += stayed
        for entry, one in moved:
            assert one.box is not None
            assert one.new_uid is not None
            copy = (entry.want.target, one.box, one.new_uid)
            wants.append(
                Want(*copy, "delete")
                if one.stays and entry.want[:3] in keys
                else Want(*copy, "move", target=entry.want.folder)
            )
        return self.draft(wants, is_chain=bool(stayed))
