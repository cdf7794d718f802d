"""Which way messages came, whose clock is wrong, and who vouches for the sender."""

from __future__ import annotations

from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailframe as mf
from mailframe import schema
from mailframe.analysis import delivery
from mailframe.analysis.clocks import read_clocks
from mailframe.analysis.verdicts import verdicts
from mailframe.exceptions import QueryError
from mailframe.parsing import parse_authentication_results
from tests.analysis.letters import headers
from tests.analysis.stamped import START, way, ways

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FIELD = "authentication_results"
MX = "mx.example.com"
NOTHING = "nothing"


def spans(*seconds: float | None) -> list[Any]:
    return [pd.NaT if one is None else pd.Timedelta(seconds=one) for one in seconds]


def same(column: Iterable[Any], *seconds: float | None) -> bool:
    """Tell whether a column of times is so many seconds, missing where None."""
    wanted = pd.Series(spans(*seconds), dtype=schema.SPAN)
    return pd.Series(list(column), dtype=schema.SPAN).equals(wanted)


def clocks(*seconds: float | str | None, **options: Any) -> list[str]:
    return delivery(way(*seconds), by="hop", **options)["clock"].tolist()


def only(frame: pd.DataFrame) -> Any:
    (row,) = frame.itertuples(index=False)
    return row


# -- by message


def test_what_is_told_of_a_message() -> None:
    mail = headers({"date": "2025-03-01T09:59:50", "internal_date": "2025-03-01T10:20"})
    told = only(delivery(way(0, 2, 62, 65), mail))
    assert (told.uid, told.hops, told.slowest_hop, told.slowest_host) == (1, 4, 2, "c.example")
    assert told.sent == START - pd.Timedelta(seconds=10)
    assert told.received == START + pd.Timedelta(seconds=65)
    assert same([told.total, told.slowest, told.backwards], 75, 60, 0)
    assert told.encrypted
    assert told.unencrypted == 0
    assert not told.clocks_disagree


def test_every_message_has_a_row_the_latest_first() -> None:
    mail = headers(*[{"internal_date": f"2025-03-0{day}"} for day in (3, 1, 2)])
    hops = ways(way(0), way(), way(5, 6), way(9, 10))
    told = delivery(hops, mail)
    assert told["uid"].tolist() == [4, 3, 1, 2]
    assert told["hops"].tolist() == [2, 2, 1, 0]
    assert told.attrs["without_hops"] == 1


def test_of_hops_that_are_as_slow_the_first_is_the_slowest() -> None:
    told = only(delivery(way(0, 5, 10, 12)))
    assert (told.slowest_hop, told.slowest_host) == (1, "b.example")


def test_without_headers_it_is_told_from_the_first_hop() -> None:
    told = only(delivery(way(0, 30)))
    assert pd.isna(told.sent)
    assert same([told.total], 30)


@pytest.mark.parametrize("date", ["2025-03-01T10:00:40", "1970-01-01", None])
def test_a_date_that_cannot_be_is_not_reckoned_from(date: str | None) -> None:
    assert same([only(delivery(way(0, 30), headers({"date": date}))).total], 30)


def test_a_single_stamp_is_no_length_of_time() -> None:
    told = only(delivery(way(0)))
    assert same([told.total, told.slowest, told.backwards], None, None, None)
    assert told.received == START


def test_without_a_stamp_the_internal_date_is_when_it_was_received() -> None:
    told = only(delivery(way(None, None), headers({"internal_date": "2025-03-01"})))
    assert told.received == pd.Timestamp("2025-03-01", tz="UTC")


@pytest.mark.parametrize(
    ("protocols", "encrypted", "unencrypted"),
    [
        (["ESMTPS", "ESMTPSA", "LMTPS", "UTF8SMTPS", "HTTPS"], True, 0),
        (["ESMTPS", "esmtp", "ESMTPA"], False, 2),
        # Exchange writes SMTP over TLS too, and LMTP stays on the premises.
        (["SMTP", "LMTP", "MAPI", None], None, 0),
        (["ESMTPS", "SMTP", "LMTP", None], True, 0),
    ],
)
def test_encrypted_is_what_the_hops_say(
    protocols: list[str | None],
    encrypted: bool | None,  # noqa: FBT001
    unencrypted: int,
) -> None:
    told = only(delivery(way(*range(len(protocols)), by=protocols)))
    assert told.encrypted is pd.NA if encrypted is None else told.encrypted == encrypted
    assert told.unencrypted == unencrypted


