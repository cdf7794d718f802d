"""What the tests of signing in share: a clock, a server's answers, what was refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import AuthenticationError
from tests.rigs.oauth import (
    AUTHORIZE,
    TOKEN,
    OAuthRig,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

MARK = "Zk9xQ7w"
ME, YOU = "me@example.com", "you@example.com"


class Clock:
    """Time for everything but the redirect's listener; it passes while something sleeps."""

    def __init__(self) -> None:
        self.now = self.start = time.time()  # the server's clock is the real one
        self.slept: list[float] = []
        self.at_sleep: Callable[[], object] = lambda: None

    def time(self) -> float:
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.at_sleep()


def refused(work: Callable[[], object]) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        work()
    return caught.value


def answering(content: Any, status: int = 200, **headers: str) -> Answer:
    return lambda *_: (content, status, headers)


def document(oauth: OAuthRig, **changes: object) -> dict[str, object]:
    return {
        "issuer": "https://login.example.com/{tenantid}/v2.0",
        "authorization_endpoint": f"{oauth.url}{AUTHORIZE}",
        "token_endpoint": f"{oauth.url}{TOKEN}",
    } | changes
