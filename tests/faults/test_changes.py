"""Two clients change one account as they like: it is always as a simple model says."""

from __future__ import annotations

import functools
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from mailframe.exceptions import FolderError
from mailframe.imap import IMAPClient
from tests.conftest import missing
from tests.faults.model import DELETED, NONE, Folder, Message, Model, Result, Want
from tests.faults.reading import Clock
from tests.faults.writing import (
    CAPABILITIES,
    apply,
    contents,
    plain_client,
    sign_in,
    subjects,
)
from tests.rigs import messages
from tests.rigs.dovecot import SPECIAL_USE, Dovecot, dovecot_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailframe.plan import Outcome, Plan
    from tests.faults.model import Intent

#: Names of messages; the same ones are the same, byte by byte.
LETTERS = {f"Message {number}": messages.plain(number) for number in range(1, 6)}
DELIVERED = ["Message 1", "Message 2", "Message 2", "Message 3", "Message 4", "Message 4"]
FLAGS = [NONE, frozenset({"\\Seen"}), frozenset({"\\Flagged", "project-x"}), DELETED]
#: Folders that come and go.
OTHERS = ["One", "Two", "Three"]
FOLDERS = ["INBOX", "Archive", "Trash", *OTHERS]

whos = st.integers(0, 1)
folders = st.sampled_from(["INBOX", "INBOX", "Archive", *FOLDERS])
#: Which of the messages that there have ever been in a folder.
masks = st.integers(1, 255)
names = st.lists(st.sampled_from(sorted(LETTERS)), min_size=1, max_size=3)
flags = st.sampled_from(FLAGS)


@dataclass
class Job:
    """A plan, the model's, and what came of it when it was applied last."""

    plan: Plan
    intent: Intent
    outcome: Outcome | None = None
    results: list[Result] = field(default_factory=list)


