"""An IMAP server that comes with the package, and the sample mailbox it serves.

It is a real server, written to be read: whoever has its ten files open beside RFC 3501 sees what a
server does. It listens on 127.0.0.1 alone, and is no server for anything but trying and learning.

::

    utf7.py            names of mailboxes on the wire
    grammar.py         a command's bytes -> values
    authentication.py  who may sign in, and how a secret is packed
    fields.py, strings.py, addresses.py
                       header fields as IMAP shows them
    entities.py        a message's bytes -> its tree of parts, and where each lies
    describe.py        ENVELOPE, BODY and BODYSTRUCTURE
    sections.py        which bytes BODY[1.2.MIME] means
    content.py         a message's bytes, wherever they lie
    store.py           accounts, mailboxes, messages, flags
    view.py            a mailbox as one client sees it
    connection.py      one client: lines in, lines out
    search.py, fetch.py
                       what the two large commands ask for
    commands.py, mailboxes.py, messages.py
                       a function for each command
    dispatch.py        which command is done by what, and how it is answered
    server.py          the thread that listens
    sample.py          the sample mailbox
    launcher.py        what stands behind ``mf.demo``

Like every server it has a parser of its own: were it the client's, one mistake would hide another.
"""

from mailframe.embedded.server import Server

__all__ = ["Server"]
