"""A real browser, and a site that writes down what is asked of it."""

from __future__ import annotations

import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import missing, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
# No icon, or the browser asks for one.
PAGE = '<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">{}'


class Request(NamedTuple):
    """What the site was asked for."""

    path: str
    referrer: str | None


class Site:
    """A web server on a free port of this machine."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._page = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(Request(self.path, self.headers["Referer"]))
                content = (site._page if self.path == "/page" else "<p>fetched").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 named by http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def show(self, html: str) -> str:
        """Put this on the page; return the page's address."""
        self._page = PAGE.format(html)
        self.requests.clear()
        return f"{self.address}/page"

    @property
    def fetched(self) -> set[str]:
        """The paths that were asked for beside the page."""
        return {request.path for request in self.requests} - {"/page"}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


# For a module and no longer: Playwright's event loop keeps `asyncio.run` from running.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = require("playwright.sync_api", "playwright")
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        missing("Chromium is missing; install it: apt-get install chromium")
    with api.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()
