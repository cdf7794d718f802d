"""Folders: LIST and STATUS, however a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import CommandError, FolderError, ThrottledError
from mailframe.imap.folder import folder_status, list_folders
from mailframe.records import Folder
from tests.faults.reading import Clock
from tests.imap.replies import DONE, message
from tests.rigs import messages
from tests.rigs import scripted as rig

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]


def listed(scripted: Scripted, opened: Opened, said: bytes) -> list[Folder]:
    return list_folders(opened(scripted({"LIST": said + DONE})), status=False)


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        (b'() "/" INBOX', Folder("INBOX", "/", None, ())),
        (b'() "/" inbox', Folder("INBOX", "/", None, ())),
        (b'(\\Noselect) "/" foo', Folder("foo", "/", None, ("\\Noselect",))),
        (b'(\\HasNoChildren \\Sent) "." "Sent Mail"',
         Folder("Sent Mail", ".", "\\Sent", ("\\HasNoChildren",))),
        (b'(\\sent) "/" S', Folder("S", "/", "\\Sent", ())),
        (b"() NIL x", Folder("x", None, None, ())),
        (b'() "\\\\" x', Folder("x", "\\", None, ())),
        (b'() "/" "B&APw-ro/&ZeVnLA-"', Folder("Büro/日本", "/", None, ())),
        ('() "/" "Büro"'.encode(), Folder("Büro", "/", None, ())),
        (b'() "/" {5}\r\na"(b)', Folder('a"(b)', "/", None, ())),
        (b'() "/" NIL', Folder("NIL", "/", None, ())),
        (b'() "/" "say \\"hi\\""', Folder('say "hi"', "/", None, ())),
        (b'() "/" x ("CHILDINFO" ("SUBSCRIBED"))', Folder("x", "/", None, ())),
    ],
    ids=str,
)  # fmt: skip
def test_a_line_of_list_is_a_folder(
    scripted: Scripted, opened: Opened, line: bytes, folder: Folder
) -> None:
    assert listed(scripted, opened, b"* LIST " + line + b"\r\n") == [folder]


def test_inbox_comes_first_and_the_rest_as_the_server_has_it(
    scripted: Scripted, opened: Opened
) -> None:
    said = b"".join(b'* LIST () "/" %b\r\n' % name for name in (b"b", b"a", b"Inbox", b"b"))
    assert [f.name for f in listed(scripted, opened, said)] == ["INBOX", "b", "a"]


def test_other_replies_in_between_are_no_folders(scripted: Scripted, opened: Opened) -> None:
    said = b'* 3 EXISTS\r\n* LSUB () "/" x\r\n* LIST odd\r\n* LIST () "/" y\r\n* OK [ALERT] z\r\n'
    assert [f.name for f in listed(scripted, opened, said)] == ["y"]


def test_each_folder_is_counted_where_the_server_counts_one_at_a_time(
    scripted: Scripted, opened: Opened
) -> None:
    def status(_tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        name = args.partition(b" (")[0]
        return b"* STATUS %b (MESSAGES 3 UNSEEN 1 UIDNEXT 9 UIDVALIDITY 7)\r\n" % name + DONE

    server = scripted({"STATUS": status}, folders=[b"INBOX", b'"B&APw-ro"'])
    folders = list_folders(opened(server))
    assert [(f.name, f.messages, f.unseen, f.uidnext, f.uidvalidity, f.size) for f in folders] == [
        ("INBOX", 3, 1, 9, 7, None),
        ("Büro", 3, 1, 9, 7, None),
    ]
    assert server.commands("STATUS") == [
        b'"INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
        b'"B&APw-ro" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
    ]


def test_a_folder_that_cannot_be_counted_is_listed_all_the_same(
    scripted: Scripted, opened: Opened
) -> None:
    def status(_tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        if args.startswith(b'"shared"'):
            return b"<tag> NO [NOPERM] not yours\r\n"
        return b"* STATUS INBOX (MESSAGES 3)\r\n" + DONE

    server = scripted({"STATUS": status}, folders=[b"INBOX", b"shared"])
    assert [(f.name, f.messages) for f in list_folders(opened(server))] == [
        ("INBOX", 3),
        ("shared", None),
    ]


def test_what_cannot_be_selected_is_not_counted(scripted: Scripted, opened: Opened) -> None:
    said = b'* LIST (\\Noselect) "/" a\r\n* LIST (\\NonExistent) "/" b\r\n'
    server = scripted({"LIST": said + DONE})
    assert [f.selectable for f in list_folders(opened(server))] == [False, False]
    assert server.commands("STATUS") == []


def test_names_and_counts_come_in_one_command_where_it_is_offered(
    scripted: Scripted, opened: Opened
) -> None:
    said = (
        b"* STATUS A (MESSAGES 3 SIZE 1000)\r\n"  # the counts may come before the name
        b'* LIST (\\Archive) "/" A\r\n'
        b'* LIST () "/" B\r\n'
        b"* STATUS B (MESSAGES x UNSEEN 5 odd)\r\n* STATUS C (MESSAGES 1)\r\n* STATUS D 1\r\n"
    )
    offered = "IMAP4rev1 LIST-STATUS LIST-EXTENDED SPECIAL-USE STATUS=SIZE"
    server = scripted({"LIST": said + DONE}, capabilities=offered)
    folders = list_folders(opened(server))
    assert [(f.name, f.special_use, f.messages, f.unseen, f.size) for f in folders] == [
        ("A", "\\Archive", 3, None, 1000),
        ("B", None, None, 5, None),
    ]
    assert server.commands("LIST") == [
        b'"" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY SIZE))'
    ]


def test_a_refused_list_is_an_error(scripted: Scripted, opened: Opened) -> None:
    with pytest.raises(CommandError, match="Could not list the folders"):
        list_folders(opened(scripted({"LIST": b"<tag> NO not now\r\n"})))


def test_a_status_of_a_missing_folder_is_an_error(scripted: Scripted, opened: Opened) -> None:
    server = scripted({"STATUS": b"<tag> NO [NONEXISTENT] no such folder\r\n"})
    with pytest.raises(FolderError, match="no such folder"):
        folder_status(opened(server), "Nowhere")


def test_dovecots_folders_have_names_roles_and_counts(
    dovecot: Dovecot, user: str, opened: Opened
) -> None:
    dovecot.deliver(user, [(messages.plain(1), ["\\Seen"], None), messages.plain(2)])
    dovecot.deliver(user, [messages.plain(3)], "Büro & Ablage/日本")
    folders = {folder.name: folder for folder in list_folders(opened(dovecot, user=user))}
    assert next(iter(folders)) == "INBOX"
    assert (folders["INBOX"].messages, folders["INBOX"].unseen) == (2, 1)
    assert folders["INBOX"].size == len(messages.plain(1)) + len(messages.plain(2))
    assert folders["Büro & Ablage/日本"].messages == 1
    assert folders["Sent"].special_use == "\\Sent"
    assert not folders["Büro & Ablage"].selectable


def test_dovecot_counts_a_folder_without_opening_it(
    dovecot: Dovecot, user: str, opened: Opened
) -> None:
    dovecot.deliver(user, [messages.plain(1)], "Büro")
    connection = opened(dovecot, user=user)
    status = folder_status(connection, "Büro")
    assert (status.name, status.messages, status.unseen, status.uidnext) == ("Büro", 1, 1, 2)
    assert connection.the_selected().folder == "INBOX"
    with pytest.raises(FolderError, match="Nowhere"):
        folder_status(connection, "Nowhere")


# -- a server that wants fewer requests, and folders that go


def counted(args: bytes) -> bytes:
    return b"* STATUS %b (MESSAGES 3 UIDVALIDITY 7)\r\n" % args.partition(b" (")[0] + DONE


@pytest.mark.parametrize(("pleas", "pauses"), [(1, [5]), (3, [5]), (4, [5, 10])])
@pytest.mark.parametrize("said", [b"NO [THROTTLED] slow", b"NO [UNAVAILABLE] try again later"])
def test_a_folder_that_is_not_counted_at_once_is_counted_after_a_pause(
    scripted: Scripted, opened: Opened, said: bytes, pleas: int, pauses: list[float]
) -> None:
    left = [b"<tag> " + said + b"\r\n"] * pleas

    def status(_tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        return left.pop() if left else counted(args)

    clock = Clock()
    server = scripted({"STATUS": status}, folders=[b"INBOX", b"A", b"B"])
    folders = list_folders(opened(server, retry=clock.retry()))
    assert [(f.name, f.messages) for f in folders] == [("INBOX", 3), ("A", 3), ("B", 3)]
    # Those that were in flight together were refused in one breath.
    assert clock.slept == pauses
    assert len(server.commands("STATUS")) == pleas + 3


def test_a_server_that_never_counts_is_not_asked_for_ever(
    scripted: Scripted, opened: Opened
) -> None:
    clock = Clock()
    reply = b"<tag> NO [THROTTLED] slow\r\n"
    server = scripted(
        {"STATUS": rig.in_turn(*[reply] * 50, b"<tag> NO\r\n")}, folders=[b"INBOX", b"A", b"B"]
    )
    connection = opened(server, retry=clock.retry(throttled=300))
    with pytest.raises(ThrottledError, match="slow"):
        list_folders(connection)
    assert clock.slept == [5, 10, 20, 40, 80]
    assert len(server.commands("STATUS")) == 3 + 5


@pytest.mark.parametrize("fate", ["gone", "renumbered"])
def test_folders_are_listed_after_the_open_one_has_gone(
    scripted: Scripted, opened: Opened, fate: str
) -> None:
    def examine(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        if fate == "gone" and connection.number > 1 and b"Old" in args:
            return b"<tag> NO [NONEXISTENT] no such folder\r\n"
        return rig._examine(tag, args, connection)

    def status(_tag: bytes, args: bytes, _connection: rig.Connection) -> bytes:
        return counted(args)

    handlers = {"EXAMINE": examine, "STATUS": status}
    server = scripted(handlers, folders=[b"INBOX"], messages={1: message()})
    connection = opened(server, "Old", retry=Clock().retry())
    server.connections[0].close()
    server.uidvalidity = 1 if fate == "gone" else 2
    for _ in range(2):
        assert [(f.name, f.messages) for f in list_folders(connection)] == [("INBOX", 3)]
        assert folder_status(connection, "INBOX").messages == 3
    assert len(server.connections) == 2
    assert connection.select("INBOX").exists == 1


def test_what_is_about_the_open_folder_still_says_that_it_has_gone(
    scripted: Scripted, opened: Opened
) -> None:
    server = scripted(messages={1: message()})
    connection = opened(server, "Old", retry=Clock().retry())
    server.handlers["EXAMINE"] = b"<tag> NO [NONEXISTENT] no such folder\r\n"
    server.connections[0].close()
    with pytest.raises(FolderError, match="no such folder"):
        connection.command(b"UID SEARCH ALL", tried="Could not search.")
    assert connection.selected is None
    assert [f.name for f in list_folders(connection, status=False)] == ["INBOX"]
    assert len(server.connections) == 2
