"""The key of tests' installations, and what encrypts with it."""

from core.webhooks.encryption import SecretCipher

SECRET_KEY = "a secret of the tests, long enough"
CIPHER = SecretCipher(SECRET_KEY)
