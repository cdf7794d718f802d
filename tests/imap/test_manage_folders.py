"""Folders are made, renamed and deleted as asked, and by nobody who only reads."""

from __future__ import annotations

import imaplib
import re
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import FolderError, ReadOnlyError
from mailframe.imap import IMAPClient
from tests.imap.replies import DONE
from tests.rigs import messages
from tests.rigs.dovecot import modified_utf7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Signed = Callable[..., IMAPClient]
    Shown = Callable[[], tuple[set[str], set[str]]]
    Act = Callable[[IMAPClient], None]

NAMES = [
    "Plain",
    "Büro",
    "R&D",
    "&-",
    'say "hi"',
    "back\\slash",
    "with  blanks ",
    "日本語",
    "🍺 und Öl",
    "(brackets) {5}",
    "100%",
    "Büro/日本/R&D",
    "NIL",
    "x" * 200,
]
#: What each of the four does, with a name to be filled in.
ACTIONS: dict[str, Callable[[IMAPClient, str], None]] = {
    "create": lambda client, name: client.create_folder(name),
    "rename": lambda client, name: client.rename_folder(name, "New"),
    "rename to": lambda client, name: client.rename_folder("Old", name),
    "delete": lambda client, name: client.delete_folder(name),
    "delete with messages": lambda client, name: client.delete_folder(name, force=True),
    "subscribe": lambda client, name: client.subscribe(name),
    "unsubscribe": lambda client, name: client.subscribe(name, on=False),
}
OK = {"CREATE": DONE, "RENAME": DONE, "DELETE": DONE, "SUBSCRIBE": DONE, "UNSUBSCRIBE": DONE}


@pytest.fixture
def client(dovecot: Dovecot, user: str) -> Iterator[IMAPClient]:
    """Return a client that may write, of a new user on Dovecot."""
    with IMAPClient(readonly=False) as client:
        client.connect(dovecot.host, dovecot.tls_port, ssl_context=dovecot.ssl_context, timeout=5)
        yield client.authenticate(user, dovecot.password)


@pytest.fixture
def shown(dovecot: Dovecot, user: str) -> Iterator[Shown]:
    """Return a function: which folders LIST and LSUB show to another program, as they write it."""
    with imaplib.IMAP4(dovecot.host, dovecot.port) as other:
        other.login(user, dovecot.password)

        def ask() -> tuple[set[str], set[str]]:
            return names_in(other.list()[1]), names_in(other.lsub()[1])

        yield ask


def names_in(lines: list[None] | list[bytes | tuple[bytes, bytes]]) -> set[str]:
    names = set()
    for line in lines:
        if isinstance(line, tuple):  # the name came as a literal
            names.add(line[1].decode())
        elif line:
            name = re.sub(r'^\([^)]*\) "/" ', "", line.decode())
            if name.startswith('"'):
                name = re.sub(r"\\(.)", r"\1", name[1:-1])
            names.add(name)
    return names


@pytest.fixture
def client_of() -> Iterator[Signed]:
    """Return a function that signs in to a scripted server, to write unless told otherwise."""
    clients = []

    def start(server: ScriptedServer, *, readonly: bool = False) -> IMAPClient:
        client = IMAPClient(readonly=readonly)
        clients.append(client)
        client.connect(server.host, server.port, use_ssl=False, timeout=5)
        return client.authenticate("me@example.com", "secret")

    yield start
    for client in clients:
        client.disconnect()


def sent_since_login(server: ScriptedServer) -> list[bytes]:
    """Give the commands without their tags, from the first one on folders on."""
    commands = [line.partition(b" ")[2] for line in server.received]
    before = (b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"ID")
    return [command for command in commands if command and not command.startswith(before)]


