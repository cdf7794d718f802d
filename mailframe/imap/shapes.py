"""Structures of one shape are read once.

Most mail has one of a few structures, and from one message to the next only sizes and boundaries
differ. Once a structure was read, is beyond doubt and has no attachments, others of its shape are
not read: their sizes are put into what is known already. For texts alone that is a tenth of the
time, measured in pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from mailframe.imap.bodystructure import parse_bodystructure
from mailframe.imap.responses import Unread
from mailframe.parsing import Picked, pick_parts
from mailframe.records import Part

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Plain", "known", "learn", "shape"]

#: More than the shapes of any mailbox without attachments; names make a shape each.
MAX_SHAPES = 1000

#: The place of a part's size among the numbers of the structure, and what makes the part of it.
Template: TypeAlias = "tuple[int, Callable[..., Part]]"

_NUMBER = re.compile(rb"\d+")
_DIGITS = b"0123456789"
_GRAMMAR = b'() NIL"'  # what may stand outside strings, beside numbers


@dataclass(frozen=True, slots=True)
class Plain:
    """What messages of one shape have in common: no doubt, no attachments, the same bodies.

    Attributes
    ----------
    content_type
        Of the message.
    """

    content_type: str
    _text: tuple[Template, ...]
    _html: tuple[Template, ...]

    def picked(self, structure: Unread) -> Picked:
        """Return the bodies of a message of this shape.

        Parameters
        ----------
        structure
            The message's own, for the sizes.
        """
        numbers = _NUMBER.findall(b'"'.join(structure.split(b'"')[::2]))
        return Picked(
            tuple(make(size=int(numbers[place])) for place, make in self._text),
            tuple(make(size=int(numbers[place])) for place, make in self._html),
            (),
        )


_known: dict[bytes, Plain] = {}


def known(form: bytes) -> Plain | None:
    """Return what was learnt about a shape.

    Parameters
    ----------
    form
        From `shape`.
    """
    return _known.get(form)


def learn(form: bytes, structure: Unread) -> None:
    """Remember a structure beyond doubt and without attachments for others of its shape.

    Parameters
    ----------
    form
        Its `shape`; an empty one is not remembered.
    structure
        As the server sent it.
    """
    if not form:
        return
    if len(_known) >= MAX_SHAPES:  # of another mailbox, or shapes that come once
        _known.clear()
    # Read with places in place of the numbers, each part says where its size stands.
    places = count()
    pieces = structure.split(b'"')
    pieces[::2] = [_NUMBER.sub(lambda _: b"%d" % next(places), piece) for piece in pieces[::2]]
    root = parse_bodystructure(Unread(b'"'.join(pieces)))
    picked = pick_parts(root)
    _known[form] = Plain(root.content_type, _templates(picked.text), _templates(picked.html))


def _templates(parts: tuple[Part, ...]) -> tuple[Template, ...]:
    names = [one.name for one in fields(Part) if one.name != "size"]
    return tuple(
        (part.size, partial(Part, **{name: getattr(part, name) for name in names}))
        for part in parts
    )


def shape(structure: Unread) -> bytes:
    """Return a structure without what differs from message to message: numbers and boundaries.

    Structures of one shape have the same parts, names and doubts; only their sizes differ. One
    with an empty part, a quote in a string, or words outside strings, has no shape: ``b""``.

    Parameters
    ----------
    structure
        As the server sent it.
    """
    if structure.find(b" 0 ") >= 0 or structure.find(b" 0)") >= 0 or structure.find(b"\\") >= 0:
        return b""
    pieces = structure.split(b'"')
    grammar = b'"'.join(pieces[::2]).translate(None, _DIGITS)
    if grammar.translate(None, _GRAMMAR):
        return b""
    words = pieces[1::2]
    for place in range(len(words) - 1):
        if words[place] == b"boundary":
            words[place + 1] = b""
    return b'"'.join((grammar, *words))
