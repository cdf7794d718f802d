"""Every question and every picture, asked of every odd frame: right answers, or a clear error."""

from __future__ import annotations

import inspect
import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mailframe import analysis, plots, schema
from mailframe.exceptions import MailframeError, QueryError
from tests.analysis.odd_mail import ODD_MAIL, ORDER, SAME_MAIL, Mail
from tests.analysis.odd_mail import usual as usual_mail

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes


class Question(NamedTuple):
    """How something is asked of mail, and what is true of every answer."""

    ask: Callable[[Mail], Any]
    #: Whether the answer has rows of the headers, or one for each, with their index and order.
    aligned: bool = False
    #: Of the mail and the answer, what must be equal.
    holds: Callable[[Mail, pd.DataFrame], list[tuple[Any, Any]]] = lambda _mail, _answer: []


def on_headers(
    name: str,
    holds: Callable[[Mail, pd.DataFrame], list[tuple[Any, Any]]] = lambda _mail, _answer: [],
    *,
    aligned: bool = False,
    **options: Any,
) -> Question:
    return Question(lambda mail: getattr(analysis, name)(mail.headers, **options), aligned, holds)


def drawn(name: str, *, frame: str = "headers", **options: Any) -> Question:
    def draw(mail: Mail) -> Axes:
        ax: Axes = getattr(plots, name)(getattr(mail, frame), ax=small(), **options)
        return ax

    return Question(draw)


def small() -> Axes:
    """Make the smallest axes on which something can be read: drawing takes most of the time."""
    ax: Axes = Figure(figsize=(3, 2.2), dpi=40, layout="constrained").subplots()
    return ax


# -- what must hold


def all_counted(lacking: str) -> Callable[[Mail, pd.DataFrame], list[tuple[Any, Any]]]:
    """Return that every message is counted once, or among those that lack something."""
    return lambda mail, answer: [
        (answer["messages"].sum() + answer.attrs[lacking], len(mail.headers))
    ]


def senders_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    known = mail.headers["from_address"].astype("str").str.lower().replace("", None)
    return [
        *all_counted("without_sender")(mail, answer),
        (len(answer), known.nunique()),
        (answer["messages"].is_monotonic_decreasing, True),
        (answer["address"].isna().sum(), 0),
        (answer["share"].sum() * len(mail.headers), pytest.approx(answer["messages"].sum())),
    ]


def newsletters_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    beside = sum(answer.attrs[name] for name in ("mine", "junk", "others"))
    return [
        (answer["messages"].sum() + beside, len(mail.headers)),
        (answer["unread"].is_monotonic_decreasing, True),
        ((answer["unread"] > answer["messages"]).sum(), 0),
        ((answer["evidence"] == "").sum(), 0),
        ((answer["per_month"] > answer["messages"]).sum(), 0),
        (answer.duplicated(["list_id", "address"]).sum(), 0),
    ]


