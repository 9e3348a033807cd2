"""Days and a time of day, the usual times of a schedule: each is a cron line, and such lines are recognised."""

import re
from dataclasses import dataclass
from enum import StrEnum

WEEKDAYS = {
    "MON": "Monday",
    "TUE": "Tuesday",
    "WED": "Wednesday",
    "THU": "Thursday",
    "FRI": "Friday",
    "SAT": "Saturday",
    "SUN": "Sunday",
}
LAST_DAY = "L"  # of a month, in cron lines
MONTH_DAYS = (*(str(day) for day in range(1, 29)), LAST_DAY)  # those that every month has

_NUMBERS = dict(zip("1234567", WEEKDAYS, strict=True)) | {"0": "SUN"}
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


class Repeat(StrEnum):
    """On which days."""

    DAILY = "daily"
    WORKDAYS = "workdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Recurrence:
    """Days and a time of day.

    Attributes:
        time: "03:00", from 00:00 to 23:59.
        weekday: One of `WEEKDAYS`, for weekly ones.
        month_day: One of `MONTH_DAYS`, for monthly ones.
    """

    repeat: Repeat
    time: str
    weekday: str = "SUN"
    month_day: str = "1"

    @property
    def line(self) -> str:
        """As a cron line: "0 3 * * SUN"."""
        hour, minute = self.time.split(":")
        days = {
            Repeat.DAILY: "* * *",
            Repeat.WORKDAYS: "* * MON-FRI",
            Repeat.WEEKLY: f"* * {self.weekday}",
            Repeat.MONTHLY: f"{self.month_day} * *",
        }
        return f"{int(minute)} {int(hour)} {days[self.repeat]}"

    @property
    def words(self) -> str:
        """As a phrase: "Every Sunday at 03:00"."""
        match self.repeat:
            case Repeat.DAILY:
                days = "Every day"
            case Repeat.WORKDAYS:
                days = "Monday to Friday"
            case Repeat.WEEKLY:
                days = f"Every {WEEKDAYS[self.weekday]}"
            case Repeat.MONTHLY:
                day = "the last day" if self.month_day == LAST_DAY else f"day {self.month_day}"
                days = f"On {day} of every month"
        return f"{days} at {self.time}"


def parse_time(text: str) -> str:
    """A time of day with two digits each: "3:00" -> "03:00".

    Raises:
        ValueError: It is none.
    """
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(text)
    return f"{int(match[1]):02}:{match[2]}"


def find_recurrence(line: str) -> Recurrence | None:
    """The days and the time of a cron line; None if it is another kind of line."""
    fields = line.upper().split()
    if len(fields) != 5 or fields[3] != "*" or not (fields[0].isdecimal() and fields[1].isdecimal()):
        return None
    minute, hour, month_day, _, weekday = fields
    try:
        time = parse_time(f"{hour}:{minute:0>2}")
    except ValueError:
        return None
    weekday = _NUMBERS.get(weekday, weekday)
    match month_day, weekday:
        case "*", "*":
            return Recurrence(Repeat.DAILY, time)
        case "*", "MON-FRI" | "1-5":
            return Recurrence(Repeat.WORKDAYS, time)
        case "*", _ if weekday in WEEKDAYS:
            return Recurrence(Repeat.WEEKLY, time, weekday=weekday)
        case _, "*" if month_day in MONTH_DAYS:
            return Recurrence(Repeat.MONTHLY, time, month_day=month_day)
    return None
