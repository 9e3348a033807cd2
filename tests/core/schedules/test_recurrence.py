"""Days and a time of day as cron lines, and in words."""

import re

import pytest

from core.base import cron
from core.schedules import due_times
from core.schedules.recurrence import Recurrence, Repeat, find_recurrence, parse_time

EACH = [
    (Recurrence(Repeat.DAILY, "03:00"), "0 3 * * *", "Every day at 03:00"),
    (Recurrence(Repeat.WORKDAYS, "23:05"), "5 23 * * MON-FRI", "Monday to Friday at 23:05"),
    (Recurrence(Repeat.WEEKLY, "00:00", weekday="TUE"), "0 0 * * TUE", "Every Tuesday at 00:00"),
    (Recurrence(Repeat.MONTHLY, "02:30", month_day="28"), "30 2 28 * *", "On day 28 of every month at 02:30"),
    (Recurrence(Repeat.MONTHLY, "02:30", month_day="L"), "30 2 L * *", "On the last day of every month at 02:30"),
]


@pytest.mark.parametrize(("recurrence", "line", "words"), EACH)
def test_each_is_a_line_that_is_recognised_and_described(recurrence: Recurrence, line: str, words: str) -> None:
    assert recurrence.line == cron.check_line(line, "UTC") == line
    assert find_recurrence(line) == recurrence
    assert due_times.describe_line(line) == words


@pytest.mark.parametrize(
    ("line", "same"), [("00 03 * * 0", "0 3 * * SUN"), ("0 3 * * 7", "0 3 * * SUN"), ("0 3 * * 1-5", "0 3 * * MON-FRI")]
)
def test_other_spellings_are_recognised(line: str, same: str) -> None:
    assert find_recurrence(line) == find_recurrence(same) is not None


@pytest.mark.parametrize(
    "line",
    ["*/5 * * * *", "0 3 31 * *", "0 3 1 1 *", "0 3 1 * MON", "0 3,15 * * *", "0 3 * * MON,THU", "0 24 * * *", "@daily",
     "0 3 * * SUN#1", ""],
)  # fmt: skip
def test_other_lines_are_no_days_with_a_time(line: str) -> None:
    assert find_recurrence(line) is None


@pytest.mark.parametrize("text", ["24:00", "3", "03:60", "3:0", "\N{ARABIC-INDIC DIGIT THREE}:00", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text) + "$"):
        parse_time(text)
