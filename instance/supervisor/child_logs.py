"""The children's logs: files that are rotated at each start, and warnings from them, sparingly, for the terminal."""

import os
import re
import shutil
import time
from pathlib import Path

KEPT = 3
MAX_BYTES = 64 * 2**20
# As gunicorn, Celery and structlog (plain and JSON) mark them.
WARNING = re.compile(
    r"\b(?:WARNING|ERROR|CRITICAL)\b|\[(?:warning|error|critical)\s*\]|\"level\": ?\"(?:warning|error|critical)\""
)
# TensorFlow says this at each start, whatever happens.
NOISE = re.compile(r"absl::InitializeLog")
SHOWN_EVERY_S = 15.0
SHOWN_CHARACTERS = 300


def rotate(path: Path) -> None:
    """Make room for a new log; the earlier ones get numbers, the oldest goes."""
    for number in range(KEPT - 1, 0, -1):
        newer = path.with_suffix(f".{number - 1}.log") if number > 1 else path
        if newer.exists():
            newer.replace(path.with_suffix(f".{number}.log"))


class ChildLog:
    """One log file: where a child writes, and what of it deserves to be shown."""

    def __init__(self, path: Path) -> None:
        rotate(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._read_to = 0
        self._shown_at = -SHOWN_EVERY_S
        self._first = ""
        self._held_back = 0

    def fileno(self) -> int:
        return self._fd

    def news(self) -> str | None:
        """A warning that came since the last call, unless one was shown a moment ago."""
        for line in self._new_lines():
            if WARNING.search(line) and not NOISE.search(line):
                self._first = self._first or line.strip()[:SHOWN_CHARACTERS]
                self._held_back += 1
        if not self._held_back or time.monotonic() - self._shown_at < SHOWN_EVERY_S:
            return None
        others = f" (and {self._held_back - 1} more in {self.path})" if self._held_back > 1 else ""
        shown = self._first + others
        self._first, self._held_back, self._shown_at = "", 0, time.monotonic()
        return shown

    def last_lines(self, count: int = 10) -> str:
        """The end of the log, for a child that cannot be started."""
        size = os.fstat(self._fd).st_size
        text = os.pread(self._fd, 16_384, max(0, size - 16_384)).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-count:])

    def close(self) -> None:
        os.close(self._fd)

    def _new_lines(self) -> list[str]:
        """Whole lines only; at most a megabyte at a time, the rest at the next call."""
        size = os.fstat(self._fd).st_size
        block = os.pread(self._fd, min(size - self._read_to, 2**20), self._read_to)
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) == 2**20:
            end = len(block)
        self._read_to += end
        if size > MAX_BYTES and self._read_to + len(block) - end >= size:
            self._empty()
        return block[:end].decode("utf-8", "replace").splitlines()

    def _empty(self) -> None:
        """Begin anew in the same file: the child goes on writing at its end, wherever that is."""
        shutil.copyfile(self.path, self.path.with_suffix(".1.log"))
        os.truncate(self._fd, 0)
        self._read_to = 0
