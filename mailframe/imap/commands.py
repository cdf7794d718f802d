r"""The vocabulary of IMAP: each command and reply, its RFC section, in a few words.

Tables of words, and functions that find the words of a line. The base is RFC 3501; what an
extension added stands under the extension's own RFC. Nothing here is sent or parsed for real.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "CAPABILITIES",
    "CODES",
    "COMMANDS",
    "FETCH_ITEMS",
    "LIST_OPTIONS",
    "REPLIES",
    "SEARCH_KEYS",
    "SEARCH_WORDS",
    "STATUS_ITEMS",
    "Word",
    "explain_command",
    "explain_reply",
    "words_of",
]


class Word(NamedTuple):
    r"""One word of IMAP.

    Attributes
    ----------
    name
        In upper case, such as ``"UID FETCH"``.
    rfc
        Where it is defined, such as ``"RFC 3501 section 6.4.5"``; ``""`` for an unknown word.
    meaning
        A few words for a beginner: what a command does, what an item brings, what a search key
        asks for.
    """

    name: str
    rfc: str
    meaning: str


_NOT_KNOWN = "not known here"

_GMAIL = "Gmail IMAP extensions"  # developers.google.com/workspace/gmail/imap/imap-extensions
_NO_RFC = "no RFC"


def _table(rows: dict[str, dict[str, str]]) -> Mapping[str, Word]:
    """Make a table of the words of each RFC."""
    return MappingProxyType(
        {
            name: Word(name, rfc, meaning)
            for rfc, words in rows.items()
            for name, meaning in words.items()
        }
    )


# One line a word.
# fmt: off
COMMANDS = _table({
    "RFC 3501 section 6.1.1": {"CAPABILITY": "ask what the server can do"},
    "RFC 3501 section 6.1.2": {"NOOP": "do nothing, but hear what is new"},
    "RFC 3501 section 6.1.3": {"LOGOUT": "say goodbye"},
    "RFC 3501 section 6.2.1": {"STARTTLS": "encrypt the connection from here on"},
    "RFC 3501 section 6.2.2": {"AUTHENTICATE": "log in by a SASL mechanism"},
    "RFC 3501 section 6.2.3": {"LOGIN": "log in with name and password"},
    "RFC 3501 section 6.3.1": {"SELECT": "open a folder for reading and writing"},
    "RFC 3501 section 6.3.2": {"EXAMINE": "open a folder for reading only"},
    "RFC 3501 section 6.3.3": {"CREATE": "make a folder"},
    "RFC 3501 section 6.3.4": {"DELETE": "remove a folder and its messages"},
    "RFC 3501 section 6.3.5": {"RENAME": "give a folder another name"},
    "RFC 3501 section 6.3.6": {"SUBSCRIBE": "put a folder on the list of subscriptions"},
    "RFC 3501 section 6.3.7": {"UNSUBSCRIBE": "take a folder off the list of subscriptions"},
    "RFC 3501 section 6.3.8": {"LIST": "list the folders"},
    "RFC 3501 section 6.3.9": {"LSUB": "list the subscribed folders"},
    "RFC 3501 section 6.3.10": {"STATUS": "count a folder's messages without opening it"},
    "RFC 3501 section 6.3.11": {"APPEND": "put a message into a folder"},
    "RFC 3501 section 6.4.1": {"CHECK": "ask the server to tidy the open folder"},
    "RFC 3501 section 6.4.2": {"CLOSE": r"remove what is marked \Deleted and close the folder"},
    "RFC 3501 section 6.4.3": {"EXPUNGE": r"remove the messages marked \Deleted for good"},
    "RFC 3501 section 6.4.4": {"SEARCH": "find messages, as their places in the folder"},
    "RFC 3501 section 6.4.5": {"FETCH": "bring messages or parts of them, by place"},
    "RFC 3501 section 6.4.6": {"STORE": "change flags of messages, by place"},
    "RFC 3501 section 6.4.7": {"COPY": "copy messages to another folder, by place"},
    "RFC 3501 section 6.4.8": {
        "UID": "do the next command with UIDs in place of numbers",
        "UID COPY": "copy messages to another folder, by UID",
        "UID FETCH": "bring messages or parts of them, by UID",
        "UID SEARCH": "find messages, as their UIDs",
        "UID STORE": "change flags of messages, by UID",
    },
    "RFC 2177 section 3": {
        "IDLE": "wait, and be told at once what is new",
        "DONE": "stop waiting (the end of IDLE, sent without a tag)",
    },
    "RFC 2342 section 5": {"NAMESPACE": "ask where own, other users' and shared folders begin"},
    "RFC 2971 section 3.1": {"ID": "tell the server which program this is"},
    "RFC 3691 section 2": {"UNSELECT": "close the folder and remove nothing"},
    "RFC 4314 section 3.1": {"SETACL": "give a user rights to a folder"},
    "RFC 4314 section 3.2": {"DELETEACL": "take a user's rights to a folder away"},
    "RFC 4314 section 3.3": {"GETACL": "ask who has which rights to a folder"},
    "RFC 4314 section 3.4": {"LISTRIGHTS": "ask which rights a user may be given"},
    "RFC 4314 section 3.5": {"MYRIGHTS": "ask for one's own rights to a folder"},
    "RFC 4315 section 2.1": {"UID EXPUNGE": r"remove messages marked \Deleted for good, by UID"},
    "RFC 4467": {
        "GENURLAUTH": "make addresses by which others may read a part",
        "RESETKEY": "make such addresses useless",
        "URLFETCH": "read parts by such addresses",
    },
    "RFC 4978 section 3": {"COMPRESS": "compress the connection from here on"},
    "RFC 5161 section 3.1": {"ENABLE": "switch extensions on for this connection"},
    "RFC 5255": {
        "COMPARATOR": "choose how texts are compared",
        "LANGUAGE": "choose the language of the server's messages",
    },
    "RFC 5256 section 3": {
        "SORT": "find messages in a sorted order, by place",
        "THREAD": "find messages as conversations, by place",
        "UID SORT": "find messages in a sorted order, by UID",
        "UID THREAD": "find messages as conversations, by UID",
    },
    "RFC 5267": {"CANCELUPDATE": "stop the updates of a search"},
    "RFC 5464 section 4.2": {
        "GETMETADATA": "read notes kept with a folder or the server"
    },
    "RFC 5464 section 4.3": {
        "SETMETADATA": "write notes kept with a folder or the server"
    },
    "RFC 5465 section 3.1": {"NOTIFY": "choose what the server tells unasked"},
    "RFC 6851 section 3.1": {"MOVE": "move messages to another folder, by place"},
    "RFC 6851 section 3.2": {"UID MOVE": "move messages to another folder, by UID"},
    "RFC 7377": {"ESEARCH": "find messages in several folders at once"},
    "RFC 8437": {"UNAUTHENTICATE": "log out, and keep the connection"},
    "RFC 8508": {
        "REPLACE": "put a message in the place of another, by place",
        "UID REPLACE": "put a message in the place of another, by UID",
    },
    "RFC 9208 section 4.1.1": {"GETQUOTA": "ask how much is used of a quota"},
    "RFC 9208 section 4.1.2": {"GETQUOTAROOT": "ask which quotas hold for a folder"},
    "RFC 9208 section 4.1.3": {"SETQUOTA": "change a quota"},
    _NO_RFC: {"XLIST": "list the folders with their roles (old Gmail; now LIST)"},
})
"""Every command, with ``UID`` and without."""

REPLIES = _table({
    "RFC 3501 section 7.1.1": {"OK": "done; as a greeting: ready"},
    "RFC 3501 section 7.1.2": {"NO": "refused or failed; without a tag: a warning"},
    "RFC 3501 section 7.1.3": {"BAD": "not understood"},
    "RFC 3501 section 7.1.4": {"PREAUTH": "ready, and logged in already"},
    "RFC 3501 section 7.1.5": {"BYE": "the server closes the connection"},
    "RFC 3501 section 7.2.1": {"CAPABILITY": "what the server can do"},
    "RFC 3501 section 7.2.2": {"LIST": "a folder, with its attributes"},
    "RFC 3501 section 7.2.3": {"LSUB": "a subscribed folder"},
    "RFC 3501 section 7.2.4": {"STATUS": "counts of a folder"},
    "RFC 3501 section 7.2.5": {"SEARCH": "the messages found"},
    "RFC 3501 section 7.2.6": {"FLAGS": "the flags used in this folder"},
    "RFC 3501 section 7.3.1": {"EXISTS": "so many messages are in the folder"},
    "RFC 3501 section 7.3.2": {"RECENT": "so many messages are new to this session"},
    "RFC 3501 section 7.4.1": {"EXPUNGE": "the message at this place has been removed"},
    "RFC 3501 section 7.4.2": {"FETCH": "what was asked of a message"},
    "RFC 3501 section 7.5": {"+": "go on: the server waits for the rest"},
    "RFC 2342 section 5": {"NAMESPACE": "where own, other users' and shared folders begin"},
    "RFC 2971 section 3.2": {"ID": "which program the server is"},
    "RFC 4314 section 3.6": {"ACL": "who has which rights to a folder"},
    "RFC 4314 section 3.7": {"LISTRIGHTS": "which rights a user may be given"},
    "RFC 4314 section 3.8": {"MYRIGHTS": "one's own rights to a folder"},
    "RFC 4466 section 2.6.2": {"ESEARCH": "the messages found, in short form"},
    "RFC 5161 section 3.2": {"ENABLED": "extensions that are switched on now"},
    "RFC 5256 section 4": {
        "SORT": "the messages found, sorted",
        "THREAD": "the messages found, as conversations",
    },
    "RFC 5464 section 4.4": {"METADATA": "notes kept with a folder or the server"},
    "RFC 7162 section 3.2.10": {"VANISHED": "the messages with these UIDs have been removed"},
    "RFC 9208 section 4.2.1": {"QUOTA": "how much is used of a quota"},
    "RFC 9208 section 4.2.2": {"QUOTAROOT": "which quotas hold for a folder"},
})
"""Every reply; ``"+"`` asks for the rest of a command."""

CODES = _table({
    "RFC 3501 section 7.1": {
        "ALERT": "show this text to the user",
        "BADCHARSET": "the search's charset is not supported",
        "CAPABILITY": "what the server can do",
        "PARSE": "a message could not be read",
        "PERMANENTFLAGS": "the flags that can be changed for good",
        "READ-ONLY": "the folder is open for reading only",
        "READ-WRITE": "the folder is open for reading and writing",
        "TRYCREATE": "the folder is not there and could be made",
        "UIDNEXT": "the UID that the next new message gets",
        "UIDVALIDITY": "UIDs hold as long as this number stays",
        "UNSEEN": "the place of the first unread message",
    },
    "RFC 2221": {"REFERRAL": "look on another server"},
    "RFC 3516": {"UNKNOWN-CTE": "the part's encoding is not known to the server"},
    "RFC 4315 section 3": {
        "APPENDUID": "the UID that the stored message got",
        "COPYUID": "the UIDs that the copies got",
        "UIDNOTSTICKY": "UIDs in this folder do not last",
    },
    "RFC 4467": {"URLMECH": "how addresses of parts are protected"},
    "RFC 4469": {
        "BADURL": "an address of a part cannot be used",
        "TOOBIG": "the message would be too large",
    },
    "RFC 4978 section 3": {"COMPRESSIONACTIVE": "the connection is compressed already"},
    "RFC 5182": {"NOTSAVED": "there is no saved search result"},
    "RFC 5255": {"BADCOMPARATOR": "texts cannot be compared that way"},
    "RFC 5267": {"NOUPDATE": "no updates of this search"},
    "RFC 5464": {"METADATA": "why notes were not read or written"},
    "RFC 5465": {
        "BADEVENT": "the server cannot tell of such events",
        "NOTIFICATIONOVERFLOW": "too much happens to be told",
    },
    "RFC 5530 section 3": {
        "ALREADYEXISTS": "there is a folder of this name",
        "AUTHENTICATIONFAILED": "the name or the password is wrong",
        "AUTHORIZATIONFAILED": "logged in, but not allowed to act for that user",
        "CANNOT": "this can never work",
        "CLIENTBUG": "the client made a mistake",
        "CONTACTADMIN": "the user should ask the server's administrator",
        "CORRUPTION": "data on the server is damaged",
        "EXPIRED": "the password or the account has expired",
        "EXPUNGEISSUED": "some of the messages have been removed",
        "INUSE": "somebody else is using this",
        "LIMIT": "a limit of the server is reached",
        "NONEXISTENT": "there is no such folder",
        "NOPERM": "no right to do this",
        "OVERQUOTA": "the mailbox is full",
        "PRIVACYREQUIRED": "not over an unencrypted connection",
        "SERVERBUG": "the server made a mistake",
        "UNAVAILABLE": "not to be had now; try again later",
    },
    "RFC 6154 section 3": {"USEATTR": "the folder cannot have that role"},
    "RFC 7162 section 3.1.2.1": {"HIGHESTMODSEQ": "the number of the folder's latest change"},
    "RFC 7162 section 3.1.2.2": {"NOMODSEQ": "the folder does not number its changes"},
    "RFC 7162 section 3.1.3": {
        "MODIFIED": "these messages were changed meanwhile, and left alone"
    },
    "RFC 7162 section 3.2.11": {"CLOSED": "the folder that was open is closed now"},
    "RFC 8474 section 4": {"MAILBOXID": "the folder's lasting id"},
    "RFC 9585": {"INPROGRESS": "the command is still at work"},
    "RFC 9586": {"UIDREQUIRED": "only UIDs are accepted now"},
    "RFC 9738": {"MESSAGELIMIT": "too many messages for one command"},
    _NO_RFC: {"THROTTLED": "slowed down for asking too much (Gmail)"},
})
"""Response codes: the word in brackets behind ``OK``, ``NO`` and the like."""

SEARCH_KEYS = _table({
    "RFC 3501 section 6.4.4": {
        "ALL": "every message",
        "ANSWERED": "answered",
        "BCC": "in the blind copy recipients",
        "BEFORE": "received before this day",
        "BODY": "in the text",
        "CC": "in the copy recipients",
        "DELETED": "marked for removal",
        "DRAFT": "a draft",
        "FLAGGED": "flagged (starred)",
        "FROM": "in the sender",
        "HEADER": "in this header field",
        "KEYWORD": "with this keyword",
        "LARGER": "larger than so many bytes",
        "NEW": "new to this session and unread",
        "OLD": "not new to this session",
        "ON": "received on this day",
        "RECENT": "new to this session",
        "SEEN": "read",
        "SENTBEFORE": "dated before this day by its sender",
        "SENTON": "dated on this day by its sender",
        "SENTSINCE": "dated on this day or later by its sender",
        "SINCE": "received on this day or later",
        "SMALLER": "smaller than so many bytes",
        "SUBJECT": "in the subject",
        "TEXT": "in the header or the text",
        "TO": "in the recipients",
        "UID": "with one of these UIDs",
        "UNANSWERED": "not answered",
        "UNDELETED": "not marked for removal",
        "UNDRAFT": "not a draft",
        "UNFLAGGED": "not flagged",
        "UNKEYWORD": "without this keyword",
        "UNSEEN": "unread",
    },
    "RFC 5032 section 2": {
        "OLDER": "received longer ago than so many seconds",
        "YOUNGER": "received within so many seconds",
    },
    "RFC 7162 section 3.1.5": {"MODSEQ": "with this change number or a later one"},
    "RFC 8474 section 6": {
        "EMAILID": "with this lasting id",
        "THREADID": "in the conversation with this id",
    },
    "RFC 8514 section 4.3": {
        "SAVEDATESUPPORTED": "if the folder keeps the days of saving",
        "SAVEDBEFORE": "put into the folder before this day",
        "SAVEDON": "put into the folder on this day",
        "SAVEDSINCE": "put into the folder on this day or later",
    },
    _GMAIL: {
        "X-GM-LABELS": "with this Gmail label",
        "X-GM-MSGID": "with this Gmail message id",
        "X-GM-RAW": "found by Gmail's own search",
        "X-GM-THRID": "in this Gmail conversation",
    },
})
"""What SEARCH can ask for; the keys of ``criteria.keys.KEYS`` that have a name."""

SEARCH_WORDS = _table({
    "RFC 3501 section 6.4.4": {
        "CHARSET": "the texts searched for are in this charset",
        "NOT": "messages that the next key does not find",
        "OR": "messages that one of the next two keys finds",
    },
    "RFC 4731 section 3.1": {"RETURN": "what to tell of the messages found"},
})
"""The other words of SEARCH."""

FETCH_ITEMS = _table({
    "RFC 3501 section 6.4.5": {
        "ALL": "FLAGS, INTERNALDATE, RFC822.SIZE and ENVELOPE",
        "BODY": "the tree of parts, without their names and dispositions",
        "BODY.PEEK": "and the message stays unread",
        "BODYSTRUCTURE": "the tree of parts: types, sizes, file names",
        "BODY[]": "the whole message",
        "BODY[HEADER]": "the whole header",
        "BODY[HEADER.FIELDS]": "these fields of the header",
        "BODY[HEADER.FIELDS.NOT]": "the header without these fields",
        "BODY[MIME]": "a part's own header",
        "BODY[N]": "one part, by its number in the tree",
        "BODY[TEXT]": "everything below the header",
        "ENVELOPE": "the header's main fields, parsed by the server",
        "FAST": "FLAGS, INTERNALDATE and RFC822.SIZE",
        "FLAGS": r"flags such as \Seen",
        "FULL": "FLAGS, INTERNALDATE, RFC822.SIZE, ENVELOPE and BODY",
        "INTERNALDATE": "when the server received it",
        "RFC822": "the whole message (old name)",
        "RFC822.HEADER": "the whole header (old name)",
        "RFC822.SIZE": "the size in bytes",
        "RFC822.TEXT": "everything below the header (old name)",
        "UID": "the number that stays with the message",
        "<…>": "only these bytes of it: first<.count>",
    },
    "RFC 3516 section 4.2": {
        "BINARY.PEEK": "and the message stays unread",
        "BINARY.SIZE[]": "a part's decoded size in bytes",
        "BINARY[]": "a part, decoded by the server",
    },
    "RFC 7162 section 3.1.4.1": {
        "CHANGEDSINCE": "only messages changed since this change number"
    },
    "RFC 7162 section 3.1.4.2": {"MODSEQ": "the number of its latest change"},
    "RFC 7162 section 3.2.6": {"VANISHED": "and the UIDs removed since"},
    "RFC 8474 section 5.1": {"EMAILID": "a lasting id, the same for every copy"},
    "RFC 8474 section 5.2": {"THREADID": "the id of its conversation"},
    "RFC 8514 section 4.2": {"SAVEDATE": "when it was put into this folder"},
    "RFC 8970 section 3": {"PREVIEW": "the first words of the text"},
    "RFC 8970 section 4": {"LAZY": "only if the server has it at hand"},
    _GMAIL: {
        "X-GM-LABELS": "the labels it has in Gmail",
        "X-GM-MSGID": "Gmail's id of the message",
        "X-GM-THRID": "Gmail's id of the conversation",
    },
})
"""What FETCH can bring; ``BODY[N]`` stands for any part, ``<…>`` for any range of bytes."""

STATUS_ITEMS = _table({
    "RFC 3501 section 6.3.10": {
        "MESSAGES": "how many messages",
        "RECENT": "how many are new to this session",
        "UIDNEXT": "the UID that the next new message gets",
        "UIDVALIDITY": "UIDs hold as long as this number stays",
        "UNSEEN": "how many are unread",
    },
    "RFC 7162 section 3.1.7": {"HIGHESTMODSEQ": "the number of the folder's latest change"},
    "RFC 7889": {"APPENDLIMIT": "the largest message that may be stored, in bytes"},
    "RFC 8438 section 3": {"SIZE": "the size of all messages in bytes"},
    "RFC 8474 section 4.3": {"MAILBOXID": "the folder's lasting id"},
    "RFC 9208 section 4.1.4": {
        "DELETED": r"how many are marked \Deleted",
        "DELETED-STORAGE": r"the size of those marked \Deleted, in bytes",
    },
})
"""What STATUS can count."""

LIST_OPTIONS = _table({
    "RFC 5258": {
        "CHILDREN": "whether a folder has others below it",
        "RECURSIVEMATCH": "also folders above such as match",
        "REMOTE": "also folders on other servers",
        "RETURN": "what to tell of each folder",
        "SUBSCRIBED": "which folders are subscribed",
    },
    "RFC 5819 section 2": {"STATUS": "counts of each folder in the same answer"},
    "RFC 6154 section 2": {"SPECIAL-USE": r"the role of a folder, such as \Sent"},
    "RFC 8440": {"MYRIGHTS": "one's own rights to each folder"},
    "RFC 9590": {"METADATA": "notes kept with each folder"},
})
"""What LIST can be asked besides names."""

CAPABILITIES = _table({
    "RFC 3501 section 6.1.1": {
        "AUTH=": "a SASL mechanism for AUTHENTICATE, such as AUTH=PLAIN"
    },
    "RFC 3501 section 6.2.1": {"STARTTLS": "the connection can be encrypted"},
    "RFC 3501 section 6.2.3": {"LOGINDISABLED": "no LOGIN on this connection"},
    "RFC 3501 section 7.2.1": {"IMAP4REV1": "the IMAP of RFC 3501"},
    "RFC 2177": {"IDLE": "the server tells at once what is new"},
    "RFC 2221": {"LOGIN-REFERRALS": "a login may be sent on to another server"},
    "RFC 2342": {"NAMESPACE": "tells where folders begin"},
    "RFC 2971": {"ID": "client and server tell which programs they are"},
    "RFC 3348": {"CHILDREN": "LIST tells which folders have others below them"},
    "RFC 3502": {"MULTIAPPEND": "several messages in one APPEND"},
    "RFC 3516": {"BINARY": "the server decodes parts"},
    "RFC 3691": {"UNSELECT": "a folder can be closed and nothing removed"},
    "RFC 4314": {"ACL": "rights to folders", "RIGHTS=": "which further rights there are"},
    "RFC 4315": {"UIDPLUS": "tells the UIDs of stored and copied messages"},
    "RFC 4467": {"URLAUTH": "addresses by which others may read a part"},
    "RFC 4469": {"CATENATE": "messages put together from parts on the server"},
    "RFC 4731": {"ESEARCH": "search results as ranges and counts"},
    "RFC 4959": {"SASL-IR": "AUTHENTICATE in one step less"},
    "RFC 4978": {"COMPRESS=DEFLATE": "the connection can be compressed"},
    "RFC 5032": {"WITHIN": "search by age in seconds"},
    "RFC 5161": {"ENABLE": "extensions can be switched on"},
    "RFC 5182": {"SEARCHRES": "the last search's result as $"},
    "RFC 5255": {"I18NLEVEL=1": "compares texts in any script", "LANGUAGE": "speaks languages"},
    "RFC 5256": {
        "SORT": "the server sorts",
        "THREAD=ORDEREDSUBJECT": "conversations by subject",
        "THREAD=REFERENCES": "conversations by message ids",
    },
    "RFC 5258": {"LIST-EXTENDED": "LIST with options"},
    "RFC 5267": {
        "CONTEXT=SEARCH": "searches that stay up to date",
        "ESORT": "SORT with RETURN",
    },
    "RFC 5464": {
        "METADATA": "notes kept with folders",
        "METADATA-SERVER": "notes of the server",
    },
    "RFC 5465": {"NOTIFY": "tells what happens in other folders"},
    "RFC 5819": {"LIST-STATUS": "counts of all folders in one answer"},
    "RFC 5957": {"SORT=DISPLAY": "sorts by names as shown"},
    "RFC 6154": {
        "CREATE-SPECIAL-USE": "folders can be made with a role",
        "SPECIAL-USE": r"tells the roles of folders, such as \Sent",
    },
    "RFC 6203": {"SEARCH=FUZZY": "search for something alike"},
    "RFC 6851": {"MOVE": "messages move in one step"},
    "RFC 6855": {"UTF8=ACCEPT": "names and texts in UTF-8 when switched on"},
    "RFC 7162": {
        "CONDSTORE": "changes of flags are numbered",
        "QRESYNC": "a folder is caught up with in one step",
    },
    "RFC 7377": {"MULTISEARCH": "search in several folders at once"},
    "RFC 7888": {
        "LITERAL+": "texts of any length without waiting",
        "LITERAL-": "texts of up to 4,096 bytes without waiting",
    },
    "RFC 7889": {
        "APPENDLIMIT": "a largest message",
        "APPENDLIMIT=": "the largest message, bytes",
    },
    "RFC 8438": {"STATUS=SIZE": "STATUS tells the size of a folder"},
    "RFC 8440": {"LIST-MYRIGHTS": "LIST tells one's own rights"},
    "RFC 8474": {"OBJECTID": "lasting ids of folders, messages and conversations"},
    "RFC 8508": {"REPLACE": "a message can be put in another's place"},
    "RFC 8514": {"SAVEDATE": "tells when a message was put into its folder"},
    "RFC 8970": {"PREVIEW": "the first words of a text"},
    "RFC 9051": {"IMAP4REV2": "the IMAP of RFC 9051"},
    "RFC 9208": {"QUOTA": "tells how full the mailbox is", "QUOTA=RES-STORAGE": "by size"},
    "RFC 9394": {"PARTIAL": "search results page by page"},
    "RFC 9585": {"INPROGRESS": "tells how far a long command is"},
    "RFC 9586": {"UIDONLY": "UIDs alone, no places"},
    "RFC 9590": {"LIST-METADATA": "LIST tells the notes kept with folders"},
    "RFC 9738": {"MESSAGELIMIT=": "the most messages for one command"},
    _GMAIL: {"X-GM-EXT-1": "Gmail's labels, ids and search"},
    _NO_RFC: {"XLIST": "LIST with roles (old Gmail)"},
})
"""What a server can do, by the word it announces; a name that ends in ``=`` has a value behind."""
# fmt: on

_ONE_ARGUMENT = """
BCC BODY CC FROM SUBJECT TEXT TO X-GM-LABELS X-GM-RAW CHARSET
BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE SAVEDBEFORE SAVEDON SAVEDSINCE
LARGER SMALLER OLDER YOUNGER KEYWORD UNKEYWORD UID MODSEQ EMAILID THREADID X-GM-MSGID X-GM-THRID
"""
_ARGUMENTS = {**dict.fromkeys(_ONE_ARGUMENT.split(), 1), "HEADER": 2}

_TOKEN = re.compile(
    r"""
      (?P<literal> ~?\{(?P<octets>[0-9]{1,10})\+?\} (?:\r?\n|\Z) )
    | (?P<quoted> "(?:[^"\\]++|\\.)*+"? )
    | (?P<bracket> [()] )
    | (?P<word> (?:BODY|BINARY)(?:\.PEEK|\.SIZE)?\[[^\]]*+\]?[^\s()"]*+ | [^\s()"]++ )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(
    r"(?P<item>BODY|BINARY)(?P<how>\.PEEK|\.SIZE)?"
    r"\[(?P<part>[0-9.]*+)(?P<what>[A-Z.]*+)[^\]]*+\]?(?P<range><.*)?",
    re.DOTALL,
)
_STRING = ""  # stands for an argument in quotes or a literal, whatever it held


