"""What providers' servers say when they refuse, and what they mean by it: a table.

`advice.explained` looks things up in it.
"""

from __future__ import annotations

from typing import NamedTuple

from mailframe.exceptions import (
    AuthenticationError,
    CertificateError,
    ConnectionFailedError,
    MailframeError,
    ServerTimeoutError,
)
from mailframe.imap.failures import UNREACHED

__all__ = ["NO_PASSWORD_OF_THE_ACCOUNT", "RULES", "Rule"]

#: In `Rule.whose`: whoever accepts app passwords, but not the password of the account.
NO_PASSWORD_OF_THE_ACCOUNT = "app passwords only"  # noqa: S105 a kind of provider


class Rule(NamedTuple):
    """Which words mean what.

    Attributes
    ----------
    code
        What they mean, for programs.
    words
        A regular expression for the server's words, in any case; for connections that did not
        come about, of ours.
    advice
        What to do; ``{…}`` is filled in by `advice`. Empty to leave the error's own.
    whose
        Keys of the providers, or of their OAuth settings, that say it so; empty for all.
    method
        ``"password"`` or ``"oauth"`` if the words mean that with one of them alone.
    kind
        The class of error, if the words mean that in one alone.
    seen
        Where these words were seen: reports of issues, the provider's or OpenSSL's own text.
    """

    code: str
    words: str
    advice: str
    whose: frozenset[str] = frozenset()
    method: str = ""
    kind: type[MailframeError] = MailframeError
    seen: str = ""


_GOOGLE = frozenset({"google"})
_MICROSOFT = frozenset({"microsoft"})
_QQ = frozenset({"qq", "exmail"})

_WANTS_ANOTHER = (
    "{name} wants an app password here, not the one for the website. {app_password}{also_on}"
)
_NO_PASSWORDS = (
    "{name} accepts no passwords by IMAP any more, app passwords neither. Sign in with OAuth: "
    'oauth="{oauth}".{also_on}{page}'
)
_IN_BROWSER = (
    "{name} wants to see you in a browser first: sign in to the website, confirm there that this "
    "attempt was yours, then try again. {better}{page}"
)
_NO_SCOPE = (
    "The token does not open IMAP: it lacks the scope {scope}, is another account's than "
    "{username}, or has expired. {again} Leave every box ticked that you are shown.{page}"
)
_SELF_SIGNED = (
    "If this is your own server, fetch its certificate once, compare its fingerprint with the one "
    "on the server, and trust that one alone:\n{fetch}\n"
    '    mf.connect("{host}", ..., ssl_context=ssl.create_default_context(cafile="{pem}"))\n'
    "If it is not your own, somebody may be listening in: do not go on."
)

