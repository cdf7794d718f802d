"""Newsletters, lists and bulk mail: what counts as such, what is told of it, what does not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mailframe.analysis import newsletters
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers

ME = "me@example.com"
FIELDS = {"precedence", "list_unsubscribe_post", "auto_submitted", "list_post", "feedback_id"}
LEAVE = "<https://x.example/off>, <mailto:off@x.example>"
MINE = {"from_address": ME, "folder": "Sent"}


def frame(*rows: dict[str, Any], read: bool = False) -> pd.DataFrame:
    """Return headers; those of `FIELDS` that a row has, or all if they were read, are columns."""
    made = headers(*[{k: v for k, v in row.items() if k not in FIELDS} for row in rows])
    asked = sorted(FIELDS if read else FIELDS & {name for row in rows for name in row})
    more = {name: pd.Series([row.get(name) for row in rows], dtype="str") for name in asked}
    return made.assign(**more)


def many(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Return messages of one sender, a week apart, each with an id of its own."""
    days = pd.date_range("2025-01-06", periods=count, freq="7D").strftime("%Y-%m-%d")
    sender = fields.get("from_address", "ann@example.org")
    return [
        {"date": day, "internal_date": day, "message_id": f"{n}.{sender}", "subject": f"About {n}"}
        | {name: value(n) if callable(value) else value for name, value in fields.items()}
        for n, day in enumerate(days)
    ]


def found(*rows: dict[str, Any], **options: Any) -> pd.DataFrame:
    return newsletters(frame(*rows), **options)


# -- what counts


def test_what_is_told_of_a_newsletter() -> None:
    letter = {"list_id": "News.X.example", "from_address": "News@x.example", "from_name": "X",
              "list_unsubscribe": LEAVE, "precedence": "bulk",
              "list_unsubscribe_post": "List-Unsubscribe=One-Click"}  # fmt: skip
    rows = many(5, **letter, size=lambda n: 100 + n, seen=lambda n: n < 1)
    headers_frame = frame(*rows, {"from_address": "bob@y.example"})
    headers_frame.attrs = {"accounts": [ME]}
    table = newsletters(headers_frame, at="2025-02-10")
    assert table.drop(columns="per_month").iloc[0].to_dict() == {
        "list_id": "news.x.example",
        "address": "news@x.example",
        "name": "X",
        "kind": "newsletter",
        "evidence": "unsubscribe list-id one-click precedence",
        "messages": 5,
        "unread": 4,
        "read_rate": 0.2,
        "answered_rate": 0.0,
        "gap": pd.Timedelta(days=7),
        "first": pd.Timestamp("2025-01-06", tz="UTC"),
        "last": pd.Timestamp("2025-02-03", tz="UTC"),
        "dormant": False,
        "size": 510,
        "median_size": 102,
        "unsubscribe": "https://x.example/off",
        "one_click": True,
    }
    assert len(table) == 1
    # Four steps in 28 days.
    assert table["per_month"].tolist() == [pytest.approx(4 * 365.2425 / 12 / 28)]
    assert table.attrs == {
        "accounts": [ME],
        "on": "date",
        "at": "2025-02-10T00:00:00+00:00",
        "mine": 0,
        "junk": 0,
        "others": 1,
        "undated": 0,
    }


def test_the_columns_have_their_dtypes_even_without_rows() -> None:
    some = found({"list_unsubscribe": LEAVE, "list_unsubscribe_post": None})
    none = newsletters(headers())
    assert none.empty
    assert none.dtypes.equals(some.dtypes)
    names = ("list_id", "kind", "messages", "unread", "per_month", "gap", "size", "one_click",
             "dormant")  # fmt: skip
    assert [str(none[name].dtype) for name in names] == [
        "str", "category", "int64", "int64", "float64", "timedelta64[us]", "Int64", "boolean",
        "bool",
    ]  # fmt: skip
    assert list(none["kind"].cat.categories) == ["newsletter", "list", "bulk"]


