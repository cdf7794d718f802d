"""A session on files gives the frames that a session on a server gives."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.criteria import ALL, Key
from mailframe.exceptions import (
    MailFileError,
    MessageNotFoundError,
    NotSupportedError,
    QueryError,
    UidValidityError,
)
from mailframe.files.maildir import FileMessage
from mailframe.parsing import parse_structure
from tests.files.writers import LINE, mboxrd
from tests.rigs import messages as written
from tests.test_two_ways import mailbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from mailframe.records import Part
    from tests.rigs.dovecot import Dovecot

    Store: TypeAlias = Callable[[Path, list[bytes]], Path]

DATA = Path(__file__).parents[1] / "data"
FLAGS = (("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Draft", "$Junk"), ())


# -- the same as from a server


def as_mbox(folder: Path, messages: list[bytes]) -> Path:
    lf = [message.replace(b"\r\n", b"\n") for message in messages]
    # The separator is a line of its own: a message that ends within a line gets a line end.
    (folder / "a.mbox").write_bytes(mboxrd(lf))
    return folder / "a.mbox"


def as_packed_mbox(folder: Path, messages: list[bytes]) -> Path:
    path = folder / "a.mbox.gz"
    path.write_bytes(gzip.compress(as_mbox(folder, messages).read_bytes()))
    return path


def as_maildir(folder: Path, messages: list[bytes]) -> Path:
    (folder / "cur").mkdir()
    (folder / "new").mkdir()
    for number, message in enumerate(messages):
        (folder / "cur" / f"{1_700_000_000 + number}.M1.host:2,").write_bytes(message)
    return folder


def as_eml(folder: Path, messages: list[bytes]) -> Path:
    for number, message in enumerate(messages):
        (folder / f"{number}.eml").write_bytes(message)
    return folder


@pytest.fixture(scope="module")
def delivered(corpora: Path) -> list[bytes]:
    """Return messages that come through an mbox unchanged: with a header and whole lines."""
    makers = (written.plain, written.alternative, written.with_attachment, written.with_forwarded,
              written.with_inline_image)  # fmt: skip
    own = [make(number) for number, make in enumerate(makers, start=1)]
    own += [path.read_bytes() for path in sorted(DATA.glob("*.eml"))]
    found = [*mailbox(corpora).values(), *own]
    crlf = [message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for message in found]
    return [m if m.endswith(b"\r\n") else m + b"\r\n" for m in crlf if b"\r\n\r\n" in m]


@pytest.fixture(scope="module")
def from_server(dovecot: Dovecot, delivered: list[bytes]) -> dict[str, pd.DataFrame]:
    user = dovecot.new_user()
    dovecot.deliver(user, delivered)
    with mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        return frames_of(session)


def frames_of(session: mf.Session) -> dict[str, pd.DataFrame]:
    return {
        "headers": session.headers(fields=["Received", "X-Mailer", "To"]),
        "bodies": session.bodies(html=True),
        "cut": session.bodies(max_bytes=500),
        "attachments": session.attachments(),
        "recipients": session.recipients(),
        "hops": session.hops(),
    }


#: Columns that are meant to differ: which mailbox it is, and sizes that a structure only estimates.
OWN = ["account", "uidvalidity", "internal_date"]
ESTIMATED = ["size", "size_exact", "attachment_size"]


@pytest.mark.parametrize("store", [as_mbox, as_packed_mbox, as_maildir, as_eml])
def test_the_frames_are_those_of_a_server(
    tmp_path: Path, from_server: dict[str, pd.DataFrame], delivered: list[bytes], store: Store
) -> None:
    with mf.open(store(tmp_path, delivered)) as session:
        found = frames_of(session)
    assert len(found["headers"]) == len(delivered)
    for kind, expected in from_server.items():
        left = OWN if kind != "attachments" else [*OWN, *ESTIMATED]
        left = [*left, "attachment_size"] if kind == "headers" else left
        columns = [name for name in expected.columns if name not in left]
        pd.testing.assert_frame_equal(
            plain(found[kind])[columns], plain(expected)[columns], obj=kind
        )
        assert list(found[kind].columns) == list(expected.columns)
        assert found[kind].dtypes.astype(str).tolist() == expected.dtypes.astype(str).tolist()


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose categories, in the order in which they came up, do not matter."""
    names = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(names, "str"))


