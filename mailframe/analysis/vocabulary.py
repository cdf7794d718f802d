"""What mail is about: the phrases that come back, and those that tell two periods apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype, is_timedelta64_dtype

from mailframe import schema
from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.function_words import FUNCTION_WORDS
from mailframe.analysis.ngrams import find_phrases, running
from mailframe.analysis.subjects import base_subject
from mailframe.exceptions import QueryError
from mailframe.parsing.tokenizer import tokens
from mailframe.source import check_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.analysis.ngrams import Phrases, Running

__all__ = ["phrases"]

# Where a phrase ends: at brackets, quotation marks and dashes; at the signs that end sentences and
# their parts, where no word goes on (3.14, e.g.); between paragraphs, be they quoted. Not where a
# line ends: mail programs break lines at some width.
_PARTING = '()\\[\\]{}"“”„«»‹›|\u3000•·*—–…¿¡،؛؟।。、，！？：；「」『』（）【】《》〈〉'  # noqa: RUF001
_ENDING = ".,;:!?"
_ENDS = re.compile(
    # What it begins with comes first: it takes a fifth of the time.
    rf"[{_PARTING}{_ENDING}\n-](?:(?<=[{_PARTING}])|(?<=[{_ENDING}])(?!\S)"
    r"|(?<=\n)[ \t\r>]*+\n|(?<=-)(?<!\S-)-*+(?!\S))"
)
# Stands as a word of its own where a phrase ends; that somebody may write it does no harm.
_END = "0x0"
_LETTER = re.compile(r"[^\W\d_]")
_OWN_TEXT = frozenset(column.name for column in schema.OWN_TEXT)


class _Texts(NamedTuple):
    """The texts of messages: each different one once."""

    texts: list[str]
    #: In how many messages each is: a column for each of the frames.
    messages: NDArray[np.int64]
    #: How many messages have no text, and how many are copies, of all frames.
    without: int
    copies: int


def phrases(
    frame: pd.DataFrame,
    before: pd.DataFrame | None = None,
    *,
    of: str = "subject",
    n: int | tuple[int, int] = (1, 3),
    top: int | None = 20,
    least: int = 2,
    without: Iterable[str] | None = None,
) -> pd.DataFrame:
    """List the phrases that come back in messages, or that tell two periods apart.

    Parameters
    ----------
    frame
        Messages, with the column ``of``: headers, bodies, or any others. Where there is
        ``message_id``, copies of a message with the same text count once.
    before
        Those of an earlier period, or of another account, to compare with.
    of
        The column of the texts: ``"subject"`` (without ``Re:`` and its like), ``"own_text"`` (of
        ``session.bodies(own_text=True)``), ``"text"``, or another one.
    n
        How many words a phrase has: a number, or the least and the most.
    top
        Only so many, the commonest; with ``before``, so many of each period, and none of those
        that score exactly 0, which are typical of neither. None: all.
    least
        In how many messages a phrase is, of both frames together, to be listed.
    without
        Words that no phrase begins or ends with. None: articles, pronouns, prepositions and their
        like of eleven languages (English, German, French, Spanish, Italian, Portuguese, Dutch,
        Polish, Russian, Chinese, Japanese), and numbers; ``()``: none.

    Returns
    -------
    DataFrame
        A row a phrase: ``phrase``, in lower case; ``n``, how many words it has (int64);
        ``messages``, in how many it is, be it there once or often (int64); ``share`` of the
        messages that have a text, 0 to 1. The commonest come first, of equal ones the longer, then
        by the alphabet.
        With ``before``: ``phrase``, ``n``, ``messages``, ``messages_before``, ``share``,
        ``share_before``, and ``score``, which tells how sure it is that the phrase is commoner now
        (above 0: beyond 2 it is hardly chance) or was so before (below 0). What is most typical of
        now comes first, what is most typical of before last. Shares and scores are missing where
        there is nothing to compare with.
        A phrase that is part of a longer one, and in as many messages, is left out.
        ``attrs`` count the messages with a text (``"messages"``, ``"messages_before"``), and of
        both frames those without one (``"without_text"``) and the copies (``"copies"``).

    Raises
    ------
    QueryError
        For a column that is missing or holds no text, and for what is no number of words, phrases
        or messages.

    Notes
    -----
    Words are those of `mailframe.parsing.tokens`: of scripts without blanks each character is one,
    and ``n=(2, 6)`` tells more. A phrase goes on where a line ends, and ends at punctuation and
    between paragraphs.

    The score is the log-odds ratio with an informative Dirichlet prior, divided by its standard
    deviation (B. Monroe, M. Colaresi and K. Quinn, "Fightin' Words", Political Analysis 16, 2008),
    where what is counted is not words but messages: y₁ of n₁ have the phrase now, y₂ of n₂ had it
    before. The prior is the mean of both: N = (n₁ + n₂) / 2 messages, Y = (y₁ + y₂) / 2 of which
    have it. With aᵢ = yᵢ + Y and bᵢ = nᵢ + N - aᵢ the score is
    (ln(a₁ / b₁) - ln(a₂ / b₂)) / √(1/a₁ + 1/b₁ + 1/a₂ + 1/b₂); 0 for what is in every message.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> phrases(headers, top=3).round(3)
        phrase  n  messages  share
    0   weekly  1       123  0.048
    1  harbour  1       113  0.044
    2   sensor  1       108  0.042
    >>> early = headers[headers["date"] < "2025-07-01"]
    >>> late = headers[headers["date"] >= "2025-07-01"]
    >>> table = phrases(late, early, top=2)
    >>> table[["phrase", "messages", "messages_before", "score"]].round(1)
                   phrase  messages  messages_before  score
    0        new readings        42                0    4.0
    1            readings        79               23    3.2
    2               hotel         3               20   -2.8
    3  firmware developer         2               25   -3.4
    """
    lengths = _lengths(n)
    check_count("top", top, "phrases")
    check_count("least", least)
    frames = [frame] if before is None else [frame, before]
    found = _texts(frames, of)
    said = running((tokens(_ENDS.sub(f" {_END}\n", one)) for one in found.texts), _END)
    is_edge = _edges(said.vocabulary, without)
    counted = find_phrases(said, found.messages, lengths, max(int(least or 0), 1), is_edge)
    totals = found.messages.sum(axis=0)
    result = _listed(said, counted, totals, top)
    names = ["messages", "messages_before"]
    result.attrs = {
        # What is said of one frame alone would be wrong of both.
        **{k: v for k, v in frame.attrs.items() if frames[-1].attrs.get(k) == v},
        "of": of,
        **dict(zip(names, totals.tolist(), strict=False)),
        "without_text": found.without,
        "copies": found.copies,
    }
    return result


def _lengths(n: object) -> tuple[int, int]:
    ends = n if isinstance(n, (tuple, list)) else (n, n)
    whole = all(isinstance(one, Integral) and not isinstance(one, bool) for one in ends)
    if len(ends) != 2 or not whole or not 1 <= ends[0] <= ends[1]:  # noqa: PLR2004 least and most
        raise QueryError(
            f"n={n!r} is no number of words.",
            suggestion="A whole number from 1, or the least and the most: n=(1, 3).",
        )
    return int(ends[0]), int(ends[1])


def _texts(frames: list[pd.DataFrame], of: str) -> _Texts:
    values, copy = [], []
    for frame in frames:
        _check_text(frame, of)
        values.append(text(frame, of))
        copy.append(_copies(frame, of))
    codes, found = pd.factorize(pd.concat(values, ignore_index=True))
    texts = [base_subject(str(one)) if of == "subject" else str(one) for one in found]
    is_said = np.array([*(bool(one.strip()) for one in texts), False])  # the last one: no text
    is_copy = np.concatenate(copy)
    side = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    counted = is_said[codes] & ~is_copy
    messages = np.column_stack(
        [
            np.bincount(codes[counted & (side == n)], minlength=len(texts)).astype("int64")
            for n in range(len(frames))
        ]
    )
    return _Texts(texts, messages, int((~is_said[codes] & ~is_copy).sum()), int(is_copy.sum()))


def _check_text(frame: pd.DataFrame, of: str) -> None:
    if of in _OWN_TEXT and isinstance(frame, pd.DataFrame) and of not in frame.columns:
        raise QueryError(
            f"This frame has no column {of!r}.",
            suggestion="session.bodies(own_text=True) returns it: give its frame, or rows of it "
            "with that column kept.",
        )
    check_columns(frame, [of])
    dtype = frame[of].dtype
    if is_numeric_dtype(dtype) or is_datetime64_any_dtype(dtype) or is_timedelta64_dtype(dtype):
        raise QueryError(
            f"The column {of!r} holds {dtype}, not text.",
            suggestion='of="subject", "own_text", "text", or another column of text.',
        )


def _copies(frame: pd.DataFrame, of: str) -> NDArray[np.bool_]:
    """Tell which messages are another one's copies: of the same Message-ID, with the same text."""
    if "message_id" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    same = pd.DataFrame({name: text(frame, name).array for name in ("message_id", of)})
    is_named = same["message_id"].notna() & (same["message_id"] != "")
    copies: NDArray[np.bool_] = (same.duplicated() & is_named).to_numpy(dtype=bool)
    return copies


