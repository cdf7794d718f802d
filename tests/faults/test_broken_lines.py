"""Whatever the line does, a frame has the rows that it has on a quiet day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.conftest import KINDS
from tests.faults.reading import STALLED, TIMEOUT, assert_same, read_all
from tests.faults.streams import described
from tests.rigs.proxy import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.session import Session
    from tests.faults.conftest import Reference
    from tests.faults.reading import Clock
    from tests.rigs.proxy import FaultProxy

    Through = Callable[..., FaultProxy]
    SignIn = Callable[..., Session]

#: Bytes that may come again: a login, and the message that was on its way.
AGAIN = 20_000


def patience(kind: str) -> float:
    return STALLED if kind == "stall" else TIMEOUT


def test_a_broken_connection_loses_no_row(
    through: Through, session: SignIn, reference: Reference, kind: Any, number: int
) -> None:
    place = reference.places[number]
    proxy = through(Fault(kind, place))
    try:
        assert_same(read_all(session(proxy, timeout=patience(kind))), reference.frames)
    except BaseException as error:
        error.add_note(f"{kind} at {described(reference.said, place)}")
        raise
    assert proxy.lines[0].broken == kind
    # On a busy machine 0.3 seconds may pass without anything being wrong.
    assert len(proxy.lines) == 2 or kind == "stall"
    assert proxy.total("S") < len(reference.said) + AGAIN * (len(proxy.lines) - 1)


@pytest.mark.parametrize(("kind", "tenth"), [*zip(KINDS * 3, range(1, 10), strict=True)])
def test_a_connection_broken_within_a_command_loses_no_row(
    through: Through, session: SignIn, reference: Reference, kind: Any, tenth: int
) -> None:
    place = len(reference.asked) * tenth // 10
    proxy = through(Fault(kind, place, direction="C"))
    assert_same(read_all(session(proxy, timeout=patience(kind))), reference.frames)
    assert proxy.lines[0].broken == kind


def test_a_connection_that_never_lasts_gets_there_in_the_end(
    through: Through, session: SignIn, reference: Reference
) -> None:
    each = 100_000
    proxy = through(*(Fault("cut", each, connection=number) for number in range(1, 200)))
    assert_same(read_all(session(proxy)), reference.frames)
    assert len(proxy.lines) >= len(reference.said) // each
    assert len(proxy.lines) <= len(reference.said) // (each - AGAIN) + 1


def test_faults_while_connecting_again_are_survived(
    through: Through, session: SignIn, reference: Reference, clock: Clock
) -> None:
    opening = reference.said.index(b" FETCH (")
    places = [0, 40, *range(100, opening, 700)]
    faults = [Fault(KINDS[n % 3], place, connection=n + 2) for n, place in enumerate(places)]
    proxy = through(Fault("reset", len(reference.said) // 3), *faults)
    assert_same(read_all(session(proxy, timeout=STALLED)), reference.frames)
    assert [line.broken for line in proxy.lines[1:-1]] == [fault.kind for fault in faults]
    assert clock.slept == sorted(clock.slept)


def test_a_slow_line_in_small_pieces_is_like_any_other(
    through: Through, session: SignIn, reference: Reference
) -> None:
    assert_same(read_all(session(through(pieces=1499))), reference.frames)
