r"""Read IMAP replies, and what imaptest's scripts say about them, as values; compare the two.

Both are the same language, words and lists, but a script's words can hold variables, and its lists
can begin with directives: ``($!unordered $!ban=\noselect \subscribed)``.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Octets(NamedTuple):
    """A literal, its octets as the characters of the same numbers."""

    text: str
    binary: bool = False  # ~{n}, RFC 3516


class Word(NamedTuple):
    """An atom, or a string however it was sent (quoted, literal)."""

    text: str
    is_string: bool = False


class Group(NamedTuple):
    """A list, in parentheses, or a response code, in brackets."""

    items: tuple[Value, ...]


Value = Word | Group
Pieces = list[str | Octets]

# An atom may hold a section with spaces and parentheses: BODY[HEADER.FIELDS (TO)]<0>.
TOKEN = re.compile(
    r"""\s*+(?:(?P<string>"(?:[^"\\]|\\.)*+")
            |(?P<bracket>[()\[\]])
            |(?P<atom>[^\s()\[\]"]++(?:\[[^\]]*+\]?[^\s()\[\]"]*+)?+)
            |(?P<other>\S))""",
    re.VERBOSE | re.DOTALL,
)
# What follows is for people, and need not be made of words (RFC 3501 section 7.1).
STATUS_LINE = re.compile(r"\s*((?:OK|NO|BAD|BYE|PREAUTH)\b(?: +\[[^\]]*\])?)", re.IGNORECASE)
REFERENCE = re.compile(r"\$(?:\$|\{(?P<braced>\w+)\}|(?P<bare>\w+))")


def read_values(pieces: Pieces) -> tuple[Value, ...]:
    """Read a reply, without its ``*`` or tag; of a status only the word and its code."""
    if status := STATUS_LINE.match(head(pieces)):
        pieces = [status[1]]
    return _until_closed(_tokens(pieces))


def head(pieces: Pieces) -> str:
    """Return what stands before the first literal."""
    return pieces[0] if isinstance(pieces[0], str) else ""


def show(pieces: Pieces, limit: int = 400) -> str:
    """Return a reply as one line to be read by people."""
    line = "".join(
        piece if isinstance(piece, str) else f"{{{len(piece.text)}}}{piece.text!r}"
        for piece in pieces
    ).strip()
    return line if len(line) <= limit else line[:limit] + " …"


def _tokens(pieces: Pieces) -> Iterator[str | Word]:
    """Yield words, and each bracket as itself."""
    for piece in pieces:
        if isinstance(piece, Octets):
            yield Word(piece.text, is_string=True)
            continue
        for token in TOKEN.finditer(piece):
            if token["string"]:
                yield Word(re.sub(r"\\(.)", r"\1", token["string"][1:-1]), is_string=True)
            elif token["bracket"]:
                yield token["bracket"]
            else:
                # Whether a server quotes the fields' names in a section does not matter.
                yield Word((token["atom"] or token["other"]).replace('"', ""))


def _until_closed(tokens: Iterator[str | Word]) -> tuple[Value, ...]:
    values: list[Value] = []
    for token in tokens:
        if isinstance(token, Word):
            values.append(token)
        elif token in "([":
            values.append(Group(_until_closed(tokens)))
        else:
            break
    return tuple(values)


class Bindings:
    """What variables stand for in one step: named ones, and ``$1``, ``$2`` for message numbers.

    A failed comparison leaves no trace: compare in a `copy`, and `adopt` that if it fits.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = dict(names)
        self._expunged: set[int] = set()

    def copy(self) -> Bindings:
        other = Bindings(self.names)
        other._expunged = self._expunged
        return other

    def adopt(self, other: Bindings) -> None:
        self.names = other.names

    def note_expunge(self, number: int) -> None:
        """Remember that this message is gone, and that those above it have moved down."""
        self._expunged.add(next(n for n in itertools.count(1) if self._now(n) == number))

    def _now(self, original: int) -> int | None:
        if original in self._expunged:
            return None
        return original - sum(gone < original for gone in self._expunged)

    def value(self, name: str) -> str | None:
        """Return what a variable stands for; None if it has no value, and ``""`` if it went."""
        if name.isdigit():
            return str(self._now(int(name)) or "")
        return self.names.get(name)

    def substitute(self, text: str) -> str:
        """Put values in the place of variables; `KeyError` for one that has none."""

        def replace(reference: re.Match[str]) -> str:
            name = reference["braced"] or reference["bare"]
            if name is None:
                return "$"
            if (value := self.value(name)) is None:
                raise KeyError(name)
            return value

        return REFERENCE.sub(replace, text)

    def fits(self, expected: str, actual: str) -> bool:
        """Compare one word, and give a value to those of its variables that have none."""
        pattern, end, unknown = "", 0, []
        for reference in REFERENCE.finditer(expected):
            pattern += re.escape(expected[end : reference.start()])
            end = reference.end()
            name = reference["braced"] or reference["bare"]
            value = "$" if name is None else self.value(name)
            if value is None:
                unknown.append(name)
                pattern += "(.*)"
            else:
                pattern += re.escape(value)
        pattern += re.escape(expected[end:])
        found = re.fullmatch(pattern, actual, re.IGNORECASE | re.DOTALL)
        if found:
            self.names.update(zip(unknown, found.groups(), strict=True))
        return found is not None


