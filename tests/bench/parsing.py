"""Bytes in memory -> values: whole messages, header blocks, and a message of 100 MB listed.

And texts divided into own words, quotes and signatures: those of the sample mailbox and those that
were labelled by hand, in the time of the process; the goal is 5,000 messages a second.

The messages are those of ``corpora/mailbox``. Every contestant is a process of its own and takes
its turn in every round; each gives all the fields that the others give. ``fast-mail-parser`` takes
part where it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.measure import forget_peak, status

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("MAILFRAME_CORPORA", ROOT.parent / "shared" / "corpora"))
LABELLED = ROOT / "tests" / "data" / "replies"
GOAL = 5_000  # messages a second
ROUNDS_WITHIN = 5  # so that a process is timed for some tenths of a second

_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def messages() -> list[bytes]:
    """Return the corpus as a server sends it: with CRLF."""
    texts = _FROM_LINE.split((CORPORA / "mailbox" / "sa-dev.mbox").read_bytes())[1:]
    return [
        _QUOTED_FROM.sub(rb"\1", text.removesuffix(b"\n")).replace(b"\n", b"\r\n") for text in texts
    ]


def blocks() -> list[bytes]:
    """Return the header of each message."""
    return [raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for raw in messages()]


def texts() -> list[str]:
    """Return the texts of the sample mailbox and those that were labelled by hand."""
    import mailframe as mf

    with mf.demo() as session:
        bodies = session.bodies(folder="*", progress=False)
    found: list[str] = bodies["text"].dropna().tolist()
    for path in sorted(LABELLED.glob("*.txt")):
        rows = path.read_text("utf-8").removesuffix("\n").split("\n")
        found.append("\n".join(row[2:] for row in rows))
    return found


# -- contestants: each makes a reader, which takes one message


def whole_mailframe() -> Callable[[bytes], Any]:
    from mailframe.parsing import parse_email

    return parse_email


def whole_imap_tools() -> Callable[[bytes], Any]:
    from imap_tools import MailMessage

    def read(raw: bytes) -> Any:
        mail = MailMessage.from_bytes(raw)
        return (
            (mail.subject, mail.from_values, mail.to_values, mail.cc_values, mail.bcc_values),
            (mail.reply_to_values, mail.date, mail.text, mail.html, mail.headers),
            [
                (a.filename, a.content_type, a.content_disposition, a.content_id, a.payload, a.size)
                for a in mail.attachments
            ],
        )

    return read


def whole_standard_library() -> Callable[[bytes], Any]:
    from email import message_from_bytes, policy
    from email.message import EmailMessage

    def read(raw: bytes) -> Any:
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        found = [
            (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
            for part in mail.walk()
            if not part.is_multipart()
        ]
        return [(name, str(value)) for name, value in mail.items()], found

    return tolerant(read)


def whole_fast_mail_parser() -> Callable[[bytes], Any]:
    from fast_mail_parser import parse_email

    return tolerant(parse_email)


def headers_mailframe() -> Callable[[bytes], Any]:
    from mailframe.parsing import parse_headers

    return parse_headers


def headers_imap_tools() -> Callable[[bytes], Any]:
    from imap_tools import MailMessage

    def read(raw: bytes) -> Any:
        mail = MailMessage.from_bytes(raw)
        return (
            (mail.subject, mail.from_values, mail.to_values, mail.cc_values, mail.bcc_values),
            (mail.reply_to_values, mail.date),
        )

    return read


def headers_standard_library() -> Callable[[bytes], Any]:
    from email.parser import BytesHeaderParser

    return BytesHeaderParser().parsebytes  # fields alone: nothing is decoded


def listed_mailframe() -> Callable[[bytes], Any]:
    from mailframe.parsing import parse_structure, pick_parts

    return lambda raw: [(a.filename, a.size) for a in pick_parts(parse_structure(raw)).attachments]


def listed_imap_tools() -> Callable[[bytes], Any]:
    from imap_tools import MailMessage

    return lambda raw: [(a.filename, a.size) for a in MailMessage.from_bytes(raw).attachments]


def tolerant(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Let a parser that raises go on with the next message."""

    def attempt(raw: bytes) -> Any:
        try:
            return read(raw)
        except Exception:  # noqa: BLE001 whatever it raises: its time counts all the same
            return None

    return attempt


