"""Whatever a mail calls its attachments, they land in the folder, whole or not at all."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import stat
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailframe import saving
from mailframe.exceptions import SaveError
from mailframe.saving import Destination, safe_name, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

CHECKOUT = Path(__file__).parent.parent

#: What was sent, and what it is saved as.
HOSTILE = {
    # ways out of the folder
    "../../x": "x",
    "..": "fallback",
    ".": "fallback",
    "...": "fallback",
    "/": "fallback",
    "../": "fallback",
    "..\\..\\x": "x",
    ". ./x": "x",
    "a/b": "a_b",
    "a\\b": "a_b",
    "a/../../b": "a_.._.._b",
    "x/..": "x_",
    "C:\\x": "C__x",
    "C:\\temp\\x.pdf": "C__temp_x.pdf",
    "\\\\server\\share": "server_share",
    "\\\\?\\C:\\x": "__C__x",
    "/etc/passwd": "etc_passwd",
    "file:///etc/passwd": "file____etc_passwd",
    "../__init__.py": "__init__.py",
    "_/x": "__x",
    # nothing at all
    "": "fallback",
    "   ": "fallback",
    "\t\r\n": "fallback",
    "\u3000\u00a0.\u2003": "fallback",
    "\u200b\u2060\ufeff": "fallback",
    # not seen, or seen as something else
    "a\nb.txt": "a_b.txt",
    "a\r\nBcc: x": "a__Bcc_ x",
    "a\0.txt": "a_.txt",
    "\0": "_",
    "a\tb": "a_b",
    "a\x7fb\x9bc": "a_b_c",
    "a\u2028b\u2029c": "a_b_c",
    "\u202egnp.exe": "gnp.exe",
    "a\u2066b\u2069.txt": "ab.txt",
    "x\u00ad.pdf\u200b": "x.pdf",
    "\udc80": "_",
    "caf\udce9.txt": "caf_.txt",
    "a\ud83db": "a_b",
    # forbidden by Windows
    'a<b>c:"d|e?f*.txt': "a_b_c__d_e_f_.txt",
    "a:b": "a_b",
    "a.txt::$DATA": "a.txt__$DATA",
    "x.": "x",
    "x ": "x",
    "x. . .": "x",
    "x\u00a0.": "x",
    " x": "x",
    "CON": "_CON",
    "con.txt": "_con.txt",
    "aux .pdf": "_aux .pdf",
    "NuL.tar.gz": "_NuL.tar.gz",
    "prn": "_prn",
    "CONIN$": "_CONIN$",
    "conout$.x": "_conout$.x",
    "COM0": "_COM0",
    "lpt9.txt": "_lpt9.txt",
    "COM¹.txt": "_COM¹.txt",
    "LPT³": "_LPT³",
    "../CON": "_CON",
    "CON" + " " * 300 + "x": "_CON",
    "CON" + "." * 300 + ".pdf": "_CON.pdf",
    "CON." + "a" * 196: "_CON." + "a" * 195,
    "COM10": "COM10",
    "CONSOLE.txt": "CONSOLE.txt",
    # hidden
    ".bashrc": "bashrc",
    "..hidden": "hidden",
    " .hidden": "hidden",
    # long
    "a" * 300: "a" * 200,
    "a" * 300 + ".pdf": "a" * 196 + ".pdf",
    "ü" * 300 + ".pdf": "ü" * 98 + ".pdf",
    "\U0001f600" * 300 + ".jpeg": "\U0001f600" * 48 + ".jpeg",
    "a" * 300 + ".tar.gz": "a" * 193 + ".tar.gz",
    "a." + "b" * 300: "a." + "b" * 198,
    "a" * 100_000 + ".pdf": "a" * 196 + ".pdf",
    "a" + "\u0301\u0323" * 10_000 + ".pdf": "\u1ea1" + "\u0323" * 96 + ".pdf",
    "x" + " " * 300 + ".pdf": "x.pdf",
    "a" * 300 + ". " + "b" * 9: "a" * 200,
    # strange, but harmless
    "~": "~",
    "-rf": "-rf",
    "$(reboot)": "$(reboot)",
    "%2e%2e%2fx": "%2e%2e%2fx",
    "name.tar.gz": "name.tar.gz",
    "Übersicht.pdf": "Übersicht.pdf",
    "U\u0308bersicht.pdf": "Übersicht.pdf",
    "資料\u3000二.pdf": "資料\u3000二.pdf",
}
each_hostile = pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:30]))

#: Characters that matter more often than by chance.
FOUL = st.sampled_from(list("./\\ _:CONcom1¹<?*\0\t\u202e\u2028\u200b\u00a0\u3000\u0301ß🙂"))
any_text = st.one_of(
    st.text(FOUL),
    st.text(st.one_of(FOUL, st.characters(), st.characters(categories=["Cs", "Cf", "Mn"]))),
    st.tuples(st.text(FOUL), st.integers(190, 210), st.text(FOUL)).map(
        lambda drawn: drawn[0] + "ü" * (drawn[1] // 2) + "a" * (drawn[1] % 3) + drawn[2]
    ),
)

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    port + digit for port in ("COM", "LPT") for digit in "0123456789¹²³"
}


def is_legal_on_windows(name: str) -> bool:
    """Read Microsoft's "Naming Files, Paths, and Namespaces" once more, without the module."""
    device = name.partition(".")[0].strip().upper()
    return (
        name not in {"", ".", ".."}
        and not any(char in '<>:"/\\|?*' or ord(char) < 32 for char in name)
        and not name.endswith((" ", "."))
        and device not in DEVICES
    )