def test_a_hop_that_is_there_twice_counts_once() -> None:
    hops = way(0, 5)
    twice = pd.concat([hops, hops])
    pd.testing.assert_frame_equal(delivery(twice), delivery(hops))


def test_hops_of_other_folders_are_other_messages() -> None:
    hops = pd.concat([way(0, 5), way(0, 5).assign(folder="Archive")])
    assert delivery(hops)["folder"].tolist() == ["Archive", "INBOX"]


# -- clocks


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((0, 1, 2, 3), "ok ok ok ok"),
        ((0, 300, 2, 3), "ok ahead ok ok"),
        ((0, 5, -60, 7), "ok ok behind ok"),
        ((300, 0, 1, 2), "ahead ok ok ok"),
        ((0, 1, 2, -50), "ok ok ok behind"),
        ((0, 1, 1, 0), "ok ok ok ok"),
        ((9, 0), "unknown unknown"),
        ((0, 300, 2), "ok unknown unknown"),
        ((6, 4, 2, 0), "unknown unknown unknown unknown"),
        ((0, None, 5), "ok unknown ok"),
        ((0, "1970-01-01", 5), "ok behind ok"),
        ((0, "2150-01-01", 5), "ok ahead ok"),
        (("2003-01-01", 0), "ok ok"),
        ((None,), "unknown"),
    ],
)
def test_the_clock_that_is_wrong_is_told_by_the_others(
    seconds: tuple[Any, ...], expected: str
) -> None:
    assert clocks(*seconds) == expected.split()


def test_how_far_a_clock_is_off_is_told_by_the_nearest_that_is_right() -> None:
    told = delivery(way(0, 300, 2, -60, 5, "1970-01-01"), by="hop")
    assert same(told["off"][:5], 0, 298, 0, -62, 0)
    assert told["off"][5] == pd.Timestamp(0, tz="UTC") - (START + pd.Timedelta(seconds=5))


def test_no_delay_goes_from_or_to_a_clock_that_is_wrong() -> None:
    told = delivery(way(0, 300, 20, None, 50, 49), by="hop")
    assert same(told["delay"], None, None, 20, None, 30, 0)
    assert same(told["elapsed"], 0, None, 20, None, 50, 49)
    assert same(told["backwards"], None, 0, 280, None, 250, 251)
    assert told.attrs["without_time"] == 1


def test_delays_together_are_the_whole_time() -> None:
    hops = way(0, 3, 90, 7, 8, 4000)
    assert delivery(hops, by="hop")["delay"].sum() == only(delivery(hops)).total


def test_when_it_arrived_decides_between_two_clocks() -> None:
    mail = headers({"internal_date": "2025-03-01T10:00:04"})
    assert delivery(way(60, 3), mail, by="hop")["clock"].tolist() == ["ahead", "ok"]
    assert delivery(way(3, -60), mail, by="hop")["clock"].tolist() == ["unknown", "unknown"]


def test_when_it_arrived_says_how_far_a_clock_is_off_where_no_other_does() -> None:
    mail = headers({"internal_date": "2025-03-01T10:00:30"})
    told = delivery(way(0, 500, 20, 10), mail, by="hop")
    assert told["clock"].tolist() == ["ok", "ahead", "unknown", "unknown"]
    assert same(told["off"], 0, 470, None, None)


def test_when_it_arrived_makes_no_clock_wrong_that_agrees_with_the_others() -> None:
    # Mail that was put there by a program may have its Date as INTERNALDATE.
    mail = headers({"internal_date": "2025-03-01T09:00"})
    assert delivery(way(0, 3), mail, by="hop")["clock"].tolist() == ["ok", "ok"]


def test_what_is_tolerated_is_no_step_back() -> None:
    assert clocks(9, 0, tolerance="9s") == ["ok", "ok"]
    assert clocks(9, 0, tolerance=pd.Timedelta("8s")) == ["unknown", "unknown"]
    assert not only(delivery(way(9, 0), tolerance="9s")).clocks_disagree
    assert only(delivery(way(9, 0), tolerance="8s")).clocks_disagree


