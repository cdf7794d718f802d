"""Threads: which messages hang together, and what each thread amounts to."""

from __future__ import annotations

import imaplib
import json
import re
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis.conversations import thread_ids, threads
from mailframe.embedded.sample import sample_account
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers
from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

Members = set[frozenset[Any]]

ME = "me@example.com"


def mail(*rows: str, **columns: list[Any]) -> pd.DataFrame:
    """Return messages, one a day; ``"c@x b a"`` has the id c, and refers to a and b, b last."""
    letters = []
    for day, row in enumerate(rows, 1):
        own, *above = row.split()
        letters.append(
            {
                "message_id": None if own == "-" else own,
                "in_reply_to": above[0] if above else None,
                "references": " ".join(above[::-1]) or None,
                "date": f"2025-03-{day:02}",
                "internal_date": f"2025-04-{day:02}",
                **{name: values[day - 1] for name, values in columns.items()},
            }
        )
    return headers(*letters)


def depths(frame: pd.DataFrame, **options: Any) -> list[int]:
    depth: list[int] = thread_ids(frame, **options)["depth"].tolist()
    return depth


def names(frame: pd.DataFrame, **options: Any) -> list[str]:
    name: list[str] = thread_ids(frame, **options)["thread_id"].tolist()
    return name


def members(of: pd.Series[Any], frame: pd.DataFrame, **options: Any) -> Members:
    """Return what belongs together by our threads."""
    thread = thread_ids(frame, **options)["thread_id"].to_numpy()
    return {frozenset(group.dropna()) for _, group in of.groupby(thread)} - {frozenset()}


# -- beside others' threads


def mbox_messages(path: Path) -> list[bytes]:
    """Return the messages of an mboxrd file."""
    pieces = re.split(rb"(?m)^From [^\n]*\n", path.read_bytes())[1:]
    return [re.sub(rb"(?m)^>(>*From )", rb"\1", piece) for piece in pieces]


def sample_messages() -> list[bytes]:
    with closing(sample_account()) as account:
        return [one.content.read() for mailbox in account for one in mailbox.messages]


@pytest.fixture(params=["corpus", "sample"])
def messages(request: pytest.FixtureRequest) -> list[bytes]:
    if request.param == "sample":
        return sample_messages()
    return mbox_messages(request.getfixturevalue("corpora") / "mailbox" / "sa-dev.mbox")


def without_blanks(message_id: str) -> str:
    """Return an id as notmuch has it: a fold is no part of it."""
    return "".join(message_id.split())


