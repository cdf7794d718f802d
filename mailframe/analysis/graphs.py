"""Edges as a graph: who stands where in it, and a file for programs that draw graphs."""

from __future__ import annotations

import importlib
import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import text
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.saving import write_file
from mailframe.source import check_count

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["centrality", "check_edges", "to_graphml"]

_MEASURES = ("pagerank", "degree", "strength", "betweenness")
_DAMPING = 0.85
_TOLERANCE = 1e-12
_MOST_ROUNDS = 200  # 0.85 to that power is 1e-14: no graph takes longer
# XML 1.0 section 2.2 has no way to write these.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Graph(NamedTuple):
    """People with edges, in order of periods and the alphabet, and edges between them."""

    #: Of each person the period, as a number, and the address.
    period: NDArray[np.int64]
    address: pd.Index[Any]
    #: Of each edge the places of its people, and its weight: one edge at most from one to another.
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]


def centrality(
    edges: pd.DataFrame,
    measure: str | Sequence[str] = ("pagerank", "degree", "strength"),
    *,
    directed: bool = True,
    pivots: int | None = None,
) -> pd.DataFrame:
    """Tell who stands in the middle of a network; with edges a period, over time.

    Parameters
    ----------
    edges
        As `mailframe.analysis.network` returns them: with the columns ``source`` and ``target``;
        ``weight`` for ``"strength"`` and ``"pagerank"``; and ``period``, if there is one.
    measure
        One or several: ``"degree"``, with how many others; ``"strength"``, the sum of the weights
        [1]_; ``"pagerank"``, the share of time that somebody spends with each one who goes along
        edges by their weight, and anywhere instead with probability 0.15 at each step, and where
        no edge leads on [2]_; ``"betweenness"``, the share of the pairs of others between whom
        the shortest path, counted in edges, leads by here [3]_. That one needs ``pip install
        'mailframe[network]'`` and takes time with people times edges [4]_.
    directed
        Otherwise an edge leads both ways.
    pivots
        Estimate betweenness by the paths from so many people of a period, chosen by a fixed seed:
        some hundreds among thousands.

    Returns
    -------
    DataFrame
        A row a person, and ``period`` in which they have an edge: ``address``, then the measures:
        ``pagerank``, ``in_degree`` and ``out_degree`` (int64; or ``degree``), ``in_strength`` and
        ``out_strength`` (or ``strength``), ``betweenness``. In order of periods, then the greatest
        of the first measure first, in alphabetical order where equal.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no measure.
    NotSupportedError
        If networkx is needed and not installed.

    References
    ----------
    .. [1] A. Barrat et al., "The architecture of complex weighted networks", PNAS 101 (2004).
    .. [2] L. Page et al., "The PageRank citation ranking", Stanford InfoLab (1999).
    .. [3] L. C. Freeman, "A set of measures of centrality based on betweenness", Sociometry 40
       (1977).
    .. [4] U. Brandes, "A faster algorithm for betweenness centrality", Journal of Mathematical
       Sociology 25 (2001).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     recipients = session.recipients(folder="*")
    >>> edges = mf.analysis.network(recipients, without_me=True)
    >>> centrality(edges)[["address", "pagerank", "in_degree", "out_degree"]].head(2).round(3)
                               address  pagerank  in_degree  out_degree
    0          jonas.ek@fyrbak.example     0.070         21          20
    1  tomasz.zielinski@fyrbak.example     0.066         20          17

    To bob lead two edges, and 2 + 1 of weight:

    >>> edges = pd.DataFrame({
    ...     "source": ["ann", "bob", "cy"], "target": ["bob", "cy", "bob"], "weight": [2.0, 1, 1]
    ... })
    >>> centrality(edges, ["degree", "strength"])
      address  in_degree  out_degree  in_strength  out_strength
    0     bob          2           1          3.0           1.0
    1      cy          1           1          1.0           1.0
    2     ann          0           1          0.0           2.0
    """
    measures = _checked(measure)
    check_count("pivots", pivots, "people")
    check_edges(edges, ["weight"] if {"strength", "pagerank"} & set(measures) else [])
    graph, periods = _graph(edges, directed=directed)
    columns: dict[str, Any] = {} if periods is None else {"period": periods.take(graph.period)}
    columns["address"] = graph.address
    for one in measures:
        if one == "pagerank":
            columns[one] = _pagerank(graph)
        elif one == "betweenness":
            columns[one] = _betweenness(graph, pivots, directed=directed)
        else:
            columns |= _sums(graph, one, directed=directed)
    result = pd.DataFrame(columns)
    first = result.columns[list(result.columns).index("address") + 1]
    # Of those who are equal but for the last digits the order is that of the alphabet.
    order = np.lexsort((-result[first].to_numpy().round(12), graph.period))
    result = result.iloc[order].reset_index(drop=True)
    result.attrs = {**edges.attrs}
    return result


