"""Which passwords are accepted, and what is kept of them."""

import unicodedata

import pytest

from core.accounts.passwords.hashing import is_outdated
from core.accounts.passwords.passwords import hash_new_password
from core.accounts.passwords.rules import check_new_password
from core.base.errors import Invalid


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "der hund frisst gern fleisch",
        "j9Fk2mQx8LpZ4vTy",
        "猫と犬の写真を毎日見ている私たち",
        "\tü\x00 paper lantern drum",
    ],
    ids=["words", "german", "random", "japanese", "control characters"],
)
def test_a_long_password_of_any_characters_is_accepted(password: str) -> None:
    assert check_new_password(password, "ada") == unicodedata.normalize("NFC", password).encode()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("blue paper lamp", None),
        ("blue paper lam", "at least 15 characters, got 14"),
        ("x" * 1025, "at most 1,024 bytes, got 1,025"),
        ("\ud800" * 20, "expected text"),
        ("webhostcatalog1", None),
        ("000webhostcatal", "list of common passwords"),
        ("MyPasswordIsSecret", "easy to guess|list of common"),
        ("passwordpassword", "easy to guess|list of common"),
        ("aaaaaaaaaaaaaaaaaaaa", "easy to guess|list of common"),
        ("qwertyuiopasdfghjkl", "easy to guess|list of common"),
        ("pawsortpawsort2026", "easy to guess"),
        ("AdaLovelace-AdaLovelace", "easy to guess"),
    ],
)
def test_short_common_and_guessable_passwords_are_refused(password: str, reason: str | None) -> None:
    if reason is None:
        check_new_password(password, "Ada Lovelace", "ada")
        return
    with pytest.raises(Invalid, match=reason):
        check_new_password(password, "Ada Lovelace", "adalovelace")


def test_the_same_text_typed_on_another_system_is_the_same_password() -> None:
    typed = "füße auf dem balkon im märz"
    assert check_new_password(unicodedata.normalize("NFD", typed)) == check_new_password(typed)


def test_the_hash_names_argon2id_with_64_mib_and_three_passes() -> None:
    encoded = hash_new_password("correct horse battery staple")
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert not is_outdated(encoded)
    assert is_outdated(encoded.replace("t=3", "t=2"))
