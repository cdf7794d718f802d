"""What one may do in a folder, where the server has access lists (RFC 4314)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mailframe.actions import Action, Verb
    from mailframe.source import WritableSource

__all__ = ["missing_rights"]

#: What one needs to be allowed for each verb (RFC 4314 section 4), in the folder and in the target.
_RIGHTS: Mapping[Verb, tuple[str, str]] = {
    "flags": ("", ""),
    "labels": ("w", ""),
    "move": ("te", "i"),
    "copy": ("", "i"),
    "delete": ("te", ""),
    "append": ("i", ""),
}
_RIGHT_OF_FLAG = {"\\seen": "s", "\\deleted": "t"}
#: What the rights are called, for those who read a warning.
_ALLOWED = {
    "s": "mark messages as read",
    "w": "change flags",
    "t": "mark messages as deleted",
    "e": "expunge",
    "i": "put messages in",
}


def missing_rights(
    source: WritableSource, actions: Iterable[Action], create: Sequence[str] = ()
) -> list[str]:
    """Say what a plan needs that is not allowed, where the server tells (ACL).

    Parameters
    ----------
    source
        Says which rights there are.
    actions
        Of the plan.
    create
        Folders that are not there yet.
    """
    needed: dict[str, str] = {}
    for action in actions:
        here, there = _RIGHTS[action.verb]
        if action.verb == "flags":
            flags = (*action.add, *action.remove)
            here = "".join(_RIGHT_OF_FLAG.get(flag.lower(), "w") for flag in flags)
        needed[action.folder] = needed.get(action.folder, "") + here
        if action.target and action.target not in create:
            needed[action.target] = needed.get(action.target, "") + there
    said = []
    for folder, rights in needed.items():
        have = source.rights(folder) if rights else None
        if have is None:
            continue
        have = have | set("te") if "d" in have else have  # as RFC 2086 had it
        lacking = [_ALLOWED[right] for right in dict.fromkeys(rights) if right not in have]
        if lacking:
            said.append(
                f"In {folder!r} you may not {' or '.join(lacking)} (its access list): that part "
                "will fail."
            )
    return said
