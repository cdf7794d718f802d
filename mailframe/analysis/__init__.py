"""Questions to frames: DataFrame in, DataFrame out.

Each function needs only the columns that it uses, and says which are missing. Nothing here asks a
server for anything, and no frame is changed.
"""

from __future__ import annotations

from mailframe.analysis.aliases import identities, people
from mailframe.analysis.business import BusinessHours
from mailframe.analysis.comparison import compare
from mailframe.analysis.conversations import thread_ids, threads
from mailframe.analysis.correspondents import domains, recipients
from mailframe.analysis.graphs import centrality, to_graphml
from mailframe.analysis.kaplan_meier import response_summary, survival
from mailframe.analysis.networks import network
from mailframe.analysis.replies import awaiting_reply, response_times
from mailframe.analysis.rhythm import activity, calendar, diurnal
from mailframe.analysis.senders import senders
from mailframe.analysis.volume import volume

__all__ = [
    "BusinessHours",
    "activity",
    "awaiting_reply",
    "calendar",
    "centrality",
    "compare",
    "diurnal",
    "domains",
    "identities",
    "network",
    "people",
    "recipients",
    "response_summary",
    "response_times",
    "senders",
    "survival",
    "thread_ids",
    "threads",
    "to_graphml",
    "volume",
]
