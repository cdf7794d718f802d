"""Where OAuth tokens are kept: in memory, in a file for its owner alone, or in the keyring."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mailframe.exceptions import AuthenticationError, NotSupportedError, SaveError
from mailframe.imap.oauth.locks import acquire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["FileTokens", "KeyringTokens", "MemoryTokens", "Token", "Tokens"]

#: What the keyring files tokens under; passwords have a name of their own.
SERVICE = "mailframe-oauth"
_VERSION = 1
#: No token file is longer.
_LONGEST = 4_000_000
#: In bytes of UTF-16: what Windows' Credential Manager takes (CRED_MAX_CREDENTIAL_BLOB_SIZE).
_LONGEST_IN_WINDOWS = 2560


@dataclass(frozen=True, slots=True)
class Token:
    """What an OAuth server gave out for an account. No secret is in its repr.

    Attributes
    ----------
    access_token
        What the IMAP server is shown; empty where only the refresh token was kept.
    refresh_token
        What gets the next access token; empty where there is none.
    expires_at
        When the access token dies, in seconds since 1970 by this computer's clock; None if the
        server did not say.
    scope
        What was granted, if the server said; parted by blanks.
    client_id, server
        To whom and by whom: the provider's key, or the address of its discovery document. A token
        is shown to nobody else.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: float | None = None
    scope: str = ""
    client_id: str = ""
    server: str = ""


class Tokens(Protocol):
    """A place for the tokens of several accounts."""

    def load(self, username: str) -> Token | None:
        """Return the account's token, None if there is none."""

    def save(self, username: str, token: Token) -> None:
        """Keep a token in place of the account's old one, within `locked`."""

    def forget(self, username: str) -> None:
        """Remove the account's token if there is one, within `locked`."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other process from changing anything meanwhile."""


class MemoryTokens:
    """Tokens that are gone with this process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def __repr__(self) -> str:
        return "MemoryTokens()"

    def load(self, username: str) -> Token | None:
        """Return the account's token, None if there is none."""
        return self._tokens.get(_key(username))

    def save(self, username: str, token: Token) -> None:
        """Keep a token in place of the account's old one."""
        self._tokens[_key(username)] = token

    def forget(self, username: str) -> None:
        """Remove the account's token if there is one."""
        self._tokens.pop(_key(username), None)

    def locked(self) -> AbstractContextManager[None]:
        """Do nothing: no other process sees these."""
        return nullcontext()


class KeyringTokens:
    """Tokens in the system's keyring (extra ``keyring``), the access tokens in memory only.

    What lasts is the refresh token, and Windows takes no more than 2,560 bytes for one entry, which
    it writes in UTF-16: 1,280 characters.

    Raises
    ------
    NotSupportedError
        If the library is not installed.
    """

    def __init__(self) -> None:
        try:
            import keyring  # noqa: PLC0415 an extra
        except ImportError as error:
            raise NotSupportedError(
                "The keyring needs a library that is not installed.",
                suggestion="pip install 'mailframe[keyring]', or keep tokens in a file: "
                'token_file="tokens.json".',
            ) from error
        self._keyring = keyring
        self._memory = MemoryTokens()

    def __repr__(self) -> str:
        return "KeyringTokens()"

    def load(self, username: str) -> Token | None:
        """Return the account's token, None if there is none."""
        text = self._do("read", "get_password", username)
        if text is None:
            return None
        kept = _token_of(_json(text))
        if kept is None:
            raise AuthenticationError(
                f"What the keyring holds for {username} under {SERVICE!r} is no token.",
                suggestion="Delete that entry, then sign in again.",
                code="token-file-corrupt",
            )
        known = self._memory.load(username)
        # Another process may have signed in since, and its refresh token is the one that counts.
        return known if known and known.refresh_token == kept.refresh_token else kept

    def save(self, username: str, token: Token) -> None:
        """Keep a token in place of the account's old one."""
        self._memory.save(username, token)
        kept = asdict(token) | {"access_token": "", "expires_at": None}
        text = json.dumps(kept, separators=(",", ":"))
        try:
            self._do("written", "set_password", username, text)
        except AuthenticationError as error:
            size = len(text.encode("utf-16-le"))
            if size > _LONGEST_IN_WINDOWS:
                error.tried = (
                    f"The token is too long for this keyring: it has {size:,} bytes, and Windows' "
                    f"takes {_LONGEST_IN_WINDOWS:,}. {error.tried}"
                )
                error.suggestion = (
                    "Keep tokens in a file: name one in the environment variable "
                    'MAILFRAME_TOKEN_FILE, or with token_file="tokens.json".'
                )
            raise

    def forget(self, username: str) -> None:
        """Remove the account's token if there is one."""
        self._memory.forget(username)
        if self._do("read", "get_password", username) is not None:
            self._do("changed", "delete_password", username)

    def locked(self) -> AbstractContextManager[None]:
        """Do nothing: keyrings have no locks. Who loses reads again (`OAuth2Authenticator`)."""
        return nullcontext()

    def _do(self, what: str, name: str, username: str, *secret: str) -> Any:
        try:
            return getattr(self._keyring, name)(SERVICE, _key(username), *secret)
        except Exception as error:  # noqa: BLE001 back-ends raise whatever their system does
            failed = type(error).__name__
        # Out here it has no context: the text of that one may hold what was to be written.
        raise AuthenticationError(
            f"The keyring could not be {what} ({failed}).",
            suggestion="Unlock it; on a computer without one, keep tokens in a file: "
            'token_file="tokens.json".',
            code="keyring-failed",
        )


