"""The dialogue as log lines: all of it, legible, and without the secret."""

from __future__ import annotations

import base64
import logging
import re
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.cli import main
from mailframe.exceptions import MailframeError
from mailframe.imap import trace
from mailframe.imap.auth import log_in, log_in_oauth2, sasl_xoauth2
from tests.imap.replies import message
from tests.rigs.scripted import literal
from tests.test_safety import hear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.connection import Connection
    from tests.rigs import scripted as rig
    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]
    Lines = Callable[[], list[str]]

LOGGER = "mailframe.imap.trace"
USER = "me@example.com"
MARK = "Zk9xQ7wRt5"
SECRETS = [MARK, f'{MARK}"\\tail', f"{MARK}-ü€", f"{MARK} {MARK}", f"{MARK}{{3}}"]
USERS = [USER, f'"{MARK}"\\', f"{MARK}-müller"]
PARTS = {b"1": literal(b"Hello.\r\n"), b"": literal(b"Subject: x\r\n\r\nHello.\r\n")}
WAYS = {
    "LOGIN": "IMAP4rev1 LITERAL+",
    "LOGIN waiting": "IMAP4rev1",
    "PLAIN": "IMAP4rev1 AUTH=PLAIN SASL-IR",
    "PLAIN asked": "IMAP4rev1 AUTH=PLAIN",
    "XOAUTH2": "IMAP4rev1 AUTH=XOAUTH2 SASL-IR",
    "XOAUTH2 asked": "IMAP4rev1 AUTH=XOAUTH2",
}


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == LOGGER]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Listen, and return a function that says what has been heard."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    return lambda: [record.getMessage() for record in records(caplog)]


def sign_in(connection: Connection, way: str, secret: str, user: str = USER) -> None:
    if way.startswith("XOAUTH2"):
        log_in_oauth2(connection, user, sasl_xoauth2(user, secret))
    else:
        log_in(connection, user, secret)


def leaks(lines: list[str]) -> list[str]:
    """Return the lines that hold the mark, in any case or in base64 from wherever."""
    return [
        line
        for line in lines
        if MARK.lower() in line.lower() or any(MARK in text for text in decoded(line))
    ]


def decoded(line: str) -> list[str]:
    """Return what the words of a line are if they are base64, read from each of four places."""
    pieces = [word[at:] for word in re.findall(r"[A-Za-z0-9+/]{8,}", line) for at in range(4)]
    whole = [piece[:-1] if len(piece) % 4 == 1 else piece for piece in pieces]
    padded = [piece + "=" * (-len(piece) % 4) for piece in whole]
    return [base64.b64decode(piece).decode("latin-1") for piece in padded]


# -- secrets


def test_the_search_for_leaks_finds_them() -> None:
    plain = base64.b64encode(f"\0{USER}\0{MARK}".encode()).decode()
    for line in (MARK, MARK.upper(), f"C: LOGIN x {MARK}", plain, f"C: {plain}", f"S: x{plain}"):
        assert leaks([line]) == [line]
    assert leaks(["C: LOGIN ***", "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN"]) == []


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_a_login_is_shown_by_its_name_alone(
    scripted: Scripted, connected: Connected, lines: Lines, way: str, secret: str, user: str
) -> None:
    server = scripted(capabilities=WAYS[way])
    sign_in(connected(server), way, secret, user)
    name = "LOGIN" if way.startswith("LOGIN") else "AUTHENTICATE"
    assert len([line for line in lines() if re.fullmatch(rf"C: \S+ {name} \*\*\*", line)]) == 1
    assert leaks(lines()) == []
    assert MARK.encode() in server.clear_text or name == "AUTHENTICATE"


@pytest.mark.parametrize("way", ["PLAIN asked", "XOAUTH2 asked"])
def test_an_answer_to_a_challenge_is_shown_as_such_and_without_what_it_says(
    scripted: Scripted, connected: Connected, lines: Lines, way: str
) -> None:
    sign_in(connected(scripted(capabilities=WAYS[way])), way, MARK)
    heard = lines()
    place = heard.index("C: ***")
    assert heard[place - 1].startswith("S: +")
    assert re.fullmatch(r"S: \S+ OK \*\*\*", heard[place + 1])


