"""A report of the sample mailbox: from the server's start to the file, by the clock.

Every run is a process of its own. What counts is the limit, seconds by the clock for reading all
headers over IMAP and writing the file; beside it the time that processors spent, the embedded
server's part included, which a busy machine does not change.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Of so many messages the limit speaks.
MESSAGES = 20_000
LIMIT = 15.0


def run(runs: int, messages: int) -> int:
    """Measure and print; return 1 where it takes too long."""
    taken = [_once(messages) for _ in range(runs)]
    clock, processor, size = (statistics.median(each) for each in zip(*taken, strict=True))
    limit = LIMIT * max(messages / MESSAGES, 1)
    print(
        f"a report of {messages:,} messages, medians of {runs}: {clock:.1f} s by the clock (may "
        f"take {limit:.0f}), {processor:.1f} s of processors, {size / 1e6:.1f} MB"
    )
    if clock > limit:
        print(f"OVER it takes {clock:.1f} s, not {limit:.0f}")
    return int(clock > limit)


def _once(messages: int) -> tuple[float, float, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.reporting", str(messages)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the report failed:\n{done.stderr}")
    clock, processor, size = done.stdout.split()
    return float(clock), float(processor), int(size)


def main() -> None:
    import mailframe as mf
    from mailframe.reporting import report

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        clock, processor = time.perf_counter(), time.process_time()
        with mf.demo(messages=int(sys.argv[1])) as session:
            report(session, path, tz="UTC", progress=False)
        print(time.perf_counter() - clock, time.process_time() - processor, path.stat().st_size)


if __name__ == "__main__":
    main()
