"""Who writes to whom, and who stands in the middle."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.analysis.graphs import centrality, to_graphml
from mailframe.analysis.networks import network
from mailframe.exceptions import NotSupportedError, QueryError, SaveError
from tests.analysis.letters import headers
from tests.conftest import require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANN, BOB, CY, DEE = (f"{name}@x.example" for name in ("ann", "bob", "cy", "dee"))
ME = "me@example.com"


def recipients(*messages: dict[str, Any], **key: Any) -> pd.DataFrame:
    """Return a recipients frame: of each message the addresses a role."""
    rows = [
        {
            "account": ME, "folder": "INBOX", "uidvalidity": 1, "uid": uid, **key,
            **{name: value for name, value in message.items() if name in ("folder", "uid")},
            "role": role, "position": position, "name": None, "address": address,
            "domain": address and address.rpartition("@")[2],
        }
        for uid, message in enumerate(messages, 1)
        for role, addresses in message.items() if role not in ("folder", "uid")
        for position, address in enumerate(np.atleast_1d(np.array(addresses, object)).tolist())
    ]  # fmt: skip
    return schema.conform(pd.DataFrame(rows), "recipients") if rows else schema.empty("recipients")


def told(edges: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return edges as (source, target, messages, weight), people without their domain."""
    ends = [edges[end].str.partition("@")[0] for end in ("source", "target")]
    return list(zip(*ends, edges["messages"], edges["weight"], strict=True))


# -- edges


def test_each_message_shares_one_among_those_who_receive_it() -> None:
    frame = recipients(
        {"from": ANN, "to": BOB},
        {"from": ANN, "to": [BOB, CY], "cc": [DEE, ME]},
        {"from": BOB, "to": ANN},
    )
    edges = network(frame)
    assert told(edges) == [
        ("ann", "bob", 2, 1.25), ("ann", "cy", 1, 0.25), ("ann", "dee", 1, 0.25),
        ("ann", "me", 1, 0.25), ("bob", "ann", 1, 1.0),
    ]  # fmt: skip
    assert edges["weight"].sum() == len(frame["uid"].unique())
    assert [str(dtype) for dtype in edges.dtypes] == ["str", "str", "int64", "float64"]


def test_addresses_that_differ_in_case_or_come_twice_are_one() -> None:
    frame = recipients({"from": "Ann@X.example", "to": ["BOB@x.example", BOB], "cc": BOB})
    assert told(network(frame)) == [("ann", "bob", 1, 1.0)]


def test_what_somebody_sends_to_themselves_is_no_edge_and_no_share() -> None:
    frame = recipients({"from": ANN, "to": BOB, "cc": ANN}, {"from": ANN, "to": ANN})
    edges = network(frame)
    assert told(edges) == [("ann", "bob", 1, 1.0)]
    assert edges.attrs["without_edge"] == 1


def test_of_several_authors_the_first_is_who_sent_it() -> None:
    frame = recipients({"from": [DEE, ANN], "sender": CY, "reply_to": CY, "to": BOB})
    assert told(network(frame.iloc[::-1])) == [("dee", "bob", 1, 1.0)]
    nameless = recipients({"from": [None, ANN], "to": BOB})
    assert told(network(nameless)) == [("ann", "bob", 1, 1.0)]


def test_messages_without_a_sender_or_receivers_are_counted() -> None:
    frame = recipients(
        {"from": ANN, "to": BOB}, {"from": None, "to": BOB}, {"from": ANN, "to": ""}, {"to": BOB}
    )
    edges = network(frame)
    assert told(edges) == [("ann", "bob", 1, 1.0)]
    assert edges.attrs["without_edge"] == 3


def test_the_roles_are_chosen() -> None:
    frame = recipients({"from": ANN, "to": BOB, "cc": CY, "bcc": DEE})
    assert told(network(frame, roles="cc")) == [("ann", "cy", 1, 1.0)]
    assert len(network(frame, roles=["to", "cc", "bcc"])) == 3
    for roles in ("from", (), ["to", "reply_to"]):
        with pytest.raises(QueryError, match="are not those of people who receive"):
            network(frame, roles=roles)


def test_without_directions_both_are_one_edge() -> None:
    frame = recipients(
        {"from": BOB, "to": ANN}, {"from": ANN, "to": [BOB, CY]}, {"from": CY, "to": ANN}
    )
    assert told(network(frame, directed=False)) == [("ann", "bob", 2, 1.5), ("ann", "cy", 2, 1.5)]


