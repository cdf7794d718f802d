"""Parts in ranges from a server that answers as no good server would."""

from __future__ import annotations

import base64
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.exceptions import (
    CommandError,
    ConnectionFailedError,
    FolderError,
    ProtocolError,
    SaveError,
    ThrottledError,
    UidValidityError,
)
from mailframe.imap import download as download_module
from mailframe.imap.download import read_parts
from mailframe.saving import Destination
from tests.faults.reading import Clock
from tests.imap.replies import DONE, MIXED_HEADER, PLAIN, fetched, message
from tests.rigs import scripted as rig
from tests.rigs.scripted import ScriptedServer, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mailframe.imap.connection import Connection

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]

RANGE = 10
#: What a range is asked for with: UID, part, offset, length.
ASKED = re.compile(rb"(\d+) \(UID BODY\.PEEK\[([\d.]+)\]<(\d+)\.(\d+)>\)")
NO = b"<tag> NO [SERVERBUG] cannot read that\r\n"
WHOLE = MIXED_HEADER.replace(b"%d", b"9") + (
    b"--b\r\n\r\nHello.\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment\r\n\r\nPDF\r\n--b--\r\n"
)
TEN, TWENTY, MORE = b"0123456789", b"abcdefghijKLMNOPQRST", b"abcdefghijKLMNOPQRSTu"


@pytest.fixture(autouse=True)
def _short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "RANGE", RANGE)


class Range:
    """One range as it was asked for, and what answers it."""

    def __init__(self, args: bytes, content: bytes) -> None:
        match = ASKED.fullmatch(args)
        assert match is not None
        self.uid, self.start, self.count = int(match[1]), int(match[3]), int(match[4])
        self.part = match[2]
        self.content = content
        self.cut = content[self.start : self.start + self.count]

    def data(self, value: bytes | None = None, *, name: bytes | None = None) -> bytes:
        """Return the untagged reply, with the value as on the wire."""
        name = b"BODY[%b]<%d>" % (self.part, self.start) if name is None else name
        value = literal(self.cut) if value is None else value
        return fetched(self.uid, b"UID %d %b %b" % (self.uid, name, value))

    def ok(self, value: bytes | None = None, *, name: bytes | None = None) -> bytes:
        return self.data(value, name=name) + DONE

    @property
    def place(self) -> tuple[int, int]:
        return self.uid, self.start


def described(*sizes: int, encoding: bytes = b"8BIT") -> bytes:
    """Return the items of a message with a text and, from part 2, attachments of these sizes."""
    parts = [
        b'("APPLICATION" "PDF" ("NAME" "a%d.pdf") NIL NIL "%b" %d NIL '
        b'("ATTACHMENT" ("FILENAME" "a%d.pdf")) NIL NIL)' % (number, encoding, size, number)
        for number, size in enumerate(sizes, start=2)
    ]
    structure = b'(%b%b "MIXED" ("BOUNDARY" "b") NIL NIL NIL)' % (PLAIN, b"".join(parts))
    return message(structure=structure, header=MIXED_HEADER)


def doubtful(uid: int) -> bytes:
    """Return a message that is described as a text and has an attachment as part 2."""
    return message(uid, header=MIXED_HEADER, parts={b"": literal(WHOLE)})


def large_and_doubtful(items: bytes) -> bytes:
    """Return a message without From that is too large to be read whole."""
    return items.replace(b"From:", b"Form:").replace(b"SIZE 200", b"SIZE 2000000")


@pytest.fixture
def serving(scripted: Scripted) -> Callable[..., ScriptedServer]:
    """Return a function that serves contents by UID, each as part 2 of its message."""

    def start(
        contents: dict[int, bytes],
        answer: Any = None,
        *,
        sizes: dict[int, int] | None = None,
        encoding: bytes = b"8BIT",
        **options: Any,
    ) -> ScriptedServer:
        sizes = {uid: len(content) for uid, content in contents.items()} | (sizes or {})
        stored = {uid: described(size, encoding=encoding) for uid, size in sizes.items()}

        def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
            if not ASKED.fullmatch(args):
                return rig._fetch(tag, args, connection)
            asked = Range(args, contents[int(args.partition(b" ")[0])])
            reply: rig.Reply = asked.ok() if answer is None else answer(asked, connection)
            return reply

        handlers = {"UID FETCH": fetch} | options.pop("handlers", {})
        return scripted(handlers, messages=stored, **options)

    return start


