"""Bytes of mail in, values out: no network, no pandas, and no bytes that make it raise.

::

    parse_email      a whole message -> Email
    assemble_email   what was read part by part -> Email
    parse_structure  a whole message -> its tree of Parts
    parse_headers    a header block -> Headers
    parse_hops       Received fields -> the servers that a message passed
    pick_parts       a tree of Parts, whoever made it -> bodies and attachments (RFC 8621)
    read_bodies      the bodies picked, decoded
    html_to_text     HTML -> the text that a person would read
"""

from __future__ import annotations

from mailframe.parsing.addresses import parse_addresses
from mailframe.parsing.content import ContentDecoder
from mailframe.parsing.dates import parse_date
from mailframe.parsing.email_parser import assemble_email, parse_email, parse_structure
from mailframe.parsing.headers import parse_headers
from mailframe.parsing.html import html_to_text
from mailframe.parsing.message import Email
from mailframe.parsing.parameters import join_parameters, parse_content_type
from mailframe.parsing.parts import (
    Bodies,
    Picked,
    decode_content,
    decode_text,
    find_part,
    pick_parts,
    read_bodies,
)
from mailframe.parsing.received import parse_hops
from mailframe.parsing.words import decode_words

__all__ = [
    "Bodies",
    "ContentDecoder",
    "Email",
    "Picked",
    "assemble_email",
    "decode_content",
    "decode_text",
    "decode_words",
    "find_part",
    "html_to_text",
    "join_parameters",
    "parse_addresses",
    "parse_content_type",
    "parse_date",
    "parse_email",
    "parse_headers",
    "parse_hops",
    "parse_structure",
    "pick_parts",
    "read_bodies",
]
