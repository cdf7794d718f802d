"""A small mailbox, and what becomes of it: mail that is odd, and the same mail in odd frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

import mailframe as mf
from mailframe import schema
from tests.analysis.letters import DEFAULTS, headers

if TYPE_CHECKING:
    from collections.abc import Callable

ME = "me@example.com"
PEOPLE = {
    "ann@example.org": "Ann Ash",
    "bob@mail.example.co.uk": "Bob Birch",
    "cy@example.com": "Cy Cedar",
    "list@lists.example.net": "",
    "Dee@Example.org": "Dée $Dogwood$ 山",
}
LONG = 5_000


class Mail(NamedTuple):
    """Messages, whom they are from and to, what they say and carry, and how they came."""

    headers: pd.DataFrame
    recipients: pd.DataFrame
    bodies: pd.DataFrame
    attachments: pd.DataFrame
    hops: pd.DataFrame

    def copy(self) -> Mail:
        return Mail(*(frame.copy() for frame in self))

    def each(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Mail:
        """Return the mail with each of its frames changed."""
        return Mail(*(change(frame) for frame in self))


def mail(*rows: dict[str, Any]) -> Mail:
    """Return mail of which only what matters is said; ``to`` are addresses."""
    full = [
        {column.name: DEFAULTS.get(column.name) for column in schema.HEADERS}
        | {"uid": n, "to": [ME]}
        | row
        for n, row in enumerate(rows, 1)
    ]
    return Mail(
        headers(*[{k: v for k, v in row.items() if k != "to"} for row in rows]),
        _frame("recipients", _people, full),
        _frame("bodies_own_text", _texts, full),
        _frame("attachments", _files, full),
        _frame("hops", _way, full),
    )


def _frame(
    kind: str, rows_of: Callable[[dict[str, Any]], list[dict[str, Any]]], full: list[dict[str, Any]]
) -> pd.DataFrame:
    """Tabulate what there is of each message, with its key."""
    names = [column.name for column in schema.KEY]
    rows = [{name: row[name] for name in names} | one for row in full for one in rows_of(row)]
    return schema.conform(pd.DataFrame(rows), kind) if rows else schema.empty(kind)


def _people(row: dict[str, Any]) -> list[dict[str, Any]]:
    names = {address.lower(): name for address, name in PEOPLE.items()} | {ME: "Mira Ek"}
    return [
        {
            "role": role, "position": position, "address": address,
            "name": names.get(str(address).lower()), "domain": str(address).rpartition("@")[2],
        }
        for role, addresses in (("from", [row["from_address"]]), ("to", row["to"]))
        for position, address in enumerate(addresses)
    ]  # fmt: skip


def _texts(row: dict[str, Any]) -> list[dict[str, Any]]:
    own = None if row["subject"] is None else f"{row['subject']}, and more of it"
    return [
        {
            "text": own and f"{own}\n\n> and before?\n\n-- \nAnn", "text_source": "plain",
            "charset": "utf-8", "truncated": False, "defects": "", "own_text": own,
            "quoted_text": own and "> and before?", "signature": own and "-- \nAnn",
            "n_words": None if own is None else len(own.split()),
        }
    ]  # fmt: skip


def _files(row: dict[str, Any]) -> list[dict[str, Any]]:
    types = ("application/pdf", "image/png", "application/x-strange", "text/calendar")
    return [
        {
            "part": str(n + 2), "filename": None if n == 2 else f"{row['subject']}.{n}",
            "content_type": types[(row["uid"] + n) % len(types)],
            "disposition": ("attachment", "inline", None)[n], "content_id": None,
            "encoding": "base64", "encoded_size": 1370 * n,
            "size": None if n == 2 else 1000 * n, "size_exact": n == 1, "inline": n == 1,
        }
        for n in range(row["uid"] % 4)
    ]  # fmt: skip


def _way(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return up to three hops: the second one's clock is behind, the last one says no time."""
    sent = pd.to_datetime(row["date"], utc=True, format="ISO8601")
    if pd.isna(sent):
        return []
    seconds = (2, -7, None)
    hosts = ("pc.example.org", "mx.example.org", f"in.{row['from_domain']}", "mail.example.com")
    found: list[dict[str, Any]] = []
    for n in range(row["uid"] % len(hosts)):
        after = seconds[n]
        time = pd.NaT if after is None else sent + pd.Timedelta(seconds=after)
        found.append(
            {
                "hop": n, "from_host": hosts[n], "by_host": None if n == 1 else hosts[n + 1],
                "with": (None, "ESMTPS", "SMTP")[n], "time": time,
                "delay": pd.Timedelta(seconds=-9) if n == 1 else np.timedelta64("NaT", "us"),
            }
        )  # fmt: skip
    return found


