"""Names that people give."""

import pytest

from core.accounts import accounts, tokens
from core.base.database import Database
from core.base.errors import Invalid
from core.base.names import MAX_NAME, check_name, check_person_name, check_printable_name, shorten_name
from core.labels.folder_names import quoted
from core.orm.accounts import User


def test_a_name_is_stored_without_blanks_around_it() -> None:
    assert check_name("  my cats ") == "my cats"
    assert check_name("x" * MAX_NAME) == "x" * MAX_NAME


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1)])
def test_an_empty_or_long_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=f"^name: expected 1 to {MAX_NAME} characters, got {len(name.strip())}\\.$"):
        check_name(name)


def test_control_characters_are_refused() -> None:
    with pytest.raises(Invalid, match=r"^user: expected text without control characters, got 'a.nb'"):
        check_name("a\nb", field="user")


@pytest.mark.parametrize("unseen", ["\u200b", "\u034f", "\u3164", "\u2800", "\ufe0f"])
def test_nobody_has_a_name_with_characters_that_are_not_seen(unseen: str) -> None:
    with pytest.raises(Invalid, match="without invisible characters"):
        check_printable_name(f"ada{unseen}")


@pytest.mark.parametrize("name", ["аda", "scοtt", "Ada Lοvelace", "ＡдА"])
def test_no_new_person_has_a_name_of_two_alphabets_that_look_alike(name: str) -> None:
    with pytest.raises(Invalid, match=r"^user: expected one alphabet within a word, got .* letter"):
        check_person_name(name, "user")


@pytest.mark.parametrize("name", ["Ada", "Ада Lovelace", "Αθηνά", "山田 taro", "みけネコcat", "Łukasz-É 2", "Ａｄａ"])
def test_a_name_of_one_alphabet_or_of_scripts_that_are_used_together_is_accepted(name: str) -> None:
    assert check_person_name(name) == name


def test_a_person_who_has_such_a_name_already_keeps_it(db: Database) -> None:
    with db.write() as session:
        session.add(User(name="аda"))
        session.flush()
        assert accounts.get_or_create_user(session, "аda").name == "аda"
        with pytest.raises(Invalid, match="one alphabet"):
            accounts.get_or_create_user(session, "evе")


def test_letters_of_another_alphabet_in_the_name_of_a_folder_are_written_out() -> None:
    assert quoted("cаts") == '"c\\u0430ts"'
    assert quoted("кошки") == '"кошки"'


def test_the_name_of_a_file_becomes_a_valid_one() -> None:
    assert shorten_name("a\tb" + "c" * MAX_NAME)[:4] == "a bc"
    assert len(shorten_name("c" * 2 * MAX_NAME)) == MAX_NAME


def test_people_and_tokens_have_names(db: Database) -> None:
    with db.write() as session:
        with pytest.raises(Invalid, match=r"^user: "):
            accounts.get_or_create_user(session, "")
        with pytest.raises(Invalid, match=r"^name: "):
            tokens.create_token(session, " ")