def to_graphml(
    edges: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    directed: bool = True,
    overwrite: bool = False,
) -> Path:
    """Write edges to a GraphML file, which Gephi, Cytoscape, yEd and igraph read.

    Parameters
    ----------
    edges
        As `mailframe.analysis.network` returns them: with the columns ``source`` and ``target``.
        Other columns are written as attributes of the edges, times as ISO 8601, missing values
        not at all.
    path
        Of the file.
    directed
        Otherwise the edges have no direction.
    overwrite
        Replace a file that is there.

    Returns
    -------
    Path
        Of the file. Nodes have the addresses as their names.

    Raises
    ------
    QueryError
        For a column that is missing.
    NotSupportedError
        If networkx is not installed: ``pip install 'mailframe[network]'``.
    SaveError
        If the file cannot be written, or is there.

    References
    ----------
    U. Brandes et al., "GraphML progress report", Graph Drawing 2001, LNCS 2265.

    Examples
    --------
    >>> import tempfile
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     sent = session.recipients(folder="Sent")
    >>> edges = mf.analysis.network(sent)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = to_graphml(edges, f"{folder}/mail.graphml").read_text("utf-8")
    >>> written.count("<node"), written.count("<edge")
    (89, 88)
    """
    check_edges(edges, [])
    networkx = _networkx()
    named = edges[text(edges, "source").notna() & text(edges, "target").notna()]
    ends = [_writable(text(named, end)) for end in ("source", "target")]
    facts = {
        str(name): _plain(named[name]) for name in named.columns if name not in ("source", "target")
    }
    # Between two people there may be an edge a period.
    graph = networkx.MultiDiGraph() if directed else networkx.MultiGraph()
    graph.add_nodes_from(sorted({*ends[0], *ends[1]}))
    rows = zip(*facts.values(), strict=True) if facts else iter(() for _ in range(len(named)))
    for source, target, row in zip(*ends, rows, strict=True):
        pairs = zip(facts, row, strict=True)
        graph.add_edge(source, target, **{name: one for name, one in pairs if one is not None})
    written = io.BytesIO()
    networkx.write_graphml_xml(graph, written)
    return write_file(path, written.getvalue(), overwrite=overwrite)


def check_edges(edges: pd.DataFrame, more: Iterable[str]) -> None:
    """Refuse a frame that holds no edges.

    Parameters
    ----------
    edges
        Of any kind.
    more
        Columns that are going to be used beside ``source`` and ``target``.

    Raises
    ------
    QueryError
        It names the columns that are missing.
    """
    wanted = ["source", "target", *more]
    missing = [name for name in wanted if name not in getattr(edges, "columns", ())]
    if missing:
        raise QueryError(
            f"This is no frame of edges: {', '.join(map(repr, missing))} "
            f"{'is' if len(missing) == 1 else 'are'} missing.",
            suggestion="mailframe.analysis.network(session.recipients(…)) returns one.",
        )


def _checked(measure: str | Sequence[str]) -> list[str]:
    measures = [measure] if isinstance(measure, str) else list(dict.fromkeys(measure))
    wrong = [one for one in measures if one not in _MEASURES]
    if wrong or not measures:
        raise QueryError(
            f"measure={measure!r} is no measure of who is in the middle.",
            suggestion=f"Of {', '.join(map(repr, _MEASURES))}, one or more.",
        )
    return measures


