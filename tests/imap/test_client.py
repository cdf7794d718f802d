"""The client for scripts and lessons, as its examples write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imap_tools
import pytest

from mailframe.criteria import Q
from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    FolderError,
    InsecureLoginError,
    MessageNotFoundError,
    NotSupportedError,
    QueryError,
    UidValidityError,
)
from mailframe.imap import IMAPClient, sasl_xoauth2
from mailframe.imap import client as client_module
from mailframe.imap import messages as messages_module
from tests.imap.replies import MIXED_HEADER, message
from tests.imap.test_messages import WHOLE
from tests.rigs import messages
from tests.rigs.scripted import ScriptedServer, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot

    Scripted = Callable[..., ScriptedServer]
    Signed = Callable[..., IMAPClient]


@pytest.fixture
def signed_in(dovecot: Dovecot, user: str) -> Iterator[IMAPClient]:
    """Return a client of a new user on Dovecot, over TLS."""
    with IMAPClient() as client:
        client.connect(
            dovecot.host, dovecot.tls_port, ssl_context=dovecot.ssl_context, timeout=5
        ).authenticate(user, dovecot.password)
        yield client


@pytest.fixture
def client_of() -> Iterator[Callable[..., IMAPClient]]:
    """Return a function that signs in to a scripted server."""
    clients = []

    def start(server: ScriptedServer, **options: bool) -> IMAPClient:
        client = IMAPClient(**options)
        clients.append(client)
        client.connect(server.host, server.port, use_ssl=False, timeout=5)
        return client.authenticate("me@example.com", "secret")

    yield start
    for client in clients:
        client.disconnect()


# -- the examples


def test_the_first_example_reads_mail_over_tls(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(
        user,
        [
            (messages.plain(1), ["\\Seen"], None),
            messages.with_attachment(2),
            messages.alternative(3),
        ],
    )
    client = IMAPClient(readonly=True)
    client.connect(
        host=dovecot.host, port=dovecot.tls_port, use_ssl=True, ssl_context=dovecot.ssl_context
    )
    client.authenticate(username=user, password=dovecot.password)
    client.select_folder("INBOX")
    emails = client.fetch_emails(criteria="UNSEEN", limit=10, fetch_body=True)
    client.disconnect()
    assert [email.subject for email in emails] == ["Message 3", "Message 2"]
    assert [email.body for email in emails] == ["Grüße\n", "See the report.\n"]
    assert emails[0].html == "<p>Grüße</p>\n"
    assert emails[0].sender == "Alice Example <alice@example.org>"
    [attachment] = emails[1].attachments
    assert (attachment.filename, attachment.content) == ("report.pdf", None)


@pytest.mark.parametrize("refused", [False, True])
def test_the_second_example_signs_in_with_a_token(scripted: Scripted, *, refused: bool) -> None:
    handlers = {"AUTHENTICATE": b"<tag> NO Invalid credentials\r\n"} if refused else {}
    server = scripted(handlers, capabilities="IMAP4rev1 AUTH=XOAUTH2 SASL-IR")
    with IMAPClient() as client:
        client.connect(host=server.host, port=server.port, use_ssl=False)
        auth_string = sasl_xoauth2("me@example.com", "ya29.token")
        if refused:
            with pytest.raises(AuthenticationError, match="Invalid credentials"):
                client.authenticate_oauth2(username="me@example.com", auth_string=auth_string)
        else:
            client.authenticate_oauth2(username="me@example.com", auth_string=auth_string)
            client.select_folder("INBOX")
    assert len(server.commands("AUTHENTICATE")) == 1


def test_without_ssl_starttls_is_used_where_it_is_offered(dovecot: Dovecot, user: str) -> None:
    with IMAPClient() as client:
        client.connect(dovecot.host, dovecot.port, use_ssl=False, ssl_context=dovecot.ssl_context)
        client.authenticate(user, dovecot.password)
        assert client.connection.encrypted


def test_without_ssl_and_starttls_another_machine_is_not_given_the_password(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.imap.connection.is_local", lambda _host: False)
    server = scripted()
    with IMAPClient() as client:
        client.connect(server.host, server.port, use_ssl=False)
        with pytest.raises(InsecureLoginError):
            client.authenticate("me", "canary")
    assert b"canary" not in server.clear_text


# -- its life


def test_methods_can_be_chained_and_the_block_ends_the_connection(scripted: Scripted) -> None:
    server = scripted()
    with IMAPClient() as client:
        assert client.connect(server.host, server.port, use_ssl=False) is client
        assert client.authenticate("me", "secret") is client
    assert len(server.commands("LOGOUT")) == 1
    client.disconnect()
    assert repr(client) == "<IMAPClient not connected>"


def test_an_error_in_the_block_ends_the_connection_too(scripted: Scripted) -> None:
    server = scripted()

    def fail() -> None:
        with IMAPClient() as client:
            client.connect(server.host, server.port, use_ssl=False)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert len(server.commands("LOGOUT")) == 1


def test_connecting_again_ends_the_first_connection(scripted: Scripted) -> None:
    server = scripted()
    with IMAPClient() as client:
        client.connect(server.host, server.port, use_ssl=False)
        client.connect(server.host, server.port, use_ssl=False)
    assert len(server.commands("LOGOUT")) == len(server.connections) == 2


def test_before_connecting_every_method_says_what_to_do() -> None:
    client = IMAPClient()
    for call in (
        client.capabilities,
        client.list_folders,
        client.select_folder,
        client.search,
        client.fetch_emails,
        lambda: client.authenticate("me", "secret"),
        lambda: client.fetch_attachment(1, "2"),
    ):
        with pytest.raises(ConnectionFailedError, match="connect"):
            call()


def test_before_a_folder_is_open_reading_says_what_to_do(
    scripted: Scripted, client_of: Signed
) -> None:
    client = client_of(scripted())
    for call in (client.search, client.fetch_emails, lambda: client.fetch_attachment(1, "2")):
        with pytest.raises(FolderError, match="select_folder"):
            call()


# -- folders


@pytest.mark.parametrize("readonly", [True, False])
def test_a_folder_is_examined_unless_it_is_to_be_written_to(
    scripted: Scripted, client_of: Signed, *, readonly: bool
) -> None:
    server = scripted(messages={1: message()}, uidvalidity=17)
    selected = client_of(server, readonly=readonly).select_folder("INBOX")
    assert (selected.uidvalidity, selected.exists) == (17, 1)
    assert (len(server.commands("EXAMINE")), len(server.commands("SELECT"))) == (
        (1, 0) if readonly else (0, 1)
    )


def test_folders_are_listed_and_counted(dovecot: Dovecot, user: str, signed_in: IMAPClient) -> None:
    dovecot.deliver(user, [messages.plain()], "Büro")
    folders = {folder.name: folder for folder in signed_in.list_folders()}
    assert folders["Büro"].messages == 1
    assert signed_in.folder_status("Büro").unseen == 1
    with pytest.raises(FolderError, match="Nowhere"):
        signed_in.folder_status("Nowhere")
    with pytest.raises(FolderError, match="Nowhere"):
        signed_in.select_folder("Nowhere")
    assert "ESEARCH" in signed_in.capabilities()


# -- reading


@pytest.mark.parametrize(
    "criteria",
    [
        'SUBJECT "Message 2"',
        Q(subject="Message 2"),
        imap_tools.AND(subject="Message 2"),
        Q(has_attachment=True),
    ],
    ids=lambda criteria: type(criteria).__name__,
)
def test_criteria_may_be_of_any_kind(
    dovecot: Dovecot, user: str, signed_in: IMAPClient, criteria: object
) -> None:
    dovecot.deliver(user, [messages.plain(1), messages.with_attachment(2), messages.plain(3)])
    signed_in.select_folder()
    assert signed_in.search(criteria) == [2]
    assert [email.uid for email in signed_in.fetch_emails(criteria)] == [2]


def test_mail_comes_newest_first_and_the_limit_keeps_the_newest(
    dovecot: Dovecot, user: str, signed_in: IMAPClient
) -> None:
    dovecot.deliver(user, messages.many(5))
    signed_in.select_folder()
    assert signed_in.search() == [5, 4, 3, 2, 1]
    assert signed_in.search(limit=2) == [5, 4]
    assert [email.uid for email in signed_in.fetch_emails(limit=2)] == [5, 4]
    assert signed_in.fetch_emails(limit=0) == []


@pytest.mark.parametrize("limit", [-1, True])
def test_a_limit_that_is_no_number_of_messages_is_refused(
    scripted: Scripted, client_of: Signed, limit: int
) -> None:
    # [:-1] would silently leave the oldest out.
    client = client_of(scripted(messages={1: message(1), 2: message(2)}))
    client.select_folder()
    with pytest.raises(QueryError):
        client.search(limit=limit)


def test_criteria_that_cannot_be_asked_are_refused(signed_in: IMAPClient) -> None:
    signed_in.select_folder()
    with pytest.raises(QueryError):
        signed_in.fetch_emails("NO SUCH KEY")
    with pytest.raises(NotSupportedError, match="X-GM-EXT-1"):
        signed_in.fetch_emails(Q(gmail="has:attachment"))


def test_an_empty_folder_has_no_mail(signed_in: IMAPClient) -> None:
    signed_in.select_folder()
    assert signed_in.fetch_emails(fetch_body=True) == []


def test_other_calls_may_be_made_while_mail_is_read(
    dovecot: Dovecot, user: str, signed_in: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "BATCH", 2)
    dovecot.deliver(user, [messages.with_attachment(n) for n in range(1, 7)])
    dovecot.deliver(user, [messages.plain(9, subject="Elsewhere")], "Other")
    signed_in.select_folder("INBOX")
    read = []
    for email in signed_in.iter_emails(fetch_body=True):
        read.append((email.uid, email.folder, email.subject))
        signed_in.fetch_attachment(email, email.attachments[0])
        assert signed_in.search("ALL", limit=1) == [6]
        signed_in.select_folder("Other")
        assert [one.subject for one in signed_in.fetch_emails()] == ["Elsewhere"]
        signed_in.select_folder("INBOX")
    assert read == [(n, "INBOX", f"Message {n}") for n in range(6, 0, -1)]


def test_the_iterator_finds_back_to_its_folder(
    dovecot: Dovecot, user: str, signed_in: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "BATCH", 2)
    monkeypatch.setattr(messages_module, "EMAIL_BATCH", 1)
    dovecot.deliver(user, messages.many(3))
    dovecot.deliver(user, [messages.plain(9, subject="Elsewhere")] * 3, "Other")
    signed_in.select_folder("INBOX")
    subjects = []
    for email in signed_in.iter_emails():
        signed_in.select_folder("Other")
        subjects.append(email.headers[2][1])
    assert "Elsewhere" not in subjects
    assert len(subjects) == 3


def test_an_iterator_whose_folder_is_renumbered_stops(
    scripted: Scripted, client_of: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "BATCH", 1)
    server = scripted(messages={1: message(1), 2: message(2)}, uidvalidity=1)
    client = client_of(server)
    client.select_folder("INBOX")
    reading = client.iter_emails()
    next(reading)
    server.uidvalidity = 2
    client.select_folder("Other")
    with pytest.raises(UidValidityError, match="renumbered"):
        next(reading)


def test_a_message_deleted_while_mail_is_read_is_left_out(
    dovecot: Dovecot, user: str, signed_in: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "BATCH", 1)
    dovecot.deliver(user, messages.many(3))
    signed_in.select_folder()
    reading = signed_in.iter_emails()
    first = next(reading)
    dovecot.expunge(user, 2)
    assert [first.uid, *(email.uid for email in reading)] == [3, 1]


# -- attachments


def test_an_attachment_is_fetched_by_object_or_by_number(
    dovecot: Dovecot, user: str, signed_in: IMAPClient
) -> None:
    dovecot.deliver(user, [messages.with_attachment(1)])
    signed_in.select_folder()
    [email] = signed_in.fetch_emails()
    by_object = signed_in.fetch_attachment(email, email.attachments[0])
    by_number = signed_in.fetch_attachment(1, "2")
    assert by_object == by_number
    assert (by_object.content, by_object.filename) == (messages.PDF, "report.pdf")


def test_an_attachment_of_a_suspicious_message_is_fetched_too(
    scripted: Scripted, client_of: Signed
) -> None:
    # The server calls it plain text; the message says otherwise.
    server = scripted(messages={9: message(9, header=MIXED_HEADER, parts={b"": literal(WHOLE)})})
    client = client_of(server)
    client.select_folder()
    [email] = client.fetch_emails()
    [attachment] = email.attachments
    assert attachment.filename == "a.pdf"
    assert client.fetch_attachment(email, attachment).content == b"PDF"


@pytest.mark.parametrize(("uid", "part"), [(9, "2"), (1, "9"), (0, "2"), (1, "2\r\nX")])
def test_an_attachment_that_is_not_there_is_not_found(
    dovecot: Dovecot, user: str, signed_in: IMAPClient, uid: int, part: str
) -> None:
    dovecot.deliver(user, [messages.with_attachment(1)])
    signed_in.select_folder()
    with pytest.raises(MessageNotFoundError):
        signed_in.fetch_attachment(uid, part)


def test_an_attachment_is_not_taken_from_another_folders_message(
    dovecot: Dovecot, user: str, signed_in: IMAPClient
) -> None:
    # Both have the UID 1.
    dovecot.deliver(user, [messages.with_attachment(1, content=b"mine")])
    dovecot.deliver(user, [messages.with_attachment(2, content=b"another's")], "Other")
    signed_in.select_folder("INBOX")
    [email] = signed_in.fetch_emails()
    signed_in.select_folder("Other")
    try:
        content = signed_in.fetch_attachment(email, email.attachments[0]).content
    except (FolderError, MessageNotFoundError):
        return
    assert content == b"mine"
