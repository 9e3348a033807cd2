"""Passwords of at least 15 characters that people are known to use, as a sorted file of short digests.

The list is SecLists' Common-Credentials; docs/decisions has how the file is made. Digests of five bytes refuse one in
three million other passwords by mistake.
"""

from bisect import bisect_left
from functools import cache
from hashlib import sha256
from importlib.resources import files

DIGEST_BYTES = 5


def is_common(password: str) -> bool:
    """Whether a password, or the same in lower case, is on the list."""
    return any(_is_listed(sha256(one.encode()).digest()[:DIGEST_BYTES]) for one in {password, password.lower()})


def _is_listed(digest: bytes) -> bool:
    listed = _digests()
    places = range(0, len(listed), DIGEST_BYTES)
    index = bisect_left(places, digest, key=lambda at: listed[at : at + DIGEST_BYTES])
    return index < len(places) and listed[places[index] : places[index] + DIGEST_BYTES] == digest


@cache
def _digests() -> bytes:
    return (files(__package__) / "common_passwords.bin").read_bytes()