#: The first that fits is taken.
RULES = (
    # certificates: OpenSSL's words
    Rule(
        "self-signed",
        r"self.signed certificate",
        "Proton Mail Bridge makes its own certificate. Export it in Bridge's settings, then: "
        'mf.connect(..., ssl_context=ssl.create_default_context(cafile="cert.pem")).{page}',
        whose=frozenset({"proton"}),
        kind=CertificateError,
        seen="https://proton.me/support/macos-certificate-warning",
    ),
    Rule("self-signed", r"self.signed certificate", _SELF_SIGNED, kind=CertificateError),
    Rule(
        "clock-skew",
        r"certificate is not yet valid",
        "By this machine's clock the certificate is not valid yet, so the clock is probably slow: "
        "set date and time, then try again.",
        kind=CertificateError,
    ),
    Rule(
        "certificate-expired",
        r"certificate has expired",
        "Check date and time of this machine. If they are right, whoever runs {host} has to renew "
        "the certificate: until then do not go on.",
        kind=CertificateError,
    ),
    Rule(
        "certificate-strict",
        r"does not include key usage|missing (?:authority|subject) key identifier"
        r"|basic constraints of ca cert not marked critical",
        "The certificate is made too simply for Python 3.13: make the authority's anew, with a "
        "critical basicConstraints, keyUsage and key identifiers. Until then: "
        'context = ssl.create_default_context(cafile="authority.pem"); '
        "context.verify_flags &= ~ssl.VERIFY_X509_STRICT; ssl_context=context.",
        kind=CertificateError,
    ),
    Rule(
        "certificate-name",
        r"hostname mismatch|ip address mismatch|is not valid for|doesn't match",
        "The certificate is for another host than {host}. Use the name that the provider gives "
        "for IMAP{real_host}; a domain of one's own often stands in no certificate. If the name is "
        "right, somebody may be listening in: do not go on.",
        kind=CertificateError,
    ),
    Rule(
        "certificate-unknown",
        r"unable to get (?:local )?issuer certificate|unable to verify the first certificate",
        "Nobody whom this machine trusts has signed the certificate. In a company or behind a "
        "virus scanner, ask for the certificate of its authority and trust it: "
        'ssl_context=ssl.create_default_context(cafile="authority.pem"). On macOS, Python\'s '
        "'Install Certificates.command' may not have been run.",
        kind=CertificateError,
    ),
    # no connection
    Rule(
        "starttls-stripped",
        r"offers no starttls|starttls was broken off",
        "Use TLS from the first byte: security='tls' (port 993). If STARTTLS was offered before, "
        "somebody on the way may be removing it: try another network, and send nothing over this "
        "one.",
        kind=ConnectionFailedError,
    ),
    Rule(
        "port-blocked",
        rf"\nnothing for [\d.]+ seconds\n{UNREACHED}",
        "Nothing came back from port {port} of {host}. Offices, hotels, cloud notebooks and "
        "firewalls often block it: try another network, a proxy (proxy='socks5://...') or the "
        "other port (993 with security='tls', 143 with 'starttls').{page}",
        kind=ServerTimeoutError,
    ),
    Rule(
        "silent-server",
        r"could not connect[^\n]*\nnothing for [\d.]+ seconds",
        "Somebody took the connection to port {port} of {host} and said nothing. Port 993 wants "
        "security='tls', port 143 'starttls'; a slow server wants more time: timeout=120.",
        kind=ServerTimeoutError,
    ),
    Rule(
        "port-blocked",
        r"no route to host|network is unreachable|timed out",
        "Port {port} of {host} cannot be reached from here: check that you are online, and try "
        "another network or a proxy (proxy='socks5://...').{page}",
        kind=ConnectionFailedError,
    ),
    Rule(
        "connection-refused",
        r"connection refused",
        "Nothing listens there: Proton Mail Bridge must be running on this machine.{page}",
        whose=frozenset({"proton"}),
        kind=ConnectionFailedError,
    ),
    Rule("connection-refused", r"connection refused", "", kind=ConnectionFailedError),
    Rule(
        "unknown-host",
        r"name or service not known|nodename nor servname|name resolution|no address associated"
        r"|getaddrinfo failed",
        "",
        kind=ConnectionFailedError,
    ),
    # too much
    Rule(
        "too-many-connections",
        r"too many (?:simultaneous |concurrent )?connections|maximum number of connections"
        r"|connection limit",
        "Close other mail programs that have this mailbox open, or take fewer connections: "
        "mf.connect(..., pool_size=1).{limits}",
        seen="https://github.com/zone-eu/wildduck/issues/35, "
        "https://github.com/mscdex/node-imap/issues/606",
    ),
    # what is not about the password at all
    Rule(
        "client-unknown",
        r"unsafe login",
        "{name} opens no folder for programs that do not say who they are (ID, RFC 2971). "
        "mailframe says so after logging in; if it is refused all the same, sign in to the "
        "website, allow the program there, and make a new authorization code.{page}",
        seen="https://github.com/mjs/imapclient/issues/544",
    ),
    Rule(
        "basic-auth-retired",
        r"basic ?auth(?:entication)? (?:is )?(?:disabled|blocked)|basicauthblocked",
        _NO_PASSWORDS,
        seen="https://github.com/holon-run/uxc/issues/445",
    ),
    Rule(
        "basic-auth-retired",
        r"\S",
        _NO_PASSWORDS,
        whose=_MICROSOFT,
        method="password",
        kind=AuthenticationError,
        seen="https://github.com/mjs/imapclient/issues/602",
    ),
    Rule(
        "wrong-account",
        r"authenticated but not connected",
        "The token is good, but does not open the mailbox of {username}. {again} For a shared "
        "mailbox, sign in as somebody who may open it. Where it is the right account: IMAP is "
        "switched off for the mailbox, or the administrator has not allowed the OAuth "
        "client.{page}",
        method="oauth",
        seen="https://github.com/getmail6/getmail6/issues/221, "
        "https://github.com/simonrob/email-oauth2-proxy/issues/74",
    ),
    Rule(
        "basic-auth-retired",
        r"authenticated but not connected",
        _NO_PASSWORDS,
        whose=_MICROSOFT,
        seen="https://github.com/imapsync/imapsync/issues/411",
    ),
    Rule(
        "wrong-password",
        r"authenticated but not connected",
        "Exchange takes a wrong password first and refuses what follows: check user name and "
        "password, and that IMAP is switched on for the mailbox.",
        seen="https://unix.stackexchange.com/questions/164823",
    ),
    Rule(
        "web-login-required",
        r"log ?in via your web browser|web login required|webalert|account is blocked",
        _IN_BROWSER,
        seen="https://github.com/mailcow/mailcow-dockerized/issues/4277, "
        "https://github.com/mscdex/node-imap/issues/799",
    ),
    Rule(
        "app-password-needed",
        r"app(?:lication)?[- ]specific password|app(?:lication)? password|aplication password"
        r"|parol prilozheniya|authori[sz](?:ation|ed) code|授权码",
        _WANTS_ANOTHER,
        method="password",
        seen="https://github.com/BrianLeishman/go-imap/issues/25, "
        "https://github.com/thunderbird/thunderbird-android/issues/9069, "
        "https://github.com/pandolia/qqbot/issues/139",
    ),
    Rule(
        "imap-off",
        r"credentials or imap is disabled",
        "Either IMAP is switched off for this mailbox, or the password is not an app password: "
        "{name} gives both the same answer. {switch_on} {app_password}",
        seen="https://github.com/Foundry376/Mailspring/issues/2111",
    ),
    Rule(
        "app-password-needed",
        r"service is not open|account is abnormal",
        _WANTS_ANOTHER,
        whose=_QQ,
        seen="https://github.com/chengazhen/cursor-auto-free/issues/294",
    ),
    Rule(
        "imap-off",
        r"not enabled for imap|yet to enable imap|imap (?:access |use )?(?:is |has been )?"
        r"(?:disabled|not enabled|not allowed)|imap support is not enabled|enable imap",
        "IMAP is switched off for this mailbox. {switch_on}",
        seen="Gmail's and Zoho's, from memory; https://github.com/nylas/nylas-mail/issues/2306",
    ),
    # tokens
    Rule(
        "clock-skew",
        r"reasonable timeframe|(?:not valid|used|issued) (?:yet|too early|in the future)"
        r"|not yet valid|valid time range|clock",
        "The clocks of this machine and of the server differ: set date and time, then try again.",
        method="oauth",
        seen="Google's and Microsoft's token endpoints, from memory",
    ),
    Rule(
        "test-mode-token",
        r"invalid_grant|token has been expired or revoked",
        "Google has ended this sign-in. While the OAuth client's publishing status is 'Testing', "
        "that happens after 7 days: set it to 'In production' in the Google Cloud console. A new "
        "password and half a year without use end it, too. {again} "
        "https://developers.google.com/identity/protocols/oauth2#expiration",
        whose=_GOOGLE,
        method="oauth",
        seen="https://github.com/tarickb/sasl-xoauth2/issues/29, RFC 6749 section 5.2",
    ),
    Rule(
        "token-without-scope",
        r"insufficient.?scope|insufficient authentication scopes",
        _NO_SCOPE,
        method="oauth",
        seen="RFC 6750 section 3.1, which RFC 7628 section 3.2.2 has the words from",
    ),
    Rule(
        "token-without-scope",
        r"status: 400",
        _NO_SCOPE,
        whose=_GOOGLE,
        method="oauth",
        seen="https://github.com/google/gmail-oauth2-tools/issues/78, "
        "https://github.com/emersion/go-imap/issues/213",
    ),
    Rule(
        "token-expired",
        r"invalid_token|invalid_grant|status: 401|token (?:has |is )?expired",
        "The access token has expired, or was withdrawn. {again}{page}",
        method="oauth",
        seen="https://developers.google.com/workspace/gmail/imap/xoauth2-protocol, RFC 7628",
    ),
    Rule(
        "token-refused",
        r"\S",
        "The server does not say why. The token must be for {username}, have the scope {scope}, "
        "and not have expired; and IMAP must be on for the mailbox. {again}{page}",
        method="oauth",
        kind=AuthenticationError,
        seen="https://github.com/postalsys/imapflow/issues/314",
    ),
    # passwords: the same words for several causes
    Rule(
        "wrong-password",
        r"invalid credentials",
        "User name or password is wrong. The password is an app password of 16 letters, without "
        "the spaces. {app_password}{also_on}",
        whose=_GOOGLE,
        method="password",
        kind=AuthenticationError,
        seen="https://github.com/andreiaugustin/gmail_extractor/issues/4",
    ),
    Rule(
        "app-password-needed",
        r"login error or password error",
        _WANTS_ANOTHER,
        method="password",
        seen="NetEase's, from memory",
    ),
    Rule(
        "wrong-password",
        r"\S",
        "The password is the one that Proton Mail Bridge shows for the account, not Proton's own, "
        "and the user name the one beside it.{page}",
        whose=frozenset({"proton"}),
        method="password",
        kind=AuthenticationError,
    ),
    Rule(
        "app-password-needed",
        r"^(?!bad\b)\s*\S",
        _WANTS_ANOTHER,
        whose=frozenset({NO_PASSWORD_OF_THE_ACCOUNT}),
        method="password",
        kind=AuthenticationError,
        seen="https://github.com/kenn-io/msgvault/issues/229, "
        "https://github.com/Ryan0204/cursor-auto-icloud/issues/12, "
        "https://github.com/rustmailer/bichon/issues/152",
    ),
    Rule(
        "wrong-password",
        r"^(?!bad\b)\s*\S",
        "User name or password is wrong. The user name is {form}.{or_app_password}{also_on}{page}",
        method="password",
        kind=AuthenticationError,
        seen="https://github.com/thunderbird/thunderbird-android/issues/5780",
    ),
)
