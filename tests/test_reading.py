r"""What a session reads besides the usual: fields, hops, cut texts, previews, Gmail's labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import schema
from mailframe.exceptions import CommandError, NotSupportedError, QueryError
from mailframe.imap import fetch as fetch_module
from mailframe.imap import texts as texts_module
from tests.imap.replies import HEADER, MIXED_HEADER, message
from tests.rigs import messages
from tests.rigs import scripted as rig
from tests.rigs.scripted import ScriptedServer, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

    Scripted = Callable[..., ScriptedServer]
    Reading = Callable[..., mf.Session]

KEY = ["account", "folder", "uidvalidity", "uid"]
REV1 = "IMAP4rev1"
GMAIL = (
    "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS ENABLE MOVE "
    "CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE"
)


def talk(server: ScriptedServer) -> mf.Session:
    return mf.connect(
        server.host, "me@example.com", password="secret", port=server.port, security="none",
        timeout=5,
    )  # fmt: skip


@pytest.fixture
def reading(dovecot: Dovecot, user: str) -> Iterator[Reading]:
    """Return a function that delivers messages to a new user's INBOX and connects."""
    sessions = []

    def start(*mail: Any) -> mf.Session:
        dovecot.deliver(user, mail)
        sessions.append(
            mf.connect(
                dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
            )
        )
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


def without_preview(session: mf.Session) -> mf.Session:
    """Return the session of a server that makes no previews itself."""
    connection: Any = session._source
    connection = connection._pool.first
    assert "PREVIEW" in connection.capabilities
    connection.capabilities -= {"PREVIEW"}
    return session


def assert_conforms(frame: pd.DataFrame, kind: str) -> None:
    assert_frame_equal(schema.conform(frame, kind), frame)
    assert list(frame.columns) == [column.name for column in schema.FRAMES[kind]]
    assert type(frame.index) is pd.RangeIndex


def by_uid(frame: pd.DataFrame, column: str) -> dict[int, Any]:
    """Return a column by UID, None for what is missing."""
    return {
        int(uid): None if pd.isna(value) else value
        for uid, value in zip(frame["uid"], frame[column], strict=True)
    }


def dtypes(frame: pd.DataFrame, *columns: str) -> list[str]:
    return [str(frame[name].dtype) for name in columns]


def suspicious(raw: bytes) -> bytes:
    """Return the message without From, for which it is read whole."""
    return re.sub(rb"(?m)^From: .*\r\n", b"", raw)


class Bar:
    """As much of tqdm as a session uses."""

    n = 0

    def update(self, n: int = 1) -> None:
        self.n += n


# -- fields


def test_fields_become_columns_of_text_behind_the_others_in_the_order_asked(
    reading: Reading,
) -> None:
    session = reading(messages.plain(1, x_mailer="Pine", delivered_to="bob@example.com"))
    frame = session.headers(fields=["X-Mailer", "delivered-TO", "content-type"])
    usual = [column.name for column in schema.HEADERS]
    assert list(frame.columns) == [*usual, "x_mailer", "delivered_to", "content_type"]
    assert_frame_equal(schema.conform(frame, "headers"), frame)
    assert_frame_equal(frame[usual], session.headers())
    further = frame[["x_mailer", "delivered_to", "content_type"]]
    assert dtypes(further, *further) == ["str"] * 3
    assert further.iloc[0].tolist() == ["Pine", "bob@example.com", "text/plain; charset=us-ascii"]


def test_a_field_is_decoded_joined_where_it_repeats_and_missing_where_it_is(
    reading: Reading,
) -> None:
    session = reading(
        messages.plain(1, x_note="=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n =?iso-8859-1?Q?_aus_K=F6ln?="),
        b"X-Note: first\r\nx-NOTE: second\r\n\tline\r\n" + messages.plain(2, x_note="third"),
        messages.plain(3),
        b"X-Note:\r\n" + messages.plain(4),
        messages.plain(5, x_note="Grüße".encode()),
    )
    assert by_uid(session.headers(fields=["X-Note"]), "x_note") == {
        5: "Grüße",
        4: "",
        3: None,
        2: "first\nsecond line\nthird",
        1: "Grüße aus Köln",
    }


def test_a_field_named_like_a_column_leaves_the_column_alone(reading: Reading) -> None:
    session = reading(messages.plain(1, size="large", seen="never", uid="77"))
    fields = ["Date", "Size", "Subject", "SEEN", "List-Id", "uid", "Labels"]
    frame = session.headers(fields=fields)
    row = frame.iloc[0]
    assert list(frame.columns[-7:]) == [
        "header_date", "header_size", "header_subject", "header_seen", "header_list_id",
        "header_uid", "header_labels",
    ]  # fmt: skip
    assert row["header_date"] == "Mon, 05 Jan 2026 10:30:00 +0000"
    assert row[["header_size", "header_seen", "header_uid"]].tolist() == ["large", "never", "77"]
    assert row["header_subject"] == row["subject"] == "Message 1"
    assert pd.isna(row["header_list_id"])
    assert (row["uid"], bool(row["seen"])) == (1, False)
    assert_frame_equal(frame.iloc[:, :-7], session.headers())


def test_a_field_asked_for_twice_is_one_column(scripted: Scripted) -> None:
    head = HEADER.replace(b"Subject", b"X-A: once\r\nSubject")
    server = scripted(messages={1: message(1, header=head)})
    with talk(server) as session:
        frame = session.headers(fields=["X-A", "x-a", "X-A", "subject"])
    assert list(frame.columns[-2:]) == ["x_a", "header_subject"]
    assert frame[["x_a", "header_subject"]].iloc[0].tolist() == ["once", "Message 1"]
    [asked] = server.commands("UID FETCH")
    names = asked.partition(b"HEADER.FIELDS (")[2].partition(b")")[0].split()
    assert (names.count(b"X-A"), names.count(b"SUBJECT")) == (1, 1)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "X Mailer", "X-Mailer:", "X-Mailer\r\nA1 DELETE INBOX", "X\n", "X\r", "X)(",
        "(X", "X)", 'X"', "X]", "X[", "X\\", "X%", "X*", "X{3}", "X\0", "X\t", "X-Größe", "\u212a",
        None, 5, b"X-Mailer", ["X-Mailer"],
    ],
)  # fmt: skip
def test_what_no_field_is_called_is_refused_before_anything_is_sent(
    scripted: Scripted, name: Any
) -> None:
    server = scripted(messages={1: message()})
    with talk(server) as session:
        before = len(server.received)
        with pytest.raises(QueryError, match="no name of a header field") as refused:
            session.headers(fields=["X-Good", name])
        assert len(server.received) == before
    assert "without the colon" in refused.value.suggestion


