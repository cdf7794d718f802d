"""A Maildir's flags, dates and order come from its files' names and times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import MailFileError
from mailframe.files.maildir import Maildir
from mailframe.files.stored import Gone

if TYPE_CHECKING:
    from pathlib import Path

HI = b"Subject: Hi\r\n\r\nHello\r\n"


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def put(maildir: Path, name: str, content: bytes = HI, time: int = 1_700_000_000) -> Path:
    path = maildir / name
    path.write_bytes(content)
    os.utime(path, (time, time))
    return path


@pytest.mark.parametrize("separator", [":", ";", "!"])
def test_flags_are_read_from_the_name(maildir: Path, separator: str) -> None:
    put(maildir, f"cur/1.a.b{separator}2,DFPRST")
    message = Maildir(maildir)[1]
    assert set(message.flags) == {
        "\\Draft", "\\Flagged", "$Forwarded", "\\Answered", "\\Seen", "\\Deleted",
    }  # fmt: skip


def test_letters_are_the_keywords_that_dovecot_notes(maildir: Path) -> None:
    put(maildir, "cur/1.a.b:2,Sabz")
    (maildir / "dovecot-keywords").write_text("0 $Junk\n1 Invoice\nnonsense\n99 x\n")
    assert Maildir(maildir)[1].flags == ("$Junk", "Invoice", "\\Seen")


def test_mail_in_new_is_unseen_and_mail_in_tmp_is_not_there(maildir: Path) -> None:
    put(maildir, "new/1.a.b")
    put(maildir, "new/2.a.b:2,S")
    put(maildir, "tmp/3.a.b")
    put(maildir, "cur/.hidden")
    box = Maildir(maildir)
    assert len(box) == 2
    assert [box[uid].flags for uid in (1, 2)] == [(), ()]


def test_messages_are_numbered_as_they_were_delivered(maildir: Path) -> None:
    for name in ("cur/1700000000.M9P1.h:2,", "cur/1700000000.M10P1.h:2,S", "new/900000000.M1P1.h"):
        put(maildir, name, f"Subject: {name}\r\n\r\n".encode())
    box = Maildir(maildir)
    subjects = [box[uid].header.split()[1] for uid in (1, 2, 3)]
    assert subjects == [
        b"new/900000000.M1P1.h",
        b"cur/1700000000.M9P1.h:2,",
        b"cur/1700000000.M10P1.h:2,S",
    ]


def test_the_internal_date_is_the_file_s_time(maildir: Path) -> None:
    put(maildir, "cur/1.a.b:2,", time=1_700_000_123)
    moment = Maildir(maildir)[1].internal_date
    assert moment is not None
    assert moment.isoformat() == "2023-11-14T22:15:23+00:00"


@pytest.mark.parametrize(
    ("name", "size"),
    [("1.h,S=40009,W=40012:2,S", 40012), ("1.h,S=7,W=9:2,S", 40014), ("1.h:2,S", 40014)],
)
def test_a_size_in_the_name_is_taken_where_it_can_be_right(
    maildir: Path, name: str, size: int
) -> None:
    put(maildir, f"cur/{name}", b"Subject: a\n\n\n\n\n" + b"x" * 39_994)
    assert Maildir(maildir)[1].size == size


def test_a_new_flag_changes_no_number(maildir: Path) -> None:
    path = put(maildir, "cur/1.a.b:2,")
    box = Maildir(maildir)
    seen = box[1]
    path.rename(maildir / "cur/1.a.b:2,S")
    assert seen.raw == HI  # found again under its new name
    now = box.current()
    assert now is box
    assert now[1].flags == ("\\Seen",)


def test_mail_that_moves_from_new_to_cur_is_found(maildir: Path) -> None:
    path = put(maildir, "new/1.a.b")
    message = Maildir(maildir)[1]
    path.rename(maildir / "cur/1.a.b:2,S")
    assert message.internal_date is not None
    assert message.flags == ("\\Seen",)


def test_mail_that_comes_makes_another_uidvalidity(maildir: Path) -> None:
    put(maildir, "cur/2.a.b:2,")
    box = Maildir(maildir)
    put(maildir, "new/1.a.b")
    now = box.current()
    assert len(now) == 2
    assert now.uidvalidity != box.uidvalidity


def test_what_has_not_changed_for_a_while_is_not_listed_again(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(maildir, "cur/1.a.b:2,")
    for name in ("cur", "new"):
        os.utime(maildir / name, (1_000_000_000, 1_000_000_000))
    box = Maildir(maildir)
    monkeypatch.setattr(Maildir, "_listed", lambda _: pytest.fail("listed again"))
    assert box.current() is box


def test_what_has_changed_just_now_is_listed_again_whatever_its_time(maildir: Path) -> None:
    path = put(maildir, "cur/1.a.b:2,")
    box = Maildir(maildir)
    before = (maildir / "cur").stat()
    path.rename(maildir / "cur/1.a.b:2,S")
    # As within one tick of the file system's clock.
    os.utime(maildir / "cur", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert box.current()[1].flags == ("\\Seen",)


def test_a_message_that_was_deleted_is_gone(maildir: Path) -> None:
    path = put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]
    path.unlink()
    with pytest.raises(Gone):
        _ = message.raw


def test_a_file_that_cannot_be_read_is_told(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert message.raw == b""
    assert message.size is None
    assert message.defects == ("cannot be read: Permission denied",)


def test_an_empty_file_is_told(maildir: Path) -> None:
    put(maildir, "cur/1.a.b:2,", b"")
    assert Maildir(maildir)[1].defects == ("the file is empty",)


def test_a_pipe_is_passed_over(maildir: Path) -> None:
    os.mkfifo(maildir / "cur/1.a.b:2,")
    assert len(Maildir(maildir)) == 0


def test_a_folder_that_has_gone_is_told_in_words(maildir: Path) -> None:
    box = Maildir(maildir)
    for name in ("cur", "new", "tmp"):
        (maildir / name).rmdir()
    with pytest.raises(MailFileError, match="Could not read"):
        box.current()
