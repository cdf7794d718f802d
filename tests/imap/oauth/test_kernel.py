"""Signing in from a notebook's kernel on a computer without a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CHECKOUT, require
from tests.imap.oauth.signing import ME
from tests.rigs.oauth import WARNINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.oauth import OAuthRig

pytestmark = pytest.mark.filterwarnings(WARNINGS)

SECONDS = 60
# Between polls no time passes, so that the test need not wait.
CODE = """
import time, types
import mailframe.imap.oauth.flows as flows
flows.time = types.SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic)
from mailframe.imap.oauth import OAuth2Authenticator
authenticator = OAuth2Authenticator({client!r}, discovery_url={url!r}, flow={flow!r})
print("token:", authenticator.token({user!r}))
"""


@pytest.fixture
def kernel() -> Iterator[Any]:
    """Return a client of a kernel that has no display."""
    require("ipykernel", "ipykernel")
    manager = require("jupyter_client.manager", "jupyter-client")
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    environ |= {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
    km, kc = manager.start_new_kernel(startup_timeout=SECONDS, env=environ, cwd=str(CHECKOUT))
    yield kc
    kc.stop_channels()
    km.shutdown_kernel(now=True)


def run(
    kernel: Any,
    oauth: OAuthRig,
    flow: str | None,
    hear: Callable[[str], None] = lambda _: None,
    answer: Callable[[str], str] | None = None,
) -> str:
    """Run a sign-in; return all that was shown. ``hear`` and ``answer`` see it as it comes."""
    shown = ""

    def output(message: dict[str, Any]) -> None:
        nonlocal shown
        content = message["content"]
        shown += content.get("text", "") + "\n".join(content.get("traceback", []))
        hear(shown)

    def stdin(message: dict[str, Any]) -> None:
        assert message["content"]["password"]  # what is typed is not shown, nor saved
        while answer and "http" not in shown:  # what was shown may come after the question
            output(kernel.get_iopub_msg(timeout=SECONDS))
        kernel.input(answer(shown) if answer else "")

    code = CODE.format(client=oauth.client_id, url=oauth.url, flow=flow, user=ME)
    reply = kernel.execute_interactive(
        code, timeout=SECONDS, output_hook=output, stdin_hook=stdin, allow_stdin=True
    )
    assert reply["content"]["status"] == "ok", shown
    return shown


def test_a_kernel_without_a_browser_shows_a_code_for_another_device(
    kernel: Any, oauth: OAuthRig
) -> None:
    def consent(shown: str) -> None:
        for device in list(oauth.devices.values()):
            if device.user_code in shown:
                device.user = ME

    shown = run(kernel, oauth, None, hear=consent)
    assert oauth.knows(shown.partition("token: ")[2].strip())


def test_a_kernel_without_a_browser_takes_a_pasted_address(kernel: Any, oauth: OAuthRig) -> None:
    browser = oauth.browser(ME)

    def paste(shown: str) -> str:
        return browser.consent(next(one for one in shown.splitlines() if one.startswith("http")))

    shown = run(kernel, oauth, "paste", answer=paste)
    assert oauth.knows(shown.partition("token: ")[2].strip())
    assert oauth.requests[-1][1]["code"] not in shown
