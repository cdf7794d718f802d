"""What a server found out about the senders of messages: SPF, DKIM and DMARC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import text
from mailframe.exceptions import QueryError
from mailframe.parsing import parse_authentication_results

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FIELD", "METHODS", "verdicts"]

#: The column of ``session.headers(fields=["Authentication-Results"])``.
FIELD = "authentication_results"
#: What is told of, each a column of its own.
METHODS = ("spf", "dkim", "dmarc", "arc")
# For Arrow's regular expressions, which are quick, and know no letters beyond ASCII. What is not
# ASCII is odd, and so is a clause whose first = stands behind anything but a plain word, or one
# with a blank behind it: to take something out there might change what is read.
_ODD = (
    r"[^\t\n -~]|=[ \t]|"
    r"(?:^|[;\n])(?:[^;=\n]*\.[A-Za-z0-9_./-]*[ \t]*|[^;=\n]*[^;=\nA-Za-z0-9_-]|)="
)
_QUOTED = r'["\\]'
_COMMENT = r"\([^()\n]*\)"
_PROPERTY = r"[ \t]+[A-Za-z]+\.[A-Za-z0-9_.-]+=[^\s;]+"
_LONGEST = 5_000
_NOTHING = (None,) * (len(METHODS) + 1)


def verdicts(
    headers: pd.DataFrame | None, trusted: str | Iterable[str] | None = None
) -> pd.DataFrame:
    """Tell what a server that can be believed found out about each sender.

    Parameters
    ----------
    headers
        Messages; where there is no column ``authentication_results``, or no frame, nothing is told.
    trusted
        The names of servers (authserv-id) whose fields are believed, in any case; None: whoever
        wrote the topmost field.

    Returns
    -------
    DataFrame
        A row a message, in their order: ``spf``, ``dkim``, ``dmarc`` and ``arc`` (category) and
        ``authserv`` (``str``), who says so. Missing where nobody that is believed says anything.

    Raises
    ------
    QueryError
        If ``trusted`` is no names, or is given without the column.
    """
    names = _names(trusted)
    if headers is None or FIELD not in headers.columns:
        if names is not None:
            raise QueryError(
                f"trusted={trusted!r} is about a column {FIELD!r}, which is not there.",
                suggestion='session.headers(fields=["Authentication-Results"]) returns it: give '
                "that frame as headers.",
            )
        codes, found = np.full(0 if headers is None else len(headers), -1), []
    else:
        values = text(headers, FIELD)
        if names is None:
            # A server puts its own on top of what was there (RFC 8601 section 5).
            values = values.str.replace(r"\n[\s\S]*", "", regex=True)
        codes, distinct = pd.factorize(_shortened(values))
        found = [_read(value, names) for value in distinct.tolist()]
    rows = [*found, _NOTHING]
    columns = {}
    for place, name in enumerate((*METHODS, "authserv")):
        told = pd.Series([row[place] for row in rows], dtype="str").take(codes)
        columns[name] = told.reset_index(drop=True).astype(
            "str" if name == "authserv" else "category"
        )
    return pd.DataFrame(columns)


def _names(trusted: str | Iterable[str] | None) -> frozenset[str] | None:
    if trusted is None:
        return None
    names = [trusted] if isinstance(trusted, str) else trusted
    try:
        return frozenset(name.casefold() for name in names)
    except (TypeError, AttributeError):
        raise QueryError(
            f"trusted={trusted!r} names no servers.",
            suggestion='trusted="mx.example.com", or several of them: what the column authserv '
            "holds for mail that is known to be genuine.",
        ) from None


def _shortened(values: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out comments and what was looked at, as far as that is simple.

    Addresses and signatures make each message's field another one, and to read one takes 40 µs.
    """
    bare = values.str.replace(_COMMENT, " ", regex=True)
    is_odd = values.str.contains(_QUOTED, regex=True) | bare.str.contains(_ODD, regex=True)
    is_odd |= bare.str.contains("(", regex=False)
    is_odd |= values.str.len() > _LONGEST
    short = bare.str.replace(_PROPERTY, "", regex=True)
    return short.mask(is_odd.fillna(value=False).astype("bool"), values)


def _read(value: str, names: frozenset[str] | None) -> tuple[str | None, ...]:
    """Return the result of each method, and who says so."""
    results = parse_authentication_results(value.split("\n"))
    if names is not None:
        results = tuple(one for one in results if (one.authserv_id or "").casefold() in names)
    if not results:
        return _NOTHING
    told: dict[str, str] = {}
    for one in results:
        # One good signature is enough, whatever the others are worth (RFC 6376 section 6.1).
        if one.method not in told or (one.method == "dkim" and one.result == "pass"):
            told[one.method] = one.result
    return (*(told.get(method) for method in METHODS), results[0].authserv_id)
