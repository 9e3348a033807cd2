"""What systems and tools leave in folders, by name: ignored_names.json has the names, in lower case, with `*` and `?`.

The client and the page have the same table; a test compares them.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import TypedDict


class _Kind(TypedDict):
    one: str
    many: str
    files: list[str]
    folders: list[str]


_KINDS: list[_Kind] = json.loads((files(__package__) / "ignored_names.json").read_text("utf-8"))


class _Names:
    """Finds the kind of a name: by a dictionary of whole names, else by one expression with a group for each kind."""

    def __init__(self, patterns: Iterable[tuple[str, list[str]]]) -> None:
        given = list(patterns)
        self._whole = {name: kind for kind, names in given for name in names if not _is_pattern(name)}
        with_patterns = [(kind, list(filter(_is_pattern, names))) for kind, names in given]
        groups = [(kind, "|".join(map(_expression, names))) for kind, names in with_patterns if names]
        self._kinds = [kind for kind, _ in groups]
        self._expression = re.compile("|".join(f"({group})" for _, group in groups), re.DOTALL)

    def find(self, name: str) -> str | None:
        plain = unicodedata.normalize("NFC", name).lower()
        if kind := self._whole.get(plain):
            return kind
        match = self._expression.fullmatch(plain)
        return self._kinds[match.lastindex - 1] if match and match.lastindex else None


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)


_FILES = _Names((kind["one"], kind["files"]) for kind in _KINDS)
_FOLDERS = _Names((kind["one"], kind["folders"]) for kind in _KINDS)


def kind_of_file(name: str) -> str | None:
    """Return what a file of this name is, as a noun ("a system file"); None for a file that counts."""
    return _FILES.find(name)


def kind_of_folder(name: str) -> str | None:
    """Return what each file in a folder of this name is, as a noun; None for a folder whose files count."""
    return _FOLDERS.find(name)


def kind_of_path(path: str) -> str | None:
    """Return what a file is, by its folders and its name; None for a file that counts."""
    folders, _, name = path.rpartition("/")
    return _kind_of_folders(folders) or kind_of_file(name)


@lru_cache(4096)
def _kind_of_folders(folders: str) -> str | None:
    return next((kind for folder in folders.split("/") if (kind := kind_of_folder(folder))), None)
