"""A data set of Parquet files: whatever breaks it off, each message is there once in the end."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import schema
from mailframe.datasets import _runs, _uids
from mailframe.embedded import Server
from mailframe.embedded.store import Account
from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    QueryError,
    SaveError,
    UidValidityError,
)
from mailframe.imap import pool
from tests.conftest import require
from tests.faults.reading import Clock, sign_in
from tests.rigs import messages
from tests.rigs.proxy import Fault, FaultProxy
from tests.test_streaming import COUNTS, KINDS, some_mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.dovecot import Dovecot

    SignIn = Callable[..., mf.Session]

CHECKOUT = Path(__file__).parent.parent
TOTAL = sum(COUNTS.values())
#: Every data set here has 10 files of 25 messages, unless it says otherwise.
EACH = 25
FILES = -(-TOTAL // EACH)
#: How often work is broken off before it is let through.
TIMES = 10
#: Messages of a large mailbox, and in the long version.
MANY, VERY_MANY = 3_000, 100_000
#: MiB beyond Python with pandas and pyarrow.
ALLOWED = 150


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """Return a user with mail in several folders, which is only read."""
    user = dovecot.new_user()
    for folder, count in COUNTS.items():
        dovecot.deliver(user, some_mail(count), folder)
    return user


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as everything:
        yield everything


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(dovecot: Dovecot, owner: str, clock: Clock, stack: ExitStack) -> SignIn:
    def start(server: Any = dovecot, user: str = owner, **options: Any) -> mf.Session:
        settings = {"retry": clock.retry(), **options}
        return stack.enter_context(sign_in(server, user, dovecot.password, **settings))

    return start


@pytest.fixture(params=["near", "far", "files"])
def reading(
    request: pytest.FixtureRequest,
    dovecot: Dovecot,
    owner: str,
    session: SignIn,
    stack: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> mf.Session:
    """Return a session on that mail, on a server or in files."""
    if request.param == "files":
        shutil.copytree(dovecot.maildir(owner), tmp_path / "Maildir")
        return stack.enter_context(mf.open(tmp_path / "Maildir"))
    if request.param == "far":
        monkeypatch.setattr(pool, "FAR", 0)
        return session(pool_size=4)
    return session()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def some_rows(session: SignIn) -> pd.DataFrame:
    """Return rows of all folders, in no order."""
    return session().headers(folder="*").sample(frac=1, random_state=8)


def write(one: mf.Session, path: Path, criteria: Any = "ALL", /, **options: Any) -> Path:
    return one.to_parquet(path, **{"criteria": criteria, "folder": "*", "batch": EACH, **options})


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parts(count: int) -> list[str]:
    return [f"part-{number:05}.parquet" for number in range(count)]


def assert_whole(folder: Path, expected: pd.DataFrame) -> None:
    """Check that pandas reads what a method gave, and that there is nothing but files of ours."""
    assert names_in(folder) == parts(len(names_in(folder)))
    read = pd.read_parquet(folder)
    assert [str(d) for d in read.dtypes] == [str(d) for d in expected.dtypes]
    assert_frame_equal(read, expected, check_categorical=False)


class StopError(Exception):
    """What a progress bar raises here."""


class Bar:
    """As much of tqdm as a session uses; it raises when so many have come."""

    total = 0

    def __init__(self, patience: int = 0) -> None:
        self.n = 0
        self._patience = patience

    def update(self, n: int) -> None:
        self.n += n
        if self._patience and self.n >= self._patience:
            raise StopError


def broken_off(
    one: mf.Session, path: Path, after: int, criteria: Any = "ALL", /, **options: Any
) -> None:
    """Begin a data set, and break off after so many messages."""
    with pytest.raises(StopError):
        write(one, path, criteria, progress=Bar(after), **options)


# -- what is read back


@pytest.mark.parametrize(("what", "options", "kind"), KINDS, ids=str)
def test_what_is_read_back_is_what_the_method_reads(
    reading: mf.Session, folder: Path, what: str, options: dict[str, Any], kind: str
) -> None:
    assert write(reading, folder, what=what, **options) == folder
    expected = getattr(reading, what)(folder="*", **options)
    assert_whole(folder, expected)
    read = pd.read_parquet(folder)
    assert_frame_equal(schema.conform(read, kind), read)
    files = [pq.ParquetFile(path) for path in sorted(folder.iterdir())]
    assert len(files) == FILES
    assert [file.num_row_groups for file in files] == [1] * FILES
    columns = files[0].schema_arrow.remove_metadata()
    assert all(file.schema_arrow.remove_metadata() == columns for file in files)


@pytest.mark.parametrize(("what", "options"), [kind[:2] for kind in KINDS], ids=str)
def test_duckdb_reads_the_same(
    session: SignIn, folder: Path, what: str, options: dict[str, Any]
) -> None:
    duckdb = require("duckdb", "duckdb")
    one = session()
    write(one, folder, what=what, **options)
    expected = getattr(one, what)(folder="*", **options)
    with duckdb.connect() as connection:
        # Python's objects, not pandas': times in zones take pytz there.
        asked = f"from read_parquet('{folder}/*.parquet')"
        rows = connection.sql(f"select account, folder, uidvalidity, uid {asked}").fetchall()
        names = [line[0] for line in connection.sql(f"describe {asked}").fetchall()]
        kinds = {line[0]: line[1] for line in connection.sql(f"describe {asked}").fetchall()}
    keys = expected[["account", "folder", "uidvalidity", "uid"]]
    assert rows == list(keys.itertuples(index=False, name=None))
    assert names == list(expected.columns)
    assert kinds["folder"] == "VARCHAR"
    for name, dtype in expected.dtypes.items():
        if str(dtype) == schema.TIME:
            assert kinds[str(name)] == "TIMESTAMP WITH TIME ZONE"


@pytest.mark.parametrize("what_is_named", ["{}/*.parquet", "{}"])
@pytest.mark.parametrize(("what", "options"), [kind[:2] for kind in KINDS], ids=str)
def test_polars_reads_the_same(
    session: SignIn, folder: Path, what: str, options: dict[str, Any], what_is_named: str
) -> None:
    polars = require("polars", "polars")
    one = session()
    write(one, folder, what=what, **options)
    expected = getattr(one, what)(folder="*", **options)
    read = polars.read_parquet(what_is_named.format(folder))
    assert read.columns == list(expected.columns)
    for name in expected.columns:
        values = expected[name].astype("object").where(expected[name].notna(), None)
        assert read[name].to_list() == values.to_list()


def test_a_data_set_without_messages_has_the_columns(session: SignIn, folder: Path) -> None:
    one = session()
    for what, options, kind in KINDS:
        write(one, folder, "SUBJECT nothing-is-called-so", what=what, overwrite=True, **options)
        assert names_in(folder) == parts(1)
        read = pd.read_parquet(folder)
        assert len(read) == 0
        assert_frame_equal(schema.conform(read, kind), read)
    with pytest.raises(SaveError, match="is complete"):
        write(one, folder, "SUBJECT nothing-is-called-so", what=what, **options)


def test_a_file_whose_messages_have_all_gone_has_no_rows(
    dovecot: Dovecot, session: SignIn, folder: Path
) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(30))
    one = session(user=user)
    broken_off(one, folder, 11, batch=10, folder="INBOX")
    for uid in range(20, 10, -1):
        dovecot.expunge(user, uid)
    write(session(user=user), folder, batch=10, folder="INBOX")
    assert [pq.read_metadata(path).num_rows for path in sorted(folder.iterdir())] == [10, 0, 10]
    assert_whole(folder, one.headers())


def test_rows_of_a_frame_are_written_in_their_order(
    session: SignIn, folder: Path, some_rows: pd.DataFrame
) -> None:
    one = session()
    broken_off(one, folder, 60, some_rows, what="bodies")
    assert names_in(folder) == parts(2)
    write(one, folder, some_rows, what="bodies")
    assert_whole(folder, one.bodies(some_rows))


@pytest.mark.parametrize("limit", [None, 9])
def test_uids_are_written_in_their_order(session: SignIn, folder: Path, limit: int | None) -> None:
    one = session()
    uids = one.headers()["uid"].sample(20, random_state=1)
    options: dict[str, Any] = {"folder": "INBOX", "batch": 4, "limit": limit}
    broken_off(one, folder, 6, uids, **options)
    write(one, folder, pd.Index(uids), **options)
    assert_whole(folder, one.headers(uids, limit=limit))


@pytest.mark.parametrize(
    "uids", [[], [1], [9, 8, 7, 3], [1, 2, 3], [5, 4, 9, 8, 1], list(range(500, 0, -1))], ids=str
)
def test_uids_are_noted_in_their_order(uids: list[int]) -> None:
    assert _uids(_runs(uids)) == tuple(uids)


# -- broken off, and resumed


@pytest.mark.parametrize(("what", "options"), [kind[:2] for kind in KINDS], ids=str)
def test_broken_off_ten_times_each_message_is_there_once(
    reading: mf.Session,
    folder: Path,
    what: str,
    options: dict[str, Any],
    full: bool,  # noqa: FBT001 a fixture
) -> None:
    chance = random.Random(what)
    is_usual = what in {"headers", "bodies"} and not options
    for _ in range(TIMES if full or is_usual else TIMES // 4):
        broken_off(reading, folder, chance.randint(1, EACH), what=what, **options)
    bar = Bar()
    done = len(names_in(folder))
    write(reading, folder, what=what, progress=bar, **options)
    # What had been written is not read again.
    assert bar.total == bar.n == TOTAL - done * EACH
    assert_whole(folder, getattr(reading, what)(folder="*", **options))


def test_a_bar_is_told_of_each_message_once_and_files_come_one_by_one(
    session: SignIn, folder: Path
) -> None:
    class Watching(Bar):
        def update(self, n: int) -> None:
            super().update(n)
            there.append(len([name for name in names_in(folder) if name.startswith("part")]))

    there: list[int] = []
    write(session(), folder, progress=Watching())
    assert there == [number // EACH for number in range(TOTAL)]


@pytest.mark.parametrize("seed", range(3))
def test_a_connection_lost_for_good_ten_times_loses_and_doubles_nothing(
    dovecot: Dovecot, session: SignIn, clock: Clock, folder: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with FaultProxy(dovecot.host, dovecot.port, record=True) as proxy:
        write(session(proxy), folder)
        octets = proxy.lines[0].passed["S"]
    shutil.rmtree(folder)
    lost = 0
    for _ in range(TIMES):
        at = chance.randrange(octets // 15, octets // 9)
        with FaultProxy(dovecot.host, dovecot.port, [Fault("cut", at)]) as proxy:
            clock.at_sleep = lambda _, proxy=proxy: proxy.go_away()
            try:
                write(session(proxy), folder)
            except ConnectionFailedError:
                lost += 1
    assert lost == TIMES
    write(session(), folder)
    assert_whole(folder, session().headers(folder="*"))


def test_mail_that_comes_and_goes_between_two_calls(
    dovecot: Dovecot, session: SignIn, folder: Path
) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(40))
    broken_off(session(user=user), folder, 15, folder="INBOX", batch=10)
    dovecot.deliver(user, messages.many(5))  # no part of it any more
    dovecot.expunge(user, 40)  # was written
    dovecot.expunge(user, 25)
    broken_off(session(user=user), folder, 15, folder="INBOX", batch=10)
    dovecot.expunge(user, 1)
    write(session(user=user), folder, folder="INBOX", batch=10)
    kept = [uid for uid in range(40, 0, -1) if uid not in {25, 1}]
    assert pd.read_parquet(folder)["uid"].tolist() == kept
    write(session(user=user), folder, folder="INBOX", batch=10, overwrite=True)
    assert_whole(folder, session(user=user).headers())
    assert len(pd.read_parquet(folder)) == 42


def test_rows_whose_messages_have_gone_are_kept(
    dovecot: Dovecot, session: SignIn, folder: Path
) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(30))
    rows = session(user=user).search()
    broken_off(session(user=user), folder, 15, rows, batch=10)
    dovecot.expunge(user, 12)
    write(session(user=user), folder, rows, batch=10)
    read = pd.read_parquet(folder).set_index("uid")
    assert list(read.index) == list(range(30, 0, -1))
    assert read.index[read["defects"] == "gone"].tolist() == [12]


def test_relative_criteria_mean_what_they_meant_at_first(session: SignIn, folder: Path) -> None:
    one = session()
    broken_off(one, folder, 40, mf.Q(since="20y"))
    write(one, folder, mf.Q(since="20y"))
    assert_whole(folder, one.headers(mf.Q(since="20y"), folder="*"))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"limit": 60}, {"limit": np.int64(60)}),
        ({"batch": np.int32(EACH)}, {"batch": EACH}),
        ({"folder": ("INBOX", "Archive")}, {"folder": pd.Series(["INBOX", "Archive"])}),
        ({"fields": ["X-Mailer"]}, {"fields": "x-mailer"}),
        ({"fields": ()}, {"fields": []}),
    ],
    ids=str,
)
def test_the_same_request_in_other_words_goes_on(
    session: SignIn, folder: Path, first: dict[str, Any], then: dict[str, Any]
) -> None:
    one = session()
    broken_off(one, folder, 40, **first)
    write(one, folder, **then)
    first = {name: value for name, value in first.items() if name != "batch"}
    assert_whole(folder, one.headers(**{"folder": "*", **first}))


def test_labels_are_there_in_every_file_of_a_data_set(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "takeout.mbox"
    path.write_bytes(
        b"".join(
            b"From 1@xxx Mon Jan 05 09:30:00 +0000 2026\n"
            + messages.plain(n, x_gmail_labels="Inbox,Work", x_gm_thrid=str(n)).replace(b"\r", b"")
            for n in range(1, 31)
        )
    )
    with mf.open(path) as one:
        expected = one.headers()
        assert "labels" in expected.columns
        broken_off(one, folder, 15, batch=10, folder="INBOX")
    with mf.open(path) as one:
        write(one, folder, batch=10, folder="INBOX")
    assert_whole(folder, expected)
    assert all("labels" in pq.read_schema(file).names for file in folder.iterdir())


# -- a process that is killed


KILLED = """
import json, os, re, signal, sys
import pandas, pyarrow.parquet

