"""Bytes of mail in, values out: no network, no pandas, and no bytes that make it raise.

::

    parse_email      a whole message -> Email
    assemble_email   what was read part by part -> Email
    parse_structure  a whole message -> its tree of Parts
    split_header     a message -> its header and its body
    split_message    a message -> its fields, its tree of Parts, and what is wrong with it
    parse_headers    a header block -> Headers
    parse_hops       Received fields -> the servers that a message passed
    parse_authentication_results  what a server found out about the sender -> records
    parse_list_unsubscribe        List-Unsubscribe -> URIs
    pick_parts       a tree of Parts, whoever made it -> bodies and attachments (RFC 8621)
    read_bodies      the bodies picked, decoded
    find_uuencoded   files written into a text, from before MIME
    split_reply      a text -> own words, quoted text, signature
    mark_lines       a text -> whose each line is
    tokens           a text -> its words
    count_words      how many words a text has
    html_to_text     HTML -> the text that a person would read
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mailframe.parsing.addresses import parse_addresses
from mailframe.parsing.authentication import parse_authentication_results
from mailframe.parsing.content import ContentDecoder, decode_content
from mailframe.parsing.dates import parse_date
from mailframe.parsing.email_parser import assemble_email, parse_email, parse_structure
from mailframe.parsing.headers import parse_headers, parse_list_unsubscribe
from mailframe.parsing.html import html_to_text
from mailframe.parsing.message import Email
from mailframe.parsing.mime import split_header, split_message
from mailframe.parsing.parameters import join_parameters, parse_content_type
from mailframe.parsing.parts import (
    Bodies,
    Picked,
    find_part,
    pick_parts,
    read_bodies,
)
from mailframe.parsing.received import parse_hops
from mailframe.parsing.text import decode_text
from mailframe.parsing.uuencode import find_uuencoded
from mailframe.parsing.words import decode_words

if TYPE_CHECKING:
    from mailframe.parsing.replies import mark_lines, split_reply
    from mailframe.parsing.tokenizer import count_words, tokens

__all__ = [
    "Bodies",
    "ContentDecoder",
    "Email",
    "Picked",
    "assemble_email",
    "count_words",
    "decode_content",
    "decode_text",
    "decode_words",
    "find_part",
    "find_uuencoded",
    "html_to_text",
    "join_parameters",
    "mark_lines",
    "parse_addresses",
    "parse_authentication_results",
    "parse_content_type",
    "parse_date",
    "parse_email",
    "parse_headers",
    "parse_hops",
    "parse_list_unsubscribe",
    "parse_structure",
    "pick_parts",
    "read_bodies",
    "split_header",
    "split_message",
    "split_reply",
    "tokens",
]

# Patterns in twenty languages take a while to be compiled, and few programs need them.
_ON_USE = {
    "count_words": "tokenizer",
    "mark_lines": "replies",
    "split_reply": "replies",
    "tokens": "tokenizer",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_ON_USE[name]}"), name)
    globals()[name] = value
    return value
