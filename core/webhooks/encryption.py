"""Secrets of webhooks as the database has them: encrypted with a key that is derived from PAWSORT_SECRET_KEY.

They sign, so they have to be read again. The database and its backups do not hold the key. Former keys still decrypt,
until each secret is encrypted with the newest one (`renew`).

Source: RFC 5869 (HKDF); Fernet, github.com/fernet/spec.
"""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.base.config import Settings
from core.base.errors import Conflict
from core.webhooks.signing import PREFIX

PURPOSE = b"pawsort: secrets of webhooks"


class SecretCipher:
    """Encrypts and decrypts secrets."""

    def __init__(self, *keys: str) -> None:
        """
        Args:
            keys: The first encrypts, all decrypt.
        """
        self._keys = keys

    @classmethod
    def from_settings(cls, settings: Settings) -> "SecretCipher":
        """With the keys of the installation."""
        return cls(*settings.secret_keys)

    @property
    def has_key(self) -> bool:
        """Whether this process was given a key."""
        return bool(self._keys)

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
                "The secret was encrypted with another PAWSORT_SECRET_KEY. Give the webhook a new secret, or add the"
                " other key on a line below the present one."
            ) from None

    def can_decrypt(self, stored: str) -> bool:
        """Whether one of the keys decrypts a secret."""
        try:
            self.decrypt(stored)
        except Conflict:
            return False
        return True

    def renew(self, stored: str) -> str:
        """The same secret encrypted with the newest key; unchanged if it is, or if no key decrypts it."""
        if not is_plain(stored) and SecretCipher(*self._keys[:1]).can_decrypt(stored):
            return stored
        try:
            secret = self.decrypt(stored)
        except Conflict:
            return stored
        return self.encrypt(secret)

    def _fernet(self) -> MultiFernet:
        if not self.has_key:
            raise Conflict("This process has no PAWSORT_SECRET_KEY. Give it the one of the web server.")
        return MultiFernet([_derive(key) for key in self._keys])


def is_plain(stored: str) -> bool:
    """Whether a secret was stored by a version that did not encrypt."""
    return stored.startswith(PREFIX)


@cache
def _derive(secret_key: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