def test_fields_come_from_a_message_that_is_read_whole_as_well(reading: Reading) -> None:
    by_part = messages.plain(1, x_note="=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", received="by a.example; x")
    by_part = b"Received: by b.example; y\r\n" + by_part
    session = reading(by_part, suspicious(by_part))
    frame = session.headers(fields=["X-Note", "Received"]).set_index("uid")
    assert frame["from_address"].isna().to_dict() == {2: True, 1: False}
    assert set(frame["x_note"]) == {"Grüße"}
    assert set(frame["received"]) == {"by b.example; y\nby a.example; x"}


def test_fields_of_a_message_that_its_server_cannot_describe_come_with_it(
    scripted: Scripted,
) -> None:
    head = MIXED_HEADER.replace(b"Subject", b"X-A: part\r\nSubject")
    whole = head.replace(b"%d", b"9").replace(b"X-A: part", b"X-A: whole") + b"--b\r\n\r\nHi\r\n"
    items = message(9, header=head, parts={b"": literal(whole)})
    with talk(scripted(messages={9: items})) as session:
        frame = session.headers(fields=["X-A"])
    assert by_uid(frame, "x_a") == {9: "whole"}


def test_a_row_that_has_gone_has_no_fields(dovecot: Dovecot, user: str, reading: Reading) -> None:
    session = reading(*(messages.plain(number, x_note=f"note {number}") for number in (1, 2, 3)))
    before = session.headers().sort_values("uid")
    dovecot.expunge(user, 2)
    frame = session.headers(before, fields=["X-Note"])
    assert by_uid(frame, "x_note") == {1: "note 1", 2: None, 3: "note 3"}
    assert frame["uid"].tolist() == [1, 2, 3]
    assert frame["defects"].tolist() == ["", "gone", ""]
    assert str(frame["x_note"].dtype) == "str"


def test_fields_of_an_empty_folder_are_columns_of_text(reading: Reading) -> None:
    frame = reading().headers(fields=["X-Mailer", "Date"])
    assert frame.empty
    assert dtypes(frame, "x_mailer", "header_date") == ["str", "str"]
    assert_frame_equal(frame.iloc[:, :-2], schema.empty("headers"))


def test_fields_go_with_a_limit_over_several_folders(
    dovecot: Dovecot, user: str, reading: Reading
) -> None:
    when = [messages.START.replace(day=day) for day in (1, 2, 3, 4)]
    mail: list[Any] = [
        (messages.plain(n, x_note=f"note {n}"), [], when[n - 1]) for n in (1, 2, 3, 4)
    ]
    dovecot.deliver(user, mail[1::2], "Archive")
    frame = reading(*mail[::2]).headers(folder=["INBOX", "Archive"], limit=3, fields=["X-Note"])
    assert frame["folder"].tolist() == ["INBOX", "Archive", "Archive"]
    assert frame["x_note"].tolist() == ["note 3", "note 4", "note 2"]


def test_no_field_but_those_asked_for_is_read(scripted: Scripted) -> None:
    server = scripted(messages={1: message()})
    with talk(server) as session:
        session.headers()
        session.headers(fields=["X-Mailer", "Delivered-To"])
    usual, more = server.commands("UID FETCH")
    assert b"CONTENT-TYPE)]" in usual
    assert more == usual.replace(b"CONTENT-TYPE)]", b"CONTENT-TYPE X-MAILER DELIVERED-TO)]")


# -- hops

ARRIVED = (
    b"Received: from mx.example.com by store.example.com with LMTP;\r\n"
    b"\tMon, 5 Jan 2026 10:30:04 +0000\r\n"
    b"Received: from out.example.org (out.example.org [192.0.2.1]) by mx.example.com (Postfix)\r\n"
    b"\twith ESMTPS id 4Abc; Mon, 5 Jan 2026 11:29:58 +0100\r\n"
    b"Received: from laptop.example.org ([198.51.100.7]) by out.example.org with ESMTPSA;\r\n"
    b"\tMon, 5 Jan 2026 10:30:00 +0000\r\n"
)


def test_hops_are_the_servers_of_a_message_the_first_first(reading: Reading) -> None:
    frame = reading(ARRIVED + messages.plain(1)).hops()
    assert_conforms(frame, "hops")
    assert set(frame["uid"]) == {1}
    assert frame["hop"].tolist() == [0, 1, 2]
    assert frame["from_host"].tolist() == [
        "laptop.example.org", "out.example.org", "mx.example.com"
    ]  # fmt: skip
    assert frame["by_host"].tolist() == ["out.example.org", "mx.example.com", "store.example.com"]
    assert frame["with"].tolist() == ["ESMTPSA", "ESMTPS", "LMTP"]
    assert frame["time"].dt.strftime("%H:%M:%S").tolist() == ["10:30:00", "10:29:58", "10:30:04"]


def test_a_delay_is_negative_where_clocks_differ_and_the_first_has_none(reading: Reading) -> None:
    delay = reading(ARRIVED + messages.plain(1)).hops()["delay"]
    assert pd.isna(delay[0])
    assert delay[1:].dt.total_seconds().tolist() == [-2, 6]


def test_a_delay_counts_from_the_last_time_that_is_known(reading: Reading) -> None:
    times = (
        b"Mon, 5 Jan 2026 10:00:30 +0000", b"some day", b"", b"Mon, 5 Jan 2026 10:00:00 +0000",
        b"yesterday",
    )  # fmt: skip
    fields = b"".join(b"Received: by h%d.example; %b\r\n" % pair for pair in enumerate(times))
    frame = reading(fields + messages.plain(1)).hops()
    assert frame["by_host"].tolist() == [f"h{n}.example" for n in (4, 3, 2, 1, 0)]
    assert frame["time"].isna().tolist() == [True, False, True, True, False]
    assert frame["delay"].isna().tolist() == [True, True, True, True, False]
    assert frame["delay"][4] == pd.Timedelta(seconds=30)


