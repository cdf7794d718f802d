"""Mail in files, seen as any other mail: mbox, Maildir, folders of messages.

::

    source.py      FileSource, what a Session stands on
    reading.py     a message -> records
    tree.py        a path -> the folders below it, found by looking into the files
    looks.py       the first bytes of a file -> what it is
    stored.py      one message, read no further than it is asked for
    marks.py       what programs write into a header: read, starred, labels
    mbox.py        one file of many messages
    scan.py        an mbox in one pass -> where its messages are
    separators.py  the "From " line between them
    maildir.py     a folder with a file for each message, flags in its name
    listing.py     the names in it, which change while they are listed
    messages.py    a folder of .eml files
    handle.py      a file by place, a compressed one by way of a temporary file
    searchable.py  a message as criteria see it
"""

from mailframe.files.source import FileSource

__all__ = ["FileSource"]
