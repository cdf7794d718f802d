"""What is mail at a path is found by looking, and never blocks or goes in a circle."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import os
import socket
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.criteria import ALL
from mailframe.exceptions import FolderError, MailFileError
from mailframe.files import FileSource, tree
from tests.files.writers import LINE, mboxrd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HI = b"Subject: Hi\n\nHello\n"
HO = b"Subject: Ho\n\nThere\n"


def build(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def counts(path: Path | str) -> dict[str, int]:
    source = FileSource(path)
    try:
        return {one.name: one.messages or 0 for one in source.folders()}
    finally:
        source.close()


BOX = mboxrd([HI, HO])


@pytest.mark.parametrize(
    ("name", "content", "number"),
    [
        ("takeout.mbox", BOX, 2),
        ("no-extension", BOX, 2),
        ("lies.eml.txt", BOX, 2),
        ("a.mbox.gz", gzip.compress(BOX), 2),
        ("letter.eml", HI, 1),
        ("letter", HI, 1),
        ("letter.gz", gzip.compress(HI), 1),
        ("broken.eml.gz", gzip.compress(b"no header at all"), 1),
        ("cut.mbox.gz", gzip.compress(BOX)[:-9], 2),
        ("empty.mbox.gz", gzip.compress(b""), 0),
        ("broken.eml", b"no header at all", 1),
        ("first-line-lost.mbox", HI + b"\n" + BOX, 3),
        ("junk-above", b"junk\n\n" + BOX, 2),
        ("empty", b"", 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip's bytes have the time
)
def test_a_file_is_what_it_holds(tmp_path: Path, name: str, content: bytes, number: int) -> None:
    assert counts(build(tmp_path, {name: content}) / name) == {"INBOX": number}


def test_a_maildir_has_its_sub_folders(tmp_path: Path) -> None:
    build(tmp_path, {
        "cur/1.a.b:2,S": HI, "new/2.a.b": HI, "tmp/3.a.b": HI, "maildirfolder": b"",
        "dovecot.index": b"\1\2", ".Sent.2026/cur/1.a.b:2,S": HI, ".Sent.2026/new/2": HI,
        ".Entw&APw-rfe/cur/1.a.b:2,DS": HI, ".Entw&APw-rfe/tmp/x": HI, ".git/config": b"x",
        "nested/cur/1.a.b:2,": HI, "nested/new/2": HI, "nested/tmp/3": HI,
    })  # fmt: skip
    assert counts(tmp_path) == {"INBOX": 2, "Entwürfe": 1, "nested": 2, "Sent/2026": 2}


def test_a_thunderbird_profile_has_its_folders(tmp_path: Path) -> None:
    build(tmp_path, {
        "Inbox": BOX, "Inbox.msf": b"// <!-- <mdb:mork", "Sent": mboxrd([HI]), "Sent.msf": b"//",
        "Sent.sbd/2025": BOX, "Sent.sbd/2025.msf": b"//", "Drafts": b"", "Drafts.msf": b"//",
        "msgFilterRules.dat": b"version=9\n", "popstate.dat": b"# POP3", "log.html": b"<html>",
    })  # fmt: skip
    assert counts(tmp_path) == {"INBOX": 2, "Drafts": 0, "Sent": 1, "Sent/2025": 2}


def test_folders_of_eml_files_are_folders(tmp_path: Path) -> None:
    build(tmp_path, {
        "1.eml": HI, "2.EML": HO, "notes.txt": b"buy milk", ".hidden.eml": HI, "._1.eml": HI,
        "work/3.eml": HI, "work/deep/4": HI, "pictures/a.png": b"\x89PNG",
    })  # fmt: skip
    assert counts(tmp_path) == {"INBOX": 3, "work": 1, "work/deep": 1}


def test_many_files_of_one_message_each_are_messages(tmp_path: Path) -> None:
    build(tmp_path, {f"{number:05}.abc": mboxrd([HI]) for number in range(5)})
    assert counts(tmp_path) == {"INBOX": 5}
    (tmp_path / "00009.abc").write_bytes(BOX)
    assert counts(tmp_path) == {f"0000{number}.abc": 1 for number in range(5)} | {"00009.abc": 2}


def test_packed_files_are_mail_only_where_mail_is_in_them(tmp_path: Path) -> None:
    build(tmp_path, {"a.mbox.gz": gzip.compress(BOX), "b.mbox.gz": gzip.compress(b"name,age\n")})
    assert counts(tmp_path) == {"a": 2}


def test_files_of_several_messages_without_an_empty_line_between_are_folders(
    tmp_path: Path,
) -> None:
    build(tmp_path, {f"{number}.abc": (LINE + HI) * 2 for number in range(3)})
    assert counts(tmp_path) == {f"{number}.abc": 2 for number in range(3)}


def test_a_file_of_many_messages_stays_a_folder_beside_messages(tmp_path: Path) -> None:
    build(tmp_path, {"a.eml": HI, "Archive.mbox": BOX, "Apple.mbox/mbox": BOX})
    assert counts(tmp_path) == {"INBOX": 1, "Apple": 2, "Archive": 2}


def test_two_folders_of_one_name_are_both_there(tmp_path: Path) -> None:
    build(tmp_path, {"Sent": BOX, "Sent.mbox": mboxrd([HI])})
    assert counts(tmp_path) == {"Sent": 2, "Sent (2)": 1}


def test_roles_are_known_by_name(tmp_path: Path) -> None:
    build(tmp_path, {"Inbox": BOX, "Sent": BOX, "Papierkorb": BOX, "Spam": BOX, "Recipes": BOX})
    roles = {one.name: one.special_use for one in FileSource(tmp_path).folders(status=False)}
    assert roles == {
        "INBOX": None, "Papierkorb": "\\Trash", "Recipes": None, "Sent": "\\Sent", "Spam": "\\Junk",
    }  # fmt: skip
    with mf.open(tmp_path) as session:
        assert set(session.headers(folder="\\Sent")["folder"]) == {"Sent"}


# -- which folder is the first


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"archive.mbox": BOX}, "archive"),
        ({"Local Folders/Inbox": BOX, "Local Folders/Sent": BOX}, "Local Folders/Inbox"),
        ({"iNbOx": BOX, "Sent": BOX}, "INBOX"),
        ({"deep/deeper/a.eml": HI}, "deep/deeper"),
    ],
)
def test_inbox_stands_for_the_only_folder_or_the_only_inbox(
    tmp_path: Path, files: dict[str, bytes], folder: str
) -> None:
    with mf.open(build(tmp_path, files)) as session:
        frame = session.headers()
        assert set(frame["folder"]) == {folder}
        assert len(session.bodies(frame)) == len(frame)
        assert session.message(1).folder == folder


def test_without_an_inbox_the_error_names_the_folders(tmp_path: Path) -> None:
    with mf.open(build(tmp_path, {"a.mbox": BOX, "b.mbox": BOX})) as session:
        with pytest.raises(FolderError, match=r"There are 'a', 'b'\.") as caught:
            session.headers()
        assert 'folder="*"' in caught.value.suggestion
        assert session.count(folder="*") == 4


# -- what is no mail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "it is a zip archive: unpack it"),
        (b"x" * 257 + b"ustar", "it is a tar archive"),
        (b"!BDN", "Outlook data file"),
        (b"Dear all,\nwe met\n", "is no mail"),
        (b"key: value\n", "is no mail"),
        (bytes(100), "is no mail"),
        (b"mail".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + BOX, "it is a tar archive"),
        (b"name,age\nAnn,7\n", "is no mail"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_what_is_no_mail_is_told_with_what_was_looked_for(
    tmp_path: Path, content: bytes, words: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    with pytest.raises(MailFileError, match=words) as caught:
        mf.open(path)
    assert "an mbox (it begins with a line like 'From" in caught.value.suggestion


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MailFileError, match="There is no file or folder"):
        mf.open(tmp_path / "nowhere")
    with pytest.raises(MailFileError, match="is no path"):
        mf.open("a\0b")
    for wrong in (None, b"a.mbox", 3):
        with pytest.raises(MailFileError, match="is no path"):
            mf.open(wrong)  # type: ignore[arg-type] # that is the test
    with pytest.raises(MailFileError, match="There is no mail in"):
        mf.open(build(tmp_path, {"notes.txt": b"milk"}))


def test_an_empty_folder_has_an_empty_inbox(tmp_path: Path) -> None:
    with mf.open(tmp_path) as session:
        assert session.headers().empty
        assert session.folders()["messages"].tolist() == [0]


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, {"a.mbox": BOX})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert counts("~/a.mbox") == {"INBOX": 2}


# -- what would block, or go in a circle


def test_pipes_sockets_and_devices_are_told_or_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, {"a.eml": HI})
    os.mkfifo(tmp_path / "b.eml")
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("c.eml")
        assert counts(tmp_path) == {"INBOX": 1}
    with pytest.raises(MailFileError, match="neither a file nor a folder"):
        mf.open(tmp_path / "b.eml")
    with pytest.raises(MailFileError, match="neither a file nor a folder"):
        mf.open("/dev/zero")


def test_links_to_folders_are_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(tmp_path, {"a.eml": HI, "in/b.eml": HO})
    (tmp_path / "in" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "c.eml").symlink_to(tmp_path / "a.eml")
    (tmp_path / "d.eml").symlink_to(tmp_path / "nowhere")
    with caplog.at_level(logging.WARNING):
        assert counts(tmp_path) == {"INBOX": 2, "in": 1}
    assert "is a link to a folder, and not followed" in caplog.text


def test_links_in_a_loop_cost_themselves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    build(tmp_path, {"a.eml": HI, "in/b.eml": HO})
    for name in ("self.eml", "self", "in/self.mbox"):
        (tmp_path / name).symlink_to(tmp_path / name)
    with caplog.at_level(logging.WARNING):
        assert counts(tmp_path) == {"INBOX": 1, "in": 1}
    assert "self.mbox" in caplog.text


def test_what_may_not_be_seen_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, {"a.eml": HI, ".hidden/b.eml": HO})
    really = type(tmp_path).is_dir

    def refuse(self: Path) -> bool:
        if self.name == "cur":
            raise PermissionError(13, "Permission denied")
        return really(self)

    monkeypatch.setattr(type(tmp_path), "is_dir", refuse)
    assert counts(tmp_path) == {"INBOX": 1}


def test_links_in_a_loop_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "a")
    with pytest.raises(MailFileError):
        mf.open(tmp_path / "a")


def test_a_file_that_turns_into_a_pipe_does_not_block(tmp_path: Path) -> None:
    source = FileSource(build(tmp_path, {"a.mbox": BOX}) / "a.mbox")
    (tmp_path / "a.mbox").unlink()
    os.mkfifo(tmp_path / "a.mbox")
    with pytest.raises(MailFileError, match="is no regular file"):
        source.search("INBOX", ALL)


def test_more_folders_than_files_may_be_open_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.files.source.MOST_OPEN", 2)
    build(tmp_path, {f"{letter}.mbox": BOX for letter in "abcde"})
    with mf.open(tmp_path) as session:
        frame = session.headers(folder="*")
        assert len(frame) == 10
        assert len(session._source._boxes) == 2
        assert len(session.bodies(frame)) == 10


def test_an_unreadable_folder_is_listed_without_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, {"Inbox": BOX, "Sent": BOX})
    really = tree.Mbox

    def refuse(path: Path) -> object:
        if path.name == "Sent":
            raise MailFileError(f"Could not read {path}.", reply="Permission denied")
        return really(path)

    monkeypatch.setattr(tree, "Mbox", refuse)
    with mf.open(tmp_path) as session:
        assert session.folders().set_index("name")["messages"].to_dict()["INBOX"] == 2
        assert session.folders()["messages"].isna().tolist() == [False, True]
        with pytest.raises(MailFileError, match="Permission denied"):
            session.headers(folder="Sent")
