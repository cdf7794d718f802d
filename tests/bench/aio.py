"""Awaiting: how much faster eight folders are read together than one after the other.

Dovecot behind a proxy that delays. The client is a process of its own. Cold, it has just logged in
on one connection, and the others are opened while it is timed; warm, it has read all before. A
delaying proxy counts round trips truly, but hides TCP's slow start.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import mailframe as mf
from tests.bench.mailbox import Mailbox
from tests.rigs.dovecot import Dovecot
from tests.rigs.proxy import FaultProxy

if TYPE_CHECKING:
    from mailframe.aio import AsyncSession

ROOT = Path(__file__).parents[2]
FOLDERS = [f"Folder{number}" for number in range(8)]
EACH = 100
SIZE = 4
#: Seconds each way: another continent.
DELAY = 0.05
#: How much faster together is to be, over warm connections.
WANTED = 3.0


def run(runs: int) -> int:
    """Measure and print; return 1 where frames differ or together is not fast enough."""
    with Dovecot() as dovecot:
        user = dovecot.new_user()
        for seed, folder in enumerate(FOLDERS):
            dovecot.deliver(user, Mailbox(EACH, seed), folder)
        wrong = False
        for method in ("headers", "bodies"):
            found = {
                (state, way): _turn(dovecot, user, method, runs, state=state, way=way)
                for state in ("cold", "warm")
                for way in ("one after the other", "together")
            }
            print(f"\n{method.upper()} of {len(FOLDERS)} folders of {EACH}, medians of {runs}, ")
            print(f"{DELAY * 1000:.0f} ms each way, a pool of {SIZE}")
            print(_table(found))
            ratios = {
                state: found[state, "one after the other"]["seconds"]
                / found[state, "together"]["seconds"]
                for state in ("cold", "warm")
            }
            for state, ratio in ratios.items():
                print(f"{state}, together is {ratio:.1f} times as fast")
            if len({result["digest"] for result in found.values()}) > 1:
                print("MISMATCH: the frames differ")
                wrong = True
            wrong |= ratios["warm"] < WANTED
    return int(wrong)


def _turn(
    dovecot: Dovecot, user: str, method: str, runs: int, *, state: str, way: str
) -> dict[str, Any]:
    """Let a process read; cold, one for each run."""
    results = []
    for times in [1] * runs if state == "cold" else [runs]:
        with FaultProxy(dovecot.host, dovecot.port, delay=DELAY) as proxy:
            job = {
                "host": proxy.host,
                "port": proxy.port,
                "user": user,
                "password": dovecot.password,
                "method": method,
                "warm": state == "warm",
                "together": way == "together",
                "runs": times,
            }
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.aio"],
                input=json.dumps(job),
                capture_output=True,
                text=True,
                cwd=ROOT,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{method}, {state}, {way}: failed:\n{done.stderr}")
            trips = [line.round_trips for line in proxy.lines]
        results.append({**json.loads(done.stdout), "trips": max(trips), "used": len(trips)})
    middle: dict[str, Any] = results[-1]
    middle["trips"] = statistics.median(
        result["trips"] / (result["runs"] + (state == "warm")) for result in results
    )
    return {**middle, "seconds": statistics.median(s for r in results for s in r["times"])}


def _table(found: dict[tuple[str, str], dict[str, Any]]) -> str:
    return pd.DataFrame(
        {
            "connections": state,
            "awaited": way,
            "used": result["used"],
            "seconds": f"{result['seconds']:.2f}",
            "round trips of the busiest": f"{result['trips']:.1f}",
        }
        for (state, way), result in found.items()
    ).to_string(index=False)


async def _read(session: AsyncSession, method: str, *, together: bool) -> list[pd.DataFrame]:
    calls = [getattr(session, method)(folder=folder, progress=False) for folder in FOLDERS]
    if together:
        return await asyncio.gather(*calls)
    return [await call for call in calls]


async def main() -> None:
    job = json.load(sys.stdin)
    method, together = job["method"], job["together"]
    times = []
    async with mf.connect_async(
        job["host"],
        job["user"],
        password=job["password"],
        port=job["port"],
        security="none",
        pool_size=SIZE,
    ) as session:
        if job["warm"]:
            await _read(session, method, together=together)
        frames = []
        for _ in range(job["runs"]):
            begun = time.perf_counter()
            frames = await _read(session, method, together=together)
            times.append(time.perf_counter() - begun)
    frame = mf.concat(frames).drop(columns="account")
    digest = int(pd.util.hash_pandas_object(frame).sum())
    print(json.dumps({"times": times, "runs": job["runs"], "digest": digest}))


if __name__ == "__main__":
    asyncio.run(main())