def collected(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[int, bytes]:
    """Read parts: place -> content of those that came to their end."""
    found: dict[int, bytes] = {}
    ended = set()
    for piece in read_parts(connection, list(wanted)):
        assert piece.place not in ended
        found[piece.place] = found.get(piece.place, b"") + piece.content
        if piece.last:
            ended.add(piece.place)
    return {place: found[place] for place in found if place in ended}


def ranges(server: ScriptedServer) -> list[tuple[int, int]]:
    """Return UID and offset of every range that was asked for."""
    found = map(ASKED.fullmatch, server.commands("UID FETCH"))
    return [(int(match[1]), int(match[3])) for match in found if match is not None]


def once(reply: bytes, place: tuple[int, int] = (1, 0)) -> Any:
    """Answer one range with this the first time, and everything else as it should be."""
    left = [reply]

    def answer(asked: Range, _: rig.Connection) -> bytes:
        return left.pop() if left and asked.place == place else asked.ok()

    return answer


def instead(reply: bytes, *places: tuple[int, int]) -> Any:
    """Answer these ranges with this, and everything else as it should be."""
    return lambda asked, _: reply if asked.place in places else asked.ok()


# -- a good server


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 30, 35])
def test_a_part_of_any_size_is_read_to_its_end(
    serving: Scripted, opened: Opened, size: int
) -> None:
    content = (TEN * 4)[:size]
    # An empty part makes a structure suspicious: it is announced as one byte.
    server = serving({1: content}, sizes={1: max(size, 1)})
    assert collected(opened(server), [(1, "2")]) == {0: content}
    assert ranges(server) == [(1, start) for start in range(0, size + 1, RANGE)]


def test_nothing_wanted_asks_nothing(serving: Scripted, opened: Opened) -> None:
    server = serving({1: TEN})
    assert collected(opened(server), []) == {}
    assert server.commands("UID FETCH") == []


def test_pieces_of_one_part_come_in_order_and_only_the_last_is_the_last(
    serving: Scripted, opened: Opened
) -> None:
    pieces = list(read_parts(opened(serving({1: MORE})), [(1, "2")]))
    assert [(piece.content, piece.last) for piece in pieces] == [
        (b"abcdefghij", False),
        (b"KLMNOPQRST", False),
        (b"u", True),
    ]


def test_encoded_content_is_decoded_across_ranges(serving: Scripted, opened: Opened) -> None:
    content = bytes(range(256))
    server = serving({1: base64.encodebytes(content)}, encoding=b"BASE64")
    assert collected(opened(server), [(1, "2")]) == {0: content}


def test_several_parts_of_several_messages_are_read_in_one_go(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: TEN, 2: MORE, 7: b"short"})
    wanted = [(7, "2"), (2, "2"), (1, "2")]
    assert collected(opened(server), wanted) == {0: b"short", 1: MORE, 2: TEN}
    assert len(server.commands("UID FETCH")) == 1 + len(ranges(server))


@pytest.mark.parametrize("part", ["3", "2.1", "", "1.1", "2 2", "2]\r\nX LOGOUT"])
def test_a_part_that_is_not_there_is_not_asked_for(
    serving: Scripted, opened: Opened, part: str
) -> None:
    server = serving({1: TEN})
    assert collected(opened(server), [(1, part), (1, "2"), (9, "2")]) == {1: TEN}
    assert server.commands("LOGOUT") == []


def test_between_batches_the_connection_is_free_and_its_folder_found_again(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "BATCH", 1)
    server = serving({1: TEN, 2: TWENTY})
    connection = opened(server, "Archive")
    found: dict[int, bytes] = {}
    for piece in read_parts(connection, [(2, "2"), (1, "2")]):
        found[piece.place] = found.get(piece.place, b"") + piece.content
        if piece.last and piece.place == 0:
            connection.select("INBOX")
    assert found == {0: TWENTY, 1: TEN}
    assert server.commands("EXAMINE") == [b'"Archive"', b'"INBOX"', b'"Archive"']


