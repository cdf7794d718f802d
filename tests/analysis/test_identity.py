"""Who I am, which way a message went, and which addresses are one person's."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis.aliases import identities, people
from mailframe.analysis.identity import directions, is_mine, lies_in, my_addresses, untagged
from mailframe.analysis.senders import senders
from mailframe.exceptions import QueryError
from mailframe.roles import ROLES_BY_NAME
from tests.analysis.letters import headers, sent_by

ANN, BOB = "ann@example.org", "bob@example.com"


def mailbox(*folders_and_senders: tuple[str, str | None], **others: Any) -> pd.DataFrame:
    """Return messages in folders, of an account that has no address for a name."""
    return headers(*[
        {"account": "user", "folder": folder, "from_address": sender, **others}
        for folder, sender in folders_and_senders
    ])  # fmt: skip


# -- my addresses


@pytest.mark.parametrize(
    "folder", [name for name, role in ROLES_BY_NAME.items() if role == "\\Sent"]
)
def test_who_sent_what_lies_in_a_folder_for_sent_mail_is_me(folder: str) -> None:
    frame = mailbox((folder, "Ann@Example.org"), ("INBOX", BOB))
    assert my_addresses(frame) == {ANN}


@pytest.mark.parametrize(
    "folder",
    ["INBOX.Sent", "INBOX/Sent/2024", "[Gmail]/Sent Mail", "SENT", "Personal\\Sent Items"],
)
def test_a_folder_below_another_one_is_known_by_its_level(folder: str) -> None:
    assert my_addresses(mailbox((folder, ANN), ("INBOX", BOB))) == {ANN}


@pytest.mark.parametrize(
    "folder", ["Other Users/bob/Sent", "Shared/Sent", "user.bob.Sent", "Sentences", "Not Sent"]
)
def test_what_others_sent_is_not_mine(folder: str) -> None:
    with pytest.raises(QueryError, match="which addresses are yours"):
        my_addresses(mailbox((folder, BOB)))


def test_gmail_tells_by_its_label() -> None:
    frame = mailbox(("[Gmail]/All Mail", ANN), ("[Gmail]/All Mail", BOB), ("All", None))
    frame["labels"] = pd.Series(["\\Important\n\\Sent", "\\Inbox\nNot\\Sent", None], dtype="str")
    assert lies_in(frame, "\\Sent").tolist() == [True, False, False]
    assert my_addresses(frame) == {ANN}


def test_a_message_put_among_mine_does_not_make_its_sender_me() -> None:
    mine = [("Sent", ANN)] * 40
    redirected = [("Sent", BOB), *[("INBOX", BOB)] * 3]
    assert my_addresses(mailbox(*mine, *redirected)) == {ANN}
    # An address of mine that is seldom used sends from nowhere else.
    assert my_addresses(mailbox(*mine, ("Sent", BOB))) == {ANN, BOB}
    # Nor does it matter that I sort what I sent into other folders.
    assert my_addresses(mailbox(*mine[:5], *[("Projects", ANN)] * 50)) == {ANN}


def test_each_account_has_its_own_sent_mail() -> None:
    one = mailbox(*[("Sent", ANN)] * 40)
    other = mailbox(("Sent", BOB), ("INBOX", BOB), ("INBOX", BOB)).assign(account="other")
    assert my_addresses(mf.concat([one, other])) == {ANN, BOB}


def test_an_account_that_is_an_address_is_mine() -> None:
    frame = sent_by(BOB, account="Ann@Example.org")
    assert my_addresses(frame) == {ANN}
    assert my_addresses(frame.astype({"account": "str"})) == {ANN}


@pytest.mark.parametrize(
    "account",
    ["ann@imap.example.org", "ann@localhost", "ann@127.0.0.1", "ann@mail.example.org",
     "/home/a@b/mail.mbox", "ann"],
)  # fmt: skip
def test_a_user_name_with_its_host_is_no_address(account: str) -> None:
    with pytest.raises(QueryError, match=r'me="you@example\.com"'):
        my_addresses(sent_by(BOB, account=account))


def test_a_user_name_with_its_host_is_one_if_somebody_writes_from_there() -> None:
    frame = sent_by(BOB, "ann@mail.example.org", account="ann@mail.example.org")
    assert my_addresses(frame) == {"ann@mail.example.org"}
    assert my_addresses(sent_by(BOB, account="ann@mailbox.org")) == {"ann@mailbox.org"}


def test_to_whom_mail_was_delivered_is_me() -> None:
    frame = mailbox(*[("INBOX", BOB)] * 200)
    delivered = ["Ann@example.org\nmailing list dev@lists.example", "ann@work.example"] * 99
    frame["delivered_to"] = pd.Series([*delivered, "trap@example.org", None], dtype="str")
    assert my_addresses(frame) == {ANN, "ann@work.example"}


def test_nothing_is_guessed_where_it_is_said() -> None:
    frame = mailbox(("Sent", ANN))
    for me in (BOB.upper(), [BOB], (BOB, f" {BOB}"), pd.DataFrame({"address": [BOB]})):
        assert my_addresses(frame, me) == {BOB}


@pytest.mark.parametrize("me", ["Ann", "", [], "@", [1], 1, ["a@b", None]])
def test_what_is_no_address_is_refused(me: Any) -> None:
    with pytest.raises(QueryError, match=r"me=.*no address"):
        my_addresses(sent_by(ANN), me)


def test_a_frame_of_addresses_needs_that_column() -> None:
    with pytest.raises(QueryError, match="no column 'address'"):
        my_addresses(sent_by(ANN), pd.DataFrame({"name": [ANN]}))


def test_no_messages_are_nobodys() -> None:
    assert my_addresses(headers()) == frozenset()
    assert is_mine(headers()).tolist() == []
    assert directions(headers()).tolist() == []
    assert identities(headers()).empty
    assert people(headers()).empty


# -- what is mine


def test_case_and_tags_make_no_difference() -> None:
    frame = sent_by("Ann+shop@Example.org", ANN, "anna@example.org", None, "")
    for me in (ANN, "ann+lists@example.org"):
        assert is_mine(frame, me).tolist() == [True, True, False, False, False]


def test_order_index_and_dtype_make_no_difference() -> None:
    frame = mailbox(("Sent", ANN), ("INBOX", BOB), ("INBOX", None), ("INBOX", ANN))
    mixed = frame.iloc[[2, 0, 3, 1]].set_axis([1, 1, 0, 0])
    for one in (mixed, mixed.astype({"from_address": "category", "folder": "str"})):
        assert is_mine(one).tolist() == [False, True, True, False]
        assert directions(one).index.tolist() == [1, 1, 0, 0]


def test_tags_are_taken_off() -> None:
    tagged = pd.Series(["a+b@x", "a+b+c@x", "+a@x", "A@X", "a+b", None, "a@x+y"], dtype="str")
    assert untagged(tagged).fillna("").tolist() == [
        "a@x", "a@x", "+a@x", "a@x", "a+b", "", "a@x+y",
    ]  # fmt: skip


def test_what_i_send_to_myself_is_sent_and_a_draft_is_not() -> None:
    frame = headers(
        {"from_address": ANN, "to": ANN},
        {"from_address": ANN, "draft": True},
        {"from_address": BOB, "draft": True},
        {"from_address": None},
    )
    ways = directions(frame, ANN)
    assert ways.tolist() == ["sent", "draft", "received", "received"]
    assert list(ways.cat.categories) == ["received", "sent", "draft"]
    assert directions(frame[["from_address"]], ANN).tolist()[1] == "sent"


def test_the_sender_is_needed() -> None:
    with pytest.raises(QueryError, match="no column 'from_address'"):
        is_mine(pd.DataFrame({"size": [1]}), ANN)


# -- identities


def test_what_tells_of_an_address_is_shown() -> None:
    frame = headers(
        {"folder": "Sent", "from_address": "Ann@Example.org", "from_name": "Ann"},
        {"folder": "Sent", "from_address": ANN, "from_name": "Ann"},
        {"folder": "INBOX", "from_address": "ann+x@example.org", "from_name": None},
        {"folder": "INBOX", "from_address": BOB},
    )
    frame["delivered_to"] = "ann@old.example"
    frame.attrs = {"accounts": ["me@example.com"]}
    table = identities(frame)
    assert table.to_dict("list") == {
        "address": [ANN, "ann+x@example.org", "ann@old.example", "me@example.com"],
        "name": ["Ann", *[pytest.approx(float("nan"), nan_ok=True)] * 3],
        "source": ["sent", "sent", "delivered", "account"],
        "messages": [2, 1, 0, 0],
        "person": [ANN, ANN, "ann@old.example", "me@example.com"],
    }
    assert table.attrs == frame.attrs
    assert is_mine(frame, table).tolist() == [True, True, True, False]
    assert identities(frame, me=BOB)["source"].tolist() == ["given"]
    assert identities(headers()).dtypes.equals(table.dtypes)


def test_nobody_is_nobody() -> None:
    with pytest.raises(QueryError, match="which addresses are yours"):
        identities(sent_by(BOB, account="ann"))


# -- people


def named(*pairs: tuple[str, str | None], **others: Any) -> pd.DataFrame:
    return headers(*[{"from_address": a, "from_name": n, **others} for a, n in pairs])


def proposed(*pairs: tuple[str, str | None], **others: Any) -> dict[str, str]:
    table = people(named(*pairs, **others))
    return dict(zip(table["address"], table["person"], strict=True))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (("a.lee@x.example", "Ann Lee"), ("a.lee@y.example", "Lee, Ann"), "name and local part"),
        (("a.lee@x.example", "Ánn LEE"), ("a.lee@y.example", "'Ann Lee' (HR)"),
         "name and local part"),
        (("a.lee@x.example", "Ann Lee"), ("a.lee+x@y.example", "Ann Lee"), "name and local part"),
        (("ann.lee@x.example", "Ann Lee"), ("alee@x.example", "Ann Lee"), "name and domain"),
        (("a@x.example", None), ("a+lists@x.example", "Ann"), "tag"),
        (("info+a@x.example", None), ("info@x.example", "Info"), "tag"),
        (("a@x.example", "山田 太郎"), ("a@y.example", "山田 太郎"), "name and local part"),
    ],
)  # fmt: skip
def test_addresses_that_share_enough_are_one_persons(
    one: tuple[str, str | None], other: tuple[str, str | None], reason: str
) -> None:
    table = people(named(one, other, (BOB, "Bob Ray")))
    assert set(table["address"]) == {one[0], other[0]}
    assert len(set(table["person"])) == 1
    assert table["reason"].tolist() == [reason, reason]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ann@x.example", "Ann Lee"), ("lee@y.example", "Ann Lee")),  # a namesake
        (("ann@x.example", "Ann"), ("ann@y.example", "Ann")),  # a first name
        (("a@x.example", "A. Lee"), ("a@y.example", "A. Lee")),
        (("a@x.example", None), ("a@y.example", None)),
        (("a@x.example", "Ann Lee"), ("a@y.example", "Al Lee")),
        (("lee1@x.example", "Ann Lee"), ("lee2@x.example", "Ann Lee")),  # at one of the large ones
        (("info@x.example", "Ann Lee"), ("info@y.example", "Ann Lee")),
        (("no-reply@x.example", "Ann Lee"), ("no-reply@y.example", "Ann Lee")),
        (("list+a@x.example", "Ann Lee"), ("list+b@x.example", "Bob Ray")),
        (("ann.lee@x.example", "Ann Lee"), ("ann.lee@xn--frbak-eze.example", "Ann Lee")),
    ],
)
def test_addresses_that_share_less_are_not(one: tuple[str, Any], other: tuple[str, Any]) -> None:
    assert proposed(one, other) == {}


def test_who_writes_junk_alone_is_not_who_he_says() -> None:
    real, false = named(("ann.lee@x.example", "Ann Lee")), named(("ann.lee@y.example", "Ann Lee"))
    assert people(mf.concat([real, false.assign(folder="Junk")])).empty
    assert len(people(mf.concat([real, false, false.assign(folder="Junk")]))) == 2


def test_whom_several_reasons_join_is_one_person() -> None:
    pairs = [
        ("ann.lee@x.example", "Ann Lee"),
        ("ann.lee@y.example", "Ann Lee"),
        ("alee@y.example", "Ann Lee"),
        ("alee+z@y.example", None),
        ("alee+z@y.example", None),
        ("bob.ray@x.example", "Bob Ray"),
    ]
    assert proposed(*pairs) == dict.fromkeys([one for one, _ in pairs[:5]], "alee@y.example")
    table = people(named(*pairs))
    # The one that stands for all comes first: without a tag, though others have more messages.
    assert table["address"].iloc[:2].tolist() == ["alee@y.example", "alee+z@y.example"]
    assert table["reason"].tolist()[0] == "tag, name and domain"


def test_what_was_looked_at_is_joined() -> None:
    frame = named(
        ("a.lee@x.example", "Ann Lee"),
        ("A.Lee@y.example", "Ann Lee"),
        ("a.lee@y.example", "Ann Lee"),
        (BOB, "Bob"),
    )
    proposal = people(frame)
    table = senders(frame, merge=proposal)
    assert table[["address", "messages"]].to_numpy().tolist() == [["a.lee@y.example", 3], [BOB, 1]]
    assert senders(frame, merge=proposal.iloc[:0]).equals(senders(frame))


def test_what_cannot_be_joined_is_refused() -> None:
    frame = named(("a@x.example", None))
    with pytest.raises(QueryError, match="no column 'person'"):
        senders(frame, merge=pd.DataFrame({"address": ["a@x"]}))
    with pytest.raises(QueryError, match="by='domain' counts none"):
        senders(frame, by="domain", merge=people(frame))
    double = pd.DataFrame({"address": ["a@x.example"] * 2, "person": ["b@x", "c@x"]})
    with pytest.raises(QueryError, match=r"'a@x\.example' that it is two persons'"):
        senders(frame, merge=double)


def test_the_frame_is_left_as_it_is() -> None:
    frame = named(("a@x.example", "Ann Lee"), ("a+b@x.example", None), folder="Sent")
    before = frame.copy()
    people(frame)
    identities(frame)
    pd.testing.assert_frame_equal(frame, before)