def test_small_steps_back_leave_clocks_right_that_together_disagree() -> None:
    hops = way(3, 2, 1, 0)
    assert set(delivery(hops, by="hop")["clock"]) == {"ok"}
    told = only(delivery(hops))
    assert told.clocks_disagree
    assert same([told.backwards], 3)


def test_a_message_in_which_clocks_disagree_says_so() -> None:
    hops = ways(way(0, 90, 5, 6), way(0, 1), way("1970-01-01", 0, 1))
    told = delivery(hops).set_index("uid").sort_index()
    assert told["clocks_disagree"].tolist() == [True, False, True]
    assert same(told["backwards"], 85, 0, 0)
    assert told.iloc[0]["received"] == START + pd.Timedelta(seconds=6)
    assert same(told["total"], 6, 1, 1)


def test_where_a_message_went_in_circles_its_clocks_are_not_looked_at() -> None:
    told = delivery(way(*range(100), -5, hosts=["a.example"] * 101), by="hop")
    assert set(told["clock"]) == {"unknown"}
    assert same([only(delivery(way(*range(101), hosts=[None] * 101))).total], 100)


TIMES = st.lists(st.integers(0, 6), min_size=1, max_size=7)


@given(st.lists(TIMES, min_size=1, max_size=4), st.integers(0, 2))
def test_ok_is_what_is_on_every_longest_run(ways_of: list[list[int]], tolerance: int) -> None:
    messages = np.repeat(np.arange(len(ways_of)), [len(one) for one in ways_of])
    times = np.array([*chain(*ways_of)]) + np.datetime64("2025-03-01T10:00:00", "us")
    arrived = np.full(len(ways_of), np.datetime64("NaT", "us"))
    read = read_clocks(messages, times, arrived, np.timedelta64(tolerance, "us"))
    expected = [*chain(*(on_every_run(one, tolerance) for one in ways_of))]
    assert (read.clock == 0).tolist() == expected
    assert (np.isnat(read.elapsed) != (read.clock == 0)).all()
    assert not (read.delay < np.timedelta64(0, "us")).any()
    assert (np.abs(read.off[read.clock == 1]) > np.timedelta64(tolerance, "us")).all()


def on_every_run(times: list[int], tolerance: int) -> list[bool]:
    """Return the same by trying out all runs."""
    if not any(max(times[:n], default=0) - one > tolerance for n, one in enumerate(times)):
        return [True] * len(times)
    places = range(len(times))
    runs = [
        set(some)
        for length in range(1, len(times) + 1)
        for some in combinations(places, length)
        if all(times[b] >= times[a] - tolerance for a, b in pairwise(some))
    ]
    longest = [run for run in runs if len(run) == len(runs[-1])]
    return [all(place in run for run in longest) for place in places]


# -- by host


def test_what_is_told_of_a_host() -> None:
    hosts = ["a.example", "MX.example"]
    hops = ways(
        way(0, 10, hosts=hosts), way(0, 20, hosts=hosts), way(0, 60, hosts=hosts, by="ESMTP")
    )
    told = delivery(hops, by="host")
    assert told["host"].tolist() == ["mx.example", "a.example"]
    mx = told.iloc[0]
    assert same([mx["lost"], mx["median"], mx["p90"], mx["longest"]], 90, 20, 52, 60)
    assert (mx["messages"], mx["negative"]) == (3, 0)
    assert mx["encrypted"] == pytest.approx(2 / 3)
    assert mx["first"] == START + pd.Timedelta(seconds=10)
    assert mx["last"] == START + pd.Timedelta(seconds=60)
    assert same([told.iloc[1]["lost"], told.iloc[1]["median"], mx["skew"]], 0, None, 0)


def test_the_skew_of_a_host_is_the_median_over_what_is_known_of_its_clock() -> None:
    hosts = ["a.example", "b.example", "slow.example", "d.example"]
    hops = ways(*[way(0, 1, 3 - off, 5, hosts=hosts) for off in (30, 40, 50, 0)])
    told = delivery(hops, by="host").set_index("host")
    assert same([told["skew"]["slow.example"]], -(28 + 38) / 2)
    assert told["negative"]["slow.example"] == 3


def test_a_stamp_alone_tells_no_skew() -> None:
    assert delivery(way(0), by="host")["skew"].isna().all()


def test_hops_whose_server_is_not_known_are_counted() -> None:
    told = delivery(way(0, 1, 2, hosts=["a.example", None, ""]), by="host")
    assert told["host"].tolist() == ["a.example"]
    assert told.attrs["without_host"] == 2


