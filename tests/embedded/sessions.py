"""What hypothesis sends to the server: commands, right and nearly right."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.embedded.conftest import MIXED, PLAIN

MESSAGES = (
    PLAIN,
    MIXED,
    b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nInner\r\n",
    b"no header at all",
    b"\r\n",
    b"Subject: \xff\xfe\0 broken\nContent-Type: multipart/mixed\n\n--\n\n----\n",
)


def _one(*choices: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(choices)


def _joined(*pieces: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    drawn = [st.just(one) if isinstance(one, bytes) else one for one in pieces]
    return st.tuples(*drawn).map(b"".join)


def _listed(one: st.SearchStrategy[bytes], most: int = 4) -> st.SearchStrategy[bytes]:
    return st.lists(one, max_size=most).map(lambda found: b"(" + b" ".join(found) + b")")


def _literal(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda octets, plus, cr: b"{%d%b}%b%b" % (len(octets), plus, cr, octets),
        content,
        _one(b"", b"+"),
        _one(b"\r\n", b"\n"),
    )


def _quoted(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return content.map(
        lambda octets: b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    )


NUMBERS = _one(
    b"0", b"1", b"2", b"7", b"255", b"4294967295", b"4294967296", b"9223372036854775807",
    b"99999999999999999999", b"01",
)  # fmt: skip
WORDS = _one(
    b"", b"a", b"Hello", b"ann", b"example.org", "ü".encode(), b"a b", b'"', b"\\", b"NIL", b"[",
    b"]", b"*", b"%", b"\xff", b"()", b"a\x7f", b"x" * 300, b"{3}", b"{3+}",
)  # fmt: skip
STRINGS = (
    _quoted(WORDS)
    | _literal(WORDS | st.binary(max_size=8) | _one(b"a\r\nb", b"{9}", b"\0"))
    | _one(b"a", b"Hello", b"atom]", b"NIL")
)
SETS = (
    _one(
        b"1", b"*", b"1:*", b"*:1", b"2,4:7,9:*", b"1:4294967295", b"4294967295:*", b"0", b"1:0",
        b"5000", b"99999999999999", b"1,,2", b"1:", b"$", b"1:2:3", b",",
    )
    | st.lists(st.integers(0, 9).map(lambda n: b"%d" % n), min_size=1, max_size=5).map(b",".join)
)  # fmt: skip
MAILBOXES = (
    _one(
        b"INBOX", b"inbox", b'"INBOX"', b"Archive", b"Archive/2026", b"INBOX/Sub", b"Sent",
        b"nowhere", b'"a b"', b'""', b"&AOQ-", b"&-", b"&", b"&AOQ", b"&AOQ-&AOQ-", b"&!!-",
        b"&2AA-", b"/", b"a//b", b"..", b"../../etc", b"a/", b'"*"', b"new", b"new/deeper",
        "ü".encode(), b'"\x01"', b"x" * 250, b"/".join([b"d"] * 20),
    )
    | STRINGS
)  # fmt: skip
PATTERNS = (
    _one(b"*", b"%", b"Archive*", b"*/%", b"in%", b'"*"', b'""', b"*a*a*a*a*a*b", b"%%%*%*", b"&")
    | MAILBOXES
)
FLAGS = _one(
    b"\\Seen", b"\\seen", b"\\Deleted", b"\\Flagged", b"\\Recent", b"\\Nonsense", b"\\*", b"$Junk",
    b"work", b"WORK", b"a]", b"", b"(", b"\\", b"k" * 300,
)  # fmt: skip
DATES = _one(
    b"1-Feb-2026", b'"1-Feb-2026"', b"31-Feb-2026", b"1-Jan-0001", b"31-Dec-9999", b"0-Jan-2026",
    b"1-Foo-2026", b"2026-02-01", b"1-Jan-0000",
)  # fmt: skip
MOMENTS = _one(
    b'" 1-Feb-2026 10:00:00 +0000"', b'"01-Jan-0001 00:00:00 +1400"', b'"31-Dec-9999 23:59:59'
    b' -1200"', b'"31-Feb-2026 10:00:00 +0000"', b'"01-Feb-2026 23:59:60 +0000"',
    b'"01-Jan-2026 10:00:00 +9999"', b'"nonsense"',
)  # fmt: skip
FIELDS = _one(b"From", b"subject", b"X-None", b'"a b"', b"a:b", b'""', b"DATE") | STRINGS

SECTIONS = st.one_of(
    _one(
        b"", b"HEADER", b"TEXT", b"MIME", b"1", b"2.1", b"2.HEADER", b"2.TEXT", b"2.MIME",
        b"1.MIME", b"9", b"0", b"1.0", b"1.", b".1", b"9" * 25, b"NONSENSE",
        b".".join([b"1"] * 300), b"2.1.1.1.HEADER",
    ),
    _joined(
        _one(b"", b"1.", b"2."),
        _one(b"HEADER.FIELDS ", b"HEADER.FIELDS.NOT "),
        _listed(FIELDS),
    ),
)  # fmt: skip
SPANS = _one(b"", b"", b"<0.5>", b"<5.9223372036854775807>", b"<99999.1>", b"<0.0>", b"<1>", b"<>")
ITEMS = st.one_of(
    _one(
        b"FLAGS", b"UID", b"ENVELOPE", b"BODY", b"BODYSTRUCTURE", b"INTERNALDATE", b"RFC822.SIZE",
        b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT", b"MODSEQ", b"ALL", b"FAST", b"FULL",
        b"flags", b"NONSENSE", b"BODY.PEEK", b"", b"BINARY[1]",
    ),
    _joined(_one(b"BODY[", b"BODY.PEEK[", b"body.peek["), SECTIONS, b"]", SPANS),
)  # fmt: skip

_KEYS = st.one_of(
    _one(
        b"ALL", b"ANSWERED", b"DELETED", b"DRAFT", b"FLAGGED", b"NEW", b"OLD", b"RECENT", b"SEEN",
        b"UNSEEN", b"UNANSWERED", b"undeleted", b"UNDRAFT", b"UNFLAGGED", b"NONSENSE", b"",
        b"X-GM-RAW a", b"HASATTACHMENT",
    ),
    _joined(
        _one(b"BCC ", b"BODY ", b"CC ", b"FROM ", b"SUBJECT ", b"TEXT ", b"TO ", b"X-GM-LABELS "),
        STRINGS,
    ),
    _joined(
        _one(b"BEFORE ", b"ON ", b"SINCE ", b"SENTBEFORE ", b"SENTON ", b"SENTSINCE "), DATES
    ),
    _joined(_one(b"LARGER ", b"SMALLER ", b"YOUNGER ", b"OLDER ", b"MODSEQ "), NUMBERS),
    _joined(_one(b"KEYWORD ", b"UNKEYWORD "), FLAGS),
    _joined(b"HEADER ", FIELDS, b" ", STRINGS),
    _joined(b'MODSEQ "/flags/\\\\Seen" ', _one(b"all", b"priv", b"nonsense"), b" ", NUMBERS),
    _joined(b"UID ", SETS),
    SETS,
)  # fmt: skip
KEYS = st.recursive(
    _KEYS,
    lambda inner: st.one_of(
        _joined(b"NOT ", inner),
        _joined(b"OR ", inner, b" ", inner),
        st.lists(inner, max_size=3).map(lambda found: b"(" + b" ".join(found) + b")"),
    ),
    max_leaves=8,
)
_RETURN = _joined(
    b"RETURN ", _listed(_one(b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE", b"NONSENSE")), b" "
)
_STATUS = _listed(
    _one(
        b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"SIZE", b"HIGHESTMODSEQ",
        b"DELETED", b"NONSENSE",
    )
)  # fmt: skip
_UID = _one(b"", b"", b"UID ")
_CONDITION = _one(b"", b"", b"(UNCHANGEDSINCE 3) ", b"(UNCHANGEDSINCE 0) ", b"(NONSENSE 1) ")
_SELECTION = _listed(_one(b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE", b"NONSENSE"))
_RETURNS = _listed(_one(b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"NONSENSE"), 3) | _joined(
    b"(STATUS ", _STATUS, b")"
)
_ARRIVAL = _joined(
    _one(b"", b" ") | _joined(b" ", _listed(FLAGS)),
    _one(b"", b" ") | _joined(b" ", MOMENTS),
    b" ",
    _literal(_one(*MESSAGES) | st.binary(max_size=30)),
)

#: What stands behind the tag, without the last line break. Literals are as long as they say.
COMMANDS = st.one_of(
    _joined(_UID, b"FETCH ", SETS, b" ", ITEMS | _listed(ITEMS), _one(b"", b" (CHANGEDSINCE 2)")),
    _joined(
        _UID,
        b"SEARCH ",
        _one(b"", b"") | _RETURN,
        _one(b"", b"", b"CHARSET UTF-8 ", b"CHARSET latin-1 "),
        st.lists(KEYS, min_size=1, max_size=3).map(b" ".join),
    ),
    _joined(
        _UID,
        b"STORE ",
        SETS,
        b" ",
        _CONDITION,
        _one(b"FLAGS ", b"+FLAGS ", b"-FLAGS ", b"+FLAGS.SILENT ", b"FLAGS.SILENT ", b"*FLAGS "),
        _listed(FLAGS) | FLAGS,
    ),
    _joined(_UID, _one(b"COPY ", b"MOVE "), SETS, b" ", MAILBOXES),
    _joined(b"APPEND ", MAILBOXES, st.lists(_ARRIVAL, min_size=1, max_size=2).map(b"".join)),
    _joined(
        b"LIST ",
        _one(b"", b"") | _joined(_SELECTION, b" "),
        MAILBOXES,
        b" ",
        PATTERNS | _listed(PATTERNS),
        _one(b"", b"") | _joined(b" RETURN ", _RETURNS),
    ),
    _joined(b"LSUB ", MAILBOXES, b" ", PATTERNS),
    _joined(b"STATUS ", MAILBOXES, b" ", _STATUS),
    _joined(_one(b"SELECT ", b"EXAMINE "), MAILBOXES, _one(b"", b"", b" (CONDSTORE)", b" (X)")),
    _joined(
        _one(b"CREATE ", b"DELETE ", b"SUBSCRIBE ", b"UNSUBSCRIBE "),
        MAILBOXES,
    ),
    _joined(b"RENAME ", MAILBOXES, b" ", MAILBOXES),
    _joined(b"UID EXPUNGE ", SETS),
    _one(
        b"NOOP", b"CHECK", b"CLOSE", b"UNSELECT", b"EXPUNGE", b"CAPABILITY", b"NAMESPACE",
        b"SELECT INBOX", b"ENABLE CONDSTORE", b"ENABLE X Y", b"ENABLE", b"IDLE\r\nDONE",
        b"IDLE\r\ndone", b"IDLE\r\nnonsense", b"UID", b"UID NOOP", b"", b" ", b"NONSENSE",
    ),
    _joined(b"ID ", _one(b"NIL", b"()") | _listed(STRINGS) | STRINGS),
    _joined(b"LOGIN ", STRINGS, b" ", STRINGS),
    _joined(
        b"AUTHENTICATE ",
        _one(b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER", b"NONSENSE"),
        _one(b"", b" =", b" AGFubgBzZWNyZXQ=", b" ****", b" YQ=="),
    ),
    _one(b"STARTTLS", b"LOGOUT", b"LOGOUT now"),
)  # fmt: skip

_HARMLESS = bytes({*range(32, 127), 9, 0, 255} - {*b"{}"})


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Take a command of one line, and change some of its bytes."""
    line = draw(COMMANDS.filter(lambda one: b"\n" not in one and b"{" not in one))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(line)))
        end = min(len(line), start + draw(st.integers(0, 3)))
        put = bytes(draw(st.lists(st.sampled_from(_HARMLESS), max_size=3)))
        line = line[:start] + put + line[end:]
    return line