def _skip(text: str, position: int, octets: int) -> int:
    """Give the place behind a literal, whose length is counted in bytes of UTF-8."""
    while octets > 0 and position < len(text):
        octets -= len(text[position].encode("utf-8", "surrogatepass"))
        position += 1
    return position


def _tokens(line: str) -> Iterator[str]:
    """Split a line into words and brackets in upper case, and `_STRING` for each argument."""
    position = 0
    while found := _TOKEN.search(line, position):
        position = found.end()
        if found["literal"]:
            position = _skip(line, position, int(found["octets"]))
        yield (found["bracket"] or found["word"] or _STRING).upper()


def _command(tokens: Sequence[str]) -> str:
    pair = " ".join(tokens[:2])
    return pair if pair in COMMANDS else "".join(tokens[:1])


def explain_command(line: str) -> Word:
    """Say what a command does.

    Parameters
    ----------
    line
        The command without its tag.

    Returns
    -------
    Word
        Of ``UID FETCH`` rather than of ``UID``. With an empty ``rfc`` for an unknown command.

    Examples
    --------
    >>> explain_command("EXAMINE INBOX")
    Word(name='EXAMINE', rfc='RFC 3501 section 6.3.2', meaning='open a folder for reading only')
    """
    name = _command([word.upper() for word in line.split(None, 2)[:2]])
    return COMMANDS.get(name) or Word(name, "", _NOT_KNOWN)