def test_a_folder_renumbered_between_batches_ends_it(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "BATCH", 1)
    server = serving({1: TEN, 2: TWENTY})
    connection = opened(server)
    reading = read_parts(connection, [(2, "2"), (1, "2")])
    next(reading)
    server.uidvalidity = 2
    with pytest.raises(UidValidityError):  # noqa: PT012
        for piece in reading:
            if piece.last:
                connection.select("INBOX")


def test_without_a_folder_it_says_so(serving: Scripted, connected: Opened) -> None:
    with pytest.raises(FolderError, match="No folder is open"):
        collected(connected(serving({1: TEN})), [(1, "2")])


# -- replies in odd forms and orders


def test_replies_of_two_parts_in_flight_may_come_in_any_order(
    serving: Scripted, opened: Opened
) -> None:
    contents = {1: b"one and a half.", 2: TWENTY[:19]}

    def answer(asked: Range, connection: rig.Connection) -> list[bytes]:
        tags, flying = [b"<tag>"], [asked]
        while len(flying) < 4 and not asked.start:
            tag, _, args = rig.parse_command(connection.read_command())
            tags.append(tag)
            flying.append(Range(args, contents[int(args.partition(b" ")[0])]))
        data = [one.data() for one in flying]
        done = [tag + b" OK done\r\n" for tag in tags]
        if len(flying) == 1:
            return [*data, *done]
        # Data backwards, of other commands behind a completion, and completions out of order.
        return [data[3], data[1], done[3], data[2], done[1], done[2], data[0], done[0]]

    server = serving(contents, answer)
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {0: contents[1], 1: contents[2]}


@pytest.mark.parametrize("content", [TWENTY, MORE, TEN * 5])
def test_completions_may_be_held_back_behind_all_the_data(
    serving: Scripted, opened: Opened, content: bytes
) -> None:
    # Dovecot does so for commands that it finds waiting.
    def answer(asked: Range, connection: rig.Connection) -> bytes:
        data, done = asked.data(), DONE
        while not asked.start and done.count(b"OK") < -(-len(content) // RANGE):
            tag, _, args = rig.parse_command(connection.read_command())
            data += Range(args, content).data()
            done += tag + b" OK done\r\n"
        return data + done

    server = serving({1: content}, answer)
    assert collected(opened(server), [(1, "2")]) == {0: content}
    assert len(ranges(server)) == len(set(ranges(server)))


def test_data_may_come_behind_its_completion(serving: Scripted, opened: Opened) -> None:
    late: list[bytes] = []

    def answer(asked: Range, _: rig.Connection) -> list[bytes]:
        if asked.place == (1, 0) and not late:
            late.append(asked.data())
            return [DONE]
        return [*late, asked.ok()]

    server = serving({1: TWENTY, 2: TEN}, answer)
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {0: TWENTY, 1: TEN}


def test_the_offset_may_be_left_out_of_the_name(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE}, lambda asked, _: asked.ok(name=b"BODY[2]"))
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


def test_without_offsets_a_range_that_comes_early_is_not_taken_for_another(
    serving: Scripted, opened: Opened
) -> None:
    content = MORE[:15]

    def answer(asked: Range, connection: rig.Connection) -> bytes:
        data, done = asked.data(name=b"BODY[2]"), DONE
        if not asked.start:
            tag, _, args = rig.parse_command(connection.read_command())
            data += Range(args, content).data(name=b"BODY[2]")
            done += tag + b" OK done\r\n"
        return data + done

    assert collected(opened(serving({1: content}, answer)), [(1, "2")]) == {0: content}


@pytest.mark.parametrize("value", [b'"0123456789"', b"{10}\r\n0123456789", b"0123456789"])
def test_a_range_may_be_any_kind_of_string(serving: Scripted, opened: Opened, value: bytes) -> None:
    server = serving({1: TEN}, once(fetched(1, b"UID 1 BODY[2]<0> " + value) + DONE))
    assert collected(opened(server), [(1, "2")]) == {0: TEN}


