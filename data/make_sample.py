"""Make the sample mailbox: ``python data/make_sample.py`` writes ``data/sample.mbox.gz`` anew.

The same bytes come out each time, on every machine: see ``generator.chance``.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from generator.mailbox import mbox
from generator.office import everything

TARGET = Path(__file__).with_name("sample.mbox.gz")


def generate() -> bytes:
    """Return the mailbox as an mbox, not packed."""
    return mbox(everything())


def packed(data: bytes) -> bytes:
    """Pack it, without a name and a time that would change from run to run."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(data)
    return out.getvalue()


if __name__ == "__main__":
    data = generate()
    TARGET.write_bytes(packed(data))
    print(f"{TARGET.name}: {len(data):,} bytes, packed {TARGET.stat().st_size:,}")