@dataclass(frozen=True, slots=True)
class Rules:
    """How a list is compared.

    Attributes
    ----------
    chain
        How many items belong together, in any order of these chains; 0 if order matters.
    extra
        Whether there may be more than what is expected, but for ``ban``.
    ignore
        What there may be nevertheless.
    """

    chain: int = 0
    extra: bool = False
    ignore: frozenset[str] = frozenset()
    ban: frozenset[str] = frozenset()


ORDERED = Rules()
ANY_ORDER = Rules(chain=1, extra=True)
PAIRS = Rules(chain=2, extra=True)
# Who sees \Recent is a matter of who came first, unless a script asks for it.
FLAGS = Rules(chain=1, ignore=frozenset({"\\recent"}))
# By the reply's name and the place of the list in it.
DEFAULTS = {
    ("fetch", 2): PAIRS,
    ("list", 1): ANY_ORDER,
    ("lsub", 1): ANY_ORDER,
    ("status", 2): PAIRS,
}


def match_reply(
    expected: Sequence[Value], actual: Sequence[Value], bindings: Bindings
) -> Bindings | None:
    """Compare a whole reply; return the bindings with what it taught, None if it doesn't fit."""
    learnt = bindings.copy()
    words = (value.text.lower() for value in expected if isinstance(value, Word))
    name = next((word for word in words if word.strip("$0123456789")), "")
    if name in {"ok", "no", "bad", "bye", "preauth"}:
        actual = actual[: len(expected)]
    if len(expected) != len(actual):
        return None
    fits = all(
        _fits(one, other, DEFAULTS.get((name, place), ORDERED), learnt)
        for place, (one, other) in enumerate(zip(expected, actual, strict=True))
    )
    return learnt if fits else None


def _fits(expected: Value, actual: Value, rules: Rules, bindings: Bindings) -> bool:
    if expected == Word("$"):
        return True
    if isinstance(expected, Group) or isinstance(actual, Group):
        if not (isinstance(expected, Group) and isinstance(actual, Group)):
            return False
        return _fits_list(expected.items, actual.items, rules, bindings)
    if expected.is_string != actual.is_string and expected.text.upper() == "NIL":
        # The atom is nothing, the string is three letters (RFC 3501 section 4.5).
        return False
    return bindings.fits(expected.text, actual.text)


def _fits_list(
    expected: Sequence[Value], actual: Sequence[Value], rules: Rules, bindings: Bindings
) -> bool:
    directives = [item.text for item in expected if isinstance(item, Word) and _is_directive(item)]
    if directives:
        rules = _rules(directives)
        expected = expected[len(directives) :]
    if not rules.chain:
        return len(expected) == len(actual) and _fits_chain(expected, actual, bindings)
    left = _chains(actual, rules.chain)
    for chain in _chains(expected, rules.chain):
        for candidate in left:
            trial = bindings.copy()
            if _fits_chain(chain, candidate, trial):
                bindings.adopt(trial)
                left.remove(candidate)
                break
        else:
            return False
    extra = {item.text.lower() if isinstance(item, Word) else "()" for item, *_ in left}
    return not extra & rules.ban if rules.extra else extra <= rules.ignore


def _fits_chain(expected: Sequence[Value], actual: Sequence[Value], bindings: Bindings) -> bool:
    if len(expected) != len(actual):
        return False
    match expected:
        case [Word(name), *_] if name.lower() == "flags":
            rules = FLAGS
        case _:
            rules = ORDERED
    pairs = zip(expected, actual, strict=True)
    return all(_fits(one, other, rules, bindings) for one, other in pairs)


def _chains(items: Sequence[Value], length: int) -> list[Sequence[Value]]:
    return [items[start : start + length] for start in range(0, len(items), length)]


def _is_directive(word: Word) -> bool:
    return word.text.startswith("$!") and not word.is_string


def _rules(directives: Sequence[str]) -> Rules:
    chain, extra, ignore, ban = 0, None, set(), set()
    for directive in directives:
        name, _, value = directive.removeprefix("$!").partition("=")
        match name:
            case "ordered":
                chain = 0
            case "unordered":
                chain = int(value or 1)
            case "extra" | "noextra":
                extra = name == "extra"
            case "ignore":
                ignore.add(value.lower())
            case "ban":
                ban.add(value.lower())
            case _:
                raise ValueError(f"unknown directive {directive}")
    if extra is None:
        extra = chain > 0
    return Rules(chain, extra, frozenset(ignore), frozenset(ban))