def test_names_in_small_letters_are_the_same_names(serving: Scripted, opened: Opened) -> None:
    server = serving({1: TEN}, lambda asked, _: asked.ok(name=b"body[2]<%d>" % asked.start))
    assert collected(opened(server), [(1, "2")]) == {0: TEN}


def test_data_that_nobody_asked_for_is_ignored(serving: Scripted, opened: Opened) -> None:
    noise = (
        b"* 3 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"
        + fetched(1, b"UID 1 BODY[3]<0> " + literal(b"of another part"))
        + fetched(5, b"UID 5 BODY[2]<0> " + literal(b"of another message"))
        + fetched(1, b"BODY[2]<0> " + literal(b"without UID"))
        + fetched(1, b"UID 1 BODY[2.MIME] " + literal(b"Content-Type: a/b"))
        + fetched(1, b"UID 1 BODY[HEADER] " + literal(b"From: a@b.c"))
    )
    server = serving({1: TWENTY}, lambda asked, _: noise + asked.ok() + noise)
    assert collected(opened(server), [(1, "2")]) == {0: TWENTY}


def test_a_range_sent_twice_counts_once(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE}, lambda asked, _: asked.data() + asked.ok())
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


@pytest.mark.parametrize("split", [1, 7])
def test_replies_may_arrive_in_crumbs(serving: Scripted, opened: Opened, split: int) -> None:
    assert collected(opened(serving({1: MORE}, split=split)), [(1, "2")]) == {0: MORE}


# -- the end of a part


@pytest.mark.parametrize("nothing", [b"{0}\r\n", b'""', b"NIL"])
def test_a_range_past_the_end_may_be_empty(
    serving: Scripted, opened: Opened, nothing: bytes
) -> None:
    def answer(asked: Range, _: rig.Connection) -> bytes:
        return asked.ok() if asked.cut else asked.ok(nothing)

    assert collected(opened(serving({1: TWENTY}, answer)), [(1, "2")]) == {0: TWENTY}


def test_a_range_past_the_end_may_be_refused(
    serving: Scripted, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        server = serving({1: TWENTY, 2: TEN}, instead(NO, (1, 20), (2, 10)))
        assert collected(opened(server), [(1, "2"), (2, "2")]) == {0: TWENTY, 1: TEN}
    assert caplog.records == []


def test_nil_for_a_part_leaves_it_out(serving: Scripted, opened: Opened) -> None:
    def answer(asked: Range, _: rig.Connection) -> bytes:
        return asked.ok(b"NIL") if asked.uid == 1 else asked.ok()

    server = serving({1: MORE, 2: TEN}, answer)
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: TEN}


def test_an_empty_part_is_an_empty_file(serving: Scripted, opened: Opened) -> None:
    server = serving({1: b""}, sizes={1: 5})
    assert collected(opened(server), [(1, "2")]) == {0: b""}


@pytest.mark.parametrize("announced", [1, 5, 10, 15, 20, 40, 75])
def test_an_announced_size_may_be_wrong(serving: Scripted, opened: Opened, announced: int) -> None:
    server = serving({1: MORE}, sizes={1: announced})
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


@pytest.mark.parametrize("announced", [25, 40, 75])
def test_past_an_end_that_comes_early_a_server_may_refuse(
    serving: Scripted, opened: Opened, announced: int
) -> None:
    def answer(asked: Range, _: rig.Connection) -> bytes:
        return asked.ok() if asked.cut else NO

    server = serving({1: MORE}, answer, sizes={1: announced})
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


def test_an_absurdly_announced_size_asks_for_no_more_than_is_in_flight(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: MORE}, sizes={1: 5000})
    assert collected(opened(server), [(1, "2")]) == {0: MORE}
    assert len(ranges(server)) < 50


def test_a_server_without_ranges_may_send_the_whole(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE}, lambda asked, _: asked.ok(literal(asked.content), name=b"BODY[2]"))
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