class FileTokens:
    """Tokens in a JSON file that its owner alone can read, written whole or not at all.

    Parameters
    ----------
    path
        The file, made when there is something to keep. A lock lies beside it (``….lock``).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # To the file itself: replacing a link would leave what it points to as it was.
        self.path = Path(os.path.realpath(Path(path).expanduser()))

    def __repr__(self) -> str:
        return f"FileTokens({str(self.path)!r})"

    def load(self, username: str) -> Token | None:
        """Return the account's token, None if there is none.

        Raises
        ------
        AuthenticationError
            If the file can be read by others, or is no token file; its ``code`` says which.
        """
        return self._read().get(_key(username))

    def save(self, username: str, token: Token) -> None:
        """Keep a token in place of the account's old one, within `locked`.

        Raises
        ------
        AuthenticationError
            As for `load`: what is no token file is not overwritten.
        SaveError
            If the file cannot be written. It is as before then.
        """
        self._write(self._read() | {_key(username): token})

    def forget(self, username: str) -> None:
        """Remove the account's token if there is one, within `locked`."""
        tokens = self._read()
        if tokens.pop(_key(username), None) is not None:
            self._write(tokens)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process and thread from changing the file meanwhile.

        Raises
        ------
        SaveError
            If no lock can be made beside it: then nothing could be saved either, and a refresh
            token that was used up meanwhile would be lost.
        AuthenticationError
            If another process keeps the lock, with the code ``"token-file-locked"``.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            acquire(lock, f"{self.path}.lock")
            yield
        finally:
            os.close(lock)  # which unlocks it

    def _read(self) -> dict[str, Token]:
        text = self._text()
        if not text:
            return {}
        content = _json(text)
        known = isinstance(content, dict) and content.get("mailframe_tokens") == _VERSION
        accounts = content.get("accounts") if known else None
        entries = accounts if isinstance(accounts, dict) else {"": None}
        tokens = {name: _token_of(entry) for name, entry in entries.items()}
        read = {name: token for name, token in tokens.items() if token is not None}
        if len(read) < len(tokens):
            raise AuthenticationError(
                f"The file {str(self.path)!r} is damaged, or no token file of mailframe.",
                suggestion="It was left as it is. Name another file, or delete this one and sign "
                "in again.",
                code="token-file-corrupt",
            )
        return read

    def _text(self) -> str:
        try:
            with open(self.path, "rb", opener=_open_at_once) as file:
                self._refuse_unless_private(os.fstat(file.fileno()))
                return file.read(_LONGEST).decode(errors="replace").strip()
        except FileNotFoundError:
            return ""
        except AuthenticationError:  # is an OSError, too
            raise
        except OSError as error:
            raise AuthenticationError(
                f"The token file {str(self.path)!r} cannot be read.",
                reply=error.strerror or "",
                suggestion="Check its path, and that it is yours.",
                code="token-file-unreadable",
            ) from error

    def _refuse_unless_private(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise AuthenticationError(
                f"The token file {str(self.path)!r} is no file, but a pipe or device.",
                suggestion="Name another: it is made where there is none.",
                code="token-file-unreadable",
            )
        if os.name == "nt":  # what others may do is not in the mode there
            return
        others = stat.S_IMODE(status.st_mode) & 0o077
        if others or status.st_uid not in {os.geteuid(), 0}:
            raise AuthenticationError(
                f"The token file {str(self.path)!r} can be read or changed by other users of this "
                "computer.",
                suggestion=f"Make it yours alone: chmod 600 '{self.path}'. If others may have "
                "read it, revoke the tokens in it and sign in again.",
                code="token-file-readable",
            )

    def _write(self, tokens: dict[str, Token]) -> None:
        accounts = {name: asdict(token) for name, token in tokens.items()}
        text = json.dumps({"mailframe_tokens": _VERSION, "accounts": accounts}, indent=1)
        try:
            _replace(self.path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SaveError:
        return SaveError(
            f"Could not write the token file {str(self.path)!r}.",
            reply=error.strerror or "",
            suggestion="Name a file in a folder that you may write to.",
            code="token-file-unwritable",
        )


def _open_at_once(path: str, flags: int) -> int:
    """Open a file, or a pipe that nobody writes to, without waiting for that."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _replace(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all, even when the power fails."""
    # mkstemp makes files of mode 0600, whatever the umask allows.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            Path(temporary).unlink()
        raise
    if os.name != "nt":  # the new name too, where folders can be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _key(username: str) -> str:
    return username.casefold()


def _json(text: str) -> Any:
    # The error of the parser would carry the whole text, tokens and all.
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None


def _token_of(entry: Any) -> Token | None:
    """Read a token as it was kept; None for anything else."""
    if not isinstance(entry, dict):
        return None
    texts: list[Any] = [entry.get(name) for name in ("access_token", "refresh_token")]
    texts += [entry.get(name) for name in ("scope", "client_id", "server")]
    expires_at = entry.get("expires_at")
    if not all(isinstance(text, str) for text in texts):
        return None
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float | None):
        return None
    access, refresh, scope, client_id, server = texts
    return Token(access, refresh, expires_at, scope, client_id, server)