class Clients(RuleBasedStateMachine):
    """Two sessions and a plain client on one account, and the model of it."""

    jobs: Bundle[Job] = Bundle("jobs")

    def __init__(self, dovecot: Dovecot, kind: str) -> None:
        super().__init__()
        self.dovecot = dovecot
        self.user = dovecot.new_user()
        self.model = Model(kind, ["INBOX", *SPECIAL_USE])
        self.validities: dict[Folder, int] = {}
        self.stack = ExitStack()
        retry = Clock().retry()
        self.sessions = [
            self.stack.enter_context(sign_in(dovecot, self.user, dovecot.password, retry))
            for _ in range(2)
        ]
        self.client = self.stack.enter_context(IMAPClient(readonly=False))
        self.client.connect(dovecot.host, dovecot.tls_port, ssl_context=dovecot.ssl_context)
        self.client.authenticate(self.user, dovecot.password)
        self.plain = plain_client(dovecot, self.user)
        self.stack.callback(self.plain.logout)

    @initialize()
    def deliver(self) -> None:
        delivered = [(LETTERS[name], FLAGS[n % 3], None) for n, name in enumerate(DELIVERED)]
        self.dovecot.deliver(self.user, delivered)
        for n, name in enumerate(DELIVERED):
            self.model.folders["INBOX"].put(Message(name, FLAGS[n % 3]))

    @rule(
        target=jobs,
        who=whos,
        several=st.lists(folders, min_size=1, max_size=2, unique=True),
        mask=masks,
        verb=st.sampled_from(["move", "move", "copy", "trash", "delete"]),
        to=folders,
        now=st.booleans(),
    )
    def plan(
        self,
        who: int,
        several: Sequence[str],
        mask: int,
        verb: str,
        to: str,
        now: bool,  # noqa: FBT001 drawn
    ) -> Any:
        rows = self._rows(several, mask)
        if not rows:
            return multiple()
        session, frame = self.sessions[who], self._frame(rows)
        if verb == "trash":
            plan, to, verb = session.delete(frame), "Trash", "move"
        elif verb == "delete":
            plan, to = session.delete(frame, permanently=True), ""
        else:
            plan = getattr(session, verb)(frame, to, create=True)
        create = "" if to in {"", *self.model.folders} else to
        wants = [row._replace(verb=verb, target=to) for row in rows]
        job = self._planned(plan, self.model.draft(wants, create))
        if now:
            self._apply(who, job)
        return job

    @rule(target=jobs, who=whos, folder=folders, mask=masks, add=flags, remove=flags)
    def plan_flags(
        self, who: int, folder: str, mask: int, add: frozenset[str], remove: frozenset[str]
    ) -> Any:
        rows = self._rows([folder], mask)
        remove = remove - add
        if not rows or not add | remove:
            return multiple()
        session, frame = self.sessions[who], self._frame(rows)
        plan = (
            session.mark(frame, deleted=bool(add))
            if add | remove == DELETED
            else session.keyword(frame, add=sorted(add), remove=sorted(remove))
        )
        wants = [row._replace(verb="flags", add=add, remove=remove) for row in rows]
        return self._planned(plan, self.model.draft(wants))

    @rule(target=jobs, who=whos, names=names, to=folders, flags=flags)
    def plan_append(self, who: int, names: list[str], to: str, flags: frozenset[str]) -> Any:
        letters = [LETTERS[name] for name in names]
        plan = self.sessions[who].append(letters, to, flags=sorted(flags), create=True)
        inbox = self.model.folders["INBOX"]  # of no account here: it is always there
        wants = [
            Want("INBOX", inbox, place, "append", flags, target=to, letter=Message(name, flags))
            for place, name in enumerate(names)
        ]
        return self._planned(plan, self.model.draft(wants, "" if to in self.model.folders else to))

    @rule(who=whos, job=jobs)
    def apply(self, who: int, job: Job) -> None:
        self._apply(who, job)

    @rule(who=whos, job=jobs)
    def apply_again(self, who: int, job: Job) -> None:
        if job.outcome is not None:
            self._apply(who, job)

    @rule(target=jobs, who=whos, job=jobs, now=st.booleans())
    def undo(self, who: int, job: Job, now: bool) -> Any:  # noqa: FBT001 drawn
        verbs = {deed.want.verb for deed in job.intent.deeds}
        if job.outcome is None or not verbs <= {"move", "flags"}:
            return multiple()
        try:
            expected = self.model.undo(job.intent, job.results)
        except LookupError:
            with pytest.raises(FolderError):
                self.sessions[who].undo(job.outcome)
            return multiple()
        undoing = self._planned(self.sessions[who].undo(job.outcome), expected)
        if now:
            self._apply(who, undoing)
        return undoing

    @rule(folder=folders, mask=masks, verb=st.sampled_from(["move", "copy", "flags"]), to=folders)
    def at_once(self, folder: str, mask: int, verb: str, to: str) -> None:
        rows = self._rows([folder], mask)
        if not rows or folder == to or to not in self.model.folders:
            return
        self.client.select_folder(folder)
        uids = [row.uid for row in rows]
        flag = FLAGS[1]
        done = (
            self.client.set_flags(uids, add=sorted(flag))
            if verb == "flags"
            else getattr(self.client, verb)(uids, to)
        )
        wants = [
            row._replace(verb=verb, add=flag if verb == "flags" else NONE, target=to)
            for row in rows
        ]
        if verb == "flags":
            wants = [want._replace(target="") for want in wants]
        expected = self.model.apply(self.model.draft(wants))
        assert [one.status for one in done] == [one.status for one in expected]

    @rule(names=names, to=folders)
    def append_at_once(self, names: list[str], to: str) -> None:
        if to in self.model.folders:
            for name in names:
                uid = self.model.folders[to].put(Message(name, NONE))
                assert self.client.append(LETTERS[name], to).new_uid == uid

    @rule(who=whos, folder=st.sampled_from(OTHERS), to=st.sampled_from(OTHERS))
    def arrange(self, who: int, folder: str, to: str) -> None:
        session, there = self.sessions[who], self.model.folders
        if folder not in there:
            session.create_folder(folder)
            there[folder] = Folder()
        elif to in there:
            with pytest.raises(FolderError):
                session.rename_folder(folder, to)
        else:
            session.rename_folder(folder, to)
            there[to] = there.pop(folder)

    def teardown(self) -> None:
        try:
            found = contents(self.dovecot, self.user)
            assert found.keys() == self.model.folders.keys()
            for name, box in self.model.folders.items():
                seen = {one.uid: Message(one.subject, one.flags) for one in found[name]}
                assert seen == box.messages, name
        finally:
            self.stack.close()

    def _rows(self, several: Sequence[str], mask: int) -> list[Want]:
        found = []
        for name in several:
            box = self.model.folders.get(name)
            if box is not None:
                uids = [uid for uid in range(1, box.uidnext) if mask >> (uid - 1) % 8 & 1]
                found += [Want(name, box, uid, "") for uid in uids]
        return found

    def _frame(self, rows: list[Want]) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "account": self.sessions[0].account,
                "folder": [row.folder for row in rows],
                "uidvalidity": [self._validity(row) for row in rows],
                "uid": [row.uid for row in rows],
            }
        )

    def _validity(self, row: Want) -> int:
        if row.box not in self.validities:
            line = self.plain.status(row.folder, "(UIDVALIDITY)")[1][0]
            self.validities[row.box] = int(line.rpartition(b" ")[2].strip(b")"))
        return self.validities[row.box]

    def _planned(self, plan: Plan, intent: Intent) -> Job:
        states = [(one.state, one.action) for one in plan.entries]
        assert states == [(one.state, one.deed) for one in intent.entries]
        return Job(plan, intent)

    def _apply(self, who: int, job: Job) -> None:
        before = self.model.live()
        job.results = self.model.apply(job.intent, who)
        job.outcome = apply(self.sessions[who], job.plan)
        fates = [one.result for one in job.outcome.fates]
        assert [one.status for one in fates] == [one.status for one in job.results]
        assert [one.new_uid for one in fates] == [one.new_uid for one in job.results]
        if {deed.want.verb for deed in job.intent.deeds} == {"move"}:
            after = self.model.live()
            # Nothing is lost by moving, and nothing doubled, whatever has been done before.
            assert after.keys() == before.keys()
            assert after <= before


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[str], Dovecot]]:
    """Return a function that starts a server that can do some things."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with ExitStack() as stack:
        yield functools.cache(
            lambda kind: stack.enter_context(Dovecot(capability=CAPABILITIES[kind]))
        )


@pytest.mark.parametrize("kind", CAPABILITIES)
def test_two_clients_and_a_model_end_with_the_same_mail(
    server: Callable[[str], Dovecot],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,  # noqa: FBT001 a fixture
) -> None:
    if kind == "neither":  # Dovecot says COPYUID all the same
        monkeypatch.setattr("mailframe.imap.transfer._codes", lambda *_: iter(()))
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis has it so
        lambda: Clients(server(kind), kind),
        settings=settings(
            max_examples=300 if full else 25,
            stateful_step_count=40 if full else 25,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def account(
    server: Callable[[str], Dovecot], kind: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clients]:
    """Return two sessions on one account, with two messages that are the same among others."""
    if kind == "neither":
        monkeypatch.setattr("mailframe.imap.transfer._codes", lambda *_: iter(()))
    clients = Clients(server(kind), kind)
    clients.deliver()
    with clients.stack:
        yield clients


@pytest.mark.parametrize("kind", CAPABILITIES)
def test_what_was_taken_back_and_is_done_again_is_not_lost(account: Clients) -> None:
    one, other = account.sessions
    plan = one.move(one.search(), "Archive")
    outcome = apply(one, plan)
    apply(one, outcome.undo())
    before = subjects(contents(account.dovecot, account.user))
    again = apply(other, plan)
    assert again.counts["done"] == 0
    assert subjects(contents(account.dovecot, account.user)) == before
    assert before == {"INBOX": Counter(DELIVERED)}


@pytest.mark.parametrize("kind", CAPABILITIES)
def test_of_two_that_are_the_same_each_is_copied_once(account: Clients) -> None:
    one, other = account.sessions
    rows = one.search()
    plan = one.copy(rows, "Archive")
    other.mark(rows.sort_values("uid").iloc[[1]], deleted=True, apply=True)
    account.plain.select("INBOX")
    account.plain.expunge()  # the first one of two
    for session in (one, other, one):
        counts = apply(session, plan).counts
        assert counts == {"done": len(DELIVERED) - 1, "gone": 1, "failed": 0, "unknown": 0}
    found = subjects(contents(account.dovecot, account.user))
    assert found["Archive"] == Counter(DELIVERED) - Counter(["Message 2"])


@pytest.mark.parametrize("kind", CAPABILITIES)
def test_a_folder_that_has_gone_keeps_no_other_from_being_dealt_with(account: Clients) -> None:
    one, other = account.sessions
    one.create_folder("One")
    one.append(LETTERS["Message 5"], "One", apply=True)
    rows = pd.concat([one.search(folder="One"), one.search()])
    plan = one.move(rows, "Archive")
    other.append(LETTERS["Message 5"], "Archive", apply=True)  # there is something to look at
    other.rename_folder("One", "Two")
    outcome = apply(one, plan)
    assert outcome.counts == {"done": len(DELIVERED), "gone": 0, "failed": 1, "unknown": 0}
    found = subjects(contents(account.dovecot, account.user))
    assert found == {"Two": {"Message 5": 1}, "Archive": Counter([*DELIVERED, "Message 5"])}
