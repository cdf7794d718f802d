"""What happens during long work that its user wants to know of, handed to an ``on_event`` callable.

Nothing here does anything: the progress bar and the log say it.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

__all__ = ["Event", "Reconnected", "Reconnecting", "Throttled"]


class Reconnecting(NamedTuple):
    """The connection was lost, and is tried again.

    Attributes
    ----------
    host
        The server.
    attempt
        From 1.
    seconds
        To wait before it.
    reason
        How the connection was lost, or why the last attempt failed.
    """

    host: str
    attempt: int
    seconds: float
    reason: str

    def __str__(self) -> str:
        when = f"in {self.seconds:.0f} s" if self.seconds >= 1 else "now"
        return f"connection to {self.host} lost ({self.reason}): trying again {when}"


class Reconnected(NamedTuple):
    """The connection stands again.

    Attributes
    ----------
    host
        The server.
    attempt
        The one that succeeded, from 1.
    """

    host: str
    attempt: int

    def __str__(self) -> str:
        return f"connected to {self.host} again"


class Throttled(NamedTuple):
    """The server wants fewer requests.

    Attributes
    ----------
    host
        The server.
    seconds
        To wait: as the server says, or as is usual.
    reply
        In the server's words.
    """

    host: str
    seconds: float
    reply: str

    def __str__(self) -> str:
        return f"{self.host} wants fewer requests ({self.reply}): waiting {self.seconds:.0f} s"


Event: TypeAlias = Reconnecting | Reconnected | Throttled
