"""Cursors: they come back from strangers."""

import base64
import json
from typing import Any

import pytest

from core.base.errors import Invalid
from core.base.paging import decode_cursor, encode_cursor


def hostile(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


@pytest.mark.parametrize("key", [(7,), ("фото/猫.jpg", 3), ("a" * 4096, 2**40)])
def test_a_cursor_gives_its_key_again(key: tuple[Any, ...]) -> None:
    assert decode_cursor(encode_cursor(*key), *map(type, key)) == key


def test_a_cursor_of_a_long_chinese_path_fits_into_an_address() -> None:
    assert len(encode_cursor("猫" * 1365, 2**40)) < 6000


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "no base64!",
        "AAAA",
        hostile({"a": 1}),
        hostile([]),
        hostile([1, 2]),
        hostile(["1"]),
        hostile([True]),
        hostile([2**70]),
        hostile([1.5]),
        "W1tb" * 5000,
    ],
)
def test_whatever_is_no_number_cursor_gets_a_sentence(cursor: str) -> None:
    with pytest.raises(Invalid, match="out of date or of another list"):
        decode_cursor(cursor, int)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_takes_gets_a_sentence(text: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(hostile([text, 1]), str, int)
