"""Whatever bytes come, values come back: nothing is raised, no NUL and no half character let out.

Hypothesis puts together what breaks parsers; Atheris looks for more of it, guided by coverage.
``pytest --full`` makes 360,000 cases of it, a plain run a seeded part.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import require
from tests.fuzz.entries import ENTRIES, check

CHECKOUT = Path(__file__).parents[2]
MESSAGES = sorted((CHECKOUT / "tests" / "data").rglob("*.eml"))

# Beginnings and ends of everything that the parsers know, and what does not belong there.
SCRAPS = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Received: ", b"References: ",
        b"Message-ID: ", b"Content-Type: ", b"Content-Disposition: attachment; filename",
        b"multipart/mixed; boundary=b", b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: x-uuencode",
        b"text/html; charset=", b"message/rfc822", b"text/plain; format=flowed; delsp=yes",
        b'multipart/alternative; boundary="b "', b"\r\n", b"\n", b"\r", b"\n\n", b"\r\n\r\n",
        b"\n ", b"\r\n\t", b" ", b"--b", b"--b--", b"-- ", b"=?utf-8?q?", b"=?utf-8?B?",
        b"=?iso-2022-jp?b?", b"=?", b"?=", b"=C3=", b"=", b"==", b"\x1b$B", b"utf-8", b"utf-7",
        b"utf-16", b"gb18030", b"iso-2022-kr", b"hz", b"unicode-escape", b"idna", b"*0*=", b"*1=",
        b"''", b"%", b"%E4", b'"', b"\\", b"(", b")", b"<", b">", b"@", b",", b";", b":",
        b"Ann <ann@example.org>", b"Fri, 21 Nov 1997 09:55:06 -0600", b"99", b"Feb", b"+9999", b"0",
        b"from a by b with c id d for <e>; ", b"begin 644 a\n", b"#0V%T\n", b"`\nend\n", b"<p>",
        b"</p>", b"<table><tr><td>", b"<a href='http://a.example/'>", b"<style>", b"<!--", b"-->",
        b"<b>", b"<svg>", b"<template>", b"&nbsp;", b"&#0;", b"&#xD800;", b"display:none",
        b"<![CDATA[", b"\0", b"\xff", b"\xed\xa0\x80", "ü".encode(), "\u202e".encode(), b"a",
        b"word ",
    ]
)  # fmt: skip
PIECES = st.lists(SCRAPS | st.binary(max_size=4), max_size=30).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Cut a real message, and put pieces into it."""
    raw = draw(st.sampled_from(MESSAGES)).read_bytes()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 40)))
        raw = raw[:start] + draw(PIECES) + raw[end:]
    return raw


@pytest.mark.parametrize("name", ENTRIES)
def test_any_bytes_become_values(name: str, full: bool) -> None:  # noqa: FBT001 a fixture
    @settings(
        max_examples=10_000 if full else 300,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PIECES | damaged())
    def run(raw: bytes) -> None:
        check(name, raw)

    run()


@pytest.mark.parametrize("name", ENTRIES)
def test_what_coverage_leads_to_becomes_values(name: str, full: bool) -> None:  # noqa: FBT001 a fixture
    require("atheris", "atheris")
    runs = 10_000 if full else 1_000
    seeds = {str(path.parent) for path in MESSAGES}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz",
            name,
            "--runs",
            str(runs),
            "--seeds",
            *seeds,
        ],
        capture_output=True,
        check=False,
        cwd=CHECKOUT,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"stat::number_of_executed_units: {runs}" in done.stderr


def test_a_parser_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENTRIES, "email", lambda raw: raw.decode("latin-1"))
    with pytest.raises(AssertionError):
        check("email", b"a\0b")
    monkeypatch.setitem(ENTRIES, "email", lambda raw: ["\ud800", raw])
    with pytest.raises(AssertionError):
        check("email", b"")
