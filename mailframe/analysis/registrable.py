"""The domains that somebody registered: what the public suffix list makes of host names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe.exceptions import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["has_list", "registrable"]


def registrable(domains: pd.Series[Any]) -> pd.Series[Any]:
    """Return the domain that somebody registered for each host name.

    Parameters
    ----------
    domains
        Text, as ``from_domain``.

    Returns
    -------
    Series
        In lower case: one label below a public suffix (https://publicsuffix.org/list/). What has
        none (an address in numbers, ``localhost``) is itself, what is missing stays so. The list is
        the one that tldextract brings along: nothing is asked of the network, no file is written.

    Raises
    ------
    NotSupportedError
        If tldextract is not installed.

    Examples
    --------
    >>> registrable(pd.Series(["mail.shop.example.co.uk", "x.example.org", "localhost"])).tolist()
    ['example.co.uk', 'example.org', 'localhost']
    """
    read = _reader()
    codes, found = pd.factorize(domains.astype("str").str.lower())
    names = pd.Series([read(name) for name in found] + [None], dtype="str")
    result: pd.Series[Any] = names.take(codes).set_axis(domains.index)
    return result


def has_list() -> bool:
    """Tell whether tldextract is installed."""
    try:
        _reader()
    except NotSupportedError:
        return False
    return True


@lru_cache(maxsize=1)
def _reader() -> Callable[[str], str]:
    try:
        import tldextract  # noqa: PLC0415 an extra
    except ImportError as error:
        raise NotSupportedError(
            "Which domain somebody registered is looked up by tldextract, which is not installed.",
            suggestion="pip install 'mailframe[domains]', or registrable=False.",
        ) from error
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def read(name: str) -> str:
        bare = name.rstrip(".")
        if not bare or bare.startswith("["):  # an address in numbers (RFC 5321 section 4.1.3)
            return name
        parts = extract(bare)
        if parts.suffix or parts.ipv4 or parts.ipv6:
            return parts.top_domain_under_public_suffix or bare
        # Of a suffix that is not in the list the last label is one (its default rule, "*").
        return ".".join(bare.split(".")[-2:])

    return read
