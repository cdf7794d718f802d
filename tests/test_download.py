"""Attachments become files: the sender's bytes, under names that stay in the folder."""

from __future__ import annotations

import base64
import hashlib
import logging
import quopri
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import schema
from mailframe.exceptions import FolderError, QueryError, SaveError, UidValidityError
from mailframe.imap.download import RANGE
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot

    Delivered = Callable[..., mf.Session]

EVERY_OCTET = bytes(range(256)) * 4
#: What 8bit and binary may hold on their way through IMAP: no NUL, and line ends are CRLF.
OCTETS = bytes(octet for octet in range(1, 256) if octet not in b"\r\n") * 3 + b"\r\n"
CSV = "Name;Größe\r\nÄpfel ;3\r\n=Übung;\t\r\n".encode()
INNER = messages.with_attachment(7, "inner.pdf")


def attached(
    content_type: str,
    body: bytes,
    encoding: str = "",
    *,
    filename: str | bytes | None = None,
    disposition: str = "attachment",
) -> bytes:
    """Return a part with this body as it is on the wire; the file name is put in as it is."""
    name = filename.encode() if isinstance(filename, str) else filename
    parameter = b"" if name is None else b'; filename="' + name + b'"'
    fields = [
        b"Content-Type: " + content_type.encode(),
        b"Content-Disposition: " + disposition.encode() + parameter,
        *([b"Content-Transfer-Encoding: " + encoding.encode()] if encoding else []),
    ]
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def mail(*parts: bytes, number: int = 1, **fields: str | bytes) -> bytes:
    """Return a text with these parts attached, the first of them as part 2."""
    text = messages.quoted_printable("See below.\r\n")
    return messages.multipart("mixed", text, *parts, number=number, **fields)


def tiny(name: str | bytes | None = "a.bin", content: bytes = b"tiny") -> bytes:
    return attached("application/octet-stream", base64.b64encode(content), "base64", filename=name)


def quoted(content: bytes) -> bytes:
    lines = (quopri.encodestring(line, quotetabs=True) for line in content.split(b"\r\n"))
    return b"\r\n".join(line.replace(b"\n", b"\r\n") for line in lines)


def in_base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


#: Of each file its bytes, and the part that carries it.
KINDS = {
    "octets.bin": (
        EVERY_OCTET,
        attached(
            "application/octet-stream",
            in_base64(EVERY_OCTET),
            "base64",
            filename="octets.bin",
        ),
    ),
    "table.csv": (
        CSV,
        attached("text/csv; charset=utf-8", quoted(CSV), "quoted-printable", filename="table.csv"),
    ),
    "raw.txt": (
        "Grüße\r\nohne Ende".encode(),
        attached("text/plain", "Grüße\r\nohne Ende".encode(), "8bit", filename="raw.txt"),
    ),
    "binary.dat": (
        OCTETS,
        attached("application/x-data", OCTETS, "binary", filename="binary.dat"),
    ),
    "plain.log": (
        b"a line\r\n",
        attached("text/x-log", b"a line\r\n", filename="plain.log"),
    ),
    "inner.eml": (INNER, attached("message/rfc822", INNER, filename="inner.eml")),
    "dot.png": (
        messages.PNG,
        attached(
            "image/png",
            base64.b64encode(messages.PNG),
            "base64",
            filename="dot.png",
            disposition="inline",
        ),
    ),
    "empty.txt": (b"", attached("text/plain", b"", "7bit", filename="empty.txt")),
    "old.bin": (
        b"abc",
        attached(
            "application/octet-stream",
            b"begin 644 old.bin\r\n#86)C\r\n`\r\nend\r\n",
            "x-uuencode",
            filename="old.bin",
        ),
    ),
}


def connect(dovecot: Dovecot, user: str) -> mf.Session:
    return mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    )


