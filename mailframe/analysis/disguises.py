"""What stands for names, addresses, domains, message ids and texts, by a key.

Each is made of the value alone, never of what stands beside it: so frames that are anonymised one
by one still belong together.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from mailframe.analysis import clear_words as clear
from mailframe.analysis.pseudonyms import WORD, Memo, Pseudonyms, plain

__all__ = ["OF_DOMAIN", "Disguises"]

#: Syllables that tell 10,000 domains, or folders, apart; and labels below one domain.
OF_DOMAIN = 4
_OF_LABEL = 3

# Addresses and URLs in a text. Each begins where a word does, so that no letter is looked at twice.
_EDGE = r"\s<>()\[\]{},;:\"'|\\"
_SPECIAL = re.compile(
    rf"((?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\s<>\"]++"
    rf"|(?<![^{_EDGE}])[^{_EDGE}@/]++@[^{_EDGE}@]++)"
)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+)://([^/?#\\]*+)(.*)", re.DOTALL)
_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "imap", "imaps", "file", "news", "webcal"})
_PORT = re.compile(r":\d*\Z")
_TRAILING = ".,;:!?*_~`')]}"
_ALONE = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_IN_BRACKETS = re.compile(r"(\([^()]*\)|\[[^\[\]]*\])")
_LITERAL = re.compile(r"\[(ipv6:)?(.*)\]", re.DOTALL)
_DIGITS = re.compile(r"[0-9]+")
_LETTERS_OF_COUNTRY = 2


class Disguises(Pseudonyms):
    """What stands for each kind of value, by a key.

    Parameters
    ----------
    key
        For HMAC-SHA256.

    Examples
    --------
    >>> made = Disguises(b"an example, and thus no secret")
    >>> made.name["Lee, Ann"]
    'Rud-vab-mod, Juf-lom'
    >>> made.address["ann.lee@mail.shop.co.uk"]
    'juf-lom.rud-vab-mod@mail.dum-kaf-tos-sas.example'
    >>> made.text("Write to ann.lee@x.example, or 1729 Boat Lane!")
    'Lam-tam mob-sos juf-lom.rud-vab-mod@ped-mad-mod-lil.example, nib-bom 6957 Hid-zam Pem-fal!'
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        #: Of display names: an address is one, and whatever stands in brackets is no name.
        self.name = Memo(self._name)
        #: Of ``local@domain``, in lower case; of anything else, word by word.
        self.address = Memo(self._address)
        #: Of names of hosts, and of IP addresses; all end with ``.example`` (RFC 2606).
        self.domain = Memo(self._domain)
        #: Of Message-IDs and their like.
        self.identifier = Memo(self._identifier)
        self._label = Memo(self._label_of_host)

    # -- texts

    def text(self, value: str) -> str:
        """Replace a text word by word, addresses and URLs whole."""
        if "@" not in value and "://" not in value:
            return self.words(value)
        pieces = _SPECIAL.split(value)
        pieces[::2] = map(self.words, pieces[::2])
        pieces[1::2] = map(self._link, pieces[1::2])
        return "".join(pieces)

    def words(self, value: str) -> str:
        """Replace a text word by word."""
        pieces = WORD.split(value)
        pieces[1::2] = map(self.word.__getitem__, pieces[1::2])
        return "".join(pieces)

    def _link(self, value: str) -> str:
        bare = value.rstrip(_TRAILING)
        made = self.url(bare) if "://" in bare else self.address[bare]
        return made + value[len(bare) :]

    def url(self, value: str) -> str:
        """Replace a URL, but for how it begins."""
        found = _URL.match(value)
        if found is None:
            return self.words(value)
        scheme = found[1].lower() if found[1].lower() in _SCHEMES else self.words(found[1])
        host = _PORT.sub("", found[2].rpartition("@")[2])
        behind = f"/{self.code('url', value)}" if found[3].strip("/") else found[3][:1]
        return f"{scheme}://{self.domain[host]}{behind}"

    # -- people and machines

    def _name(self, value: str) -> str:
        if _ALONE.fullmatch(value.strip()):
            return self.address[value.strip()]
        pieces = _IN_BRACKETS.split(value)
        pieces[1::2] = map(self.text, pieces[1::2])
        outside = [WORD.split(piece) for piece in pieces[::2]]
        words = [word for piece in outside for word in piece[1::2]]
        person = self.person(map(plain, words))
        for piece in outside:
            piece[1::2] = [self.written(person[plain(word)], word) for word in piece[1::2]]
        pieces[::2] = map("".join, outside)
        return "".join(pieces)

    def _address(self, value: str) -> str:
        local, _, domain = value.strip().rpartition("@")
        if not local.strip() or not domain.strip():
            return self.text(value)
        return f"{self.local(local.strip().lower())}@{self.domain[domain]}"

    def local(self, value: str) -> str:
        """Replace what stands before the @: its words are a person's, those of an office stay."""
        base, plus, tag = value.partition("+")
        if not base:
            base, plus, tag = value, "", ""
        pieces = clear.ADDRESS_WORDS.split(base)
        others = [WORD.split(piece) for piece in pieces[::2]]
        person = self.person(plain(word) for piece in others for word in piece[1::2])
        for piece in others:
            piece[1::2] = [person[plain(word)] for word in piece[1::2]]
        pieces[::2] = map("".join, others)
        pieces[1::2] = [_DIGITS.sub(lambda one: self.word[one[0]], piece) for piece in pieces[1::2]]
        return f"{''.join(pieces)}{plus}{self.words(tag)}"

    def _domain(self, value: str) -> str:
        host = value.strip().lower().rstrip(".")
        literal = _LITERAL.fullmatch(host)
        numbers = self.numbers(literal[2] if literal else host)
        if numbers is not None:
            return f"[{literal[1] or ''}{numbers}]" if literal else numbers
        if not host:
            return value
        if host == "localhost":
            return host
        labels = host.split(".")
        below = -1 - _suffix(labels)
        own = self.syllables("domain", ".".join(labels[below:]), OF_DOMAIN)
        return ".".join([*map(self._label.__getitem__, labels[:below]), own, "example"])

    def _label_of_host(self, label: str) -> str:
        if not label or clear.HOST_LABELS.fullmatch(label):
            return label
        return self.syllables("label", label, _OF_LABEL)

    def numbers(self, host: str) -> str | None:
        """Return an IP address of those that nobody has; None if it is none."""
        try:
            found = ip_address(host)
        except ValueError:
            return None
        number = self.number("ip", found.compressed)
        if isinstance(found, IPv4Address):  # 240.0.0.0/4: RFC 1112 section 4
            return str(IPv4Address(0xF0000000 | number % (1 << 28)))
        # 2001:db8::/32 (RFC 3849), in digits alone: of letters there could be words.
        digits = str(number % 10**24).zfill(24)
        groups = [digits[one : one + 4] for one in range(0, len(digits), 4)]
        return IPv6Address(f"2001:db8:{':'.join(groups)}").compressed

    # -- messages

    def _identifier(self, value: str) -> str:
        whole = "".join(value.split())
        bare = whole.strip("<>")
        if not bare:
            return value
        _, at, behind = bare.rpartition("@")
        domain = self.domain[behind] if at else ""
        first, last = "<" * whole.startswith("<"), ">" * whole.endswith(">")
        return f"{first}{self.code('id', bare)}{at}{domain}{last}"


def _suffix(labels: list[str]) -> int:
    """Return how many labels no one registers: ``com``, ``co.uk``.

    By a rule, and not by the public suffix list: pseudonyms are not to depend on whether there is
    one on this machine, or of which year.
    """
    if len(labels) < 2:  # noqa: PLR2004 a name without a dot
        return 0
    country = len(labels[-1]) == _LETTERS_OF_COUNTRY and labels[-1].isalpha()
    return 2 if len(labels) > 2 and country and labels[-2] in clear.COUNTRY_SUFFIXES else 1  # noqa: PLR2004
