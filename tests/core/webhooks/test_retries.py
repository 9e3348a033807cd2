"""When deliveries are tried again."""

import pytest

from core.webhooks.retries import JITTER, LONGEST_S, PAUSES_S, pause_s


@pytest.mark.parametrize("n_tried", range(1, len(PAUSES_S) + 1))
def test_each_pause_is_about_as_long_as_the_schedule_says(n_tried: int) -> None:
    usual_s = PAUSES_S[n_tried - 1]
    assert usual_s * (1 - JITTER) <= (pause_s(n_tried, None) or 0) <= usual_s * (1 + JITTER)


def test_after_the_last_attempt_nothing_follows() -> None:
    assert pause_s(len(PAUSES_S) + 1, None) is None


def test_a_receiver_may_ask_for_more_time_but_not_for_ever() -> None:
    assert pause_s(1, 3600.0) == 3600.0
    assert pause_s(1, 1e9) == LONGEST_S
    assert (pause_s(2, 1.0) or 0) > 200
