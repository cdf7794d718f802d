"""Header fields are read as another parser's own test vectors have them, or better.

``headers/*.json`` holds fields and what a parser of another project makes of them. What has no
place in our records (groups' names, comments beside a name, languages) is left out of the
comparison, and what that parser cannot say (a moment that does not exist, a protocol that is not
on its list) as well. Every other difference is listed below, with the reason for ours.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from mailframe.parsing import decode_words, parse_addresses, parse_content_type, parse_date
from mailframe.parsing.headers import iter_fields, parse_ids
from mailframe.parsing.received import parse_received

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

BLANK = "it puts a blank where an encoded word touches other text: as sent, there is none"
ROUTE = "RFC 5322 section 4.4: a route is no part of the address, nor are blanks around its dots"
TYPE = "a subtype has no slash (RFC 2045 section 5.1): text/plain, and something behind it"
ZONE = "RFC 5322 section 4.3 gives PST and PDT a meaning"
NOT_A_HOST = "that word is one of a program's words, and names no host"

#: By file: the fields that we read otherwise, and why.
EXCEPTIONS: dict[str, dict[str, str]] = {
    "address": {
        "Pete(A nice \n \\\n ) chap) <pete(his\n account)@silly\n .test(his host)>\n": (
            "RFC 5322 section 4.1: the backslash quotes what follows it, the bracket then closes"
        ),
        "A Group(Some people)\n        :Chris Jones <c@(Chris's host.)public.example>,\n"
        "            joe@example.org,\n     John <jdoe@one.test> (my dear friend);"
        " (the end of the group)\n": "a comment behind a group is nobody",
        "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example\n": ROUTE,
        "John Doe <jdoe@machine(comment).  example>\n": ROUTE,
    },
    "content_type": {
        'image/jpeg;\n   name="=?iso-8859-1?B?4Q==?= =?utf-8?B?w6k=?='
        ' =?iso-8859-1?q?=ED?=.jpeg"\n': (
            "RFC 2047 section 6.2: blanks between encoded words are not shown"
        ),
        "test/encoded; key4*=us-ascii''foo; key*9999=ba%; key2*0=a; key3*0*=us-ascii'en'xyz; "
        'key*0="f\0oo"; key2*1*=b%25; key3*1=plop%; key*1=baz; *=test; =test2;\n': (
            "no NUL is let out"
        ),
        "malicious/attempt; 1*2*=a; 3**=b; 4***=c; *5**6*=d;*****7*8*=e; 9*10*11*12*13*14=f; "
        "15*x***fff*===g;1 * 999999999999999999 *= h; 18 *=*=*=*=*==i;\n": (
            "parameters without a name, or with blanks in it, are none"
        ),
        "text/plain/format\n": TYPE,
        "text/plain/format;charset=us-ascii\n": TYPE,
        "text/plain/format ;charset=us-ascii\n": TYPE,
    },
    "date": {
        " 4 8 15 16 23 42, 4 8 15 16 23 42, 4 8 15 16 23 42, ": "a 4 is no zone of four minutes",
    },
    "received": {
        "from mail pickup service by mail1.insuranceiq.com with Microsoft SMTPSVC;"
        " Thu, 13 Feb 2003 19:05:39 -0500\n": NOT_A_HOST,
        "from [193.220.176.134] by web40310.mail.yahoo.com via HTTP;"
        " Wed, 12 Feb 2003 14:22:21 PST\n": ZONE,
        "from (64.52.135.194 [64.52.135.194]) by mail.unearthed.com with ESMTP id BQB0hUH2"
        " Thu, 20 Feb 2003 16:13:20 -0700 (PST)\n": "the date is plain without its semicolon",
        "from qmail-scanner-general-admin@lists.sourceforge.net by alpha by uid 7791"
        " with qmail-scanner-1.14 (spamassassin: 2.41. Clear:SA:0(-4.1/5.0):."
        " Processed in 0.209512 secs)\n": "the first host counts; uid is none",
        "from MjA3NDc4Mg (unknown) by ismtpd0001p1lon1.sendgrid.net (SG) with HTTP"
        " id aqHKNX2kSp-HiqspAa-uvw for <email@e.example.com>;"
        " Thu, 02 Apr 2020 07:53:55.516 +0000 (UTC)\n": "a fraction does not cost the seconds",
        "FROM helo (1.2.3.4 [1.2.3.4]) BY xxx.com (Rockliffe SMTPRA 10.3.0) WITH SMTP"
        " ID <B0065361981@xxx.com> FOR <foo@bar.net>; Tue, 6 Nov 2018 07:41:26 +0200\n": NOT_A_HOST,
        "(from vashugins@juno.com)  by m06.lax.untd.com (jqueuemail) id LRVB3JAJ;"
        " Fri, 02 Jun 2006 08:15:21 PDT\n": ZONE,
        "(qmail 84907 invoked from network); 13 Feb 2003 20:59:28 -0000\n": NOT_A_HOST,
        "by oak.ein.cz (Postfix, from userid 1002) id DABBD1BED3;"
        " Thu, 13 Feb 2003 14:02:21 +0100 (CET)\n": NOT_A_HOST,
    },
    "unstructured": {
        "[SUSPECTED SPAM]=?utf-8?B?VGhpcyBpcyB0aGUgb3JpZ2luYWwgc3ViamVjdA==?=\n": BLANK,
        "Some text =?utf-8?Q??=here\n": BLANK,
        "[SUSPECTED SPAM]=?utf-8?B?VGhpcyBpcyB0aGUgb\n 3JpZ2luYWwgc3ViamVjdA==?=\n": BLANK,
        "[SUSPECTED SPAM]=?utf-8?B?VGhpcyBpcyB0aGUgb\r\n 3JpZ2luYWwgc3ViamVjdA==?=\r\n": BLANK,
    },
}

_BLANKS = re.compile(r"\s+")
_COMMENT = re.compile(r" \(.*\)$")


def _value(header: str) -> str:
    return iter_fields(b"X: " + header.encode())[0][0][1]


def _squeezed(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _moment(fields: dict[str, Any] | None) -> datetime | None:
    if fields is None:
        return None
    minutes = fields["tz_hour"] * 60 + fields["tz_minute"]
    zone = timezone(timedelta(minutes=-minutes if fields["tz_before_gmt"] else minutes))
    names = ("year", "month", "day", "hour", "minute", "second")
    year, *rest = (fields[name] for name in names)
    # It reads "03" as 1903; RFC 5322 section 4.3 as 2003.
    return datetime(year + 100 if 1900 <= year < 1950 else year, *rest, tzinfo=zone)


def _same_moment(moment: datetime | None, fields: dict[str, Any] | None) -> bool:
    try:
        wanted = _moment(fields)
    except ValueError:  # it read "Fri Feb 07 10:18:12 2003" as of the month 7
        return moment is not None
    if moment is None or wanted is None:
        return moment is wanted
    return moment == wanted and moment.utcoffset() == wanted.utcoffset()


def address(value: str, expected: dict[str, Any]) -> bool:
    """Compare names and addresses; a comment has a place only where there is no name."""
    groups = [expected["List"]] if "List" in expected else []
    groups += [group["addresses"] for group in expected.get("Group", ())]
    wanted = [
        (one["name"] and _squeezed(_COMMENT.sub("", one["name"])), one["address"])
        for group in groups
        for one in group
    ]
    return [(one.name, one.address) for one in parse_addresses(value)] == wanted


def content_type(value: str, expected: dict[str, Any]) -> bool:
    """Compare type and parameters; without a type both halves are RFC 2045's default."""
    kind, parameters = parse_content_type(value)
    if expected is None or not expected["c_subtype"]:
        if kind != "text/plain":
            return False
        if expected is None or "=" in expected["c_type"]:  # it did not look further
            return True
    elif kind != f"{expected['c_type']}/{expected['c_subtype']}":
        return False
    wanted = {
        name: _squeezed(text)
        for name, text in reversed(expected.get("attributes") or [])
        if not name.endswith("-language")
    }
    return {name: _squeezed(text) for name, text in parameters.items()} == wanted