def test_a_row_is_a_list_else_a_sender() -> None:
    table = found(
        {"list_id": "a.example", "from_address": "one@x.example"},
        {"list_id": "A.example ", "from_address": "two@x.example"},
        {"list_unsubscribe": LEAVE, "from_address": "One@x.example"},
        {"list_unsubscribe": LEAVE, "from_address": "one@x.example"},
        {"list_unsubscribe": LEAVE, "from_address": None},
        {"list_id": "", "list_unsubscribe": " ", "from_address": "three@x.example"},
    )
    assert table[["list_id", "address", "messages"]].fillna("").to_numpy().tolist() == [
        ["a.example", "one@x.example", 2], ["", "one@x.example", 2],
    ]  # fmt: skip
    assert table.attrs["others"] == 2


def test_a_list_with_the_name_of_an_address_is_not_that_sender() -> None:
    fake = {"list_id": "ann@example.org", "from_address": "eve@y.example"}
    table = found(fake, {"list_unsubscribe": LEAVE, "from_address": "ann@example.org"})
    assert table["messages"].tolist() == [1, 1]


def test_without_a_list_id_the_list_is_known_by_where_one_writes_to() -> None:
    post = {"list_unsubscribe": LEAVE, "list_post": "<mailto:Dev@lists.example?subject=x>"}
    table = found(post | {"from_address": "a@x.example"}, post | {"from_address": "b@x.example"})
    assert table[["address", "kind", "messages"]].to_numpy().tolist() == [
        ["dev@lists.example", "list", 2]
    ]
    assert table["list_id"].isna().all()


def test_without_either_it_is_known_by_how_several_leave_it() -> None:
    old = {"list_unsubscribe": LEAVE, "in_reply_to": "1@x"}
    one, two = old | {"from_address": "a@x.example"}, old | {"from_address": "b@x.example"}
    table = found(one, two, two | {"list_unsubscribe": f" {LEAVE} "})
    assert table[["kind", "address", "messages"]].to_numpy().tolist() == [
        ["list", "b@x.example", 3]
    ]
    assert table[["list_id", "name"]].isna().all(axis=None)
    apart = found(one, two | {"list_unsubscribe": "<mailto:off@y.example>"})
    assert apart["kind"].tolist() == ["newsletter", "newsletter"]
    assert found(one, one, two | {"folder": "Junk"})["kind"].tolist() == ["newsletter"]
    nobody = old | {"from_address": None}
    assert found(one, nobody)["messages"].tolist() == [1]
    by_id = found(one, two | {"list_id": "a.example"})
    assert by_id["messages"].tolist() == [1, 1]


def test_what_is_mine_or_junk_or_for_few_is_counted_beside() -> None:
    listed = {"list_id": "a.example", "list_unsubscribe": LEAVE}
    table = found(
        listed, listed | MINE, listed | {"folder": "Junk"}, {"from_address": "bob@y.example"},
        listed | {"date": None},
    )  # fmt: skip
    assert table["messages"].tolist() == [2]
    counted = ("mine", "junk", "others", "undated")
    assert [table.attrs[name] for name in counted] == [1, 1, 1, 1]


def test_mail_of_mine_counts_where_nobody_knows_that_it_is() -> None:
    table = found({"list_id": "a.example", "account": "user"} | {"from_address": ME})
    assert table["messages"].tolist() == [1]
    assert table.attrs["mine"] == 0
    assert newsletters(frame({"list_id": "a.example"}), me="ann@example.org").empty


# -- bulk mail that does not say how to leave


def test_a_colleague_who_was_away_is_no_bulk_mail() -> None:
    away = {"precedence": "bulk", "auto_submitted": "auto-replied"}
    assert found(*many(20, **away)).empty
    away = {"precedence": "junk", "in_reply_to": "1@me", "auto_submitted": None}
    assert found(*many(20, **away)).empty


@pytest.mark.parametrize(
    "answer",
    [
        {"in_reply_to": "1@me"},
        {"references": "1@me"},
        {"subject": "AW: contract"},
        {"subject": "contract (fwd)"},
    ],
)
def test_an_answer_is_no_bulk_mail_whoever_generated_it(answer: dict[str, str]) -> None:
    # As Exchange says of the notes of those who are away.
    assert found(*many(20, auto_submitted="auto-generated", **answer)).empty
    assert found(*many(20, precedence="bulk", **answer)).empty


