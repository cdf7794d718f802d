"""Pictures of frames: DataFrame in, matplotlib Axes out.

Each function draws on the Axes it is given, or on a new figure, and returns the Axes. Colours of
text, grid and background are those of the style in use, light or dark; those of the data are told
apart by people who are colour-blind (Okabe and Ito, "Color Universal Design", 2008).

Characters that the fonts of ``rcParams["font.family"]`` lack are shown as ``?``: for names in other
scripts add a font that has them, ``["DejaVu Sans", "Noto Sans CJK JP"]``.
"""

from __future__ import annotations

from mailframe.plots.comparisons import compare
from mailframe.plots.conversations import thread
from mailframe.plots.deliveries import delivery
from mailframe.plots.dialogues import trace
from mailframe.plots.networks import network
from mailframe.plots.newsletters import newsletters
from mailframe.plots.people import domains, recipients, senders
from mailframe.plots.replies import response_times
from mailframe.plots.rhythm import activity, calendar, diurnal
from mailframe.plots.sizes import attachments, storage
from mailframe.plots.volumes import volume
from mailframe.plots.wording import phrases, words

__all__ = [
    "activity",
    "attachments",
    "calendar",
    "compare",
    "delivery",
    "diurnal",
    "domains",
    "network",
    "newsletters",
    "phrases",
    "recipients",
    "response_times",
    "senders",
    "storage",
    "thread",
    "trace",
    "volume",
    "words",
]
