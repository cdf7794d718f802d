"""``python -m tests.fuzz ENTRY``: look for bytes that break a parser, guided by coverage.

Atheris changes what it has seen to reach what it has not. It begins with the messages in
``tests/data``, and with folders of others given behind ``--seeds``. The first bytes that make an
entry raise, take more than some seconds or give what `check` refuses are printed, and end it with
a status that is not 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["mailframe.parsing", "mailframe.files", "mailframe.embedded"]
):
    from tests.fuzz.entries import ENTRIES, check

DATA = Path(__file__).parent.parent / "data"
SECONDS = 5  # for one case; instrumented code takes some ten times as long
LONGEST = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("entry", choices=tuple(ENTRIES))
    parser.add_argument("--runs", type=int, default=20_000, help="cases")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers; 0 for any")
    parser.add_argument("--seeds", type=Path, nargs="*", default=[DATA], help="folders of messages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            f"-runs={options.runs}",
            f"-seed={options.seed}",
            f"-timeout={SECONDS}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            folder,
            *map(str, options.seeds),
        ]
        atheris.Setup([sys.argv[0], *arguments], lambda raw: check(options.entry, raw))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