def test_one_message_alone_is_no_bulk_mail() -> None:
    for fields in ({"auto_submitted": "auto-generated"}, {"precedence": "bulk"}):
        assert found(*many(1, **fields)).empty
        assert len(found(*many(2, **fields))) == 1


def test_who_writes_to_a_list_is_none_himself() -> None:
    assert found(*many(20, precedence="list")).empty


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({"precedence": "bulk"}, "precedence"),
        ({"precedence": "Junk"}, "precedence"),
        ({"auto_submitted": "auto-generated; owner=x"}, "automatic"),
        ({"auto_submitted": "auto-notified"}, "automatic"),
        ({"precedence": "bulk", "feedback_id": "1:x"}, "precedence feedback"),
        ({"auto_submitted": "no"}, None),
        ({"precedence": "first-class"}, None),
        ({"feedback_id": "1:x"}, None),
        ({"list_unsubscribe_post": "List-Unsubscribe=One-Click"}, None),
    ],
)
def test_a_sender_is_bulk_by_what_most_of_its_messages_say(
    fields: dict[str, str], evidence: str | None
) -> None:
    table = found(*many(2, **fields), *many(1))
    assert table["evidence"].tolist() == ([evidence] if evidence else [])
    assert table["kind"].tolist() == (["bulk"] if evidence else [])
    assert table["messages"].tolist() == ([3] if evidence else [])
    half = found(*many(2, **fields), *many(2, message_id=lambda n: f"other {n}"))
    assert half.empty


@pytest.mark.parametrize(
    "local",
    [
        "noreply", "No-Reply", "no_reply+1", "do.not.reply", "keine-antwort", "ne-pas-répondre",
        "no-responder", "não-responda", "non-rispondere", "niet-beantwoorden", "svara-ej",
        "svar-ikke", "ei-vastausta", "nie-odpowiadaj", "neodpovidat", "orders-noreply",
        "newsletter", "the.newsletter", "nyhetsbrev", "news", "alerts2",
    ],
)  # fmt: skip
def test_addresses_of_nobody_look_like_bulk(local: str) -> None:
    address = f"{local}@x.example"
    table = found(*many(3, from_address=address))
    assert table[["address", "kind", "evidence"]].to_numpy().tolist() == [
        [address.lower(), "bulk", "looks"]
    ]
    assert found(*many(2, from_address=address)).empty
    junk = many(3, from_address=address, folder="Junk", message_id=None)
    assert found(*many(2, from_address=address), *junk).empty


@pytest.mark.parametrize(
    "address",
    ["ann@noreply.example", "newsom@x.example", "renewsletter@x.example", "info@x.example",
     "mailer-daemon@x.example", "postmaster@x.example", "MAILER-DAEMON"],
)  # fmt: skip
def test_addresses_of_people_and_of_servers_do_not(address: str) -> None:
    assert found(*many(3, from_address=address)).empty


@pytest.mark.parametrize(
    "answer", [{"in_reply_to": "1@me"}, {"references": "1@me"}, {"subject": "Re: Budget"}]
)
def test_who_answers_is_not_bulk_by_the_name(answer: dict[str, str]) -> None:
    rows = many(9, from_address="j.news@x.example")
    assert len(found(*rows)) == 1
    assert found(*rows[:-1], rows[-1] | answer).empty


def test_a_bounce_is_no_bulk_mail_whatever_it_says() -> None:
    rows = many(3, from_address="MAILER-DAEMON@x.example", auto_submitted="auto-generated")
    assert found(*rows).empty


@pytest.mark.parametrize(
    "known",
    [
        MINE | {"to": "Shop <NoReply@x.example>, bob@y.example"},
        MINE | {"cc": "noreply+7@x.example"},
        MINE | {"to": "bob@y.example", "in_reply_to": "1.noreply@x.example"},
        {"from_address": "noreply@x.example", "answered": True},
    ],
)
def test_to_whom_i_write_or_answer_is_never_bulk(known: dict[str, Any]) -> None:
    rows = many(20, from_address="noreply@x.example", auto_submitted="auto-generated")
    assert len(found(*rows)) == 1
    assert len(found(*rows, MINE | {"to": "other-noreply@x.example", "auto_submitted": None})) == 1
    assert found(*rows, known).empty


