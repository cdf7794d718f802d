"""The dialogue of a session: as a frame, in a notebook, in a terminal; never with a secret."""

from __future__ import annotations

import base64
import pickle
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import dialogue, schema
from mailframe.dialogue import Trace
from mailframe.embedded import Server
from mailframe.exceptions import MailframeError, NotSupportedError
from mailframe.imap.trace import Recorder
from tests.imap.replies import message
from tests.imap.test_trace import ECHOES, MARK, SECRETS, USER, leaks, said
from tests.test_safety import kept_behind, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailframe.imap.trace import Tap
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]


class Page(HTMLParser):
    """What of HTML is seen: tags, the text of each row, the text of each element ``code``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[str] = []
        self.rows: list[str] = []
        self.lines: list[str] = []
        self.coloured: list[tuple[str, str]] = []
        self._style = ""
        self._in_line = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [f"{name}={value}" for name, value in attrs]
        if tag == "tr":
            self.rows.append("")
        if tag == "code" and ("dir", "ltr") in attrs:
            self.lines.append("")
            self._in_line = True
        if tag == "span":
            self._style = dict(attrs)["style"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_line &= tag != "code"
        if tag == "span":
            self._style = ""

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1] += data
        if self._in_line:
            self.lines[-1] += data
        if self._style:
            names = [name for name, style in dialogue._COLOURS.items() if style == self._style]
            self.coloured.append((*names, data))  # type: ignore[arg-type] # one of each style


def page(trace: Trace) -> Page:
    return Page(trace._repr_html_())


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def tap(recorder: Recorder) -> Tap:
    return recorder.tap()


@pytest.fixture
def trace(recorder: Recorder) -> Trace:
    return Trace(USER, recorder.record())


def connect(server: Any, secret: str = MARK, **options: Any) -> mf.Session:
    settings = {"port": server.port, "security": "none", "timeout": 5} | options
    return mf.connect(server.host, settings.pop("user", USER), password=secret, **settings)


@pytest.fixture
def embedded() -> Iterator[Server]:
    server = Server({USER: MARK})
    server.start()
    yield server
    server.stop()


def everything_shown(session: mf.Session, trace: Trace) -> list[str]:
    """Return every text that a person may come to see of a dialogue."""
    frame = session.trace()
    texts = [frame.to_csv(), frame.to_string(), repr(frame.attrs), trace.frame.to_csv()]
    texts += [str(trace), repr(trace), trace._repr_html_(), repr(trace.lines), repr(session)]
    texts += [session._repr_html_(), repr(vars(session)), repr(trace.recording)]
    return [line for text in texts for line in text.splitlines()]


# -- the frame


def test_the_dialogue_is_a_frame_of_its_schema(scripted: Scripted) -> None:
    server = scripted(messages={1: message()})
    with connect(server) as session:
        session.headers(progress=False)
        frame = session.trace()
    assert_frame_equal(schema.conform(frame, "trace"), frame)
    assert frame.attrs == {"accounts": [USER]}
    assert frame["line"][0] == "* OK ready"
    assert frame["time"].is_monotonic_increasing
    sent = frame[frame["direction"] == "C"]
    assert list(sent["command"]) == [
        "CAPABILITY", "LOGIN", "CAPABILITY", "ID", "EXAMINE", "UID SEARCH", "UID FETCH",
    ]  # fmt: skip
    assert sent["elapsed"].isna().all()
    assert (sent["line"].str.split(" ").str[0] == sent["tag"]).all()
    answers = frame[~frame["tag"].isin(["*", "+"]) & (frame["direction"] == "S")]
    assert list(answers["tag"]) == list(sent["tag"])
    assert list(answers["command"]) == list(sent["command"])
    assert (answers["elapsed"] >= pd.Timedelta(0)).all()
    assert frame.loc[frame["command"] == "LOGIN", "bytes"].isna().all()
    assert frame.loc[frame["command"] != "LOGIN", "bytes"].notna().all()


def test_the_dialogue_of_nothing_is_an_empty_frame(trace: Trace) -> None:
    assert_frame_equal(trace.frame, schema.empty("trace"))
    assert page(trace).rows[1:] == []
    assert "Nothing was said." in str(trace)


def test_times_are_those_of_the_clock(scripted: Scripted) -> None:
    before = pd.Timestamp.now("UTC")
    with connect(scripted()) as session:
        times = session.trace()["time"]
    assert times.between(before.floor("us"), pd.Timestamp.now("UTC")).all()


def test_a_frame_of_the_dialogue_is_saved_and_read_again(
    scripted: Scripted, tmp_path: Path
) -> None:
    with connect(scripted()) as session:
        frame = session.trace()
    frame.to_parquet(tmp_path / "trace.parquet")
    back = pd.read_parquet(tmp_path / "trace.parquet")
    assert_frame_equal(schema.conform(back, "trace"), frame)


def test_files_have_no_dialogue(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: x\r\n\r\nx")
    with mf.open(tmp_path) as session:
        with pytest.raises(NotSupportedError, match="server"):
            session.trace()
        with pytest.raises(NotSupportedError, match="server"), session.tracing():
            pass


def test_every_connection_of_a_session_is_in_its_trace(embedded: Server) -> None:
    with connect(embedded) as session:
        session.count()
        session._source._pool.first.wire.drop()  # type: ignore[attr-defined] # as a tunnel would
        session._source._pool.first.recover(MailframeError("lost"))  # type: ignore[attr-defined]
        session.count()
        frame = session.trace()
    assert set(frame["connection"]) == {1, 2}
    assert list(frame[frame["command"] == "AUTHENTICATE"]["connection"].unique()) == [1, 2]


# -- a block of it


def test_a_trace_holds_what_happened_within_its_block(scripted: Scripted) -> None:
    with connect(scripted(messages={1: message()})) as session:
        with session.tracing() as t:
            assert t.frame.empty
            session.count("UNSEEN")
            within = t.frame
        session.headers(progress=False)
        assert_frame_equal(t.frame, within)
        whole = session.trace()
    assert list(within[within["direction"] == "C"]["command"]) == ["EXAMINE", "UID SEARCH"]
    assert len(whole) > len(within)


def test_a_trace_is_complete_also_when_its_block_ends_in_an_error(scripted: Scripted) -> None:
    refusal = {"UID SEARCH": b"<tag> NO [SERVERBUG] out of order\r\n"}
    server = scripted(refusal, messages={1: message()})
    with connect(server) as session:
        with pytest.raises(MailframeError), session.tracing() as t:
            session.count()
        session.folders()
    assert t.lines[-1].line.endswith("NO [SERVERBUG] out of order")


def test_traces_may_lie_within_one_another(scripted: Scripted) -> None:
    with connect(scripted()) as session, session.tracing() as outer:
        session.count()
        with session.tracing() as inner:
            session.folders()
        session.count()
    assert len(inner.lines) > 0
    assert set(inner.lines) < set(outer.lines)


# -- in a notebook


def test_a_page_shows_every_line_and_says_what_it_does(tap: Tap, trace: Trace) -> None:
    tap.sent(b"A1", [b"UID FETCH 1:2 (UID FLAGS)"])
    tap.heard([b"* 1 FETCH (UID 1 FLAGS ())"], 1)
    tap.heard([b"A1 OK [ALERT] look"], 2)
    tap.heard([b"* BYE [UNAVAILABLE] tired"], 3)
    seen = page(trace)
    assert seen.lines == [line.line for line in trace.lines]
    fetch, reply, done, bye = seen.rows[1:]
    assert "bring messages or parts of them, by UID" in fetch
    assert "RFC 3501 section 6.4.5" in fetch  # of its words
    assert "RFC 3501 section 6.4.8" in fetch
    assert "what was asked of a message" in reply
    assert "RFC 3501 section 7.4.2" in reply
    assert "show this text to the user · UID FETCH took " in done
    assert "not to be had now" in bye


def test_commands_replies_literals_and_codes_have_colours_of_their_own(
    tap: Tap, trace: Trace
) -> None:
    tap.sent(b"A1", [b"UID SEARCH SUBJECT ", "Grüße".encode(), b" SEEN"], [b"", b"{7+}", b""])
    tap.heard([b"* 3 FETCH (BODY[1] {3}", b"a&b", b" BODY[2] {200}", b"x" * 200, b")"], 1)
    tap.heard([b"A1 NO [CANNOT x] no"], 2)
    assert page(trace).coloured == [
        ("tag", "A1"),
        ("command", "UID SEARCH"),
        ("literal", "{7+} Grüße"),
        ("tag", "*"),
        ("reply", "FETCH"),
        ("literal", "{3}a&b"),
        ("literal", "{200}<200 bytes>"),
        ("tag", "A1"),
        ("refusal", "NO"),
        ("code", "[CANNOT x]"),
    ]
    assert page(trace).lines == [line.line for line in trace.lines]


def test_nothing_that_a_server_says_becomes_part_of_the_page(tap: Tap, trace: Trace) -> None:
    evil = b'<script>alert(1)</script><img src="https://example.com/x">&amp;"\'`</code></table>'
    tap.sent(b"A1<b>", [b"NOOP " + evil])
    tap.sent(b"A2", [evil + b" ", evil], [b"", b"{90}"])
    tap.heard([b"* " + evil], 1)
    tap.heard([b"* OK [" + evil + b"] " + evil], 2)
    tap.heard([evil + b" OK"], 3)
    tap.heard([b"* LIST {9}", evil, evil], 4)
    seen = page(trace)
    assert seen.tags <= {
        "div", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "span", "small",
        "details", "summary", "ul", "li",
    }  # fmt: skip
    assert {attribute.partition("=")[0] for attribute in seen.attributes} <= {
        "style", "dir", "colspan",
    }  # fmt: skip
    assert seen.lines == [line.line for line in trace.lines]


def test_a_page_loads_nothing(tap: Tap, trace: Trace) -> None:
    tap.sent(b"A1", [b"LIST"])
    assert not re.search(r"https?:|//|url\(|src=|href=|@import", trace._repr_html_())


def test_replies_of_a_kind_are_folded(tap: Tap, trace: Trace) -> None:
    tap.sent(b"A1", [b"UID FETCH 1:1000 (UID)"])
    for number in range(1, 1001):
        tap.heard([b"* %d FETCH (UID %d)" % (number, number)], number * 100)
    tap.heard([b"A1 OK"], 100_100)
    rows = page(trace).rows[1:]
    assert len(rows) == 5
    assert "… 998 more FETCH replies like these, 99.8 kB" in rows[3]
    assert "… 998 more FETCH replies like these, 99.8 kB" in str(trace)
    assert "1 command and 1,001 replies: 100.1 kB in" in str(trace)
    assert len(trace.frame) == 1002


def test_of_a_long_dialogue_the_beginning_is_shown_and_the_rest_counted(
    tap: Tap, trace: Trace
) -> None:
    for number in range(500):
        tap.sent(b"A%d" % number, [b"NOOP"])
        tap.heard([b"A%d OK" % number], (number + 1) * 10)
    seen = page(trace)
    assert len(seen.rows) == 1 + dialogue.MOST_ROWS + 1
    assert "… 800 more lines" in seen.rows[-1]
    assert "… 800 more lines" in str(trace)
    assert "500 commands and 500 replies" in str(trace)


def test_replies_that_are_folded_beyond_what_is_shown_are_counted_one_by_one(
    tap: Tap, trace: Trace
) -> None:
    position = 0
    for number in range(250):
        tap.sent(b"A%03d" % number, [b"NOOP"])
        for reply in [b"* 1 FETCH (UID 1)"] * 10 + [b"A%03d OK" % number]:
            position += 10
            tap.heard([reply], position)
    # Of each command five rows are shown: itself, two replies, how many more, its completion.
    assert "… 2,520 more lines; all are in .frame, 25.4 kB" in page(trace).rows[-1]
    assert 210 * (11 * 10 + len("A000 NOOP\r\n")) == 25_410


def test_what_was_not_kept_is_counted(tap: Tap, trace: Trace) -> None:
    for _ in range(12_000):
        tap.sent(b"A", [b"NOOP"])
    assert "2,000 more lines were not kept" in str(trace)
    assert "2,000 more lines were not kept" in trace._repr_html_()


def test_the_connection_is_shown_where_there_are_several(recorder: Recorder, trace: Trace) -> None:
    recorder.tap().sent(b"A1", [b"NOOP"])
    assert "connection" not in trace._repr_html_()
    recorder.tap().sent(b"B1", [b"NOOP"])
    assert "<th>connection</th>" in trace._repr_html_()
    assert "2 C: B1 NOOP" in str(trace)


# -- in a terminal


def test_a_trace_is_printed_line_by_line_with_what_each_command_does(
    tap: Tap, trace: Trace
) -> None:
    tap.sent(b"A1", [b"EXAMINE INBOX"])
    tap.heard([b"* 3 EXISTS"], 12)
    tap.heard([b"A1 OK done"], 24)
    text = re.sub(r"\d+\.\d(?=  | ms)", "0.0", str(trace))
    assert text.splitlines() == [
        "1 command and 2 replies: 42 bytes in 0.0 ms.",
        "",
        "       0.0  C: A1 EXAMINE INBOX",
        "               open a folder for reading only (RFC 3501 section 6.3.2)",
        "       0.0  S: * 3 EXISTS",
        "       0.0  S: A1 OK done",
    ]


def test_a_long_line_is_cut_in_a_terminal_and_whole_in_the_frame(tap: Tap, trace: Trace) -> None:
    tap.heard([b"* OK " + b"x" * 500], 1)
    assert max(map(len, str(trace).splitlines())) < 130
    assert len(trace.frame["line"][0]) == 505


# -- secrets


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_in_a_trace_of_the_embedded_server(secret: str) -> None:
    with Server({USER: secret}) as server, connect(server, secret) as session:
        with session.tracing() as t:
            session.headers(progress=False)
        assert leaks(everything_shown(session, t)) == []
        with pytest.raises(MailframeError) as caught:
            connect(server, f"{secret}-not").close()
    assert leaks([shown(caught.value), kept_behind(caught.value)]) == []


def test_no_secret_is_in_a_trace_of_a_real_server(
    dovecot: Dovecot, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    dovecot.deliver(user, [b"Subject: x\r\n\r\nx"])
    with connect(dovecot, dovecot.password, user=user) as session:
        with session.tracing() as t:
            session.headers(progress=False)
        texts = everything_shown(session, t) + caplog.text.splitlines()
    hidden = [dovecot.password, base64.b64encode(f"\0{user}\0{dovecot.password}".encode()).decode()]
    assert not [line for line in texts if any(form in line for form in hidden)]
    assert any("FETCH" in line for line in texts)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN SASL-IR"])
@pytest.mark.parametrize("echo", ["tagged OK", "untagged, and OK"])
def test_no_secret_that_a_server_repeats_is_in_a_trace(
    scripted: Scripted, caplog: pytest.LogCaptureFixture, echo: str, capabilities: str
) -> None:
    caplog.set_level("DEBUG")
    says = ECHOES.get(echo) or said(b"* OK %b\r\n* 1 %_\r\n<tag> OK %b\r\n")
    server = scripted({"LOGIN": says, "AUTHENTICATE": says}, capabilities=capabilities)
    with connect(server) as session:
        with session.tracing() as t:
            session.folders()
        assert leaks(everything_shown(session, t)) == []
    assert leaks(caplog.text.splitlines()) == []


def test_a_trace_can_be_kept_and_carries_no_connection_away(trace: Trace) -> None:
    kept = pickle.loads(pickle.dumps(trace))
    assert kept.lines == trace.lines
    assert repr(kept) == repr(trace)
    assert leaks([pickle.dumps(trace).decode("latin-1")]) == []
