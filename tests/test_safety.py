"""What must never happen (DESIGN section 6), as far as the IMAP side can make it happen."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import re
import traceback
from typing import TYPE_CHECKING, Any

import imap_tools
import pytest

import mailframe as mf
from mailframe.criteria import Q, to_tree
from mailframe.exceptions import (
    AuthenticationError,
    CertificateError,
    ConnectionFailedError,
    InsecureLoginError,
    MailframeError,
    UidValidityError,
)
from mailframe.imap import IMAPClient, ImapSource, sasl_xoauth2
from tests.imap.replies import MIXED, MIXED_HEADER, fetched, message
from tests.imap.test_search import NOW
from tests.rigs import messages
from tests.rigs import scripted as rig
from tests.rigs.scripted import ScriptedServer, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot

    Scripted = Callable[..., ScriptedServer]

USER = "me@example.com"
MARK = "Zk9xQ7w"
LONG = f"{MARK}-tV4bN8s"
#: Secrets that no text of ours may show, also quoted, escaped, encoded or in part.
SECRETS = [MARK, f'{MARK}"\\tail', f"{MARK}-ü€"]

WAYS = {
    "LOGIN": "IMAP4rev1",
    "PLAIN": "IMAP4rev1 AUTH=PLAIN SASL-IR",
    "PLAIN asked": "IMAP4rev1 AUTH=PLAIN",
    "XOAUTH2": "IMAP4rev1 AUTH=XOAUTH2 SASL-IR",
    "XOAUTH2 asked": "IMAP4rev1 AUTH=XOAUTH2",
}


def sign_in(client: IMAPClient, way: str, secret: str, user: str = USER) -> None:
    if way.startswith("XOAUTH2"):
        client.authenticate_oauth2(user, sasl_xoauth2(user, secret))
    else:
        client.authenticate(user, secret)


def forms(secret: str) -> list[str]:
    """Return the secret in every form in which it crosses the wire."""
    plain = f"\0{USER}\0{secret}".encode()
    bearer = sasl_xoauth2(USER, secret).encode()
    return [MARK, *(base64.b64encode(text).decode() for text in (plain, bearer, secret.encode()))]


def shown(error: BaseException) -> str:
    """Return all that a person may come to see of an error, in a traceback, a log or a file."""
    texts = ["".join(traceback.format_exception(error)), repr(pickle.dumps(error))]
    texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
    return "\n".join(texts)


def kept_behind(error: BaseException) -> str:
    """Return all that the errors behind an error hold, shown or not: a debugger would find it."""
    texts = []
    chain = [error.__cause__, error.__context__]
    while chain:
        one = chain.pop()
        if one is not None:
            texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
            chain += [one.__cause__, one.__context__]
    return "\n".join(texts)


@pytest.fixture
def client() -> Iterator[IMAPClient]:
    with IMAPClient() as client:
        yield client


def enter(client: IMAPClient, server: Any, user: str = USER) -> ImapSource:
    """Sign in and open the INBOX; return the same connection as a source."""
    context = getattr(server, "ssl_context", None)
    client.connect(server.host, server.port, use_ssl=False, ssl_context=context, timeout=5)
    client.authenticate(user, getattr(server, "password", "secret"))
    client.connection.select("INBOX")
    return ImapSource(client.connection)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make 127.0.0.1 look like another machine."""
    monkeypatch.setattr("mailframe.imap.connection.is_local", lambda _host: False)


# -- a certificate not verified