def save(destination: Destination, name: str, content: bytes = b"content") -> Path:
    with destination.begin(name) as file:
        file.write(content)
        return file.finish()


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder, temporary files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "saved"
    path.mkdir()
    return path


def refuse_links(*_: object, **__: object) -> NoReturn:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def rename_as_windows_does(source: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    Path(source).replace(target)


@pytest.fixture(params=["links", "links refused", "links unknown", "Windows"])
def way_to_move(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test once for every way in which a file gets its name."""
    if request.param == "links refused":
        monkeypatch.setattr(os, "link", refuse_links)
    elif request.param == "links unknown":
        monkeypatch.delattr(os, "link")
    elif request.param == "Windows":
        monkeypatch.setattr(saving, "_RENAME_NEVER_REPLACES", True)
        monkeypatch.setattr(os, "rename", rename_as_windows_does)
        monkeypatch.setattr(os, "link", None)
    return str(request.param)


every_way_to_move = pytest.mark.usefixtures("way_to_move")


# -- names


@each_hostile
def test_a_hostile_name_becomes_a_harmless_one(name: str) -> None:
    assert safe_name(name, "fallback") == HOSTILE[name]


@each_hostile
def test_a_hostile_name_lands_directly_in_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b" / "saved"
    path = save(Destination(folder), name)
    assert path.parent == folder
    assert path.resolve() == folder.resolve() / path.name
    assert path.read_bytes() == b"content"
    found = [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if not each.is_dir()]
    assert found == [str(path.relative_to(tmp_path))]


@settings(derandomize=True, deadline=None)
@given(any_text, any_text)
@example("CON" + " " * 300 + ".pdf", "")
@example("x" + "." * 300 + "\u00a0.", "\u200b")
def test_any_name_becomes_one_that_every_file_system_takes(name: str, fallback: str) -> None:
    safe = safe_name(name, fallback)
    assert is_legal_on_windows(safe)
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200
    assert safe == safe.strip()
    assert unicodedata.is_normalized("NFC", safe)
    assert not {unicodedata.category(char) for char in safe} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert safe_name(safe, "other") == safe


@settings(derandomize=True, deadline=None)
@given(st.lists(any_text, min_size=1, max_size=4))
def test_any_names_stay_in_the_folder_and_apart(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "saved"
        destination = Destination(folder)
        saved = {
            save(destination, name, str(number).encode()): str(number).encode()
            for number, name in enumerate(names)
        }
        assert len(saved) == len(names)
        assert {path.parent for path in saved} == {folder}
        assert contents(folder) == {path.name: content for path, content in saved.items()}
        assert names_in(folder.parent) == ["saved"]
        assert all(is_legal_on_windows(path.name) for path in saved)


@pytest.mark.parametrize(
    ("fallback", "expected"), [("part-2", "part-2"), ("../x", "x"), ("..", "attachment")]
)
def test_without_a_name_the_fallback_is_made_safe_too(fallback: str, expected: str) -> None:
    assert safe_name(None, fallback) == expected
    assert safe_name("", fallback) == expected


def test_a_cut_name_has_room_for_its_number(folder: Path) -> None:
    destination = Destination(folder)
    destination._next[saving._key("é" * 98 + ".pdf")] = 99_999
    assert save(destination, "é" * 300 + ".pdf").name == "é" * 98 + " (99999).pdf"


def test_of_an_endless_name_only_the_ends_are_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def measured(form: Literal["NFC"], text: str) -> str:
        lengths.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(saving, "normalize", measured)
    assert safe_name("a" + "\u0301\u0323" * 2_000 + ".pdf", "fallback").endswith(".pdf")
    assert lengths == [2_000]


# -- taken names


@every_way_to_move
def test_a_taken_name_gets_a_number(folder: Path) -> None:
    (folder / "x.pdf").write_bytes(b"before")
    destination = Destination(folder)
    assert save(destination, "x.pdf", b"one").name == "x (2).pdf"
    assert save(destination, "x.pdf", b"two").name == "x (3).pdf"
    assert contents(folder) == {"x.pdf": b"before", "x (2).pdf": b"one", "x (3).pdf": b"two"}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("name.tar.gz", "name (2).tar.gz"),
        ("tar.gz", "tar (2).gz"),
        ("noext", "noext (2)"),
        ("Letter to Dr. Smith", "Letter to Dr. Smith (2)"),
        ("v1." + "x" * 30, "v1." + "x" * 30 + " (2)"),
        ("CON.txt", "_CON (2).txt"),
        ("x (2).pdf", "x (2) (2).pdf"),
    ],
)
def test_the_number_stands_before_the_extension(folder: Path, name: str, second: str) -> None:
    destination = Destination(folder)
    save(destination, name)
    assert save(destination, name).name == second


def test_a_number_that_is_taken_is_left_out(folder: Path) -> None:
    (folder / "X (2).pdf").touch()
    destination = Destination(folder)
    saved = [save(destination, name).name for name in ("x.pdf", "x.pdf", "x (4).pdf", "x.pdf")]
    assert saved == ["x.pdf", "x (3).pdf", "x (4).pdf", "x (5).pdf"]


@pytest.mark.parametrize(
    ("first", "second", "saved"),
    [
        ("A.pdf", "a.pdf", "a (2).pdf"),
        ("a.PDF", "a.pdf", "a (2).pdf"),
        ("STRASSE.txt", "straße.txt", "straße (2).txt"),
        ("U\u0308.txt", "\u00fc.txt", "\u00fc (2).txt"),
        ("\u1e69.txt", "s\u0307\u0323.txt", "\u1e69 (2).txt"),
        ("\u03b1\u0345\u0301", "\u0391\u0301\u0345", "\u0386\u0345 (2)"),
    ],
    ids=ascii,
)
def test_case_and_unicode_form_make_no_difference(
    folder: Path, first: str, second: str, saved: str
) -> None:
    (folder / first).touch()
    assert save(Destination(folder), second).name == saved
    other = folder / "other"
    destination = Destination(other)
    save(destination, first)
    assert save(destination, second).name == saved


def test_a_number_given_counts_as_a_name_sent(folder: Path) -> None:
    destination = Destination(folder)
    saved = [save(destination, name).name for name in ("x.pdf", "x.pdf", "X (2).pdf")]
    assert saved == ["x.pdf", "x (2).pdf", "X (2) (2).pdf"]


def test_files_open_at_the_same_time_get_different_names(folder: Path) -> None:
    destination = Destination(folder)
    with destination.begin("x") as one, destination.begin("x") as two:
        one.write(b"one")
        two.write(b"two")
        assert two.finish().name == "x"
        assert one.finish().name == "x (2)"
    assert contents(folder) == {"x": b"two", "x (2)": b"one"}


@every_way_to_move
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_appears_meanwhile_is_kept(folder: Path, *, overwrite: bool) -> None:
    with Destination(folder, overwrite=overwrite).begin("x.txt") as file:
        file.write(b"ours")
        (folder / "x.txt").write_bytes(b"theirs")
        assert file.finish().name == "x (2).txt"
    assert contents(folder) == {"x.txt": b"theirs", "x (2).txt": b"ours"}


def test_ten_thousand_files_of_one_name_take_one_attempt_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"link": 0, "scandir": 0, "stat": 0, "lstat": 0, "_key": 0}

    def counted(module: ModuleType, name: str) -> Callable[..., object]:
        real = getattr(module, name)

        def call(*args: object, **kwargs: object) -> object:
            calls[name] += 1
            return real(*args, **kwargs)

        return call

    for number in range(2, 300):
        (folder / f"x ({number}).txt").touch()
    for name in ("link", "scandir", "stat", "lstat"):
        monkeypatch.setattr(os, name, counted(os, name))
    destination = Destination(folder)
    at_start = calls["stat"] + calls["lstat"]
    monkeypatch.setattr(saving, "_key", counted(saving, "_key"))
    for _ in range(10_000):
        with destination.begin("x.txt") as file:
            last = file.finish()
    monkeypatch.undo()
    assert last.name == "x (10298).txt"
    # One for the name, one for each number: those that are there already are passed over once.
    assert calls["_key"] == 10_000 + 10_298
    assert (calls["link"], calls["scandir"]) == (10_000, 1)
    assert calls["stat"] + calls["lstat"] == at_start


# -- overwriting


@every_way_to_move
def test_overwrite_replaces_what_was_there_but_nothing_of_the_same_download(folder: Path) -> None:
    (folder / "x.txt").write_bytes(b"old")
    (folder / "x (2).txt").write_bytes(b"old, too")
    destination = Destination(folder, overwrite=True)
    for content in (b"one", b"two", b"three"):
        save(destination, "x.txt", content)
    assert contents(folder) == {"x.txt": b"one", "x (2).txt": b"two", "x (3).txt": b"three"}


def test_overwrite_replaces_no_number_given_in_the_same_download(folder: Path) -> None:
    (folder / "x (2).txt").write_bytes(b"old")
    destination = Destination(folder, overwrite=True)
    for name in ("x.txt", "x.txt", "x (2).txt"):
        save(destination, name, name.encode())
    assert contents(folder) == {
        "x.txt": b"x.txt",
        "x (2).txt": b"x.txt",
        "x (2) (2).txt": b"x (2).txt",
    }


def test_overwrite_replaces_a_file_that_differs_in_case_only(folder: Path) -> None:
    (folder / "A.pdf").write_bytes(b"old")
    destination = Destination(folder, overwrite=True)
    assert save(destination, "a.pdf", b"new").name == "A.pdf"
    assert save(destination, "A.pdf", b"newer").name == "A (2).pdf"
    assert contents(folder) == {"A.pdf": b"new", "A (2).pdf": b"newer"}


def test_overwrite_replaces_the_exact_name_where_there_are_two(folder: Path) -> None:
    for name in ("A.pdf", "a.pdf"):
        (folder / name).write_bytes(b"old")
    if len(names_in(folder)) == 1:
        pytest.skip("this file system knows no case")
    assert save(Destination(folder, overwrite=True), "a.pdf", b"new").name == "a.pdf"
    assert contents(folder) == {"A.pdf": b"old", "a.pdf": b"new"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_that_name_is_left_alone(folder: Path, *, overwrite: bool) -> None:
    (folder / "x.txt").mkdir()
    destination = Destination(folder, overwrite=overwrite)
    assert save(destination, "x.txt").name == "x (2).txt"
    assert (folder / "x.txt").is_dir()


def test_a_folder_that_took_the_place_of_a_file_is_left_alone(folder: Path) -> None:
    (folder / "x.txt").touch()
    destination = Destination(folder, overwrite=True)
    (folder / "x.txt").unlink()
    (folder / "x.txt").mkdir()
    assert save(destination, "x.txt").name == "x (2).txt"
    assert contents(folder) == {"x (2).txt": b"content"}


@every_way_to_move
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("target", ["file", "folder", "missing"])
def test_a_link_is_never_followed(
    tmp_path: Path, folder: Path, target: str, *, overwrite: bool
) -> None:
    outside = tmp_path / "outside"
    if target == "folder":
        outside.mkdir()
    elif target == "file":
        outside.write_bytes(b"precious")
    link = folder / "x.txt"
    link.symlink_to(outside)
    path = save(Destination(folder, overwrite=overwrite), "x.txt")
    assert path.name == ("x.txt" if overwrite else "x (2).txt")
    assert not path.is_symlink()
    assert link.is_symlink() is not overwrite
    assert path.read_bytes() == b"content"
    assert outside.exists() is (target != "missing")
    if target == "file":
        assert outside.read_bytes() == b"precious"
    if target == "folder":
        assert names_in(outside) == []


@every_way_to_move
def test_a_link_that_appears_meanwhile_is_not_followed(tmp_path: Path, folder: Path) -> None:
    with Destination(folder).begin("x.txt") as file:
        file.write(b"content")
        (folder / "x.txt").symlink_to(tmp_path / "outside")
        assert file.finish().name == "x (2).txt"
    assert not (tmp_path / "outside").exists()


# -- whole or not at all


def test_nothing_has_the_name_before_the_file_is_finished(folder: Path) -> None:
    with Destination(folder).begin("x.txt") as file:
        file.write(b"a" * 100_000)
        [unfinished] = names_in(folder)
        assert unfinished.startswith(".mailframe-")
        assert unfinished.endswith(".part")
        file.write(b"b")
        path = file.finish()
    assert contents(folder) == {"x.txt": b"a" * 100_000 + b"b"}
    assert path == folder / "x.txt"


def test_an_exception_inside_leaves_nothing(folder: Path) -> None:
    def interrupted() -> NoReturn:
        with Destination(folder).begin("x.txt") as file:
            file.write(b"a" * 100_000)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names_in(folder) == []


def test_leaving_without_finishing_leaves_nothing(folder: Path) -> None:
    destination = Destination(folder)
    with destination.begin("x.txt") as file:
        file.write(b"half")
    assert names_in(folder) == []
    assert save(destination, "x.txt").name == "x.txt"


def test_discarding_is_safe_at_any_time(folder: Path) -> None:
    destination = Destination(folder)
    file = destination.begin("x.txt")
    file.discard()
    file.discard()
    assert names_in(folder) == []
    file = destination.begin("x.txt")
    file.write(b"content")
    file.finish()
    file.discard()
    assert contents(folder) == {"x.txt": b"content"}


@pytest.mark.parametrize("end", ["finish", "discard"])
def test_a_file_is_finished_once(folder: Path, end: str) -> None:
    file = Destination(folder).begin("x.txt")
    getattr(file, end)()
    with pytest.raises(ValueError, match="closed file"):
        file.write(b"more")
    with pytest.raises(ValueError, match="closed file"):
        file.finish()
    assert names_in(folder) == (["x.txt"] if end == "finish" else [])


def run_until_it_waits(script: str, folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, str(folder)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half written\n"
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")
def test_a_killed_process_leaves_no_half_file_under_the_name(folder: Path) -> None:
    script = (
        "import sys\n"
        "from mailframe.saving import Destination\n"
        "with Destination(sys.argv[1]).begin('x.txt') as file:\n"
        "    file.write(b'a' * 100_000)\n"
        "    print('half written', flush=True)\n"
        "    sys.stdin.read()\n"
        "    file.finish()\n"
    )
    with run_until_it_waits(script, folder) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    [left] = contents(folder).items()
    assert left[0].startswith(".mailframe-")
    assert left[0].endswith(".part")
    assert save(Destination(folder), "x.txt").name == "x.txt"


FULL_DISK = """
import os, resource, signal, sys
from mailframe.exceptions import SaveError
from mailframe.saving import Destination, write_file

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
folder = sys.argv[1]
destination = Destination(folder)
file = destination.begin("big.bin")
try:
    for _ in range(100):
        file.write(b"a" * 1_000)
    file.finish()
except SaveError as error:
    assert isinstance(error.__cause__, OSError), error.__cause__
    print(error.tried, error.reply, error.suggestion, sep="|")
print(os.listdir(folder))

file = destination.begin("late.bin")  # a failing write that only closing brings to light
file.write(b"a" * 50_000)
file.write(b"a" * 100)
try:
    file.finish()
except SaveError as error:
    print(error.reply)
print(os.listdir(folder))
file.discard()

try:
    write_file(os.path.join(folder, "mail.eml"), b"a" * 100_000)
except SaveError as error:
    print(error.reply)
print(os.listdir(folder))
"""


def test_no_space_is_an_error_and_leaves_nothing(folder: Path) -> None:
    pytest.importorskip("resource", reason="Windows has no limits to set")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(folder)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    words = os.strerror(errno.EFBIG)
    tried = f"Could not save 'big.bin' in the folder {str(folder)!r}."
    suggestion = saving._SUGGESTIONS[errno.EFBIG]
    assert done.stdout.splitlines() == [
        f"{tried}|{words}|{suggestion}", "[]", words, "[]", words, "[]",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_the_suggestion_fits_the_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    destination = Destination(folder)
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(SaveError) as caught:
        destination.begin("x.txt")
    monkeypatch.undo()
    error = caught.value
    assert error.tried == f"Could not save 'x.txt' in the folder {str(folder)!r}."
    assert error.reply == os.strerror(code)
    assert isinstance(error.__cause__, OSError)
    assert error.__cause__.errno == code
    expected = {
        errno.ENOSPC: "Free some space",
        errno.EACCES: "that you may write to",
        errno.EROFS: "can only be read",
        errno.EIO: SaveError.suggestion,
    }
    assert expected[code] in error.suggestion
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("broken", ["link", "replace"])
def test_a_move_that_fails_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "broken disk")

    destination = Destination(folder)
    monkeypatch.setattr(os, "link", refuse_links)
    monkeypatch.setattr(os, "replace", fail)
    if broken == "link":  # then making the file that reserves the name fails as well
        real_open = os.open

        def fail_for_the_name(path: Path, *rest: int) -> int:
            return fail() if path.name == "x" else real_open(path, *rest)

        monkeypatch.setattr(os, "open", fail_for_the_name)
    with pytest.raises(SaveError) as caught:
        save(destination, "x")
    monkeypatch.undo()
    assert caught.value.reply == "broken disk"
    assert names_in(folder) == []
    assert save(destination, "x").name == "x"


def test_what_cannot_be_deleted_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Destination(folder).begin("x")
    monkeypatch.setattr(os, "unlink", refuse_links)
    with pytest.raises(SaveError, match=r"^Could not delete the unfinished file '.*\.part'\."):
        file.discard()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no umask")
@every_way_to_move
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_follow_the_umask(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        paths = [save(Destination(folder), "x"), write_file(folder / "y", b"")]
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o666 & ~umask] * 2


# -- folders


def test_missing_folders_are_made(tmp_path: Path) -> None:
    destination = Destination(str(tmp_path / "a" / "b"))
    assert save(destination, "x.txt") == destination.folder / "x.txt" == tmp_path / "a/b/x.txt"


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        ("file", "A file has that name"),
        ("file/folder", "A part of the path is a file"),
        ("a" * 1_000, "shorter name"),
        ("a\0b", SaveError.suggestion),
    ],
    ids=["file", "below a file", "long", "NUL"],
)
def test_a_folder_that_cannot_be_made_is_an_error(folder: Path, path: str, suggestion: str) -> None:
    (folder / "file").touch()
    with pytest.raises(SaveError) as caught:
        Destination(folder / path)
    assert caught.value.tried == f"Could not save to the folder {str(folder / path)!r}."
    assert caught.value.reply
    assert suggestion in caught.value.suggestion
    assert isinstance(caught.value.__cause__, OSError | ValueError)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc")
def test_a_folder_that_takes_no_files_is_an_error() -> None:
    destination = Destination("/proc")
    with pytest.raises(SaveError, match=r"^Could not save 'x' in the folder '/proc'\."):
        destination.begin("x")
    with pytest.raises(SaveError, match=r"^Could not save to the folder '/proc/mailframe'\."):
        Destination("/proc/mailframe")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_folder_without_permission_is_an_error(folder: Path) -> None:
    folder.chmod(0o500)
    user = os.geteuid()
    if user == 0:  # root may write everywhere
        os.seteuid(65_534)
    try:
        with pytest.raises(SaveError, match="that you may write to"):
            save(Destination(folder), "x")
    finally:
        os.seteuid(user)
        folder.chmod(0o700)
    assert names_in(folder) == []


# -- single files


@every_way_to_move
def test_a_single_file_is_written_under_exactly_the_path_given(folder: Path) -> None:
    path = folder / ".hidden: con."
    assert write_file(str(path), b"content") == path
    assert contents(folder) == {path.name: b"content"}


@every_way_to_move
def test_a_single_file_that_exists_is_replaced_on_demand_only(folder: Path) -> None:
    path = write_file(folder / "x.eml", b"old")
    with pytest.raises(SaveError) as caught:
        write_file(path, b"new")
    assert "overwrite=True" in caught.value.suggestion
    assert isinstance(caught.value.__cause__, FileExistsError)
    assert contents(folder) == {"x.eml": b"old"}
    assert write_file(path, b"new", overwrite=True) == path
    assert contents(folder) == {"x.eml": b"new"}


def test_a_single_file_does_not_follow_a_link(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    path = folder / "x.eml"
    path.symlink_to(outside)
    with pytest.raises(SaveError):
        write_file(path, b"new")
    assert path.is_symlink()
    write_file(path, b"new", overwrite=True)
    assert not path.is_symlink()
    assert outside.read_bytes() == b"precious"


def test_a_single_file_makes_no_folders(folder: Path) -> None:
    with pytest.raises(SaveError, match="There is no such folder"):
        write_file(folder / "missing" / "x.eml", b"content")
    assert names_in(folder) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["sub", ".", "..", ""])
def test_a_single_file_never_takes_the_place_of_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, overwrite: bool
) -> None:
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(SaveError, match="A folder has that name"):
        write_file(name, b"content", overwrite=overwrite)
    assert names_in(folder) == ["sub"]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "a" * 1_000], ids=["NUL", "half", "long"])
def test_a_path_that_cannot_be_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(SaveError, match=r"^Could not write the file '"):
        write_file(folder / name, b"content")
    assert names_in(folder) == []