def highest():
    # Not getrusage: its figure is that of the parent, where that one is larger.
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) / 1024

before = highest()
import mailframe as mf
from mailframe import saving

host, port, user, password, path, what, batch, place, number = json.loads(sys.argv[1])

def tell():
    print(json.dumps([highest() - before, count]), flush=True)

def pass_by(here, n=1):
    global count, number
    count += n * (here == "message")
    if here == place:
        number -= n
        if number <= 0:
            tell()
            os.kill(os.getpid(), signal.SIGKILL)

class Bar:
    total = 0
    def update(self, n):
        pass_by("message", n)

count = 0
write, link, unlink = saving.Unfinished.write, os.link, os.unlink

def written(self, data):
    half = len(data) // 2
    write(self, data[:half])
    self._file.flush()
    pass_by("written")
    write(self, data[half:])

def linked(*args, **options):
    pass_by("linked")
    link(*args, **options)
    pass_by("named")

saving.Unfinished.write, os.link = written, linked
session = mf.connect(host, user, password=password, port=port, security="none")
session.to_parquet(path, what=what, batch=batch, progress=Bar())
tell()
"""


class Run(NamedTuple):
    """How a process ended, the memory it took in MiB, and how many messages it read."""

    status: int
    peak: float
    read: int


class Large(NamedTuple):
    """A mailbox, and in how many files it comes."""

    user: str
    count: int
    batch: int


@pytest.fixture(scope="module")
def large(dovecot: Dovecot, full: bool) -> Large:  # noqa: FBT001 a fixture
    user, count = dovecot.new_user(), VERY_MANY if full else MANY
    dovecot.deliver(user, messages.many(count))
    return Large(user, count, 500 if full else 100)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read in /proc")
@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_killed_ten_times_each_message_is_there_once_and_memory_holds_a_batch(
    dovecot: Dovecot,
    large: Large,
    folder: Path,
    what: str,
    full: bool,  # noqa: FBT001 as above
    record_property: Callable[[str, object], None],
) -> None:
    if what == "bodies" and not full:
        pytest.skip("in the long version")

    def run(place: str = "", number: int = 0) -> Run:
        job = [dovecot.host, dovecot.port, large.user, dovecot.password, str(folder)]
        done = subprocess.run(
            [
                *(sys.executable, "-W", "error", "-c", KILLED),
                json.dumps([*job, what, large.batch, place, number]),
            ],
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
            check=False,
        )
        assert done.stderr == ""
        return Run(done.returncode, *json.loads(done.stdout))

    chance = random.Random(what)
    runs, files = [], large.count // large.batch
    for place in ["message"] * 4 + ["written", "linked", "named"] * 2:
        most = large.count if place == "message" else files
        runs.append(run(place, chance.randint(1, most // 12)))
        assert runs[-1].status == -signal.SIGKILL
        assert set(names_in(folder)) >= set(parts(len(list(folder.glob("part-*")))))
    assert len(runs) == TIMES
    done = len(list(folder.glob("part-*")))
    runs.append(run())
    assert (runs[-1].status, runs[-1].read) == (0, large.count - done * large.batch)
    assert names_in(folder) == parts(files)
    read = pd.read_parquet(folder)
    assert read["uid"].tolist() == list(range(large.count, 0, -1))
    if what == "headers":
        assert read["message_id"].tolist() == [
            f"{n}@example.org" for n in range(large.count, 0, -1)
        ]
    else:
        assert read["text"].notna().all()
    highest = max(one.peak for one in runs)
    record_property("peak", highest)
    print(f"{what}: {large.count:,} messages, at most {highest:.0f} MiB beyond pandas")  # noqa: T201
    assert highest <= ALLOWED


# -- what is there already


def test_one_that_is_complete_says_so(session: SignIn, folder: Path) -> None:
    one = session()
    write(one, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    with pytest.raises(SaveError, match="is complete") as caught:
        write(one, folder)
    assert "overwrite=True" in caught.value.suggestion
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_overwriting_replaces_all_files(session: SignIn, folder: Path) -> None:
    one = session()
    write(one, folder)
    write(one, folder, folder="INBOX", what="bodies", batch=60, overwrite=True)
    assert names_in(folder) == parts(3)
    assert_whole(folder, one.bodies())
    broken_off(one, folder, 40, overwrite=True)
    assert names_in(folder) == parts(1)
    write(one, folder)
    assert_whole(folder, one.headers(folder="*"))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"criteria": "UNSEN"}, QueryError),
        ({"folder": "No such"}, FolderError),
        ({"batch": 0}, QueryError),
        ({"what": "mail"}, QueryError),
    ],
    ids=str,
)
def test_a_wrong_request_overwrites_nothing(
    session: SignIn, folder: Path, options: dict[str, Any], error: type[Exception]
) -> None:
    one = session()
    write(one, folder)
    with pytest.raises(error):
        write(one, folder, overwrite=True, **options)
    assert_whole(folder, one.headers(folder="*"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"criteria": "SEEN"}, "criteria='ALL', and not 'SEEN'"),
        ({"criteria": mf.Q(seen=True)}, r"criteria='ALL', and not 'Q\(seen=True\)'"),
        ({"what": "bodies"}, "what='headers', and not 'bodies'"),
        ({"folder": "INBOX"}, r"folder='\*', and not 'INBOX'"),
        ({"folder": ["INBOX"]}, r"folder='\*', and not \['INBOX'\]"),
        ({"limit": 5}, "limit=None, and not 5"),
        ({"batch": 26}, "batch=25, and not 26"),
        ({"fields": ["X-A"]}, r"fields=\[\], and not \['x-a'\]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("after", [40, None])
def test_another_request_is_another_data_set(
    session: SignIn, folder: Path, other: dict[str, Any], words: str, after: int | None
) -> None:
    one = session()
    if after:
        broken_off(one, folder, after)
    else:
        write(one, folder)
    before = names_in(folder)
    with pytest.raises(SaveError, match=words) as caught:
        write(one, folder, **other)
    assert "Name another folder" in caught.value.suggestion
    assert names_in(folder) == before


def test_another_account_is_another_data_set(
    dovecot: Dovecot, session: SignIn, folder: Path
) -> None:
    broken_off(session(), folder, 40)
    user = dovecot.new_user()
    with pytest.raises(SaveError, match=f"account=.*, and not '{user}@"):
        write(session(user=user), folder)


@pytest.mark.parametrize("change", ["fewer", "order", "other"])
def test_other_rows_are_another_data_set(
    session: SignIn, folder: Path, some_rows: pd.DataFrame, change: str
) -> None:
    one = session()
    other = {
        "fewer": some_rows.iloc[:-1],
        "order": some_rows.sort_values("uid"),
        "other": some_rows.iloc[::2],
    }[change]
    broken_off(one, folder, 40, some_rows)
    with pytest.raises(SaveError, match="of other messages"):
        write(one, folder, other)
    write(one, folder, some_rows[["account", "folder", "uidvalidity", "uid"]])
    assert_whole(folder, one.headers(some_rows))


def foreign_parquet(folder: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(folder / "part-00000.parquet")


SOMETHING: dict[str, Callable[[Path], object]] = {
    "text": lambda folder: (folder / "notes.txt").write_text("precious"),
    "folder": lambda folder: (folder / "Archive").mkdir(),
    "hidden": lambda folder: (folder / ".precious").touch(),
    "foreign first part": foreign_parquet,
    "foreign second part": lambda folder: pd.DataFrame({"a": [1]}).to_parquet(
        folder / "part-00001.parquet"
    ),
    "no parquet": lambda folder: (folder / "part-00000.parquet").write_text("precious"),
    "folder as part": lambda folder: (folder / "part-00000.parquet").mkdir(),
}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("what", SOMETHING)
def test_something_else_is_left_alone(
    session: SignIn, folder: Path, what: str, *, overwrite: bool
) -> None:
    folder.mkdir()
    SOMETHING[what](folder)
    before = {path: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}
    with pytest.raises(SaveError, match="Could not write a data set to"):
        write(session(), folder, overwrite=overwrite)
    after = {path: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}
    assert after == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_in_place_of_the_folder_is_left_alone(
    session: SignIn, folder: Path, *, overwrite: bool
) -> None:
    folder.write_text("precious")
    with pytest.raises(SaveError, match="Could not save to the folder"):
        write(session(), folder, overwrite=overwrite)
    with pytest.raises(SaveError, match="Could not save to the folder"):
        write(session(), folder / "below", overwrite=overwrite)
    assert folder.read_text() == "precious"


def test_a_foreign_file_among_ours_is_never_deleted(session: SignIn, folder: Path) -> None:
    one = session()
    broken_off(one, folder, 40)
    (folder / "notes.txt").write_text("precious")
    foreign = folder / "part-00007.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(foreign)
    before = foreign.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(SaveError, match="Could not write a data set to"):
            write(one, folder, overwrite=overwrite)
    assert foreign.read_bytes() == before
    foreign.unlink()
    write(one, folder, overwrite=True)
    assert names_in(folder) == ["notes.txt", *parts(FILES)]


def test_a_file_of_another_data_set_is_no_part_of_this_one(
    session: SignIn, folder: Path, tmp_path: Path
) -> None:
    one = session()
    other = write(one, tmp_path / "other")
    broken_off(one, folder, 40)
    shutil.copy(other / "part-00003.parquet", folder)
    with pytest.raises(SaveError, match=r"'part-00003.parquet' is of another one"):
        write(one, folder)


# -- damage


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None], ids=["empty", "cut", "gone"])
def test_a_damaged_file_is_written_again(
    session: SignIn, folder: Path, content: bytes | None
) -> None:
    one = session()
    write(one, folder)
    damaged = folder / "part-00004.parquet"
    if content is None:
        damaged.unlink()
    else:
        damaged.write_bytes(content)
    bar = Bar()
    write(one, folder, progress=bar)
    assert bar.n == EACH
    assert_whole(folder, one.headers(folder="*"))


@pytest.mark.parametrize("how", ["empty", "cut", "gone", "footer"])
def test_without_its_first_file_a_data_set_can_only_be_replaced(
    session: SignIn, folder: Path, how: str
) -> None:
    one = session()
    broken_off(one, folder, 90)
    first = folder / "part-00000.parquet"
    content = first.read_bytes()
    first.write_bytes(
        {
            "empty": b"",
            "cut": content[:-1000],
            "gone": b"",
            "footer": content[:-3000] + bytes(2000) + content[-1000:-8] + content[-8:],
        }[how]
    )
    if how == "gone":
        first.unlink()
    with pytest.raises(SaveError, match=r"first file .* is missing or damaged") as caught:
        write(one, folder)
    assert "overwrite=True" in caught.value.suggestion
    write(one, folder, overwrite=True)
    assert_whole(folder, one.headers(folder="*"))


def test_what_a_killed_process_left_is_cleared_away(session: SignIn, folder: Path) -> None:
    one = session()
    folder.mkdir()
    left = folder / ".mailframe-0123.part"
    left.write_bytes(b"half")
    broken_off(one, folder, 40)
    assert names_in(folder) == parts(1)
    left.write_bytes(b"half")
    write(one, folder)
    assert_whole(folder, one.headers(folder="*"))
    left.write_bytes(b"half")
    with pytest.raises(SaveError, match="is complete"):
        write(one, folder)
    assert not left.exists()


@pytest.mark.parametrize("number", [0, 3])
def test_a_name_reserved_where_there_are_no_hard_links_is_no_file_yet(
    session: SignIn, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise PermissionError

    class KilledError(BaseException): ...

    def killed(path: Path, target: Path) -> Path:
        if target.name == f"part-{number:05}.parquet":
            raise KilledError
        return replace(path, target)

    replace = Path.replace
    monkeypatch.setattr(os, "link", refuse)
    one = session()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # nobody is there to clear up
        with pytest.raises(KilledError):
            write(one, folder)
    assert (folder / f"part-{number:05}.parquet").stat().st_size == 0
    write(one, folder)
    assert_whole(folder, one.headers(folder="*"))


# -- folders renumbered


def archive(stack: ExitStack, first: int, name: str = "Archive") -> Server:
    account = Account(first)
    mailbox = account.create(name)
    for number in range(first, first + 30):
        account.append(mailbox, messages.plain(number), datetime(2026, 1, 5, tzinfo=UTC))
    return stack.enter_context(Server({"me": "secret"}, accounts={"me": account}))


def test_a_folder_renumbered_between_two_calls_is_an_error(
    stack: ExitStack, clock: Clock, folder: Path
) -> None:
    servers = [archive(stack, 1), archive(stack, 500)]
    one, other = (
        stack.enter_context(sign_in(server, "me", "secret", clock.retry())) for server in servers
    )
    broken_off(one, folder, 15, batch=10, folder="Archive")
    before = names_in(folder)
    with pytest.raises(UidValidityError, match="'Archive' was renumbered") as caught:
        write(other, folder, batch=10, folder="Archive")
    assert "overwrite=True" in caught.value.suggestion
    assert names_in(folder) == before
    write(one, folder, batch=10, folder="Archive")
    assert_whole(folder, one.headers(folder="Archive"))


def test_a_folder_renumbered_meanwhile_is_an_error(
    stack: ExitStack, clock: Clock, folder: Path
) -> None:
    servers = [archive(stack, 1), archive(stack, 500)]
    proxy = stack.enter_context(FaultProxy(servers[0].host, servers[0].port))
    one = stack.enter_context(sign_in(proxy, "me", "secret", clock.retry()))

    class Moving(Bar):
        def update(self, n: int) -> None:
            super().update(n)
            if self.n == 15:
                proxy.server = (servers[1].host, servers[1].port)
                proxy.go_away()
                proxy.come_back()

    with pytest.raises(UidValidityError) as caught:
        write(one, folder, batch=10, folder="Archive", progress=Moving())
    assert "overwrite=True" in caught.value.suggestion
    assert names_in(folder) == parts(2)
    write(one, folder, batch=10, folder="Archive", overwrite=True)
    assert_whole(folder, one.headers(folder="Archive"))


def test_a_folder_deleted_between_two_calls_is_an_error(
    stack: ExitStack, clock: Clock, folder: Path
) -> None:
    servers = [archive(stack, 1), archive(stack, 1, "Elsewhere")]
    one, other = (
        stack.enter_context(sign_in(server, "me", "secret", clock.retry())) for server in servers
    )
    broken_off(one, folder, 15, batch=10, folder="Archive")
    with pytest.raises(FolderError, match="Archive"):
        write(other, folder, batch=10, folder="Archive")


# -- disks


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "mail.mbox"
    chance = random.Random(8)
    lines = "\r\n".join(chance.randbytes(30).hex() for _ in range(300))
    path.write_bytes(
        b"".join(
            b"From a@example.org Mon Jan  5 09:30:00 2026\n"
            + messages.plain(n, lines if n == 12 else "Short.\r\n").replace(b"\r", b"")
            for n in range(1, 31)
        )
    )
    return path


FULL_DISK = """
import resource, signal, sys
import mailframe as mf
from mailframe.exceptions import SaveError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
try:
    mf.open(sys.argv[1]).to_parquet(sys.argv[2], what="bodies", batch=10)
