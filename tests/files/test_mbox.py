"""An mbox is read as its writer meant it, and nothing in it is lost silently."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import random
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mailframe.exceptions import MailFileError, UidValidityError
from mailframe.files import handle
from mailframe.files import scan as scan_module
from mailframe.files.mbox import Mbox
from mailframe.files.scan import Quoting
from mailframe.files.stored import size_with_crlf
from tests.files.writers import LINE, mboxcl, mboxcl2, mboxo, mboxrd, measured, without_length

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HI = b"Subject: Hi\n\nHello\n"
HO = b"Subject: Ho\n\nThere\n"


def read(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    box = Mbox(path)
    try:
        found = [box[uid].raw for uid in range(1, len(box) + 1)]
        sizes = [box[uid].size for uid in range(1, len(box) + 1)]
        assert sizes == [size_with_crlf(raw) for raw in found]
    finally:
        box.close()
    return found


def notes(path: Path, content: bytes) -> dict[int, str]:
    path.write_bytes(content)
    box = Mbox(path)
    box.close()
    return {number + 1: "; ".join(words) for number, words in box._index.notes.items()}


LINES = st.sampled_from([
    b"", b"Hello", b"From here to there", b">From me", b">>From them", b"Fromage", b">",
    b"\tFrom x", b"From ann@example.org Mon Jan  5 09:30:00 2026", b"Content-Length: 3",
    b"Subject: no", b"\xff",
])  # fmt: skip
BODIES = st.lists(LINES, max_size=8).map(lambda lines: b"".join(line + b"\n" for line in lines))
MESSAGES = st.lists(BODIES.map(lambda body: b"Subject: a\nFrom: b\n\n" + body), max_size=5)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@given(messages=MESSAGES, block=st.integers(16, 200))
@settings(suppress_health_check=list(HealthCheck), max_examples=30, deadline=None)
def test_an_mboxrd_gives_back_what_was_put_in(
    tmp_path_factory: pytest.TempPathFactory, ending: bytes, messages: list[bytes], block: int
) -> None:
    content = mboxrd(messages).replace(b"\n", ending)
    path = tmp_path_factory.getbasetemp() / "a.mbox"
    with pytest.MonkeyPatch.context() as patch:  # every place of a block's end comes up
        patch.setattr(scan_module, "BLOCK", block)
        patch.setattr(scan_module, "_AHEAD", 128)
        patch.setattr(scan_module, "_BEHIND", 64)
        found = read(path, content)
    # Without an evidence for mboxo; two levels of quoting below one may be such.
    expected = [message.replace(b"\n", ending) for message in messages]
    if b"\n>From" not in b"".join(messages) and b"\n>>From" not in b"".join(messages):
        assert found == expected
    else:
        assert len(found) == len(expected)


@given(messages=MESSAGES, block=st.integers(16, 200))
@settings(suppress_health_check=list(HealthCheck), max_examples=30, deadline=None)
@example(messages=[b"Subject: a\n\n" + LINE + b"Subject: b\n\n", b"Subject: c\n\nd\n"], block=7)
def test_an_mboxcl2_gives_back_what_was_put_in(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes], block: int
) -> None:
    messages = [*messages, HI, HO]  # the last one's length cannot be checked against a neighbour
    path = tmp_path_factory.getbasetemp() / "b.mbox"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_module, "BLOCK", block)
        patch.setattr(scan_module, "_AHEAD", 128)
        patch.setattr(scan_module, "_BEHIND", 64)
        found = read(path, mboxcl2(messages))
    separated = any(b"\n\n" + LINE in message for message in messages)
    assert len(found) == len(messages)
    if separated:  # then it is seen that nothing is quoted
        assert [without_length(message) for message in found] == messages


@pytest.mark.parametrize("write", [mboxrd, mboxo, mboxcl])
def test_a_line_that_begins_with_from_comes_back_unquoted(
    tmp_path: Path, write: Callable[[list[bytes]], bytes]
) -> None:
    message = b"Subject: a\n\nHello\n\nFrom here on\n"
    found = read(tmp_path / "a", write([message, HI]))
    assert [without_length(one) for one in found] == [message, HI]


def test_what_mboxo_never_quoted_is_not_unquoted(tmp_path: Path) -> None:
    reply = b"Subject: a\n\n>> Ann wrote:\n>>From here on\n>>it was late\n"
    assert read(tmp_path / "a", mboxo([reply, HI]))[0] == reply


def test_what_mboxrd_quoted_deeper_is_unquoted(tmp_path: Path) -> None:
    reply = b"Subject: a\n\n> Ann wrote:\n>From here on\n>it was late\n"
    assert read(tmp_path / "a", mboxrd([reply, HI]))[0] == reply


def test_the_header_is_not_unquoted(tmp_path: Path) -> None:
    message = b">From ann Mon Jan  5 09:30:00 2026\nSubject: a\n\n>From here\n"
    [found] = read(tmp_path / "a", LINE + message + b"\n")
    assert found == b">From ann Mon Jan  5 09:30:00 2026\nSubject: a\n\nFrom here\n"


@pytest.mark.parametrize(
    "text",
    [
        b"Hello\n" + LINE,  # no empty line above, and no header below
        b"On that day he wrote\n" + LINE + b"as ever, hello there\n",
        b"\nFrom that day on\nSubject: no\n",
        b"\nFrom \nnothing follows\n",
    ],
)
def test_a_from_line_that_separates_nothing_does_not_split(tmp_path: Path, text: bytes) -> None:
    message = b"Subject: a\n\n" + text
    assert read(tmp_path / "a", LINE + message + b"\n" + LINE + HI + b"\n") == [message, HI]


def test_eudora_leaves_no_empty_line_between_messages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = b"From ???@??? Mon Jan 05 09:30:00 2026\r\n"
    several = [b"Subject: %d\r\n\r\nHello\r\n" % number for number in range(3)]
    content = b"".join(line + message for message in several)
    assert read(tmp_path / "a", content) == several
    assert list(notes(tmp_path / "a", content)) == [1, 2]
    caplog.clear()
    Mbox(tmp_path / "a").close()
    assert "message 1 and 1 more: no empty line" in caplog.text


def test_two_from_lines_above_one_message_are_no_message_between(tmp_path: Path) -> None:
    assert len(read(tmp_path / "a", LINE + LINE + HI)) == 1


def test_a_length_holds_a_line_without_an_empty_one_above_together(tmp_path: Path) -> None:
    inner = b"Subject: patch\n\nas follows\n" + LINE + HI
    found = read(tmp_path / "a", mboxcl2([HO, inner, HI]))
    assert [without_length(one) for one in found] == [HO, inner, HI]


def test_lines_that_were_quoted_one_below_the_other_are_unquoted(tmp_path: Path) -> None:
    text = b"Subject: a\n\nHello\n>From here\n>From there\n>From everywhere\n"
    assert read(tmp_path / "a", mboxrd([text, HI]))[0] == text


def test_thunderbird_s_bare_from_lines_split(tmp_path: Path) -> None:
    assert read(tmp_path / "a", b"From \r\n" + HI + b"\r\nFrom \r\n" + HO + b"\r\n") == [HI, HO]


def test_mixed_line_ends_are_kept(tmp_path: Path) -> None:
    message = b"Subject: a\r\n\r\none\ntwo\r\n"
    content = LINE + message + b"\r\n" + LINE.replace(b"\n", b"\r\n") + HI + b"\n"
    assert read(tmp_path / "a", content) == [message, HI]


@pytest.mark.parametrize("block", range(300, 330))
def test_line_ends_are_counted_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(scan_module, "BLOCK", block)
    monkeypatch.setattr(scan_module, "_AHEAD", 100)
    monkeypatch.setattr(scan_module, "_BEHIND", 50)
    message = b"Subject: a\r\n\r\n" + b"12345678\r\n" * 60 + b"one\n" * 60
    assert read(tmp_path / "a", LINE + message + b"\n" + LINE + HI) == [message, HI]


@pytest.mark.parametrize("block", [50, 300, 5000])
@pytest.mark.parametrize(
    "content",
    [
        b"no mail at all\n>From here\n" + b"12345678\r\nabc\n" * 100,
        b"no mail at all\n" + b"\n" * 900,
        b"Subject: a\r\rHello\r" * 60,
        b"Subject: a\r\n\r\nHello\r\n" * 60,
    ],
    ids=["both", "lf", "cr", "crlf"],
)
def test_the_size_of_one_message_without_a_separator_counts_every_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, block: int
) -> None:
    monkeypatch.setattr(scan_module, "BLOCK", block)
    monkeypatch.setattr(scan_module, "_AHEAD", 40)
    monkeypatch.setattr(scan_module, "_BEHIND", 20)
    [found] = read(tmp_path / "a", content)
    assert found.rstrip() == content.rstrip()


# -- Content-Length


def test_a_length_that_leads_nowhere_is_not_believed(tmp_path: Path) -> None:
    wrong = b"Subject: a\nContent-Length: 7\n\nHello, all of you\n"
    assert read(tmp_path / "a", mboxcl2([HI]) + LINE + wrong + b"\n" + LINE + HO + b"\n")[1:] == [
        wrong,
        HO,
    ]


def test_a_sender_cannot_hide_other_mail_by_a_length(tmp_path: Path) -> None:
    hidden = LINE + HO + b"\n"
    evil = b"Subject: evil\nContent-Length: %d\n\nx\n" % (3 + len(hidden) - 1)
    other, measured_one = LINE + HI + b"\n", LINE + measured(HI) + b"\n"
    for before, behind in [(b"", b""), (b"", other), (other, b""), (other, other),
                           (other, measured_one), (measured_one, other)]:  # fmt: skip
        content = before + LINE + evil + b"\n" + hidden + behind
        assert HO in read(tmp_path / "a", content)


def test_a_length_keeps_a_forwarded_mbox_whole(tmp_path: Path) -> None:
    inner = b"Subject: patch\n\n\n" + LINE + HI + b"\n"
    found = read(tmp_path / "a", mboxcl2([HO, inner, HI]))
    assert [without_length(one) for one in found] == [HO, inner, HI]
    path = tmp_path / "a"
    assert Mbox(path)._index.quoting is Quoting.NONE


# -- damage


@pytest.mark.parametrize(
    ("content", "expected", "number", "words"),
    [
        (LINE + b"Subject: a\n\nHel", [b"Subject: a\n\nHel"], 1, "middle of a line"),
        (b"junk\n\n" + LINE + HI, [HI], 1, "above the first message stand 6 bytes"),
        (HO + b"\n" + LINE + HI, [HO, HI], 1, "no From line"),
        (LINE + HO + LINE + HI, [HO, HI], 1, "no empty line stands between it and the next one"),
        (LINE + HO + b"From \n" + HI, [HO + b"From \n" + HI], 1, "without an empty line above"),
        (b"junk\n" + LINE + HI, [HI], 1, "above the first message stand 5 bytes"),
        (b"junk\n", [b"junk\n"], 1, "neither a From line nor a header"),
        (
            LINE + measured(HO) + b"\n" + LINE + measured(HI)[:-3],
            [measured(HO), measured(HI)[:-3]],
            2,
            "middle of a line",
        ),
        (
            LINE + measured(HO) + b"\n" + LINE + measured(HI + b"a\nb\n")[:-2],
            [measured(HO), measured(HI + b"a\nb\n")[:-2]],
            2,
            "2 bytes are missing",
        ),
    ],
)
def test_damage_is_told_and_nothing_is_lost(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    expected: list[bytes],
    number: int,
    words: str,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert words in notes(tmp_path / "a", content)[number]
    assert words in caplog.text
    assert read(tmp_path / "a", content) == expected


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\r\n"])
def test_an_empty_file_has_no_messages(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "a", content) == []
    assert notes(tmp_path / "a", content) == {}


def test_empty_lines_and_a_mark_above_the_first_message_are_no_damage(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf\r\n\n" + LINE + HI
    assert read(tmp_path / "a", content) == [HI]
    assert notes(tmp_path / "a", content) == {}


@given(content=st.binary(max_size=300) | st.lists(LINES).map(b"\n".join))
@settings(suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
def test_no_bytes_make_it_raise_and_no_text_is_lost(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    found = b"".join(read(tmp_path_factory.getbasetemp() / "c.mbox", content))
    for word in (b"Hello", b"Fromage", b"\xff"):
        if LINE not in content and b"From ann" not in content:
            assert found.count(word) == content.count(word)


# -- compressed


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lambda content: lzma.compress(content, preset=0),
}


@pytest.mark.parametrize("packing", PACKERS)
def test_a_compressed_mbox_is_read_like_any_other(tmp_path: Path, packing: str) -> None:
    content = PACKERS[packing](mboxrd([HI, HO]))
    assert read(tmp_path / "a", content) == [HI, HO]


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_compressed_mbox_that_is_damaged_gives_what_came_before(
    tmp_path: Path, packing: str, harm: str
) -> None:
    noise = random.Random(1).randbytes(1_000_000).hex().encode()  # enough for several blocks
    packed = PACKERS[packing](mboxrd([HI, HO]) + LINE + b"Subject: long\n\n" + noise)
    middle = len(packed) * 2 // 3
    broken = (
        packed[:middle] if harm == "cut" else packed[:middle] + bytes(99) + packed[middle + 99 :]
    )
    assert read(tmp_path / "a", broken)[:2] == [HI, HO]
    [(number, words)] = notes(tmp_path / "a", broken).items()
    assert number == 3
    assert f"cut off: the {packing} file" in words


def test_what_is_unpacked_is_gone_after_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    (tmp_path / "a.gz").write_bytes(gzip.compress(mboxrd([HI])))
    box = Mbox(tmp_path / "a.gz")
    for path in spool.iterdir():  # only where the system knows no files without a name
        assert path.stat().st_mode & 0o077 == 0
    box.close()
    assert list(spool.iterdir()) == []


def test_a_full_disk_is_told_with_the_way_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handle, "_write_all", fail)
    (tmp_path / "a.gz").write_bytes(gzip.compress(mboxrd([HI])))
    with pytest.raises(MailFileError, match="No space left on device") as caught:
        Mbox(tmp_path / "a.gz")
    assert "TMPDIR" in caught.value.suggestion


# -- changes


def test_what_was_closed_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(mboxrd([HI, HO]))
    box = Mbox(path)
    box.close()
    with pytest.raises(MailFileError, match="was closed while it was being read"):
        _ = box[1].raw
    path.write_bytes(mboxrd([HI]))
    with pytest.raises(UidValidityError, match="has changed"):
        _ = box[1].raw


def test_a_file_that_changes_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(mboxrd([HI, HO]))
    box = Mbox(path)
    with path.open("ab") as file:
        file.write(LINE + HI + b"\n")
    with pytest.raises(UidValidityError, match="has changed"):
        _ = box[2].raw
    now = box.current()
    assert len(now) == 3
    assert now.uidvalidity != box.uidvalidity
    assert now.current() is now
    now.close()


def test_a_file_that_has_gone_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(mboxrd([HI]))
    box = Mbox(path)
    path.unlink()
    assert box[1].raw == HI  # the system keeps what is open
    with pytest.raises(MailFileError, match="Could not read"):
        box.current()
    box.close()
