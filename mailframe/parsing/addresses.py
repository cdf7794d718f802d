"""Address fields: RFC 5322 section 3.4, the obsolete forms of section 4.4, and what is met."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from mailframe.parsing.words import decode_words
from mailframe.records import Address

__all__ = ["parse_addresses"]

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
      | (?P<angle><(?:[^<>"]|"(?:[^"\\]|\\.)*+")*+> | <[^\s<>",;]+)
      | (?P<mark>[,;:])
      | (?P<atom>[^\s"(<>,;:=]+ | [=<>"])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BLANKS = re.compile(r"\s+")
_LOCAL = re.compile(r"[A-Za-z0-9._+-]+")
_ROUTE = re.compile(r"@[^:<>]*:\s*")

# A hostile field of megabytes: nobody reads it, and nothing may take minutes.
_LONGEST = 200_000
_COMMENTS = 20  # within one address


@dataclass(slots=True)
class _Mailbox:
    """What has been read of one mailbox so far."""

    words: list[tuple[str, str]] = field(default_factory=list)  # text as sent, text meant
    comments: list[str] = field(default_factory=list)
    angle: str | None = None

    def finish(self, charset: str | None) -> Address | None:
        """Tell name from address; None if there is neither."""
        words = self.words
        while words and not words[-1][0].strip():
            words.pop()
        while words and not words[0][0].strip():
            words.pop(0)
        comment = " ".join(filter(None, self.comments))
        if self.angle is not None:
            return _address(_joined(words) or comment, self.angle, charset)
        at = [place for place, (sent, _) in enumerate(words) if "@" in sent]
        if not at:
            if len(words) == 1 and _LOCAL.fullmatch(words[0][0]):
                return _address(comment, words[0][0], charset)  # a user of the same machine
            return _address(_joined(words) or comment, "", charset)
        if at == [len(words) - 1] and len(words) > 1 and not words[-2][0].strip():
            # The brackets were forgotten: John Doe jdoe@example.org
            return _address(_joined(words[:-1]) or comment, words[-1][0], charset)
        return _address(comment, "".join(sent for sent, _ in words), charset)


def _address(name: str, address: str, charset: str | None) -> Address | None:
    name = _BLANKS.sub(" ", decode_words(name, charset)).strip()
    address = decode_words(address, charset).strip()
    return Address(name or None, address or None) if name or address else None


def _joined(words: list[tuple[str, str]]) -> str:
    return "".join(meant for _, meant in words).strip()


def _comment_end(text: str, start: int) -> int:
    """Position behind the comment that starts here; comments nest (RFC 5322 section 3.2.2)."""
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if not depth:
                return position + 1
        position += 1
    return len(text)


def _comment_text(comment: str) -> str:
    inner = comment[1:-1] if comment.endswith(")") else comment[1:]
    return _ESCAPE.sub(r"\1", inner).strip()


def _bracketed(text: str, mailbox: _Mailbox) -> str:
    """Read an angle address: without its comments and, RFC 5322 section 4.4, its route."""
    for _ in range(_COMMENTS):
        start = text.find("(")
        if start < 0 or '"' in text:
            break
        end = _comment_end(text, start)
        mailbox.comments.append(_comment_text(text[start:end]))
        text = text[:start] + text[end:]
    return _ROUTE.sub("", text, count=1) if text.startswith("@") else text


def _parse_unusual(text: str, charset: str | None) -> tuple[Address, ...]:  # noqa: C901 - a branch a token
    found: list[Address] = []
    mailbox = _Mailbox()

    def finish() -> None:
        nonlocal mailbox
        address = mailbox.finish(charset)
        if address is not None:
            found.append(address)
        mailbox = _Mailbox()

    position = 0
    while position < len(text):
        if text[position] == "(":
            end = _comment_end(text, position)
            mailbox.comments.append(_comment_text(text[position:end]))
            position = end
            continue
        token = _TOKEN.match(text, position)
        if token is None:  # cannot be: one alternative takes any character
            break
        position = token.end()
        sent = token[0]
        match token.lastgroup:
            case "mark" if sent == ":":
                # A group's name (RFC 5322 section 3.4) is not shown: its members are.
                mailbox = _Mailbox()
            case "mark":
                finish()
            case "angle":
                if mailbox.angle is not None:  # a comma was forgotten
                    finish()
                mailbox.angle = _bracketed(sent[1:].removesuffix(">"), mailbox)
            case "quoted":
                mailbox.words.append((sent, _ESCAPE.sub(r"\1", sent[1:-1])))
            case "atom" if sent == '"':
                # Never closed, so no later one is: each would be followed to the end in vain.
                text = text[:position] + text[position:].replace('"', " ")
            case _:
                mailbox.words.append((sent, sent))
    finish()
    return tuple(found)


@lru_cache(maxsize=20_000)  # people write more than once
def _name(text: str, charset: str | None) -> str | None:
    name = text.strip()
    if "  " in name or "\t" in name or "=?" in name or "\0" in name or not name.isascii():
        name = _BLANKS.sub(" ", decode_words(name, charset)).strip()
    return name or None


@lru_cache(maxsize=20_000)
def _parse(text: str, charset: str | None) -> tuple[Address, ...]:
    found: list[Address] = []
    position = 0
    while position < len(text):
        ordinary = _ORDINARY.match(text, position)
        if ordinary is None:
            return _parse_unusual(text[:_LONGEST], charset)
        quoted, bare, bracketed, alone = ordinary.groups()
        name = quoted or bare
        address = bracketed or alone
        if not address.isascii() or "\0" in address:
            address = decode_words(address, charset)
        found.append(Address(_name(name, charset) if name else None, address))
        position = ordinary.end()
    return tuple(found)


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
        The address is as sent; None where there is none to be seen.

    Examples
    --------
    >>> parse_addresses('"Doe, John" <jdoe@example.org>, Team: a@example.org (Ann);')
    (Address(name='Doe, John', address='jdoe@example.org'), Address(name='Ann', address='a@example.org'))
    """  # noqa: E501 - one value, one line
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    return _parse(text, charset)
