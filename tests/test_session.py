"""A session: criteria in, frames out, nothing changed on the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imap_tools
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import progress, schema
from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    FolderError,
    MessageNotFoundError,
    NotSupportedError,
    QueryError,
    UidValidityError,
)
from mailframe.imap import way_in
from mailframe.records import Address, BodyRecord, Folder, Headers, MessageRecord
from mailframe.source import Selection
from tests.rigs import messages
from tests.rigs.scripted import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]

DATA = Path(__file__).parent / "data"
HAND_WRITTEN = (
    "bare",
    "empty_fields",
    "everything",
    "html_only",
    "no_text",
    "quoted_printable_attachment",
)
KEY = ["account", "folder", "uidvalidity", "uid"]
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
#: Methods that read messages into frames, and the kind of frame.
READING = {
    "search": "keys",
    "headers": "headers",
    "recipients": "recipients",
    "bodies": "bodies",
    "attachments": "attachments",
}


def hand_written(name: str) -> bytes:
    return (DATA / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def connect(dovecot: Dovecot, user: str) -> mf.Session:
    return mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    )


def assert_conforms(frame: pd.DataFrame, kind: str) -> None:
    assert_frame_equal(schema.conform(frame, kind), frame)
    assert list(frame.columns) == [column.name for column in schema.FRAMES[kind]]
    assert type(frame.index) is pd.RangeIndex


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    r"""Return a user with mail in four folders, one message a day; it is only read.

    INBOX: UIDs 1 to 6 are those in tests/data, in the order of `HAND_WRITTEN`; 7 to 12 are
    `messages.many`, 7, 9 and 11 of them ``\Seen``. Archive: 3 threaded ones, received between
    the second last and the last of INBOX. Büro/Ablage: 2, received last of all. Empty: none.
    """
    user = dovecot.new_user()
    inbox = [hand_written(name) for name in HAND_WRITTEN] + messages.many(6)
    flags = [["\\Seen", "$Junk"] if uid in {7, 9, 11} else [] for uid in range(1, 13)]
    dates = [NOON + uid * DAY for uid in range(1, 13)]
    dovecot.deliver(user, zip(inbox, flags, dates, strict=True))
    between = [NOON + 11 * DAY + timedelta(hours=hour) for hour in (1, 2, 3)]
    dovecot.deliver(
        user, zip(messages.thread(), [["\\Flagged"]] * 3, between, strict=True), "Archive"
    )
    late = [(messages.plain(n), [], NOON + (30 + n) * DAY) for n in (1, 2)]
    dovecot.deliver(user, late, "Büro/Ablage")
    dovecot.deliver(user, [], "Empty")
    return user


@pytest.fixture
def session(dovecot: Dovecot, owner: str) -> Iterator[mf.Session]:
    with connect(dovecot, owner) as session:
        yield session


# -- the session itself


def test_it_shows_server_user_and_folder_and_no_secret(
    dovecot: Dovecot, owner: str, session: mf.Session
) -> None:
    before = repr(session)
    session.headers(limit=1, folder="Archive")
    for shown in (repr(session), session._repr_html_()):
        assert f"{owner}@{dovecot.host}" in shown
        assert f"{dovecot.host}:{dovecot.port}" in shown
        assert "Archive" in shown
        assert dovecot.password not in shown
    assert "Archive" not in before


def test_what_it_shows_in_a_notebook_is_escaped(scripted: Scripted) -> None:
    server = scripted(folders=[b'"<b>bold</b>"'])
    with talk(server, "<script>alert(1)</script>@example.com") as session:
        session.count(folder="<b>bold</b>")
        shown = session._repr_html_()
    assert "<script>" not in shown
    assert "<b>bold" not in shown
    assert "&lt;script&gt;" in shown


def test_it_is_a_context_manager_that_logs_out(scripted: Scripted) -> None:
    server = scripted()
    with talk(server) as session:
        assert "closed" not in repr(session)
    assert "closed" in repr(session)
    assert len(server.commands("LOGOUT")) == 1


def test_closing_twice_does_nothing_and_reading_then_says_so(scripted: Scripted) -> None:
    server = scripted()
    session = talk(server)
    session.close()
    session.close()
    assert len(server.commands("LOGOUT")) == 1
    with pytest.raises(ConnectionFailedError, match="closed"):
        session.headers()


def test_an_error_within_the_block_is_not_hidden(scripted: Scripted) -> None:
    server = scripted()

    def fail() -> None:
        with talk(server):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(server.commands("LOGOUT")) == 1


def test_capabilities_are_those_after_login_sorted(session: mf.Session) -> None:
    capabilities = session.capabilities()
    assert "IMAP4REV1" in capabilities
    assert list(capabilities) == sorted(capabilities)


def test_a_wrong_password_is_an_error_without_it(dovecot: Dovecot, owner: str) -> None:
    with pytest.raises(AuthenticationError) as refused:
        mf.connect(dovecot.host, owner, password="hunter2", port=dovecot.port, security="none")
    assert "hunter2" not in f"{refused.value!s}{refused.value!r}{refused.value.__cause__!r}"
    assert refused.value.suggestion


def test_a_server_alone_is_not_enough() -> None:
    with pytest.raises(ConnectionFailedError, match="A server and a user name"):
        mf.connect("imap.example.com")


def test_the_password_comes_from_the_environment_before_anybody_is_asked(
    dovecot: Dovecot, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    monkeypatch.setattr(way_in, "ask_secret", lambda _: pytest.fail("asked"))
    with mf.connect(dovecot.host, owner, port=dovecot.port, security="none") as session:
        assert session.count() == 12


def test_certificates_are_checked(dovecot: Dovecot, owner: str) -> None:
    with pytest.raises(ConnectionFailedError, match="certificate"):
        mf.connect(dovecot.host, owner, password=dovecot.password, port=dovecot.tls_port)
    with mf.connect(
        dovecot.host,
        owner,
        password=dovecot.password,
        port=dovecot.tls_port,
        ssl_context=dovecot.ssl_context,
    ) as session:
        assert session.count() == 12
        assert "(TLS)" in repr(session)


# -- what is read


def test_folders_are_listed_with_counts_inbox_first(session: mf.Session) -> None:
    frame = session.folders()
    assert_conforms(frame, "folders")
    assert frame["name"].iloc[0] == "INBOX"
    counts = frame.set_index("name")[["messages", "unseen"]]
    assert counts.loc["INBOX"].tolist() == [12, 9]
    assert counts.loc["Büro/Ablage"].tolist() == [2, 2]
    assert counts.loc["Empty"].tolist() == [0, 0]
    roles = frame.set_index("name")["special_use"]
    assert roles["Trash"] == "\\Trash"
    assert pd.isna(roles["INBOX"])


@pytest.mark.parametrize("method", READING)
def test_every_method_reads_every_message_into_a_frame_that_conforms(
    session: mf.Session, owner: str, method: str
) -> None:
    frame = getattr(session, method)()
    assert_conforms(frame, READING[method])
    assert set(frame["account"]) == {f"{owner}@127.0.0.1"} == {session.account}
    assert set(frame["folder"]) == {"INBOX"}
    assert frame.attrs == {"accounts": [session.account]}
    assert frame["uid"].is_monotonic_decreasing


def test_search_gives_the_keys_newest_first(session: mf.Session) -> None:
    frame = session.search()
    assert frame["uid"].tolist() == list(range(12, 0, -1))
    assert len(set(frame["uidvalidity"])) == 1


def test_headers_show_every_field(session: mf.Session) -> None:
    [row] = session.headers(mf.Q(uid=3)).to_dict("records")
    assert {name: row[name] for name in row if name not in {*KEY, "size"}} == {
        "message_id": "everything@example.org",
        "in_reply_to": "parent@example.org",
        "references": "root@example.org parent@example.org",
        "date": pd.Timestamp("2026-01-06T06:30Z"),
        "utc_offset": 330,
        "internal_date": pd.Timestamp("2026-02-04T12:00Z"),
        "from_name": "Example, Alice",
        "from_address": "Alice@Example.ORG",
        "from_domain": "example.org",
        "to": "Bob <bob@example.com>, Jürgen <juergen@example.de>",
        "cc": "carol@example.com",
        "bcc": "Hidden <hidden@example.com>",
        "reply_to": "Desk <desk@example.org>, spare@example.org",
        "subject": "A message with every field",
        "list_id": "list.example.org",
        "list_unsubscribe": "<mailto:leave@example.org>, <https://example.org/leave>",
        "seen": False,
        "answered": False,
        "flagged": False,
        "draft": False,
        "deleted": False,
        "keywords": "",
        "n_attachments": 0,
        "attachment_size": 0,
        "defects": "",
    }
    assert row["size"] == len(hand_written("everything"))


def test_what_is_missing_differs_from_what_is_empty(session: mf.Session) -> None:
    frame = session.headers(mf.Q(uid=[1, 2])).set_index("uid")
    bare, hollow = frame.loc[1], frame.loc[2]
    fields = ["to", "cc", "subject"]
    assert bare[[*fields, "message_id", "from_name", "from_address", "date"]].isna().all()
    assert hollow[fields].to_dict() == {"to": "", "cc": "", "subject": ""}
    assert hollow["from_name"] == "Nobody"
    assert pd.isna(hollow["from_address"])
    assert pd.isna(hollow["date"])
    assert "not a date at all" in hollow["defects"]


def test_flags_and_keywords_are_the_servers(session: mf.Session) -> None:
    frame = session.headers("UID 6:9").set_index("uid")
    assert frame["seen"].to_dict() == {9: True, 8: False, 7: True, 6: False}
    assert frame["keywords"].to_dict() == {9: "$Junk", 8: "", 7: "$Junk", 6: ""}
    assert session.headers(folder="Archive")["flagged"].all()


def test_recipients_have_a_row_for_each_address(session: mf.Session) -> None:
    frame = session.recipients(mf.Q(uid=3))
    found = [tuple(row) for row in frame[["role", "position", "address"]].to_numpy()]
    assert found == [
        ("from", 0, "Alice@Example.ORG"),
        ("from", 1, "second@example.net"),
        ("sender", 0, "secretary@example.org"),
        ("reply_to", 0, "desk@example.org"),
        ("reply_to", 1, "spare@example.org"),
        ("to", 0, "bob@example.com"),
        ("to", 1, "juergen@example.de"),
        ("cc", 0, "carol@example.com"),
        ("bcc", 0, "hidden@example.com"),
    ]


def test_bodies_are_what_a_person_would_read(session: mf.Session) -> None:
    frame = session.bodies().set_index("uid")
    assert "html" not in frame
    assert frame["text_source"].to_dict() == {
        uid: {4: "html", 5: "none", 10: "html"}.get(uid, "plain") for uid in range(12, 0, -1)
    }
    assert frame.loc[1, "text"] == "There is no sender, no date, no subject.\n"
    assert frame.loc[2, "text"] == ""
    assert frame.loc[3, "text"] == "Grüße from every field.\n"
    assert frame.loc[3, "charset"] == "iso-8859-1"
    assert frame.loc[4, "text"] == "Only HTML here: déjà vu."
    assert pd.isna(frame.loc[5, "text"])
    assert pd.isna(frame.loc[5, "charset"])
    assert frame.loc[6, "text"] == "Zwei Anlagen für dich."
    assert not frame["truncated"].any()


def test_bodies_bring_the_html_as_sent_if_asked(session: mf.Session) -> None:
    plain = session.bodies()
    frame = session.bodies(html=True)
    assert_conforms(frame, "bodies_html")
    html = frame.set_index("uid")["html"]
    assert html[4].startswith("<html><body><p>Only <b>HTML</b>")
    assert html[7] == "<p>Grüße</p>\n"
    assert html[html.notna()].index.tolist() == [10, 7, 4]
    assert frame["text"].tolist()[:6] == plain["text"].tolist()[:6]


def test_attachments_are_listed_without_being_downloaded(session: mf.Session) -> None:
    frame = session.attachments()
    found = [
        tuple(row) for row in frame[["uid", "part", "content_type", "filename"]].astype("object")
        .where(frame.notna()[["uid", "part", "content_type", "filename"]], None).to_numpy()
    ]  # fmt: skip
    assert found == [
        (11, "2", "message/rfc822", None),
        (10, "2", "image/png", "dot.png"),
        (8, "2", "application/pdf", "report.pdf"),
        (6, "2", "text/csv", "Übersicht.csv"),
        (6, "3", "text/plain", "notes.txt"),
        (5, "1", "application/pdf", "scan.pdf"),
    ]
    sizes = frame.set_index(["uid", "part"])[["encoded_size", "size", "size_exact"]]
    assert sizes.loc[(6, "2")].tolist() == [28, 28, False]
    assert sizes.loc[(6, "3")].tolist() == [11, 11, True]
    assert sizes.loc[(5, "1")].tolist() == [54, 39, False]
    assert frame.set_index("uid")["inline"].loc[[10, 8]].tolist() == [True, False]


def test_attachments_in_headers_are_those_that_are_not_inline(session: mf.Session) -> None:
    listed = session.attachments()
    counted = listed[~listed["inline"]].groupby("uid")["size"].agg(["size", "sum"])
    headers = session.headers().set_index("uid")
    some = headers[headers["n_attachments"] > 0]
    assert some["n_attachments"].to_dict() == counted["size"].to_dict()
    assert some["attachment_size"].to_dict() == counted["sum"].to_dict()


def test_a_message_is_read_whole_with_its_attachments(session: mf.Session) -> None:
    email = session.message(6)
    assert (email.uid, email.folder, email.flags) == (6, "INBOX", ())
    assert email.subject == "Two attachments, one named in another alphabet"
    assert email.sender == "Alice <alice@example.org>"
    assert email.to == (Address("Bob", "bob@example.com"),)
    assert [a.filename for a in email.attachments] == ["Übersicht.csv", "notes.txt"]
    assert email.attachments[0].content == "name,wert\r\nÄpfel,12".encode()
    assert session.message(9).flags == ("\\Seen", "$Junk")


def test_a_message_is_found_in_its_folder_by_a_number_of_any_kind(session: mf.Session) -> None:
    frame = session.search(folder="Büro/Ablage")
    email = session.message(frame["uid"].iloc[0], folder="Büro/Ablage")
    assert (email.uid, email.subject, email.folder) == (2, "Message 2", "Büro/Ablage")


def test_a_message_that_is_not_there_is_an_error(session: mf.Session) -> None:
    with pytest.raises(MessageNotFoundError, match="99999"):
        session.message(99999)
    with pytest.raises(FolderError, match="Nowhere"):
        session.message(1, folder="Nowhere")


@pytest.mark.parametrize("method", [*READING, "count"])
def test_a_folder_that_is_not_there_is_an_error(session: mf.Session, method: str) -> None:
    with pytest.raises(FolderError, match="Nowhere") as refused:
        getattr(session, method)(folder="Nowhere")
    assert "session.folders()" in refused.value.suggestion


@pytest.mark.parametrize("method", READING)
def test_an_empty_folder_gives_an_empty_frame_that_conforms(
    session: mf.Session, method: str
) -> None:
    for frame in (
        getattr(session, method)(folder="Empty"),
        getattr(session, method)(folder=["Empty", "Trash"], limit=3),
        getattr(session, method)("SUBJECT nowhere-to-be-found"),
        getattr(session, method)(limit=0),
        getattr(session, method)(session.search(folder="Empty")),
    ):
        assert_conforms(frame, READING[method])
        assert frame.empty
    assert session.count(folder="Empty") == 0
    assert_conforms(session.bodies(folder="Empty", html=True), "bodies_html")


# -- limit and folders


@pytest.mark.parametrize("method", ["search", "headers", "bodies"])
def test_limit_keeps_the_highest_uids(session: mf.Session, method: str) -> None:
    assert getattr(session, method)(limit=3)["uid"].tolist() == [12, 11, 10]
    assert getattr(session, method)("SEEN", limit=2)["uid"].tolist() == [11, 9]
    assert len(getattr(session, method)(limit=1000)) == 12


def test_limit_counts_messages_not_rows(session: mf.Session) -> None:
    assert session.attachments(mf.Q(uid=[3, 6, 8]), limit=2)["uid"].tolist() == [8, 6, 6]
    assert session.recipients(limit=2)["uid"].unique().tolist() == [12, 11]


def test_folders_come_in_the_order_asked_newest_first_in_each(session: mf.Session) -> None:
    frame = session.headers(folder=["Archive", "INBOX", "Büro/Ablage"])
    assert frame["folder"].drop_duplicates().tolist() == ["Archive", "INBOX", "Büro/Ablage"]
    for _, rows in frame.groupby("folder", observed=True):
        assert rows["uid"].is_monotonic_decreasing
    assert len(frame) == 17
    assert_conforms(frame, "headers")


def test_count_is_over_all_the_folders(session: mf.Session) -> None:
    assert session.count() == 12
    assert session.count("SEEN") == 3
    assert session.count(folder=["INBOX", "Archive"]) == 15
    assert session.count(folder="*") == 17
    assert session.count(session.search(limit=4)) == 4


def test_a_glob_finds_folders(session: mf.Session) -> None:
    assert set(session.headers(folder="*")["folder"]) == {"INBOX", "Archive", "Büro/Ablage"}
    assert set(session.headers(folder="B*")["folder"]) == {"Büro/Ablage"}
    with pytest.raises(FolderError, match="called like"):
        session.headers(folder="Z*")


def test_a_limit_over_several_folders_picks_what_came_last(session: mf.Session) -> None:
    frame = session.headers(folder=["INBOX", "Archive", "Büro/Ablage"], limit=6)
    assert list(zip(frame["folder"], frame["uid"], strict=True)) == [
        ("INBOX", 12),
        ("Archive", 3),
        ("Archive", 2),
        ("Archive", 1),
        ("Büro/Ablage", 2),
        ("Büro/Ablage", 1),
    ]
    everything = session.headers(folder="*")
    latest = everything.nlargest(6, "internal_date")
    assert set(latest["message_id"]) == set(frame["message_id"])


def test_inbox_is_one_folder_however_it_is_written(session: mf.Session) -> None:
    # RFC 3501 section 5.1: INBOX is INBOX in any case.
    assert set(session.headers(folder="inbox", limit=1)["folder"]) == {"INBOX"}
    both = session.search(folder=["INBOX", "Inbox"])
    assert not both.duplicated(["account", "uidvalidity", "uid"]).any()


def test_a_frame_of_inbox_in_small_letters_joins_with_one_in_capitals(session: mf.Session) -> None:
    headers = session.headers(folder="INBOX", limit=2)
    bodies = session.bodies(folder="inbox", limit=2)
    joined = headers.astype({"folder": "str"}).merge(bodies.astype({"folder": "str"}), on=KEY)
    assert len(joined) == 2


GMAIL = [
    (b"\\HasNoChildren", b"INBOX"),
    (b"\\HasChildren \\Noselect", b'"[Gmail]"'),
    (b"\\All \\HasNoChildren", b'"[Gmail]/All Mail"'),
    (b"\\Flagged", b'"[Gmail]/Starred"'),
    (b"\\Important", b'"[Gmail]/Important"'),
    (b"\\NonExistent", b'"Old"'),
    (b"\\Sent", b'"[Gmail]/Sent Mail"'),
    (b"", b'"B&APw-ro"'),
]


def list_gmail(*_: object) -> bytes:
    lines = (b'* LIST (%b) "/" %b\r\n' % one for one in GMAIL)
    return b"".join(lines) + b"<tag> OK done\r\n"


@pytest.mark.parametrize(
    ("folder", "opened"),
    [
        ("*", ["INBOX", '"[Gmail]/Sent Mail"', "B&APw-ro"]),
        (["INBOX", "[Gmail]/All Mail"], ["INBOX", '"[Gmail]/All Mail"']),
        (["*", "[Gmail]/Starred"], None),
    ],
)
def test_views_and_what_cannot_be_opened_are_left_out_unless_named(
    scripted: Scripted, folder: str | list[str], opened: list[str] | None
) -> None:
    server = scripted({"LIST": list_gmail}, messages={1: described()})
    with talk(server) as session:
        frame = session.headers(folder=folder)
        assert session.folders()["name"].tolist() == [
            "INBOX", "[Gmail]", "[Gmail]/All Mail", "[Gmail]/Starred", "[Gmail]/Important", "Old",
            "[Gmail]/Sent Mail", "Büro",
        ]  # fmt: skip
    expected = opened or ["INBOX", '"[Gmail]/Sent Mail"', "B&APw-ro", '"[Gmail]/Starred"']
    asked = [name.decode().strip('"') for name in server.commands("EXAMINE")]
    assert list(dict.fromkeys(asked)) == [name.strip('"') for name in expected]
    assert len(frame) == len(expected)


# -- a frame as criteria


def test_a_filtered_frame_means_exactly_its_messages(session: mf.Session) -> None:
    headers = session.headers()
    some = headers[headers["n_attachments"] > 0]
    bodies = session.bodies(some)
    assert bodies["uid"].tolist() == some["uid"].tolist() == [11, 8, 6, 5]
    assert_conforms(bodies, "bodies")


@pytest.mark.parametrize("method", READING)
def test_a_sorted_frame_gives_its_order(session: mf.Session, method: str) -> None:
    frame = session.headers().sort_values("size")
    found = getattr(session, method)(frame)
    order = [uid for uid in frame["uid"] if uid in set(found["uid"])]
    assert found["uid"].drop_duplicates().tolist() == order
    assert_conforms(found, READING[method])


@pytest.mark.parametrize("method", READING)
def test_folders_may_be_interleaved(session: mf.Session, method: str) -> None:
    frame = session.headers(folder=["INBOX", "Archive", "Büro/Ablage"])
    shuffled = frame.sort_values(["uid", "folder"], ascending=[True, False])
    found = getattr(session, method)(shuffled)
    asked = list(zip(shuffled["folder"], shuffled["uid"], strict=True))
    got = list(dict.fromkeys(zip(found["folder"], found["uid"], strict=True)))
    assert got == [key for key in asked if key in set(got)]
    # Only the mail of INBOX has attachments.
    assert set(found["folder"]) == (
        {"INBOX"} if method == "attachments" else {"INBOX", "Archive", "Büro/Ablage"}
    )


@pytest.mark.parametrize("method", ["search", "headers", "bodies"])
def test_a_row_that_comes_twice_is_read_once(session: mf.Session, method: str) -> None:
    frame = session.search(limit=2)
    doubled = mf.concat([frame, frame.iloc[::-1], frame])
    assert getattr(session, method)(doubled)["uid"].tolist() == [12, 11]


@pytest.mark.parametrize("method", ["search", "headers", "bodies"])
def test_a_frame_of_attachments_means_its_messages_one_row_each(
    session: mf.Session, method: str
) -> None:
    attachments = session.attachments()
    assert attachments["uid"].duplicated().any()
    assert getattr(session, method)(attachments)["uid"].tolist() == [11, 10, 8, 6, 5]


def test_attachments_of_a_frame_keep_the_order_of_parts(session: mf.Session) -> None:
    frame = session.search(mf.Q(uid=[5, 6, 8])).sort_values("uid")
    found = session.attachments(frame)
    assert list(zip(found["uid"], found["part"], strict=True)) == [
        (5, "1"),
        (6, "2"),
        (6, "3"),
        (8, "2"),
    ]


def test_a_limit_takes_the_first_messages_of_a_frame(session: mf.Session) -> None:
    frame = session.headers().sort_values("uid")
    assert session.bodies(frame, limit=3)["uid"].tolist() == [1, 2, 3]


def test_the_folder_of_a_frame_is_its_own(session: mf.Session) -> None:
    frame = session.search(folder="Archive")
    assert set(session.headers(frame, folder="INBOX")["folder"]) == {"Archive"}


def test_a_frame_that_went_through_a_file_is_still_criteria(
    session: mf.Session, tmp_path: Path
) -> None:
    frame = session.headers(limit=4)
    frame.to_csv(tmp_path / "frame.csv", index=False)
    frame.to_parquet(tmp_path / "frame.parquet")
    for back in (
        pd.read_csv(tmp_path / "frame.csv"),
        pd.read_parquet(tmp_path / "frame.parquet"),
    ):
        assert session.bodies(back)["uid"].tolist() == [12, 11, 10, 9]


def test_uids_that_a_merge_turned_into_floats_are_uids(session: mf.Session) -> None:
    frame = session.search(limit=3).astype({"uid": "float64", "uidvalidity": "float64"})
    assert session.headers(frame)["uid"].tolist() == [12, 11, 10]


@pytest.mark.parametrize("uid", [3.5, "x", "1:5", -1, 0])
def test_what_is_no_uid_is_refused_in_words(session: mf.Session, uid: Any) -> None:
    frame = session.search(limit=1).astype({"uid": "object"})
    frame["uid"] = [uid]
    with pytest.raises(QueryError, match="UID"):
        session.headers(frame)


def test_a_message_that_is_gone_keeps_its_key(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, messages.many(4))
    with connect(dovecot, user) as session:
        before = session.headers()
        dovecot.expunge(user, 3)
        headers, bodies = session.headers(before), session.bodies(before, html=True)
        attachments, recipients = session.attachments(before), session.recipients(before)
    for frame, kind in ((headers, "headers"), (bodies, "bodies_html")):
        assert_conforms(frame, kind)
        assert frame["uid"].tolist() == [4, 3, 2, 1]
        assert frame["defects"].tolist() == ["", "gone", "", ""]
        assert frame[KEY].equals(before[KEY])
    gone = headers.iloc[1]
    assert gone[["subject", "from_address", "date", "internal_date", "size"]].isna().all()
    assert gone[["n_attachments", "attachment_size"]].isna().all()
    assert not gone[["seen", "answered", "flagged", "draft", "deleted"]].any()
    assert gone["keywords"] == ""
    assert bodies.iloc[1][["text", "html", "charset"]].isna().all()
    assert bodies["text_source"].iloc[1] == "none"
    assert 3 not in set(attachments["uid"]) | set(recipients["uid"])


def test_when_all_messages_are_gone_their_keys_remain(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, messages.many(2))
    with connect(dovecot, user) as session:
        before = session.search()
        dovecot.expunge(user, 1)
        dovecot.expunge(user, 2)
        headers, bodies = session.headers(before), session.bodies(before)
    assert headers["defects"].tolist() == bodies["defects"].tolist() == ["gone", "gone"]
    assert_conforms(headers, "headers")
    assert_conforms(bodies, "bodies")


def test_a_renumbered_folder_is_an_error(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, messages.many(2))
    with connect(dovecot, user) as session:
        frame = session.headers().assign(uidvalidity=1)
        with pytest.raises(UidValidityError, match="renumbered") as refused:
            session.bodies(frame)
    assert "Read the folder again" in str(refused.value)


@pytest.mark.parametrize("method", ["headers", "recipients", "bodies", "attachments"])
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"uidvalidity": [1, 2]}, UidValidityError),
        ({"account": ["you@example.net", "me@example.com"]}, QueryError),
        ({"uid": [1, None]}, QueryError),
    ],
    ids=["uidvalidity", "account", "no uid"],
)
def test_rows_that_are_not_this_folders_are_refused_before_any_fetch(
    scripted: Scripted, method: str, changes: dict[str, list[Any]], error: type[Exception]
) -> None:
    server = scripted(folders=[b"INBOX", b"Other"], messages={1: described(), 2: described()})
    frame = pd.DataFrame(
        {
            "account": ["me@example.com"] * 2,
            "folder": ["INBOX", "Other"],
            "uidvalidity": [1, 1],
            "uid": [1, 2],
        }
        | changes
    )
    with talk(server) as session:
        with pytest.raises(error):
            getattr(session, method)(frame)
        assert server.commands("UID FETCH") == []


def test_a_frame_without_key_columns_is_refused_before_any_fetch(scripted: Scripted) -> None:
    server = scripted(messages={1: described()})
    with talk(server) as session:
        frame = session.search()[["uid", "folder"]]
        with pytest.raises(QueryError, match="no account, uidvalidity"):
            session.headers(frame)
        assert server.commands("UID FETCH") == []


def test_row_numbers_are_refused_with_the_reason(session: mf.Session) -> None:
    frame = session.headers()
    with pytest.raises(QueryError, match="row numbers, not UIDs"):
        session.bodies(frame[frame["seen"]].index)


def test_a_column_or_index_named_uid_is_taken_in_its_order(session: mf.Session) -> None:
    frame = session.headers().sort_values("uid")
    assert session.bodies(frame["uid"].head(2))["uid"].tolist() == [1, 2]
    assert session.headers(frame.set_index("uid").index[3:5])["uid"].tolist() == [4, 5]
    archived = session.search(folder="Archive")["uid"]
    assert session.headers(archived, folder="Archive")["flagged"].all()
    with pytest.raises(QueryError, match="folder is one name"):
        session.bodies(frame["uid"], folder=["INBOX", "Archive"])


# -- criteria of other kinds


def uids(frame: pd.DataFrame) -> list[int]:
    return frame["uid"].tolist()


def test_a_date_is_the_servers_day(session: mf.Session) -> None:
    assert uids(session.search(mf.Q(since="2026-02-11"))) == [12, 11, 10]
    assert uids(session.search(mf.Q(on="2026-02-11"))) == [10]
    assert uids(session.search("BEFORE 4-Feb-2026")) == [2, 1]


def test_a_datetime_is_exact(session: mf.Session) -> None:
    moment = NOON + 11 * DAY
    assert uids(session.search(mf.Q(since=moment))) == [12, 11]
    assert uids(session.search(mf.Q(since=moment + timedelta(seconds=1)))) == [12]
    assert uids(session.headers(mf.Q(since=moment, before=moment + DAY))) == [11]


def test_an_age_counts_back_from_the_call(dovecot: Dovecot, user: str) -> None:
    now = datetime.now(UTC)
    ages = [timedelta(days=40), timedelta(days=31), timedelta(days=29), timedelta(hours=1)]
    dovecot.deliver(user, [(messages.plain(n), [], now - age) for n, age in enumerate(ages, 1)])
    with connect(dovecot, user) as session:
        assert uids(session.headers(mf.Q(since="30d"))) == [4, 3]
        assert uids(session.headers(mf.Q(since="2h"))) == [4]
        assert uids(session.headers(mf.Q(before="30d"))) == [2, 1]
        assert session.count(~mf.Q(since="2h")) == 3


def test_attachments_can_be_asked_for(session: mf.Session) -> None:
    some = mf.Q(has_attachment=True)
    assert uids(session.headers(some)) == [11, 8, 6, 5]
    assert uids(session.search(some & mf.Q(seen=True))) == [11]
    assert uids(session.search(some | mf.Q(uid=12), limit=3)) == [12, 11, 8]
    assert session.count(~some) == 8


def test_objects_of_imap_tools_are_criteria(session: mf.Session) -> None:
    both = imap_tools.AND(seen=True, subject="Message")
    assert uids(session.headers(both)) == uids(session.headers(mf.Q(seen=True, subject="Message")))
    assert uids(session.search(imap_tools.OR(uid="3", seen=True))) == [11, 9, 7, 3]
    assert uids(session.search(imap_tools.NOT(seen=True)))[:3] == [12, 10, 8]


def test_a_line_break_in_criteria_never_reaches_the_server(scripted: Scripted) -> None:
    server = scripted(messages={1: described()})
    with talk(server) as session:
        for criteria in (
            "SUBJECT x\r\nA1 DELETE INBOX",
            imap_tools.AND(subject="x\r\nA1 DELETE INBOX"),
        ):
            with pytest.raises(QueryError):
                session.headers(criteria)
        with pytest.raises(QueryError):
            session.headers(mf.Q(subject="x\r\nA1 DELETE INBOX"))
        with pytest.raises(FolderError):
            session.headers(folder="x\r\nA1 DELETE INBOX")
    assert not [line for line in server.received if b"DELETE" in line]


def test_text_outside_ascii_is_found(session: mf.Session) -> None:
    assert uids(session.search(mf.Q(subject="München"))) == [9]
    assert uids(session.search(mf.Q(body="Grüße")))[-1] == 3


# -- progress


class Bar:
    """As much of tqdm as a session uses."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.n = 0
        self.closed = False

    def update(self, n: int = 1) -> None:
        self.n += n

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("method", ["headers", "recipients", "bodies", "attachments"])
def test_a_bar_of_ones_own_counts_messages_and_stays_open(session: mf.Session, method: str) -> None:
    bar = Bar()
    getattr(session, method)(folder=["INBOX", "Archive"], progress=bar)
    assert (bar.total, bar.n, bar.closed) == (15, 15, False)


