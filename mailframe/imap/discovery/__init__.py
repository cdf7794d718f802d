"""The IMAP server of an address: what is known, what the domain says, and last a guess."""

from __future__ import annotations

from mailframe.imap.discovery.answers import Found
from mailframe.imap.discovery.finding import find_server
from mailframe.imap.discovery.network import Network

__all__ = ["Found", "Network", "find_server"]
