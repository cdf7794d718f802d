"""Programs that know nothing of mailframe read, change and watch mail at the embedded server.

imap-tools, IMAPClient, curl and Python's imaplib do what they do anywhere; then mailframe itself.
"""

from __future__ import annotations

import imaplib
import shutil
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import imap_tools
import imapclient
import pytest
from imap_tools import AND, OR, MailboxFolderCreateError
from imapclient.exceptions import CapabilityError

import mailframe as mf
from mailframe.embedded import Server
from mailframe.imap import IMAPClient, sasl_xoauth2
from tests.conftest import missing
from tests.embedded.conftest import MIXED, OLD, PLAIN, mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.certificates import Certificates

TIMEOUT = 10
HOP = b"Received: from a.example.org by b.example.org; Mon, 1 Jan 2024 10:00:07 +0000\r\n"


@pytest.fixture
def tls_server(certificates: Certificates) -> Iterator[Server]:
    """Start a server that speaks TLS from the first byte."""
    context = certificates.good.server_context()
    with Server({"ann": "secret"}, accounts={"ann": mail()}, ssl_context=context, tls=True) as one:
        yield one


@pytest.fixture
def starttls_server(certificates: Certificates) -> Iterator[Server]:
    """Start a server that offers STARTTLS."""
    context = certificates.good.server_context()
    with Server({"ann": "secret"}, accounts={"ann": mail()}, ssl_context=context) as one:
        yield one


# -- imap-tools


@pytest.fixture
def box(server: Server) -> Iterator[imap_tools.MailBoxUnencrypted]:
    with _box(server) as box:
        yield box


def _box(server: Server) -> imap_tools.MailBoxUnencrypted:
    box = imap_tools.MailBoxUnencrypted(server.host, server.port, timeout=TIMEOUT)
    return box.login("ann", "secret")


def subjects(messages: Iterator[imap_tools.MailMessage]) -> list[str]:
    return [message.subject for message in messages]


@pytest.mark.parametrize("bulk", [False, True, 2])
@pytest.mark.parametrize("headers_only", [False, True])
def test_imap_tools_fetches(
    box: imap_tools.MailBoxUnencrypted,
    *,
    bulk: bool | int,
    headers_only: bool,
) -> None:
    found = list(box.fetch(bulk=bulk, headers_only=headers_only, mark_seen=False))
    assert [one.subject for one in found] == ["One", "Müller", "Three"]
    assert [one.uid for one in found] == ["1", "2", "3"]
    assert [one.flags for one in found] == [(), ("\\Seen",), ("work",)]
    assert found[1].from_values.full == "Jürgen <j@example.org>"
    assert [one.size_rfc822 for one in found] == [len(PLAIN), len(MIXED), len(OLD)]
    if not headers_only:
        assert found[1].text == "Text with ü"
        assert found[1].attachments[0].payload == b"\x89PNG\r\n\x1a\n"


def test_imap_tools_fetches_a_part_of_them(box: imap_tools.MailBoxUnencrypted) -> None:
    assert subjects(box.fetch(limit=2, reverse=True)) == ["Three", "Müller"]
    assert subjects(box.fetch(limit=slice(1, 2))) == ["Müller"]
    assert subjects(box.fetch(uid_list=["3", "1"], bulk=True)) == ["One", "Three"]
    assert [one.flags for one in box.fetch("1")] == [("\\Seen",)], "the first fetch has read it"


def test_imap_tools_searches(box: imap_tools.MailBoxUnencrypted) -> None:
    assert box.uids() == ["1", "2", "3"]
    assert box.numbers() == ["1", "2", "3"]
    assert box.numbers_to_uids(["2", "3"]) == ["2", "3"]
    assert box.uids(AND(seen=False)) == ["1", "3"]
    assert box.uids(OR(from_="ben", subject="one")) == ["1", "3"]
    assert box.uids(AND(subject="Müller"), charset="UTF-8") == ["2"]
    assert box.uids(AND(text="ü"), charset="UTF-8") == ["2"]
    assert box.uids(AND(keyword="work", date_gte=datetime(2026, 2, 9, tzinfo=UTC).date())) == ["3"]
    assert box.uids(AND(uid=imap_tools.U("2", "*"))) == ["2", "3"]
    with pytest.raises(imap_tools.errors.MailboxUidsError, match="BADCHARSET"):
        box.uids(AND(subject="x"), charset="KOI8-R")


