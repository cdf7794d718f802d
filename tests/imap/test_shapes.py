"""imap/shapes.py: a structure of a shape that was read need not be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailframe.imap import shapes
from mailframe.imap.bodystructure import parse_bodystructure
from mailframe.imap.responses import Unread
from mailframe.parsing import pick_parts

DATA = Path(__file__).parent.parent / "data"

ALTERNATIVE = (
    b'(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" %b 3 NIL NIL NIL NIL)'
    b'("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" %b 5 NIL NIL NIL NIL)'
    b' "alternative" ("boundary" "%b") NIL NIL NIL)'
)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_known", {})


def test_only_sizes_and_boundaries_are_no_part_of_a_shape() -> None:
    def form(subtype: bytes, name: bytes, size: bytes, boundary: bytes) -> bytes:
        return shapes.shape(
            Unread(
                b'(("text" "%b" ("name" "%b") NIL NIL "7bit" %b 1) "mixed" ("boundary" "%b"))'
                % (subtype, name, size, boundary)
            )
        )

    usual = form(b"html", b"", b"12", b"a1")
    assert form(b"html", b"", b"345", b"b2") == usual
    assert form(b"html5", b"", b"12", b"a1") != usual
    assert form(b"html", b"123", b"12", b"a1") != usual


@pytest.mark.parametrize(
    "structure",
    [
        b'("text" "plain" NIL NIL NIL "7bit" 0 1)',
        b'("text" "plain" NIL NIL NIL "7bit" 1 0)',
        b'("text" "plain" ("name" "a\\"b") NIL NIL "7bit" 4 1)',
        b'("text" "plain" NIL NIL NIL 7BIT 4 1)',
    ],
)
def test_what_differs_in_more_than_numbers_has_no_shape(structure: bytes) -> None:
    assert shapes.shape(Unread(structure)) == b""
    shapes.learn(shapes.shape(Unread(structure)), Unread(structure))
    assert shapes.known(b"") is None


def test_another_of_the_shape_gets_its_own_sizes() -> None:
    first = Unread(ALTERNATIVE % (b"12", b"3456", b"a"))
    shapes.learn(shapes.shape(first), first)
    other = Unread(ALTERNATIVE % (b"78901", b"2", b"b"))
    known = shapes.known(shapes.shape(other))
    assert known is not None
    assert known.content_type == "multipart/alternative"
    assert known.picked(other) == pick_parts(parse_bodystructure(other))
    assert [part.size for part in known.picked(other).text] == [78901]


def test_real_structures_give_the_same_from_their_shape() -> None:
    compared = 0
    for one in json.loads((DATA / "bodystructures.json").read_text("utf-8")).values():
        structure = Unread(one.encode("utf-8"))
        form = shapes.shape(structure)
        picked = pick_parts(parse_bodystructure(structure))
        if not form or picked.attachments:
            continue
        shapes.learn(form, structure)
        known = shapes.known(form)
        assert known is not None
        assert known.picked(structure) == picked
        compared += 1
    assert compared


def test_shapes_that_come_once_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_SHAPES", 3)
    for name in b"abcde":
        one = Unread(b'("text" "plain" ("charset" "%c") NIL NIL "7bit" 4 1)' % name)
        shapes.learn(shapes.shape(one), one)
    assert len(shapes._known) <= 3
    assert shapes.known(shapes.shape(one)) is not None
