"""Which passwords are accepted: long ones that are hard to guess. There are no rules on kinds of characters.

Lengths follow NIST SP 800-63B-4, section 3.1.1. The estimate of guesses is zxcvbn's (Wheeler 2016, USENIX Security):
it knows common passwords, words, names, dates, repetitions, sequences and walks over keyboards.
"""

import threading
import unicodedata

from core.accounts.passwords import common_passwords
from core.base.errors import Invalid

MIN_CHARACTERS = 15
MAX_BYTES = 1024
MIN_GUESSES_LOG10 = 10  # zxcvbn's highest score
ESTIMATED_CHARACTERS = 72  # the longest that zxcvbn accepts
PRODUCT_WORDS = ("pawsort", "paw", "sort")

_estimating = threading.Lock()  # zxcvbn keeps the words of its caller in a global


def encode_password(password: str) -> bytes:
    """The bytes that are hashed: the same text typed on different systems gives the same bytes (NFC, UTF-8).

    Raises:
        Invalid: It is too long, or no text.
    """
    try:
        encoded = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise Invalid("password: expected text, got characters that no text has.") from None
    if len(encoded) > MAX_BYTES:
        raise Invalid(f"password: expected at most {MAX_BYTES:,} bytes, got {len(encoded):,}.")
    return encoded


def check_new_password(password: str, *words: str) -> bytes:
    """The bytes of a password that is good enough for a new one.

    Args:
        words: What is known of its owner: name, email address.
    Raises:
        Invalid: It is too short, too long, common, or easy to guess.
    """
    encoded = encode_password(password)
    text = encoded.decode()
    if len(text) < MIN_CHARACTERS:
        raise Invalid(
            f"password: expected at least {MIN_CHARACTERS} characters, got {len(text)}. A few words in a row are easy"
            " to remember."
        )
    if common_passwords.is_common(text):
        raise Invalid("password: this one is on a list of common passwords. Choose another one.")
    if _guesses_log10(text, words) < MIN_GUESSES_LOG10:
        raise Invalid(
            "password: this one is easy to guess. Choose one without repetitions, sequences, your name or well-known"
            " phrases."
        )
    return encoded


def _guesses_log10(text: str, words: tuple[str, ...]) -> float:
    from zxcvbn import zxcvbn  # 8 MiB of words, which are only needed when somebody sets a password

    with _estimating:
        estimate = zxcvbn(text[:ESTIMATED_CHARACTERS], user_inputs=[*PRODUCT_WORDS, *words])
    return float(estimate["guesses_log10"])