def notmuch_threads(maildir: Path, folder: Path) -> Members:
    """Return the Message-IDs of each thread that notmuch finds."""
    if shutil.which("notmuch") is None:
        missing("notmuch is missing; install it: apt-get install notmuch")
    settings = folder / "notmuch-config"
    settings.write_text(
        f"[database]\npath={maildir}\n[user]\nname=x\nprimary_email={ME}\n[new]\ntags=\n"
    )

    def run(*arguments: str) -> bytes:
        command = ["notmuch", f"--config={settings}", *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    run("new", "--quiet")
    shown = run("show", "--format=json", "--body=false", "--entire-thread=true", "*")

    def ids(tree: list[Any]) -> Iterable[str]:
        for message, answers in tree:
            if not message["id"].startswith("notmuch-sha1-"):  # made up where there is none
                yield without_blanks(message["id"])
            yield from ids(answers)

    return {frozenset(ids(thread)) for thread in json.loads(shown)} - {frozenset()}


def test_threads_are_those_of_notmuch(messages: list[bytes], tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    for number, message in enumerate(messages):
        (tmp_path / "mail" / "cur" / f"{number}.localhost:2,").write_bytes(message)
    theirs = notmuch_threads(tmp_path / "mail", tmp_path)
    with mf.open(tmp_path / "mail") as session:
        frame = session.headers(progress=False)
    ours = members(frame["message_id"].map(without_blanks, na_action="ignore"), frame)
    assert len(theirs) > 300
    assert ours == theirs


def dovecot_threads(dovecot: Dovecot, user: str) -> Members:
    """Return the UIDs of each thread by RFC 5256's REFERENCES."""
    with imaplib.IMAP4(dovecot.host, dovecot.port) as client:
        client.login(user, dovecot.password)
        client.select(readonly=True)
        _, (answer,) = client.uid("THREAD", "REFERENCES", "UTF-8", "ALL")
    found, level = [], 0
    for word in re.findall(rb"[()]|\d+", answer):
        if word in b"()":
            if word == b"(" and level == 0:
                found.append(set())
            level += 1 if word == b"(" else -1
        else:
            found[-1].add(int(word))
    return set(map(frozenset, found))


def test_threads_with_one_subject_are_those_of_dovecot(
    messages: list[bytes], dovecot: Dovecot, user: str
) -> None:
    # Two messages of one id are two to Dovecot; they are copies here.
    ids = [re.search(rb"(?mi)^Message-ID:\s*(\S+)", message) for message in messages]
    once = {found[1] if found else n: n for n, found in enumerate(ids)}
    dovecot.deliver(user, [messages[n] for n in once.values()])
    theirs = dovecot_threads(dovecot, user)
    with mf.connect(
        dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        frame = session.headers(progress=False)
    ours = members(frame["uid"], frame, subject=True)
    assert len(theirs) > 250
    assert ours == theirs


# -- which thread, and how deep


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a@x", "b@x a@x", "c@x b@x a@x", "d@x"], ["a@x", "a@x", "a@x", "d@x"]),
        # What both refer to is not there.
        (["b@x a@x", "c@x a@x"], ["a@x", "a@x"]),
        (["b@x a@x", "c@x b@x a@x", "e@x d@x"], ["a@x", "a@x", "d@x"]),
        (["c@x b@x a@x", "d@x c@x"], ["a@x", "a@x"]),
        # A late message tells that two threads are one.
        (["a@x", "b@x", "c@x b@x a@x"], ["a@x", "a@x", "a@x"]),
        # Without an id of its own it belongs to what it refers to.
        (["a@x", "- a@x"], ["a@x", "a@x"]),
        (["a@x a@x"], ["a@x"]),
    ],
)
def test_messages_that_refer_to_one_another_are_a_thread(
    rows: list[str], expected: list[str]
) -> None:
    assert names(mail(*rows)) == expected


def test_an_id_in_in_reply_to_alone_is_enough() -> None:
    frame = mail("a@x", "b@x a@x")
    frame["references"] = None
    assert names(frame) == ["a@x", "a@x"]
    assert depths(frame) == [0, 1]


def test_depth_counts_the_messages_above_that_are_there() -> None:
    frame = mail("a@x", "b@x a@x", "c@x b@x a@x", "d@x a@x", "f@x e@x a@x", "h@x g@x")
    assert depths(frame) == [0, 1, 2, 1, 1, 0]
    assert depths(frame.iloc[1:]) == [0, 1, 0, 0, 0]
    assert set(names(frame.iloc[1:5])) == {"a@x"}


def test_copies_are_one_message() -> None:
    frame = mail("a@x", "b@x a@x", "a@x", "b@x a@x", folder=["INBOX", "Sent", "All", "All"])
    assert names(frame) == ["a@x"] * 4
    assert depths(frame) == [0, 1, 0, 1]
    table = threads(frame)
    assert table["messages"].tolist() == [2]
    assert table.attrs["copies"] == 2


def test_a_message_without_an_id_is_a_thread_named_after_its_place() -> None:
    frame = mail("-", "-", "a@x")
    assert names(frame)[2] == "a@x"
    assert names(frame)[0] == "me@example.com/INBOX;UIDVALIDITY=1;UID=1"
    assert len(set(names(frame))) == 3
    assert threads(pd.concat([frame, frame]))["messages"].tolist() == [1, 1, 1]
    assert len(set(names(frame.drop(columns="account")))) == 3


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a@x b@x", "b@x a@x"], [0, 1]),
        (["a@x c@x", "b@x a@x", "c@x b@x", "d@x b@x"], [0, 1, 2, 2]),
        (["d@x b@x", "b@x a@x", "a@x c@x", "c@x b@x"], [1, 0, 2, 1]),
        (["a@x b@x", "b@x a@x", "c@x d@x", "d@x c@x", "e@x"], [0, 1, 0, 1, 0]),
    ],
)
def test_circles_are_opened_at_their_first_message(rows: list[str], expected: list[int]) -> None:
    frame = mail(*rows)
    assert depths(frame) == expected
    assert depths(frame.iloc[::-1]) == expected[::-1]
    undated = frame.assign(date=pd.NaT)
    assert depths(undated.iloc[::-1]) == depths(undated)[::-1]


