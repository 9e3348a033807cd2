"""File names of exports, in headers and inside ZIP files. Users' names are kept where they are safe."""

import unicodedata
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import quote

from core.base.file_names import safe_name


def safe_path(path: str) -> str:
    """A path that stays below the folder it is unpacked in: no part is `..` or empty."""
    return "/".join(safe_name(part) for part in path.split("/") if part not in ("", "."))


def attachment(name: str) -> str:
    """A Content-Disposition header that saves under this name, with any characters (RFC 6266)."""
    safe = safe_name(name)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


class UniqueNames:
    """Gives each file a unique path: the second file of a name becomes `name (2).jpg`.

    Names that some file system treats as equal count as equal: upper and lower case, composed and decomposed accents.
    No path is both a file and a folder. Only hashes are kept: a million names take 70 MB instead of 200 MB.
    """

    def __init__(self) -> None:
        self._files: set[int] = set()
        self._folders: set[int] = set()
        self._file_numbers: dict[int, int] = {}  # of each name that was taken, the last number
        self._folder_numbers: dict[int, int] = {}

    def reserve(self, path: str) -> str:
        """Reserve this path or, if it is taken, the next one with a number."""
        *folders, name = path.split("/")
        above = ""
        for folder in folders:
            above = self._next(above, folder, self._folder_numbers, self._files)
            self._folders.add(_key(above))
            above += "/"
        found = self._next(above, name, self._file_numbers, self._files, self._folders)
        self._files.add(_key(found))
        return found

    @staticmethod
    def _next(above: str, name: str, numbers: dict[int, int], *taken: set[int]) -> str:
        """Count up from the last number of this name: what was taken once stays taken."""
        key = _key(above + name)
        if not any(key in some for some in taken):
            return above + name
        pure = PurePosixPath(name)
        for number in count(numbers.get(key, 2)):
            candidate = f"{above}{pure.stem} ({number}){pure.suffix}"
            if not any(_key(candidate) in some for some in taken):
                break
        numbers[key] = number
        return candidate


def _key(path: str) -> int:
    return hash(unicodedata.normalize("NFC", path).casefold())
