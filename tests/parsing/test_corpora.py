"""Other projects' messages are read as most parsers read them.

The gold files hold, field by field, what independent parsers agree on; ``mime/score.py`` beside
them compares. The floors are what is reached: fewer is a step back.
"""

from __future__ import annotations

import importlib.util
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.parsing import parse_email

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Where mailframe differs on purpose: RFC 8621 makes a named text part an attachment; a part whose
# header lacks a semicolon is found all the same; no NUL is let out; a boundary's trailing blanks
# do not count; an HTML's own charset does; a forgotten bracket does not cost the name.
MIME_FLOORS = {
    "subject": 100,
    "from": 100,
    "from_name": 99.7,
    "date": 100,
    "to": 100,
    "text_sha": 99,
    "html_sha": 99.7,
    "att_names": 99.5,
    "att_sizes": 99.7,
}
_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def _prediction(raw: bytes, file: str) -> dict[str, Any]:
    email = parse_email(raw)
    # The gold counts line ends as the file has them, mailframe as CRLF.
    lone = b"\r\n" not in raw
    attachments = [
        [
            one.filename,
            one.content_type,
            (one.size or 0)
            - ((one.content or b"").count(b"\r\n") if lone and one.encoding != "base64" else 0),
        ]
        for one in email.attachments
    ]
    return {
        "file": file,
        "subject": email.subject,
        "from_email": email.from_address,
        "from_name": email.from_name,
        "to": [address.address for address in email.to],
        "date": email.date and email.date.isoformat(),
        "text": email.text,
        "html": email.html,
        "attachments": attachments,
    }


def _shares(
    corpora: Path,
    gold: Path,
    messages: Iterable[tuple[bytes, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> dict[str, float]:
    """Score predictions; give the share right by field, in percent."""
    path = tmp_path / "predictions.jsonl"
    rows = [json.dumps(_prediction(raw, file)) for raw, file in messages]
    path.write_text("\n".join(rows), "utf-8")
    spec = importlib.util.spec_from_file_location("score", corpora / "mime" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    capsys.readouterr()
    wrong = score.main(str(gold), str(path))
    table = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{gold.name}\n{table}", *wrong, sep="\n")  # noqa: T201 - the table is the point
    assert "rows missing 0 | errors 0" in table
    lines = [line.split() for line in table.splitlines()[1:]]
    return {line[0]: float(line[-2]) for line in lines}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # score.py leaves its files open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_mime_corpus_is_read(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = corpora / "mime" / "gold.jsonl"
    files = [json.loads(line)["file"] for line in gold.read_text("utf-8").splitlines()]
    messages = [((corpora / "mime" / file).read_bytes(), file) for file in files]
    shares = _shares(corpora, gold, messages, tmp_path, capsys)
    assert shares.keys() == MIME_FLOORS.keys()
    assert {field: share for field, share in shares.items() if share < MIME_FLOORS[field]} == {}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_mailbox_corpus_is_read(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = corpora / "mailbox" / "sa-dev.gold.jsonl"
    rows = [json.loads(line) for line in gold.read_text("utf-8").splitlines()]
    texts = _FROM_LINE.split((corpora / "mailbox" / "sa-dev.mbox").read_bytes())[1:]
    # mboxrd: one empty line behind each message, ">From " quoted once
    raws = [_QUOTED_FROM.sub(rb"\1", text.removesuffix(b"\n")) for text in texts]
    messages = [(raws[row["index"]], row["file"]) for row in rows]
    shares = _shares(corpora, gold, messages, tmp_path, capsys)
    assert set(shares.values()) == {100.0}
