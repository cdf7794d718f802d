"""One connection's life: login, the selected folder, commands; all of it again when it is lost."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.cancellation import current_scope
from mailframe.exceptions import (
    CertificateError,
    CommandError,
    ConnectionFailedError,
    FolderError,
    InsecureLoginError,
    MailframeError,
    NotSupportedError,
    ProtocolError,
    ThrottledError,
    UidValidityError,
)
from mailframe.imap.events import Reconnected, Reconnecting, Throttled
from mailframe.imap.failures import refusal
from mailframe.imap.line import PATIENCE, Line
from mailframe.imap.names import encode_name
from mailframe.imap.responses import parse_number, split_code
from mailframe.imap.retry import NEVER, Attempts
from mailframe.imap.tls import is_local
from mailframe.imap.wire import Command

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator, Iterable, Iterator

    from mailframe.imap.events import Event
    from mailframe.imap.responses import Reply
    from mailframe.imap.retry import Retry
    from mailframe.imap.trace import Recorder

__all__ = ["Connection", "Selected"]

log = logging.getLogger(__name__)

#: How often a connection may be lost over one command; and, where several are in flight, without
#: one of them being completed. Halving a chunk finds a message that ends the connection in fewer.
LOSSES = 3
MOST_LOSSES = 25
#: Replies that cannot be read, before that is taken for the server's way.
_GARBLED = 2
# What may be otherwise at the next attempt: the line may have damaged what was said on it.
_PASSING = (ConnectionFailedError, ProtocolError, CommandError, NotSupportedError)


@dataclass(frozen=True, slots=True)
class Selected:
    r"""The selected folder, as the server described it.

    Attributes
    ----------
    account
        Whose folder it is: the user name, with the host where it has no ``@``.
    folder
        Its name, decoded.
    uidvalidity
        UIDs of another value are other messages (RFC 3501 section 2.3.1.1).
    uidnext
        The UID that the next message will get; None when the server does not say.
    exists
        Number of messages.
    highestmodseq
        The number of the latest change (RFC 7162 section 3.1.2.1); None where they are not
        numbered.
    permanent_flags
        In lower case, those that may be changed for good, with ``\*`` where new keywords may be
        made (RFC 3501 section 7.1); None where the server does not say.
    is_readonly
        Whether the server lets nothing be changed.
    """

    account: str
    folder: str
    uidvalidity: int
    uidnext: int | None
    exists: int
    highestmodseq: int | None = None
    permanent_flags: frozenset[str] | None = None
    is_readonly: bool = False


class Connection(Line):
    """A connection to one account on one server, that is opened again when it is lost.

    Parameters
    ----------
    host, port
        The server; ``port=None`` is 993 for TLS and 143 otherwise.
    security
        ``"tls"`` from the first byte, ``"starttls"``, ``"starttls-if-offered"``, or ``"none"``.
    ssl_context
        For certificates of one's own; by default the system's authorities and the host's name are
        checked.
    timeout
        Seconds without a byte; ten times that for SEARCH.
    retry
        How a lost connection is tried again; by default it is not.
    on_event
        Told what happens meanwhile.
    recorder
        Keeps the dialogue; several connections may have one.
    proxy
        By way of which: see `proxy.connect_through`.

    Raises
    ------
    CertificateError
        If the certificate is not trusted; nothing was sent.
    ConnectionFailedError
        If there is no server, or it is not an IMAP server.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        security: str = "tls",
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 30,
        retry: Retry = NEVER,
        on_event: Callable[[Event], object] | None = None,
        recorder: Recorder | None = None,
        proxy: str | None = None,
    ) -> None:
        self.retry = retry
        self.on_event = on_event
        self.username = ""
        self.selected: Selected | None = None
        #: What this server was found not to understand; see `search`.
        self.quirks: set[str] = set()
        self.search_charset = "UTF-8"
        #: Whether the number of the latest change is wanted; Dovecot keeps none before it is.
        self.wants_modseq = False
        #: Signs in again on a new line; holds the secret, and is shown nowhere.
        self.sign_in: Callable[[Connection], None] | None = None
        self._readonly = True
        #: Also where `selected` has been forgotten.
        self._opened_last = ""
        self._is_opening = False
        self._pleas = Attempts(retry)
        self._in_one_breath: set[Command] = set()
        super().__init__(
            host,
            port,
            security=security,
            ssl_context=ssl_context,
            timeout=timeout,
            recorder=recorder,
            proxy=proxy,
            clock=retry.clock,
        )

    def __repr__(self) -> str:
        where = f", folder {self.selected.folder!r}" if self.selected else ""
        return f"<{type(self).__name__} {self.host}:{self.port}{where}>"

    @property
    def account(self) -> str:
        """Whose mailbox this is, as the frames name it."""
        return self.username if "@" in self.username else f"{self.username}@{self.host}"

    @property
    def logged_in(self) -> bool:
        """Whether commands on folders are possible."""
        return self.wire.state in {"AUTH", "SELECTED"}

    # lost and found ----------------------------------------------------------------------------

    def recover(
        self, lost: MailframeError, attempts: Attempts | None = None, *, in_folder: bool = True
    ) -> None:
        """Connect again after the connection was lost, sign in, and open the folder again.

        Parameters
        ----------
        lost
            How it was lost; raised again if it cannot be recovered.
        attempts
            What is left of the time that `retry` gives one piece of work.
        in_folder
            Whether a folder that was open is needed. Without it, one that has gone is no error.

        Raises
        ------
        ConnectionFailedError
            If there is no connection within the time that `retry` allows, or it was closed.
        AuthenticationError
            If the server does not accept the secret any more.
        UidValidityError
            If the folder was renumbered meanwhile, and FolderError if it has gone.
        """
        if self.is_closed or self._is_opening or self.sign_in is None:
            raise lost
        error: MailframeError = lost
        if self._come_back(self.sign_in, in_folder=in_folder):
            return
        attempts = attempts or Attempts(self.retry)
        for attempt, pause in enumerate(attempts.pauses(), 1):
            if self._broken_off.is_set():
                raise lost
            self._tell(Reconnecting(self.host, attempt, pause, _reason(error)))
            self.pause(pause)
            try:
                self._reopen(self.sign_in, in_folder=in_folder)
            except (CertificateError, FolderError):
                raise
            except _PASSING as again:
                error = again
                continue
            self._tell(Reconnected(self.host, attempt))
            return
        if self.retry.seconds <= 0:
            raise lost
        raise type(error)(
            f"{lost.tried} The connection to {self.host} was lost, and could not be had again "
            f"for {self.retry.seconds:g} seconds.",
            reply=error.reply,
            suggestion="Try again when the server or the network is back; mf.connect(..., "
            "reconnect=600) would try for 10 minutes.",
        ) from lost

    def _come_back(self, sign_in: Callable[[Connection], None], *, in_folder: bool) -> bool:
        """Open a line again that was not lost: nobody wanted what was done on it any more."""
        if not self._was_broken_off or self._broken_off.is_set():
            return False
        try:
            self._reopen(sign_in, in_folder=in_folder)
        except (CertificateError, FolderError):
            raise
        except _PASSING as error:
            log.info("%s", error)
            return False
        return True

    def _reopen(self, sign_in: Callable[[Connection], None], *, in_folder: bool) -> None:
        before, self.selected = self.selected, None
        window = self.wire.window
        try:
            self._is_opening = True
            self.username = ""
            self.let_go()
            self.open()
            self.wire.window = window  # what is known of the server stays known
            sign_in(self)
            if before is not None:
                self.return_to(before.folder, before.uidvalidity, readonly=self._readonly)
        except FolderError:  # gone, or renumbered: the connection itself is whole
            self.selected = None
            if in_folder:
                raise
        except BaseException:
            self.selected = before  # for the next attempt
            self.wire.drop()
            raise
        finally:
            self._is_opening = False

    def another(self) -> Connection:
        """Open one more connection like this one, and sign in on it."""
        if self.sign_in is None:
            raise ConnectionFailedError(f"The connection to {self.host} is closed.")
        made = Connection(
            self.host,
            self.port,
            security=self._security,
            ssl_context=self._ssl_context,
            timeout=self.timeout,
            retry=self.retry,
            on_event=self.on_event,
            recorder=self.recorder,
            proxy=self._proxy,
        )
        try:
            with current_scope().waking(made.break_off):
                self.sign_in(made)
        except BaseException:
            made.close()
            raise
        made.sign_in = self.sign_in
        # What one has learnt of the server, all know.
        made.quirks, made.search_charset = self.quirks, self.search_charset
        made.wire.window = self.wire.window
        return made

    def pause(self, seconds: float) -> None:
        """Leave the server alone for a while, or until the connection is broken off."""
        self.retry.wait(seconds, self._broken_off)

    def _tell(self, event: Event) -> None:
        log.warning("%s", event)
        if self.on_event is not None:
            self.on_event(event)

    def relieve(
        self, error: ThrottledError, attempts: Attempts, command: Command | None = None
    ) -> None:
        """Leave the server alone for a while that wants fewer requests.

        Parameters
        ----------
        error
            What it said; raised again if it wants to be left alone for too long.
        attempts
            How long it was left alone for this piece of work before.
        command
            The one it refused. Those in flight by then are refused in the same breath, which
            counts once.
        """
        if command is not None and command in self._in_one_breath:
            return
        self._in_one_breath = set(self.wire.flying.values())
        pause = attempts.relief(error.reply)
        if pause is None or self._is_opening or self.sign_in is None:
            raise error
        self._slow_down(pause, error.reply)

    def _heed(self, reply: Reply) -> None:
        """Slow down where a server that does what it was asked wants less to do (Gmail)."""
        if split_code(reply.text)[0] == "THROTTLED":
            # Until the login is done, and behind it, a server's words may hold the secret.
            is_safe = self.logged_in and not self._is_fresh
            said = reply.text.decode("utf-8", "replace") if is_safe else "[THROTTLED]"
            self._slow_down(min(self._pleas.respite(said), self.retry.throttled), said)
        elif reply.tag != b"*":
            self._pleas.renew()

    def _slow_down(self, pause: float, said: str) -> None:
        self.wire.window = 1
        self._tell(Throttled(self.host, pause, said))
        self.pause(pause)

    # the way in --------------------------------------------------------------------------------

    def guard_secret(self) -> None:
        """Refuse to send a secret in clear text to another machine.

        Raises
        ------
        InsecureLoginError
            Before anything is sent.
        """
        if not self.encrypted and not is_local(self.host):
            raise InsecureLoginError(
                f"Did not log in to {self.host}: the connection is not encrypted, "
                "and everyone on the way could read the secret."
            )

    def logged_in_as(self, username: str, capabilities: bytes) -> None:
        """Note that login succeeded, and ask again what is offered (RFC 3501 section 6.1.1).

        Parameters
        ----------
        username
            The account.
        capabilities
            As the completion of the login gave them; empty if it gave none.
        """
        self.wire.state = "AUTH"
        self._is_fresh = True
        self.username = username
        tried = f"Lost the connection to {self.host} after logging in."
        if not capabilities:
            for reply in self.command(b"CAPABILITY", tried=tried):
                capabilities = reply.text if reply.kind == "CAPABILITY" else capabilities
        self.learn(capabilities)
        if self.offers("ID"):
            # 163.com and 126.com refuse every SELECT from a client that has not said who it is.
            with suppress(CommandError):
                self.command(b'ID ("name" "mailframe")', tried=tried)

    # folders -----------------------------------------------------------------------------------

    def select(self, folder: str, *, readonly: bool = True) -> Selected:
        """Open a folder, by EXAMINE unless it is to be written to (RFC 3501 section 6.3.2).

        Parameters
        ----------
        folder
            Its name, decoded.
        readonly
            EXAMINE, under which no server may change a flag.

        Raises
        ------
        FolderError
            If it is not there or cannot be opened.
        """
        self.selected = None
        self._readonly = readonly
        verb = b"EXAMINE " if readonly else b"SELECT "
        numbered = self.wants_modseq and self.offers("CONDSTORE")  # RFC 7162 section 3.1.8
        suffix = b" (CONDSTORE)" if numbered else b""
        found: dict[str, int] = {}
        permanent: frozenset[str] | None = None
        is_readonly = False
        tried = f"Could not open the folder {folder!r}."
        for reply in self.command(
            verb, *encode_name(folder), suffix, tried=tried, error=FolderError
        ):
            if reply.kind == "EXISTS" and reply.number is not None:
                found["EXISTS"] = reply.number
            code, value, _ = split_code(reply.text) if reply.kind == "OK" else ("", b"", "")
            if code == "PERMANENTFLAGS":
                permanent = frozenset(value.decode("ascii", "replace").lower().strip("()").split())
            is_readonly = is_readonly or (code == "READ-ONLY" and reply.tag != b"*")
            number = parse_number(value)
            if number is not None:
                found[code] = number
        self.wire.state = "SELECTED"
        self._opened_last = folder
        if "UIDVALIDITY" not in found:
            raise NotSupportedError(
                f"{self.host} gives the messages of {folder!r} no lasting UIDs."
            )
        self.selected = Selected(
            account=self.account,
            folder=folder,
            uidvalidity=found["UIDVALIDITY"],
            uidnext=found.get("UIDNEXT"),
            exists=found.get("EXISTS", 0),
            highestmodseq=found.get("HIGHESTMODSEQ"),
            permanent_flags=permanent,
            is_readonly=is_readonly,
        )
        log.debug("opened %r: %d messages", folder, self.selected.exists)
        return self.selected

    def return_to(self, folder: str, uidvalidity: int, *, readonly: bool = True) -> None:
        """Open a folder again unless it is open, and make sure that its UIDs mean the same.

        Parameters
        ----------
        folder, uidvalidity
            As it was when the UIDs were read.
        readonly
            As for `select`.

        Raises
        ------
        UidValidityError
            If it was renumbered meanwhile.
        """
        opened = self.selected
        is_open = opened is not None and opened.folder == folder
        if opened is None or not is_open or (self._readonly and not readonly):
            opened = self.select(folder, readonly=readonly)
        if opened.uidvalidity != uidvalidity:
            raise UidValidityError(
                f"The folder {folder!r} was renumbered: its UIDVALIDITY is {opened.uidvalidity}, "
                f"and was {uidvalidity} when these rows were read."
            )

    def the_selected(self) -> Selected:
        """Return the selected folder.

        Raises
        ------
        FolderError
            If none is.
        """
        if self.selected is None:
            raise FolderError("No folder is open.", suggestion="Call select_folder(name) first.")
        return self.selected

    def has_open(self, folder: str) -> bool:
        """Whether the server has this folder open on this connection.

        Parameters
        ----------
        folder
            Its name, decoded.
        """
        last = self._opened_last
        is_it = folder == last or folder.upper() == last.upper() == "INBOX"
        return is_it and self.wire.state == "SELECTED"

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Look into other folders: the one that is open now is open again afterwards.

        Raises
        ------
        UidValidityError
            If it was renumbered meanwhile.
        """
        before, readonly = self.selected, self._readonly
        yield
        if before is None:
            self.selected = None
        else:
            self.return_to(before.folder, before.uidvalidity, readonly=readonly)

    def unselect(self) -> bool:
        """Close the open folder and remove nothing (UNSELECT, RFC 3691).

        Returns
        -------
        bool
            False where the server cannot do that: CLOSE would expunge.
        """
        self.selected = None
        if self.wire.state != "SELECTED":
            return True
        if not self.offers("UNSELECT"):
            return False
        self.command(b"UNSELECT", tried="Could not close the folder.")
        self.wire.state = "AUTH"
        return True

    # commands ----------------------------------------------------------------------------------

    def command(
        self,
        *pieces: bytes,
        tried: str,
        error: type[MailframeError] = CommandError,
        patient: bool = False,
        respond: Callable[[bytes], bytes] | None = None,
        changes: bool = False,
        limits_stay: bool = False,
        in_folder: bool = True,
    ) -> list[Reply]:
        """Send one command and collect its replies.

        If the connection is lost meanwhile it is opened again, and the command sent again, unless
        it ``changes`` something: then nobody knows whether it was done.

        Parameters
        ----------
        pieces
            Joined without spaces; a `wire.Literal` is sent as one.
        tried
            For the error: what was attempted, as a sentence.
        error
            What a NO or BAD becomes, unless the server asks for fewer requests.
        patient
            Wait ten times as long.
        respond
            Answers continuation requests.
        changes
            Whether it would do harm if it were done twice.
        limits_stay
            Whether a limit that is reached is an error, and nothing that passes; so it is of what
            ``changes`` something.
        in_folder
            Whether it is about the open folder: then that is opened again as well.

        Returns
        -------
        list of Reply
            The untagged ones, the completion last.
        """
        attempts = Attempts(self.retry)
        losses = unsent_times = 0
        while True:
            try:
                completion, replies = self._ask(pieces, respond, tried, patient=patient)
            except _Unsent as unsent:
                unsent_times += 1
                if unsent_times > MOST_LOSSES:  # whoever logs in is hung up on
                    raise unsent.why from None
                self.recover(unsent.why, attempts, in_folder=in_folder)
                continue
            except (ConnectionFailedError, ProtocolError) as lost:
                if changes and not self._is_opening:
                    raise _of_unknown_fate(lost) from lost
                losses += 1
                if losses > LOSSES:  # it is this command that ends it
                    raise
                self.recover(lost, attempts, in_folder=in_folder)
                continue
            if completion.kind == "OK":
                return replies
            refused = refusal(completion, tried, error, changes=changes or limits_stay)
            if not isinstance(refused, ThrottledError):
                raise refused
            self.relieve(refused, attempts)

    def _ask(
        self,
        pieces: tuple[bytes, ...],
        respond: Callable[[bytes], bytes] | None,
        tried: str,
        *,
        patient: bool,
    ) -> tuple[Reply, list[Reply]]:
        """Send one command once; return its completion, and all replies with it."""
        try:
            self.rouse()
        except MailframeError as error:
            raise _Unsent(error) from error
        queue = deque([Command(pieces, respond=respond)])
        begun = time.perf_counter()
        found = list(self._heeded(queue, tried, patient=patient))
        self.latency = min(self.latency, time.perf_counter() - begun)
        completions = [reply for command, reply in found if command is not None]
        return completions[-1], [reply for _, reply in found]

    def run(
        self,
        commands: deque[Command],
        *,
        again: Callable[[list[Command]], Iterable[Command]] | None = None,
        tried: str = "",
        patient: bool = False,
        in_folder: bool = True,
    ) -> Iterator[tuple[Command | None, Reply]]:
        """Send commands as `Wire.run` does, with mailframe's errors.

        Parameters
        ----------
        commands
            Taken from the left; more may be added meanwhile.
        again
            Given the commands that were in flight when the connection was lost: those to send on
            the next one, before all others. Without it, a lost connection is an error.
        tried
            For the error: what was attempted, as a sentence.
        patient
            Wait ten times as long.
        in_folder
            Whether they are about the open folder: then that is opened again as well.

        Raises
        ------
        ServerTimeoutError
            If the server falls silent.
        ConnectionFailedError
            If the connection breaks.
        """
        attempts = Attempts(self.retry)
        garbled = losses = 0
        while True:
            unfinished: list[Command] = []
            try:
                self.rouse()
                unfinished = [Command(())]  # to be replaced by what is in flight
                with closing(self._heeded(commands, tried, patient=patient)) as replies:
                    for command, reply in replies:
                        if command is not None and losses:
                            losses = 0
                            attempts.renew()
                        yield command, reply
            except (ConnectionFailedError, ProtocolError) as lost:
                # What cannot be read may have been damaged on its way; twice is no accident.
                garbled += isinstance(lost, ProtocolError)
                losses += 1
                if again is None or garbled > _GARBLED or losses > MOST_LOSSES:
                    raise
                if unfinished:
                    unfinished = list(self.wire.flying.values())
                self.recover(lost, attempts, in_folder=in_folder)
                commands.extendleft(reversed(list(again(unfinished))))
            else:
                return

    def _heeded(
        self, commands: deque[Command], tried: str, *, patient: bool
    ) -> Generator[tuple[Command | None, Reply]]:
        timeout = self.timeout * PATIENCE if patient else None
        with closing(self.exchange(commands, tried=tried, timeout=timeout)) as replies:
            for command, reply in replies:
                if reply.kind in {"OK", "NO"} and (command is None or reply.kind == "OK"):
                    self._heed(reply)
                yield command, reply

    def close(self) -> None:
        """Say LOGOUT if the connection still stands, and close it."""
        self.selected = None
        self.sign_in = None
        super().close()


class _Unsent(Exception):  # noqa: N818 tells where, not what
    """Raised where a connection is found lost before anything was sent."""

    def __init__(self, why: MailframeError) -> None:
        super().__init__(str(why))
        self.why = why


def _of_unknown_fate(lost: MailframeError) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"{lost.tried} The connection was lost before the server answered: it is not known "
        "whether it was done.",
        reply=lost.reply,
        suggestion="Look whether it was done, and do it again only if it was not.",
    )


def _reason(error: MailframeError) -> str:
    return (error.reply or error.tried).rstrip(".")
