"""Attachments to disk: time, and memory beyond what the process had before.

Every contestant is a process of its own that logs in, then saves every attachment of the INBOX;
what was written is compared by its SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imap_tools
import pandas as pd

import mailframe as mf
from tests.bench.measure import forget_peak, status
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
MANY = 500
SMALL = 200_000


def run(runs: int, octets: int) -> int:
    """Measure one large attachment, and many small ones."""
    generator = random.Random(1)
    wrong = False
    for title, contents in (
        (f"one attachment of {octets / 1e6:,.0f} MB", [generator.randbytes(octets)]),
        (
            f"{MANY} attachments of {SMALL / 1e3:,.0f} kB",
            [generator.randbytes(SMALL) for _ in range(MANY)],
        ),
    ):
        digests = sorted(hashlib.sha256(content).hexdigest() for content in contents)
        with Dovecot() as dovecot:
            user = dovecot.new_user()
            dovecot.deliver(user, map(_message, range(len(contents)), contents))
            job = {
                "host": dovecot.host,
                "port": dovecot.tls_port,
                "authority": str(dovecot._certificate.authority),
                "user": user,
                "password": dovecot.password,
            }
            found = {name: [_turn(name, job) for _ in range(runs)] for name in CONTESTANTS}
        print(f"\n{title}, over TLS, medians of {runs}\n{_table(found)}")
        for name, results in found.items():
            if any(result["digests"] != digests for result in results):
                print("MISMATCH", name)
                wrong = True
    return int(wrong)


def _message(number: int, content: bytes) -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return (
        b"From: a@example.org\r\nDate: Mon, 5 Jan 2026 09:30:00 +0000\r\nSubject: %d\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Disposition: attachment; filename=data-%d.bin\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n%b--b--\r\n" % (number, number, encoded)
    )


def _turn(name: str, job: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.download"],
            input=json.dumps({**job, "name": name, "folder": folder}),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stderr}")
        result: dict[str, Any] = json.loads(done.stdout)
        saved = sorted(_digest(path) for path in Path(folder).iterdir())
    return {**result, "digests": saved}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(found: dict[str, list[dict[str, Any]]]) -> str:
    def median(name: str, figure: str) -> float:
        return statistics.median(result[figure] for result in found[name])

    base = median("mailframe", "seconds")
    return pd.DataFrame(
        {
            "": name,
            "seconds": f"{median(name, 'seconds'):.2f}",
            "ratio": f"{median(name, 'seconds') / base:.2f}",
            "CPU s": f"{median(name, 'cpu'):.2f}",
            "peak MB": f"{median(name, 'peak') / 1e6:.1f}",
            "most MB": f"{max(result['peak'] for result in found[name]) / 1e6:.1f}",
        }
        for name in found
    ).to_string(index=False)


def _by_mailframe(job: dict[str, Any]) -> Callable[[], object]:
    context = ssl.create_default_context(cafile=job["authority"])
    session = mf.connect(
        job["host"], job["user"], password=job["password"], port=job["port"], ssl_context=context
    )
    rows = session.attachments()
    return lambda: session.download(rows, job["folder"], progress=False)


def _by_imap_tools(job: dict[str, Any]) -> Callable[[], object]:
    context = ssl.create_default_context(cafile=job["authority"])
    box = imap_tools.MailBox(job["host"], job["port"], ssl_context=context)
    box.login(job["user"], job["password"], initial_folder=None)

    def save() -> None:
        box.folder.set("INBOX", readonly=True)
        for message in box.fetch(mark_seen=False):
            for attachment in message.attachments:
                (Path(job["folder"]) / attachment.filename).write_bytes(attachment.payload)

    return save


CONTESTANTS: dict[str, Callable[[dict[str, Any]], Callable[[], object]]] = {
    "mailframe": _by_mailframe,
    "imap-tools": _by_imap_tools,
}


def main() -> None:
    job = json.load(sys.stdin)
    save = CONTESTANTS[job["name"]](job)
    before = forget_peak()
    cpu, start = time.process_time(), time.perf_counter()
    save()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": status("VmHWM") - before}))


if __name__ == "__main__":
    main()
