"""Messages are moved, copied and appended once, whatever servers say, and whatever they do not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from mailframe.actions import Place, fingerprint
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    ThrottledError,
    UidValidityError,
)
from mailframe.imap.changes import LOST, MARKED
from mailframe.imap.ledger import Ledger, place_of
from mailframe.imap.retry import NEVER, Retry
from tests.imap.changing import (
    EVERYTHING,
    NO_MOVE,
    NOTHING,
    Box,
    Kept,
    appending,
    changing,
    done,
    hang_up,
    letter,
    planned,
    sent,
)
from tests.imap.replies import DONE
from tests.rigs.scripted import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from mailframe.records import MessageRecord
    from tests.rigs.scripted import Connection as Line
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]

AGAIN = Retry(seconds=60)
LETTER = b"From: a@example.org\r\nSubject: Hello\r\nMessage-ID: <1@x>\r\n\r\nGr\xfc\xdfe.\r\n"
CAPABILITIES = [EVERYTHING, NO_MOVE, NOTHING]


class Start:
    """A box, its server, and a client of it."""

    def __init__(self, scripted: Scripted, opened: Opened) -> None:
        self._scripted, self._opened = scripted, opened

    def __call__(
        self, box: Box, handlers: dict[str, object] | None = None, retry: Retry = NEVER
    ) -> tuple[Connection, ScriptedServer]:
        server = self._scripted(
            box.handlers() | (handlers or {}), capabilities=box.capabilities, folders=[b"INBOX"]
        )
        return self._opened(server, retry=retry), server


@pytest.fixture
def start(scripted: Scripted, opened: Opened) -> Start:
    return Start(scripted, opened)


def a_box(capabilities: str = EVERYTHING, count: int = 3, **folders: list[int]) -> Box:
    return Box({"INBOX": range(1, count + 1), "Archive": [], **folders}, capabilities)


# -- what is sent


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", CAPABILITIES)
def test_what_is_sent_to_move_and_copy(start: Start, verb: str, capabilities: str) -> None:
    box = a_box(capabilities, 5)
    client, server = start(box)
    action = planned(client, verb, [1, 2, 3, 5], target="Archive")
    before = len(server.received)
    outcome = done(client, action)
    status = b'STATUS "Archive" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)'
    fields = b"(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT"
    look = [
        b'EXAMINE "INBOX"' if verb == "copy" else b'SELECT "INBOX"',
        b"UID SEARCH UID 1:3,5",
        b'EXAMINE "Archive"',
        b"UID SEARCH UID 1:*",
        b"UID FETCH 1:4 %b MESSAGE-ID)])" % fields,
    ]
    remove = [b"UID STORE 1:3,5 +FLAGS (\\Deleted)"]
    if capabilities == EVERYTHING and verb == "move":
        expected = [b'SELECT "INBOX"', b'UID MOVE 1:3,5 "Archive"']
    else:
        expected = [look[0], b'UID COPY 1:3,5 "Archive"']
        if capabilities == NOTHING:
            expected += look[1:] if verb == "copy" else [look[1], *look[2:], b'SELECT "INBOX"']
        if verb == "move":
            expected += remove
            if capabilities == NO_MOVE:
                expected += [b"UID EXPUNGE 1:3,5", b"UID SEARCH UID 1:3,5"]
    assert sent(server.received, since=before) == [status, *expected]
    assert outcome.said() == dict.fromkeys([1, 2, 3, 5], "done")
    assert [one.new_uid for one in outcome.results[0].values()] == [1, 2, 3, 4]
    assert {one.new_uidvalidity for one in outcome.results[0].values()} == {12}
    assert box.numbers("Archive") == [1, 2, 3, 5]
    stays = verb == "copy" or capabilities == NOTHING
    assert box.numbers("INBOX") == ([1, 2, 3, 4, 5] if stays else [4])
    marked = verb == "move" and capabilities == NOTHING
    assert {one.reason for one in outcome.results[0].values()} == {MARKED if marked else ""}
    assert {one.stays for one in outcome.results[0].values()} == {marked}


def test_a_server_is_asked_for_nothing_that_it_does_not_name(start: Start) -> None:
    # IMAP4rev2 has MOVE and UIDPLUS in it, but beside IMAP4rev1 only once it is enabled (RFC 9051).
    box = a_box("IMAP4rev1 IMAP4rev2")
    client, server = start(box)
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() == {1: "done", 2: "done"}
    assert {one.stays for one in outcome.results[0].values()} == {True}
    assert [one.split(b" ")[1] for one in changing(server.received)] == [b"COPY", b"STORE"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Büro/2025", b'"B&APw-ro/2025"'),
        ('say "hi"', b'"say \\"hi\\""'),
        ("a\\b", b'"a\\\\b"'),
        ("(x) {5}", b'"(x) {5}"'),
    ],
)
def test_the_target_is_written_as_a_name(start: Start, name: str, written: bytes) -> None:
    box = a_box(EVERYTHING)
    ok = b"* STATUS x (UIDNEXT 1 UIDVALIDITY 12)\r\n" + DONE
    moved = b"* OK [COPYUID 12 1 9] moved\r\n" + DONE
    client, server = start(box, {"STATUS": ok, "UID MOVE": moved})
    outcome = done(client, planned(client, "move", [1], target=name))
    assert server.commands("UID MOVE") == [b"1 " + written]
    assert outcome.results[0][1][2:] == ("", 12, 9, False)


@pytest.mark.parametrize(
    ("capabilities", "length"),
    [(EVERYTHING, 7), (EVERYTHING, 3000), (NO_MOVE, 900), (NOTHING, 990)],
)
def test_no_line_is_longer_than_servers_take(start: Start, capabilities: str, length: int) -> None:
    target = '"' * length  # each takes two octets
    box = a_box(capabilities, 0, x=[])
    for uid in range(100_001, 120_001, 2):  # 10,000, and no two in a row
        box.folders["INBOX"].kept[uid] = Kept(uid)
    box.folders["Archive"].uidnext = 5
    status = b"* STATUS x (UIDNEXT 5 UIDVALIDITY 12)\r\n" + DONE

    def put(_: bytes, args: bytes, connection: Line) -> bytes:
        uids = args.partition(b" ")[0]
        made = box.copy(uids + b' "Archive"', connection)
        assert len(made) == len(uids.split(b","))
        return b"<tag> OK %b\r\n" % box.copyuid(b'x "Archive"', made)

    handlers = {"STATUS": status, "UID COPY": put, "UID MOVE": put}
    client, server = start(box, handlers)
    action = planned(client, "move", box.folders["INBOX"].kept, target=target)
    before = len(server.received)
    outcome = done(client, action)
    assert set(outcome.said().values()) == {"done"}
    assert len(outcome.results[0]) == 10_000
    lines = [line for one in server.received[before:] for line in one.split(b"\r\n")]
    assert max(map(len, lines)) < 8_000


def test_ten_thousand_in_a_row_are_moved_by_few_commands(start: Start) -> None:
    box = a_box(EVERYTHING, 10_000)
    client, server = start(box)
    done(client, planned(client, "move", range(1, 10_001), target="Archive"))
    assert len(server.commands("UID MOVE")) <= 5
    assert box.numbers("INBOX") == []
    assert box.numbers("Archive") == list(range(1, 10_001))


@pytest.mark.parametrize("capabilities", CAPABILITIES)
def test_no_command_is_about_more_messages_than_the_server_takes(
    start: Start, capabilities: str
) -> None:
    # RFC 9738; a SEARCH that is cut would make messages look gone.
    box = a_box(f"{capabilities} MESSAGELIMIT=2", 5)

    def limited(tag: bytes, args: bytes, connection: Line) -> bytes:
        found = box.search(tag, args, connection)
        if b"*" in args:
            return found
        assert len(args.replace(b":", b",").split(b",")) <= 2, args
        return found

    client, server = start(box, {"UID SEARCH": limited})
    action = planned(client, "move", range(1, 6), target="Archive")
    box.folders["Archive"].add(Kept(9))  # so that it is looked at what is still there
    outcome = done(client, action)
    assert set(outcome.said().values()) == {"done"}
    assert box.numbers("Archive") == [9, 1, 2, 3, 4, 5]
    verb = "UID MOVE" if capabilities == EVERYTHING else "UID COPY"
    assert [one.split()[0] for one in server.commands(verb)] == [b"1:2", b"3:4", b"5"]


# -- COPYUID


GOOD = b"[COPYUID 12 1:3 101:103]"


def where(*said: bytes, tagged: bytes = b"") -> bytes:
    return b"".join(b"* OK %b x\r\n" % one for one in said) + b"<tag> OK %b done\r\n" % tagged


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize(
    "said",
    [
        where(GOOD),
        where(tagged=GOOD),
        where(b"[COPYUID 12 1 101]", b"[COPYUID 12 2:3 102:103]"),
        where(b"[COPYUID 12 1 101]", tagged=b"[COPYUID 12 2:3 102:103]"),
        where(tagged=b"[COPYUID 12 1,2,3 101,102,103]"),
        where(tagged=b"[COPYUID 12 3:1 103:101]"),  # a range may be written backwards
        where(tagged=b"[copyuid 12 1:3 101:103]"),
        where(tagged=b"[COPYUID 12 1:4 101:104]"),  # and of one that was not asked for
        where(b"[ALERT] full soon", tagged=GOOD),
    ],
    ids=str,
)
def test_the_copies_uids_are_taken_from_the_answer(start: Start, verb: str, said: bytes) -> None:
    client, server = start(a_box(), {"UID MOVE": said, "UID COPY": said})
    outcome = done(client, planned(client, verb, [1, 2, 3], target="Archive"))
    got = {uid: (one.status, one.new_uid) for uid, one in outcome.results[0].items()}
    assert got == {uid: ("done", 100 + uid) for uid in (1, 2, 3)}
    assert server.commands("EXAMINE")[-1] == b'"INBOX"'  # nothing was looked up


DAMAGED = [
    b"",
    b"[COPYUID]",
    b"[COPYUID 12]",
    b"[COPYUID 12 1:3]",
    b"[COPYUID 12 1:3 101:102]",
    b"[COPYUID 12 1:3 x]",
    b"[COPYUID 12 1:3 0:2]",
    b"[COPYUID 12 1:3 101:*]",
    b"[COPYUID 12 1:99999999 1:99999999]",
    b"[COPYUID 12 1:3 101:99999999999999]",
    b"[COPYUID 12 1:3 101:103 7]",
    b"[COPYUID 12 7:9 101:103]",
    b"[COPYUID 12 1:3 101,101,101]",
    b"[COPYUID 12 1,1,2 101:103]",
    b"[COPYUID 12 1:3 101:103",
]


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
@pytest.mark.parametrize("code", DAMAGED)
def test_what_the_answer_does_not_say_is_looked_up(
    start: Start, capabilities: str, code: bytes
) -> None:
    box = a_box(capabilities, 3)
    box.folders["Archive"].uidnext = 50

    def put(_: bytes, args: bytes, connection: Line) -> bytes:
        (box.move if capabilities == EVERYTHING else box.copy)(args, connection)
        return b"<tag> OK %b\r\n" % code

    client, server = start(box, {"UID MOVE": put, "UID COPY": put})
    outcome = done(client, planned(client, "move", [1, 2, 3], target="Archive"))
    got = {uid: (one.status, one.new_uid) for uid, one in outcome.results[0].items()}
    assert got == {1: ("done", 50), 2: ("done", 51), 3: ("done", 52)}
    assert b'"Archive"' in server.commands("EXAMINE")
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([], [1, 2, 3])


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
@pytest.mark.parametrize("told", [[1], [3], [1, 3], [2, 3]])
def test_of_copies_of_which_only_some_are_told_the_rest_is_looked_up(
    start: Start, capabilities: str, told: list[int]
) -> None:
    box = Box({"INBOX": [7, 7, 7], "Archive": []}, capabilities)

    def put(_: bytes, args: bytes, connection: Line) -> bytes:
        made = (box.move if capabilities == EVERYTHING else box.copy)(args, connection)
        return b"<tag> OK %b\r\n" % box.copyuid(args, {uid: made[uid] for uid in told})

    client, server = start(box, {"UID MOVE": put, "UID COPY": put})
    outcome = done(client, planned(client, "move", [1, 2, 3], target="Archive"))
    got = {uid: (one.status, one.new_uid) for uid, one in sorted(outcome.results[0].items())}
    assert got == {1: ("done", 1), 2: ("done", 2), 3: ("done", 3)}
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([], [7, 7, 7])
    assert len(server.commands("UID COPY") + server.commands("UID MOVE")) == 1


def test_a_no_has_no_copies_in_it(start: Start) -> None:
    box = a_box(NO_MOVE)
    client, _ = start(box, {"UID COPY": b"* NO %b\r\n<tag> NO %b no\r\n" % (GOOD, GOOD)})
    outcome = done(client, planned(client, "move", [1, 2, 3], target="Archive"))
    assert outcome.said() == dict.fromkeys([1, 2, 3], "failed")
    assert box.numbers("INBOX") == [1, 2, 3]
    assert set().union(*box.flags().values()) == set()


def test_a_warning_has_no_copies_in_it(start: Start) -> None:
    box = a_box(EVERYTHING)

    def put(_: bytes, args: bytes, connection: Line) -> bytes:
        box.move(args, connection)
        return b"* NO %b\r\n" % GOOD + DONE

    client, _ = start(box, {"UID MOVE": put})
    outcome = done(client, planned(client, "move", [1, 2, 3], target="Archive"))
    assert [one.new_uid for one in outcome.results[0].values()] == [1, 2, 3]


def test_messages_that_have_gone_are_told_of(start: Start) -> None:
    for capabilities in CAPABILITIES:
        box = a_box(capabilities, 4)
        client, _ = start(box)
        action = planned(client, "move", [1, 2, 3], target="Archive")
        del box.folders["INBOX"].kept[2]
        outcome = done(client, action)
        assert outcome.said() == {1: "done", 2: "gone", 3: "done"}
        assert box.numbers("Archive") == [1, 3]


# -- refusals

REFUSALS = [
    b"NO [OVERQUOTA] the mailbox is full",
    b"NO [NOPERM] not yours",
    b"NO [EXPUNGEISSUED] somebody else",
    b"NO [ALREADYEXISTS] there is one",
    b"NO [LIMIT] too many",
    b"NO no",
    b"NO",
    b"BAD what",
]


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_told_and_nothing_is_removed(
    start: Start, capabilities: str, refusal: bytes, verb: str
) -> None:
    box = a_box(capabilities)
    answer = b"<tag> %b\r\n" % refusal
    client, server = start(box, {"UID MOVE": answer, "UID COPY": answer})
    outcome = done(client, planned(client, verb, [1, 2], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == refusal.decode()
    assert outcome.error is None
    assert len(changing(server.received)) == 1
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([1, 2, 3], [])


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
def test_a_target_that_has_gone_is_told(start: Start, capabilities: str, verb: str) -> None:
    box = a_box(capabilities)

    def gone(_tag: bytes, _args: bytes, _connection: Line) -> bytes:
        del box.folders["Archive"]
        return b"<tag> NO [TRYCREATE] no such folder\r\n"

    client, _ = start(box, {"UID MOVE": gone, "UID COPY": gone})
    outcome = done(client, planned(client, verb, [1, 2], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "NO [TRYCREATE] no such folder"
    assert box.numbers("INBOX") == [1, 2, 3]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_was_moved_before_a_refusal_was_moved(start: Start, refusal: bytes) -> None:
    # RFC 6851 section 3.3: MOVE does each message by itself, and may stop in the middle.
    box = a_box(EVERYTHING, 4)

    def half(_: bytes, args: bytes, connection: Line) -> bytes:
        made = box.move(args, connection, only={1, 3})
        said = b"* OK %b half\r\n* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n" % box.copyuid(args, made)
        return said + b"<tag> %b\r\n" % refusal

    client, server = start(box, {"UID MOVE": half})
    outcome = done(client, planned(client, "move", [1, 2, 3, 4], target="Archive"))
    assert outcome.said() == {1: "done", 2: "failed", 3: "done", 4: "failed"}
    assert outcome.results[0][3].new_uid == 2
    assert outcome.reason() == refusal.decode()
    assert len(server.commands("UID MOVE")) == 1
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([2, 4], [1, 3])


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
def test_after_one_refused_command_the_next_is_tried(start: Start, capabilities: str) -> None:
    box = a_box(f"{capabilities} MESSAGELIMIT=2", 4)
    name = "UID MOVE" if capabilities == EVERYTHING else "UID COPY"
    real = box.handlers()[name]

    def first_not(tag: bytes, args: bytes, connection: Line) -> object:
        if args.startswith(b"1:2"):
            return b"<tag> NO [OVERQUOTA] these are too big\r\n"
        return real(tag, args, connection)  # type: ignore[operator]

    client, _ = start(box, {name: first_not})
    outcome = done(client, planned(client, "move", [1, 2, 3, 4], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed", 3: "done", 4: "done"}
    assert box.numbers("INBOX") == [1, 2]


def test_what_a_server_left_without_a_word_has_failed(start: Start) -> None:
    box = a_box(EVERYTHING, 3)

    def some(_: bytes, args: bytes, connection: Line) -> bytes:
        made = box.move(args, connection, only={2})
        return b"* OK %b\r\n<tag> OK [MESSAGELIMIT 1 2] done\r\n" % box.copyuid(args, made)

    client, _ = start(box, {"UID MOVE": some})
    outcome = done(client, planned(client, "move", [1, 2, 3], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "done", 3: "failed"}
    assert outcome.reason() == "the server left it in 'INBOX'"


@pytest.mark.parametrize("code", [b"[THROTTLED]", b"[UNAVAILABLE]"])
@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
def test_a_server_that_is_busy_is_asked_again(start: Start, capabilities: str, code: bytes) -> None:
    box = a_box(capabilities)
    names = ("UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE")
    real = box.handlers()
    busy = b"<tag> NO %b later\r\n" % code
    handlers = {name: in_turn(busy, busy, real[name]) for name in names if name in real}
    client, server = start(box, handlers, AGAIN)
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() == {1: "done", 2: "done"}
    assert len(changing(server.received)) == (3 if capabilities == EVERYTHING else 9)
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([3], [1, 2])


@pytest.mark.parametrize("code", [b"[THROTTLED]", b"[UNAVAILABLE]"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("UID COPY", dict.fromkeys([1, 2], "NO {} later")),
        ("UID STORE", {1: "copied; then NO {} later", 2: "copied; then NO {} later"}),
        (
            "UID EXPUNGE",
            dict.fromkeys([1, 2], "copied; then marked as deleted, but not removed: NO {} later"),
        ),
    ],
)
def test_a_server_that_is_busy_for_too_long_ends_it_and_what_was_done_is_told(
    start: Start, name: str, told: dict[int, str], code: bytes
) -> None:
    box = a_box(f"{NO_MOVE} MESSAGELIMIT=2", 4)
    client, _ = start(box, {name: b"<tag> NO %b later\r\n" % code})
    action = planned(client, "move", [1, 2, 3, 4], target="Archive")
    outcome = done(client, action)
    assert isinstance(outcome.error, ThrottledError)
    reasons = {uid: one.reason for uid, one in outcome.results[0].items()}
    assert reasons == {uid: text.format(code.decode()) for uid, text in told.items()}
    assert set(outcome.said().values()) <= {"failed"}
    # Another time it goes on where it was.
    client, server = start(box)
    assert done(client, action).said() == dict.fromkeys([1, 2, 3, 4], "done")
    assert len(server.commands("UID COPY")) == (2 if name == "UID COPY" else 1)
    assert (box.numbers("INBOX"), sorted(box.numbers("Archive"))) == ([], [1, 2, 3, 4])


def test_of_a_command_that_ends_in_a_plea_it_is_told_what_was_done(start: Start) -> None:
    box = a_box(EVERYTHING, 4)

    def half(_: bytes, args: bytes, connection: Line) -> bytes:
        box.move(args, connection, only={1, 2})
        return b"<tag> NO [UNAVAILABLE] later\r\n"

    client, _ = start(box, {"UID MOVE": half})
    outcome = done(client, planned(client, "move", [1, 2, 3, 4], target="Archive"))
    assert isinstance(outcome.error, ThrottledError)
    assert outcome.said() == {1: "done", 2: "done", 3: "failed", 4: "failed"}


# -- folders that are not to be written to, or are others than they were


@pytest.mark.parametrize("capabilities", CAPABILITIES)
def test_nothing_is_moved_out_of_a_folder_for_reading(start: Start, capabilities: str) -> None:
    box = a_box(capabilities)
    answer = box.open

    def for_reading(_: bytes, args: bytes, connection: Line) -> bytes:
        return answer(args, connection, is_select=True).replace(b"READ-WRITE", b"READ-ONLY")

    client, server = start(box, {"SELECT": for_reading})
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "the server opens 'INBOX' for reading only"
    assert changing(server.received) == []
    # Copied they may be.
    assert done(client, planned(client, "copy", [1], target="Archive")).said() == {1: "done"}


def test_what_cannot_be_marked_is_not_copied_to_be_moved(start: Start) -> None:
    box = a_box(NO_MOVE)
    box.permanent = b"\\Seen \\*"
    client, server = start(box)
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert "does not keep \\Deleted" in outcome.reason()
    assert changing(server.received) == []
    # MOVE needs no mark.
    box.capabilities = EVERYTHING
    client, server = start(box)
    assert done(client, planned(client, "move", [1], target="Archive")).said() == {1: "done"}


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("folder", ["INBOX", "Archive"])
def test_nothing_is_done_in_a_folder_that_was_renumbered(
    start: Start, verb: str, folder: str
) -> None:
    box = a_box()
    client, server = start(box)
    action = planned(client, verb, [1, 2], target="Archive")
    box.folders[folder].uidvalidity += 100
    outcome = done(client, action)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert f"'{folder}' was renumbered" in outcome.reason()
    assert changing(server.received) == []


@pytest.mark.parametrize("folder", ["INBOX", "Archive"])
def test_nothing_is_done_if_a_folder_has_gone(start: Start, folder: str) -> None:
    box = a_box()
    client, server = start(box)
    action = planned(client, "move", [1, 2], target="Archive")
    del box.folders[folder]
    outcome = done(client, action)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert "no such folder" in outcome.reason()
    assert changing(server.received) == []


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("folder", ["INBOX", "Archive"])
def test_nothing_is_guessed_where_a_folder_is_renumbered_while_the_answer_is_lost(
    start: Start, verb: str, folder: str
) -> None:
    box = a_box()

    def put(args: bytes, connection: Line) -> None:
        (box.move if verb == "move" else box.copy)(args, connection)
        box.folders[folder].uidvalidity += 100

    client, server = start(box, {"UID MOVE": hang_up(put), "UID COPY": hang_up(put)}, AGAIN)
    outcome = done(client, planned(client, verb, [1, 2], target="Archive"))
    assert outcome.said() == {1: "unknown", 2: "unknown"}
    assert len(changing(server.received)) == 1
    assert box.numbers("Archive") == [1, 2]


# -- answers that are lost


def lost_handlers(box: Box, only: set[int] | None) -> dict[str, object]:
    """Hang up at the first MOVE or COPY, after it was done for these; do the following."""
    real = box.handlers()

    def move(args: bytes, connection: Line) -> None:
        box.move(args, connection, only)

    def copy(args: bytes, connection: Line) -> None:
        box.copy(args, connection, only)

    acts = {"UID MOVE": move, "UID COPY": copy}
    return {name: in_turn(hang_up(act), real[name]) for name, act in acts.items() if name in real}


EXTENTS = [None, set(), {1}, {2, 3}]


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", CAPABILITIES)
@pytest.mark.parametrize("only", EXTENTS, ids=["done", "not done", "one done", "two done"])
def test_an_answer_that_is_lost_is_looked_up(
    start: Start, verb: str, capabilities: str, only: set[int] | None
) -> None:
    box = a_box(capabilities, 4)
    client, server = start(box, lost_handlers(box, only), AGAIN)
    outcome = done(client, planned(client, verb, [1, 2, 3], target="Archive"))
    assert outcome.said() == dict.fromkeys([1, 2, 3], "done")
    kept = box.folders["Archive"].kept
    assert {uid: kept[one.new_uid].number for uid, one in outcome.results[0].items()} == {
        1: 1,
        2: 2,
        3: 3,
    }
    assert sorted(box.numbers("Archive")) == [1, 2, 3]
    commands = [one for one in changing(server.received) if one.split()[1] in {b"MOVE", b"COPY"}]
    assert len(commands) == (1 if only is None else 2)
    if verb == "copy":
        assert box.numbers("INBOX") == [1, 2, 3, 4]
        assert b'"INBOX"' not in server.commands("SELECT")
    elif capabilities == NOTHING:
        marked = {uid for uid, flags in box.flags().items() if "\\Deleted" in flags}
        assert marked == {1, 2, 3}
    else:
        assert box.numbers("INBOX") == [4]


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", CAPABILITIES)
@pytest.mark.parametrize("only", EXTENTS, ids=["done", "not done", "one done", "two done"])
def test_an_answer_that_is_lost_for_good_is_told_and_looked_up_another_time(
    start: Start, verb: str, capabilities: str, only: set[int] | None
) -> None:
    box = a_box(f"{capabilities} MESSAGELIMIT=3", 6)
    client, _ = start(box, lost_handlers(box, only))
    action = planned(client, verb, range(1, 6), target="Archive")
    outcome = done(client, action)
    assert isinstance(outcome.error, ConnectionFailedError)
    assert outcome.said() == dict.fromkeys([1, 2, 3], "unknown")  # of 4 and 5 nothing
    assert outcome.reason() == LOST
    client, _ = start(box)
    again = done(client, action)
    assert again.said() == dict.fromkeys(range(1, 6), "done")
    assert sorted(box.numbers("Archive")) == [1, 2, 3, 4, 5]
    # And once more: nothing is left to be done.
    client, server = start(box)
    done(client, action)
    assert not [one for one in changing(server.received) if b" MOVE " in one or b" COPY " in one]
    assert sorted(box.numbers("Archive")) == [1, 2, 3, 4, 5]
    if verb == "move" and capabilities != NOTHING:
        assert box.numbers("INBOX") == [6]


@pytest.mark.parametrize("retry", [NEVER, AGAIN], ids=["never", "again"])
@pytest.mark.parametrize("name", ["UID STORE", "UID EXPUNGE"])
@pytest.mark.parametrize("is_done", [True, False])
def test_an_answer_lost_behind_the_copying_copies_nothing_again(
    start: Start, name: str, retry: Retry, *, is_done: bool
) -> None:
    box = a_box(NO_MOVE)

    def act(args: bytes, connection: Line) -> None:
        if is_done:
            (box.store if name == "UID STORE" else box.expunge)(args, connection)

    client, server = start(box, {name: in_turn(hang_up(act), box.handlers()[name])}, retry)
    action = planned(client, "move", [1, 2], target="Archive")
    outcome = done(client, action)
    if retry is NEVER:
        assert outcome.said() == {1: "unknown", 2: "unknown"}
        assert outcome.reason() == f"copied; then {LOST}"
        client, again = start(box)
        outcome = done(client, action)
        assert again.commands("UID COPY") == []
    assert outcome.said() == {1: "done", 2: "done"}
    assert [one.new_uid for one in outcome.results[0].values()] == [1, 2]
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([3], [1, 2])
    assert len(server.commands("UID COPY")) == 1


def test_a_folder_that_cannot_be_opened_again_is_told_with_what_was_copied(start: Start) -> None:
    box = a_box(NO_MOVE)

    def put(args: bytes, connection: Line) -> None:
        box.copy(args, connection)
        server.handlers["SELECT"] = shut

    def shut(_tag: bytes, args: bytes, connection: Line) -> bytes:
        server.handlers["SELECT"] = (
            refuse if server.commands("EXAMINE")[-1:] == [b'"Archive"'] else shut
        )
        return box.open(args, connection, is_select=True)

    refuse = b"<tag> NO [INUSE] locked\r\n"
    client, server = start(box, {"UID COPY": hang_up(put)}, AGAIN)
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() in ({1: "failed", 2: "failed"}, {1: "unknown", 2: "unknown"})
    assert len(server.commands("UID COPY")) == 1
    assert box.numbers("Archive") == [1, 2]


def test_a_server_that_hangs_up_at_every_attempt_is_left_in_peace(start: Start) -> None:
    box = a_box()
    client, server = start(box, {"UID MOVE": hang_up(lambda *_: None)}, AGAIN)
    outcome = done(client, planned(client, "move", [1, 2], target="Archive"))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "the connection was lost 5 times over this command"
    assert outcome.error is None
    assert len(server.commands("UID MOVE")) == 5
    assert box.numbers("INBOX") == [1, 2, 3]


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_server_that_goes_on_is_waited_for(start: Start, verb: str, steps: int) -> None:
    # It is at rest when two looks see the same: until then what is missing may still come.
    box = a_box(EVERYTHING, 7)
    todo: list[int] = []

    def begin(_args: bytes, _: Line) -> None:
        todo.extend(range(1, 7))

    def look(tag: bytes, args: bytes, connection: Line) -> bytes:
        said = box.search(tag, args, connection)
        if todo and b"*" in args:  # between one look and the next
            source, target = box.folders["INBOX"], box.folders["Archive"]
            for uid in [todo.pop(0) for _ in range(6 // steps) if todo]:
                target.add(source.kept[uid])
                if verb == "move":
                    del source.kept[uid]
        return said

    lost = hang_up(begin)
    client, server = start(box, {"UID MOVE": lost, "UID COPY": lost, "UID SEARCH": look}, AGAIN)
    outcome = done(client, planned(client, verb, range(1, 7), target="Archive"))
    assert outcome.said() == dict.fromkeys(range(1, 7), "done")
    assert len(changing(server.received)) == 1
    assert box.numbers("Archive") == [1, 2, 3, 4, 5, 6]


def test_where_all_is_done_nothing_is_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = a_box()
    client, server = start(box, lost_handlers(box, None), AGAIN)
    action = planned(client, "move", [1, 2], target="Archive")
    pauses: list[float] = []
    monkeypatch.setattr(client, "pause", pauses.append)
    assert done(client, action).said() == {1: "done", 2: "done"}
    assert server.commands("EXAMINE")[-1:] == [b'"Archive"']
    assert not any(pauses)  # the first attempt to connect comes at once


def test_a_server_is_waited_for_the_longer_the_more_it_has_to_do(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    for count in (1, 1000):
        box = a_box(EVERYTHING, count)
        client, _ = start(box, {"UID MOVE": hang_up(lambda *_: None)}, AGAIN)
        action = planned(client, "move", range(1, count + 1), target="Archive")
        pauses: list[float] = []
        monkeypatch.setattr(client, "pause", pauses.append)
        done(client, action)
        waited.append(max(pauses))
    assert waited == [1.001, 2.0]


# -- messages that are the same


@pytest.mark.parametrize("verb", ["move", "copy"])
@pytest.mark.parametrize("capabilities", CAPABILITIES)
@pytest.mark.parametrize("only", [None, set(), {1}, {2}, {1, 3}, {2, 3, 4}], ids=str)
@pytest.mark.parametrize("retry", [NEVER, AGAIN], ids=["never", "again"])
def test_each_of_messages_that_are_the_same_gets_one_copy(
    start: Start, verb: str, capabilities: str, only: set[int] | None, retry: Retry
) -> None:
    box = Box({"INBOX": [7, 7, 8, 7], "Archive": [7, 7]}, capabilities)
    client, _ = start(box, lost_handlers(box, only), retry)
    action = planned(client, verb, [1, 2, 3, 4], target="Archive")
    outcome = done(client, action)
    if retry is NEVER:
        client, _ = start(box)
        outcome = done(client, action)
    assert outcome.said() == dict.fromkeys([1, 2, 3, 4], "done")
    assert sorted(box.numbers("Archive")) == [7, 7, 7, 7, 7, 8]
    assert len({one.new_uid for one in outcome.results[0].values()}) == 4
    assert all((one.new_uid or 0) > 2 for one in outcome.results[0].values())
    if verb == "move" and capabilities != NOTHING:
        assert box.numbers("INBOX") == []


@pytest.mark.parametrize("capabilities", CAPABILITIES)
@pytest.mark.parametrize("lost", [(), (1,), (2,), (1, 2)])
@pytest.mark.parametrize("only", [None, set(), {1}], ids=str)
def test_the_same_message_in_two_folders_gets_two_copies(
    start: Start, capabilities: str, lost: tuple[int, ...], only: set[int] | None
) -> None:
    box = Box({"INBOX": [7, 7], "Other": [7, 9], "Archive": []}, capabilities)
    name = "UID MOVE" if capabilities == EVERYTHING else "UID COPY"
    real, count = box.handlers()[name], 0

    def put(tag: bytes, args: bytes, connection: Line) -> object:
        nonlocal count
        count += 1
        if count not in lost:
            return real(tag, args, connection)  # type: ignore[operator]
        (box.move if capabilities == EVERYTHING else box.copy)(args, connection, only)
        connection.close()
        return None

    client, _ = start(box, {name: put})
    actions = [
        planned(client, "move", [1, 2], target="Archive"),
        planned(client, "move", [1, 2], folder="Other", target="Archive"),
    ]
    outcome = done(client, *actions)
    while outcome.error is not None:
        client, _ = start(box, {name: put})
        outcome = done(client, *actions)
    assert outcome.said(0) == outcome.said(1) == {1: "done", 2: "done"}
    assert sorted(box.numbers("Archive")) == [7, 7, 7, 9]
    copies = [one.new_uid for results in outcome.results for one in results.values()]
    assert sorted(copies) == [1, 2, 3, 4]
    if capabilities != NOTHING:
        assert box.numbers("INBOX") == box.numbers("Other") == []


def test_messages_that_differ_in_one_thing_are_others(start: Start) -> None:
    header = (
        b"Message-ID: <1@x>\r\nDate: Mon, 05 Jan 2026 10:30:00 +0000\r\n"
        b"From: a@x\r\nSubject: b\r\n\r\n"
    )
    original = Kept(1, header=header)
    others = [
        Kept(2, header=header, size=201),
        Kept(3, header=header.replace(b"<1@x>", b"<2@x>")),
        Kept(4, header=header.replace(b"10:30", b"10:31")),
        Kept(5, header=header.replace(b"a@x", b"c@x")),
        Kept(6, header=header.replace(b"Subject: b", b"Subject: c")),
    ]
    box = Box({"INBOX": [original], "Archive": []}, NOTHING)
    client, server = start(box)
    action = planned(client, "move", [1], target="Archive")
    for one in others:  # somebody else's, meanwhile
        box.folders["Archive"].add(one)
    outcome = done(client, action)
    assert outcome.said() == {1: "done"}
    assert outcome.results[0][1].new_uid == 6
    assert len(server.commands("UID COPY")) == 1
    # The same again: found, whatever its flags.
    box.folders["INBOX"].add(Kept(1, header=header))
    action = planned(client, "copy", [2], target="Archive")
    box.folders["Archive"].add(Kept(1, frozenset({"\\Seen"}), header))
    assert done(client, action).results[0][2].new_uid == 7
    assert len(server.commands("UID COPY")) == 1


# -- what is looked at, before


def test_a_target_in_which_nothing_is_new_is_not_looked_into(start: Start) -> None:
    box = a_box(EVERYTHING, 3, Archive=[5, 6])
    client, server = start(box)
    actions = [planned(client, "move", [uid], target="Archive") for uid in (1, 2)]
    before = len(server.received)
    done(client, *actions)
    assert sent(server.received, since=before) == [
        b'STATUS "Archive" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
        b'SELECT "INBOX"',
        b'UID MOVE 1 "Archive"',
        b'UID MOVE 2 "Archive"',
    ]


def test_a_folder_made_after_the_plan_is_filled(start: Start) -> None:
    box = a_box()
    client, _ = start(box)
    action = planned(client, "move", [1, 2])
    action = type(action)(
        "move", action.folder, action.uidvalidity, action.messages, target="New", since=None
    )
    box.folders["New"] = type(box.folders["INBOX"])(77)
    assert done(client, action).said() == {1: "done", 2: "done"}
    assert box.numbers("New") == [1, 2]
    again = done(client, action)
    assert again.said() == {1: "done", 2: "done"}
    assert box.numbers("New") == [1, 2]


def test_a_source_that_has_gone_does_not_keep_others_from_being_finished(start: Start) -> None:
    box = Box({"INBOX": [1, 2], "Other": [1], "Archive": []})
    client, _ = start(box)
    actions = [
        planned(client, "move", [1, 2], target="Archive"),
        planned(client, "move", [1], folder="Other", target="Archive"),
    ]
    box.folders["Archive"].add(Kept(3))  # stale: everything is looked at
    del box.folders["Other"]
    outcome = done(client, *actions)
    assert outcome.said(0) == {1: "done", 2: "done"}
    assert outcome.said(1) == {1: "failed"}
    assert box.numbers("Archive") == [3, 1, 2]


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE])
def test_a_copy_that_came_from_a_folder_that_has_gone_is_taken_for_no_other(
    start: Start, capabilities: str
) -> None:
    box = Box({"INBOX": [7], "Other": [7], "Archive": []}, capabilities)
    client, _ = start(box)
    actions = [
        planned(client, "move", [1], target="Archive"),
        planned(client, "move", [1], folder="Other", target="Archive"),
    ]
    box.folders["Archive"].add(Kept(7))  # the second was done, and then the folder deleted
    del box.folders["Other"]
    outcome = done(client, *actions)
    assert outcome.said(0) == {1: "done"}
    assert (box.numbers("INBOX"), box.numbers("Archive")) == ([], [7, 7])


@pytest.mark.parametrize(
    ("said", "examined", "expected"),
    [
        (b"UIDNEXT 9 UIDVALIDITY 3", 12, Place(3, 9)),
        (b"UIDVALIDITY 3", 12, Place(3, 12)),
        (b"UIDNEXT 9", 12, Place(3, 12)),
        (b"MESSAGES 3", 12, Place(3, 12)),
        (b"MESSAGES 3", None, Place(3, 8)),  # the highest there is, and one
        (b"UIDNEXT x UIDVALIDITY 3", None, Place(3, 8)),
    ],
)
def test_how_far_a_folder_is_numbered(
    start: Start, said: bytes, examined: int | None, expected: Place
) -> None:
    box = a_box()
    uidnext = b"" if examined is None else b"* OK [UIDNEXT %d] next\r\n" % examined
    answer = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 3] fixed\r\n%b<tag> OK open\r\n" % uidnext
    handlers = {
        "STATUS": b"* STATUS x (%b)\r\n" % said + DONE,
        "EXAMINE": answer,
        "UID SEARCH": b"* SEARCH 3 7 5\r\n" + DONE,
    }
    client, server = start(box, handlers)
    assert place_of(client, "Archive") == expected
    assert server.commands("SELECT") == []
    assert client.selected is None or client.selected.folder == "INBOX"


def test_an_empty_folder_of_which_nothing_is_said_begins_at_one(start: Start) -> None:
    handlers = {
        "STATUS": b"* STATUS x ()\r\n" + DONE,
        "EXAMINE": b"* OK [UIDVALIDITY 3] fixed\r\n<tag> OK open\r\n",
        "UID SEARCH": b"* SEARCH\r\n" + DONE,
    }
    client, _ = start(a_box(), handlers)
    assert place_of(client, "Archive") == Place(3, 1)


def test_a_ledger_of_a_missing_folder_cannot_be_had(start: Start) -> None:
    client, _ = start(a_box())
    with pytest.raises(FolderError, match="no such folder"):
        Ledger(client, "Nowhere", None)


def test_a_ledger_of_a_renumbered_folder_cannot_be_had(start: Start) -> None:
    client, _ = start(a_box())
    with pytest.raises(UidValidityError, match="was renumbered since this was planned") as error:
        Ledger(client, "Archive", Place(11, 1))
    assert error.value.suggestion == "Plan it again."
    with pytest.raises(UidValidityError):
        Ledger(client, "Archive", Place(13, 1))


def test_a_ledger_sees_what_came_and_is_free(start: Start) -> None:
    box = a_box(EVERYTHING, 1, Archive=[1, 2, 1])
    client, _ = start(box)
    [record] = planned(client, "copy", [1]).messages
    wanted = {"a": _print(record), "b": _print(record), "c": _print(record)}
    ledger = Ledger(client, "Archive", Place(12, 2))
    assert ledger.is_stale
    # Where messages leave, one that has left comes first; otherwise one that is there.
    assert ledger.look(wanted, here={"a", "b"}, leaves=True).copies == {"c": 3}
    assert ledger.look(wanted, here={"b", "c"}).copies == {"b": 3}
    assert ledger.look(wanted, here={"b"}).here == {"b"}
    assert ledger.look(wanted, here=()).copies == {"a": 3}
    ledger.take([3])
    assert ledger.look(wanted, here=()).copies == {}
    assert client.selected is None
    assert not Ledger(client, "Archive", Place(12, 4)).is_stale
    # The asterisk of 9:* is the last message, also where it is no new one.
    box.folders["Archive"].uidnext = 9
    assert Ledger(client, "Archive", Place(12, 9)).look(wanted, here=()).copies == {}


def _print(record: MessageRecord) -> tuple[object, ...]:
    return fingerprint(record.headers, record.size)


# -- APPEND


DATE = datetime(2026, 1, 5, 9, 30, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))


@pytest.mark.parametrize(
    ("flags", "date", "said"),
    [
        ((), None, b'"Archive" () '),
        (("\\Seen", "$Junk"), None, b'"Archive" (\\Seen $Junk) '),
        ((), DATE, b'"Archive" () " 5-Jan-2026 09:30:07 -0330" '),
        (("\\Draft",), DATE, b'"Archive" (\\Draft) " 5-Jan-2026 09:30:07 -0330" '),
    ],
)
@pytest.mark.parametrize("capabilities", [EVERYTHING, "IMAP4rev1 UIDPLUS", "IMAP4rev1 LITERAL-"])
@pytest.mark.parametrize("content", [LETTER, LETTER * 500, b"A: b\r\n\r\n"], ids=len)
def test_a_letter_is_appended_byte_by_byte(
    start: Start,
    capabilities: str,
    content: bytes,
    flags: tuple[str, ...],
    date: datetime | None,
    said: bytes,
) -> None:
    box = a_box(capabilities)
    client, server = start(box)
    before = len(server.received)
    outcome = done(client, appending(client, "Archive", letter(content, flags, date)))
    plus = b"+" if "LITERAL+" in capabilities else b""
    [command] = [one for one in sent(server.received, since=before) if one.startswith(b"APPEND")]
    assert command == b"APPEND %b{%d%b}\r\n%b" % (said, len(content), plus, content)
    [kept] = box.folders["Archive"].kept.values()
    assert kept.content == content
    assert outcome.results[0][0][1:] == ("done", "", 12, 1, False)


@pytest.mark.parametrize("capabilities", CAPABILITIES)
def test_letters_get_their_uids_also_where_they_are_the_same(
    start: Start, capabilities: str
) -> None:
    box = a_box(capabilities, 3, Archive=[1])
    client, server = start(box)
    letters = [letter(LETTER), letter(LETTER), letter(LETTER.replace(b"Hello", b"Hallo"))]
    outcome = done(client, appending(client, "Archive", *letters))
    assert [one.new_uid for one in outcome.results[0].values()] == [2, 3, 4]
    assert len(server.commands("APPEND")) == 3


@pytest.mark.parametrize(
    "code", [b"", b"[APPENDUID]", b"[APPENDUID 12]", b"[APPENDUID 12 x]", b"[APPENDUID 12 1 2]"]
)
def test_a_uid_that_is_not_told_is_looked_up(start: Start, code: bytes) -> None:
    box = a_box(EVERYTHING, 3, Archive=[1, 2])

    def put(_: bytes, args: bytes, __: object) -> bytes:
        box.append(args)
        return b"<tag> OK %b done\r\n" % code

    client, _ = start(box, {"APPEND": put})
    outcome = done(client, appending(client, "Archive", letter(LETTER)))
    assert outcome.results[0][0][1:] == ("done", "", 12, 3, False)


def test_a_letter_that_a_server_rewrites_is_appended_with_a_uid_unknown(start: Start) -> None:
    box = a_box(NOTHING)

    def put(_: bytes, args: bytes, __: object) -> bytes:
        uid = box.append(args)
        box.folders["Archive"].kept[uid] = Kept(5)
        return b"<tag> OK done\r\n"

    client, server = start(box, {"APPEND": put})
    outcome = done(client, appending(client, "Archive", letter(LETTER)))
    assert outcome.results[0][0][1:] == ("done", "", 12, None, False)
    assert len(server.commands("APPEND")) == 1


REFUSED_LETTERS = [b"NO [TOOBIG] 20 MB at most", b"NO [OVERQUOTA] full", b"BAD 8-bit", b"NO no"]


@pytest.mark.parametrize("refusal", [*REFUSED_LETTERS, b"NO [TRYCREATE] no folder"])
@pytest.mark.parametrize("capabilities", [EVERYTHING, NOTHING])
def test_a_letter_that_is_refused_keeps_no_other_back(
    start: Start, capabilities: str, refusal: bytes
) -> None:
    box = a_box(capabilities)
    refused = b"<tag> %b\r\n" % refusal
    client, server = start(box, {"APPEND": in_turn(refused, box.handlers()["APPEND"])})
    letters = [letter(LETTER), letter(LETTER.replace(b"Hello", b"Hallo"))]
    outcome = done(client, appending(client, "Archive", *letters))
    assert outcome.said() == {0: "failed", 1: "done"}
    assert outcome.reason() == refusal.decode()
    assert len(server.commands("APPEND")) == 2


def test_a_letter_that_is_refused_before_it_is_sent_is_not_sent(start: Start) -> None:
    # The answer to a synchronising literal may be NO (RFC 3501 section 4.3).
    box = a_box(NOTHING)
    lines: list[bytes] = []

    def talk(connection: Line) -> None:
        real = connection._read_until_line_end

        def read() -> bytes:
            line = real()
            if b" APPEND " in line:
                lines.append(line)
                connection.send(line.split()[0] + b" NO [TOOBIG] too big\r\n")
                return read()
            return line

        connection._read_until_line_end = read  # type: ignore[method-assign]

    client, server = start(box)
    for connection in server.connections:
        talk(connection)
    action = appending(client, "Archive", letter(LETTER))
    outcome = done(client, action)
    assert outcome.said() == {0: "failed"}
    assert outcome.reason() == "NO [TOOBIG] too big"
    assert len(lines) == 1
    assert LETTER not in server.clear_text
    assert place_of(client, "Archive").uidnext == 1  # the connection is whole


@pytest.mark.parametrize("code", [b"[THROTTLED]", b"[UNAVAILABLE]"])
def test_a_busy_server_is_given_the_letter_once(start: Start, code: bytes) -> None:
    box = a_box()
    busy = b"<tag> NO %b later\r\n" % code
    handlers = {"APPEND": in_turn(busy, box.handlers()["APPEND"])}
    client, _ = start(box, handlers, AGAIN)
    outcome = done(client, appending(client, "Archive", letter(LETTER), letter(LETTER)))
    assert outcome.said() == {0: "done", 1: "done"}
    assert len(box.numbers("Archive")) == 2
    client, _ = start(box, {"APPEND": busy})
    outcome = done(client, appending(client, "Archive", letter(LETTER)))
    assert isinstance(outcome.error, ThrottledError)
    assert outcome.said() == {0: "failed"}
    assert "later" in outcome.reason()
    assert len(box.numbers("Archive")) == 2


@pytest.mark.parametrize("retry", [NEVER, AGAIN], ids=["never", "again"])
@pytest.mark.parametrize("capabilities", [EVERYTHING, NOTHING])
@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_letter_whose_answer_is_lost_is_appended_once(
    start: Start, capabilities: str, retry: Retry, lost: int, *, is_done: bool
) -> None:
    box = a_box(capabilities, 3, Archive=[1])
    real = box.handlers()["APPEND"]

    def act(args: bytes, _: Line) -> None:
        if is_done:
            box.append(args)

    turns = [*[real] * lost, hang_up(act), real]
    client, _ = start(box, {"APPEND": in_turn(*turns)}, retry)
    letters = [letter(LETTER), letter(LETTER), letter(LETTER.replace(b"Hello", b"Hallo"))]
    action = appending(client, "Archive", *letters)
    outcome = done(client, action)
    if retry is NEVER:
        assert isinstance(outcome.error, ConnectionFailedError)
        assert outcome.said() == {**dict.fromkeys(range(lost), "done"), lost: "unknown"}
        client, _ = start(box)
        outcome = done(client, action)
    assert outcome.said() == {0: "done", 1: "done", 2: "done"}
    assert sorted(one.new_uid or 0 for one in outcome.results[0].values()) == [2, 3, 4]
    contents = [one.content for one in box.folders["Archive"].kept.values()]
    assert sorted(contents) == sorted([b"", *(one.content for one in letters)])


@pytest.mark.parametrize("said", [b"NO [THROTTLED] later", b"NO [NOPERM] not to be read", b""])
def test_a_letter_that_is_in_its_folder_is_done_also_if_it_cannot_be_looked_up(
    start: Start, said: bytes
) -> None:
    box = a_box(NOTHING)

    def put(_: bytes, args: bytes, __: object) -> bytes:
        box.append(args)
        handler = b"<tag> %b\r\n" % said if said else hang_up(lambda *_: None)
        server.handlers["EXAMINE"] = handler
        return DONE

    client, server = start(box, {"APPEND": put})
    outcome = done(client, appending(client, "Archive", letter(LETTER), letter(LETTER)))
    assert outcome.results[0][0][1:] == ("done", "", 12, None, False)
    assert len(server.commands("APPEND")) == 1


@pytest.mark.parametrize("said", [b"NO [THROTTLED] later", b"NO [NOPERM] not to be read"])
@pytest.mark.parametrize("verb", ["append", "move"])
def test_what_cannot_be_looked_up_is_unknown(start: Start, verb: str, said: bytes) -> None:
    box = a_box()

    def act(args: bytes, connection: Line) -> None:
        (box.append(args) if verb == "append" else box.move(args, connection))  # type: ignore[func-returns-value]
        server.handlers["EXAMINE"] = b"<tag> %b\r\n" % said

    retry = Retry(seconds=60, throttled=0)
    client, server = start(box, {"APPEND": hang_up(act), "UID MOVE": hang_up(act)}, retry)
    if verb == "append":
        action = appending(client, "Archive", letter(LETTER))
    else:
        action = planned(client, "move", [1], target="Archive")
    outcome = done(client, action)
    assert list(outcome.said().values()) == ["unknown"]
    assert len(changing(server.received)) == 1


def test_nothing_is_appended_to_a_folder_that_has_gone_or_was_renumbered(start: Start) -> None:
    box = a_box()
    client, server = start(box)
    action = appending(client, "Archive", letter(LETTER))
    box.folders["Archive"].uidvalidity = 99
    outcome = done(client, action)
    assert outcome.said() == {0: "failed"}
    assert "was renumbered" in outcome.reason()
    del box.folders["Archive"]
    outcome = done(client, action)
    assert outcome.said() == {0: "failed"}
    assert "no such folder" in outcome.reason()
    assert server.commands("APPEND") == []