def usual(messages: int = 48, account: str = ME) -> Mail:
    """Return mail of three months: conversations in INBOX and Sent, and a list."""
    random = np.random.default_rng(7)
    addresses = list(PEOPLE)
    rows: list[dict[str, Any]] = []
    for n in range(messages):
        other = addresses[random.integers(len(addresses))]
        mine = n % 3 == 2
        answered = n - 1 if n % 3 else None
        sender = account if mine else other
        when = pd.Timestamp("2025-01-30T06:00") + pd.Timedelta(hours=37 * n, minutes=11 * n)
        rows.append(
            {
                "account": account,
                "folder": "Sent" if mine else "INBOX",
                "message_id": f"<{n}@{account}>",
                "in_reply_to": None if answered is None else f"<{answered}@{account}>",
                "references": None if answered is None else f"<{answered}@{account}>",
                "date": str(when),
                "internal_date": str(when + pd.Timedelta(seconds=n)),
                "utc_offset": [60, -300, None][n % 3],
                "from_address": sender,
                "from_name": "Mira Ek" if mine else PEOPLE[other] or None,
                "from_domain": sender.rpartition("@")[2].lower(),
                "list_id": "list.example.net" if sender.startswith("list@") else None,
                "to": [other] if mine else [account, addresses[random.integers(len(addresses))]],
                "subject": f"{'Re: ' if answered is not None else ''}About {n // 3}",
                "size": 1000 + 7 * n,
                "seen": bool(n % 2),
                "answered": bool(n % 5 == 0),
            }
        )
    return mail(*rows)


# -- mail that is odd


def copies() -> Mail:
    """Return each message twice: in its folder, and in another."""
    once = usual()
    return Mail(*(
        mf.concat([frame, frame.assign(folder=pd.Categorical(["All"] * len(frame)))])
        for frame in once
    ))  # fmt: skip


def loops() -> Mail:
    """Return messages that answer each other in circles, and one that answers itself."""
    ring = [(n, (n + 1) % 7) for n in range(7)]
    links = [*ring, (7, 8), (8, 7), (9, 9)]
    return mail(*[
        {"message_id": f"<{n}@x>", "in_reply_to": f"<{m}@x>", "references": f"<{m}@x> <{n}@x>",
         "date": f"2025-03-{n + 1:02}", "from_address": ME if n % 2 else "ann@example.org",
         "folder": "Sent" if n % 2 else "INBOX", "to": ["ann@example.org" if n % 2 else ME]}
        for n, m in links
    ])  # fmt: skip


def long_thread() -> Mail:
    """Return a conversation of 5,000 messages, each an answer to the one before."""
    start = pd.Timestamp("2024-01-01")
    return mail(*[
        {"message_id": f"<{n}@x>", "in_reply_to": f"<{n - 1}@x>" if n else None,
         "references": " ".join(f"<{k}@x>" for k in range(max(n - 5, 0), n)) or None,
         "date": str(start + pd.Timedelta(hours=n)), "subject": "Re: " * (n > 0) + "Long",
         "from_address": ME if n % 2 else "ann@example.org", "folder": "Sent" if n % 2 else "INBOX",
         "to": ["ann@example.org" if n % 2 else ME]}
        for n in range(LONG)
    ])  # fmt: skip


