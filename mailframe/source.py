"""What a `Session` stands on: anywhere mail is, seen as folders, searches and records."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from mailframe.actions import Action, Place, Result
    from mailframe.criteria import Node
    from mailframe.parsing import Email
    from mailframe.records import BodyRecord, Folder, MessageRecord

__all__ = [
    "LONGEST",
    "Piece",
    "Selection",
    "Source",
    "What",
    "WritableSource",
    "check_apart",
    "check_count",
    "is_glob",
    "is_role",
    "words_of",
    "yes_or_no",
]

#: Bytes of a text part, as encoded, that are read at most.
LONGEST = 16 << 20

#: How much of a message `Source.headers` reads: everything the headers frame shows; the header
#: fields alone; the attachments alone; the dates alone; none but the fields asked for; those by
#: which one knows a message again.
What: TypeAlias = Literal["headers", "recipients", "attachments", "dates", "fields", "brief"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Messages of one folder.

    Attributes
    ----------
    folder
        Its name, decoded.
    uidvalidity
        The UIDs below mean these messages only as long as the folder has this value.
    uids
        Distinct, in the order wanted.
    """

    folder: str
    uidvalidity: int
    uids: tuple[int, ...]


class Piece(NamedTuple):
    """Decoded content of a part, as far as it has come.

    Attributes
    ----------
    place
        Which of the parts asked for, from 0.
    content
        What follows the last piece.
    last
        True at the end of the part.
    """

    place: int
    content: bytes
    last: bool


def check_count(name: str, value: object, of: str = "messages") -> None:
    """Refuse what is no number of something.

    Parameters
    ----------
    name, value
        Of the argument.
    of
        What is counted.

    Raises
    ------
    QueryError
        For anything but None and whole numbers from 0.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise QueryError(
            f"{name}={value!r} is no number of {of}.", suggestion="A whole number from 0, or None."
        )


def yes_or_no(name: str, value: object) -> bool:
    """Read a yes or a no that decides what becomes of mail: a ``"no"`` is true for Python.

    Parameters
    ----------
    name, value
        Of the argument.

    Raises
    ------
    QueryError
        For anything but True and False, numpy's own among them.
    """
    if type(value).__name__ not in {"bool", "bool_"}:  # numpy, which has the latter, takes long
        shown = " ".join(shortened(value).split())
        raise QueryError(
            f"{name}={shown} is neither True nor False.", suggestion=f"{name}=True or {name}=False."
        )
    return bool(value)


def words_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """Read flags or labels, of which one may stand alone; each once.

    Parameters
    ----------
    given
        As of the caller.

    Raises
    ------
    QueryError
        If it is neither a text nor several.
    """
    try:
        if not isinstance(given, bytes):  # it would be several numbers
            return tuple(dict.fromkeys((given,) if isinstance(given, str) else given))
    except TypeError:
        pass
    raise QueryError(
        f"{given!r} is neither a word nor several.", suggestion='One is a text: "project-x".'
    )


def check_apart(add: Iterable[str], remove: Iterable[str]) -> None:
    """Refuse flags or labels that are to be set and taken off at once.

    Parameters
    ----------
    add, remove
        Words, in any case.

    Raises
    ------
    QueryError
        If one is in both.
    """
    both = {word.lower() for word in add} & {word.lower() for word in remove}
    if both:
        raise QueryError(
            f"{', '.join(sorted(both))}: to be set and taken off at once.",
            suggestion="Leave it out of one of the two.",
        )


def is_role(folder: str) -> bool:
    r"""Whether a folder is asked for by its role: ``"\Sent"``.

    No server lets a folder be called so: a backslash begins a flag (RFC 6154 section 2).
    """
    return folder.startswith("\\")


def is_glob(folder: str) -> bool:
    """Whether several folders may be asked for: ``"Lists/*"``."""
    return any(c in folder for c in "*?[")


class Source(Protocol):
    """Where mail is. Reading changes nothing there.

    Every method raises `FolderError` for a folder that is not there, and those that take a
    `Selection` raise `UidValidityError` if the folder has another UIDVALIDITY by now. Messages
    that have gone are left out.
    """

    @property
    def account(self) -> str:
        """Whose mail it is: the ``account`` column of the frames."""

    def folders(self, *, status: bool = True) -> Sequence[Folder]:
        """List the folders, with their counts if ``status``."""

    def search(self, folder: str, criteria: Node, limit: int | None = None) -> Selection:
        """Find messages: UIDs descending, the highest ``limit`` of them."""

    def headers(
        self, selection: Selection, what: What = "headers", fields: Sequence[str] = ()
    ) -> Generator[MessageRecord]:
        """Read headers, flags and attachments, or what of them is asked for.

        ``fields`` are lower-case names of header fields for `Headers.extra`.
        """

    def parts(
        self, selection: Selection, *, html: bool = False, max_bytes: int | None = None
    ) -> Generator[BodyRecord]:
        """Read the parts that are text, and the HTML as sent if asked for.

        Of each part ``max_bytes`` are read at most, as encoded.
        """

    def message(self, folder: str, uid: int) -> Email:
        """Read one whole message.

        Raises
        ------
        MessageNotFoundError
            If there is none with this UID.
        """

    def contents(
        self, folder: str, uidvalidity: int, wanted: Sequence[tuple[int, str]]
    ) -> Generator[Piece]:
        """Read parts by UID and part number, decoded, piece by piece."""

    def close(self) -> None:
        """Let go of what is held; a second call does nothing."""


class WritableSource(Source, Protocol):
    """Where mail may be changed as well."""

    def place(self, folder: str) -> Place:
        """Say how far a folder is numbered."""

    def rights(self, folder: str) -> frozenset[str] | None:
        """Say what may be done in a folder (RFC 4314); None where that is not said."""

    def capabilities(self) -> tuple[str, ...]:
        """Return what the server offers."""

    def perform(self, actions: Sequence[Action]) -> Generator[tuple[int, list[Result]]]:
        """Do what is to be done; tell the action's number, and what became of its messages."""

    def create_folder(self, folder: str) -> None:
        """Make a folder."""

    def rename_folder(self, folder: str, to: str) -> None:
        """Rename a folder, and those below it."""

    def delete_folder(self, folder: str, *, force: bool) -> None:
        """Delete a folder."""

    def subscribe(self, folder: str, *, on: bool) -> None:
        """Subscribe to a folder, or unsubscribe from it."""
