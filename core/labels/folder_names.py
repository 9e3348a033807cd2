"""Folders' names as people see them: what nobody sees, and what systems add to copies, makes no other name."""

import re
import unicodedata

# Fillers and variation selectors, which Unicode counts among letters and marks.
_FILLERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_LAST_COPY = re.compile(r"(?: ?\(\d+\)| - copy| copy(?: \d+)?)$")


def plain_name(name: str) -> str:
    """Return a name in NFKC, casefolded, without invisible characters, outer spaces and the suffixes of copies."""
    seen = "".join(character for character in name if not is_invisible(character))
    one_line = unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", seen).casefold().split()))
    start = len(one_line)
    while match := _LAST_COPY.search(one_line, 0, start):
        start = match.start()
    return one_line[:start]


def is_invisible(character: str) -> bool:
    """Return whether nobody sees a character, and it is no space either."""
    return character in _FILLERS or (unicodedata.category(character) in ("Cc", "Cf") and not character.isspace())


def quoted(name: str) -> str:
    """Return a name in quotes, its invisible characters written out."""
    shown = (
        character
        if character.isprintable() and not is_invisible(character)
        else character.encode("unicode_escape").decode()
        for character in name
    )
    return f'"{"".join(shown)}"'
