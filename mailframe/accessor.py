"""``df.mail``: analyses and plots on the frame itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mailframe import analysis
from mailframe.analysis.asking import ask

if TYPE_CHECKING:
    from mailframe.plots.on_frame import MailPlots

__all__ = ["MailAccessor"]

# Any of these is enough: each analysis says itself what else it needs.
_TELLING = (
    "date", "internal_date", "from_address", "message_id", "role", "hop", "content_type", "text",
)  # fmt: skip


@pd.api.extensions.register_dataframe_accessor("mail")
class MailAccessor:
    """What can be asked of a frame of messages: ``df.mail.volume("W")``.

    Parameters
    ----------
    frame
        Headers, recipients, bodies, attachments or hops, or rows and columns of them.

    Raises
    ------
    AttributeError
        If the frame has none of the columns that tell when a message is, from or to whom, which
        way it came, or what is in it.

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
                "one that a session returned: session.headers(), recipients(), bodies(), …"
            )
        self._frame = frame

    @property
    def plot(self) -> MailPlots:
        """The same as pictures: ``df.mail.plot.volume("W")``."""
        from mailframe.plots.on_frame import MailPlots  # noqa: PLC0415 matplotlib takes long

        return MailPlots(self._frame)

    activity = ask(analysis.activity)
    anonymize = ask(analysis.anonymize)
    attachments = ask(analysis.attachments)
    awaiting_reply = ask(analysis.awaiting_reply)
    calendar = ask(analysis.calendar)
    compare = ask(analysis.compare)
    delivery = ask(analysis.delivery)
    diurnal = ask(analysis.diurnal)
    domains = ask(analysis.domains)
    duplicates = ask(analysis.duplicates)
    identities = ask(analysis.identities)
    largest = ask(analysis.largest)
    network = ask(analysis.network)
    newsletters = ask(analysis.newsletters)
    people = ask(analysis.people)
    phrases = ask(analysis.phrases)
    recipients = ask(analysis.recipients)
    response_times = ask(analysis.response_times)
    senders = ask(analysis.senders)
    storage = ask(analysis.storage)
    thread_ids = ask(analysis.thread_ids)
    threads = ask(analysis.threads)
    volume = ask(analysis.volume)
    words = ask(analysis.words)
