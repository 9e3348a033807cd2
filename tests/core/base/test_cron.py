"""Cron lines: what is refused at once, what they are in words, and when they come due on nights that clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.base import cron
from core.base.errors import Invalid

BERLIN = "Europe/Berlin"


def due_times(line: str, start: str, days: int, zone: str = BERLIN) -> list[str]:
    """Every moment in these days, found as the beat does: each time by the present moment alone."""
    moment = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = moment + timedelta(days=days)
    found = []
    while (following := cron.find_next(line, zone, moment)) is not None and following < end:
        found.append(following.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z"))
        moment = following
    return found


@pytest.mark.parametrize("line", ["0 0 30 2 *", "0 0 31 2,4,6 *", "59 23 30 FEB *"])
def test_a_line_that_never_comes_due_is_refused(line: str) -> None:
    with pytest.raises(Invalid, match="matches no date"):
        cron.check_line(line, "UTC")


@pytest.mark.parametrize("line", ["", "0 3 * *", "0 3 * * * *", "@daily", "0 " * 200])
def test_a_line_without_five_fields_is_refused(line: str) -> None:
    with pytest.raises(Invalid, match="expected five fields"):
        cron.check_line(line, "UTC")


@pytest.mark.parametrize(
    ("line", "field"), [("60 3 * * *", "minute"), ("0 24 * * *", "hour"), ("0 0 32 * *", "day of month"),
                        ("0 0 * 13 *", "month"), ("0 0 * * MOON", "day of week"), ("*/0 * * * *", "minute")]
)  # fmt: skip
def test_a_wrong_field_is_named(line: str, field: str) -> None:
    with pytest.raises(Invalid, match=f"bad {field}"):
        cron.check_line(line, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "a\0b", "Europe"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="time_zone: expected a name such as Europe/Berlin"):
        cron.check_line("0 3 * * *", zone)


def test_a_leap_day_comes_due_although_it_is_rare() -> None:
    assert cron.check_line(" 0  0 29 2 * ", "UTC") == "0 0 29 2 *"
    following = cron.find_next("0 0 29 2 *", "UTC", datetime(2026, 3, 1, tzinfo=UTC))
    assert following == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 3 * * SUN", "At 03:00, only on Sunday"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
    ],
)
def test_a_line_is_said_in_words(line: str, words: str) -> None:
    assert cron.in_words(line) == words


def test_the_next_times_are_those_that_clocks_in_the_zone_show() -> None:
    times = cron.list_next("0 3 * * SUN", BERLIN, datetime(2026, 10, 18, tzinfo=UTC), 3)
    assert [time.isoformat() for time in times] == [
        "2026-10-18T03:00:00+02:00",
        "2026-10-25T03:00:00+01:00",
        "2026-11-01T03:00:00+01:00",
    ]


def test_a_time_that_is_skipped_in_spring_comes_due_once_when_the_gap_ends() -> None:
    assert due_times("30 2 * * *", "2026-03-28", 3) == ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"]
    assert due_times("0 2,3 * * *", "2026-03-29", 1) == ["29 03:00 +0200"]


def test_a_time_that_happens_twice_in_autumn_comes_due_once() -> None:
    assert due_times("30 2 * * *", "2026-10-24", 3) == ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"]


def test_asked_within_the_hour_that_happens_twice_nothing_comes_due_again() -> None:
    second_two_fifteen = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert cron.find_next("30 2 * * *", BERLIN, second_two_fifteen) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_every_half_hour_follows_the_clock_through_both_nights() -> None:
    assert len(due_times("*/30 * * * *", "2026-03-29", 1)) == 2 * 24 - 1  # until 01:00 of the next day, by the clock
    assert due_times("*/30 * * * *", "2026-03-29T01:15", 1)[:3] == [
        "29 01:30 +0100",
        "29 03:00 +0200",
        "29 03:30 +0200",
    ]
    assert due_times("*/30 * * * *", "2026-10-25T01:45", 1)[:5] == [
        "25 02:00 +0200",
        "25 02:30 +0200",
        "25 02:00 +0100",
        "25 02:30 +0100",
        "25 03:00 +0100",
    ]


def test_missed_times_are_counted_up_to_a_limit() -> None:
    first = datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert cron.count_missed("0 3 * * *", "UTC", first, first) == 1
    assert cron.count_missed("0 3 * * *", "UTC", first, first + timedelta(days=3, hours=1)) == 4
    assert cron.count_missed("* * * * *", "UTC", first, first + timedelta(days=365)) == cron.MAX_COUNTED