@pytest.mark.parametrize("content", [TEN, TWENTY])
def test_a_whole_of_some_ranges_from_a_server_without_ranges_is_not_doubled(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(download_module, "MAX_LITERAL", 100)
    server = serving(
        {1: content}, lambda asked, _: asked.ok(literal(asked.content), name=b"BODY[2]")
    )
    assert collected(opened(server), [(1, "2")]) == {0: content}


@pytest.mark.parametrize("name", [b"BODY[2]<0>", b"BODY[2]<10>", b"BODY[2]<20>"])
def test_more_than_was_asked_for_is_an_error(
    serving: Scripted, opened: Opened, name: bytes
) -> None:
    server = serving({1: MORE}, lambda asked, _: asked.ok(literal(MORE), name=name))
    connection = opened(server)
    with pytest.raises(ProtocolError, match="more of part 2 than was asked for"):
        collected(connection, [(1, "2")])


def test_one_byte_more_than_was_asked_for_is_an_error(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE}, lambda asked, _: asked.ok(literal(asked.cut + b"!")))
    with pytest.raises(ProtocolError, match="more of part 2 than was asked for"):
        collected(opened(server), [(1, "2")])


def test_more_than_was_asked_for_of_a_later_range_without_offset_is_an_error(
    serving: Scripted, opened: Opened
) -> None:
    def answer(asked: Range, _: rig.Connection) -> bytes:
        return asked.ok(literal(MORE) if asked.start else None, name=b"BODY[2]")

    with pytest.raises(ProtocolError, match="more of part 2 than was asked for"):
        collected(opened(serving({1: TWENTY}, answer)), [(1, "2")])


def test_a_part_that_never_ends_is_given_up(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "MAX_LITERAL", 100)
    server = serving({1: TEN}, lambda asked, _: asked.ok(literal(TEN)))
    with pytest.raises(ProtocolError, match="Part 2 of message 1 does not end"):
        collected(opened(server), [(1, "2")])
    assert len(ranges(server)) < 20


def test_a_part_of_exactly_the_most_that_is_read_is_whole(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "MAX_LITERAL", 30)
    assert collected(opened(serving({1: MORE})), [(1, "2")]) == {0: MORE}


# -- ranges that do not come


def test_a_first_range_that_is_refused_leaves_its_part_out(
    serving: Scripted, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    server = serving({1: MORE, 2: TEN}, instead(NO, (1, 0)))
    with caplog.at_level(logging.WARNING):
        assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: TEN}
    assert "cannot read that" in caplog.text
    assert "part 2 of message 1" in caplog.text


@pytest.mark.parametrize("start", [0, 10, 20])
def test_a_part_is_never_handed_out_with_a_hole(
    serving: Scripted, opened: Opened, start: int
) -> None:
    server = serving({1: MORE, 2: TEN}, instead(NO, (1, start)))
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: TEN}


def test_when_every_part_is_refused_the_servers_words_are_the_error(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: MORE, 2: TEN}, lambda *_: NO)
    with pytest.raises(CommandError, match="cannot read that") as refused:
        collected(opened(server), [(1, "2"), (2, "2")])
    assert not isinstance(refused.value, ThrottledError)


def test_a_part_announced_as_empty_that_is_refused_is_no_empty_file(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: TEN}, lambda *_: NO, sizes={1: 0})
    server.messages[1] = large_and_doubtful(server.messages[1])
    with pytest.raises(CommandError, match="cannot read that"):
        collected(opened(server), [(1, "2")])


def test_a_batch_refused_behind_one_that_came_is_left_out(
    serving: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "BATCH", 1)
    server = serving({1: MORE, 2: TEN}, lambda asked, _: NO if asked.uid == 1 else asked.ok())
    assert collected(opened(server), [(2, "2"), (1, "2")]) == {0: TEN}


def test_one_that_is_refused_and_one_that_is_read_whole_is_one_that_is_read(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: TEN, 2: TEN}, instead(NO, (1, 0)))
    server.messages[2] = doubtful(2)
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: b"PDF"}


def test_a_large_doubtful_message_that_is_refused_does_not_end_the_others(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: TEN, 2: TEN, 3: TEN}, instead(NO, (2, 0)))
    for uid in (2, 3):
        server.messages[uid] = large_and_doubtful(server.messages[uid])
    assert collected(opened(server), [(1, "2"), (2, "2"), (3, "2")]) == {0: TEN, 2: TEN}


