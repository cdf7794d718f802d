"""Address fields: RFC 5322 section 3.4, the obsolete forms of section 4.4, and what is met."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from mailframe.parsing.words import decode_words
from mailframe.records import Address

__all__ = ["LONGEST_LIST", "comment_end", "parse_addresses"]

# What nearly every address looks like: no comment, group, escape or odd character.
_ORDINARY = re.compile(
    r"""\s*+
        (?: (?: "([^"\\]*)" \s*
              | ((?: [^"\\<>()\[\]:;,@=]++
                   | =\?[\w.*-]++\?[bBqQ]\?[^\s"\\<>()\[\]:;,@?]*+\?= )*+) )
            <([^\s"\\<>()\[\]:;,@]+@[^\s"\\<>()\[\]:;,@]+)>
          | ([^\s"\\<>()\[\]:;,@=]+@[^\s"\\<>()\[\]:;,@=]+) )
        \s* (?:,|\Z)""",
    re.VERBOSE,
)

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<quoted>"(?:[^"\\]|\\.)*+")
      | (?P<word>=\?[^?\s]*\?[bBqQ]\?[^?]*\?=)
      | (?P<angle><(?:[^<>"]|"(?:[^"\\]|\\.)*+")*+> | <[^\s<>",;@]*+@[^\s<>",;]+)
      | (?P<mark>:|[,;][\s,;]*+)
      | (?P<atom>(?:\\[()<>,;:"] | [^\s"(<>,;:=])+ | [=<>"])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_MARK = re.compile(r"\\([()<>,;:\"])")
_BLANKS = re.compile(r"\s+")
_LOCAL = re.compile(r"[A-Za-z0-9._+-]+")
_ROUTE = re.compile(r"@[^:<>]*:\s*")
_BRACKET = re.compile(r"\\.|[()]", re.DOTALL)
_SPEC = re.compile(r"[^\s@<>]+@[^\s@<>]+")
# RFC 5322 section 4.4: blanks around dots belong to nothing.
_LOOSE = re.compile(r"\s+(?=[.@])|(?<=[.@])\s+")
# As archives write it, so that nobody reaps it: jdoe at example.org, jdoe at example dot org. Names
# have an "at" as well (Ann at Work): only what ends like a domain is meant.
_OBFUSCATED = re.compile(
    r"([\w.+-]++)(?: at |\ ?\[at\]\ ?)([\w-]++(?:(?:\.| dot |\ ?\[dot\]\ ?)[\w-]++)*+)",
    re.ASCII | re.IGNORECASE,
)
_DOT = re.compile(r" dot |\ ?\[dot\]\ ?", re.IGNORECASE)
_TOP_LEVEL = re.compile(r"\.[a-z]{2,24}\Z", re.ASCII | re.IGNORECASE)
# An encoded word, against RFC 2047 section 5, around the whole of it.
_WRAPPED = re.compile(r"(.*?)\s*+<([^\s@<>]+@[^\s@<>]+)>", re.DOTALL)

#: Longest list looked at, in characters: some 5,000 people, and half a second where it is hostile.
LONGEST_LIST = 150_000
_LONGEST_CACHED = 500  # so that the cache stays within some 20 MB
_COMMENTS = 20  # within one address
_UNCLOSED = 5  # comments tried that are never closed: each is looked for to the end


@dataclass(slots=True)
class _Mailbox:
    """What has been read of one mailbox so far."""

    words: list[tuple[str, str]] = field(default_factory=list)  # text as sent, text meant
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    before: int = 0  # how many words stand before the angle

    def next_one(self) -> _Mailbox:
        """Give what follows a second angle's comma, which was forgotten; keep what is before."""
        following = _Mailbox(self.words[self.before :])
        del self.words[self.before :]
        return following

    def is_half_a_name(self) -> bool:
        """Tell ``Doe, John <jdoe@example.org>``, whose quotes were forgotten."""
        text = _joined(self.words)
        if self.angle is not None or not text or "@" in text or _obfuscated(text):
            return False
        return not (_LOCAL.fullmatch(text) and text.islower())

    def finish(self, charset: str | None) -> list[Address]:
        """Tell names from addresses; several where commas were forgotten."""
        comment = " ".join(filter(None, self.comments))
        address = None if self.angle is None else _spec(self.angle)
        if address:
            return _address(_joined(self.words) or comment, address, charset)
        sent = "".join(word for word, _ in self.words).strip()
        if "@" in sent:
            return self._bare(sent, comment, charset)
        if found := _obfuscated(_joined(self.words)):
            return _address(comment, found, charset)
        if self.angle is None and _LOCAL.fullmatch(sent):
            return _address(comment, sent, charset)  # a user of the same machine
        name = _joined(self.words)
        if "=?" in name and (whole := _wrapped(decode_words(name, charset))):
            return [whole]
        return _address(name or comment, "", charset)

    def _bare(self, sent: str, comment: str, charset: str | None) -> list[Address]:
        """Read addresses without brackets: John Doe jdoe@example.org."""
        whole = _spec(sent)
        if _SPEC.fullmatch(whole):
            return _address(comment, whole, charset)
        found: list[tuple[list[str], str]] = []
        names: list[str] = []
        for chunk in _chunks(self.words):
            spec = _spec("".join(word for word, _ in chunk))
            local, _, domain = spec.rpartition("@")
            if local and domain and (len(chunk) > 1 or _SPEC.fullmatch(spec)):
                found.append((names, spec))
                names = []
            else:
                names.append("".join(meant for _, meant in chunk))
        if not found:
            return _address(comment, whole, charset)
        found[-1][0].extend(names)
        return [
            address
            for words, spec in found
            for address in _address(" ".join(words) or comment, spec, charset)
        ]


def _address(name: str, address: str, charset: str | None) -> list[Address]:
    name = _BLANKS.sub(" ", decode_words(name, charset)).strip()
    address = decode_words(address, charset).strip()
    return [Address(name or None, address or None)] if name or address else []


def _joined(words: list[tuple[str, str]]) -> str:
    return "".join(meant for _, meant in words).strip()


def _chunks(words: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Split words at blanks."""
    chunks: list[list[tuple[str, str]]] = [[]]
    for word in words:
        if word[0].isspace():
            chunks.append([])
        else:
            chunks[-1].append(word)
    return list(filter(None, chunks))


def _obfuscated(text: str) -> str | None:
    """Read ``jdoe at example.org``; None for what may be a name."""
    found = _OBFUSCATED.fullmatch(text)
    if found is None:
        return None
    domain = _DOT.sub(".", found[2])
    return f"{found[1]}@{domain}" if _TOP_LEVEL.search(domain) else None


def _spec(text: str) -> str:
    """Read an address without its blanks, and without quotes or brackets around the whole."""
    text = text.strip("<> \t")
    for quote in "\"'":
        inner = text[1:-1].strip("<> \t")
        if text[:1] == quote == text[-1:] and _SPEC.fullmatch(inner):
            return inner
    return _obfuscated(text) or (text if '"' in text else _LOOSE.sub("", text))


def _wrapped(text: str) -> Address | None:
    """Read an address that one encoded word was put around, name and all."""
    found = _WRAPPED.fullmatch(text.strip())
    if found is not None:
        return Address(found[1].strip(' "') or None, found[2])
    return Address(None, text.strip()) if _SPEC.fullmatch(text.strip()) else None


def comment_end(text: str, start: int) -> int:
    """Position behind the comment that starts here, which may nest; -1 if it is never closed."""
    depth = 0
    for mark in _BRACKET.finditer(text, start):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if not depth:
                return mark.end()
    return -1


def _comment_text(comment: str) -> str:
    return _ESCAPE.sub(r"\1", comment[1:-1]).strip()


def _bracketed(text: str, mailbox: _Mailbox) -> str:
    """Read an angle address: without its comments and, RFC 5322 section 4.4, its route."""
    for _ in range(_COMMENTS):
        start = text.find("(")
        end = comment_end(text, start) if start >= 0 and '"' not in text else -1
        if end < 0:
            break
        mailbox.comments.append(_comment_text(text[start:end]))
        text = text[:start] + text[end:]
    return _ROUTE.sub("", text, count=1) if text.startswith("@") else text


class _Reader:
    """Reads a list token by token (RFC 5322 sections 3.4 and 4.4)."""

    def __init__(self, text: str, charset: str | None) -> None:
        self._text = text
        self._charset = charset
        self._found: list[Address] = []
        self._mailbox = _Mailbox()
        self._half: _Mailbox | None = None  # what may be the first half of the next name
        self._unclosed = 0
        self._is_behind_group = False

    def read(self) -> tuple[Address, ...]:
        position = 0
        while position < len(self._text):
            if self._text[position] == "(":
                position = self._comment(position)
                continue
            token = _TOKEN.match(self._text, position)
            if token is None:  # cannot be: one alternative takes any character
                break
            position = token.end()
            self._take(token.lastgroup or "", token[0], position)
        self._finish()
        self._finish_half()
        return tuple(self._found)

    def _comment(self, start: int) -> int:
        end = comment_end(self._text, start)
        if end >= 0:
            self._mailbox.comments.append(_comment_text(self._text[start:end]))
            return end
        self._unclosed += 1
        if self._unclosed == _UNCLOSED:
            self._text = self._text[:start] + self._text[start:].replace("(", " ")
            return start
        self._mailbox.words.append((" ", " "))
        return start + 1

    def _take(self, kind: str, sent: str, position: int) -> None:
        mailbox = self._mailbox
        match kind:
            case "mark" if sent == ":":
                # A group's name (RFC 5322 section 3.4) is not shown: its members are.
                self._finish_half()
                self._mailbox = _Mailbox()
            case "mark":
                self._finish(halves=sent.strip() == ",")
                self._is_behind_group = ";" in sent
            case "angle":
                if mailbox.angle is not None:
                    following = mailbox.next_one()
                    self._finish()
                    self._mailbox = mailbox = following
                mailbox.before = len(mailbox.words)
                mailbox.angle = _bracketed(sent[1:].removesuffix(">"), mailbox)
            case "quoted":
                mailbox.words.append((sent, _ESCAPE.sub(r"\1", sent[1:-1])))
            case "atom" if sent == '"':
                # Never closed, so no later one is: each would be followed to the end in vain.
                self._text = self._text[:position] + self._text[position:].replace('"', " ")
            case "atom" if sent in ("<", ">"):
                pass  # one too many
            case "atom":
                mailbox.words.append((sent, _ESCAPED_MARK.sub(r"\1", sent)))
            case _:
                mailbox.words.append((sent, sent))

    def _finish(self, *, halves: bool = False) -> None:
        mailbox, self._mailbox = self._mailbox, _Mailbox()
        if self._is_behind_group and mailbox.angle is None and not _joined(mailbox.words):
            return  # unlisted-recipients:; (no To-header on input)
        if self._half is None and halves and mailbox.is_half_a_name():
            self._half = mailbox
            return
        if self._half is not None and mailbox.angle and "@" in mailbox.angle and mailbox.words:
            mailbox.words[:0] = [*self._half.words, (", ", ", ")]
            mailbox.comments[:0] = self._half.comments
            self._half = None
        self._finish_half()
        self._found += mailbox.finish(self._charset)

    def _finish_half(self) -> None:
        half, self._half = self._half, None
        if half is not None:
            self._found += half.finish(self._charset)


def _name(text: str, charset: str | None) -> str | None:
    name = text.strip()
    if "  " in name or "\t" in name or "=?" in name or "\0" in name or not name.isascii():
        name = _BLANKS.sub(" ", decode_words(name, charset)).strip()
    return name or None


def _parse(text: str, charset: str | None) -> tuple[Address, ...]:
    found: list[Address] = []
    position = 0
    while position < len(text):
        ordinary = _ORDINARY.match(text, position)
        if ordinary is None:
            return _Reader(text, charset).read()
        quoted, bare, bracketed, alone = ordinary.groups()
        name = quoted or bare
        address = bracketed or alone
        if not address.isascii() or "\0" in address:
            address = decode_words(address, charset)
        if address[0] == "'" == address[-1]:
            address = _spec(address)
        found.append(Address(_name(name, charset) if name else None, address))
        position = ordinary.end()
    return tuple(found)


_parse_cached = lru_cache(maxsize=10_000)(_parse)


def parse_addresses(raw: bytes | str, charset: str | None = None) -> tuple[Address, ...]:
    """Read an address list (RFC 5322 section 3.4) as it is met.

    Parameters
    ----------
    raw
        The field's value, unfolded: bytes, or text in which ``surrogateescape`` holds what is not
        UTF-8.
    charset
        Of the message, tried for raw 8-bit text that is not UTF-8.

    Returns
    -------
    tuple of Address
        Groups give their members. The name is decoded; where there is none, a comment stands in.
        The address is as sent (``jdoe at example.org``, as archives write it, excepted); None where
        there is none to be seen. Of a list above 150,000 characters, the beginning.

    Examples
    --------
    >>> parse_addresses('"Doe, John" <jdoe@example.org>, Team: a@example.org (Ann);')
    (Address(name='Doe, John', address='jdoe@example.org'), Address(name='Ann', address='a@example.org'))
    """  # noqa: E501 - one value, one line
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if len(text) <= _LONGEST_CACHED:
        return _parse_cached(text, charset)
    return _parse(text[:LONGEST_LIST], charset)
