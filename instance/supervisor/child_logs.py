"""The children's logs: files that are rotated at each start, and a few of their warnings for the terminal."""

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
# TensorFlow logs this at every start.
NOISE = re.compile(r"absl::InitializeLog")
SHOWN_EVERY_S = 15.0
SHOWN_CHARACTERS = 300


def rotate(path: Path) -> None:
    """Make room for a new log: number the earlier ones, and delete the oldest."""
    for number in range(KEPT - 1, 0, -1):
        newer = path.with_suffix(f".{number - 1}.log") if number > 1 else path
        if newer.exists():
            newer.replace(path.with_suffix(f".{number}.log"))


class ChildLog:
    """The log file of one child, and the warnings in it that are shown."""

    def __init__(self, path: Path) -> None:
        rotate(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._read_to = 0
        self._shown_at = -SHOWN_EVERY_S
        self._first_warning = ""
        self._n_warnings = 0

    def fileno(self) -> int:
        return self._fd

    def new_warning(self) -> str | None:
        """Return a warning since the last call; None if there is none, or one was shown a moment ago."""
        for line in self._new_lines():
            if WARNING.search(line) and not NOISE.search(line):
                self._first_warning = self._first_warning or line.strip()[:SHOWN_CHARACTERS]
                self._n_warnings += 1
        if not self._n_warnings or time.monotonic() - self._shown_at < SHOWN_EVERY_S:
            return None
        others = f" (and {self._n_warnings - 1} more in {self.path})" if self._n_warnings > 1 else ""
        shown = self._first_warning + others
        self._first_warning, self._n_warnings, self._shown_at = "", 0, time.monotonic()
        return shown

    def last_lines(self, count: int = 10) -> str:
        """Return the end of the log."""
        size = os.fstat(self._fd).st_size
        text = os.pread(self._fd, 16_384, max(0, size - 16_384)).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-count:])

    def close(self) -> None:
        os.close(self._fd)

    def _new_lines(self) -> list[str]:
        """Return new complete lines: at most 1 MiB, the rest in the next call."""
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
        """Empty the file, after a copy if the disk has room for it. The child continues to write at its end."""
        copy = self.path.with_suffix(".1.log")
        try:
            shutil.copyfile(self.path, copy)
        except OSError:  # a full disk, mostly: emptying the log makes room
            copy.unlink(missing_ok=True)
        os.truncate(self._fd, 0)
        self._read_to = 0
