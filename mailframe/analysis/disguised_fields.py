"""What stands for the fields of mail: subjects, lists of addresses, folders and what servers write.

Of whatever standards and programs write it is told here what stays.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mailframe.analysis import clear_words as clear
from mailframe.analysis.disguises import OF_DOMAIN, Disguises
from mailframe.analysis.pseudonyms import WORD, Memo
from mailframe.analysis.subjects import base_subject
from mailframe.parsing import parse_addresses, parse_list_unsubscribe
from mailframe.records import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["FieldDisguises"]

_BLOB = re.compile(r"(\[[^\[\]]*+\])")
_BLANKS = re.compile(r"\s+")
_MARKS = re.compile("[:\uff1a\\[\\]()]|\\s\\s|\\A\\s|\\s\\Z")
_TRAILER = "(fwd)"
_SEPARATORS = re.compile(r"([/.\\])")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_FIELD_TOKEN = re.compile(r"([^\s;=()\"]+)")
_WHOLE_NUMBER = re.compile(r"\d+", re.ASCII)
_PART = re.compile(r"[\d.]+|HEADER|TEXT", re.ASCII)
_RFC = re.compile(r"(?:RFC \d+(?: (?:section|sections|and|to)? ?[\d.]+)*(?:[,;] )?)+", re.ASCII)
_TAG = re.compile(r"[A-Z]{1,6}\d{1,8}|[*+]", re.ASCII)


class FieldDisguises(Disguises):
    """What stands for each kind of field, by a key.

    Parameters
    ----------
    key
        For HMAC-SHA256.

    Examples
    --------
    >>> made = FieldDisguises(b"an example, and thus no secret")
    >>> made.subject["Re: [crew] Boat"]
    'Re: [meb-kaf] Hid-zam'
    >>> made.filename("Boat 1729.tar.gz"), made.folder["INBOX/Boat"]
    ('Hid-zam 6957.tar.gz', 'INBOX/Lom-rif-mol-zin')
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        #: Of subjects: prefixes, and the brackets around names of lists, stay.
        self.subject = Memo(self._subject)
        self._base = Memo(self.text)
        #: Of folders' names, level by level.
        self.folder = Memo(self._folder)
        self._level = Memo(self._level_of_folder)
        self._keyword = Memo(self._one_keyword)
        self._mailbox = Memo(self._mailbox_of_account)

    def _subject(self, value: str) -> str:
        if not _MARKS.search(value):  # of a prefix, a list or an end
            return self._base[value]
        base = base_subject(value)
        whole = _BLANKS.sub(" ", value)
        if not whole.isascii():
            whole = unicodedata.normalize("NFC", whole)
        end = _without_tail(whole)
        while not whole.endswith(base, 0, end):  # a bracket may be its own
            end += 1
        start = end - len(base)
        # Before it there are but prefixes, which stay, and names of lists in brackets.
        led = _BLOB.split(whole[:start])
        led[1::2] = map(self.text, led[1::2])
        return f"{''.join(led)}{self._base[base]}{whole[end:]}"

    def names(self, value: str) -> str:
        """Replace names that are joined by commas."""
        return ", ".join(self.name[one] for one in value.split(", "))

    def account(self, value: str) -> str:
        """Replace an account: an address, a user's name, or the path of a file."""
        local, _, domain = value.strip().rpartition("@")
        return self.address[value] if local.strip() and domain.strip() else self._mailbox[value]

    def _mailbox_of_account(self, value: str) -> str:
        return self.syllables("account", value, OF_DOMAIN) if WORD.search(value) else value

    def identifiers(self, value: str, known: Collection[str] = ()) -> str:
        """Replace ids joined by blanks, of which one of those known may have some in it."""
        words = value.split()
        if len(words) == 1:
            return self.identifier[words[0]]
        if words and "".join(words) in known:
            return self.identifier[value]
        return " ".join(self.identifier[word] for word in words) if words else value

    def addresses(self, value: str) -> str:
        """Replace addresses with names, joined by commas; of several fields a line each."""
        return "\n".join(map(self._list, value.split("\n"))) if "\n" in value else self._list(value)

    def _list(self, value: str) -> str:
        found = parse_addresses(value)
        if not found:
            return self.text(value)
        return ", ".join(
            str(
                Address(one.name and self.name[one.name], one.address and self.address[one.address])
            )
            for one in found
        )

    def list_id(self, value: str) -> str:
        """Replace a list's identifier (RFC 2919): its address, with a dot for the @."""
        bare = value.strip(" <>").lower()
        local, dot, domain = bare.partition(".")
        if not (local and domain) or _BLANKS.search(bare):
            return self.text(value)
        return f"{self.local(local)}{dot}{self.domain[domain]}"

    def links(self, value: str) -> str:
        """Replace URIs in angle brackets (RFC 2369), but for what they are: https or mailto."""
        found = parse_list_unsubscribe(value)
        return ", ".join(f"<{self._uri(one)}>" for one in found) if found else self.text(value)

    def _uri(self, value: str) -> str:
        scheme, _, rest = value.partition(":")
        if scheme.lower() == "mailto":
            return f"mailto:{self.address[unquote(rest.partition('?')[0])]}"
        return self.url(value) if rest.startswith("//") else self.words(value)

    def _folder(self, value: str) -> str:
        levels = _SEPARATORS.split(value)
        levels[::2] = map(self._level.__getitem__, levels[::2])
        return "".join(levels)

    def _level_of_folder(self, level: str) -> str:
        if level.casefold() in clear.FOLDERS or not WORD.search(level):
            return level
        # Case makes two folders of a name (RFC 9051 section 5.1).
        return self.syllables("folder", level, OF_DOMAIN).capitalize()

    def labels(self, value: str) -> str:
        """Replace labels joined by line breaks, but for Gmail's own."""
        return "\n".join(
            one if one.lower() in clear.LABELS else self.folder[one] for one in value.split("\n")
        )

    def keywords(self, value: str) -> str:
        """Replace keywords joined by blanks, sorted anew; those of programs stay."""
        return " ".join(sorted(map(self._keyword.__getitem__, value.split())))

    def flags(self, value: str) -> str:
        """Replace keywords among flags, in their order."""
        return " ".join(map(self._keyword.__getitem__, value.split()))

    def _one_keyword(self, word: str) -> str:
        return word if word.lower() in clear.KEYWORDS else self.words(word)

    def filename(self, value: str) -> str:
        """Replace a file's name, and those of the folders it is in; its ending stays."""
        *above, name = re.split(r"([/\\])", value)
        above[::2] = map(self._level.__getitem__, above[::2])
        endings = ""
        for _ in range(2):  # .tar.gz
            stem, dot, ending = name.rpartition(".")
            if stem and ending.lower() in clear.EXTENSIONS:
                name, endings = stem, f"{dot}{ending}{endings}"
        return f"{''.join(above)}{self.text(name)}{endings}"

    # -- what has but few words

    def closed(self, column: str) -> Callable[[str], str]:
        """Return what keeps the words of a column that are known, and replaces all others."""
        known = clear.CLOSED[column]
        other = self.address.__getitem__ if column == "source" else self.text
        return lambda value: value if value.lower() in known else other(value)

    def content_type(self, value: str) -> str:
        """Replace a type of content that nobody knows."""
        return value if value.lower() in clear.TYPES else self.text(value)

    def charset(self, value: str) -> str:
        """Replace a charset that there is not."""
        return value if clear.is_charset(value) else self.text(value)

    def part(self, value: str) -> str:
        """Replace what is no number of a part."""
        return value if _PART.fullmatch(value) else self.text(value)

    def rfc(self, value: str) -> str:
        """Replace what names no RFC."""
        return value if _RFC.fullmatch(value) else self.text(value)

    def tag(self, value: str) -> str:
        """Replace what is no tag of a command."""
        return value if _TAG.fullmatch(value) else self.text(value)

    def defects(self, value: str) -> str:
        """Replace what is quoted of a message."""
        pieces = WORD.split(value)
        pieces[1::2] = [
            one if one.lower() in clear.DEFECTS else self.word[one] for one in pieces[1::2]
        ]
        return "".join(pieces)

    def results(self, value: str) -> str:
        """Replace who is named in Authentication-Results (RFC 8601); what was found stays."""
        pieces = _FIELD_TOKEN.split(value)
        pieces[1::2] = map(self._of_field, pieces[1::2])
        return "".join(pieces)

    def _of_field(self, token: str) -> str:
        if token.lower() in clear.FIELD_WORDS:
            return token
        bare = token.strip("<>,")
        if bare.startswith("@"):
            made = f"@{self.domain[bare[1:]]}"
        elif "@" in bare:
            made = self.address[bare]
        elif _HOST.fullmatch(bare) and not _WHOLE_NUMBER.fullmatch(bare.replace(".", "")):
            made = self.domain[bare]
        else:
            made = self.numbers(bare) or self.words(bare)
        return token.replace(bare, made) if bare else token


def _without_tail(subject: str) -> int:
    """Return where a subject ends without what `base_subject` takes off its end."""
    end = len(subject)
    while True:
        if subject[end - 1 : end] in {" ", "]"}:
            end -= 1
        elif subject[max(end - len(_TRAILER), 0) : end].lower() == _TRAILER:
            end -= len(_TRAILER)
        else:
            return end
