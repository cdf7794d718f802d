"""HTML -> the text that a person would read.

The markup is read from its beginning to its end, once, and no tree is made of it: what tells a tag
from text is regular (HTML standard 13.2.5), and of the tree a reader must only know which elements
are open. Making the tree that the standard describes takes the square of its depth, or more: a few
hundred kB of mail keep any parser that does so busy for minutes.

    reader    tags and text -> what they mean for the text around them
    elements  what each element is to a reader
    style     attributes -> how a text looks, if it is to be seen at all
    links     what stands behind the text of a link
    page      lines, paragraphs, lists, quotes, tables
"""

from __future__ import annotations

from mailframe.parsing.charsets import scrub
from mailframe.parsing.html.reader import Reader

__all__ = ["html_to_text"]

# Nobody reads more, and a message must not take minutes.
_LONGEST = 20_000_000


def html_to_text(html: str) -> str:
    r"""Give the text of an HTML body.

    Paragraphs and headings stand apart, lists have their bullets or numbers, and quotes a ``>``
    before each line. A row of a table is a line, with ``|`` between the cells where the table holds
    data; a table that only lays out reads from top to bottom. Links keep their text, followed by
    the target where that says something else; images are their ``alt`` text. What is not shown
    (styles, scripts, comments, hidden previews) is left out.

    Parameters
    ----------
    html
        A document or a fragment, however damaged. At most 20,000,000 characters of it are read,
        and 300,000 tags; behind these there is only text.

    Returns
    -------
    str
        With LF line ends and, but in ``<pre>``, at most one empty line in a row.

    Examples
    --------
    >>> html_to_text("<p>Hello&nbsp;<b>you</b></p><ul><li>one<li>two</ul>")
    'Hello you\n\n- one\n- two'
    >>> html_to_text("<table><tr><th>Tea<th>Cups<tr><td>Assam<td>2</table>")
    'Tea | Cups\nAssam | 2'
    """
    html = scrub(html[:_LONGEST])
    if "\r" in html:
        html = html.replace("\r\n", "\n").replace("\r", "\n")
    return Reader().read(html)
