"""An IMAP account as a Source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailframe.criteria import NOTHING, Q, to_tree
from mailframe.exceptions import ConnectionFailedError, FolderError, MessageNotFoundError
from mailframe.imap import ImapSource
from mailframe.imap import messages as messages_module
from mailframe.imap import texts as texts_module
from mailframe.source import Selection
from tests.imap.replies import message
from tests.imap.test_search import NOW
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Opened = Callable[..., Connection]


def test_a_search_selects_messages_newest_first(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message(1), 2: message(2), 3: message(3)}, uidvalidity=17)
    source = ImapSource(opened(server))
    tree = to_tree("ALL", NOW)
    assert source.search("INBOX", tree) == Selection("INBOX", 17, (3, 2, 1))
    assert source.search("INBOX", tree, 1) == Selection("INBOX", 17, (3,))


@pytest.mark.parametrize("criteria", ["ALL", Q(has_attachment=True)])
def test_an_empty_folder_is_not_searched(
    scripted: Scripted, opened: Opened, criteria: object
) -> None:
    server = scripted(uidvalidity=17)
    source = ImapSource(opened(server))
    assert source.search("INBOX", to_tree(criteria, NOW)) == Selection("INBOX", 17, ())
    assert server.commands("UID SEARCH") == []


def test_nothing_is_found_without_asking(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message()})
    assert ImapSource(opened(server)).search("INBOX", NOTHING).uids == ()
    assert server.commands("UID SEARCH") == []


def test_a_folder_is_opened_again_when_another_is_open(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={1: message(1)})
    source = ImapSource(opened(server))
    selection = source.search("INBOX", to_tree("ALL", NOW))
    source.search("Other", NOTHING)
    [record] = source.headers(selection)
    assert (record.folder, record.headers.subject) == ("INBOX", "Message 1")
    assert server.commands("EXAMINE")[-1] == b'"INBOX"'


def test_what_is_asked_for_is_read(
    dovecot: Dovecot, user: str, mailbox: Callable[..., Connection]
) -> None:
    source = ImapSource(mailbox(*messages.many(4)))
    selection = source.search("INBOX", to_tree("ALL", NOW))
    assert selection.uids == (4, 3, 2, 1)
    headers = list(source.headers(selection))
    assert [r.uid for r in headers] == [4, 3, 2, 1]
    assert headers[2].attachments
    assert all(r.attachments is None for r in source.headers(selection, "recipients"))
    assert all(r.headers.from_ is None for r in source.headers(selection, "dates"))
    assert [r.text for r in source.parts(selection)][2] == "See the report.\n"
    assert source.message("INBOX", 2).attachments[0].content == messages.PDF
    assert any(folder.name == "INBOX" for folder in source.folders())
    assert source.account == f"{user}@{dovecot.host}"
    assert "IMAP4REV1" in source.capabilities()


def test_what_is_not_there_is_said_not_to_be_there(mailbox: Callable[..., Connection]) -> None:
    source = ImapSource(mailbox(messages.plain()))
    with pytest.raises(MessageNotFoundError, match="the UID 9"):
        source.message("INBOX", 9)
    with pytest.raises(FolderError, match="Nowhere"):
        source.message("Nowhere", 1)
    with pytest.raises(FolderError, match="Nowhere"):
        source.search("Nowhere", NOTHING)


def test_another_folder_may_be_opened_while_records_are_taken(
    dovecot: Dovecot, user: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each batch is finished before its records are handed out, so that the connection is free.
    monkeypatch.setattr(messages_module, "BATCH", 1)
    monkeypatch.setattr(texts_module, "BATCH", 1)
    dovecot.deliver(user, [messages.plain(n, subject=f"In {n}") for n in (1, 2, 3)])
    dovecot.deliver(user, [messages.plain(n, subject=f"Out {n}") for n in (1, 2, 3)], "Other")
    source = ImapSource(opened(dovecot, user=user))
    selection = source.search("INBOX", to_tree("ALL", NOW))
    subjects = []
    for record in source.headers(selection):
        source.search("Other", NOTHING)
        subjects.append((record.folder, record.headers.subject))
    assert subjects == [("INBOX", "In 3"), ("INBOX", "In 2"), ("INBOX", "In 1")]


def test_closing_says_so(scripted: Scripted, opened: Opened) -> None:
    source = ImapSource(opened(scripted()))
    assert "not encrypted" in str(source)
    source.close()
    source.close()
    assert str(source).endswith("closed")
    with pytest.raises(ConnectionFailedError, match="is closed"):
        source.folders()
