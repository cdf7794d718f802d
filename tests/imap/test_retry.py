"""How long is waited before something is tried again, and how often it is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import (
    AuthenticationError,
    CertificateError,
    ConnectionFailedError,
    ServerTimeoutError,
)
from mailframe.imap.failures import LOST, UNREACHED
from mailframe.imap.retry import NEVER, Attempts, Retry, persistently, suggested_pause
from tests.faults.reading import Clock

if TYPE_CHECKING:
    from mailframe.exceptions import MailframeError


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waited(clock: Clock, attempts: Attempts, most: int = 100) -> list[float]:
    """Wait before each attempt, all of which come to nothing."""
    pauses = []
    for pause in islice(attempts.pauses(), most):
        clock.now += pause
        pauses.append(pause)
    return pauses


# -- what a server says


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("BAD Request is throttled. Suggested Backoff Time: 299923 milliseconds", 299.923),
        ("NO Suggested Backoff Time: 500 msec", 0.5),
        ("NO Backoff Time: 1,500 milliseconds", 1.5),
        ("NO back-off: 1,234,567 ms", 1234.567),
        ("NO [THROTTLED] try again in 30 seconds", 30),
        ("NO try again in 30 sec.", 30),
        ("NO try again in 30s", 30),
        ("NO [THROTTLED] TRY AGAIN IN 1 SECOND", 1),
        ("NO [THROTTLED] try again in 1 hour", 3600),
        ("NO try again in 2 hours", 7200),
        ("NO try again in 2 hrs", 7200),
        ("NO try again in 15 minutes", 900),
        ("NO wait for 10 mins", 600),
        ("NO [LIMIT] wait 3m", 180),
        ("NO retry in 1.5 minutes", 90),
        ("NO Retry-After: 30", 30),
        ("NO retry after 30", 30),
        ("OK [THROTTLED 7] Success", 7),
        ("OK [throttled 7] success", 7),
        ("NO [THROTTLED] slow down", None),
        ("NO try again later", None),
        ("NO please wait a few minutes (10)", None),
        ("NO try again in 2 fortnights", None),
        ("NO mailbox has 30 seconds of video", None),
        ("", None),
    ],
)
def test_the_pause_that_a_server_asks_for_is_read_with_its_unit(
    said: str, seconds: float | None
) -> None:
    assert suggested_pause(said) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("number", ["9" * 100_000, "1" + ",111" * 100_000, "1,111" * 100_000])
def test_a_number_of_any_length_is_survived(number: str) -> None:
    assert Attempts(Retry()).relief(f"NO wait {number} seconds") is None


# -- what a retry may be


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), None, "60", True, [60]])
def test_what_is_no_time_to_reconnect_is_refused(seconds: object) -> None:
    with pytest.raises(ConnectionFailedError, match=r"reconnect=.* is no number of seconds"):
        Retry(seconds=seconds)  # type: ignore[arg-type] # as a user may write it


@pytest.mark.parametrize("seconds", [0, 0.5, 60, float("inf")])
def test_any_time_may_be_allowed_to_reconnect(seconds: float) -> None:
    assert Retry(seconds=seconds).seconds == seconds


# -- a connection that is lost


def test_the_first_attempt_comes_at_once_and_the_others_ever_later(clock: Clock) -> None:
    assert waited(clock, Attempts(clock.retry(600)))[:9] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("limit", [1, 60, 600])
def test_the_pauses_of_one_loss_use_up_the_time_and_no_more(clock: Clock, limit: float) -> None:
    assert sum(waited(clock, Attempts(clock.retry(limit)))) == limit


def test_who_wants_no_second_attempt_gets_none() -> None:
    assert list(Attempts(NEVER).pauses()) == []


def test_the_time_goes_on_while_one_loss_follows_another(clock: Clock) -> None:
    attempts = Attempts(clock.retry(60))
    start = clock.now
    first = []
    while pauses := waited(clock, attempts, 1):  # connected again, and lost again
        first += pauses
        clock.now += 10
    assert clock.now - start <= 60 + 10
    assert first[0] == 0
    # A server that lets in and hangs up is not run against.
    assert min(first[1:]) >= 0.5


def test_what_was_done_begins_the_time_anew(clock: Clock) -> None:
    attempts = Attempts(clock.retry(60))
    assert waited(clock, attempts)
    assert not waited(clock, attempts)
    attempts.renew()
    assert sum(waited(clock, attempts)) == 60


def test_half_of_a_pause_is_chance() -> None:
    pauses = {
        chance: list(islice(Attempts(Retry(random=lambda: chance)).pauses(), 4))  # noqa: B023
        for chance in (0.0, 1.0)
    }
    assert pauses[1.0] == [0, 0.5, 1, 2]
    assert [0 <= one <= most for one, most in zip(pauses[0.0], pauses[1.0], strict=True)]
    assert pauses[0.0][1] == 0.25


# -- a server that wants fewer requests


@pytest.mark.parametrize(
    ("said", "pauses"),
    [
        ("NO [THROTTLED] try again in 1 second", [1] * 300),
        ("NO [THROTTLED] try again in 299 seconds", [299]),
        ("NO [THROTTLED] try again in 5 minutes", [300]),
        ("NO [THROTTLED] try again in 1 hour", []),
        ("NO [THROTTLED] slow down", [5, 10, 20, 40, 80]),
    ],
)
def test_a_server_is_left_alone_for_as_long_as_it_may_be_and_no_longer(
    clock: Clock, said: str, pauses: list[float]
) -> None:
    attempts = Attempts(clock.retry(throttled=300))
    found = []
    while (pause := attempts.relief(said)) is not None:
        found.append(pause)
    assert found == pauses


def test_a_server_that_relents_may_plead_again(clock: Clock) -> None:
    attempts = Attempts(clock.retry(throttled=300))
    assert attempts.relief("NO wait 299 seconds") == 299
    attempts.renew()
    assert attempts.relief("NO wait 299 seconds") == 299
    attempts.renew()
    assert attempts.relief("NO [THROTTLED]") == 5


def test_a_plea_is_no_reason_to_wait_for_who_wants_no_second_attempt() -> None:
    assert Attempts(NEVER).relief("NO [THROTTLED] try again in 1 second") is None


def test_pleas_without_number_make_no_number_too_large(clock: Clock) -> None:
    attempts = Attempts(clock.retry())
    assert max(attempts.respite("OK [THROTTLED]") for _ in range(5000)) < 1e8


# -- a first connection


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ConnectionFailedError("It broke.", code=LOST), 3),
        (ServerTimeoutError("It fell silent."), 3),
        (ServerTimeoutError("Nobody answered.", code=UNREACHED), 1),
        (ConnectionFailedError("Refused."), 1),
        (CertificateError("Not trusted."), 1),
        (AuthenticationError("Wrong."), 1),
    ],
    ids=lambda one: getattr(one, "tried", one),
)
def test_a_first_connection_is_tried_again_only_where_the_line_broke(
    clock: Clock, error: MailframeError, tries: int
) -> None:
    tried = []

    def connect() -> None:
        tried.append(clock.now)
        raise error

    with pytest.raises(type(error)) as caught:
        persistently(connect, clock.retry())
    assert caught.value is error
    assert len(tried) == tries
    assert clock.slept == [0.5, 1][: tries - 1]


def test_a_first_connection_that_comes_about_at_last_is_one(clock: Clock) -> None:
    left = [ConnectionFailedError("It broke.", code=LOST)]

    def connect() -> str:
        for error in left:
            left.clear()
            raise error
        return "connected"

    assert persistently(connect, clock.retry()) == "connected"
    assert clock.slept == [0.5]