def alike(count: int = 12, **changed: Any) -> pd.DataFrame:
    fields = {"from_address": "shop@x.example", "subject": lambda n: f"Order {n * 7} sent"}
    rows = many(count, **fields | changed)
    return found(*rows, MINE | {"to": "bob@y.example"})


def test_twelve_messages_alike_look_like_bulk() -> None:
    assert alike()["evidence"].tolist() == ["looks"]
    assert len(alike(subject=lambda n: f"Order {n}" if n < 6 else f"{'x' * n}")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"count": 11},
        {"subject": lambda n: f"Order {n}" if n < 5 else "x" * n},
        {"subject": None},
        {"subject": ""},
        {"from_address": "bob@example.com"},
        {"from_address": "bob@hr.example.com"},
        {"in_reply_to": lambda n: "x" if n == 3 else None},
        {"references": lambda n: "x" if n == 3 else None},
        {"subject": lambda n: "SV: Order 3 sent" if n == 3 else f"Order {n} sent"},
        # Twice six messages.
        {"message_id": lambda n: f"{n // 2}", "folder": lambda n: "INBOX" if n % 2 else "All"},
        {"answered": lambda n: n == 3},
    ],
)
def test_a_colleague_is_no_bulk_mail(changed: dict[str, Any]) -> None:
    assert alike(**changed).empty


@pytest.mark.parametrize("lacking", ["message_id", "in_reply_to", "subject", "to"])
def test_messages_alike_tell_nothing_where_nobody_knows_whom_i_write_to(lacking: str) -> None:
    rows = frame(*many(12, from_address="shop@x.example"), MINE)
    assert len(newsletters(rows)) == 1
    assert newsletters(rows.drop(columns=lacking)).empty
    assert newsletters(rows.iloc[:-1]).empty  # no folder of sent mail


# -- kinds


def kinds(*rows: dict[str, Any]) -> list[str]:
    return found(*rows)["kind"].tolist()  # type: ignore[no-any-return]


def test_a_list_has_many_voices_a_newsletter_one() -> None:
    listed = {"list_id": "a.example"}
    assert kinds(*many(9, **listed)) == ["newsletter"]
    assert kinds(*many(9, **listed, in_reply_to="x")) == ["newsletter"]
    two = [many(9, **listed), many(9, **listed, from_address="bob@y.example")]
    assert kinds(*two[0], *two[1]) == ["newsletter"]
    assert kinds(*two[0], *two[1][:8], two[1][8] | {"in_reply_to": "x"}) == ["newsletter"]
    assert kinds(*two[0], *two[1][:7], *[two[1][8] | {"in_reply_to": "x"}] * 2) == ["list"]
    # One address for all, as where the list has put its own into From.
    names = [listed | {"from_name": name, "in_reply_to": "x"} for name in "AB"]
    assert kinds(*names) == ["list"]


def test_three_of_whom_none_is_much_louder_are_a_list() -> None:
    def by(*messages: int) -> list[str]:
        senders = [f"{n}@x.example" for n, count in enumerate(messages) for _ in range(count)]
        return kinds(*[{"list_id": "a.example", "from_address": one} for one in senders])

    assert by(8, 1, 1) == ["list"]
    assert by(9, 1, 1) == ["newsletter"]
    assert by(1, 1) == ["newsletter"]


def test_my_voice_makes_a_list_of_it() -> None:
    listed = {"list_id": "a.example", "in_reply_to": "x"}
    table = found(listed, listed | MINE)
    assert table[["kind", "messages"]].to_numpy().tolist() == [["list", 1]]


def test_where_one_can_write_to_is_a_list_and_an_announcement_none() -> None:
    assert kinds({"list_id": "a.example", "list_post": "<mailto:a@lists.example>"}) == ["list"]
    assert kinds({"list_id": "a.example", "list_post": "NO (announcements)"}) == ["newsletter"]