def _edges(vocabulary: list[str], without: Iterable[str] | None) -> NDArray[np.bool_]:
    """Tell with which words no phrase begins or ends."""
    if without is None:
        # Of numbers most are others in each message, and say little where they are not.
        is_edge = [one in FUNCTION_WORDS or not _LETTER.search(one) for one in vocabulary]
        return np.array(is_edge, dtype=bool)
    given = [without] if isinstance(without, str) else without
    if not isinstance(given, Iterable) or not all(isinstance(one, str) for one in given):
        raise QueryError(
            f"without={without!r} are no words.", suggestion='without=["regards", "hello"].'
        )
    words = frozenset(word for one in given for word in tokens(one))
    return np.array([one in words for one in vocabulary], dtype=bool)


def _listed(
    said: Running, counted: Phrases, totals: NDArray[np.int64], top: int | None
) -> pd.DataFrame:
    """Tabulate phrases in order: by how common, or how typical, they are."""
    names = ["", "_before"][: len(totals)]
    columns: dict[str, Any] = {"phrase": "", "n": counted.lengths}
    for at, name in enumerate(names):
        columns[f"messages{name}"] = counted.messages[:, at]
    for at, name in enumerate(names):
        columns[f"share{name}"] = counted.messages[:, at] / (totals[at] or np.nan)
    by = [*(f"messages{name}" for name in names), "n"]
    if len(totals) > 1:
        columns["score"] = _scores(counted.messages, totals)
        by = ["score", *by] if totals.all() else by
    table = pd.DataFrame(columns).sort_values(by, ascending=False)
    # Only of what may be listed the words are put together: a million phrases may come back.
    table = _cut(table, by, top, tied=True)
    spoken = [
        _spoken([said.vocabulary[word] for word in said.words[place : place + length]])
        for place, length in zip(counted.places[table.index], table["n"], strict=True)
    ]
    table = table.assign(phrase=pd.Series(spoken, index=table.index, dtype="str"))
    table = table.sort_values("phrase").sort_values(by, ascending=False, kind="stable")
    return _cut(table, by, top, tied=False).reset_index(drop=True)


