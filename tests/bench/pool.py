"""Several connections: how much faster eight folders are read over four than over one.

Dovecot behind a proxy that delays; the client is a process of its own, logged in, and has read
everything once before it is timed, so that its connections stand. A delaying proxy counts round
trips truly, but hides TCP's slow start.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

import mailframe as mf
from tests.bench.mailbox import Mailbox
from tests.rigs.dovecot import Dovecot
from tests.rigs.proxy import FaultProxy

ROOT = Path(__file__).parents[2]
FOLDERS = [f"Folder{number}" for number in range(8)]
EACH = 500
#: Seconds each way: the same machine, the same town, another continent.
DELAYS = (0.0, 0.005, 0.05)
SIZES = (1, 2, 4, 8)
#: What four connections are to be faster by than one, over 50 ms.
WANTED = 3.0


def run(runs: int) -> int:
    """Measure and print; return 1 where frames differ or four connections are no better."""
    with Dovecot() as dovecot:
        user = dovecot.new_user()
        for seed, folder in enumerate(FOLDERS):
            dovecot.deliver(user, Mailbox(EACH, seed), folder)
        wrong = False
        for method in ("headers", "bodies"):
            found = {
                (delay, size): _turn(dovecot, user, method, delay, size, runs)
                for delay in DELAYS
                for size in SIZES
            }
            print(f"\n{method.upper()} of {len(FOLDERS)} folders of {EACH}, medians of {runs}")
            print(_table(found))
            ratio = found[0.05, 1]["seconds"] / found[0.05, 4]["seconds"]
            print(f"over 50 ms, four connections are {ratio:.1f} times as fast as one")
            if len({result["digest"] for result in found.values()}) > 1:
                print("MISMATCH: the frames differ")
                wrong = True
            wrong |= ratio < WANTED
    return int(wrong)


def _turn(
    dovecot: Dovecot, user: str, method: str, delay: float, size: int, runs: int
) -> dict[str, Any]:
    with FaultProxy(dovecot.host, dovecot.port, delay=delay) as proxy:
        job = {
            "host": proxy.host,
            "port": proxy.port,
            "user": user,
            "password": dovecot.password,
            "method": method,
            "size": size,
            "runs": runs,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.pool"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{method} over {size} connections failed:\n{done.stderr}")
        trips = max(line.round_trips for line in proxy.lines)
        used = len(proxy.lines)
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "trips": trips / (runs + 1), "used": used}


def _table(found: dict[tuple[float, int], dict[str, Any]]) -> str:
    return pd.DataFrame(
        {
            "ms each way": f"{delay * 1000:.0f}",
            "connections": size,
            "used": result["used"],
            "seconds": f"{result['seconds']:.2f}",
            "faster than one": f"{found[delay, 1]['seconds'] / result['seconds']:.1f}",
            "round trips of the busiest": f"{result['trips']:.0f}",
        }
        for (delay, size), result in found.items()
    ).to_string(index=False)


def main() -> None:
    job = json.load(sys.stdin)
    session = mf.connect(
        job["host"],
        job["user"],
        password=job["password"],
        port=job["port"],
        security="none",
        pool_size=job["size"],
    )
    read = getattr(session, job["method"])
    times = []
    frame = read(folder=FOLDERS, progress=False)
    for _ in range(job["runs"]):
        begun = time.perf_counter()
        frame = read(folder=FOLDERS, progress=False)
        times.append(time.perf_counter() - begun)
    session.close()
    digest = int(pd.util.hash_pandas_object(frame.drop(columns="account")).sum())
    print(json.dumps({"seconds": statistics.median(times), "digest": digest}))


if __name__ == "__main__":
    main()