def test_ok_without_data_twice_leaves_the_part_out(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE, 2: TEN}, instead(DONE, (1, 0)))
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: TEN}
    assert ranges(server).count((1, 0)) == 2


def test_when_no_part_has_data_all_are_left_out(serving: Scripted, opened: Opened) -> None:
    server = serving({1: MORE, 2: TEN}, lambda *_: DONE)
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {}


@pytest.mark.parametrize("start", [0, 10, 20])
def test_ok_without_data_once_is_asked_again(serving: Scripted, opened: Opened, start: int) -> None:
    server = serving({1: MORE}, once(DONE, (1, start)))
    assert collected(opened(server), [(1, "2")]) == {0: MORE}


def test_each_range_may_come_without_data_once(serving: Scripted, opened: Opened) -> None:
    seen: set[tuple[int, int]] = set()

    def answer(asked: Range, _: rig.Connection) -> bytes:
        if asked.place in seen:
            return asked.ok()
        seen.add(asked.place)
        return DONE

    assert collected(opened(serving({1: MORE}, answer)), [(1, "2")]) == {0: MORE}


@pytest.mark.parametrize(
    "words",
    [
        b"NO [THROTTLED] slow down",
        b"NO [OVERQUOTA] bandwidth",
        b"NO [LIMIT] enough",
        b"NO [UNAVAILABLE] later",
        b"NO [INUSE] busy",
        b"BAD Rate limit hit",
        b"NO Please try again later",
        b"NO Too many simultaneous connections",
    ],
)
@pytest.mark.parametrize("start", [0, 10, 20])
def test_throttling_ends_it_whatever_has_come(
    serving: Scripted, opened: Opened, words: bytes, start: int
) -> None:
    server = serving({2: TEN, 1: TWENTY}, instead(b"<tag> %b\r\n" % words, (1, start)))
    with pytest.raises(ThrottledError, match=words[-5:].decode()):
        collected(opened(server), [(2, "2"), (1, "2")])


# -- structures not to be trusted


def test_a_doubtful_message_is_read_whole_and_gives_its_own_bytes(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: TEN})
    server.messages[2] = doubtful(2)
    assert collected(opened(server), [(2, "2"), (2, "3"), (1, "2")]) == {0: b"PDF", 2: TEN}
    assert server.commands("UID FETCH").count(b"2 (UID BODY.PEEK[])") == 1


def test_a_doubtful_message_too_large_for_that_is_read_as_described(
    serving: Scripted, opened: Opened
) -> None:
    server = serving({1: MORE})
    server.messages[1] = large_and_doubtful(server.messages[1])
    assert collected(opened(server), [(1, "2")]) == {0: MORE}
    assert not [args for args in server.commands("UID FETCH") if b"BODY.PEEK[]" in args]


# -- connections that break, and what is left in the folder


@pytest.fixture
def session(serving: Scripted) -> Iterable[Callable[..., tuple[mf.Session, ScriptedServer]]]:
    """Return a function that serves contents and logs in as a session."""
    sessions = []

    def start(*args: Any, **options: Any) -> tuple[mf.Session, ScriptedServer]:
        server = serving(*args, **options)
        sessions.append(
            mf.connect(
                server.host,
                "me@example.com",
                password="secret",
                port=server.port,
                security="none",
                timeout=5,
            )
        )
        return sessions[-1], server

    yield start
    for one in sessions:
        one.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder, temporary files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cut_off(place: tuple[int, int], sent: bytes) -> Any:
    """Send this for one range, and hang up."""

    def answer(asked: Range, connection: rig.Connection) -> bytes | None:
        if asked.place != place:
            return asked.ok()
        connection.send(sent)
        connection.close()
        return None

    return answer


