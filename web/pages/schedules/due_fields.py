"""The fields that say when a schedule runs: days and a time, a number of new labels, or a cron line."""

from collections.abc import Collection, Mapping

from core.base.states import ScheduleKind
from core.schedules.recurrence import MONTH_DAYS, WEEKDAYS, Recurrence, Repeat, find_recurrence, parse_time

FIELDS = ("repeat", "time", "weekday", "month_day", "cron", "every_n_labels", "time_zone")
LABELS, CRON = "labels", "cron"  # the other values of `repeat`
_USUAL = Recurrence(Repeat.WEEKLY, "03:00")


class InvalidField(Exception):
    """A field cannot be read; `sentence` says what was expected."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def show_default(kind: ScheduleKind) -> dict[str, str]:
    """The values for a new schedule: new files are classified every night, the rest is done on Sundays."""
    repeat = Repeat.DAILY if kind in (ScheduleKind.CLASSIFY, ScheduleKind.BACK_UP) else Repeat.WEEKLY
    return _show(Recurrence(repeat, _USUAL.time))


def show(cron: str | None, every_n_labels: int | None) -> dict[str, str]:
    """The values for an existing schedule."""
    if cron is None:
        return _show(_USUAL) | {"repeat": LABELS, "every_n_labels": str(every_n_labels)}
    recurrence = find_recurrence(cron)
    if recurrence is None:
        return _show(_USUAL) | {"repeat": CRON, "cron": cron}
    return _show(recurrence)


def _show(recurrence: Recurrence) -> dict[str, str]:
    return {name: getattr(recurrence, name) for name in ("repeat", "time", "weekday", "month_day")}


def read_line(values: Mapping[str, str]) -> str | None:
    """The cron line of the selected days and time, or the one that was typed; None if labels are counted instead.

    Raises:
        InvalidField: A field that is needed is empty or wrong.
    """
    repeat = values.get("repeat", "")
    if repeat == LABELS:
        return None
    if repeat == CRON:
        if not values.get("cron"):
            raise InvalidField("cron", "Enter a cron line, or choose days and a time.")
        return values["cron"]
    if repeat not in list(Repeat):
        raise InvalidField("repeat", "Choose when it runs.")
    weekday, month_day = _read_day(values, "weekday", WEEKDAYS), _read_day(values, "month_day", MONTH_DAYS)
    return Recurrence(Repeat(repeat), _read_time(values), weekday, month_day).line


def _read_time(values: Mapping[str, str]) -> str:
    text = values.get("time", "")
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidField("time", f"Expected a time such as 03:00; got {text[:20]!r}.") from None


def _read_day(values: Mapping[str, str], name: str, days: Collection[str]) -> str:
    value = values.get(name, "")
    if value not in days:
        raise InvalidField("repeat", f"Choose a day; {value[:20]!r} is none.")
    return value