def test_a_message_without_received_has_no_row(reading: Reading) -> None:
    session = reading(messages.plain(1), ARRIVED + messages.plain(2), messages.plain(3))
    assert set(session.hops()["uid"]) == {2}
    assert_conforms(session.hops("UID 1"), "hops")
    assert session.hops("UID 1").empty
    assert_conforms(session.hops("UID 99"), "hops")
    assert_conforms(session.hops(limit=0), "hops")


@pytest.mark.parametrize(
    "value",
    [
        b"", b"nonsense", b";;;;", b"from by with ; ;", b"(((", b"from " + b"x" * 2000 + b"; y",
        b"by \xff\xfe\x80 with \xe2\x82; \xff",
        "from bücher.example by ä.example; gestern".encode(),
        b"=?utf-8?Q?from=20forged=2Eexample?= by b.example; x",
        b"by a.example; Fri, 31 Dec 9999 23:59:59 -1200", b"by a.example; 1 Jan 0001 00:00 +1400",
        b"by a.example; Mon, 99 Foo 2026 99:99:99 +9999",
    ],
)  # fmt: skip
def test_a_forged_or_odd_field_is_a_row_like_any_other(reading: Reading, value: bytes) -> None:
    session = reading(ARRIVED + b"Received: " + value + b"\r\n" + messages.plain(1))
    frame = session.hops()
    assert_conforms(frame, "hops")
    assert frame["hop"].tolist() == [0, 1, 2, 3]
    assert frame["by_host"].tolist()[1:] == [
        "out.example.org", "mx.example.com", "store.example.com"
    ]  # fmt: skip


def test_hops_survive_parquet(reading: Reading, tmp_path: Path) -> None:
    session = reading(ARRIVED + messages.plain(1), b"Received: by x; y\r\n" + messages.plain(2))
    for name, frame in (("full", session.hops()), ("empty", session.hops(limit=0))):
        frame.to_parquet(tmp_path / name)
        back = schema.conform(pd.read_parquet(tmp_path / name), "hops")
        assert_frame_equal(back, frame)


def test_hops_of_a_frame_keep_its_order_and_leave_out_what_has_gone(
    dovecot: Dovecot, user: str, reading: Reading
) -> None:
    session = reading(*(ARRIVED + messages.plain(number) for number in (1, 2, 3, 4)))
    newest = session.hops(limit=2)
    assert newest["uid"].tolist() == [4, 4, 4, 3, 3, 3]
    before = session.search()
    dovecot.expunge(user, 3)
    frame = session.hops(before.iloc[[3, 1, 0, 2]])
    assert frame["uid"].tolist() == [1, 1, 1, 4, 4, 4, 2, 2, 2]
    assert frame["hop"].tolist() == [0, 1, 2] * 3
    assert session.bodies(frame)["uid"].tolist() == [1, 4, 2]


def test_for_hops_only_the_received_fields_are_asked_for(scripted: Scripted) -> None:
    server = scripted(messages={1: message(1, header=ARRIVED + HEADER)})
    with talk(server) as session:
        frame = session.hops()
    assert len(frame) == 3
    assert server.commands("UID FETCH") == [
        b"1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (RECEIVED)])"
    ]


# -- whose words they are


ANSWER = "Monday is fine.\r\n\r\nOn 5 Jan 2026, Bob wrote:\r\n> When?\r\n\r\n-- \r\nAnn\r\n"


def test_an_answer_is_divided_by_who_wrote_what(reading: Reading) -> None:
    session = reading(messages.plain(1, ANSWER), messages.plain(2, "All mine.\r\n"))
    frame = session.bodies(own_text=True)
    assert_conforms(frame, "bodies_own_text")
    assert by_uid(frame, "own_text") == {1: "Monday is fine.", 2: "All mine."}
    assert by_uid(frame, "quoted_text") == {1: "On 5 Jan 2026, Bob wrote:\n> When?", 2: ""}
    assert by_uid(frame, "signature") == {1: "-- \nAnn", 2: ""}
    assert by_uid(frame, "n_words") == {1: 3, 2: 2}
    assert_frame_equal(frame[[*session.bodies().columns]], session.bodies())


def test_a_message_without_text_has_no_words_of_anybodys(reading: Reading) -> None:
    only_a_file = messages.headers(1) + messages.base64_part("application/pdf", messages.PDF)
    session = reading(only_a_file, messages.plain(2, ""))
    frame = session.bodies(own_text=True).set_index("uid")
    assert frame.loc[1, ["own_text", "quoted_text", "signature", "n_words"]].isna().all()
    assert frame.loc[2, ["own_text", "quoted_text", "signature", "n_words"]].tolist() == [
        "", "", "", 0]  # fmt: skip


def test_own_words_come_with_the_html_and_of_texts_cut(reading: Reading) -> None:
    session = reading(messages.alternative(1, ANSWER))
    frame = session.bodies(own_text=True, html=True)
    names = [column.name for column in (*schema.BODIES_HTML, *schema.OWN_TEXT)]
    assert list(frame.columns) == names
    assert session.bodies(own_text=True, max_bytes=6)["own_text"].tolist() == ["Monday"]


def test_own_words_are_not_those_of_a_preview(reading: Reading) -> None:
    with pytest.raises(QueryError, match="own_text"):
        reading(messages.plain(1)).bodies(own_text=True, preview=True)
    with pytest.raises(QueryError, match="own_text= says nothing about headers"):
        next(reading().stream(own_text=True))


def test_what_an_address_wrote_is_told_from_answers_in_html(reading: Reading) -> None:
    page = (
        '<div>Fine.</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, 5 Jan 2026 '
        'at 10:30, Bob &lt;bob@example.com&gt; wrote:<br></div><blockquote class="gmail_quote" '
        'style="border-left:1px solid rgb(204,204,204)"><div>When?</div></blockquote></div>'
    )
    row = reading(html(page)).bodies(own_text=True).iloc[0]
    assert row["own_text"] == "Fine."
    assert "When?" in row["quoted_text"]


# -- texts of max_bytes at most

LINES = [f"line {number:03} é\r\n" for number in range(100)]
TEXT = "".join(LINES)  # 13 octets a line


def lines(count: int) -> str:
    return "".join(LINES[:count]).replace("\r\n", "\n")


