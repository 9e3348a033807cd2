"""Writing while the database is away for a moment."""

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from worker.process.keep_trying import keep_trying

AWAY = OperationalError("UPDATE", {}, Exception("connection refused"))


def test_a_write_is_repeated_until_the_database_is_back() -> None:
    errors: list[Exception] = [AWAY, AWAY]

    def write() -> None:
        if errors:
            raise errors.pop()

    keep_trying(write, pause_s=0.0)
    assert errors == []


def test_a_database_that_stays_away_and_any_other_error_are_raised() -> None:
    def fail(error: Exception) -> None:
        raise error

    with pytest.raises(OperationalError):
        keep_trying(lambda: fail(AWAY), longest_s=0.0)
    with pytest.raises(IntegrityError):
        keep_trying(lambda: fail(IntegrityError("INSERT", {}, Exception("there"))))