@pytest.mark.parametrize("shape", ["chain", "star", "circle"])
def test_a_thread_of_five_thousand(shape: str) -> None:
    count = 5_000
    above = {"chain": lambda n: n - 1, "star": lambda _: 0, "circle": lambda n: (n - 1) % count}
    numbers = np.random.default_rng(3).permutation(count)
    frame = pd.DataFrame(
        {
            "message_id": [f"{n}@x" for n in numbers],
            "in_reply_to": [
                f"{above[shape](n)}@x" if n or shape == "circle" else None for n in numbers
            ],
            "references": None,
            "date": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(numbers, unit="h"),
        }
    )
    found = thread_ids(frame)
    assert set(found["thread_id"]) == {"4999@x" if shape == "circle" else "0@x"}
    assert (
        found["depth"].tolist() == (np.minimum(numbers, 1) if shape == "star" else numbers).tolist()
    )


def random_mail(random: np.random.Generator, count: int) -> pd.DataFrame:
    """Return messages that refer to others at random: missing ones, themselves, in circles."""
    rows = []
    for _ in range(count):
        refs = [f"{n}@x" for n in random.integers(0, count * 2, random.integers(0, 3))]
        rows.append(
            {
                "message_id": f"{random.integers(0, count)}@x" if random.random() < 0.9 else None,
                "references": " ".join(refs) or None,
                "in_reply_to": f"{random.integers(0, count)}@x" if random.random() < 0.2 else None,
                "subject": random.choice(["Boat", "Re: Boat", "News", "[l] Fwd: news", "", "Re:"]),
                "date": f"2025-03-{random.integers(1, 9):02}" if random.random() < 0.8 else None,
            }
        )
    return headers(*rows)


def joined_by_hand(frame: pd.DataFrame) -> Members:
    """Return which rows belong together: sets are joined until none shares an id with another."""
    sets: list[tuple[set[int], set[str]]] = []
    for row, ids in enumerate(zip(frame["message_id"], frame["in_reply_to"], frame["references"],
                                  strict=True)):  # fmt: skip
        rows, mine = {row}, {word for text in ids if isinstance(text, str) for word in text.split()}
        for other in [one for one in sets if one[1] & mine]:
            sets.remove(other)
            rows, mine = rows | other[0], mine | other[1]
        sets.append((rows, mine))
    return {frozenset(rows) for rows, _ in sets}


@pytest.mark.parametrize("seed", range(30))
def test_threads_are_those_found_by_hand_and_order_makes_no_difference(seed: int) -> None:
    random = np.random.default_rng(seed)
    frame = random_mail(random, 40)
    rows = pd.Series(range(len(frame)))
    assert members(rows, frame) == joined_by_hand(frame)
    # Messages of one id and differing content are no copies: the first of them is believed.
    once = frame[~frame["message_id"].duplicated() | frame["message_id"].isna()]
    for subject in (False, True):
        shuffled = thread_ids(once.sample(frac=1, random_state=seed), subject=subject)
        pd.testing.assert_frame_equal(shuffled.sort_index(), thread_ids(once, subject=subject))


# -- by subject


def subjects(*subjects: str | None, rows: list[str] | None = None) -> pd.DataFrame:
    rows = rows or [f"{n}@x" for n in range(len(subjects))]
    return mail(*rows, subject=list(subjects))


def test_subjects_join_threads_only_if_asked() -> None:
    frame = subjects("Boat", "AW: boat", "Boat?", "[crew] Boat")
    assert names(frame) == ["0@x", "1@x", "2@x", "3@x"]
    assert names(frame, subject=True) == ["0@x", "0@x", "2@x", "0@x"]
    assert depths(frame, subject=True) == [0, 1, 0, 0]


def test_it_is_the_subject_of_the_first_message_that_counts() -> None:
    frame = subjects("Boat", "Car", "Re: Car", rows=["a@x", "b@x a@x", "c@x"])
    assert names(frame, subject=True) == ["a@x", "a@x", "c@x"]


def test_answers_stand_below_the_first_that_is_none() -> None:
    frame = subjects(
        "Re: Boat",
        "Boat",
        "Fwd: Boat",
        "Re: Boat",
        "Boat",
        rows=["a@x", "b@x", "c@x", "d@x c@x", "e@x"],
    )
    assert depths(frame, subject=True) == [1, 0, 1, 2, 0]
    assert set(names(frame, subject=True)) == {"b@x"}
    alone = subjects("Re: Boat", "Re: Boat")
    assert depths(alone, subject=True) == [0, 0]