#: Several commands, each with a tag of its own.
SESSIONS = st.lists(COMMANDS | spoilt(), min_size=1, max_size=12)

_SCRAPS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"a ", b"a1 ", b"+ ", b"* ", b" ", b"{3}\r\n",
        b"{3+}\r\n", b"{0}\r\n", b"{99999999999}\r\n", b"{4294967296}\r\n", b"{4294967295+}\r\n",
        b"{-1}\r\n", b"{3", b"}\r\n", b'"', b"\\", b"(", b")", b"[", b"]", b"<0.1>", b"DONE\r\n",
        b"*\r\n", b"=\r\n", b"AGFubgBzZWNyZXQ=\r\n", b"LOGIN ann secret\r\n", b"IDLE\r\n",
        b"AUTHENTICATE PLAIN\r\n", b"SELECT INBOX\r\n", b"FETCH 1:* ", b"BODY[]\r\n", b"SEARCH ",
        b"STORE 1:* +FLAGS ", b"APPEND INBOX {5}\r\n", b"NOOP\r\n", b"LOGOUT\r\n", b"UID ",
        b"STARTTLS\r\n", b"x" * 9000, b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n",
    ]
)  # fmt: skip
#: Anything at all.
NOISE = st.lists(_SCRAPS | st.binary(max_size=6) | COMMANDS, max_size=40).map(b"".join)