# -- on a real server


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_folder_is_made_and_subscribed_to(client: IMAPClient, shown: Shown, name: str) -> None:
    client.create_folder(name)
    listed, subscribed = shown()
    assert modified_utf7(name) in listed
    assert modified_utf7(name) in subscribed
    assert name in {folder.name for folder in client.list_folders()}
    assert client.select_folder(name).exists == 0


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_folder_is_renamed_with_what_is_in_it(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown, name: str
) -> None:
    client.create_folder("Before")
    dovecot.deliver(user, messages.many(2), "Before")
    client.rename_folder("Before", name)
    client.rename_folder(name, f"{name}2")
    for names in shown():
        assert "Before" not in names
        assert modified_utf7(name) not in names
        assert modified_utf7(f"{name}2") in names
    assert client.select_folder(f"{name}2").exists == 2


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_folder_is_deleted_and_unsubscribed_from(
    client: IMAPClient, shown: Shown, name: str
) -> None:
    before = shown()
    client.create_folder(name)
    client.delete_folder(name)
    listed, subscribed = shown()
    assert modified_utf7(name) not in listed | subscribed
    assert subscribed == before[1]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_subscription_comes_and_goes(client: IMAPClient, shown: Shown, name: str) -> None:
    client.create_folder(name)
    client.subscribe(name, on=False)
    assert modified_utf7(name) not in shown()[1]
    client.subscribe(name)
    assert modified_utf7(name) in shown()[1]
    assert modified_utf7(name) in shown()[0]


def test_renaming_takes_children_along(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown
) -> None:
    for name in ("Büro", "Büro/2025", "Büro/2025/Mai"):
        client.create_folder(name)
    dovecot.deliver(user, messages.many(3), "Büro/2025/Mai")
    client.rename_folder("Büro", "Amt")
    listed, _ = shown()
    assert {"Amt", "Amt/2025", "Amt/2025/Mai"} <= listed
    assert not any(name.startswith("B&APw-ro") for name in listed)
    assert client.folder_status("Amt/2025/Mai").messages == 3


def test_renaming_takes_the_subscriptions_of_children_along(
    client: IMAPClient, shown: Shown
) -> None:
    # RFC 3501 section 6.3.5 leaves them behind: mail programs would lose sight of the children.
    for name in ("Büro", "Büro/2025"):
        client.create_folder(name)
    client.rename_folder("Büro", "Amt")
    _, subscribed = shown()
    assert {"Amt", "Amt/2025"} <= subscribed
    assert not any(name.startswith("B&APw-ro") for name in subscribed)


def test_a_folder_moves_below_another(client: IMAPClient, shown: Shown) -> None:
    client.create_folder("A")
    client.create_folder("B")
    client.rename_folder("A", "B/A")
    assert {"B", "B/A"} <= shown()[0]
    assert "A" not in shown()[0]


def test_the_opened_folder_can_be_deleted_and_the_client_goes_on(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown
) -> None:
    dovecot.deliver(user, messages.many(2))
    client.create_folder("Büro")
    client.select_folder("Büro")
    client.delete_folder("Büro")
    assert "B&APw-ro" not in shown()[0]
    with pytest.raises(FolderError, match="No folder is open"):
        client.search()
    client.select_folder("INBOX")
    assert client.search() == [2, 1]
    client.create_folder("Büro")
    assert client.select_folder("Büro").exists == 0


def test_another_folder_stays_open_while_one_is_deleted(
    dovecot: Dovecot, user: str, client: IMAPClient
) -> None:
    dovecot.deliver(user, messages.many(2))
    client.create_folder("Büro")
    client.select_folder("INBOX")
    client.delete_folder("Büro")
    assert client.search() == [2, 1]


def test_the_opened_folder_can_be_renamed_and_must_be_opened_anew(
    dovecot: Dovecot, user: str, client: IMAPClient
) -> None:
    dovecot.deliver(user, messages.many(2), "Büro")
    client.select_folder("Büro")
    client.rename_folder("Büro", "Amt")
    with pytest.raises(FolderError, match="No folder is open"):
        client.search()
    client.select_folder("Amt")
    assert client.search() == [2, 1]
    assert [email.folder for email in client.fetch_emails(limit=1)] == ["Amt"]