def test_the_same_uid_in_two_folders_is_two_messages() -> None:
    frame = recipients(
        {"uid": 1, "from": ANN, "to": BOB}, {"uid": 1, "folder": "Sent", "from": BOB, "to": ANN}
    )
    assert told(network(frame)) == [("ann", "bob", 1, 1.0), ("bob", "ann", 1, 1.0)]


# -- with headers


def test_the_copies_of_a_message_count_once() -> None:
    frame = recipients(
        {"from": ANN, "to": BOB},
        {"folder": "Sent", "from": ANN, "to": BOB, "bcc": CY},
        {"from": DEE, "to": BOB},
        {"from": ANN, "to": BOB},
    )
    heads = headers(
        {"message_id": "<1@x>"},
        {"message_id": "<1@x>", "folder": "Sent"},
        {"message_id": "<1@x>"},  # somebody else's message that has the same id all the same
        {"message_id": None},
    )
    assert told(network(frame, headers=heads))[0] == ("ann", "bob", 2, 2.0)
    # What one copy tells and the other does not is true of the message.
    bcc = network(frame, headers=heads, roles=("to", "bcc"))
    assert told(bcc) == [("ann", "bob", 2, 1.5), ("ann", "cy", 1, 0.5), ("dee", "bob", 1, 1.0)]
    apart = network(frame, headers=heads.drop(columns="message_id"))
    assert told(apart)[0] == ("ann", "bob", 3, 3.0)


def test_first_and_last_are_the_dates_of_the_messages() -> None:
    frame = recipients(*[{"from": ANN, "to": BOB}] * 3, {"from": BOB, "to": ANN})
    heads = headers(
        {"date": "2025-03-02"}, {"date": "2025-03-01"}, {"date": None}, {"date": None},
    )  # fmt: skip
    edges = network(frame, headers=heads)
    first, last = pd.Timestamp("2025-03-01", tz="UTC"), pd.Timestamp("2025-03-02", tz="UTC")
    assert edges["first"].tolist()[0] == first
    assert edges["last"].tolist()[0] == last
    assert edges.loc[1, ["first", "last"]].isna().all()
    assert edges["messages"].tolist() == [3, 1]
    assert edges.attrs["undated"] == 2
    received = network(frame, headers=heads, on="internal_date")
    assert set(received["first"]) == {pd.Timestamp("2025-03-01", tz="UTC")}
    assert str(received["last"].dtype) == "datetime64[us, UTC]"


def test_messages_that_headers_do_not_have_do_not_count() -> None:
    frame = recipients({"from": ANN, "to": BOB}, {"from": ANN, "to": CY})
    edges = network(frame, headers=headers({}, {"uid": 9}))
    assert told(edges) == [("ann", "bob", 1, 1.0)]
    assert edges.attrs["without_header"] == 1
    other = network(frame, headers=headers({"uidvalidity": 2}))
    assert other.empty
    assert other.attrs["without_header"] == 2


def test_edges_a_period() -> None:
    frame = recipients(*[{"from": ANN, "to": [BOB, CY]}, {"from": ANN, "to": BOB}] * 2)
    heads = headers(
        {"date": "2025-01-31T23:30"}, {"date": "2025-03-01"}, {"date": None}, {"date": "2025-03-09"}
    )
    edges = network(frame, headers=heads, freq="M")
    assert list(edges.columns[:3]) == ["period", "source", "target"]
    assert [str(period)[:7] for period in edges["period"]] == ["2025-01", "2025-01", "2025-03"]
    assert told(edges) == [("ann", "bob", 1, 0.5), ("ann", "cy", 1, 0.5), ("ann", "bob", 2, 2.0)]
    assert edges.attrs["undated"] == 1
    berlin = network(frame, headers=heads, freq="M", tz="Europe/Berlin")
    assert [str(period)[:7] for period in berlin["period"]] == ["2025-02", "2025-02", "2025-03"]
    assert berlin.attrs["tz"] == "Europe/Berlin"
    own = network(frame, headers=heads.assign(utc_offset=60), freq="M", tz="sender")
    assert [str(period)[:7] for period in own["period"]] == ["2025-02", "2025-02", "2025-03"]


