"""Secrets of webhooks as the database has them: encrypted with a key that is derived from PAWSORT_SECRET_KEY.

They sign, so they have to be read again. The database and its backups do not hold the key.

Source: RFC 5869 (HKDF); Fernet, github.com/fernet/spec.
"""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.base.config import Settings
from core.base.errors import Conflict
from core.webhooks.signing import PREFIX

PURPOSE = b"pawsort: secrets of webhooks"


class SecretCipher:
    """Encrypts and decrypts secrets."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    @classmethod
    def from_settings(cls, settings: Settings) -> "SecretCipher":
        """With the key of the installation."""
        return cls(settings.secret_key.get_secret_value())

    @property
    def has_key(self) -> bool:
        """Whether this process was given the key."""
        return bool(self._secret_key)

    def encrypt(self, secret: str) -> str:
        """A secret as it is stored."""
        return self._fernet().encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """A secret as receivers know it.

        Raises:
            Conflict: It was encrypted with another key, or there is none.
        """
        if is_plain(stored):
            return stored
        try:
            return self._fernet().decrypt(stored).decode()
        except InvalidToken:
            raise Conflict(
                "The secret was encrypted with another PAWSORT_SECRET_KEY. Give the webhook a new secret, or restore"
                " the key."
            ) from None

    def can_decrypt(self, stored: str) -> bool:
        """Whether this key decrypts a secret."""
        try:
            self.decrypt(stored)
        except Conflict:
            return False
        return True

    def _fernet(self) -> Fernet:
        if not self.has_key:
            raise Conflict("This process has no PAWSORT_SECRET_KEY. Give it the one of the web server.")
        return _derive(self._secret_key)


def is_plain(stored: str) -> bool:
    """Whether a secret was stored by a version that did not encrypt."""
    return stored.startswith(PREFIX)


@cache
def _derive(secret_key: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