@pytest.fixture
def delivered(dovecot: Dovecot, user: str) -> Iterator[Delivered]:
    """Return a function that delivers messages, UIDs from 1, and logs in."""
    sessions: list[mf.Session] = []

    def start(*mails: Any, folder: str = "INBOX") -> mf.Session:
        dovecot.deliver(user, mails, folder)
        if not sessions:
            sessions.append(connect(dovecot, user))
        return sessions[0]

    yield start
    for session in sessions:
        session.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that is not there yet."""
    return tmp_path / "saved" / "here"


def assert_conforms(frame: pd.DataFrame) -> None:
    assert_frame_equal(schema.conform(frame, "downloads"), frame)
    assert list(frame.columns) == [column.name for column in schema.DOWNLOADS]
    assert type(frame.index) is pd.RangeIndex


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder, temporary files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read(saved: pd.DataFrame) -> list[bytes]:
    """Return what is in the file of each row."""
    return [Path(path).read_bytes() for path in saved["path"]]


def names(saved: pd.DataFrame) -> list[str]:
    """Return what the file of each row is called; "" where there is none."""
    return [Path(path).name for path in saved["path"].fillna("")]


# -- what is saved


def test_attachments_of_every_kind_are_saved_as_they_were_sent(
    dovecot: Dovecot, user: str, delivered: Delivered, folder: Path
) -> None:
    parts = {name: part for name, (_, part) in KINDS.items()}
    half = len(parts) // 2
    first, second = list(parts)[:half], list(parts)[half:]
    dovecot.deliver(user, [mail(*(parts[name] for name in second))], "Archive")
    session = delivered(mail(*(parts[name] for name in first)), messages.plain(2))
    rows = session.attachments(folder=["INBOX", "Archive"])
    flags = dovecot.flags(user) | dovecot.flags(user, "Archive")
    saved = session.download(rows, folder)
    assert contents(folder) == {name: content for name, (content, _) in KINDS.items()}
    assert saved["filename"].tolist() == [*first, *second]
    assert saved["path"].tolist() == [str(folder / name) for name in [*first, *second]]
    assert_conforms(saved)
    assert_frame_equal(saved.drop(columns="path"), rows)
    assert saved.attrs == {"accounts": [session.account]} == rows.attrs
    assert dovecot.flags(user) | dovecot.flags(user, "Archive") == flags


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_alone_is_saved_as_it_was_sent(
    delivered: Delivered, folder: Path, name: str
) -> None:
    content, part = KINDS[name]
    session = delivered(mail(tiny(), part, tiny("z.bin")))
    saved = session.download(session.attachments(), folder)
    assert contents(folder) == {"a.bin": b"tiny", name: content, "z.bin": b"tiny"}
    assert names(saved) == ["a.bin", name, "z.bin"]


def test_recent_and_unseen_stay_so(
    dovecot: Dovecot, user: str, delivered: Delivered, folder: Path
) -> None:
    session = delivered((mail(tiny()), ["\\Flagged", "$Todo"], None))
    dovecot.deliver(user, [mail(tiny())], recent=True)
    before = dovecot.flags(user)
    session.download(session.attachments(), folder)
    assert dovecot.flags(user) == before
    assert "\\Recent" in frozenset().union(*before.values())


def test_a_message_that_is_one_attachment_is_saved(delivered: Delivered, folder: Path) -> None:
    head = messages.headers(content_type='application/pdf; name="alone.pdf"')
    session = delivered(
        head + b"Content-Transfer-Encoding: base64\r\n\r\n" + in_base64(messages.PDF)
    )
    session.download(session.attachments(), folder)
    assert contents(folder) == {"alone.pdf": messages.PDF}


def test_what_was_delivered_with_bare_line_feeds_is_saved_with_imaps(
    delivered: Delivered, folder: Path
) -> None:
    part = attached("text/x-log", b"one\r\ntwo\r\n", filename="a.log")
    session = delivered(mail(part).replace(b"\r\n", b"\n"))
    session.download(session.attachments(), folder)
    assert contents(folder) == {"a.log": b"one\r\ntwo\r\n"}


@pytest.mark.parametrize("date", ["", "Mon, 05 Jan 2026 10:30:00 +0000"])
def test_a_message_with_a_structure_not_to_be_trusted_gives_the_right_bytes(
    delivered: Delivered, folder: Path, date: str
) -> None:
    alone = messages.multipart("mixed", tiny("alone.bin", EVERY_OCTET), date=date)
    blank = mail(tiny("report of May", b"blank"), number=2, date=date)
    none = mail(tiny("a.pdf", b"dateless"), tiny("b.pdf", messages.PDF), number=3, date=date)
    session = delivered(alone, blank, none, mail(tiny("sound.bin", b"sound"), number=4))
    saved = session.download(session.attachments(), folder)
    assert dict(zip(names(saved), read(saved), strict=True)) == {
        "sound.bin": b"sound",
        "a.pdf": b"dateless",
        "b.pdf": messages.PDF,
        "report of May": b"blank",
        "alone.bin": EVERY_OCTET,
    }


def test_damaged_base64_is_saved_as_far_as_it_can_be_decoded(
    delivered: Delivered, folder: Path
) -> None:
    session = delivered(messages.broken_base64())
    attachment = session.message(1).attachments[0]
    saved = session.download(session.attachments(), folder)
    assert read(saved) == [attachment.content]


def test_messages_read_whole_have_the_same_attachments(delivered: Delivered, folder: Path) -> None:
    session = delivered(*messages.many(12))
    rows = session.attachments()
    saved = session.download(rows, folder)
    whole = [
        one.content
        for uid in dict.fromkeys(rows["uid"])
        for one in session.message(int(uid)).attachments
    ]
    assert read(saved) == whole


# -- sizes around a range


@pytest.mark.parametrize("size", [1, RANGE - 1, RANGE, RANGE + 1, 2 * RANGE, 2 * RANGE + 1])
def test_a_part_of_about_a_range_is_saved_to_its_last_byte(
    delivered: Delivered, folder: Path, size: int
) -> None:
    content = (b"0123456789" * 7 + b"\r\n") * (size // 72 + 1)
    content = content[: size - 1] + b"!"
    part = attached("application/x-data", content, "8bit", filename="a.dat")
    session = delivered(mail(part, tiny()))
    rows = session.attachments()
    assert rows["encoded_size"].iloc[0] == size
    session.download(rows, folder)
    assert contents(folder) == {"a.dat": content, "a.bin": b"tiny"}


@pytest.mark.parametrize(
    ("encoding", "encode"), [("base64", in_base64), ("quoted-printable", quoted)]
)
def test_what_is_encoded_is_decoded_across_ranges(
    delivered: Delivered, folder: Path, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    content = "".join(f"Zeile {n}: Grüße = 語 \t\r\n" for n in range(20_000)).encode()
    part = attached("text/csv", encode(content), encoding, filename="a.csv")
    session = delivered(mail(part))
    rows = session.attachments()
    assert rows["encoded_size"].iloc[0] > RANGE
    assert read(session.download(rows, folder)) == [content]


def test_twenty_megabytes_are_saved_to_the_last_byte(delivered: Delivered, folder: Path) -> None:
    content = hashlib.shake_256(b"seed").digest(20 << 20)
    part = attached("application/zip", in_base64(content), "base64", filename="large.zip")
    session = delivered(mail(part, tiny("small.bin")))
    saved = session.download(session.attachments(), folder)
    assert names(saved) == ["large.zip", "small.bin"]
    [large, _] = map(hashlib.sha256, read(saved))
    assert large.digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize(("count", "each"), [(100, 100), (2000, 5)])
def test_ten_thousand_attachments_are_ten_thousand_files(
    delivered: Delivered,
    folder: Path,
    full: bool,  # noqa: FBT001 - a fixture
    count: int,
    each: int,
) -> None:
    count = count if full else count // 10
    session = delivered(
        *(
            mail(*(tiny(f"{uid}-{n}.bin", b"%d %d" % (uid, n)) for n in range(each)))
            for uid in range(1, count + 1)
        )
    )
    saved = session.download(session.attachments(), folder)
    assert len(saved) == count * each
    assert contents(folder) == {
        f"{uid}-{n}.bin": b"%d %d" % (uid, n) for uid in range(1, count + 1) for n in range(each)
    }
    assert names(saved) == saved["filename"].tolist()


# -- names


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        (b'filename="../../x"', "x"),
        (b'filename="..\\\\..\\\\x.exe"', "x.exe"),
        (b'filename="/etc/passwd"', "etc_passwd"),
        (b'filename="CON"', "_CON"),
        (b'filename="nul.txt"', "_nul.txt"),
        (b'filename="a/b"', "a_b"),
        (b'filename="' + b"n" * 300 + b'.pdf"', "n" * 196 + ".pdf"),
        (b"filename*=utf-8''..%2F..%2Fa%0D%0Ab%00.txt", "a__b\ufffd.txt"),
        (b"filename*0*=utf-8''%2E%2E%2F; filename*1*=Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
        (b'filename="=?utf-8?Q?..=2F..=2Fa=0D=0Ab.txt?="', "a__b.txt"),
        (b'filename="=?utf-8?B?4oCuZ25wLmV4ZQ==?="', "gnp.exe"),
        (b'filename=".bashrc"', "bashrc"),
        ('filename="Übersicht.pdf"'.encode(), "Übersicht.pdf"),
    ],
)  # fmt: skip
def test_a_hostile_name_lands_in_the_folder(
    delivered: Delivered, tmp_path: Path, folder: Path, parameter: bytes, name: str
) -> None:
    part = tiny(None).replace(b"attachment", b"attachment;\r\n " + parameter)
    session = delivered(mail(part))
    saved = session.download(session.attachments(), folder)
    assert names(saved) == [name]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / name]


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        ("application/pdf", ".pdf"),
        ("text/csv", ".csv"),
        ("image/png", ".png"),
        ("application/octet-stream", ".bin"),
        ("application/x-unheard-of", ""),
    ],
)
@pytest.mark.parametrize("name", [None, "", "..", " "])
def test_without_a_name_a_file_is_named_after_message_and_part(
    delivered: Delivered, folder: Path, content_type: str, extension: str, name: str | None
) -> None:
    part = attached(content_type, b"ABC", "7bit", filename=name)
    session = delivered(messages.plain(1), mail(part, number=2))
    session.download(session.attachments(), folder)
    assert contents(folder) == {f"message 2 part 2{extension}": b"ABC"}


def test_a_forwarded_message_without_a_name_is_an_eml(delivered: Delivered, folder: Path) -> None:
    session = delivered(messages.with_forwarded(1, INNER))
    session.download(session.attachments(), folder)
    assert contents(folder) == {"message 1 part 2.eml": INNER}


def test_the_same_name_again_gets_a_number(delivered: Delivered, folder: Path) -> None:
    session = delivered(
        mail(tiny("a.bin", b"1"), tiny("A.BIN", b"2")), mail(tiny("a.bin", b"3"), number=2)
    )
    saved = session.download(session.attachments(), folder)
    assert names(saved) == ["a.bin", "a (2).bin", "A (3).BIN"]
    assert read(saved) == [b"3", b"1", b"2"]


def test_downloading_again_numbers_and_changes_no_file(delivered: Delivered, folder: Path) -> None:
    session = delivered(mail(tiny("a.bin", b"new")))
    rows = session.attachments()
    session.download(rows, folder)
    (folder / "a.bin").write_bytes(b"mine")
    again = session.download(rows, folder)
    third = session.download(rows, folder)
    assert contents(folder) == {"a.bin": b"mine", "a (2).bin": b"new", "a (3).bin": b"new"}
    assert names(again) + names(third) == ["a (2).bin", "a (3).bin"]


def test_downloading_again_replaces_if_told_to(delivered: Delivered, folder: Path) -> None:
    session = delivered(mail(tiny("a.bin", b"one"), tiny("a.bin", b"two")))
    rows = session.attachments()
    session.download(rows, folder)
    (folder / "a.bin").write_bytes(b"mine")
    (folder / "other").write_bytes(b"mine")
    saved = session.download(rows, folder, overwrite=True)
    assert contents(folder) == {"a.bin": b"one", "a (2).bin": b"two", "other": b"mine"}
    assert names(saved) == ["a.bin", "a (2).bin"]


def test_a_name_changed_in_the_frame_is_what_the_file_is_called(
    delivered: Delivered, folder: Path
) -> None:
    session = delivered(mail(tiny("a.bin", b"one"), tiny("b.bin", b"two")))
    rows = session.attachments()
    rows["filename"] = "Mai/" + rows["uid"].astype("str") + " " + rows["filename"]
    saved = session.download(rows, folder)
    assert contents(folder) == {"Mai_1 a.bin": b"one", "Mai_1 b.bin": b"two"}
    assert saved["filename"].tolist() == ["Mai/1 a.bin", "Mai/1 b.bin"]


# -- which rows


@pytest.fixture
def five(delivered: Delivered) -> mf.Session:
    """Return a session of an INBOX with five messages, UIDs 1 to 5, with two attachments each."""
    return delivered(
        *(
            mail(tiny(f"{n}a.bin", b"%d a" % n), tiny(f"{n}b.bin", b"%d b" % n), number=n)
            for n in range(1, 6)
        )
    )


def test_filtered_rows_are_the_files_that_are_saved(five: mf.Session, folder: Path) -> None:
    rows = five.attachments()
    saved = five.download(rows[(rows["uid"] > 3) & (rows["part"] == "3")], folder)
    assert saved["uid"].tolist() == [5, 4]
    assert contents(folder) == {"5b.bin": b"5 b", "4b.bin": b"4 b"}
    assert_conforms(saved)


def test_rows_in_any_order_keep_it_and_have_their_own_files(
    five: mf.Session, delivered: Delivered, folder: Path
) -> None:
    delivered(mail(tiny("x.bin", b"x")), mail(tiny("y.bin", b"y")), folder="Archive")
    rows = five.attachments(folder=["INBOX", "Archive"]).sample(frac=1, random_state=3)
    saved = five.download(rows, folder)
    assert saved["filename"].tolist() == rows["filename"].tolist() == names(saved)
    assert read(saved) == [
        name[0].encode() if name in {"x.bin", "y.bin"} else f"{name[0]} {name[1]}".encode()
        for name in saved["filename"]
    ]
    assert_conforms(saved)


def test_a_row_that_comes_twice_is_one_file(five: mf.Session, folder: Path) -> None:
    rows = five.attachments(limit=2)
    saved = five.download(pd.concat([rows, rows.iloc[[2]], rows]), folder)
    assert len(contents(folder)) == 4
    assert saved["path"].tolist() == [
        str(folder / name)
        for name in [*rows["filename"], rows["filename"].iloc[2], *rows["filename"]]
    ]
    assert_conforms(saved)


def test_rows_with_an_index_of_their_own_are_found(five: mf.Session, folder: Path) -> None:
    rows = five.attachments()
    rows.index = pd.Index([0] * len(rows))
    saved = five.download(rows, folder)
    assert names(saved) == rows["filename"].tolist()
    assert_conforms(saved)


def test_no_rows_are_no_files(five: mf.Session, folder: Path) -> None:
    rows = five.attachments()
    for none in (rows.head(0), rows[rows["uid"] > 9], schema.empty("attachments")):
        saved = five.download(none, folder)
        assert saved.empty
        assert_conforms(saved)
    assert contents(folder) == {}


def test_the_rows_are_left_as_they_were(five: mf.Session, folder: Path) -> None:
    rows = five.attachments().iloc[::-2]
    before = rows.copy()
    five.download(rows, folder)
    assert_frame_equal(rows, before)


def test_the_frame_of_a_download_can_be_downloaded(five: mf.Session, tmp_path: Path) -> None:
    saved = five.download(five.attachments(), tmp_path / "one")
    again = five.download(saved, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert again["path"].str.startswith(str(tmp_path / "two")).all()
    assert_conforms(again)


def test_further_columns_are_kept(five: mf.Session, folder: Path) -> None:
    rows = five.attachments().assign(note="mine")
    saved = five.download(rows, folder)
    assert saved["note"].tolist() == ["mine"] * 10
    assert saved["path"].notna().all()


def test_the_key_and_the_part_are_enough(five: mf.Session, folder: Path) -> None:
    rows = five.attachments(limit=1)
    keys = rows[["account", "folder", "uidvalidity", "uid", "part"]]
    saved = five.download(keys.iloc[::-1], folder)
    assert list(saved.columns) == [*keys.columns, "path"]
    assert names(saved) == ["message 5 part 3", "message 5 part 2"]
    assert saved.index.tolist() == [0, 1]
    assert contents(folder) == {"message 5 part 2": b"5 a", "message 5 part 3": b"5 b"}


def test_rows_that_went_through_a_file_are_still_rows(five: mf.Session, tmp_path: Path) -> None:
    five.attachments().to_csv(tmp_path / "rows.csv", index=False)
    saved = five.download(pd.read_csv(tmp_path / "rows.csv"), tmp_path / "saved")
    assert names(saved) == saved["filename"].tolist()
    assert_conforms(saved)


def test_a_frame_of_headers_is_refused_with_what_to_do(five: mf.Session, folder: Path) -> None:
    with pytest.raises(QueryError, match="name no parts") as refused:
        five.download(five.headers(), folder)
    assert "session.download(session.attachments(df)" in refused.value.suggestion
    assert not folder.exists()


def test_rows_without_a_key_are_refused(five: mf.Session, folder: Path) -> None:
    with pytest.raises(QueryError, match="no uidvalidity"):
        five.download(five.attachments().drop(columns="uidvalidity"), folder)
    assert not folder.exists()


def test_rows_of_another_account_are_refused(five: mf.Session, folder: Path) -> None:
    rows = five.attachments().assign(account="someone@else.example")
    with pytest.raises(QueryError, match=r"someone@else\.example"):
        five.download(rows, folder)
    assert not folder.exists()


def test_rows_of_another_uidvalidity_are_refused(five: mf.Session, folder: Path) -> None:
    rows = five.attachments()
    rows.loc[rows.index[-1], "uidvalidity"] += 1
    with pytest.raises(UidValidityError):
        five.download(rows, folder)
    assert not folder.exists()


def test_rows_of_a_folder_that_is_not_there_are_refused(five: mf.Session, folder: Path) -> None:
    with pytest.raises(FolderError):
        five.download(five.attachments().assign(folder="Nowhere"), folder)
    assert not folder.exists()


# -- what has gone


def test_a_message_deleted_meanwhile_has_no_path_and_the_others_are_saved(
    dovecot: Dovecot,
    user: str,
    five: mf.Session,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = five.attachments()
    dovecot.expunge(user, 3)
    with caplog.at_level(logging.WARNING):
        saved = five.download(rows, folder)
    assert saved[saved["path"].isna()]["uid"].tolist() == [3, 3]
    assert names(saved[saved["path"].notna()]) == rows[rows["uid"] != 3]["filename"].tolist()
    assert len(contents(folder)) == 8
    assert "2 of 10 attachments have gone" in caplog.text
    assert_conforms(saved)


def test_when_all_have_gone_there_is_no_file(
    dovecot: Dovecot, user: str, five: mf.Session, folder: Path
) -> None:
    rows = five.attachments()
    for uid in range(1, 6):
        dovecot.expunge(user, uid)
    saved = five.download(rows, folder)
    assert saved["path"].isna().all()
    assert contents(folder) == {}
    assert_conforms(saved)


@pytest.mark.parametrize("part", ["9", "2.1", "", "0", "2\r\nX LOGOUT", "zwei", "*"])
def test_a_part_that_is_not_there_has_no_path(
    five: mf.Session, folder: Path, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = five.attachments(limit=1)
    rows.loc[0, "part"] = part
    with caplog.at_level(logging.WARNING):
        saved = five.download(rows, folder)
    assert saved["path"].isna().tolist() == [True, False]
    assert contents(folder) == {"5b.bin": b"5 b"}
    assert "1 of 2 attachments have gone" in caplog.text


def test_a_multipart_is_no_part_to_save(delivered: Delivered, folder: Path) -> None:
    inner = messages.multipart("mixed", tiny("deep.bin"), tiny("er.bin"), number=9)
    session = delivered(mail(inner[inner.index(b"MIME-Version") :]))
    rows = session.attachments()
    assert rows["part"].tolist() == ["2.1", "2.2"]
    saved = session.download(rows.assign(part=["2", "2.2"]), folder)
    assert saved["path"].isna().tolist() == [True, False]


def test_when_nothing_has_gone_nothing_is_logged(
    five: mf.Session, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = five.attachments()
    with caplog.at_level(logging.WARNING):
        five.download(pd.concat([rows, rows]), folder)
    assert caplog.records == []


# -- folders that cannot be written to


def test_a_folder_that_is_a_file_is_an_error(five: mf.Session, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"mine")
    for place in ("taken", "taken/below"):
        with pytest.raises(SaveError):
            five.download(five.attachments(), tmp_path / place)
    assert contents(tmp_path) == {"taken": b"mine"}
    assert five.count() == 5


@pytest.mark.parametrize("place", ["a\0b", "x" * 300])
def test_a_folder_that_cannot_be_made_is_an_error(
    five: mf.Session, tmp_path: Path, place: str
) -> None:
    with pytest.raises(SaveError):
        five.download(five.attachments(), tmp_path / place)
    assert five.count() == 5


def test_a_name_taken_by_a_folder_is_left_alone(five: mf.Session, folder: Path) -> None:
    (folder / "5a.bin").mkdir(parents=True)
    saved = five.download(five.attachments(limit=1), folder, overwrite=True)
    assert names(saved) == ["5a (2).bin", "5b.bin"]
    assert (folder / "5a.bin").is_dir()


def test_a_folder_may_be_a_string_and_is_the_current_one_by_default(
    five: mf.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = five.attachments(limit=1)
    assert five.download(rows)["path"].tolist() == ["5a.bin", "5b.bin"]
    assert names(five.download(rows, "sub")) == ["5a.bin", "5b.bin"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["5a.bin", "5b.bin", "sub"]


# -- progress


class Bar:
    """As much of tqdm as a session uses."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.updates: list[int] = []
        self.closed = False

    def update(self, n: int = 1) -> None:
        self.updates.append(n)

    def close(self) -> None:
        self.closed = True