def _fetch_words(tokens: Sequence[str]) -> Iterator[Word | None]:
    for token in tokens[1:]:  # the first says which messages
        section = _SECTION.match(token)
        if section is None:
            yield FETCH_ITEMS.get(token)
            continue
        item, how = section["item"], section["how"]
        if how == ".PEEK":
            yield FETCH_ITEMS[f"{item}.PEEK"]
        if item == "BINARY":
            yield FETCH_ITEMS["BINARY.SIZE[]" if how == ".SIZE" else "BINARY[]"]
        else:
            if section["part"]:
                yield FETCH_ITEMS["BODY[N]"]
            if section["what"] or not section["part"]:
                yield FETCH_ITEMS.get(f"BODY[{section['what']}]")
        if section["range"]:
            yield FETCH_ITEMS["<…>"]


def _search_words(tokens: Sequence[str]) -> Iterator[Word | None]:
    place = 0
    while place < len(tokens):
        word = tokens[place]
        yield SEARCH_WORDS.get(word) or SEARCH_KEYS.get(word)
        place += 1
        following = tokens[place] if place < len(tokens) else ")"
        if word == "RETURN" and following == "(":
            while place < len(tokens) and tokens[place] != ")":
                place += 1
        elif word == "MODSEQ" and following == _STRING:
            place += 3  # RFC 7162 section 3.1.5: the name of a flag and a kind may come first
        else:
            for _ in range(_ARGUMENTS.get(word, 0)):
                place += place < len(tokens) and tokens[place] not in {"(", ")"}


