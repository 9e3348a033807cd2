"""Files without a name on the disk of a folder: they get one once they are whole, and nothing is copied.

Of a process that is killed, nothing is left. Only Linux has such files, and not on every disk.
"""

import errno
import io
import os
from contextlib import suppress
from pathlib import Path

_UNSUPPORTED = (errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL)
_OWN_FILES = Path("/proc/self/fd")


class NamelessFile(io.BufferedRandom):
    """A file to write to and read from, which is deleted when it is closed without a name."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(io.FileIO(descriptor, "r+"))

    def give_name(self, path: Path) -> bool:
        """Give it a name, under which nothing is yet. What was written is there as a whole from now on.

        Returns:
            False if the name is on another disk, as in a folder that somebody has mounted or linked there.
        """
        self.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._link(path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        return True

    def close(self) -> None:
        """Close it. What it could not write, because the disk is full, nobody needs any more."""
        with suppress(OSError):
            super().close()

    def _link(self, path: Path) -> None:
        # Only with a folder's descriptor does Python follow the link in /proc; the path is absolute, so it is not used.
        os.link(_OWN_FILES / str(self.fileno()), path, src_dir_fd=self.fileno(), follow_symlinks=True)


def open_nameless(folder: Path) -> NamelessFile | None:
    """A new file on the disk of a folder; None where there are no such files."""
    if not hasattr(os, "O_TMPFILE") or not _OWN_FILES.is_dir():
        return None
    try:
        return NamelessFile(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666))
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
