"""What an OAuth server's refusals mean, and what to do about each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailframe.exceptions import AuthenticationError

if TYPE_CHECKING:
    from mailframe.imap.oauth.calls import Answer
    from mailframe.imap.oauth.endpoints import Endpoints

__all__ = ["refusal"]

#: In seconds; how far off a clock may be before it is worth a word.
_CLOCK_TOLERANCE = 300

_AGAIN = "Sign in again: authenticator.authorize(username)."
_CONSENT = (
    "Sign in once more and allow the access. Where the page asked for an administrator's approval, "
    "ask yours; at Google, an application in testing admits its listed test users alone."
)
_CLIENT = "Check client_id and client_secret against the page where the application is registered."
_REDIRECT = (
    "Register the address of the redirect with the application, without a port "
    '(Microsoft: "http://localhost" under "Mobile and desktop applications"; Google: an '
    'application of the type "Desktop app"), or pass the registered one: '
    'redirect_uri="http://localhost:8765".'
)
_TENANT = (
    "Register the application for any organisation and personal accounts (Microsoft Entra admin "
    'center, "Supported account types"), or name your tenant in the environment variable '
    "MAILFRAME_MICROSOFT_TENANT: contoso.onmicrosoft.com."
)
_DOWN = "The server has a trouble of its own: try again in a few minutes."
_EXPIRED = "The code was not entered in time. " + _AGAIN


class _Meaning(NamedTuple):
    code: str
    suggestion: str


# RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6.
_ERRORS = {
    "access_denied": _Meaning("consent-denied", _CONSENT),
    "authorization_declined": _Meaning("consent-denied", _CONSENT),  # Microsoft's word, by device
    "consent_required": _Meaning("consent-denied", _CONSENT),
    "invalid_client": _Meaning("invalid-client", _CLIENT),
    "unauthorized_client": _Meaning("invalid-client", _CLIENT),
    "invalid_scope": _Meaning(
        "invalid-scope",
        "The application may not ask for mail: allow it IMAP where it is registered, or name "
        "other scopes: scopes=[…].",
    ),
    "redirect_uri_mismatch": _Meaning("redirect-mismatch", _REDIRECT),  # Google's
    "expired_token": _Meaning("device-code-expired", _EXPIRED),
    "code_expired": _Meaning("device-code-expired", _EXPIRED),
    "interaction_required": _Meaning("invalid-grant", _AGAIN),
    "login_required": _Meaning("invalid-grant", _AGAIN),
    "server_error": _Meaning("token-endpoint-down", _DOWN),
    "temporarily_unavailable": _Meaning("token-endpoint-down", _DOWN),
}

# Microsoft's own numbers say more than the names above. They may change, says the page that lists
# them (learn.microsoft.com/entra/identity-platform/reference-error-codes): then the names count.
_MICROSOFT = {
    "AADSTS7000218": _Meaning(
        "invalid-client",
        "The registered application counts as confidential: pass its client_secret=, or allow "
        'public client flows under "Authentication" of its registration.',
    ),
    "AADSTS700016": _Meaning("invalid-client", _CLIENT),
    "AADSTS50011": _Meaning("redirect-mismatch", _REDIRECT),
    "AADSTS53003": _Meaning(
        "blocked-by-policy",
        "A rule of your organisation (Conditional Access) forbids this way of signing in: try "
        'flow="browser", or ask your administrator.',
    ),
    # Registered for one organisation, and asked at the address for all.
    "AADSTS50194": _Meaning("invalid-client", _TENANT),
    "AADSTS50020": _Meaning("invalid-client", _TENANT),
    "AADSTS700082": _Meaning(
        "invalid-grant", "The stay signed in has ended: it was unused for months. " + _AGAIN
    ),
    "AADSTS65001": _Meaning("consent-denied", _CONSENT),
    "AADSTS90094": _Meaning("consent-denied", _CONSENT),  # an administrator has to
    "AADSTS65004": _Meaning("consent-denied", _CONSENT),
}

# The same name means something else for each of what can be granted.
_GRANTS = {
    "code": _Meaning(
        "code-reused",
        "The code from the browser was used before, is too old, or belongs to another sign-in. "
        + _AGAIN,
    ),
    "device": _Meaning("device-code-expired", _EXPIRED),
    "refresh": _Meaning(
        "invalid-grant",
        "The stay signed in has ended: withdrawn, unused for months, or by a changed password. "
        + _AGAIN,
    ),
}
_GOOGLE_REFRESH = _Meaning(
    "invalid-grant",
    "While an application is in testing, Google ends its tokens after 7 days: publish it (Google "
    "Cloud console, OAuth consent screen). A changed password ends them too. " + _AGAIN,
)
_UNKNOWN = _Meaning("authorization-refused", _AGAIN)


def refusal(endpoints: Endpoints, grant: str, answer: Answer) -> AuthenticationError:
    """Return the error for a refusal, in words.

    Parameters
    ----------
    endpoints
        Who refused.
    grant
        What was to be changed for a token: ``"code"``, ``"device"`` or ``"refresh"``.
    answer
        With an error.
    """
    meaning = _meaning(endpoints, grant, answer)
    code, suggestion = meaning
    if answer.error == "invalid_grant" and abs(answer.ahead) > _CLOCK_TOLERANCE:
        direction = "ahead" if answer.ahead > 0 else "behind"
        code = "clock-skew"
        suggestion = (
            f"This computer's clock is {abs(answer.ahead) / 60:.0f} minutes {direction} of the "
            f"server's: set it first. {suggestion}"
        )
    return AuthenticationError(
        f"{endpoints.name} did not grant access.",
        reply=answer.words,
        suggestion=suggestion,
        code=code,
    )


def _meaning(endpoints: Endpoints, grant: str, answer: Answer) -> _Meaning:
    for number in re.findall(r"AADSTS\d+", answer.words):
        if number in _MICROSOFT:
            return _MICROSOFT[number]
    if answer.error == "invalid_grant":
        google = endpoints.server == "google" and grant == "refresh"
        return _GOOGLE_REFRESH if google else _GRANTS[grant]
    return _ERRORS.get(answer.error, _UNKNOWN)