def wide_thread() -> Mail:
    """Return a message with 5,000 answers."""
    chain = long_thread()
    first = chain.headers["message_id"].iloc[0]
    answers = chain.headers["in_reply_to"].notna()
    return chain._replace(
        headers=chain.headers.assign(
            in_reply_to=chain.headers["in_reply_to"].mask(answers, first),
            references=chain.headers["references"].mask(answers, first),
        )
    )


def nameless() -> Mail:
    """Return messages of which nobody knows who sent them or to whom."""
    nobody = dict.fromkeys(("from_address", "from_name", "from_domain"))
    return mail(
        *[{**nobody, "to": [None], "date": f"2025-03-0{n}"} for n in range(1, 5)],
        {"from_name": "", "from_domain": "", "from_address": "ann@example.org", "to": []},
        {"from_address": "no address at all", "from_domain": None, "to": ["", "@", "x@"]},
    )


def bare() -> Mail:
    """Return messages without anything that may be missing."""
    needed = {"account", "folder", "uidvalidity", "uid", "seen", "answered", "flagged", "draft",
              "deleted", "keywords", "defects"}  # fmt: skip
    nothing = {one.name: None for one in schema.HEADERS if one.name not in needed}
    return mail(*[{**nothing, "to": [None]}] * 3)


def dated_at(*dates: str | None) -> Mail:
    return mail(*[
        {"date": date, "internal_date": date, "message_id": f"<{n}@x>",
         "in_reply_to": f"<{n - 1}@x>", "from_address": ME if n % 2 else "ann@example.org",
         "folder": "Sent" if n % 2 else "INBOX", "to": ["ann@example.org" if n % 2 else ME]}
        for n, date in enumerate(dates)
    ])  # fmt: skip


def strange_text() -> Mail:
    """Return messages whose text is what no screen, formula or table is made for."""
    texts = ["$\\frac{1}{0}$", "a\u202eb\u0000\n\tc", "\U0001f469\u200d\U0001f680" * 9, "x" * 3000,
             "=cmd|' /C'!A0", "<b>&amp;", "%s %d {0}", "", "   ", "Re: " * 500]  # fmt: skip
    return mail(*[
        {"subject": one, "from_name": one, "from_address": f"{one}@{one}", "from_domain": one,
         "list_id": one, "message_id": one, "in_reply_to": texts[n - 1], "references": one * 2,
         "date": f"2025-03-{n + 1:02}", "to": [one, ME]}
        for n, one in enumerate(texts)
    ])  # fmt: skip


def two_sessions(join: Callable[[list[pd.DataFrame]], pd.DataFrame]) -> Mail:
    """Return the mail of two accounts, with the same UIDs and, in part, the same Message-IDs."""
    one, other = usual(), usual(account="you@example.net")
    ids = other.headers["message_id"].mask(np.arange(len(other.headers)) < 6, "<0@me@example.com>")
    other = other._replace(headers=other.headers.assign(message_id=ids))
    return Mail(*(join([a, b]) for a, b in zip(one, other, strict=True)))


ODD_MAIL: dict[str, Callable[[], Mail]] = {
    "none": mail,
    "one": lambda: usual(1),
    "one of mine": lambda: usual(3).each(lambda frame: frame[frame["folder"] == "Sent"]),
    "undated": lambda: dated_at(*[None] * 5),
    "in 1970": lambda: dated_at("1970-01-01T00:00:00", "1970-01-01T00:00:01", "1970-01-03"),
    "in 2038": lambda: dated_at("2038-01-19T03:14:07", "2038-01-19T03:14:08", None),
    "from 1970 to 2038": lambda: dated_at("1970-01-01", "2038-01-19T03:14:08"),
    "beyond all times": lambda: dated_at(
        "0001-01-01", "1582-10-04", "1969-12-31T23:59:59", "2025-03-01", "2100-01-01", "9999-12-31"
    ),
    "at one moment": lambda: dated_at(*["2025-03-30T01:30"] * 6),
    "backwards": lambda: dated_at(*[f"2025-03-{day:02}" for day in range(20, 1, -1)]),
    "copies": copies,
    "loops": loops,
    "a long thread": long_thread,
    "a wide thread": wide_thread,
    "nameless": nameless,
    "bare": bare,
    "strange text": strange_text,
    "two sessions": lambda: two_sessions(mf.concat),
    "two sessions, pandas' way": lambda: two_sessions(pd.concat),
}

