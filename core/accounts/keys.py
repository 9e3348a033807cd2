"""Secret keys of 256 random bits. Only their SHA-256 is stored: comparing digests reveals nothing by its timing."""

import hashlib
import secrets

KEY_BYTES = 32


def new_key() -> str:
    """A new key, 43 characters that fit into an address."""
    return secrets.token_urlsafe(KEY_BYTES)


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()