def test_imap_tools_manages_folders(box: imap_tools.MailBoxUnencrypted) -> None:
    folder = box.folder
    names = ["INBOX", "Archive", "Archive/2026", "Entwürfe", "Sent"]
    assert [one.name for one in folder.list()] == names
    assert folder.list("", "Sent")[0].flags == ("\\Sent", "\\HasNoChildren")
    assert folder.list()[0].delim == "/"
    assert [one.name for one in folder.list("Archive/", "%")] == ["Archive/2026"]
    subscribed = folder.list(subscribed_only=True)
    assert [one.name for one in subscribed] == ["Archive/2026", "INBOX"]
    assert folder.exists("Entwürfe")
    assert not folder.exists("nowhere")
    assert folder.get() == "INBOX"
    status = folder.status("INBOX")
    assert status == {"MESSAGES": 3, "RECENT": 0, "UIDNEXT": 4, "UIDVALIDITY": 1000, "UNSEEN": 2}
    folder.set("Entwürfe", readonly=True)
    assert folder.get() == "Entwürfe"
    folder.unset()
    assert folder.get() is None
    folder.create("Neu/Tief & Co")
    folder.rename("Neu", "Alt")
    folder.subscribe("Alt/Tief & Co", value=True)
    assert "Alt/Tief & Co" in [one.name for one in folder.list(subscribed_only=True)]
    folder.subscribe("Alt/Tief & Co", value=False)
    folder.delete("Alt/Tief & Co")
    assert [one.name for one in folder.list()] == names
    with pytest.raises(MailboxFolderCreateError):
        folder.create("Sent")


def test_imap_tools_changes_messages(box: imap_tools.MailBoxUnencrypted) -> None:
    box.flag(["1", "3"], [imap_tools.MailMessageFlags.FLAGGED, "later"], value=True)
    assert box.uids(AND(flagged=True, keyword="later")) == ["1", "3"]
    box.flag("3", imap_tools.MailMessageFlags.FLAGGED, value=False)
    assert box.uids(AND(flagged=True)) == ["1"]
    box.copy("2", "Archive")
    box.move(["1", "3"], "Archive", chunks=1)
    assert box.uids() == ["2"]
    box.append(PLAIN, "INBOX", dt=datetime(2026, 3, 1, tzinfo=UTC), flag_set=["\\Seen", "new"])
    assert [one.flags for one in box.fetch(AND(keyword="new"))] == [("\\Recent", "\\Seen", "new")]
    assert "MOVE" in box.client.capabilities or b"MOVE" in box.client.capability()[1][0]
    box.folder.set("Archive")
    assert subjects(box.fetch(mark_seen=False)) == ["Müller", "One", "Three"]
    box.delete("1")
    assert subjects(box.fetch()) == ["One", "Three"]
    box.expunge()


def test_imap_tools_idles(server: Server, box: imap_tools.MailBoxUnencrypted) -> None:
    with _box(server) as other:
        with box.idle as idle:
            other.append(PLAIN, "INBOX")
            found = idle.poll(timeout=TIMEOUT)
        assert b"* 4 EXISTS" in found
        box.idle.start()
        other.flag("1", "\\Flagged", value=True)
        assert b"1 FETCH (FLAGS (\\Flagged))" in b"".join(box.idle.poll(timeout=TIMEOUT))
        box.idle.stop()
        assert box.uids(AND(flagged=True)) == ["1"]


def test_imap_tools_signs_in_by_token(server: Server) -> None:
    with imap_tools.MailBoxUnencrypted(server.host, server.port, timeout=TIMEOUT) as box:
        box.xoauth2("ann", "t0ken")
        assert len(box.uids()) == 3
    with imap_tools.MailBoxUnencrypted(server.host, server.port, timeout=TIMEOUT).login_utf8(
        "ann", "secret"
    ) as box:
        assert len(box.uids()) == 3