def exact(*sizes: int) -> bytes:
    """Return a message with attachments whose decoded size is known."""
    parts = (
        attached("application/x-data", b"x" * size, "8bit", filename=f"{size}.dat")
        for size in sizes
    )
    return mail(*parts)


def test_a_bar_of_ones_own_counts_bytes_and_stays_open(delivered: Delivered, folder: Path) -> None:
    session = delivered(exact(3, 2 * RANGE, 7))
    bar = Bar()
    session.download(session.attachments(), folder, progress=bar)
    assert (bar.total, sum(bar.updates), bar.closed) == (2 * RANGE + 10,) * 2 + (False,)
    assert max(bar.updates) <= RANGE


def test_a_row_that_comes_twice_counts_once(delivered: Delivered, folder: Path) -> None:
    session = delivered(exact(30, 40))
    rows = session.attachments()
    bar = Bar()
    session.download(pd.concat([rows, rows]), folder, progress=bar)
    assert (bar.total, sum(bar.updates)) == (70, 70)


def test_progress_is_shown_in_bytes_if_asked(
    delivered: Delivered, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = delivered(exact(4000))
    session.download(session.attachments(), folder, progress=True)
    shown = capsys.readouterr()
    assert "4.00k/4.00k" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("progress", [False, None])
def test_short_work_shows_no_progress(
    five: mf.Session, folder: Path, capsys: pytest.CaptureFixture[str], progress: Any
) -> None:
    five.download(five.attachments(), folder, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_a_bar_that_fails_leaves_no_half_file(five: mf.Session, folder: Path) -> None:
    class Broken(Bar):
        def update(self, n: int = 1) -> None:
            raise ZeroDivisionError(n)

    rows = five.attachments()
    with pytest.raises(ZeroDivisionError):
        five.download(rows, folder, progress=Broken())
    assert contents(folder) == {}
    assert five.download(rows, folder)["path"].notna().all()


# -- interrupted


def test_a_download_interrupted_by_the_user_leaves_no_half_file(
    delivered: Delivered, folder: Path
) -> None:
    class Impatient(Bar):
        def update(self, n: int = 1) -> None:
            super().update(n)
            if len(self.updates) == 2:
                raise KeyboardInterrupt

    session = delivered(exact(3 * RANGE))
    rows = session.attachments()
    with pytest.raises(KeyboardInterrupt):
        session.download(rows, folder, progress=Impatient())
    assert contents(folder) == {}
    assert session.download(rows, folder)["path"].notna().all()
