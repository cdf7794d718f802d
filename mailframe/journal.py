"""Journal: a file with a line for each change that was made, for whoever asks later."""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.exceptions import SaveError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailframe.actions import Action, Result

__all__ = ["Journal"]


class Journal:
    """JSON lines: what was about to be done, and what has become of it.

    There is no content of messages in it, and no secret: folders, UIDs, flags. What is about to be
    done stands there before it is sent, so that it is known also if this program dies meanwhile.

    Parameters
    ----------
    path
        Of the file; lines are added at its end. A new one can be read by its owner alone.
    account
        Whose mail it is.

    Raises
    ------
    SaveError
        If it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], account: str) -> None:
        try:
            self.path = Path(path).expanduser().absolute()
        except (TypeError, ValueError, RuntimeError) as error:
            raise SaveError(f"{path!r} is no path of a journal.", reply=str(error)) from error
        self._account = account
        self._lock = threading.Lock()
        self._append("")  # whoever wants a journal wants to know now that there can be none

    def begin(self, action: Action, number: int, _: Sequence[Result] = ()) -> None:
        """Note what is about to be done."""
        self._write(
            "begin",
            action=action.verb,
            number=number,
            folder=action.folder,
            uidvalidity=action.uidvalidity,
            uids=[message.uid for message in action.messages],
            letters=[letter.headers.message_id for letter in action.letters],
            target=action.target,
            add=action.add,
            remove=action.remove,
        )

    def note(self, action: Action, number: int, results: Sequence[Result]) -> None:
        """Note what has become of messages."""
        uidvalidity = next((one.new_uidvalidity for one in results if one.new_uidvalidity), None)
        self._write(
            "result",
            action=action.verb,
            number=number,
            folder=action.folder,
            uidvalidity=action.uidvalidity,
            target=action.target,
            new_uidvalidity=uidvalidity,
            messages=[[one.uid, one.status, one.reason, one.new_uid] for one in results],
        )

    def folder(self, action: str, folder: str, **more: Any) -> None:
        """Note what was done with a folder."""
        self._write("folder", action=action, folder=folder, **more)

    def _write(self, event: str, **fields: Any) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "account": self._account,
            "event": event,
            **{name: value for name, value in fields.items() if value not in ((), [], "", None)},
        }
        self._append(json.dumps(line, ensure_ascii=False) + "\n")

    def _append(self, text: str) -> None:
        try:
            # One write at the end of the file, so that several programs may share it.
            with self._lock:
                descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    content = text.encode("utf-8", "replace")
                    if content and _is_cut(descriptor):  # by a disk that was full
                        content = b"\n" + content
                    if os.write(descriptor, content) < len(content):  # the disk's last octets
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    with suppress(OSError):  # not every file system can
                        os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except (OSError, ValueError) as error:  # the latter for a name with a NUL
            raise SaveError(
                f"Could not write the journal {str(self.path)!r}.",
                reply=getattr(error, "strerror", None) or str(error),
            ) from error


def _is_cut(descriptor: int) -> bool:
    """Whether the last line of a file lacks its end."""
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) != b"\n"