def _status_words(tokens: Sequence[str]) -> Iterator[Word | None]:
    yield from map(STATUS_ITEMS.get, tokens[1:])  # the first is the folder


def _list_words(tokens: Sequence[str]) -> Iterator[Word | None]:
    # Words are options in brackets at once behind LIST, and behind RETURN: else they are folders.
    selects = tokens[:1] == ("(",)
    arguments = depth = 0
    returns = False
    for word in tokens:
        depth += (word == "(") - (word == ")")
        if word == ")" and not depth:
            arguments += not selects
            selects = False
        elif returns and depth > 1:
            yield STATUS_ITEMS.get(word)
        elif selects or returns:
            yield LIST_OPTIONS.get(word)
        elif not depth and arguments > 1 and word == "RETURN":
            returns = True
            yield LIST_OPTIONS[word]
        elif not depth:
            arguments += 1


_VOCABULARY = {
    "FETCH": _fetch_words,
    "UID FETCH": _fetch_words,
    "SEARCH": _search_words,
    "UID SEARCH": _search_words,
    "STATUS": _status_words,
    "LIST": _list_words,
}


def words_of(line: str) -> tuple[Word, ...]:
    r"""Explain the words behind a command: items of FETCH and STATUS, keys of SEARCH, LIST options.

    Parameters
    ----------
    line
        The command without its tag. Literals stand in it as they are sent, ``{3}\r\nabc``.

    Returns
    -------
    tuple of Word
        As they appear, each once. Arguments are no words, whatever they say: strings, dates,
        folders, names of header fields. Empty for other commands.

    Examples
    --------
    >>> [word.name for word in words_of('UID SEARCH UNSEEN SUBJECT "FROM me" SINCE 1-Jan-2026')]
    ['UNSEEN', 'SUBJECT', 'SINCE']
    >>> [word.name for word in words_of("UID FETCH 1:9 (UID BODY.PEEK[HEADER.FIELDS (DATE)])")]
    ['UID', 'BODY.PEEK', 'BODY[HEADER.FIELDS]']
    """
    tokens = tuple(_tokens(line))
    name = _command(tokens)
    if name not in _VOCABULARY:
        return ()
    words = _VOCABULARY[name](tokens[len(name.split()) :])
    return tuple(dict.fromkeys(word for word in words if word is not None))


