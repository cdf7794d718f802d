"""Signing in: LOGIN and the SASL mechanisms (RFC 4422), as the server sees them.

A mechanism is a name for how a secret is packed. PLAIN packs a name and a password, XOAUTH2 and
OAUTHBEARER an access token, which some other server has given to the client.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, NamedTuple

from mailframe.embedded.grammar import Bad

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHALLENGE", "MECHANISMS", "Credentials", "Users", "from_base64", "read_response"]

MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")

#: What is wrong with a token, told before the NO (RFC 7628 section 3.2.2).
CHALLENGE = b'{"status":"invalid_token","schemes":"bearer","scope":"mail"}'

# RFC 7628 section 3.1: pairs of key and value, each ended by ^A.
_BEARER = re.compile(rb"\x01auth=bearer ([^\x01 ]+)\x01", re.IGNORECASE)
_XOAUTH2_USER = re.compile(rb"user=([^\x01]*)\x01")
_GS2_USER = re.compile(rb"[ny],a=([^,\x01]*),")


class Credentials(NamedTuple):
    """What a client says of itself.

    Attributes
    ----------
    user
        Whose mailbox it wants.
    secret
        Password or token.
    is_token
        Which of them.
    """

    user: str
    secret: str
    is_token: bool = False

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, secret=…)"


class Users:
    """Who may sign in.

    Parameters
    ----------
    passwords
        By user name.
    tokens
        Access tokens, by user name.
    """

    def __init__(self, passwords: Mapping[str, str], tokens: Mapping[str, str]) -> None:
        self._passwords = dict(passwords)
        self._tokens = dict(tokens)

    def names(self) -> set[str]:
        """List the users."""
        return {*self._passwords, *self._tokens}

    def admit(self, credentials: Credentials) -> bool:
        """Say whether these are a user's."""
        known = self._tokens if credentials.is_token else self._passwords
        secret = known.get(credentials.user)
        # Compared in constant time: how long it takes says nothing about the secret.
        given = credentials.secret.encode("utf-8", "replace")
        return secret is not None and hmac.compare_digest(secret.encode("utf-8"), given)


def from_base64(line: bytes) -> bytes:
    """Read what a client sends of a SASL exchange; ``=`` stands for nothing (RFC 4959)."""
    if line == b"=":
        return b""
    try:
        return b64decode(line, validate=True)
    except Base64Error as error:
        raise Bad("That is not base64") from error


def read_response(mechanism: str, response: bytes) -> Credentials:
    r"""Unpack a client's response.

    Parameters
    ----------
    mechanism
        PLAIN, XOAUTH2 or OAUTHBEARER.
    response
        Decoded from base64.

    Raises
    ------
    Bad
        If it is not of that form.

    Examples
    --------
    >>> read_response("PLAIN", b"\0ann\0secret").user
    'ann'
    """
    if mechanism == "PLAIN":
        # RFC 4616: who one wants to be, who one is, the password.
        parts = response.split(b"\0")
        if len(parts) != 3 or parts[0] not in {b"", parts[1]}:  # noqa: PLR2004 see above
            raise Bad("PLAIN wants: NUL, user name, NUL, password")
        return Credentials(_text(parts[1]), _text(parts[2]))
    user = _XOAUTH2_USER if mechanism == "XOAUTH2" else _GS2_USER
    name, token = user.match(response), _BEARER.search(response)
    if name is None or token is None:
        raise Bad(f"{mechanism} wants a user name and 'auth=Bearer', each ended by ^A")
    return Credentials(_text(name[1]), _text(token[1]), is_token=True)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