def eight_bit(text: str = TEXT) -> bytes:
    return messages.plain(1, text)


def quoted(text: str = TEXT) -> bytes:  # 17 octets a line
    return messages.quoted_printable(text).replace(b"Content", messages.headers(1) + b"Content", 1)


def base64(text: str = TEXT) -> bytes:  # 57 octets in a line of 78
    part = messages.base64_part("text/plain; charset=utf-8", text.encode())
    return messages.headers(1) + part


def html(text: str = TEXT) -> bytes:
    kind = "text/html; charset=utf-8"
    return messages.headers(1) + messages.base64_part(kind, text.encode())


def serving(text: bytes, *, name: bytes = b"BODY[1]<%d>", said: int = 0) -> dict[str, Any]:
    """Return what a scripted server has for one message of this text, which it gives in ranges.

    ``said`` is the size in its structure, if that is another one.
    """
    structure = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" %d 9 NIL NIL NIL NIL)'

    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        wanted = re.search(rb"BODY\.PEEK\[1\](?:<(\d+)\.(\d+)>)?", args)
        if wanted is None:
            return rig._fetch(tag, args, connection)
        start = int(wanted[1] or 0)
        piece = text[start:][: int(wanted[2])] if wanted[2] else text
        called = name.replace(b"%d", b"%d" % start) if wanted[1] else b"BODY[1]"
        return b"* 1 FETCH (UID 1 %b %b)\r\n<tag> OK done\r\n" % (called, literal(piece))

    items = message(1, structure=structure % (said or len(text)), parts={}, size=300 + len(text))
    return {"handlers": {"UID FETCH": fetch}, "messages": {1: items}}


def asked_octets(server: ScriptedServer) -> int:
    """Count the octets of part 1 that were asked for."""
    ranges = [
        re.search(rb"BODY\.PEEK\[1\]<\d+\.(\d+)>", args)
        for args in server.commands("UID FETCH")
        if b"BODY.PEEK[1]" in args
    ]
    return sum(int(found[1]) if found else 1 << 40 for found in ranges)


@pytest.mark.parametrize("make", [lambda raw: raw, suspicious], ids=["by part", "whole"])
@pytest.mark.parametrize(
    ("mail", "max_bytes", "count"),
    [
        (eight_bit(), 26, 2),
        (eight_bit(), 38, 2),
        (eight_bit(), 36, 2),  # within é
        (eight_bit(), 1299, 99),
        (quoted(), 40, 2),
        (quoted(), 31, 1),  # within =A9
        (quoted(), 33, 1),  # between CR and LF
        (base64(), 100, 5),
        (base64(), 78, 4),
        (messages.multipart("mixed", messages.quoted_printable(TEXT), number=1), 40, 2),
    ],
)
def test_a_long_text_ends_with_its_last_whole_line(
    reading: Reading, make: Callable[[bytes], bytes], mail: bytes, max_bytes: int, count: int
) -> None:
    frame = reading(make(mail)).bodies(max_bytes=max_bytes)
    assert_conforms(frame, "bodies")
    row = frame.iloc[0]
    assert row["text"] == lines(count)
    assert (row["truncated"], row["defects"], row["charset"]) == (True, "", "utf-8")
    assert row["text_source"] == "plain"


@pytest.mark.parametrize("make", [lambda raw: raw, suspicious], ids=["by part", "whole"])
@pytest.mark.parametrize("max_bytes", [1300, 1301, 10**9, 2**70, None])
def test_a_text_that_is_no_longer_is_whole(
    reading: Reading, make: Callable[[bytes], bytes], max_bytes: int | None
) -> None:
    session = reading(make(eight_bit()))
    frame = session.bodies(max_bytes=max_bytes)
    assert by_uid(frame, "text") == {1: lines(100)}
    assert not frame["truncated"].any()
    assert_frame_equal(frame, session.bodies())


def test_truncated_are_only_those_where_something_was_cut(reading: Reading) -> None:
    session = reading(
        messages.plain(1, "12345678\r\n"),
        messages.plain(2, "123456789\r\n"),
        messages.plain(3, ""),
        messages.headers(4, content_type="application/pdf") + b"\r\n" + messages.PDF,
        messages.with_attachment(5),
        messages.alternative(6, "Hi\r\n", "<p>" + "long " * 50),
    )
    frame = session.bodies(max_bytes=10)
    assert by_uid(frame, "truncated") == {6: False, 5: True, 4: False, 3: False, 2: True, 1: False}
    assert by_uid(frame, "text_source")[4] == "none"
    both = session.bodies(html=True, max_bytes=10)
    assert by_uid(both, "truncated")[6]
    assert by_uid(both, "text")[6] == "Hi\n"


@pytest.mark.parametrize("make", [lambda raw: raw, suspicious], ids=["by part", "whole"])
def test_html_is_cut_before_text_is_made_of_it(
    reading: Reading, make: Callable[[bytes], bytes]
) -> None:
    page = "".join(f"<p>line {number:03}</p>\r\n" for number in range(50))
    session = reading(make(html(page)))
    frame = session.bodies(max_bytes=78, html=True)
    assert_conforms(frame, "bodies_html")
    row = frame.iloc[0]
    assert row["html"] == "".join(f"<p>line {number:03}</p>\n" for number in range(3))
    assert " ".join(row["text"].split()) == "line 000 line 001 line 002"
    assert (row["truncated"], row["text_source"], row["defects"]) == (True, "html", "")


@pytest.mark.parametrize("make", [lambda raw: raw, suspicious], ids=["by part", "whole"])
@pytest.mark.parametrize(
    "mail",
    [
        messages.plain(1, "Grüße\r\nund Küsse"),
        messages.plain(1, "ü€🍺" * 3),
        quoted("Grüße\r\nund Küsse\r\n"),
        base64("Grüße\r\nund Küsse\r\n"),
    ],
    ids=["8bit", "8bit, one line", "quoted-printable", "base64"],
)
def test_wherever_it_is_cut_a_text_is_the_beginning_of_the_whole_one(
    reading: Reading, make: Callable[[bytes], bytes], mail: bytes
) -> None:
    session = reading(make(mail))
    whole = session.bodies()["text"][0]
    size = len(mail.partition(b"\r\n\r\n")[2])
    found = {n: session.bodies(max_bytes=n).iloc[0] for n in range(size + 2)}
    broken = {
        n: (row["text"], row["defects"])
        for n, row in found.items()
        if not whole.startswith(row["text"]) or row["defects"]
    }
    assert broken == {}
    assert [n for n, row in found.items() if not row["truncated"]] == [size, size + 1]


