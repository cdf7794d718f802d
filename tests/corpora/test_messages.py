"""Other projects' messages are read as most parsers read them.

The gold files hold, field by field, what independent parsers agree on; ``mime/score.py`` beside
them compares. The floors are what is demanded of us, in percent; the tables show what is reached.
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
# header lacks a semicolon is found all the same; no NUL is let out; an HTML's own charset does
# count; a forgotten bracket does not cost the name; blanks may stand before a field's colon
# (RFC 5322 section 4.5); a line that is no field does not end a header that goes on behind it.
MIME_FLOORS = {
    "subject": 99.5,
    "from": 99.5,
    "from_name": 99,
    "date": 99.5,
    "to": 99,
    "text_sha": 99,
    "html_sha": 99,
    "att_names": 99,
    "att_sizes": 99,
}
MAILBOX_FLOOR = 99.8
MOST_WITH_DEFECTS = 3
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
    assert shares.keys() == MIME_FLOORS.keys()
    assert min(shares.values()) >= MAILBOX_FLOOR


def test_few_messages_that_all_parsers_agree_on_have_defects(
    corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = (corpora / "mime" / "gold.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in gold.splitlines()]
    agreed = [
        row["file"]
        for row in rows
        if len(row["votes"]) == len(MIME_FLOORS)
        and all(won == cast for won, cast in row["votes"].values())
    ]
    found = {
        file: defects
        for file in agreed
        if (defects := parse_email((corpora / "mime" / file).read_bytes()).defects)
    }
    share = 100 * len(found) / len(agreed)
    with capsys.disabled():
        print(f"\ndefects: {len(found)} of {len(agreed)}, {share:.2f} %")  # noqa: T201 as above
        print(*(f"{file}: {'; '.join(defects)}" for file, defects in found.items()), sep="\n")  # noqa: T201
    assert parse_email(b"Date: Whenever\n\n").defects
    assert share <= MOST_WITH_DEFECTS
