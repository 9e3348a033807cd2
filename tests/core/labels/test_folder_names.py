"""Folders' names as labels: what people do not see is no difference."""

import pytest

from core.labels.folder_names import quoted
from core.labels.labels import label_of_path


@pytest.mark.parametrize(
    "folder",
    [
        "cat ",
        " Cats",
        "Cats\u200b",
        "\ufeffcat",
        "cat\u00a0",
        "c\u2060at",
        "cats (1)",
        "Cats (12)",
        "cat - Copy",
        "CATS copy",
        "cats - Copy (2)",
        "cats copy 2",
        "\u202acat\u202c",
        "\u2066cat\u2069",
        "c\u00adats",
        "cat\ufe0f",
        "\u3164cat",
        "cat\U000e0100",
        "cat\x07",
        "cats(1)",
        "\uff43\uff41\uff54\uff53",
    ],
)
def test_what_nobody_sees_and_suffixes_of_copies_make_no_other_class(folder: str) -> None:
    assert label_of_path(f"photos/{folder}/1.jpg") == "cat"


@pytest.mark.parametrize("folder", ["copy", "(1)", "wildcat", "cat dog", "c at", "cats1"])
def test_other_names_are_no_class(folder: str) -> None:
    assert label_of_path(f"{folder}/1.jpg") is None


def test_quotes_show_invisible_characters() -> None:
    assert quoted("cow\u200b ") == '"cow\\u200b "'
    assert quoted("cow\ufe0f") == '"cow\\ufe0f"'