def test_periods_need_headers() -> None:
    with pytest.raises(QueryError, match="Recipients have no dates"):
        network(recipients({"from": ANN, "to": BOB}), freq="M")
    bare = headers({}).drop(columns="utc_offset")
    with pytest.raises(QueryError, match="'utc_offset'"):
        network(recipients({"from": ANN, "to": BOB}), freq="M", headers=bare, tz="sender")


def test_my_own_edges_are_left_out_if_asked() -> None:
    frame = recipients({"from": ANN, "to": [BOB, "Me@example.com"]}, {"from": ME, "to": CY})
    assert len(network(frame)) == 3
    expected = [("ann", "bob", 1, 0.5)]
    assert told(network(frame, without_me=True)) == expected  # the account is an address
    assert told(network(frame, without_me=True, headers=headers({}, {}))) == expected
    assert told(network(frame, without_me=True, me=[CY, ME])) == expected
    assert told(network(frame, without_me=True, me=BOB))[0] == ("ann", "me", 1, 0.5)
    with pytest.raises(QueryError, match="which addresses are yours"):
        network(frame.assign(account="work"), without_me=True)


def test_no_messages_are_a_frame_of_the_same_columns() -> None:
    some, heads = recipients({"from": ANN, "to": BOB}), headers({})
    for options in ({}, {"headers": heads}, {"headers": heads, "freq": "W"}):
        expected = network(some, **options)
        bare = network(recipients(), **options | ({"headers": headers()} if options else {}))
        assert bare.empty
        assert bare.dtypes.equals(expected.dtypes)
    assert network(some, without_me=True, me=ANN).dtypes.equals(network(some).dtypes)


def test_order_index_and_dtype_make_no_difference_and_the_frames_stay_as_they_are() -> None:
    frame = recipients(
        {"from": ANN, "to": [BOB, CY]}, {"from": BOB, "to": ANN}, {"from": None, "to": ANN}
    )
    heads = headers({"date": "2025-03-05"}, {"date": None}, {"message_id": "<1@x>"})
    before, heads_before = frame.copy(), heads.copy()
    expected = network(frame, headers=heads)
    mixed = frame.sample(frac=1, random_state=3).set_axis([7] * len(frame))
    plain = mixed.astype({"account": "str", "folder": "str", "role": "str", "uid": "Int64"})
    again = network(plain, headers=heads.iloc[::-1].astype({"folder": "str"}))
    pd.testing.assert_frame_equal(again, expected)
    pd.testing.assert_frame_equal(network(pd.concat([frame, frame]), headers=heads), expected)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(heads, heads_before)


def test_frames_of_two_accounts_are_joined() -> None:
    one = recipients({"from": ANN, "to": BOB})
    other = recipients({"from": ANN, "to": BOB}, account="you@y.example")
    assert told(network(mf.concat([one, other]))) == [("ann", "bob", 2, 2.0)]
    heads = mf.concat([
        headers({"message_id": "<1@x>"}),
        headers({"message_id": "<1@x>", "account": "you@y.example"}),
    ])  # fmt: skip
    assert told(network(pd.concat([one, other]), headers=heads)) == [("ann", "bob", 1, 1.0)]


def test_the_edges_are_those_of_a_loop_over_messages() -> None:
    random = np.random.default_rng(11)
    people = [f"p{n}@x.example" for n in range(12)]
    frame = recipients(*[
        {"from": people[random.integers(12)],
         "to": [people[n] for n in random.integers(0, 12, random.integers(1, 5))]}
        for _ in range(400)
    ])  # fmt: skip
    expected: dict[tuple[str, str], list[float]] = {}
    for _, rows in frame.groupby("uid"):
        (sender,) = rows.loc[rows["role"] == "from", "address"]
        others = set(rows.loc[rows["role"] == "to", "address"]) - {sender}
        for other in others:
            expected.setdefault((sender, other), []).append(1 / len(others))
    edges = network(frame).set_index(["source", "target"])
    assert set(edges.index) == set(expected)
    for pair, shares in expected.items():
        assert edges.loc[pair, "messages"] == len(shares)
        assert edges.loc[pair, "weight"] == pytest.approx(sum(shares))


def test_columns_that_are_missing_are_named() -> None:
    frame = recipients({"from": ANN, "to": BOB})
    with pytest.raises(QueryError, match=r"'role', 'address'[^$]*session\.recipients\(\)"):
        network(frame.drop(columns=["role", "address"]))
    with pytest.raises(QueryError, match="no columns 'uid', 'date'"):
        network(frame, headers=headers({}).drop(columns=["uid", "date"]))


