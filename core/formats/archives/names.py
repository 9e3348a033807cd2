"""Names in archives that do not say their encoding: guessed from all names at hand, or told.

Where the evidence is too thin, the bytes are kept as `\\xff`: that can be undone, and a wrong guess cannot.
"""

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterable

import chardet

from core.base.errors import Invalid

# What programs of Windows, DOS, Unix and old phones write into zips and tars.
_USUAL = ("cp932", "gb18030", "big5hkscs", "cp949", "cp866", "cp1251", "cp1252", "cp437", "cp850")
_RARE = (
    *("euc_jis_2004", "cp874", "koi8-r", "cp737", "cp1253", "cp862", "cp1255", "cp1256"),
    *("cp852", "cp1250", "iso8859-2", "cp857", "cp1254"),
)
_WEIGHT_OF_RARE = 0.7  # of a guess: more than this made usual names ambiguous, less did not change anything
_MAX_EVIDENCE_BYTES = 64 * 2**10
_GROWTH = 1.25  # of the evidence, before it is looked at again: an archive of many names costs few guesses
_MIN_CONFIDENCE = 0.008  # chardet's own scale, which is low for texts as short as names
_MIN_LEAD = 1.15  # of the first guess over the next one with another result
_IN_NAMES = frozenset(("Lu", "Ll", "Lo", "Mn", "Mc", "Nd"))
_ALSO_IN_NAMES = frozenset("ー・、。々〆（）［］｛｝「」『』【】《》～！，：；　—–’‘“”№°º§©®·…€¡¿")

_WITHIN_WORD = re.compile("(?<=[a-z])[\u3001-\uffee](?=[a-z])")  # one East Asian character
_DIVIDER = re.compile(rb"(?<![\x80-\xff])\\")


class NameDecoder:
    """Decodes the names of one archive.

    Args:
        encoding: The encoding of names that are not marked as UTF-8, if somebody knows it.
    Raises:
        Invalid: There is no such encoding.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._told = None if encoding is None else check_encoding(encoding)
        self._evidence: set[bytes] = set()
        self._n_evidence = 0  # bytes
        self._n_guessed_from = 0
        self._guess: str | None = None

    def needs_evidence(self, name: bytes) -> bool:
        """Whether the encoding of a name must be guessed."""
        return self._told is None and _decode(name, "utf-8") is None

    def learn(self, names: Iterable[bytes]) -> None:
        """Take names as evidence, whole paths or parts of them."""
        for name in names:
            if name.isascii() or name in self._evidence or self._n_evidence > _MAX_EVIDENCE_BYTES:
                continue
            self._evidence.add(name)
            self._n_evidence += len(name)

    def decode(self, name: bytes) -> str | None:
        """Decode a name; None where it cannot be known.

        A name that is valid UTF-8 may still be another encoding, if others of the archive are not UTF-8.
        """
        if name.isascii():
            return name.decode()
        self.learn([name])
        if self._told is None and self._n_evidence > _GROWTH * self._n_guessed_from:
            self._guess, self._n_guessed_from = guess_encoding(self._evidence), self._n_evidence
        for encoding in (self._told or self._guess, "utf-8"):
            try:
                if encoding:
                    return name.decode(encoding)
            except UnicodeDecodeError:
                continue
        return None


def check_encoding(encoding: str) -> str:
    """Return Python's name of an encoding of texts.

    Raises:
        Invalid: There is none.
    """
    try:
        found = codecs.lookup(encoding)
        if "a/b".encode(found.name) == b"a/b":
            return found.name
    except (LookupError, ValueError, TypeError):
        pass
    raise Invalid(f"names: expected an encoding, for example cp932, gbk, cp866 or cp1252; got {encoding!r}.")


def guess_encoding(names: Iterable[bytes]) -> str | None:
    """Guess the encoding that names have in common.

    Only encodings count in which all names consist of letters, digits and what else names have; among those,
    `chardet` chooses by language.

    Returns:
        Python's name of the encoding; None when nothing fits, or several equally well.
    """
    evidence = b"\n".join(sorted(names))
    if _decode(evidence, "utf-8") is not None:
        return "utf-8"
    texts = {encoding: text for encoding in _USUAL + _RARE if (text := _decode(evidence, encoding)) is not None}
    plausible = {encoding: text for encoding, text in texts.items() if _looks_like_names(text)}
    if not plausible:
        return None
    least = min(_count_mixed_words(text) for text in plausible.values())
    plausible = {encoding: text for encoding, text in plausible.items() if _count_mixed_words(text) == least}
    return _choose(evidence, plausible)


def _choose(evidence: bytes, plausible: dict[str, str]) -> str | None:
    found = chardet.detect_all(
        evidence,
        ignore_threshold=True,
        compat_names=False,
        prefer_superset=False,
        include_encodings=sorted(plausible),
        no_match_encoding=min(plausible),
    )
    confidences = {one["encoding"]: one["confidence"] for one in found if one["encoding"] in plausible}
    confidences |= {encoding: _WEIGHT_OF_RARE * confidences[encoding] for encoding in confidences.keys() & set(_RARE)}
    ranked = sorted(confidences, key=confidences.__getitem__, reverse=True)
    if not ranked or confidences[ranked[0]] < _MIN_CONFIDENCE:
        return None
    best, confidence = ranked[0], confidences[ranked[0]]
    rivals = (confidences[other] for other in ranked[1:] if plausible[other] != plausible[best])
    return best if confidence >= _MIN_LEAD * next(rivals, 0.0) else None


def _decode(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _looks_like_names(text: str) -> bool:
    return all(
        character.isascii() or character in _ALSO_IN_NAMES or unicodedata.category(character) in _IN_NAMES
        for character in set(text)
    )


def _count_mixed_words(text: str) -> int:
    """Count neighbours of different alphabets: `Mьller` and `a寸s` are wrong guesses, `DSC写真` need not be one."""
    alphabets = [_alphabet(character) for character in text]
    n_neighbours = sum(one != other for one, other in itertools.pairwise(alphabets) if one and other)
    return n_neighbours + len(_WITHIN_WORD.findall(text))


def _alphabet(character: str) -> str:
    """Name the alphabet of a letter; empty for what may stand next to any."""
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    name = unicodedata.name(character, "").partition(" ")[0]
    return name if name in ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW") else ""


def decode_path(raw: bytes, decoder: NameDecoder) -> bytes:
    """Decode a path of a zip into UTF-8 with "/" between its parts; bytes that cannot be decoded stay.

    Some programs of Windows write their own divider, which is also the second half of many letters in East Asian
    encodings. So it is looked for after decoding, or not behind a byte that may be a first half.
    """
    text = decoder.decode(raw)
    if text is not None:
        return text.replace("\\", "/").encode()
    return _DIVIDER.sub(b"/", raw)
