"""The report: what it says is true, it is one file, and nothing that mail says can do anything."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe import analysis, schema
from mailframe.exceptions import NotSupportedError, QueryError, SaveError
from mailframe.reporting import document, gathering, words
from tests.analysis.letters import headers
from tests.analysis.odd_mail import ME, ODD_MAIL, SAME_MAIL, usual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.imap.trace import Trace

MAY = "2026-05"
SECTIONS = ["How much", "When", "Who", "How fast answers come", "Who waits",
            "Newsletters and lists", "What fills the mailbox", "Attachments"]  # fmt: skip
HOSTILE = """"'><script>alert(1)</script><img src=//x.example/p onerror=alert(2)><!-- {0} %s"""


@pytest.fixture(scope="module")
def session() -> Iterator[mf.Session]:
    with mf.demo() as session:
        yield session


@pytest.fixture(scope="module")
def of_may(session: mf.Session, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    return mf.report(session, path, period=MAY, tz="Europe/Berlin").read_text("utf-8")


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pictures out, which take most of the time; they have tests of their own."""
    monkeypatch.setattr(document, "_image", lambda *_: "data:image/svg+xml;base64,")


def written(mail: Any, path: Path, **options: Any) -> str:
    return mf.report(mail, path / "report.html", tz="UTC", overwrite=True, **options).read_text(
        "utf-8"
    )


def headings(html: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", html)


def tiles(html: str) -> dict[str, tuple[str, str]]:
    """Return the headline numbers, each with what it was before."""
    found = re.findall(
        '<div><dt>(.*?)</dt><dd class="value">(.*?)</dd>(?:<dd class="before">(.*?)</dd>)?', html
    )
    return {unescape(name): (unescape(value), unescape(before)) for name, value, before in found}


def rows(html: str, section: str) -> list[list[str]]:
    """Return the cells of the tables below a heading."""
    inside = html.partition(f"<h2>{section}</h2>")[2].partition("</section>")[0]
    return [
        [
            unescape(re.sub("<[^>]+>", " ", cell)).strip()
            for cell in re.findall("<t[dh].*?</t[dh]>", row)
        ]
        for row in re.findall('<tr>(<th scope="row".*?)</tr>', inside, re.DOTALL)
    ]


class Tags(HTMLParser):
    """What stands in a page: its elements, and all that could load something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.events: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            if name in {"src", "srcset", "href", "action", "data", "poster", "background"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.events.append(name)


# -- what it says


def test_it_says_all_that_matters(of_may: str) -> None:
    assert headings(of_may) == SECTIONS
    assert "<h1>Mail: May 2026</h1>" in of_may
    assert "mira.holm@fyrbak.example" in of_may


def test_its_numbers_are_those_of_the_frames(of_may: str, session: mf.Session) -> None:
    mail = session.headers(folder="*")
    aside = mail["folder"].isin(["Junk", "Trash"]) | mail["draft"]
    once = mail[~aside & ~mail["message_id"].where(~aside).duplicated()]
    month = once["date"].dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m")
    mine = once["from_address"].str.lower() == "mira.holm@fyrbak.example"
    found = tiles(of_may)
    assert found["Received"][0] == str(len(once[~mine & (month == MAY)]))
    assert found["Sent"][0] == str(len(once[mine & (month == MAY)]))
    assert found["Sent"][1].startswith(f"April 2026: {len(once[mine & (month == '2026-04')])}")
    unread = once[~mine & (month == MAY) & ~once["seen"]]
    assert found["Unread"][0] == str(len(unread))


def test_reply_times_are_those_at_the_end_of_the_period(of_may: str, session: mf.Session) -> None:
    mail = session.headers(folder="*", fields=gathering.FIELDS)
    end = pd.Timestamp("2026-06-01", tz="Europe/Berlin")
    times = analysis.response_times(mail, at=end)
    of_mine = times[(times["direction"] == "mine") & (times["asked"] >= "2026-04-30T22:00Z")]
    letters, answered, typically, *_ = rows(of_may, "How fast answers come")[0][1:]
    assert int(letters) == len(of_mine)
    assert answered.split()[0] == str(of_mine["answered"].sum())
    assert typically == words.length(of_mine["time"].median().round("s"))


def test_who_waits_is_told_as_it_was_at_the_end_of_the_period(
    of_may: str, session: mf.Session
) -> None:
    mail = session.headers(folder="*", fields=gathering.FIELDS)
    end = pd.Timestamp("2026-06-01", tz="Europe/Berlin")
    waiting = analysis.awaiting_reply(mail, whose="me", at=end)
    waiting = waiting[waiting["asked"] >= "2026-04-30T22:00Z"]
    assert tiles(of_may)["Wait for your answer (3 days or more)"][0] == str(len(waiting))
    assert f"Who waits for you: {len(waiting)}" in of_may


def test_attachments_are_those_of_the_period(of_may: str, session: mf.Session) -> None:
    mail = session.headers(folder="*")
    days = mail["date"].dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m")
    counted = mail[(days == MAY) & ~mail["folder"].isin(["Junk", "Trash"])]
    there = int(counted["n_attachments"].sum())
    told = sum(int(row[1]) for row in rows(of_may, "Attachments"))
    assert told == there
    assert told > 0


def test_all_of_the_mail_has_nothing_beside_it(session: mf.Session, tmp_path: Path) -> None:
    html = written(session, tmp_path)
    assert headings(html) == SECTIONS
    assert "<h1>Mail: all of it</h1>" in html
    assert all(before == "" for _, before in tiles(html).values())


def test_a_frame_is_enough(session: mf.Session, tmp_path: Path) -> None:
    mail = session.headers(folder="*", fields=gathering.FIELDS)
    html = written(mail, tmp_path, period=MAY)
    assert headings(html) == SECTIONS[:-1]
    assert "attachments are told where a session is given" in html
    assert tiles(html) == tiles(written(session, tmp_path, period=MAY))


def test_the_same_mail_gives_the_same_file(
    session: mf.Session, tmp_path: Path, of_may: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # with its pictures
    path = mf.report(session, tmp_path / "report.html", period=MAY, tz="Europe/Berlin")
    assert path.read_text("utf-8") == of_may


def test_without_me_there_is_nothing_of_answers(tmp_path: Path) -> None:
    mail = usual().headers.assign(account="mailbox", folder="INBOX")
    html = written(mail, tmp_path)
    assert "How fast answers come" not in headings(html)
    assert "Messages" in tiles(html)
    assert "give me=" in html
    assert "Sent" in tiles(written(mail, tmp_path, me=ME))


def test_a_time_without_mail_has_a_report_that_says_so(session: mf.Session, tmp_path: Path) -> None:
    html = written(session, tmp_path, period="2019-03")
    assert "There is no mail of March 2019." in html
    assert tiles(html)["Received"] == ("0", "February 2019: 0")
    assert headings(html) == []


def test_a_mailbox_without_mail_has_a_report_that_says_so(tmp_path: Path) -> None:
    with mf.demo(messages=0) as session:
        html = written(session, tmp_path)
    assert "There is no mail in this mailbox." in html
    html = written(schema.empty("headers"), tmp_path, period="last-month")
    assert "There is no mail of" in html


def test_mail_of_now_is_in_the_report_of_this_month(tmp_path: Path) -> None:
    now = pd.Timestamp(datetime.now(UTC))
    mail = headers({"date": (now - pd.Timedelta(1, "s")).isoformat()},
                   {"date": (now + pd.Timedelta(90, "D")).isoformat()})  # fmt: skip
    html = written(mail, tmp_path, period="2d", me=ME)
    assert tiles(html)["Received"][0] == "1"  # and not what is dated in the future


def test_two_accounts_are_named(tmp_path: Path) -> None:
    html = written(ODD_MAIL["two sessions"]().headers, tmp_path)
    assert "<p>me@example.com, you@example.net</p>" in html


def test_a_copy_in_another_folder_counts_once_and_takes_room_twice(tmp_path: Path) -> None:
    once, twice = usual().headers, ODD_MAIL["copies"]().headers
    assert tiles(written(once, tmp_path)) == tiles(written(twice, tmp_path))
    html = written(twice, tmp_path)
    assert "96 messages take" in html
    assert "Copies of others among them: 48 messages" in html


def test_junk_and_deleted_mail_counts_under_storage_alone(tmp_path: Path) -> None:
    mail = headers({"folder": "Junk"}, {"folder": "Trash", "uid": 2}, {"uid": 3})
    html = written(mail, tmp_path, me=ME)
    assert tiles(html)["Received"][0] == "1"
    assert "3 messages take" in html
    assert "2 messages junk or deleted" in html


def test_a_folder_for_junk_may_have_any_name() -> None:
    mail = headers({"folder": "Skräp"}, {"uid": 2}, {"uid": 3, "deleted": True})
    folders = schema.empty("folders").reindex([0]).assign(name="Skräp", special_use="\\Junk")
    aside = gathering._aside(mail, folders)
    assert aside.tolist() == [True, False, True]


def test_alarms_that_share_an_id_are_not_copies(tmp_path: Path) -> None:
    mail = headers(*[{"uid": n, "message_id": "<alarm>", "date": f"2025-03-0{n}"}
                     for n in range(1, 6)])  # fmt: skip
    assert tiles(written(mail, tmp_path, me=ME))["Received"][0] == "5"


def test_what_was_sent_counts_before_the_draft_of_it(tmp_path: Path) -> None:
    letter = {"message_id": "<a>", "from_address": ME}
    mail = headers({**letter, "folder": "Drafts", "draft": True}, {**letter, "folder": "Sent"})
    assert tiles(written(mail, tmp_path, me=ME))["Sent"][0] == "1"


def test_what_was_read_in_any_folder_is_read(tmp_path: Path) -> None:
    mail = headers({"message_id": "<a>"}, {"message_id": "<a>", "seen": True, "folder": "All"})
    for frame in (mail, mail[::-1]):
        assert tiles(written(frame, tmp_path, me=ME))["Unread"][0] == "0"


def test_mail_of_before_mail_is_told_where_it_takes_room(tmp_path: Path) -> None:
    mail = headers({"date": "1969-12-31T23:00", "size": 10**9}, {"uid": 2})
    html = written(mail, tmp_path, me=ME)
    assert tiles(html)["Received"][0] == "1"
    assert "2 messages take 1.0 GB" in html
    assert "1 message without a date that can be" in html


def test_nothing_but_junk_is_said_to_be_there(tmp_path: Path) -> None:
    html = written(headers({"folder": "Junk"}), tmp_path, me=ME)
    assert "There is no mail in this mailbox." in html
    assert "1 message takes 1.0 kB" in html


def test_who_wrote_letters_is_no_newsletter_in_another_month(tmp_path: Path) -> None:
    letters = [{"uid": n, "message_id": f"<{n}>", "date": f"2025-03-{n:02}", "subject": "Status",
                "from_address": "status-alerts@example.org"} for n in range(1, 15)]  # fmt: skip
    mine = {"uid": 99, "message_id": "<99>", "date": "2025-02-01", "from_address": ME,
            "to": "status-alerts@example.org", "folder": "Sent"}  # fmt: skip
    assert "Newsletters and lists" in headings(
        written(headers(*letters), tmp_path, me=ME, period="2025-03")
    )
    assert "Newsletters and lists" not in headings(
        written(headers(*letters, mine), tmp_path, me=ME, period="2025-03")
    )


def test_nobody_waits_for_days_that_are_still_to_come(tmp_path: Path) -> None:
    now = pd.Timestamp(datetime.now(UTC))
    mail = headers({"date": (now - pd.Timedelta(5, "min")).isoformat(), "to": ME})
    html = written(mail, tmp_path, me=ME, period=str(now.year))
    assert tiles(html)["Wait for your answer (3 days or more)"][0] == "0"
    assert f"{now.year}, so far" in html


def test_what_came_at_midnight_is_of_the_next_month(tmp_path: Path) -> None:
    asked = {"message_id": "<q>", "date": "2025-03-20", "to": ME}
    reply = {"message_id": "<a>", "in_reply_to": "<q>", "date": "2025-04-01T00:00:00", "uid": 2,
             "from_address": ME, "to": "ann@example.org", "folder": "Sent"}  # fmt: skip
    mail = headers(asked, reply)
    now = tiles(written(mail, tmp_path, me=ME, period="2025-03"))["Answered by you"]
    later = tiles(written(mail, tmp_path, me=ME, period="2025-04"))["Answered by you"]
    assert now[0] == "0\xa0%"
    assert later[1] == "March 2025: 0\xa0%"


def test_what_is_not_known_is_not_none(tmp_path: Path) -> None:
    html = written(headers({"size": None}), tmp_path, me=ME)
    assert tiles(html)["Size"][0] == words.NONE


def test_a_copy_in_the_trash_does_not_hide_the_message(tmp_path: Path) -> None:
    mail = headers({"folder": "Trash", "message_id": "<a>"}, {"message_id": "<a>", "uid": 2})
    assert tiles(written(mail, tmp_path, me=ME))["Received"][0] == "1"


@pytest.mark.parametrize("mail", ODD_MAIL)
def test_odd_mail_has_a_report(mail: str, tmp_path: Path) -> None:
    frame = ODD_MAIL[mail]().headers
    before = frame.copy()
    html = written(frame, tmp_path)
    assert html.endswith("</html>\n")
    assert headings(html) or "There is no mail" in html
    assert "nan" not in re.sub("<[^>]*>", "", html).lower().split()
    pd.testing.assert_frame_equal(frame, before)
    assert written(frame, tmp_path, period="2025-03").endswith("</html>\n")


@pytest.mark.parametrize("change", SAME_MAIL)
def test_the_same_mail_has_the_same_report_in_any_frame(change: str, tmp_path: Path) -> None:
    found = written(SAME_MAIL[change](usual()).headers, tmp_path, period="2025-03")
    assert found == usual_report()


@cache
def usual_report() -> str:
    with TemporaryDirectory() as folder:
        return written(usual().headers, Path(folder), period="2025-03")


# -- one file, in which nothing happens


def test_it_needs_no_other_file(of_may: str) -> None:
    tags = Tags(of_may)
    assert tags.addresses
    assert all(one.startswith("data:image/svg+xml;base64,") for one in tags.addresses)
    assert not tags.names & {"script", "link", "iframe", "object", "embed", "a", "form", "base"}
    assert tags.events == []
    assert "default-src 'none'" in of_may
    assert "@import" not in of_may
    assert "url(" not in of_may


def test_what_mail_says_is_escaped(tmp_path: Path) -> None:
    words_of = {"subject": HOSTILE, "from_name": HOSTILE, "from_address": f"{HOSTILE}@x.example",
                "from_domain": HOSTILE, "list_id": HOSTILE, "account": HOSTILE, "folder": HOSTILE,
                "list_unsubscribe": f"<https://{HOSTILE}/>"}  # fmt: skip
    mail = headers(*[{**words_of, "uid": n, "message_id": f"<{n}>"} for n in range(1, 5)])
    html = written(mail, tmp_path, me=ME)
    tags = Tags(html)
    assert "script" not in tags.names
    assert tags.events == []
    assert all(one.startswith("data:image/svg+xml;base64,") for one in tags.addresses)
    assert "&lt;script&gt;" in html
    assert "<!--" not in html


def test_what_turns_the_direction_of_writing_is_shown_as_a_dot() -> None:
    assert document.shown("pay\u202egnp.exe\x00") == "pay·gnp.exe·"
    joined = "\u0645\u06cc\u200c\u062e\u0648 \U0001f469\u200d\U0001f680 Donau\u00addampf"
    assert document.shown(joined) == joined
    assert document.shown("x" * 10_000) == "x" * 119 + "…"
    assert document.shown(None) == document.shown(float("nan")) == ""


def test_the_way_to_leave_a_newsletter_does_not_tell_who_leaves(tmp_path: Path) -> None:
    mail = headers(*[
        {"uid": n, "list_unsubscribe": "<https://news.example/leave?who=SECRET>", "list_id": "n"}
        for n in range(1, 4)
    ])  # fmt: skip
    html = written(mail, tmp_path, me=ME)
    assert "news.example" in html
    assert "SECRET" not in html
    mail = mail.assign(list_unsubscribe="<mailto:leave-SECRET-me=example.com@news.example>")
    html = written(mail, tmp_path, me=ME)
    assert "news.example" in html
    assert "SECRET" not in html


def test_a_list_is_not_called_by_an_author_of_it(tmp_path: Path) -> None:
    mail = headers(*[
        {"uid": n, "message_id": f"<{n}>", "from_address": f"author{n % 4}@example.org",
         "list_unsubscribe": "<mailto:leave@lists.example>"} for n in range(1, 13)
    ])  # fmt: skip
    named = [row[0] for row in rows(written(mail, tmp_path, me=ME), "Newsletters and lists")]
    assert named == ["a list at lists.example"]


# -- where it goes


def test_an_earlier_report_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    mail = usual().headers
    path = tmp_path / "report.html"
    assert mf.report(mail, path) == path
    mf.report(mail, str(path))
    path.write_text("my notes")
    with pytest.raises(SaveError, match=r"report\.html"):
        mf.report(mail, path)
    assert path.read_text() == "my notes"
    mf.report(mail, path, overwrite=True)
    assert "How much" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "path", ["", "no/such/folder/report.html", "a\0b", ".", "~nobody-at-all/report.html"]
)
def test_a_place_that_cannot_be_written_is_named_before_anything_is_read(
    path: str, session: mf.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with session.tracing() as trace, pytest.raises(SaveError):
        mf.report(session, path)
    assert sent(trace) == []
    assert list(tmp_path.iterdir()) == []


# -- what is asked of the server


def test_only_mail_of_those_times_is_read(session: mf.Session, tmp_path: Path) -> None:
    with session.tracing() as trace:
        written(session, tmp_path, period="2026-05")
    commands = sent(trace)
    searches = [one for one in commands if "SEARCH" in one]
    assert searches
    # 90 days before, and a day for zones.
    assert all("SENTSINCE 30-Jan-2026" in one for one in searches)
    assert not [one for one in commands if re.search(r"STORE|SELECT|COPY|MOVE|APPEND", one)]
    assert not [one for one in commands if re.search(r"BODY\[\]|BODY\.PEEK\[\d", one)]


def sent(trace: Trace) -> list[str]:
    frame = trace.frame
    return list(frame[frame["direction"] == "C"]["line"])


# -- what it is not made of


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="'size'"):
        written(usual().headers.drop(columns="size"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mail", [None, "me@example.com", 5, pd.Series([1]), {"date": []}])
def test_what_is_no_mail_is_refused(mail: Any, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="of a session or of headers"):
        written(mail, tmp_path)


def test_an_asynchronous_session_is_told_how(session: mf.Session, tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match="await session"):
        written(mf.AsyncSession(session), tmp_path)


@pytest.mark.parametrize("options", [{"period": "sometime"}, {"tz": "Mars"}, {"tz": "sender"}])
def test_a_time_that_nobody_knows_is_refused_before_anything_is_read(
    options: dict[str, Any], session: mf.Session, tmp_path: Path
) -> None:
    given = {"period": MAY, "tz": "UTC"} | options
    with session.tracing() as trace, pytest.raises(QueryError):
        mf.report(session, tmp_path / "report.html", **given)
    assert sent(trace) == []


# -- numbers


@pytest.mark.parametrize(
    ("time", "text"),
    [("0s", "0 s"), ("59s", "59 s"), ("60s", "1 min"), ("59min 40s", "1 h"), ("1h", "1 h"),
     ("9h 59min", "9 h 59 min"), ("10h 29min", "10 h"), ("16h 56min", "17 h"), ("24h", "1 day"),
     ("36h", "1 day 12 h"), ("23h 59min", "1 day"), ("9D 23h", "9 days 23 h"),
     ("400D 13h", "401 days"), (None, "\N{EN DASH}")],
)  # fmt: skip
def test_a_length_of_time_has_two_units_at_most(time: str | None, text: str) -> None:
    assert words.length(pd.Timedelta(time)) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [(110, 100, "May: 100 (+10\xa0%)"), (50, 100, "May: 100 (\N{MINUS SIGN}50\xa0%)"),
     (100, 100, "May: 100"), (1, 1000, "May: 1,000 (\N{MINUS SIGN}99\xa0%)"),
     (1004, 1000, "May: 1,000"), (3, 0, "May: 0"), (3, 1, "May: 1"), (3, None, "May: \N{EN DASH}")],
)  # fmt: skip
def test_growth_is_told_where_it_says_something(now: int, before: int | None, text: str) -> None:
    assert words.than_before(now, before, "May") == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0"), (0.001, "<1"), (0.5, "50"), (0.999, "99"), (1, "100")],
)
def test_only_all_is_all_and_only_none_is_none(part: float, text: str) -> None:
    assert words.share(part) == f"{text}\xa0%"
