"""Cron lines in a time zone: checked at once, described in words, and their due times.

Nights on which clocks change are as Debian's cron has them: a fixed time that is skipped comes due when the gap ends,
one that happens twice comes due the first time; lines that begin with `*` in minute or hour follow the running clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cron_descriptor import FormatError, Options, get_description
from cronsim import CronSim, CronSimError

from core.base.errors import Invalid

MAX_LINE = 100
MAX_COUNTED = 10_000  # of due times that were missed: beyond it the exact number does not matter
FIELDS = "minute, hour, day of the month, month, day of the week"
EXAMPLE = "`0 3 * * SUN` is Sundays at 03:00"


def check_line(line: str, zone: str) -> str:
    """A cron line as it is kept: one space between its fields.

    Raises:
        Invalid: It cannot be read, or never comes due; or there is no such time zone.
    """
    check_zone(zone)
    fields = line.split()
    if len(fields) != 5 or len(line) > MAX_LINE:
        raise Invalid(f"cron: expected five fields ({FIELDS}), for example {EXAMPLE}; got {line[:MAX_LINE]!r}.")
    try:
        CronSim(" ".join(fields), datetime.now(UTC))
    except CronSimError as error:
        if _is_readable([*fields[:3], "*", fields[4]]) and _is_readable(["0", "0", "1", fields[3], "*"]):
            raise _never(line) from error
        raise Invalid(
            f"cron: {str(error).lower().replace('-', ' ')} in {line!r}. Expected five fields ({FIELDS}); {EXAMPLE}."
        ) from error
    if find_next(" ".join(fields), zone, datetime.now(UTC)) is None:
        raise _never(line)
    return " ".join(fields)


def check_zone(zone: str) -> None:
    """Raise Invalid unless there is such a time zone."""
    if zone not in list_zones():
        raise Invalid(f"time_zone: expected a name such as Europe/Berlin or UTC; {zone[:MAX_LINE]!r} is unknown.")


@cache
def list_zones() -> tuple[str, ...]:
    """The names of all time zones."""
    return tuple(sorted(available_timezones()))


def find_next(line: str, zone: str, after: datetime) -> datetime | None:
    """The first moment after another one at which a line comes due, in UTC; None when it never does."""
    return next(_due_times(line, zone, after), None)


def list_next(line: str, zone: str, after: datetime, n: int) -> list[datetime]:
    """The next moments at which a line comes due, as clocks in its zone show them."""
    return [moment.astimezone(ZoneInfo(zone)) for moment in islice(_due_times(line, zone, after), n)]


def in_zone(moment: datetime, zone: str) -> datetime:
    """The same moment as clocks in a zone show it."""
    return moment.astimezone(ZoneInfo(zone))


def count_missed(line: str, zone: str, first: datetime, now: datetime) -> int:
    """How often a line came due from `first`, which is such a moment, until now; at most `MAX_COUNTED`."""
    n = 1
    for moment in _due_times(line, zone, first):
        if moment > now or n == MAX_COUNTED:
            break
        n += 1
    return n


def in_words(line: str) -> str:
    """A line as a sentence: "At 03:00, only on Sunday"."""
    try:
        words: str = get_description(line, Options(use_24hour_time_format=True, locale_code="en_US"))
    except FormatError:  # it reads fewer lines than cron does
        return line
    return words


def _due_times(line: str, zone: str, after: datetime) -> Iterator[datetime]:
    for moment in CronSim(line, after.astimezone(ZoneInfo(zone))):
        due = moment.astimezone(UTC)
        # In the hour that happens twice, cronsim may name a time of its first run while it is asked from the second.
        if due > after:
            yield due


def _is_readable(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), datetime.now(UTC))
    except CronSimError:
        return False
    return True


def _never(line: str) -> Invalid:
    return Invalid(f"cron: {line!r} matches no date. Check the day of the month and the month.")
