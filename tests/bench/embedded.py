"""The embedded server beside Dovecot, both with the sample mailbox; and how soon `mf.demo` is up.

The client is a bare socket in a process of its own; the embedded server runs in this one, with
nothing else to do. A first round is not timed.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.embedded.launcher import start_server
from tests.bench.measure import forget_peak, status
from tests.rigs.dovecot import Dovecot

if TYPE_CHECKING:
    from mailframe.embedded.store import Account

ROOT = Path(__file__).parents[2]
MB = 1_000_000
DESCRIBE = "FETCH 1:* (ENVELOPE BODYSTRUCTURE)"
SEARCH = "SEARCH FROM holm"
BODY = "SEARCH BODY budget"


def run(runs: int, messages: int) -> int:
    """Measure and print; return how many answers differ."""
    server, user, password = start_server()
    with Dovecot() as dovecot:
        reference = dovecot.new_user()
        deliver(dovecot, reference, server.accounts[user])
        count = sum(len(one.messages) for one in server.accounts[user])
        ours = Where(server.host, server.port, user, password)
        theirs = Where(dovecot.host, dovecot.port, reference, dovecot.password)
        wrong = beside(runs, count, ours, theirs)
        several(runs, count, ours)
    server.stop()
    larger(runs, messages)
    beginning(runs, messages)
    return wrong


def beside(runs: int, count: int, ours: Where, theirs: Where) -> int:
    """Ask both the same."""
    wrong = 0
    print(f"\nthe sample mailbox, {count:,} messages, all folders; medians of {runs}")
    for command in (DESCRIBE, SEARCH, BODY):
        taken: dict[str, list[dict[str, Any]]] = {"embedded": [], "Dovecot": []}
        for _ in range(runs + 1):
            for name, where in (("embedded", ours), ("Dovecot", theirs)):
                taken[name].append(ask(where, command))
        middle = {n: statistics.median(r["seconds"] for r in rs[1:]) for n, rs in taken.items()}
        print(
            f"{command:34} {count / middle['embedded']:9,.0f} messages/s, first time "
            f"{count / taken['embedded'][0]['seconds']:,.0f}; Dovecot "
            f"{count / middle['Dovecot']:,.0f}"
        )
        answers = {name: results[0]["found"] for name, results in taken.items()}
        if answers["embedded"] != answers["Dovecot"]:
            print("MISMATCH", command, answers)
            wrong += 1
    return wrong


def several(runs: int, count: int, where: Where) -> None:
    """Let ten clients ask at once."""
    with ThreadPoolExecutor(10) as pool:
        times = []
        for _ in range(runs):
            begun = time.perf_counter()
            list(pool.map(lambda _: ask(where, DESCRIBE), range(10)))
            times.append(time.perf_counter() - begun)
    rate = 10 * count / statistics.median(times)
    print(f"ten connections at once, each all of it: {rate:,.0f} messages/s together, their "
          "start included")  # fmt: skip


def larger(runs: int, messages: int) -> None:
    """Search a larger mailbox."""
    server, user, password = start_server(messages=messages)
    where = Where(server.host, server.port, user, password)
    times = [ask(where, SEARCH)["seconds"] for _ in range(runs + 1)]
    print(f"\n{messages:,} messages: {SEARCH} {statistics.median(times[1:]):.3f} s, "
          f"the first time {times[0]:.3f} s")  # fmt: skip
    server.stop()


def beginning(runs: int, messages: int) -> None:
    """Measure from the call to the first frame, in a process of its own."""
    for count in (None, messages):
        results = [child("begin", {"messages": count}) for _ in range(runs)]
        seconds = statistics.median(result["seconds"] for result in results)
        peak = max(result["peak"] for result in results)
        print(
            f"mf.demo({'' if count is None else f'messages={count:_}'}): first frame, of "
            f"{results[0]['rows']:,} rows, after {seconds:.2f} s; all folders after "
            f"{statistics.median(result['all'] for result in results):.2f} s; peak of the whole "
            f"process {peak / MB:.0f} MB, {results[0]['before'] / MB:.0f} of it the imports"
        )


class Where(dict[str, Any]):
    """A server, and who one is."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        super().__init__(host=host, port=port, user=user, password=password)


def deliver(dovecot: Dovecot, user: str, account: Account) -> None:
    for mailbox in account:
        found = [(one.content.read(), one.flags, one.internal_date) for one in mailbox.messages]
        dovecot.deliver(user, found, folder=mailbox.name)


def ask(where: Where, command: str) -> dict[str, Any]:
    return child("ask", {**where, "command": command})


def child(what: str, job: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.embedded", what],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# -- in the child


def client(job: dict[str, Any]) -> dict[str, Any]:
    """Send a command to every mailbox; time it, login and SELECT excluded."""
    with socket.create_connection((job["host"], job["port"])) as line, line.makefile("rb") as file:
        file.readline()

        def send(command: str) -> list[bytes]:
            line.sendall(f"a {command}\r\n".encode())
            replies = []
            while True:
                reply = file.readline()
                while reply.endswith(b"}\r\n"):
                    length = int(reply[reply.rindex(b"{") + 1 : -3])
                    reply += file.read(length) + file.readline()
                if reply.startswith(b"a "):
                    assert reply.startswith(b"a OK"), reply
                    return replies
                replies.append(reply)

        send(f"LOGIN {job['user']} {job['password']}")
        names = [reply.split(b' "/" ')[1].strip() for reply in send('LIST "" *')
                 if b"\\Noselect" not in reply]  # fmt: skip
        seconds, found = 0.0, 0
        for name in sorted(names):
            counted = send(f"EXAMINE {name.decode()}")
            if b"* 0 EXISTS\r\n" in counted:
                continue
            begun = time.perf_counter()
            replies = send(job["command"])
            seconds += time.perf_counter() - begun
            found += sum(len(reply.split()) - 2 for reply in replies if b"SEARCH" in reply[:9])
            found += sum(b" FETCH " in reply[:20] for reply in replies)
    return {"seconds": seconds, "found": found}


def begin(job: dict[str, Any]) -> dict[str, Any]:
    """Start the demo and read from it."""
    import mailframe as mf

    mf.schema.empty("headers")
    before = status("VmRSS")
    forget_peak()
    begun = time.perf_counter()
    with mf.demo(messages=job["messages"]) as session:
        rows = len(session.headers(progress=False))
        seconds = time.perf_counter() - begun
        frame = session.headers(folder="*", progress=False)
        every = time.perf_counter() - begun
    assert len(frame) >= (job["messages"] or 0)
    peak = status("VmHWM")
    return {"seconds": seconds, "all": every, "rows": rows, "peak": peak, "before": before}


if __name__ == "__main__":
    order = json.load(sys.stdin)
    print(json.dumps(client(order) if sys.argv[1] == "ask" else begin(order)))