def explain_reply(line: str) -> Word:
    """Say what a line of the server means.

    Parameters
    ----------
    line
        With its tag, ``*`` or ``+``.

    Returns
    -------
    Word
        Of the code in brackets where there is a known one, for it says more than ``OK`` or
        ``NO``. With an empty ``rfc`` for an unknown reply.

    Examples
    --------
    >>> explain_reply("* 3 EXISTS").meaning
    'so many messages are in the folder'
    >>> explain_reply("A1 NO [AUTHENTICATIONFAILED] sorry").meaning
    'the name or the password is wrong'
    """
    tag, *words = line.split(None, 3) or [""]
    if tag == "+":
        return REPLIES[tag]
    if len(words) > 1 and tag == "*" and words[0].isdigit():
        del words[0]  # a count, or a message's place
    name = words[0].upper() if words else ""
    if name in {"OK", "NO", "BAD", "BYE", "PREAUTH"} and len(words) > 1:
        code = words[1].upper().partition("]")[0]
        if code.startswith("[") and code[1:] in CODES:
            return CODES[code[1:]]
    # Only OK, NO and BAD answer a tag (RFC 3501 section 7.1).
    known = tag == "*" or name in {"OK", "NO", "BAD"}
    return (REPLIES.get(name) if known else None) or Word(name, "", _NOT_KNOWN)