TASKS: dict[str, dict[str, Callable[[], Callable[[bytes], Any]]]] = {
    "whole": {
        "mailframe": whole_mailframe,
        "imap-tools": whole_imap_tools,
        "standard library": whole_standard_library,
        "fast-mail-parser": whole_fast_mail_parser,
    },
    "headers": {
        "mailframe": headers_mailframe,
        "imap-tools": headers_imap_tools,
        "standard library": headers_standard_library,
    },
    "listed": {"mailframe": listed_mailframe, "imap-tools": listed_imap_tools},
}


def large(octets: int) -> bytes:
    """Return a message with one attachment of so many bytes, encoded."""
    line = b"QUJD" * 19 + b"\r\n"
    return (
        b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n"
        b"--b\r\nContent-Type: application/octet-stream; name=large.bin\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + line * (octets // len(line)) + b"--b--\r\n"
    )


def measure(task: str, name: str, octets: int) -> dict[str, float]:
    """Read everything once to warm up, then against the clock."""
    read = TASKS[task][name]()
    if task == "listed":
        raw = large(octets)
        read(raw[:100_000])
        before, start = forget_peak(), time.perf_counter()
        [(filename, _)] = read(raw)
        assert filename == "large.bin"
        return {"seconds": time.perf_counter() - start, "peak": status("VmHWM") - before}
    raws = messages() if task == "whole" else blocks()
    for raw in raws:
        read(raw)
    start = time.perf_counter()
    for _ in range(ROUNDS_WITHIN):
        for raw in raws:
            read(raw)
    return {"seconds": (time.perf_counter() - start) / ROUNDS_WITHIN / len(raws), "peak": 0}


def measure_divided() -> dict[str, float]:
    """Divide every text once to warm up, then against the process's clock."""
    from mailframe.parsing import split_reply

    found = texts()
    for text in found:
        split_reply(text)
    start = time.process_time()
    for _ in range(ROUNDS_WITHIN):
        for text in found:
            split_reply(text)
    seconds = (time.process_time() - start) / ROUNDS_WITHIN
    return {"seconds": seconds / len(found), "messages": len(found)}


def run_divided(runs: int) -> None:
    """Print the median, beside the goal."""
    job = [sys.executable, "-m", "tests.bench.parsing", "divided", "mailframe", "0"]
    found = [
        json.loads(subprocess.run(job, check=True, capture_output=True, cwd=ROOT).stdout)
        for _ in range(runs)
    ]
    seconds = statistics.median(one["seconds"] for one in found)
    print(f"\ndivided, median of {runs}, {found[0]['messages']:,.0f} messages")
    print(f"{1 / seconds:9,.0f} a second  {1 / seconds / GOAL:6.2f} times the goal  mailframe")


def run(runs: int, octets: int) -> None:
    """Print medians and ratios."""
    for task, contestants in TASKS.items():
        names = [name for name in contestants if name != "fast-mail-parser" or _has_fast_parser()]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(runs):
            for name in names:
                job = [sys.executable, "-m", "tests.bench.parsing", task, name, str(octets)]
                done = subprocess.run(job, check=True, capture_output=True, cwd=ROOT)
                found[name].append(json.loads(done.stdout))
        middle = {
            name: {key: statistics.median(one[key] for one in all_) for key in ("seconds", "peak")}
            for name, all_ in found.items()
        }
        print(f"\n{task}, medians of {runs}")
        for name, one in middle.items():
            ratio = one["seconds"] / middle["mailframe"]["seconds"]
            figure = (
                f"{one['peak'] / octets:5.2f} copies of {octets / 1e6:.0f} MB in memory beside it"
                if task == "listed"
                else f"{1 / one['seconds']:9,.0f} a second"
            )
            print(f"{figure}  {ratio:6.2f} times mailframe's  {name}")
    run_divided(runs)


def _has_fast_parser() -> bool:
    return importlib.util.find_spec("fast_mail_parser") is not None


if __name__ == "__main__":
    task, contestant, size = sys.argv[1:]
    one = measure_divided() if task == "divided" else measure(task, contestant, int(size))
    print(json.dumps(one))
