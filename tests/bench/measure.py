"""One contestant in a process of its own: a job as JSON in, figures as JSON out.

The clock runs from the reading call on a logged-in connection to the finished DataFrame. Memory is
the highest resident size during that time less the resident size when it began, so that neither
the interpreter nor anybody's imports count.
"""

from __future__ import annotations

import gc
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.contestants import CONTESTANTS, Where
from tests.bench.wiretap import Wiretap


def measure(job: dict[str, Any]) -> dict[str, Any]:
    tap = Wiretap()
    if job["tapped"]:
        tap.install()
    contestant = CONTESTANTS[job["task"]][job["name"]](Where(**job["where"]))
    tap.reset()
    gc.collect()
    before = forget_peak()
    cpu, start = time.process_time(), time.perf_counter()
    frame = contestant.read()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = status("VmHWM")
    if job["tapped"]:
        Path(job["sent"]).write_bytes(tap.sent)
    contestant.values(frame).to_parquet(job["values"])
    return {
        "seconds": seconds,
        "cpu": cpu,
        "rows": len(frame),
        "peak": peak - before,
        "frame": int(frame.memory_usage(deep=True).sum()),
        "received": tap.received,
        "commands": tap.sent.count(b"\r\n"),
        "markers": tap.markers,
    }


def forget_peak() -> int:
    """Let the kernel forget the highest resident size so far; return the present one."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    print(json.dumps(measure(json.load(sys.stdin))))