# -- the same mail in odd frames

ORDER = np.random.default_rng(3).permutation(48)


def _rows_shuffled(same: Mail) -> Mail:
    random = np.random.default_rng(4)
    others = (frame.iloc[random.permutation(len(frame))] for frame in same[1:])
    return Mail(same.headers.iloc[ORDER], *others)


def _converted(names: tuple[str, ...], dtype: str) -> Callable[[Mail], Mail]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        chosen = [name for name in frame.columns if str(frame[name].dtype) in names]
        return frame.astype(dict.fromkeys(chosen, dtype))

    return lambda same: same.each(change)


def _times(change: Callable[[pd.Series[Any]], pd.Series[Any]]) -> Callable[[Mail], Mail]:
    return lambda same: same._replace(
        headers=same.headers.assign(
            **{name: change(same.headers[name]) for name in ("date", "internal_date")}
        ),
        hops=same.hops.assign(time=change(same.hops["time"])),
    )


def _read_only(frame: pd.DataFrame) -> pd.DataFrame:
    def held(values: pd.Series[Any]) -> Any:
        if not isinstance(values.dtype, np.dtype):
            return values.array
        array = values.to_numpy(copy=True)
        array.flags.writeable = False
        return array

    columns = {name: held(frame[name]) for name in frame.columns}
    made = pd.DataFrame(columns, index=frame.index, copy=False)
    made.attrs = {**frame.attrs}
    return made


def _with_index(index: Callable[[int], Any]) -> Callable[[Mail], Mail]:
    return lambda same: same.each(lambda frame: frame.set_axis(index(len(frame))))


SAME_MAIL: dict[str, Callable[[Mail], Mail]] = {
    "rows in another order": _rows_shuffled,
    "columns in another order": lambda same: same.each(lambda frame: frame[frame.columns[::-1]]),
    "more columns": lambda same: same.each(lambda frame: frame.assign(mine=1, period="x", index=2)),
    "index of one number": _with_index(lambda rows: [7] * rows),
    "index of text": _with_index(lambda rows: [f"row {n % 5}" for n in range(rows)]),
    "index of missing values": _with_index(lambda rows: [None] * rows),
    "index of two levels": _with_index(
        lambda rows: pd.MultiIndex.from_tuples([(n % 2, "a") for n in range(rows)])
    ),
    "index with a column's name": _with_index(lambda rows: pd.RangeIndex(rows, name="date")),
    "text for categories": _converted(("category",), "str"),
    "categories for text": _converted(("str",), "category"),
    "objects": _converted(("str", "category"), "object"),
    "Python's strings": _converted(("str", "category"), "string"),
    "nullable": lambda same: same.each(lambda frame: frame.convert_dtypes()),
    "of Arrow": lambda same: same.each(lambda frame: frame.convert_dtypes(dtype_backend="pyarrow")),
    "small integers": _converted(("int64",), "int32"),
    "yes and no as objects": _converted(("bool",), "object"),
    "times in nanoseconds": _times(lambda times: times.dt.as_unit("ns")),
    "times in another zone": _times(lambda times: times.dt.tz_convert("America/St_Johns")),
    "times without a zone": _times(lambda times: times.dt.tz_localize(None)),
    "arrays that cannot be written": lambda same: same.each(_read_only),
    "categories that are not used": lambda same: same.each(
        lambda frame: frame.assign(folder=frame["folder"].cat.add_categories(["A", "Zz"]))
    ),
}
