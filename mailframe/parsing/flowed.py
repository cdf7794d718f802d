"""Text of format=flowed -> paragraphs (RFC 3676): lines broken by the sender's program, joined."""

from __future__ import annotations

__all__ = ["unflow"]

# RFC 3676 section 4.3: it ends in a blank, and yet belongs to no paragraph.
_SIGNATURE = "-- "


def unflow(text: str, *, delsp: bool) -> str:
    r"""Join the lines of each paragraph (RFC 3676 section 4).

    Parameters
    ----------
    text
        With LF line ends.
    delsp
        Whether the blank at a line's end was put there to mark the break, and is no blank between
        words (Chinese has none).

    Returns
    -------
    str
        The text without its soft line breaks and without the blanks that protected lines on the
        way. Quoted lines stay lines, each with its ``>``: whoever looks for quotes finds them.

    Examples
    --------
    >>> unflow("One \nparagraph.\n> a \n> quote\n-- \nAnn\n", delsp=False)
    'One paragraph.\n> a\n> quote\n-- \nAnn\n'
    """
    lines: list[str] = []
    open_line: list[str] = []  # what the line to come is the rest of

    def close() -> None:
        if open_line:
            # What was to follow did not come (section 4.5): the break was a hard one after all.
            lines.append("".join(open_line).rstrip(" "))
            open_line.clear()

    for line in text.split("\n"):
        if line.startswith(">"):
            close()
            # The blank behind the marks stays: stuffed or written, people read "> text".
            lines.append(line.rstrip(" "))
            continue
        content = line.removeprefix(" ")
        if content == _SIGNATURE or not content:
            # By the letter an empty line would end the paragraph before it and be gone; senders
            # that leave a blank at the end of each line mean it to be seen.
            close()
            lines.append(content)
        elif content.endswith(" "):
            open_line.append(content[:-1] if delsp else content)
        else:
            open_line.append(content)
            lines.append("".join(open_line))
            open_line.clear()
    close()
    return "\n".join(lines)