@pytest.mark.parametrize("kind", ["good", "wrong_name", "expired", "self_signed"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_is_not_trusted_gets_no_word_from_us(
    scripted: Scripted, certificates: Certificates, kind: str, security: str
) -> None:
    # "good" is so only for whoever knows its authority, which nobody does by default.
    server = scripted(security=security, certificate=getattr(certificates, kind))
    with pytest.raises(CertificateError):
        mf.connect("127.0.0.1", USER, password=MARK, port=server.port, security=security, timeout=5)
    assert not [name for name in ("LOGIN", "AUTHENTICATE", "ID") if server.commands(name)]
    assert MARK.encode() not in server.clear_text


def test_the_client_verifies_certificates_by_default(
    scripted: Scripted, client: IMAPClient
) -> None:
    server = scripted(security="tls")
    with pytest.raises(CertificateError):
        client.connect(server.host, server.port)
    assert server.received == []


# -- a password sent without TLS


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_not_sent_in_clear_text_to_another_machine(
    scripted: Scripted, client: IMAPClient, way: str
) -> None:
    server = scripted(capabilities=WAYS[way])
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    with pytest.raises(InsecureLoginError):
        sign_in(client, way, MARK)
    assert not [form for form in forms(MARK) if form.encode() in server.clear_text]


@pytest.mark.usefixtures("far_away")
def test_a_session_does_not_send_a_password_in_clear_text_to_another_machine(
    scripted: Scripted,
) -> None:
    server = scripted()
    with pytest.raises(InsecureLoginError):
        mf.connect(server.host, USER, password=MARK, port=server.port, security="none", timeout=5)
    assert MARK.encode() not in server.clear_text


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize("injected", [b"", b"* OK go on\r\n"])
def test_stripping_or_spoiling_starttls_yields_no_password(
    scripted: Scripted, injected: bytes
) -> None:
    stripped = not injected
    server = scripted(security="none" if stripped else "starttls", after_starttls=injected)
    with pytest.raises(ConnectionFailedError):
        mf.connect(
            server.host, USER, password=MARK, port=server.port, security="starttls", timeout=5
        )
    assert MARK.encode() not in server.clear_text


# -- a secret in a log, a repr, an exception


def refuse(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    hear(args, connection)
    return b"<tag> NO [AUTHENTICATIONFAILED] wrong\r\n"


def cut(_tag: bytes, args: bytes, connection: rig.Connection) -> None:
    hear(args, connection)
    connection.close()


def reset(_tag: bytes, args: bytes, connection: rig.Connection) -> None:
    hear(args, connection)
    connection.reset()


def echo(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    return b"<tag> NO cannot log in with " + hear(args, connection) + b"\r\n"


def echo_bad(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    return b"<tag> BAD syntax error: " + hear(args, connection) + b"\r\n"


def echo_throttled(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    return b"<tag> NO [LIMIT] too often: " + hear(args, connection) + b"\r\n"


def echo_goodbye(_tag: bytes, args: bytes, connection: rig.Connection) -> None:
    connection.send(b"* BYE I do not like " + hear(args, connection) + b"\r\n")
    connection.close()


def echo_garbage(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    # Read up to the first blank, this is a tag that was never sent.
    return hear(args, connection).replace(b" ", b"_") + b" OK what\r\n"


def echo_no_imap(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    return b" " + hear(args, connection) + b"\r\n"


def echo_report(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
    report = json.dumps({"status": "400", "token": hear(args, connection).decode("latin-1")})
    connection.send(b"+ " + base64.b64encode(report.encode()) + b"\r\n")
    connection.read_line()
    return b"<tag> NO refused\r\n"


def hear(args: bytes, connection: rig.Connection) -> bytes:
    """Take what the client sends, and return all of it that a server could repeat, in a line."""
    if args in {b"PLAIN", b"XOAUTH2"}:
        connection.send(b"+ \r\n")
        args += b" " + connection.read_line()
    encoded = args.rpartition(b" ")[2]
    decoded = b""
    if re.fullmatch(rb"[A-Za-z0-9+/]+=*", encoded) and len(encoded) % 4 == 0:
        decoded = base64.b64decode(encoded)
    return re.sub(rb"[\r\n]+", b" ", args + b" " + decoded)


FAILURES = [refuse, cut, reset, echo, echo_bad, echo_throttled, echo_goodbye, echo_garbage,
            echo_no_imap]  # fmt: skip
LOGINS = [
    *((does, way, MARK) for does in FAILURES for way in WAYS),
    *((echo_report, way, MARK) for way in WAYS if way != "LOGIN"),  # LOGIN has no challenges
    *((echo, way, secret) for way in ("LOGIN", "PLAIN", "XOAUTH2") for secret in SECRETS[1:]),
    *((echo_goodbye, "LOGIN", secret) for secret in SECRETS[1:]),
]
EVERY_LOGIN = pytest.mark.parametrize(
    ("server_does", "way", "secret"),
    LOGINS,
    ids=[f"{does.__name__}-{way}-{SECRETS.index(secret)}" for does, way, secret in LOGINS],
)


def failed_login(
    server: ScriptedServer, client: IMAPClient, way: str, secret: str
) -> MailframeError:
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    with pytest.raises(MailframeError) as caught:
        sign_in(client, way, secret)
    return caught.value


@EVERY_LOGIN
def test_a_login_that_fails_shows_no_secret(
    scripted: Scripted,
    client: IMAPClient,
    caplog: pytest.LogCaptureFixture,
    server_does: rig.Function,
    way: str,
    secret: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    handlers = {"LOGIN": server_does, "AUTHENTICATE": server_does}
    error = failed_login(scripted(handlers, capabilities=WAYS[way]), client, way, secret)
    seen = shown(error) + caplog.text + repr(client) + repr(client.connection)
    assert not [form for form in forms(secret) if form in seen]


@EVERY_LOGIN
def test_a_login_that_fails_keeps_no_secret_in_the_errors_behind_it(
    scripted: Scripted, client: IMAPClient, server_does: rig.Function, way: str, secret: str
) -> None:
    handlers = {"LOGIN": server_does, "AUTHENTICATE": server_does}
    error = failed_login(scripted(handlers, capabilities=WAYS[way]), client, way, secret)
    kept = kept_behind(error)
    assert not [form for form in forms(secret) if form in kept]


@pytest.mark.parametrize(
    "echoed",
    [LONG.upper(), LONG[:9], LONG[3:], base64.b64encode(LONG.encode()).decode()],
    ids=["in capitals", "its beginning", "its end", "in base64"],
)
@pytest.mark.parametrize("way", ["LOGIN", "PLAIN"])
def test_a_part_of_a_secret_is_as_secret(
    scripted: Scripted, client: IMAPClient, way: str, echoed: str
) -> None:
    words = f"<tag> NO [AUTHENTICATIONFAILED] not so: <{echoed}> for {USER}\r\n".encode()
    server = scripted({"LOGIN": words, "AUTHENTICATE": words}, capabilities=WAYS[way])
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    with pytest.raises(AuthenticationError) as caught:
        client.authenticate(USER, LONG)
    assert echoed not in shown(caught.value) + kept_behind(caught.value)
    assert caught.value.reply.startswith("NO [AUTHENTICATIONFAILED] not so: <")
    assert caught.value.reply.endswith(f"> for {USER}")


@pytest.mark.parametrize("secret", [f"{MARK}\udce9", f"{MARK}\r\nX", f"{MARK}\0"], ids=ascii)
@pytest.mark.parametrize("way", ["LOGIN", "PLAIN"])
def test_a_secret_that_cannot_be_sent_is_not_shown_either(
    scripted: Scripted, client: IMAPClient, way: str, secret: str
) -> None:
    server = scripted(capabilities=WAYS[way])
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    with pytest.raises(MailframeError) as caught:
        client.authenticate(USER, secret)
    assert MARK not in shown(caught.value) + kept_behind(caught.value)
    assert MARK.encode() not in server.clear_text


@pytest.mark.parametrize("token", [MARK, f"Bearer {MARK}", f"user={MARK}"])
def test_a_token_that_is_no_sasl_string_is_not_shown(
    scripted: Scripted, client: IMAPClient, token: str
) -> None:
    server = scripted(capabilities=WAYS["XOAUTH2"])
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    with pytest.raises(MailframeError) as caught:
        client.authenticate_oauth2(USER, token)
    assert MARK not in shown(caught.value) + kept_behind(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_a_login_that_succeeds_leaves_no_secret_behind(
    scripted: Scripted, client: IMAPClient, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server = scripted(capabilities=WAYS[way], messages={1: message()})
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    sign_in(client, way, MARK)
    client.select_folder()
    client.fetch_emails(fetch_body=True)
    connection = client.connection
    kept = [repr(vars(one)) for one in (client, connection, connection.wire, connection.mailbox)]
    seen = caplog.text + repr(client) + "".join(kept)
    assert not [form for form in forms(MARK) if form in seen]


def test_a_session_shows_no_secret(
    scripted: Scripted, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MAILFRAME_PASSWORD", MARK)
    server = scripted(messages={1: message()})
    with mf.connect(server.host, USER, port=server.port, security="none", timeout=5) as session:
        frame = session.headers()
        seen = repr(session) + session._repr_html_() + repr(frame) + repr(frame.attrs)
    assert MARK.encode() in server.clear_text
    assert MARK not in seen + caplog.text


def test_the_dialogue_after_a_login_shows_no_secret_to_imaplibs_debugging(
    scripted: Scripted, client: IMAPClient, capsys: pytest.CaptureFixture[str]
) -> None:
    client.connect((server := scripted()).host, server.port, use_ssl=False, timeout=5)
    client.connection.wire.debug = 5
    client.authenticate(USER, MARK)
    client.disconnect()
    printed = capsys.readouterr()
    assert MARK not in printed.out + printed.err


# -- a line break or NUL reaching the wire

BREAKS = ["\r\nX9 LOGOUT", "\nX9 LOGOUT", "\rX9 LOGOUT", "\0"]


def raw_operator(text: str) -> Any:
    """Return imap-tools' own object, which renders whatever it is given."""
    return imap_tools.AND(subject=text)


@pytest.mark.parametrize("text", BREAKS, ids=ascii)
@pytest.mark.parametrize(
    "criteria",
    [
        lambda text: Q(subject=f"a{text}"),
        lambda text: Q(header={"X-A": f"a{text}"}),
        lambda text: Q(header={f"X-A{text}": True}),
        lambda text: Q(keyword=f"a{text}"),
        lambda text: Q(uid=f"1{text}"),
        lambda text: ~Q(from_=["ok", f"ü{text}"]),
        lambda text: f'SUBJECT "a{text}"',
        lambda text: f"SEEN{text}",
        lambda text: f"KEYWORD a{text}",
        lambda text: raw_operator(f"a{text}"),
        lambda text: imap_tools.OR(raw_operator(f"a{text}"), imap_tools.AND(seen=True)),
        lambda text: imap_tools.AND(header=imap_tools.H("X-A", f"a{text}")),
    ],
    ids=["Q", "header", "field", "keyword", "uid", "not", "string", "bare", "atom", "AND", "OR",
         "H"],
)  # fmt: skip
def test_a_line_break_in_criteria_never_reaches_the_wire(
    scripted: Scripted,
    client: IMAPClient,
    criteria: Callable[[str], Any],
    text: str,
) -> None:
    server = scripted(messages={1: message()})
    enter(client, server)
    before = list(server.received)
    with pytest.raises(MailframeError):
        client.search(criteria(text))
    assert server.received == before


@pytest.mark.parametrize("text", BREAKS, ids=ascii)
def test_a_line_break_in_a_folders_name_never_reaches_the_wire(
    scripted: Scripted,
    client: IMAPClient,
    text: str,
) -> None:
    server = scripted()
    enter(client, server)
    before = list(server.received)
    for call in (client.select_folder, client.folder_status):
        for name in (f"a{text}", text, f"ü{text}", f"&{text}"):
            with pytest.raises(MailframeError):
                call(name)
    assert server.received == before


@pytest.mark.parametrize("text", BREAKS, ids=ascii)
@pytest.mark.parametrize(
    "change",
    [
        lambda client, text: client.set_flags([1], f"a{text}"),
        lambda client, text: client.set_flags([1], remove=f"\\Seen{text}"),
        lambda client, text: client.move([1], f"a{text}"),
        lambda client, text: client.copy([1], f"ü{text}"),
        lambda client, text: client.append(b"Subject: x\r\n\r\n", f"a{text}"),
        lambda client, text: client.append(b"Subject: x\r\n\r\n", flags=f"a{text}"),
        lambda client, text: client.append(f"Subject: x\0{text}".encode(), "INBOX"),
        lambda client, text: client.create_folder(f"a{text}"),
        lambda client, text: client.rename_folder("a", f"b{text}"),
        lambda client, text: client.delete_folder(f"a{text}"),
        lambda client, text: client.subscribe(f"a{text}"),
    ],
    ids=["flag", "flag off", "target", "copy", "append to", "append flag", "append NUL", "create",
         "rename", "delete", "subscribe"],
)  # fmt: skip
def test_a_line_break_in_what_changes_mail_never_reaches_the_wire(
    scripted: Scripted,
    client: IMAPClient,
    change: Callable[[IMAPClient, str], Any],
    text: str,
) -> None:
    server = scripted(messages={1: message()}, folders=[b"INBOX", b"a"])
    enter(client, server)
    client.readonly = False
    before = list(server.received)
    with pytest.raises(MailframeError):
        change(client, text)
    assert server.received == before


@pytest.mark.parametrize("text", BREAKS, ids=ascii)
@pytest.mark.parametrize("way", WAYS)
def test_a_line_break_in_a_user_name_or_secret_never_reaches_the_wire(
    scripted: Scripted, client: IMAPClient, way: str, text: str
) -> None:
    server = scripted(capabilities=WAYS[way])
    client.connect(server.host, server.port, use_ssl=False, timeout=5)
    before = list(server.received)
    for username, secret in ((f"me{text}", "secret"), ("me", f"secret{text}")):
        with pytest.raises(MailframeError):
            sign_in(client, way, secret, username)
    with pytest.raises(MailframeError):
        client.authenticate_oauth2(f"me{text}", sasl_xoauth2("me", "secret"))
    assert server.received == before


def test_a_line_break_in_a_part_number_never_reaches_the_wire(
    scripted: Scripted,
    client: IMAPClient,
) -> None:
    server = scripted(messages={1: message(structure=MIXED, header=MIXED_HEADER)})
    enter(client, server)
    for text in BREAKS:
        with pytest.raises(MailframeError):
            client.fetch_attachment(1, f"2{text}")
    assert not [line for line in server.received if b"X9" in line or b"\0" in line]


# -- a flag changed by reading


def read_all(client: IMAPClient, source: ImapSource, folder: str) -> None:
    """Call every method that reads."""
    client.list_folders()
    client.folder_status(folder)
    client.select_folder(folder)
    client.search("UNSEEN")
    client.search(Q(has_attachment=True) | Q(sent_since="30d"))
    for email in client.fetch_emails() + client.fetch_emails(fetch_body=True):
        for attachment in email.attachments:
            client.fetch_attachment(email, attachment)
    list(source.folders())
    selection = source.search(folder, to_tree("ALL", NOW))
    for what in ("headers", "recipients", "attachments", "dates"):
        list(source.headers(selection, what))
    list(source.parts(selection, html=True))
    for uid in selection.uids:
        source.message(folder, uid)


@pytest.mark.parametrize("readonly", [True, False])
def test_no_reading_method_changes_a_flag(
    dovecot: Dovecot,
    user: str,
    client: IMAPClient,
    *,
    readonly: bool,
) -> None:
    dovecot.deliver(user, [(messages.plain(1), ["\\Flagged", "$Todo"], None)])
    # Two of these are suspicious, and read whole.
    odd = [messages.multipart("mixed", number=7), messages.plain(8, from_="")]
    dovecot.deliver(user, [*messages.many(6), *odd])
    client.readonly = readonly
    source = enter(client, dovecot, user)
    before = dovecot.flags(user)
    read_all(client, source, "INBOX")
    assert dovecot.flags(user) == before


def test_new_mail_stays_new_under_reading(
    dovecot: Dovecot,
    user: str,
    client: IMAPClient,
) -> None:
    dovecot.deliver(user, messages.many(3), recent=True)
    before = dovecot.flags(user)
    source = enter(client, dovecot, user)
    read_all(client, source, "INBOX")
    assert dovecot.flags(user) == before


def test_reading_sends_nothing_that_could_change_a_flag(
    scripted: Scripted, client: IMAPClient
) -> None:
    whole = MIXED_HEADER + b"--b\r\n\r\nHello.\r\n--b--\r\n"
    parts = {b"1": literal(b"Hello.\r\n"), b"2": literal(b"UERG"), b"": literal(whole)}
    stored = {
        1: message(1, parts=parts),
        2: message(2, structure=MIXED, header=MIXED_HEADER, parts=parts),
        3: message(3, structure=b"NIL", parts=parts),
    }
    status = b"* STATUS INBOX (MESSAGES 3)\r\n<tag> OK done\r\n"
    server = scripted({"STATUS": status}, messages=stored)
    read_all(client, enter(client, server), "INBOX")
    client.disconnect()
    names = {rig.parse_command(line)[1] for line in server.received}
    assert names == {
        "CAPABILITY", "LOGIN", "ID", "EXAMINE", "LIST", "STATUS", "UID SEARCH", "UID FETCH",
        "LOGOUT", "NAMESPACE",
    }  # fmt: skip
    fetches = b"\n".join(server.commands("UID FETCH"))
    assert b"BODY.PEEK[" in fetches
    assert not re.search(rb"BODY\[|BINARY\[|RFC822(?!\.SIZE)", fetches)


# -- messages lost, doubled or mixed up


def test_rows_of_two_uidvalidities_are_never_taken_for_one_folder(
    scripted: Scripted,
    client: IMAPClient,
) -> None:
    server = scripted(messages={1: message(1)}, uidvalidity=1)
    source = enter(client, server)
    selection = source.search("INBOX", to_tree("ALL", NOW))
    server.uidvalidity = 2
    source.search("Other", to_tree("ALL", NOW))
    asked = len(server.commands("UID FETCH"))
    for read in (source.headers, source.parts):
        with pytest.raises(UidValidityError, match="is 2, and was 1"):
            list(read(selection))
    assert len(server.commands("UID FETCH")) == asked


def test_rows_read_before_a_folder_was_renumbered_are_refused(scripted: Scripted) -> None:
    server = scripted(messages={1: message(1)}, uidvalidity=1)
    with mf.connect(
        server.host, USER, password="x", port=server.port, security="none", timeout=5
    ) as session:
        frame = session.headers(progress=False)
        server.uidvalidity = 2
        asked = len(server.commands("UID FETCH"))
        for read in (session.headers, session.bodies, session.attachments, session.recipients):
            with pytest.raises(UidValidityError):
                read(frame)
    assert len(server.commands("UID FETCH")) == asked


@pytest.mark.parametrize("hang_up", ["close", "reset"])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("method", ["headers", "bodies", "attachments", "recipients"])
def test_a_connection_cut_in_mid_fetch_gives_an_error_and_no_partial_frame(
    scripted: Scripted, method: str, place: int, hang_up: str
) -> None:
    def fetch(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        said = [fetched(uid, b"UID %d " % uid + message(uid)) for uid in (1, 2)]
        said.append(fetched(3, b"UID 3 " + message(3))[:-40])
        connection.send(b"".join(said[:place]))
        getattr(connection, hang_up)()

    server = scripted({"UID FETCH": fetch}, messages={uid: message(uid) for uid in (1, 2, 3)})
    with mf.connect(
        server.host, USER, password="x", port=server.port, security="none", timeout=5, reconnect=0
    ) as session:
        with pytest.raises(ConnectionFailedError):
            getattr(session, method)(progress=False)
        with pytest.raises(ConnectionFailedError):
            getattr(session, method)(progress=False)


def test_no_message_is_doubled_by_criteria_too_long_for_one_search(scripted: Scripted) -> None:
    server = scripted(messages={1: message(1), 2: message(2)})
    with mf.connect(
        server.host, USER, password="x", port=server.port, security="none", timeout=5
    ) as session:
        names = [f"somebody-with-a-long-name-{number}@example.org" for number in range(400)]
        frame = session.headers(Q(from_=names), progress=False)
    assert frame["uid"].tolist() == [2, 1]


# -- what would make the tests above prove nothing


def test_the_search_for_secrets_finds_them() -> None:
    outer = ConnectionFailedError("nothing here")
    assert MARK not in shown(outer) + kept_behind(outer)
    outer.__context__, outer.__suppress_context__ = ValueError(f"behind {MARK}"), True
    assert MARK not in shown(outer)
    assert MARK in kept_behind(outer)
    assert MARK in shown(ConnectionFailedError("x", reply=MARK))


@pytest.mark.usefixtures("far_away")
def test_a_greeting_that_skips_the_login_is_not_believed_in_clear_text(scripted: Scripted) -> None:
    server = scripted(greeting=b"* PREAUTH welcome, whoever you are\r\n")
    with pytest.raises(InsecureLoginError):
        mf.connect(server.host, USER, password=MARK, port=server.port, security="none", timeout=5)
    assert not server.commands("EXAMINE")
