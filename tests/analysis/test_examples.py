"""What is public explains itself, and shows it on the mailbox that everybody has."""

from __future__ import annotations

import doctest
import inspect
from itertools import dropwhile, takewhile
from typing import Any

import pytest

from mailframe import analysis, plots

FUNCTIONS = [
    pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
    for module in (analysis, plots)
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
]


def sections(function: Any) -> dict[str, list[str]]:
    """Return the lines of a numpydoc docstring, by the headings of its sections."""
    lines = inspect.cleandoc(function.__doc__).split("\n")
    heads = [at - 1 for at, line in enumerate(lines) if line and set(line) == {"-"}]
    ends = [*heads[1:], len(lines)]
    return {lines[at]: lines[at + 2 : end] for at, end in zip(heads, ends, strict=True)}


def test_only_business_hours_are_no_function() -> None:
    assert len(FUNCTIONS) == len(analysis.__all__) - 1 + len(plots.__all__)
    assert inspect.isclass(analysis.BusinessHours)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_says_what_it_takes_returns_and_raises(function: Any) -> None:
    found = sections(function)
    described = [
        name
        for line in found["Parameters"]
        if not line.startswith(" ")
        for name in line.split(", ")
        if name
    ]
    assert sorted(described) == sorted(inspect.signature(function).parameters)
    assert any(line.startswith(" ") for line in found["Returns"])
    assert any(line.startswith(" ") for line in found["Raises"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_shows_an_answer_on_the_sample_mailbox(function: Any) -> None:
    examples = doctest.DocTestParser().get_examples("\n".join(sections(function)["Examples"]))
    assert not any(one.options for one in examples)  # none is skipped, none is vague
    since = dropwhile(lambda one: "with mf.demo()" not in one.source, examples)
    on_sample = list(takewhile(lambda one: "pd.DataFrame(" not in one.source, since))
    assert f" {function.__name__}(" in "".join(f" {one.source}" for one in on_sample)
    assert any(one.want for one in on_sample)
