"""What a call would send: the commands themselves, written by those who would send them.

Nothing is sent here. What only the server's answers can tell (which UIDs were found, which part is
the text) stands in the commands in angle brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.criteria import NOTHING, exact_subtrees, lower, needs, remainder, upper
from mailframe.imap.commands import explain_command, words_of
from mailframe.imap.fetch import Request
from mailframe.imap.folder import list_command
from mailframe.imap.messages import fields_for
from mailframe.imap.names import encode_name
from mailframe.imap.overview import FEW_FIELDS, request_for
from mailframe.imap.search import SIMPLE_ONLY, search_commands, simple_subtrees, speakable
from mailframe.imap.wire import Literal
from mailframe.records import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mailframe.criteria import Node
    from mailframe.imap.connection import Connection
    from mailframe.imap.overview import Fields
    from mailframe.source import Selection

__all__ = ["READ", "Rehearsal"]

#: What of a message is read for each kind of frame.
READ: Mapping[str, dict[str, bool]] = {
    "headers": {"headers": True, "structure": True},
    "recipients": {"headers": True, "structure": False},
    "attachments": {"headers": False, "structure": True},
    "dates": {"headers": False, "structure": False},
    "fields": {"headers": False, "structure": False},
}
_FOUND = b"<uids>"
_SOME = b"<uids-in-doubt>"
_TEXT = b"<part>"
_DOUBT = (
    "Messages whose structure is suspicious (an empty part, a multipart of one part, no From or "
    "Date, …) are read whole, up to 1 MiB, and parsed here: UID FETCH <uid> (UID BODY.PEEK[])."
)
_FACTS = {
    "has_attachment": "which have attachments, by BODYSTRUCTURE",
    "internal_date": "the exact time of arrival, by INTERNALDATE",
    "sent_date": "the exact time of sending, by the Date field",
}


class Rehearsal:
    """The steps of one call, one after the other.

    Parameters
    ----------
    connection
        Says what the server offers and which folder is open; nothing is sent over it.
    what
        The session's method: ``"headers"``, ``"bodies"``, ``"search"``, …
    """

    def __init__(self, connection: Connection, what: str) -> None:
        self.steps: list[Step] = []
        self._connection = connection
        self._what = what
        self._opened = connection.selected.folder if connection.selected else None

    def read_folders(self, folders: Sequence[str], criteria: Node, limit: int | None) -> None:
        """Search folders, and read what was found."""
        if any(name.startswith("\\") or set(name) & set("*?[") for name in folders):
            self._send(*list_command(self._connection, status=False))
            if self._connection.offers("NAMESPACE"):
                self._send(b"NAMESPACE")
            self._here("The folders are chosen from that list by role or pattern.")
        for folder in folders:
            self._open(folder)
            self._search(criteria)
        if limit is not None:
            self._here(f"Of those found, the {limit} with the highest UIDs are kept.")
            if len(folders) > 1:
                self._read_messages("dates", None)
                self._here(f"Over all folders, the {limit} that were received last are kept.")
        for folder in folders:
            if self._what not in {"search", "count"}:
                self._return_to(folder)
                self._read(None)

    def read_selections(self, selections: Sequence[Selection]) -> None:
        """Read the messages of a frame."""
        for one in selections:
            self._open(one.folder)
        self._here("UIDVALIDITY must be what it was when the rows were read.")
        for one in selections:
            if self._what not in {"search", "count"}:
                self._return_to(one.folder)
                self._read(one.uids)
        self._here("The rows are put into the order of the frame.")

    # steps -------------------------------------------------------------------------------------

    def _send(self, *pieces: bytes) -> None:
        is_open = self._connection.wire.literal_plus
        line = b"".join(
            b"{%d%b}\r\n%b" % (len(piece), b"+" if is_open else b"", piece)
            if isinstance(piece, Literal)
            else piece
            for piece in pieces
        ).decode("utf-8", "replace")
        word = explain_command(line)
        words = tuple(
            (one.name, one.rfc, one.meaning) for one in words_of(line.replace("<part>", "1"))
        )
        self.steps.append(Step("server", line, word.rfc, word.meaning, words))

    def _here(self, meaning: str) -> None:
        self.steps.append(Step("here", "", "", meaning))

    # what is done ------------------------------------------------------------------------------

    def _open(self, folder: str) -> None:
        if folder.startswith("\\") or set(folder) & set("*?["):
            self._send(b"EXAMINE <folder>")
        else:
            self._send(b"EXAMINE ", *encode_name(folder))
        self._opened = folder

    def _return_to(self, folder: str) -> None:
        if self._opened != folder:
            self._open(folder)

    def _search(self, criteria: Node) -> None:
        if criteria == NOTHING:
            self._here("No message can match: nothing is asked.")
            return
        tree = speakable(self._connection, criteria)
        rest = remainder(tree)
        if rest is None:
            self._ask(tree)
            return
        self._ask(upper(tree))
        if lower(tree) != NOTHING:
            self._here("That was wider than asked for; the next search finds those beyond doubt.")
        for part in (lower(tree), *exact_subtrees(rest)):
            self._ask(part)
        facts = needs(rest)
        structure = "has_attachment" in facts
        words = {name.partition(":")[2] for name in facts if name.startswith("words:")}
        fields = fields_for(
            headers=structure or "sent_date" in facts,
            structure=structure,
            also=sorted(words - {"text", "body"}),
        )
        self._look(_SOME, None, fields, structure=structure)
        decided = [text for name, text in _FACTS.items() if name in facts]
        decided += [f"whether {place} holds the words" for place in sorted(words)]
        self._here(f"Decided here, of messages that the server cannot judge: {'; '.join(decided)}.")

    def _ask(self, tree: Node) -> None:
        if tree == NOTHING:
            return
        trees: Iterable[Node] = [tree]
        if SIMPLE_ONLY in self._connection.quirks:
            trees = simple_subtrees(tree)
        for one in trees:
            for pieces in search_commands(self._connection, one):
                self._send(*pieces)

    def _read(self, uids: Sequence[int] | None) -> None:
        if self._what == "bodies":
            self._look(_FOUND, uids, FEW_FIELDS, structure=True)
            self._here("Which part is the text is decided by RFC 8621 section 4.1.4.")
            self._here(_DOUBT)
            self._fetch(_FOUND, uids, Request((), b"BODY.PEEK[%b]" % _TEXT, frozenset(), 0))
        else:
            self._read_messages("fields" if self._what == "hops" else self._what, uids)

    def _read_messages(self, what: str, uids: Sequence[int] | None) -> None:
        how = READ[what]
        also = ("received",) if self._what == "hops" and what == "fields" else ()
        gmail = what == "headers" and self._connection.offers("X-GM-EXT-1")
        structure = how["structure"]
        self._look(_FOUND, uids, fields_for(**how, also=also), structure=structure, gmail=gmail)
        if structure:
            self._here(_DOUBT)

    def _look(
        self,
        found: bytes,
        uids: Sequence[int] | None,
        fields: Fields,
        *,
        structure: bool,
        gmail: bool = False,
    ) -> None:
        self._fetch(found, uids, request_for(uids or (), fields, structure=structure, gmail=gmail))

    def _fetch(self, found: bytes, uids: Sequence[int] | None, request: Request) -> None:
        if uids is None or request.uids != uids:
            self._send(*request.command(found))
            return
        for chunk in request.chunks(self._connection.message_limit):
            self._send(*chunk.command.pieces)