@pytest.mark.parametrize("method", ["headers", "bodies"])
def test_a_message_that_is_gone_counts_as_done(dovecot: Dovecot, user: str, method: str) -> None:
    dovecot.deliver(user, messages.many(3))
    with connect(dovecot, user) as session:
        frame = session.search()
        dovecot.expunge(user, 2)
        bar = Bar()
        getattr(session, method)(frame, progress=bar)
    assert (bar.n, bar.total) == (3, 3)


def test_progress_is_shown_if_asked(
    session: mf.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.headers(progress=True)
    shown = capsys.readouterr()
    assert "12/12" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("options", [{"progress": False}, {"progress": None}, {}])
def test_short_work_shows_no_progress(
    session: mf.Session, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    for method in ("headers", "recipients", "bodies", "attachments"):
        getattr(session, method)(**options)
    assert capsys.readouterr() == ("", "")


def test_long_work_shows_progress_by_itself(
    session: mf.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    session.bodies()
    assert "/12" in capsys.readouterr().err
    session.bodies(progress=False)
    assert capsys.readouterr().err == ""


# -- nothing changes


def test_nothing_on_the_server_changes(dovecot: Dovecot, user: str) -> None:
    mail = [(message, ["\\Flagged", "$Todo"], None) for message in messages.many(6)]
    dovecot.deliver(user, mail)
    dovecot.deliver(user, messages.many(6), recent=True)
    before = dovecot.flags(user)
    with connect(dovecot, user) as session:
        headers = session.headers(progress=False)
        for method in READING:
            getattr(session, method)(mf.Q(seen=False))
            getattr(session, method)(headers)
        session.bodies(html=True)
        session.search(mf.Q(has_attachment=True, since=NOON - 1000 * DAY, body="Hello"))
        session.folders()
        session.message(1)
        session.message(12)
    assert dovecot.flags(user) == before
    assert "\\Recent" in frozenset().union(*before.values())
    assert "ecent" not in headers["keywords"].str.cat()


def test_only_commands_that_read_are_sent(scripted: Scripted) -> None:
    server = scripted(messages={1: described()})
    with talk(server) as session:
        session.headers()
        session.bodies()
        session.folders()
    verbs = {line.split(b" ")[1].upper() for line in server.received if b" " in line}
    assert verbs <= {
        b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"ID", b"NAMESPACE", b"LIST", b"STATUS",
        b"EXAMINE", b"UID", b"NOOP", b"LOGOUT", b"ENABLE",
    }  # fmt: skip
    assert not [args for args in server.commands("UID FETCH") if b"BODY[" in args]


# -- twenty thousand messages


def test_twenty_thousand_messages_are_twenty_thousand_rows(dovecot: Dovecot, user: str) -> None:
    count = 20_000
    header = b"From: a@b.c\r\nDate: Mon, 5 Jan 2026 09:30:00 +0000\r\nSubject: %d\r\n\r\nHi\r\n"
    dovecot.deliver(user, (header % number for number in range(1, count + 1)))
    with connect(dovecot, user) as session:
        frame = session.headers()
        latest = session.search(limit=3)
    assert_conforms(frame, "headers")
    assert frame["uid"].tolist() == list(range(count, 0, -1))
    assert (frame["subject"] == frame["uid"].astype("str")).all()
    assert latest["uid"].tolist() == [count, count - 1, count - 2]


# -- any source


class Pigeonhole:
    """A Source: one folder with two messages; what is not used in a method is in ``_``."""

    account = "me@example.com"

    def folders(self, **_: object) -> list[Folder]:
        return [Folder("INBOX", None, None, (), 2)]

    def search(self, folder: str, _: object, limit: int | None = None) -> Selection:
        return Selection(folder, 1, (2, 1)[:limit])

    def headers(self, selection: Selection, *_: object) -> Iterator[MessageRecord]:
        to = (Address(None, "you@example.com"),)
        for uid in selection.uids:
            about = Headers(subject=f"Number {uid}", to=to)
            yield MessageRecord(self.account, "INBOX", 1, uid, (), None, None, about, ())

    def parts(
        self, selection: Selection, *, html: bool = False, **_: object
    ) -> Iterator[BodyRecord]:
        markup = "<p>Hi" if html else None
        for uid in selection.uids:
            yield BodyRecord(
                self.account, "INBOX", 1, uid, "Hi", markup, "plain", "utf-8", truncated=False
            )

    def message(self, folder: str, uid: int) -> str:
        return f"message {uid} of {folder}"

    def close(self) -> None:
        """Nothing is open."""


def test_a_source_of_a_few_lines_drives_a_session() -> None:
    with mf.Session(Pigeonhole()) as session:
        for method, kind in READING.items():
            assert_conforms(getattr(session, method)(), kind)
        assert session.folders()["messages"].tolist() == [2]
        assert session.count() == 2
        headers = session.headers(limit=1)
        assert headers["subject"].tolist() == ["Number 2"]
        assert session.bodies(headers, html=True)["html"].tolist() == ["<p>Hi"]
        assert session.recipients(headers)["address"].tolist() == ["you@example.com"]
        assert session.message(2) == "message 2 of INBOX"
        with pytest.raises(NotSupportedError, match="Only a server"):
            session.capabilities()


# -- a scripted server


def talk(server: ScriptedServer, username: str = "me@example.com") -> mf.Session:
    return mf.connect(
        server.host, username, password="secret", port=server.port, security="none", timeout=5
    )


def described(subject: bytes = b"Hello") -> bytes:
    """Return the items of a FETCH reply for a message of one line."""
    header = (
        b"From: Alice <alice@example.org>\r\nDate: Mon, 5 Jan 2026 09:30:00 +0000\r\n"
        b"Subject: " + subject + b"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return (
        b'FLAGS (\\Seen) INTERNALDATE "05-Jan-2026 09:30:00 +0000" RFC822.SIZE 123 '
        b'BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) '
        b"BODY[HEADER.FIELDS (DATE FROM SUBJECT)] " + literal(header) + b" BODY[1] "
        + literal(b"Hi\r\n")
    )  # fmt: skip
