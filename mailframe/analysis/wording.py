"""How much people write, in words of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.keyed import KEY_NAMES, rows_of
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.analysis.volume import volume
from mailframe.exceptions import QueryError
from mailframe.parsing.tokenizer import count_words

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["Written", "own_words", "words", "written"]

_OWN = frozenset({"period", "messages", "words", "median_words", "longest"})


class Written(NamedTuple):
    """The messages in which somebody wrote something, each once."""

    #: Their rows in the headers.
    rows: NDArray[np.int64]
    #: How many words each has.
    words: NDArray[np.int64]
    #: How many there are of what is left out, by why.
    left_out: dict[Any, int]


def words(
    bodies: pd.DataFrame,
    headers: pd.DataFrame,
    freq: str = "M",
    *,
    by: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
) -> pd.DataFrame:
    """Count the words that people wrote themselves, a period.

    Parameters
    ----------
    bodies
        Texts, with the key columns and ``n_words``, as ``session.bodies(own_text=True)`` returns.
        Without that column words are counted in ``own_text``; without that one ``text`` is divided
        first, which takes much longer.
    headers
        Messages, with the key columns, ``on``, that of ``by``, and ``utc_offset`` where
        ``tz="sender"``. Where there is ``message_id``, copies of a message count once.
    freq, tz, on
        As for `volume`.
    by
        Counted apart: ``"address"``, ``"domain"`` (both the sender's), ``"direction"``,
        ``"folder"``, ``"account"``, ``"list"``, or any column of the headers.
    me
        Who I am, for ``by="direction"``: an address, several, or a frame with a column
        ``address``; None: guessed from the headers (`identities`).

    Returns
    -------
    DataFrame
        A row a period, and a group where there are some; those without mail included, from the
        first message that counts to the last. ``period``: when it begins, in that zone (without a
        zone for ``"sender"``); the group, under the name of ``by``; ``messages``, those with words
        of their author's own (int64); ``words``, theirs together (int64); ``median_words`` and
        ``longest``, of one message (Int64; missing where there is none).
        ``attrs`` count the messages that are in no row: ``"without_words"``, which are all quote
        or signature, or have no text; ``"without_header"`` and ``"without_body"``, which are in
        one of the frames alone; ``"copies"``; ``"undated"``, as for `volume`.

    Raises
    ------
    QueryError
        As `volume` does.

    Notes
    -----
    A word is what `mailframe.parsing.tokens` makes one. Of Chinese, Japanese and Thai it counts the
    characters: such texts are comparable with each other, not with those in other languages.

    Copies are messages of the same Message-ID (RFC 5322 section 3.6.4) and sender. It is the
    earliest that counts, of equal ones the one whose folder comes first in the alphabet.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    ...     bodies = session.bodies(headers, own_text=True)
    >>> table = words(bodies, headers, "Y", by="direction")
    >>> list(table.columns)
    ['period', 'direction', 'messages', 'words', 'median_words', 'longest']
    """
    frequency, zone = frequency_of(freq), zone_of(tz)
    columns = grouping(headers, by)
    if by in _OWN:
        raise QueryError(
            f"by={by!r} has the name of a column of the result.",
            suggestion="Rename the column first: df.rename(columns=…).",
        )
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [time_column(on), *columns, *offset])
    found = written(bodies, headers, on=on)
    facts = pd.DataFrame({name: headers[name].array[found.rows] for name in (on, *offset)})
    line = timeline(facts, frequency, zone, on)
    dated = line.places >= 0
    codes, groups = np.zeros(int(dated.sum()), dtype="int64"), pd.Index([""])
    if by is not None:
        values = grouped(headers, by, me).iloc[found.rows[dated]]
        codes, groups = pd.factorize(values, sort=True, use_na_sentinel=False)
    counted = found.words[dated]
    grid = volume(facts[dated].assign(size=counted, group=codes), freq, by="group", tz=tz, on=on)
    result = grid[["period"]].copy()
    if by is not None:
        result[by] = pd.Index(groups).take(grid["group"].to_numpy("int64"))
        if isinstance(headers[columns[0]].dtype, pd.CategoricalDtype):
            result[by] = result[by].astype("category")
    result["messages"] = grid["messages"]
    result["words"] = grid["size"].to_numpy("int64")
    each = pd.Series(counted).groupby(line.places[dated] * max(len(groups), 1) + codes)
    # Half a word is none.
    result["median_words"] = each.median().round().reindex(result.index).astype("Int64")
    result["longest"] = each.max().reindex(result.index).astype("Int64")
    result.attrs = {
        **headers.attrs,
        "on": on,
        "tz": zone.name,
        "undated": int((~dated).sum()),
        **found.left_out,
    }
    return result


def written(bodies: pd.DataFrame, headers: pd.DataFrame, *, on: str = "date") -> Written:
    """Find the messages that have words of their author's own, and how many.

    Parameters
    ----------
    bodies, headers, on
        As for `words`.

    Raises
    ------
    QueryError
        For a column that is missing.
    """
    check_columns(bodies, KEY_NAMES)
    check_columns(headers, [*KEY_NAMES, time_column(on)])
    place = rows_of(bodies, headers)
    counted = own_words(bodies).fillna(0).to_numpy("int64")
    there = (place >= 0) & ~pd.Series(place).duplicated().to_numpy()
    rows, counts = place[there & (counted > 0)], counted[there & (counted > 0)]
    kept = _once(headers.iloc[rows], on)
    left_out = {
        "without_words": int((there & (counted <= 0)).sum()),
        "without_header": int((place < 0).sum()),
        "without_body": len(headers) - int(there.sum()),
        "copies": int((~kept).sum()),
    }
    return Written(rows[kept], counts[kept], left_out)


def own_words(bodies: pd.DataFrame) -> pd.Series[Any]:
    """Return how many words of its author's own each text has.

    Parameters
    ----------
    bodies
        With ``n_words``, or else ``own_text``, or else ``text``.

    Returns
    -------
    Series
        Int64; missing where there is no text.

    Raises
    ------
    QueryError
        If none of these is there.
    """
    if "n_words" in bodies.columns:
        return bodies["n_words"].astype("Int64")
    name = next((one for one in ("own_text", "text") if one in bodies.columns), None)
    if name is None:
        raise QueryError(
            "This frame has none of the columns 'n_words', 'own_text' and 'text'.",
            suggestion="session.bodies(own_text=True) returns them: give its frame, or rows of it "
            "with 'n_words' kept.",
        )
    if name == "text":
        from mailframe.parsing.replies import split_reply  # noqa: PLC0415 takes long

    texts = text(bodies, name)
    is_there = texts.notna().to_numpy()
    own = texts[is_there]
    counted = np.zeros(len(texts), dtype="int64")
    counted[is_there] = [
        count_words(one if name == "own_text" else split_reply(one).own) for one in own
    ]
    return pd.Series(pd.array(counted, dtype="Int64"), index=bodies.index).mask(~is_there)


def _once(headers: pd.DataFrame, on: str) -> NDArray[np.bool_]:
    """Choose one of the copies of each message."""
    kept = np.ones(len(headers), dtype=bool)
    if "message_id" not in headers.columns:
        return kept
    ids = text(headers, "message_id")
    # What two people sent are two messages, though they have one id.
    named = ["message_id", *(["from_address"] if "from_address" in headers.columns else [])]
    same = pd.DataFrame({name: text(headers, name).str.lower().array for name in named})
    same["message_id"] = ids.array  # in which case makes a difference
    several = np.flatnonzero(
        same.duplicated(keep=False).to_numpy() & (ids.notna() & (ids != "")).to_numpy()
    )
    some = headers.iloc[several]
    # By what no order of rows changes.
    order = pd.DataFrame({name: text(some, name).array for name in ("account", "folder")})
    order = order.assign(uid=some["uid"].array, moment=moments(some, on).array)
    ordered = several[order.sort_values(["moment", "account", "folder", "uid"]).index]
    kept[ordered[same.iloc[ordered].duplicated()]] = False
    return kept
