"""The one tree of errors.

::

    MailframeError
    ├── ConnectionFailedError   (ConnectionError)     no working connection to the server
    │   ├── CertificateError                          its TLS certificate is not trusted
    │   └── ServerTimeoutError  (TimeoutError)        the server fell silent
    ├── AuthenticationError     (PermissionError)     the server refused the credentials
    │   └── InsecureLoginError                        a secret would have gone out in clear text
    ├── ProtocolError           (ValueError)          a reply that is not IMAP
    ├── CommandError            (RuntimeError)        the server answered NO or BAD
    │   └── ThrottledError                            … because it wants fewer requests
    ├── FolderError             (LookupError)         a folder that cannot be opened
    │   └── UidValidityError                          its messages were renumbered
    ├── MessageNotFoundError    (LookupError)         no message with that UID
    ├── QueryError              (ValueError)          criteria that cannot be asked
    ├── ReadOnlyError           (PermissionError)     opened for reading, asked to write
    ├── SaveError               (OSError)             a file that cannot be written
    ├── MailFileError           (OSError)             a file that cannot be read as mail
    └── NotSupportedError       (NotImplementedError) this server or source cannot do that

Each says what was tried, what came back (the server's own text) and what to do next, is also the
builtin it resembles, and pickles. Errors of imaplib, imap-tools and the socket never reach a user:
they are the ``__cause__``.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "CertificateError",
    "CommandError",
    "ConnectionFailedError",
    "FolderError",
    "IncompleteWarning",
    "InsecureLoginError",
    "MailFileError",
    "MailframeError",
    "MessageNotFoundError",
    "NotSupportedError",
    "ProtocolError",
    "QueryError",
    "ReadOnlyError",
    "SaveError",
    "ServerTimeoutError",
    "ThrottledError",
    "UidValidityError",
]


class MailframeError(Exception):
    """Root of every error that mailframe raises.

    Parameters
    ----------
    tried
        What was attempted, as a sentence: ``"Could not open the folder 'Archiv'."``
    reply
        What came back, in the server's own words, if anything did.
    suggestion
        What to do next. A class has a general one; the place that raises knows a better one.
    code
        For programs, where one class has several causes: ``"app-password-needed"``. Empty where
        the class says it all.
    """

    suggestion: str = ""
    #: Whose words the reply is.
    speaker = "The server"

    def __init__(
        self, tried: str, *, reply: str = "", suggestion: str = "", code: str = ""
    ) -> None:
        super().__init__(tried)
        self.tried = tried
        self.reply = reply
        self.code = code
        if suggestion:
            self.suggestion = suggestion

    def __str__(self) -> str:
        lines = [self.tried]
        if self.reply:
            lines.append(f"{self.speaker} said: {self.reply}")
        if self.suggestion:
            lines.append(f"What to do: {self.suggestion}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # The default rebuilds from args alone and would lose reply and suggestion.
        return type(self), (self.tried,), self.__dict__

    def _render_traceback_(self) -> list[str]:
        """Show the message instead of the traceback in IPython and Jupyter."""
        return [
            f"{type(self).__name__}: {self}",
            "(Full traceback: import sys, traceback; traceback.print_exception(sys.last_value))",
        ]


class ConnectionFailedError(MailframeError, ConnectionError):
    """Raised when there is no working connection: unknown host, closed port, broken line."""

    suggestion = "Check the host name, the port and your network, then try again."


class CertificateError(ConnectionFailedError):
    """Raised when the server's TLS certificate is not trusted. Nothing was sent to it."""

    suggestion = (
        "If this is your own server, trust its certificate: "
        'ssl_context=ssl.create_default_context(cafile="its-certificate.pem"). '
        "If it is not, somebody may be listening in: do not go on."
    )


class ServerTimeoutError(ConnectionFailedError, TimeoutError):
    """Raised when the server sent nothing for longer than ``timeout`` seconds."""

    suggestion = "Try again, or allow more time with timeout=120 (seconds without a byte)."


class AuthenticationError(MailframeError, PermissionError):
    """Raised when the server refused the user name, password or token."""

    suggestion = (
        "Check user name and password. Many providers (Gmail, Yahoo, iCloud) accept only an app "
        "password here, made in the account's security settings."
    )


class InsecureLoginError(AuthenticationError):
    """Raised before a secret would cross the network unencrypted. Nothing was sent."""

    suggestion = 'Use security="tls" (port 993) or security="starttls" (port 143).'


class ProtocolError(MailframeError, ValueError):
    """Raised for a reply that cannot be read as IMAP (RFC 3501 section 9)."""

    suggestion = "Connect again. If it stays, please report it with the reply above."


class CommandError(MailframeError, RuntimeError):
    """Raised when the server answered a command with NO or BAD (RFC 3501 section 7.1)."""

    suggestion = "Read the server's words above; if they say 'try again later', do."


class ThrottledError(CommandError):
    """Raised when the server wants fewer requests or connections (RFC 5530, Gmail's own codes)."""

    suggestion = "Wait a few minutes and ask for less at a time, for example with limit=500."


class FolderError(MailframeError, LookupError):
    """Raised for a folder that is not there or cannot be opened."""

    suggestion = "session.folders() shows the names as the server spells them."


class UidValidityError(FolderError):
    """Raised when a folder's UIDVALIDITY has changed (RFC 3501 section 2.3.1.1).

    The server has renumbered the folder, so UIDs read earlier may mean other messages now.
    """

    suggestion = "Read the folder again: UIDs from before no longer mean the same messages."


class MessageNotFoundError(MailframeError, LookupError):
    """Raised when no message has the UID asked for, or it has been deleted meanwhile."""

    suggestion = "Search again: the message was deleted or moved, or is in another folder."


class QueryError(MailframeError, ValueError):
    """Raised for criteria that cannot be asked, before anything is sent where possible."""

    suggestion = 'Examples: "UNSEEN SINCE 1-Jan-2026", mf.Q(from_="alice", since="30d").'


class ReadOnlyError(MailframeError, PermissionError):
    """Raised when something opened for reading is asked to change the mailbox. Nothing was sent."""

    suggestion = "Open it for writing: mf.connect(..., readonly=False), IMAPClient(readonly=False)."


class SaveError(MailframeError, OSError):
    """Raised when a file cannot be written: no space, no permission, a name that is taken."""

    suggestion = "Check that the folder can be written and has space left, then try again."
    speaker = "The system"


class MailFileError(MailframeError, OSError):
    """Raised for a file or folder that cannot be read as mail: not there, not allowed, no mail."""

    suggestion = "Check the path, and that you may read what is there."
    speaker = "The system"


class NotSupportedError(MailframeError, NotImplementedError):
    """Raised when this server or source has no means to do what was asked."""

    suggestion = "session.capabilities() shows what this server offers."


class IncompleteWarning(UserWarning):
    """Not all of a plan could be done; no error, since some of it may have been.

    Parameters
    ----------
    outcome
        What has become of each message: kept as ``outcome``, for whoever makes errors of warnings.
    """

    def __init__(self, outcome: object) -> None:
        super().__init__(f"Not all of it could be done.\n{outcome!r}")
        self.outcome = outcome
