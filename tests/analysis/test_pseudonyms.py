"""What stands for a word, a person, a domain: always the same, and nothing that can be read."""

from __future__ import annotations

import re
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.analysis.disguised_fields import FieldDisguises
from mailframe.analysis.identity import untagged
from mailframe.analysis.pseudonyms import Memo, Pseudonyms
from mailframe.analysis.registrable import registrable
from mailframe.analysis.subjects import base_subject
from mailframe.parsing import parse_addresses, parse_list_unsubscribe

KEY = b"a key for tests, known to everybody"


@pytest.fixture
def made() -> FieldDisguises:
    return FieldDisguises(KEY)


# -- words and numbers


@given(st.text(min_size=1))
def test_no_run_of_letters_is_longer_than_a_syllable(word: str) -> None:
    shown = Pseudonyms(KEY).word[word]
    assert re.fullmatch(r"(?:[A-Za-z]{3}-)+[A-Za-z]{3}|[0-9]+", shown)


def test_a_word_is_the_same_in_any_case_and_is_written_in_its_own(made: FieldDisguises) -> None:
    lower = made.word["boat"]
    assert made.word["BOAT"] == lower.upper()
    assert made.word["Boat"] == lower.capitalize()
    assert made.word["BoAt"] == lower.title()
    assert made.word["boats"] != lower


def test_a_word_whose_accents_are_signs_of_their_own_is_the_same(made: FieldDisguises) -> None:
    assert made.word["ba\u0301ten"] == made.word["b\xe1ten"]


def test_a_long_word_is_about_as_long(made: FieldDisguises) -> None:
    word = "Donaudampfschifffahrt"
    assert abs(len(made.word[word]) - len(word)) <= 3


def test_another_key_makes_other_words_of_nearly_all() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    one, other = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    assert not {one.word[word] for word in words} & {other.word[word] for word in words}


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_numbers_become_others_of_as_many_digits_each_its_own(
    digits: int, made: FieldDisguises
) -> None:
    numbers = [str(number).zfill(digits) for number in range(10**digits)]
    shown = [made.word[number] for number in numbers]
    assert sorted(shown) == numbers
    assert shown != numbers


@given(st.integers(0, 10**40))
def test_a_long_number_keeps_its_length(number: int) -> None:
    shown = Pseudonyms(KEY).word[str(number)]
    assert shown.isdigit()
    assert len(shown) == len(str(number))


def test_a_number_longer_than_python_reads_is_replaced(made: FieldDisguises) -> None:
    assert len(made.word["7" * 10_000]) == 10_000


def test_each_value_is_made_once() -> None:
    asked = []
    memo = Memo(lambda value: asked.append(value) or value.upper())  # type: ignore[func-returns-value]
    assert [memo["a"], memo["b"], memo["a"]] == ["A", "B", "A"]
    assert asked == ["a", "b"]


# -- persons


def test_a_name_and_an_address_of_the_same_words_belong_together(made: FieldDisguises) -> None:
    first, last = made.name["Ann Lee"].split()
    assert made.name["Lee, Ann"] == f"{last}, {first}"
    assert made.name["ANN LEE"] == f"{first} {last}".upper()
    assert made.address["Ann.Lee@x.example"].startswith(f"{first}.{last}@".lower())
    assert made.address["lee_ann@y.example"].startswith(f"{last}_{first}@".lower())


def test_people_who_share_a_first_name_have_nothing_in_common(made: FieldDisguises) -> None:
    assert not {*made.name["Ann Lee"].split()} & {*made.name["Ann Ash"].split()}


def test_an_accent_is_kept_where_names_are_told_apart_by_it(made: FieldDisguises) -> None:
    with_accent, without = made.name["Ana Kovač"], made.name["Ana Kovac"]
    assert with_accent != without
    assert with_accent.translate(str.maketrans("áéíóú", "aeiou")) == without


def test_what_stands_beside_a_name_is_not_part_of_it(made: FieldDisguises) -> None:
    assert made.name["Ann Lee (Sales)"].startswith(made.name["Ann Lee"] + " (")
    assert made.name["Ann Lee (Sales)"].endswith(f" ({made.word['Sales']})")


def test_a_display_name_that_is_an_address_is_that_address(made: FieldDisguises) -> None:
    assert made.name["ann@x.example"] == made.address["ann@x.example"]


def test_persons_are_not_confused(made: FieldDisguises) -> None:
    names = {made.name[f"Given{n % 200} Family{n}"] for n in range(20_000)}
    assert len(names) == 20_000
    assert len({made.address[f"p{n}@x.example"] for n in range(20_000)}) == 20_000


# -- addresses


def test_case_makes_no_address_another(made: FieldDisguises) -> None:
    assert made.address["Ann@X.Example"] == made.address["ann@x.example"]


