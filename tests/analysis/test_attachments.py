"""What is attached to messages, and what kind of thing it is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis import attachments
from mailframe.analysis.families import FAMILIES, extensions, families
from mailframe.exceptions import QueryError
from tests.analysis.files import files
from tests.analysis.letters import dated, headers


def test_what_is_told_of_a_type() -> None:
    frame = files(
        {"size": 10}, {"size": 13}, {"uid": 2, "size": None},
        {"uid": 2, "content_type": "image/png", "size": 77},
    )  # fmt: skip
    frame.attrs = {"accounts": ["me@example.com"]}
    table = attachments(frame)
    assert table["type"].tolist() == ["image/png", "application/pdf"]
    assert table.iloc[1].to_dict() == {
        "type": "application/pdf",
        "attachments": 3,
        "messages": 2,
        "size": 23,
        "share": 0.23,
        "median_size": 12,
        "largest": 13,
    }
    assert table.attrs == {
        "accounts": ["me@example.com"], "inline": 0, "size": 100, "without_size": 1,
    }  # fmt: skip


def test_what_is_shown_within_the_text_counts_if_asked() -> None:
    frame = files({}, {"inline": True, "content_type": "image/png"})
    assert attachments(frame)["type"].tolist() == ["application/pdf"]
    assert attachments(frame).attrs["inline"] == 1
    every = attachments(frame.drop(columns="inline"), inline=True)
    assert every["attachments"].sum() == 2
    assert every.attrs["inline"] == 0


def test_files_are_told_by_name_and_by_how_that_ends() -> None:
    frame = files(*[{"filename": name} for name in ("a.PDF", "b.pdf", "a.PDF", None)])
    by_name = attachments(frame, by="name")
    assert by_name["name"].tolist()[:2] == ["a.PDF", "b.pdf"]
    assert by_name["attachments"].tolist() == [2, 1, 1]
    by_end = attachments(frame, by="extension", top=1)
    assert by_end["extension"].tolist() == ["pdf"]
    assert by_end["share"].tolist() == [0.75]


def test_who_sent_them_is_told_by_headers() -> None:
    frame = files({"uid": 1}, {"uid": 2, "size": 5000}, {"uid": 2}, {"uid": 9}, {"uid": 3})
    heads = headers(
        {"date": "2025-03-01"},
        {"from_address": "bob@example.com", "from_domain": "example.com", "date": "2025-03-02"},
        {"from_address": "Ann@Example.org", "date": None},
    )
    table = attachments(frame, headers=heads, by="address")
    assert table["address"].tolist()[:2] == ["bob@example.com", "ann@example.org"]
    assert table["address"].isna().tolist() == [False, False, True]
    assert table["attachments"].tolist() == [2, 2, 1]
    assert table["messages"].tolist() == [1, 2, 1]
    assert table["first"].tolist()[:2] == list(
        pd.to_datetime(["2025-03-02", "2025-03-01"], utc=True)
    )
    assert table["last"].isna().tolist() == [False, False, True]
    assert table.attrs["without_header"] == 1
    assert attachments(frame, headers=heads, by="direction")["direction"].iloc[0] == "received"
    assert attachments(frame, headers=heads, by="seen")["attachments"].tolist() == [4, 1]
    assert attachments(frame, headers=heads, by="folder")["attachments"].tolist() == [5]


def test_headers_of_another_order_and_other_categories_are_found() -> None:
    frame = files({"uid": 1, "account": "a@x"}, {"uid": 2, "account": "b@x"})
    heads = headers(
        {"uid": 2, "account": "b@x", "from_address": "two@x"},
        {"uid": 2, "account": "a@x", "from_address": "none@x"},
        {"uid": 1, "account": "a@x", "from_address": "one@x"},
    )
    table = attachments(frame, headers=heads.astype({"account": "str"}), by="address")
    assert table["address"].tolist() == ["one@x", "two@x"]


def test_periods_without_attachments_are_there_too() -> None:
    frame = files({"uid": 2, "size": 7}, {"uid": 2, "size": 8}, {"uid": 3}, {"uid": 5})
    heads = dated("2025-01-10", "2025-02-28T23:30", None, "2025-04-01")
    table = attachments(frame, headers=heads, by="period", tz="Europe/Berlin")
    assert table["period"].dt.month.tolist() == [1, 2, 3, 4]
    assert table["attachments"].tolist() == [0, 0, 2, 0]
    assert table["messages"].tolist() == [0, 0, 1, 0]
    assert table["size"].tolist() == [0, 0, 15, 0]
    assert table["median_size"].isna().tolist() == [True, True, False, True]
    assert table["share"].round(3).tolist() == [0, 0, 0.007, 0]  # of the undated ones as well
    assert table.attrs["undated"] == 2
    assert table.attrs["without_header"] == 1
    assert len(attachments(frame, headers=heads, by="period", freq="Y")) == 1
    assert attachments(frame, headers=heads, by="period", top=1).equals(
        attachments(frame, headers=heads, by="period")
    )


def test_columns_have_the_same_dtypes_without_rows() -> None:
    heads = headers({})
    for options in ({}, {"by": "family"}, {"by": "extension"}, {"by": "address"},
                    {"by": "period"}):  # fmt: skip
        needs: dict[str, Any] = (
            {"headers": heads} if options.get("by") in {"address", "period"} else {}
        )
        some, none = (attachments(one, **options, **needs) for one in (files({}), files()))
        assert none.drop(columns="type", errors="ignore").dtypes.equals(
            some.drop(columns="type", errors="ignore").dtypes
        )
        assert none["attachments"].sum() == 0


def test_the_sample_mailbox_has_as_many_as_its_headers_say() -> None:
    with mf.demo() as session:
        heads = session.headers(folder="*", progress=False)
        frame = session.attachments(folder="*", progress=False)
    table = attachments(frame, headers=heads, by="address")
    assert table["attachments"].sum() == heads["n_attachments"].sum()
    assert table["size"].sum() == heads["attachment_size"].sum()
    assert table["messages"].sum() == (heads["n_attachments"] > 0).sum()
    assert table.attrs["without_header"] == 0


@pytest.mark.parametrize("by", ["address", "domain", "list", "direction", "period"])
def test_what_headers_tell_is_not_asked_without_them(by: str) -> None:
    with pytest.raises(QueryError, match=f"by='{by}' is told by headers, and there are none"):
        attachments(files({}), by=by)


@pytest.mark.parametrize("by", ["sender", None, 7, ["type"]])
def test_what_nothing_can_be_grouped_by_is_refused(by: Any) -> None:
    with pytest.raises(QueryError, match="is nothing that messages can be grouped by"):
        attachments(files({}), by=by)
    with pytest.raises(QueryError, match="is nothing that messages can be grouped by"):
        attachments(files({}), headers=headers({}), by=by)


def test_columns_that_are_missing_are_named() -> None:
    frame, heads = files({}), headers({})
    with pytest.raises(QueryError, match="no column 'inline'"):
        attachments(frame.drop(columns="inline"))
    with pytest.raises(QueryError, match="no column 'content_type'"):
        attachments(frame.drop(columns="content_type"), by="family")
    with pytest.raises(QueryError, match="no column 'from_domain'"):
        attachments(frame, headers=heads.drop(columns="from_domain"), by="domain")
    with pytest.raises(QueryError, match="no column 'utc_offset'"):
        attachments(frame, headers=heads.drop(columns="utc_offset"), by="period", tz="sender")
    with pytest.raises(QueryError, match="name of a column of the result"):
        attachments(frame, by="size")
    with pytest.raises(QueryError, match="no length of a period"):
        attachments(frame, headers=heads, by="period", freq="fortnight")


# -- what kind of thing a file is


@pytest.mark.parametrize(
    ("content_type", "family"),
    [
        ("image/jpeg", "pictures"),
        ("application/pdf", "PDF"),
        ("application/msword", "office documents"),
        ("application/vnd.ms-excel.sheet.macroenabled.12", "office documents"),
        ("application/vnd.oasis.opendocument.text", "office documents"),
        ("text/rtf", "office documents"),
        ("application/x-zip-compressed", "archives"),
        ("application/gzip", "archives"),
        ("audio/mpeg", "audio and video"),
        ("video/mp4", "audio and video"),
        ("text/calendar", "calendar"),
        ("message/rfc822", "messages"),
        ("application/pgp-signature", "signatures"),
        ("application/pkcs7-signature", "signatures"),
        ("text/csv", "text"),
        ("application/json", "text"),
        ("application/pkcs7-mime", "other"),
        ("application/x-strange", "other"),
        ("pdf", "other"),
        ("IMAGE/PNG", "pictures"),
    ],
)
def test_a_type_is_of_one_family(content_type: str, family: str) -> None:
    assert families(pd.DataFrame({"content_type": [content_type]})).tolist() == [family]


def test_what_a_type_leaves_open_the_name_tells() -> None:
    names = ["a.pdf", "b.DOCX", "c.tar.gz", "d.jpg", "e", None, "f.unheard", "g.p7s"]
    frame = pd.DataFrame({"content_type": "application/octet-stream", "filename": names})
    expected = ["PDF", "office documents", "archives", "pictures", "other", "other", "other",
                "signatures"]  # fmt: skip
    assert families(frame).tolist() == expected
    assert set(families(frame[["content_type"]])) == {"other"}
    # A type that says something is believed, whatever the file is called.
    assert families(frame.assign(content_type="text/plain")).unique().tolist() == ["text"]


def test_families_are_one_vocabulary() -> None:
    assert families(files()).cat.categories.tolist() == list(FAMILIES)
    frame = files({}, {"content_type": None}).set_axis([5, 5])
    assert families(frame).index.tolist() == [5, 5]
    assert families(frame).tolist() == ["PDF", "PDF"]  # by its name


def test_how_a_name_ends() -> None:
    names = ["a.PDF", "a.tar.gz", ".profile", "a.", "a", None, "a.b c", "x . pdf", "é.äö ",
             "dir/.ssh", "x" * 3000 + ".txt", "a." + "x" * 40, ""]  # fmt: skip
    found = extensions(pd.DataFrame({"filename": pd.Series(names, dtype="str")}))
    assert found.fillna("-").tolist() == ["pdf", "gz", *["-"] * 5, "-", "äö", "-", "txt", "-", "-"]
