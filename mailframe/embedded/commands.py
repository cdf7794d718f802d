"""Commands that sign in, say what there is, and open mailboxes (RFC 3501 sections 6.1 to 6.3)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

from mailframe.embedded.authentication import (
    CHALLENGE,
    MECHANISMS,
    Credentials,
    from_base64,
    read_response,
)
from mailframe.embedded.connection import State
from mailframe.embedded.grammar import Bad, No, decoded
from mailframe.embedded.view import View

if TYPE_CHECKING:
    from mailframe.embedded.connection import Connection
    from mailframe.embedded.grammar import Cursor

__all__ = [
    "authenticate",
    "capability",
    "close",
    "enable",
    "examine",
    "identify",
    "idle",
    "login",
    "logout",
    "namespace",
    "noop",
    "select",
    "starttls",
    "unselect",
]

# What the server can do, and where it is defined.
_CAPABILITIES = (
    "IMAP4rev1",  # RFC 3501
    "LITERAL+",  # RFC 7888: literals that need not be waited for
    "SASL-IR",  # RFC 4959: AUTHENTICATE in one line
    "ID",  # RFC 2971
    "ENABLE",  # RFC 5161
    "IDLE",  # RFC 2177
)
_AFTER_LOGIN = (
    "NAMESPACE",  # RFC 2342
    "CHILDREN",  # RFC 3348
    "LIST-EXTENDED",  # RFC 5258
    "LIST-STATUS",  # RFC 5819
    "SPECIAL-USE",  # RFC 6154
    "STATUS=SIZE",  # RFC 8438
    "UNSELECT",  # RFC 3691
    "UIDPLUS",  # RFC 4315
    "MOVE",  # RFC 6851
    "MULTIAPPEND",  # RFC 3502
    "ESEARCH",  # RFC 4731
    "WITHIN",  # RFC 5032
    "CONDSTORE",  # RFC 7162
)


def capabilities(connection: Connection) -> str:
    """List what the server can do for a client in its present state."""
    words = [*_CAPABILITIES]
    if connection.account:
        words += [*_AFTER_LOGIN, f"APPENDLIMIT={connection.service.limits.message}"]
    else:
        words += [f"AUTH={mechanism}" for mechanism in MECHANISMS]
        if connection.service.tls and not connection.is_secure:
            words.append("STARTTLS")
    return " ".join(words)


# -- in any state (section 6.1)


async def capability(connection: Connection, cursor: Cursor) -> str:
    """CAPABILITY (section 6.1.1)."""
    cursor.end()
    await connection.send(b"CAPABILITY " + capabilities(connection).encode("ascii"))
    return "CAPABILITY completed"


async def noop(_connection: Connection, cursor: Cursor) -> str:
    """NOOP and CHECK (sections 6.1.2 and 6.4.1): a chance to hear what is new."""
    cursor.end()
    return "Done"


async def logout(connection: Connection, cursor: Cursor) -> str:
    """LOGOUT (section 6.1.3)."""
    cursor.end()
    connection.select(None)  # nothing is told behind BYE
    connection.state = State.LOGOUT
    await connection.send(b"BYE Until next time")
    return "LOGOUT completed"


async def identify(connection: Connection, cursor: Cursor) -> str:
    """ID (RFC 2971): programs tell each other their names."""
    cursor.space()
    if cursor.at(b"("):
        cursor.several(cursor.nstring)
    else:
        cursor.nstring()
    cursor.end()
    await connection.send(b'ID ("name" "mailframe" "vendor" "the sample server of mailframe")')
    return "ID completed"


# -- before signing in (section 6.2)


async def starttls(connection: Connection, cursor: Cursor) -> str:
    """STARTTLS (section 6.2.1)."""
    cursor.end()
    if connection.service.tls is None or connection.is_secure:
        raise Bad("TLS is not to be had here")
    await connection.start_tls(connection.service.tls)
    return ""  # it has been answered: from here on all is TLS


async def login(connection: Connection, cursor: Cursor) -> str:
    """LOGIN (section 6.2.3)."""
    cursor.space()
    user = cursor.text()
    cursor.space()
    password = decoded(cursor.astring())
    cursor.end()
    return await _admit(connection, Credentials(user, password))


async def authenticate(connection: Connection, cursor: Cursor) -> str:
    """AUTHENTICATE (section 6.2.2), with the response in the same line or not (RFC 4959)."""
    cursor.space()
    mechanism = cursor.atom()
    initial = None
    if cursor.take(b" "):
        initial = cursor.line[cursor.position :]
    if mechanism not in MECHANISMS:
        raise No(f"{mechanism} is not known here", "CANNOT")
    if mechanism == "LOGIN":
        credentials = await _ask_name_and_password(connection, initial)
    else:
        response = await _ask(connection, b"") if initial is None else from_base64(initial)
        credentials = read_response(mechanism, response)
    return await _admit(connection, credentials)


async def _ask_name_and_password(connection: Connection, initial: bytes | None) -> Credentials:
    # draft-murchison-sasl-login: two questions, in base64.
    if initial is None:
        user = await _ask(connection, b"VXNlcm5hbWU6")
    else:
        user = from_base64(initial)
    password = await _ask(connection, b"UGFzc3dvcmQ6")
    return Credentials(decoded(user), decoded(password))


async def _ask(connection: Connection, challenge: bytes) -> bytes:
    """Send a challenge, in base64; return the response, decoded."""
    await connection.send_raw(b"+ %b\r\n" % challenge)
    line = (await connection.read_line()).rstrip(b"\r\n")
    if line == b"*":
        raise Bad("Given up")
    return from_base64(line)


async def _admit(connection: Connection, credentials: Credentials) -> str:
    service = connection.service
    if not service.users.admit(credentials):
        if credentials.is_token:
            # What is wrong is told as a challenge; whatever the client answers, NO follows.
            await connection.send_raw(b"+ %b\r\n" % b64encode(CHALLENGE))
            await connection.read_line()
        connection.mistakes += 1
        raise No("User name, password or token are wrong", "AUTHENTICATIONFAILED")
    connection.account = service.accounts[credentials.user]
    connection.state = State.AUTHENTICATED
    return f"[CAPABILITY {capabilities(connection)}] Welcome"


# -- once signed in (section 6.3)


async def enable(connection: Connection, cursor: Cursor) -> str:
    """ENABLE (RFC 5161)."""
    wanted = []
    while not cursor.at_end:
        cursor.space()
        wanted.append(cursor.atom())
    if not wanted:
        raise cursor.bad("expected a capability")
    enabled = b"ENABLED"
    if "CONDSTORE" in wanted:
        await connection.enable_condstore()
        enabled += b" CONDSTORE"
    await connection.send(enabled)
    return "ENABLE completed"


async def namespace(connection: Connection, cursor: Cursor) -> str:
    """NAMESPACE (RFC 2342): one's own mailboxes, and none of others."""
    cursor.end()
    await connection.send(b'NAMESPACE (("" "/")) NIL NIL')
    return "NAMESPACE completed"