def test_a_tagged_address_is_of_the_one_without(made: FieldDisguises) -> None:
    tagged = made.address["ann+shop@x.example"]
    assert "+" in tagged
    assert untagged(pd.Series([tagged])).item() == made.address["ann@x.example"]


@pytest.mark.parametrize("local", ["noreply", "no-reply", "mailer-daemon", "info", "newsletter"])
def test_the_address_of_an_office_is_still_one(local: str, made: FieldDisguises) -> None:
    assert made.address[f"{local}@shop.example"].startswith(f"{local}@")
    assert made.address[f"{local}-ann@shop.example"].startswith(f"{local}-")
    assert re.match(rf"{local}\d\d@", made.address[f"{local}17@shop.example"])


def test_a_name_that_begins_like_an_office_is_replaced(made: FieldDisguises) -> None:
    assert "news" not in made.address["newsom@x.example"]


@pytest.mark.parametrize("value", ["no address at all", "x@", "@x", "@", ""])
def test_what_is_no_address_is_text(value: str, made: FieldDisguises) -> None:
    shown = made.address[value]
    assert shown == made.text(value)
    assert shown.count("@") == value.count("@")


def test_domains_below_one_another_stay_so(made: FieldDisguises) -> None:
    shop, mail, deep = (made.domain[f"{one}shop.co.uk"] for one in ("", "team.", "a.team."))
    assert mail.endswith(f".{shop}")
    assert deep.endswith(f".{mail}")
    assert made.domain["shop.com"] != shop
    assert registrable(pd.Series([deep])).item() == shop


@pytest.mark.parametrize("domain", ["x.com", "gmail.com", "xn--bcher-kva.de", "a b", "山.jp", "x"])
def test_every_domain_lies_under_the_one_for_examples(domain: str, made: FieldDisguises) -> None:
    assert re.fullmatch(r"(?:[a-z]{3}-){3}[a-z]{3}\.example", made.domain[domain])


@pytest.mark.parametrize(
    ("sent", "shape"),
    [
        ("8.8.8.8", r"2[45]\d\.\d+\.\d+\.\d+"),
        ("[8.8.8.8]", r"\[2[45]\d\.\d+\.\d+\.\d+\]"),
        ("2a00:1450::face", r"2001:db8:[\d:]+"),
        ("[IPv6:2a00:1450::face]", r"\[ipv6:2001:db8:[\d:]+\]"),
    ],
)
def test_an_ip_address_becomes_one_that_nobody_has(
    sent: str, shape: str, made: FieldDisguises
) -> None:
    assert re.fullmatch(shape, made.domain[sent])


def test_a_list_of_addresses_is_made_of_its_addresses(made: FieldDisguises) -> None:
    sent = '"Lee, Ann" <ann.lee@x.example>, bob@y.example'
    shown = parse_addresses(made.addresses(sent))
    assert [one.address for one in shown] == [
        made.address["ann.lee@x.example"],
        made.address["bob@y.example"],
    ]
    assert shown[0].name == made.name["Lee, Ann"]


# -- ids, folders, fields


def test_ids_keep_their_form_and_their_domain(made: FieldDisguises) -> None:
    shown = made.identifier["<1@mail.x.example>"]
    assert shown.startswith("<")
    assert shown.endswith(f"@{made.domain['mail.x.example']}>")
    assert made.identifier["1@mail.x.example"] == shown.strip("<>")
    assert made.identifier["no domain"].isalnum()


def test_no_two_letters_of_an_id_stand_together(made: FieldDisguises) -> None:
    for n in range(500):
        code = made.identifier[str(n)]
        assert not any(one.isalpha() and other.isalpha() for one, other in pairwise(code))


def test_references_keep_their_number_and_order(made: FieldDisguises) -> None:
    assert made.identifiers("1@x  2@x\n1@x").split() == [
        made.identifier[one] for one in ("1@x", "2@x", "1@x")
    ]


def test_folders_keep_their_levels_and_what_has_a_role(made: FieldDisguises) -> None:
    above, below = made.folder["Clients/Ann"].split("/")
    assert made.folder["Clients"] == above
    assert below not in {above, "Ann"}
    for name in ("INBOX", "Sent Items", "INBOX.Drafts", "[Gmail]/All Mail", "Entwürfe"):
        assert made.folder[name] == name
    assert made.folder["clients"] != above  # another folder, on many servers


def test_keywords_of_programs_stay_and_are_sorted_with_the_others(made: FieldDisguises) -> None:
    shown = made.keywords("$Forwarded Junk anns-own").split()
    assert shown == sorted(shown)
    assert {"$Forwarded", "Junk"} < set(shown)
    assert "anns-own" not in shown


