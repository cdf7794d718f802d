"""What it costs that the dialogue is kept, and what it costs to log it.

The headers of one mailbox are read from one Dovecot without the trace, with it, and with the log at
DEBUG written to a file; in turn, each in a process of its own. A first round is not timed.
"""

from __future__ import annotations

import gc
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import report
from tests.bench.mailbox import Mailbox
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
WAYS = ("none", "kept", "logged")
#: How much slower reading may be for the trace that is always on.
BOUND = 1.10


def run(runs: int, messages: int, what: str = "headers") -> int:
    """Measure and print; return 1 if the trace costs more than it may."""
    mailbox = Mailbox(messages)
    with Dovecot() as dovecot, tempfile.TemporaryDirectory() as folder:
        user = dovecot.new_user()
        dovecot.deliver(user, mailbox)
        print(report.describe(mailbox))
        job = {
            "host": dovecot.host,
            "port": dovecot.port,
            "user": user,
            "password": dovecot.password,
            "log": f"{folder}/log",
            "what": what,
        }
        taken: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for turn in range(runs + 1):
            for way in WAYS:
                measured = _in_a_process(job | {"way": way})
                if turn:
                    taken[way].append(measured)
    middle = {
        way: {name: statistics.median(one[name] for one in results) for name in results[0]}
        for way, results in taken.items()
    }
    none = middle["none"]
    print(f"\n{what} of {messages:,} messages, not encrypted, medians of {runs}")
    for way, found in middle.items():
        print(
            f"trace {way:7} {found['seconds']:7.3f} s ({found['seconds'] / none['seconds']:.3f}), "
            f"CPU {found['cpu']:7.3f} s ({found['cpu'] / none['cpu']:.3f}), peak memory "
            f"{found['peak'] / 1e6:5.1f} MB, {found['lines']:,.0f} lines kept"
        )
    return int(middle["kept"]["cpu"] > none["cpu"] * BOUND)


def _in_a_process(job: Mapping[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.trace"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit(f"it failed with trace {job['way']}:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """Read the headers once, and measure that."""
    import mailframe as mf
    from mailframe.imap.trace import Recorder, Tap
    from tests.bench.measure import forget_peak, status

    recorders: list[Recorder] = []
    if job["way"] == "none":
        for name in ("sent", "answered", "heard"):
            setattr(Tap, name, lambda *_: None)
    else:
        original = Tap.__init__

        def remember(self: Tap, recorder: Recorder, number: int) -> None:
            recorders.append(recorder)
            original(self, recorder, number)

        Tap.__init__ = remember  # type: ignore[method-assign] # to count the lines
    if job["way"] == "logged":
        handler = logging.FileHandler(job["log"], mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logging.getLogger("mailframe").addHandler(handler)
        logging.getLogger("mailframe").setLevel(logging.DEBUG)
    session = mf.connect(
        job["host"], job["user"], password=job["password"], port=job["port"], security="none"
    )
    read = getattr(session, job["what"])
    gc.collect()
    before = forget_peak()
    cpu, start = time.process_time(), time.perf_counter()
    read(progress=False)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "seconds": seconds,
        "cpu": cpu,
        "peak": status("VmHWM") - before,
        "lines": sum(len(one.lines()) for one in recorders),
    }


if __name__ == "__main__":
    print(json.dumps(measure(json.load(sys.stdin))))
