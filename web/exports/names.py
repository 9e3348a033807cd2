"""File names of exports, in headers and inside ZIP files. Users' names are kept where they are safe."""

import unicodedata
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import quote

from core.base.file_names import safe_name

LONGEST_PATH = 200  # as Windows counts: its programs open paths of up to 259, with the folder that all is unpacked in


def safe_path(path: str) -> str:
    """A path that stays below the folder it is unpacked in, and can be opened there: no part is `..` or empty.

    Of one that is too long for Windows, the first folders are left out.
    """
    *folders, name = [safe_name(part) for part in path.split("/") if part not in ("", ".")] or ["_"]
    kept = [safe_name(_shortened(name))]
    room = LONGEST_PATH - _length(kept[0])
    for folder in reversed(folders):
        room -= _length(folder) + len("/")
        if room < 0:
            break
        kept.append(folder)
    return "/".join(reversed(kept))


def _shortened(name: str) -> str:
    """A name with its ending, cut where it is too long for a path."""
    pure = PurePosixPath(name)
    stem = pure.stem
    while _length(stem + pure.suffix) > LONGEST_PATH:
        stem = stem[:-1]
    return stem + pure.suffix if stem else name[:LONGEST_PATH]


def _length(text: str) -> int:
    """In units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


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