def delivery_holds(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    keys = [column.name for column in schema.KEY]
    return [
        (len(answer), len(mail.headers[keys].drop_duplicates())),
        (answer["hops"].sum(), len(mail.hops)),
        ((answer["total"] < answer["slowest"]).sum(), 0),
        ((answer["backwards"] < pd.Timedelta(0)).sum(), 0),
        (answer["received"].dropna().is_monotonic_decreasing, True),
    ]


def diurnal_holds(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [
        (len(answer) + answer.attrs["undated"], len(mail.headers)),
        (answer.isna().sum().sum(), 0),
        (answer.index.isin(mail.headers.index).all(), True),
    ]


def thread_ids_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [
        (answer.index.equals(mail.headers.index), True),
        (answer["thread_id"].isna().sum(), 0),
        ((answer["depth"] < 0).sum(), 0),
    ]


def threads_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    ids = mail.headers["message_id"].astype("str").replace("", None)
    return [
        (len(answer), analysis.thread_ids(mail.headers)["thread_id"].nunique()),
        (answer["thread_id"].is_unique, True),
        # A copy is no message of its own.
        (answer["messages"].sum(), ids.nunique() + ids.isna().sum()),
        ((answer["duration"] < pd.Timedelta(0)).sum(), 0),
    ]


def network_holds(_mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [
        (answer.isna().sum().sum(), 0),
        ((answer["source"] == answer["target"]).sum(), 0),
        (answer.duplicated(["source", "target"]).sum(), 0),
        ((answer["weight"] > answer["messages"]).sum(), 0),
        (answer["weight"].sum(), pytest.approx(round(answer["weight"].sum()))),
    ]


def activity_holds(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [(len(answer), 7 * 24), *all_counted("undated")(mail, answer)]


def centrality_holds(_mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [
        (answer["pagerank"].sum(), pytest.approx(1.0 if len(answer) else 0.0)),
        (answer["in_degree"].sum(), answer["out_degree"].sum()),
        (answer.isna().sum().sum(), 0),
    ]


def storage_holds(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    sizes = mail.headers["size"]
    return [
        (answer["messages"].sum(), len(mail.headers)),
        (answer["size"].sum(), sizes.sum()),
        (answer.attrs["size"], sizes.sum()),
        (answer.attrs["without_size"], sizes.isna().sum()),
        (answer["size"].dropna().is_monotonic_decreasing, True),
        (answer["cumulative"].tail(1).tolist(), [float(sizes.sum() > 0)] * bool(len(sizes))),
    ]


def duplicates_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    frames = mail.headers.assign(account=mail.headers["account"].astype("str"))
    alike = ["account", "message_id", "size", "date"]
    known = frames[frames["message_id"].fillna("").ne("") & frames["size"].notna()]
    several = known[known.duplicated(alike, keep=False)]
    return [
        (len(answer), len(several)),
        ((~answer["surplus"]).sum(), len(several.drop_duplicates(alike))),
        (answer["group"].is_monotonic_increasing, True),
        (answer.attrs["surplus_size"], answer["size"][answer["surplus"]].sum()),
    ]


def attachments_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    counted = mail.attachments[~mail.attachments["inline"]]
    return [
        (answer["attachments"].sum(), len(counted)),
        (answer["size"].sum(), counted["size"].sum()),
        ((answer["messages"] > answer["attachments"]).sum(), 0),
        (answer.attrs["without_size"], counted["size"].isna().sum()),
    ]


def phrases_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    counts = answer.attrs
    return [
        (counts["messages"] + counts["without_text"] + counts["copies"], len(mail.headers)),
        (answer["messages"].is_monotonic_decreasing, True),
        ((answer["messages"] < 2).sum(), 0),
        ((answer["messages"] > counts["messages"]).sum(), 0),
        (answer["phrase"].is_unique, True),
    ]


def words_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    left = ("undated", "without_words", "without_body", "copies")
    return [
        (answer["messages"].sum() + sum(answer.attrs[one] for one in left), len(mail.headers)),
        ((answer["words"] < answer["messages"]).sum(), 0),
        ((answer["longest"] > answer["words"]).sum(), 0),
        ((answer["median_words"] > answer["longest"]).sum(), 0),
        ((answer["messages"] == 0).equals(answer["longest"].isna()), True),
        (answer.attrs["without_header"], 0),
    ]


def words_of_texts(mail: Mail) -> pd.DataFrame:
    bodies = mail.bodies
    if isinstance(bodies, pd.DataFrame):
        bodies = bodies.drop(columns=["n_words", "own_text"], errors="ignore")
    answer: pd.DataFrame = analysis.words(bodies, mail.headers, by="folder")
    return answer


def as_graphml(mail: Mail) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.graphml"
        analysis.to_graphml(analysis.network(mail.recipients, headers=mail.headers), path)
        return pd.DataFrame({"line": path.read_text("utf-8").splitlines()})


def machines(mail: Mail) -> pd.DataFrame:
    frame = mail.headers
    if isinstance(frame, pd.DataFrame):
        marks = {"precedence": "bulk", "list_post": None, "list_unsubscribe_post": "one"}
        frame = frame.assign(**marks, answered=False, in_reply_to=None)
    answer: pd.DataFrame = analysis.newsletters(frame, me="nobody@example.com")
    return answer


def pseudonyms(mail: Mail) -> pd.DataFrame:
    shown = analysis.anonymize(mail.headers, key="0" * 64)
    answer: pd.DataFrame = analysis.senders(shown)
    answer.attrs = {name: answer.attrs[name] for name in ("without_sender", "accounts")}
    return answer


def pseudonyms_hold(mail: Mail, answer: pd.DataFrame) -> list[tuple[Any, Any]]:
    expected = analysis.senders(mail.headers)
    numbers = ["messages", "size", "first", "last", "gap"]
    return [
        *senders_hold(mail, answer),
        (rows_of(answer[numbers]), rows_of(expected[numbers])),
        *((analysis.anonymize(one, key="0" * 64).shape, one.shape) for one in mail),
    ]


def rows_of(frame: pd.DataFrame) -> list[str]:
    return sorted(map(str, frame.itertuples(index=False, name=None)))


def replies(mail: Mail) -> pd.DataFrame:
    answer: pd.DataFrame = analysis.response_times(mail.headers)
    return answer


ANALYSES: dict[str, Question] = {
    "activity": on_headers("activity", activity_holds),
    "anonymize": Question(pseudonyms, holds=pseudonyms_hold),
    "attachments": Question(
        lambda mail: analysis.attachments(mail.attachments), holds=attachments_hold
    ),
    "awaiting_reply": on_headers("awaiting_reply"),
    "calendar": on_headers("calendar", all_counted("undated")),
    "centrality": Question(
        lambda mail: analysis.centrality(
            analysis.network(mail.recipients), ["pagerank", "degree", "strength"]
        ),
        holds=centrality_holds,
    ),
    "compare": Question(lambda mail: analysis.compare(mail.headers, usual().headers)),
    "delivery": Question(
        lambda mail: analysis.delivery(mail.hops, mail.headers), holds=delivery_holds
    ),
    "diurnal": on_headers("diurnal", diurnal_holds, aligned=True),
    "domains": on_headers("domains"),
    "duplicates": on_headers("duplicates", duplicates_hold),
    "identities": on_headers("identities"),
    "largest": on_headers("largest"),
    "network": Question(lambda mail: analysis.network(mail.recipients), holds=network_holds),
    "newsletters": on_headers("newsletters", newsletters_hold),
    "people": on_headers("people"),
    "phrases": on_headers("phrases", phrases_hold),
    "recipients": Question(lambda mail: analysis.recipients(mail.recipients)),
    "response_summary": Question(lambda mail: analysis.response_summary(replies(mail))),
    "response_times": on_headers("response_times"),
    "senders": on_headers("senders", senders_hold),
    "storage": on_headers("storage", storage_holds),
    "survival": Question(lambda mail: analysis.survival(replies(mail))),
    "thread_ids": on_headers("thread_ids", thread_ids_hold, aligned=True),
    "threads": on_headers("threads", threads_hold),
    "to_graphml": Question(as_graphml),
    "volume": on_headers("volume", all_counted("undated")),
    "words": Question(lambda mail: analysis.words(mail.bodies, mail.headers), holds=words_hold),
}
#: The same, asked otherwise.
MORE: dict[str, Question] = {
    "attachments by sender": Question(
        lambda mail: analysis.attachments(mail.attachments, headers=mail.headers, by="address"),
        holds=attachments_hold,
    ),
    "attachments by period": Question(
        lambda mail: analysis.attachments(
            mail.attachments, headers=mail.headers, by="period", freq="Y", inline=True, tz="sender"
        )
    ),
    "attachments by extension": Question(
        lambda mail: analysis.attachments(mail.attachments, by="extension"), holds=attachments_hold
    ),
    "compare by sender": Question(
        lambda mail: analysis.compare(usual().headers, mail.headers, by="address")
    ),
    "delivery by host": Question(
        lambda mail: analysis.delivery(mail.hops, mail.headers, by="host"),
        holds=lambda mail, answer: [
            (answer["messages"].sum() <= len(mail.hops), True),
            (answer["host"].is_unique, True),
        ],
    ),
    "delivery by hop": Question(
        lambda mail: analysis.delivery(mail.hops, by="hop"),
        holds=lambda mail, answer: [
            (len(answer), len(mail.hops)),
            (answer["delay"].notna().sum() <= (answer["clock"] == "ok").sum(), True),
        ],
    ),
    "network with headers": Question(
        lambda mail: analysis.network(
            mail.recipients, headers=mail.headers, without_me=True, directed=False
        )
    ),
    "network by month": Question(
        lambda mail: analysis.network(
            mail.recipients, headers=mail.headers, freq="M", tz="sender", on="internal_date"
        )
    ),
    "newsletters of machines": Question(machines, holds=newsletters_hold),
    "phrases of texts": Question(
        lambda mail: analysis.phrases(mail.bodies, usual().bodies, of="own_text", n=(1, 2))
    ),
    "recipients with headers": Question(
        lambda mail: analysis.recipients(mail.recipients, headers=mail.headers)
    ),
    "senders by name": on_headers("senders", by="name", on="internal_date"),
    "storage by month": on_headers("storage", storage_holds, by="month", tz="sender"),
    "storage by family": Question(lambda mail: analysis.storage(mail.attachments, "family")),
    "storage by direction": on_headers("storage", storage_holds, by="direction"),
    "threads by subject": on_headers("threads", subject=True),
    "volume by direction": on_headers("volume", all_counted("undated"), by="direction"),
    "volume by list": on_headers(
        "volume", all_counted("undated"), freq="M", by="list", tz="sender", on="internal_date"
    ),
    "words by direction": Question(
        lambda mail: analysis.words(
            mail.bodies, mail.headers, "Y", by="direction", tz="sender", on="internal_date"
        ),
        holds=words_hold,
    ),
    "words of texts": Question(words_of_texts, holds=words_hold),
}
PICTURES: dict[str, Question] = {
    "activity": drawn("activity"),
    "attachments": drawn("attachments", frame="attachments"),
    "calendar": drawn("calendar"),
    "compare": Question(lambda mail: plots.compare(mail.headers, mail.headers, ax=small())),
    "delivery": Question(lambda mail: plots.delivery(mail.hops, mail.headers, ax=small())),
    "diurnal": drawn("diurnal"),
    "domains": drawn("domains"),
    "network": drawn("network", frame="recipients"),
    "newsletters": drawn("newsletters"),
    "phrases": drawn("phrases"),
    "recipients": drawn("recipients", frame="recipients"),
    "response_times": Question(lambda mail: plots.response_times(mail.headers, ax=small())),
    "senders": drawn("senders"),
    "storage": drawn("storage"),
    "thread": drawn("thread"),
    "volume": drawn("volume"),
    "words": Question(lambda mail: plots.words(mail.bodies, mail.headers, ax=small())),
}
#: Asked of something that is no mail.
NOT_OF_MAIL = {"trace"}

#: Of a picture's colours, a channel each.
MOSTLY = 0.99

ASKED = {
    f"analysis.{name}": question
    for name, question in (ANALYSES | MORE).items()
    if hasattr(analysis, name.partition(" ")[0])
}
DRAWN = {f"plots.{name}": question for name, question in PICTURES.items() if hasattr(plots, name)}
ALL = ASKED | DRAWN


# Made once: each test sees to it that its frames stay as they are.
@cache
def odd(name: str) -> Mail:
    return ODD_MAIL[name]()


@cache
def usual() -> Mail:
    return usual_mail()


def same_as(mail: Mail, before: Mail) -> None:
    """Assert that no frame was changed, not even beside its values."""
    for now, was in zip(mail, before, strict=True):
        assert now.index.identical(was.index)
        assert now.columns.identical(was.columns)
        assert now.attrs == was.attrs
        if not now.equals(was):  # quick, and says no more than that
            pd.testing.assert_frame_equal(now, was)


def picture(ax: Axes) -> bytes:
    made = io.BytesIO()
    ax.figure.savefig(made, format="raw")  # type: ignore[union-attr]
    return made.getvalue()


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("module", "listed"), [(analysis, ANALYSES), (plots, PICTURES)])
def test_whatever_is_public_is_asked_here(module: Any, listed: dict[str, Question]) -> None:
    public = {name for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    assert public - NOT_OF_MAIL == set(listed)


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("mail", ODD_MAIL)
def test_odd_mail_is_answered_for(mail: str, question: str) -> None:
    asked, frames = ASKED[question], odd(mail)
    before = frames.copy()
    answer = asked.ask(frames)
    same_as(frames, before)
    expected = usual_answer(question)
    assert list(answer.columns) == list(expected.columns)
    assert as_stored(answer).dtypes.equals(as_stored(expected).dtypes)
    if not asked.aligned:
        assert answer.index.equals(pd.RangeIndex(len(answer)))
    json.dumps(answer.attrs)  # or else to_parquet raises
    for found, wanted in asked.holds(frames, answer):
        assert found == wanted


@pytest.mark.parametrize("question", DRAWN)
@pytest.mark.parametrize("mail", ODD_MAIL)
def test_odd_mail_is_drawn(mail: str, question: str) -> None:
    frames = odd(mail)
    before = frames.copy()
    ax = DRAWN[question].ask(frames)
    same_as(frames, before)
    assert picture(ax)
    assert ax.get_title()
    if frames.headers.empty:
        assert words(ax) == ["no messages"]


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("change", SAME_MAIL)
def test_the_same_mail_has_the_same_answer_in_any_frame(change: str, question: str) -> None:
    asked, expected = ASKED[question], usual_answer(question)
    frames = SAME_MAIL[change](usual())
    before = frames.copy()
    answer = asked.ask(frames)
    same_as(frames, before)
    if asked.aligned:
        assert answer.index.equals(frames.headers.index)
        order = ORDER if change == "rows in another order" else np.arange(len(expected))
        expected = expected.iloc[order].set_axis(answer.index)
    pd.testing.assert_frame_equal(as_stored(answer), as_stored(expected))
    assert answer.attrs == expected.attrs


@pytest.mark.parametrize("question", DRAWN)
def test_the_same_mail_is_drawn_alike_in_any_frame(question: str, full: bool) -> None:  # noqa: FBT001
    expected = np.frombuffer(picture(DRAWN[question].ask(usual())), "u1")
    for n, change in enumerate(SAME_MAIL):
        # Pictures stand on the answers above: of each, some kinds of frames, and each kind of some.
        if not full and (n - [*DRAWN].index(question)) % len(DRAWN):
            continue
        frames = SAME_MAIL[change](usual())
        before = frames.copy()
        alike = np.frombuffer(picture(DRAWN[question].ask(frames)), "u1") == expected
        same_as(frames, before)
        # Dots that lie on each other lie in the order of rows.
        least = MOSTLY if change == "rows in another order" else 1
        assert alike.mean() >= least, change


def as_stored(answer: pd.DataFrame) -> pd.DataFrame:
    """Return an answer with what was handed on from the frame not in the dtypes given."""
    keys = [column.name for column in schema.KEY if column.name in answer.columns]
    words = [
        name
        for name, dtype in answer.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)
    ]
    return answer.astype(dict.fromkeys([*keys, *words], "str"))


@cache
def usual_answer(question: str) -> Any:
    return ASKED[question].ask(usual())


@pytest.mark.parametrize("question", ALL)
def test_a_column_that_is_missing_is_named(question: str, full: bool) -> None:  # noqa: FBT001
    needed = []
    for place, frame in enumerate(usual()):
        columns = [[name] for name in frame.columns]
        # A picture is asked for each column alone only where it lacks something without several.
        together = question in DRAWN and not full
        for some in [[*frame.columns]] if together else columns:
            needed += missed(question, place, some)
    assert needed


def missed(question: str, place: int, columns: list[str]) -> list[str]:
    """Return which of the columns are asked for where they are missing."""
    given = [*usual()]
    given[place] = given[place].drop(columns=columns)
    try:
        ALL[question].ask(Mail(*given))
    except QueryError as error:
        if len(columns) == 1:
            assert f"'{columns[0]}'" in str(error)  # noqa: PT017 not all columns are needed
            return columns
        half = len(columns) // 2
        return [
            *missed(question, place, columns[:half]), *missed(question, place, columns[half:])
        ]  # fmt: skip
    return []


@pytest.mark.parametrize("question", ALL)
@pytest.mark.parametrize("given", [None, "a path", pd.Series([1]), {"date": []}])
def test_what_is_no_frame_is_refused(given: Any, question: str) -> None:
    with pytest.raises((MailframeError, TypeError, AttributeError)) as caught:
        ALL[question].ask(Mail(*[given] * len(Mail._fields)))
    assert isinstance(caught.value, QueryError) or "compare" in question
