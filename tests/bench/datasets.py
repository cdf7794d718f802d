"""A mailbox to Parquet: piece by piece, or as one frame; time, and memory beyond that of before.

Every contestant is a process of its own that logs in, then writes the headers of the INBOX. The
script with imap-tools writes as many messages at a time, in the same columns, less those that take
the structure of a message: it would have to read messages whole to know of attachments. What was
written is read back and compared with what is true.
"""

from __future__ import annotations

import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imap_tools
import pandas as pd

import mailframe as mf
from tests.bench import report
from tests.bench.mailbox import Mailbox
from tests.bench.measure import forget_peak, status
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
#: Messages a file, as of `Session.to_parquet`.
BATCH = 500
#: What `tests.bench.mailbox` knows to be true, as far as all write it.
COMPARED = ["uid", "subject", "from_address", "date", "message_id", "size", "seen"]


def run(runs: int, messages: int) -> int:
    """Measure and print; return 1 where what was written is not what is true."""
    mailbox = Mailbox(messages)
    with Dovecot() as dovecot:
        user = dovecot.new_user()
        dovecot.deliver(user, mailbox)
        job = {
            "host": dovecot.host,
            "port": dovecot.tls_port,
            "authority": str(dovecot._certificate.authority),
            "user": user,
            "password": dovecot.password,
        }
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
        mismatches = [line for name in CONTESTANTS for line in _turn(name, job, mailbox)[1]]
        for _ in range(runs):
            for name, results in found.items():
                result, differences = _turn(name, job, mailbox)
                results.append(result)
                mismatches += differences
    print(report.describe(mailbox))
    print(f"headers to Parquet, over TLS, medians of {runs}\n{_table(found, messages)}")
    for line in dict.fromkeys(mismatches):
        print("MISMATCH", line)
    return int(bool(mismatches))


def _turn(name: str, job: dict[str, Any], mailbox: Mailbox) -> tuple[dict[str, Any], list[str]]:
    """Give one contestant its turn: what it took, and where it is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.datasets"],
            input=json.dumps({**job, "name": name, "folder": f"{folder}/mail"}),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stderr}")
        result: dict[str, Any] = json.loads(done.stdout)
        written = pd.read_parquet(f"{folder}/mail")
    more = ["n_attachments"] if "n_attachments" in written else []
    result["columns"] = len(written.columns)
    return result, report.differences(name, mailbox.truth, written[[*COMPARED, *more]])


def _table(found: dict[str, list[dict[str, Any]]], messages: int) -> str:
    def median(name: str, figure: str) -> float:
        return statistics.median(result[figure] for result in found[name])

    base = median("to_parquet", "seconds")
    return pd.DataFrame(
        {
            "": name,
            "seconds": f"{median(name, 'seconds'):.2f}",
            "ratio": f"{median(name, 'seconds') / base:.2f}",
            "messages/s": f"{messages / median(name, 'seconds'):,.0f}",
            "CPU s": f"{median(name, 'cpu'):.2f}",
            "peak MB": f"{median(name, 'peak') / 1e6:.0f}",
            "most MB": f"{max(result['peak'] for result in found[name]) / 1e6:.0f}",
            "columns": f"{median(name, 'columns'):.0f}",
        }
        for name in found
    ).to_string(index=False)


def _connect(job: dict[str, Any]) -> mf.Session:
    context = ssl.create_default_context(cafile=job["authority"])
    return mf.connect(
        job["host"], job["user"], password=job["password"], port=job["port"], ssl_context=context
    )


def _in_pieces(job: dict[str, Any]) -> Callable[[], object]:
    session = _connect(job)
    return lambda: session.to_parquet(job["folder"], progress=False)


def _as_a_whole(job: dict[str, Any]) -> Callable[[], object]:
    session = _connect(job)
    return lambda: session.headers(progress=False).to_parquet(job["folder"])


def _by_imap_tools(job: dict[str, Any]) -> Callable[[], object]:
    context = ssl.create_default_context(cafile=job["authority"])
    box = imap_tools.MailBox(job["host"], job["port"], ssl_context=context)
    box.login(job["user"], job["password"], initial_folder=None)

    def write() -> None:
        box.folder.set("INBOX", readonly=True)
        Path(job["folder"]).mkdir()
        found = box.fetch(mark_seen=False, headers_only=True, bulk=500, reverse=True)
        rows = (_row(job["user"], message) for message in found)
        number = 0
        while piece := list(islice(rows, BATCH)):
            frame = pd.DataFrame(piece)
            frame["date"] = pd.to_datetime(frame["date"], utc=True)
            frame.to_parquet(f"{job['folder']}/part-{number:05}.parquet")
            number += 1

    return write


def _row(account: str, message: imap_tools.MailMessage) -> dict[str, Any]:
    def field(name: str) -> str | None:
        return message.headers.get(name, (None,))[0]

    sender = message.from_values
    return {
        "account": account,
        "folder": "INBOX",
        "uid": int(message.uid or 0),
        "message_id": (field("message-id") or "").strip(" <>"),
        "in_reply_to": field("in-reply-to"),
        "references": field("references"),
        "date": message.date,
        "from_name": sender.name if sender else None,
        "from_address": sender.email if sender else None,
        "from_domain": sender.email.rpartition("@")[2].lower() if sender else None,
        "to": ", ".join(one.full for one in message.to_values),
        "cc": ", ".join(one.full for one in message.cc_values),
        "bcc": ", ".join(one.full for one in message.bcc_values),
        "reply_to": ", ".join(one.full for one in message.reply_to_values),
        "subject": message.subject,
        "list_id": field("list-id"),
        "list_unsubscribe": field("list-unsubscribe"),
        "size": message.size_rfc822,
        "seen": "\\Seen" in message.flags,
        "answered": "\\Answered" in message.flags,
        "flagged": "\\Flagged" in message.flags,
        "draft": "\\Draft" in message.flags,
        "deleted": "\\Deleted" in message.flags,
        "keywords": " ".join(sorted(flag for flag in message.flags if flag[0] != "\\")),
    }


CONTESTANTS: dict[str, Callable[[dict[str, Any]], Callable[[], object]]] = {
    "to_parquet": _in_pieces,
    "headers().to_parquet": _as_a_whole,
    "imap-tools": _by_imap_tools,
}


def main() -> None:
    job = json.load(sys.stdin)
    write = CONTESTANTS[job["name"]](job)
    before = forget_peak()
    cpu, start = time.process_time(), time.perf_counter()
    write()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": status("VmHWM") - before}))


if __name__ == "__main__":
    main()
