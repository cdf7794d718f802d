"""A DNS server on a free port of 127.0.0.1 that knows the records that a test gives it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingUDPServer
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[tuple[str, str], Sequence[str] | str]


class NameServer:
    """A server that lives as long as the ``with`` block.

    Parameters
    ----------
    records
        ``(name, kind)`` to the records as zone files have them:
        ``{("example.org", "MX"): ["10 mx.example.org."]}``; or to ``"silence"`` (no answer at
        all), ``"failure"`` (SERVFAIL) or ``"garbage"``. Of a name with other kinds there are no
        such records; any other name does not exist.

    Attributes
    ----------
    asked
        Name and kind of each question, in the order of arrival.
    """

    host = "127.0.0.1"

    def __init__(self, records: Records) -> None:
        self.records = dict(records)
        self.asked: list[tuple[str, str]] = []
        names = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                data, line = self.request
                with suppress(OSError):  # the test is over, and nobody waits for it any more
                    if reply := names.reply(data):
                        line.sendto(reply, self.client_address)

        class Listener(ThreadingUDPServer):
            daemon_threads = True
            block_on_close = False

        self._listener = Listener((self.host, 0), Handler)
        self.port: int = self._listener.server_address[1]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def reply(self, data: bytes) -> bytes:
        """Return what is answered to a question."""
        question = dns.message.from_wire(data)
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        known = self.records.get((name, kind))
        if known == "silence":
            return b""
        if known == "garbage":
            return data[:2] + b"\xff" * 40
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if known == "failure":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif known:
            answer.answer = [dns.rrset.from_text_list(asked.name, 60, "IN", kind, list(known))]
        elif not any(name == other for other, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()
