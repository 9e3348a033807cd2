"""What systems and tools leave in folders, by name, and a sentence on it. The server has the same table."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
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


def is_kind(noun: str) -> bool:
    """Return whether this is one of the nouns of `kind_of_file`."""
    return any(noun == kind["one"] for kind in _KINDS)


def count_words(counts: Mapping[str, int]) -> str:
    """Return numbers by kind in words: "3 files: 2 system files, 1 older version"."""
    total = sum(counts.values())
    by_kind = (_count(counts[kind["one"]], kind) for kind in _KINDS if counts.get(kind["one"]))
    return f"{total:,} file{'' if total == 1 else 's'}: {', '.join(by_kind)}"


def _count(n: int, kind: _Kind) -> str:
    return f"1 {kind['one'].partition(' ')[2]}" if n == 1 else f"{n:,} {kind['many']}"
