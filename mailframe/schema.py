"""Every frame's columns: name, dtype and meaning, said once.

Each frame that leaves the package conforms to its schema, an empty one too:
text is pandas' ``str``, times are ``datetime64[us, UTC]``, counts and sizes are integers (``Int64``
where they may be unknown), yes/no is ``bool``, closed vocabularies are ``category``.

Examples
--------
>>> empty("recipients").dtypes["role"].name
'category'
>>> describe("folders").loc["messages", "dtype"]
'Int64'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from pandas.api.types import pandas_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FRAMES", "KEY", "Column", "conform", "describe", "empty"]

TIME = "datetime64[us, UTC]"
SPAN = "timedelta64[us]"


class Column(NamedTuple):
    """A column's name, pandas dtype and meaning."""

    name: str
    dtype: str
    meaning: str


KEY = (
    Column("account", "category", "whose mailbox: the user name, with the host if it has no @"),
    Column("folder", "category", "the folder's name, decoded"),
    Column("uidvalidity", "int64", "the folder's UIDVALIDITY: UIDs mean nothing without it"),
    Column("uid", "int64", "the message's UID in that folder"),
)

HEADERS = (
    *KEY,
    Column("message_id", "str", "Message-ID without angle brackets"),
    Column("in_reply_to", "str", "In-Reply-To without angle brackets"),
    Column("references", "str", "References, oldest first, joined by spaces"),
    Column("date", TIME, "the sender's Date; NaT when it cannot be read"),
    Column("utc_offset", "Int16", "the sender's zone in minutes east of UTC, as sent"),
    Column("internal_date", TIME, "when the server received it"),
    Column("from_name", "str", "display name of the first From address"),
    Column("from_address", "str", "the first From address, as sent"),
    Column("from_domain", "str", "its domain, in lower case"),
    Column("to", "str", "To, readable, joined by commas"),
    Column("cc", "str", "Cc, likewise"),
    Column("bcc", "str", "Bcc, likewise"),
    Column("reply_to", "str", "Reply-To, likewise"),
    Column("subject", "str", "Subject, decoded"),
    Column("list_id", "str", "the mailing list's identifier (RFC 2919)"),
    Column("list_unsubscribe", "str", "List-Unsubscribe as sent (RFC 2369)"),
    Column("size", "Int64", "size of the whole message in bytes (RFC822.SIZE)"),
    Column("seen", "bool", r"flag \Seen: it has been read"),
    Column("answered", "bool", r"flag \Answered"),
    Column("flagged", "bool", r"flag \Flagged"),
    Column("draft", "bool", r"flag \Draft"),
    Column("deleted", "bool", r"flag \Deleted: marked, not yet expunged"),
    Column("keywords", "str", "the other flags, sorted, joined by spaces"),
    Column("n_attachments", "Int64", "attachments that are not shown inline"),
    Column("attachment_size", "Int64", "their decoded size together, in bytes"),
    Column("defects", "str", "what was wrong with the message; empty when nothing was"),
)

#: What the headers frame has besides where the server is Gmail.
GMAIL = (
    Column("gmail_thread", "str", "Gmail's number of the conversation (X-GM-THRID)"),
    Column("labels", "str", "Gmail's labels, joined by line breaks (X-GM-LABELS)"),
)

EVENTS = (
    *KEY,
    Column("event", "category", "new, flags (which have changed) or gone"),
    *HEADERS[len(KEY) :],
)

RECIPIENTS = (
    *KEY,
    Column("role", "category", "from, sender, reply_to, to, cc or bcc"),
    Column("position", "int64", "place within its field, from 0"),
    Column("name", "str", "display name"),
    Column("address", "str", "address as sent"),
    Column("domain", "str", "its domain, in lower case"),
)

BODIES = (
    *KEY,
    Column("text", "str", "what a person would read"),
    Column("text_source", "category", "plain, html (text made from it, or from both) or none"),
    Column("charset", "category", "the charset the text was decoded with"),
    Column("truncated", "bool", "the text was cut at a size limit"),
    Column("defects", "str", "what was wrong with the text; empty when nothing was"),
)

