"""Messages moved to another folder: time, commands and bytes, beside Dovecot's own time for it.

Every contestant is a process of its own, with a mailbox of its own that Dovecot has indexed. The
clock runs on a logged-in connection from the moving call to its end; what is in the folders
afterwards is counted. Dovecot's own time is that of one ``UID MOVE 1:*`` over a raw socket.
"""

from __future__ import annotations

import imaplib
import json
import ssl
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imap_tools
import imapclient
import pandas as pd

import mailframe as mf
from tests.bench.mailbox import Mailbox
from tests.bench.wiretap import Wiretap
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
#: UIDs in one command of IMAPClient, which makes no ranges of them.
CHUNK = 1000
WITHOUT_MOVE = "IMAP4rev1 UIDPLUS LITERAL+ ESEARCH SPECIAL-USE UNSELECT"


def run(runs: int, messages: int) -> int:
    """Measure with MOVE, and where the server has none."""
    wrong = False
    for title, capability in (("with MOVE", ""), ("without MOVE, with UIDPLUS", WITHOUT_MOVE)):
        with Dovecot(capability=capability) as dovecot:
            names = [name for name in CONTESTANTS if not (capability and name == "raw socket")]
            found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
            for turn in range(-1, runs):  # the first is counted, and not timed
                for name in names:
                    result = _turn(dovecot, name, messages, tapped=turn < 0)
                    found[name].append(result)
                    if result["left"] or result["arrived"] != messages:
                        print("MISMATCH", name, result)
                        wrong = True
        print(f"\n{messages:,} messages moved, {title}, over TLS, medians of {runs}")
        print(_table(found))
    return int(wrong)


def _turn(dovecot: Dovecot, name: str, messages: int, *, tapped: bool) -> dict[str, Any]:
    user = dovecot.new_user()
    dovecot.deliver(user, Mailbox(messages))
    job = {
        "host": dovecot.host,
        "port": dovecot.tls_port,
        "authority": str(dovecot._certificate.authority),
        "user": user,
        "password": dovecot.password,
        "name": name,
        "tapped": tapped,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.changes"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _table(found: dict[str, list[dict[str, Any]]]) -> str:
    medians = {
        name: statistics.median(result["seconds"] for result in results[1:])
        for name, results in found.items()
    }
    base = medians.get("raw socket", medians["mailframe, plan.apply()"])
    return pd.DataFrame(
        {
            "": name,
            "seconds": f"{medians[name]:.2f}",
            "ratio": f"{medians[name] / base:.2f}",
            "commands": results[0]["commands"],
            "sent kB": f"{results[0]['sent'] / 1e3:.1f}",
            "received kB": f"{results[0]['received'] / 1e3:.0f}",
        }
        for name, results in found.items()
    ).to_string(index=False)


def _context(job: dict[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=job["authority"])


def _raw(job: dict[str, Any]) -> Callable[[], object]:
    client = imaplib.IMAP4_SSL(job["host"], job["port"], ssl_context=_context(job))
    client.login(job["user"], job["password"])

    def move() -> None:
        client.select("INBOX")
        client.uid("MOVE", "1:*", "Archive")

    return move


def _session(job: dict[str, Any]) -> mf.Session:
    return mf.connect(
        job["host"],
        job["user"],
        password=job["password"],
        port=job["port"],
        ssl_context=_context(job),
        readonly=False,
    )


def _mailframe(job: dict[str, Any]) -> Callable[[], object]:
    session = _session(job)
    rows = session.search()
    plan = session.move(rows, "Archive")
    return lambda: plan.apply(progress=False)


def _mailframe_plan(job: dict[str, Any]) -> Callable[[], object]:
    session = _session(job)
    rows = session.search()
    return lambda: session.move(rows, "Archive", apply=True, progress=False)


def _imap_tools(job: dict[str, Any]) -> Callable[[], object]:
    box = imap_tools.MailBox(job["host"], job["port"], ssl_context=_context(job))
    box.login(job["user"], job["password"], initial_folder="INBOX")
    uids = box.uids()
    return lambda: box.move(uids, "Archive", chunks=CHUNK)


def _imapclient(job: dict[str, Any]) -> Callable[[], object]:
    client = imapclient.IMAPClient(job["host"], job["port"], ssl=True, ssl_context=_context(job))
    client.login(job["user"], job["password"])
    client.select_folder("INBOX")
    uids = client.search("ALL")

    def move() -> None:
        for start in range(0, len(uids), CHUNK):
            chunk = uids[start : start + CHUNK]
            if client.has_capability("MOVE"):
                client.move(chunk, "Archive")
            else:
                client.copy(chunk, "Archive")
                client.delete_messages(chunk, silent=True)
                client.uid_expunge(chunk)

    return move


CONTESTANTS: dict[str, Callable[[dict[str, Any]], Callable[[], object]]] = {
    "raw socket": _raw,
    "mailframe, plan.apply()": _mailframe,
    "mailframe, move(apply=True)": _mailframe_plan,
    "imap-tools": _imap_tools,
    "IMAPClient": _imapclient,
}


def main() -> None:
    job = json.load(sys.stdin)
    with imaplib.IMAP4_SSL(job["host"], job["port"], ssl_context=_context(job)) as client:
        client.login(job["user"], job["password"])
        for folder in ("Archive", "INBOX"):  # Dovecot's index is made when a folder is first opened
            client.select(folder, readonly=True)
        client.uid("FETCH", "1:*", "(RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    tap = Wiretap()
    if job["tapped"]:
        tap.install()
    move = CONTESTANTS[job["name"]](job)
    tap.reset()
    start = time.perf_counter()
    move()
    seconds = time.perf_counter() - start
    figures = {
        "seconds": seconds,
        "commands": bytes(tap.sent).count(b"\r\n"),
        "sent": len(tap.sent),
        "received": tap.received,
    }
    with imaplib.IMAP4_SSL(job["host"], job["port"], ssl_context=_context(job)) as client:
        client.login(job["user"], job["password"])
        for name, folder in (("left", "INBOX"), ("arrived", "Archive")):
            _, [count] = client.select(folder, readonly=True)
            figures[name] = int(count or 0)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
