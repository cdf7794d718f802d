"""The sample mailbox: what lessons and other tests rest on, and that it can be made again."""

from __future__ import annotations

import collections
import gzip
import hashlib
import importlib
import io
import os
import re
import subprocess
import sys
import wave
import zipfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest

import mailframe as mf
from mailframe.parsing import Email, parse_email, parse_hops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.records import Part

DATA = Path(__file__).parent.parent / "data"
SAMPLE = DATA / "sample.mbox.gz"

FOLDERS = (
    "INBOX",
    "Sent",
    "Drafts",
    "Archive",
    "Archive/2024",
    "Newsletters",
    "Junk",
    "Trash",
    "Lists/harbour-choir",
    "Lists/sensor-users",
    "Lists/tideframe-dev",
    "Projects/Blåvinge",
    "Projects/R&D",
    "Projects/東京",
)
SWEDEN = timedelta(hours=1)
VACATION = (datetime(2025, 7, 7, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))

# What is wrong with each, as `parse_email` says it; where that is nothing, the README says what is
# peculiar.
LESSONS = {
    "Lesson: no Date": (),
    "Lesson: no Content-Type": (),
    "Lesson: impossible date": ("unreadable date: Fri, 31 Feb 2025 25:61:00 +0100",),
    "Lesson: two-digit year": ("two-digit year",),
    "Lesson: 8-bit text, no charset": (),
    "Lesson: multipart cut off before its end": (),
    "Lesson: says UTF-8, is windows-1252": ("not utf-8",),
    "Lesson: broken base64": ("cut base64",),
    "Lesson: multipart without a boundary": (),
    "Lesson: raw header, förtöjning": (),
    "Lesson: no Message-ID": (),
    "Lesson: the same Message-ID": (),
    "Lesson: mixed-up quoted-printable": (),
    "Lesson: a blank line that is none": (),
    "Lesson: From without an address": (),
    "Lesson: a charset that nobody knows": ("unknown charset x-skerry-8",),
}


class Entry(NamedTuple):
    """One message of the file, with what stands above it."""

    folder: str
    arrival: datetime
    seen: bool
    state: str
    keywords: tuple[str, ...]
    email: Email
    raw: bytes


_ENTRY = re.compile(
    rb"From (\S+) (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\n"
    rb"X-Folder: ([^\n]+)\nStatus: (RO|O)\nX-Status: ([AFTD]*)\nX-Keywords: ([^\n]*)\n"
)


@pytest.fixture(scope="module")
def data() -> bytes:
    return gzip.decompress(SAMPLE.read_bytes())


@pytest.fixture(scope="module")
def made() -> Iterator[bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DATA)
        yield importlib.import_module("make_sample").generate()


