"""The dialogue, kept and logged: all of it, legible, and without the secret."""

from __future__ import annotations

import base64
import logging
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailframe as mf
from mailframe.cli import main
from mailframe.exceptions import MailframeError
from mailframe.imap import trace
from mailframe.imap.auth import log_in, log_in_oauth2, sasl_xoauth2
from mailframe.imap.trace import Recorder
from mailframe.imap.wire import Literal
from tests.imap.replies import message
from tests.rigs.scripted import literal
from tests.test_safety import hear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.connection import Connection
    from mailframe.imap.trace import Line, Tap
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
def tap() -> Tap:
    """Return what a connection tells its lines to, of a recorder of its own."""
    return Recorder().tap()


def kept(connection: Connection) -> list[str]:
    """Return the lines kept as they are logged, and what else is kept of them."""
    lines = connection.recorder.lines()
    return [f"{line.direction}: {line.line}" for line in lines] + [repr(line) for line in lines]


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
    connection = connected(server)
    sign_in(connection, way, secret, user)
    name = "LOGIN" if way.startswith("LOGIN") else f"AUTHENTICATE {way.split(maxsplit=1)[0]}"
    assert len([line for line in lines() if re.fullmatch(rf"C: \S+ {name} \*\*\*", line)]) == 1
    assert leaks(lines()) == leaks(kept(connection)) == []
    assert MARK.encode() in server.clear_text or name != "LOGIN"


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
    assert leaks(lines()) == leaks(kept(connection)) == []
    assert [line for line in lines() if line.endswith("***")]


@pytest.mark.parametrize("way", WAYS)
def test_the_length_of_a_secret_is_not_told(
    scripted: Scripted, connected: Connected, way: str
) -> None:
    said = []
    for secret in (MARK, MARK * 9):
        connection = connected(scripted(capabilities=WAYS[way]))
        sign_in(connection, way, secret)
        shown = connection.recorder.lines()
        said.append([(re.sub(r"[A-P]{4}(?=\d)", "", line.line), line.bytes) for line in shown])
    assert said[0] == said[1]


@pytest.mark.parametrize("way", ["LOGIN", "PLAIN", "XOAUTH2 asked"])
def test_what_a_server_repeats_after_it_refused_a_login_is_not_repeated_either(
    scripted: Scripted, connected: Connected, lines: Lines, way: str
) -> None:
    refusal = said(b"<tag> NO refused\r\n* BYE you were told that %b is wrong\r\n")
    server = scripted({"LOGIN": refusal, "AUTHENTICATE": refusal}, capabilities=WAYS[way])
    connection = connected(server)
    with pytest.raises(MailframeError):
        sign_in(connection, way, MARK)
    connection.close()  # LOGOUT hears the rest
    assert leaks(lines()) == leaks(kept(connection)) == []
    assert "S: * BYE ***" in lines()


@pytest.mark.parametrize("mechanism", ["login", "authenticate"])
def test_a_login_that_imaplib_makes_by_itself_is_shown_by_its_name_alone(
    scripted: Scripted, connected: Connected, lines: Lines, mechanism: str
) -> None:
    echo = {"LOGIN": ECHOES["tagged NO"], "AUTHENTICATE": ECHOES["tagged NO"]}
    connection = connected(scripted(echo, capabilities=WAYS["PLAIN asked"]))
    wire = connection.wire
    logins = {
        "login": lambda: wire.login(USER, MARK),
        "authenticate": lambda: wire.authenticate("PLAIN", lambda _: f"\0{USER}\0{MARK}".encode()),
    }
    with pytest.raises(wire.error):
        logins[mechanism]()
    assert leaks(lines()) == leaks(kept(connection)) == []
    assert re.fullmatch(r"S: \S+ NO \*\*\*", lines()[-1])


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
        ([b"AUTHENTICATE ", b"PLAIN", b" ", b"AG1lAHg="], "AUTHENTICATE PLAIN ***"),
        ([b"authenticate PLAIN AG1lAHg="], "authenticate PLAIN ***"),
        ([b"AUTHENTICATE ", b"AG1lAHg="], "AUTHENTICATE ***"),
        ([b"AUTHENTICATE AG1lAHg="], "AUTHENTICATE ***"),
        ([b"AUTHENTICATE PLAINAG1lAHg="], "AUTHENTICATE ***"),
        ([b"AUTHENTICATE SCRAM-SHA-256-PLUS bixuPQ=="], "AUTHENTICATE SCRAM-SHA-256-PLUS ***"),
        ([b"LO", b"GIN", b" me x"], "LOGIN ***"),
        ([b"AUTHENTICATE OAUTHBEARER AG1lAHg="], "AUTHENTICATE OAUTHBEARER ***"),
        ([b"LOGIN"], "LOGIN ***"),
    ],
)
def test_a_login_is_known_however_it_is_cut_and_written(
    tap: Tap, lines: Lines, pieces: list[bytes], shown: str
) -> None:
    tap.sent(b"A1", pieces)
    assert lines() == [f"C: A1 {shown}"]


