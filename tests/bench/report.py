"""Figures -> what is printed: settings, tables, differences."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import subprocess
from typing import TYPE_CHECKING, Any

import pandas as pd

from tests.rigs.dovecot import dovecot_binary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.mailbox import Mailbox

LIBRARIES = ("mailframe", "imap-tools", "IMAPClient", "pandas", "pyarrow")


def settings() -> list[str]:
    binary = dovecot_binary() or "dovecot"
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return [
        f"Python {platform.python_version()}, " + ", ".join(map(_version, LIBRARIES)),
        f"Dovecot {version.stdout.split()[0]} on this machine, Maildir",
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {load} at the start",
    ]


def _version(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:  # run from the checkout, not installed
        return f"{name} (checkout)"


def describe(mailbox: Mailbox) -> str:
    return (
        f"{mailbox.count:,} messages, {mailbox.octets / 1e6:,.0f} MB, of which headers "
        f"{mailbox.header_octets / 1e6:,.0f} MB; seed {mailbox.seed}"
    )


def table(
    count: int, timed: Mapping[str, Sequence[dict[str, Any]]], tapped: Mapping[str, dict[str, Any]]
) -> str:
    """Tabulate the medians; ratios are to mailframe."""

    def median(name: str, figure: str) -> float:
        return statistics.median(run[figure] for run in timed[name])

    base = median("mailframe", "seconds")
    rows = []
    for name, runs in timed.items():
        seconds = median(name, "seconds")
        spread = [run["seconds"] for run in runs]
        rows.append(
            {
                "": name,
                "seconds": f"{seconds:.2f}",
                "from-to": f"{min(spread):.2f}-{max(spread):.2f}",
                "ratio": f"{seconds / base:.2f}",
                "messages/s": f"{count / seconds:,.0f}",
                "CPU s": f"{median(name, 'cpu'):.2f}",
                "MB received": f"{tapped[name]['received'] / 1e6:.1f}",
                "commands": f"{tapped[name]['commands']}",
                "peak MB": f"{median(name, 'peak') / 1e6:.0f}",
                "frame MB": f"{median(name, 'frame') / 1e6:.0f}",
            }
        )
    return pd.DataFrame(rows).to_string(index=False)


def differences(name: str, truth: pd.DataFrame, values: pd.DataFrame) -> list[str]:
    """Say where what was read is not what was written."""
    values = values.set_index("uid", drop=False).sort_index()
    if not values.index.equals(truth.index):
        lost, foreign = truth.index.difference(values.index), values.index.difference(truth.index)
        doubled = int(values.index.duplicated().sum())
        return [f"{name}: uid: {len(lost)} lost, {len(foreign)} foreign, {doubled} doubled"]
    found = []
    for column in values:
        read, written = _normal(values[column]), _normal(truth[column])
        wrong = truth.index[(read != written).fillna(value=True).to_numpy(dtype=bool)]
        if len(wrong):
            uid = wrong[0]
            found.append(
                f"{name}: {column}: {len(wrong)} of {len(truth)} differ, first UID {uid}: "
                f"{str(read[uid])[:300]!r} instead of {str(written[uid])[:300]!r}"
            )
    return found


def _normal(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.as_unit("us")
    if isinstance(column.dtype, pd.StringDtype):
        return column.str.split().str.join(" ")
    return column