@pytest.mark.parametrize("make", [lambda raw: raw, suspicious], ids=["by part", "whole"])
@pytest.mark.parametrize(
    ("max_bytes", "text"),
    [(3, "abc"), (4, "abc"), (5, "abc"), (6, "abc"), (7, "abc🍺"), (8, "abc🍺d"), (11, "abc🍺dü")],
)
def test_a_line_longer_than_max_bytes_is_cut_between_characters(
    reading: Reading, make: Callable[[bytes], bytes], max_bytes: int, text: str
) -> None:
    row = reading(make(messages.plain(1, "abc🍺dü€"))).bodies(max_bytes=max_bytes).iloc[0]
    assert (row["text"], row["truncated"], row["defects"]) == (text, True, "")


@pytest.mark.parametrize("max_bytes", [0, 1])
def test_next_to_nothing_is_a_number_of_bytes(reading: Reading, max_bytes: int) -> None:
    session = reading(messages.plain(1, "Hi\r\n"), suspicious(messages.plain(2, "Hi\r\n")))
    frame = session.bodies(max_bytes=max_bytes)
    assert frame["text"].tolist() == ["H"[:max_bytes]] * 2
    assert frame["truncated"].tolist() == [True, True]
    assert frame["defects"].tolist() == ["", ""]


def test_no_range_of_no_bytes_is_asked_for(scripted: Scripted) -> None:
    # RFC 3501 section 9: the length in BODY[1]<0.1> is a number from 1.
    server = scripted(**serving(TEXT.encode()))
    with talk(server) as session:
        frame = session.bodies(max_bytes=0)
    assert (frame["text"][0], frame["truncated"][0]) == ("", True)
    assert not [args for args in server.commands("UID FETCH") if b".0>" in args]


@pytest.mark.parametrize("name", [b"BODY[1]<%d>", b"BODY[1]"], ids=["offset", "no offset"])
def test_no_more_than_max_bytes_are_asked_for(scripted: Scripted, name: bytes) -> None:
    server = scripted(**serving(TEXT.encode(), name=name))
    with talk(server) as session:
        frame = session.bodies(max_bytes=50)
    assert server.commands("UID FETCH")[1:] == [b"1 (UID BODY.PEEK[1]<0.50>)"]
    assert by_uid(frame, "text") == {1: lines(3)}
    assert frame["truncated"].tolist() == [True]


@pytest.mark.parametrize("max_bytes", [1300, 1301])
def test_a_text_within_max_bytes_is_asked_for_without_a_range(
    scripted: Scripted, max_bytes: int
) -> None:
    server = scripted(**serving(TEXT.encode()))
    with talk(server) as session:
        frame = session.bodies(max_bytes=max_bytes)
    assert server.commands("UID FETCH")[1:] == [b"1 (UID BODY.PEEK[1])"]
    assert by_uid(frame, "text") == {1: lines(100)}


def test_texts_within_max_bytes_and_beyond_are_not_confused(scripted: Scripted) -> None:
    long = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 90 9 NIL NIL NIL NIL)'
    items = message(2, structure=long, parts={})
    stored = {1: message(1), 2: items + b" BODY[1]<0> " + literal(b"Beginning\r\nof so")}
    server = scripted(messages=stored)
    with talk(server) as session:
        frame = session.bodies(max_bytes=16)
    assert by_uid(frame, "text") == {2: "Beginning\n", 1: "Hello.\n"}
    assert by_uid(frame, "truncated") == {2: True, 1: False}
    assert sorted(server.commands("UID FETCH")[1:]) == [
        b"1 (UID BODY.PEEK[1])",
        b"2 (UID BODY.PEEK[1]<0.16>)",
    ]


def test_a_text_read_in_ranges_is_cut_at_max_bytes(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "RANGE", 64)
    monkeypatch.setattr(texts_module, "PIECE", 100)
    server = scripted(**serving(TEXT.encode()))
    with talk(server) as session:
        frame = session.bodies(max_bytes=150)
    assert by_uid(frame, "text") == {1: lines(11)}
    assert frame["truncated"].tolist() == [True]
    assert asked_octets(server) < 300


def test_no_more_than_max_bytes_are_asked_for_in_ranges_either(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "RANGE", 64)
    monkeypatch.setattr(texts_module, "PIECE", 100)
    server = scripted(**serving(TEXT.encode()))
    with talk(server) as session:
        session.bodies(max_bytes=150)
    assert asked_octets(server) <= 150


def test_a_text_shorter_than_its_server_says_is_not_cut(scripted: Scripted) -> None:
    # Exchange estimates sizes.
    server = scripted(**serving(b"One\r\nTwo", said=100))
    with talk(server) as session:
        frame = session.bodies(max_bytes=50)
    assert by_uid(frame, "text") == {1: "One\nTwo"}
    assert frame["truncated"].tolist() == [False]


@pytest.mark.parametrize("max_bytes", [-1, True, False, 1.5, 2.0, "x", "10", [1]])
def test_what_is_no_number_of_bytes_is_refused_before_anything_is_sent(
    scripted: Scripted, max_bytes: Any
) -> None:
    server = scripted(messages={1: message()})
    with talk(server) as session:
        before = len(server.received)
        with pytest.raises(QueryError, match=r"max_bytes=.* is no number of bytes"):
            session.bodies(max_bytes=max_bytes)
        assert len(server.received) == before


def test_a_number_of_numpy_is_a_number_of_bytes(reading: Reading) -> None:
    number: Any = pd.Series([26]).to_numpy()[0]
    assert by_uid(reading(eight_bit()).bodies(max_bytes=number), "text") == {1: lines(2)}


def test_cut_texts_of_a_frame_keep_its_order_and_what_has_gone(
    dovecot: Dovecot, user: str, reading: Reading
) -> None:
    session = reading(*(messages.plain(n, f"{n}\r\nand more\r\n") for n in (1, 2, 3)))
    before = session.headers().sort_values("uid")
    dovecot.expunge(user, 2)
    frame = session.bodies(before, max_bytes=5)
    assert_conforms(frame, "bodies")
    assert by_uid(frame, "text") == {1: "1\n", 2: None, 3: "3\n"}
    assert frame["uid"].tolist() == [1, 2, 3]
    assert frame["truncated"].tolist() == [True, False, True]
    assert frame["defects"].tolist() == ["", "gone", ""]


