r"""Flags and labels are changed as asked, messages removed alone, and each is told of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    NotSupportedError,
    ProtocolError,
    QueryError,
    ThrottledError,
)
from mailframe.imap.changes import (
    LOST,
    MARKED,
    check_flags,
    in_pieces,
    present,
    remove,
    store_flags,
    store_labels,
)
from mailframe.imap.retry import NEVER, Retry
from tests.imap.changing import (
    EVERYTHING,
    NO_MOVE,
    NOTHING,
    Box,
    Done,
    changing,
    done,
    hang_up,
    planned,
    sent,
)
from tests.imap.replies import DONE
from tests.rigs.scripted import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs.scripted import Connection as Line
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]

AGAIN = Retry(seconds=60)
SEEN, DELETED, FLAGGED = "\\Seen", "\\Deleted", "\\Flagged"


@pytest.fixture
def start(scripted: Scripted, opened: Opened) -> Callable[..., tuple[Connection, ScriptedServer]]:
    """Return a function: a client of a box, and the server in front of it."""

    def begin(
        box: Box, handlers: dict[str, object] | None = None, retry: Retry = NEVER
    ) -> tuple[Connection, ScriptedServer]:
        server = scripted(box.handlers() | (handlers or {}), capabilities=box.capabilities)
        return opened(server, retry=retry), server

    return begin


if TYPE_CHECKING:
    Start = Callable[..., tuple[Connection, ScriptedServer]]


def a_box(capabilities: str = EVERYTHING, count: int = 3) -> Box:
    return Box({"INBOX": range(1, count + 1)}, capabilities)


def flagged(
    client: Connection,
    uids: list[int],
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
) -> Done:
    return done(client, planned(client, "flags", uids, add=add, remove=remove))


# -- what is a flag


@pytest.mark.parametrize(
    "flag",
    [
        SEEN,
        "\\seen",
        "\\Answered",
        "\\FLAGGED",
        DELETED,
        "\\Draft",
        "$Junk",
        "project-x",
        "a.b/c:d;e<f>g=h?i@j",
        "!#&'+,-_`|~^",
        "7",
        "x" * 100,
    ],
)
def test_flags_can_be_set(start: Start, flag: str) -> None:
    box = a_box()
    client, server = start(box)
    assert flagged(client, [1], (flag,)).said() == {1: "done"}
    assert server.commands("UID STORE") == [b"1 +FLAGS (%b)" % flag.encode()]


@pytest.mark.parametrize(
    "flag",
    [
        "",
        " ",
        "two words",
        "Büro",
        "\\Recent",
        "\\",
        "\\*",
        "\\Important",
        "\\\\Seen",
        "a\\b",
        "a(b",
        "a)b",
        "a{5}",
        'a"b',
        "a%b",
        "a*b",
        "a]b",
        "[a",
        "a\tb",
        "a\r\nb",
        "a\n",
        "a\0",
        "a\x7f",
        "\ud800",
        None,
        5,
        b"x",
        ["a"],
    ],
    ids=ascii,
)
def test_what_is_no_flag_is_refused_before_anything_is_sent(start: Start, flag: object) -> None:
    client, server = start(a_box())
    before = len(server.received)
    for add, take in (((SEEN, flag), ()), ((), (flag,))):
        with pytest.raises(QueryError, match="is no flag") as error:
            list(store_flags(client, [1], add, take))  # type: ignore[arg-type]
        assert "project-x" in error.value.suggestion
    assert len(server.received) == before
    with pytest.raises(QueryError):
        check_flags([flag])


# -- flags


def test_what_is_sent_to_change_flags(start: Start) -> None:
    box = a_box(count=6)
    client, server = start(box)
    action = planned(client, "flags", [6, 1, 2, 3], add=(SEEN, "$x"), remove=(FLAGGED,))
    before = len(server.received)
    outcome = done(client, action)
    assert sent(server.received, since=before) == [
        b'SELECT "INBOX"',
        b"UID STORE 1:3,6 +FLAGS (\\Seen $x)",
        b"UID STORE 1:3,6 -FLAGS (\\Flagged)",
    ]
    assert outcome.said() == dict.fromkeys([1, 2, 3, 6], "done")
    assert box.flags()[6] == {SEEN, "$x"}
    assert box.flags()[4] == set()


@pytest.mark.parametrize(("add", "take", "sign"), [((SEEN,), (), b"+"), ((), (SEEN,), b"-")])
def test_only_what_there_is_to_change_is_sent(
    start: Start, add: tuple[str, ...], take: tuple[str, ...], sign: bytes
) -> None:
    client, server = start(a_box())
    assert flagged(client, [2], add, take).said() == {2: "done"}
    assert server.commands("UID STORE") == [b"2 %bFLAGS (\\Seen)" % sign]
    assert server.commands("SELECT") == [b'"INBOX"']


REPLIES = {
    "nothing": b"",
    "no UID": b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Seen))\r\n",
    "others": b"* 3 FETCH (UID 3 FLAGS ())\r\n* 9 FETCH (UID 77 FLAGS (\\Answered))\r\n",
    "MODSEQ": b"* 1 FETCH (UID 1 MODSEQ (5) FLAGS (\\Seen))\r\n"
    b"* 2 FETCH (UID 2 FLAGS (\\SEEN \\Recent) MODSEQ (6))\r\n",
    "MODSEQ alone": b"* 1 FETCH (UID 1 MODSEQ (5))\r\n* 2 FETCH (UID 2 MODSEQ (6))\r\n",
    "one of two": b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n",
    "twice": b"* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n",
    "damaged": b"* 1 FETCH (UID 1 FLAGS (\\Seen)\r\n* 2 FETCH UID 2\r\n* 1 FETCH ()\r\n",
    "strange": b"* 1 FETCH (UID x FLAGS (\\Seen))\r\n* 2 FETCH (UID NIL FLAGS NIL)\r\n",
    "news": b"* 8 EXISTS\r\n* 1 RECENT\r\n* OK [HIGHESTMODSEQ 8] x\r\n* FLAGS (\\Seen)\r\n",
    "expunged": b"* 3 EXPUNGE\r\n* VANISHED 3\r\n",
}


@pytest.mark.parametrize("said", REPLIES.values(), ids=REPLIES)
def test_what_the_server_says_to_store_need_not_be_all(start: Start, said: bytes) -> None:
    box = a_box()

    def store(_: bytes, args: bytes, connection: Line) -> bytes:
        box.store(args, connection)
        return said + DONE

    client, server = start(box, {"UID STORE": store})
    before = len(server.commands("UID FETCH"))
    assert flagged(client, [1, 2], (SEEN,)).said() == {1: "done", 2: "done"}
    looked = server.commands("UID FETCH")[before + 1 :]  # the first was for the plan
    assert all(one.endswith(b"(UID FLAGS)") for one in looked)
    assert bool(looked) == (said != REPLIES["MODSEQ"])


def test_messages_that_have_gone_are_told_of(start: Start) -> None:
    box = a_box()
    client, _ = start(box)
    action = planned(client, "flags", [1, 2, 3], add=(SEEN,))
    del box.folders["INBOX"].kept[2]
    assert done(client, action).said() == {1: "done", 2: "gone", 3: "done"}


@pytest.mark.parametrize(
    ("add", "take", "reason"),
    [
        ((SEEN, "$x"), (), "the server did not set \\Seen $x"),
        ((FLAGGED, "$x"), (), "the server did not set $x"),
        ((), ("\\flagged", "$x"), "the server did not take off \\flagged"),
    ],
)
def test_what_the_server_did_not_do_in_silence_is_told(
    start: Start, add: tuple[str, ...], take: tuple[str, ...], reason: str
) -> None:
    said = b"* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\n" + DONE
    client, _ = start(a_box(), {"UID STORE": said})
    outcome = flagged(client, [1], add, take)
    assert outcome.said() == {1: "failed"}
    assert outcome.reason() == reason


@pytest.mark.parametrize(
    ("permanent", "flags", "lost"),
    [
        (b"\\Seen \\Flagged", ("$x",), "$x"),
        (b"\\Flagged \\*", (SEEN,), SEEN),
        (b"\\*", (SEEN, "$x"), SEEN),
        (b"", (SEEN, "$x"), f"{SEEN} $x"),
        (b"\\Seen $y", (SEEN, "$x", "$Y"), "$x"),
        (b"\\SEEN \\*", (SEEN, "$x"), ""),
        (b"\\seen $X", (SEEN, "$x"), ""),
    ],
)
def test_flags_that_the_server_does_not_keep_are_not_sent(
    start: Start, permanent: bytes, flags: tuple[str, ...], lost: str
) -> None:
    box = a_box()
    box.permanent = permanent
    client, server = start(box)
    for outcome in (flagged(client, [1, 2], flags), flagged(client, [1, 2], (), flags)):
        if lost:
            assert outcome.said() == {1: "failed", 2: "failed"}
            assert outcome.reason() == f"the server does not keep {lost} in 'INBOX'"
        else:
            assert outcome.said() == {1: "done", 2: "done"}
    assert bool(changing(server.received)) == (not lost)


def test_a_server_that_names_no_permanent_flags_keeps_all(start: Start) -> None:
    # RFC 3501 section 7.1: then all can be changed for good.
    box = a_box()

    def select(_: bytes, args: bytes, connection: Line) -> bytes:
        said = box.open(args, connection, is_select=True)
        return re.sub(rb"\* OK \[PERMANENTFLAGS.*?\r\n", b"", said)

    client, _ = start(box, {"SELECT": select})
    assert flagged(client, [1], (SEEN, "$x")).said() == {1: "done"}


@pytest.mark.parametrize("verb", ["flags", "delete"])
def test_nothing_is_changed_in_a_folder_for_reading(start: Start, verb: str) -> None:
    box = a_box()

    def select(_: bytes, args: bytes, connection: Line) -> bytes:
        said = box.open(args, connection, is_select=True)
        return said.replace(b"READ-WRITE", b"READ-ONLY")

    client, server = start(box, {"SELECT": select})
    outcome = done(client, planned(client, verb, [1, 2], add=(SEEN,)))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "the server opens 'INBOX' for reading only"
    assert changing(server.received) == []


@pytest.mark.parametrize("verb", ["flags", "delete"])
def test_nothing_is_changed_in_a_folder_that_was_renumbered_or_has_gone(
    start: Start, verb: str
) -> None:
    box = a_box()
    client, server = start(box)
    action = planned(client, verb, [1, 2], add=(SEEN,))
    box.folders["INBOX"].uidvalidity += 1
    outcome = done(client, action)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert "was renumbered" in outcome.reason()
    del box.folders["INBOX"]
    outcome = done(client, action)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert "no such folder" in outcome.reason()
    assert changing(server.received) == []


@pytest.mark.parametrize("refusal", [b"NO [NOPERM] not yours", b"NO [LIMIT] x", b"BAD what", b"NO"])
def test_a_refused_change_is_told_and_the_next_is_tried(start: Start, refusal: bytes) -> None:
    box = a_box(f"{EVERYTHING} MESSAGELIMIT=2", 4)
    store = in_turn(b"<tag> %b\r\n" % refusal, box.handlers()["UID STORE"])
    client, _ = start(box, {"UID STORE": store})
    outcome = flagged(client, [1, 2, 3, 4], (SEEN,))
    assert outcome.said() == {1: "failed", 2: "failed", 3: "done", 4: "done"}
    assert outcome.reason() == refusal.decode()
    assert box.flags() == {1: set(), 2: set(), 3: {SEEN}, 4: {SEEN}}


@pytest.mark.parametrize("refusal", [b"NO [NOPERM] not yours", b"NO [THROTTLED] later"])
def test_what_was_set_before_a_refusal_is_told(start: Start, refusal: bytes) -> None:
    box = a_box()
    store = in_turn(box.handlers()["UID STORE"], b"<tag> %b\r\n" % refusal)
    client, _ = start(box, {"UID STORE": store})
    outcome = flagged(client, [1], (SEEN, "$x"), (FLAGGED,))
    assert outcome.said() == {1: "failed"}
    assert outcome.reason() == f"set \\Seen $x; then {refusal.decode()}"
    assert isinstance(outcome.error, ThrottledError) == (b"THROTTLED" in refusal)


@pytest.mark.parametrize("code", [b"[THROTTLED]", b"[UNAVAILABLE]"])
def test_a_busy_server_is_asked_again_or_it_is_told(start: Start, code: bytes) -> None:
    box = a_box(f"{EVERYTHING} MESSAGELIMIT=2", 3)
    busy = b"<tag> NO %b later\r\n" % code
    client, _ = start(box, {"UID STORE": in_turn(busy, box.handlers()["UID STORE"])}, AGAIN)
    assert flagged(client, [1, 2, 3], (SEEN,)).said() == {1: "done", 2: "done", 3: "done"}
    client, _ = start(box, {"UID STORE": busy})
    outcome = flagged(client, [1, 2, 3], (), (SEEN,))
    assert isinstance(outcome.error, ThrottledError)
    assert outcome.said() == {1: "failed", 2: "failed"}  # the third was not tried
    assert set(map(frozenset, box.flags().values())) == {frozenset({SEEN})}


@pytest.mark.parametrize(
    "said", [b"NO [NOPERM] not to be read", b"NO [UNAVAILABLE] later", b"BAD what"]
)
def test_what_was_done_and_cannot_be_seen_is_not_called_gone(start: Start, said: bytes) -> None:
    box = a_box(EVERYTHING, 30)
    client, server = start(box, {"UID STORE": DONE})
    action = planned(client, "flags", range(1, 31), add=(SEEN,))
    server.handlers["UID FETCH"] = b"<tag> %b\r\n" % said
    outcome = done(client, action)
    assert set(outcome.said().values()) == {"unknown"}
    assert said.decode() in outcome.reason()


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("verb", ["flags", "delete"])
def test_a_change_whose_answer_is_lost_is_made_again(
    start: Start, verb: str, *, is_done: bool
) -> None:
    # Done twice it is the same.
    box = a_box(NO_MOVE)

    def act(args: bytes, connection: Line) -> None:
        if is_done:
            box.store(args, connection)

    store = in_turn(hang_up(act), box.handlers()["UID STORE"])
    client, server = start(box, {"UID STORE": store}, AGAIN)
    outcome = done(client, planned(client, verb, [1, 2], add=(SEEN,) if verb == "flags" else ()))
    assert outcome.said() == {1: "done", 2: "done"}
    assert server.commands("SELECT") == [b'"INBOX"'] * 2
    assert len(server.commands("UID STORE")) == 2


@pytest.mark.parametrize("verb", ["flags", "delete"])
def test_a_change_whose_answer_is_lost_for_good_is_unknown(start: Start, verb: str) -> None:
    box = a_box(f"{NO_MOVE} MESSAGELIMIT=2", 5)
    store = in_turn(box.handlers()["UID STORE"], hang_up(box.store))
    client, _ = start(box, {"UID STORE": store})
    outcome = done(client, planned(client, verb, range(1, 6), add=(SEEN,)))
    assert isinstance(outcome.error, ConnectionFailedError)
    assert outcome.said() == {1: "done", 2: "done", 3: "unknown", 4: "unknown"}
    assert outcome.reason() == LOST


@pytest.mark.parametrize("name", ["UID STORE", "UID EXPUNGE"])
def test_an_answer_that_cannot_be_read_leaves_it_unknown(start: Start, name: str) -> None:
    client, _ = start(a_box(NO_MOVE), {name: b"* )(\r\n\r\n<tag> OK\r\n"})
    outcome = done(client, planned(client, "delete", [1, 2]))
    assert isinstance(outcome.error, ProtocolError | ConnectionFailedError)
    assert outcome.said() == {1: "unknown", 2: "unknown"}


def test_a_folder_renumbered_while_the_answer_is_lost_leaves_it_unknown(start: Start) -> None:
    box = a_box()

    def act(args: bytes, connection: Line) -> None:
        box.store(args, connection)
        box.folders["INBOX"].uidvalidity += 1

    client, server = start(box, {"UID STORE": hang_up(act)}, AGAIN)
    outcome = flagged(client, [1, 2], (SEEN,))
    assert outcome.said() == {1: "unknown", 2: "unknown"}
    assert len(server.commands("UID STORE")) == 1


@pytest.mark.parametrize("verb", ["flags", "delete"])
def test_scattered_messages_are_changed_in_lines_that_servers_take(start: Start, verb: str) -> None:
    box = a_box(EVERYTHING, 20_000)
    client, server = start(box)
    action = planned(client, verb, range(1, 20_001, 2), add=(SEEN,))
    before = len(server.received)
    assert set(done(client, action).said().values()) == {"done"}
    assert max(map(len, server.received[before:])) < 8_000
    assert len(changing(server.received)) <= 30


def test_many_long_flags_leave_room_for_fewer_messages(start: Start) -> None:
    box = a_box(EVERYTHING, 4_000)
    client, server = start(box)
    action = planned(client, "flags", range(1, 4_001, 2), add=tuple(f"{n:0>90}" for n in range(40)))
    before = len(server.received)
    assert set(done(client, action).said().values()) == {"done"}
    assert max(map(len, server.received[before:])) < 8_000


# -- which are there


@pytest.mark.parametrize("count", [1498, 1499, 1500, 1501, 2000])
def test_scattered_messages_are_looked_for_in_searches_that_can_be_sent(
    start: Start, count: int
) -> None:
    # 1,500 UIDs of four digits take 7,499 octets; a search has 7,500, with its key.
    box = a_box(EVERYTHING, 0)
    uids = range(1001, 1001 + 4 * count, 4)
    for uid in uids:
        box.folders["INBOX"].kept[uid] = box.folders["INBOX"].kept.get(uid) or a_message()
    client, server = start(box)
    assert present(client, list(uids)) == set(uids)
    assert present(client, [1, 1001, 1002]) == {1001}
    assert max(map(len, server.commands("UID SEARCH"))) < 7_600


def a_message() -> object:
    return Box({"x": [1]}).folders["x"].kept[1]


def test_messages_that_were_not_asked_for_are_not_present(start: Start) -> None:
    client, _ = start(a_box(), {"UID SEARCH": b"* SEARCH 1 2 77\r\n" + DONE})
    assert present(client, [1, 5]) == {1}


def test_nothing_is_asked_about_no_messages(start: Start) -> None:
    client, server = start(a_box())
    before = len(server.received)
    assert present(client, []) == set()
    assert list(in_pieces(client, [])) == []
    assert list(store_flags(client, [], (SEEN,), ())) == []
    assert list(remove(client, [])) == []
    assert len(server.received) == before


# -- removing


def test_what_is_sent_to_remove_messages(start: Start) -> None:
    box = a_box(NO_MOVE, 5)
    box.store(b"4 +FLAGS (\\Deleted)", _writer(box))  # somebody else's
    client, server = start(box)
    action = planned(client, "delete", [1, 2, 3])
    before = len(server.received)
    outcome = done(client, action)
    assert sent(server.received, since=before) == [
        b'SELECT "INBOX"',
        b"UID STORE 1:3 +FLAGS (\\Deleted)",
        b"UID EXPUNGE 1:3",
        b"UID SEARCH UID 1:3",
    ]
    assert outcome.said() == {1: "done", 2: "done", 3: "done"}
    assert box.numbers("INBOX") == [4, 5]
    assert not any(one.stays for one in outcome.results[0].values())


def _writer(box: Box) -> Line:
    class Somebody:
        number = 0

    box._open[0] = ("INBOX", True)
    return Somebody()  # type: ignore[return-value]


def test_without_uidplus_they_are_only_marked(start: Start) -> None:
    box = a_box(NOTHING)
    client, server = start(box)
    outcome = done(client, planned(client, "delete", [1, 2]))
    assert outcome.said() == {1: "done", 2: "done"}
    assert outcome.reason() == MARKED
    assert all(one.stays for one in outcome.results[0].values())
    assert changing(server.received) == [b"UID STORE 1:2 +FLAGS (\\Deleted)"]
    assert box.flags() == {1: {DELETED}, 2: {DELETED}, 3: set()}


def test_what_cannot_be_marked_is_not_removed(start: Start) -> None:
    box = a_box(NO_MOVE)
    box.permanent = b"\\Seen \\*"
    client, server = start(box)
    outcome = done(client, planned(client, "delete", [1, 2]))
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "the server does not keep \\Deleted in 'INBOX'"
    assert changing(server.received) == []


def test_of_messages_of_which_some_could_not_be_marked_the_others_are_removed(
    start: Start,
) -> None:
    box = a_box(NO_MOVE, 4)

    def store(_: bytes, args: bytes, connection: Line) -> bytes:
        del box.folders["INBOX"].kept[3]
        return box.store(args.replace(b"1:4", b"1,4"), connection) + DONE

    client, server = start(box, {"UID STORE": store})
    outcome = done(client, planned(client, "delete", [1, 2, 3, 4]))
    assert outcome.said() == {1: "done", 2: "failed", 3: "gone", 4: "done"}
    assert outcome.reason() == "the server did not set \\Deleted"
    assert server.commands("UID EXPUNGE") == [b"1,4"]
    assert box.numbers("INBOX") == [2]


SAID = [
    b"",
    b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n",
    b"* VANISHED 1:2\r\n",
    b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n",  # others' meanwhile
    b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 9 EXISTS\r\n",
    b"* VANISHED (EARLIER) 1:9\r\n",
]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("left", [[], [1], [1, 2]])
def test_what_has_been_removed_is_looked_up(start: Start, said: bytes, left: list[int]) -> None:
    # EXPUNGE replies name no UIDs, and may be about what others remove.
    box = a_box(NO_MOVE)

    def expunge(_tag: bytes, _args: bytes, _connection: Line) -> bytes:
        for uid in {1, 2}.difference(left):
            del box.folders["INBOX"].kept[uid]
        return said + DONE

    client, _ = start(box, {"UID EXPUNGE": expunge})
    outcome = done(client, planned(client, "delete", [1, 2]))
    assert outcome.said() == {uid: "failed" if uid in left else "done" for uid in (1, 2)}
    reason = "marked as deleted, but the server did not remove it"
    assert {outcome.results[0][uid].reason for uid in left} <= {reason}


@pytest.mark.parametrize(
    "refusal",
    [b"NO [NOPERM] not yours", b"NO [LIMIT] x", b"NO [EXPUNGEISSUED] x", b"BAD what"],
)
def test_a_refused_expunge_is_told(start: Start, refusal: bytes) -> None:
    box = a_box(NO_MOVE)

    def expunge(_tag: bytes, _args: bytes, _connection: Line) -> bytes:
        del box.folders["INBOX"].kept[1]
        return b"<tag> %b\r\n" % refusal

    client, server = start(box, {"UID EXPUNGE": expunge})
    outcome = done(client, planned(client, "delete", [1, 2]))
    assert outcome.said() == {1: "done", 2: "failed"}
    assert outcome.reason() == f"marked as deleted, but not removed: {refusal.decode()}"
    assert len(server.commands("UID EXPUNGE")) == 1


def test_an_expunge_that_a_busy_server_refuses_is_told(start: Start) -> None:
    box = a_box(f"{NO_MOVE} MESSAGELIMIT=2", 3)
    client, _ = start(box, {"UID EXPUNGE": b"<tag> NO [UNAVAILABLE] later\r\n"})
    outcome = done(client, planned(client, "delete", [1, 2, 3]))
    assert isinstance(outcome.error, ThrottledError)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert outcome.reason() == "marked as deleted, but not removed: NO [UNAVAILABLE] later"


@pytest.mark.parametrize("retry", [NEVER, AGAIN], ids=["never", "again"])
@pytest.mark.parametrize("is_done", [True, False])
def test_an_expunge_whose_answer_is_lost(start: Start, retry: Retry, *, is_done: bool) -> None:
    box = a_box(NO_MOVE)

    def act(args: bytes, connection: Line) -> None:
        if is_done:
            box.expunge(args, connection)

    expunge = in_turn(hang_up(act), box.handlers()["UID EXPUNGE"])
    client, _ = start(box, {"UID EXPUNGE": expunge}, retry)
    action = planned(client, "delete", [1, 2])
    outcome = done(client, action)
    if retry is AGAIN:
        assert outcome.said() == {1: "done", 2: "done"}
    else:
        assert outcome.said() == {1: "unknown", 2: "unknown"}
        client, _ = start(box)
        again = done(client, action).said()
        assert again == dict.fromkeys([1, 2], "gone" if is_done else "done")
    assert box.numbers("INBOX") == [3]


# -- labels


@pytest.mark.parametrize(
    ("label", "written", "shown"),
    [
        ("Work", b'"Work"', b"Work"),
        ("Two words", b'"Two words"', b'"Two words"'),
        ('say "hi"', b'"say \\"hi\\""', b'"say \\"hi\\""'),
        ("back\\slash", b'"back\\\\slash"', b'"back\\\\slash"'),
        ("Büro/ü", b'"B&APw-ro/&APw-"', b'"B&APw-ro/&APw-"'),
        ("R&D", b'"R&-D"', b'"R&-D"'),
        ("(a) {5}", b'"(a) {5}"', b'"(a) {5}"'),
        ("\\Starred", b"\\Starred", b'"\\\\Starred"'),
        ("\\Inbox", b"\\Inbox", b"\\Inbox"),
        ("\\Ü", b'"\\\\&ANw-"', b'"\\\\&ANw-"'),
        ("\\a b", b'"\\\\a b"', b'"\\\\a b"'),
        ("日本", b'"&ZeVnLA-"', b"{8}\r\n&ZeVnLA-"),
    ],
)
def test_labels_are_written_and_read_as_gmail_does(
    start: Start, label: str, written: bytes, shown: bytes
) -> None:
    box = a_box("IMAP4rev1 X-GM-EXT-1")
    replies = in_turn(
        b"* 1 FETCH (X-GM-LABELS (Other %b) UID 1)\r\n" % shown + DONE,
        b"* 1 FETCH (UID 1 X-GM-LABELS ())\r\n" + DONE,
    )
    client, server = start(box, {"UID STORE": replies})
    action = planned(client, "labels", [1], add=(label, "Other"))
    before = len(server.received)
    assert done(client, action).said() == {1: "done"}
    outcome = done(client, planned(client, "labels", [1], remove=("Other", label)))
    assert outcome.said() == {1: "done"}
    assert [one for one in sent(server.received, since=before) if b"STORE" in one] == [
        b'UID STORE 1 +X-GM-LABELS (%b "Other")' % written,
        b'UID STORE 1 -X-GM-LABELS ("Other" %b)' % written,
    ]


@pytest.mark.parametrize(
    ("add", "take", "reason"),
    [
        (("B\u00fcro", "a"), (), "the server did not set Büro"),
        ((), ("A", "x"), "the server did not take off A"),
    ],
)
def test_labels_that_the_server_did_not_change_are_told(
    start: Start, add: tuple[str, ...], take: tuple[str, ...], reason: str
) -> None:
    said = b"* 1 FETCH (X-GM-LABELS (a) UID 1)\r\n" + DONE
    client, _ = start(a_box("IMAP4rev1 X-GM-EXT-1"), {"UID STORE": said})
    outcome = done(client, planned(client, "labels", [1], add=add, remove=take))
    assert outcome.said() == {1: "failed"}
    assert outcome.reason() == reason


@pytest.mark.parametrize("label", ["Inbox", "\\Inbox"])
def test_the_label_of_the_open_folder_need_not_be_shown(start: Start, label: str) -> None:
    said = b"* 1 FETCH (X-GM-LABELS (a) UID 1)\r\n" + DONE
    client, _ = start(a_box("IMAP4rev1 X-GM-EXT-1"), {"UID STORE": said})
    assert done(client, planned(client, "labels", [1], add=(label,))).said() == {1: "done"}


def test_labels_of_which_the_server_says_nothing_are_looked_at(start: Start) -> None:
    box = a_box("IMAP4rev1 X-GM-EXT-1")
    client, server = start(box, {"UID STORE": DONE})
    action = planned(client, "labels", [1, 2], add=("Büro",))
    said = b"* 1 FETCH (X-GM-LABELS (B&APw-ro) UID 1)\r\n* 2 FETCH (UID 2 X-GM-LABELS NIL)\r\n"
    server.handlers["UID FETCH"] = said + DONE
    assert done(client, action).said() == {1: "done", 2: "failed"}
    assert server.commands("UID FETCH")[-1] == b"1:2 (UID X-GM-LABELS)"


def test_labels_need_no_permanent_flags(start: Start) -> None:
    box = a_box("IMAP4rev1 X-GM-EXT-1")
    box.permanent = b""
    client, _ = start(box, {"UID STORE": b"* 1 FETCH (X-GM-LABELS (a) UID 1)\r\n" + DONE})
    assert done(client, planned(client, "labels", [1], add=("a",))).said() == {1: "done"}


def test_labels_are_for_gmail(start: Start) -> None:
    client, server = start(a_box())
    action = planned(client, "labels", [1, 2], add=("a",))
    outcome = done(client, action)
    assert outcome.said() == {1: "failed", 2: "failed"}
    assert "X-GM-EXT-1" in outcome.reason()
    assert changing(server.received) == []
    with pytest.raises(NotSupportedError):
        store_labels(client, [1], ("a",), ())


@pytest.mark.parametrize("label", ["", "a\r\nb", "a\0b", "\ud800"], ids=ascii)
def test_what_can_be_no_label_reaches_no_server(start: Start, label: str) -> None:
    client, server = start(a_box("IMAP4rev1 X-GM-EXT-1"))
    outcome = done(client, planned(client, "labels", [1], add=("a", label)))
    assert outcome.said() == {1: "failed"}
    assert "No folder can be called" in outcome.reason()
    assert changing(server.received) == []


# -- what never is sent


@pytest.mark.parametrize("capabilities", [EVERYTHING, NO_MOVE, NOTHING])
@pytest.mark.parametrize("verb", ["flags", "delete", "move", "copy"])
def test_nothing_ever_expunges_what_others_have_marked(
    start: Start, capabilities: str, verb: str
) -> None:
    box = Box({"INBOX": range(1, 6), "Archive": []}, capabilities)
    box.store(b"4:5 +FLAGS (\\Deleted)", _writer(box))
    client, server = start(box)
    target = "Archive" if verb in {"move", "copy"} else ""
    options = {"add": (DELETED,)} if verb == "flags" else {}
    done(client, planned(client, verb, [1, 2], target=target, **options))
    names = {one.partition(b" ")[0].upper() for one in sent(server.received)}
    assert not names & {b"EXPUNGE", b"CLOSE", b"STORE", b"COPY", b"MOVE"}
    assert box.numbers("INBOX")[-3:] == [3, 4, 5]


def test_a_folder_that_is_missing_is_an_error(start: Start) -> None:
    client, _ = start(a_box())
    client.selected = None
    with pytest.raises(FolderError, match="No folder is open"):
        list(store_flags(client, [1], (SEEN,), ()))
