"""The sample mailbox, and other mail in files, as an account of the server.

``data/sample.mbox.gz`` is unpacked into a temporary file, from which messages are read by place.
What is to be said of each stands in an index beside it, so that nothing is parsed at the start; an
index that is not of this mailbox is made again.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailframe.embedded.content import Content, Fields, Spool, header_of, with_crlf
from mailframe.embedded.grammar import No
from mailframe.embedded.store import SYSTEM_FLAGS, Account
from mailframe.files.stored import Gone
from mailframe.files.tree import find_folders, role_of
from mailframe.parsing import parse_headers

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from mailframe.files.stored import Box, Stored

__all__ = ["SAMPLE", "account_of_files", "read_index", "sample_account", "write_index"]

log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).parent.parent
# In a checkout it lies beside the package, in an installation within it.
_DATA = next((d for d in (_PACKAGE / "data", _PACKAGE.parent / "data") if d.is_dir()), _PACKAGE)
SAMPLE = _DATA / "sample.mbox.gz"
_INDEX = "sample.index.gz"
_FORMAT = 1

_ROLES = {
    "Sent": "\\Sent",
    "Drafts": "\\Drafts",
    "Archive": "\\Archive",
    "Junk": "\\Junk",
    "Trash": "\\Trash",
}
# What the generator writes above each message, and a server does not show.
_SEPARATOR = re.compile(
    rb"From [^\n]* (?P<date>\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\n"
    rb"X-Folder: (?P<folder>[^\n]*)\nStatus: (?P<status>[^\n]*)\n"
    rb"X-Status: (?P<more>[^\n]*)\nX-Keywords: (?P<keywords>[^\n]*)\n"
)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
#: A keyword is an atom (RFC 3501 section 9); programs write other words into files, too.
_KEYWORD = re.compile(
    "|".join([r"[!#-$&'+-\[^-z|}~]+", *map(re.escape, SYSTEM_FLAGS)]), re.ASCII | re.IGNORECASE
)
_LETTERS = {"A": "\\Answered", "F": "\\Flagged", "T": "\\Draft", "D": "\\Deleted"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

#: A larger mailbox has the same two years again before them: so many weeks, and the days of the
#: week stay what they are.
_TWO_YEARS = timedelta(weeks=104)
_MOVED_FIELDS = re.compile(
    rb"^(?:(?P<ids>Message-ID|In-Reply-To|References)|Date|Received):"
    rb"[^\n]*+(?:\n[ \t][^\n]*+)*+",
    re.IGNORECASE | re.MULTILINE,
)
_DATE = re.compile(rb"\b(\d{1,2}) (%b) (\d{4})\b" % "|".join(_MONTHS).encode())
_ID = re.compile(rb"<(?=[^<>\s@]++@)")


class Entry(NamedTuple):
    """What the index says of a message.

    Attributes
    ----------
    folder, flags
        Where it is, and its flags, parted by spaces.
    received
        INTERNALDATE, in seconds since 1970.
    place, length
        Of its bytes in the mbox, in which line ends are LF.
    size, envelope, body, bodystructure
        What FETCH says of it.
    """

    folder: str
    flags: str
    received: int
    place: int
    length: int
    size: int
    envelope: str
    body: str
    bodystructure: str


class _Sampled(Content):
    """A message of the sample mailbox."""

    def __init__(self, spool: Spool, entry: Entry) -> None:
        self._spool = spool
        self._place = entry.place, entry.length
        self.size = entry.size
        self.envelope = entry.envelope.encode("latin-1")
        self.structures = entry.body.encode("latin-1"), entry.bodystructure.encode("latin-1")

    def read(self) -> bytes:
        return _as_sent(self._spool.read(*self._place))


class _Earlier(Content):
    """A message of the sample mailbox as if it had come years before, with ids of its own."""

    def __init__(self, original: Content, times: int) -> None:
        self._original = original
        self._times = times
        self.structures = original.structures

    def read(self) -> bytes:
        raw = self._original.read()
        header = header_of(raw)
        return _moved(header, self._times) + raw[len(header) :]

    def read_header(self) -> bytes:
        return _headers(self._original, self._times)[1]

    @cached_property
    def size(self) -> int:
        before, after = _headers(self._original, self._times)
        return self._original.size + len(after) - len(before)

    @cached_property
    def fields(self) -> Fields:
        return Fields(self, same_as=self._original.fields)


# FETCH asks for a message's size, and then for its header.
@lru_cache(maxsize=16)
def _headers(original: Content, times: int) -> tuple[bytes, bytes]:
    """Return a header as it was, and as it is in a message of so many times two years before."""
    before = original.read_header()
    return before, _moved(before, times)


def _moved(header: bytes, times: int) -> bytes:
    ids = b"<%d." % times
    back = times * _TWO_YEARS

    def moved_field(field: re.Match[bytes]) -> bytes:
        if field["ids"]:
            return _ID.sub(ids, field[0])
        return _DATE.sub(lambda found: _dated(found[0], back), field[0])

    return _MOVED_FIELDS.sub(moved_field, header)


# Mail of the same days comes again and again.
@lru_cache(maxsize=4096)
def _dated(date: bytes, back: timedelta) -> bytes:
    day, month, year = date.split()
    try:
        number = _MONTHS.index(month.decode()) + 1
        then = datetime(int(year), number, int(day), tzinfo=UTC) - back
    except (ValueError, OverflowError):  # one of the broken messages
        return date
    return f"{then.day:02} {_MONTHS[then.month - 1]} {then.year:04}".encode()


class _Filed(Content):
    """A message in a file of the user's."""

    def __init__(self, box: Box, uid: int) -> None:
        self._box = box
        self._uid = uid

    def read(self) -> bytes:
        return with_crlf(self._stored().raw)

    @cached_property
    def size(self) -> int:
        stored = self._stored()
        return len(self.read()) if stored.size is None else stored.size

    def _stored(self) -> Stored:
        try:
            stored = self._box[self._uid]
            stored.header  # noqa: B018 read now: what has gone shows at once
        except Gone as error:
            raise No("The file of that message has gone", "EXPUNGEISSUED") from error
        return stored