def _cut(table: pd.DataFrame, by: list[str], top: int | None, *, tied: bool) -> pd.DataFrame:
    """Keep so many phrases, of each period where there are scores; if tied, and their equals."""
    if top is None:
        return table

    def first(rows: pd.DataFrame) -> pd.DataFrame:
        kept = np.arange(len(rows)) < top
        if tied and kept.any() and not kept.all():
            kept |= (rows[by] == rows[by].iloc[kept.sum() - 1]).all(axis=1).to_numpy()
        return rows[kept]

    if "score" not in by:
        return first(table)
    now, then = table[table["score"] > 0], table[table["score"] < 0]
    return pd.concat([first(now), first(then[::-1])[::-1]])


def _scores(messages: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how sure it is that each phrase is commoner in the first frame: see `phrases`."""
    if not totals.all():
        return np.full(len(messages), np.nan)
    having = messages + messages.mean(axis=1, keepdims=True)
    lacking = totals + totals.mean() - having
    everywhere = (lacking == 0).all(axis=1)
    lacking[everywhere] = 1  # of no matter
    ratio = np.diff(np.log(lacking / having), axis=1)[:, 0]
    deviation = np.sqrt((1 / having + 1 / lacking).sum(axis=1))
    scores: NDArray[np.float64] = np.where(everywhere, 0, ratio / deviation)
    return scores


def _spoken(words: list[str]) -> str:
    """Join words as they are written: where they stay two without it, without a blank."""
    joined = words[0]
    for one, other in pairwise(words):
        together = not (one.isascii() and other.isascii()) and tokens(one + other) == [one, other]
        joined += other if together else f" {other}"
    return joined