def test_a_utf_16_text_is_cut_between_characters(reading: Reading) -> None:
    content = "Grüße\r\nund Küsse\r\n".encode("utf-16")
    mail = messages.headers(1) + messages.base64_part("text/plain; charset=utf-16", content)
    row = reading(mail).bodies(max_bytes=32).iloc[0]
    assert (row["text"], row["truncated"]) == ("Grüße\n", True)


def test_html_without_max_bytes_is_as_ever(scripted: Scripted) -> None:
    page = b'("TEXT" "HTML" ("CHARSET" "us-ascii") NIL NIL "7BIT" 8 1)'
    plain = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 8 1)'
    items = message(
        1,
        structure=b'(%b%b "ALTERNATIVE" ("BOUNDARY" "b"))' % (plain, page),
        header=HEADER.replace(b"text/plain", b"multipart/alternative"),
        parts={b"1": literal(b"Hello.\r\n"), b"2": literal(b"<p>Hello")},
    )
    server = scripted(messages={1: items})
    with talk(server) as session:
        frame = session.bodies(html=True)
        session.bodies()
    assert_conforms(frame, "bodies_html")
    assert frame[["text", "html", "text_source"]].iloc[0].tolist() == [
        "Hello.\n", "<p>Hello", "plain"
    ]  # fmt: skip
    assert not frame["truncated"].any()
    asked = [args for args in server.commands("UID FETCH") if b"BODY.PEEK[1]" in args]
    assert asked == [b"1 (UID BODY.PEEK[1] BODY.PEEK[2])", b"1 (UID BODY.PEEK[1])"]


# -- previews

TALE = "Once  upon\r\na\ttime, " + "there was a very long text. " * 40 + "\r\n"
MAIL = {
    1: messages.plain(1),
    2: messages.alternative(2, "Grüße\r\n\r\naus   Köln\r\n"),
    3: messages.plain(3, TALE),
    4: messages.plain(4, ""),
    5: messages.headers(5)
    + messages.base64_part("text/html; charset=utf-8", b"<h1>Hello</h1>\r\n<p>World &amp; all"),
    6: messages.with_inline_image(6),
}
BEGINNINGS = {
    1: "Hello.",
    2: "Grüße aus Köln",
    3: " ".join(TALE.split())[:200],
    4: "",
    5: "Hello World & all",
    6: "A dot:",
}


@pytest.mark.parametrize("server", ["with PREVIEW", "without"])
def test_previews_are_how_texts_begin(reading: Reading, server: str) -> None:
    session = reading(*MAIL.values())
    if server == "without":
        without_preview(session)
    frame = session.bodies(preview=True)
    assert_conforms(frame, "previews")
    found = by_uid(frame, "preview")
    # Servers take a little less than 200 characters where that ends within a word.
    assert BEGINNINGS[3].startswith(found[3].rstrip())
    assert 180 <= len(found.pop(3)) <= 200
    assert found == {uid: text for uid, text in BEGINNINGS.items() if uid != 3}
    assert frame["uid"].tolist() == [6, 5, 4, 3, 2, 1]
    assert set(frame["account"]) == {session.account}
    assert frame.attrs == {"accounts": [session.account]}


def test_a_message_without_text_has_the_same_preview_whoever_makes_it(reading: Reading) -> None:
    session = reading(messages.headers(1, content_type="application/pdf") + b"\r\n" + messages.PDF)
    by_server = by_uid(session.bodies(preview=True), "preview")
    by_text = by_uid(without_preview(session).bodies(preview=True), "preview")
    assert by_server == by_text


@pytest.mark.parametrize("server", ["with PREVIEW", "without"])
def test_a_page_on_one_long_line_has_a_preview(reading: Reading, server: str) -> None:
    # As newsletters are: a line for the DOCTYPE, one for everything else.
    page = "<!DOCTYPE html>\n<html><body><p>Hello there</p>" + "<p>word</p>" * 2000
    part = messages.quoted_printable(page, "text/html; charset=utf-8")
    session = reading(messages.headers(1) + part)
    if server == "without":
        without_preview(session)
    assert by_uid(session.bodies(preview=True), "preview")[1].startswith("Hello there word word")


@pytest.mark.parametrize("server", ["with PREVIEW", "without"])
def test_previews_of_a_frame_keep_its_order_and_what_has_gone(
    dovecot: Dovecot, user: str, reading: Reading, server: str
) -> None:
    session = reading(*(messages.plain(n, f"Text {n}\r\n") for n in (1, 2, 3, 4)))
    if server == "without":
        without_preview(session)
    before = session.search().iloc[[2, 0, 1, 3]]
    dovecot.expunge(user, 3)
    frame = session.bodies(before, preview=True)
    assert_conforms(frame, "previews")
    assert frame[KEY].equals(before[KEY].reset_index(drop=True))
    assert by_uid(frame, "preview") == {2: "Text 2", 4: "Text 4", 3: None, 1: "Text 1"}
    dovecot.expunge(user, 1)
    assert session.bodies("UID 1,3", preview=True).empty


@pytest.mark.parametrize("server", ["with PREVIEW", "without"])
def test_previews_of_an_empty_folder_conform(reading: Reading, server: str) -> None:
    session = reading()
    if server == "without":
        without_preview(session)
    frame = session.bodies(preview=True)
    assert_conforms(frame, "previews")
    assert frame.empty
    assert_conforms(session.bodies(session.search(), preview=True), "previews")


def test_a_preview_of_the_server_is_all_that_is_asked_for(scripted: Scripted) -> None:
    stored = {
        1: b'PREVIEW "Hello\t \\"you\\""',
        2: b"PREVIEW " + literal("Grüße\r\n  aus Köln ".encode()),
        3: b'PREVIEW ""',
        4: b"PREVIEW NIL",
        5: b"PREVIEW " + literal("ü".encode() * 300),
        6: b"PREVIEW " + literal(b"\xff cut \xc3"),
    }
    server = scripted(capabilities=f"{REV1} PREVIEW", messages=stored)
    with talk(server) as session:
        frame = session.bodies(preview=True)
    assert_conforms(frame, "previews")
    assert by_uid(frame, "preview") == {
        6: "\ufffd cut \ufffd",
        5: "ü" * 200,
        4: None,
        3: "",
        2: "Grüße aus Köln",
        1: 'Hello "you"',
    }
    assert server.commands("UID FETCH") == [b"1:6 (UID PREVIEW)"]


