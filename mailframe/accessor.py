"""``df.mail``: analyses and plots on the frame itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mailframe import analysis

if TYPE_CHECKING:
    from datetime import tzinfo

    from matplotlib.axes import Axes

__all__ = ["MailAccessor", "MailPlots"]

# Any of these is enough: each analysis says itself what else it needs.
_TELLING = ("date", "internal_date", "from_address")


@pd.api.extensions.register_dataframe_accessor("mail")
class MailAccessor:
    """What can be asked of a frame of messages: ``df.mail.volume("W")``.

    Parameters
    ----------
    frame
        Headers, or rows and columns of them.

    Raises
    ------
    AttributeError
        If the frame has none of the columns that tell when and from whom a message is.

    Examples
    --------
    >>> from mailframe import schema
    >>> list(schema.empty("headers").mail.volume("W").columns)
    ['period', 'messages', 'size']
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        if not any(name in frame.columns for name in _TELLING):
            raise AttributeError(
                f".mail needs a frame of messages, with one of the columns {', '.join(_TELLING)}: "
                "one that session.headers() returned."
            )
        self._frame = frame

    @property
    def plot(self) -> MailPlots:
        """The same as pictures: ``df.mail.plot.volume("W")``."""
        return MailPlots(self._frame)

    def volume(
        self,
        freq: str = "W",
        *,
        by: str | None = None,
        tz: str | tzinfo = "UTC",
        on: str = "date",
    ) -> pd.DataFrame:
        """Count messages and bytes a period.

        Parameters
        ----------
        freq, by, tz, on
            As for `mailframe.analysis.volume`, as are what it returns and raises.
        """
        return analysis.volume(self._frame, freq, by=by, tz=tz, on=on)

    def senders(
        self, *, top: int | None = None, by: str = "address", on: str = "date"
    ) -> pd.DataFrame:
        """Tell who sent how much.

        Parameters
        ----------
        top, by, on
            As for `mailframe.analysis.senders`, as are what it returns and raises.
        """
        return analysis.senders(self._frame, top=top, by=by, on=on)


class MailPlots:
    """Pictures of a frame of messages.

    Parameters
    ----------
    frame
        Headers, or rows and columns of them.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def volume(
        self,
        freq: str = "W",
        *,
        by: str | None = None,
        tz: str | tzinfo = "UTC",
        on: str = "date",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw how many messages there were a period.

        Parameters
        ----------
        freq, by, tz, on, ax
            As for `mailframe.plots.volume`, as are what it returns and raises.
        """
        from mailframe import plots  # noqa: PLC0415 matplotlib takes long, and not all draw

        return plots.volume(self._frame, freq, by=by, tz=tz, on=on, ax=ax)

    def senders(self, *, top: int | None = 15, by: str = "address", ax: Axes | None = None) -> Axes:
        """Draw who sent most messages.

        Parameters
        ----------
        top, by, ax
            As for `mailframe.plots.senders`, as are what it returns and raises.
        """
        from mailframe import plots  # noqa: PLC0415 as above

        return plots.senders(self._frame, top=top, by=by, ax=ax)