@pytest.mark.parametrize("start", [0, 10, 20])
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"* 1 FETCH (UID 1 BODY[2]<0> {10}\r\n",
        b"* 1 FETCH (UID 1 BODY[2]<0> {10}\r\n012",
        b"* 1 FETCH (UID 1 BODY[2]<0> {10}\r\n0123456789",
        b"* 1 FETCH (UID 1 BODY[2]<0> {10}\r\n0123456789)\r\n",
        b"* BYE shutting down\r\n",
    ],
)
def test_a_connection_cut_at_any_byte_leaves_no_half_file(
    session: Callable[..., tuple[mf.Session, ScriptedServer]],
    tmp_path: Path,
    sent: bytes,
    start: int,
) -> None:
    mail, _ = session({1: MORE, 2: TEN}, cut_off((1, start), sent.replace(b"<0>", b"<%d>" % start)))
    rows = mail.attachments()
    with pytest.raises(ConnectionFailedError):
        mail.download(rows, tmp_path, progress=False)
    assert set(contents(tmp_path).values()) <= {TEN}
    assert not [name for name in contents(tmp_path) if name.startswith(".")]


def test_what_was_whole_before_the_connection_broke_stays(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, _ = session({1: MORE, 2: b"short"}, cut_off((1, 20), b"* 1 FETCH (UID 1 BODY[2]"))
    with pytest.raises(ConnectionFailedError):
        mail.download(mail.attachments(), tmp_path, progress=False)
    assert contents(tmp_path) == {"a2.pdf": b"short"}


def test_a_broken_download_does_not_touch_the_file_it_was_to_replace(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    (tmp_path / "a2.pdf").write_bytes(b"before")
    mail, _ = session({1: MORE}, cut_off((1, 20), b""))
    with pytest.raises(ConnectionFailedError):
        mail.download(mail.attachments(), tmp_path, overwrite=True, progress=False)
    assert contents(tmp_path) == {"a2.pdf": b"before"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            lambda asked, _: asked.ok() if not asked.start else asked.ok(literal(MORE)),
            ProtocolError,
        ),
        (instead(b"<tag> NO [LIMIT] enough\r\n", (1, 10)), ThrottledError),
        (instead(b"* 1 FETCH (UID 1 BODY[2]<10> {9999999999}\r\n", (1, 10)), ProtocolError),
    ],
    ids=["too much", "throttled", "absurd"],
)
def test_an_error_in_the_middle_leaves_no_half_file(
    session: Callable[..., tuple[mf.Session, ScriptedServer]],
    tmp_path: Path,
    answer: Any,
    error: type[Exception],
) -> None:
    mail, _ = session({1: MORE}, answer)
    with pytest.raises(error):
        mail.download(mail.attachments(), tmp_path, progress=False)
    assert contents(tmp_path) == {}


