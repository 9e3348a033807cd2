"""Folders' names as people see them: what nobody sees, and what systems add to copies, makes no other name."""

import re
import unicodedata

from core.base.names import find_foreign_letters, is_invisible

_LAST_COPY = re.compile(r"(?: ?\(\d+\)| - copy| copy(?: \d+)?)$")


def plain_name(name: str) -> str:
    """Return a name in NFKC, casefolded, without invisible characters, outer spaces and the suffixes of copies."""
    seen = "".join(character for character in name if not is_invisible(character))
    one_line = unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", seen).casefold().split()))
    start = len(one_line)
    while match := _LAST_COPY.search(one_line, 0, start):
        start = match.start()
    return one_line[:start]


def quoted(name: str) -> str:
    """Return a name in quotes, its invisible characters written out, and letters of a second alphabet in a word."""
    foreign = find_foreign_letters(name)
    shown = (
        character
        if character.isprintable() and not is_invisible(character) and character not in foreign
        else character.encode("unicode_escape").decode()
        for character in name
    )
    return f'"{"".join(shown)}"'