def test_imap_tools_speaks_tls(
    tls_server: Server, starttls_server: Server, certificates: Certificates
) -> None:
    context = certificates.good.client_context()
    with imap_tools.MailBox(
        "localhost", tls_server.port, timeout=TIMEOUT, ssl_context=context
    ).login("ann", "secret") as box:
        assert len(box.uids()) == 3
    with imap_tools.MailBoxStartTls(
        "localhost", starttls_server.port, timeout=TIMEOUT, ssl_context=context
    ).login("ann", "secret") as box:
        assert len(box.uids()) == 3


# -- IMAPClient


@pytest.fixture
def plain(server: Server) -> Iterator[Callable[[], imapclient.IMAPClient]]:
    """Return a function that connects."""
    with ExitStack() as clients:

        def connect() -> imapclient.IMAPClient:
            one = imapclient.IMAPClient(server.host, server.port, ssl=False, timeout=TIMEOUT)
            return clients.enter_context(one)

        yield connect


@pytest.fixture
def reader(plain: Callable[[], imapclient.IMAPClient]) -> imapclient.IMAPClient:
    client = plain()
    client.login("ann", "secret")
    assert client.enable("CONDSTORE") == [b"CONDSTORE"]
    client.select_folder("INBOX")
    return client


def test_imapclient_signs_in(plain: Callable[[], imapclient.IMAPClient]) -> None:
    assert b"Welcome" in plain().login("ann", "secret")
    assert b"Welcome" in plain().plain_login("ann", "secret")
    assert b"Welcome" in plain().oauth2_login("ann", "t0ken")[0]
    assert b"Welcome" in plain().oauthbearer_login("ann", "t0ken")[0]
    for wrong in ("login", "plain_login", "oauth2_login", "oauthbearer_login"):
        with pytest.raises(imapclient.exceptions.LoginError):
            getattr(plain(), wrong)("ann", "wrong")


def test_imapclient_speaks_tls(
    tls_server: Server, starttls_server: Server, certificates: Certificates
) -> None:
    context = certificates.good.client_context()
    with imapclient.IMAPClient(
        "localhost", tls_server.port, ssl_context=context, timeout=TIMEOUT
    ) as client:
        client.login("ann", "secret")
    with imapclient.IMAPClient(
        "localhost", starttls_server.port, ssl=False, timeout=TIMEOUT
    ) as client:
        assert client.has_capability("STARTTLS")
        client.starttls(context)
        assert not client.has_capability("STARTTLS")
        client.login("ann", "secret")
        assert client.select_folder("INBOX")[b"EXISTS"] == 3


def test_imapclient_asks_what_there_is(reader: imapclient.IMAPClient) -> None:
    assert reader.id_({"name": "tests"})[0][1] == b"mailframe"
    assert reader.namespace().personal == (("", "/"),)
    assert reader.has_capability("CONDSTORE")
    assert (b"\\Drafts", b"\\HasNoChildren") in [one[0] for one in reader.list_folders()]
    assert [name for _, _, name in reader.list_folders(pattern="E%")] == ["Entwürfe"]
    assert [name for _, _, name in reader.list_sub_folders()] == ["Archive/2026", "INBOX"]
    assert reader.find_special_folder(b"\\Drafts") == "Entwürfe"
    assert reader.folder_exists("Sent")
    status = reader.folder_status("INBOX", ["MESSAGES", "UNSEEN", "SIZE", "HIGHESTMODSEQ"])
    assert status[b"MESSAGES"] == 3
    assert status[b"SIZE"] == len(PLAIN + MIXED + OLD)
    for method, arguments in [("sort", ["DATE"]), ("thread", []), ("xlist_folders", [])]:
        with pytest.raises(CapabilityError):
            getattr(reader, method)(*arguments)