# -- who stands in the middle


def edges_of(*triples: tuple[Any, ...], names: Sequence[str] = ()) -> pd.DataFrame:
    return pd.DataFrame(triples, columns=["source", "target", "weight", *names])


def test_degrees_and_strengths() -> None:
    edges = edges_of(("a", "b", 2.0), ("b", "a", 1.0), ("a", "c", 0.5), ("c", "c", 9.0))
    table = centrality(edges, ["degree", "strength"]).set_index("address")
    assert table.loc["a"].tolist() == [1, 2, 1.0, 2.5]
    assert table.loc["b"].tolist() == [1, 1, 2.0, 1.0]
    assert table.loc["c"].tolist() == [1, 0, 0.5, 0.0]
    both = centrality(edges, ["degree", "strength"], directed=False)
    assert both.to_numpy().tolist() == [["a", 2, 3.5], ["b", 1, 3.0], ["c", 1, 0.5]]
    assert [str(dtype) for dtype in both.dtypes] == ["str", "int64", "float64"]


def random_edges(people: int, edges: int) -> pd.DataFrame:
    random = np.random.default_rng(4)
    frame = pd.DataFrame(random.integers(0, people, (edges, 2)), columns=["source", "target"])
    frame = (frame[frame["source"] != frame["target"]].astype("str")).drop_duplicates()
    return frame.assign(weight=random.random(len(frame)) + 0.1).reset_index(drop=True)


def by_address(table: pd.DataFrame, measure: str) -> dict[str, float]:
    return dict(zip(table["address"], table[measure], strict=True))


@pytest.mark.parametrize("directed", [True, False])
def test_pagerank_and_betweenness_are_those_of_networkx(*, directed: bool) -> None:
    networkx = require("networkx", "networkx")
    edges = random_edges(40, 90)
    # Both directions of an edge of a graph without directions are added up, as the weights here.
    graph = networkx.DiGraph() if directed else networkx.Graph()
    for source, target, weight in edges.itertuples(index=False):
        known = graph.get_edge_data(source, target, {"weight": 0})["weight"]
        graph.add_edge(source, target, weight=known + weight)
    table = centrality(edges, ["pagerank", "betweenness"], directed=directed)
    assert by_address(table, "betweenness") == pytest.approx(networkx.betweenness_centrality(graph))
    # networkx's own needs scipy: the fixed point of its definition is looked at instead.
    rank = by_address(table, "pagerank")
    walk = graph if directed else graph.to_directed()
    leaving = {one: walk.out_degree(one, weight="weight") for one in walk}
    stuck = sum(rank[one] for one in walk if not leaving[one])
    for one in walk:
        along = sum(rank[k] * walk[k][one]["weight"] / leaving[k] for k in walk.predecessors(one))
        assert rank[one] == pytest.approx(0.15 / len(walk) + 0.85 * (along + stuck / len(walk)))
    assert sum(rank.values()) == pytest.approx(1)
    assert table["pagerank"].is_monotonic_decreasing


def test_pivots_estimate_betweenness_the_same_each_time() -> None:
    require("networkx", "networkx")
    edges = random_edges(60, 200)
    exact, some = (centrality(edges, "betweenness", pivots=n) for n in (None, 30))
    pd.testing.assert_frame_equal(some, centrality(edges, "betweenness", pivots=30))
    pd.testing.assert_frame_equal(exact, centrality(edges, "betweenness", pivots=999))
    assert not some.equals(exact)
    assert set(some["address"][:20]) & set(exact["address"][:10])


def test_with_periods_each_is_a_network_of_its_own() -> None:
    require("networkx", "networkx")
    first, second = random_edges(20, 40), random_edges(25, 70)
    edges = pd.concat([second.assign(period="2025-02"), first.assign(period="2025-01")])
    measures = ["pagerank", "betweenness", "degree", "strength"]
    table = centrality(edges, measures)
    assert table["period"].is_monotonic_increasing
    for period, alone in (("2025-01", first), ("2025-02", second)):
        part = table[table["period"] == period].drop(columns="period").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, centrality(alone, measures))


