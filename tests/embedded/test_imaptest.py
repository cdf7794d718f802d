"""imaptest's scripts hold: on Dovecot, which shows that the runner is right, and on ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from mailframe.embedded import Server
from tests.embedded.imaptest import StepError, run_script
from tests.embedded.matching import Bindings, match_reply, read_values
from tests.embedded.scripts import read_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot

# There is no script for IDLE.
MEASURED = {
    "append": ("append", "append-binary", "multiappend"),
    "condstore": ("esearch-condstore",),
    "copy": ("copy",),
    "expunge": ("expunge", "expunge2"),
    "fetch": (
        "fetch",
        "fetch-binary-mime",
        "fetch-binary-mime-base64",
        "fetch-binary-mime-qp",
        "fetch-body",
        "fetch-body-message-rfc822",
        "fetch-body-message-rfc822-mime",
        "fetch-body-message-rfc822-x2",
        "fetch-body-mime",
        "fetch-bodystructure",
        "fetch-envelope",
    ),
    "list": ("list", "listext"),
    "search": (
        "esearch",
        "search-addresses",
        "search-body",
        "search-context-update",
        "search-context-update2",
        "search-context-update3",
        "search-date",
        "search-flags",
        "search-header",
        "search-partial",
        "search-sets",
        "search-size",
    ),
    "store": ("store",),
}
SCRIPTS = (
    *(name for names in MEASURED.values() for name in names),
    *("atoms", "catenate", "catenate-multiappend", "close", "esort", "id", "logout", "move"),
    *("mutf7", "nil", "notify", "pipeline", "pipeline-connections", "select"),
    *("sort-addresses", "sort-arrival", "sort-date", "sort-display-from", "sort-display-to"),
    *("sort-partial", "sort-size", "sort-subject", "subscribe", "thread", "thread2", "thread3"),
    *("thread4", "thread5", "thread6", "thread7", "thread8", "thread-orderedsubject"),
    *("thread-orderedsubject2", "uidplus", "uidvalidity", "uidvalidity-rename"),
    *("urlauth", "urlauth-binary", "urlauth2"),
)
# It has no BINARY and no CONTEXT=SEARCH, and leaves it to its clients to sort and to thread.
UNOFFERED = (
    *("append-binary", "catenate", "esort", "fetch-binary", "notify", "search-context"),
    *("search-partial", "sort", "thread", "urlauth"),
)
# What does not hold, and a part of the reason that the runner gives.
NOT_HELD = {
    "dovecot": {
        # The script's own literal is an octet shorter than the size of 7 that it demands.
        "append-binary": "did not come: 1 fetch (binary.size[1] 7",
        **dict.fromkeys(("sort-partial", "urlauth", "urlauth-binary", "urlauth2"), "not offered"),
    },
    "embedded": {
        **dict.fromkeys((name for name in SCRIPTS if name.startswith(UNOFFERED)), "not offered"),
    },
}
LEAST_SHARE = 0.9


class Outcomes(NamedTuple):
    """What came of every script on one server: why it does not hold, ``""`` if it does."""

    server: str
    reasons: dict[str, str]


def _reason(path: Path, address: tuple[str, int], user: str, password: str) -> str:
    try:
        missing = run_script(read_script(path), address, user, password)
    except StepError as error:
        return str(error)
    return f"not offered: {' '.join(sorted(missing))}" if missing else ""


@pytest.fixture(scope="module", params=NOT_HELD)
def outcomes(request: pytest.FixtureRequest, corpora: Path) -> Outcomes:
    """Run every script, each as a user of its own."""
    address, password = request.getfixturevalue(f"{request.param}_account")
    folder = corpora / "imap" / "imaptest"
    reasons = {
        name: _reason(folder / name, address, f"imaptest-{name}", password) for name in SCRIPTS
    }
    return Outcomes(request.param, reasons)


@pytest.fixture(scope="module")
def dovecot_account(dovecot: Dovecot) -> tuple[tuple[str, int], str]:
    return (dovecot.host, dovecot.port), dovecot.password


@pytest.fixture(scope="module")
def embedded_account() -> Iterator[tuple[tuple[str, int], str]]:
    with Server({f"imaptest-{name}": "secret" for name in SCRIPTS}) as server:
        yield (server.host, server.port), "secret"


def test_every_script_is_run(corpora: Path) -> None:
    files = {path.name for path in (corpora / "imap" / "imaptest").iterdir()}
    assert set(SCRIPTS) == {name for name in files if not name.endswith(".mbox")}
    assert len(set(SCRIPTS)) == len(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_holds(outcomes: Outcomes, name: str) -> None:
    reason = outcomes.reasons[name]
    known = NOT_HELD[outcomes.server].get(name)
    if known is None and reason:
        pytest.fail(reason, pytrace=False)
    assert (known or "") in reason, "it is listed with another reason, or it does hold"


def test_nearly_all_scripts_hold(outcomes: Outcomes, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = outcomes.reasons
    table, held, run = [], 0, 0
    for kind, names in MEASURED.items():
        offered = [name for name in names if not reasons[name].startswith("not offered")]
        holding = [name for name in offered if not reasons[name]]
        left_out = len(names) - len(offered)
        table.append(f"{kind:9} {len(holding):2} of {len(offered):2}, {left_out} not offered")
        held, run = held + len(holding), run + len(offered)
    table.append(f"together  {held} of {run}")
    with capsys.disabled():
        print(f"\n{outcomes.server}", *table, sep="\n")  # noqa: T201 - the table is the point
    assert held >= LEAST_SHARE * run


# The runner itself.


def fits(expected: str, actual: str, **names: str) -> Bindings | None:
    return match_reply(read_values([expected]), read_values([actual]), Bindings(names))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("1 fetch (flags (\\seen) uid 5)", "1 FETCH (UID 5 FLAGS (\\Recent \\Seen))"),
        ("1 fetch (uid 5)", "1 FETCH (UID 5 MODSEQ (3))"),
        ("1 fetch (uid $ envelope $)", '1 FETCH (UID 5 ENVELOPE (NIL "a"))'),
        ("1 fetch (envelope ($!unordered))", "1 FETCH (ENVELOPE (a b))"),
        ("1 fetch (body[header.fields (to)] x)", '1 FETCH (BODY[HEADER.FIELDS ("To")] "x")'),
        ("1 fetch (body[]<0> x)", "1 FETCH (BODY[]<0> x)"),
        ("list (\\subscribed) / a", 'LIST (\\HasNoChildren \\Subscribed) "/" "a"'),
        ("list ($!unordered $!ban=\\noselect \\a) / a", "LIST (\\b \\a) / a"),
        ("status a (unseen 1)", 'STATUS "a" (MESSAGES 2 UNSEEN 1)'),
        ("ok [uidnext 4]", "OK [UIDNEXT 4] the (next one"),
        ("bye", "BYE until then"),
        ("search", "SEARCH"),
        ("list () / NIL", "LIST () / NIL"),
    ],
)
def test_a_reply_that_fits(expected: str, actual: str) -> None:
    assert fits(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("1 fetch (flags (\\seen))", "1 FETCH (FLAGS (\\Seen \\Flagged))"),
        ("1 fetch (flags (\\recent))", "1 FETCH (FLAGS ())"),
        ("1 fetch (uid 5)", "2 FETCH (UID 5)"),
        ("1 fetch (uid 5)", "1 FETCH (UID 6)"),
        ("1 fetch (envelope (a b))", "1 FETCH (ENVELOPE (b a))"),
        ("1 fetch (body (a (b)))", "1 FETCH (BODY (a b))"),
        ("list () / a", "LIST () / a (CHILDINFO (SUBSCRIBED))"),
        ("list ($!unordered $!ban=\\noselect) / a", "LIST (\\Noselect) / a"),
        ("list ($!unordered $!noextra a) / a", "LIST (a b) / a"),
        ("status a (unseen 1)", "STATUS a (MESSAGES 1 UNSEEN 2)"),
        ("ok [uidnext 4]", "OK [UIDNEXT 5] text"),
        ("ok [uidnext 4]", "OK text"),
        ("search", "SEARCH 1"),
        ("search 1 2", "SEARCH 2 1"),
        ("list () / NIL", 'LIST () / "NIL"'),
        ("list () / x.y", "LIST () / xay"),
    ],
)
def test_a_reply_that_does_not_fit(expected: str, actual: str) -> None:
    assert not fits(expected, actual)


def test_a_variable_gets_its_value_once() -> None:
    learnt = fits("1 fetch (uid $uid body[] $body)", '1 FETCH (BODY[] "a b" UID 7)')
    assert learnt
    assert learnt.names == {"uid": "7", "body": "a b"}
    assert learnt.substitute("${uid}1:$uid $$body") == "71:7 $body"
    assert not fits("1 fetch (uid $uid)", "1 FETCH (UID 8)", uid="7")
    more = fits("x ${uid}:$other", "x 7:9", uid="7")
    assert more
    assert more.names["other"] == "9"


def test_a_number_is_followed_through_expunges() -> None:
    bindings = Bindings({})
    for expunged in (1, 2, 2):  # the first, the third and the fourth
        bindings.note_expunge(expunged)
    assert [bindings.value(str(number)) for number in range(1, 7)] == ["", "1", "", "", "2", "3"]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("no noop", "answered ok, not no"),
        ("ok fetch 1 uid\n* 1 fetch (uid 9)", "did not come: 1 fetch (uid 9)"),
        ("ok fetch 1 uid\n! 1 fetch (uid $)", "must not come: 1 fetch (uid $)"),
        ("status nowhere (messages)\nno [trycreate]", "another response code"),
        ("ok fetch $uid flags", "no reply gave $uid a value"),
        ("ok logout\n\nok noop", "line 5"),
        ("ok append nowhere", "answered no, not ok"),
    ],
)
def test_a_script_that_is_wrong_does_not_hold(
    dovecot: Dovecot, user: str, tmp_path: Path, steps: str, reason: str
) -> None:
    script = tmp_path / "wrong"
    script.write_text(f"messages: 1\n\n{steps}\n")
    (tmp_path / "default.mbox").write_text("From a@b  Fri Feb 22 17:06:23 2008\nTo: c\n\nd\n")
    with pytest.raises(StepError, match=re.escape(reason)):
        run_script(read_script(script), (dovecot.host, dovecot.port), user, dovecot.password)
