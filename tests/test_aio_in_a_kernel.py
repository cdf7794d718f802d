"""The asynchronous session where it is used most: in the cells of a notebook, in a real kernel."""

from __future__ import annotations

import os
import time
from queue import Empty
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.conftest import CHECKOUT, require
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

require("ipykernel", "ipykernel")
client = require("jupyter_client", "jupyter_client")

#: Seconds against waiting for ever.
LONGEST = 60
COUNT = 30
ADVICE = "leave asyncio.run out, and write for example  df = await session.headers()\n"

# Jupyter's own: its sockets are closed by the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Output(NamedTuple):
    """What a cell has shown."""

    stdout: str
    stderr: str
    error: str
    traceback: str
    shown: list[str]


class Kernel:
    """A kernel, and somebody before it."""

    def __init__(self, folder: Path) -> None:
        own = {"PYTHONPATH": str(CHECKOUT), "IPYTHONDIR": str(folder)}
        runtime = {"JUPYTER_RUNTIME_DIR": str(folder), "NETRC": os.devnull}
        self._manager = client.KernelManager(kernel_name="python3")
        self._manager.start_kernel(env={**os.environ, **own, **runtime})
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(LONGEST)
        self.asked: list[dict[str, Any]] = []

    def run(self, code: str, *, answer: str = "", at: str = "") -> Output:
        """Run a cell; interrupt it when it prints, or asks, what is waited for ``at``."""
        request = self._client.execute(code, allow_stdin=True)
        texts = {"stdout": "", "stderr": ""}
        error = ("", "")
        shown: list[str] = []
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            self._hear(answer, at)
            try:
                message = self._client.get_iopub_msg(timeout=0.05)
            except Empty:
                continue
            assert message["parent_header"].get("msg_id") == request, message
            content = message["content"]
            match message["header"]["msg_type"]:
                case "stream":
                    texts[content["name"]] += content["text"]
                    if at and at in content["text"]:
                        self.interrupt()
                case "error":
                    error = content["ename"], "\n".join(content["traceback"])
                case "execute_result" | "display_data":
                    shown += content["data"]
                case "status" if content["execution_state"] == "idle":
                    self._client.get_shell_msg(timeout=LONGEST)
                    return Output(texts["stdout"], texts["stderr"], *error, shown)
        pytest.fail(f"the cell does not end: {code}")

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def stop(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def _hear(self, answer: str, at: str) -> None:
        try:
            question = self._client.get_stdin_msg(timeout=0)["content"]
        except Empty:
            return
        self.asked.append(question)
        if at and at in question["prompt"]:
            self.interrupt()
        else:
            self._client.input(answer)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    try:
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture(scope="module")
def call(dovecot: Dovecot) -> str:
    """Return the call that opens a session on a mailbox of thirty messages."""
    user = dovecot.new_user()
    dovecot.deliver(user, messages.many(COUNT))
    return (
        f'mf.connect_async("{dovecot.host}", "{user}", password="{dovecot.password}", '
        f'port={dovecot.port}, security="none")'
    )


@pytest.fixture
def kernel(running: Kernel, call: str) -> Kernel:
    """Return a kernel with an open session."""
    begun = running.run(
        f"import asyncio, threading\nimport mailframe as mf\nsession = await {call}"
    )
    assert not begun.error, begun
    running.asked.clear()
    return running


def test_a_cell_may_wait(kernel: Kernel) -> None:
    said = kernel.run("df = await session.headers()\nprint(len(df))\ndf")
    assert said.stdout == f"{COUNT}\n"
    assert "text/html" in said.shown
    both = (
        "a, b = await asyncio.gather(session.count(), session.headers(limit=3))\nprint(a, len(b))"
    )
    assert kernel.run(both).stdout == f"{COUNT} 3\n"


def test_a_cell_may_loop(kernel: Kernel) -> None:
    said = kernel.run("async for frame in session.stream(batch=20):\n    print(len(frame))")
    assert said.stdout == "20\n10\n"
    said = kernel.run("async for frame in session.watch(duration=0.01):\n    print(len(frame))")
    assert (said.stdout, said.error) == ("", "")


def test_a_progress_bar_shows(kernel: Kernel) -> None:
    assert "application/vnd.jupyter.widget-view+json" in (
        kernel.run("len(await session.headers(progress=True))").shown
    )


@pytest.mark.parametrize(
    "mistake",
    [
        "asyncio.run(session.headers())",
        "asyncio.run({call})",
        "asyncio.get_running_loop().run_until_complete(session.headers())",
    ],
)
def test_asyncio_run_is_answered_by_what_to_write(kernel: Kernel, call: str, mistake: str) -> None:
    kernel.run("others = [mf.AsyncSession(mf.demo()) for _ in range(2)]")
    said = kernel.run(mistake.format(call=call))
    assert said.error == "RuntimeError"
    assert said.stderr.endswith(ADVICE)
    assert said.stderr.count(ADVICE) == 1
    assert not kernel.run("1 / 1").stderr
    assert ADVICE not in kernel.run("raise RuntimeError('of another kind')").stderr
    assert not kernel.run("for one in others:\n    await one.close()").error


def test_mistakes_are_answered_in_words(kernel: Kernel, call: str) -> None:
    said = kernel.run(f"session2 = {call}\nsession2.headers()")
    assert said.error == "AttributeError"
    assert "write session = await mf.connect_async" in said.traceback
    for wrong in ("with session:\n    pass", "for frame in session.stream():\n    pass"):
        said = kernel.run(wrong)
        assert said.error == "NotSupportedError"
        assert "Write: async " in said.traceback
        assert "aio.py" not in said.traceback  # it is no traceback, but a sentence
    said = kernel.run("await session.headers('NONSENSE (')")
    assert said.error == "QueryError"
    assert "aio.py" not in said.traceback


@pytest.mark.parametrize(
    "waiting",
    ["async for frame in session.watch():\n    pass", "await other.headers()"],
    ids=["watch", "a server that says nothing"],
)
def test_interrupting_ends_what_a_cell_waits_for(
    kernel: Kernel, scripted: Callable[..., ScriptedServer], waiting: str
) -> None:
    server = scripted({"UID SEARCH": b""}, messages={1: b"FLAGS ()"})
    connect = f'mf.connect_async("{server.host}", "me", password="x", port={server.port}, '
    opened = kernel.run(f'other = await {connect}security="none", timeout=600)')
    assert not opened.error
    said = kernel.run(f"print('waiting', flush=True)\n{waiting}", at="waiting")
    assert said.error in {"CancelledError", "KeyboardInterrupt"}
    assert kernel.run("print(await session.count())").stdout == f"{COUNT}\n"
    assert not kernel.run("assert len(await other.folders()) == 1\nawait other.close()").error


def test_the_password_is_asked_for(kernel: Kernel, call: str, dovecot: Dovecot) -> None:
    without = call.replace(f'password="{dovecot.password}", ', "")
    said = kernel.run(f"print(await (await {without}).count())", answer=dovecot.password)
    assert said.stdout == f"{COUNT}\n"
    [question] = kernel.asked
    assert question["prompt"].startswith("Password for ")
    assert question["password"] is True
    assert dovecot.password not in str(said)


def test_interrupting_ends_a_question(kernel: Kernel, call: str, dovecot: Dovecot) -> None:
    without = call.replace(f'password="{dovecot.password}", ', "")
    said = kernel.run(f"await {without}", at="Password for")
    assert said.error == "CancelledError"
    assert kernel.run("print(await session.count())").stdout == f"{COUNT}\n"
    # Nobody is left who would take the answer to the next question.
    left = "[one.name for one in threading.enumerate() if one.name == 'mailframe-wait']"
    kernel.run(
        "for one in threading.enumerate():\n    if one.name == 'mailframe-wait': one.join(60)"
    )
    assert kernel.run(f"print({left})").stdout == "[]\n"
    said = kernel.run(f"print(await (await {without}).count())", answer=dovecot.password)
    assert said.stdout == f"{COUNT}\n"
