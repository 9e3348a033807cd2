"""When a schedule is due: in words, and as the next times."""

from datetime import datetime

from core.base import cron
from core.orm.schedules import Schedule
from core.schedules.recurrence import find_recurrence

N_LISTED = 5


def describe(cron_line: str | None, every_n_labels: int | None) -> str:
    """When a schedule is due, as a sentence."""
    if cron_line is not None:
        return describe_line(cron_line)
    return f"When {every_n_labels:,} new {'label has' if every_n_labels == 1 else 'labels have'} been added"


def describe_line(line: str) -> str:
    """When a cron line is due, as a sentence."""
    recurrence = find_recurrence(line)
    return cron.in_words(line) if recurrence is None else recurrence.words


def list_next(schedule: Schedule, now: datetime) -> list[datetime]:
    """The next five times, in the schedule's time zone; none while it is paused or waits for labels."""
    if schedule.cron is None or schedule.next_run_at is None:
        return []
    following = cron.list_next(schedule.cron, schedule.time_zone, max(now, schedule.next_run_at), N_LISTED)
    first = cron.in_zone(schedule.next_run_at, schedule.time_zone)
    return [first, *following][:N_LISTED]
