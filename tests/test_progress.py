"""A bar that several threads have news for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import tqdm.auto

from mailframe import progress

if TYPE_CHECKING:
    import pytest


def test_news_of_two_threads_make_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Tqdm:
        def __init__(self, **_: object) -> None:
            made.append(self)
            if len(made) == 1:
                # Somebody else has news, while this is made.
                assert bar._lock.locked()
                other.start()

        def set_postfix_str(self, words: str) -> None:
            said.append(words)

        def update(self, _n: int) -> None: ...

        def close(self) -> None:
            said.append("closed")

    said: list[str] = []
    monkeypatch.setattr(tqdm.auto, "tqdm", Tqdm)
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    bar = progress._Bar(10, None, " messages")
    other = threading.Thread(target=bar.note, args=("slowly",))
    bar.update(1)
    other.join()
    bar.close()
    assert len(made) == 1
    assert said == ["slowly", "closed"]