BODIES_HTML = (
    *BODIES[: len(KEY) + 1],
    Column("html", "str", "the HTML as sent: untrusted, not sanitised"),
    *BODIES[len(KEY) + 1 :],
)

#: What the bodies frame has besides where it was asked who wrote what.
OWN_TEXT = (
    Column("own_text", "str", "what its author wrote: no quotes, no signature"),
    Column("quoted_text", "str", "what was quoted or forwarded, with what introduces it"),
    Column("signature", "str", "the signature, and what was added below the text"),
    Column("n_words", "Int64", "words of own_text"),
)

BODIES_OWN_TEXT = (*BODIES, *OWN_TEXT)

ATTACHMENTS = (
    *KEY,
    Column("part", "str", "IMAP part number, to fetch it by"),
    Column("filename", "str", "file name as sent, decoded: untrusted"),
    Column("content_type", "category", "type/subtype in lower case"),
    Column("disposition", "category", "inline, attachment, or missing"),
    Column("content_id", "str", "Content-ID without angle brackets"),
    Column("encoding", "category", "transfer encoding"),
    Column("encoded_size", "int64", "size on the wire in bytes"),
    Column("size", "Int64", "size once decoded, in bytes"),
    Column("size_exact", "bool", "False where that size is worked out from the encoded one"),
    Column("inline", "bool", "shown within the body rather than offered for saving"),
)

PREVIEWS = (
    *KEY,
    Column("preview", "str", "how the text begins: 200 characters at most, blanks made one"),
)

HOPS = (
    *KEY,
    Column("hop", "int64", "place on the way, from 0: the server nearest to the sender"),
    Column("from_host", "str", "who handed the message over"),
    Column("by_host", "str", "who received it and wrote this"),
    Column("with", "str", "by which protocol: ESMTPS, LMTP, HTTP, …"),
    Column("time", TIME, "when, by the clock of by_host; NaT when it cannot be read"),
    Column("delay", SPAN, "time since the last hop whose time is known; clocks may differ"),
)

DOWNLOADS = (
    *ATTACHMENTS,
    Column("path", "str", "the file it was saved to; missing when the attachment has gone"),
)

FOLDERS = (
    Column("name", "str", "the folder's name, decoded"),
    Column("delimiter", "category", "what separates the levels of a name"),
    Column("special_use", "category", r"its role: \Sent, \Trash, … (RFC 6154)"),
    Column("flags", "str", "LIST's other attributes, joined by spaces"),
    Column("messages", "Int64", "messages in it"),
    Column("unseen", "Int64", "of these, not yet read"),
    Column("uidnext", "Int64", "the UID that the next message will have"),
    Column("uidvalidity", "Int64", "changes when the UIDs were given anew"),
    Column("size", "Int64", "size in bytes, where the server tells (RFC 8438)"),
)

EXPLANATION = (
    Column("step", "int64", "place in the order, from 1"),
    Column("side", "category", "server: a command to be sent; here: decided without it"),
    Column("command", "str", "as it would be sent, without its tag; missing for a step here"),
    Column("rfc", "str", "where the command is defined"),
    Column("meaning", "str", "what the step does"),
    Column("words", "str", "the command's other words and their meanings, a line each"),
)

_ABOUT = (
    Column("account", "category", "whose mailbox it is"),
    Column("folder", "category", "where the message is; of an appended one, where to"),
    Column("uidvalidity", "Int64", "that folder's"),
    Column("uid", "Int64", "the message's; missing for one that is appended"),
    Column("action", "category", "flags, labels, move, copy, delete (for good) or append"),
    Column("target", "category", "the folder that it is moved or copied to"),
)
_WHICH = (
    Column("from_address", "str", "the first From address"),
    Column("subject", "str", "Subject, decoded"),
)