def test_between_renaming_the_opened_folder_and_opening_another_the_client_works(
    dovecot: Dovecot, user: str, client: IMAPClient
) -> None:
    dovecot.deliver(user, messages.many(2), "Büro")
    client.select_folder("Büro")
    client.rename_folder("Büro", "Amt")
    assert {"Amt"} <= {folder.name for folder in client.list_folders()}
    client.create_folder("Büro")
    client.rename_folder("Amt", "Büro/Amt")
    client.delete_folder("Büro/Amt", force=True)
    assert "Büro/Amt" not in {folder.name for folder in client.list_folders()}


def test_a_child_of_a_renamed_folder_is_not_open_under_its_old_name(
    dovecot: Dovecot, user: str, client: IMAPClient
) -> None:
    client.create_folder("Büro")
    dovecot.deliver(user, messages.many(2), "Büro/Mai")
    client.select_folder("Büro/Mai")
    client.rename_folder("Büro", "Amt")
    with pytest.raises(FolderError, match="No folder is open"):
        client.search()


def test_a_folder_force_is_not_deleted_unless_told_so(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown
) -> None:
    client.create_folder("Büro")
    dovecot.deliver(user, [(one, ["\\Seen"], None) for one in messages.many(3)], "Büro")
    with pytest.raises(FolderError, match=r"'Büro'.* messages: 3") as refused:
        client.delete_folder("Büro")
    assert "force=True" in refused.value.suggestion
    listed, subscribed = shown()
    assert "B&APw-ro" in listed & subscribed
    assert client.folder_status("Büro").messages == 3
    client.delete_folder("Büro", force=True)
    listed, subscribed = shown()
    assert "B&APw-ro" not in listed | subscribed


def test_an_opened_folder_force_stays_open_when_it_is_not_deleted(
    dovecot: Dovecot, user: str, client: IMAPClient
) -> None:
    dovecot.deliver(user, messages.many(2), "Büro")
    client.select_folder("Büro")
    with pytest.raises(FolderError, match="messages: 2"):
        client.delete_folder("Büro")
    assert client.search() == [2, 1]
    client.delete_folder("Büro", force=True)
    assert "Büro" not in {folder.name for folder in client.list_folders()}


def test_a_folder_that_was_never_subscribed_to_is_deleted_and_renamed(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown
) -> None:
    dovecot.deliver(user, [], "A")
    dovecot.deliver(user, [], "B")
    client.delete_folder("A")
    client.rename_folder("B", "C")
    listed, subscribed = shown()
    assert not {"A", "B"} & (listed | subscribed)
    assert "C" in listed


@pytest.mark.parametrize("name", ["Büro", "INBOX", "inbox", "Sent"])
def test_a_folder_that_is_there_is_not_made_again(
    dovecot: Dovecot, user: str, client: IMAPClient, name: str
) -> None:
    dovecot.deliver(user, messages.many(1), name)
    with pytest.raises(FolderError, match=f"Could not make the folder '{name}'") as refused:
        client.create_folder(name)
    assert "exists" in refused.value.reply
    assert client.folder_status(name).messages == 1


@pytest.mark.parametrize("to", ["Amt", "Sent", "INBOX"])
def test_no_folder_is_renamed_onto_another(
    dovecot: Dovecot, user: str, client: IMAPClient, shown: Shown, to: str
) -> None:
    dovecot.deliver(user, messages.many(2), "Büro")
    dovecot.deliver(user, messages.many(1), to)
    client.subscribe("Büro")
    before = shown()
    with pytest.raises(FolderError, match=f"'Büro' to '{to}'") as refused:
        client.rename_folder("Büro", to)
    assert "exist" in refused.value.reply
    assert (client.folder_status("Büro").messages, client.folder_status(to).messages) == (2, 1)
    assert shown() == before


@pytest.mark.parametrize("force", [True, False])
def test_a_missing_folder_is_not_deleted(client: IMAPClient, *, force: bool) -> None:
    with pytest.raises(FolderError, match="Could not delete the folder 'Nowhere'") as refused:
        client.delete_folder("Nowhere", force=force)
    assert "doesn't exist" in refused.value.reply


