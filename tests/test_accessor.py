"""``df.mail``: the frame can be asked itself."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mailframe import accessor, analysis, plots, schema
from mailframe.exceptions import QueryError
from mailframe.plots.on_frame import MailPlots
from tests.analysis.letters import dated, sent_by


def test_a_frame_answers_as_the_functions_do() -> None:
    frame = dated("2025-03-01T23:30", "2025-04-01", None)
    pd.testing.assert_frame_equal(
        frame.mail.volume("D", by="folder", tz="Europe/Berlin", on="internal_date"),
        analysis.volume(frame, "D", by="folder", tz="Europe/Berlin", on="internal_date"),
    )
    pd.testing.assert_frame_equal(
        frame.mail.senders(top=1, by="domain", on="internal_date"),
        analysis.senders(frame, top=1, by="domain", on="internal_date"),
    )


def test_a_frame_draws_as_the_functions_do() -> None:
    axes = plt.figure().subplots(1, 2)
    frame = dated("2025-03-01", "2025-04-01")
    assert frame.mail.plot.volume("M", by="folder", tz="sender", on="date", ax=axes[0]) is axes[0]
    assert axes[0].get_title() == "Messages per month, by folder"
    assert frame.mail.plot.senders(top=1, by="name", ax=axes[1]) is axes[1]
    assert axes[1].get_yticklabels()[0].get_text() == "Ann"
    plt.close("all")


@pytest.mark.parametrize(
    ("holder", "functions"), [(accessor.MailAccessor, analysis), (MailPlots, plots)]
)
def test_a_method_takes_what_the_function_takes(holder: Any, functions: Any) -> None:
    # These take no frame of messages.
    others = {"BusinessHours", "centrality", "response_summary", "survival", "to_graphml", "trace"}
    names = {name for name in dir(holder) if not name.startswith("_")} - {"plot"}
    assert names == set(functions.__all__) - others
    for name in names:
        method, function = getattr(holder, name), getattr(functions, name)
        own, *rest = inspect.signature(method).parameters.values()
        assert own.name == "self"
        assert rest == list(inspect.signature(function).parameters.values())[1:]
        assert method.__doc__ == function.__doc__


def test_rows_and_columns_of_a_frame_answer_too() -> None:
    frame = dated("2025-03-01", "2025-03-02", "2025-03-02")
    assert frame[frame["uid"] > 1].mail.volume("D")["messages"].tolist() == [2]
    assert frame[["date", "size"]].mail.volume("D")["messages"].tolist() == [1, 2]


def test_a_frame_of_something_else_has_no_such_attribute() -> None:
    for kind in ("folders", "previews", "trace"):
        frame = schema.empty(kind)
        assert not hasattr(frame, "mail")
        with pytest.raises(AttributeError, match=r"session\.headers\(\)"):
            frame.mail  # noqa: B018 asking is the test


def test_columns_that_one_question_lacks_are_named() -> None:
    with pytest.raises(QueryError, match="no columns 'date', 'size'"):
        sent_by("a@x.example")[["from_address"]].mail.volume()


def test_nothing_that_draws_is_imported_before_something_is_drawn() -> None:
    script = (
        "import sys, mailframe.accessor\nfrom mailframe import schema\n"
        "schema.empty('headers').mail.volume()\n"
        "print([name for name in sys.modules if name.startswith('matplotlib')])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=True,
    )
    assert done.stdout == "[]\n"