def test_a_server_that_refuses_every_preview_is_no_folder_without_text(scripted: Scripted) -> None:
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        if b"PREVIEW" in args:
            return b"<tag> NO [SERVERBUG] internal error\r\n"
        return rig._fetch(tag, args, connection)

    stored = {uid: message(uid) for uid in (1, 2, 3)}
    server = scripted({"UID FETCH": fetch}, capabilities=f"{REV1} PREVIEW", messages=stored)
    with talk(server) as session, pytest.raises(CommandError, match="internal error"):
        session.bodies(preview=True)


def test_a_message_whose_preview_is_refused_leaves_the_others(scripted: Scripted) -> None:
    def fetch(tag: bytes, args: bytes, connection: rig.Connection) -> rig.Reply:
        if 2 in rig.uids_in(args.partition(b" ")[0], connection.server.messages):
            return b"<tag> NO [SERVERBUG] message 2 is damaged\r\n"
        return rig._fetch(tag, args, connection)

    stored = {uid: b'PREVIEW "Text %d"' % uid for uid in (1, 2, 3)}
    server = scripted({"UID FETCH": fetch}, capabilities=f"{REV1} PREVIEW", messages=stored)
    with talk(server) as session:
        frame = session.bodies(preview=True)
    assert by_uid(frame, "preview") == {3: "Text 3", 2: None, 1: "Text 1"}


@pytest.mark.parametrize("capabilities", [REV1, f"{REV1} PREVIEW=FUZZY SNIPPET=FUZZY"])
def test_a_preview_by_hand_takes_the_beginning_of_the_text_alone(
    scripted: Scripted, capabilities: str
) -> None:
    content = b"   Dear  Bob,\r\n\r\n" + b"this is long.\r\n" * 20_000
    server = scripted(capabilities=capabilities, **serving(content))
    with talk(server) as session:
        frame = session.bodies(preview=True)
    assert_conforms(frame, "previews")
    [preview] = frame["preview"]
    assert preview.startswith("Dear Bob, this is long. this is")
    assert len(preview) == 200
    assert server.commands("UID FETCH")[1:] == [b"1 (UID BODY.PEEK[1]<0.32768>)"]


@pytest.mark.parametrize("also", [{"html": True}, {"max_bytes": 0}, {"max_bytes": 10}])
def test_a_preview_goes_with_neither_html_nor_max_bytes(
    scripted: Scripted, also: dict[str, Any]
) -> None:
    server = scripted(messages={1: message()})
    with talk(server) as session:
        before = len(server.received)
        with pytest.raises(QueryError, match="preview=True reads no text"):
            session.bodies(preview=True, **also)
        assert len(server.received) == before


def test_previews_of_several_folders_and_a_limit(
    dovecot: Dovecot, user: str, reading: Reading
) -> None:
    when = [messages.START.replace(day=day) for day in (1, 2, 3)]
    mail: list[Any] = [(messages.plain(n, f"Text {n}"), [], when[n - 1]) for n in (1, 2, 3)]
    dovecot.deliver(user, mail[1:2], "Archive")
    session = reading(*mail[::2])
    frame = session.bodies(folder=["Archive", "INBOX"], limit=2, preview=True)
    assert frame["folder"].tolist() == ["Archive", "INBOX"]
    assert frame["preview"].tolist() == ["Text 2", "Text 3"]


# -- for all of them