def said(template: bytes, *, hang_up: bool = False) -> rig.Function:
    """Return a handler of LOGIN and AUTHENTICATE that repeats all it was told at ``%b``."""

    def answer(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes | None:
        heard = hear(args, connection)
        text = template.replace(b"%l", literal(heard)).replace(b"%b", heard)
        text = text.replace(b"%_", heard.replace(b" ", b"_").replace(b'"', b""))
        if hang_up:
            connection.send(text)
            connection.close()
            return None
        return text

    return answer


ECHOES = {
    "tagged NO": said(b"<tag> NO not with %b\r\n"),
    "tagged BAD": said(b"<tag> BAD %b\r\n"),
    "tagged OK": said(b"<tag> OK [CAPABILITY IMAP4rev1] welcome %b\r\n"),
    "a kind of its own": said(b"<tag> %_ %b\r\n"),
    "untagged": said(b"* OK [ALERT] %b\r\n* NO %b\r\n<tag> NO refused\r\n"),
    "untagged data": said(b"* %_ %b\r\n* 1 %_\r\n<tag> NO refused\r\n"),
    "capabilities": said(b"* CAPABILITY IMAP4rev1 %b\r\n<tag> NO refused\r\n"),
    "a literal": said(b"* X (%l) x\r\n<tag> NO refused\r\n"),
    "a challenge": said(b"+ %b\r\n* BYE %b\r\n", hang_up=True),
    "BYE": said(b"* BYE %b\r\n", hang_up=True),
    "another tag": said(b"%_ OK done\r\n"),
    "no IMAP": said(b" %b\r\n"),
    "a line cut off": said(b"* BYE %b", hang_up=True),
}


@pytest.mark.parametrize("secret", SECRETS[:3])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", ECHOES)
def test_a_server_that_repeats_the_secret_while_it_is_told_is_not_repeated(
    scripted: Scripted, connected: Connected, lines: Lines, echo: str, way: str, secret: str
) -> None:
    server = scripted({"LOGIN": ECHOES[echo], "AUTHENTICATE": ECHOES[echo]}, capabilities=WAYS[way])
    connection = connected(server)
    try:
        sign_in(connection, way, secret)
    except MailframeError:
        assert echo != "tagged OK"
    connection.close()
    assert leaks(lines()) == []
    assert [line for line in lines() if line.endswith("***")]


@pytest.mark.parametrize("kind", ["OK", "NO", "BAD"])
def test_how_a_login_ended_is_shown(
    scripted: Scripted, connected: Connected, lines: Lines, kind: str
) -> None:
    reply = f"* CAPABILITY x\r\n* BYE {MARK}\r\n<tag> {kind} {MARK}\r\n".encode()
    connection = connected(scripted({"LOGIN": reply}, capabilities="IMAP4rev1"))
    if kind == "OK":
        log_in(connection, USER, MARK)
    else:
        with pytest.raises(MailframeError):
            log_in(connection, USER, MARK)
    heard = lines()
    assert "S: * CAPABILITY ***" in heard
    assert "S: * BYE ***" in heard
    assert [line for line in heard if re.fullmatch(rf"S: [A-Z]+\d+ {kind} \*\*\*", line)]


def test_what_follows_a_login_is_shown_in_full(
    scripted: Scripted, connected: Connected, lines: Lines
) -> None:
    connection = connected(scripted(capabilities_after_login="IMAP4rev1 X-AFTER"))
    log_in(connection, USER, MARK)
    assert "S: * CAPABILITY IMAP4rev1 X-AFTER" in lines()


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([b"LOGIN ", b'"me" "x"'], "LOGIN ***"),
        ([b"login me x"], "login ***"),
        ([b"A7 LOGIN me x"], "A7 LOGIN ***"),
        ([b"AUTHENTICATE ", b"PLAIN", b" ", b"AG1lAHg="], "AUTHENTICATE ***"),
        ([b"authenticate PLAIN AG1lAHg="], "authenticate PLAIN ***"),
        ([b"AUTHENTICATE OAUTHBEARER AG1lAHg="], "AUTHENTICATE OAUTHBEARER ***"),
        ([b"LOGIN"], "LOGIN ***"),
    ],
)
def test_a_login_is_known_however_it_is_cut_and_written(
    lines: Lines, pieces: list[bytes], shown: str
) -> None:
    trace.show_client(b"A1", pieces, [False] * len(pieces))
    assert lines() == [f"C: A1 {shown}"]


