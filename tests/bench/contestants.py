"""Who reads: each logs in when it is made, and turns the INBOX into a DataFrame in ``read``.

``values`` brings what was read into one form, after the clock has stopped, to be compared.
Opening the folder and finding the messages is part of reading, for all of them.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from email.header import decode_header, make_header
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import imap_tools
import imapclient
import pandas as pd

import mailframe as mf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from imapclient.response_types import BodyData

HEADERS_BULK = 500
BODIES_BULK = 200
CHUNK = 1000
IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class Where:
    """The server and the mailbox; ``sent`` is the file with the commands that mailframe sent."""

    host: str
    port: int
    security: str
    authority: str
    user: str
    password: str
    sent: str

    @property
    def context(self) -> ssl.SSLContext | None:
        """Certificates are verified by everyone: the work is the same for all."""
        return ssl.create_default_context(cafile=self.authority) if self.security == "tls" else None


class Contestant(Protocol):
    def read(self) -> pd.DataFrame: ...

    def values(self, frame: pd.DataFrame) -> pd.DataFrame: ...


class Mailframe:
    def __init__(self, where: Where) -> None:
        self.session = mf.connect(
            where.host,
            where.user,
            password=where.password,
            port=where.port,
            security=where.security,
            ssl_context=where.context,
        )


class MailframeHeaders(Mailframe):
    def read(self) -> pd.DataFrame:
        return self.session.headers()

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = ["uid", "subject", "from_address", "date", "message_id", "size", "seen"]
        return frame[[*names, "n_attachments"]]


class MailframeBodies(Mailframe):
    def read(self) -> pd.DataFrame:
        return self.session.bodies()

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[["uid", "text"]]


class ImapTools:
    def __init__(self, where: Where) -> None:
        if where.security == "tls":
            self.box: imap_tools.BaseMailBox = imap_tools.MailBox(
                where.host, where.port, ssl_context=where.context
            )
        else:
            self.box = imap_tools.MailBoxUnencrypted(where.host, where.port)
        self.box.login(where.user, where.password, initial_folder=None)

    def messages(self, **options: Any) -> Iterator[imap_tools.MailMessage]:
        self.box.folder.set("INBOX", readonly=True)
        return self.box.fetch(mark_seen=False, **options)


class ImapToolsHeaders(ImapTools):
    def read(self) -> pd.DataFrame:
        rows = [
            {
                "uid": int(message.uid),
                "date": message.date,
                "from_name": message.from_values.name if message.from_values else "",
                "from": message.from_,
                "to": ", ".join(message.to),
                "cc": ", ".join(message.cc),
                "subject": message.subject,
                "message_id": message.headers.get("message-id", ("",))[0],
                "flags": " ".join(message.flags),
                "size": message.size_rfc822,
            }
            for message in self.messages(headers_only=True, bulk=HEADERS_BULK)
        ]
        frame = pd.DataFrame(rows)
        return frame.assign(date=pd.to_datetime(frame["date"], utc=True))

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "uid": frame["uid"],
                "subject": frame["subject"],
                "from_address": frame["from"],
                "date": frame["date"],
                "message_id": frame["message_id"].str.strip(" <>"),
                "size": frame["size"],
                "seen": frame["flags"].str.contains("Seen"),
            }
        )


class ImapToolsBodies(ImapTools):
    def read(self) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {"uid": int(message.uid), "text": message.text or message.html}
                for message in self.messages(bulk=BODIES_BULK)
            ]
        )

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame


class ImapClientHeaders:
    def __init__(self, where: Where) -> None:
        self.client = imapclient.IMAPClient(
            where.host, where.port, ssl=where.security == "tls", ssl_context=where.context
        )
        # Aware times, as the others give.
        self.client.normalise_times = False
        self.client.login(where.user, where.password)

    def read(self) -> pd.DataFrame:
        self.client.select_folder("INBOX", readonly=True)
        uids = self.client.search("ALL")
        items = ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE", "RFC822.SIZE"]
        rows = [
            _envelope_row(uid, found)
            for start in range(0, len(uids), CHUNK)
            for uid, found in self.client.fetch(uids[start : start + CHUNK], items).items()
        ]
        frame = pd.DataFrame(rows)
        times = {n: pd.to_datetime(frame[n], utc=True) for n in ("date", "internal_date")}
        return frame.assign(**times)

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = ["uid", "subject", "date", "size", "n_attachments", "from_address"]
        return frame[names].assign(
            message_id=frame["message_id"].str.strip(" <>"),
            seen=frame["flags"].str.contains("Seen"),
        )


def _envelope_row(uid: int, found: Mapping[bytes, Any]) -> dict[str, Any]:
    envelope = found[b"ENVELOPE"]
    sender = envelope.from_[0]
    return {
        "uid": uid,
        "date": envelope.date,
        "internal_date": found[b"INTERNALDATE"],
        "from_name": _decoded(sender.name),
        "from_address": _address(sender),
        "to": ", ".join(map(_address, envelope.to or ())),
        "cc": ", ".join(map(_address, envelope.cc or ())),
        "subject": _decoded(envelope.subject),
        "message_id": (envelope.message_id or b"").decode(),
        "flags": " ".join(flag.decode() for flag in found[b"FLAGS"]),
        "size": found[b"RFC822.SIZE"],
        "n_attachments": _attachments(found[b"BODYSTRUCTURE"]),
    }


def _decoded(raw: bytes | None) -> str:
    text = (raw or b"").decode("utf-8", "replace")
    return str(make_header(decode_header(text))) if "=?" in text else text


def _address(address: Any) -> str:
    return f"{(address.mailbox or b'').decode()}@{(address.host or b'').decode()}"


def _attachments(structure: BodyData) -> int:
    if structure.is_multipart:
        return sum(map(_attachments, structure[0]))
    return sum(isinstance(one, tuple) and one[:1] == (b"attachment",) for one in structure)


class RawSocket:
    """A floor: sends what mailframe sent, eight commands in flight, and looks at nothing."""

    def __init__(self, where: Where) -> None:
        sent = Path(where.sent).read_bytes()
        self.commands = deque(line + b"\r\n" for line in sent.split(b"\r\n") if line)
        self.socket = socket.create_connection((where.host, where.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = where.context
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=where.host)
        self.socket.recv(1000)
        self.socket.sendall(f"a LOGIN {where.user} {where.password}\r\n".encode())
        while b"a OK" not in self.socket.recv(10_000):
            pass

    def read(self) -> pd.DataFrame:
        flying: deque[re.Pattern[bytes]] = deque()
        tail = b""
        while self.commands or flying:
            while self.commands and len(flying) < IN_FLIGHT:
                command = self.commands.popleft()
                self.socket.sendall(command)
                flying.append(re.compile(rb"(?:^|\n)" + command.split(b" ")[0] + rb" OK"))
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError
            tail += data
            while flying and flying[0].search(tail):
                flying.popleft()
            tail = tail[-100:]
        return pd.DataFrame()

    def values(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame


CONTESTANTS: Mapping[str, Mapping[str, Callable[[Where], Contestant]]] = {
    "headers": {
        "mailframe": MailframeHeaders,
        "imap-tools": ImapToolsHeaders,
        "IMAPClient": ImapClientHeaders,
        "raw socket": RawSocket,
    },
    "bodies": {
        "mailframe": MailframeBodies,
        "imap-tools": ImapToolsBodies,
        "raw socket": RawSocket,
    },
}
