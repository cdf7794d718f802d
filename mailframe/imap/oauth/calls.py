"""HTTP calls to an OAuth server, by Authlib and requests, and what goes wrong with them.

A request holds secrets, and the libraries' errors hold the request: none of those errors leaves
this module, neither as a cause nor as a context.
"""

from __future__ import annotations

import html
import io
import json
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, quote_plus, urlsplit

from mailframe.exceptions import AuthenticationError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authlib.integrations.requests_client import OAuth2Session
    from requests import PreparedRequest, Response

__all__ = [
    "Answer",
    "answer_of",
    "call",
    "new_session",
    "nobody",
    "odd",
    "printable",
    "refuse_clear_text",
]

#: Seconds to connect, and without a byte.
TIMEOUT = (10.0, 20.0)
#: Seconds for all of an answer: one that drips would keep the token file locked for ever.
_LONGEST_WAIT = 60.0
_BLOCK = 65536
#: In bytes. A discovery document has 5,000.
_LONGEST_ANSWER = 500_000
_LONGEST_WORDS = 500
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_HIDDEN = "•••"
_SERVER_ERROR = 500
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """What an OAuth server answered, a JSON object or nothing. No secret is in its repr.

    Attributes
    ----------
    fields
        Of the object.
    error, words
        Its error's name (RFC 6749 section 5.2), and the server's words about it without secrets;
        both empty where there is none.
    ahead
        By how many seconds this computer's clock is ahead of the server's.
    """

    fields: dict[str, Any] = field(repr=False)
    error: str = ""
    words: str = ""
    ahead: float = 0


class _Answered(NamedTuple):
    """What is known of the last response."""

    status: int
    kind: str
    ahead: float


def new_session(proxy: str = "", **options: Any) -> OAuth2Session:
    """Return a session of Authlib's, to be closed; imported here, on use.

    Parameters
    ----------
    proxy
        The address of the proxy that it goes through; empty for that of the environment, if any.
    options
        For Authlib.

    Raises
    ------
    NotSupportedError
        If the libraries are not installed.
    """
    try:
        from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415 an extra
    except ImportError as error:
        raise NotSupportedError(
            "OAuth needs libraries that are not installed.",
            suggestion="pip install 'mailframe[oauth]'",
        ) from error
    session = OAuth2Session(default_timeout=TIMEOUT, **options)
    if proxy:
        if proxy.casefold().startswith("socks") and find_spec("socks") is None:
            raise NotSupportedError(
                "OAuth through a SOCKS proxy needs a library that is not installed.",
                suggestion="pip install 'requests[socks]'",
            )
        # Each request says so: the environment's proxies go before what `session.proxies` holds.
        session.request = partial(session.request, proxies={"http": proxy, "https": proxy})
    return session


def call(
    session: OAuth2Session,
    function: Callable[[OAuth2Session], Any],
    tried: str,
    secrets: Iterable[str] = (),
) -> Answer:
    """Call a server once, and return what it says.

    Parameters
    ----------
    session
        Closed afterwards.
    function
        Makes the request, and returns a response or a dict of the fields.
    tried
        What to say if it fails.
    secrets
        What the server could repeat.

    Raises
    ------
    AuthenticationError
        If the server cannot be reached, or answers something else than JSON; its ``code`` says
        which.
    """
    from authlib.integrations.requests_client import OAuthError  # noqa: PLC0415 an extra
    from requests import exceptions as http  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    last: list[_Answered] = []
    session.hooks["response"].append(lambda response, **_: _note(response, last))
    try:
        with session:
            fields = function(session)
        if not isinstance(fields, dict):
            fields = _object(fields)
        return answer_of(fields, secrets, last[-1].ahead if last else 0)
    except OAuthError as error:
        refused = {"error": error.error, "error_description": error.description}
        return answer_of(refused, secrets, last[-1].ahead if last else 0)
    except http.SSLError as error:
        failure = _not_trusted(tried, _reason(error))
    except (http.ConnectionError, http.Timeout, HTTPError, TimeoutError) as error:
        failure = _down(tried, _reason(error))
    except (http.RequestException, ValueError, TypeError, LookupError, AttributeError):
        # Whatever is not as the RFCs have it: HTML, a list, texts where numbers should be.
        failure = _strange(tried, last[-1] if last else None)
    raise failure  # out here it has no context


def answer_of(fields: dict[str, Any], secrets: Iterable[str] = (), ahead: float = 0) -> Answer:
    """Sort out an answer, a secret in the words of its error hidden."""
    error = fields.get("error")
    if not error:
        return Answer(fields, ahead=ahead)
    # Microsoft adds three numbers and the time.
    description = str(fields.get("error_description") or "").partition("Trace ID:")[0]
    # Before anything is cut: half a secret would not be found.
    name = printable(_redact(str(error), secrets))
    words = printable(_redact(description, secrets))
    return Answer({}, name, f"{name}: {words}" if words else name, ahead)


