"""HTML mail in a real browser: it can be read, runs nothing and asks for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailframe.parsing import parse_email, preview

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from tests.browser.conftest import Site

# Each asks for something that is named after it, as soon as it is shown.
HOSTILE = """
<html><head>
<base href="{0}/base/">
<link rel="stylesheet" href="{0}/stylesheet"><link rel="prefetch" href="{0}/prefetch">
<link rel="preconnect" href="{0}"><link rel="dns-prefetch" href="{0}">
<link rel="preload" as="image" href="{0}/preload">
<style>
@import "{0}/import";
@font-face {{ font-family: fetched; src: url("{0}/font") }}
body {{ background: url("{0}/background"); font-family: fetched }}
</style>
<script>new Image().src = "{0}/script"; window.open("{0}/window")</script>
<script src="{0}/script-source"></script>
</head><body onload="new Image().src = '{0}/onload'">
<p id="words">Dear reader</p>
<img src="{0}/image"><img srcset="{0}/srcset 1x"><img src="based">
<picture><source srcset="{0}/picture"><img src=""></picture>
<img src="data:,x" onerror="new Image().src = '{0}/onerror'">
<div style="background: url({0}/style)">styled</div>
<table background="{0}/table-background"><tr><td>cell</td></tr></table>
<video src="{0}/video" poster="{0}/poster" autoplay></video><audio src="{0}/audio" autoplay></audio>
<iframe src="{0}/iframe"></iframe><iframe srcdoc="<img src='{0}/srcdoc'>"></iframe>
<object data="{0}/object"></object><embed src="{0}/embed">
<svg><image href="{0}/svg-image" width="9" height="9" /><use href="{0}/svg-use#a" /></svg>
<input type="image" src="{0}/input">
<details open ontoggle="new Image().src = '{0}/ontoggle'">x</details>
<a href="javascript:void(new Image().src = '{0}/javascript')">run</a>
<a href="data:text/html,<script>new Image().src='{0}/data'</script>">data</a>
<a href="{0}/target" ping="{0}/ping">follow</a>
</body></html>
"""
# Where it is shown as it is, these would leave before the rest is fetched.
LEAVING = """
<meta http-equiv="refresh" content="0;url={0}/refresh">
<form action="{0}/form" id="form"><input name="a"></form>
<script>document.getElementById("form").submit()</script>
"""

NICE = """Subject: Invoice
Content-Type: text/html; charset=utf-8

<html><head><style>h1 {{ color: red }}</style></head><body>
<h1>Your invoice</h1>
<p style="color: rgb(0, 0, 128)">Dear Ada, thank you for your order.</p>
<table border="1"><tr><th>Tea</th><th>Price</th></tr><tr><td>Assam</td><td>4.20</td></tr></table>
<p><img alt="A red dot" src="data:image/gif;base64,R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs="
width="40" height="40"></p>
<p><a href="{0}/terms" target="_top">Terms</a></p>
</body></html>
"""


def message(html: str) -> str:
    """Give what a notebook shows of a message with this HTML."""
    shown = parse_email(f"Content-Type: text/html; charset=utf-8\n\n{html}".encode())._repr_html_()
    assert shown is not None
    return shown


def visit(context: BrowserContext, site: Site, html: str) -> tuple[Page, set[str]]:
    """Show this; return the page, and what the browser asked for beside it."""
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    address = site.show(html)
    page.goto(address, wait_until="networkidle")
    local = {url for url in asked if url.startswith(("data:", "about:", "blob:"))}
    return page, asked - local - {address}


def test_hostile_mail_would_fetch_and_run_if_it_were_shown_as_it_is(
    context: BrowserContext, site: Site
) -> None:
    _, asked = visit(context, site, HOSTILE.format(site.address))
    for page in context.pages:
        page.wait_for_load_state("networkidle")
    assert {"/image", "/stylesheet", "/style", "/script", "/window", "/iframe"} <= site.fetched
    assert len(asked) > 10
    assert len(context.pages) > 1


def test_hostile_mail_fetches_and_runs_nothing(context: BrowserContext, site: Site) -> None:
    page, asked = visit(context, site, message((LEAVING + HOSTILE).format(site.address)))
    page.frame_locator("iframe").get_by_text("Dear reader").wait_for(state="visible")
    assert asked == set()
    assert site.fetched == set()
    assert context.pages == [page]
    assert len(page.frames) == 2


def test_sanitised_mail_fetches_nothing_outside_its_frame_either(
    context: BrowserContext, site: Site
) -> None:
    shown = preview.sanitize((LEAVING + HOSTILE).format(site.address))
    page, asked = visit(context, site, shown)
    page.get_by_text("Dear reader").wait_for(state="visible")
    assert asked | site.fetched == set()
    assert context.pages == [page]


def test_the_frame_holds_what_sanitising_would_let_through(
    context: BrowserContext, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "sanitize", lambda html, **_: html)
    page, _ = visit(context, site, message(HOSTILE.format(site.address)))
    page.frame_locator("iframe").get_by_text("Dear reader").wait_for(state="visible")
    # The browser reports some of what its policy then stops: what counts is what got out.
    assert site.fetched == set()
    assert context.pages == [page]


def test_a_followed_link_opens_a_page_that_does_not_know_where_from(
    context: BrowserContext, site: Site
) -> None:
    page, _ = visit(context, site, message(HOSTILE.format(site.address)))
    with context.expect_page() as opened:
        page.frame_locator("iframe").get_by_text("follow").click()
    opened.value.wait_for_load_state("networkidle")
    assert opened.value.url == f"{site.address}/target"
    assert opened.value.evaluate("window.opener") is None
    assert site.fetched - {"/favicon.ico"} == {"/target"}
    assert [ask.referrer for ask in site.requests if ask.path == "/target"] == [None]
    assert page.url == f"{site.address}/page"


def test_hostile_mail_would_leave_if_it_were_shown_as_it_is(
    context: BrowserContext, site: Site
) -> None:
    visit(context, site, LEAVING.format(site.address))
    assert site.fetched & {"/refresh", "/form?a="}


@pytest.mark.parametrize("link", ["run", "data"])
def test_a_link_that_is_no_address_leads_nowhere(
    link: str, context: BrowserContext, site: Site
) -> None:
    page, _ = visit(context, site, message(HOSTILE.format(site.address)))
    page.frame_locator("iframe").get_by_text(link, exact=True).click()
    page.wait_for_load_state("networkidle")
    assert site.fetched == set()
    assert context.pages == [page]


def test_an_honest_mail_can_be_read(context: BrowserContext, site: Site) -> None:
    shown = parse_email(NICE.format(site.address).encode())._repr_html_()
    assert shown is not None
    page, asked = visit(context, site, shown)
    frame = page.frame_locator("iframe")
    for words in ("Your invoice", "Dear Ada, thank you for your order.", "Assam", "Terms"):
        assert frame.get_by_text(words).is_visible()
    colour = "element => getComputedStyle(element).color"
    assert frame.get_by_text("Dear Ada").evaluate(colour) == "rgb(0, 0, 128)"
    assert frame.get_by_role("img").evaluate("image => image.naturalWidth") == 1
    assert asked == set()
    with context.expect_page() as opened:
        frame.get_by_text("Terms").click()
    assert opened.value.url == f"{site.address}/terms"
    assert page.url == f"{site.address}/page"
