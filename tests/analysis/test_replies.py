"""How long people wait for answers, and who still does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis.business import BusinessHours
from mailframe.analysis.kaplan_meier import response_summary, survival
from mailframe.analysis.replies import awaiting_reply, response_times
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers

ME, ANN, BOB = "me@example.com", "ann@example.org", "bob@example.net"


def letter(name: str, day: float, sender: str, answers: str | None = None, **others: Any) -> Any:
    """Return a message on a day of March 2025, to Ann if from me, else to me."""
    return {
        "message_id": name,
        "in_reply_to": answers,
        "date": str(pd.Timestamp("2025-03-01") + pd.Timedelta(days=day)),
        "internal_date": "2025-03-31",
        "from_address": sender,
        "to": f"Ann <{ANN}>" if sender == ME else ME,
        "subject": name,
        **others,
    }


def times(*letters: Any, **options: Any) -> pd.DataFrame:
    return response_times(headers(*letters), **{"me": ME, "at": "2025-03-31", **options})


def told(table: pd.DataFrame) -> dict[str, Any]:
    """Return how many days each answer took; None where there is none."""
    days = table["time"] / pd.Timedelta("1D")
    return dict(zip(table["subject"], days.astype(object).where(days.notna(), None), strict=True))


def replied(table: pd.DataFrame) -> dict[str, str]:
    known = table[table["answered"]]
    return dict(zip(known["message_id"], known["reply_id"], strict=True))


# -- what is an answer


def test_my_answers_and_theirs_are_told_apart() -> None:
    table = times(
        letter("question", 1, ANN),
        letter("answer", 1.5, ME, "question"),
        letter("thanks", 3.5, ANN, "answer"),
    )
    assert table["subject"].tolist() == ["thanks", "answer", "question"]
    assert table["direction"].tolist() == ["mine", "theirs", "mine"]
    assert table["person"].tolist() == [ANN] * 3
    assert table["answered"].tolist() == [False, True, True]
    assert told(table) == {"thanks": None, "answer": 2, "question": 0.5}
    assert replied(table) == {"answer": "thanks", "question": "answer"}
    assert (table["waited"] / pd.Timedelta("1D")).tolist() == [26.5, 2, 0.5]
    assert table["replied"].isna().tolist() == [True, False, False]


def test_the_columns_have_their_dtypes_even_without_rows() -> None:
    some, none = times(letter("a", 1, ANN)), response_times(headers(), me=ME)
    expected = {
        "account": "category", "folder": "category", "uidvalidity": "int64", "uid": "int64",
        "message_id": "str", "subject": "str", "direction": "category", "person": "str",
        "asked": "datetime64[us, UTC]", "replied": "datetime64[us, UTC]", "reply_id": "str",
        "answered": "bool", "time": "timedelta64[us]", "waited": "timedelta64[us]",
    }  # fmt: skip
    for table in (some, none):
        assert {name: str(dtype) for name, dtype in table.dtypes.items()} == expected
    office = BusinessHours()
    assert str(times(business=office)["business_waited"].dtype) == "timedelta64[us]"
    undated = response_times(headers({"date": None, "message_id": "a"}), me=ME)
    assert undated.empty
    assert undated.attrs["at"] is not None  # the server's


def test_the_first_answer_counts() -> None:
    table = times(
        letter("late", 9, ME, "question"),
        letter("question", 1, ANN),
        letter("soon", 2, ME, "question"),
        letter("hers", 1.5, BOB, "question"),
    )
    assert replied(table) == {"question": "soon"}


def test_what_others_answer_each_other_is_nobody_s_business() -> None:
    table = times(letter("question", 1, ANN), letter("answer", 2, BOB, "question"))
    assert not table["answered"].any()


def test_who_writes_again_waits_on() -> None:
    chain = [letter("1", 1, ANN), *[letter(str(n), n, ANN, str(n - 1)) for n in range(2, 8)]]
    table = times(*chain, letter("answer", 8, ME, "5"))
    assert told(table) == {"1": 7, "2": 6, "3": 5, "4": 4, "5": 3, "6": None, "7": None}.copy() | {
        "answer": None
    }
    # Another person's message is no reminder.
    other = times(letter("1", 1, ANN), letter("2", 2, BOB, "1"), letter("3", 3, ME, "2"))
    assert replied(other) == {"2": "3"}


def test_a_message_in_several_folders_is_one() -> None:
    letters = [letter("question", 1, ANN), letter("answer", 2, ME, "question")]
    copies = [one | {"folder": "Archive"} for one in letters]
    pd.testing.assert_frame_equal(
        times(*letters, *copies), times(*letters), check_categorical=False
    )
    # The answer may name one of two copies that were sorted apart.
    assert replied(times(*copies[::-1], *letters)) == {"question": "answer"}


def test_messages_without_an_id_are_no_copies_of_each_other() -> None:
    table = times(
        letter("a", 1, ANN, message_id=None), letter("b", 2, ANN, message_id=""),
        letter("c", 3, ANN, message_id=None),
    )  # fmt: skip
    assert len(table) == 3


def test_drafts_and_automatic_messages_are_no_answers() -> None:
    question = letter("question", 1, ME)
    for one in (
        letter("draft", 2, ANN, "question", draft=True),
        letter("robot", 2, "No-Reply@example.org", "question"),
        letter("bounce", 2, "MAILER-DAEMON@example.org", "question"),
        letter("myself", 2, "Me+tag@Example.com", "question", to=ANN),
    ):
        assert not replied(times(question, one)).get("question")
    frame = headers(question, letter("away", 2, ANN, "question")).assign(auto_submitted=None)
    for word, answers in (("auto-replied; x=1", 0), ("No", 1), (None, 1), ("", 1)):
        frame["auto_submitted"] = (
            frame["auto_submitted"].astype("str").where(frame["message_id"] != "away", word)
        )
        assert len(replied(response_times(frame, me=ME))) == answers
    # In a folder for drafts and in the one for what was sent: it was sent.
    sent = [letter("a", 2, ME, folder=folder) for folder in ("Entwürfe", "Sent")]
    assert len(times(*sent)) == 1
    assert len(times(sent[0])) == 0


def test_my_own_messages_are_no_robot_s_whatever_my_address_is() -> None:
    shop = "noreply@shop.example"
    letters = letter("question", 1, ANN), letter("answer", 2, shop, "question", to=ANN)
    assert replied(times(*letters, me=shop)) == {"question": "answer"}


# -- times


def test_an_answer_older_than_its_question_has_no_time() -> None:
    table = times(letter("question", 2, ANN), letter("answer", 1.9, ME, "question"))
    row = table.set_index("subject").loc["question"]
    assert row["answered"]
    assert row[["time", "waited"]].isna().all()
    assert table.attrs["clocks"] == 1
    assert response_summary(table)["replies"].tolist() == [1, 0]
    assert survival(table)["replies"].sum() == 0
    same = times(letter("question", 2, ANN), letter("answer", 2, ME, "question"))
    assert told(same)["question"] == 0
    assert same.attrs["clocks"] == 0


def test_answers_and_questions_without_a_date() -> None:
    table = times(
        letter("question", 2, ANN), letter("answer", 3, ME, "question", date=None),
        letter("when", 1, ANN, date=None),
    )  # fmt: skip
    assert told(table) == {"question": None}
    assert table["answered"].all()
    assert table.attrs["undated"] == 2


def test_what_is_later_has_not_happened_yet() -> None:
    letters = letter("question", 2, ANN), letter("answer", 3, ME, "question")
    table = times(*letters, at="2025-03-03T12:00Z")
    assert table["answered"].tolist() == [False]
    assert table["waited"].tolist() == [pd.Timedelta("12h")]
    assert table.attrs["later"] == 1
    assert table.attrs["at"] == "2025-03-03T12:00:00+00:00"
    assert times(*letters, at="2025-01-01").empty


def test_a_date_in_the_future_does_not_end_the_frame() -> None:
    frame = headers(
        letter("question", 2, ANN, internal_date="2025-03-20"),
        letter("spam", 2, BOB, date="2038-01-19", internal_date="2025-03-21"),
    )
    assert response_times(frame, me=ME)["waited"].tolist() == [pd.Timedelta("18D")]
    frame = frame.drop(columns="internal_date")
    assert response_times(frame, me=ME).attrs["at"].startswith("2038")


def test_the_server_s_clock_is_one_for_all() -> None:
    letters = (
        letter("question", 2, ANN, internal_date="2025-03-02T10:00"),
        letter("answer", 1, ME, "question", internal_date="2025-03-02T10:05"),
    )
    assert told(times(*letters, on="internal_date"))["question"] == 5 / 1440
    later = [one | {"folder": "Archive", "internal_date": "2025-03-20"} for one in letters]
    assert told(times(*later, *letters, on="internal_date"))["question"] == 5 / 1440


def test_business_hours_are_told_if_given() -> None:
    table = times(
        letter("question", 6.625, ANN),  # Friday, 15:00
        letter("answer", 9.5, ME, "question"),
        letter("never", 27, ANN),  # Friday before a Monday
        business=BusinessHours(),
    ).set_index("subject")
    assert table["business_time"].loc["question"] == pd.Timedelta("5h")
    assert table["business_time"].isna().loc["never"]
    assert table["business_waited"].loc["never"] == pd.Timedelta("8h")


# -- what can expect an answer


@pytest.mark.parametrize(
    "others",
    [
        {"list_id": "l.example.org"},
        {"list_unsubscribe": "<mailto:x@example.org>"},
        {"folder": "INBOX.Spam"},
        {"folder": "Junk"},
        {"from_address": "noreply@example.org"},
        {"from_address": "do-not-reply+17@example.org"},
        {"to": ANN, "cc": f"Me <{ME}>, Bob <{BOB}>"},
    ],
)
def test_lists_junk_robots_and_copies_expect_no_answer(others: dict[str, Any]) -> None:
    one = letter("a", 1, ANN) | others
    assert times(one).empty
    assert times(one).attrs["not_expecting"] == 1
    assert len(times(one, expecting="all")) == 1
    assert len(times(one, expecting=[True])) == 1
    assert times(one, expecting=[False]).empty


@pytest.mark.parametrize(
    "others",
    [
        {"list_id": ""},
        {"folder": "Spamtrap/notes"},
        {"from_address": "norepton@example.org"},
        {"to": ANN, "cc": f"not{ME}"},
        {"to": ANN, "cc": f"{ME}.org"},
        {"to": "undisclosed-recipients:;"},
        {"to": None},
        {"to": f"{ANN}, Me+shop@Example.COM", "cc": ME},
    ],
)
def test_all_else_expects_one(others: dict[str, Any]) -> None:
    assert len(times(letter("a", 1, ANN) | others)) == 1


def test_what_lies_in_another_folder_than_junk_too_expects_one() -> None:
    one = letter("a", 1, ANN, folder="Junk")
    assert len(times(one, one | {"folder": "INBOX"})) == 1


@pytest.mark.parametrize(
    ("to", "person"),
    [
        (f"Ann <{ANN}>, Bob <{BOB}>", ANN),
        (f"Me <{ME}>, Bob <{BOB.upper()}>", BOB),
        (f"Example, Ann <{ANN}>", ANN),
        (f"{BOB} via list <{ANN}>", ANN),
        (f"'{ANN}'", ANN),
        (ME, None),
        ("me+notes@example.com", None),
        ("undisclosed-recipients:;", None),
        ("<>", None),
        ("a b@c d", None),
        ("@" * 50_000, None),
        ("<" * 50_000, None),
        ("a," * 50_000, None),
        (None, None),
    ],
)
def test_whom_i_asked_is_the_first_who_is_not_me(to: str | None, person: str | None) -> None:
    table = times(letter("a", 1, ME, to=to), expecting="all")
    assert table["person"].tolist() == ([person] if person else [])


def test_who_answers_is_the_person() -> None:
    question = letter("question", 1, ME, to=f"{ANN}, {BOB}")
    assert times(question, letter("answer", 2, BOB.title(), "question"))["person"].tolist() == [
        BOB, BOB,
    ]  # fmt: skip
    assert times(letter("a", 1, ME, to=None, bcc=BOB))["person"].tolist() == [BOB]


def test_what_i_wrote_to_a_list_expects_no_answer() -> None:
    post = letter("post", 1, ME, to="Choir <choir@lists.example.org>")
    copy = letter("other", 2, ANN, list_id="Choir.lists.example.org")
    assert times(post, copy).empty
    assert len(times(post)) == 1
    assert len(times(post | {"cc": ANN}, copy | {"list_id": None})) == 2


@pytest.mark.parametrize("expecting", ["people", True, None, [True], [1, 2], "al"])
def test_what_expects_an_answer_is_said_in_one_of_three_ways(expecting: Any) -> None:
    with pytest.raises(QueryError, match="does not say which messages can expect an answer"):
        times(letter("a", 1, ANN), letter("b", 1, ANN), expecting=expecting)


# -- frames of all kinds


def random_mailbox(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    count = 60
    people = [ME, ANN, BOB]
    letters = []
    for n in range(count):
        above = str(random.integers(count)) if random.random() < 0.8 else None  # circles as well
        letters.append(
            letter(str(n), random.integers(0, 200) / 8, people[random.integers(3)], above)
        )
    letters += [letters[n] | {"folder": "Archive"} for n in random.integers(0, count, 10)]
    order = random.permutation(len(letters))
    return headers(*[letters[n] for n in order])


@pytest.mark.parametrize("seed", range(20))
def test_answers_are_those_that_are_found_one_by_one(seed: int) -> None:
    frame = random_mailbox(seed)
    letters = frame.drop_duplicates("message_id").set_index("message_id")
    below: dict[str, list[str]] = {}
    for name, row in letters.iterrows():
        if isinstance(row["in_reply_to"], str) and row["in_reply_to"] != name:
            below.setdefault(row["in_reply_to"], []).append(str(name))

    def answers(name: str) -> set[str]:
        sender, found, seen, left = letters["from_address"][name], set(), {name}, [name]
        while left:
            for child in below.get(left.pop(), []):
                other = letters["from_address"][child]
                if ME in {sender, other} and sender != other:
                    found.add(child)
                elif sender == other and child not in seen:
                    seen.add(child)
                    left.append(child)
        return found

    table = response_times(frame, me=ME).set_index("message_id")
    assert set(table.index) == set(letters.index)
    for name, row in table.iterrows():
        found = answers(str(name))
        assert row["answered"] == bool(found), name
        if found:
            assert row["replied"] == min(letters["date"][one] for one in found)


def test_order_index_and_dtype_make_no_difference() -> None:
    frame = random_mailbox(1)
    expected = response_times(frame, me=ME).drop(columns=["folder", "uid", "reply_id"])
    random = np.random.default_rng(2)
    mixed = frame.iloc[random.permutation(len(frame))]
    mixed = mixed.set_axis([7] * len(frame)).astype(
        dict.fromkeys(["from_address", "to", "message_id", "in_reply_to", "list_id"], "category")
    )
    before = mixed.copy()
    table = response_times(mixed, me=ME)[expected.columns]
    by = ["asked", "message_id"]
    pd.testing.assert_frame_equal(
        table.sort_values(by, ignore_index=True), expected.sort_values(by, ignore_index=True),
        check_categorical=False, check_dtype=False,
    )  # fmt: skip
    pd.testing.assert_frame_equal(mixed, before)


def test_frames_of_two_accounts_are_one() -> None:
    one = headers(letter("question", 1, ANN))
    other = headers(letter("answer", 2, ME, "question", account="other@example.com"))
    table = response_times(mf.concat([one, other]), me=ME)
    assert replied(table) == {"question": "answer"}
    guessed = response_times(mf.concat([one, other]))
    assert replied(guessed) == {"question": "answer"}


def test_a_long_chain_of_reminders_ends() -> None:
    chain = [letter("0", 0, ANN)]
    chain += [letter(str(n), n / 5000, ANN, str(n - 1)) for n in range(1, 5000)]
    table = times(*chain, letter("answer", 3, ME, "4999"))
    assert table["answered"].sum() == 5000
    assert told(table)["0"] == 3


def test_columns_that_are_missing_are_named() -> None:
    frame = headers(letter("a", 1, ANN))
    with pytest.raises(QueryError, match="no columns 'message_id', 'to', 'list_id'"):
        response_times(frame.drop(columns=["message_id", "to", "list_id"]), me=ME)
    few = frame[["message_id", "in_reply_to", "references", "from_address", "to", "date"]]
    assert len(response_times(few, me=ME, expecting="all")) == 1
    with pytest.raises(QueryError, match=r"at='soon' is no moment"):
        response_times(frame, me=ME, at="soon")
    with pytest.raises(QueryError, match="addresses are yours"):
        response_times(frame.assign(account="nobody"))


# -- summaries


def waits(*pairs: tuple[float, int], **others: Any) -> pd.DataFrame:
    hours, answered = zip(*pairs, strict=True)
    return pd.DataFrame({
        "direction": "mine", "answered": [bool(one) for one in answered],
        "waited": pd.to_timedelta(hours, unit="h"), **others,
    })  # fmt: skip


def steps(table: pd.DataFrame, column: str = "unanswered") -> dict[float, float]:
    events = table[table["replies"] > 0]
    hours = events["time"] / pd.Timedelta("1h")
    return {round(at, 6): round(share, 4) for at, share in zip(hours, events[column], strict=True)}


# The remission times of 21 patients under 6-MP (Freireich and others, Blood 21, 1963): the example
# of most books. The shares, and the limits that Stata prints for them, are to four digits.
REMISSION = waits(
    (6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1),
    (17, 0), (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0),
)  # fmt: skip


def test_the_curve_is_that_of_the_books() -> None:
    table = survival(REMISSION.sample(frac=1, random_state=1))
    assert steps(table) == {
        6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482,
    }  # fmt: skip
    assert steps(table, "low") == {
        6: 0.6197, 7: 0.5631, 10: 0.5032, 13: 0.4316, 16: 0.3675, 22: 0.2678, 23: 0.1881,
    }  # fmt: skip
    assert steps(table, "high") == {
        6: 0.9516, 7: 0.9228, 10: 0.8894, 13: 0.8491, 16: 0.8049, 22: 0.7468, 23: 0.6801,
    }  # fmt: skip
    assert steps(table, "at_risk") == {6: 21, 7: 17, 10: 15, 13: 12, 16: 11, 22: 7, 23: 6}
    assert table["censored"].sum() == 12
    summary = response_summary(REMISSION)
    assert summary["median"].tolist() == [pd.Timedelta("23h")]
    assert summary["p90"].isna().all()


def test_the_curve_is_that_of_kaplan_and_meier() -> None:
    # Their own example (1958, section 2): deaths at 0.8, 3.1, 5.4, 9.2, losses between.
    own = waits((0.8, 1), (1.0, 0), (2.7, 0), (3.1, 1), (5.4, 1), (7.0, 0), (9.2, 1), (12.1, 0))
    assert steps(survival(own)) == {0.8: 0.875, 3.1: 0.7, 5.4: 0.525, 9.2: 0.2625}


def one_by_one(rows: pd.DataFrame) -> dict[int, float]:
    """Return the curve as its definition has it, a loop a time."""
    share, curve = 1.0, {}
    for at in sorted(rows["waited"].dropna().unique()):
        at_risk = (rows["waited"] >= at).sum()
        share *= 1 - ((rows["waited"] == at) & rows["answered"]).sum() / at_risk
        curve[int(at / np.timedelta64(1, "h"))] = share
    return curve


@pytest.mark.parametrize("by", [None, "person", "weekday"])
def test_the_curves_are_those_of_the_definition(by: str | None) -> None:
    random = np.random.default_rng(4)
    count = 300
    table = pd.DataFrame({
        "direction": random.choice(["mine", "theirs"], count),
        "person": random.choice([ANN, BOB, None], count),
        "asked": pd.to_datetime(random.integers(0, 10**6, count), unit="s", utc=True),
        "answered": random.random(count) < 0.6,
        "waited": pd.to_timedelta(random.integers(0, 20, count), unit="h"),
    })  # fmt: skip
    table.loc[::17, "waited"] = pd.NaT
    curves = survival(table, by=by)
    summary = response_summary(table, by=by)
    keys = table["direction"].to_frame()
    if by is not None:
        keys[by] = table["person"] if by == "person" else table["asked"].dt.day_of_week
    found = 0
    for key, rows in table.groupby([keys[name] for name in keys], dropna=False):
        mask = np.logical_and.reduce([
            (curves[name].astype("str") == str(value)) | (curves[name].isna() & pd.isna(value))
            for name, value in zip(keys, key, strict=True)
        ])  # fmt: skip
        own = curves[mask].iloc[1:]  # without the beginning
        hours = (own["time"] / pd.Timedelta("1h")).astype(int)
        expected = one_by_one(rows)
        assert dict(zip(hours, own["unanswered"], strict=True)) == pytest.approx(expected)
        found += 1
        line = summary[np.logical_and.reduce([
            (summary[name].astype("str") == str(value)) | (summary[name].isna() & pd.isna(value))
            for name, value in zip(keys, key, strict=True)
        ])].iloc[0]  # fmt: skip
        assert (line["messages"], line["replies"]) == (len(rows), rows["answered"].sum())
        for column, share in (("median", 0.5), ("p90", 0.1)):
            reached = [at for at, left in expected.items() if left <= share + 1e-9]
            shown = None if pd.isna(line[column]) else line[column] / pd.Timedelta("1h")
            assert shown == (min(reached) if reached else None)
    assert found == len(summary)


def test_a_half_is_a_half_in_spite_of_rounding() -> None:
    for count in range(2, 60, 2):
        table = waits(*[(n, 1) for n in range(1, count + 1)])
        assert response_summary(table)["median"].tolist() == [pd.Timedelta(hours=count // 2)]


def test_a_summary_tells_persons_with_most_messages_first() -> None:
    table = waits((1, 1), (2, 1), (3, 0), person=[BOB, ANN, BOB])
    summary = response_summary(table, by="person")
    assert summary["person"].tolist() == [BOB, ANN]
    assert summary["unanswered"].tolist() == [1, 0]
    assert summary["reply_median"].tolist() == [pd.Timedelta("1h"), pd.Timedelta("2h")]


def test_weekdays_are_those_of_the_zone() -> None:
    asked = pd.to_datetime(["2025-03-02T23:30Z"])  # Sunday
    table = waits((1, 1), asked=asked)
    assert response_summary(table, by="weekday")["day"].tolist() == ["Sunday"]
    summary = response_summary(table, by="weekday", tz="Europe/Berlin")
    assert summary[["weekday", "day"]].to_numpy().tolist() == [[0, "Monday"]]


def test_no_answers_make_no_rows() -> None:
    none = times()
    for by in (None, "person", "weekday"):
        some = times(letter("a", 1, ANN), letter("b", 2, ME, "a"))
        for ask in (survival, response_summary):
            assert ask(none, by=by).empty
            assert ask(none, by=by).dtypes.equals(ask(some, by=by).dtypes)


def test_business_time_is_summed_up_if_there() -> None:
    table = waits((1, 1), business_waited=pd.to_timedelta([5], unit="h"))
    assert response_summary(table, of="business_time")["median"].tolist() == [pd.Timedelta("5h")]
    with pytest.raises(QueryError, match="no column 'business_waited'"):
        survival(REMISSION, of="business_time")
    with pytest.raises(QueryError, match="of='hours' is no measure"):
        survival(REMISSION, of="hours")
    with pytest.raises(QueryError, match="by='folder' is nothing"):
        survival(REMISSION, by="folder")
    with pytest.raises(QueryError, match="no column 'person'"):
        survival(REMISSION, by="person")
    with pytest.raises(QueryError, match="tz='sender'"):
        survival(
            waits((1, 1), asked=pd.to_datetime(["2025-03-01T00:00Z"])), by="weekday", tz="sender"
        )


# -- who waits


def waiting(*letters: Any, **options: Any) -> list[str]:
    frame = headers(*letters)
    table = awaiting_reply(frame, **{"me": ME, "at": "2025-03-11", **options})
    return list(table["subject"])


THREADS = (
    letter("a1", 1, ANN),
    letter("a2", 2, ME, "a1"),
    letter("b1", 1, ME),
    letter("b2", 3, BOB, "b1"),
    letter("c1", 1.5, ME),
    letter("d1", 9, ME),
)


def test_conversations_whose_last_word_is_mine_wait_for_them() -> None:
    assert waiting(*THREADS) == ["c1", "a2"]
    assert waiting(*THREADS, whose="me") == ["b2"]
    table = awaiting_reply(headers(*THREADS), me=ME, at="2025-03-11")
    row = table.iloc[1]
    assert (row["messages"], row["person"], row["folder"]) == (2, ANN, "INBOX")
    assert row["asked"] == pd.Timestamp("2025-03-03", tz="UTC")
    assert row["waited"] == pd.Timedelta("8D")


def test_what_is_new_has_not_waited_long() -> None:
    assert waiting(*THREADS, older_than=None) == ["c1", "a2", "d1"]
    assert waiting(*THREADS, older_than="24h") == ["c1", "a2", "d1"]
    assert waiting(*THREADS, older_than=pd.Timedelta("9D")) == []
    assert waiting(*THREADS, older_than=pd.Timedelta("8D")) == ["c1", "a2"]
    assert waiting(*THREADS, older_than="2025-03-03") == ["c1", "a2"]
    assert waiting(*THREADS, at="2025-03-02T18:00", older_than="1h") == ["b1", "c1"]


def test_an_answer_to_another_message_of_the_conversation_is_one() -> None:
    assert waiting(*THREADS, letter("a3", 4, BOB, "a1")) == ["c1"]


def test_drafts_and_robots_have_no_last_word() -> None:
    assert waiting(letter("a", 1, ANN), letter("b", 2, ME, "a", draft=True), whose="me") == ["a"]
    robot = letter("b", 2, "noreply@example.org", "a")
    assert waiting(letter("a", 1, ME), robot) == ["a"]


def test_lists_and_notes_to_myself_wait_for_nobody() -> None:
    assert waiting(letter("a", 1, ME, to=ME)) == []
    assert waiting(letter("a", 1, ANN, list_id="l.example.org"), whose="me") == []
    one = letter("a", 1, ANN, list_id="l.example.org")
    assert waiting(one, whose="me", expecting="all") == ["a"]


def test_of_the_same_second_the_answer_is_last() -> None:
    pair = letter("b", 1, ME, "a"), letter("a", 1, ANN)
    assert waiting(*pair) == ["b"] == waiting(*pair[::-1])


def test_copies_are_one_message() -> None:
    one = letter("a", 1, ME, folder="Sent")
    frame = headers(one, one | {"folder": "Archive"})
    assert awaiting_reply(frame, me=ME, at="2025-03-11")["messages"].tolist() == [1]


def test_subjects_join_conversations_if_asked() -> None:
    pair = letter("a", 1, ME, subject="Boat"), letter("b", 2, ANN, subject="Re: Boat")
    assert waiting(*pair) == ["Boat"]
    assert waiting(*pair, subject=True) == []


def test_nobody_waits_in_an_empty_frame() -> None:
    some, none = awaiting_reply(headers(*THREADS), me=ME), awaiting_reply(headers(), me=ME)
    assert none.empty
    assert none.dtypes.astype("str").equals(some.dtypes.astype("str"))
    assert awaiting_reply(headers(letter("a", 1, ME, date=None)), me=ME).empty
    assert awaiting_reply(headers(letter("a", 1, ME, date=None)), me=ME).attrs["undated"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"whose": "mine"}, "whose='mine' does not say"),
        ({"older_than": "long"}, "older_than='long' is no moment and no age"),
        ({"older_than": 3}, "older_than=3 is no moment"),
        ({"older_than": pd.Timedelta("-1D")}, "is no moment and no age"),
        ({"at": "12h"}, "at='12h' is no moment"),
        ({"at": 7}, "at=7 is no moment"),
        ({"me": "Ann"}, "is no address"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        waiting(*THREADS, **options)