CALLS: dict[str, Callable[..., pd.DataFrame]] = {
    "fields": lambda session, *args, **more: session.headers(*args, fields=["X-A"], **more),
    "hops": lambda session, *args, **more: session.hops(*args, **more),
    "max_bytes": lambda session, *args, **more: session.bodies(*args, max_bytes=3, **more),
    "preview": lambda session, *args, **more: session.bodies(*args, preview=True, **more),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_bar_counts_messages_those_that_have_gone_too(
    dovecot: Dovecot, user: str, reading: Reading, name: str
) -> None:
    session = reading(*(ARRIVED + mail for mail in messages.many(4)))
    before, found = session.search(), Bar()
    CALLS[name](session, progress=found)
    assert found.n == 4
    dovecot.expunge(user, 2)
    rest = Bar()
    CALLS[name](session, before, progress=rest)
    assert rest.n == 4


@pytest.mark.parametrize("server", ["with PREVIEW", "without"])
def test_nothing_on_the_server_changes(
    dovecot: Dovecot, user: str, reading: Reading, server: str
) -> None:
    dovecot.deliver(user, messages.many(6), recent=True)
    session = reading(*((mail, ["\\Flagged", "$Todo"], None) for mail in messages.many(6)))
    if server == "without":
        without_preview(session)
    before = dovecot.flags(user)
    for call in CALLS.values():
        call(session)
        call(session, session.search())
    assert dovecot.flags(user) == before
    assert "\\Recent" in frozenset().union(*before.values())


# -- Gmail

LABELS = b'("\\\\Inbox" "\\\\Sent" Important "Muy Importante" &bgBnLA-)'
READ = ["\\Inbox", "\\Sent", "Important", "Muy Importante", "渀本"]


def gmail(labels: bytes = LABELS, number: int = 1, thread: bytes = b"1278455344230334865") -> bytes:
    """Return a message as Gmail describes it: its own items first."""
    return b"X-GM-THRID %b X-GM-LABELS %b %b" % (thread, labels, message(number))


def labels_of(scripted: Scripted, items: bytes) -> Any:
    with talk(scripted(capabilities=GMAIL, messages={1: items})) as session:
        return by_uid(session.headers(), "labels")[1]


def test_gmails_labels_and_threads_are_columns(scripted: Scripted) -> None:
    server = scripted(capabilities=GMAIL, messages={1: gmail(), 2: gmail(b"()", 2, b"17")})
    with talk(server) as session:
        frame = session.headers()
    assert list(frame.columns) == [c.name for c in (*schema.HEADERS, *schema.GMAIL)]
    assert dtypes(frame, "gmail_thread", "labels") == ["str", "str"]
    assert by_uid(frame, "labels") == {2: "", 1: "\n".join(READ)}
    assert by_uid(frame, "gmail_thread") == {2: "17", 1: "1278455344230334865"}
    assert by_uid(frame, "subject") == {2: "Message 2", 1: "Message 1"}
    assert frame["defects"].tolist() == ["", ""]
    [asked] = server.commands("UID FETCH")
    assert b" X-GM-THRID X-GM-LABELS" in asked


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (LABELS, "\n".join(READ)),
        (b"(Work Home)", "Work\nHome"),
        (b'("\\\\Starred")', "\\Starred"),
        (b'("say \\"hi\\"" "a)b" "(c" "d {3}")', 'say "hi"\na)b\n(c\nd {3}'),
        (b'("x" {7}\r\nTwo (2) Important)', "x\nTwo (2)\nImportant"),
        (b'({4}\r\na"\\b)', 'a"\\b'),
        (b'("B&APw-ro &- Co" &-)', "Büro & Co\n&"),
        (b'("Arbeit/Gr&APwA3w-e")', "Arbeit/Grüße"),
        ('("Grüße")'.encode(), "Grüße"),
        (b'("NIL" Work)', "NIL\nWork"),
        (b"()", ""),
        (b"NIL", ""),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_labels_are_read_in_every_form(
    scripted: Scripted, labels: bytes, expected: str, place: str
) -> None:  # fmt: skip
    items = gmail(labels)
    if place == "last":
        items = message(1) + b" X-GM-THRID 17 X-GM-LABELS " + labels
    assert labels_of(scripted, items) == expected


def test_labels_are_columns_of_an_empty_folder_too(scripted: Scripted) -> None:
    with talk(scripted(capabilities=GMAIL)) as session:
        frame = session.headers(fields=["X-A"])
        by_limit = session.headers(limit=0)
    assert frame.empty
    assert list(frame.columns[-3:]) == ["gmail_thread", "labels", "x_a"]
    assert dtypes(frame, "gmail_thread", "labels", "x_a") == ["str"] * 3
    assert list(by_limit.columns[-2:]) == ["gmail_thread", "labels"]


def test_a_row_that_has_gone_has_no_labels(scripted: Scripted) -> None:
    server = scripted(capabilities=GMAIL, messages={1: gmail(), 2: gmail()})
    with talk(server) as session:
        before = session.search()
        del server.messages[1]
        frame = session.headers(before)
    assert by_uid(frame, "labels") == {2: "\n".join(READ), 1: None}
    assert by_uid(frame, "gmail_thread") == {2: "1278455344230334865", 1: None}
    assert frame["defects"].tolist() == ["", "gone"]


def test_a_suspicious_message_of_gmail_keeps_its_labels(scripted: Scripted) -> None:
    whole = MIXED_HEADER.replace(b"%d", b"9") + b"--b\r\n\r\nHi\r\n--b--\r\n"
    items = b"X-GM-THRID 17 X-GM-LABELS (Work) " + message(
        1, header=MIXED_HEADER, parts={b"": literal(whole)}
    )
    with talk(scripted(capabilities=GMAIL, messages={1: items})) as session:
        frame = session.headers()
    assert frame[["subject", "labels", "gmail_thread"]].iloc[0].tolist() == [
        "Message 9", "Work", "17"
    ]  # fmt: skip


def test_labels_are_asked_for_by_nothing_but_headers(scripted: Scripted) -> None:
    server = scripted(capabilities=GMAIL, messages={1: gmail()})
    with talk(server) as session:
        session.recipients()
        session.attachments()
        session.bodies()
        session.hops()
    assert not [args for args in server.commands("UID FETCH") if b"X-GM" in args]


def test_other_servers_are_not_asked_for_labels(scripted: Scripted) -> None:
    server = scripted(messages={1: gmail()})
    with talk(server) as session:
        frame = session.headers()
    assert_conforms(frame, "headers")
    assert not [line for line in server.received if b"X-GM" in line]


def test_a_search_as_in_gmails_box_goes_out_as_it_is(scripted: Scripted) -> None:
    server = scripted(capabilities=GMAIL, messages={1: gmail()})
    with talk(server) as session:
        assert session.count(mf.Q(gmail="has:attachment older_than:1y")) == 1
    [asked] = server.commands("UID SEARCH")
    assert asked == b'RETURN (ALL) X-GM-RAW "has:attachment older_than:1y"'


def test_a_search_in_gmails_box_may_hold_any_character(scripted: Scripted) -> None:
    server = scripted(capabilities=GMAIL, messages={1: gmail()})
    with talk(server) as session:
        assert session.count(mf.Q(gmail='subject:"Grüße"')) == 1
    [asked] = server.commands("UID SEARCH")
    wanted = 'subject:"Grüße"'.encode()
    assert asked == b"RETURN (ALL) CHARSET UTF-8 X-GM-RAW {%d}\r\n%b" % (len(wanted), wanted)


def test_a_search_in_gmails_box_needs_gmail(scripted: Scripted) -> None:
    server = scripted(messages={1: message()})
    with talk(server) as session, pytest.raises(NotSupportedError, match="X-GM-EXT-1"):
        session.headers(mf.Q(gmail="has:attachment older_than:1y"))
    assert server.commands("UID SEARCH") == []


def test_frames_of_gmail_and_of_others_join(scripted: Scripted) -> None:
    with talk(scripted(capabilities=GMAIL, messages={1: gmail()})) as session:
        first = session.headers(fields=["X-A"])
    with talk(scripted(messages={7: message(7)})) as session:
        second = session.headers()
    for joined, order in (
        (mf.concat([first, second]), [1, 7]),
        (mf.concat([second, first]), [7, 1]),
    ):
        assert joined["uid"].tolist() == order
        assert list(joined.columns[-3:]) == ["gmail_thread", "labels", "x_a"]
        assert by_uid(joined, "labels") == {1: "\n".join(READ), 7: None}
        assert by_uid(joined, "gmail_thread") == {1: "1278455344230334865", 7: None}
        assert_frame_equal(schema.conform(joined, "headers"), joined)
        assert dtypes(joined, "gmail_thread", "labels", "x_a") == ["str"] * 3
