"""Questions to frames: DataFrame in, DataFrame out.

Each function needs only the columns that it uses, and says which are missing. Nothing here asks a
server for anything, and no frame is changed.
"""

from __future__ import annotations

from mailframe.analysis.senders import senders
from mailframe.analysis.volume import volume

__all__ = ["senders", "volume"]
