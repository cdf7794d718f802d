"""HTML becomes the text that a person would read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from mailframe.parsing import html_to_text, parse_email
from mailframe.parsing.html import reader

if TYPE_CHECKING:
    from pathlib import Path

WORD = re.compile(r"\w+")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<p>two", "one\n\ntwo"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("a<br>b", "a\nb"),
        ("a<br><br><br>b", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("a  \n b&nbsp;c", "a b c"),
        ("a\r\nb\rc", "a b c"),
        ("<b>a</b> <i>b</i>", "a b"),
        ("<b>a </b> b<b> c</b>", "a b c"),
        ("<p>a<hr>b", "a\n\n---\n\nb"),
        ("<q>a</q>", '"a"'),
        ("10<sup>-3</sup> 1<sup>st</sup> H<sub>2</sub>O", "10\u207b\xb3 1st H2O"),
        ('<img alt="logo">', "logo"),
        ('<img src="http://example.org/seen"><img alt="">', ""),
        ('well<img alt=":)">.<img alt="Logo">by', "well:). Logo by"),
        ("a &lt;b&gt; &amp; &euro; &copy", "a <b> & € ©"),
        ("a < b <3", "a < b <3"),
        ("", ""),
    ],
)
def test_html_is_read(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<ul><li>a<ol><li>b<li>c</ol><li>d</ul>", "- a\n  1. b\n  2. c\n- d"),
        ("<ol start=9><li>a<li>b<li value=20>c<li>d</ol>", "9. a\n10. b\n20. c\n21. d"),
        ("<ol start=x><li value=->a</ol>", "1. a"),
        ("<ul><li>a<br>b<p>c</ul>", "- a\n  b\n\n  c"),
        ("<ul><li><ul><li>a</ul></ul>", "- - a"),
        ("<ul><li></li><li>&nbsp;</li><li>a</ul>", "- a"),
        ("<ul><li>a</ul><ul><li>b</ul>", "- a\n\n- b"),
        ("<ul style='list-style: none'><li>a<li>b</ul>", "a\nb"),
        ("<dl><dt>a<dd>b<dd>c<dt>d</dl>", "a\n  b\n  c\nd"),
        ("<li>a<li>b", "- a\n- b"),
    ],
)
def test_lists_have_their_bullets_and_numbers(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_lists_of_word_are_lists() -> None:
    item = (
        "<p class=MsoListParagraph style='mso-list:l0 level{} lfo1'><![if !supportLists]>"
        "<span style='font-family:Symbol'><span style='mso-list:Ignore'>{}<span>&nbsp;&nbsp;"
        "</span></span></span><![endif]>{}<o:p></o:p></p>"
    )
    items = ((1, "\xb7", "a"), (2, "o", "b"), (1, "2.", "c"))
    assert html_to_text("".join(item.format(*each) for each in items)) == "- a\n  - b\n2. c"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://example.org/x">here</a>.', "here <https://example.org/x>."),
        ('<a href="https://example.org/x">here </a>.', "here <https://example.org/x> ."),
        ('<a href="http://www.example.org/">example.org</a>', "example.org"),
        ('<a href="https://example.org/x">https://example.org/x</a>', "https://example.org/x"),
        # What it leads to and what it says differ: phishing.
        (
            '<a href="https://evil.example/example.org">example.org</a>',
            "example.org <https://evil.example/example.org>",
        ),
        ('<a href="mailto:a@example.org?subject=b">write</a>', "write <a@example.org>"),
        ('<a href="mailto:A@example.org">a@example.org</a>', "a@example.org"),
        ('<a href="tel:+49-30-1">+49 30 1</a>', "+49 30 1"),
        ('<a href="#top">a</a><a href="javascript:b()">b</a><a name=c>c</a>', "abc"),
        ('<a href="https://example.org/"><img alt="Shop"></a>', "Shop"),
        ('<a href="https://example.org/"><img src=x></a>', ""),
        ('<a href="//example.org/a b">c</a>', "c <//example.org/a%20b>"),
        ('<a href="http://example.org/"><div>a</div></a>b', "a <http://example.org/>\nb"),
        (
            '<a href="http://a.example/">a<a href="http://b.example/">b</a>',
            "a <http://a.example/>b <http://b.example/>",
        ),
        ('<base href="http://example.org/b/"><a href="c">d</a>', "d <http://example.org/b/c>"),
        ('<base href="http://[b"><a href="c">d</a>', "d"),
        ('<p><a href="http://example.org/"><div>a</div></a>', "a <http://example.org/>"),
    ],
)
def test_a_link_says_where_it_leads(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a | b\nc | d"),
        ("x<table><tr><th>a<th>b<tr><td>c<td></table>y", "x\n\na | b\nc\n\ny"),
        ("<table><tr><td>a<td><td>b<tr><td>c<td>d<td>e</table>", "a |  | b\nc | d | e"),
        ("<table><tr><td>&nbsp;<td>a<td>b<tr><td><td>c<td>d</table>", "a | b\nc | d"),
        ("<table><tr><td>Name:<td>a<tr><td>Age:<td>3</table>", "Name: a\nAge: 3"),
        ("<table><tr><td>\u2022<td>a<td><tr><td>\u2022<td>b</table>", "\u2022 a\n\u2022 b"),
        ("<table><td>a<td>b<tr><td>c<td>d", "a | b\nc | d"),
        ("<table><caption>t</caption><tr><th>a<th>b</table>", "t\na | b"),
        # What only lays out reads from top to bottom.
        ("<table><tr><td>a<td>b</table>", "a  b"),
        ("<table><tr><td><table><tr><td>a</table><tr><td>b</table>", "a\nb"),
        ("<table><tr><td><p>a<p>b</td><td>c</table>", "a\n\nb\n\nc"),
        (f"<table><tr><td>{'a ' * 40}<td>{'b ' * 40}</table>",
         f"{' '.join('a' * 40)}\n{' '.join('b' * 40)}"),
        ("<table><tr><td><ul><li>a</ul><td>b</table>", "- a\n\nb"),
        # Damaged ones.
        ("<td>a<td>b</td>", "a b"),
        ("<table>a<tr>b<td>c<td>d</table>", "a\n\nb\nc\nd"),
        ("<div><table><tr><td>a</div>b<td>c</table>", "ab  c"),
        ("<table><tr><td>a</tr>b<table><tr><td>c", "a\nb\nc"),
    ],
)  # fmt: skip
def test_tables_of_data_differ_from_those_that_lay_out(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("On Monday:<blockquote>a<br><br>b</blockquote>c", "On Monday:\n> a\n>\n> b\n\nc"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n> > b"),
        ("<blockquote><ul><li>a<p>b</ul></blockquote>", "> - a\n>\n>   b"),
        ("<blockquote><pre>a\n\nb</pre></blockquote>", "> a\n>\n> b"),
        # Gmail and Apple Mail indent so; Outlook quotes so.
        ("<blockquote style='margin:0 0 0 40px;border:none'>a</blockquote>", "a"),
        ("<div style='border:none;border-left:solid blue 1.5pt;padding:0'>a</div>", "> a"),
    ],
)
def test_a_quote_is_told_from_what_is_new(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<pre>\na\n  b\n\n\n c </pre>d", "a\n  b\n\n\n c\n\nd"),
        ("<pre>a  <b>b</b>\tc</pre>", "a  b\tc"),
        ("x <pre>\n\n</pre> y", "x\n\ny"),
        ("<div style='white-space: pre-wrap'>a\n b</div> c\n d", "a\n b\nc d"),
        ("<pre>a<p style='white-space:normal'>b\nc</pre>", "a\n\nb c"),
        ("<textarea>a\nb</textarea>", "a\nb"),
    ],
)
def test_preformatted_text_stays(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<head><title>t</title><style>x{}</style></head>",
        "<script>if (a < b) '</p>'</script>",
        "<style><!-- p > a {} --></style >",
        "<!-- c > d --><!--[if gte mso 9]><xml>e</xml><![endif]--><!><?xml version='1.0'?>",
        "<xml><o:AllowPNG/>e</xml>",
        "<svg><title>t</title><text>s</text></svg><object>o</object><template>t</template>",
        '<div style="display: none">x<div>y</div>z</div>',
        "<DIV STYLE='DISPLAY:NONE!important'>x</DIV>",
        "<p style='visibility:hidden'>x<p>",
        "<div hidden>x</div>",
        "<div style='font-size:1px;color:red'>x</div>",
        "<div style='max-height:0px;overflow:hidden'>x</div>",
        "<div style='opacity:0'>x</div>",
        "<span style='color:#FFF;background-color:#fff'>x</span>",
        "<div style='position:absolute;left:-9999px'>x</div>",
        "<span style='display:none'>x<p>y</p></span>",
        "<input type=hidden value=x>",
        "&#847;&zwnj;&nbsp;&#8199;&shy;&#xfeff;",
    ],
)
def test_what_is_not_shown_is_left_out(hidden: str) -> None:
    assert html_to_text(f"{hidden}<div>seen</div>") == "seen"


@pytest.mark.parametrize(
    "shown",
    [
        "<p style='font-size:large;opacity:0.5;height:0'>a</p>",
        "<div style='font-size:0'><span style='font-size:12px'>a</span></div>",
        "<div style='font-size:0'><table><tr><td>a</table></div>",
        # Outlook is shown something else in its place, by a conditional comment.
        "<a style='mso-hide:all'>a</a>",
        "<![if !mso]>a<![endif]>",
        "<!--[if !mso]><!-->a<!--<![endif]-->",
        "<span style='color:inherit;background:inherit'>a</span>",
        "<div style='display:none;display:block'>a</div>",
        "<table><tr><td style='display:none'>x<td>a</table>",
        "<p style='display:none'>x<p>a",
        "<span hidden><span>x</span>y</span>a",
        "<font color=white>a</font>",
    ],
)
def test_what_is_shown_stays(shown: str) -> None:
    assert html_to_text(shown) == "a"


def test_paragraphs_of_outlook_are_lines() -> None:
    empty = "<p class=MsoNormal><o:p>&nbsp;</o:p></p>"
    html = f"<p class=MsoNormal>a</p><p class=MsoNormal>b</p>{empty}<p class=MsoNormal>c</p>"
    assert html_to_text(html) == "a\nb\n\nc"
    assert html_to_text("<p style='margin:0in 0in 0.0001pt'>a</p><p style='margin:0'>b") == "a\nb"
    assert html_to_text("<p style='margin:0 0 1em'>a</p><p style='margin:0 0 1em'>b") == "a\n\nb"


def test_letters_that_are_joined_stay_joined() -> None:
    for text in ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f52c"):
        assert html_to_text(f"<p>{text} &zwnj; b") == f"{text} b"
    assert html_to_text("Donau&shy;dampf \u202bab\u202c") == "Donaudampf \u202bab\u202c"


def test_forms_show_what_they_hold() -> None:
    html = (
        "<form><input type=checkbox checked>a <input type=radio>b<br><input value=c>"
        "<button>d</button><input type=submit value=e></form>"
    )
    assert html_to_text(html) == "[x]a ( )b\n[c] d [e]"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("before<html><head><title>x</title><body>a</body></html><html><body>b", "beforeab"),
        ("<frameset><frame src=x><noframes><p>a</noframes></frameset>", "a"),
        ('<?xml version="1.0"?><html xmlns="x"><body><br/>a<br />b</body></html>', "a\nb"),
        ("<div a='<p>'>a</div x='>'>b", "a\nb"),
        ("<p don't>a</p><p x=y'z>b", "a\n\nb"),
        ('<a href="x>a</a>b', "ab"),
        ("a</p>b</br>c</x>d</>e</ f>g", "a\n\nb\ncdeg"),
        ("a<p style='x", "a"),
        ("a<style>x", "a"),
        ("a<!-- x", "a"),
        ("<b><p>a</b>b</p>c", "ab\n\nc"),
        ("<p>" * 3 + "a", "a"),
        ("&#" + "9" * 5_000 + ";a&#xD800;&#0;", "\ufffda\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_damaged_markup_is_read_as_browsers_do_or_better(html: str, text: str) -> None:
    assert html_to_text(html) == text


BOMBS = [
    "<div>", "<div></x>", '<div a="<">', "<b>", "<b><p>", "<a href=b>", "<table>", "<table><td>",
    "<table><a href=b>", "<select>", "<svg></svg>", "<math>", "<template></template>", "<ul><li>",
    "<blockquote>", "<sup>", "<!-- --!>", "<style></style>", "<a b='>'", "</p>", "<p\n",
    "<!-- ", "<span hidden></span>", "<span hidden><span></span></span>", "<td></div>",
    "<x ", "<pre>\n",
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_markup_made_to_stop_the_reader_does_not(bomb: str) -> None:
    # Whatever reads this in the square of its length does not return.
    text = html_to_text(f"<p>begin</p>{bomb * (1_000_000 // len(bomb))}<p>--></x>end</p>")
    assert text.startswith("begin")
    assert len(text) < 1_100


def test_a_line_is_not_pushed_out_of_sight_by_quotes() -> None:
    text = html_to_text("<blockquote>" * 5_000 + "a<br>b")
    assert text == f"{'> ' * 10}a\n{'> ' * 10}b"


def test_behind_too_many_tags_there_is_only_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MOST_TAGS", 3)
    html = "<p>a</p><p>b</p><p>c<br>d</p><style>x</style><!-- y > --> &amp;<SCRIPT>z</SCRIPT> e<i"
    assert html_to_text(html) == "a\n\nb\n\nc d & e"


def test_long_documents_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailframe.parsing.html._LONGEST", 5)
    assert html_to_text("a<b>bcd") == "ab"


@given(st.text() | st.text(alphabet="<>/abpretdlis!-=\"' \x00\udc80&#;9x"))
def test_no_text_makes_it_raise(html: str) -> None:
    text = html_to_text(html)
    text.encode()
    assert "\0" not in text


PIECES = st.sampled_from([
    "<p>", "</p>", "<div>", "</div>", "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>",
    "<th>", "<tbody>", "<ul>", "</ul>", "<ol>", "<li>", "</li>", "<b>", "</b>", "<span hidden>",
    "</span>", "<a href=http://example.org/>", "</a>", "<blockquote>", "</blockquote>", "<pre>",
    "</pre>", "<br>", "<sup>", "</sup>", "<q>", "</q>", "<dl>", "<dd>", "<dt>", "<hr>",
    "<img alt=i>", "\n", " ", "&nbsp;", "<p style='mso-list:l0 level3'>",
    "<i style='mso-list:Ignore'>", "<div style='font-size:0'>", "1", "word", "<caption>",
    "<object>", "</object>", "<base href=http://example.org/>", "<a href=x>", "</x>",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_order_of_tags_makes_it_raise(html: str) -> None:
    text = html_to_text(html)
    assert not text.startswith("\n")
    assert text == text.rstrip("\n")


@given(st.text(st.characters(exclude_characters="<&", exclude_categories=["Cs"])))
def test_text_without_markup_is_read_once(text: str) -> None:
    once = html_to_text(text)
    assert html_to_text(once) == once


VISIBLE = st.sampled_from(
    ["<p>{}</p>", "<b>{}</b>", "<div><i>{}</div>", "<ul><li>{}<li>{}</ul>", "<h2>{}</h2>", "{}<br>",
     "<table><tr><td>{}<td>{}<tr><td>{}</table>", "<blockquote>{}</blockquote>", "<pre>{}</pre>",
     "<a href=http://example.org>{}</a>", "<font size=2>{}", "</div>{}", "<td>{}</td>", "<q>{}</q>"]
)  # fmt: skip


@given(st.lists(VISIBLE, max_size=12).map(" ".join))
def test_every_visible_word_is_there(markup: str) -> None:
    words = [f"word{number}" for number in range(markup.count("{}"))]
    assert re.findall(r"word\d+", html_to_text(markup.format(*words))) == words


def test_real_mail_loses_no_word_that_the_tree_of_a_browser_has(corpora: Path) -> None:
    read = 0
    for path in sorted(corpora.glob("mime/*/*.eml")):
        html = parse_email(path.read_bytes()).html
        # A style may hide words, which is not the tree's business.
        if not html or re.search("display|hidden|visibility|overflow", html):
            continue
        tree = LexborHTMLParser(html)
        for node in tree.css("style, script, title, noscript, object, svg, template, xml"):
            node.decompose()
        missing = set(WORD.findall(tree.root.text(separator=" "))) - set(
            WORD.findall(html_to_text(html))
        )
        # A word whose letters are in several elements is none in the tree.
        text = html_to_text(html).replace(" ", "")
        assert [word for word in missing if word not in text] == [], path
        read += 1
    assert read > 50
