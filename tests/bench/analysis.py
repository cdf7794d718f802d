"""Questions to frames of many rows, and pictures of them: time, growth, and memory.

Every question is a process of its own, asked once untimed and then so many times of headers that
are made up here (`mail`), of so many messages and of twice as many. Times are those of the
processor, so that what else the machine does is not measured. What takes longer than it may,
or much more than twice as long for twice as many, ends in exit status 1. For memory, threads are
asked of ten times as many messages: the highest resident size in that time less that before,
beside the frame's own memory.
"""

from __future__ import annotations

import gc
import io
import json
import statistics
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe import schema
from tests.bench.measure import forget_peak, status

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
#: Of so many messages limits speak; fewer may take as long, and more their share.
MESSAGES = 100_000
#: For twice as many: sorting takes a little more than twice as long, and the clock is not exact.
MOST_GROWTH = 2.6
#: Below so many seconds growth says more of the machine than of the question.
NOT_WORTH_COMPARING = 0.05
#: Of the frame's own memory.
MOST_MEMORY = 3
ME = "me@example.com"


class Question(NamedTuple):
    """What is asked, and how many seconds it may take at `MESSAGES`."""

    ask: Callable[[Any, pd.DataFrame, pd.DataFrame], object]
    limit: float
    module: str = "analysis"


def drawn(ax: Any) -> None:
    ax.figure.savefig(io.BytesIO(), format="png", dpi=100)


