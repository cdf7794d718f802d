"""What goes wrong below -> mailframe's own errors: sockets, TLS, imaplib, and the server's NO."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mailframe.exceptions import (
    CertificateError,
    CommandError,
    ConnectionFailedError,
    MailframeError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap.responses import split_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.responses import Reply

__all__ = ["LOST", "UNREACHED", "refusal", "translated"]

#: Codes of errors: of a line that broke, where the next one may hold; of a server that does not
#: answer at all.
LOST = "connection-lost"
UNREACHED = "port-blocked"

# RFC 5530 and what Gmail, Yahoo and Outlook send instead.
_PASSING = frozenset({"THROTTLED", "UNAVAILABLE"})
_THROTTLING = _PASSING | {"OVERQUOTA", "LIMIT", "INUSE"}
# imaplib's messages show the server's words as Python writes bytes.
_BYTES = re.compile(r"\bb(['\"])(.*?)\1")
_THROTTLING_WORDS = (
    "too many simultaneous connections",
    "maximum number of connections",  # Dovecot, beside [UNAVAILABLE] or [AUTHENTICATIONFAILED]
    "try again later",
    "rate limit",
    "throttled",  # Exchange: "BAD Request is throttled. Suggested Backoff Time: 299923 …"
)


@contextmanager
def translated(
    tried: str, host: str, timeout: float, farewell: Callable[[], str]
) -> Iterator[None]:
    """Turn errors of sockets, ``ssl`` and imaplib into mailframe's.

    Parameters
    ----------
    tried
        What was attempted, as a sentence.
    host
        The server.
    timeout
        Seconds that were waited for a byte.
    farewell
        Says what the server gave as its reason for ending (BYE), if it did.

    Raises
    ------
    ConnectionFailedError
        Or one of its kind.
    """
    try:
        yield
    except MailframeError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise CertificateError(tried, reply=error.verify_message) from error
    except TimeoutError as error:
        raise ServerTimeoutError(tried, reply=f"nothing for {timeout:g} seconds") from error
    except (socket.gaierror, UnicodeError) as error:
        raise ConnectionFailedError(
            tried,
            reply=getattr(error, "strerror", None) or str(error),
            suggestion=f"No machine is known as {host!r}: check the spelling of the host, "
            "and that you are online.",
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectionFailedError(
            tried,
            reply="connection refused",
            suggestion="Nothing listens on that port. IMAP is on 993 (security='tls') or 143 "
            "(security='starttls').",
        ) from error
    except ssl.SSLError as error:
        raise ConnectionFailedError(
            tried,
            reply=error.reason or str(error),
            suggestion="TLS could not be agreed on. Port 993 wants security='tls', port 143 "
            "security='starttls'.",
        ) from error
    except (OSError, imaplib.IMAP4.error) as error:
        words = error.args[-1] if error.args else ""
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        said = _BYTES.sub(r"\2", text)
        is_broken = isinstance(error, OSError | imaplib.IMAP4.abort)  # else it is not IMAP
        raise ConnectionFailedError(
            tried,
            reply=farewell() or said,
            suggestion="Connect again: session = mf.connect(...).",
            code=LOST if is_broken else "",
        ) from error


def refusal(
    reply: Reply,
    tried: str,
    error: type[MailframeError] = CommandError,
    *,
    changes: bool = False,
) -> MailframeError:
    """Make an error of a completion that is not OK (RFC 3501 section 7.1).

    Parameters
    ----------
    reply
        The tagged NO or BAD.
    tried
        What was attempted, as a sentence.
    error
        The class to use, unless the server asks for fewer requests.
    changes
        Whether something was to be changed, where a limit that is reached stays so.
    """
    code, _, words = split_code(reply.text)
    said = f"{reply.kind} {reply.text.decode('utf-8', 'replace')}".strip()
    is_bug = code == "SERVERBUG"  # which Yahoo puts beside "Please try again later"
    asks = any(word in words.lower() for word in _THROTTLING_WORDS) and not is_bug
    if code in (_PASSING if changes else _THROTTLING) or asks:
        return ThrottledError(tried, reply=said)
    return error(tried, reply=said)
