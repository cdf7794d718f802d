"""Questions to frames: DataFrame in, DataFrame out.

Each function needs only the columns that it uses, and says which are missing. Nothing here asks a
server for anything, and no frame is changed.
"""

from __future__ import annotations

from mailframe.analysis.aliases import identities, people
from mailframe.analysis.anonymizing import anonymize
from mailframe.analysis.attached import attachments
from mailframe.analysis.business import BusinessHours
from mailframe.analysis.comparison import compare
from mailframe.analysis.conversations import thread_ids, threads
from mailframe.analysis.correspondents import domains, recipients
from mailframe.analysis.deliveries import delivery
from mailframe.analysis.duplication import duplicates
from mailframe.analysis.graphs import centrality, to_graphml
from mailframe.analysis.kaplan_meier import response_summary, survival
from mailframe.analysis.networks import network
from mailframe.analysis.newsletters import newsletters
from mailframe.analysis.replies import awaiting_reply, response_times
from mailframe.analysis.rhythm import activity, calendar, diurnal
from mailframe.analysis.senders import senders
from mailframe.analysis.storage import largest, storage
from mailframe.analysis.vocabulary import phrases
from mailframe.analysis.volume import volume
from mailframe.analysis.wording import words

__all__ = [
    "BusinessHours",
    "activity",
    "anonymize",
    "attachments",
    "awaiting_reply",
    "calendar",
    "centrality",
    "compare",
    "delivery",
    "diurnal",
    "domains",
    "duplicates",
    "identities",
    "largest",
    "network",
    "newsletters",
    "people",
    "phrases",
    "recipients",
    "response_summary",
    "response_times",
    "senders",
    "storage",
    "survival",
    "thread_ids",
    "threads",
    "to_graphml",
    "volume",
    "words",
]
