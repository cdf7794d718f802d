"""Which command is done by what, and how it is answered.

::

    C: a1 SELECT INBOX          tag, command, arguments
    S: * 3 EXISTS               untagged replies: data
    S: a1 OK done               the tagged reply ends the command: OK, NO or BAD
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mailframe.embedded import commands, mailboxes, messages
from mailframe.embedded.connection import State
from mailframe.embedded.grammar import Bad, Cursor, No

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mailframe.embedded.connection import Connection

__all__ = ["answer", "greet"]

_ANY = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
_FIRST = frozenset({State.NOT_AUTHENTICATED})
_SIGNED_IN = frozenset({State.AUTHENTICATED, State.SELECTED})
_SELECTED = frozenset({State.SELECTED})


class _Command(NamedTuple):
    """How a command is done, and in which states (RFC 3501 section 3)."""

    run: Callable[..., Awaitable[str]]
    states: frozenset[State]
    #: Whether the client may be told of expunged messages with the answer (section 7.4.1).
    expunge: bool = True
    #: Arguments that make a UID command of it.
    options: Mapping[str, Any] = {}


def _group(
    states: frozenset[State], **handlers: Callable[..., Awaitable[str]]
) -> dict[str, _Command]:
    return {name: _Command(run, states) for name, run in handlers.items()}


_UID = {"uid": True}
_COMMANDS: dict[str, _Command] = {
    **_group(
        _ANY,
        CAPABILITY=commands.capability,
        NOOP=commands.noop,
        LOGOUT=commands.logout,
        ID=commands.identify,
    ),
    **_group(
        _FIRST,
        STARTTLS=commands.starttls,
        LOGIN=commands.login,
        AUTHENTICATE=commands.authenticate,
    ),
    **_group(
        _SIGNED_IN,
        ENABLE=commands.enable,
        NAMESPACE=commands.namespace,
        SELECT=commands.select,
        EXAMINE=commands.examine,
        IDLE=commands.idle,
        LIST=mailboxes.list_mailboxes,
        LSUB=mailboxes.lsub,
        STATUS=mailboxes.status,
        CREATE=mailboxes.create,
        DELETE=mailboxes.delete,
        RENAME=mailboxes.rename,
        SUBSCRIBE=mailboxes.subscribe,
        UNSUBSCRIBE=mailboxes.unsubscribe,
        APPEND=messages.append,
    ),
    **_group(
        _SELECTED,
        CHECK=commands.noop,
        CLOSE=commands.close,
        UNSELECT=commands.unselect,
        EXPUNGE=messages.expunge,
        COPY=messages.copy,
        MOVE=messages.move,
    ),
    # Numbers must mean the same from the first reply to the last.
    "FETCH": _Command(messages.fetch, _SELECTED, expunge=False),
    "STORE": _Command(messages.store, _SELECTED, expunge=False),
    "SEARCH": _Command(messages.search, _SELECTED, expunge=False),
    "UID FETCH": _Command(messages.fetch, _SELECTED, options=_UID),
    "UID STORE": _Command(messages.store, _SELECTED, options=_UID),
    "UID SEARCH": _Command(messages.search, _SELECTED, options=_UID),
    "UID COPY": _Command(messages.copy, _SELECTED, options=_UID),
    "UID MOVE": _Command(messages.move, _SELECTED, options=_UID),
    "UID EXPUNGE": _Command(messages.uid_expunge, _SELECTED),
}


async def greet(connection: Connection) -> None:
    """Say who one is, before any command (RFC 3501 section 7.1.1)."""
    words = commands.capabilities(connection)
    await connection.send(f"OK [CAPABILITY {words}] mailframe's sample server".encode("ascii"))


async def answer(connection: Connection) -> None:
    """Read one command, do it, and answer it."""
    try:
        line = await connection.read_command()
        if not line:
            return  # an empty line is no command, and not worth a word
        cursor = Cursor(line)
        command = _command(cursor, connection)
        text = await command.run(connection, cursor, **command.options)
        if text:
            await connection.send_news(expunge=command.expunge, uid=bool(command.options))
            await _finish(connection, "OK", text)
        if connection.account:  # until then each attempt to sign in counts
            connection.mistakes = 0
    except Bad as error:
        await _refuse(connection, "BAD", error)
    except No as error:
        await _refuse(connection, "NO", error)


def _command(cursor: Cursor, connection: Connection) -> _Command:
    if not connection.tag:
        raise Bad("A command begins with a tag and a space")
    cursor.need(connection.tag.encode("ascii"))
    cursor.space()
    name = cursor.atom()
    if name == "UID":
        cursor.space()
        name = f"UID {cursor.atom()}"
    command = _COMMANDS.get(name)
    if command is None:
        raise Bad(f"There is no command {name}")
    if connection.state not in command.states:
        raise Bad(f"{name} is not valid when {connection.state.value}")
    return command


async def _refuse(connection: Connection, word: str, error: Exception) -> None:
    if word == "BAD":
        connection.mistakes += 1
    if connection.mistakes >= connection.service.limits.mistakes:
        await connection.bye("Too many mistakes")
    await _finish(connection, word, str(error))


async def _finish(connection: Connection, word: str, text: str) -> None:
    tag = connection.tag or "*"
    await connection.send_raw(f"{tag} {word} {text}\r\n".encode("ascii", "replace"))
