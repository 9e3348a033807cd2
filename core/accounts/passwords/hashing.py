"""Hash and verify passwords with Argon2id.

Memory and passes are those that RFC 9106 (section 4) recommends where 2 GiB for each hash are too much, which is more
than OWASP's Password Storage Cheat Sheet asks for. One lane instead of four: a login uses one processor.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.base.errors import Busy

MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 1
MAX_AT_ONCE = 2  # in each process of the web, so that logins never take more than 128 MiB of it
WAIT_S = 5.0

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
_turns = threading.BoundedSemaphore(MAX_AT_ONCE)
_HASH_OF_NOTHING = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"


def hash_password(password: bytes) -> str:
    """The hash of a password with a new salt, and the parameters in it.

    Raises:
        Busy: Too many passwords are being hashed.
    """
    with _turn():
        return _hasher.hash(password)


def is_password(password: bytes, encoded: str | None) -> bool:
    """Whether this is the password of a hash. Without one it takes as long, so that the time says nothing.

    Raises:
        Busy: Too many passwords are being hashed.
    """
    with _turn():
        try:
            return _hasher.verify(encoded or _HASH_OF_NOTHING, password)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(encoded: str) -> bool:
    """Whether a hash was made with other parameters than these."""
    return _hasher.check_needs_rehash(encoded)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_S):
        raise Busy("Too many people are logging in at this moment. Try again in a few seconds.")
    try:
        yield
    finally:
        _turns.release()