def odd(tried: str, missing: str) -> AuthenticationError:
    """Return the error for an answer in JSON that is not what was asked for."""
    return AuthenticationError(
        tried,
        reply=f"(an answer with {missing})",
        suggestion="The address may not be that of an OAuth server: check it.",
        code="token-endpoint-html",
    )


def refuse_clear_text(url: str) -> None:
    """Refuse an address that is not HTTPS, except on this machine.

    Raises
    ------
    AuthenticationError
        With the code ``"insecure-endpoint"``.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)):
        return
    raise AuthenticationError(
        f"The address {printable(url)!r} is not one of HTTPS: nothing was sent there.",
        suggestion="Secrets go to OAuth servers over TLS alone. Check the address, or ask the "
        "server's administrator.",
        code="insecure-endpoint",
    )


def printable(text: str) -> str:
    """Cut a server's words, and take out what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text[:_LONGEST_WORDS]).strip()


def nobody(request: PreparedRequest) -> PreparedRequest:
    """Send no credentials; without this, requests would take those in ``~/.netrc``."""
    return request


def _note(response: Response, last: list[_Answered]) -> None:
    """Read a response, up to a limit, and keep what an error will need."""
    content = _content(response.raw)
    response.raw.close()
    response.raw = io.BytesIO(content)
    ahead = 0.0
    with suppress(ValueError, TypeError):
        ahead = time.time() - parsedate_to_datetime(response.headers["Date"]).timestamp()
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    last.append(_Answered(response.status_code, printable(kind), ahead))


def _content(raw: Any) -> bytes:
    """Read an answer, up to a limit and for no longer than a limit."""
    end = time.monotonic() + _LONGEST_WAIT
    content = b""
    if not hasattr(raw, "read1"):  # urllib3 before 2.2
        return bytes(raw.read(_LONGEST_ANSWER, decode_content=True))
    while len(content) < _LONGEST_ANSWER:
        block = raw.read1(_BLOCK, decode_content=True)
        if not block:
            break
        content += block
        if time.monotonic() > end:
            raise TimeoutError
    return content[:_LONGEST_ANSWER]


def _object(response: Response) -> dict[str, Any]:
    """Read a JSON object: what was asked for, or an error as in RFC 6749 section 5.2."""
    done = response.status_code // 100 == 2  # noqa: PLR2004 not a redirect: none is followed
    if done and not response.content:
        return {}
    fields = response.json()
    if not isinstance(fields, dict) or not (done or fields.get("error")):
        raise ValueError
    return fields


def _strange(tried: str, answered: _Answered | None) -> AuthenticationError:
    status = answered.status if answered else 0
    if status >= _SERVER_ERROR or status == _TOO_MANY:
        return _down(tried, f"HTTP {status}")
    return AuthenticationError(
        tried,
        reply=f"(HTTP {status}, {answered.kind or 'of no type'})" if answered else "",
        suggestion="That is no answer of an OAuth server. Where a network asks for a sign-in of "
        "its own (hotel, company), do that first; else check the address.",
        code="token-endpoint-html",
    )


def _down(tried: str, reason: str) -> AuthenticationError:
    return AuthenticationError(
        tried,
        reply=f"({reason})" if reason else "",
        suggestion="The server is down, slow or cannot be reached from here: check the network "
        "and any proxy, then try again in a few minutes.",
        code="token-endpoint-down",
    )


def _not_trusted(tried: str, reason: str) -> AuthenticationError:
    # A certificate of today is one of the future to a clock that is behind.
    late = "not yet valid" in reason
    return AuthenticationError(
        tried,
        reply=f"({reason})" if reason else "",
        suggestion="Set this computer's clock, then try again."
        if late
        else "The certificate is not trusted: check this computer's clock; behind a company's "
        "proxy, name its certificate in the environment variable REQUESTS_CA_BUNDLE.",
        code="clock-skew" if late else "token-endpoint-certificate",
    )


def _reason(error: BaseException) -> str:
    """Find what the system said first; the texts around it hold addresses."""
    reason, seen = "", 0
    while error is not None and seen < 10:  # noqa: PLR2004 no chain is longer
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message
        elif isinstance(error, TimeoutError):
            reason = "no answer in time"
        elif isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
        seen += 1
    return printable(str(reason))


def _redact(text: str, secrets: Iterable[str]) -> str:
    forms = set()
    for one in filter(None, secrets):
        forms |= {one, quote(one), quote(one, safe=""), quote_plus(one), html.escape(one)}
        forms.add(json.dumps(one)[1:-1])
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return text