def test_a_list_has_no_name_of_one_of_its_authors() -> None:
    listed = {"list_id": "a.example", "in_reply_to": "x"}
    table = found(listed, listed, listed | {"from_address": "bob@y.example", "from_name": "Bob"})
    assert table["address"].tolist() == ["ann@example.org"]
    assert table["name"].isna().all()


# -- how much, how often, how lately


def test_most_unread_comes_first_then_most_messages_then_the_alphabet() -> None:
    def rows(name: str, messages: int, unread: int) -> list[dict[str, Any]]:
        return [{"list_id": name, "seen": n >= unread} for n in range(messages)]

    letters = [*rows("c", 3, 3), *rows("d", 9, 2), *rows("b", 2, 2), *rows("a", 2, 2)]
    table = found(*letters)
    assert table["list_id"].tolist() == ["c", "d", "a", "b"]
    assert table["unread"].tolist() == [3, 2, 2, 2]
    few = found(*letters[::-1], top=2)
    pd.testing.assert_frame_equal(few, table.head(2))
    assert few.attrs == table.attrs
    assert found(*letters, top=0).empty


def test_whether_it_is_read_may_be_unknown() -> None:
    table = newsletters(
        frame(*many(3, list_id="a")).assign(seen=pd.array([True, None, False], dtype="boolean"))
    )
    assert table[["messages", "unread", "read_rate"]].to_numpy().tolist() == [[3, 1, 0.5]]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([1], float("nan")),
        ([1, None], float("nan")),
        ([1, 1], 2),
        ([1, 2], 2),
        ([1, 2, 2, 3], 4),
        ([0, 365.2425 / 12, 2 * 365.2425 / 12], 1),
        ([0, 365.2425], 1 / 12),
    ],
)
def test_a_month_has_no_more_messages_than_came(days: list[float | None], expected: float) -> None:
    start = pd.Timestamp("2025-01-01", tz="UTC")
    dates = [None if day is None else str(start + pd.Timedelta(days=day)) for day in days]
    rate = found(*[{"list_id": "a", "date": date} for date in dates])["per_month"].tolist()
    assert rate == [pytest.approx(expected, nan_ok=True)]


def test_a_copy_comes_no_second_time() -> None:
    rows = many(3, list_id="a")
    copies = [row | {"folder": "Archive"} for row in rows]
    once, twice = found(*rows), found(*rows, *copies)
    same = ["per_month", "gap", "first", "last"]
    pd.testing.assert_frame_equal(once[same], twice[same])
    assert twice["messages"].tolist() == [6]


def test_what_has_stopped_is_dormant() -> None:
    rows = [*many(2, list_id="a"), {"list_id": "b", "date": "2026-01-01",
                                   "internal_date": "2026-01-01"}]  # fmt: skip
    assert found(*rows).set_index("list_id")["dormant"].to_dict() == {"a": True, "b": False}
    assert not found(*rows, at="2025-02-01")["dormant"].any()
    assert not found(*rows, dormant_after="2y")["dormant"].any()
    server = found(*[row | {"date": None} for row in rows], on="internal_date")
    assert server.set_index("list_id")["dormant"].to_dict() == {"a": True, "b": False}


# -- the way out


