"""What the letters of a language are made of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Language"]


@dataclass(frozen=True, slots=True)
class Language:
    """A handful of sentences.

    Attributes
    ----------
    greeting, closing
        Above and below every text.
    wrote
        Above what is quoted; with ``{date}``, ``{time}`` and ``{name}``.
    prefix
        Before the subject of an answer.
    block
        The words over a quoted message as some programs write them: the line, From, Sent, To,
        Subject.
    topics
        A subject and the sentences that go with it.
    more
        What an answer says.
    thanks
        What the last one says.
    away
        Of an automatic reply: subject and text.
    """

    greeting: str
    closing: str
    wrote: str
    prefix: str
    block: tuple[str, str, str, str, str]
    topics: tuple[tuple[str, str], ...]
    more: tuple[str, ...]
    thanks: tuple[str, ...]
    away: tuple[str, str] = ("", "")
