"""``df.mail.plot``: the pictures, asked of the frame itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.analysis.asking import ask
from mailframe.plots.comparisons import compare
from mailframe.plots.conversations import thread
from mailframe.plots.networks import network
from mailframe.plots.people import domains, recipients, senders
from mailframe.plots.replies import response_times
from mailframe.plots.rhythm import activity, calendar, diurnal
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

    activity = ask(activity)
    calendar = ask(calendar)
    compare = ask(compare)
    diurnal = ask(diurnal)
    domains = ask(domains)
    network = ask(network)
    recipients = ask(recipients)
    response_times = ask(response_times)
    senders = ask(senders)
    thread = ask(thread)
    volume = ask(volume)
