"""Names of files that leave: in a header, and inside a zip. What people called their files is kept where it is safe."""

from pathlib import PurePosixPath
from urllib.parse import quote

# What no file system takes, and what turns the direction of writing, so that "gpj.exe" reads "exe.jpg".
UNSAFE = frozenset('/\\:*?"<>|\x7f\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def safe_name(name: str) -> str:
    """One part of a path, with `_` for what file systems do not take; bytes that are no UTF-8 as `\\xff`."""
    text = name.encode("utf-8", "backslashreplace").decode()
    clean = "".join("_" if ord(character) < 32 or character in UNSAFE else character for character in text)
    return "_" if clean in ("", ".", "..") else clean


def safe_path(path: str) -> str:
    """A path that lies below wherever it is unpacked: no part climbs, none is empty."""
    return "/".join(safe_name(part) for part in path.split("/") if part not in ("", "."))


def attachment(name: str) -> str:
    """A Content-Disposition that saves under this name, whatever characters it has (RFC 6266)."""
    safe = safe_name(name)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


class Taken:
    """Names that were given out: the second file of a name becomes `name (2).jpg`, upper and lower case alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, path: str) -> str:
        """This path, or the next one like it that nobody has."""
        pure, number, candidate = PurePosixPath(path), 1, path
        while candidate.casefold() in self._taken:
            number += 1
            candidate = str(pure.with_name(f"{pure.stem} ({number}){pure.suffix}"))
        self._taken.add(candidate.casefold())
        return candidate