def test_imapclient_searches(reader: imapclient.IMAPClient) -> None:
    assert reader.search() == [1, 2, 3]
    assert reader.search(["UNSEEN", "FROM", "ben"]) == [3]
    assert reader.search(["SUBJECT", "Müller"], charset="UTF-8") == [2]
    assert reader.search(["NOT", ["OR", "SEEN", "KEYWORD", "work"]]) == [1]
    assert reader.search(["MODSEQ", "1"]).modseq
    assert reader.search(["SINCE", datetime(2026, 2, 7, tzinfo=UTC).date()]) == [2, 3]


def test_imapclient_fetches_every_item(reader: imapclient.IMAPClient) -> None:
    items = [
        *("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY", "UID"),
        *("BODY.PEEK[]", "BODY.PEEK[1]", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "BODY.PEEK[]<5.4>"),
        *("RFC822.HEADER", "BODY.PEEK[TEXT]", "BODY.PEEK[2.MIME]", "MODSEQ"),
    ]
    found = reader.fetch([2], items)[2]
    assert found[b"BODY[]"] == MIXED
    assert found[b"BODY[1]"] == b"Text with \xc3\xbc"
    assert found[b"BODY[]<5>"] == MIXED[5:9]
    assert found[b"BODY[HEADER.FIELDS (SUBJECT)]"] == (b"Subject: =?utf-8?q?M=C3=BCller?=\r\n\r\n")
    assert found[b"RFC822.HEADER"] + found[b"BODY[TEXT]"] == MIXED
    assert b"filename=a.png" in found[b"BODY[2.MIME]"]
    assert found[b"ENVELOPE"].message_id == b"<2@example.org>"
    assert found[b"ENVELOPE"].from_[0].mailbox == b"j"
    assert found[b"BODYSTRUCTURE"].is_multipart
    assert found[b"BODYSTRUCTURE"][0][1][:2] == (b"image", b"png")
    assert found[b"RFC822.SIZE"] == len(MIXED)
    assert reader.fetch([1, 2, 3], ["FLAGS"], modifiers=["CHANGEDSINCE 3"]).keys() == {3}
    assert reader.get_flags([1]) == {1: ()}
    assert reader.fetch([1], ["RFC822"])[1][b"FLAGS"] == (b"\\Seen",)
    assert reader.fetch([1, 99], ["UID"]).keys() == {1}


def test_imapclient_changes_messages(reader: imapclient.IMAPClient) -> None:
    assert reader.add_flags([1], [imapclient.FLAGGED, "k"])[1] == (b"\\Flagged", b"k")
    assert reader.remove_flags([1], ["k"])[1] == (b"\\Flagged",)
    assert reader.set_flags([1], [b"\\Draft"], silent=True) is None
    assert reader.get_flags([1])[1] == (b"\\Draft",)
    reader.copy([1, 2], "Archive")
    assert b"APPENDUID" in reader.append("INBOX", PLAIN, ["\\Seen"], datetime(2026, 3, 1))  # noqa: DTZ001 it takes both
    assert b"APPENDUID 1000 5:6" in reader.multiappend("INBOX", [PLAIN, OLD])[1][0]
    assert reader.search("NOT UID 1:3") == [4, 5, 6]
    reader.move([4], "Archive")
    reader.delete_messages([5, 6])
    reader.uid_expunge([6])
    assert reader.search() == [1, 2, 3, 5]
    _, replies = reader.expunge()
    assert replies[0] == (4, b"EXPUNGE")
    reader.expunge([1])
    reader.close_folder()
    assert reader.select_folder("Archive", readonly=True)[b"READ-ONLY"] == [b""]
    reader.unselect_folder()


def test_imapclient_manages_folders(reader: imapclient.IMAPClient) -> None:
    reader.create_folder("Neu & Co/x")
    reader.rename_folder("Neu & Co", "Älter")
    reader.subscribe_folder("Älter/x")
    assert reader.folder_exists("Älter/x")
    reader.unsubscribe_folder("Älter/x")
    reader.delete_folder("Älter/x")
    assert not reader.folder_exists("Älter/x")
    assert reader.noop()[0] == b"Done"