@pytest.mark.parametrize(
    "command", [b"EXAMINE LOGIN", b'UID SEARCH SUBJECT "LOGIN x"', b"LOGINS x", b"LOGOUT"]
)
def test_what_only_looks_like_a_login_is_shown(lines: Lines, command: bytes) -> None:
    trace.show_client(b"A1", [command[:8], command[8:]], [False, False])
    assert lines() == [f"C: A1 {command.decode()}"]


@pytest.fixture
def _said_once() -> Iterator[None]:
    """Undo what ``-v`` does to the logger."""
    dialogue = logging.getLogger(LOGGER)
    before = dialogue.handlers, dialogue.level
    yield
    dialogue.handlers = before[0]
    dialogue.setLevel(before[1])


@pytest.mark.usefixtures("_said_once")
@pytest.mark.parametrize("secret", SECRETS[:3])
@pytest.mark.parametrize("way", [way for way in WAYS if "XOAUTH2" not in way])
@pytest.mark.parametrize("status", [0, 1])
def test_the_command_lines_dialogue_holds_no_password(
    scripted: Scripted,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
    way: str,
    status: int,
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", secret)
    handlers = {"LOGIN": ECHOES["untagged"], "AUTHENTICATE": ECHOES["untagged"]}
    server = scripted(handlers if status else {}, capabilities=WAYS[way])
    assert main(["count", f"imap://me@127.0.0.1:{server.port}", "--verbose"]) == status
    printed = capsys.readouterr()
    name = "LOGIN" if way.startswith("LOGIN") else "AUTHENTICATE"
    assert f" {name} ***\n" in printed.err
    assert leaks([*printed.err.splitlines(), printed.out]) == []
    assert ("mailframe: Could not log in" in printed.err) is bool(status)


# -- the dialogue is complete


def commands_in(lines: list[str]) -> list[str]:
    return [line.removeprefix("C: ") for line in lines if line.startswith("C: ")]


def expected(server: ScriptedServer) -> list[str]:
    """Return what the server received as the trace shows it; logins by their name."""
    shown = []
    for line in server.received:
        text = re.sub(rb"\{(\d+)\+?\}\r\n", rb"{\1} ", line).decode()
        shown.append(re.sub(r" (LOGIN|AUTHENTICATE) .*", r" \1 ***", text))
    return shown


def untagged(command: str) -> str:
    return re.sub(r"\A[A-Z]{4}\d+ ", "", command)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 ESEARCH LITERAL+ ID NAMESPACE"])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_every_command_that_the_server_received_is_in_the_trace_in_order(
    scripted: Scripted,
    certificates: Certificates,
    lines: Lines,
    security: str,
    capabilities: str,
) -> None:
    server = scripted(
        security=security,
        capabilities=capabilities,
        messages={number: message(number, parts=PARTS) for number in range(1, 30)},
    )
    with mf.connect(
        server.host,
        USER,
        password=MARK,
        port=server.port,
        security=security,
        ssl_context=certificates.good.client_context() if security != "none" else None,
        timeout=5,
    ) as session:
        session.folders()
        session.headers(mf.Q(subject="Grüße"), folder="*", progress=False)
        session.bodies(progress=False)
        session.message(3)
    shown = commands_in(lines())
    sent = expected(server)
    assert list(map(untagged, shown)) == list(map(untagged, sent))
    # imaplib gives its own commands their tags after it has told us about them.
    tagless = {command for command in shown if untagged(command) == command}
    assert tagless <= {"CAPABILITY", "STARTTLS", "LOGOUT"}
    assert set(shown) - tagless <= set(sent)
    assert {"CAPABILITY", "LOGOUT"} <= tagless
    assert ("STARTTLS" in shown) is (security == "starttls")