def test_a_missing_folder_is_not_renamed(client: IMAPClient, shown: Shown) -> None:
    before = shown()
    with pytest.raises(FolderError, match="'Nowhere'") as refused:
        client.rename_folder("Nowhere", "Somewhere")
    assert "doesn't exist" in refused.value.reply
    assert shown() == before


def test_what_the_server_does_not_allow_is_refused_in_its_words(client: IMAPClient) -> None:
    # A dot separates the levels on its disk.
    refusals = []
    with pytest.raises(FolderError) as refused:
        client.create_folder("a.b")
    refusals.append(refused.value.reply)
    with pytest.raises(FolderError) as refused:
        client.rename_folder("Sent", "a.b")
    refusals.append(refused.value.reply)
    assert all(reply.startswith("NO ") and len(reply) > 10 for reply in refusals)


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Inbox"])
def test_the_inbox_is_neither_deleted_nor_renamed(
    dovecot: Dovecot, user: str, client: IMAPClient, name: str
) -> None:
    dovecot.deliver(user, messages.many(2))
    wire = client.connection.wire
    before = (wire.sent, wire.commands)
    for action in ("delete", "delete with messages", "rename"):
        with pytest.raises(FolderError, match=name) as refused:
            ACTIONS[action](client, name)
        assert "INBOX" in refused.value.suggestion
    assert (wire.sent, wire.commands) == before
    assert client.folder_status("INBOX").messages == 2


# -- what is sent, and what never is


def test_what_is_sent_is_what_was_asked_for(scripted: Scripted, client_of: Signed) -> None:
    server = scripted({**OK, "STATUS": b"* STATUS x (MESSAGES 0)\r\n" + DONE})
    client = client_of(server)
    client.create_folder('R&D "x"')
    client.rename_folder("Büro", "日本")
    client.delete_folder("Büro")
    client.delete_folder("A", force=True)
    assert sent_since_login(server) == [
        b'CREATE "R&-D \\"x\\""',
        b'SUBSCRIBE "R&-D \\"x\\""',
        b'LSUB "" "B&APw-ro*"',
        b'LIST "" "B&APw-ro*"',
        b'RENAME "B&APw-ro" "&ZeVnLA-"',
        b'STATUS "B&APw-ro" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
        b'DELETE "B&APw-ro"',
        b'UNSUBSCRIBE "B&APw-ro"',
        b'DELETE "A"',
        b'UNSUBSCRIBE "A"',
    ]


@pytest.mark.parametrize(
    ("offered", "verb"), [("IMAP4rev1", b'EXAMINE "INBOX"'), ("IMAP4rev1 UNSELECT", b"UNSELECT")]
)
def test_the_opened_folder_is_left_before_it_is_deleted(
    scripted: Scripted, client_of: Signed, offered: str, verb: bytes
) -> None:
    status = b"* STATUS x (MESSAGES 0)\r\n" + DONE
    server = scripted({**OK, "STATUS": status}, capabilities=offered)
    client = client_of(server)
    client.select_folder("A")
    client.delete_folder("A")
    assert sent_since_login(server) == [
        b'SELECT "A"',
        b'STATUS "A" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)',
        verb,
        b'DELETE "A"',
        b'UNSUBSCRIBE "A"',
    ]
    assert client.connection.selected is None
    client.select_folder("B")
    assert client.search() == []


@pytest.mark.parametrize("offered", ["IMAP4rev1", "IMAP4rev1 UNSELECT"])
@pytest.mark.parametrize("action", ["rename", "delete"])
def test_leaving_a_folder_expunges_nothing(
    scripted: Scripted, client_of: Signed, offered: str, action: str
) -> None:
    # CLOSE removes what is marked as deleted (RFC 3501 section 6.4.2).
    listed = b'* LIST () "/" A\r\n' + DONE
    status = b"* STATUS x (MESSAGES 0)\r\n" + DONE
    server = scripted({**OK, "LIST": listed, "STATUS": status}, capabilities=offered)
    client = client_of(server)
    client.select_folder("A")
    ACTIONS[action](client, "A")
    names = {line.split()[1].upper() for line in server.received}
    assert not names & {b"CLOSE", b"EXPUNGE"}
    assert client.connection.selected is None