QUESTIONS: dict[str, Question] = {
    "volume": Question(lambda a, h, _: a.volume(h, "D"), 0.2),
    "volume by domain": Question(lambda a, h, _: a.volume(h, "M", by="domain"), 0.2),
    "senders": Question(lambda a, h, _: a.senders(h), 0.2),
    "newsletters": Question(lambda a, h, _: a.newsletters(h), 1.2),
    "storage": Question(lambda a, h, _: a.storage(h), 0.2),
    "storage by year": Question(lambda a, h, _: a.storage(h, "year"), 0.2),
    "largest": Question(lambda a, h, _: a.largest(h), 0.1),
    "duplicates": Question(lambda a, h, _: a.duplicates(h), 0.5),
    "attachments by sender": Question(
        lambda a, h, _: a.attachments(files(len(h)), headers=h, by="address"), 0.5
    ),
    "storage by family": Question(lambda a, h, _: a.storage(files(len(h)), "family"), 0.2),
    "words": Question(lambda a, h, _: a.words(h.assign(n_words=h["size"] % 300), h), 0.4),
    "phrases": Question(lambda a, h, _: a.phrases(h), 1.2),
    "phrases of two periods": Question(
        lambda a, h, _: a.phrases(h[: len(h) // 2], h[len(h) // 2 :]), 1.2
    ),
    # For each five messages one of 2 kB.
    "phrases of texts": Question(lambda a, h, _: a.phrases(texts(len(h) // 5), of="own_text"), 10),
    # As many hops as messages are said: four of each.
    "delivery": Question(lambda a, h, _: a.delivery(hops(len(h)), h), 0.4),
    "delivery by host": Question(lambda a, h, _: a.delivery(hops(len(h)), by="host"), 0.4),
    "delivery by hop": Question(lambda a, h, _: a.delivery(hops(len(h)), by="hop"), 0.4),
    # A field a message, each another one.
    "delivery with results": Question(
        lambda a, h, _: a.delivery(hops(len(h)), h.assign(authentication_results=results(len(h)))),
        1.2,
    ),
    "anonymize": Question(lambda a, h, _: a.anonymize(h, key="0" * 64), 3),
    "anonymize recipients": Question(lambda a, _, r: a.anonymize(r, key="0" * 64), 1),
    "anonymize texts": Question(lambda a, h, _: a.anonymize(texts(len(h) // 5), key="0" * 64), 5),
    "activity": Question(lambda a, h, _: a.activity(h, tz="Europe/Berlin"), 0.2),
    "threads": Question(lambda a, h, _: a.threads(h), 3),
    "threads by subject": Question(lambda a, h, _: a.threads(h, subject=True), 3),
    "response_times": Question(lambda a, h, _: a.response_times(h), 2),
    "network": Question(lambda a, _, r: a.network(r), 1),
    "network with headers": Question(lambda a, h, r: a.network(r, headers=h, freq="M"), 1),
    "plot volume": Question(lambda p, h, _: drawn(p.volume(h)), 1, "plots"),
    "plot senders": Question(lambda p, h, _: drawn(p.senders(h)), 1, "plots"),
    "plot domains": Question(lambda p, h, _: drawn(p.domains(h)), 1, "plots"),
    "plot recipients": Question(lambda p, _, r: drawn(p.recipients(r)), 1, "plots"),
    "plot newsletters": Question(lambda p, h, _: drawn(p.newsletters(h)), 1.2, "plots"),
    "plot storage": Question(lambda p, h, _: drawn(p.storage(h)), 1, "plots"),
    "plot attachments": Question(
        lambda p, h, _: drawn(p.attachments(files(len(h)), headers=h, by="period")), 1, "plots"
    ),
    "plot words": Question(
        lambda p, h, _: drawn(p.words(h.assign(n_words=h["size"] % 300), h)), 1.5, "plots"
    ),
    "plot phrases": Question(lambda p, h, _: drawn(p.phrases(h)), 1.5, "plots"),
    "plot delivery": Question(lambda p, h, _: drawn(p.delivery(hops(len(h)))), 1.5, "plots"),
    "plot compare": Question(lambda p, h, _: drawn(p.compare(h, h)), 1, "plots"),
    "plot thread": Question(lambda p, h, _: drawn(p.thread(h)), 1, "plots"),
    # The answers, and their picture.
    "plot response_times": Question(lambda p, h, _: drawn(p.response_times(h)), 3, "plots"),
    "plot activity": Question(lambda p, h, _: drawn(p.activity(h)), 1, "plots"),
    "plot diurnal": Question(lambda p, h, _: drawn(p.diurnal(h)), 1, "plots"),
    "plot calendar": Question(lambda p, h, _: drawn(p.calendar(h)), 1, "plots"),
    "plot network": Question(lambda p, _, r: drawn(p.network(r)), 1, "plots"),
}


def run(runs: int, messages: int) -> int:
    """Measure and print; return 1 where a limit is not kept."""
    rows, broken = [], []
    for name, question in QUESTIONS.items():
        once, twice = (_seconds(name, messages * times, runs) for times in (1, 2))
        limit = question.limit * max(messages / MESSAGES, 1)
        rows.append(
            {"": name, "seconds": f"{once:.3f}", "may take": f"{limit:.2f}",
             "twice as many": f"{twice:.3f}", "ratio": f"{twice / once:.2f}"}
        )  # fmt: skip
        if once > limit:
            broken.append(f"{name} takes {once:.2f} s, not {limit:.2f}")
        if twice > MOST_GROWTH * once and twice > NOT_WORTH_COMPARING:
            broken.append(f"{name} takes {twice / once:.1f} times as long for twice as many")
    print(f"{messages:,} messages, medians of {runs}\n{pd.DataFrame(rows).to_string(index=False)}")
    used = _asked({"name": "threads", "messages": 10 * messages, "runs": 0})
    ratio = used["peak"] / used["frame"]
    print(
        f"threads of {10 * messages:,} messages: {used['peak'] / 1e6:,.0f} MB beyond the frame's "
        f"{used['frame'] / 1e6:,.0f} MB ({ratio:.2f} times), {used['seconds'][0]:.1f} s"
    )
    if ratio > MOST_MEMORY:
        broken.append(f"threads takes {ratio:.1f} times the frame's memory")
    for line in broken:
        print("OVER", line)
    return int(bool(broken))


def _seconds(name: str, messages: int, runs: int) -> float:
    job = {"name": name, "messages": messages, "runs": runs}
    return statistics.median(_asked(job)["seconds"][1:])


def _asked(job: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.analysis"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{job['name']} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def mail(messages: int, *, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return headers and recipients: ten years, conversations, a third of it by one person."""
    random = np.random.default_rng(seed)
    ordinals = np.arange(messages)
    people = max(messages // 25, 4)
    # Few write much, and many write little.
    others = (people * random.random(messages) ** 3).astype("int64")
    mine = random.random(messages) < 1 / 3
    answers = (random.random(messages) < 0.7) & (ordinals > 0)
    above = np.where(answers, np.maximum(ordinals - 1 - random.geometric(0.2, messages), 0), -1)
    ids = pd.Series([f"<{n:08x}.{n * 7919 % 100_003}@mail.example.com>" for n in ordinals])
    earlier = above.copy()
    references = pd.Series(None, index=ids.index, dtype="object")
    for _ in range(4):  # ids of the last four, the oldest first
        known = earlier >= 0
        one = ids.to_numpy(object)[earlier[known]]
        so_far = references[known]
        references[known] = np.where(so_far.isna(), one, one + " " + so_far.fillna(""))
        earlier = np.where(known, above[earlier], -1)
    root = ordinals.copy()
    for n in ordinals[answers]:
        root[n] = root[above[n]]
    begins = np.where(answers, "Re: ", "").astype(object)
    address = np.array([f"person{n}@d{n % 300}.example" for n in range(people)], dtype=object)
    name = np.array([f"Person Number {n}" for n in range(people)], dtype=object)
    sender = np.where(mine, ME, address[others])
    sent = pd.Timestamp("2015-01-01", tz="UTC") + pd.to_timedelta(
        ordinals * (3652 * 86400 / messages) + random.exponential(7200, messages), unit="s"
    )
    columns: dict[str, Any] = {
        "account": ME,
        "folder": np.where(mine, "Sent", "INBOX"),
        "uidvalidity": 1,
        "uid": ordinals + 1,
        "message_id": ids,
        "in_reply_to": pd.Series(ids.to_numpy(object)[above]).where(answers, None),
        "references": references,
        "date": sent,
        "utc_offset": np.where(random.random(messages) < 0.5, 60, 120),
        "internal_date": sent,
        "from_name": np.where(mine, "Me Myself", name[others]),
        "from_address": sender,
        "from_domain": pd.Series(sender).str.rpartition("@")[2],
        "to": np.where(mine, address[others], ME),
        "cc": None,
        "bcc": None,
        "reply_to": None,
        "subject": begins + "Subject " + root.astype("U").astype(object),
        "list_id": np.where(others % 10 == 9, "list.example.org", None),
        "list_unsubscribe": None,
        "size": random.integers(500, 50_000, messages),
        "n_attachments": 0,
        "attachment_size": 0,
        "keywords": "",
        "defects": "",
    }
    flags = {name: random.random(messages) < 0.5 for name in ("seen", "answered")}
    flags |= dict.fromkeys(("flagged", "draft", "deleted"), False)
    headers = schema.conform(pd.DataFrame(columns | flags), "headers")
    return headers, _recipients(headers, address, random)


@cache
def texts(messages: int, *, seed: int = 3) -> pd.DataFrame:
    """Return texts of 300 words, few of which are common and many rare, in sentences."""
    random = np.random.default_rng(seed)
    letters = random.integers(97, 123, (50_000, 9)).astype("uint8").tobytes().decode()
    lengths = random.integers(2, 10, 50_000)
    known = [letters[9 * n : 9 * n + length] for n, length in enumerate(lengths)]
    words = np.array([*known, *(f"{word}." for word in known)], dtype=object)
    which = np.minimum(random.zipf(1.3, (messages, 300)), 50_000) - 1
    which += np.where(random.random(which.shape) < 0.1, 50_000, 0)
    return pd.DataFrame({"own_text": [" ".join(words[row]) for row in which]}, dtype="str")


@cache
def hops(rows: int, *, seed: int = 4) -> pd.DataFrame:
    """Return four hops of each message, of a thousand hosts; one clock in fifty is wrong."""
    random = np.random.default_rng(seed)
    messages, hop = np.arange(rows) // 4, np.arange(rows) % 4
    slow = np.where(random.random(rows) < 0.05, 600, 1)
    seconds = np.cumsum((random.exponential(5, rows) * slow).astype("int64")) + 3600 * messages
    wrong = np.where(random.random(rows) < 0.02, random.normal(0, 100, rows), 0).astype("int64")
    begin = pd.Timestamp("2015-01-01", tz="UTC")
    columns: dict[str, Any] = {
        "account": ME,
        "folder": np.where(messages % 3 == 0, "Sent", "INBOX"),
        "uidvalidity": 1,
        "uid": messages + 1,
        "hop": hop,
        "from_host": None,
        "by_host": [f"mx{n}.example" for n in random.integers(0, 1000, rows)],
        "with": np.where(hop == 3, "LMTP", "ESMTPS"),
        "time": begin + pd.to_timedelta(seconds + wrong, unit="s"),
        "delay": pd.Timedelta(0),
    }
    return schema.conform(pd.DataFrame(columns), "hops")


@cache
def results(messages: int) -> pd.Series[Any]:
    """Return what a server found out about the sender of each message."""
    said = "mx.example.com; spf=pass smtp.mailfrom=b{0}@x.example; dkim=pass header.d=x.example "
    said += "header.b=Q{0}; dmarc=pass (p=none dis=none) header.from=x.example"
    return pd.Series([said.format(n) for n in range(messages)], dtype="str")


@cache  # so that it is made before the clock runs
def files(messages: int, *, seed: int = 2) -> pd.DataFrame:
    """Return an attachment for each of these messages, of few types and with many names."""
    random = np.random.default_rng(seed)
    types = ("application/pdf", "image/png", "application/octet-stream", "text/csv")
    encoded = random.integers(1_000, 1_000_000, messages)
    ordinals = np.arange(messages)
    columns: dict[str, Any] = {
        "account": ME,
        "folder": np.where(ordinals % 3 == 0, "Sent", "INBOX"),
        "uidvalidity": 1,
        "uid": random.permutation(messages) + 1,
        "part": "2",
        "filename": pd.Series(ordinals // 2).astype("str") + ".xlsx",
        "content_type": np.array(types, dtype=object)[random.integers(0, len(types), messages)],
        "disposition": "attachment",
        "content_id": None,
        "encoding": "base64",
        "encoded_size": encoded,
        "size": encoded * 3 // 4,
        "size_exact": False,
        "inline": random.random(messages) < 0.2,
    }
    return schema.conform(pd.DataFrame(columns), "attachments")


def _recipients(
    headers: pd.DataFrame, people: np.ndarray[Any, Any], random: np.random.Generator
) -> pd.DataFrame:
    """Return who sent each message, and the one to three people who received it."""
    copied = np.repeat(np.arange(len(headers)), random.integers(0, 3, len(headers)))
    parts = [
        (np.arange(len(headers)), "from", headers["from_address"].to_numpy(object)),
        (np.arange(len(headers)), "to", headers["to"].to_numpy(object)),
        (copied, "cc", people[random.integers(0, len(people), len(copied))]),
    ]
    frames = [
        headers[[column.name for column in schema.KEY]]
        .iloc[rows]
        .assign(role=role, position=0, name=None, address=address)
        for rows, role, address in parts
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame["domain"] = frame["address"].str.rpartition("@")[2]
    return schema.conform(frame, "recipients")


def main() -> None:
    job = json.load(sys.stdin)
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    from mailframe import analysis, plots

    question = QUESTIONS[job["name"]]
    module = {"analysis": analysis, "plots": plots}[question.module]
    headers, recipients = mail(job["messages"])
    gc.collect()
    before = forget_peak()
    seconds = []
    for _ in range(job["runs"] + 1):
        start = time.process_time()
        question.ask(module, headers, recipients)
        seconds.append(time.process_time() - start)
        plt.close("all")
    figures = {
        "seconds": seconds,
        "peak": status("VmHWM") - before,
        "frame": int(headers.memory_usage(deep=True).sum()),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
