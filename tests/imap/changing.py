"""A server with folders that change as they are told: what a `ScriptedServer` says of them.

A test replaces one command by what it is about, and may do half of it by hand::

    def half(_tag, args, connection):
        box.move(args, connection, only={1})
        connection.close()

    box = Box({"INBOX": [1, 2], "Archive": []})
    server = scripted(box.handlers() | {"UID MOVE": half}, capabilities=box.capabilities)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailframe.actions import Action, Letter, Result
from mailframe.exceptions import MailframeError
from mailframe.imap.ledger import place_of
from mailframe.imap.messages import read_messages
from mailframe.imap.work import Work
from mailframe.parsing import parse_headers, split_header
from tests.imap.replies import DONE, HEADER, message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from mailframe.imap.connection import Connection as Client
    from tests.rigs.scripted import Connection, Handler

EVERYTHING = "IMAP4rev1 UIDPLUS MOVE UNSELECT LITERAL+"
NO_MOVE = "IMAP4rev1 UIDPLUS UNSELECT LITERAL+"
NOTHING = "IMAP4rev1"
NOT_LOGIN = (b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"ID", b"LOGOUT")


@dataclass(frozen=True)
class Kept:
    """A message in a folder."""

    number: int
    flags: frozenset[str] = frozenset()
    header: bytes = HEADER
    size: int = 200
    date: bytes = b""
    content: bytes = b""

    def whole(self) -> bytes:
        """Write it out, as many octets as it is said to have."""
        text = self.content or self.header + b"\r\n" + b"%d" % self.number
        return text.ljust(self.size, b".")

    def items(self) -> bytes:
        flags = " ".join(sorted(self.flags)).encode()
        return message(self.number, flags=flags, header=self.header, size=self.size)


@dataclass
class Place:
    """A folder."""

    uidvalidity: int
    kept: dict[int, Kept] = field(default_factory=dict)
    uidnext: int = 1

    def add(self, one: Kept) -> int:
        self.kept[self.uidnext] = one
        self.uidnext += 1
        return self.uidnext - 1


class Box:
    """Folders, by name: numbers of messages; the same number is the same message."""

    def __init__(
        self, folders: Mapping[str, Iterable[int | Kept]], capabilities: str = EVERYTHING
    ) -> None:
        self.capabilities = capabilities
        self.permanent = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"
        self.folders: dict[str, Place] = {}
        self._open: dict[int, tuple[str, bool]] = {}
        for validity, (name, numbers) in enumerate(folders.items(), start=11):
            self.folders[name] = Place(validity)
            for one in numbers:
                self.folders[name].add(one if isinstance(one, Kept) else Kept(one))

    def numbers(self, folder: str) -> list[int]:
        """Say which messages are in a folder, in order of their UIDs."""
        return [one.number for one in self.folders[folder].kept.values()]

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]:
        return {uid: set(one.flags) for uid, one in self.folders[folder].kept.items()}

    def has(self, capability: str) -> bool:
        return capability in self.capabilities.split()

    def here(self, connection: Connection) -> Place:
        return self.folders[self._open[connection.number][0]]

    def handlers(self) -> dict[str, Handler]:
        found: dict[str, Handler] = {
            "STATUS": self.status,
            "SELECT": lambda _, args, connection: self.open(args, connection, is_select=True),
            "EXAMINE": lambda _, args, connection: self.open(args, connection, is_select=False),
            "UID SEARCH": self.search,
            "UID FETCH": self.fetch,
            "UID STORE": lambda _, args, connection: self.store(args, connection) + DONE,
            "UID COPY": lambda _, args, connection: self.copied(args, connection),
            "APPEND": lambda _, args, __: self.appended(args),
        }
        if self.has("MOVE"):
            found["UID MOVE"] = lambda _, args, connection: self.moved(args, connection)
        if self.has("UIDPLUS"):
            found["UID EXPUNGE"] = lambda _, args, c: self.expunge(args, c) + DONE
        return found

    # what is said of it

    def status(self, _tag: bytes, args: bytes, _connection: object) -> bytes:
        name = name_in(args)
        if name not in self.folders:
            return b"<tag> NO [NONEXISTENT] no such folder\r\n"
        place = self.folders[name]
        said = b"MESSAGES %d UIDNEXT %d UIDVALIDITY %d"
        counts = said % (len(place.kept), place.uidnext, place.uidvalidity)
        return b"* STATUS x (%b)\r\n" % counts + DONE

    def open(self, args: bytes, connection: Connection, *, is_select: bool) -> bytes:
        name = name_in(args)
        if name not in self.folders:
            self._open.pop(connection.number, None)
            return b"<tag> NO [NONEXISTENT] no such folder\r\n"
        self._open[connection.number] = (name, is_select)
        place = self.folders[name]
        said = (
            b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] fixed\r\n* OK [UIDNEXT %d] next\r\n"
            b"* OK [PERMANENTFLAGS (%b)] kept\r\n<tag> OK [READ-%b] open\r\n"
        )
        kept = self.permanent if is_select else b""
        mode = b"WRITE" if is_select else b"ONLY"
        return said % (len(place.kept), place.uidvalidity, place.uidnext, kept, mode)

    def search(self, _tag: bytes, args: bytes, connection: Connection) -> bytes:
        kept = self.here(connection).kept
        found = list(kept) if args == b"ALL" else among(args.removeprefix(b"UID "), kept)
        return b"* SEARCH%b\r\n" % b"".join(b" %d" % uid for uid in found) + DONE

    def fetch(self, _tag: bytes, args: bytes, connection: Connection) -> bytes:
        return b"".join(self.describe(args, connection)) + DONE

    def describe(
        self, args: bytes, connection: Connection, *, flags_only: bool = False
    ) -> list[bytes]:
        place = self.here(connection)
        numbers = {uid: at for at, uid in enumerate(sorted(place.kept), start=1)}
        said = []
        for uid in among(args.partition(b" ")[0], place.kept):
            items = place.kept[uid].items()
            if b"BODY.PEEK[]" in args:
                whole = place.kept[uid].whole()
                items = b"BODY[] {%d}\r\n%b" % (len(whole), whole)
            if flags_only:
                items = b"FLAGS (%b)" % " ".join(sorted(place.kept[uid].flags)).encode()
            said.append(b"* %d FETCH (UID %d %b)\r\n" % (numbers[uid], uid, items))
        return said

    # what is done to it

    def store(self, args: bytes, connection: Connection) -> bytes:
        self._must_be_writable(connection)
        kept = self.here(connection).kept
        match = re.fullmatch(rb"(\S+) ([+-])FLAGS \((.*)\)", args)
        assert match, args
        words = set(match[3].decode().split())
        for uid in among(match[1], kept):
            flags = kept[uid].flags
            kept[uid] = replace(
                kept[uid], flags=flags | words if match[2] == b"+" else flags - words
            )
        return b"".join(self.describe(args, connection, flags_only=True))

    def expunge(self, args: bytes, connection: Connection) -> bytes:
        self._must_be_writable(connection)
        kept = self.here(connection).kept
        said = b""
        for uid in among(args, kept):
            if "\\Deleted" in kept[uid].flags:
                said += b"* %d EXPUNGE\r\n" % (sorted(kept).index(uid) + 1)
                del kept[uid]
        return said

    def copy(
        self, args: bytes, connection: Connection, only: Collection[int] | None = None
    ) -> dict[int, int]:
        """Copy messages, or only some of them; return what UIDs they got."""
        uids, _, name = args.partition(b" ")
        place, target = self.here(connection), self.folders[name_in(name)]
        found = [uid for uid in among(uids, place.kept) if only is None or uid in only]
        return {uid: target.add(place.kept[uid]) for uid in found}

    def move(
        self, args: bytes, connection: Connection, only: Collection[int] | None = None
    ) -> dict[int, int]:
        """Move messages, or only some of them."""
        self._must_be_writable(connection)
        made = self.copy(args, connection, only)
        for uid in made:
            del self.here(connection).kept[uid]
        return made

    def copyuid(self, args: bytes, made: Mapping[int, int]) -> bytes:
        target = self.folders[name_in(args.partition(b" ")[2])]
        pair = (",".join(map(str, uids)).encode() for uids in (made, made.values()))
        return b"[COPYUID %d %b]" % (target.uidvalidity, b" ".join(pair))

    def copied(self, args: bytes, connection: Connection) -> bytes:
        if name_in(args.partition(b" ")[2]) not in self.folders:
            return b"<tag> NO [TRYCREATE] no such folder\r\n"
        made = self.copy(args, connection)
        code = self.copyuid(args, made) if made and self.has("UIDPLUS") else b""
        return b"<tag> OK %b done\r\n" % code

    def moved(self, args: bytes, connection: Connection) -> bytes:
        if name_in(args.partition(b" ")[2]) not in self.folders:
            return b"<tag> NO [TRYCREATE] no such folder\r\n"
        made = self.move(args, connection)
        said = b"* OK %b moved\r\n" % self.copyuid(args, made) if self.has("UIDPLUS") else b""
        return said + b"* 1 EXPUNGE\r\n" * len(made) + DONE

    def append(self, args: bytes) -> int:
        """Keep what comes with APPEND."""
        match = re.fullmatch(
            rb'("(?:[^"\\]|\\.)*") \(([^)]*)\) (?:"([^"]*)" )?\{(\d+)\+?\}\r\n(.*)', args, re.DOTALL
        )
        assert match, args
        content = match[5]
        assert len(content) == int(match[4])
        header, _ = split_header(content)
        flags = frozenset(match[2].decode().split())
        kept = Kept(0, flags, header, len(content), match[3] or b"", content)
        return self.folders[name_in(match[1])].add(kept)

    def appended(self, args: bytes) -> bytes:
        name = name_in(args.partition(b" (")[0])
        if name not in self.folders:
            return b"<tag> NO [TRYCREATE] no such folder\r\n"
        uid = self.append(args)
        code = b"[APPENDUID %d %d] " % (self.folders[name].uidvalidity, uid)
        return b"<tag> OK %bdone\r\n" % (code if self.has("UIDPLUS") else b"")

    def _must_be_writable(self, connection: Connection) -> None:
        assert self._open[connection.number][1], "changed under EXAMINE"


def among(sequence_set: bytes, uids: Iterable[int]) -> list[int]:
    """Return those of the UIDs that are in a set; sets here have thousands of ranges."""
    ordered = sorted(uids)
    last = ordered[-1] if ordered else 0
    wanted: set[int] = set()
    for part in sequence_set.split(b","):
        ends = [last if end == b"*" else int(end) for end in part.split(b":")]
        wanted.update(range(min(ends), max(ends) + 1))
    return [uid for uid in ordered if uid in wanted]


def name_in(args: bytes) -> str:
    """Read the name at the beginning."""
    if args.startswith(b'"'):
        return args[1:].partition(b'"')[0].decode()
    return args.partition(b" ")[0].decode()


def letter(content: bytes, flags: tuple[str, ...] = (), date: object = None) -> Letter:
    return Letter(content, flags, date, parse_headers(split_header(content)[0]))  # type: ignore[arg-type]


def planned(
    client: Client,
    verb: str,
    uids: Iterable[int] = (),
    *,
    folder: str = "INBOX",
    target: str = "",
    **options: object,
) -> Action:
    """Plan something as a session does: how far the target is numbered is noted."""
    since = place_of(client, target) if target else None
    opened = client.select(folder)
    messages = tuple(
        read_messages(client, sorted(uids), headers=False, structure=False, brief=True)
    )
    return Action(
        verb,  # type: ignore[arg-type]
        folder,
        opened.uidvalidity,
        messages,
        target=target,
        since=since,
        **options,  # type: ignore[arg-type]
    )


def appending(client: Client, folder: str, *letters: Letter) -> Action:
    since = place_of(client, folder)
    return Action("append", folder, since.uidvalidity, since=since, letters=letters)


@dataclass
class Done:
    """What came of actions: results, one dict an action, and what ended them."""

    results: list[dict[int, Result]]
    error: MailframeError | None = None

    def said(self, action: int = 0) -> dict[int, str]:
        return {uid: one.status for uid, one in sorted(self.results[action].items())}

    def reason(self, action: int = 0) -> str:
        """Return the one reason that is given."""
        [reason] = {one.reason for one in self.results[action].values() if one.reason}
        return reason


def done(client: Client, *actions: Action) -> Done:
    """Do actions as a session does; nothing is told of twice."""
    found = Done([{} for _ in actions])
    client.selected = None
    work = Work(client, actions)
    try:
        for number in range(len(actions)):
            for results in work.do(number):
                for one in results:
                    assert one.uid not in found.results[number], "told of twice"
                    found.results[number][one.uid] = one
    except MailframeError as error:
        found.error = error
    return found


def sent(received: Iterable[bytes], *, since: int = 0) -> list[bytes]:
    """Give commands without their tags; those of the login are left out."""
    commands = [line.partition(b" ")[2] for line in list(received)[since:]]
    return [one for one in commands if one and not one.startswith(NOT_LOGIN)]


def changing(received: Iterable[bytes]) -> list[bytes]:
    """Give the commands that change something."""
    verbs = (b"UID STORE", b"UID COPY", b"UID MOVE", b"UID EXPUNGE", b"APPEND", b"EXPUNGE")
    return [one for one in sent(received) if one.startswith((*verbs, b"CLOSE", b"STORE"))]


def hang_up(act: Callable[[bytes, Connection], object]) -> Handler:
    """Return a handler that does something, and hangs up without a word."""

    def handle(_tag: bytes, args: bytes, connection: Connection) -> None:
        act(args, connection)
        connection.close()

    return handle
