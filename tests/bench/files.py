"""Mail in files: time beside Python's own ``mailbox`` module, and memory by size.

Every turn is a process of its own, so that its peak is its own. What Python's module is timed with
is the least that gives the same columns: decoded sender, subject and date, sizes, and the names of
attachments. What both read is compared.
"""

from __future__ import annotations

import json
import mailbox
import statistics
import subprocess
import sys
import tempfile
import time
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import mailframe as mf
from tests.bench.mailbox import Mailbox
from tests.bench.measure import forget_peak, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
FROM = b"From ann@example.org Mon Jan  5 09:30:00 2026\n"
MB = 1_000_000


def run(runs: int, messages: int, sizes: tuple[int, ...] = (50, 500)) -> int:
    """Measure both; return how many results differ."""
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = {"mbox": folder / "a.mbox", "Maildir": folder / "Maildir"}
        several = [raw for raw, _, _ in Mailbox(messages)]
        write_mbox(stores["mbox"], several, 1)
        write_maildir(stores["Maildir"], several)
        print(f"\n{messages:,} messages, {stores['mbox'].stat().st_size / MB:,.0f} MB; ", end="")
        print(f"opening included, medians of {runs}, in seconds")
        for kind, path in stores.items():
            found = {
                who: [turn(who, path) for _ in range(runs + 1)][1:]
                for who in ("ten", "all", "hand")
            }
            times = {who: statistics.median(r["seconds"] for r in found[who]) for who in found}
            print(f"{kind:8} headers(limit=10) {times['ten']:6.2f}   headers('ALL') "
                  f"{times['all']:6.2f}   mailbox + by hand {times['hand']:6.2f}")  # fmt: skip
            wrong += found["all"][0]["digest"] != found["hand"][0]["digest"]
        print("\nan mbox of these messages over and over: count(from), headers(limit=10), search")
        few = several[:1000]
        for size in sizes:
            path = folder / f"{size}.mbox"
            write_mbox(path, few, max(round(size * MB / sum(map(len, few))), 1))
            result = turn("peak", path)
            print(
                f"{path.stat().st_size / MB:6,.0f} MB: peak {result['peak'] / MB:5.1f} MB above "
                f"the imports, {result['seconds']:6.1f} s"
            )
            path.unlink()
    if wrong:
        print("MISMATCH")
    return wrong


def write_mbox(path: Path, messages: list[bytes], times: int) -> None:
    """Write an mbox, with every line that begins with From quoted."""
    once = b"".join(
        FROM + raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ") + b"\n"
        for raw in messages
    )
    with path.open("wb") as file:
        for _ in range(times):
            file.write(once)


def write_maildir(path: Path, messages: list[bytes]) -> None:
    """Write a Maildir, with the line ends of Unix."""
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for number, raw in enumerate(messages):
        file = path / "cur" / f"{1_700_000_000 + number}.M1P1.host:2,S"
        file.write_bytes(raw.replace(b"\r\n", b"\n"))


def turn(who: str, path: Path) -> dict[str, Any]:
    """Let one contestant read."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.files", who, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def ten(path: Path) -> pd.DataFrame:
    with mf.open(path) as session:
        return session.headers(limit=10)


def everything(path: Path) -> pd.DataFrame:
    with mf.open(path) as session:
        return session.headers()


def peak(path: Path) -> pd.DataFrame:
    with mf.open(path) as session:
        session.count(mf.Q(from_="example"))
        session.search(mf.Q(subject="re"), limit=10)
        return session.headers(limit=10)


def by_hand(path: Path) -> pd.DataFrame:
    return pd.DataFrame(rows_by_hand(path))


def rows_by_hand(path: Path) -> Iterator[dict[str, Any]]:
    box = mailbox.Maildir(path) if path.is_dir() else mailbox.mbox(path)
    for key in sorted(box.keys()):
        message = box[key]
        sender = parseaddr(str(message["From"]))
        yield {
            "from_name": str(make_header(decode_header(sender[0]))),
            "from_address": sender[1],
            "subject": str(make_header(decode_header(str(message["Subject"])))),
            "date": parsedate_to_datetime(str(message["Date"])),
            "message_id": str(message["Message-ID"]).strip("<>"),
            "to": str(message["To"]),
            "references": str(message["References"]),
            "size": len(message.as_bytes()),
            "n_attachments": sum(
                part.get_content_disposition() == "attachment" for part in message.walk()
            ),
        }


CONTESTANTS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "ten": ten,
    "all": everything,
    "hand": by_hand,
    "peak": peak,
}


def main() -> None:
    """Read as one contestant, and say how long it took."""
    who, path = sys.argv[1], Path(sys.argv[2])
    forget_peak()
    before = status("VmRSS")
    start = time.perf_counter()
    frame = CONTESTANTS[who](path)
    seconds = time.perf_counter() - start
    ids = sorted(frame["message_id"].tolist())
    result = {
        "seconds": seconds,
        "peak": status("VmHWM") - before,
        "digest": [len(ids), ids[:3], ids[-3:], int(frame["n_attachments"].sum())],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
