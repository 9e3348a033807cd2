"""Names that people give: to jobs, uploads, schedules, tokens, and to themselves."""

import unicodedata
from collections import Counter

from core.base.errors import Invalid

MAX_NAME = 500
MAX_SHORT_NAME = 200  # schedules, people and tokens, which lists show next to other columns
# Fillers and variation selectors, which Unicode counts among letters and marks.
_FILLERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_CONTROLS = ("Cc", "Zl", "Zp")  # of both ranges, and what ends a line or a paragraph
# Alphabets that have letters in common to the eye. Words mix others: Japanese has three scripts, and Latin letters.
_ALPHABETS = frozenset(("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE"))


def has_control_characters(text: str) -> bool:
    """Whether a text contains line breaks, tabs or other characters that a terminal or an editor obeys."""
    return any(unicodedata.category(character) in _CONTROLS for character in text)


def is_invisible(character: str) -> bool:
    """Return whether nobody sees a character, and it is no space either."""
    return character in _FILLERS or (unicodedata.category(character) in ("Cc", "Cf") and not character.isspace())


def find_foreign_letters(name: str) -> frozenset[str]:
    """Return the letters of a second alphabet within a word, which may look like the others: a Cyrillic а in “cat”."""
    found: set[str] = set()
    for word in name.split():
        letters = [(character, _alphabet_of(character)) for character in word]
        counts = Counter(alphabet for _, alphabet in letters if alphabet in _ALPHABETS)
        own = [alphabet for alphabet, _ in counts.most_common(1)]
        found |= {character for character, alphabet in letters if alphabet in _ALPHABETS - {*own}}
    return frozenset(found)


def _alphabet_of(letter: str) -> str:
    """The first word of its name in Unicode, which is the alphabet; that of the plain letter for fullwidth ones."""
    plain = unicodedata.normalize("NFKC", letter)[:1]
    return unicodedata.name(plain, "").partition(" ")[0] if plain.isalpha() else ""


def check_name(name: str, max_length: int = MAX_NAME, field: str = "name") -> str:
    """The name as it is stored, without blanks around it.

    Args:
        field: What the sentence of an error calls it.
    Raises:
        Invalid: It is empty, too long, or contains control characters.
    """
    trimmed = name.strip()
    if not 0 < len(trimmed) <= max_length:
        raise Invalid(f"{field}: expected 1 to {max_length} characters, got {len(trimmed)}.")
    if has_control_characters(trimmed):
        raise Invalid(f"{field}: expected text without control characters, got {trimmed[:MAX_SHORT_NAME]!r}.")
    return trimmed


def check_printable_name(name: str, max_length: int = MAX_NAME, field: str = "name") -> str:
    """The name as `check_name` stores it, of characters that can be seen.

    Raises:
        Invalid: As `check_name`; or a character has no glyph, such as a space of zero width or a filler.
    """
    checked = check_name(name, max_length, field)
    if not checked.isprintable() or any(map(is_invisible, checked)):
        raise Invalid(f"{field}: expected text without invisible characters, got {checked!r}.")
    return checked


def check_person_name(name: str, field: str = "name") -> str:
    """The name of a new person, which looks like that of nobody else.

    Raises:
        Invalid: As `check_printable_name`; or a word mixes alphabets.
    """
    checked = check_printable_name(name, MAX_SHORT_NAME, field)
    if foreign := find_foreign_letters(checked):
        named = ", ".join(f"“{letter}” ({unicodedata.name(letter).lower()})" for letter in sorted(foreign))
        raise Invalid(
            f"{field}: expected one alphabet within a word, got {checked!r} with {named}. Such letters look like"
            " others: type each word in one alphabet."
        )
    return checked


def shorten_name(name: str, max_length: int = MAX_NAME) -> str:
    """A name that was not typed as one (a file's, a list of others), as a valid one; perhaps empty."""
    return "".join(character if character.isprintable() else " " for character in name).strip()[:max_length].strip()