@pytest.fixture(scope="module")
def entries(data: bytes) -> list[Entry]:
    heads = list(_ENTRY.finditer(data))
    ends = [head.start() for head in heads[1:]] + [len(data)]
    found = []
    for head, end in zip(heads, ends, strict=True):
        raw = re.sub(rb"(?m)^>(>*From )", rb"\1", data[head.end() : end - 1])
        found.append(
            Entry(
                head[3].decode(),
                datetime.strptime(head[2].decode(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC),
                head[4] == b"RO",
                head[5].decode(),
                tuple(head[6].decode().split()),
                parse_email(raw),
                raw,
            )
        )
    return found


def of(entries: list[Entry], folder: str) -> list[Entry]:
    return [one for one in entries if one.folder == folder]


def by_subject(entries: list[Entry], subject: str) -> Entry:
    return next(one for one in entries if one.email.subject == subject)


def leaves(part: Part | None) -> Iterator[Part]:
    if part is not None:
        if not part.parts:
            yield part
        for child in part.parts:
            yield from leaves(child)


# -- the file


def test_it_can_be_made_again(data: bytes, made: bytes) -> None:
    assert hashlib.sha256(made).hexdigest() == hashlib.sha256(data).hexdigest()


def test_another_process_makes_the_same(data: bytes) -> None:
    code = (
        "import hashlib, make_sample; "
        "print(hashlib.sha256(make_sample.generate()).hexdigest(), end='')"
    )
    # Other hashes of strings, another time zone, and no locale.
    strange = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=DATA,
        env={**os.environ, **strange, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == hashlib.sha256(data).hexdigest()


def test_it_is_packed_without_name_and_time() -> None:
    head = SAMPLE.read_bytes()[:10]
    assert head[3] == 0  # no name
    assert head[4:8] == bytes(4)  # no time


def test_it_is_small() -> None:
    assert SAMPLE.stat().st_size <= 4_000_000


def test_every_message_has_its_four_lines(data: bytes) -> None:
    count = len(re.findall(rb"(?m)^From \S+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", data))
    assert count == len(_ENTRY.findall(data))
    assert data.startswith(b"From ")
    assert b"\r" not in data


def test_messages_come_by_folder_and_arrival(entries: list[Entry]) -> None:
    places = [(FOLDERS.index(one.folder), one.arrival) for one in entries]
    assert places == sorted(places)


def test_it_opens_as_a_mail_file(entries: list[Entry]) -> None:
    with mf.open(SAMPLE) as session:
        frame = session.headers()
    assert len(frame) == len(entries)
    assert frame["internal_date"].tolist()[::-1] == [one.arrival for one in entries]
    expected = sum("A" in one.state for one in entries)
    assert int(frame["answered"].sum()) == expected


# -- how much of what


def test_counts(entries: list[Entry]) -> None:
    counts = collections.Counter(one.folder for one in entries)
    assert tuple(counts) == FOLDERS
    assert 2_400 <= len(entries) <= 2_600
    assert 900 <= counts["INBOX"] <= 1_200
    assert 400 <= counts["Sent"] <= 700
    assert counts["Drafts"] == 3
    assert min(counts[name] for name in FOLDERS if name != "Drafts") >= 10


def test_flags(entries: list[Entry]) -> None:
    inbox = of(entries, "INBOX")
    assert 0.9 < sum(one.seen for one in inbox) / len(inbox) < 0.99
    assert all(one.state == "T" for one in of(entries, "Drafts"))
    assert all("T" not in one.state for one in entries if one.folder != "Drafts")
    assert any(one.state == "D" for one in of(entries, "Trash"))
    assert all("$Junk" in one.keywords for one in of(entries, "Junk"))
    assert {"$Forwarded", "$Phishing", "work", "lesson"} <= {
        word for one in entries for word in one.keywords
    }


def test_what_the_owner_answered_is_marked(entries: list[Entry]) -> None:
    marked = {one.email.message_id for one in entries if "A" in one.state}
    mine = {one.email.in_reply_to for one in of(entries, "Sent")}
    assert len(marked) > 200
    assert marked <= mine


def test_at_least_twelve_charsets_and_every_encoding(entries: list[Entry]) -> None:
    parts = [part for one in entries for part in leaves(one.email.structure)]
    charsets = collections.Counter(part.charset for part in parts if part.charset)
    wanted = {
        "utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-7", "iso-8859-9", "iso-8859-15",
        "windows-1250", "windows-1251", "windows-1252", "windows-1254", "windows-1255",
        "windows-1256", "koi8-r", "iso-2022-jp", "euc-kr", "gb2312", "gb18030", "big5",
    }  # fmt: skip
    assert wanted <= set(charsets)
    encodings = {part.encoding for part in parts}
    assert {"7bit", "8bit", "quoted-printable", "base64"} <= encodings
    assert any(part.format == "flowed" for part in parts)


def test_subjects_come_in_as_many_charsets(entries: list[Entry]) -> None:
    words = {
        word.lower()
        for one in entries
        for word in re.findall(rb"=\?([^?*]+)\?[BQ]\?", one.raw.partition(b"\n\n")[0])
    }
    assert len(words) >= 12


def test_every_kind_of_message_is_there(entries: list[Entry]) -> None:
    types: set[str] = set()
    for one in entries:
        nodes = [one.email.structure]
        while nodes:
            part = nodes.pop()
            if part is not None:
                types.add(part.content_type)
                nodes.extend(part.parts)
    assert {
        "text/plain", "text/html", "text/calendar", "text/csv", "text/vcard",
        "multipart/alternative", "multipart/mixed", "multipart/related", "multipart/report",
        "multipart/signed", "multipart/digest", "message/rfc822", "message/delivery-status",
        "message/disposition-notification", "application/pdf", "application/zip", "image/png",
        "image/jpeg", "audio/x-wav", "application/pgp-signature", "application/pkcs7-signature",
    } <= types  # fmt: skip


def test_invitations_are_made_answered_and_called_off(entries: list[Entry]) -> None:
    methods = collections.Counter(
        re.findall(rb"(?m)^METHOD:(\w+)$", b"".join(one.raw for one in entries))
    )
    assert set(methods) == {b"REQUEST", b"REPLY", b"CANCEL"}


def test_newsletters_and_lists_say_how_to_leave(entries: list[Entry]) -> None:
    for one in entries:
        names = {name.lower() for name, _ in one.email.headers}
        if one.folder == "Newsletters":
            assert {"list-unsubscribe", "list-unsubscribe-post", "list-id"} <= names
        if one.folder.startswith("Lists/"):
            assert {"list-unsubscribe", "list-post", "list-id"} <= names


# -- when


def test_it_covers_two_years(entries: list[Entry]) -> None:
    arrivals = [one.arrival for one in entries]
    assert min(arrivals).date().isoformat() >= "2024-07-01"
    assert max(arrivals).date().isoformat() <= "2026-06-30"
    months = collections.Counter(f"{arrival:%Y-%m}" for arrival in arrivals)
    assert len(months) == 24
    assert min(months.values()) >= 25


def test_weeks_have_a_rhythm(entries: list[Entry]) -> None:
    wanted = [one for one in entries if one.folder in ("INBOX", "Sent")]
    days = collections.Counter((one.arrival + SWEDEN).weekday() for one in wanted)
    assert min(days[day] for day in range(5)) > 4 * max(days[5], days[6])


def test_days_have_a_lunch(entries: list[Entry]) -> None:
    zone = ZoneInfo("Europe/Stockholm")
    hours = collections.Counter(one.arrival.astimezone(zone).hour for one in of(entries, "Sent"))
    assert hours[10] > 1.5 * hours[12]
    assert hours[14] > 1.3 * hours[12]
    assert sum(hours[hour] for hour in range(8, 18)) > 0.85 * hours.total()


def test_there_is_more_mail_in_the_second_year(entries: list[Entry]) -> None:
    office = [one for one in entries if one.folder not in ("Junk", "Newsletters")]
    second = sum(one.arrival.date().isoformat() >= "2025-07-01" for one in office)
    assert 1.15 < second / (len(office) - second) < 1.7


def test_in_her_vacation_only_the_owners_server_writes_to_customers(entries: list[Entry]) -> None:
    begin, end = VACATION
    away = [one for one in of(entries, "Sent") if begin <= one.arrival < end]
    strangers = [
        one for one in away if not (one.email.to[0].address or "").endswith((".net", ".org"))
    ]
    assert len(strangers) >= 2
    for one in strangers:
        assert dict(one.email.headers)["Auto-Submitted"] == "auto-replied"


def test_dates_are_before_arrival(entries: list[Entry]) -> None:
    for one in entries:
        if one.email.date is not None and "lesson" not in one.keywords:
            delay = one.arrival - one.email.date
            assert timedelta(0) <= delay < timedelta(hours=3), one.email.subject


def test_zones_change_with_the_season(entries: list[Entry]) -> None:
    offsets = {one.email.date.utcoffset() for one in entries if one.email.date is not None}
    minutes = {offset.total_seconds() // 60 for offset in offsets if offset is not None}
    assert {60, 120, -300, -240, 330, 540, -210, -150} <= minutes


def test_servers_stand_in_the_order_of_time(entries: list[Entry]) -> None:
    chains: collections.Counter[int] = collections.Counter()
    for one in entries:
        received = [value for name, value in one.email.headers if name == "Received"]
        hops = parse_hops(received)
        times = [hop.time for hop in hops]
        assert None not in times
        in_order = sorted(time for time in times if time is not None)
        assert times in (in_order, in_order[::-1])
        chains[len(hops)] += 1
    assert {0, 2, 3, 4, 5} <= set(chains)


# -- conversations


def test_every_answer_has_its_question(entries: list[Entry]) -> None:
    ids = {one.email.message_id for one in entries}
    answers = [one for one in entries if one.email.in_reply_to]
    assert len(answers) > 900
    for one in answers:
        assert one.email.in_reply_to in ids
        assert one.email.references[-1] == one.email.in_reply_to


def test_answers_come_later(entries: list[Entry]) -> None:
    dates = {one.email.message_id: one.email.date for one in entries}
    for one in entries:
        before = dates.get(one.email.in_reply_to)
        if one.email.in_reply_to and before is not None:
            assert one.email.date is not None
            assert one.email.date >= before


def test_conversations_branch(entries: list[Entry]) -> None:
    answers = (one.email.in_reply_to for one in entries if one.email.in_reply_to)
    children = collections.Counter(answers)
    assert sum(count > 1 for count in children.values()) > 50
    assert max(len(one.email.references) for one in entries) >= 6


def test_the_outage_is_one_day_of_forty_letters(entries: list[Entry]) -> None:
    about = "Tideline: no new readings since 05:40"
    day = [one for one in entries if (one.email.subject or "").endswith(about)]
    assert len(day) == 42
    assert {one.arrival.date().isoformat() for one in day} == {"2026-02-11"}
    first = next(one for one in day if not one.email.in_reply_to)
    others = [one for one in day if one is not first]
    assert all(one.email.references[0] == first.email.message_id for one in others)


def test_answers_begin_in_many_ways(entries: list[Entry]) -> None:
    prefixes = {(one.email.subject or "").partition(": ")[0] for one in entries}
    assert {"Re", "AW", "SV", "RE", "Fwd", "Ynt"} <= prefixes


# -- what must not be in it


RESERVED = re.compile(r"(?:.+\.)?(?:example|example\.(?:com|net|org))", re.IGNORECASE)
HOSTS = (
    re.compile(r"[\w.+-]@([A-Za-z0-9.-]+)"),
    re.compile(r"https?://([^/\s\"'<>?]+)"),
    re.compile(r"(?:from|by) ([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)[ ;]"),
)


def test_all_domains_are_reserved_for_examples(entries: list[Entry]) -> None:
    for one in entries:
        fields = "\n".join(value for _, value in one.email.headers)
        said = f"{fields}\n{one.email.text or ''}\n{one.email.html or ''}"
        for expression in HOSTS:
            for host in expression.findall(said):
                assert RESERVED.fullmatch(host.rstrip(".")), (one.email.subject, host)


def test_all_addresses_are_reserved_for_documentation(entries: list[Entry]) -> None:
    kept = [
        ip_network(name)
        for name in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    ]
    found = 0
    for one in entries:
        for name, value in one.email.headers:
            if name == "Received":
                for written in re.findall(r"[\[(](?:IPv6:)?([0-9a-f]+[.:][0-9a-f.:]+)[\])]", value):
                    address = ip_address(written)
                    assert any(address in net for net in kept if net.version == address.version)
                    found += 1
    assert found > 2_000


def test_telephone_numbers_are_nobodys(entries: list[Entry]) -> None:
    for one in entries:
        for number in re.findall(r"\+\d[\d ]*[- ]\d{3}-\d{4}", one.email.text or ""):
            assert re.fullmatch(r"\+1 555-01\d\d", number)


# -- single things


def test_only_lessons_have_defects(entries: list[Entry]) -> None:
    for one in entries:
        if "lesson" not in one.keywords:
            assert one.email.defects == (), one.email.subject


def test_each_lesson_is_broken_in_its_way(entries: list[Entry]) -> None:
    found = {one.email.subject: one.email.defects for one in entries if "lesson" in one.keywords}
    assert found == LESSONS


def test_lessons_are_readable_as_far_as_they_can_be(entries: list[Entry]) -> None:
    def lesson(name: str) -> Email:
        return by_subject(entries, f"Lesson: {name}").email

    assert lesson("no Date").date is None
    assert lesson("impossible date").date is None
    assert lesson("8-bit text, no charset").body.startswith("Hej Mira,\n\nbåten går")
    assert "Gr\N{REPLACEMENT CHARACTER}" in lesson("says UTF-8, is windows-1252").body
    assert lesson("broken base64").body.endswith("the harbour had no pow")
    assert lesson("multipart cut off before its end").attachments[0].filename == "levels.csv"
    assert lesson("raw header, förtöjning").from_name == "Åke Sjögren"
    assert lesson("no Message-ID").message_id is None
    assert lesson("mixed-up quoted-printable").body.startswith("The price is € 40")
    assert lesson("From without an address").from_address is None
    assert b"<html>" in by_subject(entries, "Lesson: no Content-Type").raw
    assert lesson("no Content-Type").html is None


def test_one_message_id_comes_twice(entries: list[Entry]) -> None:
    ids = collections.Counter(one.email.message_id for one in entries if one.email.message_id)
    twice = [identity for identity, count in ids.items() if count > 1]
    assert twice == ["lesson.the.same.message.id@skerry.example"]


def test_lines_that_an_mbox_must_quote_come_back(entries: list[Entry]) -> None:
    body = by_subject(entries, "From the pier").email.body
    assert "\nFrom the pier one sees the light.\n>From the light" in body


def test_files_are_what_they_say(entries: list[Entry]) -> None:
    kinds: collections.Counter[str] = collections.Counter()
    for one in entries:
        for attachment in one.email.attachments:
            name, content = attachment.filename or "", attachment.content or b""
            kind = name.rpartition(".")[2]
            kinds[kind] += 1
            if kind in ("docx", "xlsx") or (kind == "zip" and one.folder != "Junk"):
                assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
            elif kind == "wav":
                with wave.open(io.BytesIO(content)) as tone:
                    assert tone.getnframes() == 8_000
            elif kind == "pdf":
                assert content.startswith(b"%PDF-1.4\n")
                assert content.endswith(b"%%EOF\n")
            elif kind == "png":
                assert content.startswith(b"\x89PNG\r\n\x1a\n")
            elif kind in ("jpg", "jpeg"):
                assert content.startswith(b"\xff\xd8")
                assert content.endswith(b"\xff\xd9")
    wanted = {"pdf", "png", "jpg", "docx", "xlsx", "zip", "csv", "vcf", "wav", "eml"}
    assert wanted <= set(kinds)


def test_some_attachments_are_large(entries: list[Entry]) -> None:
    sizes = sorted(attachment.size or 0 for one in entries for attachment in one.email.attachments)
    assert sizes[-1] > 1_000_000
    assert sum(100_000 <= size <= 300_000 for size in sizes) >= 4


def test_file_names_are_written_in_many_scripts(entries: list[Entry]) -> None:
    names = {
        attachment.filename
        for one in entries
        for attachment in one.email.attachments
        if attachment.filename and not attachment.filename.isascii()
    }
    assert len(names) >= 10


def test_the_readme_says_what_is_there(entries: list[Entry]) -> None:
    said = (DATA / "README.md").read_text(encoding="utf-8")
    uids: collections.Counter[str] = collections.Counter()
    for one in entries:
        uids[one.folder] += 1
        if "lesson" in one.keywords:
            assert f"| {one.email.subject} | `{one.folder}` {uids[one.folder]} |" in said
    for folder, count in uids.items():
        assert f"| `{folder}` | {count} |" in said
    assert f"{len(entries):,} messages" in said
    files = [len(one.email.attachments) for one in entries]
    assert f"{sum(map(bool, files))} have attachments, {sum(files)} in all" in said
