"""File names of exports, in headers and inside ZIP files. Users' names are kept where they are safe."""

import unicodedata
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import quote

LONGEST_ENDING = 20
LONGEST_NAME = 240  # bytes; file systems allow 255, and a number may have to be appended
# Characters that some file system refuses, and those that change the direction of text ("gpj.exe" reads "exe.jpg").
UNSAFE = frozenset('/\\:*?"<>|\x7f\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
# Names of devices on Windows, with every ending.
DEVICES = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    ]
)


def safe_name(name: str) -> str:
    """One part of a path that every system can unpack, Windows too.

    It has `_` for unsafe characters, for dots and blanks at its end, and before names of devices, and `\\xff` for bytes
    that are not UTF-8.
    """
    text = name.encode("utf-8", "backslashreplace").decode()
    clean = "".join("_" if _is_unsafe(character) else character for character in text)
    short = _shortened("_" if clean in ("", ".", "..") else clean)
    kept = short.rstrip(". ")
    portable = kept + "_" * (len(short) - len(kept))
    return f"_{portable}" if portable.partition(".")[0].rstrip().lower() in DEVICES else portable


def _is_unsafe(character: str) -> bool:
    return character in UNSAFE or unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _shortened(name: str) -> str:
    """A name that every file system accepts, with its ending."""
    raw = name.encode()
    if len(raw) <= LONGEST_NAME:
        return name
    ending = PurePosixPath(name).suffix.encode()
    ending = ending if len(ending) <= LONGEST_ENDING else b""
    return (raw[: LONGEST_NAME - len(ending)] + ending).decode(errors="ignore")


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
