"""Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3).

Printable ASCII stands for itself, except ``&``, which is written ``&-``. Everything else is UTF-16
in base64 between ``&`` and ``-``, with a comma where base64 has a slash: a slash may be the
delimiter of folders.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

__all__ = ["decode_name", "encode_name"]

_UNPRINTABLE = re.compile(r"[^ -~]+")
_SHIFTED = re.compile(r"&([^-&]*)-")


def encode_name(name: str) -> str:
    """Write a folder's name.

    Examples
    --------
    >>> encode_name("Entwürfe & Co")
    'Entw&APw-rfe &- Co'
    """

    def shift(run: re.Match[str]) -> str:
        octets = b64encode(run[0].encode("utf-16-be")).rstrip(b"=")
        return f"&{octets.decode('ascii').replace('/', ',')}-"

    return _UNPRINTABLE.sub(shift, name.replace("&", "&-"))


def decode_name(text: str) -> str:
    """Read a folder's name.

    Raises
    ------
    ValueError
        If it is not modified UTF-7. A name in UTF-8 is taken as it is, as clients send it.

    Examples
    --------
    >>> decode_name("Entw&APw-rfe &- Co")
    'Entwürfe & Co'
    """
    if not text.isascii():
        return text

    def unshift(run: re.Match[str]) -> str:
        if not run[1]:
            return "&"
        octets = run[1].replace(",", "/")
        return b64decode(octets + "=" * (-len(octets) % 4), validate=True).decode("utf-16-be")

    name = _SHIFTED.sub(unshift, text)
    # One name, one spelling: otherwise two clients would see two folders.
    if encode_name(name) != text:
        raise ValueError(text)
    return name