def test_messages_without_a_subject_are_not_joined() -> None:
    frame = subjects("", None, "Re:", "Fwd: ", "")
    assert len(set(names(frame, subject=True))) == 5


# -- Gmail, and several accounts


def test_gmail_s_conversations_are_its_own() -> None:
    frame = mail("a@x", "b@x a@x", "c@x", "d@x c@x").assign(gmail_thread=["1", "2", "1", "2"])
    assert names(frame) == ["a@x", "b@x", "a@x", "b@x"]
    assert depths(frame) == [0, 0, 0, 0]
    assert names(frame, gmail=False) == ["a@x", "a@x", "c@x", "c@x"]
    assert threads(frame)["messages"].tolist() == [2, 2]
    assert len(threads(frame, gmail=False)) == 2


def test_an_empty_number_is_none() -> None:
    frame = mail("a@x", "b@x a@x", "c@x", "d@x").assign(gmail_thread=["", "", None, ""])
    assert names(frame) == ["a@x", "a@x", "c@x", "d@x"]


def test_messages_elsewhere_join_gmail_s_conversations() -> None:
    at_gmail = mail("a@x", "b@x").assign(gmail_thread=["1", "1"], account="g@gmail.example")
    other = mail("b@x", "c@x b@x", "d@x")
    frame = mf.concat([at_gmail, other])
    assert names(frame) == ["a@x", "a@x", "a@x", "a@x", "d@x"]


def test_conversations_of_two_accounts_at_gmail_are_told_apart() -> None:
    one, other = (mail(name).assign(gmail_thread=["1"]) for name in ("a@x", "b@x"))
    frame = mf.concat([one, other.assign(account="other@gmail.example")])
    assert names(frame) == ["a@x", "b@x"]
    both = mf.concat([one, one.assign(account="other@gmail.example", gmail_thread=["9"])])
    assert names(both) == ["a@x", "a@x"]


def test_two_accounts_may_share_a_thread() -> None:
    one = mail("a@x", "b@x a@x")
    other = mail("b@x a@x", "c@x b@x a@x").assign(account="other@example.org")
    table = threads(mf.concat([one, other]))
    assert table["messages"].tolist() == [3]
    assert table["depth"].tolist() == [2]


# -- one row a thread


def test_what_is_told_of_a_thread() -> None:
    frame = mail(
        "a@x", "b@x a@x", "c@x b@x a@x", "b@x a@x", "z@x",
        subject=["Boat", "Re: Boat", "Re: Boat", "Re: Boat", "News"],
        from_address=["Ann@x.example", ME, "ann@x.example", ME, "news@y.example"],
        from_name=["Ann", None, "Ann", None, "News"],
        seen=[True, False, False, True, True],
        folder=["INBOX", "INBOX", "INBOX", "Sent", "INBOX"],
    )  # fmt: skip
    frame.attrs = {"accounts": [ME]}
    table = threads(frame, me=ME)
    assert table["thread_id"].tolist() == ["z@x", "a@x"]
    assert table.iloc[1].to_dict() == {
        "thread_id": "a@x",
        "subject": "Boat",
        "messages": 3,
        "depth": 2,
        "participants": 2,
        "people": "Ann, me@example.com",
        "first": pd.Timestamp("2025-03-01", tz="UTC"),
        "last": pd.Timestamp("2025-03-03", tz="UTC"),
        "duration": pd.Timedelta("2D"),
        "unread": 1,
        "waiting": "them",
    }
    assert table.attrs == {"accounts": [ME], "on": "date", "undated": 0, "copies": 1}
    assert threads(frame, on="internal_date")["first"].min() == pd.Timestamp("2025-04-01", tz="UTC")


def test_who_wrote_last_waits() -> None:
    frame = mail("a@x", "b@x a@x", from_address=["ann@x.example", ME])
    assert threads(frame, me=ME)["waiting"].tolist() == ["me"]
    assert threads(frame, me=["ann@x.example"])["waiting"].tolist() == ["them"]
    assert threads(frame.iloc[::-1], me=pd.DataFrame({"address": [ME]}))["waiting"].tolist() == [
        "me"
    ]
    draft = frame.assign(draft=[False, True])
    assert threads(draft, me=ME)["waiting"].tolist() == ["them"]
    assert threads(draft.iloc[1:], me=ME)["waiting"].isna().tolist() == [True]


