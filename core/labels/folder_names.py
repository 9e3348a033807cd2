"""Folders' names as people see them: what nobody sees, and what systems add to copies, makes no other name."""

import re
import unicodedata

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_LAST_COPY = re.compile(r"(?: \(\d+\)| - copy| copy(?: \d+)?)$")


def plain_name(name: str) -> str:
    """Return a name in NFC, casefolded, without invisible characters, outer spaces and the suffixes of copies."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFC", name)).casefold()
    one_line = unicodedata.normalize("NFC", " ".join(seen.split()))
    start = len(one_line)
    while match := _LAST_COPY.search(one_line, 0, start):
        start = match.start()
    return one_line[:start]


def quoted(name: str) -> str:
    """Return a name in quotes, its invisible characters written out."""
    shown = (
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in name
    )
    return f'"{"".join(shown)}"'