PLAN = (
    *_ABOUT,
    Column("state", "category", "change; as it is (nothing needs to be done); gone"),
    Column("add", "str", "flags to be set, joined by spaces; labels by line breaks"),
    Column("remove", "str", "those to be taken off, likewise"),
    *_WHICH,
    Column("date", TIME, "the sender's Date"),
    Column("size", "Int64", "size of the message in bytes"),
    Column("flags", "str", "its flags now, joined by spaces"),
)

OUTCOME = (
    *_ABOUT,
    Column("status", "category", "done, gone (it was not there any more), failed or unknown"),
    Column("reason", "str", "why; empty where all went well"),
    Column("new_uidvalidity", "Int64", "of the folder that it is in now, if it was put into one"),
    Column("new_uid", "Int64", "its UID there, if that is known"),
    *_WHICH,
)

TRACE = (
    Column("time", TIME, "when it was sent or read"),
    Column("connection", "int64", "over which of the session's connections, from 1"),
    Column("direction", "category", "C: from the client; S: from the server"),
    Column("tag", "str", "what ties a reply to its command; * and + for replies without one"),
    Column("command", "str", "the command; of a reply the one it answers, or the oldest in flight"),
    Column("line", "str", "as sent, but without secrets, and cut where it is long"),
    Column("bytes", "Int64", "its size, literals included; missing where secrets may be in it"),
    Column("elapsed", SPAN, "of a reply: time since that command was sent"),
)

#: Every kind of frame by name.
FRAMES: Mapping[str, tuple[Column, ...]] = {
    "keys": KEY,
    "headers": HEADERS,
    "events": EVENTS,
    "recipients": RECIPIENTS,
    "bodies": BODIES,
    "bodies_html": BODIES_HTML,
    "bodies_own_text": BODIES_OWN_TEXT,
    "attachments": ATTACHMENTS,
    "downloads": DOWNLOADS,
    "previews": PREVIEWS,
    "hops": HOPS,
    "folders": FOLDERS,
    "explanation": EXPLANATION,
    "plan": PLAN,
    "outcome": OUTCOME,
    "trace": TRACE,
}


def empty(kind: str | Sequence[Column]) -> pd.DataFrame:
    """Return a frame of this kind without rows.

    Parameters
    ----------
    kind
        One of ``FRAMES``, or the columns themselves.

    Returns
    -------
    DataFrame
        All columns of the schema, with their dtypes.
    """
    columns = FRAMES[kind] if isinstance(kind, str) else kind
    return pd.DataFrame({c.name: _cast(pd.Series([], dtype="str"), c.dtype) for c in columns})


def conform(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Give a frame the order and dtypes of its schema.

    Parameters
    ----------
    frame
        Has at least the columns of the schema; others are kept behind them.
    kind
        One of ``FRAMES``.

    Returns
    -------
    DataFrame
        A new frame with a plain RangeIndex.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    columns = FRAMES[kind]
    names = [c.name for c in columns]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        msg = f"not a {kind} frame: {', '.join(missing)} missing"
        raise KeyError(msg)
    others = [name for name in frame.columns if name not in names]
    columns_out = {c.name: _cast(frame[c.name], c.dtype) for c in columns}
    columns_out |= {name: frame[name] for name in others}
    result = pd.DataFrame(columns_out).reset_index(drop=True)
    result.attrs = dict(frame.attrs)
    return result


def describe(kind: str) -> pd.DataFrame:
    """Return the schema itself as a frame: one row a column, with dtype and meaning.

    Parameters
    ----------
    kind
        One of ``FRAMES``.

    Returns
    -------
    DataFrame
        Index ``name``; columns ``dtype`` and ``meaning``.
    """
    return pd.DataFrame(FRAMES[kind]).set_index("name")


def _cast(column: pd.Series, dtype: str) -> pd.Series:
    if dtype == "category" and column.dtype != "category":
        # By way of str: pandas would give a column without rows categories of dtype object.
        column = column.astype("str")
    cast: pd.Series = column.astype(pandas_dtype(dtype))
    return cast
