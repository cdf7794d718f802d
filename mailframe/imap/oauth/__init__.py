"""OAuth 2.0: signing in once, and access tokens from then on (extra ``oauth``).

::

    authenticator.py  OAuth2Authenticator: a valid token for an account, whenever one is asked for
    arguments.py      what it is told
    flows.py          the three ways to sign in: browser, device code, pasted address
    redirect.py       the port that waits for the browser
    server.py         what the OAuth server is asked
    endpoints.py      where: a provider in the table, or any server by its discovery document
    grants.py         whether what was granted is what was asked for
    calls.py          HTTP, and what goes wrong with it
    refusals.py       the server's refusals in words
    tokens.py         where tokens are kept
    locks.py          one process at a time
    places.py         which of these places this machine has
    clients.py        the client that a user has registered
"""

from mailframe.imap.oauth.authenticator import OAuth2Authenticator

__all__ = ["OAuth2Authenticator"]