except SaveError as error:
    print(error.tried, error.reply, error.suggestion, sep="|")
"""


def test_no_space_is_an_error_and_later_it_goes_on(mbox: Path, folder: Path) -> None:
    pytest.importorskip("resource", reason="Windows has no limits to set")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(mbox), str(folder)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert re.match(r"Could not write the file '.*part-00001.parquet'\.\|.*\|.*disk", done.stdout)
    assert names_in(folder) == parts(1)
    with mf.open(mbox) as one:
        one.to_parquet(folder, what="bodies", batch=10)
        assert_whole(folder, one.bodies())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_a_folder_without_permission_is_an_error(
    mbox: Path, folder: Path, tmp_path: Path, *, begun: bool, overwrite: bool
) -> None:
    folder.mkdir()
    above = tmp_path.relative_to(tempfile.gettempdir()).parents
    for path in (tmp_path, *(Path(tempfile.gettempdir(), one) for one in list(above)[:-1])):
        path.chmod(0o755)  # pytest's own folders are for their owner alone
    user = os.geteuid()
    with mf.open(mbox) as one:
        if begun:
            broken_off(one, folder, 15, batch=10)
            (folder / ".mailframe-0123.part").touch()
        before = names_in(folder)
        folder.chmod(0o555)
        if user == 0:  # root may write everywhere
            os.seteuid(65_534)
        try:
            with pytest.raises(SaveError, match="Could not write") as caught:
                write(one, folder, batch=10, overwrite=overwrite)
        finally:
            os.seteuid(user)
            folder.chmod(0o755)
        assert caught.value.reply == "Permission denied"
        assert names_in(folder) == before
        write(one, folder, batch=10)
        assert_whole(folder, one.headers())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc")
def test_a_folder_that_cannot_be_made_is_an_error(mbox: Path) -> None:
    with mf.open(mbox) as one, pytest.raises(SaveError, match="Could not save to the folder"):
        one.to_parquet("/proc/mailframe")


@pytest.mark.parametrize(
    "name", ["Büro/日本語 \N{SNOWMAN}", "a b'c", "[a]*?", "x=y/z", "a.parquet"]
)
def test_any_name_of_a_folder_will_do(mbox: Path, tmp_path: Path, name: str) -> None:
    with mf.open(mbox) as one:
        broken_off(one, tmp_path / name, 15, batch=10)
        assert one.to_parquet(str(tmp_path / name), folder="*", batch=10) == tmp_path / name
        assert_whole(tmp_path / name, one.headers())


def test_the_home_folder_has_a_sign(
    mbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with mf.open(mbox) as one:
        for path in ("~/text", Path("~") / "path"):
            written = one.to_parquet(path)
            assert written == tmp_path / Path(path).name
            assert_whole(written, one.headers())


def test_a_relative_path_is_one(
    mbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with mf.open(mbox) as one:
        assert one.to_parquet("mail") == Path("mail")
        assert_whole(tmp_path / "mail", one.headers())


@pytest.mark.parametrize("at", [5, 15])
def test_of_two_at_once_one_says_so_and_each_message_is_there_once(
    mbox: Path, folder: Path, at: int
) -> None:
    class Meddling(Bar):
        def update(self, n: int) -> None:
            super().update(n)
            if self.n == at:
                with mf.open(mbox) as other:
                    write(other, folder, batch=10)

    with mf.open(mbox) as one:
        with pytest.raises(SaveError, match="Could not write the file"):
            write(one, folder, batch=10, progress=Meddling())
        assert_whole(folder, one.headers())


def test_a_name_that_is_taken_meanwhile_is_left_alone(mbox: Path, folder: Path) -> None:
    class Meddling(Bar):
        def update(self, n: int) -> None:
            super().update(n)
            if self.n == 15:
                (folder / "part-00001.parquet").write_text("precious")

    with mf.open(mbox) as one, pytest.raises(SaveError, match="Could not write the file"):
        one.to_parquet(folder, batch=10, progress=Meddling())
    assert (folder / "part-00001.parquet").read_text() == "precious"


def test_what_pyarrow_says_of_a_file_is_no_news_of_the_disk(
    mbox: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mf.open(mbox) as one:
        broken_off(one, folder, 15, batch=10)

        def fail(*_: object, **__: object) -> NoReturn:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(pq, "read_schema", fail)
        with pytest.raises(SaveError, match="Input/output error"):
            one.to_parquet(folder, folder="*", batch=10)
    assert names_in(folder) == parts(1)