def test_the_order_of_edges_makes_no_difference() -> None:
    edges = random_edges(20, 60)
    again = edges.sample(frac=1, random_state=1).set_axis([0] * len(edges))
    pd.testing.assert_frame_equal(centrality(again), centrality(edges))
    halves = pd.concat([edges, edges]).assign(weight=lambda frame: frame["weight"] / 2)
    pd.testing.assert_frame_equal(centrality(halves), centrality(edges))


def test_no_edges_are_nobody() -> None:
    require("networkx", "networkx")
    none = network(recipients())
    table = centrality(none, ["pagerank", "degree", "strength", "betweenness"])
    assert table.empty
    some = centrality(edges_of(("a", "b", 1.0)), ["pagerank", "degree", "strength", "betweenness"])
    assert table.dtypes.equals(some.dtypes)
    both = centrality(none, ["degree", "betweenness"], directed=False)
    assert list(both.columns) == ["address", "degree", "betweenness"]


def test_weights_of_nothing_lead_nowhere() -> None:
    table = centrality(edges_of(("a", "b", 0.0), ("b", "c", None)))
    assert table["pagerank"].tolist() == pytest.approx([1 / 3] * 3)


def test_measures_and_columns_that_are_none_are_refused() -> None:
    edges = edges_of(("a", "b", 1.0))
    for measure in ("fame", [], ["degree", "fame"]):
        with pytest.raises(QueryError, match="is no measure"):
            centrality(edges, measure)
    with pytest.raises(QueryError, match=r"'target', 'weight' are missing[^$]*analysis\.network"):
        centrality(edges[["source"]])
    with pytest.raises(QueryError, match="pivots=-1"):
        centrality(edges, "betweenness", pivots=-1)
    assert centrality(edges[["source", "target"]], "degree")["in_degree"].sum() == 1


def test_without_networkx_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    edges = edges_of(("a", "b", 1.0))
    assert len(centrality(edges)) == 2
    with pytest.raises(NotSupportedError, match=r"pip install 'mailframe\[network\]'"):
        centrality(edges, "betweenness")
    with pytest.raises(NotSupportedError, match=r"pip install 'mailframe\[network\]'"):
        to_graphml(edges, tmp_path / "mail.graphml")


# -- GraphML


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    networkx = require("networkx", "networkx")
    frame = recipients({"from": ANN, "to": [BOB, CY]}, {"from": BOB, "to": ANN})
    edges = network(frame, headers=headers({"date": "2025-03-01"}, {"date": None}), freq=None)
    path = to_graphml(edges, tmp_path / "mail.graphml")
    graph = networkx.read_graphml(path)
    assert graph.is_directed()
    assert sorted(graph) == [ANN, BOB, CY]
    assert graph[ANN][BOB] == {
        "id": "0",
        "messages": 1, "weight": 0.5,
        "first": "2025-03-01T00:00:00+00:00", "last": "2025-03-01T00:00:00+00:00",
    }  # fmt: skip
    assert graph[BOB][ANN] == {"id": "0", "messages": 1, "weight": 1.0}
    with pytest.raises(SaveError):
        to_graphml(edges, path)
    to_graphml(edges, path, directed=False, overwrite=True)
    assert not networkx.read_graphml(path).is_directed()


def test_edges_a_period_lie_side_by_side(tmp_path: Path) -> None:
    networkx = require("networkx", "networkx")
    edges = edges_of(
        ("a", "b", 1.0, "2025-01"), ("a", "b", 2.0, "2025-02"), ("a", None, 2.0, "2025-02"),
        names=["period"],
    )  # fmt: skip
    graph = networkx.read_graphml(to_graphml(edges, tmp_path / "mail.graphml"))
    assert [data["period"] for _, _, data in graph.edges(data=True)] == ["2025-01", "2025-02"]


def test_no_address_breaks_the_file(tmp_path: Path) -> None:
    networkx = require("networkx", "networkx")
    edges = edges_of(('a\x01\ufffe<&">@x', "山\U0001f600@例え", 1.0))
    graph = networkx.read_graphml(to_graphml(edges, tmp_path / "mail.graphml"))
    assert sorted(graph) == ['a\ufffd\ufffd<&">@x', "山\U0001f600@例え"]
    empty = to_graphml(network(recipients()), tmp_path / "none.graphml")
    assert len(networkx.read_graphml(empty)) == 0
    with pytest.raises(QueryError, match="'target' is missing"):
        to_graphml(edges[["source"]], tmp_path / "x.graphml")
