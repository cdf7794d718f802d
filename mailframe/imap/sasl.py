r"""SASL (RFC 4422): what is said to sign in, and by which mechanism. Nothing here is sent.

PLAIN is RFC 4616, CRAM-MD5 RFC 2195, LOGIN was never more than a draft; with an OAuth 2.0 token
XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "COMMAND",
    "for_password",
    "for_token",
    "in_words",
    "mechanisms",
    "refuse_unsendable",
    "sasl_oauthbearer",
    "sasl_plain",
    "sasl_string",
    "sasl_xoauth2",
    "solve_cram_md5",
]

#: IMAP's own LOGIN, which is no mechanism: every server has it but for LOGINDISABLED.
COMMAND = "the LOGIN command"
#: The best first. PLAIN carries UTF-8; the command has been tried by all clients of all servers;
#: CRAM-MD5 says nothing of which passwords a server has for it; LOGIN is the draft.
FOR_PASSWORDS = ("PLAIN", COMMAND, "CRAM-MD5", "LOGIN")
#: Both carry the same token. XOAUTH2 is what Google, Microsoft and Yahoo describe, and Microsoft
#: has no other; OAUTHBEARER is for servers that know the standard alone.
FOR_TOKENS = ("XOAUTH2", "OAUTHBEARER")

_LONGEST_REPORT = 500
_UNSHOWN = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSENDABLE = re.compile("[\r\n\0\1\ud800-\udfff]")


def mechanisms(capabilities: Collection[str]) -> frozenset[str]:
    """Return the SASL mechanisms among a server's capabilities.

    Parameters
    ----------
    capabilities
        In capital letters.

    Examples
    --------
    >>> sorted(mechanisms({"IMAP4REV1", "AUTH=PLAIN", "AUTH=XOAUTH2"}))
    ['PLAIN', 'XOAUTH2']
    """
    return frozenset(one[5:] for one in capabilities if one.startswith("AUTH="))


def for_password(
    capabilities: Collection[str], wanted: str = "", *, for_another: bool = False
) -> str:
    """Choose how a password is sent.

    Parameters
    ----------
    capabilities
        What the server offers, in capital letters.
    wanted
        The mechanism to use, in capital letters; empty for the best.
    for_another
        Whether somebody else's mailbox is meant, which PLAIN alone can say (RFC 4616).

    Returns
    -------
    str
        A mechanism, or `COMMAND`; empty where there is none.

    Examples
    --------
    >>> for_password({"IMAP4REV1", "AUTH=CRAM-MD5", "AUTH=PLAIN"})
    'PLAIN'
    >>> for_password({"IMAP4REV1"})
    'the LOGIN command'
    """
    offered = mechanisms(capabilities)
    # A Dovecot with CRAM-MD5 alone has said so without LOGINDISABLED, and refused the command.
    has_cram_alone = "CRAM-MD5" in offered and not offered & {"PLAIN", "LOGIN"}
    usable = offered
    if "LOGINDISABLED" not in capabilities and (wanted == "LOGIN" or not has_cram_alone):
        usable |= {COMMAND}
    order: tuple[str, ...] = FOR_PASSWORDS
    if for_another:
        order = ("PLAIN",)
    elif wanted:
        order = (COMMAND, "LOGIN") if wanted == "LOGIN" else (wanted,)
    return next((one for one in order if one in usable), "")


def for_token(capabilities: Collection[str], wanted: str = "") -> str:
    """Choose how an OAuth 2.0 token is sent.

    Parameters
    ----------
    capabilities
        What the server offers, in capital letters.
    wanted
        The mechanism to use, in capital letters; empty for the best.

    Returns
    -------
    str
        A mechanism; empty where there is none.
    """
    offered = mechanisms(capabilities)
    order = (wanted,) if wanted else FOR_TOKENS
    return next((one for one in order if one in offered), "")


def sasl_plain(username: str, password: str, authorize_as: str = "") -> str:
    r"""Return the string of PLAIN (RFC 4616), not base64.

    Parameters
    ----------
    username, password
        Who signs in.
    authorize_as
        Whose mailbox is meant, if it is not their own.

    Examples
    --------
    >>> sasl_plain("admin", "secret", "bob")
    'bob\x00admin\x00secret'
    """
    refuse_unsendable(username, password, authorize_as)
    return f"{authorize_as}\0{username}\0{password}"


def solve_cram_md5(username: str, password: str, challenge: bytes) -> bytes:
    """Answer the challenge of CRAM-MD5 (RFC 2195).

    Parameters
    ----------
    username, password
        Who signs in.
    challenge
        What the server sent, decoded.

    Examples
    --------
    RFC 2195's own.

    >>> solve_cram_md5("tim", "tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>")
    b'tim b913a602c7eda7a495b4e6e7334d3890'
    """

    # Where MD5 is switched off for what has to be secure (FIPS), it is still there for this.
    def md5(data: bytes = b"") -> hashlib._Hash:
        return hashlib.md5(data, usedforsecurity=False)

    digest = hmac.new(password.encode(), challenge, md5).hexdigest()
    return f"{username} {digest}".encode()


def sasl_xoauth2(username: str, token: str) -> str:
    r"""Return the SASL string of XOAUTH2 for an access token, not base64.

    Parameters
    ----------
    username
        The account.
    token
        An OAuth 2.0 access token with the scope for IMAP.

    Examples
    --------
    >>> sasl_xoauth2("me@example.com", "ya29.x")
    'user=me@example.com\x01auth=Bearer ya29.x\x01\x01'
    """
    refuse_unsendable(username, token)
    return f"user={username}\1auth=Bearer {token}\1\1"


def sasl_oauthbearer(username: str, token: str, host: str = "", port: int | None = None) -> str:
    r"""Return the SASL string of OAUTHBEARER (RFC 7628 section 3.1), not base64.

    Parameters
    ----------
    username
        The account.
    token
        An OAuth 2.0 access token with the scope for IMAP.
    host, port
        Which server it is meant for; left out if they are not given.

    Examples
    --------
    >>> sasl_oauthbearer("me@example.com", "vF9d", "imap.example.com", 993)
    'n,a=me@example.com,\x01host=imap.example.com\x01port=993\x01auth=Bearer vF9d\x01\x01'
    """
    refuse_unsendable(username, token, host)
    # A comma would end the name (RFC 5801 section 4).
    name = username.replace("=", "=3D").replace(",", "=2C")
    fields = [f"host={host}"] * bool(host) + [f"port={port}"] * bool(port)
    return "\1".join([f"n,a={name},", *fields, f"auth=Bearer {token}", "", ""])


def sasl_string(text: str) -> bytes:
    """Read a SASL string of XOAUTH2 or OAUTHBEARER, which may be in base64.

    Parameters
    ----------
    text
        As `sasl_xoauth2` or `sasl_oauthbearer` make it.

    Raises
    ------
    AuthenticationError
        If it is something else, such as a bare token.
    """
    raw = text.encode()
    if b"\1" not in raw:
        try:
            raw = base64.b64decode(raw, validate=True)
        except ValueError:
            raw = b""
    if b"\1auth=Bearer " not in raw or not raw.startswith((b"user=", b"n,")):
        raise AuthenticationError(
            "That is not a SASL string for OAuth.",
            suggestion="A bare access token does not say whose it is. Make the string with "
            "mailframe.imap.sasl_xoauth2(username, token).",
        )
    return raw


def in_words(challenge: bytes) -> str:
    """Show the error report of XOAUTH2 and OAUTHBEARER, which is base64 of a JSON object.

    Parameters
    ----------
    challenge
        As the server sent it.

    Returns
    -------
    str
        Empty if it is no such report.

    Examples
    --------
    >>> in_words(base64.b64encode(b'{"status": "401", "schemes": "bearer"}'))
    '(status: 401, schemes: bearer)'
    """
    try:
        report = json.loads(base64.b64decode(challenge))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(report, dict):
        return ""
    words = ", ".join(f"{name}: {value}" for name, value in report.items())[:_LONGEST_REPORT]
    # JSON may hold half characters, and a server what rules a terminal.
    return f"({_UNSHOWN.sub('?', words)})"


def refuse_unsendable(*texts: str) -> None:
    """Refuse what would not arrive as it is, or as something else.

    Parameters
    ----------
    texts
        User names and secrets; none is shown.

    Raises
    ------
    AuthenticationError
        If one holds a line break, NUL, ^A or half a character.
    """
    # In a user name they would end the command, in a SASL string the field (NUL, ^A); os.environ
    # decodes what is not UTF-8 to half characters.
    if any(_UNSENDABLE.search(text) for text in texts):
        raise AuthenticationError(
            "The user name or secret holds a line break, control character or half a character.",
            suggestion="It may have come along when it was copied: enter it again.",
        )