def test_the_greeting_is_the_first_line(
    scripted: Scripted, connected: Connected, lines: Lines
) -> None:
    connected(scripted(greeting=b"* OK good morning\r\n"))
    assert lines()[0] == "S: * OK good morning"


def test_every_reply_is_in_the_trace(
    scripted: Scripted, connected: Connected, lines: Lines
) -> None:
    server = scripted(
        greeting=b"* OK good morning\r\n",
        capabilities="IMAP4rev1 X-BEFORE",
        capabilities_after_login="IMAP4rev1 X-AFTER",
    )
    connection = connected(server)
    log_in(connection, USER, MARK)
    connection.select("INBOX")
    connection.close()
    heard = lines()
    for reply in (
        "S: * OK good morning",
        "S: * CAPABILITY IMAP4rev1 X-AFTER",
        "S: * 0 EXISTS",
        "S: * CAPABILITY IMAP4rev1 X-BEFORE",
        "S: * BYE see you",
    ):
        assert reply in heard


def test_the_dialogue_with_a_real_server_is_shown(
    dovecot: Dovecot, user: str, connected: Connected, lines: Lines
) -> None:
    dovecot.deliver(user, [message_with("Hello.")])
    connection = connected(dovecot)
    log_in(connection, user, dovecot.password)
    connection.select("INBOX")
    heard = "\n".join(lines())
    assert re.search(r"^C: \S+ EXAMINE \"INBOX\"$", heard, re.MULTILINE)
    assert "S: * 1 EXISTS" in heard
    assert dovecot.password not in heard


def message_with(text: str) -> bytes:
    return f"Subject: x\r\n\r\n{text}\r\n".encode()


# -- who listens


def test_nothing_is_made_up_when_nobody_listens(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("a line was made that nobody reads")

    monkeypatch.setattr(trace, "show_client", fail)
    monkeypatch.setattr(trace, "show_server", fail)
    for capabilities in WAYS.values():
        if "XOAUTH2" in capabilities:
            continue
        server = scripted(capabilities=capabilities, messages={1: message()})
        with mf.connect(
            server.host, USER, password="ü", port=server.port, security="none", timeout=5
        ) as session:
            assert len(session.headers(progress=False)) == 1


def test_at_info_nothing_of_the_dialogue_is_logged(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connection = connected(scripted())
    log_in(connection, USER, MARK)
    connection.close()
    assert not trace.is_shown()
    assert records(caplog) == []
    assert caplog.records != []


def test_at_debug_every_line_is_a_record_of_that_level(
    scripted: Scripted, connected: Connected, lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    log_in(connected(scripted()), USER, MARK)
    assert trace.is_shown()
    assert {record.levelno for record in records(caplog)} == {logging.DEBUG}
    assert {line[:3] for line in lines()} == {"C: ", "S: "}


def test_one_may_begin_and_stop_listening_at_any_time(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connected(scripted())
    log_in(connection, USER, MARK)
    assert records(caplog) == []
    with caplog.at_level(logging.DEBUG, logger=LOGGER):
        connection.select("INBOX")
    heard = [record.getMessage() for record in records(caplog)]
    assert "EXAMINE" in heard[0]
    assert heard[-1].endswith("open")
    connection.select("INBOX")
    assert len(records(caplog)) == len(heard)


# -- legible


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "{0} "),
        (b"word", "{4} word"),
        ("Grüße".encode(), "{7} Grüße"),
        (b"x" * trace.SHOWN, f"{{100}} {'x' * 100}"),
        (b"x" * (trace.SHOWN + 1), "{101} <101 bytes>"),
    ],
)
def test_a_literal_of_ours_is_shown_if_it_is_short(
    lines: Lines, content: bytes, shown: str
) -> None:
    trace.show_client(b"A1", [b"UID SEARCH SUBJECT ", content, b" SEEN"], [False, True, False])
    assert lines() == [f"C: A1 UID SEARCH SUBJECT {shown} SEEN"]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", ""),
        (b"word", "word"),
        (b"x" * trace.SHOWN, "x" * 100),
        (b"x" * (trace.SHOWN + 1), "<101 bytes>"),
        (b"x" * 5_000_000, "<5000000 bytes>"),
    ],
    ids=len,
)
def test_a_literal_of_the_servers_is_shown_if_it_is_short(
    lines: Lines, content: bytes, shown: str
) -> None:
    begin = b"* 1 FETCH (BODY[] {%d}" % len(content)
    trace.show_server([begin, content, b" BODY[1] {1}", b"y", b")"])
    assert lines() == [f"S: {begin.decode()}{shown} BODY[1] {{1}}y)"]