async def select(connection: Connection, cursor: Cursor) -> str:
    """SELECT (section 6.3.1)."""
    return await _open(connection, cursor, readonly=False)


async def examine(connection: Connection, cursor: Cursor) -> str:
    """EXAMINE (section 6.3.2): SELECT, but nothing can be changed."""
    return await _open(connection, cursor, readonly=True)


async def _open(connection: Connection, cursor: Cursor, *, readonly: bool) -> str:
    cursor.space()
    name = cursor.mailbox()
    parameters = []
    if cursor.take(b" "):
        parameters = cursor.several(cursor.atom)  # RFC 4466 section 2.1
    cursor.end()
    if unknown := set(parameters) - {"CONDSTORE"}:
        raise Bad(f"Unknown parameter {min(unknown)}")
    # Whatever happens, the mailbox that was open is not any more.
    connection.select(None)
    mailbox = connection.mail.mailbox(name)
    if "CONDSTORE" in parameters:
        await connection.enable_condstore()
    view = View(mailbox, readonly=readonly)
    connection.select(view)
    unseen = next((n for n, one in enumerate(view.messages, 1) if "\\Seen" not in one.flags), 0)
    await connection.send(
        *view.flag_lines(),
        b"%d EXISTS" % len(view.messages),
        b"%d RECENT" % len(view.recent),
        *([b"OK [UNSEEN %d] The first one that is unread" % unseen] if unseen else []),
        b"OK [UIDVALIDITY %d] As long as this stays, so do the UIDs" % mailbox.uidvalidity,
        b"OK [UIDNEXT %d] At least that will be the next UID" % mailbox.next_uid,
        b"OK [HIGHESTMODSEQ %d] The latest change" % mailbox.modseq,
    )
    return (
        f"[READ-{'ONLY' if readonly else 'WRITE'}] {'EXAMINE' if readonly else 'SELECT'} completed"
    )


async def close(connection: Connection, cursor: Cursor) -> str:
    r"""CLOSE (section 6.4.2): what is \Deleted is expunged, and nothing said of it."""
    cursor.end()
    view = connection.selected
    if not view.readonly:
        view.mailbox.remove([one for one in view.messages if "\\Deleted" in one.flags])
    connection.select(None)
    return "CLOSE completed"


async def unselect(connection: Connection, cursor: Cursor) -> str:
    """UNSELECT (RFC 3691): CLOSE without expunging."""
    cursor.end()
    connection.selected  # noqa: B018 there must be one
    connection.select(None)
    return "UNSELECT completed"


async def idle(connection: Connection, cursor: Cursor) -> str:
    """IDLE (RFC 2177): the client hears what happens, as it happens, until it says DONE."""
    cursor.end()
    await connection.send_raw(b"+ idling\r\n")
    done = asyncio.ensure_future(connection.read_line())
    try:
        while not done.done():
            await connection.send_news()
            await _either(done, connection.changed())
        line = (await done).strip()
    finally:
        done.cancel()
        await asyncio.gather(done, return_exceptions=True)
    if line.upper() != b"DONE":
        raise Bad("IDLE ends with DONE")
    return "IDLE completed"


async def _either(task: asyncio.Task[bytes], event: asyncio.Event) -> None:
    """Wait for what comes first."""
    happened = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, happened}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        happened.cancel()