@pytest.mark.parametrize(
    "subject",
    ["Re: AW: boat", "[crew] Re: [x] Fwd: boat (fwd)", "[Fwd: Re: boat]", "Re[2]: boat", "Re:",
     "RE:  boat ", "回复:船", "[boat]", "Re: ]", "(fwd)", "Re: ba\u0301t", ""],
)  # fmt: skip
def test_a_subject_answers_what_it_answered(subject: str, made: FieldDisguises) -> None:
    shown = made.subject[subject]
    assert base_subject(shown) == made.text(base_subject(subject))
    assert (base_subject(shown) == shown) == (base_subject(subject) == subject)


@given(st.text(st.sampled_from("aR e:[]()fwd\u0301\n]"), max_size=20))
def test_of_a_subject_nothing_stays_but_prefixes(subject: str) -> None:
    made = FieldDisguises(KEY)
    shown = made.subject[subject]
    assert base_subject(shown) == made.text(base_subject(subject))


def test_where_one_unsubscribes_is_still_said(made: FieldDisguises) -> None:
    sent = "<https://x.example/leave/ann>, <mailto:leave-ann@x.example?subject=ann%20leaves>"
    web, mail = parse_list_unsubscribe(made.links(sent))
    assert web.startswith(f"https://{made.domain['x.example']}/")
    assert mail == f"mailto:{made.address['leave-ann@x.example']}"


def test_a_list_is_named_as_its_address_is(made: FieldDisguises) -> None:
    address = made.address["crew@lists.boat.example"]
    assert made.list_id("<crew.lists.boat.example>") == address.replace("@", ".")


def test_a_file_keeps_an_ending_that_many_have(made: FieldDisguises) -> None:
    assert made.filename("Ann's CV.PDF").endswith(".PDF")
    assert made.filename("boat.tar.gz").endswith(".tar.gz")
    assert not made.filename("boat.ann").endswith(".ann")
    assert made.filename("out/boat.png").endswith(f"/{made.filename('boat.png')}")


def test_a_text_keeps_its_lines_marks_and_links(made: FieldDisguises) -> None:
    sent = "Ann wrote:\n> See https://x.example/ann?a=b, or mail ann@x.example.\n>\n> -- \n> 山!"
    shown = made.text(sent)
    assert re.sub(r"[\w@.:/?=-]", "", shown) == re.sub(r"[\w@.:/?=-]", "", sent)
    assert f"https://{made.domain['x.example']}/" in shown
    assert f" {made.address['ann@x.example']}.\n" in shown
    assert [line[:1] for line in shown.split("\n")[1:]] == [">"] * 4


def test_a_url_names_its_host_and_nothing_more(made: FieldDisguises) -> None:
    shown = made.text("see HTTPS://ann:secret@x.example:8080/ann?a=b#c and https://x.example/")
    there, bare = re.findall(r"\S+://\S+", shown)
    assert re.fullmatch(rf"https://{made.domain['x.example']}/[a-z0-9]{{20}}", there)
    assert bare == f"https://{made.domain['x.example']}/"


def test_what_a_server_found_stays_and_of_whom_does_not(made: FieldDisguises) -> None:
    sent = "mx.x.example; spf=pass smtp.mailfrom=ann@y.example; dkim=fail (ann) header.d=y.example"
    assert made.results(sent) == (
        f"{made.domain['mx.x.example']}; spf=pass smtp.mailfrom={made.address['ann@y.example']}; "
        f"dkim=fail ({made.word['ann']}) header.d={made.domain['y.example']}"
    )


@pytest.mark.parametrize(
    ("method", "known", "made_up"),
    [
        ("content_type", "text/plain", "text/ann"),
        ("charset", "utf-8", "ann-8"),
        ("charset", "iso-8859-15", "utf-8ann山"),
        ("part", "1.2", "ann"),
        ("rfc", "RFC 3501 section 6.4.4", "RFC ann"),
        ("tag", "A12", "annA12"),
        ("defects", "two-digit year", "ann"),
    ],
)
def test_words_of_standards_stay_and_words_made_up_do_not(
    method: str, known: str, made_up: str, made: FieldDisguises
) -> None:
    assert getattr(made, method)(known) == known
    assert "ann" not in getattr(made, method)(made_up)


def test_of_a_defect_what_it_quotes_is_replaced(made: FieldDisguises) -> None:
    shown = made.defects("unreadable date: Ann's, 31 Feb; gone")
    assert re.fullmatch(r"unreadable date: \w{3}-\w{3}'\S+, \d\d \S+; gone", shown)


@pytest.mark.parametrize("text", ["x" * 200_000, "a@" * 100_000, "]" * 100_000, "http://" * 50_000])
def test_what_is_long_takes_no_longer_than_it_is(text: str, made: FieldDisguises) -> None:
    for value in (text, f"Re: {text}"):
        assert made.text(value)
        assert made.subject[value]
        assert made.name[value]
        assert made.address[value]