@pytest.mark.parametrize(
    "command", [b"EXAMINE LOGIN", b'UID SEARCH SUBJECT "LOGIN x"', b"LOGINS x", b"LOGOUT"]
)
def test_what_only_looks_like_a_login_is_shown(tap: Tap, lines: Lines, command: bytes) -> None:
    tap.sent(b"A1", [command[:8], command[8:]])
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
    name = "LOGIN" if way.startswith("LOGIN") else "AUTHENTICATE PLAIN"
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
        text = line.replace(b"}\r\n", b"} ").decode()
        shown.append(re.sub(r" (LOGIN|AUTHENTICATE(?: [A-Z0-9]+)?) .*", r" \1 ***", text))
    return shown


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
    assert commands_in(lines()) == expected(server)
    assert ("STARTTLS" in "\n".join(lines())) is (security == "starttls")


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


def test_at_info_nothing_of_the_dialogue_is_logged(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connection = connected(scripted())
    log_in(connection, USER, MARK)
    connection.close()
    assert records(caplog) == []
    assert caplog.records != []


def test_at_debug_every_line_is_a_record_of_that_level(
    scripted: Scripted, connected: Connected, lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    log_in(connected(scripted()), USER, MARK)
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
    tap: Tap, lines: Lines, content: bytes, shown: str
) -> None:
    announced = [b"", b"{%d}" % len(content), b""]
    tap.sent(b"A1", [b"UID SEARCH SUBJECT ", content, b" SEEN"], announced)
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
    tap: Tap, lines: Lines, content: bytes, shown: str
) -> None:
    begin = b"* 1 FETCH (BODY[] {%d}" % len(content)
    tap.heard([begin, content, b" BODY[1] {1}", b"y", b")"], 1)
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


def test_a_line_is_cut_where_it_gets_too_long_and_its_length_told(tap: Tap, lines: Lines) -> None:
    for length in (trace.LONGEST, trace.LONGEST + 1, 3_000_000):
        tap.heard([b"*" * length], length)
        tap.sent(b"", [b"*" * (length - 1)])
    whole, _, cut, _, cut_more, _ = lines()
    assert whole == "S: " + "*" * 2000
    assert cut == "S: " + "*" * 2000 + "… (2001 bytes)"
    assert cut_more == "S: " + "*" * 2000 + "… (3000000 bytes)"
    assert lines()[1::2] == [line.replace("S: *", "C:  ", 1) for line in lines()[::2]]


def test_a_line_may_be_cut_within_a_character(tap: Tap, lines: Lines) -> None:
    tap.heard([b"x" * (trace.LONGEST - 1) + "ü".encode() * 2], 1)
    assert lines()[0].startswith("S: " + "x" * 1999 + "\\xc3…")


CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029",
            *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]  # fmt: skip