def test_who_wrote_last_is_told_where_dates_do_not() -> None:
    frame = mail("a@x", "b@x a@x", from_address=["ann@x.example", ME])
    # At one moment, or at none that is known, the answer is the later one.
    for date in (pd.NaT, frame["date"].iloc[0]):
        for rows in (frame, frame.iloc[::-1]):
            assert threads(rows.assign(date=date), me=ME)["waiting"].tolist() == ["me"]
    frame.loc[1, "date"] = pd.NaT
    assert threads(frame, me=ME)["waiting"].tolist() == ["them"]
    assert threads(frame.drop(columns="draft"), me=ME)["waiting"].tolist() == ["them"]


def test_nobody_waits_where_nobody_knows_who_i_am() -> None:
    frame = mail("a@x").drop(columns=["account", "folder"])
    table = threads(frame)
    assert table["waiting"].isna().tolist() == [True]
    assert table["waiting"].dtype == threads(mail("a@x"), me=ME)["waiting"].dtype
    with pytest.raises(QueryError):
        threads(frame, me=pd.DataFrame({"name": ["Ann"]}))


def test_people_are_in_order_of_what_they_wrote() -> None:
    writers = ["b@x.example", "a@x.example", "C@x.example", "a@x.example", None]
    rows = ["1@x", *[f"{n}@x 1@x" for n in range(2, 6)]]
    frame = mail(*rows, from_address=writers, from_name=["Bo", "", "Cy", None, None])
    table = threads(frame)
    assert table["people"].tolist() == ["a@x.example, Bo, Cy"]
    assert table["participants"].tolist() == [3]
    nobody = threads(frame.iloc[4:])
    assert nobody["participants"].tolist() == [0]
    assert nobody["people"].isna().tolist() == [True]


def test_threads_without_dates_come_last() -> None:
    frame = mail("a@x", "b@x", "c@x", "d@x c@x")
    frame.loc[[1, 2], "date"] = pd.NaT
    table = threads(frame)
    assert table["thread_id"].tolist() == ["c@x", "a@x", "b@x"]
    assert table.attrs["undated"] == 2
    assert table["duration"].isna().tolist() == [False, False, True]
    far = mail("a@x", "b@x a@x").assign(
        date=pd.to_datetime(["1970-01-01T00:00:00", "2038-01-19T03:14:08"], utc=True)
    )
    assert threads(far)["duration"].dt.days.tolist() == [24_855]


@pytest.mark.parametrize("options", [{}, {"subject": True}, {"gmail": False, "me": ME}])
def test_an_empty_frame_has_no_threads(options: dict[str, Any]) -> None:
    some, none = threads(mail("a@x"), **options), threads(headers(), **options)
    assert none.empty
    assert none.dtypes.equals(some.dtypes)
    ids = {name: value for name, value in options.items() if name != "me"}
    assert thread_ids(headers(), **ids).dtypes.equals(thread_ids(mail("a@x"), **ids).dtypes)


FUNCTIONS: list[Callable[..., pd.DataFrame]] = [thread_ids, threads]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_index_and_dtype_make_no_difference(function: Callable[..., pd.DataFrame]) -> None:
    frame = mail("a@x", "b@x a@x", "-", "c@x", subject=["x", "Re: x", None, "AW: x"])
    texts = ["message_id", "in_reply_to", "references", "subject", "from_address", "from_name"]
    before = frame.copy()
    for subject in (False, True):
        expected = function(frame, subject=subject)
        other = frame.astype(dict.fromkeys(texts, "category")).set_axis(list("aaab"))
        found = function(other, subject=subject)
        if function is thread_ids:
            assert found.index.tolist() == list("aaab")
            found = found.reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(frame, before)


def test_columns_that_are_missing_are_named() -> None:
    frame = mail("a@x")
    with pytest.raises(QueryError, match="no columns 'references', 'date'"):
        thread_ids(frame[["message_id", "in_reply_to"]])
    with pytest.raises(QueryError, match="no column 'subject'"):
        thread_ids(frame.drop(columns="subject"), subject=True)
    with pytest.raises(QueryError, match="no columns 'from_name', 'seen'"):
        threads(frame.drop(columns=["from_name", "seen"]))
    with pytest.raises(QueryError, match="on='when'"):
        thread_ids(frame, on="when")
