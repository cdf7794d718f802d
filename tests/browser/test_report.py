"""The report in a real browser: hostile mail in it runs nothing and asks for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from tests.analysis.letters import headers

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from playwright.sync_api import BrowserContext, Page

    from tests.browser.conftest import Site

#: Each asks for something that is named after it, as soon as it is taken for more than text.
HOSTILE = (
    "<script>new Image().src='{0}/script'</script>",
    "<img src='{0}/image' onerror=\"document.title='run'\">",
    "</td></table></body><iframe src='{0}/iframe'></iframe>",
    "\"><svg onload=\"new Image().src='{0}/svg'\"><image href='{0}/svg-image'/></svg>",
    "</style><style>@import '{0}/import'; body {{ background: url({0}/background) }}",
    "<meta http-equiv=refresh content='0;url={0}/refresh'>",
    "<!-- <link rel=stylesheet href='{0}/stylesheet'> -->",
    "javascript:document.title='run'",
    "]]></svg><script>document.title='run'</script>",
    "$\\href{{{0}/href}}{{x}}$",
)


def hostile(site: Site) -> pd.DataFrame:
    """Return mail whose every text is one of these."""
    texts = [one.format(site.address) for one in HOSTILE]
    return headers(*[
        {
            "uid": n, "message_id": f"<{n}>", "subject": one, "from_name": one,
            "from_address": f"{one}@x.example", "from_domain": one, "list_id": one,
            "list_unsubscribe": f"<{one}>, <https://{one}/>", "folder": one, "account": one,
            "date": f"2025-03-{n % 27 + 1:02}", "size": 1000 * n, "to": "me@example.com",
        }
        for n, one in enumerate([*texts, *texts, *texts], 1)
    ])  # fmt: skip


def opened(context: BrowserContext, path: Path) -> tuple[Page, set[str], list[str]]:
    """Open a file; return the page, what it asked for, and what it complained about."""
    asked: set[str] = set()
    said: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.add(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(path.as_uri(), wait_until="networkidle")
    return page, {url for url in asked if not url.startswith("data:")} - {path.as_uri()}, said


def test_nothing_that_mail_says_is_run_or_asked_for(
    context: BrowserContext, site: Site, tmp_path: Path
) -> None:
    path = mf.report(hostile(site), tmp_path / "report.html", me="me@example.com", tz="UTC")
    page, asked, said = opened(context, path)
    assert asked == set()
    assert site.fetched == set()
    assert said == []
    assert page.title() == "Mail: all of it"
    assert "<script>new Image().src=" in page.inner_text("main")  # it is there to be read
    assert page.locator("script, iframe, object, embed, link, a, form").count() == 0


@pytest.mark.parametrize("width", [1100, 390])
def test_it_is_laid_out_for_wide_and_narrow_screens(
    context: BrowserContext, tmp_path: Path, width: int
) -> None:
    with mf.demo() as session:
        path = mf.report(session, tmp_path / "report.html", period="2026-05", tz="UTC")
    page, asked, said = opened(context, path)
    page.set_viewport_size({"width": width, "height": 900})
    assert (asked, said) == (set(), [])
    page_is = "document.documentElement.scrollWidth"
    assert page.evaluate(page_is) <= width  # nothing has to be pushed aside but wide tables
    shapes = page.evaluate(
        "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.width / i.height])"
    )
    assert shapes
    assert all(is_shown for is_shown, _ in shapes)
    # For a telephone pictures have another shape.
    assert all((shape > 2) == (width > 560) for _, shape in shapes[:2])


def test_it_can_be_printed(context: BrowserContext, site: Site, tmp_path: Path) -> None:
    path = mf.report(hostile(site), tmp_path / "report.html", me="me@example.com", tz="UTC")
    page, _, _ = opened(context, path)
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert site.fetched == set()