@pytest.mark.parametrize("character", CONTROLS, ids=ascii)
def test_a_character_that_rules_a_terminal_is_written_out(
    tap: Tap, lines: Lines, character: str
) -> None:
    text = f"a{character}b".encode()
    tap.sent(b"A1", [b"X ", text], [b"", b"{3}"])
    tap.heard([b"* OK " + text], 1)
    tap.heard([b"* X {3}", text, b""], 2)
    assert lines() == [
        f"C: A1 X {{3}} a\\x{ord(character):02x}b",
        f"S: * OK a\\x{ord(character):02x}b",
        f"S: * X {{3}}a\\x{ord(character):02x}b",
    ]


def test_a_line_break_in_a_greeting_makes_no_line_of_its_own(tap: Tap, lines: Lines) -> None:
    tap.heard([b"* OK hello\r\nC: A9 LOGOUT"], 1)
    assert lines() == ["S: * OK hello\\x0d\\x0aC: A9 LOGOUT"]


def test_what_is_no_utf8_is_written_out_and_what_is_stays(tap: Tap, lines: Lines) -> None:
    tap.heard(["* OK Grüße 🍺 ".encode() + b"\xff\xe9"], 1)
    assert lines() == ["S: * OK Grüße 🍺 \\xff\\xe9"]


def test_a_percent_sign_is_no_format(tap: Tap, lines: Lines) -> None:
    tap.sent(b"A1", [b"X %s %(name)s %"])
    tap.heard([b'* LIST () "%" 100%d'], 1)
    assert lines() == ["C: A1 X %s %(name)s %", 'S: * LIST () "%" 100%d']


# -- what is kept


def said_by(connection: Connection) -> list[Line]:
    return list(connection.recorder.lines())