def test_sizes_of_attachments_are_exact_where_the_server_s_are_worked_out(
    tmp_path: Path, from_server: dict[str, pd.DataFrame], delivered: list[bytes]
) -> None:
    with mf.open(as_mbox(tmp_path, delivered)) as session:
        rows = session.attachments()
    assert rows["size_exact"].all()
    exact = from_server["attachments"]["size_exact"]
    assert (rows["size"][exact] == from_server["attachments"]["size"][exact]).all()
    assert 0 < exact.sum() < len(exact)


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_every_frame_conforms_and_an_empty_one_too(tmp_path: Path, store: Store) -> None:
    for number, messages in enumerate(([], [written.plain(1)])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with mf.open(store(folder, messages)) as session:
            frame = session.headers()
            assert [c.name for c in schema.HEADERS] == list(frame.columns)
            assert len(frame) == len(messages)
            assert frame.dtypes.astype(str).tolist() == [c.dtype for c in schema.HEADERS]
            previews = session.bodies(preview=True)
            assert previews["preview"].tolist() == ["Hello."] * len(messages)


# -- what files have of their own


def test_flags_and_dates_of_a_maildir_are_those_that_dovecot_shows(dovecot: Dovecot) -> None:
    start = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    several = [
        (written.plain(number), FLAGS[number % len(FLAGS)], start + timedelta(hours=number))
        for number in range(10)
    ]
    user = dovecot.new_user()
    dovecot.deliver(user, several)
    dovecot.deliver(user, several[:3], "Sent/Entwürfe")
    with mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        expected = session.headers()
        names = session.folders()["name"].tolist()
    with mf.open(dovecot.maildir(user)) as session:
        found = session.headers()
        folders = session.folders().set_index("name")
    left = ["account", "uidvalidity"]
    pd.testing.assert_frame_equal(
        plain(found).drop(columns=left), plain(expected).drop(columns=left)
    )
    assert {"INBOX", "Sent/Entwürfe"} <= set(names) & set(folders.index)
    assert folders.loc["INBOX", ["messages", "unseen", "uidnext"]].tolist() == [10, 6, 11]


def test_uids_are_places_and_the_account_is_the_whole_path(tmp_path: Path) -> None:
    path = as_mbox(tmp_path, [written.plain(1), written.plain(2)])
    with mf.open(os.path.relpath(path)) as session:
        frame = session.headers()
        assert frame["uid"].tolist() == [2, 1]
        assert frame["subject"].tolist() == ["Message 2", "Message 1"]
        assert set(frame["internal_date"]) == {pd.Timestamp("2026-01-05 09:30", tz="UTC")}
        assert set(frame["account"]) == {str(path.resolve())} == {session.account}
        assert repr(session) == f"<mailframe.Session {path.resolve()} (1 folder)>"
        assert "1 folder" in session._repr_html_()


def test_the_internal_date_of_an_eml_file_is_missing_and_its_date_counts(tmp_path: Path) -> None:
    with mf.open(as_eml(tmp_path, [written.plain(1)])) as session:
        assert session.headers()["internal_date"].isna().all()
        assert session.count("SINCE 5-Jan-2026 BEFORE 6-Jan-2026") == 1
        assert session.count("BEFORE 5-Jan-2026") == 0


def test_takeout_has_labels_and_threads(tmp_path: Path) -> None:
    def exported(number: int, labels: str) -> bytes:
        fields = f"X-GM-THRID: 17{number}\nX-Gmail-Labels: {labels}\n".encode()
        return fields + written.plain(number).replace(b"\r\n", b"\n")

    path = tmp_path / "All mail.mbox"
    path.write_bytes(mboxrd([exported(1, "Inbox,Unread"), exported(2, '"a, b",Starred,Opened')]))
    with mf.open(path) as session:
        frame = session.headers()
        assert frame["labels"].tolist() == ["a, b\nStarred\nOpened", "Inbox\nUnread"]
        assert frame["gmail_thread"].tolist() == ["172", "171"]
        assert frame["seen"].tolist() == [True, False]
        assert frame["flagged"].tolist() == [True, False]
        assert session.search('X-GM-LABELS "a, b"')["uid"].tolist() == [2]
    with mf.open(as_mbox(tmp_path, [written.plain(1)])) as session:
        assert "labels" not in session.headers().columns


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_criteria_find_the_same_everywhere(tmp_path: Path, store: Store) -> None:
    several = [
        written.plain(n, subject=f"No {n}", from_="Ann <ann@example.org>") for n in range(1, 9)
    ]
    several += [written.with_attachment(9, from_="Bob <bob@example.org>")]
    with mf.open(store(tmp_path, several)) as session:
        assert session.search(mf.Q(from_="bob"))["uid"].tolist() == [9]
        assert session.search(mf.Q(has_attachment=True))["uid"].tolist() == [9]
        assert session.search(mf.Q(from_="ann"), limit=2)["uid"].tolist() == [8, 7]
        assert session.count("UNSEEN") == 9
        assert session.count(mf.Q(subject="No 3") | mf.Q(subject="No 4")) == 2
        assert session.count("UID 2:4") == 3
        assert session.count(mf.Q(body="report")) == 1
        with pytest.raises(NotSupportedError):
            session.count("X-GM-RAW has:attachment")


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_a_message_is_there_whole(tmp_path: Path, store: Store) -> None:
    with mf.open(store(tmp_path, [written.with_attachment(1), written.plain(2)])) as session:
        email = session.message(1)
        assert (email.uid, email.folder, email.subject) == (1, "INBOX", "Message 1")
        assert email.attachments[0].content == written.PDF
        assert email.raw is not None
        assert email.raw.replace(b"\r\n", b"\n") == written.with_attachment(1).replace(
            b"\r\n", b"\n"
        )
        for uid in (0, 3, -1):
            with pytest.raises(MessageNotFoundError):
                session.message(uid)


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_attachments_are_saved(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.files.source.PIECE", 7)  # so that a part has many pieces
    several = [written.with_attachment(n, f"{n}.pdf", b"%d " % n * 50) for n in range(1, 4)]
    mail = tmp_path / "mail"
    mail.mkdir()
    with mf.open(store(mail, several)) as session:
        rows = session.attachments().sample(frac=1, random_state=1)
        saved = session.download(rows, tmp_path / "out")
        gone = session.download(rows.assign(part="77"), tmp_path / "out")
    assert {Path(p).name: Path(p).read_bytes() for p in saved["path"]} == {
        f"{n}.pdf": b"%d " % n * 50 for n in range(1, 4)
    }
    assert gone["path"].isna().all()


def test_a_text_that_is_called_an_attachment_is_one(tmp_path: Path) -> None:
    fields: dict[str, str | bytes] = {"content_disposition": 'attachment; filename="a.txt"'}
    with mf.open(as_eml(tmp_path, [written.plain(1, **fields)])) as session:
        assert session.headers()["n_attachments"].tolist() == [1]
        assert session.attachments()["filename"].tolist() == ["a.txt"]


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_no_more_is_looked_at_than_the_limit_wants(tmp_path: Path, store: Store) -> None:
    with mf.open(store(tmp_path, [written.plain(n) for n in range(1, 9)])) as session:
        for criteria in (ALL, Key("FROM", ("alice",))):
            assert session._source.search("INBOX", criteria, 2).uids == (8, 7)


def test_each_message_is_parsed_once_for_its_attachments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []

    def parse(raw: bytes) -> Part:
        parsed.append(raw)
        return parse_structure(raw)

    monkeypatch.setattr("mailframe.files.source.parse_structure", parse)
    several = [written.with_inline_image(n) for n in (1, 2)]
    with mf.open(as_mbox(tmp_path, several)) as session:
        wanted = [(1, "1"), (2, "1"), (1, "2"), (2, "2")]
        source = session._source
        pieces = list(source.contents("INBOX", source.search("INBOX", ALL).uidvalidity, wanted))
    assert {piece.place for piece in pieces if piece.last} == {0, 1, 2, 3}
    assert len(parsed) == 2


def test_what_only_servers_do_is_told_in_words(tmp_path: Path) -> None:
    with mf.open(as_mbox(tmp_path, [written.plain(1)])) as session:
        for call in (session.capabilities, session.explain):
            with pytest.raises(NotSupportedError, match=r"Only a server"):
                call()


# -- files that change


def test_rows_of_a_file_that_has_changed_are_refused(tmp_path: Path) -> None:
    path = as_mbox(tmp_path, [written.plain(1), written.plain(2)])
    with mf.open(path) as session:
        frame = session.headers()
        path.write_bytes(path.read_bytes() + LINE + b"Subject: new\n\n")
        with pytest.raises(UidValidityError):
            session.bodies(frame)
        assert session.headers()["subject"].iloc[0] == "new"


def test_a_file_that_changes_while_it_is_read_gives_no_wrong_rows(tmp_path: Path) -> None:
    path = as_mbox(tmp_path, [written.plain(n, "x" * 40_000 + "\n") for n in range(3)])
    with mf.open(path) as session:
        source = session._source
        records = source.headers(source.search("INBOX", ALL))
        next(iter(records))
        path.write_bytes(path.read_bytes()[100:])
        with pytest.raises(UidValidityError, match="has changed"):
            list(records)


@pytest.mark.parametrize("store", [as_mbox, as_maildir, as_eml])
def test_a_source_refuses_what_was_found_under_another_uidvalidity(
    tmp_path: Path, store: Store
) -> None:
    with mf.open(store(tmp_path, [written.plain(1)])) as session:
        source = session._source
        old = replace(source.search("INBOX", ALL), uidvalidity=7)
        for read in (source.headers, source.parts):
            with pytest.raises(UidValidityError, match="has changed since"):
                read(old)
        with pytest.raises(UidValidityError):
            source.contents("INBOX", 7, [(1, "1")])


def test_an_eml_file_that_changes_while_it_is_read_gives_no_wrong_row(tmp_path: Path) -> None:
    folder = as_eml(tmp_path, [written.plain(1), written.plain(2)])
    with mf.open(folder) as session:
        source = session._source
        records = source.headers(source.search("INBOX", ALL))
        next(iter(records))
        (folder / "0.eml").write_bytes(written.plain(7, subject="another"))
        with pytest.raises(UidValidityError, match="has changed"):
            list(records)


def test_an_eml_file_that_changes_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    folder = as_eml(tmp_path, [written.plain(1), written.plain(2)])
    with mf.open(folder) as session:
        frame = session.headers()
        (folder / "1.eml").write_bytes(written.plain(7, subject="another"))
        with pytest.raises(UidValidityError):
            session.bodies(frame)
        assert "another" in set(session.headers()["subject"])


def test_a_message_deleted_from_a_maildir_is_gone(tmp_path: Path) -> None:
    folder = as_maildir(tmp_path, [written.plain(1), written.plain(2)])
    with mf.open(folder) as session:
        source = session._source
        selection = source.search("INBOX", ALL)
        records = source.headers(selection)
        next(iter((folder / "cur").glob("1700000001*"))).unlink()
        assert [record.uid for record in records] == [1]


def contents_of(session: mf.Session) -> set[int]:
    source = session._source
    wanted = [(uid, "2") for uid in (1, 2, 3)]
    validity = source.search("INBOX", ALL).uidvalidity
    return {piece.place for piece in source.contents("INBOX", validity, wanted)}


LARGE = written.with_attachment(2, "2.pdf", b"%PDF " * 9000)


@pytest.mark.parametrize("store", [as_maildir, as_eml])
@pytest.mark.parametrize(
    ("read", "left"),
    [
        (lambda session: session.headers()["uid"].tolist(), [3, 1]),
        (lambda session: session.bodies()["uid"].tolist(), [3, 1]),
        (lambda session: session.attachments()["uid"].tolist(), [3, 1]),
        (lambda session: session.folders()["unseen"].tolist(), [2]),
        (lambda session: session.count(mf.Q(subject="Message", body="report")), 2),
        (contents_of, {0, 2}),
    ],
    ids=["headers", "bodies", "attachments", "folders", "count", "contents"],
)
def test_a_message_that_goes_while_it_is_read_costs_itself(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    store: Store,
    read: Callable[[mf.Session], object],
    left: object,
) -> None:
    with mf.open(store(tmp_path, [LARGE] * 3)) as session:
        session.headers(limit=1)
        delete_after_the_header(monkeypatch, 2)
        found = read(session)
    assert found == left


@pytest.mark.parametrize("store", [as_maildir, as_eml])
def test_a_message_that_goes_while_it_is_read_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    with mf.open(store(tmp_path, [LARGE] * 3)) as session:
        delete_after_the_header(monkeypatch, 2)
        with pytest.raises(MessageNotFoundError):
            session.message(2)


def delete_after_the_header(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    really = FileMessage._read

    def read(self: FileMessage, length: int) -> bytes:
        found = really(self, length)
        if self.uid == uid:
            self.path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(FileMessage, "_read", read)


def test_a_folder_that_may_not_be_entered_is_listed_without_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mf.open(as_maildir(tmp_path, [written.plain(1)])) as session:

        def refuse(*_: object) -> None:
            raise MailFileError("Could not read it.")

        monkeypatch.setattr(FileMessage, "_read", refuse)
        assert session.folders()["messages"].isna().all()


def test_sizes_are_those_of_the_message_whatever_ends_its_lines(tmp_path: Path) -> None:
    message = written.plain(1).replace(b"\r\n", b"\n")
    for ending in (b"\n", b"\r\n", b"\r"):
        (tmp_path / "1.eml").write_bytes(message.replace(b"\n", ending))
        with mf.open(tmp_path) as session:
            assert session.headers()["size"].tolist() == [session.message(1).size]
            assert session.message(1).size == len(message) + message.count(b"\n")


def test_a_closed_session_says_so(tmp_path: Path) -> None:
    session = mf.open(as_mbox(tmp_path, [written.plain(1)]))
    session.headers()
    session.close()
    session.close()
    assert "closed" in repr(session)
    for read in (session.headers, session.folders, lambda: session.message(1)):
        with pytest.raises(MailFileError, match="is closed"):
            read()


def test_reading_changes_nothing(tmp_path: Path) -> None:
    folder = as_maildir(tmp_path, [written.plain(1)])
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    with mf.open(folder) as session:
        frames_of(session)
        session.folders()
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_open_is_no_part_of_a_star_import() -> None:
    assert "open" not in mf.__all__
    assert callable(mf.open)


def test_a_wrong_argument_is_told(tmp_path: Path) -> None:
    with mf.open(as_mbox(tmp_path, [])) as session, pytest.raises(QueryError):
        session.headers(limit=-1)
