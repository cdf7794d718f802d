"""Authentication-Results fields are read as servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import parse_authentication_results
from mailframe.records import AuthenticationResult as Result

MX = "mx.example.org"


@pytest.mark.parametrize(
    ("value", "results"),
    [
        pytest.param(
            "mx.example.org; spf=pass (mx.example.org: domain of a@b.example designates"
            " 192.0.2.1; it (really) does) smtp.mailfrom=a@b.example;\r\n"
            "\tdkim=pass header.i=@b.example header.s=2024 header.b=Zk3x/A==;"
            " dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=b.example",
            (
                Result(MX, "spf", "pass", None, (("smtp.mailfrom", "a@b.example"),)),
                Result(
                    MX,
                    "dkim",
                    "pass",
                    None,
                    (("header.i", "@b.example"), ("header.s", "2024"), ("header.b", "Zk3x/A==")),
                ),
                Result(MX, "dmarc", "pass", None, (("header.from", "b.example"),)),
            ),
            id="google",
        ),
        pytest.param(
            "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=b.example; dkim=none (message not"
            " signed) header.d=none;dmarc=bestguesspass action=none header.from=b.example;"
            "compauth=pass reason=109",
            (
                Result(None, "spf", "pass", None, (("smtp.mailfrom", "b.example"),)),
                Result(None, "dkim", "none", None, (("header.d", "none"),)),
                Result(
                    None,
                    "dmarc",
                    "bestguesspass",
                    None,
                    (("action", "none"), ("header.from", "b.example")),
                ),
                Result(None, "compauth", "pass", "109", ()),
            ),
            id="microsoft",
        ),
        pytest.param(
            'mx.example.org 1; DKIM/1 = Fail reason="bad (really; \\"bad\\")" header.d=b.example',
            (Result(MX, "dkim", "fail", 'bad (really; "bad")', (("header.d", "b.example"),)),),
            id="version, blanks and a reason",
        ),
        pytest.param("i=2; mx.example.org; arc=pass (i=1)", (Result(MX, "arc", "pass"),), id="arc"),
        pytest.param(
            "mx.example.org spf=pass smtp.mailfrom=a@b.example dkim=pass header.d=b.example",
            (
                Result(MX, "spf", "pass", None, (("smtp.mailfrom", "a@b.example"),)),
                Result(MX, "dkim", "pass", None, (("header.d", "b.example"),)),
            ),
            id="without semicolons",
        ),
        pytest.param(
            'mx.example.org; spf=pass smtp.mailfrom="a b"@c.example',
            (Result(MX, "spf", "pass", None, (("smtp.mailfrom", '"a b"@c.example'),)),),
            id="quoted local part",
        ),
        pytest.param(
            "mx.example.org; spf=pass (never closed; dkim=none",
            (Result(MX, "spf", "pass"), Result(MX, "dkim", "none")),
            id="open comment",
        ),
        pytest.param("mx.example.org; none", (), id="nothing checked"),
        pytest.param(
            "mx.example.org smtp.mail=a@b.example; spf=pass",
            (Result(MX, "spf", "pass"),),
            id="a property of nothing",
        ),
        pytest.param("", (), id="empty"),
        pytest.param(";;=;a=", (), id="rubbish"),
    ],
)
def test_results_are_read(value: str, results: tuple[Result, ...]) -> None:
    assert parse_authentication_results([value]) == results


def test_fields_keep_their_order() -> None:
    values = (f"{name}.example; spf=pass" for name in "abc")
    results = parse_authentication_results(values)
    assert [one.authserv_id for one in results] == ["a.example", "b.example", "c.example"]


def test_no_more_is_read_than_anybody_needs() -> None:
    assert len(parse_authentication_results(["x; spf=pass;" + "spf=fail;" * 10_000])) == 200
    assert len(parse_authentication_results(["x; spf=pass"] * 1_000)) == 50
    [result] = parse_authentication_results(["x; spf=pass a.b=" + "c" * 10_000])
    assert result.properties == (("a.b", "c" * 1_000),)


@pytest.mark.parametrize(
    "scrap", ["(", "()", '"', '"\\', ";", "=", "a=", "a.", "x; a.", "spf=pass "]
)
def test_hostile_fields_take_no_time(scrap: str) -> None:
    # Were any step quadratic, this would take minutes.
    assert len(parse_authentication_results([scrap * 100_000] * 50)) <= 200


@given(st.lists(st.text() | st.text(alphabet='spf=pass; ()"\\./\udc80\0')))
def test_no_text_makes_it_raise(values: list[str]) -> None:
    repr(parse_authentication_results(values)).encode()
    for result in parse_authentication_results(values):
        for text in (result.authserv_id, result.reason, *(value for _, value in result.properties)):
            assert text is None or (text.encode() is not None and "\0" not in text)
