"""Address fields as ENVELOPE gives them: RFC 5322 section 3.4 -> RFC 3501 section 7.4.2."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailframe.embedded.strings import nstring, readable

__all__ = ["address_list"]

# NIL in the place of a host says "group", so what is missing has to have a name. These are
# Dovecot's, which clients know.
_NO_MAILBOX = b"MISSING_MAILBOX"
_NO_DOMAIN = b"MISSING_DOMAIN"
_BROKEN = b"SYNTAX_ERROR"

_TOKEN = re.compile(
    rb"""([\s\0]++)                         # 1 blanks
      | "((?:[^"\\]|\\.)*+)(?:"|\\?\Z)      # 2 quoted string; the last may not be closed
      | (\[(?:[^\[\]\\]|\\.){0,255}+\])      # 3 domain literal
      | ([^\s\0()<>\[\]:;@\\,."]++)         # 4 atom
      | (.)                                 # 5 anything else""",
    re.DOTALL | re.VERBOSE,
)
_END, _BLANK, _QUOTED, _LITERAL, _ATOM, _OTHER = range(6)
_COMMENT_ENDS = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


class _Token(NamedTuple):
    """A word, or a character that means something.

    Attributes
    ----------
    is_apart
        Whether blanks or a comment stand before it.
    comment
        The one before it.
    """

    kind: int
    text: bytes
    is_apart: bool
    comment: bytes | None


def address_list(values: list[bytes]) -> bytes:
    r"""Write the addresses of a field, and of its repetitions, for the wire.

    Parameters
    ----------
    values
        Of the fields, unfolded. What follows an error in one of them is passed over.

    Examples
    --------
    >>> address_list([b"Ann <ann@example.org>"])
    b'(("Ann" NIL "ann" "example.org"))'
    >>> address_list([b"Us: ben@example.org;"])  # a group is its name, its members, and an end
    b'((NIL NIL "Us" NIL)(NIL NIL "ben" "example.org")(NIL NIL NIL NIL))'
    """
    found = b"".join(_Reader(value).read() for value in values)
    return b"(%b)" % found if found else b"NIL"


class _Reader:
    """Reads one field from left to right."""

    def __init__(self, value: bytes) -> None:
        self.tokens = _tokens(value)
        self.position = 0
        self.found: list[bytes] = []

    def read(self) -> bytes:
        """Read ``address-list`` (RFC 5322 section 3.4)."""
        while self._token().kind != _END:
            self._address()
            if not self._take(b","):
                break
        return b"".join(self.found)

    # -- what comes next

    def _token(self) -> _Token:
        return self.tokens[self.position]

    def _next(self) -> bytes:
        """Return the character that comes next; empty before a word and at the end."""
        token = self._token()
        return token.text if token.kind == _OTHER else b""

    def _take(self, character: bytes) -> bool:
        found = self._next() == character
        self.position += found
        return found

    # -- the grammar

    def _address(self) -> None:
        """Read ``address``: a mailbox, or a group of them."""
        start = self.position
        name = self._phrase()
        if not name or not self._take(b":"):
            self.position = start
            self._mailbox()
            return
        self._add(None, None, name, None)
        while self._token().kind != _END and self._next() != b";":
            self._mailbox()
            if not self._take(b","):
                break
        self._take(b";")
        self._add(None, None, None, None)

    def _mailbox(self) -> None:
        """Read ``mailbox``: a name with an address in angle brackets, or an address alone."""
        start = self.position
        name = self._phrase()
        if self._take(b"<"):
            self._angle_address(name)
            return
        behind_name, self.position = self.position, start
        is_word = self._token().kind == _ATOM
        mailbox = self._local_part()
        if self._next() == b"@":
            domain, comment = self._domain(self._token().comment)
            self._add(comment, None, mailbox or _NO_MAILBOX, domain or _NO_DOMAIN)
        elif is_word and self.position == behind_name:
            self._add(self._token().comment, None, mailbox, _NO_DOMAIN)
        else:  # several words: the name of somebody without an address
            self.position = behind_name
            self._add(name or None, None, _NO_MAILBOX, _NO_DOMAIN)

    def _angle_address(self, name: bytes) -> None:
        route = self._route()
        mailbox, domain = self._local_part(), b""
        if self._next() == b"@":
            domain, _ = self._domain()
        if not self._take(b">"):
            domain = _BROKEN
        self._add(name or None, route, mailbox or _NO_MAILBOX, domain or _NO_DOMAIN)

    def _route(self) -> bytes | None:
        """Read ``obs-route`` (section 4.4): the hosts to go by, before a colon."""
        start, hosts = self.position, []
        while self._next() == b"@":
            hosts.append(b"@" + self._domain()[0])
            while self._take(b","):
                pass
        if hosts and self._take(b":"):
            return b",".join(hosts)
        self.position = start
        return None

    def _phrase(self) -> bytes:
        """Read words, with dots between them that should be quoted (``obs-phrase``)."""
        words: list[bytes] = []
        after_dot = False
        while True:
            token = self._token()
            is_dot = token.kind == _OTHER and token.text == b"."
            if not is_dot and token.kind not in {_ATOM, _QUOTED}:
                return b"".join(words)
            if is_dot and not words:
                return b""
            if words and not is_dot and (token.is_apart or not after_dot):
                words.append(b" ")
            words.append(token.text)
            after_dot = is_dot
            self.position += 1

    def _local_part(self) -> bytes:
        """Read words with dots between them, blanks around the dots too (``obs-local-part``)."""
        words: list[bytes] = []
        while self._next() == b"." or (
            self._token().kind in {_ATOM, _QUOTED} and words[-1:] in ([], [b"."])
        ):
            words.append(self._token().text)
            self.position += 1
        return b"".join(words)

    def _domain(self, comment: bytes | None = None) -> tuple[bytes, bytes | None]:
        """Read what follows the ``@``, and the last comment within and behind it."""
        self.position += 1
        words: list[bytes] = []
        while (self._token().kind in {_ATOM, _LITERAL} and words[-1:] in ([], [b"."])) or (
            words and self._next() == b"."
        ):
            comment = self._token().comment or comment
            words.append(self._token().text)
            self.position += 1
        # A dot parts two words (dot-atom, section 3.2.3): with one at its end it is no domain.
        domain = b"" if words[-1:] == [b"."] else b"".join(words)
        return domain, self._token().comment or comment

    def _add(
        self,
        name: bytes | None,
        route: bytes | None,
        mailbox: bytes | None,
        host: bytes | None,
    ) -> None:
        shown = None if name is None else readable(name)
        self.found.append(
            b"(%b %b %b %b)" % (nstring(shown), nstring(route), nstring(mailbox), nstring(host))
        )


def _tokens(value: bytes) -> list[_Token]:
    tokens: list[_Token] = []
    position, is_apart, comment = 0, False, None
    while position < len(value):
        found = _TOKEN.match(value, position)
        if found is None:  # it matches anything
            break
        kind, text, position = found.lastindex or _OTHER, found[found.lastindex or 0], found.end()
        if text == b"(" and kind == _OTHER:
            end = _end_of_comment(value, position)
            comment = value[position : end - 1] if end <= len(value) else None
            position, kind = end, _BLANK
        if kind == _BLANK:
            is_apart = True
            continue
        if kind == _QUOTED and b"\\" in text:
            text = _ESCAPE.sub(rb"\1", text)
        tokens.append(_Token(kind, text, is_apart, comment))
        is_apart, comment = False, None
    tokens.append(_Token(_END, b"", is_apart, comment))
    return tokens


def _end_of_comment(value: bytes, position: int) -> int:
    """Return where a comment ends; there may be others in it (RFC 5322 section 3.2.2)."""
    depth = 1
    while depth:
        found = _COMMENT_ENDS.search(value, position)
        if found is None:  # never closed
            return len(value) + 1
        position = found.end()
        if found[0] == b"\\":
            position += 1
        else:
            depth += 1 if found[0] == b"(" else -1
    return position
