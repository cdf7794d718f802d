"""How long a script waits before anything is read: imports, and the first frame."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.bench.mailbox import Mailbox
from tests.rigs.dovecot import Dovecot

FIRST_FRAME = """
import ssl
import mailframe as mf
context = ssl.create_default_context(cafile={authority!r})
session = mf.connect({host!r}, {user!r}, password={password!r}, port={port}, ssl_context=context)
session.headers(limit=10)
"""


def run(runs: int) -> None:
    """Print medians of whole processes, each fresh, in seconds."""
    with Dovecot() as dovecot:
        user = dovecot.new_user()
        dovecot.deliver(user, Mailbox(100))
        first = FIRST_FRAME.format(
            authority=str(dovecot._certificate.authority),
            host=dovecot.host,
            user=user,
            password=dovecot.password,
            port=dovecot.tls_port,
        )
        programs = {
            "Python alone": "pass",
            "import imap_tools": "import imap_tools",
            "import pandas": "import pandas",
            "import mailframe.imap": "import mailframe.imap",
            "import mailframe": "import mailframe",
            "import, connect over TLS, headers(limit=10)": first,
        }
        taken: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(runs + 1):
            for name, program in programs.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
                taken[name].append(time.perf_counter() - start)
    print(f"medians of {runs}, whole processes, the first round left out")
    for name, times in taken.items():
        print(f"{statistics.median(times[1:]):6.2f} s  {name}")