def test_the_dialogue_is_kept_without_anybody_listening_from_the_greeting_on(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connected(scripted(greeting=b"* OK good morning\r\n"))
    log_in(connection, USER, MARK)
    connection.select("INBOX")
    first, asked, *_ = said_by(connection)
    assert (first.direction, first.line, first.tag) == ("S", "* OK good morning", "*")
    assert (first.command, first.elapsed) == ("", None)
    assert asked[2:6] == ("C", asked.tag, "CAPABILITY", f"{asked.tag} CAPABILITY")
    assert records(caplog) == []


def test_what_is_kept_is_what_is_logged(
    scripted: Scripted, opened: Connected, lines: Lines
) -> None:
    connection = opened(scripted(messages=dict.fromkeys(range(1, 9), b"FLAGS ()")))
    connection.command(b"UID FETCH 1:8 (UID FLAGS)", tried="")
    assert [f"{one.direction}: {one.line}" for one in said_by(connection)] == lines()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_the_bytes_are_those_on_the_wire(
    scripted: Scripted, certificates: Certificates, connected: Connected, security: str
) -> None:
    server = scripted(
        security=security,
        capabilities="IMAP4rev1 LITERAL+",
        messages={1: message(1, parts=PARTS)},
    )
    context = None if security == "none" else certificates.good.client_context()
    connection = connected(server, security=security, ssl_context=context)
    wire, recorder = connection.wire, connection.recorder
    assert sum(one.bytes or 0 for one in recorder.lines()) == wire.received + wire.sent
    log_in(connection, USER, MARK)
    before, received, sent = recorder.count, wire.received, wire.sent
    connection.select("INBOX")
    connection.command(b"UID SEARCH SUBJECT ", Literal("Grüße".encode()), b" SEEN", tried="")
    connection.command(b"UID FETCH 1 (UID BODY.PEEK[1])", tried="")
    said = recorder.lines(before)
    sizes = {side: sum(one.bytes or 0 for one in said if one.direction == side) for side in "CS"}
    assert sizes == {"S": wire.received - received, "C": wire.sent - sent}
    [search] = [one for one in said if "SEARCH" in one.line and one.direction == "C"]
    assert search.bytes == len(search.tag + " UID SEARCH SUBJECT {7+}\r\nGr__sse SEEN\r\n")


def test_a_reply_belongs_to_its_command_and_tells_how_long_that_took(
    monkeypatch: pytest.MonkeyPatch, tap: Tap
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("mailframe.imap.trace.time.perf_counter", lambda: next(clock))
    tap.heard([b"* OK hello"], 1)  # 0 is not asked: nothing is in flight
    tap.sent(b"A1", [b"UID FETCH 1 (UID)"])
    tap.sent(b"A2", [b"NOOP"])
    tap.heard([b"* 1 FETCH (UID 1)"], 2)
    tap.heard([b"+ go on"], 3)
    tap.heard([b"A2 OK done"], 4)
    tap.heard([b"* 2 EXISTS"], 5)
    tap.heard([b"A1 OK done"], 6)
    tap.heard([b"* BYE"], 7)
    found = [(one.tag, one.command, one.elapsed) for one in tap._recorder.lines()]
    assert found == [
        ("*", "", None),
        ("A1", "UID FETCH", None),
        ("A2", "NOOP", None),
        ("*", "UID FETCH", 2),
        ("+", "NOOP", 2),
        ("A2", "NOOP", 3),
        ("*", "UID FETCH", 5),
        ("A1", "UID FETCH", 6),
        ("*", "", None),
    ]


def test_each_connection_of_an_account_has_its_number(lines: Lines) -> None:
    recorder = Recorder()
    first, second = recorder.tap(), recorder.tap()
    second.sent(b"B1", [b"NOOP"])
    first.sent(b"A1", [b"NOOP"])
    second.heard([b"B1 OK"], 1)
    assert [(one.connection, one.line) for one in recorder.lines()] == [
        (2, "B1 NOOP"),
        (1, "A1 NOOP"),
        (2, "B1 OK"),
    ]
    assert lines() == ["[2] C: B1 NOOP", "C: A1 NOOP", "[2] S: B1 OK"]


def test_no_more_is_kept_than_there_is_room_for_and_messages_push_out_messages_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace, "MOST", 3)
    monkeypatch.setattr(trace, "MOST_MESSAGES", 2)
    recorder = Recorder()
    recording = recorder.record()
    tap = recorder.tap()
    tap.sent(b"A1", [b"UID FETCH 1:5 (UID)"])
    for number in range(1, 6):
        tap.heard([b"* %d FETCH (UID %d)" % (number, number)], number)
    tap.heard([b"A1 OK"], 9)
    assert [one.line for one in recorder.lines()] == [
        "A1 UID FETCH 1:5 (UID)",
        "* 4 FETCH (UID 4)",
        "* 5 FETCH (UID 5)",
        "A1 OK",
    ]
    assert (recorder.count, recording.dropped) == (7, 3)
    for _ in range(9):
        tap.sent(b"A2", [b"NOOP"])
    assert [one.line for one in recorder.lines()] == [
        "* 4 FETCH (UID 4)",
        "* 5 FETCH (UID 5)",
        *["A2 NOOP"] * 3,
    ]


def test_of_a_message_less_is_kept_and_nothing_longer_than_that(tap: Tap) -> None:
    tap.heard([b"* 1 FETCH (BODY[1] {90000}", b"x" * 90_000, b" X " + b"y" * 90_000 + b")"], 1)
    tap.heard([b"* 1 FETCH (X " + b"y" * 90_000 + b")"], 2)
    tap.heard([b"* SEARCH" + b" 123" * 90_000], 3)
    tap.sent(b"A1", [b"UID FETCH " + b"1," * 9000])
    kept = [(len(one.line), one.line[-16:]) for one in tap._recorder.lines()]
    mark = len("… (180029 bytes)")
    assert kept[0] == (trace.KEPT_OF_MESSAGE + mark, "… (180030 bytes)")
    assert kept[1][0] == trace.KEPT_OF_MESSAGE + mark - 1
    assert kept[2][0] == trace.KEPT + mark
    assert kept[3][0] == trace.KEPT + mark - 1
    assert tap._recorder.lines()[0].line.startswith("* 1 FETCH (BODY[1] {90000}<90000 bytes> X yy")


def test_a_recording_holds_what_was_said_between_its_beginning_and_its_end() -> None:
    recorder = Recorder()
    tap = recorder.tap()
    tap.sent(b"A1", [b"NOOP"])
    with_start = recorder.record()
    assert with_start.lines == ()
    tap.sent(b"A2", [b"NOOP"])
    assert [one.tag for one in with_start.lines] == ["A2"]
    tap.sent(b"A3", [b"NOOP"])
    with_start.stop()
    tap.sent(b"A4", [b"NOOP"])
    with_start.stop()
    assert [one.tag for one in with_start.lines] == ["A2", "A3"]
    assert with_start.dropped == 0


def test_lines_of_many_threads_come_in_the_order_of_their_times() -> None:
    recorder = Recorder()

    def talk(_: int) -> None:
        tap = recorder.tap()
        for number in range(300):
            tap.sent(b"A%d" % number, [b"NOOP"])
            tap.heard([b"* %d FETCH (UID 1)" % number], number)
            tap.heard([b"A%d OK" % number], number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(talk, range(8)))
    lines = recorder.lines()
    assert len(lines) == recorder.count == 8 * 900
    assert {one.connection for one in lines} == set(range(1, 9))
    for number in range(1, 9):
        its = [one.line for one in lines if one.connection == number]
        assert its[::3] == [f"A{n} NOOP" for n in range(300)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where there is fork")
def test_after_a_fork_a_lock_that_was_held_is_not_waited_for(tap: Tap) -> None:
    recorder = tap._recorder
    tap.sent(b"A1", [b"NOOP"])
    with recorder._lock:
        recorder._process = -1  # as it is for the child
        assert [one.tag for one in recorder.lines()] == ["A1"]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_any_bytes_are_taken_down_as_text_that_can_be_shown(segments: list[bytes]) -> None:
    segments = segments if len(segments) % 2 else segments[:-1]
    tap = Recorder().tap()
    tap.sent(segments[0], segments, [b"", *[b"{1}"] * (len(segments) - 1)])
    tap.heard(segments, 7)
    for one in tap._recorder.lines():
        text = f"{one.line}{one.tag}{one.command}"
        text.encode()  # no halves of characters
        assert not re.search("[\x00-\x1f\x7f]", text)


# -- what stands behind the OK of a login


BEHIND = {
    "OK": b"* OK your words were %b\r\n",
    "NO": b"* NO [ALERT] %b\r\n",
    "several": b"* OK %b\r\n* BAD %b\r\n",
}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("way", WAYS)
def test_what_a_server_repeats_behind_the_ok_is_not_repeated(
    scripted: Scripted, connected: Connected, lines: Lines, way: str, behind: str
) -> None:
    answer = said(b"<tag> OK [CAPABILITY IMAP4rev1] in\r\n" + BEHIND[behind])
    server = scripted({"LOGIN": answer, "AUTHENTICATE": answer}, capabilities=WAYS[way])
    connection = connected(server)
    sign_in(connection, way, MARK)
    connection.select("INBOX")
    assert leaks(lines()) == leaks(kept(connection)) == []
    assert [line for line in lines() if re.fullmatch(r"S: \* (OK|NO) \*\*\*", line)]
    # The next answer, and all that follow, are shown.
    assert [line for line in lines() if line.endswith("[READ-ONLY] open")]


def test_what_is_said_after_the_first_answer_is_shown(
    scripted: Scripted, connected: Connected, lines: Lines
) -> None:
    server = scripted({"NOOP": b"* OK nothing new\r\n<tag> OK done\r\n"}, capabilities="IMAP4rev1")
    connection = connected(server)
    sign_in(connection, "LOGIN", MARK)
    connection.command(b"NOOP", tried="Could not wait.")
    assert "S: * OK nothing new" in lines()
