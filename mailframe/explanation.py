"""Explanation: what a call would do, to be read before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from mailframe import schema
from mailframe.tables import tabulate

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.records import Step

__all__ = ["Explanation"]

_CONTROL = re.compile("[\x00-\x08\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """The steps of a call, with the RFC section of every command; print it, or look at it.

    Attributes
    ----------
    call
        The call that is explained.
    steps
        In order: commands to the server, and what is decided here.
    """

    call: str
    steps: tuple[Step, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The steps as a frame: ``schema.EXPLANATION``."""
        numbered = list(enumerate(self.steps, start=1))
        frame = tabulate(
            schema.EXPLANATION,
            numbered,
            lambda rows: {
                "step": [number for number, _ in rows],
                "side": [step.side for _, step in rows],
                "command": [step.command or None for _, step in rows],
                "rfc": [step.rfc or None for _, step in rows],
                "meaning": [step.meaning for _, step in rows],
                "words": ["\n".join(f"{w[0]}: {w[2]}" for w in step.words) for _, step in rows],
            },
            "",
        )
        frame.attrs = {"call": self.call}
        return frame

    def __repr__(self) -> str:
        lines = [f"{_visible(self.call)} would", ""]
        for number, step in enumerate(self.steps, start=1):
            if step.command:
                lines.append(f"{number:>3}. send  {_indented(_visible(step.command), 11)}")
                lines.append(f"           {step.meaning} ({step.rfc})")
                lines += [f"             {name}: {meaning}" for name, _, meaning in step.words]
            else:
                lines.append(f"{number:>3}. here  {step.meaning}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, range(1, len(self.steps) + 1), self.steps))
        call = escape(_visible(self.call))
        return (
            f"<div><p><code>{call}</code> would do this; nothing was sent.</p>"
            '<table style="text-align:left"><thead><tr><th></th><th>where</th>'
            '<th style="text-align:left">what</th><th style="text-align:left">defined in</th>'
            f"</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _row(number: int, step: Step) -> str:
    cell = '<td style="text-align:left;vertical-align:top">'
    if not step.command:
        return (
            f"<tr>{cell}{number}</td>{cell}here</td>{cell}{escape(step.meaning)}</td><td></td></tr>"
        )
    words = "".join(
        f"<li><code>{escape(name)}</code> {escape(meaning)} <small>({escape(rfc)})</small></li>"
        for name, rfc, meaning in step.words
    )
    more = f"<details><summary>its words</summary><ul>{words}</ul></details>" if words else ""
    command = escape(_visible(step.command)).replace("\r\n", "<br>")
    return (
        f"<tr>{cell}{number}</td>{cell}server</td>"
        f'{cell}<code style="white-space:pre-wrap">{command}</code><br>'
        f"{escape(step.meaning)}{more}</td>{cell}{escape(step.rfc)}</td></tr>"
    )


def _visible(text: str) -> str:
    """Show control characters, which a search may hold, instead of obeying them."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _indented(command: str, by: int) -> str:
    return command.replace("\r\n", "\n" + " " * by)