# -- what a server found out


def asked(*fields: str | None, **options: Any) -> list[tuple[Any, ...]]:
    told = verdicts(pd.DataFrame({FIELD: pd.Series([*fields], dtype="str")}), **options)
    return [tuple(row) for row in told.astype("object").where(told.notna(), None).to_numpy()]


def test_what_the_server_found_out_is_told() -> None:
    field = f"{MX}; spf=softfail smtp.mailfrom=x.example; dkim=pass (good) header.d=x.example;"
    assert asked(f"{field} dmarc=fail (p=none) header.from=x.example; arc=none", None) == [
        ("softfail", "pass", "fail", "none", MX),
        (None, None, None, None, None),
    ]


def test_the_topmost_field_alone_is_believed() -> None:
    assert asked(f"{MX}; spf=fail\nliar.example; dkim=pass") == [("fail", None, None, None, MX)]
    assert asked(f"{MX}; none\nliar.example; spf=pass") == [(None,) * 5]


def test_those_trusted_are_believed_wherever_they_stand() -> None:
    field = f"liar.example; spf=pass\n{MX.upper()}; dmarc=pass\nmx2.example; spf=fail"
    assert asked(field, trusted=MX) == [(None, None, "pass", None, MX.upper())]
    assert asked(field, trusted=["MX2.example", MX]) == [("fail", None, "pass", None, MX.upper())]
    assert asked(field, trusted="other.example") == [(None,) * 5]


@pytest.mark.parametrize(
    ("below", "told"),
    [
        # The second one came with the message.
        ([f"{MX}; dkim=pass; dmarc=pass"], ("fail", "none", None, None, MX)),
        ([f"{MX}; dkim=pass"], ("fail", "none", None, None, MX)),
        ([f"{MX}; spf=pass", f"{MX}; dmarc=pass"], ("fail", "none", None, None, MX)),
        (["relay.example; none", f"{MX}; dmarc=pass"], ("fail", "none", None, None, MX)),
        (["spf=pass", f"{MX}; dmarc=pass"], ("fail", "none", None, None, MX)),
        ([f"{MX}; none", f"{MX}; dmarc=pass"], ("fail", "none", None, None, MX)),
        # A server that writes a field for each method.
        ([f"{MX.upper()}; dmarc=fail"], ("fail", "none", "fail", None, MX)),
        ([f"{MX}; arc=none", f"{MX}; dmarc=fail"], ("fail", "none", "fail", "none", MX)),
    ],
)
def test_what_only_claims_to_be_from_a_trusted_server_is_not_believed(
    below: list[str], told: tuple[str | None, ...]
) -> None:
    field = "\n".join([f"{MX}; spf=fail; dkim=none", *below])
    assert asked(field, trusted=MX) == [told]
    assert asked(f"relay.example; arc=pass\n{field}", trusted=MX) == [told]


def test_a_trusted_server_that_found_nothing_out_says_nothing() -> None:
    for nothing in (f"{MX}; none", f'"{MX}" 1; none', f"{MX} (checked nothing);"):
        assert asked(f"{nothing}\n{MX}; dmarc=pass", trusted=MX) == [(None,) * 5]


def test_one_good_signature_is_enough_and_of_other_methods_the_first_counts() -> None:
    field = f"{MX}; dkim=fail header.d=a; dkim=pass header.d=b; dkim=none; spf=fail; spf=pass"
    assert asked(field) == [("fail", "pass", None, None, MX)]


def test_what_was_found_out_stands_beside_its_message() -> None:
    mail = headers(*[{"internal_date": f"2025-03-0{n}"} for n in (1, 2, 3)])
    mail[FIELD] = pd.Series([f"{MX}; spf={one}" for one in ("pass", "fail", "none")], dtype="str")
    told = delivery(way(0, 1, uid=9), mail).set_index("uid")
    assert told["spf"].astype("object").fillna(NOTHING).to_dict() == {
        3: "none",
        2: "fail",
        9: NOTHING,
        1: "pass",
    }
    assert isinstance(told["spf"].dtype, pd.CategoricalDtype)


