"""``df.mail.plot``: the pictures, asked of the frame itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.analysis.asking import ask
from mailframe.plots.comparisons import compare
from mailframe.plots.conversations import thread
from mailframe.plots.deliveries import delivery
from mailframe.plots.networks import network
from mailframe.plots.newsletters import newsletters
from mailframe.plots.people import domains, recipients, senders
from mailframe.plots.replies import response_times
from mailframe.plots.rhythm import activity, calendar, diurnal
from mailframe.plots.sizes import attachments, storage
from mailframe.plots.volumes import volume
from mailframe.plots.wording import phrases, words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MailPlots"]


class MailPlots:
    """Pictures of a frame of messages.

    Parameters
    ----------
    frame
        That a session returned: headers, recipients, bodies, …; or rows and columns of it.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    activity = ask(activity)
    attachments = ask(attachments)
    calendar = ask(calendar)
    compare = ask(compare)
    delivery = ask(delivery)
    diurnal = ask(diurnal)
    domains = ask(domains)
    network = ask(network)
    newsletters = ask(newsletters)
    phrases = ask(phrases)
    recipients = ask(recipients)
    response_times = ask(response_times)
    senders = ask(senders)
    storage = ask(storage)
    thread = ask(thread)
    volume = ask(volume)
    words = ask(words)