def test_a_message_that_is_read_is_shown_by_its_size(
    dovecot: Dovecot, user: str, lines: Lines
) -> None:
    dovecot.deliver(user, [message_with("word " * 100)])
    with mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        assert "word word" in session.message(1).body
    assert [line for line in lines() if re.search(r"\{\d+\}<\d+ bytes>", line)]
    assert "word word" not in "\n".join(lines())


def test_a_line_is_cut_where_it_gets_too_long_and_its_length_told(lines: Lines) -> None:
    for length in (trace.LONGEST, trace.LONGEST + 1, 3_000_000):
        trace.show_server([b"*" * length])
        trace.show_client(b"", [b"*" * length], [False])
    whole, _, cut, _, cut_more, _ = heard = lines()
    assert heard[1::2] == [line.replace("S: ", "C: ") for line in heard[::2]]
    assert whole == "S: " + "*" * 2000
    assert cut == "S: " + "*" * 2000 + "… (2001 bytes)"
    assert cut_more == "S: " + "*" * 2000 + "… (3000000 bytes)"


def test_a_line_may_be_cut_within_a_character(lines: Lines) -> None:
    trace.show_server([b"x" * (trace.LONGEST - 1) + "ü".encode() * 2])
    assert lines()[0].startswith("S: " + "x" * 1999 + "\\xc3…")


CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029",
            *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]  # fmt: skip


@pytest.mark.parametrize("character", CONTROLS, ids=ascii)
def test_a_character_that_rules_a_terminal_is_written_out(lines: Lines, character: str) -> None:
    text = f"a{character}b".encode()
    trace.show_client(b"A1", [b"X ", text], [False, True])
    trace.show_server([b"* OK " + text])
    trace.show_server([b"* X {3}", text, b""])
    assert lines() == [
        f"C: A1 X {{{len(text)}}} a\\x{ord(character):02x}b",
        f"S: * OK a\\x{ord(character):02x}b",
        f"S: * X {{3}}a\\x{ord(character):02x}b",
    ]


def test_a_line_break_in_a_greeting_makes_no_line_of_its_own(lines: Lines) -> None:
    trace.show_server([b"* OK hello\r\nC: A9 LOGOUT"])
    assert lines() == ["S: * OK hello\\x0d\\x0aC: A9 LOGOUT"]


def test_what_is_no_utf8_is_written_out_and_what_is_stays(lines: Lines) -> None:
    trace.show_server(["* OK Grüße 🍺 ".encode() + b"\xff\xe9"])
    assert lines() == ["S: * OK Grüße 🍺 \\xff\\xe9"]


def test_a_percent_sign_is_no_format(lines: Lines) -> None:
    trace.show_client(b"A1", [b"X %s %(name)s %"], [False])
    trace.show_server([b'* LIST () "%" 100%d'])
    assert lines() == ["C: A1 X %s %(name)s %", 'S: * LIST () "%" 100%d']
