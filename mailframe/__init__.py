"""Any IMAP mailbox as pandas DataFrames.

::

    import mailframe as mf

    session = mf.connect("me@example.com")
    df = session.headers(mf.Q(since="30d") & ~mf.Q(seen=True))

Names are imported when they are first used, so that ``mailframe.imap`` alone needs no pandas.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailframe import analysis, exceptions, plots, schema
    from mailframe.aio import AsyncSession, connect_async
    from mailframe.analysis import anonymize
    from mailframe.criteria import Q
    from mailframe.embedded.launcher import demo
    from mailframe.exceptions import MailframeError
    from mailframe.imap import credentials as credentials
    from mailframe.opening import connect
    from mailframe.opening import open as open  # noqa: A004 mf.open, not in __all__
    from mailframe.parsing import Email
    from mailframe.records import Address, Attachment
    from mailframe.reporting import report
    from mailframe.session import Session
    from mailframe.tables import concat

__all__ = [
    "Address",
    "AsyncSession",
    "Attachment",
    "Email",
    "MailframeError",
    "Q",
    "Session",
    "analysis",
    "anonymize",
    "concat",
    "connect",
    "connect_async",
    "credentials",
    "demo",
    "exceptions",
    "plots",
    "report",
    "schema",
]

__version__ = "0.1.0"

_HOMES = {
    "Address": "records",
    "AsyncSession": "aio",
    "Attachment": "records",
    "Email": "parsing",
    "MailframeError": "exceptions",
    "Q": "criteria",
    "Session": "session",
    "anonymize": "analysis.anonymizing",
    "concat": "tables",
    "connect": "opening",
    "connect_async": "aio",
    "demo": "embedded.launcher",
    "open": "opening",  # not in __all__: a star import would hide the builtin
    "report": "reporting",
}

_MAKE_FRAMES = {"aio", "analysis.anonymizing", "embedded.launcher", "opening", "session", "tables"}

# A library logs only if its user asks for it.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        if _HOMES[name] in _MAKE_FRAMES:
            importlib.import_module(f"{__name__}.accessor")  # df.mail, on every frame
    elif name == "credentials":
        value = importlib.import_module(f"{__name__}.imap.credentials")
    elif name in __all__:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