def _graph(edges: pd.DataFrame, *, directed: bool) -> tuple[_Graph, pd.Index[Any] | None]:
    """Give people a place a period, add up edges between the same two, and name the periods."""
    ends = pd.concat([text(edges, "source"), text(edges, "target")])
    people, names = pd.factorize(ends, sort=True)
    period, periods = np.zeros(len(edges), dtype="int64"), None
    if "period" in edges.columns:
        period, periods = pd.factorize(edges["period"], sort=True)
    source, target = people[: len(edges)], people[len(edges) :]
    # Nobody is their own neighbour.
    kept = (source >= 0) & (target >= 0) & (source != target) & (period >= 0)
    weight: Any = np.zeros(len(edges))
    if "weight" in edges.columns:
        weight = edges["weight"].astype("Float64").fillna(0).to_numpy("float64")
    count = max(len(names), 1)
    base = period[kept] * count
    nodes, places = np.unique([base + source[kept], base + target[kept]], return_inverse=True)
    source, target = places.reshape(2, -1)
    weight = weight[kept]
    if not directed:
        source, target = np.r_[source, target], np.r_[target, source]
        weight = np.r_[weight, weight]
    pairs, which = np.unique(source * max(len(nodes), 1) + target, return_inverse=True)
    graph = _Graph(
        nodes // count,
        pd.Index(names).take(nodes % count).astype("str"),
        pairs // max(len(nodes), 1),
        pairs % max(len(nodes), 1),
        np.bincount(which, weight, minlength=len(pairs)).astype("float64"),
    )
    return graph, None if periods is None else pd.Index(periods)


def _sums(graph: _Graph, measure: str, *, directed: bool) -> dict[str, NDArray[Any]]:
    def added(ends: NDArray[np.int64]) -> NDArray[Any]:
        if measure == "degree":
            return np.bincount(ends, minlength=len(graph.address)).astype("int64")
        return np.bincount(ends, graph.weight, len(graph.address)).astype("float64")

    if not directed:  # each edge is there in both directions
        return {measure: added(graph.target)}
    return {f"in_{measure}": added(graph.target), f"out_{measure}": added(graph.source)}


def _pagerank(graph: _Graph) -> NDArray[np.float64]:
    """Walk in all periods at once: no edge leads from one to another."""
    people = len(graph.address)
    of_period = np.bincount(graph.period, minlength=1)
    anywhere = 1 / of_period[graph.period]
    leaving = np.bincount(graph.source, graph.weight, minlength=people)
    ends = leaving <= 0
    share = graph.weight / np.where(ends, 1, leaving)[graph.source]
    rank = anywhere
    for _ in range(_MOST_ROUNDS):
        along = np.bincount(graph.target, rank[graph.source] * share, minlength=people)
        stuck = np.bincount(graph.period, np.where(ends, rank, 0), minlength=1)[graph.period]
        after = _DAMPING * (along + stuck * anywhere) + (1 - _DAMPING) * anywhere
        moved = np.abs(after - rank).sum()
        rank = after
        if moved < _TOLERANCE * len(of_period):
            break
    return rank


def _betweenness(graph: _Graph, pivots: int | None, *, directed: bool) -> NDArray[np.float64]:
    networkx = _networkx()
    result = np.zeros(len(graph.address))
    for people, edges in _periods(graph):
        pairs = zip(graph.source[edges].tolist(), graph.target[edges].tolist(), strict=True)
        one = networkx.DiGraph() if directed else networkx.Graph()
        one.add_nodes_from(range(people.start, people.stop))
        one.add_edges_from(pairs)
        few = None if pivots is None else min(pivots, len(one))
        found = networkx.betweenness_centrality(one, k=few, seed=0)
        result[people] = [found[person] for person in range(people.start, people.stop)]
    return result


def _periods(graph: _Graph) -> Iterator[tuple[slice, slice]]:
    """Yield where the people and the edges of each period are: both are in order of periods."""
    last = int(graph.period[-1]) + 1 if len(graph.period) else 0
    people = np.searchsorted(graph.period, np.arange(last + 1))
    edges = np.searchsorted(graph.source, people)
    for n in range(last):
        if people[n] < people[n + 1]:
            yield slice(int(people[n]), int(people[n + 1])), slice(int(edges[n]), int(edges[n + 1]))


def _plain(values: pd.Series[Any]) -> list[Any]:
    """Return values as GraphML has them: numbers, yes or no, and text."""
    missing = values.isna()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        plain = [moment.isoformat() if there else None
                 for moment, there in zip(values, ~missing, strict=True)]  # fmt: skip
    elif pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        plain = [one if there else None
                 for one, there in zip(values.tolist(), ~missing, strict=True)]  # fmt: skip
    else:
        plain = _writable(values.astype("str"))
    return plain


def _writable(values: pd.Series[Any]) -> list[Any]:
    return [_NOT_XML.sub("\ufffd", one) if isinstance(one, str) else None for one in values]


def _networkx() -> Any:
    try:
        return importlib.import_module("networkx")
    except ImportError as error:
        raise NotSupportedError(
            "This needs networkx, which is not installed.",
            suggestion="pip install 'mailframe[network]'",
        ) from error
