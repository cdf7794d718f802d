"""``python -m tests.bench``: mailframe beside imap-tools, IMAPClient and the raw socket.

One mailbox, one Dovecot, the same security for all. Every contestant is a process of its own and
takes its turn in every round. A first round is not timed: it warms the server's caches for all,
counts what goes over the wire, and looks for attachments in it. What is read is compared with what
was written after every run; a difference ends in exit status 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tests.bench import (
    aio,
    analysis,
    changes,
    datasets,
    download,
    embedded,
    files,
    imports,
    parsing,
    pool,
    report,
    reporting,
    trace,
)
from tests.bench.contestants import CONTESTANTS, Where
from tests.bench.mailbox import Mailbox
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=(
            "reading",
            "imports",
            "download",
            "parsing",
            "files",
            "embedded",
            "trace",
            "pool",
            "aio",
            "datasets",
            "changes",
            "analysis",
            "reporting",
        ),
        default="reading",
    )
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--octets", type=int, default=100_000_000, help="of the large download")
    parser.add_argument("--only", choices=tuple(CONTESTANTS))
    parser.add_argument("--security", choices=("tls", "none"), default="tls")
    parser.add_argument("--cold", action="store_true", help="drop Dovecot's index before each run")
    options = parser.parse_args()
    print(*report.settings(), sep="\n")
    runs = options.runs
    others: dict[str, Callable[[], int | None]] = {
        "imports": lambda: imports.run(runs),
        "parsing": lambda: parsing.run(runs, options.octets),
        "download": lambda: download.run(runs, options.octets),
        "files": lambda: files.run(runs, options.messages),
        "embedded": lambda: embedded.run(runs, options.messages),
        "trace": lambda: trace.run(runs, options.messages),
        "pool": lambda: pool.run(runs),
        "aio": lambda: aio.run(runs),
        "datasets": lambda: datasets.run(runs, options.messages),
        "changes": lambda: changes.run(runs, options.messages),
        "analysis": lambda: analysis.run(runs, options.messages),
        "reporting": lambda: reporting.run(runs, options.messages),
    }
    if options.what in others:
        return others[options.what]() or 0
    mailbox = Mailbox(options.messages)
    with Dovecot() as dovecot, tempfile.TemporaryDirectory() as folder:
        user = dovecot.new_user()
        dovecot.deliver(user, mailbox)
        tls = options.security == "tls"
        where = Where(
            host=dovecot.host,
            port=dovecot.tls_port if tls else dovecot.port,
            security=options.security,
            authority=str(dovecot._certificate.authority),
            user=user,
            password=dovecot.password,
            sent=f"{folder}/sent",
        )
        print(report.describe(mailbox))
        print(f"security {options.security} for all, medians of {options.runs}, index", end=" ")
        print("dropped before each run" if options.cold else "warm (one untimed round)")
        index = dovecot.maildir(user) if options.cold else None
        ring = Ring(where, mailbox.truth, Path(folder), index)
        for task in [options.only] if options.only else CONTESTANTS:
            ring.hold(task, options.runs)
    for line in ring.mismatches:
        print("MISMATCH", line)
    if not ring.mismatches:
        print("\nEvery value compared is equal to what was written.")
    return 1 if ring.mismatches else 0


@dataclass(slots=True)
class Ring:
    """Where contestants meet."""

    where: Where
    truth: pd.DataFrame
    folder: Path
    index: Path | None
    mismatches: list[str] = field(default_factory=list)

    def hold(self, task: str, runs: int) -> None:
        """Let all take turns, and print their table."""
        names = list(CONTESTANTS[task])
        tapped = {name: self.run(task, name, tapped=True) for name in names}
        timed: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(runs):
            for name in names:
                timed[name].append(self.run(task, name, tapped=False))
        print(f"\n{task.upper()}\n{report.table(len(self.truth), timed, tapped)}")
        lines = {name: tapped[name]["markers"] for name in names}
        print(f"lines of attachments received (of every 16, one is counted): {lines}")
        if lines["mailframe"]:
            self.mismatches.append(f"mailframe: {task}: attachments were downloaded")
        if task == "bodies" and not lines["imap-tools"]:
            self.mismatches.append("the look-out for attachments is broken: imap-tools reads them")

    def run(self, task: str, name: str, *, tapped: bool) -> dict[str, Any]:
        """Give one contestant its turn."""
        for path in self.index.glob("dovecot.index*") if self.index else ():
            path.unlink()
        values = self.folder / "values.parquet"
        sent = self.where.sent if name == "mailframe" else f"{self.folder}/unused"
        job = {
            "task": task,
            "name": name,
            "where": asdict(self.where),
            "tapped": tapped,
            "sent": sent,
            "values": str(values),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.measure"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name} failed at {task}:\n{done.stderr}")
        result: dict[str, Any] = json.loads(done.stdout)
        if result["rows"] or name != "raw socket":
            self.compare(f"{name}: {task}", pd.read_parquet(values))
        return result

    def compare(self, who: str, values: pd.DataFrame) -> None:
        """Note each difference once, not once a run."""
        for line in report.differences(who, self.truth, values):
            if line not in self.mismatches:
                self.mismatches.append(line)


if __name__ == "__main__":
    sys.exit(main())
