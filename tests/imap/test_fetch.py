"""UIDs and items -> what the server says, matched by UID, whatever else it says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    MailframeError,
    MessageNotFoundError,
    ProtocolError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap import fetch as fetch_module
from mailframe.imap.fetch import Request, fetch, fetch_ranges
from tests.imap.replies import DONE, fetched
from tests.rigs.scripted import ScriptedServer, in_turn, literal, uids_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailframe.imap.connection import Connection
    from mailframe.imap.fetch import Answer
    from tests.rigs import scripted as rig

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]


def flags_of(*uids: int) -> Request:
    return Request(uids, b"FLAGS", frozenset({"UID", "FLAGS"}), 50)


def flags(connection: Connection, *uids: int) -> dict[int, Answer]:
    return dict(fetch(connection, [flags_of(*uids)]))


def seen(uid: int, number: int | None = None) -> bytes:
    return fetched(uid if number is None else number, b"UID %d FLAGS (\\Seen)" % uid)


def found(*uids: int) -> dict[int, Answer]:
    return {uid: {"UID": b"%d" % uid, "FLAGS": [b"\\Seen"]} for uid in uids}


def asked(server: ScriptedServer) -> list[bytes]:
    """Return the UID sets of every UID FETCH, in order."""
    return [args.partition(b" ")[0] for args in server.commands("UID FETCH")]


def refusing(*refused: int, said: bytes = b"NO [SERVERBUG] cannot") -> rig.Function:
    """Return a handler that refuses every command which asks for one of these UIDs."""

    def handle(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        wanted = uids_in(args.partition(b" ")[0], connection.server.messages)
        if set(wanted) & set(refused):
            return b"<tag> " + said + b"\r\n"
        return b"".join(map(seen, wanted)) + DONE

    return handle


def mailbox(uids: Iterable[int]) -> dict[int, bytes]:
    return dict.fromkeys(uids, b"FLAGS (\\Seen)")


# -- matched by UID


def test_one_command_asks_for_a_range_and_every_uid_is_yielded_once(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(messages=mailbox([3, 4, 5, 9]))
    connection = opened(server)
    pairs = list(fetch(connection, [flags_of(9, 5, 4, 3)]))
    assert sorted(uid for uid, _ in pairs) == [3, 4, 5, 9]
    assert dict(pairs) == found(3, 4, 5, 9)
    assert server.commands("UID FETCH") == [b"3:5,9 (UID FLAGS)"]


def test_replies_in_any_order_and_with_any_message_number_belong_to_their_uid(
    scripted: Scripted, opened: Opened
) -> None:
    said = (
        fetched(1, b"FLAGS (\\Draft) UID 9")
        + fetched(77, b"FLAGS (\\Seen) UID 4")
        + fetched(2, b"UID 3 FLAGS ()")
    )
    connection = opened(scripted({"UID FETCH": said + DONE}))
    got = flags(connection, 3, 4, 9)
    assert {uid: items["FLAGS"] for uid, items in got.items() if isinstance(items, dict)} == {
        3: [],
        4: [b"\\Seen"],
        9: [b"\\Draft"],
    }


@pytest.mark.parametrize(
    "news",
    [
        b"* 2 FETCH (FLAGS (\\Deleted))\r\n",
        b"* 2 FETCH (FLAGS (\\Deleted) MODSEQ (12))\r\n",
        b"* 9 FETCH (UID 99 FLAGS (\\Deleted))\r\n",
        b"* 4 EXISTS\r\n* 1 RECENT\r\n",
        b"* 3 EXPUNGE\r\n",
        b"* VANISHED 1:2\r\n",
        b"* OK [HIGHESTMODSEQ 7] hm\r\n* OK Still here\r\n",
        b"* FLAGS (\\Seen $New)\r\n",
        b"* SEARCH 1 2 3\r\n",
        b"* 2 FETCH (UID 2 FLAGS (\\Deleted)\r\n",
    ],
    ids=str,
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_unsolicited_replies_shift_nothing(
    scripted: Scripted, opened: Opened, news: bytes, place: int
) -> None:
    said = [seen(1), seen(2)]
    said.insert(place, news)
    connection = opened(scripted({"UID FETCH": b"".join(said) + DONE}))
    assert flags(connection, 1, 2) == found(1, 2)


def test_the_latest_flags_win(scripted: Scripted, opened: Opened) -> None:
    said = (
        fetched(1, b"UID 1 FLAGS (\\Old)")
        + fetched(1, b"UID 1 FLAGS (\\Old) X-A 1")
        + fetched(2, b"UID 2 FLAGS (\\Old) X-A 2")
        + fetched(1, b"UID 1 FLAGS (\\New)")
        + fetched(2, b"FLAGS (\\New) UID 2 MODSEQ (3)")
    )
    connection = opened(scripted({"UID FETCH": said + DONE}))
    request = Request((1, 2), b"FLAGS X-A", frozenset({"UID", "FLAGS", "X-A"}), 50)
    got = dict(fetch(connection, [request]))
    assert [
        (items["X-A"], items["FLAGS"]) for items in got.values() if isinstance(items, dict)
    ] == [
        (b"1", [b"\\New"]),
        (b"2", [b"\\New"]),
    ]


def test_a_message_may_be_described_in_two_replies(scripted: Scripted, opened: Opened) -> None:
    said = fetched(1, b"UID 7 FLAGS ()") + fetched(1, b"BODY[1] {2}\r\nhi UID 7")
    server = scripted({"UID FETCH": said + DONE})
    request = Request((7,), b"FLAGS BODY.PEEK[1]", frozenset({"UID", "FLAGS", "BODY[1]"}), 50)
    assert dict(fetch(opened(server), [request])) == {
        7: {"UID": b"7", "FLAGS": [], "BODY[1]": b"hi"}
    }
    assert len(asked(server)) == 1


def test_a_section_is_known_however_the_server_writes_its_name(
    scripted: Scripted, opened: Opened
) -> None:
    said = fetched(1, b'UID 7 Body[header.fields ("Subject" "DATE")] {4}\r\na\r\nb')
    request = Request(
        (7,),
        b"BODY.PEEK[HEADER.FIELDS (DATE SUBJECT)]",
        frozenset({"UID", "BODY[HEADER.FIELDS]"}),
        50,
    )
    connection = opened(scripted({"UID FETCH": said + DONE}))
    assert dict(fetch(connection, [request]))[7] == {"UID": b"7", "BODY[HEADER.FIELDS]": b"a\r\nb"}


@pytest.mark.parametrize("value", [b"{1}\r\n7", b'"7"', b"007"])
def test_a_uid_may_be_written_in_any_way(scripted: Scripted, opened: Opened, value: bytes) -> None:
    said = fetched(1, b"FLAGS (\\Seen) UID " + value)
    connection = opened(scripted({"UID FETCH": said + DONE}))
    assert flags(connection, 7)[7] is not None


# -- asked again


def test_a_message_described_twice_is_asked_for_again(scripted: Scripted, opened: Opened) -> None:
    twice = fetched(1, b"UID 1 FLAGS (\\Wrong)") + seen(2) + seen(1)
    server = scripted({"UID FETCH": in_turn(twice + DONE, seen(1) + seen(2) + DONE)})
    assert flags(opened(server), 1, 2) == found(1, 2)
    assert asked(server) == [b"1:2", b"1:2"]


def test_a_server_that_always_says_things_twice_is_believed(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted({"UID FETCH": seen(1) + seen(1) + seen(2) + DONE})
    assert flags(opened(server), 1, 2) == found(1, 2)
    assert len(asked(server)) == 2


def test_a_missing_message_is_asked_for_once_more_and_then_is_gone(
    scripted: Scripted, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mailframe")
    server = scripted(messages=mailbox([1, 3]))
    assert flags(opened(server), 1, 2, 3) == found(1, 3) | {2: None}
    assert asked(server) == [b"1:3", b"2"]
    assert "1 messages have gone" in caplog.text


def test_a_message_missing_at_first_is_found_at_the_second_try(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted({"UID FETCH": in_turn(seen(1) + DONE, seen(2) + DONE)})
    assert flags(opened(server), 1, 2) == found(1, 2)


def test_a_foreign_message_takes_nobodys_place(
    scripted: Scripted, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = fetched(5, b"UID 5 FLAGS () RFC822.SIZE 7")
    server = scripted({"UID FETCH": in_turn(seen(1) + foreign + DONE, seen(2) + DONE)})
    assert flags(opened(server), 1, 2) == found(1, 2)
    assert asked(server) == [b"1:2", b"2"]
    assert "message 5, which was not asked for" in caplog.text


@pytest.mark.parametrize(
    "unreadable",
    [
        b"* 2 FETCH (UID 2 FLAGS (\\Seen)\r\n",
        b"* 2 FETCH (UID 2 FLAGS)\r\n",
        b'* 2 FETCH (UID 2 FLAGS ("\\Seen))\r\n',
        b"* 2 FETCH (UID two FLAGS (\\Seen))\r\n",
        b"* 2 FETCH (UID NIL FLAGS (\\Seen))\r\n",
        b"* 2 FETCH\r\n",
    ],
    ids=str,
)
def test_an_unreadable_reply_costs_its_message_a_second_try_and_no_other(
    scripted: Scripted, opened: Opened, unreadable: bytes
) -> None:
    server = scripted({"UID FETCH": in_turn(seen(1) + unreadable + seen(3) + DONE, seen(2) + DONE)})
    assert flags(opened(server), 1, 2, 3) == found(1, 2, 3)
    assert asked(server) == [b"1:3", b"2"]


# -- in flight


def test_completions_may_be_held_back_until_several_commands_are_in(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "CHUNK", 2)

    def hold(tag: bytes, _args: bytes, connection: rig.Connection) -> bytes:
        tags = [tag, *(connection.read_command().partition(b" ")[0] for _ in range(2))]
        replies = [seen(uid) for uid in (6, 1, 4, 2, 5, 3)]
        return b"".join(replies) + b"".join(one + b" OK done\r\n" for one in reversed(tags))

    server = scripted({"UID FETCH": hold})
    assert flags(opened(server), *range(1, 7)) == found(*range(1, 7))
    assert asked(server) == [b"1:2", b"3:4", b"5:6"]


def test_several_requests_share_the_connection(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: b"FLAGS (\\Seen)", 2: b"BODY[1] {2}\r\nhi"})
    body = Request((2,), b"BODY.PEEK[1]", frozenset({"UID", "BODY[1]"}), 50)
    assert dict(fetch(opened(server), [flags_of(1), body])) == found(1) | {
        2: {"UID": b"2", "BODY[1]": b"hi"}
    }
    assert server.commands("UID FETCH") == [b"1 (UID FLAGS)", b"2 (UID BODY.PEEK[1])"]


def test_a_chunk_is_as_large_as_its_replies_are_small(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "CHUNK_BYTES", 1000)
    server = scripted(messages=mailbox(range(1, 5)))
    large = Request((4, 3, 2, 1), b"FLAGS", frozenset({"UID", "FLAGS"}), 500)
    huge = Request((4, 3), b"FLAGS", frozenset({"UID", "FLAGS"}), 5000)
    connection = opened(server)
    list(fetch(connection, [large]))
    list(fetch(connection, [huge]))
    assert asked(server) == [b"3:4", b"1:2", b"4", b"3"]


def test_nothing_to_ask_is_not_asked(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    connection = opened(server)
    assert flags(connection) == {}
    assert list(fetch(connection, [])) == []
    assert asked(server) == []


def test_leaving_the_loop_early_leaves_the_connection_usable(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "CHUNK", 1)
    connection = opened(scripted(messages=mailbox(range(1, 30))))
    for _ in fetch(connection, [flags_of(*range(1, 30))]):
        break
    assert flags(connection, 29) == found(29)


# -- limits of the server


def test_no_command_asks_for_more_messages_than_the_server_announced(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(capabilities="IMAP4rev1 MESSAGELIMIT=2", messages=mailbox(range(1, 6)))
    assert flags(opened(server), 5, 4, 3, 2, 1) == found(*range(1, 6))
    assert asked(server) == [b"4:5", b"2:3", b"1"]


def test_a_reply_cut_by_the_message_limit_is_continued_to_its_end(
    scripted: Scripted, opened: Opened
) -> None:
    def two_at_most(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        wanted = uids_in(args.partition(b" ")[0], connection.server.messages)
        done = b"<tag> OK [MESSAGELIMIT 2 3] cut\r\n" if len(wanted) > 2 else DONE
        return b"".join(map(seen, wanted[:2])) + done

    server = scripted({"UID FETCH": two_at_most}, messages=mailbox(range(1, 10)))
    assert flags(opened(server), *range(1, 10)) == found(*range(1, 10))
    assert asked(server) == [b"1:9", b"3:9", b"5:9", b"7:9", b"9"]


def test_a_message_limit_that_lets_nothing_through_ends(scripted: Scripted, opened: Opened) -> None:
    server = scripted({"UID FETCH": b"<tag> OK [MESSAGELIMIT 2 3] cut\r\n"})
    assert flags(opened(server), 1, 2, 3) == {1: None, 2: None, 3: None}
    assert len(asked(server)) == 2


# -- refused


@pytest.mark.parametrize("said", [b"NO [SERVERBUG] cannot", b"BAD cannot"])
@pytest.mark.parametrize("fault", [1, 6, 11, 16])
def test_a_refused_chunk_is_halved_until_the_message_at_fault_stands_alone(
    scripted: Scripted, opened: Opened, fault: int, said: bytes
) -> None:
    uids = range(1, 17)
    server = scripted({"UID FETCH": refusing(fault, said=said)}, messages=mailbox(uids))
    got = flags(opened(server), *uids)
    refused = got.pop(fault)
    assert isinstance(refused, CommandError)
    assert refused.reply == said.decode()
    assert got == found(*(uid for uid in uids if uid != fault))
    assert b"%d" % fault in asked(server)
    assert len(asked(server)) <= 10


def test_two_messages_at_fault_cost_no_other(scripted: Scripted, opened: Opened) -> None:
    uids = range(1, 33)
    server = scripted({"UID FETCH": refusing(2, 31)}, messages=mailbox(uids))
    got = flags(opened(server), *uids)
    assert all(isinstance(got.pop(uid), CommandError) for uid in (2, 31))
    assert got == found(*(uid for uid in uids if uid not in {2, 31}))


def test_what_came_before_the_refusal_is_kept(scripted: Scripted, opened: Opened) -> None:
    first = seen(1) + seen(2) + b"<tag> NO [SERVERBUG] stuck at 3\r\n"
    server = scripted({"UID FETCH": in_turn(first, seen(3) + DONE, seen(4) + DONE)})
    assert flags(opened(server), 1, 2, 3, 4) == found(1, 2, 3, 4)
    assert asked(server) == [b"1:4", b"3", b"4"]


def test_a_server_that_refuses_the_command_as_such_is_an_error_after_few_commands(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted({"UID FETCH": b"<tag> BAD I know no FLAGS\r\n"})
    with pytest.raises(CommandError, match="BAD I know no FLAGS"):
        flags(opened(server), *range(1, 2001))
    assert len(asked(server)) < 60


@pytest.mark.parametrize(
    "said",
    [
        b"NO [THROTTLED] slow down",
        b"NO [LIMIT] enough",
        b"NO [OVERQUOTA] bandwidth",
        b"BAD [UNAVAILABLE] later",
        b"NO Too many simultaneous connections. (Failure)",
        b"NO Rate limit hit",
    ],
)
def test_a_server_that_wants_fewer_requests_gets_no_more(
    scripted: Scripted, opened: Opened, said: bytes
) -> None:
    server = scripted({"UID FETCH": b"<tag> " + said + b"\r\n"})
    with pytest.raises(ThrottledError) as caught:
        flags(opened(server), 1, 2, 3, 4)
    assert caught.value.reply == said.decode()
    assert len(asked(server)) == 1


# -- broken off


def test_a_goodbye_in_the_middle_is_told_in_the_servers_words(
    scripted: Scripted, opened: Opened
) -> None:
    def goodbye(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.send(seen(1) + b"* BYE Down for maintenance\r\n")
        connection.close()

    with pytest.raises(ConnectionFailedError, match="was lost") as caught:
        flags(opened(scripted({"UID FETCH": goodbye})), 1, 2)
    assert caught.value.reply == "Down for maintenance"


@pytest.mark.parametrize(
    "last",
    [
        b"",
        b"* 2 FET",
        b"* 2 FETCH (UID 2 FLAGS (\\Seen))",
        b"* 2 FETCH (UID 2 BODY[] {100}\r\n",
        b"* 2 FETCH (UID 2 BODY[] {100}\r\nonly a part",
    ],
    ids=str,
)
@pytest.mark.parametrize("hang_up", ["close", "reset"])
def test_a_cut_connection_is_an_error_wherever_it_is_cut(
    scripted: Scripted, opened: Opened, last: bytes, hang_up: str
) -> None:
    def cut(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.send(seen(1) + last)
        getattr(connection, hang_up)()

    connection = opened(scripted({"UID FETCH": cut}))
    with pytest.raises(ConnectionFailedError, match="was lost"):
        flags(connection, 1, 2)
    with pytest.raises(ConnectionFailedError, match="was lost"):
        flags(connection, 1)


def test_silence_is_a_timeout(scripted: Scripted, opened: Opened) -> None:
    connection = opened(scripted({"UID FETCH": seen(1)}), timeout=0.1)
    with pytest.raises(ServerTimeoutError, match=r"nothing for 0\.1 seconds"):
        flags(connection, 1, 2)


def test_a_line_that_is_not_imap_ends_it(scripted: Scripted, opened: Opened) -> None:
    connection = opened(scripted({"UID FETCH": seen(1) + b"\0\0\0\r\n" + DONE}))
    with pytest.raises(MailframeError, match="not IMAP"):
        flags(connection, 1)
    with pytest.raises(ConnectionFailedError, match="was lost"):
        flags(connection, 1)


# -- in ranges


class Part:
    """A handler that serves ranges of some content, as servers do."""

    def __init__(self, content: bytes, *, origin: bool = True, section: bytes = b"2") -> None:
        self.content, self.origin, self.section = content, origin, section

    def __call__(self, _tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        start, size = map(int, args.rpartition(b"<")[2].partition(b">")[0].split(b"."))
        name = b"BODY[%b]" % self.section + (b"<%d>" % start if self.origin else b"")
        piece = literal(self.content[start : start + size])
        return fetched(1, b"UID 7 " + name + b" " + piece) + DONE


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "RANGE", 4)


@pytest.mark.usefixtures("small_ranges")
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("origin", [True, False])
def test_a_part_is_read_piece_by_piece_to_its_end(
    scripted: Scripted,
    opened: Opened,
    size: int,
    origin: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    content = bytes(range(size))
    connection = opened(scripted({"UID FETCH": Part(content, origin=origin)}))
    assert b"".join(fetch_ranges(connection, 7, "2")) == content


@pytest.mark.usefixtures("small_ranges")
def test_each_piece_is_downloaded_once(scripted: Scripted, opened: Opened) -> None:
    server = scripted({"UID FETCH": Part(b"123456789")})
    connection = opened(server)
    list(fetch_ranges(connection, 7, "2"))
    assert server.commands("UID FETCH") == [
        b"7 (UID BODY.PEEK[2]<0.4>)",
        b"7 (UID BODY.PEEK[2]<4.4>)",
        b"7 (UID BODY.PEEK[2]<8.4>)",
    ]


@pytest.mark.usefixtures("small_ranges")
def test_reading_in_ranges_leaves_the_window_as_it_was(scripted: Scripted, opened: Opened) -> None:
    connection = opened(scripted({"UID FETCH": Part(b"123456789")}))
    window = connection.wire.window
    list(fetch_ranges(connection, 7, "2"))
    assert connection.wire.window == window


@pytest.mark.usefixtures("small_ranges")
def test_a_whole_message_is_read_in_ranges_too(scripted: Scripted, opened: Opened) -> None:
    server = scripted({"UID FETCH": Part(b"123456789", section=b"")})
    assert b"".join(fetch_ranges(opened(server), 7, "")) == b"123456789"


@pytest.mark.parametrize("said", [DONE, seen(7, 1) + DONE], ids=["nothing", "flags_alone"])
def test_a_part_of_a_message_that_has_gone_is_not_found(
    scripted: Scripted, opened: Opened, said: bytes
) -> None:
    connection = opened(scripted({"UID FETCH": said}))
    with pytest.raises(MessageNotFoundError):
        list(fetch_ranges(connection, 7, "2"))


@pytest.mark.usefixtures("small_ranges")
def test_a_message_that_goes_while_it_is_read_is_not_cut_short(
    scripted: Scripted, opened: Opened
) -> None:
    connection = opened(scripted({"UID FETCH": in_turn(Part(b"123456789"), DONE)}))
    with pytest.raises(MessageNotFoundError):
        list(fetch_ranges(connection, 7, "2"))


@pytest.mark.usefixtures("small_ranges")
def test_a_server_that_knows_no_ranges_sends_the_whole_once(
    scripted: Scripted, opened: Opened
) -> None:
    whole = fetched(1, b"UID 7 BODY[2] " + literal(b"123456789")) + DONE
    server = scripted({"UID FETCH": whole})
    assert b"".join(fetch_ranges(opened(server), 7, "2")) == b"123456789"


@pytest.mark.usefixtures("small_ranges")
def test_a_refused_piece_does_not_pass_for_the_end(scripted: Scripted, opened: Opened) -> None:
    # Otherwise an attachment is cut short, and nobody knows.
    first = Part(b"123456789")
    refused = b"<tag> NO [SERVERBUG] cannot read the file\r\n"
    connection = opened(scripted({"UID FETCH": in_turn(first, refused)}))
    with pytest.raises(MailframeError, match="cannot read the file"):
        list(fetch_ranges(connection, 7, "2"))


@pytest.mark.usefixtures("small_ranges")
def test_a_part_without_end_is_given_up(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "MAX_LITERAL", 40)

    def endless(_tag: bytes, args: bytes, _: object) -> bytes:
        offset = args.split(b"<")[1].split(b".")[0]
        return b"* 1 FETCH (UID 7 BODY[2]<%b> {4}\r\nmore)\r\n<tag> OK done\r\n" % offset

    connection = opened(scripted({"UID FETCH": endless}))
    with pytest.raises(ProtocolError, match="does not end"):
        list(fetch_ranges(connection, 7, "2"))
