"""The IMAP client module: from a socket to records, without pandas.

::

    client.py         IMAPClient, for scripts and lessons
    source.py         ImapSource, what a Session stands on
    auth.py           logging in, SASL strings
    credentials.py    where a password comes from
    tls.py            how a connection is opened, certificates checked
    proxy.py          a way out through a proxy
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

from mailframe.imap.auth import sasl_xoauth2
from mailframe.imap.client import IMAPClient
from mailframe.imap.source import ImapSource

__all__ = ["IMAPClient", "ImapSource", "sasl_xoauth2"]
