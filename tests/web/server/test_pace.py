"""The pace that a client has to keep."""

import pytest

from web.server.pace import WINDOW_S, Pace


def test_a_client_that_sends_its_bytes_may_take_any_number_of_windows() -> None:
    pace = Pace(100)
    for _ in range(50):
        pace.note(WINDOW_S - 1, int(100 * WINDOW_S))
    assert pace.patience_s == WINDOW_S


def test_a_byte_now_and_then_is_too_slow() -> None:
    pace = Pace(100)
    for _ in range(int(WINDOW_S) - 1):
        pace.note(1.0, 1)
    with pytest.raises(TimeoutError):
        pace.note(1.0, 1)


def test_a_transfer_has_an_end_whatever_its_pace() -> None:
    pace = Pace(1, max_s=30.0)
    pace.note(15.0, 10**6)
    assert pace.patience_s == 15.0
    with pytest.raises(TimeoutError):
        pace.note(15.0, 10**6)


def test_no_least_pace_waits_for_any_client() -> None:
    pace = Pace(0)
    for _ in range(5):
        pace.note(WINDOW_S, 0)
    assert pace.patience_s == WINDOW_S
