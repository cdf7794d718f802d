"""What a server found out about the senders of messages: SPF, DKIM and DMARC."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import text
from mailframe.exceptions import QueryError
from mailframe.parsing import parse_authentication_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailframe.records import AuthenticationResult

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
_MOST_FIELDS = 50
_SERVER = re.compile(r'\s*"?([^\s;"()=\\]+)')
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
        wrote the topmost field. Of each server its topmost field counts, and those directly below
        it that have its name and tell of other methods: some write a field for each method.

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
    told: dict[str, str] = {}
    servers: list[str | None] = []
    for results in _believed(value.split("\n", _MOST_FIELDS)[:_MOST_FIELDS], names):
        found: dict[str, str] = {}
        for one in results:
            # One good signature is enough, whatever the others are worth (RFC 6376 section 6.1).
            if one.method not in found or (one.method == "dkim" and one.result == "pass"):
                found[one.method] = one.result
        told = found | told
        servers.append(results[0].authserv_id)
    if not servers:
        return _NOTHING
    return (*(told.get(method) for method in METHODS), servers[0])


def _believed(
    fields: list[str], names: frozenset[str] | None
) -> Iterator[tuple[AuthenticationResult, ...]]:
    """Give the results of each field that is believed: what is further down came with the mail."""
    methods: dict[str | None, set[str]] = {}
    done: set[str | None] = set()
    above: str | None = None
    for place, field in enumerate(fields):
        results = parse_authentication_results([field])
        server = _server(field, results)
        if place and server != above:
            done.add(above)
        above = server
        if server in done or (names is not None and server not in names):
            continue
        its = {one.method for one in results}
        so_far = methods.setdefault(server, set())
        if not its or its & so_far:
            # It found nothing out, or says the same thing twice: the second was there before.
            done.add(server)
        if results and not its & so_far:
            so_far |= its
            yield results


def _server(field: str, results: tuple[AuthenticationResult, ...]) -> str | None:
    """Return who wrote a field, which one without results names as well."""
    if results:
        name = results[0].authserv_id
    else:
        found = _SERVER.match(field)
        name = found and found[1]
    return name and name.casefold()
