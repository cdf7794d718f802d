"""Every message of the corpora is one row, and the frames can be written to any file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailframe.session import Session

# The frames, and the names of their schemas.
SCHEMAS = {
    "headers": "headers",
    "recipients": "recipients",
    "bodies": "bodies_html",
    "attachments": "attachments",
    "hops": "hops",
}


@pytest.fixture(scope="module", params=["mime", "mailbox/sa-dev.mbox"])
def session(request: pytest.FixtureRequest, corpora: Path) -> Iterator[Session]:
    with mf.open(corpora / request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def frames(session: Session) -> dict[str, pd.DataFrame]:
    return {
        "headers": session.headers(folder="*"),
        "recipients": session.recipients(folder="*"),
        "bodies": session.bodies(folder="*", html=True),
        "attachments": session.attachments(folder="*"),
        "hops": session.hops(folder="*"),
    }


def test_every_message_is_one_row(session: Session, frames: dict[str, pd.DataFrame]) -> None:
    folders = session.folders()
    expected = {11: 470, 1: 480}[len(folders)]
    assert folders["messages"].sum() == expected
    for name in ("headers", "bodies"):
        keys = frames[name][["folder", "uid"]].astype({"folder": "str"})
        assert len(keys.drop_duplicates()) == len(frames[name]) == expected


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_frames_have_the_columns_of_the_schema(
    frames: dict[str, pd.DataFrame], name: str
) -> None:
    frame = frames[name]
    assert list(frame.columns) == [column.name for column in schema.FRAMES[SCHEMAS[name]]]
    assert len(frame)
    pd.testing.assert_frame_equal(schema.conform(frame, SCHEMAS[name]), frame)


@pytest.mark.filterwarnings("ignore:The default formatting:pandas.errors.Pandas4Warning")
@pytest.mark.parametrize("name", SCHEMAS)
def test_the_frames_can_be_written(
    frames: dict[str, pd.DataFrame], name: str, tmp_path: Path
) -> None:
    frame = frames[name]
    frame.to_parquet(tmp_path / "frame.parquet")
    frame.to_json(tmp_path / "frame.json", orient="records", lines=True)
    frame.to_csv(tmp_path / "frame.csv", index=False)
    again = pd.read_parquet(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(schema.conform(again, SCHEMAS[name]), frame)
    assert len((tmp_path / "frame.json").read_text("utf-8").splitlines()) == len(frame)
    assert len(pd.read_csv(tmp_path / "frame.csv", low_memory=False)) == len(frame)
