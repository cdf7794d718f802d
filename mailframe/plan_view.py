"""How plans and outcomes look, in a terminal and in a notebook."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Protocol

from mailframe.sizes import in_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailframe.actions import Action, Entry, Fate

__all__ = ["many", "outcome_as_html", "outcome_as_text", "plan_as_html", "plan_as_text"]

#: Rows of a plan, and reasons of an outcome, that are shown.
SHOWN = 10
REASONS = 5

#: By what a plan is applied.
PYTHON = "outcome = plan.apply()"

_VERBS = {
    "flags": "change the flags of",
    "labels": "change the labels of",
    "move": "move",
    "copy": "copy",
    "delete": "delete for good",
    "append": "append",
}
_STATUS = {
    "done": "done",
    "gone": "gone: not there any more",
    "failed": "failed",
    "unknown": "unknown",
}
_COLOURS = {"done": "#137333", "gone": "#5f6368", "failed": "#b00020", "unknown": "#b06000"}
_TITLES = ("folder", "uid", "from", "subject", "date", "what")
_LEFT = 'style="text-align:left"'


class Planned(Protocol):
    """What is shown of a plan."""

    @property
    def account(self) -> str: ...
    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def actions(self) -> Sequence[Action]: ...
    @property
    def create(self) -> Sequence[str]: ...
    @property
    def warnings(self) -> Sequence[str]: ...
    @property
    def bytes(self) -> int: ...
    @property
    def can_be_undone(self) -> bool: ...


def plan_as_text(plan: Planned, how: str = PYTHON, more: str = ": plan.frame") -> str:
    """Show a plan in a terminal.

    Parameters
    ----------
    plan
        What is planned.
    how
        By what it is applied; empty where it is applied right away.
    more
        What is said behind the number of messages that are not shown.
    """
    lines = [_headline(plan), *(f"  ! {text}" for text in plan.warnings)]
    lines += [f"  {text}" for text in _details(plan)]
    changing = _changing(plan)
    lines += [f"    {_in_a_line(entry)}".rstrip() for entry in changing[:SHOWN]]
    if len(changing) > SHOWN:
        lines.append(f"    and {len(changing) - SHOWN:,} more{more}")
    if how or not plan.actions:
        lines.append(f"  {_advice(plan, how)}")
    return "\n".join(lines)


def plan_as_html(plan: Planned) -> str:
    """Show a plan in a notebook."""
    changing = _changing(plan)
    rows = "".join(
        f"<tr>{''.join(f'<td {_LEFT}>{escape(text)}</td>' for text in _cells(entry))}</tr>"
        for entry in changing[:SHOWN]
    )
    titles = "".join(f"<th {_LEFT}>{name}</th>" for name in _TITLES)
    table = f"<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"
    more = len(changing) - SHOWN
    rest = f"<p>and {more:,} more: <code>plan.frame</code></p>" if more > 0 else ""
    warned = "".join(
        f'<p style="color:#b00020;font-weight:bold">⚠ {escape(text)}</p>' for text in plan.warnings
    )
    details = "".join(f"<li>{escape(text)}</li>" for text in _details(plan))
    advice = escape(_advice(plan, PYTHON))
    return (
        f"<div><p><b>{escape(_headline(plan))}</b></p>{warned}<ul>{details}</ul>"
        f"{table if changing else ''}{rest}<p>{advice}</p></div>"
    )


def outcome_as_text(fates: Sequence[Fate], counts: Mapping[str, int], error: str) -> str:
    """Show an outcome in a terminal."""
    said = [f"{many(number)} {_STATUS[status]}" for status, number in counts.items() if number]
    headline = "; ".join(said) + "." if said else "Nothing was to be done."
    return "\n".join([headline, *(f"  {line}" for line in _reasons(fates, counts, error))])


def outcome_as_html(fates: Sequence[Fate], counts: Mapping[str, int], error: str) -> str:
    """Show an outcome in a notebook."""
    said = " · ".join(
        f'<span style="color:{_COLOURS[status]}"><b>{number:,}</b> {_STATUS[status]}</span>'
        for status, number in counts.items()
        if number
    )
    lines = "".join(f"<li>{escape(line)}</li>" for line in _reasons(fates, counts, error))
    return f"<div><p>{said or 'Nothing was to be done.'}</p><ul>{lines}</ul></div>"


def many(number: int) -> str:
    """Say how many messages."""
    return f"{number:,} message{'' if number == 1 else 's'}"


def _changing(plan: Planned) -> list[Entry]:
    return [entry for entry in plan.entries if entry.state == "change"]


def _headline(plan: Planned) -> str:
    changing = _changing(plan)
    if not changing:
        return "A plan that changes nothing."
    verbs = Counter(entry.verb for entry in changing)
    deeds = " and ".join(f"{_VERBS[verb]} {many(number)}" for verb, number in verbs.items())
    return f"A plan to {deeds} ({in_bytes(plan.bytes)}) of {plan.account}."


def _details(plan: Planned) -> list[str]:
    lines = [f"The folder {name!r} is made first." for name in plan.create]
    lines += [_described(action) for action in plan.actions[:SHOWN]]
    if len(plan.actions) > SHOWN:
        lines.append(f"and so on, in {len(plan.actions) - SHOWN:,} more folders")
    states = Counter(entry.state for entry in plan.entries)
    if states["as it is"]:
        lines.append(f"{many(states['as it is'])} as wanted already.")
    if states["gone"]:
        lines.append(f"{many(states['gone'])} not there any more.")
    return lines


def _advice(plan: Planned, how: str) -> str:
    if not plan.actions:
        return "There is nothing to do."
    undo = "it can be undone" if plan.can_be_undone else "it cannot be undone"
    return f"Nothing has been done yet: {how} does it; {undo}."


def _described(action: Action) -> str:
    number = many(len(action.messages) or len(action.letters))
    if action.verb in {"move", "copy"}:
        return f"{number} from {action.folder!r} to {action.target!r}"
    if action.verb == "append":
        return f"{number} into {action.folder!r}"
    if action.verb == "delete":
        return f"{number} in {action.folder!r}, deleted for good"
    return f"{number} in {action.folder!r}: {_clean(' '.join(_signed(action)))}"


def _signed(change: Entry | Action) -> list[str]:
    return [*(f"+{word}" for word in change.add), *(f"-{word}" for word in change.remove)]


def _cells(entry: Entry) -> tuple[str, ...]:
    target = [f"→ {entry.target}"] if entry.target else []
    is_new = entry.verb == "append"
    return (
        "" if is_new else _clean(entry.folder),
        "" if is_new else str(entry.uid),
        _clipped(entry.sender or "", 40),
        _clipped(entry.subject or "", 60),
        "" if entry.date is None else entry.date.strftime("%Y-%m-%d"),
        "deleted" if entry.verb == "delete" else _clean(" ".join([*_signed(entry), *target])),
    )


def _in_a_line(entry: Entry) -> str:
    _, uid, sender, subject, date, what = _cells(entry)
    return f"{uid:>6}  {date:10}  {_clipped(sender, 26):26}  {_clipped(subject, 34):34}  {what}"


def _clipped(text: str, width: int) -> str:
    text = _clean(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _clean(text: str) -> str:
    """Show control characters, and those that turn the direction of writing, as dots."""
    return "".join(c if c.isprintable() else "·" for c in text)


def _reasons(fates: Sequence[Fate], counts: Mapping[str, int], error: str) -> list[str]:
    reasons = Counter((one.result.status, one.result.reason) for one in fates if one.result.reason)
    lines = [
        f"{many(number)} {status}: {_clean(reason)}"
        for (status, reason), number in reasons.most_common(REASONS)
    ]
    if len(reasons) > REASONS:
        lines.append(f"and {len(reasons) - REASONS:,} more reasons: outcome.frame")
    lines += [error] if error else []
    if error or counts["unknown"]:  # and not where a server refuses, and would again
        lines.append("The same plan, applied again, does what is left.")
    return lines
