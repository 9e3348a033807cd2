"""Names of files that leave: in a header, and inside a zip. What people called their files is kept where it is safe."""

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

LONGEST_ENDING = 20
LONGEST_NAME = 240  # bytes; file systems take 255, and a number may have to be put behind it
# What no file system takes, and what turns the direction of writing, so that "gpj.exe" reads "exe.jpg".
UNSAFE = frozenset('/\\:*?"<>|\x7f\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def safe_name(name: str) -> str:
    """One part of a path, with `_` for what file systems do not take; bytes that are no UTF-8 as `\\xff`."""
    text = name.encode("utf-8", "backslashreplace").decode()
    clean = "".join("_" if _is_unsafe(character) else character for character in text)
    return _shortened("_" if clean in ("", ".", "..") else clean)


def _is_unsafe(character: str) -> bool:
    return character in UNSAFE or unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _shortened(name: str) -> str:
    """A name that fits into a file system, its ending kept."""
    raw = name.encode()
    if len(raw) <= LONGEST_NAME:
        return name
    ending = PurePosixPath(name).suffix.encode()
    ending = ending if len(ending) <= LONGEST_ENDING else b""
    return (raw[: LONGEST_NAME - len(ending)] + ending).decode(errors="ignore")


def safe_path(path: str) -> str:
    """A path that lies below wherever it is unpacked: no part climbs, none is empty."""
    return "/".join(safe_name(part) for part in path.split("/") if part not in ("", "."))


def attachment(name: str) -> str:
    """A Content-Disposition that saves under this name, whatever characters it has (RFC 6266)."""
    safe = safe_name(name)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


class UniqueNames:
    """Names that were given out: the second file of a name becomes `name (2).jpg`.

    Names count as the same that some file system takes for the same: upper and lower case, composed and decomposed
    accents. No name is a file and a folder. Only hashes are kept: a million names are 70 MB, not 200.
    """

    def __init__(self) -> None:
        self._files: set[int] = set()
        self._folders: set[int] = set()

    def free(self, path: str) -> str:
        """This path, or the next one like it that nobody has."""
        *folders, name = path.split("/")
        above = ""
        for folder in folders:
            above = self._next(above, folder, self._files)
            self._folders.add(_key(above))
            above += "/"
        found = self._next(above, name, self._files, self._folders)
        self._files.add(_key(found))
        return found

    @staticmethod
    def _next(above: str, name: str, *taken: set[int]) -> str:
        pure, number, candidate = PurePosixPath(name), 1, above + name
        while any(_key(candidate) in some for some in taken):
            number += 1
            candidate = f"{above}{pure.stem} ({number}){pure.suffix}"
        return candidate


def _key(path: str) -> int:
    return hash(unicodedata.normalize("NFC", path).casefold())
