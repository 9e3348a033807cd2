"""Secrets at rest: unreadable without the key, and each time another text."""

import pytest

from core.base.errors import Conflict
from core.webhooks.encryption import SecretCipher
from core.webhooks.signing import new_secret


def test_a_secret_comes_back_with_the_same_key_alone() -> None:
    cipher, secret = SecretCipher("k" * 32), new_secret()
    stored = cipher.encrypt(secret)
    assert secret not in stored
    assert stored != cipher.encrypt(secret)
    assert SecretCipher("k" * 32).decrypt(stored) == secret
    for other, sentence in (("x" * 32, "another PAWSORT_SECRET_KEY"), ("", "has no PAWSORT_SECRET_KEY")):
        with pytest.raises(Conflict, match=sentence):
            SecretCipher(other).decrypt(stored)


def test_a_secret_that_was_stored_as_it_is_can_be_read() -> None:
    secret = new_secret()
    assert SecretCipher("").decrypt(secret) == secret
