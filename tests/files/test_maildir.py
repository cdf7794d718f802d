"""A Maildir's flags, dates and order come from its files' names and times."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import MailFileError
from mailframe.files import maildir as maildir_module
from mailframe.files.listing import list_files
from mailframe.files.maildir import Maildir
from mailframe.files.stored import Gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    monkeypatch.setattr(maildir_module, "list_files", lambda _: pytest.fail("listed again"))
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


# -- names that change while they are listed


def miss(monkeypatch: pytest.MonkeyPatch, *missed: Callable[[str], bool]) -> list[str]:
    """Make one listing of cur after the other miss files, as a rename meanwhile can."""
    really, listings = os.scandir, list(missed)
    made: list[str] = []

    @contextmanager
    def scandir(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        is_missed = listings.pop(0) if path.name == "cur" and listings else lambda _: False
        made.append(path.name)
        with really(path) as entries:
            yield (entry for entry in entries if not is_missed(entry.name))

    monkeypatch.setattr(os, "scandir", scandir)
    return made


def test_a_file_that_one_listing_misses_is_found_by_the_next(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        put(maildir, f"cur/{number}.a.b:2,")
    miss(monkeypatch, lambda name: name[0] in "13", lambda name: name[0] in "04")
    box = Maildir(maildir)
    assert [box[uid].path.name[0] for uid in range(1, len(box) + 1)] == list("01234")


def test_a_file_renamed_while_it_is_listed_is_found_under_its_new_name(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put(maildir, f"cur/{number}.a.b:2,")

    def rename(name: str) -> bool:
        if name == "1.a.b:2,":  # its new name has a place that the listing has passed
            (maildir / "cur" / name).rename(maildir / "cur" / f"{name}S")
        return name.startswith("1")

    miss(monkeypatch, rename)
    box = Maildir(maildir)
    assert len(box) == 3
    assert box[2].flags == ("\\Seen",)


def test_a_file_that_goes_while_it_is_listed_is_gone(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put(maildir, f"cur/{number}.a.b:2,")

    def delete(name: str) -> bool:
        (maildir / "cur/1.a.b:2,").unlink(missing_ok=True)
        return name.startswith("1")

    made = miss(monkeypatch, lambda _: False, delete)
    assert sorted(list_files(maildir).files) == ["0.a.b", "2.a.b"]
    assert len(made) < 20  # however long others go on


def test_a_listing_ends_though_mail_keeps_coming(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(maildir, "cur/0.a.b:2,")

    numbers = iter(range(1, 1000))

    def deliver(_: str) -> bool:
        put(maildir, f"cur/{next(numbers)}.a.b:2,")
        return False

    made = miss(monkeypatch, *[deliver] * 50)
    assert len(list_files(maildir).files) >= 8
    assert len(made) < 20


def test_a_quiet_folder_is_listed_once(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(maildir, "cur/0.a.b:2,")
    for name in ("cur", "new"):
        os.utime(maildir / name, (1_000_000_000, 1_000_000_000))
    made = miss(monkeypatch)
    assert len(Maildir(maildir)) == 1
    assert made == ["new", "cur"]


def test_a_message_renamed_while_it_is_looked_for_is_not_gone(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]
    path.rename(maildir / "cur/1.a.b:2,S")
    miss(monkeypatch, lambda _: True)
    assert message.raw == HI


def test_two_files_of_one_unique_name_are_two_messages(
    maildir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(maildir, "cur/1.a.b:2,S", b"Subject: one\n\n")
    put(maildir, "cur/1.a.b:2,RS", b"Subject: two\n\n")
    put(maildir, "new/2.a.b", b"Subject: three\n\n")
    put(maildir, "cur/2.a.b:2,", b"Subject: four\n\n")
    box = Maildir(maildir)
    found = [box[uid] for uid in range(1, len(box) + 1)]
    assert {one.raw.split()[1] for one in found[:2]} == {b"one", b"two"}
    assert {one.raw.split()[1] for one in found[2:]} == {b"three", b"four"}
    assert "2 files have the unique name 1.a.b" in caplog.text
    assert box.current() is box
    (maildir / "cur/1.a.b:2,S").rename(maildir / "cur/1.a.b:2,FS")
    assert found[0].raw != found[1].raw
    assert box.current() is box


def test_one_file_under_two_names_is_one_message(maildir: Path) -> None:
    os.link(put(maildir, "new/1.a.b"), maildir / "cur/1.a.b:2,S")  # as some programs move
    assert len(Maildir(maildir)) == 1


# -- what cannot be reached


def test_a_link_in_a_loop_costs_itself(maildir: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(maildir, "cur/1.a.b:2,")
    (maildir / "cur/2.a.b:2,").symlink_to(maildir / "cur/2.a.b:2,")
    with caplog.at_level(logging.WARNING):
        assert len(Maildir(maildir)) == 1
    assert "2.a.b:2," in caplog.text


def test_a_message_that_may_not_be_reached_is_told_in_words(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(maildir), "stat", refuse)
    with pytest.raises(MailFileError, match="Permission denied"):
        _ = message.internal_date


def test_a_renamed_message_in_a_folder_that_may_not_be_entered_is_told_in_words(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]
    path.rename(maildir / "cur/1.a.b:2,S")

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(MailFileError, match="Permission denied"):
        _ = message.raw


@pytest.mark.parametrize("time", [2**40, -(2**40)])
def test_a_time_that_no_calendar_has_is_no_date(
    maildir: Path, monkeypatch: pytest.MonkeyPatch, time: int
) -> None:
    put(maildir, "cur/1.a.b:2,")
    message = Maildir(maildir)[1]
    # Not every file system keeps such a time.
    monkeypatch.setitem(message.__dict__, "status", os.stat_result((0,) * 8 + (time, 0)))
    assert message.internal_date is None


def test_a_keyword_that_dovecot_adds_is_known_at_once(maildir: Path) -> None:
    put(maildir, "cur/1.a.b:2,ab")
    keywords = maildir / "dovecot-keywords"
    keywords.write_text("0 $Work\n")
    box = Maildir(maildir)
    assert box[1].flags == ("$Work",)
    keywords.write_text("0 $Work\n1 $Home\n")
    assert box.current() is box
    assert box[1].flags == ("$Home", "$Work")


def test_a_file_that_turns_up_again_is_not_gone(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(maildir, "cur/1.a.b:2,")
    put(maildir, "cur/2.a.b:2,")

    def rename(name: str) -> bool:  # and misses it, listing after listing
        if name.startswith("1"):
            (maildir / "cur" / name).rename(maildir / "cur" / f"{name}S")
        else:
            put(maildir, f"new/{len(made)}.c.d")
        return name.startswith("1")

    made: list[str] = []
    made = miss(monkeypatch, lambda _: False, rename, rename, rename, rename)
    assert "1.a.b" in list_files(maildir).files