PIECES = st.lists(
    st.sampled_from(
        [
            MX,
            "spf=pass",
            "dkim=fail",
            "dkim=pass",
            "dmarc=none/1",
            "arc",
            " ",
            "  ",
            "\t",
            ";",
            "; ",
        ]
    )
    | st.sampled_from(
        [
            " smtp.mailfrom=a@b",
            " header.d=x.y",
            "header.b=Q",
            "=",
            "(c)",
            "(x=y;z)",
            "(",
            ")",
            "a.b",
        ]
    )
    | st.sampled_from(["a=b=c", "reason=x", "i=1;", "ü=z", "/1", '"', "\\", "\x1c", "\u00a0", "\n"])
).map("".join)


@given(st.lists(PIECES, min_size=4, max_size=8), st.booleans())
def test_results_are_those_that_the_parser_reads(fields: list[str], is_named: bool) -> None:  # noqa: FBT001
    # What is told of is read from fields made shorter. (Which of several counts is shown above.)
    if is_named:
        fields = [field.replace("\n", "") for field in fields]
    for field, told in zip(fields, asked(*fields, trusted=MX if is_named else None), strict=True):
        results = [
            one
            for one in parse_authentication_results(field.split("\n")[:1])
            if not is_named or one.authserv_id == MX
        ]
        for method, result in zip(("spf", "dkim", "dmarc", "arc"), told, strict=False):
            found = [one.result for one in results if one.method == method]
            best = "pass" if method == "dkim" and "pass" in found else next(iter(found), None)
            assert result == best
        assert told[4] == (results[0].authserv_id if results else None)


# -- what it is asked


@pytest.mark.parametrize("by", ["day", None, 1, ["hop"]])
def test_what_nothing_is_told_by_is_refused(by: Any) -> None:
    with pytest.raises(QueryError, match="'message', 'host', 'hop'"):
        delivery(way(0), by=by)


@pytest.mark.parametrize("tolerance", ["soon", "-1s", 5, None, pd.NaT])
def test_a_tolerance_that_is_no_length_of_time_is_refused(tolerance: Any) -> None:
    with pytest.raises(QueryError, match="no length of time"):
        delivery(way(0), tolerance=tolerance)


@pytest.mark.parametrize("trusted", [5, [5], [None]])
def test_names_that_are_none_are_refused(trusted: Any) -> None:
    with pytest.raises(QueryError, match="names no servers"):
        delivery(way(0), trusted=trusted)


@pytest.mark.parametrize("mail", [None, headers({})])
def test_whom_to_believe_is_no_question_without_fields(mail: pd.DataFrame | None) -> None:
    with pytest.raises(QueryError, match="Authentication-Results"):
        delivery(way(0), mail, trusted=MX)


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(QueryError, match=r"'time' holds .*, not times"):
        delivery(way(0).assign(time="noon"))


def test_no_hops_are_no_rows_with_the_columns_that_there_always_are() -> None:
    for by in ("message", "host", "hop"):
        none, some = delivery(schema.empty("hops"), by=by), delivery(way(0, 1), by=by)
        assert none.empty
        assert none.dtypes.astype("str").equals(some.dtypes.astype("str"))


def test_real_mail_has_clocks_that_disagree(corpora: Path) -> None:
    with mf.open(corpora / "mailbox" / "sa-dev.mbox") as session:
        hops = session.hops()
        mail = session.headers()
    told = delivery(hops, mail)
    assert len(told) == len(mail)
    assert told["hops"].sum() == len(hops)
    assert not (told["total"] < pd.Timedelta(0)).any()
    by_hop = delivery(hops, by="hop")
    assert len(by_hop) == len(hops)
    # By the frame's own delays: where one is negative, clocks disagree.
    back = hops[hops["delay"] < -pd.Timedelta("1s")]
    keys = [column.name for column in schema.KEY]
    stepped = told.merge(back[keys].drop_duplicates(), on=keys)
    assert len(stepped) > 10
    assert stepped["clocks_disagree"].all()
    # In 2002 few servers had the time from the net.
    off = by_hop["off"][by_hop["clock"].isin(["ahead", "behind"])].abs()
    assert 0.75 < (by_hop["clock"] == "ok").mean() < 0.9
    assert off.quantile(0.5) < pd.Timedelta("15min")
    hosts = delivery(hops, by="host").set_index("host")
    assert pd.Timedelta("-16min") < hosts["skew"]["mx1.redhat.com"] < pd.Timedelta("-13min")
