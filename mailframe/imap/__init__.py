"""The IMAP client module: from a socket to records, without pandas.

::

    client.py         IMAPClient, for scripts and lessons
    source.py         ImapSource, what a Session stands on
    way_in.py         from an address to a connection: which server, which method, which secret
    discovery/        which server an address belongs to
    providers.py      what is known of mail providers; the table is providers.toml
    accounts.py       which accounts were signed in to on this machine
    credentials.py    where a password comes from
    netrc.py          passwords in ~/.netrc
    oauth/            OAuth 2.0: signing in, tokens kept and refreshed
    auth.py           logging in
    sasl.py           what is said to log in, and by which mechanism
    exchange.py       LOGIN and AUTHENTICATE, with secrets hidden
    advice.py         what a refusal means, and what to do; the words are in refusals.py
    tls.py            how a connection is opened, certificates checked
    proxy.py          a way out through a proxy
    line.py           the line to a server, and what is said over it, once
    connection.py     one connection's life: login, the selected folder, commands, its return
    retry.py          how long, and how often, something is tried again
    events.py         what happens meanwhile
    pool.py           several connections to one account
    failures.py       what goes wrong below -> mailframe's own errors
    wire.py           bytes in and out, commands in flight
    trace.py          the dialogue, redacted: kept, and as log lines
    diary.py          a line in the log for each thing done
    responses.py      replies -> tokens
    items.py          the values of FETCH items
    uids.py           UIDs <-> ranges
    names.py          strings and folder names on the wire
    search.py         criteria -> the messages found, on servers of any dialect
    search_command.py criteria -> SEARCH, replies -> UIDs
    folder.py         LIST and STATUS
    folder_changes.py CREATE, RENAME, DELETE and SUBSCRIBE
    explain.py        what a call would send
    commands.py       the vocabulary of IMAP, for those who learn it
    fetch.py          UIDs and items -> what the server says, matched by UID
    bodystructure.py  BODYSTRUCTURE -> a tree of Parts
    shapes.py         structures of one shape are read once
    overview.py       what the server says of each message, and whether to trust it
    download.py       parts of messages, decoded, piece by piece
    texts.py          the text of messages, by part
    messages.py       all of these -> records
"""

from typing import TYPE_CHECKING, Any

from mailframe.imap.auth import sasl_oauthbearer, sasl_xoauth2
from mailframe.imap.client import IMAPClient
from mailframe.imap.source import ImapSource

if TYPE_CHECKING:
    from mailframe.imap.oauth import OAuth2Authenticator

__all__ = [
    "IMAPClient",
    "ImapSource",
    "OAuth2Authenticator",
    "sasl_oauthbearer",
    "sasl_xoauth2",
]


def __getattr__(name: str) -> Any:
    if name == "OAuth2Authenticator":  # a web browser and more, for those who need it
        from mailframe.imap.oauth import OAuth2Authenticator  # noqa: PLC0415

        return OAuth2Authenticator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
