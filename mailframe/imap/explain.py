"""What a call would send: the commands themselves, written by those who would send them.

Nothing is sent here. What only the server's answers can tell (which UIDs were found, which part is
the text) stands in the commands in angle brackets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailframe.criteria import NOTHING, exact_subtrees, lower, needs, remainder, upper
from mailframe.imap.commands import explain_command, words_of
from mailframe.imap.fetch import Request
from mailframe.imap.folder import list_command
from mailframe.imap.messages import BATCH, READ, fields_for
from mailframe.imap.names import encode_name
from mailframe.imap.overview import FEW_FIELDS, request_for
from mailframe.imap.search import (
    SIMPLE_ONLY,
    check_capabilities,
    how_to_know,
    simple_subtrees,
    speakable,
)
from mailframe.imap.search_command import search_commands
from mailframe.imap.wire import Literal
from mailframe.records import Step
from mailframe.source import is_glob, is_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.criteria import Node
    from mailframe.imap.connection import Connection
    from mailframe.imap.overview import Fields
    from mailframe.source import Selection

__all__ = ["Rehearsal"]

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
        check_capabilities(self._connection, criteria)
        several = len(folders) > 1 or any(map(_is_pattern, folders))
        if any(map(_is_pattern, folders)):
            self._send(*list_command(self._connection, status=False))
            if self._connection.offers("NAMESPACE"):
                self._send(b"NAMESPACE")
            self._here("The folders are chosen from that list by role or pattern.")
        for folder in folders:
            self._open(folder)
            self._search(criteria)
        if limit is not None:
            self._here(f"Of those found, the {limit} with the highest UIDs are kept.")
        if limit is not None and several:
            for folder in folders:
                self._return_to(folder)
                self._read_messages("dates", None)
            self._here(f"Over all folders, the {limit} that were received last are kept.")
        for folder in folders:
            if self._what not in {"search", "count"}:
                self._return_to(folder)
                self._read(None)

    def read_selections(self, selections: Sequence[Selection]) -> None:
        """Read the messages of a frame."""
        if not selections:
            self._here("The frame has no rows: nothing is sent.")
            return
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
        plus = "+" if self._connection.wire.literal_plus else ""
        charset = self._connection.search_charset
        line = "".join(
            f"{{{len(piece)}{plus}}}\r\n{piece.decode(charset, 'replace')}"
            if isinstance(piece, Literal)
            else piece.decode("utf-8", "replace")
            for piece in pieces
        )
        word = explain_command(line)
        words = tuple(
            (one.name, one.rfc, one.meaning) for one in words_of(line.replace("<part>", "1"))
        )
        self.steps.append(Step("server", line, word.rfc, word.meaning, words))

    def _here(self, meaning: str) -> None:
        self.steps.append(Step("here", "", "", meaning))

    # what is done ------------------------------------------------------------------------------

    def _open(self, folder: str) -> None:
        if _is_pattern(folder):
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
        how = how_to_know(facts)
        fields = fields_for(headers=how.headers, structure=how.structure, also=how.fields)
        self._look(_SOME, None, fields, structure=how.structure)
        if how.structure:
            self._here(_DOUBT)
        if how.texts:
            self._read_texts(_SOME, None)
        decided = [text for name, text in _FACTS.items() if name in facts]
        words = sorted(name.partition(":")[2] for name in facts if name.startswith("words:"))
        decided += [f"whether {place} holds the words" for place in words]
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
            self._read_texts(_FOUND, uids)
        else:
            self._read_messages("fields" if self._what == "hops" else self._what, uids)

    def _read_texts(self, found: bytes, uids: Sequence[int] | None) -> None:
        self._look(found, uids, FEW_FIELDS, structure=True)
        self._here("Which part is the text is decided by RFC 8621 section 4.1.4.")
        self._here(_DOUBT)
        self._fetch(found, uids, Request((), b"BODY.PEEK[%b]" % _TEXT, frozenset(), 0))

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
        for start in range(0, len(uids), BATCH):
            batch = replace(request, uids=uids[start : start + BATCH])
            for chunk in batch.chunks(self._connection.message_limit):
                self._send(*chunk.command.pieces)


def _is_pattern(folder: str) -> bool:
    return is_role(folder) or is_glob(folder)
