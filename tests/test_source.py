"""The Source protocol is what a Session needs, and no more: ten lines make one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mailframe as mf
from mailframe.exceptions import NotSupportedError
from mailframe.parsing import parse_email
from mailframe.records import Attachment, BodyRecord, Folder, Headers, MessageRecord
from mailframe.source import Piece, Selection

ME = "me@example.com"
NOTE = Attachment(
    part="2",
    filename="a/b.txt",
    content_type="text/plain",
    disposition="attachment",
    content_id=None,
    encoding="7bit",
    encoded_size=5,
    size=5,
    size_exact=True,
    inline=False,
)
PASSED = ("received", "by mx.example.org; Mon, 5 Jan 2026 09:30:00 +0000")
MESSAGE = MessageRecord(
    ME, "INBOX", 1, 1, (), None, 9, Headers(subject="Hi", extra=(PASSED,)), (NOTE,)
)
BODY = BodyRecord(ME, "INBOX", 1, 1, "Hello", None, "plain", "utf-8", truncated=False)


class TenLines:
    """A Source of two messages: a line for each of the seven methods."""

    account = ME

    def folders(self, **_: Any) -> Any:
        return [Folder("INBOX", None, "\\Sent", ())]

    def search(self, folder: str, _: Any, limit: int | None = None) -> Any:
        return Selection(folder, 1, (2, 1)[:limit])

    def headers(self, found: Any, *_: Any) -> Any:
        return (MESSAGE._replace(uid=uid) for uid in found.uids)

    def parts(self, found: Any, **_: Any) -> Any:
        return (BODY._replace(uid=uid) for uid in found.uids)

    def contents(self, _: str, __: int, wanted: Any) -> Any:
        return (Piece(place, b"bytes", last=True) for place in range(len(wanted)))

    def message(self, folder: str, uid: int) -> Any:
        return parse_email(b"Subject: Hi\r\n\r\nHello", uid=uid, folder=folder)

    def close(self) -> None: ...


def test_a_source_of_ten_lines_is_a_session(tmp_path: Path) -> None:
    with mf.Session(TenLines()) as session:
        assert session.headers()["subject"].tolist() == ["Hi", "Hi"]
        assert session.headers(limit=1, folder="\\Sent")["uid"].tolist() == [2]
        assert session.headers(fields=["Received"])["received"].str.startswith("by mx").all()
        assert session.search(folder="*")["uid"].tolist() == [2, 1]
        assert session.count() == 2
        assert session.folders()["name"].tolist() == ["INBOX"]
        assert len(session.recipients()) == 0
        assert session.hops()["by_host"].tolist() == ["mx.example.org"] * 2
        assert session.bodies(max_bytes=10)["text"].tolist() == ["Hello", "Hello"]
        assert session.bodies(preview=True)["preview"].tolist() == ["Hello", "Hello"]
        rows = session.download(session.attachments(), tmp_path)
        assert [path.name for path in sorted(tmp_path.iterdir())] == ["a_b (2).txt", "a_b.txt"]
        assert [Path(path).read_bytes() for path in rows["path"]] == [b"bytes"] * 2
        assert session.message(2).body == "Hello"


@pytest.mark.parametrize("method", ["capabilities", "explain"])
def test_what_only_a_server_has_is_refused_in_words(method: str) -> None:
    with pytest.raises(NotSupportedError, match="Only a server"):
        getattr(mf.Session(TenLines()), method)()
