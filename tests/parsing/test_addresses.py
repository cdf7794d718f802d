"""Address lists are read as they are met."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import parse_addresses
from mailframe.parsing.headers import iter_fields
from mailframe.records import Address

if TYPE_CHECKING:
    from pathlib import Path

ANN = Address("Ann", "ann@example.org")
BARE = Address(None, "ann@example.org")


@pytest.mark.parametrize(
    ("raw", "addresses"),
    [
        ("Ann <ann@example.org>", (ANN,)),
        ("ann@example.org", (BARE,)),
        ("<ann@example.org>", (BARE,)),
        ("ann@example.org (Ann)", (ANN,)),
        ("Ann <ann@example.org> (on leave)", (ANN,)),
        ("Ann ann@example.org", (ANN,)),
        ("Ann <ann@example.org", (ANN,)),
        ("Ann <@relay.example:ann@example.org>", (ANN,)),
        ('"Doe, Ann" <ann@example.org>', (Address("Doe, Ann", "ann@example.org"),)),
        ('"A \\"B\\"" <ann@example.org>', (Address('A "B"', "ann@example.org"),)),
        ("=?utf-8?Q?J=C3=B6rg?= <ann@example.org>", (Address("Jörg", "ann@example.org"),)),
        ("=?utf-8?Q?Doe,_Ann?= <ann@example.org>", (Address("Doe, Ann", "ann@example.org"),)),
        ("Ann <ann@example.org>; ann@example.org", (ANN, BARE)),
        ("Team: Ann <ann@example.org>, ann@example.org;", (ANN, BARE)),
        ("undisclosed-recipients:;", ()),
        ("", ()),
        (" , ,", ()),
        ("root", (Address(None, "root"),)),
        ("Undisclosed Sender", (Address("Undisclosed Sender", None),)),
        ('"a b"@example.org', (Address(None, '"a b"@example.org'),)),
    ],
)
def test_addresses_are_read(raw: str, addresses: tuple[Address, ...]) -> None:
    assert parse_addresses(raw) == addresses


@pytest.mark.parametrize(
    "raw",
    [scrap * 50_000 for scrap in ('"', "(", "<", '"\\', '<"\\', "<()", "a ", "=?a?q?")]
    + ["a" + " " * 100_000 + "a", "<" + "()" * 50_000 + ">"],
    ids=range(10),
)
def test_hostile_fields_take_no_time(raw: str) -> None:
    assert len(parse_addresses(raw)) <= len(raw)


@given(st.binary() | st.text(alphabet='ab@<>"(),;: =?\\').map(str.encode))
def test_no_field_makes_it_raise_and_nothing_is_empty(raw: bytes) -> None:
    for address in parse_addresses(raw):
        assert "" not in (address.name, address.address)
        str(address).encode()


# What upstream does otherwise, by a mark of its header: it adds comments to a name that is there,
# keeps the route of RFC 5322 section 4.4, and keeps the blanks before a name.
OTHERWISE = ("(", "@node.test:", "  James Smythe")


def _members(expected: dict[str, Any]) -> list[dict[str, str | None]]:
    if "List" in expected:
        return expected["List"]
    return [member for group in expected["Group"] for member in group["addresses"]]


def test_address_vectors_hold(corpora: Path) -> None:
    vectors = json.loads((corpora / "headers" / "address.json").read_text("utf-8"))
    wrong = []
    for vector in vectors:
        (_, value), *_ = iter_fields(b"To: " + vector["header"].encode())[0]
        got = [{"name": one.name, "address": one.address} for one in parse_addresses(value)]
        if got != _members(vector["expected"]):
            wrong.append(vector["header"])
    assert all(any(mark in header for mark in OTHERWISE) for header in wrong)
    assert len(vectors) - len(wrong) >= 52
