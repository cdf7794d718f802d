"""Frames that name nobody and tell the same."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailframe as mf
from mailframe import analysis, schema
from mailframe.analysis import clear_words
from mailframe.analysis.anonymizing import anonymize
from mailframe.exceptions import QueryError
from mailframe.roles import ROLES_BY_NAME
from tests.analysis.letters import headers, sent_by
from tests.analysis.odd_mail import ODD_MAIL, SAME_MAIL, Mail, usual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY = "a key for tests, known to everybody"
FIELDS = ["Auto-Submitted", "Delivered-To", "Authentication-Results", "Precedence", "X-Mailer"]
TEXT = {"str", "category"}


def hidden(frame: pd.DataFrame, key: str = KEY) -> pd.DataFrame:
    return anonymize(frame, key=key)


def one(value: str, column: str = "address") -> str:
    """Return what stands for a value."""
    shown: str = hidden(pd.DataFrame({column: [value]}))[column].item()
    return shown


@cache
def sample() -> dict[str, pd.DataFrame]:
    """Return every kind of frame of the sample mailbox."""
    with mf.demo() as session:
        heads = session.headers(folder="*", fields=FIELDS, progress=False)
        frames = {
            "keys": session.search("FLAGGED", folder="*"),
            "headers": heads,
            "recipients": session.recipients(folder="*", progress=False),
            "bodies": session.bodies(limit=300, html=True, progress=False),
            "attachments": session.attachments(folder="*", progress=False),
            "hops": session.hops(folder="*", progress=False),
            "folders": session.folders(),
        }
    frames["events"] = heads.head(50).assign(event=pd.Categorical(["new"] * 50))
    frames["own_text"] = frames["bodies"].assign(
        own_text=frames["bodies"]["text"],
        quoted_text="Mira wrote",
        signature="Mira Holm",
        n_words=3,
    )
    frames["previews"] = frames["bodies"][["account", "folder"]].assign(
        preview=frames["bodies"]["text"].str[:200]
    )
    frames["downloads"] = frames["attachments"].assign(
        path="/home/mira/" + frames["attachments"]["filename"]
    )
    about = heads.head(40)[["account", "folder", "uidvalidity", "uid", "from_address", "subject"]]
    frames["plan"] = about.assign(
        action=["labels", "move"] * 20, target="Projects/Skerry", state="change",
        add=["Skerry\n\\Important", r"\Seen skerry"] * 20, remove="", flags=r"\Seen skerry",
    )  # fmt: skip
    frames["outcome"] = about.assign(
        action="move", target="Projects/Skerry", status="failed", reason="Skerry is no folder"
    )
    frames["senders"] = analysis.senders(heads)
    frames["threads"] = analysis.threads(heads)
    frames["network"] = analysis.network(frames["recipients"])
    frames["response_times"] = analysis.response_times(heads)
    frames["identities"] = analysis.identities(heads)
    frames["pivot"] = heads.pivot_table(index="folder", columns="from_address", values="size")
    frames["own columns"] = heads[["uid"]].assign(
        note="Skerry for Mira", mood=pd.Categorical(["Mira's"] * len(heads), ["Mira's", "Jonas'"]),
        mixed=pd.Series(["Skerry", 1, None, b"Skerry", ["Mira"]]).take(heads["uid"] % 5).array,
    ).set_index(heads["subject"])  # fmt: skip
    return frames


KINDS = ["keys", "headers", "recipients", "bodies", "attachments", "hops", "folders", "events",
         "own_text", "previews", "downloads", "plan", "outcome", "senders", "threads", "network",
         "response_times", "identities", "pivot", "own columns"]  # fmt: skip


# -- nobody is named


def words_of(texts: Iterable[object]) -> set[str]:
    """Return the words of four letters or more, in any script."""
    return {word.casefold() for text in texts for word in re.findall(r"[^\W\d_]{4,}", str(text))}


#: Words that stay, wherever they stand: not one of them is anybody's.
STANDING = words_of(
    [
        "example localhost https http mailto imap smtp noreply nyhetsbrev",
        *ROLES_BY_NAME, *clear_words.FOLDERS, *clear_words.KEYWORDS, *clear_words.LABELS,
        *clear_words.EXTENSIONS,
        clear_words.ADDRESS_WORDS.pattern.replace("?", ""), clear_words.HOST_LABELS.pattern,
        "bounce mailings letters notifications announcements newsletters promotions bounces",
        "helpdesk accounts alerts invitations services newsletter lists mails notification",
        "infolettre",
    ]
)  # fmt: skip
#: Those of subjects, before a colon.
PREFIXES = words_of(["antw antwort betr doorst réf rép odpov továbbítás ответ отв σχετ відп"])
#: What stays in columns that have but few words.
IN_THEIR_COLUMNS = words_of(
    [*clear_words.TYPES, *clear_words.DEFECTS, *clear_words.FIELD_WORDS,
     *(word for words in clear_words.CLOSED.values() for word in words), "windows latin ascii"]
)  # fmt: skip


def texts_of(frame: pd.DataFrame) -> Iterable[object]:
    """Give all that a frame holds, wherever somebody could look, but for names of columns."""
    yield frame.to_csv(header=False)
    yield from [*frame.index.names, *frame.columns.names]
    yield from (name for name in frame.columns if not str(name).isidentifier())
    for name, value in frame.attrs.items():
        if name != "in_clear":
            yield from (name, *(value if isinstance(value, list) else [value]))
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        if isinstance(values.dtype, pd.CategoricalDtype):
            yield from values.cat.categories


def as_stored(frame: pd.DataFrame) -> str:
    """Return a frame as Parquet has it, for whoever looks into the file."""
    file = io.BytesIO()
    frame.to_parquet(file, compression=None)
    return file.getvalue().decode("utf-8", "replace").casefold()


def found_in(frame: pd.DataFrame) -> set[str]:
    """Return the words of a frame that was anonymised, but for those that may stand there."""
    beside = words_of(["accounts in_clear clear None null true false days"])
    return words_of(texts_of(frame)) - beside - STANDING - PREFIXES


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_the_mail_is_anywhere_in_what_is_shown(kind: str) -> None:
    frame = sample()[kind]
    shown = hidden(frame)
    few = [name for name in shown.attrs["in_clear"] if str(shown[name].dtype) in TEXT]
    assert found_in(shown.drop(columns=few)) == set()
    # Where words of standards stand there are no others.
    assert found_in(shown) <= IN_THEIR_COLUMNS
    assert len(words_of(texts_of(frame)) - words_of(texts_of(shown))) > 2
    assert set(shown.attrs["in_clear"]) <= {*shown.columns}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"own columns", "pivot"}])
def test_no_word_of_the_mail_is_anywhere_in_its_file(kind: str) -> None:
    frame = sample()[kind]
    shown = hidden(frame)
    few = [name for name in shown.attrs["in_clear"] if str(shown[name].dtype) in TEXT]
    shown = shown.drop(columns=few)
    bare, file = as_stored(shown.head(0)), as_stored(shown)
    said = {word for word in words_of(texts_of(frame)) - STANDING - PREFIXES if word not in bare}
    assert len(said) > 3
    assert [word for word in said if len(word) > 5 and word in file] == []
    assert KEY not in file


_word = st.text(st.characters(categories=["L"]), min_size=4, max_size=9)
_value = st.one_of(
    st.text(max_size=30),
    st.builds(
        lambda shape, *words: shape.format(*words),
        st.sampled_from(
            ["{0} {1} <{0}.{1}@{2}.example>, {2}", "{0}+{1}@mail.{2}.co.uk",
             "Re: [{0}] {1}: {2} (fwd)",
             "[Fwd: {0}] {1}", "<https://{0}.example/{1}>, <mailto:{2}@{0}.example>", "{0}/{1}.{2}",
             "{0};{1}={2}.{0}", "unreadable date: {0}; {1}: {2}", "\\{0} ${1} {2}",
             "> {0}\n{1}\r\n--",
             "noreply-{0}@{1}", "imap.{0}", "\\Seen\n{0}", "utf-8{0}", "text/{0}", "Re: {0}: [{1}]",
             "javascript://{0}/{1}", "www.{0}.org/{1}", "({0}) {1} [{2}]", "xn--{0}.{1}",
             '"{0}" {1}',
             "AW[{0}]: {1}", "{0}@[{1}]", "@{0}", "{0}@", "1{0}2", "INBOX.{0}", "spf={0} {1}"]
        ),
        _word, _word, _word,
    ),
)  # fmt: skip


@pytest.mark.parametrize("kind", [*schema.FRAMES, "asked for"])
@settings(max_examples=30, deadline=None)
@given(values=st.lists(_value, min_size=1, max_size=6))
def test_whatever_a_sender_writes_is_replaced(kind: str, values: list[str]) -> None:
    columns = schema.FRAMES.get(kind, [])
    names = [column.name for column in columns if column.dtype in TEXT]
    names = [name for name in names if name not in {"line", "meaning", "words"}] or [
        "x_mailer", "delivered_to", "auto_submitted", "authentication_results", "list_post",
        "people",
    ]  # fmt: skip
    frame = pd.DataFrame(dict.fromkeys(names, values), dtype="str")
    frame.attrs = {"accounts": values, values[0]: values}
    shown = hidden(frame)
    assert found_in(shown) <= IN_THEIR_COLUMNS


def test_of_what_is_in_the_clear_the_words_are_checked() -> None:
    frame = pd.DataFrame(
        {
            "role": ["to", "Mira"], "charset": ["utf-8", "mira"], "with": ["ESMTP", "MIRA"],
            "content_type": ["text/plain", "text/mira"], "delimiter": ["/", "mira"],
            "defects": ["two-digit year", "unreadable date: Mira"], "part": ["1.2", "mira"],
        }
    )  # fmt: skip
    shown = hidden(frame)
    assert shown.iloc[0].tolist() == frame.iloc[0].tolist()
    assert not shown.iloc[1].str.contains("mira", case=False).any()
    assert shown.attrs["in_clear"] == list(frame.columns)


def test_html_is_left_out() -> None:
    shown = hidden(sample()["bodies"])
    assert shown["html"].isna().all()
    assert str(shown["html"].dtype) == "str"


def test_categories_that_are_not_used_are_gone() -> None:
    folders = pd.Categorical(["Boats", None], categories=["Secret", "Boats", "Another"])
    shown = hidden(pd.DataFrame({"folder": folders}))
    assert shown["folder"].cat.categories.tolist() == [one("Boats", "folder")]
    assert shown["folder"].isna().tolist() == [False, True]


def test_the_order_of_categories_tells_nothing() -> None:
    names = [f"Folder {n:02}" for n in range(30)]
    shown = hidden(pd.DataFrame({"folder": pd.Categorical(names)}))["folder"]
    assert shown.cat.categories.is_monotonic_increasing
    assert shown.astype("str").tolist() == [one(name, "folder") for name in names]


def test_categories_in_an_order_keep_it() -> None:
    moods = pd.Categorical(["low", "high"], categories=["low", "middle", "high"], ordered=True)
    shown = hidden(pd.DataFrame({"mood": moods}))["mood"]
    assert shown.cat.ordered
    assert shown.cat.codes.tolist() == [0, 1]


def test_an_index_and_names_of_levels_are_gone() -> None:
    frame = pd.DataFrame({"size": [1, 2]}, index=pd.Index(["Mira", "Jonas"], name="Holm"))
    frame.columns.name = "Skerry"
    shown = hidden(frame)
    assert shown.index.equals(pd.RangeIndex(2))
    assert (shown.index.name, shown.columns.name) == (None, None)


def test_of_the_attributes_only_accounts_are_left_and_they_are_others() -> None:
    frame = sent_by("ann@x.example")
    frame.attrs = {"accounts": ["me@x.example", "me/mail.mbox"], "call": "Mira", "canary": 1}
    attrs = hidden(frame).attrs
    assert set(attrs) == {"accounts", "in_clear"}
    assert attrs["accounts"] == [one("me@x.example"), one("me/mail.mbox", "account")]
    assert KEY not in json.dumps(attrs)


def test_columns_in_the_clear_are_named() -> None:
    frame = sent_by("ann@x.example").assign(mine=1, mine_too="x")
    clear = hidden(frame).attrs["in_clear"]
    told = {"uid", "date", "utc_offset", "size", "seen", "defects", "mine"}
    assert told <= set(clear)
    assert not {"account", "folder", "subject", "keywords", "from_domain", "mine_too"} & set(clear)
    others = frame.drop(columns="defects")[[name for name in clear if name != "defects"]]
    pd.testing.assert_frame_equal(hidden(frame)[others.columns], others)


def test_a_column_named_like_somebody_is_renamed() -> None:
    frame = pd.DataFrame({"ann@x.example": [1], "x_mailer": ["a"], "Ann Lee": [2], 7: [3]})
    shown = hidden(frame)
    assert [*shown.columns][:2] == [one("ann@x.example"), "x_mailer"]
    assert "Ann" not in str(shown.columns[2])
    assert shown.columns[3] == 7


# -- the same is the same


def test_the_same_key_gives_the_same_everywhere() -> None:
    frames = {kind: hidden(sample()[kind]) for kind in ("headers", "recipients", "hops", "bodies")}
    keys = [column.name for column in schema.KEY]
    heads = frames["headers"][keys].astype("str")
    for kind, frame in frames.items():
        given = sample()[kind][keys].astype("str").drop_duplicates()
        joined = frame[keys].astype("str").drop_duplicates().merge(heads, on=keys)
        assert len(joined) == len(given)
    people = frames["recipients"].merge(frames["headers"], on=keys)
    wrote = people[people["role"] == "from"]
    for name in ("address", "domain", "name"):
        assert wrote[name].tolist() == wrote[f"from_{name}"].tolist()
    assert (wrote["address"].str.rpartition("@")[2] == wrote["domain"])[
        wrote["domain"].notna()
    ].all()
    assert set(frames["headers"]["folder"]) < {*hidden(sample()["folders"])["name"]}


def test_what_analyses_return_belongs_to_it_as_well() -> None:
    heads = hidden(sample()["headers"])
    senders = hidden(sample()["senders"])
    assert set(senders["address"]) == {*heads["from_address"].dropna().str.lower()}
    edges, again = hidden(sample()["network"]), analysis.network(hidden(sample()["recipients"]))
    pairs = [{*zip(one["source"], one["target"], strict=True)} for one in (edges, again)]
    assert pairs[0] == pairs[1]
    threads = hidden(sample()["threads"])
    assert {*threads["subject"].dropna()} <= {*heads["subject"].dropna()}
    answers = hidden(sample()["response_times"])
    assert {*answers["message_id"]} <= {*heads["message_id"]}
    assert {*answers["reply_id"].dropna()} <= {*heads["message_id"]}


def test_another_key_gives_others() -> None:
    frame = sent_by("ann@x.example", "bob@y.example", subject="Boat")
    some, others = hidden(frame), hidden(frame, "another key, as well known")
    for name in ("account", "from_address", "from_name", "from_domain", "subject"):
        assert not {*some[name]} & {*others[name]}


def test_nothing_is_remembered_from_one_call_to_the_next() -> None:
    frame = sent_by("ann@x.example")
    first = hidden(frame)
    hidden(frame, "another key, as well known")
    pd.testing.assert_frame_equal(hidden(frame), first)


def test_text_or_bytes_are_the_same_key() -> None:
    frame = sent_by("ann@x.example")
    pd.testing.assert_frame_equal(anonymize(frame, key=KEY.encode()), hidden(frame))


def numbers_of(answer: pd.DataFrame) -> list[str]:
    """Return an answer without names: its rows of numbers, times and words of ours."""
    ours = ("direction", "waiting", "role", "content_type")
    plain = [
        name
        for name, dtype in answer.dtypes.items()
        if name in ours or not (isinstance(dtype, pd.CategoricalDtype) or dtype == "str")
    ]
    floats = [name for name in plain if answer[name].dtype == "float64"]
    rows = answer[plain].round(dict.fromkeys(floats, 9)).astype("str")
    return sorted(map(str, rows.itertuples(index=False, name=None)))


ASKED: dict[str, Callable[[Mail], pd.DataFrame]] = {
    "volume": lambda mail: analysis.volume(mail.headers, "M", by="direction"),
    "volume by list": lambda mail: analysis.volume(mail.headers, "M", by="list"),
    "senders": lambda mail: analysis.senders(mail.headers),
    "senders by name": lambda mail: analysis.senders(mail.headers, by="name"),
    "senders by domain": lambda mail: analysis.senders(mail.headers, by="domain"),
    "domains": lambda mail: analysis.domains(mail.headers, registrable=True),
    "recipients": lambda mail: analysis.recipients(mail.recipients),
    "network": lambda mail: analysis.network(mail.recipients, headers=mail.headers),
    "threads": lambda mail: analysis.threads(mail.headers),
    "threads by subject": lambda mail: analysis.threads(mail.headers, subject=True),
    "response_times": lambda mail: analysis.response_times(mail.headers),
    "identities": lambda mail: analysis.identities(mail.headers),
    "people": lambda mail: analysis.people(mail.headers),
}


def asked(question: str, mail: Mail) -> list[str] | str:
    try:
        return numbers_of(ASKED[question](mail))
    except QueryError as error:  # nothing tells who I am
        return type(error).__name__


def sample_mail() -> Mail:
    frames = sample()
    return Mail(
        frames["headers"], frames["recipients"], frames["own_text"], frames["attachments"],
        frames["hops"],
    )  # fmt: skip


@cache
def both(name: str) -> tuple[Mail, Mail]:
    given = sample_mail() if name == "sample" else ODD_MAIL[name]()
    return given, given.each(hidden)


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("name", ["sample", *ODD_MAIL])
def test_analyses_tell_the_same(name: str, question: str) -> None:
    given, shown = both(name)
    assert asked(question, shown) == asked(question, given)


def test_who_i_am_can_be_said_by_pseudonym() -> None:
    given, shown = both("sample")
    me, mine = "mira.holm@fyrbak.example", one("mira.holm@fyrbak.example")
    medians = [
        analysis.response_times(mail.headers, me=who).groupby("direction")["time"].median()
        for mail, who in ((given, me), (shown, mine))
    ]
    assert medians[0].notna().all()
    pd.testing.assert_series_equal(*medians)
    edges = [
        analysis.network(mail.recipients, without_me=True, me=who)["messages"].tolist()
        for mail, who in ((given, me), (shown, mine))
    ]
    assert sorted(edges[0]) == sorted(edges[1])


def test_newsletters_and_delivery_tell_the_same() -> None:
    given, shown = both("sample")
    for question in (
        lambda mail: analysis.newsletters(mail.headers),
        lambda mail: analysis.delivery(mail.hops),
    ):
        assert numbers_of(question(shown)) == numbers_of(question(given))


def test_an_answer_to_an_id_that_was_folded_is_still_one() -> None:
    frame = headers(
        {"message_id": "12 34@x.example"},
        {"message_id": "2@x.example", "in_reply_to": "12\n 34@x.example"},
        {"message_id": "3@x.example", "in_reply_to": "of Monday 2@x.example"},
    )
    assert analysis.thread_ids(hidden(frame))["depth"].tolist() == [0, 1, 2]


# -- frames as they are


@pytest.mark.parametrize("kind", KINDS)
def test_rows_columns_and_dtypes_stay(kind: str) -> None:
    frame = sample()[kind]
    before = frame.copy()
    shown = hidden(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs
    assert shown.shape == frame.shape
    assert [*map(str, shown.dtypes)] == [*map(str, frame.dtypes)]
    kept = shown.set_axis(frame.columns, axis=1).drop(columns="html", errors="ignore")
    assert (kept.isna().to_numpy() == frame[kept.columns].isna().to_numpy()).all()


@pytest.mark.parametrize("kind", schema.FRAMES)
def test_a_frame_without_rows_stays_one(kind: str) -> None:
    frame = schema.empty(kind)
    frame = frame.drop(columns=["line", "meaning", "words"], errors="ignore")
    assert hidden(frame).columns.tolist() == frame.columns.tolist()
    assert [*map(str, hidden(frame).dtypes)] == [*map(str, frame.dtypes)]


@pytest.mark.parametrize("change", SAME_MAIL)
def test_a_value_has_one_pseudonym_in_a_column_of_any_dtype(change: str) -> None:
    frame = SAME_MAIL[change](usual()).headers
    shown = hidden(frame)
    expected = hidden(usual().headers).set_index("uid")
    for name in ("account", "folder", "from_address", "from_name", "subject", "message_id"):
        assert str(shown[name].dtype) == str(frame[name].dtype)
        told = shown[name].astype("str").tolist()
        assert told == expected.loc[frame["uid"].tolist(), name].astype("str").tolist()


def test_columns_of_one_name_are_all_replaced() -> None:
    frame = pd.DataFrame([["Ann Lee", "Bob", 1]], columns=["from_name", "from_name", "size"])
    shown = hidden(frame)
    assert shown.iloc[0].tolist() == [one("Ann Lee", "name"), one("Bob", "name"), 1]


def test_labels_of_a_plan_are_those_of_headers() -> None:
    plan = pd.DataFrame({"action": ["labels"], "add": ["Boat trips\n\\Important"]})
    assert hidden(plan)["add"].item() == one("Boat trips\n\\Important", "labels")
    flags = pd.DataFrame({"action": ["flags"], "add": [r"\Seen $Forwarded boat"]})
    assert hidden(flags)["add"].item() == rf"\Seen $Forwarded {one('boat', 'keywords')}"


# -- what is refused


@pytest.mark.parametrize("key", ["", "short", b"short", None, 1, [KEY]])
def test_a_key_that_can_be_tried_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(QueryError) as caught:
        anonymize(sent_by("ann@x.example"), key=key)
    assert "secrets.token_hex()" in caught.value.suggestion
    assert "short" not in str(caught.value)


def test_there_is_no_key_of_ours() -> None:
    with pytest.raises(TypeError):
        anonymize(sent_by("ann@x.example"))  # type: ignore[call-arg]


@pytest.mark.parametrize(("kind", "written"), [("trace", "line"), ("explanation", "meaning")])
def test_a_dialogue_is_refused_until_its_lines_are_left_away(kind: str, written: str) -> None:
    frame = schema.empty(kind)
    with pytest.raises(QueryError, match=written) as caught:
        hidden(frame)
    assert "drop" in caught.value.suggestion
    rest = frame.drop(columns=["line", "meaning", "words"], errors="ignore")
    assert hidden(rest).columns.tolist() == rest.columns.tolist()


def test_commands_of_a_dialogue_stay_without_what_they_are_about() -> None:
    frame = pd.DataFrame({"command": ["UID FETCH", "SELECT Boat"], "tag": ["A1", "*"]})
    shown = hidden(frame)
    assert shown["command"].iloc[0] == "UID FETCH"
    assert "Boat" not in shown["command"].iloc[1]
    assert shown["tag"].tolist() == ["A1", "*"]


def test_columns_of_several_levels_are_refused() -> None:
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("ann@x.example", "size")]))
    with pytest.raises(QueryError, match="several levels"):
        hidden(frame)


def test_it_is_found_where_it_is_looked_for() -> None:
    frame = sent_by("ann@x.example")
    pd.testing.assert_frame_equal(mf.anonymize(frame, key=KEY), hidden(frame))
    pd.testing.assert_frame_equal(frame.mail.anonymize(key=KEY), hidden(frame))
