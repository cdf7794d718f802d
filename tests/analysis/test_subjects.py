"""What a subject is without "Re:" and its like."""

from __future__ import annotations

import pandas as pd
import pytest

from mailframe.analysis.subjects import base_subject, topics
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("", ""),
        (" \t ", ""),
        ("Boat", "Boat"),
        ("Re: Boat", "Boat"),
        ("re:Boat", "Boat"),
        ("RE : Boat", "Boat"),
        ("Fw: Boat", "Boat"),
        ("FWD: Boat", "Boat"),
        ("Re: Fwd: RE: Boat", "Boat"),
        ("Boat  for\r\n sale\t", "Boat for sale"),
        # A blob is the name of a list; one that is all there is stays.
        ("[crew] Boat", "Boat"),
        ("[crew] Re: Boat", "Boat"),
        ("Re: [crew] Boat", "Boat"),
        ("[crew] [a] Re: [b] Re [2] : Boat", "Boat"),
        ("[crew]", "[crew]"),
        ("Re: [crew] [Boat]", "[Boat]"),
        ("[[crew]] Boat", "[[crew]] Boat"),
        ("[crew Boat", "[crew Boat"),
        ("Boat [crew]", "Boat [crew]"),
        # Trailers and what was passed on.
        ("Boat (fwd)", "Boat"),
        ("Re: Boat (FWD) (fwd) ", "Boat"),
        ("(fwd) Boat", "(fwd) Boat"),
        ("[Fwd: Boat]", "Boat"),
        ("Re: [fwd: [crew] Re: Boat (fwd)]", "Boat"),
        ("[Fwd: [Fwd: Boat]]", "Boat"),
        ("[Fwd: Boat", "[Fwd: Boat"),
        ("[Fwd:]", ""),
        ("Re:", ""),
        ("Re: Fwd:", ""),
        # What is none.
        ("Regarding: Boat", "Regarding: Boat"),
        ("Reboat", "Reboat"),
        ("Boat Re: sail", "Boat Re: sail"),
        ("Ref: 7", "Ref: 7"),
        ("Re Boat", "Re Boat"),
    ],
)
def test_the_marks_of_rfc_5256_are_taken_off(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@pytest.mark.parametrize(
    "subject",
    [
        "AW: x",  # German
        "WG: x",
        "Antw.: x",
        "Antwort: x",
        "Antw: x",  # Dutch
        "Doorst: x",
        "SV: x",  # Swedish, Danish, Norwegian
        "VB: x",
        "VS: x",  # Finnish
        "VL: x",
        "RÉP : x",  # French
        "Re\u0301f. : x",  # the accent by itself
        "TR : x",
        "RIF: x",  # Italian
        "R: x",
        "I: x",
        "RV: x",  # Spanish
        "RES: x",  # Portuguese
        "ENC: x",
        "Odp: x",  # Polish, Czech
        "PD: x",
        "Odg: x",  # Croatian
        "VÁ: x",  # Hungarian
        "Továbbítás: x",
        "YNT: x",  # Turkish
        "İLT: x",
        "ΑΠ: x",  # Greek
        "ΣΧΕΤ: x",
        "Ответ: x",  # Russian
        "Відп: x",  # Ukrainian
        "השב: x",  # Hebrew
        "رد: x",  # Arabic
        "إعادة توجيه: x",
        "回复：x",  # noqa: RUF001 Chinese, with a wide colon
        "答复: x",
        "轉寄： x",  # noqa: RUF001
        "返信: x",  # Japanese
        "답장: x",  # Korean
        "ATB: x",  # Welsh
        "BLS: x",  # Indonesian
        "Re[2]: x",  # The Bat! and others count
        "Re(2): x",
        "Re^3: x",
        "RE2: x",
        "AW: SV: Re: 回复: [crew] VS: x",
    ],
)
def test_the_marks_of_other_languages_are_taken_off(subject: str) -> None:
    assert base_subject(subject) == "x"


@pytest.mark.parametrize("subject", ["r: drive", "I:x", "i: one", "Svx: y", "VST: y", "a回复: y"])
def test_what_only_looks_like_them_stays(subject: str) -> None:
    assert base_subject(subject) == subject


@pytest.mark.parametrize(
    "subject",
    [
        "[]" * 200_000,
        "Re: " * 100_000,
        "[" * 400_000,
        "(fwd)" * 80_000,
        "[fwd: " * 60_000 + "]" * 60_000,
        "re" + " " * 400_000,
        "re[a" * 100_000,
        "[a]" * 100_000 + "Re",
    ],
)
def test_a_subject_of_any_length_comes_to_an_end(subject: str) -> None:
    # In a few tenths of a second; with one more factor of its length it would be hours.
    assert len(base_subject(subject)) <= len(subject)


def test_subjects_are_one_whatever_the_case_and_the_marks() -> None:
    subjects = ["Boat", "RE: boat", None, "Re:", "", "straße", "AW: STRASSE", "[Fwd: Boat]"]
    found = topics(headers(*[{"subject": subject} for subject in subjects]))
    assert found.codes.tolist() == [0, 0, -1, -1, -1, 1, 1, 0]
    assert found.answers.tolist() == [False, True, False, True, False, False, True, True]


def test_a_trailer_says_that_it_was_passed_on_but_a_list_s_name_does_not() -> None:
    found = topics(pd.DataFrame({"subject": ["x (fwd)", "[l] x", " x "]}))
    assert found.answers.tolist() == [True, False, False]


def test_subjects_may_be_categories_or_missing_altogether() -> None:
    frame = pd.DataFrame({"subject": pd.Categorical(["a", "Re: a", None])}, index=[7, 7, 7])
    assert topics(frame).codes.tolist() == [0, 0, -1]
    assert topics(headers()).codes.tolist() == []
    assert topics(pd.DataFrame({"subject": [None, None]})).codes.tolist() == [-1, -1]
    with pytest.raises(QueryError, match="no column 'subject'"):
        topics(pd.DataFrame({"date": []}))
