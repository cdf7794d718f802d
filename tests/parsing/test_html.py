"""HTML becomes the text that a person would read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<p>two", "one\n\ntwo"),
        ("a<br>b", "a\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("a  \n b&nbsp;c", "a b c"),
        ("<b>a</b> <i>b</i>", "a b"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a b\nc d"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<style>x</style><script>y</script><!-- z -->a", "a"),
        ("<head><title>t</title></head><body>a", "a"),
        ('<div style="display: none">preview</div>a', "a"),
        ('<a href="https://example.org/x">here</a>.', "here <https://example.org/x>."),
        ('<a href="https://example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:a@example.org">write</a>', "write"),
        ('<img alt="logo">', "logo"),
        ("a &lt;b&gt; &amp; &euro;", "a <b> & €"),
        ("", ""),
    ],
)
def test_html_is_read(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_deep_nesting_is_bounded() -> None:
    assert html_to_text("<div>" * 100_000 + "text") == "text"
    assert html_to_text("<div>" * 1_500 + "text") == "text"


def test_a_long_document_is_not_taken_for_a_deep_one() -> None:
    assert html_to_text("<p>a<br>" * 3_000).count("a") == 3_000


@given(st.text() | st.text(alphabet="<>/abpre!-=\"' \x00\udc80"))
def test_no_text_makes_it_raise(html: str) -> None:
    text = html_to_text(html)
    text.encode()
    assert "\0" not in text