def test_a_part_with_a_hole_is_no_file_and_has_no_path(
    session: Callable[..., tuple[mf.Session, ScriptedServer]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mail, _ = session({1: MORE, 2: TEN}, instead(NO, (1, 10)))
    with caplog.at_level(logging.WARNING):
        saved = mail.download(mail.attachments(), tmp_path, progress=False)
    assert saved["uid"].tolist() == [2, 1]
    assert saved["path"].isna().tolist() == [False, True]
    assert contents(tmp_path) == {"a2.pdf": TEN}
    assert "1 of 2 attachments have gone" in caplog.text


def test_folders_with_one_uidvalidity_are_kept_apart(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, _ = session({1: MORE, 2: TEN}, folders=[b"INBOX", b"Archive"])
    rows = mail.attachments(folder=["INBOX", "Archive"])
    saved = mail.download(rows, tmp_path, progress=False)
    assert saved["path"].nunique() == len(contents(tmp_path)) == 4


def test_after_a_download_the_session_goes_on(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, server = session({1: MORE, 2: TEN}, instead(NO, (1, 10)))
    rows = mail.attachments()
    mail.download(rows, tmp_path, progress=False)
    assert len(mail.attachments()) == 2
    assert len(server.connections) == 1


def test_a_download_that_fails_on_disk_leaves_the_session_in_step(
    session: Callable[..., tuple[mf.Session, ScriptedServer]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mail, server = session({1: MORE, 2: TEN})
    rows = mail.attachments()

    def refuse(*_: object) -> None:
        raise SaveError("Could not save.")

    with monkeypatch.context() as patch:
        patch.setattr(Destination, "begin", refuse)
        with pytest.raises(SaveError):
            mail.download(rows, tmp_path, progress=False)
    saved = mail.download(rows, tmp_path, progress=False)
    assert saved["path"].notna().all()
    assert set(contents(tmp_path).values()) == {MORE, TEN}
    assert len(server.connections) == 1


def test_only_commands_that_read_are_sent(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, server = session({1: MORE})
    mail.download(mail.attachments(), tmp_path, progress=False)
    assert server.commands("SELECT") == server.commands("UID STORE") == []
    assert not [args for args in server.commands("UID FETCH") if b"BODY[" in args]


def test_rows_of_an_older_uidvalidity_are_refused_before_any_fetch(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, server = session({1: MORE})
    rows = mail.attachments()
    server.uidvalidity = 2
    before = len(server.commands("UID FETCH"))
    with pytest.raises(UidValidityError):
        mail.download(rows, tmp_path / "new", progress=False)
    assert len(server.commands("UID FETCH")) == before
    assert not (tmp_path / "new").exists()


# -- a server that wants fewer requests, and replies that cannot be read


def at_first(count: int, reply: bytes) -> Any:
    """Answer so many ranges with this, and everything else as it should be."""
    left = [reply] * count
    return lambda asked, _: left.pop() if left else asked.ok()


@pytest.mark.parametrize(("pleas", "pauses"), [(1, [5]), (2, [5]), (3, [5, 10])])
@pytest.mark.parametrize("said", [b"NO [THROTTLED] slowly", b"NO [OVERQUOTA] bandwidth"])
def test_a_range_that_is_refused_for_now_is_asked_for_after_a_pause(
    serving: Scripted, opened: Opened, said: bytes, pleas: int, pauses: list[float]
) -> None:
    clock = Clock()
    server = serving({1: TEN[:9], 2: TEN[:8]}, at_first(pleas, b"<tag> " + said + b"\r\n"))
    connection = opened(server, retry=clock.retry())
    assert collected(connection, [(1, "2"), (2, "2")]) == {0: TEN[:9], 1: TEN[:8]}
    # Those that were in flight together were refused in one breath.
    assert clock.slept == pauses
    assert len(ranges(server)) == 2 + pleas


def test_a_range_that_is_refused_for_good_is_an_error_in_the_servers_words(
    serving: Scripted, opened: Opened
) -> None:
    clock = Clock()
    server = serving({1: MORE, 2: TEN}, lambda *_: b"<tag> NO [THROTTLED] slowly\r\n")
    with pytest.raises(ThrottledError, match="slowly"):
        collected(opened(server, retry=clock.retry(throttled=300)), [(1, "2"), (2, "2")])
    assert clock.slept == [5, 10, 20, 40, 80]


def test_a_throttled_download_is_whole(
    session: Callable[..., tuple[mf.Session, ScriptedServer]], tmp_path: Path
) -> None:
    mail, server = session({1: MORE, 2: TEN}, at_first(2, b"<tag> NO [THROTTLED] slowly\r\n"))
    saved = mail.download(mail.attachments(), tmp_path, progress=False)
    assert set(contents(tmp_path).values()) == {MORE, TEN}
    assert saved["path"].notna().all()
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    "garbled",
    [
        b'* 1 FETCH (UID 1 BODY[2]<0> "012\r\n',
        b'* 1 FETCH (UID 1 BODY[2<0> "0123456789")\r\n',
        b"* 1 FETCH (UID 1 BODY[2]<0> (\r\n",
        b"* 1 FETCH UID 1\r\n",
    ],
)
def test_a_reply_that_cannot_be_read_is_asked_for_again(
    serving: Scripted, opened: Opened, garbled: bytes
) -> None:
    server = serving({1: MORE}, once(garbled + DONE))
    assert collected(opened(server), [(1, "2")]) == {0: MORE}
    assert ranges(server).count((1, 0)) == 2
    assert len(server.connections) == 1


def test_a_reply_that_can_never_be_read_is_no_part(serving: Scripted, opened: Opened) -> None:
    garbled = b'* 1 FETCH (UID 1 BODY[2]<0> "012\r\n' + DONE
    server = serving({1: MORE, 2: TEN}, instead(garbled, (1, 0)))
    assert collected(opened(server), [(1, "2"), (2, "2")]) == {1: TEN}
    assert ranges(server).count((1, 0)) == download_module.TRIES