def way_out(*fields: str | None, **others: Any) -> Any:
    rows = [{"list_id": "a", "list_unsubscribe": one, "date": f"2025-01-{n:02}"} | others
            for n, one in enumerate(fields, 1)]  # fmt: skip
    return found(*rows)["unsubscribe"].iloc[0]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("<mailto:off@x.example>, <https://x.example/off>", "https://x.example/off"),
        ("<http://x.example/off>, <mailto:off@x.example?subject=off>",
         "mailto:off@x.example?subject=off"),
        ("<http://x.example/1>, <http://x.example/2>", "http://x.example/1"),
        ("<HTTPS://X.example/Off>", "HTTPS://X.example/Off"),
        ("<https://[2001:db8::1]/off>", "https://[2001:db8::1]/off"),
        ("<javascript:alert(1)>, <https://x.example/off>", "https://x.example/off"),
        ("<javascript:alert('https://x.example/')>", None),
        ("<data:text/html,https://x>", None),
        ("<file:///etc/passwd>", None),
        ("<https:x.example>", None),
        ("<https:///off>", None),
        ("<https://@/off>", None),
        ("<https://good.example@evil.example/off>", None),
        ("<https://good.example:x@evil.example>, <mailto:off@x.example>", "mailto:off@x.example"),
        ("<https://good.example\\@evil.example/>", None),
        ("<https://evil.example\\.good.example/>", None),
        ("<https://x.example/off?who=ann@example.org>",
         "https://x.example/off?who=ann@example.org"),
        ("<https://x.example:8443/@ann>", "https://x.example:8443/@ann"),
        ("<https://x.example?off>", "https://x.example?off"),
        ("<https://x.example>", "https://x.example"),
        ("<https:\\\\x.example>", None),
        ("<mailto:nobody>", None),
        ("<https://x.example/\u202eoff>", None),
        ("<https://x.example/\x1b[31m>", None),
        ("nothing", None),
        ("", None),
    ],
)  # fmt: skip
def test_only_where_one_can_go_is_handed_on(field: str, expected: str | None) -> None:
    found_out = way_out(field)
    assert (None if pd.isna(found_out) else found_out) == expected


def test_the_newest_way_out_is_told() -> None:
    one, two = "<https://x.example/1>", "<https://x.example/2>"
    assert way_out(one, two).endswith("2")
    assert way_out(two, one).endswith("1")
    assert way_out(one, two, None).endswith("2")
    assert way_out(one, two, "<ftp://x.example/3>").endswith("2")
    undated = [way_out(*both, date=None) for both in ((one, two), (two, one))]
    assert undated[0] == undated[1]


def test_one_click_needs_https_and_a_column() -> None:
    click = {"list_unsubscribe": LEAVE, "list_unsubscribe_post": "list-unsubscribe = one-click"}
    table = found(
        click | {"list_id": "a"},
        click | {"list_id": "b", "list_unsubscribe": "<mailto:off@x.example>"},
        click | {"list_id": "c", "list_unsubscribe_post": None},
        click | {"list_id": "d", "list_unsubscribe_post": "List-Unsubscribe=No"},
        click | {"list_id": "e", "list_unsubscribe": None},
    )
    assert table["one_click"].tolist() == [True, False, False, False, False]
    assert found({"list_id": "a", "list_unsubscribe": LEAVE})["one_click"].isna().all()


# -- frames


def test_the_order_of_rows_and_fields_that_nobody_used_make_no_difference() -> None:
    rows = [*many(4, list_id="a", list_unsubscribe=LEAVE), *many(4, from_address="noreply@x.y"),
            {"list_id": "b", "date": None}, {"from_address": "bob@y.example"}]  # fmt: skip
    straight = frame(*rows)
    expected = newsletters(straight)
    assert len(expected) == 3
    pd.testing.assert_frame_equal(newsletters(straight.iloc[::-1]), expected)
    read = newsletters(frame(*rows, read=True))
    pd.testing.assert_frame_equal(
        read.drop(columns="one_click"), expected.drop(columns="one_click")
    )
    assert read["one_click"].tolist() == [False, False, False]


def test_the_frame_is_left_as_it_is() -> None:
    given = frame(*many(3, list_id="A", precedence="bulk"))
    before = given.copy()
    newsletters(given)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top": -1}, "top=-1 is no number of newsletters"),
        ({"on": "time"}, "on='time' is no time"),
        ({"me": "Ann"}, "me='Ann' is no address"),
        ({"at": "soon"}, "at='soon' is no moment"),
        ({"dormant_after": "long"}, "dormant_after='long' is no moment and no age"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    for given in (headers(), headers({})):
        with pytest.raises(QueryError, match=words):
            newsletters(given, **options)


def test_columns_that_are_missing_are_named() -> None:
    with pytest.raises(QueryError, match="no columns 'list_unsubscribe', 'seen'"):
        newsletters(headers({}).drop(columns=["list_unsubscribe", "seen"]))
