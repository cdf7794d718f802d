"""``df.mail.plot``: the pictures, asked of the frame itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.analysis.asking import ask
from mailframe.plots.people import senders
from mailframe.plots.volumes import volume

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MailPlots"]


class MailPlots:
    """Pictures of a frame of messages.

    Parameters
    ----------
    frame
        Headers or recipients, or rows and columns of them.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    senders = ask(senders)
    volume = ask(volume)
