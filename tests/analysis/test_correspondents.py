"""The domains that mail is from, and the people it is to."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.analysis.correspondents import domains, recipients
from mailframe.analysis.registrable import registrable
from mailframe.analysis.senders import senders
from mailframe.exceptions import NotSupportedError, QueryError
from tests.analysis.letters import headers

if TYPE_CHECKING:
    from collections.abc import Iterator

# -- domains


def from_domains(*names: str | None) -> pd.DataFrame:
    return headers(*[
        {"from_domain": name, "from_address": name and f"a@{name}"} for name in names
    ])  # fmt: skip


def test_domains_are_senders_by_domain() -> None:
    frame = from_domains("x.example", "X.example", "y.example", None)
    assert domains(frame)["domain"].tolist() == ["x.example", "y.example"]
    pd.testing.assert_frame_equal(domains(frame, top=1), senders(frame, by="domain", top=1))
    ages = {"at": "2030-01-01", "dormant_after": "1y", "new_within": "20y", "me": "a@x.example"}
    table = domains(frame, **ages)
    assert table[["dormant", "new", "internal"]].to_numpy().tolist() == [
        [True, True, True], [True, True, False],
    ]  # fmt: skip


def test_what_somebody_registered_is_one() -> None:
    frame = from_domains("mail.shop.co.uk", "SHOP.co.uk", "x.example", None)
    before = frame.copy()
    table = domains(frame, registrable=True)
    assert table[["domain", "addresses", "messages"]].to_numpy().tolist() == [
        ["shop.co.uk", 2, 2], ["x.example", 1, 1],
    ]  # fmt: skip
    assert table.attrs["without_sender"] == 1
    pd.testing.assert_frame_equal(frame, before)
    assert domains(headers(), registrable=True).empty


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.c.co.uk", "c.co.uk"),
        ("mail.example.com", "example.com"),
        ("MAIL.Example.COM.", "example.com"),
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("a.b.unknown", "b.unknown"),
        ("x.xn--bcher-kva.example.com", "example.com"),
        ("somebody.github.io", "github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("192.168.1.10", "192.168.1.10"),
        ("[192.168.1.10]", "[192.168.1.10]"),
        ("[ipv6:::1]", "[ipv6:::1]"),
        ("", ""),
        ("..", ".."),
        ("a b", "a b"),
        ("x" * 3000 + ".co.uk", "x" * 3000 + ".co.uk"),
    ],
)
def test_domains_are_cut_at_the_public_suffix(host: str, domain: str) -> None:
    assert registrable(pd.Series([host, None], index=[7, 7])).fillna("-").tolist() == [domain, "-"]


def test_neither_the_network_nor_a_file_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(os, "makedirs", refuse)
    assert registrable(pd.Series(["a.b.example.org"])).tolist() == ["example.org"]


@pytest.fixture(autouse=True)
def fresh_reader() -> Iterator[None]:
    reader = sys.modules[registrable.__module__]._reader
    reader.cache_clear()
    yield
    reader.cache_clear()


def test_without_tldextract_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tldextract", None)
    with pytest.raises(NotSupportedError, match=r"pip install 'mailframe\[domains\]'"):
        domains(from_domains("x.example"), registrable=True)
    assert domains(from_domains("x.example"))["domain"].tolist() == ["x.example"]
    table = senders(from_domains("x.example"), me="a@x.y.example")  # done without
    assert table["internal"].tolist() == [False]


# -- recipients


def written(*messages: dict[str, list[str | None]], **others: Any) -> pd.DataFrame:
    """Return recipients: of each message the addresses a field."""
    rows = [
        {
            "account": "me@example.com", "folder": "Sent", "uidvalidity": 1, "uid": uid,
            "role": role, "position": place, "name": None, "address": address,
            "domain": address and address.rpartition("@")[2].lower(), **others,
        }
        for uid, fields in enumerate(messages, 1)
        for role, addresses in fields.items()
        for place, address in enumerate(addresses)
    ]  # fmt: skip
    return schema.conform(pd.DataFrame(rows), "recipients") if rows else schema.empty("recipients")


A, B = "ann@x.example", "bob@y.example"


def test_a_recipient_s_messages_are_counted_by_field() -> None:
    frame = written(
        {"from": [B], "to": ["Ann@x.example", A], "cc": [A]},
        {"from": [B], "to": [B], "bcc": [A]},
        {"from": [B], "to": [B]},
        {"from": [B]},
    )
    table = recipients(frame)
    assert table.to_dict("list") == {
        "address": [A, B],
        "name": [pytest.approx(float("nan"), nan_ok=True)] * 2,
        "messages": [2, 2],
        "share": [2 / 3, 2 / 3],
        "to": [1, 2],
        "cc": [1, 0],
        "bcc": [1, 0],
    }
    assert table.attrs == {"messages": 3, "without_recipient": 0}
    assert recipients(frame, top=1)["address"].tolist() == [A]
    assert recipients(frame, roles="bcc").columns.tolist()[-1] == "bcc"
    senders_too = recipients(frame, roles=["from", "to"])
    assert senders_too["messages"].tolist() == [4, 1]
    assert senders_too["from"].tolist() == [4, 0]


def test_recipients_may_be_domains_or_names() -> None:
    frame = written({"to": [A, "cy@X.example"], "cc": [B]}, {"to": [A]})
    frame["name"] = pd.Series(["Ann", "", "Bob", "Ann"], dtype="str")
    table = recipients(frame, by="domain")
    assert table[["domain", "addresses", "messages", "to"]].to_numpy().tolist() == [
        ["x.example", 2, 2, 2], ["y.example", 1, 1, 0],
    ]  # fmt: skip
    names = recipients(frame, by="name")
    assert names[["name", "address", "messages"]].to_numpy().tolist() == [
        ["Ann", A, 2], ["Bob", B, 1],
    ]  # fmt: skip
    assert names.attrs["without_recipient"] == 1
    assert recipients(frame)["name"].fillna("").tolist() == ["Ann", "Bob", ""]


def test_with_headers_it_is_told_when() -> None:
    frame = written({"to": [A]}, {"to": [A, B]}, {"to": [A]}, {"to": [B]})
    dates = headers(
        {"folder": "Sent", "date": "2025-03-02", "internal_date": "2025-04-01"},
        {"folder": "Sent", "date": "2025-03-01", "internal_date": "2025-04-02"},
        {"folder": "Sent", "date": None},
    )
    table = recipients(frame, headers=dates)
    times = [pd.Timestamp(day, tz="UTC") for day in ("2025-03-01", "2025-03-02")]
    assert table[["first", "last"]].iloc[0].tolist() == times
    assert table[["first", "last"]].iloc[1].tolist() == [times[0]] * 2
    assert str(table["last"].dtype) == "datetime64[us, UTC]"
    other = recipients(frame, headers=dates, on="internal_date")
    assert other["last"].iloc[1] == pd.Timestamp("2025-04-02", tz="UTC")
    # The same in another order and index, joined from two sessions, in two folders.
    copies = mf.concat([dates, dates.assign(folder="A")]).sample(frac=1, random_state=1)
    mixed = mf.concat([frame, written({"to": [A]}, account="you")]).set_axis([1] * 6)
    pd.testing.assert_frame_equal(
        recipients(mixed[(mixed["account"] != "you").to_numpy()], headers=copies), table
    )
    elsewhere = recipients(frame, headers=dates.assign(uidvalidity=2))
    assert elsewhere["first"].isna().all()


def test_no_recipients_are_a_table_of_the_same_columns() -> None:
    for by in ("address", "domain", "name"):
        for dates in (None, headers()):
            none = recipients(written(), by=by, headers=dates)
            assert none.empty
            some = recipients(written({"to": [A]}, name="Ann"), by=by, headers=dates)
            assert none.dtypes.equals(some.dtypes)
    nobody = recipients(written({"to": [None, ""]}))
    assert nobody.empty
    assert nobody.attrs["without_recipient"] == 2


@pytest.mark.parametrize("dtype", ["str", "category"])
def test_order_index_and_dtype_make_no_difference(dtype: str) -> None:
    frame = written({"to": [A, B], "cc": [None]}, {"to": [B], "from": [A]})
    before = frame.copy()
    expected = recipients(frame)
    mixed = frame.iloc[[3, 1, 4, 0, 2]].set_axis([2, 2, 2, 0, 0])
    text = dict.fromkeys(["account", "folder", "role", "address", "name", "domain"], dtype)
    pd.testing.assert_frame_equal(recipients(mixed.astype(text)), expected)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "role"}, "by='role' is no kind of recipient"),
        ({"by": ["name"]}, "is no kind of recipient"),
        ({"top": -1}, "top=-1 is no number of"),
        ({"roles": ("to", "too")}, "'too' is no role"),
        ({"roles": ()}, "names no role"),
        ({"headers": pd.DataFrame({"uid": [1]})}, "no columns 'account', 'folder', 'uidvalidity'"),
        ({"headers": headers({}), "on": "time"}, "on='time' is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        recipients(written({"to": [A]}), **options)


def test_headers_are_no_recipients() -> None:
    with pytest.raises(QueryError, match=r"session\.recipients\(\) returns them"):
        recipients(headers({}))
