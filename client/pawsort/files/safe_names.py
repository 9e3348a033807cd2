"""Names of files that Windows, macOS and Linux accept: a copy of the server's rules, which a test compares."""

import unicodedata
from pathlib import PurePosixPath

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
        "clock$",
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