@pytest.mark.parametrize("said", [b"", b"* STATUS x ()\r\n", b"* STATUS x (UNSEEN 0)\r\n"])
def test_a_folder_of_unknown_content_is_taken_for_full(
    scripted: Scripted, client_of: Signed, said: bytes
) -> None:
    server = scripted({**OK, "STATUS": said + DONE})
    with pytest.raises(FolderError, match="it has messages"):
        client_of(server).delete_folder("A")
    assert server.commands("DELETE") == []


@pytest.mark.parametrize("action", ["delete", "rename"])
def test_a_refused_change_changes_no_subscription(
    scripted: Scripted, client_of: Signed, action: str
) -> None:
    status = b"* STATUS x (MESSAGES 0)\r\n" + DONE
    refusal = b"<tag> NO [NOPERM] not yours\r\n"
    server = scripted({**OK, "STATUS": status, "DELETE": refusal, "RENAME": refusal})
    with pytest.raises(FolderError, match="not yours"):
        ACTIONS[action](client_of(server), "A")
    assert server.commands("SUBSCRIBE") == server.commands("UNSUBSCRIBE") == []


def test_a_folder_that_is_not_made_is_not_subscribed_to(
    scripted: Scripted, client_of: Signed
) -> None:
    server = scripted({**OK, "CREATE": b"<tag> NO [ALREADYEXISTS] there is one\r\n"})
    with pytest.raises(FolderError, match="there is one"):
        client_of(server).create_folder("A")
    assert server.commands("SUBSCRIBE") == []


@pytest.mark.parametrize("action", ["delete", "rename"])
def test_what_was_done_does_not_fail_for_want_of_a_subscription(
    scripted: Scripted, client_of: Signed, action: str
) -> None:
    # RFC 3501 section 6.3.7: NO is the answer for a name that cannot be unsubscribed from.
    status = b"* STATUS x (MESSAGES 0)\r\n" + DONE
    subscribed = b'* LSUB () "/" A\r\n' + DONE
    refusal = b"<tag> NO not subscribed\r\n"
    handlers = {**OK, "STATUS": status, "LSUB": subscribed, "UNSUBSCRIBE": refusal}
    server = scripted(handlers)
    ACTIONS[action](client_of(server), "A")
    assert len(server.commands("UNSUBSCRIBE")) == 1


@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
def test_a_refused_subscription_is_an_error(
    scripted: Scripted, client_of: Signed, action: str
) -> None:
    refusal = b"<tag> NO no such folder\r\n"
    server = scripted({"SUBSCRIBE": refusal, "UNSUBSCRIBE": refusal})
    with pytest.raises(FolderError, match=rf"(?s)\b{action} .*'A'.*no such folder"):
        ACTIONS[action](client_of(server), "A")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", ["A", "INBOX", "a\r\nb", ""], ids=ascii)
def test_a_client_that_only_reads_sends_nothing(
    scripted: Scripted, client_of: Signed, action: str, name: str
) -> None:
    server = scripted(OK)
    client = client_of(server, readonly=True)
    before = list(server.received)
    with pytest.raises(ReadOnlyError, match=r"Did not .* read-only") as refused:
        ACTIONS[action](client, name)
    assert "readonly=False" in refused.value.suggestion
    assert server.received == before
    client.disconnect()
    assert sent_since_login(server) == [b"LOGOUT"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "name", ["a\r\nb", "a\nb", "a\rb", "a\0b", "\r\n", "", "\ud800"], ids=ascii
)
def test_what_can_be_no_name_reaches_no_server(
    scripted: Scripted, client_of: Signed, action: str, name: str
) -> None:
    server = scripted(OK)
    client = client_of(server)
    with pytest.raises(FolderError, match="No folder can be called"):
        ACTIONS[action](client, name)
    client.disconnect()
    assert sent_since_login(server) == [b"LOGOUT"]