def test_imapclient_idles(
    reader: imapclient.IMAPClient, plain: Callable[[], imapclient.IMAPClient]
) -> None:
    other = plain()
    other.login("ann", "secret")
    reader.idle()
    other.append("INBOX", PLAIN)
    assert (4, b"EXISTS") in reader.idle_check(timeout=TIMEOUT)
    reader.idle_done()
    assert reader.search() == [1, 2, 3, 4]


# -- imaplib


def test_imaplib_does_all_it_knows(server: Server) -> None:
    with imaplib.IMAP4(server.host, server.port, timeout=TIMEOUT) as client:
        client.authenticate("PLAIN", lambda _: b"\0ann\0secret")
        assert client.enable("CONDSTORE")[0] == "OK"
        assert client.select("INBOX") == ("OK", [b"3"])
        assert client.search(None, "UNSEEN")[1] == [b"1 3"]
        assert client.fetch("2", "(UID BODY.PEEK[1])")[1][0][1] == b"Text with \xc3\xbc"
        assert client.store("1", "+FLAGS", "(\\Deleted)")[1] == [
            b"1 (UID 1 FLAGS (\\Deleted) MODSEQ (5))"
        ]
        assert client.uid("COPY", "1", "Sent")[0] == "OK"
        assert client.expunge()[1] == [b"1"]
        assert client.status("INBOX", "(MESSAGES UNSEEN)")[1] == [b'"INBOX" (MESSAGES 2 UNSEEN 1)']
        assert client.append("Sent", "\\Seen", '"01-Mar-2026 10:00:00 +0000"', PLAIN)[0] == "OK"
        assert client.list()[1][0] == b'(\\HasNoChildren) "/" "INBOX"'
        assert client.lsub()[0] == "OK"
        assert client.namespace()[1] == [b'(("" "/")) NIL NIL']
        for command in ("check", "noop", "unselect"):
            assert getattr(client, command)()[0] == "OK"
        assert client.create('"a b"')[0] == client.rename('"a b"', "c")[0] == "OK"
        assert client.subscribe("c")[0] == client.unsubscribe("c")[0] == client.delete("c")[0]
        assert client.select("c")[0] == "NO"
        assert client.select("INBOX", readonly=True)[0] == "OK"
        assert client.close()[0] == "OK"


# -- curl


