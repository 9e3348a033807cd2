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
    for other, sentence in ((["x" * 32], "another PAWSORT_SECRET_KEY"), ([], "has no PAWSORT_SECRET_KEY")):
        with pytest.raises(Conflict, match=sentence):
            SecretCipher(*other).decrypt(stored)


def test_a_secret_that_was_stored_as_it_is_can_be_read() -> None:
    secret = new_secret()
    assert SecretCipher().decrypt(secret) == secret


def test_a_former_key_decrypts_until_the_secret_is_encrypted_with_the_newest_one() -> None:
    former, newest, both = SecretCipher("k" * 32), SecretCipher("n" * 32), SecretCipher("n" * 32, "k" * 32)
    secret = new_secret()
    stored = former.encrypt(secret)
    assert both.decrypt(stored) == secret
    renewed = both.renew(stored)
    assert newest.decrypt(renewed) == secret
    assert not former.can_decrypt(renewed)
    assert both.renew(renewed) == renewed
    assert newest.renew(stored) == stored, "nothing is lost where no key decrypts it"