# -- the sample mailbox


def sample_account(messages: int | None = None, path: Path = SAMPLE) -> Account:
    """Make an account of the sample mailbox.

    Parameters
    ----------
    messages
        How many; None for all there are. Fewer are the latest; for more, the same two years come
        again before them, with dates and ids of their own.
    path
        Of the mailbox.
    """
    spool = Spool()
    with gzip.open(path) as file:
        spool.write(file.read())
    entries = read_index(path)
    account = Account(first_validity=_first_validity(path))
    account.hold(spool)
    folders = dict.fromkeys(entry.folder for entry in entries)
    for name in folders:
        if name not in account:
            account.create(name, _ROLES.get(name))
        account.subscribed.add(name)
    originals = [(entry, _Sampled(spool, entry)) for entry in entries]
    for entry, content, times in _repeated(originals, messages):
        moment = datetime.fromtimestamp(entry.received, UTC) - times * _TWO_YEARS
        account.mailbox(entry.folder).add(content, moment, entry.flags.split())
    for mailbox in account:
        mailbox.first_recent = mailbox.next_uid
    return account


def _repeated(
    originals: Sequence[tuple[Entry, Content]], messages: int | None
) -> Iterator[tuple[Entry, Content, int]]:
    """Give as many messages as are wanted, the oldest first."""
    wanted = len(originals) if messages is None else messages
    whole, rest = divmod(wanted, len(originals))
    if rest:
        latest = sorted(originals, key=lambda one: one[0].received)[len(originals) - rest :]
        kept = {id(content) for _, content in latest}
        for entry, content in originals:
            if id(content) in kept:
                yield entry, _Earlier(content, whole) if whole else content, whole
    for times in reversed(range(whole)):
        for entry, content in originals:
            yield entry, _Earlier(content, times) if times else content, times


def read_index(path: Path) -> list[Entry]:
    """Read the index of the sample mailbox, or make it where there is none of it.

    Parameters
    ----------
    path
        Of the mailbox.
    """
    stamp = _stamp(path)
    try:
        with gzip.open(path.with_name(_INDEX), "rt", encoding="utf-8") as file:
            found = json.load(file)
        if found["stamp"] == stamp:
            return [Entry(*row) for row in found["messages"]]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        pass  # none, or a damaged one
    log.info("the index of %s is made anew", path.name)
    return _index(path)


