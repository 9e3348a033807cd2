"""Parameters in the addresses of pages. What cannot be meant is refused: without its filter, a list would be wrong."""

from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from flask import request

from core.base.errors import Invalid

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
LARGEST_COUNT = 2**31 - 1
_MAX_DIGITS = 20
_SHOWN = 50  # characters of a value that an error repeats


def read_argument(name: str, read: Callable[[str], T]) -> T | None:
    """The value of a parameter of this address; None if it is empty or not given.

    Args:
        read: Raises ValueError with what it expected.
    Raises:
        Invalid: The value is none that `read` takes.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise Invalid(f"{name}: {error}; got {text[:_SHOWN]!r}.") from error


def one_of(choices: Collection[str]) -> Callable[[str], str]:
    """Read one of some words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(filter(None, choices))}")
        return text

    return read


def member_of(kind: type[E]) -> Callable[[str], E]:
    """Read a member of an enumeration of words."""
    read = one_of([str(member) for member in kind])
    return lambda text: kind(read(text))


def whole_number(least: int, largest: int) -> Callable[[str], int]:
    """Read a whole number within limits."""

    def read(text: str) -> int:
        digits = text.removeprefix("-")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
        if not is_number or not least <= int(text) <= largest:
            raise ValueError(f"expected a whole number from {least} to {largest}")
        return int(text)

    return read


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError("expected a number from 0 to 1")
    return value


def day(text: str) -> str:
    """Read an ISO date, of a year that `datetime` can calculate with."""
    try:
        year = datetime.strptime(text, "%Y-%m-%d").year  # noqa: DTZ007 - a day, not an instant
    except ValueError:
        year = 0
    if not 1970 <= year < 9000:
        raise ValueError("expected a day such as 2026-03-31, between the years 1970 and 8999")
    return text


COUNT = whole_number(0, LARGEST_COUNT)