def date(value: str, expected: dict[str, Any] | None) -> bool:
    return _same_moment(parse_date(value)[0], expected)


def ids(value: str, expected: list[str] | None) -> bool:
    return list(parse_ids(value)) == (expected or [])


def words(value: str, expected: list[str]) -> bool:
    """Compare a list of phrases (Keywords)."""
    return [one for one in map(decode_words, map(str.strip, value.split(","))) if one] == expected


def unstructured(value: str, expected: str) -> bool:
    return decode_words(value) == expected


def _host(named: dict[str, str] | None) -> str | None:
    """Return what can be a host's name or address, as `parse_received` tells it."""
    if named is None:
        return None
    name = (named.get("Name") or named["IpAddr"]).lower()
    is_host = name != "unknown" and "@" not in name and not name.isdigit()
    return name if is_host else None


def _hosts(expected: dict[str, Any]) -> list[str]:
    """List who handed the message over, in the order of `parse_received`."""
    told, helo = expected.get("from"), expected.get("helo")
    named = told if told and "Name" in told else None
    if told and expected.get("with") == "Local" and "." not in told.get("Name", "localhost"):
        named = named if named == {"Name": "localhost"} else None  # else it is a user
    return [
        host.lower()
        for host in (
            _host(named),
            expected.get("from_iprev"),
            _host(helo) if helo and "Name" in helo else None,
            expected.get("from_ip"),
            _host(told) if told and "IpAddr" in told else None,
        )
        if host
    ]


def received(value: str, expected: dict[str, Any]) -> bool:
    hop = parse_received(value)
    protocol = expected.get("with")
    return (
        hop.from_host == next(iter(_hosts(expected)), None)
        and hop.by_host == _host(expected.get("by"))
        # It has a list of protocols, and None for one that is not on it.
        and (protocol is None or (hop.protocol or "").endswith(protocol.upper()))
        and _same_moment(hop.time, expected.get("date"))
    )


COMPARE: dict[str, Callable[[str, Any], bool]] = {
    "address": address,
    "content_type": content_type,
    "date": date,
    "id": ids,
    "list": words,
    "received": received,
    "unstructured": unstructured,
}


def test_the_vectors_are_read(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    different: dict[str, list[str]] = {}
    table = ["header vectors       same  of"]
    same = total = 0
    for name, is_same in COMPARE.items():
        vectors = json.loads((corpora / "headers" / f"{name}.json").read_text("utf-8"))
        different[name] = [
            vector["header"]
            for vector in vectors
            if not is_same(_value(vector["header"]), vector["expected"])
        ]
        right = len(vectors) - len(different[name])
        table.append(f"{name:18} {right:6} {len(vectors):4} {100 * right / len(vectors):6.1f} %")
        same += right
        total += len(vectors)
    table.append(f"{'all':18} {same:6} {total:4} {100 * same / total:6.1f} %")
    with capsys.disabled():
        print("", *table, sep="\n")  # noqa: T201 - the table is the point

    assert {name: set(headers) for name, headers in different.items() if headers} == {
        name: set(reasons) for name, reasons in EXCEPTIONS.items()
    }
    assert same >= 0.94 * total
