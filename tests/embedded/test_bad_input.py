"""Whatever a client sends, it is answered, and the next command or the next client is served.

After each test there must be no thread, socket, file or line of trouble in the log that was not
there before: the fixture `serve` looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailframe.embedded.mailboxes import fits
from tests.embedded.wire import Client, ends_with_bye, opened, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.embedded import Server

    Serve = Callable[..., Server]


# -- lines and literals


@pytest.mark.parametrize("start", [Client, signed_in, opened])
def test_a_line_without_end_ends_the_connection(
    serve: Serve, start: Callable[[Server], Client]
) -> None:
    with start(serve(line=500, before_login=500, message=100_000)) as client:
        client.send(b"x" * 400_000)
        assert ends_with_bye(client.rest(), b"no end")


@pytest.mark.parametrize("start", [Client, signed_in])
def test_a_long_line_is_answered_and_the_next_one_done(
    serve: Serve, start: Callable[[Server], Client]
) -> None:
    with start(serve(line=500, before_login=500, message=100_000)) as client:
        for length in (501, 70_000):
            answer = client.run("NOOP " + "x" * length)
            assert (answer.status, answer.text) == ("BAD", b"That line is too long")
        assert client.run("NOOP").status == "OK"


def test_a_line_may_be_as_long_as_the_limit(serve: Serve) -> None:
    with signed_in(serve(line=500)) as client:
        command = b"SEARCH " + b"x" * (500 - len(b"t2 SEARCH \r\n"))
        assert b"not valid" in client.run(command).text
        assert client.run(command + b"x").text == b"That line is too long"


@pytest.mark.parametrize(
    "command", ["LOGIN {999}", "APPEND INBOX {5000}", "SELECT {999}", "nonsense {4294967296}"]
)
def test_a_literal_that_is_too_long_is_refused(serve: Serve, command: str) -> None:
    with signed_in(serve(line=500, message=3000)) as client:
        answer = client.run(command)
        assert (answer.status, answer.text[:8]) == ("NO", b"[TOOBIG]")
        assert client.run("NOOP").status == "OK"
        client.send(f"x {command[:-1]}+}}\r\n".encode() + b"x" * 400)
        assert ends_with_bye(client.rest(), b"[TOOBIG]"), "what follows cannot be told from it"


def test_a_literal_before_login_is_small(serve: Serve) -> None:
    server = serve(before_login=100)
    with Client(server) as client:
        client.reply()
        assert client.run("APPEND INBOX {200}").text[:8] == b"[TOOBIG]"
        assert client.run("LOGIN {3+}\r\nann {6+}\r\nsecret").status == "OK"


def test_many_messages_in_one_command_are_no_more_than_one_may_be(serve: Serve) -> None:
    with opened(serve(message=1000)) as client:
        half = b" {400+}\r\n" + b"x" * 400
        assert client.run(b"APPEND INBOX" + half * 2).status == "OK"
        client.send(b"x APPEND INBOX" + half * 3 + b"\r\n")
        assert ends_with_bye(client.rest(), b"[TOOBIG]")


def test_an_empty_message_is_none(serve: Serve) -> None:
    with opened(serve()) as client:
        assert client.run("APPEND INBOX {0+}\r\n").status == "NO"
        assert client.run("APPEND INBOX {3+}\r\na\r\n {0+}\r\n").status == "NO"
        assert client.run("NOOP").untagged == []


def test_lines_may_end_with_lf_alone(serve: Serve) -> None:
    with signed_in(serve()) as client:
        client.send(b"a NOOP\nb APPEND INBOX {3}\nxyz\nc NOOP\r\n")
        assert [reply[:4] for reply in client.rest()] == [b"a OK", b"+ Go", b"b OK", b"c OK"]


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP",
        b"+ NOOP",
        b"* NOOP",
        b"\0 NOOP",
        b"\xff\xfe NOOP",
        b"x" * 101 + b" NOOP",
        b" ",
        b"x",
    ],
)
def test_a_command_needs_a_tag(serve: Serve, line: bytes) -> None:
    with signed_in(serve()) as client:
        client.send(line + b"\r\n")
        assert client.reply().startswith(b"* BAD ")
        assert client.run("NOOP").status == "OK"


@pytest.mark.parametrize(
    "command",
    [
        b"NO\0OP", b"NOOP\r", b"NOOP \x80", b"\xff", b"", b" NOOP", b"UID", b"UID NOOP",
        b'LIST "" "\r"', b"SEARCH OR ALL",
        b'SELECT "IN', b"SELECT (INBOX)", b"SELECT {3}x", b"SELECT {-1}", b"SELECT {99999999999}",
        b"FETCH 1 BODY[", b"FETCH 1 BODY[]<", b"FETCH 1 ()", b"STORE 1 FLAGS (", b"STORE 1 FLAGS",
        b"SEARCH", b"SEARCH ", b"SEARCH (", b"SEARCH ()", b"SEARCH KEYWORD \\Seen", b"SEARCH NOT",
        b"SEARCH FROM \xff", b"COPY 1", b"ID", b"ID (", b"ENABLE", b"STATUS INBOX ()", b"STATUS",
        b'FETCH 1 BODY[HEADER.FIELDS ("\xff")]', b"FETCH 1 BODY[HEADER.FIELDS ({4+}\r\na\r\nb)]",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_bad(serve: Serve, command: bytes) -> None:
    with opened(serve()) as client:
        assert client.run(command).status == "BAD"
        assert client.run("NOOP").status == "OK"


def test_who_sends_only_rubbish_is_sent_away(serve: Serve) -> None:
    with signed_in(serve(mistakes=5)) as client:
        client.send(b"\x16\x03\x01\n" * 50)
        assert ends_with_bye(list(client.replies()), b"mistakes")


def test_pipelined_commands_are_answered_in_order(serve: Serve) -> None:
    with opened(serve()) as client:
        lines = [b"x%d FETCH 1:* (FLAGS BODY.PEEK[])\r\n" % number for number in range(300)]
        client.send(b"".join(lines))
        tagged = [reply.split()[0] for reply in client.rest() if reply.startswith(b"x")]
        assert tagged == [b"x%d" % number for number in range(300)]


# -- much of something


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ("OR FROM a " * 1_000 + "FROM b", "OK"),
        ("(" * 100 + "ALL" + ")" * 100, "OK"),
        ("NOT " * 100 + "ALL", "OK"),
        ("(" * 101 + "ALL" + ")" * 101, "BAD"),
        ("NOT " * 5_000 + "ALL", "BAD"),
        ("OR NOT " * 1_000 + "ALL" + " ALL" * 1_000, "BAD"),
        ("(" * 20_000, "BAD"),
        ("ALL " * 5_000 + "ALL", "BAD"),
        ("UID " + "1," * 20_000 + "1", "OK"),
        ("4294967295:*", "OK"),
        ("4294967296", "BAD"),
        ("LARGER 9223372036854775807", "OK"),
        ("LARGER 9223372036854775808", "BAD"),
        ("YOUNGER 9223372036854775807", "OK"),
        ("OLDER 9223372036854775807", "OK"),
        ("SINCE 1-Jan-0001", "OK"),
        ("BEFORE 31-Dec-9999", "OK"),
    ],
    ids=lambda value: value[:30],
)
def test_a_search_is_as_large_as_it_may_be(serve: Serve, keys: str, status: str) -> None:
    with opened(serve()) as client:
        assert client.run(f"SEARCH {keys}").status == status
        assert client.run("NOOP").status == "OK"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("FETCH 1:* (BODY.PEEK[" + "1." * 1_000 + "1])", "OK"),
        ("FETCH 1 BODY[" + "9" * 30 + "]", "BAD"),
        ("FETCH 99999999999999999999 FLAGS", "BAD"),
        ("FETCH 1:4294967295 FLAGS", "BAD"),
        ("UID FETCH 1:4294967295 FLAGS", "OK"),
        ("UID FETCH " + "1:4294967295," * 3_000 + "1 FLAGS", "OK"),
        ("FETCH 1 (" + "FLAGS " * 501 + "UID)", "BAD"),
        ("FETCH 1 BODY[]<9223372036854775807.9223372036854775807>", "OK"),
        ("FETCH 1 BODY[]<9223372036854775808.1>", "BAD"),
        ('LIST "" ' + "*%" * 450, "OK"),
        ('LIST "" "' + "*a" * 450 + '"', "OK"),
        ('LIST "" (' + "*a " * 1_000 + "b)", "BAD"),
        ("CREATE " + "a/" * 900 + "a", "NO"),
        ("CREATE " + "a" * 201, "NO"),
        ("CREATE " + "a" * 3_000, "BAD"),
        ("STORE 1 FLAGS (" + " ".join(f"k{n}" for n in range(300)) + ")", "NO"),
        ("STORE 1 FLAGS " + "k" * 201, "NO"),
    ],
    ids=lambda value: value[:30],
)
def test_other_commands_are_as_large_as_they_may_be(
    serve: Serve, command: str, status: str
) -> None:
    with opened(serve()) as client:
        assert client.run(command).status == status
        assert client.run("NOOP").untagged == [], "nothing has changed"


def test_a_pattern_takes_steps_by_the_length_of_the_name_alone() -> None:
    pattern = "*a%" * 300
    assert fits(pattern, "a" * 300)
    assert not fits(pattern, "a" * 299)
    assert fits("%" * 1_000, "a" * 200)
    assert not fits("*a" * 400 + "b", "a" * 1_000)
    assert fits("*/%", "a/b/c")
    assert not fits("a%", "a/b")


def test_too_many_keywords_change_nothing(serve: Serve) -> None:
    with opened(serve()) as client:
        many = " ".join(f"k{number}" for number in range(150))
        assert client.run(f"STORE 1 +FLAGS.SILENT ({many})").status == "OK"
        other = " ".join(f"j{number}" for number in range(60))
        assert b"[LIMIT]" in client.run(f"STORE 2 +FLAGS ({many.upper()} {other})").text[:8]
        assert client.run("APPEND INBOX (a b c) {3+}\r\nabc").status == "OK"
        assert client.run(f"APPEND INBOX (a) {{1+}}\r\nx ({other}) {{1+}}\r\nx").status == "NO"
        assert client.run("STATUS INBOX (MESSAGES)").untagged[-1] == b'STATUS "INBOX" (MESSAGES 4)'


def test_a_message_is_copied_with_all_the_others_or_not_at_all(serve: Serve) -> None:
    with opened(serve()) as client:
        many = " ".join(f"k{number}" for number in range(198))
        client.run(f"STORE 2 FLAGS.SILENT ({many})")
        client.run("APPEND Archive (a b c) {3+}\r\nabc")
        answer = client.run("COPY 1:2 Archive")
        assert (answer.status, answer.text[:7]) == ("NO", b"[LIMIT]")
        assert client.run("STATUS Archive (MESSAGES)").untagged == [
            b'STATUS "Archive" (MESSAGES 1)'
        ]


@pytest.mark.parametrize(
    "name",
    [
        '""', "/", "a//b", "/a", '"a\tb"', '"a\x7fb"', "&", "&AOQ", "&AOQ-&AOQ-", "&2AA-", "&!-",
        "&AGE-", "{1+}\r\n\0", "{3+}\r\na\r\n",
    ],
)  # fmt: skip
def test_a_mailbox_has_a_name_that_can_be_shown(serve: Serve, name: str) -> None:
    with signed_in(serve()) as client:
        before = client.run('LIST "" *').untagged
        assert client.run(f"CREATE {name}").status in {"NO", "BAD"}
        assert client.run(f"RENAME Sent {name}").status in {"NO", "BAD"}
        assert client.run(f"DELETE {name}").status in {"NO", "BAD"}
        assert client.run('LIST "" *').untagged == before


def test_a_mailbox_is_no_path(serve: Serve) -> None:
    with signed_in(serve()) as client:
        assert client.run("CREATE ../../../tmp/x").status == "OK", "a name like any other"
        assert client.run("SELECT ../../../tmp/x").status == "OK"


def test_no_more_mailboxes_than_a_thousand(serve: Serve) -> None:
    with signed_in(serve()) as client:
        client.send(b"".join(b"x CREATE m%d\r\n" % number for number in range(1_100)))
        client.send(b"end NOOP\r\n")
        replies = client.outcome(b"end").untagged
        assert sum(reply.startswith(b"OK") for reply in replies) == 1_000 - 5
        assert replies[-1].startswith(b"NO [LIMIT]")


def test_what_is_asked_for_of_one_message_has_a_limit(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.embedded.fetch._LONGEST_REPLY", 1_000)
    with opened(serve()) as client:
        answer = client.run("FETCH 1:3 (BODY.PEEK[] BODY.PEEK[]<0.9999>)")
        assert (answer.status, answer.text[:7]) == ("NO", b"[LIMIT]")
        assert len(answer.untagged) == 2, "those that are small enough"


# -- signing in


def test_who_guesses_is_sent_away(serve: Serve) -> None:
    server = serve(mistakes=5)
    with Client(server) as client:
        client.reply()
        for number in range(4):
            assert b"[AUTHENTICATIONFAILED]" in client.run(f"LOGIN ann guess{number}").text
            assert client.run("NOOP").status == "OK", "which is no way to begin again"
        client.send(b"x LOGIN ann again\r\n")
        assert ends_with_bye(client.rest(), b"mistakes")


@pytest.mark.parametrize(
    "lines",
    [
        b"PLAIN\r\n*", b"PLAIN\r\n", b"PLAIN\r\n!!!", b"PLAIN\r\n\xff\0", b"PLAIN =", b"PLAIN ====",
        b"PLAIN AGFubgBzZWNyZXQ", b"PLAIN YQ==", b"LOGIN\r\n*", b"LOGIN\r\n/w==\r\n/w==",
        b"XOAUTH2 dXNlcj1hAQ==", b"OAUTHBEARER\r\nbixhPWEs", b"PLAIN\r\n" + b"x" * 70_000,
    ],
)  # fmt: skip
def test_a_sasl_response_that_is_none_is_bad(serve: Serve, lines: bytes) -> None:
    with Client(serve()) as client:
        client.reply()
        assert client.run(b"AUTHENTICATE " + lines).status == "BAD"
        assert client.run("LOGIN ann secret").status == "OK"


def test_commands_before_their_time_are_bad(serve: Serve) -> None:
    with Client(serve()) as client:
        client.reply()
        for command in ("SELECT INBOX", "FETCH 1 FLAGS", "IDLE", 'LIST "" *', "CLOSE", "STARTTLS"):
            assert client.run(command).status == "BAD"
        assert client.run("AUTHENTICATE NTLM").status == "NO"