def write_index(path: Path = SAMPLE) -> Path:
    """Write the index of the sample mailbox beside it; return where it is.

    Parameters
    ----------
    path
        Of the mailbox.
    """
    found = {"stamp": _stamp(path), "messages": _index(path)}
    target = path.with_name(_INDEX)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    target.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    return target


def _index(path: Path) -> list[Entry]:
    with gzip.open(path) as file:
        mbox = file.read()
    return [_entry(mbox, begin, end) for begin, end in _places(mbox)]


def _places(mbox: bytes) -> Iterator[tuple[int, int]]:
    """Give where each message begins, with its separator, and where it ends."""
    begin = 0
    while begin < len(mbox):
        following = mbox.find(b"\n\nFrom ", begin)
        end = following + 1 if following >= 0 else len(mbox.rstrip(b"\n")) + 1
        yield begin, end
        begin = following + 2 if following >= 0 else len(mbox)


def _entry(mbox: bytes, begin: int, end: int) -> Entry:
    above = _SEPARATOR.match(mbox, begin)
    if above is None:
        raise ValueError(f"no message of the sample mailbox begins at byte {begin}")
    content = _Whole(_as_sent(mbox[above.end() : end]))
    more = above["more"].decode("ascii")
    flags = [flag for letter, flag in _LETTERS.items() if letter in more]
    flags += ["\\Seen"] if b"R" in above["status"] else []
    return Entry(
        above["folder"].decode("utf-8"),
        " ".join([*flags, above["keywords"].decode("ascii")]).strip(),
        _seconds(above["date"].decode("ascii")),
        above.end(),
        end - above.end(),
        content.size,
        content.envelope.decode("latin-1"),
        *(structure.decode("latin-1") for structure in content.structures),
    )


class _Whole(Content):
    """A message in memory."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def read(self) -> bytes:
        return self._raw


def _as_sent(stored: bytes) -> bytes:
    r"""Undo what an mbox does to a message, and end its lines with CRLF."""
    if b"\n>" in stored:
        stored = _QUOTED_FROM.sub(rb"\1", stored)
    return with_crlf(stored)


def _seconds(date: str) -> int:
    # Not strptime, which knows the month by the name that the machine's language gives it.
    _, month, day, clock, year = date.split()
    hour, minute, second = map(int, clock.split(":"))
    number = _MONTHS.index(month) + 1
    return int(datetime(int(year), number, int(day), hour, minute, second, tzinfo=UTC).timestamp())


def _stamp(path: Path) -> list[int]:
    """Say which mailbox an index is of."""
    return [_FORMAT, zlib.crc32(path.read_bytes())]


def _first_validity(path: Path) -> int:
    # Another sample mailbox gives its messages other UIDs; the lower bits count its mailboxes.
    return (_stamp(path)[1] >> 12 << 10 | 1) & 0x7FFFFFFF


# -- mail of the user's


def account_of_files(path: str | os.PathLike[str]) -> Account:
    """Make an account of mail in files.

    Parameters
    ----------
    path
        Of an mbox, a Maildir, .eml files, or a folder of these. They are only read: what a client
        changes is forgotten with the server.

    Raises
    ------
    MailFileError
        If there is no mail.
    """
    account = Account()
    for name, opened in find_folders(Path(path).expanduser().resolve()).items():
        box = opened()
        account.hold(box)
        mailbox = account.mailbox(name) if name in account else account.create(name, role_of(name))
        account.subscribed.add(mailbox.name)
        for uid in range(1, len(box) + 1):
            stored = box[uid]
            content = _Filed(box, uid)
            flags = _known(stored.flags)
            try:
                mailbox.add(content, _received(stored), flags)
            except No:  # more keywords than a mailbox has room for
                mailbox.add(content, _received(stored), [one for one in flags if one[0] == "\\"])
        mailbox.first_recent = mailbox.next_uid
    return account


def _received(stored: Stored) -> datetime:
    moment = stored.internal_date or parse_headers(stored.header).date
    return moment or datetime.fromtimestamp(0, UTC)


def _known(flags: Iterable[str]) -> list[str]:
    return [flag for flag in flags if _KEYWORD.fullmatch(flag)]