@pytest.fixture
def curl(server: Server) -> Callable[..., bytes]:
    """Return a function that runs curl and gives what it prints."""
    program = shutil.which("curl")
    if program is None:
        missing("curl is missing; install it: apt-get install curl")
    help_ = subprocess.run([program, "--version"], capture_output=True, check=True, text=True)
    if " imap " not in help_.stdout:
        missing("this curl speaks no IMAP; install another: apt-get install curl")

    def run(path: str, *options: str, user: str = "ann:secret", code: int = 0) -> bytes:
        command = [program, "-sS", "--noproxy", "*", "-m", str(TIMEOUT), "-u", user, *options]
        done = subprocess.run(
            [*command, f"imap://{server.host}:{server.port}/{path}"],
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    return run


def test_curl_reads(curl: Callable[..., bytes]) -> None:
    assert b'* LIST (\\Sent \\HasNoChildren) "/" "Sent"\r\n' in curl("")
    assert curl("INBOX;UID=2") == MIXED
    assert curl("INBOX;MAILINDEX=3") == OLD
    assert curl("INBOX;UID=1;SECTION=TEXT") == b"Hello\r\n"
    assert curl("INBOX;UID=2/;SECTION=1") == b"Text with \xc3\xbc"
    assert curl("INBOX?FROM%20ben") == b"* SEARCH 3\r\n"
    assert curl("INBOX", "-X", "SEARCH ALL") == b"* SEARCH 1 2 3\r\n"
    assert b"FETCH (FLAGS (\\Seen))" in curl("INBOX", "-X", "FETCH 2 FLAGS")
    assert b"MESSAGES 3" in curl("", "-X", "STATUS INBOX (MESSAGES)")


def test_curl_signs_in_in_every_way(curl: Callable[..., bytes]) -> None:
    for mechanism in ("PLAIN", "LOGIN"):
        assert curl("INBOX;UID=3", "--login-options", f"AUTH={mechanism}") == OLD
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        options = ("--oauth2-bearer", "t0ken", "--login-options", f"AUTH={mechanism}")
        assert curl("INBOX;UID=3", *options) == OLD
        curl("INBOX;UID=3", "--oauth2-bearer", "wrong", *options[2:], code=67)
    assert curl("INBOX;UID=3", "--sasl-ir") == OLD
    curl("INBOX", user="ann:wrong", code=67)


def test_curl_uploads(curl: Callable[..., bytes], tmp_path: Path) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(PLAIN)
    curl("Sent", "-T", str(message))
    assert curl("Sent;UID=1") == PLAIN


# -- mailframe


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mailframe_reads_over_any_line(
    request: pytest.FixtureRequest, certificates: Certificates, security: str
) -> None:
    name = {"none": "server", "starttls": "starttls_server", "tls": "tls_server"}[security]
    server = request.getfixturevalue(name)
    context = None if security == "none" else certificates.good.client_context()
    with mf.connect(
        "localhost", "ann", password="secret", port=server.port, security=security,
        ssl_context=context,
    ) as session:  # fmt: skip
        assert session.headers()["subject"].tolist() == ["Three", "Müller", "One"]
        assert session.bodies("FROM j@")["text"].tolist() == ["Text with ü"]
        assert session.attachments()["filename"].tolist() == ["a.png"]
        assert session.count(folder="*") == 3


def test_the_first_example_runs_unchanged(tls_server: Server, certificates: Certificates) -> None:
    client = IMAPClient(readonly=True)
    client.connect(
        host="localhost",
        port=tls_server.port,
        use_ssl=True,
        ssl_context=certificates.good.client_context(),
    )
    client.authenticate(username="ann", password="secret")
    client.select_folder("INBOX")
    emails = client.fetch_emails(criteria="ALL", limit=2, fetch_body=True)
    assert [(one.subject, one.text) for one in emails] == [
        ("Three", "Old news\n"),
        ("Müller", "Text with ü"),
    ]
    assert client.fetch_emails(criteria="UNSEEN", limit=10, fetch_body=False)[0].subject == "Three"
    client.disconnect()


def test_the_second_example_signs_in_by_token(server: Server) -> None:
    client = IMAPClient(readonly=True)
    client.connect(host=server.host, port=server.port, use_ssl=False)
    client.authenticate_oauth2(username="ann", auth_string=sasl_xoauth2("ann", "t0ken"))
    client.select_folder("INBOX")
    assert len(client.fetch_emails()) == 3
    client.disconnect()


FRAMES: dict[str, Callable[[mf.Session], Any]] = {
    "headers": lambda session: session.headers(folder="*"),
    "bodies": lambda session: session.bodies(folder="*", html=True),
    "attachments": lambda session: session.attachments(folder="*"),
    "recipients": lambda session: session.recipients(folder="*"),
    "hops": lambda session: session.hops(folder="*"),
}


@pytest.fixture(scope="module")
def files_and_demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[mf.Session, mf.Session]]:
    """Open the project's own messages as an mbox, and serve the same mbox."""
    path = tmp_path_factory.mktemp("mail") / "mail.mbox"
    path.write_bytes(
        b"".join(
            b"From ann@example.org Sat Feb  7 10:00:00 2026\n"
            + raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
            + b"\n\n"
            for raw in (PLAIN, MIXED, HOP + OLD)
        )
    )
    with mf.open(path) as files, mf.demo(path=path) as demo:
        yield files, demo


@pytest.mark.parametrize("name", FRAMES)
def test_a_served_file_gives_the_same_frames(
    files_and_demo: tuple[mf.Session, mf.Session], name: str
) -> None:
    files, demo = (FRAMES[name](one) for one in files_and_demo)
    assert len(files)
    # What IMAP says of a part in base64 leaves room for a byte more or less.
    own = ["account", "folder", "uidvalidity", "size_exact", "attachment_size"]
    own += ["size"] if name == "attachments" else []
    left = [column for column in files if column not in own]
    assert files[left].equals(demo[left])
